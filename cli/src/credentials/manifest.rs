//! The report of a render in the vocabulary of C2PA 2.1.

use c2pa::{Builder, BuilderIntent, Context};
use serde_json::{Value, json};
use stylelipsync::Provenance;

use crate::failure::{Failure, Result};

/// The label of the assertion that holds the whole report.
pub const ASSERTION: &str = "stylelipsync.provenance";

/// Settings of every call: nothing is fetched, and whom to trust is the reader's to decide.
pub fn context(trust: Option<&str>) -> Result<Context> {
    let settings = json!({
        "verify": {
            "verify_trust": trust.is_some(),
            "verify_timestamp_trust": trust.is_some(),
            "verify_after_sign": false,
            "ocsp_fetch": false,
            "remote_manifest_fetch": false,
        },
        "trust": { "trust_anchors": trust },
        "builder": { "thumbnail": { "enabled": false } },
    });
    Context::new()
        .with_settings(settings.to_string())
        .map_err(failed)
}

pub fn failed(error: c2pa::Error) -> Failure {
    Failure::Credentials(format!("content credentials: {error}"))
}

/// A manifest that is still to be signed; the source becomes its parent ingredient.
///
/// # Errors
/// [`Failure::Credentials`] when it cannot be built.
pub fn builder(provenance: &Provenance, title: &str) -> Result<Builder> {
    let report = serde_json::to_value(provenance).map_err(|error| {
        Failure::Credentials(format!("the report cannot be written as JSON: {error}"))
    })?;
    let definition = json!({
        "claim_generator_info": [{
            "name": provenance.software.name,
            "version": env!("CARGO_PKG_VERSION"),
        }],
        "title": title,
        "assertions": [
            { "label": "c2pa.actions", "data": { "actions": [edited(provenance)] } },
            { "label": ASSERTION, "kind": "Json", "data": report },
        ],
    });
    let builder = Builder::from_context(context(None)?).with_definition(definition.to_string());
    let mut builder = builder.map_err(failed)?;
    builder.set_intent(BuilderIntent::Edit);
    Ok(builder)
}

/// What was done to the source: which frames, and with what.
fn edited(provenance: &Provenance) -> Value {
    let mut action = json!({
        "action": provenance.action,
        "softwareAgent": {
            "name": provenance.software.name,
            "version": provenance.software.version,
        },
        "digitalSourceType": provenance.digital_source_type,
        "description": "The mouth was changed so that it speaks another audio track.",
    });
    let first = provenance.frames.first.unwrap_or(0);
    // Numbers of the file's own frames, from 0 on, both ends included.
    let regions: Option<Vec<Value>> = provenance
        .frames
        .changed
        .iter()
        .map(|[start, end]| {
            let start = i32::try_from(start.checked_sub(first)?).ok()?;
            let end = i32::try_from(end.checked_sub(first)?).ok()?;
            Some(json!({ "type": "frame", "frame": { "start": start, "end": end } }))
        })
        .collect();
    if let Some(regions) = regions.filter(|regions| !regions.is_empty()) {
        action["changes"] = json!([{ "region": regions, "description": "the mouth region" }]);
    }
    action
}

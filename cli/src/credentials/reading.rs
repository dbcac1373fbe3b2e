//! Reading: who signed a file, what they state, and whether it still holds.

use std::fs::File;
use std::path::Path;

use c2pa::Reader;
use c2pa::validation_results::ValidationState;
use stylelipsync::Provenance;

use super::faults::failures;
use super::formats::{format_of, sidecar_of};
use super::manifest::{self, ASSERTION};
use crate::failure::{Failure, Result};

/// Credentials that hold: the signature is genuine, and the file is the one that was signed.
pub struct Checked {
    reader: Reader,
    /// The report of this program; `None` where another one signed.
    pub provenance: Option<Provenance>,
}

/// The credentials in a file, or those beside it, unchecked; the inner error is why there are none.
///
/// # Errors
/// [`Failure::Input`] when a file cannot be read.
pub(super) fn open(path: &Path, trust: Option<&str>) -> Result<c2pa::Result<Reader>> {
    let file = File::open(path).map_err(|error| Failure::reading(path, error))?;
    let sidecar = sidecar_of(path);
    let reader = Reader::from_context(manifest::context(trust)?);
    Ok(match format_of(path) {
        Some(format) => reader.with_stream(format, file),
        None if sidecar.is_file() => {
            let bytes = std::fs::read(&sidecar).map_err(|e| Failure::reading(&sidecar, e))?;
            reader.with_manifest_data_and_stream(&bytes, "application/octet-stream", file)
        }
        None => Err(c2pa::Error::JumbfNotFound),
    })
}

/// Reads the credentials in a file, or those beside it, and checks them.
///
/// # Errors
/// [`Failure::Input`] when it cannot be read; [`Failure::Credentials`] when it has none, when they do not hold,
/// or when its report cannot be true.
pub fn read(path: &Path, trust: Option<&str>) -> Result<Checked> {
    let refuse = |what: String| Failure::Credentials(format!("{}: {what}", path.display()));
    let reader = open(path, trust)?.map_err(|error| match error {
        c2pa::Error::JumbfNotFound => refuse("has no content credentials".into()),
        error => refuse(format!("its content credentials cannot be read: {error}")),
    })?;
    let faults = failures(&reader);
    if faults.iter().any(|fault| is_content(fault)) {
        return Err(refuse(format!(
            "was changed after it was signed: {}",
            faults.join(", ")
        )));
    }
    if !faults.is_empty() {
        let faults = faults.join(", ");
        return Err(refuse(format!(
            "its content credentials do not hold: {faults}"
        )));
    }
    let provenance = match report(&reader) {
        Some(json) => Some(Provenance::parse(&json).map_err(|error| {
            refuse(format!(
                "its content credentials state what cannot be: {error}"
            ))
        })?),
        None => None,
    };
    Ok(Checked { reader, provenance })
}

/// Whether a fault says that the file is not the one that was signed.
fn is_content(fault: &str) -> bool {
    [
        "assertion.dataHash",
        "assertion.bmffHash",
        "assertion.boxesHash",
    ]
    .iter()
    .any(|code| fault.starts_with(code))
}

/// This program's assertion.
fn report(reader: &Reader) -> Option<String> {
    let manifest = reader.active_manifest()?;
    let value: serde_json::Value = manifest.find_assertion(ASSERTION).ok()?;
    Some(value.to_string())
}

impl Checked {
    /// Who signed, with what, and when.
    pub fn signer(&self) -> String {
        let manifest = self.reader.active_manifest();
        let Some(info) = manifest.and_then(|manifest| manifest.signature_info()) else {
            return "unknown".into();
        };
        let name = info
            .common_name
            .as_deref()
            .unwrap_or("a signer without a name");
        let issuer = info.issuer.as_deref().unwrap_or("unknown");
        let algorithm = info.alg.map_or("?".into(), |alg| alg.to_string());
        format!("{name}, organisation {issuer} ({algorithm})")
    }

    /// When it was signed, by a time stamp authority.
    pub fn time(&self) -> Option<String> {
        let manifest = self.reader.active_manifest()?;
        manifest.signature_info()?.time.clone()
    }

    /// Whether the signer is among those that the reader trusts.
    pub fn is_trusted(&self) -> bool {
        self.reader.validation_state() == ValidationState::Trusted
    }

    /// The program that made the manifest.
    pub fn generator(&self) -> String {
        let manifest = self.reader.active_manifest();
        let infos = manifest.and_then(|manifest| manifest.claim_generator_info.as_deref());
        match infos.and_then(|infos| infos.first()) {
            Some(info) => match &info.version {
                Some(version) => format!("{} {version}", info.name),
                None => info.name.clone(),
            },
            None => "unknown".into(),
        }
    }

    /// The sources, and whether they have credentials of their own.
    pub fn sources(&self) -> Vec<String> {
        let manifest = self.reader.active_manifest();
        let ingredients = manifest.map_or(&[][..], |manifest| manifest.ingredients());
        ingredients
            .iter()
            .map(|ingredient| {
                let signer = ingredient
                    .active_manifest()
                    .and_then(|label| self.reader.get_manifest(label))
                    .and_then(|manifest| manifest.signature_info());
                let title = ingredient.title().unwrap_or("without a name");
                match signer {
                    Some(info) => format!(
                        "{title}, with content credentials signed by {}",
                        info.common_name.as_deref().unwrap_or("unknown")
                    ),
                    None => format!("{title}, without content credentials"),
                }
            })
            .collect()
    }

    /// All of it as JSON.
    pub fn json(&self) -> String {
        self.reader.json()
    }
}

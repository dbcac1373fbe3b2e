//! The button Write Report: a provenance report for the program that signs what the host exports.

use std::path::PathBuf;

use stylelipsync::{Consent, MarkId, Speech};

use crate::abi::names::*;
use crate::controls::*;
use crate::error::{ActionError, Result};
use crate::host::Host;
use crate::instance::Instance;
use crate::provenance;
use crate::settings::Settings;
use crate::shared;

/// Writes the report and shows the outcome.
pub fn run(host: &Host, instance: &Instance) {
    let (kind, text) = match write(host, instance) {
        Ok(text) => (MESSAGE_MESSAGE, text),
        Err(error) => (MESSAGE_ERROR, format!("Write Report: {error}")),
    };
    log::info!("{text}");
    host.show_message(instance.effect, kind, &text);
}

fn write(host: &Host, instance: &Instance) -> Result<String> {
    let failed = |reason: &str| ActionError::User(reason.into());
    let settings = Settings::read(host, &instance.parameters, 0.0)?;
    let out = PathBuf::from(instance.parameters.text(host, REPORT)?);
    if out.extension().is_none_or(|ending| ending != "json") {
        return Err(failed("Report File: choose a file name that ends in .json"));
    }
    let frames = instance.changed.lock().report();
    if frames.changed_count == 0 {
        return Err(failed(
            "no frame was changed since a control was last edited: render the frames first",
        ));
    }
    let audio = settings.audio.as_deref();
    let audio = audio.ok_or_else(|| failed("Audio File: no file is chosen"))?;
    let (_, samples) = shared::audio(audio)?;
    let (key, engine) = shared::engine(settings.bundle.as_deref(), settings.provider)?;
    let changed = frames.changed_count;
    let person = match &settings.person {
        Some(path) => Some(shared::person((&key, &engine), path)?.1),
        None => None,
    };
    let speech = Speech::new(samples, 0)?;
    let mut report = provenance::of_inputs(&engine, person.as_deref(), &speech, frames);
    report.watermark = settings
        .watermark
        .then(|| MarkId::of_inputs(&report).text());
    report.consent = settings.consent.as_ref().map(Consent::load).transpose()?;
    report.save(&out)?;
    Ok(format!("{changed} changed frames: {}", out.display()))
}

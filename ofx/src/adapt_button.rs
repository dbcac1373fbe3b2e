//! The button Adapt To This Face: runs the engine's adaptation on the host's frames, and writes a
//! person file.

use std::ops::ControlFlow;
use std::path::PathBuf;

use stylelipsync::adapt::{AdaptOptions, Adaptation, Found};
use stylelipsync::{Clip, Consent};

use crate::abi::names::*;
use crate::clip_options::clip_options;
use crate::controls::*;
use crate::error::{ActionError, Result};
use crate::frame_time::{FrameTime, time_of};
use crate::host::Host;
use crate::image::Image;
use crate::input_frame::InputFrame;
use crate::instance::Instance;
use crate::settings::Settings;
use crate::shared;

/// The progress bar after the analysis of the frames, and after the collection of training frames;
/// the rest is training.
const ANALYSED: f64 = 0.15;
const COLLECTED: f64 = 0.2;

/// Runs the adaptation and shows its outcome.
pub fn run(host: &Host, instance: &Instance, current: FrameTime) {
    let (kind, text) = match adapt(host, instance, current) {
        Ok(report) => (MESSAGE_MESSAGE, report),
        Err(ActionError::Aborted) => (
            MESSAGE_MESSAGE,
            "Adaptation stopped; no person file was written.".to_owned(),
        ),
        Err(error) => (MESSAGE_ERROR, format!("Adapt To This Face: {error}")),
    };
    log::info!("{text}");
    host.show_message(instance.effect, kind, &text);
}

fn adapt(host: &Host, instance: &Instance, current: FrameTime) -> Result<String> {
    let failed = |reason: &str| ActionError::User(reason.into());
    let parameters = &instance.parameters;
    let settings = Settings::read(host, parameters, current.time)?;
    let out = PathBuf::from(parameters.text(host, ADAPT_OUT)?);
    if out.extension().is_none_or(|ending| ending != "safetensors") {
        return Err(failed(
            "New Person File: choose a file name that ends in .safetensors",
        ));
    }
    if out
        .parent()
        .is_some_and(|folder| !folder.as_os_str().is_empty() && !folder.is_dir())
    {
        return Err(failed("New Person File: the folder does not exist"));
    }
    let audio = settings.audio.as_deref();
    let audio = audio
        .ok_or_else(|| failed("Audio File: choose the clip's own audio, which is trained on"))?;
    let (from, to) = (
        parameters.int(host, ADAPT_FROM)?,
        parameters.int(host, ADAPT_TO)?,
    );
    let (from, to) = match (from, to, instance.frame_range(host)) {
        (0, 0, Some([first, last])) => (first, last),
        (0, 0, None) => {
            return Err(failed(
                "the host reports no frame range: set Adapt From Frame and Adapt To Frame",
            ));
        }
        (from, to, _) if from <= to => (i64::from(from), i64::from(to)),
        _ => return Err(failed("Adapt From Frame is after Adapt To Frame")),
    };
    let (_, samples) = shared::audio(audio)?;
    let (key, engine) = shared::engine(settings.bundle.as_deref(), settings.provider)?;

    let progress = host.progress(instance.effect, "Adapt To This Face");
    let report = |share: f64| match progress.update(share) {
        true => Ok(()),
        false => Err(ActionError::Aborted),
    };
    let count = (to - from + 1) as f64;
    let frame_at = |frame: i64| Image::fetch(host, instance.source, time_of(frame));
    let Some(first) = frame_at(from)? else {
        return Err(failed(
            "Adapt From Frame: the host does not have this frame",
        ));
    };
    let full_size = [1.0, 1.0];
    let options = clip_options(
        host,
        instance,
        &settings,
        (&key, &engine),
        full_size,
        &first,
    )?;
    drop(first);
    let mut clip = Clip::new(engine, options)?;
    clip.set_samples(samples)?;
    for frame in from..=to {
        report(ANALYSED * (frame - from) as f64 / count)?;
        if let Some(image) = frame_at(frame)? {
            clip.analyze(
                frame,
                &InputFrame::of(&image, settings.input_colour)?.view()?,
            )?;
        }
    }
    let checkpoint = out.with_extension("checkpoint");
    let mut job = Adaptation::new(
        &clip,
        AdaptOptions {
            steps: parameters.int(host, ADAPT_STEPS)?.max(1) as u64,
            consent: parameters.text(host, ADAPT_CONSENT)?,
            consent_record: settings.consent.as_ref().map(Consent::load).transpose()?,
            checkpoint: Some(checkpoint.clone()),
            ..AdaptOptions::default()
        },
    )?;
    for frame in (from..=to)
        .filter(|frame| job.wants(*frame))
        .collect::<Vec<_>>()
    {
        report(ANALYSED + (COLLECTED - ANALYSED) * (frame - from) as f64 / count)?;
        if let Some(image) = frame_at(frame)? {
            job.add(
                &clip,
                frame,
                &InputFrame::of(&image, settings.input_colour)?.view()?,
            )?;
        }
    }
    // The checkpoint of a run that was stopped may be of other frames or of other audio.
    if job.found()? == Found::OtherWork {
        std::fs::remove_file(&checkpoint).map_err(|source| stylelipsync::Error::Write {
            path: checkpoint.clone(),
            source,
        })?;
    }
    let mut loss = None;
    let person = job.run(|at| {
        loss = at.held_out;
        let share = COLLECTED + (1.0 - COLLECTED) * at.step as f64 / at.steps.max(1) as f64;
        match progress.update(share) {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        }
    })?;
    person.save(&out)?;
    // The person file is complete: a checkpoint that cannot be removed does no harm.
    let _ = std::fs::remove_file(checkpoint);
    parameters.set_text(host, PERSON, &out.to_string_lossy())?;
    instance.references.clear();
    let gain = loss.map_or(String::new(), |[was, is]| {
        format!(" The loss on held-out frames went from {was:.3} to {is:.3}.")
    });
    Ok(format!(
        "{} steps: {}.{gain}",
        person.info().steps,
        out.display()
    ))
}

//! The button "Adapt To This Face": frames of the host to the engine's adaptation, a person file out.

use std::ops::ControlFlow;
use std::path::PathBuf;

use stylelipsync::Clip;
use stylelipsync::adapt::{AdaptOptions, Adaptation, Found};

use crate::abi::names::*;
use crate::controls::*;
use crate::fault::{Fault, Result};
use crate::host::Host;
use crate::image::Image;
use crate::instance::Instance;
use crate::pixels::Picture;
use crate::reference::{self, Moment};
use crate::shared;

/// Shares of the progress bar: looking at frames, gathering them, learning.
const LOOKED: f64 = 0.15;
const GATHERED: f64 = 0.2;

/// Runs the adaptation and says how it went.
pub fn press(host: &Host, instance: &Instance, moment: Option<Moment>) {
    let moment = moment.unwrap_or(Moment {
        frame: 0,
        time: 0.0,
    });
    match adapt(host, instance, moment) {
        Ok(told) => host.answer(instance.effect, MESSAGE_MESSAGE, &told),
        Err(Fault::Aborted) => {
            host.answer(
                instance.effect,
                MESSAGE_MESSAGE,
                "Adaptation stopped; no person file was written.",
            );
        }
        Err(fault) => host.answer(
            instance.effect,
            MESSAGE_ERROR,
            &format!("Adapt To This Face: {fault}"),
        ),
    }
}

fn adapt(host: &Host, instance: &Instance, moment: Moment) -> Result<String> {
    let told = |reason: &str| Fault::Told(reason.into());
    let settings = Settings::read(host, instance, moment.time)?;
    let int = |name| host.int(instance.parameter(name)?);
    let out = PathBuf::from(host.text(instance.parameter(ADAPT_OUT)?)?.trim());
    if out.extension().is_none_or(|ending| ending != "safetensors") {
        return Err(told(
            "New Person File: choose a file whose name ends in .safetensors",
        ));
    }
    if out
        .parent()
        .is_some_and(|folder| !folder.as_os_str().is_empty() && !folder.is_dir())
    {
        return Err(told("New Person File: its folder does not exist"));
    }
    let audio = settings.audio.as_deref();
    let audio = audio
        .ok_or_else(|| told("Audio File: choose the clip's own sound, which is learnt from"))?;
    let (from, to) = match (int(ADAPT_FROM)?, int(ADAPT_TO)?, instance.range(host)) {
        (0, 0, Some([first, last])) => (first, last),
        (0, 0, None) => {
            return Err(told(
                "Adapt From Frame, Adapt To Frame: choose them, the host tells no range",
            ));
        }
        (from, to, _) if from <= to => (i64::from(from), i64::from(to)),
        _ => return Err(told("Adapt From Frame lies behind Adapt To Frame")),
    };
    let (_, samples) = shared::voice(audio)?;
    let (_, engine) = shared::engine(settings.bundle.as_deref(), settings.provider)?;

    let progress = host.progress(instance.effect, "Adapt To This Face");
    let goes_on = |share: f64| {
        if progress.update(share) {
            Ok(())
        } else {
            Err(Fault::Aborted)
        }
    };
    let count = (to - from + 1) as f64;
    let frame_at = |frame: i64| Image::fetch(host, instance.source, moment.time_of(frame));
    let Some(first) = frame_at(from)? else {
        return Err(told("Adapt From Frame: the host has no such frame"));
    };
    let scale = [1.0, 1.0];
    let options = reference::options(host, instance, &settings, scale, &first)?;
    drop(first);
    let mut clip = Clip::new(engine, options)?;
    clip.set_samples(samples)?;
    for frame in from..=to {
        goes_on(LOOKED * (frame - from) as f64 / count)?;
        if let Some(image) = frame_at(frame)? {
            clip.analyze(frame, &Picture::of(&image).view()?)?;
        }
    }
    let checkpoint = out.with_extension("checkpoint");
    let mut job = Adaptation::new(
        &clip,
        AdaptOptions {
            steps: int(ADAPT_STEPS)?.max(1) as u64,
            consent: host.text(instance.parameter(ADAPT_CONSENT)?)?,
            checkpoint: Some(checkpoint.clone()),
            ..AdaptOptions::default()
        },
    )?;
    for frame in (from..=to)
        .filter(|frame| job.wants(*frame))
        .collect::<Vec<_>>()
    {
        goes_on(LOOKED + (GATHERED - LOOKED) * (frame - from) as f64 / count)?;
        if let Some(image) = frame_at(frame)? {
            job.add(&clip, frame, &Picture::of(&image).view()?)?;
        }
    }
    // A press that was stopped may have looked at other frames, or heard other words.
    if job.found()? == Found::OtherWork {
        std::fs::remove_file(&checkpoint).map_err(|source| stylelipsync::Error::Write {
            path: checkpoint.clone(),
            source,
        })?;
    }
    let mut loss = None;
    let person = job.run(|at| {
        loss = at.held_out;
        let share = GATHERED + (1.0 - GATHERED) * at.step as f64 / at.steps.max(1) as f64;
        match progress.update(share) {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        }
    })?;
    person.save(&out)?;
    // The person is written; what is left of the checkpoint is of no use to anyone.
    let _ = std::fs::remove_file(checkpoint);
    host.set_text(instance.parameter(PERSON)?, &out.to_string_lossy())?;
    instance.forget();
    let gain = loss.map_or(String::new(), |[was, is]| {
        format!(" On frames kept aside the loss went from {was:.3} to {is:.3}.")
    });
    Ok(format!(
        "{} steps: {}.{gain}",
        person.info().steps,
        out.display()
    ))
}

//! The command `adapt`: trains a person file from a clip of the person.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use stylelipsync::adapt::{AdaptOptions, Adaptation, Progress, Weights};
use stylelipsync::{Clip, ClipOptions, Consent, Error, SpeechContext};

use crate::args::AdaptArguments;
use crate::audio::Track;
use crate::failure::{Failure, Result};
use crate::lipsync::{PersonFrames, Tracks};
use crate::source::Source;
use crate::stills::{Content, Still};
use crate::{interrupt, progress};

/// Runs `adapt`.
///
/// # Errors
/// Any error that stops it. The person file is then unchanged; the steps done so far are in the
/// checkpoint next to it, for `--resume`.
pub fn run(arguments: &AdaptArguments) -> Result<()> {
    let out = arguments.out.as_path();
    check(out, &arguments.video)?;
    let checkpoint = checkpoint_of(out);
    if !arguments.resume && checkpoint.exists() {
        std::fs::remove_file(&checkpoint).map_err(|error| Failure::writing(&checkpoint, error))?;
    }
    let training = options_of(arguments, &checkpoint)?;
    let source = Source::open(&arguments.video, arguments.rate)?;
    let sound = arguments.audio.as_deref().unwrap_or(&arguments.video);
    let speech = match Track::find(sound, &arguments.sound)?.read() {
        Err(Failure::Engine(Error::NoAudio(_))) => {
            let reason = "adaptation needs the person's own speech: give a file with --audio";
            return Err(Error::NoAudio(reason.into()).into());
        }
        speech => speech?,
    };
    let engine = arguments.engine.open()?;
    let options = ClipOptions {
        timing: source.timing()?,
        transfer: source.transfer(),
        selection: arguments.face.selection(&engine)?,
        context: SpeechContext::Far,
        ..ClipOptions::default()
    };
    let mut clip = Clip::new(engine, options)?;
    clip.set_audio(&speech.samples, speech.rate, 1)?;
    if let Some(path) = &arguments.reference {
        let still = Still {
            name: String::new(),
            content: Content::File(path.clone()),
        };
        let picture = still.decode()?.like(source.layout());
        clip.set_reference(&picture.view()?)?;
    }
    let tracks = Tracks {
        clip: &clip,
        source: &source,
        number_faces: arguments.face.is_number(),
        person: match arguments.reference {
            None => PersonFrames::Reference,
            Some(_) => PersonFrames::None,
        },
        workers: arguments.engine.workers(),
    };
    let frames = tracks.analyse(&(0..u64::MAX))?;
    let mut job = Adaptation::new(&clip, training)?;
    gather(&mut job, &clip, &source, frames)?;

    let bar = progress::steps("adapting", arguments.steps);
    let mut last: Option<Progress> = None;
    let person = job.run(|progress| {
        bar.set_position(progress.step);
        bar.set_message(summary(progress));
        last = Some(*progress);
        match interrupt::check() {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    });
    bar.finish_and_clear();
    let person = match person {
        Err(Error::Cancelled) => {
            let at = last.map_or(0, |progress| progress.step);
            log::warn!("stopped after step {at}: --resume continues from there");
            return Err(Failure::Interrupted);
        }
        person => person?,
    };
    person.save(out)?;
    if !arguments.keep_checkpoint {
        std::fs::remove_file(&checkpoint).map_err(|error| Failure::writing(&checkpoint, error))?;
    }
    if let Some(progress) = &last {
        eprintln!(
            "{}, {:.2} steps/s",
            summary(progress),
            progress.steps_per_second
        );
    }
    eprintln!("{} steps: {}", person.info().steps, out.display());
    Ok(())
}

/// The options of the training.
fn options_of(arguments: &AdaptArguments, checkpoint: &Path) -> Result<AdaptOptions> {
    let [picture, sync, regulariser] = arguments.weights;
    Ok(AdaptOptions {
        steps: arguments.steps,
        time: arguments.minutes.map(minutes).transpose()?,
        plateau: arguments.plateau,
        seed: arguments.seed,
        weights: Weights {
            picture,
            sync,
            regulariser,
        },
        checkpoint: Some(checkpoint.to_owned()),
        consent: arguments.consent.clone(),
        consent_record: arguments
            .consent_file
            .as_ref()
            .map(Consent::load)
            .transpose()?,
        ..AdaptOptions::default()
    })
}

/// Checks the output before hours of work.
fn check(out: &Path, video: &Path) -> Result<()> {
    let refuse = |reason: &str| Err(Failure::writing(out, reason));
    if out.extension().is_none_or(|ending| ending != "safetensors") {
        return refuse("a person file is named *.safetensors");
    }
    if out.is_dir() {
        return refuse("it is a folder");
    }
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty());
    if folder.is_some_and(|folder| !folder.is_dir()) {
        return refuse("its folder does not exist");
    }
    if out.exists() && out.canonicalize().ok() == video.canonicalize().ok() {
        return refuse("it is the clip itself");
    }
    Ok(())
}

/// The checkpoint's path.
fn checkpoint_of(out: &Path) -> PathBuf {
    out.with_extension("checkpoint")
}

fn minutes(minutes: f64) -> Result<Duration> {
    let time = Duration::try_from_secs_f64(minutes * 60.0).ok();
    time.filter(|time| !time.is_zero()).ok_or_else(|| {
        Failure::Engine(Error::Argument {
            field: "minutes",
            reason: format!("{minutes} is not a length of time"),
        })
    })
}

/// Adds the frames to train on.
fn gather(job: &mut Adaptation, clip: &Clip, source: &Source, frames: u64) -> Result<()> {
    let bar = progress::bar("gathering", frames);
    for frame in source.frames(0..frames)? {
        let frame = frame?;
        interrupt::check()?;
        if job.wants(frame.index as i64) {
            job.add(clip, frame.index as i64, &frame.picture.view()?)?;
        }
        bar.inc(1);
        if job.missing() == 0 {
            break;
        }
    }
    bar.finish_and_clear();
    Ok(())
}

fn summary(progress: &Progress) -> String {
    let [picture, sync, regulariser] = progress.terms;
    let held = match progress.held_out {
        Some([first, now]) => format!(", held-out {first:.3} -> {now:.3}"),
        None => String::new(),
    };
    format!("picture {picture:.3}, sync {sync:.3}, unpaired speech {regulariser:.3}{held}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Arguments, Command};
    use clap::Parser;

    fn options(more: &[&str]) -> Result<AdaptOptions> {
        let line = [
            "stylelipsync",
            "adapt",
            "--video",
            "a.mp4",
            "--out",
            "a.safetensors",
        ];
        let parsed = Arguments::parse_from(line.iter().chain(more));
        let Command::Adapt(arguments) = parsed.command else {
            panic!("another command");
        };
        options_of(&arguments, Path::new("a.checkpoint"))
    }

    /// What the library does with each is tested there.
    #[test]
    fn every_limit_reaches_the_training() {
        let plain = options(&[]).unwrap();
        assert_eq!((plain.steps, plain.time, plain.plateau), (300, None, false));
        assert!(options(&["--plateau"]).unwrap().plateau);
        let limited = options(&["--steps", "7", "--minutes", "0.5", "--seed", "3"]).unwrap();
        assert_eq!((limited.steps, limited.seed), (7, 3));
        assert_eq!(limited.time, Some(Duration::from_secs(30)));
        let weighted = options(&["--weights", "1,2,0"]).unwrap().weights;
        let weights = [weighted.picture, weighted.sync, weighted.regulariser];
        assert_eq!(weights, [1.0, 2.0, 0.0]);
        assert!(options(&["--minutes", "0"]).is_err());
    }
}

//! `--face speaking`: which face speaks in a movie's own audio.

use std::path::Path;
use std::sync::Arc;

use stylelipsync::audio::to_16k;
use stylelipsync::track::Selection;
use stylelipsync::{Clip, ClipOptions, Engine, Error};

use crate::audio::{AudioArguments, Track};
use crate::face::FaceChoice;
use crate::failure::{Failure, Result};
use crate::lipsync::{PersonFrames, Tracks};
use crate::source::Source;

/// Tracks the clip and compares each face with the audio of `movie`.
///
/// # Errors
/// [`Failure::Input`] when the movie has no audio, or no face is long enough in sight; errors of reading and of the
/// networks.
pub fn speaking_face(
    engine: &Arc<Engine>,
    (source, movie): (&Source, &Path),
    workers: usize,
) -> Result<FaceChoice> {
    let own = match Track::find(movie, &AudioArguments::default()).and_then(|track| track.read()) {
        Err(Failure::Engine(Error::NoAudio(_) | Error::Read { .. } | Error::Audio(_))) => {
            return Err(Failure::Input(format!(
                "{}: --face speaking needs the audio that was recorded with the picture, and there is none",
                movie.display()
            )));
        }
        read => read?,
    };
    let own = Arc::new(to_16k(&own.samples, own.rate, 1)?);
    let options = ClipOptions {
        timing: source.timing()?,
        transfer: source.transfer(),
        // No face has this number: no picture of a person is kept.
        selection: Selection::Id(u32::MAX),
        ..ClipOptions::default()
    };
    let clip = Clip::new(engine.clone(), options)?;
    let tracks = Tracks {
        clip: &clip,
        source,
        number_faces: true,
        person: PersonFrames::None,
        workers,
    };
    tracks.analyse(&(0..u64::MAX))?;
    let faces = clip.analysis().audible_faces(clip.renderer(), &own)?;
    let Some((first, others)) = faces.split_first() else {
        return Err(Failure::Input(format!(
            "{}: no face is in sight for 1.4 seconds without a cut, so none can be compared with the audio",
            movie.display()
        )));
    };
    let others: Vec<String> = others
        .iter()
        .map(|face| format!("face {}: {:.2}", face.id, face.score()))
        .collect();
    let others = match others.is_empty() {
        true => "no other".into(),
        false => others.join(", "),
    };
    eprintln!(
        "face {} speaks: score {:.2} ({others})",
        first.id,
        first.score()
    );
    if clip.analysis().shots().len() > 1 && !engine.bundle().has("recognition") {
        log::warn!(
            "the clip has cuts, and the bundle cannot tell people apart: faces are numbered anew after each, so \
             that only one shot is changed"
        );
    }
    Ok(FaceChoice::Id(first.id))
}

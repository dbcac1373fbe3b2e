//! The command `analyze`.

use stylelipsync::{Clip, ClipOptions};

use crate::args::{AnalyzeArguments, FaceChoice};
use crate::failure::{Failure, Result};
use crate::lipsync::{PersonFrames, Tracks};
use crate::source::Source;

/// Runs `analyze`.
///
/// # Errors
/// Any error that stops it; the file is then unchanged.
pub fn run(arguments: &AnalyzeArguments) -> Result<()> {
    let out = arguments.out.as_path();
    if out.is_dir() {
        return Err(Failure::writing(out, "it is a folder"));
    }
    if out.exists() && out.canonicalize().ok() == arguments.video.canonicalize().ok() {
        return Err(Failure::writing(out, "it is the clip itself"));
    }
    // Checked before the work.
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty());
    tempfile::tempfile_in(folder.unwrap_or(".".as_ref()))
        .map_err(|error| Failure::writing(out, error))?;
    let source = Source::open(&arguments.video, arguments.rate)?;
    let options = ClipOptions {
        timing: source.timing()?,
        transfer: source.transfer(),
        selection: arguments.face.into(),
        ..ClipOptions::default()
    };
    let clip = Clip::new(arguments.engine.open()?, options)?;
    let tracks = Tracks {
        clip: &clip,
        source: &source,
        number_faces: matches!(arguments.face, FaceChoice::Id(_)),
        person: PersonFrames::All,
        workers: arguments.engine.workers(),
    };
    let frames = tracks.analyse(&(0..u64::MAX))?;
    // The analysis accepts a clip without a face, for `render`; here it is an error, which the second call
    // returns.
    clip.finish_analysis()?;
    clip.save_analysis(out)?;
    let shots = clip.analysis().shots().len();
    let shots = match shots {
        1 => "1 shot".into(),
        shots => format!("{shots} shots"),
    };
    eprintln!("{frames} frames in {shots}: {}", out.display());
    Ok(())
}

//! Reads the audio of files: the library's own decoder, and ffmpeg for what it does not know.

use std::path::Path;

use stylelipsync::Error;
use stylelipsync::audio::{Waveform, decode_file};

use crate::failure::{Failure, Result};
use crate::tool;

/// Samples a second of what ffmpeg decodes.
const RATE: u32 = 48_000;

/// The first audio track of a file, mixed to mono. Opus, WebM, Matroska, CAF and whatever else the
/// library does not decode goes through ffmpeg, where that is installed.
///
/// # Errors
/// When the file cannot be read, or holds no audio.
pub fn read(path: &Path) -> Result<Waveform> {
    match decode_file(path) {
        Err(error @ Error::Audio(_)) => match through_ffmpeg(path) {
            Ok(Some(audio)) => Ok(audio),
            Ok(None) => {
                Err(Error::NoAudio(format!("{} has no audio track", path.display())).into())
            }
            Err(Failure::Interrupted) => Err(Failure::Interrupted),
            Err(_) => Err(error.into()),
        },
        other => Ok(other?),
    }
}

/// `None` for a file without audio.
fn through_ffmpeg(path: &Path) -> Result<Option<Waveform>> {
    let doing = || format!("decoding the audio of {}", path.display());
    let mut command = tool::command("ffprobe");
    command.args(["-select_streams", "a:0", "-show_entries", "stream=index"]);
    command.args(["-of", "csv=p=0"]).arg(tool::file(path));
    if tool::output("ffprobe", command, doing())?.is_empty() {
        return Ok(None);
    }
    let mut command = tool::command("ffmpeg");
    command
        .arg("-i")
        .arg(tool::file(path))
        .args(["-map", "0:a:0"]);
    command.args(["-af", FROM_THE_START, "-ac", "1"]);
    command.args(["-ar", &RATE.to_string(), "-f", "f32le", "pipe:1"]);
    let bytes = tool::output("ffmpeg", command, doing())?;
    let samples = bytes.as_chunks::<4>().0.iter();
    let samples: Vec<f32> = samples.map(|b| f32::from_le_bytes(*b)).collect();
    Ok((!samples.is_empty()).then_some(Waveform {
        samples,
        rate: RATE,
    }))
}

/// The filter that keeps the place of audio that begins after the picture, and of what follows a gap.
pub const FROM_THE_START: &str = "aresample=async=1:first_pts=0";

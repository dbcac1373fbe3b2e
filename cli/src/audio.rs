//! Reads the audio of files: the library's own decoder, and ffmpeg for what it does not know. What is read and
//! what is laid under a result agree in track and time.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::Deserialize;
use stylelipsync::Error;
use stylelipsync::audio::{Waveform, decode_file};

use crate::failure::{Failure, Result};
use crate::tool;

/// Samples a second of what ffmpeg decodes.
const RATE: u32 = 48_000;
/// Of `--audio-offset`, in milliseconds.
const LONGEST_OFFSET: f64 = 3_600_000.0;

/// Which audio of a file is taken, and when it begins.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct AudioArguments {
    /// Which of several audio tracks of the speech's file is taken, counted from 1. By default the first.
    #[arg(long, value_name = "N")]
    pub audio_track: Option<std::num::NonZeroU32>,
    /// Start of the speech in milliseconds of the clip; a negative value drops its beginning. The audio of a
    /// movie begins where its picture does.
    #[arg(
        long,
        default_value_t = 0.0,
        value_name = "MS",
        allow_negative_numbers = true
    )]
    pub audio_offset: f64,
}

impl AudioArguments {
    /// The offset in seconds.
    ///
    /// # Errors
    /// [`Error::Argument`] for more than an hour.
    pub fn offset(&self) -> Result<f64> {
        if self.audio_offset.abs() <= LONGEST_OFFSET {
            return Ok(self.audio_offset / 1000.0);
        }
        Err(Failure::Engine(Error::Argument {
            field: "audio-offset",
            reason: format!("{} ms is more than an hour", self.audio_offset),
        }))
    }

    /// Whether neither was asked for.
    pub fn is_default(&self) -> bool {
        self.audio_track.is_none() && self.audio_offset == 0.0
    }

    /// The same track from its own beginning.
    pub fn without_offset(self) -> Self {
        Self {
            audio_offset: 0.0,
            ..self
        }
    }
}

/// An audio track on the clock of a clip.
#[derive(Clone, Copy, Debug)]
pub struct Track<'a> {
    pub path: &'a Path,
    /// Among the file's audio tracks, from 0.
    number: u32,
    /// Seconds from the file's beginning to the clip's; negative where the audio's beginning is dropped.
    shift: f64,
    /// Seconds that were asked for, of `shift`.
    offset: f64,
    /// The file states a time for each packet: there may be gaps.
    timed: bool,
    /// Whether the file may have audio.
    there: bool,
}

impl<'a> Track<'a> {
    /// Finds the track.
    ///
    /// # Errors
    /// [`Failure::Input`] when the file has fewer tracks; [`Error::Argument`] for an offset out of range.
    pub fn find(path: &'a Path, wanted: &AudioArguments) -> Result<Self> {
        let offset = wanted.offset()?;
        let number = wanted.audio_track.map_or(0, |number| number.get() - 1);
        let found = match examine(path) {
            Ok(found) => found,
            Err(Failure::Interrupted) => return Err(Failure::Interrupted),
            // Without ffmpeg the library's decoder may still know the file; or it tells what is wrong.
            Err(failure) if number > 0 => return Err(failure),
            Err(_) => Found::ONE,
        };
        if number > 0 && number >= found.tracks {
            return Err(Failure::Input(format!(
                "{} has {} audio tracks: there is no number {}",
                path.display(),
                found.tracks,
                number + 1
            )));
        }
        Ok(Self {
            path,
            number,
            shift: offset - found.picture,
            offset,
            timed: found.timed,
            there: found.tracks > 0,
        })
    }

    /// Reads the track, mixed to mono, from the clip's beginning on. Where ffmpeg is installed, movies and what the
    /// library does not decode go through it: what is heard is then what is laid under the result.
    ///
    /// # Errors
    /// When the file cannot be read, or holds no audio.
    pub fn read(&self) -> Result<Waveform> {
        let path = self.path;
        let no_audio = || {
            let reason = format!("{} has no audio track, or an empty one", path.display());
            Failure::Engine(Error::NoAudio(reason))
        };
        // The library knows neither other tracks nor gaps nor when the picture begins.
        if self.number > 0 || self.shift != self.offset {
            return self.through_ffmpeg()?.ok_or_else(no_audio);
        }
        if self.timed {
            match self.through_ffmpeg() {
                Ok(audio) => return audio.ok_or_else(no_audio),
                Err(Failure::Interrupted) => return Err(Failure::Interrupted),
                Err(failure) => log::info!("{failure}"),
            }
        }
        match decode_file(path) {
            Ok(audio) => Ok(shifted(audio, self.offset)),
            Err(error @ Error::Audio(_)) => match self.through_ffmpeg() {
                Ok(audio) => audio.ok_or_else(no_audio),
                Err(Failure::Interrupted) => Err(Failure::Interrupted),
                Err(_) => Err(error.into()),
            },
            Err(error) => Err(error.into()),
        }
    }

    /// `None` for a file without audio.
    fn through_ffmpeg(&self) -> Result<Option<Waveform>> {
        if !self.there {
            return Ok(None);
        }
        let mut command = tool::command("ffmpeg");
        command.arg("-i").arg(tool::file(self.path));
        command.args(["-map", &self.map(0), "-af", &self.filter()]);
        command.args(["-ac", "1", "-ar", &RATE.to_string()]);
        command.args(["-f", "f32le", "pipe:1"]);
        let doing = format!("decoding the audio of {}", self.path.display());
        let bytes = tool::output("ffmpeg", command, doing)?;
        let samples = bytes.as_chunks::<4>().0.iter();
        let samples: Vec<f32> = samples.map(|b| f32::from_le_bytes(*b)).collect();
        Ok((!samples.is_empty()).then_some(Waveform {
            samples,
            rate: RATE,
        }))
    }

    /// The track as ffmpeg's -map takes it, where the file is input `input`.
    pub fn map(&self, input: usize) -> String {
        format!("{input}:a:{}", self.number)
    }

    /// ffmpeg's filter that keeps the place of audio that begins before or after the picture, and of what follows
    /// a gap.
    pub fn filter(&self) -> String {
        format!(
            "asetpts=PTS+({:.6})/TB,aresample=async=1:first_pts=0",
            self.shift
        )
    }
}

/// The samples, later by `seconds`, or without their beginning.
fn shifted(mut audio: Waveform, seconds: f64) -> Waveform {
    let samples = (seconds * f64::from(audio.rate)).round() as i64;
    let count = usize::try_from(samples.unsigned_abs()).unwrap_or(usize::MAX);
    if samples < 0 {
        audio.samples.drain(..count.min(audio.samples.len()));
    } else {
        audio.samples.splice(0..0, std::iter::repeat_n(0.0, count));
    }
    audio
}

/// What is known of a file's audio.
struct Found {
    tracks: u32,
    /// Seconds from the file's beginning to the first picture.
    picture: f64,
    timed: bool,
}

impl Found {
    /// One track from the file's beginning on.
    const ONE: Self = Self {
        tracks: 1,
        picture: 0.0,
        timed: false,
    };
}

#[derive(Deserialize)]
struct Report {
    #[serde(default)]
    streams: Vec<Stream>,
    #[serde(default)]
    format: Format,
}

#[derive(Deserialize)]
struct Stream {
    codec_type: Option<String>,
    start_time: Option<String>,
    #[serde(default)]
    disposition: Disposition,
}

#[derive(Deserialize, Default)]
struct Disposition {
    #[serde(default)]
    attached_pic: u8,
}

#[derive(Deserialize, Default)]
struct Format {
    #[serde(default)]
    format_name: String,
    start_time: Option<String>,
}

fn examine(path: &Path) -> Result<Found> {
    if is_wav(path) {
        return Ok(Found::ONE);
    }
    let report: Report = tool::probe(path, &[])?;
    let seconds = |text: &Option<String>| text.as_deref()?.parse::<f64>().ok();
    let kind = |stream: &&Stream, kind| stream.codec_type.as_deref() == Some(kind);
    let tracks = report.streams.iter().filter(|s| kind(s, "audio")).count();
    // A cover is no picture of the clip.
    let mut pictures = report
        .streams
        .iter()
        .filter(|s| kind(s, "video") && s.disposition.attached_pic == 0);
    let picture = pictures.next().and_then(|s| seconds(&s.start_time));
    let start = seconds(&report.format.start_time).unwrap_or(0.0);
    Ok(Found {
        tracks: tracks as u32,
        picture: picture.map_or(0.0, |picture| (picture - start).max(0.0)),
        timed: !["wav", "w64", "aiff", "caf", "flac", "mp3", "ogg", "aac"]
            .contains(&&*report.format.format_name),
    })
}

/// Whether the file begins as a WAV file, which ffprobe need not be asked about: its start takes longer than
/// reading the file.
fn is_wav(path: &Path) -> bool {
    let mut head = [0; 12];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut head));
    read.is_ok() && head.starts_with(b"RIFF") && head.ends_with(b"WAVE")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_adds_silence_or_drops_the_beginning() {
        let audio = || Waveform {
            samples: vec![1.0, 2.0, 3.0],
            rate: 10,
        };
        assert_eq!(shifted(audio(), 0.0).samples, [1.0, 2.0, 3.0]);
        assert_eq!(shifted(audio(), 0.2).samples, [0.0, 0.0, 1.0, 2.0, 3.0]);
        assert_eq!(shifted(audio(), -0.1).samples, [2.0, 3.0]);
        assert_eq!(shifted(audio(), -9.0).samples, [0.0; 0]);
        for offset in [f64::INFINITY, f64::NAN, -4e6] {
            let wanted = AudioArguments {
                audio_offset: offset,
                ..AudioArguments::default()
            };
            assert!(wanted.offset().is_err(), "{offset}");
        }
    }
}

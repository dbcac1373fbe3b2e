//! The streams of a movie beside the picture and the speech that is replaced: other audio tracks, subtitles,
//! attachments, chapters, metadata.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use crate::failure::Result;
use crate::format::Kind;
use crate::tool;

/// What a movie holds beside its picture and its first audio track, and what a result keeps of it.
#[derive(Clone, Debug)]
pub struct Others {
    path: PathBuf,
    /// Seconds from the beginning of the file to that of the picture.
    shift: f64,
    kept: Vec<Kept>,
    /// Descriptions of what is not kept.
    pub losses: Vec<String>,
    /// What there is, for the message where nothing is kept; empty for a movie with a picture and one sound.
    pub there: Vec<String>,
}

#[derive(Clone, Debug)]
struct Kept {
    index: u32,
    /// ffmpeg's letter of the kind of stream.
    letter: char,
    codec: &'static str,
}

#[derive(Deserialize)]
struct Report {
    #[serde(default)]
    streams: Vec<Stream>,
    #[serde(default)]
    chapters: Vec<serde_json::Value>,
    #[serde(default)]
    format: Times,
}

#[derive(Deserialize)]
struct Stream {
    index: u32,
    codec_type: Option<String>,
    codec_name: Option<String>,
    codec_tag_string: Option<String>,
    #[serde(flatten)]
    times: Times,
}

#[derive(Deserialize, Default)]
struct Times {
    start_time: Option<String>,
}

impl Times {
    fn start(&self) -> f64 {
        let text = self.start_time.as_deref();
        text.and_then(|text| text.parse().ok()).unwrap_or(0.0)
    }
}

impl Others {
    /// Asks ffprobe about the streams of `path`, to be kept in a result of this kind.
    ///
    /// # Errors
    /// [`Failure::Tool`](crate::failure::Failure::Tool) from ffprobe.
    pub fn find(path: &Path, kind: Kind) -> Result<Self> {
        let report: Report = tool::probe(path, &["-show_chapters"])?;
        let mut others = Self {
            path: path.to_owned(),
            shift: 0.0,
            kept: Vec::new(),
            losses: Vec::new(),
            there: Vec::new(),
        };
        let (mut pictures, mut sounds) = (0, 0);
        for stream in &report.streams {
            match stream.codec_type.as_deref() {
                Some("video") => {
                    pictures += 1;
                    if pictures == 1 {
                        others.shift = stream.times.start() - report.format.start();
                        continue;
                    }
                }
                Some("audio") => {
                    sounds += 1;
                    // The new speech takes its place.
                    if sounds == 1 {
                        continue;
                    }
                }
                // The time code is written anew.
                _ if stream.codec_tag_string.as_deref() == Some("tmcd") => continue,
                _ => {}
            }
            others.add(stream, kind);
        }
        if !report.chapters.is_empty() {
            others
                .there
                .push(format!("{} chapters", report.chapters.len()));
        }
        Ok(others)
    }

    fn add(&mut self, stream: &Stream, kind: Kind) {
        let codec = stream.codec_name.as_deref().unwrap_or("unknown");
        let what = stream.codec_type.as_deref().unwrap_or("unknown");
        let label = format!("stream {} ({what}, {codec})", stream.index);
        self.there.push(label.clone());
        let letter = match what {
            "audio" => 'a',
            "subtitle" => 's',
            "attachment" => 't',
            _ => '-',
        };
        let written = match letter {
            'a' => Some(audio(codec, kind)),
            's' => subtitle(codec, kind),
            't' if kind == Kind::Mkv => Some("copy"),
            _ => None,
        };
        match written {
            None => self
                .losses
                .push(format!("{label}: {} cannot hold it", kind.name())),
            Some(new) => {
                if new != "copy" {
                    self.losses.push(format!(
                        "{label} as it is: in {} it becomes {new}",
                        kind.name()
                    ));
                }
                self.kept.push(Kept {
                    index: stream.index,
                    letter,
                    codec: new,
                });
            }
        }
    }

    /// Adds the movie as an input, so that its picture begins at 0.
    pub fn input(&self, command: &mut Command) {
        command.args(["-itsoffset", &format!("{:.6}", -self.shift)]);
        command.arg("-i").arg(tool::file(&self.path));
    }

    /// Maps what is kept of input `input` behind the new sound.
    pub fn output(&self, command: &mut Command, input: usize) {
        let mut numbers = [('a', 1), ('s', 0), ('t', 0)];
        for kept in &self.kept {
            command.args(["-map", &format!("{input}:{}", kept.index)]);
            for (_, number) in numbers.iter_mut().filter(|(l, _)| *l == kept.letter) {
                let option = format!("-c:{}:{number}", kept.letter);
                command.args([&option, kept.codec]);
                *number += 1;
            }
        }
        let from = input.to_string();
        command.args(["-map_metadata", &from, "-map_chapters", &from]);
        command.args(["-disposition:a", "0", "-disposition:a:0", "default"]);
    }
}

fn audio(codec: &str, kind: Kind) -> &'static str {
    let kept = match kind {
        Kind::Mkv | Kind::Folder => true,
        Kind::Mov => {
            codec.starts_with("pcm_") || ["aac", "ac3", "eac3", "alac", "mp3"].contains(&codec)
        }
        Kind::Mp4 => ["aac", "ac3", "eac3", "alac", "mp3", "flac", "opus"].contains(&codec),
    };
    match kind {
        _ if kept => "copy",
        Kind::Mov => "pcm_s24le",
        _ => "aac",
    }
}

fn subtitle(codec: &str, kind: Kind) -> Option<&'static str> {
    let text = ["subrip", "ass", "ssa", "webvtt", "text", "mov_text"].contains(&codec);
    match (kind, codec) {
        (Kind::Mkv, "mov_text") => Some("srt"),
        (Kind::Mkv, "eia_608") => None,
        (Kind::Mkv, _) => Some("copy"),
        (_, "mov_text") => Some("copy"),
        _ if text => Some("mov_text"),
        _ => None,
    }
}

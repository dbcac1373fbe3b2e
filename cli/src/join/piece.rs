//! What is known of a piece, and what must be the same in all.

use std::path::Path;

use serde::Deserialize;

use crate::args::FrameRange;
use crate::failure::{Failure, Result};
use crate::format::Codec;
use crate::movie::encoder::PIECE;
use crate::movie::probe::{self, Movie};
use crate::tool;

/// A movie to join.
pub struct Piece<'a> {
    pub path: &'a Path,
    pub movie: Movie,
    pub codec: Codec,
    /// Codec, rate and channels of the first audio track.
    pub audio: Option<Audio>,
    /// The frames of the clip that it holds, where it was rendered with `--frames`.
    frames: Option<FrameRange>,
    /// ffmpeg's name of the pixel format, and a hash of the codec's own header.
    coding: (String, String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audio {
    codec: String,
    rate: String,
    channels: u32,
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
    codec_name: Option<String>,
    pix_fmt: Option<String>,
    extradata_hash: Option<String>,
    sample_rate: Option<String>,
    channels: Option<u32>,
}

#[derive(Deserialize, Default)]
struct Format {
    #[serde(default)]
    tags: Tags,
}

#[derive(Deserialize, Default)]
struct Tags {
    #[serde(alias = "COMMENT")]
    comment: Option<String>,
}

impl<'a> Piece<'a> {
    /// # Errors
    /// [`Failure::Input`] when it is not a movie that `render` writes; [`Failure::Tool`] from ffprobe.
    pub fn open(path: &'a Path) -> Result<Self> {
        let movie = probe::movie(path)?;
        let refused = |reason: String| {
            Failure::Input(format!(
                "the piece {} cannot be joined: {reason}",
                path.display()
            ))
        };
        let codec = Codec::of_ffmpeg(&movie.codec)
            .ok_or_else(|| refused(format!("`render` does not write {}", movie.codec)))?;
        if movie.variable {
            return Err(refused(
                "its frame rate is variable, and it does not state how long its last frame is shown; render the \
                 pieces as folders, or the clip in one piece"
                    .into(),
            ));
        }
        let report: Report = tool::probe(path, &["-show_data_hash", "md5"])?;
        let stream = |kind| {
            let mut streams = report.streams.iter();
            streams.find(|stream| stream.codec_type.as_deref() == Some(kind))
        };
        let coding = stream("video").map(|video| {
            let text = |text: &Option<String>| text.clone().unwrap_or_default();
            (text(&video.pix_fmt), text(&video.extradata_hash))
        });
        let audio = stream("audio").map(|audio| Audio {
            codec: audio.codec_name.clone().unwrap_or_default(),
            rate: audio.sample_rate.clone().unwrap_or_default(),
            channels: audio.channels.unwrap_or(0),
        });
        let comment = report.format.tags.comment.as_deref();
        let frames = comment.and_then(|text| text.strip_prefix(PIECE)?.parse().ok());
        let piece = Self {
            path,
            codec,
            audio,
            frames,
            coding: coding.unwrap_or_default(),
            movie,
        };
        if let Some(FrameRange(range)) = &piece.frames
            && range.end() - range.start() + 1 != piece.movie.frames
        {
            let there = piece.movie.frames;
            let (first, last) = (range.start(), range.end());
            return Err(refused(format!(
                "it holds {there} frames instead of frames {first} to {last}"
            )));
        }
        Ok(piece)
    }

    /// # Errors
    /// [`Failure::Input`] when a player that plays `first` may not play this piece after it.
    pub fn check_like(&self, first: &Self) -> Result<()> {
        let differs = |what: &str, this: String, that: String| {
            Failure::Input(format!(
                "{what} of the pieces differs: {} has {this}, but {} has {that}",
                self.path.display(),
                first.path.display()
            ))
        };
        for (what, value) in PROPERTIES {
            let (this, that) = (value(self), value(first));
            if this != that {
                return Err(differs(what, this, that));
            }
        }
        Ok(())
    }

    /// The name of the audio's codec where samples are lost between pieces.
    pub fn lossy_audio(&self) -> Option<&str> {
        let codec = self.audio.as_ref()?.codec.as_str();
        (codec != "flac" && !codec.starts_with("pcm_")).then_some(codec)
    }
}

type Property = (&'static str, fn(&Piece) -> String);

const PROPERTIES: [Property; 8] = [
    ("the codec", |piece| piece.movie.codec.clone()),
    ("the size", |piece| {
        let layout = &piece.movie.layout;
        format!("{}x{}", layout.width, layout.height)
    }),
    ("the frame rate", |piece| piece.movie.rate.to_string()),
    ("the pixel format", |piece| piece.coding.0.clone()),
    ("the pixel aspect ratio", |piece| {
        let [width, height] = piece.movie.layout.pixel_aspect;
        format!("{width}/{height}")
    }),
    ("the colour", |piece| {
        let colour = &piece.movie.colour;
        let tag = |tag: &Option<String>| tag.clone().unwrap_or_else(|| "none".into());
        let range = if colour.full_range { "full" } else { "limited" };
        let (space, primaries, transfer) = (
            tag(&colour.space),
            tag(&colour.primaries),
            tag(&colour.transfer),
        );
        format!("matrix {space}, primaries {primaries}, transfer {transfer}, {range} range")
    }),
    ("the codec's header", |piece| piece.coding.1.clone()),
    ("the audio", |piece| match &piece.audio {
        Some(Audio {
            codec,
            rate,
            channels,
        }) => format!("{codec}, {rate} Hz, {channels} channels"),
        None => "none".into(),
    }),
];

/// Orders the pieces by their frames, and returns the first one's number in the clip. Pieces that do not state their
/// frames keep the order that they are given in.
///
/// # Errors
/// [`Failure::Input`] when a frame is missing, or there twice.
pub fn order(pieces: &mut [Piece]) -> Result<Option<u64>> {
    if let Some(piece) = pieces.iter().find(|piece| piece.frames.is_none()) {
        if pieces.len() > 1 {
            log::warn!(
                "{} does not state which frames it holds: the pieces are joined in the order of the command line, \
                 and missing ones are not noticed without --count",
                piece.path.display()
            );
        }
        return Ok(None);
    }
    let range = |piece: &Piece| match &piece.frames {
        Some(FrameRange(range)) => (*range.start(), *range.end()),
        None => (0, 0),
    };
    pieces.sort_by_key(range);
    for pair in pieces.windows(2) {
        let [one, next] = pair else { continue };
        let ((_, end), (start, _)) = (range(one), range(next));
        let (a, b) = (one.path.display(), next.path.display());
        if start <= end {
            return Err(Failure::Input(format!(
                "frame {start} is there twice: in {a} and in {b}"
            )));
        }
        if start > end + 1 {
            let (from, to) = (end + 1, start - 1);
            let which = match from == to {
                true => format!("frame {from} is missing"),
                false => format!("frames {from} to {to} are missing"),
            };
            return Err(Failure::Input(format!("{which}: after {a} comes {b}")));
        }
    }
    Ok(pieces.first().map(|piece| range(piece).0))
}

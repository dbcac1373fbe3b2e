//! MP4 edit lists, which symphonia does not read: AAC encoders insert 1024 or more samples of
//! padding (encoder delay) at the start and declare it here. If it is ignored, the audio is up to
//! 130 ms late. Cameras and editors trim tracks with them, and leave gaps.

use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;

/// The edit list of an MP4's first audio track.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Edits(Vec<Edit>);

/// A piece of what is heard.
#[derive(Debug, PartialEq)]
struct Edit {
    /// Its beginning in the track, in seconds; `None` for silence.
    start: Option<f64>,
    /// Its length in seconds; 0 for a piece to the end of the track.
    length: f64,
}

/// Edits of a list; more are damage.
const MOST_EDITS: usize = 4096;
/// A box's payload is read up to this size; a real `moov` of hours is a few MiB.
const LARGEST: u64 = 256 << 20;

impl Edits {
    /// `None` unless `file` is an MP4 with an audio track; an edit list that is damaged reads as none, since
    /// the demuxer judges the file.
    pub(super) fn read(mut file: impl Read + Seek) -> Option<Self> {
        let movie = movie(&mut file)?;
        let track = first_sound(&movie)?;
        Some(list(&movie, track).unwrap_or_default())
    }

    /// What is heard of `count` samples at `rate`; `None` without an edit list.
    pub(super) fn pieces(&self, rate: u32, count: usize) -> Option<Vec<Piece>> {
        let samples = |seconds: f64| (seconds * f64::from(rate)).round() as usize;
        let piece = |edit: &Edit| {
            let Some(start) = edit.start else {
                return Piece::Silence(samples(edit.length));
            };
            let start = samples(start).min(count);
            let end = match samples(edit.length) {
                0 => count,
                length => start.saturating_add(length).min(count),
            };
            Piece::Samples(start..end)
        };
        (!self.0.is_empty()).then(|| self.0.iter().map(piece).collect())
    }
}

/// A part of what is heard, in samples.
#[derive(Debug, PartialEq)]
pub(super) enum Piece {
    Silence(usize),
    /// These of the decoded samples.
    Samples(Range<usize>),
}

impl Piece {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Silence(count) => *count,
            Self::Samples(range) => range.len(),
        }
    }
}

/// The payload of the file's `moov` box.
fn movie(file: &mut (impl Read + Seek)) -> Option<Vec<u8>> {
    let end = file.seek(SeekFrom::End(0)).ok()?;
    let mut at = 0u64;
    for index in 0..1024 {
        file.seek(SeekFrom::Start(at)).ok()?;
        let mut head = [0; 16];
        file.read_exact(&mut head[..8]).ok()?;
        let mut size = u64::from(u32::from_be_bytes(head[..4].try_into().ok()?));
        let mut header = 8;
        if index == 0 && &head[4..8] != b"ftyp" {
            return None;
        }
        if size == 1 {
            file.read_exact(&mut head[8..]).ok()?;
            size = u64::from_be_bytes(head[8..].try_into().ok()?);
            header = 16;
        } else if size == 0 {
            size = end - at;
        }
        let next = at
            .checked_add(size)
            .filter(|&next| next <= end && size >= header)?;
        if &head[4..8] == b"moov" {
            let mut payload = Vec::new();
            let length = (size - header).min(LARGEST);
            file.take(length).read_to_end(&mut payload).ok()?;
            return Some(payload);
        }
        at = next;
    }
    None
}

/// The boxes of a payload that have a given name.
fn boxes<'a>(mut payload: &'a [u8], name: &'a [u8; 4]) -> impl Iterator<Item = &'a [u8]> {
    std::iter::from_fn(move || {
        loop {
            let size = be32(payload, 0)? as usize;
            let found = payload.get(4..8)? == name;
            let body = payload.get(8..size)?;
            payload = &payload[size..];
            if found {
                return Some(body);
            }
        }
    })
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(
        bytes.get(at..at.checked_add(4)?)?.try_into().ok()?,
    ))
}

fn be64(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from(be32(bytes, at)?) << 32 | u64::from(be32(bytes, at + 4)?))
}

/// The ticks a second of an `mvhd` or `mdhd` box.
fn timescale(header: &[u8]) -> Option<f64> {
    let at = if *header.first()? == 1 { 20 } else { 12 };
    Some(f64::from(be32(header, at)?)).filter(|&scale| scale > 0.0)
}

fn first_sound(movie: &[u8]) -> Option<&[u8]> {
    boxes(movie, b"trak").find(|track| {
        let handler = boxes(track, b"mdia")
            .flat_map(|media| boxes(media, b"hdlr"))
            .next();
        handler.and_then(|handler| handler.get(8..12)) == Some(b"soun")
    })
}

fn list(movie: &[u8], track: &[u8]) -> Option<Edits> {
    let movie_scale = timescale(boxes(movie, b"mvhd").next()?)?;
    let media = boxes(track, b"mdia").next()?;
    let media_scale = timescale(boxes(media, b"mdhd").next()?)?;
    let list = boxes(track, b"edts")
        .flat_map(|edits| boxes(edits, b"elst"))
        .next()?;
    let wide = *list.first()? == 1;
    let mut edits = Vec::new();
    for index in 0..(be32(list, 4)? as usize).min(MOST_EDITS) {
        let (length, start) = if wide {
            let at = 8 + 20 * index;
            (be64(list, at)?, be64(list, at + 8)? as i64)
        } else {
            let at = 8 + 12 * index;
            (
                u64::from(be32(list, at)?),
                i64::from(be32(list, at + 4)? as i32),
            )
        };
        edits.push(Edit {
            start: (start >= 0).then(|| start as f64 / media_scale),
            length: length as f64 / movie_scale,
        });
    }
    Some(Edits(edits))
}

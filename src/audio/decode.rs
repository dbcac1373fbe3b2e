//! Decodes audio files to mono samples, with symphonia.

use std::fs::File;
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::LazyLock;

use symphonia::core::audio::{Channels, GenericAudioBufferRef};
use symphonia::core::codecs::audio::AudioDecoderOptions;
use symphonia::core::codecs::registry::CodecRegistry;
use symphonia::core::errors::Error as Failure;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::well_known::FORMAT_ID_MKV;
use symphonia::core::formats::{FormatOptions, FormatReader, Track, TrackType};
use symphonia::core::io::{MediaSourceStream, MediaSourceStreamOptions};
use symphonia::core::meta::MetadataOptions;
use symphonia::core::packet::Packet;

use super::channels::weights;
use super::edits::{Edits, Piece};
use super::opus::{OpusDecoder, pre_skip};
use super::resample::mix;
use super::{matroska, wave64};
use crate::{Error, Result, cancel, memory};

/// A file may be this much shorter than its header says (codecs count their padding differently).
const SLACK: u64 = 8192;
/// Seconds by which a packet must be late to count as one after a gap. Containers round their times, to a
/// millisecond and more.
const SMALLEST_GAP: f64 = 0.1;
/// Seconds of a gap. A file may state any time; beyond an hour it is damaged.
const LONGEST_GAP: f64 = 3600.0;

/// Symphonia's decoders, and ours for Opus.
static CODECS: LazyLock<CodecRegistry> = LazyLock::new(|| {
    let mut codecs = CodecRegistry::new();
    symphonia::default::register_enabled_codecs(&mut codecs);
    codecs.register_audio_decoder::<OpusDecoder>();
    codecs
});

/// Mono audio at the rate it was recorded in.
#[derive(Clone, Debug, PartialEq)]
pub struct Waveform {
    /// Mono samples, -1 to 1 where the file was not overdriven.
    pub samples: Vec<f32>,
    /// Samples a second.
    pub rate: u32,
}

impl Waveform {
    /// The same sound at 16 kHz.
    pub fn to_16k(&self) -> Result<Vec<f32>> {
        super::to_16k(&self.samples, self.rate, 1)
    }
}

/// Decodes the first audio track of a file and mixes it to mono, whatever its channels. Containers: wav, rf64,
/// w64, aiff, caf, flac, mp3, aac (ADTS), ogg, mp4/m4a/mov, mkv/webm. Codecs: PCM, FLAC, ALAC, MP3, AAC-LC, Vorbis,
/// Opus.
///
/// The encoder's padding at the start is dropped, and silence stands where the track begins late or has a gap, so
/// that audio and video stay in sync.
///
/// [`Error::Read`] when the file cannot be opened; [`Error::Audio`] when it is not an audio file, its
/// codec is not supported, or it is truncated or damaged beyond use; [`Error::NoAudio`] when it
/// is one but holds no sample; [`Error::Memory`] when there is not enough.
pub fn decode_file(path: &Path) -> Result<Waveform> {
    decode_below(path, None)
}

/// As [`decode_file`]; refuses, with [`Error::Memory`], what would have more than `most` samples at
/// 16 kHz: a small file can hold hours of silence.
pub fn decode_below(path: &Path, most: Option<u64>) -> Result<Waveform> {
    let unreadable = |source| Error::Read {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(unreadable)?;
    let size = file.metadata().map_err(unreadable)?;
    if size.is_dir() {
        return Err(unreadable(ErrorKind::IsADirectory.into()));
    }
    if size.len() == 0 {
        return Err(Error::NoAudio(format!(
            "{} is an empty file",
            path.display()
        )));
    }
    let edits = Edits::read(&file);
    let mut reader = probe(path, file)?;
    let matroska = reader.format_info().format == FORMAT_ID_MKV;
    let Some(track) = reader.default_track(TrackType::Audio) else {
        // Symphonia does not tell what an unknown codec is of.
        let unknown = |track: &Track| track.codec_params.is_none();
        return Err(if edits.is_some() && reader.tracks().iter().any(unknown) {
            unsupported(path)
        } else {
            Error::NoAudio(format!("{} has no audio track", path.display()))
        });
    };
    let id = track.id;
    let stated = track.num_frames;
    let parameters = track
        .codec_params
        .as_ref()
        .and_then(|codec| codec.audio())
        .ok_or_else(|| unsupported(path))?;
    let ticks = seconds_of(track);
    let mut decoded = Decoded {
        delay: pre_skip(parameters),
        ..Decoded::default()
    };
    let options = AudioDecoderOptions::default();
    let mut decoder =
        guarded(path, || CODECS.make_audio_decoder(parameters, &options))?.map_err(|error| {
            match error {
                Failure::Unsupported(_) => unsupported(path),
                error => wrong(path, error),
            }
        })?;
    // When the earliest of the file's tracks begins, in seconds.
    let mut origin = f64::INFINITY;
    loop {
        cancel::check()?;
        let packet = match guarded(path, || reader.next_packet())? {
            Ok(Some(packet)) => packet,
            Ok(None) | Err(Failure::ResetRequired) => break,
            // The file ends within a packet: `finish` judges what came before.
            Err(Failure::IoError(error)) if error.kind() == ErrorKind::UnexpectedEof => break,
            Err(error) => return Err(wrong(path, error)),
        };
        if packet.track_id != id {
            let track = reader.tracks().iter().find(|t| t.id == packet.track_id);
            let begin = track.map_or(f64::INFINITY, |track| begin(&packet) * seconds_of(track));
            origin = origin.min(begin);
            continue;
        }
        match guarded(path, || decoder.decode(&packet))? {
            Ok(sound) => decoded.take(&sound, begin(&packet) * ticks, path, most)?,
            Err(Failure::DecodeError(_) | Failure::IoError(_)) => decoded.lost += 1,
            Err(error) => return Err(wrong(path, error)),
        }
    }
    if matroska {
        decoded.place(origin, ticks);
        let file = File::open(path).map_err(unreadable)?;
        decoded.padding = matroska::end_padding(file, id);
    }
    decoded.finish(path, stated, &edits.unwrap_or_default(), most)
}

/// The length of a track's tick in seconds; 0 where it is not known.
fn seconds_of(track: &Track) -> f64 {
    track.time_base.map_or(0.0, |base| {
        f64::from(base.numer.get()) / f64::from(base.denom.get())
    })
}

/// The time of a packet's first sample that is heard, in ticks.
fn begin(packet: &Packet) -> f64 {
    packet.pts.get() as f64 + packet.trim_start.get() as f64
}

fn unsupported(path: &Path) -> Error {
    let reason =
        "its codec is not supported: convert it, for instance with ffmpeg -i FILE speech.wav";
    wrong(path, reason)
}

fn wrong(path: &Path, reason: impl std::fmt::Display) -> Error {
    Error::Audio(format!("{}: {reason}", path.display()))
}

/// A call of symphonia's. Some damage makes it panic (arithmetic on numbers that a header states)
/// where it should return an error: the file is damaged, the caller did nothing wrong.
fn guarded<T>(path: &Path, call: impl FnOnce() -> T) -> Result<T> {
    // What it leaves half-changed is dropped with the error.
    catch_unwind(AssertUnwindSafe(call)).map_err(|_| wrong(path, "it is damaged"))
}

fn probe(path: &Path, file: File) -> Result<Box<dyn FormatReader>> {
    let source = wave64::source(file).map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })?;
    let stream = MediaSourceStream::new(source, MediaSourceStreamOptions::default());
    let mut hint = Hint::new();
    if let Some(extension) = path.extension().and_then(|extension| extension.to_str()) {
        hint.with_extension(extension);
    }
    let (format, meta) = (FormatOptions::default(), MetadataOptions::default());
    let known = symphonia::default::get_probe();
    guarded(path, || known.probe(&hint, stream, format, meta))?
        .map_err(|error| wrong(path, format!("it is not an audio file: {error}")))
}

/// What was decoded so far.
#[derive(Default)]
struct Decoded {
    samples: Vec<f32>,
    rate: Option<u32>,
    channels: Option<Channels>,
    weights: Vec<f32>,
    interleaved: Vec<f32>,
    /// Damaged packets since the last good one, which silence stands in for: time is kept.
    lost: usize,
    damaged: usize,
    good: usize,
    /// When the first sample is heard, by the file's times, in seconds.
    first: Option<f64>,
    /// Samples at the start that the decoder made and nobody recorded.
    delay: usize,
    /// Seconds at the end that are not to be heard.
    padding: f64,
    /// Seconds of silence before the first sample; negative where a beginning is not to be heard.
    wait: f64,
}

impl Decoded {
    /// `begin`: the time of its first sample in seconds. `most`: samples at 16 kHz in all.
    fn take(
        &mut self,
        sound: &GenericAudioBufferRef<'_>,
        begin: f64,
        path: &Path,
        most: Option<u64>,
    ) -> Result<()> {
        let spec = sound.spec();
        let rate = *self.rate.get_or_insert(spec.rate());
        if rate != spec.rate() {
            let to = spec.rate();
            return Err(wrong(
                path,
                format!("its rate changes from {rate} to {to} Hz"),
            ));
        }
        if self.channels.as_ref() != Some(spec.channels()) {
            self.weights = weights(spec.channels());
            self.channels = Some(spec.channels().clone());
        }
        if sound.frames() == 0 {
            return Ok(()); // an encoder's padding, trimmed
        }
        let silent =
            self.lost
                .saturating_mul(sound.frames())
                .max(self.gap(begin, sound.frames(), path)?);
        self.make_room(silent.saturating_add(sound.frames()), path, most)?;
        self.samples.resize(self.samples.len() + silent, 0.0);
        self.damaged += std::mem::take(&mut self.lost);
        self.good += 1;
        sound.copy_to_vec_interleaved(&mut self.interleaved);
        let frames = self.interleaved.chunks_exact(self.weights.len());
        self.samples
            .extend(frames.map(|frame| mix(frame, &self.weights)));
        Ok(())
    }

    /// Samples missing between the last good packet and one of `frames` that begins at `begin`.
    fn gap(&mut self, begin: f64, frames: usize, path: &Path) -> Result<usize> {
        let rate = f64::from(self.rate.unwrap_or(1));
        let lost = (self.lost * frames) as f64 / rate;
        let first = *self.first.get_or_insert(begin - lost);
        let gap = begin - first - self.samples.len() as f64 / rate;
        if gap > LONGEST_GAP {
            return Err(wrong(path, format!("it is damaged: a gap of {gap:.0} s")));
        }
        Ok(if gap > SMALLEST_GAP {
            (gap * rate).round() as usize
        } else {
            0
        })
    }

    /// Puts a Matroska track where its times say. `origin`: when the other tracks begin, in seconds. `tick`: the
    /// unit of its times, to which symphonia rounds the start.
    fn place(&mut self, origin: f64, tick: f64) {
        let delay = self.delay as f64 / f64::from(self.rate.unwrap_or(1));
        let heard = self.first.map_or(0.0, |first| {
            ((first + delay) / tick.max(1e-9) + 1e-6).floor() * tick
        });
        // What lies before the file's beginning is the encoder's padding.
        let origin = if origin.is_finite() { origin } else { heard };
        let wait = heard - origin.max(0.0);
        if wait.abs() <= LONGEST_GAP {
            self.wait = wait;
        }
    }

    /// Reserves room for `count` more samples, within the limit.
    fn make_room(&mut self, more: usize, path: &Path, most: Option<u64>) -> Result<()> {
        let whole = self.samples.len().saturating_add(more) as u128;
        let rate = self.rate.unwrap_or(1).max(1);
        let heard = whole * u128::from(super::RATE) / u128::from(rate);
        if most.is_some_and(|most| heard > most.into()) {
            return Err(Error::Memory(format!(
                "{}: it holds more audio than the limit allows",
                path.display()
            )));
        }
        memory::reserve(&mut self.samples, more, "audio")
    }

    fn finish(
        mut self,
        path: &Path,
        stated: Option<u64>,
        edits: &Edits,
        most: Option<u64>,
    ) -> Result<Waveform> {
        let damaged = self.damaged + self.lost;
        if damaged > self.good {
            return Err(wrong(path, format!("{damaged} of its packets are damaged")));
        }
        let Some(rate) = self.rate.filter(|_| !self.samples.is_empty()) else {
            return match stated {
                None | Some(0) => Err(Error::NoAudio(format!("{} is empty", path.display()))),
                Some(_) => Err(wrong(path, "it is truncated: it ends after its header")),
            };
        };
        let found = self.samples.len() as u64;
        if let Some(stated) = stated.filter(|&stated| found + SLACK < stated) {
            let seconds = |frames: u64| frames as f64 / f64::from(rate);
            return Err(wrong(
                path,
                format!(
                    "it is truncated: it has {:.2} s of {:.2} s",
                    seconds(found),
                    seconds(stated)
                ),
            ));
        }
        if damaged > 0 {
            log::warn!(
                "{}: {damaged} damaged packets read as silence",
                path.display()
            );
        }
        let count = self.samples.len();
        let pieces = edits.pieces(rate, count).unwrap_or_else(|| {
            let samples = |seconds: f64| (seconds * f64::from(rate)).round() as usize;
            let end = count.saturating_sub(samples(self.padding));
            let start = self.delay + samples(-self.wait);
            vec![
                Piece::Silence(samples(self.wait)),
                Piece::Samples(start.min(end)..end),
            ]
        });
        self.assemble(&pieces, path, most)?;
        if self.samples.is_empty() {
            return Err(Error::NoAudio(format!(
                "{}: nothing of it is to be heard",
                path.display()
            )));
        }
        Ok(Waveform {
            samples: self.samples,
            rate,
        })
    }

    /// Replaces the samples by the pieces of them that are heard.
    fn assemble(&mut self, pieces: &[Piece], path: &Path, most: Option<u64>) -> Result<()> {
        if pieces == [Piece::Samples(0..self.samples.len())] {
            return Ok(());
        }
        let whole = std::mem::take(&mut self.samples);
        let longest = whole.len() as f64 + LONGEST_GAP * f64::from(self.rate.unwrap_or(1));
        for piece in pieces {
            if self.samples.len() as f64 + piece.len() as f64 > longest {
                return Err(wrong(path, "it is damaged: its edit list is too long"));
            }
            self.make_room(piece.len(), path, most)?;
            match piece {
                Piece::Silence(count) => self.samples.resize(self.samples.len() + count, 0.0),
                Piece::Samples(range) => self.samples.extend(&whole[range.clone()]),
            }
        }
        Ok(())
    }
}

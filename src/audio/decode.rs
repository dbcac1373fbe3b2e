//! Decodes audio files to mono samples, with symphonia.

use std::fs::File;
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use symphonia::core::audio::{Channels, GenericAudioBufferRef, Position};
use symphonia::core::codecs::audio::AudioDecoderOptions;
use symphonia::core::errors::Error as Failure;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, TrackType};
use symphonia::core::io::{MediaSourceStream, MediaSourceStreamOptions};
use symphonia::core::meta::MetadataOptions;

use super::edits::Edits;
use super::resample::{mix, normalised};
use crate::{Error, Result, cancel, memory};

/// A file may be this much shorter than its header says (codecs count their padding differently).
const SLACK: u64 = 8192;

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

/// Decodes the first audio track of a wav, aiff, mp3, m4a/mp4 (aac, alac), flac or ogg vorbis file
/// and mixes it to mono, whatever its channels; the encoder's padding at the start is
/// dropped, so that audio and video stay in sync.
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
    let mut reader = probe(path, File::open(path).map_err(unreadable)?)?;
    let track = reader
        .default_track(TrackType::Audio)
        .ok_or_else(|| Error::NoAudio(format!("{} has no audio track", path.display())))?;
    let id = track.id;
    let stated = track.num_frames;
    let parameters = track
        .codec_params
        .as_ref()
        .and_then(|codec| codec.audio())
        .ok_or_else(|| wrong(path, "its codec is not supported"))?;
    let options = AudioDecoderOptions::default();
    let codecs = symphonia::default::get_codecs();
    let mut decoder = guarded(path, || codecs.make_audio_decoder(parameters, &options))?
        .map_err(|error| wrong(path, error))?;
    let mut decoded = Decoded::default();
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
            continue;
        }
        match guarded(path, || decoder.decode(&packet))? {
            Ok(sound) => decoded.take(&sound, path, most)?,
            Err(Failure::DecodeError(_) | Failure::IoError(_)) => decoded.lost += 1,
            Err(error) => return Err(wrong(path, error)),
        }
    }
    decoded.finish(path, stated, &edits, most)
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
    let stream = MediaSourceStream::new(Box::new(file), MediaSourceStreamOptions::default());
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
}

impl Decoded {
    /// `most`: samples at 16 kHz in all.
    fn take(
        &mut self,
        sound: &GenericAudioBufferRef<'_>,
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
        let silent = self.lost.saturating_mul(sound.frames());
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
        self.samples.drain(..edits.skip(rate).min(found as usize));
        if self.samples.is_empty() {
            return Err(Error::NoAudio(format!(
                "{}: its edit list removes all of it",
                path.display()
            )));
        }
        let silence = edits.silence(rate);
        self.make_room(silence, path, most)?;
        self.samples.splice(..0, std::iter::repeat_n(0.0, silence));
        Ok(Waveform {
            samples: self.samples,
            rate,
        })
    }
}

/// How loud each channel is in the mono mix: the voice's centre most, low effects not at all.
fn weights(channels: &Channels) -> Vec<f32> {
    let Channels::Positioned(positions) = channels else {
        // Discrete channels are equals; of ambisonics, the first is the sound from everywhere.
        let mut weights = vec![1.0; channels.count()];
        if matches!(channels, Channels::Ambisonic(_)) {
            weights[1..].fill(0.0);
        }
        return normalised(weights);
    };
    let front = Position::FRONT_LEFT | Position::FRONT_RIGHT;
    let low = Position::LFE1 | Position::LFE2;
    let weights: Vec<f32> = positions
        .iter()
        .map(|position| match position {
            Position::FRONT_CENTER => std::f32::consts::SQRT_2,
            position if front.contains(position) => 1.0,
            position if low.contains(position) => 0.0,
            _ => std::f32::consts::FRAC_1_SQRT_2,
        })
        .collect();
    normalised(if weights.iter().sum::<f32>() > 0.0 {
        weights
    } else {
        vec![1.0; weights.len()]
    })
}

//! An Opus decoder for symphonia, which has none of its own.

use ropus::OpusMSDecoder;
use symphonia::core::audio::{AsGenericAudioBufferRef, AudioBuffer, AudioMut, AudioSpec};
use symphonia::core::audio::{Channels, GenericAudioBufferRef, Position};
use symphonia::core::codecs::CodecInfo;
use symphonia::core::codecs::audio::well_known::CODEC_ID_OPUS;
use symphonia::core::codecs::audio::{
    AudioCodecParameters, AudioDecoder, AudioDecoderOptions, FinalizeResult,
};
use symphonia::core::codecs::registry::{RegisterableAudioDecoder, SupportedAudioCodec};
use symphonia::core::errors::{Result, decode_error, unsupported_error};
use symphonia::core::packet::PacketRef;

/// Opus has this rate inside, whatever was recorded.
const RATE: u32 = 48_000;
/// Samples of the longest packet, 120 ms.
const LONGEST: usize = 5760;
const SUPPORTED: SupportedAudioCodec = SupportedAudioCodec {
    id: CODEC_ID_OPUS,
    info: CodecInfo {
        short_name: "opus",
        long_name: "Opus",
        profiles: &[],
    },
};

/// Samples that the decoder returns before the first of the recording, as the file states; 0 for other codecs.
pub(super) fn pre_skip(parameters: &AudioCodecParameters) -> usize {
    match Head::of(parameters) {
        Ok(head) if parameters.codec == CODEC_ID_OPUS => head.pre_skip.into(),
        _ => 0,
    }
}

/// What a decoder must know of a stream (RFC 7845, section 5.1).
struct Head {
    pre_skip: u16,
    gain: f32,
    streams: u8,
    coupled: u8,
    /// For each channel, in the order of symphonia's buffers, the decoded one.
    mapping: Vec<u8>,
}

impl Head {
    fn of(parameters: &AudioCodecParameters) -> Result<Self> {
        let bytes = parameters.extra_data.as_deref().unwrap_or_default();
        if bytes.is_empty() {
            // Matroska files may lack it.
            let count = parameters.channels.as_ref().map_or(1, Channels::count);
            return Self::simple(count, 0, 0);
        }
        let Some(fields) = bytes.get(8..19).filter(|_| bytes.starts_with(b"OpusHead")) else {
            return decode_error("opus: the header is damaged");
        };
        // MP4 has version 0 and big-endian numbers.
        let number: fn([u8; 2]) -> u16 = match fields[0] {
            0 => u16::from_be_bytes,
            _ => u16::from_le_bytes,
        };
        let count = usize::from(fields[1]);
        let pre_skip = number([fields[2], fields[3]]);
        let gain = number([fields[8], fields[9]]) as i16;
        match (fields[10], bytes.get(19..21), bytes.get(21..21 + count)) {
            (0, ..) => Self::simple(count, pre_skip, gain),
            (1, Some(&[streams, coupled]), Some(mapping)) => {
                let Some(order) = order(count) else {
                    return decode_error("opus: invalid number of channels");
                };
                Ok(Self {
                    pre_skip,
                    gain: linear(gain),
                    streams,
                    coupled,
                    mapping: order.iter().map(|&channel| mapping[channel]).collect(),
                })
            }
            (1, ..) => decode_error("opus: the header is truncated"),
            _ => unsupported_error("opus: unsupported channel mapping"),
        }
    }

    /// One stream of one or two channels.
    fn simple(count: usize, pre_skip: u16, gain: i16) -> Result<Self> {
        if !matches!(count, 1 | 2) {
            return decode_error("opus: invalid number of channels");
        }
        Ok(Self {
            pre_skip,
            gain: linear(gain),
            streams: 1,
            coupled: count as u8 - 1,
            mapping: (0..count as u8).collect(),
        })
    }

    fn channels(&self) -> Channels {
        let front = Position::FRONT_LEFT | Position::FRONT_RIGHT;
        let low = Position::FRONT_CENTER | Position::LFE1;
        let rear = Position::REAR_LEFT | Position::REAR_RIGHT;
        let side = Position::SIDE_LEFT | Position::SIDE_RIGHT;
        Channels::Positioned(match self.mapping.len() {
            1 => Position::FRONT_LEFT,
            2 => front,
            3 => front | Position::FRONT_CENTER,
            4 => front | rear,
            5 => front | Position::FRONT_CENTER | rear,
            6 => front | low | rear,
            7 => front | low | Position::REAR_CENTER | side,
            _ => front | low | rear | side,
        })
    }
}

/// Of `count` channels in Vorbis' order, the indices in the order of [`Position`]'s bits.
fn order(count: usize) -> Option<&'static [usize]> {
    Some(match count {
        1 => &[0],
        2 => &[0, 1],
        3 => &[0, 2, 1],
        4 => &[0, 1, 2, 3],
        5 => &[0, 2, 1, 3, 4],
        6 => &[0, 2, 1, 5, 3, 4],
        7 => &[0, 2, 1, 6, 5, 3, 4],
        8 => &[0, 2, 1, 7, 5, 6, 3, 4],
        _ => return None,
    })
}

/// The factor of a gain in 1/256 dB.
fn linear(gain: i16) -> f32 {
    10f32.powf(f32::from(gain) / (20.0 * 256.0))
}

pub(super) struct OpusDecoder {
    decoder: OpusMSDecoder,
    parameters: AudioCodecParameters,
    head: Head,
    /// Interleaved, as decoded.
    decoded: Vec<i16>,
    samples: AudioBuffer<f32>,
}

impl OpusDecoder {
    fn new(parameters: &AudioCodecParameters) -> Result<Self> {
        let head = Head::of(parameters)?;
        Ok(Self {
            decoder: decoder(&head)?,
            parameters: parameters.clone(),
            decoded: vec![0; LONGEST * head.mapping.len()],
            samples: AudioBuffer::new(AudioSpec::new(RATE, head.channels()), LONGEST),
            head,
        })
    }

    fn decode_packet(&mut self, packet: &PacketRef<'_>) -> Result<()> {
        let length = i32::try_from(packet.data.len()).unwrap_or(i32::MAX);
        let (data, longest) = (Some(packet.data), LONGEST as i32);
        let decoded = self
            .decoder
            .decode(data, length, &mut self.decoded, longest, false);
        let Ok(count) = decoded else {
            return decode_error("opus: damaged packet");
        };
        self.samples.render_uninit(Some(count as usize));
        let (channels, gain) = (self.head.mapping.len(), self.head.gain / 32_768.0);
        for (channel, plane) in self.samples.iter_planes_mut().enumerate() {
            let interleaved = self.decoded[channel..].iter().step_by(channels);
            for (sample, &decoded) in plane.iter_mut().zip(interleaved) {
                *sample = f32::from(decoded) * gain;
            }
        }
        let (start, end) = (packet.trim_start.get(), packet.trim_end.get());
        self.samples.trim(start as usize, end as usize);
        Ok(())
    }
}

fn decoder(head: &Head) -> Result<OpusMSDecoder> {
    let (streams, coupled) = (head.streams.into(), head.coupled.into());
    let channels = head.mapping.len() as i32;
    OpusMSDecoder::new(RATE as i32, channels, streams, coupled, &head.mapping)
        .or_else(|_| decode_error("opus: invalid channel mapping"))
}

impl AudioDecoder for OpusDecoder {
    fn reset(&mut self) {
        // The header was valid before.
        if let Ok(decoder) = decoder(&self.head) {
            self.decoder = decoder;
        }
    }

    fn codec_info(&self) -> &CodecInfo {
        &SUPPORTED.info
    }

    fn codec_params(&self) -> &AudioCodecParameters {
        &self.parameters
    }

    fn decode_ref(&mut self, packet: &PacketRef<'_>) -> Result<GenericAudioBufferRef<'_>> {
        self.samples.clear();
        self.decode_packet(packet)?;
        Ok(self.samples.as_generic_audio_buffer_ref())
    }

    fn finalize(&mut self) -> FinalizeResult {
        FinalizeResult::default()
    }

    fn last_decoded(&self) -> GenericAudioBufferRef<'_> {
        self.samples.as_generic_audio_buffer_ref()
    }
}

impl RegisterableAudioDecoder for OpusDecoder {
    fn try_registry_new(
        parameters: &AudioCodecParameters,
        _: &AudioDecoderOptions,
    ) -> Result<Box<dyn AudioDecoder>> {
        Ok(Box::new(Self::new(parameters)?))
    }

    fn supported_codecs() -> &'static [SupportedAudioCodec] {
        &[SUPPORTED]
    }
}

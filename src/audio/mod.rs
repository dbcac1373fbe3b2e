//! Audio: decoding, resampling, the mel spectrogram, and the clip's clock.
//!
//! All times are *sample positions at 16 kHz*, as `i64`. The frame interval that the networks are
//! trained at, 40 ms, is exactly 640 samples. [`Rate::position`] converts any frame rate to
//! positions.

mod channels;
mod decode;
mod edits;
mod matroska;
mod mel;
mod opus;
mod resample;
mod samples;
mod timeline;
mod wave64;

pub use decode::{Waveform, decode_below, decode_file};
pub use mel::{MelParameters, MelSpectrogram};
pub use resample::{Resampler16k, to_16k};
pub use samples::Samples;
pub use timeline::{Rate, Timeline, position_of};

/// The sample rate that all positions count in, in Hz.
pub const RATE: u32 = 16_000;
/// 40 ms in samples: one step of the networks' training grid (25 codes a second).
pub const STEP: i64 = 640;

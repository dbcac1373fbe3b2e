//! Movies through ffmpeg: what came in, and how it is written again.

pub mod codec;
pub mod encoder;
pub mod fields;
pub mod hdr;
pub mod others;
pub mod probe;
pub mod raw;
pub mod timecode;
pub mod timing;

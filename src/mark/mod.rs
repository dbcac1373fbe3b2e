//! The invisible watermark: a 64-bit payload in the generated region, and its detector.
//!
//! The mark is made in the crop, before the generated picture is blended into the frame, so that it lies
//! inside the matte alone. It changes the luminance of the lower half of the face in waves of 7 to 21 pixels
//! of the crop, in every frame in the same places of the face, so that whatever part of a clip is left
//! carries all of it. It is a function of the frame's own picture and the identifier.

mod code;
mod lapped;
mod marker;
mod reader;

pub(crate) use code::Code;
pub use code::MarkId;
pub use marker::{MarkBuffers, Marker};
pub(crate) use reader::{Reader, Sum};

/// Luminance of gamma-encoded sRGB.
const LUMINANCE: [f32; 3] = [0.2126, 0.7152, 0.0722];
/// 8-bit levels in a unit of the crop's values.
const LEVELS: f32 = 127.5;

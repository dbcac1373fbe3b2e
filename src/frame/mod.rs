//! Frames in the host's memory: formats, colour, warps and compositing.
//!
//! Coordinates are continuous, x to the right and y down; pixel (i, j) covers `[i, i+1) x [j, j+1)`
//! and its centre is (i + 0.5, j + 0.5). Row 0 is the top row: a bottom-up picture has a negative
//! stride. The networks see planar RGB in [-1, 1], sRGB-encoded (`[3, size, size]`).

mod area;
mod bilinear;
pub(crate) mod blur;
pub mod colour;
pub mod composite;
mod cubic;
pub mod detail;
mod fingerprint;
pub mod format;
mod label;
mod owned;
pub mod pixel;
mod primaries;
mod similarity;
mod table;
mod tone;
pub mod warp;

#[cfg(test)]
mod properties;

pub use composite::{ColourMatch, Compositor, Gains, Layers};
pub use detail::{DetailLayer, FineBand};
pub use fingerprint::fingerprint;
pub(crate) use format::check_alike;
pub use format::{FrameMut, FrameRef, PIXEL_ASPECTS, PixelFormat, Transfer, copy_pixels};
pub use label::{Corner, Label};
pub(crate) use owned::OwnedFrame;
pub use similarity::Similarity;
pub use tone::ToneMap;
pub use warp::{BorderMode, Sampler};

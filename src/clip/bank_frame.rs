//! A frame that shows the person's mouth: what references are made of.

use std::sync::{Arc, OnceLock};

use super::mouth_pose::MouthPose;
use crate::Result;
use crate::engine::Engine;
use crate::face::ReferencePicture;
use crate::face::crop::IMAGE;
use crate::frame::FineBand;

/// Bytes of the picture of a frame.
pub(super) const PICTURE_BYTES: usize = 4 * IMAGE * IMAGE;

/// An aligned crop, to be warped to other mouths.
#[derive(Debug)]
pub(crate) struct ReferenceImage {
    pub picture: ReferencePicture,
    /// `mouth_points` of the mouth that it shows, in [-1, 1] of the crop.
    pub points: Vec<f32>,
    /// What the crop does not hold of the frame, where there is more and there is room for it.
    pub band: Option<FineBand>,
}

/// Pictures that are held, and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Held {
    pub pictures: usize,
    pub bytes: usize,
}

impl Held {
    /// Of frames, each of which is counted once.
    pub fn of<'a>(frames: impl Iterator<Item = &'a Arc<BankFrame>>) -> Self {
        let mut frames: Vec<&Arc<BankFrame>> = frames.collect();
        frames.sort_unstable_by_key(|frame| frame.index);
        frames.dedup_by_key(|frame| frame.index);
        let bytes = |frame: &&Arc<BankFrame>| {
            PICTURE_BYTES + frame.image.band.as_ref().map_or(0, FineBand::bytes)
        };
        Self {
            pictures: frames.len(),
            bytes: frames.iter().map(bytes).sum(),
        }
    }
}

impl std::ops::Add for Held {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            pictures: self.pictures + other.pictures,
            bytes: self.bytes + other.bytes,
        }
    }
}

impl ReferenceImage {
    /// Runs `E_ref` on it: `w_ref`, `[14 * D]`.
    ///
    /// # Errors
    /// [`Error::Network`](crate::Error::Network).
    pub fn encode(&self, engine: &Engine) -> Result<Vec<f32>> {
        let mut crop = Vec::new();
        self.picture.planar(&mut crop);
        engine.networks().reference.run(&crop)
    }
}

/// A frame of the clip, or one that the caller gave.
#[derive(Debug)]
pub(crate) struct BankFrame {
    /// Its index, or for a frame that the caller gave its number among those.
    pub index: i64,
    /// Its time on the clip's clock, in samples at 16 kHz; `None` where it has none.
    pub position: Option<i64>,
    /// Confidence times sharpness; higher is better.
    pub quality: f64,
    pub mouth: MouthPose,
    pub image: Arc<ReferenceImage>,
    code: OnceLock<Vec<f32>>,
}

impl BankFrame {
    /// A frame that is not encoded yet.
    pub fn new(
        (index, position): (i64, Option<i64>),
        quality: f64,
        mouth: MouthPose,
        image: ReferenceImage,
    ) -> Self {
        Self {
            index,
            position,
            quality,
            mouth,
            image: Arc::new(image),
            code: OnceLock::new(),
        }
    }

    /// Its `w_ref`, `[14 * D]`, computed at the first call. No lock is held while it is computed.
    ///
    /// # Errors
    /// [`Error::Network`](crate::Error::Network).
    pub fn code(&self, engine: &Engine) -> Result<&[f32]> {
        if let Some(code) = self.code.get() {
            return Ok(code);
        }
        let code = self.image.encode(engine)?;
        Ok(self.code.get_or_init(|| code))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::mouth_pose::tests::mouth;
    use super::*;

    /// A frame 640 samples after the one before it.
    pub fn frame(index: i64, quality: f64, open: f32, yaw: f64) -> Arc<BankFrame> {
        let image = ReferenceImage {
            picture: ReferencePicture::new(&[0.0; 3], 1),
            points: vec![],
            band: None,
        };
        let time = (index, Some(640 * index));
        Arc::new(BankFrame::new(time, quality, mouth(open, yaw), image))
    }
}

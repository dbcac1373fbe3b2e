//! What a frame shows of a face: its crop, the inpainting mask, and what lies in front of it.

use super::super::options::ClipOptions;
use crate::Result;
use crate::engine::Engine;
use crate::face::crop::IMAGE;
use crate::face::{Face, Mask, Occlusion};
use crate::frame::{BorderMode, FrameRef, Sampler, Similarity, ToneMap};

/// The crop of a face, and the buffers that it is made with.
#[derive(Default)]
pub(super) struct Seen {
    pub sampler: Sampler,
    /// Planar RGB `[3, image, image]` in [-1, 1].
    pub crop: Vec<f32>,
    /// What the crop was sampled with.
    pub tone: ToneMap,
    /// Rows of the same crop with more pixels, of large faces.
    pub fine: Vec<f32>,
    /// The crop with the inpainting mask applied.
    pub masked: Vec<f32>,
    pub mask: Mask,
    pub occlusion: Occlusion,
}

impl Seen {
    /// For an engine's threads.
    pub fn new(engine: &Engine) -> Self {
        Self {
            sampler: Sampler::on(engine.parallel()),
            ..Self::default()
        }
    }

    /// Samples the crop of a face, draws its mask without what lies in front of it, and cuts the crop.
    ///
    /// # Errors
    /// [`Error::Network`](crate::Error::Network) when the segmenter fails,
    /// [`Error::Frame`](crate::Error::Frame).
    pub fn see(
        &mut self,
        (engine, options): (&Engine, &ClipOptions),
        face: &Face,
        identity: &[f32],
        frame: &FrameRef<'_>,
    ) -> Result<()> {
        self.draw_mask((engine, options), face, identity, frame)?;
        if self.find_occlusion((engine, options))? {
            self.mask.uncover(self.occlusion.hidden());
        }
        self.masked.clone_from(&self.crop);
        self.mask.cut(&mut self.masked);
        Ok(())
    }

    /// Samples the crop of a face and draws its mask; returns the map from crop to frame.
    ///
    /// # Errors
    /// [`Error::Frame`](crate::Error::Frame).
    pub fn draw_mask(
        &mut self,
        (engine, options): (&Engine, &ClipOptions),
        face: &Face,
        identity: &[f32],
        frame: &FrameRef<'_>,
    ) -> Result<Similarity> {
        let map = engine.crop().place(&face.pose);
        self.crop.resize(3 * IMAGE * IMAGE, 0.0);
        self.tone = ToneMap::of(frame, &map, IMAGE);
        let (colour, crop) = ((options.transfer, &self.tone), &mut self.crop);
        self.sampler
            .sample_with(frame, colour, &map, IMAGE, BorderMode::Edge, crop)?;
        self.mask.trim(options.mask);
        let model = engine.face_model();
        self.mask.draw(model, face, identity, &map, engine.mask());
        Ok(map)
    }

    /// Finds what lies in front of the face of the sampled crop; returns whether that was asked for.
    ///
    /// # Errors
    /// [`Error::Network`](crate::Error::Network).
    pub fn find_occlusion(&mut self, (engine, options): (&Engine, &ClipOptions)) -> Result<bool> {
        let segmenter = engine.networks().occlusion.as_ref();
        let Some(segmenter) = segmenter.filter(|_| !options.ignore_occlusion) else {
            return Ok(false);
        };
        let logits = segmenter.run(&self.crop)?;
        self.occlusion.set(&logits, self.mask.hole());
        Ok(true)
    }
}

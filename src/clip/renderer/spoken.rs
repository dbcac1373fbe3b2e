//! What the audio and the person's other frames give for a frame: the wanted mouth.

use super::super::bank::{Gap, Shares};
use super::super::mouth_pose::MouthPose;
use super::super::options::ClipOptions;
use super::super::speech::Speech;
use super::inputs::Change;
use crate::Result;
use crate::engine::Engine;
use crate::face::ReferenceWarp;
use crate::face::crop::IMAGE;
use crate::face::lips::mouth_points;
use crate::face::reference_warp::MOST_LAYERS;
use crate::frame::{FineBand, Similarity};
use crate::latent::{
    CODE_WINDOW, MouthShape, ShapeBuffers, mouth_shape, move_shapes, smooth_code, window_positions,
};
use crate::model::SpeechContext;

/// The wanted mouth, and the buffers that it is made with.
#[derive(Default)]
pub(super) struct Spoken {
    pub speech: ShapeBuffers,
    /// The shapes whose codes MaLS takes, `[CODE_WINDOW, S]`.
    moved: Vec<f32>,
    /// The mouth, for the choice in the bank.
    wanted: MouthPose,
    /// `w_ref`, `[14 * D]`.
    reference: Vec<f32>,
    /// The mouth's points `[C, 2]` in [-1, 1], the lips' first.
    pub points: Vec<f32>,
    pub warp: ReferenceWarp,
    /// The bank's pictures warped to that mouth and mixed.
    pub carried: Vec<f32>,
    /// How well the fine band of each of these pictures suits the frame, 0 to 1; empty: none is shown.
    pub suits: Vec<f32>,
    /// The places of the crop's pixels in these pictures, of [`ReferenceWarp::places`].
    pub places: [Vec<[f32; 4]>; MOST_LAYERS],
}

impl Spoken {
    /// Whether a fine band is shown.
    pub fn is_detailed(&self) -> bool {
        !self.suits.is_empty()
    }

    /// The mouth that the audio asks for, in the crop that `map` places: its points, the bank's pictures with that
    /// mouth, and what is returned: the shares of these pictures, and the latent code `[14 * D]`.
    ///
    /// # Errors
    /// [`Error::Network`](crate::Error::Network) when a network fails.
    pub fn speak(
        &mut self,
        (engine, options): (&Engine, &ClipOptions),
        change: &Change<'_>,
        map: &Similarity,
    ) -> Result<(Shares, Vec<f32>)> {
        let Change {
            inputs,
            face,
            profile,
            movement,
            detail,
        } = change;
        let model = engine.face_model();
        let (context, position) = (options.context, inputs.position);
        let shapes = shapes(engine, context, inputs.speech, position, &mut self.speech)?;
        move_shapes(&shapes, *movement, &mut self.moved);
        let shape = mouth_shape(&self.moved);
        let identity = profile.anchor().identity.as_slice();
        self.wanted.set(model, (identity, &shape), &face.pose, map);
        let gap = Gap {
            position,
            least: options.reference_gap,
        };
        let shares = profile.shares(&self.wanted, gap);
        profile.code(engine, &shares, &mut self.reference)?;
        let code = smooth_code(engine.networks(), &self.reference, &self.moved)?;
        let (points, warp) = (&mut self.points, &mut self.warp);
        mouth_points(model, &face.pose, identity, &shape, map, points);
        profile.draw(engine, &shares, points, warp, &mut self.carried);
        let bands = profile.bands(&shares);
        let bands = &bands[..shares.list().len()];
        self.place_detail(engine, bands, *detail, map);
        Ok((shares, code))
    }

    /// Places the fine bands of the pictures that were drawn.
    fn place_detail(
        &mut self,
        engine: &Engine,
        bands: &[Option<&FineBand>],
        detail: f32,
        map: &Similarity,
    ) {
        let suits = |band: &FineBand| band.suits(map.scale(), IMAGE);
        self.suits.clear();
        self.suits
            .extend(bands.iter().map(|band| band.map_or(0.0, suits)));
        match engine.reference_warp() {
            Some(protocol) if detail > 0.0 && self.suits.iter().any(|suits| *suits > 0.0) => {
                let (count, places) = (self.suits.len(), &mut self.places);
                self.warp.places(protocol.grid, IMAGE, count, places);
            }
            _ => self.suits.clear(),
        }
    }
}

/// The shapes whose codes MaLS takes for a frame at this position of the clip's clock.
///
/// # Errors
/// [`Error::Network`](crate::Error::Network) when the audio encoder fails.
pub(super) fn shapes(
    engine: &Engine,
    context: SpeechContext,
    speech: &Speech,
    position: i64,
    buffers: &mut ShapeBuffers,
) -> Result<[MouthShape; CODE_WINDOW]> {
    let rest = engine.shapes().rest();
    let mut shapes = std::array::from_fn(|_| rest.clone());
    for (shape, position) in shapes.iter_mut().zip(window_positions(position)) {
        *shape = speech.shape(engine, context, position, buffers)?;
    }
    Ok(shapes)
}

//! The new face of a frame: made from the frame, the audio and the person, and then blended into the frame.

use std::sync::Arc;

use super::super::bank::Shares;
use super::super::faces::Speaker;
use super::super::options::{FrameOptions, Levels, Rendered};
use super::super::shot_profile::ShotProfile;
use super::inputs::{Change, FrameInputs};
use super::{Buffers, Renderer, is_shown};
use crate::face::crop::IMAGE;
use crate::face::lips::inner_lips;
use crate::face::reference_warp::MOST_LAYERS;
use crate::frame::composite::Patch;
use crate::frame::{DetailLayer, FrameMut, FrameRef, Gains, Similarity};
use crate::latent::Movement;
use crate::pool::Pooled;
use crate::track::quality::fade;
use crate::{Error, Result};

/// What is to be done to a frame.
pub(in crate::clip) struct Painting<'r> {
    rendered: Rendered,
    /// `None`: the frame stays as it is.
    face: Option<NewFace<'r>>,
}

/// A new face, in the crop that `map` places.
struct NewFace<'r> {
    buffers: Pooled<'r, Buffers>,
    map: Similarity,
    /// Planar RGB `[3, image, image]` in [-1, 1].
    generated: Vec<f32>,
    gains: Gains,
    profile: Arc<ShotProfile>,
    shares: Shares,
}

impl Renderer {
    /// Finds out what is to be done to the frame `source`.
    ///
    /// # Errors
    /// As [`render`](Self::render).
    pub(super) fn prepare(
        &self,
        inputs: &FrameInputs<'_>,
        source: &FrameRef<'_>,
        levels: Levels,
        profile: impl FnOnce() -> Result<Option<Arc<ShotProfile>>>,
    ) -> Result<Painting<'_>> {
        let none = |rendered| Painting {
            rendered,
            face: None,
        };
        let untouched = Rendered::untouched(inputs.index);
        let Some(Speaker { own, smoothed, id }) = self.selected(inputs.faces) else {
            return Ok(none(untouched));
        };
        let rendered = Rendered {
            face: Some(id),
            confidence: smoothed.confidence,
            ..untouched
        };
        // The frame's own confidence decides whether the frame is changed at all, so that every
        // changed frame is also a candidate: its reference is settled when it is needed.
        let fade = if is_shown(own) {
            fade(f64::from(smoothed.confidence)) as f32
        } else {
            0.0
        };
        let strength = self.options.strength * levels.strength * fade;
        if strength <= 0.0 {
            return Ok(none(rendered));
        }
        let profile = match profile()? {
            Some(profile) => profile,
            None => {
                let own = self.candidate(own, source, (inputs.index, None))?;
                Arc::new(ShotProfile::of(&self.engine, &own)?)
            }
        };
        profile.check(&self.engine)?;
        let strength = strength * profile.clearness(inputs.index);
        if strength <= 0.0 {
            return Ok(none(rendered));
        }
        let change = Change {
            inputs,
            face: &smoothed,
            profile: &profile,
            movement: Movement {
                articulation: levels.articulation,
                gain: self.gain(&profile, inputs.speech)?,
            },
            detail: levels.detail,
        };
        Ok(Painting {
            rendered: Rendered {
                strength,
                ..rendered
            },
            face: Some(self.generate(&change, source)?),
        })
    }

    /// Generates the new face of a frame.
    fn generate(&self, change: &Change<'_>, source: &FrameRef<'_>) -> Result<NewFace<'_>> {
        let engine = &self.engine;
        let (model, identity) = (engine.face_model(), &*change.profile.anchor().identity);
        let map = engine.crop().place(&change.face.pose);
        let mut buffers = self.buffers();
        let Buffers {
            seen,
            spoken,
            gate,
            interior,
            mark,
            ..
        } = &mut *buffers;
        let carries = engine.reference_warp().is_some();
        let (cut, spoke) = engine.parallel().both(
            || seen.see((engine, &self.options), change.face, identity, source),
            || {
                let spoke = spoken.speak((engine, &self.options), change, &map)?;
                if carries {
                    gate.close_mouth(inner_lips(&spoken.points), IMAGE);
                }
                Ok::<_, Error>(spoke)
            },
        );
        cut?;
        let (shares, code) = spoke?;
        let generator = match &self.person {
            Some(person) => person,
            None => &engine.networks().generator,
        };
        let lips = &spoken.points[..2 * model.lips().len()];
        let mut generated = generator.run(&seen.masked, lips, &code, &spoken.carried)?;
        let alpha = seen.mask.alpha();
        let gains = self
            .options
            .colour_match
            .gains(&seen.crop, &generated, alpha)?;
        if carries {
            let carried = &spoken.carried;
            let taken = (IMAGE, change.detail);
            interior.correct(&mut generated, carried, taken, gate.mouth());
            if change.detail > 0.0 {
                let bands = (&*spoken.suits, &mut spoken.places[..]);
                gate.replace(&mut generated, carried, (IMAGE, change.detail), bands);
            }
        }
        if let Some(marker) = &self.marker {
            marker.mark(&mut generated, &seen.crop, alpha, mark);
        }
        Ok(NewFace {
            buffers,
            map,
            generated,
            gains,
            profile: change.profile.clone(),
            shares,
        })
    }

    /// Does it: blends the new face into what `target` holds. Matte and layers are those of the frame's earlier
    /// faces.
    ///
    /// # Errors
    /// As [`render`](Self::render).
    pub(super) fn apply(
        &self,
        painting: Painting<'_>,
        source: &FrameRef<'_>,
        target: &mut FrameMut<'_>,
        options: &mut FrameOptions<'_>,
    ) -> Result<Rendered> {
        let Painting { rendered, face } = painting;
        let Some(mut face) = face else {
            return Ok(rendered);
        };
        let Buffers {
            seen,
            spoken,
            compositor,
            ..
        } = &mut *face.buffers;
        let bands = face.profile.bands(&face.shares);
        let detail: [DetailLayer<'_>; MOST_LAYERS] = std::array::from_fn(|k| DetailLayer {
            band: bands[k].filter(|_| spoken.is_detailed()),
            places: &spoken.places[k],
        });
        let alpha = seen.mask.alpha();
        let patch = Patch {
            size: IMAGE,
            generated: &face.generated,
            alpha,
            gains: &face.gains,
            tone: seen.tone,
            detail: &detail,
        };
        let (map, transfer, strength) = (&face.map, self.options.transfer, rendered.strength);
        let changed = compositor.blend(target, transfer, map, &patch, strength)?;
        if let Some(matte) = &mut options.matte {
            let out = &mut matte.alpha;
            compositor.matte(source, map, (IMAGE, alpha), strength, out)?;
        }
        if let Some(layers) = &mut options.layers {
            compositor.add_layers(source, transfer, map, &patch, strength, layers)?;
        }
        Ok(Rendered {
            changed: changed.is_some(),
            ..rendered
        })
    }
}

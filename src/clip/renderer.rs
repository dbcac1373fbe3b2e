//! The renderer: a pure function from a frame's inputs to its output pixels.

mod audio;
mod person;

use std::sync::Arc;

use super::bank::Gap;
use super::faces::{FrameFaces, Neighbours, Speaker};
use super::mouth_pose::MouthPose;
use super::reference::Reference;
use super::shot_profile::ShotProfile;
use super::speech::Speech;
use super::{ClipOptions, FrameOptions, Rendered};
use crate::engine::Engine;
use crate::face::crop::IMAGE;
use crate::face::lips::{inner_lips, mouth_points};
use crate::face::reference_warp::MOST_LAYERS;
use crate::face::{DetailGate, Face, Mask, Occlusion, ReferenceWarp};
use crate::frame::composite::Patch;
use crate::frame::{
    BorderMode, Compositor, DetailLayer, FrameMut, FrameRef, Sampler, Similarity, ToneMap,
    copy_pixels,
};
use crate::latent::{Movement, ShapeBuffers, mouth_shape, move_shapes, smooth_code};
use crate::mark::{MarkBuffers, MarkId, Marker};
use crate::model::Person;
use crate::model::networks::Generator;
use crate::pool::Pool;
use crate::track::Look;
use crate::track::quality::fade;
use crate::{Error, Result};

/// Renders frames of one clip. It holds what is the same for all of them (networks, options, the
/// person's generator) and nothing of any frame, so a frame depends on the arguments of its call
/// alone. All calls but [`set_person`](Self::set_person) and
/// [`set_watermark`](Self::set_watermark) may be made from any number of threads.
pub struct Renderer {
    engine: Arc<Engine>,
    options: ClipOptions,
    /// The generator of the person that the caller set.
    person: Option<Arc<Generator>>,
    /// Makes the watermark, where one is wanted.
    marker: Option<Marker>,
    buffers: Pool<Buffers>,
}

/// What a frame is rendered from, in addition to its pixels and the reference.
#[derive(Clone, Copy)]
pub struct FrameInputs<'a> {
    /// The frame's index; [`Rendered::index`] repeats it.
    pub index: i64,
    /// The frame's time on the clip's clock, in samples at 16 kHz.
    pub position: i64,
    /// The clip's audio.
    pub speech: &'a Speech,
    /// The faces of this frame and of those next to it.
    pub faces: &'a Neighbours,
}

/// A face's aligned crop and what of it is generated.
#[derive(Debug, Clone)]
pub(crate) struct FaceCrop {
    /// Planar RGB `[3, image, image]` in [-1, 1].
    pub crop: Vec<f32>,
    /// The inpainting mask `[image, image]`; true where the generator fills in.
    pub hole: Vec<bool>,
    /// Crop to frame.
    pub map: Similarity,
}

/// The buffers of one frame being rendered, reused by later ones.
#[derive(Default)]
struct Buffers {
    sampler: Sampler,
    compositor: Compositor,
    /// Planar RGB `[3, image, image]` in [-1, 1].
    crop: Vec<f32>,
    /// What the crop was sampled with.
    tone: ToneMap,
    /// Rows of the same crop with more pixels, of large faces.
    fine: Vec<f32>,
    /// The crop with the inpainting mask applied.
    masked: Vec<f32>,
    mask: Mask,
    occlusion: Occlusion,
    /// The wanted mouth's points `[C, 2]` in [-1, 1], the lips' first.
    points: Vec<f32>,
    /// The wanted mouth, for the choice in the bank.
    wanted: MouthPose,
    /// `w_ref`, `[14 * D]`.
    reference: Vec<f32>,
    warp: ReferenceWarp,
    /// The bank's pictures warped to that mouth and mixed.
    carried: Vec<f32>,
    gate: DetailGate,
    mark: MarkBuffers,
    speech: ShapeBuffers,
    /// The shapes whose codes MaLS takes, `[CODE_WINDOW, S]`.
    moved: Vec<f32>,
}

/// A frame with a face that is to be changed.
struct Change<'a> {
    inputs: &'a FrameInputs<'a>,
    /// The speaking face, smoothed over the neighbouring frames.
    face: &'a Face,
    profile: &'a ShotProfile,
    movement: Movement,
    /// Share of the new mouth, above 0 and at most 1.
    strength: f32,
}

impl Renderer {
    /// A renderer with the bundle's own generator.
    ///
    /// # Errors
    /// [`Error::Argument`] naming the option that is outside its range.
    pub fn new(engine: Arc<Engine>, options: ClipOptions) -> Result<Self> {
        options.check()?;
        Ok(Self {
            engine,
            options,
            person: None,
            marker: None,
            buffers: Pool::new(),
        })
    }

    /// The engine whose networks are run.
    pub fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// The options that every frame is rendered with.
    pub fn options(&self) -> &ClipOptions {
        &self.options
    }

    /// Renders with a generator adapted to a person (paper, section 4); `None`: with the bundle's
    /// own. Renderers of one engine with the same person share its session.
    ///
    /// # Errors
    /// [`Error::State`] when the person was made from another bundle; [`Error::Network`]. The person
    /// stays as it was.
    pub fn set_person(&mut self, person: Option<&Person>) -> Result<()> {
        self.person = match person {
            Some(person) if person.info().base != self.engine.bundle().identity() => {
                return Err(Error::State(format!(
                    "the person was made from other weights ({}) than the clip's engine has",
                    person.info().bundle
                )));
            }
            Some(person) => Some(self.engine.generator_of(person)?),
            None => None,
        };
        Ok(())
    }

    /// Puts an invisible watermark into every frame that is changed; `None`: none.
    pub fn set_watermark(&mut self, id: Option<MarkId>) {
        self.marker = id.map(Marker::new);
    }

    /// The identifier in the watermark.
    pub fn watermark(&self) -> Option<MarkId> {
        self.marker.as_ref().map(Marker::id)
    }

    /// Finds the faces of one frame: a function of its pixels, the engine and the transfer.
    ///
    /// # Errors
    /// [`Error::Network`] when a network fails.
    pub fn find_faces(&self, frame: &FrameRef<'_>) -> Result<FrameFaces> {
        self.engine
            .tracker()
            .track(self.engine.networks(), frame, self.options.transfer)
            .map(FrameFaces::alone)
    }

    /// The look of one frame, as of [`find_faces`](Self::find_faces), without finding the faces.
    ///
    /// # Errors
    /// [`Error::Argument`] for a frame of a shape that cannot be sampled.
    pub fn look(&self, frame: &FrameRef<'_>) -> Result<Look> {
        self.engine.tracker().look(frame, self.options.transfer)
    }

    /// The speaking face, smoothed: crop and mask are placed by it. `None` where
    /// [`render`](Self::render) would leave the frame unchanged: no such face, or a confidence too
    /// low.
    pub fn speaker(&self, faces: &Neighbours) -> Option<Face> {
        let Speaker { own, smoothed, .. } = self.selected(faces)?;
        (is_shown(own) && is_shown(&smoothed)).then_some(smoothed)
    }

    /// The face that the options select.
    pub(crate) fn selected<'a>(&self, faces: &'a Neighbours) -> Option<Speaker<'a>> {
        faces.speaker(self.options.selection, self.engine.crop())
    }

    /// Renders the frame `source` into `target` (same size and format). `profile` gives what
    /// is known of the person in the frame's shot, and is called only when the frame needs it; where it
    /// gives `None`, the frame is its own reference.
    ///
    /// # Errors
    /// [`Error::Argument`] for options out of range, [`Error::Frame`] when the frames do not
    /// fit each other, [`Error::Network`] when a network fails, [`Error::State`] for a profile of
    /// another bundle, and the errors of `profile`. The content of `target` is undefined then.
    pub fn render(
        &self,
        inputs: &FrameInputs<'_>,
        source: &FrameRef<'_>,
        target: &mut FrameMut<'_>,
        options: &mut FrameOptions<'_>,
        profile: impl FnOnce() -> Result<Option<Arc<ShotProfile>>>,
    ) -> Result<Rendered> {
        self.begin(source, target, options)?;
        let rendered = self.paint(inputs, source, target, options, profile)?;
        self.finish(target);
        Ok(rendered)
    }

    /// Begins a frame: its pixels are copied, matte and layers are empty.
    ///
    /// # Errors
    /// As [`render`](Self::render).
    pub(super) fn begin(
        &self,
        source: &FrameRef<'_>,
        target: &mut FrameMut<'_>,
        options: &mut FrameOptions<'_>,
    ) -> Result<()> {
        options.check()?;
        options.clear(source.width(), source.height())?;
        copy_pixels(source, target)
    }

    /// Ends a frame: the label is drawn.
    pub(super) fn finish(&self, target: &mut FrameMut<'_>) {
        if let Some(label) = &self.options.label {
            label.draw(target, self.options.transfer);
        }
    }

    /// Paints the face over what `target` holds: the frame, and the faces of other speakers.
    ///
    /// # Errors
    /// As [`render`](Self::render).
    pub(super) fn paint(
        &self,
        inputs: &FrameInputs<'_>,
        source: &FrameRef<'_>,
        target: &mut FrameMut<'_>,
        options: &mut FrameOptions<'_>,
        profile: impl FnOnce() -> Result<Option<Arc<ShotProfile>>>,
    ) -> Result<Rendered> {
        let untouched = Rendered::untouched(inputs.index);
        let Some(Speaker { own, smoothed, id }) = self.selected(inputs.faces) else {
            return Ok(untouched);
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
        let strength = self.options.strength * options.strength * fade;
        if strength <= 0.0 {
            return Ok(rendered);
        }
        let profile = match profile()? {
            Some(profile) => profile,
            None => {
                let own = self.candidate(own, source, (inputs.index, None))?;
                Arc::new(ShotProfile::of(&self.engine, &own)?)
            }
        };
        profile.check(&self.engine)?;
        let change = Change {
            inputs,
            face: &smoothed,
            profile: &profile,
            movement: Movement {
                articulation: options.articulation,
                gain: self.gain(&profile, inputs.speech)?,
            },
            strength,
        };
        let changed = self.change(&change, source, target, options, &mut self.buffers.take())?;
        Ok(Rendered {
            strength,
            changed,
            ..rendered
        })
    }

    /// Renders a frame with a face; returns whether any pixel may have changed.
    fn change(
        &self,
        change: &Change<'_>,
        source: &FrameRef<'_>,
        target: &mut FrameMut<'_>,
        options: &mut FrameOptions<'_>,
        buffers: &mut Buffers,
    ) -> Result<bool> {
        let engine = &self.engine;
        let transfer = self.options.transfer;
        let Change {
            inputs,
            face,
            profile,
            ..
        } = change;
        let (model, anchor) = (engine.face_model(), profile.anchor());
        let identity = anchor.identity.as_slice();
        let map = self.mask(face, &anchor.identity, source, buffers)?;
        if self.find_occlusion(buffers)? {
            buffers.mask.uncover(buffers.occlusion.hidden());
        }
        let shapes = self.shapes_with(inputs.speech, inputs.position, &mut buffers.speech)?;
        move_shapes(&shapes, change.movement, &mut buffers.moved);
        let shape = mouth_shape(&buffers.moved);
        let wanted = &mut buffers.wanted;
        wanted.set(model, &shape, &face.pose, &map);
        let gap = Gap {
            position: inputs.position,
            least: self.options.reference_gap,
        };
        let shares = profile.shares(wanted, gap);
        profile.code(engine, &shares, &mut buffers.reference)?;
        let code = smooth_code(engine.networks(), &buffers.reference, &buffers.moved)?;
        let points = &mut buffers.points;
        mouth_points(model, &face.pose, identity, &shape, &map, points);
        buffers.masked.clone_from(&buffers.crop);
        buffers.mask.cut(&mut buffers.masked);
        let (warp, carried) = (&mut buffers.warp, &mut buffers.carried);
        profile.draw(engine, &shares, points, warp, carried);
        let generator = match &self.person {
            Some(person) => person,
            None => &engine.networks().generator,
        };
        let mut generated = generator.run(
            &buffers.masked,
            &points[..2 * model.lips().len()],
            &code,
            carried,
        )?;

        let alpha = buffers.mask.alpha();
        let gains = self
            .options
            .colour_match
            .gains(&buffers.crop, &generated, alpha)?;
        let bands = profile.bands(&shares);
        let amounts = bands
            .map(|band| band.map_or(0.0, |band| options.detail * band.suits(map.scale(), IMAGE)));
        let gate = &mut buffers.gate;
        let detailed = amounts.iter().any(|amount| *amount > 0.0);
        if let Some(protocol) = engine.reference_warp().filter(|_| options.detail > 0.0) {
            let inner = inner_lips(points);
            gate.replace(&mut generated, carried, inner, IMAGE, options.detail);
            if detailed {
                let amounts = &amounts[..shares.list().len()];
                gate.place(warp, protocol.grid, amounts, IMAGE);
            }
        }
        if let Some(marker) = &self.marker {
            marker.mark(&mut generated, &buffers.crop, alpha, &mut buffers.mark);
        }
        let places = gate.places();
        let detail: [DetailLayer<'_>; MOST_LAYERS] = std::array::from_fn(|k| DetailLayer {
            band: bands[k].filter(|_| detailed),
            places: &places[k],
        });
        let patch = Patch {
            size: IMAGE,
            generated: &generated,
            alpha,
            gains: &gains,
            tone: buffers.tone,
            detail: &detail,
        };
        let strength = change.strength;
        let changed = buffers
            .compositor
            .blend(target, transfer, &map, &patch, strength)?;
        if let Some(matte) = &mut options.matte {
            let out = &mut matte.alpha;
            buffers
                .compositor
                .matte(source, &map, (IMAGE, alpha), strength, out)?;
        }
        if let Some(layers) = &mut options.layers {
            buffers
                .compositor
                .add_layers(source, transfer, &map, &patch, strength, layers)?;
        }
        Ok(changed.is_some())
    }

    /// The crop of a face and its inpainting mask, drawn with the reference's identity.
    ///
    /// # Errors
    /// [`Error::Memory`], [`Error::Frame`].
    pub(crate) fn face_crop(
        &self,
        face: &Face,
        reference: &Reference,
        frame: &FrameRef<'_>,
    ) -> Result<FaceCrop> {
        let buffers = &mut *self.buffers.take();
        let map = self.mask(face, &reference.identity, frame, buffers)?;
        Ok(FaceCrop {
            crop: buffers.crop.clone(),
            hole: buffers.mask.hole().to_vec(),
            map,
        })
    }

    /// Samples the crop of a face and draws its mask; returns the map from crop to frame.
    fn mask(
        &self,
        face: &Face,
        identity: &[f32],
        frame: &FrameRef<'_>,
        buffers: &mut Buffers,
    ) -> Result<Similarity> {
        let map = self.sample(face, frame, buffers)?;
        let model = self.engine.face_model();
        buffers.mask.trim(self.options.mask);
        let sizes = self.engine.mask();
        buffers.mask.draw(model, face, identity, &map, sizes);
        Ok(map)
    }

    /// Finds what lies in front of the face of the sampled crop; returns whether that was asked for.
    fn find_occlusion(&self, buffers: &mut Buffers) -> Result<bool> {
        let segmenter = self.engine.networks().occlusion.as_ref();
        let Some(segmenter) = segmenter.filter(|_| !self.options.ignore_occlusion) else {
            return Ok(false);
        };
        let logits = segmenter.run(&buffers.crop)?;
        buffers.occlusion.set(&logits, buffers.mask.hole());
        Ok(true)
    }

    /// Samples the crop of a face; returns the map from crop to frame.
    fn sample(
        &self,
        face: &Face,
        frame: &FrameRef<'_>,
        buffers: &mut Buffers,
    ) -> Result<Similarity> {
        let map = self.engine.crop().place(&face.pose);
        buffers.crop.resize(3 * IMAGE * IMAGE, 0.0);
        buffers.tone = ToneMap::of(frame, &map, IMAGE);
        let (colour, crop) = ((self.options.transfer, &buffers.tone), &mut buffers.crop);
        buffers
            .sampler
            .sample_with(frame, colour, &map, IMAGE, BorderMode::Edge, crop)?;
        Ok(map)
    }
}

/// Whether the confidence of a face is high enough for the frame to be changed.
pub(crate) fn is_shown(face: &Face) -> bool {
    fade(f64::from(face.confidence)) > 0.0
}

//! The renderer: a pure function from a frame's inputs to its output pixels.

mod audio;
mod inputs;
mod painting;
mod person;
mod seen;
mod spoken;

use std::sync::Arc;

use self::seen::Seen;
use self::spoken::Spoken;
use super::faces::{FrameFaces, Neighbours, Speaker};
use super::options::{ClipOptions, FrameOptions, Rendered};
use super::reference::Reference;
use super::shot_profile::ShotProfile;
use crate::engine::Engine;
use crate::face::{DetailGate, Face, MouthInterior};
use crate::frame::{Compositor, FrameMut, FrameRef, Similarity, check_alike, copy_pixels};
use crate::mark::{MarkBuffers, MarkId, Marker};
use crate::model::Person;
use crate::model::networks::Generator;
use crate::pool::{Pool, Pooled};
use crate::track::Look;
use crate::track::quality::fade;
use crate::{Error, Result};

pub use inputs::FrameInputs;

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
    seen: Seen,
    spoken: Spoken,
    gate: DetailGate,
    interior: MouthInterior,
    mark: MarkBuffers,
    compositor: Compositor,
}

impl Renderer {
    /// A renderer with the bundle's own generator. Builds the networks that each frame needs.
    ///
    /// # Errors
    /// [`Error::Argument`] naming the option that is outside its range; [`Error::Network`] or
    /// [`Error::Bundle`] when a network cannot be built.
    pub fn new(engine: Arc<Engine>, options: ClipOptions) -> Result<Self> {
        options.check()?;
        engine.networks().prepare(options.context)?;
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
        let rendered = self.begin(inputs, source, target, options, profile)?;
        self.finish(target);
        Ok(rendered)
    }

    /// Begins a frame: its pixels are copied, matte and layers are empty, and the face is painted.
    ///
    /// # Errors
    /// As [`render`](Self::render).
    pub(super) fn begin(
        &self,
        inputs: &FrameInputs<'_>,
        source: &FrameRef<'_>,
        target: &mut FrameMut<'_>,
        options: &mut FrameOptions<'_>,
        profile: impl FnOnce() -> Result<Option<Arc<ShotProfile>>>,
    ) -> Result<Rendered> {
        options.check()?;
        check_alike(source, target)?;
        let (parallel, levels) = (self.engine.parallel(), options.levels());
        let copy = || {
            options.clear(source.width(), source.height())?;
            copy_pixels(source, target)
        };
        let (copied, painting) =
            parallel.both(copy, || self.prepare(inputs, source, levels, profile));
        copied?;
        self.apply(painting?, source, target, options)
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
        let painting = self.prepare(inputs, source, options.levels(), profile)?;
        self.apply(painting, source, target, options)
    }

    /// Ends a frame: the label is drawn.
    pub(super) fn finish(&self, target: &mut FrameMut<'_>) {
        if let Some(label) = &self.options.label {
            label.draw(target, self.options.transfer);
        }
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
        let seen = &mut self.buffers().seen;
        let map = seen.draw_mask(
            (&self.engine, &self.options),
            face,
            &reference.identity,
            frame,
        )?;
        Ok(FaceCrop {
            crop: seen.crop.clone(),
            hole: seen.mask.hole().to_vec(),
            map,
        })
    }

    /// The buffers of a frame.
    fn buffers(&self) -> Pooled<'_, Buffers> {
        self.buffers.take(|| Buffers {
            seen: Seen::new(&self.engine),
            compositor: Compositor::on(self.engine.parallel()),
            ..Buffers::default()
        })
    }
}

/// Whether the confidence of a face is high enough for the frame to be changed.
pub(crate) fn is_shown(face: &Face) -> bool {
    fade(f64::from(face.confidence)) > 0.0
}

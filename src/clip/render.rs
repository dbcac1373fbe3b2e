//! One frame: everything that it is a function of comes in, pixels come out. Random access and the
//! stream differ in how they gather it ([`Gathered`]); what is done with it is the same code.

use std::sync::Arc;

use super::analysis::{Analysis, Faces, Window};
use super::options::check_strength;
use super::reference::{Candidate, Reference, is_shown};
use super::{Around, Clip, FrameOptions, Rendered, Sight};
use crate::Result;
use crate::audio::Timeline;
use crate::face::lips::mouth_points;
use crate::face::{Carry, Face, Mask};
use crate::frame::composite::Patch;
use crate::frame::{Compositor, FrameMut, FrameRef, Outside, Sampler, Similarity, copy_pixels};
use crate::latent::{AudioCode, SmoothCode, WINDOW, smooth_code, window_positions};
use crate::track::quality::fade;

/// Buffers of one thread's frame.
#[derive(Default)]
pub(crate) struct Scratch {
    pub sampler: Sampler,
    compositor: Compositor,
    /// Planar RGB `[3, image, image]` in [-1, 1].
    pub crop: Vec<f32>,
    /// The crop with the hole in it.
    masked: Vec<f32>,
    pub mask: Mask,
    /// The wanted mouth's points `[C, 2]` in [-1, 1], the lips' first.
    points: Vec<f32>,
    carry: Carry,
    /// The reference's picture with that mouth.
    carried: Vec<f32>,
    /// A mel window.
    mel: Vec<f32>,
    /// The codes that MaLS takes.
    codes: Vec<f32>,
}

/// Everything that a frame is a function of, beside its pixels, the options and the reference.
pub(crate) struct Gathered<'a> {
    pub index: i64,
    /// Of the frame's time, samples at 16 kHz.
    pub position: i64,
    pub audio: &'a Timeline,
    /// The faces of this frame and of those round it.
    pub window: Window,
}

/// A frame with a face that shall be changed.
struct Job<'a> {
    gathered: &'a Gathered<'a>,
    /// The speaking face, smoothed over its window.
    face: &'a Face,
    reference: &'a Reference,
    /// Share of the new mouth, above 0 and at most 1.
    strength: f32,
}

impl Clip {
    /// Random access: gathers from what was analysed.
    pub(super) fn random_access(
        &self,
        audio: &Timeline,
        index: i64,
        source: &FrameRef<'_>,
        target: &mut FrameMut<'_>,
        options: &mut FrameOptions<'_>,
    ) -> Result<Rendered> {
        let position = self.options.timing.position(index)?;
        let window = match self.numbered(|analysis| analysis.window(index)) {
            Some(window) => window,
            None => {
                let middle = Faces::alone(self.track(source)?);
                self.analysis.read().window_round(index, middle)
            }
        };
        let gathered = Gathered {
            index,
            position,
            audio,
            window,
        };
        self.render_gathered(&gathered, source, target, options, || {
            self.analysed_reference()
        })
    }

    /// As [`render_with`](Self::render_with), for hosts that hand in frames in any order and keep
    /// what was [seen](Self::see) in them: the face is smoothed over `around`, whatever was analysed.
    /// The reference is the one set, else that of the analysed frames, else the frame's own.
    ///
    /// # Errors
    /// As [`render_with`](Self::render_with).
    pub fn render_seen(
        &self,
        index: i64,
        around: &Around,
        source: &FrameRef<'_>,
        target: &mut FrameMut<'_>,
        options: &mut FrameOptions<'_>,
    ) -> Result<Rendered> {
        let gathered = Gathered {
            index,
            position: self.options.timing.position(index)?,
            audio: self.words()?,
            window: around.window(),
        };
        self.render_gathered(&gathered, source, target, options, || {
            self.analysed_reference()
        })
    }

    /// The faces of one frame: a function of its pixels and of the clip's engine and transfer.
    ///
    /// # Errors
    /// [`Error::Network`](crate::Error::Network) when a network fails.
    pub fn see(&self, frame: &FrameRef<'_>) -> Result<Sight> {
        self.track(frame).map(|faces| Sight(Faces::alone(faces)))
    }

    /// Asks the analysis something that needs the faces' numbers.
    pub(super) fn numbered<T>(&self, ask: impl FnOnce(&Analysis) -> T) -> T {
        let analysis = self.analysis.read();
        if analysis.is_numbered() {
            return ask(&analysis);
        }
        drop(analysis);
        let mut analysis = self.analysis.write();
        analysis.renumber();
        ask(&analysis)
    }

    /// The faces of one frame.
    pub(super) fn track(&self, frame: &FrameRef<'_>) -> Result<Vec<Face>> {
        self.engine
            .tracker()
            .track(self.engine.networks(), frame, self.options.transfer)
    }

    /// The candidate for the reference that a frame makes, where its speaker is sure enough.
    pub(super) fn nominee(&self, faces: &Faces, frame: &FrameRef<'_>) -> Result<Option<Candidate>> {
        match faces.speaking(self.options.selection) {
            Some(face) if is_shown(face) => self.candidate(face, frame).map(Some),
            _ => Ok(None),
        }
    }

    /// Renders a frame from everything that it is a function of. `chosen` gives the reference among
    /// the clip's frames, where there is one; it is asked only when the frame needs it.
    pub(super) fn render_gathered(
        &self,
        gathered: &Gathered<'_>,
        source: &FrameRef<'_>,
        target: &mut FrameMut<'_>,
        options: &mut FrameOptions<'_>,
        chosen: impl FnOnce() -> Result<Option<Arc<Reference>>>,
    ) -> Result<Rendered> {
        check_strength(options.strength)?;
        let untouched = Rendered::untouched(gathered.index);
        let speaking = gathered
            .window
            .speaking(self.options.selection, self.engine.crop());
        let Some((own, face, id)) = speaking else {
            return self.pass_through(untouched, source, target, options);
        };
        let seen = Rendered {
            face: Some(id),
            confidence: face.confidence,
            ..untouched
        };
        // The frame's own confidence decides whether there is anything to show, so that a frame
        // that is changed is also a candidate: its reference is settled when it is needed.
        let fade = if is_shown(own) {
            fade(f64::from(face.confidence)) as f32
        } else {
            0.0
        };
        let strength = self.options.strength * options.strength * fade;
        if strength <= 0.0 {
            return self.pass_through(seen, source, target, options);
        }
        let reference = match &self.reference {
            Some(reference) => reference.clone(),
            None => match chosen()? {
                Some(reference) => reference,
                None => Arc::new(self.encode(&self.candidate(own, source)?)?),
            },
        };
        let job = Job {
            gathered,
            face: &face,
            reference: &reference,
            strength,
        };
        let changed = self.draw(&job, source, target, options, &mut self.scratch.take())?;
        Ok(Rendered {
            strength,
            changed,
            ..seen
        })
    }

    /// The reference among the analysed frames.
    pub(super) fn analysed_reference(&self) -> Result<Option<Arc<Reference>>> {
        let Some((index, candidate)) = self.analysis.read().reference() else {
            return Ok(None);
        };
        self.encoded
            .get(index, || self.encode(&candidate))
            .map(Some)
    }

    /// Leaves the frame as it is.
    pub(super) fn pass_through(
        &self,
        rendered: Rendered,
        source: &FrameRef<'_>,
        target: &mut FrameMut<'_>,
        options: &mut FrameOptions<'_>,
    ) -> Result<Rendered> {
        copy_pixels(source, target)?;
        if let Some(matte) = &mut options.matte {
            matte.clear(source.width(), source.height())?;
        }
        Ok(rendered)
    }

    /// Renders a frame with a face; says whether any pixel may have changed.
    fn draw(
        &self,
        job: &Job<'_>,
        source: &FrameRef<'_>,
        target: &mut FrameMut<'_>,
        options: &mut FrameOptions<'_>,
        scratch: &mut Scratch,
    ) -> Result<bool> {
        let engine = &self.engine;
        let size = engine.bundle().manifest().image;
        let transfer = self.options.transfer;
        let smooth = self.smooth(job.gathered, job.reference, scratch)?;
        let map = self.look(job.face, job.reference, source, scratch)?;
        let (model, identity) = (engine.face_model(), job.reference.identity.as_slice());
        let points = &mut scratch.points;
        mouth_points(model, &job.face.pose, identity, &smooth.shape, &map, points);
        scratch.masked.clone_from(&scratch.crop);
        scratch.mask.cut(&mut scratch.masked);
        if let (Some(protocol), Some(shown)) = (engine.carry(), &job.reference.shown) {
            let (picture, seen, out) = (&shown.picture, &shown.points, &mut scratch.carried);
            scratch.carry.draw(picture, seen, points, protocol, out);
        }
        let generator = match &self.person {
            Some(person) => person,
            None => &engine.networks().generator,
        };
        let generated = generator.run(
            &scratch.masked,
            &points[..2 * model.lips().len()],
            &smooth.code,
            &scratch.carried,
        )?;

        let alpha = scratch.mask.alpha();
        let gains = self
            .options
            .colour_match
            .gains(&scratch.crop, &generated, alpha)?;
        let patch = Patch {
            size,
            generated: &generated,
            alpha,
            gains: &gains,
        };
        copy_pixels(source, target)?;
        let changed = scratch
            .compositor
            .blend(target, transfer, &map, &patch, job.strength)?;
        if let Some(matte) = &mut options.matte {
            matte.clear(source.width(), source.height())?;
            let (frame, out) = ((source.width(), source.height()), &mut matte.alpha);
            scratch
                .compositor
                .matte(frame, &map, (size, alpha), job.strength, out)?;
        }
        Ok(changed.is_some())
    }

    /// The smoothed code and mouth shape of a frame.
    pub(super) fn smooth(
        &self,
        gathered: &Gathered<'_>,
        reference: &Reference,
        scratch: &mut Scratch,
    ) -> Result<SmoothCode> {
        let codes = self.codes_of(gathered, scratch)?;
        let mals = &self.engine.networks().mals;
        smooth_code(mals, &reference.code, &codes, &mut scratch.codes)
    }

    /// Cuts the crop of a face out of a frame and draws its mask; gives where the crop lies.
    pub(super) fn look(
        &self,
        face: &Face,
        reference: &Reference,
        source: &FrameRef<'_>,
        scratch: &mut Scratch,
    ) -> Result<Similarity> {
        let engine = &self.engine;
        let size = engine.bundle().manifest().image;
        let map = engine.crop().place(&face.pose);
        scratch.crop.resize(3 * size * size, 0.0);
        let (transfer, crop) = (self.options.transfer, &mut scratch.crop);
        scratch
            .sampler
            .sample(source, transfer, &map, size, Outside::Edge, crop)?;
        let (model, identity) = (engine.face_model(), reference.identity.as_slice());
        scratch.mask.trim(self.options.mask);
        scratch
            .mask
            .draw(model, face, identity, &map, engine.mask());
        Ok(map)
    }

    /// The seven codes round a frame, from the ring or computed. No lock is held meanwhile.
    pub(super) fn codes_of(
        &self,
        gathered: &Gathered<'_>,
        scratch: &mut Scratch,
    ) -> Result<[Arc<AudioCode>; WINDOW]> {
        let (source, encoder) = (self.engine.codes(), &self.engine.networks().audio);
        let rest = source.rest();
        let mut codes = std::array::from_fn(|_| rest.clone());
        for (code, position) in codes.iter_mut().zip(window_positions(gathered.position)) {
            *code = self.codes.get(position, || {
                source.code(encoder, gathered.audio, position, &mut scratch.mel)
            })?;
        }
        Ok(codes)
    }
}

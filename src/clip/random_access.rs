//! Random access: the calls of a clip that analyse frames, and render any of them in any order.

use std::path::Path;

use super::further_speaker::FurtherSpeaker;
use super::{
    Analysis, Clip, FrameFaces, FrameInputs, FrameOptions, ReferenceFrame, Rendered, SeenFace,
};
use crate::Result;
use crate::face::Face;
use crate::frame::{FrameMut, FrameRef};
#[cfg(doc)]
use crate::{Error, Renderer};

impl Clip {
    /// Freezes the profile of the analysed frames: it is made from all frames analysed so far, which
    /// shows the person's mouth in more shapes and poses than the first second does. Frames analysed later
    /// do not change it; [`forget_analysis`](Self::forget_analysis) forgets it. A call after the first one
    /// changes nothing. Call it when no other thread analyses.
    ///
    /// Where the whole audio is set, the mouth then moves as far as the person's did in these frames: their
    /// range over that of the speech, .45 to 2.2. Audio that is pushed counts as typical speech.
    ///
    /// # Errors
    /// [`Error::State`] when no frame was analysed, [`Error::NoFace`] when none shows the face well enough,
    /// [`Error::Network`]; the profile is not frozen then. With several speakers it is the first error of any,
    /// and the profiles of the others are frozen.
    pub fn finish_analysis(&self) -> Result<()> {
        let first = self.analysis.finish(&self.renderer);
        let finish = |speaker: &FurtherSpeaker| speaker.analysis.finish(&speaker.renderer);
        let further: Vec<Result<()>> = self.speakers.iter().map(finish).collect();
        first.and(further.into_iter().collect())
    }

    /// Finds the faces of the frame `index`, for random access: the face of a frame is smoothed over
    /// the analysed frames within two of it. Call it for every frame of the clip, or at least for
    /// those within two of the frames to be rendered and for the first second, in any order. A frame
    /// that was analysed is not looked at again: [`forget_analysis`](Self::forget_analysis) first.
    ///
    /// Returns the number of faces. May be called from any number of threads at once.
    ///
    /// # Errors
    /// [`Error::Network`] when a network fails; nothing is kept then. [`Error::State`] when a face
    /// is selected by its number and a later frame was analysed already: numbers are assigned in
    /// order. With several threads, use
    /// [`add_faces`](Self::add_faces) then.
    pub fn analyze(&self, index: i64, frame: &FrameRef<'_>) -> Result<usize> {
        if let Some(known) = self.analysis.count(index) {
            return Ok(known);
        }
        self.add_faces(index, self.renderer.find_faces(frame)?, frame)
    }

    /// The second half of [`analyze`](Self::analyze), with the faces that
    /// [`Renderer::find_faces`] found in `frame`. Finding faces takes most of the time and has no
    /// order; numbering them needs the frames in rising order. Where a face is selected by its
    /// number, several threads may find faces and one adds them.
    ///
    /// # Errors
    /// As [`analyze`](Self::analyze).
    pub fn add_faces(&self, index: i64, faces: FrameFaces, frame: &FrameRef<'_>) -> Result<usize> {
        self.add_faces_for_further(index, &faces, frame)?;
        self.analysis.add_faces(&self.renderer, index, faces, frame)
    }

    /// The faces of an analysed frame, the largest first; `None` when it was not analysed.
    pub fn faces(&self, index: i64) -> Option<Vec<SeenFace>> {
        Some(self.analysis.faces(index)?.list())
    }

    /// The speaking face of an analysed frame, smoothed over the analysed frames within two of it:
    /// [`render`](Self::render) places crop and mask by it. `None` where `render` would leave the
    /// frame unchanged: not analysed, no such face, or a confidence too low.
    pub fn speaker(&self, index: i64) -> Option<Face> {
        self.renderer.speaker(&self.analysis.neighbours(index)?)
    }

    /// The reference among the frames analysed so far; `None` before a frame with the face was added. It is
    /// settled once all frames before [`reference_settled_at`](Self::reference_settled_at) are
    /// analysed. A reference that the caller set does not count.
    pub fn reference_frame(&self) -> Option<ReferenceFrame> {
        self.analysis.reference_frame()
    }

    /// The frame before which all frames must be analysed for the reference to be the same as if
    /// the whole clip were; `None` before a frame with the face was added.
    pub fn reference_settled_at(&self) -> Option<i64> {
        self.analysis.reference_settled_at()
    }

    /// Writes the finished analysis to a file, that of all speakers.
    ///
    /// # Errors
    /// As [`Analysis::save`].
    pub fn save_analysis(&self, path: impl AsRef<Path>) -> Result<()> {
        let further = self.speakers.iter();
        let further = further.map(|speaker| (&speaker.analysis, &speaker.renderer));
        let first = std::iter::once((&self.analysis, &self.renderer));
        Analysis::save_all(&first.chain(further).collect::<Vec<_>>(), path.as_ref())
    }

    /// Replaces the analysis by one from a file, which is finished: of as many speakers, with the same faces.
    /// [`render`](Self::render) then refuses a frame of an analysed index that is not the picture that was
    /// analysed.
    ///
    /// # Errors
    /// As [`Analysis::load`], and [`Error::Memory`]; the analysis stays what it was.
    pub fn load_analysis(&mut self, path: impl AsRef<Path>) -> Result<()> {
        let further = self.speakers.iter().map(|speaker| &speaker.renderer);
        let renderers: Vec<_> = std::iter::once(&self.renderer).chain(further).collect();
        let mut loaded = Analysis::load_all(&renderers, path.as_ref())?;
        self.swap_analyses(&mut loaded);
        if let Err(error) = self.check_memory(0, "analysis") {
            self.swap_analyses(&mut loaded);
            return Err(error);
        }
        Ok(())
    }

    /// Exchanges the analyses of all speakers.
    fn swap_analyses(&mut self, others: &mut [Analysis]) {
        let further = self
            .speakers
            .iter_mut()
            .map(|speaker| &mut speaker.analysis);
        let own = std::iter::once(&mut self.analysis).chain(further);
        own.zip(others)
            .for_each(|(own, other)| std::mem::swap(own, other));
    }

    /// Discards the analysis, for instance when the clip's pictures changed.
    pub fn forget_analysis(&mut self) {
        self.analysis = Analysis::default();
        for speaker in &mut self.speakers {
            speaker.analysis = Analysis::default();
        }
    }

    /// Renders the frame `index`, whose pixels are `source`, into `target` (same size and format).
    ///
    /// May be called from any number of threads at once. The result depends on the index, the
    /// pixels, the audio, the reference and the frames analysed so far.
    ///
    /// # Errors
    /// [`Error::NoAudio`] before [`set_audio`](Self::set_audio), [`Error::State`] when the audio
    /// was pushed, [`Error::Argument`] for an index outside a variable timing, [`Error::Frame`]
    /// when the frames do not fit each other, [`Error::Network`] when a network fails; [`Error::State`]
    /// for a frame other than the one of a [loaded](Self::load_analysis) analysis; [`Error::Consent`]. The content of
    /// `target` is undefined then.
    pub fn render(
        &self,
        index: i64,
        source: &FrameRef<'_>,
        target: &mut FrameMut<'_>,
    ) -> Result<Rendered> {
        self.render_with(index, source, target, &mut FrameOptions::default())
    }

    /// As [`render`](Self::render), with a strength of its own and, on request, the matte.
    ///
    /// # Errors
    /// As [`render`](Self::render), and [`Error::Argument`] for options out of range.
    pub fn render_with(
        &self,
        index: i64,
        source: &FrameRef<'_>,
        target: &mut FrameMut<'_>,
        options: &mut FrameOptions<'_>,
    ) -> Result<Rendered> {
        self.check_consent()?;
        let speech = self.speech()?;
        let position = self.options().timing.position(index)?;
        self.analysis.check_frame(index, source)?;
        let faces = match self.analysis.neighbours(index) {
            Some(faces) => faces,
            None => {
                let middle = self.renderer.find_faces(source)?;
                self.analysis.neighbours_of(index, middle)
            }
        };
        let inputs = FrameInputs {
            index,
            position,
            speech,
            faces: &faces,
        };
        let profile = || self.profile_at(index);
        let first = self
            .renderer
            .begin(&inputs, source, target, options, profile)?;
        let rendered = self.paint_further(first, &inputs, source, target, options)?;
        self.renderer.finish(target);
        Ok(self.record(rendered))
    }
}

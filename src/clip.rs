//! A clip: the frames of a video with their times, the new audio, and the results of
//! analysing both. There are two ways to render it, and both give the same bytes:
//!
//! - **random access**: [`analyze`](Clip::analyze) the frames, in any order, then
//!   [`render`](Clip::render) any of them, in any order, from any number of threads;
//! - **streaming**: [`push_frame`](Clip::push_frame) and [`push_audio`](Clip::push_audio), then
//!   [`pull_frame`](Clip::pull_frame) when the look-ahead of the frame has been pushed.
//!
//! ```text
//! audio  -> Speech: codes ---------------------+
//! frames -> Analysis or Stream: faces of five -+-> Renderer -> frame
//!                               profile -------+
//! ```
//!
//! A frame is a function of its index, its pixels, the faces of the frames within two of it, the
//! audio around its time and the person's [`Profile`]. [`Analysis`] and the stream collect these inputs
//! differently, and call the same [`Renderer`]. The order of calls, the number of threads and the
//! size of chunks do not change the result. [`Clip`] only combines these parts. A host that
//! collects frames in another way uses the parts directly.

mod analysis;
mod analysis_file;
mod bank;
mod bank_frame;
mod cells;
mod faces;
mod mouth_pose;
mod options;
mod profile;
mod profile_frames;
mod range;
mod reference;
mod renderer;
mod shot_profile;
mod shots;
mod speech;
mod stream;
mod timing;
mod tracks;

use std::path::Path;
use std::sync::Arc;

use crate::audio::to_16k;
use crate::engine::Engine;
use crate::face::Face;
use crate::frame::{FrameMut, FrameRef, PixelFormat};
use crate::model::Person;
use crate::{Error, Result};

pub use analysis::Analysis;
pub use faces::{FrameFaces, Neighbours};
pub use options::{ClipOptions, FrameOptions, LookAhead, Matte, MemoryUse, Rendered, SeenFace};
pub use profile::Profile;
pub use reference::ReferenceFrame;
pub use renderer::{FrameInputs, Renderer};
pub use shot_profile::ShotProfile;
pub use speech::Speech;
pub use timing::Timing;

pub(crate) use bank_frame::ReferenceImage;
pub(crate) use reference::Reference;
pub(crate) use renderer::{FaceCrop, is_shown};

use bank_frame::Held;
use reference::CANDIDATES;
use stream::Stream;

/// One clip: a [`Renderer`], the audio, an [`Analysis`] for random access, and a stream.
///
/// [`analyze`](Self::analyze) and [`render`](Self::render) may be called from any number of threads at
/// once; methods that take `&mut self` need exclusive access.
///
/// ```no_run
/// use stylelipsync::{
///     Clip, ClipOptions, Engine, EngineOptions, FrameMut, FrameRef, PixelFormat, decode_file,
/// };
///
/// # fn main() -> stylelipsync::Result<()> {
/// // Ten frames of 640x360 RGBA pixels, 8 bits each, from a decoder of your choice.
/// let (width, height) = (640, 360);
/// let frames = vec![vec![0u8; 4 * 640 * 360]; 10];
/// let view = |frame| FrameRef::packed(frame, width, height, PixelFormat::Rgba8);
///
/// let engine = Engine::new(&EngineOptions::default())?;
/// let mut clip = Clip::new(engine, ClipOptions::default())?;
/// let speech = decode_file("speech.wav".as_ref())?;
/// clip.set_audio(&speech.samples, speech.rate, 1)?;
/// for (index, frame) in frames.iter().enumerate() {
///     clip.analyze(index as i64, &view(frame)?)?;
/// }
/// clip.finish_analysis()?;
/// for (index, frame) in frames.iter().enumerate() {
///     let mut output = vec![0u8; frame.len()];
///     let mut target = FrameMut::packed(&mut output, width, height, PixelFormat::Rgba8)?;
///     let rendered = clip.render(index as i64, &view(frame)?, &mut target)?;
///     println!("frame {index}: strength {}", rendered.strength);
/// }
/// # Ok(())
/// # }
/// ```
pub struct Clip {
    renderer: Renderer,
    speech: Option<Speech>,
    /// The profile that the caller set, or made of frames.
    given: Option<Arc<Profile>>,
    analysis: Analysis,
    stream: Stream,
}

impl Clip {
    /// An empty clip.
    ///
    /// # Errors
    /// [`Error::Argument`] naming the option that is outside its range.
    pub fn new(engine: Arc<Engine>, options: ClipOptions) -> Result<Self> {
        let renderer = Renderer::new(engine, options)?;
        let stream = Stream::new(&renderer.options().timing, &look_ahead(&renderer));
        Ok(Self {
            renderer,
            speech: None,
            given: None,
            analysis: Analysis::default(),
            stream,
        })
    }

    /// The engine that the clip was made with.
    pub fn engine(&self) -> &Arc<Engine> {
        self.renderer.engine()
    }

    /// The options that the clip was made with.
    pub fn options(&self) -> &ClipOptions {
        self.renderer.options()
    }

    /// The renderer of the clip's frames.
    pub fn renderer(&self) -> &Renderer {
        &self.renderer
    }

    /// What was gathered from the analysed frames.
    pub fn analysis(&self) -> &Analysis {
        &self.analysis
    }

    /// How far a stream's input must be ahead of the frame that is pulled.
    pub fn look_ahead(&self) -> LookAhead {
        look_ahead(&self.renderer)
    }

    /// What the clip holds in memory now.
    pub fn memory_use(&self) -> MemoryUse {
        MemoryUse {
            shapes: self.speech.as_ref().map_or(0, Speech::shapes),
            frames: self.stream.frames(),
            tracks: self.stream.frames_tracked(),
            candidates: self.stream.candidates().max(self.analysis.candidates()),
            pictures: self.held().pictures,
            audio: self.speech.as_ref().map_or(0, Speech::samples),
            analysed: self.analysis.len(),
            bytes: self.bytes(),
        }
    }

    /// Pictures of the person.
    fn held(&self) -> Held {
        let given = self
            .given
            .as_ref()
            .map_or(Held::default(), |profile| profile.held());
        given + self.stream.held() + self.analysis.held()
    }

    /// Bytes of frames, audio and pictures of the person.
    fn bytes(&self) -> u64 {
        let audio = self.speech.as_ref().map_or(0, Speech::samples) * size_of::<f32>();
        (self.stream.bytes() + audio + self.held().bytes) as u64
    }

    /// [`Error::Memory`] when the clip may not hold `more` bytes.
    fn check_memory(&self, more: u64, what: &str) -> Result<()> {
        let Some(limit) = self.options().memory else {
            return Ok(());
        };
        match self.bytes().saturating_add(more) {
            sum if sum > limit => Err(Error::Memory(format!(
                "{what}: the clip would hold {sum} bytes, and may hold {limit}"
            ))),
            _ => Ok(()),
        }
    }

    /// [`Error::Memory`] when the clip may not hold `samples` samples instead of its present audio.
    fn check_audio_memory(&self, samples: usize) -> Result<()> {
        let present = self.speech.as_ref().map_or(0, Speech::samples);
        let more = samples.saturating_sub(present) * size_of::<f32>();
        self.check_memory(more as u64, "audio")
    }

    /// Sets the reference, the picture that shows who speaks: the largest face in `frame`, best frontal
    /// and sharp. It replaces all others. It is used for all frames, also after [`reset`](Self::reset),
    /// and none of the clip's own frames is used then.
    ///
    /// Without it, the [`profile`](Self::profile) is made from the clip's frames, and where nothing was
    /// analysed, each frame is its own reference.
    ///
    /// # Errors
    /// [`Error::NoFace`] when there is none in it, [`Error::Network`], [`Error::Memory`]; the reference
    /// stays what it was.
    pub fn set_reference(&mut self, frame: &FrameRef<'_>) -> Result<()> {
        let held = self
            .given
            .as_ref()
            .map_or(0, |profile| profile.held().bytes);
        let picture = self.renderer.room().picture_bytes;
        self.check_memory(picture.saturating_sub(held) as u64, "reference")?;
        let given = self.renderer.given(frame, 0)?;
        self.given = Some(Arc::new(Profile::of(self.engine(), &given)?));
        Ok(())
    }

    /// Adds a reference to those that were set or added: the same person with another mouth or pose.
    /// Each frame is rendered from those that are most like it. The first one says who the person is; with
    /// none set, it is this one. At most 32.
    ///
    /// # Errors
    /// As [`set_reference`](Self::set_reference), and [`Error::State`] when there are 32 or the profile is
    /// one that [`set_profile`](Self::set_profile) set.
    pub fn add_reference(&mut self, frame: &FrameRef<'_>) -> Result<()> {
        self.check_memory(self.renderer.room().picture_bytes as u64, "reference")?;
        let number = self
            .given
            .as_ref()
            .map_or(0, |profile| profile.held().pictures);
        let given = self.renderer.given(frame, number)?;
        let profile = match &self.given {
            Some(profile) => profile.with(&given)?,
            None => Profile::of(self.engine(), &given)?,
        };
        self.given = Some(Arc::new(profile));
        Ok(())
    }

    /// Renders with the profile of another clip, or of an [`Analysis`], instead of one made from this
    /// clip's frames. It replaces the references that were set.
    ///
    /// # Errors
    /// [`Error::State`] for a profile of another bundle; nothing is changed then.
    pub fn set_profile(&mut self, profile: Arc<Profile>) -> Result<()> {
        profile.check(self.engine())?;
        self.given = Some(profile);
        Ok(())
    }

    /// The profile that frames are rendered with: the one that was set or made of the references that
    /// were, else that of the analysed frames, which [`finish_analysis`](Self::finish_analysis) freezes;
    /// before that call it is made, for each shot, from the first 25 frames from the first face on. `None`
    /// while there is none of them: a stream then takes the first 25 frames of its own shots.
    ///
    /// # Errors
    /// [`Error::Network`] when it cannot be encoded.
    pub fn profile(&self) -> Result<Option<Arc<Profile>>> {
        match &self.given {
            Some(profile) => Ok(Some(profile.clone())),
            None => self.analysis.profile(&self.renderer),
        }
    }

    /// What is known of the person in the shot of the frame `index`: a part of [`profile`](Self::profile).
    ///
    /// # Errors
    /// [`Error::Network`] when it cannot be encoded.
    pub fn profile_at(&self, index: i64) -> Result<Option<Arc<ShotProfile>>> {
        profile_at(&self.given, &self.analysis, &self.renderer, index)
    }

    /// Goes back to a profile made from the clip's frames.
    pub fn clear_reference(&mut self) {
        self.given = None;
    }

    /// Freezes the profile of the analysed frames: it is made from all frames analysed so far, which
    /// shows the person's mouth in more shapes and poses than the first second does. Frames analysed later
    /// do not change it; [`forget_analysis`](Self::forget_analysis) forgets it. A call after the first one
    /// changes nothing. Call it when no other thread analyses.
    ///
    /// # Errors
    /// [`Error::State`] when no frame was analysed, [`Error::NoFace`] when none shows the face well enough,
    /// [`Error::Network`]; the profile is not frozen then.
    pub fn finish_analysis(&self) -> Result<()> {
        self.analysis.finish(&self.renderer)
    }

    /// Renders with a generator adapted to a person (paper, section 4); `None`: with the bundle's
    /// own. Clips of one engine may have different persons; those with the same one share its
    /// session.
    ///
    /// # Errors
    /// [`Error::State`] when the person was made from another bundle; [`Error::Network`]. The person
    /// stays as it was.
    pub fn set_person(&mut self, person: Option<&Person>) -> Result<()> {
        self.renderer.set_person(person)
    }

    /// Sets all of the clip's audio: interleaved samples, nominally in [-1, 1], of `rate` Hz and
    /// `channels` channels, mixed down to mono. Audio shorter than the clip is followed by silence;
    /// audio beyond the clip's end is not used. It also applies to the frames that wait in the
    /// stream.
    ///
    /// # Errors
    /// [`Error::NoAudio`] when there is no sample, [`Error::Argument`] when rate, channels or
    /// length are out of range, [`Error::Memory`]; the audio stays what it was.
    pub fn set_audio(&mut self, interleaved: &[f32], rate: u32, channels: u16) -> Result<()> {
        let frames = interleaved.len() as u64 / u64::from(channels.max(1));
        let samples = u128::from(frames) * u128::from(crate::audio::RATE) / u128::from(rate.max(1));
        self.check_audio_memory(usize::try_from(samples).unwrap_or(usize::MAX))?;
        self.set_samples(to_16k(interleaved, rate, channels)?.into())
    }

    /// As [`set_audio`](Self::set_audio), with mono samples at 16 kHz that clips may share: they are
    /// not copied.
    ///
    /// # Errors
    /// As [`set_audio`](Self::set_audio).
    pub fn set_samples(&mut self, samples: Arc<Vec<f32>>) -> Result<()> {
        let count = samples.len();
        let speech = Speech::new(samples, self.options().audio_offset)?;
        self.check_audio_memory(count)?;
        self.speech = Some(speech);
        Ok(())
    }

    /// All of the clip's audio.
    ///
    /// # Errors
    /// [`Error::NoAudio`] before [`set_audio`](Self::set_audio), [`Error::State`] when the audio is
    /// pushed.
    pub fn speech(&self) -> Result<&Speech> {
        match &self.speech {
            Some(speech) if speech.is_streamed() => Err(Error::State(
                "the audio was pushed, so the clip is a stream: random access needs all of it"
                    .into(),
            )),
            Some(speech) => Ok(speech),
            None => Err(Error::NoAudio("set it before a frame is rendered".into())),
        }
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
        self.analysis.add(&self.renderer, index, frame)
    }

    /// The second half of [`analyze`](Self::analyze), with the faces that
    /// [`Renderer::find_faces`] found in `frame`. Finding faces takes most of the time and has no
    /// order; numbering them needs the frames in rising order. Where a face is selected by its
    /// number, several threads may find faces and one adds them.
    ///
    /// # Errors
    /// As [`analyze`](Self::analyze).
    pub fn add_faces(&self, index: i64, faces: FrameFaces, frame: &FrameRef<'_>) -> Result<usize> {
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

    /// Writes the finished analysis to a file.
    ///
    /// # Errors
    /// As [`Analysis::save`].
    pub fn save_analysis(&self, path: impl AsRef<Path>) -> Result<()> {
        self.analysis.save(&self.renderer, path)
    }

    /// Replaces the analysis by one from a file, which is finished. [`render`](Self::render) then refuses
    /// frames that are not those that were analysed.
    ///
    /// # Errors
    /// As [`Analysis::load`], and [`Error::Memory`]; the analysis stays what it was.
    pub fn load_analysis(&mut self, path: impl AsRef<Path>) -> Result<()> {
        let loaded = Analysis::load(&self.renderer, path)?;
        let present = std::mem::replace(&mut self.analysis, loaded);
        if let Err(error) = self.check_memory(0, "analysis") {
            self.analysis = present;
            return Err(error);
        }
        Ok(())
    }

    /// Discards the analysis, for instance when the clip's pictures changed.
    pub fn forget_analysis(&mut self) {
        self.analysis = Analysis::default();
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
    /// for a frame other than the one of a [loaded](Self::load_analysis) analysis. The content of
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
        self.renderer
            .render(&inputs, source, target, options, || self.profile_at(index))
    }

    /// Appends audio to the stream: interleaved samples, nominally in [-1, 1], of `rate` Hz and
    /// `channels` channels, in chunks of any size.
    ///
    /// # Errors
    /// [`Error::Argument`] when rate, channels or length are out of range or change,
    /// [`Error::State`] after [`finish_audio`](Self::finish_audio) or
    /// [`set_audio`](Self::set_audio), [`Error::Memory`].
    pub fn push_audio(&mut self, interleaved: &[f32], rate: u32, channels: u16) -> Result<()> {
        let frames = interleaved.len() as u128 / u128::from(channels.max(1));
        let samples = (frames * u128::from(crate::audio::RATE)).div_ceil(u128::from(rate.max(1)));
        let bytes = samples * size_of::<f32>() as u128;
        self.check_memory(u64::try_from(bytes).unwrap_or(u64::MAX), "audio")?;
        if let Some(speech) = &mut self.speech {
            return speech.push(interleaved, rate, channels);
        }
        let mut speech = Speech::streamed(self.options().audio_offset);
        speech.push(interleaved, rate, channels)?;
        if !interleaved.is_empty() {
            self.speech = Some(speech);
        }
        Ok(())
    }

    /// States that no more audio comes: silence follows.
    ///
    /// # Errors
    /// [`Error::NoAudio`] when none was pushed.
    pub fn finish_audio(&mut self) -> Result<()> {
        match &mut self.speech {
            Some(speech) => speech.finish(),
            None => Err(Error::NoAudio(
                "the audio was finished before any was pushed".into(),
            )),
        }
    }

    /// Forgets what was pushed from `position` (samples at 16 kHz on the clip's clock) on. The next
    /// audio pushed begins there, and may have another rate. It also applies to the frames that wait
    /// in the stream.
    ///
    /// # Errors
    /// [`Error::State`] when no audio was pushed; [`Error::Argument`] for a position before what the
    /// next frame needs, [`Error::Memory`] for one beyond all memory. The audio stays as it was.
    pub fn cut_audio(&mut self, position: i64) -> Result<()> {
        let end = match &self.speech {
            Some(speech) if speech.is_streamed() => speech.timeline().end(),
            _ => return Err(Error::State("no audio was pushed that could be cut".into())),
        };
        let silence = u64::try_from(position.saturating_sub(end)).unwrap_or(0);
        self.check_memory(silence.saturating_mul(size_of::<f32>() as u64), "audio")?;
        self.speech
            .as_mut()
            .map_or(Ok(()), |speech| speech.cut(position))
    }

    /// Pushes the next frame of the stream; it is copied. Its time follows from the clip's timing.
    /// Returns the frame's index.
    ///
    /// # Errors
    /// [`Error::Again`] when frames must be pulled first, [`Error::State`] after
    /// [`flush`](Self::flush), [`Error::Frame`] when size or format are not those of the frames
    /// before it, [`Error::Argument`] beyond the end of a variable timing, [`Error::Memory`],
    /// [`Error::Network`] when a network fails. The frame is not taken then.
    pub fn push_frame(&mut self, frame: &FrameRef<'_>) -> Result<i64> {
        let position = self.options().timing.position(self.stream.next())?;
        self.push_frame_at(position, frame)
    }

    /// As [`push_frame`](Self::push_frame), with the frame's time as a sample position at 16 kHz,
    /// for streams whose rate is not known in advance.
    ///
    /// # Errors
    /// As [`push_frame`](Self::push_frame), and [`Error::Argument`] when the time goes back.
    pub fn push_frame_at(&mut self, position: i64, frame: &FrameRef<'_>) -> Result<i64> {
        let more = self.stream.admit(position, frame)?;
        self.check_memory(more, "frame")?;
        self.stream.push(&self.renderer, position, frame)
    }

    /// States that no more frames and no more audio come: every waiting frame can be pulled.
    ///
    /// # Errors
    /// As [`push_audio`](Self::push_audio), where the resampler fails on its last samples.
    pub fn flush(&mut self) -> Result<()> {
        if let Some(speech) = &mut self.speech
            && !speech.timeline().is_finished()
        {
            speech.finish()?;
        }
        self.stream.flush();
        Ok(())
    }

    /// Renders the next frame of the stream into `target`, which has the size and format of the
    /// frame that was pushed.
    ///
    /// # Errors
    /// [`Error::Again`] when more frames or more audio are needed, [`Error::End`] after the last
    /// frame of a flushed stream, [`Error::NoAudio`] when the stream was flushed without any,
    /// [`Error::Frame`] when `target` does not fit, [`Error::Network`] when a network fails. The
    /// frame can be pulled again then.
    pub fn pull_frame(&mut self, target: &mut FrameMut<'_>) -> Result<Rendered> {
        self.pull_frame_with(target, &mut FrameOptions::default())
    }

    /// As [`pull_frame`](Self::pull_frame), with a strength of its own and, on request, the matte.
    ///
    /// # Errors
    /// As [`pull_frame`](Self::pull_frame), and [`Error::Argument`] for options out of range.
    pub fn pull_frame_with(
        &mut self,
        target: &mut FrameMut<'_>,
        options: &mut FrameOptions<'_>,
    ) -> Result<Rendered> {
        let (renderer, speech) = (&self.renderer, self.speech.as_mut());
        self.stream
            .pull(renderer, speech, target, options, |index| {
                profile_at(&self.given, &self.analysis, renderer, index)
            })
    }

    /// Whether [`pull_frame`](Self::pull_frame) would render a frame now: its width, height and
    /// format, for callers that allocate memory for it only then.
    ///
    /// # Errors
    /// As [`pull_frame`](Self::pull_frame), except those about a target.
    pub fn ready(&self) -> Result<(u32, u32, PixelFormat)> {
        let speech = self.speech.as_ref();
        self.stream
            .ready(&self.renderer, speech, |index| self.profile_at(index))
    }

    /// Index, width, height and format of the frame that [`pull_frame`](Self::pull_frame) returns
    /// next; `None` while no frame waits.
    pub fn next_frame(&self) -> Option<(i64, u32, u32, PixelFormat)> {
        self.stream.front()
    }

    /// Restarts the stream: the next frame is 0, and the next audio pushed begins at the clip's
    /// audio offset. Waiting frames are dropped; the reference that was set, whole audio and the
    /// analysis stay.
    pub fn reset(&mut self) {
        self.restart(0, self.options().audio_offset);
    }

    /// Goes on with the frame `index`. Whole audio stays; pushed audio is dropped, and the next
    /// audio pushed begins at the time of that frame.
    ///
    /// A mouth depends on up to two seconds of audio before its frame. With pushed audio, frames nearer
    /// than that to `index` may therefore differ from random access: seek two seconds earlier and drop
    /// these frames where that matters.
    ///
    /// # Errors
    /// [`Error::Argument`] for an index outside a variable timing; the stream stays as it was.
    pub fn seek(&mut self, index: i64) -> Result<()> {
        let position = self.options().timing.position(index)?;
        self.restart(index, position);
        Ok(())
    }

    fn restart(&mut self, next: i64, audio_start: i64) {
        self.stream.restart(next);
        if self.speech.as_ref().is_some_and(Speech::is_streamed) {
            self.speech = Some(Speech::streamed(audio_start));
        }
    }
}

/// What is known of the person in the frame `index`, by the profile that was given, else by that of the
/// analysed frames.
fn profile_at(
    given: &Option<Arc<Profile>>,
    analysis: &Analysis,
    renderer: &Renderer,
    index: i64,
) -> Result<Option<Arc<ShotProfile>>> {
    match given {
        Some(profile) => Ok(profile.at(index).cloned()),
        None => analysis.profile_at(renderer, index),
    }
}

fn look_ahead(renderer: &Renderer) -> LookAhead {
    LookAhead {
        frames: Neighbours::REACH,
        audio: renderer.look_ahead(),
        reference: CANDIDATES as usize,
    }
}

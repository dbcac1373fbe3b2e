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

mod active_speaker;
mod analysis;
mod analysis_file;
mod bank;
mod bank_frame;
mod cells;
mod detector;
mod faces;
mod further_speaker;
mod mouth_pose;
mod options;
mod profile;
mod profile_frames;
mod provenance;
mod random_access;
mod range;
mod reference;
mod renderer;
mod shot_profile;
mod shot_source;
mod shots;
mod speakers;
mod speech;
mod stream;
mod streaming;
mod timing;
mod tracks;

use std::sync::Arc;

use parking_lot::Mutex;

use crate::audio::to_16k;
use crate::engine::Engine;
use crate::frame::FrameRef;
use crate::model::Person;
use crate::provenance::{Consent, FrameSet, PersonFacts};
use crate::{Error, Result};

pub use active_speaker::AudibleFace;
pub use analysis::Analysis;
pub use detector::{Detection, Detector};
pub use faces::{FrameFaces, Neighbours};
pub use further_speaker::MOST_SPEAKERS;
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
use further_speaker::FurtherSpeaker;
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
    /// The person that the renderer has, for the report.
    person: Option<PersonFacts>,
    /// The consent given for this clip.
    consent: Option<Consent>,
    /// The frames that were rendered and changed.
    changed: Mutex<FrameSet>,
    /// The speakers after the first.
    speakers: Vec<FurtherSpeaker>,
}

impl Clip {
    /// An empty clip. Builds the networks that each of its rendered frames needs; those that find faces are
    /// built when the first frame is analysed.
    ///
    /// # Errors
    /// [`Error::Argument`] naming the option that is outside its range; [`Error::Network`] or
    /// [`Error::Bundle`] when a network cannot be built.
    pub fn new(engine: Arc<Engine>, options: ClipOptions) -> Result<Self> {
        let renderer = Renderer::new(engine, options)?;
        let stream = Stream::new(&renderer.options().timing, &look_ahead(&renderer));
        Ok(Self {
            renderer,
            speech: None,
            given: None,
            analysis: Analysis::default(),
            stream,
            person: None,
            consent: None,
            changed: Mutex::default(),
            speakers: Vec::new(),
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
        let further = self.speakers.iter();
        further.fold(
            given + self.stream.held() + self.analysis.held(),
            |sum, speaker| sum + speaker.analysis.held(),
        )
    }

    /// Bytes of frames, audio and pictures of the person.
    fn bytes(&self) -> u64 {
        let further = self.speakers.iter().map(|speaker| speaker.speech.samples());
        let samples = self.speech.as_ref().map_or(0, Speech::samples) + further.sum::<usize>();
        let audio = samples * size_of::<f32>();
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
    /// clip's frames. Its shots are those of the other clip: of several shots, both must be the same footage. It replaces the references that were set.
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

    /// Renders with a generator adapted to a person (paper, section 4); `None`: with the bundle's
    /// own. Clips of one engine may have different persons; those with the same one share its
    /// session.
    ///
    /// # Errors
    /// [`Error::State`] when the person was made from another bundle; [`Error::Network`]. The person
    /// stays as it was.
    pub fn set_person(&mut self, person: Option<&Person>) -> Result<()> {
        self.renderer.set_person(person)?;
        self.person = person.map(Person::facts);
        Ok(())
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

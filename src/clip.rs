//! A clip: a video's frames on their clock, the words its speaker shall say, and what was learned
//! about both. Two ways lead through it, and give the same bytes:
//!
//! - **random access**: [`analyze`](Clip::analyze) the frames, in any order, then
//!   [`render`](Clip::render) any of them, in any order, from any number of threads;
//! - **streaming**: [`push_frame`](Clip::push_frame) and [`push_audio`](Clip::push_audio),
//!   [`pull_frame`](Clip::pull_frame) a few frames later.
//!
//! ```text
//! audio -> position -> codes -> MaLS ----+
//! frames -> tracks -> window of five ----+-> render (one function, no state) -> frame
//! frames -> candidates -> reference -----+
//! ```
//!
//! A frame is a pure function of its index, its pixels, the tracks of the frames within two of it,
//! the audio round its time and the clip's reference. Both ways gather these and call the same
//! function; the order of calls, the number of threads and the size of chunks are no part of it.

mod analysis;
mod inspect;
mod options;
mod person;
mod reference;
mod render;
mod stream;
mod timing;

use std::sync::Arc;

use parking_lot::RwLock;

use crate::audio::{Timeline, to_16k};
use crate::engine::Engine;
use crate::frame::{FrameMut, FrameRef};
use crate::latent::Codes;
use crate::model::Person;
use crate::model::networks::Generator;
use crate::pool::Pool;
use crate::track::Selection;
use crate::{Error, Result};

pub use analysis::{Around, Sight};
pub use inspect::ReferenceFrame;
pub use options::{ClipOptions, FrameOptions, Held, LookAhead, Matte, Rendered, SeenFace};
pub use timing::Timing;

use analysis::Analysis;
pub(crate) use person::Moment;
use reference::{CANDIDATES, Encoded};
pub(crate) use reference::{Candidate, Reference};
use render::Scratch;
use stream::Stream;

/// One clip's state. [`analyze`](Self::analyze) and [`render`](Self::render) may be called from any
/// number of threads at once; what takes `&mut self` needs the clip for itself.
pub struct Clip {
    engine: Arc<Engine>,
    options: ClipOptions,
    sound: Sound,
    codes: Codes,
    /// The reference that the caller set.
    reference: Option<Arc<Reference>>,
    /// The generator of the person that the caller set.
    person: Option<Arc<Generator>>,
    analysis: RwLock<Analysis>,
    /// The reference chosen among the analysed frames.
    encoded: Encoded,
    stream: Stream,
    scratch: Pool<Scratch>,
}

/// The clip's audio.
enum Sound {
    /// None was given.
    None,
    /// All of it: random access and streams.
    Whole(Timeline),
    /// As it is pushed: streams only, since what was heard is forgotten.
    Growing(Timeline),
}

impl Clip {
    /// An empty clip.
    ///
    /// # Errors
    /// [`Error::Argument`] naming the option that is out of its range.
    pub fn new(engine: Arc<Engine>, options: ClipOptions) -> Result<Self> {
        options.check()?;
        let look_ahead = look_ahead(&engine);
        let stream = Stream::new(&options.timing, &look_ahead);
        Ok(Self {
            engine,
            options,
            sound: Sound::None,
            codes: Codes::new(),
            reference: None,
            person: None,
            analysis: RwLock::new(Analysis::default()),
            encoded: Encoded::default(),
            stream,
            scratch: Pool::new(),
        })
    }

    /// The engine that the clip was made with.
    pub fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// The options that the clip was made with.
    pub fn options(&self) -> &ClipOptions {
        &self.options
    }

    /// How far a stream must be ahead of the frame that it gives.
    pub fn look_ahead(&self) -> LookAhead {
        look_ahead(&self.engine)
    }

    /// What the clip holds in memory now.
    pub fn held(&self) -> Held {
        Held {
            codes: self.codes.len(),
            frames: self.stream.frames(),
            tracks: self.stream.tracks(),
            candidates: self
                .stream
                .candidates()
                .max(self.analysis.read().candidates()),
            audio: match &self.sound {
                Sound::None => 0,
                Sound::Whole(audio) | Sound::Growing(audio) => audio.held(),
            },
            analysed: self.analysis.read().len(),
            bytes: self.bytes(),
        }
    }

    /// Bytes of frames, audio and crops.
    fn bytes(&self) -> u64 {
        let audio = match &self.sound {
            Sound::None => 0,
            Sound::Whole(audio) | Sound::Growing(audio) => audio.held(),
        };
        let crops = self.stream.candidates() + self.analysis.read().candidates();
        let crop = 3 * self.engine.bundle().manifest().image.pow(2);
        (self.stream.bytes() + (audio + crops * crop) * size_of::<f32>()) as u64
    }

    /// [`Error::Memory`] when `more` bytes would be more than the clip may hold.
    fn admit(&self, more: u64, what: &str) -> Result<()> {
        let Some(limit) = self.options.memory else {
            return Ok(());
        };
        match self.bytes().saturating_add(more) {
            sum if sum > limit => Err(Error::Memory(format!(
                "{what}: the clip would hold {sum} bytes, and may hold {limit}"
            ))),
            _ => Ok(()),
        }
    }

    /// Sets the picture that says who speaks: the largest face in `frame`, best seen from the front
    /// and sharp. It holds for all frames, also after [`reset`](Self::reset).
    ///
    /// Without it, the best of the first second of frames with a face is taken, and where nothing
    /// was analysed, each frame is its own reference.
    ///
    /// # Errors
    /// [`Error::NoFace`] when there is none in it; the reference stays what it was.
    pub fn set_reference(&mut self, frame: &FrameRef<'_>) -> Result<()> {
        self.reference = Some(Arc::new(self.reference_of(frame)?));
        Ok(())
    }

    /// Takes the reference of another clip of the same engine: the one that was set there, else the
    /// one among its analysed frames. Without either this clip's stays what it was.
    ///
    /// # Errors
    /// [`Error::Network`] when it cannot be encoded; [`Error::State`] for another engine's clip.
    pub fn share_reference(&mut self, other: &Self) -> Result<()> {
        if !Arc::ptr_eq(&self.engine, &other.engine) {
            return Err(Error::State("the other clip has another engine".into()));
        }
        let shared = match &other.reference {
            Some(reference) => Some(reference.clone()),
            None => other.analysed_reference()?,
        };
        self.reference = shared.or(self.reference.take());
        Ok(())
    }

    /// Goes back to a reference chosen among the frames.
    pub fn clear_reference(&mut self) {
        self.reference = None;
    }

    /// Renders with a decoder adapted to a person (paper, section 4); `None`: with the bundle's own.
    /// Clips of one engine may have different persons; those with the same one share its session.
    ///
    /// # Errors
    /// [`Error::State`] when the person was made from another bundle; [`Error::Network`]. The person
    /// stays who it was.
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

    /// Sets all of the clip's audio: interleaved samples, nominally in [-1, 1], of `rate` Hz and
    /// `channels` channels, mixed down to mono. Shorter than the clip: silence follows. Longer: the
    /// rest is not heard. A stream's frames that are pulled from now on say it.
    ///
    /// # Errors
    /// [`Error::NoAudio`] when there is no sample, [`Error::Argument`] when rate, channels or
    /// length cannot be, [`Error::Memory`]; the audio stays what it was.
    pub fn set_audio(&mut self, interleaved: &[f32], rate: u32, channels: u16) -> Result<()> {
        let frames = interleaved.len() as u64 / u64::from(channels.max(1));
        let samples = u128::from(frames) * u128::from(crate::audio::RATE) / u128::from(rate.max(1));
        self.admit_audio(usize::try_from(samples).unwrap_or(usize::MAX))?;
        self.set_samples(to_16k(interleaved, rate, channels)?.into())
    }

    /// As [`set_audio`](Self::set_audio), with mono samples at 16 kHz that clips may share: they are
    /// not copied.
    ///
    /// # Errors
    /// As [`set_audio`](Self::set_audio).
    pub fn set_samples(&mut self, samples: Arc<Vec<f32>>) -> Result<()> {
        if samples.is_empty() {
            return Err(Error::NoAudio("it was set to no sample at all".into()));
        }
        self.admit_audio(samples.len())?;
        self.sound = Sound::Whole(Timeline::whole(samples, self.options.audio_offset));
        self.codes.clear();
        Ok(())
    }

    /// [`Error::Memory`] when so many samples, in the place of the present ones, would be too many.
    fn admit_audio(&self, samples: usize) -> Result<()> {
        let more = samples.saturating_sub(self.held().audio) * size_of::<f32>();
        self.admit(more as u64, "audio")
    }

    /// Notes the faces of the frame `index`, for random access: a frame is smoothed over the
    /// analysed frames within two of it. Call it for every frame of the clip, or at least for those
    /// within two of the frames to be rendered and for the first second; the order is free. A frame
    /// that was analysed is not looked at again: [`forget_analysis`](Self::forget_analysis) first.
    ///
    /// Gives the number of faces seen. Callable from any number of threads at once.
    ///
    /// # Errors
    /// [`Error::Network`] when a network fails; nothing is noted then. [`Error::State`] when a face
    /// is chosen by its number and a later frame is known already: numbers are given in order. Several
    /// threads then [`see`](Self::see), and one [`note`](Self::note)s.
    pub fn analyze(&self, index: i64, frame: &FrameRef<'_>) -> Result<usize> {
        if let Some(known) = self.analysis.read().faces(index) {
            return Ok(known.faces.len());
        }
        self.note(index, &self.see(frame)?, frame)
    }

    /// The second half of [`analyze`](Self::analyze): notes what [`see`](Self::see) found in
    /// `frame`. Tracking takes most of the time and needs no order, numbering takes almost none and
    /// needs the rising one: let several threads `see`, and one `note`, and the numbers do not
    /// depend on the threads.
    ///
    /// # Errors
    /// As [`analyze`](Self::analyze).
    pub fn note(&self, index: i64, sight: &Sight, frame: &FrameRef<'_>) -> Result<usize> {
        let by_number = matches!(self.options.selection, Selection::Id(_));
        let (known, near) = {
            let mut analysis = self.analysis.write();
            if let Some(known) = analysis.faces(index) {
                return Ok(known.faces.len());
            }
            if by_number && !analysis.is_next(index) {
                return Err(Error::State(format!(
                    "frame {index} was analysed after a later one: choosing a face by its number \
                     needs the frames in rising order"
                )));
            }
            analysis.note(index, sight.0.faces.to_vec());
            (analysis.faces(index).cloned(), analysis.is_near(index))
        };
        if let Some(faces) = known.filter(|_| near)
            && let Some(candidate) = self.nominee(&faces, frame)?
        {
            self.analysis.write().nominate(index, candidate);
        }
        Ok(sight.0.faces.len())
    }

    /// The faces of an analysed frame, the tracker's largest first; `None` when it was not analysed.
    pub fn faces(&self, index: i64) -> Option<Vec<SeenFace>> {
        let known = self.numbered(|analysis| analysis.faces(index).cloned())?;
        Some(known.seen())
    }

    /// The frame before which all frames must be analysed for the reference to be the same as if
    /// the whole clip were; `None` while no face was seen that may become it.
    pub fn reference_settled_at(&self) -> Option<i64> {
        self.analysis.read().settled_at()
    }

    /// Forgets what was analysed, for instance when the clip's pictures changed.
    pub fn forget_analysis(&mut self) {
        self.analysis = RwLock::new(Analysis::default());
        self.encoded = Encoded::default();
    }

    /// Renders the frame `index`, whose pixels are `source`, into `target` (same size and format).
    ///
    /// Callable from any number of threads at once. What a frame looks like depends on its index,
    /// its pixels, the audio, the reference and the frames analysed so far.
    ///
    /// # Errors
    /// [`Error::NoAudio`] before [`set_audio`](Self::set_audio), [`Error::State`] when the audio
    /// was pushed, [`Error::Argument`] for an index outside a variable timing, [`Error::Frame`]
    /// when the frames do not fit each other, [`Error::Network`] when a network fails. `target`
    /// holds nothing of worth then.
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
    /// As [`render`](Self::render), and [`Error::Argument`] for a strength outside 0 to 1.
    pub fn render_with(
        &self,
        index: i64,
        source: &FrameRef<'_>,
        target: &mut FrameMut<'_>,
        options: &mut FrameOptions<'_>,
    ) -> Result<Rendered> {
        self.random_access(self.words()?, index, source, target, options)
    }
}

fn look_ahead(engine: &Engine) -> LookAhead {
    let code = crate::latent::REACH * crate::latent::STEP;
    LookAhead {
        frames: analysis::REACH as usize,
        audio: code + engine.mel().reach(0).end,
        reference: CANDIDATES as usize,
    }
}

//! The work itself: frames in, steps, a person out.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use super::descent::Descent;
use super::plan::Plan;
use super::trainer::Trainer;
use super::training_frame::{NO_REFERENCE, TrainingFrame};
use super::{WINDOW, checkpoint};
use crate::clip::{Clip, Reference};
use crate::engine::Engine;
use crate::frame::FrameRef;
use crate::model::{Person, PersonInfo, SyncNet};
use crate::{Error, Result, cancel};

/// Steps between looks at them.
const LOOK: u64 = 50;
/// Looks without a better one after which nothing more is learnt, and by what share better is.
const PATIENCE: u32 = 4;
const BETTER: f32 = 0.995;
/// Steps between checkpoints.
const KEEP: u64 = 25;

/// The weights of equations 8 and 10. 0 leaves a term out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weights {
    /// lambda_1, of the picture (equation 6).
    pub picture: f32,
    /// lambda_2, of the person's own words (equation 7).
    pub sync: f32,
    /// lambda_R, of foreign words (equation 9).
    pub regulariser: f32,
}

impl Default for Weights {
    /// The paper's (section 5.2) are 10, 0.1 and 0.1, to losses of its own. Of ours the sync losses
    /// weigh less: with 0.1 they lose to the picture, and foreign words fit worse with every step.
    fn default() -> Self {
        Self {
            picture: 10.0,
            sync: 1.0,
            regulariser: 1.0,
        }
    }
}

/// How a person is learnt.
#[derive(Debug, Clone, PartialEq)]
pub struct AdaptOptions {
    /// The most steps; 1 to 1,000,000.
    pub steps: u64,
    /// The longest time; `None`: as long as the steps take.
    pub time: Option<Duration>,
    /// Stop when frames that are not learnt from get no better.
    pub plateau: bool,
    /// Adam's rate, above 0 to 0.1; the paper's is 1e-4.
    pub rate: f32,
    /// What the order of frames and foreign words goes by.
    pub seed: u64,
    pub weights: Weights,
    /// The most frames held in memory, some 0.2 MB each; at least 5.
    pub frames: usize,
    /// Where to note how far the work is; taken up from there when it exists.
    pub checkpoint: Option<PathBuf>,
    /// Free text, kept in the person file: who agreed to this, and how.
    pub consent: String,
}

impl Default for AdaptOptions {
    /// 300 steps with the paper's rate.
    fn default() -> Self {
        Self {
            steps: 300,
            time: None,
            plateau: false,
            rate: 1e-4,
            seed: 0,
            weights: Weights::default(),
            frames: 600,
            checkpoint: None,
            consent: String::new(),
        }
    }
}

impl AdaptOptions {
    fn check(&self) -> Result<()> {
        let refuse = |field, reason: String| Err(Error::Argument { field, reason });
        if !(1..=1_000_000).contains(&self.steps) {
            return refuse("steps", format!("{} is not in 1 to 1,000,000", self.steps));
        }
        if !(self.rate > 0.0 && self.rate <= 0.1) {
            return refuse("rate", format!("{} is not above 0 to 0.1", self.rate));
        }
        if self.frames < WINDOW {
            return refuse("frames", format!("{} is less than 5", self.frames));
        }
        if self.time.is_some_and(|time| time.is_zero()) {
            return refuse("time", "is 0".into());
        }
        let Weights {
            picture,
            sync,
            regulariser,
        } = self.weights;
        let weights = [picture, sync, regulariser];
        if weights.iter().any(|w| !(0.0..=1e6).contains(w)) || weights.iter().all(|w| *w == 0.0) {
            return refuse(
                "weights",
                format!("{weights:?} are not in 0 to 1e6, or all 0"),
            );
        }
        Ok(())
    }
}

/// How far the work is, after a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// Steps taken, those before a resumption included.
    pub step: u64,
    /// The most there may be.
    pub steps: u64,
    /// Picture, sync and regulariser of this step, before their weights.
    pub terms: [f32; 3],
    /// The weighted loss of frames that are not learnt from: at first, and when it was last looked
    /// at. `None` for clips too short to hold any out.
    pub held_out: Option<[f32; 2]>,
    pub steps_per_second: f64,
    /// Until the last step or the end of the time.
    pub left: Duration,
}

/// What an [`Adaptation`] finds in the place of its checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// It begins anew.
    Nothing,
    /// It goes on after so many steps.
    Steps(u64),
    /// A checkpoint of another bundle, clip, seed or other weights: [`Adaptation::run`] refuses it.
    OtherWork,
}

/// A person being learnt. Make it from a clip whose frames are analysed and whose audio is set,
/// [`add`](Self::add) the frames that it [`wants`](Self::wants), then [`run`](Self::run) it.
pub struct Adaptation {
    pub(super) engine: Arc<Engine>,
    pub(super) reference: Arc<Reference>,
    pub(super) options: AdaptOptions,
    pub(super) plan: Plan,
    /// SyncNet's vector for each window of the plan.
    pub(super) sounds: Vec<Vec<f32>>,
    /// The frames added so far; `None` where a frame cannot be used.
    pub(super) frames: BTreeMap<i64, Option<TrainingFrame>>,
}

impl Adaptation {
    /// Plans the work.
    ///
    /// # Errors
    /// [`Error::NoFace`], [`Error::NoAudio`]; [`Error::Argument`] for an option out of its range, a
    /// clip shorter than two seconds or of two people; [`Error::Bundle`] for a bundle that cannot
    /// be adapted; [`Error::State`] for a clip whose audio is pushed.
    pub fn new(clip: &Clip, options: AdaptOptions) -> Result<Self> {
        options.check()?;
        let speech = clip.speech()?;
        let engine = clip.engine().clone();
        let plan = Plan::new(clip, options.frames)?;
        let info = engine.info();
        let syncnet = SyncNet::load(engine.bundle(), info.provider.used, info.threads)?;
        let sound = |window: &[i64; WINDOW]| {
            let position = clip.options().timing.position(window[WINDOW / 2])?;
            syncnet.hear(speech.timeline(), position)
        };
        let sounds = plan.windows.iter().map(sound).collect::<Result<_>>()?;
        Ok(Self {
            reference: clip.reference()?.ok_or(NO_REFERENCE)?,
            engine,
            options,
            plan,
            sounds,
            frames: BTreeMap::new(),
        })
    }

    /// Whether the frame `index` is one of those that are learnt from.
    pub fn wants(&self, index: i64) -> bool {
        self.plan.wants(index) && !self.frames.contains_key(&index)
    }

    /// Frames that are still wanted.
    pub fn missing(&self) -> usize {
        let all: std::collections::BTreeSet<_> = self.plan.windows.iter().flatten().collect();
        all.len() - self.frames.len()
    }

    /// Takes the frame `index` of the clip that the work was planned with; one that is not wanted
    /// is not looked at.
    ///
    /// # Errors
    /// [`Error::Network`] when a network fails.
    pub fn add(&mut self, clip: &Clip, index: i64, frame: &FrameRef<'_>) -> Result<()> {
        if self.wants(index) {
            let frame = TrainingFrame::new(clip, index, frame)?;
            self.frames.insert(index, frame);
        }
        Ok(())
    }

    /// Learns. `tell` is called after each step and may end the work with `ControlFlow::Break`; it
    /// can be taken up again where there is a checkpoint.
    ///
    /// # Errors
    /// [`Error::State`] when wanted frames were not added; [`Error::Cancelled`]; [`Error::Person`]
    /// when the checkpoint belongs to other work; [`Error::Write`]; [`Error::Network`].
    pub fn run(&self, mut tell: impl FnMut(&Progress) -> ControlFlow<()>) -> Result<Person> {
        let mut trainer = Trainer::new(self)?;
        let source = self.source();
        let mark = self.mark(&source);
        let parameters = trainer.step.parameters().to_vec();
        let mut descent = match self.stored()? {
            Some(stored) => stored.load(&mark, &parameters)?,
            None => Descent::new(trainer.step.initial(self.engine.bundle())?),
        };
        let keep = |descent: &Descent| match &self.options.checkpoint {
            Some(path) => checkpoint::save(path, &mark, &parameters, descent),
            None => Ok(()),
        };
        let stop = |descent: &Descent| {
            keep(descent)?;
            Err(Error::Cancelled)
        };

        let (begun, first) = (Instant::now(), descent.steps);
        let mut look = Look::new(trainer.held_out(&descent.theta)?);
        while descent.steps < self.options.steps && !look.is_flat(self.options.plateau) {
            let spent = begun.elapsed();
            if self.options.time.is_some_and(|time| spent >= time) {
                break;
            }
            let result = match trainer.step(&descent.theta, &trainer.sample(descent.steps)) {
                Err(Error::Cancelled) => return stop(&descent),
                result => result?,
            };
            descent.step(&result.gradients, self.options.rate);
            let step = descent.steps;
            if step.is_multiple_of(LOOK) {
                match trainer.held_out(&descent.theta) {
                    Err(Error::Cancelled) => return stop(&descent),
                    loss => look.add(loss?),
                }
            }
            let spent = begun.elapsed().as_secs_f64();
            let speed = (step - first) as f64 / spent.max(1e-9);
            let by_steps = (self.options.steps - step) as f64 / speed;
            let by_time = self.options.time.map(|time| time.as_secs_f64() - spent);
            let left = by_steps.min(by_time.unwrap_or(f64::INFINITY)).max(0.0);
            let told = tell(&Progress {
                step,
                steps: self.options.steps,
                terms: result.terms,
                held_out: look.told(),
                steps_per_second: speed,
                left: Duration::try_from_secs_f64(left).unwrap_or(Duration::MAX),
            });
            if told.is_break() || cancel::check().is_err() {
                return stop(&descent);
            }
            if step.is_multiple_of(KEEP) {
                keep(&descent)?;
            }
        }
        keep(&descent)?;
        let manifest = self.engine.bundle().manifest();
        let info = PersonInfo {
            base: self.engine.bundle().identity().to_owned(),
            bundle: format!("{} {}", manifest.name, manifest.version),
            steps: descent.steps,
            seed: self.options.seed,
            source,
            consent: self.options.consent.clone(),
        };
        Ok(Person::new(info, &parameters, &descent.theta))
    }

    /// What lies where the checkpoint of this work would. Goes by the frames added so far: ask when
    /// none is [`missing`](Self::missing).
    ///
    /// # Errors
    /// [`Error::Read`]; [`Error::Person`] when the file there is no checkpoint.
    pub fn found(&self) -> Result<Found> {
        Ok(match self.stored()? {
            None => Found::Nothing,
            Some(stored) if stored.is_of(&self.mark(&self.source())) => {
                Found::Steps(stored.steps())
            }
            Some(_) => Found::OtherWork,
        })
    }

    fn stored(&self) -> Result<Option<checkpoint::Stored>> {
        match &self.options.checkpoint {
            Some(path) => checkpoint::read(path),
            None => Ok(None),
        }
    }

    /// The hash of what is learnt from.
    fn source(&self) -> String {
        let mut source = Sha256::new();
        for frame in self.frames.values().flatten() {
            source.update(frame.bytes());
        }
        hex::encode(source.finalize())
    }

    /// What two runs must have in common for one to go on with the other's checkpoint.
    fn mark(&self, source: &str) -> String {
        let AdaptOptions {
            rate,
            seed,
            weights,
            ..
        } = &self.options;
        let base = self.engine.bundle().identity();
        format!("{base} {source} {seed} {rate} {weights:?}")
    }
}

/// The losses of what is held out, as they come.
struct Look {
    first: Option<f32>,
    last: Option<f32>,
    best: f32,
    since: u32,
}

impl Look {
    fn new(first: Option<f32>) -> Self {
        Self {
            first,
            last: first,
            best: first.unwrap_or(f32::INFINITY),
            since: 0,
        }
    }

    fn add(&mut self, loss: Option<f32>) {
        let Some(loss) = loss else { return };
        self.last = Some(loss);
        self.since += 1;
        if loss < self.best * BETTER {
            (self.best, self.since) = (loss, 0);
        }
    }

    fn is_flat(&self, asked: bool) -> bool {
        asked && self.since >= PATIENCE
    }

    fn told(&self) -> Option<[f32; 2]> {
        Some([self.first?, self.last?])
    }
}

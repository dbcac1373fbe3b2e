//! The adaptation job: takes frames, runs the training loop and returns a person.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use super::adam::Adam;
use super::data::TrainingData;
use super::options::{AdaptOptions, Found, Progress};
use super::plan::Plan;
use super::plateau::PlateauMonitor;
use super::trainer::Trainer;
use super::training_frame::{NO_REFERENCE, TrainingFrame};
use super::{SYNC_FRAMES, checkpoint};
use crate::clip::Clip;
use crate::frame::FrameRef;
use crate::model::{Person, PersonInfo, SyncNet};
use crate::{Error, Result, cancel};

/// Steps between evaluations of the held-out frames.
const EVALUATE_EVERY: u64 = 50;
/// Steps between checkpoints.
const SAVE_EVERY: u64 = 25;

/// The training of a person's decoder. Make it from a clip whose frames are analysed and whose
/// audio is set, [`add`](Self::add) the frames that it [`wants`](Self::wants), then
/// [`run`](Self::run) it.
pub struct Adaptation {
    data: TrainingData,
}

impl Adaptation {
    /// Chooses the frames to train on.
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
        let mut hearing = syncnet.listen(speech.timeline());
        let sound = |window: &[i64; SYNC_FRAMES]| {
            hearing.at(clip.options().timing.position(window[SYNC_FRAMES / 2])?)
        };
        let sounds = plan.windows.iter().map(sound).collect::<Result<_>>()?;
        let profile = clip.profile()?.ok_or(NO_REFERENCE)?;
        let data = TrainingData {
            reference: profile.first().ok_or(NO_REFERENCE)?.anchor().clone(),
            engine,
            options,
            plan,
            sounds,
            frames: BTreeMap::new(),
        };
        Ok(Self { data })
    }

    /// Whether the frame `index` is one to train on that was not added yet.
    pub fn wants(&self, index: i64) -> bool {
        self.data.wants(index)
    }

    /// Frames that are still wanted.
    pub fn missing(&self) -> usize {
        self.data.missing()
    }

    /// Adds the frame `index` of the clip that this was made from. A frame that is not wanted is
    /// ignored.
    ///
    /// # Errors
    /// [`Error::Network`] when a network fails.
    pub fn add(&mut self, clip: &Clip, index: i64, frame: &FrameRef<'_>) -> Result<()> {
        if self.wants(index) {
            let frame = TrainingFrame::new(clip, index, frame)?;
            self.data.frames.insert(index, frame);
        }
        Ok(())
    }

    /// Trains. `tell` is called after each step and may stop the training with
    /// `ControlFlow::Break`; with a checkpoint it can be resumed later.
    ///
    /// # Errors
    /// [`Error::State`] when wanted frames were not added; [`Error::Cancelled`]; [`Error::Person`]
    /// when the checkpoint belongs to another training; [`Error::Write`]; [`Error::Network`].
    pub fn run(&self, mut tell: impl FnMut(&Progress) -> ControlFlow<()>) -> Result<Person> {
        let mut trainer = Trainer::new(&self.data)?;
        let TrainingData {
            engine, options, ..
        } = &self.data;
        let source = self.data.source();
        let mark = self.data.mark(&source);
        let parameters = trainer.step.parameters().to_vec();
        let mut adam = match self.stored()? {
            Some(stored) => stored.load(&mark, &parameters)?,
            None => Adam::new(trainer.step.initial(engine.bundle())?),
        };
        let keep = |adam: &Adam| match &options.checkpoint {
            Some(path) => checkpoint::save(path, &mark, &parameters, adam),
            None => Ok(()),
        };
        let stop = |adam: &Adam| {
            keep(adam)?;
            Err(Error::Cancelled)
        };

        let (begun, first) = (Instant::now(), adam.steps);
        let mut plateau = PlateauMonitor::new(trainer.held_out(&adam.theta)?);
        while adam.steps < options.steps && !(options.plateau && plateau.is_reached()) {
            let spent = begun.elapsed();
            if options.time.is_some_and(|time| spent >= time) {
                break;
            }
            let result = match trainer.step(&adam.theta, &trainer.sample(adam.steps)) {
                Err(Error::Cancelled) => return stop(&adam),
                result => result?,
            };
            adam.step(&result.gradients, options.rate);
            let step = adam.steps;
            if step.is_multiple_of(EVALUATE_EVERY) {
                match trainer.held_out(&adam.theta) {
                    Err(Error::Cancelled) => return stop(&adam),
                    loss => plateau.add(loss?),
                }
            }
            let spent = begun.elapsed().as_secs_f64();
            let speed = (step - first) as f64 / spent.max(1e-9);
            let by_steps = (options.steps - step) as f64 / speed;
            let by_time = options.time.map(|time| time.as_secs_f64() - spent);
            let left = by_steps.min(by_time.unwrap_or(f64::INFINITY)).max(0.0);
            let told = tell(&Progress {
                step,
                steps: options.steps,
                terms: result.terms,
                held_out: plateau.first_and_last(),
                steps_per_second: speed,
                left: Duration::try_from_secs_f64(left).unwrap_or(Duration::MAX),
            });
            if told.is_break() || cancel::check().is_err() {
                return stop(&adam);
            }
            if step.is_multiple_of(SAVE_EVERY) {
                keep(&adam)?;
            }
        }
        keep(&adam)?;
        let manifest = engine.bundle().manifest();
        let info = PersonInfo {
            base: engine.bundle().identity().to_owned(),
            bundle: format!("{} {}", manifest.name, manifest.version),
            steps: adam.steps,
            seed: options.seed,
            source,
            consent: options.consent.clone(),
            consent_record: options.consent_record.clone(),
        };
        Ok(Person::new(info, &parameters, &adam.theta))
    }

    /// What is at the path of the checkpoint, compared with the frames added so far: call it when
    /// none is [`missing`](Self::missing).
    ///
    /// # Errors
    /// [`Error::Read`]; [`Error::Person`] when the file there is no checkpoint.
    pub fn found(&self) -> Result<Found> {
        Ok(match self.stored()? {
            None => Found::Nothing,
            Some(stored) if stored.is_of(&self.data.mark(&self.data.source())) => {
                Found::Steps(stored.steps())
            }
            Some(_) => Found::OtherWork,
        })
    }

    fn stored(&self) -> Result<Option<checkpoint::Stored>> {
        match &self.data.options.checkpoint {
            Some(path) => checkpoint::read(path),
            None => Ok(None),
        }
    }
}

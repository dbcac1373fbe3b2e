//! One step: what it is drawn from, and what the graph is given.

use std::sync::Arc;

use super::WINDOW;
use super::job::{Adaptation, Weights};
use super::moments::Held;
use crate::clip::Reference;
use crate::face::Carry;
use crate::face::lips::mouth_points;
use crate::latent::{AudioCode, REACH, smooth_code};
use crate::model::adaptation::{Bank, Step, StepInputs, StepResult, Words};
use crate::{Error, Result};

/// Every which window is held out.
const HELD_OUT: usize = 8;
/// The most windows that are held out: each look at them costs as many steps.
const MOST_HELD_OUT: usize = 3;

/// Where foreign words begin: a stream of the bank, and the first of five frames in it.
type Foreign = (usize, usize);

/// What a step learns from.
pub(super) struct Draw {
    window: usize,
    foreign: Foreign,
    /// The frame of the person that is the reference; `None`, in half of the draws: the clip's own.
    /// A person who is learnt with one reference alone is that picture's: rendered with another
    /// they look no better than before. With other references alone, they lose likeness: the one
    /// that a clip chooses for itself shows more than most.
    reference: Option<i64>,
}

/// Everything that a step needs, and its scratch.
pub(super) struct Trainer<'a> {
    job: &'a Adaptation,
    pub step: Step,
    bank: Bank,
    /// Windows all of whose frames have a face, those that are learnt from first.
    windows: Vec<usize>,
    learnt: usize,
    carry: Carry,
    inputs: StepInputs,
    stacked: Vec<f32>,
    points: Vec<f32>,
    carried: Vec<f32>,
}

impl<'a> Trainer<'a> {
    pub fn new(job: &'a Adaptation) -> Result<Self> {
        if job.missing() > 0 {
            return Err(Error::State(format!(
                "{} of the frames that are learnt from were not added",
                job.missing()
            )));
        }
        let whole = |window: &[i64; WINDOW]| {
            let held = |at: &i64| job.held.get(at).is_some_and(Option::is_some);
            window.iter().all(held)
        };
        let windows = job.plan.windows.iter().enumerate();
        let usable: Vec<usize> = windows
            .filter(|(_, w)| whole(w))
            .map(|(at, _)| at)
            .collect();
        if usable.is_empty() {
            return Err(Error::NoFace("the person's clip"));
        }
        // Windows of a clip too short for it are all learnt from.
        let out = |order: usize| usable.len() >= HELD_OUT && order % HELD_OUT == HELD_OUT / 2;
        let part = |held: bool| {
            let order = usable.iter().enumerate();
            order
                .filter(move |(order, _)| out(*order) == held)
                .map(|(_, at)| *at)
        };
        let learnt = part(false).count();
        let windows = part(false).chain(part(true)).collect();
        let engine = &job.engine;
        let info = engine.info();
        let (provider, threads) = (info.provider.used, info.threads);
        Ok(Self {
            job,
            step: Step::load(engine.bundle(), provider, threads)?,
            bank: Bank::load(engine.bundle(), provider, threads)?,
            windows,
            learnt,
            carry: Carry::default(),
            inputs: StepInputs::default(),
            stacked: Vec::new(),
            points: Vec::new(),
            carried: Vec::new(),
        })
    }

    /// What the step after so many is made from: a function of the seed and their number.
    pub fn draw(&self, steps: u64) -> Draw {
        let mut state = self.job.options.seed ^ steps.wrapping_mul(0xA076_1D64_78BD_642F);
        let mut below = |limit: usize| (splitmix(&mut state) % limit as u64) as usize;
        let order = below(self.learnt);
        let foreign = (below(self.bank.streams()), self.within(below(usize::MAX)));
        // Another window's frame: the step's own would show the answer.
        let reference = (self.learnt > 1 && below(2) == 0).then(|| {
            let other = (order + 1 + below(self.learnt - 1)) % self.learnt;
            self.job.plan.windows[self.windows[other]][below(WINDOW)]
        });
        Draw {
            window: self.windows[order],
            foreign,
            reference,
        }
    }

    /// A frame of the bank that has enough others round it.
    fn within(&self, number: usize) -> usize {
        let reach = REACH as usize;
        reach + number % (self.bank.frames() - WINDOW - 2 * reach + 1)
    }

    /// The mean weighted loss of what is held out, with the same foreign words each time.
    pub fn held_out(&mut self, theta: &[Vec<f32>]) -> Result<Option<f32>> {
        let held = self.windows[self.learnt..].to_vec();
        let held = &held[..held.len().min(MOST_HELD_OUT)];
        let mut sum = 0.0;
        for (number, window) in held.iter().enumerate() {
            let draw = Draw {
                window: *window,
                foreign: (number % self.bank.streams(), self.within(number * 7)),
                reference: None,
            };
            let terms = self.step(theta, &draw)?.terms;
            let weights = self.weights();
            sum += terms.iter().zip(weights).map(|(t, w)| t * w).sum::<f32>();
        }
        Ok((!held.is_empty()).then(|| sum / held.len() as f32))
    }

    fn weights(&self) -> [f32; 3] {
        let Weights {
            picture,
            sync,
            regulariser,
        } = self.job.options.weights;
        [picture, sync, regulariser]
    }

    /// Losses and gradients of a step.
    pub fn step(&mut self, theta: &[Vec<f32>], draw: &Draw) -> Result<StepResult> {
        self.gather(draw)?;
        self.step.run(theta, &self.inputs, self.weights())
    }

    fn held(&self, at: i64) -> Result<&'a Held> {
        let held = self.job.held.get(&at).and_then(Option::as_ref);
        held.ok_or_else(|| Error::State(format!("frame {at} was not added")))
    }

    /// Fills the inputs.
    fn gather(&mut self, draw: &Draw) -> Result<()> {
        let job = self.job;
        let reference = match draw.reference {
            Some(at) => {
                let candidate = self.held(at)?.candidate();
                Arc::new(Reference::encode(&job.engine, &candidate)?)
            }
            None => job.reference.clone(),
        };
        let StepInputs {
            target,
            hole,
            own,
            foreign,
        } = &mut self.inputs;
        target.clear();
        hole.clear();
        for words in [&mut *own, &mut *foreign] {
            words.lips.clear();
            words.code.clear();
            words.carried.clear();
        }
        own.sound.clone_from(&job.sounds[draw.window]);
        let (stream, first) = draw.foreign;
        foreign.sound.clear();
        let sound = self.bank.sound(stream, first + WINDOW / 2);
        foreign.sound.extend_from_slice(sound);

        let heard = self.foreign_codes(draw.foreign)?;
        let mals = &job.engine.networks().mals;
        for (frame, at) in job.plan.windows[draw.window].iter().enumerate() {
            let held = self.held(*at)?;
            held.unpack(&mut self.inputs.target, &mut self.inputs.hole);
            let other = std::array::from_fn(|k| heard[frame + k].clone());
            for (foreign, round) in [(false, &held.moment.heard), (true, &other)] {
                let smooth = smooth_code(mals, &reference.code, round, &mut self.stacked)?;
                self.say(held, &reference, &smooth.shape)?;
                let lips = 2 * job.engine.face_model().lips().len();
                let words: &mut Words = match foreign {
                    false => &mut self.inputs.own,
                    true => &mut self.inputs.foreign,
                };
                words.lips.extend_from_slice(&self.points[..lips]);
                words.code.extend_from_slice(&smooth.code);
                words.carried.extend_from_slice(&self.carried);
            }
        }
        Ok(())
    }

    /// The codes of five frames of foreign words and of those round them.
    fn foreign_codes(&self, (stream, first): Foreign) -> Result<Vec<Arc<AudioCode>>> {
        let reach = REACH as usize;
        let code = |frame: usize| {
            let shape = self.bank.shape(stream, frame).to_vec();
            let code = self.bank.code_of(&shape)?;
            Ok(Arc::new(AudioCode { code, shape }))
        };
        (first - reach..first + WINDOW + reach).map(code).collect()
    }

    /// Points and carried picture of a mouth on a frame's face.
    fn say(&mut self, held: &Held, reference: &Reference, shape: &[f32]) -> Result<()> {
        let engine = &self.job.engine;
        let (moment, identity) = (&held.moment, reference.identity.as_slice());
        let model = engine.face_model();
        let points = &mut self.points;
        mouth_points(model, &moment.pose, identity, shape, &moment.map, points);
        let (Some(protocol), Some(shown)) = (engine.carry(), &reference.shown) else {
            return Err(Error::State(
                "the bundle's generator is not given a reference".into(),
            ));
        };
        let (picture, seen) = (&shown.picture, &shown.points);
        self.carry
            .draw(picture, seen, points, protocol, &mut self.carried);
        Ok(())
    }
}

/// A number from a state that moves on (SplitMix64).
fn splitmix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

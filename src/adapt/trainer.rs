//! One training step: samples a batch and builds the inputs of the step's graph.

use std::sync::Arc;

use super::SYNC_FRAMES;
use super::data::TrainingData;
use super::options::Weights;
use super::training_frame::TrainingFrame;
use crate::clip::{Reference, ReferenceImage};
use crate::face::ReferenceWarp;
use crate::face::lips::mouth_points;
use crate::latent::{CODE_REACH, MouthShape, Movement, mouth_shape, move_shapes, smooth_code};
use crate::model::adaptation::{Bank, Condition, Step, StepInputs, StepResult};
use crate::{Error, Result};

/// One of this many windows is held out for validation.
const HELD_OUT: usize = 8;
/// The most windows that are evaluated for validation: each costs as much as a step.
const MOST_HELD_OUT: usize = 3;

/// Where unpaired speech begins: a stream of the bank, and the first of five frames in it.
type Unpaired = (usize, usize);

/// What a step is trained on.
pub(super) struct TrainingSample {
    window: usize,
    unpaired: Unpaired,
    /// The frame of the person that is the reference; `None`, in half of the samples: the clip's
    /// own. Training with one reference only fits that picture: rendered with another, the person
    /// looks no better than before. Training with other references only loses likeness: the one
    /// that a clip chooses shows more than most.
    reference: Option<i64>,
}

/// Everything that a step needs, and its buffers.
pub(super) struct Trainer<'a> {
    data: &'a TrainingData,
    pub step: Step,
    bank: Bank,
    /// Windows all of whose frames have a face; the training windows first, then the held-out ones.
    windows: Vec<usize>,
    /// How many of them are training windows.
    training: usize,
    warp: ReferenceWarp,
    inputs: StepInputs,
    moved: Vec<f32>,
    points: Vec<f32>,
    carried: Vec<f32>,
}

impl<'a> Trainer<'a> {
    pub fn new(data: &'a TrainingData) -> Result<Self> {
        if data.missing() > 0 {
            return Err(Error::State(format!(
                "{} of the frames to train on were not added",
                data.missing()
            )));
        }
        let whole = |window: &[i64; SYNC_FRAMES]| {
            let usable = |at: &i64| data.frames.get(at).is_some_and(Option::is_some);
            window.iter().all(usable)
        };
        let windows = data.plan.windows.iter().enumerate();
        let usable: Vec<usize> = windows
            .filter(|(_, w)| whole(w))
            .map(|(at, _)| at)
            .collect();
        if usable.is_empty() {
            return Err(Error::NoFace("the person's clip"));
        }
        // A clip too short to hold any out is trained on as a whole.
        let out = |order: usize| usable.len() >= HELD_OUT && order % HELD_OUT == HELD_OUT / 2;
        let part = |held: bool| {
            let order = usable.iter().enumerate();
            order
                .filter(move |(order, _)| out(*order) == held)
                .map(|(_, at)| *at)
        };
        let training = part(false).count();
        let windows = part(false).chain(part(true)).collect();
        let engine = &data.engine;
        let info = engine.info();
        let (provider, threads) = (info.provider.used, info.threads);
        Ok(Self {
            data,
            step: Step::load(engine.bundle(), provider, threads)?,
            bank: Bank::load(engine.bundle())?,
            windows,
            training,
            warp: ReferenceWarp::default(),
            inputs: StepInputs::default(),
            moved: Vec::new(),
            points: Vec::new(),
            carried: Vec::new(),
        })
    }

    /// The sample of the step after `steps` others: a function of the seed and of that number.
    pub fn sample(&self, steps: u64) -> TrainingSample {
        let mut state = self.data.options.seed ^ steps.wrapping_mul(0xA076_1D64_78BD_642F);
        let mut below = |limit: usize| (splitmix(&mut state) % limit as u64) as usize;
        let order = below(self.training);
        let unpaired = (below(self.bank.streams()), self.within(below(usize::MAX)));
        // A frame of another window: a frame of the step's own would show the answer.
        let reference = (self.training > 1 && below(2) == 0).then(|| {
            let other = (order + 1 + below(self.training - 1)) % self.training;
            self.data.plan.windows[self.windows[other]][below(SYNC_FRAMES)]
        });
        TrainingSample {
            window: self.windows[order],
            unpaired,
            reference,
        }
    }

    /// A frame of the bank that has enough others before and after it.
    fn within(&self, number: usize) -> usize {
        let reach = CODE_REACH as usize;
        reach + number % (self.bank.frames() - SYNC_FRAMES - 2 * reach + 1)
    }

    /// The mean weighted loss of the held-out windows, with the same unpaired speech each time.
    pub fn held_out(&mut self, theta: &[Vec<f32>]) -> Result<Option<f32>> {
        let held = self.windows[self.training..].to_vec();
        let held = &held[..held.len().min(MOST_HELD_OUT)];
        let mut sum = 0.0;
        for (number, window) in held.iter().enumerate() {
            let sample = TrainingSample {
                window: *window,
                unpaired: (number % self.bank.streams(), self.within(number * 7)),
                reference: None,
            };
            let terms = self.step(theta, &sample)?.terms;
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
        } = self.data.options.weights;
        [picture, sync, regulariser]
    }

    /// Losses and gradients of a step.
    pub fn step(&mut self, theta: &[Vec<f32>], sample: &TrainingSample) -> Result<StepResult> {
        self.fill(sample)?;
        self.step.run(theta, &self.inputs, self.weights())
    }

    fn frame(&self, at: i64) -> Result<&'a TrainingFrame> {
        let frame = self.data.frames.get(&at).and_then(Option::as_ref);
        frame.ok_or_else(|| Error::State(format!("frame {at} was not added")))
    }

    /// Fills the step's inputs.
    fn fill(&mut self, sample: &TrainingSample) -> Result<()> {
        let data = self.data;
        let reference = match sample.reference {
            Some(at) => Arc::new(self.frame(at)?.reference(&data.engine)?),
            None => data.reference.clone(),
        };
        let StepInputs {
            target,
            hole,
            own,
            unpaired,
        } = &mut self.inputs;
        target.clear();
        hole.clear();
        for condition in [&mut *own, &mut *unpaired] {
            condition.lips.clear();
            condition.code.clear();
            condition.carried.clear();
        }
        own.sound.clone_from(&data.sounds[sample.window]);
        let (stream, first) = sample.unpaired;
        unpaired.sound.clear();
        let sound = self.bank.sound(stream, first + SYNC_FRAMES / 2);
        unpaired.sound.extend_from_slice(sound);

        let unpaired_shapes = self.unpaired_shapes(sample.unpaired);
        let networks = data.engine.networks();
        for (number, at) in data.plan.windows[sample.window].iter().enumerate() {
            let frame = self.frame(*at)?;
            frame.unpack(&mut self.inputs.target, &mut self.inputs.hole);
            let other = std::array::from_fn(|k| unpaired_shapes[number + k].clone());
            for (is_unpaired, shapes) in [(false, &frame.shapes), (true, &other)] {
                move_shapes(shapes, Movement::UNCHANGED, &mut self.moved);
                let code = smooth_code(networks, &reference.code, &self.moved)?;
                let shape = mouth_shape(&self.moved);
                self.draw_mouth(frame, &reference, &shape)?;
                let lips = 2 * data.engine.face_model().lips().len();
                let condition: &mut Condition = match is_unpaired {
                    false => &mut self.inputs.own,
                    true => &mut self.inputs.unpaired,
                };
                condition.lips.extend_from_slice(&self.points[..lips]);
                condition.code.extend_from_slice(&code);
                condition.carried.extend_from_slice(&self.carried);
            }
        }
        Ok(())
    }

    /// The mouth shapes of five frames of unpaired speech and of the frames before and after them.
    fn unpaired_shapes(&self, (stream, first): Unpaired) -> Vec<MouthShape> {
        let reach = CODE_REACH as usize;
        (first - reach..first + SYNC_FRAMES + reach)
            .map(|frame| self.bank.shape(stream, frame).into())
            .collect()
    }

    /// Points of a mouth shape on a frame's face, and the reference's picture warped to it.
    fn draw_mouth(
        &mut self,
        frame: &TrainingFrame,
        reference: &Reference,
        shape: &[f32],
    ) -> Result<()> {
        let engine = &self.data.engine;
        let identity = reference.identity.as_slice();
        let model = engine.face_model();
        let points = &mut self.points;
        mouth_points(model, &frame.pose, identity, shape, &frame.map, points);
        let Some(protocol) = engine.reference_warp() else {
            return Err(Error::State(
                "the bundle's generator is not given a reference".into(),
            ));
        };
        let ReferenceImage {
            picture,
            points: shown,
            ..
        } = &*reference.image;
        self.warp
            .draw(picture, shown, points, protocol, &mut self.carried);
        Ok(())
    }
}

/// The next number of a SplitMix64 generator.
fn splitmix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

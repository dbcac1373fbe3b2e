//! What is learnt from: windows of five frames in which one person is seen to speak.

use crate::clip::{Candidate, Clip, Moment};
use crate::latent::STEP;
use crate::{Error, Result};

use super::WINDOW;

/// The least that a person is learnt from, in samples at 16 kHz: two seconds.
const SHORTEST: i64 = 32_000;
/// Share of the frames that another person may be in.
const OTHERS: f64 = 0.1;

/// The frames of a clip that are looked at, and how they go together.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Plan {
    /// Each five frames, 40 ms apart.
    pub windows: Vec<[i64; WINDOW]>,
}

impl Plan {
    /// Plans at most `most` frames over all of an analysed clip, evenly.
    ///
    /// # Errors
    /// [`Error::NoFace`]; [`Error::Argument`] for a clip that is too short, or of two people.
    pub fn new(clip: &Clip, most: usize) -> Result<Self> {
        let seen = clip.speakers()?;
        let Some((first, last)) = seen.first().zip(seen.last()) else {
            return Err(Error::NoFace("the person's clip: analyse its frames first"));
        };
        let refuse = |reason: String| Error::Argument {
            field: "person's clip",
            reason,
        };
        let shown: Vec<_> = seen.iter().filter(|frame| frame.id.is_some()).collect();
        if shown.is_empty() {
            return Err(Error::NoFace("the person's clip"));
        }
        let length = last.position - first.position + STEP;
        if length < SHORTEST {
            let seconds = length as f64 / 16_000.0;
            return Err(refuse(format!(
                "lasts {seconds:.1} s; a person is learnt from 2 s at least"
            )));
        }
        let crowded = seen.iter().filter(|frame| frame.others).count();
        if crowded as f64 > OTHERS * seen.len() as f64 {
            return Err(refuse(format!(
                "shows two people in {crowded} of {} frames: choose one by its number, or cut it",
                seen.len()
            )));
        }
        let leading = shown[0].id;
        let strangers = shown.iter().filter(|frame| frame.id != leading).count();
        if strangers as f64 > OTHERS * shown.len() as f64 {
            return Err(refuse(format!(
                "shows one person and then another ({strangers} of {} frames): cut it",
                shown.len()
            )));
        }
        let nearest = |position: i64| {
            let after = seen.partition_point(|frame| frame.position < position);
            let around = [after.checked_sub(1), Some(after)];
            let frames = around.into_iter().flatten().filter_map(|at| seen.get(at));
            frames
                .min_by_key(|frame| (frame.position - position).abs())
                .filter(|frame| (frame.position - position).abs() <= STEP / 2)
                .filter(|frame| frame.id == leading)
                .map(|frame| frame.index)
        };
        let mut windows = Vec::new();
        let mut position = first.position;
        while position <= last.position {
            let frames: [Option<i64>; WINDOW] =
                std::array::from_fn(|k| nearest(position + k as i64 * STEP));
            match frames.iter().position(Option::is_none) {
                None => {
                    windows.push(frames.map(Option::unwrap_or_default));
                    position += WINDOW as i64 * STEP;
                }
                Some(missing) => position += (missing as i64 + 1) * STEP,
            }
        }
        if windows.is_empty() {
            return Err(refuse(
                "has no five frames in a row in which its person is seen".into(),
            ));
        }
        let count = windows.len().min((most / WINDOW).max(1));
        let total = windows.len();
        let windows = (0..count).map(|k| windows[k * total / count]).collect();
        Ok(Self { windows })
    }

    /// Whether the frame `index` is looked at.
    pub fn wants(&self, index: i64) -> bool {
        self.windows.iter().flatten().any(|at| *at == index)
    }
}

/// One frame of the person, as small as it can be held: the crop as bytes, the hole as bits.
#[derive(Debug, Clone)]
pub(super) struct Held {
    crop: Vec<u8>,
    hole: Vec<u8>,
    pub moment: Moment,
}

impl Held {
    /// Takes the pictures out of a moment.
    pub fn new(mut moment: Moment) -> Self {
        let byte = |v: &f32| ((v + 1.0) * 127.5).round().clamp(0.0, 255.0) as u8;
        let crop = std::mem::take(&mut moment.crop);
        let hole = std::mem::take(&mut moment.hole);
        let bits = |bits: &[bool]| {
            let set = bits.iter().enumerate().filter(|(_, hole)| **hole);
            set.fold(0u8, |byte, (at, _)| byte | 1 << at)
        };
        Self {
            crop: crop.iter().map(byte).collect(),
            hole: hole.chunks(8).map(bits).collect(),
            moment,
        }
    }

    /// The crop's bytes: what the person's tensors were learnt from.
    pub fn bytes(&self) -> &[u8] {
        &self.crop
    }

    /// The frame as a reference.
    pub fn candidate(&self) -> Candidate {
        Candidate {
            score: 0.0,
            crop: self.crop.iter().map(real).collect(),
            identity: self.moment.identity.clone(),
            points: self.moment.points.clone(),
        }
    }

    /// Adds the crop, [3, image, image], and the hole, [image, image], to a step's.
    pub fn unpack(&self, target: &mut Vec<f32>, hole: &mut Vec<f32>) {
        target.extend(self.crop.iter().map(real));
        let area = self.crop.len() / 3;
        hole.extend((0..area).map(|at| f32::from(self.hole[at / 8] >> (at % 8) & 1)));
    }
}

fn real(byte: &u8) -> f32 {
    f32::from(*byte) / 127.5 - 1.0
}

//! Finds the mark in the frames of a clip.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::tracks::Tracks;
use super::{FrameFaces, Neighbours};
use crate::Result;
use crate::engine::Engine;
use crate::face::crop::IMAGE;
use crate::face::{Face, Mask};
use crate::frame::{BorderMode, FrameRef, OwnedFrame, Sampler, ToneMap, Transfer};
use crate::mark::{Code, MarkId, Reader, Sum};
use crate::track::Selection;

/// The probability by chance up to which a mark counts as found.
const CHANCE: f64 = 1e-7;
/// The logarithm of the odds of each symbol from which the identifier counts as read: 1000 to 1.
const ODDS: f64 = 6.9;
/// Faces whose sums are kept apart; of more, those seen in the most frames.
const MOST_FACES: usize = 64;

/// Looks for the mark in frames that are pushed in their order. It holds three of them, whatever the
/// clip's length. Not thread-safe: one thread at a time.
pub struct Detector {
    engine: Arc<Engine>,
    transfer: Transfer,
    tracks: Tracks,
    waiting: VecDeque<OwnedFrame>,
    /// Index of the next frame pushed, and of the first that waits.
    next: i64,
    /// By the face's number.
    sums: BTreeMap<u32, Sum>,
    all: Sum,
    buffers: Buffers,
}

/// What a clip's frames say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Detection {
    /// Whether there is a mark.
    pub found: bool,
    /// The identifier, where a mark was found and can be read.
    pub id: Option<MarkId>,
    /// How well the frames agree with the mark, in standard deviations of chance; from about 5.8 on a mark
    /// counts as found, more where there are many faces.
    pub score: f64,
    /// An upper bound of the probability of such a score without a mark.
    pub chance: f64,
    /// Frames pushed.
    pub frames: u64,
    /// Of these, frames with a face.
    pub faces: u64,
}

#[derive(Default)]
struct Buffers {
    sampler: Sampler,
    mask: Mask,
    reader: Reader,
    crop: Vec<f32>,
    spare: Vec<u8>,
}

impl Detector {
    /// A detector for a clip whose pixel values relate to light like this.
    pub fn new(engine: Arc<Engine>, transfer: Transfer) -> Self {
        Self {
            engine,
            transfer,
            tracks: Tracks::default(),
            waiting: VecDeque::new(),
            next: 0,
            sums: BTreeMap::new(),
            all: Sum::default(),
            buffers: Buffers::default(),
        }
    }

    /// Takes the next frame.
    ///
    /// # Errors
    /// [`Error::Network`](crate::Error::Network), [`Error::Memory`](crate::Error::Memory),
    /// [`Error::Frame`](crate::Error::Frame).
    pub fn push(&mut self, frame: &FrameRef<'_>) -> Result<()> {
        let seen = self
            .engine
            .tracker()
            .track(self.engine.networks(), frame, self.transfer)?;
        let spare = std::mem::take(&mut self.buffers.spare);
        self.waiting.push_back(OwnedFrame::copy_of(frame, spare)?);
        self.tracks.add(self.next, FrameFaces::alone(seen));
        self.next += 1;
        if self.waiting.len() > Neighbours::REACH {
            self.read_first()?;
        }
        Ok(())
    }

    /// The result for the frames so far. More may follow.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn detect(&mut self) -> Result<Detection> {
        self.detect_key(&Code::default())
    }

    /// As [`detect`](Self::detect), with a key that no mark is made with: for measuring how often a mark is
    /// found by mistake.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn detect_with(&mut self, key: &[u8]) -> Result<Detection> {
        self.detect_key(&Code::of(key))
    }

    fn detect_key(&mut self, code: &Code) -> Result<Detection> {
        while !self.waiting.is_empty() {
            self.read_first()?;
        }
        let sums = std::iter::once(&self.all).chain(self.sums.values());
        let tried = 1 + self.sums.len();
        let best = sums
            .map(|sum| sum.read(code))
            .max_by(|a, b| a.score.total_cmp(&b.score));
        let (score, id, odds) =
            best.map_or((0.0, None, 0.0), |best| (best.score, best.id, best.odds));
        let score = score.max(0.0);
        let chance = (tried as f64 * (-score * score / 2.0).exp()).min(1.0);
        let found = chance <= CHANCE;
        Ok(Detection {
            found,
            id: id.filter(|_| found && odds >= ODDS),
            score,
            chance,
            frames: self.next as u64,
            faces: self.all.frames,
        })
    }

    /// Reads the first waiting frame, whose neighbours are known, and drops it.
    fn read_first(&mut self) -> Result<()> {
        let Some(frame) = self.waiting.pop_front() else {
            return Ok(());
        };
        let index = self.next - 1 - self.waiting.len() as i64;
        if let Some(neighbours) = self.tracks.neighbours(index) {
            let view = frame.view()?;
            for seen in neighbours.middle.list() {
                let speaker = neighbours.speaker(Selection::Id(seen.id), self.engine.crop());
                if let Some(speaker) = speaker {
                    self.read_face(seen.id, &speaker.smoothed, &view)?;
                }
            }
        }
        self.tracks
            .forget_before(index + 1 - Neighbours::REACH as i64);
        self.buffers.spare = frame.into_bytes();
        Ok(())
    }

    fn read_face(&mut self, id: u32, face: &Face, frame: &FrameRef<'_>) -> Result<()> {
        let Buffers {
            sampler,
            mask,
            reader,
            crop,
            ..
        } = &mut self.buffers;
        let map = self.engine.crop().place(&face.pose);
        crop.resize(3 * IMAGE * IMAGE, 0.0);
        let tone = ToneMap::of(frame, &map, IMAGE);
        sampler.sample_with(
            frame,
            (self.transfer, &tone),
            &map,
            IMAGE,
            BorderMode::Edge,
            crop,
        )?;
        mask.draw(
            self.engine.face_model(),
            face,
            &face.identity,
            &map,
            self.engine.mask(),
        );
        let seen = reader.read(crop, mask.alpha());
        self.all.add(&seen);
        if self.sums.len() >= MOST_FACES && !self.sums.contains_key(&id) {
            let least = self.sums.iter().min_by_key(|(_, sum)| sum.frames);
            if let Some(least) = least.map(|(id, _)| *id) {
                self.sums.remove(&least);
            }
        }
        self.sums.entry(id).or_default().add(&seen);
        Ok(())
    }
}

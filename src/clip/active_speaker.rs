//! The active speaker: which of the faces of an analysed clip speaks the audio that was recorded with it. Two judges
//! compare each mouth with the audio: SyncNet (paper, section 3.4, equation 7), and the correlation of the lips'
//! opening with the one that the audio encoder makes of the audio.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::analysis::Analysis;
use super::renderer::Renderer;
use super::speech::Speech;
use crate::Result;
use crate::audio::{Rate, STEP};
use crate::engine::Engine;
use crate::evaluate::series::correlation;
use crate::evaluate::sync::{self, MAX_OFFSET};
use crate::face::lips::opening;
use crate::latent::ShapeBuffers;
use crate::model::{SpeechContext, SyncNet};

/// Steps of 40 ms by which picture and audio of a recording may be apart.
const APART: i64 = 3;
/// A correlation of 1 counts as much as this inverse of a distance: both judges then have about the same spread
/// between faces that do not speak (0.2 and 0.05 on clips of the development set).
const DISTANCE_WEIGHT: f64 = 4.0;
/// Faces with less than this share of the windows of the longest one are not compared: a few windows fit any audio.
const LEAST_SHARE: f64 = 0.25;

/// The shapes of one face's mouth `[S]`, by their frames' positions.
type MouthTrack = Vec<(i64, Vec<f32>)>;

/// How well a face fits the audio.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AudibleFace {
    /// Its number in the clip: what [`Selection::Id`](crate::Selection::Id) takes.
    pub id: u32,
    /// The least mean distance of SyncNet's embeddings of mouth and audio, up to 120 ms apart; 0 to 2.
    pub distance: f64,
    /// The highest correlation of the lips' opening with the one that the audio asks for, up to 120 ms apart; 0
    /// where one of them does not move.
    pub correlation: f64,
    /// Windows of five steps of 40 ms that were compared.
    pub windows: usize,
}

impl AudibleFace {
    /// Both judges in one number: the speaker's is the highest.
    pub fn score(&self) -> f64 {
        self.correlation - DISTANCE_WEIGHT * self.distance
    }
}

impl Analysis {
    /// The faces that are long enough in sight for the comparison (1.4 s within one shot), the speaker first.
    /// `own` is the audio that was recorded with the frames: mono at 16 kHz, its first sample at frame 0.
    ///
    /// # Errors
    /// [`Error::Bundle`](crate::Error::Bundle) where the bundle has no SyncNet;
    /// [`Error::Argument`](crate::Error::Argument) for a frame outside a variable timing;
    /// [`Error::NoAudio`](crate::Error::NoAudio), [`Error::Network`](crate::Error::Network).
    pub fn audible_faces(
        &self,
        renderer: &Renderer,
        own: &Arc<Vec<f32>>,
    ) -> Result<Vec<AudibleFace>> {
        let engine = renderer.engine();
        let info = engine.info();
        let net = SyncNet::load(engine.bundle(), info.provider.used, info.threads)?;
        let mut heard = Heard::new(own)?;
        let mut hearing = net.listen(own.as_slice());
        let mut sounds = BTreeMap::new();
        let mut found = Vec::new();
        for (id, shapes) in self.mouth_tracks(renderer)? {
            let windows = windows(&shapes);
            let mut mouths = BTreeMap::new();
            for (step, window) in &windows {
                mouths.insert(*step, net.mouth(window)?);
                for step in step - MAX_OFFSET..=step + MAX_OFFSET {
                    let known = (0..own.len() as i64).contains(&(step * STEP));
                    if known && !sounds.contains_key(&step) {
                        sounds.insert(step, hearing.at(step * STEP)?);
                    }
                }
            }
            let Some(score) = sync::score(&mouths, &sounds) else {
                continue;
            };
            let near = (MAX_OFFSET - APART) as usize..=(MAX_OFFSET + APART) as usize;
            let near = score.distances[near].iter().copied();
            found.push(AudibleFace {
                id,
                distance: near.fold(f64::INFINITY, f64::min),
                correlation: heard.correlation(engine, &windows)?,
                windows: score.windows,
            });
        }
        let longest = found.iter().map(|face| face.windows).max().unwrap_or(0);
        found.retain(|face| face.windows as f64 >= LEAST_SHARE * longest as f64);
        found.sort_by(|a, b| b.score().total_cmp(&a.score()).then(a.id.cmp(&b.id)));
        Ok(found)
    }

    /// The mouths of all faces, by their numbers.
    fn mouth_tracks(&self, renderer: &Renderer) -> Result<BTreeMap<u32, MouthTrack>> {
        let model = renderer.engine().face_model();
        let mut tracks: BTreeMap<u32, MouthTrack> = BTreeMap::new();
        for index in self.indices() {
            let Some(faces) = self.faces(index) else {
                continue;
            };
            let position = renderer.options().timing.position(index)?;
            for (face, id) in faces.numbered() {
                let (mouth, _) = model.split_expression(&face.expression);
                let of_face = tracks.entry(id.unwrap_or(0)).or_default();
                of_face.push((position, mouth.to_vec()));
            }
        }
        Ok(tracks)
    }
}

/// The openings that the audio asks for, by their steps.
struct Heard {
    speech: Speech,
    buffers: ShapeBuffers,
    openings: BTreeMap<i64, f64>,
}

impl Heard {
    fn new(own: &Arc<Vec<f32>>) -> Result<Self> {
        Ok(Self {
            speech: Speech::new(own.clone(), 0)?,
            buffers: ShapeBuffers::default(),
            openings: BTreeMap::new(),
        })
    }

    fn opening(&mut self, engine: &Engine, step: i64) -> Result<f64> {
        if let Some(known) = self.openings.get(&step) {
            return Ok(*known);
        }
        let (context, position) = (SpeechContext::Far, step * STEP);
        let shape = self
            .speech
            .shape(engine, context, position, &mut self.buffers)?;
        let found = opening(engine.face_model(), &[], &shape, &[]).unwrap_or(0.0);
        self.openings.insert(step, found);
        Ok(found)
    }

    /// The highest correlation with the mouths in the middle of `windows`.
    fn correlation(&mut self, engine: &Engine, windows: &BTreeMap<i64, Vec<f32>>) -> Result<f64> {
        let middle = |window: &[f32]| {
            let width = window.len() / sync::FRAMES;
            let shape = &window[sync::FRAMES / 2 * width..][..width];
            opening(engine.face_model(), &[], shape, &[]).unwrap_or(0.0)
        };
        let seen: Vec<f64> = windows.values().map(|window| middle(window)).collect();
        let mut best = -1.0f64;
        for apart in -APART..=APART {
            let asked = windows
                .keys()
                .map(|step| self.opening(engine, step + apart));
            let asked = asked.collect::<Result<Vec<_>>>()?;
            best = best.max(correlation(&seen, &asked).unwrap_or(0.0));
        }
        Ok(best)
    }
}

/// The windows that SyncNet takes, by the step of their middle, of shapes at any rate: they are interpolated between
/// frames less than two steps apart.
fn windows(shapes: &[(i64, Vec<f32>)]) -> BTreeMap<i64, Vec<f32>> {
    const GRID: Rate = Rate { num: 25, den: 1 };
    let (Some((first, _)), Some((last, _))) = (shapes.first(), shapes.last()) else {
        return BTreeMap::new();
    };
    let begin = (first + STEP - 1).div_euclid(STEP).max(0);
    let end = last.div_euclid(STEP);
    let at = |step: i64| {
        let position = step * STEP;
        let after = shapes.partition_point(|(at, _)| *at < position);
        let (to, there) = shapes.get(after)?;
        if *to == position {
            return Some(there.clone());
        }
        let (from, here) = shapes.get(after.checked_sub(1)?)?;
        let share = (position - from) as f32 / (to - from) as f32;
        let near = to - from < 2 * STEP;
        let pairs = here.iter().zip(there);
        near.then(|| pairs.map(|(a, b)| a + (b - a) * share).collect())
    };
    let steps: Vec<Option<Vec<f32>>> = (begin..=end).map(at).collect();
    sync::windows(&sync::prepare(&steps), begin.unsigned_abs(), GRID)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A shape that states its own time in steps.
    fn timed(positions: impl Iterator<Item = i64>) -> Vec<(i64, Vec<f32>)> {
        let shape = |position: i64| (position, vec![position as f32 / STEP as f32]);
        positions.map(shape).collect()
    }

    #[test]
    fn windows_lie_on_the_grid_at_any_rate_and_not_over_gaps() {
        for length in [267, 640, 667] {
            let found = windows(&timed((0..60).map(|frame| frame * length)));
            assert!(found.len() as i64 > 60 * length / STEP - 7, "{length}");
            let middle = |step: i64| found[&step][2] - found[&(step - 1)][2];
            assert!((middle(9) - 1.0).abs() < 1e-3, "{length}: {}", middle(9));
        }
        let gap = (0..20).chain(30..50).map(|frame| frame * STEP);
        let found: Vec<i64> = windows(&timed(gap)).into_keys().collect();
        assert_eq!(found.len(), 32, "{found:?}");
        assert!(!found.iter().any(|step| (18..32).contains(step)));
        assert!(windows(&[]).is_empty());
    }
}

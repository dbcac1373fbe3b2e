//! LSE-D, LSE-C and the A/V offset, from SyncNet's embeddings.
//!
//! Windows are indexed by the *step* of their centre, its time in units of 1/25 s. At another frame
//! rate, shapes are interpolated linearly at these times, and pictures are taken from the nearest
//! frame. The audio window of step k is 11 columns of phonetic features around `k / 25` s.

use std::collections::BTreeMap;

use crate::audio::Rate;

/// Frames of a window.
pub const FRAMES: usize = 5;
/// The largest offset in steps.
pub const MAX_OFFSET: i64 = 15;
/// Offsets that are tried.
pub const OFFSETS: usize = 2 * MAX_OFFSET as usize + 1;

/// How well sound and mouth fit. Comparable only between scores of the same SyncNet.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// The least of the mean distances; lower is better.
    pub lse_d: f64,
    /// The median of the mean distances minus the least; higher is better.
    pub lse_c: f64,
    /// Where the least is, in 25ths of a second: + = the audio is late.
    pub offset: i64,
    /// Windows that were averaged.
    pub windows: usize,
    /// The mean distance for each offset from -15 on.
    pub distances: Vec<f64>,
}

/// Scores unit vectors of mouths against those of sounds, both by the step of their middle: the
/// Euclidean distance of each mouth to the sounds at 31 offsets, averaged over the windows for which
/// all 31 are known. `None` without such a window (a clip needs 1.4 s).
pub fn score(mouths: &BTreeMap<i64, Vec<f32>>, sounds: &BTreeMap<i64, Vec<f32>>) -> Option<Score> {
    let mut sums = vec![0.0; OFFSETS];
    let mut windows = 0;
    for (step, mouth) in mouths {
        let heard: Vec<f64> = (-MAX_OFFSET..=MAX_OFFSET)
            .map_while(|offset| distance(mouth, sounds.get(&(step + offset))?))
            .collect();
        if heard.len() == OFFSETS {
            sums.iter_mut().zip(heard).for_each(|(sum, v)| *sum += v);
            windows += 1;
        }
    }
    if windows == 0 {
        return None;
    }
    let distances: Vec<f64> = sums.iter().map(|sum| sum / windows as f64).collect();
    let by_distance = (-MAX_OFFSET..=MAX_OFFSET).zip(&distances);
    let (offset, least) =
        by_distance.min_by(|(o, a), (p, b)| a.total_cmp(b).then(o.abs().cmp(&p.abs())))?;
    Some(Score {
        lse_d: *least,
        lse_c: super::median(&distances)? - least,
        offset,
        windows,
        distances,
    })
}

fn distance(a: &[f32], b: &[f32]) -> Option<f64> {
    let squares = a.iter().zip(b).map(|(x, y)| f64::from(x - y).powi(2));
    (a.len() == b.len()).then(|| squares.sum::<f64>().sqrt())
}

/// Shapes as SyncNet was trained on: relative to the clip's own rest (the median of each
/// coefficient), and smoothed over three frames (.25, .5, .25) where both neighbours are known,
/// since the mesh of one frame jitters.
pub fn prepare(shapes: &[Option<Vec<f32>>]) -> Vec<Option<Vec<f32>>> {
    let known: Vec<&Vec<f32>> = shapes.iter().flatten().collect();
    let width = known.first().map_or(0, |shape| shape.len());
    let rest: Vec<f32> = (0..width)
        .map(|k| {
            let column: Vec<f64> = known.iter().map(|shape| f64::from(shape[k])).collect();
            super::median(&column).unwrap_or(0.0) as f32
        })
        .collect();
    let smoothed = |t: usize| {
        let middle = shapes[t].as_ref()?;
        let side = |at: Option<usize>| shapes.get(at?)?.as_ref();
        let mean = |k: usize| match (side(t.checked_sub(1)), side(t.checked_add(1))) {
            (Some(before), Some(after)) => 0.25 * before[k] + 0.5 * middle[k] + 0.25 * after[k],
            _ => middle[k],
        };
        Some((0..width).map(|k| mean(k) - rest[k]).collect())
    };
    (0..shapes.len()).map(smoothed).collect()
}

/// Five shapes in a row, `[5 * mouth]`, by the step of their middle. `shapes` are those of the
/// frames from `first` on, at `rate`; a window needs every frame that it lies between.
pub fn windows(shapes: &[Option<Vec<f32>>], first: u64, rate: Rate) -> BTreeMap<i64, Vec<f32>> {
    let at = |step: i64| -> Option<Vec<f32>> {
        let (frame, share) = place(step, rate);
        let known = |frame: i64| {
            let at = usize::try_from(frame - first as i64).ok()?;
            shapes.get(at)?.as_ref()
        };
        let before = known(frame)?;
        if share < 1e-6 {
            return Some(before.clone());
        }
        let after = known(frame + 1)?;
        let pairs = before.iter().zip(after);
        Some(pairs.map(|(a, b)| a + (b - a) * share as f32).collect())
    };
    let steps = steps(first, shapes.len(), rate);
    let placed: BTreeMap<i64, Vec<f32>> = steps.filter_map(|k| Some((k, at(k)?))).collect();
    let half = FRAMES as i64 / 2;
    let window = |&middle: &i64| {
        let all: Option<Vec<_>> = (middle - half..=middle + half)
            .map(|k| placed.get(&k))
            .collect();
        let joined = all?.into_iter().flatten().copied().collect();
        Some((middle, joined))
    };
    placed.keys().filter_map(window).collect()
}

/// The frame at or before a step, and how far the step lies towards the next one, [0, 1).
pub fn place(step: i64, rate: Rate) -> (i64, f64) {
    // step / 25 * num / den, in whole numbers.
    let (num, den) = (i64::from(rate.num), 25 * i64::from(rate.den));
    let scaled = step * num;
    (
        scaled.div_euclid(den),
        scaled.rem_euclid(den) as f64 / den as f64,
    )
}

/// The steps that the frames `first..first + count` span.
pub fn steps(first: u64, count: usize, rate: Rate) -> impl Iterator<Item = i64> {
    let seconds = |frame: f64| frame * f64::from(rate.den) / f64::from(rate.num);
    let begin = (25.0 * seconds(first as f64) - 1e-6).ceil() as i64;
    let last = (first as f64 + count as f64 - 1.0).max(-1.0);
    let end = (25.0 * seconds(last) + 1e-6).floor() as i64;
    begin..if count == 0 { begin } else { end + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAL: Rate = Rate { num: 25, den: 1 };

    fn unit(angle: f64) -> Vec<f32> {
        vec![angle.cos() as f32, angle.sin() as f32]
    }

    /// Mouths whose sound comes `late` steps later and differs by `turn` radians; all other sounds
    /// point elsewhere.
    fn clip(late: i64, turn: f64) -> (BTreeMap<i64, Vec<f32>>, BTreeMap<i64, Vec<f32>>) {
        let word = |k: i64| 2.399963 * k as f64;
        let mouths = (0..80).map(|k| (k, unit(word(k)))).collect();
        let sounds = (0..80).map(|k| (k, unit(word(k - late) + turn))).collect();
        (mouths, sounds)
    }

    #[test]
    fn the_offset_is_found_and_late_audio_is_positive() {
        for late in [-15, -3, 0, 1, 15] {
            let (mouths, sounds) = clip(late, 0.0);
            let found = score(&mouths, &sounds).unwrap();
            assert_eq!((found.offset, found.windows), (late, 50));
            assert!(found.lse_d < 1e-6);
            assert_eq!(found.distances.len(), OFFSETS);
        }
    }

    /// Unit vectors at an angle are 2 sin(angle / 2) apart.
    #[test]
    fn distances_are_euclidean_and_confidence_is_median_minus_least() {
        let (mouths, sounds) = clip(2, 0.05);
        let found = score(&mouths, &sounds).unwrap();
        assert!((found.lse_d - 2.0 * 0.025f64.sin()).abs() < 1e-6);
        // Offset o is 2.399963 (o - 2) + 0.05 away for every window.
        let mut all: Vec<f64> = (-15i64..=15)
            .map(|o| 2.0 * ((2.399963 * (o - 2) as f64 + 0.05) / 2.0).sin().abs())
            .collect();
        all.sort_by(f64::total_cmp);
        assert!((found.lse_c - (all[15] - all[0])).abs() < 1e-5);
    }

    #[test]
    fn only_windows_with_all_offsets_count() {
        let (mouths, mut sounds) = clip(0, 0.0);
        sounds.remove(&40);
        // 15..65 without the 31 round the gap.
        assert_eq!(score(&mouths, &sounds).unwrap().windows, 50 - 31);
        sounds.retain(|k, _| *k < 30);
        assert_eq!(score(&mouths, &sounds), None);
    }

    #[test]
    fn shapes_become_relative_to_rest_and_smooth() {
        let shapes = [0.0, 4.0, 0.0, 0.0].map(|v| Some(vec![v + 7.0]));
        let found = prepare(&shapes);
        let found: Vec<f32> = found.into_iter().flatten().flatten().collect();
        assert_eq!(found, [0.0, 2.0, 1.0, 0.0]);
        let gap = prepare(&[Some(vec![1.0]), None, Some(vec![3.0])]);
        assert_eq!(gap, [Some(vec![-1.0]), None, Some(vec![1.0])]);
        assert!(prepare(&[]).is_empty());
    }

    #[test]
    fn windows_at_25_are_the_frames_themselves() {
        let mut shapes: Vec<_> = (0..10).map(|t| Some(vec![t as f32])).collect();
        let found = windows(&shapes, 100, PAL);
        assert_eq!(
            found.keys().copied().collect::<Vec<_>>(),
            [102, 103, 104, 105, 106, 107]
        );
        assert_eq!(found[&104], [2.0, 3.0, 4.0, 5.0, 6.0]);
        shapes[4] = None;
        assert_eq!(
            windows(&shapes, 100, PAL).into_keys().collect::<Vec<_>>(),
            [107]
        );
    }

    #[test]
    fn other_rates_are_interpolated() {
        for rate in [
            Rate { num: 30, den: 1 },
            Rate {
                num: 24000,
                den: 1001,
            },
        ] {
            let fps = f64::from(rate.num) / f64::from(rate.den);
            // A shape that says its own time.
            let shapes: Vec<_> = (0..60)
                .map(|t| Some(vec![(f64::from(t) / fps) as f32]))
                .collect();
            let found = windows(&shapes, 0, rate);
            assert!(found.len() > 40);
            for (step, window) in found {
                for (k, v) in (-2i64..).zip(window) {
                    assert!((f64::from(v) - (step + k) as f64 / 25.0).abs() < 1e-5);
                }
            }
        }
        assert_eq!(place(1, Rate { num: 50, den: 1 }), (2, 0.0));
        assert_eq!(place(1, Rate { num: 30, den: 1 }), (1, 0.2));
        assert_eq!(steps(0, 0, PAL).count(), 0);
    }
}

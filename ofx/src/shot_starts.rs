//! Where the shots of a source begin: the search for the cut before a frame, and what is known of it.

use std::collections::{BTreeMap, HashMap};

use crate::error::Result;

/// A frame is compared with the last one before it that is a multiple of the first step, counted from the
/// first frame of the source, then of the second one, and so on.
const STEPS: [i64; 4] = [4096, 256, 16, 1];

/// The frame on whose shot a search decided: the first one of a shot, or `None` for the reference's shot.
pub type Decision = Option<i64>;

/// The result of a search.
#[derive(Debug, PartialEq, Eq)]
pub struct Found<L> {
    pub start: Decision,
    /// The frames of the shot that were met.
    pub met: Vec<(i64, L)>,
}

/// Looks for the first frame of the shot of the frame `at`, in a source that begins with the frame `first`.
///
/// From a frame, the search goes to the farthest earlier one of those at the multiples of `STEPS` that looks
/// like it. A frame that looks like none of them, not even like the frame before it, is the first one after
/// a cut. A shot of n frames before a camera that stands still costs n / 4096 frames and 45 more, at most;
/// a moving camera costs up to one of 16 frames. Where the same view comes back after another shot, the
/// two may be one shot: they look alike. The result is a function of `at`, `first` and the looks alone.
///
/// `look` gives the look of a frame, `None` where there is none: then nothing is found. `decided` gives
/// what is known of a frame already.
///
/// # Errors
/// What `look` returns.
pub fn find<L: Clone>(
    mut at: i64,
    first: i64,
    mut look: impl FnMut(i64) -> Result<Option<L>>,
    is_like: impl Fn(&L, &L) -> bool,
    decided: impl Fn(i64, &L) -> Option<Decision>,
) -> Result<Option<Found<L>>> {
    let mut seen: HashMap<i64, L> = HashMap::new();
    let mut look = |frame: i64| -> Result<Option<L>> {
        if let Some(known) = seen.get(&frame) {
            return Ok(Some(known.clone()));
        }
        let found = look(frame)?;
        if let Some(found) = &found {
            seen.insert(frame, found.clone());
        }
        Ok(found)
    };
    let Some(mut here) = look(at)? else {
        return Ok(None);
    };
    let mut met = Vec::new();
    'search: loop {
        if let Some(start) = decided(at, &here) {
            return Ok(Some(Found { start, met }));
        }
        met.push((at, here.clone()));
        for earlier in earlier_frames(at, first) {
            let Some(there) = look(earlier)? else {
                return Ok(None);
            };
            if is_like(&there, &here) {
                (at, here) = (earlier, there);
                continue 'search;
            }
        }
        // The source's first frame begins no shot of its own: it is taken for one of the reference's.
        let start = (at > first).then_some(at);
        return Ok(Some(Found { start, met }));
    }
}

/// The frames that a frame is compared with, the farthest one first.
fn earlier_frames(at: i64, first: i64) -> impl Iterator<Item = i64> {
    let before = at - 1;
    let mut last = None;
    STEPS
        .into_iter()
        .filter(move |_| before >= first)
        .map(move |step| first + (before - first) / step * step)
        .filter(move |frame| last.replace(*frame) != Some(*frame))
}

/// Frames kept.
const CAPACITY: usize = 10_000;

/// The decisions so far, by frame: each with the fingerprint of the frame's picture.
#[derive(Default)]
pub struct ShotStarts(BTreeMap<i64, (u128, Decision)>);

impl ShotStarts {
    /// What is known of a frame, if it still shows the same picture.
    pub fn get(&self, frame: i64, fingerprint: u128) -> Option<Decision> {
        let known = self.0.get(&frame);
        known
            .filter(|(known, _)| *known == fingerprint)
            .map(|(_, start)| *start)
    }

    pub fn insert(&mut self, frame: i64, fingerprint: u128, start: Decision) {
        if self.0.len() >= CAPACITY {
            self.0.clear();
        }
        self.0.insert(frame, (fingerprint, start));
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// What a frame shows: the number of its scene, and how far the camera has moved.
    type View = (u32, f64);

    fn is_like(a: &View, b: &View) -> bool {
        a.0 == b.0 && (a.1 - b.1).abs() < 1.0
    }

    /// The shot of a frame, and the number of frames that were looked at. The reference shows scene 0.
    fn found(at: i64, first: i64, view: impl Fn(i64) -> Option<View>) -> (Option<Decision>, usize) {
        let count = Cell::new(0);
        let look = |frame| {
            count.set(count.get() + 1);
            Ok(view(frame))
        };
        let decided = |_: i64, view: &View| (view.0 == 0).then_some(None);
        let found = find(at, first, look, is_like, decided).unwrap();
        (found.map(|found| found.start), count.get())
    }

    #[test]
    fn the_cut_is_found_with_few_frames() {
        for first in [0, 1001, -77] {
            for length in [1, 7, 16, 300, 5000, 100_000] {
                for cut in [1, 15, 40, 256, 4097] {
                    let view = |frame| Some((u32::from(frame >= first + cut), 0.0));
                    let at = first + cut + length - 1;
                    let (start, count) = found(at, first, view);
                    assert_eq!(start, Some(Some(first + cut)), "{first} {cut} {length}");
                    let most = 50 + length as usize / 4096;
                    assert!(count <= most, "{count} frames for {length} after {cut}");
                }
            }
        }
        // The reference's shot, and the source's first frame.
        assert_eq!(found(500, 0, |_| Some((0, 0.0))).0, Some(None));
        assert_eq!(found(500, 0, |_| Some((1, 0.0))).0, Some(None));
        assert_eq!(found(0, 0, |_| Some((1, 0.0))), (Some(None), 1));
    }

    #[test]
    fn all_frames_of_a_shot_have_the_same_first_frame() {
        // Shots of uneven length, some shorter than a step, some of a scene that was there before.
        let cuts = [40, 43, 90, 700, 712, 2000, 4100, 4500, 9000];
        let scenes = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
        let shot = |frame: i64| cuts.iter().filter(|cut| frame >= **cut).count();
        for moving in [0.0, 0.02] {
            let view = |frame: i64| Some((scenes[shot(frame)], moving * frame as f64));
            for at in (0..9500).step_by(3) {
                let start = shot(at).checked_sub(1).map(|shot| cuts[shot]);
                assert_eq!(found(at, 0, view).0, Some(start), "{at} {moving}");
            }
        }
        // Two cameras in turn: a frame's shot is its own, or an earlier one of the same camera.
        let view = |frame: i64| Some((1 + u32::from(frame / 130 % 2 == 1), 0.0));
        for at in 130..3000 {
            let start = found(at, 0, view).0.unwrap();
            let camera = start.map_or(0, |start| start / 130 % 2);
            assert_eq!(camera, at / 130 % 2, "{at}");
            let end = (at / 130 + 1) * 130 - 1;
            assert_eq!(found(end, 0, view).0.unwrap(), start, "{at}");
        }
    }

    #[test]
    fn a_moving_camera_costs_one_of_sixteen_frames() {
        let view = |frame: i64| Some((u32::from(frame >= 40), 0.05 * frame as f64));
        let (start, count) = found(3000, 0, view);
        assert_eq!(start, Some(Some(40)));
        assert!(count < 3000 / 16 + 60, "{count}");
    }

    #[test]
    fn without_a_frame_nothing_is_found() {
        let view = |frame: i64| (frame != 16).then_some((u32::from(frame >= 5), 0.0));
        assert_eq!(found(30, 0, view).0, None);
        assert_eq!(found(16, 0, view).0, None);
        assert_eq!(found(12, 0, view).0, Some(Some(5)));
    }

    #[test]
    fn another_picture_is_not_known() {
        let mut known = ShotStarts::default();
        known.insert(7, 1, Some(5));
        assert_eq!(known.get(7, 1), Some(Some(5)));
        assert_eq!((known.get(7, 2), known.get(8, 1)), (None, None));
    }
}

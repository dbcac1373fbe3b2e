//! Dissolves: one shot turns into the next within some frames, each of which is a mixture of both. Not in
//! the paper.

use serde::{Deserialize, Serialize};

use super::look::Look;

/// Lengths that are looked for, in frames.
const LENGTHS: [usize; 18] = [
    6, 8, 10, 12, 15, 18, 21, 25, 30, 36, 42, 50, 60, 72, 86, 104, 125, 150,
];
/// Shots that correlate more are taken for one. With these limits nothing in 40,805 frames of talking people, nor in
/// 320 pans and zooms over photographs, was taken for a dissolve. Of made-up ones of 8 to 40 frames between two such
/// people 69 of 73 were found, with an S-curve 68 of 73, mixed in linear light 46 of 68.
const ALIKE: f32 = 0.87;
/// Least difference of the shots, root mean square of levels of 0 to 255.
const LEAST_CHANGE: f32 = 12.0;
/// Variance below which a frame counts as one colour: a fade from or to a colour is not a dissolve.
const FLAT: f32 = 60.0;
/// How far a frame's share of the second shot may be from that of an even change. An S-curve is .1 away.
const UNEVEN: f32 = 0.12;
/// How far a frame may be from every mixture, as a share of the difference, and in levels.
const FAR: (f32, f32) = (0.1, 1.0);
/// Before and after it, the picture moves at most by this share of what it does meanwhile. Else it is a pan.
const STEADY: f32 = 0.35;

/// One shot turns into the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dissolve {
    /// The last frame that shows the first shot alone.
    pub start: i64,
    /// The first frame that shows the second shot alone.
    pub end: i64,
}

impl Dissolve {
    /// The first frame that shows more of the second shot.
    pub fn middle(&self) -> i64 {
        self.start + (self.end - self.start + 1) / 2
    }

    /// How much of the shot that it mostly shows the frame `index` has more than of the other one: 1 outside,
    /// 0 in the middle.
    pub fn clearness(&self, index: i64) -> f32 {
        if !self.mixes(index) {
            return 1.0;
        }
        let share = (index - self.start) as f32 / (self.end - self.start) as f32;
        (2.0 * share - 1.0).abs()
    }

    /// Whether the frame `index` shows both shots.
    pub fn mixes(&self, index: i64) -> bool {
        self.start < index && index < self.end
    }

    /// All of a clip, in their order. `frames` have rising indices; a gap belongs to no dissolve.
    pub fn find(frames: &[(i64, &Look)]) -> Vec<Self> {
        let runs = frames.chunk_by(|(before, _), (index, _)| before + 1 == *index);
        runs.flat_map(find_in).collect()
    }
}

/// Those of successive frames. Of those that overlap the longest counts, and of equally long ones the most even:
/// a part of a change that begins slowly may be more even than the whole.
fn find_in(run: &[(i64, &Look)]) -> Vec<Dissolve> {
    let mut found: Vec<(f32, usize, usize)> = Vec::new();
    for length in LENGTHS {
        for first in 0..run.len().saturating_sub(length) {
            if let Some(unevenness) = unevenness(run, first, first + length) {
                found.push((unevenness, first, first + length));
            }
        }
    }
    let length = |one: &(f32, usize, usize)| one.2 - one.1;
    found.sort_by(|a, b| {
        let longer = length(b).cmp(&length(a));
        longer.then(a.0.total_cmp(&b.0)).then(a.1.cmp(&b.1))
    });
    let mut chosen: Vec<(usize, usize)> = Vec::new();
    for (_, first, last) in found {
        if chosen.iter().all(|(from, to)| last < *from || *to < first) {
            chosen.push((first, last));
        }
    }
    chosen.sort_unstable();
    let dissolve = |(first, last): (usize, usize)| Dissolve {
        start: run[first].0,
        end: run[last].0,
    };
    chosen.into_iter().map(dissolve).collect()
}

/// The largest deviation from an even change between the frames `first` and `last` of a run; `None` if the
/// frames are not a dissolve.
fn unevenness(run: &[(i64, &Look)], first: usize, last: usize) -> Option<f32> {
    let look = |at: usize| run[at].1;
    let (from, to, length) = (look(first), look(last), last - first);
    let whole = from.distance(to);
    if whole < LEAST_CHANGE || from.correlation(to) > ALIKE {
        return None;
    }
    if from.variance() < FLAT || to.variance() < FLAT {
        return None;
    }
    let aside = (length / 3).max(2);
    let (before, after) = (first.checked_sub(aside)?, last + aside);
    let most = STEADY * whole * aside as f32 / length as f32;
    if after >= run.len() || look(before).distance(from) > most || to.distance(look(after)) > most {
        return None;
    }
    let mut worst = 0.0f32;
    for at in first + 1..last {
        let (share, rest) = look(at).between(from, to);
        let away = (share - (at - first) as f32 / length as f32).abs();
        if away > UNEVEN || rest > FAR.0 * whole + FAR.1 {
            return None;
        }
        worst = worst.max(away);
    }
    Some(worst)
}

#[cfg(test)]
mod tests {
    use super::super::look::tests::{flat, moved, scene};
    use super::*;

    /// 40 frames of a scene, a change of `length` frames by `share` of its course, 40 of another scene.
    fn film(length: i64, share: impl Fn(f32) -> f32) -> Vec<Look> {
        let (one, two) = (scene(1), scene(2));
        let at = |index: i64| (index - 39) as f32 / length as f32;
        let frames = 0..80 + length;
        frames
            .map(|index| one.mixed(&two, share(at(index).clamp(0.0, 1.0))))
            .collect()
    }

    fn found(looks: &[Look]) -> Vec<Dissolve> {
        let frames: Vec<_> = (100..).zip(looks).collect();
        Dissolve::find(&frames)
    }

    #[test]
    fn a_dissolve_is_found_where_it_is() {
        for length in [6, 8, 12, 25, 40, 60, 100] {
            let expected = [139, 139 + length];
            for film in [
                film(length, |t| t),
                film(length, |t| t * t * (3.0 - 2.0 * t)),
            ] {
                let [it] = found(&film)[..] else {
                    panic!("{length}: {:?}", found(&film));
                };
                let away = (it.start - expected[0])
                    .abs()
                    .max((it.end - expected[1]).abs());
                assert!(away <= 1 + length / 8, "{length}: {it:?}");
                assert!((it.middle() - (139 + length / 2)).abs() <= 1);
            }
        }
    }

    #[test]
    fn cuts_fades_and_gaps_are_none() {
        assert_eq!(found(&film(1, |t| t)), []);
        assert_eq!(found(&film(3, |t| t)), []);
        // Half of the change at once.
        assert_eq!(found(&film(20, |t| if t < 0.5 { 0.0 } else { t })), []);
        let fade: Vec<_> = (0..80)
            .map(|k| scene(1).mixed(&flat(), ((k - 30) as f32 / 20.0).clamp(0.0, 1.0)))
            .collect();
        assert_eq!(found(&fade), []);
        let looks = film(12, |t| t);
        let with_a_gap: Vec<_> = (100..)
            .zip(&looks)
            .filter(|(index, _)| *index != 145)
            .collect();
        assert_eq!(Dissolve::find(&with_a_gap), []);
        assert_eq!(Dissolve::find(&[]), []);
        // At the end of the film nobody knows whether the picture goes on changing.
        assert_eq!(found(&looks[..53]), []);
    }

    #[test]
    fn a_picture_that_moves_is_none() {
        for step in [0.5, 1.0, 2.0, 5.0] {
            let pan: Vec<_> = (0..120)
                .map(|k| moved((k - 20).clamp(0, 60) as f32 * step))
                .collect();
            assert_eq!(found(&pan), [], "{step}");
        }
    }

    #[test]
    fn the_middle_is_not_clear() {
        let it = Dissolve { start: 10, end: 20 };
        let clear = [9, 10, 12, 15, 18, 20, 40].map(|index| it.clearness(index));
        assert_eq!(clear, [1.0, 1.0, 0.6, 0.0, 0.6, 1.0, 1.0]);
        assert_eq!(it.middle(), 15);
        // An analysis file may state any place.
        for start in [i64::MIN, i64::MAX - 10] {
            let far = Dissolve {
                start,
                end: start + 10,
            };
            let clear = [i64::MIN, 0, i64::MAX].map(|index| far.clearness(index));
            assert_eq!(clear, [1.0; 3]);
        }
        assert!(it.mixes(11) && it.mixes(19) && !it.mixes(10) && !it.mixes(20));
    }
}

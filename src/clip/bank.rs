//! The bank: frames that cover the mouths and poses of a person, and the choice among them for a
//! frame to be rendered.

use std::sync::Arc;

use super::bank_frame::BankFrame;
use super::mouth_pose::MouthPose;
use crate::face::reference_warp::MOST_LAYERS;
use crate::numeric::smoothstep;

/// The most frames of a bank.
pub(super) const MOST: usize = 48;
/// Frames of less than this share of the median quality are left out: blurred ones, turned away.
const GATE: f64 = 0.6;
/// Frames nearer to a chosen one than this add nothing.
const ALIKE: f32 = 0.006;
/// How much farther than the nearest frame another may be and still be mixed in.
const REACH: f32 = 0.06;

/// Frames that the pictures of the person are taken from; at least one.
#[derive(Clone, Debug)]
pub(crate) struct Bank(Vec<Arc<BankFrame>>);

/// The frames of a bank that a frame is rendered from, with their shares. The shares sum to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Shares {
    list: [(usize, f32); MOST_LAYERS],
    count: usize,
}

impl Shares {
    /// Numbers in the bank and shares, the largest share first.
    pub fn list(&self) -> &[(usize, f32)] {
        &self.list[..self.count]
    }
}

/// When the frame to be rendered is, and how near in time to it frames of the bank are not used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gap {
    /// On the clip's clock, samples at 16 kHz.
    pub position: i64,
    /// The frames less than this many samples away are not used; 0: all are.
    pub least: i64,
}

impl Gap {
    /// How far a frame is away, in samples; far where its time is not known.
    fn to(&self, frame: &BankFrame) -> i64 {
        frame.position.map_or(i64::MAX, |position| {
            let away = position.saturating_sub(self.position);
            away.saturating_abs()
        })
    }
}

impl Bank {
    /// The frames given, unchanged.
    pub fn of(frames: Vec<Arc<BankFrame>>) -> Self {
        Self(frames)
    }

    /// Chooses among `frames`, which are in an order of their own: `first`, then one after the other
    /// the frame that is least like all that were chosen (farthest-point selection).
    pub fn choose<'a>(
        first: &Arc<BankFrame>,
        frames: impl Iterator<Item = &'a Arc<BankFrame>>,
    ) -> Self {
        let frames: Vec<&Arc<BankFrame>> = frames.filter(|f| f.index != first.index).collect();
        let mut qualities: Vec<f64> = frames.iter().map(|frame| frame.quality).collect();
        qualities.sort_by(f64::total_cmp);
        let median = qualities.get(qualities.len() / 2).copied().unwrap_or(0.0);
        let mut open: Vec<(f32, &Arc<BankFrame>)> = frames
            .into_iter()
            .filter(|frame| frame.quality >= GATE * median)
            .map(|frame| (f32::INFINITY, frame))
            .collect();
        let mut chosen = vec![first.clone()];
        while let Some(last) = chosen.last().filter(|_| chosen.len() < MOST) {
            for (nearest, frame) in &mut open {
                *nearest = nearest.min(frame.mouth.distance(&last.mouth));
            }
            let farther = |(a, one): &&(f32, &Arc<BankFrame>),
                           (b, other): &&(f32, &Arc<BankFrame>)| {
                a.total_cmp(b).then(other.index.cmp(&one.index))
            };
            match open.iter().max_by(farther) {
                Some((distance, frame)) if *distance > ALIKE => chosen.push(Arc::clone(frame)),
                _ => break,
            }
        }
        Self(chosen)
    }

    /// The frames.
    pub fn frames(&self) -> &[Arc<BankFrame>] {
        &self.0
    }

    /// The frames for a mouth, and their shares. A share is a continuous function of the mouth: it falls
    /// to 0 with the distance before the frame is left out, and before a fourth frame is as near.
    pub fn shares(&self, mouth: &MouthPose, gap: Gap) -> Shares {
        let mut nearest = [(f32::INFINITY, 0); MOST_LAYERS + 1];
        for (number, frame) in self.0.iter().enumerate() {
            if gap.to(frame) < gap.least {
                continue;
            }
            let mut next = (frame.mouth.distance(mouth), number);
            for held in &mut nearest {
                if next.0 < held.0 {
                    std::mem::swap(held, &mut next);
                }
            }
        }
        let mut shares = Shares::default();
        let (first, fourth) = (nearest[0].0, nearest[MOST_LAYERS].0);
        let reach = (fourth - first).clamp(1e-6, REACH);
        for (distance, number) in nearest[..MOST_LAYERS].iter().filter(|n| n.0.is_finite()) {
            let share = 1.0 - smoothstep(0.0, reach, distance - first);
            if share > 0.0 {
                shares.list[shares.count] = (*number, share);
                shares.count += 1;
            }
        }
        if shares.count == 0 {
            shares.list[0] = (self.farthest(gap), 1.0);
            shares.count = 1;
        }
        let sum: f32 = shares.list().iter().map(|(_, share)| share).sum();
        for (_, share) in &mut shares.list[..shares.count] {
            *share /= sum;
        }
        shares
    }

    /// The frame farthest in time, the first of equals.
    fn farthest(&self, gap: Gap) -> usize {
        let away = |number: &usize| (gap.to(&self.0[*number]), std::cmp::Reverse(*number));
        (0..self.0.len()).max_by_key(away).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::super::bank_frame::tests::frame;
    use super::super::mouth_pose::tests::mouth;
    use super::*;

    const ANY: Gap = Gap {
        position: 0,
        least: 0,
    };

    /// Frames that open the mouth step by step.
    fn opening(count: i64, step: f32) -> Bank {
        let frame = |index: i64| frame(index, 1.0, index as f32 * step, 0.0);
        Bank::of((0..count).map(frame).collect())
    }

    fn indices(bank: &Bank) -> Vec<i64> {
        bank.frames().iter().map(|frame| frame.index).collect()
    }

    #[test]
    fn the_choice_begins_with_the_first_and_goes_on_with_the_farthest() {
        let frames: Vec<_> = (0..11)
            .map(|index| frame(index, 1.0, index as f32 * 0.1, 0.0))
            .collect();
        let chosen = indices(&Bank::choose(&frames[4], frames.iter()));
        assert_eq!(chosen[..3], [4, 10, 0]);
        assert_eq!(chosen.len(), 11);
        let many: Vec<_> = (0..90)
            .map(|index| frame(index, 1.0, index as f32 * 0.1, 0.0))
            .collect();
        assert_eq!(Bank::choose(&many[0], many.iter()).frames().len(), MOST);
        let alike: Vec<_> = (0..9).map(|index| frame(index, 1.0, 0.1, 0.0)).collect();
        assert_eq!(indices(&Bank::choose(&alike[3], alike.iter())), [3]);
        let blurred = frame(9, 0.5, 0.9, 0.0);
        let with = frames[..5].iter().chain([&blurred]);
        assert!(!indices(&Bank::choose(&frames[0], with)).contains(&9));
    }

    #[test]
    fn shares_are_of_the_nearest_and_change_continuously() {
        let bank = opening(12, 0.02);
        assert_eq!(bank.shares(&mouth(-0.5, 0.0), ANY).list()[0].0, 0);
        let mut last: Option<Vec<f32>> = None;
        for step in 0..=2400 {
            let open = step as f32 * 1e-4;
            let shares = bank.shares(&mouth(open, 0.0), ANY);
            let mut all = vec![0.0; 12];
            for (number, share) in shares.list() {
                assert!(*share > 0.0);
                all[*number] = *share;
            }
            assert!((all.iter().sum::<f32>() - 1.0).abs() < 1e-5);
            let (nearest, _) = shares.list()[0];
            assert!((nearest as f32 * 0.02 - open).abs() < 0.0101 + 0.02 * f32::from(open > 0.22));
            if let Some(last) = last {
                let change: f32 = last.iter().zip(&all).map(|(a, b)| (a - b).abs()).sum();
                assert!(change < 0.05, "{open}: {change}");
            }
            last = Some(all);
        }
    }

    #[test]
    fn frames_too_near_in_time_are_not_used() {
        let bank = opening(12, 0.02);
        let at = |index: i64, least: i64| {
            let position = 640 * index;
            let shares = bank.shares(&mouth(0.1, 0.0), Gap { position, least });
            shares.list().iter().map(|(n, _)| *n).collect::<Vec<_>>()
        };
        assert_eq!(at(5, 0)[0], 5);
        assert!(at(5, 1920).iter().all(|n| n.abs_diff(5) >= 3));
        // All are too near: the one that is farthest.
        assert_eq!(at(3, 640 * 100), [11]);
        assert_eq!(at(9, 640 * 100), [0]);
        // A frame without a time is never too near.
        let image = opening(1, 0.0).frames()[0].image.picture.clone();
        let image = super::super::bank_frame::ReferenceImage {
            picture: image,
            points: vec![],
            band: None,
        };
        let given = BankFrame::new((0, None), 1.0, mouth(0.0, 0.0), image);
        let bank = Bank::of(vec![Arc::new(given)]);
        let gap = Gap {
            position: 0,
            least: i64::MAX,
        };
        assert_eq!(bank.shares(&mouth(0.1, 0.0), gap).list(), [(0, 1.0)]);
    }

    #[test]
    fn a_mouth_that_is_no_number_and_frames_that_are_equal_have_shares() {
        let bank = opening(5, 0.0);
        let shares = bank.shares(&mouth(0.0, 0.0), ANY);
        assert_eq!(
            shares.list().iter().map(|s| s.0).collect::<Vec<_>>(),
            [0, 1, 2]
        );
        let shares = bank.shares(&mouth(f32::NAN, 0.0), ANY);
        assert_eq!(shares.list().len(), 1);
    }
}

//! How far a person opens the mouth, from the analysed frames, and how far the speech opens it: the gain on
//! the movement that the audio gives. Not in the paper.

use serde::{Deserialize, Serialize};

use crate::model::manifest::RangeProtocol;

/// Below this share of the typical range, nobody speaks in the frames or in the audio.
const QUIET: f32 = 0.3;
/// The gain stays between this and its inverse.
const LEAST: f32 = 0.45;

/// How far apart the inner lips were, in units of the face model: from the 10th to the 90th percentile.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct OpeningRange {
    pub range: f32,
    /// Of how many openings.
    pub count: u32,
}

/// What the tracks of some frames say of the person.
#[derive(Clone, Debug)]
pub(super) struct Measured {
    pub range: Option<OpeningRange>,
    /// The mean of the frames' identity coefficients.
    pub identity: Option<Vec<f32>>,
}

impl OpeningRange {
    /// It does not depend on their order. `None` without openings.
    pub fn of(mut openings: Vec<f32>) -> Option<Self> {
        openings.retain(|opening| opening.is_finite());
        openings.sort_unstable_by(f32::total_cmp);
        Some(Self {
            range: percentile(&openings, 0.9)? - percentile(&openings, 0.1)?,
            count: u32::try_from(openings.len()).unwrap_or(u32::MAX),
        })
    }
}

/// The gain for a person whose mouth was seen to open this far, and speech that opens it this far; typical
/// speech where it is not known in advance.
///
/// A power below 1 and the number of frames make the gain cautious, because the mesh of a frame is
/// uncertain.
pub(super) fn gain(
    protocol: RangeProtocol,
    person: Option<OpeningRange>,
    speech: Option<OpeningRange>,
) -> f32 {
    let Some(person) = person else {
        return 1.0;
    };
    let share = person.range / protocol.typical;
    if share < QUIET {
        return 1.0;
    }
    let asked = speech.map_or(1.0, |speech| speech.range / protocol.speech);
    let asked = if asked < QUIET { 1.0 } else { asked };
    let trust = person.count as f32 / (person.count as f32 + protocol.frames);
    (share / asked)
        .powf(protocol.power * trust)
        .clamp(LEAST, LEAST.recip())
}

/// A percentile of sorted values, interpolated.
fn percentile(sorted: &[f32], share: f32) -> Option<f32> {
    let at = share * sorted.len().checked_sub(1)? as f32;
    let (low, high) = (sorted[at as usize], sorted[at.ceil() as usize]);
    Some(low + (high - low) * at.fract())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROTOCOL: RangeProtocol = RangeProtocol {
        typical: 0.04,
        speech: 0.05,
        power: 0.5,
        frames: 50.0,
    };

    /// A mouth that opens this far and closes again in every 20 frames.
    fn openings(frames: usize, widest: f32) -> Vec<f32> {
        let phase = |frame: usize| 1.0 - ((frame % 20) as f32 / 10.0 - 1.0).abs();
        (0..frames).map(|frame| widest * phase(frame)).collect()
    }

    #[test]
    fn who_opens_the_mouth_far_gets_a_gain_above_one() {
        let of = |frames, widest| gain(PROTOCOL, OpeningRange::of(openings(frames, widest)), None);
        // Four fifths of the movement lie between the percentiles: the typical range at 0.05.
        assert!((of(1000, 0.05) - 1.0).abs() < 0.02, "{}", of(1000, 0.05));
        assert!(of(1000, 0.1) > 1.3 && of(1000, 0.025) < 0.75);
        // Few frames say little.
        assert!(of(20, 0.1) < of(200, 0.1) && of(20, 0.1) > 1.0);
        assert_eq!(of(1000, 1000.0), LEAST.recip());
    }

    #[test]
    fn without_speech_nothing_changes() {
        for openings in [
            vec![],
            vec![0.04],
            vec![f32::NAN; 100],
            openings(1000, 0.005),
        ] {
            assert_eq!(gain(PROTOCOL, OpeningRange::of(openings), None), 1.0);
        }
    }

    #[test]
    fn the_order_of_frames_does_not_matter() {
        let mut reversed = openings(137, 0.07);
        let forward = OpeningRange::of(reversed.clone());
        reversed.reverse();
        assert_eq!(OpeningRange::of(reversed), forward);
    }

    #[test]
    fn speech_that_opens_the_mouth_less_is_given_more() {
        let of = |range| OpeningRange { range, count: 1000 };
        let gain = |speech| gain(PROTOCOL, Some(of(0.04)), speech);
        let usual = gain(None);
        assert_eq!(gain(Some(of(0.05))), usual, "typical speech");
        assert!(gain(Some(of(0.025))) > 1.3 * usual);
        assert!(gain(Some(of(0.1))) < 0.8 * usual);
        // Hardly anybody speaks in it.
        assert_eq!(gain(Some(of(0.005))), usual);
    }
}

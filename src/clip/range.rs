//! How far a person opens the mouth, from the analysed frames: the gain on the movement that the audio
//! gives. Not in the paper.

use crate::model::manifest::RangeProtocol;

/// Below this share of the typical range the person does not speak in the frames.
const QUIET: f32 = 0.3;
/// The gain stays between this and its inverse.
const LEAST: f32 = 0.6;

/// The gain for a person whose inner lips were this far apart in the analysed frames, in units of the
/// face model. It does not depend on their order.
///
/// The range is that from the 10th to the 90th percentile. It is compared with the typical one of the
/// training's people; a power below 1 and the number of frames make the gain cautious, because the
/// mesh of a frame is uncertain.
pub(super) fn gain(protocol: RangeProtocol, mut openings: Vec<f32>) -> f32 {
    openings.retain(|opening| opening.is_finite());
    openings.sort_unstable_by(f32::total_cmp);
    let Some(range) = percentile(&openings, 0.9).zip(percentile(&openings, 0.1)) else {
        return 1.0;
    };
    let share = (range.0 - range.1) / protocol.typical;
    if share < QUIET {
        return 1.0;
    }
    let count = openings.len() as f32;
    let trust = count / (count + protocol.frames);
    share
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
        let of = |frames, widest| gain(PROTOCOL, openings(frames, widest));
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
            assert_eq!(gain(PROTOCOL, openings), 1.0);
        }
    }

    #[test]
    fn the_order_of_frames_does_not_matter() {
        let mut reversed = openings(137, 0.07);
        let forward = gain(PROTOCOL, reversed.clone());
        reversed.reverse();
        assert_eq!(gain(PROTOCOL, reversed), forward);
    }
}

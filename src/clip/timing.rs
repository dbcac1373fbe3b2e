//! The time of each frame: from its index to a sample position at 16 kHz.

use crate::audio::{RATE, Rate};
use crate::{Error, Result};

/// The times of a clip's frames. Frame 0 of a constant rate is at time 0 of the audio.
#[derive(Debug, Clone, PartialEq)]
pub enum Timing {
    /// A constant rate in frames a second, a fraction (30000/1001, ...); any index, also a negative
    /// one.
    Constant(Rate),
    /// A variable rate: the time of each frame from index 0 on, as a sample position at 16 kHz
    /// (seconds times 16,000, rounded), never decreasing.
    Variable(Vec<i64>),
}

impl Timing {
    /// [`Error::Argument`] for times that go back or a rate out of range.
    pub(crate) fn check(&self) -> Result<()> {
        let times = match self {
            Timing::Constant(rate) => return rate.check(),
            Timing::Variable(times) => times,
        };
        let argument = |reason: String| {
            Err(Error::Argument {
                field: "timing",
                reason,
            })
        };
        if times.is_empty() {
            return argument("a variable rate needs the time of at least one frame".into());
        }
        if let Some(at) = times.windows(2).position(|pair| pair[1] < pair[0]) {
            return argument(format!(
                "frame {} is earlier than the one before it",
                at + 1
            ));
        }
        Ok(())
    }

    /// The position of the frame `index`, in samples at 16 kHz.
    ///
    /// # Errors
    /// [`Error::Argument`] for an index outside a variable timing.
    pub fn position(&self, index: i64) -> Result<i64> {
        match self {
            Timing::Constant(rate) => Ok(rate.position(index)),
            Timing::Variable(times) => usize::try_from(index)
                .ok()
                .and_then(|index| times.get(index).copied())
                .ok_or_else(|| Error::Argument {
                    field: "index",
                    reason: format!("{index} is outside the {} frame times", times.len()),
                }),
        }
    }

    /// The largest of `value` over the positions of the clip's frames, where it depends only on a
    /// position's distance to the last whole 50th of a second.
    pub(crate) fn largest(&self, value: impl Fn(i64) -> i64) -> i64 {
        const LONGEST_PERIOD: u32 = 65_536;
        let most = match self {
            // Frames of a constant rate have the same distances again after whole seconds.
            Timing::Constant(rate) if rate.num <= LONGEST_PERIOD => (0..i64::from(rate.num))
                .map(|frame| value(rate.position(frame)))
                .max(),
            Timing::Constant(_) => (0..i64::from(RATE / 50)).map(value).max(),
            Timing::Variable(times) => times.iter().copied().map(value).max(),
        };
        most.unwrap_or(0)
    }

    /// The most frames that lie within `samples`, for the size of the stream's queue.
    pub(crate) fn frames_in(&self, samples: i64) -> usize {
        match self {
            Timing::Constant(rate) => {
                let mut frames = 0;
                while frames < 4096 && rate.position(frames) < samples {
                    frames += 1;
                }
                frames as usize
            }
            Timing::Variable(times) => (0..times.len())
                .map(|first| times[first..].partition_point(|time| *time < times[first] + samples))
                .max()
                .unwrap_or(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constant_rates_never_drift() {
        let ntsc = Timing::Constant(Rate::new(30000, 1001).unwrap());
        assert_eq!(ntsc.position(30000).unwrap(), 1001 * 16000);
        assert_eq!(
            Timing::Constant(Rate::new(25, 1).unwrap())
                .position(-3)
                .unwrap(),
            -1920
        );
    }

    #[test]
    fn the_largest_value_is_found_for_every_rate() {
        let past = |position: i64| position.rem_euclid(320);
        let rate = |num, den| Timing::Constant(Rate::new(num, den).unwrap());
        assert_eq!(rate(25, 1).largest(past), 0);
        assert_eq!(rate(30, 1).largest(past), 213);
        assert_eq!(rate(30_000, 1_001).largest(past), 319);
        assert_eq!(rate(25_000_000, 1_000_000).largest(past), 319);
        assert_eq!(Timing::Variable(vec![-1, 640]).largest(past), 319);
    }

    #[test]
    fn frames_in_counts_the_frames_of_an_interval() {
        assert_eq!(
            Timing::Constant(Rate::new(25, 1).unwrap()).frames_in(3880),
            7
        );
        assert_eq!(
            Timing::Constant(Rate::new(50, 1).unwrap()).frames_in(640),
            2
        );
        assert_eq!(
            Timing::Variable(vec![0, 10, 20, 5000, 5001]).frames_in(640),
            3
        );
    }

    #[test]
    fn times_that_go_back_are_refused() {
        assert!(Timing::Variable(vec![0, 640, 639]).check().is_err());
        assert!(Timing::Variable(vec![]).check().is_err());
        let times = Timing::Variable(vec![0, 640, 640, 3000]);
        times.check().unwrap();
        assert_eq!(times.position(3).unwrap(), 3000);
        assert!(times.position(4).is_err() && times.position(-1).is_err());
    }
}

//! Frame numbers, the host's times, and frame rates.

use stylelipsync::audio::Rate;

use crate::abi::names::PROP_TIME;
use crate::error::Result;
use crate::host::Properties;

/// A frame of the source: its number, and the host's time of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct FrameTime {
    pub frame: i64,
    pub time: f64,
}

impl FrameTime {
    /// The frame of an action; `None` where the host gives no time.
    ///
    /// Only the host's time is used: in Resolve's Edit and Color pages it is the source's frame, in
    /// Fusion the composition's. Resolve also passes the source's frame as a property of its own to
    /// renders, but not to buttons; with it, audio would start at another frame than the one that the
    /// user set.
    pub fn of(arguments: &Properties<'_>) -> Option<Self> {
        let time = arguments.double(PROP_TIME, 0)?;
        Some(Self {
            frame: time.round() as i64,
            time,
        })
    }

    /// The position of the time, in samples at 16 kHz, of the positions of whole frames.
    ///
    /// # Errors
    /// What `position` returns.
    pub fn position(&self, position: impl Fn(i64) -> stylelipsync::Result<i64>) -> Result<i64> {
        let start = position(self.frame)?;
        let part = self.time - self.frame as f64;
        if part == 0.0 || !(-0.5..=0.5).contains(&part) {
            return Ok(start);
        }
        let next = position(self.frame.saturating_add(1))?;
        Ok(start + (part * (next - start) as f64).round() as i64)
    }

    /// Whether the time is that of a whole frame; in a retime it may lie between two.
    pub fn is_whole(&self) -> bool {
        self.time == self.frame as f64
    }
}

/// The host's time of a whole frame. Neighbours and references are fetched at whole frames, so that a
/// time between two frames does not change which pictures they are.
pub fn time_of(frame: i64) -> f64 {
    frame as f64
}

/// The exact rate of a host's rounded number: 23.976 is 24000/1001.
///
/// # Errors
/// For rates outside 1 to 1000 frames per second.
pub fn exact_rate(fps: f64) -> Result<Rate> {
    let whole = fps.round();
    let (num, den) = if (fps - whole).abs() < 1e-4 {
        (whole, 1)
    } else if (fps - whole * 1000.0 / 1001.0).abs() < 2e-3 {
        (whole * 1000.0, 1001)
    } else {
        ((fps * 1000.0).round(), 1000)
    };
    Ok(Rate::new(num as u32, den)?)
}

#[cfg(test)]
mod tests {
    use super::exact_rate;

    #[test]
    fn rounded_rates_become_exact() {
        for (fps, num, den) in [
            (25.0, 25, 1),
            (23.976, 24_000, 1001),
            (23.976_023_976, 24_000, 1001),
            (29.97, 30_000, 1001),
            (59.94, 60_000, 1001),
            (12.5, 12_500, 1000),
            (24.000_01, 24, 1),
        ] {
            let rate = exact_rate(fps).unwrap();
            assert_eq!((rate.num, rate.den), (num, den), "{fps}");
        }
    }
}

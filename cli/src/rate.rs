//! Frame rates.

use std::str::FromStr;

/// A positive rational number of frames a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameRate {
    pub num: u32,
    pub den: u32,
}

/// The rates whose decimal names mean a fraction of 1001.
const NTSC: [(&str, u32); 7] = [
    ("23.976", 24000),
    ("23.98", 24000),
    ("29.97", 30000),
    ("47.952", 48000),
    ("47.95", 48000),
    ("59.94", 60000),
    ("119.88", 120000),
];

impl FromStr for FrameRate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("'{text}' is not a frame rate such as 25, 23.976 or 30000/1001");
        if let Some(&(_, num)) = NTSC.iter().find(|(name, _)| *name == text) {
            return Ok(Self { num, den: 1001 });
        }
        let (num, den): (u32, u32) = if let Some((num, den)) = text.split_once('/') {
            (
                num.parse().map_err(|_| wrong())?,
                den.parse().map_err(|_| wrong())?,
            )
        } else if let Some((whole, decimals)) = text.split_once('.') {
            let den = 10u32.checked_pow(decimals.len() as u32).ok_or_else(wrong)?;
            (
                format!("{whole}{decimals}").parse().map_err(|_| wrong())?,
                den,
            )
        } else {
            (text.parse().map_err(|_| wrong())?, 1)
        };
        // 1000 frames a second is faster than any footage, and keeps positions far from overflow.
        if num == 0 || den == 0 || num / den > 1000 {
            return Err(wrong());
        }
        Ok(Self { num, den })
    }
}

impl std::fmt::Display for FrameRate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.den {
            1 => write!(f, "{}", self.num),
            den => write!(f, "{}/{den}", self.num),
        }
    }
}

impl FrameRate {
    /// Seconds from the first frame to the start of frame `index`.
    pub fn seconds(self, index: u64) -> f64 {
        index as f64 * f64::from(self.den) / f64::from(self.num)
    }

    /// Frames a second.
    pub fn fps(self) -> f64 {
        f64::from(self.num) / f64::from(self.den)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_stay_rational() {
        let rate = |text: &str| text.parse::<FrameRate>().map(|r| (r.num, r.den));
        assert_eq!(rate("25"), Ok((25, 1)));
        assert_eq!(rate("23.976"), Ok((24000, 1001)));
        assert_eq!(rate("29.97"), Ok((30000, 1001)));
        assert_eq!(rate("30000/1001"), Ok((30000, 1001)));
        assert_eq!(rate("12.5"), Ok((125, 10)));
        for text in [
            "0",
            "-25",
            "25/0",
            "fast",
            "1e3",
            "5000",
            "",
            "nan",
            "1.00000000000",
        ] {
            assert!(rate(text).is_err(), "{text}");
        }
    }
}

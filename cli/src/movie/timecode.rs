//! SMPTE time code (ST 12-1): the number of a movie's first frame, as hours to frames.

use std::str::FromStr;

use crate::rate::FrameRate;

/// A time code whose rate is not known yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timecode {
    fields: [u64; 4],
    /// Two (at 60, four) frame numbers are left out each minute but every tenth.
    drop: bool,
}

impl FromStr for Timecode {
    type Err = ();

    /// Reads `hh:mm:ss:ff`; a semicolon or a full stop before the frames means drop-frame.
    fn from_str(text: &str) -> Result<Self, ()> {
        let (rest, frames) = text.rsplit_once([':', ';', '.']).ok_or(())?;
        let drop = text.as_bytes()[rest.len()] != b':';
        let fields: Vec<u64> = rest
            .split(':')
            .chain([frames])
            .map(|field| field.parse().map_err(|_| ()))
            .collect::<Result<_, _>>()?;
        let fields: [u64; 4] = fields.try_into().map_err(|_| ())?;
        let [hours, minutes, seconds, _] = fields;
        if hours > 99 || minutes > 59 || seconds > 59 {
            return Err(());
        }
        Ok(Self { fields, drop })
    }
}

impl Timecode {
    /// The time code `frames` later, as ffmpeg reads it; `None` where the rate has no such time code.
    pub fn later(self, frames: u64, rate: FrameRate) -> Option<String> {
        let fps = rate.fps().round() as u64;
        let [hours, minutes, seconds, frame] = self.fields;
        let dropped = match (self.drop, fps) {
            (false, _) => 0,
            (true, 30 | 60) => fps / 15,
            (true, _) => return None,
        };
        if fps == 0 || frame >= fps {
            return None;
        }
        let minutes_in_all = hours * 60 + minutes;
        let mut number = (minutes_in_all * 60 + seconds) * fps + frame
            - dropped * (minutes_in_all - minutes_in_all / 10);
        number = (number + frames) % (24 * 6 * (fps * 600 - 9 * dropped));
        if dropped > 0 {
            let ten_minutes = fps * 600 - 9 * dropped;
            let minute = fps * 60 - dropped;
            let (tens, rest) = (number / ten_minutes, number % ten_minutes);
            number += dropped * 9 * tens;
            if rest >= dropped {
                number += dropped * ((rest - dropped) / minute);
            }
        }
        let separator = if self.drop { ';' } else { ':' };
        Some(format!(
            "{:02}:{:02}:{:02}{separator}{:02}",
            number / (fps * 3600),
            number / (fps * 60) % 60,
            number / fps % 60,
            number % fps
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn later(text: &str, frames: u64, num: u32, den: u32) -> Option<String> {
        let code: Timecode = text.parse().ok()?;
        code.later(frames, FrameRate { num, den })
    }

    #[test]
    fn frames_count_on_and_drop_frame_leaves_numbers_out() {
        let cases = [
            ("01:00:00:00", 0, 25, 1, "01:00:00:00"),
            ("01:00:00:24", 1, 25, 1, "01:00:01:00"),
            ("23:59:59:24", 1, 25, 1, "00:00:00:00"),
            ("00:00:59:23", 1, 24000, 1001, "00:01:00:00"),
            ("00:00:59;29", 1, 30000, 1001, "00:01:00;02"),
            ("00:09:59.29", 1, 30000, 1001, "00:10:00;00"),
            ("00:00:59;59", 1, 60000, 1001, "00:01:00;04"),
            // An hour of drop-frame time code is an hour.
            ("10:00:00;00", 107_892, 30000, 1001, "11:00:00;00"),
        ];
        for (from, frames, num, den, to) in cases {
            assert_eq!(later(from, frames, num, den).as_deref(), Some(to), "{from}");
        }
        for text in ["", "1:2:3", "00:61:00:00", "a:b:c:d", "00:00:00:00:00"] {
            assert_eq!(later(text, 0, 25, 1), None, "{text}");
        }
        assert_eq!(later("00:00:00;00", 0, 25, 1), None, "drop-frame at 25");
        assert_eq!(later("00:00:00:25", 0, 25, 1), None, "frame 25 of 25");
    }
}

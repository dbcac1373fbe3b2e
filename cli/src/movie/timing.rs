//! When a movie's frames are shown: the rate on whose grid they lie, or the time of each.

use std::path::Path;

use crate::failure::{Failure, Result};
use crate::rate::FrameRate;
use crate::tool;

/// The times of a movie's frames.
pub struct Timing {
    /// The rate on whose grid the frames lie; for a variable rate the nearest standard one.
    pub rate: FrameRate,
    pub variable: bool,
    pub packets: u64,
}

/// The time of each frame of a movie with a variable rate.
#[derive(Clone, Debug)]
pub struct Times {
    /// From the first frame on, rising.
    ticks: Vec<i64>,
    /// Seconds of a tick, a fraction.
    tick: (u64, u64),
}

impl Times {
    /// Decodes the movie once for the times of the frames that come out. `None` where a frame has none, or two
    /// share one.
    ///
    /// # Errors
    /// [`Failure::Tool`] from ffprobe.
    pub fn read(path: &Path, tick: &str) -> Result<Option<Self>> {
        let Some(tick) = fraction(tick) else {
            return Ok(None);
        };
        let entries = ["-show_entries", "frame=best_effort_timestamp"];
        let lines = lines(path, &entries)?;
        let times = lines
            .lines()
            .filter(|line| !line.is_empty())
            .map(|line| line.split(',').next()?.parse::<i64>().ok());
        let ticks: Option<Vec<i64>> = times.collect();
        let Some(mut ticks) = ticks.filter(|ticks| !ticks.is_empty()) else {
            return Ok(None);
        };
        let first = ticks[0];
        let rising = ticks.windows(2).all(|pair| pair[0] < pair[1]);
        for time in &mut ticks {
            *time = time.wrapping_sub(first);
        }
        Ok(rising.then_some(Self { ticks, tick }))
    }

    pub fn frames(&self) -> u64 {
        self.ticks.len() as u64
    }

    /// When frame `index` begins. The last one is taken to last as long as the average.
    pub fn seconds(&self, index: u64) -> f64 {
        let last = self.ticks.len() - 1;
        let tick = self.tick.0 as f64 / self.tick.1 as f64;
        let end = self.ticks[last] as f64 * tick;
        match self.ticks.get(index as usize) {
            Some(ticks) => *ticks as f64 * tick,
            None => end + end / last.max(1) as f64,
        }
    }

    /// Ticks of frame `index` as nanoseconds from frame `first`.
    pub fn nanoseconds(&self, index: u64, first: u64) -> u64 {
        let at = |index: u64| self.ticks.get(index as usize).copied().unwrap_or(0);
        let ticks = at(index).saturating_sub(at(first)).max(0) as u128;
        let (num, den) = (u128::from(self.tick.0), u128::from(self.tick.1));
        ((ticks * num * 1_000_000_000 + den / 2) / den) as u64
    }

    /// Whether milliseconds, which Matroska counts in, state the times exactly.
    pub fn in_milliseconds(&self) -> bool {
        let (num, den) = self.tick;
        num * 1000 % den == 0
    }

    /// Ticks in a second, where that is a whole number.
    pub fn ticks_per_second(&self) -> Option<u64> {
        let (num, den) = self.tick;
        (den % num == 0).then_some(den / num)
    }
}

/// What ffprobe reports of the rates of a stream.
pub struct Stated<'a> {
    pub lowest: Option<&'a str>,
    pub average: Option<&'a str>,
    pub time_base: Option<&'a str>,
}

impl Timing {
    /// Finds the rate on whose grid the frames' own times lie.
    ///
    /// # Errors
    /// [`Failure::Input`] when the movie states no frame rate.
    pub fn find(path: &Path, packets: &Packets, stated: &Stated) -> Result<Self> {
        let rate = |text: Option<&str>| {
            text.and_then(fraction)
                .and_then(|(num, den)| frame_rate(num, den))
        };
        let (lowest, average) = (rate(stated.lowest), rate(stated.average));
        let (times, packets) = (&packets.times, packets.count);
        let no_rate = || Failure::Input(format!("{} gives no frame rate", path.display()));
        let constant = |rate| Self {
            rate,
            variable: false,
            packets,
        };
        let tick = stated.time_base.and_then(fraction);
        let Some(tick) = tick.filter(|_| times.len() > 1 && times.len() as u64 == packets) else {
            return Ok(constant(average.or(lowest).ok_or_else(no_rate)?));
        };
        // Both may be estimates.
        let standard = average.or(lowest).map(nearest_standard);
        let mut stated = [lowest, average, standard].into_iter().flatten();
        if let Some(rate) = stated.find(|rate| lies_on_grid(times, tick, *rate)) {
            return Ok(constant(rate));
        }
        Ok(Self {
            rate: nearest_standard(average.or(lowest).ok_or_else(no_rate)?),
            variable: true,
            packets,
        })
    }
}

/// What ffprobe prints of the picture, a line for each packet or frame.
fn lines(path: &Path, entries: &[&str]) -> Result<String> {
    let mut command = tool::command("ffprobe");
    command.args(["-select_streams", "v:0"]).args(entries);
    command.args(["-of", "csv=p=0"]).arg(tool::file(path));
    let printed = tool::output("ffprobe", command, format!("timing {}", path.display()))?;
    Ok(String::from_utf8_lossy(&printed).into_owned())
}

/// The packets of a movie's picture.
pub struct Packets {
    /// The times at which they are shown, in ticks, rising. Some packets may have none.
    times: Vec<i64>,
    /// Places in `times` of those that need no other to be decoded.
    keys: Vec<usize>,
    /// Packets that are shown.
    count: u64,
    /// There are others, which are decoded only: those before the start that an edit list asks for.
    hidden: bool,
}

impl Packets {
    /// Asks ffprobe, which reads the whole file for that but decodes nothing.
    ///
    /// # Errors
    /// [`Failure::Tool`] from ffprobe.
    pub fn read(path: &Path) -> Result<Self> {
        let printed = lines(path, &["-show_entries", "packet=pts,flags"])?;
        Ok(Self::parse(&printed))
    }

    fn parse(printed: &str) -> Self {
        // D: decoded but not shown.
        let shown = printed.lines().filter(|line| !line.contains('D'));
        let count = shown.clone().count();
        let time = |line: &str| Some((line.split(',').next()?.parse().ok()?, line.contains('K')));
        let mut times: Vec<(i64, bool)> = shown.filter_map(time).collect();
        times.sort_unstable();
        let keys = times.iter().enumerate().filter(|(_, (_, key))| *key);
        Self {
            keys: keys.map(|(place, _)| place).collect(),
            times: times.into_iter().map(|(time, _)| time).collect(),
            count: count as u64,
            hidden: count < printed.lines().filter(|line| !line.is_empty()).count(),
        }
    }

    /// Where decoding can begin, if each packet is a frame with a time of its own.
    pub fn entries(self, tick: &str) -> Option<Entries> {
        let distinct = self.times.windows(2).all(|pair| pair[0] < pair[1]);
        let plain = distinct && !self.hidden && self.times.len() as u64 == self.count;
        // Frames before the first key packet are decoded or not, as the decoder likes.
        let begins = self.keys.first() == Some(&0);
        Some(Entries {
            tick: fraction(tick).filter(|_| plain && begins)?,
            times: self.times,
            keys: self.keys,
        })
    }
}

/// Frames at which decoding can begin.
#[derive(Clone, Debug)]
pub struct Entries {
    times: Vec<i64>,
    keys: Vec<usize>,
    tick: (u64, u64),
}

/// A place to decode from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Entry {
    /// The first frame that comes out.
    pub frame: u64,
    /// A time between that frame and the one before it, seconds on the clock of the file.
    pub seconds: f64,
}

impl Entries {
    /// From where frame `index` can be decoded; `None`: from the beginning.
    ///
    /// ffmpeg decodes from the last key packet before the entry's time on and drops what is shown before that
    /// time. So it begins one key packet earlier than the last one before the frame: those frames after the first
    /// one that need frames from before it are among the dropped ones.
    pub fn before(&self, index: u64) -> Option<Entry> {
        let after = self.keys.partition_point(|key| *key as u64 <= index);
        let frame = self.keys[..after].last().copied().filter(|key| *key > 0)?;
        let middle = (self.times[frame - 1] as f64 + self.times[frame] as f64) / 2.0;
        let seconds = middle * self.tick.0 as f64 / self.tick.1 as f64;
        (seconds >= 0.0).then_some(Entry {
            frame: frame as u64,
            seconds,
        })
    }
}

/// Whether the times are those of the grid, but for rounding.
fn lies_on_grid(times: &[i64], (tick_num, tick_den): (u64, u64), rate: FrameRate) -> bool {
    let frames_per_tick =
        tick_num as f64 / tick_den as f64 * f64::from(rate.num) / f64::from(rate.den);
    let error = |(index, time): (usize, &i64)| {
        time.wrapping_sub(times[0]) as f64 * frames_per_tick - index as f64
    };
    let (low, high) = times
        .iter()
        .enumerate()
        .map(error)
        .fold((0f64, 0f64), |(low, high), error| {
            (low.min(error), high.max(error))
        });
    // Containers round to ticks, or cut to them. What lies farther off is shown at a time of its own: four
    // frames of five of a movie are still within half a frame of their average rate's grid.
    high - low < (2.0 * frames_per_tick + 0.01).min(1.0)
}

fn fraction(text: &str) -> Option<(u64, u64)> {
    let (num, den) = text.split_once('/')?;
    let (num, den) = (num.parse().ok()?, den.parse().ok()?);
    (num > 0 && den > 0).then_some((num, den))
}

fn frame_rate(num: u64, den: u64) -> Option<FrameRate> {
    let (num, den) = match (u32::try_from(num), u32::try_from(den)) {
        (Ok(num), Ok(den)) => (num, den),
        // Average rates of odd durations can have huge terms: a thousandth of a frame will do.
        _ => ((num as f64 / den as f64 * 1000.0).round() as u32, 1000),
    };
    (num > 0 && num / den <= 1000).then_some(FrameRate { num, den })
}

fn nearest_standard(rate: FrameRate) -> FrameRate {
    const STANDARD: [(u32, u32); 10] = [
        (12, 1),
        (15, 1),
        (24000, 1001),
        (24, 1),
        (25, 1),
        (30000, 1001),
        (30, 1),
        (50, 1),
        (60000, 1001),
        (60, 1),
    ];
    let distance = |&(num, den): &(u32, u32)| (f64::from(num) / f64::from(den) - rate.fps()).abs();
    let nearest = STANDARD
        .into_iter()
        .min_by(|a, b| distance(a).total_cmp(&distance(b)));
    nearest.map_or(rate, |(num, den)| FrameRate { num, den })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NTSC: FrameRate = FrameRate {
        num: 30000,
        den: 1001,
    };

    #[test]
    fn rounded_timestamps_are_constant_and_gaps_are_not() {
        let milliseconds: Vec<i64> = (0..3000)
            .map(|n| (f64::from(n) * 1001.0 / 30.0) as i64)
            .collect();
        assert!(lies_on_grid(&milliseconds, (1, 1000), NTSC));
        let thirty = FrameRate { num: 30, den: 1 };
        assert!(
            !lies_on_grid(&milliseconds, (1, 1000), thirty),
            "drifts by three frames"
        );
        let four_of_five: Vec<i64> = (0..50).filter(|n| n % 5 != 3).map(|n| n * 1001).collect();
        let average = FrameRate {
            num: 24000 * 4 / 5,
            den: 1001,
        };
        assert!(!lies_on_grid(&four_of_five, (1, 24_000), average));
        let mut gap = milliseconds;
        gap.remove(700);
        assert!(!lies_on_grid(&gap, (1, 1000), NTSC));
    }

    #[test]
    fn decoding_begins_at_the_last_key_packet_before_a_frame() {
        // In the order of decoding: frame 2 is shown before frame 3, which it needs.
        let printed = "0,K__\n1001,___\n3003,K__\n2002,___\n4004,___\n";
        let entries = Packets::parse(printed).entries("1/1000").unwrap();
        assert_eq!(entries.before(2), None, "from the beginning");
        let entry = Entry {
            frame: 3,
            seconds: 2.5025,
        };
        assert_eq!(entries.before(3), Some(entry));
        assert_eq!(entries.before(99), Some(entry));
        for unsafe_ in [
            "0,___\n1001,K__\n",
            "0,KD_\n1001,K__\n",
            "0,K__\nN/A,___\n2002,K__\n",
            "0,K__\n1001,___\n1001,K__\n",
            "",
        ] {
            let entries = Packets::parse(unsafe_).entries("1/1000");
            assert!(entries.is_none(), "{unsafe_}");
        }
    }

    #[test]
    fn odd_average_rates_find_their_standard() {
        assert_eq!(
            nearest_standard(FrameRate {
                num: 2987,
                den: 100
            }),
            NTSC
        );
        assert_eq!(
            frame_rate(30_000_000_000, 1_001_000_000),
            Some(FrameRate {
                num: 29970,
                den: 1000
            })
        );
        assert_eq!(frame_rate(90_000_000, 1), None);
    }

    #[test]
    fn times_are_exact_in_ticks() {
        let times = Times {
            ticks: vec![0, 1001, 3003, 4004],
            tick: (1, 30_000),
        };
        assert_eq!(times.nanoseconds(3, 1), 100_100_000);
        assert!((times.seconds(2) - 0.1001).abs() < 1e-12);
        assert!((times.seconds(4) - 4004.0 / 3.0 * 4.0 / 30_000.0).abs() < 1e-12);
        assert_eq!(times.ticks_per_second(), Some(30_000));
    }
}

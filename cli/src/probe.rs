//! What ffprobe reports of a movie: size, depth, colour, and the true timing of its frames.

use std::path::Path;

use serde::Deserialize;

use crate::args::FrameRate;
use crate::failure::{Failure, Result};
use crate::picture::{Depth, Layout};
use crate::tool;

/// A movie's picture, as it will be decoded.
#[derive(Clone, Debug)]
pub struct Movie {
    pub layout: Layout,
    pub rate: FrameRate,
    /// The frames do not lie on a grid of `rate`: they are resampled to it.
    pub variable: bool,
    /// About how many frames there are, for the progress bar.
    pub frames: u64,
    pub colour: Colour,
    /// Chroma as ffmpeg names it in pixel formats: 420, 422 or 444.
    pub chroma: &'static str,
    /// Width to height of one pixel, as ffmpeg's setsar takes it.
    pub pixel_aspect: Option<String>,
    /// Each frame holds two fields: it is de-interlaced, one frame for one.
    pub interlaced: bool,
    /// There is an alpha channel, which is not read.
    pub alpha: bool,
}

/// The stream's own colour tags; what is written is converted back with the same matrix.
#[derive(Clone, Debug, Default)]
pub struct Colour {
    pub space: Option<String>,
    pub primaries: Option<String>,
    pub transfer: Option<String>,
    pub full_range: bool,
}

#[derive(Deserialize)]
struct Report {
    #[serde(default)]
    streams: Vec<Stream>,
    #[serde(default)]
    format: Format,
}

#[derive(Deserialize, Default)]
struct Format {
    duration: Option<String>,
}

#[derive(Deserialize)]
struct Stream {
    width: Option<u32>,
    height: Option<u32>,
    pix_fmt: Option<String>,
    r_frame_rate: Option<String>,
    avg_frame_rate: Option<String>,
    time_base: Option<String>,
    sample_aspect_ratio: Option<String>,
    color_space: Option<String>,
    color_primaries: Option<String>,
    color_transfer: Option<String>,
    color_range: Option<String>,
    field_order: Option<String>,
    duration: Option<String>,
    #[serde(default)]
    side_data_list: Vec<SideData>,
    #[serde(default)]
    tags: Tags,
}

#[derive(Deserialize)]
struct SideData {
    rotation: Option<f64>,
}

#[derive(Deserialize, Default)]
struct Tags {
    rotate: Option<String>,
    /// Where VP8 and VP9 in WebM state their alpha, which their pixel format does not show.
    #[serde(alias = "ALPHA_MODE")]
    alpha_mode: Option<String>,
}

/// Asks ffprobe about `path`.
///
/// # Errors
/// [`Failure::Input`] when the file holds no picture; [`Failure::Tool`] from ffprobe itself.
pub fn movie(path: &Path) -> Result<Movie> {
    std::fs::File::open(path).map_err(|error| Failure::reading(path, error))?;
    let mut command = tool::command("ffprobe");
    command.args([
        "-select_streams",
        "v:0",
        "-show_streams",
        "-show_format",
        "-of",
        "json",
    ]);
    command.arg(tool::file(path));
    let doing = format!("reading {}", path.display());
    let printed = tool::output("ffprobe", command, doing.clone())?;
    let report: Report = serde_json::from_slice(&printed)
        .map_err(|error| Failure::Tool(format!("ffprobe failed while {doing}: {error}")))?;
    let no_picture = || Failure::Input(format!("{} has no video stream", path.display()));
    let stream = report.streams.into_iter().next().ok_or_else(no_picture)?;
    let size = stream
        .width
        .zip(stream.height)
        .filter(|&(w, h)| w > 0 && h > 0);
    let (mut width, mut height) = size.ok_or_else(no_picture)?;
    // ffmpeg turns the picture upright while it decodes, and its pixels with it.
    let turned = stream.is_turned();
    if turned {
        (width, height) = (height, width);
    }
    let pix_fmt = stream.pix_fmt.as_deref().unwrap_or_default();
    let layout = Layout {
        width,
        height,
        depth: depth(pix_fmt),
        alpha: false,
    };
    let timing = stream.timing(path)?;
    let seconds = stream
        .duration
        .as_deref()
        .or(report.format.duration.as_deref());
    let seconds: Option<f64> = seconds.and_then(|text| text.parse().ok());
    let frames = match (timing.variable, seconds) {
        (true, Some(seconds)) => (seconds * timing.rate.fps()).round() as u64,
        _ => timing.packets,
    };
    Ok(Movie {
        layout,
        rate: timing.rate,
        variable: timing.variable,
        frames,
        colour: Colour {
            space: known(stream.color_space),
            primaries: known(stream.color_primaries),
            transfer: known(stream.color_transfer),
            full_range: stream.color_range.as_deref() == Some("pc"),
        },
        chroma: chroma(pix_fmt),
        interlaced: matches!(
            stream.field_order.as_deref(),
            Some("tt" | "bb" | "tb" | "bt")
        ),
        alpha: has_alpha(pix_fmt) || stream.tags.alpha_mode.as_deref() == Some("1"),
        pixel_aspect: stream
            .sample_aspect_ratio
            .and_then(|ratio| pixel_aspect(&ratio, turned)),
    })
}

/// The ratio as ffmpeg's setsar takes it; `None` for square pixels.
fn pixel_aspect(ratio: &str, turned: bool) -> Option<String> {
    let (width, height) = ratio.split_once(':')?;
    let (width, height): (u64, u64) = (width.parse().ok()?, height.parse().ok()?);
    let (width, height) = if turned {
        (height, width)
    } else {
        (width, height)
    };
    (width > 0 && height > 0 && width != height).then(|| format!("{width}/{height}"))
}

fn known(tag: Option<String>) -> Option<String> {
    tag.filter(|tag| tag != "unknown" && tag != "reserved")
}

/// All of ffmpeg's formats of more than 8 bits end in their byte order, as do some of fewer.
fn depth(pix_fmt: &str) -> Depth {
    let few = ["rgb4", "bgr4", "rgb5", "bgr5", "mono"]
        .iter()
        .any(|few| pix_fmt.starts_with(few));
    match pix_fmt.ends_with("le") || pix_fmt.ends_with("be") {
        true if !few => Depth::Sixteen,
        _ => Depth::Eight,
    }
}

fn has_alpha(pix_fmt: &str) -> bool {
    [
        "yuva", "rgba", "bgra", "argb", "abgr", "gbrap", "ya8", "ya16",
    ]
    .iter()
    .any(|name| pix_fmt.starts_with(name))
}

fn chroma(pix_fmt: &str) -> &'static str {
    match pix_fmt {
        f if f.contains("444") || f.contains("rgb") || f.contains("bgr") || f.contains("gbr") => {
            "444"
        }
        f if f.contains("422") || f.starts_with("yuyv") || f.starts_with("uyvy") => "422",
        _ => "420",
    }
}

struct Timing {
    rate: FrameRate,
    variable: bool,
    packets: u64,
}

impl Stream {
    fn is_turned(&self) -> bool {
        let tagged = self
            .tags
            .rotate
            .as_deref()
            .and_then(|text| text.parse().ok());
        let turned = self
            .side_data_list
            .iter()
            .find_map(|side| side.rotation)
            .or(tagged);
        turned.is_some_and(|degrees: f64| (degrees / 90.0).round() as i64 % 2 != 0)
    }

    /// Finds the rate on whose grid the frames' own times lie.
    fn timing(&self, path: &Path) -> Result<Timing> {
        let stated = |text: &Option<String>| {
            text.as_deref()
                .and_then(fraction)
                .and_then(|(num, den)| frame_rate(num, den))
        };
        let (lowest, average) = (stated(&self.r_frame_rate), stated(&self.avg_frame_rate));
        let times = packet_times(path)?;
        let packets = times.len() as u64;
        let no_rate = || Failure::Input(format!("{} gives no frame rate", path.display()));
        let tick = self.time_base.as_deref().and_then(fraction);
        let Some(tick) = tick.filter(|_| times.len() > 1) else {
            let rate = average.or(lowest).ok_or_else(no_rate)?;
            return Ok(Timing {
                rate,
                variable: false,
                packets,
            });
        };
        for rate in [lowest, average].into_iter().flatten() {
            if lies_on_grid(&times, tick, rate) {
                return Ok(Timing {
                    rate,
                    variable: false,
                    packets,
                });
            }
        }
        let rate = nearest_standard(average.or(lowest).ok_or_else(no_rate)?);
        Ok(Timing {
            rate,
            variable: true,
            packets,
        })
    }
}

/// The presentation times of the picture's packets in ticks, sorted; empty where there are none.
fn packet_times(path: &Path) -> Result<Vec<i64>> {
    let mut command = tool::command("ffprobe");
    command.args([
        "-select_streams",
        "v:0",
        "-show_entries",
        "packet=pts,flags",
    ]);
    command.args(["-of", "csv=p=0"]).arg(tool::file(path));
    let printed = tool::output("ffprobe", command, format!("timing {}", path.display()))?;
    let mut times: Vec<i64> = String::from_utf8_lossy(&printed)
        .lines()
        // D: decoded but not shown (before the start that an edit list asks for).
        .filter(|line| !line.contains('D'))
        .filter_map(|line| line.split(',').next()?.parse().ok())
        .collect();
    times.sort_unstable();
    Ok(times)
}

/// Whether each time is less than half a frame from its place on the grid.
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
    high - low < 1.0
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
        let mut gap = milliseconds;
        gap.remove(700);
        assert!(!lies_on_grid(&gap, (1, 1000), NTSC));
    }

    #[test]
    fn formats_tell_depth_and_chroma() {
        for (name, depth_, chroma_) in [
            ("yuv420p", Depth::Eight, "420"),
            ("yuvj422p", Depth::Eight, "422"),
            ("yuv422p10le", Depth::Sixteen, "422"),
            ("p010le", Depth::Sixteen, "420"),
            ("gbrpf32le", Depth::Sixteen, "444"),
            ("rgb565le", Depth::Eight, "444"),
        ] {
            assert_eq!((depth(name), chroma(name)), (depth_, chroma_), "{name}");
        }
    }

    #[test]
    fn the_shape_of_pixels_turns_with_the_picture() {
        let shape = |ratio, turned| pixel_aspect(ratio, turned);
        assert_eq!(shape("2:1", false).as_deref(), Some("2/1"));
        assert_eq!(shape("2:1", true).as_deref(), Some("1/2"));
        for ratio in ["1:1", "7:7", "0:1", "1:0", "N/A", ""] {
            assert_eq!(shape(ratio, true), None, "{ratio}");
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
}

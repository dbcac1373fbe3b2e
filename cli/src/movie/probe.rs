//! What ffprobe reports of a movie's picture: size, depth, colour, fields, and the timing of its frames.

use std::path::Path;

use serde::Deserialize;
use stylelipsync::frame::Transfer;

use crate::failure::{Failure, Result};
use crate::movie::fields::{self, Interlacing};
use crate::movie::hdr::{SideData, StaticMetadata};
use crate::movie::timecode::Timecode;
use crate::movie::timing::{Entries, Packets, Stated, Times, Timing};
use crate::picture::{Depth, Layout, SQUARE};
use crate::rate::FrameRate;
use crate::tool::{self, joined};

/// A movie's picture, as it will be decoded.
#[derive(Clone, Debug)]
pub struct Movie {
    pub layout: Layout,
    pub rate: FrameRate,
    /// The frames do not lie on a grid of `rate`.
    pub variable: bool,
    /// Their own times, where `variable` and known. Without them the movie is resampled to `rate`.
    pub times: Option<Times>,
    /// Where decoding can begin, where it gives the same frames as from the beginning.
    pub entries: Option<Entries>,
    /// About how many frames there are, for the progress bar.
    pub frames: u64,
    /// ffprobe's name of the codec.
    pub codec: String,
    /// Bits of a colour component.
    pub bits: u32,
    pub colour: Colour,
    pub hdr: StaticMetadata,
    /// Chroma as ffmpeg names it in pixel formats: 420, 422 or 444.
    pub chroma: &'static str,
    /// Each frame holds two fields: it is de-interlaced, one frame for one.
    pub interlacing: Option<Interlacing>,
    /// A decoder that reads alpha, where ffmpeg's first choice does not.
    pub decoder: Option<&'static str>,
    /// Time code of the first frame.
    pub timecode: Option<Timecode>,
    /// Side data that no result keeps.
    pub other_side_data: Vec<String>,
}

/// The stream's own colour tags; what is written is converted back with the same matrix.
#[derive(Clone, Debug, Default)]
pub struct Colour {
    pub space: Option<String>,
    pub primaries: Option<String>,
    pub transfer: Option<String>,
    pub full_range: bool,
}

impl Colour {
    /// Perceptual quantiser or hybrid log-gamma (ITU-R BT.2100).
    pub fn is_hdr(&self) -> bool {
        self.hdr().is_some()
    }

    /// The transfer function with its primaries, if it is one of HDR video. Without a tag, the primaries are
    /// those of BT.2020; P3 is known in PQ, and others are taken for Rec.709's.
    pub fn hdr(&self) -> Option<Transfer> {
        match (self.transfer.as_deref()?, self.primaries.as_deref()) {
            ("smpte2084", None | Some("bt2020")) => Some(Transfer::Pq),
            ("smpte2084", Some("smpte432")) => Some(Transfer::PqP3),
            ("smpte2084", Some(_)) => Some(Transfer::PqRec709),
            ("arib-std-b67", None | Some("bt2020")) => Some(Transfer::Hlg),
            ("arib-std-b67", Some(_)) => Some(Transfer::HlgRec709),
            _ => None,
        }
    }
}

#[derive(Deserialize)]
struct Report {
    #[serde(default)]
    streams: Vec<Stream>,
    #[serde(default)]
    frames: Vec<FirstFrame>,
    #[serde(default)]
    format: Format,
}

#[derive(Deserialize, Default)]
struct Format {
    #[serde(default)]
    format_name: String,
    duration: Option<String>,
    #[serde(default)]
    tags: Tags,
}

#[derive(Deserialize)]
struct FirstFrame {
    #[serde(default)]
    interlaced_frame: u8,
    #[serde(default)]
    side_data_list: Vec<SideData>,
}

#[derive(Deserialize)]
struct Stream {
    codec_name: Option<String>,
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

#[derive(Deserialize, Default)]
struct Tags {
    rotate: Option<String>,
    #[serde(alias = "TIMECODE")]
    timecode: Option<String>,
    /// Where VP8 and VP9 in WebM state their alpha, which their pixel format does not show.
    #[serde(alias = "ALPHA_MODE")]
    alpha_mode: Option<String>,
}

/// Containers with an index of their key packets, as the beginnings of ffprobe's names.
const SEEKABLE: [&str; 2] = ["mov", "matroska"];
/// Codecs whose key packets begin a picture that needs nothing from before it. Not H.264: the key packets of a movie that
/// is refreshed little by little look the same, and after one of them ffmpeg leaves out frames.
const INDEPENDENT: [&str; 9] = [
    "av1", "dnxhd", "ffv1", "hevc", "mjpeg", "png", "prores", "vp8", "vp9",
];

/// Asks ffprobe about `path`.
///
/// # Errors
/// [`Failure::Input`] when the file holds no picture; [`Failure::Tool`] from ffprobe itself.
pub fn movie(path: &Path) -> Result<Movie> {
    std::fs::File::open(path).map_err(|error| Failure::reading(path, error))?;
    // Some properties are stated in frames only.
    let first_frames = ["-show_frames", "-read_intervals", "%+#2"];
    let picture = ["-select_streams", "v:0"];
    let (packets, report) = std::thread::scope(|scope| {
        let packets = scope.spawn(|| Packets::read(path));
        let report = tool::probe(path, &[&picture[..], &first_frames].concat());
        (joined(packets), report)
    });
    let report: Report = report?;
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
    let codec = stream.codec_name.clone().unwrap_or_default();
    let hidden_alpha = stream.tags.alpha_mode.as_deref() == Some("1");
    let layout = Layout {
        width,
        height,
        depth: match bits(pix_fmt) {
            0..=8 => Depth::Eight,
            _ => Depth::Sixteen,
        },
        alpha: has_alpha(pix_fmt) || hidden_alpha,
        pixel_aspect: stream
            .sample_aspect_ratio
            .as_deref()
            .and_then(|ratio| pixel_aspect(ratio, turned))
            .unwrap_or(SQUARE),
    };
    let stated = Stated {
        lowest: stream.r_frame_rate.as_deref(),
        average: stream.avg_frame_rate.as_deref(),
        time_base: stream.time_base.as_deref(),
    };
    let packets = packets?;
    let timing = Timing::find(path, &packets, &stated)?;
    let times = match stream.time_base.as_deref() {
        Some(tick) if timing.variable => Times::read(path, tick)?,
        _ => None,
    };
    let seconds = stream
        .duration
        .as_deref()
        .or(report.format.duration.as_deref());
    let seconds: Option<f64> = seconds.and_then(|text| text.parse().ok());
    let frames = match (&times, timing.variable, seconds) {
        (Some(times), ..) => times.frames(),
        (None, true, Some(seconds)) => (seconds * timing.rate.fps()).round() as u64,
        _ => timing.packets,
    };
    let in_frame = report.frames.first().map(|frame| &frame.side_data_list[..]);
    let side_data = stream
        .side_data_list
        .iter()
        .chain(in_frame.unwrap_or_default());
    let interlacing = fields::find(
        path,
        &codec,
        stream.field_order.as_deref(),
        report.frames.iter().any(|frame| frame.interlaced_frame > 0),
    )?;
    // A filter that looks at several frames, or counts them anew, needs all of them.
    let each_alone = interlacing.is_none()
        && match &times {
            Some(times) => times.frames() == timing.packets,
            None => !timing.variable,
        };
    let container = report.format.format_name.split(',').next().unwrap_or("");
    let seekable = each_alone && SEEKABLE.contains(&container) && INDEPENDENT.contains(&&*codec);
    let entries = stream.time_base.as_deref().filter(|_| seekable);
    let entries = entries.and_then(|tick| packets.entries(tick));
    let timecode = stream.tags.timecode.as_deref();
    let timecode = timecode.or(report.format.tags.timecode.as_deref());
    Ok(Movie {
        layout,
        rate: timing.rate,
        variable: timing.variable,
        times,
        entries,
        frames,
        bits: bits(pix_fmt),
        hdr: StaticMetadata::find(side_data.clone()),
        other_side_data: other(side_data),
        chroma: chroma(pix_fmt),
        interlacing,
        decoder: match (hidden_alpha, codec.as_str()) {
            (true, "vp9") => Some("libvpx-vp9"),
            (true, "vp8") => Some("libvpx"),
            _ => None,
        },
        codec,
        timecode: timecode.and_then(|text| text.parse().ok()),
        colour: Colour {
            space: known(stream.color_space),
            primaries: known(stream.color_primaries),
            transfer: known(stream.color_transfer),
            full_range: stream.color_range.as_deref() == Some("pc"),
        },
    })
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
}

/// Side data about the picture that is lost.
fn other<'a>(side_data: impl Iterator<Item = &'a SideData>) -> Vec<String> {
    let mut kinds: Vec<String> = side_data.filter_map(SideData::lost).collect();
    kinds.sort();
    kinds.dedup();
    kinds
}

/// The ratio of a pixel; `None` where ffprobe knows none.
fn pixel_aspect(ratio: &str, turned: bool) -> Option<[u32; 2]> {
    let (width, height) = ratio.split_once(':')?;
    let (width, height): (u32, u32) = (width.parse().ok()?, height.parse().ok()?);
    let (width, height) = if turned {
        (height, width)
    } else {
        (width, height)
    };
    (width > 0 && height > 0).then_some([width, height])
}

fn known(tag: Option<String>) -> Option<String> {
    tag.filter(|tag| tag != "unknown" && tag != "reserved")
}

/// Bits of a component, from the name of ffmpeg's pixel format: all of more than 8 bits end in their byte
/// order, as do some of fewer.
fn bits(pix_fmt: &str) -> u32 {
    let few = ["rgb4", "bgr4", "rgb5", "bgr5", "mono"]
        .iter()
        .any(|few| pix_fmt.starts_with(few));
    let Some(name) = pix_fmt
        .strip_suffix("le")
        .or_else(|| pix_fmt.strip_suffix("be"))
        .filter(|_| !few)
    else {
        return 8;
    };
    let digits = &name[name.trim_end_matches(|c: char| c.is_ascii_digit()).len()..];
    match digits.parse() {
        // Of a whole pixel.
        Ok(48 | 64) => 16,
        // p010, p210, p412 and their like.
        Ok(bits @ 100..) => bits % 100,
        Ok(bits @ 9..=32) => bits,
        _ => 16,
    }
}

fn has_alpha(pix_fmt: &str) -> bool {
    [
        "yuva", "ayuv", "rgba", "bgra", "argb", "abgr", "gbrap", "ya8", "ya16",
    ]
    .iter()
    .any(|name| pix_fmt.starts_with(name))
}

fn chroma(pix_fmt: &str) -> &'static str {
    let begins = |names: &[&str]| names.iter().any(|name| pix_fmt.starts_with(name));
    let contains = |names: &[&str]| names.iter().any(|name| pix_fmt.contains(name));
    if contains(&["444", "rgb", "bgr", "gbr"]) || begins(&["abgr", "ayuv", "p4", "pal8"]) {
        "444"
    } else if contains(&["422"]) || begins(&["yuyv", "uyvy", "yvyu", "p21", "y21"]) {
        "422"
    } else {
        "420"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_tell_bits_and_chroma() {
        for (name, bits_, chroma_) in [
            ("yuv420p", 8, "420"),
            ("yuvj422p", 8, "422"),
            ("yuv422p10le", 10, "422"),
            ("yuva444p12le", 12, "444"),
            ("p010le", 10, "420"),
            ("p216le", 16, "422"),
            ("gbrpf32le", 32, "444"),
            ("rgba64be", 16, "444"),
            ("x2rgb10le", 10, "444"),
            ("rgb565le", 8, "444"),
            ("gray12le", 12, "420"),
        ] {
            assert_eq!((bits(name), chroma(name)), (bits_, chroma_), "{name}");
        }
        for (name, alpha) in [("yuva420p", true), ("gbrap12le", true), ("rgb24", false)] {
            assert_eq!(has_alpha(name), alpha, "{name}");
        }
    }

    #[test]
    fn hdr_has_the_primaries_of_its_tags() {
        let colour = |transfer: &str, primaries: Option<&str>| Colour {
            transfer: Some(transfer.into()),
            primaries: primaries.map(str::to_owned),
            ..Colour::default()
        };
        for (transfer, primaries, expected) in [
            ("smpte2084", Some("bt2020"), Some(Transfer::Pq)),
            ("smpte2084", None, Some(Transfer::Pq)),
            ("smpte2084", Some("bt709"), Some(Transfer::PqRec709)),
            ("smpte2084", Some("smpte432"), Some(Transfer::PqP3)),
            ("arib-std-b67", Some("bt2020"), Some(Transfer::Hlg)),
            ("arib-std-b67", Some("bt709"), Some(Transfer::HlgRec709)),
            ("bt709", Some("bt2020"), None),
        ] {
            let found = colour(transfer, primaries).hdr();
            assert_eq!(found, expected, "{transfer} {primaries:?}");
        }
        assert_eq!(Colour::default().hdr(), None);
    }

    #[test]
    fn the_shape_of_pixels_turns_with_the_picture() {
        let shape = |ratio, turned| pixel_aspect(ratio, turned);
        assert_eq!(shape("2:1", false), Some([2, 1]));
        assert_eq!(shape("2:1", true), Some([1, 2]));
        for ratio in ["0:1", "1:0", "N/A", ""] {
            assert_eq!(shape(ratio, true), None, "{ratio}");
        }
    }
}

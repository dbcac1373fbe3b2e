//! The ffmpeg command that writes a movie: codec, colours, time stamps, time code, sound.

use std::process::Command;

use stylelipsync::provenance::DIGITAL_SOURCE_TYPE;

use crate::ai_metadata::MATROSKA_TAG;
use crate::audio::Track;
use crate::format::{Codec, Kind, PictureKind};
use crate::movie::codec::Coding;
use crate::movie::others::Others;
use crate::movie::probe::{Colour, Movie};
use crate::movie::raw::{self, Packets};
use crate::movie::timing::Times;
use crate::picture::{Depth, Layout};
use crate::rate::FrameRate;
use crate::tool;

/// The sound laid under a movie: the audio file from `start`, `seconds` long, silence after its
/// end.
#[derive(Clone, Debug)]
pub struct Sound<'a> {
    pub track: Track<'a>,
    pub start: f64,
    pub seconds: f64,
}

/// What a movie is written with.
#[derive(Clone, Debug)]
pub struct Format<'a> {
    pub layout: Layout,
    pub rate: FrameRate,
    /// The frames' own times, where the rate is variable.
    pub times: Option<&'a Times>,
    /// Place of the first frame in the source, for the frames' own times and the time code.
    pub first: u64,
    /// How many frames are written, where they are a part of the clip.
    pub part: Option<u64>,
    /// The source's streams, whose properties are kept.
    pub like: Option<&'a Movie>,
    pub sound: Option<Sound<'a>>,
    /// The source's other streams, where they are kept.
    pub others: Option<&'a Others>,
    /// Of folders.
    pub pictures: PictureKind,
    /// Of movies.
    pub coding: Option<&'a Coding>,
    /// Whether a movie states that it is synthetic.
    pub ai_metadata: bool,
}

/// Begins the comment that states which frames of the clip a movie holds, for `join`.
pub const PIECE: &str = "frames ";

/// Apple's players know HEVC by this name only.
pub const HEVC_TAG: [&str; 2] = ["-tag:v", "hvc1"];

const FLAGS: &str = "bicubic+accurate_rnd+full_chroma_int";

/// An ffmpeg that reads frames from its standard input; the output's path is still to be added.
pub fn command(kind: Kind, format: &Format, coding: &Coding) -> Command {
    let mut command = tool::command("ffmpeg");
    input(&mut command, format);
    let mut inputs = 1;
    if let Some(sound) = &format.sound {
        command.arg("-i").arg(tool::file(sound.track.path));
        inputs += 1;
    }
    if let Some(others) = format.others {
        others.input(&mut command);
    }
    command.args(["-map", "0:v:0"]);
    if let Some(sound) = &format.sound {
        sound.output(&mut command, kind, 1);
    }
    match format.others {
        Some(others) => others.output(&mut command, inputs),
        // ffmpeg copies the chapters of whatever it reads.
        None => _ = command.args(["-map_chapters", "-1"]),
    }
    let colour = colour_of(format, coding.codec);
    let filters = filters(format, coding, &colour);
    if !filters.is_empty() {
        command.args(["-filter:v:0", &filters.join(",")]);
    }
    video_codec(&mut command, kind, format, coding);
    colour_tags(&mut command, coding.codec, &colour);
    time(&mut command, kind, format);
    if let Some(frames) = format.part {
        command.args(["-metadata", &piece_tag(format.first, frames)]);
    }
    if format.ai_metadata {
        ai_metadata(&mut command, kind);
    }
    container(&mut command, kind);
    command
}

impl Sound<'_> {
    /// Lays the sound under a movie: its file is ffmpeg's input `input`.
    pub fn output(&self, command: &mut Command, kind: Kind, input: usize) {
        let (start, end) = (self.start, self.start + self.seconds);
        let filter = format!(
            "{},apad,atrim=start={start:.6}:end={end:.6},asetpts=PTS-STARTPTS",
            self.track.filter()
        );
        command.args(["-map", &self.track.map(input), "-filter:a:0", &filter]);
        sound_codec(command, kind);
    }
}

/// The metadata that states which frames of the clip a movie holds.
pub fn piece_tag(first: u64, frames: u64) -> String {
    let last = (first + frames).saturating_sub(1);
    format!("comment={PIECE}{first}-{last}")
}

/// States that a movie is synthetic where the container has tags of any name; others are marked when they are
/// complete (`crate::ai_metadata`).
pub fn ai_metadata(command: &mut Command, kind: Kind) {
    if kind == Kind::Mkv {
        command.args([
            "-metadata",
            &format!("{MATROSKA_TAG}={DIGITAL_SOURCE_TYPE}"),
        ]);
    }
}

/// Options of the container.
pub fn container(command: &mut Command, kind: Kind) {
    if matches!(kind, Kind::Mp4 | Kind::Mov) {
        command.args(["-movflags", "+faststart"]);
    }
}

/// The heads that the frames need: those of movies whose frames have times of their own, or HDR metadata, which
/// raw frames do not carry.
pub fn packets(format: &Format) -> Option<Packets> {
    let hdr = format.like.map(|movie| movie.hdr).unwrap_or_default();
    let fits = format.layout.bytes() <= raw::MOST_BYTES;
    let wanted = format.times.is_some() || !hdr.is_empty();
    (wanted && fits).then(|| {
        let times = format.times.cloned();
        Packets::new(&format.layout, &hdr, format.rate, times, format.first)
    })
}

fn input(command: &mut Command, format: &Format) {
    if packets(format).is_some() {
        command.args(["-f", "matroska", "-i", "pipe:0"]);
        return;
    }
    let Layout {
        width,
        height,
        depth,
        ..
    } = format.layout;
    command.args(["-f", "rawvideo", "-pix_fmt", depth.ffmpeg_name()]);
    command.args(["-s", &format!("{width}x{height}")]);
    command.args(["-r", &format.rate.to_string(), "-i", "pipe:0"]);
}

/// The codec of the new speech.
pub fn sound_codec(command: &mut Command, kind: Kind) {
    match kind {
        Kind::Mp4 | Kind::Folder => command.args(["-c:a:0", "aac", "-b:a:0", "256k"]),
        Kind::Mov => command.args(["-c:a:0", "pcm_s24le"]),
        Kind::Mkv => command.args(["-c:a:0", "flac"]),
    };
}

/// The source's colours; those of pictures are Rec. 709, which players assume.
fn colour_of(format: &Format, codec: Codec) -> Colour {
    let bt709 = || Some("bt709".to_owned());
    let mut colour = format.like.map_or_else(
        || Colour {
            space: bt709(),
            primaries: bt709(),
            transfer: bt709(),
            full_range: false,
        },
        |movie| movie.colour.clone(),
    );
    // RGB has no matrix, but what it becomes does.
    if codec != Codec::Ffv1 && colour.space.as_deref() == Some("gbr") {
        colour.space = bt709();
        colour.full_range = false;
    }
    colour
}

fn filters(format: &Format, coding: &Coding, colour: &Colour) -> Vec<String> {
    let mut filters = Vec::new();
    let [right, bottom] = coding.padding;
    if coding.padding != [0, 0] {
        let planes = match format.layout.depth {
            Depth::Sixteen | Depth::Float => "gbrp16le",
            Depth::Eight => "gbrp",
        };
        filters.push(format!(
            "format={planes},pad=iw+{right}:ih+{bottom},\
             fillborders=right={right}:bottom={bottom}:mode=smear"
        ));
    }
    // FFV1 keeps RGB: there is nothing to convert.
    if coding.codec != Codec::Ffv1 {
        let matrix = colour.space.as_deref().and_then(matrix);
        let matrix = matrix.map_or(String::new(), |name| format!("out_color_matrix={name}:"));
        let range = range(colour);
        filters.push(format!("scale={matrix}out_range={range}:flags={FLAGS}"));
    }
    let [width, height] = format.layout.pixel_aspect;
    if width != height {
        filters.push(format!("setsar={width}/{height}"));
    }
    // Some encoders ask the frames for their tags, others the options; with ffmpeg 9 all ask the frames.
    let yuv = coding.codec != Codec::Ffv1;
    let tags = [
        ("colorspace", colour.space.as_deref().filter(|_| yuv)),
        ("color_primaries", colour.primaries.as_deref()),
        ("color_trc", colour.transfer.as_deref()),
    ];
    let tags = tags
        .iter()
        .filter_map(|(name, tag)| Some(format!("{name}={}", (*tag)?)));
    let tags: Vec<String> = tags.collect();
    if !tags.is_empty() {
        filters.push(format!("setparams={}", tags.join(":")));
    }
    filters
}

fn video_codec(command: &mut Command, kind: Kind, format: &Format, coding: &Coding) {
    // Frames in the order of their times: a container's length is taken from the last ones.
    let variable = format.times.is_some();
    let quality = coding.quality.map(|quality| quality.to_string());
    match coding.codec {
        Codec::H264 => {
            command.args(["-c:v", "libx264", "-preset", "veryfast"]);
            if variable {
                command.args(["-bf", "0"]);
            }
        }
        Codec::H265 => {
            let hdr = format.like.map_or(String::new(), |movie| {
                let hdr10 = if movie.hdr.is_empty() { "" } else { ":hdr10=1" };
                format!("{hdr10}{}", movie.hdr.x265())
            });
            let order = if variable { ":bframes=0" } else { "" };
            let parameters = format!("log-level=error:repeat-headers=1{order}{hdr}");
            command.args(["-c:v", "libx265", "-preset", "fast"]);
            command.args(["-x265-params", &parameters]);
            if kind != Kind::Mkv {
                command.args(HEVC_TAG);
            }
        }
        Codec::Av1 => {
            // It prints its settings otherwise.
            command.env("SVT_LOG", "1");
            command.args(["-c:v", "libsvtav1", "-preset", "8"]);
        }
        Codec::Prores => {
            let profile = if coding.pixels.contains("444") {
                "4444"
            } else {
                "hq"
            };
            command.args(["-c:v", "prores_ks", "-profile:v", profile]);
            command.args(["-vendor", "apl0"]);
        }
        Codec::Ffv1 => {
            command.args(["-c:v", "ffv1", "-level", "3", "-slices", "4"]);
        }
    }
    if let Some(quality) = quality {
        command.args(["-crf", &quality]);
    }
    command.args(["-pix_fmt", &coding.pixels]);
}

fn colour_tags(command: &mut Command, codec: Codec, colour: &Colour) {
    // FFV1 holds RGB: the matrix and the range are those of RGB.
    let yuv = codec != Codec::Ffv1;
    let tags = [
        ("-colorspace", colour.space.as_deref().filter(|_| yuv)),
        ("-color_primaries", colour.primaries.as_deref()),
        ("-color_trc", colour.transfer.as_deref()),
        ("-color_range", Some(range(colour)).filter(|_| yuv)),
    ];
    for (option, value) in tags {
        if let Some(value) = value {
            command.args([option, value]);
        }
    }
}

/// The frames' own times in the source's ticks, or a constant rate; and the time code.
fn time(command: &mut Command, kind: Kind, format: &Format) {
    match format.times {
        Some(times) => {
            let ticks = times.ticks_per_second();
            let ticks = ticks.filter(|ticks| i32::try_from(*ticks).is_ok());
            let ticks = ticks.unwrap_or(90_000).to_string();
            command.args(["-enc_time_base", &format!("1:{ticks}")]);
            command.args([tool::frame_mode(), "passthrough"]);
            if matches!(kind, Kind::Mp4 | Kind::Mov) {
                command.args(["-video_track_timescale", &ticks]);
            }
        }
        None => {
            command.args(["-r", &format.rate.to_string()]);
        }
    }
    if let Some(code) = format.like.and_then(|movie| timecode(movie, format)) {
        timecode_tag(command, kind, &code);
    }
}

/// States the time code of the first frame.
pub fn timecode_tag(command: &mut Command, kind: Kind, code: &str) {
    match kind {
        Kind::Mkv => command.args(["-metadata:s:v:0", &format!("timecode={code}")]),
        _ => command.args(["-timecode", code]),
    };
}

/// Of the first frame that is written.
fn timecode(movie: &Movie, format: &Format) -> Option<String> {
    let code = movie.timecode.filter(|_| format.times.is_none())?;
    code.later(format.first, format.rate)
}

fn range(colour: &Colour) -> &'static str {
    if colour.full_range { "pc" } else { "tv" }
}

/// ffmpeg's scaler's own names. Without one it converts both ways with the same default.
fn matrix(space: &str) -> Option<&'static str> {
    match space {
        "bt709" => Some("bt709"),
        "smpte170m" | "bt470bg" => Some("bt601"),
        "fcc" => Some("fcc"),
        "smpte240m" => Some("smpte240m"),
        "bt2020nc" | "bt2020c" => Some("bt2020"),
        _ => None,
    }
}

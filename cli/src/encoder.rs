//! The ffmpeg command that writes a movie: codecs, pixel formats, colours, sound.

use std::process::Command;

use crate::audio::FROM_THE_START;
use crate::format::{Format, Kind};
use crate::picture::{Depth, Layout};
use crate::probe::Colour;
use crate::tool;

/// An ffmpeg that reads raw frames from its standard input; the output's path is still to be added.
pub fn command(kind: Kind, format: &Format) -> Command {
    let Layout {
        width,
        height,
        depth,
        ..
    } = format.layout;
    let rate = format.rate.to_string();
    let mut command = tool::command("ffmpeg");
    command.args([
        "-f",
        "rawvideo",
        "-pix_fmt",
        depth.ffmpeg_name(),
        "-s",
        &format!("{width}x{height}"),
    ]);
    command.args(["-r", &rate, "-i", "pipe:0"]);
    if let Some(sound) = &format.sound {
        command.arg("-i").arg(tool::file(sound.path));
        let (start, end) = (sound.start, sound.start + sound.seconds);
        let filter = format!(
            "{FROM_THE_START},apad,atrim=start={start:.6}:end={end:.6},asetpts=PTS-STARTPTS"
        );
        command.args(["-map", "0:v:0", "-map", "1:a:0", "-af", &filter]);
    }
    let chroma = format.like.map_or("420", |movie| movie.chroma);
    let colour = format
        .like
        .map_or_else(hd_colour, |movie| movie.colour.clone());
    let range = if colour.full_range { "pc" } else { "tv" };
    let mut filters = Vec::new();
    if kind == Kind::Mp4
        && let Some(padding) = padding(width, height, chroma)
    {
        let [right, bottom] = padding;
        let planes = if depth == Depth::Sixteen {
            "gbrp16le"
        } else {
            "gbrp"
        };
        log::warn!(
            "{width}x{height} is padded to {}x{}: H.264 that plays everywhere has even sizes",
            width + right,
            height + bottom
        );
        filters.push(format!(
            "format={planes},pad=iw+{right}:ih+{bottom},\
             fillborders=right={right}:bottom={bottom}:mode=smear"
        ));
    }
    // FFV1 keeps RGB: there is nothing to convert.
    if kind != Kind::Mkv {
        let matrix = colour.space.as_deref().and_then(matrix);
        let matrix = matrix.map_or(String::new(), |name| format!("out_color_matrix={name}:"));
        let flags = "bicubic+accurate_rnd+full_chroma_int";
        filters.push(format!("scale={matrix}out_range={range}:flags={flags}"));
    }
    if let Some(aspect) = format.like.and_then(|movie| movie.pixel_aspect.as_deref()) {
        filters.push(format!("setsar={aspect}"));
    }
    if !filters.is_empty() {
        command.args(["-vf", &filters.join(",")]);
    }
    command.args(["-r", &rate]);
    let deep = if depth == Depth::Sixteen { "10le" } else { "" };
    match kind {
        Kind::Mp4 | Kind::Folder => {
            command.args(["-c:v", "libx264", "-preset", "veryfast", "-crf", "14"]);
            command.args(["-pix_fmt", &format!("yuv{chroma}p{deep}")]);
            command.args(["-c:a", "aac", "-b:a", "256k", "-movflags", "+faststart"]);
        }
        Kind::Mov => {
            command.args(["-c:v", "prores_ks", "-profile:v", "hq", "-vendor", "apl0"]);
            command.args(["-pix_fmt", "yuv422p10le", "-c:a", "pcm_s24le"]);
        }
        Kind::Mkv => {
            let pixels = if depth == Depth::Sixteen {
                "rgb48le"
            } else {
                "bgr0"
            };
            command.args([
                "-c:v", "ffv1", "-level", "3", "-slices", "4", "-pix_fmt", pixels,
            ]);
            command.args(["-c:a", "flac"]);
        }
    }
    if kind != Kind::Mkv {
        let tags = [
            ("-colorspace", &colour.space),
            ("-color_primaries", &colour.primaries),
            ("-color_trc", &colour.transfer),
        ];
        for (option, value) in tags {
            if let Some(value) = value {
                command.args([option, value]);
            }
        }
        command.args(["-color_range", range]);
    }
    command
}

/// Columns and rows that a size lacks: 4:2:0 needs an even width and height, 4:2:2 an even width. 4:4:4 of an
/// odd size is what the source is, and players of 4:4:4 play it.
fn padding(width: u32, height: u32, chroma: &str) -> Option<[u32; 2]> {
    let padding = match chroma {
        "420" => [width % 2, height % 2],
        "422" => [width % 2, 0],
        _ => [0, 0],
    };
    (padding != [0, 0]).then_some(padding)
}

/// Pictures carry no colour matrix: Rec. 709, which players assume.
fn hd_colour() -> Colour {
    let bt709 = || Some("bt709".to_owned());
    Colour {
        space: bt709(),
        primaries: bt709(),
        transfer: bt709(),
        full_range: false,
    }
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

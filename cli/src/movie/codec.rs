//! Which codec a movie is written with, and what that loses of what came in.

use crate::failure::{Failure, Result};
use crate::format::{Codec, Kind};
use crate::movie::probe::Movie;
use crate::movie::raw;
use crate::picture::{Depth, Layout};
use crate::tool;

/// What the command line asks for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    pub codec: Option<Codec>,
    /// Constant rate factor of the codec.
    pub quality: Option<f32>,
}

/// How the frames of a movie are coded.
#[derive(Clone, Debug)]
pub struct Coding {
    pub codec: Codec,
    /// ffmpeg's name of the pixel format.
    pub pixels: String,
    /// Constant rate factor, where the codec has one.
    pub quality: Option<f32>,
    /// Columns and rows that are added, since the chroma needs even sizes.
    pub padding: [u32; 2],
    /// Descriptions of what is not kept.
    pub losses: Vec<String>,
}

impl Codec {
    /// The codec that ffprobe calls so, where it is one that is written.
    pub fn of_ffmpeg(name: &str) -> Option<Self> {
        match name {
            "h264" => Some(Self::H264),
            "hevc" => Some(Self::H265),
            "av1" => Some(Self::Av1),
            "prores" => Some(Self::Prores),
            "ffv1" => Some(Self::Ffv1),
            _ => None,
        }
    }

    /// Whether each frame is coded on its own, so that it does not depend on the frames around it.
    pub fn is_intra(self) -> bool {
        match self {
            Self::Prores | Self::Ffv1 => true,
            Self::H264 | Self::H265 | Self::Av1 => false,
        }
    }

    fn encoder(self) -> &'static str {
        match self {
            Self::H264 => "libx264",
            Self::H265 => "libx265",
            Self::Av1 => "libsvtav1",
            Self::Prores => "prores_ks",
            Self::Ffv1 => "ffv1",
        }
    }

    /// Highest and usual constant rate factor.
    fn qualities(self) -> Option<(f32, f32)> {
        match self {
            Self::H264 => Some((51.0, 14.0)),
            Self::H265 => Some((51.0, 15.0)),
            Self::Av1 => Some((63.0, 18.0)),
            Self::Prores | Self::Ffv1 => None,
        }
    }

    /// Whether files of this kind hold the codec.
    pub fn fits(self, kind: Kind) -> bool {
        match kind {
            Kind::Mp4 => matches!(self, Self::H264 | Self::H265 | Self::Av1),
            Kind::Mov => matches!(self, Self::H264 | Self::H265 | Self::Prores),
            Kind::Mkv => true,
            Kind::Folder => false,
        }
    }
}

impl Coding {
    /// Chooses for a movie of this kind. `like` is the source, where it is a movie.
    ///
    /// # Errors
    /// [`Failure::Engine`] for a codec that the container does not take or a quality out of range;
    /// [`Failure::Tool`] when ffmpeg lacks the encoder.
    pub fn choose(
        kind: Kind,
        wanted: Wanted,
        layout: &Layout,
        like: Option<&Movie>,
    ) -> Result<Self> {
        let encoders = &tool::ffmpeg()?.encoders;
        let choices = match wanted.codec {
            Some(codec) if !codec.fits(kind) => {
                return Err(argument(
                    "codec",
                    format!("{} files do not hold {}", kind.name(), name(codec)),
                ));
            }
            Some(codec) => vec![codec],
            None => usual(kind, layout, like),
        };
        let Some(codec) = choices.iter().copied().find(|codec| has(encoders, *codec)) else {
            let names: Vec<_> = choices.iter().map(|codec| codec.encoder()).collect();
            return Err(Failure::Tool(format!(
                "this ffmpeg has no encoder {}: install one that has it, or use --codec",
                names.join(" or ")
            )));
        };
        let quality = match (wanted.quality, codec.qualities()) {
            (Some(quality), Some((most, _))) if !(0.0..=most).contains(&quality) => {
                return Err(argument(
                    "quality",
                    format!(
                        "{quality} is not between 0 and {most}, as {} needs",
                        name(codec)
                    ),
                ));
            }
            (Some(_), None) => {
                return Err(argument("quality", format!("{} has none", name(codec))));
            }
            (wanted, usual) => wanted.or(usual.map(|(_, usual)| usual)),
        };
        let mut coding = Self {
            codec,
            pixels: String::new(),
            quality,
            padding: [0, 0],
            losses: Vec::new(),
        };
        coding.choose_pixels(layout, like);
        if let Some(movie) = like {
            coding.note_metadata(kind, layout, movie);
        }
        Ok(coding)
    }

    /// Chooses the pixel format, and notes what it loses.
    fn choose_pixels(&mut self, layout: &Layout, like: Option<&Movie>) {
        let deep = layout.depth != Depth::Eight;
        // Pictures become what most players show.
        let (chroma, rgb, bits) = like.map_or(("420", false, if deep { 16 } else { 8 }), |movie| {
            let rgb = movie.colour.space.as_deref() == Some("gbr");
            (movie.chroma, rgb, movie.bits)
        });
        let alpha = layout.alpha;
        let mut used = chroma;
        let most = match self.codec {
            Codec::Ffv1 => {
                let pixels = match (deep, alpha) {
                    (false, false) => "bgr0",
                    (false, true) => "bgra",
                    (true, false) => "rgb48le",
                    (true, true) => "rgba64le",
                };
                self.pixels = pixels.into();
                16
            }
            Codec::Prores => {
                self.pixels = match (alpha, chroma) {
                    (true, _) => "yuva444p10le",
                    (false, "444") => "yuv444p10le",
                    _ => "yuv422p10le",
                }
                .into();
                10
            }
            Codec::H264 | Codec::H265 | Codec::Av1 => {
                if rgb || self.codec == Codec::Av1 {
                    used = "420";
                }
                let bits = if deep { "10le" } else { "" };
                self.pixels = format!("yuv{used}p{bits}");
                10
            }
        };
        if used != chroma {
            let from = if rgb { "RGB" } else { chroma };
            self.losses.push(format!(
                "the chroma: {from} becomes 4:2:0 in {}",
                name(self.codec)
            ));
        }
        if layout.depth == Depth::Float {
            self.losses
                .push("light above 1: EXR becomes 16 bits of sRGB".into());
        }
        if bits > most {
            self.losses
                .push(format!("{bits} bits of a colour: {most} are written"));
        }
        if alpha && !self.pixels.contains('a') {
            self.losses.push(format!(
                "the alpha channel: {} has none (.mov with ProRes and .mkv keep it)",
                name(self.codec)
            ));
        }
        if matches!(self.codec, Codec::H264 | Codec::H265 | Codec::Av1) {
            let [width, height] = [layout.width, layout.height];
            self.padding = padding(width, height, used);
            let [right, bottom] = self.padding;
            if self.padding != [0, 0] {
                self.losses.push(format!(
                    "the size: {width}x{height} is padded to {}x{}, because most players need even sizes \
                     for {}",
                    width + right,
                    height + bottom,
                    name(self.codec)
                ));
            }
        }
    }

    fn note_metadata(&mut self, kind: Kind, layout: &Layout, movie: &Movie) {
        if movie.colour.is_hdr() && !self.pixels.contains("10le") && self.codec != Codec::Ffv1 {
            self.losses
                .push("the depth that HDR needs: 8 bits show bands".into());
        }
        if !movie.hdr.is_empty() && layout.bytes() > raw::MOST_BYTES {
            self.losses
                .push("the HDR10 metadata: the frames are too large".into());
        }
        if kind == Kind::Mkv && movie.times.as_ref().is_some_and(|t| !t.in_milliseconds()) {
            self.losses
                .push("the frames' exact times: Matroska rounds to milliseconds".into());
        }
        if movie.timecode.is_some() && movie.times.is_some() {
            self.losses
                .push("the time code: the frame rate is variable".into());
        }
    }
}

/// What is lost of a movie whatever the codec is. `linear`: pictures are EXR, which hold light of any brightness.
pub fn lost_of_any(kind: Kind, linear: bool, movie: &Movie) -> Vec<String> {
    let mut losses = Vec::new();
    if let Some(interlacing) = movie.interlacing {
        let known = if interlacing.found {
            "does not state its field order, but is interlaced by the look of it,"
        } else {
            "is interlaced"
        };
        losses.push(format!(
            "the fields: the movie {known} and is de-interlaced, one frame for two fields"
        ));
    }
    if movie.variable && movie.times.is_none() {
        losses.push(format!(
            "the variable frame rate: the movie is resampled to a constant {}",
            movie.rate
        ));
    }
    for kind in &movie.other_side_data {
        losses.push(kind.clone());
    }
    if kind == Kind::Folder {
        let names = [
            (movie.times.is_some(), "the frames' own times"),
            (movie.timecode.is_some(), "the time code"),
            (
                movie.layout.pixel_aspect() != 1.0 && !linear,
                "the pixel aspect ratio",
            ),
            (
                movie.colour.is_hdr() && !linear,
                "the HDR transfer function",
            ),
            (!movie.hdr.is_empty(), "the HDR10 metadata"),
        ];
        for (_, name) in names.iter().filter(|(there, _)| *there) {
            losses.push(format!("{name}: pictures have none"));
        }
    }
    losses
}

/// Codecs by preference.
fn usual(kind: Kind, layout: &Layout, like: Option<&Movie>) -> Vec<Codec> {
    use Codec::{Av1, Ffv1, H264, H265, Prores};
    match kind {
        Kind::Mov => vec![Prores],
        Kind::Mkv => vec![Ffv1],
        Kind::Mp4 | Kind::Folder => {
            let came_in = like.map_or("", |movie| movie.codec.as_str());
            // AV1 is written with 4:2:0 only.
            let subsampled = like.is_none_or(|movie| movie.chroma == "420");
            match (came_in, layout.depth) {
                ("av1", _) if subsampled => vec![Av1, H265, H264],
                ("hevc", _) | (_, Depth::Sixteen | Depth::Float) if subsampled => {
                    vec![H265, Av1, H264]
                }
                ("hevc", _) | (_, Depth::Sixteen | Depth::Float) => vec![H265, H264, Av1],
                _ => vec![H264],
            }
        }
    }
}

/// Columns and rows that a size lacks: 4:2:0 needs an even width and height, 4:2:2 an even width. 4:4:4 of an
/// odd size is what the source is, and players of 4:4:4 play it.
fn padding(width: u32, height: u32, chroma: &str) -> [u32; 2] {
    match chroma {
        "420" => [width % 2, height % 2],
        "422" => [width % 2, 0],
        _ => [0, 0],
    }
}

/// Whether the codec's encoder is in ffmpeg's list.
fn has(encoders: &str, codec: Codec) -> bool {
    encoders
        .lines()
        .any(|line| line.split_whitespace().nth(1) == Some(codec.encoder()))
}

/// The codec's usual name.
pub fn name(codec: Codec) -> &'static str {
    match codec {
        Codec::H264 => "H.264",
        Codec::H265 => "H.265",
        Codec::Av1 => "AV1",
        Codec::Prores => "ProRes",
        Codec::Ffv1 => "FFV1",
    }
}

fn argument(field: &'static str, reason: String) -> Failure {
    Failure::Engine(stylelipsync::Error::Argument { field, reason })
}

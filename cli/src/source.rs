//! Inputs: a movie through ffmpeg, a folder of pictures, or pictures in memory.

use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Stdio};

use stylelipsync::Timing;
use stylelipsync::audio::{RATE, Rate};
use stylelipsync::frame::Transfer;

use crate::args::Fit;
use crate::failure::{Failure, Result};
use crate::fit::{Extension, Run};
use crate::format::PictureKind;
use crate::movie::fields::Fields;
use crate::movie::probe::{self, Movie};
use crate::movie::timing::{Entry, Times};
use crate::picture::{Depth, Layout, Picture};
use crate::rate::FrameRate;
use crate::stills::{Content, Still, ending, is_picture, list};
use crate::tool::{self, Tool};

/// A clip's frames, which can be read more than once.
pub enum Source {
    Movie {
        path: PathBuf,
        movie: Box<Movie>,
    },
    Stills {
        stills: Vec<Still>,
        layout: Layout,
        rate: FrameRate,
    },
    /// A clip that is shorter than the audio, and what follows it.
    Extended(Extended),
}

/// A frame with its place in the clip.
#[derive(Clone)]
pub struct Frame {
    pub index: u64,
    pub picture: Picture,
}

impl Source {
    /// Opens a movie, a picture or a folder of pictures. `rate` is the rate of pictures; 25 without it.
    ///
    /// # Errors
    /// [`Failure::Input`] when there is no picture in it; [`Failure::Tool`] from ffprobe.
    pub fn open(path: &Path, rate: Option<FrameRate>) -> Result<Self> {
        if !Self::is_movie(path) {
            let stills = if path.is_dir() {
                list(path)?
            } else {
                vec![Still::of(path)]
            };
            if stills.is_empty() {
                let none = format!(
                    "{} contains no PNG, JPEG, TIFF or EXR picture",
                    path.display()
                );
                return Err(Failure::Input(none));
            }
            return Self::stills(stills, rate.unwrap_or(FrameRate { num: 25, den: 1 }));
        }
        let movie = probe::movie(path)?;
        if rate.is_some() {
            log::warn!(
                "--rate is for folders of pictures: the movie's own {} is kept",
                movie.rate
            );
        }
        Ok(Self::Movie {
            path: path.to_owned(),
            movie: Box::new(movie),
        })
    }

    /// Whether a path is opened as a movie.
    pub fn is_movie(path: &Path) -> bool {
        !path.is_dir() && !is_picture(path)
    }

    /// Pictures in the order given; the first one's size is the clip's.
    ///
    /// # Errors
    /// [`Failure::Input`] when there is none, or the first cannot be decoded.
    pub fn stills(stills: Vec<Still>, rate: FrameRate) -> Result<Self> {
        let first = stills
            .first()
            .ok_or_else(|| Failure::Input("the clip has no frame".into()))?;
        let picture = first.decode()?;
        if picture
            .original
            .is_some_and(|original| !original.is_rec709())
        {
            log::warn!(
                "{} has other primaries than Rec. 709: they are kept, but the networks see other colours",
                first.label()
            );
        }
        let layout = picture.layout;
        Ok(Self::Stills {
            stills,
            layout,
            rate,
        })
    }

    pub fn layout(&self) -> Layout {
        match self {
            Self::Movie { movie, .. } => movie.layout,
            Self::Stills { layout, .. } => *layout,
            Self::Extended(clip) => clip.source.layout(),
        }
    }

    pub fn rate(&self) -> FrameRate {
        match self {
            Self::Movie { movie, .. } => movie.rate,
            Self::Stills { rate, .. } => *rate,
            Self::Extended(clip) => clip.source.rate(),
        }
    }

    /// The times of the frames, where the rate is variable.
    pub fn times(&self) -> Option<&Times> {
        self.movie().and_then(|movie| movie.times.as_ref())
    }

    /// Seconds from the first frame to the start of frame `index`.
    pub fn seconds(&self, index: u64) -> f64 {
        let constant = || self.rate().seconds(index);
        self.times()
            .map_or_else(constant, |times| times.seconds(index))
    }

    /// The library's timing of the frames.
    ///
    /// # Errors
    /// From the library when it refuses the rate.
    pub fn timing(&self) -> Result<Timing> {
        let FrameRate { num, den } = self.rate();
        Ok(match self.times() {
            Some(times) => {
                let positions = (0..times.frames()).map(|index| times.seconds(index));
                Timing::Variable(
                    positions
                        .map(|s| (s * f64::from(RATE)).round() as i64)
                        .collect(),
                )
            }
            None => Timing::Constant(Rate::new(num, den)?),
        })
    }

    /// The clip at a constant rate: a movie whose rate is variable is resampled.
    pub fn resampled(mut self) -> Self {
        if let Self::Movie { movie, .. } = &mut self
            && let Some(times) = movie.times.take()
        {
            movie.entries = None;
            movie.frames = (times.seconds(times.frames()) * movie.rate.fps()).round() as u64;
        }
        self
    }

    /// What the pictures of a result are: EXR and TIFF stay what they are.
    pub fn pictures(&self) -> PictureKind {
        let first = match self {
            Self::Stills { stills, .. } => stills.first(),
            Self::Extended(clip) => return clip.source.pictures(),
            Self::Movie { .. } => None,
        };
        let Some(Content::File(path)) = first.map(|still| &still.content) else {
            return PictureKind::Png;
        };
        match ending(path).as_deref() {
            Some("exr") => PictureKind::Exr,
            Some("tif" | "tiff") => PictureKind::Tiff,
            _ => PictureKind::Png,
        }
    }

    /// How the numbers of the frames relate to light.
    pub fn transfer(&self) -> Transfer {
        let hdr = self.movie().and_then(|movie| movie.colour.hdr());
        hdr.unwrap_or(match self.layout().depth {
            Depth::Float => Transfer::Linear,
            Depth::Eight | Depth::Sixteen => Transfer::Display,
        })
    }

    /// The clip in display-referred numbers.
    pub fn displayed(mut self) -> Self {
        if let Self::Stills { layout, .. } = &mut self {
            *layout = layout.displayed();
        }
        self
    }

    /// The movie's properties, to be kept in the output.
    pub fn movie(&self) -> Option<&Movie> {
        match self {
            Self::Movie { movie, .. } => Some(movie),
            Self::Stills { .. } => None,
            Self::Extended(clip) => clip.source.movie(),
        }
    }

    /// How many frames there are; for movies the container's number, which may be wrong.
    pub fn expected_frames(&self) -> u64 {
        match self {
            Self::Movie { movie, .. } => movie.frames,
            Self::Stills { stills, .. } => stills.len() as u64,
            Self::Extended(clip) => clip.order.frames,
        }
    }

    /// The name of frame `index` in a folder of results: the source's own, else its number.
    pub fn name(&self, index: u64) -> String {
        let still = match self {
            // The names of an extended clip would be there twice.
            Self::Movie { .. } | Self::Extended(_) => None,
            Self::Stills { stills, .. } => stills.get(index as usize),
        };
        still.map_or_else(|| format!("{index:06}"), |still| still.name.clone())
    }

    /// Reads the frames `range`, fewer when the clip ends before.
    ///
    /// # Errors
    /// [`Failure::Tool`] when ffmpeg cannot be started; the iterator's items fail on their own.
    pub fn frames(
        &self,
        range: Range<u64>,
    ) -> Result<Box<dyn Iterator<Item = Result<Frame>> + Send + '_>> {
        match self {
            Self::Movie { path, movie } => {
                Ok(Box::new(MovieReader::start(path, movie, range, None)?))
            }
            Self::Extended(clip) => Ok(clip.frames(range)),
            Self::Stills { stills, layout, .. } => {
                let end = range.end.min(stills.len() as u64);
                Ok(Box::new((range.start..end).map(move |index| {
                    let still = &stills[index as usize];
                    Ok(Frame {
                        index,
                        picture: still.decode_as(*layout)?,
                    })
                })))
            }
        }
    }
}

impl Source {
    /// As [`frames`](Self::frames), of a clip all of whose `decoded` frames were decoded before. The frames of a
    /// movie before the range are skipped where that gives the same frames: each packet must have become one.
    ///
    /// # Errors
    /// As [`frames`](Self::frames).
    pub fn frames_again(
        &self,
        range: Range<u64>,
        decoded: u64,
    ) -> Result<Box<dyn Iterator<Item = Result<Frame>> + Send + '_>> {
        match self {
            Self::Movie { path, movie } if movie.frames == decoded => {
                let entry = movie.entries.as_ref();
                let entry = entry.and_then(|entries| entries.before(range.start));
                Ok(Box::new(MovieReader::start(path, movie, range, entry)?))
            }
            _ => self.frames(range),
        }
    }
}

/// A clip and what follows it.
pub struct Extended {
    source: Box<Source>,
    order: Extension,
}

impl Extended {
    /// Reads the frames `range`, fewer when all end before.
    ///
    /// # Errors
    /// As [`Source::frames`].
    pub fn frames(&self, range: Range<u64>) -> Box<dyn Iterator<Item = Result<Frame>> + Send + '_> {
        let end = range.end.min(self.order.frames);
        let mut index = range.start;
        let runs = self.order.runs(range.start.min(end)..end).into_iter();
        let mut held: Option<Frame> = None;
        let frames = runs.flat_map(move |run| self.read(run, &mut held));
        Box::new(frames.map(move |frame| {
            let frame = Frame { index, ..frame? };
            index += 1;
            Ok(frame)
        }))
    }

    /// The frames of a run. `held`: the one that was read last, which may be shown again.
    fn read<'a>(
        &'a self,
        run: Run,
        held: &mut Option<Frame>,
    ) -> Box<dyn Iterator<Item = Result<Frame>> + Send + 'a> {
        let single = run.frames.end - run.frames.start == 1;
        if single && let Some(frame) = held.as_ref().filter(|f| f.index == run.frames.start) {
            return Box::new(std::iter::once(Ok(frame.clone())));
        }
        let read = match self.source.frames(run.frames) {
            Ok(read) => read,
            Err(error) => return Box::new(std::iter::once(Err(error))),
        };
        if !single && !run.backwards {
            return read;
        }
        let mut frames: Vec<Result<Frame>> = read.collect();
        if run.backwards {
            frames.reverse();
        }
        *held = match frames.last() {
            Some(Ok(frame)) => Some(frame.clone()),
            _ => None,
        };
        Box::new(frames.into_iter())
    }
}

/// The clip, extended where the audio is longer and `fit` asks for it; a single picture is always held.
///
/// # Errors
/// As [`Source::frames`]: the frames of a movie are counted by decoding it.
pub fn extended(mut source: Source, seconds: f64, fit: Fit) -> Result<Source> {
    if fit == Fit::Cut && source.expected_frames() > 1 {
        return Ok(source);
    }
    if fit != Fit::Cut && source.times().is_some() {
        if source.seconds(source.expected_frames()) >= seconds {
            return Ok(source);
        }
        source = source.resampled();
    }
    let rate = source.rate();
    let frames = (seconds * rate.fps() - 1e-6).ceil().max(0.0) as u64;
    let mut own = 0;
    for frame in source.frames(0..u64::MAX)? {
        frame?;
        own += 1;
    }
    let fit = if own == 1 { Fit::Hold } else { fit };
    if own == 0 || frames <= own || fit == Fit::Cut {
        return Ok(source);
    }
    Ok(Source::Extended(Extended {
        source: Box::new(source),
        order: Extension { own, frames, fit },
    }))
}

struct MovieReader {
    tool: Option<Tool>,
    pipe: Option<ChildStdout>,
    layout: Layout,
    next: u64,
}

impl MovieReader {
    /// `entry`: where decoding begins, if not at the beginning.
    fn start(path: &Path, movie: &Movie, range: Range<u64>, entry: Option<Entry>) -> Result<Self> {
        let rate = movie.rate;
        // Frame numbers become times on the exact grid, whatever the container's rounding, and `trim`
        // counts from the first frame that is decoded, so that a range holds the same frames as the whole clip.
        let resample = if movie.variable && movie.times.is_none() {
            format!("fps={rate},")
        } else {
            String::new()
        };
        // One frame for each two fields, so that frame numbers stay.
        let progressive = match movie.interlacing.map(|interlacing| interlacing.fields) {
            None => "",
            Some(Fields::Marked) => "bwdif=mode=send_frame,",
            Some(Fields::TopFirst) => "bwdif=mode=send_frame:parity=tff,",
            Some(Fields::BottomFirst) => "bwdif=mode=send_frame:parity=bff,",
        };
        let first = entry.map_or(0, |entry| entry.frame);
        let start = range.start - first;
        let end = range.end.min(i64::MAX as u64) - first;
        let filter = format!(
            "{progressive}{resample}trim=start_frame={start}:end_frame={end},setpts=N/({rate})/TB"
        );
        let pixels = movie.layout.depth.ffmpeg_name();
        let mut command = tool::command("ffmpeg");
        if let Some(decoder) = movie.decoder {
            command.args(["-c:v", decoder]);
        }
        if let Some(entry) = entry {
            let seconds = format!("{:.6}", entry.seconds);
            command.args(["-seek_timestamp", "1", "-ss", &seconds]);
        }
        command
            .arg("-i")
            .arg(tool::file(path))
            .args(["-map", "0:v:0", "-vf", &filter]);
        // Accurate rounding costs little and takes an error of up to two levels away.
        command.args(["-sws_flags", "bicubic+accurate_rnd+full_chroma_int"]);
        command.args([
            // With a rate, ffmpeg would repeat the last frame for as long as the container says that it lasts.
            tool::frame_mode(),
            "passthrough",
            "-f",
            "rawvideo",
            "-pix_fmt",
            pixels,
            "pipe:1",
        ]);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut tool = Tool::start("ffmpeg", command, format!("decoding {}", path.display()))?;
        let pipe = tool.stdout();
        Ok(Self {
            tool: Some(tool),
            pipe,
            layout: movie.layout,
            next: range.start,
        })
    }

    fn read(&mut self) -> Result<Option<Frame>> {
        let Some(pipe) = &mut self.pipe else {
            return Ok(None);
        };
        let mut data = vec![0; self.layout.bytes()];
        let mut filled = 0;
        while filled < data.len() {
            match pipe.read(&mut data[filled..]) {
                Ok(0) => break,
                Ok(n) => filled += n,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Failure::Tool(format!("ffmpeg was lost: {error}"))),
            }
        }
        if filled == data.len() {
            let frame = Frame {
                index: self.next,
                picture: Picture {
                    layout: self.layout,
                    data,
                    original: None,
                },
            };
            self.next += 1;
            return Ok(Some(frame));
        }
        self.pipe = None;
        if let Some(tool) = self.tool.take() {
            tool.finish()?;
        }
        match filled {
            0 => Ok(None),
            _ => Err(Failure::Tool(
                "ffmpeg ended in the middle of a frame".into(),
            )),
        }
    }
}

impl Iterator for MovieReader {
    type Item = Result<Frame>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_must_be_of_one_size() {
        let folder = tempfile::tempdir().unwrap();
        image::RgbImage::new(4, 3)
            .save(folder.path().join("1.png"))
            .unwrap();
        image::RgbImage::new(3, 4)
            .save(folder.path().join("2.png"))
            .unwrap();
        let source = Source::open(folder.path(), None).unwrap();
        let results: Vec<_> = source.frames(0..9).unwrap().collect();
        assert!(results[0].is_ok());
        let message = results[1]
            .as_ref()
            .err()
            .map(ToString::to_string)
            .unwrap_or_default();
        assert!(
            message.contains("3x4, 8 bits, but the clip's first is 4x3"),
            "{message}"
        );
        assert_eq!(results.len(), 2);
    }
}

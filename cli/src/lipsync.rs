//! Two passes over a clip: analyse its tracks, then render its frames.
//!
//! Each pass reads the source again, so that memory does not grow with the clip. In each pass,
//! reading, processing and writing run in parallel.

use std::ops::Range;
use std::path::Path;

use image::GrayImage;
use stylelipsync::{Clip, Error, FrameOptions, Layers, Matte, Provenance, Rendered};

use crate::audio::Track;
use crate::credentials::PictureList;
use crate::failure::{Failure, Result};
use crate::format::PictureKind;
use crate::layers::{self, EncodedLayers, LayersFolder};
use crate::marks::{self, Marks};
use crate::movie::codec::Coding;
use crate::movie::encoder::{Format, Sound};
use crate::movie::others::Others;
use crate::picture::{Depth, Layout, Picture};
use crate::sink::{Encoding, Sink, Unnamed};
use crate::source::{Frame, Source};
use crate::{pipeline, progress};

/// Frames on each side whose tracks a frame is smoothed with.
const TRACK_REACH: u64 = 2;

/// What to render.
pub struct RenderJob<'a> {
    pub tracks: Tracks<'a>,
    /// The result's sound.
    pub sound: Track<'a>,
    /// The files that the speakers speak, the first one's first.
    pub speech: Vec<&'a Path>,
    /// Half-open; the end may lie beyond the clip's.
    pub frames: Range<u64>,
    pub out: &'a Path,
    /// What a folder of results holds.
    pub pictures: PictureKind,
    /// How the result is coded, where it is a movie and not the usual one.
    pub coding: Option<&'a Coding>,
    /// The source's other streams, where they are kept.
    pub others: Option<&'a Others>,
    pub matte: Option<&'a Path>,
    /// The folder for the layers.
    pub layers: Option<&'a Path>,
    /// How the result says that it is synthetic.
    pub marks: &'a Marks,
    /// Multiplies the movement of the mouth.
    pub articulation: f32,
    /// Multiplies the fine detail of the person's own pictures.
    pub detail: f32,
}

/// One finished frame, as the watcher of a job gets it, in order.
pub struct WatchedFrame<'a> {
    pub source: &'a Picture,
    pub matte: &'a GrayImage,
    pub result: &'a Picture,
}

/// Watches a job: which frames it wants to see, and what it does with them.
pub trait Watch {
    fn wants(&self, index: u64) -> bool;
    fn see(&mut self, shown: WatchedFrame);
}

/// The result of a job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub frames: u64,
    /// For each speaker, the frames that were left unchanged because its face was not found.
    pub without_face: Vec<u64>,
}

/// The first pass: the tracks that a range of frames needs.
pub struct Tracks<'a> {
    pub clip: &'a Clip,
    pub source: &'a Source,
    /// Whether faces are chosen by their number, which depends on every earlier frame.
    pub number_faces: bool,
    pub person: PersonFrames,
    pub workers: usize,
}

/// Which frames of the clip are needed to know the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PersonFrames {
    /// No frame is: all of them were analysed before.
    Known,
    /// None: references are given.
    None,
    /// Those that the reference is chosen among.
    Reference,
    /// All of them: the profile is made from the whole clip, so that a part of it is rendered as the whole
    /// is.
    All,
}

impl Tracks<'_> {
    /// Tracks the frames that the range needs. Returns how many frames of it the clip has.
    ///
    /// # Errors
    /// [`Failure::Input`] when there is none; errors of reading and of the networks.
    pub fn analyse(&self, range: &Range<u64>) -> Result<u64> {
        if self.person == PersonFrames::Known {
            let known = self.clip.analysis().indices();
            let known = known
                .iter()
                .filter(|index| range.contains(&index.cast_unsigned()));
            return counted(range, known.count() as u64);
        }
        let start = range.start.saturating_sub(TRACK_REACH);
        let end = range.end.saturating_add(TRACK_REACH);
        // Beyond the range's own neighbourhood those frames are needed that the person is known from, and
        // all before it where faces are known by their number.
        let settled = |index| {
            let at = self.clip.reference_settled_at();
            at.is_some_and(|at| index >= at.unsigned_abs())
        };
        let needed = |index: u64| {
            (index < end && (index >= start || self.number_faces))
                || match self.person {
                    PersonFrames::Known | PersonFrames::None => false,
                    PersonFrames::Reference => !settled(index),
                    PersonFrames::All => true,
                }
        };
        let first = match self.person {
            PersonFrames::None if !self.number_faces => start,
            _ => 0,
        };
        let frames = self
            .source
            .frames(first..u64::MAX)?
            .take_while(|frame| match frame {
                Ok(frame) => frame.index < end || needed(frame.index),
                Err(_) => true,
            });
        let last = match self.person {
            PersonFrames::All => u64::MAX,
            _ => end,
        };
        let expected = self.source.expected_frames().min(last);
        let expected = expected.saturating_sub(first);
        let bar = progress::bar("analysing", expected);
        let mut frames_of_range = 0;
        // Workers find faces in any order; the writer adds them in the frames' order, so that the numbers of
        // faces do not depend on the threads.
        let track = |frame: Frame| {
            let faces = match needed(frame.index) {
                true => Some(self.clip.renderer().find_faces(&frame.picture.view()?)?),
                false => None,
            };
            Ok((frame, faces))
        };
        pipeline::run(
            frames,
            self.workers,
            track,
            |(Frame { index, picture }, faces)| {
                if let Some(faces) = faces {
                    let view = picture.view()?;
                    self.clip.add_faces(index as i64, faces, &view)?;
                }
                frames_of_range += u64::from(range.contains(&index));
                bar.inc(1);
                Ok(())
            },
        )?;
        bar.finish_and_clear();
        let frames = counted(range, frames_of_range)?;
        if self.person == PersonFrames::All {
            match self.clip.finish_analysis() {
                // The frames are left unchanged then.
                Ok(()) | Err(Error::NoFace(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(frames)
    }
}

/// The clip does not have the frames that were analysed.
fn other_length(frames: u64) -> Failure {
    Failure::Input(format!(
        "the clip has another length than when it was analysed: {frames} frames were expected"
    ))
}

/// The number of frames of a range that the clip has.
///
/// # Errors
/// [`Failure::Input`] when it has none.
fn counted(range: &Range<u64>, frames: u64) -> Result<u64> {
    match (frames, range.start) {
        (0, 0) => Err(Failure::Input("the clip has no frame".into())),
        (0, first) => Err(Failure::Input(format!(
            "the clip ends before frame {first}"
        ))),
        _ => Ok(frames),
    }
}

impl RenderJob<'_> {
    /// Runs both passes.
    ///
    /// # Errors
    /// From the source, the library and the sinks; no output is written then.
    pub fn run(&self, watch: &mut impl Watch) -> Result<Summary> {
        let frames = self.tracks.analyse(&self.frames)?;
        self.render(frames, watch)
    }

    /// Renders the range's `frames` frames.
    fn render(&self, frames: u64, watch: &mut impl Watch) -> Result<Summary> {
        let Tracks {
            source, workers, ..
        } = self.tracks;
        let first = self.frames.start;
        let range = first..first + frames;
        let rate = source.rate();
        let sound = Sound {
            track: self.sound,
            start: source.seconds(first),
            seconds: source.seconds(first + frames) - source.seconds(first),
        };
        let layout = source.layout();
        let like = source.movie();
        let part = (self.frames != (0..u64::MAX)).then_some(frames);
        let picture = Format {
            layout,
            rate,
            times: source.times(),
            first,
            part,
            like,
            sound: Some(sound),
            others: self.others,
            pictures: self.pictures,
            coding: self.coding,
            ai_metadata: self.marks.ai_metadata,
        };
        let mut out = Sink::create(self.out, &picture)?;
        let grey = Layout {
            depth: Depth::Eight,
            alpha: false,
            ..layout
        };
        let grey = Format {
            layout: grey,
            rate,
            times: source.times(),
            first,
            part,
            like: None,
            sound: None,
            others: None,
            pictures: PictureKind::Png,
            coding: None,
            ai_metadata: false,
        };
        let mut matte = self
            .matte
            .map(|target| Sink::create(target, &grey))
            .transpose()?;
        let mut layers = self.layers.map(LayersFolder::create).transpose()?;

        let encode = (out.encoding(), matte.as_ref().map(Sink::encoding));
        let wanted: Vec<bool> = range.clone().map(|index| watch.wants(index)).collect();
        let work = |frame: Frame| match wanted.get((frame.index - first) as usize) {
            Some(show) => self.work(frame, encode, *show),
            None => Err(other_length(frames)),
        };
        // One more, to notice that the clip is longer than the one that was analysed.
        let more =
            u64::from(self.tracks.person == PersonFrames::Known && range.end < self.frames.end);
        let read = range.start..range.end + more;
        let bar = progress::bar("rendering", frames);
        let mut summary = Summary {
            frames: 0,
            without_face: vec![0; self.tracks.clip.speakers()],
        };
        let mut failed = None;
        let mut pictures = PictureList::default();
        let known = self.tracks.clip.analysis().indices().len() as u64;
        let frames_again = source.frames_again(read, known)?;
        let mut done = pipeline::run(frames_again, workers, work, |done: Done| {
            let name = source.name(done.rendered.index as u64);
            summary.frames += 1;
            for (without, speaker) in summary.without_face.iter_mut().zip(&done.speakers) {
                *without += u64::from(speaker.face.is_none());
            }
            if let Some((source, matte, result)) = &done.show {
                watch.see(WatchedFrame {
                    source,
                    matte,
                    result,
                });
            }
            bar.inc(1);
            if let (Encoding::Picture(kind, _), Some(_)) = (encode.0, &self.marks.credentials) {
                pictures.add(&format!("{name}.{}", kind.ending()), &done.result);
            }
            if let Err(failure) = out.write(&name, &done.result) {
                failed = Some(Which::Out);
                return Err(failure);
            }
            if let Some((sink, bytes)) = matte.as_mut().zip(done.matte.as_ref())
                && let Err(failure) = sink.write(&name, bytes)
            {
                failed = Some(Which::Matte);
                return Err(failure);
            }
            match (&mut layers, &done.layers) {
                (Some(folder), Some(layers)) => folder.write(&name, layers),
                _ => Ok(()),
            }
        });
        bar.finish_and_clear();
        if done.is_ok() && summary.frames < frames {
            done = Err(other_length(frames));
        }
        match (done, failed, matte) {
            (Ok(()), _, matte) => {
                // All are complete before any gets its name.
                let mut out = out.complete()?;
                let matte = matte.map(Sink::complete).transpose()?;
                let provenance = self.provenance(range.start, frames)?;
                self.marks.apply(&mut out, &provenance, &pictures)?;
                self.marks.write_report(&provenance)?;
                out.name()?;
                matte.map_or(Ok(()), Unnamed::name)?;
                layers.map_or(Ok(()), LayersFolder::name)?;
                Ok(summary)
            }
            (Err(failure), Some(Which::Out), _) => Err(out.explain(failure)),
            (Err(failure), Some(Which::Matte), Some(matte)) => Err(matte.explain(failure)),
            (Err(failure), ..) => Err(failure),
        }
    }

    /// What the result was made from, and which of its frames were changed.
    fn provenance(&self, first: u64, frames: u64) -> Result<Provenance> {
        let mut provenance = self.tracks.clip.provenance();
        provenance.frames.first = Some(first.cast_signed());
        provenance.frames.count = Some(frames);
        let further = provenance
            .speakers
            .iter_mut()
            .map(|speaker| &mut speaker.audio);
        let audio = provenance.audio.iter_mut().chain(further);
        for (audio, path) in audio.zip(&self.speech) {
            audio.sha256 = Some(marks::file_hash(path)?);
        }
        Ok(provenance)
    }

    /// Renders and encodes one frame.
    fn work(
        &self,
        frame: Frame,
        (encode, encode_matte): (Encoding, Option<Encoding>),
        show: bool,
    ) -> Result<Done> {
        let Layout { width, height, .. } = frame.picture.layout;
        let mut result = frame.picture.clone();
        let (mut alpha, mut layers) = (Matte::default(), Layers::default());
        let mut speakers = Vec::new();
        let wants_matte = show || encode_matte.is_some();
        let mut options = FrameOptions {
            articulation: self.articulation,
            detail: self.detail,
            matte: wants_matte.then_some(&mut alpha),
            layers: self.layers.is_some().then_some(&mut layers),
            speakers: Some(&mut speakers),
            ..FrameOptions::default()
        };
        let mut target = result.view_mut()?;
        let source = frame.picture.view()?;
        let rendered =
            self.tracks
                .clip
                .render_with(frame.index as i64, &source, &mut target, &mut options)?;
        let matte = wants_matte.then(|| grey(&alpha, width, height));
        let matte_bytes = encode_matte
            .zip(matte.as_ref())
            .map(|(encoding, matte)| encoding.encode(Picture::from_matte(matte)))
            .transpose()?;
        let marked = self.marks.ai_metadata && rendered.changed;
        let layers = match self.layers {
            Some(_) => {
                let encoder = layers::Frame {
                    pixel_aspect: frame.picture.layout.pixel_aspect(),
                    original: frame.picture.original.as_deref(),
                    marked,
                };
                Some(encoder.encode(&layers)?)
            }
            None => None,
        };
        let show = match matte {
            Some(matte) if show => Some((frame.picture, matte, result.clone())),
            _ => None,
        };
        Ok(Done {
            rendered,
            speakers,
            result: encode.encode_marked(result, marked)?,
            matte: matte_bytes,
            layers,
            show,
        })
    }
}

/// Which sink a failure came from.
enum Which {
    Out,
    Matte,
}

/// A frame that a worker rendered, for the writer.
struct Done {
    rendered: Rendered,
    speakers: Vec<Rendered>,
    result: Vec<u8>,
    matte: Option<Vec<u8>>,
    layers: Option<EncodedLayers>,
    show: Option<(Picture, GrayImage, Picture)>,
}

/// The matte in 8 bits. Every alpha above zero stays above zero, since the matte marks all pixels
/// that may differ.
fn grey(matte: &Matte, width: u32, height: u32) -> GrayImage {
    let level = |alpha: f32| {
        let level = (alpha * 255.0).round() as u8;
        if alpha > 0.0 { level.max(1) } else { 0 }
    };
    let at = |x: u32, y: u32| {
        matte
            .alpha
            .get((y * width + x) as usize)
            .copied()
            .unwrap_or(0.0)
    };
    GrayImage::from_fn(width, height, |x, y| image::Luma([level(at(x, y))]))
}

//! The second pass of `evaluate`: compares each frame of both clips in the same crop.

use std::collections::VecDeque;
use std::ops::Range;

use image::{Rgb, RgbImage};
use stylelipsync::audio::Rate;
use stylelipsync::evaluate::Recognition;
use stylelipsync::evaluate::{identity, lips, picture, series};
use stylelipsync::face::crop::IMAGE;
use stylelipsync::face::{Face, Mask};
use stylelipsync::frame::composite::Patch;
use stylelipsync::frame::{
    BorderMode, ColourMatch, Compositor, FrameRef, Sampler, Similarity, ToneMap, Transfer,
};
use stylelipsync::track::quality::fade;
use stylelipsync::{Clip, ReferenceFrame};

use crate::args::Baseline;
use crate::failure::{Failure, Result};
use crate::mouths::{Windows, lower_half};
use crate::picture::Picture;
use crate::sheet::{Sheet, tint};
use crate::source::{Frame, Source};
use crate::voice::{Embeddings, Listener};
use crate::{pipeline, progress};

/// Indices of both sides in pairs: source (or truth), result.
pub const SOURCE: usize = 0;
pub const RESULT: usize = 1;
/// The program reads display-referred frames only.
const TRANSFER: Transfer = Transfer::Display;

/// What is measured.
pub struct MeasureJob<'a> {
    /// The source's clip, analysed.
    pub clip: &'a Clip,
    pub source: &'a Source,
    /// The name of the source's argument, for messages.
    pub source_name: &'static str,
    pub result: ResultFrames<'a>,
    /// Whether the pixels should be equal.
    pub reconstruction: bool,
    /// The source's frames.
    pub frames: Range<u64>,
    /// Where reading ends: beyond the source's end, so that a longer result is noticed.
    pub end: u64,
    pub rate: Rate,
    pub listener: Option<&'a Listener>,
    pub recognition: Option<&'a Recognition>,
    pub workers: usize,
}

/// Where the result's frames come from.
#[derive(Clone, Copy)]
pub enum ResultFrames<'a> {
    Clip(&'a Source),
    Baseline(Baseline),
}

/// The measurements of one frame; pairs are source, result.
#[derive(Debug)]
pub struct Measured {
    /// Of the result's face, 0 to 1.
    pub confidence: f32,
    /// The following five only in reconstruction.
    pub ssim: Option<f64>,
    pub psnr: Option<f64>,
    pub psnr_mask: Option<f64>,
    pub gmsd: Option<f64>,
    pub lmd: Option<f64>,
    pub openings: [f64; 2],
    /// Mouth coefficients.
    pub shapes: [Vec<f32>; 2],
    /// Lips and jaw, frame pixels.
    pub points: [Vec<[f64; 2]>; 2],
    /// The lips in crop pixels about their mean.
    pub lips: [Vec<[f64; 2]>; 2],
    pub embeddings: Option<[Vec<f32>; 2]>,
    /// Of the picture in the mask, levels; known once the next frame is.
    pub jitter: Option<[f64; 2]>,
}

/// The measurements of all frames.
pub struct Seen {
    /// One for each frame; `None` where the source shows no usable face.
    pub rows: Vec<Option<Measured>>,
    /// Source and result.
    pub pixels: Option<[Embeddings; 2]>,
    pub reference: Option<ReferenceFrame>,
}

/// The result of one frame.
struct Done {
    measured: Option<(Measured, Pixels)>,
    cells: Option<[RgbImage; 3]>,
}

/// The pixels that are compared between neighbouring frames.
struct Pixels {
    lumas: [Vec<f32>; 2],
    hole: Vec<bool>,
    /// Lower halves at 128x128, for a SyncNet that sees pixels.
    mouths: Option<[Vec<f32>; 2]>,
}

impl MeasureJob<'_> {
    /// Measures all frames.
    ///
    /// # Errors
    /// From the clips and the library; [`Failure::Input`] when one clip ends before the other.
    pub fn run(&self, sheet: &mut Sheet) -> Result<Seen> {
        let reference = self.clip.reference_frame();
        let count = self.frames.end - self.frames.start;
        let bar = progress::bar("measuring", count);
        let looks_at_pixels = self.listener.is_some_and(|l| l.net().sees_pixels());
        let mut rows: Vec<Option<Measured>> = Vec::new();
        let mut recent: VecDeque<Option<Pixels>> = VecDeque::new();
        let mut windows = Windows::new(self.frames.start, self.rate);
        let wanted: Vec<bool> = self
            .frames
            .clone()
            .map(|index| sheet.wants(index))
            .collect();
        let work = |(source, result): (Frame, Option<Frame>)| {
            let wanted = wanted
                .get((source.index - self.frames.start) as usize)
                .is_some_and(|wanted| *wanted);
            self.work(source, result, reference.as_ref(), wanted)
        };
        pipeline::run(self.pairs()?, self.workers, work, |done: Done| {
            bar.inc(1);
            if let Some(cells) = done.cells {
                sheet.add_cells(cells);
            }
            let (row, mut pixels) = done.measured.unzip();
            rows.push(row);
            if looks_at_pixels && let Some(listener) = self.listener {
                windows.push(pixels.as_mut().and_then(|p| p.mouths.take()), listener)?;
            }
            recent.push_back(pixels);
            if recent.len() == 3 {
                let middle = rows.len().checked_sub(2).and_then(|at| rows.get_mut(at));
                if let Some(Some(row)) = middle {
                    row.jitter = jitter(&recent);
                }
                recent.pop_front();
            }
            Ok(())
        })?;
        bar.finish_and_clear();
        Ok(Seen {
            rows,
            pixels: looks_at_pixels.then_some(windows.embeddings),
            reference,
        })
    }

    /// The frames of both clips side by side.
    fn pairs(
        &self,
    ) -> Result<impl Iterator<Item = Result<(Frame, Option<Frame>)>> + Send + use<'_>> {
        let range = self.frames.start..self.end;
        let mut source = self.source.frames(range.clone())?;
        let mut result = match self.result {
            ResultFrames::Clip(clip) => Some(clip.frames(range)?),
            ResultFrames::Baseline(_) => None,
        };
        let name = self.source_name;
        let mut at = self.frames.start;
        Ok(std::iter::from_fn(move || {
            let ends = |short: &str, long: &str| {
                Some(Err(Failure::Input(format!(
                    "frames: {short} ends after {at}, {long} is longer: both must have the same number"
                ))))
            };
            let mine = source.next();
            let Some(result) = &mut result else {
                return mine.map(|frame| Ok((frame?, None)));
            };
            let pair = match (mine, result.next()) {
                (None, None) => return None,
                (Some(Err(failure)), _) | (_, Some(Err(failure))) => Err(failure),
                (Some(_), None) => return ends("RESULT", name),
                (None, Some(_)) => return ends(name, "RESULT"),
                (Some(Ok(mine)), Some(Ok(theirs))) => Ok((mine, Some(theirs))),
            };
            at += 1;
            Some(pair)
        }))
    }

    /// Measures one frame.
    fn work(
        &self,
        source: Frame,
        result: Option<Frame>,
        reference: Option<&ReferenceFrame>,
        wanted: bool,
    ) -> Result<Done> {
        let nothing = Done {
            measured: None,
            cells: None,
        };
        let Some(face) = self.clip.speaker(source.index as i64) else {
            return Ok(nothing);
        };
        let engine = self.clip.engine();
        let map = engine.crop().place(&face.pose);
        let mut mask = Mask::default();
        // As the renderer draws it: with the identity of the clip's reference.
        let who = reference.map_or(&face.identity, |reference| &reference.identity);
        mask.draw(engine.face_model(), &face, who, &map, engine.mask());
        let mut sampler = Sampler::default();
        let mut cut = |picture: &Picture| crop(&mut sampler, &picture.view()?, &map, IMAGE);
        let before = cut(&source.picture)?;
        let picture = match (result, self.result) {
            // A folder's pictures do not state the shape of their pixels.
            (Some(result), _) => result.picture.like(source.picture.layout),
            (None, ResultFrames::Baseline(Baseline::Frozen)) => {
                freeze(&source.picture, &face, &map, &mask, &before, reference)?
            }
            (None, _) => source.picture.clone(),
        };
        let after = cut(&picture)?;

        let look = |picture: &Picture| -> Result<Option<Face>> {
            let (tracker, networks) = (engine.tracker(), engine.networks());
            Ok(tracker.fit_at(networks, &picture.view()?, TRANSFER, &face.pose)?)
        };
        let (Some(left), Some(right)) = (look(&source.picture)?, look(&picture)?) else {
            return Ok(nothing);
        };
        let model = engine.face_model();
        let openings = [&left, &right].map(|face| lips::opening(model, face));
        let points = [&left, &right].map(|face| lips::points(model, face));
        let in_crop = points.each_ref().map(|p| lips::in_crop(p, &map));
        let centred = in_crop.each_ref().map(|p| lips::centred(p));
        let ([Some(a), Some(b)], [Some(own), Some(made)]) = (openings, centred) else {
            return Err(Failure::Input(
                "the bundle's face model has fewer than 40 lip points".into(),
            ));
        };
        let embeddings = match self.recognition {
            Some(network) => {
                let one = |picture: &Picture, face: &Face| self.embed(network, picture, face);
                Some([one(&source.picture, &left)?, one(&picture, &right)?])
            }
            None => None,
        };
        let lumas = [&before, &after].map(|crop| picture::luma(crop));
        let only = |value: Option<f64>| value.filter(|_| self.reconstruction);
        let shape = |face: &Face| {
            let mouth = model.n_mouth().min(face.expression.len());
            face.expression[..mouth].to_vec()
        };
        let looks_at_pixels = self.listener.is_some_and(|l| l.net().sees_pixels());
        let measured = Measured {
            confidence: right.confidence,
            ssim: only(picture::ssim(&lumas[SOURCE], &lumas[RESULT], IMAGE)),
            psnr: only(picture::psnr(&before, &after, None)),
            psnr_mask: only(picture::psnr(&before, &after, Some(mask.hole()))),
            gmsd: only(picture::gmsd(
                &lumas[SOURCE],
                &lumas[RESULT],
                IMAGE,
                Some(mask.hole()),
            )),
            lmd: only(lips::lmd(&in_crop[SOURCE], &in_crop[RESULT])),
            openings: [a, b],
            shapes: [shape(&left), shape(&right)],
            points,
            lips: [own, made],
            embeddings,
            jitter: None,
        };
        let cells = wanted.then(|| {
            let mut over = to_image(&before);
            for (pixel, alpha) in over.pixels_mut().zip(mask.alpha()) {
                tint(pixel, *alpha);
            }
            [to_image(&before), over, to_image(&after)]
        });
        let pixels = Pixels {
            lumas,
            hole: mask.hole().to_vec(),
            mouths: looks_at_pixels.then(|| [lower_half(&before), lower_half(&after)]),
        };
        Ok(Done {
            measured: Some((measured, pixels)),
            cells,
        })
    }

    /// The embedding of a face by the recognition network.
    fn embed(&self, network: &Recognition, picture: &Picture, face: &Face) -> Result<Vec<f32>> {
        let points = identity::five_points(self.clip.engine().face_model(), face);
        let Some(map) = points.as_ref().and_then(identity::align) else {
            return Err(Failure::Input(
                "--recognition needs a bundle whose face model is the mesh of 468 vertices".into(),
            ));
        };
        let mut sampler = Sampler::default();
        let mut face = crop(&mut sampler, &picture.view()?, &map, identity::SIDE)?;
        identity::normalise(&mut face);
        Ok(network.embed(&face)?)
    }
}

fn crop(
    sampler: &mut Sampler,
    frame: &FrameRef<'_>,
    map: &Similarity,
    size: usize,
) -> Result<Vec<f32>> {
    let mut crop = vec![0.0; 3 * size * size];
    sampler.sample(frame, TRANSFER, map, size, BorderMode::Edge, &mut crop)?;
    Ok(crop)
}

/// The frame with the reference's mouth in it, blended as the renderer blends a generated mouth.
fn freeze(
    source: &Picture,
    face: &Face,
    map: &Similarity,
    mask: &Mask,
    crop: &[f32],
    reference: Option<&ReferenceFrame>,
) -> Result<Picture> {
    let mut frozen = source.clone();
    let Some(reference) = reference else {
        return Ok(frozen);
    };
    let gains = ColourMatch::default().gains(crop, &reference.crop, mask.alpha())?;
    let patch = Patch {
        size: IMAGE,
        generated: &reference.crop,
        alpha: mask.alpha(),
        gains: &gains,
        tone: ToneMap::NONE,
        detail: &[],
    };
    let mut target = frozen.view_mut()?;
    let strength = fade(f64::from(face.confidence)) as f32;
    Compositor::default().blend(&mut target, TRANSFER, map, &patch, strength)?;
    Ok(frozen)
}

fn to_image(crop: &[f32]) -> RgbImage {
    let side = IMAGE as u32;
    let level = |v: f32| ((v * 0.5 + 0.5).clamp(0.0, 1.0) * 255.0).round() as u8;
    RgbImage::from_fn(side, side, |x, y| {
        let at = (y * side + x) as usize;
        Rgb([0, 1, 2].map(|c| level(crop[c * IMAGE * IMAGE + at])))
    })
}

fn jitter(recent: &VecDeque<Option<Pixels>>) -> Option<[f64; 2]> {
    let [before, middle, after] = [0, 1, 2].map(|k| recent.get(k).and_then(Option::as_ref));
    let (before, middle, after) = (before?, middle?, after?);
    let of = |side: usize| {
        let [a, b, c] = [before, middle, after].map(|pixels| &pixels.lumas[side]);
        series::picture_jitter(a, b, c, &middle.hole)
    };
    Some([of(SOURCE)?, of(RESULT)?])
}

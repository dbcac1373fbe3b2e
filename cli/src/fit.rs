//! A clip that is shorter than the audio: how it goes on.

use std::ops::Range;

use clap::ValueEnum;

use crate::failure::Result;
use crate::source::{Frame, Source};

/// Frames that are decoded at once where a clip is shown backwards.
const BACKWARDS: u64 = 64;

/// What is shown when the audio is longer than the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Fit {
    /// Nothing: the audio is cut. A single picture is held.
    Cut,
    /// The last frame.
    Hold,
    /// The clip from its beginning, again and again.
    Loop,
    /// The clip backwards, then forwards, again and again.
    Bounce,
}

/// A clip and what follows it.
pub struct Extended {
    pub source: Box<Source>,
    /// Frames of the clip itself, at least 1.
    pub own: u64,
    /// Frames in all.
    pub frames: u64,
    pub fit: Fit,
}

/// Frames of the clip that are shown in order or backwards.
#[derive(Debug, PartialEq)]
struct Run {
    /// Of the clip.
    frames: Range<u64>,
    backwards: bool,
}

impl Extended {
    /// The frame of the clip that is shown as frame `index`.
    pub fn shown(&self, index: u64) -> u64 {
        let Self { own, fit, .. } = *self;
        match fit {
            Fit::Loop => index % own,
            // The frames at the ends are shown once each time.
            Fit::Bounce if own > 1 => {
                let place = index % (2 * own - 2);
                place.min(2 * own - 2 - place)
            }
            _ => index.min(own - 1),
        }
    }

    /// The longest runs that make up the frames `range`; a run is short where the clip is shown backwards.
    fn runs(&self, range: Range<u64>) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        for shown in range.map(|index| self.shown(index)) {
            match runs.last_mut() {
                Some(run) if run.frames.end == shown && (!run.backwards) => run.frames.end += 1,
                Some(run)
                    if run.frames.start == shown + 1
                        && (run.backwards || run.frames.end == shown + 2)
                        && run.frames.end - run.frames.start < BACKWARDS =>
                {
                    run.frames.start = shown;
                    run.backwards = true;
                }
                _ => runs.push(Run {
                    frames: shown..shown + 1,
                    backwards: false,
                }),
            }
        }
        runs
    }

    /// Reads the frames `range`, fewer when all end before.
    ///
    /// # Errors
    /// As [`Source::frames`].
    pub fn frames(&self, range: Range<u64>) -> Box<dyn Iterator<Item = Result<Frame>> + Send + '_> {
        let end = range.end.min(self.frames);
        let mut index = range.start;
        let runs = self.runs(range.start.min(end)..end).into_iter();
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
pub fn extended(source: Source, seconds: f64, fit: Fit) -> Result<Source> {
    let rate = source.rate();
    let frames = (seconds * rate.fps() - 1e-6).ceil().max(0.0) as u64;
    if fit == Fit::Cut && source.expected_frames() > 1 {
        return Ok(source);
    }
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
        own,
        frames,
        fit,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::FrameRate;
    use crate::source::{Content, Still};

    fn clip(own: u64, frames: u64, fit: Fit) -> Extended {
        let jpeg = include_bytes!("../../models/head/clip/frames/0000.jpg");
        let stills = (0..own).map(|n| Still {
            name: n.to_string(),
            content: Content::Bytes(jpeg),
        });
        let source = Source::stills(stills.collect(), FrameRate { num: 25, den: 1 }).unwrap();
        Extended {
            source: Box::new(source),
            own,
            frames,
            fit,
        }
    }

    #[test]
    fn each_way_shows_its_frames() {
        let shown = |fit, own| {
            let clip = clip(own, 9, fit);
            (0..9).map(|index| clip.shown(index)).collect::<Vec<_>>()
        };
        assert_eq!(shown(Fit::Hold, 3), [0, 1, 2, 2, 2, 2, 2, 2, 2]);
        assert_eq!(shown(Fit::Loop, 3), [0, 1, 2, 0, 1, 2, 0, 1, 2]);
        assert_eq!(shown(Fit::Bounce, 4), [0, 1, 2, 3, 2, 1, 0, 1, 2]);
        assert_eq!(shown(Fit::Bounce, 1), [0; 9]);
    }

    #[test]
    fn runs_show_what_is_shown_and_frames_are_numbered() {
        for fit in [Fit::Hold, Fit::Loop, Fit::Bounce] {
            for own in [1, 2, 3, 7, 150] {
                let clip = clip(own, 400, fit);
                for range in [0..400, 5..6, 149..290, 399..500] {
                    let expected: Vec<u64> = (range.start..range.end.min(400))
                        .map(|i| clip.shown(i))
                        .collect();
                    let mut found = Vec::new();
                    for run in clip.runs(range.start..range.end.min(400)) {
                        assert!(!run.backwards || run.frames.end - run.frames.start <= BACKWARDS);
                        match run.backwards {
                            true => found.extend(run.frames.rev()),
                            false => found.extend(run.frames),
                        }
                    }
                    assert_eq!(found, expected, "{fit:?} {own} {range:?}");
                }
            }
            let clip = clip(3, 20, fit);
            let read: Vec<u64> = clip.frames(2..30).map(|f| f.unwrap().index).collect();
            assert_eq!(read, (2..20).collect::<Vec<_>>());
        }
    }
}

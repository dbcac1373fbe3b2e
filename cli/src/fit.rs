//! A clip that is shorter than the audio: how it goes on.

use std::ops::Range;

use crate::args::Fit;

/// Frames that are decoded at once where a clip is shown backwards.
const BACKWARDS: u64 = 64;

/// The order in which the frames of a clip are shown.
pub struct Extension {
    /// Frames of the clip itself, at least 1.
    pub own: u64,
    /// Frames in all.
    pub frames: u64,
    pub fit: Fit,
}

/// Frames of the clip that are shown in order or backwards.
#[derive(Debug, PartialEq)]
pub struct Run {
    /// Of the clip.
    pub frames: Range<u64>,
    pub backwards: bool,
}

impl Extension {
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
    pub fn runs(&self, range: Range<u64>) -> Vec<Run> {
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
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clip(own: u64, frames: u64, fit: Fit) -> Extension {
        Extension { own, frames, fit }
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
        }
    }
}

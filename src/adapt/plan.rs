//! The choice of training frames: windows of five frames that show one person speaking.

use crate::clip::{Clip, is_shown};
use crate::latent::STEP;
use crate::track::Selection;
use crate::{Error, Result};

use super::SYNC_FRAMES;

/// The shortest clip that a person is trained on, in samples at 16 kHz: two seconds.
const SHORTEST: i64 = 32_000;
/// Share of the frames that another person may be in.
const OTHERS: f64 = 0.1;

/// Who is seen in an analysed frame.
#[derive(Debug, Clone, Copy, PartialEq)]
struct FrameSpeaker {
    index: i64,
    /// The frame's time, in samples at 16 kHz.
    position: i64,
    /// The speaker's number, where the confidence is high enough for the frame to be changed.
    id: Option<u32>,
    /// Whether another face is as confident, and the face was not selected by who it is.
    others: bool,
}

impl FrameSpeaker {
    fn of(clip: &Clip, index: i64) -> Result<Self> {
        let selection = clip.options().selection;
        let faces = clip.analysis().faces(index);
        let own = faces.as_ref().and_then(|faces| faces.chosen(selection));
        let own = own.filter(|face| is_shown(face));
        let numbered = || faces.iter().flat_map(|faces| faces.numbered());
        let shown = numbered().filter(|(face, _)| is_shown(face)).count();
        let id = own.and_then(|own| numbered().find(|(face, _)| *face == own)?.1);
        Ok(Self {
            index,
            position: clip.options().timing.position(index)?,
            id,
            others: shown > 1 && !matches!(selection, Selection::Id(_) | Selection::Like(_)),
        })
    }
}

/// The frames of a clip that a person is trained on.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Plan {
    /// Five frames each, 40 ms apart.
    pub windows: Vec<[i64; SYNC_FRAMES]>,
}

impl Plan {
    /// Plans at most `most` frames over all of an analysed clip, evenly.
    ///
    /// # Errors
    /// [`Error::NoFace`]; [`Error::Argument`] for a clip that is too short, or of two people.
    pub fn new(clip: &Clip, most: usize) -> Result<Self> {
        let indices = clip.analysis().indices().into_iter();
        let seen: Vec<_> = indices
            .map(|index| FrameSpeaker::of(clip, index))
            .collect::<Result<_>>()?;
        let Some((first, last)) = seen.first().zip(seen.last()) else {
            return Err(Error::NoFace("the person's clip: analyse its frames first"));
        };
        let refuse = |reason: String| Error::Argument {
            field: "person's clip",
            reason,
        };
        let shown: Vec<_> = seen.iter().filter(|frame| frame.id.is_some()).collect();
        if shown.is_empty() {
            return Err(Error::NoFace("the person's clip"));
        }
        let length = last.position - first.position + STEP;
        if length < SHORTEST {
            let seconds = length as f64 / 16_000.0;
            return Err(refuse(format!(
                "lasts {seconds:.1} s; training needs at least 2 s"
            )));
        }
        let crowded = seen.iter().filter(|frame| frame.others).count();
        if crowded as f64 > OTHERS * seen.len() as f64 {
            return Err(refuse(format!(
                "shows two people in {crowded} of {} frames: choose one by its number, or cut it",
                seen.len()
            )));
        }
        let leading = shown[0].id;
        let strangers = shown.iter().filter(|frame| frame.id != leading).count();
        if strangers as f64 > OTHERS * shown.len() as f64 {
            return Err(refuse(format!(
                "shows one person and then another ({strangers} of {} frames): cut it",
                shown.len()
            )));
        }
        let nearest = |position: i64| {
            let after = seen.partition_point(|frame| frame.position < position);
            let around = [after.checked_sub(1), Some(after)];
            let frames = around.into_iter().flatten().filter_map(|at| seen.get(at));
            frames
                .min_by_key(|frame| (frame.position - position).abs())
                .filter(|frame| (frame.position - position).abs() <= STEP / 2)
                .filter(|frame| frame.id == leading)
                .map(|frame| frame.index)
        };
        let mut windows = Vec::new();
        let mut position = first.position;
        while position <= last.position {
            let frames: [Option<i64>; SYNC_FRAMES] =
                std::array::from_fn(|k| nearest(position + k as i64 * STEP));
            match frames.iter().position(Option::is_none) {
                None => {
                    windows.push(frames.map(Option::unwrap_or_default));
                    position += SYNC_FRAMES as i64 * STEP;
                }
                Some(missing) => position += (missing as i64 + 1) * STEP,
            }
        }
        if windows.is_empty() {
            return Err(refuse(
                "has no five frames in a row in which its person is seen".into(),
            ));
        }
        let count = windows.len().min((most / SYNC_FRAMES).max(1));
        let total = windows.len();
        let windows = (0..count).map(|k| windows[k * total / count]).collect();
        Ok(Self { windows })
    }

    /// Whether the frame `index` is in a window.
    pub fn wants(&self, index: i64) -> bool {
        self.windows.iter().flatten().any(|at| *at == index)
    }
}

//! What is known of a clip's frames: the faces seen in each, their numbers, and the candidates for
//! the reference.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::SeenFace;
use super::reference::{Candidate, Candidates};
use crate::face::{CropProtocol, Face};
use crate::track::select::{choose, follow};
use crate::track::smooth::{WINDOW, smooth};
use crate::track::{Linker, Selection};

/// How far smoothing looks to each side, in frames.
pub(crate) const REACH: i64 = WINDOW as i64 / 2;

/// The faces of one frame.
#[derive(Clone, Debug)]
pub(crate) struct Faces {
    pub faces: Arc<[Face]>,
    /// The number of each in the clip; none while the analysis is not numbered.
    pub ids: Arc<[u32]>,
}

impl Faces {
    /// The faces of a frame of which no neighbour is known.
    pub fn alone(faces: Vec<Face>) -> Self {
        let ids = Linker::default().link(0, &faces);
        Self {
            faces: faces.into(),
            ids: ids.into(),
        }
    }

    /// What a caller is told of them.
    pub fn seen(&self) -> Vec<SeenFace> {
        let seen = |(face, id): (&Face, &u32)| SeenFace {
            id: *id,
            centre: face.centre,
            side: face.side,
            confidence: face.confidence,
        };
        self.faces.iter().zip(self.ids.iter()).map(seen).collect()
    }

    /// The face that speaks, as this frame alone shows it.
    pub fn speaking(&self, selection: Selection) -> Option<&Face> {
        choose(&self.faces, &self.ids, selection).map(|at| &self.faces[at])
    }
}

/// The frames round one frame; `None` where one is not known. The middle one always is.
pub(crate) struct Window {
    pub middle: Faces,
    /// The neighbours, the middle left out.
    neighbours: [Option<Arc<[Face]>>; WINDOW],
}

impl Window {
    /// The speaking face of the middle frame as it was seen, smoothed over its neighbours, and its
    /// number.
    pub fn speaking(
        &self,
        selection: Selection,
        protocol: &CropProtocol,
    ) -> Option<(&Face, Face, u32)> {
        let at = choose(&self.middle.faces, &self.middle.ids, selection)?;
        let mut frames = self.neighbours.each_ref().map(|faces| faces.as_deref());
        frames[WINDOW / 2] = Some(&self.middle.faces);
        let smoothed = smooth(follow(frames, at), protocol)?;
        Some((&self.middle.faces[at], smoothed, *self.middle.ids.get(at)?))
    }
}

/// What was seen in one frame: cheap to clone, to be kept by who hands frames in in any order.
#[derive(Clone, Debug)]
pub struct Sight(pub(super) Faces);

impl Sight {
    /// The faces, the tracker's largest first; numbers hold for this frame alone.
    pub fn faces(&self) -> Vec<SeenFace> {
        self.0.seen()
    }

    /// The face that `selection` means.
    pub fn chosen(&self, selection: Selection) -> Option<&Face> {
        self.0.speaking(selection)
    }
}

/// A frame and those round it; `None` where one does not exist or is not known.
#[derive(Clone, Debug)]
pub struct Around {
    /// The frame itself.
    pub middle: Sight,
    /// The two before it, earliest first.
    pub before: [Option<Sight>; REACH as usize],
    /// The two after it.
    pub after: [Option<Sight>; REACH as usize],
}

impl Around {
    /// How many frames before and after count.
    pub const REACH: usize = REACH as usize;

    pub(super) fn window(&self) -> Window {
        let middle = std::iter::once(&None);
        let around = self.before.iter().chain(middle).chain(&self.after);
        let mut known = around.map(|sight| sight.as_ref().map(|Sight(faces)| faces.faces.clone()));
        Window {
            middle: self.middle.0.clone(),
            neighbours: std::array::from_fn(|_| known.next().flatten()),
        }
    }
}

/// What was seen in known frames. Every answer is a function of what is held, not of the order in
/// which it came.
#[derive(Default)]
pub(crate) struct Analysis {
    frames: BTreeMap<i64, Faces>,
    /// Numbers the faces of the frames up to the last one.
    linker: Linker,
    /// A frame came before another that was numbered: the numbers are stale.
    stale: bool,
    candidates: Candidates,
}

impl Analysis {
    /// Notes the faces of a frame. A frame that is known already stays as it was.
    pub fn note(&mut self, index: i64, faces: Vec<Face>) {
        if self.frames.contains_key(&index) {
            return;
        }
        let ids = if self.stale || !self.is_next(index) {
            self.stale = true;
            Arc::default()
        } else {
            self.linker.link(index, &faces).into()
        };
        self.frames.insert(
            index,
            Faces {
                faces: faces.into(),
                ids,
            },
        );
    }

    /// Whether the frame `index` lies behind all known ones.
    pub fn is_next(&self, index: i64) -> bool {
        self.frames
            .last_key_value()
            .is_none_or(|(last, _)| *last < index)
    }

    /// Whether the numbers hold; [`renumber`](Self::renumber) otherwise.
    pub fn is_numbered(&self) -> bool {
        !self.stale
    }

    /// Numbers all faces from the first known frame on.
    pub fn renumber(&mut self) {
        self.linker = Linker::default();
        for (index, frame) in &mut self.frames {
            frame.ids = self.linker.link(*index, &frame.faces).into();
        }
        self.stale = false;
    }

    /// The faces of a known frame.
    pub fn faces(&self, index: i64) -> Option<&Faces> {
        self.frames.get(&index)
    }

    /// The frame `index` and the known ones within reach; `None` when it is not known itself.
    pub fn window(&self, index: i64) -> Option<Window> {
        Some(self.window_round(index, self.frames.get(&index)?.clone()))
    }

    /// The known frames within reach of the frame `index`, whose faces are given.
    pub fn window_round(&self, index: i64, middle: Faces) -> Window {
        let neighbours = std::array::from_fn(|k| {
            let at = index
                .checked_add(k as i64 - REACH)
                .filter(|at| *at != index)?;
            self.frames.get(&at).map(|frame| frame.faces.clone())
        });
        Window { middle, neighbours }
    }

    /// Adds a candidate for the reference.
    pub fn nominate(&mut self, index: i64, candidate: Candidate) {
        self.candidates.add(index, candidate);
    }

    /// Whether the frame `index` may still become the reference.
    pub fn is_near(&self, index: i64) -> bool {
        self.candidates.is_near(index)
    }

    /// The frame before which all must be known for the reference to be settled; `None` while there
    /// is no candidate.
    pub fn settled_at(&self) -> Option<i64> {
        self.candidates.end()
    }

    /// The frame that is the reference, as far as frames are known.
    pub fn reference(&self) -> Option<(i64, Candidate)> {
        self.candidates
            .choose()
            .map(|(index, candidate)| (index, candidate.clone()))
    }

    /// Forgets the faces of the frames before `index`; numbers and candidates stay.
    pub fn forget_before(&mut self, index: i64) {
        self.frames = self.frames.split_off(&index);
    }

    /// The indices of the known frames, in their order.
    pub fn indices(&self) -> Vec<i64> {
        self.frames.keys().copied().collect()
    }

    /// Frames known.
    pub fn len(&self) -> usize {
        self.frames.len()
    }

    /// Crops held.
    pub fn candidates(&self) -> usize {
        self.candidates.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::fit::tests::{PROTOCOL, face};

    /// Two people; the one on the left is out of sight in every fifth frame.
    fn seen(index: i64) -> Vec<Face> {
        let shift = index as f64;
        let mut faces = vec![
            face(400.0 - shift, 120.0, 110.0),
            face(120.0 + shift, 100.0, 80.0),
        ];
        faces.truncate(if index % 5 == 4 { 1 } else { 2 });
        faces
    }

    fn numbers(order: impl Iterator<Item = i64>) -> Vec<Vec<u32>> {
        let mut analysis = Analysis::default();
        order.for_each(|index| analysis.note(index, seen(index)));
        if !analysis.is_numbered() {
            analysis.renumber();
        }
        (0..20)
            .map(|index| analysis.faces(index).unwrap().ids.to_vec())
            .collect()
    }

    #[test]
    fn numbers_do_not_depend_on_the_order() {
        let expected = numbers(0..20);
        assert_eq!((&expected[0], &expected[4]), (&vec![0, 1], &vec![0]));
        assert_eq!(expected[19], [0]);
        assert_eq!(numbers((0..20).rev()), expected);
        assert_eq!(numbers((0..20).map(|k| (k * 7) % 20)), expected);
    }

    #[test]
    fn a_frame_noted_twice_stays_as_it_was() {
        let mut analysis = Analysis::default();
        analysis.note(3, seen(0));
        analysis.note(3, Vec::new());
        assert_eq!(
            (analysis.len(), analysis.faces(3).unwrap().faces.len()),
            (1, 2)
        );
    }

    #[test]
    fn the_speaker_is_smoothed_over_its_own_neighbours() {
        let mut analysis = Analysis::default();
        for index in 0..5 {
            analysis.note(index, vec![face(400.0, 120.0, 110.0 + (index % 2) as f64)]);
        }
        let window = analysis.window(2).unwrap();
        let (own, smoothed, id) = window.speaking(Selection::Largest, &PROTOCOL).unwrap();
        assert_eq!((own.side, id), (110.0, 0));
        assert!((smoothed.side - 110.5).abs() < 0.01, "{}", smoothed.side);
        assert!(window.speaking(Selection::Id(7), &PROTOCOL).is_none());
        assert!(analysis.window(9).is_none());
        // A frame that was not analysed between frames that were.
        let alone = analysis.window_round(5, Faces::alone(vec![face(400.0, 120.0, 90.0)]));
        let (own, smoothed, _) = alone.speaking(Selection::Largest, &PROTOCOL).unwrap();
        assert!(
            (own.side - smoothed.side).abs() < 1e-9,
            "no mirror images, no smoothing"
        );
    }
}

//! The faces of a clip's analysed frames, their ids, and the frames that the profile is made from:
//! plain data that random access and the stream share.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::faces::{FrameFaces, Neighbours, SMOOTHING_REACH};
use super::profile::{EarlyFrames, ProfileFrames};
use super::renderer::Renderer;
use crate::face::Face;
use crate::track::Linker;

/// The faces of the known frames. Every answer is a function of the known frames, not of the order
/// in which they were added.
#[derive(Default)]
pub(crate) struct Tracks {
    frames: BTreeMap<i64, FrameFaces>,
    /// Numbers the faces of the frames up to the last one.
    linker: Linker,
    /// A frame was added before one that was numbered already: the numbers are out of date.
    stale: bool,
    /// The frames that the profile is made from.
    pub profile: ProfileFrames,
}

impl Tracks {
    /// Adds the faces of a frame. A frame that is known already stays as it was.
    pub fn add(&mut self, index: i64, faces: Vec<Face>) {
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
            FrameFaces {
                faces: faces.into(),
                ids,
            },
        );
    }

    /// Whether the frame `index` comes after all known ones.
    pub fn is_next(&self, index: i64) -> bool {
        self.frames
            .last_key_value()
            .is_none_or(|(last, _)| *last < index)
    }

    /// Whether the numbers are up to date; call [`renumber`](Self::renumber) otherwise.
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
    pub fn faces(&self, index: i64) -> Option<&FrameFaces> {
        self.frames.get(&index)
    }

    /// The frame `index` and the known ones next to it; `None` when it is not known itself.
    pub fn neighbours(&self, index: i64) -> Option<Neighbours> {
        Some(self.neighbours_of(index, self.frames.get(&index)?.clone()))
    }

    /// The known frames next to the frame `index`, whose faces are `middle`.
    pub fn neighbours_of(&self, index: i64, middle: FrameFaces) -> Neighbours {
        let at = |offset: i64| self.frames.get(&index.checked_add(offset)?).cloned();
        let reach = SMOOTHING_REACH as i64;
        Neighbours {
            middle,
            before: std::array::from_fn(|k| at(k as i64 - reach)),
            after: std::array::from_fn(|k| at(k as i64 + 1)),
        }
    }

    /// What the profile of the first second is made from; `None` before a frame with the face was added.
    pub fn early(&self, renderer: &Renderer) -> Option<EarlyFrames> {
        let mut frames = self.profile.early()?;
        frames.gain = self.gain(renderer, self.profile.end());
        Some(frames)
    }

    /// The gain on the mouth's movement, from the known frames before `end`.
    pub fn gain(&self, renderer: &Renderer, end: Option<i64>) -> f32 {
        let before_end = self.frames.range(..end.unwrap_or(i64::MAX));
        renderer.gain(before_end.map(|(_, faces)| faces))
    }

    /// Forgets the faces of the frames before `index`; numbers and the profile's frames stay.
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::fit::tests::{PROTOCOL, face};
    use crate::track::Selection;

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
        let mut tracks = Tracks::default();
        order.for_each(|index| tracks.add(index, seen(index)));
        if !tracks.is_numbered() {
            tracks.renumber();
        }
        (0..20)
            .map(|index| tracks.faces(index).unwrap().ids.to_vec())
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
        let mut tracks = Tracks::default();
        tracks.add(3, seen(0));
        tracks.add(3, Vec::new());
        assert_eq!((tracks.len(), tracks.faces(3).unwrap().faces.len()), (1, 2));
    }

    #[test]
    fn the_speaker_is_smoothed_over_its_own_neighbours() {
        let mut tracks = Tracks::default();
        for index in 0..5 {
            tracks.add(index, vec![face(400.0, 120.0, 110.0 + (index % 2) as f64)]);
        }
        let neighbours = tracks.neighbours(2).unwrap();
        let speaker = neighbours.speaker(Selection::Largest, &PROTOCOL).unwrap();
        assert_eq!((speaker.own.side, speaker.id), (110.0, 0));
        let side = speaker.smoothed.side;
        assert!((side - 110.5).abs() < 0.01, "{side}");
        assert!(neighbours.speaker(Selection::Id(7), &PROTOCOL).is_none());
        assert!(tracks.neighbours(9).is_none());
        // A frame that was not analysed between frames that were.
        let middle = FrameFaces::alone(vec![face(400.0, 120.0, 90.0)]);
        let alone = tracks.neighbours_of(5, middle);
        let speaker = alone.speaker(Selection::Largest, &PROTOCOL).unwrap();
        assert!(
            (speaker.own.side - speaker.smoothed.side).abs() < 1e-9,
            "with neighbours on one side only, nothing is smoothed"
        );
    }
}

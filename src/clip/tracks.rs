//! The faces of a clip's analysed frames, their ids, its shots, and the frames that the profile is made
//! from: plain data that random access and the stream share.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::faces::{FrameFaces, Neighbours, SMOOTHING_REACH};
use super::profile::EarlyFrames;
use super::range::Measured;
use super::renderer::Renderer;
use super::shots::{Join, Shot, Shots};
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
    /// The shots, with the frames that their profiles are made from.
    pub shots: Shots,
}

impl Tracks {
    /// Adds the faces of a frame. A frame that is known already stays as it was.
    pub fn add(&mut self, index: i64, mut frame: FrameFaces) {
        if self.frames.contains_key(&index) {
            return;
        }
        let join = |to: Option<i64>| match to.and_then(|to| self.frames.get(&to)) {
            None => Join::Unknown,
            Some(neighbour) if frame.is_cut_to(neighbour) => Join::Cut,
            Some(_) => Join::Same,
        };
        let (before, after) = (join(index.checked_sub(1)), join(index.checked_add(1)));
        self.shots.note(index, before, after);
        frame.ids = if self.stale || !self.is_next(index) {
            self.stale = true;
            Arc::default()
        } else {
            let after_cut = before == Join::Cut;
            self.linker.link(index, &frame.faces, after_cut).into()
        };
        self.frames.insert(index, frame);
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
        let mut before: Option<(i64, FrameFaces)> = None;
        for (index, frame) in &mut self.frames {
            let after_cut =
                before.is_some_and(|(at, before)| at + 1 == *index && before.is_cut_to(frame));
            frame.ids = self.linker.link(*index, &frame.faces, after_cut).into();
            before = Some((*index, frame.clone()));
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

    /// What the profile of the first second of a shot is made from; `None` before a frame with the face
    /// was added.
    pub fn early(&self, shot: &Shot<'_>, renderer: &Renderer) -> Option<EarlyFrames> {
        let end = shot.frames.end()?.min(shot.range.end);
        Some(EarlyFrames {
            key: shot.key,
            anchor: shot.frames.reference()?.clone(),
            frames: shot.frames.early().cloned().collect(),
            measured: self.measure(renderer, shot.range.start..end),
        })
    }

    /// What known frames say of the person.
    pub fn measure(&self, renderer: &Renderer, frames: Range<i64>) -> Measured {
        renderer.measure(self.frames.range(frames).map(|(_, faces)| faces))
    }

    /// Forgets the faces of the frames before `index` and the shots that end before it; numbers stay.
    pub fn forget_before(&mut self, index: i64) {
        self.frames = self.frames.split_off(&index);
        self.shots.forget_before(index);
    }

    /// The indices of the known frames, in their order.
    pub fn indices(&self) -> Vec<i64> {
        self.frames.keys().copied().collect()
    }

    /// The known frames, in rising order.
    pub fn frames(&self) -> impl Iterator<Item = (i64, &FrameFaces)> {
        self.frames.iter().map(|(index, frame)| (*index, frame))
    }

    /// Frames known.
    pub fn len(&self) -> usize {
        self.frames.len()
    }
}

#[cfg(test)]
mod tests {
    use super::super::faces::tests::{frame, frame_of};
    use super::*;
    use crate::face::Face;
    use crate::face::fit::tests::{PROTOCOL, face};
    use crate::track::Selection;

    /// Two people; the one on the left is out of sight in every fifth frame.
    fn seen(index: i64) -> FrameFaces {
        let shift = index as f64;
        let mut faces = vec![
            face(400.0 - shift, 120.0, 110.0),
            face(120.0 + shift, 100.0, 80.0),
        ];
        faces.truncate(if index % 5 == 4 { 1 } else { 2 });
        frame(faces)
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
        tracks.add(3, frame(Vec::new()));
        assert_eq!((tracks.len(), tracks.faces(3).unwrap().faces.len()), (1, 2));
    }

    #[test]
    fn the_speaker_is_smoothed_over_its_own_neighbours() {
        let mut tracks = Tracks::default();
        for index in 0..5 {
            let side = 110.0 + (index % 2) as f64;
            tracks.add(index, frame(vec![face(400.0, 120.0, side)]));
        }
        let neighbours = tracks.neighbours(2).unwrap();
        let speaker = neighbours.speaker(Selection::Largest, &PROTOCOL).unwrap();
        assert_eq!((speaker.own.side, speaker.id), (110.0, 0));
        let side = speaker.smoothed.side;
        assert!((side - 110.5).abs() < 0.01, "{side}");
        assert!(neighbours.speaker(Selection::Id(7), &PROTOCOL).is_none());
        assert!(tracks.neighbours(9).is_none());
        // A frame that was not analysed between frames that were.
        let middle = frame(vec![face(400.0, 120.0, 90.0)]);
        let alone = tracks.neighbours_of(5, middle);
        let speaker = alone.speaker(Selection::Largest, &PROTOCOL).unwrap();
        assert!(
            (speaker.own.side - speaker.smoothed.side).abs() < 1e-9,
            "with neighbours on one side only, nothing is smoothed"
        );
    }

    #[test]
    fn nothing_reaches_beyond_a_cut() {
        // The face could be followed over the cut before frame 3.
        let of = |index: i64| {
            let at = 400.0 + (index * index) as f64;
            let faces = vec![face(at, 120.0, 110.0)];
            frame_of(faces, if index < 3 { 1 } else { 2 })
        };
        for order in [[0, 1, 2, 3, 4, 5], [5, 3, 1, 0, 4, 2]] {
            let mut tracks = Tracks::default();
            order
                .into_iter()
                .for_each(|index| tracks.add(index, of(index)));
            tracks.renumber();
            let ids = (0..6).map(|index| tracks.faces(index).unwrap().ids[0]);
            assert_eq!(ids.collect::<Vec<_>>(), [0, 0, 0, 1, 1, 1]);
            let alone = |index: i64| {
                let neighbours = tracks.neighbours(index).unwrap();
                let smoothed = neighbours.speaker(Selection::Largest, &PROTOCOL);
                let own: &Face = &tracks.faces(index).unwrap().faces[0];
                smoothed.unwrap().smoothed.pose.translation == own.pose.translation
            };
            // Neighbours are used in pairs, so the frames next to the cut are not smoothed at all.
            assert!(alone(2) && alone(3) && !alone(1) && !alone(4));
            let starts = tracks.shots.all().map(|shot| shot.range.start);
            assert_eq!(starts.collect::<Vec<_>>(), [0, 3]);
        }
    }
}

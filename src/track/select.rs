//! Selects a face of a frame, and follows it over the neighbouring frames.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::same::{distance, successor};
use super::smooth::SMOOTHING_FRAMES;
use crate::face::{Face, FaceEmbedding};

/// Which face of a frame speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Selection {
    /// The largest face.
    #[default]
    Largest,
    /// The face at, or nearest to, a point of the frame (pixels, row 0 is the top row).
    Point {
        /// Column, times the pixel aspect ratio.
        x: f64,
        /// Row.
        y: f64,
    },
    /// The face with an id, as assigned by [`Linker`](super::Linker).
    Id(u32),
    /// The face with this many others to its left in the frame. Needs no neighbouring frames, but does
    /// not follow faces that change places.
    FromLeft(u32),
    /// The face that is most like this one, as in a picture of the person. None that is not like it.
    Like(FaceEmbedding),
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Largest => f.write_str("the largest"),
            Self::Point { x, y } => write!(f, "the one at {x},{y}"),
            Self::Id(id) => write!(f, "number {id}"),
            Self::FromLeft(others) => write!(f, "the one with {others} to its left"),
            Self::Like(_) => f.write_str("the one of a picture"),
        }
    }
}

/// Least similarity of a face that is selected by its embedding.
const ALIKE: f32 = 0.4;

/// The index of the face that `selection` selects. `ids` are those of `faces`; without them an id
/// selects none. A point further from a face than the side of its crop does not select it.
pub fn choose(faces: &[Face], ids: &[u32], selection: Selection) -> Option<usize> {
    let indices = 0..faces.len();
    match selection {
        // The first of equals, in the tracker's order.
        Selection::Largest => {
            indices.min_by(|&a, &b| faces[b].side.total_cmp(&faces[a].side).then(a.cmp(&b)))
        }
        Selection::Point { x, y } => indices
            .map(|i| (i, distance(faces[i].centre, [x, y])))
            .filter(|&(i, away)| away <= faces[i].side)
            .min_by(|a, b| a.1.total_cmp(&b.1))
            .map(|(i, _)| i),
        Selection::Id(id) => ids.iter().take(faces.len()).position(|other| *other == id),
        Selection::FromLeft(number) => {
            let mut order: Vec<usize> = indices.collect();
            order.sort_by(|&a, &b| faces[a].centre[0].total_cmp(&faces[b].centre[0]));
            order.get(number as usize).copied()
        }
        Selection::Like(wanted) => most_like(
            faces
                .iter()
                .map(|face| Some(face.embedding?.similarity(&wanted))),
        ),
    }
}

/// The chosen face of the middle frame and the same face in its neighbours, followed outwards one
/// frame at a time and no further than it can be. `frames` are the faces of t-2..t+2; `None` where
/// a frame does not exist or is not known.
pub fn follow(
    frames: [Option<&[Face]>; SMOOTHING_FRAMES],
    chosen: usize,
) -> [Option<&Face>; SMOOTHING_FRAMES] {
    let middle = SMOOTHING_FRAMES / 2;
    let mut out = [None; SMOOTHING_FRAMES];
    out[middle] = frames[middle].and_then(|faces| faces.get(chosen));
    for step in 1..=middle {
        for (from, to) in [
            (middle + step - 1, middle + step),
            (middle + 1 - step, middle - step),
        ] {
            if let (Some(face), Some(faces)) = (out[from], frames[to]) {
                out[to] = successor(face, faces).map(|i| &faces[i]);
            }
        }
    }
    out
}

/// The index of the highest similarity that is high enough.
fn most_like(similarities: impl Iterator<Item = Option<f32>>) -> Option<usize> {
    similarities
        .enumerate()
        .filter_map(|(at, similarity)| Some((at, similarity.filter(|found| *found >= ALIKE)?)))
        .max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)))
        .map(|(at, _)| at)
}

/// The index of the face of the middle frame that is most like `wanted`, over the frames that it can be followed
/// in: one frame alone is uncertain. `frames` are as [`follow`] takes them.
pub fn choose_like(
    frames: [Option<&[Face]>; SMOOTHING_FRAMES],
    wanted: &FaceEmbedding,
) -> Option<usize> {
    let count = frames[SMOOTHING_FRAMES / 2].map_or(0, <[Face]>::len);
    let over_frames = |at: usize| {
        let (mut sum, mut weight) = (0.0, 0.0);
        for face in follow(frames, at).into_iter().flatten() {
            if let Some(embedding) = &face.embedding {
                sum += face.confidence * embedding.similarity(wanted);
                weight += face.confidence;
            }
        }
        (weight > 0.0).then(|| sum / weight)
    };
    most_like((0..count).map(over_frames))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::embedding::tests::embedding;
    use crate::face::fit::tests::face;

    #[test]
    fn one_face_is_chosen() {
        let faces = [
            face(100.0, 100.0, 80.0),
            face(400.0, 120.0, 120.0),
            face(250.0, 90.0, 120.0),
        ];
        let ids = [4, 9, 2];
        assert_eq!(choose(&faces, &ids, Selection::Largest), Some(1));
        assert_eq!(
            choose(&faces, &ids, Selection::Point { x: 110.0, y: 90.0 }),
            Some(0)
        );
        assert_eq!(
            choose(&faces, &ids, Selection::Point { x: 260.0, y: 95.0 }),
            Some(2)
        );
        assert_eq!(
            choose(&faces, &ids, Selection::Point { x: 110.0, y: 400.0 }),
            None
        );
        assert_eq!(
            choose(
                &faces,
                &ids,
                Selection::Point {
                    x: f64::NAN,
                    y: 0.0
                }
            ),
            None
        );
        assert_eq!(choose(&faces, &ids, Selection::Id(2)), Some(2));
        assert_eq!(choose(&faces, &ids, Selection::Id(3)), None);
        assert_eq!(choose(&faces, &[], Selection::Id(4)), None);
        assert_eq!(choose(&[], &[], Selection::Largest), None);
        let from_left = |number| choose(&faces, &[], Selection::FromLeft(number));
        assert_eq!(
            [0, 1, 2, 3].map(from_left),
            [Some(0), Some(2), Some(1), None]
        );
    }

    #[test]
    fn the_most_alike_face_is_chosen_over_all_known_frames() {
        let of = |person: usize, aside: f32, x: f64| Face {
            embedding: Some(embedding(person, aside)),
            ..face(x, 100.0, 80.0)
        };
        let wanted = embedding(1, 0.0);
        let alone = |faces: &[Face]| choose(faces, &[], Selection::Like(wanted));
        assert_eq!(alone(&[of(2, 0.0, 100.0), of(1, 0.5, 400.0)]), Some(1));
        assert_eq!(alone(&[of(2, 0.0, 100.0), of(3, 0.0, 400.0)]), None);
        assert_eq!(alone(&[face(100.0, 100.0, 80.0)]), None);
        // In the middle frame the other one is a little more like the wanted one.
        let frame = |left: f32, right: f32| [of(1, left, 100.0), of(1, right, 400.0)];
        let (clear, odd) = (frame(0.1, 2.0), frame(1.1, 1.0));
        let [clear, odd] = [&clear[..], &odd[..]].map(Some);
        assert_eq!(alone(odd.unwrap()), Some(1));
        let frames = [clear, clear, odd, clear, clear];
        assert_eq!(choose_like(frames, &wanted), Some(0));
        assert_eq!(choose_like([None; 5], &wanted), None);
    }

    #[test]
    fn a_face_is_followed_past_another() {
        // Two faces side by side, drifting; in one frame the tracker swaps their order.
        let at = |t: f64| {
            [
                face(100.0 + 20.0 * t, 100.0, 80.0),
                face(240.0 + 20.0 * t, 100.0, 80.0),
            ]
        };
        let [a, b, c, mut d, e] = [-2.0, -1.0, 0.0, 1.0, 2.0].map(at);
        d.reverse();
        let frames = [
            Some(&a[..]),
            Some(&b[..]),
            Some(&c[..]),
            Some(&d[..]),
            Some(&e[..]),
        ];
        let seen = follow(frames, 1).map(|face| face.unwrap().centre[0]);
        assert_eq!(seen, [200.0, 220.0, 240.0, 260.0, 280.0]);
    }

    #[test]
    fn nothing_is_followed_over_a_gap_or_a_cut() {
        let still = [face(100.0, 100.0, 80.0)];
        let far = [face(300.0, 100.0, 80.0)];
        let close = [face(100.0, 100.0, 160.0)];
        let known = |f: &[Option<&Face>; SMOOTHING_FRAMES]| f.map(|face| face.is_some());
        let s = Some(&still[..]);
        let seen = follow([s, None, s, Some(&[][..]), s], 0);
        assert_eq!(known(&seen), [false, false, true, false, false]);
        let seen = follow([s, Some(&far[..]), s, Some(&close[..]), s], 0);
        assert_eq!(known(&seen), [false, false, true, false, false]);
        let seen = follow([s, s, None, s, s], 0);
        assert_eq!(known(&seen), [false; 5]);
        let seen = follow([s, s, s, s, s], 7);
        assert_eq!(known(&seen), [false; 5]);
    }
}

//! Selects a face, tracks it over neighbouring frames, and assigns ids that are stable over a clip.

use serde::{Deserialize, Serialize};

use super::smooth::SMOOTHING_FRAMES;
use crate::face::Face;

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
    /// The face with an id, as assigned by [`Linker`].
    Id(u32),
    /// The face with this many others to its left in the frame. Needs no neighbouring frames, but does
    /// not follow faces that change places.
    FromLeft(u32),
}

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

/// The face among `faces` that is `face` one frame later (or earlier).
fn successor(face: &Face, faces: &[Face]) -> Option<usize> {
    (0..faces.len())
        .map(|i| (i, gap(face, &faces[i])))
        .filter(|(_, gap)| *gap < 1.0)
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(i, _)| i)
}

/// Distance between two detections in neighbouring frames; 1 and more are two different faces. From
/// one frame to the next a head moves by less than half its crop and does not grow by half.
fn gap(a: &Face, b: &Face) -> f64 {
    let moved = distance(a.centre, b.centre) / (0.5 * a.side.min(b.side));
    let grown = (a.side / b.side).ln().abs() / 1.5f64.ln();
    moved.hypot(grown)
}

fn distance(a: [f64; 2], b: [f64; 2]) -> f64 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

/// Assigns ids to the faces of successive frames, the same id to the same face. Ids depend only on
/// the frames up to theirs, so an analysis and a stream assign the same ones.
#[derive(Clone, Debug, Default)]
pub struct Linker {
    tracks: Vec<Track>,
    next: u32,
}

#[derive(Clone, Debug)]
struct Track {
    id: u32,
    last: Face,
    index: i64,
}

/// Frames for which a face may be missing and keep its id.
const PATIENCE: i64 = 12;

impl Linker {
    /// Ids for the faces of frame `index`, in their order. Frames must come in rising order. After a cut
    /// no face keeps its id.
    pub fn link(&mut self, index: i64, faces: &[Face], after_cut: bool) -> Vec<u32> {
        if after_cut {
            self.tracks.clear();
        }
        self.tracks
            .retain(|track| index.saturating_sub(track.index) <= PATIENCE);
        let mut pairs: Vec<(f64, usize, usize)> = Vec::new();
        for (t, track) in self.tracks.iter().enumerate() {
            for (f, face) in faces.iter().enumerate() {
                pairs.push((gap(&track.last, face), t, f));
            }
        }
        pairs.retain(|pair| pair.0 < 1.0);
        // The closest first; equals by age of the track, then by the tracker's order.
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0).then((a.1, a.2).cmp(&(b.1, b.2))));
        let mut ids: Vec<Option<u32>> = vec![None; faces.len()];
        let mut used = vec![false; self.tracks.len()];
        for (_, t, f) in pairs {
            if !used[t] && ids[f].is_none() {
                used[t] = true;
                ids[f] = Some(self.tracks[t].id);
                self.tracks[t].last.clone_from(&faces[f]);
                self.tracks[t].index = index;
            }
        }
        let fresh = |(face, id): (&Face, Option<u32>)| {
            id.unwrap_or_else(|| {
                let id = self.next;
                self.next += 1;
                self.tracks.push(Track {
                    id,
                    last: face.clone(),
                    index,
                });
                id
            })
        };
        faces.iter().zip(ids).map(fresh).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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

    #[test]
    fn ids_stay_with_their_faces() {
        let mut linker = Linker::default();
        let frame = |t: f64| {
            vec![
                face(100.0 + 10.0 * t, 100.0, 80.0),
                face(300.0, 100.0, 90.0),
            ]
        };
        assert_eq!(linker.link(0, &frame(0.0), false), [0, 1]);
        let mut swapped = frame(1.0);
        swapped.reverse();
        assert_eq!(linker.link(1, &swapped, false), [1, 0]);
        // One is out of sight for a while, and a stranger appears.
        assert_eq!(linker.link(2, &[face(120.0, 100.0, 80.0)], false), [0]);
        assert_eq!(linker.link(3, &[], false), Vec::<u32>::new());
        let third = [face(300.0, 100.0, 90.0), face(500.0, 300.0, 60.0)];
        assert_eq!(linker.link(9, &third, false), [1, 2]);
        // Too long out of sight is somebody new.
        assert_eq!(linker.link(30, &[face(120.0, 100.0, 80.0)], false), [3]);
    }
}

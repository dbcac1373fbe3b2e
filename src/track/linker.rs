//! Assigns ids to the faces of successive frames: the same id to the same person, by place from frame to
//! frame, and by the face's embedding over crossings, exits and cuts.

use super::same::{OTHER, gap, trusted};
use crate::face::{Face, FaceEmbedding};

/// Frames for which a face may be missing, and is still looked for where it was.
const PATIENCE: i64 = 12;
/// Similarity from which it is that person, after a cut or a long absence.
const SAME: f32 = 0.55;
/// The same in the shot in which the person was lost a short time before.
const LIKELY: f32 = 0.35;
/// Frames that count as a short time.
const SHORT: i64 = 75;
/// Frames in which a new face may turn out to be somebody known: it may have come half hidden.
const NEW: i64 = 25;
/// How much of the distance between neighbouring frames a difference of the embeddings counts.
const APPEARANCE: f64 = 1.0;
/// Share by which a person's embedding moves towards that of each frame.
const LEARNING: f32 = 0.1;
/// People that are remembered: those out of sight for the longest time are forgotten first.
const MOST: usize = 128;

/// Assigns ids to the faces of successive frames, the same id to the same person. Ids depend only on
/// the frames up to theirs, so an analysis and a stream assign the same ones.
///
/// From frame to frame a face is followed by its place. Where embeddings are known, one that is clearly
/// somebody else does not take its place, and one that is clearly known keeps its id wherever it comes back,
/// after a cut too. Without embeddings, a face that was out of sight for long, or is seen after a cut, is new.
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
    /// Who it is, over its frames.
    embedding: Option<FaceEmbedding>,
    /// Whether the film was cut since it was last seen.
    before_cut: bool,
    /// Its first frame.
    begun: i64,
}

impl Linker {
    /// Ids for the faces of frame `index`, in their order. Frames must come in rising order.
    pub fn link(&mut self, index: i64, faces: &[Face], after_cut: bool) -> Vec<u32> {
        for track in &mut self.tracks {
            track.before_cut |= after_cut;
        }
        // What can be recognised neither by its place nor by its looks will not come back.
        self.tracks
            .retain(|track| track.embedding.is_some() || track.is_near(index));
        let mut pairs: Vec<(f64, usize, usize)> = Vec::new();
        for (t, track) in self.tracks.iter().enumerate() {
            for (f, face) in faces.iter().enumerate() {
                pairs.extend(track.cost(index, face).map(|cost| (cost, t, f)));
            }
        }
        // The closest first; equals by age of the track, then by the tracker's order.
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0).then((a.1, a.2).cmp(&(b.1, b.2))));
        let mut ids: Vec<Option<u32>> = vec![None; faces.len()];
        let mut used = vec![false; self.tracks.len()];
        for (_, t, f) in pairs {
            if !used[t] && ids[f].is_none() {
                used[t] = true;
                ids[f] = Some(self.tracks[t].id);
                self.tracks[t].see(index, &faces[f]);
            }
        }
        let numbered = faces.iter().zip(ids);
        let ids = numbered.map(|(face, id)| id.unwrap_or_else(|| self.begin(index, face)));
        let mut ids: Vec<u32> = ids.collect();
        for id in &mut ids {
            *id = self.known_as(*id, index);
        }
        ids
    }

    /// The number of a face of the frame `index` whose number was `id`: another one where it is new, and turns out
    /// to be somebody who is known and out of sight.
    fn known_as(&mut self, id: u32, index: i64) -> u32 {
        let Some(new) = self.tracks.iter().position(|track| track.id == id) else {
            return id;
        };
        let track = &self.tracks[new];
        let Some(embedding) = track
            .embedding
            .filter(|_| index.saturating_sub(track.begun) <= NEW)
        else {
            return id;
        };
        let known = self.tracks.iter().enumerate().filter_map(|(at, known)| {
            let similarity = known.embedding?.similarity(&embedding);
            let absent = known.index < track.begun && similarity >= known.enough(index);
            absent.then_some((similarity, at))
        });
        let best = known.max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
        let Some((_, at)) = best else {
            return id;
        };
        let known = self.tracks[at].id;
        let begun = self.tracks[at].begun;
        let back = self.tracks.remove(new);
        let at = if new < at { at - 1 } else { at };
        self.tracks[at] = Track {
            id: known,
            begun,
            ..back
        };
        known
    }

    /// A new track.
    fn begin(&mut self, index: i64, face: &Face) -> u32 {
        if self.tracks.len() >= MOST {
            let ages = self.tracks.iter().enumerate();
            let oldest = ages.min_by_key(|(at, track)| (track.index, *at));
            if let Some((at, _)) = oldest {
                self.tracks.remove(at);
            }
        }
        let id = self.next;
        self.next += 1;
        self.tracks.push(Track {
            id,
            last: face.clone(),
            index,
            embedding: trusted(face),
            before_cut: false,
            begun: index,
        });
        id
    }
}

impl Track {
    /// Whether a face of the frame `index` may be this one by its place.
    fn is_near(&self, index: i64) -> bool {
        !self.before_cut && index.saturating_sub(self.index) <= PATIENCE
    }

    /// How unlikely it is that `face` of the frame `index` is this one; `None` if it is not.
    fn cost(&self, index: i64, face: &Face) -> Option<f64> {
        let gap = Some(gap(&self.last, face)).filter(|gap| self.is_near(index) && *gap < 1.0);
        let pair = self.embedding.zip(trusted(face));
        let Some(similarity) = pair.map(|(own, other)| own.similarity(&other)) else {
            return gap;
        };
        let unlike = f64::from(1.0 - similarity);
        match gap {
            _ if similarity < OTHER => None,
            Some(gap) => Some(gap + APPEARANCE * unlike),
            // After all that are where they were.
            None => (similarity >= self.enough(index)).then_some(1.0 + 2.0 * APPEARANCE + unlike),
        }
    }

    /// Similarity from which a face of the frame `index` is this one, wherever it is.
    fn enough(&self, index: i64) -> f32 {
        match !self.before_cut && index.saturating_sub(self.index) <= SHORT {
            true => LIKELY,
            false => SAME,
        }
    }

    fn see(&mut self, index: i64, face: &Face) {
        self.last.clone_from(face);
        (self.index, self.before_cut) = (index, false);
        self.embedding = match (self.embedding, trusted(face)) {
            (Some(known), Some(new)) => Some(known.towards(&new, LEARNING)),
            (known, new) => known.or(new),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::super::same::successor;
    use super::*;
    use crate::face::embedding::tests::embedding;
    use crate::face::fit::tests::face;

    /// A face of a person.
    fn of(person: usize, x: f64, y: f64, side: f64) -> Face {
        Face {
            embedding: Some(embedding(person, 0.1)),
            ..face(x, y, side)
        }
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
    #[test]
    fn people_keep_their_ids_where_they_cross() {
        // They meet in frame 8; from 6 to 10 only the one in front is seen.
        let mut linker = Linker::default();
        for t in 0..17 {
            let (a, b) = (100.0 + 25.0 * t as f64, 500.0 - 25.0 * t as f64);
            let mut faces = vec![of(1, a, 100.0, 90.0), of(2, b, 100.0, 90.0)];
            let mut expected = vec![0, 1];
            if (6..=10).contains(&t) {
                faces.pop();
                expected.pop();
            }
            if t % 2 == 1 {
                faces.reverse();
                expected.reverse();
            }
            assert_eq!(linker.link(t, &faces, false), expected, "frame {t}");
        }
    }

    #[test]
    fn people_are_known_after_a_cut_and_after_a_long_time() {
        let mut linker = Linker::default();
        assert_eq!(linker.link(0, &[of(1, 100.0, 100.0, 90.0)], false), [0]);
        // The other angle of a dialogue, at the same place.
        assert_eq!(linker.link(50, &[of(2, 100.0, 100.0, 90.0)], true), [1]);
        let both = [of(2, 500.0, 90.0, 60.0), of(1, 200.0, 90.0, 60.0)];
        assert_eq!(linker.link(100, &both, true), [1, 0]);
        assert_eq!(linker.link(101, &[], false), Vec::<u32>::new());
        assert_eq!(linker.link(9000, &[of(1, 400.0, 90.0, 60.0)], false), [0]);
        // A face that is hardly seen says nothing, and is followed by its place.
        let hardly = |person, x| Face {
            confidence: 0.3,
            ..of(person, x, 90.0, 60.0)
        };
        assert_eq!(linker.link(9001, &[hardly(3, 402.0)], false), [0]);
        assert_eq!(linker.link(9002, &[hardly(1, 402.0)], true), [2]);
        // Without embeddings a cut is the end.
        assert_eq!(linker.link(9003, &[face(402.0, 90.0, 60.0)], true), [3]);
    }

    #[test]
    fn a_face_that_comes_half_hidden_is_known_once_it_is_seen() {
        let mut linker = Linker::default();
        let hidden = |x| Face {
            confidence: 0.4,
            ..of(9, x, 100.0, 90.0)
        };
        assert_eq!(linker.link(0, &[of(1, 100.0, 100.0, 90.0)], false), [0]);
        assert_eq!(linker.link(20, &[hidden(500.0)], false), [1]);
        assert_eq!(linker.link(21, &[hidden(505.0)], false), [1]);
        assert_eq!(linker.link(22, &[of(1, 510.0, 100.0, 90.0)], false), [0]);
        assert_eq!(linker.link(23, &[of(1, 515.0, 100.0, 90.0)], false), [0]);
        // Two people who are in sight at once stay two.
        let twins = [of(1, 520.0, 100.0, 90.0), of(1, 100.0, 100.0, 90.0)];
        for index in 24..60 {
            assert_eq!(linker.link(index, &twins, false), [0, 2]);
        }
    }

    #[test]
    fn another_person_does_not_take_a_place() {
        let mut linker = Linker::default();
        assert_eq!(linker.link(0, &[of(1, 100.0, 100.0, 90.0)], false), [0]);
        assert_eq!(linker.link(1, &[of(2, 102.0, 100.0, 90.0)], false), [1]);
        assert_eq!(linker.link(2, &[of(1, 104.0, 100.0, 90.0)], false), [0]);
        let (a, b) = (of(1, 100.0, 100.0, 90.0), of(2, 101.0, 100.0, 90.0));
        assert_eq!(successor(&a, std::slice::from_ref(&b)), None);
        assert_eq!(successor(&a, &[b, a.clone()]), Some(1));
    }

    #[test]
    fn a_crowd_is_remembered_up_to_a_limit() {
        let mut linker = Linker::default();
        let person = |k: usize| of(k % 30, 100.0, 100.0, 90.0);
        for k in 0..30 {
            assert_eq!(linker.link(k as i64, &[person(k)], true), [k as u32]);
        }
        for k in 0..30 {
            assert_eq!(linker.link(40 + k as i64, &[person(k)], true), [k as u32]);
        }
        for k in 0..2 * MOST {
            let unlike = vec![of(29, 100.0, 100.0, 90.0); k % 3 + 1];
            linker.link(100 + k as i64, &unlike, true);
            assert!(linker.tracks.len() <= MOST);
        }
    }
}

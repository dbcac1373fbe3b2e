//! The shots of a clip, and the frames that their profiles are made from.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use super::bank_frame::Held;
use super::cells::Room;
use super::profile_frames::ProfileFrames;
use super::reference::Candidate;

/// The most gaps between known frames that are kept apart. A frame that fills a gap may show that there
/// was a cut in it.
const MOST_GAPS: usize = 16;

/// What is known of the place between a frame and its neighbour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Join {
    /// The neighbour is not known.
    Unknown,
    /// Both are of one shot.
    Same,
    /// The film was cut there.
    Cut,
}

/// The known frames, as runs of successive frames of one shot. A shot begins at a cut between two known
/// frames; frames that are not known are taken for frames of the shot before them.
///
/// What is held is a function of the set of frames added, not of their order, as long as the frames
/// of a clip with cuts never have more than 16 gaps, and there is room for the first seconds of its shots.
#[derive(Default)]
pub(super) struct Shots {
    /// By their first frame.
    runs: BTreeMap<i64, Run>,
    /// Counts changes.
    stamp: u64,
    /// The most frames that cover a shot; it only falls.
    level: Option<usize>,
}

#[derive(Clone, Default)]
struct Run {
    last: i64,
    /// Whether the frame before it is known, and of another shot.
    after_cut: bool,
    frames: ProfileFrames,
    /// When the frames of its first second changed last.
    stamp: u64,
    keeps: Keeps,
}

/// What there is room for. It never becomes more again: what was dropped is lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Keeps {
    #[default]
    All,
    /// The reference, and the frames that cover the shot.
    NotTheFirstSecond,
    Nothing,
}

impl Run {
    fn drop_what_is_not_kept(&mut self) {
        match self.keeps {
            Keeps::All => {}
            Keeps::NotTheFirstSecond => self.frames.drop_early(),
            Keeps::Nothing => self.frames.release(),
        }
    }
}

/// One shot, as far as its frames are known.
pub(super) struct Shot<'a> {
    /// From its first frame to the first one of the next shot.
    pub range: Range<i64>,
    pub frames: Cow<'a, ProfileFrames>,
    /// Equal as long as the profile of the first second is.
    pub key: ShotKey,
}

/// The first frames of its first and last run, and the last change of them.
pub(super) type ShotKey = (i64, i64, u64);

impl Shots {
    /// Adds a frame that was not known.
    pub fn note(&mut self, index: i64, before: Join, after: Join) {
        let around = self.runs.range(..=index).next_back();
        if around.is_some_and(|(_, run)| index <= run.last) {
            // It was taken for a frame of this run.
            for (at, join) in [(index, before), (index + 1, after)] {
                if join == Join::Cut {
                    self.split(at);
                }
            }
            return;
        }
        let first = match around.map(|(first, _)| *first) {
            Some(first) if before == Join::Same => first,
            _ => index,
        };
        let stamp = self.next_stamp();
        let run = self.runs.entry(first).or_insert_with(|| Run {
            after_cut: before == Join::Cut,
            stamp,
            ..Run::default()
        });
        run.last = index;
        match after {
            Join::Unknown => {}
            Join::Same => self.join(index + 1, first),
            Join::Cut => self.mark_cut(index + 1),
        }
        let gaps = self.runs.values().filter(|run| !run.after_cut).count();
        if gaps > MOST_GAPS {
            self.join_gaps();
        }
    }

    /// Whether the known frame `index` may be in the profile of the first second of its shot.
    pub fn is_near(&self, index: i64) -> bool {
        let run = self.runs.range(..=index).next_back();
        run.is_none_or(|(_, run)| run.frames.is_near(index))
    }

    /// Adds the picture of a known frame.
    pub fn add(&mut self, index: i64, candidate: Candidate, room: Room) {
        let stamp = self.next_stamp();
        let cells = room.cells.min(self.level.unwrap_or(usize::MAX));
        let Some((_, run)) = self.runs.range_mut(..=index).next_back() else {
            return;
        };
        if run.frames.is_near(index) {
            run.stamp = stamp;
        }
        run.frames.add(index, candidate, Room { cells, ..room });
        if run.after_cut {
            run.frames.thin();
        }
        run.drop_what_is_not_kept();
        self.limit(room);
    }

    /// The shot of the frame `index`; `None` while no frame is known.
    pub fn shot(&self, index: i64) -> Option<Shot<'_>> {
        let mut starts = self.starts();
        let first = starts.next()?;
        let start = starts.take_while(|start| *start <= index).last();
        Some(self.shot_from(start.unwrap_or(first)))
    }

    /// All shots, in their order.
    pub fn all(&self) -> impl Iterator<Item = Shot<'_>> {
        self.starts().map(|start| self.shot_from(start))
    }

    /// Forgets the shots that end before the frame `index`.
    pub fn forget_before(&mut self, index: i64) {
        self.runs.retain(|_, run| run.last >= index);
    }

    /// Drops the pictures, once the profiles were made.
    pub fn release(&mut self) {
        self.runs.values_mut().for_each(|run| run.frames.release());
    }

    /// Pictures held.
    pub fn held(&self) -> Held {
        let pictures = self.runs.values().flat_map(|run| run.frames.pictures());
        Held::of(pictures)
    }

    /// Candidates for references.
    pub fn candidates(&self) -> usize {
        self.runs.values().map(|run| run.frames.candidates()).sum()
    }

    /// The first frames of the shots.
    fn starts(&self) -> impl Iterator<Item = i64> {
        let shots = self.runs.iter().enumerate();
        shots
            .filter(|(number, (_, run))| *number == 0 || run.after_cut)
            .map(|(_, (first, _))| *first)
    }

    fn shot_from(&self, start: i64) -> Shot<'_> {
        let mut runs = self.runs.range(start..);
        let mut shot = Shot {
            range: start..i64::MAX,
            frames: Cow::Owned(ProfileFrames::default()),
            key: (start, start, 0),
        };
        if let Some((_, run)) = runs.next() {
            shot.frames = Cow::Borrowed(&run.frames);
            shot.key.2 = run.stamp;
        }
        for (first, run) in runs {
            if run.after_cut {
                shot.range.end = *first;
                break;
            }
            let everything = Room {
                cells: usize::MAX,
                ..Room::NONE
            };
            shot.frames.to_mut().merge(run.frames.clone(), everything);
            shot.key = (start, *first, shot.key.2.max(run.stamp));
        }
        shot
    }

    /// Adds the run that begins at `from` to the one that begins at `to`.
    fn join(&mut self, from: i64, to: i64) {
        let stamp = self.next_stamp();
        let Some(run) = self.runs.remove(&from) else {
            return;
        };
        let everything = Room {
            cells: self.level.unwrap_or(usize::MAX),
            ..Room::NONE
        };
        if let Some(before) = self.runs.get_mut(&to) {
            before.last = run.last;
            before.stamp = stamp;
            before.keeps = before.keeps.max(run.keeps);
            before.frames.merge(run.frames, everything);
            if before.after_cut {
                before.frames.thin();
            }
            before.drop_what_is_not_kept();
        }
    }

    /// Joins the runs of each shot.
    fn join_gaps(&mut self) {
        let firsts: Vec<(i64, bool)> = self
            .runs
            .iter()
            .map(|(first, run)| (*first, run.after_cut))
            .collect();
        let mut to = None;
        for (first, after_cut) in firsts {
            match to {
                Some(to) if !after_cut => self.join(first, to),
                _ => to = Some(first),
            }
        }
    }

    /// Notes a cut before the run that begins at `first`.
    fn mark_cut(&mut self, first: i64) {
        let stamp = self.next_stamp();
        if let Some(run) = self.runs.get_mut(&first) {
            (run.after_cut, run.stamp) = (true, stamp);
            run.frames.thin();
        }
    }

    /// Notes a cut before the frame `at`, which lies in a run.
    pub fn split(&mut self, at: i64) {
        let stamp = self.next_stamp();
        if let Some((first, run)) = self.runs.range_mut(..=at).next_back()
            && *first < at
            && at <= run.last
        {
            run.stamp = stamp;
            let rest = Run {
                last: std::mem::replace(&mut run.last, at - 1),
                frames: run.frames.split_off(at),
                ..Run::default()
            };
            self.runs.insert(at, rest);
        }
        self.mark_cut(at);
    }

    /// Holds no more pictures than there is room for: as many of each shot, as far as it has them.
    fn limit(&mut self, room: Room) {
        let held: usize = self.runs.values().map(|run| run.frames.cells()).sum();
        if held > room.cells {
            // Of shots, not of runs: gaps that will be filled must not lower it.
            let counts: Vec<usize> = self.all().map(|shot| shot.frames.cells()).collect();
            let sum = |level: usize| counts.iter().map(|count| count.min(&level)).sum::<usize>();
            let mut level = self.level.unwrap_or(room.cells);
            while level > room.cells_of_each_shot && sum(level) > room.cells {
                level -= 1;
            }
            self.level = Some(level);
            let runs = self.runs.values_mut();
            runs.for_each(|run| run.frames.keep(level));
        }
        let stamp = self.next_stamp();
        let (mut early, mut shots) = (0, 0);
        for run in self.runs.values_mut() {
            early += run.frames.early().count();
            shots += usize::from(run.after_cut || shots == 0);
            let keeps = match (shots > room.shots, early > room.first) {
                (true, _) => Keeps::Nothing,
                (false, true) => Keeps::NotTheFirstSecond,
                (false, false) => Keeps::All,
            };
            if keeps > run.keeps {
                (run.keeps, run.stamp) = (keeps, stamp);
                run.drop_what_is_not_kept();
            }
        }
    }

    fn next_stamp(&mut self) -> u64 {
        self.stamp += 1;
        self.stamp
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::bank_frame::tests::frame;
    use super::*;

    const FRAMES: i64 = 240;
    /// First frames of the shots; two of them are short.
    const STARTS: [i64; 5] = [0, 70, 80, 83, 190];

    fn room(cells: usize) -> Room {
        Room {
            cells,
            cells_of_each_shot: 1,
            first: usize::MAX,
            shots: usize::MAX,
            ..Room::NONE
        }
    }

    /// The frames of a film of `STARTS`, added in an order.
    fn film(order: impl Iterator<Item = i64>, cells: usize) -> Shots {
        let shot_of = |index: i64| STARTS.partition_point(|start| *start <= index);
        let mut shots = Shots::default();
        let mut known = BTreeSet::new();
        for index in order {
            let join = |other: i64| match known.contains(&other) {
                false => Join::Unknown,
                true if shot_of(other) == shot_of(index) => Join::Same,
                true => Join::Cut,
            };
            shots.note(index, join(index - 1), join(index + 1));
            known.insert(index);
            let score = ((index * 7919) % 101) as f64;
            let open = ((index * 53) % 97) as f32 * 0.01;
            let candidate = Candidate {
                score,
                identity: vec![],
                frame: frame(index, score, open, ((index * 31) % 11) as f64 * 0.05),
            };
            shots.add(index, candidate, room(cells));
        }
        shots
    }

    /// First frame, reference, frames of the first second and of the whole shot.
    type Summary = (i64, i64, Vec<i64>, BTreeSet<i64>);

    fn summary(shots: &Shots) -> Vec<Summary> {
        let of = |shot: Shot<'_>| {
            (
                shot.range.start,
                shot.frames.reference().unwrap().frame.index,
                shot.frames.early().map(|frame| frame.index).collect(),
                shot.frames.all().map(|frame| frame.index).collect(),
            )
        };
        shots.all().map(of).collect()
    }

    #[test]
    fn each_shot_has_its_own_frames() {
        let shots = film(0..FRAMES, 1000);
        let all = summary(&shots);
        assert_eq!(all.iter().map(|s| s.0).collect::<Vec<_>>(), STARTS);
        for (number, (start, reference, early, cells)) in all.iter().enumerate() {
            let end = *STARTS.get(number + 1).unwrap_or(&FRAMES);
            assert!((*start..end.min(start + 25)).contains(reference));
            assert!(early.iter().all(|index| (*start..end).contains(index)));
            assert!(cells.iter().all(|index| (*start..end).contains(index)));
            assert!(!cells.is_empty());
        }
        assert_eq!(all[0].2, (0..25).collect::<Vec<_>>());
        assert_eq!(all[1].2, [70, 75]);
        let ranges = [0, 69, 70, 82, 83, 239, 9999].map(|at| shots.shot(at).unwrap().range.start);
        assert_eq!(ranges, [0, 0, 70, 80, 83, 190, 190]);
    }

    #[test]
    fn what_is_held_does_not_depend_on_the_order() {
        for cells in [0, 3, 40, 1000] {
            let expected = summary(&film(0..FRAMES, cells));
            assert_eq!(summary(&film((0..FRAMES).rev(), cells)), expected);
            // As several threads add them.
            let pieces = (0..FRAMES).map(|index| index / 8 * 8 + (index * 3) % 8);
            assert_eq!(summary(&film(pieces, cells)), expected);
            let halves = (FRAMES / 2..FRAMES).chain(0..FRAMES / 2);
            assert_eq!(summary(&film(halves, cells)), expected);
        }
        // Many gaps: cuts and references are found all the same.
        let starts = |shots: &Shots| shots.all().map(|s| s.range.start).collect::<Vec<_>>();
        let scattered = film((0..FRAMES).map(|index| (index * 97) % FRAMES), 1000);
        assert_eq!(starts(&scattered), STARTS);
        let evens_first = (0..FRAMES).step_by(2).chain((1..FRAMES).step_by(2));
        let evens_first = film(evens_first, 1000);
        assert_eq!(starts(&evens_first), STARTS);
        assert!(evens_first.all().all(|s| s.frames.reference().is_some()));
    }

    #[test]
    fn the_room_is_shared_by_the_shots() {
        let counts = |cells: usize| -> Vec<usize> {
            let shots = film(0..FRAMES, cells);
            shots.all().map(|shot| shot.frames.cells()).collect()
        };
        assert_eq!(counts(0), [0; 5]);
        assert_eq!(counts(3), [1; 5]);
        // The short shots need less than their share.
        let whole = counts(1000);
        assert!(whole[2] == 3 && whole[0] > 30, "{whole:?}");
        let shared = counts(40);
        assert!(
            (36..=40).contains(&shared.iter().sum::<usize>()),
            "{shared:?}"
        );
        let most = shared.iter().copied().max().unwrap();
        let expected: Vec<usize> = whole.iter().map(|count| *count.min(&most)).collect();
        assert_eq!(shared, expected);
        let mut little = film(0..FRAMES, 40);
        let before: Vec<ShotKey> = little.all().map(|shot| shot.key).collect();
        little.limit(Room {
            first: 28,
            ..room(40)
        });
        let early = |shots: &Shots| -> Vec<usize> {
            shots.all().map(|s| s.frames.early().count()).collect()
        };
        assert_eq!(early(&little), [25, 2, 1, 0, 0]);
        let changed = little
            .all()
            .zip(before)
            .map(|(shot, before)| shot.key != before);
        assert_eq!(
            changed.collect::<Vec<_>>(),
            [false, false, false, true, true]
        );
        // They stay away, whatever comes later and in which order.
        for order in [[195, 200, 205], [205, 200, 195]] {
            for index in order {
                let candidate = Candidate {
                    score: 0.0,
                    identity: vec![],
                    frame: frame(index, 0.0, 0.0, 0.0),
                };
                little.add(index, candidate, room(40));
            }
            assert_eq!(early(&little), [25, 2, 1, 0, 0]);
        }
        // Of the shots that there is no room for, nothing is held.
        little.limit(Room {
            shots: 3,
            ..room(40)
        });
        let held = little.all().map(|shot| shot.frames.pictures().count() > 0);
        assert_eq!(held.collect::<Vec<_>>(), [true, true, true, false, false]);
    }

    #[test]
    fn shots_that_are_over_are_forgotten() {
        let mut shots = film(0..FRAMES, 0);
        shots.forget_before(84);
        let all = summary(&shots);
        assert_eq!(all.iter().map(|s| s.0).collect::<Vec<_>>(), [83, 190]);
        shots.release();
        assert_eq!(shots.held().pictures, 0);
    }

    #[test]
    fn a_film_of_many_cuts_holds_a_bounded_number_of_pictures() {
        let mut shots = Shots::default();
        let room = Room::within(None);
        for index in 0..3000 {
            shots.note(index, Join::Cut, Join::Unknown);
            let candidate = Candidate {
                score: 1.0,
                identity: vec![],
                frame: frame(index, 1.0, 0.0, 0.0),
            };
            shots.add(index, candidate, room);
        }
        assert_eq!(shots.all().count(), 3000);
        assert_eq!(shots.held().pictures, room.shots);
        assert!(shots.shot(5).unwrap().frames.reference().is_some());
        assert!(shots.shot(2500).unwrap().frames.reference().is_none());
    }
}

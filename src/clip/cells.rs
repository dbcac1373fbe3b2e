//! The best frame of each kind of mouth and pose, in bounded memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::bank_frame::{BankFrame, PICTURE_BYTES};
use super::mouth_pose::Cell;
use crate::face::crop::IMAGE;
use crate::frame::detail::most_bytes;

/// The most frames held while frames are analysed.
const MOST: usize = 96;
/// The most frames of first seconds that are held, of all shots together.
const MOST_FIRST: usize = 256;
/// The most shots of which pictures are held. A longer film has to be analysed in parts.
const MOST_SHOTS: usize = 1000;

/// How many pictures may be held: a function of the clip's memory limit, so that what is held does not
/// depend on the order of calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Room {
    /// Cells.
    pub cells: usize,
    /// Cells of each shot, however many there are.
    pub cells_of_each_shot: usize,
    /// Pictures of the first seconds of all shots.
    pub first: usize,
    /// Shots of which there are pictures.
    pub shots: usize,
    /// The most bytes of a picture.
    pub picture_bytes: usize,
}

impl Room {
    /// No bank: the reference alone.
    pub const NONE: Self = Self {
        cells: 0,
        cells_of_each_shot: 0,
        first: 0,
        shots: 1,
        picture_bytes: PICTURE_BYTES,
    };

    /// At most a quarter of the memory, half of that for the first second. Pictures have a fine band where
    /// all of them have room for one.
    pub fn within(memory: Option<u64>) -> Self {
        let most = |picture_bytes: usize| {
            memory.map_or(usize::MAX, |bytes| {
                usize::try_from(bytes / 8).unwrap_or(usize::MAX) / picture_bytes
            })
        };
        let detailed = PICTURE_BYTES + most_bytes(IMAGE);
        let picture_bytes = if most(detailed) >= MOST {
            detailed
        } else {
            PICTURE_BYTES
        };
        let pictures = most(picture_bytes);
        Self {
            cells: pictures.min(MOST),
            cells_of_each_shot: usize::from(pictures >= MOST),
            first: pictures.min(MOST_FIRST),
            shots: pictures.clamp(1, MOST_SHOTS),
            picture_bytes,
        }
    }

    /// Whether pictures have a fine band.
    pub fn detailed(&self) -> bool {
        self.picture_bytes > PICTURE_BYTES
    }
}

/// Frames by the cell that they lie in. What is held is a function of the set of frames added, not of
/// their order: of each cell the frame of the highest quality, and of too many cells those that come
/// first in an order of their own. A cell that was dropped never comes back, so no frame that belongs
/// here was missed.
#[derive(Clone, Debug, Default)]
pub(super) struct Cells(BTreeMap<(u64, Cell), Arc<BankFrame>>);

impl Cells {
    /// Adds a frame, where at most `most` are to be held.
    pub fn add(&mut self, frame: &Arc<BankFrame>, most: usize) {
        let cell = frame.mouth.cell();
        let key = (order(cell), cell);
        let better = |held: &Arc<BankFrame>| {
            let by_quality = frame.quality.total_cmp(&held.quality);
            by_quality.then(held.index.cmp(&frame.index)).is_gt()
        };
        if self.0.get(&key).is_none_or(better) {
            self.0.insert(key, frame.clone());
        }
        self.keep(most);
    }

    /// Holds at most `most` frames.
    pub fn keep(&mut self, most: usize) {
        while self.0.len() > most {
            self.0.pop_last();
        }
    }

    /// The frames from `at` on, which are another shot's.
    pub fn split_off(&mut self, at: i64) -> Self {
        Self(
            self.0
                .extract_if(.., |_, frame| frame.index >= at)
                .collect(),
        )
    }

    /// Frames held.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The frames, in an order that depends on them alone.
    pub fn frames(&self) -> impl Iterator<Item = &Arc<BankFrame>> {
        self.0.values()
    }
}

/// A number without a pattern (the finaliser of SplitMix64), so that the cells that are held are spread
/// over all of them.
fn order(cell: Cell) -> u64 {
    cell.iter().fold(0, |state: u64, step| {
        let z = (state ^ u64::from(step.cast_unsigned())).wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    })
}

#[cfg(test)]
mod tests {
    use super::super::bank_frame::tests::frame;
    use super::*;

    fn held(order: impl Iterator<Item = i64>, most: usize) -> Vec<i64> {
        let mut cells = Cells::default();
        for index in order {
            let open = (index % 17) as f32 * 0.1;
            let yaw = (index % 5) as f64 * 0.2 - 0.4;
            cells.add(
                &frame(index, ((index * 7919) % 101) as f64, open, yaw),
                most,
            );
            assert!(cells.0.len() <= most);
        }
        cells.frames().map(|frame| frame.index).collect()
    }

    #[test]
    fn what_is_held_does_not_depend_on_the_order() {
        for most in [0, 1, 10, 40, 1000] {
            let expected = held(0..300, most);
            assert_eq!(expected.is_empty(), most == 0);
            assert_eq!(held((0..300).rev(), most), expected);
            assert_eq!(held((0..300).map(|k| (k * 37) % 300), most), expected);
        }
        let all = held(0..300, 1000);
        assert!(all.len() > 40 && all.len() < 100, "{}", all.len());
    }

    #[test]
    fn the_best_of_a_cell_is_held_and_the_earliest_of_equals() {
        let mut cells = Cells::default();
        for (index, quality) in [(5, 1.0), (3, 1.0), (9, 1.0), (7, 0.5)] {
            cells.add(&frame(index, quality, 0.1, 0.0), 8);
        }
        assert_eq!(cells.frames().map(|f| f.index).collect::<Vec<_>>(), [3]);
        cells.add(&frame(20, 2.0, 0.1, 0.0), 8);
        assert_eq!(cells.frames().map(|f| f.index).collect::<Vec<_>>(), [20]);
    }

    #[test]
    fn the_room_follows_the_limit() {
        let whole = Room::within(None);
        assert_eq!((whole.cells, whole.first, whole.shots), (MOST, 256, 1000));
        assert_eq!(Room::within(Some(0)), Room::NONE);
        let megabytes = Room::within(Some(32 << 20));
        assert_eq!((megabytes.cells, megabytes.first), (16, 16));
        assert!(whole.detailed() && !megabytes.detailed());
        // 8 times 96 pictures of 256 + 640 KiB.
        assert!(Room::within(Some(688_128 << 10)).detailed());
        let less = Room::within(Some((688_128 << 10) - 1));
        assert_eq!((less.cells, less.detailed()), (MOST, false));
    }
}

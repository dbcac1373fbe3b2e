//! The set of frames that were changed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Frames of a block: one bit each.
const BLOCK: i64 = 512;

/// The most ranges that a report lists.
const MOST_RANGES: usize = 1000;

/// A set of frame indices: one bit a frame, so that an hour of video takes about 11 KiB whatever the
/// order in which its frames are rendered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FrameSet {
    blocks: BTreeMap<i64, [u64; 8]>,
}

impl FrameSet {
    /// Adds a frame.
    pub fn insert(&mut self, index: i64) {
        let bit = index.rem_euclid(BLOCK) as usize;
        let block = self.blocks.entry(index.div_euclid(BLOCK)).or_default();
        block[bit / 64] |= 1 << (bit % 64);
    }

    /// Removes all frames.
    pub fn clear(&mut self) {
        self.blocks.clear();
    }

    /// The frames in rising order.
    fn iter(&self) -> impl Iterator<Item = i64> {
        self.blocks.iter().flat_map(|(number, bits)| {
            let first = number * BLOCK;
            let is_set = |bit: &i64| bits[*bit as usize / 64] >> (bit % 64) & 1 == 1;
            (0..BLOCK).filter(is_set).map(move |bit| first + bit)
        })
    }

    /// The frames as ranges, both ends included, in rising order and apart from each other.
    pub fn ranges(&self) -> Vec<[i64; 2]> {
        let mut ranges: Vec<[i64; 2]> = Vec::new();
        for index in self.iter() {
            match ranges.last_mut() {
                Some([_, last]) if *last + 1 == index => *last = index,
                _ => ranges.push([index, index]),
            }
        }
        ranges
    }

    /// What a report states of these frames. Of more than 1000 ranges those with the smallest gaps
    /// between them are joined, so that no changed frame is left out.
    pub fn report(&self) -> FramesReport {
        let ranges = self.ranges();
        let count = |ranges: &[[i64; 2]]| {
            let length = |[first, last]: &[i64; 2]| last.abs_diff(*first) + 1;
            ranges.iter().map(length).sum()
        };
        FramesReport {
            first: None,
            count: None,
            changed_count: count(&ranges),
            exact: ranges.len() <= MOST_RANGES,
            changed: joined(ranges, MOST_RANGES),
        }
    }
}

/// At most `most` ranges that contain all of `ranges`. It is a function of the set alone.
fn joined(ranges: Vec<[i64; 2]>, most: usize) -> Vec<[i64; 2]> {
    let surplus = ranges.len().saturating_sub(most);
    let mut gaps: Vec<(u64, usize)> = ranges
        .windows(2)
        .enumerate()
        .map(|(at, pair)| (pair[0][1].abs_diff(pair[1][0]), at + 1))
        .collect();
    gaps.sort_unstable();
    let mut joins = vec![false; ranges.len()];
    for (_, at) in &gaps[..surplus] {
        joins[*at] = true;
    }
    let mut kept: Vec<[i64; 2]> = Vec::new();
    for (range, join) in ranges.into_iter().zip(joins) {
        match kept.last_mut() {
            Some(last) if join => last[1] = range[1],
            _ => kept.push(range),
        }
    }
    kept
}

/// Which frames were changed, by their indices in the clip.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FramesReport {
    /// Index in the clip of the first frame of the file, where a file was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<i64>,
    /// Frames of that file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// Ranges of changed frames, both ends included, in rising order: frames of which at least one
    /// pixel may differ from the source.
    pub changed: Vec<[i64; 2]>,
    /// How many frames were changed.
    pub changed_count: u64,
    /// Whether `changed` holds no other frames than these: false where more than 1000 ranges were joined.
    pub exact: bool,
}

impl FramesReport {
    /// States that these are the frames of a file with `count` frames.
    ///
    /// # Errors
    /// A sentence when they cannot be: the report is of another number of frames, or its ranges lie outside.
    pub fn fit(&mut self, count: u64) -> Result<(), String> {
        if let Some(stated) = self.count.filter(|stated| *stated != count) {
            return Err(format!(
                "frames.count: the report is of {stated} frames, the file has {count}"
            ));
        }
        let lowest = self.changed.first().map_or(0, |range| range[0]);
        // An effect's report does not know where the exported file begins in the clip.
        if self.first.is_none() && lowest >= 0 && lowest.unsigned_abs() < count {
            self.first = Some(0);
        }
        let highest = self.changed.last().map_or(lowest, |range| range[1]);
        let first = self.first.unwrap_or(lowest);
        let fitted = Self {
            first: Some(first),
            count: Some(count),
            ..self.clone()
        };
        if let Some(fault) = fitted.fault() {
            return Err(fault);
        }
        if highest.abs_diff(lowest) >= count {
            return Err(format!(
                "frames.changed: {lowest} to {highest} are more frames than the file's {count}"
            ));
        }
        *self = fitted;
        Ok(())
    }

    /// The frames of several reports of one clip.
    ///
    /// # Errors
    /// A sentence when they do not follow each other.
    pub(super) fn merged(reports: &[&Self]) -> Result<Self, String> {
        let mut pieces: Vec<(i64, u64)> = reports
            .iter()
            .filter_map(|report| Some((report.first?, report.count?)))
            .collect();
        let (first, count) = match pieces.len() {
            0 => (None, None),
            all if all == reports.len() => {
                pieces.sort_unstable();
                let end = |(first, count): (i64, u64)| first.checked_add_unsigned(count);
                if let Some(pair) = pieces.windows(2).find(|p| end(p[0]) != Some(p[1].0)) {
                    return Err(format!(
                        "frames.first: no report begins where the one of the frames from {} on ends",
                        pair[0].0
                    ));
                }
                let count = pieces.iter().map(|(_, count)| count).sum();
                (Some(pieces[0].0), Some(count))
            }
            _ => return Err("frames.count: some reports state it, others do not".into()),
        };
        let mut ranges: Vec<[i64; 2]> = reports
            .iter()
            .flat_map(|report| &report.changed)
            .copied()
            .collect();
        ranges.sort_unstable();
        let mut union: Vec<[i64; 2]> = Vec::new();
        for range in ranges {
            match union.last_mut() {
                Some(last) if range[0] <= last[1].saturating_add(1) => {
                    last[1] = last[1].max(range[1])
                }
                _ => union.push(range),
            }
        }
        let exact = reports.iter().all(|report| report.exact) && union.len() <= MOST_RANGES;
        let listed = union.iter().map(|[a, b]| b.abs_diff(*a) + 1).sum();
        let stated = reports.iter().map(|report| report.changed_count).sum();
        Ok(Self {
            first,
            count,
            changed_count: if exact { listed } else { listed.min(stated) },
            exact,
            changed: joined(union, MOST_RANGES),
        })
    }

    /// Why these ranges cannot be true, with the name of the field.
    pub(super) fn fault(&self) -> Option<String> {
        let changed = &self.changed;
        if changed.len() > MOST_RANGES {
            return Some(format!("frames.changed: {} ranges", changed.len()));
        }
        if let Some([first, last]) = changed.iter().find(|[first, last]| first > last) {
            return Some(format!("frames.changed: {first} is after {last}"));
        }
        if let Some(pair) = changed.windows(2).find(|pair| pair[0][1] >= pair[1][0]) {
            let [[_, end], [start, _]] = [pair[0], pair[1]];
            return Some(format!(
                "frames.changed: {start} follows {end}, out of order"
            ));
        }
        let length = |[first, last]: &[i64; 2]| u128::from(last.abs_diff(*first)) + 1;
        let listed: u128 = changed.iter().map(length).sum();
        let stated = u128::from(self.changed_count);
        if stated > listed || (self.exact && stated < listed) {
            return Some(format!(
                "frames.changed_count: {stated}, but the ranges hold {listed} frames"
            ));
        }
        let (Some(count), Some([lowest, _]), Some([_, highest])) =
            (self.count, changed.first(), changed.last())
        else {
            return None;
        };
        let first = i128::from(self.first.unwrap_or(0));
        let end = first + i128::from(count);
        let inside = first <= i128::from(*lowest) && i128::from(*highest) < end;
        (!inside).then(|| {
            format!(
                "frames.changed: {lowest} to {highest} is not within the file's frames {first} to {}",
                end - 1
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_do_not_depend_on_the_order() {
        let indices = [5, 6, 7, -1, 0, 511, 512, 513, 4096];
        let wanted = [[-1, 0], [5, 7], [511, 513], [4096, 4096]];
        let (mut forwards, mut backwards) = (FrameSet::default(), FrameSet::default());
        indices.iter().for_each(|index| forwards.insert(*index));
        let twice = indices.iter().chain(&indices);
        twice.rev().for_each(|index| backwards.insert(*index));
        assert_eq!(forwards.ranges(), wanted);
        assert_eq!(forwards, backwards);
        let report = forwards.report();
        assert_eq!((report.changed_count, report.exact), (9, true));
        assert_eq!(FrameSet::default().report().changed, [[0; 2]; 0]);
    }

    #[test]
    fn a_report_of_many_ranges_is_bounded_and_leaves_none_out() {
        let mut set = FrameSet::default();
        // Every second frame, and one gap of 100 frames that must stay.
        (0..3000).for_each(|k| set.insert(2 * k + if k < 1500 { 0 } else { 100 }));
        let report = set.report();
        assert_eq!(report.changed.len(), MOST_RANGES);
        assert_eq!((report.changed_count, report.exact), (3000, false));
        let within = |index: i64| {
            report
                .changed
                .iter()
                .any(|r| r[0] <= index && index <= r[1])
        };
        assert!(set.iter().all(within));
        assert!(!within(2 * 1499 + 50));
        assert_eq!(report.fault(), None);
    }

    #[test]
    fn the_outermost_indices_are_held() {
        let mut set = FrameSet::default();
        set.insert(i64::MIN);
        set.insert(i64::MAX);
        let [low, high] = [i64::MIN, i64::MAX];
        assert_eq!(set.ranges(), [[low, low], [high, high]]);
        assert_eq!(set.report().changed_count, 2);
    }
}

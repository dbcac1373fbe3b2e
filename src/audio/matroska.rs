//! The end of Matroska audio, which symphonia does not read: encoders fill the last packet, and declare it here.

use std::io::{BufReader, Read, Seek, SeekFrom};

const SEGMENT: u64 = 0x1853_8067;
const CLUSTER: u64 = 0x1F43_B675;
const BLOCK_GROUP: u64 = 0xA0;
const BLOCK: u64 = 0xA1;
const DISCARD_PADDING: u64 = 0x75A2;
/// Elements that are looked at; hours of film have some thousands.
const MOST_ELEMENTS: usize = 1 << 20;

/// Seconds at the end of the track that are not to be heard; 0 where the file does not say.
pub(super) fn end_padding(file: impl Read + Seek, track: u32) -> f64 {
    find(&mut BufReader::new(file), track).map_or(0.0, |nanoseconds| nanoseconds as f64 / 1e9)
}

/// An element's name and its payload.
struct Element {
    id: u64,
    start: u64,
    end: u64,
}

fn find(file: &mut (impl Read + Seek), track: u32) -> Option<u64> {
    let length = file.seek(SeekFrom::End(0)).ok()?;
    let whole = Element {
        id: 0,
        start: 0,
        end: length,
    };
    let segment = last(file, &whole, SEGMENT)?;
    let cluster = last(file, &segment, CLUSTER)?;
    let mut padding = None;
    for group in elements(file, &cluster, BLOCK_GROUP) {
        let block = last(file, &group, BLOCK)?;
        if number(file, block.start, false)?.0 == u64::from(track) {
            padding = last(file, &group, DISCARD_PADDING).map(|found| (found.start, found.end));
        }
    }
    let (start, end) = padding?;
    let mut bytes = [0; 8];
    let count = usize::try_from(end - start).ok().filter(|&n| n <= 8)?;
    file.seek(SeekFrom::Start(start)).ok()?;
    file.read_exact(&mut bytes[8 - count..]).ok()?;
    // A negative value is none.
    let negative = count > 0 && bytes[8 - count] >= 0x80;
    Some(if negative {
        0
    } else {
        u64::from_be_bytes(bytes)
    })
}

fn last(file: &mut (impl Read + Seek), parent: &Element, id: u64) -> Option<Element> {
    elements(file, parent, id).pop()
}

/// The children with a name. Lists end at the first that is damaged, or whose length is not known.
fn elements(file: &mut (impl Read + Seek), parent: &Element, id: u64) -> Vec<Element> {
    let (mut found, mut at) = (Vec::new(), parent.start);
    for _ in 0..MOST_ELEMENTS {
        let Some(element) = element(file, at, parent.end) else {
            break;
        };
        at = element.end;
        if element.id == id {
            found.push(element);
        }
    }
    found
}

fn element(file: &mut (impl Read + Seek), at: u64, end: u64) -> Option<Element> {
    let (id, after) = number(file, at, true)?;
    let (size, start) = number(file, after, false)?;
    Some(Element {
        id,
        start,
        end: start.checked_add(size).filter(|&last| last <= end)?,
    })
}

/// A number of variable length, and the position behind it. Names keep the bits that state their length.
fn number(file: &mut (impl Read + Seek), at: u64, name: bool) -> Option<(u64, u64)> {
    file.seek(SeekFrom::Start(at)).ok()?;
    let mut bytes = [0; 8];
    file.read_exact(&mut bytes[..1]).ok()?;
    let count = bytes[0].leading_zeros() as usize + 1;
    file.read_exact(bytes.get_mut(1..count)?).ok()?;
    let value = u64::from_be_bytes(bytes) >> (64 - 8 * count);
    let bits = u64::MAX >> (64 - 7 * count);
    Some((if name { value } else { value & bits }, at + count as u64))
}

//! Raw frames with time stamps and HDR metadata, as ffmpeg reads them from a pipe: a Matroska stream of
//! uncompressed frames (RFC 9559). ffmpeg's own raw video has neither.

use crate::movie::hdr::StaticMetadata;
use crate::movie::timing::Times;
use crate::picture::{Depth, Layout};
use crate::rate::FrameRate;

/// Bytes of a frame that ffmpeg's Matroska reader takes, less the block's own head.
pub const MOST_BYTES: usize = 0x1000_0000 - 16;

/// The size field of an element that goes on to the end of the stream.
const UNKNOWN_SIZE: [u8; 8] = [1, 255, 255, 255, 255, 255, 255, 255];
/// Every size and number is written in eight bytes.
const LONG_SIZE: u64 = 1 << 56;

/// The heads of a movie's frames, one after the other.
pub struct Packets {
    /// The head of the stream, before the first frame.
    stream: Vec<u8>,
    times: Option<Times>,
    rate: FrameRate,
    first: u64,
    next: u64,
}

impl Packets {
    /// Frames from `first` on, at their own times or else at a constant rate.
    pub fn new(
        layout: &Layout,
        hdr: &StaticMetadata,
        rate: FrameRate,
        times: Option<Times>,
        first: u64,
    ) -> Self {
        Self {
            stream: head(layout, hdr),
            times,
            rate,
            first,
            next: first,
        }
    }

    /// What comes before the next frame, of that many bytes.
    pub fn head(&mut self, bytes: usize) -> Vec<u8> {
        let time = match &self.times {
            Some(times) => times.nanoseconds(self.next, self.first),
            None => (self.rate.seconds(self.next - self.first) * 1e9).round() as u64,
        };
        self.next += 1;
        let mut head = std::mem::take(&mut self.stream);
        head.extend(frame_head(time, bytes));
        head
    }
}

/// What comes before the first frame.
fn head(layout: &Layout, hdr: &StaticMetadata) -> Vec<u8> {
    // ffmpeg's own codes of its pixel formats.
    let pixels: &[u8] = match layout.depth {
        Depth::Eight => b"RGBA",
        Depth::Sixteen | Depth::Float if cfg!(target_endian = "big") => b"\x40RBA",
        Depth::Sixteen | Depth::Float => b"RBA\x40",
    };
    let video = [
        number(0xb0, layout.width.into()),
        number(0xba, layout.height.into()),
        element(0x2e_b524, pixels),
        colour(hdr),
    ]
    .concat();
    let track = [
        number(0xd7, 1),
        number(0x73c5, 1),
        number(0x83, 1),
        number(0x9c, 0),
        element(0x86, b"V_UNCOMPRESSED"),
        element(0xe0, &video),
    ]
    .concat();
    let document = [
        number(0x4286, 1),
        number(0x42f7, 1),
        number(0x42f2, 4),
        number(0x42f3, 8),
        element(0x4282, b"matroska"),
        number(0x4287, 4),
        number(0x4285, 2),
    ]
    .concat();
    let information = [
        // Time stamps count nanoseconds.
        number(0x2a_d7b1, 1),
        element(0x4d80, b"stylelipsync"),
        element(0x5741, b"stylelipsync"),
    ]
    .concat();
    [
        element(0x1a45_dfa3, &document),
        id(0x1853_8067),
        UNKNOWN_SIZE.to_vec(),
        element(0x1549_a966, &information),
        element(0x1654_ae6b, &element(0xae, &track)),
    ]
    .concat()
}

/// What comes before the `bytes` of a frame: a cluster of its own, since times within a cluster have 16 bits.
fn frame_head(nanoseconds: u64, bytes: usize) -> Vec<u8> {
    let time = number(0xe7, nanoseconds);
    let block = bytes as u64 + 4;
    let mut head = id(0x1f43_b675);
    head.extend((LONG_SIZE | (time.len() as u64 + 1 + 8 + block)).to_be_bytes());
    head.extend(time);
    head.push(0xa3);
    head.extend((LONG_SIZE | block).to_be_bytes());
    // Track 1, at the cluster's time, a key frame.
    head.extend([0x81, 0, 0, 0x80]);
    head
}

fn colour(hdr: &StaticMetadata) -> Vec<u8> {
    if hdr.is_empty() {
        return Vec::new();
    }
    let mut colour = Vec::new();
    if let Some(light) = hdr.light {
        colour.extend(number(0x55bc, light.content.into()));
        colour.extend(number(0x55bd, light.average.into()));
    }
    if let Some(mastering) = hdr.mastering {
        let [low, high] = mastering.luminance;
        let chromaticities = mastering.chromaticities.as_flattened();
        let values: Vec<u8> = (0x55d1..)
            .zip(chromaticities.iter().chain(&[high, low]))
            .flat_map(|(code, value)| element(code, &value.to_be_bytes()))
            .collect();
        colour.extend(element(0x55d0, &values));
    }
    element(0x55b0, &colour)
}

fn element(code: u32, content: &[u8]) -> Vec<u8> {
    let size = (LONG_SIZE | content.len() as u64).to_be_bytes();
    [&id(code), &size[..], content].concat()
}

fn number(code: u32, value: u64) -> Vec<u8> {
    element(code, &value.to_be_bytes())
}

/// The code without its leading zeros.
fn id(code: u32) -> Vec<u8> {
    let bytes = code.to_be_bytes();
    bytes[code.leading_zeros() as usize / 8..].to_vec()
}

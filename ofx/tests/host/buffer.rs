//! Pixel memory, filled with a known pattern and surrounded by guard bytes with the same pattern.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::ops::Range;
use std::ptr::NonNull;
use std::slice;
use std::sync::atomic::{AtomicU64, Ordering};

use super::image::{Components, Depth, Rect};

/// More than a row of most test images, so that a slip by a whole row is caught too.
const GUARD: usize = 4096;
const ALIGNMENT: usize = 64;

/// How the pixels of one image lie in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Format {
    pub bounds: Rect,
    pub depth: Depth,
    pub components: Components,
    /// Bytes after each row that belong to nobody.
    pub padding: usize,
    /// The first row of the image, its bottom one, lies last in memory.
    pub negative_rows: bool,
}

impl Format {
    pub fn pixel_bytes(&self) -> usize {
        self.depth.bytes() * self.components.channels().len()
    }

    fn row_used(&self) -> usize {
        self.bounds.width() * self.pixel_bytes()
    }

    fn stride(&self) -> usize {
        self.row_used() + self.padding
    }

    pub fn row_bytes(&self) -> i32 {
        let stride = self.stride() as i32;
        if self.negative_rows { -stride } else { stride }
    }
}

/// An allocation the plugin writes through a raw pointer; the host reads it between the writes.
pub(super) struct Buffer {
    pub format: Format,
    memory: NonNull<u8>,
    length: usize,
    /// From the start of the memory to the first row in it. Off the alignment of everything but a
    /// component, because that is all hosts promise.
    offset: usize,
    seed: u64,
}

// SAFETY: the memory is owned and only reached through raw pointers. The host reads or fills it
// before the plugin knows the address and after it gave the image back; a plugin that writes at any
// other time is the fault looked for.
unsafe impl Send for Buffer {}
// SAFETY: as above.
unsafe impl Sync for Buffer {}

impl Drop for Buffer {
    fn drop(&mut self) {
        // SAFETY: allocated in `new` with this very layout.
        unsafe { dealloc(self.memory.as_ptr(), Buffer::layout(self.length)) };
    }
}

impl Buffer {
    /// Filled with a pattern of its own throughout.
    pub fn new(format: Format) -> Buffer {
        static SEED: AtomicU64 = AtomicU64::new(1);
        let size = format.depth.bytes();
        assert!(
            format.padding.is_multiple_of(size),
            "padding breaks the alignment of components"
        );
        let offset = GUARD + size;
        let length = offset + format.stride() * format.bounds.height() + GUARD;
        let layout = Buffer::layout(length);
        // SAFETY: the length is never zero, because of the guards.
        let memory = unsafe { alloc_zeroed(layout) };
        let memory = NonNull::new(memory).unwrap_or_else(|| handle_alloc_error(layout));
        let seed = SEED.fetch_add(1, Ordering::Relaxed);
        let buffer = Buffer {
            format,
            memory,
            length,
            offset,
            seed,
        };
        buffer.spoil();
        buffer
    }

    fn layout(length: usize) -> Layout {
        Layout::from_size_align(length, ALIGNMENT).expect("an image of a sane size")
    }

    /// The pattern: a hash of the place, so that no pixel loop writes it by chance.
    fn canary(&self, word: usize) -> [u8; 8] {
        let mut hash = (self.seed << 40) ^ word as u64;
        hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (hash ^ (hash >> 31)).to_le_bytes()
    }

    /// The first byte of `range` that is not the pattern.
    fn foreign(&self, range: Range<usize>) -> Option<usize> {
        let bytes = self.bytes();
        let mut from = range.start;
        while from < range.end {
            let word = from / 8;
            let to = range.end.min((word + 1) * 8);
            let (here, expected) = (&bytes[from..to], &self.canary(word)[from % 8..]);
            if let Some(at) = here.iter().zip(expected).position(|(a, b)| a != b) {
                return Some(from + at);
            }
            from = to;
        }
        None
    }

    /// All of the memory, guards included.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: the whole allocation was initialised in `new`.
        unsafe { slice::from_raw_parts(self.memory.as_ptr(), self.length) }
    }

    /// What OpenFX calls the data pointer: the bottom left pixel.
    pub fn data(&self) -> usize {
        let first = self.format.bounds.y1;
        if self.format.bounds.height() == 0 {
            return self.memory.as_ptr() as usize + self.offset;
        }
        self.memory.as_ptr() as usize + self.row_start(first)
    }

    /// The offset of row `y` of the bounds.
    fn row_start(&self, y: i32) -> usize {
        let bounds = self.format.bounds;
        let from_bottom = (y - bounds.y1) as usize;
        let line = if self.format.negative_rows {
            bounds.height() - 1 - from_bottom
        } else {
            from_bottom
        };
        self.offset + line * self.format.stride()
    }

    /// Where the pixels of `window` in row `y` are.
    fn span(&self, window: Rect, y: i32) -> Range<usize> {
        let pixel = self.format.pixel_bytes();
        let left = (window.x1 - self.format.bounds.x1) as usize * pixel;
        let start = self.row_start(y) + left;
        start..start + window.width() * pixel
    }

    /// Stores an image given as rows from the top down without padding.
    pub fn store(&self, rows: &[u8]) {
        let bounds = self.format.bounds;
        let used = self.format.row_used();
        for (line, y) in (bounds.y1..bounds.y2).rev().enumerate() {
            let row = &rows[line * used..][..used];
            // SAFETY: `row_start` is the start of `used` bytes within the allocation.
            unsafe {
                self.memory
                    .add(self.row_start(y))
                    .copy_from_nonoverlapping(NonNull::from(row).cast(), used);
            }
        }
    }

    /// The rows of `window` from the top down without padding.
    pub fn rows(&self, window: Rect) -> Vec<u8> {
        let bytes = self.bytes();
        let rows = (window.y1..window.y2).rev();
        rows.flat_map(|y| bytes[self.span(window, y)].iter().copied())
            .collect()
    }

    /// Overwrites everything with the pattern, so that what is read from here on is garbage.
    pub fn spoil(&self) {
        // SAFETY: within the allocation; the plugin does not have the address yet, or no longer.
        let bytes = unsafe { slice::from_raw_parts_mut(self.memory.as_ptr(), self.length) };
        for (word, bytes) in bytes.chunks_mut(8).enumerate() {
            bytes.copy_from_slice(&self.canary(word)[..bytes.len()]);
        }
    }

    /// The first byte that is not the pattern although nothing but the rows `written` of `window` may be
    /// written.
    pub fn stray_write(&self, window: Rect, written: &[i32]) -> Option<String> {
        let mut allowed: Vec<Range<usize>> =
            written.iter().map(|y| self.span(window, *y)).collect();
        allowed.sort_by_key(|span| span.start);
        let mut from = 0;
        for span in allowed
            .into_iter()
            .chain(std::iter::once(self.length..self.length))
        {
            if let Some(at) = self.foreign(from..span.start) {
                return Some(self.place(at));
            }
            from = span.end;
        }
        None
    }

    /// The first place in the rows `written` of `window` that still has the pattern. A single small pixel may have its
    /// value by chance; eight bytes, or a whole shorter row, do not.
    pub fn unwritten(&self, window: Rect, written: &[i32]) -> Option<String> {
        let bytes = self.bytes();
        for y in written {
            let span = self.span(window, *y);
            let mut words = span.start.div_ceil(8)..span.end / 8;
            let found = if words.is_empty() {
                let none_foreign = !span.is_empty() && self.foreign(span.clone()).is_none();
                none_foreign.then_some(span.start)
            } else {
                let unwritten = |&word: &usize| bytes[word * 8..][..8] == self.canary(word);
                words.find(unwritten).map(|word| word * 8)
            };
            if let Some(at) = found {
                return Some(self.place(at));
            }
        }
        None
    }

    /// The first byte in which the memory differs from `before`.
    pub fn changed_since(&self, before: &[u8]) -> Option<String> {
        let now = self.bytes();
        if now == before {
            return None;
        }
        let at = now.iter().zip(before).position(|(now, then)| now != then)?;
        Some(self.place(at))
    }

    /// A byte's place in words.
    fn place(&self, at: usize) -> String {
        let format = &self.format;
        let used = format.stride() * format.bounds.height();
        if at < self.offset {
            return format!("{} bytes before the image", self.offset - at);
        }
        if at >= self.offset + used {
            return format!("{} bytes after the image", at - self.offset - used);
        }
        let line = (at - self.offset) / format.stride();
        let column = (at - self.offset) % format.stride();
        let up = if format.negative_rows {
            format.bounds.height() - 1 - line
        } else {
            line
        };
        let y = format.bounds.y1 + up as i32;
        if column >= format.row_used() {
            return format!("the padding after row y={y}");
        }
        let x = format.bounds.x1 + (column / format.pixel_bytes()) as i32;
        format!("pixel x={x} y={y}")
    }
}

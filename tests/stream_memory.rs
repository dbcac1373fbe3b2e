//! A stream's memory does not grow with its length: measured at the allocator, in a program with
//! this one test, so that no other test's memory is counted.

mod clip_support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use clip_support::*;
use stylelipsync::audio::Rate;
use stylelipsync::{Clip, ClipOptions, Timing};

const RATE: u32 = 16_000;

/// The system's allocator, which counts the bytes that are allocated and not freed.
struct Counting(AtomicUsize);

impl Counting {
    fn alive(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

// SAFETY: every call goes to `System` with the caller's own arguments; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.0.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps `alloc`'s contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        self.0.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps `dealloc`'s contract.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting(AtomicUsize::new(0));

/// What may be alive in addition, bytes. 600 frames hold 640 kB of audio and 700 MB of pixels.
const SLACK: usize = 128 << 10;

/// Faces are in the first half only, so that the cache of audio codes has stopped to grow in the
/// second.
fn has_face(index: usize) -> bool {
    index < 1000 && index % 150 == 75
}

#[test]
fn a_stream_of_thousands_of_frames_holds_no_more_than_one_of_a_hundred() {
    const FRAMES: usize = 2000;
    let face = head(1)[0].clone();
    let blank = Picture::blank(face.width, face.height);
    let options = ClipOptions {
        timing: Timing::Constant(Rate::new(60_000, 1001).unwrap()),
        ..ClipOptions::default()
    };
    let mut clip = Clip::new(engine(), options.clone()).unwrap();
    clip.set_reference(&face.view()).unwrap();
    let second = words(1.0, RATE);
    let (mut given, mut pushed) = (Vec::with_capacity(FRAMES), 0);
    let mut most = clip.memory_use();
    // The most bytes alive in frames 1200 to 1400, and in the last 200.
    let (mut early, mut late) = (0, 0);
    for index in 0..FRAMES {
        let frame = if has_face(index) { &face } else { &blank };
        clip.push_frame(&frame.view()).unwrap();
        let Timing::Constant(rate) = &options.timing else {
            unreachable!()
        };
        let until = rate.position(index as i64 + 1);
        while pushed < until {
            let from = pushed as usize % second.len();
            let count = ((until - pushed) as usize).min(second.len() - from);
            clip.push_audio(&second[from..from + count], RATE, 1)
                .unwrap();
            pushed += count as i64;
        }
        let mut shown = Vec::new();
        pull_ready(&mut clip, &mut shown);
        given.extend(
            shown
                .iter()
                .map(|shown| (shown.rendered.index, shown.rendered.changed)),
        );
        let held = clip.memory_use();
        most.codes = most.codes.max(held.codes);
        most.frames = most.frames.max(held.frames);
        most.tracks = most.tracks.max(held.tracks);
        most.audio = most.audio.max(held.audio);
        most.candidates = most.candidates.max(held.candidates);
        assert_eq!(held.analysed, 0);
        match index {
            1200..1400 => early = early.max(ALLOCATOR.alive()),
            1800.. => late = late.max(ALLOCATOR.alive()),
            _ => {}
        }
    }
    println!("{early} bytes alive, {late} after 600 frames more");
    assert!(late <= early + SLACK, "{early} bytes alive, then {late}");
    assert!(most.frames <= 20, "{most:?}");
    assert!(most.tracks <= most.frames + 3, "{most:?}");
    assert!(most.codes <= 256 && most.candidates <= 25, "{most:?}");
    assert!(most.audio <= 4 * RATE as usize, "{most:?}");
    clip.flush().unwrap();
    let mut shown = Vec::new();
    pull_ready(&mut clip, &mut shown);
    given.extend(
        shown
            .iter()
            .map(|shown| (shown.rendered.index, shown.rendered.changed)),
    );
    let expected: Vec<_> = (0..FRAMES).map(|k| (k as i64, has_face(k))).collect();
    assert_eq!(given, expected);
}

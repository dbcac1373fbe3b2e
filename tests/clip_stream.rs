//! What is promised of a stream: it says what it lacks, its look-ahead is small and stated, its
//! memory does not grow, and it can go back.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod clip_support;
mod live_memory;

use clip_support::*;
use live_memory::live_bytes;
use stylelipsync::audio::Rate;
use stylelipsync::{Clip, ClipOptions, Error, StreamNeed, Timing};

const RATE: u32 = 16_000;

fn clip() -> Clip {
    Clip::new(engine(), ClipOptions::default()).unwrap()
}

/// What the next pull lacks: "frames", "audio", "end" or nothing.
fn lacks(clip: &mut Clip, target: &mut Picture) -> &'static str {
    match clip.pull_frame(&mut target.view_mut()) {
        Ok(_) => "nothing",
        Err(Error::Again(StreamNeed::Frames)) => "frames",
        Err(Error::Again(StreamNeed::Audio)) => "audio",
        Err(Error::End) => "end",
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn the_look_ahead_is_what_it_says_and_at_most_six_frames() {
    let frames = head(10);
    let audio = words(1.0, RATE);
    let mut clip = clip();
    let ahead = clip.look_ahead();
    assert_eq!((ahead.frames, ahead.reference), (2, 25));
    // Samples of frames 0 to 6 are all that frame 0 needs at 25 frames a second.
    assert!(ahead.audio <= 7 * 640, "{}", ahead.audio);
    let mut target = frames[0].target();
    clip.set_reference(&frames[0].view()).unwrap();

    assert_eq!(lacks(&mut clip, &mut target), "frames");
    clip.push_frame(&frames[0].view()).unwrap();
    clip.push_frame(&frames[1].view()).unwrap();
    assert_eq!(lacks(&mut clip, &mut target), "frames");
    clip.push_frame(&frames[2].view()).unwrap();
    assert_eq!(lacks(&mut clip, &mut target), "audio");
    let (before, after) = audio.split_at(ahead.audio as usize - 1);
    clip.push_audio(before, RATE, 1).unwrap();
    assert_eq!(lacks(&mut clip, &mut target), "audio");
    clip.push_audio(&after[..1], RATE, 1).unwrap();
    assert_eq!(lacks(&mut clip, &mut target), "nothing");
    let provenance = clip.provenance();
    assert_eq!(provenance.frames.changed, [[0, 0]]);
    assert_eq!(provenance.audio.unwrap().samples_sha256, None);
    assert_eq!(lacks(&mut clip, &mut target), "frames");
    clip.push_frame(&frames[3].view()).unwrap();
    assert_eq!(lacks(&mut clip, &mut target), "audio");
    clip.finish_audio().unwrap();
    assert_eq!(lacks(&mut clip, &mut target), "nothing");
    assert!(matches!(
        clip.push_audio(after, RATE, 1),
        Err(Error::State(_))
    ));
    clip.flush().unwrap();
    assert_eq!(lacks(&mut clip, &mut target), "nothing");
    assert_eq!(lacks(&mut clip, &mut target), "nothing");
    assert_eq!(lacks(&mut clip, &mut target), "end");
    assert!(matches!(
        clip.push_frame(&frames[4].view()),
        Err(Error::State(_))
    ));
}

#[test]
fn without_a_reference_the_first_second_is_waited_for_once() {
    let frames = head(27);
    let mut clip = clip();
    clip.push_audio(&words(2.0, RATE), RATE, 1).unwrap();
    let mut target = frames[0].target();
    for frame in &frames[..24] {
        clip.push_frame(&frame.view()).unwrap();
        assert_eq!(lacks(&mut clip, &mut target), "frames");
    }
    clip.push_frame(&frames[24].view()).unwrap();
    for _ in 0..23 {
        assert_eq!(lacks(&mut clip, &mut target), "nothing");
    }
    assert_eq!(lacks(&mut clip, &mut target), "frames");
    clip.push_frame(&frames[25].view()).unwrap();
    assert_eq!(lacks(&mut clip, &mut target), "nothing");
}

/// What the stream holds on the heap is measured, not asked for. The first frames fill its buffers and
/// its cache of codes; from then on it must not grow.
#[test]
fn the_memory_of_a_stream_does_not_grow_with_its_length() {
    const FILLED: usize = 320;
    const FRAMES: usize = 720;
    // A frame with a face makes seven codes: the cache of 256 is full after 37 of them.
    const FACE_STEP: usize = 8;
    // Less than a frame's track without a face, if each were kept.
    const TOLERANCE: i64 = 16 << 10;
    let face = head(1)[0].clone();
    let blank = Picture::blank(face.width, face.height);
    let options = ClipOptions {
        timing: Timing::Constant(Rate::new(60_000, 1001).unwrap()),
        ..ClipOptions::default()
    };
    let Timing::Constant(rate) = options.timing.clone() else {
        unreachable!()
    };
    let second = words(1.0, RATE);
    let mut target = face.target();
    let mut rendered = Vec::with_capacity(FRAMES);
    let engine = engine();
    let empty = live_bytes();
    let mut clip = Clip::new(engine, options).unwrap();
    clip.set_reference(&face.view()).unwrap();
    let (mut pushed, mut filled, mut most) = (0, 0, 0);
    for index in 0..FRAMES {
        let has_face = index % FACE_STEP == FACE_STEP / 2;
        let frame = if has_face { &face } else { &blank };
        clip.push_frame(&frame.view()).unwrap();
        let until = rate.position(index as i64 + 1);
        while pushed < until {
            let from = pushed as usize % second.len();
            let count = ((until - pushed) as usize).min(second.len() - from);
            clip.push_audio(&second[from..from + count], RATE, 1)
                .unwrap();
            pushed += count as i64;
        }
        // What the clip says that it holds is a part of what it does hold.
        let (held, live) = (clip.memory_use(), live_bytes() - empty);
        assert!(held.bytes as i64 <= live, "{held:?}, {live} bytes");
        assert!(held.frames <= 20 && held.analysed == 0, "{held:?}");
        match index < FILLED {
            true => filled = live.max(filled),
            false => most = live.max(most),
        }
        while let Ok(frame) = clip.pull_frame(&mut target.view_mut()) {
            rendered.push((frame.index, frame.changed));
        }
    }
    assert_eq!(clip.memory_use().shapes, 256, "the cache of shapes is full");
    assert!(
        most <= filled + TOLERANCE,
        "{filled} bytes in the first {FILLED} frames, {most} bytes in the rest of {FRAMES}"
    );
    clip.flush().unwrap();
    while let Ok(frame) = clip.pull_frame(&mut target.view_mut()) {
        rendered.push((frame.index, frame.changed));
    }
    let expected: Vec<_> = (0..FRAMES)
        .map(|index| (index as i64, index % FACE_STEP == FACE_STEP / 2))
        .collect();
    assert_eq!(rendered, expected);
}

#[test]
fn frames_that_nobody_pulls_fill_the_stream_and_then_it_says_so() {
    let blank = Picture::blank(16, 16);
    let mut clip = clip();
    let mut held = 0;
    let full = loop {
        match clip.push_frame(&blank.view()) {
            Ok(index) => held = index + 1,
            Err(error) => break error,
        }
        assert!(held < 1000);
    };
    assert!(matches!(full, Error::Again(StreamNeed::Pull)), "{full}");
    assert_eq!(clip.memory_use().frames as i64, held);
    clip.push_audio(&vec![0.0; 16_000], RATE, 1).unwrap();
    clip.pull_frame(&mut Picture::blank(16, 16).view_mut())
        .unwrap();
    assert_eq!(clip.push_frame(&blank.view()).unwrap(), held);
}

#[test]
fn reset_begins_anew_and_seek_goes_on_elsewhere() {
    let frames = head(8);
    let audio = words(1.0, RATE);
    let mut whole = clip();
    whole.set_reference(&frames[0].view()).unwrap();
    whole.set_audio(&audio, RATE, 1).unwrap();
    let push_all = |clip: &mut Clip, from: usize| {
        let mut shown = Vec::new();
        for frame in &frames[from..] {
            clip.push_frame(&frame.view()).unwrap();
        }
        clip.flush().unwrap();
        pull_ready(clip, &mut shown);
        shown
    };
    let expected = push_all(&mut whole, 0);
    assert_eq!(expected.len(), 8);
    whole.reset();
    whole.push_frame(&frames[5].view()).unwrap();
    whole.reset();
    assert_same(&expected, &push_all(&mut whole, 0), "after reset");
    // From frame 4 on; frame 6 has all its neighbours again.
    whole.seek(4).unwrap();
    let rest = push_all(&mut whole, 4);
    assert_eq!(rest[0].rendered.index, 4);
    assert_same(&expected[6..], &rest[2..], "after seek");

    let mut pushed = clip();
    pushed.set_reference(&frames[0].view()).unwrap();
    pushed.push_audio(&vec![0.1; 3000], RATE, 1).unwrap();
    pushed.push_frame(&frames[3].view()).unwrap();
    pushed.reset();
    pushed.push_audio(&audio, RATE, 1).unwrap();
    assert_same(
        &expected,
        &push_all(&mut pushed, 0),
        "pushed audio after reset",
    );
}

#[test]
fn a_stream_of_unknown_rate_takes_the_time_of_each_frame() {
    let frames = head(5);
    let times = vec![0, 700, 700, 2100, 9000];
    let audio = words(1.0, RATE);
    let options = ClipOptions {
        timing: Timing::Variable(times.clone()),
        ..ClipOptions::default()
    };
    let expected = render_all(&analysed(options, &frames, &audio, RATE), &frames);
    let mut clip = clip();
    clip.push_audio(&audio, RATE, 1).unwrap();
    for (frame, time) in frames.iter().zip(&times) {
        clip.push_frame_at(*time, &frame.view()).unwrap();
    }
    let back = clip.push_frame_at(8999, &frames[0].view());
    assert!(matches!(
        back,
        Err(Error::Argument {
            field: "position",
            ..
        })
    ));
    clip.flush().unwrap();
    let mut shown = Vec::new();
    pull_ready(&mut clip, &mut shown);
    assert_same(&expected, &shown, "times");
}

#[test]
fn audio_belongs_to_one_way_at_a_time() {
    let frames = head(1);
    let mut clip = clip();
    clip.push_audio(&words(0.1, RATE), RATE, 1).unwrap();
    assert!(
        clip.push_audio(&[0.0; 10], 8000, 1).is_err(),
        "another rate"
    );
    let mut target = frames[0].target();
    let refused = clip.render(0, &frames[0].view(), &mut target.view_mut());
    assert!(matches!(refused, Err(Error::State(_))));
    clip.push_frame(&frames[0].view()).unwrap();
    // Whole words take the place of pushed ones, while frames wait.
    clip.set_audio(&words(0.1, RATE), RATE, 1).unwrap();
    assert!(matches!(
        clip.push_audio(&[0.0; 10], RATE, 1),
        Err(Error::State(_))
    ));
    clip.finish_audio().unwrap();
    assert!(
        clip.render(0, &frames[0].view(), &mut target.view_mut())
            .unwrap()
            .changed
    );
}

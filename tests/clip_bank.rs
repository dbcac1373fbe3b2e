//! What is promised of the profile and its bank: it depends on the set of analysed frames alone, equal
//! profiles give equal bytes by both ways, memory is bounded, and only the mask changes.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod clip_support;

use clip_support::*;
use stylelipsync::{Clip, ClipOptions, Error, FrameOptions, Matte, Selection};

const RATE: u32 = 16_000;
const FRAMES: usize = 56;

fn bank(clip: &Clip) -> Vec<i64> {
    clip.profile().unwrap().unwrap().bank_indices()
}

fn some(clip: &Clip, frames: &[Picture]) -> Vec<Shown> {
    let some = (0..frames.len()).step_by(11);
    some.map(|index| render(clip, frames, index)).collect()
}

#[test]
fn the_identity_is_the_mean_of_the_frames() {
    let frames = head(30);
    let clip = in_order(0..30, &frames, &words(1.2, RATE));
    clip.finish_analysis().unwrap();
    let faces: Vec<_> = (0..30)
        .map(|index| clip.analysis().faces(index).unwrap())
        .collect();
    let identity = |index: usize| &faces[index].chosen(Selection::Largest).unwrap().identity;
    let reference = clip.reference_frame().unwrap();
    let mean = |at: usize| {
        let values = (0..30).map(|index| f64::from(identity(index)[at]));
        (values.sum::<f64>() / faces.len() as f64) as f32
    };
    for (at, value) in reference.identity.iter().enumerate() {
        assert!(
            (value - mean(at)).abs() < 1e-5,
            "{at}: {value} {}",
            mean(at)
        );
    }
    // That of the reference alone has the mouth of that frame in it.
    assert!(*identity(reference.index as usize) != reference.identity);
}

#[test]
fn the_profile_depends_on_the_set_of_frames_alone() {
    let frames = head(FRAMES);
    let audio = words(2.5, RATE);
    let forwards = in_order(0..FRAMES, &frames, &audio);
    let early = bank(&forwards);
    assert!(early.len() > 3 && early.iter().all(|index| *index < 25));
    let early_shown = some(&forwards, &frames);
    forwards.finish_analysis().unwrap();
    let whole = bank(&forwards);
    assert!(whole.len() > 6 && whole.len() <= 48, "{whole:?}");
    assert!(whole.iter().any(|index| *index >= 25), "{whole:?}");
    let expected = some(&forwards, &frames);
    assert!(expected.iter().all(|shown| shown.rendered.changed));
    let differ = expected.iter().zip(&early_shown);
    assert!(differ.into_iter().any(|(a, b)| a.picture != b.picture));

    let orders: [Vec<usize>; 2] = [
        (0..FRAMES).rev().collect(),
        (0..FRAMES).map(|k| (k * 23) % FRAMES).collect(),
    ];
    for order in orders {
        let clip = in_order(order.into_iter(), &frames, &audio);
        assert_eq!(bank(&clip), early);
        assert_same(&early_shown, &some(&clip, &frames), "the first second");
        clip.finish_analysis().unwrap();
        assert_eq!(bank(&clip), whole);
        assert_eq!(
            clip.reference_frame().unwrap().index,
            forwards.reference_frame().unwrap().index
        );
        assert_same(&expected, &some(&clip, &frames), "the whole clip");
    }

    // On four threads, and each frame from another one.
    let shown: Vec<Shown> = std::thread::scope(|scope| {
        let at = |number: usize| (11 * number) % frames.len().next_multiple_of(11);
        let workers: Vec<_> = (0..expected.len())
            .rev()
            .map(|number| {
                scope.spawn({
                    let (clip, frames) = (&forwards, &frames);
                    move || render(clip, frames, at(number))
                })
            })
            .collect();
        workers
            .into_iter()
            .rev()
            .map(|w| w.join().unwrap())
            .collect()
    });
    assert_same(&expected, &shown, "threads");
}

#[test]
fn a_frozen_profile_stays_and_can_be_forgotten() {
    let frames = head(40);
    let audio = words(1.7, RATE);
    let mut clip = in_order(0..30, &frames, &audio);
    clip.finish_analysis().unwrap();
    let (frozen, shown) = (bank(&clip), render(&clip, &frames, 12));
    let held = clip.memory_use();
    assert_eq!((held.candidates, held.pictures), (0, frozen.len()));
    for (index, frame) in frames.iter().enumerate().skip(30) {
        clip.analyze(index as i64, &frame.view()).unwrap();
    }
    clip.finish_analysis().unwrap();
    assert_eq!(bank(&clip), frozen);
    assert_eq!(clip.memory_use().pictures, frozen.len());
    assert_eq!(clip.memory_use().analysed, 40);
    assert_same(&[shown], &[render(&clip, &frames, 12)], "after more frames");
    // A frame that was analysed late is rendered with the same profile.
    assert!(render(&clip, &frames, 35).rendered.changed);

    clip.forget_analysis();
    let error = clip.finish_analysis().unwrap_err();
    assert!(matches!(error, Error::State(_)), "{error}");
    assert!(clip.profile().unwrap().is_none());
    for (index, frame) in frames.iter().enumerate() {
        clip.analyze(index as i64, &frame.view()).unwrap();
    }
    clip.finish_analysis().unwrap();
    assert_ne!(bank(&clip), frozen);
}

#[test]
fn without_frames_or_faces_nothing_is_frozen() {
    let clip = Clip::new(engine(), ClipOptions::default()).unwrap();
    let error = clip.finish_analysis().unwrap_err();
    assert!(
        matches!(&error, Error::State(reason) if reason.contains("analysed")),
        "{error}"
    );
    clip.analyze(0, &Picture::blank(64, 64).view()).unwrap();
    let error = clip.finish_analysis().unwrap_err();
    assert!(matches!(error, Error::NoFace(_)), "{error}");
    // It is not frozen: a frame with a face counts.
    clip.analyze(1, &head(1)[0].view()).unwrap();
    clip.finish_analysis().unwrap();
    assert_eq!(bank(&clip), [1]);
}

#[test]
fn a_stream_with_the_clips_profile_gives_the_bytes_of_random_access() {
    let frames = head(48);
    let audio = words(2.0, RATE);
    let mut clip = in_order((0..48).rev(), &frames, &audio);
    clip.finish_analysis().unwrap();
    let expected = render_all(&clip, &frames[..12]);
    // The same clip, and another one that is given the profile.
    let mut other = Clip::new(engine(), ClipOptions::default()).unwrap();
    other.set_audio(&audio, RATE, 1).unwrap();
    other.set_profile(clip.profile().unwrap().unwrap()).unwrap();
    for clip in [&mut clip, &mut other] {
        let mut shown = Vec::new();
        for frame in &frames[..14] {
            clip.push_frame(&frame.view()).unwrap();
            pull_ready(clip, &mut shown);
        }
        assert_eq!(shown.len(), 12, "the profile needs no look-ahead");
        assert_same(&expected, &shown, "the stream");
    }
    let error = other.add_reference(&frames[0].view()).unwrap_err();
    assert!(matches!(error, Error::State(_)), "{error}");
}

#[test]
fn references_of_the_caller_replace_the_bank_and_add_up() {
    let frames = head(30);
    let audio = words(1.5, RATE);
    let mut clip = in_order(0..30, &frames, &audio);
    clip.finish_analysis().unwrap();
    let own = render(&clip, &frames, 12);
    clip.set_reference(&frames[20].view()).unwrap();
    let one = render(&clip, &frames, 12);
    assert_eq!(clip.profile().unwrap().unwrap().bank_indices(), [0]);
    assert_eq!(clip.profile().unwrap().unwrap().reference_index(), None);
    assert!(own.picture != one.picture);
    clip.add_reference(&frames[5].view()).unwrap();
    clip.add_reference(&frames[12].view()).unwrap();
    let three = render(&clip, &frames, 12);
    assert!(three.picture != one.picture);
    // Adding to none is setting; setting replaces all.
    let mut other = in_order(0..30, &frames, &audio);
    other.add_reference(&frames[20].view()).unwrap();
    let added = render(&other, &frames, 12);
    assert_same(std::slice::from_ref(&one), &[added], "added");
    clip.set_reference(&frames[20].view()).unwrap();
    assert_same(&[one], &[render(&clip, &frames, 12)], "replaced");
    // A frame without a face changes nothing.
    let blank = Picture::blank(64, 64);
    for error in [
        clip.add_reference(&blank.view()).unwrap_err(),
        clip.set_reference(&blank.view()).unwrap_err(),
    ] {
        assert!(matches!(error, Error::NoFace(_)), "{error}");
    }
    assert_eq!(clip.profile().unwrap().unwrap().bank_indices(), [0]);
    clip.clear_reference();
    assert_same(&[own], &[render(&clip, &frames, 12)], "cleared");
    for _ in 0..32 {
        clip.add_reference(&frames[0].view()).unwrap();
    }
    let error = clip.add_reference(&frames[0].view()).unwrap_err();
    assert!(matches!(error, Error::State(_)), "{error}");
    // The frozen profile is kept for when they are cleared.
    let frozen = clip.analysis().profile(clip.renderer()).unwrap().unwrap();
    let held = 32 + frozen.bank_indices().len();
    assert_eq!(clip.memory_use().pictures, held);
}

#[test]
fn memory_is_bounded_and_keeps_to_the_limit() {
    let frames = head(FRAMES);
    for (limit, most) in [(None, 55), (Some(8 << 20), 9), (Some(1 << 20), 1)] {
        let options = ClipOptions {
            memory: limit,
            ..ClipOptions::default()
        };
        let clip = Clip::new(engine(), options).unwrap();
        for (index, frame) in frames.iter().enumerate() {
            clip.analyze(index as i64, &frame.view()).unwrap();
            let held = clip.memory_use();
            assert!(held.pictures <= most + held.candidates, "{held:?}");
            assert_eq!(held.bytes, held.pictures as u64 * 4 * 256 * 256);
        }
        // The same mouths again, backwards without a cut, add nothing: not the frames are kept, but one
        // of each kind.
        let held = clip.memory_use();
        for (index, frame) in (FRAMES as i64..).zip(frames.iter().rev()) {
            clip.analyze(index, &frame.view()).unwrap();
        }
        assert_eq!(clip.memory_use().pictures, held.pictures);
        assert_eq!(clip.memory_use().analysed, 2 * FRAMES);
        clip.finish_analysis().unwrap();
        let held = clip.memory_use();
        assert!(
            held.pictures >= 1 && held.pictures <= most.min(48),
            "{held:?}"
        );
    }
    // References of the caller's own keep to it too.
    let options = ClipOptions {
        memory: Some(600_000),
        ..ClipOptions::default()
    };
    let mut clip = Clip::new(engine(), options).unwrap();
    clip.add_reference(&frames[0].view()).unwrap();
    clip.add_reference(&frames[9].view()).unwrap();
    let error = clip.add_reference(&frames[20].view()).unwrap_err();
    assert!(matches!(error, Error::Memory(_)), "{error}");
    clip.set_reference(&frames[20].view()).unwrap();
    assert_eq!(clip.memory_use().pictures, 1);
}

#[test]
fn with_a_bank_every_byte_outside_the_matte_is_the_source() {
    let frames = head(30);
    let clip = in_order(0..30, &frames, &words(1.5, RATE));
    clip.finish_analysis().unwrap();
    for index in [3, 14, 27] {
        let (mut matte, source) = (Matte::default(), &frames[index]);
        let mut target = source.target();
        let mut options = FrameOptions {
            matte: Some(&mut matte),
            ..FrameOptions::default()
        };
        let (view, mut view_mut) = (source.view(), target.view_mut());
        clip.render_with(index as i64, &view, &mut view_mut, &mut options)
            .unwrap();
        let pixels = source.bytes.chunks(4).zip(target.bytes.chunks(4));
        let outside = pixels.zip(&matte.alpha).filter(|(_, alpha)| **alpha == 0.0);
        assert!(outside.clone().count() > 1000);
        assert!(
            outside
                .into_iter()
                .all(|((source, target), _)| source == target)
        );
    }
}

#[test]
fn a_gap_leaves_out_the_frames_near_in_time() {
    let frames = head(FRAMES);
    let audio = words(2.5, RATE);
    let with = |gap: i64| {
        let options = ClipOptions {
            reference_gap: gap,
            ..ClipOptions::default()
        };
        let clip = analysed(options, &frames, &audio, RATE);
        clip.finish_analysis().unwrap();
        render(&clip, &frames, 30)
    };
    let (none, half) = (with(0), with(8000));
    assert!(none.rendered.changed && none.picture != half.picture);
    // Longer than the clip: something is rendered all the same.
    assert!(with(i64::MAX).rendered.changed);
    let options = ClipOptions {
        reference_gap: -1,
        ..ClipOptions::default()
    };
    let refused = Clip::new(engine(), options).map(|_| ()).unwrap_err();
    assert!(
        matches!(
            refused,
            Error::Argument {
                field: "reference_gap",
                ..
            }
        ),
        "{refused}"
    );
}

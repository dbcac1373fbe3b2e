//! What is promised of a clip: the same bytes in any order, on any number of threads, by random
//! access and by the stream, at any frame rate.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod clip_support;

use std::sync::atomic::{AtomicUsize, Ordering};

use clip_support::*;
use stylelipsync::audio::Rate;
use stylelipsync::face::MaskTrim;
use stylelipsync::frame::{FrameMut, FrameRef, PixelFormat};
use stylelipsync::{
    Clip, ClipOptions, FrameFaces, FrameInputs, FrameOptions, Matte, Neighbours, Provenance,
    Renderer, Speech, Timing,
};

const RATE: u32 = 16_000;

fn at(num: u32, den: u32) -> ClipOptions {
    ClipOptions {
        timing: Timing::Constant(Rate::new(num, den).unwrap()),
        ..ClipOptions::default()
    }
}

#[test]
fn any_order_and_any_number_of_threads_give_the_same_bytes() {
    let frames = head(10);
    let audio = words(1.0, RATE);
    let clip = analysed(ClipOptions::default(), &frames, &audio, RATE);
    let expected = render_all(&clip, &frames);
    assert!(
        expected.iter().all(|shown| shown.rendered.changed),
        "a face in every frame"
    );
    let provenance = clip.provenance();
    assert_eq!(provenance.frames.changed, [[0, 9]]);
    let parsed = Provenance::parse(&provenance.to_json().unwrap()).unwrap();
    assert_eq!(parsed, provenance);

    // Backwards, on a clip that was analysed backwards.
    let mut other = Clip::new(engine(), ClipOptions::default()).unwrap();
    for index in (0..frames.len()).rev() {
        other.analyze(index as i64, &frames[index].view()).unwrap();
    }
    other.set_audio(&audio, RATE, 1).unwrap();
    let mut backwards: Vec<Shown> = (0..frames.len())
        .rev()
        .map(|index| render(&other, &frames, index))
        .collect();
    backwards.reverse();
    assert_eq!(other.provenance(), provenance);
    other.set_audio(&audio[1..], RATE, 1).unwrap();
    assert_ne!(other.provenance().audio, provenance.audio);
    assert_same(&expected, &backwards, "backwards");

    for threads in [2, 4] {
        let next = AtomicUsize::new(0);
        let (clip, frames, next) = (&clip, &frames, &next);
        let mut shown: Vec<Shown> = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads)
                .map(|_| {
                    scope.spawn(move || {
                        let take = || next.fetch_add(1, Ordering::Relaxed);
                        std::iter::from_fn(|| Some(take()).filter(|k| *k < frames.len()))
                            .map(|k| render(clip, frames, (k * 7) % frames.len()))
                            .collect::<Vec<_>>()
                    })
                })
                .collect();
            workers
                .into_iter()
                .flat_map(|worker| worker.join().unwrap())
                .collect()
        });
        shown.sort_by_key(|shown| shown.rendered.index);
        assert_same(&expected, &shown, &format!("{threads} threads"));
    }
}

/// A host that caches the faces itself and uses the clip's parts: the same bytes, with the clip's
/// profile.
#[test]
fn faces_cached_by_the_caller_give_the_same_bytes() {
    let frames = head(8);
    let audio = words(1.0, RATE);
    let whole = analysed(ClipOptions::default(), &frames, &audio, RATE);
    let expected = render_all(&whole, &frames);
    let profile = whole.profile().unwrap().unwrap();

    let renderer = Renderer::new(engine(), ClipOptions::default()).unwrap();
    let speech = Speech::new(audio.into(), 0).unwrap();
    let found: Vec<FrameFaces> = frames
        .iter()
        .map(|frame| renderer.find_faces(&frame.view()).unwrap())
        .collect();
    let at = |index: i64| found.get(usize::try_from(index).ok()?).cloned();
    for (index, expected) in expected.iter().enumerate().rev() {
        let index = index as i64;
        let faces = Neighbours {
            middle: at(index).unwrap(),
            before: [at(index - 2), at(index - 1)],
            after: [at(index + 1), at(index + 2)],
        };
        let source = &frames[index as usize];
        let mut picture = source.target();
        let options = &mut FrameOptions::default();
        let inputs = FrameInputs {
            index,
            position: 640 * index,
            speech: &speech,
            faces: &faces,
        };
        let (view, mut target) = (source.view(), picture.view_mut());
        let rendered = renderer
            .render(&inputs, &view, &mut target, options, || {
                Ok(profile.at(index).cloned())
            })
            .unwrap();
        assert_eq!(rendered, expected.rendered);
        assert_same(
            std::slice::from_ref(expected),
            &[Shown { rendered, picture }],
            "faces cached by the caller",
        );
    }
}

/// A target of another size is refused before any work: the reference is not settled by a call that fails.
#[test]
fn a_target_that_does_not_fit_is_refused_before_the_work() {
    let frames = head(1);
    let renderer = Renderer::new(engine(), ClipOptions::default()).unwrap();
    let speech = Speech::new(words(0.5, RATE).into(), 0).unwrap();
    let faces = Neighbours {
        middle: renderer.find_faces(&frames[0].view()).unwrap(),
        before: [None, None],
        after: [None, None],
    };
    let inputs = FrameInputs {
        index: 0,
        position: 0,
        speech: &speech,
        faces: &faces,
    };
    let mut bytes = [0; 16];
    let mut target = FrameMut::packed(&mut bytes, 2, 2, PixelFormat::Rgba8).unwrap();
    let options = &mut FrameOptions::default();
    let refused = renderer.render(&inputs, &frames[0].view(), &mut target, options, || {
        panic!("the profile was asked for")
    });
    assert!(
        matches!(refused, Err(stylelipsync::Error::Frame { .. })),
        "{refused:?}"
    );
}

/// Trimming takes from the rim alone: what is changed shrinks, the middle stays.
#[test]
fn a_trimmed_mask_changes_less_and_never_more() {
    let frames = head(1);
    let audio = words(0.5, RATE);
    let changed = |mask: MaskTrim| {
        let options = ClipOptions {
            mask,
            ..ClipOptions::default()
        };
        let clip = analysed(options, &frames, &audio, RATE);
        let (mut matte, mut picture) = (Matte::default(), frames[0].target());
        let mut options = FrameOptions {
            matte: Some(&mut matte),
            ..FrameOptions::default()
        };
        clip.render_with(0, &frames[0].view(), &mut picture.view_mut(), &mut options)
            .unwrap();
        matte.alpha
    };
    let trim = |grow, feather| changed(MaskTrim { grow, feather });
    let whole = changed(MaskTrim::default());
    assert_eq!(whole, trim(0.0, 1.0));
    let (less, more, hard) = (trim(-12.0, 1.0), trim(6.0, 1.0), trim(0.0, 0.0));
    // The most that can be asked for is the whole hole, with a hard edge.
    let hole = trim(20.0, 0.0);
    let sum = |matte: &[f32]| matte.iter().sum::<f32>();
    assert!(sum(&less) < 0.8 * sum(&whole) && sum(&whole) < sum(&more));
    for (at, whole) in whole.iter().enumerate() {
        assert!(less[at] <= *whole && *whole <= more[at] + 1e-6);
        assert!(more[at].max(hard[at]) == 0.0 || hole[at] > 0.0, "{at}");
    }
    assert!(
        hard.iter().filter(|v| **v > 0.99).count() > whole.iter().filter(|v| **v > 0.99).count()
    );
}

#[test]
fn a_part_of_the_range_gives_the_same_bytes() {
    let frames = head(30);
    let audio = words(2.0, RATE);
    let whole = analysed(ClipOptions::default(), &frames, &audio, RATE);
    // A farm's machine: the first second for the reference, and two frames round its part.
    let mut part = Clip::new(engine(), ClipOptions::default()).unwrap();
    part.set_audio(&audio, RATE, 1).unwrap();
    for index in (24..30).chain(0..25) {
        part.analyze(index, &frames[index as usize].view()).unwrap();
    }
    for index in 26..28 {
        let (one, other) = (
            render(&whole, &frames, index),
            render(&part, &frames, index),
        );
        assert_same(&[one], &[other], "a part");
    }
}

#[test]
fn the_stream_gives_the_bytes_of_random_access() {
    let frames = head(28);
    let audio = words(0.9, 48_000);
    let clip = analysed(ClipOptions::default(), &frames, &audio, 48_000);
    let expected = render_all(&clip, &frames);
    for (frames_at_once, samples_at_once) in [(1, 1920), (3, 50_000), (28, 777)] {
        let options = ClipOptions::default();
        let shown = stream(
            options,
            &frames,
            &audio,
            48_000,
            frames_at_once,
            samples_at_once,
        );
        assert_same(
            &expected,
            &shown,
            &format!("chunks of {frames_at_once}/{samples_at_once}"),
        );
    }
}

#[test]
fn every_rate_gives_the_same_bytes_both_ways() {
    let frames = head(6);
    let rates = [
        (24_000, 1001),
        (24, 1),
        (30_000, 1001),
        (50, 1),
        (60_000, 1001),
    ];
    let variable = Timing::Variable(vec![0, 500, 1700, 1700, 2600, 9000]);
    let options = rates
        .map(|(num, den)| at(num, den))
        .into_iter()
        .chain([ClipOptions {
            timing: variable,
            ..ClipOptions::default()
        }]);
    let audio = words(1.0, RATE);
    for options in options {
        let clip = analysed(options.clone(), &frames, &audio, RATE);
        let expected = render_all(&clip, &frames);
        assert!(expected.iter().all(|shown| shown.rendered.changed));
        let what = format!("{:?}", options.timing);
        let shown = stream(options, &frames, &audio, RATE, 2, 1000);
        assert_same(&expected, &shown, &what);
    }
}

#[test]
fn the_same_time_gives_the_same_mouth_at_any_rate() {
    // Frame 4 at 50 a second and frame 2 at 25 a second are the same instant.
    let frames = head(5);
    let still = vec![frames[0].clone(); 5];
    let audio = words(1.0, RATE);
    let slow = analysed(at(25, 1), &still, &audio, RATE);
    let fast = analysed(at(50, 1), &still, &audio, RATE);
    let (one, other) = (render(&slow, &still, 2), render(&fast, &still, 4));
    assert_eq!(one.rendered.index, 2);
    assert!(one.rendered.changed);
    assert!(one.picture == other.picture);
    assert!(
        one.picture != render(&fast, &still, 2).picture,
        "another time, another mouth"
    );
}

#[test]
fn an_offset_of_the_audio_is_a_shift_of_the_words() {
    let still = vec![head(1)[0].clone(); 10];
    let audio = words(1.0, RATE);
    let plain = analysed(ClipOptions::default(), &still, &audio, RATE);
    let later = ClipOptions {
        audio_offset: 3 * 640,
        ..ClipOptions::default()
    };
    let later = analysed(later, &still, &audio, RATE);
    assert!(render(&plain, &still, 4).picture == render(&later, &still, 7).picture);
    assert!(render(&plain, &still, 4).picture != render(&later, &still, 4).picture);
}

#[test]
fn outside_the_matte_every_byte_is_the_source() {
    let frames = head(3);
    let clip = analysed(ClipOptions::default(), &frames, &words(1.0, RATE), RATE);
    let (mut matte, source) = (Matte::default(), &frames[1]);
    let mut target = source.target();
    let mut options = FrameOptions {
        matte: Some(&mut matte),
        ..FrameOptions::default()
    };
    let rendered = clip
        .render_with(1, &source.view(), &mut target.view_mut(), &mut options)
        .unwrap();
    assert!(rendered.changed && rendered.face.is_some());
    assert_eq!(
        (matte.width, matte.height),
        (source.width as usize, source.height as usize)
    );
    let mut generated = 0;
    for (pixel, alpha) in matte.alpha.iter().enumerate() {
        let range = 4 * pixel..4 * pixel + 4;
        if *alpha == 0.0 {
            assert_eq!(
                source.bytes[range.clone()],
                target.bytes[range],
                "pixel {pixel}"
            );
        } else {
            generated += 1;
        }
    }
    assert!(generated > 100, "{generated} pixels");
    assert_eq!(
        render(&clip, &frames, 1).picture.bytes,
        target.bytes,
        "the matte is for free"
    );
}

#[test]
fn strength_0_is_the_source_and_a_half_lies_between() {
    let frames = head(1);
    let clip = analysed(ClipOptions::default(), &frames, &words(1.0, RATE), RATE);
    let with = |strength| {
        let mut picture = frames[0].target();
        let mut options = FrameOptions {
            strength,
            ..FrameOptions::default()
        };
        let (source, mut target) = (frames[0].view(), picture.view_mut());
        let rendered = clip
            .render_with(0, &source, &mut target, &mut options)
            .unwrap();
        (rendered, picture)
    };
    let (none, untouched) = with(0.0);
    assert!(!none.changed && none.strength == 0.0);
    assert_eq!(untouched.bytes, frames[0].bytes);
    let (full, whole) = with(1.0);
    let (half, between) = with(0.5);
    assert_eq!(half.strength, full.strength / 2.0);
    for ((source, half), full) in frames[0].bytes.iter().zip(&between.bytes).zip(&whole.bytes) {
        let (low, high) = (source.min(full), source.max(full));
        assert!(low <= half && half <= high);
    }
    let options = ClipOptions {
        strength: 0.0,
        ..ClipOptions::default()
    };
    let shown = stream(options, &frames, &words(0.1, RATE), RATE, 1, 100);
    assert!(shown[0].picture == frames[0]);
}

#[test]
fn every_format_is_rendered_alike_and_bottom_up_too() {
    let source = &head(1)[0];
    let clip = analysed(ClipOptions::default(), &head(1), &words(1.0, RATE), RATE);
    let expected = render(&clip, &head(1), 0).picture;
    let (width, height) = (source.width as usize, source.height as usize);
    let row = width * 4;

    let flip = |bytes: &[u8]| -> Vec<u8> { bytes.chunks(row).rev().flatten().copied().collect() };
    let (upside, mut target) = (flip(&source.bytes), vec![0; source.bytes.len()]);
    let (last, stride) = ((height - 1) * row, -(row as isize));
    let (w, h, rgba) = (source.width, source.height, PixelFormat::Rgba8);
    clip.render(
        0,
        &FrameRef::new(&upside, last, stride, w, h, rgba).unwrap(),
        &mut FrameMut::new(&mut target, last, stride, w, h, rgba).unwrap(),
    )
    .unwrap();
    assert!(flip(&target) == expected.bytes, "bottom-up");

    let floats: Vec<u8> = source
        .bytes
        .iter()
        .flat_map(|byte| (f32::from(*byte) / 255.0).to_ne_bytes())
        .collect();
    let mut target = vec![0; floats.len()];
    clip.render(
        0,
        &FrameRef::packed(&floats, w, h, PixelFormat::RgbaF32).unwrap(),
        &mut FrameMut::packed(&mut target, w, h, PixelFormat::RgbaF32).unwrap(),
    )
    .unwrap();
    for (value, byte) in target.as_chunks::<4>().0.iter().zip(&expected.bytes) {
        let value = f32::from_ne_bytes(*value) * 255.0;
        assert!(
            (value - f32::from(*byte)).abs() < 0.75,
            "{value} and {byte}"
        );
    }
}

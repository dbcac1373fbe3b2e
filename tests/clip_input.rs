//! Clips that are given what they should not be, and what real footage brings: each has its own
//! answer, and time is kept.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod clip_support;

use clip_support::*;
use stylelipsync::audio::Rate;
use stylelipsync::frame::{FrameMut, PixelFormat};
use stylelipsync::track::Selection;
use stylelipsync::{Clip, ClipOptions, Error, FrameOptions, SpeechContext, Timing};

const RATE: u32 = 16_000;

fn clip() -> Clip {
    Clip::new(engine(), ClipOptions::default()).unwrap()
}

#[test]
fn no_face_in_some_frames_passes_them_through_and_keeps_time() {
    let mut frames = head(8);
    let (width, height) = (frames[0].width, frames[0].height);
    for gap in [0, 3, 4] {
        frames[gap] = Picture::blank(width, height);
    }
    let audio = words(1.0, RATE);
    let with_gaps = analysed(ClipOptions::default(), &frames, &audio, RATE);
    let expected = render_all(&with_gaps, &frames);
    for (index, shown) in expected.iter().enumerate() {
        let gap = [0, 3, 4].contains(&index);
        assert_eq!(shown.rendered.index, index as i64);
        assert_eq!(shown.rendered.changed, !gap, "frame {index}");
        assert_eq!(shown.rendered.face.is_none(), gap, "frame {index}");
        assert_eq!(shown.picture == frames[index], gap, "frame {index}");
    }
    assert_eq!(with_gaps.provenance().frames.changed, [[1, 2], [5, 7]]);
    let shown = stream(ClipOptions::default(), &frames, &audio, RATE, 3, 5000);
    assert_same(&expected, &shown, "gaps");
}

#[test]
fn no_face_in_any_frame_gives_the_clip_back() {
    let frames = vec![Picture::blank(64, 48); 30];
    let shown = stream(
        ClipOptions::default(),
        &frames,
        &words(0.5, RATE),
        RATE,
        4,
        900,
    );
    assert_eq!(shown.len(), 30);
    assert!(
        shown
            .iter()
            .zip(&frames)
            .all(|(shown, frame)| shown.picture == *frame)
    );
    assert!(
        shown
            .iter()
            .all(|shown| shown.rendered.face.is_none() && !shown.rendered.changed)
    );
}

#[test]
fn a_reference_without_a_face_is_refused_and_the_old_one_stays() {
    let frames = head(2);
    let mut clip = analysed(ClipOptions::default(), &frames, &words(1.0, RATE), RATE);
    clip.set_reference(&frames[1].view()).unwrap();
    let before = render(&clip, &frames, 0);
    let refused = clip.set_reference(&Picture::blank(64, 48).view());
    assert!(matches!(refused, Err(Error::NoFace(_))));
    assert_same(&[before], &[render(&clip, &frames, 0)], "the reference");
}

#[test]
fn without_analysis_a_frame_stands_alone_whatever_came_before() {
    let frames = head(3);
    let mut clip = clip();
    clip.set_audio(&words(1.0, RATE), RATE, 1).unwrap();
    let alone = render(&clip, &frames, 1);
    assert!(alone.rendered.changed);
    render(&clip, &frames, 0);
    render(&clip, &frames, 2);
    assert_same(&[alone], &[render(&clip, &frames, 1)], "alone");
    assert_eq!(clip.memory_use().analysed, 0);
}

/// A face that leaves the picture fades: the strength follows the confidence smoothly from 1 to 0, so
/// that a small change of confidence never switches the effect on or off.
#[test]
fn a_face_that_leaves_the_picture_fades() {
    // The steepest slope of the strength over the confidence is 1.5 / 0.35.
    const STEEPEST: f32 = 4.5;
    let source = &head(1)[0];
    let audio = words(1.0, RATE);
    let mut shown = Vec::new();
    // The same head, ever further out of the picture: shares of its width in percent.
    for share in std::iter::once(0).chain(40..=60).chain([80]) {
        let shift = (source.width * share / 100) as usize;
        let mut moved = Picture::blank(source.width, source.height);
        let row = 4 * source.width as usize;
        for (to, from) in moved.bytes.chunks_mut(row).zip(source.bytes.chunks(row)) {
            to[4 * shift..].copy_from_slice(&from[..row - 4 * shift]);
        }
        let mut clip = clip();
        clip.set_audio(&audio, RATE, 1).unwrap();
        let Shown { rendered, picture } = render(&clip, std::slice::from_ref(&moved), 0);
        assert_eq!(rendered.changed, rendered.strength > 0.0, "{share} %");
        assert_eq!(picture == moved, !rendered.changed, "{share} %");
        shown.push((rendered.confidence, rendered.strength));
    }
    assert_eq!((shown[0].1, shown[22].1), (1.0, 0.0), "{shown:?}");
    shown.sort_by(|a, b| a.0.total_cmp(&b.0));
    for pair in shown.windows(2) {
        let (confidence, strength) = (pair[1].0 - pair[0].0, pair[1].1 - pair[0].1);
        assert!(strength >= 0.0, "{shown:?}");
        assert!(strength <= STEEPEST * confidence + 1e-4, "{shown:?}");
    }
    let partial = shown.iter().filter(|(_, s)| (0.02..0.98).contains(s));
    assert!(partial.count() >= 2, "{shown:?}");
}

#[test]
fn audio_that_is_not_there_is_refused() {
    let frames = head(1);
    let mut clip = clip();
    let mut target = frames[0].target();
    let early = clip.render(0, &frames[0].view(), &mut target.view_mut());
    assert!(matches!(early, Err(Error::NoAudio(_))));
    assert!(matches!(
        clip.set_audio(&[], RATE, 1),
        Err(Error::NoAudio(_))
    ));
    assert!(matches!(clip.finish_audio(), Err(Error::NoAudio(_))));
    assert!(
        clip.set_audio(&[0.0; 7], RATE, 2).is_err(),
        "no whole frames of two channels"
    );
    assert!(clip.set_audio(&[0.0; 8], 0, 1).is_err());
    assert!(clip.set_audio(&[0.0; 8], RATE, 0).is_err());
    // A stream that is flushed without any says so for the frame that needs it.
    clip.push_frame(&frames[0].view()).unwrap();
    clip.flush().unwrap();
    assert!(matches!(
        clip.pull_frame(&mut target.view_mut()),
        Err(Error::NoAudio(_))
    ));
}

#[test]
fn silence_rests_and_the_end_of_the_words_is_silence() {
    let still = vec![head(1)[0].clone(); 40];
    let silent = analysed(
        ClipOptions::default(),
        &still[..1],
        &vec![0.0; 48_000],
        RATE,
    );
    let rest = render(&silent, &still, 0);
    assert!(rest.rendered.changed, "a mouth at rest is generated too");
    // Another time of the silence: the same mouth.
    assert!(render(&silent, &still, 30).picture == rest.picture);
    // Half a second of words in a clip of more: afterwards the same mouth as in silence.
    let short = analysed(ClipOptions::default(), &still[..1], &words(0.5, RATE), RATE);
    assert!(render(&short, &still, 5).picture != rest.picture);
    assert!(render(&short, &still, 39).picture == rest.picture);
    // Nearly silent: noise at -80 dB.
    let noise: Vec<f32> = (0..48_000)
        .map(|i: i64| 1e-4 * ((i * i % 977) as f32 / 488.5 - 1.0))
        .collect();
    let noisy = analysed(ClipOptions::default(), &still[..1], &noise, RATE);
    assert!(render(&noisy, &still, 20).picture == rest.picture);
}

#[test]
fn audio_longer_than_the_clip_is_not_heard_to_its_end() {
    let frames = head(3);
    let (long, short) = (words(2.0, RATE), words(1.0, RATE));
    let one = analysed(ClipOptions::default(), &frames, &long, RATE);
    let other = analysed(ClipOptions::default(), &frames, &short, RATE);
    assert_same(
        &render_all(&one, &frames),
        &render_all(&other, &frames),
        "longer audio",
    );
}

#[test]
fn channels_are_mixed_and_rates_resampled() {
    let frames = head(1);
    let mono = words(1.0, 48_000);
    let six: Vec<f32> = mono.iter().flat_map(|v| [*v; 6]).collect();
    let stereo: Vec<f32> = mono.iter().flat_map(|v| [*v; 2]).collect();
    let with = |samples: &[f32], rate, channels| {
        let mut clip = clip();
        clip.set_audio(samples, rate, channels).unwrap();
        render(&clip, &frames, 0)
    };
    assert!(with(&stereo, 48_000, 2).picture == with(&mono, 48_000, 1).picture);
    assert!(with(&six, 48_000, 6).rendered.changed);
    assert!(with(&words(1.0, 8_000), 8_000, 1).rendered.changed);
}

#[test]
fn options_out_of_range_name_their_field() {
    let refused = |options: ClipOptions| match Clip::new(engine(), options) {
        Err(Error::Argument { field, .. }) => field,
        _ => "none",
    };
    let with = ClipOptions::default;
    assert_eq!(
        refused(ClipOptions {
            strength: 1.5,
            ..with()
        }),
        "strength"
    );
    assert_eq!(
        refused(ClipOptions {
            strength: f32::NAN,
            ..with()
        }),
        "strength"
    );
    assert_eq!(
        refused(ClipOptions {
            timing: Timing::Variable(vec![5, 4]),
            ..with()
        }),
        "timing"
    );
    let rate = Timing::Constant(Rate { num: 25, den: 0 });
    assert_eq!(
        refused(ClipOptions {
            timing: rate,
            ..with()
        }),
        "rate"
    );

    let frames = head(1);
    let timing = Timing::Variable(vec![0]);
    let clip = analysed(
        ClipOptions { timing, ..with() },
        &frames,
        &words(0.2, RATE),
        RATE,
    );
    let mut target = frames[0].target();
    for index in [1, -1, i64::MAX, i64::MIN] {
        let refused = clip.render(index, &frames[0].view(), &mut target.view_mut());
        assert!(
            matches!(refused, Err(Error::Argument { field: "index", .. })),
            "{index}"
        );
    }
    let mut options = FrameOptions {
        strength: -0.1,
        ..FrameOptions::default()
    };
    let refused = clip.render_with(0, &frames[0].view(), &mut target.view_mut(), &mut options);
    assert!(matches!(
        refused,
        Err(Error::Argument {
            field: "strength",
            ..
        })
    ));
}

#[test]
fn far_indices_of_a_constant_rate_are_rendered_or_refused_but_never_crash() {
    let frames = head(1);
    let mut clip = clip();
    clip.set_audio(&words(0.2, RATE), RATE, 1).unwrap();
    let mut target = frames[0].target();
    for index in [-1, -1000, 1 << 40, i64::MAX, i64::MIN] {
        let rendered = clip
            .render(index, &frames[0].view(), &mut target.view_mut())
            .unwrap();
        assert_eq!(rendered.index, index);
    }
}

#[test]
fn frames_that_do_not_fit_each_other_are_refused_and_can_be_pulled_again() {
    let frames = head(1);
    let clip = analysed(ClipOptions::default(), &frames, &words(0.2, RATE), RATE);
    let mut small = Picture::blank(32, 32);
    let refused = clip.render(0, &frames[0].view(), &mut small.view_mut());
    assert!(matches!(refused, Err(Error::Frame { field: "width", .. })));
    assert!(small == Picture::blank(32, 32), "nothing was written");
    let mut floats = vec![7; 4 * frames[0].bytes.len()];
    let (width, height) = (frames[0].width, frames[0].height);
    let mut target = FrameMut::packed(&mut floats, width, height, PixelFormat::RgbaF32).unwrap();
    let refused = clip.render(0, &frames[0].view(), &mut target);
    assert!(matches!(
        refused,
        Err(Error::Frame {
            field: "format",
            ..
        })
    ));

    let mut clip = self::clip();
    clip.push_audio(&words(0.2, RATE), RATE, 1).unwrap();
    clip.push_frame(&frames[0].view()).unwrap();
    clip.flush().unwrap();
    assert!(clip.pull_frame(&mut small.view_mut()).is_err());
    let mut target = frames[0].target();
    assert!(clip.pull_frame(&mut target.view_mut()).unwrap().changed);
}

#[test]
fn nan_pixels_are_survived() {
    let source = &head(1)[0];
    let nan = f32::NAN.to_ne_bytes();
    let bytes: Vec<u8> = source
        .bytes
        .iter()
        .enumerate()
        .flat_map(|(i, v)| {
            let hole = (i / 4) % 97 == 0;
            if hole {
                nan
            } else {
                (f32::from(*v) / 255.0).to_ne_bytes()
            }
        })
        .collect();
    let (width, height) = (source.width, source.height);
    let view = |bytes| {
        stylelipsync::frame::FrameRef::packed(bytes, width, height, PixelFormat::RgbaF32).unwrap()
    };
    let mut out = vec![0; bytes.len()];
    let mut clip = clip();
    clip.set_audio(&words(0.2, RATE), RATE, 1).unwrap();
    let mut target = FrameMut::packed(&mut out, width, height, PixelFormat::RgbaF32).unwrap();
    clip.render(0, &view(&bytes), &mut target).unwrap();
    // Row 0 holds no face: NaN goes through bit for bit.
    let row = 16 * width as usize;
    assert_eq!(out[..row], bytes[..row]);
}

/// A float picture of the frame rendered with `audio` at the clip's time 0.
fn float_mouth(audio: &[f32], rate: u32, options: ClipOptions) -> Vec<f32> {
    let source = &head(1)[0];
    let bytes: Vec<u8> = source
        .bytes
        .iter()
        .flat_map(|v| (f32::from(*v) / 255.0).to_ne_bytes())
        .collect();
    let (width, height, format) = (source.width, source.height, PixelFormat::RgbaF32);
    let mut clip = Clip::new(engine(), options).unwrap();
    clip.set_audio(audio, rate, 1).unwrap();
    let mut out = vec![0; bytes.len()];
    let mut target = FrameMut::packed(&mut out, width, height, format).unwrap();
    let view = stylelipsync::frame::FrameRef::packed(&bytes, width, height, format).unwrap();
    let rendered = clip.render(0, &view, &mut target).unwrap();
    assert!(rendered.changed);
    let values = out.as_chunks::<4>().0.iter();
    values.map(|b| f32::from_ne_bytes(*b)).collect()
}

#[test]
fn unusual_audio_gives_a_finite_mouth() {
    let square = |k: usize| {
        if (k / 40).is_multiple_of(2) {
            1.0
        } else {
            -1.0
        }
    };
    let second = |value: &dyn Fn(usize) -> f32| (0..16_000).map(value).collect::<Vec<_>>();
    let mut holes = words(1.0, RATE);
    for (k, value) in holes.iter_mut().enumerate() {
        match k % 97 {
            0 => *value = f32::NAN,
            1 => *value = f32::INFINITY,
            2 => *value = f32::NEG_INFINITY,
            _ => {}
        }
    }
    let default = ClipOptions::default;
    let far = ClipOptions {
        context: SpeechContext::Far,
        ..default()
    };
    // Half of the audio lies before frame 0.
    let early = ClipOptions {
        audio_offset: -8_000,
        ..default()
    };
    for (what, audio, rate, options) in [
        ("one sample", vec![0.7], RATE, default()),
        ("399 samples", vec![0.3; 399], RATE, default()),
        ("a constant", second(&|_| 0.5), RATE, default()),
        ("a square wave", second(&square), RATE, default()),
        ("a square wave, far", second(&square), RATE, far.clone()),
        ("holes", holes.clone(), RATE, default()),
        ("holes, far", holes, RATE, far),
        (
            "far above full scale",
            second(&|k| 1e30 * square(k)),
            RATE,
            default(),
        ),
        ("8 kHz", words(1.0, 8_000), 8_000, default()),
        ("192 kHz", words(1.0, 192_000), 192_000, default()),
        ("audio before frame 0", words(1.0, RATE), RATE, early),
    ] {
        let mouth = float_mouth(&audio, rate, options);
        assert!(mouth.iter().all(|value| value.is_finite()), "{what}");
    }
}

#[test]
fn an_hour_of_silence_rests() {
    let still = vec![head(1)[0].clone()];
    let mut clip = clip();
    clip.analyze(0, &still[0].view()).unwrap();
    clip.set_samples(vec![0.0; 16_000].into()).unwrap();
    let rest = render(&clip, &still, 0);
    clip.set_samples(vec![0.0; 3600 * 16_000].into()).unwrap();
    let mut target = still[0].target();
    for index in [0, 45_000, 89_999] {
        clip.analyze(index, &still[0].view()).unwrap();
        clip.render(index, &still[0].view(), &mut target.view_mut())
            .unwrap();
        assert!(target == rest.picture, "frame {index}");
    }
}

#[test]
fn a_face_is_chosen_by_place_or_by_number() {
    let frames = head(3);
    let audio = words(0.3, RATE);
    let clip = analysed(ClipOptions::default(), &frames, &audio, RATE);
    let seen = clip.faces(0).unwrap();
    let expected = render(&clip, &frames, 1);
    let [x, y] = seen[0].centre;
    let with = |selection| ClipOptions {
        selection,
        ..ClipOptions::default()
    };
    for selection in [Selection::Point { x, y }, Selection::Id(seen[0].id)] {
        let other = analysed(with(selection), &frames, &audio, RATE);
        assert_same(
            std::slice::from_ref(&expected),
            &[render(&other, &frames, 1)],
            "chosen",
        );
    }
    for selection in [Selection::Point { x: -5000.0, y }, Selection::Id(77)] {
        let other = analysed(with(selection), &frames, &audio, RATE);
        assert!(!render(&other, &frames, 1).rendered.changed);
    }
    // Numbers are given in order of time.
    let late = Clip::new(engine(), with(Selection::Id(0))).unwrap();
    late.analyze(2, &frames[2].view()).unwrap();
    assert!(matches!(
        late.analyze(1, &frames[1].view()),
        Err(Error::State(_))
    ));
}

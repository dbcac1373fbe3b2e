//! What is promised of a dissolve: it ends a shot, the effect fades out to its middle and in again, and its frames
//! are not taken for pictures of the person.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod clip_support;

use clip_support::*;
use stylelipsync::{Clip, ClipOptions};

const RATE: u32 = 16_000;
/// The last frame of the first shot, the first one of the second, and the first that shows more of the second.
const START: usize = 29;
const END: usize = 41;
const MIDDLE: usize = 35;
const ALL: usize = 64;

/// A frame of another scene: the picture mirrored and in other colours.
fn elsewhere(frame: &Picture) -> Picture {
    let mut out = frame.target();
    let width = frame.width as usize;
    let rows = out
        .bytes
        .chunks_exact_mut(4 * width)
        .zip(frame.bytes.chunks_exact(4 * width));
    for (to, from) in rows {
        for (to, from) in to.chunks_exact_mut(4).zip(from.chunks_exact(4).rev()) {
            to.copy_from_slice(&[255 - from[0] / 2, from[1], from[2] / 2, from[3]]);
        }
    }
    out
}

/// Two shots, and a dissolve of eleven frames between them.
fn film() -> Vec<Picture> {
    let heads = head(ALL);
    let frame = |(index, head): (usize, &Picture)| {
        let share = (index as f32 - START as f32) / (END - START) as f32;
        let share = share.clamp(0.0, 1.0);
        let mut frame = elsewhere(head);
        for (to, from) in frame.bytes.iter_mut().zip(&head.bytes) {
            *to = (f32::from(*from) * (1.0 - share) + f32::from(*to) * share).round() as u8;
        }
        frame
    };
    heads.iter().enumerate().map(frame).collect()
}

fn strengths(shown: &[Shown]) -> Vec<f32> {
    shown.iter().map(|shown| shown.rendered.strength).collect()
}

#[test]
fn a_dissolve_ends_a_shot_and_the_effect_fades() {
    let (frames, audio) = (film(), words(2.8, RATE));
    let clip = in_order(0..ALL, &frames, &audio);
    assert_eq!(clip.analysis().shots(), [0], "no two frames differ much");
    clip.finish_analysis().unwrap();
    let [0, middle] = clip.analysis().shots()[..] else {
        panic!("{:?}", clip.analysis().shots());
    };
    assert!(middle.abs_diff(MIDDLE as i64) <= 1, "{middle}");
    let middle = middle as usize;

    let whole = render_all(&clip, &frames);
    let strengths = strengths(&whole);
    assert!(
        strengths[..START]
            .iter()
            .chain(&strengths[END + 1..])
            .all(|s| *s > 0.9),
        "{strengths:?}"
    );
    assert!(
        strengths[START + 1..=middle].is_sorted_by(|a, b| a >= b),
        "{strengths:?}"
    );
    assert!(strengths[middle..END].is_sorted(), "{strengths:?}");
    assert!(
        strengths[middle] < 0.2 && (0.3..0.7).contains(&strengths[START + 3]),
        "{strengths:?}"
    );
    let untouched =
        |shown: &Shown| shown.picture.bytes == frames[shown.rendered.index as usize].bytes;
    assert!(
        whole
            .iter()
            .all(|shown| untouched(shown) == (shown.rendered.strength == 0.0))
    );

    for (index, range) in [(0, 0..=START), (ALL - 1, END..=ALL - 1)] {
        let profile = clip.profile_at(index as i64).unwrap().unwrap();
        let bank = profile.bank_indices();
        assert!(bank.len() > 1, "{bank:?}");
        // The ends are found within a frame.
        let (first, last) = (*range.start() as i64 - 1, *range.end() as i64 + 1);
        assert!(
            bank.iter().all(|frame| (first..=last).contains(frame)),
            "{bank:?}"
        );
    }

    let orders: [Vec<usize>; 2] = [
        (0..ALL).rev().collect(),
        (0..ALL).map(|k| (k * 37) % ALL).collect(),
    ];
    for order in orders {
        let clip = in_order(order.into_iter(), &frames, &audio);
        clip.finish_analysis().unwrap();
        assert_same(&whole, &render_all(&clip, &frames), "in another order");
    }
}

#[test]
fn a_file_and_a_stream_fade_alike() {
    let (frames, audio) = (film(), words(2.8, RATE));
    let clip = in_order(0..ALL, &frames, &audio);
    clip.finish_analysis().unwrap();
    let whole = render_all(&clip, &frames);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("film.slsa");
    clip.save_analysis(&path).unwrap();
    let mut loaded = Clip::new(engine(), ClipOptions::default()).unwrap();
    loaded.set_audio(&audio, RATE, 1).unwrap();
    loaded.load_analysis(&path).unwrap();
    assert_eq!(loaded.analysis().shots(), clip.analysis().shots());
    assert_same(&whole, &render_all(&loaded, &frames), "loaded");
    let mut shown = Vec::new();
    for frame in &frames {
        loaded.push_frame(&frame.view()).unwrap();
        pull_ready(&mut loaded, &mut shown);
    }
    assert_same(&whole[..shown.len()], &shown, "the stream");
    assert!(shown.len() > END);
}

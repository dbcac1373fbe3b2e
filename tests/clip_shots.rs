//! What is promised of a film with cuts: nothing reaches from one shot into another, by both ways, in
//! any order.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod clip_support;

use clip_support::*;
use stylelipsync::{Clip, ClipOptions};

const RATE: u32 = 16_000;
/// Frames of the first shot, and of all three.
const FIRST: usize = 30;
const SECOND: usize = 58;
const ALL: usize = 70;

/// The same head, farther away in front of another background.
fn elsewhere(frame: &Picture) -> Picture {
    let mut out = frame.target();
    let (width, height) = (frame.width as usize, frame.height as usize);
    for y in 0..height {
        for x in 0..width {
            // Three quarters of the size, at the lower right.
            let from = |at: usize, size: usize| {
                (at + size / 3 >= size / 3 * 2).then(|| (4 * at / 3).saturating_sub(size / 3))
            };
            let pixel = match (from(x, width), from(y, height)) {
                (Some(x), Some(y)) if x < width && y < height => {
                    let at = 4 * (y * width + x);
                    [
                        frame.bytes[at],
                        frame.bytes[at + 1],
                        frame.bytes[at + 2],
                        255,
                    ]
                }
                _ => [(200 * y / height) as u8, (255 * x / width) as u8, 40, 255],
            };
            let at = 4 * (y * width + x);
            out.bytes[at..at + 4].copy_from_slice(&pixel);
        }
    }
    out
}

/// Three shots; the last one is the first one's scene again.
fn film() -> Vec<Picture> {
    let head = head(42);
    let first = head[..FIRST].iter().cloned();
    let second = head[..SECOND - FIRST].iter().map(elsewhere);
    let third = head[FIRST..].iter().cloned();
    first.chain(second).chain(third).collect()
}

fn bank_at(clip: &Clip, index: usize) -> Vec<i64> {
    let profile = clip.profile_at(index as i64).unwrap();
    profile.unwrap().bank_indices()
}

/// Frames next to the cuts and in the middle of the shots.
fn some(clip: &Clip, frames: &[Picture]) -> Vec<Shown> {
    let some = [0, 14, FIRST - 1, FIRST, 44, SECOND - 1, SECOND, ALL - 1];
    some.map(|index| render(clip, frames, index)).to_vec()
}

#[test]
fn each_shot_has_a_profile_of_its_own() {
    let frames = film();
    let audio = words(3.0, RATE);
    let clip = in_order(0..ALL, &frames, &audio);
    let starts = [0, FIRST as i64, SECOND as i64];
    assert_eq!(clip.analysis().shots(), starts);
    let ranges = [0..FIRST, FIRST..SECOND, SECOND..ALL];
    let check = |clip: &Clip| {
        for range in ranges.clone() {
            for index in [range.start, range.end - 1] {
                let bank = bank_at(clip, index);
                let inside = |frame: &i64| range.contains(&(*frame as usize));
                assert!(bank.iter().all(inside), "{index}: {bank:?}");
            }
        }
    };
    check(&clip);
    assert_eq!(clip.profile().unwrap().unwrap().shots(), starts);
    let early = some(&clip, &frames);
    assert!(early.iter().all(|shown| shown.rendered.changed));
    // The person is recognised after a cut.
    let numbers = [0, FIRST, SECOND].map(|at| render(&clip, &frames, at).rendered.face);
    assert_eq!(numbers, [Some(0); 3]);
    clip.finish_analysis().unwrap();
    check(&clip);
    assert_eq!(clip.profile().unwrap().unwrap().shots(), starts);
    let whole = some(&clip, &frames);

    // In other orders, as from several threads.
    let orders: [Vec<usize>; 2] = [
        (0..ALL).rev().collect(),
        (0..ALL).map(|k| k / 7 * 7 + (k * 3) % 7).collect(),
    ];
    for order in orders {
        let clip = in_order(order.into_iter(), &frames, &audio);
        assert_same(&early, &some(&clip, &frames), "the first seconds");
        clip.finish_analysis().unwrap();
        assert_same(&whole, &some(&clip, &frames), "the whole film");
    }
}

#[test]
fn a_shot_is_rendered_as_if_the_film_ended_there() {
    let frames = film();
    let audio = words(3.0, RATE);
    let whole = in_order(0..ALL, &frames, &audio);
    let alone = in_order(0..FIRST, &frames, &audio);
    let last: Vec<usize> = (FIRST - 3..FIRST).collect();
    let shown = |clip: &Clip| -> Vec<Shown> {
        last.iter()
            .map(|index| render(clip, &frames, *index))
            .collect()
    };
    assert_same(&shown(&alone), &shown(&whole), "before the cut");
    whole.finish_analysis().unwrap();
    alone.finish_analysis().unwrap();
    assert_same(&shown(&alone), &shown(&whole), "before the cut");
}

#[test]
fn a_stream_gives_the_bytes_of_random_access_over_cuts() {
    let frames = film();
    let audio = words(3.0, RATE);
    let expected = render_all(&in_order(0..ALL, &frames, &audio), &frames);
    let shown = stream(ClipOptions::default(), &frames, &audio, RATE, 7, 1600);
    assert_same(&expected, &shown, "the stream");
    // With the profile of the whole film.
    let clip = in_order(0..ALL, &frames, &audio);
    clip.finish_analysis().unwrap();
    let expected = render_all(&clip, &frames);
    let mut other = Clip::new(engine(), ClipOptions::default()).unwrap();
    other.set_audio(&audio, RATE, 1).unwrap();
    other.set_profile(clip.profile().unwrap().unwrap()).unwrap();
    let mut shown = Vec::new();
    for frame in &frames {
        other.push_frame(&frame.view()).unwrap();
        pull_ready(&mut other, &mut shown);
    }
    other.flush().unwrap();
    pull_ready(&mut other, &mut shown);
    let same_faces = |shown: Vec<Shown>| -> Vec<Picture> {
        shown.into_iter().map(|shown| shown.picture).collect()
    };
    assert!(same_faces(expected) == same_faces(shown));
}

#[test]
fn a_stream_of_short_shots_goes_on_and_forgets() {
    let head = head(8);
    let scenes = [head.clone(), head.iter().map(elsewhere).collect()];
    let mut clip = Clip::new(engine(), ClipOptions::default()).unwrap();
    clip.set_audio(&words(9.0, RATE), RATE, 1).unwrap();
    let (mut shown, mut most) = (Vec::new(), 0);
    // Shots of four frames.
    for index in 0..200 {
        let frame = &scenes[index / 4 % 2][index % 8];
        clip.push_frame(&frame.view()).unwrap();
        pull_ready(&mut clip, &mut shown);
        most = most.max(clip.memory_use().pictures);
    }
    clip.flush().unwrap();
    pull_ready(&mut clip, &mut shown);
    assert_eq!(shown.len(), 200);
    assert!(shown.iter().all(|shown| shown.rendered.changed));
    assert!(most <= 30, "{most}");
}

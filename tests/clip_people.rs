//! What is promised of people: a face keeps its number over crossings and cuts, and a picture of a person selects
//! that person. The bundled head, and another rendered one (`models/head/make_clip.py`, identity 3).

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod clip_support;

use std::path::Path;
use std::sync::Arc;

use clip_support::*;
use stylelipsync::frame::Transfer;
use stylelipsync::track::Selection;
use stylelipsync::{Clip, ClipOptions, Error};

/// Frames of the crossing.
const COUNT: i64 = 16;
const SIZE: [u32; 2] = [960, 480];

fn other() -> Picture {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    read(&folder.join("other_head.jpg"))
}

/// The middle 320 columns of people, placed with their left edges at columns; later ones are in front.
fn placed(people: &[(&Picture, i64)]) -> Picture {
    let mut frame = Picture::blank(SIZE[0], SIZE[1]);
    for (person, left) in people {
        for row in 0..480 {
            for column in 0..320 {
                let from = 4 * (row * 640 + column + 160);
                let Ok(to) = usize::try_from(left + column as i64) else {
                    continue;
                };
                if to < 960 {
                    let to = 4 * (row * 960 + to);
                    frame.bytes[to..to + 4].copy_from_slice(&person.bytes[from..from + 4]);
                }
            }
        }
    }
    frame
}

/// The other person walks behind the head.
fn crossing() -> Vec<Picture> {
    let (heads, other) = (head(COUNT as usize), other());
    let frame =
        |(index, head): (i64, &Picture)| placed(&[(&other, 640 - 43 * index), (head, 43 * index)]);
    (0..).zip(&heads).map(frame).collect()
}

/// The numbers of the faces of a frame, from left to right.
fn numbers(clip: &Clip, index: i64) -> Vec<u32> {
    let mut faces = clip.faces(index).unwrap();
    faces.sort_by(|a, b| a.centre[0].total_cmp(&b.centre[0]));
    faces.iter().map(|face| face.id).collect()
}

fn analysed_in(order: impl Iterator<Item = i64>, frames: &[Picture]) -> Clip {
    let clip = Clip::new(engine(), ClipOptions::default()).unwrap();
    for index in order {
        let frame = &frames[index as usize];
        clip.analyze(index, &frame.view()).unwrap();
    }
    clip
}

#[test]
fn people_who_cross_keep_their_numbers() {
    let frames = crossing();
    let clip = analysed_in(0..COUNT, &frames);
    let [first, second] = numbers(&clip, 0)[..] else {
        panic!("two faces are in sight");
    };
    assert_eq!(numbers(&clip, COUNT - 1), [second, first]);
    // They are behind each other for a while.
    assert!((0..COUNT).any(|index| numbers(&clip, index).len() == 1));
    let backwards = analysed_in((0..COUNT).rev(), &frames);
    for index in 0..COUNT {
        assert_eq!(numbers(&clip, index), numbers(&backwards, index), "{index}");
    }
}

#[test]
fn a_person_has_the_same_number_after_a_cut() {
    let (heads, other) = (head(8), other());
    // A dialogue, then both, the other way round.
    let shots = [
        placed(&[(&heads[0], 40)]),
        placed(&[(&other, 600)]),
        placed(&[(&heads[7], 60)]),
        placed(&[(&other, 40), (&heads[3], 500)]),
    ];
    let clip = analysed_in(0..4, &shots);
    assert_eq!(clip.analysis().shots(), [0, 1, 2, 3]);
    let found = [0, 1, 2, 3].map(|index| numbers(&clip, index));
    assert_eq!(found, [vec![0], vec![1], vec![0], vec![1, 0]]);
}

#[test]
fn a_picture_selects_the_person() {
    let frames = crossing();
    let wanted = engine()
        .recognize(&other().view(), Transfer::Display)
        .unwrap();
    let options = ClipOptions {
        selection: Selection::Like(wanted),
        ..ClipOptions::default()
    };
    let mut clip = Clip::new(engine(), options).unwrap();
    clip.set_samples(Arc::new(words(1.0, 16_000))).unwrap();
    for (index, frame) in (0..).zip(&frames) {
        clip.analyze(index, &frame.view()).unwrap();
    }
    let place = |index: i64| clip.speaker(index).map(|face| face.centre[0]);
    let [first, last] = [0, COUNT - 1].map(place);
    assert!(
        first.is_some_and(|x| x > 600.0) && last.is_some_and(|x| x < 360.0),
        "{first:?} {last:?}"
    );
    // A frame that was not analysed.
    let last = &frames[frames.len() - 1];
    let mut target = last.target();
    let rendered = clip.render(99, &last.view(), &mut target.view_mut());
    assert!(rendered.unwrap().changed);
    let pixels = last.bytes.chunks_exact(4).zip(target.bytes.chunks_exact(4));
    let changed = pixels.enumerate().filter(|(_, (a, b))| a != b);
    assert!(changed.map(|(at, _)| at % 960).all(|column| column < 360));
    let nobody = engine().recognize(&Picture::blank(320, 240).view(), Transfer::Display);
    assert!(matches!(nobody, Err(Error::NoFace(_))), "{nobody:?}");
}

//! What is promised of the watermark: it is found, only where there is one, lies inside the matte
//! alone, and does not depend on the order of calls.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod clip_support;

use clip_support::*;
use stylelipsync::{Clip, ClipOptions, Detection, Detector, FrameOptions, MarkId, Matte, Transfer};

const RATE: u32 = 16_000;
const FRAMES: usize = 24;

fn detect<'a>(pictures: impl Iterator<Item = &'a Picture>) -> Detection {
    let mut detector = Detector::new(engine(), Transfer::Display);
    for picture in pictures {
        detector.push(&picture.view()).unwrap();
    }
    detector.detect().unwrap()
}

/// The matte of a frame.
fn matte(clip: &Clip, frames: &[Picture], index: usize) -> Matte {
    let (mut picture, mut matte) = (frames[index].target(), Matte::default());
    let mut options = FrameOptions {
        matte: Some(&mut matte),
        ..FrameOptions::default()
    };
    let (source, mut target) = (frames[index].view(), picture.view_mut());
    clip.render_with(index as i64, &source, &mut target, &mut options)
        .unwrap();
    matte
}

#[test]
fn a_marked_clip_is_told_from_others() {
    let (frames, audio) = (head(FRAMES), words(1.0, RATE));
    let mut clip = analysed(ClipOptions::default(), &frames, &audio, RATE);
    let plain = render_all(&clip, &frames);
    let id = MarkId::new(0x0bad_cafe).unwrap();
    clip.set_watermark(Some(id));
    let marked = render_all(&clip, &frames);
    assert_eq!(clip.provenance().watermark.unwrap(), "534c53310badcafe");

    let found = detect(marked.iter().map(|shown| &shown.picture));
    assert!(found.found && found.chance <= 1e-7, "{found:?}");
    assert_eq!((found.frames, found.faces), (FRAMES as u64, FRAMES as u64));
    // It is read only where it is certain, never wrongly.
    assert!(found.id.is_none_or(|read| read == id), "{found:?}");
    assert!(found.score > 6.2, "{found:?}");
    for unmarked in [
        detect(plain.iter().map(|shown| &shown.picture)),
        detect(frames.iter()),
    ] {
        assert!(!unmarked.found && unmarked.score < 4.5, "{unmarked:?}");
        assert_eq!(unmarked.id, None);
    }

    // It lies inside the matte, and is small.
    let mut largest = 0;
    for (index, (marked, plain)) in marked.iter().zip(&plain).enumerate() {
        let matte = matte(&clip, &frames, index);
        let pixels = marked
            .picture
            .bytes
            .chunks_exact(4)
            .zip(plain.picture.bytes.chunks_exact(4));
        for ((marked, plain), alpha) in pixels.zip(&matte.alpha) {
            let change = marked
                .iter()
                .zip(plain)
                .map(|(a, b)| a.abs_diff(*b))
                .max()
                .unwrap();
            assert!(*alpha > 0.0 || change == 0, "frame {index}");
            largest = largest.max(change);
        }
    }
    assert!((2..=14).contains(&largest), "{largest}");

    // The same bytes in any order, and none of it once it is switched off.
    for index in [7, 2, 11] {
        assert_eq!(
            render(&clip, &frames, index).picture.bytes,
            marked[index].picture.bytes
        );
    }
    clip.set_watermark(None);
    assert_eq!(
        render(&clip, &frames, 5).picture.bytes,
        plain[5].picture.bytes
    );
}

#[test]
fn the_identifier_of_the_inputs_depends_on_them() {
    let frames = head(3);
    let id = |seconds: f64| {
        let audio = words(seconds, RATE);
        let clip = analysed(ClipOptions::default(), &frames, &audio, RATE);
        MarkId::of_inputs(&clip.provenance())
    };
    assert_eq!(id(1.0), id(1.0));
    assert_ne!(id(1.0), id(1.1));
}

#[test]
fn frames_without_a_face_and_no_frames_are_not_marked() {
    let none = detect(std::iter::empty());
    assert_eq!((none.found, none.score, none.frames), (false, 0.0, 0));
    let blank = Picture::blank(64, 48);
    let seen = detect([&blank, &blank].into_iter());
    assert_eq!((seen.found, seen.frames, seen.faces), (false, 2, 0));
}

//! One frame of the demo, stored. Random access and the stream share most of their code, so that a
//! test that compares one with the other cannot see a fault of both; this one can. After a change that
//! is meant to change the picture, `BLESS=1 cargo test --test golden_frame` stores the new one.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod clip_support;

use std::path::Path;

use clip_support::*;
use stylelipsync::ClipOptions;
use stylelipsync::audio::decode_file;

/// The frame, and where in it the mouth is (pixels: left, top, width, height).
const FRAME: usize = 12;
const MOUTH: [usize; 4] = [250, 250, 120, 80];

/// How far a frame may be from the stored one, in levels of 255. Another processor or another build
/// of ONNX Runtime adds up floating-point numbers in another order, which changes a level or two;
/// another mouth changes some ten on average and a hundred at the lips.
const MEAN: f64 = 0.5;
const LARGEST: u8 = 8;

fn mouth(picture: &Picture) -> Vec<u8> {
    let [left, top, width, height] = MOUTH;
    let rows = (top..top + height).flat_map(|y| (left..left + width).map(move |x| (x, y)));
    rows.flat_map(|(x, y)| {
        let at = 4 * (y * picture.width as usize + x);
        picture.bytes[at..at + 3].to_vec()
    })
    .collect()
}

/// The mean and the largest difference.
fn distance(one: &[u8], other: &[u8]) -> (f64, u8) {
    assert_eq!(one.len(), other.len());
    let differences = one.iter().zip(other).map(|(a, b)| a.abs_diff(*b));
    let sum: u64 = differences.clone().map(u64::from).sum();
    (
        sum as f64 / one.len() as f64,
        differences.max().unwrap_or(0),
    )
}

#[test]
fn a_frame_of_the_demo_is_the_stored_one_both_ways() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let stored = root.join("tests/golden/demo_mouth.png");
    let frames = head(27);
    let speech = decode_file(&root.join("models/head/clip/other.wav")).unwrap();
    let clip = analysed(
        ClipOptions::default(),
        &frames,
        &speech.samples,
        speech.rate,
    );
    let random = render(&clip, &frames, FRAME);
    let streamed = stream(
        ClipOptions::default(),
        &frames,
        &speech.samples,
        speech.rate,
        1,
        4000,
    );
    if std::env::var_os("BLESS").is_some() {
        let [_, _, width, height] = MOUTH.map(|side| side as u32);
        let mouth = mouth(&random.picture);
        let image = image::RgbImage::from_raw(width, height, mouth).unwrap();
        image.save(&stored).unwrap();
    }
    let golden = image::open(stored).unwrap().into_rgb8().into_raw();
    for (way, picture) in [
        ("random access", &random.picture),
        ("stream", &streamed[FRAME].picture),
    ] {
        let (mean, largest) = distance(&mouth(picture), &golden);
        assert!(
            mean <= MEAN && largest <= LARGEST,
            "{way}: {mean:.3} levels on average, {largest} at most"
        );
    }
    // The stored mouth is far from the source's: a frame that passes through is not accepted.
    let (mean, largest) = distance(&mouth(&frames[FRAME]), &golden);
    assert!(
        mean > 4.0 * MEAN && largest > 4 * LARGEST,
        "{mean} {largest}"
    );
}

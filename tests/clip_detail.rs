//! What is promised of the detail of large faces: it follows the person's own pictures, changes nothing
//! outside the matte, does not depend on the order of calls, and obeys its control and the memory limit.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod clip_support;

use clip_support::*;
use stylelipsync::{Clip, ClipOptions, FrameOptions, Matte};

const RATE: u32 = 16_000;
const FRAMES: usize = 14;
const LARGER: usize = 3;

/// Frames of the bundled clip, three times as large, with a checkered texture.
fn close_ups() -> Vec<Picture> {
    let enlarge = |small: &Picture| {
        let (width, height) = (small.width as usize, small.height as usize);
        let mut large = Picture::blank(small.width * 3, small.height * 3);
        for (i, pixel) in large.bytes.chunks_exact_mut(4).enumerate() {
            let (x, y) = (i % (width * LARGER), i / (width * LARGER));
            let from = 4 * (y / LARGER * width + x / LARGER);
            pixel.copy_from_slice(&small.bytes[from..from + 4]);
            for value in &mut pixel[..3] {
                *value = value.saturating_add([0, 24][(x / 3 + y / 3) % 2]);
            }
        }
        assert_eq!(large.bytes.len(), 36 * width * height);
        large
    };
    head(FRAMES).iter().map(enlarge).collect()
}

fn with_detail(clip: &Clip, frame: &Picture, index: usize, detail: f32) -> (Picture, Matte) {
    let (mut picture, mut matte) = (frame.target(), Matte::default());
    let mut options = FrameOptions {
        detail,
        matte: Some(&mut matte),
        ..FrameOptions::default()
    };
    clip.render_with(
        index as i64,
        &frame.view(),
        &mut picture.view_mut(),
        &mut options,
    )
    .unwrap();
    (picture, matte)
}

/// Mean difference of pixels next to each other where the matte is 1.
fn roughness(picture: &Picture, matte: &Matte) -> f64 {
    let pairs = (1..matte.alpha.len()).filter(|i| matte.alpha[*i] >= 1.0);
    let differences: Vec<f64> = pairs
        .map(|i| f64::from(picture.bytes[4 * i].abs_diff(picture.bytes[4 * (i - 1)])))
        .collect();
    differences.iter().sum::<f64>() / differences.len() as f64
}

#[test]
fn a_large_face_gets_the_texture_of_its_own_pictures_within_the_matte() {
    let frames = close_ups();
    let audio = words(0.8, RATE);
    let clip = analysed(ClipOptions::default(), &frames, &audio, RATE);
    clip.finish_analysis().unwrap();
    let at = 6;
    let shown: Vec<_> = [0.0, 1.0, 2.0]
        .iter()
        .map(|detail| with_detail(&clip, &frames[at], at, *detail))
        .collect();
    let [none, one, two] = [0, 1, 2].map(|k| roughness(&shown[k].0, &shown[k].1));
    let own = roughness(&frames[at], &shown[0].1);
    assert!(none < 0.3 * own, "{none} of {own}");
    assert!(one > 2.0 * none && one < 1.2 * own, "{one}: {none}, {own}");
    assert!(two > one, "{two}");
    for (picture, matte) in &shown {
        assert_eq!(matte, &shown[0].1);
        let pixels = picture
            .bytes
            .chunks_exact(4)
            .zip(frames[at].bytes.chunks_exact(4));
        for ((made, source), alpha) in pixels.zip(&matte.alpha) {
            assert!(*alpha > 0.0 || made == source);
        }
    }
    // The default is 1.
    assert!(render(&clip, &frames, at).picture == shown[1].0);

    // Any order, and threads.
    let backwards = Clip::new(engine(), ClipOptions::default()).unwrap();
    let mut backwards = backwards;
    backwards.set_audio(&audio, RATE, 1).unwrap();
    for index in (0..FRAMES).rev() {
        backwards
            .analyze(index as i64, &frames[index].view())
            .unwrap();
    }
    backwards.finish_analysis().unwrap();
    std::thread::scope(|scope| {
        for index in [9, 6, 2] {
            let (clip, backwards, frames) = (&clip, &backwards, &frames);
            scope.spawn(move || {
                let one = render(clip, frames, index);
                let other = render(backwards, frames, index);
                assert!(one.picture == other.picture, "frame {index}");
            });
        }
    });
}

#[test]
fn with_little_memory_there_is_no_band_and_the_memory_is_counted() {
    let frames = close_ups();
    let audio = words(0.8, RATE);
    let held = |memory: Option<u64>| {
        let options = ClipOptions {
            memory,
            ..ClipOptions::default()
        };
        let clip = analysed(options, &frames, &audio, RATE);
        let bytes = clip.memory_use().bytes - 4 * clip.memory_use().audio as u64;
        (bytes, clip.memory_use().pictures as u64)
    };
    let (bytes, pictures) = held(Some(64 << 20));
    assert_eq!(bytes, pictures * 4 * 256 * 256);
    let (bytes, pictures) = held(None);
    // 5/8 of 512 or 1024 rows.
    assert!(bytes >= pictures * (4 * 256 * 256 + 512 * 320), "{bytes}");
    assert!(bytes <= pictures * (4 * 256 * 256 + 1024 * 640), "{bytes}");
}

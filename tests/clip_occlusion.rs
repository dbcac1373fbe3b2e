//! What lies in front of the mouth stays visible.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod clip_support;

use clip_support::*;
use stylelipsync::{ClipOptions, FrameOptions, Matte};

/// Middle of the mouth in the bundled clip's first frames, pixels.
const MOUTH: [f32; 2] = [306.0, 286.0];

/// Distance of a pixel to the outline of a microphone before the mouth, negative inside: a ball on a rod that
/// comes from below.
fn distance(pixel: usize) -> f32 {
    let [x, y] = [(pixel % 640) as f32, (pixel / 640) as f32];
    let [dx, dy] = [x - MOUTH[0] - 25.0, y - MOUTH[1] - 10.0];
    let ball = (dx * dx + dy * dy).sqrt() - 30.0;
    let rod = (dx.abs() - 12.0).max(-dy);
    ball.min(rod)
}

/// The clip's first frames with a microphone of dark foam in front of the mouth.
fn with_microphone(count: usize) -> Vec<Picture> {
    let mut frames = head(count);
    for frame in &mut frames {
        for (pixel, bytes) in frame.bytes.chunks_exact_mut(4).enumerate() {
            if distance(pixel) < 0.0 {
                let light = 1.0 - distance(pixel).max(-20.0) / 20.0;
                let grain = (pixel * 7919 % 13) as f32;
                bytes[..3].fill((18.0 + 14.0 * light + grain) as u8);
            }
        }
    }
    frames
}

/// The matte of frame 3, and how many of its pixels inside the microphone changed.
fn rendered(frames: &[Picture], ignore_occlusion: bool) -> (Matte, usize) {
    let options = ClipOptions {
        ignore_occlusion,
        ..ClipOptions::default()
    };
    let clip = analysed(options, frames, &words(2.0, 16_000), 16_000);
    let (mut matte, mut target) = (Matte::default(), frames[3].target());
    let mut options = FrameOptions {
        matte: Some(&mut matte),
        ..FrameOptions::default()
    };
    clip.render_with(3, &frames[3].view(), &mut target.view_mut(), &mut options)
        .unwrap();
    let pixels = target.bytes.chunks(4).zip(frames[3].bytes.chunks(4));
    let changed = pixels
        .enumerate()
        .filter(|(pixel, (made, source))| distance(*pixel) < -3.0 && made != source);
    (matte, changed.count())
}

fn covered(matte: &Matte) -> f32 {
    matte.alpha.iter().sum()
}

#[test]
fn a_microphone_stays_in_front_of_the_mouth() {
    let frames = with_microphone(8);
    let (over, painted) = rendered(&frames, true);
    let (kept, left) = rendered(&frames, false);
    assert!(painted > 1000, "{painted} pixels of it are in the matte");
    assert!(left * 10 < painted, "{left} of {painted} pixels changed");
    // The rest of the mouth is generated all the same.
    let beside = |matte: &Matte| {
        let free = matte.alpha.iter().enumerate();
        free.filter(|(pixel, _)| distance(*pixel) > 12.0)
            .map(|(_, alpha)| alpha)
            .sum::<f32>()
    };
    assert!(beside(&kept) > 0.9 * beside(&over));
}

#[test]
fn a_free_face_keeps_its_matte() {
    let frames = head(8);
    let (free, all) = (rendered(&frames, false).0, rendered(&frames, true).0);
    assert!(covered(&free) > 0.99 * covered(&all));
}

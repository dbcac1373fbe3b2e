//! The transfer function and the colour match, as the pixels of a rendered clip show them.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod clip_support;

use clip_support::*;
use stylelipsync::frame::colour::linear_from_srgb;
use stylelipsync::frame::{ColourMatch, FrameMut, FrameRef, PixelFormat, Transfer};
use stylelipsync::{Clip, ClipOptions, FrameOptions, Matte};

const RATE: u32 = 16_000;

/// Renders one frame of float pixels, encoded as `transfer` says from the head's sRGB.
fn rendered(transfer: Transfer, encode: impl Fn(f64) -> f64) -> Vec<f32> {
    let source = &head(1)[0];
    let floats: Vec<u8> = source
        .bytes
        .chunks(4)
        .flat_map(|pixel| {
            let [r, g, b] = [0, 1, 2].map(|c| encode(f64::from(pixel[c]) / 255.0) as f32);
            [r, g, b, 1.0].map(f32::to_ne_bytes).concat()
        })
        .collect();
    let options = ClipOptions {
        transfer,
        ..ClipOptions::default()
    };
    let mut clip = Clip::new(engine(), options).unwrap();
    clip.set_audio(&words(1.0, RATE), RATE, 1).unwrap();
    let (width, height, format) = (source.width, source.height, PixelFormat::RgbaF32);
    let view = FrameRef::packed(&floats, width, height, format).unwrap();
    let mut out = vec![0; floats.len()];
    let mut target = FrameMut::packed(&mut out, width, height, format).unwrap();
    assert!(clip.render(0, &view, &mut target).unwrap().changed);
    let (values, _) = out.as_chunks::<4>();
    values
        .iter()
        .map(|value| f32::from_ne_bytes(*value))
        .collect()
}

/// The mean difference of two pictures, in levels of 255.
fn difference(one: &[f32], other: &[f32]) -> f64 {
    let sum: f64 = one
        .iter()
        .zip(other)
        .map(|(a, b)| f64::from((a - b).abs()))
        .sum();
    255.0 * sum / one.len() as f64
}

#[test]
fn linear_pixels_are_rendered_as_their_srgb_pixels_are() {
    let encoded = rendered(Transfer::Srgb, |v| v);
    let linear = rendered(Transfer::Linear, linear_from_srgb);
    let as_linear: Vec<f32> = encoded
        .iter()
        .map(|v| linear_from_srgb(f64::from(*v)) as f32)
        .collect();
    let same = difference(&linear, &as_linear);
    assert!(same < 0.1, "{same}");
    // Linear pixels that are taken for display-referred ones give another picture.
    let mistaken = rendered(Transfer::Display, linear_from_srgb);
    let other = difference(&mistaken, &linear);
    assert!(other > 5.0 * same.max(0.01), "{other}, {same}");
}

/// The mean difference of source and result in each channel, in levels, in the rim where the mask
/// fades.
fn rim(limit: f32) -> [f64; 3] {
    // A frame in warmer light than the reference's.
    let frames = head(1);
    let mut warm = frames[0].clone();
    for pixel in warm.bytes.chunks_mut(4) {
        for (channel, gain) in [(0, 1.0), (1, 0.93), (2, 0.85)] {
            pixel[channel] = (f64::from(pixel[channel]) * gain).round() as u8;
        }
    }
    let options = ClipOptions {
        colour_match: ColourMatch {
            limit,
            ..ColourMatch::default()
        },
        ..ClipOptions::default()
    };
    let mut clip = Clip::new(engine(), options).unwrap();
    clip.set_audio(&words(1.0, RATE), RATE, 1).unwrap();
    clip.set_reference(&frames[0].view()).unwrap();
    let (mut target, mut matte) = (warm.target(), Matte::default());
    let mut asked = FrameOptions {
        matte: Some(&mut matte),
        ..FrameOptions::default()
    };
    let rendered = clip.render_with(0, &warm.view(), &mut target.view_mut(), &mut asked);
    assert!(rendered.unwrap().changed);
    let (mut sums, mut count) = ([0.0; 3], 0.0);
    let pixels = warm.bytes.chunks(4).zip(target.bytes.chunks(4));
    for ((before, after), alpha) in pixels.zip(&matte.alpha) {
        if (0.5..0.95).contains(alpha) {
            count += 1.0;
            for c in 0..3 {
                sums[c] += f64::from(after[c]) - f64::from(before[c]);
            }
        }
    }
    assert!(count > 100.0, "{count} pixels");
    sums.map(|sum| sum / count)
}

#[test]
fn the_rim_of_the_mouth_has_the_light_of_the_frame() {
    let (off, on) = (rim(1.0), rim(ColourMatch::default().limit));
    println!("without the match {off:?}, with it {on:?}");
    let worst = |rim: [f64; 3]| rim.into_iter().map(f64::abs).fold(0.0, f64::max);
    assert!(worst(on) < 0.6 * worst(off), "{off:?} {on:?}");
}

use super::*;
use crate::frame::{BorderMode, FrameRef, PixelFormat, Sampler, ToneMap, colour, copy_pixels};

const SIZE: usize = 64;

/// A round mask with a soft rim, 0 in the outer two pixels.
fn disc() -> Vec<f32> {
    let half = SIZE as f32 / 2.0;
    (0..SIZE * SIZE)
        .map(|i| {
            let (x, y) = (
                (i % SIZE) as f32 + 0.5 - half,
                (i / SIZE) as f32 + 0.5 - half,
            );
            ((half - 4.0 - x.hypot(y)) / 8.0).clamp(0.0, 1.0)
        })
        .collect()
}

fn planar(colour: impl Fn(f32, f32) -> [f32; 3]) -> Vec<f32> {
    let mut out = vec![0.0; 3 * SIZE * SIZE];
    for i in 0..SIZE * SIZE {
        let rgb = colour((i % SIZE) as f32 + 0.5, (i / SIZE) as f32 + 0.5);
        for c in 0..3 {
            out[c * SIZE * SIZE + i] = rgb[c];
        }
    }
    out
}

fn float_frame(width: usize, height: usize, rgb: impl Fn(usize, usize) -> [f32; 3]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let [r, g, b] = rgb(x, y);
            for v in [r, g, b, 0.25] {
                bytes.extend_from_slice(&v.to_ne_bytes());
            }
        }
    }
    bytes
}

fn value(bytes: &[u8], width: usize, x: usize, y: usize, channel: usize) -> f32 {
    let at = ((y * width + x) * 4 + channel) * 4;
    f32::from_ne_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn blend(
    bytes: &mut [u8],
    (width, height): (usize, usize),
    transfer: Transfer,
    map: &Similarity,
    generated: &[f32],
) -> Option<Bounds> {
    blend_with(bytes, (width, height), 1.0, transfer, map, generated)
}

fn blend_with(
    bytes: &mut [u8],
    (width, height): (usize, usize),
    aspect: f64,
    transfer: Transfer,
    map: &Similarity,
    generated: &[f32],
) -> Option<Bounds> {
    let format = PixelFormat::RgbaF32;
    let source = bytes.to_vec();
    let source = FrameRef::packed(&source, width as u32, height as u32, format).unwrap();
    let mut frame = FrameMut::packed(bytes, width as u32, height as u32, format).unwrap();
    let source = source.with_pixel_aspect(aspect).unwrap();
    copy_pixels(&source, &mut frame).unwrap();
    let patch = Patch {
        size: SIZE,
        generated,
        alpha: &disc(),
        gains: &Gains::default(),
        tone: ToneMap::NONE,
        detail: &[],
    };
    Compositor::default()
        .blend(&mut frame, transfer, map, &patch, 1.0)
        .unwrap()
}

#[test]
fn a_colour_arrives_in_the_frames_own_encoding() {
    let encoded = 0.6f32;
    let light = colour::linear_from_srgb(f64::from(encoded));
    let generated = vec![encoded * 2.0 - 1.0; 3 * SIZE * SIZE];
    for (transfer, want) in [
        (Transfer::Srgb, f64::from(encoded)),
        (Transfer::Display, f64::from(encoded)),
        (Transfer::Linear, light),
        (Transfer::Rec709, colour::rec709_from_linear(light)),
    ] {
        for scale in [0.4, 1.0, 1.7] {
            let mut bytes = float_frame(120, 120, |_, _| [0.1; 3]);
            let map = Similarity::square([60.0, 60.0], 64.0 * scale, 0.3, SIZE);
            blend(&mut bytes, (120, 120), transfer, &map, &generated).unwrap();
            for channel in 0..3 {
                let got = f64::from(value(&bytes, 120, 60, 60, channel));
                assert!(
                    (got - want).abs() < 1e-4,
                    "{transfer:?} {scale}: {got} for {want}"
                );
            }
            assert_eq!(value(&bytes, 120, 60, 60, 3), 0.25);
            assert_eq!(value(&bytes, 120, 1, 1, 0), 0.1);
        }
    }
}

/// The frame's own picture, cut out and put back, must land where it was.
#[test]
fn a_crop_goes_back_where_it_came_from() {
    for aspect in [0.5, 0.9, 1.0, 1.5, 2.0] {
        goes_back(aspect);
    }
}

/// 200x200 pixels with this aspect ratio.
fn goes_back(aspect: f64) {
    let ramp = |x: f64, y: f64| ((x + 0.6 * y) / 400.0) as f32;
    for scale in [0.5, 1.0, 2.3] {
        // On narrow pixels a face of this size would not fit.
        if 64.0 * scale * std::f64::consts::SQRT_2 > 190.0 * aspect {
            continue;
        }
        for roll in [0.0, 0.7, 3.0] {
            let source = float_frame(200, 200, |x, y| [ramp(x as f64, y as f64); 3]);
            let frame = FrameRef::packed(&source, 200, 200, PixelFormat::RgbaF32).unwrap();
            let frame = frame.with_pixel_aspect(aspect).unwrap();
            let map = Similarity::square([101.3 * aspect, 98.6], 64.0 * scale, roll, SIZE);
            let mut crop = vec![0.0; 3 * SIZE * SIZE];
            let transfer = Transfer::Display;
            let edge = BorderMode::Edge;
            Sampler::default()
                .sample(&frame, transfer, &map, SIZE, edge, &mut crop)
                .unwrap();
            let mut out = source.clone();
            let bounds = blend_with(&mut out, (200, 200), aspect, transfer, &map, &crop).unwrap();
            assert!(bounds.left > 0 && bounds.right < 200 && out != source);
            // As wide, in shown units, as it is high.
            if roll == 0.0 {
                let wide = (bounds.right - bounds.left) as f64 * aspect;
                let high = (bounds.bottom - bounds.top) as f64;
                assert!((wide - high).abs() < 3.0 + 2.0 * aspect, "{wide} {high}");
            }
            for y in 0..200 {
                for x in 0..200 {
                    let (was, is) = (value(&source, 200, x, y, 1), value(&out, 200, x, y, 1));
                    assert!(
                        (was - is).abs() < 2.5e-4,
                        "{aspect} {scale} {roll} {x} {y}: {was} {is}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_small_face_does_not_alias() {
    // A board of single pixels: its mean is 0 in [-1, 1].
    let board = planar(|x, y| {
        [if (x as i32 + y as i32) % 2 == 0 {
            1.0
        } else {
            -1.0
        }; 3]
    });
    let mut bytes = float_frame(60, 60, |_, _| [0.5; 3]);
    let map = Similarity::square([30.0, 30.0], 64.0 * 0.27, 0.2, SIZE);
    blend(&mut bytes, (60, 60), Transfer::Display, &map, &board).unwrap();
    for y in 0..60 {
        for x in 0..60 {
            assert!((value(&bytes, 60, x, y, 0) - 0.5).abs() < 0.1);
        }
    }
}

#[test]
fn a_source_without_a_number_gives_way() {
    let generated = vec![0.0; 3 * SIZE * SIZE];
    let mut bytes = float_frame(64, 64, |x, _| {
        [f32::NAN, if x > 32 { 9.0 } else { 0.2 }, 0.5]
    });
    let source = bytes.clone();
    let map = Similarity::square([32.0, 32.0], 64.0, 0.0, SIZE);
    blend(&mut bytes, (64, 64), Transfer::Display, &map, &generated).unwrap();
    assert_eq!(value(&bytes, 64, 32, 32, 0), 0.5);
    assert_eq!(value(&bytes, 64, 34, 32, 1), 0.5);
    assert_eq!(bytes[..16], source[..16]);
}

#[test]
fn a_network_gone_wrong_writes_colours() {
    let generated = planar(|x, _| [f32::NAN, f32::INFINITY, if x > 20.0 { -1e30 } else { 1e30 }]);
    let mut bytes = float_frame(100, 100, |_, _| [0.5; 3]);
    let map = Similarity::square([50.0, 50.0], 90.0, 0.0, SIZE);
    blend(&mut bytes, (100, 100), Transfer::Linear, &map, &generated).unwrap();
    for i in 0..100 * 100 * 4 {
        let v = value(&bytes, 100, i / 4 % 100, i / 400, i % 4);
        assert!((0.0..=1.0).contains(&v));
    }
}

#[test]
fn the_match_undoes_a_cast() {
    let light = Curve::of(Transfer::Linear);
    let source = planar(|x, y| [0.3 + x / 300.0, 0.1 + y / 300.0, 0.2]);
    let cast = [0.9f32, 1.1, 1.05];
    let mut generated = source.clone();
    for (i, v) in generated.iter_mut().enumerate() {
        let linear = light.from_srgb(*v * 0.5 + 0.5) * cast[i / (SIZE * SIZE)];
        *v = light.to_srgb(linear) * 2.0 - 1.0;
    }
    let alpha = disc();
    let gains = ColourMatch::default()
        .gains(&source, &generated, &alpha)
        .unwrap();
    for at in [(0, 0), (SIZE / 2, SIZE / 2), (SIZE - 1, 3)] {
        for (gain, cast) in gains.at(at.0, at.1, SIZE).iter().zip(cast) {
            assert!(
                (gain * cast - 1.0).abs() < 0.01,
                "{gain} for {cast} at {at:?}"
            );
        }
    }
    // Blended, it is the source again.
    let mut bytes = float_frame(SIZE, SIZE, |x, y| {
        [
            0.3 + (x as f32 + 0.5) / 300.0,
            0.1 + (y as f32 + 0.5) / 300.0,
            0.2,
        ]
        .map(|v| v * 0.5 + 0.5)
    });
    let before = bytes.clone();
    let map = Similarity::square([SIZE as f64 / 2.0; 2], SIZE as f64, 0.0, SIZE);
    let mut frame = FrameMut::packed(&mut bytes, 64, 64, PixelFormat::RgbaF32).unwrap();
    let patch = Patch {
        size: SIZE,
        generated: &generated,
        alpha: &alpha,
        gains: &gains,
        tone: ToneMap::NONE,
        detail: &[],
    };
    Compositor::default()
        .blend(&mut frame, Transfer::Srgb, &map, &patch, 1.0)
        .unwrap();
    for i in 0..SIZE * SIZE * 4 {
        let (x, y) = (i / 4 % SIZE, i / 4 / SIZE);
        let difference = value(&bytes, SIZE, x, y, i % 4) - value(&before, SIZE, x, y, i % 4);
        assert!(difference.abs() < 2e-3, "{x} {y}: {difference}");
    }
}

/// A cast that changes from left to right: the field follows it, within its limit, and has no steps.
#[test]
fn the_match_follows_a_cast_across_the_face() {
    let light = Curve::of(Transfer::Linear);
    let source = planar(|_, _| [0.1; 3]);
    let cast = |x: usize| 0.95 + 0.1 * x as f32 / SIZE as f32;
    let mut generated = source.clone();
    for (i, v) in generated.iter_mut().enumerate() {
        let linear = light.from_srgb(*v * 0.5 + 0.5) * cast(i % SIZE);
        *v = light.to_srgb(linear) * 2.0 - 1.0;
    }
    let alpha = disc();
    let gains = ColourMatch::default()
        .gains(&source, &generated, &alpha)
        .unwrap();
    let error = |gains: &Gains| {
        let band = (0..SIZE * SIZE).filter(|i| alpha[*i] > 0.0 && alpha[*i] < 1.0);
        let off = band.map(|i| {
            let gain = gains.at(i % SIZE, i / SIZE, SIZE)[0];
            (gain * cast(i % SIZE) - 1.0).abs()
        });
        let (count, sum) = off.fold((0, 0.0), |(n, sum), v| (n + 1, sum + v));
        sum / count as f32
    };
    let level = ColourMatch {
        limit: 1.25,
        local: 1.0,
    };
    let level = level.gains(&source, &generated, &alpha).unwrap();
    assert!(
        error(&gains) < 0.5 * error(&level),
        "{} of {}",
        error(&gains),
        error(&level)
    );
    for y in 0..SIZE {
        for x in 1..SIZE {
            let step = gains.at(x, y, SIZE)[0] - gains.at(x - 1, y, SIZE)[0];
            assert!(step.abs() < 0.02, "{step} at {x}, {y}");
        }
    }
}

#[test]
fn the_match_is_limited_and_can_be_off() {
    let alpha = disc();
    let black = vec![-1.0; 3 * SIZE * SIZE];
    let white = vec![1.0; 3 * SIZE * SIZE];
    let gains = |limit, s: &[f32], g: &[f32]| {
        let matched = ColourMatch { limit, local: 1.0 };
        matched.gains(s, g, &alpha).unwrap()
    };
    assert!(gains(1.25, &white, &black) == Gains::uniform([1.25; 3]));
    assert!(gains(1.25, &black, &white) == Gains::uniform([0.8; 3]));
    assert!(gains(1.25, &black, &black).is_none());
    assert!(gains(1.0, &black, &white).is_none());
    let off = vec![0.0; SIZE * SIZE];
    let gains = ColourMatch::default().gains(&white, &black, &off).unwrap();
    assert!(gains.is_none());
    let error = ColourMatch::default().gains(&white[1..], &black, &alpha);
    assert!(matches!(
        error,
        Err(Error::Argument {
            field: "source",
            ..
        })
    ));
}

#[test]
fn bad_arguments_are_errors_and_write_nothing() {
    let mut bytes = float_frame(8, 8, |_, _| [0.5; 3]);
    let before = bytes.clone();
    let (alpha, generated) = (disc(), vec![1.0; 3 * SIZE * SIZE]);
    let map = Similarity::square([4.0, 4.0], 8.0, 0.0, SIZE);
    let mut run = |map: Similarity, generated: &[f32], alpha: &[f32], strength: f32| {
        let mut frame = FrameMut::packed(&mut bytes, 8, 8, PixelFormat::RgbaF32).unwrap();
        let patch = Patch {
            size: SIZE,
            generated,
            alpha,
            gains: &Gains::default(),
            tone: ToneMap::NONE,
            detail: &[],
        };
        match Compositor::default().blend(&mut frame, Transfer::Srgb, &map, &patch, strength) {
            Err(Error::Argument { field, .. }) => field,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(run(map, &generated[1..], &alpha, 1.0), "generated");
    assert_eq!(run(map, &generated, &alpha[1..], 1.0), "alpha");
    assert_eq!(run(map, &generated, &alpha, 1.1), "strength");
    assert_eq!(run(map, &generated, &alpha, f32::NAN), "strength");
    assert_eq!(
        run(Similarity { a: f64::NAN, ..map }, &generated, &alpha, 1.0),
        "similarity"
    );
    assert_eq!(bytes, before);
}

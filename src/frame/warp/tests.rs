use super::*;
use crate::frame::PixelFormat;

fn grey(width: u32, height: u32, value: impl Fn(f64, f64) -> f64) -> Vec<u8> {
    let mut bytes = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let v = value(f64::from(x) + 0.5, f64::from(y) + 0.5) as f32;
            for v in [v, v, v, 1.0] {
                bytes.extend_from_slice(&v.to_ne_bytes());
            }
        }
    }
    bytes
}

fn cut(bytes: &[u8], w: u32, h: u32, map: &Similarity, n: usize, o: BorderMode) -> Vec<f32> {
    let frame = FrameRef::packed(bytes, w, h, PixelFormat::RgbaF32).unwrap();
    let mut out = vec![7.0; 3 * n * n];
    Sampler::default()
        .sample(&frame, Transfer::Display, map, n, o, &mut out)
        .unwrap();
    out
}

fn cut_luma(
    bytes: &[u8],
    (w, h): (u32, u32),
    map: &Similarity,
    (n, rows): (usize, Range<usize>),
) -> Vec<f32> {
    let frame = FrameRef::packed(bytes, w, h, PixelFormat::RgbaF32).unwrap();
    let (mut out, colour) = (
        vec![7.0; n * rows.len()],
        (Transfer::Display, &ToneMap::NONE),
    );
    Sampler::default()
        .sample_luma(&frame, colour, map, (n, rows), &mut out)
        .unwrap();
    out
}

#[test]
fn luma_keeps_a_fine_wave_between_pixels_where_colours_lose_it() {
    // Four pixels long, sampled half-way between them.
    let wave = |x: f64| 0.5 + 0.25 * (std::f64::consts::FRAC_PI_2 * x).cos();
    let bytes = grey(64, 64, |x, _| wave(x - 0.5));
    let map = Similarity {
        a: 1.0,
        b: 0.0,
        tx: 16.5,
        ty: 16.0,
    };
    let height = |row: &[f32]| row.iter().map(|v| v.abs()).sum::<f32>() / row.len() as f32;
    let colour = height(&cut(&bytes, 64, 64, &map, 32, BorderMode::Edge)[..32]);
    let luma = 2.0 * height(&cut_luma(&bytes, (64, 64), &map, (32, 0..1)));
    let all = 0.5 * std::f32::consts::FRAC_1_SQRT_2;
    assert!((colour / all - 0.707).abs() < 0.01, "{colour} of {all}");
    assert!((luma / all - 0.884).abs() < 0.01, "{luma} of {all}");
}

#[test]
fn a_frame_of_one_pixel_has_luma_everywhere() {
    let bytes = grey(1, 1, |_, _| 0.75);
    for scale in [0.3, 1.0, 2.6] {
        let map = Similarity::square([0.5, 0.5], 16.0 * scale, 0.2, 16);
        let luma = cut_luma(&bytes, (1, 1), &map, (16, 0..16));
        assert!(luma.iter().all(|v| (v - 0.25).abs() < 1e-5), "{scale}");
    }
}

#[test]
fn a_square_is_placed_and_undone() {
    let map = Similarity::square([40.0, 30.0], 64.0, 0.3, 256);
    let [x, y] = map.apply([128.0, 128.0]);
    assert!((x - 40.0).abs() < 1e-9 && (y - 30.0).abs() < 1e-9);
    assert!((map.scale() - 0.25).abs() < 1e-12);
    // The crop's downward axis is (-sin, cos).
    let [dx, dy] = map.apply([128.0, 256.0]);
    assert!((dx - 40.0 + 32.0 * 0.3f64.sin()).abs() < 1e-9);
    assert!((dy - 30.0 - 32.0 * 0.3f64.cos()).abs() < 1e-9);
    let [u, v] = map.inverse().apply(map.apply([3.0, 250.0]));
    assert!((u - 3.0).abs() < 1e-9 && (v - 250.0).abs() < 1e-9);
}

#[test]
fn the_identity_copies() {
    let bytes = grey(8, 8, |x, y| (x + 8.0 * y) / 80.0);
    let map = Similarity {
        a: 1.0,
        b: 0.0,
        tx: 0.0,
        ty: 0.0,
    };
    let out = cut(&bytes, 8, 8, &map, 8, BorderMode::Edge);
    for (i, v) in out[..64].iter().enumerate() {
        let (x, y) = ((i % 8) as f64 + 0.5, (i / 8) as f64 + 0.5);
        assert!((f64::from(*v) - ((x + 8.0 * y) / 40.0 - 1.0)).abs() < 1e-6);
    }
}

/// A ramp must come back as the same ramp, however it is scaled or turned: no shift by a half.
#[test]
fn ramps_are_kept_at_every_scale() {
    let ramp = |x: f64, y: f64| (x + 0.5 * y) / 900.0;
    let bytes = grey(500, 480, ramp);
    for scale in [0.3, 1.0, 1.4, 2.0, 2.7, 3.5, 5.2] {
        for roll in [0.0, 0.4, -2.0] {
            let map = Similarity::square([250.0, 240.0], 48.0 * scale, roll, 48);
            let out = cut(&bytes, 500, 480, &map, 48, BorderMode::Edge);
            let luma = cut_luma(&bytes, (500, 480), &map, (48, 5..48));
            for j in 0..48 {
                for i in 0..48 {
                    let [x, y] = map.apply([i as f64 + 0.5, j as f64 + 0.5]);
                    let want = ramp(x, y) * 2.0 - 1.0;
                    let got = f64::from(out[j * 48 + i]);
                    assert!(
                        (got - want).abs() < 2e-4,
                        "{scale} {roll}: {got} for {want}"
                    );
                    if j >= 5 {
                        let half = f64::from(luma[(j - 5) * 48 + i]);
                        assert!((half - want / 2.0).abs() < 2e-4, "{scale} {roll}: {half}");
                    }
                }
            }
        }
    }
}

/// A pattern finer than the crop can show must turn grey, not into another pattern.
#[test]
fn shrinking_does_not_alias() {
    for period in [2.0, 3.0, 4.5] {
        let stripes = |x: f64, _: f64| 0.5 + 0.5 * (x * std::f64::consts::TAU / period + 0.4).sin();
        let bytes = grey(960, 960, stripes);
        for roll in [0.0, 0.5] {
            let map = Similarity::square([480.0, 480.0], 600.0, roll, 128);
            let out = cut(&bytes, 960, 960, &map, 128, BorderMode::Edge);
            let worst = out.iter().fold(0.0f32, |m, v| m.max(v.abs()));
            // Sampled as it is it would keep its amplitude of 1.
            assert!(worst < 0.2, "period {period}, roll {roll}: {worst}");
        }
    }
}

#[test]
fn outside_is_edge_or_grey() {
    let bytes = grey(40, 40, |_, _| 1.0);
    for (side, far) in [(40.0, 500.0), (400.0, 2000.0), (20.0, -300.0)] {
        let map = Similarity::square([far, far], side, 0.2, 32);
        assert!(
            cut(&bytes, 40, 40, &map, 32, BorderMode::Edge)
                .iter()
                .all(|v| *v == 1.0)
        );
        assert!(
            cut(&bytes, 40, 40, &map, 32, BorderMode::Grey)
                .iter()
                .all(|v| *v == 0.0)
        );
    }
    // Half in: the frame's edge runs down the middle of the crop.
    for side in [16.0, 64.0] {
        let map = Similarity::square([40.0, 20.0], side, 0.0, 32);
        let out = cut(&bytes, 40, 40, &map, 32, BorderMode::Grey);
        let row = &out[16 * 32..17 * 32];
        assert!(row[..13].iter().all(|v| (v - 1.0).abs() < 1e-6), "{row:?}");
        assert!(row[19..].iter().all(|v| v.abs() < 1e-6), "{row:?}");
    }
}

#[test]
fn no_colour_is_black_and_stays_in_its_place() {
    for poison in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let inside = |x: f64, y: f64| (x - 64.0).abs() < 8.0 && (y - 64.0).abs() < 8.0;
        let bytes = grey(128, 128, |x, y| if inside(x, y) { poison } else { 0.5 });
        for side in [32.0, 128.0] {
            let map = Similarity::square([64.0, 64.0], side, 0.1, 32);
            let out = cut(&bytes, 128, 128, &map, 32, BorderMode::Edge);
            assert!(out.iter().all(|v| (-1.0..=0.0).contains(v)));
            assert_eq!(out[16 * 32 + 16], -1.0);
            assert!(side == 32.0 || out[0] == 0.0);
        }
    }
}

#[test]
fn bad_arguments_are_errors() {
    let bytes = grey(4, 4, |_, _| 0.0);
    let frame = FrameRef::packed(&bytes, 4, 4, PixelFormat::RgbaF32).unwrap();
    let good = Similarity::square([2.0, 2.0], 4.0, 0.0, 4);
    let mut sampler = Sampler::default();
    let mut run = |map: Similarity, len: usize| {
        let mut out = vec![0.0; len];
        sampler.sample(&frame, Transfer::Srgb, &map, 4, BorderMode::Edge, &mut out)
    };
    assert!(run(good, 48).is_ok());
    assert!(matches!(
        run(good, 47),
        Err(Error::Argument { field: "crop", .. })
    ));
    for map in [
        Similarity {
            a: f64::NAN,
            ..good
        },
        Similarity {
            a: 0.0,
            b: 0.0,
            ..good
        },
        Similarity {
            tx: f64::INFINITY,
            ..good
        },
    ] {
        assert!(matches!(
            run(map, 48),
            Err(Error::Argument {
                field: "similarity",
                ..
            })
        ));
    }
}

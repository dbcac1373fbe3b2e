use super::super::fit::tests::{PROTOCOL, face};
use super::super::model::tests::square;
use super::*;
use proptest::prelude::*;

fn drawn(polygons: &[Vec<[f64; 2]>], grow: f32, feather: f32) -> Mask {
    let mut mask = Mask::default();
    let inset = Inset::default();
    mask.draw_polygons(
        polygons,
        MaskProtocol {
            grow,
            feather,
            inset,
        },
    );
    mask
}

fn rectangle(left: f64, top: f64, right: f64, bottom: f64) -> Vec<[f64; 2]> {
    vec![[left, top], [right, top], [right, bottom], [left, bottom]]
}

fn smoothstep(t: f32) -> f32 {
    let t = t.clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

#[test]
fn a_pixel_is_inside_when_its_centre_is() {
    for reverse in [false, true] {
        let mut polygon = rectangle(100.4, 50.6, 120.6, 60.4);
        if reverse {
            polygon.reverse();
        }
        let mask = drawn(&[polygon], 0.0, 4.0);
        for y in 0..IMAGE {
            for x in 0..IMAGE {
                let inside = (100..=120).contains(&x) && (51..60).contains(&y);
                assert_eq!(mask.hole()[y * IMAGE + x], inside, "{x} {y}");
            }
        }
    }
}

#[test]
fn crossing_outlines_wind_and_do_not_cancel() {
    // Twice round: even-odd would leave it empty.
    let once = rectangle(100.0, 100.0, 140.0, 140.0);
    let twice = [once.clone(), once.clone()].concat();
    assert_eq!(
        drawn(&[twice], 0.0, 4.0).hole(),
        drawn(std::slice::from_ref(&once), 0.0, 4.0).hole()
    );
    // The union of two that overlap keeps their overlap.
    let other = rectangle(130.0, 100.0, 160.0, 140.0);
    let both = drawn(&[once, other], 0.0, 4.0);
    assert_eq!(both.hole()[120 * IMAGE + 100..][..60], [true; 60]);
}

/// Whether a pixel lies in the corner of the crop that the test below looks at.
fn in_corner(at: usize) -> bool {
    at % IMAGE < 70 && at / IMAGE >= IMAGE - 80
}

/// The distance from a pixel of the corner to the nearest pixel of the corner in `set`.
fn nearest(set: &dyn Fn(usize) -> bool, at: usize) -> f32 {
    let away = |k: usize| {
        let (dx, dy) = (
            (k % IMAGE).abs_diff(at % IMAGE),
            (k / IMAGE).abs_diff(at / IMAGE),
        );
        dx * dx + dy * dy
    };
    let pixels = (IMAGE - 80..IMAGE).flat_map(|y| (0..70).map(move |x| y * IMAGE + x));
    let best = pixels.filter(|k| set(*k)).map(away).min();
    best.map_or(f32::INFINITY, |squared| (squared as f32).sqrt())
}

/// Growth and ramp against their definition, by brute force.
#[test]
fn growth_and_ramp_follow_their_definition() {
    // A slanted star near the corner: border, box and edges of the crop all matter.
    let star: Vec<[f64; 2]> = (0..10)
        .map(|k| {
            let (angle, far) = (
                f64::from(k) * 0.628 + 0.2,
                if k % 2 == 0 { 24.0 } else { 8.0 },
            );
            [20.0 + far * angle.cos(), 231.0 + far * angle.sin()]
        })
        .collect();
    let mut outline = Mask::default();
    outline.begin();
    outline.polygon.extend_from_slice(&star);
    outline.fill_polygon();
    for (grow, feather) in [(9.0, 14.0), (3.5, 5.0)] {
        let mask = drawn(std::slice::from_ref(&star), grow, feather);
        for at in 0..IMAGE * IMAGE {
            if !in_corner(at) {
                assert!(!mask.hole()[at]);
                continue;
            }
            let (x, y) = (at % IMAGE, at / IMAGE);
            let edge = x.min(y) < BORDER || x.max(y) >= IMAGE - BORDER;
            let hole = !edge && nearest(&|k| outline.hole[k], at) <= grow;
            assert_eq!(mask.hole()[at], hole, "{x} {y}");
            let depth = nearest(&|k| !mask.hole()[k], at) - 0.5;
            let alpha = if hole {
                smoothstep(depth / feather)
            } else {
                0.0
            };
            assert!((mask.alpha()[at] - alpha).abs() < 1e-6, "{x} {y}");
        }
    }
}

#[test]
fn alpha_is_above_zero_exactly_in_the_hole() {
    let mask = drawn(&[rectangle(60.0, 100.0, 200.0, 220.0)], 9.0, 14.0);
    for (hole, alpha) in mask.hole().iter().zip(mask.alpha()) {
        assert_eq!(*hole, *alpha > 0.0);
        assert!((0.0..=1.0).contains(alpha));
    }
    assert_eq!(mask.alpha()[160 * IMAGE + 130], 1.0);
}

#[test]
fn beside_the_jaw_alpha_begins_farther_in_than_below_the_chin() {
    let mut mask = Mask::default();
    let inset = Inset {
        beside: 14.0,
        below: 6.0,
    };
    // Its middle is (130, 160).
    let protocol = MaskProtocol {
        grow: 0.0,
        feather: 10.0,
        inset,
    };
    mask.draw_polygons(&[rectangle(60.0, 100.0, 200.0, 220.0)], protocol);
    let ramp = |depth: f32, inset: f32| smoothstep((depth - 0.5 - inset) / 10.0);
    for depth in 1_u8..30 {
        let (step, depth) = (usize::from(depth), f32::from(depth));
        let at = |x: usize, y: usize| mask.alpha()[y * IMAGE + x];
        assert!((at(59 + step, 160) - ramp(depth, 14.0)).abs() < 1e-6);
        assert!((at(130, 99 + step) - ramp(depth, 14.0)).abs() < 1e-6);
        assert!((at(130, 220 - step) - ramp(depth, 6.0)).abs() < 1e-6);
    }
    // No step between the two: the ramp's own slope is at most .15 a pixel.
    for pair in mask.alpha()[205 * IMAGE + 70..][..120].windows(2) {
        assert!((pair[0] - pair[1]).abs() < 0.2, "{pair:?}");
    }
}

#[test]
fn the_hole_is_cut_and_nothing_else() {
    let mask = drawn(&[rectangle(60.0, 100.0, 200.0, 220.0)], 2.0, 3.0);
    let mut picture = vec![0.25; 3 * IMAGE * IMAGE];
    mask.cut(&mut picture);
    for (i, v) in picture.iter().enumerate() {
        let hole = mask.hole()[i % (IMAGE * IMAGE)];
        assert_eq!(*v, if hole { -1.0 } else { 0.25 });
    }
}

#[test]
fn the_mask_covers_the_mouth_open_and_closed() {
    let model = FaceModel::new(square()).unwrap();
    let mut seen = face(300.0, 200.0, 128.0);
    // 64 pixels of the frame, 128 of the crop, to a unit of the model.
    seen.expression = vec![0.0, 0.0];
    let crop = PROTOCOL.place(&seen.pose);
    let mut mask = Mask::default();
    let protocol = MaskProtocol {
        grow: 0.0,
        feather: 4.0,
        inset: Inset::default(),
    };
    mask.draw(&model, &seen, &[], &crop, protocol);
    let box_of = |mask: &Mask| support(mask.hole()).map(|z| [z.left, z.top, z.right, z.bottom]);
    // The crop's middle is 0.2 units below the origin: y = -0.5 is at 128 - 0.7 * 128; the open
    // mouth lowers the lower side from 0.5 to 1.0.
    assert_eq!(box_of(&mask), Some([64, 38, 192, 230]));
    // Identity shifts everything.
    mask.draw(&model, &seen, &[0.1], &crop, protocol);
    assert_eq!(box_of(&mask), Some([77, 38, 205, 230]));
    // The mouth that the frame shows changes nothing: the mask would tell what the source says.
    let hole = mask.hole().to_vec();
    for shown in [-0.4, 0.2, 0.6] {
        seen.expression = vec![shown, 0.0];
        mask.draw(&model, &seen, &[0.1], &crop, protocol);
        assert!(mask.hole() == hole, "{shown}");
    }
}

#[test]
fn outlines_that_are_nowhere_make_an_empty_mask() {
    for polygon in [
        vec![],
        vec![[128.0, 128.0]],
        rectangle(-900.0, -900.0, -700.0, -800.0),
        rectangle(f64::NAN, 0.0, 9.0, 9.0),
        rectangle(0.0, 0.0, f64::INFINITY, 9.0),
    ] {
        let mask = drawn(&[polygon], 9.0, 14.0);
        assert!(mask.hole().iter().all(|v| !v) && mask.alpha().iter().all(|v| *v == 0.0));
    }
    // And one that is everywhere keeps the border.
    let mask = drawn(&[rectangle(-1e7, -1e7, 1e7, 1e7)], 9.0, 14.0);
    assert_eq!(mask.hole().iter().filter(|v| **v).count(), 252 * 252);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_used_mask_draws_like_a_fresh_one(
        polygon in prop::collection::vec(prop::array::uniform2(-40.0..300.0f64), 3..12),
        other in prop::collection::vec(prop::array::uniform2(-40.0..300.0f64), 3..12),
        grow in 0.0..20.0f32,
        feather in 0.0..30.0f32,
    ) {
        let fresh = drawn(std::slice::from_ref(&polygon), grow, feather);
        let mut used = drawn(&[other], 9.0, 14.0);
        let protocol = MaskProtocol { grow, feather, inset: Inset::default() };
        used.draw_polygons(&[polygon], protocol);
        prop_assert_eq!(fresh.hole(), used.hole());
        prop_assert_eq!(fresh.alpha(), used.alpha());
        for (at, (hole, alpha)) in fresh.hole().iter().zip(fresh.alpha()).enumerate() {
            let (x, y) = (at % IMAGE, at / IMAGE);
            prop_assert!(!hole || (x.min(y) >= BORDER && x.max(y) < IMAGE - BORDER));
            prop_assert!((0.0..=1.0).contains(alpha) && (*hole == (*alpha > 0.0)));
        }
    }
}

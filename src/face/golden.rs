//! Tests that the geometry equals that of training (`models/data/geometry.py`).

use super::crop::{CropProtocol, IMAGE};
use super::fit::Face;
use super::lips::mouth_points;
use super::mask::{Inset, Mask, MaskProtocol};
use super::model::{FaceModel, FaceModelParts};
use super::pose::Pose;
use super::{Occlusion, ReferencePicture, ReferenceWarp, ReferenceWarpProtocol};
use half::f16;
use safetensors::{Dtype, SafeTensors};

struct Golden<'a>(SafeTensors<'a>);

impl Golden<'_> {
    fn floats(&self, name: &str) -> Vec<f32> {
        let tensor = self.0.tensor(name).unwrap();
        match tensor.dtype() {
            Dtype::F16 => tensor
                .data()
                .chunks_exact(2)
                .map(|b| f16::from_le_bytes([b[0], b[1]]).to_f32())
                .collect(),
            Dtype::F32 => tensor
                .data()
                .chunks_exact(4)
                .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
                .collect(),
            other => panic!("{name}: {other:?}"),
        }
    }

    fn indices(&self, name: &str) -> Vec<usize> {
        let data = self.0.tensor(name).unwrap().data().to_vec();
        let index = |b: &[u8]| i32::from_le_bytes([b[0], b[1], b[2], b[3]]) as usize;
        data.chunks_exact(4).map(index).collect()
    }
}

#[test]
fn crop_mask_mouth_and_carried_picture_are_those_of_the_training_side() {
    let bytes = include_bytes!("../../tests/golden/geometry.safetensors");
    let golden = Golden(SafeTensors::deserialize(bytes).unwrap());
    let mouth = golden.floats("0.shape").len();
    let model = FaceModel::new(FaceModelParts {
        mean: golden.floats("face_model.mean"),
        identity: golden.floats("face_model.identity"),
        expression: golden.floats("face_model.expression"),
        mouth,
        open: golden.floats("face_model.open"),
        closed: golden.floats("face_model.closed"),
        ring: golden.indices("face_model.ring"),
        lips: golden.indices("face_model.lips"),
    })
    .unwrap();
    let [x, y, z, side] = golden.floats("crop")[..] else {
        panic!("crop")
    };
    let protocol = CropProtocol {
        centre: [x, y, z],
        side,
    };
    let [grid, sigma] = golden.floats("carry")[..] else {
        panic!("carry")
    };
    let [grow, feather, beside, below] = golden.floats("mask")[..] else {
        panic!("mask")
    };
    let mut mask = Mask::default();
    for case in 0..4 {
        let floats = |name: &str| golden.floats(&format!("{case}.{name}"));
        let rotation = floats("rotation");
        let shift = floats("shift");
        let pose = Pose {
            rotation: [0, 1, 2].map(|i| [0, 1, 2].map(|j| f64::from(rotation[3 * i + j]))),
            translation: [f64::from(shift[0]), f64::from(shift[1])],
            scale: f64::from(floats("scale")[0]),
        };

        let crop = protocol.place(&pose);
        let got = [crop.a, -crop.b, crop.tx, crop.b, crop.a, crop.ty];
        for (got, want) in got.iter().zip(floats("matrix")) {
            assert!(
                (got - f64::from(want)).abs() < 1e-4,
                "{case}: {got} for {want}"
            );
        }

        let identity = floats("identity");
        let mut points = Vec::new();
        mouth_points(
            &model,
            &pose,
            &identity,
            &floats("shape"),
            &crop,
            &mut points,
        );
        let want = floats("points");
        assert_eq!(points.len(), want.len());
        for (got, want) in points.iter().zip(want) {
            assert!((got - want).abs() < 1e-4, "{case}: {got} for {want}");
        }

        let (mut warp, mut carried) = (ReferenceWarp::default(), Vec::new());
        let moving = ReferenceWarpProtocol {
            grid: grid as usize,
            sigma,
        };
        let picture = ReferencePicture::new(&floats("picture"), 32);
        warp.draw(&picture, &floats("seen"), &points, moving, &mut carried);
        // The picture is held in 8 bits.
        let want = floats("carried");
        assert_eq!(carried.len(), want.len());
        for (got, want) in carried.iter().zip(want) {
            assert!((got - want).abs() < 6e-3, "{case}: {got} for {want}");
        }

        let face = Face {
            pose,
            identity: identity.clone(),
            expression: floats("expression"),
            confidence: 1.0,
            centre: protocol.middle(&pose),
            side: protocol.length(&pose),
            embedding: None,
        };
        mask.draw(
            &model,
            &face,
            &identity,
            &crop,
            MaskProtocol {
                grow,
                feather,
                inset: Inset { beside, below },
            },
        );
        let (hole, alpha) = (floats("hole"), floats("alpha"));
        let area = hole.iter().filter(|v| **v > 0.5).count();
        assert!(area > 2000, "{case}: the golden hole is {area} pixels");
        let is_hole = |x: usize, y: usize| hole[y * IMAGE + x] > 0.5;
        let mut differing = 0;
        for y in 1..IMAGE - 1 {
            for x in 1..IMAGE - 1 {
                let at = y * IMAGE + x;
                if mask.hole()[at] != is_hole(x, y) {
                    differing += 1;
                    let near = (y - 1..=y + 1)
                        .any(|j| (x - 1..=x + 1).any(|i| is_hole(i, j) != is_hole(x, y)));
                    assert!(near, "{case}: {x} {y} is far from the edge");
                }
            }
        }
        let off = mask
            .alpha()
            .iter()
            .zip(&alpha)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f32::max);
        // Alpha is stored as halves; a pixel more or less of the hole moves the ramp there.
        let limit = if differing == 0 { 1e-3 } else { 0.12 };
        assert!(off < limit, "{case}: alpha is off by {off}");
        // Only centres on an outline, to the last bit, may fall on either side.
        assert!(differing <= 8, "{case}: {differing} pixels differ");
    }
}

#[test]
fn what_lies_in_front_is_that_of_the_training_side() {
    let bytes = include_bytes!("../../tests/golden/geometry.safetensors");
    let golden = Golden(SafeTensors::deserialize(bytes).unwrap());
    let hole: Vec<bool> = golden.floats("3.hole").iter().map(|v| *v > 0.5).collect();
    let hidden = golden.floats("3.hidden");
    let in_mask = hidden
        .iter()
        .zip(&hole)
        .filter(|(hidden, hole)| **hole && **hidden > 0.5);
    assert!(in_mask.count() > 5000);
    let mut occlusion = Occlusion::default();
    occlusion.set(&golden.floats("3.logits"), &hole);
    for (at, (got, want)) in occlusion.hidden().iter().zip(&hidden).enumerate() {
        assert!((got - want).abs() < 2e-3, "{got} for {want} at {at}");
    }
}

//! CSIM: identity similarity by a face recognition network. The network's input is aligned as in
//! ArcFace: a similarity transform maps five points onto a template.

use crate::face::{Face, FaceModel};
use crate::frame::Similarity;

/// Side of the network's picture in pixels.
pub const SIDE: usize = 112;
/// Where ArcFace wants the points of [`five_points`].
pub const TEMPLATE: [[f64; 2]; 5] = [
    [38.2946, 51.6963],
    [73.5318, 51.5014],
    [56.0252, 71.7366],
    [41.5493, 92.3655],
    [70.7299, 92.2041],
];
/// Vertices of the mesh: corners of either eye, the tip of the nose, the corners of the mouth; left
/// in the picture first.
const POINTS: [&[usize]; 5] = [&[33, 133], &[263, 362], &[1], &[61], &[291]];
/// The mesh that these numbers belong to.
const VERTICES: usize = 468;
/// Mean and deviation of ImageNet's colours in [0, 1].
const MEAN: [f32; 3] = [0.485, 0.456, 0.406];
const DEVIATION: [f32; 3] = [0.229, 0.224, 0.225];

/// Eyes, nose and corners of the mouth of a face, frame pixels. `None` when the face model is not
/// the mesh of 468 vertices.
pub fn five_points(model: &FaceModel, face: &Face) -> Option<[[f64; 2]; 5]> {
    if model.n_vertices() != VERTICES {
        return None;
    }
    let (mouth, rest) = model.split_expression(&face.expression);
    Some(POINTS.map(|vertices| {
        let mut middle = [0.0; 2];
        for &index in vertices {
            let at = face
                .pose
                .project(model.vertex(index, &face.identity, mouth, rest));
            (0..2).for_each(|i| middle[i] += at[i] / vertices.len() as f64);
        }
        middle
    }))
}

/// The similarity from the network's picture to the frame: the one that moves [`TEMPLATE`] nearest
/// to `points` (least squares). `None` when they lie on one spot.
pub fn align(points: &[[f64; 2]; 5]) -> Option<Similarity> {
    let middle = |set: &[[f64; 2]; 5]| [0, 1].map(|i| set.iter().map(|p| p[i]).sum::<f64>() / 5.0);
    let (from, to) = (middle(&TEMPLATE), middle(points));
    // As complex numbers: the factor a + ib is sum(conj(x) y) / sum(|x|^2).
    let (mut a, mut b, mut norm) = (0.0, 0.0, 0.0);
    for (x, y) in TEMPLATE.iter().zip(points) {
        let x = [x[0] - from[0], x[1] - from[1]];
        let y = [y[0] - to[0], y[1] - to[1]];
        a += x[0] * y[0] + x[1] * y[1];
        b += x[0] * y[1] - x[1] * y[0];
        norm += x[0] * x[0] + x[1] * x[1];
    }
    let (a, b) = (a / norm, b / norm);
    let placed = Similarity {
        a,
        b,
        tx: to[0] - (a * from[0] - b * from[1]),
        ty: to[1] - (b * from[0] + a * from[1]),
    };
    (placed.scale() > 1e-6 && placed.scale().is_finite()).then_some(placed)
}

/// A planar RGB picture in [-1, 1] as the network takes it: by ImageNet's mean and deviation.
pub fn normalise(picture: &mut [f32]) {
    let plane = (picture.len() / 3).max(1);
    let planes = picture.chunks_exact_mut(plane);
    for ((plane, mean), deviation) in planes.zip(MEAN).zip(DEVIATION) {
        plane
            .iter_mut()
            .for_each(|v| *v = (*v * 0.5 + 0.5 - mean) / deviation);
    }
}

/// The cosine of two embeddings; `None` when lengths differ or one is 0.
pub fn cosine(a: &[f32], b: &[f32]) -> Option<f64> {
    let dot = |x: &[f32], y: &[f32]| -> f64 {
        x.iter()
            .zip(y)
            .map(|(x, y)| f64::from(*x) * f64::from(*y))
            .sum()
    };
    let norm = (dot(a, a) * dot(b, b)).sqrt();
    (a.len() == b.len() && norm > 0.0).then(|| dot(a, b) / norm)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turned_and_scaled_template_is_found_again() {
        let (size, turn) = (2.5f64, 0.4f64);
        let place = |[x, y]: [f64; 2]| {
            let (a, b) = (size * turn.cos(), size * turn.sin());
            [a * x - b * y + 300.0, b * x + a * y - 20.0]
        };
        let found = align(&TEMPLATE.map(place)).unwrap();
        for point in TEMPLATE {
            let (got, want) = (found.apply(point), place(point));
            assert!((got[0] - want[0]).abs() < 1e-9 && (got[1] - want[1]).abs() < 1e-9);
        }
        assert!((found.scale() - size).abs() < 1e-12);
        assert_eq!(align(&[[5.0, 5.0]; 5]), None);
    }

    #[test]
    fn noise_moves_the_fit_by_its_mean() {
        // One point off by 5 px along x: the middle moves by 1.
        let mut points = TEMPLATE;
        points[2][0] += 5.0;
        let found = align(&points).unwrap();
        let middle = [0, 1].map(|i| TEMPLATE.iter().map(|p| p[i]).sum::<f64>() / 5.0);
        assert!((found.apply(middle)[0] - middle[0] - 1.0).abs() < 1e-9);
    }

    #[test]
    fn cosines() {
        assert_eq!(cosine(&[3.0, 4.0], &[6.0, 8.0]), Some(1.0));
        assert_eq!(cosine(&[1.0, 0.0], &[0.0, 2.0]), Some(0.0));
        assert!((cosine(&[1.0, 0.0], &[-1.0, 1.0]).unwrap() + 0.5f64.sqrt()).abs() < 1e-12);
        assert_eq!(cosine(&[0.0, 0.0], &[0.0, 2.0]), None);
        assert_eq!(cosine(&[1.0], &[0.0, 2.0]), None);
    }

    #[test]
    fn colours_are_normalised_by_plane() {
        let mut picture = vec![1.0, -1.0, 1.0, -1.0, 1.0, -1.0];
        normalise(&mut picture);
        assert!((picture[0] - (1.0 - 0.485) / 0.229).abs() < 1e-6);
        assert!((picture[3] + 0.456 / 0.224).abs() < 1e-6);
        assert!((picture[4] - (1.0 - 0.406) / 0.225).abs() < 1e-6);
    }

    #[test]
    fn another_mesh_has_no_five_points() {
        let parts = crate::face::model::FaceModelParts {
            mean: vec![0.0; 9],
            ring: vec![0, 1, 2],
            ..Default::default()
        };
        let model = FaceModel::new(parts).unwrap();
        let face = Face {
            pose: crate::face::Pose {
                rotation: [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
                translation: [0.0; 2],
                scale: 1.0,
            },
            identity: vec![],
            expression: vec![],
            confidence: 1.0,
            centre: [0.0; 2],
            side: 1.0,
            embedding: None,
        };
        assert_eq!(five_points(&model, &face), None);
    }
}

//! Head pose under weak perspective projection.

use serde::{Deserialize, Serialize};

/// The pose of a face: `pixel = scale (R v).xy + translation` for a vertex v of the face model
/// (x right, y down, z away from the camera). The paper's gamma (rotation) and tau (translation).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pose {
    /// R, row by row; a rotation.
    pub rotation: [[f64; 3]; 3],
    /// Position of the model's origin, frame pixels.
    pub translation: [f64; 2],
    /// Frame pixels per unit of the model.
    pub scale: f64,
}

impl Pose {
    /// The frame position of a point of the face model.
    pub fn project(&self, [x, y, z]: [f32; 3]) -> [f64; 2] {
        let (x, y, z) = (f64::from(x), f64::from(y), f64::from(z));
        let on = |row: [f64; 3], t: f64| self.scale * (row[0] * x + row[1] * y + row[2] * z) + t;
        [
            on(self.rotation[0], self.translation[0]),
            on(self.rotation[1], self.translation[1]),
        ]
    }

    /// The head's tilt in the picture, radians clockwise.
    pub fn roll(&self) -> f64 {
        (-self.rotation[0][1]).atan2(self.rotation[1][1])
    }

    /// Cosine of the angle between the direction of the face and that to the camera: 1 from the
    /// front, 0 in profile, negative from behind.
    pub fn frontality(&self) -> f64 {
        self.rotation[2][2]
    }

    /// Whether every number is finite and the scale is positive.
    pub fn is_finite(&self) -> bool {
        let numbers = self.rotation.iter().flatten().chain(&self.translation);
        numbers.chain([&self.scale]).all(|v| v.is_finite()) && self.scale > 0.0
    }
}

/// The rotation about a vector by its length in radians (Rodrigues).
pub fn rotation_from_vector(vector: [f64; 3]) -> [[f64; 3]; 3] {
    let angle = vector.iter().map(|v| v * v).sum::<f64>().sqrt();
    // Small angles need the limit of sin(x)/x, not 0/0.
    let (s, c) = if angle < 1e-9 {
        (1.0, 0.5)
    } else {
        (angle.sin() / angle, (1.0 - angle.cos()) / (angle * angle))
    };
    let [x, y, z] = vector;
    let cross = [[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]];
    let square = multiply(&cross, &cross);
    let mut out = [[0.0; 3]; 3];
    for i in 0..3 {
        for j in 0..3 {
            out[i][j] = f64::from(u8::from(i == j)) + s * cross[i][j] + c * square[i][j];
        }
    }
    out
}

/// The rotation in the picture's plane by `roll` radians clockwise, before `rotation`'s result.
pub fn rolled(roll: f64, rotation: &[[f64; 3]; 3]) -> [[f64; 3]; 3] {
    let (s, c) = roll.sin_cos();
    multiply(&[[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]], rotation)
}

/// The rotation nearest to a matrix (its polar factor, as U V^T of its decomposition), by Newton's
/// iteration. `None` when the matrix is near singular or mirrors.
pub fn nearest_rotation(matrix: &[[f64; 3]; 3]) -> Option<[[f64; 3]; 3]> {
    let mut m = *matrix;
    for _ in 0..24 {
        let cofactor = cofactors(&m);
        let determinant: f64 = (0..3).map(|k| m[0][k] * cofactor[0][k]).sum();
        if determinant.is_nan() || determinant < 1e-3 {
            return None;
        }
        let mut change = 0.0f64;
        for i in 0..3 {
            for j in 0..3 {
                let next = 0.5 * (m[i][j] + cofactor[i][j] / determinant);
                change = change.max((next - m[i][j]).abs());
                m[i][j] = next;
            }
        }
        if change < 1e-14 {
            break;
        }
    }
    Some(m)
}

fn multiply(a: &[[f64; 3]; 3], b: &[[f64; 3]; 3]) -> [[f64; 3]; 3] {
    let mut out = [[0.0; 3]; 3];
    for i in 0..3 {
        for j in 0..3 {
            out[i][j] = (0..3).map(|k| a[i][k] * b[k][j]).sum();
        }
    }
    out
}

/// Cofactors: the inverse, transposed, times the determinant.
fn cofactors(m: &[[f64; 3]; 3]) -> [[f64; 3]; 3] {
    [0, 1, 2].map(|i| {
        [0, 1, 2].map(|j| {
            let (a, b, c, d) = ((i + 1) % 3, (i + 2) % 3, (j + 1) % 3, (j + 2) % 3);
            m[a][c] * m[b][d] - m[a][d] * m[b][c]
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: &[[f64; 3]; 3], b: &[[f64; 3]; 3]) -> bool {
        a.iter()
            .flatten()
            .zip(b.iter().flatten())
            .all(|(a, b)| (a - b).abs() < 1e-9)
    }

    #[test]
    fn a_vector_along_z_is_a_roll() {
        let identity = rotation_from_vector([0.0; 3]);
        assert!(close(
            &identity,
            &[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
        ));
        for roll in [0.4, -1.3, 3.0, 1e-12] {
            let rotation = rotation_from_vector([0.0, 0.0, roll]);
            assert!(close(&rotation, &rolled(roll, &identity)));
            let pose = Pose {
                rotation,
                translation: [0.0; 2],
                scale: 1.0,
            };
            assert!((pose.roll() - roll).abs() < 1e-9);
            assert!((pose.frontality() - 1.0).abs() < 1e-9);
        }
        let side = rotation_from_vector([0.0, std::f64::consts::FRAC_PI_2, 0.0]);
        let pose = Pose {
            rotation: side,
            translation: [5.0, 6.0],
            scale: 10.0,
        };
        assert!(pose.frontality().abs() < 1e-9);
        // Turned about y, what was near the camera (z = -1) points to the left.
        let [x, y] = pose.project([0.0, 0.5, -1.0]);
        assert!((x + 5.0).abs() < 1e-9 && (y - 11.0).abs() < 1e-9);
    }

    #[test]
    fn the_nearest_rotation_is_one() {
        let rotation = rotation_from_vector([0.3, -0.7, 1.1]);
        let scaled = rotation.map(|row| row.map(|v| v * 0.8));
        assert!(close(&nearest_rotation(&scaled).unwrap(), &rotation));
        let other = rotation_from_vector([0.4, -0.6, 1.0]);
        let mut mean = [[0.0; 3]; 3];
        for i in 0..3 {
            for j in 0..3 {
                mean[i][j] = (rotation[i][j] + other[i][j]) / 2.0;
            }
        }
        let between = nearest_rotation(&mean).unwrap();
        let transpose = [0, 1, 2].map(|i| [0, 1, 2].map(|j| between[j][i]));
        let unit = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
        assert!(close(&multiply(&between, &transpose), &unit));
        assert_eq!(nearest_rotation(&[[0.0; 3]; 3]), None);
        assert_eq!(nearest_rotation(&[[f64::NAN; 3]; 3]), None);
        assert_eq!(
            nearest_rotation(&[[-1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
            None
        );
    }
}

//! Zero-phase smoothing of a face over the neighbouring frames.

use crate::face::pose::nearest_rotation;
use crate::face::{CropProtocol, Face};

/// Frames of the window: t-2 to t+2.
pub const SMOOTHING_FRAMES: usize = 5;
const MIDDLE: usize = SMOOTHING_FRAMES / 2;
/// Binomial weights of the middle and of the frames one and two away.
const WEIGHTS: [f64; MIDDLE + 1] = [6.0, 4.0, 1.0];

/// The face of the middle frame with pose, expression and confidence smoothed by binomial weights;
/// the identity is not changed. `None` if the middle frame has none.
///
/// A neighbour is used only together with the opposite one in time. With one side missing (the ends of
/// the clip, a frame without the face) the mean of a moving head would lag behind it, and a crop that
/// lags is worse than one that jitters.
pub fn smooth(window: [Option<&Face>; SMOOTHING_FRAMES], protocol: &CropProtocol) -> Option<Face> {
    let middle = window[MIDDLE]?;
    let mut total = Sum::new(middle);
    total.add(middle, WEIGHTS[0]);
    for (away, &weight) in WEIGHTS.iter().enumerate().skip(1) {
        if let (Some(before), Some(after)) = (window[MIDDLE - away], window[MIDDLE + away]) {
            total.add(before, weight);
            total.add(after, weight);
        }
    }
    Some(total.mean(middle, protocol))
}

struct Sum {
    weight: f64,
    rotation: [[f64; 3]; 3],
    translation: [f64; 2],
    log_scale: f64,
    confidence: f64,
    expression: Vec<f64>,
}

impl Sum {
    fn new(like: &Face) -> Self {
        Self {
            weight: 0.0,
            rotation: [[0.0; 3]; 3],
            translation: [0.0; 2],
            log_scale: 0.0,
            confidence: 0.0,
            expression: vec![0.0; like.expression.len()],
        }
    }

    fn add(&mut self, face: &Face, weight: f64) {
        self.weight += weight;
        let rows = self
            .rotation
            .iter_mut()
            .flatten()
            .zip(face.pose.rotation.iter().flatten());
        rows.for_each(|(sum, v)| *sum += weight * v);
        let shift = self.translation.iter_mut().zip(face.pose.translation);
        shift.for_each(|(sum, v)| *sum += weight * v);
        self.log_scale += weight * face.pose.scale.ln();
        self.confidence += weight * f64::from(face.confidence);
        let coefficients = self.expression.iter_mut().zip(&face.expression);
        coefficients.for_each(|(sum, v)| *sum += weight * f64::from(*v));
    }

    fn mean(self, middle: &Face, protocol: &CropProtocol) -> Face {
        let mut face = middle.clone();
        let rotation = self.rotation.map(|row| row.map(|v| v / self.weight));
        // Rotations that cancel out have no mean: use the frame's own.
        face.pose.rotation = nearest_rotation(&rotation).unwrap_or(middle.pose.rotation);
        face.pose.translation = self.translation.map(|v| v / self.weight);
        face.pose.scale = (self.log_scale / self.weight).exp();
        face.confidence = (self.confidence / self.weight) as f32;
        for (v, sum) in face.expression.iter_mut().zip(self.expression) {
            *v = (sum / self.weight) as f32;
        }
        face.centre = protocol.middle(&face.pose);
        face.side = protocol.length(&face.pose);
        face
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::fit::tests::{PROTOCOL, face};
    use crate::face::pose::rotation_from_vector;

    fn moving(t: f64) -> Face {
        let mut face = face(300.0 + 7.0 * t, 200.0 - 3.0 * t, 200.0 * (0.01 * t).exp());
        face.pose.rotation = rotation_from_vector([0.0, 0.0, 0.02 * t]);
        face.centre = PROTOCOL.middle(&face.pose);
        face
    }

    /// Zero phase: an even motion is not displaced.
    #[test]
    fn an_even_motion_is_kept_wherever_frames_are_missing() {
        let frames: Vec<Face> = (-2..=2).map(|t| moving(f64::from(t))).collect();
        for missing in 0..32u32 {
            let window: [Option<&Face>; 5] =
                std::array::from_fn(|k| (missing >> k & 1 == 0).then_some(&frames[k]));
            let smoothed = smooth(window, &PROTOCOL);
            if missing >> 2 & 1 == 1 {
                assert_eq!(smoothed, None);
                continue;
            }
            let (got, want) = (smoothed.unwrap(), &frames[2]);
            for i in 0..2 {
                assert!((got.pose.translation[i] - want.pose.translation[i]).abs() < 0.05);
                assert!((got.centre[i] - want.centre[i]).abs() < 0.05);
            }
            assert!((got.pose.scale / want.pose.scale - 1.0).abs() < 1e-9);
            assert!((got.pose.roll() - want.pose.roll()).abs() < 1e-9);
        }
    }

    #[test]
    fn jitter_is_damped() {
        let mut frames: Vec<Face> = (0..5).map(|_| face(300.0, 200.0, 200.0)).collect();
        for (k, face) in frames.iter_mut().enumerate() {
            let sign = if k % 2 == 0 { 1.0 } else { -1.0 };
            face.pose.translation[0] += sign;
            face.expression[1] = sign as f32;
            face.identity[0] = k as f32;
        }
        let window = std::array::from_fn(|k| Some(&frames[k]));
        let out = smooth(window, &PROTOCOL).unwrap();
        // 1 - 4 + 6 - 4 + 1 = 0: the highest frequency is removed.
        assert!((out.pose.translation[0] - 300.0).abs() < 1e-9);
        assert!(out.expression[1].abs() < 1e-6);
        assert_eq!(out.identity[0], 2.0);
    }
}

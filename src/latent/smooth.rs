//! Moving-average based Latent Smoothing (paper, section 3.3): the seven codes around a frame.

use std::sync::Arc;

use super::{AudioCode, CODE_REACH, CODE_WINDOW, STEP};
use crate::Result;
use crate::model::manifest::MALS_WEIGHTS;
use crate::model::networks::Mals;

/// How far the mouth shape looks to each side, in codes.
pub(crate) const SHAPE_REACH: i64 = 1;

/// The audio's contribution to one frame.
pub(crate) struct SmoothCode {
    /// The smoothed W+ code, `[14 * D]`, with the reference's code added.
    pub code: Vec<f32>,
    /// Coefficients of the face model's mouth block, `[S]`.
    pub shape: Vec<f32>,
}

/// The positions of the codes of a frame at `position`.
pub(crate) fn window_positions(position: i64) -> [i64; CODE_WINDOW] {
    std::array::from_fn(|k| position.saturating_add((k as i64 - CODE_REACH) * STEP))
}

/// MaLS over `codes` (in order of time), with the reference's code `[14 * D]`; `stacked` is a buffer.
pub(crate) fn smooth_code(
    mals: &Mals,
    reference: &[f32],
    codes: &[Arc<AudioCode>; CODE_WINDOW],
    stacked: &mut Vec<f32>,
) -> Result<SmoothCode> {
    stacked.clear();
    for code in codes {
        stacked.extend_from_slice(&code.code);
    }
    let code = mals.run(stacked, reference)?;
    Ok(SmoothCode {
        code,
        shape: mouth_shape(codes),
    })
}

/// The moving average of the mouth shape over the middle three of `codes`.
pub(crate) fn mouth_shape(codes: &[Arc<AudioCode>; CODE_WINDOW]) -> Vec<f32> {
    let first = (CODE_REACH - SHAPE_REACH) as usize;
    let mut shape = vec![0.0; codes[CODE_REACH as usize].shape.len()];
    for (code, alpha) in codes[first..].iter().zip(MALS_WEIGHTS) {
        for (sum, value) in shape.iter_mut().zip(&code.shape) {
            *sum += alpha * value;
        }
    }
    shape
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_the_training_grid_at_25_frames_a_second() {
        assert_eq!(
            window_positions(1920),
            [0, 640, 1280, 1920, 2560, 3200, 3840]
        );
        assert_eq!(window_positions(0)[0], -1920);
    }

    #[test]
    fn the_shape_is_the_weighted_mean_of_three() {
        let codes: [Arc<AudioCode>; CODE_WINDOW] = std::array::from_fn(|k| {
            Arc::new(AudioCode {
                code: vec![],
                shape: vec![(k * k) as f32, 1.0],
            })
        });
        assert_eq!(
            mouth_shape(&codes),
            vec![0.25 * 4.0 + 0.5 * 9.0 + 0.25 * 16.0, 1.0]
        );
    }
}

//! Moving-average based Latent Smoothing (paper, section 3.3): the seven codes around a frame.

use super::{CODE_REACH, CODE_WINDOW, MouthShape, Movement, STEP};
use crate::Result;
use crate::model::Networks;
use crate::model::manifest::MALS_WEIGHTS;

/// How far the mouth shape looks to each side, in codes.
pub(crate) const SHAPE_REACH: i64 = 1;

/// The positions of the codes of a frame at `position`.
pub(crate) fn window_positions(position: i64) -> [i64; CODE_WINDOW] {
    std::array::from_fn(|k| position.saturating_add((k as i64 - CODE_REACH) * STEP))
}

/// Writes `shapes` (in order of time), moved by `movement`, to `moved`, `[CODE_WINDOW, S]`. Its old
/// content is replaced.
pub(crate) fn move_shapes(
    shapes: &[MouthShape; CODE_WINDOW],
    movement: Movement,
    moved: &mut Vec<f32>,
) {
    moved.clear();
    for shape in shapes {
        movement.append(shape, moved);
    }
}

/// MaLS over the codes of `shapes`, `[CODE_WINDOW, S]`, with the reference's code `[14 * D]`: a W+ code
/// `[14 * D]`.
pub(crate) fn smooth_code(
    networks: &Networks,
    reference: &[f32],
    shapes: &[f32],
) -> Result<Vec<f32>> {
    let codes = networks.shape_code.run(shapes)?;
    networks.mals.run(&codes, reference)
}

/// The mouth shape of a frame, `[S]`: the moving average of the middle three of `shapes`,
/// `[CODE_WINDOW, S]`.
pub(crate) fn mouth_shape(shapes: &[f32]) -> Vec<f32> {
    let first = (CODE_REACH - SHAPE_REACH) as usize;
    let width = shapes.len() / CODE_WINDOW;
    let mut mean = vec![0.0; width];
    for (shape, alpha) in shapes[first * width..]
        .chunks_exact(width)
        .zip(MALS_WEIGHTS)
    {
        for (sum, value) in mean.iter_mut().zip(shape) {
            *sum += alpha * value;
        }
    }
    mean
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
        let shapes: Vec<f32> = (0..CODE_WINDOW)
            .flat_map(|k| [(k * k) as f32, 1.0])
            .collect();
        assert_eq!(
            mouth_shape(&shapes),
            vec![0.25 * 4.0 + 0.5 * 9.0 + 0.25 * 16.0, 1.0]
        );
    }
}

//! Cubic interpolation after Catmull and Rom: it keeps fine detail that a bilinear sample averages away.

/// Weights of the four neighbours of a point `t` beyond the second, `t` in [0, 1].
#[inline(always)]
pub(super) fn weights(t: f32) -> [f32; 4] {
    let (t2, t3) = (t * t, t * t * t);
    [
        0.5 * (-t3 + 2.0 * t2 - t),
        0.5 * (3.0 * t3 - 5.0 * t2 + 2.0),
        0.5 * (-3.0 * t3 + 4.0 * t2 + t),
        0.5 * (t3 - t2),
    ]
}

/// The mean of four rows of four values, `width` apart, by these weights.
#[inline(always)]
pub(super) fn mix<T: Copy>(near: &[T], width: usize, across: &[f32; 4], down: &[f32; 4]) -> f32
where
    f32: From<T>,
{
    let mut columns = [0.0f32; 4];
    for (row, weight) in down.iter().enumerate() {
        for (sum, value) in columns.iter_mut().zip(&near[row * width..][..4]) {
            *sum += f32::from(*value) * weight;
        }
    }
    columns
        .iter()
        .zip(across)
        .map(|(v, weight)| v * weight)
        .sum()
}

//! Bilinear interpolation between four grid cells.

/// The value between `above` (a cell and its right neighbour) and `below` (the two under them), `fx`
/// to the right and `fy` down, both in [0, 1].
#[inline(always)]
pub(super) fn bilinear(above: &[[f32; 4]], below: &[[f32; 4]], fx: f32, fy: f32) -> [f32; 4] {
    let mut out = [0.0; 4];
    for k in 0..4 {
        let upper = above[0][k] + (above[1][k] - above[0][k]) * fx;
        let lower = below[0][k] + (below[1][k] - below[0][k]) * fx;
        out[k] = upper + (lower - upper) * fy;
    }
    out
}

//! Values in [0, 1], and functions of them as tables.

/// A value clipped to [0, 1]; NaN and the infinities give 0.
#[inline(always)]
pub(super) fn colour(v: f32) -> f32 {
    if v.is_finite() {
        v.clamp(0.0, 1.0)
    } else {
        0.0
    }
}

/// A value clipped to [0, 1]; NaN, unlike with `clamp`, gives 0.
#[inline(always)]
pub(super) fn unit(v: f32) -> f32 {
    if v > 0.0 { v.min(1.0) } else { 0.0 }
}

/// The values of `f` at 0 to 1 in steps of 1 / `steps`. One entry beyond the end, so that 1.0 interpolates like
/// everything below it.
pub(super) fn table(steps: usize, f: impl Fn(f64) -> f64) -> Vec<f32> {
    (0..=steps + 1)
        .map(|i| f((i.min(steps)) as f64 / steps as f64) as f32)
        .collect()
}

#[inline(always)]
pub(super) fn lookup(table: &[f32], v: f32, steps: usize) -> f32 {
    let at = v * steps as f32;
    let i = (at as usize).min(steps);
    let (low, high) = (table[i], table[i + 1]);
    low + (high - low) * (at - i as f32)
}

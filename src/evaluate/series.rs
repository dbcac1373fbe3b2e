//! Time series with one number per frame; `None` for a frame without a face.

use std::ops::RangeInclusive;

/// Pearson's correlation; `None` for series of other lengths, fewer than three pairs, or one that
/// does not vary.
pub fn correlation(a: &[f64], b: &[f64]) -> Option<f64> {
    if a.len() != b.len() || a.len() < 3 {
        return None;
    }
    let (mean_a, mean_b) = (
        super::mean(a.iter().copied())?,
        super::mean(b.iter().copied())?,
    );
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        let (x, y) = (x - mean_a, y - mean_b);
        ab += x * y;
        aa += x * x;
        bb += y * y;
    }
    (aa > 1e-18 && bb > 1e-18).then(|| ab / (aa * bb).sqrt())
}

/// The correlation of `made` with `truth` when `made` is `lag` frames late.
pub fn correlation_at(truth: &[Option<f64>], made: &[Option<f64>], lag: i64) -> Option<f64> {
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for (t, value) in (0i64..).zip(truth) {
        let later = usize::try_from(t + lag).ok().and_then(|at| made.get(at));
        if let (Some(x), Some(Some(y))) = (value, later) {
            a.push(*x);
            b.push(*y);
        }
    }
    correlation(&a, &b)
}

/// The lag in frames (+ = `made` is late) at which `made` correlates best with `truth`, and that
/// correlation; of equals the one nearest to 0.
pub fn best_lag(
    truth: &[Option<f64>],
    made: &[Option<f64>],
    lags: RangeInclusive<i64>,
) -> Option<(i64, f64)> {
    let found = lags.filter_map(|lag| Some((lag, correlation_at(truth, made, lag)?)));
    found.max_by(|(l, a), (m, b)| a.total_cmp(b).then(m.abs().cmp(&l.abs())))
}

/// Standard deviation (of a population); `None` without a number.
pub fn deviation(values: &[Option<f64>]) -> Option<f64> {
    let known: Vec<f64> = values.iter().flatten().copied().collect();
    let middle = super::mean(known.iter().copied())?;
    super::mean(known.iter().map(|v| (v - middle) * (v - middle))).map(f64::sqrt)
}

/// Mean absolute difference of neighbouring frames, a second, over the pairs (t-1, t) whose t
/// `counts`.
pub fn motion(values: &[Option<f64>], fps: f64, counts: impl Fn(usize) -> bool) -> Option<f64> {
    let pairs = (1..values.len()).filter(|t| counts(*t));
    super::mean(pairs.filter_map(|t| Some((values[t]? - values[t - 1]?).abs() * fps)))
}

/// Jitter of a picture at the middle one of three frames: the mean absolute second difference
/// `|before - 2 middle + after|` over the pixels of `mask`, in the pictures' unit. What moves or
/// fades evenly has none; what trembles has four times its amplitude. `None` when lengths do not
/// fit or the mask is empty.
pub fn picture_jitter(before: &[f32], middle: &[f32], after: &[f32], mask: &[bool]) -> Option<f64> {
    if [before.len(), after.len(), mask.len()] != [middle.len(); 3] {
        return None;
    }
    let inside = (0..middle.len()).filter(|&i| mask[i]);
    super::mean(inside.map(|i| f64::from((before[i] - 2.0 * middle[i] + after[i]).abs())))
}

/// Jitter of points likewise: the mean length of their second differences.
pub fn point_jitter(before: &[[f64; 2]], middle: &[[f64; 2]], after: &[[f64; 2]]) -> Option<f64> {
    if [before.len(), after.len()] != [middle.len(); 2] {
        return None;
    }
    let second = |k: usize, i: usize| before[k][i] - 2.0 * middle[k][i] + after[k][i];
    super::mean((0..middle.len()).map(|k| second(k, 0).hypot(second(k, 1))))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Something that never repeats.
    fn wave(t: i64) -> Option<f64> {
        let t = t as f64;
        Some((0.7 * t).sin() + 0.4 * (0.31 * t * t).cos())
    }

    #[test]
    fn correlations_of_known_series() {
        assert_eq!(correlation(&[1.0, 2.0, 3.0], &[5.0, 7.0, 9.0]), Some(1.0));
        assert_eq!(correlation(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0]), Some(-1.0));
        // Deviations (-1, 0, 1) and (-1, 2, -1).
        assert_eq!(correlation(&[1.0, 2.0, 3.0], &[0.0, 3.0, 0.0]), Some(0.0));
        assert_eq!(correlation(&[1.0, 1.0, 1.0], &[0.0, 3.0, 0.0]), None);
        assert_eq!(correlation(&[1.0, 2.0], &[1.0, 2.0]), None);
        assert_eq!(correlation(&[1.0, 2.0, 3.0], &[1.0, 2.0]), None);
    }

    #[test]
    fn a_known_lag_is_found_across_gaps() {
        let truth: Vec<_> = (0..60).map(wave).collect();
        for late in [-5i64, 0, 3, 7] {
            let mut made: Vec<_> = (0..60).map(|t| wave(t - late).map(|v| 0.5 * v)).collect();
            made[20] = None;
            let (lag, value) = best_lag(&truth, &made, -7..=7).unwrap();
            assert_eq!(lag, late);
            assert!((value - 1.0).abs() < 1e-9);
            assert_eq!(late == 0, correlation_at(&truth, &made, 0).unwrap() > 0.999);
        }
        let flat = vec![Some(1.0); 60];
        assert_eq!(best_lag(&truth, &flat, -7..=7), None);
    }

    #[test]
    fn amplitude_and_motion() {
        let values = [Some(0.0), Some(2.0), None, Some(4.0), Some(1.0)];
        // Mean 7/4, squares 49/16, 1/16, 81/16, 9/16.
        assert!((deviation(&values).unwrap() - (35.0f64 / 16.0).sqrt()).abs() < 1e-12);
        assert_eq!(motion(&values, 25.0, |_| true), Some(62.5));
        assert_eq!(motion(&values, 25.0, |t| t == 4), Some(75.0));
        assert_eq!(motion(&values, 25.0, |t| t == 3), None);
    }

    #[test]
    fn a_ramp_has_no_jitter_and_trembling_has() {
        let frame = |t: f32| -> Vec<f32> { (0..9).map(|i| 10.0 * i as f32 + 3.0 * t).collect() };
        let all = [true; 9];
        assert_eq!(
            picture_jitter(&frame(0.0), &frame(1.0), &frame(2.0), &all),
            Some(0.0)
        );
        // 0, 1, 0: |0 - 2 + 0| frames of 3 levels.
        assert_eq!(
            picture_jitter(&frame(0.0), &frame(1.0), &frame(0.0), &all),
            Some(6.0)
        );
        let mut one = [false; 9];
        one[4] = true;
        let mut spot = frame(1.0);
        spot[0] = 200.0;
        assert_eq!(
            picture_jitter(&frame(0.0), &spot, &frame(2.0), &one),
            Some(0.0)
        );
        assert_eq!(
            picture_jitter(&frame(0.0), &spot, &frame(2.0), &[false; 9]),
            None
        );
        assert_eq!(
            picture_jitter(&frame(0.0), &spot, &frame(2.0), &[true; 8]),
            None
        );
        let points = |t: f64| vec![[3.0 * t, -4.0 * t], [1.0 + 3.0 * t, 7.0 - 4.0 * t]];
        assert_eq!(
            point_jitter(&points(0.0), &points(1.0), &points(2.0)),
            Some(0.0)
        );
        assert_eq!(
            point_jitter(&points(0.0), &points(1.0), &points(0.0)),
            Some(10.0)
        );
        assert_eq!(point_jitter(&points(0.0), &points(1.0), &[]), None);
    }
}

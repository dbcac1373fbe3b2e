//! Metrics of rendered clips. The published results and the training use the same code. All
//! metrics are pure functions of pictures, points, embeddings and audio; only [`Recognition`] runs a
//! network.
//!
//! | metric | variant |
//! |---|---|
//! | [SSIM](picture::ssim) | Wang et al. 2004: 11x11 Gaussian, sigma 1.5, luma, range 255, valid region |
//! | [PSNR](picture::psnr) | over RGB, whole crop or the mask's hole; identical pictures count [`picture::PSNR_CAP`] dB |
//! | [GMSD](picture::gmsd) | Xue et al. 2014, luma, range 255, in the mask's hole: the perceptual distance that needs no network |
//! | [LMD](lips::lmd) | 40 lip points, crop pixels, each set centred on its mean, mean distance over the points |
//! | [LSE-D, LSE-C, A/V offset](sync::score) | five frames at 25 a second, 31 offsets, unit vectors |
//! | [CSIM](identity::cosine) | face recognition after five-point alignment |
//! | [jitter](series::picture_jitter) | mean absolute second difference over time |
//! | [opening](lips::opening) | mean gap of the inner lips in units of the face model |
//! | [lip motion](series::motion) | mean absolute difference of the opening, a second; with [`silence`], LipLeak |
//!
//! Pictures are aligned crops, planar RGB `[3, n, n]` in [-1, 1], both cut by the *same* similarity:
//! the one that the source's smoothed track gives. Invalid input (different lengths, nothing
//! to average) gives `None`, never a number.

pub mod identity;
pub mod lips;
pub mod picture;
mod recognition;
pub mod series;
pub mod silence;
pub mod sync;

pub use recognition::Recognition;

/// The mean of some numbers; `None` without any.
pub fn mean(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values
        .into_iter()
        .fold((0.0, 0u64), |(sum, count), v| (sum + v, count + 1));
    (count > 0).then(|| sum / count as f64)
}

/// The median, of an even number the mean of the middle two; `None` without any number.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        n if n % 2 == 1 => Some(sorted[middle]),
        _ => Some((sorted[middle - 1] + sorted[middle]) / 2.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_and_medians() {
        assert_eq!(mean([1.0, 2.0, 6.0]), Some(3.0));
        assert_eq!(mean([]), None);
        assert_eq!(median(&[5.0, 1.0, 3.0]), Some(3.0));
        assert_eq!(median(&[4.0, 1.0, 3.0, 100.0]), Some(3.5));
        assert_eq!(median(&[]), None);
    }
}

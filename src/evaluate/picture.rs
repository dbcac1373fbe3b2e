//! Pixel metrics of two crops: PSNR, SSIM and GMSD.

/// What identical pictures count in [`psnr`], dB; no pair counts more.
pub const PSNR_CAP: f64 = 100.0;
/// Side of SSIM's window.
const GAUSSIAN_SIDE: usize = 11;
const SIGMA: f64 = 1.5;
/// (K L)^2 with K = 0.01 and 0.03, L = 255.
const C1: f64 = (0.01 * 255.0) * (0.01 * 255.0);
const C2: f64 = (0.03 * 255.0) * (0.03 * 255.0);
/// GMSD's constant, for levels in 0 to 255.
const T: f64 = 170.0;

/// Rec. 601 luma in 0 to 255 of a planar RGB crop in [-1, 1].
pub fn luma(crop: &[f32]) -> Vec<f32> {
    let (red, rest) = crop.split_at(crop.len() / 3);
    let (green, blue) = rest.split_at(rest.len() / 2);
    let colours = red.iter().zip(green).zip(blue);
    colours
        .map(|((r, g), b)| (0.299 * r + 0.587 * g + 0.114 * b + 1.0) * 127.5)
        .collect()
}

/// Peak signal-to-noise ratio in dB of two planar RGB crops in [-1, 1], peak to peak 2, over the
/// pixels of `mask` (`[n, n]`) or all; at most [`PSNR_CAP`]. `None` when lengths do not match or the
/// mask is empty.
pub fn psnr(a: &[f32], b: &[f32], mask: Option<&[bool]>) -> Option<f64> {
    if a.len() != b.len() || a.is_empty() || mask.is_some_and(|m| 3 * m.len() != a.len()) {
        return None;
    }
    let inside = |i: usize| mask.is_none_or(|mask| mask[i % mask.len()]);
    let (mut sum, mut count) = (0.0, 0u64);
    for (i, (x, y)) in a.iter().zip(b).enumerate() {
        if inside(i) {
            let difference = f64::from(x - y);
            sum += difference * difference;
            count += 1;
        }
    }
    let error = sum / count as f64;
    (count > 0).then(|| (10.0 * (4.0 / error).log10()).min(PSNR_CAP))
}

/// Structural similarity of two square pictures of one plane in 0 to 255 (Wang et al. 2004): 11x11
/// Gaussian of sigma 1.5, K = .01 and .03, averaged over the windows that lie wholly inside. `None`
/// when they are not `side * side` long or smaller than a window.
pub fn ssim(a: &[f32], b: &[f32], side: usize) -> Option<f64> {
    if side < GAUSSIAN_SIDE || a.len() != side * side || b.len() != a.len() {
        return None;
    }
    let kernel = gaussian();
    let moments = |x: &[f32], y: &[f32]| {
        let product: Vec<f64> = x
            .iter()
            .zip(y)
            .map(|(x, y)| f64::from(*x) * f64::from(*y))
            .collect();
        blur(&product, side, &kernel)
    };
    let plain = |x: &[f32]| {
        let wide: Vec<f64> = x.iter().map(|v| f64::from(*v)).collect();
        blur(&wide, side, &kernel)
    };
    let (mean_a, mean_b) = (plain(a), plain(b));
    let (aa, bb, ab) = (moments(a, a), moments(b, b), moments(a, b));
    let of = |i: usize| {
        let (ma, mb) = (mean_a[i], mean_b[i]);
        let (va, vb, cov) = (aa[i] - ma * ma, bb[i] - mb * mb, ab[i] - ma * mb);
        (2.0 * ma * mb + C1) * (2.0 * cov + C2) / ((ma * ma + mb * mb + C1) * (va + vb + C2))
    };
    super::mean((0..mean_a.len()).map(of))
}

/// Gradient magnitude similarity deviation of two square pictures of one plane in 0 to 255 (Xue et
/// al. 2014): halved, Prewitt's gradients, T = 170; 0 for equal pictures, larger the more their
/// edges differ from place to place. Over the pixels whose four are in `mask` (`[side, side]`), or
/// all. `None` when lengths do not fit or there is no pixel.
pub fn gmsd(a: &[f32], b: &[f32], side: usize, mask: Option<&[bool]>) -> Option<f64> {
    let fits = |length: usize| length == side * side;
    if side < 6 || !fits(a.len()) || !fits(b.len()) || mask.is_some_and(|m| !fits(m.len())) {
        return None;
    }
    let half = side / 2;
    let four = |x: usize, y: usize| {
        let at = 2 * y * side + 2 * x;
        [at, at + 1, at + side, at + side + 1]
    };
    let halved = |plane: &[f32]| -> Vec<f64> {
        let mean = |at: usize| {
            let sum: f64 = four(at % half, at / half)
                .iter()
                .map(|&i| f64::from(plane[i]))
                .sum();
            sum / 4.0
        };
        (0..half * half).map(mean).collect()
    };
    let (a, b) = (halved(a), halved(b));
    let mut similarities = Vec::new();
    for y in 1..half - 1 {
        for x in 1..half - 1 {
            if mask.is_none_or(|mask| four(x, y).iter().all(|&i| mask[i])) {
                let squares = [&a, &b].map(|plane| gradient_squared(plane, half, x, y));
                let product = (squares[0] * squares[1]).sqrt();
                similarities.push((2.0 * product + T) / (squares[0] + squares[1] + T));
            }
        }
    }
    let mean = super::mean(similarities.iter().copied())?;
    super::mean(similarities.iter().map(|s| (s - mean) * (s - mean))).map(f64::sqrt)
}

/// By Prewitt's kernels, thirds of a difference of three pixels.
fn gradient_squared(plane: &[f64], side: usize, x: usize, y: usize) -> f64 {
    let at = |dx: usize, dy: usize| plane[(y + dy - 1) * side + x + dx - 1];
    let three = |of: &dyn Fn(usize) -> f64| (of(0) + of(1) + of(2)) / 3.0;
    let across = three(&|k| at(2, k)) - three(&|k| at(0, k));
    let down = three(&|k| at(k, 2)) - three(&|k| at(k, 0));
    across * across + down * down
}

fn gaussian() -> [f64; GAUSSIAN_SIDE] {
    let weight = |i: usize| {
        let away = i as f64 - (GAUSSIAN_SIDE / 2) as f64;
        (-away * away / (2.0 * SIGMA * SIGMA)).exp()
    };
    let weights: [f64; GAUSSIAN_SIDE] = std::array::from_fn(weight);
    let total: f64 = weights.iter().sum();
    weights.map(|w| w / total)
}

/// The valid part of a separable convolution.
fn blur(plane: &[f64], side: usize, kernel: &[f64; GAUSSIAN_SIDE]) -> Vec<f64> {
    let valid = side + 1 - GAUSSIAN_SIDE;
    let mut across = vec![0.0; side * valid];
    for (out, row) in across.chunks_exact_mut(valid).zip(plane.chunks_exact(side)) {
        for (k, weight) in kernel.iter().enumerate() {
            let shifted = row[k..].iter();
            out.iter_mut()
                .zip(shifted)
                .for_each(|(o, v)| *o += weight * v);
        }
    }
    let mut both = vec![0.0; valid * valid];
    for (y, out) in both.chunks_exact_mut(valid).enumerate() {
        for (k, weight) in kernel.iter().enumerate() {
            let row = across[(y + k) * valid..].iter();
            out.iter_mut().zip(row).for_each(|(o, v)| *o += weight * v);
        }
    }
    both
}

#[cfg(test)]
mod tests {
    use super::*;

    const N: usize = 32;

    fn close(a: Option<f64>, b: f64) {
        assert!(a.is_some_and(|a| (a - b).abs() < 1e-6), "{a:?}, not {b}");
    }

    /// Of flat pictures only the first factor is left: (2 x y + C1) / (x^2 + y^2 + C1).
    #[test]
    fn ssim_of_flat_pictures_has_a_closed_form() {
        let (a, b) = (vec![100.0; N * N], vec![120.0; N * N]);
        let want = (2.0 * 100.0 * 120.0 + 6.5025) / (1e4 + 144e2 + 6.5025);
        close(ssim(&a, &b, N), want);
        close(ssim(&a, &a, N), 1.0);
    }

    /// Adding a constant leaves variance and covariance alone; scaling by s about the mean makes the
    /// second factor (2 s v + C2) / ((1 + s^2) v + C2).
    #[test]
    fn ssim_of_a_shifted_and_of_a_fainter_picture() {
        // A checkerboard: away from its own phase every window has nearly the same moments.
        let board = |amplitude: f32, mean: f32| -> Vec<f32> {
            let sign = |i: usize| 1.0 - 2.0 * ((i % N + i / N) % 2) as f32;
            (0..N * N).map(|i| mean + amplitude * sign(i)).collect()
        };
        // The Gaussian's mean of alternating signs, in both directions.
        let kernel = gaussian();
        let line: f64 = kernel
            .iter()
            .enumerate()
            .map(|(k, w)| if k % 2 == 0 { *w } else { -w })
            .sum();
        let leak = (line * line).powi(2);
        let (a, c) = (board(20.0, 128.0), board(10.0, 128.0));
        let v = 400.0 * (1.0 - leak);
        let found = ssim(&a, &c, N).unwrap();
        let want = (2.0 * 0.5 * v + C2) / (1.25 * v + C2);
        assert!((found - want).abs() < 1e-4, "{found} {want}");
        let inverted = board(-20.0, 128.0);
        assert!(ssim(&a, &inverted, N).unwrap() < -0.7);
    }

    #[test]
    fn psnr_of_a_constant_difference() {
        let (a, b) = (vec![0.0; 3 * 16], vec![0.02; 3 * 16]);
        // 20 log10(2 / 0.02)
        let found = psnr(&a, &b, None).unwrap();
        assert!((found - 40.0).abs() < 1e-5, "{found}");
        close(psnr(&a, &a, None), PSNR_CAP);
        assert_eq!(psnr(&a, &b[3..], None), None);
        assert_eq!(psnr(&[], &[], None), None);
    }

    #[test]
    fn psnr_in_a_mask_sees_nothing_else() {
        let (a, mut b) = (vec![0.5f32; 12], vec![0.5f32; 12]);
        // Pixel 1 of 4, its green alone: a third of the mask's squares.
        b[5] -= 0.2;
        let mask = [false, true, false, false];
        close(
            psnr(&a, &b, Some(&mask)).map(|v| v - 10.0 * (4.0f64 / (0.04 / 3.0)).log10()),
            0.0,
        );
        close(psnr(&a, &b, Some(&mask.map(|m| !m))), PSNR_CAP);
        assert_eq!(psnr(&a, &b, Some(&[false; 4])), None);
        assert_eq!(psnr(&a, &b, Some(&[true; 3])), None);
    }

    /// A ramp of slope 3 a pixel against a flat picture: on halves of the same number of pixels,
    /// gradients of 12 and of 0 make similarities of T / (144 + T), equal pictures 1.
    #[test]
    fn gmsd_of_a_ramp_lost_in_one_half() {
        let ramp: Vec<f32> = (0..N * N).map(|i| 3.0 * (i % N) as f32).collect();
        let mut lost = ramp.clone();
        for (i, v) in lost.iter_mut().enumerate() {
            if i / N >= N / 2 {
                *v = 7.0;
            }
        }
        close(gmsd(&ramp, &ramp, N, None), 0.0);
        // Rows 1 to 6 of the 16 halved ones are whole, 9 to 14 lost; the border's are masked out.
        let away: Vec<bool> = (0..N * N).map(|i| !(14..18).contains(&(i / N))).collect();
        let low = 170.0 / (144.0 + 170.0);
        close(gmsd(&ramp, &lost, N, Some(&away)), (1.0 - low) / 2.0);
        // Lost everywhere alike: no deviation.
        close(gmsd(&ramp, &[7.0; N * N], N, None), 0.0);
        assert_eq!(gmsd(&ramp, &lost, N, Some(&[false; N * N])), None);
        assert_eq!(gmsd(&ramp, &lost[1..], N, None), None);
    }

    #[test]
    fn luma_weighs_colours() {
        // Magenta, green, orange-brown: three pixels, plane by plane.
        let found = luma(&[1.0, -1.0, 1.0, -1.0, 1.0, 0.0, 1.0, -1.0, -1.0]);
        let want = [
            255.0 * (0.299 + 0.114),
            255.0 * 0.587,
            255.0 * (0.299 + 0.587 / 2.0),
        ];
        let near = |(found, want): (&f32, f64)| (f64::from(*found) - want).abs() < 1e-3;
        assert!(found.iter().zip(want).all(near), "{found:?}");
    }

    #[test]
    fn what_does_not_fit_is_none() {
        assert_eq!(ssim(&[0.0; 100], &[0.0; 100], 10), None);
        assert_eq!(ssim(&[0.0; 144], &[0.0; 100], 12), None);
        assert!(ssim(&[0.0; 121], &[0.0; 121], 11).is_some());
    }
}

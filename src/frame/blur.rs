//! Box blur of a picture of one channel.

use multiversion::multiversion;

/// Means over the squares that reach `reach` pixels to each side, smaller at the picture's edge; `width`: of
/// the picture. `padded` is a buffer.
pub(crate) fn blur(picture: &mut [f32], width: usize, reach: usize, padded: &mut Vec<f32>) {
    let rows = picture.len() / width;
    let inside = |i: usize, side: usize| (i + reach).min(side - 1) - i.saturating_sub(reach) + 1;
    // Zeros around the picture change no sum.
    padded.clear();
    padded.resize(width + 2 * reach, 0.0);
    for row in picture.chunks_exact_mut(width) {
        padded[reach..reach + width].copy_from_slice(row);
        add_terms(row, padded, 1, 2 * reach + 1);
        for (i, sum) in row.iter_mut().enumerate() {
            *sum /= inside(i, width) as f32;
        }
    }
    padded.fill(0.0);
    padded.resize((rows + 2 * reach) * width, 0.0);
    padded[reach * width..][..rows * width].copy_from_slice(picture);
    padded[(reach + rows) * width..].fill(0.0);
    for (i, row) in picture.chunks_exact_mut(width).enumerate() {
        add_terms(row, &padded[i * width..], width, 2 * reach + 1);
        let count = inside(i, rows) as f32;
        row.iter_mut().for_each(|sum| *sum /= count);
    }
}

/// Sets `sums[i]` to the sum of `count` terms, the first of them `terms[i]`, the others `step` apart.
#[multiversion(targets("x86_64+avx2"))]
fn add_terms(sums: &mut [f32], terms: &[f32], step: usize, count: usize) {
    sums.fill(0.0);
    for k in 0..count {
        for (sum, term) in sums.iter_mut().zip(&terms[k * step..]) {
            *sum += term;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pixel_is_the_mean_of_what_lies_around_it() {
        let (width, rows, reach) = (7, 5, 2);
        let picture: Vec<f32> = (0..width * rows).map(|i| (i * i % 17) as f32).collect();
        let mut blurred = picture.clone();
        blur(&mut blurred, width, reach, &mut Vec::new());
        for (at, value) in blurred.iter().enumerate() {
            let (x, y) = (at % width, at / width);
            let near = |at: usize, other: usize| at.abs_diff(other) <= reach;
            let seen = picture.iter().enumerate();
            let seen = seen.filter(|(i, _)| near(i % width, x) && near(i / width, y));
            let (sum, count) = seen.fold((0.0, 0), |(sum, count), (_, v)| (sum + v, count + 1));
            assert!((value - sum / count as f32).abs() < 1e-4, "{x} {y}");
        }
    }
}

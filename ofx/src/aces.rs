//! ACEScg: conversion to linear Rec.709, the primaries of the networks' training pictures, and back.
//!
//! The matrices convert the AP1 primaries with the ACES white point (about D60) to those of Rec.709
//! with D65, adapted by the Bradford method (SMPTE ST 2065-1, TB-2014-004, ITU-R BT.709).

use crate::image::Image;
use crate::pixel_format::BitDepth;
use crate::pixels::to_packed_rgba;

type Matrix = [[f32; 3]; 3];

const AP1_TO_REC709: Matrix = [
    [1.705_051, -0.621_792_1, -0.083_258_87],
    [-0.130_256_4, 1.140_804_7, -0.010_548_32],
    [-0.024_003_36, -0.128_969, 1.152_972_3],
];
const REC709_TO_AP1: Matrix = [
    [0.613_097_4, 0.339_523_1, 0.047_379_5],
    [0.070_193_7, 0.916_353_9, 0.013_452_4],
    [0.020_615_6, 0.109_569_8, 0.869_814_6],
];

/// Bytes of a pixel of RGBA floats.
const FLOAT_PIXEL: usize = 16;

/// A copy of an ACEScg image in linear Rec.709: packed RGBA floats, top row first. Colours outside
/// Rec.709 get negative values.
pub fn to_rec709(image: &Image<'_>) -> Vec<u8> {
    let sample = image.depth.bytes();
    let packed = to_packed_rgba(image);
    let mut out = Vec::with_capacity(packed.len() / sample * size_of::<f32>());
    for pixel in packed.chunks_exact(4 * sample) {
        let [r, g, b, a] = read(image.depth, pixel);
        let [r, g, b] = multiply(&AP1_TO_REC709, [r, g, b]);
        for value in [r, g, b, a] {
            out.extend_from_slice(&value.to_ne_bytes());
        }
    }
    out
}

/// The rendered picture in ACEScg: packed RGBA of the image's bit depth. `converted` is what
/// [`to_rec709`] gave for `image`, and `rendered` what was rendered from it. Pixels that are the same
/// in both keep the bytes of `image`.
pub fn from_rec709(image: &Image<'_>, converted: &[u8], rendered: &[u8]) -> Vec<u8> {
    let sample = image.depth.bytes();
    let mut out = to_packed_rgba(image);
    let pixels = converted
        .chunks_exact(FLOAT_PIXEL)
        .zip(rendered.chunks_exact(FLOAT_PIXEL));
    for (out, (before, after)) in out.chunks_exact_mut(4 * sample).zip(pixels) {
        if before != after {
            let [r, g, b, a] = read(BitDepth::Float, after);
            let [r, g, b] = multiply(&REC709_TO_AP1, [r, g, b]);
            for (out, value) in out.chunks_exact_mut(sample).zip([r, g, b, a]) {
                image.depth.write(out, value);
            }
        }
    }
    out
}

/// Packed RGBA floats that hold data (an ST map), in a bit depth: they are not converted as colours are.
pub fn data(depth: BitDepth, rendered: &[u8]) -> Vec<u8> {
    let sample = depth.bytes();
    let mut out = vec![0; rendered.len() / size_of::<f32>() * sample];
    let values = rendered.chunks_exact(size_of::<f32>());
    for (out, value) in out.chunks_exact_mut(sample).zip(values) {
        depth.write(out, BitDepth::Float.read(value));
    }
    out
}

fn read(depth: BitDepth, pixel: &[u8]) -> [f32; 4] {
    let sample = depth.bytes();
    [0, 1, 2, 3].map(|channel| depth.read(&pixel[channel * sample..]))
}

fn multiply(matrix: &Matrix, [r, g, b]: [f32; 3]) -> [f32; 3] {
    matrix.map(|row| row[0] * r + row[1] * g + row[2] * b)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Wide = [[f64; 3]; 3];

    fn product(a: &Wide, b: &Wide) -> Wide {
        [0, 1, 2].map(|i| [0, 1, 2].map(|j| (0..3).map(|k| a[i][k] * b[k][j]).sum()))
    }

    fn inverse(m: &Wide) -> Wide {
        let minor = |i: usize, j: usize| {
            let (a, b) = ((i + 1) % 3, (i + 2) % 3);
            let (c, d) = ((j + 1) % 3, (j + 2) % 3);
            m[a][c] * m[b][d] - m[a][d] * m[b][c]
        };
        let determinant: f64 = (0..3).map(|j| m[0][j] * minor(0, j)).sum();
        [0, 1, 2].map(|i| [0, 1, 2].map(|j| minor(j, i) / determinant))
    }

    fn apply(m: &Wide, v: [f64; 3]) -> [f64; 3] {
        [0, 1, 2].map(|i| (0..3).map(|k| m[i][k] * v[k]).sum())
    }

    fn xyz([x, y]: [f64; 2]) -> [f64; 3] {
        [x / y, 1.0, (1.0 - x - y) / y]
    }

    /// RGB to XYZ, from the chromaticities of the primaries and of the white point.
    fn to_xyz(primaries: [[f64; 2]; 3], white: [f64; 2]) -> Wide {
        let columns = primaries.map(xyz);
        let unscaled = [0, 1, 2].map(|i| [0, 1, 2].map(|j| columns[j][i]));
        let scale = apply(&inverse(&unscaled), xyz(white));
        [0, 1, 2].map(|i| [0, 1, 2].map(|j| unscaled[i][j] * scale[j]))
    }

    const BRADFORD: Wide = [
        [0.8951, 0.2664, -0.1614],
        [-0.7502, 1.7135, 0.0367],
        [0.0389, -0.0685, 1.0296],
    ];
    const D60: [f64; 2] = [0.32168, 0.33767];
    const D65: [f64; 2] = [0.3127, 0.3290];

    #[test]
    fn the_matrices_follow_from_the_chromaticities() {
        let ap1 = to_xyz([[0.713, 0.293], [0.165, 0.830], [0.128, 0.044]], D60);
        let rec709 = to_xyz([[0.64, 0.33], [0.30, 0.60], [0.15, 0.06]], D65);
        let (from, to) = (apply(&BRADFORD, xyz(D60)), apply(&BRADFORD, xyz(D65)));
        let gain = [0, 1, 2].map(|i| [0, 1, 2].map(|j| if i == j { to[i] / from[i] } else { 0.0 }));
        let adaptation = product(&inverse(&BRADFORD), &product(&gain, &BRADFORD));
        let expected = product(&inverse(&rec709), &product(&adaptation, &ap1));
        for (matrix, expected) in [
            (AP1_TO_REC709, expected),
            (REC709_TO_AP1, inverse(&expected)),
        ] {
            for (value, expected) in matrix.iter().flatten().zip(expected.iter().flatten()) {
                assert!(
                    (f64::from(*value) - expected).abs() < 1e-5,
                    "{value} {expected}"
                );
            }
        }
        for matrix in [AP1_TO_REC709, REC709_TO_AP1] {
            for value in multiply(&matrix, [1.0; 3]) {
                assert!((value - 1.0).abs() < 1e-6, "white stays white");
            }
        }
    }
}

//! Primaries: HDR video has those of ITU-R BT.2020, the networks know those of BT.709 (sRGB's too).

use super::table::{lookup, table, unit};
use super::tone::MOST;

type Matrix = [[f32; 3]; 3];

/// Light in BT.2020's primaries to BT.709's; both have the white D65 (the inverse of ITU-R BT.2087).
const BT2020_TO_BT709: Matrix = [
    [1.660_491, -0.587_641_1, -0.072_849_86],
    [-0.124_550_48, 1.132_899_9, -0.008_349_42],
    [-0.018_150_76, -0.100_578_9, 1.118_729_7],
];
/// Light in BT.709's primaries to BT.2020's (ITU-R BT.2087).
const BT709_TO_BT2020: Matrix = [
    [0.627_403_9, 0.329_283_03, 0.043_313_07],
    [0.069_097_29, 0.919_540_4, 0.011_362_32],
    [0.016_391_44, 0.088_013_31, 0.895_595_25],
];

const STEPS: usize = 4096;

/// The way of a pixel of HDR video with BT.2020's primaries to sRGB and back. Colours outside of BT.709 are
/// clipped for the networks.
pub(super) struct WideGamut {
    /// The light of the encoded value i / steps.
    light: Vec<f32>,
    /// sRGB of the light `MOST` (i / steps)^2.
    srgb: Vec<f32>,
    /// The light of sRGB i / steps.
    srgb_light: Vec<f32>,
    /// The encoded value of the light `MOST` (i / steps)^4.
    encoded: Vec<f32>,
}

impl WideGamut {
    /// For an encoding: its light relative to diffuse white, and its value of such a light. `srgb` and
    /// `srgb_light`: the light of an sRGB value, highlights compressed, and back.
    pub fn new(
        light: impl Fn(f64) -> f64,
        encoded: impl Fn(f64) -> f64,
        srgb: impl Fn(f64) -> f64,
        srgb_light: impl Fn(f64) -> f64,
    ) -> Self {
        let most = f64::from(MOST);
        Self {
            light: table(STEPS, light),
            srgb: table(STEPS, |v| srgb(most * v * v)),
            srgb_light: table(STEPS, srgb_light),
            encoded: table(STEPS, |v| encoded(most * v * v * v * v)),
        }
    }

    /// sRGB of encoded values in [0, 1].
    #[inline]
    pub fn srgb_of(&self, encoded: [f32; 3]) -> [f32; 3] {
        let light = encoded.map(|v| lookup(&self.light, v, STEPS));
        let seen = multiply(&BT2020_TO_BT709, light);
        seen.map(|v| lookup(&self.srgb, unit(v / MOST).sqrt(), STEPS))
    }

    /// The encoded values of sRGB in [0, 1].
    #[inline]
    pub fn encoded_of(&self, srgb: [f32; 3]) -> [f32; 3] {
        let light = srgb.map(|v| lookup(&self.srgb_light, v, STEPS));
        let wide = multiply(&BT709_TO_BT2020, light);
        wide.map(|v| lookup(&self.encoded, unit(v / MOST).sqrt().sqrt(), STEPS))
    }
}

#[inline]
fn multiply(matrix: &Matrix, [r, g, b]: [f32; 3]) -> [f32; 3] {
    matrix.map(|row| row[0] * r + row[1] * g + row[2] * b)
}

#[cfg(test)]
mod tests {
    use super::super::colour::{Curve, linear_from_srgb, pq_from_linear};
    use super::super::format::Transfer;
    use super::*;

    #[test]
    fn the_matrices_are_those_of_the_standards() {
        // ITU-R BT.2087-0 and ITU-R BT.2407-0, in their four digits.
        let bt2087 = [
            [0.6274, 0.3293, 0.0433],
            [0.0691, 0.9195, 0.0114],
            [0.0164, 0.0880, 0.8956],
        ];
        let bt2407 = [
            [1.6605, -0.5876, -0.0728],
            [-0.1246, 1.1329, -0.0083],
            [-0.0182, -0.1006, 1.1187],
        ];
        for (matrix, published) in [(BT709_TO_BT2020, bt2087), (BT2020_TO_BT709, bt2407)] {
            for (value, published) in matrix.iter().flatten().zip(published.iter().flatten()) {
                assert!((value - published).abs() < 6e-5, "{value} {published}");
            }
            for white in multiply(&matrix, [1.0; 3]) {
                assert!((white - 1.0).abs() < 1e-6);
            }
        }
        for unit in [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]] {
            let back = multiply(&BT2020_TO_BT709, multiply(&BT709_TO_BT2020, unit));
            for (value, expected) in back.iter().zip(unit) {
                assert!((value - expected).abs() < 1e-6);
            }
        }
    }

    #[test]
    fn skin_is_seen_in_the_networks_primaries() {
        // sRGB skin below the shoulder of the highlights, as BT.2020 PQ carries it.
        let skin = [0.78, 0.56, 0.45];
        let [r, g, b] = skin.map(linear_from_srgb);
        let wide = [
            0.6274 * r + 0.3293 * g + 0.0433 * b,
            0.0691 * r + 0.9195 * g + 0.0114 * b,
            0.0164 * r + 0.0880 * g + 0.8956 * b,
        ];
        let encoded = wide.map(|v| pq_from_linear(v) as f32);
        let curve = Curve::of(Transfer::Pq);
        for (seen, skin) in curve.pixel_to_srgb(encoded).iter().zip(skin) {
            assert!((f64::from(*seen) - skin).abs() < 1e-3, "{seen} {skin}");
        }
        let back = curve.pixel_from_srgb(skin.map(|v| v as f32));
        for (value, encoded) in back.iter().zip(encoded) {
            assert!((value - encoded).abs() < 1e-3, "{value} {encoded}");
        }
        // Taken for BT.709's, the same numbers are paler.
        let pale = Curve::of(Transfer::PqRec709).pixel_to_srgb(encoded);
        assert!(pale[0] < 0.75 && pale[2] > 0.455, "{pale:?}");
    }

    #[test]
    fn colours_come_back_and_greys_have_no_primaries() {
        for (wide, narrow, most) in [
            (Transfer::Pq, Transfer::PqRec709, 0.75),
            (Transfer::Hlg, Transfer::HlgRec709, 0.98),
        ] {
            let (wide, narrow) = (Curve::of(wide), Curve::of(narrow));
            for i in 0..=200 {
                let grey = most * i as f32 / 200.0;
                let (one, other) = (wide.pixel_to_srgb([grey; 3]), narrow.to_srgb(grey));
                assert!(one.iter().all(|v| (v - other).abs() < 1e-3), "{grey}");
                let back = wide.pixel_from_srgb(one);
                let near = |v: &f32| (v - grey).abs() < if grey < 0.02 { 4e-3 } else { 1e-3 };
                assert!(back.iter().all(near), "{grey} {back:?}");
            }
            for k in 0..1000 {
                let srgb = [k % 10, k / 10 % 10, k / 100].map(|v| 0.05 + 0.1 * v as f32);
                let seen = wide.pixel_to_srgb(wide.pixel_from_srgb(srgb));
                for (v, expected) in seen.iter().zip(srgb) {
                    assert!((v - expected).abs() < 2e-3, "{seen:?} {srgb:?}");
                }
            }
            for nonsense in [f32::NAN, f32::INFINITY, -3.0] {
                assert_eq!(wide.pixel_to_srgb([nonsense; 3]), [0.0; 3]);
                let back = wide.pixel_from_srgb([nonsense, 0.5, 2.0]);
                assert!(back.iter().all(|v| (0.0..=1.0).contains(v)), "{back:?}");
            }
            // Colours that the networks do not know are clipped, not lost.
            let seen = wide.pixel_to_srgb([0.5, 0.0, 0.0]);
            assert!(seen[0] > 0.3 && seen[1..] == [0.0; 2], "{seen:?}");
        }
        let plain = Curve::of(Transfer::Rec709);
        let pixel = [0.2, 0.5, 0.9];
        assert_eq!(plain.pixel_to_srgb(pixel), pixel.map(|v| plain.to_srgb(v)));
        assert_eq!(
            plain.pixel_from_srgb(pixel),
            pixel.map(|v| plain.from_srgb(v))
        );
    }
}

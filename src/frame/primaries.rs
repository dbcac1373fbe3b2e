//! Primaries: HDR video has those of ITU-R BT.2020 or P3, the networks know those of BT.709 (sRGB's too).

use super::table::{lookup, table, unit};
use super::tone::MOST;

type Matrix = [[f32; 3]; 3];

/// Primaries with the white D65, which BT.709 has too.
pub(super) struct Primaries {
    /// Light in these primaries to BT.709's.
    to_bt709: Matrix,
    from_bt709: Matrix,
}

/// Of BT.2020 (ITU-R BT.2087).
pub(super) const BT2020: Primaries = Primaries {
    to_bt709: [
        [1.660_491, -0.587_641_1, -0.072_849_86],
        [-0.124_550_48, 1.132_899_9, -0.008_349_42],
        [-0.018_150_76, -0.100_578_9, 1.118_729_7],
    ],
    from_bt709: [
        [0.627_403_9, 0.329_283_03, 0.043_313_07],
        [0.069_097_29, 0.919_540_4, 0.011_362_32],
        [0.016_391_44, 0.088_013_31, 0.895_595_25],
    ],
};
/// P3-D65 (SMPTE EG 432-1).
pub(super) const P3: Primaries = Primaries {
    to_bt709: [
        [1.224_940_2, -0.224_940_18, 0.0],
        [-0.042_056_955, 1.042_057, 0.0],
        [-0.019_637_555, -0.078_636_05, 1.098_273_6],
    ],
    from_bt709: [
        [0.822_461_97, 0.177_538_03, 0.0],
        [0.033_194_2, 0.966_805_8, 0.0],
        [0.017_082_63, 0.072_397_44, 0.910_519_9],
    ],
};

const STEPS: usize = 4096;

/// The way of a pixel of HDR video with other primaries to sRGB and back. Colours outside of BT.709 are
/// clipped for the networks.
pub(super) struct WideGamut {
    primaries: &'static Primaries,
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
    /// For primaries and an encoding: its light relative to diffuse white, and its value of such a light. `srgb` and
    /// `srgb_light`: the light of an sRGB value, highlights compressed, and back.
    pub fn new(
        primaries: &'static Primaries,
        light: impl Fn(f64) -> f64,
        encoded: impl Fn(f64) -> f64,
        srgb: impl Fn(f64) -> f64,
        srgb_light: impl Fn(f64) -> f64,
    ) -> Self {
        let most = f64::from(MOST);
        Self {
            primaries,
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
        let seen = multiply(&self.primaries.to_bt709, light);
        seen.map(|v| lookup(&self.srgb, unit(v / MOST).sqrt(), STEPS))
    }

    /// The encoded values of sRGB in [0, 1].
    #[inline]
    pub fn encoded_of(&self, srgb: [f32; 3]) -> [f32; 3] {
        let light = srgb.map(|v| lookup(&self.srgb_light, v, STEPS));
        let wide = multiply(&self.primaries.from_bt709, light);
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

    /// Light in primaries (CIE 1931 x and y of red, green, blue) to XYZ, for the white D65.
    fn to_xyz(primaries: [[f64; 2]; 3]) -> [[f64; 3]; 3] {
        let xyz = |[x, y]: [f64; 2]| [x / y, 1.0, (1.0 - x - y) / y];
        let (columns, white) = (primaries.map(xyz), xyz([0.3127, 0.329]));
        let at = |columns: [[f64; 3]; 3]| {
            let [a, b, c] = columns;
            a[0] * (b[1] * c[2] - c[1] * b[2]) - b[0] * (a[1] * c[2] - c[1] * a[2])
                + c[0] * (a[1] * b[2] - b[1] * a[2])
        };
        // Cramer's rule: how much of each makes the white.
        let shares = [0, 1, 2].map(|k| {
            let mut other = columns;
            other[k] = white;
            at(other) / at(columns)
        });
        [0, 1, 2].map(|row| [0, 1, 2].map(|k| columns[k][row] * shares[k]))
    }

    #[test]
    fn the_matrices_are_those_of_the_standards() {
        let bt709 = to_xyz([[0.64, 0.33], [0.3, 0.6], [0.15, 0.06]]);
        for (primaries, published) in [
            (BT2020, [[0.708, 0.292], [0.17, 0.797], [0.131, 0.046]]),
            (P3, [[0.68, 0.32], [0.265, 0.69], [0.15, 0.06]]),
        ] {
            let (
                own,
                Primaries {
                    to_bt709,
                    from_bt709,
                },
            ) = (to_xyz(published), primaries);
            for k in 0..3 {
                // The light of one primary, in XYZ by both ways.
                let unit = [0, 1, 2].map(|i| if i == k { 1.0 } else { 0.0 });
                let light = multiply(&to_bt709, unit);
                for (row, expected) in bt709.iter().zip(own) {
                    let found: f64 = row.iter().zip(light).map(|(m, v)| m * f64::from(v)).sum();
                    assert!(
                        (found - expected[k]).abs() < 1e-6,
                        "{found} {}",
                        expected[k]
                    );
                }
                let back = multiply(&to_bt709, multiply(&from_bt709, unit));
                for (value, expected) in back.iter().zip(unit) {
                    assert!((value - expected).abs() < 1e-6);
                }
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
            (Transfer::PqP3, Transfer::PqRec709, 0.75),
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

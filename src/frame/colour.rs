//! Conversion between a frame's colour encoding and the networks' sRGB.
//!
//! Transfer functions are tables with linear interpolation. For the values that faces have, their
//! error is far below a 16-bit step. A face in a 4K frame has millions of samples, and calling
//! `powf` for each would cost more than all other processing. (`encode` is interpolated over the
//! square root of the value, where the curves have no steep part.)

use super::format::Transfer;
use super::primaries::{BT2020, P3, WideGamut};
use super::table::{colour, lookup, table, unit};
use super::tone::HIGHLIGHTS;
use std::sync::OnceLock;

const ENCODE_STEPS: usize = 4096;
const DECODE_STEPS: usize = 4096;

/// sRGB's curve: linear light [0, 1] to the encoded value [0, 1].
pub fn srgb_from_linear(v: f64) -> f64 {
    if v <= 0.003_130_8 {
        12.92 * v
    } else {
        1.055 * v.powf(1.0 / 2.4) - 0.055
    }
}

/// The inverse of [`srgb_from_linear`].
pub fn linear_from_srgb(v: f64) -> f64 {
    if v <= 0.040_45 {
        v / 12.92
    } else {
        ((v + 0.055) / 1.055).powf(2.4)
    }
}

/// Rec.709's camera curve: linear light [0, 1] to the encoded value [0, 1].
pub fn rec709_from_linear(v: f64) -> f64 {
    if v < 0.018 {
        4.5 * v
    } else {
        1.099 * v.powf(0.45) - 0.099
    }
}

/// The inverse of [`rec709_from_linear`].
pub fn linear_from_rec709(v: f64) -> f64 {
    if v < 0.081 {
        v / 4.5
    } else {
        ((v + 0.099) / 1.099).powf(1.0 / 0.45)
    }
}

/// Diffuse white of HDR video, cd/m² (ITU-R BT.2408).
const WHITE: f64 = 203.0;
/// Light, relative to diffuse white, of HLG's value 1 on a display of 1,000 cd/m².
const HLG_PEAK: f64 = 1000.0 / WHITE;
/// The system gamma of such a display (ITU-R BT.2100).
const HLG_GAMMA: f64 = 1.2;

/// The perceptual quantiser's curve (SMPTE ST 2084): light relative to diffuse white to the encoded value.
/// No light is 0, where the standard's formula gives 7e-7.
pub fn pq_from_linear(v: f64) -> f64 {
    if v <= 0.0 {
        return 0.0;
    }
    let y = (v * WHITE / 10_000.0).powf(PQ_M1);
    ((PQ_C1 + PQ_C2 * y) / (1.0 + PQ_C3 * y)).powf(PQ_M2)
}

/// The inverse of [`pq_from_linear`].
pub fn linear_from_pq(v: f64) -> f64 {
    let y = v.max(0.0).powf(1.0 / PQ_M2);
    let y = (y - PQ_C1).max(0.0) / (PQ_C2 - PQ_C3 * y);
    y.powf(1.0 / PQ_M1) * 10_000.0 / WHITE
}

const PQ_M1: f64 = 2610.0 / 16_384.0;
const PQ_M2: f64 = 2523.0 / 32.0;
const PQ_C1: f64 = 3424.0 / 4096.0;
const PQ_C2: f64 = 2413.0 / 128.0;
const PQ_C3: f64 = 2392.0 / 128.0;

/// The hybrid log-gamma curve, with the system gamma of each channel alone: displayed light relative to
/// diffuse white to the encoded value.
pub fn hlg_from_linear(v: f64) -> f64 {
    let scene = (v / HLG_PEAK).max(0.0).powf(1.0 / HLG_GAMMA);
    match scene <= 1.0 / 12.0 {
        true => (3.0 * scene).sqrt(),
        false => HLG_A * (12.0 * scene - HLG_B).ln() + HLG_C,
    }
}

/// The inverse of [`hlg_from_linear`].
pub fn linear_from_hlg(v: f64) -> f64 {
    let scene = match v <= 0.5 {
        true => v * v / 3.0,
        false => (((v - HLG_C) / HLG_A).exp() + HLG_B) / 12.0,
    };
    scene.powf(HLG_GAMMA) * HLG_PEAK
}

const HLG_A: f64 = 0.178_832_77;
const HLG_B: f64 = 0.284_668_92;
const HLG_C: f64 = 0.559_910_73;

impl Transfer {
    /// Light of an encoded value in 0 to 1, for instance of a movie. Of `Linear`, `Pq` and `Hlg` it is relative to
    /// diffuse white; of all others 1 is the brightest. `Display` is taken for sRGB.
    pub fn light(self, value: f64) -> f64 {
        match self {
            Self::Srgb | Self::Display => linear_from_srgb(value),
            Self::Rec709 => linear_from_rec709(value),
            Self::Linear => value,
            Self::Pq | Self::PqRec709 | Self::PqP3 => linear_from_pq(value),
            Self::Hlg | Self::HlgRec709 => linear_from_hlg(value),
        }
    }
}

/// sRGB of light relative to diffuse white, highlights compressed.
fn srgb_from_hdr(v: f64) -> f64 {
    srgb_from_linear(f64::from(HIGHLIGHTS.apply(v as f32)).min(1.0))
}

/// The inverse of [`srgb_from_hdr`].
fn hdr_from_srgb(v: f64) -> f64 {
    f64::from(HIGHLIGHTS.invert(linear_from_srgb(v) as f32))
}

/// The way from a frame's encoding to sRGB and back.
pub struct Curve {
    identity: bool,
    /// Where the primaries are not the networks'. The tables below are then for greys.
    wide: Option<WideGamut>,
    /// sRGB of the frame's value (i / steps)^2.
    encode: Vec<f32>,
    /// The frame's value of sRGB i / steps.
    decode: Vec<f32>,
}

impl Curve {
    fn new(transfer: Transfer) -> Self {
        type Map = fn(f64) -> f64;
        let (to_srgb, from_srgb): (Map, Map) = match transfer {
            Transfer::Srgb | Transfer::Display => (|v| v, |v| v),
            Transfer::Linear => (srgb_from_linear, linear_from_srgb),
            Transfer::Rec709 => (
                |v| srgb_from_linear(linear_from_rec709(v)),
                |v| rec709_from_linear(linear_from_srgb(v)),
            ),
            Transfer::Pq | Transfer::PqRec709 | Transfer::PqP3 => (
                |v| srgb_from_hdr(linear_from_pq(v)),
                |v| pq_from_linear(hdr_from_srgb(v)),
            ),
            Transfer::Hlg | Transfer::HlgRec709 => (
                |v| srgb_from_hdr(linear_from_hlg(v)),
                |v| hlg_from_linear(hdr_from_srgb(v)).min(1.0),
            ),
        };
        let wide = |primaries, light: Map, encoded: Map| {
            WideGamut::new(primaries, light, encoded, srgb_from_hdr, hdr_from_srgb)
        };
        Self {
            wide: match transfer {
                Transfer::Pq => Some(wide(&BT2020, linear_from_pq, pq_from_linear)),
                Transfer::PqP3 => Some(wide(&P3, linear_from_pq, pq_from_linear)),
                Transfer::Hlg => Some(wide(&BT2020, linear_from_hlg, |v| {
                    hlg_from_linear(v).min(1.0)
                })),
                _ => None,
            },
            identity: matches!(transfer, Transfer::Srgb | Transfer::Display),
            encode: table(ENCODE_STEPS, |v| to_srgb(v * v)),
            decode: table(DECODE_STEPS, from_srgb),
        }
    }

    /// The curve of a transfer; made once, shared by every thread.
    pub fn of(transfer: Transfer) -> &'static Self {
        static CURVES: [OnceLock<Curve>; 9] = [const { OnceLock::new() }; 9];
        CURVES[transfer as usize].get_or_init(|| Self::new(transfer))
    }

    /// Whether the frame's encoding is sRGB, or is to be taken for it.
    pub fn is_identity(&self) -> bool {
        self.identity
    }

    /// Whether the frame's primaries are not the networks': then only pixels, not single values, have an
    /// sRGB.
    pub fn is_wide(&self) -> bool {
        self.wide.is_some()
    }

    /// sRGB in [0, 1] of a pixel in the frame's encoding; each value as in [`to_srgb`](Self::to_srgb).
    #[inline]
    pub fn pixel_to_srgb(&self, pixel: [f32; 3]) -> [f32; 3] {
        match &self.wide {
            Some(wide) => wide.srgb_of(pixel.map(colour)),
            None => pixel.map(|v| self.to_srgb(v)),
        }
    }

    /// The pixel in the frame's encoding, in [0, 1], of an sRGB pixel; each value as in
    /// [`from_srgb`](Self::from_srgb).
    #[inline]
    pub fn pixel_from_srgb(&self, pixel: [f32; 3]) -> [f32; 3] {
        match &self.wide {
            Some(wide) => wide.encoded_of(pixel.map(unit)),
            None => pixel.map(|v| self.from_srgb(v)),
        }
    }

    /// sRGB in [0, 1] of a value in the frame's encoding, of a grey where the primaries are not the
    /// networks'. Values outside [0, 1] are clipped; NaN
    /// and the infinities give 0, so that nothing but a colour ever reaches a network.
    #[inline(always)]
    pub fn to_srgb(&self, v: f32) -> f32 {
        let v = colour(v);
        if self.identity {
            v
        } else {
            lookup(&self.encode, v.sqrt(), ENCODE_STEPS)
        }
    }

    /// The value in the frame's encoding, in [0, 1], of an sRGB value, of a grey where the primaries are not
    /// the networks'. It is clipped to [0, 1]
    /// (NaN gives 0).
    #[inline(always)]
    pub fn from_srgb(&self, v: f32) -> f32 {
        let v = unit(v);
        if self.identity {
            v
        } else {
            lookup(&self.decode, v, DECODE_STEPS)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_are_those_of_the_standards() {
        // Published pairs: sRGB 0.5 is 0.21404 of light; Rec.709 grey 18 % is 0.409.
        assert!((linear_from_srgb(0.5) - 0.214_041).abs() < 1e-5);
        assert!((rec709_from_linear(0.18) - 0.409_0).abs() < 1e-3);
        for i in 0..=1000 {
            let v = f64::from(i) / 1000.0;
            assert!((srgb_from_linear(linear_from_srgb(v)) - v).abs() < 1e-6);
            assert!((rec709_from_linear(linear_from_rec709(v)) - v).abs() < 1e-3);
            assert!((pq_from_linear(linear_from_pq(v)) - v).abs() < 1e-6);
            assert!((hlg_from_linear(linear_from_hlg(v)) - v).abs() < 1e-6);
        }
        // ITU-R BT.2408: diffuse white is at 58 % of PQ and at 75 % of HLG; 100 cd/m² at 51 % of PQ.
        assert!((pq_from_linear(1.0) - 0.58).abs() < 2e-3);
        assert!((pq_from_linear(100.0 / 203.0) - 0.508).abs() < 1e-3);
        assert!((hlg_from_linear(1.0) - 0.75).abs() < 2e-3);
    }

    #[test]
    fn tables_follow_the_curves() {
        let linear = Curve::of(Transfer::Linear);
        let rec709 = Curve::of(Transfer::Rec709);
        for i in 0..=65535 {
            let v = i as f32 / 65535.0;
            let exact = srgb_from_linear(f64::from(v)) as f32;
            assert!((linear.to_srgb(v) - exact).abs() < 1e-5, "{v}");
            let exact = linear_from_srgb(f64::from(v)) as f32;
            assert!((linear.from_srgb(v) - exact).abs() < 1e-5, "{v}");
            assert!(
                (rec709.from_srgb(rec709.to_srgb(v)) - v).abs() < 5e-4,
                "{v}"
            );
        }
        // A face's values come back to a 10-bit step, and highlights are told apart up to 8 times white. PQ
        // spends more steps on what is almost black than sRGB has.
        for (transfer, most) in [(Transfer::Pq, 0.75), (Transfer::Hlg, 0.98)] {
            let curve = Curve::of(transfer);
            let mut before = -1.0;
            for i in 10..=1000 {
                let v = most * i as f32 / 1000.0;
                let seen = curve.to_srgb(v);
                assert!(seen > before && seen <= 1.0, "{transfer:?} {v}");
                let step = if v < 0.02 { 3e-3 } else { 1e-3 };
                assert!((curve.from_srgb(seen) - v).abs() < step, "{transfer:?} {v}");
                before = seen;
            }
        }
        for transfer in [Transfer::Srgb, Transfer::Display] {
            assert_eq!(Curve::of(transfer).to_srgb(0.3), 0.3);
            assert_eq!(Curve::of(transfer).from_srgb(0.3), 0.3);
        }
    }

    #[test]
    fn what_is_no_colour_is_black() {
        for transfer in [
            Transfer::Srgb,
            Transfer::Rec709,
            Transfer::Linear,
            Transfer::Display,
            Transfer::Pq,
            Transfer::Hlg,
            Transfer::PqRec709,
            Transfer::HlgRec709,
            Transfer::PqP3,
        ] {
            let curve = Curve::of(transfer);
            for v in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -3.0] {
                assert_eq!(curve.to_srgb(v), 0.0);
            }
            // HLG's largest value is less light than what is told apart.
            let white = match transfer {
                Transfer::Hlg | Transfer::HlgRec709 => srgb_from_hdr(HLG_PEAK) as f32,
                _ => 1.0,
            };
            assert!(white > 0.95 && (curve.to_srgb(40.0) - white).abs() < 1e-6);
            assert_eq!(curve.from_srgb(f32::NAN), 0.0);
            // PQ reaches farther than what is told apart.
            let is_pq = matches!(transfer, Transfer::Pq | Transfer::PqRec709 | Transfer::PqP3);
            let most = if is_pq { 0.79 } else { 1.0 };
            assert!((curve.from_srgb(3.0) - most).abs() < 0.02, "{transfer:?}");
        }
    }
}

//! Values above 1: brought into the range that the networks know, and back.
//!
//! A gain lowers a face that is brighter than white as a whole, and a shoulder compresses highlights. Both
//! are measured on the crop. A crop without values above 1 is not changed by a bit, and the map goes over
//! into that smoothly as the values fall. Not in the paper.

use super::format::FrameRef;
use super::pixel::{Pixel, with_pixel};
use super::similarity::Similarity;

/// Values up to here, after the gain, are not compressed.
const KNEE: f32 = 0.8;
/// The highest value, after the gain, that is told from those above it.
pub(super) const MOST: f32 = 8.0;
/// Points per side of the grid on which a crop is measured.
const POINTS: usize = 64;
/// Share of the face's points that the gain brings to 1 or less. The rest are highlights.
const BELOW_WHITE: f64 = 0.9;

/// A map from a frame's values to [0, 1], and back. On each channel, in the frame's encoding.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ToneMap {
    gain: f32,
    /// Strength of the shoulder; 0: none.
    bend: f32,
}

/// The map of HDR video, whose values relative to diffuse white have a known range: no gain, and a shoulder
/// that takes `MOST` to 1.
pub(super) const HIGHLIGHTS: ToneMap = ToneMap {
    gain: 1.0,
    bend: 1.0 / (1.0 - KNEE) - 1.0 / (MOST - KNEE),
};

impl Default for ToneMap {
    /// No change.
    fn default() -> Self {
        Self::NONE
    }
}

impl ToneMap {
    /// No change.
    pub const NONE: Self = Self {
        gain: 1.0,
        bend: 0.0,
    };

    /// The map for the square crop `[0, size]^2` that `map` places in `frame`, with the face in its middle
    /// half.
    pub fn of(frame: &FrameRef<'_>, map: &Similarity, size: usize) -> Self {
        with_pixel!(frame.format(), P => {
            if P::COLOURS { Self::NONE } else { Self::measure::<P>(frame, map, size) }
        })
    }

    fn measure<P: Pixel>(frame: &FrameRef<'_>, map: &Similarity, size: usize) -> Self {
        let step = size as f64 / POINTS as f64;
        let middle = POINTS / 4..POINTS - POINTS / 4;
        let (mut peak, mut face, mut count) = (0.0f32, [0.0f32; POINTS * POINTS / 4], 0);
        for j in 0..POINTS {
            for i in 0..POINTS {
                let [x, y] = map.apply([(i as f64 + 0.5) * step, (j as f64 + 0.5) * step]);
                let (x, y) = ((x / frame.pixel_aspect()).floor(), y.floor());
                let seen =
                    x >= 0.0 && y >= 0.0 && x < frame.width() as f64 && y < frame.height() as f64;
                if !seen {
                    continue;
                }
                let pixel = P::read(&frame.row(y as usize)[x as usize * P::BYTES..]);
                let finite = pixel.into_iter().filter(|v| v.is_finite());
                let level = finite.fold(0.0, f32::max);
                peak = peak.max(level);
                if middle.contains(&i) && middle.contains(&j) {
                    face[count] = level;
                    count += 1;
                }
            }
        }
        if peak <= 1.0 {
            return Self::NONE;
        }
        let white = match &mut face[..count] {
            [] => 1.0,
            face => {
                let place = (count as f64 * BELOW_WHITE) as usize;
                *face.select_nth_unstable_by(place, f32::total_cmp).1
            }
        };
        let gain = 1.0 / white.max(1.0);
        let peak = (peak * gain).clamp(1.0, MOST);
        Self {
            gain,
            bend: 1.0 / (1.0 - KNEE) - 1.0 / (peak - KNEE),
        }
    }

    /// Whether it changes nothing.
    pub fn is_none(&self) -> bool {
        *self == Self::NONE
    }

    /// A frame's value for the networks: 1 for the highest of the crop.
    #[inline(always)]
    pub fn apply(&self, value: f32) -> f32 {
        let value = value * self.gain;
        let over = value - KNEE;
        if over > 0.0 {
            KNEE + over / (1.0 + self.bend * over)
        } else {
            value
        }
    }

    /// The frame's value of a networks' value, [0, 1].
    #[inline(always)]
    pub fn invert(&self, value: f32) -> f32 {
        let over = value - KNEE;
        let value = if over > 0.0 {
            KNEE + over / (1.0 - self.bend * over)
        } else {
            value
        };
        value / self.gain
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::PixelFormat;

    const SIDE: usize = 64;

    fn of(value: impl Fn(usize, usize) -> f32) -> ToneMap {
        let pixel = |i: usize| [value(i % SIDE, i / SIDE), 0.0, 0.0, 1.0];
        let bytes: Vec<u8> = (0..SIDE * SIDE)
            .flat_map(|i| pixel(i).map(f32::to_ne_bytes))
            .flatten()
            .collect();
        let frame = FrameRef::packed(&bytes, SIDE as u32, SIDE as u32, PixelFormat::RgbaF32);
        let half = SIDE as f64 / 2.0;
        let map = Similarity::square([half, half], SIDE as f64, 0.0, SIDE);
        ToneMap::of(&frame.unwrap(), &map, SIDE)
    }

    #[test]
    fn nothing_changes_up_to_1_and_little_just_above() {
        for value in [0.3, 1.0, f32::NAN, f32::INFINITY, -4.0] {
            assert!(of(|_, _| value).is_none(), "{value}");
        }
        let little = of(|x, _| if x == 3 { 1.001 } else { 0.5 });
        assert!(!little.is_none());
        for value in [0.1, 0.5, 0.85, 1.0] {
            assert!((little.apply(value) - value).abs() < 0.002, "{value}");
        }
    }

    #[test]
    fn what_is_mapped_comes_back() {
        let bright = of(|x, y| (x + y) as f32 / 30.0);
        let sparkling = of(|x, _| if x % 16 == 0 { 6.0 } else { 0.4 });
        assert!(bright.gain < 0.5 && sparkling.gain == 1.0);
        for map in [bright, sparkling] {
            let mut before = -1.0;
            for step in 0..=60 {
                let value = step as f32 / 15.0;
                let mapped = map.apply(value);
                assert!(
                    mapped > before && mapped <= 1.0 + 1e-5,
                    "{map:?} {value}: {mapped}"
                );
                assert!((map.invert(mapped) - value).abs() < 1e-3 * (1.0 + value));
                before = mapped;
            }
        }
    }
}

//! The visible label: the letters "AI" on a dark plate in a corner, drawn from lines without a font.

use super::colour::Curve;
use super::format::{FrameMut, Transfer};
use super::pixel::{Pixel, with_pixel};
use crate::{Error, Result};

/// Width of the plate, in its heights.
const WIDTH: f64 = 1.2;
/// Distance from the edges of the frame, in heights of the plate.
const MARGIN: f64 = 0.4;
/// Radius of the plate's corners, in its heights.
const RADIUS: f64 = 0.18;
/// Half the width of a stroke, in heights of the plate.
const STROKE: f64 = 0.055;
/// Both ends of each stroke, in heights of the plate from its top left corner: three of the A, one of the I.
const STROKES: [[[f64; 2]; 2]; 4] = [
    [[0.24, 0.78], [0.46, 0.22]],
    [[0.46, 0.22], [0.68, 0.78]],
    [[0.33, 0.60], [0.59, 0.60]],
    [[0.93, 0.22], [0.93, 0.78]],
];
/// Levels of plate and letters in sRGB.
const DARK: f32 = 0.05;
const LIGHT: f32 = 0.85;
/// The plate's share of the label's opacity.
const PLATE: f32 = 0.6;

/// A corner of the frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Corner {
    /// Top left.
    TopLeft,
    /// Top right.
    TopRight,
    /// Bottom left.
    BottomLeft,
    /// Bottom right.
    #[default]
    BottomRight,
}

/// A label that shows viewers that a picture is synthetic.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Label {
    /// Where it is.
    pub corner: Corner,
    /// Height of its plate as a share of the frame's height, 0.01 to 0.5.
    pub size: f32,
    /// Opacity of the letters, 0 to 1; that of the plate is 0.6 of it.
    pub opacity: f32,
}

impl Default for Label {
    /// Bottom right, 6 % of the frame's height.
    fn default() -> Self {
        Self {
            corner: Corner::default(),
            size: 0.06,
            opacity: 0.8,
        }
    }
}

impl Label {
    /// # Errors
    /// [`Error::Argument`] naming the field that is outside its range.
    pub fn check(&self) -> Result<()> {
        for (field, value, range) in [
            ("label.size", self.size, 0.01..=0.5),
            ("label.opacity", self.opacity, 0.0..=1.0),
        ] {
            if !range.contains(&value) {
                let reason = format!("{value} is not in {} to {}", range.start(), range.end());
                return Err(Error::Argument { field, reason });
            }
        }
        Ok(())
    }

    /// Draws the label over a frame. Pixels outside its plate, and alpha everywhere, stay as they are.
    pub fn draw(&self, frame: &mut FrameMut<'_>, transfer: Transfer) {
        let curve = Curve::of(transfer);
        let levels = [curve.from_srgb(DARK), curve.from_srgb(LIGHT)];
        with_pixel!(frame.format(), P => self.draw_as::<P>(frame, levels));
    }

    fn draw_as<P: Pixel>(&self, frame: &mut FrameMut<'_>, [dark, light]: [f32; 2]) {
        // Lengths are in rows; a pixel is `aspect` rows wide.
        let aspect = frame.pixel_aspect();
        let (rows, columns) = (frame.height() as f64, frame.width() as f64 * aspect);
        let height = rows * f64::from(self.size);
        let (width, margin) = (WIDTH * height, MARGIN * height);
        let (right, bottom) = match self.corner {
            Corner::TopLeft => (false, false),
            Corner::TopRight => (true, false),
            Corner::BottomLeft => (false, true),
            Corner::BottomRight => (true, true),
        };
        let start = |far: bool, length: f64, whole: f64| match far {
            true => whole - margin - length,
            false => margin,
        };
        let (left, top) = (start(right, width, columns), start(bottom, height, rows));
        let span = |from: f64, to: f64, most: usize| {
            (from.floor().max(0.0) as usize).min(most)..(to.ceil().max(0.0) as usize).min(most)
        };
        let across = span(left / aspect, (left + width) / aspect, frame.width());
        for y in span(top, top + height, frame.height()) {
            let row = &mut frame.row(y)[across.start * P::BYTES..across.end * P::BYTES];
            for (pixel, x) in row.chunks_exact_mut(P::BYTES).zip(across.clone()) {
                let point = [
                    ((x as f64 + 0.5) * aspect - left) / height,
                    (y as f64 + 0.5 - top) / height,
                ];
                let [plate, letters] = coverage(point, height).map(|share| share * self.opacity);
                let plate = plate * PLATE;
                if plate <= 0.0 && letters <= 0.0 {
                    continue;
                }
                let mix = |from: f32, to: f32, share: f32| match from.is_finite() {
                    true => from + (to - from) * share,
                    false => to,
                };
                let shown = P::read(pixel).map(|v| mix(mix(v, dark, plate), light, letters));
                P::write(pixel, shown);
            }
        }
    }
}

/// How much plate and letters cover a pixel, 0 to 1. `point` is in heights of the plate, `height` its rows.
fn coverage([x, y]: [f64; 2], height: f64) -> [f32; 2] {
    let share = |distance: f64| (0.5 - distance * height).clamp(0.0, 1.0) as f32;
    let [dx, dy] = [(x, WIDTH), (y, 1.0)].map(|(at, side)| (at - side / 2.0).abs() - side / 2.0);
    let outside = (dx + RADIUS).max(0.0).hypot((dy + RADIUS).max(0.0));
    let inside = (dx + RADIUS).max(dy + RADIUS).min(0.0);
    let plate = outside + inside - RADIUS;
    let to_letters = STROKES.map(|[a, b]| to_line([x, y], a, b) - STROKE);
    [
        share(plate),
        share(to_letters.into_iter().fold(f64::INFINITY, f64::min)),
    ]
}

/// Distance of a point from the line between two others.
fn to_line(point: [f64; 2], a: [f64; 2], b: [f64; 2]) -> f64 {
    let along = [b[0] - a[0], b[1] - a[1]];
    let from = [point[0] - a[0], point[1] - a[1]];
    let length = along[0] * along[0] + along[1] * along[1];
    let share = ((from[0] * along[0] + from[1] * along[1]) / length).clamp(0.0, 1.0);
    (from[0] - share * along[0]).hypot(from[1] - share * along[1])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::PixelFormat;

    const FORMATS: [PixelFormat; 6] = [
        PixelFormat::Rgba8,
        PixelFormat::Bgra8,
        PixelFormat::Rgb8,
        PixelFormat::Rgba16,
        PixelFormat::RgbaF16,
        PixelFormat::RgbaF32,
    ];
    const SIZE: [usize; 2] = [160, 120];

    fn frame(format: PixelFormat) -> Vec<u8> {
        vec![0x3c; SIZE[0] * SIZE[1] * format.bytes()]
    }

    fn drawn(label: Label, format: PixelFormat, aspect: f64) -> Vec<u8> {
        let mut bytes = frame(format);
        let [width, height] = SIZE.map(|side| side as u32);
        let target = FrameMut::packed(&mut bytes, width, height, format).unwrap();
        let mut target = target.with_pixel_aspect(aspect).unwrap();
        label.draw(&mut target, Transfer::Display);
        bytes
    }

    /// First and last column and row that differ from the source.
    fn bounds(bytes: &[u8], format: PixelFormat) -> Option<[usize; 4]> {
        let size = format.bytes();
        let source = frame(format);
        let changed = bytes
            .chunks_exact(size)
            .zip(source.chunks_exact(size))
            .enumerate()
            .filter(|(_, (is, was))| is != was)
            .map(|(at, _)| [at % SIZE[0], at / SIZE[0]]);
        changed.fold(None, |known, [x, y]| {
            let [left, right, top, bottom] = known.unwrap_or([x, x, y, y]);
            Some([left.min(x), right.max(x), top.min(y), bottom.max(y)])
        })
    }

    #[test]
    fn only_the_plate_in_its_corner_changes_in_every_format() {
        let label = Label {
            size: 0.2,
            opacity: 1.0,
            ..Label::default()
        };
        for format in FORMATS {
            // 24 rows high, 28.8 columns wide, 9.6 from the edges.
            let at = |corner| bounds(&drawn(Label { corner, ..label }, format, 1.0), format);
            assert_eq!(at(Corner::TopLeft), Some([9, 38, 9, 33]), "{format:?}");
            assert_eq!(at(Corner::TopRight), Some([121, 150, 9, 33]), "{format:?}");
            assert_eq!(at(Corner::BottomLeft), Some([9, 38, 86, 110]), "{format:?}");
            assert_eq!(
                at(Corner::BottomRight),
                Some([121, 150, 86, 110]),
                "{format:?}"
            );
            let alpha = match format {
                PixelFormat::Rgb8 => continue,
                format => 3 * format.bytes() / 4,
            };
            let bytes = drawn(label, format, 1.0);
            let kept = |pixel: &[u8]| pixel[alpha..].iter().all(|byte| *byte == 0x3c);
            assert!(bytes.chunks_exact(format.bytes()).all(kept), "{format:?}");
        }
    }

    #[test]
    fn the_letters_are_light_on_a_dark_plate() {
        let label = Label {
            corner: Corner::TopLeft,
            size: 0.5,
            opacity: 1.0,
        };
        let bytes = drawn(label, PixelFormat::Rgb8, 1.0);
        // The plate is 60 rows high and begins at 24, 24.
        let level = |[x, y]: [f64; 2]| {
            let [x, y] = [x, y].map(|at| (24.0 + 60.0 * at) as usize);
            bytes[3 * (y * SIZE[0] + x)]
        };
        for on in [
            [0.46, 0.24],
            [0.35, 0.5],
            [0.57, 0.5],
            [0.46, 0.6],
            [0.93, 0.5],
        ] {
            assert!(level(on) > 200, "{on:?}: {}", level(on));
        }
        for off in [
            [0.46, 0.45],
            [0.46, 0.75],
            [0.78, 0.5],
            [0.1, 0.5],
            [1.1, 0.5],
        ] {
            assert!(level(off) < 40, "{off:?}: {}", level(off));
        }
    }

    #[test]
    fn it_has_its_shape_on_pixels_that_are_not_square() {
        let label = Label {
            corner: Corner::TopLeft,
            size: 0.2,
            opacity: 1.0,
        };
        let wide = bounds(&drawn(label, PixelFormat::Rgb8, 2.0), PixelFormat::Rgb8);
        assert_eq!(wide, Some([5, 18, 9, 33]));
    }

    #[test]
    fn without_opacity_nothing_changes_and_values_out_of_range_are_refused() {
        let none = Label {
            opacity: 0.0,
            ..Label::default()
        };
        assert_eq!(
            bounds(&drawn(none, PixelFormat::Rgba8, 1.0), PixelFormat::Rgba8),
            None
        );
        let wrong = [
            (0.6, 0.5),
            (0.0, 0.5),
            (f32::NAN, 0.5),
            (0.1, 1.1),
            (0.1, f32::NAN),
        ];
        for (size, opacity) in wrong {
            let corner = Corner::default();
            let label = Label {
                corner,
                size,
                opacity,
            };
            assert!(label.check().is_err(), "{label:?}");
        }
        assert!(Label::default().check().is_ok());
    }
}

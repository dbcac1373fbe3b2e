//! The contact sheet: a few frames of a clip side by side, for inspection by eye.

use image::imageops::{self, FilterType};
use image::{GrayImage, Rgb, RgbImage, RgbaImage};

/// Columns.
const MOMENTS: u64 = 8;
/// Side of one cell in pixels.
const CELL: u32 = 256;
/// Pixels between cells.
const GAP: u32 = 4;
/// Side of the square that a cell shows, in sides of the matte's bounding box: the whole face.
const VIEW: f32 = 2.4;

/// Collects moments spread evenly over a clip: rows are source, matte over the source, result.
pub struct Sheet {
    wanted: Vec<u64>,
    columns: Vec<[RgbImage; 3]>,
}

impl Sheet {
    /// A sheet of the clip's frames `first..first + frames`.
    pub fn new(first: u64, frames: u64) -> Self {
        Self::of(MOMENTS, first, frames)
    }

    /// A sheet of `moments` of the clip's frames `first..first + frames`.
    pub fn of(moments: u64, first: u64, frames: u64) -> Self {
        let moments = moments.min(frames);
        let wanted = (0..moments)
            .map(|k| first + (2 * k + 1) * frames / (2 * moments))
            .collect();
        Self {
            wanted,
            columns: Vec::new(),
        }
    }

    /// Whether frame `index` is one of the moments.
    pub fn wants(&self, index: u64) -> bool {
        self.wanted.contains(&index)
    }

    /// Adds a moment; frames of one size.
    pub fn add(&mut self, source: &RgbaImage, matte: &GrayImage, result: &RgbaImage) {
        let view = view(matte);
        let cell = |image: &RgbImage| {
            let [left, top, side] = view;
            let part = imageops::crop_imm(image, left, top, side, side).to_image();
            imageops::resize(&part, CELL, CELL, FilterType::Lanczos3)
        };
        let rgb = |image: &RgbaImage| image::DynamicImage::from(image.clone()).into_rgb8();
        let source = rgb(source);
        let mut over = source.clone();
        for (pixel, alpha) in over.pixels_mut().zip(matte.pixels()) {
            tint(pixel, f32::from(alpha.0[0]) / 255.0);
        }
        self.add_cells([cell(&source), cell(&over), cell(&rgb(result))]);
    }

    /// Adds a moment whose cells, of 256x256 pixels, are cut already.
    pub fn add_cells(&mut self, cells: [RgbImage; 3]) {
        self.columns.push(cells);
    }

    /// The finished sheet.
    pub fn into_image(self) -> RgbImage {
        let place = |n: u32| n * (CELL + GAP) + GAP;
        let columns = self.columns.len() as u32;
        let white = Rgb([255; 3]);
        let mut sheet = RgbImage::from_pixel(place(columns), place(3), white);
        for (column, cells) in (0..).zip(&self.columns) {
            for (row, cell) in (0..).zip(cells) {
                imageops::replace(&mut sheet, cell, place(column).into(), place(row).into());
            }
        }
        sheet
    }
}

/// Tints a pixel green by the matte.
pub fn tint(pixel: &mut Rgb<u8>, alpha: f32) {
    for (value, green) in pixel.0.iter_mut().zip([40.0, 230.0, 90.0]) {
        let mixed = f32::from(*value) * (1.0 - 0.6 * alpha) + green * 0.6 * alpha;
        *value = mixed.round() as u8;
    }
}

/// The square around the face, as left, top and side: the matte is its lower half.
fn view(matte: &GrayImage) -> [u32; 3] {
    let (width, height) = matte.dimensions();
    let largest = width.min(height);
    let marked = matte
        .enumerate_pixels()
        .filter(|(.., alpha)| alpha.0[0] > 0);
    let bounds = marked.fold(None, |bounds: Option<[u32; 4]>, (x, y, _)| {
        let [left, top, right, bottom] = bounds.unwrap_or([x, y, x, y]);
        Some([left.min(x), top.min(y), right.max(x), bottom.max(y)])
    });
    let Some([left, top, right, bottom]) = bounds else {
        return [(width - largest) / 2, (height - largest) / 2, largest];
    };
    let box_side = (right - left).max(bottom - top) as f32 + 1.0;
    let side = ((box_side * VIEW) as u32).clamp(1, largest);
    let centre_x = (left + right) / 2;
    let centre_y = ((top + bottom) / 2) as f32 - 0.25 * box_side;
    let start = |centre: u32, end: u32| centre.saturating_sub(side / 2).min(end - side);
    [
        start(centre_x, width),
        start(centre_y.max(0.0) as u32, height),
        side,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_spread_and_inside() {
        let sheet = Sheet::new(100, 80);
        assert_eq!(sheet.wanted, [105, 115, 125, 135, 145, 155, 165, 175]);
        assert_eq!(Sheet::new(7, 3).wanted, [7, 8, 9]);
        assert_eq!(Sheet::new(0, 0).wanted, [0u64; 0]);
    }

    #[test]
    fn the_view_stays_inside_the_frame() {
        let mut matte = GrayImage::new(64, 48);
        assert_eq!(view(&matte), [8, 0, 48]);
        matte.put_pixel(63, 47, image::Luma([9]));
        let [left, top, side] = view(&matte);
        assert!(left + side <= 64 && top + side <= 48 && side >= 1);
        matte.put_pixel(0, 0, image::Luma([9]));
        assert_eq!(view(&matte)[2], 48);
    }

    #[test]
    fn a_sheet_has_three_rows() {
        let mut sheet = Sheet::new(0, 2);
        let frame = RgbaImage::from_pixel(20, 10, image::Rgba([200, 100, 50, 255]));
        sheet.add(
            &frame,
            &GrayImage::from_pixel(20, 10, image::Luma([255])),
            &frame,
        );
        let image = sheet.into_image();
        assert_eq!(image.dimensions(), (CELL + 2 * GAP, 3 * (CELL + GAP) + GAP));
        let at = |row: u32| image.get_pixel(CELL / 2, row * (CELL + GAP) + CELL / 2).0;
        assert_eq!(at(0), [200, 100, 50]);
        assert_eq!(at(2), [200, 100, 50]);
        assert_eq!(at(1), [104, 178, 74]);
    }
}

//! Where a crop lies in a frame.

use crate::{Error, Result};

/// A similarity from crop to frame: `x' = a x - b y + tx`, `y' = b x + a y + ty`. Frame pixels are
/// square here: where they are not, the unit is a pixel's height.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Similarity {
    /// Scale times the cosine of the angle.
    pub a: f64,
    /// Scale times the sine of the angle (clockwise on screen, y being down).
    pub b: f64,
    /// Shift to the right, frame pixels.
    pub tx: f64,
    /// Shift down, frame pixels.
    pub ty: f64,
}

impl Similarity {
    /// Maps the square `[0, size]^2` onto the frame's square with the given centre and side
    /// (frame pixels), turned clockwise by `roll` radians.
    pub fn square(centre: [f64; 2], side: f64, roll: f64, size: usize) -> Self {
        let scale = side / size as f64;
        let (sin, cos) = roll.sin_cos();
        let (a, b) = (scale * cos, scale * sin);
        let half = size as f64 / 2.0;
        Self {
            a,
            b,
            tx: centre[0] - (a - b) * half,
            ty: centre[1] - (b + a) * half,
        }
    }

    /// The image of a point.
    #[inline(always)]
    pub fn apply(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        [
            self.a * x - self.b * y + self.tx,
            self.b * x + self.a * y + self.ty,
        ]
    }

    /// Frame pixels to a crop pixel.
    pub fn scale(&self) -> f64 {
        self.a.hypot(self.b)
    }

    /// The same square, with `factor` times as many pixels a side.
    pub fn finer(&self, factor: usize) -> Self {
        let factor = factor as f64;
        Self {
            a: self.a / factor,
            b: self.b / factor,
            ..*self
        }
    }

    /// The similarity from frame to crop. The scale must not be 0.
    pub fn inverse(&self) -> Self {
        let square = self.a * self.a + self.b * self.b;
        let (a, b) = (self.a / square, -self.b / square);
        Self {
            a,
            b,
            tx: -(a * self.tx - b * self.ty),
            ty: -(b * self.tx + a * self.ty),
        }
    }

    /// The smallest upright box around the image of `[x0, x1] x [y0, y1]`: left, top, right, bottom.
    pub(crate) fn bounds(&self, [x0, y0, x1, y1]: [f64; 4]) -> [f64; 4] {
        let mut box_ = [
            f64::INFINITY,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::NEG_INFINITY,
        ];
        for corner in [[x0, y0], [x1, y0], [x0, y1], [x1, y1]] {
            let [x, y] = self.apply(corner);
            box_ = [
                box_[0].min(x),
                box_[1].min(y),
                box_[2].max(x),
                box_[3].max(y),
            ];
        }
        box_
    }

    /// An error unless the numbers are finite and the scale can be inverted.
    pub(crate) fn check(&self) -> Result<()> {
        let finite = [self.a, self.b, self.tx, self.ty]
            .iter()
            .all(|v| v.abs() < 1e9);
        if finite && self.scale() > 1e-9 {
            return Ok(());
        }
        Err(Error::Argument {
            field: "similarity",
            reason: format!("{self:?} is not a valid placement"),
        })
    }
}

//! Matches the colour of the generated picture to that of the frame along the mask's edge.

use crate::frame::colour::Curve;
use crate::frame::format::Transfer;
use crate::{Error, Result};

/// Cells a side of the field of gains, over the whole crop.
const CELLS: usize = 16;

/// Gains in linear light, red, green and blue: a smooth field over the crop.
#[derive(Clone, Debug, PartialEq)]
pub struct Gains([[f32; 3]; CELLS * CELLS]);

impl Default for Gains {
    /// No change.
    fn default() -> Self {
        Self::uniform([1.0; 3])
    }
}

impl Gains {
    /// The same gains everywhere.
    pub fn uniform(gains: [f32; 3]) -> Self {
        Self([gains; CELLS * CELLS])
    }

    /// Whether they change nothing.
    pub fn is_none(&self) -> bool {
        self.0.iter().all(|cell| *cell == [1.0; 3])
    }

    /// The gains at the middle of pixel (`x`, `y`) of a crop of `size` pixels a side: bilinear
    /// between the cells' middles.
    #[inline(always)]
    pub fn at(&self, x: usize, y: usize, size: usize) -> [f32; 3] {
        let place = |v: usize| {
            let cells = (v as f32 + 0.5) * CELLS as f32 / size as f32 - 0.5;
            let cells = cells.clamp(0.0, (CELLS - 1) as f32);
            let low = (cells as usize).min(CELLS - 2);
            (low, cells - low as f32)
        };
        let ((i, fx), (j, fy)) = (place(x), place(y));
        std::array::from_fn(|c| {
            let cell = |i: usize, j: usize| self.0[j * CELLS + i][c];
            let above = cell(i, j) + (cell(i + 1, j) - cell(i, j)) * fx;
            let below = cell(i, j + 1) + (cell(i + 1, j + 1) - cell(i, j + 1)) * fx;
            above + (below - above) * fy
        })
    }
}

/// Matches brightness and tint of the generated face to the frame around it.
///
/// Gains in linear light: the mean of the source over the mean of the generated picture, in the
/// feathered band where one fades into the other. The band as a whole gives the level; where along it
/// the two differ more or less than that, the gain follows smoothly, up to `local`, and fades into
/// the level towards the middle. Applied to the generated picture only, it never leaves the mask.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ColourMatch {
    /// The most that the gain of the whole may be, and one over the least; 1 switches the match off.
    pub limit: f32,
    /// The most that a place's gain may be of the whole's, and one over the least. Low: where a
    /// chin has moved, source and generated picture rightly differ.
    pub local: f32,
}

impl Default for ColourMatch {
    fn default() -> Self {
        Self {
            limit: 1.25,
            local: 1.08,
        }
    }
}

/// Sums over one cell: source, generated (each by channel), weight.
type Sums = ([f32; 3], [f32; 3], f32);

/// Enough light that the ratio of two black bands is 1 and noise cannot swing it.
const DARK: f32 = 0.01;
/// Weight (alpha times its complement, summed over pixels of a crop of 256) at which a cell counts as much as what its surroundings say.
const TRUST: f32 = 12.0;

impl ColourMatch {
    /// Gains for red, green and blue. `source` and `generated` are planar `[3, n]` in [-1, 1] (the
    /// crop with the mouth still in it, and the network's), `alpha` is `[n]`, n a square.
    ///
    /// # Errors
    /// [`Error::Argument`] when the lengths do not fit.
    pub fn gains(&self, source: &[f32], generated: &[f32], alpha: &[f32]) -> Result<Gains> {
        let n = alpha.len();
        for (field, image) in [("source", source), ("generated", generated)] {
            if image.len() != 3 * n {
                let reason = format!("{} numbers for [3, {n}]", image.len());
                return Err(Error::Argument { field, reason });
            }
        }
        let size = n.isqrt();
        if size * size != n {
            let reason = format!("{n} values are not a square");
            return Err(Error::Argument {
                field: "alpha",
                reason,
            });
        }
        if self.limit.partial_cmp(&1.0) != Some(std::cmp::Ordering::Greater) {
            return Ok(Gains::default());
        }
        let sums = band(source, generated, alpha, size);
        let whole = sums.iter().fold(Sums::default(), add);
        if whole.2 <= 0.0 {
            return Ok(Gains::default());
        }
        let level = ratio(&whole).map(|gain| gain.clamp(1.0 / self.limit, self.limit));
        let local = self.local.max(1.0);
        let trust = TRUST * (size as f32 / 256.0).powi(2);
        let mut field = [level; CELLS * CELLS];
        spread(&sums, trust, &mut field);
        for cell in &mut field {
            for (gain, level) in cell.iter_mut().zip(level) {
                *gain = gain.clamp(level / local, level * local);
            }
        }
        Ok(Gains(field))
    }
}

/// What the feathered band sums to in each cell.
fn band(source: &[f32], generated: &[f32], alpha: &[f32], size: usize) -> [Sums; CELLS * CELLS] {
    let light = Curve::of(Transfer::Linear);
    let mut sums = [Sums::default(); CELLS * CELLS];
    for (i, &a) in alpha.iter().enumerate() {
        let weight = a * (1.0 - a);
        if weight > 0.0 {
            let (x, y) = (i % size * CELLS / size, i / size * CELLS / size);
            let (s, g, w) = &mut sums[y * CELLS + x];
            *w += weight;
            for c in 0..3 {
                let at = c * size * size + i;
                s[c] += weight * light.from_srgb(source[at] * 0.5 + 0.5);
                g[c] += weight * light.from_srgb(generated[at] * 0.5 + 0.5);
            }
        }
    }
    sums
}

fn add(a: Sums, b: &Sums) -> Sums {
    let sum = |a: [f32; 3], b: [f32; 3]| std::array::from_fn(|c| a[c] + b[c]);
    (sum(a.0, b.0), sum(a.1, b.1), a.2 + b.2)
}

fn ratio((source, generated, weight): &Sums) -> [f32; 3] {
    std::array::from_fn(|c| (source[c] + DARK * weight) / (generated[c] + DARK * weight))
}

/// From coarse to fine: a cell's own ratio, and where its weight is small, that of its surroundings.
fn spread(sums: &[Sums], trust: f32, field: &mut [[f32; 3]; CELLS * CELLS]) {
    let mut cells = 2;
    while cells <= CELLS {
        let block = CELLS / cells;
        let coarse = *field;
        for j in 0..cells {
            for i in 0..cells {
                let inside = (0..block * block)
                    .map(|k| &sums[(j * block + k / block) * CELLS + i * block + k % block])
                    .fold(Sums::default(), add);
                if inside.2 <= 0.0 {
                    continue;
                }
                let share = inside.2 / (inside.2 + trust);
                let own = ratio(&inside);
                for k in 0..block * block {
                    let at = (j * block + k / block) * CELLS + i * block + k % block;
                    for c in 0..3 {
                        field[at][c] = coarse[at][c] + share * (own[c] - coarse[at][c]);
                    }
                }
            }
        }
        smooth(field, block);
        cells *= 2;
    }
}

/// Takes the steps between blocks of `block` cells out: a box of that reach, edges repeated.
fn smooth(field: &mut [[f32; 3]; CELLS * CELLS], block: usize) {
    let reach = (block / 2).max(1) as isize;
    for (along, across) in [(1, CELLS), (CELLS, 1)] {
        let before = *field;
        for line in 0..CELLS {
            for k in 0..CELLS as isize {
                for c in 0..3 {
                    let sum: f32 = (k - reach..=k + reach)
                        .map(|m| {
                            let m = m.clamp(0, CELLS as isize - 1) as usize;
                            before[line * across + m * along][c]
                        })
                        .sum();
                    field[line * across + k as usize * along][c] = sum / (2 * reach + 1) as f32;
                }
            }
        }
    }
}

//! Decodes the detector's output grid into boxes.

use crate::frame::Similarity;
use crate::model::manifest::DetectorSizes;
use crate::{Error, Result};

/// The most faces of a frame that are processed, the largest first: bounds the time per frame.
pub const MOST: usize = 8;

/// A face as the detector sees it: an upright square.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Detection {
    /// Centre of the face's crop, pixels.
    pub centre: [f64; 2],
    /// Side of the face's crop, pixels.
    pub side: f64,
    /// The detector's confidence, (0, 1).
    pub score: f64,
}

/// From the detector's input to the frame: the frame fills the upper left of the square, its longer
/// side whole.
pub fn letterbox([width, height]: [f64; 2], size: usize) -> Similarity {
    Similarity {
        a: width.max(height) / size as f64,
        b: 0.0,
        tx: 0.0,
        ty: 0.0,
    }
}

/// Faces in the detector's input pixels, from its raw outputs: `scores` one logit a cell, `boxes`
/// planes of dx, dy (cells, from the cell's centre) and log side (cells). Peaks at or above the
/// threshold, without those that overlap one with a higher score, the largest first, at most [`MOST`].
/// Values that are not finite are ignored.
///
/// # Errors
/// [`Error::Network`] when an output has another length.
pub fn decode(scores: &[f32], boxes: &[f32], sizes: DetectorSizes) -> Result<Vec<Detection>> {
    let cells = sizes.size / sizes.stride;
    let plane = cells * cells;
    if scores.len() != plane || boxes.len() != 3 * plane {
        let reason = format!(
            "{} scores, {} boxes for {plane} cells",
            scores.len(),
            boxes.len()
        );
        return Err(Error::Network {
            network: "detector",
            reason,
        });
    }
    let stride = sizes.stride as f64;
    let mut found: Vec<Detection> = (0..plane)
        .filter(|&i| is_peak(scores, cells, i))
        .filter_map(|i| {
            let [dx, dy, size] = [0, 1, 2].map(|k| f64::from(boxes[k * plane + i]));
            let place = |cell: usize, shift: f64| (cell as f64 + 0.5 + shift) * stride;
            let detection = Detection {
                centre: [place(i % cells, dx), place(i / cells, dy)],
                side: size.exp() * stride,
                score: sigmoid(scores[i]),
            };
            // A valid face is at least one pixel wide and not much larger than the picture.
            let sane = detection.centre.iter().all(|v| v.is_finite())
                && (1.0..4.0 * sizes.size as f64).contains(&detection.side);
            (sane && detection.score >= f64::from(sizes.threshold)).then_some(detection)
        })
        .collect();
    // Stable sorts: equal ones keep the grid's order.
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept: Vec<Detection> = Vec::new();
    for face in found {
        if kept
            .iter()
            .all(|other| !covers(other.centre, other.side, face.centre, face.side))
        {
            kept.push(face);
        }
    }
    kept.sort_by(|a, b| b.side.total_cmp(&a.side));
    kept.truncate(MOST);
    Ok(kept)
}

/// Whether no neighbour is higher, and none of the earlier ones equal.
fn is_peak(scores: &[f32], cells: usize, i: usize) -> bool {
    if !scores[i].is_finite() {
        return false;
    }
    let (x, y) = (i % cells, i / cells);
    let rows = y.saturating_sub(1)..(y + 2).min(cells);
    rows.flat_map(|row| (x.saturating_sub(1)..(x + 2).min(cells)).map(move |c| row * cells + c))
        .all(|j| {
            j == i
                || scores[j] < scores[i]
                || scores[j].is_nan()
                || (scores[j] == scores[i] && j > i)
        })
}

/// Whether two squares are the same face: they share much of their union, or most of the smaller.
pub fn covers(a: [f64; 2], a_side: f64, b: [f64; 2], b_side: f64) -> bool {
    let along = |i: usize| {
        let low = (a[i] - a_side / 2.0).max(b[i] - b_side / 2.0);
        let high = (a[i] + a_side / 2.0).min(b[i] + b_side / 2.0);
        (high - low).max(0.0)
    };
    let shared = along(0) * along(1);
    let (first, second) = (a_side * a_side, b_side * b_side);
    shared > 0.35 * (first + second - shared) || shared > 0.6 * first.min(second)
}

/// The logistic function.
pub fn sigmoid(logit: f32) -> f64 {
    1.0 / (1.0 + (-f64::from(logit)).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZES: DetectorSizes = DetectorSizes {
        size: 192,
        stride: 8,
        threshold: 0.5,
    };
    const CELLS: usize = 24;

    struct Grid {
        scores: Vec<f32>,
        boxes: Vec<f32>,
    }

    impl Grid {
        fn new() -> Self {
            Self {
                scores: vec![-6.0; CELLS * CELLS],
                boxes: vec![0.0; 3 * CELLS * CELLS],
            }
        }

        fn put(&mut self, column: usize, row: usize, score: f32, values: [f32; 3]) {
            let i = row * CELLS + column;
            self.scores[i] = score;
            for (k, v) in values.into_iter().enumerate() {
                self.boxes[k * CELLS * CELLS + i] = v;
            }
        }

        fn decode(&self) -> Vec<Detection> {
            decode(&self.scores, &self.boxes, SIZES).unwrap()
        }
    }

    #[test]
    fn a_cell_says_where_and_how_large() {
        let mut grid = Grid::new();
        grid.put(3, 10, 2.0, [0.25, -0.5, 6.0f32.ln()]);
        let [face] = grid.decode()[..] else {
            panic!("one face")
        };
        assert!((face.centre[0] - 30.0).abs() < 1e-4 && (face.centre[1] - 80.0).abs() < 1e-4);
        assert!((face.side - 48.0).abs() < 1e-3 && (face.score - 0.8808).abs() < 1e-4);
        let map = letterbox([1920.0, 1080.0], 192);
        assert_eq!(map.apply([192.0, 108.0]), [1920.0, 1080.0]);
        assert_eq!(
            letterbox([480.0, 640.0], 192).apply([144.0, 192.0]),
            [480.0, 640.0]
        );
    }

    #[test]
    fn one_face_is_found_once() {
        let mut grid = Grid::new();
        // A plateau, as the detector is trained to give, and a weaker echo two cells on.
        for (column, row) in [(10, 10), (11, 10), (10, 11), (11, 11)] {
            grid.put(column, row, 3.0, [0.0, 0.0, 8.0f32.ln()]);
        }
        grid.put(13, 10, 1.0, [0.0, 0.0, 8.0f32.ln()]);
        assert_eq!(grid.decode().len(), 1);
        // A neighbour one side away is another.
        grid.put(19, 10, 1.0, [0.0, 0.0, 9.0f32.ln()]);
        let faces = grid.decode();
        assert_eq!(faces.len(), 2);
        assert!(faces[0].side > faces[1].side, "the largest comes first");
    }

    #[test]
    fn below_the_threshold_is_no_face() {
        let mut grid = Grid::new();
        grid.put(5, 5, -0.01, [0.0; 3]);
        assert!(grid.decode().is_empty());
        grid.put(5, 5, 0.0, [0.0; 3]);
        assert_eq!(grid.decode().len(), 1);
    }

    #[test]
    fn nonsense_is_no_face() {
        let mut grid = Grid::new();
        grid.put(1, 1, f32::NAN, [0.0; 3]);
        grid.put(5, 5, 2.0, [f32::NAN, 0.0, 0.0]);
        grid.put(9, 9, 2.0, [0.0, 0.0, f32::INFINITY]);
        grid.put(13, 13, 2.0, [0.0, 0.0, -50.0]);
        grid.put(17, 17, f32::INFINITY, [0.0; 3]);
        assert!(grid.decode().is_empty());
        assert!(decode(&grid.scores[1..], &grid.boxes, SIZES).is_err());
        assert!(decode(&grid.scores, &grid.boxes[1..], SIZES).is_err());
    }

    #[test]
    fn a_crowd_is_bounded() {
        let mut grid = Grid::new();
        for k in 0..25 {
            grid.put(
                2 + 4 * (k % 5),
                2 + 4 * (k / 5),
                1.0,
                [0.0, 0.0, (1.0 + k as f32 / 25.0).ln()],
            );
        }
        let faces = grid.decode();
        assert_eq!(faces.len(), MOST);
        assert!((faces[0].side - 8.0 * 49.0 / 25.0).abs() < 1e-3);
    }
}

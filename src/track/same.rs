//! Whether two detections are the same person: by their places in neighbouring frames, and by their embeddings.

use crate::face::{Face, FaceEmbedding};

/// Least confidence of a face whose embedding counts: one that is turned away, hidden or tiny looks like anyone.
const TRUSTED: f32 = 0.5;
/// Similarity of a face and a known person below which it is somebody else, wherever it is.
pub const OTHER: f32 = 0.25;

/// The embedding of a face that is seen well enough.
pub fn trusted(face: &Face) -> Option<FaceEmbedding> {
    face.embedding.filter(|_| face.confidence >= TRUSTED)
}

/// Whether two faces are clearly of two people.
fn are_others(a: &Face, b: &Face) -> bool {
    let pair = trusted(a).zip(trusted(b));
    pair.is_some_and(|(a, b)| a.similarity(&b) < OTHER)
}

/// The face among `faces` that is `face` one frame later (or earlier).
pub fn successor(face: &Face, faces: &[Face]) -> Option<usize> {
    let places = faces.iter().map(|other| gap(face, other)).enumerate();
    places
        .filter(|(at, gap)| *gap < 1.0 && !are_others(face, &faces[*at]))
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(at, _)| at)
}

/// Distance between two detections in neighbouring frames; 1 and more are two different faces. From
/// one frame to the next a head moves by less than half its crop and does not grow by half.
pub fn gap(a: &Face, b: &Face) -> f64 {
    let moved = distance(a.centre, b.centre) / (0.5 * a.side.min(b.side));
    let grown = (a.side / b.side).ln().abs() / 1.5f64.ln();
    moved.hypot(grown)
}

/// Distance of two points.
pub fn distance(a: [f64; 2], b: [f64; 2]) -> f64 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

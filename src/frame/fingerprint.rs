//! A number that identifies a picture.

use xxhash_rust::xxh3::Xxh3;

use super::format::FrameRef;

/// The grid of a fingerprint: every 8th row, and in it every 4th block of 64 bytes (a cache line).
const ROW_STEP: usize = 8;
const BLOCK_STEP: usize = 4;
const BLOCK: usize = 64;

/// Identifies a picture by a grid of small blocks, its size and its format. The grid is fine enough to
/// notice when only the lips move. Reading the whole of a 4K float frame would take longer than
/// rendering the face.
pub fn fingerprint(picture: &FrameRef<'_>) -> u128 {
    let mut hash = Xxh3::new();
    let (width, height) = (picture.width(), picture.height());
    hash.update(&(width as u64).to_le_bytes());
    hash.update(&(height as u64).to_le_bytes());
    hash.update(&[picture.format() as u8]);
    // Faces depend on it. Left out for square pixels, whose fingerprints analysis files hold.
    if picture.pixel_aspect() != 1.0 {
        hash.update(&picture.pixel_aspect().to_le_bytes());
    }
    for (line, y) in (0..height).step_by(ROW_STEP).enumerate() {
        let blocks = picture.row(y).chunks(BLOCK);
        // Each row starts at another block, so that every column is read in some row.
        for block in blocks.skip(line % BLOCK_STEP).step_by(BLOCK_STEP) {
            hash.update(block);
        }
    }
    hash.digest128()
}

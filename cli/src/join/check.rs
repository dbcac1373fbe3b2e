//! What both kinds of pieces are checked for.

use std::path::Path;

use crate::failure::{Failure, Result};

/// An argument that does not suit the others.
pub fn argument(field: &'static str, reason: impl Into<String>) -> Failure {
    Failure::Engine(stylelipsync::Error::Argument {
        field,
        reason: reason.into(),
    })
}

/// Compares the number of frames with `--count`. `last`: the piece or picture that holds the last one.
///
/// # Errors
/// [`Failure::Input`] when they differ.
pub fn count(wanted: Option<u64>, frames: u64, last: &Path) -> Result<()> {
    match wanted {
        Some(wanted) if wanted != frames => Err(Failure::Input(format!(
            "the pieces have {frames} frames, but --count is {wanted}: the last frame is that of {}",
            last.display()
        ))),
        _ => Ok(()),
    }
}

//! The command `join`: the pieces that `render --frames` made become one result.

mod check;
mod concat;
mod movies;
mod piece;
mod sequences;

use crate::args::JoinArguments;
use crate::failure::{Failure, Result};
use crate::sink;

/// Runs `join`.
///
/// # Errors
/// Any error that stops it; the output is then unchanged.
pub fn run(arguments: &JoinArguments) -> Result<()> {
    let JoinArguments { pieces, out, .. } = arguments;
    for piece in pieces {
        piece
            .metadata()
            .map_err(|error| Failure::reading(piece, error))?;
    }
    sink::check(out)?;
    if let Ok(target) = out.canonicalize()
        && pieces
            .iter()
            .any(|piece| piece.canonicalize().is_ok_and(|piece| piece == target))
    {
        return Err(Failure::writing(out, "it is one of the pieces"));
    }
    let folders = pieces.iter().filter(|piece| piece.is_dir()).count();
    let frames = if folders == 0 {
        movies::join(arguments)?
    } else if folders == pieces.len() {
        sequences::join(arguments)?
    } else {
        let [folder, movie] = [true, false].map(|kind| {
            let mut of_kind = pieces.iter().filter(|piece| piece.is_dir() == kind);
            of_kind
                .next()
                .map(|piece| piece.display().to_string())
                .unwrap_or_default()
        });
        return Err(Failure::Input(format!(
            "{folder} is a folder, but {movie} is a file: only pieces of one kind can be joined"
        )));
    };
    eprintln!("{frames} frames: {}", out.display());
    Ok(())
}

//! The list that ffmpeg's concat demuxer reads.

use std::path::Path;

use crate::failure::{Failure, Result};
use crate::join::piece::Piece;

/// The list of the pieces in their order, with their exact lengths: those that the containers state are rounded.
///
/// # Errors
/// [`Failure::Input`] for names that the list cannot express.
pub fn list(pieces: &[Piece]) -> Result<Vec<u8>> {
    let mut list = b"ffconcat version 1.0\n".to_vec();
    for Piece { path, movie, .. } in pieces {
        let seconds = movie.rate.seconds(movie.frames);
        list.extend(b"file ");
        list.extend(quoted(path)?);
        // Else a piece would begin where its audio does, which AAC's encoder puts before the picture.
        list.extend(format!("\ninpoint 0\nduration {seconds:.6}\n").bytes());
    }
    Ok(list)
}

/// The absolute path, as ffmpeg's lists quote names: relative ones would be relative to the list.
fn quoted(path: &Path) -> Result<Vec<u8>> {
    let absolute = std::path::absolute(path).map_err(|error| Failure::reading(path, error))?;
    let bytes =
        bytes(&absolute).ok_or_else(|| Failure::reading(path, "its name is not Unicode"))?;
    if bytes.iter().any(|byte| matches!(byte, b'\n' | b'\r' | 0)) {
        let reason = "its name contains a line break, which ffmpeg's lists do not take";
        return Err(Failure::reading(path, reason));
    }
    let mut quoted = b"'file:".to_vec();
    for byte in bytes {
        match byte {
            b'\'' => quoted.extend(br"'\''"),
            _ => quoted.push(byte),
        }
    }
    quoted.push(b'\'');
    Ok(quoted)
}

#[cfg(unix)]
fn bytes(path: &Path) -> Option<Vec<u8>> {
    use std::os::unix::ffi::OsStrExt;
    Some(path.as_os_str().as_bytes().to_vec())
}

#[cfg(not(unix))]
fn bytes(path: &Path) -> Option<Vec<u8>> {
    path.to_str().map(|text| text.as_bytes().to_vec())
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted() {
        let quoted = |name: &str| quoted(Path::new(name)).map(|b| String::from_utf8(b).unwrap());
        assert_eq!(quoted("/a/b 1.mkv").unwrap(), "'file:/a/b 1.mkv'");
        assert_eq!(quoted(r"/a/it's\.mkv").unwrap(), r"'file:/a/it'\''s\.mkv'");
        assert!(quoted("/a/b\nfile c").is_err());
    }
}

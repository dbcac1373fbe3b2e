//! Output formats: the file type implied by a name, and a movie's properties.

use std::path::Path;

use crate::args::FrameRate;
use crate::failure::{Failure, Result};
use crate::picture::Layout;
use crate::probe::Movie;

/// What a target's name asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// H.264 and AAC.
    Mp4,
    /// ProRes 422 HQ and PCM, for editors.
    Mov,
    /// FFV1 in RGB and FLAC: nothing is lost.
    Mkv,
    /// PNG pictures.
    Folder,
}

impl Kind {
    /// Reads the kind off the name: an extension is a movie's, none is a folder.
    ///
    /// # Errors
    /// [`Failure::Output`] for movies that are not written.
    pub fn of(path: &Path) -> Result<Self> {
        let extension = path
            .extension()
            .map(|e| e.to_string_lossy().to_ascii_lowercase());
        match extension.as_deref() {
            _ if path.is_dir() => Ok(Self::Folder),
            None => Ok(Self::Folder),
            Some("mp4" | "m4v") => Ok(Self::Mp4),
            Some("mov") => Ok(Self::Mov),
            Some("mkv") => Ok(Self::Mkv),
            Some(other) => Err(Failure::Output(format!(
                "cannot write {}: .{other} is not one of .mp4, .mov, .mkv, nor an existing folder",
                path.display()
            ))),
        }
    }
}

/// The sound laid under a movie: the audio file from `start`, `seconds` long, silence after its
/// end.
#[derive(Clone, Debug)]
pub struct Sound<'a> {
    pub path: &'a Path,
    pub start: f64,
    pub seconds: f64,
}

/// What a movie is written with.
#[derive(Clone, Debug)]
pub struct Format<'a> {
    pub layout: Layout,
    pub rate: FrameRate,
    /// The source's streams, whose colours and pixel aspect are kept.
    pub like: Option<&'a Movie>,
    pub sound: Option<Sound<'a>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_the_kind() {
        assert_eq!(Kind::of(Path::new("a/b.MP4")).unwrap(), Kind::Mp4);
        assert_eq!(Kind::of(Path::new("a/b.mkv")).unwrap(), Kind::Mkv);
        assert_eq!(Kind::of(Path::new("a/frames")).unwrap(), Kind::Folder);
        assert!(Kind::of(Path::new("a/b.avi")).is_err());
    }
}

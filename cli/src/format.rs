//! What can be written: the file type implied by a name, and codecs.

use std::path::Path;

use clap::ValueEnum;

use crate::failure::{Failure, Result};

/// What a target's name asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// H.264, H.265 or AV1, and AAC.
    Mp4,
    /// ProRes 422 HQ or 4444, and PCM, for editors.
    Mov,
    /// FFV1 in RGB and FLAC: nothing is lost.
    Mkv,
    /// Pictures.
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
            Some("exr" | "tif" | "tiff" | "png") => Err(Failure::Output(format!(
                "cannot write {}: name a folder for pictures, and their kind with --pictures",
                path.display()
            ))),
            Some(other) => Err(Failure::Output(format!(
                "cannot write {}: .{other} is not one of .mp4, .mov, .mkv, nor an existing folder",
                path.display()
            ))),
        }
    }
}

impl Kind {
    /// The usual ending of the files' names.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mp4 => ".mp4",
            Self::Mov => ".mov",
            Self::Mkv => ".mkv",
            Self::Folder => "folder",
        }
    }
}

/// What the files of a folder are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum PictureKind {
    /// 8 or 16 bits, as the clip.
    #[default]
    Png,
    /// 8 or 16 bits, as the clip.
    Tiff,
    /// Light in half float, premultiplied; an EXR picture stays what it is.
    Exr,
}

impl PictureKind {
    pub fn ending(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Tiff => "tif",
            Self::Exr => "exr",
        }
    }
}

/// A codec to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Codec {
    H264,
    H265,
    Av1,
    /// 422 HQ, or 4444 where the clip has alpha or 4:4:4 chroma.
    Prores,
    /// Lossless.
    Ffv1,
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
        let sequence = Kind::of(Path::new("a/%04d.exr")).unwrap_err().to_string();
        assert!(sequence.contains("--pictures"), "{sequence}");
    }
}

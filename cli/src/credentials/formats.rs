//! Which files hold credentials, and where they lie otherwise.

use std::path::{Path, PathBuf};

use crate::stills;

/// The media type of files that credentials are embedded in.
pub fn format_of(path: &Path) -> Option<&'static str> {
    Some(match stills::ending(path)?.as_str() {
        "mp4" | "m4v" => "video/mp4",
        "mov" => "video/quicktime",
        "avi" => "video/avi",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "tif" | "tiff" => "image/tiff",
        "wav" => "audio/wav",
        _ => return None,
    })
}

/// The format of a manifest that is not embedded.
pub const SIDECAR: &str = "application/c2pa";

/// Whether credentials of a file of this name are embedded in it; else they lie beside it.
pub fn is_embedded(path: &Path) -> bool {
    format_of(path).is_some()
}

/// The name of the credentials that lie beside a file.
pub fn sidecar_of(path: &Path) -> PathBuf {
    path.with_extension("c2pa")
}

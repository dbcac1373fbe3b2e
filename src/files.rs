//! Files that are replaced atomically, and files whose size is checked before they are read.

use std::io::Write;
use std::path::Path;

use crate::{Error, Result};

/// Replaces a file atomically: writes a temporary file in the same folder, then renames it.
///
/// # Errors
/// [`Error::Write`].
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let failed = |source| Error::Write {
        path: path.to_owned(),
        source,
    };
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

/// Reads a file of at most `limit` bytes.
///
/// # Errors
/// [`Error::Read`], also for a longer file, of which nothing is read.
pub(crate) fn read_below(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let failed = |source| Error::Read {
        path: path.to_owned(),
        source,
    };
    let length = std::fs::metadata(path).map_err(failed)?.len();
    if length > limit {
        let reason = format!("it has {length} bytes, more than {limit}");
        return Err(failed(std::io::Error::other(reason)));
    }
    std::fs::read(path).map_err(failed)
}

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
    let mut file = result_file().tempfile_in(folder).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

/// Temporary files are private by default, but this one becomes a result: the umask decides.
#[cfg(unix)]
fn result_file() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder
}

#[cfg(not(unix))]
fn result_file() -> tempfile::Builder<'static, 'static> {
    tempfile::Builder::new()
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

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    #[allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
    fn a_written_file_has_the_mode_of_any_other() {
        let folder = tempfile::tempdir().unwrap();
        let mode = |name: &str| {
            let file = std::fs::metadata(folder.path().join(name)).unwrap();
            file.permissions().mode()
        };
        std::fs::write(folder.path().join("plain"), b"1").unwrap();
        write_whole(&folder.path().join("whole"), b"1").unwrap();
        assert_eq!(mode("whole"), mode("plain"));
    }
}

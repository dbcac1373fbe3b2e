//! The log files that a user can attach to a report: where they are, and how large they become.

use std::env::VarError;
use std::fmt::Display;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Overrides the path of the file; `off` for none.
pub const PATH_VARIABLE: &str = "STYLELIPSYNC_LOG_FILE";
/// A file of this size is renamed when it is opened, and a new one is started.
pub const MAX_BYTES: u64 = 4 << 20;

/// The path of a program's log file: `ofx` for the effect, `cli` for the command line. `None` where there is none:
/// the user has no home folder, or does not want it.
///
/// Linux: `$XDG_STATE_HOME/stylelipsync`, by default `~/.local/state/stylelipsync`; macOS:
/// `~/Library/Logs/StyleLipSync`; Windows: `%LOCALAPPDATA%\StyleLipSync`.
pub fn path(program: &str) -> Option<PathBuf> {
    match std::env::var(PATH_VARIABLE) {
        Ok(path) if path == "off" => None,
        Ok(path) if !path.is_empty() => Some(path.into()),
        Err(VarError::NotUnicode(path)) => Some(path.into()),
        _ => Some(folder()?.join(program).with_extension("log")),
    }
}

fn folder() -> Option<PathBuf> {
    if cfg!(target_os = "macos") {
        return Some(dirs::home_dir()?.join("Library/Logs/StyleLipSync"));
    }
    match dirs::state_dir() {
        Some(state) => Some(state.join("stylelipsync")),
        None => Some(dirs::data_local_dir()?.join("StyleLipSync")),
    }
}

/// One line of the file: time, process, level, target and message.
pub fn line(time: impl Display, record: &log::Record<'_>, message: impl Display) -> String {
    let (process, level, target) = (std::process::id(), record.level(), record.target());
    format!("{time} {process} {level} {target}: {message}\n")
}

/// A log file that is appended to: several processes may write to it at the same time. One process adds at most
/// [`MAX_BYTES`]; what it writes beyond is lost.
#[derive(Debug)]
pub struct LogFile {
    file: File,
    left: u64,
}

impl LogFile {
    /// Opens the file, and makes its folder.
    ///
    /// # Errors
    /// From the file system.
    pub fn open(path: &Path) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        if std::fs::metadata(path).is_ok_and(|file| file.len() > MAX_BYTES) {
            // Another process may have done it.
            let _ = std::fs::rename(path, path.with_extension("old.log"));
        }
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        Ok(Self {
            file,
            left: MAX_BYTES,
        })
    }
}

impl Write for LogFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() as u64 <= self.left {
            self.left -= bytes.len() as u64;
            self.file.write_all(bytes)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

    use super::*;

    #[test]
    fn a_large_file_is_renamed_and_a_process_adds_no_more_than_the_limit() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("new/folder/cli.log");
        let mut log = LogFile::open(&path).unwrap();
        let line = vec![b'x'; 1 << 20];
        for _ in 0..9 {
            log.write_all(&line).unwrap();
        }
        assert_eq!(std::fs::metadata(&path).unwrap().len(), MAX_BYTES);
        LogFile::open(&path).unwrap().write_all(b"more\n").unwrap();
        LogFile::open(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().len(), 0);
        assert!(path.with_extension("old.log").is_file());
    }
}

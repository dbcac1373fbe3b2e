//! The log file: what the effect, the engine and ONNX Runtime log, and panics. Hosts show none of it,
//! so that a file is the only way for a user to report a problem.

use std::backtrace::Backtrace;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Once;

use env_logger::{Builder, Target, WriteStyle};
use log::LevelFilter;

/// Overrides the path of the file.
const PATH_VARIABLE: &str = "STYLELIPSYNC_LOG_FILE";
/// Overrides the levels, for example `debug` or `stylelipsync=debug`.
const LEVEL_VARIABLE: &str = "STYLELIPSYNC_LOG";
/// A file of this size is renamed when a host loads the effect, and a new one is started.
const MAX_BYTES: u64 = 4 << 20;

/// Starts the log file, once per process. Without a place to write to, there is no log.
pub fn start() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        if let Some(file) = path().and_then(|path| open(&path).ok()) {
            start_with(file);
        }
    });
}

/// The path of the file; `None` where the user has no home directory.
fn path() -> Option<PathBuf> {
    match std::env::var_os(PATH_VARIABLE) {
        Some(path) if !path.is_empty() => Some(path.into()),
        _ => Some(folder()?.join("ofx.log")),
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

/// Opens the file for appending: several hosts may write to it at the same time.
fn open(path: &Path) -> std::io::Result<File> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    if std::fs::metadata(path).is_ok_and(|file| file.len() > MAX_BYTES) {
        std::fs::rename(path, path.with_extension("old.log"))?;
    }
    OpenOptions::new().append(true).create(true).open(path)
}

fn start_with(file: File) {
    let mut builder = Builder::new();
    builder
        .filter_level(LevelFilter::Warn)
        .filter_module("stylelipsync", LevelFilter::Info)
        .target(Target::Pipe(Box::new(file)))
        .write_style(WriteStyle::Never)
        .format(|line, record| {
            writeln!(
                line,
                "{} {} {} {}: {}",
                line.timestamp_millis(),
                std::process::id(),
                record.level(),
                record.target(),
                record.args()
            )
        });
    if let Ok(levels) = std::env::var(LEVEL_VARIABLE) {
        builder.parse_filters(&levels);
    }
    // Refused if there is a logger already, as in a program that links this crate.
    if builder.try_init().is_ok() {
        // The hook of this library's copy of the standard library: the host's is another one.
        std::panic::set_hook(Box::new(|panic| {
            log::error!("{panic}\n{}", Backtrace::force_capture());
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_panics_are_written_and_a_large_file_is_renamed() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("new/folder/ofx.log");
        start_with(open(&path).unwrap());
        log::info!("a line");
        log::info!(target: "another_crate", "a line of no interest");
        let panicked = std::thread::spawn(|| panic!("a panic")).join();
        assert!(panicked.is_err());
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains("INFO stylelipsync_ofx::log_file::tests: a line\n"));
        assert!(!text.contains("a line of no interest"));
        assert!(
            text.contains("a panic") && text.contains("log_file.rs"),
            "{text}"
        );

        std::fs::write(&path, vec![b' '; MAX_BYTES as usize + 1]).unwrap();
        open(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().len(), 0);
        assert!(path.with_extension("old.log").is_file());
    }
}

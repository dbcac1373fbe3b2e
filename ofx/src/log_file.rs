//! The log file: what the effect, the engine and ONNX Runtime log, and panics. Hosts show none of it,
//! so that a file is the only way for a user to report a problem.

use std::backtrace::Backtrace;
use std::io::Write;
use std::sync::Once;

use env_logger::{Builder, Target, WriteStyle};
use log::LevelFilter;
use stylelipsync_provision::log_file::{LogFile, path};

/// Overrides the levels, for example `debug` or `stylelipsync=debug`.
const LEVEL_VARIABLE: &str = "STYLELIPSYNC_LOG";

/// Starts the log file, once per process. Without a place to write to, there is no log.
pub fn start() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        if let Some(file) = path("ofx").and_then(|path| LogFile::open(&path).ok()) {
            start_with(file);
        }
    });
}

fn start_with(file: LogFile) {
    let mut builder = Builder::new();
    builder
        .filter_level(LevelFilter::Warn)
        .filter_module("stylelipsync", LevelFilter::Info)
        .target(Target::Pipe(Box::new(file)))
        .write_style(WriteStyle::Never)
        .format(|line, record| {
            let text = stylelipsync_provision::log_file::line(
                line.timestamp_millis(),
                record,
                record.args(),
            );
            line.write_all(text.as_bytes())
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
    fn lines_and_panics_are_written() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("new/folder/ofx.log");
        start_with(LogFile::open(&path).unwrap());
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
    }
}

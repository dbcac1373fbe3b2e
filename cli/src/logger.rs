//! Warnings of the library and of the CLI, one line each on standard error.

use log::{Level, LevelFilter, Log, Metadata, Record};

struct Stderr;

impl Log for Stderr {
    fn enabled(&self, metadata: &Metadata) -> bool {
        // Libraries say in their own words what ends up in our sentences anyway.
        metadata.target().starts_with("stylelipsync")
    }

    fn log(&self, record: &Record) {
        if self.enabled(record.metadata()) {
            let level = match record.level() {
                Level::Error => "error",
                Level::Warn => "warning",
                _ => "note",
            };
            eprintln!("{level}: {}", record.args());
        }
    }

    fn flush(&self) {}
}

/// Shows warnings, and notes when `STYLELIPSYNC_LOG=info`.
pub fn install() {
    let more = std::env::var("STYLELIPSYNC_LOG")
        .ok()
        .and_then(|text| text.parse().ok());
    // Only a second logger would be refused, and there is none.
    let _ = log::set_logger(&Stderr);
    log::set_max_level(more.unwrap_or(LevelFilter::Warn));
}

//! Log messages of the library and of the command line, one line each on standard error.

use std::io::Write;

use env_logger::Builder;
use log::{Level, LevelFilter};

/// Shows warnings and errors. The environment variable `STYLELIPSYNC_LOG` takes another level
/// (`off`, `error`, `warn`, `info`, `debug`, `trace`), or env_logger's directives
/// (`warn,onnxruntime=info`).
pub fn install() {
    builder(std::env::var("STYLELIPSYNC_LOG").ok().as_deref()).init();
}

fn builder(wanted: Option<&str>) -> Builder {
    let mut builder = Builder::new();
    builder.format(|out, record| {
        let level = match record.level() {
            Level::Error => "error",
            Level::Warn => "warning",
            _ => "note",
        };
        writeln!(out, "{level}: {}", record.args())
    });
    // A level alone is for our own modules: other libraries log what our messages report anyway.
    let level = wanted.map_or(Ok(LevelFilter::Warn), str::parse);
    match (level, wanted) {
        (Err(_), Some(directives)) => builder.parse_filters(directives),
        (level, _) => builder.filter_module("stylelipsync", level.unwrap_or(LevelFilter::Warn)),
    };
    builder
}

#[cfg(test)]
mod tests {
    use super::*;
    use log::Log;

    fn shows(wanted: Option<&str>, target: &str, level: Level) -> bool {
        let logger = builder(wanted).build();
        logger.enabled(&log::Metadata::builder().target(target).level(level).build())
    }

    #[test]
    fn a_level_is_for_our_modules_and_directives_for_any() {
        assert!(shows(None, "stylelipsync::model", Level::Warn));
        assert!(!shows(None, "stylelipsync::model", Level::Info));
        assert!(!shows(None, "onnxruntime", Level::Error));
        assert!(shows(Some("info"), "stylelipsync_provision", Level::Info));
        assert!(!shows(Some("info"), "symphonia", Level::Error));
        assert!(!shows(Some("off"), "stylelipsync", Level::Error));
        assert!(shows(
            Some("warn,onnxruntime=info"),
            "onnxruntime",
            Level::Info
        ));
    }
}

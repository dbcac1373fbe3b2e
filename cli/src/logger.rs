//! Log messages of the library and of the command line: one line each on standard error, and a log file that a
//! user can attach to a report.

use std::backtrace::Backtrace;
use std::io::Write;

use env_logger::{Builder, Logger, Target, WriteStyle};
use log::{Level, LevelFilter, Log, Metadata, Record};
use stylelipsync_provision::log_file::{self, LogFile};

use crate::redact::Redactor;

/// The target of messages that are for the log file only: the user has seen them, or does not need them.
pub const FILE_ONLY: &str = "stylelipsync::file";

/// Shows warnings and errors. The environment variable `STYLELIPSYNC_LOG` takes another level
/// (`off`, `error`, `warn`, `info`, `debug`, `trace`), or env_logger's directives
/// (`warn,onnxruntime=info`).
///
/// The log file also takes notes and panics. Without a place to write to, there is none; and no failure to write
/// it stops the program.
pub fn install() {
    let terminal = builder(std::env::var("STYLELIPSYNC_LOG").ok().as_deref()).build();
    let path = log_file::path("cli");
    let file = path.and_then(|path| LogFile::open(&path).ok());
    let file = file.map(|file| to_file(file, Redactor::from_environment()));
    start(Both { terminal, file });
    // Paths need not be Unicode.
    let arguments = std::env::args_os().skip(1);
    let arguments = arguments.map(|argument| argument.to_string_lossy().into_owned());
    let (system, machine) = (std::env::consts::OS, std::env::consts::ARCH);
    log::info!(
        target: FILE_ONLY,
        "stylelipsync {} on {system} {machine}: {}",
        env!("CARGO_PKG_VERSION"),
        options(arguments).join(" ")
    );
}

/// Sends messages and panics to the logger.
fn start(logger: Both) {
    log::set_max_level(logger.level());
    // Refused if there is a logger already.
    let _ = log::set_boxed_logger(Box::new(logger));
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let trace = Backtrace::force_capture();
        log::error!(target: FILE_ONLY, "{panic}\n{trace}");
        print(panic);
    }));
}

/// The command and the names of its options, with the values that are numbers: others may be paths or names.
fn options(arguments: impl Iterator<Item = String>) -> Vec<String> {
    let is_number = |text: &str| text.parse::<f64>().is_ok();
    let shown = arguments.enumerate().map(|(place, text)| {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text.as_str(), None),
        };
        let known = place == 0 || is_number(&text) || name.starts_with("--");
        match value {
            _ if !known => "*".to_owned(),
            Some(value) if !is_number(value) => format!("{name}=*"),
            _ => text,
        }
    });
    shown.collect()
}

/// Standard error and the log file.
struct Both {
    terminal: Logger,
    file: Option<Logger>,
}

impl Both {
    fn level(&self) -> LevelFilter {
        let file = self.file.as_ref().map_or(LevelFilter::Off, Logger::filter);
        self.terminal.filter().max(file)
    }
}

impl Log for Both {
    fn enabled(&self, metadata: &Metadata) -> bool {
        let file = self.file.as_ref();
        self.terminal.enabled(metadata) || file.is_some_and(|file| file.enabled(metadata))
    }

    fn log(&self, record: &Record) {
        if record.target() != FILE_ONLY {
            self.terminal.log(record);
        }
        if let Some(file) = &self.file {
            file.log(record);
        }
    }

    fn flush(&self) {}
}

fn to_file(file: LogFile, redactor: Redactor) -> Logger {
    Builder::new()
        .filter_level(LevelFilter::Warn)
        .filter_module("stylelipsync", LevelFilter::Info)
        .target(Target::Pipe(Box::new(file)))
        .write_style(WriteStyle::Never)
        .format(move |line, record| {
            let message = redactor.redact(&record.args().to_string());
            let text = log_file::line(line.timestamp_millis(), record, message);
            line.write_all(text.as_bytes())
        })
        .build()
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

    #[test]
    fn values_of_options_are_not_shown_unless_they_are_numbers() {
        let arguments = [
            "adapt",
            "--video",
            "/a/b.mp4",
            "--consent=yes",
            "--steps",
            "30",
            "--seed=7",
        ];
        let shown = options(arguments.map(String::from).into_iter());
        assert_eq!(
            shown.join(" "),
            "adapt --video * --consent=* --steps 30 --seed=7"
        );
    }

    fn shows(wanted: Option<&str>, target: &str, level: Level) -> bool {
        let logger = builder(wanted).build();
        logger.enabled(&log::Metadata::builder().target(target).level(level).build())
    }

    #[test]
    fn panics_land_in_the_file_with_their_trace() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("cli.log");
        let redactor = Redactor::from_environment();
        start(Both {
            terminal: builder(Some("off")).build(),
            file: Some(to_file(LogFile::open(&path).unwrap(), redactor)),
        });
        log::info!(target: "stylelipsync::elsewhere", "a note");
        log::info!(target: "another_crate", "a note of no interest");
        let panicked = std::thread::spawn(|| panic!("a panic")).join();
        assert!(panicked.is_err());
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains("INFO stylelipsync::elsewhere: a note\n"));
        assert!(!text.contains("of no interest"));
        assert!(text.contains("a panic"), "{text}");
        assert!(text.contains("panics_land_in_the_file"), "no trace: {text}");
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

//! The log file: what it holds, that it names no footage, and that it stops nothing.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod cli_support;

use std::fs;

use cli_support::*;

#[test]
fn a_log_is_written_without_paths_unless_they_are_asked_for() {
    let place = tempfile::tempdir().unwrap();
    let audio = tone(place.path(), "secret.wav", 16000, 1, 0.1);
    let video = gradient(place.path(), 2);
    let log = place.path().join("logs/cli.log");
    let frames = place.path().join("frames");
    let missing = place.path().join("private.mp4");
    for (paths, shown) in [("0", false), ("1", true)] {
        for (video, code) in [(&video, 0), (&missing, 3)] {
            let mut command = render(video, &audio, &frames);
            command.env("STYLELIPSYNC_LOG_FILE", &log);
            command.env("STYLELIPSYNC_LOG_PATHS", paths);
            let ran = run(command.args(["--strength", "0.5"]));
            assert_eq!(ran.code, code, "{}", ran.errors);
        }
        let text = fs::read_to_string(&log).unwrap();
        for line in [
            "render --provider * --video * --audio * --out * --strength 0.5",
            "provider: cpu",
            "WARN stylelipsync::render: no face was found",
            "ERROR stylelipsync::file: cannot read ",
            "INFO stylelipsync::file: done",
        ] {
            assert!(text.contains(line), "{line} is not in {text}");
        }
        for name in ["secret", "private", place.path().to_str().unwrap()] {
            let wanted = shown && name != "secret";
            assert_eq!(text.contains(name), wanted, "{name}: {text}");
        }
    }
}

/// Paths are bytes.
#[cfg(unix)]
#[test]
fn an_argument_that_is_not_unicode_is_logged() {
    use std::os::unix::ffi::OsStrExt;

    let place = tempfile::tempdir().unwrap();
    let audio = tone(place.path(), "speech.wav", 16000, 1, 0.1);
    let video = place.path().join(std::ffi::OsStr::from_bytes(b"\xFF.mp4"));
    let log = place.path().join("cli.log");
    let mut command = render(&video, &audio, &place.path().join("frames"));
    let ran = run(command.env("STYLELIPSYNC_LOG_FILE", &log));
    assert_eq!(ran.code, 3, "{}", ran.errors);
    assert!(fs::read_to_string(&log).unwrap().contains("cannot read"));
}

#[test]
fn a_log_that_cannot_be_written_stops_nothing() {
    let place = tempfile::tempdir().unwrap();
    let audio = tone(place.path(), "speech.wav", 16000, 1, 0.1);
    let video = gradient(place.path(), 2);
    let file = place.path().join("file");
    fs::write(&file, b"no folder").unwrap();
    for log in [
        file.join("cli.log"),
        place.path().to_owned(),
        "/dev/full".into(),
    ] {
        let out = place.path().join("frames");
        let mut command = render(&video, &audio, &out);
        let ran = run(command.env("STYLELIPSYNC_LOG_FILE", &log));
        assert_eq!(ran.code, 0, "{}: {}", log.display(), ran.errors);
    }
}

#[test]
fn doctor_tells_where_the_log_is() {
    let place = tempfile::tempdir().unwrap();
    let log = place.path().join("my.log");
    let ran = run(program().arg("doctor").env("STYLELIPSYNC_LOG_FILE", &log));
    let line = format!("log               {}", log.display());
    assert!(ran.output.contains(&line), "{}", ran.output);
}

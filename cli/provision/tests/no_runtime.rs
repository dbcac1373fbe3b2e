//! Without ONNX Runtime there is a sentence that says what to do, and no panic.
//!
//! A process loads ONNX Runtime once, and where from is decided by its environment, so each test
//! runs a part of this program in a process of its own.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::{path::Path, process::Command};
use stylelipsync::model::locate::{Component, Source};
use stylelipsync::model::{Bundle, Networks, Provider, Runtime};
use stylelipsync::{Error, Result};
use stylelipsync_provision::{Doctor, provision};

/// Starts the runtime in a new process with these variables; gives what it printed.
fn started_with(part: &str, cache: &Path, variable: Option<&Path>) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", part, "--ignored", "--nocapture"]);
    command
        .env("STYLELIPSYNC_CACHE", cache)
        .env_remove("STYLELIPSYNC_ORT");
    if let Some(variable) = variable {
        command.env("STYLELIPSYNC_ORT", variable);
    }
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    println!("{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(
        output.status.success(),
        "{part} ended with {}",
        output.status
    );
    assert!(said.contains("1 passed"), "{part} did not run");
    said
}

#[track_caller]
fn says(said: &str, parts: &[&str]) {
    for part in parts {
        assert!(said.contains(part), "{part:?} is not in {said}");
    }
}

#[test]
fn nothing_anywhere_says_where_it_was_looked_for() {
    let cache = tempfile::tempdir().unwrap();
    let said = started_with("fails", cache.path(), None);
    says(
        &said,
        &[
            "the library was not found",
            "STYLELIPSYNC_ORT is not set",
            "doctor --fetch",
        ],
    );
    says(&said, &[&cache.path().display().to_string()]);
}

#[test]
fn a_variable_that_names_nothing_says_so() {
    let cache = tempfile::tempdir().unwrap();
    let gone = cache.path().join("gone.so");
    let said = started_with("fails", cache.path(), Some(&gone));
    says(&said, &["STYLELIPSYNC_ORT names", "gone.so", "not a file"]);
}

#[test]
fn a_file_that_is_no_library_says_so() {
    let cache = tempfile::tempdir().unwrap();
    let text = cache.path().join("text.so");
    std::fs::write(&text, "this is no library").unwrap();
    let said = started_with("fails", cache.path(), Some(&text));
    says(&said, &["text.so cannot be used"]);
}

/// The override in full: a copy under another name is what the process really loads.
#[test]
fn the_variable_chooses_the_library() {
    let found = provision(Component::OnnxRuntime).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mine = folder.path().join("my-own-onnxruntime.so");
    std::fs::copy(found.path, &mine).unwrap();
    let said = started_with("starts", folder.path(), Some(&mine));
    says(
        &said,
        &[
            "my-own-onnxruntime.so",
            "environment variable STYLELIPSYNC_ORT",
        ],
    );
}

#[test]
#[ignore = "a part of the tests above"]
fn fails() {
    let bundle = Bundle::embedded().unwrap();
    let started: Result<()> = Runtime::start(1).map(|_| ());
    assert!(matches!(started, Err(Error::Runtime(_))), "{started:?}");
    let loaded = Networks::load(&bundle, Provider::Auto, 1).map(|_| ());
    assert!(matches!(loaded, Err(Error::Runtime(_))), "{loaded:?}");
    println!("{}", loaded.unwrap_err());
    let doctor = Doctor::examine();
    println!("{doctor}");
    assert!(!doctor.is_healthy() && !doctor.advice().is_empty());
}

#[test]
#[ignore = "a part of the tests above"]
fn starts() {
    let runtime = Runtime::start(1).unwrap();
    assert_eq!(
        runtime.library().source,
        Source::Variable("STYLELIPSYNC_ORT")
    );
    println!(
        "{} ({})",
        runtime.library().path.display(),
        runtime.library().source
    );
    println!("{}", runtime.build_information());
    assert!(
        std::ptr::eq(runtime, Runtime::start(2).unwrap()),
        "there is one runtime"
    );
    let doctor = Doctor::examine();
    println!("{doctor}");
    assert!(doctor.is_healthy());
}

//! `stylelipsync adapt`, run as a user runs it: what cannot be used is told at once and leaves
//! nothing; what was learnt in two goes is what was learnt in one.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod cli_support;

use std::fs;
use std::path::Path;
use std::process::Command;

use cli_support::*;

/// `adapt` on the CPU.
fn adapt(video: &Path, audio: &Path, out: &Path) -> Command {
    let mut command = program();
    command.args(["adapt", "--provider", "cpu", "--rate", "25", "--video"]);
    command.arg(video).arg("--audio").arg(audio);
    command.arg("--out").arg(out);
    command
}

/// The first frames of the bundled head, as a folder of their own.
fn head(place: &Path, count: usize) -> std::path::PathBuf {
    let folder = place.join("head");
    fs::create_dir(&folder).unwrap();
    for path in head_frames(count) {
        fs::copy(&path, folder.join(path.file_name().unwrap())).unwrap();
    }
    folder
}

#[test]
fn a_person_is_learnt_in_one_go_or_in_two() {
    let place = tempfile::tempdir().unwrap();
    let video = head(place.path(), 52);
    let speech = repository("models/head/clip/speech.wav");
    let (one, two) = (
        place.path().join("one.safetensors"),
        place.path().join("two.safetensors"),
    );
    let ran = run(adapt(&video, &speech, &one).args(["--steps", "2", "--consent", "our own head"]));
    assert_eq!(ran.code, 0, "{}", ran.errors);
    assert!(ran.errors.contains("2 steps: "), "{}", ran.errors);
    assert_only(place.path(), &["head", "one.safetensors"]);

    let first = run(adapt(&video, &speech, &two).args(["--steps", "1", "--keep-checkpoint"]));
    assert_eq!(first.code, 0, "{}", first.errors);
    assert!(place.path().join("two.checkpoint").exists());
    let more = ["--steps", "2", "--resume", "--consent", "our own head"];
    let second = run(adapt(&video, &speech, &two).args(more));
    assert_eq!(second.code, 0, "{}", second.errors);
    assert_only(
        place.path(),
        &["head", "one.safetensors", "two.safetensors"],
    );
    assert!(
        fs::read(&one).unwrap() == fs::read(&two).unwrap(),
        "other bytes"
    );

    // The person renders; a file that is none does not, and says which.
    let words = repository("models/head/clip/other.wav");
    let out = place.path().join("out");
    let part = ["--rate", "25", "--frames", "30-30", "--person"];
    let ran = run(render(&video, &words, &out).args(part).arg(&one));
    assert_eq!(ran.code, 0, "{}", ran.errors);
    assert_eq!(fs::read_dir(&out).unwrap().count(), 1);
    let ran = run(render(&video, &words, &out).args(part).arg(&words));
    assert_eq!(ran.code, 3, "{}", ran.errors);
    assert!(
        ran.errors.contains("other.wav: is not a person file"),
        "{}",
        ran.errors
    );
}

#[test]
fn what_cannot_be_learnt_from_is_told() {
    let place = tempfile::tempdir().unwrap();
    let short = head(place.path(), 20);
    let blank = gradient(place.path(), 55);
    let speech = repository("models/head/clip/speech.wav");
    let out = place.path().join("person.safetensors");
    let refused = |video: &Path, out: &Path, more: &[&str], code: i32, sentence: &str| {
        let ran = run(adapt(video, &speech, out).args(more));
        assert_eq!(ran.code, code, "{}", ran.errors);
        assert!(ran.errors.contains(sentence), "{}", ran.errors);
    };
    refused(
        &short,
        &out,
        &[],
        2,
        "lasts 0.8 s; training needs at least 2 s",
    );
    refused(
        &blank,
        &out,
        &[],
        3,
        "no face was found in the person's clip",
    );
    refused(
        &short,
        &place.path().join("person.bin"),
        &[],
        4,
        "is named *.safetensors",
    );
    refused(
        &short,
        &place.path().join("no/person.safetensors"),
        &[],
        4,
        "does not exist",
    );
    refused(&short, &out, &["--minutes", "0"], 2, "minutes");
    let mute = run(program()
        .args(["adapt", "--provider", "cpu", "--rate", "25", "--video"])
        .arg(&short)
        .arg("--out")
        .arg(&out));
    assert_ne!(mute.code, 0, "{}", mute.errors);
    assert!(
        mute.errors.contains("audio") || mute.errors.contains("read"),
        "{}",
        mute.errors
    );
    assert_only(place.path(), &["gradient", "head"]);
}

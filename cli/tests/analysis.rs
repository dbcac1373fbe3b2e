//! `analyze` and `render --analysis`: one analysis, any number of renders, the same bytes.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod cli_support;

use std::fs;
use std::path::{Path, PathBuf};

use cli_support::*;

const FRAMES: usize = 16;

fn analyze(video: &Path, out: &Path) -> Ran {
    let mut command = program();
    command.arg("analyze").arg("--video").arg(video);
    run(command.arg("--out").arg(out))
}

/// A folder of the bundled head's frames in this order.
fn clip(place: &Path, name: &str, order: &[usize]) -> PathBuf {
    let folder = place.join(name);
    fs::create_dir(&folder).unwrap();
    let frames = head_frames(FRAMES);
    for (number, index) in order.iter().enumerate() {
        fs::copy(&frames[*index], folder.join(format!("{number:03}.jpg"))).unwrap();
    }
    folder
}

fn assert_same_frames(one: &Path, other: &Path, frames: std::ops::Range<usize>) {
    assert_eq!(fs::read_dir(other).unwrap().count(), frames.len());
    for number in frames {
        let name = format!("{number:03}.png");
        assert!(
            pixels(&one.join(&name)) == pixels(&other.join(&name)),
            "{name}"
        );
    }
}

#[test]
fn a_clip_is_analysed_once_and_rendered_often() {
    let place = tempfile::tempdir().unwrap();
    let at = |name: &str| place.path().join(name);
    let order: Vec<usize> = (0..FRAMES).collect();
    let (video, file) = (clip(place.path(), "clip", &order), at("clip.slsa"));
    let ran = analyze(&video, &file);
    assert_eq!(ran.code, 0, "{}", ran.errors);
    assert!(
        ran.errors.contains("16 frames in 1 shot: "),
        "{}",
        ran.errors
    );
    let (words, tone) = (head_words(), tone(place.path(), "tone.wav", 48_000, 2, 0.6));
    for (name, audio) in [("words", &words), ("tone", &tone)] {
        let (plain, known) = (at(name), at(&format!("{name}-known")));
        let ran = run(&mut render(&video, audio, &plain));
        assert_eq!(ran.code, 0, "{}", ran.errors);
        let ran = run(render(&video, audio, &known).arg("--analysis").arg(&file));
        assert_eq!(ran.code, 0, "{}", ran.errors);
        assert_same_frames(&plain, &known, 0..FRAMES);
    }
    let part = at("part");
    let mut command = render(&video, &words, &part);
    let ran = run(command
        .arg("--analysis")
        .arg(&file)
        .args(["--frames", "5-8"]));
    assert_eq!(ran.code, 0, "{}", ran.errors);
    assert_same_frames(&at("words"), &part, 5..9);
    let mut command = render(&video, &words, &at("beyond"));
    let ran = run(command
        .arg("--analysis")
        .arg(&file)
        .args(["--frames", "16-17"]));
    assert_eq!(
        (ran.code, at("beyond").exists()),
        (3, false),
        "{}",
        ran.errors
    );
}

#[test]
fn what_does_not_fit_is_refused_and_nothing_is_written() {
    let place = tempfile::tempdir().unwrap();
    let at = |name: &str| place.path().join(name);
    let order: Vec<usize> = (0..FRAMES).collect();
    let (video, file) = (clip(place.path(), "clip", &order), at("clip.slsa"));
    assert_eq!(analyze(&video, &file).code, 0);
    let (words, out) = (head_words(), at("out"));
    let refused = |video: &Path, more: &[&str], code: i32, word: &str| {
        let mut command = render(video, &words, &out);
        let ran = run(command.arg("--analysis").arg(&file).args(more));
        assert_eq!(ran.code, code, "{}", ran.errors);
        assert!(ran.errors.contains(word), "{word}: {}", ran.errors);
        assert!(!out.exists());
    };
    let other = clip(place.path(), "other", &[0, 1, 2, 4, 3, 5]);
    refused(&other, &[], 1, "is not the picture that was analysed");
    let shorter = clip(place.path(), "shorter", &order[..FRAMES - 2]);
    refused(&shorter, &[], 3, "16 frames were expected");
    let longer: Vec<usize> = order.iter().copied().chain([2, 1]).collect();
    let longer = clip(place.path(), "longer", &longer);
    refused(&longer, &[], 3, "16 frames were expected");
    refused(&video, &["--face", "0"], 3, "another face");
    refused(&video, &["--fit", "loop"], 2, "--fit");
    refused(&video.join("003.jpg"), &[], 3, "single picture");
    // No face, no clip, no place: no file, or the old one.
    let before = fs::read(&file).unwrap();
    for (video, code, word) in [
        (gradient(place.path(), 3), 3, "no face"),
        (at("nothing"), 3, "nothing"),
    ] {
        let ran = analyze(&video, &file);
        assert_eq!(ran.code, code, "{}", ran.errors);
        assert!(ran.errors.contains(word), "{}", ran.errors);
        assert!(fs::read(&file).unwrap() == before);
    }
    for target in [at("missing/clip.slsa"), video.clone()] {
        let ran = analyze(&video, &target);
        assert_eq!(ran.code, 4, "{}", ran.errors);
    }
    fs::write(&file, &before[..before.len() / 2]).unwrap();
    refused(&video, &[], 3, "truncated");
    fs::write(&file, b"RIFF").unwrap();
    refused(&video, &[], 3, "is not an analysis file");
    fs::remove_file(&file).unwrap();
    refused(&video, &[], 3, "clip.slsa");
}

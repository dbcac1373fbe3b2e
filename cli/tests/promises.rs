//! What the README promises of the program: the demo, a reference of one's own, a face by its number
//! with any number of threads, and the log level.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod cli_support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cli_support::*;
use image::imageops::{FilterType, flip_horizontal, replace, resize};
use image::{Rgb, RgbImage};

/// Two people side by side, the right one smaller and mirrored: 640x240 pixels each frame.
fn two_people(place: &Path, count: usize) -> PathBuf {
    let folder = place.join("two");
    fs::create_dir(&folder).unwrap();
    for (index, path) in head_frames(count).iter().enumerate() {
        let head = image::open(path).unwrap().into_rgb8();
        let left = resize(&head, 320, 240, FilterType::Triangle);
        let right = flip_horizontal(&resize(&head, 280, 210, FilterType::Triangle));
        let mut frame = RgbImage::from_pixel(640, 240, Rgb([96, 96, 96]));
        replace(&mut frame, &left, 0, 0);
        replace(&mut frame, &right, 340, 15);
        frame.save(folder.join(format!("{index:04}.png"))).unwrap();
    }
    folder
}

/// The bytes of a folder's files, in the order of their names.
fn contents(folder: &Path) -> Vec<Vec<u8>> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

#[test]
fn the_demo_leaves_frames_a_contact_sheet_and_a_movie() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("demo");
    let ran = run(program()
        .args(["demo", "--provider", "cpu", "--out"])
        .arg(&out));
    assert_eq!(ran.code, 0, "{}", ran.errors);
    let frames = out.join("frames");
    assert_eq!(fs::read_dir(&frames).unwrap().count(), 100);
    let source = pixels(&head_frames(1)[0]);
    let first = pixels(&frames.join("0000.png"));
    assert_eq!(first.dimensions(), source.dimensions());
    assert!(first != source, "the first frame was not changed");
    let marked = run(program().args(["detect", "--provider", "cpu"]).arg(&frames));
    assert_eq!(
        marked.code, 0,
        "no watermark: {}{}",
        marked.output, marked.errors
    );
    let sheet = pixels(&out.join("contact-sheet.png"));
    let colours: std::collections::HashSet<_> = sheet.pixels().collect();
    assert!(colours.len() > 1000, "{} colours", colours.len());
    if has_ffmpeg() {
        let movie = out.join("demo.mp4");
        assert_eq!(probe(&movie, "v:0", "stream=nb_read_frames"), "100");
        assert_eq!(probe(&movie, "a:0", "stream=codec_name"), "aac");
    } else {
        assert!(ran.errors.contains("no movie was made"), "{}", ran.errors);
    }
}

#[test]
fn a_reference_of_one_s_own_is_used() {
    let place = tempfile::tempdir().unwrap();
    let video = place.path().join("video");
    fs::create_dir(&video).unwrap();
    let frames = head_frames(40);
    fs::copy(&frames[0], video.join("0000.jpg")).unwrap();
    let rendered = |name: &str, references: &[usize]| {
        let out = place.path().join(name);
        let mut command = render(&video, &head_words(), &out);
        for index in references {
            command.arg("--reference").arg(&frames[*index]);
        }
        let ran = run(&mut command);
        assert_eq!(ran.code, 0, "{}", ran.errors);
        contents(&out)
    };
    let own = rendered("own", &[]);
    let given = rendered("given", &[39]);
    assert!(own != given, "--reference changed nothing");
    // A picture that is also the whole clip gives the clip's own result.
    assert!(rendered("same", &[0]) == own, "the frame is its reference");
    // The first says who it is; the order of the others does not matter.
    let several = rendered("several", &[39, 5, 0]);
    assert!(several != given, "a second --reference changed nothing");
    assert!(several == rendered("again", &[39, 0, 5]));
    let blank = place.path().join("blank.png");
    gradient_picture(64, 48, 1).save(&blank).unwrap();
    let out = place.path().join("out");
    let ran = run(render(&video, &head_words(), &out)
        .arg("--reference")
        .arg(&blank));
    assert_eq!(ran.code, 3, "{}", ran.errors);
    assert!(ran.errors.contains("no face was found"), "{}", ran.errors);
    assert!(!out.exists());
}

#[test]
fn a_part_of_a_clip_is_rendered_from_all_of_it() {
    let place = tempfile::tempdir().unwrap();
    let video = place.path().join("video");
    fs::create_dir(&video).unwrap();
    // More than the first second: its frames are in the bank too.
    for face in &head_frames(44) {
        fs::copy(face, video.join(face.file_name().unwrap())).unwrap();
    }
    let rendered = |name: &str, options: &[&str]| {
        let out = place.path().join(name);
        let ran = run(render(&video, &head_words(), &out).args(options));
        assert_eq!(ran.code, 0, "{}", ran.errors);
        contents(&out)
    };
    let whole = rendered("whole", &[]);
    let part = rendered("part", &["--frames", "8-11"]);
    assert_eq!((whole.len(), part.len()), (44, 4));
    assert!(part.iter().all(|frame| whole.contains(frame)));
    let apart = rendered("apart", &["--frames", "8-11", "--reference-gap", "0.5"]);
    assert!(apart.iter().all(|frame| !whole.contains(frame)));
    for wrong in ["nan", "1e9", "-0.5"] {
        let gap = format!("--reference-gap={wrong}");
        let out = place.path().join("wrong");
        let ran = run(render(&video, &head_words(), &out).arg(gap));
        assert_ne!(ran.code, 0);
        assert!(ran.errors.contains("reference-gap"), "{}", ran.errors);
        assert!(!out.exists());
    }
}

#[test]
fn a_face_by_its_number_is_the_same_with_any_number_of_threads() {
    let place = tempfile::tempdir().unwrap();
    let video = two_people(place.path(), 10);
    let rendered = |face: &str, threads: &str, round: usize| {
        let out = place.path().join(format!("out-{face}-{threads}-{round}"));
        let mut command = render(&video, &head_words(), &out);
        let ran = run(command.args(["--face", face, "--threads", threads]));
        assert_eq!(ran.code, 0, "--threads {threads}: {}", ran.errors);
        contents(&out)
    };
    let alone = rendered("1", "1", 0);
    for (threads, round) in [("2", 0), ("4", 0), ("4", 1), ("4", 2)] {
        let result = rendered("1", threads, round);
        assert!(result == alone, "--threads {threads} gives other bytes");
    }
    // Each number is one of the two people, and nothing of the other is changed.
    rendered("0", "3", 0);
    for (folder, changed) in [("out-0-3-0", [true, false]), ("out-1-1-0", [false, true])] {
        for index in 0..10 {
            let name = format!("{index:04}.png");
            let (before, after) = (
                pixels(&video.join(&name)),
                pixels(&place.path().join(folder).join(&name)),
            );
            let differs = |from: u32| {
                (from..from + 320)
                    .any(|x| (0..240).any(|y| before.get_pixel(x, y) != after.get_pixel(x, y)))
            };
            assert_eq!([differs(0), differs(320)], changed, "{folder}/{name}");
        }
    }
}

#[test]
fn adapt_and_evaluate_number_faces_whatever_the_threads() {
    let place = tempfile::tempdir().unwrap();
    let video = two_people(place.path(), 52);
    let speech = repository("models/head/clip/speech.wav");
    let measured = |threads: &str| {
        let json = place.path().join("numbers.json");
        let mut command = program();
        command.args(["evaluate", "--provider", "cpu", "--baseline", "untouched"]);
        command.args(["--face", "1", "--frames", "0-11", "--threads", threads]);
        command
            .arg("--truth")
            .arg(&video)
            .arg("--audio")
            .arg(&speech);
        let ran = run(command.arg("--json").arg(&json));
        assert_eq!(ran.code, 0, "--threads {threads}: {}", ran.errors);
        let numbers: serde_json::Value = serde_json::from_slice(&fs::read(&json).unwrap()).unwrap();
        numbers["metrics"].clone()
    };
    let alone = measured("1");
    assert_eq!(measured("4"), alone);
    assert_eq!(measured("4"), alone);
    let person = place.path().join("person.safetensors");
    let mut command = program();
    command.args(["adapt", "--provider", "cpu", "--steps", "1", "--face", "1"]);
    command
        .args(["--threads", "4", "--rate", "25", "--video"])
        .arg(&video);
    command
        .arg("--audio")
        .arg(&speech)
        .arg("--out")
        .arg(&person);
    let ran = run(&mut command);
    assert_eq!(ran.code, 0, "{}", ran.errors);
    assert!(person.is_file());
}

#[test]
fn the_log_level_is_the_environment_s() {
    let place = tempfile::tempdir().unwrap();
    let video = gradient(place.path(), 1);
    let audio = tone(place.path(), "words.wav", 16000, 1, 0.1);
    let logged = |level: Option<&str>| {
        let mut command: Command = render(&video, &audio, &place.path().join("out"));
        match level {
            Some(level) => command.env("STYLELIPSYNC_LOG", level),
            None => command.env_remove("STYLELIPSYNC_LOG"),
        };
        let ran = run(&mut command);
        assert_eq!(ran.code, 0, "{}", ran.errors);
        let shows = |start: &str| ran.errors.lines().any(|line| line.starts_with(start));
        [
            shows("warning: no face was found"),
            shows("note: ONNX Runtime from"),
        ]
    };
    assert_eq!(logged(None), [true, false]);
    assert_eq!(logged(Some("info")), [true, true]);
    assert_eq!(logged(Some("error")), [false, false]);
}

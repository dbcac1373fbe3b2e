//! `render --speak`: several faces in one pass.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod cli_support;

use std::fs;
use std::path::{Path, PathBuf};

use cli_support::*;
use image::{GenericImage, RgbaImage};

/// Pictures of the head twice, side by side.
fn pairs(place: &Path, count: usize) -> PathBuf {
    let folder = place.join("pairs");
    fs::create_dir(&folder).unwrap();
    for (index, path) in head_frames(count).iter().enumerate() {
        let one = pixels(path);
        let mut both = RgbaImage::new(2 * one.width(), one.height());
        both.copy_from(&one, 0, 0).unwrap();
        both.copy_from(&one, one.width(), 0).unwrap();
        both.save(folder.join(format!("{index:04}.png"))).unwrap();
    }
    folder
}

fn speak(video: &Path, out: &Path, spoken: &[(&str, &Path)]) -> std::process::Command {
    let mut command = program();
    command
        .arg("render")
        .arg("--video")
        .arg(video)
        .arg("--out")
        .arg(out);
    for (face, audio) in spoken {
        command
            .arg("--speak")
            .arg(format!("{face}={}", audio.display()));
    }
    command
}

#[test]
fn each_face_speaks_its_own_audio() {
    let place = tempfile::tempdir().unwrap();
    let video = pairs(place.path(), 4);
    let (left, right) = (head_words(), repository("models/head/clip/speech.wav"));
    let points = ["320,250", "960,250"];
    let both = place.path().join("both");
    let report = place.path().join("report.json");
    // Another identifier in the watermark than in the renders of one speaker.
    let mut command = speak(&video, &both, &[(points[0], &left), (points[1], &right)]);
    let ran = run(command.arg("--no-watermark").arg("--report").arg(&report));
    assert_eq!(ran.code, 0, "{}", ran.errors);
    for number in 1..=2 {
        let line = format!("speaker {number}: 4 of 4 frames show the face");
        assert!(ran.errors.contains(&line), "{}", ran.errors);
    }
    for (half, (point, audio)) in points.into_iter().zip([left, right]).enumerate() {
        let one = place.path().join(format!("one-{half}"));
        let ran = run(render(&video, &audio, &one).args(["--no-watermark", "--face", point]));
        assert_eq!(ran.code, 0, "{}", ran.errors);
        let name = "0002.png";
        let [both, one, source] = [&both, &one, &video].map(|folder| pixels(&folder.join(name)));
        let columns = 640 * half as u32..640 * (half as u32 + 1);
        let mut changed = 0;
        for (x, y, pixel) in both
            .enumerate_pixels()
            .filter(|(x, ..)| columns.contains(x))
        {
            assert_eq!(pixel, one.get_pixel(x, y));
            changed += u32::from(pixel != source.get_pixel(x, y));
        }
        assert!(changed > 1000, "{changed} pixels");
        let hash = ["audio", "speakers"][half];
        let report: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(&report).unwrap()).unwrap();
        let facts = match half {
            0 => &report[hash],
            _ => &report[hash][0]["audio"],
        };
        assert_eq!(facts["sha256"].as_str().map(str::len), Some(64), "{report}");
    }
}

#[test]
fn faces_are_chosen_by_pictures_and_known_from_an_analysis() {
    let place = tempfile::tempdir().unwrap();
    let at = |name: &str| place.path().join(name);
    // The bundled head beside another one.
    let other = repository("tests/data/other_head.jpg");
    let video = at("video");
    fs::create_dir(&video).unwrap();
    for (index, path) in head_frames(4).iter().enumerate() {
        let mut both = RgbaImage::new(1280, 480);
        both.copy_from(&pixels(path), 0, 0).unwrap();
        both.copy_from(&pixels(&other), 640, 0).unwrap();
        both.save(video.join(format!("{index:04}.png"))).unwrap();
    }
    // Of nearly the same moment: rendered heads look alike to the network.
    let picture = &head_frames(2)[1];
    let (picture, other) = (picture.to_str().unwrap(), other.to_str().unwrap());
    let (file, faces) = (at("clip.slsa"), at("faces.json"));
    let mut command = program();
    command.arg("analyze").arg("--video").arg(&video);
    command.args(["--face", other, "--face", picture]);
    let ran = run(command.arg("--out").arg(&file).arg("--faces").arg(&faces));
    assert_eq!(ran.code, 0, "{}", ran.errors);
    for line in ["face 0: in 4 frames", "face 1: in 4 frames"] {
        assert!(ran.errors.contains(line), "{}", ran.errors);
    }
    let faces: serde_json::Value = serde_json::from_slice(&fs::read(&faces).unwrap()).unwrap();
    for frame in 0..4 {
        let seen = faces["frames"][frame.to_string()].as_array().unwrap();
        assert_eq!(seen.len(), 2, "{faces}");
        for face in seen {
            let right = face["x"].as_f64().unwrap() > 640.0;
            assert_eq!(
                right,
                face["id"] == faces["frames"]["0"][1]["id"],
                "{faces}"
            );
        }
    }
    let (words, own) = (head_words(), repository("models/head/clip/speech.wav"));
    let spoken = [(other, words.as_path()), (picture, own.as_path())];
    let (plain, known) = (at("plain"), at("known"));
    let ran = run(&mut speak(&video, &plain, &spoken));
    assert_eq!(ran.code, 0, "{}", ran.errors);
    let ran = run(speak(&video, &known, &spoken).arg("--analysis").arg(&file));
    assert_eq!(ran.code, 0, "{}", ran.errors);
    let [source, plain, known] = [&video, &plain, &known].map(|f| pixels(&f.join("0002.png")));
    assert!(plain == known);
    for columns in [0..640, 640..1280] {
        let there = |x: &u32| columns.contains(x);
        let pairs = source.enumerate_pixels().filter(|(x, ..)| there(x));
        let changed = pairs.filter(|(x, y, pixel)| *pixel != plain.get_pixel(*x, *y));
        assert!(changed.count() > 1000);
    }
    // Fewer speakers than were analysed.
    let ran = run(speak(&video, &at("few"), &spoken[..1])
        .arg("--analysis")
        .arg(&file));
    assert_eq!(ran.code, 3, "{}", ran.errors);
    assert!(ran.errors.contains("for 2 speakers"), "{}", ran.errors);
}

#[test]
fn a_movie_has_the_speakers_audio_added_up_or_the_given_one() {
    if !has_ffmpeg() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let video = gradient(place.path(), 10);
    let low = tone(place.path(), "low.wav", 16000, 1, 0.4);
    let wide = tone(place.path(), "wide.wav", 48000, 2, 0.2);
    let spoken = [("0", low.as_path()), ("1", wide.as_path())];
    let (mixed, given) = (
        place.path().join("mixed.mkv"),
        place.path().join("given.mkv"),
    );
    let ran = run(&mut speak(&video, &mixed, &spoken));
    assert_eq!(ran.code, 0, "{}", ran.errors);
    assert!(ran.errors.contains("found in no frame"), "{}", ran.errors);
    let ran = run(speak(&video, &given, &spoken).arg("--audio").arg(&low));
    assert_eq!(ran.code, 0, "{}", ran.errors);
    let energy = |path: &Path, part: std::ops::Range<f64>| -> f64 {
        let samples = samples(path);
        let at = |seconds: f64| (seconds / 0.4 * samples.len() as f64) as usize;
        let part = &samples[at(part.start)..at(part.end)];
        let sum: f64 = part.iter().map(|v| f64::from(*v).powi(2)).sum();
        (sum / part.len() as f64).sqrt()
    };
    // The second one lasts half as long.
    let (both, alone) = (energy(&mixed, 0.05..0.15), energy(&mixed, 0.28..0.38));
    let wanted = energy(&given, 0.28..0.38);
    assert!(
        wanted > 0.01 && (alone / wanted - 1.0).abs() < 0.05,
        "{alone} {wanted}"
    );
    assert!(both > 1.2 * alone, "{both} {alone}");
    assert!((energy(&given, 0.05..0.15) / wanted - 1.0).abs() < 0.05);
}

#[test]
fn what_does_not_fit_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let video = gradient(place.path(), 2);
    let audio = tone(place.path(), "speech.wav", 16000, 1, 0.1);
    let out = place.path().join("out");
    let ran = run(&mut speak(&video, &out, &[]));
    assert!(
        ran.code == 2 && ran.errors.contains("--audio"),
        "{}",
        ran.errors
    );
    let ran = run(&mut speak(&video, &out, &[("left", &audio)]));
    assert!(
        ran.code == 2 && ran.errors.contains("left"),
        "{}",
        ran.errors
    );
    let ran = run(speak(&video, &out, &[("0", &audio)]).args(["--face", "1"]));
    assert!(
        ran.code == 2 && ran.errors.contains("--face"),
        "{}",
        ran.errors
    );
    let person = ["--speak-person", "1=person.safetensors"];
    let ran = run(speak(&video, &out, &[("0", &audio)]).args(person));
    assert!(
        ran.code == 3 && ran.errors.contains("no --speak has the face"),
        "{}",
        ran.errors
    );
    let person = ["--speak-person", "0=missing.safetensors"];
    let ran = run(speak(&video, &out, &[("0", &audio)]).args(person));
    assert!(
        ran.code != 0 && ran.errors.contains("missing.safetensors"),
        "{}",
        ran.errors
    );
    let missing = place.path().join("missing.wav");
    let ran = run(&mut speak(&video, &out, &[("0", &audio), ("1", &missing)]));
    assert!(
        ran.code == 3 && ran.errors.contains("missing.wav"),
        "{}",
        ran.errors
    );
    let many = vec![("0", audio.as_path()); 17];
    let ran = run(&mut speak(&video, &out, &many));
    assert!(ran.code != 0 && ran.errors.contains("16"), "{}", ran.errors);
    assert!(!out.exists());
}

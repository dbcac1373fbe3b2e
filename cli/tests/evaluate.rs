//! `stylelipsync evaluate` on the bundled clip: what is equal is perfect, what is not is measured,
//! and what cannot be compared is refused by name.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod cli_support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cli_support::*;
use serde_json::Value;

/// Enough for a dozen windows of SyncNet.
const FRAMES: usize = 48;

/// The first frames of the bundled clip in a folder.
fn head(place: &Path, name: &str, count: usize) -> PathBuf {
    let folder = place.join(name);
    fs::create_dir(&folder).unwrap();
    for frame in head_frames(count) {
        fs::copy(&frame, folder.join(frame.file_name().unwrap())).unwrap();
    }
    folder
}

/// What the bundled clip really says.
fn speech() -> PathBuf {
    repository("models/head/clip/speech.wav")
}

fn evaluate() -> Command {
    let mut command = program();
    command.args(["evaluate", "--provider", "cpu"]);
    command
}

/// Runs to a good end and gives the JSON.
fn measure(command: &mut Command, place: &Path) -> Value {
    let path = place.join("numbers.json");
    let ran = run(command.arg("--json").arg(&path));
    assert_eq!(ran.code, 0, "{}", ran.errors);
    assert!(ran.output.contains("face confidence"), "{}", ran.output);
    let numbers = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    fs::remove_file(path).unwrap();
    numbers
}

fn metric(numbers: &Value, field: &str) -> f64 {
    let value = &numbers["metrics"][field];
    value
        .as_f64()
        .unwrap_or_else(|| panic!("{field} is {value}"))
}

#[test]
fn a_clip_is_its_own_perfect_reconstruction() {
    let place = tempfile::tempdir().unwrap();
    let truth = head(place.path(), "truth", FRAMES);
    let sheet = place.path().join("sheet.png");
    let mut command = evaluate();
    command.arg(&truth).arg("--truth").arg(&truth);
    command.arg("--audio").arg(speech());
    let numbers = measure(command.arg("--sheet").arg(&sheet), place.path());
    let exact = [
        ("ssim", 1.0),
        ("psnr", 100.0),
        ("psnr_mask", 100.0),
        ("gmsd", 0.0),
        ("lmd", 0.0),
        ("opening_correlation", 1.0),
        ("opening_lag", 0.0),
        ("opening_amplitude", 1.0),
        ("jitter_ratio", 1.0),
        ("lip_jitter_ratio", 1.0),
        ("lip_motion_ratio", 1.0),
    ];
    for (field, want) in exact {
        let found = metric(&numbers, field);
        assert!((found - want).abs() < 1e-9, "{field} is {found}");
    }
    for field in ["lse_d", "lse_c", "offset", "windows"] {
        let real = metric(&numbers, &format!("{field}_real"));
        assert_eq!(metric(&numbers, field), real, "{field}");
    }
    assert!(metric(&numbers, "confidence") > 0.8);
    assert!(metric(&numbers, "opening_deviation") > 0.005);
    assert_eq!(numbers["frames"]["used"], FRAMES);
    assert_eq!(numbers["mode"], "reconstruction");
    let rows = numbers["rows"].as_array().unwrap();
    assert_eq!(rows.len(), FRAMES);
    for (index, row) in rows.iter().enumerate() {
        assert_eq!((&row["index"], &row["used"]), (&index.into(), &true.into()));
        let points = row["points"].as_array().unwrap();
        assert_eq!(points, row["points_source"].as_array().unwrap());
        let inside = |point: &Value, axis: usize, end: f64| {
            point[axis].as_f64().is_some_and(|v| v > 0.0 && v < end)
        };
        assert_eq!(points.len(), 47);
        assert!(
            points
                .iter()
                .all(|p| inside(p, 0, 640.0) && inside(p, 1, 480.0))
        );
    }
    // Ten columns, three rows of 256 and gaps of 4.
    assert_eq!(pixels(&sheet).dimensions(), (10 * 260 + 4, 3 * 260 + 4));

    // The same frames by way of the baseline, and part of them.
    let mut untouched = evaluate();
    untouched
        .args(["--baseline", "untouched", "--truth"])
        .arg(&truth);
    untouched.arg("--audio").arg(speech());
    let untouched = measure(untouched.args(["--frames", "8-11"]), place.path());
    assert_eq!(metric(&untouched, "psnr"), 100.0);
    assert_eq!(untouched["rows"], Value::from(&rows[8..12]));
    assert_eq!(
        untouched["metrics"]["lse_d"],
        Value::Null,
        "four frames are no window"
    );
}

#[test]
fn late_audio_is_a_positive_offset() {
    let place = tempfile::tempdir().unwrap();
    let clip = head(place.path(), "clip", FRAMES);
    let mut words = hound::WavReader::open(speech()).unwrap();
    let mut samples: Vec<i16> = words.samples().map(|sample| sample.unwrap()).collect();
    let rate = words.spec().sample_rate;
    samples.splice(0..0, vec![0; 3 * rate as usize / 25]);
    let padded = place.path().join("padded.wav");
    write_wav(&padded, rate, 1, &samples);
    let distances = |words: &Path, offset: &str| -> Vec<f64> {
        let mut command = evaluate();
        command
            .args(["--baseline", "untouched", "--source"])
            .arg(&clip);
        command.args(["--frames", "16-47", "--audio-offset", offset, "--audio"]);
        let numbers = measure(command.arg(words), place.path());
        assert_eq!(metric(&numbers, "windows"), 28.0);
        let values = numbers["metrics"]["distances"].as_array().unwrap();
        values.iter().map(|value| value.as_f64().unwrap()).collect()
    };
    let (early, late) = (distances(&speech(), "0"), distances(&padded, "0"));
    let same = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-4);
    assert!(same(&late[3..], &early[..28]), "{late:?}, not {early:?}");
    assert!(!same(&late, &early));
    assert!(same(&distances(&speech(), "120"), &late));
}

#[test]
fn a_render_is_worse_than_the_truth_and_better_than_one_of_other_words() {
    let place = tempfile::tempdir().unwrap();
    let truth = head(place.path(), "truth", FRAMES);
    let against_truth = |command: &mut Command| {
        command.arg("--truth").arg(&truth);
        measure(command.arg("--audio").arg(speech()), place.path())
    };
    let saying = |words: &Path| {
        let made = place.path().join("made");
        let ran = run(&mut render(&truth, words, &made));
        assert_eq!(ran.code, 0, "{}", ran.errors);
        let numbers = against_truth(evaluate().arg(&made));
        fs::remove_dir_all(made).unwrap();
        numbers
    };
    let (own, other) = (saying(&speech()), saying(&head_words()));
    let frozen = against_truth(evaluate().args(["--baseline", "frozen"]));
    for numbers in [&own, &other, &frozen] {
        let ssim = metric(numbers, "ssim");
        assert!(ssim > 0.8 && ssim < 0.995, "{ssim}");
        assert!(metric(numbers, "lmd") > 0.5);
        // Outside the mask nothing differs.
        assert!(metric(numbers, "psnr") > metric(numbers, "psnr_mask") + 3.0);
    }
    let pair = |field: &str, than: &Value| (metric(&own, field), metric(than, field));
    let (mine, theirs) = pair("psnr_mask", &other);
    assert!(mine > theirs + 0.3, "{mine} dB, other words {theirs}");
    let (mine, theirs) = pair("lmd", &other);
    assert!(mine < theirs - 0.5, "{mine} pixels, other words {theirs}");
    for worse in [&other, &frozen] {
        let (mine, theirs) = pair("opening_correlation", worse);
        assert!(mine > theirs + 0.2, "{mine}, not {theirs}");
    }
    // A frozen mouth stands still in the crop.
    let (moving, still) = pair("opening_deviation", &frozen);
    assert!(still < 0.3 * moving, "{still} of {moving}");
    assert!(metric(&frozen, "jitter_ratio") < metric(&own, "jitter_ratio"));
}

#[test]
fn other_words_are_measured_without_a_truth() {
    let place = tempfile::tempdir().unwrap();
    let source = head(place.path(), "source", FRAMES);
    let silent = place.path().join("silent.wav");
    write_wav(&silent, 16000, 1, &[0; 32_000]);
    let mut command = evaluate();
    command
        .args(["--baseline", "untouched", "--source"])
        .arg(&source);
    command
        .arg("--audio")
        .arg(&silent)
        .arg("--own-audio")
        .arg(speech());
    let network = place.path().join("itself.onnx");
    fs::write(&network, itself(112)).unwrap();
    let numbers = measure(command.arg("--recognition").arg(&network), place.path());
    // The mouth goes on as it did: all of its motion is leaked.
    assert_eq!(metric(&numbers, "leak"), 1.0);
    assert!((metric(&numbers, "csim") - 1.0).abs() < 1e-9);
    let reference = metric(&numbers, "csim_reference");
    assert!(reference > 0.8 && reference < 1.0, "{reference}");
    assert_eq!(numbers["mode"], "cross-identity");
    for field in [
        "ssim",
        "psnr",
        "lmd",
        "opening_correlation",
        "opening_amplitude",
    ] {
        assert_eq!(numbers["metrics"].get(field), None, "{field}");
    }
    // Silence fits a speaking mouth worse than its own words do.
    assert!(metric(&numbers, "lse_c") < metric(&numbers, "lse_c_real"));
}

/// The built-in bundle's SyncNet judges shapes; it has no tower of pixels.
#[test]
fn syncnet_is_asked_about_what_the_bundle_has() {
    let place = tempfile::tempdir().unwrap();
    let clip = head(place.path(), "clip", FRAMES);
    let mut command = evaluate();
    command.arg(&clip).arg("--truth").arg(&clip);
    command.arg("--audio").arg(speech());
    let numbers = measure(&mut command, place.path());
    // Windows whose sound is known at all offsets: middles 15 to 45.
    assert_eq!(metric(&numbers, "windows"), 31.0);
    let metrics = numbers["metrics"].as_object().unwrap();
    assert!(metrics.keys().all(|field| !field.contains("pixels")));
}

#[test]
fn what_cannot_be_compared_is_refused_by_name() {
    let place = tempfile::tempdir().unwrap();
    let at = |name: &str| place.path().join(name);
    let truth = head(place.path(), "truth", 6);
    let shorter = head(place.path(), "shorter", 5);
    let smaller = at("smaller");
    fs::create_dir(&smaller).unwrap();
    for index in 0..6 {
        let path = smaller.join(format!("{index}.png"));
        gradient_picture(320, 240, index).save(path).unwrap();
    }
    let faceless = at("faceless");
    fs::create_dir(&faceless).unwrap();
    for index in 0..6 {
        let path = faceless.join(format!("{index}.png"));
        gradient_picture(640, 480, index).save(path).unwrap();
    }
    let words = speech();
    let text = at("text.wav");
    fs::write(&text, "no sound at all\n".repeat(99)).unwrap();
    let small = at("small.onnx");
    fs::write(&small, itself(96)).unwrap();
    let none = at("none");

    let compare = |result: &Path, with: &Path| {
        let mut command = evaluate();
        command.arg(result).arg("--truth").arg(with);
        command.arg("--audio").arg(&words);
        command
    };
    let plus = |option: &str, value: &Path| {
        let mut command = compare(&truth, &truth);
        command.arg(option).arg(value);
        command
    };
    let mut silent = evaluate();
    silent.arg(&truth).arg("--truth").arg(&truth);
    let mut not_sound = evaluate();
    not_sound.arg(&truth).arg("--truth").arg(&truth);
    not_sound.arg("--audio").arg(&text);
    let mut alone = evaluate();
    alone.arg(&truth).arg("--audio").arg(&words);
    let mut both = compare(&truth, &truth);
    both.arg("--source").arg(&truth);
    let mut two_results = compare(&truth, &truth);
    two_results.args(["--baseline", "frozen"]);
    let mut no_result = evaluate();
    no_result
        .arg("--truth")
        .arg(&truth)
        .arg("--audio")
        .arg(&words);
    let mut beyond = compare(&truth, &truth);
    beyond.args(["--frames", "90-99"]);
    let mut endless = compare(&truth, &truth);
    endless.args(["--audio-offset", "inf"]);

    let cases: [(Command, i32, &str); 16] = [
        (compare(&none, &truth), 3, "none"),
        (compare(&truth, &none), 3, "none"),
        (
            compare(&smaller, &truth),
            3,
            "size: RESULT has 320x240, TRUTH has 640x480",
        ),
        (
            compare(&shorter, &truth),
            3,
            "frames: RESULT has 5, TRUTH has 6",
        ),
        (compare(&truth, &faceless), 3, "no usable face"),
        (alone, 2, "--truth"),
        (both, 2, "--source"),
        (two_results, 2, "--baseline"),
        (no_result, 2, "RESULT"),
        (silent, 3, "give --audio"),
        (plus("--own-audio", &none), 3, "none"),
        (not_sound, 3, "text.wav"),
        (plus("--recognition", &none), 3, "none"),
        (
            plus("--recognition", &small),
            2,
            "[1, 3, 96, 96], not [1, 3, 112, 112]",
        ),
        (beyond, 3, "ends before frame 90"),
        (endless, 2, "audio-offset"),
    ];
    for (mut command, code, words) in cases {
        let ran = run(&mut command);
        assert_eq!(ran.code, code, "{words}: {}", ran.errors);
        assert!(ran.errors.contains(words), "{words}: {}", ran.errors);
        assert_eq!(ran.output, "", "{words}");
    }
    let nowhere = run(&mut plus("--json", &at("no/folder.json")));
    assert_eq!(nowhere.code, 4, "{}", nowhere.errors);
    let text = run(&mut plus("--recognition", &text));
    assert_eq!(text.code, 2, "{}", text.errors);
    assert!(text.errors.contains("recognition"), "{}", text.errors);
}

#[test]
fn movies_carry_their_own_sound_and_must_be_as_long() {
    if !has_ffmpeg() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let truth = head(place.path(), "truth", FRAMES);
    let pattern = truth.join("%04d.jpg");
    let pattern = pattern.to_str().unwrap();
    let (speech, other) = (speech(), head_words());
    let movie = |name: &str, sound: &Path, count: usize| {
        let path = place.path().join(name);
        let seconds = (count as f64 / 25.0).to_string();
        let mut arguments = vec!["-framerate", "25", "-i", pattern];
        arguments.extend([
            "-i",
            sound.to_str().unwrap(),
            "-t",
            &seconds,
            "-qscale:v",
            "2",
        ]);
        ffmpeg(&arguments, &path);
        path
    };
    let long = movie("long.mkv", &speech, FRAMES);
    let strange = movie("strange.mp4", &other, FRAMES);
    let short = movie("short.mp4", &speech, FRAMES - 3);

    // Matroska is beyond the library's own decoder: its sound comes by way of ffmpeg.
    let mut own = evaluate();
    let own = measure(own.arg(&strange).arg("--source").arg(&long), place.path());
    assert!(metric(&own, "lse_c") < metric(&own, "lse_c_real"));
    assert_ne!(metric(&own, "lse_d"), metric(&own, "lse_d_real"));

    let ran = run(evaluate().arg(&short).arg("--truth").arg(&long));
    assert_eq!(ran.code, 3, "{}", ran.errors);
    let sentence = format!("frames: RESULT ends after {}", FRAMES - 3);
    assert!(ran.errors.contains(&sentence), "{}", ran.errors);
    let ran = run(evaluate().arg(&long).arg("--truth").arg(&short));
    let sentence = format!("frames: TRUTH ends after {}", FRAMES - 3);
    assert!(ran.errors.contains(&sentence), "{}", ran.errors);
    let mut faster = evaluate();
    faster.arg(&long).arg("--truth").arg(&truth);
    let ran = run(faster.args(["--fps", "30"]));
    assert_eq!(ran.code, 3, "{}", ran.errors);
    assert!(
        ran.errors.contains("rate: RESULT has 25, TRUTH has 30"),
        "{}",
        ran.errors
    );
}

/// An ONNX file whose embedding is the picture itself: one node, Flatten.
fn itself(side: u64) -> Vec<u8> {
    let shape = [1, 3, side, side];
    let length = [1, shape.iter().product()];
    network("Flatten", ("picture", &shape), ("embedding", &length))
}

/// An ONNX file of one node.
fn network(node: &str, input: (&str, &[u64]), output: (&str, &[u64])) -> Vec<u8> {
    let node = [text(1, input.0), text(2, output.0), text(4, node)].concat();
    let graph = [
        part(1, &node),
        text(2, "one node"),
        part(11, &tensor(input.0, input.1)),
        part(12, &tensor(output.0, output.1)),
    ];
    // IR version 8, operators of version 13.
    let operators = part(8, &number(2, 13));
    [number(1, 8), part(7, &graph.concat()), operators].concat()
}

/// ONNX's ValueInfo: 32-bit floats of a shape.
fn tensor(name: &str, shape: &[u64]) -> Vec<u8> {
    let dimensions: Vec<u8> = shape.iter().flat_map(|&d| part(1, &number(1, d))).collect();
    let kind = [number(1, 1), part(2, &dimensions)].concat();
    [text(1, name), part(2, &part(1, &kind))].concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value > 127 {
        bytes.push(value as u8 | 128);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

fn number(field: u64, value: u64) -> Vec<u8> {
    [varint(field << 3), varint(value)].concat()
}

fn part(field: u64, bytes: &[u8]) -> Vec<u8> {
    [
        varint(field << 3 | 2),
        varint(bytes.len() as u64),
        bytes.to_vec(),
    ]
    .concat()
}

fn text(field: u64, value: &str) -> Vec<u8> {
    part(field, value.as_bytes())
}

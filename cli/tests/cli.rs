//! The program, run as a user runs it: bad input gives one sentence and its exit code, and leaves
//! nothing half-written; odd but honest input gives a result.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod cli_support;

use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use cli_support::*;

#[test]
fn wrong_arguments_are_code_2_and_name_the_argument() {
    let place = tempfile::tempdir().unwrap();
    let (video, audio) = (
        gradient(place.path(), 1),
        tone(place.path(), "words.wav", 16000, 1, 0.2),
    );
    for (option, value) in [
        ("--frames", "9-3"),
        ("--rate", "0"),
        ("--face", "biggest"),
        ("--provider", "abacus"),
        ("--threads", "0"),
    ] {
        let ran = run(render(&video, &audio, &place.path().join("out")).args([option, value]));
        assert_eq!(ran.code, 2, "{option}: {}", ran.errors);
        assert!(ran.errors.contains(option), "{option}: {}", ran.errors);
    }
    for (option, value) in [
        ("strength", "1.5"),
        ("articulation", "2.5"),
        ("articulation", "NaN"),
        ("detail", "2.5"),
        ("detail", "NaN"),
    ] {
        let out = place.path().join("out");
        let ran = run(render(&video, &audio, &out).args([&format!("--{option}"), value]));
        assert_eq!(ran.code, 2, "{}", ran.errors);
        assert!(ran.errors.contains(option), "{}", ran.errors);
    }
    assert_only(place.path(), &["gradient", "words.wav"]);
}

#[test]
fn a_clip_without_a_face_passes_through_with_a_warning() {
    let place = tempfile::tempdir().unwrap();
    let video = gradient(place.path(), 4);
    let audio = tone(place.path(), "words.wav", 16000, 1, 0.16);
    let out = place.path().join("out");
    let ran = run(&mut render(&video, &audio, &out));
    assert_eq!(ran.code, 0, "{}", ran.errors);
    assert!(ran.errors.contains("no face was found"), "{}", ran.errors);
    for index in 0..4 {
        let name = format!("{index:04}.png");
        assert_eq!(
            pixels(&out.join(&name)),
            pixels(&video.join(&name)),
            "{name}"
        );
    }
    assert_only(place.path(), &["gradient", "out", "words.wav"]);
}

#[test]
fn frames_without_a_face_pass_through_among_others() {
    let place = tempfile::tempdir().unwrap();
    let video = place.path().join("video");
    fs::create_dir(&video).unwrap();
    let faces = head_frames(8);
    for (index, face) in faces.iter().enumerate() {
        let target = video.join(format!("{index:04}.png"));
        if index == 3 || index == 4 {
            gradient_picture(640, 480, 3).save(&target).unwrap();
        } else {
            image::open(face).unwrap().to_rgb8().save(&target).unwrap();
        }
    }
    let audio = tone(place.path(), "words.wav", 16000, 1, 0.32);
    let out = place.path().join("out");
    let ran = run(&mut render(&video, &audio, &out));
    assert_eq!(ran.code, 0, "{}", ran.errors);
    assert!(ran.errors.contains("2 of 8 frames"), "{}", ran.errors);
    let same = |index: usize| {
        let name = format!("{index:04}.png");
        pixels(&out.join(&name)) == pixels(&video.join(&name))
    };
    assert!(same(3) && same(4), "a frame without a face was changed");
    assert!(!same(0) && !same(7), "a frame with a face was not changed");
}

#[test]
fn every_kind_of_sound_is_taken() {
    let place = tempfile::tempdir().unwrap();
    let video = gradient(place.path(), 3);
    let silent = place.path().join("silent.wav");
    write_wav(&silent, 16000, 1, &[0; 1920]);
    let sounds = [
        silent,
        tone(place.path(), "8k.wav", 8000, 1, 0.12),
        tone(place.path(), "48k-stereo.wav", 48000, 2, 0.12),
        tone(place.path(), "surround.wav", 44100, 6, 0.12),
        tone(place.path(), "shorter.wav", 16000, 1, 0.03),
        tone(place.path(), "longer.wav", 16000, 1, 2.0),
    ];
    for audio in sounds {
        let out = place
            .path()
            .join(format!("out-{}", audio.file_stem().unwrap().display()));
        let ran = run(&mut render(&video, &audio, &out));
        assert_eq!(ran.code, 0, "{}: {}", audio.display(), ran.errors);
        assert_eq!(
            fs::read_dir(&out).unwrap().count(),
            3,
            "{}",
            audio.display()
        );
        if audio.ends_with("longer.wav") {
            assert!(
                ran.errors.contains("longer than the picture"),
                "{}",
                ran.errors
            );
        }
    }
}

#[test]
fn sound_that_cannot_be_used_is_code_3_and_says_why() {
    let place = tempfile::tempdir().unwrap();
    let video = gradient(place.path(), 1);
    let empty = place.path().join("empty.wav");
    write_wav(&empty, 16000, 1, &[]);
    let text = place.path().join("text.wav");
    fs::write(
        &text,
        "these are words too, but nobody can hear them\n".repeat(40),
    )
    .unwrap();
    let nothing = place.path().join("nothing.wav");
    fs::write(&nothing, b"").unwrap();
    let truncated = place.path().join("truncated.wav");
    let whole = fs::read(tone(place.path(), "whole.wav", 16000, 1, 0.5)).unwrap();
    fs::write(&truncated, &whole[..30]).unwrap();
    let missing = place.path().join("missing.wav");
    let out = place.path().join("out");
    for audio in [&empty, &text, &nothing, &truncated, &missing] {
        let ran = run(&mut render(&video, audio, &out));
        assert_eq!(ran.code, 3, "{}: {}", audio.display(), ran.errors);
        // ONNX Runtime looks for graphics cards when it starts. Wine has no DXGI, which it prints.
        let lines = ran.errors.lines().filter(|line| !line.contains("DXGI"));
        assert_eq!(lines.count(), 1, "{}", ran.errors);
        assert!(
            ran.errors.contains("audio") || ran.errors.contains(".wav"),
            "{}",
            ran.errors
        );
        assert!(!out.exists(), "{} left something", audio.display());
    }
}

#[test]
fn a_video_that_is_not_one_is_code_3() {
    let place = tempfile::tempdir().unwrap();
    let audio = tone(place.path(), "words.wav", 16000, 1, 0.1);
    let empty = place.path().join("empty");
    fs::create_dir(&empty).unwrap();
    let broken = place.path().join("broken");
    fs::create_dir(&broken).unwrap();
    fs::write(broken.join("0.png"), b"not a picture").unwrap();
    let out = place.path().join("out");
    for (video, word) in [
        (&empty, "contains no PNG, JPEG, TIFF or EXR"),
        (&broken, "0.png"),
        (&place.path().join("missing.mp4"), "missing.mp4"),
    ] {
        let ran = run(&mut render(video, &audio, &out));
        assert_eq!(ran.code, 3, "{}: {}", video.display(), ran.errors);
        assert!(ran.errors.contains(word), "{}", ran.errors);
        assert!(!out.exists());
    }
}

#[test]
fn an_output_that_cannot_be_written_is_code_4_before_any_work() {
    let place = tempfile::tempdir().unwrap();
    let video = gradient(place.path(), 1);
    let audio = tone(place.path(), "words.wav", 16000, 1, 0.1);
    let file = place.path().join("file");
    fs::write(&file, b"mine").unwrap();
    for out in [
        place.path().join("no/such/folder/out"),
        place.path().join("no/such/folder/out.mp4"),
        place.path().join("out.avi"),
        file.clone(),
        video.clone(),
    ] {
        let ran = run(&mut render(&video, &audio, &out));
        assert_eq!(ran.code, 4, "{}: {}", out.display(), ran.errors);
        assert!(
            ran.errors.contains(&*out.to_string_lossy()),
            "{}",
            ran.errors
        );
    }
    assert_eq!(fs::read(&file).unwrap(), b"mine");
    assert_only(place.path(), &["file", "gradient", "words.wav"]);
}

#[test]
fn without_ffmpeg_the_sentence_says_what_to_install() {
    let place = tempfile::tempdir().unwrap();
    let video = gradient(place.path(), 1);
    let audio = tone(place.path(), "words.wav", 16000, 1, 0.1);
    let movie = place.path().join("clip.mp4");
    fs::write(&movie, b"whatever").unwrap();
    let out = place.path().join("out.mp4");
    for video in [&video, &movie] {
        let ran = run(render(video, &audio, &out).env("PATH", ""));
        assert_eq!(ran.code, 5, "{}", ran.errors);
        assert!(
            ran.errors.contains("install the package ffmpeg"),
            "{}",
            ran.errors
        );
        assert!(!out.exists());
    }
    assert_only(place.path(), &["clip.mp4", "gradient", "words.wav"]);
}

#[test]
fn a_file_that_is_not_there_is_named_without_ffmpeg_too() {
    let place = tempfile::tempdir().unwrap();
    let video = gradient(place.path(), 1);
    let audio = tone(place.path(), "words.wav", 16000, 1, 0.1);
    let [movie, sound] = ["none.mp4", "none.wav"].map(|name| place.path().join(name));
    let out = place.path().join("out.mp4");
    for (video, audio, missing) in [(&movie, &audio, &movie), (&video, &sound, &sound)] {
        let ran = run(render(video, audio, &out).env("PATH", ""));
        assert_eq!(ran.code, 3, "{}", ran.errors);
        let named = ran.errors.contains(&*missing.to_string_lossy());
        assert!(named, "{}", ran.errors);
    }
}

#[test]
fn without_onnx_runtime_the_sentence_names_the_path_that_was_tried() {
    let place = tempfile::tempdir().unwrap();
    let video = gradient(place.path(), 1);
    let audio = tone(place.path(), "words.wav", 16000, 1, 0.1);
    let out = place.path().join("out");
    let library = place.path().join("libonnxruntime.so");
    let ran = run(render(&video, &audio, &out).env("STYLELIPSYNC_ORT", &library));
    assert_eq!(ran.code, 5, "{}", ran.errors);
    assert!(ran.errors.contains("ONNX Runtime"), "{}", ran.errors);
    assert!(ran.errors.contains("libonnxruntime.so"), "{}", ran.errors);
    assert!(!out.exists());
    // And `doctor` tells the same without failing to report the rest.
    let doctor = run(program().arg("doctor").env("STYLELIPSYNC_ORT", &library));
    assert!(
        doctor.output.contains("libonnxruntime.so"),
        "{}",
        doctor.output
    );
}

#[test]
fn a_broken_bundle_is_code_5_and_names_the_file() {
    let place = tempfile::tempdir().unwrap();
    let video = gradient(place.path(), 1);
    let audio = tone(place.path(), "words.wav", 16000, 1, 0.1);
    let out = place.path().join("out");
    let refused = |break_it: &dyn Fn(&Path), word: &str| {
        let bundle = place.path().join("bundle");
        copy_bundle(&bundle);
        break_it(&bundle);
        let ran = run(render(&video, &audio, &out).arg("--bundle").arg(&bundle));
        assert_eq!(ran.code, 5, "{}", ran.errors);
        assert!(ran.errors.contains(word), "{word}: {}", ran.errors);
        assert!(!out.exists());
        fs::remove_dir_all(&bundle).unwrap();
    };
    refused(
        &|bundle| fs::remove_file(bundle.join("generator.onnx")).unwrap(),
        "generator",
    );
    refused(
        &|bundle| fs::remove_file(bundle.join("manifest.json")).unwrap(),
        "manifest",
    );
    refused(
        &|bundle| fs::write(bundle.join("manifest.json"), "{").unwrap(),
        "manifest",
    );
    let flip_last_byte = |bundle: &Path| {
        let path = bundle.join("weights.safetensors");
        let mut bytes = fs::read(&path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(&path, bytes).unwrap();
    };
    refused(&flip_last_byte, "weights");
    let ran = run(render(&video, &audio, &out)
        .arg("--bundle")
        .arg(place.path().join("nowhere")));
    assert_eq!(ran.code, 5, "{}", ran.errors);
    assert!(ran.errors.contains("nowhere"), "{}", ran.errors);
}

#[test]
fn a_range_has_the_bytes_of_the_whole_clip_and_threads_change_nothing() {
    let place = tempfile::tempdir().unwrap();
    let video = place.path().join("video");
    fs::create_dir(&video).unwrap();
    for face in head_frames(9) {
        fs::copy(&face, video.join(face.file_name().unwrap())).unwrap();
    }
    let audio = head_words();
    let (whole, part) = (place.path().join("whole"), place.path().join("part"));
    let matte = place.path().join("matte");
    let mut first = render(&video, &audio, &whole);
    let ran = run(first.arg("--matte").arg(&matte).args(["--threads", "1"]));
    assert_eq!(ran.code, 0, "{}", ran.errors);
    let ran = run(render(&video, &audio, &part).args(["--frames", "4-5", "--threads", "3"]));
    assert_eq!(ran.code, 0, "{}", ran.errors);
    assert_only(&part, &["0004.png", "0005.png"]);
    for name in ["0004.png", "0005.png"] {
        assert_eq!(
            fs::read(part.join(name)).unwrap(),
            fs::read(whole.join(name)).unwrap()
        );
        // Outside the matte every pixel is the source's.
        let matte = pixels(&matte.join(name));
        let source = pixels(&video.join(name.replace("png", "jpg")));
        let result = pixels(&whole.join(name));
        let touched = |i: usize| matte.get_pixel(i as u32 % 640, i as u32 / 640).0[0] > 0;
        assert!((0..640 * 480).any(touched), "the matte is empty");
        for (i, (before, after)) in source.pixels().zip(result.pixels()).enumerate() {
            assert!(
                touched(i) || before == after,
                "pixel {i} of {name} outside the matte changed"
            );
        }
    }
    let past = run(render(&video, &audio, &part).args(["--frames", "20-30"]));
    assert_eq!(past.code, 3, "{}", past.errors);
    assert!(past.errors.contains("20"), "{}", past.errors);
}

/// Ctrl-C.
#[cfg(unix)]
fn interrupt(child: &Child) {
    let id = child.id().to_string();
    let sent = std::process::Command::new("kill")
        .args(["-INT", &id])
        .status();
    assert!(sent.unwrap().success());
}

/// Ctrl-Break: unlike Ctrl-C, it can be sent to one process group.
#[cfg(windows)]
fn interrupt(child: &Child) {
    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn GenerateConsoleCtrlEvent(event: u32, group: u32) -> i32;
    }
    const CTRL_BREAK: u32 = 1;
    // SAFETY: it takes no pointers; the child was started as a group of its own.
    let sent = unsafe { GenerateConsoleCtrlEvent(CTRL_BREAK, child.id()) };
    assert_ne!(sent, 0, "{}", std::io::Error::last_os_error());
}

#[cfg(any(unix, windows))]
#[test]
fn an_interrupt_leaves_nothing() {
    let place = tempfile::tempdir().unwrap();
    let video = repository("models/head/clip/frames");
    let out = place.path().join("out");
    let mut command = render(&video, &head_words(), &out);
    #[cfg(windows)]
    std::os::windows::process::CommandExt::creation_flags(&mut command, 0x200);
    let mut child = command.stderr(Stdio::null()).spawn().unwrap();
    // The temporary folder is there once rendering has begun; before, there is nothing to leave.
    // The render of a hundred frames is not over by the next look.
    while fs::read_dir(place.path()).unwrap().count() == 0 {
        assert_eq!(
            child.try_wait().unwrap(),
            None,
            "it ended before it could be interrupted"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_only(place.path(), &[]);
}

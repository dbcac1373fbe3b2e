//! The kinds of footage and audio that people have: what is kept, and what is reported. Without ffmpeg
//! these tests skip.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod cli_support;

use std::fs;
use std::path::Path;
use std::process::Command;

use cli_support::*;

#[test]
fn a_short_clip_goes_on_as_asked_and_a_still_is_held() {
    if !has_ffmpeg() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let audio = tone(place.path(), "speech.wav", 16000, 1, 0.4);
    let video = pattern(
        place.path(),
        "clip.mkv",
        "64x48",
        "25",
        4,
        &["-c:v", "ffv1", "-an"],
    );
    let own = frame_sums(&video);
    assert_eq!(own.len(), 4);
    for (fit, shown) in [
        ("cut", vec![0, 1, 2, 3]),
        ("hold", vec![0, 1, 2, 3, 3, 3, 3, 3, 3, 3]),
        ("loop", vec![0, 1, 2, 3, 0, 1, 2, 3, 0, 1]),
        ("bounce", vec![0, 1, 2, 3, 2, 1, 0, 1, 2, 3]),
    ] {
        let out = place.path().join(format!("{fit}.mkv"));
        let ran = run(render(&video, &audio, &out).args(["--fit", fit]));
        assert_eq!(ran.code, 0, "{fit}: {}", ran.errors);
        let expected: Vec<_> = shown
            .iter()
            .map(|index: &usize| own[*index].clone())
            .collect();
        assert_eq!(frame_sums(&out), expected, "{fit}");
        // A part of it holds the same frames.
        let part = place.path().join(format!("{fit}-part.mkv"));
        let ran = run(render(&video, &audio, &part).args(["--fit", fit, "--frames", "2-3"]));
        assert_eq!(ran.code, 0, "{fit}: {}", ran.errors);
        assert_eq!(frame_sums(&part), expected[2..4], "{fit}");
    }
    let still = place.path().join("still.png");
    gradient_picture(64, 48, 7).save(&still).unwrap();
    let one = pattern(
        place.path(),
        "one.mkv",
        "64x48",
        "25",
        1,
        &["-c:v", "ffv1", "-an"],
    );
    for clip in [still, one] {
        let out = place.path().join("held.mkv");
        let ran = run(&mut render(&clip, &audio, &out));
        assert_eq!(ran.code, 0, "{}", ran.errors);
        let sums = frame_sums(&out);
        assert_eq!(sums.len(), 10, "{}", ran.errors);
        assert!(sums.iter().all(|sum| *sum == sums[0]));
        let folder = place.path().join("held");
        let ran = run(&mut render(&clip, &audio, &folder));
        assert_eq!(ran.code, 0, "{}", ran.errors);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 10);
        fs::remove_dir_all(&folder).unwrap();
    }
}

#[test]
fn an_odd_size_becomes_a_movie_that_plays() {
    if !has_ffmpeg() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let audio = tone(place.path(), "speech.wav", 16000, 1, 0.1);
    for (name, pixels, expected, size) in [
        ("odd420.mkv", "yuv420p", "yuv420p", "132\n98"),
        ("odd422.mkv", "yuv422p", "yuv422p", "132\n97"),
        ("odd10.mkv", "yuv420p10le", "yuv420p10le", "132\n98"),
        ("odd444.mkv", "yuv444p", "yuv444p", "131\n97"),
    ] {
        let more = ["-pix_fmt", pixels, "-c:v", "ffv1", "-an"];
        let video = pattern(place.path(), name, "131x97", "24", 3, &more);
        let out = place.path().join(format!("{name}.mp4"));
        let ran = run(&mut render(&video, &audio, &out));
        assert_eq!(ran.code, 0, "{name}: {}", ran.errors);
        assert_eq!(probe(&out, "v:0", "stream=pix_fmt"), expected, "{name}");
        assert_eq!(probe(&out, "v:0", "stream=width,height"), size, "{name}");
        assert_eq!(
            ran.errors.contains("padded"),
            size != "131\n97",
            "{name}: {}",
            ran.errors
        );
        // The last column is repeated, not black.
        let frame = place.path().join("frame.png");
        ffmpeg(&["-i", out.to_str().unwrap(), "-frames:v", "1"], &frame);
        let picture = image::open(&frame).unwrap().to_rgb8();
        let (last, before) = (picture.width() - 1, picture.width() - 3);
        let brightness = |x: u32| {
            (0..97)
                .map(|y| u64::from(picture.get_pixel(x, y).0[1]))
                .sum::<u64>()
        };
        assert!(brightness(last) * 2 > brightness(before), "{name}");
    }
}

#[test]
fn the_shape_of_pixels_turns_with_the_picture() {
    if !has_ffmpeg() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let audio = tone(place.path(), "speech.wav", 16000, 1, 0.1);
    let upright = ["-vf", "transpose=2,setsar=2/1", "-an"];
    let video = pattern(place.path(), "upright.mp4", "96x48", "25", 3, &upright);
    let turned = place.path().join("turned.mp4");
    let input = video.to_str().unwrap();
    ffmpeg(
        &["-i", input, "-c", "copy", "-metadata:s:v", "rotate=270"],
        &turned,
    );
    if probe(&turned, "v:0", "side_data=rotation").is_empty() {
        skip::skip("an ffmpeg that writes rotations");
        return;
    }
    let out = place.path().join("out.mp4");
    let ran = run(&mut render(&turned, &audio, &out));
    assert_eq!(ran.code, 0, "{}", ran.errors);
    assert_eq!(probe(&out, "v:0", "stream=width,height"), "96\n48");
    assert_eq!(probe(&out, "v:0", "stream=sample_aspect_ratio"), "1:2");
}

/// The columns and rows that a matte marks: [left, right, top, bottom].
fn marked(matte: &Path) -> [f64; 4] {
    let picture = pixels(matte);
    let places = picture.enumerate_pixels().filter(|(_, _, p)| p.0[0] > 0);
    let none = [f64::INFINITY, 0.0, f64::INFINITY, 0.0];
    places.fold(none, |[left, right, top, bottom], (x, y, _)| {
        let (x, y) = (f64::from(x), f64::from(y));
        [left.min(x), right.max(x), top.min(y), bottom.max(y)]
    })
}

#[test]
fn a_face_of_pixels_that_are_not_square_is_the_same_face() {
    if !has_ffmpeg() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let still = &head_frames(1)[0];
    let mattes =
        [("square", "null"), ("squeezed", "scale=320:480,setsar=2/1")].map(|(name, filter)| {
            let video = place.path().join(format!("{name}.mkv"));
            let input = still.to_str().unwrap();
            let options = ["-vf", filter, "-r", "25", "-t", "0.16", "-c:v", "ffv1"];
            ffmpeg(
                &[["-loop", "1", "-i", input].as_slice(), &options].concat(),
                &video,
            );
            let matte = place.path().join(format!("{name} matte"));
            let out = place.path().join(format!("{name} out"));
            let ran = run(render(&video, &head_words(), &out)
                .arg("--matte")
                .arg(&matte));
            assert_eq!(ran.code, 0, "{}", ran.errors);
            let mut pictures = std::fs::read_dir(matte).unwrap();
            marked(&pictures.next().unwrap().unwrap().path())
        });
    let [square, squeezed] = mattes;
    let [left, right, top, bottom] = squeezed;
    for (side, other) in square
        .into_iter()
        .zip([2.0 * left, 2.0 * right, top, bottom])
    {
        assert!((side - other).abs() < 8.0, "{square:?} and {squeezed:?}");
    }
}

/// When a sound begins, in seconds.
fn onset(path: &Path) -> f64 {
    let first = samples(path).iter().position(|v| v.abs() > 0.02);
    first.unwrap() as f64 / 16_000.0
}

#[test]
fn audio_that_begins_late_stays_late() {
    if !has_ffmpeg() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let video = pattern(place.path(), "clip.mp4", "64x48", "25", 25, &["-an"]);
    let tone = tone(place.path(), "tone.wav", 16000, 1, 0.5);
    let late = place.path().join("late.mp4");
    let (picture, sound) = (video.to_str().unwrap(), tone.to_str().unwrap());
    let inputs = ["-i", picture, "-itsoffset", "0.4", "-i", sound];
    let streams = ["-map", "0:v", "-map", "1:a", "-c:v", "copy", "-c:a", "aac"];
    ffmpeg(&[&inputs[..], &streams].concat(), &late);
    for name in ["out.mkv", "out.mp4"] {
        let out = place.path().join(name);
        let ran = run(&mut render(&video, &late, &out));
        assert_eq!(ran.code, 0, "{}", ran.errors);
        assert!((onset(&out) - 0.4).abs() < 0.03, "{name}: {}", onset(&out));
    }
}

#[test]
fn audio_that_only_ffmpeg_decodes_is_taken() {
    if !has_ffmpeg() {
        return;
    }
    let encoders = Command::new("ffmpeg")
        .args(["-v", "quiet", "-encoders"])
        .output()
        .unwrap();
    if !String::from_utf8_lossy(&encoders.stdout).contains("libopus") {
        skip::skip("an ffmpeg with libopus");
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let video = pattern(place.path(), "clip.mp4", "64x48", "25", 5, &["-an"]);
    let tone = tone(place.path(), "tone.wav", 48000, 1, 0.3);
    let sound = tone.to_str().unwrap();
    for name in ["voice.ogg", "voice.opus", "voice.webm", "voice.mka"] {
        let voice = place.path().join(name);
        ffmpeg(&["-i", sound, "-c:a", "libopus"], &voice);
        let out = place.path().join(format!("{name}.mp4"));
        let ran = run(&mut render(&video, &voice, &out));
        assert_eq!(ran.code, 0, "{name}: {}", ran.errors);
        assert!(onset(&out) < 0.06, "{name}: {}", onset(&out));
    }
    // What no program decodes is still told in the library's words.
    let text = place.path().join("voice.txt");
    fs::write(&text, "not audio").unwrap();
    let ran = run(&mut render(&video, &text, &place.path().join("none.mp4")));
    assert_eq!(ran.code, 3, "{}", ran.errors);
    assert!(ran.errors.contains("voice.txt"), "{}", ran.errors);
}

#[test]
#[cfg(unix)]
fn any_file_name_is_a_file() {
    if !has_ffmpeg() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let video = pattern(place.path(), "clip.mp4", "64x48", "25", 3, &["-an"]);
    let audio = tone(place.path(), "tone.wav", 16000, 1, 0.2);
    for name in [
        "12:30",
        "-dash",
        "a%03d",
        "pipe:0",
        "[1] x",
        "concat:a|b",
        "q'uote \\ back",
        "\u{e9}\u{4e2d}",
    ] {
        let names = [".mp4", ".wav", ".out.mp4"].map(|end| format!("{name}{end}"));
        fs::copy(&video, place.path().join(&names[0])).unwrap();
        fs::copy(&audio, place.path().join(&names[1])).unwrap();
        let mut command = program();
        command
            .current_dir(place.path())
            .args(["render", "--provider", "cpu"]);
        for (option, name) in ["video", "audio", "out"].iter().zip(&names) {
            command.arg(format!("--{option}={name}"));
        }
        let ran = run(&mut command);
        assert_eq!(ran.code, 0, "{name}: {}", ran.errors);
        assert!(place.path().join(&names[2]).is_file(), "{name}");
    }
}

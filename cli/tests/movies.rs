//! Movies through ffmpeg: rate, size, depth, colour and length are kept, the new sound is laid
//! under, and a failure leaves nothing. Without ffmpeg these tests skip.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod cli_support;

use std::fs;
use std::path::Path;

use cli_support::*;

#[test]
fn rate_size_and_colour_are_kept_and_the_new_sound_is_laid_under() {
    if !has_ffmpeg() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let tags = [
        "-colorspace",
        "bt709",
        "-color_primaries",
        "bt709",
        "-color_trc",
        "bt709",
    ];
    let video = pattern(place.path(), "in.mp4", "130x98", "30000/1001", 12, &tags);
    let out = place.path().join("out.mp4");
    // Half as long as the picture, and twice.
    for (name, length) in [("short.wav", 0.2), ("long.wav", 0.8)] {
        let audio = tone(place.path(), name, 48000, 2, length);
        let ran = run(&mut render(&video, &audio, &out));
        assert_eq!(ran.code, 0, "{}", ran.errors);
        assert_eq!(probe(&out, "v:0", "stream=width,height"), "130\n98");
        assert_eq!(probe(&out, "v:0", "stream=r_frame_rate"), "30000/1001");
        assert_eq!(probe(&out, "v:0", "stream=nb_read_frames"), "12");
        assert_eq!(probe(&out, "v:0", "stream=color_space"), "bt709");
        assert_eq!(probe(&out, "a:0", "stream=codec_name,channels"), "aac\n2");
        let picture = 12.0 * 1001.0 / 30000.0;
        let sound = seconds(&out, "a:0");
        assert!(
            (sound - picture).abs() < 0.03,
            "{name}: {sound} s of sound, {picture} s of picture"
        );
    }
    assert_only(
        place.path(),
        &["in.mp4", "long.wav", "out.mp4", "short.wav"],
    );
}

#[test]
fn a_lossless_result_without_a_face_has_the_source_s_pixels() {
    if !has_ffmpeg() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let audio = tone(place.path(), "words.wav", 16000, 1, 0.2);
    let out = place.path().join("out.mkv");
    for (name, size, more) in [
        ("even.mp4", "128x96", &["-pix_fmt", "yuv420p"][..]),
        (
            "odd.mkv",
            "131x97",
            &["-c:v", "ffv1", "-pix_fmt", "yuv444p"][..],
        ),
        (
            "deep.mkv",
            "128x96",
            &["-c:v", "ffv1", "-pix_fmt", "yuv422p10le"][..],
        ),
    ] {
        let video = pattern(place.path(), name, size, "25", 5, more);
        let ran = run(&mut render(&video, &audio, &out));
        assert_eq!(ran.code, 0, "{name}: {}", ran.errors);
        let sums = frame_sums(&out);
        assert_eq!(sums.len(), 5, "{name}");
        assert_eq!(sums, frame_sums_at(&video, name == "deep.mkv"), "{name}");
    }
}

/// The source's frames as they are decoded for the library: 8 bits unless it is deeper.
fn frame_sums_at(video: &Path, deep: bool) -> Vec<String> {
    if deep {
        return frame_sums(video);
    }
    let eight = video.with_extension("eight.mkv");
    let path = video.to_str().unwrap();
    ffmpeg(
        &[
            "-i",
            path,
            "-sws_flags",
            FLAGS,
            "-pix_fmt",
            "bgr0",
            "-c:v",
            "ffv1",
            "-an",
        ],
        &eight,
    );
    frame_sums(&eight)
}

#[test]
fn sizes_turns_and_depths_of_movies_are_kept() {
    if !has_ffmpeg() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let audio = tone(place.path(), "words.wav", 16000, 1, 0.1);
    let odd = pattern(
        place.path(),
        "odd.mkv",
        "131x97",
        "24",
        3,
        &["-pix_fmt", "yuv444p"],
    );
    let deep = pattern(
        place.path(),
        "deep.mkv",
        "64x48",
        "24",
        3,
        &["-pix_fmt", "yuv420p10le"],
    );
    let out = place.path().join("out.mp4");
    let ran = run(&mut render(&odd, &audio, &out));
    assert_eq!(ran.code, 0, "{}", ran.errors);
    assert_eq!(probe(&out, "v:0", "stream=width,height"), "131\n97");
    let ran = run(&mut render(&deep, &audio, &out));
    assert_eq!(ran.code, 0, "{}", ran.errors);
    assert_eq!(probe(&out, "v:0", "stream=pix_fmt"), "yuv420p10le");
    let out = place.path().join("out.mov");
    let ran = run(&mut render(&deep, &audio, &out));
    assert_eq!(ran.code, 0, "{}", ran.errors);
    assert_eq!(probe(&out, "v:0", "stream=codec_name"), "prores");
    // As telephones do: the picture lies on its side and the container says so.
    let upright = pattern(place.path(), "flat.mp4", "96x64", "25", 3, &["-an"]);
    let turned = place.path().join("turned.mp4");
    let copy = [
        "-i",
        upright.to_str().unwrap(),
        "-c",
        "copy",
        "-metadata:s:v:0",
        "rotate=90",
    ];
    ffmpeg(&copy, &turned);
    let out = place.path().join("frames");
    let ran = run(&mut render(&turned, &audio, &out));
    assert_eq!(ran.code, 0, "{}", ran.errors);
    let side_data = probe(&turned, "v:0", "stream_side_data=rotation");
    let expected = if side_data.is_empty() {
        (96, 64)
    } else {
        (64, 96)
    };
    assert_eq!(pixels(&out.join("000000.png")).dimensions(), expected);
}

#[test]
fn pixels_that_are_not_square_keep_their_shape() {
    if !has_ffmpeg() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let audio = tone(place.path(), "words.wav", 16000, 1, 0.1);
    let wide = ["-vf", "setsar=64/45", "-an"];
    let video = pattern(place.path(), "wide.mp4", "72x58", "25", 3, &wide);
    for name in ["out.mp4", "out.mov", "out.mkv"] {
        let out = place.path().join(name);
        let ran = run(&mut render(&video, &audio, &out));
        assert_eq!(ran.code, 0, "{}", ran.errors);
        let aspect = probe(&out, "v:0", "stream=sample_aspect_ratio");
        assert_eq!(aspect, "64:45", "{name}");
    }
}

#[test]
fn a_range_of_a_movie_holds_the_same_frames_and_its_part_of_the_sound() {
    if !has_ffmpeg() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let audio = tone(place.path(), "words.wav", 16000, 1, 1.0);
    let refreshed = [
        "-c:v",
        "libx264",
        "-x264-params",
        "keyint=5:intra-refresh=1",
    ];
    let open_groups = ["-c:v", "libx265", "-x265-params", "keyint=5:log-level=1"];
    for (name, more) in [
        ("in.mp4", &[][..]),
        ("refreshed.mp4", &refreshed),
        ("open-groups.mp4", &open_groups),
        ("each-alone.mkv", &["-c:v", "ffv1"]),
    ] {
        if more.contains(&"libx265") && !has_encoder("libx265") {
            continue;
        }
        let video = pattern(place.path(), name, "64x48", "24000/1001", 24, more);
        let (whole, part) = (
            place.path().join("whole.mkv"),
            place.path().join("part.mkv"),
        );
        for (out, range) in [(&whole, "0-23"), (&part, "13-18")] {
            let ran = run(render(&video, &audio, out).args(["--frames", range]));
            assert_eq!(ran.code, 0, "{name}: {}", ran.errors);
        }
        assert_eq!(frame_sums(&part), frame_sums(&whole)[13..=18], "{name}");
        let length = probe(&part, "v:0", "format=duration")
            .parse::<f64>()
            .unwrap();
        assert!((length - 6.0 * 1001.0 / 24000.0).abs() < 0.03, "{length}");
    }
}

#[test]
fn pictures_become_a_movie_of_the_rate_that_was_asked_for() {
    if !has_ffmpeg() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let audio = tone(place.path(), "words.wav", 16000, 1, 0.2);
    let video = gradient(place.path(), 4);
    let (out, matte) = (place.path().join("out.mp4"), place.path().join("matte.mp4"));
    let mut command = render(&video, &audio, &out);
    let ran = run(command.args(["--rate", "23.976", "--matte"]).arg(&matte));
    assert_eq!(ran.code, 0, "{}", ran.errors);
    for movie in [&out, &matte] {
        assert_eq!(probe(movie, "v:0", "stream=r_frame_rate"), "24000/1001");
        assert_eq!(probe(movie, "v:0", "stream=nb_read_frames"), "4");
    }
    assert_eq!(
        probe(&matte, "a:0", "stream=codec_name"),
        "",
        "a matte has no sound"
    );
}

#[test]
fn a_movie_that_is_not_one_is_told_in_ffmpeg_s_own_words() {
    if !has_ffmpeg() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let audio = tone(place.path(), "words.wav", 16000, 1, 0.2);
    let text = place.path().join("text.mp4");
    fs::write(&text, "not a movie at all\n".repeat(99)).unwrap();
    let out = place.path().join("out.mp4");
    let ran = run(&mut render(&text, &audio, &out));
    assert_eq!(ran.code, 5, "{}", ran.errors);
    assert!(
        ran.errors.contains("ffprobe failed while reading"),
        "{}",
        ran.errors
    );
    assert!(ran.errors.contains("Invalid data"), "{}", ran.errors);
    let sound_only = run(&mut render(&audio, &audio, &out));
    assert_eq!(sound_only.code, 3, "{}", sound_only.errors);
    assert!(
        sound_only.errors.contains("has no video stream"),
        "{}",
        sound_only.errors
    );
    assert_only(place.path(), &["text.mp4", "words.wav"]);
}

/// An ffmpeg that fails in the middle, as on a full disk.
#[cfg(unix)]
#[test]
fn an_encoder_that_fails_is_quoted_and_leaves_nothing() {
    use std::os::unix::fs::PermissionsExt;

    let place = tempfile::tempdir().unwrap();
    let audio = tone(place.path(), "words.wav", 16000, 1, 0.2);
    let video = gradient(place.path(), 3);
    let tools = tempfile::tempdir().unwrap();
    let script = "#!/bin/sh\n[ \"$1\" = -encoders ] && echo ' V libx264' && exit 0\n\
                  echo first line >&2\necho 'disk is full, they say' >&2\nexit 1\n";
    for tool in ["ffmpeg", "ffprobe"] {
        let path = tools.path().join(tool);
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let out = place.path().join("out.mp4");
    fs::write(&out, b"yesterday's").unwrap();
    // Before the others, so that everything else is still found.
    let path = std::env::var_os("PATH").unwrap_or_default();
    let others = std::env::split_paths(&path);
    let path = std::env::join_paths(std::iter::once(tools.path().into()).chain(others)).unwrap();
    let ran = run(render(&video, &audio, &out).env("PATH", path));
    assert_eq!(ran.code, 5, "{}", ran.errors);
    assert!(
        ran.errors.contains("ffmpeg failed while writing"),
        "{}",
        ran.errors
    );
    assert!(
        ran.errors.contains("disk is full, they say"),
        "{}",
        ran.errors
    );
    assert!(!ran.errors.contains("first line"), "{}", ran.errors);
    assert_eq!(fs::read(&out).unwrap(), b"yesterday's");
    assert_only(place.path(), &["gradient", "out.mp4", "words.wav"]);
}

//! Which audio of a file is heard and laid under the result, and when: several tracks, offsets, gaps, audio
//! that begins before the picture, empty tracks. Without ffmpeg these tests skip.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod cli_support;

use std::path::{Path, PathBuf};
use std::process::Command;

use cli_support::*;

/// Where there is sound, as spans of seconds; pauses below 50 ms are none.
fn spans(path: &Path) -> Vec<[f64; 2]> {
    let mut spans: Vec<[f64; 2]> = Vec::new();
    for (index, sample) in samples(path).iter().enumerate() {
        if sample.abs() < 0.02 {
            continue;
        }
        let time = index as f64 / 16_000.0;
        match spans.last_mut() {
            Some(span) if time - span[1] < 0.05 => span[1] = time,
            _ => spans.push([time, time]),
        }
    }
    spans
}

fn assert_spans(path: &Path, expected: &[[f64; 2]]) {
    let found = spans(path);
    let near = |(a, b): (&[f64; 2], &[f64; 2])| (a[0] - b[0]).abs() + (a[1] - b[1]).abs() < 0.06;
    assert!(
        found.len() == expected.len() && found.iter().zip(expected).all(near),
        "{}: {found:?}, not {expected:?}",
        path.display()
    );
}

/// Fails unless the speech that was heard is that many seconds shorter than the picture.
fn assert_shorter(errors: &str, seconds: f64) {
    // Up to a frame is not reported.
    let number = errors.split("the audio is ").nth(1).unwrap_or("0 s");
    let number: f64 = number.split(' ').next().unwrap().parse().unwrap();
    assert!((number - seconds).abs() < 0.11, "{seconds}: {errors}");
}

fn rendered(video: &Path, audio: &Path, out: &Path, more: &[&str]) -> String {
    let ran = run(render(video, audio, out).args(more));
    assert_eq!(ran.code, 0, "{}", ran.errors);
    ran.errors
}

/// A picture of 25 frames without sound, and 0.4 s of a tone.
fn inputs(place: &Path) -> (PathBuf, PathBuf) {
    let video = pattern(place, "clip.mp4", "64x48", "25", 25, &["-an"]);
    (video, tone(place, "tone.wav", 16000, 1, 0.4))
}

#[test]
fn an_offset_moves_speech_and_result_alike() {
    if !has_ffmpeg() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let (video, tone) = inputs(place.path());
    let matroska = place.path().join("tone.mka");
    ffmpeg(&["-i", tone.to_str().unwrap()], &matroska);
    for audio in [&tone, &matroska] {
        for (offset, span) in [("300", [0.3, 0.7]), ("-150", [0.0, 0.25])] {
            let out = place.path().join("out.mkv");
            let errors = rendered(&video, audio, &out, &["--audio-offset", offset]);
            assert_spans(&out, &[span]);
            assert_shorter(&errors, 1.0 - span[1]);
        }
    }
    // A part of the clip has its part of the audio.
    let out = place.path().join("part.mkv");
    rendered(
        &video,
        &tone,
        &out,
        &["--audio-offset", "300", "--frames", "5-24"],
    );
    assert_spans(&out, &[[0.1, 0.5]]);
    let ran = run(render(&video, &tone, &out).args(["--audio-offset", "1e9"]));
    assert_eq!(ran.code, 2, "{}", ran.errors);
    assert!(ran.errors.contains("audio-offset"), "{}", ran.errors);
}

#[test]
fn one_of_several_tracks_is_taken() {
    if !has_ffmpeg() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let (video, tone) = inputs(place.path());
    let sound = tone.to_str().unwrap();
    for name in ["two.mp4", "two.mkv"] {
        let two = place.path().join(name);
        let late = ["-i", sound, "-itsoffset", "0.5", "-i", sound];
        // The second one is marked as the default: players differ, the first one is taken.
        // AAC in Matroska begins with the encoder's padding.
        let codec = if name == "two.mp4" { "aac" } else { "flac" };
        let maps = ["-map", "0:a", "-map", "1:a", "-c:a", codec];
        let default = ["-disposition:a:0", "0", "-disposition:a:1", "default"];
        ffmpeg(&[&late[..], &maps, &default].concat(), &two);
        for (options, span) in [
            (&[][..], [0.0, 0.4]),
            (&["--audio-track", "1"][..], [0.0, 0.4]),
            (&["--audio-track", "2"][..], [0.5, 0.9]),
        ] {
            let out = place.path().join("out.mkv");
            let errors = rendered(&video, &two, &out, options);
            assert_spans(&out, &[span]);
            assert_shorter(&errors, 1.0 - span[1]);
        }
        let out = place.path().join("none.mkv");
        let ran = run(render(&video, &two, &out).args(["--audio-track", "3"]));
        assert_eq!(ran.code, 3, "{}", ran.errors);
        assert!(ran.errors.contains("has 2 audio tracks"), "{}", ran.errors);
        assert!(!out.exists());
    }
}

/// The packets before and behind the gap.
fn spans_of_gap(path: &Path) -> [[f64; 2]; 2] {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-show_entries", "packet=pts_time"])
        .args(["-of", "csv=p=0"])
        .arg(path)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let times: Vec<f64> = text
        .lines()
        .filter_map(|line| line.trim_end_matches(',').parse().ok())
        .collect();
    let gap = times.windows(2).find(|pair| pair[1] - pair[0] > 0.25);
    let [before, behind] = gap.unwrap() else {
        panic!("no gap in {times:?}")
    };
    // Packets of 64 or 128 ms.
    let packet = times[1] - times[0];
    [[0.0, before + packet], [*behind, 0.9]]
}

#[test]
fn gaps_stay_and_audio_before_the_picture_is_dropped() {
    if !has_ffmpeg() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let (video, _) = inputs(place.path());
    let long = tone(place.path(), "long.wav", 16000, 1, 0.9);
    let sound = long.to_str().unwrap();
    let gap = "aselect='not(between(t,0.25,0.55))'";
    for name in ["gap.mkv", "gap.mp4"] {
        let path = place.path().join(name);
        let codec = if name == "gap.mp4" {
            "aac"
        } else {
            "pcm_s16le"
        };
        ffmpeg(&["-i", sound, "-af", gap, "-c:a", codec], &path);
        let out = place.path().join("out.mkv");
        let errors = rendered(&video, &path, &out, &[]);
        assert_spans(&out, &spans_of_gap(&path));
        assert_shorter(&errors, 0.1);
    }
    // The picture begins 0.3 s after the audio.
    for name in ["early.mp4", "early.mkv"] {
        let early = place.path().join(name);
        let picture = video.to_str().unwrap();
        let inputs = ["-i", sound, "-itsoffset", "0.3", "-i", picture];
        ffmpeg(
            &[&inputs[..], &["-map", "1:v", "-map", "0:a", "-c:v", "copy"]].concat(),
            &early,
        );
        for video in [&video, &early] {
            let out = place.path().join("out.mkv");
            rendered(video, &early, &out, &[]);
            assert_eq!(probe(&out, "v:0", "stream=nb_read_frames"), "25");
            assert_spans(&out, &[[0.0, 0.6]]);
        }
    }
}

#[test]
fn a_track_without_audio_is_refused() {
    if !has_ffmpeg() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let (video, tone) = inputs(place.path());
    let sound = tone.to_str().unwrap();
    let picture = video.to_str().unwrap();
    for name in ["empty.mp4", "empty.mkv", "empty.wav"] {
        let empty = place.path().join(name);
        let mut options = vec!["-i", picture, "-i", sound, "-map", "1:a"];
        if name != "empty.wav" {
            options.extend(["-map", "0:v", "-c:v", "copy"]);
        }
        options.extend(["-af", "atrim=end=0"]);
        ffmpeg(&options, &empty);
        let out = place.path().join("out.mp4");
        let ran = run(&mut render(&video, &empty, &out));
        assert_eq!(ran.code, 3, "{name}: {}", ran.errors);
        assert!(ran.errors.contains(name), "{name}: {}", ran.errors);
        assert!(!out.exists(), "{name}");
    }
}

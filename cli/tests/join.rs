//! `render --frames` and `join`: any split of a clip gives what one process gives.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod cli_support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cli_support::*;

/// `stylelipsync join` of these pieces.
fn join(pieces: &[PathBuf], out: &Path) -> Command {
    let mut command = program();
    command.arg("join").args(pieces).arg("--out").arg(out);
    command
}

/// The bundled head as a folder, and its analysis.
fn head(place: &Path, frames: usize) -> (PathBuf, PathBuf) {
    let (video, file) = (place.join("clip"), place.join("clip.slsa"));
    fs::create_dir(&video).unwrap();
    for frame in head_frames(frames) {
        fs::copy(&frame, video.join(frame.file_name().unwrap())).unwrap();
    }
    let mut command = program();
    command.args(["analyze", "--provider", "cpu", "--video"]);
    let ran = run(command.arg(&video).arg("--out").arg(&file));
    assert_eq!(ran.code, 0, "{}", ran.errors);
    (video, file)
}

fn bytes_of(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let read = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().unwrap();
        (name, fs::read(entry.path()).unwrap())
    };
    entries.map(read).collect()
}

/// When each frame is shown.
fn times(path: &Path) -> String {
    probe(path, "v:0", "frame=pts_time")
}

#[test]
fn pieces_of_a_face_join_to_what_one_process_renders() {
    let place = tempfile::tempdir().unwrap();
    let at = |name: &str| place.path().join(name);
    let (video, analysis) = head(place.path(), 6);
    let speech = head_words();
    let rendered = |out: &Path, frames: Option<&str>| {
        let mut command = render(&video, &speech, out);
        command.arg("--analysis").arg(&analysis);
        command.args(frames.iter().flat_map(|range| ["--frames", range]));
        let ran = run(&mut command);
        assert_eq!(ran.code, 0, "{}", ran.errors);
    };
    let kinds: &[&str] = if has_ffmpeg() { &["", ".mkv"] } else { &[""] };
    for kind in kinds {
        let (whole, joined) = (at(&format!("whole{kind}")), at(&format!("joined{kind}")));
        rendered(&whole, None);
        let mut pieces = Vec::new();
        for range in ["3-4", "0-2", "5-5"] {
            pieces.push(at(&format!("{range}{kind}")));
            rendered(&pieces[pieces.len() - 1], Some(range));
        }
        let ran = run(join(&pieces, &joined).args(["--count", "6"]));
        assert_eq!(ran.code, 0, "{}", ran.errors);
        if kind.is_empty() {
            assert_eq!(bytes_of(&whole).len(), 6);
            assert!(bytes_of(&whole) == bytes_of(&joined));
        } else {
            assert_eq!(frame_sums(&whole).len(), 6);
            assert_eq!(frame_sums(&whole), frame_sums(&joined));
            assert!(samples(&whole) == samples(&joined));
        }
    }
}

#[test]
fn frames_that_are_missing_or_there_twice_are_named_and_nothing_is_written() {
    let place = tempfile::tempdir().unwrap();
    let at = |name: &str| place.path().join(name);
    let piece = |name: &str, size: u32, numbers: &[u32]| {
        fs::create_dir(at(name)).unwrap();
        for number in numbers {
            let path = at(name).join(format!("shot.{number:04}.png"));
            gradient_picture(size, 8, *number).save(path).unwrap();
        }
        at(name)
    };
    let a = piece("a", 8, &[9, 10, 11]);
    let b = piece("b", 8, &[12, 13]);
    let (far, over, wide) = (
        piece("far", 8, &[14, 15]),
        piece("over", 8, &[11, 12]),
        piece("wide", 9, &[12]),
    );
    let (empty, other) = (piece("empty", 8, &[]), piece("other", 8, &[]));
    gradient_picture(8, 8, 0)
        .save(other.join("take2.0012.png"))
        .unwrap();
    let broken = piece("broken", 8, &[]);
    fs::write(broken.join("shot.0012.png"), b"\x89PNG").unwrap();
    let out = at("out");
    let before = fs::read_dir(place.path()).unwrap().count();
    let refused = |pieces: &[&PathBuf], more: &[&str], code: i32, words: &[&str]| {
        let pieces: Vec<PathBuf> = pieces.iter().map(|piece| (*piece).clone()).collect();
        let ran = run(join(&pieces, &out).args(more));
        assert_eq!(ran.code, code, "{}", ran.errors);
        for word in words {
            assert!(ran.errors.contains(word), "{word}: {}", ran.errors);
        }
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), before);
    };
    let gap = "frames 0012 to 0013 are missing: after ";
    refused(&[&far, &a], &[], 3, &[gap, "0011.png", "0014.png"]);
    let twice = "frame 0011 is there twice: ";
    let folders = ["a", "over"].map(|name| format!("{name}{}", std::path::MAIN_SEPARATOR));
    refused(&[&a, &over], &[], 3, &[twice, &folders[0], &folders[1]]);
    refused(&[&a, &a], &[], 3, &["frame 0009 is there twice"]);
    refused(&[&a, &wide], &[], 3, &["wide", "9x8", "8x8"]);
    refused(&[&a, &broken], &[], 3, &["broken", "0012.png"]);
    refused(&[&a, &other], &[], 3, &["take2.0012.png", "shot.0011.png"]);
    refused(&[&a, &empty], &[], 3, &["empty", "no picture"]);
    refused(&[&a, &at("nowhere")], &[], 3, &["nowhere"]);
    let count = ["--count", "6"];
    refused(&[&a, &b], &count, 3, &["5 frames", "--count", "0013.png"]);
    let speech = ["--audio", "speech.wav"];
    refused(&[&a, &b], &speech, 2, &["audio"]);
    refused(&[&a, &b.join("shot.0012.png")], &[], 3, &["a file"]);
    refused(&[], &[], 2, &["PIECE"]);

    let ran = run(&mut join(&[b.clone(), a.clone()], &out));
    assert_eq!(ran.code, 0, "{}", ran.errors);
    assert_eq!(bytes_of(&out).len(), 5);
    // Again, as after a repair; but not beside frames of another result, nor over a piece.
    assert_eq!(run(&mut join(&[a.clone(), b.clone()], &out)).code, 0);
    assert_eq!(bytes_of(&out).len(), 5);
    for target in [&out, &a] {
        let ran = run(&mut join(std::slice::from_ref(&a), target));
        assert_eq!(ran.code, 4, "{}", ran.errors);
    }
    assert_eq!((bytes_of(&out).len(), bytes_of(&a).len()), (5, 3));
}

#[test]
fn movies_keep_frames_times_sound_and_properties() {
    if !has_ffmpeg() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let at = |name: &str| place.path().join(name);
    let more = ["-timecode", "01:00:00:10", "-vf", "setsar=64/45"];
    let video = pattern(place.path(), "in.mov", "64x48", "30000/1001", 13, &more);
    let speech = tone(place.path(), "speech.wav", 44_100, 2, 1.0);
    let rendered = |out: &Path, range: &str| {
        let ran = run(render(&video, &speech, out).args(["--frames", range]));
        assert_eq!(ran.code, 0, "{}", ran.errors);
    };
    let properties = "stream=codec_name,pix_fmt,r_frame_rate,sample_aspect_ratio,color_space,\
                      color_primaries,color_transfer,color_range,codec_tag_string";
    for kind in ["mkv", "mov", "mp4"] {
        let whole = at(&format!("whole.{kind}"));
        rendered(&whole, "0-12");
        let mut pieces = Vec::new();
        // Names that ffmpeg's list and its protocols could misread. Windows allows fewer.
        let special = if cfg!(windows) { "a%20#b" } else { "a%20?#b\\" };
        for (name, range) in [("10 it's", "7-11"), (special, "0-6"), ("-", "12-12")] {
            let piece = at(&format!("{name}.{kind}"));
            rendered(&piece, range);
            pieces.push(piece);
        }
        for own_audio in [true, false] {
            let joined = at(&format!("joined.{kind}"));
            let mut command = join(&pieces, &joined);
            if !own_audio {
                command.arg("--audio").arg(&speech);
            }
            let ran = run(&mut command);
            if (kind, own_audio) == ("mp4", true) {
                assert_eq!((ran.code, joined.exists()), (2, false), "{}", ran.errors);
                assert!(ran.errors.contains("audio: is needed"), "{}", ran.errors);
                continue;
            }
            assert_eq!(ran.code, 0, "{}", ran.errors);
            assert_eq!(times(&joined), times(&whole), "{kind}");
            assert_eq!(
                probe(&joined, "v:0", properties),
                probe(&whole, "v:0", properties)
            );
            let code = "stream_tags=timecode";
            assert_eq!(probe(&joined, "v:0", code), probe(&whole, "v:0", code));
            assert!(samples(&joined) == samples(&whole), "{kind}");
            let of_pieces = [1, 0, 2].map(|piece: usize| frame_sums(&pieces[piece]));
            assert_eq!(frame_sums(&joined), of_pieces.concat(), "{kind}");
            let warned = ran.errors.contains("decoded frames differ slightly");
            assert_eq!(warned, kind == "mp4", "{}", ran.errors);
            if kind != "mp4" {
                assert_eq!(frame_sums(&joined), frame_sums(&whole), "{kind}");
            }
        }
    }
}

#[test]
fn movies_that_do_not_fit_are_refused() {
    if !has_ffmpeg() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let at = |name: &str| place.path().join(name);
    let speech = tone(place.path(), "speech.wav", 16_000, 1, 0.4);
    let piece = |size: &str, name: &str, range: &str| {
        let video = pattern(place.path(), "in.mp4", size, "25", 8, &[]);
        let mut command = render(&video, &speech, &at(name));
        let ran = run(command.args(["--frames", range]));
        assert_eq!(ran.code, 0, "{}", ran.errors);
        at(name)
    };
    let a = piece("64x48", "a.mkv", "0-2");
    let (far, over) = (
        piece("64x48", "far.mkv", "4-7"),
        piece("64x48", "over.mkv", "1-4"),
    );
    let (wide, other) = (
        piece("66x48", "wide.mkv", "3-4"),
        piece("64x48", "other.mov", "3-4"),
    );
    let copy = ["-i", over.to_str().unwrap(), "-c", "copy"];
    // A comment that the frames do not agree with, and none.
    let cut = at("cut.mkv");
    ffmpeg(&[&copy[..], &["-frames:v", "2"]].concat(), &cut);
    let unmarked = at("unmarked.mkv");
    ffmpeg(&[&copy[..], &["-metadata", "comment="]].concat(), &unmarked);
    let out = at("out.mkv");
    fs::write(&out, b"yesterday's").unwrap();
    let before = fs::read_dir(place.path()).unwrap().count();
    let refused = |pieces: &[&PathBuf], target: &Path, code: i32, words: &[&str]| {
        let pieces: Vec<PathBuf> = pieces.iter().map(|piece| (*piece).clone()).collect();
        let ran = run(&mut join(&pieces, target));
        assert_eq!(ran.code, code, "{}", ran.errors);
        for word in words {
            assert!(ran.errors.contains(word), "{word}: {}", ran.errors);
        }
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), before);
        assert_eq!(fs::read(&out).unwrap(), b"yesterday's");
    };
    let gap = "frame 3 is missing: after ";
    refused(&[&far, &a], &out, 3, &[gap, "a.mkv", "far.mkv"]);
    let twice = "frame 1 is there twice: ";
    refused(&[&a, &over], &out, 3, &[twice, "a.mkv", "over.mkv"]);
    refused(&[&a, &wide], &out, 3, &["the size", "wide.mkv", "66x48"]);
    refused(&[&a, &other], &out, 3, &["the codec", "other.mov"]);
    refused(&[&a, &cut], &out, 3, &["cut.mkv", "2 frames"]);
    refused(&[&a, &at("clip.mkv")], &out, 3, &["clip.mkv"]);
    refused(&[&a, &speech], &out, 3, &["speech.wav"]);
    refused(&[&a], &at("out.mp4"), 4, &["FFV1", ".mp4"]);
    refused(&[&a], &at("out"), 4, &["FFV1", "folder"]);
    refused(&[&a], &a, 4, &["one of the pieces"]);

    // Pieces that do not state their frames are joined in the order of the command line.
    let ran = run(&mut join(&[unmarked.clone(), a.clone()], &out));
    assert_eq!(ran.code, 0, "{}", ran.errors);
    let warning = "unmarked.mkv does not state which frames";
    assert!(ran.errors.contains(warning), "{}", ran.errors);
    let expected = [frame_sums(&unmarked), frame_sums(&a)].concat();
    assert_eq!(frame_sums(&out), expected);
}

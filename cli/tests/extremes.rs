//! Movies at the edge: very wide, very fast, cut off in mid-frame. Without ffmpeg these tests skip.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod cli_support;

use std::fs;

use cli_support::*;

#[test]
fn wide_fast_and_cut_movies_go_through() {
    if !has_ffmpeg() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let audio = tone(place.path(), "speech.wav", 16000, 1, 0.1);
    let plain = ["-an", "-pix_fmt", "yuv420p"];
    let wide = [&plain[..], &["-c:v", "ffv1"]].concat();
    let stream = [&plain[..], &["-c:v", "mpeg2video"]].concat();
    // The index comes first and tells of all frames.
    let indexed = [&plain[..], &["-movflags", "+faststart", "-g", "1"]].concat();
    let still = [&indexed[..], &["-c:v", "mjpeg", "-pix_fmt", "yuvj420p"]].concat();
    for (name, size, rate, count, options) in [
        ("wide.mkv", "16384x64", "25", 2, &wide[..]),
        ("fast.mp4", "64x48", "1000", 30, &plain),
        ("cut.ts", "64x48", "25", 10, &stream),
        ("cut.mp4", "64x48", "25", 10, &indexed),
        ("cut.mov", "64x48", "25", 10, &still),
        ("cut.mkv", "64x48", "25", 10, &wide),
    ] {
        let video = pattern(place.path(), name, size, rate, count, options);
        let cut = name.starts_with("cut");
        if cut {
            let bytes = fs::read(&video).unwrap();
            fs::write(&video, &bytes[..bytes.len() * 2 / 3]).unwrap();
        }
        let out = place.path().join("out.mp4");
        let ran = run(&mut render(&video, &audio, &out));
        assert_eq!(ran.code, 0, "{name}: {}", ran.errors);
        let frames = probe(&out, "v:0", "stream=nb_read_frames");
        let frames: u32 = frames.parse().unwrap();
        // Of a movie that is cut off: the frames that came whole, and the last one as far as it goes.
        match cut {
            true => assert!((4..10).contains(&frames), "{name}: {frames}"),
            false => assert_eq!(frames, count, "{name}"),
        }
        let expected = size.replace('x', "\n");
        assert_eq!(
            probe(&out, "v:0", "stream=width,height"),
            expected,
            "{name}"
        );
        assert_eq!(
            probe(&out, "v:0", "stream=r_frame_rate"),
            format!("{rate}/1"),
            "{name}"
        );
    }
}

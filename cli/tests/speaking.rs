//! `render --face speaking`: what cannot be told is an error.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod cli_support;

use cli_support::*;

#[test]
fn who_speaks_is_found_only_with_own_audio_and_a_face() {
    let place = tempfile::tempdir().unwrap();
    let audio = tone(place.path(), "speech.wav", 16000, 1, 0.4);
    let out = place.path().join("out");
    let folder = gradient(place.path(), 10);
    let ran = run(render(&folder, &audio, &out).args(["--face", "speaking"]));
    assert_eq!(ran.code, 3, "{}", ran.errors);
    assert!(ran.errors.contains("needs the audio"), "{}", ran.errors);
    if !has_ffmpeg() {
        return;
    }
    let movie = place.path().join("movie.mkv");
    let ran = run(&mut render(&folder, &audio, &movie));
    assert_eq!(ran.code, 0, "{}", ran.errors);
    let ran = run(render(&movie, &audio, &out).args(["--face", "speaking"]));
    assert_eq!(ran.code, 3, "{}", ran.errors);
    assert!(ran.errors.contains("no face is in sight"), "{}", ran.errors);
    assert!(!out.exists());
}

/// The bundled head beside a still picture of itself.
#[test]
fn a_moving_mouth_speaks_and_a_still_one_does_not() {
    if !has_ffmpeg() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("both");
    std::fs::create_dir(&folder).unwrap();
    let frames = head_frames(64);
    let still = pixels(&frames[0]);
    for (index, path) in frames.iter().enumerate() {
        let mut both = image::RgbaImage::new(1280, 480);
        image::imageops::replace(&mut both, &still, 0, 0);
        image::imageops::replace(&mut both, &pixels(path), 640, 0);
        both.save(folder.join(format!("{index:04}.png"))).unwrap();
    }
    let movie = place.path().join("movie.mkv");
    let pattern = folder.join("%04d.png");
    let speech = repository("models/head/clip/speech.wav");
    let (pattern, speech) = (pattern.to_str().unwrap(), speech.to_str().unwrap());
    ffmpeg(
        &[
            "-framerate",
            "25",
            "-i",
            pattern,
            "-i",
            speech,
            "-c:v",
            "ffv1",
            "-c:a",
            "pcm_s16le",
            "-shortest",
        ],
        &movie,
    );
    let out = place.path().join("out");
    let mut command = render(&movie, &head_words(), &out);
    let ran = run(command.args(["--face", "speaking", "--frames", "30-30", "--no-watermark"]));
    assert_eq!(ran.code, 0, "{}", ran.errors);
    assert!(ran.errors.contains("speaks: score"), "{}", ran.errors);
    let source = pixels(&folder.join("0030.png"));
    let result = pixels(&out.join("000030.png"));
    let changed: Vec<u32> = source
        .enumerate_pixels()
        .filter(|(x, y, pixel)| *pixel != result.get_pixel(*x, *y))
        .map(|(x, ..)| x)
        .collect();
    assert!(changed.len() > 1000, "{} pixels", changed.len());
    assert!(changed.iter().all(|x| *x >= 640));
}

//! Real footage with other people's words. The clips are no part of the repository: where they
//! are missing, this test skips.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod cli_support;

use std::path::PathBuf;

use cli_support::*;

/// Clips of people that no network was trained on, each with another person's words.
const PAIRS: [(&str, &str, (u32, u32)); 3] = [
    (
        "grid_s34_s34_lbwh5n.mp4",
        "OpenTalker__SadTalker__deyu.m4a",
        (360, 288),
    ),
    (
        "OpenTalker__video-retalking__2.mp4",
        "ali-vilab__dreamtalk__German3.m4a",
        (844, 844),
    ),
    (
        "bytedance__LatentSync__demo1_video.mp4",
        "MRzzm__HDTF__chuanpu.m4a",
        (1080, 1920),
    ),
];

const FRAMES: &str = "20-25";

#[test]
fn other_words_change_the_mouth_and_nothing_else() {
    let data = repository("../shared/data");
    if !data.is_dir() {
        skip::skip("../shared/data (not a package: clips that the repository does not hold)");
        return;
    }
    if !has_ffmpeg() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    for (video, words, size) in PAIRS {
        let (video, words) = (
            data.join("video/dev").join(video),
            data.join("audio/dev").join(words),
        );
        let folder = |name: &str| place.path().join(name);
        let (out, matte, source) = (folder("out"), folder("matte"), folder("source"));
        let mut command = render(&video, &words, &out);
        let ran = run(command.args(["--frames", FRAMES, "--matte"]).arg(&matte));
        assert_eq!(ran.code, 0, "{}: {}", video.display(), ran.errors);
        assert!(
            !ran.errors.contains("no face"),
            "{}: {}",
            video.display(),
            ran.errors
        );
        // Strength 0 writes the source as it was decoded.
        let ran =
            run(render(&video, &words, &source).args(["--frames", FRAMES, "--strength", "0"]));
        assert_eq!(ran.code, 0, "{}: {}", video.display(), ran.errors);
        for index in 20..=25 {
            let name = format!("{index:06}.png");
            let read = |folder: &PathBuf| pixels(&folder.join(&name));
            let (out, matte, source) = (read(&out), read(&matte), read(&source));
            assert_eq!(out.dimensions(), size, "{}", video.display());
            let triples = source.pixels().zip(out.pixels()).zip(matte.pixels());
            let (mut inside, mut changed) = (0, 0);
            for ((before, after), alpha) in triples {
                let touched = alpha.0[0] > 0;
                assert!(touched || before == after, "{}, {name}", video.display());
                inside += u32::from(touched);
                changed += u32::from(before != after);
            }
            let all = size.0 * size.1;
            assert!(changed > 0, "{}, {name}: nothing changed", video.display());
            assert!(
                inside * 3 < all,
                "{}, {name}: the matte covers the picture",
                video.display()
            );
        }
        for folder in [&out, &matte, &source] {
            std::fs::remove_dir_all(folder).unwrap();
        }
    }
}

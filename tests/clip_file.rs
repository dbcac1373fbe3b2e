//! What is promised of analysis files: a clip that loads one renders the same bytes, other footage is
//! refused, and no file does any harm.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod clip_support;

use std::path::Path;

use clip_support::*;
use sha2::{Digest, Sha256};
use stylelipsync::frame::Transfer;
use stylelipsync::track::Selection;
use stylelipsync::{Clip, ClipOptions, Error};

const RATE: u32 = 16_000;
const FRAMES: usize = 40;
/// Where the hash of the content begins: after a line of text and the format.
const HASH: usize = 26;

fn new_clip(options: ClipOptions, seconds: f64) -> Clip {
    let mut clip = Clip::new(engine(), options).unwrap();
    clip.set_audio(&words(seconds, RATE), RATE, 1).unwrap();
    clip
}

fn saved(folder: &Path, frames: &[Picture]) -> (Clip, std::path::PathBuf) {
    let clip = analysed(ClipOptions::default(), frames, &words(2.0, RATE), RATE);
    let path = folder.join("clip.slsa");
    let error = clip.save_analysis(&path).unwrap_err();
    assert!(matches!(error, Error::State(_)), "{error}");
    assert!(!path.exists());
    clip.finish_analysis().unwrap();
    clip.save_analysis(&path).unwrap();
    (clip, path)
}

#[test]
fn a_loaded_analysis_renders_the_same_bytes() {
    let (frames, folder) = (head(FRAMES), tempfile::tempdir().unwrap());
    let (clip, path) = saved(folder.path(), &frames);
    let expected = render_all(&clip, &frames);
    let mut other = new_clip(ClipOptions::default(), 2.0);
    other.load_analysis(&path).unwrap();
    assert_same(&expected, &render_all(&other, &frames), "loaded");
    assert_eq!(other.analysis().shots(), clip.analysis().shots());
    let (a, b) = (clip.profile().unwrap(), other.profile().unwrap());
    assert_eq!(a.unwrap().bank_indices(), b.unwrap().bank_indices());
    assert_eq!(
        clip.reference_frame().unwrap().index,
        other.reference_frame().unwrap().index
    );
    // Saved again it is the same file.
    let again = folder.path().join("again.slsa");
    other.save_analysis(&again).unwrap();
    assert!(std::fs::read(&path).unwrap() == std::fs::read(&again).unwrap());
    // A stream takes its profile.
    let mut shown = Vec::new();
    for frame in &frames[..10] {
        other.push_frame(&frame.view()).unwrap();
        pull_ready(&mut other, &mut shown);
    }
    assert_same(&expected[..8], &shown, "the stream");
}

#[test]
fn other_footage_and_other_options_are_refused() {
    let (frames, folder) = (head(FRAMES), tempfile::tempdir().unwrap());
    let (_, path) = saved(folder.path(), &frames);
    let mut clip = new_clip(ClipOptions::default(), 2.0);
    clip.load_analysis(&path).unwrap();
    let (wrong, mut target) = (frames[4].view(), frames[4].target());
    let error = clip.render(3, &wrong, &mut target.view_mut()).unwrap_err();
    assert!(
        error.to_string().contains("frame 3 is not the picture"),
        "{error}"
    );
    clip.render(4, &wrong, &mut target.view_mut()).unwrap();
    // Without the file any picture is accepted.
    clip.forget_analysis();
    clip.render(3, &wrong, &mut target.view_mut()).unwrap();

    let refused = |options: ClipOptions, word: &str| {
        let mut clip = new_clip(options, 2.0);
        clip.analyze(0, &frames[0].view()).unwrap();
        let error = clip.load_analysis(&path).unwrap_err().to_string();
        assert!(
            error.contains(word) && error.contains("clip.slsa"),
            "{error}"
        );
        assert_eq!(clip.memory_use().analysed, 1, "the analysis stays");
    };
    let options = ClipOptions::default;
    refused(
        ClipOptions {
            selection: Selection::FromLeft(0),
            ..options()
        },
        "another face",
    );
    refused(
        ClipOptions {
            transfer: Transfer::Linear,
            ..options()
        },
        "Display frames",
    );
    let mut little = new_clip(
        ClipOptions {
            memory: Some(1_000_000),
            ..options()
        },
        0.5,
    );
    let error = little.load_analysis(&path).unwrap_err();
    assert!(matches!(error, Error::Memory(_)), "{error}");
    assert_eq!(little.memory_use().analysed, 0);
}

#[test]
fn no_file_does_harm() {
    let (frames, folder) = (head(12), tempfile::tempdir().unwrap());
    let (_, path) = saved(folder.path(), &frames);
    let whole = std::fs::read(&path).unwrap();
    let mut clip = new_clip(ClipOptions::default(), 1.0);
    let mut load = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        clip.load_analysis(&path).map(|()| {
            // It may be used: rendering refuses or renders, and does not crash.
            let mut target = frames[5].target();
            let _ = clip.render(5, &frames[5].view(), &mut target.view_mut());
        })
    };
    let is_refused = |result: Result<(), Error>, word: &str| match result {
        Err(Error::Analysis { reason, .. }) => assert!(reason.contains(word), "{reason}"),
        other => panic!("{word}: {other:?}"),
    };
    for end in [0, 5, 21, 22, 25, HASH, HASH + 31] {
        is_refused(load(&whole[..end]), "is not an analysis file");
    }
    for end in [HASH + 32, HASH + 40, whole.len() / 2, whole.len() - 1] {
        is_refused(load(&whole[..end]), "truncated");
    }
    let mut newer = whole.clone();
    newer[22] += 1;
    is_refused(load(&newer), "has format 7");
    let mut flipped = whole.clone();
    flipped[whole.len() / 3] ^= 1;
    is_refused(load(&flipped), "is damaged");

    // Content of a hostile author, whose hash is right.
    let hashed = |mut bytes: Vec<u8>| {
        let hash = Sha256::digest(&bytes[HASH + 32..]);
        bytes[HASH..HASH + 32].copy_from_slice(&hash);
        bytes
    };
    let mut state = 1u64;
    let mut below = |limit: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % limit as u64) as usize
    };
    let content = HASH + 32;
    let mut refused = 0;
    for number in 0..300 {
        let mut bytes = whole.clone();
        // The first bytes name the bundle; counts and poses follow them.
        let reach = if number % 2 == 0 {
            2000
        } else {
            bytes.len() - content
        };
        let at = content + below(reach);
        match below(4) {
            0 => bytes[at] ^= 1 << below(8),
            1 => bytes[at] = 0xFF,
            2 => bytes.truncate(at),
            _ => drop(bytes.splice(at..at, [0xFF; 9])),
        }
        match load(&hashed(bytes)) {
            Ok(()) => {}
            Err(Error::Analysis { .. }) => refused += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(refused > 100, "{refused}");
    load(&whole).unwrap();
}

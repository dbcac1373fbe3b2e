//! The fuzzed targets on stable, briefly: every file of the kept corpus, and changes of each that
//! are the same in every run. `cargo fuzz run TARGET` goes on from there (`fuzz/README.md`).

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::path::{Path, PathBuf};

use stylelipsync::model::locate::Component;
use stylelipsync::{Clip, ClipOptions, Engine, EngineOptions, FrameRef, PixelFormat};
use stylelipsync_provision::provision;

#[path = "../fuzz/src/targets.rs"]
mod targets;

fn corpus(target: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(target);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 3, "{folder:?} is nearly empty");
    files
}

/// A change of some bytes: a bit, a number at the edge, a piece gone, a piece twice.
fn changed(bytes: &[u8], number: u64) -> Vec<u8> {
    let mut state = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut below = |limit: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % limit.max(1) as u64) as usize
    };
    let mut bytes = bytes.to_vec();
    for _ in 0..=below(3) {
        let at = below(bytes.len());
        let piece = below(16) + 1;
        let end = bytes.len().min(at + piece);
        match below(5) {
            0 if at < bytes.len() => bytes[at] ^= 1 << below(8),
            1 if at < bytes.len() => bytes[at] = [0, 1, 127, 128, 254, 255][below(6)],
            2 => drop(bytes.drain(at..end)),
            3 => {
                let twice = bytes[at..end].to_vec();
                bytes.splice(at..at, twice);
            }
            _ => bytes.truncate(bytes.len() - below(bytes.len() / 4 + 1)),
        }
    }
    bytes
}

fn replay(target: &str, changes: u64) {
    provision(Component::OnnxRuntime).unwrap();
    for path in corpus(target) {
        println!("{}", path.display());
        change(target, &std::fs::read(&path).unwrap(), changes);
    }
}

fn change(target: &str, bytes: &[u8], changes: u64) {
    let call = targets::named(target);
    call(bytes);
    for number in 0..changes {
        call(&changed(bytes, number));
    }
}

#[test]
fn manifests() {
    replay("manifest", 500);
}

#[test]
fn persons() {
    replay("person", 300);
}

/// The corpus holds faces; the pictures of a person are too large for it, and are made here.
#[test]
fn analyses() {
    replay("analysis", 300);
    let engine = Engine::new(&EngineOptions::default()).unwrap();
    let clip = Clip::new(engine, ClipOptions::default()).unwrap();
    let frames = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/head/clip/frames");
    let pictures: Vec<_> = (1..4)
        .map(|number| {
            image::open(frames.join(format!("{number:04}.jpg")))
                .unwrap()
                .into_rgba8()
        })
        .collect();
    let views: Vec<_> = pictures
        .iter()
        .map(|picture| {
            let (width, height) = picture.dimensions();
            FrameRef::packed(picture, width, height, PixelFormat::Rgba8).unwrap()
        })
        .collect();
    for (index, view) in (0..).zip(&views) {
        clip.analyze(index, view).unwrap();
    }
    clip.finish_analysis().unwrap();
    // Not in a file that is open: Windows does not let it be replaced.
    let folder = tempfile::tempdir().unwrap();
    let saved = folder.path().join("saved.slsa");
    clip.save_analysis(&saved).unwrap();
    let whole = std::fs::read(&saved).unwrap();
    // Behind the first line, the format and the hash stand two texts with their lengths.
    let content = &whole[22 + 4 + 32..];
    let (bundle, rest) = content[1..].split_at(content[0].into());
    assert!(bundle.is_ascii());
    let content = &rest[1 + usize::from(rest[0])..];
    assert!(content.len() > 50_000, "{}", content.len());
    change("analysis", content, 400);
}

#[test]
fn audio_files() {
    replay("audio", 1500);
}

#[test]
fn frames() {
    replay("frame", 60);
}

#[test]
fn streams() {
    replay("stream", 60);
}

//! The bundle for commercial use: whole, small enough, of cleared data alone, and it makes a mouth move.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod clip_support;

use std::path::{Path, PathBuf};

use clip_support::*;
use stylelipsync::audio::decode_file;
use stylelipsync::model::{Bundle, Provider};
use stylelipsync::{Clip, ClipOptions, Engine, EngineOptions};

/// The most bytes of a bundle.
const LARGEST: u64 = 24 << 20;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models/cleared")
}

#[test]
fn its_size_and_its_rights_are_as_promised() {
    let files = std::fs::read_dir(folder()).unwrap();
    let bytes: u64 = files
        .map(|file| file.unwrap().metadata().unwrap().len())
        .sum();
    assert!(bytes <= LARGEST, "{bytes}");
    let bundle = Bundle::open(folder()).unwrap();
    let provenance = &bundle.manifest().provenance;
    assert!(
        provenance["rights"]
            .as_str()
            .unwrap()
            .starts_with("cleared alone"),
        "{provenance}"
    );
    assert_ne!(bundle.identity(), engine().bundle().identity());
    for network in ["sync_shape", "adaptation"] {
        assert!(bundle.has(network), "{network}");
    }
}

#[test]
fn the_mouth_follows_the_audio_and_nothing_else_changes() {
    let engine = Engine::new(&EngineOptions {
        provider: Provider::Cpu,
        threads: 1,
        parallel_frames: false,
        bundle: Some(folder()),
    })
    .unwrap();
    let frames = head(30);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let rendered = |file: &str| {
        let speech = decode_file(&root.join("models/head/clip").join(file)).unwrap();
        let mut clip = Clip::new(engine.clone(), ClipOptions::default()).unwrap();
        clip.set_audio(&speech.samples, speech.rate, 1).unwrap();
        for (index, frame) in frames.iter().enumerate() {
            clip.analyze(index as i64, &frame.view()).unwrap();
        }
        clip.finish_analysis().unwrap();
        [8, 16, 24].map(|index| render(&clip, &frames, index).picture)
    };
    let (one, other) = (rendered("speech.wav"), rendered("other.wav"));
    for ((one, other), index) in one.iter().zip(&other).zip([8, 16, 24]) {
        let changed = |picture: &Picture| -> Vec<usize> {
            let pixels = picture.bytes.chunks(4).zip(frames[index].bytes.chunks(4));
            let changed = pixels.enumerate().filter(|(_, (a, b))| a != b);
            changed.map(|(i, _)| i).collect()
        };
        let width = frames[index].width as usize;
        for picture in [one, other] {
            let changed = changed(picture);
            let upper = changed.iter().filter(|i| *i / width < 160).count();
            assert!(
                changed.len() > 2000 && upper == 0,
                "{index}: {}",
                changed.len()
            );
        }
        assert!(one != other, "{index}");
    }
}

//! The built effect in its bundle, and the bundled clip (a rendered head) as a host's clip.
#![cfg(any(target_os = "linux", windows))]
#![allow(dead_code)]

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use stylelipsync::model::locate::Component;
use stylelipsync_ofx::bundle::{System, binary, lay_out};
use stylelipsync_provision::provision;

use crate::host::*;

/// The frames of the head at half their size; the face is some hundred pixels wide.
pub const WIDTH: usize = 320;
pub const HEIGHT: usize = 240;
pub const FRAMES: usize = 100;

/// The effect's binary in a bundle, which is written once per test program.
pub fn effect_file() -> PathBuf {
    static BUNDLE: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let made = BUNDLE.get_or_init(|| {
        let place = tempfile::tempdir().expect("a temporary folder");
        // SAFETY: every test comes here first, and waits here while the variable is set; no thread of
        // the effect, which is not loaded yet, reads the environment.
        unsafe { std::env::set_var("STYLELIPSYNC_LOG_FILE", place.path().join("ofx.log")) };
        let program = std::env::current_exe().expect("the test's own path");
        let system = System::here().expect("a system with OpenFX hosts");
        let built = program
            .ancestors()
            .map(|folder| folder.join(system.library()))
            .find(|file| file.is_file())
            .expect("cargo builds the effect before its tests");
        let runtime = provision(Component::OnnxRuntime)
            .expect("ONNX Runtime")
            .path;
        let bundle = lay_out(place.path(), system, &built, &[runtime], &[]).expect("a bundle");
        (place, binary(&bundle, system))
    });
    made.1.clone()
}

/// What the effect has written to its log file.
pub fn log_text() -> String {
    let path = std::env::var_os("STYLELIPSYNC_LOG_FILE").expect("set by `effect_file`");
    std::fs::read_to_string(path).expect("the effect's log file")
}

fn head() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/head/clip")
}

/// The speech that the mouth follows.
pub fn other_speech() -> String {
    head().join("other.wav").display().to_string()
}

/// The clip's own audio.
pub fn own_speech() -> String {
    head().join("speech.wav").display().to_string()
}

/// A frame of the head at half its size; `None` after the last one.
pub fn frame(index: usize) -> Option<Picture> {
    static FRAMES_READ: [OnceLock<Picture>; FRAMES] = [const { OnceLock::new() }; FRAMES];
    let slot = FRAMES_READ.get(index)?;
    let picture = slot.get_or_init(|| {
        let mut files: Vec<_> = std::fs::read_dir(head().join("frames"))
            .expect("the head's frames")
            .map(|entry| entry.expect("a frame").path())
            .collect();
        files.sort();
        let image = image::open(&files[index]).expect("a picture").into_rgb8();
        let mean = |x: usize, y: usize| {
            let at = |dx, dy| image.get_pixel((2 * x + dx) as u32, (2 * y + dy) as u32).0;
            let four = [at(0, 0), at(1, 0), at(0, 1), at(1, 1)];
            let mut rgba = [1.0; 4];
            for (channel, value) in rgba.iter_mut().take(3).enumerate() {
                let sum: u32 = four.iter().map(|pixel| u32::from(pixel[channel])).sum();
                // 8-bit levels, so that every bit depth holds the same picture.
                *value = (sum as f32 / 4.0).round() / 255.0;
            }
            rgba
        };
        Picture::from_fn(WIDTH, HEIGHT, mean)
    });
    Some(picture.clone())
}

/// The head as a clip.
pub fn clip() -> Connection {
    Connection::new(WIDTH, HEIGHT, |time| {
        frame(usize::try_from(time.round() as i64).ok()?)
    })
}

/// An instance with the head as its source, and another speech as its audio.
pub fn speaking(effect: &Effect, context: Context) -> Instance {
    let instance = effect.create(context).expect("an instance");
    instance.connect("Source", clip());
    instance.set("audio", other_speech().as_str());
    instance
}

/// A frame of the source, in the bytes of the output.
pub fn untouched(index: usize, depth: Depth) -> Vec<u8> {
    let picture = frame(index).expect("a frame of the head");
    picture.encode(depth, Components::Rgba)
}

pub fn open_plugin(options: HostOptions) -> Plugin {
    Plugin::open_with(effect_file(), options)
}

/// The box `x1, y1, x2, y2` around the pixels in which two pictures differ, and their number.
pub fn difference(a: &[[f32; 4]], b: &[[f32; 4]], width: usize) -> ([usize; 4], usize) {
    let mut at = [usize::MAX, usize::MAX, 0, 0];
    let mut count = 0;
    for (k, (a, b)) in a.iter().zip(b).enumerate() {
        if a != b {
            let (x, y) = (k % width, k / width);
            at = [
                at[0].min(x),
                at[1].min(y),
                at[2].max(x + 1),
                at[3].max(y + 1),
            ];
            count += 1;
        }
    }
    (at, count)
}

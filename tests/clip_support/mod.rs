//! What the tests of clips share: one engine, the bundled head's frames, words, and the two ways.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::path::Path;
use std::sync::{Arc, OnceLock};

use stylelipsync::frame::{FrameMut, FrameRef, PixelFormat};
use stylelipsync::model::Provider;
use stylelipsync::model::locate::Component;
use stylelipsync::{Clip, ClipOptions, Engine, EngineOptions, Error, Rendered};
use stylelipsync_provision::provision;

/// The engine of the embedded bundle on the CPU, made once.
pub fn engine() -> Arc<Engine> {
    static ENGINE: OnceLock<Arc<Engine>> = OnceLock::new();
    ENGINE
        .get_or_init(|| {
            provision(Component::OnnxRuntime).unwrap();
            let options = EngineOptions {
                provider: Provider::Cpu,
                threads: 1,
                parallel_frames: false,
                bundle: None,
            };
            Engine::new(&options).unwrap()
        })
        .clone()
}

/// A picture, RGBA of 8 bits.
#[derive(Clone, PartialEq)]
pub struct Picture {
    pub width: u32,
    pub height: u32,
    pub bytes: Vec<u8>,
}

impl Picture {
    pub fn blank(width: u32, height: u32) -> Self {
        Self {
            width,
            height,
            bytes: [40, 50, 60, 255].repeat((width * height) as usize),
        }
    }

    pub fn view(&self) -> FrameRef<'_> {
        FrameRef::packed(&self.bytes, self.width, self.height, PixelFormat::Rgba8).unwrap()
    }

    pub fn view_mut(&mut self) -> FrameMut<'_> {
        FrameMut::packed(&mut self.bytes, self.width, self.height, PixelFormat::Rgba8).unwrap()
    }

    /// A picture of the same size that holds nothing of worth.
    pub fn target(&self) -> Self {
        let bytes = vec![0xA5; self.bytes.len()];
        Self { bytes, ..*self }
    }
}

/// The picture of a file.
pub fn read(path: &Path) -> Picture {
    let image = image::open(path).unwrap().into_rgba8();
    Picture {
        width: image.width(),
        height: image.height(),
        bytes: image.into_raw(),
    }
}

/// The first `count` frames of the bundled clip, in which a face is seen throughout.
pub fn head(count: usize) -> Vec<Picture> {
    static HEAD: OnceLock<Vec<Picture>> = OnceLock::new();
    let all = HEAD.get_or_init(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/head/clip/frames");
        let mut paths: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        paths.sort();
        paths.iter().take(64).map(|path| read(path)).collect()
    });
    assert!(
        all.len() >= count,
        "the bundled clip has {} frames",
        all.len()
    );
    all[..count].to_vec()
}

/// `seconds` of something like speech at `rate` Hz: a buzz in two moving formants, four syllables a
/// second, a pause of a third of a second in every second.
pub fn words(seconds: f64, rate: u32) -> Vec<f32> {
    let count = (seconds * f64::from(rate)) as usize;
    let tau = std::f64::consts::TAU;
    (0..count)
        .map(|i| {
            let t = i as f64 / f64::from(rate);
            let syllable = (tau * 2.0 * t).sin().powi(2);
            let spoken = if t.fract() < 0.67 { syllable } else { 0.0 };
            let formant = 700.0 + 400.0 * (tau * 1.3 * t).sin();
            let buzz: f64 = (1..30)
                .map(|k| {
                    let frequency = 120.0 * f64::from(k);
                    let near = |centre: f64| (-((frequency - centre) / 150.0).powi(2)).exp();
                    (near(formant) + 0.6 * near(2.2 * formant)) * (tau * frequency * t).sin()
                })
                .sum();
            (0.2 * spoken * buzz) as f32
        })
        .collect()
}

/// What came of a frame.
#[derive(Clone, PartialEq)]
pub struct Shown {
    pub rendered: Rendered,
    pub picture: Picture,
}

/// A clip with all of its audio and all of `frames` analysed.
pub fn analysed(options: ClipOptions, frames: &[Picture], audio: &[f32], rate: u32) -> Clip {
    let mut clip = Clip::new(engine(), options).unwrap();
    clip.set_audio(audio, rate, 1).unwrap();
    for (index, frame) in frames.iter().enumerate() {
        clip.analyze(index as i64, &frame.view()).unwrap();
    }
    clip
}

/// A clip with audio at 16 kHz, whose frames were analysed in this order.
pub fn in_order(order: impl Iterator<Item = usize>, frames: &[Picture], audio: &[f32]) -> Clip {
    let mut clip = Clip::new(engine(), ClipOptions::default()).unwrap();
    clip.set_audio(audio, 16_000, 1).unwrap();
    for index in order {
        clip.analyze(index as i64, &frames[index].view()).unwrap();
    }
    clip
}

/// One frame by random access.
pub fn render(clip: &Clip, frames: &[Picture], index: usize) -> Shown {
    let mut picture = frames[index].target();
    let rendered = clip
        .render(index as i64, &frames[index].view(), &mut picture.view_mut())
        .unwrap();
    Shown { rendered, picture }
}

/// All frames by random access, in order.
pub fn render_all(clip: &Clip, frames: &[Picture]) -> Vec<Shown> {
    (0..frames.len())
        .map(|index| render(clip, frames, index))
        .collect()
}

/// Pulls every frame that the stream can give now.
pub fn pull_ready(clip: &mut Clip, shown: &mut Vec<Shown>) {
    while let Some((_, width, height, _)) = clip.next_frame() {
        let mut picture = Picture::blank(width, height).target();
        match clip.pull_frame(&mut picture.view_mut()) {
            Ok(rendered) => shown.push(Shown { rendered, picture }),
            Err(Error::Again(_)) => return,
            Err(error) => panic!("{error}"),
        }
    }
}

/// All frames by the stream: `frames_at_once` frames, then `samples_at_once` samples of the audio
/// (each grows in turn), pulling whenever something is ready.
pub fn stream(
    options: ClipOptions,
    frames: &[Picture],
    audio: &[f32],
    rate: u32,
    frames_at_once: usize,
    samples_at_once: usize,
) -> Vec<Shown> {
    let mut clip = Clip::new(engine(), options).unwrap();
    let mut shown = Vec::new();
    let mut pictures = frames.chunks(frames_at_once);
    let mut sounds = audio.chunks(samples_at_once);
    loop {
        let (some_frames, some_sound) = (pictures.next(), sounds.next());
        for frame in some_frames.into_iter().flatten() {
            clip.push_frame(&frame.view()).unwrap();
        }
        if let Some(sound) = some_sound {
            clip.push_audio(sound, rate, 1).unwrap();
        }
        pull_ready(&mut clip, &mut shown);
        if some_frames.is_none() && some_sound.is_none() {
            break;
        }
    }
    clip.flush().unwrap();
    pull_ready(&mut clip, &mut shown);
    let mut end = frames[0].target();
    assert!(matches!(
        clip.pull_frame(&mut end.view_mut()),
        Err(Error::End)
    ));
    shown
}

/// Panics with the first difference.
pub fn assert_same(one: &[Shown], other: &[Shown], what: &str) {
    assert_eq!(one.len(), other.len(), "{what}: number of frames");
    for (a, b) in one.iter().zip(other) {
        assert_eq!(a.rendered, b.rendered, "{what}");
        assert!(
            a.picture == b.picture,
            "{what}: pixels of frame {}",
            a.rendered.index
        );
    }
}

//! Random access: lip-syncs a folder of PNG or JPEG frames with several threads.
//!
//! ```sh
//! cargo run --release --example render_frames -- models/head/clip/frames models/head/clip/other.wav out
//! ```
//!
//! ONNX Runtime must be available; `cargo run --release -- doctor --fetch` downloads it.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use stylelipsync::{
    Clip, ClipOptions, Engine, EngineOptions, FrameMut, FrameRef, PixelFormat, decode_file,
};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const THREADS: usize = 2;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [frames, audio, out] = arguments.as_slice() else {
        return Err("usage: render_frames FRAMES AUDIO OUT".into());
    };
    let paths = images(Path::new(frames))?;
    fs::create_dir_all(out)?;

    // One engine per process: it holds the networks.
    let engine = Engine::new(&EngineOptions::default())?;
    // One clip per video; the default is 25 frames per second.
    let mut clip = Clip::new(engine, ClipOptions::default())?;
    let speech = decode_file(Path::new(audio))?;
    clip.set_audio(&speech.samples, speech.rate, 1)?;

    // First find the faces in all frames and the frames that show the person's mouth best, then render
    // any frame, in any order and on any thread.
    in_parallel(paths.len(), |index| {
        let image = image::open(&paths[index])?.into_rgba8();
        clip.analyze(index as i64, &view(&image)?)?;
        Ok(())
    })?;
    clip.finish_analysis()?;
    in_parallel(paths.len(), |index| {
        let source = image::open(&paths[index])?.into_rgba8();
        let (width, height) = source.dimensions();
        let mut result = source.clone();
        let mut target = FrameMut::packed(&mut result, width, height, PixelFormat::Rgba8)?;
        clip.render(index as i64, &view(&source)?, &mut target)?;
        result.save(Path::new(out).join(format!("{index:04}.png")))?;
        Ok(())
    })?;
    println!("{} frames in {out}", paths.len());
    Ok(())
}

/// The library's view of an image.
fn view(image: &image::RgbaImage) -> stylelipsync::Result<FrameRef<'_>> {
    FrameRef::packed(image, image.width(), image.height(), PixelFormat::Rgba8)
}

/// The images of a folder, sorted by name.
fn images(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let is_image = |kind: &std::ffi::OsStr| kind == "png" || kind == "jpg" || kind == "jpeg";
        if path.extension().is_some_and(is_image) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// Calls `work` with each of `0..count` on `THREADS` threads, and returns the first error.
fn in_parallel(count: usize, work: impl Fn(usize) -> Outcome<()> + Sync) -> Outcome<()> {
    let next = AtomicUsize::new(0);
    let worker = || -> Outcome<()> {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                return Ok(());
            }
            work(index)?;
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(worker)).collect();
        for thread in threads {
            thread.join().map_err(|_| "a thread panicked")??;
        }
        Ok(())
    })
}

//! Streaming: pushes audio and frames as a live source would, and pulls each rendered frame as soon as
//! it is ready.
//!
//! ```sh
//! cargo run --release --example stream -- models/head/clip/frames models/head/clip/other.wav out
//! ```
//!
//! ONNX Runtime must be available; `cargo run --release -- doctor --fetch` downloads it.

use std::fs;
use std::path::{Path, PathBuf};

use stylelipsync::{
    Clip, ClipOptions, Engine, EngineOptions, Error, FrameMut, FrameRef, PixelFormat, decode_file,
};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [frames, audio, out] = arguments.as_slice() else {
        return Err("usage: stream FRAMES AUDIO OUT".into());
    };
    let mut paths: Vec<PathBuf> = fs::read_dir(frames)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    paths.sort();
    fs::create_dir_all(out)?;

    let engine = Engine::new(&EngineOptions::default())?;
    let mut clip = Clip::new(engine, ClipOptions::default())?;
    let needs = clip.look_ahead();
    println!(
        "a frame needs {} later frames and {} ms of later audio; the first frame waits for {} frames",
        needs.frames,
        needs.audio / 16,
        needs.reference
    );

    let speech = decode_file(Path::new(audio))?;
    let per_frame = speech.rate as usize / 25;
    let mut chunks = speech.samples.chunks(per_frame);
    let mut pulled = 0;
    for (index, path) in paths.iter().enumerate() {
        // 40 ms of audio and one frame, as a live source at 25 frames per second delivers them.
        match chunks.next() {
            Some(chunk) => clip.push_audio(chunk, speech.rate, 1)?,
            // The audio is over: silence follows, and no frame waits for more.
            None => clip.finish_audio()?,
        }
        let image = image::open(path)?.into_rgba8();
        let (width, height) = image.dimensions();
        clip.push_frame(&FrameRef::packed(
            &image,
            width,
            height,
            PixelFormat::Rgba8,
        )?)?;
        let ready = pull(&mut clip, Path::new(out))?;
        pulled += ready;
        println!("pushed frame {index}, pulled {ready}");
    }
    // No more input: everything that is still queued can be pulled.
    clip.flush()?;
    pulled += pull(&mut clip, Path::new(out))?;
    println!("{pulled} frames in {out}");
    Ok(())
}

/// Pulls and saves every frame that is ready. Returns their number.
fn pull(clip: &mut Clip, out: &Path) -> Outcome<usize> {
    let mut count = 0;
    while let Some((index, width, height, format)) = clip.next_frame() {
        let mut pixels = vec![0; width as usize * height as usize * format.bytes()];
        let mut target = FrameMut::packed(&mut pixels, width, height, format)?;
        match clip.pull_frame(&mut target) {
            Ok(_) => {}
            // The next frame needs more frames or audio.
            Err(Error::Again(_)) => break,
            Err(error) => return Err(error.into()),
        }
        let image = image::RgbaImage::from_raw(width, height, pixels).ok_or("wrong size")?;
        image.save(out.join(format!("{index:04}.png")))?;
        count += 1;
    }
    Ok(count)
}

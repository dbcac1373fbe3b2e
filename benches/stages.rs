//! Milliseconds for each stage of a frame, frames a second end to end, peak memory, and the time
//! to the first frame, on the bundled clip at two sizes.
//!
//! `cargo bench --bench stages [-- PROVIDER [THREADS]]`

#![allow(clippy::unwrap_used, reason = "a failed unwrap ends the benchmark")]

use std::hint::black_box;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use image::imageops::FilterType;
use image::{ImageFormat, RgbaImage};
use stylelipsync::audio::{Timeline, decode_file};
use stylelipsync::face::{Mask, ReferencePicture, ReferenceWarp, lips::mouth_points};
use stylelipsync::frame::composite::Patch;
use stylelipsync::frame::{
    BorderMode, ColourMatch, Compositor, FrameMut, FrameRef, PixelFormat, Sampler, ToneMap,
    Transfer,
};
use stylelipsync::model::locate::Component;
use stylelipsync::{Clip, ClipOptions, Engine, EngineOptions, SpeechContext};
use stylelipsync_provision::provision;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// Times each stage is measured; the middle one counts.
const TIMES: usize = 15;
/// Frames of the end-to-end run.
const FRAMES: i64 = 48;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with("--"))
        .collect();
    let provider = arguments.first().map_or("cpu", String::as_str).parse()?;
    let threads = arguments.get(1).map_or(Ok(0), |text| text.parse())?;
    provision(Component::OnnxRuntime)?;

    let begun = Instant::now();
    let engine = Engine::new(&EngineOptions {
        provider,
        threads,
        // As the command line does.
        parallel_frames: true,
        bundle: None,
    })?;
    let opened = begun.elapsed();
    let info = engine.info();
    println!(
        "{} on {}, {} threads",
        info.bundle, info.provider, info.threads
    );
    let words = decode_file(&head("other.wav"))?;

    for (width, height) in [(640, 480), (1920, 1080)] {
        let frame = frame(0, width, height)?;
        let mut clip = Clip::new(engine.clone(), ClipOptions::default())?;
        clip.set_audio(&words.samples, words.rate, 1)?;
        let begun = Instant::now();
        let view = view(&frame)?;
        clip.analyze(0, &view)?;
        let mut target = frame.clone();
        let rendered = clip.render(0, &view, &mut view_mut(&mut target)?)?;
        if !rendered.changed {
            return Err("the bundled clip's face was not found".into());
        }
        let first = opened + begun.elapsed();
        println!("\n{width}x{height}");
        println!(
            "  {:<34}{:8.1} ms",
            "first frame, engine opened too",
            milliseconds(first)
        );
        stages(&engine, &frame, &words.to_16k()?)?;
        end_to_end(&clip, width, height)?;
    }
    println!("\npeak memory {}", peak_memory());
    Ok(())
}

/// One frame, stage by stage, as `Clip::render` goes through them.
fn stages(engine: &Engine, frame: &RgbaImage, samples: &[f32]) -> Outcome<()> {
    let networks = engine.networks();
    let manifest = engine.bundle().manifest();
    let (size, transfer) = (manifest.image, Transfer::Display);
    let mut jpeg = Cursor::new(Vec::new());
    image::DynamicImage::from(frame.clone())
        .into_rgb8()
        .write_to(&mut jpeg, ImageFormat::Jpeg)?;
    let jpeg = jpeg.into_inner();
    stage("decode (JPEG)", || {
        Ok(image::load_from_memory(&jpeg)?.into_rgba8())
    })?;

    let source = view(frame)?;
    let faces = stage("track", || {
        Ok(engine.tracker().track(networks, &source, transfer)?.faces)
    })?;
    let face = faces.first().ok_or("no face")?;

    let map = engine.crop().place(&face.pose);
    let mut mask = Mask::default();
    stage("mask", || {
        mask.draw(
            engine.face_model(),
            face,
            &face.identity,
            &map,
            engine.mask(),
        );
        Ok(())
    })?;

    let audio = Timeline::whole(samples.to_vec(), 0);
    let mut crop = vec![0.0; 3 * size * size];
    let mut sampler = Sampler::default();
    sampler.sample(&source, transfer, &map, size, BorderMode::Edge, &mut crop)?;
    let reference = networks.reference.run(&crop)?;
    let (mut mel, mut block) = (Vec::new(), 0);
    for (name, context) in [("near", SpeechContext::Near), ("far", SpeechContext::Far)] {
        let encoder = &networks.speech(context).phonetic;
        stage(
            &format!("phonetic features, {name}: a block of 0.32 s"),
            || {
                block = (block + 1) % 4;
                Ok(encoder.block(&audio, block, &mut mel)?)
            },
        )?;
    }
    let speech = networks.speech(SpeechContext::Far);
    let (before, after) = speech.phonetic.columns();
    let features = vec![0.1; speech.phonetic.components() * (before + 1 + after)];
    let (code, shape) = stage("encode (one new shape, codes, MaLS)", || {
        let shape = speech.audio.run(&features)?;
        let codes = networks.shape_code.run(&shape.repeat(7))?;
        Ok((networks.mals.run(&codes, &reference)?, shape))
    })?;

    let (model, mut points) = (engine.face_model(), Vec::new());
    let (mut warp, mut carried) = (ReferenceWarp::default(), Vec::new());
    if let Some(protocol) = engine.reference_warp() {
        let mut seen = Vec::new();
        let (mouth, _) = model.split_expression(&face.expression);
        mouth_points(model, &face.pose, &face.identity, mouth, &map, &mut seen);
        let picture = ReferencePicture::new(&crop, size);
        stage("carry (points, warp)", || {
            mouth_points(model, &face.pose, &face.identity, &shape, &map, &mut points);
            warp.draw(&picture, &seen, &points, protocol, &mut carried);
            Ok(())
        })?;
    }

    let mut masked = Vec::new();
    let generated = stage("generate (crop, E_face, G)", || {
        sampler.sample(&source, transfer, &map, size, BorderMode::Edge, &mut crop)?;
        masked.clone_from(&crop);
        mask.cut(&mut masked);
        mouth_points(model, &face.pose, &face.identity, &shape, &map, &mut points);
        let lips = &points[..2 * model.lips().len()];
        Ok(networks.generator.run(&masked, lips, &code, &carried)?)
    })?;

    let mut compositor = Compositor::default();
    let mut target = frame.clone();
    stage("composite", || {
        target.copy_from_slice(frame);
        let alpha = mask.alpha();
        let gains = ColourMatch::default().gains(&crop, &generated, alpha)?;
        let patch = Patch {
            size,
            generated: &generated,
            alpha,
            gains: &gains,
            tone: ToneMap::NONE,
            detail: &[],
        };
        let mut target = view_mut(&mut target)?;
        Ok(compositor.blend(&mut target, transfer, &map, &patch, 1.0)?)
    })?;
    Ok(())
}

/// Analyses and renders frames on all cores, pictures already in memory.
fn end_to_end(clip: &Clip, width: u32, height: u32) -> Outcome<()> {
    let frames: Vec<RgbaImage> = (0..FRAMES)
        .map(|index| frame(index, width, height))
        .collect::<Outcome<_>>()?;
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let both = timed(|| {
        each_frame(workers, |index| {
            clip.analyze(index, &view(&frames[index as usize])?)?;
            Ok(())
        })?;
        each_frame(workers, |index| {
            let source = &frames[index as usize];
            let mut target = source.clone();
            clip.render(index, &view(source)?, &mut view_mut(&mut target)?)?;
            Ok(())
        })
    })?;
    let fps = FRAMES as f64 / both.1.as_secs_f64();
    println!(
        "  {:<34}{fps:8.1} frames/s on {workers} cores",
        "end to end, both passes"
    );
    Ok(())
}

fn each_frame(
    workers: usize,
    work: impl Fn(i64) -> stylelipsync::Result<()> + Sync,
) -> Outcome<()> {
    let next = AtomicU64::new(0);
    let result = std::thread::scope(|scope| {
        let run = || -> stylelipsync::Result<()> {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed) as i64;
                if index >= FRAMES {
                    return Ok(());
                }
                work(index)?;
            }
        };
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(run)).collect();
        threads
            .into_iter()
            .try_for_each(|thread| match thread.join() {
                Ok(result) => result,
                Err(panic) => std::panic::resume_unwind(panic),
            })
    });
    Ok(result?)
}

/// Runs a stage several times, prints the middle time, and gives the last result.
fn stage<T>(name: &str, mut run: impl FnMut() -> Outcome<T>) -> Outcome<T> {
    let (mut result, _) = timed(&mut run)?;
    let mut times = [Duration::ZERO; TIMES];
    for time in &mut times {
        let (again, took) = timed(&mut run)?;
        result = black_box(again);
        *time = took;
    }
    times.sort();
    println!("  {name:<34}{:8.2} ms", milliseconds(times[TIMES / 2]));
    Ok(result)
}

fn timed<T>(run: impl FnOnce() -> Outcome<T>) -> Outcome<(T, Duration)> {
    let begun = Instant::now();
    let result = run()?;
    Ok((result, begun.elapsed()))
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn head(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("models/head/clip")
        .join(name)
}

/// A frame of the bundled clip, filling the height of another size: as much face in it.
fn frame(index: i64, width: u32, height: u32) -> Outcome<RgbaImage> {
    let small = image::open(head(&format!("frames/{index:04}.jpg")))?.into_rgba8();
    let scaled = small.width() * height / small.height();
    let large = image::imageops::resize(&small, scaled, height, FilterType::CatmullRom);
    let mut frame = RgbaImage::from_pixel(width, height, image::Rgba([96, 96, 96, 255]));
    image::imageops::replace(
        &mut frame,
        &large,
        (i64::from(width) - i64::from(scaled)) / 2,
        0,
    );
    Ok(frame)
}

fn view(frame: &RgbaImage) -> stylelipsync::Result<FrameRef<'_>> {
    FrameRef::packed(frame, frame.width(), frame.height(), PixelFormat::Rgba8)
}

fn view_mut(frame: &mut RgbaImage) -> stylelipsync::Result<FrameMut<'_>> {
    let (width, height) = frame.dimensions();
    FrameMut::packed(frame, width, height, PixelFormat::Rgba8)
}

/// The kernel's high-water mark, where there is one.
fn peak_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kilobytes.map_or("is not known here".into(), |kb| {
        format!("{} MiB", kb / 1024)
    })
}

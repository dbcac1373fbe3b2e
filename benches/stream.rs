//! A live stream: latency in frames, frame rate, memory use, and the time until a cancelled call
//! returns.
//!
//! `cargo bench --bench stream [-- SECONDS]`: 320x240 at 25 frames per second; 60 seconds by
//! default, 3600 for an hour. The input alternates forwards and backwards through a dozen frames of
//! the bundled head.

#![allow(clippy::unwrap_used, reason = "a failed unwrap ends the benchmark")]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use image::imageops::FilterType;
use stylelipsync::audio::decode_file;
use stylelipsync::frame::{FrameMut, FrameRef, PixelFormat};
use stylelipsync::model::Provider;
use stylelipsync::model::locate::Component;
use stylelipsync::{Canceller, Clip, ClipOptions, Engine, EngineOptions, Error};
use stylelipsync_provision::provision;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const SIZE: (u32, u32) = (320, 240);
const RATE: usize = 25;
const PICTURES: i64 = 12;
const CANCELS: u32 = 40;

fn main() -> Outcome<()> {
    let seconds: usize = match std::env::args().skip(1).find(|a| !a.starts_with("--")) {
        Some(text) => text.parse()?,
        None => 60,
    };
    provision(Component::OnnxRuntime)?;
    let engine = Engine::new(&EngineOptions {
        provider: Provider::Cpu,
        ..EngineOptions::default()
    })?;
    let pictures: Vec<Vec<u8>> = (0..PICTURES).map(picture).collect::<Outcome<_>>()?;
    let words = decode_file(&head("other.wav"))?.to_16k()?;

    let mut clip = Clip::new(engine, ClipOptions::default())?;
    let ahead = clip.look_ahead();
    println!(
        "a frame is given {} frames and {:.0} ms of sound after its own; {} more once, where no reference is set",
        ahead.frames,
        ahead.audio as f64 / 16.0,
        ahead.reference
    );
    cancelled(&mut clip, &pictures, &words)?;

    let count = seconds * RATE;
    let mut target = pictures[0].clone();
    let (mut pulled, mut behind, mut slowest) = (0i64, 0i64, Duration::ZERO);
    let begun = Instant::now();
    for index in 0..count {
        // To and fro, so that no picture jumps.
        let turn = index as i64 % (2 * PICTURES - 2);
        let shown = turn.min(2 * PICTURES - 2 - turn) as usize;
        let started = Instant::now();
        let first = index * 640 % (words.len() - 640);
        clip.push_audio(&words[first..first + 640], 16_000, 1)?;
        let pushed = clip.push_frame(&view(&pictures[shown])?)?;
        loop {
            match clip.pull_frame(&mut view_mut(&mut target)?) {
                Ok(_) => pulled += 1,
                Err(Error::Again(_)) => break,
                Err(error) => return Err(error.into()),
            }
        }
        if index > 2 * RATE {
            behind = behind.max(pushed + 1 - pulled);
            slowest = slowest.max(started.elapsed());
        }
        if index % (count / 6).max(1) == 0 {
            println!(
                "{index:7} frames {:5} MiB resident, {:7} bytes held by the clip",
                resident(),
                clip.memory_use().bytes
            );
        }
    }
    println!("{count:7} frames {:5} MiB resident", resident());
    println!(
        "{:.1} frames/s, at most {behind} frames behind, slowest {:.0} ms",
        count as f64 / begun.elapsed().as_secs_f64(),
        milliseconds(slowest)
    );
    Ok(())
}

/// How long calls go on after they were cancelled.
fn cancelled(clip: &mut Clip, pictures: &[Vec<u8>], words: &[f32]) -> Outcome<()> {
    let source = view(&pictures[0])?;
    clip.set_audio(words, 16_000, 1)?;
    clip.analyze(0, &source)?;
    let mut target = pictures[0].clone();
    clip.render(0, &source, &mut view_mut(&mut target)?)?;
    let canceller = Canceller::new();
    let mut late = Vec::new();
    for number in 0..CANCELS {
        let mut cancelled_at = None;
        let ended = std::thread::scope(|scope| -> Outcome<Instant> {
            let work = scope.spawn(|| {
                let mut target = pictures[0].clone();
                let mut target = view_mut(&mut target).ok()?;
                canceller.during(|| {
                    while clip.render(0, &source, &mut target).is_ok() {}
                    Some(Instant::now())
                })
            });
            std::thread::sleep(Duration::from_millis(40) + Duration::from_micros(700) * number);
            cancelled_at = Some(Instant::now());
            canceller.cancel();
            let ended = work.join().map_err(|_| "the render panicked")?;
            ended.ok_or_else(|| "it was not cancelled".into())
        })?;
        late.push(ended.duration_since(cancelled_at.ok_or("not cancelled")?));
    }
    late.sort();
    println!(
        "cancelled renders return after {:.1} ms, the slowest of {CANCELS} after {:.1} ms",
        milliseconds(late[late.len() / 2]),
        milliseconds(late[late.len() - 1])
    );
    let engine = clip.engine().clone();
    *clip = Clip::new(engine, ClipOptions::default())?;
    Ok(())
}

fn picture(index: i64) -> Outcome<Vec<u8>> {
    let picture = image::open(head(&format!("frames/{index:04}.jpg")))?.into_rgba8();
    Ok(image::imageops::resize(&picture, SIZE.0, SIZE.1, FilterType::Triangle).into_raw())
}

fn view(bytes: &[u8]) -> stylelipsync::Result<FrameRef<'_>> {
    FrameRef::packed(bytes, SIZE.0, SIZE.1, PixelFormat::Rgba8)
}

fn view_mut(bytes: &mut [u8]) -> stylelipsync::Result<FrameMut<'_>> {
    FrameMut::packed(bytes, SIZE.0, SIZE.1, PixelFormat::Rgba8)
}

fn head(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("models/head/clip")
        .join(name)
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// MiB, where the system tells.
fn resident() -> usize {
    let about = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = about.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok());
    kib.unwrap_or(0) / 1024
}

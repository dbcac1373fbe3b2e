//! Scores of the watermark's detector in parts of movies, as a table of tab-separated columns: what the
//! detection rates and the false positives of `models/RESULTS.md` are counted from.
//!
//! ```sh
//! cargo run --release --example watermark_scores -- --seconds 1,3,10 --wrong-keys 100 MOVIE...
//! ```
//!
//! Each part is read by a detector of its own, as if it were all that is left of the movie. A part that is
//! cut off by the movie's end is left out. Needs ffmpeg and ffprobe, and ONNX Runtime;
//! `cargo run --release -- doctor --fetch` downloads it.

use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::Arc;

use stylelipsync::{Detector, Engine, EngineOptions, FrameRef, PixelFormat, Transfer};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const USAGE: &str = "usage: watermark_scores [--seconds S,S,...] [--wrong-keys N] MOVIE...";
/// Frames a second to which every movie is converted: parts of the same length have the same frames.
const RATE: usize = 25;

fn main() -> Outcome<()> {
    let (mut seconds, mut wrong_keys, mut movies) = (vec![1, 3, 10], 0u32, Vec::new());
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--seconds" => {
                let list = arguments.next().ok_or(USAGE)?;
                seconds = list.split(',').map(str::parse).collect::<Result<_, _>>()?;
            }
            "--wrong-keys" => wrong_keys = arguments.next().ok_or(USAGE)?.parse()?,
            option if option.starts_with("--") => return Err(USAGE.into()),
            _ => movies.push(argument),
        }
    }
    if movies.is_empty() || seconds.contains(&0) {
        return Err(USAGE.into());
    }
    let engine = Engine::new(&EngineOptions::default())?;
    println!("movie\tbegin\tseconds\tfaces\tscore\tfound\tidentifier\twrong_most\twrong_found");
    for movie in &movies {
        scores(&engine, movie, &seconds, wrong_keys)
            .map_err(|error| format!("{movie}: {error}"))?;
    }
    Ok(())
}

/// Prints the rows of one movie.
fn scores(engine: &Arc<Engine>, movie: &str, seconds: &[usize], wrong_keys: u32) -> Outcome<()> {
    let (width, height) = size(movie)?;
    let mut ffmpeg = Command::new("ffmpeg")
        .args(["-v", "error", "-i", movie, "-an", "-vf"])
        .arg(format!("fps={RATE}"))
        .args(["-f", "rawvideo", "-pix_fmt", "rgb24", "-"])
        .stdout(Stdio::piped())
        .spawn()?;
    let mut pipe = ffmpeg.stdout.take().ok_or("no pipe")?;
    let mut picture = vec![0; width as usize * height as usize * 3];
    let begin = || Detector::new(engine.clone(), Transfer::Display);
    let mut parts: Vec<Detector> = seconds.iter().map(|_| begin()).collect();
    let mut frames = 0;
    while pipe.read_exact(&mut picture).is_ok() {
        let frame = FrameRef::packed(&picture, width, height, PixelFormat::Rgb8)?;
        frames += 1;
        for (part, seconds) in parts.iter_mut().zip(seconds) {
            part.push(&frame)?;
            if frames % (seconds * RATE) == 0 {
                let mut whole = std::mem::replace(part, begin());
                print_row(
                    &mut whole,
                    movie,
                    frames / RATE - seconds,
                    *seconds,
                    wrong_keys,
                )?;
            }
        }
    }
    if !ffmpeg.wait()?.success() {
        return Err("ffmpeg failed".into());
    }
    Ok(())
}

fn print_row(
    part: &mut Detector,
    movie: &str,
    begin: usize,
    seconds: usize,
    wrong_keys: u32,
) -> Outcome<()> {
    let found = part.detect()?;
    let (mut most, mut mistakes) = (0.0f64, 0);
    for key in 0..wrong_keys {
        let wrong = part.detect_with(&key.to_le_bytes())?;
        most = most.max(wrong.score);
        mistakes += u32::from(wrong.found);
    }
    let identifier = found.id.map_or("-".into(), |id| id.text());
    println!(
        "{movie}\t{begin}\t{seconds}\t{}\t{:.2}\t{}\t{identifier}\t{most:.2}\t{mistakes}",
        found.faces,
        found.score,
        u8::from(found.found)
    );
    Ok(())
}

/// Width and height of a movie as it is shown.
fn size(movie: &str) -> Outcome<(u32, u32)> {
    let probed = Command::new("ffmpeg")
        .args([
            "-v",
            "error",
            "-i",
            movie,
            "-frames:v",
            "1",
            "-f",
            "image2pipe",
        ])
        .args(["-c:v", "pgm", "-"])
        .output()?;
    // PGM: "P5", width and height, each before white space.
    let text = String::from_utf8_lossy(&probed.stdout[..probed.stdout.len().min(64)]).into_owned();
    let mut words = text.split_ascii_whitespace().skip(1);
    let mut next = || words.next().and_then(|word| word.parse().ok());
    next().zip(next()).ok_or_else(|| "no picture".into())
}

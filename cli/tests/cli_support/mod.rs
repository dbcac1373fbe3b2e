//! What the tests of the program share: running it, and making its inputs.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::f32::consts::TAU;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use image::{Rgb, RgbImage, RgbaImage};

#[path = "../../../tests/skip/mod.rs"]
pub mod skip;

/// How a run ended.
pub struct Ran {
    pub code: i32,
    pub output: String,
    pub errors: String,
}

/// The program under test.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stylelipsync"));
    // The user's own log is no place for tests.
    command.env("STYLELIPSYNC_LOG_FILE", "off");
    command
}

/// `stylelipsync render` on the CPU with these files.
pub fn render(video: &Path, audio: &Path, out: &Path) -> Command {
    let mut command = program();
    command
        .args(["render", "--provider", "cpu", "--video"])
        .arg(video);
    command.arg("--audio").arg(audio).arg("--out").arg(out);
    command
}

/// Runs to the end.
pub fn run(command: &mut Command) -> Ran {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        output: text(output.stdout),
        errors: text(output.stderr),
    }
}

/// Whether ffmpeg and ffprobe are there; says what to install when not.
pub fn has_ffmpeg() -> bool {
    let there = ["ffmpeg", "ffprobe"].iter().all(|tool| {
        Command::new(tool)
            .arg("-version")
            .output()
            .is_ok_and(|o| o.status.success())
    });
    if !there {
        skip::skip("ffmpeg");
    }
    there
}

/// Whether ffmpeg has an encoder; reports the skip where not.
pub fn has_encoder(name: &str) -> bool {
    let listed = Command::new("ffmpeg")
        .args(["-v", "quiet", "-encoders"])
        .output();
    let there = listed.is_ok_and(|o| String::from_utf8_lossy(&o.stdout).contains(name));
    if !there {
        skip::skip(&format!("an ffmpeg with {name}"));
    }
    there
}

/// A file of the repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// The first frames of the bundled clip.
pub fn head_frames(count: usize) -> Vec<PathBuf> {
    let frames = (0..count).map(|n| repository(&format!("models/head/clip/frames/{n:04}.jpg")));
    frames.collect()
}

/// Words that are not the bundled clip's own.
pub fn head_words() -> PathBuf {
    repository("models/head/clip/other.wav")
}

/// A copy of the shipped bundle's files in `target`.
pub fn copy_bundle(target: &Path) {
    fs::create_dir(target).unwrap();
    for entry in fs::read_dir(repository("models/lite")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            fs::copy(&path, target.join(path.file_name().unwrap())).unwrap();
        }
    }
}

/// A folder of pictures without a face, named 0000.png on.
pub fn gradient(place: &Path, count: u32) -> PathBuf {
    let folder = place.join("gradient");
    fs::create_dir(&folder).unwrap();
    for index in 0..count {
        let path = folder.join(format!("{index:04}.png"));
        gradient_picture(96, 64, index).save(path).unwrap();
    }
    folder
}

/// A picture without a face.
pub fn gradient_picture(width: u32, height: u32, phase: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let level = |n: u32, of: u32| (n * 255 / of) as u8;
        Rgb([level(x, width), level(y, height), (phase * 16 % 256) as u8])
    })
}

/// The pixels of a picture.
pub fn pixels(path: &Path) -> RgbaImage {
    image::open(path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        .into_rgba8()
}

/// A 220 Hz tone as 16-bit WAV.
pub fn tone(place: &Path, name: &str, rate: u32, channels: u16, seconds: f32) -> PathBuf {
    let frames = (seconds * rate as f32) as usize;
    let sample = |n: usize| ((n as f32 / rate as f32 * 220.0 * TAU).sin() * 9000.0) as i16;
    let samples: Vec<i16> = (0..frames)
        .flat_map(|n| std::iter::repeat_n(sample(n), channels.into()))
        .collect();
    let path = place.join(name);
    write_wav(&path, rate, channels, &samples);
    path
}

/// Interleaved 16-bit samples as WAV.
pub fn write_wav(path: &Path, rate: u32, channels: u16, samples: &[i16]) {
    let spec = hound::WavSpec {
        channels,
        sample_rate: rate,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    for sample in samples {
        writer.write_sample(*sample).unwrap();
    }
    writer.finalize().unwrap();
}

/// Fails unless the folder holds exactly these names, hidden ones counted.
pub fn assert_only(folder: &Path, names: &[&str]) {
    let mut found: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    found.sort();
    assert_eq!(found, names, "in {}", folder.display());
}

/// ffprobe's answer to `entries` of the first stream of kind `stream` ("v:0" or "a:0").
pub fn probe(path: &Path, stream: &str, entries: &str) -> String {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-select_streams", stream, "-count_frames"])
        .args(["-show_entries", entries, "-of", "default=nw=1:nk=1"])
        .arg(path)
        .output()
        .unwrap();
    // ffprobe ends its lines with CR and LF on Windows.
    let text = String::from_utf8(output.stdout).unwrap();
    text.trim().replace('\r', "")
}

/// Runs ffmpeg to make an input.
pub fn ffmpeg(arguments: &[&str], out: &Path) {
    let mut command = Command::new("ffmpeg");
    let output = command
        .args(["-v", "error", "-y"])
        .args(arguments)
        .arg(out)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

pub const FLAGS: &str = "bicubic+accurate_rnd+full_chroma_int";

/// A movie of a test pattern (no face), with a sound of its own.
pub fn pattern(
    place: &Path,
    name: &str,
    size: &str,
    rate: &str,
    frames: u32,
    more: &[&str],
) -> PathBuf {
    let path = place.join(name);
    let picture = format!("testsrc=size={size}:rate={rate}");
    let frames = frames.to_string();
    let mut arguments = vec!["-f", "lavfi", "-i", &picture];
    arguments.extend(["-f", "lavfi", "-i", "sine=880:sample_rate=44100:duration=1"]);
    arguments.extend(["-frames:v", &frames]);
    arguments.extend(more);
    ffmpeg(&arguments, &path);
    path
}

/// A checksum of each frame's RGB pixels.
pub fn frame_sums(path: &Path) -> Vec<String> {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(path)
        .args([
            "-map",
            "0:v:0",
            "-sws_flags",
            FLAGS,
            "-pix_fmt",
            "rgba64le",
            "-f",
            "framemd5",
            "-",
        ])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let sums = text.lines().filter(|line| !line.starts_with('#'));
    sums.map(|line| line.rsplit(',').next().unwrap().trim().to_owned())
        .collect()
}

pub fn seconds(path: &Path, stream: &str) -> f64 {
    probe(path, stream, "stream=duration").parse().unwrap()
}

/// The samples of a file's first audio track at 16 kHz, from the file's beginning.
pub fn samples(path: &Path) -> Vec<f32> {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(path)
        .args([
            "-map", "0:a:0", "-ac", "1", "-ar", "16000", "-f", "f32le", "-",
        ])
        .output()
        .unwrap();
    let samples = output.stdout.chunks_exact(4);
    samples
        .map(|b| f32::from_le_bytes(b.try_into().unwrap()))
        .collect()
}

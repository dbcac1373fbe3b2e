//! Audio of the containers and codecs that people have, against ffmpeg's decoding of the same files: each sample in
//! its place, from the encoder's padding at the start to the gaps of a track.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod skip;

use std::path::{Path, PathBuf};
use std::process::Command;

use stylelipsync::Error;
use stylelipsync::audio::{Waveform, decode_file};

/// Speech-like: tones of rising pitch that come and go, in two different channels.
const SOUND: &str = "aevalsrc='0.4*sin(2*PI*(200+150*t)*t)*gt(sin(2*PI*3*t),-0.3)|0.2*sin(2*PI*330*t)':d=2.5:s=48000";

fn ffmpeg(arguments: &[&str]) {
    let mut command = Command::new("ffmpeg");
    command
        .args(["-v", "error", "-y", "-bitexact"])
        .args(arguments);
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Whether ffmpeg is there; it makes and decodes the files.
fn ffmpeg_is_missing() -> bool {
    let missing = Command::new("ffmpeg").arg("-version").output().is_err();
    if missing {
        skip::skip("ffmpeg");
    }
    missing
}

/// A file of [`SOUND`].
fn make(folder: &Path, name: &str, arguments: &[&str]) -> PathBuf {
    let path = folder.join(name);
    let mut all = vec!["-f", "lavfi", "-i", SOUND];
    all.extend(arguments);
    all.push(path.to_str().unwrap());
    ffmpeg(&all);
    path
}

/// Silence where a track begins late or has a gap.
const IN_TIME: &str = "aresample=async=1:first_pts=0,";

/// What ffmpeg reads of a file through a filter: mono at its own rate. `decoder`: of `-c:a`.
fn reference(path: &Path, filter: &str, decoder: Option<&str>) -> Vec<f32> {
    let raw = path.with_extension("f32");
    let mix = &format!("{filter}pan=mono|c0=0.5*c0+0.5*c1");
    let (from, to) = (path.to_str().unwrap(), raw.to_str().unwrap());
    let mut arguments = Vec::new();
    if let Some(decoder) = decoder {
        arguments.extend(["-c:a", decoder]);
    }
    arguments.extend(["-i", from, "-map", "0:a", "-af", mix, "-f", "f32le", to]);
    ffmpeg(&arguments);
    bytemuck::pod_collect_to_vec(&std::fs::read(raw).unwrap())
}

/// Root of the mean square of the difference, over what both have.
fn difference(a: &[f32], b: &[f32]) -> f64 {
    let squares = a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2));
    let count = a.len().min(b.len()).max(1);
    (squares.sum::<f64>() / count as f64).sqrt()
}

/// Compares with ffmpeg's samples at lags of up to a millisecond: the best is none, and little differs there.
fn agrees(name: &str, found: &Waveform, wanted: &[f32], most: f64) {
    let at = |lag: usize| difference(&found.samples[lag..], wanted);
    let early = |lag: usize| difference(&found.samples, &wanted[lag..]);
    let exact = at(0);
    assert!(exact < most, "{name}: differs by {exact}");
    for lag in 1..48 {
        assert!(
            exact < at(lag) && exact < early(lag),
            "{name}: off by {lag}"
        );
    }
}

#[test]
fn opus_is_decoded_in_every_container() {
    if ffmpeg_is_missing() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let voip: &[&str] = &["-c:a", "libopus", "-b:a", "24k", "-application", "voip"];
    let long: &[&str] = &["-c:a", "libopus", "-frame_duration", "60"];
    let short: &[&str] = &["-c:a", "libopus", "-frame_duration", "2.5", "-b:a", "96k"];
    for (name, arguments) in [
        ("voice.ogg", voip),
        ("long.opus", long),
        ("short.opus", short),
        ("voice.webm", voip),
        ("voice.mka", long),
        ("voice.mp4", voip),
        ("plain.opus", &["-c:a", "libopus"]),
    ] {
        let path = make(folder.path(), name, arguments);
        let found = decode_file(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(found.rate, 48_000, "{name}");
        let wanted = reference(&path, "", Some("libopus"));
        agrees(name, &found, &wanted, 1e-3);
        // ffmpeg does not cut the end of MP4's last packet.
        if name.ends_with("mp4") {
            assert_eq!(found.samples.len(), 120_000, "{name}");
        } else {
            assert_eq!(found.samples.len(), wanted.len(), "{name}");
        }
    }
}

#[test]
fn pcm_containers_hold_their_samples() {
    if ffmpeg_is_missing() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for (name, arguments) in [
        ("s16.caf", &["-c:a", "pcm_s16be"] as &[&str]),
        ("f32.caf", &["-c:a", "pcm_f32le"]),
        ("alac.caf", &["-c:a", "alac"]),
        ("s16.w64", &["-c:a", "pcm_s16le"]),
        ("s24.w64", &["-c:a", "pcm_s24le"]),
        ("rf64.wav", &["-rf64", "always"]),
        (
            "f32.rf64",
            &["-c:a", "pcm_f32le", "-rf64", "always", "-f", "wav"],
        ),
    ] {
        let path = make(folder.path(), name, arguments);
        let found = decode_file(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(
            (found.rate, found.samples.len()),
            (48_000, 120_000),
            "{name}"
        );
        agrees(name, &found, &reference(&path, "", None), 1e-4);
        // Half of the file is not taken for the whole.
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        let error = decode_file(&path).expect_err(name);
        assert!(matches!(error, Error::Audio(_)), "{name}: {error}");
    }
}

#[test]
fn other_codecs_and_containers_agree() {
    if ffmpeg_is_missing() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let vorbis: &[&str] = &["-c:a", "libvorbis", "-q:a", "4"];
    for (name, lossless, arguments) in [
        ("alac.m4a", true, &["-c:a", "alac"] as &[&str]),
        ("s24.aiff", true, &["-c:a", "pcm_s24be"]),
        ("u8.wav", true, &["-c:a", "pcm_u8"]),
        ("f64.wav", true, &["-c:a", "pcm_f64le"]),
        ("s16.mov", true, &["-c:a", "pcm_s16le"]),
        ("s24.mka", true, &["-c:a", "pcm_s24le"]),
        ("flac.mka", true, &["-c:a", "flac"]),
        ("vorbis.mka", false, vorbis),
        ("vorbis.ogg", false, vorbis),
    ] {
        let path = make(folder.path(), name, arguments);
        let found = decode_file(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        if lossless {
            assert_eq!(found.samples.len(), 120_000, "{name}");
        }
        // A step of 8 bits is 8e-3.
        let most = if name == "u8.wav" { 4e-3 } else { 1e-3 };
        agrees(name, &found, &reference(&path, "", None), most);
    }
}

/// Where sound begins after silence of a hundredth of a second.
fn onsets(samples: &[f32]) -> Vec<usize> {
    let mut onsets = Vec::new();
    let mut silent = usize::MAX;
    for (index, sample) in samples.iter().enumerate() {
        if sample.abs() < 1e-3 {
            silent = silent.saturating_add(1);
            continue;
        }
        if silent > 480 {
            onsets.push(index);
        }
        silent = 0;
    }
    onsets
}

/// Samples by which a time in Matroska may be off: half a millisecond.
const MOST_ROUNDED: usize = 24;

/// The difference of `wanted` from the samples around `place`, where they agree best.
fn least_difference(samples: &[f32], wanted: &[f32], place: usize) -> f64 {
    (place - MOST_ROUNDED..=place + MOST_ROUNDED)
        .map(|begin| difference(&samples[begin..], wanted))
        .fold(f64::INFINITY, f64::min)
}

#[test]
fn a_gap_in_a_track_keeps_its_place() {
    if ffmpeg_is_missing() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // Packets are missing from 0.8 to 1.3 s, and the audio begins .3 s after the picture.
    let cut = "aselect='not(between(t,0.8,1.3))'";
    for (name, codec) in [
        ("gap.mp4", "aac"),
        ("gap.mkv", "aac"),
        ("gap.webm", "libopus"),
    ] {
        let picture = if name.ends_with("webm") {
            "libvpx"
        } else {
            "mpeg4"
        };
        let path = folder.path().join(name);
        ffmpeg(&[
            "-f",
            "lavfi",
            "-i",
            "color=black:s=64x64:r=25:d=3",
            "-itsoffset",
            "0.3",
            "-f",
            "lavfi",
            "-i",
            SOUND,
            "-map",
            "0:v",
            "-map",
            "1:a",
            "-af",
            cut,
            "-c:v",
            picture,
            "-c:a",
            codec,
            path.to_str().unwrap(),
        ]);
        let found = decode_file(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        let wanted = reference(&path, IN_TIME, None);
        let mut heard = [onsets(&found.samples), onsets(&wanted)];
        assert_eq!([heard[0].len(), heard[1].len()], [2, 2], "{name}");
        if name == "gap.mkv" {
            // Newer versions of ffmpeg state AAC's delay in Matroska files, a packet, and drop it. It is kept here,
            // in its place.
            let early = heard[1][0].saturating_sub(heard[0][0]);
            assert!(early <= 1024, "{heard:?}");
            heard[0][0] += early;
        }
        for (found_at, wanted_at) in heard[0].iter().zip(&heard[1]) {
            // Matroska counts in milliseconds; ffmpeg rounds once more than we do.
            assert!(
                found_at.abs_diff(*wanted_at) <= MOST_ROUNDED,
                "{name}: {heard:?}"
            );
            if name == "gap.mkv" {
                let differs =
                    least_difference(&found.samples, &wanted[*wanted_at..][..9600], *wanted_at);
                assert!(
                    differs < 1e-3,
                    "{name}: differs by {differs} after {wanted_at}"
                );
            }
        }
        if name == "gap.mp4" {
            agrees(name, &found, &wanted, 1e-3);
        }
    }
}

/// The payload position and whole range of the box at the end of a path of names, the first of each.
fn find_box(bytes: &[u8], path: &[&[u8; 4]]) -> Vec<std::ops::Range<usize>> {
    let (mut ranges, mut inside) = (Vec::new(), 0..bytes.len());
    for name in path {
        let mut at = inside.start;
        loop {
            let size = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
            if &&bytes[at + 4..at + 8] == name {
                ranges.push(at..at + size);
                inside = at + 8..at + size;
                break;
            }
            at += size;
            assert!(at < inside.end, "no {name:?}");
        }
    }
    ranges
}

/// The file with another edit list: (length in 1/1000 s, start in samples or -1).
fn with_edits(bytes: &[u8], edits: &[(u32, i32)]) -> Vec<u8> {
    let ranges = find_box(bytes, &[b"moov", b"trak", b"edts", b"elst"]);
    let list = ranges[3].clone();
    let mut made = vec![0; 4];
    made.extend((edits.len() as u32).to_be_bytes());
    for (length, start) in edits {
        made.extend(length.to_be_bytes());
        made.extend(start.to_be_bytes());
        made.extend(0x0001_0000u32.to_be_bytes());
    }
    let mut changed = bytes[..list.start + 8].to_vec();
    changed.extend(&made);
    changed.extend(&bytes[list.end..]);
    for range in ranges {
        let grown = (range.len() + made.len() + 8 - list.len()) as u32;
        changed[range.start..range.start + 4].copy_from_slice(&grown.to_be_bytes());
    }
    changed
}

#[test]
fn an_edit_list_is_followed() {
    if ffmpeg_is_missing() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // PCM has no padding: each sample is itself.
    let path = make(
        folder.path(),
        "edits.mov",
        &["-c:a", "pcm_s16le", "-movie_timescale", "1000"],
    );
    let bytes = std::fs::read(&path).unwrap();
    let plain = decode_file(&path).unwrap().samples;
    assert_eq!(plain.len(), 120_000);
    let changed = |name: &str, edits: &[(u32, i32)]| {
        let path = folder.path().join(name);
        std::fs::write(&path, with_edits(&bytes, edits)).unwrap();
        path
    };
    // The first second, half a second of nothing, then from 1.5 s on; all after 0.2 s.
    let path = changed(
        "gap.mov",
        &[(200, -1), (1000, 0), (500, -1), (1000, 72_000)],
    );
    let found = decode_file(&path).unwrap();
    let silence = |count: usize| vec![0f32; count];
    let wanted = [
        &silence(9600),
        &plain[..48_000],
        &silence(24_000),
        &plain[72_000..],
    ]
    .concat();
    assert!(found.samples == wanted, "gap.mov");
    // One that ends before the track does, and one that says only where to begin.
    let path = changed("end.mov", &[(1500, 4800)]);
    assert!(decode_file(&path).unwrap().samples == plain[4800..76_800]);
    let path = changed("open.mov", &[(0, 4800)]);
    assert!(decode_file(&path).unwrap().samples == plain[4800..]);
    // A picture alone.
    let path = folder.path().join("picture.mp4");
    let video = "color=black:s=64x64:r=25:d=1";
    ffmpeg(&[
        "-f",
        "lavfi",
        "-i",
        video,
        "-c:v",
        "mpeg4",
        path.to_str().unwrap(),
    ]);
    assert!(matches!(decode_file(&path), Err(Error::NoAudio(_))));
    // Hostile: more silence than an hour, and nothing at all.
    let path = changed("silent.mov", &[(u32::MAX, -1), (1000, 0)]);
    let error = decode_file(&path).unwrap_err();
    assert!(
        matches!(&error, Error::Audio(reason) if reason.contains("edit list")),
        "{error}"
    );
    let path = changed("nothing.mov", &[(1000, i32::MAX)]);
    assert!(matches!(decode_file(&path), Err(Error::NoAudio(_))));
}

#[test]
fn surround_opus_has_its_channels_in_their_places() {
    if ffmpeg_is_missing() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for channel in ["FL", "FC", "LFE", "BR"] {
        let pan = format!("pan=5.1|{channel}=c0");
        let opus: &[&str] = &["-af", &pan, "-c:a", "libopus", "-b:a", "256k"];
        // 5.1 of Opus has its rear channels, WAV's has the sides: both count alike.
        let found = decode_file(&make(folder.path(), "surround.opus", opus)).unwrap();
        let wanted = decode_file(&make(folder.path(), "surround.wav", &["-af", &pan])).unwrap();
        assert_eq!(found.samples.len(), wanted.samples.len());
        let differs = difference(&found.samples, &wanted.samples);
        assert!(differs < 0.02, "{channel}: {differs}");
    }
}

#[test]
fn damaged_files_end_well() {
    // Cut at any byte, or with any byte altered: an error that says why, or finite samples, not many more than there
    // were; no panic.
    if ffmpeg_is_missing() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let opus: &[&str] = &["-t", "0.3", "-c:a", "libopus", "-b:a", "16k"];
    let pcm: &[&str] = &["-t", "0.02"];
    let rf64: &[&str] = &["-t", "0.02", "-rf64", "always"];
    for (name, arguments) in [
        ("d.webm", opus),
        ("d.opus", opus),
        ("d.mp4", opus),
        ("d.caf", pcm),
        ("d.w64", pcm),
        ("d.wav", rf64),
    ] {
        let path = make(folder.path(), name, arguments);
        let bytes = std::fs::read(&path).unwrap();
        let whole = decode_file(&path).unwrap().samples.len();
        let check = |bytes: &[u8], what: &str| {
            std::fs::write(&path, bytes).unwrap();
            match decode_file(&path) {
                Ok(sound) => {
                    assert!(sound.samples.iter().all(|s| s.is_finite()), "{name} {what}");
                    let most = whole + 3_600 * sound.rate as usize;
                    assert!(sound.samples.len() <= most, "{name} {what}");
                }
                Err(Error::Audio(reason) | Error::NoAudio(reason)) => {
                    assert!(!reason.is_empty(), "{name} {what}");
                }
                Err(other) => panic!("{name} {what}: {other:?}"),
            }
        };
        for at in (0..bytes.len()).step_by(13) {
            check(&bytes[..at], &format!("cut at {at}"));
            let mut altered = bytes.clone();
            altered[at] ^= 0xA5;
            check(&altered, &format!("altered at {at}"));
        }
    }
}

//! What no result keeps of a movie is reported before rendering starts: fields that the file does not state, Dolby
//! Vision, HDR10+. Without ffmpeg these tests skip.
//!
//! ffmpeg 5.1 writes no Dolby Vision and no HDR10+: the tests add their records to the files by hand, as the
//! specifications have them. The records are real, the pictures are not graded for them.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod cli_support;

use std::fs;
use std::path::{Path, PathBuf};

use cli_support::*;

/// Renders to a folder; what was reported before the engine was opened, and the folder.
fn reported(place: &Path, video: &Path) -> (String, PathBuf) {
    let audio = tone(place, "speech.wav", 16000, 1, 0.2);
    let name = video.file_name().unwrap().to_str().unwrap();
    let out = place.join(name.replace('.', "-"));
    let ran = run(&mut render(video, &audio, &out));
    assert_eq!(ran.code, 0, "{}", ran.errors);
    let (before, after) = ran.errors.split_once("provider:").unwrap();
    assert!(!after.contains("not kept"), "{}", ran.errors);
    (before.to_owned(), out)
}

#[test]
fn interlaced_movies_are_de_interlaced_with_their_own_field_order() {
    if !has_ffmpeg() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    // A bar that moves 8 pixels in each field.
    let bar = "geq=lum='235*between(X,8*N,8*N+15)':cb=128:cr=128";
    let [tff, bff] = ["interlace=scan=tff", "interlace=scan=bff"];
    let mpeg2: &[&str] = &[
        "-c:v",
        "mpeg2video",
        "-flags",
        "+ildct+ilme",
        "-qscale:v",
        "2",
    ];
    let ffv1 = |fields| ["-c:v", "ffv1", "-field_order", fields];
    // Of AVI and MJPEG nobody knows.
    let mjpeg: &[&str] = &["-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-q:v", "1"];
    let stated = "the movie is interlaced";
    let found = "the movie does not state its field order";
    for (name, scan, rate, codec, reason) in [
        ("tff.mpg", tff, "50", mpeg2, Some(stated)),
        ("bff.mpg", bff, "50", mpeg2, Some(stated)),
        ("tff.mkv", tff, "60000/1001", &ffv1("tt"), Some(stated)),
        ("bff.mkv", bff, "60000/1001", &ffv1("bb"), Some(stated)),
        ("tff.avi", tff, "50", mjpeg, Some(found)),
        ("bff.avi", bff, "50", mjpeg, Some(found)),
        ("progressive.avi", "fps=25", "50", mjpeg, None),
    ] {
        let filter = format!("format=yuv420p,{bar},{scan}");
        let options = [&["-an", "-vf", &filter], codec].concat();
        let video = pattern(place.path(), name, "256x96", rate, 30, &options);
        let (before, out) = reported(place.path(), &video);
        let Some(reason) = reason else {
            assert!(!before.contains("not kept"), "{name}: {before}");
            continue;
        };
        let reason = format!("not kept: the fields: {reason}");
        assert!(before.contains(&reason), "{name}: {before}");
        // The frame shows the first field: the bar is where it was at that time, on all rows.
        for frame in 2..10 {
            let picture = pixels(&out.join(format!("{frame:06}.png")));
            for y in 40..56 {
                let left = (0..256).find(|x| picture.get_pixel(*x, y).0[1] > 120);
                let left = left.unwrap_or(999);
                assert!(left.abs_diff(16 * frame) < 6, "{name} {frame} {y}: {left}");
            }
        }
    }
}

/// An MP4 with a box at the end of its first sample entry.
fn with_box(bytes: &[u8], name: &[u8; 4], payload: &[u8]) -> Vec<u8> {
    let path: [&[u8; 4]; 7] = [
        b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"avc1",
    ];
    let be32 = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    let (mut sizes, mut at, mut end) = (Vec::new(), 0, 0);
    for name in path {
        while &bytes[at + 4..at + 8] != name {
            at += be32(at) as usize;
        }
        sizes.push(at);
        end = at + be32(at) as usize;
        at += if name == b"stsd" { 16 } else { 8 };
    }
    let mut changed = bytes.to_vec();
    let length = 8 + payload.len() as u32;
    for at in sizes {
        changed[at..at + 4].copy_from_slice(&(be32(at) + length).to_be_bytes());
    }
    let added = [&length.to_be_bytes()[..], name, payload].concat();
    changed.splice(end..end, added);
    changed
}

#[test]
fn dolby_vision_is_reported() {
    if !has_ffmpeg() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let options = ["-an", "-pix_fmt", "yuv420p"];
    let video = pattern(place.path(), "dovi.mp4", "64x48", "25", 3, &options);
    assert_eq!(
        reported(place.path(), &video).0.matches("not kept").count(),
        0
    );
    // Version 1.0, profile 8, level 1, with RPU and base layer, compatible with HDR10.
    let mut record = [0; 24];
    record[..5].copy_from_slice(&[1, 0, 0x10, 0x0D, 0x10]);
    let bytes = fs::read(&video).unwrap();
    fs::write(&video, with_box(&bytes, b"dvvC", &record)).unwrap();
    let (before, _) = reported(place.path(), &video);
    assert!(
        before.contains("not kept: Dolby Vision: the picture is its base layer's"),
        "{before}"
    );
}

/// Bits from the most significant one on.
fn packed(fields: &[(u32, u64)]) -> Vec<u8> {
    let bits = fields
        .iter()
        .flat_map(|&(count, value)| (0..count).rev().map(move |bit| (value >> bit & 1) as u8));
    let bits: Vec<u8> = bits.collect();
    let byte = |bits: &[u8]| (0..8).fold(0, |byte, bit| byte << 1 | bits.get(bit).unwrap_or(&0));
    bits.chunks(8).map(byte).collect()
}

#[test]
fn hdr10_plus_is_reported() {
    if !has_ffmpeg() || !has_encoder("libx265") {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let raw = place.path().join("plain.hevc");
    let source = "testsrc=s=128x96:r=25:d=0.12";
    let ten = [
        "-pix_fmt",
        "yuv420p10le",
        "-c:v",
        "libx265",
        "-x265-params",
        "log-level=none:bframes=0",
    ];
    ffmpeg(&[&["-f", "lavfi", "-i", source][..], &ten].concat(), &raw);
    // SMPTE ST 2094-40 with one window: no value is small, so that no start code is made.
    let metadata = packed(&[
        (8, 0xB5),
        (16, 0x3C),
        (16, 1),
        (8, 4),
        (8, 1), // ITU-T T.35: HDR10+, version 1
        (2, 1),
        (27, 0x5FF_FFFF),
        (1, 0),
        (17, 0xFFFF),
        (17, 0xFFFF),
        (17, 0xFFFF),
        (17, 0x7FFF),
        (4, 0),
        (10, 0x3E8),
        (1, 0),
        (1, 0),
        (1, 0),
    ]);
    let size = metadata.len() as u8;
    let message = [&[0, 0, 0, 1, 0x4E, 1, 4, size][..], &metadata, &[0x80]].concat();
    let bytes = fs::read(&raw).unwrap();
    // Before the first slice: a key picture, of type 19 or 20.
    let slice = bytes
        .windows(4)
        .position(|four| four[..3] == [0, 0, 1] && matches!(four[3] >> 1, 19 | 20))
        .unwrap();
    let changed = [&bytes[..slice], &message, &[0], &bytes[slice..]].concat();
    fs::write(&raw, changed).unwrap();
    let video = place.path().join("plus.mp4");
    ffmpeg(&["-i", raw.to_str().unwrap(), "-c", "copy"], &video);
    let (before, _) = reported(place.path(), &video);
    assert!(
        before.contains("not kept: HDR10+: the picture is its base layer's"),
        "{before}"
    );
}

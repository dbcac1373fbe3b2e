//! What a result keeps of a movie: HDR, alpha, the frames' own times, time code, other streams; and that what
//! it cannot keep is reported before rendering. Without ffmpeg these tests skip.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod cli_support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cli_support::*;

/// The first frame's side data and the stream's.
fn side_data(path: &Path) -> String {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-select_streams", "v:0"])
        .args(["-read_intervals", "%+#1", "-show_frames", "-show_streams"])
        .arg(path)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let kept = [
        "red_x",
        "white_point_y",
        "max_lum",
        "min_lum",
        "max_content",
        "max_average",
    ];
    let mut lines: Vec<&str> = text
        .lines()
        .filter(|line| kept.iter().any(|name| line.starts_with(name)))
        .collect();
    lines.sort_unstable();
    lines.dedup();
    lines.join("\n")
}

/// The times of the picture's packets in seconds.
fn times(path: &Path) -> Vec<f64> {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-select_streams", "v:0"])
        .args(["-show_entries", "packet=pts_time", "-of", "csv=p=0"])
        .arg(path)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut times: Vec<f64> = text
        .lines()
        .map(|line| line.trim_end_matches(',').parse().unwrap())
        .collect();
    times.sort_by(f64::total_cmp);
    times
}

struct Made {
    place: tempfile::TempDir,
    audio: PathBuf,
}

impl Made {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let audio = tone(place.path(), "speech.wav", 16000, 1, 0.2);
        Self { place, audio }
    }

    fn movie(&self, name: &str, size: &str, rate: &str, frames: u32, more: &[&str]) -> PathBuf {
        pattern(self.place.path(), name, size, rate, frames, more)
    }

    /// Renders; returns the result and what was printed.
    fn render(&self, video: &Path, name: &str, more: &[&str]) -> (PathBuf, String) {
        let out = self.place.path().join(name);
        let ran = run(render(video, &self.audio, &out).args(more));
        assert_eq!(ran.code, 0, "{name}: {}", ran.errors);
        (out, ran.errors)
    }
}

const HDR10: &str = "log-level=none:hdr10=1:repeat-headers=1:colorprim=bt2020:transfer=smpte2084:\
    colormatrix=bt2020nc:master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)\
    L(10000000,1):max-cll=1000,400";

#[test]
fn hdr10_stays_ten_bit_with_its_static_metadata() {
    if !has_ffmpeg() || !has_encoder("libx265") {
        return;
    }
    let made = Made::new();
    let options = [
        "-an",
        "-pix_fmt",
        "yuv420p10le",
        "-c:v",
        "libx265",
        "-x265-params",
        HDR10,
    ];
    let video = made.movie("hdr.mp4", "128x96", "25", 5, &options);
    let expected = side_data(&video);
    assert!(expected.contains("max_content=1000"), "{expected}");
    let mut results = vec![("out.mp4", "hevc", vec![]), ("out.mov", "prores", vec![])];
    if has_encoder("libsvtav1") {
        results.push(("av1.mp4", "av1", vec!["--codec", "av1"]));
    }
    for (name, codec, options) in results {
        let (out, errors) = made.render(&video, name, &options);
        assert_eq!(probe(&out, "v:0", "stream=codec_name"), codec);
        assert_eq!(side_data(&out), expected, "{name}");
        let tags = probe(
            &out,
            "v:0",
            "stream=color_space,color_transfer,color_primaries",
        );
        assert_eq!(tags, "bt2020nc\nsmpte2084\nbt2020", "{name}");
        assert!(probe(&out, "v:0", "stream=pix_fmt").contains("1"), "{name}");
        assert!(!errors.contains("not kept"), "{name}: {errors}");
        assert_eq!(times(&out), times(&video), "{name}");
    }
    // What lossless Matroska keeps, it states in the container.
    let (out, _) = made.render(&video, "out.mkv", &[]);
    assert!(side_data(&out).contains("max_average=400"));
    assert_eq!(probe(&out, "v:0", "stream=color_transfer"), "smpte2084");
    let (_, errors) = made.render(&video, "frames", &[]);
    assert!(
        errors.contains("the HDR10 metadata: pictures have none"),
        "{errors}"
    );
    // Hybrid log-gamma has no metadata but its tags.
    let params = "log-level=none:colorprim=bt2020:transfer=arib-std-b67:colormatrix=bt2020nc";
    let options = [
        "-an",
        "-pix_fmt",
        "yuv420p10le",
        "-c:v",
        "libx265",
        "-x265-params",
        params,
    ];
    let video = made.movie("hlg.mp4", "128x96", "25", 3, &options);
    let (out, errors) = made.render(&video, "hlg-out.mp4", &[]);
    assert_eq!(
        probe(&out, "v:0", "stream=codec_name,color_transfer"),
        "hevc\narib-std-b67"
    );
    assert!(!errors.contains("not kept"), "{errors}");
}

/// The alpha of the first frame at both ends of its middle row.
fn alpha(path: &Path, decoder: &[&str]) -> [u8; 2] {
    let picture = path.with_extension("alpha.png");
    let input = [
        "-i",
        path.to_str().unwrap(),
        "-frames:v",
        "1",
        "-pix_fmt",
        "rgba",
    ];
    ffmpeg(&[decoder, &input[..]].concat(), &picture);
    let pixels = pixels(&picture);
    [0, pixels.width() - 1].map(|x| pixels.get_pixel(x, pixels.height() / 2).0[3])
}

#[test]
fn alpha_is_kept_where_the_format_has_it() {
    if !has_ffmpeg() {
        return;
    }
    let made = Made::new();
    let half = "format=rgba,geq=r='r(X,Y)':g='g(X,Y)':b='b(X,Y)':a='255*gt(X,32)'";
    let mut cases = vec![
        (
            "prores.mov",
            vec![
                "-c:v",
                "prores_ks",
                "-profile:v",
                "4444",
                "-pix_fmt",
                "yuva444p10le",
            ],
        ),
        ("rle.mov", vec!["-c:v", "qtrle", "-pix_fmt", "argb"]),
        ("deep.mkv", vec!["-c:v", "ffv1", "-pix_fmt", "yuva444p10le"]),
        ("png.mov", vec!["-c:v", "png", "-pix_fmt", "rgba64be"]),
    ];
    if has_encoder("libvpx-vp9") {
        cases.push((
            "vp9.webm",
            vec!["-c:v", "libvpx-vp9", "-pix_fmt", "yuva420p"],
        ));
        cases.push((
            "vp8.webm",
            vec![
                "-c:v",
                "libvpx",
                "-pix_fmt",
                "yuva420p",
                "-auto-alt-ref",
                "0",
            ],
        ));
    }
    for (name, options) in cases {
        let options = [&["-an", "-vf", half], &options[..]].concat();
        let video = made.movie(name, "64x48", "25", 3, &options);
        for (out, pixels) in [("out.mov", "yuva444p1"), ("out.mkv", "")] {
            let (out, errors) = made.render(&video, out, &[]);
            let [left, right] = alpha(&out, &[]);
            assert!(left < 8 && right > 247, "{name}: {left} {right}");
            assert!(!errors.contains("alpha"), "{name}: {errors}");
            assert!(
                probe(&out, "v:0", "stream=pix_fmt").starts_with(pixels),
                "{name}"
            );
        }
        let (out, errors) = made.render(&video, "out.mp4", &[]);
        assert!(
            errors.contains("not kept: the alpha channel: H.26"),
            "{name}: {errors}"
        );
        assert!(
            probe(&out, "v:0", "stream=pix_fmt").starts_with("yuv"),
            "{name}"
        );
    }
}

#[test]
fn rgb_becomes_a_movie_with_the_right_colours() {
    if !has_ffmpeg() {
        return;
    }
    let made = Made::new();
    let options = [
        "-an",
        "-vf",
        "drawbox=color=red:t=fill",
        "-c:v",
        "ffv1",
        "-pix_fmt",
        "bgr0",
    ];
    let video = made.movie("rgb.mkv", "64x48", "25", 3, &options);
    for name in ["out.mp4", "out.mov"] {
        let (out, errors) = made.render(&video, name, &[]);
        // Of the frames: an .mov file without primaries states no matrix outside of them.
        let spaces = probe(&out, "v:0", "frame=color_space");
        assert_eq!(spaces, ["bt709"; 3].join("\n"), "{name}");
        assert_eq!(
            errors.contains("RGB becomes 4:2:0"),
            name == "out.mp4",
            "{errors}"
        );
        let frame = made.place.path().join("frame.png");
        ffmpeg(&["-i", out.to_str().unwrap(), "-frames:v", "1"], &frame);
        let [r, g, b, _] = pixels(&frame).get_pixel(32, 24).0;
        assert!(r > 245 && g < 10 && b < 10, "{name}: {r} {g} {b}");
    }
}

#[test]
fn a_variable_rate_keeps_every_frame_and_its_time() {
    if !has_ffmpeg() {
        return;
    }
    let made = Made::new();
    let place = made.place.path();
    for (name, rate, select) in [
        ("quarter.mp4", "25", "lt(mod(n,7),4)"),
        ("film.mov", "24000/1001", "not(eq(mod(n,5),3))"),
        ("web.mkv", "30", "lt(mod(n,6),3)"),
    ] {
        let select = format!("select='{select}'");
        let options = ["-an", "-vf", &select, "-fps_mode", "vfr", "-bf", "0"];
        let video = made.movie(name, "64x48", rate, 12, &options);
        let expected = times(&video);
        assert_eq!(expected.len(), 12);
        for out in ["out.mp4", "out.mov", "out.mkv", "h265.mp4"] {
            if out == "h265.mp4" && !has_encoder("libx265") {
                continue;
            }
            let mut options = vec!["--matte"];
            let matte = place.join(format!("matte-{out}"));
            options.push(matte.to_str().unwrap());
            if out == "h265.mp4" {
                options.extend(["--codec", "h265"]);
            }
            let (path, errors) = made.render(&video, out, &options);
            for path in [&path, &matte] {
                let found = times(path);
                let milliseconds = out == "out.mkv";
                let most = if milliseconds { 0.0006 } else { 0.000_002 };
                assert_eq!(found.len(), expected.len(), "{name} {out}");
                for (found, expected) in found.iter().zip(&expected) {
                    let expected = expected - times_start(&video);
                    assert!(
                        (found - expected).abs() < most,
                        "{name} {out}: {found} {expected}"
                    );
                }
            }
            assert!(!errors.contains("resampled"), "{errors}");
            let (sound, end) = (sound_end(&path), expected[11] + 0.1);
            assert!((sound - end).abs() < 0.1, "{name} {out}: {sound} {end}");
        }
        // A part of it begins at 0.
        let (part, _) = made.render(&video, "part.mov", &["--frames", "3-9"]);
        let found = times(&part);
        assert_eq!(found.len(), 7);
        for (found, own) in found.iter().zip(&expected[3..]) {
            assert!((found - (own - expected[3])).abs() < 0.000_002, "{name}");
        }
        let (_, errors) = made.render(&video, "frames", &[]);
        assert!(
            errors.contains("the frames' own times: pictures"),
            "{errors}"
        );
        fs::remove_dir_all(place.join("frames")).unwrap();
    }
}

fn times_start(path: &Path) -> f64 {
    times(path)[0]
}

/// When the last packet of audio ends.
fn sound_end(path: &Path) -> f64 {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-select_streams", "a:0"])
        .args(["-show_entries", "packet=pts_time,duration_time"])
        .args(["-of", "csv=p=0"])
        .arg(path)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let ends = text.lines().filter_map(|line| {
        let (time, duration) = line.trim_end_matches(',').split_once(',')?;
        Some(time.parse::<f64>().ok()? + duration.parse::<f64>().unwrap_or(0.0))
    });
    ends.fold(0.0, f64::max)
}

#[test]
fn time_code_goes_on_from_the_first_frame() {
    if !has_ffmpeg() {
        return;
    }
    let made = Made::new();
    for (rate, code, later) in [
        ("25", "01:00:00:00", "01:00:00:05"),
        ("30000/1001", "00:00:59;28", "00:01:00;05"),
    ] {
        let video = made.movie("in.mov", "64x48", rate, 12, &["-an", "-timecode", code]);
        for out in ["out.mov", "out.mp4", "out.mkv"] {
            let (out, errors) = made.render(&video, out, &[]);
            assert_eq!(timecode(&out), code, "{}", out.display());
            assert!(!errors.contains("not kept"), "{errors}");
            let (out, _) = made.render(&video, "part.mov", &["--frames", "5-9"]);
            assert_eq!(timecode(&out), later);
        }
    }
}

fn timecode(path: &Path) -> String {
    let output = Command::new("ffprobe")
        .args([
            "-v",
            "error",
            "-show_entries",
            "stream_tags=timecode,TIMECODE",
        ])
        .args(["-of", "default=nw=1:nk=1"])
        .arg(path)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().next().unwrap_or_default().to_owned()
}

#[test]
fn other_streams_are_kept_when_asked_for_and_else_reported() {
    if !has_ffmpeg() {
        return;
    }
    let made = Made::new();
    let place = made.place.path();
    let captions = place.join("captions.srt");
    fs::write(&captions, "1\n00:00:00,100 --> 00:00:00,300\nHello.\n").unwrap();
    let chapters = place.join("chapters.txt");
    let text =
        ";FFMETADATA1\ntitle=A title\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=200\ntitle=One\n";
    fs::write(&chapters, text).unwrap();
    let plain = made.movie("plain.mp4", "64x48", "25", 12, &["-t", "0.48"]);
    let video = place.join("full.mkv");
    let inputs = [&plain, &captions, &chapters].map(|path| path.to_str().unwrap());
    let mut options: Vec<&str> = inputs.iter().flat_map(|path| ["-i", *path]).collect();
    options.extend([
        "-map", "0:v", "-map", "0:a", "-map", "0:a", "-map", "1", "-c", "copy",
    ]);
    options.extend(["-c:a:1", "libvorbis", "-metadata:s:a:1", "language=fra"]);
    options.extend(["-map_metadata", "2", "-map_chapters", "2"]);
    ffmpeg(&options, &video);
    for (name, audio, captions) in [
        ("out.mkv", "vorbis", "subrip"),
        ("out.mp4", "aac", "mov_text"),
        ("out.mov", "pcm_s24le", "mov_text"),
    ] {
        let (out, errors) = made.render(&video, name, &["--keep-streams"]);
        assert_eq!(probe(&out, "a:1", "stream=codec_name"), audio, "{name}");
        assert_eq!(probe(&out, "a:1", "stream_tags=language"), "fra", "{name}");
        assert_eq!(probe(&out, "s:0", "stream=codec_name"), captions, "{name}");
        assert_eq!(probe(&out, "v:0", "format_tags=title"), "A title", "{name}");
        assert!(chapters_of(&out).contains("One"), "{name}");
        assert_eq!(
            errors.contains("stream 2 (audio, vorbis) as it is"),
            name != "out.mkv",
            "{name}: {errors}"
        );
        let (out, errors) = made.render(&video, name, &[]);
        assert_eq!(probe(&out, "a:1", "stream=codec_name"), "", "{name}");
        assert_eq!(chapters_of(&out), "", "{name}");
        assert!(errors.contains("1 chapters (--keep-streams"), "{errors}");
    }
    let out = place.join("out.mkv");
    let ran = run(render(&video, &made.audio, &out).args(["--keep-streams", "--frames", "0-2"]));
    assert_eq!(ran.code, 2, "{}", ran.errors);
}

fn chapters_of(path: &Path) -> String {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-show_chapters", "-of", "csv=p=0"])
        .arg(path)
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn codec_and_quality_can_be_asked_for() {
    if !has_ffmpeg() {
        return;
    }
    let made = Made::new();
    let video = made.movie("in.mp4", "128x96", "25", 5, &["-an"]);
    let size = |path: &Path| fs::metadata(path).unwrap().len();
    let (good, _) = made.render(&video, "good.mp4", &["--quality", "5"]);
    let (small, _) = made.render(&video, "small.mp4", &["--quality", "40"]);
    assert!(size(&good) > size(&small));
    let (out, _) = made.render(&video, "h264.mkv", &["--codec", "h264"]);
    assert_eq!(probe(&out, "v:0", "stream=codec_name"), "h264");
    let out = made.place.path().join("none.mp4");
    for (name, options, message) in [
        (
            "none.mp4",
            ["--codec", "prores"],
            ".mp4 files do not hold ProRes",
        ),
        (
            "none.mp4",
            ["--quality", "60"],
            "60 is not between 0 and 51",
        ),
        ("none.mov", ["--quality", "20"], "ProRes has none"),
        ("none", ["--codec", "h264"], "pictures have no codec"),
    ] {
        let out = out.with_file_name(name);
        let ran = run(render(&video, &made.audio, &out).args(options));
        assert_eq!(ran.code, 2, "{}", ran.errors);
        assert!(ran.errors.contains(message), "{}", ran.errors);
        assert!(!out.exists());
    }
}

#[test]
fn what_is_not_kept_is_reported_before_rendering() {
    if !has_ffmpeg() {
        return;
    }
    let made = Made::new();
    let video = made.movie(
        "plain.mkv",
        "64x48",
        "25",
        3,
        &["-pix_fmt", "yuv420p", "-an"],
    );
    let (_, errors) = made.render(&video, "plain.mp4", &[]);
    assert!(!errors.contains("not kept"), "{errors}");
    let options = ["-c:v", "ffv1", "-an", "-pix_fmt", "yuv444p12le"];
    let video = made.movie("deep.mkv", "64x48", "25", 3, &options);
    let (_, errors) = made.render(&video, "deep.mov", &[]);
    let loss = errors.find("not kept: 12 bits of a colour: 10 are written");
    assert!(
        loss.unwrap() < errors.find("provider:").unwrap(),
        "{errors}"
    );
    assert_eq!(errors.matches("not kept").count(), 1, "{errors}");
}

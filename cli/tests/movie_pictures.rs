//! Movies that become sequences of pictures: EXR, TIFF or PNG, as `--pictures` asks for. Without ffmpeg these tests
//! skip.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod cli_support;

use std::path::{Path, PathBuf};

use cli_support::*;
use exr::prelude::*;

/// Two frames of one colour, given as ffmpeg's `geq` takes it, in lossless RGB.
fn plain(place: &Path, name: &str, colour: &str, options: &[&str]) -> PathBuf {
    let path = place.join(name);
    let pixels = options[1];
    let filter = format!("format={pixels},geq={colour},setsar=2/1");
    let source = "color=black:s=32x16:r=25:d=0.08";
    let mut all = vec!["-f", "lavfi", "-i", source, "-vf", &filter, "-c:v", "ffv1"];
    all.extend(options);
    ffmpeg(&all, &path);
    path
}

fn rendered(video: &Path, out: &Path, more: &[&str]) -> Ran {
    let place = out.parent().unwrap();
    let audio = tone(place, "speech.wav", 16000, 1, 0.08);
    run(render(video, &audio, out).args(more))
}

/// The half-float value of a channel in the middle of a picture; `None` without such a channel.
fn value(image: &FlatImage, name: &str) -> Option<f32> {
    let mut channels = image.layer_data[0].channel_data.list.iter();
    let channel = channels.find(|channel| channel.name.eq(name))?;
    let FlatSamples::F16(values) = &channel.sample_data else {
        panic!("{name} is not half float");
    };
    Some(values[values.len() / 2].to_f32())
}

#[test]
fn a_movie_becomes_light_in_half_float() {
    if !has_ffmpeg() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let srgb = |v: f32| ((v / 255.0 + 0.055) / 1.055).powf(2.4);
    let (red, green, blue) = (srgb(192.0), srgb(128.0), srgb(64.0));
    let colour = "r=192:g=128:b=64";
    let clear = "r=192:g=128:b=64:a=102";
    // Newer versions of ffmpeg tag a file as its frames are, whatever the options say.
    let white = "r=593:g=593:b=593,setparams=color_primaries=bt2020:color_trc=smpte2084";
    let hdr: &[&str] = &["-pix_fmt", "gbrp10le"];
    for (name, colour, options, wanted, alpha) in [
        (
            "plain.mkv",
            colour,
            &["-pix_fmt", "gbrp"] as &[&str],
            [red, green, blue],
            None,
        ),
        // Premultiplied, as EXR wants it.
        (
            "clear.mkv",
            clear,
            &["-pix_fmt", "bgra"],
            [0.4 * red, 0.4 * green, 0.4 * blue],
            Some(0.4),
        ),
        // Diffuse white, 203 cd/m², is 58 % of the perceptual quantiser.
        ("white.mkv", white, hdr, [1.0; 3], None),
    ] {
        let video = plain(place.path(), name, colour, options);
        let out = place.path().join(name.replace('.', "-"));
        let ran = rendered(&video, &out, &["--pictures", "exr"]);
        assert_eq!(ran.code, 0, "{name}: {}", ran.errors);
        assert!(!ran.errors.contains("not kept"), "{name}: {}", ran.errors);
        assert_only(&out, &["000000.exr", "000001.exr"]);
        let image = read_all_flat_layers_from_file(out.join("000001.exr")).unwrap();
        for (channel, wanted) in ["R", "G", "B"].into_iter().zip(wanted) {
            let found = value(&image, channel).unwrap();
            assert!(
                (found - wanted).abs() < 0.01 * wanted,
                "{name} {channel}: {found}, {wanted}"
            );
        }
        match (value(&image, "A"), alpha) {
            (Some(found), Some(wanted)) => assert!((found - wanted).abs() < 1e-3, "{found}"),
            (found, wanted) => assert_eq!(found, wanted, "{name}"),
        }
        assert_eq!(image.attributes.pixel_aspect, 2.0, "{name}");
        let red = image.attributes.chromaticities.map(|found| found.red);
        assert_eq!(
            red,
            (name == "white.mkv").then_some(Vec2(0.708, 0.292)),
            "{name}"
        );
    }
    // Back to a movie: the same colours.
    let out = place.path().join("again.mkv");
    let ran = rendered(&place.path().join("plain-mkv"), &out, &[]);
    assert_eq!(ran.code, 0, "{}", ran.errors);
    let frame = place.path().join("again.png");
    ffmpeg(&["-i", out.to_str().unwrap(), "-frames:v", "1"], &frame);
    let found = pixels(&frame).get_pixel(8, 8).0;
    assert!(
        found
            .iter()
            .zip([192, 128, 64])
            .all(|(a, b): (&u8, u8)| a.abs_diff(b) <= 1),
        "{found:?}"
    );
}

#[test]
fn tiff_and_png_keep_the_movie_s_depth() {
    if !has_ffmpeg() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let deep = plain(
        place.path(),
        "deep.mkv",
        "r=600:g=300:b=1000",
        &["-pix_fmt", "gbrp10le"],
    );
    for (kind, ending) in [("tiff", "tif"), ("png", "png")] {
        let out = place.path().join(kind);
        let ran = rendered(&deep, &out, &["--pictures", kind]);
        assert_eq!(ran.code, 0, "{kind}: {}", ran.errors);
        assert!(
            ran.errors.contains("not kept: the pixel aspect ratio"),
            "{}",
            ran.errors
        );
        let image = image::open(out.join(format!("000000.{ending}"))).unwrap();
        assert_eq!(image.color(), image::ColorType::Rgb16, "{kind}");
        let found = image.into_rgb16().get_pixel(3, 3).0;
        for (found, wanted) in found.into_iter().zip([600.0, 300.0, 1000.0]) {
            let wanted = wanted / 1023.0 * 65535.0;
            assert!(
                (f64::from(found) - wanted).abs() < 64.0,
                "{kind}: {found}, {wanted}"
            );
        }
    }
}

#[test]
fn a_sequence_is_a_folder_and_a_movie_has_no_pictures() {
    if !has_ffmpeg() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let video = plain(
        place.path(),
        "clip.mkv",
        "r=1:g=2:b=3",
        &["-pix_fmt", "gbrp"],
    );
    let ran = rendered(&video, &place.path().join("%04d.exr"), &[]);
    assert_eq!(ran.code, 4, "{}", ran.errors);
    assert!(ran.errors.contains("name a folder"), "{}", ran.errors);
    let out = place.path().join("out.mov");
    let ran = rendered(&video, &out, &["--pictures", "exr"]);
    assert_eq!(ran.code, 2, "{}", ran.errors);
    assert!(
        ran.errors.contains("pictures: the result is a movie"),
        "{}",
        ran.errors
    );
    assert!(!out.exists());
}

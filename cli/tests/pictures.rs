//! Sequences of EXR and TIFF pictures in and out, and folders that cannot be used.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod cli_support;

use std::fs;
use std::path::{Path, PathBuf};

use cli_support::*;
use exr::prelude::*;
use image::{ImageBuffer, Rgba};

/// An EXR file: a display window of 96x64 at (10, 20), and a data window that is smaller at the left and the top,
/// and reaches beyond it at the right. Values reach 2. `Z` is a channel that is not touched.
fn write_exr(path: &Path, phase: f32, names: [&str; 4]) {
    let size = Vec2(100, 60);
    let sample = |scale: f32| -> Vec<f32> {
        let at = |n: usize| (n % size.0) as f32 / 50.0 * scale + phase;
        (0..size.0 * size.1).map(at).collect()
    };
    let half = |scale| FlatSamples::F16(sample(scale).into_iter().map(f16::from_f32).collect());
    let channels = [
        (names[0], half(1.0)),
        (names[1], half(0.5)),
        (names[2], half(0.25)),
        (names[3], half(0.4)),
        ("Z", FlatSamples::F32(sample(100.0))),
    ];
    let channels = channels.map(|(name, samples)| AnyChannel::new(name, samples));
    let mut attributes = LayerAttributes::named("main");
    attributes.layer_position = Vec2(14, 24);
    attributes.comments = Some("kept".into());
    let encoding = Encoding {
        compression: Compression::ZIP1,
        ..Encoding::default()
    };
    let channels = AnyChannels::sort(channels.into_iter().collect());
    let layer = Layer::new(size, attributes, encoding, channels);
    let window = IntegerBounds::new(Vec2(10, 20), Vec2(96, 64));
    let image = Image::from_layers(
        ImageAttributes::new(window),
        [layer].into_iter().collect::<Layers<_>>(),
    );
    image.write().to_file(path).unwrap();
}

fn read_exr(path: &Path) -> FlatImage {
    read_all_flat_layers_from_file(path).unwrap()
}

#[test]
fn exr_without_a_face_is_what_it_was() {
    let place = tempfile::tempdir().unwrap();
    let audio = tone(place.path(), "speech.wav", 16000, 1, 0.1);
    let folder = place.path().join("plates");
    fs::create_dir(&folder).unwrap();
    for index in 1001..1004u16 {
        let path = folder.join(format!("plate.{index}.exr"));
        write_exr(&path, f32::from(index - 1001) * 0.01, ["R", "G", "B", "A"]);
    }
    let out = place.path().join("out");
    let ran = run(&mut render(&folder, &audio, &out));
    assert_eq!(ran.code, 0, "{}", ran.errors);
    assert_only(
        &out,
        &["plate.1001.exr", "plate.1002.exr", "plate.1003.exr"],
    );
    for index in 1001..1004 {
        let name = format!("plate.{index}.exr");
        let (before, after) = (read_exr(&folder.join(&name)), read_exr(&out.join(&name)));
        assert_eq!(before.attributes, after.attributes);
        let (before, after) = (&before.layer_data[0], &after.layer_data[0]);
        assert_eq!(before.attributes, after.attributes);
        assert_eq!(before.size, after.size);
        assert_eq!(before.channel_data, after.channel_data, "{name}");
    }
    if !has_ffmpeg() {
        return;
    }
    let out = place.path().join("out.mov");
    let ran = run(&mut render(&folder, &audio, &out));
    assert_eq!(ran.code, 0, "{}", ran.errors);
    assert!(
        ran.errors.contains("not kept: light above 1"),
        "{}",
        ran.errors
    );
    assert_eq!(probe(&out, "v:0", "stream=width,height"), "96\n64");
    let frame = place.path().join("frame.png");
    ffmpeg(
        &[
            "-i",
            out.to_str().unwrap(),
            "-frames:v",
            "1",
            "-pix_fmt",
            "rgba",
        ],
        &frame,
    );
    let frame = pixels(&frame);
    assert_eq!(frame.get_pixel(1, 30).0[3], 0, "outside the data window");
    // Of light 0.5 (red) at column 25 of the data window.
    let red = frame.get_pixel(29, 30).0[0];
    assert!(red.abs_diff(188) < 5, "{red}");
}

#[test]
fn a_face_in_linear_light_speaks_as_in_srgb() {
    let place = tempfile::tempdir().unwrap();
    let [light, shown] = ["light", "shown"].map(|name| place.path().join(name));
    fs::create_dir(&light).unwrap();
    fs::create_dir(&shown).unwrap();
    for (index, path) in head_frames(4).iter().enumerate() {
        let picture = pixels(path);
        picture.save(shown.join(format!("{index}.png"))).unwrap();
        let value = |x: usize, y: usize| {
            let level = |v: u8| {
                let v = f32::from(v) / 255.0;
                if v <= 0.04045 {
                    v / 12.92
                } else {
                    ((v + 0.055) / 1.055).powf(2.4)
                }
            };
            let [r, g, b, _] = picture.get_pixel(x as u32, y as u32).0.map(level);
            (r, g, b)
        };
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        write_rgb_file(light.join(format!("{index}.exr")), width, height, value).unwrap();
    }
    let results = [&light, &shown].map(|folder| {
        let out = PathBuf::from(format!("{}-out", folder.display()));
        let ran = run(&mut render(folder, &head_words(), &out));
        assert_eq!(ran.code, 0, "{}", ran.errors);
        assert!(!ran.errors.contains("no face"), "{}", ran.errors);
        out
    });
    let first = read_exr(&results[0].join("2.exr"));
    let red = first.layer_data[0]
        .channel_data
        .list
        .iter()
        .find(|c| c.name.eq("R"))
        .unwrap();
    let source = pixels(&shown.join("2.png"));
    let result = pixels(&results[1].join("2.png"));
    let encoded = |light: f32| match light {
        ..=0.0031308 => light * 12.92 * 255.0,
        _ => (1.055 * light.powf(1.0 / 2.4) - 0.055) * 255.0,
    };
    let (mut changed, mut far, mut error) = (0, 0, 0.0);
    for (index, light) in red.sample_data.values_as_f32().enumerate() {
        let (x, y) = (index as u32 % source.width(), index as u32 / source.width());
        let [was, is] = [&source, &result].map(|picture| picture.get_pixel(x, y).0[0]);
        if was.abs_diff(is) > 12 {
            changed += 1;
            error += (encoded(light) - f32::from(is)).abs();
            far += u32::from((encoded(light) - f32::from(was)).abs() < 2.0);
        }
    }
    assert!(changed > 200, "{changed} pixels differ from the source");
    assert!(
        error / (changed as f32) < 6.0,
        "{} levels",
        error / changed as f32
    );
    assert!(
        far < changed / 4,
        "{far} of {changed} pixels are the source's"
    );
}

#[test]
fn tiff_stays_tiff_with_its_depth_and_alpha() {
    let place = tempfile::tempdir().unwrap();
    let audio = tone(place.path(), "speech.wav", 16000, 1, 0.1);
    let folder = place.path().join("scans");
    fs::create_dir(&folder).unwrap();
    let deep = |index: u32| {
        ImageBuffer::from_fn(64, 48, |x, y| {
            Rgba([x * 1000 + index, y * 1000, 7, 65535 - x].map(|v| v as u16))
        })
    };
    for index in 8..11 {
        deep(index)
            .save(folder.join(format!("scan {index}.tif")))
            .unwrap();
    }
    let out = place.path().join("out");
    let ran = run(&mut render(&folder, &audio, &out));
    assert_eq!(ran.code, 0, "{}", ran.errors);
    assert_only(&out, &["scan 10.tif", "scan 8.tif", "scan 9.tif"]);
    for index in 8..11 {
        let result = image::open(out.join(format!("scan {index}.tif"))).unwrap();
        assert_eq!(result.color(), image::ColorType::Rgba16);
        assert!(result.into_rgba16() == deep(index), "{index}");
    }
}

/// Renders a folder that is refused; returns the message.
fn refused(folder: &Path, audio: &Path) -> String {
    let out = PathBuf::from(format!("{}-result", folder.display()));
    let ran = run(&mut render(folder, audio, &out));
    assert_eq!(ran.code, 3, "{}", ran.errors);
    assert!(!out.exists());
    ran.errors
}

#[test]
fn folders_that_cannot_be_used_are_refused_by_name() {
    let place = tempfile::tempdir().unwrap();
    let audio = tone(place.path(), "speech.wav", 16000, 1, 0.1);
    let folder = |name: &str| -> PathBuf {
        let folder = place.path().join(name);
        fs::create_dir(&folder).unwrap();
        folder
    };
    let gap = folder("gap");
    for index in [8, 9, 11, 12] {
        let path = gap.join(format!("shot_{index:04}.png"));
        gradient_picture(32, 32, index).save(path).unwrap();
    }
    let errors = refused(&gap, &audio);
    assert!(errors.contains("gap has no picture shot_0010"), "{errors}");
    let mixed = folder("mixed");
    gradient_picture(32, 32, 1)
        .save(mixed.join("1.png"))
        .unwrap();
    gradient_picture(32, 34, 1)
        .save(mixed.join("2.tif"))
        .unwrap();
    let errors = refused(&mixed, &audio);
    assert!(
        errors.contains("2.tif is 32x34, 8 bits, but the clip's first is 32x32"),
        "{errors}"
    );
    let depth = folder("depth");
    write_exr(&depth.join("depth.1.exr"), 0.0, ["X", "Y", "B", "A"]);
    let errors = refused(&depth, &audio);
    assert!(
        errors.contains("depth.1.exr: no layer has channels R, G and B: there are A, B"),
        "{errors}"
    );
    // The header of a small file states 64 GiB.
    let huge = folder("huge");
    let path = huge.join("huge.exr");
    write_exr(&path, 0.0, ["R", "G", "B", "A"]);
    let mut image = read_exr(&path);
    image.attributes.display_window.size = Vec2(65536, 65536);
    image.write().to_file(&path).unwrap();
    let errors = refused(&huge, &audio);
    assert!(
        errors.contains("huge.exr") && errors.contains("too large"),
        "{errors}"
    );
    let cut = folder("cut");
    let whole = cut.join("whole.exr");
    write_exr(&whole, 0.0, ["R", "G", "B", "A"]);
    let bytes = fs::read(&whole).unwrap();
    fs::remove_file(&whole).unwrap();
    for (name, bytes) in [
        ("half.exr", &bytes[..bytes.len() / 2]),
        ("text.exr", b"no picture"),
    ] {
        fs::write(cut.join(name), bytes).unwrap();
        let errors = refused(&cut, &audio);
        assert!(errors.contains(name), "{errors}");
        fs::remove_file(cut.join(name)).unwrap();
    }
}

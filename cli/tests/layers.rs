//! `render --layers`: EXR sequences that make the result, and folders that cannot be used.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod cli_support;

use std::fs;
use std::path::Path;

use cli_support::*;
use exr::prelude::*;

/// A channel of an EXR file.
fn channel(path: &Path, name: &str) -> Vec<f32> {
    let image = read_all_flat_layers_from_file(path).unwrap();
    let channels = &image.layer_data[0].channel_data.list;
    let found = channels.iter().find(|channel| channel.name.eq(name));
    let found = found.unwrap_or_else(|| panic!("{} has no {name}", path.display()));
    found.sample_data.values_as_f32().collect()
}

#[test]
fn the_layers_over_the_source_are_the_result() {
    let place = tempfile::tempdir().unwrap();
    let video = place.path().join("video");
    fs::create_dir(&video).unwrap();
    for face in head_frames(3) {
        fs::copy(&face, video.join(face.file_name().unwrap())).unwrap();
    }
    let names: Vec<String> = (0..3).map(|index| format!("{index:04}")).collect();
    let (out, folder) = (place.path().join("out"), place.path().join("layers"));
    // Into a folder that holds a file of an earlier run, and one of something else.
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("mouth.0001.exr"), b"earlier").unwrap();
    fs::write(folder.join("notes.txt"), b"kept").unwrap();
    let mut command = render(&video, &head_words(), &out);
    let ran = run(command.arg("--layers").arg(&folder));
    assert_eq!(ran.code, 0, "{}", ran.errors);
    let kinds = ["matte", "mouth", "st"];
    let files = kinds
        .iter()
        .flat_map(|kind| names.iter().map(move |name| format!("{kind}.{name}.exr")));
    let mut files: Vec<String> = files.collect();
    files.push("notes.txt".into());
    files.sort();
    assert_only(
        &folder,
        &files.iter().map(String::as_str).collect::<Vec<_>>(),
    );
    for name in &names {
        let file = |kind: &str| folder.join(format!("{kind}.{name}.exr"));
        let source = pixels(&video.join(format!("{name}.jpg")));
        let result = pixels(&out.join(format!("{name}.png")));
        let colours = ["R", "G", "B"].map(|name| channel(&file("mouth"), name));
        let alpha = channel(&file("mouth"), "A");
        assert_eq!(alpha, channel(&file("matte"), "Y"));
        assert!(alpha.iter().filter(|alpha| **alpha == 1.0).count() > 1000);
        for (i, (before, after)) in source.pixels().zip(result.pixels()).enumerate() {
            for (c, colour) in colours.iter().enumerate() {
                let over = colour[i] + f32::from(before.0[c]) / 255.0 * (1.0 - alpha[i]);
                let off = (over * 255.0 - f32::from(after.0[c])).abs();
                assert!(off < 0.501, "{name}: pixel {i} is {off} levels off");
            }
        }
        let st = ["R", "G"].map(|name| channel(&file("st"), name));
        assert!(st[0][1] > st[0][0] && st[1][640] < st[1][0]);
    }
}

#[test]
fn without_a_face_the_layers_are_empty_in_the_window_of_the_source() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("plates");
    fs::create_dir(&folder).unwrap();
    let channels = AnyChannels::sort(
        ["R", "G", "B"]
            .map(|name| AnyChannel::new(name, FlatSamples::F32(vec![0.25; 64 * 48])))
            .into_iter()
            .collect(),
    );
    let position = Vec2(-5, 7);
    let attributes = LayerAttributes {
        layer_position: position,
        ..LayerAttributes::default()
    };
    let layer = Layer::new((64, 48), attributes, Encoding::FAST_LOSSLESS, channels);
    let window = IntegerBounds::new(position, (64, 48));
    let image = Image::new(ImageAttributes::new(window), layer);
    for name in ["plate.1001.exr", "plate.1002.exr"] {
        image.write().to_file(folder.join(name)).unwrap();
    }
    let audio = tone(place.path(), "speech.wav", 16000, 1, 0.1);
    let (out, layers) = (place.path().join("out"), place.path().join("layers"));
    let mut command = render(&folder, &audio, &out);
    let ran = run(command.arg("--layers").arg(&layers));
    assert_eq!(ran.code, 0, "{}", ran.errors);
    for (kind, names, empty) in [
        ("mouth", &["R", "G", "B", "A"][..], 0.0),
        ("matte", &["Y"], 0.0),
        ("st", &["R", "G"], -1.0),
    ] {
        let path = layers.join(format!("{kind}.plate.1001.exr"));
        let image = read_all_flat_layers_from_file(&path).unwrap();
        assert_eq!(image.attributes.display_window, window);
        assert_eq!(image.layer_data[0].attributes.layer_position, position);
        for name in names {
            assert_eq!(channel(&path, name), [empty; 64 * 48], "{kind} {name}");
        }
    }
}

#[test]
fn folders_that_cannot_be_used_are_refused_before_the_work() {
    let place = tempfile::tempdir().unwrap();
    let video = gradient(place.path(), 2);
    let audio = tone(place.path(), "speech.wav", 16000, 1, 0.1);
    let out = place.path().join("out");
    let file = place.path().join("file");
    fs::write(&file, b"a file").unwrap();
    let nowhere = place.path().join("no/such/place");
    let movie = place.path().join("layers.mov");
    for (folder, word) in [
        (&file, "it is a file"),
        (&nowhere, "no/such/place"),
        (&movie, "folder"),
        (&video, "the clip itself"),
        (&out, "folders of their own"),
    ] {
        let ran = run(render(&video, &audio, &out).arg("--layers").arg(folder));
        assert_eq!(ran.code, 4, "{}", ran.errors);
        assert!(ran.errors.contains(word), "{}", ran.errors);
        assert!(!out.exists());
    }
}

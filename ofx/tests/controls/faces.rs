//! Which face speaks, and the reference.

use std::path::Path;

use crate::host::*;
use crate::support::*;
use crate::{THIRTY, render, source};

#[test]
fn faces_and_references_are_chosen() {
    let plugin = open_plugin(HostOptions::default());
    let effect = plugin.start(Context::Filter);
    let instance = speaking(&effect, Context::Filter);
    let largest = render(&instance, THIRTY);
    instance.set("face", 2);
    assert!(
        render(&instance, THIRTY) == largest,
        "the only face is the leftmost"
    );
    instance.set("faceNumber", 2);
    assert!(
        render(&instance, THIRTY) == source(30),
        "there is no second face"
    );
    instance.set("face", 1);
    instance.set("facePoint", [WIDTH as f64 * 0.48, HEIGHT as f64 * 0.5]);
    assert!(render(&instance, THIRTY) == largest);
    instance.set("facePoint", [-900.0, -900.0]);
    assert!(render(&instance, THIRTY) == source(30));
    instance.set("face", 0);
    instance.set("reference", 1);
    instance.set("referenceFrame", 60);
    let other = render(&instance, THIRTY);
    assert!(other != largest && other != source(30));
    // The same reference, whichever frame is rendered first.
    let again = speaking(&effect, Context::Filter);
    again.set("reference", 1);
    again.set("referenceFrame", 60);
    render(&again, 61.0);
    assert!(render(&again, THIRTY) == other);
    instance.assert_clean();
    again.assert_clean();
}

#[test]
fn a_clip_that_begins_black_finds_its_face() {
    let plugin = open_plugin(HostOptions::default());
    let effect = plugin.start(Context::Filter);
    let instance = effect.create(Context::Filter).unwrap();
    let black = Picture::from_fn(WIDTH, HEIGHT, |_, _| [0.0, 0.0, 0.0, 1.0]);
    let shown = move |time: f64| {
        if time < 20.0 {
            Some(black.clone())
        } else {
            frame(time as usize)
        }
    };
    instance.connect("Source", Connection::new(WIDTH, HEIGHT, shown));
    instance.set("audio", other_speech().as_str());
    assert!(render(&instance, THIRTY) != source(30));
    instance.connect(
        "Source",
        Connection {
            absent: (24..100).map(f64::from).collect(),
            ..clip()
        },
    );
    instance.clip_changed("Source");
    assert!(
        render(&instance, 20.0) != source(20),
        "rendered without the neighbours that the host does not have"
    );
    instance.assert_clean();
}

#[test]
fn a_picture_selects_the_person() {
    let plugin = open_plugin(HostOptions::default());
    let effect = plugin.start(Context::Filter);
    let instance = speaking(&effect, Context::Filter);
    let largest = render(&instance, THIRTY);
    instance.set("face", 3);
    assert!(render(&instance, THIRTY) == source(30), "no picture");
    let picture = |path: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
        instance.set("facePicture", path.to_str().unwrap());
        render(&instance, THIRTY)
    };
    assert!(picture("models/head/clip/frames/0080.jpg") == largest);
    assert!(picture("README.md") == source(30), "no picture");
    instance.assert_clean();
}

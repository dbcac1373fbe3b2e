//! What the controls do, good and hostile values, and the buttons.
#![cfg(target_os = "linux")]

mod host;
mod support;

use host::*;
use support::*;

const THIRTY: f64 = 30.0;

fn plain() -> RenderOptions {
    RenderOptions::default()
}

fn render(instance: &Instance, time: f64) -> Vec<[f32; 4]> {
    let rendered = instance.render(time, &plain());
    assert!(rendered.status.is_ok(), "{:?}", rendered.status);
    rendered.rgba()
}

fn source(index: usize) -> Vec<[f32; 4]> {
    frame(index).unwrap().rgba
}

#[test]
fn what_changes_nothing_is_the_source_and_said_to_be() {
    let plugin = opened(HostOptions::default());
    let effect = plugin.start(Context::Filter);
    let instance = speaking(&effect, Context::Filter);
    let window = Rect::sized(WIDTH, HEIGHT);
    let identity = |time| instance.is_identity(time, window, [1.0, 1.0]).of;
    assert_eq!(identity(THIRTY), None);
    instance.set("strength", 0.0);
    assert_eq!(identity(THIRTY), Some(("Source".into(), THIRTY)));
    assert!(render(&instance, THIRTY) == source(30));
    instance.set("strength", 1.0);
    assert_eq!(identity(THIRTY), None);
    // Outside the clip.
    assert_eq!(identity(-3.0), Some(("Source".into(), -3.0)));
    instance.set("audio", "");
    assert_eq!(identity(THIRTY), Some(("Source".into(), THIRTY)));
    assert!(render(&instance, THIRTY) == source(30));
    // Thumbnails.
    instance.set("audio", other_words().as_str());
    let thumbnail = RenderOptions {
        thumbnail: true,
        ..plain()
    };
    assert!(instance.render(THIRTY, &thumbnail).rgba() == source(30));
    instance.assert_clean();
    assert!(instance.log().messages.is_empty());
}

#[test]
fn strength_mixes_and_the_window_limits() {
    let plugin = opened(HostOptions::default());
    let effect = plugin.start(Context::Filter);
    let instance = speaking(&effect, Context::Filter);
    let (was, whole) = (source(30), render(&instance, THIRTY));
    instance.set("strength", 0.5);
    let half = render(&instance, THIRTY);
    for ((was, whole), half) in was.iter().zip(&whole).zip(&half) {
        for channel in 0..3 {
            let middle = (was[channel] + whole[channel]) / 2.0;
            assert!((middle - half[channel]).abs() < 1e-5);
        }
    }
    instance.set("strength", 1.0);
    // A window over a part of the mouth: the same pixels there, and the host sees that no other is.
    let (at, count) = difference(&was, &whole, WIDTH);
    assert!(count > 500, "{count} pixels");
    let middle = HEIGHT as i32 - (at[1] + at[3]) as i32 / 2;
    let window = Rect::new(
        at[0] as i32 - 5,
        middle - 20,
        (at[0] + at[2]) as i32 / 2,
        middle + 9,
    );
    let options = RenderOptions {
        window: Some(window),
        ..plain()
    };
    let part = instance.render(THIRTY, &options);
    for (k, pixel) in part.rgba().iter().enumerate() {
        let (x, y) = (k % window.width(), k / window.width());
        let row = HEIGHT - window.y2 as usize + y;
        assert_eq!(*pixel, whole[row * WIDTH + window.x1 as usize + x]);
    }
    instance.assert_clean();
}

#[test]
fn outputs_show_the_matte_the_mask_and_the_track() {
    let plugin = opened(HostOptions::default());
    let effect = plugin.start(Context::General);
    let instance = speaking(&effect, Context::General);
    let (was, result) = (source(30), render(&instance, THIRTY));
    instance.set("output", 1);
    let matte = render(&instance, THIRTY);
    for ((was, result), matte) in was.iter().zip(&result).zip(&matte) {
        assert_eq!(result[..3], matte[..3]);
        assert!((0.0..=1.0).contains(&matte[3]));
        assert!(matte[3] > 0.0 || was == result, "changed outside the matte");
    }
    assert!(matte.iter().any(|pixel| pixel[3] == 1.0));
    instance.set("output", 2);
    let mask = render(&instance, THIRTY);
    for ((result, matte), mask) in result.iter().zip(&matte).zip(&mask) {
        assert!(if matte[3] > 0.5 {
            mask[0] > mask[1] + 0.1
        } else {
            matte[3] > 0.0 || mask == result
        });
    }
    instance.set("output", 3);
    let track = render(&instance, THIRTY);
    let (at, count) = difference(&result, &track, WIDTH);
    // The crop's box stands out of the mask's.
    assert!(count > 200 && at[1] < HEIGHT * 2 / 5, "{at:?} {count}");
    instance.set("output", 0);

    // An occlusion over the left half of the picture keeps it; alpha alone, and RGBA.
    for components in [Components::Alpha, Components::Rgba] {
        let left = |x: usize, _: usize| [0.2, 0.3, 0.1, f32::from(x < WIDTH / 2)];
        let hidden = Picture::from_fn(WIDTH, HEIGHT, left);
        let connection = Connection::new(WIDTH, HEIGHT, move |_| Some(hidden.clone()));
        instance.connect(
            "Occlusion",
            Connection {
                components,
                ..connection
            },
        );
        let shown = render(&instance, THIRTY);
        for (k, shown) in shown.iter().enumerate() {
            assert_eq!(
                shown,
                if k % WIDTH < WIDTH / 2 {
                    &was[k]
                } else {
                    &result[k]
                }
            );
        }
        instance.disconnect("Occlusion");
    }
    instance.assert_clean();
}

#[test]
fn a_see_through_face_gets_a_see_through_mouth() {
    let plugin = opened(HostOptions::default());
    let effect = plugin.start(Context::Filter);
    let instance = speaking(&effect, Context::Filter);
    let half = |index: usize| {
        let picture = frame(index)?;
        Some(Picture::from_fn(WIDTH, HEIGHT, |x, y| {
            picture.rgba[y * WIDTH + x].map(|v| v / 2.0)
        }))
    };
    let connection = Connection::new(WIDTH, HEIGHT, move |time| half(time as usize));
    instance.connect("Source", connection);
    for pixel in render(&instance, THIRTY) {
        assert_eq!(pixel[3], 0.5);
        assert!(
            pixel[..3].iter().all(|v| *v <= 0.5),
            "brighter than its alpha: {pixel:?}"
        );
    }
    instance.assert_clean();
}

#[test]
fn proxies_show_the_same_mouth_smaller() {
    let plugin = opened(HostOptions::default());
    let effect = plugin.start(Context::Filter);
    let instance = speaking(&effect, Context::Filter);
    let (was, whole) = (source(30), render(&instance, THIRTY));
    let (at, _) = difference(&was, &whole, WIDTH);
    // An editor who works with proxies from the start.
    let instance = speaking(&effect, Context::Filter);
    let proxy = RenderOptions {
        scale: [0.5, 0.5],
        ..plain()
    };
    let small = instance.render(THIRTY, &proxy);
    assert!(small.status.is_ok());
    let proxied = frame(30).unwrap().resized(WIDTH / 2, HEIGHT / 2);
    let (within, _) = difference(&proxied.rgba, &small.rgba(), WIDTH / 2);
    for (small, large) in within.iter().zip(at) {
        assert!((2 * small).abs_diff(large) <= 14, "{within:?} of {at:?}");
    }
    instance.assert_clean();
}

#[test]
fn hostile_values_are_told_once_and_crash_nothing() {
    let plugin = opened(HostOptions::default());
    let effect = plugin.start(Context::Filter);
    let place = tempfile::tempdir().unwrap();
    let garbage = place.path().join("garbage.wav");
    std::fs::write(&garbage, b"RIFFnothing of worth").unwrap();
    let (garbage, folder) = (
        garbage.display().to_string(),
        place.path().display().to_string(),
    );
    type Set<'a> = &'a dyn Fn(&Instance);
    // What is set, and a word of what the editor is told.
    let told: &[(Set<'_>, &str)] = &[
        (
            &|i| i.set("audio", "/nowhere/words.wav"),
            "/nowhere/words.wav",
        ),
        (&|i| i.set("audio", folder.as_str()), "Audio File"),
        (&|i| i.set("audio", garbage.as_str()), "Audio File"),
        (&|i| i.set("person", garbage.as_str()), "garbage.wav"),
        (
            &|i| i.set("person", "/nowhere/person.safetensors"),
            "/nowhere/person",
        ),
        (&|i| i.set("model", 1), "Model Folder"),
        (
            &|i| {
                i.set("model", 1);
                i.set("modelFolder", folder.as_str())
            },
            "manifest.json",
        ),
        (&|i| i.set("device", 4), "CoreML"),
        (
            &|i| {
                i.set("reference", 1);
                i.set("referenceFrame", 5000)
            },
            "Reference Frame",
        ),
    ];
    for (set, word) in told {
        let instance = speaking(&effect, Context::Filter);
        set(&instance);
        for time in [THIRTY, 31.0] {
            assert!(render(&instance, time) == source(time as usize), "{word}");
        }
        let log = instance.log();
        let [message] = log.messages.as_slice() else {
            panic!("{word}: {:?}", log.messages);
        };
        assert!(
            message.text.to_lowercase().contains(&word.to_lowercase()),
            "{}",
            message.text
        );
        // Mended: the message goes, the mouth comes.
        for (name, value) in [("person", ""), ("modelFolder", "")] {
            instance.set(name, value);
        }
        for name in ["model", "device", "reference"] {
            instance.set(name, 0);
        }
        instance.set("audio", other_words().as_str());
        assert!(render(&instance, THIRTY) != source(30));
        assert!(instance.log().persistent.is_empty());
        instance.assert_clean();
    }
    // Numbers beyond every range become the nearest of their range; nothing is told.
    let instance = speaking(&effect, Context::Filter);
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 2e9, -2e9] {
        for name in [
            "strength",
            "maskGrow",
            "maskFeather",
            "colourMatch",
            "audioOffset",
            "frameRate",
        ] {
            instance.set(name, number);
            assert!(
                instance.render(THIRTY, &plain()).status.is_ok(),
                "{name} {number}"
            );
            instance.set(
                name,
                if ["strength", "maskFeather", "colourMatch"].contains(&name) {
                    1.0
                } else {
                    0.0
                },
            );
        }
    }
    for number in [i32::MIN, -1, 77, i32::MAX] {
        for name in ["face", "faceNumber", "audioStart", "output", "inputColour"] {
            instance.set(name, number);
            assert!(
                instance.render(THIRTY, &plain()).status.is_ok(),
                "{name} {number}"
            );
            instance.set(name, 0);
        }
    }
    assert!(
        instance.log().messages.is_empty(),
        "{:?}",
        instance.log().messages
    );
    instance.assert_clean();
}

#[test]
fn faces_and_references_are_chosen() {
    let plugin = opened(HostOptions::default());
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
    // The same reference, whatever frame asks for it first.
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
    let plugin = opened(HostOptions::default());
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
    instance.set("audio", other_words().as_str());
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
        "neighbours that the host has not are done without"
    );
    instance.assert_clean();
}

#[test]
fn buttons_set_frames_and_the_status_tells() {
    let plugin = opened(HostOptions::default());
    let effect = plugin.start(Context::Filter);
    let instance = effect.create(Context::Filter).unwrap();
    instance.connect("Source", clip());
    instance.set_timeline(42.0, 0.0, 99.0);
    instance.changed("audioStartHere");
    assert_eq!(instance.get("audioStart").int(), 42);
    assert!(instance.get("status").text().contains("no audio file"));
    instance.set_timeline(17.0, 0.0, 99.0);
    instance.changed("referenceHere");
    assert_eq!(
        (
            instance.get("referenceFrame").int(),
            instance.get("reference").int()
        ),
        (17, 1)
    );
    instance.edit("audio", other_words().as_str());
    render(&instance, 45.0);
    instance.edit("strength", 0.9);
    let status = instance.get("status").text();
    assert!(
        status.contains("on cpu") && status.contains("face"),
        "{status}"
    );
    instance.assert_clean();
    // Words that begin at a frame are the words of the first frame, so much later.
    let mouth = |start: i32, time: f64| {
        let one = speaking(&effect, Context::Filter);
        one.connect("Source", Connection::new(WIDTH, HEIGHT, |_| frame(30)));
        one.set("audioStart", start);
        render(&one, time)
    };
    assert!(mouth(0, 30.0) == mouth(25, 55.0));
    assert!(mouth(0, 30.0) != mouth(0, 55.0));
}

#[test]
fn this_face_is_adapted_to_and_the_work_can_be_stopped() {
    let plugin = opened(HostOptions::default());
    let effect = plugin.start(Context::Filter);
    let instance = effect.create(Context::Filter).unwrap();
    instance.connect("Source", clip());
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("person.safetensors");
    let press = || {
        instance.changed("adapt");
        instance
            .log()
            .messages
            .last()
            .map(|message| message.text.clone())
            .unwrap_or_default()
    };
    assert!(press().contains("New Person File"));
    instance.set("adaptOut", out.display().to_string().as_str());
    assert!(press().contains("Audio File"));
    instance.set("audio", own_words().as_str());
    instance.set("adaptFrom", 9);
    instance.set("adaptTo", 3);
    assert!(press().contains("Adapt From Frame"));
    instance.set("adaptFrom", 10);
    instance.set("adaptTo", 30);
    assert!(press().contains("2 s at least"));
    instance.set("adaptTo", 64);
    instance.set("adaptSteps", 2);
    instance.set("adaptConsent", "a rendered head; nobody to ask");
    instance.cancel_progress_when(Interrupt::after(20));
    assert!(press().contains("stopped"));
    assert!(!out.exists());
    instance.cancel_progress_when(Interrupt::never());
    let updates = || {
        let log = instance.log();
        let is_update = |progress: &&Progress| matches!(progress, Progress::Update(_));
        log.progress.iter().filter(is_update).count()
    };
    let before = updates();
    let told = press();
    assert!(told.starts_with("2 steps"), "{told}");
    assert!(out.is_file());
    assert_eq!(instance.get("person").text(), out.display().to_string());
    assert_eq!(
        std::fs::read_dir(place.path()).unwrap().count(),
        1,
        "no checkpoint is left"
    );
    let asked = updates() - before;

    // Stopped while it learns, it leaves a checkpoint; other frames are then learnt from anew.
    std::fs::remove_file(&out).unwrap();
    instance.cancel_progress_when(Interrupt::after(asked - 2));
    assert!(press().contains("stopped"));
    assert!(out.with_extension("checkpoint").is_file());
    assert!(!out.exists());
    instance.cancel_progress_when(Interrupt::never());
    instance.set("adaptTo", 70);
    let told = press();
    assert!(told.starts_with("2 steps"), "{told}");
    assert!(out.is_file());

    // The person is rendered as: another mouth than without.
    let adapted = render(&instance, 80.0);
    instance.set("person", "");
    assert!(render(&instance, 80.0) != adapted);
    instance.assert_clean();
}

/// The effect's file shows hosts the entry points alone, and needs nothing that a system lacks.
#[test]
fn nothing_but_the_entry_points_is_shown() {
    let output = |program: &str, argument: &str| {
        let done = std::process::Command::new(program)
            .args([argument, "--"])
            .arg(effect_file())
            .output();
        match done {
            Ok(done) if done.status.success() => Some(String::from_utf8(done.stdout).unwrap()),
            _ => {
                eprintln!("skipped: {program} is missing (package binutils)");
                None
            }
        }
    };
    if let Some(symbols) = output("nm", "-DP") {
        let shown = symbols.lines().filter(|line| {
            !line
                .split(' ')
                .nth(1)
                .is_none_or(|kind| kind == "U" || kind == "w")
        });
        let mut shown: Vec<_> = shown.filter_map(|line| line.split(' ').next()).collect();
        shown.sort_unstable();
        assert_eq!(
            shown,
            ["OfxGetNumberOfPlugins", "OfxGetPlugin", "OfxSetHost"]
        );
    }
    if let Some(dynamic) = output("readelf", "-d") {
        for line in dynamic.lines().filter(|line| line.contains("(NEEDED)")) {
            let known = [
                "libc.so",
                "libm.so",
                "libgcc_s.so",
                "libpthread.so",
                "libdl.so",
                "ld-linux",
            ];
            assert!(known.iter().any(|name| line.contains(name)), "{line}");
        }
        assert!(dynamic.contains("NODELETE") && dynamic.contains("SYMBOLIC"));
    }
}

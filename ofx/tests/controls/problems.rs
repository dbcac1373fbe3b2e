//! Missing and damaged files, and values out of range.

use crate::host::*;
use crate::support::*;
use crate::{THIRTY, render, source};

/// A named pipe: opening it would wait for a writer. Only where the system has pipes in folders.
fn pipe(folder: &std::path::Path) -> String {
    let pipe = folder.join("pipe.wav");
    if cfg!(unix) {
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.is_ok_and(|status| status.success()), "mkfifo");
    }
    pipe.display().to_string()
}

#[test]
fn a_problem_is_reported_once_and_the_source_passes() {
    let plugin = open_plugin(HostOptions::default());
    let effect = plugin.start(Context::Filter);
    let place = tempfile::tempdir().unwrap();
    let garbage = place.path().join("garbage.wav");
    std::fs::write(&garbage, b"RIFF and no audio").unwrap();
    let pipe = pipe(place.path());
    let (garbage, folder) = (
        garbage.display().to_string(),
        place.path().display().to_string(),
    );
    type Set<'a> = &'a dyn Fn(&Instance);
    // What is set, and a part of the message.
    let special: &[(Set<'_>, &str)] = &[
        (&|i| i.set("audio", pipe.as_str()), "not a regular file"),
        (&|i| i.set("audio", "/dev/zero"), "not a regular file"),
        (&|i| i.set("person", pipe.as_str()), "not a regular file"),
    ];
    let cases: &[(Set<'_>, &str)] = &[
        (
            &|i| i.set("audio", "/nowhere/speech.wav"),
            "/nowhere/speech.wav",
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
        (&|i| i.set("requireConsent", 1), "Require Consent"),
        (&|i| i.set("consentFile", garbage.as_str()), "Consent File"),
        (
            &|i| {
                i.set("reference", 1);
                i.set("referenceFrame", 5000)
            },
            "Reference Frame",
        ),
    ];
    let special = if cfg!(unix) { special } else { &[] };
    for (set, part) in special.iter().chain(cases) {
        let instance = speaking(&effect, Context::Filter);
        set(&instance);
        for time in [THIRTY, 31.0] {
            assert!(render(&instance, time) == source(time as usize), "{part}");
        }
        let log = instance.log();
        let [message] = log.messages.as_slice() else {
            panic!("{part}: {:?}", log.messages);
        };
        assert!(
            message.text.to_lowercase().contains(&part.to_lowercase()),
            "{}",
            message.text
        );
        // Corrected: the message disappears, and the mouth is rendered.
        for (name, value) in [("person", ""), ("modelFolder", ""), ("consentFile", "")] {
            instance.set(name, value);
        }
        for name in ["model", "device", "reference", "requireConsent"] {
            instance.set(name, 0);
        }
        instance.set("audio", other_speech().as_str());
        assert!(render(&instance, THIRTY) != source(30));
        assert!(instance.log().persistent.is_empty());
        instance.assert_clean();
    }
}

/// A render farm, and who exports a film, must notice a frame that was rendered without what it needs.
#[test]
fn what_is_missing_fails_an_export_and_lets_a_preview_pass() {
    const PASS: i32 = 1;
    const FAIL: i32 = 2;
    type Set<'a> = &'a dyn Fn(&Instance);
    // What is set, and what the message names.
    let missing: &[(Set<'_>, [&str; 2])] = &[
        (
            &|i| i.set("audio", "/nowhere/speech.wav"),
            ["Audio File", "speech.wav"],
        ),
        (
            &|i| i.set("person", "/nowhere/person.safetensors"),
            ["Person File", "person.safetensors"],
        ),
        (
            &|i| {
                i.set("model", 1);
                i.set("modelFolder", "/nowhere/model");
            },
            ["Model Folder", "/nowhere/model"],
        ),
        (&|i| i.set("device", 4), ["Device", "CoreML"]),
        (
            &|i| {
                i.set("reference", 1);
                i.set("referenceFrame", 5000);
            },
            ["Reference Frame", "5000"],
        ),
    ];
    let preview = RenderOptions::default();
    let export = RenderOptions {
        interactive: false,
        ..preview.clone()
    };
    // The user moves a control while the host exports.
    let response = RenderOptions {
        responding: true,
        ..export.clone()
    };
    for background in [0, 1] {
        let plugin = open_plugin(HostOptions {
            extra: vec![(
                c"OfxImageEffectHostPropIsBackground".into(),
                background.into(),
            )],
            ..HostOptions::default()
        });
        let effect = plugin.start(Context::Filter);
        for (set, names) in missing {
            let instance = speaking(&effect, Context::Filter);
            for session in [&preview, &export] {
                assert!(instance.render(THIRTY, session).rgba() != source(30));
            }
            set(&instance);
            for (session, fails) in [
                (&preview, background == 1),
                (&export, true),
                (&response, background == 1),
                (&preview, background == 1),
            ] {
                for (choice, fails) in [(0, fails), (PASS, false), (FAIL, true)] {
                    instance.set("onProblem", choice);
                    let rendered = instance.render(THIRTY, session);
                    let about = format!("{names:?} {background} {session:?} {choice}");
                    assert_eq!(!rendered.status.is_ok(), fails, "{about}");
                    assert!(fails || rendered.rgba() == source(30), "{about}");
                }
            }
            let [message] = instance.log().messages.try_into().expect("one message");
            for name in names {
                assert!(message.text.contains(name), "{}", message.text);
            }
            for (choice, says) in [
                (PASS, "the picture passes through unchanged"),
                (FAIL, "the render fails"),
            ] {
                instance.edit("onProblem", choice);
                let status = instance.get("status").text();
                assert!(status.contains(says), "{status}");
                assert!(status.contains(names[0]), "{status}");
            }
            instance.assert_clean();
        }
        // Without an audio file the effect is off: not a problem.
        let instance = speaking(&effect, Context::Filter);
        instance.set("audio", "");
        assert!(instance.render(THIRTY, &export).rgba() == source(30));
        instance.assert_clean();
    }
}

/// Values out of range have the effect of the nearest value in range, and those that are not numbers
/// that of the default.
#[test]
fn values_out_of_range_are_clamped() {
    let plugin = open_plugin(HostOptions::default());
    let effect = plugin.start(Context::Filter);
    let instance = speaking(&effect, Context::Filter);
    let default = render(&instance, THIRTY);
    assert!(default != source(30));
    for (name, low, high, default_value) in [
        ("strength", 0.0, 1.0, 1.0),
        ("articulation", 0.0, 2.0, 1.0),
        ("detail", 0.0, 2.0, 1.0),
        ("maskGrow", -20.0, 20.0, 0.0),
        ("maskFeather", 0.0, 4.0, 1.0),
        ("colourMatch", 0.0, 1.0, 1.0),
        ("audioOffset", -3.6e6, 3.6e6, 0.0),
        ("frameRate", 0.0, 1000.0, 0.0),
    ] {
        let at = |value: f64| {
            instance.set(name, value);
            render(&instance, THIRTY)
        };
        let (lowest, highest) = (at(low), at(high));
        assert!(
            lowest != default || highest != default,
            "{name} has no effect"
        );
        for (value, expected) in [
            (2e9, &highest),
            (-2e9, &lowest),
            (f64::NAN, &default),
            (f64::INFINITY, &default),
            (f64::NEG_INFINITY, &default),
        ] {
            assert!(at(value) == *expected, "{name} {value}");
        }
        instance.set(name, default_value);
    }
    for (name, low, high) in [
        ("faceNumber", 1, 100),
        ("audioStart", -10_000_000, 10_000_000),
    ] {
        // The number of a face counts for this choice only.
        instance.set("face", if name == "faceNumber" { 2 } else { 0 });
        for (values, nearest) in [([i32::MIN, low - 1], low), ([i32::MAX, high + 1], high)] {
            instance.set(name, nearest);
            let expected = render(&instance, THIRTY);
            for value in values {
                instance.set(name, value);
                assert!(render(&instance, THIRTY) == expected, "{name} {value}");
            }
        }
        instance.set(name, if name == "faceNumber" { 1 } else { 0 });
        instance.set("face", 0);
    }
    // Choices that do not exist are the first one.
    for name in [
        "face",
        "reference",
        "output",
        "inputColour",
        "model",
        "device",
    ] {
        for value in [i32::MIN, -1, 77, i32::MAX] {
            instance.set(name, value);
            assert!(render(&instance, THIRTY) == default, "{name} {value}");
        }
        instance.set(name, 0);
    }
    let messages = instance.log().messages;
    assert!(messages.is_empty(), "{messages:?}");
    instance.assert_clean();
}

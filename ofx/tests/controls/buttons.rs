//! The buttons and the status line.

use crate::host::*;
use crate::render;
use crate::support::*;

#[test]
fn buttons_set_frames_and_the_status_line_reports() {
    let plugin = open_plugin(HostOptions::default());
    let effect = plugin.start(Context::Filter);
    let instance = effect.create(Context::Filter).unwrap();
    instance.connect("Source", clip());
    instance.set_timeline(42.0, 0.0, 99.0);
    instance.changed("audioStartHere");
    assert_eq!(
        (
            instance.get("audioStart").int(),
            instance.get("audioFrom").int()
        ),
        (42, 1)
    );
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
    instance.edit("audio", other_speech().as_str());
    render(&instance, 45.0);
    instance.edit("strength", 0.9);
    let status = instance.get("status").text();
    assert!(
        status.contains("on cpu") && status.contains("frame 45: face "),
        "{status}"
    );
    assert!(status.contains("reference: frame 17"), "{status}");
    assert!(!status.contains("among"), "{status}");
    // What the render left unchanged, and why.
    let status_after = |name: &str, value: i32| {
        instance.set(name, value);
        render(&instance, 45.0);
        instance.edit("strength", 0.9);
        instance.get("status").text()
    };
    assert!(!status.contains("the audio "), "{status}");
    let status = status_after("audioStart", 1001);
    assert!(status.contains("the audio has not begun"), "{status}");
    instance.set("audioStart", 42);
    instance.set("reference", 0);
    instance.set("faceNumber", 2);
    let status = status_after("face", 2);
    assert!(
        status.contains("frame 45: the selected face is not in it, which shows 1 face"),
        "{status}"
    );
    assert!(status.contains("reference: each frame itself"), "{status}");
    let status = status_after("face", 0);
    let (_, chosen) = status.split_once("reference: frame ").unwrap();
    let (chosen, _) = chosen.split_once(", among frames 0 to 24").unwrap();
    assert!(
        (0..=24).contains(&chosen.parse::<i64>().unwrap()),
        "{status}"
    );
    // A problem is reported once, before the render as after it.
    instance.edit("audio", "/nowhere/speech.wav");
    for _ in 0..2 {
        let status = instance.get("status").text();
        assert_eq!(status.matches("/nowhere/speech.wav").count(), 1, "{status}");
        assert!(status.starts_with("Audio File"), "{status}");
        render(&instance, 45.0);
        instance.changed("audio");
    }
    instance.assert_clean();
    // Audio that starts at frame 25 gives frame 55 what audio from frame 0 gives frame 30.
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
fn adaptation_writes_a_person_file_and_can_be_stopped() {
    let plugin = open_plugin(HostOptions::default());
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
    instance.set("audio", own_speech().as_str());
    instance.set("adaptFrom", 9);
    instance.set("adaptTo", 3);
    assert!(press().contains("Adapt From Frame"));
    instance.set("adaptFrom", 10);
    instance.set("adaptTo", 30);
    assert!(press().contains("at least 2 s"));
    instance.set("adaptTo", 64);
    instance.set("adaptSteps", 2);
    instance.set("adaptConsent", "a rendered head: no consent needed");
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
    let message = press();
    assert!(message.starts_with("2 steps"), "{message}");
    assert!(out.is_file());
    assert_eq!(instance.get("person").text(), out.display().to_string());
    assert_eq!(
        std::fs::read_dir(place.path()).unwrap().count(),
        1,
        "no checkpoint is left"
    );
    let asked = updates() - before;

    // Stopped in training, it leaves a checkpoint; with other frames, training starts again.
    std::fs::remove_file(&out).unwrap();
    instance.cancel_progress_when(Interrupt::after(asked - 2));
    assert!(press().contains("stopped"));
    assert!(out.with_extension("checkpoint").is_file());
    assert!(!out.exists());
    instance.cancel_progress_when(Interrupt::never());
    instance.set("adaptTo", 70);
    let message = press();
    assert!(message.starts_with("2 steps"), "{message}");
    assert!(out.is_file());

    // The person file changes the mouth.
    let adapted = render(&instance, 80.0);
    instance.set("person", "");
    assert!(render(&instance, 80.0) != adapted);
    instance.assert_clean();
}

#[test]
fn the_report_lists_the_frames_that_were_changed() {
    let plugin = open_plugin(HostOptions::default());
    let effect = plugin.start(Context::Filter);
    let instance = speaking(&effect, Context::Filter);
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("report.json");
    let last = |instance: &Instance| instance.log().messages.last().unwrap().text.clone();
    instance.changed("writeReport");
    assert!(
        last(&instance).contains("Report File"),
        "{}",
        last(&instance)
    );
    instance.set("report", path.to_str().unwrap());
    instance.changed("writeReport");
    assert!(
        last(&instance).contains("render the frames first"),
        "{}",
        last(&instance)
    );
    assert!(!path.exists());
    for time in [30.0, 31.0, 45.0] {
        render(&instance, time);
    }
    instance.changed("writeReport");
    let text = std::fs::read_to_string(&path).unwrap();
    let report = stylelipsync::Provenance::parse(&text).unwrap();
    assert_eq!(report.frames.changed, [[30, 31], [45, 45]]);
    assert!(report.audio.unwrap().samples_sha256.is_some());
    instance.edit("strength", 0.5);
    instance.changed("writeReport");
    assert!(
        last(&instance).contains("render the frames first"),
        "{}",
        last(&instance)
    );
}

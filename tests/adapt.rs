//! What is promised of adaptation: it learns, by the seed alone; it can be stopped, killed and taken
//! up again; what it makes fits its bundle and no other; what it cannot learn from it refuses.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod clip_support;

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::OnceLock;

use clip_support::*;
use stylelipsync::adapt::{AdaptOptions, Adaptation, Person, Progress, Weights};
use stylelipsync::audio::decode_file;
use stylelipsync::{Clip, ClipOptions, Consent, Error};

const FRAMES: usize = 64;

/// The bundled head, saying what it says.
fn clip() -> Clip {
    static SPEECH: OnceLock<Vec<f32>> = OnceLock::new();
    let speech = SPEECH.get_or_init(|| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/head/clip/speech.wav");
        decode_file(&path).unwrap().to_16k().unwrap()
    });
    analysed(ClipOptions::default(), &head(FRAMES), speech, 16_000)
}

/// A job with all of its frames.
fn job(clip: &Clip, options: AdaptOptions) -> Adaptation {
    let mut job = Adaptation::new(clip, options).unwrap();
    for (index, frame) in head(FRAMES).iter().enumerate() {
        job.add(clip, index as i64, &frame.view()).unwrap();
    }
    assert_eq!(job.missing(), 0);
    job
}

fn go_on(_: &Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn sentence<T>(result: stylelipsync::Result<T>) -> String {
    result.err().expect("it was accepted").to_string()
}

#[test]
fn frames_that_are_not_learnt_from_get_better() {
    let clip = clip();
    let options = AdaptOptions {
        steps: 50,
        rate: 4e-4,
        // The picture's is what shows after so few steps.
        weights: Weights {
            picture: 10.0,
            sync: 0.1,
            regulariser: 0.1,
        },
        ..AdaptOptions::default()
    };
    let mut last = None;
    let person = job(&clip, options)
        .run(|progress| {
            assert!(progress.terms.iter().all(|term| term.is_finite()));
            last = Some(*progress);
            ControlFlow::Continue(())
        })
        .unwrap();
    let last = last.unwrap();
    assert_eq!((last.step, last.steps, person.info().steps), (50, 50, 50));
    let [before, after] = last
        .held_out
        .expect("64 frames are enough to hold some out");
    println!("held out {before} -> {after}");
    assert!(after < 0.97 * before, "{before} -> {after}");
}

#[test]
fn stopped_and_taken_up_again_it_learns_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = folder.path().join("head.checkpoint");
    let clip = clip();
    let options = |steps, checkpoint: Option<&Path>| AdaptOptions {
        steps,
        checkpoint: checkpoint.map(Into::into),
        frames: 10,
        ..AdaptOptions::default()
    };
    let straight = job(&clip, options(4, None)).run(go_on).unwrap();

    let stopped = job(&clip, options(4, Some(&checkpoint))).run(|progress| match progress.step {
        2 => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    assert!(matches!(stopped, Err(Error::Cancelled)), "{stopped:?}");
    let mut steps = Vec::new();
    let resumed = job(&clip, options(4, Some(&checkpoint))).run(|progress| {
        steps.push(progress.step);
        ControlFlow::Continue(())
    });
    assert_eq!(resumed.unwrap().hash(), straight.hash());
    assert_eq!(steps, [3, 4]);

    // Another seed is another person, and its checkpoint belongs to another training.
    let other = AdaptOptions {
        seed: 1,
        ..options(4, Some(&checkpoint))
    };
    let message = sentence(job(&clip, other).run(go_on));
    assert!(
        message.contains("head.checkpoint: is a checkpoint of another training"),
        "{message}"
    );
    std::fs::write(&checkpoint, b"not this").unwrap();
    let message = sentence(job(&clip, options(4, Some(&checkpoint))).run(go_on));
    assert!(message.contains("is not a checkpoint"), "{message}");
}

#[test]
fn a_person_changes_the_clip_and_only_while_it_is_set() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("head.safetensors");
    let (mut clip, frames) = (clip(), head(FRAMES));
    let before = render(&clip, &frames, 30);
    let options = AdaptOptions {
        steps: 2,
        rate: 1e-2,
        frames: 10,
        consent: "drawn by this project".into(),
        consent_record: Some(Consent {
            who: "nobody: a drawing".into(),
            when: "2020-01-01".into(),
            scope: "tests".into(),
            expires: Some("2021-01-01".into()),
            document_sha256: "0".repeat(64),
        }),
        ..AdaptOptions::default()
    };
    let person = job(&clip, options).run(go_on).unwrap();
    person.save(&path).unwrap();
    let engine = engine();
    let bundle = engine.bundle();
    let loaded = Person::load(&path, bundle).unwrap();
    assert_eq!(loaded, person);
    assert_eq!(loaded.info().consent, "drawn by this project");
    assert_eq!(loaded.info().base, bundle.identity());
    let careful = ClipOptions {
        require_consent: true,
        ..ClipOptions::default()
    };
    let mut careful = Clip::new(engine.clone(), careful).unwrap();
    assert!(sentence(careful.check_consent()).contains("is required"));
    careful.set_person(Some(&loaded)).unwrap();
    assert!(sentence(careful.check_consent()).contains("expired on 2021-01-01"));
    let provenance = careful.provenance();
    assert_eq!(
        provenance.person.unwrap().consent,
        loaded.info().consent_record
    );

    clip.set_person(Some(&loaded)).unwrap();
    let adapted = render(&clip, &frames, 30);
    assert!(adapted.rendered.changed && adapted.picture != before.picture);
    // Another clip of the engine is not touched, and the same person is the same there.
    let mut other = self::clip();
    assert_same(
        std::slice::from_ref(&before),
        &[render(&other, &frames, 30)],
        "another clip",
    );
    other.set_person(Some(&person)).unwrap();
    assert_same(
        &[adapted],
        &[render(&other, &frames, 30)],
        "the same person",
    );
    clip.set_person(None).unwrap();
    assert_same(
        &[before],
        &[render(&clip, &frames, 30)],
        "the person taken away",
    );

    refusals(&path, bundle);
}

/// Files that are no person of this bundle, made from one that is.
fn refusals(path: &Path, bundle: &stylelipsync::model::Bundle) {
    let good = std::fs::read(path).unwrap();
    let load = |bytes: &[u8]| {
        std::fs::write(path, bytes).unwrap();
        sentence(Person::load(path, bundle))
    };
    let exchanged = |from: &str, to: &str| {
        assert_eq!(from.len(), to.len());
        let at = good
            .windows(from.len())
            .position(|part| part == from.as_bytes());
        let mut bytes = good.clone();
        bytes[at.unwrap()..][..to.len()].copy_from_slice(to.as_bytes());
        bytes
    };
    let base = bundle.identity();
    let message = load(&exchanged(base, &"0".repeat(base.len())));
    assert!(message.contains("was made from other weights"), "{message}");
    let message = load(&exchanged("stylelipsync.person", "stylelipsync.pxrson"));
    assert!(message.contains("is not a person file"), "{message}");
    let message = load(&exchanged(r#"\"format\":1"#, r#"\"format\":2"#));
    assert!(
        message.contains("has format 2; this library reads 1"),
        "{message}"
    );
    for (from, to) in [("a drawing", "Jane Doe!"), ("2021-01-01", "2099-01-01")] {
        let message = load(&exchanged(from, to));
        assert!(message.contains("its consent was changed"), "{message}");
    }
    let message = load(&exchanged("2021-01-01", "2021-01-99"));
    assert!(message.contains("consent_record.expires"), "{message}");
    let message = load(&exchanged("blocks.0.first.weight", "blocks.0.fxrst.weight"));
    assert!(
        message.contains("is not a tensor of the generator"),
        "{message}"
    );
    for bytes in [
        &good[..good.len() / 2],
        &good[..20],
        b"",
        b"hello, this is no person",
    ] {
        let message = load(bytes);
        assert!(message.contains("is not a person file"), "{message}");
    }
    let mut bytes = good.clone();
    let end = bytes.len();
    bytes[end - 2..].copy_from_slice(&half::f16::NAN.to_le_bytes());
    let message = load(&bytes);
    assert!(
        message.contains("holds a value that is not finite"),
        "{message}"
    );
    std::fs::remove_file(path).unwrap();
    let missing = Person::load(path, bundle);
    assert!(matches!(missing, Err(Error::Read { .. })), "{missing:?}");
}

#[test]
fn what_cannot_be_learnt_from_is_refused() {
    let frames = head(FRAMES);
    let new = |clip: &Clip| Adaptation::new(clip, AdaptOptions::default());
    let mut clip = Clip::new(engine(), ClipOptions::default()).unwrap();
    assert!(matches!(new(&clip), Err(Error::NoAudio(_))));
    clip.set_audio(&words(3.0, 16_000), 16_000, 1).unwrap();
    assert!(
        matches!(new(&clip), Err(Error::NoFace(_))),
        "nothing analysed"
    );
    let blank = Picture::blank(128, 128);
    (0..60).for_each(|index| assert_eq!(clip.analyze(index, &blank.view()).unwrap(), 0));
    assert!(matches!(new(&clip), Err(Error::NoFace(_))), "no face");

    let short = analysed(
        ClipOptions::default(),
        &frames[..40],
        &words(3.0, 16_000),
        16_000,
    );
    let message = sentence(new(&short));
    assert_eq!(
        message,
        "person's clip: lasts 1.6 s; training needs at least 2 s"
    );

    // The head twice, side by side.
    let pair = |frame: &Picture| {
        let row = 4 * frame.width as usize;
        let twice = |row: &[u8]| [row, row].concat();
        Picture {
            width: 2 * frame.width,
            height: frame.height,
            bytes: frame.bytes.chunks(row).flat_map(twice).collect(),
        }
    };
    let pairs: Vec<Picture> = frames.iter().step_by(2).map(pair).collect();
    let options = ClipOptions {
        timing: stylelipsync::Timing::Constant(stylelipsync::audio::Rate::new(25, 2).unwrap()),
        ..ClipOptions::default()
    };
    let two = analysed(options, &pairs, &words(3.0, 16_000), 16_000);
    let message = sentence(new(&two));
    assert!(
        message.contains("shows two people in 32 of 32 frames"),
        "{message}"
    );

    let good = self::clip();
    let with = |change: &dyn Fn(&mut AdaptOptions)| {
        let mut options = AdaptOptions::default();
        change(&mut options);
        sentence(Adaptation::new(&good, options))
    };
    assert!(with(&|o| o.steps = 0).starts_with("steps: 0 is not in"));
    assert!(with(&|o| o.rate = f32::NAN).starts_with("rate: NaN is not"));
    assert!(with(&|o| o.rate = 0.0).starts_with("rate: 0 is not"));
    assert!(with(&|o| o.frames = 4).starts_with("frames: 4 is less than 5"));
    assert!(with(&|o| o.time = Some(std::time::Duration::ZERO)).starts_with("time: is 0"));
    let none = Weights {
        picture: 0.0,
        sync: 0.0,
        regulariser: 0.0,
    };
    assert!(with(&|o| o.weights = none).starts_with("weights:"));
    let unfed = Adaptation::new(&good, AdaptOptions::default()).unwrap();
    let message = sentence(unfed.run(go_on));
    assert!(message.contains("were not added"), "{message}");
}

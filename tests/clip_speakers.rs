//! Several speakers of one clip: one pass gives what a clip for each face gives.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod clip_support;

use std::sync::Arc;

use clip_support::*;
use stylelipsync::{
    Clip, ClipOptions, Error, FrameOptions, Layers, MOST_SPEAKERS, MarkId, Matte, Rendered,
    Selection,
};

const COUNT: usize = 8;

/// The head twice, side by side; the one on the right backwards in time.
fn pairs() -> Vec<Picture> {
    let frames = head(COUNT);
    let beside = |left: &Picture, right: &Picture| {
        let row = 4 * left.width as usize;
        let rows = left
            .bytes
            .chunks_exact(row)
            .zip(right.bytes.chunks_exact(row));
        Picture {
            width: 2 * left.width,
            height: left.height,
            bytes: rows
                .flat_map(|(left, right)| [left, right].concat())
                .collect(),
        }
    };
    let backwards = frames.iter().rev();
    frames
        .iter()
        .zip(backwards)
        .map(|(left, right)| beside(left, right))
        .collect()
}

fn speech(from: usize) -> Arc<Vec<f32>> {
    Arc::new(words(2.0, 16_000)[from..].to_vec())
}

fn of(selection: Selection) -> ClipOptions {
    ClipOptions {
        selection,
        ..ClipOptions::default()
    }
}

fn alone(selection: Selection, samples: &Arc<Vec<f32>>, frames: &[Picture]) -> Clip {
    let mut clip = Clip::new(engine(), of(selection)).unwrap();
    clip.set_samples(samples.clone()).unwrap();
    analyse(clip, frames)
}

fn analyse(clip: Clip, frames: &[Picture]) -> Clip {
    for (index, frame) in frames.iter().enumerate() {
        assert_eq!(clip.analyze(index as i64, &frame.view()).unwrap(), 2);
    }
    clip.finish_analysis().unwrap();
    clip
}

struct Painted {
    rendered: Rendered,
    speakers: Vec<Rendered>,
    picture: Picture,
    matte: Matte,
    layers: Layers,
}

fn paint(clip: &Clip, frames: &[Picture], index: usize) -> Painted {
    let (mut matte, mut layers, mut speakers) = Default::default();
    let mut options = FrameOptions {
        matte: Some(&mut matte),
        layers: Some(&mut layers),
        speakers: Some(&mut speakers),
        ..FrameOptions::default()
    };
    let source = &frames[index];
    let mut picture = source.target();
    let rendered = clip
        .render_with(
            index as i64,
            &source.view(),
            &mut picture.view_mut(),
            &mut options,
        )
        .unwrap();
    Painted {
        rendered,
        speakers,
        picture,
        matte,
        layers,
    }
}

#[test]
fn one_pass_paints_what_a_clip_for_each_face_paints() {
    let frames = pairs();
    let (first, second) = (speech(0), speech(9000));
    for [left, right] in [
        [Selection::FromLeft(0), Selection::FromLeft(1)],
        [
            Selection::Point { x: 320.0, y: 250.0 },
            Selection::Point { x: 950.0, y: 250.0 },
        ],
    ] {
        let mut both = Clip::new(engine(), of(left)).unwrap();
        both.set_samples(first.clone()).unwrap();
        assert_eq!(both.add_speaker(right, second.clone(), None).unwrap(), 1);
        assert_eq!(both.speakers(), 2);
        let both = analyse(both, &frames);
        let by_one = [alone(left, &first, &frames), alone(right, &second, &frames)];
        let painted = paint(&both, &frames, 3);
        let apart = by_one.map(|clip| paint(&clip, &frames, 3));
        let [a, b] = apart.each_ref();
        assert!(a.rendered.changed && b.rendered.changed && a.rendered.face != b.rendered.face);
        assert_eq!(painted.speakers, [a.rendered, b.rendered]);
        assert_eq!(painted.rendered, a.rendered);
        assert_eq!([a, b].map(|one| one.speakers.len()), [1, 1]);
        let mut counts = [0; 2];
        for i in 0..painted.matte.alpha.len() {
            let one = &apart[usize::from(a.matte.alpha[i] == 0.0)];
            counts[usize::from(a.matte.alpha[i] == 0.0)] += u32::from(one.matte.alpha[i] > 0.0);
            let pixel = 4 * i..4 * i + 4;
            assert_eq!(
                painted.picture.bytes[pixel.clone()],
                one.picture.bytes[pixel]
            );
            assert_eq!(painted.matte.alpha[i], one.matte.alpha[i]);
            assert_eq!(painted.layers.mouth[i], one.layers.mouth[i]);
            if one.matte.alpha[i] > 0.0 {
                assert_eq!(painted.layers.st[i], one.layers.st[i]);
            }
        }
        assert!(counts.iter().all(|count| *count > 2000), "{counts:?}");
        // Frames in another order have the same bytes.
        paint(&both, &frames, 7);
        assert!(paint(&both, &frames, 3).picture == painted.picture);
    }
}

#[test]
fn two_speakers_with_one_face_paint_it_once() {
    let frames = pairs();
    let mut clip = Clip::new(engine(), of(Selection::FromLeft(1))).unwrap();
    clip.set_samples(speech(0)).unwrap();
    clip.add_speaker(Selection::FromLeft(1), speech(9000), None)
        .unwrap();
    clip.add_speaker(Selection::FromLeft(7), speech(9000), None)
        .unwrap();
    for (index, frame) in frames.iter().enumerate() {
        clip.analyze(index as i64, &frame.view()).unwrap();
    }
    // The third speaker is never seen; the other two are known all the same.
    assert!(matches!(clip.finish_analysis(), Err(Error::NoFace(_))));
    assert!(clip.analysis().is_finished());
    let painted = paint(&clip, &frames, 3);
    let one = paint(
        &alone(Selection::FromLeft(1), &speech(0), &frames),
        &frames,
        3,
    );
    assert!(painted.picture == one.picture && painted.rendered == one.rendered);
    let [first, second, third] = painted.speakers[..] else {
        panic!("{:?}", painted.speakers);
    };
    assert_eq!((first, second.face), (one.rendered, first.face));
    assert!(!second.changed && second.strength == 0.0 && third.face.is_none());
    // All of it is in the report, and in the watermark.
    let report = clip.provenance();
    assert_eq!(report.speakers.len(), 2);
    assert_eq!(
        report.speakers[0].audio.samples_sha256,
        report.speakers[1].audio.samples_sha256
    );
    assert_ne!(
        report.audio.unwrap().samples_sha256,
        report.speakers[0].audio.samples_sha256
    );
}

#[test]
fn an_analysis_file_holds_all_speakers() {
    let (frames, folder) = (pairs(), tempfile::tempdir().unwrap());
    let path = folder.path().join("clip.slsa");
    let new = |faces: &[u32]| {
        let mut clip = Clip::new(engine(), of(Selection::FromLeft(faces[0]))).unwrap();
        clip.set_samples(speech(0)).unwrap();
        for face in &faces[1..] {
            let selection = Selection::FromLeft(*face);
            clip.add_speaker(selection, speech(5000), None).unwrap();
        }
        clip
    };
    let first = new(&[0, 1]);
    let early = first.save_analysis(&path);
    assert!(matches!(early, Err(Error::State(_))), "{early:?}");
    let first = analyse(first, &frames);
    first.save_analysis(&path).unwrap();
    let mut second = new(&[0, 1]);
    second.load_analysis(&path).unwrap();
    for index in [0, 5] {
        let (a, b) = (
            paint(&first, &frames, index),
            paint(&second, &frames, index),
        );
        assert!(a.picture == b.picture, "frame {index}");
        assert!(a.speakers.iter().all(|speaker| speaker.changed));
        assert_eq!(a.speakers, b.speakers);
    }
    for (faces, reason) in [
        (&[0][..], "was made for 2 speakers, not for 1"),
        (&[1, 0], "was made for another face"),
        (&[0, 0], "was made for another face"),
    ] {
        let error = new(faces).load_analysis(&path).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
}

#[test]
fn what_several_speakers_cannot_do_is_an_error() {
    let frames = pairs();
    let mut clip = Clip::new(engine(), of(Selection::FromLeft(0))).unwrap();
    let without = MarkId::of_inputs(&clip.provenance());
    let empty = clip.add_speaker(Selection::Largest, Arc::default(), None);
    assert!(matches!(empty, Err(Error::NoAudio(_))) && clip.speakers() == 1);
    clip.add_speaker(Selection::FromLeft(1), speech(0), None)
        .unwrap();
    assert_ne!(MarkId::of_inputs(&clip.provenance()), without);
    let used = clip.memory_use().bytes;
    assert_eq!(used, 4 * speech(0).len() as u64);
    let refused = clip.push_frame(&frames[0].view());
    assert!(matches!(refused, Err(Error::State(_))), "{refused:?}");
    clip.analyze(0, &frames[0].view()).unwrap();
    let late = clip.add_speaker(Selection::FromLeft(1), speech(0), None);
    assert!(matches!(late, Err(Error::State(_))), "{late:?}");
    clip.forget_analysis();
    for number in 2..MOST_SPEAKERS {
        assert_eq!(
            clip.add_speaker(Selection::FromLeft(1), speech(0), None)
                .unwrap(),
            number
        );
    }
    let many = clip.add_speaker(Selection::FromLeft(1), speech(0), None);
    assert!(matches!(many, Err(Error::Argument { .. })), "{many:?}");
}

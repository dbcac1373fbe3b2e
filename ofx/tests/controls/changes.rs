//! What changes around an instance while it lives: the source's range, rate and pictures, the audio file,
//! the view; and what it renders then is what a new instance renders.

use crate::host::*;
use crate::support::*;
use crate::{THIRTY, plain, render, source};

/// What a new instance renders of a clip.
fn fresh(effect: &Effect, clip: Connection, time: f64) -> Vec<[f32; 4]> {
    let instance = speaking(effect, Context::Filter);
    instance.connect("Source", clip);
    let rendered = render(&instance, time);
    instance.assert_clean();
    rendered
}

#[test]
fn the_range_and_the_rate_of_the_source_may_change() {
    let plugin = open_plugin(HostOptions::default());
    let effect = plugin.start(Context::Filter);
    let instance = speaking(&effect, Context::Filter);
    let ranged = |first: f64, last: f64| Connection {
        frame_range: [first, last],
        ..clip()
    };
    let at_rate = |frame_rate: f64| Connection {
        frame_rate,
        ..clip()
    };
    let changes = [
        ranged(0.0, 99.0),
        ranged(20.0, 99.0),
        ranged(20.0, 40.0),
        // One frame, none, and nonsense.
        ranged(30.0, 30.0),
        ranged(0.0, -1.0),
        ranged(0.0, 0.0),
        ranged(f64::NAN, f64::INFINITY),
        at_rate(24.0),
        at_rate(23.976),
        at_rate(60.0),
        at_rate(25.0),
    ];
    let expected: Vec<_> = changes
        .iter()
        .map(|clip| fresh(&effect, clip.clone(), THIRTY))
        .collect();
    assert!(expected[7] != expected[10], "the rate counts");
    assert!(expected[1] != expected[0], "the audio begins with the clip");
    for _ in 0..2 {
        for (number, clip) in changes.iter().enumerate() {
            instance.connect("Source", clip.clone());
            assert!(render(&instance, THIRTY) == expected[number], "{number}");
            assert!(expected[number] != source(30), "{number}: the mouth moves");
        }
    }
    instance.assert_clean();
}

/// A clip that shows the head's frames at other times.
fn retimed(shown: impl Fn(f64) -> f64 + Send + Sync + 'static) -> Connection {
    Connection::new(WIDTH, HEIGHT, move |time| {
        frame(shown(time).round() as usize)
    })
}

#[test]
fn reversed_and_uneven_retimes_give_the_same_frames_in_any_order() {
    let plugin = open_plugin(HostOptions::default());
    let effect = plugin.start(Context::Filter);
    let clips: [fn() -> Connection; 3] = [
        || retimed(|time| (99.0 - time).clamp(0.0, 99.0)),
        || retimed(|time| (time * time / 99.0).clamp(0.0, 99.0)),
        || retimed(|time| (time / 4.0).floor().clamp(0.0, 99.0)),
    ];
    for (number, clip) in clips.iter().enumerate() {
        let in_order = speaking(&effect, Context::Filter);
        in_order.connect("Source", clip());
        let times = [28.0, 29.0, 29.5, THIRTY];
        let frames = times.map(|time| render(&in_order, time));
        for (time, expected) in times.iter().zip(&frames).rev() {
            let alone = fresh(&effect, clip(), *time);
            assert!(alone == *expected, "{number} at {time}");
            let original = (clip().source)(*time).unwrap().rgba;
            assert!(alone != original, "{number} at {time}: the mouth moves");
        }
        // Between two frames the mouth is between their mouths, though the picture may be held.
        assert!(frames[1] != frames[2] && frames[2] != frames[3], "{number}");
        in_order.assert_clean();
    }
}

#[test]
fn a_field_is_written_alone() {
    let plugin = open_plugin(HostOptions::default());
    let effect = plugin.start(Context::Filter);
    for output in [0, 5, 6] {
        let instance = speaking(&effect, Context::Filter);
        instance.set("output", output);
        let whole = render(&instance, THIRTY);
        for field in [Field::Lower, Field::Upper] {
            let options = RenderOptions {
                field: Some(field),
                ..plain()
            };
            // The host's canaries lie in the other field's rows.
            let rendered = instance.render(THIRTY, &options);
            assert!(rendered.status.is_ok());
            let pixels = rendered.rgba();
            for row in 0..HEIGHT {
                if field.has((HEIGHT - 1 - row) as i32) {
                    let row = row * WIDTH..(row + 1) * WIDTH;
                    assert!(pixels[row.clone()] == whole[row], "{output} {field:?}");
                }
            }
            // The source alone, and a layer of it.
            instance.set("audio", "");
            assert!(instance.render(THIRTY, &options).status.is_ok());
            instance.set("audio", other_speech().as_str());
        }
        // The second field is half a frame later.
        assert!(output == 6 || render(&instance, 30.5) != whole);
        instance.assert_clean();
    }
}

/// Hosts of stereo films render both views with one instance.
#[test]
fn views_in_turn_give_the_frames_of_each_alone() {
    let plugin = open_plugin(HostOptions::default());
    let effect = plugin.start(Context::Filter);
    let view = |shift: usize| {
        Connection::new(WIDTH, HEIGHT, move |time| {
            let head = frame(usize::try_from(time.round() as i64).ok()?)?;
            let pixel = |x: usize, y: usize| head.rgba[y * WIDTH + (x + shift).min(WIDTH - 1)];
            Some(Picture::from_fn(WIDTH, HEIGHT, pixel))
        })
    };
    let times = [THIRTY, 31.0];
    let expected = [0, 6].map(|shift| times.map(|time| fresh(&effect, view(shift), time)));
    assert!(expected[0] != expected[1]);
    let instance = speaking(&effect, Context::Filter);
    for (at, time) in times.into_iter().enumerate() {
        for (number, shift) in [0, 6].into_iter().enumerate() {
            instance.connect("Source", view(shift));
            assert!(render(&instance, time) == expected[number][at], "{shift}");
        }
    }
    instance.assert_clean();
}

#[test]
fn instances_on_one_clip_have_their_own_audio() {
    let plugin = open_plugin(HostOptions::default());
    let effect = plugin.start(Context::Filter);
    let [one, two] = [other_speech(), own_speech()].map(|audio| {
        let instance = speaking(&effect, Context::Filter);
        instance.set("audio", audio.as_str());
        instance
    });
    let (first, second) = (render(&one, THIRTY), render(&two, THIRTY));
    assert!(first != second && first != source(30) && second != source(30));
    assert!(render(&two, 31.0) != render(&one, 31.0));
    assert!(render(&one, THIRTY) == first && render(&two, THIRTY) == second);
    one.assert_clean();
    two.assert_clean();
}

#[test]
fn audio_that_is_replaced_on_disk_is_read_again() {
    let plugin = open_plugin(HostOptions::default());
    let effect = plugin.start(Context::Filter);
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("speech.wav");
    let instance = speaking(&effect, Context::Filter);
    let rendered = [other_speech(), own_speech()].map(|audio| {
        let direct = speaking(&effect, Context::Filter);
        direct.set("audio", audio.as_str());
        let expected = render(&direct, THIRTY);
        // Written anew under another name and renamed, as editors do.
        let new = place.path().join("new.wav");
        std::fs::write(&new, std::fs::read(audio).unwrap()).unwrap();
        std::fs::rename(new, &path).unwrap();
        instance.set("audio", path.to_str().unwrap());
        let shown = render(&instance, THIRTY);
        assert!(shown == expected);
        shown
    });
    assert!(rendered[0] != rendered[1]);
    // Gone, and back.
    let content = std::fs::read(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert!(render(&instance, THIRTY) == source(30));
    std::fs::write(&path, content).unwrap();
    assert!(render(&instance, THIRTY) == rendered[1]);
    instance.assert_clean();
}

/// While a node is disabled its host does not call it, and everything may change meanwhile.
#[test]
fn a_node_that_was_disabled_renders_as_a_new_one() {
    let plugin = open_plugin(HostOptions::default());
    let effect = plugin.start(Context::Filter);
    let instance = speaking(&effect, Context::Filter);
    let before = render(&instance, THIRTY);
    let mirrored = || {
        Connection::new(WIDTH, HEIGHT, |time| {
            let head = frame(usize::try_from(time.round() as i64).ok()?)?;
            let pixel = |x: usize, y: usize| head.rgba[y * WIDTH + WIDTH - 1 - x];
            Some(Picture::from_fn(WIDTH, HEIGHT, pixel))
        })
    };
    instance.connect("Source", mirrored());
    instance.action(c"OfxActionPurgeCaches");
    let expected = fresh(&effect, mirrored(), THIRTY);
    assert!(render(&instance, THIRTY) == expected);
    instance.connect("Source", clip());
    assert!(render(&instance, THIRTY) == before);
    instance.assert_clean();
}

//! Clips as they lie on real timelines: start times, retimes, stills and held frames.

use std::collections::BTreeSet;

use crate::host::*;
use crate::support::*;
use crate::{THIRTY, render, source};

/// The head as a clip that starts at another frame.
fn starting_at(first: i64) -> Connection {
    let last = first + FRAMES as i64 - 1;
    let source = move |time: f64| frame(usize::try_from(time.round() as i64 - first).ok()?);
    Connection {
        frame_range: [first as f64, last as f64],
        ..Connection::new(WIDTH, HEIGHT, source)
    }
}

#[test]
fn audio_begins_with_the_clip_unless_a_frame_is_set() {
    let plugin = open_plugin(HostOptions::default());
    let effect = plugin.start(Context::Filter);
    let plain = render(&speaking(&effect, Context::Filter), THIRTY);
    for first in [1, 1001, 86_400, -50] {
        let instance = speaking(&effect, Context::Filter);
        instance.connect("Source", starting_at(first));
        let shown = first as f64 + THIRTY;
        assert!(render(&instance, shown) == plain, "starts at {first}");
        instance.edit("strength", 1.0);
        let status = instance.get("status").text();
        assert!(!status.contains("the audio "), "{status}");
        // A frame that is set counts, whether or not the choice is made.
        instance.set("audioStart", first as i32);
        assert!(render(&instance, shown) == plain, "set to {first}");
        instance.set("audioStart", 0);
        instance.set("audioFrom", 1);
        assert!(render(&instance, shown) != plain, "frame 0, not {first}");
        instance.edit("strength", 1.0);
        let status = instance.get("status").text();
        assert_eq!(
            status.contains("the audio is over"),
            first > 1000,
            "{first}: {status}"
        );
        instance.assert_clean();
    }
}

/// The times at which the effect fetched the source since the last call.
fn fetched(instance: &Instance) -> Vec<f64> {
    let log = instance.log();
    instance.forget_records();
    let source = log.fetches.iter().filter(|fetch| fetch.clip == "Source");
    source.map(|fetch| fetch.time).collect()
}

#[test]
fn a_time_between_two_frames_uses_neighbours_and_references_at_whole_frames() {
    let plugin = open_plugin(HostOptions::default());
    let effect = plugin.start(Context::Filter);
    for time in [30.5, 30.3, 29.7] {
        let instance = speaking(&effect, Context::Filter);
        instance.action(c"OfxActionPurgeCaches");
        let first = render(&instance, time);
        let times = fetched(&instance);
        assert!(times.len() > 5, "{times:?}");
        let whole = times.iter().all(|at| *at == time || at.fract() == 0.0);
        assert!(whole, "{time}: {times:?}");
        let needed = instance.get_frames_needed(time);
        for ranges in needed.ranges.values() {
            let whole = |(from, to): &(f64, f64)| from.fract() == 0.0 && to.fract() == 0.0;
            assert!(ranges.iter().all(whole), "{time}: {ranges:?}");
        }
        // After another frame, and in another instance, the bytes are the same.
        let other = speaking(&effect, Context::Filter);
        render(&other, 10.5);
        assert!(render(&other, time) == first, "{time}");
        // A reference frame that exists is found at any time.
        instance.set("reference", 1);
        instance.set("referenceFrame", 0);
        render(&instance, time);
        assert!(instance.log().persistent.is_empty(), "{time}");
        instance.assert_clean();
    }
}

#[test]
fn the_mouth_moves_on_stills_and_on_held_frames() {
    let plugin = open_plugin(HostOptions::default());
    let effect = plugin.start(Context::Filter);
    let still = speaking(&effect, Context::Filter);
    let one = |_: f64| frame(30);
    still.connect(
        "Source",
        Connection {
            frame_range: [0.0, 0.0],
            ..Connection::new(WIDTH, HEIGHT, one)
        },
    );
    assert!(still.get_clip_preferences().frame_varying);
    let window = Rect::sized(WIDTH, HEIGHT);
    let pictures = [10.0, 20.0, 30.0].map(|time| {
        assert_eq!(still.is_identity(time, window, [1.0, 1.0]).of, None);
        render(&still, time)
    });
    assert!(pictures[0] != pictures[1] && pictures[1] != pictures[2]);
    assert!(pictures.iter().all(|picture| *picture != source(30)));
    still.assert_clean();

    // After the last frame, that frame is held.
    let held = speaking(&effect, Context::Filter);
    held.connect(
        "Source",
        Connection {
            frame_range: [0.0, 39.0],
            ..clip()
        },
    );
    let (forty, fifty) = (render(&held, 45.0), render(&held, 50.0));
    assert!(forty != fifty && forty != source(39) && fifty != source(39));
    // The upper part of the picture is the held frame, bit for bit.
    let above = WIDTH * HEIGHT * 2 / 5;
    assert!(forty[..above] == source(39)[..above]);
    held.assert_clean();
}

/// Nuke and Natron pass linear pixels; a project that was saved with another choice keeps it.
#[test]
fn the_default_input_colour_follows_the_host() {
    const DISPLAY: i32 = 0;
    const LINEAR: i32 = 3;
    for (name, shown, same) in [
        ("uk.co.thefoundry.nuke", "colour: linear", LINEAR),
        ("fr.inria.Natron", "colour: linear", LINEAR),
        ("DaVinciResolve", "colour: as displayed", DISPLAY),
    ] {
        let plugin = open_plugin(HostOptions::named(name));
        let effect = plugin.start(Context::Filter);
        let instance = speaking(&effect, Context::Filter);
        let automatic = render(&instance, THIRTY);
        instance.edit("strength", 1.0);
        let status = instance.get("status").text();
        assert!(status.contains(shown), "{name}: {status}");
        for choice in [DISPLAY, LINEAR] {
            instance.set("inputColour", choice);
            let chosen = render(&instance, THIRTY);
            assert_eq!(chosen == automatic, choice == same, "{name} {choice}");
        }
        instance.assert_clean();
    }
}

/// A node above the effect shows other pictures, and the host does not tell.
#[test]
fn a_changed_source_has_another_reference() {
    let plugin = open_plugin(HostOptions::default());
    let effect = plugin.start(Context::Filter);
    // The head in other colours.
    let other = || {
        Connection::new(WIDTH, HEIGHT, |time| {
            let mut picture = frame(usize::try_from(time.round() as i64).ok()?)?;
            for [r, _, b, _] in &mut picture.rgba {
                (*r, *b) = (*r * 0.75, *b * 0.5);
            }
            Some(picture)
        })
    };
    let fresh = speaking(&effect, Context::Filter);
    fresh.connect("Source", other());
    let expected = render(&fresh, THIRTY);
    let instance = speaking(&effect, Context::Filter);
    let before = render(&instance, THIRTY);
    instance.connect("Source", other());
    assert!(render(&instance, THIRTY) == expected);
    instance.connect("Source", clip());
    assert!(render(&instance, THIRTY) == before);
    instance.assert_clean();
}

/// The frames of the source that the effect asks for before a render at `time`.
fn needed(instance: &Instance, time: f64) -> BTreeSet<i64> {
    let needed = instance.get_frames_needed(time);
    let ranges = needed.ranges.get("Source").into_iter().flatten();
    let frames = |(first, last): &(f64, f64)| *first as i64..=*last as i64;
    ranges.flat_map(frames).collect()
}

/// A host that fetches in advance what it is asked for must not have to fetch the whole clip.
#[test]
fn a_prefetching_host_is_asked_for_at_most_eight_frames() {
    let plugin = open_plugin(HostOptions::default());
    let effect = plugin.start(Context::Filter);
    let instance = speaking(&effect, Context::Filter);
    instance.connect(
        "Source",
        Connection {
            frame_range: [0.0, 20_000.0],
            ..clip()
        },
    );
    for reference in [0, 1] {
        instance.set("reference", reference);
        for rendered in [false, true] {
            for time in [0.0, 30.0, 30.5, 5000.0, 20_000.0, 30_000.0] {
                let frames = needed(&instance, time);
                let count = frames.len();
                assert!((1..=8).contains(&count), "{rendered} {time}: {frames:?}");
            }
            render(&instance, THIRTY);
            let fetches = instance.log().fetches;
            let undeclared = fetches.iter().filter(|fetch| !fetch.declared).count();
            instance.forget_records();
            // The search fetches one frame at a time. Once the reference is known, all are declared.
            let expected = if rendered || reference == 1 {
                0..1
            } else {
                1..20
            };
            assert!(expected.contains(&undeclared), "{undeclared} undeclared");
        }
    }
    instance.assert_clean();
}

/// A host that has no other frames than those that it was asked for.
#[test]
fn a_host_without_undeclared_frames_gets_the_same_frame_in_any_order() {
    let plugin = open_plugin(HostOptions {
        gives_undeclared: false,
        ..HostOptions::default()
    });
    let effect = plugin.start(Context::Filter);
    let shown = |times: &[f64]| {
        let instance = speaking(&effect, Context::Filter);
        let shown = times.iter().map(|time| render(&instance, *time)).last();
        assert!(instance.log().persistent.is_empty());
        instance.assert_clean();
        shown.expect("a time")
    };
    let alone = shown(&[THIRTY]);
    assert!(alone != source(30));
    for before in [0.0, 2.0, 29.0, 60.0] {
        assert!(shown(&[before, THIRTY]) == alone, "after {before}");
    }
}

/// The head up to frame 12, then the head in other light and in front of bars of this width.
fn cut_to(bars: usize) -> Connection {
    Connection::new(WIDTH, HEIGHT, move |time| {
        let index = usize::try_from(time.round() as i64).ok()?;
        let head = frame(index)?;
        let pixel = |x: usize, y: usize| {
            let [r, g, b, a] = head.rgba[y * WIDTH + x];
            let side = !(WIDTH / 5..WIDTH - WIDTH / 5).contains(&x);
            match index {
                0..=12 => [r, g, b, a],
                _ if side && (x / bars + y / bars).is_multiple_of(2) => {
                    [1.0 - r, 1.0 - g, 1.0 - b, a]
                }
                _ => [0.9 * r, 0.6 * g, 0.5 * b, a],
            }
        };
        Some(Picture::from_fn(WIDTH, HEIGHT, pixel))
    })
}

#[test]
fn the_reference_is_not_looked_for_beyond_a_cut() {
    let plugin = open_plugin(HostOptions::default());
    let effect = plugin.start(Context::Filter);
    let [one, other] = [9, 31].map(|bars| {
        let instance = speaking(&effect, Context::Filter);
        instance.connect("Source", cut_to(bars));
        let shown = render(&instance, 5.0);
        instance.assert_clean();
        shown
    });
    assert!(one == other);
}

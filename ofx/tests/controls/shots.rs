//! Cuts in the source: each shot has its own reference.

use std::collections::BTreeMap;

use crate::host::*;
use crate::support::*;
use crate::{render, source};

/// The first frames of the second and the third shot.
const CUTS: [i64; 2] = [40, 70];

/// What a shot shows.
#[derive(Clone, Copy, PartialEq)]
enum Shot {
    Head,
    /// The head in another light, mirrored, in front of bars.
    Other,
    Black,
}

fn film(shots: [Shot; 3]) -> Connection {
    Connection::new(WIDTH, HEIGHT, move |time| {
        let index = time.round() as i64;
        let head = frame(usize::try_from(index).ok()? % FRAMES)?;
        let shot = shots[CUTS.iter().filter(|cut| index >= **cut).count()];
        let pixel = |x: usize, y: usize| match shot {
            Shot::Head => head.rgba[y * WIDTH + x],
            Shot::Black => [0.0, 0.0, 0.0, 1.0],
            Shot::Other => {
                let [r, g, b, a] = head.rgba[y * WIDTH + WIDTH - 1 - x];
                let side = !(WIDTH / 5..WIDTH - WIDTH / 5).contains(&x);
                match side && (x / 31 + y / 31).is_multiple_of(2) {
                    true => [1.0 - r, 1.0 - g, 1.0 - b, a],
                    false => [0.9 * r, 0.6 * g, 0.5 * b, a],
                }
            }
        };
        Some(Picture::from_fn(WIDTH, HEIGHT, pixel))
    })
}

fn instance_of(effect: &Effect, shots: [Shot; 3]) -> Instance {
    let instance = speaking(effect, Context::Filter);
    instance.connect("Source", film(shots));
    instance
}

#[test]
fn a_cut_starts_a_new_reference() {
    use Shot::{Black, Head, Other};
    let plugin = open_plugin(HostOptions::default());
    let effect = plugin.start(Context::Filter);
    let instance = instance_of(&effect, [Head, Other, Head]);
    let times = [20.0, 41.0, 55.0, 69.0, 75.0];
    let in_order = times.map(|time| render(&instance, time));
    let status_at = |time: f64| {
        render(&instance, time);
        instance.edit("strength", 1.0);
        instance.get("status").text()
    };
    // As if the other shots were not there.
    let alone = |shots: [Shot; 3], time: f64| {
        let one = instance_of(&effect, shots);
        let shown = render(&one, time);
        one.assert_clean();
        shown
    };
    for (number, time) in [(1, 41.0), (2, 55.0), (3, 69.0)] {
        let shown = alone([Black, Other, Black], time);
        assert!(shown == in_order[number], "at {time}");
        assert!(shown != (film([Head, Other, Head]).source)(time).unwrap().rgba);
    }
    // The third shot does not look like the first second of the first: it has a reference of its own.
    assert!(alone([Head, Black, Head], 75.0) == in_order[4]);
    assert!(in_order[4] != source(75));
    for (time, frames) in [
        (55.0, "frames 40 to 64"),
        (20.0, "frames 0 to 24"),
        (75.0, "frames 70 to 94"),
    ] {
        let status = status_at(time);
        assert!(status.contains(frames), "{time}: {status}");
        assert!(status.contains(&format!("audio at {:.2} of", time / 25.0)));
    }
    // In any order, by any instance.
    instance.action(c"OfxActionPurgeCaches");
    for (time, expected) in times.iter().zip(&in_order).rev() {
        let fresh = alone([Head, Other, Head], *time);
        assert!(fresh == *expected, "alone at {time}");
        assert!(render(&instance, *time) == *expected, "backwards at {time}");
    }
    // Another picture in a shot is noticed there.
    instance.connect("Source", film([Head, Head, Other]));
    let changed = render(&instance, 75.0);
    assert!(changed == alone([Head, Head, Other], 75.0));
    assert!(render(&instance, 55.0) == alone([Head, Head, Other], 55.0));
    instance.assert_clean();
}

/// The editor scrubs into a long shot: the cut before it is found without a stall.
#[test]
fn the_cut_before_a_long_shot_is_found_with_few_frames() {
    use Shot::{Head, Other};
    let plugin = open_plugin(HostOptions::default());
    let effect = plugin.start(Context::Filter);
    let long = || Connection {
        frame_range: [0.0, 2999.0],
        ..film([Head, Other, Other])
    };
    let instance_of = || {
        let instance = speaking(&effect, Context::Filter);
        instance.connect("Source", long());
        instance.set("audioStart", 2800);
        instance
    };
    let instance = instance_of();
    let shown = render(&instance, 2850.0);
    assert!(shown != (long().source)(2850.0).unwrap().rgba);
    let fetches = |instance: &Instance| {
        let fetches = instance.log().fetches;
        instance.forget_records();
        fetches.iter().filter(|one| one.clip == "Source").count()
    };
    let first = fetches(&instance);
    assert!(first <= 90, "{first} frames for the first one");
    instance.edit("strength", 1.0);
    let status = instance.get("status").text();
    assert!(status.contains("frames 40 to 64"), "{status}");
    // In playback.
    for time in [2851.0, 2852.0, 2853.0] {
        render(&instance, time);
        let more = fetches(&instance);
        assert!(more <= 16, "{more} frames at {time}");
    }
    // After a frame next to the cut, and backwards.
    let other = instance_of();
    for time in [45.0, 2853.0, 2850.0] {
        let last = render(&other, time);
        assert!(time != 2850.0 || last == shown);
    }
    instance.assert_clean();
    other.assert_clean();
}

/// Some hosts give the frames near the one that is rendered, some only those that they were asked for
/// beforehand.
#[test]
fn hosts_that_withhold_frames_get_the_same_bytes_in_any_order() {
    use Shot::{Head, Other};
    let times = [2.0, 20.0, 5.0, 41.0, 24.0, 55.0, 69.0, 45.0, 75.0, 12.0];
    let all = f64::INFINITY;
    for (gives_undeclared, reach) in [
        (false, all),
        (true, 0.0),
        (true, 2.0),
        (true, 9.0),
        (true, 30.0),
    ] {
        let plugin = open_plugin(HostOptions {
            gives_undeclared,
            ..HostOptions::default()
        });
        let effect = plugin.start(Context::Filter);
        let instance_of = || {
            let instance = speaking(&effect, Context::Filter);
            let clip = film([Head, Other, Head]);
            instance.connect("Source", Connection { reach, ..clip });
            instance
        };
        let mut alone = BTreeMap::new();
        for time in times {
            let instance = instance_of();
            alone.insert(time as i64, render(&instance, time));
            instance.assert_clean();
        }
        let instance = instance_of();
        let reversed = times.iter().rev();
        for time in times.iter().chain(reversed) {
            let shown = render(&instance, *time);
            assert!(
                shown == alone[&(*time as i64)],
                "{gives_undeclared} {reach}: at {time}"
            );
        }
        instance.assert_clean();
    }
}

//! Cuts in the source: each shot has its own reference.

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
        let head = frame(usize::try_from(index).ok()?)?;
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

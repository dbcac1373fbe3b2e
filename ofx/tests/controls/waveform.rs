//! The strip that shows where the audio stands against the picture.

use crate::host::*;
use crate::render;
use crate::support::*;

const TRACK_OVERLAY: i32 = 3;
/// Rows of the strip, and columns per second: it shows four.
const ROWS: usize = HEIGHT / 10;
const PER_SECOND: usize = WIDTH / 4;

/// The pixels of the strip, row by row.
fn strip(picture: &[[f32; 4]]) -> Vec<&[[f32; 4]]> {
    let rows = picture.chunks(WIDTH).skip(HEIGHT - ROWS);
    rows.collect()
}

/// The height of the level in each column; the playhead's column is left out.
fn levels(picture: &[[f32; 4]]) -> Vec<usize> {
    let strip = strip(picture);
    let is_level = |pixel: &[f32; 4]| pixel[..3] == [0.3, 0.7, 1.0];
    let height = |x: usize| strip.iter().filter(|row| is_level(&row[x])).count();
    (0..WIDTH).filter(|x| *x != WIDTH / 2).map(height).collect()
}

#[test]
fn the_strip_moves_with_time_and_with_the_audio_offset() {
    let plugin = open_plugin(HostOptions::default());
    let effect = plugin.start(Context::Filter);
    let instance = speaking(&effect, Context::Filter);
    instance.set("output", TRACK_OVERLAY);
    let first = render(&instance, 40.0);
    let shown = levels(&first);
    let high = shown.iter().filter(|height| **height > ROWS / 2).count();
    assert!(high > 20 && shown.iter().max() == Some(&ROWS), "{shown:?}");
    // A fifth of a second later, the audio is that much farther to the left.
    let later = levels(&render(&instance, 45.0));
    let shift = PER_SECOND / 5;
    let half = WIDTH / 2 - shift;
    assert_eq!(later[..half], shown[shift..shift + half]);
    assert_ne!(later, shown);
    instance.set("audioOffset", 200.0);
    assert_eq!(
        levels(&render(&instance, 45.0)),
        shown,
        "200 ms later audio"
    );
    // The audio begins in the middle, where the playhead is.
    instance.set("audioOffset", 1600.0);
    let begin = render(&instance, 40.0);
    assert!(
        levels(&begin)[..WIDTH / 2]
            .iter()
            .all(|height| *height == 0)
    );
    assert!(levels(&begin)[WIDTH / 2..].iter().any(|height| *height > 3));
    for row in strip(&begin) {
        assert_eq!(row[WIDTH / 2], [1.0; 4], "the playhead");
    }
    // Another output has no strip, and above it only the track is drawn.
    instance.set("audioOffset", 0.0);
    instance.set("output", 0);
    let result = render(&instance, 40.0);
    let (at, _) = difference(&result, &first, WIDTH);
    assert_eq!([at[0], at[2], at[3]], [0, WIDTH, HEIGHT]);
    let changed = |row: usize| result[row * WIDTH..][..WIDTH] != first[row * WIDTH..][..WIDTH];
    assert!(!changed(HEIGHT - ROWS - 1) && changed(HEIGHT - ROWS));
    instance.assert_clean();
}

#[test]
fn the_strip_fits_pictures_of_every_shape_and_encoding() {
    let plugin = open_plugin(HostOptions::default());
    let effect = plugin.start(Context::Filter);
    for (width, height, aspect, colour) in [
        (WIDTH / 2, HEIGHT, 2.0, 0),
        (WIDTH, HEIGHT / 2, 0.5, 0),
        (WIDTH, HEIGHT, 1.0, 6),
        (WIDTH, HEIGHT, 1.0, 7),
    ] {
        let instance = speaking(&effect, Context::Filter);
        let head = Connection::new(width, height, |time| {
            frame(usize::try_from(time.round() as i64).ok()?)
        });
        instance.connect(
            "Source",
            Connection {
                pixel_aspect: aspect,
                ..head
            },
        );
        instance.set("output", TRACK_OVERLAY);
        instance.set("inputColour", colour);
        let white = [1.0, 0.58, 0.75][[0, 6, 7].iter().position(|one| *one == colour).unwrap()];
        let picture = render(&instance, 40.0);
        let row = &picture[(height - 2) * width..][..width];
        let is_playhead = |pixel: &&[f32; 4]| pixel[..3] == [white; 3];
        assert_eq!(row[width / 2][..3], [white; 3]);
        assert_eq!(
            row.iter().filter(is_playhead).count(),
            1 + usize::from(aspect < 1.0)
        );
        let above = &picture[(height - height / 10 - 1) * width..][..width];
        assert_eq!(above.iter().filter(is_playhead).count(), 0);
        let levels = picture
            .iter()
            .filter(|pixel| (pixel[2] - white).abs() < 1e-6 && pixel[0] < white);
        assert!(levels.count() > 100, "{width}x{height} {colour}");
        instance.assert_clean();
    }
}

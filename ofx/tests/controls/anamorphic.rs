//! Footage with pixels that are not square.

use crate::host::*;
use crate::support::*;
use crate::{THIRTY, plain};

/// The head, squeezed to pixels of this aspect ratio, with its lower left corner at `offset`.
fn squeezed(aspect: f64, [left, bottom]: [i32; 2]) -> Connection {
    let width = (WIDTH as f64 / aspect).round() as usize;
    let bounds = Rect::new(left, bottom, left + width as i32, bottom + HEIGHT as i32);
    let picture = move |time: f64| Some(squeeze(&frame(time.round() as usize)?, width));
    Connection {
        bounds,
        pixel_aspect: aspect,
        ..Connection::new(width, HEIGHT, picture)
    }
}

/// Another width: each pixel is the mean of the columns that it covers.
fn squeeze(picture: &Picture, width: usize) -> Picture {
    let pitch = picture.width as f64 / width as f64;
    Picture::from_fn(width, picture.height, |x, y| {
        let (from, to) = (x as f64 * pitch, (x + 1) as f64 * pitch);
        let mut sum = [0.0; 4];
        for column in from as usize..(to.ceil() as usize).min(picture.width) {
            let share = (to.min((column + 1) as f64) - from.max(column as f64)) as f32;
            let pixel = picture.rgba[y * picture.width + column];
            sum = std::array::from_fn(|k| sum[k] + share * pixel[k]);
        }
        sum.map(|v| v / pitch as f32)
    })
}

/// The box around the pixels that the effect changes, and a rendered picture, as shown: at the width and
/// height of the head.
fn shown(effect: &Effect, clip: Connection, scale: [f64; 2]) -> ([f64; 4], Picture) {
    let instance = speaking(effect, Context::Filter);
    let bounds = clip.bounds.scaled(scale);
    let (width, height) = (bounds.width(), bounds.height());
    let source = (clip.source)(THIRTY).unwrap().resized(width, height);
    instance.connect("Source", clip);
    let options = RenderOptions { scale, ..plain() };
    let rendered = instance.render(THIRTY, &options);
    assert!(rendered.status.is_ok());
    instance.assert_clean();
    let pixels = rendered.rgba();
    let (at, count) = difference(&source.rgba, &pixels, width);
    assert!(count > 100, "the mouth moves");
    let to_head = [WIDTH as f64 / width as f64, HEIGHT as f64 / height as f64];
    let at = std::array::from_fn(|side| at[side] as f64 * to_head[side % 2]);
    let picture = Picture::from_fn(width, height, |x, y| pixels[y * width + x]);
    (at, picture.resized(WIDTH, HEIGHT))
}

/// The mean difference of two pictures of the head within a box.
fn mean_difference(a: &[[f32; 4]], b: &[[f32; 4]], at: [f64; 4]) -> f32 {
    let [left, top, right, bottom] = at.map(|side| side as usize);
    let pixels = (top..bottom).flat_map(|y| (left..right).map(move |x| y * WIDTH + x));
    let mut count = 0;
    let sum: f32 = pixels
        .inspect(|_| count += 3)
        .map(|k| (0..3).map(|c| (a[k][c] - b[k][c]).abs()).sum::<f32>())
        .sum();
    sum / count as f32
}

#[test]
fn the_mouth_is_painted_where_it_is_whatever_the_pixels_shape() {
    let plugin = open_plugin(HostOptions::default());
    let effect = plugin.start(Context::Filter);
    let (square, picture) = shown(&effect, clip(), [1.0; 2]);
    // A quarter of the pixels shows less detail, which is not as much as three pixels beside.
    let mut beside = picture.rgba.clone();
    beside.rotate_left(3);
    let moved = mean_difference(&picture.rgba, &beside, square);
    for (aspect, scale, offset) in [
        (2.0, [1.0, 1.0], [0, 0]),
        (2.0, [0.5, 0.5], [40, -16]),
        (1.5, [1.0, 0.5], [0, 0]),
        (1.5, [1.0, 1.0], [40, -16]),
        (0.9, [0.5, 1.0], [-30, 8]),
    ] {
        let (at, other) = shown(&effect, squeezed(aspect, offset), scale);
        let about = format!("aspect {aspect}, scale {scale:?}, offset {offset:?}");
        let apart = mean_difference(&other.rgba, &picture.rgba, square);
        for (side, (a, b)) in at.iter().zip(square).enumerate() {
            assert!((a - b).abs() < 10.0, "{about}: side {side} at {a}, not {b}");
        }
        assert!(apart < moved, "{about}: {apart} apart, {moved} moved");
    }
}

/// Two heads side by side; Face Point, in canonical coordinates, selects one of them, and the track
/// overlay lies on it.
#[test]
fn face_point_and_overlay_are_where_the_face_is_shown() {
    const TRACK_OVERLAY: i32 = 3;
    let plugin = open_plugin(HostOptions::default());
    let effect = plugin.start(Context::Filter);
    let two = |time: f64| {
        let head = frame(time.round() as usize)?;
        let pixel = |x: usize, y: usize| head.rgba[y * WIDTH + x % WIDTH];
        Some(Picture::from_fn(2 * WIDTH, HEIGHT, pixel))
    };
    for (aspect, scale, offset) in [
        (1.0, [1.0, 1.0], [0, 0]),
        (2.0, [1.0, 1.0], [0, 0]),
        (2.0, [0.5, 0.5], [40, -16]),
        (0.9, [0.5, 1.0], [-30, 8]),
    ] {
        let width = (2.0 * WIDTH as f64 / aspect).round() as usize;
        let bounds = Rect::new(
            offset[0],
            offset[1],
            offset[0] + width as i32,
            offset[1] + HEIGHT as i32,
        );
        let instance = speaking(&effect, Context::Filter);
        let picture = move |time: f64| Some(squeeze(&two(time)?, width));
        let connection = Connection {
            bounds,
            pixel_aspect: aspect,
            ..Connection::new(width, HEIGHT, picture)
        };
        let scaled = bounds.scaled(scale);
        let (across, down) = (scaled.width(), scaled.height());
        let original = (connection.source)(THIRTY).unwrap().resized(across, down);
        instance.connect("Source", connection);
        instance.set("face", 1);
        for side in [0, 1] {
            let at = [
                (f64::from(offset[0]) * aspect) + WIDTH as f64 * (f64::from(side) + 0.48),
                f64::from(offset[1]) + HEIGHT as f64 * 0.5,
            ];
            instance.set("facePoint", at);
            let options = RenderOptions { scale, ..plain() };
            let about = format!("aspect {aspect}, scale {scale:?}, offset {offset:?}, {side}");
            let mouth = instance.render(THIRTY, &options).rgba();
            let (mouth, count) = difference(&original.rgba, &mouth, across);
            assert!(count > 50, "{about}");
            let half = across / 2;
            let own_half = if side == 0 { 0..half } else { half..across + 1 };
            assert!(
                own_half.contains(&mouth[0]) && own_half.contains(&mouth[2]),
                "{about}: {mouth:?}"
            );
            instance.set("output", TRACK_OVERLAY);
            let overlay = instance.render(THIRTY, &options).rgba();
            instance.set("output", 0);
            let green = |pixel: &[f32; 4]| pixel[1] > 0.9 && pixel[0] < 0.2;
            let painted: Vec<usize> = (0..overlay.len()).filter(|k| green(&overlay[*k])).collect();
            assert!(painted.len() > 50, "{about}");
            let inside = painted
                .iter()
                .filter(|k| own_half.contains(&(*k % across)))
                .count();
            assert!(inside * 10 > painted.len() * 9, "{about}");
            // The overlay is around the mouth.
            let columns = painted.iter().map(|k| k % across);
            let (left, right) = (columns.clone().min().unwrap(), columns.max().unwrap());
            assert!(
                left <= mouth[0] && right + 1 >= mouth[2],
                "{about}: {left}..{right} {mouth:?}"
            );
        }
        instance.assert_clean();
    }
}

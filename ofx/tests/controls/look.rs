//! Strength, window, outputs, alpha and proxies.

use crate::host::*;
use crate::support::*;
use crate::{THIRTY, plain, render, source};

#[test]
fn without_effect_the_source_passes_and_is_identity() {
    let plugin = open_plugin(HostOptions::default());
    let effect = plugin.start(Context::Filter);
    let instance = speaking(&effect, Context::Filter);
    let window = Rect::sized(WIDTH, HEIGHT);
    let identity = |time| instance.is_identity(time, window, [1.0, 1.0]).of;
    assert_eq!(identity(THIRTY), None);
    instance.set("strength", 0.0);
    assert_eq!(identity(THIRTY), Some(("Source".into(), THIRTY)));
    assert!(render(&instance, THIRTY) == source(30));
    instance.set("strength", 1.0);
    assert_eq!(identity(THIRTY), None);
    // Outside the clip.
    // Outside the source's range a host holds a frame, and the mouth moves on it.
    assert_eq!(identity(-3.0), None);
    instance.set("audio", "");
    assert_eq!(identity(THIRTY), Some(("Source".into(), THIRTY)));
    assert!(render(&instance, THIRTY) == source(30));
    // Thumbnails.
    instance.set("audio", other_speech().as_str());
    let thumbnail = RenderOptions {
        thumbnail: true,
        ..plain()
    };
    assert!(instance.render(THIRTY, &thumbnail).rgba() == source(30));
    instance.assert_clean();
    assert!(instance.log().messages.is_empty());
}

#[test]
fn the_label_changes_its_corner_only() {
    let plugin = open_plugin(HostOptions::default());
    let effect = plugin.start(Context::Filter);
    let instance = speaking(&effect, Context::Filter);
    let without = render(&instance, THIRTY);
    instance.set("label", 2);
    let ([left, top, right, bottom], count) =
        difference(&without, &render(&instance, THIRTY), WIDTH);
    assert!(count > 100, "{count} pixels");
    assert!(left > WIDTH * 4 / 5 && right <= WIDTH && bottom < HEIGHT / 8 && top > 0);
    // The views of mask and track are for checking, not for delivery.
    instance.set("output", 3);
    let view = render(&instance, THIRTY);
    instance.set("label", 0);
    assert!(view == render(&instance, THIRTY));
    instance.assert_clean();
}

#[test]
fn strength_mixes_and_the_render_window_limits() {
    let plugin = open_plugin(HostOptions::default());
    let effect = plugin.start(Context::Filter);
    let instance = speaking(&effect, Context::Filter);
    let (was, whole) = (source(30), render(&instance, THIRTY));
    instance.set("strength", 0.5);
    let half = render(&instance, THIRTY);
    for ((was, whole), half) in was.iter().zip(&whole).zip(&half) {
        for channel in 0..3 {
            let middle = (was[channel] + whole[channel]) / 2.0;
            assert!((middle - half[channel]).abs() < 1e-5);
        }
    }
    instance.set("strength", 1.0);
    // A window over a part of the mouth: the same pixels inside; the host checks the others.
    let (at, count) = difference(&was, &whole, WIDTH);
    assert!(count > 500, "{count} pixels");
    let middle = HEIGHT as i32 - (at[1] + at[3]) as i32 / 2;
    let window = Rect::new(
        at[0] as i32 - 5,
        middle - 20,
        (at[0] + at[2]) as i32 / 2,
        middle + 9,
    );
    let options = RenderOptions {
        window: Some(window),
        ..plain()
    };
    let part = instance.render(THIRTY, &options);
    for (k, pixel) in part.rgba().iter().enumerate() {
        let (x, y) = (k % window.width(), k / window.width());
        let row = HEIGHT - window.y2 as usize + y;
        assert_eq!(*pixel, whole[row * WIDTH + window.x1 as usize + x]);
    }
    instance.assert_clean();
}

#[test]
fn outputs_show_the_matte_the_mask_and_the_track() {
    let plugin = open_plugin(HostOptions::default());
    let effect = plugin.start(Context::General);
    let instance = speaking(&effect, Context::General);
    let (was, result) = (source(30), render(&instance, THIRTY));
    instance.set("output", 1);
    let matte = render(&instance, THIRTY);
    for ((was, result), matte) in was.iter().zip(&result).zip(&matte) {
        assert_eq!(result[..3], matte[..3]);
        assert!((0.0..=1.0).contains(&matte[3]));
        assert!(matte[3] > 0.0 || was == result, "changed outside the matte");
    }
    assert!(matte.iter().any(|pixel| pixel[3] == 1.0));
    instance.set("output", 2);
    let mask = render(&instance, THIRTY);
    for ((result, matte), mask) in result.iter().zip(&matte).zip(&mask) {
        assert!(if matte[3] > 0.5 {
            mask[0] > mask[1] + 0.1
        } else {
            matte[3] > 0.0 || mask == result
        });
    }
    instance.set("output", 3);
    let track = render(&instance, THIRTY);
    let (at, count) = difference(&result, &track, WIDTH);
    // The crop's box stands out of the mask's.
    assert!(count > 200 && at[1] < HEIGHT * 2 / 5, "{at:?} {count}");
    for (output, check) in [(4, 0), (5, 1), (6, 2)] {
        instance.set("output", output);
        let layer = render(&instance, THIRTY);
        for (((was, result), matte), layer) in was.iter().zip(&result).zip(&matte).zip(&layer) {
            match check {
                0 => {
                    assert_eq!(layer[3], matte[3]);
                    for channel in 0..3 {
                        let over = layer[channel] + was[channel] * (1.0 - layer[3]);
                        assert!((over - result[channel]).abs() < 1e-6);
                    }
                }
                1 => assert_eq!(*layer, [matte[3]; 4]),
                _ => {
                    let inside = (0.0..=1.0).contains(&layer[0]) && (0.0..=1.0).contains(&layer[1]);
                    assert!((inside || matte[3] == 0.0) && layer[2..] == [0.0, 1.0]);
                }
            }
        }
    }
    // Green runs upwards: the first row is the top one.
    let st = render(&instance, THIRTY);
    assert!(st[WIDTH * 10][1] > st[WIDTH * 20][1] && st[11][0] > st[10][0]);
    // Without audio nothing is changed: the layers are empty, not the source.
    instance.set("audio", "");
    for (output, pixel) in [(4, [0.0; 4]), (5, [0.0; 4]), (6, [-1.0, -1.0, 0.0, 1.0])] {
        instance.set("output", output);
        assert!(
            render(&instance, THIRTY)
                .iter()
                .all(|found| *found == pixel)
        );
    }
    instance.set("audio", other_speech().as_str());
    instance.set("output", 0);

    // An occlusion over the left half of the picture keeps it; alpha alone, and RGBA.
    for components in [Components::Alpha, Components::Rgba] {
        let left = |x: usize, _: usize| [0.2, 0.3, 0.1, f32::from(x < WIDTH / 2)];
        let hidden = Picture::from_fn(WIDTH, HEIGHT, left);
        let connection = Connection::new(WIDTH, HEIGHT, move |_| Some(hidden.clone()));
        instance.connect(
            "Occlusion",
            Connection {
                components,
                ..connection
            },
        );
        let shown = render(&instance, THIRTY);
        for (k, shown) in shown.iter().enumerate() {
            assert_eq!(
                shown,
                if k % WIDTH < WIDTH / 2 {
                    &was[k]
                } else {
                    &result[k]
                }
            );
        }
        instance.disconnect("Occlusion");
    }
    instance.assert_clean();
}

#[test]
fn the_mouth_of_a_premultiplied_picture_keeps_its_alpha() {
    let plugin = open_plugin(HostOptions::default());
    let effect = plugin.start(Context::Filter);
    let instance = speaking(&effect, Context::Filter);
    let half = |index: usize| {
        let picture = frame(index)?;
        Some(Picture::from_fn(WIDTH, HEIGHT, |x, y| {
            picture.rgba[y * WIDTH + x].map(|v| v / 2.0)
        }))
    };
    let connection = Connection::new(WIDTH, HEIGHT, move |time| half(time as usize));
    instance.connect("Source", connection);
    let rendered = render(&instance, THIRTY);
    let (_, changed) = difference(&half(30).unwrap().rgba, &rendered, WIDTH);
    assert!(changed > 500, "{changed} pixels changed");
    for pixel in rendered {
        assert_eq!(pixel[3], 0.5);
        assert!(
            pixel[..3].iter().all(|v| *v <= 0.5),
            "brighter than its alpha: {pixel:?}"
        );
    }
    instance.assert_clean();
}

#[test]
fn proxies_show_the_same_mouth_smaller() {
    let plugin = open_plugin(HostOptions::default());
    let effect = plugin.start(Context::Filter);
    let instance = speaking(&effect, Context::Filter);
    let (was, whole) = (source(30), render(&instance, THIRTY));
    let (at, _) = difference(&was, &whole, WIDTH);
    // An instance that has only rendered proxies.
    let instance = speaking(&effect, Context::Filter);
    let proxy = RenderOptions {
        scale: [0.5, 0.5],
        ..plain()
    };
    let small = instance.render(THIRTY, &proxy);
    assert!(small.status.is_ok());
    let proxied = frame(30).unwrap().resized(WIDTH / 2, HEIGHT / 2);
    let (within, changed) = difference(&proxied.rgba, &small.rgba(), WIDTH / 2);
    assert!(changed > 100, "{changed} pixels changed");
    for (small, large) in within.iter().zip(at) {
        assert!((2 * small).abs_diff(large) <= 14, "{within:?} of {at:?}");
    }
    instance.assert_clean();
}

/// A picture in ACEScg gets the same mouth as the same picture in linear Rec.709.
#[test]
fn acescg_primaries_are_converted() {
    let to_ap1 = [
        [0.613_097, 0.339_523, 0.047_379],
        [0.070_194, 0.916_354, 0.013_452],
        [0.020_616, 0.109_570, 0.869_815],
    ];
    let in_ap1 = move |[r, g, b, a]: [f32; 4]| {
        let [r, g, b] = to_ap1.map(|row: [f32; 3]| row[0] * r + row[1] * g + row[2] * b);
        [r, g, b, a]
    };
    let linear = |index: usize| {
        let picture = frame(index)?;
        Some(Picture::from_fn(WIDTH, HEIGHT, |x, y| {
            let [r, g, b, a] = picture.rgba[y * WIDTH + x];
            let [r, g, b] = [r, g, b].map(|v| ((v + 0.055) / 1.055).powf(2.4));
            [r, g, b, a]
        }))
    };
    let acescg = move |index: usize| {
        let picture = linear(index)?;
        let at = |x: usize, y: usize| in_ap1(picture.rgba[y * WIDTH + x]);
        Some(Picture::from_fn(WIDTH, HEIGHT, at))
    };
    let plugin = open_plugin(HostOptions::default());
    let effect = plugin.start(Context::Filter);
    let render_as = |colour: i32, connection: Connection| {
        let instance = speaking(&effect, Context::Filter);
        instance.connect("Source", connection);
        instance.set("inputColour", colour);
        let rendered = render(&instance, THIRTY);
        instance.assert_clean();
        rendered
    };
    let rec709 = render_as(
        3,
        Connection::new(WIDTH, HEIGHT, move |t| linear(t as usize)),
    );
    let converted = render_as(
        4,
        Connection::new(WIDTH, HEIGHT, move |t| acescg(t as usize)),
    );
    let unconverted = render_as(
        3,
        Connection::new(WIDTH, HEIGHT, move |t| acescg(t as usize)),
    );
    let source = acescg(30).unwrap().rgba;
    let (at, changed) = difference(&source, &converted, WIDTH);
    assert!(changed > 500, "{changed} pixels changed");
    assert!(
        at[1] > HEIGHT * 2 / 5,
        "the upper face keeps its bytes: {at:?}"
    );
    // The mean difference of the changed pixels to the mouth of the Rec.709 picture.
    let distance = |rendered: &[[f32; 4]]| {
        let pixels = rec709.iter().zip(rendered);
        let sum: f32 = pixels
            .map(|(rec709, rendered)| {
                let expected = in_ap1(*rec709);
                (0..3)
                    .map(|c| (expected[c] - rendered[c]).abs())
                    .sum::<f32>()
            })
            .sum();
        sum / (3 * changed) as f32
    };
    let (converted, unconverted) = (distance(&converted), distance(&unconverted));
    assert!(
        converted < 1e-5 && unconverted > 1e-3,
        "{converted} {unconverted}"
    );
}

//! Values above 1: faces in more light than white.

use crate::host::*;
use crate::support::*;
use crate::{THIRTY, render};

const DISPLAY: i32 = 0;
const LINEAR: i32 = 3;
const ACES: i32 = 4;
const PQ: i32 = 6;
const HLG: i32 = 7;
const PQ_P3: i32 = 8;
const PQ_REC709: i32 = 9;
const HLG_REC709: i32 = 10;

/// The head in linear light, in this much light.
fn lit(light: f32) -> Connection {
    Connection::new(WIDTH, HEIGHT, move |time| {
        let mut picture = frame(usize::try_from(time.round() as i64).ok()?)?;
        for pixel in &mut picture.rgba {
            for value in &mut pixel[..3] {
                *value = light * value.powf(2.2);
            }
        }
        Some(picture)
    })
}

/// Whatever the light and the encoding, the pixels outside the matte keep every bit.
#[test]
fn bright_pixels_outside_the_matte_keep_every_bit() {
    const MATTE: i32 = 5;
    let plugin = open_plugin(HostOptions::default());
    let effect = plugin.start(Context::Filter);
    for (colour, light, depth) in [
        (LINEAR, 3.0, Depth::Float),
        (LINEAR, 12.0, Depth::Half),
        (DISPLAY, 3.0, Depth::Float),
        (ACES, 3.0, Depth::Float),
        (PQ, 0.7, Depth::Float),
        (PQ, 2.0, Depth::Half),
        (HLG, 0.8, Depth::Short),
        (PQ_P3, 0.7, Depth::Float),
    ] {
        let instance = speaking(&effect, Context::Filter);
        instance.set("inputColour", colour);
        let connection = Connection {
            depth,
            ..lit(light)
        };
        let source = (connection.source)(THIRTY).unwrap();
        let source = source.encode(depth, Components::Rgba);
        instance.connect("Source", connection);
        let rendered = instance.render(THIRTY, &RenderOptions::default()).bytes;
        instance.set("output", MATTE);
        let matte = render(&instance, THIRTY);
        let pixels = rendered.chunks(4 * depth.bytes());
        let pixels = pixels.zip(source.chunks(4 * depth.bytes())).zip(&matte);
        let (mut inside, mut changed) = (0, 0);
        for ((to, from), [share, ..]) in pixels {
            if *share == 0.0 {
                assert!(to == from, "{colour} {light} {depth:?}");
            } else {
                inside += 1;
                changed += usize::from(to != from);
            }
        }
        assert!(
            changed > 1000 && changed * 2 > inside,
            "{changed} of {inside}"
        );
        instance.assert_clean();
    }
}

/// The light of an encoded value of HDR video relative to 203 cd/m², as ITU-R BT.2100 defines it.
fn light_of(colour: i32, value: f64) -> f64 {
    if [PQ, PQ_P3, PQ_REC709].contains(&colour) {
        let y = value.powf(32.0 / 2523.0);
        let y = (y - 3424.0 / 4096.0).max(0.0) / (2413.0 / 128.0 - 2392.0 / 128.0 * y);
        return y.powf(16384.0 / 2610.0) * 10_000.0 / 203.0;
    }
    let scene = match value <= 0.5 {
        true => value * value / 3.0,
        false => (((value - 0.559_910_73) / 0.178_832_77).exp() + 0.284_668_92) / 12.0,
    };
    scene.powf(1.2) * 1000.0 / 203.0
}

/// The encoded value of a light, by bisection.
fn encoded(colour: i32, light: f64) -> f32 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..40 {
        let middle = 0.5 * (low + high);
        match light_of(colour, middle) < light {
            true => low = middle,
            false => high = middle,
        }
    }
    low as f32
}

type Matrix = [[f32; 3]; 3];

/// Light in BT.709's primaries to those of an encoding, and back: BT.2020 (ITU-R BT.2087 and BT.2407), P3-D65 (from
/// the primaries of SMPTE EG 432-1).
fn primaries(colour: i32) -> [Matrix; 2] {
    match colour {
        PQ | HLG => [
            [
                [0.6274, 0.3293, 0.0433],
                [0.0691, 0.9195, 0.0114],
                [0.0164, 0.0880, 0.8956],
            ],
            [
                [1.6605, -0.5876, -0.0728],
                [-0.1246, 1.1329, -0.0083],
                [-0.0182, -0.1006, 1.1187],
            ],
        ],
        PQ_P3 => [
            [
                [0.8225, 0.1775, 0.0],
                [0.0332, 0.9668, 0.0],
                [0.0171, 0.0724, 0.9105],
            ],
            [
                [1.2249, -0.2249, 0.0],
                [-0.0421, 1.0421, 0.0],
                [-0.0196, -0.0786, 1.0983],
            ],
        ],
        _ => [[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]; 2],
    }
}

fn multiply(matrix: &Matrix, [r, g, b]: [f32; 3]) -> [f32; 3] {
    matrix.map(|row| row[0] * r + row[1] * g + row[2] * b)
}

/// The same scene on an HDR timeline, with its primaries, and on an ordinary one.
#[test]
fn a_face_on_an_hdr_timeline_is_painted_as_on_any_other() {
    let plugin = open_plugin(HostOptions::default());
    let effect = plugin.start(Context::Filter);
    let (linear, _) = shown(&effect, 0.7);
    for colour in [PQ, HLG, PQ_P3, PQ_REC709, HLG_REC709] {
        let [into, out_of] = primaries(colour);
        // The encoded values of (i / 4096)^4.
        let table: Vec<f32> = (0..=4097)
            .map(|i| encoded(colour, (f64::from(i) / 4096.0).powi(4)))
            .collect();
        let connection = Connection::new(WIDTH, HEIGHT, move |time| {
            let mut picture = frame(usize::try_from(time.round() as i64).ok()?)?;
            for [r, g, b, _] in &mut picture.rgba {
                let light = [*r, *g, *b].map(|level| 0.7 * level.powf(2.2));
                [*r, *g, *b] = multiply(&into, light).map(|light| {
                    let at = light.max(0.0).sqrt().sqrt() * 4096.0;
                    let (low, high) = (table[at as usize], table[at as usize + 1]);
                    low + (high - low) * at.fract()
                });
            }
            Some(picture)
        });
        let source = (connection.source)(THIRTY).unwrap().rgba;
        let instance = speaking(&effect, Context::Filter);
        instance.connect("Source", connection);
        let apart = |choice: i32| {
            instance.set("inputColour", choice);
            let rendered = render(&instance, THIRTY);
            let (mut apart, mut count) = (0.0, 0);
            for ((to, from), wanted) in rendered.iter().zip(&source).zip(&linear) {
                if to != from {
                    count += 3;
                    let wide = [0, 1, 2].map(|k| light_of(colour, f64::from(to[k])) as f32);
                    for (light, wanted) in multiply(&out_of, wide).iter().zip(wanted) {
                        apart += (light - wanted).abs();
                    }
                }
            }
            assert!(count > 3000, "the mouth moves");
            apart / count as f32
        };
        let (chosen, display) = (apart(colour), apart(DISPLAY));
        assert!(chosen < 0.001, "{colour}: {chosen} apart");
        assert!(chosen < 0.7 * display, "{colour}: {chosen}, {display}");
        instance.assert_clean();
    }
}

/// A frame and its source.
fn shown(effect: &Effect, light: f32) -> (Vec<[f32; 4]>, Vec<[f32; 4]>) {
    let instance = speaking(effect, Context::Filter);
    instance.set("inputColour", LINEAR);
    let clip = lit(light);
    let source = (clip.source)(THIRTY).unwrap().rgba;
    instance.connect("Source", clip);
    let rendered = render(&instance, THIRTY);
    instance.assert_clean();
    (rendered, source)
}

#[test]
fn a_face_in_more_light_than_white_stays_as_bright() {
    let plugin = open_plugin(HostOptions::default());
    let effect = plugin.start(Context::Filter);
    let (plain, _) = shown(&effect, 1.0);
    for light in [1.5, 3.0, 12.0] {
        let (rendered, source) = shown(&effect, light);
        let (_, count) = difference(&source, &rendered, WIDTH);
        assert!(count > 1000, "the mouth moves");
        let [mut is, mut was, mut apart] = [0.0; 3];
        for (k, (to, from)) in rendered.iter().zip(&source).enumerate() {
            if to != from {
                for channel in 0..3 {
                    is += to[channel];
                    was += from[channel];
                    apart += (to[channel] / light - plain[k][channel]).abs();
                }
            }
        }
        assert!((0.9..1.1).contains(&(is / was)), "{light}: {is} for {was}");
        // As the same face in less light.
        assert!(
            apart < 0.15 * is / light,
            "{light}: {apart} of {}",
            is / light
        );
        let brightest =
            |pixels: &[[f32; 4]]| pixels.iter().fold(0.0, |most: f32, p| most.max(p[0]));
        assert_eq!(brightest(&rendered), brightest(&source));
    }
}

//! Values above 1: faces in more light than white.

use crate::host::*;
use crate::support::*;
use crate::{THIRTY, render};

const LINEAR: i32 = 3;

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

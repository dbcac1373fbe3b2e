//! The layers of a frame: composited over the source they are the rendered frame.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod clip_support;

use clip_support::*;
use stylelipsync::frame::{FrameMut, FrameRef, PixelFormat, Transfer};
use stylelipsync::{Clip, ClipOptions, Corner, FrameOptions, Label, Layers, Matte, Rendered};

/// Renders the frame 3 of the head in another format; returns pixels, matte and layers.
fn layered(
    clip: &Clip,
    source: &FrameRef<'_>,
    strength: f32,
) -> (Rendered, Vec<u8>, Matte, Layers) {
    let (mut matte, mut layers) = (Matte::default(), Layers::default());
    let mut options = FrameOptions {
        strength,
        matte: Some(&mut matte),
        layers: Some(&mut layers),
        ..FrameOptions::default()
    };
    let (width, height, format) = (source.width(), source.height(), source.format());
    let mut bytes = vec![0x5A; width * height * format.bytes()];
    let mut target = FrameMut::packed(&mut bytes, width as u32, height as u32, format).unwrap();
    let rendered = clip
        .render_with(3, source, &mut target, &mut options)
        .unwrap();
    (rendered, bytes, matte, layers)
}

fn clip(options: ClipOptions, frames: &[Picture]) -> Clip {
    analysed(options, frames, &words(2.0, 16_000), 16_000)
}

/// A script of three lines, as a compositor would write it.
fn over(mouth: [f32; 4], source: f64, channel: usize) -> f64 {
    let [premultiplied, alpha] = [mouth[channel], mouth[3]].map(f64::from);
    premultiplied + source * (1.0 - alpha)
}

#[test]
fn layers_over_the_source_are_the_result() {
    let frames = head(8);
    let clip = clip(ClipOptions::default(), &frames);
    for strength in [1.0, 0.6] {
        let source = &frames[3];
        let (rendered, bytes, matte, layers) = layered(&clip, &source.view(), strength);
        assert!(rendered.changed);
        assert_eq!((layers.width, layers.height), (640, 480));
        let mut painted = 0;
        for (i, mouth) in layers.mouth.iter().enumerate() {
            assert_eq!(
                mouth[3], matte.alpha[i],
                "the alpha of the mouth is the matte"
            );
            for channel in 0..3 {
                let at = 4 * i + channel;
                let made = over(*mouth, f64::from(source.bytes[at]) / 255.0, channel);
                let off = (made * 255.0 - f64::from(bytes[at])).abs();
                assert!(off < 0.501, "pixel {i}: {off} levels");
            }
            painted += usize::from(mouth[3] > 0.0);
        }
        assert!(painted > 2000, "{painted} pixels");
        // The matte never reaches the crop's edge, so the ST map is inside the crop there.
        let inside = |st: &[f32; 2]| st.iter().all(|v| (0.0..=1.0).contains(v));
        let places = layers.st.iter().zip(&layers.mouth);
        assert!(
            places
                .clone()
                .all(|(st, mouth)| mouth[3] == 0.0 || inside(st))
        );
        // The head is upright: s grows along a row, t falls down a column.
        let at = |x: usize, y: usize| layers.st[y * 640 + x];
        assert!(at(330, 300)[0] > at(300, 300)[0] && at(300, 330)[1] < at(300, 300)[1]);
    }
}

#[test]
fn layers_are_in_the_encoding_of_the_source() {
    let frames = head(8);
    let options = ClipOptions {
        transfer: Transfer::Linear,
        ..ClipOptions::default()
    };
    let clip = clip(options, &frames);
    // Light above white, and a value that is not finite in the mouth.
    let mut values: Vec<f32> = frames[3]
        .bytes
        .iter()
        .map(|v| (f32::from(*v) / 255.0).powf(2.2) * 1.3)
        .collect();
    values[4 * (290 * 640 + 310)] = f32::NAN;
    let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_ne_bytes()).collect();
    let source = FrameRef::packed(&bytes, 640, 480, PixelFormat::RgbaF32).unwrap();
    let (rendered, result, _, layers) = layered(&clip, &source, 1.0);
    assert!(rendered.changed);
    let mut replaced = 0;
    for (i, mouth) in layers.mouth.iter().enumerate() {
        for channel in 0..3 {
            let at = 4 * i + channel;
            let got = f32::from_ne_bytes(result[4 * at..4 * at + 4].try_into().unwrap());
            let made = if values[at].is_finite() {
                over(*mouth, f64::from(values[at]), channel)
            } else {
                replaced += 1;
                f64::from(mouth[channel] / mouth[3])
            };
            assert!((made - f64::from(got)).abs() < 2e-6, "{made} for {got}");
        }
    }
    assert_eq!(replaced, 1);
}

#[test]
fn without_a_change_the_layers_are_empty_and_the_label_is_never_in_them() {
    let frames = head(8);
    let options = ClipOptions {
        label: Some(Label {
            corner: Corner::TopLeft,
            size: 0.2,
            opacity: 1.0,
        }),
        ..ClipOptions::default()
    };
    let clip = clip(options, &frames);
    let blank = Picture::blank(64, 48);
    let strengths = [(&blank, 1.0), (&frames[3], 0.0)];
    for (source, strength) in strengths {
        let (rendered, bytes, matte, layers) = layered(&clip, &source.view(), strength);
        assert!(
            !rendered.changed && bytes != source.bytes,
            "the label is drawn"
        );
        assert_eq!(layers.mouth.len(), matte.alpha.len());
        assert!(layers.mouth.iter().all(|pixel| *pixel == [0.0; 4]));
        assert!(layers.st.iter().all(|st| *st == [-1.0; 2]));
    }
    let (_, _, _, layers) = layered(&clip, &frames[3].view(), 1.0);
    assert!(
        layers.mouth[..640 * 100]
            .iter()
            .all(|pixel| *pixel == [0.0; 4])
    );
}

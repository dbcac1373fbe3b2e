//! Property tests: what must hold for frames with any bytes, size, stride and position of the crop.

use super::colour::Curve;
use super::composite::{Compositor, Gains, Patch};
use super::{
    BorderMode, FrameMut, FrameRef, PixelFormat, Sampler, Similarity, ToneMap, Transfer,
    copy_pixels,
};
use crate::parallel::Parallel;
use proptest::prelude::*;

const SIZE: usize = 24;
const CANARY: u8 = 0xA5;

/// A frame in a buffer with bytes to spare before it, behind it and between its rows.
#[derive(Clone, Debug)]
struct Picture {
    bytes: Vec<u8>,
    origin: usize,
    stride: isize,
    width: u32,
    height: u32,
    format: PixelFormat,
}

impl Picture {
    /// Lays out packed rows with padding.
    fn new(rows: &[u8], width: u32, height: u32, format: PixelFormat, padding: usize) -> Self {
        let row = width as usize * format.bytes();
        let stride = row + padding;
        let lead = padding / 2;
        let mut bytes = vec![CANARY; lead + stride * height as usize + 3];
        for (y, source) in rows.chunks_exact(row).enumerate() {
            bytes[lead + y * stride..][..row].copy_from_slice(source);
        }
        Self {
            bytes,
            origin: lead,
            stride: stride as isize,
            width,
            height,
            format,
        }
    }

    /// The same picture stored bottom-up.
    fn flipped(&self) -> Self {
        let mut out = self.clone();
        let row = self.width as usize * self.format.bytes();
        let last = self.height as usize - 1;
        for y in 0..=last {
            let (from, to) = (self.start(y), self.start(last - y));
            out.bytes[to..to + row].copy_from_slice(&self.bytes[from..from + row]);
        }
        out.origin = self.start(last);
        out.stride = -self.stride;
        out
    }

    fn start(&self, y: usize) -> usize {
        self.origin.wrapping_add_signed(self.stride * y as isize)
    }

    fn view(&self) -> FrameRef<'_> {
        let Self {
            origin,
            stride,
            width,
            height,
            format,
            ..
        } = *self;
        FrameRef::new(&self.bytes, origin, stride, width, height, format).unwrap()
    }

    fn view_mut(&mut self) -> FrameMut<'_> {
        let Self {
            origin,
            stride,
            width,
            height,
            format,
            ..
        } = *self;
        FrameMut::new(&mut self.bytes, origin, stride, width, height, format).unwrap()
    }

    /// A picture of the same shape, full of canaries.
    fn blank(&self) -> Self {
        Self {
            bytes: vec![CANARY; self.bytes.len()],
            ..self.clone()
        }
    }

    fn rows(&self) -> Vec<u8> {
        (0..self.height as usize)
            .flat_map(|y| self.view().row(y).to_vec())
            .collect()
    }

    /// Every byte that belongs to no pixel.
    fn padding(&self) -> Vec<u8> {
        let row = self.width as usize * self.format.bytes();
        let mut keep = vec![true; self.bytes.len()];
        for y in 0..self.height as usize {
            keep[self.start(y)..][..row].fill(false);
        }
        self.bytes
            .iter()
            .zip(keep)
            .filter(|(_, keep)| *keep)
            .map(|(b, _)| *b)
            .collect()
    }
}

fn formats() -> impl Strategy<Value = PixelFormat> {
    prop::sample::select(PixelFormat::ALL.to_vec())
}

fn transfers() -> impl Strategy<Value = Transfer> {
    prop::sample::select(vec![
        Transfer::Srgb,
        Transfer::Rec709,
        Transfer::Linear,
        Transfer::Display,
        Transfer::Pq,
        Transfer::Hlg,
        Transfer::PqRec709,
        Transfer::HlgRec709,
        Transfer::PqP3,
    ])
}

/// Any bytes at all: floats among them are NaN, infinite or absurd as often as not.
fn pictures() -> impl Strategy<Value = Picture> {
    (formats(), 1u32..40, 1u32..40, 0usize..9, any::<bool>()).prop_flat_map(
        |(format, width, height, padding, flip)| {
            let len = width as usize * height as usize * format.bytes();
            prop::collection::vec(any::<u8>(), len).prop_map(move |rows| {
                let picture = Picture::new(&rows, width, height, format, padding);
                if flip { picture.flipped() } else { picture }
            })
        },
    )
}

fn maps() -> impl Strategy<Value = Similarity> {
    (-20.0..60.0f64, -20.0..60.0f64, 2.0..120.0f64, -4.0..4.0f64)
        .prop_map(|(x, y, side, roll)| Similarity::square([x, y], side, roll, SIZE))
}

/// A mask with holes and a rim, 0 in the outer two pixels.
fn masks() -> impl Strategy<Value = Vec<f32>> {
    prop::collection::vec(
        prop_oneof![Just(0.0f32), Just(1.0), 0.0..1.0f32],
        SIZE * SIZE,
    )
    .prop_map(|mut mask| {
        for (i, v) in mask.iter_mut().enumerate() {
            let (x, y) = (i % SIZE, i / SIZE);
            if x.min(y) < 2 || x.max(y) >= SIZE - 2 {
                *v = 0.0;
            }
        }
        mask
    })
}

fn generated() -> impl Strategy<Value = Vec<f32>> {
    prop::collection::vec(-1.2..1.2f32, 3 * SIZE * SIZE)
}

fn render(
    source: &Picture,
    transfer: Transfer,
    map: &Similarity,
    patch: &Patch<'_>,
    strength: f32,
) -> Picture {
    let mut target = source.blank();
    copy_pixels(&source.view(), &mut target.view_mut()).unwrap();
    Compositor::default()
        .blend(&mut target.view_mut(), transfer, map, patch, strength)
        .unwrap();
    target
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..Default::default() })]

    #[test]
    fn outside_the_rim_every_byte_is_the_sources(
        source in pictures(),
        transfer in transfers(),
        map in maps(),
        alpha in masks(),
        generated in generated(),
        gains in prop::array::uniform3(0.8..1.25f32),
        strength in 0.0..=1.0f32,
    ) {
        let patch = Patch { size: SIZE, generated: &generated, alpha: &alpha, gains: &Gains::uniform(gains), tone: ToneMap::NONE, detail: &[] };
        let target = render(&source, transfer, &map, &patch, strength);
        let (width, height) = (source.width as usize, source.height as usize);
        let mut matte = vec![0.0; width * height];
        Compositor::default()
            .matte(&source.view(), &map, (SIZE, &alpha), strength, &mut matte)
            .unwrap();
        let bytes = source.format.bytes();
        let colour = if source.format == PixelFormat::Rgb8 { 3 } else { bytes / 4 * 3 };
        for (i, (was, is)) in
            source.rows().chunks(bytes).zip(target.rows().chunks(bytes)).enumerate()
        {
            prop_assert!((0.0..=1.0).contains(&matte[i]));
            if matte[i] == 0.0 {
                prop_assert_eq!(was, is, "pixel {}", i);
            }
            prop_assert_eq!(&was[colour..], &is[colour..], "alpha of pixel {}", i);
        }
        prop_assert!(target.padding().iter().all(|b| *b == CANARY));
        // In place gives the same.
        let mut place = source.clone();
        Compositor::default()
            .blend(&mut place.view_mut(), transfer, &map, &patch, strength)
            .unwrap();
        prop_assert_eq!(place.rows(), target.rows());
    }

    #[test]
    fn bottom_up_equals_top_down(
        source in pictures(),
        transfer in transfers(),
        map in maps(),
        alpha in masks(),
        generated in generated(),
    ) {
        let patch = Patch { size: SIZE, generated: &generated, alpha: &alpha, gains: &Gains::default(), tone: ToneMap::NONE, detail: &[] };
        let flipped = source.flipped();
        prop_assert_eq!(source.rows(), flipped.rows());
        let (a, b) = (
            render(&source, transfer, &map, &patch, 1.0),
            render(&flipped, transfer, &map, &patch, 1.0),
        );
        prop_assert_eq!(a.rows(), b.rows());
        let cut = |picture: &Picture| {
            let mut out = vec![0.0; 3 * SIZE * SIZE];
            Sampler::default()
                .sample(&picture.view(), transfer, &map, SIZE, BorderMode::Edge, &mut out)
                .unwrap();
            out
        };
        prop_assert_eq!(cut(&source), cut(&flipped));
    }

    #[test]
    fn threads_change_no_byte(
        source in pictures(),
        transfer in transfers(),
        map in maps(),
        alpha in masks(),
        generated in generated(),
        grey in any::<bool>(),
        threads in 2usize..5,
        upwards in any::<bool>(),
    ) {
        let source = if upwards { source.flipped() } else { source };
        let parallel = Parallel::finest(threads);
        let patch = Patch { size: SIZE, generated: &generated, alpha: &alpha, gains: &Gains::default(), tone: ToneMap::NONE, detail: &[] };
        let alone = render(&source, transfer, &map, &patch, 0.8);
        let mut target = source.blank();
        copy_pixels(&source.view(), &mut target.view_mut()).unwrap();
        Compositor::on(parallel)
            .blend(&mut target.view_mut(), transfer, &map, &patch, 0.8)
            .unwrap();
        prop_assert_eq!(alone.bytes, target.bytes);
        let outside = if grey { BorderMode::Grey } else { BorderMode::Edge };
        let [one, many] = [Sampler::default(), Sampler::on(parallel)].map(|mut sampler| {
            let mut out = vec![0.0; 3 * SIZE * SIZE];
            sampler.sample(&source.view(), transfer, &map, SIZE, outside, &mut out).unwrap();
            out
        });
        prop_assert_eq!(one, many);
    }

    #[test]
    fn networks_see_colours_whatever_the_bytes(
        source in pictures(),
        transfer in transfers(),
        map in maps(),
        grey in any::<bool>(),
    ) {
        let outside = if grey { BorderMode::Grey } else { BorderMode::Edge };
        let mut sampler = Sampler::default();
        let mut out = vec![f32::NAN; 3 * SIZE * SIZE];
        sampler.sample(&source.view(), transfer, &map, SIZE, outside, &mut out).unwrap();
        prop_assert!(out.iter().all(|v| (-1.0001..=1.0001).contains(v)));
        // A used sampler answers like a fresh one.
        let first = out.clone();
        let other = Similarity::square([9.0, 9.0], 77.0, 1.0, SIZE);
        sampler.sample(&source.view(), transfer, &other, SIZE, outside, &mut out).unwrap();
        sampler.sample(&source.view(), transfer, &map, SIZE, outside, &mut out).unwrap();
        prop_assert_eq!(first, out);
    }

    #[test]
    fn formats_agree(
        (width, height, rgb) in (2u32..30, 2u32..30).prop_flat_map(|(w, h)| {
            (Just(w), Just(h), prop::collection::vec(any::<[u8; 3]>(), (w * h) as usize))
        }),
        transfer in transfers(),
        map in maps(),
        alpha in masks(),
        generated in generated(),
    ) {
        let patch = Patch { size: SIZE, generated: &generated, alpha: &alpha, gains: &Gains::default(), tone: ToneMap::NONE, detail: &[] };
        let mut seen = Vec::new();
        for format in PixelFormat::ALL {
            let rows: Vec<u8> = rgb.iter().flat_map(|rgb| encode(*rgb, format)).collect();
            let picture = Picture::new(&rows, width, height, format, 4);
            let mut crop = vec![0.0; 3 * SIZE * SIZE];
            Sampler::default()
                .sample(&picture.view(), transfer, &map, SIZE, BorderMode::Edge, &mut crop)
                .unwrap();
            let blended = render(&picture, transfer, &map, &patch, 1.0);
            let values: Vec<f32> =
                blended.rows().chunks(format.bytes()).flat_map(|p| decode(p, format)).collect();
            seen.push((format, crop, values));
        }
        // With other primaries, a bright channel is subtracted from a dark one.
        let steepest = if Curve::of(transfer).is_wide() { 1200.0 } else { 13.0 };
        let (_, exact_crop, exact_values) = seen.last().unwrap();
        for (format, crop, values) in &seen {
            // Steps of the stored values; the curves are steeper, and crops span twice the range.
            let (stored, step) = match format {
                PixelFormat::RgbaF32 => (0.0, 0.0),
                PixelFormat::RgbaF16 => (1.0 / 2048.0 / 2.0, 1.0 / 2048.0),
                PixelFormat::Rgba16 => (1e-6, 0.5 / 65535.0),
                _ => (1e-6, 0.5 / 255.0),
            };
            for (a, b) in crop.iter().zip(exact_crop) {
                prop_assert!((a - b).abs() <= stored * 2.0 * steepest + 1e-4, "{:?}: {} {}", format, a, b);
            }
            for (a, b) in values.iter().zip(exact_values) {
                prop_assert!((a - b).abs() <= step + 1e-4, "{:?}: {} {}", format, a, b);
            }
        }
    }
}

fn encode(rgb: [u8; 3], format: PixelFormat) -> Vec<u8> {
    let [r, g, b] = rgb;
    let float = |v: u8| f32::from(v) / 255.0;
    match format {
        PixelFormat::Rgba8 => vec![r, g, b, 255],
        PixelFormat::Bgra8 => vec![b, g, r, 255],
        PixelFormat::Rgb8 => vec![r, g, b],
        PixelFormat::Rgba16 => [r, g, b, 255]
            .iter()
            .flat_map(|v| (u16::from(*v) * 257).to_ne_bytes())
            .collect(),
        PixelFormat::RgbaF16 => [r, g, b, 255]
            .iter()
            .flat_map(|v| half::f16::from_f32(float(*v)).to_ne_bytes())
            .collect(),
        PixelFormat::RgbaF32 => [r, g, b, 255]
            .iter()
            .flat_map(|v| float(*v).to_ne_bytes())
            .collect(),
    }
}

fn decode(pixel: &[u8], format: PixelFormat) -> [f32; 3] {
    let word = |i: usize| [pixel[2 * i], pixel[2 * i + 1]];
    match format {
        PixelFormat::Rgba8 | PixelFormat::Rgb8 => [0, 1, 2].map(|i| f32::from(pixel[i]) / 255.0),
        PixelFormat::Bgra8 => [2, 1, 0].map(|i| f32::from(pixel[i]) / 255.0),
        PixelFormat::Rgba16 => [0, 1, 2].map(|i| f32::from(u16::from_ne_bytes(word(i))) / 65535.0),
        PixelFormat::RgbaF16 => [0, 1, 2].map(|i| half::f16::from_ne_bytes(word(i)).to_f32()),
        PixelFormat::RgbaF32 => {
            [0, 1, 2].map(|i| f32::from_ne_bytes([0, 1, 2, 3].map(|k| pixel[4 * i + k])))
        }
    }
}

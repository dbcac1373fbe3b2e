//! The engine's own loops, without networks: `cargo bench --bench kernels`.

use divan::{Bencher, black_box};
use stylelipsync::MarkId;
use stylelipsync::audio::{MelParameters, MelSpectrogram, Timeline, to_16k};
use stylelipsync::face::{Layer, ReferencePicture, ReferenceWarp, ReferenceWarpProtocol};
use stylelipsync::frame::composite::{Gains, Patch};
use stylelipsync::frame::{
    BorderMode, Compositor, FrameMut, FrameRef, PixelFormat, Sampler, Similarity, ToneMap, Transfer,
};
use stylelipsync::mark::{MarkBuffers, Marker};

const SIZE: usize = 256;
const WIDTH: u32 = 1920;
const HEIGHT: u32 = 1080;

/// The shipped bundle's.
const MEL: MelParameters = MelParameters {
    rate: 16_000,
    mels: 80,
    fft: 512,
    window: 400,
    hop: 160,
    low: 55.0,
    high: 7600.0,
    floor: 1e-5,
    frames: 28,
    lead: 16,
};

fn main() {
    divan::main();
}

/// A square over a face of 400 pixels, a little turned.
fn crop() -> Similarity {
    Similarity::square([960.0, 500.0], 400.0, 0.1, SIZE)
}

fn frame(format: PixelFormat) -> Vec<u8> {
    let bytes = (WIDTH * HEIGHT) as usize * format.bytes();
    // Small bytes: as half or float they are ordinary numbers.
    (0..bytes)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8 & 0x3f)
        .collect()
}

#[divan::bench(args = [PixelFormat::Rgba8, PixelFormat::Rgba16, PixelFormat::RgbaF32])]
fn cut_a_crop(bencher: Bencher, format: PixelFormat) {
    let bytes = frame(format);
    let source = FrameRef::packed(&bytes, WIDTH, HEIGHT, format).expect("a good frame");
    let (mut sampler, mut out) = (Sampler::default(), vec![0.0; 3 * SIZE * SIZE]);
    bencher.bench_local(|| {
        let map = black_box(crop());
        sampler.sample(
            &source,
            Transfer::Display,
            &map,
            SIZE,
            BorderMode::Edge,
            &mut out,
        )
    });
}

/// What the detector sees of a frame.
#[divan::bench(args = [PixelFormat::Rgba8, PixelFormat::Rgba16, PixelFormat::RgbaF32])]
fn shrink_a_frame(bencher: Bencher, format: PixelFormat) {
    let bytes = frame(format);
    let source = FrameRef::packed(&bytes, WIDTH, HEIGHT, format).expect("a good frame");
    let (size, transfer, border) = (192, Transfer::Display, BorderMode::Grey);
    let (mut sampler, mut out) = (Sampler::default(), vec![0.0; 3 * size * size]);
    bencher.bench_local(|| {
        let map = black_box(Similarity::square([960.0, 540.0], 1920.0, 0.0, size));
        sampler.sample(&source, transfer, &map, size, border, &mut out)
    });
}

#[divan::bench(args = [PixelFormat::Rgba8, PixelFormat::Rgba16, PixelFormat::RgbaF32])]
fn blend_a_crop(bencher: Bencher, format: PixelFormat) {
    let mut bytes = frame(format);
    let mut target = FrameMut::packed(&mut bytes, WIDTH, HEIGHT, format).expect("a good frame");
    let generated = vec![0.25; 3 * SIZE * SIZE];
    let alpha = vec![0.75; SIZE * SIZE];
    let patch = Patch {
        size: SIZE,
        generated: &generated,
        alpha: &alpha,
        gains: &Gains::default(),
        tone: ToneMap::NONE,
        detail: &[],
    };
    let mut compositor = Compositor::default();
    bencher.bench_local(|| {
        compositor.blend(
            &mut target,
            Transfer::Display,
            &black_box(crop()),
            &patch,
            1.0,
        )
    });
}

#[divan::bench]
fn mel_window(bencher: Bencher) {
    let sine = |n: u16| (f32::from(n) * 0.1).sin();
    let audio = Timeline::whole((0..16_000).map(sine).collect::<Vec<_>>(), 0);
    let mel = MelSpectrogram::new(MEL).expect("good parameters");
    let mut window = vec![0.0; mel.params().window_len()];
    bencher.bench_local(|| mel.window(&audio, black_box(8000), &mut window));
}

#[divan::bench]
fn resample_a_second(bencher: Bencher) {
    let second: Vec<f32> = (0..48_000).map(|n| (n as f32 * 0.05).sin()).collect();
    bencher.bench_local(|| to_16k(black_box(&second), 48_000, 1));
}

/// What the bank costs a frame: one to three references, with as many points as the shipped face model
/// carries.
#[divan::bench(args = [1, 2, 3])]
fn mix_references(bencher: Bencher, count: usize) {
    let planar: Vec<f32> = (0..3 * SIZE * SIZE)
        .map(|n| (n as f32 * 0.01).sin())
        .collect();
    let picture = ReferencePicture::new(&planar, SIZE);
    let seen: Vec<f32> = (0..2 * 68).map(|n| (n as f32 * 0.77).sin() * 0.5).collect();
    let wanted: Vec<f32> = seen.iter().map(|v| v * 1.03 + 0.01).collect();
    let protocol = ReferenceWarpProtocol {
        grid: 64,
        sigma: 0.04,
    };
    let pictures = vec![picture; count];
    let layers: Vec<Layer<'_>> = pictures
        .iter()
        .map(|picture| Layer {
            picture,
            points: &seen,
            share: 0.3,
        })
        .collect();
    let (mut warp, mut out) = (ReferenceWarp::default(), Vec::new());
    bencher.bench_local(|| {
        let wanted = black_box(&wanted);
        warp.mix(&layers, wanted, protocol, &mut out);
    });
}

#[divan::bench]
fn watermark_a_crop(bencher: Bencher) {
    let marker = Marker::new(MarkId::of(b"bench"));
    let area = SIZE * SIZE;
    // A texture, so that the strength is measured; the lower half of the crop is generated.
    let crop: Vec<f32> = (0..3 * area)
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 20 & 0xff) as f32 / 512.0)
        .collect();
    let mut alpha = vec![0.0; area];
    alpha[area / 2..].fill(1.0);
    let (mut generated, mut buffers) = (crop.clone(), MarkBuffers::default());
    bencher.bench_local(|| {
        generated.copy_from_slice(&crop);
        marker.mark(black_box(&mut generated), &crop, &alpha, &mut buffers);
    });
}

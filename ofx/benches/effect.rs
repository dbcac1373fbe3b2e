//! The effect in the test host: the time of the describe actions, of the first frame and of a 1080p
//! float frame with and without the effect around the engine; memory over many frames and instances.
//!
//! `cargo bench -p stylelipsync-ofx [-- memory [FRAMES] | pictures FOLDER]`; `pictures` renders the
//! pictures of the README.

#![allow(clippy::unwrap_used, reason = "a failed unwrap ends the benchmark")]

#[cfg(target_os = "linux")]
#[path = "../tests/host/mod.rs"]
mod host;
#[cfg(target_os = "linux")]
#[path = "../tests/support/mod.rs"]
mod support;

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("the test host runs on Linux");
}

#[cfg(target_os = "linux")]
fn main() {
    let mut arguments = std::env::args().skip(1).filter(|a| !a.starts_with("--"));
    match arguments.next().as_deref() {
        Some("pictures") => measured::pictures(&arguments.next().expect("a folder")),
        Some("memory") => measured::memory(
            arguments
                .next()
                .and_then(|n| n.parse().ok())
                .unwrap_or(10_000),
        ),
        _ => measured::times(),
    }
}

#[cfg(target_os = "linux")]
mod measured {
    use std::time::{Duration, Instant};

    use stylelipsync::audio::decode_file;
    use stylelipsync::frame::{FrameMut, FrameRef, PixelFormat};
    use stylelipsync::{
        Analysis, ClipOptions, Engine, EngineOptions, FrameInputs, FrameOptions, Neighbours,
        Renderer, Speech,
    };

    use crate::host::*;
    use crate::support::*;

    const LARGE: (usize, usize) = (1920, 1080);
    const TIMES: usize = 25;

    /// The head, enlarged to 1080p.
    fn large() -> Connection {
        let (width, height) = LARGE;
        let frames: Vec<Picture> = (0..40)
            .map(|k| frame(k).expect("a frame").resized(width, height))
            .collect();
        let shown = move |time: f64| frames.get(time as usize).cloned();
        Connection {
            premultiplication: Premultiplication::Opaque,
            frame_range: [0.0, 39.0],
            ..Connection::new(width, height, shown)
        }
    }

    fn median(mut times: Vec<Duration>) -> f64 {
        times.sort_unstable();
        times[times.len() / 2].as_secs_f64() * 1e3
    }

    fn actions(log: &Log, name: &str) -> Vec<Duration> {
        let named = log
            .actions
            .iter()
            .filter(|action| action.name.ends_with(name));
        named.map(|action| action.elapsed).collect()
    }

    /// The time of a frame, without the time that the host takes to make and check its images.
    fn render_time(instance: &Instance, time: f64) -> Duration {
        let before = imaging();
        let rendered = instance.render(time, &RenderOptions::default());
        assert!(rendered.status.is_ok());
        let taken = actions(&instance.log(), "ActionRender");
        let taken = taken.last().copied().unwrap_or_default();
        taken.saturating_sub(imaging() - before)
    }

    pub fn times() {
        let plugin = open_plugin(HostOptions::default());
        let effect = plugin.start(Context::Filter);
        for action in ["Load", "Describe", "DescribeInContext"] {
            println!(
                "{action:<28}{:9.3} ms",
                median(actions(&effect.log(), action))
            );
        }
        let instance = effect.create(Context::Filter).expect("an instance");
        instance.connect("Source", large());
        instance.set("audio", other_speech().as_str());
        let first = render_time(&instance, 20.0);
        println!(
            "first frame, 1080p float     {:9.1} ms",
            first.as_secs_f64() * 1e3
        );
        let render = |time: f64| render_time(&instance, time);
        let whole = median((0..TIMES).map(|_| render(20.0)).collect());
        let alone = median(engine_alone());
        println!("a frame with known faces     {whole:9.2} ms");
        println!("the engine alone             {alone:9.2} ms");
        println!("the effect around it         {:9.2} ms", whole - alone);
        for depth in [Depth::Float, Depth::Byte] {
            instance.connect("Source", Connection { depth, ..large() });
            // Once, for the reference; then frames whose faces were not found yet.
            render(20.0);
            let forwards = median((23..37).map(|time| render(f64::from(time))).collect());
            let backwards = median((2..17).rev().map(|time| render(f64::from(time))).collect());
            println!("a frame in order, {depth:<11?}{forwards:9.2} ms");
            println!("a frame backwards, {depth:<10?}{backwards:9.2} ms");
        }
        throughput(&instance, 1);
        for threads in [1, 2, 4] {
            println!(
                "{threads} frames at once, byte      {:9.2} frames/s, with the host's images",
                throughput(&instance, threads)
            );
        }
    }

    /// Frames a second when a host renders `threads` frames at once. The faces of all of them are known.
    fn throughput(instance: &Instance, threads: usize) -> f64 {
        let begun = Instant::now();
        let next = std::sync::atomic::AtomicUsize::new(0);
        let frames = 24;
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    loop {
                        let frame = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                        if frame >= frames {
                            break;
                        }
                        let rendered =
                            instance.render(frame as f64 + 6.0, &RenderOptions::default());
                        assert!(rendered.status.is_ok());
                    }
                });
            }
        });
        frames as f64 / begun.elapsed().as_secs_f64()
    }

    /// The same frame, rendered by the engine without the effect.
    fn engine_alone() -> Vec<Duration> {
        let engine = Engine::new(&EngineOptions::default()).expect("an engine");
        let speech = decode_file(other_speech().as_ref()).expect("speech");
        let renderer = Renderer::new(engine, ClipOptions::default()).expect("a renderer");
        let speech = speech.to_16k().expect("speech at 16 kHz");
        let speech = Speech::new(speech.into(), 0).expect("speech");
        let (width, height) = LARGE;
        let bytes = |k: usize| {
            frame(k)
                .expect("a frame")
                .resized(width, height)
                .encode(Depth::Float, Components::Rgba)
        };
        let frames: Vec<_> = (18..23).map(bytes).collect();
        let view = |k: usize| {
            FrameRef::packed(
                &frames[k],
                width as u32,
                height as u32,
                PixelFormat::RgbaF32,
            )
            .expect("a view")
        };
        let seen: Vec<_> = (0..5)
            .map(|k| renderer.find_faces(&view(k)).expect("a face"))
            .collect();
        let analysis = Analysis::default();
        analysis.add(&renderer, 20, &view(2)).expect("a face");
        let faces = Neighbours {
            middle: seen[2].clone(),
            before: [Some(seen[0].clone()), Some(seen[1].clone())],
            after: [Some(seen[3].clone()), Some(seen[4].clone())],
        };
        let one = || {
            // A host's new images evict everything else from the CPU caches; so do these.
            let others: Vec<_> = (18..22).map(bytes).collect();
            std::hint::black_box(&others);
            let mut target = bytes(20);
            let begun = Instant::now();
            let format = PixelFormat::RgbaF32;
            let mut target =
                FrameMut::packed(&mut target, width as u32, height as u32, format).expect("a view");
            let inputs = FrameInputs {
                index: 20,
                position: 20 * 640,
                speech: &speech,
                faces: &faces,
            };
            let (source, options) = (view(2), &mut FrameOptions::default());
            renderer
                .render(&inputs, &source, &mut target, options, || {
                    analysis.profile_at(&renderer, 20)
                })
                .expect("a frame");
            begun.elapsed()
        };
        one();
        (0..TIMES).map(|_| one()).collect()
    }

    /// Writes the overlays of the rendered head.
    pub fn pictures(folder: &str) {
        let plugin = open_plugin(HostOptions::default());
        let effect = plugin.start(Context::Filter);
        let instance = speaking(&effect, Context::Filter);
        let depth = Depth::Byte;
        instance.connect("Source", Connection { depth, ..clip() });
        for (output, name) in [(2, "mask.png"), (3, "track.png")] {
            instance.set("output", output);
            let rendered = instance.render(30.0, &RenderOptions::default());
            let path = std::path::Path::new(folder).join(name);
            let picture = image::RgbaImage::from_raw(WIDTH as u32, HEIGHT as u32, rendered.bytes);
            let picture = image::DynamicImage::from(picture.expect("all pixels")).into_rgb8();
            picture.save(path).expect("a picture");
        }
    }

    fn resident() -> u64 {
        let about = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let line = about.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.and_then(|line| line.split_whitespace().next()?.parse().ok())
            .unwrap_or(0)
            / 1024
    }

    /// Resident memory over many frames, then over many instances.
    pub fn memory(frames: usize) {
        let plugin = open_plugin(HostOptions::default());
        let effect = plugin.start(Context::Filter);
        let instance = speaking(&effect, Context::Filter);
        for number in 0..=frames {
            instance.render((number % FRAMES) as f64, &RenderOptions::default());
            // The growth of the effect is measured, not that of the test host.
            instance.forget_records();
            if number % (frames / 10).max(1) == 0 || number == 200 {
                println!("{number:6} frames {:5} MiB", resident());
            }
        }
        drop(instance);
        for number in 0..=800 {
            let one = speaking(&effect, Context::Filter);
            one.render((number % 40) as f64, &RenderOptions::default());
            if number % 100 == 0 {
                println!("{number:6} instances {:2} MiB", resident());
            }
        }
    }
}

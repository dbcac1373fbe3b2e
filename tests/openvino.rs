//! The generator through OpenVINO's plug-in, on this machine's processor.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

use std::collections::BTreeMap;

use stylelipsync::model::locate::Component;
use stylelipsync::model::networks::Generator;
use stylelipsync::model::{Bundle, Networks, Provider};
use stylelipsync_provision::provision;

/// A picture-like input that needs no file: waves of several lengths.
fn waves(count: usize) -> Vec<f32> {
    (0..count)
        .map(|i| ((i as f32 * 0.013).sin() + (i as f32 * 0.37).cos()) * 0.5)
        .collect()
}

/// The largest and the mean difference.
fn apart(found: &[f32], truth: &[f32]) -> (f32, f32) {
    assert_eq!(found.len(), truth.len());
    let each = || found.iter().zip(truth).map(|(a, b)| (a - b).abs());
    (
        each().fold(0.0, f32::max),
        each().sum::<f32>() / found.len() as f32,
    )
}

/// A bundle, and what its generator takes.
struct Given {
    bundle: Bundle,
    picture: Vec<f32>,
    lips: Vec<f32>,
    code: Vec<f32>,
}

impl Given {
    /// ONNX Runtime and the plug-in are fetched where they are missing.
    fn new() -> Self {
        for component in [Component::OnnxRuntime, Component::OpenVino] {
            provision(component).unwrap();
        }
        let bundle = Bundle::embedded().unwrap();
        let manifest = bundle.manifest();
        Self {
            picture: waves(3 * manifest.image * manifest.image),
            lips: waves(2 * manifest.lips),
            code: waves(manifest.latent.codes * manifest.latent.dim),
            bundle,
        }
    }

    fn paint(&self, generator: &Generator) -> Vec<f32> {
        let picture = &self.picture;
        generator
            .run(picture, &self.lips, &self.code, picture)
            .unwrap()
    }
}

#[test]
fn the_generator_agrees_with_the_cpu() {
    let given = Given::new();
    let load = |provider, threads| Networks::load(&given.bundle, provider, threads).unwrap();
    let truth = given.paint(&load(Provider::Cpu, 1).generator);

    // A processor without bfloat16 computes in float32 there too.
    for (provider, most, mean) in [
        (Provider::OpenVino, 1e-4, 1e-5),
        (Provider::OpenVinoBf16, 0.3, 8e-3),
    ] {
        let networks = load(provider, 2);
        assert_eq!(networks.provider().used, provider);
        for placement in networks.placements() {
            let there = |(name, _): &(String, usize)| name == "OpenVINOExecutionProvider";
            assert_eq!(
                placement.nodes.iter().any(there),
                placement.network == "generator",
                "{placement:?}"
            );
        }
        let found = given.paint(&networks.generator);
        let (worst, off) = apart(&found, &truth);
        println!("{provider}: {worst:.1e} off, on average {off:.1e}");
        assert!(
            worst <= most && off <= mean,
            "{provider}: {worst} and {off} off"
        );
        // Each of two calls at once has a session of its own; the bytes are the same.
        std::thread::scope(|scope| {
            let both = [(); 2].map(|()| scope.spawn(|| given.paint(&networks.generator)));
            for image in both {
                assert!(
                    image.join().unwrap() == found,
                    "another call gave other bytes"
                );
            }
        });
    }
}

/// A person's tensors replace the bundle's in OpenVINO's compiled graph too.
#[test]
fn a_persons_generator_is_that_of_the_cpu() {
    let given = Given::new();
    let paint = |provider, tensors: &BTreeMap<String, Vec<f32>>| {
        given.paint(&Generator::adapted(&given.bundle, provider, 1, tensors).unwrap())
    };
    let person = BTreeMap::from([("rgb_bias".to_owned(), vec![0.4, -0.2, 0.1])]);
    let truth = paint(Provider::Cpu, &person);
    let (moved, _) = apart(&paint(Provider::Cpu, &BTreeMap::new()), &truth);
    assert!(moved > 0.01, "the tensor changes nothing: {moved}");
    let (worst, _) = apart(&paint(Provider::OpenVino, &person), &truth);
    assert!(worst <= 1e-4, "{worst} off");
}

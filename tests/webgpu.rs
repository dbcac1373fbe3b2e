//! The whole generator on a GPU's provider, without a GPU: WebGPU on SwiftShader, which Debian and
//! Ubuntu ship in the package `chromium-common`.
//!
//! Where that is, and whether software will do, is told by environment variables that must be set
//! before ONNX Runtime starts, so each test runs a part of this program in a process of its own.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
#![cfg(target_os = "linux")]

use std::{path::Path, process::Command};
use stylelipsync::Error;
use stylelipsync::model::locate::Component;
use stylelipsync::model::{Bundle, Networks, Provider};
use stylelipsync_provision::provision;

mod skip;

const SWIFTSHADER: &str = "/usr/lib/chromium/vk_swiftshader_icd.json";

/// Runs one of the ignored functions below in a new process and expects it to end well.
fn in_a_process(part: &str, variables: &[(&str, &str)]) {
    for component in [Component::OnnxRuntime, Component::WebGpu] {
        provision(component).unwrap();
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", part, "--ignored", "--nocapture"])
        .env_remove("VK_ICD_FILENAMES")
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(
        output.status.success(),
        "{part} ended with {}",
        output.status
    );
    assert!(said.contains("1 passed"), "{part} did not run");
}

#[test]
fn webgpu_agrees_with_the_cpu() {
    if !Path::new(SWIFTSHADER).is_file() {
        skip::skip("chromium-common");
        return;
    }
    let software = [
        ("VK_DRIVER_FILES", SWIFTSHADER),
        ("ORT_WEBGPU_EP_ALLOW_SOFTWARE_ADAPTER", "1"),
    ];
    in_a_process("on_swiftshader", &software);
}

#[test]
fn without_a_gpu_webgpu_is_refused_with_a_reason() {
    in_a_process(
        "on_nothing",
        &[("VK_DRIVER_FILES", "/nonexistent/driver.json")],
    );
}

/// A picture-like input that needs no file: waves of several lengths.
fn waves(count: usize) -> Vec<f32> {
    (0..count)
        .map(|i| ((i as f32 * 0.013).sin() + (i as f32 * 0.37).cos()) * 0.5)
        .collect()
}

#[test]
#[ignore = "a part of webgpu_agrees_with_the_cpu"]
fn on_swiftshader() {
    let bundle = Bundle::embedded().unwrap();
    let manifest = bundle.manifest();
    let side = manifest.image;
    let face = waves(3 * side * side);
    let lips = waves(2 * manifest.lips);
    let code = waves(manifest.latent.codes * manifest.latent.dim);

    let cpu = Networks::load(&bundle, Provider::Cpu, 0).unwrap();
    let carried = waves(3 * side * side);
    let truth = cpu.generator.run(&face, &lips, &code, &carried).unwrap();
    let code_truth = cpu.reference.run(&face).unwrap();

    let gpu = Networks::load(&bundle, Provider::WebGpu, 0).unwrap();
    assert_eq!(gpu.provider().used, Provider::WebGpu);
    for placement in gpu.placements() {
        println!("{placement:?}");
        let there = |(name, _): &(String, usize)| name == "WebGpuExecutionProvider";
        assert!(
            placement.nodes.iter().any(there),
            "nothing of {} is on it",
            placement.network
        );
    }
    // Two threads at once: the provider has one queue, and each must get its own answer.
    std::thread::scope(|scope| {
        let image = scope.spawn(|| gpu.generator.run(&face, &lips, &code, &carried).unwrap());
        let reference = scope.spawn(|| gpu.reference.run(&face).unwrap());
        check("image", &image.join().unwrap(), &truth);
        check("reference code", &reference.join().unwrap(), &code_truth);
    });

    let codes = code.repeat(7);
    let smooth = gpu.mals.run(&codes, &code).unwrap();
    check(
        "smoothed code",
        &smooth,
        &cpu.mals.run(&codes, &code).unwrap(),
    );
    assert!(
        gpu.mals.run(&codes, &code).unwrap() == smooth,
        "the same call gave other bytes"
    );
}

/// Within 1e-3 of the largest value.
fn check(what: &str, found: &[f32], truth: &[f32]) {
    assert_eq!(found.len(), truth.len());
    let scale = truth
        .iter()
        .fold(0.0f32, |scale, value| scale.max(value.abs()));
    let worst = found
        .iter()
        .zip(truth)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max);
    println!("{what}: {worst:.1e} off, largest value {scale:.3}");
    assert!(
        scale > 0.0 && worst <= 1e-3 * scale,
        "{what}: {worst} off, largest value {scale}"
    );
}

#[test]
#[ignore = "a part of without_a_gpu_webgpu_is_refused_with_a_reason"]
fn on_nothing() {
    let bundle = Bundle::embedded().unwrap();
    let error = Networks::load(&bundle, Provider::WebGpu, 1)
        .err()
        .expect("there is no GPU");
    assert!(
        matches!(
            error,
            Error::Provider {
                provider: "webgpu",
                ..
            }
        ),
        "{error:?}"
    );
    println!("{error}");

    let networks = Networks::load(&bundle, Provider::Auto, 1).unwrap();
    println!("{}", networks.provider());
    let refused = &networks.provider().refused;
    let reason = refused
        .iter()
        .find(|(provider, _)| *provider == Provider::WebGpu);
    assert!(
        reason.is_some_and(|(_, reason)| !reason.is_empty()),
        "{refused:?}"
    );
    assert_ne!(networks.provider().used, Provider::WebGpu);
}

//! What the controls do, with valid and invalid values, and the buttons.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
#![cfg(any(target_os = "linux", windows))]

#[path = "../host/mod.rs"]
mod host;
#[path = "../support/mod.rs"]
mod support;

mod anamorphic;
mod buttons;
mod changes;
mod exports;
mod faces;
mod highlights;
mod look;
mod presets;
mod problems;
mod shots;
mod timelines;
mod waveform;

use host::*;

const THIRTY: f64 = 30.0;

fn plain() -> RenderOptions {
    RenderOptions::default()
}

/// The RGBA pixels of a frame, as the effect renders it.
fn render(instance: &Instance, time: f64) -> Vec<[f32; 4]> {
    let rendered = instance.render(time, &plain());
    assert!(rendered.status.is_ok(), "{:?}", rendered.status);
    rendered.rgba()
}

/// The RGBA pixels of a frame of the source.
fn source(index: usize) -> Vec<[f32; 4]> {
    support::frame(index).unwrap().rgba
}

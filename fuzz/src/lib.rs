//! What is fuzzed: see `targets.rs`.

mod targets;

pub use targets::{audio, frame, manifest, person, stream};

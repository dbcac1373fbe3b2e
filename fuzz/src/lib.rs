//! What is fuzzed: see `targets.rs`.

mod targets;

pub use targets::{analysis, audio, frame, manifest, person, stream};

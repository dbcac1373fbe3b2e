//! The networks: where the runtime comes from, what runs them, what they are, and typed calls.
//!
//! ```text
//! provision  where ONNX Runtime's library is (wheel: fetching it)
//! runtime    the one ONNX Runtime environment of the process
//! provider   which execution provider is used, and why another is not
//! bundle     manifest, graphs without weights, weights; everything checked
//! networks   typed calls over pools of sessions
//! adaptation  the step of adaptation, and the foreign words that it needs
//! person     files of adapted tensors
//! face_model  the bundle's face model
//! doctor     what was found and what to do
//! ```

pub mod adaptation;
pub mod bundle;
pub mod doctor;
mod face_model;
pub mod manifest;
mod network;
pub mod networks;
mod onnx;
mod person;
pub mod provider;
pub mod provision;
pub mod runtime;
pub(crate) mod session;
mod weights;
mod wheel;

pub use bundle::Bundle;
pub use doctor::Doctor;
pub use manifest::Manifest;
pub use networks::{Networks, SyncNet};
pub use person::{Person, PersonInfo};
pub use provider::{Provider, ProviderReport};
pub use runtime::Runtime;

/// Lower-case hexadecimal, as checksums are written.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

//! The networks: where the runtime comes from, what runs them, what they are, and typed calls.
//!
//! ```text
//! locate     where ONNX Runtime's library is
//! runtime    the one ONNX Runtime environment of the process
//! provider   which execution provider is used, and why another is not
//! bundle     manifest, graphs without weights, weights; everything checked
//! networks   typed calls over pools of sessions
//! adaptation  the step of adaptation, and the foreign words that it needs
//! recognition  a face recognition network of the caller's own, for measuring
//! ```

pub mod adaptation;
pub mod bundle;
pub mod locate;
pub mod manifest;
mod network;
pub mod networks;
mod onnx;
pub mod provider;
mod recognition;
pub mod runtime;
mod session;
mod weights;

pub use bundle::Bundle;
pub use manifest::Manifest;
pub use networks::{Networks, SyncNet};
pub use provider::{Provider, ProviderReport};
pub use recognition::Recognition;
pub use runtime::Runtime;

/// Lower-case hexadecimal, as checksums are written.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

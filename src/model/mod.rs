//! The networks: loading ONNX Runtime, execution providers, the model bundle, and typed calls.
//!
//! ```text
//! locate     where ONNX Runtime's library is
//! module     the file that this code was loaded from
//! runtime    the one ONNX Runtime environment of the process
//! provider   the execution providers
//! probe      which provider is used, and why others are rejected
//! bundle     manifest, graphs without weights, weights; everything checked
//! signature  inputs and outputs of the networks
//! networks   typed calls over pools of sessions
//! adaptation  the training step of adaptation, and the unpaired speech that it needs
//! person     files of adapted tensors
//! face_model  the bundle's face model
//! ```

pub mod adaptation;
pub mod bundle;
mod face_model;
pub mod locate;
pub mod manifest;
mod module;
mod network;
pub mod networks;
mod onnx;
mod person;
mod phonetic;
mod probe;
pub mod provider;
pub mod runtime;
pub(crate) mod session;
mod signature;
mod sync;
mod weights;

pub use bundle::Bundle;
pub use manifest::{Manifest, SpeechContext};
pub use networks::Networks;
pub use person::{Person, PersonInfo};
pub use phonetic::{PhoneticEncoder, Window};
pub use provider::{Provider, ProviderReport};
pub use runtime::Runtime;
pub use sync::{Hearing, SyncNet};

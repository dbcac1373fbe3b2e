//! Everything that can fail, one variant per cause. Every message names the field.

use std::path::PathBuf;

/// The result of a call of this library.
pub type Result<T> = std::result::Result<T, Error>;

/// Everything the library reports. Each variant has its own status in the C API (`capi::status`).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An argument is outside its range or shape.
    #[error("{field}: {reason}")]
    Argument { field: &'static str, reason: String },
    /// The description of a frame is not valid: size, stride, buffer.
    #[error("frame.{field}: {reason}")]
    Frame { field: &'static str, reason: String },
    /// A file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {path}: {source}")]
    Write {
        path: PathBuf,
        source: std::io::Error,
    },
    /// An audio file holds no audio that can be decoded.
    #[error("audio: {0}")]
    Audio(String),
    /// The clip has no audio yet, or the audio has no samples.
    #[error("no audio: {0}")]
    NoAudio(String),
    /// A model bundle is incomplete, altered or of another format.
    #[error("bundle {bundle}: {field}: {reason}")]
    Bundle {
        bundle: String,
        field: String,
        reason: String,
    },
    /// A person file or a checkpoint is damaged, or belongs to another bundle.
    #[error("person {path}: {reason}")]
    Person { path: PathBuf, reason: String },
    /// ONNX Runtime's shared library is missing or cannot be loaded.
    #[error("ONNX Runtime: {0}")]
    Runtime(String),
    /// The requested provider cannot be used on this machine.
    #[error("provider {provider}: {reason}")]
    Provider {
        provider: &'static str,
        reason: String,
    },
    /// A network failed while it ran.
    #[error("network {network}: {reason}")]
    Network {
        network: &'static str,
        reason: String,
    },
    /// An allocation failed, or the memory limit of a clip was reached.
    #[error("memory: {0}")]
    Memory(String),
    /// No face was found where one is required (the reference frame, adaptation).
    #[error("no face was found in {0}")]
    NoFace(&'static str),
    /// More input is needed before the next frame can be rendered.
    #[error("{0}")]
    Again(&'static str),
    /// The stream has ended: every frame was pulled.
    #[error("the stream has ended")]
    End,
    /// The call is not possible in the present state of the clip.
    #[error("{0}")]
    State(String),
    /// The caller asked to stop.
    #[error("cancelled")]
    Cancelled,
}

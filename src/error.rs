//! What can go wrong, one variant per cause. Every message is a sentence that names the field.

use std::path::PathBuf;

/// The library's result.
pub type Result<T> = std::result::Result<T, Error>;

/// Everything the library reports. Each variant has its own status in the C API (`capi::status`).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An argument is outside its range or shape.
    #[error("{field}: {reason}")]
    Argument { field: &'static str, reason: String },
    /// A frame's description cannot be true: size, stride, buffer.
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
    /// The clip has no audio yet, or it holds no sample.
    #[error("audio: there is none: {0}")]
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
    /// The provider that was asked for cannot be used here.
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
    /// There is not enough memory, or a limit that was set does not allow more.
    #[error("memory: {0}")]
    Memory(String),
    /// No face where one is required (the reference frame, adaptation).
    #[error("no face was found in {0}")]
    NoFace(&'static str),
    /// More input is needed before a frame can be given.
    #[error("{0}")]
    Again(&'static str),
    /// The stream has ended: every frame was given.
    #[error("the stream has ended")]
    End,
    /// The call does not fit the state the clip is in.
    #[error("{0}")]
    State(String),
    /// The caller asked to stop.
    #[error("cancelled")]
    Cancelled,
}

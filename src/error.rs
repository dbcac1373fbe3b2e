//! Errors: one variant per cause. Every message names the parameter, field or file.

use std::path::PathBuf;

/// The library's result type.
pub type Result<T> = std::result::Result<T, Error>;

/// All errors of the library. Each variant has its own status in the C API (`capi::status`).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An argument is out of range or has the wrong shape.
    #[error("{field}: {reason}")]
    Argument {
        /// Name of the argument or field.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The description of a frame is invalid: size, stride or buffer.
    #[error("frame.{field}: {reason}")]
    Frame {
        /// Name of the frame's field.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {path}: {source}")]
    Write {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// A file cannot be decoded as audio.
    #[error("audio: {0}")]
    Audio(String),
    /// The clip has no audio, or the audio contains no samples.
    #[error("no audio: {0}")]
    NoAudio(String),
    /// A model bundle is incomplete, modified, or has an unsupported format.
    #[error("bundle {bundle}: {field}: {reason}")]
    Bundle {
        /// The bundle's folder, or the name of the embedded bundle.
        bundle: String,
        /// The file, or the field of the manifest, that is at fault.
        field: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A person file or an adaptation checkpoint is damaged, or belongs to another bundle.
    #[error("person {path}: {reason}")]
    Person {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// An analysis file is damaged, or belongs to another bundle or other options.
    #[error("analysis {path}: {reason}")]
    Analysis {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Consent is required and missing, does not hold today, or a consent file is wrong.
    #[error("consent: {0}")]
    Consent(String),
    /// The ONNX Runtime library was not found, or cannot be loaded.
    #[error("ONNX Runtime: {0}")]
    Runtime(String),
    /// The requested execution provider is not available.
    #[error("provider {provider}: {reason}")]
    Provider {
        /// Name of the provider.
        provider: &'static str,
        /// Why it is not available.
        reason: String,
    },
    /// A network failed at run time.
    #[error("network {network}: {reason}")]
    Network {
        /// Name of the network.
        network: &'static str,
        /// The error of ONNX Runtime.
        reason: String,
    },
    /// Memory allocation failed, or a memory limit would be exceeded.
    #[error("memory: {0}")]
    Memory(String),
    /// No face was found where one is required: the reference frame, adaptation.
    #[error("no face was found in {0}")]
    NoFace(&'static str),
    /// The stream waits for another call first.
    #[error("{0}")]
    Again(StreamNeed),
    /// The stream was flushed, and every frame has been pulled.
    #[error("the stream has ended")]
    End,
    /// The call is not allowed in the current state.
    #[error("{0}")]
    State(String),
    /// The call was cancelled.
    #[error("cancelled")]
    Cancelled,
}

/// What a stream needs before the call can succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StreamNeed {
    /// More frames, or a flush after the last.
    Frames,
    /// More audio, or the end of the audio.
    Audio,
    /// The queue is full: frames must be pulled, or the audio pushed that they wait for.
    Pull,
}

impl std::fmt::Display for StreamNeed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Frames => "the next frame needs more frames: push some, or flush at the end",
            Self::Audio => "the next frame needs more audio: push some, or finish the audio",
            Self::Pull => "the stream is full: pull frames, or push the audio that they wait for",
        })
    }
}

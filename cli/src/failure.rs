//! How a command fails: one error message, one exit code.

use std::path::Path;
use std::process::ExitCode;

/// Why a command stopped. The message is printed as one line on standard error.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The library refused or failed.
    #[error(transparent)]
    Engine(#[from] stylelipsync::Error),
    /// An input cannot be read or has the wrong content.
    #[error("{0}")]
    Input(String),
    /// The output cannot be written.
    #[error("{0}")]
    Output(String),
    /// A program that this one calls is missing or failed.
    #[error("{0}")]
    Tool(String),
    /// What was looked for is not there; the report says so.
    #[error("nothing was found")]
    NotFound,
    /// A certificate or a key cannot sign, or content credentials are missing or do not hold.
    #[error("{0}")]
    Credentials(String),
    /// Ctrl-C, or a request to terminate.
    #[error("interrupted: no output was written")]
    Interrupted,
}

/// The CLI's result.
pub type Result<T> = std::result::Result<T, Failure>;

/// Printed by `--help`: scripts and render farms depend on these numbers.
pub const EXIT_CODES: &str = "\
Exit codes: 0 done; 1 the engine failed; 2 wrong arguments; 3 an input cannot be used; \
4 the output cannot be written; 5 a required component is missing or failed (ffmpeg, ONNX \
Runtime, a model bundle, a provider); 6 detect found no watermark; 7 content credentials: a \
certificate or key cannot sign, or a file has none, or was changed after it was signed; 130 \
interrupted.";

impl Failure {
    /// The process' exit code, as [`EXIT_CODES`] documents it.
    pub fn exit_code(&self) -> ExitCode {
        use stylelipsync::Error;
        ExitCode::from(match self {
            Self::Engine(error) => match error {
                Error::Argument { .. } => 2,
                Error::Read { .. } | Error::Audio(_) | Error::NoAudio(_) | Error::NoFace(_) => 3,
                Error::Person { .. } | Error::Analysis { .. } | Error::Consent(_) => 3,
                Error::Write { .. } => 4,
                Error::Runtime(_) | Error::Bundle { .. } | Error::Provider { .. } => 5,
                Error::Cancelled => 130,
                _ => 1,
            },
            Self::Input(_) => 3,
            Self::Output(_) => 4,
            Self::Tool(_) => 5,
            Self::NotFound => 6,
            Self::Credentials(_) => 7,
            Self::Interrupted => 130,
        })
    }

    /// An input that the operating system cannot read.
    pub fn reading(path: &Path, error: impl std::fmt::Display) -> Self {
        Self::Input(format!("cannot read {}: {error}", path.display()))
    }

    /// An output that the system refuses to take.
    pub fn writing(path: &Path, error: impl std::fmt::Display) -> Self {
        Self::Output(format!("cannot write {}: {error}", path.display()))
    }
}

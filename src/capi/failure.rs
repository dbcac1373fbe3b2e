//! Why a call failed: the library's own errors, and those that occur only at the C boundary.

use super::status::*;
use crate::Error;

/// Why a call failed.
#[derive(Debug)]
pub(super) enum Failure {
    Null(&'static str),
    Abi(String),
    Poisoned,
    /// The handle belongs to the process that this one was forked from.
    Inherited,
    Internal(String),
    Error(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl Failure {
    pub(super) fn argument(field: &'static str, reason: impl Into<String>) -> Self {
        Self::Error(Error::Argument {
            field,
            reason: reason.into(),
        })
    }

    pub(super) fn status(&self) -> sls_status {
        match self {
            Self::Null(_) => SLS_ERROR_NULL,
            Self::Abi(_) => SLS_ERROR_ABI,
            Self::Poisoned => SLS_ERROR_POISONED,
            Self::Inherited => SLS_ERROR_STATE,
            Self::Internal(_) => SLS_ERROR_INTERNAL,
            Self::Error(error) => match error {
                Error::Argument { .. } => SLS_ERROR_ARGUMENT,
                Error::Frame { .. } => SLS_ERROR_FRAME,
                Error::Read { .. } => SLS_ERROR_READ,
                Error::Write { .. } => SLS_ERROR_WRITE,
                Error::Audio(_) => SLS_ERROR_AUDIO,
                Error::NoAudio(_) => SLS_ERROR_NO_AUDIO,
                Error::Bundle { .. } => SLS_ERROR_BUNDLE,
                Error::Person { .. } => SLS_ERROR_PERSON,
                Error::Analysis { .. } => SLS_ERROR_ANALYSIS,
                Error::Consent(_) => SLS_ERROR_CONSENT,
                Error::Runtime(_) => SLS_ERROR_RUNTIME,
                Error::Provider { .. } => SLS_ERROR_PROVIDER,
                Error::Network { .. } => SLS_ERROR_NETWORK,
                Error::Memory(_) => SLS_ERROR_MEMORY,
                Error::NoFace(_) => SLS_ERROR_NO_FACE,
                Error::Again(_) => SLS_AGAIN,
                Error::End => SLS_END,
                Error::State(_) => SLS_ERROR_STATE,
                Error::Cancelled => SLS_ERROR_CANCELLED,
            },
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Null(field) => write!(f, "{field} is NULL"),
            Self::Abi(reason) => f.write_str(reason),
            Self::Poisoned => {
                f.write_str("the handle is unusable after an internal error: destroy it")
            }
            Self::Inherited => f.write_str(
                "the handle was created before fork(): create a new one in this process",
            ),
            Self::Internal(reason) => write!(f, "internal error: {reason}"),
            Self::Error(error) => error.fmt(f),
        }
    }
}

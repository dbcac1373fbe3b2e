//! What stops an action, and what the host is told.

use std::fmt;

use crate::abi::{OfxStatus, status};

pub type Result<T> = std::result::Result<T, Fault>;

/// Why an action came to nothing.
#[derive(Debug)]
pub enum Fault {
    /// The host lacks a suite or a function that nothing can be done without.
    Missing(&'static str),
    /// The host's function gave this status.
    Host(&'static str, OfxStatus),
    /// An image that cannot be worked on, or that the host has not.
    Image(String),
    /// The user's input or the engine: a sentence for the editor.
    Told(String),
    /// The host wants the render no more.
    Aborted,
}

impl Fault {
    /// What the action returns.
    pub fn status(&self) -> OfxStatus {
        match self {
            Self::Missing(_) => status::MISSING_HOST_FEATURE,
            Self::Host(_, status) if *status != status::OK => *status,
            Self::Image(_) => status::IMAGE_FORMAT,
            // An aborted render is no failure: the host throws the picture away.
            Self::Aborted => status::OK,
            Self::Host(..) | Self::Told(_) => status::FAILED,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(what) => write!(f, "this host has no {what}"),
            Self::Host(what, status) => write!(f, "the host refused {what} (status {status})"),
            Self::Image(reason) | Self::Told(reason) => f.write_str(reason),
            Self::Aborted => f.write_str("aborted"),
        }
    }
}

impl From<stylelipsync::Error> for Fault {
    fn from(error: stylelipsync::Error) -> Self {
        match error {
            stylelipsync::Error::Cancelled => Self::Aborted,
            error => Self::Told(error.to_string()),
        }
    }
}

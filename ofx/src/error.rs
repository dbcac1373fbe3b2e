//! Why an action failed, and the status that the host gets for it.

use std::fmt;

use crate::abi::{OfxStatus, status};

pub type Result<T> = std::result::Result<T, ActionError>;

/// Why an action failed.
#[derive(Debug)]
pub enum ActionError {
    /// The host lacks a suite or a function that the effect cannot work without.
    MissingFeature(&'static str),
    /// A host function (the first field says what was asked for) returned this status.
    Host(&'static str, OfxStatus),
    /// The host gave an image that the effect cannot process, or gave none.
    Image(String),
    /// A problem that the user can fix; the text is shown to the user.
    User(String),
    /// The host asked to stop the render.
    Aborted,
}

impl ActionError {
    /// The status that the action returns.
    pub fn status(&self) -> OfxStatus {
        match self {
            Self::MissingFeature(_) => status::MISSING_HOST_FEATURE,
            Self::Host(_, status) if *status != status::OK => *status,
            Self::Image(_) => status::IMAGE_FORMAT,
            // An aborted render is not a failure: the host discards the picture.
            Self::Aborted => status::OK,
            Self::Host(..) | Self::User(_) => status::FAILED,
        }
    }
}

impl fmt::Display for ActionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingFeature(what) => write!(f, "the host does not provide {what}"),
            Self::Host(what, status) => {
                write!(f, "the host returned status {status} for {what}")
            }
            Self::Image(reason) | Self::User(reason) => f.write_str(reason),
            Self::Aborted => f.write_str("aborted"),
        }
    }
}

impl From<stylelipsync::Error> for ActionError {
    fn from(error: stylelipsync::Error) -> Self {
        match error {
            stylelipsync::Error::Cancelled => Self::Aborted,
            error => Self::User(error.to_string()),
        }
    }
}

//! The name under which hosts know the effect.

use std::ffi::CStr;

/// The plug-in identifier. It is saved in projects and must not change.
pub const IDENTIFIER: &CStr = c"org.stylelipsync.LipSync";

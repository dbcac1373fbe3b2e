//! C strings to and from the host.

use std::ffi::{CStr, CString, c_char};

/// A copy of the host's string; empty for a null pointer. Bytes that are not UTF-8 are replaced.
///
/// # Safety
/// `text` is null, or points to a NUL-terminated string that stays valid during the call.
pub unsafe fn to_string(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr(text) }
        .to_string_lossy()
        .into_owned()
}

/// A C string with the same text; NUL characters inside it are dropped.
pub fn to_c_string(text: &str) -> CString {
    let bytes: Vec<u8> = text.bytes().filter(|byte| *byte != 0).collect();
    CString::new(bytes).unwrap_or_default()
}

//! Strings that cross the boundary: UTF-8, ended by a NUL.

use std::ffi::{CStr, CString, c_char};

use super::status::Failure;
use crate::Error;

/// A constant that ends in NUL, as C sees it. A constant that does not is the empty string.
pub(super) fn c_str(text: &'static str) -> *const c_char {
    CStr::from_bytes_with_nul(text.as_bytes())
        .unwrap_or(c"")
        .as_ptr()
}

/// A copy for C; a NUL within the text, where C would stop reading, becomes a blank.
pub(super) fn c_string(text: &str) -> CString {
    CString::new(text.replace('\0', " ")).unwrap_or_default()
}

/// The string at `pointer`.
///
/// # Safety
/// `pointer` is NULL or leads to a NUL-terminated string that nobody changes for `'a`.
pub(super) unsafe fn read<'a>(
    pointer: *const c_char,
    field: &'static str,
) -> Result<&'a str, Failure> {
    if pointer.is_null() {
        return Err(Failure::Null(field));
    }
    // SAFETY: not NULL; the caller promises a string.
    let text = unsafe { CStr::from_ptr(pointer) };
    text.to_str().map_err(|_| {
        Failure::Error(Error::Argument {
            field,
            reason: "the string is not UTF-8".into(),
        })
    })
}

/// Copies `text` into C's buffer of `capacity` bytes, cut at a character where it does not fit, and
/// always ended by a NUL where there is room for one. Gives the bytes that the whole text needs.
///
/// # Safety
/// `buffer` is NULL or leads to `capacity` writable bytes.
pub(super) unsafe fn copy_out(text: &str, buffer: *mut c_char, capacity: usize) -> usize {
    if !buffer.is_null() && capacity > 0 {
        let cut = text.floor_char_boundary(capacity - 1);
        // SAFETY: `cut` is below `capacity`, which the caller vouches for.
        unsafe {
            std::ptr::copy_nonoverlapping(text.as_ptr(), buffer.cast(), cut);
            buffer.add(cut).write(0);
        }
    }
    text.len() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_at_a_character() {
        let mut buffer = [7 as c_char; 8];
        // SAFETY: the buffer is ours and as long as said.
        let needed = unsafe { copy_out("aé—b", buffer.as_mut_ptr(), 6) };
        assert_eq!(needed, 8);
        assert_eq!(buffer.map(|c| c as u8), [b'a', 0xC3, 0xA9, 0, 7, 7, 7, 7]);
        // SAFETY: NULL is allowed.
        assert_eq!(unsafe { copy_out("abc", std::ptr::null_mut(), 0) }, 4);
    }

    #[test]
    fn inner_nuls_do_not_cut_a_message() {
        assert_eq!(c_string("a\0b").as_bytes(), b"a b");
    }
}

//! Strings at the C boundary: UTF-8 with a terminating NUL.

use std::ffi::{CStr, CString, c_char};

use super::failure::Failure;
use crate::Error;

/// C's view of a constant that ends in NUL; an empty string if it does not.
pub(super) fn c_str(text: &'static str) -> *const c_char {
    CStr::from_bytes_with_nul(text.as_bytes())
        .unwrap_or(c"")
        .as_ptr()
}

/// A copy for C. A NUL inside the text becomes a space, since C would stop reading there.
pub(super) fn c_string(text: &str) -> CString {
    CString::new(text.replace('\0', " ")).unwrap_or_default()
}

/// The string at `pointer`.
///
/// # Safety
/// `pointer` is NULL, or points to a NUL-terminated string that does not change during `'a`.
pub(super) unsafe fn read<'a>(
    pointer: *const c_char,
    field: &'static str,
) -> Result<&'a str, Failure> {
    if pointer.is_null() {
        return Err(Failure::Null(field));
    }
    // SAFETY: not NULL; the caller guarantees a string.
    let text = unsafe { CStr::from_ptr(pointer) };
    text.to_str().map_err(|_| {
        Failure::Error(Error::Argument {
            field,
            reason: "the string is not UTF-8".into(),
        })
    })
}

/// Copies `text` into C's buffer of `capacity` bytes, truncated between characters if it does not
/// fit. The copy always ends with a NUL, unless `capacity` is 0. Returns the size of the whole text
/// in bytes, including its NUL.
///
/// # Safety
/// `buffer` is NULL or points to `capacity` writable bytes.
pub(super) unsafe fn copy_out(text: &str, buffer: *mut c_char, capacity: usize) -> usize {
    if !buffer.is_null() && capacity > 0 {
        let cut = text.floor_char_boundary(capacity - 1);
        // SAFETY: `cut` < `capacity`, and the caller guarantees `capacity` writable bytes.
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
        // SAFETY: the buffer is local and longer than 6 bytes.
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

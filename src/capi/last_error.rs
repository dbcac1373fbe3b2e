//! The error message of a thread's last call that failed.

use std::cell::RefCell;
use std::ffi::{CString, c_char};

use super::text::c_string;

thread_local! {
    static LAST: RefCell<CString> = RefCell::default();
}

/// Stores the message for sls_last_error().
pub(super) fn remember(message: &str) {
    // Fails only while the thread is shutting down; the message is then dropped.
    let _ = LAST.try_with(|last| *last.borrow_mut() = c_string(message));
}

/// Returns the error message of the last call on this thread, of any function, that did not return
/// SLS_OK. The message names the parameter or field at fault. Successful calls do not clear it.
///
/// @return a UTF-8 string, valid until the next call into this library on the same thread; never
/// NULL. Empty if no call on this thread has failed.
///
/// Threads: any; each thread has its own message. Blocks: no. Allocates: nothing.
#[unsafe(no_mangle)]
pub extern "C" fn sls_last_error() -> *const c_char {
    LAST.try_with(|last| last.borrow().as_ptr())
        .unwrap_or(c"".as_ptr())
}

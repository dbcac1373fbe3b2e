//! Opaque handles: checked access to the object behind a C pointer.

use super::boundary::{Health, boundary, boundary_on};
use super::failure::Failure;
use super::status::sls_status;
use super::text;
use crate::Canceller;
use std::ffi::c_char;

/// An object that C holds a pointer to.
pub(super) trait Handle {
    /// Name of its parameter, for error messages.
    const NAME: &'static str;

    fn health(&self) -> &Health;

    /// Cancels the calls on it from another thread, if the handle supports that.
    fn canceller(&self) -> Option<&Canceller> {
        None
    }
}

/// Runs a call on a handle, unless it is NULL, poisoned or from another process.
///
/// # Safety
/// `pointer` is NULL, or comes from the handle's create function and was not destroyed.
pub(super) unsafe fn on<H: Handle>(
    pointer: *const H,
    body: impl FnOnce(&H) -> Result<(), Failure>,
) -> sls_status {
    // SAFETY: guaranteed by the caller. Handles are only borrowed immutably; state is behind locks.
    match unsafe { pointer.as_ref() } {
        None => boundary(|| Err(Failure::Null(H::NAME))),
        Some(handle) => boundary_on(handle.health(), || match handle.canceller() {
            // Starts before the handle's lock is taken, so that a waiting call is cancelled too.
            Some(canceller) => canceller.during(|| body(handle)),
            None => body(handle),
        }),
    }
}

/// Destroys a handle; NULL is ignored. A handle from another process is leaked, because its
/// destructor would wait for threads that do not exist here.
///
/// # Safety
/// As for [`on`], and no other call uses the handle.
pub(super) unsafe fn destroy<H: Handle>(pointer: *mut H) {
    // SAFETY: guaranteed by the caller.
    let live = unsafe { pointer.as_ref() };
    if live.is_some_and(|handle| !handle.health().is_inherited()) {
        boundary(|| {
            // SAFETY: the pointer comes from `Box::into_raw`; the caller gives up ownership.
            drop(unsafe { Box::from_raw(pointer) });
            Ok(())
        });
    }
}

/// Copies a handle's last error message; works on poisoned handles too.
///
/// # Safety
/// As for [`on`]; `buffer` is NULL or points to `capacity` writable bytes.
pub(super) unsafe fn last_error<H: Handle>(
    pointer: *const H,
    buffer: *mut c_char,
    capacity: usize,
) -> usize {
    // SAFETY: guaranteed by the caller.
    let message = unsafe { pointer.as_ref() }.map(|handle| handle.health().last_error());
    // SAFETY: guaranteed by the caller.
    unsafe { text::copy_out(&message.unwrap_or_default(), buffer, capacity) }
}

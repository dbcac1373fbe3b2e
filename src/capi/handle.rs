//! Opaque handles: how a call reaches what is behind the pointer.

use super::boundary::{Health, boundary, boundary_on};
use super::status::{Failure, sls_status};
use super::text;
use crate::Canceller;
use std::ffi::c_char;

/// What C holds a pointer to.
pub(super) trait Handle {
    /// Its parameter's name, for messages.
    const NAME: &'static str;

    fn health(&self) -> &Health;

    /// What ends the calls on it from another thread, where anything does.
    fn canceller(&self) -> Option<&Canceller> {
        None
    }
}

/// Runs a call on a handle, if it is not NULL, not poisoned, and of this process.
///
/// # Safety
/// `pointer` is NULL or came from the handle's create function and was not destroyed.
pub(super) unsafe fn on<H: Handle>(
    pointer: *const H,
    body: impl FnOnce(&H) -> Result<(), Failure>,
) -> sls_status {
    // SAFETY: as promised by the caller. Handles are only shared: what changes is behind a lock.
    match unsafe { pointer.as_ref() } {
        None => boundary(|| Err(Failure::Null(H::NAME))),
        Some(handle) => boundary_on(handle.health(), || match handle.canceller() {
            // From before the handle's lock on: what waits for its turn is cancelled too.
            Some(canceller) => canceller.during(|| body(handle)),
            None => body(handle),
        }),
    }
}

/// Destroys a handle; NULL is nothing to destroy. One that another process made is left as it is:
/// it would wait for threads that are not here.
///
/// # Safety
/// As for [`on`], and nobody uses the handle any more.
pub(super) unsafe fn destroy<H: Handle>(pointer: *mut H) {
    // SAFETY: as promised by the caller.
    let live = unsafe { pointer.as_ref() };
    if live.is_some_and(|handle| !handle.health().is_inherited()) {
        // SAFETY: it was made by `Box::into_raw`; the caller gives it up.
        boundary(|| {
            drop(unsafe { Box::from_raw(pointer) });
            Ok(())
        });
    }
}

/// Copies a handle's last error; works on poisoned handles too.
///
/// # Safety
/// As for [`on`]; `buffer` is NULL or leads to `capacity` writable bytes.
pub(super) unsafe fn last_error<H: Handle>(
    pointer: *const H,
    buffer: *mut c_char,
    capacity: usize,
) -> usize {
    // SAFETY: as promised by the caller.
    let sentence = unsafe { pointer.as_ref() }.map(|handle| handle.health().last_error());
    // SAFETY: as promised by the caller.
    unsafe { text::copy_out(&sentence.unwrap_or_default(), buffer, capacity) }
}

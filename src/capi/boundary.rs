//! The boundary between C and Rust: no panic unwinds through it or prints to the host's terminal.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use super::failure::Failure;
use super::last_error::remember;
use super::status::{SLS_OK, sls_status};

/// State of every handle: its last error, and whether it may still be used.
pub(super) struct Health {
    last: Mutex<String>,
    poisoned: AtomicBool,
    /// Id of the process that created the handle.
    process: u32,
}

impl Default for Health {
    fn default() -> Self {
        Self {
            last: Mutex::default(),
            poisoned: AtomicBool::default(),
            process: std::process::id(),
        }
    }
}

impl Health {
    /// Error message of the last call on the handle that failed.
    pub(super) fn last_error(&self) -> String {
        match self.is_inherited() {
            // The lock may have been held at the time of the fork, and nobody would release it.
            true => String::new(),
            false => self.last.lock().clone(),
        }
    }

    /// Whether this process is a forked child of the one that created the handle. Such a handle is
    /// unusable: ONNX Runtime's threads do not exist here, and locks may stay held forever.
    pub(super) fn is_inherited(&self) -> bool {
        self.process != std::process::id()
    }
}

/// Runs a function's body. A failure becomes a status and the thread's last error.
pub(super) fn boundary(body: impl FnOnce() -> Result<(), Failure>) -> sls_status {
    settle(None, guarded(body))
}

/// As [`boundary`], for a call on a handle. The call is refused if the handle belongs to another
/// process or is poisoned. A panic in `body` poisons the handle. A failure also becomes the handle's
/// last error.
pub(super) fn boundary_on(
    health: &Health,
    body: impl FnOnce() -> Result<(), Failure>,
) -> sls_status {
    if health.is_inherited() {
        return settle(None, Err(Failure::Inherited));
    }
    if health.poisoned.load(Ordering::Acquire) {
        // Keep the handle's last error: it describes the original fault.
        return settle(None, Err(Failure::Poisoned));
    }
    let outcome = guarded(body);
    if let Err(Failure::Internal(_)) = outcome {
        health.poisoned.store(true, Ordering::Release);
    }
    settle(Some(health), outcome)
}

fn settle(health: Option<&Health>, outcome: Result<(), Failure>) -> sls_status {
    let Err(failure) = outcome else { return SLS_OK };
    let message = failure.to_string();
    remember(&message);
    if let Some(health) = health {
        *health.last.lock() = message;
    }
    failure.status()
}

thread_local! {
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

fn guarded(body: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
    quiet_panics();
    let outer = INSIDE.replace(true);
    // Unwind safety: state that a panic leaves half-changed belongs to a handle, which is poisoned.
    let outcome = catch_unwind(AssertUnwindSafe(body));
    INSIDE.set(outer);
    outcome.unwrap_or_else(|panic| Err(Failure::Internal(message(panic))))
}

/// The message of a panic. If dropping the payload panics again, that second payload is leaked.
fn message(panic: Box<dyn Any + Send>) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "panic without a message".to_owned());
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
        std::mem::forget(again);
    }
    text
}

/// Sends the messages of panics inside the boundary to the log instead of standard error.
fn quiet_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let others = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info: &PanicHookInfo<'_>| {
            if INSIDE.try_with(Cell::get).unwrap_or(false) {
                log::error!("{info}");
            } else {
                others(info);
            }
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::super::status::{SLS_ERROR_INTERNAL, SLS_ERROR_NULL, SLS_ERROR_POISONED};
    use super::*;

    #[test]
    fn a_panic_poisons_its_handle_and_no_other() {
        let (broken, whole) = (Health::default(), Health::default());
        let status = boundary_on(&broken, || panic!("a fault at {}", 7));
        assert_eq!(status, SLS_ERROR_INTERNAL);
        assert_eq!(broken.last_error(), "internal error: a fault at 7");
        let mut ran = false;
        let status = boundary_on(&broken, || {
            ran = true;
            Ok(())
        });
        assert_eq!((status, ran), (SLS_ERROR_POISONED, false));
        assert_eq!(broken.last_error(), "internal error: a fault at 7");
        assert_eq!(boundary_on(&whole, || Ok(())), SLS_OK);
    }

    #[test]
    fn panics_with_odd_payloads_are_caught() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("dropped");
            }
        }
        assert_eq!(boundary(|| std::panic::panic_any(7u8)), SLS_ERROR_INTERNAL);
        assert_eq!(boundary(|| std::panic::panic_any(Bomb)), SLS_ERROR_INTERNAL);
    }

    #[test]
    fn failures_are_remembered_and_do_not_poison() {
        let health = Health::default();
        assert_eq!(
            boundary_on(&health, || Err(Failure::Null("frame"))),
            SLS_ERROR_NULL
        );
        assert_eq!(health.last_error(), "frame is NULL");
        assert_eq!(boundary_on(&health, || Ok(())), SLS_OK);
        assert_eq!(health.last_error(), "frame is NULL");
    }
}

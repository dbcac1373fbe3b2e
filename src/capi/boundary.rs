//! The wall between C and Rust: no panic gets through, and none prints on the host's terminal.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use super::status::{Failure, SLS_OK, remember, sls_status};

/// What every handle carries: the last error, and whether it may still be used.
pub(super) struct Health {
    last: Mutex<String>,
    poisoned: AtomicBool,
    /// The process that made the handle.
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
    /// The sentence of the last call on the handle that did not succeed.
    pub(super) fn last_error(&self) -> String {
        match self.is_inherited() {
            // Its lock may have been held when the process was forked.
            true => String::new(),
            false => self.last.lock().clone(),
        }
    }

    /// Whether this process is a child, by fork(), of the one that made the handle: ONNX Runtime's
    /// threads, which it waits for, are not here, and locks may be held by nobody.
    pub(super) fn is_inherited(&self) -> bool {
        self.process != std::process::id()
    }
}

/// Runs a function's body. Its failure becomes a status and the thread's last error.
pub(super) fn boundary(body: impl FnOnce() -> Result<(), Failure>) -> sls_status {
    settle(None, guarded(body))
}

/// As [`boundary`], for a call on a handle: refused when the handle is another process's, or
/// poisoned, which a panic in `body` makes it; the last error is the handle's too.
pub(super) fn boundary_on(
    health: &Health,
    body: impl FnOnce() -> Result<(), Failure>,
) -> sls_status {
    if health.is_inherited() {
        return settle(None, Err(Failure::Inherited));
    }
    if health.poisoned.load(Ordering::Acquire) {
        // The handle's last error stays the one that tells what happened.
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
    let sentence = failure.to_string();
    remember(&sentence);
    if let Some(health) = health {
        *health.last.lock() = sentence;
    }
    failure.status()
}

thread_local! {
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

fn guarded(body: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
    quiet_panics();
    let outer = INSIDE.replace(true);
    // What a panic may leave half-changed is behind a handle that is poisoned then.
    let outcome = catch_unwind(AssertUnwindSafe(body));
    INSIDE.set(outer);
    outcome.unwrap_or_else(|panic| Err(Failure::Internal(message(panic))))
}

/// The text of a panic. Dropping a payload may panic again: it is leaked then.
fn message(panic: Box<dyn Any + Send>) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a text".to_owned());
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
        std::mem::forget(again);
    }
    text
}

/// Sends panics inside the boundary to the log instead of the host's standard error.
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

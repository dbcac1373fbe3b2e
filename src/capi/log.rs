//! Log messages, forwarded to the host's callback.

use std::cell::Cell;
use std::ffi::{c_char, c_void};

use log::{Level, LevelFilter, Log, Metadata, Record};
use parking_lot::RwLock;

use super::boundary::boundary;
use super::failure::Failure;
use super::status::sls_status;
use super::text::c_string;
use crate::Error;

/// An operation failed.
pub const SLS_LOG_ERROR: i32 = 1;
/// Something is wrong, but work continues.
pub const SLS_LOG_WARNING: i32 = 2;
/// The configuration in use, for instance the execution provider; once per engine or file.
pub const SLS_LOG_INFO: i32 = 3;
/// Details for developers of this library.
pub const SLS_LOG_DEBUG: i32 = 4;

/// Receives a log message.
///
/// @param user     the pointer that was passed to sls_set_log_callback().
/// @param level    SLS_LOG_ERROR to SLS_LOG_DEBUG.
/// @param message  UTF-8 without a trailing newline; valid only during the call.
///
/// It is called on the thread that logs the message, possibly on several threads at the same time.
/// It must not throw exceptions and must not call sls_set_log_callback().
pub type sls_log_callback =
    Option<unsafe extern "C" fn(user: *mut c_void, level: i32, message: *const c_char)>;

struct Receiver {
    callback: unsafe extern "C" fn(*mut c_void, i32, *const c_char),
    user: *mut c_void,
}

// SAFETY: the header requires that callback and user pointer can be used on any thread.
unsafe impl Send for Receiver {}
// SAFETY: as above.
unsafe impl Sync for Receiver {}

struct Forward {
    receiver: RwLock<Option<Receiver>>,
}

static FORWARD: Forward = Forward {
    receiver: RwLock::new(None),
};

thread_local! {
    static CALLING: Cell<bool> = const { Cell::new(false) };
}

impl Log for Forward {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record<'_>) {
        // Messages that the callback itself causes are dropped, to prevent endless recursion.
        if !self.enabled(record.metadata()) || CALLING.try_with(Cell::get).unwrap_or(true) {
            return;
        }
        // Held during the call: replacing the callback waits until it has returned.
        let receiver = self.receiver.read();
        let Some(receiver) = &*receiver else { return };
        let level = match record.level() {
            Level::Error => SLS_LOG_ERROR,
            Level::Warn => SLS_LOG_WARNING,
            Level::Info => SLS_LOG_INFO,
            Level::Debug | Level::Trace => SLS_LOG_DEBUG,
        };
        let message = c_string(&record.args().to_string());
        CALLING.set(true);
        // SAFETY: the host registered this callback with this user pointer.
        unsafe { (receiver.callback)(receiver.user, level, message.as_ptr()) };
        CALLING.set(false);
    }

    fn flush(&self) {}
}

/// Sets the function that receives the library's log messages. Without one, nothing is logged. The
/// library never writes to standard output or standard error.
///
/// @param callback   NULL disables logging.
/// @param user       passed to the callback unchanged; may be NULL. The caller keeps ownership.
/// @param max_level  the most detailed level to report, SLS_LOG_ERROR to SLS_LOG_DEBUG. Ignored if
///                   callback is NULL.
///
/// @return SLS_OK; SLS_ERROR_ARGUMENT if max_level is out of range; SLS_ERROR_STATE if called from
/// within the callback, or if a Rust program has installed its own logger.
///
/// Threads: any. There is one callback per process. Blocks: until running calls of the previous
/// callback have returned; after that, the previous callback and its user pointer are no longer
/// used. Allocates: nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_set_log_callback(
    callback: sls_log_callback,
    user: *mut c_void,
    max_level: i32,
) -> sls_status {
    boundary(|| {
        let filter = match max_level {
            SLS_LOG_ERROR => LevelFilter::Error,
            SLS_LOG_WARNING => LevelFilter::Warn,
            SLS_LOG_INFO => LevelFilter::Info,
            SLS_LOG_DEBUG => LevelFilter::Debug,
            _ if callback.is_none() => LevelFilter::Off,
            other => {
                return Err(Failure::argument(
                    "max_level",
                    format!("{other} is not between 1 (SLS_LOG_ERROR) and 4 (SLS_LOG_DEBUG)"),
                ));
            }
        };
        let state = |reason: &str| Failure::Error(Error::State(reason.to_owned()));
        if CALLING.get() {
            return Err(state(
                "the log callback cannot be changed from within the callback",
            ));
        }
        let mut receiver = FORWARD.receiver.write();
        let ours = std::ptr::addr_eq(log::logger(), &FORWARD);
        if !ours && log::set_logger(&FORWARD).is_err() {
            return Err(state("the program has already installed another logger"));
        }
        *receiver = callback.map(|callback| Receiver { callback, user });
        log::set_max_level(if callback.is_some() {
            filter
        } else {
            LevelFilter::Off
        });
        Ok(())
    })
}

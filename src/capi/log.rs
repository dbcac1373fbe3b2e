//! What the library has to say, to the host's own log.

use std::cell::Cell;
use std::ffi::{c_char, c_void};

use log::{Level, LevelFilter, Log, Metadata, Record};
use parking_lot::RwLock;

use super::boundary::boundary;
use super::status::{Failure, sls_status};
use super::text::c_string;
use crate::Error;

/// Something failed.
pub const SLS_LOG_ERROR: i32 = 1;
/// Something is not as it should be, and the work goes on.
pub const SLS_LOG_WARNING: i32 = 2;
/// What was found and chosen: once for each engine or file.
pub const SLS_LOG_INFO: i32 = 3;
/// Details for the developers of this library.
pub const SLS_LOG_DEBUG: i32 = 4;

/// Receives a message.
///
/// @param user     what was given to sls_set_log_callback().
/// @param level    SLS_LOG_ERROR to SLS_LOG_DEBUG.
/// @param message  UTF-8, without a line break at its end; valid during the call only.
///
/// It is called on whatever thread has something to say, perhaps on several at once. It must not
/// throw, and must not call sls_set_log_callback().
pub type sls_log_callback =
    Option<unsafe extern "C" fn(user: *mut c_void, level: i32, message: *const c_char)>;

struct Receiver {
    callback: unsafe extern "C" fn(*mut c_void, i32, *const c_char),
    user: *mut c_void,
}

// SAFETY: the header demands that callback and user data can be used on any thread.
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
        // What the callback itself causes to be logged is dropped: it would never end.
        if !self.enabled(record.metadata()) || CALLING.try_with(Cell::get).unwrap_or(true) {
            return;
        }
        // Held during the call, so that a callback which was taken away is not running any more.
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
        // SAFETY: the host gave the callback for exactly this call.
        unsafe { (receiver.callback)(receiver.user, level, message.as_ptr()) };
        CALLING.set(false);
    }

    fn flush(&self) {}
}

/// Sends the library's messages to `callback`. Until it is called, and after it was called with
/// NULL, the library says nothing; it never writes to standard output or standard error.
///
/// @param callback   see sls_log_callback; NULL for silence.
/// @param user       handed to the callback as it is; may be NULL. It stays yours.
/// @param max_level  the least important level that is wanted, SLS_LOG_ERROR to SLS_LOG_DEBUG.
///
/// @return SLS_OK; SLS_ERROR_ARGUMENT for a level that does not exist; SLS_ERROR_STATE from within
/// the callback, or in a Rust program that has a logger of its own.
///
/// Any thread. One callback for the process. It waits for calls of the previous callback to return:
/// afterwards neither that callback nor its user data is in use.
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
                    format!("there is no {other}"),
                ));
            }
        };
        let state = |reason: &str| Failure::Error(Error::State(reason.to_owned()));
        if CALLING.get() {
            return Err(state("the log callback cannot be changed from within"));
        }
        let mut receiver = FORWARD.receiver.write();
        let ours = std::ptr::addr_eq(log::logger(), &FORWARD);
        if !ours && log::set_logger(&FORWARD).is_err() {
            return Err(state("this program has a logger of its own"));
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

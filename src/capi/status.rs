//! Status codes, and the sentence that goes with the last one.

use std::cell::RefCell;
use std::ffi::{CString, c_char};

use super::text::{c_str, c_string};
use crate::Error;

/// What a function returns: SLS_OK, or a negative number.
pub type sls_status = i32;

/// The call did what it says.
pub const SLS_OK: i32 = 0;
/// Not an error: a frame can be pulled only after more frames or more audio are pushed.
pub const SLS_AGAIN: i32 = -1;
/// Not an error: the stream was flushed and every frame was pulled.
pub const SLS_END: i32 = -2;
/// A pointer that must not be NULL is NULL.
pub const SLS_ERROR_NULL: i32 = -3;
/// An argument or a field of an options struct is outside its range.
pub const SLS_ERROR_ARGUMENT: i32 = -4;
/// The program was built with a header that this library does not fit: the ABI number, a
/// struct_size, or reserved bytes that are not zero.
pub const SLS_ERROR_ABI: i32 = -5;
/// A frame's description cannot be true, or two frames do not fit each other.
pub const SLS_ERROR_FRAME: i32 = -6;
/// A file cannot be read.
pub const SLS_ERROR_READ: i32 = -7;
/// A file cannot be written.
pub const SLS_ERROR_WRITE: i32 = -8;
/// A file is no audio file, is truncated, or its codec is not supported.
pub const SLS_ERROR_AUDIO: i32 = -9;
/// There is no audio: none was set, or it holds no sample.
pub const SLS_ERROR_NO_AUDIO: i32 = -10;
/// The model bundle is incomplete, was altered, or is of another format.
pub const SLS_ERROR_BUNDLE: i32 = -11;
/// ONNX Runtime's shared library is missing or cannot be loaded.
pub const SLS_ERROR_RUNTIME: i32 = -12;
/// The provider that was asked for by name cannot be used here.
pub const SLS_ERROR_PROVIDER: i32 = -13;
/// A network failed while it ran (out of memory, a device that was lost).
pub const SLS_ERROR_NETWORK: i32 = -14;
/// No face was found where one is needed.
pub const SLS_ERROR_NO_FACE: i32 = -15;
/// The call does not fit the state that the clip is in, or the handle was made before fork().
pub const SLS_ERROR_STATE: i32 = -16;
/// The work was cancelled.
pub const SLS_ERROR_CANCELLED: i32 = -17;
/// The handle cannot be used any more, because a call on it returned SLS_ERROR_INTERNAL: destroy it.
pub const SLS_ERROR_POISONED: i32 = -18;
/// A person file or a checkpoint of an adaptation is damaged, or belongs to another bundle.
pub const SLS_ERROR_PERSON: i32 = -20;
/// There is not enough memory, or sls_clip_options.memory_limit does not allow more.
pub const SLS_ERROR_MEMORY: i32 = -21;
/// A fault of this library. The process is safe; the handle is poisoned.
pub const SLS_ERROR_INTERNAL: i32 = -19;

/// Why a call failed.
#[derive(Debug)]
pub(super) enum Failure {
    Null(&'static str),
    Abi(String),
    Poisoned,
    /// A handle of the process that this one was forked from.
    Inherited,
    Internal(String),
    Error(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl Failure {
    pub(super) fn argument(field: &'static str, reason: impl Into<String>) -> Self {
        Self::Error(Error::Argument {
            field,
            reason: reason.into(),
        })
    }

    pub(super) fn status(&self) -> sls_status {
        match self {
            Self::Null(_) => SLS_ERROR_NULL,
            Self::Abi(_) => SLS_ERROR_ABI,
            Self::Poisoned => SLS_ERROR_POISONED,
            Self::Inherited => SLS_ERROR_STATE,
            Self::Internal(_) => SLS_ERROR_INTERNAL,
            Self::Error(error) => match error {
                Error::Argument { .. } => SLS_ERROR_ARGUMENT,
                Error::Frame { .. } => SLS_ERROR_FRAME,
                Error::Read { .. } => SLS_ERROR_READ,
                Error::Write { .. } => SLS_ERROR_WRITE,
                Error::Audio(_) => SLS_ERROR_AUDIO,
                Error::NoAudio(_) => SLS_ERROR_NO_AUDIO,
                Error::Bundle { .. } => SLS_ERROR_BUNDLE,
                Error::Person { .. } => SLS_ERROR_PERSON,
                Error::Runtime(_) => SLS_ERROR_RUNTIME,
                Error::Provider { .. } => SLS_ERROR_PROVIDER,
                Error::Network { .. } => SLS_ERROR_NETWORK,
                Error::Memory(_) => SLS_ERROR_MEMORY,
                Error::NoFace(_) => SLS_ERROR_NO_FACE,
                Error::Again(_) => SLS_AGAIN,
                Error::End => SLS_END,
                Error::State(_) => SLS_ERROR_STATE,
                Error::Cancelled => SLS_ERROR_CANCELLED,
            },
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Null(field) => write!(f, "{field} is NULL"),
            Self::Abi(reason) => f.write_str(reason),
            Self::Poisoned => f.write_str("an earlier call on this handle failed internally"),
            Self::Inherited => {
                f.write_str("the handle was made before fork(): make another in this process")
            }
            Self::Internal(reason) => write!(f, "internal error: {reason}"),
            Self::Error(error) => error.fmt(f),
        }
    }
}

thread_local! {
    static LAST: RefCell<CString> = RefCell::default();
}

/// Keeps the sentence for sls_last_error().
pub(super) fn remember(sentence: &str) {
    // A thread that is being torn down has no last error any more.
    let _ = LAST.try_with(|last| *last.borrow_mut() = c_string(sentence));
}

/// What a status means, as a short English phrase.
///
/// @return a string that lives as long as the library; never NULL, "unknown status" for a number
/// that is none of the SLS_ codes.
///
/// Any thread; does not block.
#[unsafe(no_mangle)]
pub extern "C" fn sls_status_str(status: i32) -> *const c_char {
    c_str(match status {
        SLS_OK => "success\0",
        SLS_AGAIN => "more input is needed\0",
        SLS_END => "end of stream\0",
        SLS_ERROR_NULL => "a pointer is NULL\0",
        SLS_ERROR_ARGUMENT => "an argument is outside its range\0",
        SLS_ERROR_ABI => "header and library do not fit\0",
        SLS_ERROR_FRAME => "a frame's description is wrong\0",
        SLS_ERROR_READ => "a file cannot be read\0",
        SLS_ERROR_WRITE => "a file cannot be written\0",
        SLS_ERROR_AUDIO => "audio cannot be decoded\0",
        SLS_ERROR_NO_AUDIO => "there is no audio\0",
        SLS_ERROR_BUNDLE => "the model bundle is not whole\0",
        SLS_ERROR_RUNTIME => "ONNX Runtime is missing\0",
        SLS_ERROR_PROVIDER => "the provider cannot be used here\0",
        SLS_ERROR_NETWORK => "a network failed\0",
        SLS_ERROR_NO_FACE => "no face was found\0",
        SLS_ERROR_STATE => "the call does not fit the state\0",
        SLS_ERROR_CANCELLED => "cancelled\0",
        SLS_ERROR_PERSON => "a person file cannot be used\0",
        SLS_ERROR_MEMORY => "there is not enough memory\0",
        SLS_ERROR_POISONED => "the handle is poisoned\0",
        SLS_ERROR_INTERNAL => "internal error\0",
        _ => "unknown status\0",
    })
}

/// The sentence that explains the last call on the calling thread, of any function, that returned
/// something else than SLS_OK; it names the field that is wrong. It is not cleared by success.
///
/// @return a string that is valid until the next call of this library on the same thread; never
/// NULL, empty when nothing failed yet.
///
/// Any thread; does not block.
#[unsafe(no_mangle)]
pub extern "C" fn sls_last_error() -> *const c_char {
    LAST.try_with(|last| last.borrow().as_ptr())
        .unwrap_or(c"".as_ptr())
}

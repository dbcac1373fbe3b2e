//! Status codes.

use std::ffi::c_char;

/// Result of a call: SLS_OK (0) or a negative status.
pub type sls_status = i32;

/// The call succeeded.
pub const SLS_OK: i32 = 0;
/// Not an error: the stream needs another call first. sls_clip_pull_frame() needs more frames or
/// more audio; sls_clip_push_frame() needs frames to be pulled.
pub const SLS_AGAIN: i32 = -1;
/// Not an error: the stream was flushed, and every frame has been pulled.
pub const SLS_END: i32 = -2;
/// A pointer that must not be NULL is NULL.
pub const SLS_ERROR_NULL: i32 = -3;
/// An argument, or a field of an options struct, is out of range.
pub const SLS_ERROR_ARGUMENT: i32 = -4;
/// Header and library do not match: the ABI version, a struct_size, or a reserved field that is not
/// 0.
pub const SLS_ERROR_ABI: i32 = -5;
/// The description of a frame is invalid, or two frames do not match.
pub const SLS_ERROR_FRAME: i32 = -6;
/// A file cannot be read.
pub const SLS_ERROR_READ: i32 = -7;
/// A file cannot be written.
pub const SLS_ERROR_WRITE: i32 = -8;
/// A file is not an audio file, is truncated, or uses an unsupported codec.
pub const SLS_ERROR_AUDIO: i32 = -9;
/// There is no audio: none was set, or it contains no samples.
pub const SLS_ERROR_NO_AUDIO: i32 = -10;
/// The model bundle is incomplete, was modified, or has an unsupported format version.
pub const SLS_ERROR_BUNDLE: i32 = -11;
/// The ONNX Runtime library was not found, or cannot be loaded.
pub const SLS_ERROR_RUNTIME: i32 = -12;
/// The requested execution provider is not available on this machine.
pub const SLS_ERROR_PROVIDER: i32 = -13;
/// A network failed at run time, for instance because the device ran out of memory or was lost.
pub const SLS_ERROR_NETWORK: i32 = -14;
/// No face was found where one is required.
pub const SLS_ERROR_NO_FACE: i32 = -15;
/// The call is not allowed in the current state of the handle, or the handle was created before
/// fork().
pub const SLS_ERROR_STATE: i32 = -16;
/// The call was cancelled from another thread, or by its own callback.
pub const SLS_ERROR_CANCELLED: i32 = -17;
/// The handle is unusable, because an earlier call on it returned SLS_ERROR_INTERNAL. Destroy it.
pub const SLS_ERROR_POISONED: i32 = -18;
/// A person file or an adaptation checkpoint is damaged, or belongs to another bundle.
pub const SLS_ERROR_PERSON: i32 = -20;
/// Memory allocation failed, or sls_clip_options.memory_limit would be exceeded.
pub const SLS_ERROR_MEMORY: i32 = -21;
/// An analysis file is damaged, or belongs to another bundle or to other options.
pub const SLS_ERROR_ANALYSIS: i32 = -22;
/// Consent is required (sls_clip_options.require_consent) and missing, does not hold today, or a consent
/// file is wrong.
pub const SLS_ERROR_CONSENT: i32 = -23;
/// A bug in this library. The process can go on; the handle becomes unusable.
pub const SLS_ERROR_INTERNAL: i32 = -19;

/// Returns a short English description of a status.
///
/// @param status  any number.
///
/// @return a static string; never NULL. "unknown status" for a number that is not an SLS_ status.
///
/// Threads: any. Blocks: no. Allocates: nothing.
#[unsafe(no_mangle)]
pub extern "C" fn sls_status_str(status: i32) -> *const c_char {
    match status {
        SLS_OK => c"success",
        SLS_AGAIN => c"more input is needed",
        SLS_END => c"end of stream",
        SLS_ERROR_NULL => c"a pointer is NULL",
        SLS_ERROR_ARGUMENT => c"an argument is out of range",
        SLS_ERROR_ABI => c"header and library do not match",
        SLS_ERROR_FRAME => c"invalid frame description",
        SLS_ERROR_READ => c"a file cannot be read",
        SLS_ERROR_WRITE => c"a file cannot be written",
        SLS_ERROR_AUDIO => c"audio cannot be decoded",
        SLS_ERROR_NO_AUDIO => c"there is no audio",
        SLS_ERROR_BUNDLE => c"the model bundle cannot be used",
        SLS_ERROR_RUNTIME => c"ONNX Runtime cannot be loaded",
        SLS_ERROR_PROVIDER => c"the execution provider is not available",
        SLS_ERROR_NETWORK => c"a network failed at run time",
        SLS_ERROR_NO_FACE => c"no face was found",
        SLS_ERROR_STATE => c"the call is not allowed in this state",
        SLS_ERROR_CANCELLED => c"cancelled",
        SLS_ERROR_PERSON => c"a person file cannot be used",
        SLS_ERROR_ANALYSIS => c"an analysis file cannot be used",
        SLS_ERROR_CONSENT => c"consent is missing, does not hold, or is wrong",
        SLS_ERROR_MEMORY => c"not enough memory",
        SLS_ERROR_POISONED => c"the handle is unusable after an internal error",
        SLS_ERROR_INTERNAL => c"internal error",
        _ => c"unknown status",
    }
    .as_ptr()
}

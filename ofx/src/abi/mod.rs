//! The C structures and function tables of OpenFX 1.5.1 that the effect uses. Every function pointer
//! is optional, since real hosts leave some null. `tests/abi.rs` compares sizes, offsets and
//! constants with independent bindings; `README.md` says why the bindings are not used directly.
//!
//! Members have the names of the specification in snake case, without their common prefix.

#![allow(
    missing_docs,
    reason = "the OpenFX specification documents these names"
)]

pub mod names;

use std::ffi::{c_char, c_int, c_uint, c_void};

/// The status of a call: one of the values in [`status`].
pub type OfxStatus = c_int;

/// The statuses that the effect returns or checks for.
pub mod status {
    use super::OfxStatus;

    pub const OK: OfxStatus = 0;
    pub const FAILED: OfxStatus = 1;
    pub const MISSING_HOST_FEATURE: OfxStatus = 4;
    pub const BAD_HANDLE: OfxStatus = 9;
    pub const REPLY_NO: OfxStatus = 13;
    pub const REPLY_DEFAULT: OfxStatus = 14;
    pub const IMAGE_FORMAT: OfxStatus = 1000;
}

macro_rules! handles {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[repr(transparent)]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub struct $name(pub *mut c_void);

        impl $name {
            pub const NULL: Self = Self(std::ptr::null_mut());

            pub fn is_null(self) -> bool {
                self.0.is_null()
            }
        }

        // SAFETY: a handle is an opaque value of the host and is never dereferenced here. Whether a
        // host function may be called on the current thread is up to each call.
        unsafe impl Send for $name {}
        // SAFETY: as for `Send`.
        unsafe impl Sync for $name {}
    )*};
}

handles! {
    PropertySetHandle
    /// The descriptor or an instance of an effect.
    EffectHandle
    ClipHandle
    ParamHandle
    ParamSetHandle
}

/// Declares tables of optional C functions.
macro_rules! tables {
    ($($(#[$doc:meta])* $table:ident { $($member:ident: fn($($kind:ty),*) $(-> $result:ty)?;)* })*) => {$(
        $(#[$doc])*
        #[repr(C)]
        #[derive(Clone, Copy, Debug)]
        pub struct $table {
            $(pub $member: Option<unsafe extern "C" fn($($kind),*) $(-> $result)?>,)*
        }
    )*};
}

type Text = *const c_char;

tables! {
    PropertySuite {
        set_pointer: fn(PropertySetHandle, Text, c_int, *mut c_void) -> OfxStatus;
        set_string: fn(PropertySetHandle, Text, c_int, Text) -> OfxStatus;
        set_double: fn(PropertySetHandle, Text, c_int, f64) -> OfxStatus;
        set_int: fn(PropertySetHandle, Text, c_int, c_int) -> OfxStatus;
        set_pointers: fn(PropertySetHandle, Text, c_int, *const *mut c_void) -> OfxStatus;
        set_strings: fn(PropertySetHandle, Text, c_int, *const Text) -> OfxStatus;
        set_doubles: fn(PropertySetHandle, Text, c_int, *const f64) -> OfxStatus;
        set_ints: fn(PropertySetHandle, Text, c_int, *const c_int) -> OfxStatus;
        get_pointer: fn(PropertySetHandle, Text, c_int, *mut *mut c_void) -> OfxStatus;
        get_string: fn(PropertySetHandle, Text, c_int, *mut *mut c_char) -> OfxStatus;
        get_double: fn(PropertySetHandle, Text, c_int, *mut f64) -> OfxStatus;
        get_int: fn(PropertySetHandle, Text, c_int, *mut c_int) -> OfxStatus;
        get_pointers: fn(PropertySetHandle, Text, c_int, *mut *mut c_void) -> OfxStatus;
        get_strings: fn(PropertySetHandle, Text, c_int, *mut *mut c_char) -> OfxStatus;
        get_doubles: fn(PropertySetHandle, Text, c_int, *mut f64) -> OfxStatus;
        get_ints: fn(PropertySetHandle, Text, c_int, *mut c_int) -> OfxStatus;
        reset: fn(PropertySetHandle, Text) -> OfxStatus;
        dimension: fn(PropertySetHandle, Text, *mut c_int) -> OfxStatus;
    }

    ImageEffectSuite {
        property_set: fn(EffectHandle, *mut PropertySetHandle) -> OfxStatus;
        param_set: fn(EffectHandle, *mut ParamSetHandle) -> OfxStatus;
        clip_define: fn(EffectHandle, Text, *mut PropertySetHandle) -> OfxStatus;
        clip_handle: fn(EffectHandle, Text, *mut ClipHandle, *mut PropertySetHandle) -> OfxStatus;
        clip_property_set: fn(ClipHandle, *mut PropertySetHandle) -> OfxStatus;
        clip_image: fn(ClipHandle, f64, *const RectD, *mut PropertySetHandle) -> OfxStatus;
        clip_release_image: fn(PropertySetHandle) -> OfxStatus;
        clip_region_of_definition: fn(ClipHandle, f64, *mut RectD) -> OfxStatus;
        abort: fn(EffectHandle) -> c_int;
        memory_alloc: fn(EffectHandle, usize, *mut *mut c_void) -> OfxStatus;
        memory_free: fn(*mut c_void) -> OfxStatus;
        memory_lock: fn(*mut c_void, *mut *mut c_void) -> OfxStatus;
        memory_unlock: fn(*mut c_void) -> OfxStatus;
    }

    ProgressSuite {
        start: fn(*mut c_void, Text) -> OfxStatus;
        update: fn(*mut c_void, f64) -> OfxStatus;
        end: fn(*mut c_void) -> OfxStatus;
    }

    ProgressSuite2 {
        start: fn(*mut c_void, Text, Text) -> OfxStatus;
        update: fn(*mut c_void, f64) -> OfxStatus;
        end: fn(*mut c_void) -> OfxStatus;
    }

    TimeLineSuite {
        time: fn(*mut c_void, *mut f64) -> OfxStatus;
        go_to: fn(*mut c_void, f64) -> OfxStatus;
        bounds: fn(*mut c_void, *mut f64, *mut f64) -> OfxStatus;
    }
}

/// Written out, since `tables!` does not support variadic functions.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ParameterSuite {
    pub define: Option<
        unsafe extern "C" fn(ParamSetHandle, Text, Text, *mut PropertySetHandle) -> OfxStatus,
    >,
    pub handle: Option<
        unsafe extern "C" fn(
            ParamSetHandle,
            Text,
            *mut ParamHandle,
            *mut PropertySetHandle,
        ) -> OfxStatus,
    >,
    pub set_property_set:
        Option<unsafe extern "C" fn(ParamSetHandle, *mut PropertySetHandle) -> OfxStatus>,
    pub property_set:
        Option<unsafe extern "C" fn(ParamHandle, *mut PropertySetHandle) -> OfxStatus>,
    pub value: Option<unsafe extern "C" fn(ParamHandle, ...) -> OfxStatus>,
    pub value_at: Option<unsafe extern "C" fn(ParamHandle, f64, ...) -> OfxStatus>,
    pub derivative: Option<unsafe extern "C" fn(ParamHandle, f64, ...) -> OfxStatus>,
    pub integral: Option<unsafe extern "C" fn(ParamHandle, f64, f64, ...) -> OfxStatus>,
    pub set_value: Option<unsafe extern "C" fn(ParamHandle, ...) -> OfxStatus>,
    pub set_value_at: Option<unsafe extern "C" fn(ParamHandle, f64, ...) -> OfxStatus>,
    pub keys: Option<unsafe extern "C" fn(ParamHandle, *mut c_uint) -> OfxStatus>,
    pub key_time: Option<unsafe extern "C" fn(ParamHandle, c_uint, *mut f64) -> OfxStatus>,
    pub key_index: Option<unsafe extern "C" fn(ParamHandle, f64, c_int, *mut c_int) -> OfxStatus>,
    pub delete_key: Option<unsafe extern "C" fn(ParamHandle, f64) -> OfxStatus>,
    pub delete_all_keys: Option<unsafe extern "C" fn(ParamHandle) -> OfxStatus>,
    pub copy:
        Option<unsafe extern "C" fn(ParamHandle, ParamHandle, f64, *const RangeD) -> OfxStatus>,
    pub edit_begin: Option<unsafe extern "C" fn(ParamSetHandle, Text) -> OfxStatus>,
    pub edit_end: Option<unsafe extern "C" fn(ParamSetHandle) -> OfxStatus>,
}

/// Version 2; version 1 has `message` only.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct MessageSuite {
    pub message: Option<unsafe extern "C" fn(*mut c_void, Text, Text, Text, ...) -> OfxStatus>,
    pub set_persistent:
        Option<unsafe extern "C" fn(*mut c_void, Text, Text, Text, ...) -> OfxStatus>,
    pub clear_persistent: Option<unsafe extern "C" fn(*mut c_void) -> OfxStatus>,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct MessageSuite1 {
    pub message: Option<unsafe extern "C" fn(*mut c_void, Text, Text, Text, ...) -> OfxStatus>,
}

/// A host, as it introduces itself.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Host {
    pub properties: PropertySetHandle,
    pub fetch_suite: Option<unsafe extern "C" fn(PropertySetHandle, Text, c_int) -> *const c_void>,
}

/// The one way by which a host calls an effect.
pub type MainEntry =
    unsafe extern "C" fn(Text, *const c_void, PropertySetHandle, PropertySetHandle) -> OfxStatus;

/// The description of a plug-in that the host asks for first.
#[repr(C)]
#[derive(Debug)]
pub struct Plugin {
    pub api: Text,
    pub api_version: c_int,
    pub identifier: Text,
    pub version_major: c_uint,
    pub version_minor: c_uint,
    pub set_host: Option<unsafe extern "C" fn(*mut Host)>,
    pub main_entry: Option<MainEntry>,
}

// SAFETY: it only holds addresses of constants and of functions.
unsafe impl Sync for Plugin {}

/// Pixels `x1..x2` of the rows `y1..y2`; row `y1` is at the bottom.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RectI {
    pub x1: c_int,
    pub y1: c_int,
    pub x2: c_int,
    pub y2: c_int,
}

#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RectD {
    pub x1: f64,
    pub y1: f64,
    pub x2: f64,
    pub y2: f64,
}

#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RangeD {
    pub min: f64,
    pub max: f64,
}

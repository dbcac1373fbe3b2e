//! The functions of the host's suites that the effect calls, checked not to be null.

use std::ffi::{c_char, c_int, c_uint, c_void};

use crate::abi::{self, ClipHandle, EffectHandle, OfxStatus, ParamHandle, ParamSetHandle};
use crate::abi::{PropertySetHandle, RectD};
use crate::error::{ActionError, Result};

type Text = *const c_char;

/// Declares a struct of the functions that are required of a suite, and its checked conversion.
macro_rules! required_functions {
    ($name:ident from $table:ident { $($member:ident: $kind:ty,)* }) => {
        #[derive(Clone, Copy)]
        pub struct $name { $(pub $member: $kind,)* }

        impl $name {
            /// # Errors
            /// [`ActionError::MissingFeature`] naming the first function that is null.
            pub fn of(table: &abi::$table) -> Result<Self> {
                Ok(Self { $($member: table.$member.ok_or(ActionError::MissingFeature(concat!(
                    stringify!($table), ".", stringify!($member)
                )))?,)* })
            }
        }
    };
}

required_functions! { PropertyFunctions from PropertySuite {
    set_pointer: unsafe extern "C" fn(PropertySetHandle, Text, c_int, *mut c_void) -> OfxStatus,
    set_string: unsafe extern "C" fn(PropertySetHandle, Text, c_int, Text) -> OfxStatus,
    set_double: unsafe extern "C" fn(PropertySetHandle, Text, c_int, f64) -> OfxStatus,
    set_int: unsafe extern "C" fn(PropertySetHandle, Text, c_int, c_int) -> OfxStatus,
    get_pointer: unsafe extern "C" fn(PropertySetHandle, Text, c_int, *mut *mut c_void) -> OfxStatus,
    get_string: unsafe extern "C" fn(PropertySetHandle, Text, c_int, *mut *mut c_char) -> OfxStatus,
    get_double: unsafe extern "C" fn(PropertySetHandle, Text, c_int, *mut f64) -> OfxStatus,
    get_int: unsafe extern "C" fn(PropertySetHandle, Text, c_int, *mut c_int) -> OfxStatus,
}}

required_functions! { EffectFunctions from ImageEffectSuite {
    property_set: unsafe extern "C" fn(EffectHandle, *mut PropertySetHandle) -> OfxStatus,
    param_set: unsafe extern "C" fn(EffectHandle, *mut ParamSetHandle) -> OfxStatus,
    clip_define: unsafe extern "C" fn(EffectHandle, Text, *mut PropertySetHandle) -> OfxStatus,
    clip_handle: unsafe extern "C" fn(EffectHandle, Text, *mut ClipHandle, *mut PropertySetHandle) -> OfxStatus,
    clip_property_set: unsafe extern "C" fn(ClipHandle, *mut PropertySetHandle) -> OfxStatus,
    clip_image: unsafe extern "C" fn(ClipHandle, f64, *const RectD, *mut PropertySetHandle) -> OfxStatus,
    clip_release_image: unsafe extern "C" fn(PropertySetHandle) -> OfxStatus,
    abort: unsafe extern "C" fn(EffectHandle) -> c_int,
}}

required_functions! { ParameterFunctions from ParameterSuite {
    define: unsafe extern "C" fn(ParamSetHandle, Text, Text, *mut PropertySetHandle) -> OfxStatus,
    handle: unsafe extern "C" fn(ParamSetHandle, Text, *mut ParamHandle, *mut PropertySetHandle) -> OfxStatus,
    value: unsafe extern "C" fn(ParamHandle, ...) -> OfxStatus,
    value_at: unsafe extern "C" fn(ParamHandle, f64, ...) -> OfxStatus,
    set_value: unsafe extern "C" fn(ParamHandle, ...) -> OfxStatus,
}}

/// The functions of the parameter suite that a host may lack: some hosts have no keyframes.
#[derive(Clone, Copy, Default)]
pub struct EditFunctions {
    pub keys: Option<unsafe extern "C" fn(ParamHandle, *mut c_uint) -> OfxStatus>,
    pub delete_all_keys: Option<unsafe extern "C" fn(ParamHandle) -> OfxStatus>,
    pub begin: Option<unsafe extern "C" fn(ParamSetHandle, Text) -> OfxStatus>,
    pub end: Option<unsafe extern "C" fn(ParamSetHandle) -> OfxStatus>,
}

impl EditFunctions {
    pub fn of(table: &abi::ParameterSuite) -> Self {
        Self {
            keys: table.keys,
            delete_all_keys: table.delete_all_keys,
            begin: table.edit_begin,
            end: table.edit_end,
        }
    }
}

/// `message` and `setPersistentMessage`: effect, message type, id, format, arguments of the format.
type ShowMessage = unsafe extern "C" fn(*mut c_void, Text, Text, Text, ...) -> OfxStatus;

/// The message functions that the host has; each may be missing.
#[derive(Clone, Copy, Default)]
pub struct MessageFunctions {
    pub show: Option<ShowMessage>,
    pub set_persistent: Option<ShowMessage>,
    pub clear_persistent: Option<unsafe extern "C" fn(*mut c_void) -> OfxStatus>,
}

/// The progress suite, of either version.
#[derive(Clone, Copy)]
pub struct ProgressFunctions {
    pub start: StartProgress,
    pub update: unsafe extern "C" fn(*mut c_void, f64) -> OfxStatus,
    pub end: unsafe extern "C" fn(*mut c_void) -> OfxStatus,
}

/// `progressStart` of the suite's version 1 and 2; version 2 adds a message id.
#[derive(Clone, Copy)]
pub enum StartProgress {
    V1(unsafe extern "C" fn(*mut c_void, Text) -> OfxStatus),
    V2(unsafe extern "C" fn(*mut c_void, Text, Text) -> OfxStatus),
}

/// `getTime` of the timeline suite.
pub type GetTime = unsafe extern "C" fn(*mut c_void, *mut f64) -> OfxStatus;

/// A host status as a result; `what` names what was asked for.
///
/// # Errors
/// [`ActionError::Host`] for any status but OK.
pub fn check(what: &'static str, status: OfxStatus) -> Result<()> {
    match status {
        abi::status::OK => Ok(()),
        status => Err(ActionError::Host(what, status)),
    }
}

//! The parameter suite.

use std::ffi::{CStr, c_char, c_int, c_uint};

use super::functions::check;
use super::loaded::Host;
use super::properties::Properties;
use super::text;
use crate::abi::{ParamHandle, ParamSetHandle, PropertySetHandle, status};
use crate::error::{ActionError, Result};

const VALUE: &str = "a parameter's value";
const SET_VALUE: &str = "setting a parameter";

impl Host {
    /// Defines a parameter of a descriptor.
    ///
    /// # Errors
    /// [`ActionError::Host`] where the host refuses it.
    pub fn define_parameter(
        &self,
        set: ParamSetHandle,
        kind: &CStr,
        name: &CStr,
    ) -> Result<Properties<'_>> {
        let mut handle = PropertySetHandle::NULL;
        // SAFETY: the set of the current descriptor; NUL-terminated strings.
        let status =
            unsafe { (self.parameters.define)(set, kind.as_ptr(), name.as_ptr(), &mut handle) };
        self.property_set("a parameter", status, handle)
    }

    /// A parameter of an instance.
    ///
    /// # Errors
    /// [`ActionError::Host`] where the instance does not have it.
    pub fn parameter(&self, set: ParamSetHandle, name: &CStr) -> Result<ParamHandle> {
        let mut handle = ParamHandle::NULL;
        let no_properties = std::ptr::null_mut();
        // SAFETY: the set of the current instance; a NUL-terminated name; a null pointer skips the
        // properties.
        let status =
            unsafe { (self.parameters.handle)(set, name.as_ptr(), &mut handle, no_properties) };
        match status == status::OK && !handle.is_null() {
            true => Ok(handle),
            false => Err(ActionError::Host("a parameter", status)),
        }
    }

    /// The value of an integer, choice or boolean parameter.
    ///
    /// # Errors
    /// [`ActionError::Host`] where the host refuses, as in the methods below.
    pub fn int(&self, param: ParamHandle) -> Result<i32> {
        let mut value: c_int = 0;
        // SAFETY: the host writes one integer for a parameter of such a type.
        let status = unsafe { (self.parameters.value)(param, &raw mut value) };
        check(VALUE, status).map(|()| value)
    }

    pub fn double(&self, param: ParamHandle, time: f64) -> Result<f64> {
        let mut value = 0.0f64;
        // SAFETY: the host writes one double for a double parameter.
        let status = unsafe { (self.parameters.value_at)(param, time, &raw mut value) };
        check(VALUE, status).map(|()| value)
    }

    pub fn point(&self, param: ParamHandle) -> Result<[f64; 2]> {
        let (mut x, mut y) = (0.0f64, 0.0f64);
        // SAFETY: the host writes two doubles for a Double2D parameter.
        let status = unsafe { (self.parameters.value)(param, &raw mut x, &raw mut y) };
        check(VALUE, status).map(|()| [x, y])
    }

    /// A copy of a string parameter's value: the host's string is only valid until the next call.
    pub fn text(&self, param: ParamHandle) -> Result<String> {
        let mut value: *const c_char = std::ptr::null();
        // SAFETY: the host writes one pointer for a string parameter.
        let status = unsafe { (self.parameters.value)(param, &raw mut value) };
        check(VALUE, status)?;
        // SAFETY: null, or the host's NUL-terminated string.
        Ok(unsafe { text::to_string(value) })
    }

    pub fn set_int(&self, param: ParamHandle, value: i32) -> Result<()> {
        // SAFETY: the host reads one integer for a parameter of such a type.
        check(SET_VALUE, unsafe {
            (self.parameters.set_value)(param, value)
        })
    }

    /// The value at all times: keyframes are deleted.
    pub fn set_double(&self, param: ParamHandle, value: f64) -> Result<()> {
        if let Some(delete) = self.edits.delete_all_keys
            && self.is_animated(param)
        {
            // SAFETY: the handle of a parameter that lives as long as the instance.
            check(SET_VALUE, unsafe { delete(param) })?;
        }
        // SAFETY: the host reads one double for a double parameter.
        check(SET_VALUE, unsafe {
            (self.parameters.set_value)(param, value)
        })
    }

    /// Whether the parameter has keyframes; false where the host has none.
    pub fn is_animated(&self, param: ParamHandle) -> bool {
        let mut count: c_uint = 0;
        let Some(keys) = self.edits.keys else {
            return false;
        };
        // SAFETY: as in `set_double`; the host writes one integer.
        let status = unsafe { keys(param, &mut count) };
        status == status::OK && count > 0
    }

    /// Makes the changes of parameters in `change` one step of the user's history, named `name`, where the
    /// host can do that.
    pub fn edit(
        &self,
        set: ParamSetHandle,
        name: &CStr,
        change: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        let (Some(begin), Some(end)) = (self.edits.begin, self.edits.end) else {
            return change();
        };
        // SAFETY: the set of the current instance; a NUL-terminated name.
        let begun = unsafe { begin(set, name.as_ptr()) } == status::OK;
        let changed = change();
        if begun {
            // SAFETY: as above.
            unsafe { end(set) };
        }
        changed
    }

    pub fn set_text(&self, param: ParamHandle, value: &str) -> Result<()> {
        let value = text::to_c_string(value);
        // SAFETY: the host reads one pointer for a string parameter, and copies the string.
        check(SET_VALUE, unsafe {
            (self.parameters.set_value)(param, value.as_ptr())
        })
    }
}

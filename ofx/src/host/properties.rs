//! The property suite: a set of properties of a descriptor, an instance, a clip, an image, or an
//! action's arguments.

use std::ffi::{CStr, c_char, c_int, c_void};

use super::functions::PropertyFunctions;
use super::text;
use crate::abi::{PropertySetHandle, RectI, status};

/// A property set of the host. A null handle (an action without arguments) acts as an empty set.
#[derive(Clone, Copy)]
pub struct Properties<'h> {
    functions: &'h PropertyFunctions,
    handle: PropertySetHandle,
}

impl<'h> Properties<'h> {
    pub fn new(functions: &'h PropertyFunctions, handle: PropertySetHandle) -> Self {
        Self { functions, handle }
    }

    /// Sets one value; false where the host refuses it. A host does not know properties of features
    /// that it lacks, so that callers may ignore a refusal.
    pub fn set_int(&self, name: &CStr, index: usize, value: i32) -> bool {
        if self.handle.is_null() {
            return false;
        }
        let set = self.functions.set_int;
        // SAFETY: a set that the host gave for the current action; a NUL-terminated name.
        unsafe { set(self.handle, name.as_ptr(), index as c_int, value) == status::OK }
    }

    /// As [`set_int`](Self::set_int).
    pub fn set_double(&self, name: &CStr, index: usize, value: f64) -> bool {
        if self.handle.is_null() {
            return false;
        }
        let set = self.functions.set_double;
        // SAFETY: as in `set_int`.
        unsafe { set(self.handle, name.as_ptr(), index as c_int, value) == status::OK }
    }

    /// As [`set_int`](Self::set_int).
    pub fn set_text(&self, name: &CStr, index: usize, value: &CStr) -> bool {
        if self.handle.is_null() {
            return false;
        }
        let set = self.functions.set_string;
        // SAFETY: as in `set_int`; hosts copy the string.
        unsafe { set(self.handle, name.as_ptr(), index as c_int, value.as_ptr()) == status::OK }
    }

    /// As [`set_int`](Self::set_int).
    pub fn set_pointer(&self, name: &CStr, value: *mut c_void) -> bool {
        if self.handle.is_null() {
            return false;
        }
        let set = self.functions.set_pointer;
        // SAFETY: as in `set_int`.
        unsafe { set(self.handle, name.as_ptr(), 0, value) == status::OK }
    }

    /// One value; `None` where the host does not have it.
    pub fn int(&self, name: &CStr, index: usize) -> Option<i32> {
        if self.handle.is_null() {
            return None;
        }
        let mut value: c_int = 0;
        let get = self.functions.get_int;
        // SAFETY: as in `set_int`.
        let status = unsafe { get(self.handle, name.as_ptr(), index as c_int, &mut value) };
        (status == status::OK).then_some(value)
    }

    /// One value; `None` where the host does not have it, or it is not finite.
    pub fn double(&self, name: &CStr, index: usize) -> Option<f64> {
        if self.handle.is_null() {
            return None;
        }
        let mut value = 0.0;
        let get = self.functions.get_double;
        // SAFETY: as in `set_int`.
        let status = unsafe { get(self.handle, name.as_ptr(), index as c_int, &mut value) };
        (status == status::OK && value.is_finite()).then_some(value)
    }

    /// A copy of the string; `None` where the host does not have it.
    pub fn text(&self, name: &CStr) -> Option<String> {
        if self.handle.is_null() {
            return None;
        }
        let mut value: *mut c_char = std::ptr::null_mut();
        let get = self.functions.get_string;
        // SAFETY: as in `set_int`; the value is null or a NUL-terminated string, copied at once.
        unsafe {
            let status = get(self.handle, name.as_ptr(), 0, &mut value);
            (status == status::OK).then(|| text::to_string(value))
        }
    }

    /// The pointer; null where the host does not have it.
    pub fn pointer(&self, name: &CStr) -> *mut c_void {
        if self.handle.is_null() {
            return std::ptr::null_mut();
        }
        let mut value = std::ptr::null_mut();
        let get = self.functions.get_pointer;
        // SAFETY: as in `set_int`.
        let status = unsafe { get(self.handle, name.as_ptr(), 0, &mut value) };
        if status == status::OK {
            value
        } else {
            std::ptr::null_mut()
        }
    }

    /// Four integers as a rectangle; `None` where one is missing.
    pub fn rect(&self, name: &CStr) -> Option<RectI> {
        let at = |index| self.int(name, index);
        Some(RectI {
            x1: at(0)?,
            y1: at(1)?,
            x2: at(2)?,
            y2: at(3)?,
        })
    }
}

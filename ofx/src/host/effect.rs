//! The image effect suite and the timeline suite: an effect's properties, its clips and images, the
//! playhead.

use std::ffi::CStr;

use super::functions::check;
use super::loaded::Host;
use super::properties::Properties;
use crate::abi::{ClipHandle, EffectHandle, OfxStatus, ParamSetHandle, PropertySetHandle, status};
use crate::error::{ActionError, Result};

impl Host {
    /// The properties of a descriptor or an instance.
    ///
    /// # Errors
    /// [`ActionError::Host`] where the host has none.
    pub fn effect(&self, effect: EffectHandle) -> Result<Properties<'_>> {
        let mut handle = PropertySetHandle::NULL;
        // SAFETY: the host gave the handle with the current action.
        let status = unsafe { (self.effects.property_set)(effect, &mut handle) };
        self.property_set("the effect's properties", status, handle)
    }

    /// The parameters of a descriptor or an instance.
    ///
    /// # Errors
    /// [`ActionError::Host`] where the host has none.
    pub fn param_set(&self, effect: EffectHandle) -> Result<ParamSetHandle> {
        let mut handle = ParamSetHandle::NULL;
        // SAFETY: as in `effect`.
        let status = unsafe { (self.effects.param_set)(effect, &mut handle) };
        match status == status::OK && !handle.is_null() {
            true => Ok(handle),
            false => Err(ActionError::Host("the effect's parameters", status)),
        }
    }

    /// Defines a clip of a descriptor.
    ///
    /// # Errors
    /// [`ActionError::Host`] where the host refuses it.
    pub fn define_clip(&self, effect: EffectHandle, name: &CStr) -> Result<Properties<'_>> {
        let mut handle = PropertySetHandle::NULL;
        // SAFETY: as in `effect`, and a NUL-terminated name.
        let status = unsafe { (self.effects.clip_define)(effect, name.as_ptr(), &mut handle) };
        self.property_set("a clip", status, handle)
    }

    /// A clip of an instance.
    ///
    /// # Errors
    /// [`ActionError::Host`] where the instance does not have it.
    pub fn clip(&self, effect: EffectHandle, name: &CStr) -> Result<ClipHandle> {
        let mut handle = ClipHandle::NULL;
        let no_properties = std::ptr::null_mut();
        // SAFETY: as in `define_clip`; a null pointer skips the properties.
        let status = unsafe {
            (self.effects.clip_handle)(effect, name.as_ptr(), &mut handle, no_properties)
        };
        match status == status::OK && !handle.is_null() {
            true => Ok(handle),
            false => Err(ActionError::Host("a clip", status)),
        }
    }

    /// The properties of a clip.
    ///
    /// # Errors
    /// [`ActionError::Host`] where the host has none.
    pub fn clip_properties(&self, clip: ClipHandle) -> Result<Properties<'_>> {
        let mut handle = PropertySetHandle::NULL;
        // SAFETY: the handle was given by `clip` and lives as long as the instance.
        let status = unsafe { (self.effects.clip_property_set)(clip, &mut handle) };
        self.property_set("a clip's properties", status, handle)
    }

    /// The image of a clip at a time, to be released; `None` where the host has none.
    pub fn image(&self, clip: ClipHandle, time: f64) -> Option<PropertySetHandle> {
        let mut handle = PropertySetHandle::NULL;
        let whole_image = std::ptr::null();
        // SAFETY: as in `clip_properties`; a null region asks for the whole image.
        let status = unsafe { (self.effects.clip_image)(clip, time, whole_image, &mut handle) };
        (status == status::OK && !handle.is_null()).then_some(handle)
    }

    pub fn release_image(&self, image: PropertySetHandle) {
        // SAFETY: each image is released once, by its `Image`.
        unsafe { (self.effects.clip_release_image)(image) };
    }

    /// Whether the host asks to stop the current render.
    pub fn is_aborted(&self, effect: EffectHandle) -> bool {
        // SAFETY: the handle of the instance that renders.
        unsafe { (self.effects.abort)(effect) != 0 }
    }

    /// The time of the user's playhead, frames; `None` where the host does not report it.
    pub fn playhead(&self, effect: EffectHandle) -> Option<f64> {
        let mut time = f64::NAN;
        // SAFETY: the instance of the current action.
        let status = unsafe { self.time?(effect.0, &mut time) };
        (status == status::OK && time.is_finite()).then_some(time)
    }

    pub(super) fn property_set(
        &self,
        what: &'static str,
        status: OfxStatus,
        handle: PropertySetHandle,
    ) -> Result<Properties<'_>> {
        check(what, status)?;
        match handle.is_null() {
            true => Err(ActionError::Host(what, status)),
            false => Ok(self.properties(handle)),
        }
    }
}

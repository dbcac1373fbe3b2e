//! The parameters of an instance, by the names of their controls.

use std::ffi::CStr;

use crate::abi::{EffectHandle, ParamHandle, ParamSetHandle};
use crate::controls::{ControlKind, GROUPS};
use crate::error::{ActionError, Result};
use crate::host::Host;

/// The parameter handles of an instance; they live as long as it.
pub struct Parameters {
    set: ParamSetHandle,
    handles: Vec<(&'static CStr, ParamHandle)>,
}

impl Parameters {
    /// # Errors
    /// [`ActionError::Host`] where the host lacks a parameter that was described.
    pub fn of(host: &Host, effect: EffectHandle) -> Result<Self> {
        let set = host.param_set(effect)?;
        let controls = GROUPS.iter().flat_map(|group| group.controls);
        // A button has no value.
        let valued = controls.filter(|control| !matches!(control.kind, ControlKind::Button));
        let handles = valued.map(|control| Ok((control.name, host.parameter(set, control.name)?)));
        let handles = handles.collect::<Result<_>>()?;
        Ok(Self { set, handles })
    }

    fn handle(&self, name: &CStr) -> Result<ParamHandle> {
        let found = self.handles.iter().find(|(known, _)| *known == name);
        found
            .map(|(_, handle)| *handle)
            .ok_or(ActionError::MissingFeature("a parameter of the effect"))
    }

    /// # Errors
    /// [`ActionError::Host`] where the host refuses, as in the methods below.
    pub fn int(&self, host: &Host, name: &CStr) -> Result<i32> {
        host.int(self.handle(name)?)
    }

    pub fn double(&self, host: &Host, name: &CStr, time: f64) -> Result<f64> {
        host.double(self.handle(name)?, time)
    }

    pub fn point(&self, host: &Host, name: &CStr) -> Result<[f64; 2]> {
        host.point(self.handle(name)?)
    }

    /// The text without white space around it.
    pub fn text(&self, host: &Host, name: &CStr) -> Result<String> {
        Ok(host.text(self.handle(name)?)?.trim().to_owned())
    }

    pub fn set_int(&self, host: &Host, name: &CStr, value: i32) -> Result<()> {
        host.set_int(self.handle(name)?, value)
    }

    pub fn set_double(&self, host: &Host, name: &CStr, value: f64) -> Result<()> {
        host.set_double(self.handle(name)?, value)
    }

    pub fn is_animated(&self, host: &Host, name: &CStr) -> Result<bool> {
        Ok(host.is_animated(self.handle(name)?))
    }

    /// As [`Host::edit`].
    pub fn edit(
        &self,
        host: &Host,
        name: &CStr,
        change: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        host.edit(self.set, name, change)
    }

    pub fn set_text(&self, host: &Host, name: &CStr, value: &str) -> Result<()> {
        host.set_text(self.handle(name)?, value)
    }
}

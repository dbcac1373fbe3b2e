//! What the user does to an instance: values, connections, cancels, projects.

use std::collections::BTreeMap;
use std::ffi::{CStr, CString};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use openfx::sys::generic::core::*;
use openfx::sys::image_effect_v1::image_effect::*;
use openfx::sys::image_effect_v1::param::{kOfxPropParamSetNeedsSyncing, kOfxTypeParameter};

use super::action::Status;
use super::clip::Clip;
use super::connection::Connection;
use super::handles::lock;
use super::instance::Instance;
use super::interact::{Interrupt, Timeline};
use super::param::{Param, ParamValue};
use super::property::PropertySet;
use super::query::{self, Change, ask};
use super::value::Values;

/// The persistent parameters of an instance, as a project file keeps them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Saved(pub BTreeMap<String, ParamValue>);

impl Instance {
    #[track_caller]
    fn param(&self, name: &str) -> Arc<Param> {
        let param = CString::new(name)
            .ok()
            .and_then(|name| self.node.param(&name));
        param.unwrap_or_else(|| panic!("no parameter {name:?}"))
    }

    #[track_caller]
    fn clip(&self, name: &str) -> Arc<Clip> {
        let clip = CString::new(name)
            .ok()
            .and_then(|name| self.node.clip(&name));
        clip.unwrap_or_else(|| panic!("no clip {name:?}"))
    }

    /// Sets a value without an InstanceChanged action; `changed` sends it. Values out of range pass: hosts
    /// read them from projects and scripts.
    #[track_caller]
    pub fn set(&self, name: &str, value: impl Into<ParamValue>) {
        let (param, value) = (self.param(name), value.into());
        let mut current = lock(&param.value);
        assert!(
            current.same_type(&value),
            "{name:?} is {current:?}, not of the type of {value:?}"
        );
        *current = value;
    }

    /// The user sets keyframes, all with the current value.
    #[track_caller]
    pub fn set_keys(&self, name: &str, count: u32) {
        self.param(name).keys.store(count, Ordering::Relaxed);
    }

    #[track_caller]
    pub fn keys(&self, name: &str) -> u32 {
        self.param(name).keys.load(Ordering::Relaxed)
    }

    #[track_caller]
    pub fn get(&self, name: &str) -> ParamValue {
        self.param(name).get()
    }

    /// The properties of a parameter of this instance: enabled, secret, label and so on.
    #[track_caller]
    pub fn param_properties(&self, name: &str) -> Arc<PropertySet> {
        self.param(name).props.clone()
    }

    /// The user edited or pressed the parameter.
    #[track_caller]
    pub fn changed(&self, name: &str) -> Status {
        self.changed_because(name, kOfxChangeUserEdited)
    }

    #[track_caller]
    pub fn changed_because(&self, name: &str, reason: &CStr) -> Status {
        let (param, time) = (self.param(name), self.time());
        let change = Change {
            kind: kOfxTypeParameter,
            name: &param.name,
            reason,
            time,
        };
        query::changed(self.live(), change)
    }

    /// Sets a value and sends InstanceChanged.
    #[track_caller]
    pub fn edit(&self, name: &str, value: impl Into<ParamValue>) -> Status {
        self.set(name, value);
        self.changed(name)
    }

    /// Connects a clip without telling the plugin. Output follows Source unless connected itself.
    #[track_caller]
    pub fn connect(&self, name: &str, connection: Connection) {
        let clip = self.clip(name);
        if clip.name.as_c_str() == kOfxImageEffectSimpleSourceClipName {
            self.clip("Output").connect(connection.clone());
        }
        clip.connect(connection);
        self.node
            .control
            .preferences_stale
            .store(true, Ordering::Release);
    }

    #[track_caller]
    pub fn disconnect(&self, name: &str) {
        self.clip(name)
            .disconnect(self.effect.options().all_clips_connected);
        self.node
            .control
            .preferences_stale
            .store(true, Ordering::Release);
    }

    #[track_caller]
    pub fn clip_changed(&self, name: &str) -> Status {
        let (clip, time) = (self.clip(name), self.time());
        let reason = kOfxChangeUserEdited;
        let change = Change {
            kind: kOfxTypeClip,
            name: &clip.name,
            reason,
            time,
        };
        query::changed(self.live(), change)
    }

    pub fn properties(&self) -> Arc<PropertySet> {
        self.node.props.clone()
    }

    #[track_caller]
    pub fn clip_properties(&self, name: &str) -> Arc<PropertySet> {
        self.clip(name).props.clone()
    }

    /// Sets a vendor property of the instance, or another value for one it has.
    pub fn set_property(&self, name: &CStr, values: impl Into<Values>) {
        self.node.props.put(name, values);
    }

    pub fn set_timeline(&self, time: f64, first: f64, last: f64) {
        *lock(&self.node.control.timeline) = Timeline { time, first, last };
    }

    /// Where the timeline is, which the plugin can move.
    pub fn time(&self) -> f64 {
        lock(&self.node.control.timeline).time
    }

    /// When abort() answers yes, from now on; counts afresh.
    pub fn abort_when(&self, interrupt: Interrupt) {
        self.node.control.abort.set(interrupt);
    }

    /// How often the plugin called abort() since `abort_when`.
    pub fn abort_polls(&self) -> usize {
        self.node.control.abort.asked()
    }

    /// When progressUpdate answers that the user cancelled, from now on; counts afresh.
    pub fn cancel_progress_when(&self, interrupt: Interrupt) {
        self.node.control.cancel.set(interrupt);
    }

    /// Saves the project: SyncPrivateData, then the persistent parameters.
    #[track_caller]
    pub fn save(&self) -> Saved {
        let (status, _) = ask(
            self.live(),
            kOfxActionSyncPrivateData,
            self.time(),
            None,
            None,
        );
        let fine = status.is_ok() || status == kOfxStatReplyDefault;
        if !fine {
            self.node
                .journal
                .violation(format!("SyncPrivateData returned {status:?}"));
        }
        self.node.props.put(kOfxPropParamSetNeedsSyncing, 0);
        let params = lock(&self.node.params);
        let persistent = params.iter().filter(|param| param.is_persistent());
        Saved(
            persistent
                .map(|param| (param.label(), param.get()))
                .collect(),
        )
    }

    /// Puts saved values back without telling the plugin. Values of parameters that are gone, or of
    /// another type by now, are dropped, as hosts do.
    pub fn restore(&self, saved: &Saved) {
        for param in lock(&self.node.params).iter() {
            let mut current = lock(&param.value);
            match saved.0.get(&param.label()) {
                Some(value) if current.same_type(value) => *current = value.clone(),
                _ => {}
            }
        }
    }
}

//! Calling the plugin's main entry.

use std::ffi::{CStr, c_char, c_void};
use std::fmt;
use std::ptr;
use std::sync::Arc;
use std::time::Instant;

use openfx::sys::generic::core::*;
use openfx::sys::image_effect_v1::gpu_render::{kOfxStatGPUOutOfMemory, kOfxStatGPURenderFailed};
use openfx::sys::image_effect_v1::image_effect::kOfxStatErrImageFormat;

use super::handles::lock;
use super::property::PropertySet;
use super::scope::{Scope, enter};

/// A status that names itself in a failed assertion.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Status(pub OfxStatus);

impl Status {
    pub fn is_ok(self) -> bool {
        self.0 == kOfxStatOK
    }

    #[allow(non_upper_case_globals, reason = "the names are OpenFX's")]
    fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            kOfxStatOK => "OK",
            kOfxStatFailed => "Failed",
            kOfxStatErrFatal => "ErrFatal",
            kOfxStatErrUnknown => "ErrUnknown",
            kOfxStatErrMissingHostFeature => "ErrMissingHostFeature",
            kOfxStatErrUnsupported => "ErrUnsupported",
            kOfxStatErrExists => "ErrExists",
            kOfxStatErrFormat => "ErrFormat",
            kOfxStatErrMemory => "ErrMemory",
            kOfxStatErrBadHandle => "ErrBadHandle",
            kOfxStatErrBadIndex => "ErrBadIndex",
            kOfxStatErrValue => "ErrValue",
            kOfxStatReplyYes => "ReplyYes",
            kOfxStatReplyNo => "ReplyNo",
            kOfxStatReplyDefault => "ReplyDefault",
            kOfxStatUnlicensed => "Unlicensed",
            kOfxStatErrImageFormat => "ErrImageFormat",
            kOfxStatGPUOutOfMemory => "GPUOutOfMemory",
            kOfxStatGPURenderFailed => "GPURenderFailed",
            _ => return None,
        })
    }
}

impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "status {}", self.0),
        }
    }
}

impl PartialEq<OfxStatus> for Status {
    fn eq(&self, other: &OfxStatus) -> bool {
        self.0 == *other
    }
}

pub(super) type MainEntry = unsafe extern "C" fn(
    *const c_char,
    *const c_void,
    OfxPropertySetHandle,
    OfxPropertySetHandle,
) -> OfxStatus;

/// The handle of a deliberately wrong action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RawHandle {
    Null,
    /// A handle no host ever issued.
    Bogus,
    /// The right one.
    Own,
}

impl RawHandle {
    pub(super) fn value(self, own: usize) -> usize {
        match self {
            RawHandle::Null => 0,
            RawHandle::Bogus => 0x0bad_beef_0000_0000,
            RawHandle::Own => own,
        }
    }
}

/// The arguments of one call; null where the action has none.
#[derive(Clone, Copy, Default)]
pub(super) struct Args<'a> {
    pub handle: usize,
    pub input: Option<&'a PropertySet>,
    pub output: Option<&'a PropertySet>,
}

/// Actions whose ReplyDefault some hosts take for a failure.
const MUST_SAY_OK: &[&CStr] = &[
    kOfxActionLoad,
    kOfxActionDescribe,
    openfx::sys::image_effect_v1::image_effect::kOfxImageEffectActionDescribeInContext,
    kOfxActionCreateInstance,
    kOfxActionDestroyInstance,
];

/// Runs one action within `scope`, and looks afterwards at what the plugin left behind.
pub(super) fn call(entry: MainEntry, scope: Scope, args: Args) -> (Status, Arc<Scope>) {
    let action = scope.action;
    run(entry, action.as_ptr(), scope, args)
}

/// As `call`, but the action's name may be null.
pub(super) fn run(
    entry: MainEntry,
    name: *const c_char,
    scope: Scope,
    args: Args,
) -> (Status, Arc<Scope>) {
    let scope = Arc::new(scope);
    if let Some(node) = &scope.node {
        lock(&node.active).push(scope.clone());
    }
    let set = |set: Option<&PropertySet>| set.map_or(ptr::null_mut(), |set| set.handle as *mut _);
    let (status, elapsed) = {
        let _entered = enter(&scope);
        let begun = Instant::now();
        // SAFETY: `entry` is the main entry of a library that stays loaded; the name is a C string
        // or null, and the handles are what OpenFX says or deliberately none, which a plugin has to
        // find out by asking the suites.
        let status = unsafe {
            entry(
                name,
                args.handle as *const c_void,
                set(args.input),
                set(args.output),
            )
        };
        (Status(status), begun.elapsed())
    };
    if let Some(node) = &scope.node {
        lock(&node.active).retain(|other| !Arc::ptr_eq(other, &scope));
    }
    scope.close();
    scope.journal.action(scope.action, status, elapsed);
    let name = scope.name();
    if status.name().is_none() {
        scope.journal.violation(format!(
            "{name} returned {status:?}, which is none of OpenFX's"
        ));
    }
    if status == kOfxStatReplyDefault && MUST_SAY_OK.contains(&scope.action) {
        scope
            .journal
            .violation(format!("{name} returned ReplyDefault; hosts want OK here"));
    }
    (status, scope)
}

//! The host's suites, fetched in the Load action.

use std::ffi::{CStr, c_int, c_void};
use std::sync::Arc;
use std::sync::atomic::{AtomicPtr, Ordering};

use parking_lot::RwLock;

use super::functions::{
    EditFunctions, EffectFunctions, GetTime, MessageFunctions, ParameterFunctions,
    ProgressFunctions, PropertyFunctions, StartProgress,
};
use super::properties::Properties;
use crate::abi::names::*;
use crate::abi::{self, PropertySetHandle};
use crate::error::{ActionError, Result};

/// The host structure that was passed to `setHost` last.
static HOST: AtomicPtr<abi::Host> = AtomicPtr::new(std::ptr::null_mut());
/// Its functions, from the Load action on.
static LOADED: RwLock<Option<Arc<Host>>> = RwLock::new(None);

/// The host's functions. Those that every host must have are checked; the rest is optional.
#[derive(Clone, Copy)]
pub struct Host {
    pub(super) properties: PropertyFunctions,
    pub(super) effects: EffectFunctions,
    pub(super) parameters: ParameterFunctions,
    pub(super) edits: EditFunctions,
    pub(super) messages: MessageFunctions,
    pub(super) progress: Option<ProgressFunctions>,
    pub(super) time: Option<GetTime>,
    /// Whether the host gives frames at other times than the one rendered (temporal clip access).
    pub temporal: bool,
    /// Whether the host renders without a user interface, as on a render farm.
    pub background: bool,
    /// Whether the host is known to pass scene-linear float pixels: Nuke and Natron.
    pub linear: bool,
}

impl Host {
    pub fn properties(&self, handle: PropertySetHandle) -> Properties<'_> {
        Properties::new(&self.properties, handle)
    }
}

/// Stores the host structure, for Load.
pub fn set_host(host: *mut abi::Host) {
    HOST.store(host, Ordering::Release);
}

/// Fetches the host's functions.
///
/// # Errors
/// [`ActionError::MissingFeature`] naming the first required suite or function that is missing.
pub fn load() -> Result<()> {
    let host = HOST.load(Ordering::Acquire);
    let none = ActionError::MissingFeature("an OfxHost structure (setHost)");
    // SAFETY: the host keeps its structure for as long as the plug-in is loaded.
    let host = unsafe { host.as_ref() }.ok_or(none)?;
    let missing = ActionError::MissingFeature("fetchSuite");
    let fetch = host.fetch_suite.ok_or(missing)?;
    let suite = |name: &'static CStr, version: c_int| {
        // SAFETY: the host's own handle, and a NUL-terminated name.
        unsafe { fetch(host.properties, name.as_ptr(), version) }
    };
    let required = |name: &'static CStr| {
        let found = suite(name, 1);
        match found.is_null() {
            true => Err(ActionError::MissingFeature(
                name.to_str().unwrap_or("a suite"),
            )),
            false => Ok(found),
        }
    };
    // SAFETY: a suite of that name and version has that layout and lives as long as the host.
    let (properties, effects, parameters, edits) = unsafe {
        let parameters = &*required(PARAMETER_SUITE)?.cast();
        (
            PropertyFunctions::of(&*required(PROPERTY_SUITE)?.cast())?,
            EffectFunctions::of(&*required(EFFECT_SUITE)?.cast())?,
            ParameterFunctions::of(parameters)?,
            EditFunctions::of(parameters),
        )
    };
    let mut loaded = Host {
        properties,
        effects,
        parameters,
        edits,
        messages: message_functions(&suite),
        progress: progress_functions(&suite),
        time: get_time(&suite),
        temporal: false,
        background: false,
        linear: false,
    };
    let about = loaded.properties(host.properties);
    let name = about.text(PROP_NAME).unwrap_or_default();
    log::info!("version {} loaded by {name}", env!("CARGO_PKG_VERSION"));
    let is = |property: &CStr| about.int(property, 0).unwrap_or(0) != 0;
    let (temporal, background) = (
        is(EFFECT_PROP_TEMPORAL_CLIP_ACCESS),
        is(EFFECT_HOST_PROP_IS_BACKGROUND),
    );
    let host_name = name.to_ascii_lowercase();
    // The names are "uk.co.thefoundry.nuke" and "fr.inria.Natron".
    let linear = ["nuke", "natron"]
        .iter()
        .any(|part| host_name.contains(part));
    loaded.linear = linear;
    loaded.temporal = temporal;
    loaded.background = background;
    *LOADED.write() = Some(Arc::new(loaded));
    Ok(())
}

/// Gives the suite of a name and version; null where the host does not have it.
type FetchSuite<'a> = &'a dyn Fn(&'static CStr, c_int) -> *const c_void;

/// Resolve 14 to 16 have parts of the message suite only.
fn message_functions(suite: FetchSuite<'_>) -> MessageFunctions {
    // SAFETY: a suite of that name and version has that layout and lives as long as the host; null
    // where the host has none.
    let (second, first) = unsafe {
        (
            suite(MESSAGE_SUITE, 2).cast::<abi::MessageSuite>().as_ref(),
            suite(MESSAGE_SUITE, 1)
                .cast::<abi::MessageSuite1>()
                .as_ref(),
        )
    };
    MessageFunctions {
        show: second
            .and_then(|suite| suite.message)
            .or(first.and_then(|suite| suite.message)),
        set_persistent: second.and_then(|suite| suite.set_persistent),
        clear_persistent: second.and_then(|suite| suite.clear_persistent),
    }
}

/// Version 2 where it is complete, else version 1.
fn progress_functions(suite: FetchSuite<'_>) -> Option<ProgressFunctions> {
    // SAFETY: as in `message_functions`.
    let (second, first) = unsafe {
        (
            suite(PROGRESS_SUITE, 2)
                .cast::<abi::ProgressSuite2>()
                .as_ref(),
            suite(PROGRESS_SUITE, 1)
                .cast::<abi::ProgressSuite>()
                .as_ref(),
        )
    };
    let second = second.and_then(|suite| {
        Some(ProgressFunctions {
            start: StartProgress::V2(suite.start?),
            update: suite.update?,
            end: suite.end?,
        })
    });
    second.or_else(|| {
        let suite = first?;
        Some(ProgressFunctions {
            start: StartProgress::V1(suite.start?),
            update: suite.update?,
            end: suite.end?,
        })
    })
}

fn get_time(suite: FetchSuite<'_>) -> Option<GetTime> {
    // SAFETY: as in `message_functions`.
    let timeline = unsafe {
        suite(TIMELINE_SUITE, 1)
            .cast::<abi::TimeLineSuite>()
            .as_ref()
    };
    timeline?.time
}

/// The host that loaded the effect.
///
/// # Errors
/// [`ActionError::MissingFeature`] before Load.
pub fn current() -> Result<Arc<Host>> {
    LOADED.read().clone().ok_or(ActionError::MissingFeature(
        "a Load action before this action",
    ))
}

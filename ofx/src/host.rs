//! The host's functions, checked once when it loads the effect, and safe to call from then on.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::sync::Arc;
use std::sync::atomic::{AtomicPtr, Ordering};

use parking_lot::RwLock;

use crate::abi::names::*;
use crate::abi::{self, ClipHandle, EffectHandle, ParamHandle, ParamSetHandle};
use crate::abi::{PropertySetHandle, RectD, RectI, status};
use crate::fault::{Fault, Result};

type Text = *const c_char;
/// `message`, `setPersistentMessage`: handle, type, id, format, what is formatted.
type Tell = unsafe extern "C" fn(*mut c_void, Text, Text, Text, ...) -> abi::OfxStatus;

/// The host that introduced itself last.
static INTRODUCED: AtomicPtr<abi::Host> = AtomicPtr::new(std::ptr::null_mut());
/// Its functions, from Load on.
static LOADED: RwLock<Option<Arc<Host>>> = RwLock::new(None);

/// A host's functions. What every host must have is there; the rest is optional.
#[derive(Clone, Copy)]
pub struct Host {
    properties: PropertyFunctions,
    effects: EffectFunctions,
    parameters: ParameterFunctions,
    tell: Option<Tell>,
    tell_persistently: Option<Tell>,
    stop_telling: Option<unsafe extern "C" fn(*mut c_void) -> abi::OfxStatus>,
    progress: Option<ProgressFunctions>,
    time: Option<unsafe extern "C" fn(*mut c_void, *mut f64) -> abi::OfxStatus>,
    /// Whether frames beside the one rendered may be asked for.
    pub temporal: bool,
}

macro_rules! functions {
    ($name:ident from $table:ident { $($member:ident: $kind:ty,)* }) => {
        #[derive(Clone, Copy)]
        struct $name { $($member: $kind,)* }

        impl $name {
            fn of(table: &abi::$table) -> Result<Self> {
                Ok(Self { $($member: table.$member.ok_or(Fault::Missing(concat!(
                    stringify!($table), ".", stringify!($member)
                )))?,)* })
            }
        }
    };
}

use abi::OfxStatus as S;

functions! { PropertyFunctions from PropertySuite {
    set_pointer: unsafe extern "C" fn(PropertySetHandle, Text, c_int, *mut c_void) -> S,
    set_string: unsafe extern "C" fn(PropertySetHandle, Text, c_int, Text) -> S,
    set_double: unsafe extern "C" fn(PropertySetHandle, Text, c_int, f64) -> S,
    set_int: unsafe extern "C" fn(PropertySetHandle, Text, c_int, c_int) -> S,
    get_pointer: unsafe extern "C" fn(PropertySetHandle, Text, c_int, *mut *mut c_void) -> S,
    get_string: unsafe extern "C" fn(PropertySetHandle, Text, c_int, *mut *mut c_char) -> S,
    get_double: unsafe extern "C" fn(PropertySetHandle, Text, c_int, *mut f64) -> S,
    get_int: unsafe extern "C" fn(PropertySetHandle, Text, c_int, *mut c_int) -> S,
}}

functions! { EffectFunctions from ImageEffectSuite {
    property_set: unsafe extern "C" fn(EffectHandle, *mut PropertySetHandle) -> S,
    param_set: unsafe extern "C" fn(EffectHandle, *mut ParamSetHandle) -> S,
    clip_define: unsafe extern "C" fn(EffectHandle, Text, *mut PropertySetHandle) -> S,
    clip_handle: unsafe extern "C" fn(EffectHandle, Text, *mut ClipHandle, *mut PropertySetHandle) -> S,
    clip_property_set: unsafe extern "C" fn(ClipHandle, *mut PropertySetHandle) -> S,
    clip_image: unsafe extern "C" fn(ClipHandle, f64, *const RectD, *mut PropertySetHandle) -> S,
    clip_release_image: unsafe extern "C" fn(PropertySetHandle) -> S,
    abort: unsafe extern "C" fn(EffectHandle) -> c_int,
}}

functions! { ParameterFunctions from ParameterSuite {
    define: unsafe extern "C" fn(ParamSetHandle, Text, Text, *mut PropertySetHandle) -> S,
    handle: unsafe extern "C" fn(ParamSetHandle, Text, *mut ParamHandle, *mut PropertySetHandle) -> S,
    value: unsafe extern "C" fn(ParamHandle, ...) -> S,
    value_at: unsafe extern "C" fn(ParamHandle, f64, ...) -> S,
    set_value: unsafe extern "C" fn(ParamHandle, ...) -> S,
}}

/// Either version of the suite.
#[derive(Clone, Copy)]
struct ProgressFunctions {
    start: Start,
    update: unsafe extern "C" fn(*mut c_void, f64) -> S,
    end: unsafe extern "C" fn(*mut c_void) -> S,
}

#[derive(Clone, Copy)]
enum Start {
    One(unsafe extern "C" fn(*mut c_void, Text) -> S),
    Two(unsafe extern "C" fn(*mut c_void, Text, Text) -> S),
}

/// Notes the host that is at the door.
pub fn introduce(host: *mut abi::Host) {
    INTRODUCED.store(host, Ordering::Release);
}

/// Fetches the host's functions.
///
/// # Errors
/// [`Fault::Missing`] naming the first that nothing can be done without.
pub fn load() -> Result<()> {
    let host = INTRODUCED.load(Ordering::Acquire);
    // SAFETY: the host keeps its structure for as long as the plug-in is loaded.
    let host = unsafe { host.as_ref() }.ok_or(Fault::Missing("OfxHost: setHost came with none"))?;
    let fetch = host.fetch_suite.ok_or(Fault::Missing("fetchSuite"))?;
    let suite = |name: &'static CStr, version: c_int| {
        // SAFETY: the host's own handle, and a name that ends.
        unsafe { fetch(host.properties, name.as_ptr(), version) }
    };
    let needed = |name: &'static CStr| {
        let found = suite(name, 1);
        match found.is_null() {
            true => Err(Fault::Missing(name.to_str().unwrap_or("suite"))),
            false => Ok(found),
        }
    };
    // SAFETY: a suite of that name and version has that layout and lives as long as the host.
    let (properties, effects, parameters) = unsafe {
        (
            PropertyFunctions::of(&*needed(PROPERTY_SUITE)?.cast())?,
            EffectFunctions::of(&*needed(EFFECT_SUITE)?.cast())?,
            ParameterFunctions::of(&*needed(PARAMETER_SUITE)?.cast())?,
        )
    };
    // SAFETY: as above; null where the host has none.
    let (messages, message, progress, progress_2, timeline) = unsafe {
        (
            suite(MESSAGE_SUITE, 2).cast::<abi::MessageSuite>().as_ref(),
            suite(MESSAGE_SUITE, 1)
                .cast::<abi::MessageSuite1>()
                .as_ref(),
            suite(PROGRESS_SUITE, 1)
                .cast::<abi::ProgressSuite>()
                .as_ref(),
            suite(PROGRESS_SUITE, 2)
                .cast::<abi::ProgressSuite2>()
                .as_ref(),
            suite(TIMELINE_SUITE, 1)
                .cast::<abi::TimeLineSuite>()
                .as_ref(),
        )
    };
    let first = progress.and_then(|suite| {
        Some(ProgressFunctions {
            start: Start::One(suite.start?),
            update: suite.update?,
            end: suite.end?,
        })
    });
    let second = progress_2.and_then(|suite| {
        Some(ProgressFunctions {
            start: Start::Two(suite.start?),
            update: suite.update?,
            end: suite.end?,
        })
    });
    let mut loaded = Host {
        properties,
        effects,
        parameters,
        tell: messages
            .and_then(|s| s.message)
            .or(message.and_then(|s| s.message)),
        tell_persistently: messages.and_then(|s| s.set_persistent),
        stop_telling: messages.and_then(|s| s.clear_persistent),
        progress: second.or(first),
        time: timeline.and_then(|s| s.time),
        temporal: false,
    };
    let about = loaded.properties(host.properties);
    loaded.temporal = about.int(EFFECT_PROP_TEMPORAL_CLIP_ACCESS, 0).unwrap_or(0) != 0;
    *LOADED.write() = Some(Arc::new(loaded));
    Ok(())
}

/// The host that loaded the effect.
///
/// # Errors
/// [`Fault::Missing`] before Load.
pub fn current() -> Result<Arc<Host>> {
    LOADED
        .read()
        .clone()
        .ok_or(Fault::Missing("Load action before this one"))
}

/// A set of properties of the host's.
#[derive(Clone, Copy)]
pub struct Properties<'h> {
    host: &'h Host,
    handle: PropertySetHandle,
}

impl Host {
    pub fn properties(&self, handle: PropertySetHandle) -> Properties<'_> {
        Properties { host: self, handle }
    }

    /// The properties of a descriptor or an instance.
    pub fn effect(&self, effect: EffectHandle) -> Result<Properties<'_>> {
        let mut handle = PropertySetHandle::NULL;
        // SAFETY: the host gave the handle with the action at hand.
        let status = unsafe { (self.effects.property_set)(effect, &mut handle) };
        self.got("the effect's properties", status, handle)
    }

    pub fn param_set(&self, effect: EffectHandle) -> Result<ParamSetHandle> {
        let mut handle = ParamSetHandle::NULL;
        // SAFETY: as above.
        let status = unsafe { (self.effects.param_set)(effect, &mut handle) };
        match status == status::OK && !handle.is_null() {
            true => Ok(handle),
            false => Err(Fault::Host("the effect's parameters", status)),
        }
    }

    pub fn define_clip(&self, effect: EffectHandle, name: &CStr) -> Result<Properties<'_>> {
        let mut handle = PropertySetHandle::NULL;
        // SAFETY: as above, and a name that ends.
        let status = unsafe { (self.effects.clip_define)(effect, name.as_ptr(), &mut handle) };
        self.got("a clip", status, handle)
    }

    pub fn clip(&self, effect: EffectHandle, name: &CStr) -> Result<ClipHandle> {
        let mut handle = ClipHandle::NULL;
        let none = std::ptr::null_mut();
        // SAFETY: as above; the properties are not asked for.
        let status =
            unsafe { (self.effects.clip_handle)(effect, name.as_ptr(), &mut handle, none) };
        match status == status::OK && !handle.is_null() {
            true => Ok(handle),
            false => Err(Fault::Host("a clip", status)),
        }
    }

    pub fn clip_properties(&self, clip: ClipHandle) -> Result<Properties<'_>> {
        let mut handle = PropertySetHandle::NULL;
        // SAFETY: the handle was given by `clip` and lives as long as the instance.
        let status = unsafe { (self.effects.clip_property_set)(clip, &mut handle) };
        self.got("a clip's properties", status, handle)
    }

    /// The image of a clip at a time, to be released; `None` where the host has none.
    pub fn image(&self, clip: ClipHandle, time: f64) -> Option<PropertySetHandle> {
        let mut handle = PropertySetHandle::NULL;
        // SAFETY: as above; no region means all of it.
        let status =
            unsafe { (self.effects.clip_image)(clip, time, std::ptr::null(), &mut handle) };
        (status == status::OK && !handle.is_null()).then_some(handle)
    }

    pub fn release(&self, image: PropertySetHandle) {
        // SAFETY: each image is released once, by its `Image`.
        unsafe { (self.effects.clip_release_image)(image) };
    }

    /// Whether the render at hand is wanted no more.
    pub fn aborts(&self, effect: EffectHandle) -> bool {
        // SAFETY: the handle of the instance that renders.
        unsafe { (self.effects.abort)(effect) != 0 }
    }

    pub fn define_parameter(
        &self,
        set: ParamSetHandle,
        kind: &CStr,
        name: &CStr,
    ) -> Result<Properties<'_>> {
        let mut handle = PropertySetHandle::NULL;
        // SAFETY: the set of the descriptor at hand; strings that end.
        let status =
            unsafe { (self.parameters.define)(set, kind.as_ptr(), name.as_ptr(), &mut handle) };
        self.got("a parameter", status, handle)
    }

    pub fn parameter(&self, set: ParamSetHandle, name: &CStr) -> Result<ParamHandle> {
        let mut handle = ParamHandle::NULL;
        let none = std::ptr::null_mut();
        // SAFETY: the set of the instance at hand; a name that ends; no properties asked for.
        let status = unsafe { (self.parameters.handle)(set, name.as_ptr(), &mut handle, none) };
        match status == status::OK && !handle.is_null() {
            true => Ok(handle),
            false => Err(Fault::Host("a parameter", status)),
        }
    }

    pub fn int(&self, param: ParamHandle) -> Result<i32> {
        let mut value: c_int = 0;
        // SAFETY: a parameter of one integer (choice, integer, boolean) fills one.
        let status = unsafe { (self.parameters.value)(param, &raw mut value) };
        checked("a parameter's value", status).map(|()| value)
    }

    pub fn double(&self, param: ParamHandle, time: f64) -> Result<f64> {
        let mut value = 0.0f64;
        // SAFETY: a parameter of one double fills one.
        let status = unsafe { (self.parameters.value_at)(param, time, &raw mut value) };
        checked("a parameter's value", status).map(|()| value)
    }

    pub fn point(&self, param: ParamHandle) -> Result<[f64; 2]> {
        let (mut x, mut y) = (0.0f64, 0.0f64);
        // SAFETY: a parameter of two doubles fills two.
        let status = unsafe { (self.parameters.value)(param, &raw mut x, &raw mut y) };
        checked("a parameter's value", status).map(|()| [x, y])
    }

    /// A string parameter's value, copied at once: the host may change it behind the pointer.
    pub fn text(&self, param: ParamHandle) -> Result<String> {
        let mut value: *const c_char = std::ptr::null();
        // SAFETY: a string parameter fills one pointer.
        let status = unsafe { (self.parameters.value)(param, &raw mut value) };
        checked("a parameter's value", status)?;
        // SAFETY: null, or the host's string, which ends.
        Ok(unsafe { copied(value) })
    }

    pub fn set_int(&self, param: ParamHandle, value: i32) -> Result<()> {
        // SAFETY: a parameter of one integer takes one.
        checked("to set a parameter", unsafe {
            (self.parameters.set_value)(param, value)
        })
    }

    pub fn set_text(&self, param: ParamHandle, value: &str) -> Result<()> {
        let value = ended(value);
        // SAFETY: a string parameter takes one pointer, and copies what it points to.
        checked("to set a parameter", unsafe {
            (self.parameters.set_value)(param, value.as_ptr())
        })
    }

    /// Shows a message until it is taken back; where the host cannot, nothing happens.
    pub fn tell(&self, effect: EffectHandle, kind: &CStr, text: &str) {
        let text = ended(text);
        if let Some(tell) = self.tell_persistently {
            let (id, format) = (c"stylelipsync".as_ptr(), c"%s".as_ptr());
            // SAFETY: the instance at hand, and strings that end; the format takes one string.
            unsafe { tell(effect.0, kind.as_ptr(), id, format, text.as_ptr()) };
        }
    }

    /// Shows a message once, in answer to what the user did.
    pub fn answer(&self, effect: EffectHandle, kind: &CStr, text: &str) {
        let text = ended(text);
        if let Some(tell) = self.tell {
            let (id, format) = (c"stylelipsync".as_ptr(), c"%s".as_ptr());
            // SAFETY: as above.
            unsafe { tell(effect.0, kind.as_ptr(), id, format, text.as_ptr()) };
        }
    }

    pub fn stop_telling(&self, effect: EffectHandle) {
        if let Some(clear) = self.stop_telling {
            // SAFETY: the instance at hand.
            unsafe { clear(effect.0) };
        }
    }

    /// Where the user's playhead is; `None` where the host does not say.
    pub fn playhead(&self, effect: EffectHandle) -> Option<f64> {
        let mut time = f64::NAN;
        // SAFETY: the instance at hand.
        let status = unsafe { self.time?(effect.0, &mut time) };
        (status == status::OK && time.is_finite()).then_some(time)
    }

    /// Begins to show how far a work is.
    pub fn progress(&self, effect: EffectHandle, label: &str) -> Progress<'_> {
        let label = ended(label);
        let started = self.progress.is_some_and(|functions| {
            // SAFETY: the instance at hand, and strings that end.
            let status = unsafe {
                match functions.start {
                    Start::One(start) => start(effect.0, label.as_ptr()),
                    Start::Two(start) => start(effect.0, label.as_ptr(), c"stylelipsync".as_ptr()),
                }
            };
            status == status::OK
        });
        Progress {
            host: self,
            effect,
            started,
        }
    }

    fn got(
        &self,
        what: &'static str,
        status: S,
        handle: PropertySetHandle,
    ) -> Result<Properties<'_>> {
        match status == status::OK && !handle.is_null() {
            true => Ok(self.properties(handle)),
            false => Err(Fault::Host(what, status)),
        }
    }
}

/// A work's progress, while it lasts.
pub struct Progress<'h> {
    host: &'h Host,
    effect: EffectHandle,
    started: bool,
}

impl Progress<'_> {
    /// Tells the share that is done; false where the user wants no more of it.
    pub fn update(&self, share: f64) -> bool {
        match self.host.progress.filter(|_| self.started) {
            // SAFETY: between start and end.
            Some(functions) => unsafe {
                (functions.update)(self.effect.0, share.clamp(0.0, 1.0)) != status::REPLY_NO
            },
            None => true,
        }
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        if let Some(functions) = self.host.progress.filter(|_| self.started) {
            // SAFETY: once, after start.
            unsafe { (functions.end)(self.effect.0) };
        }
    }
}

impl Properties<'_> {
    /// Sets one; whether the host knows it. What a host does not know it does not need.
    pub fn set_int(&self, name: &CStr, at: usize, value: i32) -> bool {
        if self.is_null() {
            return false;
        }
        let set = self.host.properties.set_int;
        // SAFETY: a set that the host gave with the action at hand; a name that ends.
        unsafe { set(self.handle, name.as_ptr(), at as c_int, value) == status::OK }
    }

    pub fn set_double(&self, name: &CStr, at: usize, value: f64) -> bool {
        if self.is_null() {
            return false;
        }
        let set = self.host.properties.set_double;
        // SAFETY: as above.
        unsafe { set(self.handle, name.as_ptr(), at as c_int, value) == status::OK }
    }

    pub fn set_text(&self, name: &CStr, at: usize, value: &CStr) -> bool {
        if self.is_null() {
            return false;
        }
        let set = self.host.properties.set_string;
        // SAFETY: as above; hosts copy strings.
        unsafe { set(self.handle, name.as_ptr(), at as c_int, value.as_ptr()) == status::OK }
    }

    pub fn set_pointer(&self, name: &CStr, value: *mut c_void) -> bool {
        if self.is_null() {
            return false;
        }
        let set = self.host.properties.set_pointer;
        // SAFETY: as above.
        unsafe { set(self.handle, name.as_ptr(), 0, value) == status::OK }
    }

    pub fn int(&self, name: &CStr, at: usize) -> Option<i32> {
        if self.is_null() {
            return None;
        }
        let mut value: c_int = 0;
        let get = self.host.properties.get_int;
        // SAFETY: as above.
        let status = unsafe { get(self.handle, name.as_ptr(), at as c_int, &mut value) };
        (status == status::OK).then_some(value)
    }

    pub fn double(&self, name: &CStr, at: usize) -> Option<f64> {
        if self.is_null() {
            return None;
        }
        let mut value = 0.0;
        let get = self.host.properties.get_double;
        // SAFETY: as above.
        let status = unsafe { get(self.handle, name.as_ptr(), at as c_int, &mut value) };
        (status == status::OK && value.is_finite()).then_some(value)
    }

    pub fn text(&self, name: &CStr) -> Option<String> {
        if self.is_null() {
            return None;
        }
        let mut value: *mut c_char = std::ptr::null_mut();
        let get = self.host.properties.get_string;
        // SAFETY: as above; null, or a string that ends and is copied at once.
        unsafe {
            let status = get(self.handle, name.as_ptr(), 0, &mut value);
            (status == status::OK).then(|| copied(value))
        }
    }

    pub fn pointer(&self, name: &CStr) -> *mut c_void {
        if self.is_null() {
            return std::ptr::null_mut();
        }
        let mut value = std::ptr::null_mut();
        let get = self.host.properties.get_pointer;
        // SAFETY: as above.
        let status = unsafe { get(self.handle, name.as_ptr(), 0, &mut value) };
        if status == status::OK {
            value
        } else {
            std::ptr::null_mut()
        }
    }

    pub fn rect(&self, name: &CStr) -> Option<RectI> {
        let at = |k| self.int(name, k);
        Some(RectI {
            x1: at(0)?,
            y1: at(1)?,
            x2: at(2)?,
            y2: at(3)?,
        })
    }

    /// Whether the action came without them; nothing is in them then.
    fn is_null(&self) -> bool {
        self.handle.is_null()
    }
}

/// # Safety
/// `text` is null or points to a string that ends.
pub unsafe fn copied(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr(text) }
        .to_string_lossy()
        .into_owned()
}

fn ended(text: &str) -> CString {
    let whole: Vec<u8> = text.bytes().filter(|byte| *byte != 0).collect();
    CString::new(whole).unwrap_or_default()
}

fn checked(what: &'static str, status: S) -> Result<()> {
    match status {
        status::OK => Ok(()),
        status => Err(Fault::Host(what, status)),
    }
}

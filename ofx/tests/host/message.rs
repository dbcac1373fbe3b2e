//! What the user sees: the message, progress and timeline suites.
//!
//! The message functions are variadic; see the parameter suite for how fixed functions stand in.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::mem::transmute;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use openfx::sys::generic::core::*;
use openfx::sys::image_effect_v1::message::*;
use openfx::sys::image_effect_v1::progress::*;
use openfx::sys::image_effect_v1::time_line::*;

use super::handles::{EFFECTS, give, lock, text};
use super::journal::{Message, Progress};
use super::node::Node;
use super::options::HostOptions;
use super::scope::{report, spoil_lent_strings};
use super::suites::{Suite, suite};

type Variadic = unsafe extern "C" fn(
    *mut c_void,
    *const c_char,
    *const c_char,
    *const c_char,
    ...
) -> OfxStatus;

/// Two integer registers are left after the named arguments, and all eight for doubles.
type Fixed = extern "C" fn(
    *mut c_void,
    *const c_char,
    *const c_char,
    *const c_char,
    usize,
    usize,
    f64,
    f64,
    f64,
    f64,
) -> OfxStatus;

fn variadic(function: Fixed) -> Variadic {
    // SAFETY: both are function pointers, and on Linux the calling conventions agree.
    unsafe { transmute::<Fixed, Variadic>(function) }
}

pub(super) fn message_v1(options: &HostOptions) -> Suite {
    suite!(
        options,
        kOfxMessageSuite,
        1,
        OfxMessageSuiteV1 {
            message: variadic(message),
        }
    )
}

pub(super) fn message_v2(options: &HostOptions) -> Suite {
    suite!(
        options,
        kOfxMessageSuite,
        2,
        OfxMessageSuiteV2 {
            message: variadic(message),
            setPersistentMessage: variadic(set_persistent_message),
            clearPersistentMessage: clear_persistent_message,
        }
    )
}

pub(super) fn progress_v1(options: &HostOptions) -> Suite {
    suite!(
        options,
        kOfxProgressSuite,
        1,
        OfxProgressSuiteV1 {
            progressStart: progress_start_v1,
            progressUpdate: progress_update,
            progressEnd: progress_end,
        }
    )
}

pub(super) fn progress_v2(options: &HostOptions) -> Suite {
    suite!(
        options,
        kOfxProgressSuite,
        2,
        OfxProgressSuiteV2 {
            progressStart: progress_start_v2,
            progressUpdate: progress_update,
            progressEnd: progress_end,
        }
    )
}

pub(super) fn timeline_v1(options: &HostOptions) -> Suite {
    suite!(
        options,
        kOfxTimeLineSuite,
        1,
        OfxTimeLineSuiteV1 {
            getTime: get_time,
            gotoTime: goto_time,
            getTimeBounds: get_time_bounds,
        }
    )
}

fn find(effect: *mut c_void, caller: &str) -> Option<Arc<Node>> {
    spoil_lent_strings();
    EFFECTS.find(effect, caller)
}

fn owned_text(string: *const c_char) -> String {
    text(string)
        .map(|text| text.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// The four arguments every message has, and the registers with what its format asks for.
struct Parts {
    kind: *const c_char,
    id: *const c_char,
    format: *const c_char,
    integers: [usize; 2],
    doubles: [f64; 4],
}

#[allow(clippy::too_many_arguments, reason = "one for each register")]
extern "C" fn message(
    effect: *mut c_void,
    kind: *const c_char,
    id: *const c_char,
    format: *const c_char,
    a: usize,
    b: usize,
    x: f64,
    y: f64,
    z: f64,
    w: f64,
) -> OfxStatus {
    let parts = Parts {
        kind,
        id,
        format,
        integers: [a, b],
        doubles: [x, y, z, w],
    };
    show_message(effect, parts, false)
}

#[allow(clippy::too_many_arguments, reason = "one for each register")]
extern "C" fn set_persistent_message(
    effect: *mut c_void,
    kind: *const c_char,
    id: *const c_char,
    format: *const c_char,
    a: usize,
    b: usize,
    x: f64,
    y: f64,
    z: f64,
    w: f64,
) -> OfxStatus {
    let parts = Parts {
        kind,
        id,
        format,
        integers: [a, b],
        doubles: [x, y, z, w],
    };
    show_message(effect, parts, true)
}

fn show_message(effect: *mut c_void, parts: Parts, persistent: bool) -> OfxStatus {
    let caller = if persistent {
        "setPersistentMessage"
    } else {
        "message"
    };
    let Some(node) = find(effect, caller) else {
        return kOfxStatErrBadHandle;
    };
    let (Some(kind), Some(format)) = (text(parts.kind), text(parts.format)) else {
        report(format!("{caller}: null type or format"));
        return kOfxStatFailed;
    };
    let shown: &[&CStr] = &[kOfxMessageError, kOfxMessageWarning, kOfxMessageMessage];
    let passing: &[&CStr] = &[kOfxMessageFatal, kOfxMessageLog, kOfxMessageQuestion];
    if !shown.contains(&kind) && (persistent || !passing.contains(&kind)) {
        report(format!("{caller}: {kind:?} is not a valid message type"));
    }
    let text = expand(&format.to_string_lossy(), parts.integers, parts.doubles);
    let kind_name = kind.to_string_lossy().into_owned();
    node.journal.message(Message {
        kind: kind_name,
        id: owned_text(parts.id),
        text,
        persistent,
    });
    if kind == kOfxMessageQuestion {
        kOfxStatReplyYes
    } else {
        kOfxStatOK
    }
}

/// As printf, for the few arguments that are in registers. Text that a plugin passes as the format
/// itself goes wrong at its first percent sign, here as in every host.
fn expand(format: &str, integers: [usize; 2], doubles: [f64; 4]) -> String {
    let (mut integers, mut doubles) = (integers.into_iter(), doubles.into_iter());
    let mut out = String::new();
    let mut rest = format.chars();
    while let Some(c) = rest.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let flags = |c: &char| "-+ #0123456789.lhz".contains(*c);
        let conversion = rest.by_ref().find(|c| !flags(c));
        let piece = match conversion {
            Some('%') => Some("%".into()),
            Some('s') => integers.next().map(|at| owned_text(at as *const c_char)),
            Some('d' | 'i') => integers.next().map(|value| (value as c_int).to_string()),
            Some('u') => integers.next().map(|value| (value as u32).to_string()),
            Some('f' | 'g' | 'e') => doubles.next().map(|value| value.to_string()),
            _ => None,
        };
        match piece {
            Some(piece) => out.push_str(&piece),
            None => report(format!(
                "message: nothing for a conversion in the format {format:?}"
            )),
        }
    }
    out
}

extern "C" fn clear_persistent_message(effect: *mut c_void) -> OfxStatus {
    let Some(node) = find(effect, "clearPersistentMessage") else {
        return kOfxStatErrBadHandle;
    };
    node.journal.clear_persistent();
    kOfxStatOK
}

extern "C" fn progress_start_v1(effect: *mut c_void, label: *const c_char) -> OfxStatus {
    start(effect, label, c"".as_ptr())
}

extern "C" fn progress_start_v2(
    effect: *mut c_void,
    label: *const c_char,
    id: *const c_char,
) -> OfxStatus {
    start(effect, label, id)
}

fn start(effect: *mut c_void, label: *const c_char, id: *const c_char) -> OfxStatus {
    let Some(node) = find(effect, "progressStart") else {
        return kOfxStatErrBadHandle;
    };
    if node.control.progress_open.swap(true, Ordering::Relaxed) {
        report("progressStart while a progress bar is open".into());
    }
    node.journal.progress(Progress::Start {
        label: owned_text(label),
        id: owned_text(id),
    });
    kOfxStatOK
}

extern "C" fn progress_update(effect: *mut c_void, done: f64) -> OfxStatus {
    let Some(node) = find(effect, "progressUpdate") else {
        return kOfxStatErrBadHandle;
    };
    if !node.control.progress_open.load(Ordering::Relaxed) {
        report("progressUpdate without progressStart".into());
    }
    if !(0.0..=1.0).contains(&done) {
        report(format!("progressUpdate with {done}, not within 0 to 1"));
    }
    node.journal.progress(Progress::Update(done));
    if node.control.cancel.ask() {
        kOfxStatReplyNo
    } else {
        kOfxStatOK
    }
}

extern "C" fn progress_end(effect: *mut c_void) -> OfxStatus {
    let Some(node) = find(effect, "progressEnd") else {
        return kOfxStatErrBadHandle;
    };
    if !node.control.progress_open.swap(false, Ordering::Relaxed) {
        report("progressEnd without progressStart".into());
    }
    node.journal.progress(Progress::End);
    kOfxStatOK
}

extern "C" fn get_time(effect: *mut c_void, time: *mut f64) -> OfxStatus {
    let Some(node) = find(effect, "getTime") else {
        return kOfxStatErrBadHandle;
    };
    let timeline = *lock(&node.control.timeline);
    if give(time, timeline.time) {
        kOfxStatOK
    } else {
        kOfxStatErrValue
    }
}

extern "C" fn goto_time(effect: *mut c_void, time: f64) -> OfxStatus {
    let Some(node) = find(effect, "gotoTime") else {
        return kOfxStatErrBadHandle;
    };
    let mut timeline = lock(&node.control.timeline);
    if !(timeline.first..=timeline.last).contains(&time) {
        report(format!("gotoTime {time}, which is not on the timeline"));
        return kOfxStatErrValue;
    }
    timeline.time = time;
    kOfxStatOK
}

extern "C" fn get_time_bounds(effect: *mut c_void, first: *mut f64, last: *mut f64) -> OfxStatus {
    let Some(node) = find(effect, "getTimeBounds") else {
        return kOfxStatErrBadHandle;
    };
    let timeline = *lock(&node.control.timeline);
    let given = give(first, timeline.first) && give(last, timeline.last);
    if given { kOfxStatOK } else { kOfxStatErrValue }
}

//! What the user sees: the message, progress and timeline suites.
//!
//! The message functions are variadic; see `variadic`.

use std::ffi::{CStr, c_char, c_int, c_void};
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
use super::variadic::{Arguments, as_variadic, variadic_function};

type Text = *const c_char;

pub(super) fn message_v1(options: &HostOptions) -> Suite {
    suite!(
        options,
        kOfxMessageSuite,
        1,
        OfxMessageSuiteV1 {
            message: as_variadic!(message as fn(*mut c_void, Text, Text, Text)),
        }
    )
}

pub(super) fn message_v2(options: &HostOptions) -> Suite {
    suite!(
        options,
        kOfxMessageSuite,
        2,
        OfxMessageSuiteV2 {
            message: as_variadic!(message as fn(*mut c_void, Text, Text, Text)),
            setPersistentMessage: as_variadic!(
                set_persistent_message as fn(*mut c_void, Text, Text, Text)
            ),
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

variadic_function! {
    fn message(effect: *mut c_void, kind: Text, id: Text, format: Text, ..rest) {
        show_message(effect, [kind, id, format], rest, false)
    }
}

variadic_function! {
    fn set_persistent_message(effect: *mut c_void, kind: Text, id: Text, format: Text, ..rest) {
        show_message(effect, [kind, id, format], rest, true)
    }
}

fn show_message(
    effect: *mut c_void,
    [kind, id, format]: [Text; 3],
    rest: Arguments,
    persistent: bool,
) -> OfxStatus {
    let caller = if persistent {
        "setPersistentMessage"
    } else {
        "message"
    };
    let Some(node) = find(effect, caller) else {
        return kOfxStatErrBadHandle;
    };
    let (Some(kind), Some(format)) = (text(kind), text(format)) else {
        report(format!("{caller}: null type or format"));
        return kOfxStatFailed;
    };
    let shown: &[&CStr] = &[kOfxMessageError, kOfxMessageWarning, kOfxMessageMessage];
    let passing: &[&CStr] = &[kOfxMessageFatal, kOfxMessageLog, kOfxMessageQuestion];
    if !shown.contains(&kind) && (persistent || !passing.contains(&kind)) {
        report(format!("{caller}: {kind:?} is not a valid message type"));
    }
    let text = expand(&format.to_string_lossy(), rest);
    let kind_name = kind.to_string_lossy().into_owned();
    node.journal.message(Message {
        kind: kind_name,
        id: owned_text(id),
        text,
        persistent,
    });
    if kind == kOfxMessageQuestion {
        kOfxStatReplyYes
    } else {
        kOfxStatOK
    }
}

/// As printf, for a few arguments. Text that a plugin passes as the format
/// itself goes wrong at its first percent sign, here as in every host.
fn expand(format: &str, mut arguments: Arguments) -> String {
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
            Some('s') => arguments
                .integer()
                .map(|at| owned_text(at as *const c_char)),
            Some('d' | 'i') => arguments
                .integer()
                .map(|value| (value as c_int).to_string()),
            Some('u') => arguments.integer().map(|value| (value as u32).to_string()),
            Some('f' | 'g' | 'e') => arguments.double().map(|value| value.to_string()),
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

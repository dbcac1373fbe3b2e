//! The variadic half of the parameter suite: getting and setting values.

use std::ffi::{c_char, c_int, c_void};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use openfx::sys::generic::core::*;
use openfx::sys::image_effect_v1::image_effect::kOfxImageEffectActionRender;
use openfx::sys::image_effect_v1::param::*;

use super::handles::{give, lock, read, text};
use super::journal::ParamWrite;
use super::param::{Holds, Param, ParamValue};
use super::param_suite::find;
use super::query::changed_by_plugin;
use super::scope::{Scope, current, depth, lend, note, report};
use super::variadic::{Arguments, variadic_function};

type Handle = OfxParamHandle;
type Place = *mut c_void;

/// Stores a value at the places the plugin passed for its components.
fn give_value(param: &Param, mut places: Arguments, caller: &str) -> OfxStatus {
    let places: [Place; 4] = std::array::from_fn(|_| places.integer().unwrap_or_default() as Place);
    let given = match param.get() {
        ParamValue::Ints(ints) => ints.iter().zip(places).all(|(&i, at)| give(at.cast(), i)),
        ParamValue::Doubles(all) => all.iter().zip(places).all(|(&d, at)| give(at.cast(), d)),
        ParamValue::Text(text) => give(places[0].cast(), lend(&text)),
        ParamValue::Bytes(bytes) => {
            // The plugin may read the bytes until its next call; the parameter's copy could go.
            let length = bytes.len();
            let data = Box::leak(bytes.into_boxed_slice()).as_ptr();
            give(places[0].cast(), OfxBytes { data, length })
        }
        ParamValue::Nothing => {
            report(format!("{caller}: {:?} has no value", param.name));
            return kOfxStatErrUnsupported;
        }
    };
    if !given {
        report(format!(
            "{caller} of {:?}: null pointer for the value",
            param.name
        ));
        return kOfxStatErrValue;
    }
    kOfxStatOK
}

variadic_function! {
    pub(super) fn get_value(param: Handle, ..places) {
        let Some(param) = find(param, "paramGetValue") else {
            return kOfxStatErrBadHandle;
        };
        let rendering = |scope: &Arc<Scope>| scope.is(kOfxImageEffectActionRender);
        if current().as_ref().is_some_and(rendering) {
            // The value at the playhead, which need not be where the render is.
            note(format!(
                "paramGetValue of {:?} in render, not ...AtTime",
                param.name
            ));
        }
        give_value(&param, places, "paramGetValue")
    }
}

variadic_function! {
    pub(super) fn get_value_at_time(param: Handle, time: f64, ..places) {
        let Some(param) = find(param, "paramGetValueAtTime") else {
            return kOfxStatErrBadHandle;
        };
        if !time.is_finite() {
            report(format!(
                "paramGetValueAtTime of {:?}: at time {time}",
                param.name
            ));
        }
        give_value(&param, places, "paramGetValueAtTime")
    }
}

/// A host without animation has neither derivatives nor integrals.
pub(super) extern "C" fn get_derivative(param: Handle) -> OfxStatus {
    find(param, "paramGetDerivative").map_or(kOfxStatErrBadHandle, |_| kOfxStatErrUnsupported)
}

pub(super) extern "C" fn get_integral(param: Handle) -> OfxStatus {
    find(param, "paramGetIntegral").map_or(kOfxStatErrBadHandle, |_| kOfxStatErrUnsupported)
}

/// Reads a value of the parameter's type from the arguments.
fn take_value(param: &Param, mut arguments: Arguments) -> Option<ParamValue> {
    Some(match param.holds {
        Holds::Ints(count) => {
            let mut int = || arguments.integer().map(|value| value as c_int);
            ParamValue::Ints((0..count).map(|_| int()).collect::<Option<_>>()?)
        }
        Holds::Doubles(count) => {
            let values = (0..count).map(|_| arguments.double());
            ParamValue::Doubles(values.collect::<Option<_>>()?)
        }
        Holds::Text => ParamValue::Text(text(arguments.integer()? as *const c_char)?.into()),
        Holds::Bytes => {
            let bytes = read(arguments.integer()? as *const OfxBytes, 0)?;
            let byte = |at| read(bytes.data, at);
            ParamValue::Bytes((0..bytes.length).map(byte).collect::<Option<_>>()?)
        }
        Holds::Nothing => return None,
    })
}

fn store(param: Handle, arguments: Arguments, caller: &str) -> OfxStatus {
    let Some(param) = find(param, caller) else {
        return kOfxStatErrBadHandle;
    };
    let name = &param.name;
    let Some(value) = take_value(&param, arguments) else {
        report(format!("{caller} of {name:?}: null or no value"));
        return kOfxStatErrValue;
    };
    match &value {
        ParamValue::Doubles(all) if all.iter().any(|double| !double.is_finite()) => {
            report(format!("{caller} of {name:?}: not a finite number"));
        }
        ParamValue::Text(text) if text.to_str().is_err() => {
            report(format!("{caller} of {name:?}: not UTF-8"));
        }
        _ => {}
    }
    let scope = current();
    let may = [kOfxActionInstanceChanged, kOfxActionSyncPrivateData];
    *lock(&param.value) = value.clone();
    let Some(node) = param.node.upgrade() else {
        return kOfxStatOK;
    };
    if !scope
        .as_ref()
        .is_some_and(|scope| may.contains(&scope.action))
    {
        let place = scope
            .as_ref()
            .map_or("no action".into(), |scope| scope.name());
        node.journal.violation(format!(
            "{caller} of {name:?} in {place}: only InstanceChanged and SyncPrivateData may"
        ));
    }
    let action = scope.as_ref().map(|scope| scope.name()).unwrap_or_default();
    node.journal.param_write(ParamWrite {
        name: param.label(),
        value,
        action,
        in_edit: node.control.edits_open.load(Ordering::Relaxed) > 0,
    });
    let echo = scope.filter(|scope| scope.is(kOfxActionInstanceChanged));
    if let Some(scope) = echo.filter(|_| node.host.options.echo_plugin_edits) {
        const TOO_DEEP: usize = 16;
        if depth() > TOO_DEEP {
            report(format!(
                "{caller} of {name:?} in answer to itself, without end"
            ));
        } else {
            changed_by_plugin(&node, name, &scope);
        }
    }
    kOfxStatOK
}

variadic_function! {
    pub(super) fn set_value(param: Handle, ..arguments) {
        store(param, arguments, "paramSetValue")
    }
}

variadic_function! {
    pub(super) fn set_value_at_time(param: Handle, _time: f64, ..arguments) {
        store(param, arguments, "paramSetValueAtTime")
    }
}

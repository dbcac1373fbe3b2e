//! The parameter suite over `Param`.
//! Getting and setting values is in `param_value`.

use std::ffi::{CStr, c_char, c_int, c_uint};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

use openfx::sys::generic::core::*;
use openfx::sys::image_effect_v1::param::*;

use super::handles::{PARAM_SETS, PARAMS, give, lock, text};
use super::node::{Node, NodeKind};
use super::options::HostOptions;
use super::param::{Holds, Param, param_descriptor};
use super::param_value::{
    get_derivative, get_integral, get_value, get_value_at_time, set_value, set_value_at_time,
};
use super::scope::{current, report, spoil_lent_strings};
use super::suites::{Suite, suite};
use super::variadic::as_variadic;

type Handle = OfxParamHandle;

pub(super) fn parameter_v1(options: &HostOptions) -> Suite {
    suite!(
        options,
        kOfxParameterSuite,
        1,
        OfxParameterSuiteV1 {
            paramDefine: define,
            paramGetHandle: get_handle,
            paramSetGetPropertySet: set_get_property_set,
            paramGetPropertySet: get_property_set,
            paramGetValue: as_variadic!(get_value as fn(Handle)),
            paramGetValueAtTime: as_variadic!(get_value_at_time as fn(Handle, OfxTime)),
            paramGetDerivative: as_variadic!(get_derivative as fn(Handle, OfxTime)),
            paramGetIntegral: as_variadic!(get_integral as fn(Handle, OfxTime, OfxTime)),
            paramSetValue: as_variadic!(set_value as fn(Handle)),
            paramSetValueAtTime: as_variadic!(set_value_at_time as fn(Handle, OfxTime)),
            paramGetNumKeys: get_num_keys,
            paramGetKeyTime: get_key_time,
            paramGetKeyIndex: get_key_index,
            paramDeleteKey: delete_key,
            paramDeleteAllKeys: delete_all_keys,
            paramCopy: copy,
            paramEditBegin: edit_begin,
            paramEditEnd: edit_end,
        }
    )
}

fn find_set(set: OfxParamSetHandle, caller: &str) -> Option<Arc<Node>> {
    spoil_lent_strings();
    PARAM_SETS.find(set, caller)
}

extern "C" fn define(
    set: OfxParamSetHandle,
    kind: *const c_char,
    name: *const c_char,
    properties: *mut OfxPropertySetHandle,
) -> OfxStatus {
    let Some(node) = find_set(set, "paramDefine") else {
        return kOfxStatErrBadHandle;
    };
    let (Some(kind), Some(name)) = (text(kind), text(name)) else {
        report("paramDefine: null type or name".into());
        return kOfxStatErrUnknown;
    };
    if !matches!(node.kind, NodeKind::ContextDescriptor(_)) {
        report(format!(
            "paramDefine of {name:?} outside of DescribeInContext"
        ));
        return kOfxStatErrBadHandle;
    }
    let Some(holds) = Holds::by_type(kind) else {
        report(format!("paramDefine of {name:?}: no such type as {kind:?}"));
        return kOfxStatErrUnknown;
    };
    if name.is_empty() || node.param(name).is_some() {
        report(format!(
            "paramDefine of {name:?}: the name is empty or taken"
        ));
        return kOfxStatErrExists;
    }
    let param = Param::new(
        name,
        holds,
        param_descriptor(kind, holds, name),
        Weak::new(),
    );
    if !properties.is_null() {
        give(properties, param.props.handle as OfxPropertySetHandle);
    }
    lock(&node.params).push(param);
    kOfxStatOK
}

extern "C" fn get_handle(
    set: OfxParamSetHandle,
    name: *const c_char,
    param: *mut Handle,
    properties: *mut OfxPropertySetHandle,
) -> OfxStatus {
    let Some(node) = find_set(set, "paramGetHandle") else {
        return kOfxStatErrBadHandle;
    };
    if !node.is_instance() {
        report("paramGetHandle on a descriptor".into());
        return kOfxStatErrBadHandle;
    }
    let Some(found) = text(name).and_then(|name| node.param(name)) else {
        report(format!("paramGetHandle: no parameter {:?}", text(name)));
        return kOfxStatErrUnknown;
    };
    if !properties.is_null() {
        give(properties, found.props.handle as OfxPropertySetHandle);
    }
    if !give(param, found.handle as Handle) {
        report("paramGetHandle: null pointer for the handle".into());
        return kOfxStatErrValue;
    }
    kOfxStatOK
}

extern "C" fn set_get_property_set(
    set: OfxParamSetHandle,
    properties: *mut OfxPropertySetHandle,
) -> OfxStatus {
    let Some(node) = find_set(set, "paramSetGetPropertySet") else {
        return kOfxStatErrBadHandle;
    };
    let handle = node.props.handle as OfxPropertySetHandle;
    if give(properties, handle) {
        kOfxStatOK
    } else {
        kOfxStatErrValue
    }
}

pub(super) fn find(param: Handle, caller: &str) -> Option<Arc<Param>> {
    spoil_lent_strings();
    PARAMS.find(param, caller)
}

extern "C" fn get_property_set(param: Handle, properties: *mut OfxPropertySetHandle) -> OfxStatus {
    let Some(param) = find(param, "paramGetPropertySet") else {
        return kOfxStatErrBadHandle;
    };
    let handle = param.props.handle as OfxPropertySetHandle;
    if give(properties, handle) {
        kOfxStatOK
    } else {
        kOfxStatErrValue
    }
}

extern "C" fn get_num_keys(param: Handle, count: *mut c_uint) -> OfxStatus {
    let Some(param) = find(param, "paramGetNumKeys") else {
        return kOfxStatErrBadHandle;
    };
    if give(count, param.keys.load(Ordering::Relaxed)) {
        kOfxStatOK
    } else {
        kOfxStatErrValue
    }
}

extern "C" fn get_key_time(param: Handle, _key: c_uint, _time: *mut OfxTime) -> OfxStatus {
    find(param, "paramGetKeyTime").map_or(kOfxStatErrBadHandle, |_| kOfxStatErrBadIndex)
}

extern "C" fn get_key_index(param: Handle, _: OfxTime, _: c_int, _: *mut c_int) -> OfxStatus {
    find(param, "paramGetKeyIndex").map_or(kOfxStatErrBadHandle, |_| kOfxStatFailed)
}

extern "C" fn delete_key(param: Handle, _: OfxTime) -> OfxStatus {
    find(param, "paramDeleteKey").map_or(kOfxStatErrBadHandle, |_| kOfxStatErrBadIndex)
}

extern "C" fn delete_all_keys(param: Handle) -> OfxStatus {
    let Some(param) = find(param, "paramDeleteAllKeys") else {
        return kOfxStatErrBadHandle;
    };
    if !current().is_some_and(|scope| scope.is(kOfxActionInstanceChanged)) {
        report("paramDeleteAllKeys outside of InstanceChanged".into());
    }
    param.keys.store(0, Ordering::Relaxed);
    kOfxStatOK
}

extern "C" fn copy(to: Handle, from: Handle, _: OfxTime, _: *const OfxRangeD) -> OfxStatus {
    let (Some(to), Some(from)) = (find(to, "paramCopy"), find(from, "paramCopy")) else {
        return kOfxStatErrBadHandle;
    };
    let value = from.get();
    if to.holds != from.holds {
        report(format!(
            "paramCopy of {:?} to {:?}: not of one type",
            from.name, to.name
        ));
        return kOfxStatErrValue;
    }
    if !current().is_some_and(|scope| scope.is(kOfxActionInstanceChanged)) {
        report("paramCopy outside of InstanceChanged".into());
    }
    *lock(&to.value) = value;
    kOfxStatOK
}

extern "C" fn edit_begin(set: OfxParamSetHandle, name: *const c_char) -> OfxStatus {
    edit(set, 1, text(name), "paramEditBegin")
}

extern "C" fn edit_end(set: OfxParamSetHandle) -> OfxStatus {
    edit(set, -1, None, "paramEditEnd")
}

fn edit(set: OfxParamSetHandle, by: i32, name: Option<&CStr>, caller: &str) -> OfxStatus {
    let Some(node) = find_set(set, caller) else {
        return kOfxStatErrBadHandle;
    };
    if by > 0 && name.is_none() {
        report(format!("{caller}: null name"));
    }
    if !current().is_some_and(|scope| scope.is(kOfxActionInstanceChanged)) {
        report(format!("{caller} outside of InstanceChanged"));
    }
    if let Some(name) = name {
        node.journal.edit(name.to_string_lossy().into_owned());
    }
    if node.control.edits_open.fetch_add(by, Ordering::Relaxed) + by < 0 {
        report(format!("{caller} without paramEditBegin"));
        node.control.edits_open.store(0, Ordering::Relaxed);
    }
    kOfxStatOK
}

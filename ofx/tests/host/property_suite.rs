//! The property suite over `PropertySet`.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::Arc;

use openfx::sys::generic::core::*;
use openfx::sys::generic::property::{OfxPropertySuiteV1, kOfxPropertySuite};

use super::handles::{PROPERTY_SETS, give, read, text};
use super::options::HostOptions;
use super::property::PropertySet;
use super::scope::{lend, note, report, spoil_lent_strings};
use super::suites::{Suite, suite};
use super::value::{Kind, Value};

pub(super) fn property_v1(options: &HostOptions) -> Suite {
    suite!(
        options,
        kOfxPropertySuite,
        1,
        OfxPropertySuiteV1 {
            propSetPointer: set_pointer,
            propSetString: set_string,
            propSetDouble: set_double,
            propSetInt: set_int,
            propSetPointerN: set_pointer_n,
            propSetStringN: set_string_n,
            propSetDoubleN: set_double_n,
            propSetIntN: set_int_n,
            propGetPointer: get_pointer,
            propGetString: get_string,
            propGetDouble: get_double,
            propGetInt: get_int,
            propGetPointerN: get_pointer_n,
            propGetStringN: get_string_n,
            propGetDoubleN: get_double_n,
            propGetIntN: get_int_n,
            propReset: reset,
            propGetDimension: get_dimension,
        }
    )
}

type Handle = OfxPropertySetHandle;
type Name = *const c_char;

/// A C type of a property's value. A null string is not a value.
trait Item: Copy {
    const KIND: Kind;
    fn wrap(self) -> Option<Value>;
    fn unwrap(value: Value) -> Option<Self>;
}

impl Item for c_int {
    const KIND: Kind = Kind::Int;
    fn wrap(self) -> Option<Value> {
        Some(Value::Int(self))
    }
    fn unwrap(value: Value) -> Option<Self> {
        if let Value::Int(int) = value {
            Some(int)
        } else {
            None
        }
    }
}

impl Item for f64 {
    const KIND: Kind = Kind::Double;
    fn wrap(self) -> Option<Value> {
        Some(Value::Double(self))
    }
    fn unwrap(value: Value) -> Option<Self> {
        if let Value::Double(double) = value {
            Some(double)
        } else {
            None
        }
    }
}

impl Item for *mut c_void {
    const KIND: Kind = Kind::Pointer;
    fn wrap(self) -> Option<Value> {
        Some(Value::Pointer(self as usize))
    }
    fn unwrap(value: Value) -> Option<Self> {
        if let Value::Pointer(address) = value {
            Some(address as *mut c_void)
        } else {
            None
        }
    }
}

impl Item for *const c_char {
    const KIND: Kind = Kind::String;
    fn wrap(self) -> Option<Value> {
        text(self).map(|string| Value::String(string.into()))
    }
    fn unwrap(_: Value) -> Option<Self> {
        None
    }
}

impl Item for *mut c_char {
    const KIND: Kind = Kind::String;
    fn wrap(self) -> Option<Value> {
        self.cast_const().wrap()
    }
    fn unwrap(value: Value) -> Option<Self> {
        if let Value::String(string) = value {
            Some(lend(&string))
        } else {
            None
        }
    }
}

fn open<'a>(
    handle: Handle,
    name: Name,
    caller: &str,
) -> Result<(Arc<PropertySet>, &'a CStr), OfxStatus> {
    spoil_lent_strings();
    let set = PROPERTY_SETS
        .find(handle, caller)
        .ok_or(kOfxStatErrBadHandle)?;
    let Some(name) = text(name) else {
        report(format!("{caller} on {}: null property name", set.owner));
        return Err(kOfxStatErrUnknown);
    };
    Ok((set, name))
}

fn set<T: Item>(handle: Handle, name: Name, index: c_int, item: T) -> OfxStatus {
    let (set, name) = match open(handle, name, "propSet") {
        Ok(found) => found,
        Err(status) => return status,
    };
    let Some(value) = item.wrap() else {
        report(format!("propSet of {name:?} on {}: null string", set.owner));
        return kOfxStatErrValue;
    };
    let status = set.set(name, index, value);
    judge(&set, name, T::KIND, true, status)
}

fn set_n<T: Item>(handle: Handle, name: Name, count: c_int, items: *const T) -> OfxStatus {
    let (set, name) = match open(handle, name, "propSetN") {
        Ok(found) => found,
        Err(status) => return status,
    };
    let Ok(count) = usize::try_from(count) else {
        return kOfxStatErrBadIndex;
    };
    let values = (0..count)
        .map(|index| read(items, index).and_then(T::wrap))
        .collect();
    let Some(values) = values else {
        report(format!("propSetN of {name:?} on {}: null value", set.owner));
        return kOfxStatErrValue;
    };
    let status = set.set_all(name, values);
    judge(&set, name, T::KIND, true, status)
}

fn get<T: Item>(handle: Handle, name: Name, index: c_int, place: *mut T) -> OfxStatus {
    let (set, name) = match open(handle, name, "propGet") {
        Ok(found) => found,
        Err(status) => return status,
    };
    let status = match set.get(name, index, T::KIND) {
        Ok(value) => T::unwrap(value).map_or(kOfxStatErrUnknown, |item| put(place, item, name)),
        Err(status) => status,
    };
    judge(&set, name, T::KIND, false, status)
}

fn get_n<T: Item>(handle: Handle, name: Name, count: c_int, places: *mut T) -> OfxStatus {
    let (set, name) = match open(handle, name, "propGetN") {
        Ok(found) => found,
        Err(status) => return status,
    };
    let fill = || {
        if count < 0 {
            return Err(kOfxStatErrBadIndex);
        }
        set.dimension(name).ok_or(kOfxStatErrUnknown)?;
        // All or nothing: a short array must not be half filled.
        let values: Vec<Value> = (0..count)
            .map(|index| set.get(name, index, T::KIND))
            .collect::<Result<_, _>>()?;
        for (index, value) in values.into_iter().enumerate() {
            let item = T::unwrap(value).ok_or(kOfxStatErrUnknown)?;
            let place = places.wrapping_add(if places.is_null() { 0 } else { index });
            let status = put(place, item, name);
            if status != kOfxStatOK {
                return Err(status);
            }
        }
        Ok(())
    };
    let status = fill().err().unwrap_or(kOfxStatOK);
    judge(&set, name, T::KIND, false, status)
}

fn put<T>(place: *mut T, item: T, name: &CStr) -> OfxStatus {
    if give(place, item) {
        return kOfxStatOK;
    }
    report(format!("propGet of {name:?}: null pointer for the value"));
    kOfxStatErrValue
}

/// An unknown name or a refused value is a host's right and only noted; the wrong type or a write
/// to what is read-only is a mistake of the plugin.
fn judge(set: &PropertySet, name: &CStr, kind: Kind, set_it: bool, status: OfxStatus) -> OfxStatus {
    if status != kOfxStatOK {
        let verb = if set_it { "setting" } else { "getting" };
        let place = format!("{verb} {name:?} on {}", set.owner);
        match set.fault(name, kind, set_it) {
            Some(fault) => report(format!("{place}: it {fault}")),
            None => note(format!("{place}: refused with {:?}", super::Status(status))),
        }
    }
    status
}

extern "C" fn reset(handle: Handle, name: Name) -> OfxStatus {
    match open(handle, name, "propReset") {
        Ok((set, name)) => set.reset(name),
        Err(status) => status,
    }
}

extern "C" fn get_dimension(handle: Handle, name: Name, count: *mut c_int) -> OfxStatus {
    match open(handle, name, "propGetDimension") {
        Ok((set, name)) => match set.dimension(name) {
            Some(dimension) => put(
                count,
                c_int::try_from(dimension).unwrap_or(c_int::MAX),
                name,
            ),
            None => kOfxStatErrUnknown,
        },
        Err(status) => status,
    }
}

/// The suite's sixteen getters and setters are four generic functions under four types each.
macro_rules! functions {
    ($($generic:ident { $($function:ident: $value:ty,)* })*) => {$($(
        extern "C" fn $function(set: Handle, name: Name, at: c_int, value: $value) -> OfxStatus {
            $generic(set, name, at, value)
        }
    )*)*};
}

functions! {
    set {
        set_pointer: *mut c_void,
        set_string: *const c_char,
        set_double: f64,
        set_int: c_int,
    }
    set_n {
        set_pointer_n: *const *mut c_void,
        set_string_n: *const *const c_char,
        set_double_n: *const f64,
        set_int_n: *const c_int,
    }
    get {
        get_pointer: *mut *mut c_void,
        get_string: *mut *mut c_char,
        get_double: *mut f64,
        get_int: *mut c_int,
    }
    get_n {
        get_pointer_n: *mut *mut c_void,
        get_string_n: *mut *mut c_char,
        get_double_n: *mut f64,
        get_int_n: *mut c_int,
    }
}

//! Property sets: typed, of fixed or free dimension, some closed to the plugin.

use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_int};
use std::sync::{Arc, Mutex};

use openfx::sys::generic::core::*;

use super::handles::{PROPERTY_SETS, lock, new_handle};
use super::value::{Kind, Value, Values};

#[derive(Clone, Debug)]
struct Slot {
    kind: Kind,
    /// None is any number of values.
    dimension: Option<usize>,
    writable: bool,
    values: Vec<Value>,
    initial: Vec<Value>,
    /// The only strings allowed, if any are listed.
    allowed: &'static [&'static CStr],
}

pub struct PropertySet {
    pub(super) handle: usize,
    pub(super) owner: String,
    slots: Mutex<BTreeMap<CString, Slot>>,
}

impl Drop for PropertySet {
    fn drop(&mut self) {
        PROPERTY_SETS.remove(self.handle);
    }
}

/// How the host fills a set, before the plugin sees it.
impl PropertySet {
    pub(super) fn new(owner: impl Into<String>) -> PropertySet {
        PropertySet {
            handle: new_handle(),
            owner: owner.into(),
            slots: Mutex::default(),
        }
    }

    fn slot(self, name: &CStr, dimension: Option<usize>, writable: bool, values: Values) -> Self {
        let values = values.0;
        let kind = values.first().map_or(Kind::String, Value::kind);
        self.insert(name, Slot::new(kind, dimension, writable, values, &[]));
        self
    }

    fn insert(&self, name: &CStr, slot: Slot) {
        lock(&self.slots).insert(name.into(), slot);
    }

    /// For the plugin to read only.
    pub(super) fn fixed(self, name: &CStr, values: impl Into<Values>) -> Self {
        let values = values.into();
        self.slot(name, Some(values.0.len()), false, values)
    }

    /// For the plugin to change, with as many values as it has.
    pub(super) fn open(self, name: &CStr, values: impl Into<Values>) -> Self {
        let values = values.into();
        self.slot(name, Some(values.0.len()), true, values)
    }

    /// For the plugin to fill with any number of values.
    pub(super) fn list(self, name: &CStr, kind: Kind) -> Self {
        self.insert(name, Slot::new(kind, None, true, Vec::new(), &[]));
        self
    }

    /// A list the host has filled already.
    pub(super) fn open_list(self, name: &CStr, values: impl Into<Values>) -> Self {
        self.slot(name, None, true, values.into())
    }

    pub(super) fn one_of(self, name: &CStr, allowed: &'static [&'static CStr]) -> Self {
        let first = vec![Value::String(allowed[0].into())];
        self.insert(name, Slot::new(Kind::String, Some(1), true, first, allowed));
        self
    }

    pub(super) fn any_of(self, name: &CStr, allowed: &'static [&'static CStr]) -> Self {
        self.insert(
            name,
            Slot::new(Kind::String, None, true, Vec::new(), allowed),
        );
        self
    }

    pub(super) fn share(self) -> Arc<PropertySet> {
        let set = Arc::new(self);
        PROPERTY_SETS.add(set.handle, &set);
        set
    }

    /// A copy under a new handle, of which the plugin may change only what `writable` allows.
    pub(super) fn copy(
        &self,
        owner: impl Into<String>,
        writable: impl Fn(&CStr) -> bool,
    ) -> PropertySet {
        let copy = PropertySet::new(owner);
        let mut slots = lock(&self.slots).clone();
        for (name, slot) in &mut slots {
            slot.writable &= writable(name);
        }
        *lock(&copy.slots) = slots;
        copy
    }

    /// Sets a property from the host's side, creating it if need be.
    pub(super) fn put(&self, name: &CStr, values: impl Into<Values>) {
        let values = values.into().0;
        let mut slots = lock(&self.slots);
        match slots.get_mut(name) {
            Some(slot) => slot.values = values,
            None => {
                let kind = values.first().map_or(Kind::String, Value::kind);
                let slot = Slot::new(kind, Some(values.len()), false, values, &[]);
                slots.insert(name.into(), slot);
            }
        }
    }
}

/// How a test looks at a set.
impl PropertySet {
    pub fn has(&self, name: &CStr) -> bool {
        lock(&self.slots).contains_key(name)
    }

    pub fn values(&self, name: &CStr) -> Vec<Value> {
        lock(&self.slots)
            .get(name)
            .map(|slot| slot.values.clone())
            .unwrap_or_default()
    }

    pub fn names(&self) -> Vec<String> {
        lock(&self.slots)
            .keys()
            .map(|name| name.to_string_lossy().into_owned())
            .collect()
    }

    pub fn strings(&self, name: &CStr) -> Vec<String> {
        let string = |value| match value {
            Value::String(string) => Some(string.to_string_lossy().into_owned()),
            _ => None,
        };
        self.values(name).into_iter().filter_map(string).collect()
    }

    pub fn ints(&self, name: &CStr) -> Vec<c_int> {
        let int = |value| {
            if let Value::Int(int) = value {
                Some(int)
            } else {
                None
            }
        };
        self.values(name).into_iter().filter_map(int).collect()
    }

    pub fn doubles(&self, name: &CStr) -> Vec<f64> {
        let double = |value| {
            if let Value::Double(double) = value {
                Some(double)
            } else {
                None
            }
        };
        self.values(name).into_iter().filter_map(double).collect()
    }

    pub fn string(&self, name: &CStr) -> Option<String> {
        self.strings(name).into_iter().next()
    }

    pub fn int(&self, name: &CStr) -> Option<c_int> {
        self.ints(name).first().copied()
    }

    pub fn double(&self, name: &CStr) -> Option<f64> {
        self.doubles(name).first().copied()
    }
}

/// How the plugin uses a set: each fault has the status the specification names for it.
impl PropertySet {
    pub(super) fn get(&self, name: &CStr, index: c_int, kind: Kind) -> Result<Value, OfxStatus> {
        let slots = lock(&self.slots);
        let slot = slots.get(name).ok_or(kOfxStatErrUnknown)?;
        if slot.kind != kind {
            return Err(kOfxStatErrUnknown);
        }
        let index = usize::try_from(index).map_err(|_| kOfxStatErrBadIndex)?;
        slot.values.get(index).cloned().ok_or(kOfxStatErrBadIndex)
    }

    pub(super) fn set(&self, name: &CStr, index: c_int, value: Value) -> OfxStatus {
        let mut slots = lock(&self.slots);
        let Some(slot) = slots.get_mut(name) else {
            return kOfxStatErrUnknown;
        };
        if !slot.accepts(&value) {
            return kOfxStatErrValue;
        }
        let Ok(index) = usize::try_from(index) else {
            return kOfxStatErrBadIndex;
        };
        if index < slot.values.len() {
            slot.values[index] = value;
        } else if slot.dimension.is_none() && index == slot.values.len() {
            slot.values.push(value);
        } else {
            return kOfxStatErrBadIndex;
        }
        kOfxStatOK
    }

    pub(super) fn set_all(&self, name: &CStr, values: Vec<Value>) -> OfxStatus {
        let mut slots = lock(&self.slots);
        let Some(slot) = slots.get_mut(name) else {
            return kOfxStatErrUnknown;
        };
        if !values.iter().all(|value| slot.accepts(value)) {
            return kOfxStatErrValue;
        }
        if slot
            .dimension
            .is_some_and(|dimension| dimension != values.len())
        {
            return kOfxStatErrBadIndex;
        }
        slot.values = values;
        kOfxStatOK
    }

    pub(super) fn reset(&self, name: &CStr) -> OfxStatus {
        let mut slots = lock(&self.slots);
        let Some(slot) = slots.get_mut(name) else {
            return kOfxStatErrUnknown;
        };
        if !slot.writable {
            return kOfxStatErrValue;
        }
        slot.values = slot.initial.clone();
        kOfxStatOK
    }

    pub(super) fn dimension(&self, name: &CStr) -> Option<usize> {
        lock(&self.slots).get(name).map(|slot| slot.values.len())
    }

    /// Why a set was refused, where that is the plugin's fault and not a plain unknown name.
    pub(super) fn fault(&self, name: &CStr, kind: Kind, setting: bool) -> Option<String> {
        let slots = lock(&self.slots);
        let slot = slots.get(name)?;
        if slot.kind != kind {
            Some(format!("is of type {:?}, not {kind:?}", slot.kind))
        } else if setting && !slot.writable {
            Some("is read-only here".into())
        } else {
            None
        }
    }
}

impl Slot {
    fn new(
        kind: Kind,
        dimension: Option<usize>,
        writable: bool,
        values: Vec<Value>,
        allowed: &'static [&'static CStr],
    ) -> Slot {
        Slot {
            kind,
            dimension,
            writable,
            initial: values.clone(),
            values,
            allowed,
        }
    }

    fn accepts(&self, value: &Value) -> bool {
        self.writable
            && value.kind() == self.kind
            && match value {
                Value::String(string) if !self.allowed.is_empty() => {
                    self.allowed.contains(&string.as_c_str())
                }
                _ => true,
            }
    }
}

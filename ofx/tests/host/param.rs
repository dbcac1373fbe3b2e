//! Parameters: their types, their descriptors' properties, and the values of instances.

use std::ffi::{CStr, CString};
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex, Weak};

use openfx::sys::generic::core::*;
use openfx::sys::image_effect_v1::param::*;

use super::handles::{PARAMS, lock, new_handle};
use super::node::Node;
use super::property::PropertySet;
use super::value::{Kind, Value, Values};

/// A parameter's value. The host keeps one for all times, whatever keyframes there are.
#[derive(Clone, Debug, PartialEq)]
pub enum ParamValue {
    Ints(Vec<i32>),
    Doubles(Vec<f64>),
    Text(CString),
    Bytes(Vec<u8>),
    /// Groups, pages and buttons.
    Nothing,
}

impl ParamValue {
    /// An integer, a boolean or a choice.
    #[track_caller]
    pub fn int(&self) -> i32 {
        match self {
            ParamValue::Ints(ints) if ints.len() == 1 => ints[0],
            other => panic!("{other:?} is not one integer"),
        }
    }

    #[track_caller]
    pub fn double(&self) -> f64 {
        match self {
            ParamValue::Doubles(doubles) if doubles.len() == 1 => doubles[0],
            other => panic!("{other:?} is not one double"),
        }
    }

    #[track_caller]
    pub fn text(&self) -> String {
        match self {
            ParamValue::Text(text) => text.to_string_lossy().into_owned(),
            other => panic!("{other:?} is not text"),
        }
    }

    pub(super) fn same_type(&self, other: &ParamValue) -> bool {
        match (self, other) {
            (ParamValue::Ints(a), ParamValue::Ints(b)) => a.len() == b.len(),
            (ParamValue::Doubles(a), ParamValue::Doubles(b)) => a.len() == b.len(),
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}

impl From<i32> for ParamValue {
    fn from(value: i32) -> Self {
        ParamValue::Ints(vec![value])
    }
}

impl From<bool> for ParamValue {
    fn from(value: bool) -> Self {
        ParamValue::Ints(vec![i32::from(value)])
    }
}

impl From<f64> for ParamValue {
    fn from(value: f64) -> Self {
        ParamValue::Doubles(vec![value])
    }
}

impl<const N: usize> From<[f64; N]> for ParamValue {
    fn from(values: [f64; N]) -> Self {
        ParamValue::Doubles(values.to_vec())
    }
}

impl From<&str> for ParamValue {
    fn from(text: &str) -> Self {
        ParamValue::Text(CString::new(text).expect("a string parameter holds no NUL"))
    }
}

/// For text that is not UTF-8, which hosts do pass on.
impl From<&CStr> for ParamValue {
    fn from(text: &CStr) -> Self {
        ParamValue::Text(text.into())
    }
}

/// What a type of parameter holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    Ints(usize),
    Doubles(usize),
    Text,
    Bytes,
    Nothing,
}

impl Holds {
    pub fn by_type(name: &CStr) -> Option<Holds> {
        let types: [(&CStr, Holds); 18] = [
            (kOfxParamTypeInteger, Holds::Ints(1)),
            (kOfxParamTypeInteger2D, Holds::Ints(2)),
            (kOfxParamTypeInteger3D, Holds::Ints(3)),
            (kOfxParamTypeBoolean, Holds::Ints(1)),
            (kOfxParamTypeChoice, Holds::Ints(1)),
            (kOfxParamTypeDouble, Holds::Doubles(1)),
            (kOfxParamTypeDouble2D, Holds::Doubles(2)),
            (kOfxParamTypeDouble3D, Holds::Doubles(3)),
            (kOfxParamTypeRGB, Holds::Doubles(3)),
            (kOfxParamTypeRGBA, Holds::Doubles(4)),
            (kOfxParamTypeString, Holds::Text),
            (kOfxParamTypeStrChoice, Holds::Text),
            (kOfxParamTypeCustom, Holds::Text),
            (kOfxParamTypeBytes, Holds::Bytes),
            (kOfxParamTypeGroup, Holds::Nothing),
            (kOfxParamTypePage, Holds::Nothing),
            (kOfxParamTypePushButton, Holds::Nothing),
            (c"OfxParamTypeParametric", Holds::Doubles(1)),
        ];
        types
            .into_iter()
            .find(|(known, _)| *known == name)
            .map(|(_, holds)| holds)
    }

    fn zeros(self) -> ParamValue {
        match self {
            Holds::Ints(count) => ParamValue::Ints(vec![0; count]),
            Holds::Doubles(count) => ParamValue::Doubles(vec![0.0; count]),
            Holds::Text => ParamValue::Text(CString::default()),
            Holds::Bytes => ParamValue::Bytes(Vec::new()),
            Holds::Nothing => ParamValue::Nothing,
        }
    }
}

pub(super) struct Param {
    pub handle: usize,
    pub name: CString,
    pub holds: Holds,
    pub props: Arc<PropertySet>,
    pub value: Mutex<ParamValue>,
    /// The number of keyframes; each has the one value.
    pub keys: AtomicU32,
    /// Empty for the parameters of descriptors.
    pub node: Weak<Node>,
}

impl Drop for Param {
    fn drop(&mut self) {
        PARAMS.remove(self.handle);
    }
}

impl Param {
    pub fn new(name: &CStr, holds: Holds, props: PropertySet, node: Weak<Node>) -> Arc<Param> {
        let value = Mutex::new(default_value(holds, &props));
        let props = props.share();
        let param = Param {
            handle: new_handle(),
            name: name.into(),
            holds,
            props,
            value,
            keys: AtomicU32::new(0),
            node,
        };
        let param = Arc::new(param);
        PARAMS.add(param.handle, &param);
        param
    }

    pub fn instance_of(descriptor: &Param, node: Weak<Node>) -> Arc<Param> {
        let name = descriptor.name.as_c_str();
        let writable = |property: &CStr| WRITABLE_IN_INSTANCES.contains(&property);
        let props = descriptor
            .props
            .copy(format!("parameter {name:?}"), writable)
            .fixed(kOfxPropType, kOfxTypeParameterInstance);
        Param::new(name, descriptor.holds, props, node)
    }

    pub fn label(&self) -> String {
        self.name.to_string_lossy().into_owned()
    }

    pub fn get(&self) -> ParamValue {
        lock(&self.value).clone()
    }

    pub fn is_persistent(&self) -> bool {
        self.holds != Holds::Nothing && self.props.int(kOfxParamPropPersistant) != Some(0)
    }
}

fn default_value(holds: Holds, props: &PropertySet) -> ParamValue {
    let values = props.values(kOfxParamPropDefault);
    let value = match holds {
        Holds::Ints(_) => ParamValue::Ints(props.ints(kOfxParamPropDefault)),
        Holds::Doubles(_) => ParamValue::Doubles(props.doubles(kOfxParamPropDefault)),
        Holds::Text => match values.into_iter().next() {
            Some(Value::String(text)) => ParamValue::Text(text),
            _ => holds.zeros(),
        },
        Holds::Bytes | Holds::Nothing => holds.zeros(),
    };
    if value.same_type(&holds.zeros()) {
        value
    } else {
        holds.zeros()
    }
}

/// The properties a plugin may still change once there is an instance.
const WRITABLE_IN_INSTANCES: &[&CStr] = &[
    kOfxPropLabel,
    kOfxPropShortLabel,
    kOfxPropLongLabel,
    kOfxParamPropHint,
    kOfxParamPropSecret,
    kOfxParamPropEnabled,
    kOfxParamPropEvaluateOnChange,
    kOfxParamPropDataPtr,
    kOfxParamPropMin,
    kOfxParamPropMax,
    kOfxParamPropDisplayMin,
    kOfxParamPropDisplayMax,
    kOfxParamPropIncrement,
    kOfxParamPropDigits,
    kOfxParamPropChoiceOption,
    kOfxParamPropChoiceOrder,
    kOfxParamPropChoiceEnum,
    kOfxParamPropStringFilePathExists,
    kOfxPropIcon,
];
const CACHE_INVALIDATION: &[&CStr] = &[
    kOfxParamInvalidateValueChange,
    kOfxParamInvalidateValueChangeToEnd,
    kOfxParamInvalidateAll,
];
const DOUBLE_TYPES: &[&CStr] = &[
    kOfxParamDoubleTypePlain,
    kOfxParamDoubleTypeScale,
    kOfxParamDoubleTypeAngle,
    kOfxParamDoubleTypeTime,
    kOfxParamDoubleTypeAbsoluteTime,
    kOfxParamDoubleTypeX,
    kOfxParamDoubleTypeY,
    kOfxParamDoubleTypeXAbsolute,
    kOfxParamDoubleTypeYAbsolute,
    kOfxParamDoubleTypeXY,
    kOfxParamDoubleTypeXYAbsolute,
];
const STRING_MODES: &[&CStr] = &[
    kOfxParamStringIsSingleLine,
    kOfxParamStringIsMultiLine,
    kOfxParamStringIsFilePath,
    kOfxParamStringIsDirectoryPath,
    kOfxParamStringIsLabel,
    kOfxParamStringIsRichTextFormat,
];
const COORDINATES: &[&CStr] = &[
    kOfxParamCoordinatesCanonical,
    kOfxParamCoordinatesNormalised,
];

/// The properties of a new parameter of type `kind`, as the specification lists them.
pub(super) fn param_descriptor(kind: &CStr, holds: Holds, name: &CStr) -> PropertySet {
    let set = PropertySet::new(format!("the descriptor of parameter {name:?}"))
        .fixed(kOfxPropType, kOfxTypeParameter)
        .fixed(kOfxPropName, name)
        .fixed(kOfxParamPropType, kind)
        .open(kOfxPropLabel, name)
        .open(kOfxPropShortLabel, name)
        .open(kOfxPropLongLabel, name)
        .open(kOfxPropIcon, [c"", c""])
        .open(kOfxParamPropSecret, 0)
        .open(kOfxParamPropHint, c"")
        .open(kOfxParamPropScriptName, name)
        .open(kOfxParamPropParent, c"")
        .open(kOfxParamPropEnabled, 1)
        .open(kOfxParamPropDataPtr, Values::pointer(0))
        .open(kOfxParamPropInteractV1, Values::pointer(0));
    let set = match holds {
        Holds::Nothing if kind == kOfxParamTypeGroup => return set.open(kOfxParamPropGroupOpen, 1),
        Holds::Nothing if kind == kOfxParamTypePage => {
            return set.list(kOfxParamPropPageChild, Kind::String);
        }
        Holds::Nothing => return set.open(kOfxParamPropEvaluateOnChange, 1),
        _ => set
            .open(kOfxParamPropAnimates, 1)
            .open(kOfxParamPropCanUndo, 1)
            .open(kOfxParamPropPersistant, 1)
            .open(kOfxParamPropEvaluateOnChange, 1)
            .open(kOfxParamPropPluginMayWrite, 0)
            .one_of(kOfxParamPropCacheInvalidation, CACHE_INVALIDATION)
            .fixed(kOfxParamPropIsAnimating, 0)
            .fixed(kOfxParamPropIsAutoKeying, 0),
    };
    let int = |value: i32, count| Values(vec![Value::Int(value); count]);
    let double = |value: f64, count| Values(vec![Value::Double(value); count]);
    let dimensions = |count| Values(Values::from([c"x", c"y", c"z", c"w"]).0[..count].to_vec());
    match holds {
        Holds::Ints(n) if kind == kOfxParamTypeChoice => set
            .open(kOfxParamPropDefault, int(0, n))
            .list(kOfxParamPropChoiceOption, Kind::String)
            .list(kOfxParamPropChoiceOrder, Kind::Int),
        Holds::Ints(n) if kind == kOfxParamTypeBoolean => set.open(kOfxParamPropDefault, int(0, n)),
        Holds::Ints(n) => set
            .open(kOfxParamPropDefault, int(0, n))
            .open(kOfxParamPropMin, int(i32::MIN, n))
            .open(kOfxParamPropMax, int(i32::MAX, n))
            .open(kOfxParamPropDisplayMin, int(i32::MIN, n))
            .open(kOfxParamPropDisplayMax, int(i32::MAX, n))
            .open(kOfxParamPropDimensionLabel, dimensions(n)),
        Holds::Doubles(n) => set
            .open(kOfxParamPropDefault, double(0.0, n))
            .open(kOfxParamPropMin, double(-f64::MAX, n))
            .open(kOfxParamPropMax, double(f64::MAX, n))
            .open(kOfxParamPropDisplayMin, double(-f64::MAX, n))
            .open(kOfxParamPropDisplayMax, double(f64::MAX, n))
            .open(kOfxParamPropDimensionLabel, dimensions(n))
            .open(kOfxParamPropIncrement, 1.0)
            .open(kOfxParamPropDigits, 2)
            .open(kOfxParamPropShowTimeMarker, 0)
            .one_of(kOfxParamPropDoubleType, DOUBLE_TYPES)
            .one_of(kOfxParamPropDefaultCoordinateSystem, COORDINATES),
        Holds::Text if kind == kOfxParamTypeStrChoice => set
            .open(kOfxParamPropDefault, c"")
            .list(kOfxParamPropChoiceOption, Kind::String)
            .list(kOfxParamPropChoiceEnum, Kind::String),
        Holds::Text if kind == kOfxParamTypeCustom => set
            .open(kOfxParamPropDefault, c"")
            .open(kOfxParamPropCustomInterpCallbackV1, Values::pointer(0)),
        Holds::Text => set
            .open(kOfxParamPropDefault, c"")
            .one_of(kOfxParamPropStringMode, STRING_MODES)
            .open(kOfxParamPropStringFilePathExists, 1),
        Holds::Bytes | Holds::Nothing => set,
    }
}

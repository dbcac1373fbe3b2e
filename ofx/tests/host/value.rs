//! The typed values of properties.

use std::ffi::{CStr, CString, c_int};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Int,
    Double,
    String,
    Pointer,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Int(c_int),
    Double(f64),
    String(CString),
    Pointer(usize),
}

impl Value {
    pub fn kind(&self) -> Kind {
        match self {
            Value::Int(_) => Kind::Int,
            Value::Double(_) => Kind::Double,
            Value::String(_) => Kind::String,
            Value::Pointer(_) => Kind::Pointer,
        }
    }
}

/// The values of one property; made from a number, a string, or an array of either.
#[derive(Clone, Debug, PartialEq)]
pub struct Values(pub Vec<Value>);

impl Values {
    pub fn pointer(address: usize) -> Values {
        Values(vec![Value::Pointer(address)])
    }
}

impl From<c_int> for Values {
    fn from(value: c_int) -> Self {
        [value].into()
    }
}

impl From<bool> for Values {
    fn from(value: bool) -> Self {
        [c_int::from(value)].into()
    }
}

impl From<f64> for Values {
    fn from(value: f64) -> Self {
        [value].into()
    }
}

impl From<&CStr> for Values {
    fn from(value: &CStr) -> Self {
        [value].into()
    }
}

impl From<&str> for Values {
    fn from(value: &str) -> Self {
        let value = CString::new(value).expect("a property string holds no NUL");
        Values(vec![Value::String(value)])
    }
}

impl<const N: usize> From<[c_int; N]> for Values {
    fn from(values: [c_int; N]) -> Self {
        Values(values.into_iter().map(Value::Int).collect())
    }
}

impl<const N: usize> From<[f64; N]> for Values {
    fn from(values: [f64; N]) -> Self {
        Values(values.into_iter().map(Value::Double).collect())
    }
}

impl<const N: usize> From<[&CStr; N]> for Values {
    fn from(values: [&CStr; N]) -> Self {
        Values(
            values
                .into_iter()
                .map(|value| Value::String(value.into()))
                .collect(),
        )
    }
}

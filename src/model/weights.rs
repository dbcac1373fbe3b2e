//! `weights.safetensors`: the weights of a bundle, half precision on disk, `f32` in memory.

use half::f16;
use safetensors::{Dtype, SafeTensors};
use std::{borrow::Cow, collections::BTreeMap, ops::Range};

/// A file of tensors, its header checked: every tensor lies inside the file, none overlap, and each
/// is as long as its shape says.
pub(super) struct Weights {
    bytes: Cow<'static, [u8]>,
    tensors: BTreeMap<String, Entry>,
}

struct Entry {
    dtype: Dtype,
    shape: Vec<usize>,
    range: Range<usize>,
}

/// The values of a tensor, as networks and the face model take them.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Values {
    Float(Vec<f32>),
    Int(Vec<i64>),
}

impl Weights {
    /// Reads the header. Values are converted when they are asked for.
    pub(super) fn parse(bytes: Cow<'static, [u8]>) -> Result<Self, String> {
        // safetensors checks lengths, order, overlap and overflow (fuzzed by its authors).
        let (header, metadata) =
            SafeTensors::read_metadata(&bytes).map_err(|error| error.to_string())?;
        let start = header + size_of::<u64>();
        let mut tensors = BTreeMap::new();
        for (name, info) in metadata.tensors() {
            let (from, to) = info.data_offsets;
            let range = start + from..start + to;
            if bytes.get(range.clone()).is_none() {
                return Err(format!("tensor {name} lies beyond the end of the file"));
            }
            let entry = Entry {
                dtype: info.dtype,
                shape: info.shape.clone(),
                range,
            };
            tensors.insert(name, entry);
        }
        Ok(Weights { bytes, tensors })
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    pub(super) fn shape(&self, name: &str) -> Option<&[usize]> {
        self.tensors.get(name).map(|entry| entry.shape.as_slice())
    }

    /// The values of a tensor; a number that is not finite is refused.
    pub(super) fn values(&self, name: &str) -> Result<Values, String> {
        let entry = self.tensors.get(name).ok_or("is missing")?;
        let bytes = &self.bytes[entry.range.clone()];
        let values = match entry.dtype {
            Dtype::F16 => {
                Values::Float(little_endian(bytes, |b| f16::from_le_bytes(b).to_f32()).collect())
            }
            Dtype::F32 => Values::Float(little_endian(bytes, f32::from_le_bytes).collect()),
            Dtype::I32 => {
                Values::Int(little_endian(bytes, |b| i64::from(i32::from_le_bytes(b))).collect())
            }
            Dtype::I64 => Values::Int(little_endian(bytes, i64::from_le_bytes).collect()),
            other => {
                return Err(format!(
                    "is of type {other:?}; F16, F32, I32 and I64 are read"
                ));
            }
        };
        match &values {
            Values::Float(floats) if !floats.iter().all(|value| value.is_finite()) => {
                Err("holds a value that is not finite".into())
            }
            _ => Ok(values),
        }
    }
}

fn little_endian<const N: usize, T>(
    bytes: &[u8],
    convert: impl Fn([u8; N]) -> T,
) -> impl Iterator<Item = T> {
    bytes
        .as_chunks::<N>()
        .0
        .iter()
        .map(move |chunk| convert(*chunk))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A safetensors file with the header as given.
    pub(crate) fn file(header: &str, data: &[u8]) -> Cow<'static, [u8]> {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend_from_slice(header.as_bytes());
        bytes.extend_from_slice(data);
        bytes.into()
    }

    fn refusal(bytes: Cow<'static, [u8]>) -> String {
        Weights::parse(bytes).err().expect("it must be refused")
    }

    #[test]
    fn halves_floats_and_integers_are_read() {
        let mut data = Vec::new();
        data.extend(f16::from_f32(1.5).to_le_bytes());
        data.extend(f16::from_f32(-0.25).to_le_bytes());
        data.extend(7.5f32.to_le_bytes());
        data.extend((-3i32).to_le_bytes());
        let header = r#"{"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},
            "b":{"dtype":"F32","shape":[1,1],"data_offsets":[4,8]},
            "c":{"dtype":"I32","shape":[1],"data_offsets":[8,12]}}"#;
        let weights = Weights::parse(file(header, &data)).unwrap();
        assert_eq!(
            weights.values("a").unwrap(),
            Values::Float(vec![1.5, -0.25])
        );
        assert_eq!(weights.values("b").unwrap(), Values::Float(vec![7.5]));
        assert_eq!(weights.values("c").unwrap(), Values::Int(vec![-3]));
        assert_eq!(weights.shape("b"), Some(&[1usize, 1][..]));
        assert_eq!(weights.values("d").unwrap_err(), "is missing");
    }

    #[test]
    fn hostile_headers_are_refused() {
        let one = |offsets: &str, shape: &str| {
            format!(r#"{{"a":{{"dtype":"F32","shape":{shape},"data_offsets":{offsets}}}}}"#)
        };
        // A header longer than the file, and one of 2^63 bytes.
        let mut long = 1000u64.to_le_bytes().to_vec();
        long.extend_from_slice(b"{}");
        refusal(long.into());
        let mut huge = (1u64 << 63).to_le_bytes().to_vec();
        huge.extend_from_slice(b"{}");
        refusal(huge.into());
        refusal(b"short".to_vec().into());
        refusal(file("not json", &[]));
        // Offsets out of range, reversed, overlapping, with a hole, and shapes that overflow.
        refusal(file(&one("[0,8]", "[2]"), &[0; 4]));
        refusal(file(&one("[4,0]", "[1]"), &[0; 4]));
        refusal(file(&one("[0,4]", "[2]"), &[0; 4]));
        refusal(file(&one("[4,8]", "[1]"), &[0; 8]));
        refusal(file(
            &one("[0,4]", "[9223372036854775807,9223372036854775807]"),
            &[0; 4],
        ));
        refusal(file(&one("[0,18446744073709551615]", "[1]"), &[0; 4]));
        let two = r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},
            "b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#;
        refusal(file(two, &[0; 12]));
    }

    #[test]
    fn nan_and_unknown_types_are_refused() {
        let header = r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},
            "b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}}"#;
        let mut data = f32::NAN.to_le_bytes().to_vec();
        data.extend([0; 4]);
        let weights = Weights::parse(file(header, &data)).unwrap();
        assert!(weights.values("a").unwrap_err().contains("not finite"));
        assert!(weights.values("b").unwrap_err().contains("U8"));
    }
}

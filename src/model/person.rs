//! A person file: the tensors of the synthesis network that adaptation changed, and their origin.
//! It is a safetensors file in half precision, about 2 MB for `lite`.

use std::collections::BTreeMap;
use std::path::Path;

use half::f16;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Bundle;
use super::adaptation::Parameter;
use crate::provenance::{Consent, PersonFacts};
use crate::{Error, Result, files};

const FORMAT: u32 = 1;
/// The only metadata key: several would be written in any order, so equal persons would differ.
const KEY: &str = "stylelipsync.person";
/// The largest file that is read: the paper's widths take a fifth of it.
const LARGEST: u64 = 1 << 30;

/// The origin of a person's tensors.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PersonInfo {
    /// SHA-256 of the weights of the bundle that was adapted, in hexadecimal. They fit no other.
    pub base: String,
    /// Name and version of that bundle, for people.
    pub bundle: String,
    /// Steps taken.
    pub steps: u64,
    /// The seed of the training samples.
    pub seed: u64,
    /// SHA-256 of the training crops, in hexadecimal.
    pub source: String,
    /// Free text: who agreed to this, and how.
    pub consent: String,
    /// The same as fields, where they were given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent_record: Option<Consent>,
}

/// The value under the key.
#[derive(Serialize, Deserialize)]
struct Label {
    format: u32,
    #[serde(flatten)]
    info: PersonInfo,
    /// SHA-256 of the consent with the tensors, where there is one: it shows that neither was exchanged.
    /// Whoever changes the file on purpose can compute it anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    consent_seal: Option<String>,
}

/// A person: tensors that replace those of a clip's generator.
#[derive(Debug, Clone)]
pub struct Person {
    info: PersonInfo,
    /// By name in the decoder: shape and values.
    tensors: BTreeMap<String, (Vec<usize>, Vec<f32>)>,
    hash: String,
    /// SHA-256 of the file that it was read from, in hexadecimal.
    file: Option<String>,
}

/// The same person, from a file or not.
impl PartialEq for Person {
    fn eq(&self, other: &Self) -> bool {
        (&self.info, &self.tensors) == (&other.info, &other.tensors)
    }
}

impl Person {
    pub(crate) fn new(info: PersonInfo, parameters: &[Parameter], theta: &[Vec<f32>]) -> Self {
        let rounded = |values: &[f32]| values.iter().map(|v| f16::from_f32(*v).to_f32()).collect();
        let tensors: BTreeMap<_, _> = parameters
            .iter()
            .zip(theta)
            .map(|(p, values)| (p.name.clone(), (p.shape.clone(), rounded(values))))
            .collect();
        let hash = hash(&info.base, &tensors);
        Self {
            info,
            tensors,
            hash,
            file: None,
        }
    }

    /// What a report states of the person.
    pub fn facts(&self) -> PersonFacts {
        PersonFacts {
            sha256: self.file.clone(),
            tensors_sha256: self.hash.clone(),
            consent: self.info.consent_record.clone(),
        }
    }

    /// The origin of the tensors.
    pub fn info(&self) -> &PersonInfo {
        &self.info
    }

    /// A hash of the tensors, in hexadecimal.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    pub(crate) fn tensors(&self) -> BTreeMap<String, Vec<f32>> {
        let values =
            |(name, (_, values)): (&String, &(_, Vec<f32>))| (name.clone(), values.clone());
        self.tensors.iter().map(values).collect()
    }

    /// Writes the file atomically.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let half = |values: &[f32]| -> Vec<u8> {
            let bytes = |v: &f32| f16::from_f32(*v).to_le_bytes();
            values.iter().flat_map(bytes).collect()
        };
        let stored: Vec<_> = self
            .tensors
            .iter()
            .map(|(name, (shape, values))| (name, shape.clone(), half(values)))
            .collect();
        let views = stored.iter().map(|(name, shape, bytes)| {
            let view = TensorView::new(Dtype::F16, shape.clone(), bytes);
            view.map(|view| (name.as_str(), view))
        });
        let path = path.as_ref();
        let failed = |reason: String| Error::Write {
            path: path.to_owned(),
            source: std::io::Error::other(reason),
        };
        let views: Vec<_> = views
            .collect::<std::result::Result<_, _>>()
            .map_err(|error| failed(error.to_string()))?;
        let label = Label {
            format: FORMAT,
            info: self.info.clone(),
            consent_seal: self
                .info
                .consent_record
                .as_ref()
                .map(|it| seal(it, &self.hash)),
        };
        let label = serde_json::to_string(&label).map_err(|error| failed(error.to_string()))?;
        let metadata = [(KEY.to_owned(), label)];
        let bytes = safetensors::serialize(views, Some(metadata.into()))
            .map_err(|error| failed(error.to_string()))?;
        files::write_whole(path, &bytes)
    }

    /// Reads a file, for clips of an engine with this bundle.
    ///
    /// # Errors
    /// [`Error::Read`]; [`Error::Person`] when it is not a person file, is damaged, or was made from
    /// another bundle.
    pub fn load(path: impl AsRef<Path>, bundle: &Bundle) -> Result<Self> {
        let path = path.as_ref();
        let bytes = files::read_below(path, LARGEST)?;
        Self::parse(&bytes, bundle).map_err(|reason| Error::Person {
            path: path.to_owned(),
            reason,
        })
    }

    fn parse(bytes: &[u8], bundle: &Bundle) -> std::result::Result<Self, String> {
        let broken = |error: safetensors::SafeTensorError| format!("is not a person file: {error}");
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(broken)?;
        let metadata = header.metadata().clone().unwrap_or_default();
        let Some(label) = metadata.get(KEY) else {
            return Err("is not a person file: it has no description of a person".into());
        };
        let Label {
            format,
            info,
            consent_seal,
        } = serde_json::from_str(label).map_err(|error| format!("is damaged: {error}"))?;
        if format != FORMAT {
            return Err(format!("has format {format}; this library reads {FORMAT}"));
        }
        if info.base != bundle.identity() {
            let name = &bundle.manifest().name;
            return Err(format!(
                "was made from other weights ({}: {:.12}...) than those in use ({name}: {:.12}...)",
                info.bundle,
                info.base,
                bundle.identity()
            ));
        }
        let file = SafeTensors::deserialize(bytes).map_err(broken)?;
        let mut tensors = BTreeMap::new();
        for (name, view) in file.iter() {
            let stored = format!("generator.decoder.{name}");
            match bundle.shape(&stored) {
                Some(shape) if shape == view.shape() => {}
                Some(shape) => {
                    return Err(format!(
                        "{name} has shape {:?}, not {shape:?}",
                        view.shape()
                    ));
                }
                None => return Err(format!("{name} is not a tensor of the generator")),
            }
            if view.dtype() != Dtype::F16 {
                return Err(format!("{name} is of type {:?}, not F16", view.dtype()));
            }
            let halves = view.data().as_chunks::<2>().0.iter();
            let values: Vec<f32> = halves.map(|b| f16::from_le_bytes(*b).to_f32()).collect();
            if values.iter().any(|v| !v.is_finite()) {
                return Err(format!("{name} holds a value that is not finite"));
            }
            tensors.insert(name.to_owned(), (view.shape().to_vec(), values));
        }
        if tensors.is_empty() {
            return Err("holds no tensor".into());
        }
        let hash = hash(&info.base, &tensors);
        let consent = info.consent_record.as_ref();
        if let Some(fault) = consent.and_then(Consent::fault) {
            return Err(format!("is damaged: consent_record.{fault}"));
        }
        if consent.map(|consent| seal(consent, &hash)) != consent_seal {
            return Err("its consent was changed, or comes from another person file".into());
        }
        Ok(Self {
            info,
            tensors,
            hash,
            file: Some(hex::encode(Sha256::digest(bytes))),
        })
    }
}

/// Binds a consent to tensors with this hash.
fn seal(consent: &Consent, hash: &str) -> String {
    let Consent {
        who,
        when,
        scope,
        expires,
        document_sha256,
    } = consent;
    let mut seal = Sha256::new();
    seal.update(hash);
    let expires = expires.clone().unwrap_or_default();
    for field in [who, when, scope, &expires, document_sha256] {
        // With its length, so that no text can move from one field to the next.
        seal.update((field.len() as u64).to_le_bytes());
        seal.update(field);
    }
    hex::encode(seal.finalize())
}

fn hash(base: &str, tensors: &BTreeMap<String, (Vec<usize>, Vec<f32>)>) -> String {
    let mut hash = Sha256::new();
    hash.update(base);
    for (name, (_, values)) in tensors {
        hash.update(name);
        hash.update(bytemuck::cast_slice::<f32, u8>(values));
    }
    hex::encode(hash.finalize())
}

//! A model bundle: `manifest.json`, graphs without weights (`*.onnx`) and `weights.safetensors`, in
//! one flat folder or inside the library.
//!
//! Opening it checks everything that can be checked without ONNX Runtime: the format, every hash,
//! every size, the networks that must be there with the shapes of their inputs and outputs, and
//! that graphs and weights name the same tensors in the same shapes. A bundle is untrusted
//! input.
//!
//! Half-precision weights are converted to `f32`; sessions get the tensors as external
//! initialisers.

use super::manifest::{Dimension, FileEntry, Manifest};
use super::onnx::{self, Kind};
use super::signature::signatures;
use super::weights::{Values, Weights};
use crate::provenance::BundleFacts;
use crate::{Error, Result};
use sha2::{Digest, Sha256};
use std::{borrow::Cow, collections::BTreeMap, collections::BTreeSet, path::Path, sync::Arc};

/// The largest file that is read. The paper's widths in half precision are a tenth of it.
const LARGEST_FILE: u64 = 4 << 30;
const LARGEST_MANIFEST: u64 = 1 << 20;
/// The files of `models/lite`, put here by the build script. Sessions are made from these bytes;
/// the graphs need no further file because every external tensor is passed to the session.
const EMBEDDED: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/lite.rs"));
const EMBEDDED_NAME: &str = "lite (embedded)";
const MANIFEST: &str = "manifest.json";
/// Prefixes of the tensors that no graph owns.
const FACE_MODEL: &str = "face_model";
const BANK: &str = "bank";

/// An opened and checked bundle. Immutable; share it freely between threads. A clone shares the content.
#[derive(Clone)]
pub struct Bundle(Arc<Content>);

struct Content {
    name: String,
    manifest: Manifest,
    graphs: BTreeMap<String, Graph>,
    weights: Weights,
}

struct Graph {
    bytes: Cow<'static, [u8]>,
    /// External initialisers: name in the graph, name among the weights, shape.
    tensors: Vec<(String, String, Vec<usize>)>,
}

/// A tensor as a session takes it: name in the graph, shape, values.
pub(super) type Tensor = (String, Vec<usize>, Vec<f32>);

impl Bundle {
    /// Opens the bundle in a folder. It reads every file once and keeps nothing open.
    ///
    /// # Errors
    /// [`Error::Read`] when a file cannot be read, [`Error::Bundle`] with the field otherwise.
    pub fn open(folder: impl AsRef<Path>) -> Result<Bundle> {
        let folder = folder.as_ref();
        Bundle::from_files(&folder.display().to_string(), |name| {
            let path = folder.join(name);
            let limit = if name == MANIFEST {
                LARGEST_MANIFEST
            } else {
                LARGEST_FILE
            };
            let reading = |source| Error::Read {
                path: path.clone(),
                source,
            };
            let length = std::fs::metadata(&path).map_err(reading)?.len();
            if length > limit {
                let reason = format!("has {length} bytes, more than {limit}");
                return Err(Error::Bundle {
                    bundle: folder.display().to_string(),
                    field: name.into(),
                    reason,
                });
            }
            std::fs::read(&path).map(Cow::Owned).map_err(reading)
        })
    }

    /// Opens the bundle that is part of the library, `lite`.
    ///
    /// # Errors
    /// [`Error::Bundle`]: the library was built without it.
    pub fn embedded() -> Result<Bundle> {
        Bundle::from_files(EMBEDDED_NAME, |name| {
            let file = EMBEDDED.iter().find(|(known, _)| *known == name);
            file.map(|(_, bytes)| Cow::Borrowed(*bytes))
                .ok_or_else(|| Error::Bundle {
                    bundle: EMBEDDED_NAME.into(),
                    field: name.into(),
                    reason: "is not part of this build of the library".into(),
                })
        })
    }

    /// Opens a bundle whose files are given by name.
    fn from_files(name: &str, read: impl Fn(&str) -> Result<Cow<'static, [u8]>>) -> Result<Bundle> {
        let refuse = |field: &str, reason: String| Error::Bundle {
            bundle: name.to_owned(),
            field: field.to_owned(),
            reason,
        };
        let manifest =
            Manifest::parse(&read(MANIFEST)?).map_err(|(field, reason)| refuse(&field, reason))?;
        let read_checked = |field: &str, entry: &FileEntry| {
            if !is_plain_name(&entry.file) {
                let reason = format!("{:?} is not a plain file name", entry.file);
                return Err(refuse(&format!("{field}.file"), reason));
            }
            let bytes = read(&entry.file)?;
            let found = hex::encode(Sha256::digest(&bytes));
            if !found.eq_ignore_ascii_case(&entry.sha256) {
                let reason = format!(
                    "{} has SHA-256 {found}, the manifest says {}",
                    entry.file, entry.sha256
                );
                return Err(refuse(&format!("{field}.sha256"), reason));
            }
            Ok(bytes)
        };

        let weights = Weights::parse(read_checked("weights", &manifest.weights)?)
            .map_err(|reason| refuse("weights", reason))?;
        let mut graphs = BTreeMap::new();
        let mut known = BTreeSet::new();
        for (network, entry) in &manifest.graphs {
            let field = format!("graphs.{network}");
            if [FACE_MODEL, BANK].contains(&network.as_str()) || network.contains('.') {
                return Err(refuse(&field, "is not a valid name of a graph".into()));
            }
            let file = FileEntry {
                file: entry.file.clone(),
                sha256: entry.sha256.clone(),
            };
            let bytes = read_checked(&field, &file)?;
            let tensors = external_tensors(&bytes, &manifest.weights.file)
                .map_err(|reason| refuse(&field, format!("{}: {reason}", entry.file)))?;
            let named = |(tensor, shape): (String, Vec<usize>)| {
                let stored = match entry.shares {
                    true => tensor.clone(),
                    false => format!("{network}.{tensor}"),
                };
                (tensor, stored, shape)
            };
            let tensors: Vec<_> = tensors.into_iter().map(named).collect();
            for (_, stored, shape) in &tensors {
                match weights.shape(stored) {
                    None => return Err(refuse(&format!("weights.{stored}"), "is missing".into())),
                    Some(found) if found != shape => {
                        let reason = format!("has shape {found:?}, the graph says {shape:?}");
                        return Err(refuse(&format!("weights.{stored}"), reason));
                    }
                    Some(_) => known.insert(stored.clone()),
                };
            }
            graphs.insert(network.clone(), Graph { bytes, tensors });
        }
        for tensor in weights.names() {
            let of_none = tensor
                .split_once('.')
                .is_some_and(|(owner, _)| [FACE_MODEL, BANK].contains(&owner));
            if !of_none && !known.contains(tensor) {
                let reason = "belongs to no graph of the manifest".into();
                return Err(refuse(&format!("weights.{tensor}"), reason));
            }
        }

        let bundle = Bundle(Arc::new(Content {
            name: name.to_owned(),
            manifest,
            graphs,
            weights,
        }));
        bundle.check_networks()?;
        bundle.check_face_model()?;
        Ok(bundle)
    }

    /// What the manifest says.
    pub fn manifest(&self) -> &Manifest {
        &self.0.manifest
    }

    /// A tensor of numbers, for instance `face_model.mean`, in row-major order.
    ///
    /// # Errors
    /// [`Error::Bundle`]: it is missing, of another shape, or holds a number that is not finite.
    pub fn floats(&self, tensor: &str, shape: &[usize]) -> Result<Vec<f32>> {
        self.check_shape(tensor, shape)?;
        match self.0.weights.values(tensor) {
            Ok(Values::Float(values)) => Ok(values),
            Ok(Values::Int(_)) => {
                Err(self.refuse_tensor(tensor, "holds integers, not numbers".into()))
            }
            Err(reason) => Err(self.refuse_tensor(tensor, reason)),
        }
    }

    /// A list of indices, for instance `face_model.ring`, each below `limit`.
    ///
    /// # Errors
    /// [`Error::Bundle`]: it is missing, not a list of integers, or an index is out of range.
    pub fn indices(&self, tensor: &str, limit: usize) -> Result<Vec<usize>> {
        let values = match self.0.weights.values(tensor) {
            Ok(Values::Int(values)) => values,
            Ok(Values::Float(_)) => {
                return Err(self.refuse_tensor(tensor, "holds no integers".into()));
            }
            Err(reason) => return Err(self.refuse_tensor(tensor, reason)),
        };
        let index = |value: i64| usize::try_from(value).ok().filter(|&index| index < limit);
        values
            .into_iter()
            .map(|value| {
                let reason = || format!("holds {value}, which is not an index below {limit}");
                index(value).ok_or_else(|| self.refuse_tensor(tensor, reason()))
            })
            .collect()
    }

    /// A network's graph and its weights.
    pub(super) fn graph(&self, network: &str) -> Result<(&[u8], Vec<Tensor>)> {
        let Some(graph) = self.0.graphs.get(network) else {
            let field = format!("graphs.{network}");
            let reason = "is missing".into();
            return Err(Error::Bundle {
                bundle: self.0.name.clone(),
                field,
                reason,
            });
        };
        let tensors = graph
            .tensors
            .iter()
            .map(|(name, stored, shape)| {
                let values = self.floats(stored, shape)?;
                Ok((name.clone(), shape.clone(), values))
            })
            .collect::<Result<_>>()?;
        Ok((&graph.bytes, tensors))
    }

    /// The shape of a tensor of the weights; `None` where there is none of that name.
    pub(crate) fn shape(&self, tensor: &str) -> Option<&[usize]> {
        self.0.weights.shape(tensor)
    }

    /// What a report states of it.
    pub fn facts(&self) -> BundleFacts {
        let manifest = self.manifest();
        BundleFacts {
            name: manifest.name.clone(),
            version: manifest.version.clone(),
            sha256: self.identity().to_owned(),
        }
    }

    /// What tells these weights from any others: the SHA-256 of their file.
    pub fn identity(&self) -> &str {
        &self.0.manifest.weights.sha256
    }

    /// Whether the bundle has a network that not every bundle needs.
    pub fn has(&self, network: &str) -> bool {
        self.0.graphs.contains_key(network)
    }

    /// An error that names this bundle.
    pub(super) fn refuse(&self, field: String, reason: String) -> Error {
        Error::Bundle {
            bundle: self.0.name.clone(),
            field,
            reason,
        }
    }

    fn refuse_tensor(&self, tensor: &str, reason: String) -> Error {
        Error::Bundle {
            bundle: self.0.name.clone(),
            field: format!("weights.{tensor}"),
            reason,
        }
    }

    fn check_shape(&self, tensor: &str, shape: &[usize]) -> Result<()> {
        match self.0.weights.shape(tensor) {
            None => Err(self.refuse_tensor(tensor, "is missing".into())),
            Some(found) if found != shape => {
                Err(self.refuse_tensor(tensor, format!("has shape {found:?}, not {shape:?}")))
            }
            Some(_) => Ok(()),
        }
    }

    /// The face model's tensors, so that a bundle without them fails here and not at the first use.
    fn check_face_model(&self) -> Result<()> {
        let sizes = self.0.manifest.face_model;
        let vertices = sizes.vertices;
        for (tensor, shape) in [
            ("face_model.mean", &[vertices, 3][..]),
            ("face_model.identity", &[sizes.identity, vertices, 3]),
            ("face_model.expression", &[sizes.expression, vertices, 3]),
            ("face_model.open", &[sizes.expression]),
            ("face_model.closed", &[sizes.expression]),
        ] {
            self.floats(tensor, shape)?;
        }
        let ring = self.indices("face_model.ring", vertices)?;
        if ring.len() < 3 {
            return Err(self.refuse_tensor("face_model.ring", "has fewer than 3 vertices".into()));
        }
        let lips = self.indices("face_model.lips", vertices)?;
        if lips.len() != self.0.manifest.lips {
            let reason = format!(
                "has {} vertices, manifest.lips says {}",
                lips.len(),
                self.0.manifest.lips
            );
            return Err(self.refuse_tensor("face_model.lips", reason));
        }
        Ok(())
    }

    /// The networks that must be there, and the shapes that the manifest gives all of them.
    fn check_networks(&self) -> Result<()> {
        for signature in signatures(&self.0.manifest) {
            let field = format!("graphs.{}", signature.network);
            let refuse = |field: String, reason: String| Error::Bundle {
                bundle: self.0.name.clone(),
                field,
                reason,
            };
            let Some(entry) = self.0.manifest.graphs.get(signature.network) else {
                if signature.required {
                    return Err(refuse(field, "is missing".into()));
                }
                continue;
            };
            let sides = [
                ("inputs", &signature.inputs, &entry.inputs),
                ("outputs", &signature.outputs, &entry.outputs),
            ];
            for (side, expected, declared) in sides {
                if declared.len() != expected.len() {
                    let reason = format!("has {} entries, not {}", declared.len(), expected.len());
                    return Err(refuse(format!("{field}.{side}"), reason));
                }
                for (tensor, shape) in expected {
                    let field = format!("{field}.{side}.{tensor}");
                    match declared.get(*tensor) {
                        None => return Err(refuse(field, "is missing".into())),
                        Some(found) if !fits(found, shape) => {
                            let found: Vec<_> = found.iter().map(|dim| dim.0).collect();
                            let reason = format!("is {found:?}, not {shape:?}");
                            return Err(refuse(field, reason));
                        }
                        Some(_) => {}
                    }
                }
            }
        }
        Ok(())
    }
}

impl std::fmt::Debug for Bundle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bundle")
            .field("name", &self.0.name)
            .finish_non_exhaustive()
    }
}

fn fits(declared: &[Dimension], shape: &[usize]) -> bool {
    declared.len() == shape.len()
        && declared
            .iter()
            .zip(shape)
            .all(|(dim, size)| dim.0.is_none_or(|found| found == *size))
}

/// A name that cannot leave the folder, on any operating system.
fn is_plain_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    !name.is_empty() && !name.starts_with('.') && name.chars().all(plain)
}

/// The tensors that a graph takes from the weights file.
fn external_tensors(
    graph: &[u8],
    weights_file: &str,
) -> std::result::Result<Vec<(String, Vec<usize>)>, String> {
    let mut external = Vec::new();
    onnx::is_plain(graph)?;
    for tensor in onnx::initializers(graph)? {
        let name = &tensor.name;
        match &tensor.location {
            None => continue,
            Some(location) if location != weights_file => {
                return Err(format!("initialiser {name} is stored in {location:?}"));
            }
            Some(_) if tensor.kind != Kind::Float => {
                return Err(format!("initialiser {name} is of type {:?}", tensor.kind));
            }
            Some(_) => external.push((tensor.name, tensor.shape)),
        }
    }
    Ok(external)
}

#[cfg(test)]
#[path = "bundle_tests.rs"]
mod tests;

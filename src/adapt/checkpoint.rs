//! Where an adaptation stands, in a file: it can be killed at any time and taken up again.

use std::path::{Path, PathBuf};

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use super::descent::Descent;
use crate::model::adaptation::Parameter;
use crate::{Error, Result, files};

/// What a checkpoint must agree with to be taken up: bundle, frames, options.
const KEY: &str = "stylelipsync.adaptation";
const STEPS: &str = "steps";
const LARGEST: u64 = 4 << 30;

/// Writes how far it is; `mark` is what a later run must agree with.
pub(super) fn save(
    path: &Path,
    mark: &str,
    parameters: &[Parameter],
    descent: &Descent,
) -> Result<()> {
    let failed = |reason: String| Error::Write {
        path: path.to_owned(),
        source: std::io::Error::other(reason),
    };
    let mut views = Vec::new();
    for (part, values) in descent.parts() {
        for (parameter, values) in parameters.iter().zip(values) {
            let bytes = bytemuck::cast_slice(values);
            let view = TensorView::new(Dtype::F32, parameter.shape.clone(), bytes)
                .map_err(|error| failed(error.to_string()))?;
            views.push((format!("{part}.{}", parameter.name), view));
        }
    }
    let metadata = [
        (KEY.to_owned(), mark.to_owned()),
        (STEPS.to_owned(), descent.steps.to_string()),
    ];
    let bytes = safetensors::serialize(views, Some(metadata.into()))
        .map_err(|error| failed(error.to_string()))?;
    files::write_whole(path, &bytes)
}

/// A checkpoint as it lies in its file, not yet looked into.
pub(super) struct Stored {
    path: PathBuf,
    bytes: Vec<u8>,
    mark: String,
    steps: u64,
}

/// Reads a checkpoint; `None` where there is no such file.
///
/// # Errors
/// [`Error::Read`]; [`Error::Person`] when it is no checkpoint.
pub(super) fn read(path: &Path) -> Result<Option<Stored>> {
    if !path.exists() {
        return Ok(None);
    }
    let bytes = files::read_below(path, LARGEST)?;
    let (_, header) = SafeTensors::read_metadata(&bytes).map_err(|error| broken(path, &error))?;
    let mut metadata = header.metadata().clone().unwrap_or_default();
    let mark = metadata.remove(KEY);
    let mark = mark.ok_or_else(|| refuse(path, "is no checkpoint of an adaptation"))?;
    let steps = metadata.get(STEPS).and_then(|steps| steps.parse().ok());
    let steps = steps.ok_or_else(|| refuse(path, "does not say how many steps it is from"))?;
    Ok(Some(Stored {
        path: path.to_owned(),
        bytes,
        mark,
        steps,
    }))
}

impl Stored {
    pub(super) fn steps(&self) -> u64 {
        self.steps
    }

    /// Whether the work that `mark` stands for can go on with it.
    pub(super) fn is_of(&self, mark: &str) -> bool {
        self.mark == mark
    }

    /// Where it stood.
    ///
    /// # Errors
    /// [`Error::Person`] when it is damaged, or of other work.
    pub(super) fn load(&self, mark: &str, parameters: &[Parameter]) -> Result<Descent> {
        if !self.is_of(mark) {
            return Err(refuse(
                &self.path,
                "is a checkpoint of other work: another bundle, clip, seed or weights of the losses",
            ));
        }
        let file =
            SafeTensors::deserialize(&self.bytes).map_err(|error| broken(&self.path, &error))?;
        let part = |part: &str| -> Result<Vec<Vec<f32>>> {
            let read = |p: &Parameter| numbers(&self.path, &file, &format!("{part}.{}", p.name), p);
            parameters.iter().map(read).collect()
        };
        Ok(Descent {
            steps: self.steps,
            theta: part("theta")?,
            first: part("first")?,
            second: part("second")?,
        })
    }
}

fn refuse(path: &Path, reason: impl Into<String>) -> Error {
    Error::Person {
        path: path.to_owned(),
        reason: reason.into(),
    }
}

fn broken(path: &Path, error: &safetensors::SafeTensorError) -> Error {
    refuse(path, format!("is no checkpoint: {error}"))
}

/// A tensor that must have the shape of `like`.
fn numbers(path: &Path, file: &SafeTensors<'_>, name: &str, like: &Parameter) -> Result<Vec<f32>> {
    let view = file.tensor(name).map_err(|error| broken(path, &error))?;
    if view.dtype() != Dtype::F32 || view.shape() != like.shape {
        return Err(refuse(path, format!("{name} is of another shape")));
    }
    let (values, _) = view.data().as_chunks::<4>();
    let values: Vec<f32> = values.iter().map(|b| f32::from_le_bytes(*b)).collect();
    match values.iter().all(|v| v.is_finite()) {
        true => Ok(values),
        false => Err(refuse(
            path,
            format!("{name} holds a number that is not finite"),
        )),
    }
}

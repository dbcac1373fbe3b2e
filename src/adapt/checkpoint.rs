//! The checkpoint file of a training run. The run can be killed at any time and resumed.

use std::path::{Path, PathBuf};

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use super::adam::Adam;
use crate::model::adaptation::Parameter;
use crate::{Error, Result, files};

/// Bundle, frames and options, which must be equal for a training to resume from the checkpoint.
const KEY: &str = "stylelipsync.adaptation";
const STEPS: &str = "steps";
const LARGEST: u64 = 4 << 30;

/// Writes a checkpoint; `mark` must be equal in the training that resumes from it.
pub(super) fn save(path: &Path, mark: &str, parameters: &[Parameter], adam: &Adam) -> Result<()> {
    let failed = |reason: String| Error::Write {
        path: path.to_owned(),
        source: std::io::Error::other(reason),
    };
    let mut views = Vec::new();
    for (part, values) in adam.parts() {
        for (parameter, values) in parameters.iter().zip(values) {
            let bytes = bytemuck::cast_slice(values);
            let view = TensorView::new(Dtype::F32, parameter.shape.clone(), bytes)
                .map_err(|error| failed(error.to_string()))?;
            views.push((format!("{part}.{}", parameter.name), view));
        }
    }
    let metadata = [
        (KEY.to_owned(), mark.to_owned()),
        (STEPS.to_owned(), adam.steps.to_string()),
    ];
    let bytes = safetensors::serialize(views, Some(metadata.into()))
        .map_err(|error| failed(error.to_string()))?;
    files::write_whole(path, &bytes)
}

/// A checkpoint as read from its file; the tensors are not checked yet.
pub(super) struct Stored {
    path: PathBuf,
    bytes: Vec<u8>,
    mark: String,
    steps: u64,
}

/// Reads a checkpoint; `None` where there is no such file.
///
/// # Errors
/// [`Error::Read`]; [`Error::Person`] when it is not a checkpoint.
pub(super) fn read(path: &Path) -> Result<Option<Stored>> {
    if !path.exists() {
        return Ok(None);
    }
    let bytes = files::read_below(path, LARGEST)?;
    let (_, header) = SafeTensors::read_metadata(&bytes).map_err(|error| broken(path, &error))?;
    let mut metadata = header.metadata().clone().unwrap_or_default();
    let mark = metadata.remove(KEY);
    let mark = mark.ok_or_else(|| refuse(path, "is not a checkpoint of an adaptation"))?;
    let steps = metadata.get(STEPS).and_then(|steps| steps.parse().ok());
    let steps = steps.ok_or_else(|| refuse(path, "does not give its number of steps"))?;
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

    /// Whether the training with this `mark` can resume from it.
    pub(super) fn is_of(&self, mark: &str) -> bool {
        self.mark == mark
    }

    /// The parameters and the optimiser's state.
    ///
    /// # Errors
    /// [`Error::Person`] when it is damaged, or belongs to another training.
    pub(super) fn load(&self, mark: &str, parameters: &[Parameter]) -> Result<Adam> {
        if !self.is_of(mark) {
            return Err(refuse(
                &self.path,
                "is a checkpoint of another training: the bundle, clip, seed or loss weights differ",
            ));
        }
        let file =
            SafeTensors::deserialize(&self.bytes).map_err(|error| broken(&self.path, &error))?;
        let part = |part: &str| -> Result<Vec<Vec<f32>>> {
            let read = |p: &Parameter| numbers(&self.path, &file, &format!("{part}.{}", p.name), p);
            parameters.iter().map(read).collect()
        };
        Ok(Adam {
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
    refuse(path, format!("is not a checkpoint: {error}"))
}

/// A tensor that must have the shape of `like`.
fn numbers(path: &Path, file: &SafeTensors<'_>, name: &str, like: &Parameter) -> Result<Vec<f32>> {
    let view = file.tensor(name).map_err(|error| broken(path, &error))?;
    if view.dtype() != Dtype::F32 || view.shape() != like.shape {
        return Err(refuse(path, format!("{name} has another shape or type")));
    }
    let (values, _) = view.data().as_chunks::<4>();
    let values: Vec<f32> = values.iter().map(|b| f32::from_le_bytes(*b)).collect();
    match values.iter().all(|v| v.is_finite()) {
        true => Ok(values),
        false => Err(refuse(
            path,
            format!("{name} contains a number that is not finite"),
        )),
    }
}

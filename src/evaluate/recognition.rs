//! A face recognition network supplied by the caller, for CSIM.

use super::identity::SIDE;
use crate::model::runtime::thread_count;
use crate::model::session::{Pool, Recipe};
use crate::model::{Provider, Runtime};
use crate::{Error, Result};
use ort::value::TensorRef;
use std::path::Path;

/// Pictures of faces to embeddings: any ONNX file with one input `[1, 3, 112, 112]` (RGB, normalised
/// by ImageNet's mean and deviation) and one output of numbers, its weights inside. Shared by any
/// number of threads.
pub struct Recognition {
    pool: Pool,
    input: String,
}

const FIELD: &str = "recognition";

impl Recognition {
    /// Loads a network.
    ///
    /// # Errors
    /// [`Error::Read`] when the file cannot be read; [`Error::Argument`] when it is not an ONNX file
    /// that can be run, or has other inputs or outputs; [`Error::Runtime`] and [`Error::Provider`] as
    /// [`crate::model::Networks::load`].
    pub fn open(path: &Path, provider: Provider, threads: usize) -> Result<Self> {
        let graph = std::fs::read(path).map_err(|source| Error::Read {
            path: path.to_owned(),
            source,
        })?;
        let wrong = |reason: String| Error::Argument {
            field: FIELD,
            reason: format!("{}: {reason}", path.display()),
        };
        let runtime = Runtime::start(threads)?;
        let provider = runtime.choose(provider)?.used;
        let threads = thread_count(threads);
        let recipe = Recipe {
            graph: &graph,
            weights: &[],
            provider,
            threads,
            strict: false,
        };
        let limit = if provider.is_gpu() { 1 } else { threads };
        let pool = Pool::new(FIELD, runtime, &recipe, limit).map_err(|error| match error {
            Error::Network { reason, .. } => wrong(reason),
            other => other,
        })?;
        let input = pool.run(|session| {
            let ([input], [_]) = (session.inputs(), session.outputs()) else {
                return Err(wrong("it must have one input and one output".into()));
            };
            let side = SIDE as i64;
            let dims = input.dtype().tensor_shape().map(|dims| dims.to_vec());
            let fits = dims.as_ref().is_some_and(|dims| {
                let want = [1, 3, side, side];
                dims.len() == 4 && dims.iter().zip(want).all(|(&d, w)| d < 0 || d == w)
            });
            if fits {
                return Ok(input.name().to_owned());
            }
            Err(wrong(format!(
                "its input is {}, not [1, 3, {side}, {side}]",
                dims.map_or("no tensor".into(), |dims| format!("{dims:?}"))
            )))
        })?;
        Ok(Self { pool, input })
    }

    /// The embedding of a normalised picture `[3, 112, 112]`; its length depends on the network.
    ///
    /// # Errors
    /// [`Error::Argument`] for a picture of another size; [`Error::Network`] when the network fails
    /// or its output is not a list of finite numbers.
    pub fn embed(&self, picture: &[f32]) -> Result<Vec<f32>> {
        if picture.len() != 3 * SIDE * SIDE {
            return Err(Error::Argument {
                field: "picture",
                reason: format!("has {} values, not [3, {SIDE}, {SIDE}]", picture.len()),
            });
        }
        let failed = |error: ort::Error| self.pool.failure(error.to_string());
        let shape = [1, 3, SIDE, SIDE];
        let tensor = TensorRef::from_array_view((shape.as_slice(), picture)).map_err(failed)?;
        let inputs = ort::inputs![self.input.as_str() => tensor];
        self.pool.run(|seat| {
            seat.run(inputs, failed, |outputs| {
                let (_, values) = outputs[0].try_extract_tensor::<f32>().map_err(failed)?;
                if values.is_empty() || !values.iter().all(|v| v.is_finite()) {
                    return Err(self
                        .pool
                        .failure("its embedding holds no finite numbers".into()));
                }
                Ok(values.to_vec())
            })
        })
    }
}

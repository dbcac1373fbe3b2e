//! Audio codes: one run of the audio encoder per instant. Recently used codes are cached.

use std::num::NonZeroUsize;
use std::sync::Arc;

use lru::LruCache;
use parking_lot::Mutex;

use super::gate::SilenceGate;
use crate::Result;
use crate::audio::{MelParameters, MelSpectrogram, Timeline};
use crate::model::networks::{AudioCodes, AudioEncoder};

/// Codes held for a clip: about ten seconds at 25 frames a second, 4 MB at a width of 256.
const CAPACITY: NonZeroUsize = NonZeroUsize::new(256).expect("not 0");

/// The audio encoder's output for one instant: `a_t` of the paper and the mouth's shape.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AudioCode {
    /// W+ code `[14 * D]`, without the reference.
    pub code: Vec<f32>,
    /// Coefficients of the face model's mouth block `[S]`, in units of its basis; 0 = at rest.
    pub shape: Vec<f32>,
}

/// Mel window, encoder and silence gate: audio and position in, code out. Shared by all threads.
pub(crate) struct CodeSource {
    mel: MelSpectrogram,
    gate: SilenceGate,
    rest: Arc<AudioCode>,
    window: usize,
}

impl CodeSource {
    /// Prepares the mel spectrogram, and the code of pure silence.
    pub fn new(encoder: &AudioEncoder, parameters: MelParameters) -> Result<Self> {
        let floor = parameters.floor.log10() as f32;
        let window = parameters.window_len();
        let AudioCodes { codes, shapes } = encoder.run(&vec![floor; window])?;
        Ok(Self {
            gate: SilenceGate::new(parameters.frames, parameters.lead, floor),
            mel: MelSpectrogram::new(parameters)?,
            rest: Arc::new(AudioCode {
                code: codes,
                shape: vec![0.0; shapes.len()],
            }),
            window,
        })
    }

    /// The parameters of the mel windows.
    pub fn mel(&self) -> &MelParameters {
        self.mel.params()
    }

    /// The code of pure silence.
    pub fn rest(&self) -> &Arc<AudioCode> {
        &self.rest
    }

    /// The code at `position`; `window` is a buffer.
    ///
    /// One window per call: the bytes of a code must not depend on the batch it is computed in, and
    /// matrix kernels round differently for different batch sizes.
    pub fn code(
        &self,
        encoder: &AudioEncoder,
        audio: &Timeline,
        position: i64,
        window: &mut Vec<f32>,
    ) -> Result<Arc<AudioCode>> {
        window.resize(self.window, 0.0);
        self.mel.window(audio, position, window)?;
        let opening = self.gate.opening(window);
        if opening <= 0.0 {
            return Ok(self.rest.clone());
        }
        let AudioCodes {
            codes: mut code,
            shapes: mut shape,
        } = encoder.run(window)?;
        if opening < 1.0 {
            blend(&self.rest.code, opening, &mut code);
            blend(&self.rest.shape, opening, &mut shape);
        }
        Ok(Arc::new(AudioCode { code, shape }))
    }
}

/// `values` moved towards `rest` where `opening` is less than 1.
fn blend(rest: &[f32], opening: f32, values: &mut [f32]) {
    for (value, rest) in values.iter_mut().zip(rest) {
        *value = rest + opening * (*value - rest);
    }
}

/// A least-recently-used cache of the codes of one clip, by sample position. Any thread may ask; no
/// lock is held while a code is computed, so two threads may compute the same one: it is the same.
pub(crate) struct Codes {
    cache: Mutex<LruCache<i64, Arc<AudioCode>>>,
}

impl Codes {
    /// An empty cache.
    pub fn new() -> Self {
        Self {
            cache: Mutex::new(LruCache::new(CAPACITY)),
        }
    }

    /// The code at `position`, computed by `compute` if it is not cached.
    pub fn get(
        &self,
        position: i64,
        compute: impl FnOnce() -> Result<Arc<AudioCode>>,
    ) -> Result<Arc<AudioCode>> {
        // Bound first, so that the lock is gone before the work begins.
        let known = self.cache.lock().get(&position).cloned();
        if let Some(code) = known {
            return Ok(code);
        }
        let code = compute()?;
        self.cache.lock().put(position, code.clone());
        Ok(code)
    }

    /// Empties the cache, for other audio.
    pub fn clear(&self) {
        self.cache.lock().clear();
    }

    /// Cached codes.
    pub fn len(&self) -> usize {
        self.cache.lock().len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    #[test]
    fn a_code_is_computed_once_and_a_failure_is_not_held() {
        let codes = Codes::new();
        let code = Arc::new(AudioCode {
            code: vec![1.0],
            shape: vec![2.0],
        });
        assert!(codes.get(640, || Err(Error::Cancelled)).is_err());
        assert_eq!(codes.get(640, || Ok(code.clone())).unwrap(), code);
        assert_eq!(codes.get(640, || panic!("computed twice")).unwrap(), code);
        for frame in 0..5000 {
            codes.get(frame, || Ok(code.clone())).unwrap();
            assert!(codes.len() <= CAPACITY.get());
        }
    }

    #[test]
    fn a_closed_gate_gives_rest_and_an_open_one_the_value() {
        let mut values = vec![3.0, -1.0];
        blend(&[1.0, 1.0], 0.5, &mut values);
        assert_eq!(values, [2.0, 0.0]);
    }
}

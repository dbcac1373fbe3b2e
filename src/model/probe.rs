//! Chooses the execution provider, and records why others are rejected.
//!
//! There is no silent fallback. [`Runtime::choose`] tries a provider by running a small
//! convolution that may use no other provider, and compares the result with the CPU's. A provider
//! that fails is rejected with a reason; only [`Provider::Auto`] tries the next one.

use super::provider::{Provider, ProviderReport};
use super::runtime::Runtime;
use super::session::{self, Recipe};
use crate::{Error, Result};
use ort::value::TensorRef;

/// A 3x3 convolution of 2 to 2 channels with its weights inside, and a ReLU:
/// `x` [1, 2, 4, 4] to `y` [1, 2, 4, 4].
const PROBE: &[u8] = include_bytes!("probe.onnx");

impl Runtime {
    /// Tries the provider that is wanted, or for [`Provider::Auto`] each candidate in order.
    ///
    /// # Errors
    /// [`Error::Provider`] with the reason: the provider that was asked for by name cannot be used
    /// here, or not even the CPU can.
    pub fn choose(&self, wanted: Provider) -> Result<ProviderReport> {
        let candidates = match wanted {
            Provider::Auto => Provider::candidates(),
            ref named => std::slice::from_ref(named),
        };
        let mut refused = Vec::new();
        for &provider in candidates {
            match self.probe(provider) {
                Ok(device) => {
                    return Ok(ProviderReport {
                        used: provider,
                        device,
                        refused,
                    });
                }
                Err(reason) => {
                    log::info!("provider {provider} is refused: {reason}");
                    refused.push((provider, reason));
                }
            }
        }
        let reasons: Vec<_> = refused
            .iter()
            .map(|(provider, reason)| format!("{provider}: {reason}"))
            .collect();
        Err(Error::Provider {
            provider: wanted.name(),
            reason: match refused.as_slice() {
                [(_, reason)] => reason.clone(),
                _ => reasons.join("; "),
            },
        })
    }

    /// Runs the probe on the provider alone. Gives the device's name, or the reason for refusal.
    fn probe(&self, provider: Provider) -> std::result::Result<String, String> {
        let answer = self.probe_values(provider)?;
        if provider.has_fallback() {
            let truth = self.probe_values(Provider::Cpu)?;
            let difference = answer
                .iter()
                .zip(&truth)
                .map(|(a, b)| (a - b).abs())
                .fold(0.0, f32::max);
            if difference.is_nan()
                || difference > provider.tolerance()
                || answer.len() != truth.len()
            {
                return Err(format!(
                    "its result of a test convolution differs from the CPU's by {difference}"
                ));
            }
        }
        Ok(self.device_name(provider))
    }

    fn probe_values(&self, provider: Provider) -> std::result::Result<Vec<f32>, String> {
        let recipe = Recipe {
            graph: PROBE,
            weights: &[],
            provider,
            threads: 1,
            strict: true,
        };
        let mut session = session::build(self, &recipe)?;
        let ramp: Vec<f32> = (0..32).map(|i| i as f32 / 16.0 - 1.0).collect();
        let input = TensorRef::from_array_view(([1usize, 2, 4, 4], ramp.as_slice()))
            .map_err(|error| error.to_string())?;
        let _alone = session::run_lock(provider);
        let outputs = session
            .run(ort::inputs![input])
            .map_err(|error| error.to_string())?;
        let (_, values) = outputs[0]
            .try_extract_tensor::<f32>()
            .map_err(|error| error.to_string())?;
        Ok(values.to_vec())
    }

    /// The name that the operating system's driver gives the device, as far as it is known.
    fn device_name(&self, provider: Provider) -> String {
        let devices = self.environment().devices();
        let devices = devices.filter(|device| provider.owns(device));
        let mut names = devices.filter_map(|device| {
            let hardware = device.hardware_device();
            let vendor = hardware.vendor().ok()?;
            Some(
                format!("{vendor} {:?} {:#06x}", hardware.ty(), hardware.id())
                    .trim()
                    .to_owned(),
            )
        });
        names.next().unwrap_or_default()
    }
}

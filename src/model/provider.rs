//! The execution providers, and how a session is configured for one.

use super::Runtime;
use crate::{Error, Result};
use ort::{ep, session::builder::SessionBuilder};

/// What runs the networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Provider {
    /// The fastest that works: CUDA where the runtime has it, then WebGPU, then CoreML (Apple) or
    /// DirectML (Windows), then the CPU.
    #[default]
    Auto,
    /// The processor. Always there.
    Cpu,
    /// Any vendor's GPU through Vulkan, Direct3D 12 or Metal.
    WebGpu,
    /// An NVIDIA GPU; needs a build of ONNX Runtime with CUDA.
    Cuda,
    /// Apple's accelerators; in the macOS build of ONNX Runtime.
    CoreMl,
    /// Direct3D 12; needs a build of ONNX Runtime with DirectML.
    DirectMl,
}

impl Provider {
    /// Every value, in the order of the C API's numbers.
    pub const ALL: [Provider; 6] = [
        Provider::Auto,
        Provider::Cpu,
        Provider::WebGpu,
        Provider::Cuda,
        Provider::CoreMl,
        Provider::DirectMl,
    ];

    /// The name in options and reports: `auto`, `cpu`, `webgpu`, `cuda`, `coreml`, `directml`.
    pub fn name(self) -> &'static str {
        match self {
            Provider::Auto => "auto",
            Provider::Cpu => "cpu",
            Provider::WebGpu => "webgpu",
            Provider::Cuda => "cuda",
            Provider::CoreMl => "coreml",
            Provider::DirectMl => "directml",
        }
    }

    /// What `Auto` tries here, in order. CUDA is the fastest where it is present; WebGPU computes
    /// in full precision everywhere, CoreML and DirectML are what is left without it.
    pub fn candidates() -> &'static [Provider] {
        use Provider::{CoreMl, Cpu, Cuda, DirectMl, WebGpu};
        match std::env::consts::OS {
            "macos" => &[WebGpu, CoreMl, Cpu],
            "windows" => &[Cuda, WebGpu, DirectMl, Cpu],
            _ => &[Cuda, WebGpu, Cpu],
        }
    }

    pub(crate) fn is_gpu(self) -> bool {
        !matches!(self, Provider::Auto | Provider::Cpu)
    }
}

impl std::fmt::Display for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

impl std::str::FromStr for Provider {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Provider::ALL
            .into_iter()
            .find(|provider| provider.name() == text)
            .ok_or_else(|| {
                let names = Provider::ALL.map(Provider::name).join(", ");
                Error::Argument {
                    field: "provider",
                    reason: format!("{text:?} is none of {names}"),
                }
            })
    }
}

/// The provider really in use, and why others are not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderReport {
    /// Never [`Provider::Auto`].
    pub used: Provider,
    /// The device as ONNX Runtime names it; empty where it does not.
    pub device: String,
    /// Providers that were tried before `used`, each with the reason why it cannot be used.
    pub refused: Vec<(Provider, String)>,
}

impl std::fmt::Display for ProviderReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.used)?;
        if !self.device.is_empty() {
            write!(f, " ({})", self.device)?;
        }
        for (provider, reason) in &self.refused {
            write!(f, "; {provider} refused: {reason}")?;
        }
        Ok(())
    }
}

impl Runtime {
    /// Adds the provider to a session's options; an error when it cannot be had.
    pub(super) fn add_provider(
        &self,
        builder: SessionBuilder,
        provider: Provider,
    ) -> std::result::Result<SessionBuilder, String> {
        let say = |error: ort::Error<SessionBuilder>| error.to_string();
        let absent = |name: &str| format!("this build of ONNX Runtime has no {name} provider");
        let has = |there: ort::Result<bool>, name: &str| match there {
            Ok(true) => Ok(()),
            Ok(false) => Err(absent(name)),
            Err(error) => Err(error.to_string()),
        };
        use ort::ep::ExecutionProvider;
        match provider {
            Provider::Auto | Provider::Cpu => Ok(builder),
            Provider::WebGpu => {
                self.register_webgpu().map_err(|error| error.to_string())?;
                // One device: several would only ask for a choice that the plug-in makes anyway.
                let Some(device) = self.environment().devices().find(is_webgpu) else {
                    return Err("the WebGPU provider finds no device it accepts".into());
                };
                builder.with_devices([device], None).map_err(say)
            }
            Provider::Cuda => {
                has(ep::CUDA::is_available(), "CUDA")?;
                // A search by timing would choose other kernels, thus other bytes, on another run.
                let cuda = ep::CUDA::default()
                    .with_conv_algorithm_search(ep::cuda::ConvAlgorithmSearch::Heuristic)
                    .with_arena_extend_strategy(ep::ArenaExtendStrategy::SameAsRequested)
                    .with_tf32(false);
                builder
                    .with_execution_providers([cuda.build().error_on_failure()])
                    .map_err(say)
            }
            Provider::CoreMl => {
                has(ep::CoreML::is_available(), "CoreML")?;
                // All options are listed, with reasons, in packaging/macos/README.md. An ML program (macOS 12
                // and later) has types: float32 stays float32 on the CPU and the GPU. The provider's default,
                // a neural network, has none, so that Core ML may compute in half floats on the GPU; the
                // Neural Engine always does. No cache of compiled models: the key of a network in memory is a
                // hash of its inputs and outputs without its weights, so that an adapted decoder would get the
                // base's.
                let coreml = ep::CoreML::default()
                    .with_model_format(ep::coreml::ModelFormat::MLProgram)
                    .with_compute_units(ep::coreml::ComputeUnits::CPUAndGPU)
                    .with_low_precision_accumulation_on_gpu(false);
                builder
                    .with_execution_providers([coreml.build().error_on_failure()])
                    .map_err(say)
            }
            Provider::DirectMl => {
                has(ep::DirectML::is_available(), "DirectML")?;
                let directml = ep::DirectML::default();
                // DirectML's own rule: no memory pattern.
                let builder = builder.with_memory_pattern(false).map_err(say)?;
                builder
                    .with_execution_providers([directml.build().error_on_failure()])
                    .map_err(say)
            }
        }
    }
}

pub(super) fn is_webgpu(device: &ort::device::Device<'_>) -> bool {
    device
        .ep()
        .is_ok_and(|name| name == "WebGpuExecutionProvider")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_both_ways() {
        for provider in Provider::ALL {
            assert_eq!(provider.name().parse::<Provider>().unwrap(), provider);
        }
        let message = "gpu".parse::<Provider>().unwrap_err().to_string();
        assert!(
            message.contains("\"gpu\"") && message.contains("webgpu"),
            "{message}"
        );
    }

    #[test]
    fn the_cpu_is_always_the_last_candidate() {
        assert_eq!(Provider::candidates().last(), Some(&Provider::Cpu));
    }
}

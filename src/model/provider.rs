//! The execution providers, and how a session is configured for one.

use super::Runtime;
use super::locate::Component;
use crate::{Error, Result};
use ort::device::Device;
use ort::memory::DeviceType;
use ort::{ep, session::builder::SessionBuilder};

/// ONNX Runtime's names.
const CPU: &str = "CPUExecutionProvider";
const OPENVINO: &str = "OpenVINOExecutionProvider";

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
    /// The processor, through OpenVINO's plug-in: the generator, in float32. The other networks run on
    /// [`Cpu`](Self::Cpu), since none of them is faster there.
    OpenVino,
    /// As [`OpenVino`](Self::OpenVino), but computed in bfloat16: 1.4 to 1.8 times as fast on processors
    /// with AMX (Intel Xeon since 2023); those without bfloat16 compute in float32. The picture differs a little
    /// from that of the others.
    OpenVinoBf16,
    /// An Intel GPU, through OpenVINO's plug-in.
    OpenVinoGpu,
    /// An Intel NPU, through OpenVINO's plug-in; it computes in half floats.
    OpenVinoNpu,
}

impl Provider {
    /// Every value, in the order of the C API's numbers.
    pub const ALL: [Provider; 10] = [
        Provider::Auto,
        Provider::Cpu,
        Provider::WebGpu,
        Provider::Cuda,
        Provider::CoreMl,
        Provider::DirectMl,
        Provider::OpenVino,
        Provider::OpenVinoBf16,
        Provider::OpenVinoGpu,
        Provider::OpenVinoNpu,
    ];

    /// The name in options and reports: `auto`, `cpu`, `webgpu`, `cuda`, `coreml`, `directml`, `openvino`,
    /// `openvino-bf16`, `openvino-gpu`, `openvino-npu`.
    pub fn name(self) -> &'static str {
        match self {
            Provider::Auto => "auto",
            Provider::Cpu => "cpu",
            Provider::WebGpu => "webgpu",
            Provider::Cuda => "cuda",
            Provider::CoreMl => "coreml",
            Provider::DirectMl => "directml",
            Provider::OpenVino => "openvino",
            Provider::OpenVinoBf16 => "openvino-bf16",
            Provider::OpenVinoGpu => "openvino-gpu",
            Provider::OpenVinoNpu => "openvino-npu",
        }
    }

    /// What `Auto` tries here, in order. CUDA is the fastest where it is present; WebGPU computes
    /// in full precision everywhere, CoreML and DirectML are what is left without it. OpenVINO is not among
    /// them: on the processor it is no faster in float32, and bfloat16 is for the user to choose.
    pub fn candidates() -> &'static [Provider] {
        use Provider::{CoreMl, Cpu, Cuda, DirectMl, WebGpu};
        match std::env::consts::OS {
            "macos" => &[WebGpu, CoreMl, Cpu],
            "windows" => &[Cuda, WebGpu, DirectMl, Cpu],
            _ => &[Cuda, WebGpu, Cpu],
        }
    }

    /// Whether networks run beside the processor, one call at a time.
    pub(crate) fn is_gpu(self) -> bool {
        let on_processor = [Self::Auto, Self::Cpu, Self::OpenVino, Self::OpenVinoBf16];
        !on_processor.contains(&self)
    }

    /// Whether nodes can be left to the processor's own provider.
    pub(crate) fn has_fallback(self) -> bool {
        !matches!(self, Self::Auto | Self::Cpu)
    }

    /// What runs a network.
    pub(crate) fn for_network(self, network: &str) -> Self {
        match self {
            Self::OpenVino | Self::OpenVinoBf16 if network != "generator" => Self::Cpu,
            other => other,
        }
    }

    /// The plug-in of ONNX Runtime that it needs.
    pub fn plugin(self) -> Option<Component> {
        match self {
            Self::WebGpu => Some(Component::WebGpu),
            other => other.openvino().map(|_| Component::OpenVino),
        }
    }

    /// The kind of device and the precision that OpenVINO is asked for; `None` for the others.
    fn openvino(self) -> Option<(DeviceType, &'static str, &'static str)> {
        match self {
            Self::OpenVino => Some((DeviceType::CPU, "CPU", "f32")),
            Self::OpenVinoBf16 => Some((DeviceType::CPU, "CPU", "bf16")),
            Self::OpenVinoGpu => Some((DeviceType::GPU, "GPU", "f32")),
            Self::OpenVinoNpu => Some((DeviceType::NPU, "NPU", "f16")),
            _ => None,
        }
    }

    /// The largest difference from the CPU's result of the test convolution, whose values are about 1.
    pub(super) fn tolerance(self) -> f32 {
        match self {
            Self::OpenVinoBf16 => 5e-2,
            // Half precision somewhere inside gives 1e-3; a broken driver much more.
            _ => 2e-3,
        }
    }

    /// Whether ONNX Runtime's `device` is one of this provider's plug-in.
    pub(super) fn owns(self, device: &Device<'_>) -> bool {
        let (name, kind) = match self.openvino() {
            Some((kind, ..)) => (OPENVINO, Some(kind)),
            None if self == Self::WebGpu => ("WebGpuExecutionProvider", None),
            None => return false,
        };
        let fits = kind.is_none_or(|kind| device.hardware_device().ty() == kind);
        fits && device.ep().is_ok_and(|found| found == name)
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
    /// The device of a provider that is a plug-in.
    fn device(
        &self,
        provider: Provider,
        plugin: Component,
    ) -> std::result::Result<Device<'_>, String> {
        self.register(plugin).map_err(|error| error.to_string())?;
        // One device: several would only ask for a choice that the plug-in makes anyway.
        let mut devices = self.environment().devices();
        devices
            .find(|device| provider.owns(device))
            .ok_or_else(|| format!("{} finds no device it accepts", plugin.title()))
    }

    /// Adds the provider to a session's options; an error when it cannot be had. `threads`: of a run on
    /// the processor.
    pub(super) fn add_provider(
        &self,
        builder: SessionBuilder,
        provider: Provider,
        threads: usize,
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
            Provider::Auto | Provider::Cpu => {
                // By name: once a plug-in for the processor is registered, ONNX Runtime prefers it.
                let mut devices = self.environment().devices();
                let cpu = |device: &Device<'_>| device.ep().is_ok_and(|name| name == CPU);
                let device = devices.find(cpu).ok_or_else(|| absent("CPU"))?;
                builder.with_devices([device], None).map_err(say)
            }
            Provider::WebGpu => {
                let device = self.device(provider, Component::WebGpu)?;
                builder.with_devices([device], None).map_err(say)
            }
            Provider::OpenVino
            | Provider::OpenVinoBf16
            | Provider::OpenVinoGpu
            | Provider::OpenVinoNpu => {
                let device = self.device(provider, Component::OpenVino)?;
                let Some((_, kind, precision)) = provider.openvino() else {
                    return Err("it is not one of OpenVINO's".into());
                };
                let mut settings = serde_json::json!({ "INFERENCE_PRECISION_HINT": precision });
                if kind == "CPU" {
                    // Threads that are pinned would share one core between sessions.
                    settings["INFERENCE_NUM_THREADS"] = threads.to_string().into();
                    settings["NUM_STREAMS"] = "1".into();
                    settings["ENABLE_CPU_PINNING"] = "NO".into();
                }
                let settings = serde_json::json!({ kind: settings }).to_string();
                let options = [(format!("{OPENVINO}.load_config"), settings)];
                builder.with_devices([device], Some(&options)).map_err(say)
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

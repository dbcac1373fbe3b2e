//! The engine: the networks and the device that runs them.

use std::ffi::{CString, c_char};
use std::path::PathBuf;
use std::sync::Arc;

use bytemuck::Zeroable;

use super::boundary::{Health, boundary};
use super::failure::Failure;
use super::handle::{self, Handle, on};
use super::sized::{self, Out, SizedStruct};
use super::status::sls_status;
use super::text::{self, c_string};
use super::version::SLS_ABI_VERSION;
use crate::engine::{Engine, EngineOptions};
use crate::model::Provider;

/// The fastest execution provider that works on this machine. sls_engine_refused() lists the
/// providers that were tried and rejected.
pub const SLS_PROVIDER_AUTO: i32 = 0;
/// CPU. Always available.
pub const SLS_PROVIDER_CPU: i32 = 1;
/// A GPU of any vendor, through ONNX Runtime's WebGPU plug-in.
pub const SLS_PROVIDER_WEBGPU: i32 = 2;
/// NVIDIA GPU; needs an ONNX Runtime build with CUDA.
pub const SLS_PROVIDER_CUDA: i32 = 3;
/// Apple Core ML.
pub const SLS_PROVIDER_COREML: i32 = 4;
/// Direct3D 12 GPU; needs an ONNX Runtime build with DirectML.
pub const SLS_PROVIDER_DIRECTML: i32 = 5;

/// CPU through OpenVINO's plug-in: the generator, in float32.
pub const SLS_PROVIDER_OPENVINO: i32 = 6;
/// The same in bfloat16: 1.4 to 1.8 times as fast on CPUs with AMX; the picture differs a little.
pub const SLS_PROVIDER_OPENVINO_BF16: i32 = 7;
/// Intel GPU through OpenVINO's plug-in.
pub const SLS_PROVIDER_OPENVINO_GPU: i32 = 8;
/// Intel NPU through OpenVINO's plug-in.
pub const SLS_PROVIDER_OPENVINO_NPU: i32 = 9;

/// The loaded networks and the device that runs them. They do not depend on a clip: create one
/// engine per process and share it between all clips and threads.
pub struct sls_engine {
    pub(super) engine: Arc<Engine>,
    health: Health,
    report: Report,
}

/// Strings and numbers that sls_info points to.
struct Report {
    provider: i32,
    provider_name: CString,
    device: CString,
    bundle: CString,
    runtime: CString,
    threads: i32,
    refused: Vec<(i32, CString)>,
}

impl Handle for sls_engine {
    const NAME: &'static str = "engine";

    fn health(&self) -> &Health {
        &self.health
    }
}

/// Options of an engine. Initialise them with sls_engine_options_init(), then set fields.
#[repr(C)]
#[derive(Clone, Copy, Zeroable)]
pub struct sls_engine_options {
    /// sizeof(sls_engine_options).
    pub struct_size: u32,
    /// Execution provider: one of SLS_PROVIDER_*; default SLS_PROVIDER_AUTO. If any other provider
    /// is not available, sls_engine_create() fails with SLS_ERROR_PROVIDER; there is no fallback.
    pub provider: i32,
    /// CPU threads per network, 0 to 1024; default 0: one per core.
    pub threads: i32,
    /// 1: several frames will be processed at once, on as many threads. Each network then runs on one
    /// thread, which is faster together and slower for a single frame; the bytes are the same. Default 0.
    pub parallel_frames: i32,
    /// Folder of a model bundle, UTF-8; default NULL: the bundle built into the library.
    pub bundle: *const c_char,
    /// Must be 0.
    pub reserved: [u64; 6],
}

// SAFETY: size first, numbers and a pointer, reserved last.
unsafe impl SizedStruct for sls_engine_options {
    const NAME: &'static str = "sls_engine_options";

    fn reserved_is_zero(&self) -> bool {
        self.reserved == [0; 6]
    }
}

/// Describes an engine. The strings are UTF-8 and valid until the engine is destroyed.
#[repr(C)]
#[derive(Clone, Copy, Zeroable)]
pub struct sls_info {
    /// sizeof(sls_info); set it before the call, or call sls_info_init().
    pub struct_size: u32,
    /// The execution provider in use: one of SLS_PROVIDER_*, never SLS_PROVIDER_AUTO.
    pub provider: i32,
    /// Name of the provider: "cpu", "webgpu", "cuda", "coreml", "directml", "openvino",
    /// "openvino-bf16", "openvino-gpu" or "openvino-npu".
    pub provider_name: *const c_char,
    /// Name of the device as reported by ONNX Runtime; empty if it reports none.
    pub device: *const c_char,
    /// Name and version of the model bundle.
    pub bundle: *const c_char,
    /// Path of the ONNX Runtime library in use, and how it was found.
    pub runtime: *const c_char,
    /// CPU threads per network.
    pub threads: i32,
    /// Number of providers that were tried and rejected; see sls_engine_refused().
    pub refused: i32,
    /// Must be 0.
    pub reserved: [u64; 4],
}

// SAFETY: size first, numbers and pointers, reserved last.
unsafe impl SizedStruct for sls_info {
    const NAME: &'static str = "sls_info";

    fn reserved_is_zero(&self) -> bool {
        self.reserved == [0; 4]
    }
}

/// Initialises engine options with the default values.
///
/// @param options      not NULL.
/// @param struct_size  sizeof(sls_engine_options).
///
/// @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI.
///
/// Threads: any. Blocks: no. Allocates: nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_engine_options_init(
    options: *mut sls_engine_options,
    struct_size: usize,
) -> sls_status {
    let defaults = sls_engine_options {
        provider: SLS_PROVIDER_AUTO,
        ..Zeroable::zeroed()
    };
    // SAFETY: the header requires a struct of that size.
    boundary(|| unsafe { sized::init(options, struct_size, "options", defaults) })
}

/// Initialises an sls_info: sets struct_size, and every other field to 0.
///
/// @param info         not NULL.
/// @param struct_size  sizeof(sls_info).
///
/// @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI.
///
/// Threads: any. Blocks: no. Allocates: nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_info_init(info: *mut sls_info, struct_size: usize) -> sls_status {
    // SAFETY: the header requires a struct of that size.
    boundary(|| unsafe { sized::init(info, struct_size, "info", Zeroable::zeroed()) })
}

/// Creates an engine: loads ONNX Runtime and the networks.
///
/// The ONNX Runtime library is searched for in this order: the path in the environment variable
/// STYLELIPSYNC_ORT; next to this library and next to the program, and in ../lib/stylelipsync from
/// there; the user's cache folder, which
/// `stylelipsync doctor --fetch` fills. The library itself never accesses a network. ONNX Runtime
/// stays loaded until the process exits.
///
/// @param abi_version  SLS_ABI_VERSION.
/// @param options      NULL for the defaults.
/// @param engine       not NULL; receives the engine. The caller owns it and destroys it with
///                     sls_engine_destroy().
///
/// @return SLS_OK; SLS_ERROR_ABI, SLS_ERROR_NULL, SLS_ERROR_ARGUMENT; SLS_ERROR_RUNTIME if ONNX
/// Runtime is not found; SLS_ERROR_BUNDLE or SLS_ERROR_READ if the bundle cannot be loaded;
/// SLS_ERROR_PROVIDER; SLS_ERROR_NETWORK. On failure *engine is not written.
///
/// Threads: any. Blocks: up to several seconds. Allocates: the engine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_engine_create(
    abi_version: i32,
    options: *const sls_engine_options,
    engine: *mut *mut sls_engine,
) -> sls_status {
    boundary(|| {
        if abi_version != SLS_ABI_VERSION {
            return Err(Failure::Abi(format!(
                "abi_version: the program was built for ABI {abi_version}, the library has ABI {SLS_ABI_VERSION}"
            )));
        }
        if engine.is_null() {
            return Err(Failure::Null("engine"));
        }
        let options = if options.is_null() {
            EngineOptions::default()
        } else {
            // SAFETY: the header requires a struct of the size that it states.
            let options = unsafe { sized::read(options, "options")? };
            // SAFETY: the header requires NULL or a string.
            unsafe { engine_options(&options)? }
        };
        let made = Engine::new(&options)?;
        let report = Report::new(&made);
        let handle = Box::new(sls_engine {
            engine: made,
            health: Health::default(),
            report,
        });
        // SAFETY: not NULL; the header requires a writable pointer.
        unsafe { engine.write(Box::into_raw(handle)) };
        Ok(())
    })
}

/// # Safety
/// Pointers in `options` are NULL or point to strings.
unsafe fn engine_options(options: &sls_engine_options) -> Result<EngineOptions, Failure> {
    let provider = usize::try_from(options.provider)
        .ok()
        .and_then(|number| Provider::ALL.get(number).copied())
        .ok_or_else(|| {
            let reason = format!("{} is not an SLS_PROVIDER_ value", options.provider);
            Failure::argument("options.provider", reason)
        })?;
    if !(0..=1024).contains(&options.threads) {
        let reason = format!("{} is not between 0 and 1024", options.threads);
        return Err(Failure::argument("options.threads", reason));
    }
    if !(0..=1).contains(&options.parallel_frames) {
        let reason = format!("{} is neither 0 nor 1", options.parallel_frames);
        return Err(Failure::argument("options.parallel_frames", reason));
    }
    let bundle = if options.bundle.is_null() {
        None
    } else {
        // SAFETY: guaranteed by the caller.
        Some(PathBuf::from(unsafe {
            text::read(options.bundle, "options.bundle")?
        }))
    };
    Ok(EngineOptions {
        provider,
        threads: options.threads as usize,
        parallel_frames: options.parallel_frames == 1,
        bundle,
    })
}

impl Report {
    fn new(engine: &Engine) -> Self {
        let info = engine.info();
        let used = &info.provider;
        Self {
            provider: number(used.used),
            provider_name: c_string(used.used.name()),
            device: c_string(&used.device),
            bundle: c_string(&info.bundle),
            runtime: c_string(&info.runtime),
            threads: i32::try_from(info.threads).unwrap_or(i32::MAX),
            refused: used
                .refused
                .iter()
                .map(|(provider, reason)| (number(*provider), c_string(reason)))
                .collect(),
        }
    }
}

/// The SLS_PROVIDER_ value of a provider.
fn number(provider: Provider) -> i32 {
    match provider {
        Provider::Auto => SLS_PROVIDER_AUTO,
        Provider::Cpu => SLS_PROVIDER_CPU,
        Provider::WebGpu => SLS_PROVIDER_WEBGPU,
        Provider::Cuda => SLS_PROVIDER_CUDA,
        Provider::CoreMl => SLS_PROVIDER_COREML,
        Provider::DirectMl => SLS_PROVIDER_DIRECTML,
        Provider::OpenVino => SLS_PROVIDER_OPENVINO,
        Provider::OpenVinoBf16 => SLS_PROVIDER_OPENVINO_BF16,
        Provider::OpenVinoGpu => SLS_PROVIDER_OPENVINO_GPU,
        Provider::OpenVinoNpu => SLS_PROVIDER_OPENVINO_NPU,
    }
}

/// Destroys an engine. Clips created from it remain valid and keep the networks loaded.
///
/// @param engine  may be NULL. No other call may be using it.
///
/// Threads: any. Blocks: no.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_engine_destroy(engine: *mut sls_engine) {
    // SAFETY: the header requires a live engine that nobody uses.
    unsafe { handle::destroy(engine) }
}

/// Returns the properties of an engine: the provider in use, its device, the bundle.
///
/// @param engine  not NULL.
/// @param info    not NULL, with struct_size set; receives the properties.
///
/// @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI.
///
/// Threads: any; concurrent. Blocks: no. Allocates: nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_engine_info(
    engine: *const sls_engine,
    info: *mut sls_info,
) -> sls_status {
    // SAFETY: the header requires a live engine, and a struct of the size that it states.
    unsafe {
        on(engine, |engine| {
            let out = Out::new(info, "info")?.ok_or(Failure::Null("info"))?;
            let report = &engine.report;
            out.write(sls_info {
                provider: report.provider,
                provider_name: report.provider_name.as_ptr(),
                device: report.device.as_ptr(),
                bundle: report.bundle.as_ptr(),
                runtime: report.runtime.as_ptr(),
                threads: report.threads,
                refused: i32::try_from(report.refused.len()).unwrap_or(i32::MAX),
                ..Zeroable::zeroed()
            });
            Ok(())
        })
    }
}

/// Returns a provider that was tried and rejected, and the reason.
///
/// @param engine    not NULL.
/// @param index     0 to sls_info.refused - 1.
/// @param provider  may be NULL; receives one of SLS_PROVIDER_*.
/// @param reason    may be NULL; receives an error message in UTF-8, valid until the engine is
///                  destroyed.
///
/// @return SLS_OK, SLS_ERROR_NULL; SLS_ERROR_ARGUMENT if index is out of range.
///
/// Threads: any; concurrent. Blocks: no. Allocates: nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_engine_refused(
    engine: *const sls_engine,
    index: i32,
    provider: *mut i32,
    reason: *mut *const c_char,
) -> sls_status {
    // SAFETY: the header requires a live engine and writable pointers.
    unsafe {
        on(engine, |engine| {
            let refused = usize::try_from(index)
                .ok()
                .and_then(|i| engine.report.refused.get(i));
            let (number, message) = refused.ok_or_else(|| {
                let count = engine.report.refused.len();
                Failure::argument(
                    "index",
                    format!("{index} is out of range: {count} providers were refused"),
                )
            })?;
            if let Some(provider) = provider.as_mut() {
                *provider = *number;
            }
            if let Some(reason) = reason.as_mut() {
                *reason = message.as_ptr();
            }
            Ok(())
        })
    }
}

/// Copies the error message of the last call on this engine, on any thread, that did not return
/// SLS_OK.
///
/// @param engine    may be NULL: the message is then empty.
/// @param buffer    may be NULL; receives NUL-terminated UTF-8, truncated if it does not fit.
/// @param capacity  size of buffer in bytes.
///
/// @return the size of the whole message in bytes, including its NUL.
///
/// Threads: any; concurrent. Blocks: no.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_engine_last_error(
    engine: *const sls_engine,
    buffer: *mut c_char,
    capacity: usize,
) -> usize {
    // SAFETY: the header requires a live engine and a buffer of that capacity.
    unsafe { handle::last_error(engine, buffer, capacity) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_header() {
        for (index, provider) in Provider::ALL.into_iter().enumerate() {
            assert_eq!(number(provider), index as i32);
        }
    }
}

//! The engine: networks and devices.

use std::ffi::{CString, c_char};
use std::path::PathBuf;
use std::sync::Arc;

use bytemuck::Zeroable;

use super::boundary::{Health, boundary};
use super::handle::{self, Handle, on};
use super::sized::{self, Out, SizedStruct};
use super::status::{Failure, sls_status};
use super::text::{self, c_string};
use super::version::SLS_ABI_VERSION;
use crate::engine::{Engine, EngineOptions};
use crate::model::Provider;

/// The fastest provider that works here; the refused ones are reported.
pub const SLS_PROVIDER_AUTO: i32 = 0;
/// The processor. It always works.
pub const SLS_PROVIDER_CPU: i32 = 1;
/// Any vendor's GPU, through ONNX Runtime's WebGPU plug-in.
pub const SLS_PROVIDER_WEBGPU: i32 = 2;
/// An NVIDIA GPU; needs a build of ONNX Runtime with CUDA.
pub const SLS_PROVIDER_CUDA: i32 = 3;
/// Apple's accelerators.
pub const SLS_PROVIDER_COREML: i32 = 4;
/// Direct3D 12; needs a build of ONNX Runtime with DirectML.
pub const SLS_PROVIDER_DIRECTML: i32 = 5;

/// Networks and devices, which do not change from clip to clip. Make one for the process; any
/// number of clips and threads use it at once.
pub struct sls_engine {
    pub(super) engine: Arc<Engine>,
    health: Health,
    report: Report,
}

/// What sls_info points at.
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

/// How an engine is made. Initialise it by sls_engine_options_init(), then change what you need.
#[repr(C)]
#[derive(Clone, Copy, Zeroable)]
pub struct sls_engine_options {
    /// sizeof(sls_engine_options).
    pub struct_size: u32,
    /// One of SLS_PROVIDER_; SLS_PROVIDER_AUTO by default. A provider that is asked for by name
    /// and cannot be used is an error; nothing else is taken in silence.
    pub provider: i32,
    /// Threads for one network on the CPU; 0, the default: one for each core.
    pub threads: i32,
    /// 0.
    pub reserved0: i32,
    /// Folder of a model bundle, UTF-8; NULL, the default: the bundle inside the library.
    pub bundle: *const c_char,
    /// 0.
    pub reserved: [u64; 6],
}

// SAFETY: size first, numbers and a pointer, reserved last.
unsafe impl SizedStruct for sls_engine_options {
    const NAME: &'static str = "sls_engine_options";

    fn reserved_is_zero(&self) -> bool {
        self.reserved0 == 0 && self.reserved == [0; 6]
    }
}

/// What an engine is. All strings are UTF-8 and live as long as the engine.
#[repr(C)]
#[derive(Clone, Copy, Zeroable)]
pub struct sls_info {
    /// sizeof(sls_info); set it before the call, or use sls_info_init().
    pub struct_size: u32,
    /// The provider that runs all networks: one of SLS_PROVIDER_, never SLS_PROVIDER_AUTO.
    pub provider: i32,
    /// Its name: "cpu", "webgpu", "cuda", "coreml" or "directml".
    pub provider_name: *const c_char,
    /// The device, as ONNX Runtime names it; empty where it does not.
    pub device: *const c_char,
    /// Name and version of the model bundle.
    pub bundle: *const c_char,
    /// The ONNX Runtime library in use, and how it was found.
    pub runtime: *const c_char,
    /// Threads for one network on the CPU.
    pub threads: i32,
    /// How many providers were tried before this one and refused (see sls_engine_refused()).
    pub refused: i32,
    /// 0.
    pub reserved: [u64; 4],
}

// SAFETY: size first, numbers and pointers, reserved last.
unsafe impl SizedStruct for sls_info {
    const NAME: &'static str = "sls_info";

    fn reserved_is_zero(&self) -> bool {
        self.reserved == [0; 4]
    }
}

/// Fills the options with their defaults.
///
/// @param options      not NULL.
/// @param struct_size  sizeof(sls_engine_options).
///
/// @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI.
///
/// Any thread; does not block.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_engine_options_init(
    options: *mut sls_engine_options,
    struct_size: usize,
) -> sls_status {
    let defaults = sls_engine_options {
        provider: SLS_PROVIDER_AUTO,
        ..Zeroable::zeroed()
    };
    // SAFETY: the header demands a struct of that size.
    boundary(|| unsafe { sized::init(options, struct_size, "options", defaults) })
}

/// Sets all fields of an sls_info to 0 but its size.
///
/// @param info         not NULL.
/// @param struct_size  sizeof(sls_info).
///
/// @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI.
///
/// Any thread; does not block.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_info_init(info: *mut sls_info, struct_size: usize) -> sls_status {
    // SAFETY: the header demands a struct of that size.
    boundary(|| unsafe { sized::init(info, struct_size, "info", Zeroable::zeroed()) })
}

/// Loads ONNX Runtime and the networks.
///
/// ONNX Runtime's shared library is looked for at the path in the environment variable
/// STYLELIPSYNC_ORT, beside this library and the program, and in the cache folder that the
/// command-line program fills; nothing is ever fetched from a network. It stays loaded until the
/// process ends.
///
/// @param abi_version  SLS_ABI_VERSION.
/// @param options      NULL for the defaults; read during the call only.
/// @param engine       not NULL; receives the engine, which is yours: sls_engine_destroy().
///
/// @return SLS_OK; SLS_ERROR_ABI, SLS_ERROR_NULL, SLS_ERROR_ARGUMENT; SLS_ERROR_RUNTIME when there
/// is no ONNX Runtime; SLS_ERROR_BUNDLE, SLS_ERROR_READ; SLS_ERROR_PROVIDER; SLS_ERROR_NETWORK. On
/// failure *engine is not written, and sls_last_error() tells the reason.
///
/// Any thread; blocks for up to some seconds.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_engine_create(
    abi_version: i32,
    options: *const sls_engine_options,
    engine: *mut *mut sls_engine,
) -> sls_status {
    boundary(|| {
        if abi_version != SLS_ABI_VERSION {
            return Err(Failure::Abi(format!(
                "abi_version: the program's is {abi_version}, the library's {SLS_ABI_VERSION}"
            )));
        }
        if engine.is_null() {
            return Err(Failure::Null("engine"));
        }
        let options = if options.is_null() {
            EngineOptions::default()
        } else {
            // SAFETY: the header demands a struct of the size that it states.
            let options = unsafe { sized::read(options, "options")? };
            // SAFETY: the header demands NULL or a string.
            unsafe { engine_options(&options)? }
        };
        let made = Engine::new(&options)?;
        let report = Report::new(&made);
        let handle = Box::new(sls_engine {
            engine: made,
            health: Health::default(),
            report,
        });
        // SAFETY: not NULL; the header demands a writable pointer.
        unsafe { engine.write(Box::into_raw(handle)) };
        Ok(())
    })
}

/// # Safety
/// Pointers in `options` are NULL or strings.
unsafe fn engine_options(options: &sls_engine_options) -> Result<EngineOptions, Failure> {
    let provider = usize::try_from(options.provider)
        .ok()
        .and_then(|number| Provider::ALL.get(number).copied())
        .ok_or_else(|| {
            let reason = format!("{} is none of SLS_PROVIDER_", options.provider);
            Failure::argument("options.provider", reason)
        })?;
    if !(0..=1024).contains(&options.threads) {
        let reason = format!("{} is not between 0 and 1024", options.threads);
        return Err(Failure::argument("options.threads", reason));
    }
    let bundle = if options.bundle.is_null() {
        None
    } else {
        // SAFETY: as promised by the caller.
        Some(PathBuf::from(unsafe {
            text::read(options.bundle, "options.bundle")?
        }))
    };
    Ok(EngineOptions {
        provider,
        threads: options.threads as usize,
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

/// The SLS_PROVIDER_ number.
fn number(provider: Provider) -> i32 {
    match provider {
        Provider::Auto => SLS_PROVIDER_AUTO,
        Provider::Cpu => SLS_PROVIDER_CPU,
        Provider::WebGpu => SLS_PROVIDER_WEBGPU,
        Provider::Cuda => SLS_PROVIDER_CUDA,
        Provider::CoreMl => SLS_PROVIDER_COREML,
        Provider::DirectMl => SLS_PROVIDER_DIRECTML,
    }
}

/// Destroys an engine. Clips made with it live on, and keep its networks loaded.
///
/// @param engine  may be NULL; no other call may be using it.
///
/// Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_engine_destroy(engine: *mut sls_engine) {
    // SAFETY: the header demands a live engine that nobody uses.
    unsafe { handle::destroy(engine) }
}

/// Tells what an engine is: the provider really in use, its device, the bundle.
///
/// @param engine  not NULL.
/// @param info    not NULL, its struct_size set.
///
/// @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI.
///
/// Any thread; does not block.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_engine_info(
    engine: *const sls_engine,
    info: *mut sls_info,
) -> sls_status {
    // SAFETY: the header demands a live engine, and a struct of the size that it states.
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

/// Tells a provider that was refused, and why.
///
/// @param engine    not NULL.
/// @param index     0 to the count in sls_info, less one.
/// @param provider  may be NULL; receives one of SLS_PROVIDER_.
/// @param reason    may be NULL; receives a sentence that lives as long as the engine.
///
/// @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ARGUMENT.
///
/// Any thread; does not block.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_engine_refused(
    engine: *const sls_engine,
    index: i32,
    provider: *mut i32,
    reason: *mut *const c_char,
) -> sls_status {
    // SAFETY: the header demands a live engine and writable pointers.
    unsafe {
        on(engine, |engine| {
            let refused = usize::try_from(index)
                .ok()
                .and_then(|i| engine.report.refused.get(i));
            let (number, sentence) = refused.ok_or_else(|| {
                let count = engine.report.refused.len();
                Failure::argument("index", format!("{index} of {count} refused providers"))
            })?;
            if let Some(provider) = provider.as_mut() {
                *provider = *number;
            }
            if let Some(reason) = reason.as_mut() {
                *reason = sentence.as_ptr();
            }
            Ok(())
        })
    }
}

/// Copies the sentence that explains the engine's last call, on any thread, that returned something
/// else than SLS_OK.
///
/// @param engine    may be NULL: the sentence is empty then.
/// @param buffer    receives UTF-8 ended by a NUL, cut where it does not fit; may be NULL.
/// @param capacity  bytes at buffer.
///
/// @return the bytes that the whole sentence needs, its NUL included.
///
/// Any thread; does not block.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_engine_last_error(
    engine: *const sls_engine,
    buffer: *mut c_char,
    capacity: usize,
) -> usize {
    // SAFETY: the header demands a live engine and a buffer of that capacity.
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

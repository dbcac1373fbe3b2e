//! Creates the engine from the command line's options.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use stylelipsync::model::Provider;
use stylelipsync::model::locate::{Component, locate};
use stylelipsync::{Engine, EngineOptions, Error};
use stylelipsync_provision::{Doctor, provision};

use crate::args::{DoctorArguments, EngineArguments, ProviderName};
use crate::bundles;
use crate::failure::{Failure, Result};
use crate::logger;

impl From<ProviderName> for Provider {
    fn from(name: ProviderName) -> Self {
        match name {
            ProviderName::Auto => Self::Auto,
            ProviderName::Cpu => Self::Cpu,
            ProviderName::Webgpu => Self::WebGpu,
            ProviderName::Cuda => Self::Cuda,
            ProviderName::Coreml => Self::CoreMl,
            ProviderName::Directml => Self::DirectMl,
            ProviderName::Openvino => Self::OpenVino,
            ProviderName::OpenvinoBf16 => Self::OpenVinoBf16,
            ProviderName::OpenvinoGpu => Self::OpenVinoGpu,
            ProviderName::OpenvinoNpu => Self::OpenVinoNpu,
        }
    }
}

impl EngineArguments {
    /// Frames processed in parallel.
    pub fn workers(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        self.threads.map_or_else(cores, NonZeroUsize::get)
    }

    /// Opens the engine; fetches ONNX Runtime first where it is missing.
    ///
    /// # Errors
    /// From the library: no runtime, a broken bundle, a provider that cannot be used.
    pub fn open(&self) -> Result<Arc<Engine>> {
        fetch(Component::OnnxRuntime)?;
        let provider = Provider::from(self.provider);
        if let Some(plugin) = provider.plugin() {
            fetch(plugin)?;
        }
        let program = std::env::current_exe().ok();
        let named = |given: &PathBuf| bundles::folder(given, program.as_deref());
        let bundle = self.bundle.as_ref().map(named).transpose()?;
        let engine = Engine::new(&EngineOptions {
            provider,
            threads: self.workers(),
            parallel_frames: true,
            bundle,
        })
        .map_err(|error| match error {
            // Of all files only a bundle's are read here: a missing one is a broken bundle.
            Error::Read { .. } => Failure::Tool(error.to_string()),
            error => error.into(),
        })?;
        eprintln!("provider: {}", engine.info().provider);
        log::info!(target: logger::FILE_ONLY, "provider: {}", engine.info().provider);
        Ok(engine)
    }
}

/// Fetches a component into the cache folder where it is not on this machine. A path in an
/// environment variable that names no file is an error and is not replaced.
fn fetch(component: Component) -> Result<()> {
    if locate(component).is_err() {
        eprintln!(
            "fetching {} (once; it is kept in the cache folder)",
            component.title()
        );
        provision(component)?;
    }
    Ok(())
}

/// How to get what `render --credentials` needs.
const CREDENTIALS: &str = "\
content credentials
  `render --credentials` signs with your own certificate: one for document signing, S/MIME (emailProtection) or C2PA
  claim signing, and its private key, unencrypted in PKCS #8. An authority on the C2PA trust list issues certificates
  that other programs show as trusted; with one of your own authority, `verify --trust` knows you, and others do not.";

/// The command `doctor`.
///
/// # Errors
/// From fetching; and [`Failure::Tool`] when nothing can run here, after the report, which tells
/// what to do.
pub fn doctor(arguments: &DoctorArguments) -> Result<()> {
    if arguments.fetch {
        fetch(Component::OnnxRuntime)?;
        fetch(Component::WebGpu)?;
    }
    if arguments.openvino {
        fetch(Component::OpenVino)?;
    }
    let report = Doctor::examine();
    println!("{report}");
    println!("{CREDENTIALS}");
    if report.is_healthy() {
        return Ok(());
    }
    Err(Failure::Tool(
        "the networks cannot run on this machine yet: see the report".into(),
    ))
}

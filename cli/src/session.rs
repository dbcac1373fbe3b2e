//! Creates the engine from the command line's options.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use stylelipsync::model::locate::{Component, locate};
use stylelipsync::model::{Provider, SpeechContext};
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
        for component in self.components() {
            fetch(component)?;
        }
        self.create().inspect(announce)
    }

    /// Opens the engine where nothing has to be fetched first, and builds the networks that render with this
    /// context.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_early(&self, context: SpeechContext) -> Result<Option<Arc<Engine>>> {
        if self
            .components()
            .any(|component| locate(component).is_err())
        {
            return Ok(None);
        }
        let engine = self.create()?;
        engine.networks().prepare(context)?;
        Ok(Some(engine))
    }

    fn components(&self) -> impl Iterator<Item = Component> {
        let plugin = Provider::from(self.provider).plugin();
        std::iter::once(Component::OnnxRuntime).chain(plugin)
    }

    fn create(&self) -> Result<Arc<Engine>> {
        let program = std::env::current_exe().ok();
        let named = |given: &PathBuf| bundles::folder(given, program.as_deref());
        let options = EngineOptions {
            provider: self.provider.into(),
            threads: self.workers(),
            parallel_frames: true,
            bundle: self.bundle.as_ref().map(named).transpose()?,
        };
        Engine::new(&options).map_err(|error| match error {
            // Of all files only a bundle's are read here: a missing one is a broken bundle.
            Error::Read { .. } => Failure::Tool(error.to_string()),
            error => error.into(),
        })
    }
}

/// Says which provider is in use.
pub fn announce(engine: &Arc<Engine>) {
    let provider = engine.info().provider;
    eprintln!("provider: {provider}");
    log::info!(target: logger::FILE_ONLY, "provider: {provider}");
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

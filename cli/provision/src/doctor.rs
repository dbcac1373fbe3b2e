//! The report of `stylelipsync doctor`: components found, their paths, working providers, and how
//! to install the rest.
//!
//! The report is data; printing it gives the text of `stylelipsync doctor`.

use std::{fmt, path::PathBuf};

use stylelipsync::Error;
use stylelipsync::model::locate::{Component, Found, cache_folder, locate};
use stylelipsync::model::networks::Placement;
use stylelipsync::model::{Bundle, Networks, Provider, Runtime};

use crate::log_file;

/// An error without the prefix that the line of the report has anyway.
fn reason(error: Error) -> String {
    match error {
        Error::Runtime(reason) | Error::Provider { reason, .. } => reason,
        other => other.to_string(),
    }
}

/// A report on this machine. [`Doctor::examine`] loads ONNX Runtime and tries every provider, so it
/// takes seconds; it changes nothing and does not use the network.
#[derive(Debug)]
pub struct Doctor {
    /// The library's version.
    pub version: &'static str,
    /// Where provisioned libraries are kept, where that is known.
    pub cache: Option<PathBuf>,
    /// The log files of the command line and of the effect, which can be attached to a report.
    pub logs: [(&'static str, Option<PathBuf>); 2],
    /// ONNX Runtime's library: where it was found, or what to do.
    pub runtime: Result<Found, String>,
    /// ONNX Runtime's own description of its build, once it is loaded.
    pub build: Result<String, String>,
    /// The WebGPU plug-in.
    pub webgpu: Result<Found, String>,
    /// The OpenVINO plug-in.
    pub openvino: Result<Found, String>,
    /// Each provider but `auto`: the device it would use (often empty), or why it is refused.
    pub providers: Vec<(Provider, Result<String, String>)>,
    /// The provider that `auto` chooses.
    pub auto: Option<Provider>,
    /// The bundle inside the library: its name and version.
    pub bundle: Result<String, String>,
    /// Where the nodes of each network run with `auto`, or why they cannot be loaded.
    pub placements: Result<Vec<Placement>, String>,
}

impl Doctor {
    /// Examines everything. It cannot fail: what fails is part of the report.
    pub fn examine() -> Doctor {
        let started = Runtime::start(0).map_err(reason);
        let providers: Vec<_> = Provider::ALL
            .into_iter()
            .filter(|provider| *provider != Provider::Auto)
            .map(|provider| {
                let tried = match &started {
                    Ok(runtime) => runtime.choose(provider).map_err(reason),
                    Err(_) => Err("ONNX Runtime is not loaded".into()),
                };
                (provider, tried.map(|report| report.device))
            })
            .collect();
        let works = |wanted: &Provider| {
            providers
                .iter()
                .any(|(provider, tried)| provider == wanted && tried.is_ok())
        };
        let bundle = Bundle::embedded();
        let placements = match (&bundle, &started) {
            (Ok(bundle), Ok(_)) => Networks::load(bundle, Provider::Auto, 0)
                .map(|networks| networks.placements())
                .map_err(|error| error.to_string()),
            _ => Err("nothing can be loaded yet".into()),
        };
        let find = |component| locate(component).map_err(reason);
        Doctor {
            version: env!("CARGO_PKG_VERSION"),
            cache: cache_folder(),
            logs: [
                ("log", log_file::path("cli")),
                ("log of the effect", log_file::path("ofx")),
            ],
            runtime: find(Component::OnnxRuntime),
            build: started.map(|runtime| runtime.build_information().to_owned()),
            webgpu: find(Component::WebGpu),
            openvino: find(Component::OpenVino),
            auto: Provider::candidates().iter().copied().find(works),
            bundle: bundle
                .map(|bundle| {
                    let manifest = bundle.manifest();
                    format!("{} {}", manifest.name, manifest.version)
                })
                .map_err(|error| error.to_string()),
            placements,
            providers,
        }
    }

    /// Whether clips can be rendered here.
    pub fn is_healthy(&self) -> bool {
        self.auto.is_some() && self.bundle.is_ok() && self.placements.is_ok()
    }

    /// What to do, one sentence each; empty where nothing needs doing.
    pub fn advice(&self) -> Vec<String> {
        let mut advice = Vec::new();
        if self.runtime.is_err() {
            advice.push(
                "Correct or unset STYLELIPSYNC_ORT where it is set (it takes ONNX Runtime 1.24 or \
                 later); else run `stylelipsync doctor --fetch`, which needs a network \
                 connection and Python 3 with pip."
                    .into(),
            );
        } else if self.build.is_err() {
            advice.push(
                "ONNX Runtime was found but cannot be used: delete it or correct \
                 STYLELIPSYNC_ORT, then run `stylelipsync doctor --fetch`."
                    .into(),
            );
        } else if self.auto == Some(Provider::Cpu) {
            if self.webgpu.is_err() {
                advice.push(
                    "Rendering runs on the CPU. For a GPU run `stylelipsync doctor --fetch`, which \
                     fetches the WebGPU provider."
                        .into(),
                );
            } else {
                advice.push(
                    "Rendering runs on the CPU. For a GPU install its driver; on Linux WebGPU also \
                     needs the Vulkan loader (package libvulkan1)."
                        .into(),
                );
            }
        }
        if self.bundle.is_err() {
            advice.push("Build the library again in a checkout that has models/lite.".into());
        }
        advice
    }
}

impl fmt::Display for Doctor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = |found: &Result<Found, String>| match found {
            Ok(found) => format!("{} ({})", found.path.display(), found.source),
            Err(reason) => format!("none: {reason}"),
        };
        writeln!(f, "stylelipsync     {}", self.version)?;
        writeln!(f, "ONNX Runtime     {}", found(&self.runtime))?;
        match &self.build {
            Ok(build) => writeln!(f, "                 {build}")?,
            // Where the library is missing, the line above reports it already.
            Err(reason) if self.runtime.is_ok() => writeln!(f, "                 {reason}")?,
            Err(_) => {}
        }
        writeln!(f, "WebGPU provider  {}", found(&self.webgpu))?;
        writeln!(f, "OpenVINO         {}", found(&self.openvino))?;
        let cache = self
            .cache
            .as_ref()
            .map_or("none".into(), |path| path.display().to_string());
        writeln!(f, "cache folder     {cache}")?;
        for (name, path) in &self.logs {
            let path = path.as_ref();
            let path = path.map_or("none".into(), |path| path.display().to_string());
            writeln!(f, "{name:<17} {path}")?;
        }
        match &self.bundle {
            Ok(bundle) => writeln!(f, "bundle           {bundle}, inside the library")?,
            Err(reason) => writeln!(f, "bundle           {reason}")?,
        }
        writeln!(f, "providers")?;
        for (provider, tried) in &self.providers {
            let chosen = if self.auto == Some(*provider) {
                ", chosen by auto"
            } else {
                ""
            };
            match tried {
                Ok(device) if device.is_empty() => writeln!(f, "  {provider:<13} works{chosen}")?,
                Ok(device) => writeln!(f, "  {provider:<13} works: {device}{chosen}")?,
                Err(reason) => writeln!(f, "  {provider:<13} refused: {reason}")?,
            }
        }
        match &self.placements {
            Ok(placements) => {
                writeln!(
                    f,
                    "networks, and the number of nodes that each provider runs"
                )?;
                for Placement { network, nodes } in placements {
                    let nodes: Vec<_> = nodes
                        .iter()
                        .map(|(name, count)| format!("{name} {count}"))
                        .collect();
                    writeln!(f, "  {network:<17} {}", nodes.join(", "))?;
                }
            }
            Err(reason) => writeln!(f, "networks         {reason}")?,
        }
        for sentence in self.advice() {
            writeln!(f, "what to do: {sentence}")?;
        }
        Ok(())
    }
}

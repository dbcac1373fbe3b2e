//! Finds ONNX Runtime's shared library.
//!
//! This library does not link ONNX Runtime. It loads it by absolute path, so that a host that has
//! its own ONNX Runtime is not affected. [`locate`] looks, in this order, at
//!
//! 1. the environment variable (`STYLELIPSYNC_ORT`, `STYLELIPSYNC_WEBGPU`, `STYLELIPSYNC_OPENVINO`): the
//!    path of the library,
//! 2. the folder of the module this code is in (the plug-in, `libstylelipsync`), then the folder of
//!    the executable; if that is `bin`, `lib` or `lib64`, also `../lib/stylelipsync`, where packages keep
//!    it,
//! 3. the cache folder ([`cache_folder`]).
//!
//! It never accesses the internet. The crate `stylelipsync-provision`, used by the command line and
//! by tests, downloads missing files into the cache folder.

use super::module::module_file;
use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// A shared library that the engine loads at run time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Component {
    /// ONNX Runtime itself. Without it no network runs.
    OnnxRuntime,
    /// The WebGPU execution provider, a plug-in of ONNX Runtime: any vendor's GPU.
    WebGpu,
    /// The OpenVINO execution provider, a plug-in of ONNX Runtime: Intel processors, GPUs and NPUs. OpenVINO's
    /// own libraries lie beside it.
    OpenVino,
}

impl Component {
    /// The environment variable that overrides where the library is.
    pub fn variable(self) -> &'static str {
        match self {
            Component::OnnxRuntime => "STYLELIPSYNC_ORT",
            Component::WebGpu => "STYLELIPSYNC_WEBGPU",
            Component::OpenVino => "STYLELIPSYNC_OPENVINO",
        }
    }

    /// Its name in an error message about ONNX Runtime.
    pub fn title(self) -> &'static str {
        match self {
            Component::OnnxRuntime => "the library",
            Component::WebGpu => "the WebGPU provider",
            Component::OpenVino => "the OpenVINO provider",
        }
    }

    /// Its file in a cache folder. The folder's name holds the pinned version, so that a new
    /// version does not overwrite a library that a process has loaded.
    pub fn cached_in(self, cache: &Path) -> PathBuf {
        let folder = match self {
            Component::OnnxRuntime => "onnxruntime-1.32.0",
            Component::WebGpu => "onnxruntime-ep-webgpu-0.4.0",
            Component::OpenVino => "onnxruntime-ep-openvino-1.8.1",
        };
        cache.join(folder).join(self.file_names()[0])
    }

    /// File names that are accepted next to the module, the preferred one first.
    fn file_names(self) -> &'static [&'static str] {
        match (self, std::env::consts::OS) {
            (Component::OnnxRuntime, "windows") => &["onnxruntime.dll"],
            (Component::OnnxRuntime, "macos") => {
                &["libonnxruntime.1.32.0.dylib", "libonnxruntime.dylib"]
            }
            (Component::OnnxRuntime, _) => &[
                "libonnxruntime.so.1.32.0",
                "libonnxruntime.so.1",
                "libonnxruntime.so",
            ],
            (Component::WebGpu, "windows") => &["onnxruntime_providers_webgpu.dll"],
            (Component::WebGpu, "macos") => &["libonnxruntime_providers_webgpu.dylib"],
            (Component::WebGpu, _) => &["libonnxruntime_providers_webgpu.so"],
            (Component::OpenVino, "windows") => &["onnxruntime_providers_openvino_plugin.dll"],
            (Component::OpenVino, _) => &["libonnxruntime_providers_openvino_plugin.so"],
        }
    }
}

/// How a library was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// An environment variable names it.
    Variable(&'static str),
    /// It lies next to our module or the executable.
    Beside,
    /// It was provisioned into the cache folder.
    Cache,
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Source::Variable(name) => write!(f, "environment variable {name}"),
            Source::Beside => f.write_str("next to the library or the program"),
            Source::Cache => f.write_str("cache folder"),
        }
    }
}

/// A library on this machine. `path` is absolute and names an existing file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The file.
    pub path: PathBuf,
    /// How it was found.
    pub source: Source,
}

/// Finds a component on this machine without going to the network.
///
/// # Errors
/// [`Error::Runtime`] with a message that tells where it was looked for and what to do. A variable
/// that names no file is an error too: it is never ignored.
pub fn locate(component: Component) -> Result<Found> {
    Places::of_this_process(component).locate(component)
}

/// The folder where provisioned libraries are kept: `STYLELIPSYNC_CACHE`, else the user's cache
/// folder as the operating system has it (`$XDG_CACHE_HOME` or `~/.cache`, `~/Library/Caches`,
/// `%LOCALAPPDATA%`) with `stylelipsync` in it. None where not even a home folder is known.
pub fn cache_folder() -> Option<PathBuf> {
    let variable = |name| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    if let Some(folder) = variable("STYLELIPSYNC_CACHE") {
        return std::path::absolute(folder).ok();
    }
    let folder = match std::env::consts::OS {
        // A service account may lack the first.
        "windows" => variable("LOCALAPPDATA")
            .filter(|path| path.is_absolute())
            .or_else(|| variable("USERPROFILE").map(|home| home.join(r"AppData\Local"))),
        "macos" => variable("HOME").map(|home| home.join("Library/Caches")),
        // The XDG rules: a relative path in the variable is to be ignored.
        _ => variable("XDG_CACHE_HOME")
            .filter(|path| path.is_absolute())
            .or_else(|| variable("HOME").map(|home| home.join(".cache"))),
    };
    folder.map(|folder| folder.join("stylelipsync"))
}

/// Where a package keeps the library, for a program in its `bin` or a module in its `lib`. No other folder has
/// such a neighbour: what lies beside it may be anybody's.
fn packaged(folder: &Path) -> Option<PathBuf> {
    let name = folder.file_name()?.to_str()?;
    let is_installed = ["bin", "lib", "lib64"].contains(&name);
    is_installed.then(|| folder.with_file_name("lib").join("stylelipsync"))
}

/// Everything [`locate`] depends on, as data, so that tests need not change the environment.
struct Places {
    variable: Option<PathBuf>,
    folders: Vec<PathBuf>,
    cache: Option<PathBuf>,
}

impl Places {
    fn of_this_process(component: Component) -> Self {
        let mut folders: Vec<PathBuf> = Vec::new();
        let modules = [module_file(), std::env::current_exe().ok()];
        for folder in modules.iter().flatten().filter_map(|file| file.parent()) {
            for folder in std::iter::once(folder.to_path_buf()).chain(packaged(folder)) {
                if !folders.contains(&folder) {
                    folders.push(folder);
                }
            }
        }
        let variable = std::env::var_os(component.variable())
            .filter(|value| !value.is_empty())
            .map(PathBuf::from);
        Places {
            variable,
            folders,
            cache: cache_folder(),
        }
    }

    fn locate(&self, component: Component) -> Result<Found> {
        if let Some(path) = &self.variable {
            let name = component.variable();
            let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
            if !path.is_file() {
                return Err(Error::Runtime(format!(
                    "{name} names {}, which is not a file",
                    path.display()
                )));
            }
            return Ok(Found {
                path,
                source: Source::Variable(name),
            });
        }
        for folder in &self.folders {
            for name in component.file_names() {
                let path = folder.join(name);
                if path.is_file() {
                    return Ok(Found {
                        path,
                        source: Source::Beside,
                    });
                }
            }
        }
        let cached = self.cached(component);
        match cached {
            Some(path) if path.is_file() => Ok(Found {
                path,
                source: Source::Cache,
            }),
            _ => Err(Error::Runtime(self.missing(component))),
        }
    }

    fn cached(&self, component: Component) -> Option<PathBuf> {
        Some(component.cached_in(self.cache.as_deref()?))
    }

    fn missing(&self, component: Component) -> String {
        let names = component.file_names().join(" or ");
        let folders: Vec<String> = self
            .folders
            .iter()
            .map(|folder| folder.display().to_string())
            .collect();
        let cached = match self.cached(component) {
            Some(path) => format!("{} does not exist", path.display()),
            None => "there is no cache folder".into(),
        };
        format!(
            "{title} was not found: {variable} is not set, no {names} lies in {folders}, and \
             {cached}; run `stylelipsync doctor --fetch{more}` (it fetches the pinned version through \
             pip) or set {variable} to the library's path",
            title = component.title(),
            more = if component == Component::OpenVino {
                " --openvino"
            } else {
                ""
            },
            variable = component.variable(),
            folders = folders.join(" or "),
        )
    }
}

#[cfg(test)]
#[path = "locate_tests.rs"]
mod tests;

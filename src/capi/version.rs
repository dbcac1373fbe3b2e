//! Versions of the library and of its binary interface (ABI).

use std::ffi::c_char;

use super::text::c_str;

/// Major version of the library that this header belongs to.
pub const SLS_VERSION_MAJOR: i32 = 0;
/// Minor version of the library that this header belongs to.
pub const SLS_VERSION_MINOR: i32 = 1;
/// Patch version of the library that this header belongs to.
pub const SLS_VERSION_PATCH: i32 = 0;

/// Version of the binary interface (ABI) that this header describes. Pass it to
/// sls_engine_create(), which checks it. It increases only when programs built with an older header
/// stop working.
pub const SLS_ABI_VERSION: i32 = 1;

/// Returns the version of the library at run time.
///
/// @return "major.minor.patch": a static string, valid until the library is unloaded; never NULL.
///
/// Threads: any. Blocks: no. Allocates: nothing.
#[unsafe(no_mangle)]
pub extern "C" fn sls_version() -> *const c_char {
    c_str(concat!(env!("CARGO_PKG_VERSION"), "\0"))
}

/// Returns the ABI version of the library at run time; see SLS_ABI_VERSION.
///
/// @return the ABI version.
///
/// Threads: any. Blocks: no. Allocates: nothing.
#[unsafe(no_mangle)]
pub extern "C" fn sls_abi_version() -> i32 {
    SLS_ABI_VERSION
}

#[cfg(test)]
mod tests {
    #[test]
    fn header_and_package_are_of_one_version() {
        let header = [
            super::SLS_VERSION_MAJOR,
            super::SLS_VERSION_MINOR,
            super::SLS_VERSION_PATCH,
        ];
        assert_eq!(
            header.map(|part| part.to_string()).join("."),
            env!("CARGO_PKG_VERSION")
        );
    }
}

//! Versions of the library and of its binary interface.

use std::ffi::c_char;

use super::text::c_str;

/// Major version of the library that this header belongs to.
pub const SLS_VERSION_MAJOR: i32 = 0;
/// Minor version.
pub const SLS_VERSION_MINOR: i32 = 1;
/// Patch version.
pub const SLS_VERSION_PATCH: i32 = 0;

/// Number of the binary interface that this header describes. It grows when a program built with an
/// older header would no longer work; sls_engine_create() checks it.
pub const SLS_ABI_VERSION: i32 = 1;

/// The version of the library at run time, "major.minor.patch".
///
/// @return a string that lives as long as the library; never NULL.
///
/// Any thread; does not block.
#[unsafe(no_mangle)]
pub extern "C" fn sls_version() -> *const c_char {
    c_str(concat!(env!("CARGO_PKG_VERSION"), "\0"))
}

/// The number of the binary interface of the library at run time (see SLS_ABI_VERSION).
///
/// Any thread; does not block.
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

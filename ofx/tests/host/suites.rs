//! Which suites there are, and fetchSuite.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;

use openfx::sys::generic::core::OfxPropertySetHandle;

use super::handles::{HOSTS, lock, text};
use super::options::HostOptions;
use super::scope::{report, spoil_lent_strings};
use super::{effect_suite, memory, message, multithread, param_suite, property_suite};

/// One table of function pointers. Tables are never freed: a plugin keeps them as long as it is
/// loaded, which can be longer than the host that made them.
#[derive(Clone, Copy)]
pub(super) struct Suite {
    pub name: &'static CStr,
    pub version: c_int,
    pub table: usize,
}

/// Builds a suite with the functions nulled that the options name.
macro_rules! suite {
    ($options:expr, $name:expr, $version:expr, $table:ident {
        $($member:ident: $function:expr,)*
    }) => {{
        let mut table = $table { $($member: Some($function)),* };
        $(if $options.is_null($name, stringify!($member)) {
            table.$member = None;
        })*
        let table = Box::into_raw(Box::new(table)) as usize;
        Suite { name: $name, version: $version, table }
    }};
}
pub(super) use suite;

pub(super) fn all(options: &HostOptions) -> Vec<Suite> {
    let mut suites = vec![
        property_suite::property_v1(options),
        effect_suite::image_effect_v1(options),
        param_suite::parameter_v1(options),
        memory::memory_v1(options),
        multithread::multithread_v1(options),
        message::message_v1(options),
        message::message_v2(options),
        message::progress_v1(options),
        message::progress_v2(options),
        message::timeline_v1(options),
    ];
    suites.retain(|suite| !options.is_missing(suite.name, suite.version));
    suites
}

pub(super) extern "C" fn fetch_suite(
    host: OfxPropertySetHandle,
    name: *const c_char,
    version: c_int,
) -> *const c_void {
    spoil_lent_strings();
    let Some(host) = HOSTS.find(host, "fetchSuite") else {
        return ptr::null();
    };
    let Some(name) = text(name) else {
        report("fetchSuite: null suite name".into());
        return ptr::null();
    };
    lock(&host.fetched).push((name.to_string_lossy().into_owned(), version));
    let wanted = |suite: &&Suite| suite.name == name && suite.version == version;
    host.suites
        .iter()
        .find(wanted)
        .map_or(ptr::null(), |suite| suite.table as *const c_void)
}

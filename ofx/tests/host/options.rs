//! What kind of host the plugin finds itself in.

use std::ffi::{CStr, CString, c_int};
use std::sync::{Arc, Mutex};

use openfx::sys::generic::core::*;
use openfx::sys::image_effect_v1::image_effect::*;

use super::descriptor::{Extra, host_properties};
use super::handles::{HOSTS, PROPERTY_SETS};
use super::image::Depth;
use super::property::PropertySet;
use super::suites::{Suite, all, fetch_suite};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Context {
    Filter,
    General,
}

impl Context {
    pub fn name(self) -> &'static CStr {
        match self {
            Context::Filter => kOfxImageEffectContextFilter,
            Context::General => kOfxImageEffectContextGeneral,
        }
    }
}

/// The order of calls before and around a render.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifecycle {
    /// Load, Describe, DescribeInContext.
    Plain,
    /// As the OpenFX project's HostSupport: Load, Describe, Unload, then Load and Describe again.
    HostSupport,
    /// As MLT with frame threads: Load, Describe and a new instance for each frame.
    PerFrame,
}

#[derive(Clone)]
pub struct HostOptions {
    pub name: CString,
    pub api_version: [c_int; 2],
    /// (suite, version) pairs that fetchSuite answers with null.
    pub missing_suites: Vec<(CString, c_int)>,
    /// (suite, member) pairs that are null pointers in every version of the suite.
    pub null_functions: Vec<(CString, &'static str)>,
    /// Without it the host claims no temporal access, and clipGetImage ignores the time.
    pub temporal_access: bool,
    /// Gives a render frames that GetFramesNeeded did not ask for. OpenFX does not forbid to fetch them;
    /// a host that prefetches may have no others.
    pub gives_undeclared: bool,
    pub lifecycle: Lifecycle,
    pub depths: Vec<Depth>,
    /// How many threads the multi-thread suite offers.
    pub cpus: usize,
    /// Tells the plugin where its bundle is (`kOfxPluginPropFilePath`).
    pub file_path: bool,
    /// Claims that every clip is connected, as Resolve does.
    pub all_clips_connected: bool,
    /// Calls InstanceChanged back, from within paramSetValue, for what the plugin itself set.
    pub echo_plugin_edits: bool,
    /// Further properties of the host, or others for those it has.
    pub extra: Extra,
}

impl Default for HostOptions {
    fn default() -> Self {
        HostOptions {
            name: c"org.example.TestHost".into(),
            api_version: [1, 5],
            missing_suites: Vec::new(),
            null_functions: Vec::new(),
            temporal_access: true,
            gives_undeclared: true,
            lifecycle: Lifecycle::Plain,
            depths: vec![Depth::Byte, Depth::Short, Depth::Half, Depth::Float],
            cpus: 4,
            file_path: true,
            all_clips_connected: false,
            echo_plugin_edits: true,
            extra: Vec::new(),
        }
    }
}

impl HostOptions {
    pub fn named(name: &str) -> Self {
        let name = CString::new(name).expect("a host's name holds no NUL");
        HostOptions {
            name,
            ..HostOptions::default()
        }
    }

    pub fn without_suite(mut self, suite: &CStr, version: c_int) -> Self {
        self.missing_suites.push((suite.into(), version));
        self
    }

    pub fn without_function(mut self, suite: &CStr, member: &'static str) -> Self {
        self.null_functions.push((suite.into(), member));
        self
    }

    pub(super) fn is_missing(&self, suite: &CStr, version: c_int) -> bool {
        self.missing_suites
            .iter()
            .any(|(name, v)| name.as_c_str() == suite && *v == version)
    }

    pub(super) fn is_null(&self, suite: &CStr, member: &str) -> bool {
        self.null_functions
            .iter()
            .any(|(name, m)| name.as_c_str() == suite && *m == member)
    }
}

/// The host as the plugin sees it.
pub(super) struct Host {
    pub options: HostOptions,
    pub props: Arc<PropertySet>,
    pub suites: Vec<Suite>,
    /// Every suite asked for, had or not.
    pub fetched: Mutex<Vec<(String, c_int)>>,
}

impl Host {
    pub fn new(options: HostOptions) -> Arc<Host> {
        let props = host_properties(&options).share();
        let suites = all(&options);
        let host = Arc::new(Host {
            options,
            props,
            suites,
            fetched: Mutex::default(),
        });
        HOSTS.add(host.props.handle, &host);
        host
    }

    /// The struct given to the plugin, which keeps the pointer: never freed, like the suites.
    pub fn leak_struct(&self) -> *mut OfxHost {
        let handle = self.props.handle as OfxPropertySetHandle;
        Box::into_raw(Box::new(OfxHost {
            host: handle,
            fetchSuite: Some(fetch_suite),
        }))
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        HOSTS.remove(self.props.handle);
        PROPERTY_SETS.remove(self.props.handle);
    }
}

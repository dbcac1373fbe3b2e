//! The loaded binary.

use std::ffi::{CStr, CString, c_int};
use std::mem::ManuallyDrop;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use libloading::Library;
use openfx::sys::generic::core::*;
use openfx::sys::image_effect_v1::image_effect::kOfxImageEffectPluginApi;

use super::action::{MainEntry, Status};
use super::effect::Effect;
use super::handles::lock;
use super::options::{Context, Host, HostOptions, Lifecycle};

/// What one `OfxPlugin` struct says.
#[derive(Clone, Debug)]
pub struct PluginInfo {
    pub api: String,
    pub api_version: i32,
    pub identifier: String,
    pub version: (u32, u32),
    pub(super) entry: MainEntry,
}

/// A binary opened by a host. Only one lives at a time in a process, because the plugin has one
/// place for its host and suites: opening another waits for the first to be dropped.
#[derive(Clone)]
pub struct Plugin(pub(super) Arc<Loaded>);

pub(super) struct Loaded {
    /// Never closed, as in most hosts: the plugin may have threads, or be linked `nodelete`.
    _library: ManuallyDrop<Library>,
    pub host: Arc<Host>,
    pub bundle: CString,
    pub infos: Vec<PluginInfo>,
    pub calls: Vec<(&'static str, Duration)>,
    _turn: Turn,
}

/// How long a call took goes to the first argument.
fn timed<T>(
    calls: &mut Vec<(&'static str, Duration)>,
    name: &'static str,
    call: impl FnOnce() -> T,
) -> T {
    let begun = Instant::now();
    let result = call();
    calls.push((name, begun.elapsed()));
    result
}

impl Plugin {
    /// Opens the binary inside the bundle in a default host.
    pub fn open(binary: impl AsRef<Path>) -> Plugin {
        Plugin::open_with(binary, HostOptions::default())
    }

    pub fn open_with(binary: impl AsRef<Path>, options: HostOptions) -> Plugin {
        let turn = Turn::take();
        let binary = binary.as_ref();
        let host = Host::new(options);
        let mut calls = Vec::new();
        let library = timed(&mut calls, "open", || open(binary));
        let library = library.unwrap_or_else(|e| panic!("cannot open {}: {e}", binary.display()));
        let infos = read_plugins(&library, &host, &mut calls);
        let bundle = bundle_of(binary);
        let library = ManuallyDrop::new(library);
        Plugin(Arc::new(Loaded {
            _library: library,
            host,
            bundle,
            infos,
            calls,
            _turn: turn,
        }))
    }

    /// The plugins in the binary; the tests use the first.
    pub fn infos(&self) -> &[PluginInfo] {
        &self.0.infos
    }

    /// How long loading the binary, each exported function and setHost took.
    pub fn calls(&self) -> &[(&'static str, Duration)] {
        &self.0.calls
    }

    /// The suites the plugin asked for so far, with their versions.
    pub fn fetched_suites(&self) -> Vec<(String, i32)> {
        lock(&self.0.host.fetched).clone()
    }

    /// The first plugin, with no action called yet.
    pub fn effect(&self) -> Effect {
        Effect::new(self.0.clone())
    }

    /// The first plugin, loaded and described for `context` in the order of calls of this host.
    #[track_caller]
    pub fn start(&self, context: Context) -> Effect {
        let effect = self.effect();
        let check = |action: &str, status: Status| assert!(status.is_ok(), "{action}: {status:?}");
        check("Load", effect.load());
        check("Describe", effect.describe());
        if self.0.host.options.lifecycle == Lifecycle::HostSupport {
            check("Unload", effect.unload());
            check("second Load", effect.load());
            check("second Describe", effect.describe());
        }
        check("DescribeInContext", effect.describe_in_context(context));
        effect
    }
}

#[cfg(unix)]
fn open(binary: &Path) -> Result<Library, libloading::Error> {
    use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
    // SAFETY: a plugin's initialisers are the plugin's, and a host has to run them.
    unsafe { Library::open(Some(binary), RTLD_NOW | RTLD_LOCAL) }.map(Into::into)
}

#[cfg(windows)]
fn open(binary: &Path) -> Result<Library, libloading::Error> {
    // SAFETY: as above.
    unsafe { Library::new(binary) }
}

/// The exported functions, in the order the specification prescribes.
fn read_plugins(
    library: &Library,
    host: &Host,
    calls: &mut Vec<(&'static str, Duration)>,
) -> Vec<PluginInfo> {
    type SetHost = unsafe extern "C" fn(*const OfxHost) -> OfxStatus;
    type GetNumber = unsafe extern "C" fn() -> c_int;
    type GetPlugin = unsafe extern "C" fn(c_int) -> *mut OfxPlugin;

    let host = host.leak_struct();
    // SAFETY: these are the types OpenFX gives the exported functions; the first is optional.
    let (set_host, get_number, get_plugin) = unsafe {
        (
            library.get::<SetHost>(b"OfxSetHost"),
            library.get::<GetNumber>(b"OfxGetNumberOfPlugins"),
            library.get::<GetPlugin>(b"OfxGetPlugin"),
        )
    };
    if let Ok(set_host) = set_host {
        // SAFETY: the struct is never freed.
        let status = timed(calls, "OfxSetHost", || unsafe { set_host(host) });
        assert!(status == kOfxStatOK, "OfxSetHost: {:?}", Status(status));
    }
    let get_number = get_number.expect("the binary exports OfxGetNumberOfPlugins");
    let get_plugin = get_plugin.expect("the binary exports OfxGetPlugin");
    // SAFETY: it takes nothing.
    let count = timed(calls, "OfxGetNumberOfPlugins", || unsafe { get_number() });
    for outside in [-1, count] {
        // SAFETY: OpenFX has plugins answer an index out of range with null.
        let plugin = unsafe { get_plugin(outside) };
        assert!(
            plugin.is_null(),
            "OfxGetPlugin({outside}) is not null, with {count} plugins"
        );
    }
    let mut infos = Vec::new();
    for index in 0..count {
        // SAFETY: the index is in range.
        let plugin = timed(calls, "OfxGetPlugin", || unsafe { get_plugin(index) });
        assert!(
            !plugin.is_null(),
            "OfxGetPlugin({index}) is null, with {count} plugins"
        );
        // SAFETY: the struct lives as long as the library.
        let plugin = unsafe { *plugin };
        let set_host = plugin.setHost.expect("a plugin has setHost");
        // SAFETY: the host struct is never freed.
        timed(calls, "setHost", || unsafe { set_host(host) });
        assert!(!plugin.pluginApi.is_null() && !plugin.pluginIdentifier.is_null());
        // SAFETY: not null, and C strings that live as long as the library.
        let (api, identifier) = unsafe {
            (
                CStr::from_ptr(plugin.pluginApi),
                CStr::from_ptr(plugin.pluginIdentifier),
            )
        };
        assert_eq!(
            api, kOfxImageEffectPluginApi,
            "only image effects are hosted here"
        );
        infos.push(PluginInfo {
            api: api.to_string_lossy().into_owned(),
            api_version: plugin.apiVersion,
            identifier: identifier.to_string_lossy().into_owned(),
            version: (plugin.pluginVersionMajor, plugin.pluginVersionMinor),
            entry: plugin.mainEntry.expect("a plugin has a main entry"),
        });
    }
    infos
}

/// The path that hosts pass to a plugin: that of its bundle.
fn bundle_of(binary: &Path) -> CString {
    let is_bundle = |path: &&Path| path.extension().is_some_and(|end| end == "bundle");
    let bundle = binary.ancestors().find(is_bundle).unwrap_or(binary);
    CString::new(bundle.as_os_str().as_encoded_bytes()).expect("a path holds no NUL")
}

/// The right to be the one host in the process.
struct Turn;

static HOLDER: Mutex<Option<ThreadId>> = Mutex::new(None);
static FREED: Condvar = Condvar::new();

impl Turn {
    fn take() -> Turn {
        let me = thread::current().id();
        let mut holder = lock(&HOLDER);
        while let Some(other) = *holder {
            if other == me {
                drop(holder);
                panic!("this thread already has a Plugin open: it would wait for itself");
            }
            holder = FREED.wait(holder).unwrap_or_else(PoisonError::into_inner);
        }
        *holder = Some(me);
        Turn
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *lock(&HOLDER) = None;
        FREED.notify_one();
    }
}

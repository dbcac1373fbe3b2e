//! Handles are numbers, not addresses: a stale, forged or mixed-up handle is found out here instead
//! of being dereferenced.

use std::collections::BTreeMap;
use std::ffi::{CStr, c_char};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::clip::Clip;
use super::fetched::FetchedImage;
use super::memory::ImageMemory;
use super::multithread::PluginMutex;
use super::node::Node;
use super::options::Host;
use super::param::Param;
use super::property::PropertySet;
use super::scope::report;

pub(super) static HOSTS: Handles<Host> = Handles::new("host");
pub(super) static PROPERTY_SETS: Handles<PropertySet> = Handles::new("property set");
pub(super) static EFFECTS: Handles<Node> = Handles::new("effect");
pub(super) static PARAM_SETS: Handles<Node> = Handles::new("parameter set");
pub(super) static PARAMS: Handles<Param> = Handles::new("parameter");
pub(super) static CLIPS: Handles<Clip> = Handles::new("clip");
pub(super) static IMAGES: Handles<FetchedImage> = Handles::new("image");
pub(super) static IMAGE_MEMORY: Handles<ImageMemory> = Handles::new("image memory");
pub(super) static MUTEXES: Handles<PluginMutex> = Handles::new("mutex");

/// Not an address any process can have, so that a plugin that looks behind a handle faults at once.
const FIRST: usize = 0x0bad_0000_0000_0000;
static ISSUED: AtomicUsize = AtomicUsize::new(1);

pub(super) fn new_handle() -> usize {
    FIRST + 16 * ISSUED.fetch_add(1, Ordering::Relaxed)
}

pub(super) struct Handles<T> {
    what: &'static str,
    live: Mutex<BTreeMap<usize, Weak<T>>>,
}

impl<T> Handles<T> {
    const fn new(what: &'static str) -> Self {
        Handles {
            what,
            live: Mutex::new(BTreeMap::new()),
        }
    }

    pub fn add(&self, handle: usize, object: &Arc<T>) {
        lock(&self.live).insert(handle, Arc::downgrade(object));
    }

    pub fn remove(&self, handle: usize) {
        lock(&self.live).remove(&handle);
    }

    pub fn get(&self, handle: usize) -> Option<Arc<T>> {
        lock(&self.live).get(&handle).and_then(Weak::upgrade)
    }

    /// What a suite function `caller` was handed; a bad handle is the plugin's fault.
    pub fn find<H>(&self, handle: *mut H, caller: &str) -> Option<Arc<T>> {
        let found = self.get(handle as usize);
        if found.is_none() {
            let what = self.what;
            if handle.is_null() {
                report(format!("{caller}: null {what} handle"));
            } else {
                report(format!(
                    "{caller}: {:#x} is not a valid {what} handle",
                    handle as usize
                ));
            }
        }
        found
    }
}

/// Ignores poison: the thread that panicked has already failed its test.
pub(super) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A string the plugin passed. This, `give` and `read` are where the host trusts plugin pointers.
pub(super) fn text<'a>(pointer: *const c_char) -> Option<&'a CStr> {
    if pointer.is_null() {
        return None;
    }
    // SAFETY: OpenFX has plugins pass NUL-terminated strings that live through the call; no caller
    // keeps the reference longer than that.
    Some(unsafe { CStr::from_ptr(pointer) })
}

/// Stores a result where the plugin asked for it; false if it gave no usable place.
pub(super) fn give<T>(place: *mut T, value: T) -> bool {
    if place.is_null() || !place.is_aligned() {
        return false;
    }
    // SAFETY: OpenFX has plugins pass the address of a variable of the type in the signature.
    unsafe { place.write(value) };
    true
}

/// Element `index` of an array the plugin passed.
pub(super) fn read<T: Copy>(array: *const T, index: usize) -> Option<T> {
    if array.is_null() || !array.is_aligned() {
        return None;
    }
    // SAFETY: OpenFX has plugins pass arrays of at least the count they pass with them.
    Some(unsafe { array.add(index).read() })
}

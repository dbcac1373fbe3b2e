//! The multi-thread suite: real threads, and mutexes that one thread may lock repeatedly.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ffi::{c_int, c_uint, c_void};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, ThreadId};

use openfx::sys::generic::core::*;
use openfx::sys::image_effect_v1::multi_thread::*;

use super::handles::{MUTEXES, give, lock, new_handle};
use super::options::HostOptions;
use super::scope::{current, enter, report, spoil_lent_strings};
use super::suites::{Suite, suite};

pub(super) fn multithread_v1(options: &HostOptions) -> Suite {
    suite!(
        options,
        kOfxMultiThreadSuite,
        1,
        OfxMultiThreadSuiteV1 {
            multiThread: multi_thread,
            multiThreadNumCPUs: num_cpus,
            multiThreadIndex: thread_index,
            multiThreadIsSpawnedThread: is_spawned_thread,
            mutexCreate: mutex_create,
            mutexDestroy: mutex_destroy,
            mutexLock: mutex_lock,
            mutexUnLock: mutex_unlock,
            mutexTryLock: mutex_try_lock,
        }
    )
}

thread_local! {
    static INDEX: Cell<Option<c_uint>> = const { Cell::new(None) };
}

fn cpus() -> c_uint {
    let node = current().and_then(|scope| scope.node.clone());
    node.map_or(1, |node| {
        c_uint::try_from(node.host.options.cpus).unwrap_or(1)
    })
    .max(1)
}

extern "C" fn multi_thread(
    function: OfxThreadFunctionV1,
    wanted: c_uint,
    argument: *mut c_void,
) -> OfxStatus {
    spoil_lent_strings();
    if INDEX.get().is_some() {
        return kOfxStatErrExists;
    }
    let Some(function) = function else {
        report("multiThread: null function".into());
        return kOfxStatFailed;
    };
    let count = wanted.clamp(1, cpus());
    let scope = current();
    let argument = argument as usize;
    thread::scope(|threads| {
        for index in 0..count {
            let scope = scope.clone();
            threads.spawn(move || {
                // What the plugin calls in here belongs to the action it is in.
                let _entered = scope.as_ref().map(enter);
                INDEX.set(Some(index));
                // SAFETY: the plugin passed this function for this very call.
                unsafe { function(index, count, argument as *mut c_void) };
            });
        }
    });
    kOfxStatOK
}

extern "C" fn num_cpus(count: *mut c_uint) -> OfxStatus {
    spoil_lent_strings();
    if give(count, cpus()) {
        kOfxStatOK
    } else {
        kOfxStatFailed
    }
}

extern "C" fn thread_index(index: *mut c_uint) -> OfxStatus {
    spoil_lent_strings();
    if give(index, INDEX.get().unwrap_or(0)) {
        kOfxStatOK
    } else {
        kOfxStatFailed
    }
}

extern "C" fn is_spawned_thread() -> c_int {
    spoil_lent_strings();
    c_int::from(INDEX.get().is_some())
}

pub(super) struct PluginMutex {
    state: Mutex<Held>,
    freed: Condvar,
}

#[derive(Default)]
struct Held {
    by: Option<ThreadId>,
    times: c_int,
}

static LIVE: Mutex<BTreeMap<usize, Arc<PluginMutex>>> = Mutex::new(BTreeMap::new());

impl PluginMutex {
    /// Waits if it must and may; false if another thread holds it.
    fn acquire(&self, wait: bool) -> bool {
        let me = thread::current().id();
        let mut held = lock(&self.state);
        while held.by.is_some_and(|holder| holder != me) {
            if !wait {
                return false;
            }
            held = self
                .freed
                .wait(held)
                .unwrap_or_else(PoisonError::into_inner);
        }
        held.by = Some(me);
        held.times += 1;
        true
    }

    fn release(&self) -> OfxStatus {
        let mut held = lock(&self.state);
        if held.by != Some(thread::current().id()) {
            report("mutexUnLock by a thread that does not hold the mutex".into());
            return kOfxStatFailed;
        }
        held.times -= 1;
        if held.times == 0 {
            held.by = None;
            self.freed.notify_one();
        }
        kOfxStatOK
    }
}

fn find(mutex: OfxMutexHandle, caller: &str) -> Option<Arc<PluginMutex>> {
    spoil_lent_strings();
    MUTEXES.find(mutex, caller)
}

extern "C" fn mutex_create(mutex: *mut OfxMutexHandle, times: c_int) -> OfxStatus {
    spoil_lent_strings();
    let handle = new_handle();
    let by = (times > 0).then(|| thread::current().id());
    let state = Mutex::new(Held {
        by,
        times: times.max(0),
    });
    if !give(mutex, handle as OfxMutexHandle) {
        report("mutexCreate: null pointer for the handle".into());
        return kOfxStatErrValue;
    }
    let mutex = Arc::new(PluginMutex {
        state,
        freed: Condvar::new(),
    });
    MUTEXES.add(handle, &mutex);
    lock(&LIVE).insert(handle, mutex);
    kOfxStatOK
}

extern "C" fn mutex_destroy(mutex: OfxMutexHandle) -> OfxStatus {
    let Some(found) = find(mutex, "mutexDestroy") else {
        return kOfxStatErrBadHandle;
    };
    if lock(&found.state).times != 0 {
        report("mutexDestroy of a locked mutex".into());
    }
    MUTEXES.remove(mutex as usize);
    lock(&LIVE).remove(&(mutex as usize));
    kOfxStatOK
}

extern "C" fn mutex_lock(mutex: OfxMutexHandle) -> OfxStatus {
    let Some(mutex) = find(mutex, "mutexLock") else {
        return kOfxStatErrBadHandle;
    };
    mutex.acquire(true);
    kOfxStatOK
}

extern "C" fn mutex_unlock(mutex: OfxMutexHandle) -> OfxStatus {
    find(mutex, "mutexUnLock").map_or(kOfxStatErrBadHandle, |mutex| mutex.release())
}

extern "C" fn mutex_try_lock(mutex: OfxMutexHandle) -> OfxStatus {
    let Some(mutex) = find(mutex, "mutexTryLock") else {
        return kOfxStatErrBadHandle;
    };
    if mutex.acquire(false) {
        kOfxStatOK
    } else {
        kOfxStatFailed
    }
}

//! The image effect suite over `Node` and `Clip`.

use std::ffi::{c_char, c_int, c_void};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use openfx::sys::generic::core::*;
use openfx::sys::image_effect_v1::image_effect::*;
use openfx::sys::image_effect_v1::param::OfxParamSetHandle;

use super::clip::{Clip, record};
use super::descriptor::clip_descriptor;
use super::handles::{CLIPS, EFFECTS, IMAGE_MEMORY, IMAGES, give, lock, text};
use super::memory::ImageMemory;
use super::node::{Node, NodeKind};
use super::options::HostOptions;
use super::scope::{Scope, current, report, spoil_lent_strings};
use super::suites::{Suite, suite};

type Effect = OfxImageEffectHandle;

pub(super) fn image_effect_v1(options: &HostOptions) -> Suite {
    suite!(
        options,
        kOfxImageEffectSuite,
        1,
        OfxImageEffectSuiteV1 {
            getPropertySet: get_property_set,
            getParamSet: get_param_set,
            clipDefine: clip_define,
            clipGetHandle: clip_get_handle,
            clipGetPropertySet: clip_get_property_set,
            clipGetImage: clip_get_image,
            clipReleaseImage: clip_release_image,
            clipGetRegionOfDefinition: clip_get_region_of_definition,
            abort: should_abort,
            imageMemoryAlloc: image_memory_alloc,
            imageMemoryFree: image_memory_free,
            imageMemoryLock: image_memory_lock,
            imageMemoryUnlock: image_memory_unlock,
        }
    )
}

fn find(effect: Effect, caller: &str) -> Option<Arc<Node>> {
    spoil_lent_strings();
    EFFECTS.find(effect, caller)
}

fn put<T>(place: *mut T, value: T, caller: &str) -> OfxStatus {
    if give(place, value) {
        return kOfxStatOK;
    }
    report(format!("{caller}: null pointer for the result"));
    kOfxStatErrValue
}

extern "C" fn get_property_set(effect: Effect, set: *mut OfxPropertySetHandle) -> OfxStatus {
    let Some(node) = find(effect, "getPropertySet") else {
        return kOfxStatErrBadHandle;
    };
    put(
        set,
        node.props.handle as OfxPropertySetHandle,
        "getPropertySet",
    )
}

extern "C" fn get_param_set(effect: Effect, set: *mut OfxParamSetHandle) -> OfxStatus {
    let Some(node) = find(effect, "getParamSet") else {
        return kOfxStatErrBadHandle;
    };
    put(set, node.param_set as OfxParamSetHandle, "getParamSet")
}

extern "C" fn clip_define(
    effect: Effect,
    name: *const c_char,
    properties: *mut OfxPropertySetHandle,
) -> OfxStatus {
    let Some(node) = find(effect, "clipDefine") else {
        return kOfxStatErrBadHandle;
    };
    let Some(name) = text(name) else {
        report("clipDefine: null name".into());
        return kOfxStatErrUnknown;
    };
    if !matches!(node.kind, NodeKind::ContextDescriptor(_)) {
        report(format!(
            "clipDefine of {name:?} outside of DescribeInContext"
        ));
        return kOfxStatErrBadHandle;
    }
    if name.is_empty() || node.clip(name).is_some() {
        report(format!(
            "clipDefine of {name:?}: the name is empty or taken"
        ));
        return kOfxStatErrExists;
    }
    let clip = Clip::new(name, clip_descriptor(name), Weak::new());
    if !properties.is_null() {
        give(properties, clip.props.handle as OfxPropertySetHandle);
    }
    lock(&node.clips).push(clip);
    kOfxStatOK
}

extern "C" fn clip_get_handle(
    effect: Effect,
    name: *const c_char,
    clip: *mut OfxImageClipHandle,
    properties: *mut OfxPropertySetHandle,
) -> OfxStatus {
    let Some(node) = find(effect, "clipGetHandle") else {
        return kOfxStatErrBadHandle;
    };
    if !node.is_instance() {
        report("clipGetHandle on a descriptor".into());
        return kOfxStatErrBadHandle;
    }
    let Some(found) = text(name).and_then(|name| node.clip(name)) else {
        report(format!("clipGetHandle: no clip {:?}", text(name)));
        return kOfxStatErrUnknown;
    };
    if !properties.is_null() {
        give(properties, found.props.handle as OfxPropertySetHandle);
    }
    put(clip, found.handle as OfxImageClipHandle, "clipGetHandle")
}

fn find_clip(clip: OfxImageClipHandle, caller: &str) -> Option<Arc<Clip>> {
    spoil_lent_strings();
    CLIPS.find(clip, caller)
}

extern "C" fn clip_get_property_set(
    clip: OfxImageClipHandle,
    properties: *mut OfxPropertySetHandle,
) -> OfxStatus {
    let Some(clip) = find_clip(clip, "clipGetPropertySet") else {
        return kOfxStatErrBadHandle;
    };
    put(
        properties,
        clip.props.handle as OfxPropertySetHandle,
        "clipGetPropertySet",
    )
}

/// What the host itself took to make and examine images, in all: not the plugin's time.
pub fn imaging() -> Duration {
    Duration::from_nanos(IMAGING.load(Ordering::Relaxed))
}

static IMAGING: AtomicU64 = AtomicU64::new(0);

/// Made before everything else in a function, so that it goes after all of it.
struct Imaging(Instant);

impl Drop for Imaging {
    fn drop(&mut self) {
        let spent = self.0.elapsed().as_nanos() as u64;
        IMAGING.fetch_add(spent, Ordering::Relaxed);
    }
}

extern "C" fn clip_get_image(
    clip: OfxImageClipHandle,
    time: OfxTime,
    _region: *const OfxRectD,
    image: *mut OfxPropertySetHandle,
) -> OfxStatus {
    let _imaging = Imaging(Instant::now());
    let Some(clip) = find_clip(clip, "clipGetImage") else {
        return kOfxStatErrBadHandle;
    };
    let Some(node) = clip.node.upgrade() else {
        report(format!("clipGetImage of {:?} on a descriptor", clip.name));
        return kOfxStatErrBadHandle;
    };
    let place = format!("clipGetImage of {:?} at {time}", clip.name);
    let fetching = [kOfxImageEffectActionRender, kOfxActionInstanceChanged];
    let Some(scope) = node
        .scope(Some(time))
        .filter(|scope| fetching.contains(&scope.action))
    else {
        report(format!("{place}: outside of render and InstanceChanged"));
        return kOfxStatFailed;
    };
    let rendering = scope.is(kOfxImageEffectActionRender);
    let mut declared = true;
    let fetched = if clip.is_output() {
        if !rendering || time != scope.time {
            scope
                .journal
                .violation(format!("{place}: no such output is being rendered"));
        }
        clip.fetch_output(&scope, time)
    } else {
        declared = !rendering || is_declared(&scope, &clip, time);
        let options = &node.host.options;
        // Hosts without temporal access give the current frame for any time.
        let at = if options.temporal_access {
            time
        } else {
            scope.time
        };
        let given = declared || options.gives_undeclared;
        given.then(|| clip.fetch(&scope, at)).flatten()
    };
    record(&scope, &clip, (time, declared), fetched.is_some());
    match fetched {
        Some(fetched) => put(image, fetched.handle() as OfxPropertySetHandle, &place),
        None => kOfxStatFailed,
    }
}

/// Whether GetFramesNeeded asked for a frame, or the action is about it.
fn is_declared(scope: &Scope, clip: &Clip, time: f64) -> bool {
    match scope
        .frames
        .as_ref()
        .and_then(|frames| frames.get(&clip.label()))
    {
        Some(ranges) => ranges
            .iter()
            .any(|&(first, last)| first <= time && time <= last),
        None => time == scope.time,
    }
}

extern "C" fn clip_release_image(image: OfxPropertySetHandle) -> OfxStatus {
    let _imaging = Imaging(Instant::now());
    spoil_lent_strings();
    let Some(image) = IMAGES.find(image, "clipReleaseImage") else {
        return kOfxStatErrBadHandle;
    };
    let Some(scope) = image.scope.upgrade() else {
        return kOfxStatErrBadHandle;
    };
    let status = image.release(&scope);
    scope.trim();
    status
}

extern "C" fn clip_get_region_of_definition(
    clip: OfxImageClipHandle,
    _time: OfxTime,
    bounds: *mut OfxRectD,
) -> OfxStatus {
    const CALLER: &str = "clipGetRegionOfDefinition";
    let Some(clip) = find_clip(clip, CALLER) else {
        return kOfxStatErrBadHandle;
    };
    let Some([x1, y1, x2, y2]) = clip.region_of_definition() else {
        return kOfxStatFailed;
    };
    put(bounds, OfxRectD { x1, y1, x2, y2 }, CALLER)
}

extern "C" fn should_abort(effect: Effect) -> c_int {
    let Some(node) = find(effect, "abort") else {
        return 0;
    };
    let wanted = node.control.abort.ask();
    if wanted {
        if let Some(scope) = current().filter(|scope| scope.node.is_some()) {
            scope.aborted.store(true, Ordering::Relaxed);
        } else {
            // A thread of the plugin's own: any of the renders may be the one it works for.
            for scope in lock(&node.active).iter() {
                scope.aborted.store(true, Ordering::Relaxed);
            }
        }
    }
    c_int::from(wanted)
}

extern "C" fn image_memory_alloc(
    effect: Effect,
    bytes: usize,
    memory: *mut OfxImageMemoryHandle,
) -> OfxStatus {
    spoil_lent_strings();
    let node = if effect.is_null() {
        None
    } else {
        find(effect, "imageMemoryAlloc")
    };
    if !effect.is_null() && node.is_none() {
        give(memory, std::ptr::null_mut());
        return kOfxStatErrBadHandle;
    }
    let Some(handle) = ImageMemory::alloc(bytes, effect as usize) else {
        give(memory, std::ptr::null_mut());
        return kOfxStatErrMemory;
    };
    put(memory, handle as OfxImageMemoryHandle, "imageMemoryAlloc")
}

extern "C" fn image_memory_free(memory: OfxImageMemoryHandle) -> OfxStatus {
    spoil_lent_strings();
    match IMAGE_MEMORY.find(memory, "imageMemoryFree") {
        Some(memory) => memory.free(),
        None => kOfxStatErrBadHandle,
    }
}

extern "C" fn image_memory_lock(
    memory: OfxImageMemoryHandle,
    address: *mut *mut c_void,
) -> OfxStatus {
    spoil_lent_strings();
    match IMAGE_MEMORY.find(memory, "imageMemoryLock") {
        Some(memory) => put(address, memory.lock() as *mut c_void, "imageMemoryLock"),
        None => kOfxStatErrBadHandle,
    }
}

extern "C" fn image_memory_unlock(memory: OfxImageMemoryHandle) -> OfxStatus {
    spoil_lent_strings();
    match IMAGE_MEMORY.find(memory, "imageMemoryUnlock") {
        Some(memory) => memory.unlock(),
        None => kOfxStatErrBadHandle,
    }
}

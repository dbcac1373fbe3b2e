//! The entry points that a host calls. Panics are caught: the host always gets a status.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;

use crate::abi::names::*;
use crate::abi::{EffectHandle, Host, OfxStatus, Plugin, PropertySetHandle, status};
use crate::error::Result;
use crate::host::{self, Properties};
use crate::identity::IDENTIFIER;
use crate::instance::{Context, Instance};
use crate::{describe, interaction, log_file, render, shared};

static PLUGIN: Plugin = Plugin {
    api: EFFECT_PLUGIN_API.as_ptr(),
    api_version: 1,
    identifier: IDENTIFIER.as_ptr(),
    version_major: 1,
    version_minor: 0,
    set_host: Some(set_host),
    main_entry: Some(main_entry),
};

/// The number of effects in this binary.
#[unsafe(no_mangle)]
pub extern "C" fn OfxGetNumberOfPlugins() -> c_int {
    1
}

/// The effect; null for any index except 0.
#[unsafe(no_mangle)]
pub extern "C" fn OfxGetPlugin(index: c_int) -> *const Plugin {
    match index {
        0 => &raw const PLUGIN,
        _ => std::ptr::null(),
    }
}

/// Hosts of OpenFX 1.5 and later call this first. Others call the plug-in's `setHost`.
#[unsafe(no_mangle)]
pub extern "C" fn OfxSetHost(host: *const Host) -> OfxStatus {
    host::set_host(host.cast_mut());
    status::OK
}

unsafe extern "C" fn set_host(host: *mut Host) {
    host::set_host(host);
}

unsafe extern "C" fn main_entry(
    action: *const c_char,
    handle: *const c_void,
    arguments: PropertySetHandle,
    results: PropertySetHandle,
) -> OfxStatus {
    let run = || {
        if action.is_null() {
            return status::FAILED;
        }
        // SAFETY: an action is a NUL-terminated string.
        let action = unsafe { CStr::from_ptr(action) };
        let effect = EffectHandle(handle.cast_mut());
        match dispatch(action, effect, arguments, results) {
            Ok(status) => status,
            Err(error) => {
                log::warn!("{}: {error}", action.to_string_lossy());
                error.status()
            }
        }
    };
    // Unwind safety: shared objects are consistent whenever their locks are free, and an instance
    // holds nothing that a later action relies on.
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| {
        log::error!("an action panicked");
        status::FAILED
    })
}

/// Runs an action.
fn dispatch(
    action: &CStr,
    effect: EffectHandle,
    arguments: PropertySetHandle,
    results: PropertySetHandle,
) -> Result<OfxStatus> {
    if action == ACTION_LOAD {
        log_file::start();
        host::load()?;
        return Ok(status::OK);
    }
    if action == ACTION_UNLOAD {
        shared::clear();
        return Ok(status::OK);
    }
    let host = host::current()?;
    let (arguments, results) = (host.properties(arguments), host.properties(results));
    if action == ACTION_DESCRIBE {
        describe::effect(&host, effect)?;
    } else if action == ACTION_DESCRIBE_IN_CONTEXT {
        describe::in_context(&host, effect, context(&arguments))?;
    } else if action == ACTION_CREATE_INSTANCE {
        let about = host.effect(effect)?;
        let instance = Box::new(Instance::new(&host, effect, context(&about))?);
        about.set_pointer(PROP_INSTANCE_DATA, Box::into_raw(instance).cast());
    } else if action == ACTION_DESTROY_INSTANCE {
        let about = host.effect(effect)?;
        let instance: *mut Instance = about.pointer(PROP_INSTANCE_DATA).cast();
        about.set_pointer(PROP_INSTANCE_DATA, std::ptr::null_mut());
        if !instance.is_null() {
            // SAFETY: made by CreateInstance, and dropped once: the host's pointer is null now.
            drop(unsafe { Box::from_raw(instance) });
        }
    } else if action == ACTION_PURGE_CACHES {
        shared::purge();
    } else {
        let about = host.effect(effect)?;
        let instance: *const Instance = about.pointer(PROP_INSTANCE_DATA).cast();
        // SAFETY: null, or made by CreateInstance; the host sends no action after DestroyInstance.
        let Some(instance) = (unsafe { instance.as_ref() }) else {
            return Ok(status::BAD_HANDLE);
        };
        if action == EFFECT_ACTION_RENDER {
            render::render(&host, instance, &arguments)?;
        } else if action == EFFECT_ACTION_BEGIN_SEQUENCE_RENDER {
            // A host that does not say is taken for an interactive one.
            let interactive = arguments.int(PROP_IS_INTERACTIVE, 0) != Some(0);
            instance
                .in_output_render
                .store(!interactive, Ordering::Release);
        } else if action == EFFECT_ACTION_END_SEQUENCE_RENDER {
            instance.in_output_render.store(false, Ordering::Release);
        } else if action == EFFECT_ACTION_IS_IDENTITY {
            return render::is_identity(&host, instance, &arguments, &results);
        } else if action == EFFECT_ACTION_GET_FRAMES_NEEDED {
            return render::frames_needed(&host, instance, &arguments, &results);
        } else if action == EFFECT_ACTION_GET_CLIP_PREFERENCES {
            // The mouth moves on a still and on a held frame too.
            results.set_int(EFFECT_FRAME_VARYING, 0, 1);
        } else if action == ACTION_INSTANCE_CHANGED {
            interaction::changed(&host, instance, &arguments)?;
        } else if action == ACTION_SYNC_PRIVATE_DATA {
            interaction::show_status(&host, instance)?;
        } else {
            return Ok(status::REPLY_DEFAULT);
        }
    }
    Ok(status::OK)
}

fn context(properties: &Properties<'_>) -> Context {
    match properties.text(EFFECT_PROP_CONTEXT) {
        Some(name) if name.as_bytes() == EFFECT_CONTEXT_GENERAL.to_bytes() => Context::General,
        _ => Context::Filter,
    }
}

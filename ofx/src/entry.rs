//! Where hosts come in. No panic leaves; whatever happens, the host gets a status.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::abi::names::*;
use crate::abi::{EffectHandle, Host, OfxStatus, Plugin, PropertySetHandle, status};
use crate::fault::Result;
use crate::host::{self, Properties};
use crate::instance::{Context, Instance};
use crate::{describe, interaction, render, shared};

/// The effect's name among hosts; projects are saved with it.
pub const IDENTIFIER: &CStr = c"org.stylelipsync.LipSync";

static PLUGIN: Plugin = Plugin {
    api: EFFECT_PLUGIN_API.as_ptr(),
    api_version: 1,
    identifier: IDENTIFIER.as_ptr(),
    version_major: 1,
    version_minor: 0,
    set_host: Some(set_host),
    main_entry: Some(main_entry),
};

/// How many effects are in this file.
#[unsafe(no_mangle)]
pub extern "C" fn OfxGetNumberOfPlugins() -> c_int {
    1
}

/// The effect; null for any number but 0.
#[unsafe(no_mangle)]
pub extern "C" fn OfxGetPlugin(number: c_int) -> *const Plugin {
    match number {
        0 => &raw const PLUGIN,
        _ => std::ptr::null(),
    }
}

/// Hosts since 1.5 introduce themselves here, before anything else.
#[unsafe(no_mangle)]
pub extern "C" fn OfxSetHost(host: *const Host) -> OfxStatus {
    host::introduce(host.cast_mut());
    status::OK
}

unsafe extern "C" fn set_host(host: *mut Host) {
    host::introduce(host);
}

unsafe extern "C" fn main_entry(
    action: *const c_char,
    handle: *const c_void,
    arguments: PropertySetHandle,
    results: PropertySetHandle,
) -> OfxStatus {
    let work = || {
        if action.is_null() {
            return status::FAILED;
        }
        // SAFETY: an action is a string that ends.
        let action = unsafe { CStr::from_ptr(action) };
        let effect = EffectHandle(handle.cast_mut());
        match act(action, effect, arguments, results) {
            Ok(status) => status,
            Err(fault) => {
                log::warn!("{}: {fault}", action.to_string_lossy());
                fault.status()
            }
        }
    };
    // What the engine shares is consistent whenever a lock is free; instances hold settings alone.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        log::error!("an action panicked; the host goes on without it");
        status::FAILED
    })
}

/// Does what an action asks for.
fn act(
    action: &CStr,
    effect: EffectHandle,
    arguments: PropertySetHandle,
    results: PropertySetHandle,
) -> Result<OfxStatus> {
    if action == ACTION_LOAD {
        host::load()?;
        return Ok(status::OK);
    }
    if action == ACTION_UNLOAD {
        shared::forget();
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
            // SAFETY: made by CreateInstance, and destroyed once: the host's copy is null now.
            drop(unsafe { Box::from_raw(instance) });
        }
    } else if action == ACTION_PURGE_CACHES {
        shared::purge();
    } else {
        let about = host.effect(effect)?;
        let instance: *const Instance = about.pointer(PROP_INSTANCE_DATA).cast();
        // SAFETY: as CreateInstance made it; the host destroys it after its last action only.
        let Some(instance) = (unsafe { instance.as_ref() }) else {
            return Ok(status::BAD_HANDLE);
        };
        if action == EFFECT_ACTION_RENDER {
            render::render(&host, instance, &arguments)?;
        } else if action == EFFECT_ACTION_IS_IDENTITY {
            return render::is_identity(&host, instance, &arguments, &results);
        } else if action == EFFECT_ACTION_GET_FRAMES_NEEDED {
            return render::frames_needed(&host, instance, &arguments, &results);
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

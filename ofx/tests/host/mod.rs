//! An OpenFX host inside the test process.
//!
//! It loads the built plugin as an editing program does, gives it real suites and real
//! images, and is stricter than any one program: whatever would make some real host crash or show a
//! broken picture is recorded as a *violation*, and `assert_clean` fails on it.
//!
//! Nothing the plugin gets from here can be dereferenced except suites, strings and pixels: every
//! handle is a number that is never issued twice, so that a stale or mixed-up one is noticed.
//!
//! `Plugin` is the loaded binary, `Effect` its descriptors, `Instance` one effect on one clip.
//! A plugin keeps its host and its suites in statics, so only one `Plugin` lives at a time in a
//! process: opening another waits until the first and all that came from it is dropped.
#![cfg(any(target_os = "linux", windows))]
#![allow(dead_code, reason = "each test binary uses a part")]

mod action;
mod buffer;
mod check;
mod clip;
mod connection;
mod descriptor;
mod effect;
mod effect_suite;
mod fetched;
mod handles;
mod image;
mod instance;
mod interact;
mod journal;
mod memory;
mod message;
mod multithread;
mod node;
mod options;
mod param;
mod param_suite;
mod param_value;
mod plugin;
mod property;
mod property_suite;
mod query;
mod render;
mod scope;
mod suites;
mod user;
mod value;
mod variadic;

#[allow(unused_imports, reason = "each test binary uses a part")]
pub use self::{
    action::{RawHandle, Status},
    connection::{Connection, Source},
    descriptor::Extra,
    effect::Effect,
    effect_suite::imaging,
    image::{Components, Depth, Picture, Premultiplication, Rect},
    instance::Instance,
    interact::Interrupt,
    journal::{Action, Fetch, Log, Message, ParamWrite, Progress},
    options::{Context, HostOptions, Lifecycle},
    param::ParamValue,
    plugin::{Plugin, PluginInfo},
    property::PropertySet,
    query::{ClipPreferences, FramesNeeded, Identity},
    render::{Field, RenderOptions, Rendered},
    scope::stray_violations,
    user::Saved,
    value::{Kind, Value, Values},
};

//! What hosts are told about the effect. Nothing is loaded here: a host describes every effect that
//! it finds when it starts, and remembers one that was slow or failed.

use std::ffi::CStr;

use crate::abi::EffectHandle;
use crate::abi::names::*;
use crate::controls::{Control, GROUPS, Kind, Text};
use crate::fault::Result;
use crate::host::{Host, Properties};
use crate::instance::{Context, OCCLUSION};

const LABEL: &CStr = c"StyleLipSync";

/// The effect itself.
///
/// # Errors
/// When the host has no descriptor.
pub fn effect(host: &Host, effect: EffectHandle) -> Result<()> {
    let about = host.effect(effect)?;
    for name in [PROP_LABEL, PROP_SHORT_LABEL, PROP_LONG_LABEL] {
        about.set_text(name, 0, LABEL);
    }
    about.set_text(EFFECT_PLUGIN_PROP_GROUPING, 0, c"Face");
    about.set_text(
        PROP_PLUGIN_DESCRIPTION,
        0,
        c"Gives a face other words: choose an audio file, and the person says what is in it.",
    );
    for (at, context) in [EFFECT_CONTEXT_FILTER, EFFECT_CONTEXT_GENERAL]
        .into_iter()
        .enumerate()
    {
        about.set_text(EFFECT_PROP_SUPPORTED_CONTEXTS, at, context);
    }
    let depths = [
        BIT_DEPTH_FLOAT,
        BIT_DEPTH_HALF,
        BIT_DEPTH_SHORT,
        BIT_DEPTH_BYTE,
    ];
    for (at, depth) in depths.into_iter().enumerate() {
        about.set_text(EFFECT_PROP_SUPPORTED_PIXEL_DEPTHS, at, depth);
    }
    // A face needs the whole frame, and a frame is rendered by one thread; frames by any number.
    for (name, value) in [
        (EFFECT_PLUGIN_PROP_SINGLE_INSTANCE, 0),
        (EFFECT_PLUGIN_PROP_HOST_FRAME_THREADING, 0),
        (EFFECT_PROP_SUPPORTS_MULTI_RESOLUTION, 0),
        (EFFECT_PROP_SUPPORTS_TILES, 0),
        (EFFECT_PROP_TEMPORAL_CLIP_ACCESS, 1),
        (EFFECT_PROP_SUPPORTS_MULTIPLE_CLIP_DEPTHS, 0),
    ] {
        about.set_int(name, 0, value);
    }
    about.set_text(
        EFFECT_PLUGIN_RENDER_THREAD_SAFETY,
        0,
        EFFECT_RENDER_FULLY_SAFE,
    );
    Ok(())
}

/// Clips and controls.
///
/// # Errors
/// When the host refuses one.
pub fn in_context(host: &Host, effect: EffectHandle, context: Context) -> Result<()> {
    let source = host.define_clip(effect, EFFECT_SIMPLE_SOURCE_CLIP_NAME)?;
    components(
        &source,
        &[
            IMAGE_COMPONENT_RGBA,
            IMAGE_COMPONENT_RGB,
            IMAGE_COMPONENT_ALPHA,
        ],
    );
    source.set_int(EFFECT_PROP_TEMPORAL_CLIP_ACCESS, 0, 1);
    // A filter has one input; the general context may have more.
    if context == Context::General {
        let occlusion = host.define_clip(effect, OCCLUSION)?;
        components(&occlusion, &[IMAGE_COMPONENT_RGBA, IMAGE_COMPONENT_ALPHA]);
        occlusion.set_int(IMAGE_CLIP_PROP_OPTIONAL, 0, 1);
        occlusion.set_int(IMAGE_CLIP_PROP_IS_MASK, 0, 1);
        occlusion.set_text(PROP_LABEL, 0, c"Occlusion Matte");
    }
    let output = host.define_clip(effect, EFFECT_OUTPUT_CLIP_NAME)?;
    components(
        &output,
        &[
            IMAGE_COMPONENT_RGBA,
            IMAGE_COMPONENT_RGB,
            IMAGE_COMPONENT_ALPHA,
        ],
    );

    let set = host.param_set(effect)?;
    let page = host.define_parameter(set, PARAM_TYPE_PAGE, c"controls")?;
    page.set_text(PROP_LABEL, 0, c"Controls");
    for (at, group) in GROUPS.iter().enumerate() {
        let box_ = host.define_parameter(set, PARAM_TYPE_GROUP, group.name)?;
        box_.set_text(PROP_LABEL, 0, group.label);
        box_.set_int(PARAM_PROP_GROUP_OPEN, 0, i32::from(group.open));
        page.set_text(PARAM_PROP_PAGE_CHILD, at, group.name);
        for control in group.controls {
            let about = host.define_parameter(set, kind(&control.kind), control.name)?;
            about.set_text(PARAM_PROP_PARENT, 0, group.name);
            describe(&about, control);
        }
    }
    Ok(())
}

fn components(clip: &Properties<'_>, names: &[&CStr]) {
    for (at, name) in names.iter().enumerate() {
        clip.set_text(EFFECT_PROP_SUPPORTED_COMPONENTS, at, name);
    }
}

fn kind(kind: &Kind) -> &'static CStr {
    match kind {
        Kind::Text(_) => PARAM_TYPE_STRING,
        Kind::Int { .. } => PARAM_TYPE_INTEGER,
        Kind::Double { .. } => PARAM_TYPE_DOUBLE,
        Kind::Choice(_) => PARAM_TYPE_CHOICE,
        Kind::Point => PARAM_TYPE_DOUBLE2_D,
        Kind::Button => PARAM_TYPE_PUSH_BUTTON,
    }
}

fn describe(about: &Properties<'_>, control: &Control) {
    for name in [PROP_LABEL, PROP_SHORT_LABEL, PROP_LONG_LABEL] {
        about.set_text(name, 0, control.label);
    }
    about.set_text(PARAM_PROP_HINT, 0, control.hint);
    let animates = matches!(control.kind, Kind::Double { animates: true, .. });
    if !matches!(control.kind, Kind::Button) {
        about.set_int(PARAM_PROP_ANIMATES, 0, i32::from(animates));
    }
    match &control.kind {
        Kind::Text(text) => describe_text(about, *text),
        Kind::Int {
            default,
            range,
            slider,
        } => {
            about.set_int(PARAM_PROP_DEFAULT, 0, *default);
            about.set_int(PARAM_PROP_MIN, 0, range[0]);
            about.set_int(PARAM_PROP_MAX, 0, range[1]);
            about.set_int(PARAM_PROP_DISPLAY_MIN, 0, slider[0]);
            about.set_int(PARAM_PROP_DISPLAY_MAX, 0, slider[1]);
        }
        Kind::Double {
            default,
            range,
            slider,
            ..
        } => {
            about.set_text(PARAM_PROP_DOUBLE_TYPE, 0, PARAM_DOUBLE_TYPE_PLAIN);
            about.set_double(PARAM_PROP_DEFAULT, 0, *default);
            about.set_double(PARAM_PROP_MIN, 0, range[0]);
            about.set_double(PARAM_PROP_MAX, 0, range[1]);
            about.set_double(PARAM_PROP_DISPLAY_MIN, 0, slider[0]);
            about.set_double(PARAM_PROP_DISPLAY_MAX, 0, slider[1]);
        }
        Kind::Choice(options) => {
            for (at, option) in options.iter().enumerate() {
                about.set_text(PARAM_PROP_CHOICE_OPTION, at, option);
            }
            about.set_int(PARAM_PROP_DEFAULT, 0, 0);
        }
        Kind::Point => {
            about.set_text(PARAM_PROP_DOUBLE_TYPE, 0, PARAM_DOUBLE_TYPE_XY_ABSOLUTE);
            about.set_text(
                PARAM_PROP_DEFAULT_COORDINATE_SYSTEM,
                0,
                PARAM_COORDINATES_NORMALISED,
            );
            about.set_int(PARAM_PROP_USE_HOST_OVERLAY_HANDLE, 0, 1);
            for at in 0..2 {
                about.set_double(PARAM_PROP_DEFAULT, at, 0.5);
                about.set_double(PARAM_PROP_MIN, at, -1e6);
                about.set_double(PARAM_PROP_MAX, at, 1e6);
                about.set_double(PARAM_PROP_DISPLAY_MIN, at, 0.0);
                about.set_double(PARAM_PROP_DISPLAY_MAX, at, 8192.0);
            }
        }
        Kind::Button => {}
    }
}

fn describe_text(about: &Properties<'_>, text: Text) {
    let (mode, exists) = match text {
        Text::Line | Text::Status => (PARAM_STRING_IS_SINGLE_LINE, None),
        Text::ExistingFile => (PARAM_STRING_IS_FILE_PATH, Some(1)),
        Text::NewFile => (PARAM_STRING_IS_FILE_PATH, Some(0)),
        Text::Folder => (PARAM_STRING_IS_DIRECTORY_PATH, Some(1)),
    };
    about.set_text(PARAM_PROP_STRING_MODE, 0, mode);
    about.set_text(PARAM_PROP_DEFAULT, 0, c"");
    if let Some(exists) = exists {
        about.set_int(PARAM_PROP_STRING_FILE_PATH_EXISTS, 0, exists);
    }
    if text == Text::Status {
        about.set_int(PARAM_PROP_ENABLED, 0, 0);
        about.set_int(PARAM_PROP_PERSISTANT, 0, 0);
        about.set_int(PARAM_PROP_EVALUATE_ON_CHANGE, 0, 0);
    }
}

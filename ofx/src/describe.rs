//! The Describe and DescribeInContext actions. Nothing is loaded here: a host describes every effect
//! that it finds when it starts, and does not list an effect again that was slow or failed.

use std::ffi::CStr;

use crate::abi::EffectHandle;
use crate::abi::names::*;
use crate::controls::{Control, ControlKind, GROUPS, TextKind};
use crate::error::Result;
use crate::host::{Host, Properties};
use crate::instance::{Context, OCCLUSION};

const LABEL: &CStr = c"StyleLipSync";

/// The components that Source and Output support.
const COMPONENTS: &[&CStr] = &[
    IMAGE_COMPONENT_RGBA,
    IMAGE_COMPONENT_RGB,
    IMAGE_COMPONENT_ALPHA,
];

/// Describes the effect itself.
///
/// # Errors
/// [`ActionError::Host`](crate::error::ActionError::Host) where the host has no descriptor.
pub fn effect(host: &Host, effect: EffectHandle) -> Result<()> {
    let about = host.effect(effect)?;
    for name in [PROP_LABEL, PROP_SHORT_LABEL, PROP_LONG_LABEL] {
        about.set_text(name, 0, LABEL);
    }
    about.set_text(EFFECT_PLUGIN_PROP_GROUPING, 0, c"Face");
    about.set_text(
        PROP_PLUGIN_DESCRIPTION,
        0,
        c"Lip-sync: changes the mouth of a person in the picture to match the speech in an audio file.",
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
    // A frame is rendered whole and by one thread (no tiles, no frame threading); several frames may
    // be rendered at the same time.
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

/// Describes the clips and the controls.
///
/// # Errors
/// [`ActionError::Host`](crate::error::ActionError::Host) where the host refuses one.
pub fn in_context(host: &Host, effect: EffectHandle, context: Context) -> Result<()> {
    let source = host.define_clip(effect, EFFECT_SIMPLE_SOURCE_CLIP_NAME)?;
    set_components(&source, COMPONENTS);
    source.set_int(EFFECT_PROP_TEMPORAL_CLIP_ACCESS, 0, 1);
    // The filter context has one input; the general context may have more.
    if context == Context::General {
        let occlusion = host.define_clip(effect, OCCLUSION)?;
        set_components(&occlusion, &[IMAGE_COMPONENT_RGBA, IMAGE_COMPONENT_ALPHA]);
        occlusion.set_int(IMAGE_CLIP_PROP_OPTIONAL, 0, 1);
        occlusion.set_int(IMAGE_CLIP_PROP_IS_MASK, 0, 1);
        occlusion.set_text(PROP_LABEL, 0, c"Occlusion Matte");
    }
    let output = host.define_clip(effect, EFFECT_OUTPUT_CLIP_NAME)?;
    set_components(&output, COMPONENTS);

    let set = host.param_set(effect)?;
    let page = host.define_parameter(set, PARAM_TYPE_PAGE, c"controls")?;
    page.set_text(PROP_LABEL, 0, c"Controls");
    for (at, group) in GROUPS.iter().enumerate() {
        let about = host.define_parameter(set, PARAM_TYPE_GROUP, group.name)?;
        about.set_text(PROP_LABEL, 0, group.label);
        about.set_int(PARAM_PROP_GROUP_OPEN, 0, i32::from(group.open));
        page.set_text(PARAM_PROP_PAGE_CHILD, at, group.name);
        for control in group.controls {
            let about = host.define_parameter(set, parameter_type(&control.kind), control.name)?;
            about.set_text(PARAM_PROP_PARENT, 0, group.name);
            describe_control(&about, control);
        }
    }
    Ok(())
}

fn set_components(clip: &Properties<'_>, names: &[&CStr]) {
    for (at, name) in names.iter().enumerate() {
        clip.set_text(EFFECT_PROP_SUPPORTED_COMPONENTS, at, name);
    }
}

/// The OpenFX parameter type of a control.
fn parameter_type(kind: &ControlKind) -> &'static CStr {
    match kind {
        ControlKind::Text(_) => PARAM_TYPE_STRING,
        ControlKind::Int { .. } => PARAM_TYPE_INTEGER,
        ControlKind::Double { .. } => PARAM_TYPE_DOUBLE,
        ControlKind::Choice(..) => PARAM_TYPE_CHOICE,
        ControlKind::Point => PARAM_TYPE_DOUBLE2_D,
        ControlKind::Button => PARAM_TYPE_PUSH_BUTTON,
    }
}

fn describe_control(about: &Properties<'_>, control: &Control) {
    for name in [PROP_LABEL, PROP_SHORT_LABEL, PROP_LONG_LABEL] {
        about.set_text(name, 0, control.label);
    }
    about.set_text(PARAM_PROP_HINT, 0, control.hint);
    let animates = matches!(control.kind, ControlKind::Double { animates: true, .. });
    if !matches!(control.kind, ControlKind::Button) {
        about.set_int(PARAM_PROP_ANIMATES, 0, i32::from(animates));
    }
    match &control.kind {
        ControlKind::Text(text) => describe_text(about, *text),
        ControlKind::Int {
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
        ControlKind::Double {
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
        ControlKind::Choice(options, default) => {
            for (at, option) in options.iter().enumerate() {
                about.set_text(PARAM_PROP_CHOICE_OPTION, at, option);
            }
            about.set_int(PARAM_PROP_DEFAULT, 0, *default);
        }
        ControlKind::Point => {
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
        ControlKind::Button => {}
    }
}

fn describe_text(about: &Properties<'_>, text: TextKind) {
    let (mode, exists) = match text {
        TextKind::Line | TextKind::Status => (PARAM_STRING_IS_SINGLE_LINE, None),
        TextKind::ExistingFile => (PARAM_STRING_IS_FILE_PATH, Some(1)),
        TextKind::NewFile => (PARAM_STRING_IS_FILE_PATH, Some(0)),
        TextKind::Folder => (PARAM_STRING_IS_DIRECTORY_PATH, Some(1)),
    };
    about.set_text(PARAM_PROP_STRING_MODE, 0, mode);
    about.set_text(PARAM_PROP_DEFAULT, 0, c"");
    if let Some(exists) = exists {
        about.set_int(PARAM_PROP_STRING_FILE_PATH_EXISTS, 0, exists);
    }
    if text == TextKind::Status {
        about.set_int(PARAM_PROP_ENABLED, 0, 0);
        about.set_int(PARAM_PROP_PERSISTANT, 0, 0);
        about.set_int(PARAM_PROP_EVALUATE_ON_CHANGE, 0, 0);
    }
}

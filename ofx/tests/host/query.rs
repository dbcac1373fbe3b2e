//! The questions a host asks an instance before it renders, and the news it brings it.

use std::collections::BTreeMap;
use std::ffi::{CStr, CString};
use std::sync::Arc;

use openfx::sys::generic::core::*;
use openfx::sys::image_effect_v1::image_effect::*;

use super::action::{Args, Status, call};
use super::clip::{Clip, Mapping};
use super::handles::lock;
use super::image::{Components, Depth, Rect};
use super::node::Node;
use super::property::PropertySet;
use super::scope::Scope;

/// The answer to GetFramesNeeded: ranges of times for each input clip.
#[derive(Clone, Debug, PartialEq)]
pub struct FramesNeeded {
    pub status: Status,
    pub ranges: BTreeMap<String, Vec<(f64, f64)>>,
}

/// The answer to IsIdentity: the clip and time to take instead of rendering.
#[derive(Clone, Debug, PartialEq)]
pub struct Identity {
    pub status: Status,
    pub of: Option<(String, f64)>,
}

/// The answer to GetClipPreferences.
#[derive(Clone, Debug, PartialEq)]
pub struct ClipPreferences {
    pub status: Status,
    /// Components and depth by clip, by their OpenFX names.
    pub clips: BTreeMap<String, (String, String)>,
    pub frame_rate: f64,
    pub premultiplication: String,
    pub continuous: bool,
    pub frame_varying: bool,
}

fn named(prefix: &str, clip: &Clip) -> CString {
    let mut name = prefix.as_bytes().to_vec();
    name.extend(clip.name.as_bytes());
    CString::new(name).expect("neither part holds a NUL")
}

/// Calls an action of `node` at `time` with arguments.
pub(super) fn ask(
    node: &Arc<Node>,
    action: &'static CStr,
    time: f64,
    input: Option<PropertySet>,
    output: Option<PropertySet>,
) -> (Status, Option<Arc<PropertySet>>) {
    let mut scope = Scope::new(action, &node.journal, Some(node));
    scope.time = time;
    let (input, output) = (
        input.map(PropertySet::share),
        output.map(PropertySet::share),
    );
    let args = Args {
        handle: node.handle,
        input: input.as_deref(),
        output: output.as_deref(),
    };
    (call(node.entry, scope, args).0, output)
}

fn arguments(action: &CStr) -> PropertySet {
    PropertySet::new(format!("the arguments of {action:?}"))
}

fn answer(action: &CStr) -> PropertySet {
    PropertySet::new(format!("the answer to {action:?}"))
}

pub(super) fn frames_needed(node: &Arc<Node>, time: f64) -> FramesNeeded {
    let action = kOfxImageEffectActionGetFramesNeeded;
    let input = arguments(action).fixed(kOfxPropTime, time);
    let clips: Vec<Arc<Clip>> = lock(&node.clips)
        .iter()
        .filter(|clip| !clip.is_output())
        .cloned()
        .collect();
    let property = |clip: &Clip| named("OfxImageClipPropFrameRange_", clip);
    let mut output = answer(action);
    for clip in &clips {
        output = output.open_list(&property(clip), [time, time]);
    }
    let (status, output) = ask(node, action, time, Some(input), Some(output));
    let mut ranges = BTreeMap::new();
    for clip in &clips {
        let values = output
            .as_ref()
            .map(|set| set.doubles(&property(clip)))
            .unwrap_or_default();
        let ordered = values
            .chunks(2)
            .all(|range| range.len() == 2 && range[0] <= range[1]);
        if !ordered {
            let name = &clip.name;
            node.journal.violation(format!(
                "frames needed of {name:?} are not ranges: {values:?}"
            ));
        }
        let pairs = values
            .chunks_exact(2)
            .map(|range| (range[0], range[1]))
            .collect();
        ranges.insert(clip.label(), pairs);
    }
    FramesNeeded { status, ranges }
}

pub(super) fn is_identity(
    node: &Arc<Node>,
    time: f64,
    window: Rect,
    scale: [f64; 2],
    thumbnail: bool,
) -> Identity {
    let action = kOfxImageEffectActionIsIdentity;
    let input = arguments(action)
        .fixed(kOfxPropTime, time)
        .fixed(kOfxImageEffectPropFieldToRender, kOfxImageFieldNone)
        .fixed(kOfxImageEffectPropRenderWindow, window.array())
        .fixed(kOfxImageEffectPropRenderScale, scale)
        .fixed(kOfxImageEffectPropThumbnailRender, thumbnail);
    let output = answer(action)
        .open(kOfxPropName, c"")
        .open(kOfxPropTime, time);
    let (status, output) = ask(node, action, time, Some(input), Some(output));
    let answer = output.filter(|_| status.is_ok()).map(|set| {
        let name = set.string(kOfxPropName).unwrap_or_default();
        (name, set.double(kOfxPropTime).unwrap_or(f64::NAN))
    });
    if let Some((name, at)) = &answer {
        let clips = lock(&node.clips);
        let known = clips
            .iter()
            .any(|clip| clip.label() == *name && !clip.is_output());
        if !known || !at.is_finite() {
            node.journal
                .violation(format!("IsIdentity names clip {name:?} at {at}"));
        }
    }
    Identity { status, of: answer }
}

pub(super) fn clip_preferences(node: &Arc<Node>) -> ClipPreferences {
    let action = kOfxImageEffectActionGetClipPreferences;
    let clips = lock(&node.clips).clone();
    let components = |clip: &Clip| named("OfxImageClipPropComponents_", clip);
    let depth = |clip: &Clip| named("OfxImageClipPropDepth_", clip);
    let aspect = |clip: &Clip| named("OfxImageClipPropPAR_", clip);
    let source = node.clip(kOfxImageEffectSimpleSourceClipName);
    let source = source.as_ref().map(|clip| lock(&clip.connection).clone());
    let rate = source
        .clone()
        .flatten()
        .map_or(25.0, |connection| connection.frame_rate);
    let alpha = source
        .flatten()
        .map_or(kOfxImagePreMultiplied, |c| c.premultiplication.name());
    let mut output = answer(action)
        .open(kOfxImageEffectPropFrameRate, rate)
        .open(kOfxImageClipPropFieldOrder, kOfxImageFieldNone)
        .open(kOfxImageEffectPropPreMultiplication, alpha)
        .open(kOfxImageClipPropContinuousSamples, 0)
        .open(kOfxImageEffectFrameVarying, 0);
    for clip in &clips {
        // What is connected, not what an earlier answer made of it.
        let connection = lock(&clip.connection).clone();
        let (c, d, par) = connection.map_or(
            (kOfxImageComponentRGBA, kOfxBitDepthFloat, 1.0),
            |connection| {
                (
                    connection.components.name(),
                    connection.depth.name(),
                    connection.pixel_aspect,
                )
            },
        );
        output = output
            .open(&components(clip), c)
            .open(&depth(clip), d)
            .open(&aspect(clip), par);
    }
    let (status, output) = ask(node, action, 0.0, None, Some(output));
    let output = output.unwrap_or_else(|| answer(action).share());
    let mut preferences = ClipPreferences {
        status,
        clips: BTreeMap::new(),
        frame_rate: output.double(kOfxImageEffectPropFrameRate).unwrap_or(rate),
        premultiplication: output
            .string(kOfxImageEffectPropPreMultiplication)
            .unwrap_or_default(),
        continuous: output.int(kOfxImageClipPropContinuousSamples) == Some(1),
        frame_varying: output.int(kOfxImageEffectFrameVarying) == Some(1),
    };
    for clip in &clips {
        let c = output.string(&components(clip)).unwrap_or_default();
        let d = output.string(&depth(clip)).unwrap_or_default();
        let parsed = (Components::named(&c), Depth::named(&d));
        let connected = lock(&clip.connection).is_some();
        if let (Some(components), Some(depth)) = parsed {
            if connected && node.host.options.depths.contains(&depth) {
                clip.map(Mapping { depth, components });
            }
        } else {
            let name = &clip.name;
            node.journal
                .violation(format!("clip preferences of {name:?}: {c:?} of {d:?}"));
        }
        preferences.clips.insert(clip.label(), (c, d));
    }
    if let Some(clip) = node.clip(kOfxImageEffectOutputClipName) {
        clip.props
            .put(kOfxImageEffectPropFrameRate, preferences.frame_rate);
        let alpha = preferences.premultiplication.as_str();
        clip.props.put(kOfxImageEffectPropPreMultiplication, alpha);
    }
    preferences
}

/// The region of definition, canonical; the source's if the plugin leaves it.
pub(super) fn region_of_definition(
    node: &Arc<Node>,
    time: f64,
    scale: [f64; 2],
) -> (Status, [f64; 4]) {
    let action = kOfxImageEffectActionGetRegionOfDefinition;
    let source = node.clip(kOfxImageEffectSimpleSourceClipName);
    let region = source
        .and_then(|clip| clip.region_of_definition())
        .unwrap_or_default();
    let input = arguments(action)
        .fixed(kOfxPropTime, time)
        .fixed(kOfxImageEffectPropRenderScale, scale)
        .fixed(kOfxImageEffectPropThumbnailRender, 0);
    let output = answer(action).open(kOfxImageEffectPropRegionOfDefinition, region);
    let (status, output) = ask(node, action, time, Some(input), Some(output));
    let values = output.map(|set| set.doubles(kOfxImageEffectPropRegionOfDefinition));
    (
        status,
        values
            .and_then(|values| values.try_into().ok())
            .unwrap_or(region),
    )
}

/// The regions of interest by clip, canonical.
pub(super) fn regions_of_interest(
    node: &Arc<Node>,
    time: f64,
    scale: [f64; 2],
    region: [f64; 4],
) -> (Status, BTreeMap<String, Vec<f64>>) {
    let action = kOfxImageEffectActionGetRegionsOfInterest;
    let input = arguments(action)
        .fixed(kOfxPropTime, time)
        .fixed(kOfxImageEffectPropRenderScale, scale)
        .fixed(kOfxImageEffectPropRegionOfInterest, region)
        .fixed(kOfxImageEffectPropThumbnailRender, 0);
    let clips = lock(&node.clips).clone();
    let property = |clip: &Clip| named("OfxImageClipPropRoI_", clip);
    let mut output = answer(action);
    for clip in clips.iter().filter(|clip| !clip.is_output()) {
        output = output.open(&property(clip), region);
    }
    let (status, output) = ask(node, action, time, Some(input), Some(output));
    let values = |clip: &Arc<Clip>| {
        let values = output.as_ref().map(|set| set.doubles(&property(clip)));
        (clip.label(), values.unwrap_or_default())
    };
    let inputs = clips.iter().filter(|clip| !clip.is_output());
    (status, inputs.map(values).collect())
}

/// What changed, and how.
pub(super) struct Change<'a> {
    pub kind: &'a CStr,
    pub name: &'a CStr,
    pub reason: &'a CStr,
    pub time: f64,
}

/// BeginInstanceChanged, InstanceChanged, EndInstanceChanged; the status is that of the middle one.
pub(super) fn changed(node: &Arc<Node>, change: Change) -> Status {
    let Change {
        kind,
        name,
        reason,
        time,
    } = change;
    let bracket = |action| {
        let input = arguments(action).fixed(kOfxPropChangeReason, reason);
        ask(node, action, time, Some(input), None)
    };
    bracket(kOfxActionBeginInstanceChanged);
    let input = arguments(kOfxActionInstanceChanged)
        .fixed(kOfxPropType, kind)
        .fixed(kOfxPropName, name)
        .fixed(kOfxPropChangeReason, reason)
        .fixed(kOfxPropTime, time)
        .fixed(kOfxImageEffectPropRenderScale, [1.0, 1.0]);
    let (status, _) = ask(node, kOfxActionInstanceChanged, time, Some(input), None);
    bracket(kOfxActionEndInstanceChanged);
    status
}

/// What hosts call back from within paramSetValue.
pub(super) fn changed_by_plugin(node: &Arc<Node>, name: &CStr, scope: &Scope) {
    let kind = openfx::sys::image_effect_v1::param::kOfxTypeParameter;
    changed(
        node,
        Change {
            kind,
            name,
            reason: kOfxChangePluginEdited,
            time: scope.time,
        },
    );
}

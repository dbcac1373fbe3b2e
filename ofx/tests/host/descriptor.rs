//! The property sets of the host, of effects and of clips, as the specification lists them.

use std::ffi::{CStr, CString};

use openfx::sys::generic::core::*;
use openfx::sys::image_effect_v1::gpu_render::*;
use openfx::sys::image_effect_v1::image_effect::*;
use openfx::sys::image_effect_v1::param::*;

use super::image::Depth;
use super::options::{Context, HostOptions};
use super::property::PropertySet;
use super::value::{Kind, Values};

/// Vendor properties, or other values for standard ones.
pub type Extra = Vec<(CString, Values)>;

pub(super) const CONTEXTS: &[&CStr] = &[
    kOfxImageEffectContextFilter,
    kOfxImageEffectContextGeneral,
    kOfxImageEffectContextGenerator,
    kOfxImageEffectContextTransition,
    kOfxImageEffectContextPaint,
    kOfxImageEffectContextRetimer,
];
pub(super) const COMPONENTS: &[&CStr] = &[
    kOfxImageComponentRGBA,
    kOfxImageComponentRGB,
    kOfxImageComponentAlpha,
    kOfxImageComponentNone,
];
pub(super) const DEPTHS: &[&CStr] = &[
    kOfxBitDepthByte,
    kOfxBitDepthShort,
    kOfxBitDepthHalf,
    kOfxBitDepthFloat,
    kOfxBitDepthNone,
];
const THREAD_SAFETY: &[&CStr] = &[
    kOfxImageEffectRenderInstanceSafe,
    kOfxImageEffectRenderFullySafe,
    kOfxImageEffectRenderUnsafe,
];
const BOOLEAN_WORDS: &[&CStr] = &[c"false", c"true", c"needed"];
const FIELD_EXTRACTION: &[&CStr] = &[
    kOfxImageFieldDoubled,
    kOfxImageFieldNone,
    kOfxImageFieldBoth,
    kOfxImageFieldSingle,
];

pub(super) fn put_extra(set: &PropertySet, extra: &Extra) {
    for (name, values) in extra {
        set.put(name, values.clone());
    }
}

pub(super) fn depth_values(depths: &[Depth]) -> Values {
    Values(
        depths
            .iter()
            .flat_map(|depth| Values::from(depth.name()).0)
            .collect(),
    )
}

pub(super) fn host_properties(options: &HostOptions) -> PropertySet {
    let name = options.name.as_c_str();
    let set = PropertySet::new("the host")
        .fixed(kOfxPropType, kOfxTypeImageEffectHost)
        .fixed(kOfxPropName, name)
        .fixed(kOfxPropLabel, name)
        .fixed(kOfxPropVersion, [1, 0, 0])
        .fixed(kOfxPropVersionLabel, c"1.0")
        .fixed(kOfxPropAPIVersion, options.api_version)
        .fixed(kOfxImageEffectHostPropIsBackground, 0)
        .fixed(kOfxImageEffectPropSupportsOverlays, 0)
        .fixed(kOfxImageEffectPropSupportsMultiResolution, 0)
        .fixed(kOfxImageEffectPropSupportsTiles, 0)
        .fixed(
            kOfxImageEffectPropTemporalClipAccess,
            options.temporal_access,
        )
        .fixed(
            kOfxImageEffectPropSupportedComponents,
            [
                kOfxImageComponentRGBA,
                kOfxImageComponentRGB,
                kOfxImageComponentAlpha,
            ],
        )
        .fixed(
            kOfxImageEffectPropSupportedContexts,
            [kOfxImageEffectContextFilter, kOfxImageEffectContextGeneral],
        )
        .fixed(
            kOfxImageEffectPropSupportedPixelDepths,
            depth_values(&options.depths),
        )
        .fixed(kOfxImageEffectPropSupportsMultipleClipDepths, 0)
        .fixed(kOfxImageEffectPropSupportsMultipleClipPARs, 0)
        .fixed(kOfxImageEffectPropSetableFrameRate, 0)
        .fixed(kOfxImageEffectPropSetableFielding, 0)
        .fixed(kOfxImageEffectInstancePropSequentialRender, 0)
        .fixed(kOfxImageEffectPropRenderQualityDraft, 1)
        .fixed(
            kOfxImageEffectHostPropNativeOrigin,
            kOfxHostNativeOriginBottomLeft,
        )
        .fixed(kOfxImageEffectPropOpenGLRenderSupported, c"false")
        .fixed(kOfxImageEffectPropCudaRenderSupported, c"false")
        .fixed(kOfxImageEffectPropCudaStreamSupported, c"false")
        .fixed(kOfxImageEffectPropMetalRenderSupported, c"false")
        .fixed(kOfxImageEffectPropOpenCLRenderSupported, c"false")
        .fixed(kOfxParamHostPropSupportsCustomAnimation, 0)
        .fixed(kOfxParamHostPropSupportsStringAnimation, 0)
        .fixed(kOfxParamHostPropSupportsBooleanAnimation, 0)
        .fixed(kOfxParamHostPropSupportsChoiceAnimation, 0)
        .fixed(kOfxParamHostPropSupportsCustomInteract, 0)
        .fixed(kOfxParamHostPropSupportsStrChoiceAnimation, 0)
        .fixed(kOfxParamHostPropSupportsStrChoice, 1)
        .fixed(kOfxParamHostPropMaxParameters, -1)
        .fixed(kOfxParamHostPropMaxPages, 0)
        .fixed(kOfxParamHostPropPageRowColumnCount, [0, 0])
        .fixed(kOfxPropHostOSHandle, Values::pointer(0));
    put_extra(&set, &options.extra);
    set
}

/// The descriptor that Describe fills; DescribeInContext gets a copy of it.
pub(super) fn effect_descriptor(options: &HostOptions, bundle: &CStr) -> PropertySet {
    let set = PropertySet::new("the effect descriptor")
        .fixed(kOfxPropType, kOfxTypeImageEffect)
        .open(kOfxPropLabel, c"")
        .open(kOfxPropShortLabel, c"")
        .open(kOfxPropLongLabel, c"")
        .list(kOfxPropVersion, Kind::Int)
        .open(kOfxPropVersionLabel, c"")
        .open(kOfxPropPluginDescription, c"")
        .open(kOfxPropIcon, [c"", c""])
        .any_of(kOfxImageEffectPropSupportedContexts, CONTEXTS)
        .open(kOfxImageEffectPluginPropGrouping, c"")
        .open(kOfxImageEffectPluginPropSingleInstance, 0)
        .one_of(kOfxImageEffectPluginRenderThreadSafety, THREAD_SAFETY)
        .open(kOfxImageEffectPluginPropHostFrameThreading, 1)
        .open(
            kOfxImageEffectPluginPropOverlayInteractV1,
            Values::pointer(0),
        )
        .open(
            kOfxImageEffectPluginPropOverlayInteractV2,
            Values::pointer(0),
        )
        .open(kOfxImageEffectPropSupportsMultiResolution, 1)
        .open(kOfxImageEffectPropSupportsTiles, 1)
        .open(kOfxImageEffectPropTemporalClipAccess, 0)
        .any_of(kOfxImageEffectPropSupportedPixelDepths, DEPTHS)
        .open(kOfxImageEffectPluginPropFieldRenderTwiceAlways, 1)
        .open(kOfxImageEffectPropSupportsMultipleClipDepths, 0)
        .open(kOfxImageEffectPropSupportsMultipleClipPARs, 0)
        .open(kOfxImageEffectInstancePropSequentialRender, 0)
        .open(kOfxImageEffectPluginPropObsolete, 0)
        .list(kOfxImageEffectPropClipPreferencesSlaveParam, Kind::String)
        .list(kOfxPluginPropParamPageOrder, Kind::String)
        .one_of(kOfxImageEffectPropOpenGLRenderSupported, BOOLEAN_WORDS)
        .one_of(kOfxImageEffectPropCudaRenderSupported, BOOLEAN_WORDS)
        .one_of(kOfxImageEffectPropCudaStreamSupported, BOOLEAN_WORDS)
        .one_of(kOfxImageEffectPropMetalRenderSupported, BOOLEAN_WORDS)
        .one_of(kOfxImageEffectPropOpenCLRenderSupported, BOOLEAN_WORDS)
        .one_of(kOfxImageEffectPropOpenCLSupported, BOOLEAN_WORDS)
        .open(kOfxImageEffectPropCPURenderSupported, c"true")
        .open(kOfxImageEffectPropNoSpatialAwareness, c"false");
    if options.file_path {
        set.fixed(kOfxPluginPropFilePath, bundle)
    } else {
        set
    }
}

pub(super) fn effect_instance(context: Context, descriptor: usize) -> PropertySet {
    PropertySet::new("the effect instance")
        .fixed(kOfxPropType, kOfxTypeImageEffectInstance)
        .fixed(kOfxImageEffectPropContext, context.name())
        .fixed(kOfxImageEffectPropPluginHandle, Values::pointer(descriptor))
        .open(kOfxPropInstanceData, Values::pointer(0))
        .fixed(kOfxImageEffectPropProjectSize, [1920.0, 1080.0])
        .fixed(kOfxImageEffectPropProjectOffset, [0.0, 0.0])
        .fixed(kOfxImageEffectPropProjectExtent, [1920.0, 1080.0])
        .fixed(kOfxImageEffectPropProjectPixelAspectRatio, 1.0)
        .fixed(kOfxImageEffectInstancePropEffectDuration, 100.0)
        .fixed(kOfxImageEffectPropFrameRate, 25.0)
        .fixed(kOfxPropIsInteractive, 0)
        .open(kOfxImageEffectInstancePropSequentialRender, 0)
        .open(kOfxPropParamSetNeedsSyncing, 0)
        .open(kOfxImageEffectPropSupportsTiles, 0)
        .one_of(kOfxImageEffectPropOpenGLRenderSupported, BOOLEAN_WORDS)
        .one_of(kOfxImageEffectPropCudaRenderSupported, BOOLEAN_WORDS)
        .one_of(kOfxImageEffectPropOpenCLRenderSupported, BOOLEAN_WORDS)
}

pub(super) fn clip_descriptor(name: &CStr) -> PropertySet {
    PropertySet::new(format!("the descriptor of clip {name:?}"))
        .fixed(kOfxPropType, kOfxTypeClip)
        .fixed(kOfxPropName, name)
        .open(kOfxPropLabel, name)
        .open(kOfxPropShortLabel, name)
        .open(kOfxPropLongLabel, name)
        .any_of(kOfxImageEffectPropSupportedComponents, COMPONENTS)
        .open(kOfxImageEffectPropTemporalClipAccess, 0)
        .open(kOfxImageClipPropOptional, 0)
        .one_of(kOfxImageClipPropFieldExtraction, FIELD_EXTRACTION)
        .open(kOfxImageClipPropIsMask, 0)
        .open(kOfxImageEffectPropSupportsTiles, 1)
}

//! The strings of OpenFX. Each constant has the name of the specification without its `kOfx`.

use std::ffi::CStr;

// Suites.

pub const PROPERTY_SUITE: &CStr = c"OfxPropertySuite";
pub const EFFECT_SUITE: &CStr = c"OfxImageEffectSuite";
pub const PARAMETER_SUITE: &CStr = c"OfxParameterSuite";
pub const MESSAGE_SUITE: &CStr = c"OfxMessageSuite";
pub const PROGRESS_SUITE: &CStr = c"OfxProgressSuite";
pub const TIMELINE_SUITE: &CStr = c"OfxTimeLineSuite";

// Actions.

pub const ACTION_LOAD: &CStr = c"OfxActionLoad";
pub const ACTION_UNLOAD: &CStr = c"OfxActionUnload";
pub const ACTION_DESCRIBE: &CStr = c"OfxActionDescribe";
pub const ACTION_CREATE_INSTANCE: &CStr = c"OfxActionCreateInstance";
pub const ACTION_DESTROY_INSTANCE: &CStr = c"OfxActionDestroyInstance";
pub const ACTION_INSTANCE_CHANGED: &CStr = c"OfxActionInstanceChanged";
pub const ACTION_SYNC_PRIVATE_DATA: &CStr = c"OfxActionSyncPrivateData";
pub const ACTION_PURGE_CACHES: &CStr = c"OfxActionPurgeCaches";
pub const ACTION_DESCRIBE_IN_CONTEXT: &CStr = c"OfxImageEffectActionDescribeInContext";
pub const EFFECT_ACTION_RENDER: &CStr = c"OfxImageEffectActionRender";
pub const EFFECT_ACTION_IS_IDENTITY: &CStr = c"OfxImageEffectActionIsIdentity";
pub const EFFECT_ACTION_GET_CLIP_PREFERENCES: &CStr = c"OfxImageEffectActionGetClipPreferences";
pub const EFFECT_FRAME_VARYING: &CStr = c"OfxImageEffectFrameVarying";
pub const EFFECT_ACTION_GET_FRAMES_NEEDED: &CStr = c"OfxImageEffectActionGetFramesNeeded";

// Plug-ins and hosts.

pub const EFFECT_PLUGIN_API: &CStr = c"OfxImageEffectPluginAPI";
pub const PROP_NAME: &CStr = c"OfxPropName";
pub const PROP_LABEL: &CStr = c"OfxPropLabel";
pub const PROP_SHORT_LABEL: &CStr = c"OfxPropShortLabel";
pub const PROP_LONG_LABEL: &CStr = c"OfxPropLongLabel";
pub const PROP_PLUGIN_DESCRIPTION: &CStr = c"OfxPropPluginDescription";
pub const PROP_TYPE: &CStr = c"OfxPropType";
pub const PROP_TIME: &CStr = c"OfxPropTime";
pub const PROP_CHANGE_REASON: &CStr = c"OfxPropChangeReason";
pub const CHANGE_USER_EDITED: &CStr = c"OfxChangeUserEdited";
pub const PROP_INSTANCE_DATA: &CStr = c"OfxPropInstanceData";
pub const EFFECT_HOST_PROP_IS_BACKGROUND: &CStr = c"OfxImageEffectHostPropIsBackground";
pub const EFFECT_ACTION_BEGIN_SEQUENCE_RENDER: &CStr = c"OfxImageEffectActionBeginSequenceRender";
pub const EFFECT_ACTION_END_SEQUENCE_RENDER: &CStr = c"OfxImageEffectActionEndSequenceRender";
pub const PROP_IS_INTERACTIVE: &CStr = c"OfxPropIsInteractive";
pub const EFFECT_PROP_INTERACTIVE_RENDER: &CStr = c"OfxImageEffectPropInteractiveRenderStatus";
pub const EFFECT_PROP_FIELD_TO_RENDER: &CStr = c"OfxImageEffectPropFieldToRender";
pub const IMAGE_FIELD_LOWER: &CStr = c"OfxFieldLower";
pub const IMAGE_FIELD_UPPER: &CStr = c"OfxFieldUpper";
pub const EFFECT_PLUGIN_PROP_GROUPING: &CStr = c"OfxImageEffectPluginPropGrouping";
pub const EFFECT_PLUGIN_RENDER_THREAD_SAFETY: &CStr = c"OfxImageEffectPluginRenderThreadSafety";
pub const EFFECT_RENDER_FULLY_SAFE: &CStr = c"OfxImageEffectRenderFullySafe";
pub const EFFECT_PLUGIN_PROP_HOST_FRAME_THREADING: &CStr =
    c"OfxImageEffectPluginPropHostFrameThreading";
pub const EFFECT_PLUGIN_PROP_SINGLE_INSTANCE: &CStr = c"OfxImageEffectPluginPropSingleInstance";
pub const EFFECT_PROP_SUPPORTED_CONTEXTS: &CStr = c"OfxImageEffectPropSupportedContexts";
pub const EFFECT_PROP_SUPPORTED_PIXEL_DEPTHS: &CStr = c"OfxImageEffectPropSupportedPixelDepths";
pub const EFFECT_PROP_CONTEXT: &CStr = c"OfxImageEffectPropContext";
pub const EFFECT_CONTEXT_FILTER: &CStr = c"OfxImageEffectContextFilter";
pub const EFFECT_CONTEXT_GENERAL: &CStr = c"OfxImageEffectContextGeneral";
pub const EFFECT_PROP_SUPPORTS_TILES: &CStr = c"OfxImageEffectPropSupportsTiles";
pub const EFFECT_PROP_SUPPORTS_MULTI_RESOLUTION: &CStr =
    c"OfxImageEffectPropSupportsMultiResolution";
pub const EFFECT_PROP_SUPPORTS_MULTIPLE_CLIP_DEPTHS: &CStr =
    c"OfxImageEffectPropMultipleClipDepths";
pub const EFFECT_PROP_TEMPORAL_CLIP_ACCESS: &CStr = c"OfxImageEffectPropTemporalClipAccess";

// Clips and images.

pub const EFFECT_SIMPLE_SOURCE_CLIP_NAME: &CStr = c"Source";
pub const EFFECT_OUTPUT_CLIP_NAME: &CStr = c"Output";
pub const EFFECT_PROP_SUPPORTED_COMPONENTS: &CStr = c"OfxImageEffectPropSupportedComponents";
pub const IMAGE_CLIP_PROP_OPTIONAL: &CStr = c"OfxImageClipPropOptional";
pub const IMAGE_CLIP_PROP_IS_MASK: &CStr = c"OfxImageClipPropIsMask";
pub const IMAGE_CLIP_PROP_CONNECTED: &CStr = c"OfxImageClipPropConnected";
pub const EFFECT_PROP_COMPONENTS: &CStr = c"OfxImageEffectPropComponents";
pub const EFFECT_PROP_PIXEL_DEPTH: &CStr = c"OfxImageEffectPropPixelDepth";
pub const EFFECT_PROP_PREMULTIPLICATION: &CStr = c"OfxImageEffectPropPreMultiplication";
pub const IMAGE_PREMULTIPLIED: &CStr = c"OfxImageAlphaPremultiplied";
pub const EFFECT_PROP_FRAME_RATE: &CStr = c"OfxImageEffectPropFrameRate";
pub const EFFECT_PROP_FRAME_RANGE: &CStr = c"OfxImageEffectPropFrameRange";
pub const IMAGE_PROP_DATA: &CStr = c"OfxImagePropData";
pub const IMAGE_PROP_BOUNDS: &CStr = c"OfxImagePropBounds";
pub const IMAGE_PROP_ROW_BYTES: &CStr = c"OfxImagePropRowBytes";
pub const EFFECT_PROP_RENDER_SCALE: &CStr = c"OfxImageEffectPropRenderScale";
pub const EFFECT_PROP_RENDER_WINDOW: &CStr = c"OfxImageEffectPropRenderWindow";
pub const IMAGE_PROP_PIXEL_ASPECT_RATIO: &CStr = c"OfxImagePropPixelAspectRatio";
pub const IMAGE_COMPONENT_RGBA: &CStr = c"OfxImageComponentRGBA";
pub const IMAGE_COMPONENT_RGB: &CStr = c"OfxImageComponentRGB";
pub const IMAGE_COMPONENT_ALPHA: &CStr = c"OfxImageComponentAlpha";
pub const BIT_DEPTH_BYTE: &CStr = c"OfxBitDepthByte";
pub const BIT_DEPTH_SHORT: &CStr = c"OfxBitDepthShort";
pub const BIT_DEPTH_HALF: &CStr = c"OfxBitDepthHalf";
pub const BIT_DEPTH_FLOAT: &CStr = c"OfxBitDepthFloat";
pub const EFFECT_PROP_THUMBNAIL_RENDER: &CStr = c"OfxImageEffectPropThumbnailRender";

// Parameters.

pub const PARAM_TYPE_INTEGER: &CStr = c"OfxParamTypeInteger";
pub const PARAM_TYPE_DOUBLE: &CStr = c"OfxParamTypeDouble";
pub const PARAM_TYPE_CHOICE: &CStr = c"OfxParamTypeChoice";
pub const PARAM_TYPE_DOUBLE2_D: &CStr = c"OfxParamTypeDouble2D";
pub const PARAM_TYPE_STRING: &CStr = c"OfxParamTypeString";
pub const PARAM_TYPE_GROUP: &CStr = c"OfxParamTypeGroup";
pub const PARAM_TYPE_PAGE: &CStr = c"OfxParamTypePage";
pub const PARAM_TYPE_PUSH_BUTTON: &CStr = c"OfxParamTypePushButton";
pub const TYPE_PARAMETER: &CStr = c"OfxTypeParameter";
pub const TYPE_CLIP: &CStr = c"OfxTypeClip";
pub const PARAM_PROP_HINT: &CStr = c"OfxParamPropHint";
pub const PARAM_PROP_PARENT: &CStr = c"OfxParamPropParent";
pub const PARAM_PROP_DEFAULT: &CStr = c"OfxParamPropDefault";
pub const PARAM_PROP_MIN: &CStr = c"OfxParamPropMin";
pub const PARAM_PROP_MAX: &CStr = c"OfxParamPropMax";
pub const PARAM_PROP_DISPLAY_MIN: &CStr = c"OfxParamPropDisplayMin";
pub const PARAM_PROP_DISPLAY_MAX: &CStr = c"OfxParamPropDisplayMax";
pub const PARAM_PROP_ANIMATES: &CStr = c"OfxParamPropAnimates";
pub const PARAM_PROP_ENABLED: &CStr = c"OfxParamPropEnabled";
pub const PARAM_PROP_PERSISTANT: &CStr = c"OfxParamPropPersistant";
pub const PARAM_PROP_EVALUATE_ON_CHANGE: &CStr = c"OfxParamPropEvaluateOnChange";
pub const PARAM_PROP_CHOICE_OPTION: &CStr = c"OfxParamPropChoiceOption";
pub const PARAM_PROP_STRING_MODE: &CStr = c"OfxParamPropStringMode";
pub const PARAM_STRING_IS_SINGLE_LINE: &CStr = c"OfxParamStringIsSingleLine";
pub const PARAM_STRING_IS_FILE_PATH: &CStr = c"OfxParamStringIsFilePath";
pub const PARAM_STRING_IS_DIRECTORY_PATH: &CStr = c"OfxParamStringIsDirectoryPath";
pub const PARAM_PROP_STRING_FILE_PATH_EXISTS: &CStr = c"OfxParamPropStringFilePathExists";
pub const PARAM_PROP_DOUBLE_TYPE: &CStr = c"OfxParamPropDoubleType";
pub const PARAM_DOUBLE_TYPE_XY_ABSOLUTE: &CStr = c"OfxParamDoubleTypeXYAbsolute";
pub const PARAM_DOUBLE_TYPE_PLAIN: &CStr = c"OfxParamDoubleTypePlain";
pub const PARAM_PROP_DEFAULT_COORDINATE_SYSTEM: &CStr = c"OfxParamPropDefaultCoordinateSystem";
pub const PARAM_COORDINATES_NORMALISED: &CStr = c"OfxParamCoordinatesNormalised";
pub const PARAM_PROP_USE_HOST_OVERLAY_HANDLE: &CStr = c"kOfxParamPropUseHostOverlayHandle";
pub const PARAM_PROP_GROUP_OPEN: &CStr = c"OfxParamPropGroupOpen";
pub const PARAM_PROP_PAGE_CHILD: &CStr = c"OfxParamPropPageChild";

// Messages.

pub const MESSAGE_ERROR: &CStr = c"OfxMessageError";
pub const MESSAGE_MESSAGE: &CStr = c"OfxMessageMessage";

/// The frame range needed of the clip Source: the property's prefix with the clip's name.
pub const CLIP_PROP_FRAME_RANGE_OF_SOURCE: &CStr = c"OfxImageClipPropFrameRange_Source";

/// A property of DaVinci Resolve that is in no header: on an image, 1 if it is for a thumbnail.
pub const RESOLVE_THUMBNAIL: &CStr = c"kOfxImageClipPropThumbnail";

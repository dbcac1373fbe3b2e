//! The definitions in `src/abi` against independent bindings of the OpenFX headers: sizes, offsets and
//! constants.

use openfx::sys::generic::core::*;
use openfx::sys::generic::property::*;
use openfx::sys::image_effect_v1::image_effect::*;
use openfx::sys::image_effect_v1::message::*;
use openfx::sys::image_effect_v1::param::*;
use openfx::sys::image_effect_v1::progress::*;
use openfx::sys::image_effect_v1::time_line::*;
use stylelipsync_ofx::abi::{self, names::*, status};

macro_rules! strings {
    ($($ours:ident == $theirs:ident,)*) => {
        #[test]
        fn strings_match_the_headers() {
            $(assert_eq!($ours, $theirs, stringify!($ours));)*
        }
    };
}

strings! {
    PROPERTY_SUITE == kOfxPropertySuite,
    EFFECT_SUITE == kOfxImageEffectSuite,
    PARAMETER_SUITE == kOfxParameterSuite,
    MESSAGE_SUITE == kOfxMessageSuite,
    PROGRESS_SUITE == kOfxProgressSuite,
    TIMELINE_SUITE == kOfxTimeLineSuite,
    ACTION_LOAD == kOfxActionLoad,
    ACTION_UNLOAD == kOfxActionUnload,
    ACTION_DESCRIBE == kOfxActionDescribe,
    ACTION_CREATE_INSTANCE == kOfxActionCreateInstance,
    ACTION_DESTROY_INSTANCE == kOfxActionDestroyInstance,
    ACTION_INSTANCE_CHANGED == kOfxActionInstanceChanged,
    ACTION_SYNC_PRIVATE_DATA == kOfxActionSyncPrivateData,
    ACTION_PURGE_CACHES == kOfxActionPurgeCaches,
    ACTION_DESCRIBE_IN_CONTEXT == kOfxImageEffectActionDescribeInContext,
    EFFECT_ACTION_RENDER == kOfxImageEffectActionRender,
    EFFECT_ACTION_IS_IDENTITY == kOfxImageEffectActionIsIdentity,
    EFFECT_ACTION_GET_CLIP_PREFERENCES == kOfxImageEffectActionGetClipPreferences,
    EFFECT_FRAME_VARYING == kOfxImageEffectFrameVarying,
    EFFECT_ACTION_GET_FRAMES_NEEDED == kOfxImageEffectActionGetFramesNeeded,
    EFFECT_PLUGIN_API == kOfxImageEffectPluginApi,
    PROP_NAME == kOfxPropName,
    PROP_LABEL == kOfxPropLabel,
    PROP_SHORT_LABEL == kOfxPropShortLabel,
    PROP_LONG_LABEL == kOfxPropLongLabel,
    PROP_PLUGIN_DESCRIPTION == kOfxPropPluginDescription,
    PROP_TYPE == kOfxPropType,
    PROP_TIME == kOfxPropTime,
    PROP_CHANGE_REASON == kOfxPropChangeReason,
    CHANGE_USER_EDITED == kOfxChangeUserEdited,
    PROP_INSTANCE_DATA == kOfxPropInstanceData,
    EFFECT_HOST_PROP_IS_BACKGROUND == kOfxImageEffectHostPropIsBackground,
    EFFECT_ACTION_BEGIN_SEQUENCE_RENDER == kOfxImageEffectActionBeginSequenceRender,
    EFFECT_ACTION_END_SEQUENCE_RENDER == kOfxImageEffectActionEndSequenceRender,
    PROP_IS_INTERACTIVE == kOfxPropIsInteractive,
    EFFECT_PROP_INTERACTIVE_RENDER == kOfxImageEffectPropInteractiveRenderStatus,
    EFFECT_PROP_FIELD_TO_RENDER == kOfxImageEffectPropFieldToRender,
    IMAGE_FIELD_LOWER == kOfxImageFieldLower,
    IMAGE_FIELD_UPPER == kOfxImageFieldUpper,
    EFFECT_PLUGIN_PROP_GROUPING == kOfxImageEffectPluginPropGrouping,
    EFFECT_PLUGIN_RENDER_THREAD_SAFETY == kOfxImageEffectPluginRenderThreadSafety,
    EFFECT_RENDER_FULLY_SAFE == kOfxImageEffectRenderFullySafe,
    EFFECT_PLUGIN_PROP_HOST_FRAME_THREADING == kOfxImageEffectPluginPropHostFrameThreading,
    EFFECT_PLUGIN_PROP_SINGLE_INSTANCE == kOfxImageEffectPluginPropSingleInstance,
    EFFECT_PROP_SUPPORTED_CONTEXTS == kOfxImageEffectPropSupportedContexts,
    EFFECT_PROP_SUPPORTED_PIXEL_DEPTHS == kOfxImageEffectPropSupportedPixelDepths,
    EFFECT_PROP_CONTEXT == kOfxImageEffectPropContext,
    EFFECT_CONTEXT_FILTER == kOfxImageEffectContextFilter,
    EFFECT_CONTEXT_GENERAL == kOfxImageEffectContextGeneral,
    EFFECT_PROP_SUPPORTS_TILES == kOfxImageEffectPropSupportsTiles,
    EFFECT_PROP_SUPPORTS_MULTI_RESOLUTION == kOfxImageEffectPropSupportsMultiResolution,
    EFFECT_PROP_SUPPORTS_MULTIPLE_CLIP_DEPTHS == kOfxImageEffectPropSupportsMultipleClipDepths,
    EFFECT_PROP_TEMPORAL_CLIP_ACCESS == kOfxImageEffectPropTemporalClipAccess,
    EFFECT_SIMPLE_SOURCE_CLIP_NAME == kOfxImageEffectSimpleSourceClipName,
    EFFECT_OUTPUT_CLIP_NAME == kOfxImageEffectOutputClipName,
    EFFECT_PROP_SUPPORTED_COMPONENTS == kOfxImageEffectPropSupportedComponents,
    IMAGE_CLIP_PROP_OPTIONAL == kOfxImageClipPropOptional,
    IMAGE_CLIP_PROP_IS_MASK == kOfxImageClipPropIsMask,
    IMAGE_CLIP_PROP_CONNECTED == kOfxImageClipPropConnected,
    EFFECT_PROP_COMPONENTS == kOfxImageEffectPropComponents,
    EFFECT_PROP_PIXEL_DEPTH == kOfxImageEffectPropPixelDepth,
    EFFECT_PROP_PREMULTIPLICATION == kOfxImageEffectPropPreMultiplication,
    IMAGE_PREMULTIPLIED == kOfxImagePreMultiplied,
    EFFECT_PROP_FRAME_RATE == kOfxImageEffectPropFrameRate,
    EFFECT_PROP_FRAME_RANGE == kOfxImageEffectPropFrameRange,
    IMAGE_PROP_DATA == kOfxImagePropData,
    IMAGE_PROP_BOUNDS == kOfxImagePropBounds,
    IMAGE_PROP_ROW_BYTES == kOfxImagePropRowBytes,
    EFFECT_PROP_RENDER_SCALE == kOfxImageEffectPropRenderScale,
    EFFECT_PROP_RENDER_WINDOW == kOfxImageEffectPropRenderWindow,
    IMAGE_PROP_PIXEL_ASPECT_RATIO == kOfxImagePropPixelAspectRatio,
    IMAGE_COMPONENT_RGBA == kOfxImageComponentRGBA,
    IMAGE_COMPONENT_RGB == kOfxImageComponentRGB,
    IMAGE_COMPONENT_ALPHA == kOfxImageComponentAlpha,
    BIT_DEPTH_BYTE == kOfxBitDepthByte,
    BIT_DEPTH_SHORT == kOfxBitDepthShort,
    BIT_DEPTH_HALF == kOfxBitDepthHalf,
    BIT_DEPTH_FLOAT == kOfxBitDepthFloat,
    EFFECT_PROP_THUMBNAIL_RENDER == kOfxImageEffectPropThumbnailRender,
    PARAM_TYPE_INTEGER == kOfxParamTypeInteger,
    PARAM_TYPE_DOUBLE == kOfxParamTypeDouble,
    PARAM_TYPE_CHOICE == kOfxParamTypeChoice,
    PARAM_TYPE_DOUBLE2_D == kOfxParamTypeDouble2D,
    PARAM_TYPE_STRING == kOfxParamTypeString,
    PARAM_TYPE_GROUP == kOfxParamTypeGroup,
    PARAM_TYPE_PAGE == kOfxParamTypePage,
    PARAM_TYPE_PUSH_BUTTON == kOfxParamTypePushButton,
    TYPE_PARAMETER == kOfxTypeParameter,
    TYPE_CLIP == kOfxTypeClip,
    PARAM_PROP_HINT == kOfxParamPropHint,
    PARAM_PROP_PARENT == kOfxParamPropParent,
    PARAM_PROP_DEFAULT == kOfxParamPropDefault,
    PARAM_PROP_MIN == kOfxParamPropMin,
    PARAM_PROP_MAX == kOfxParamPropMax,
    PARAM_PROP_DISPLAY_MIN == kOfxParamPropDisplayMin,
    PARAM_PROP_DISPLAY_MAX == kOfxParamPropDisplayMax,
    PARAM_PROP_ANIMATES == kOfxParamPropAnimates,
    PARAM_PROP_ENABLED == kOfxParamPropEnabled,
    PARAM_PROP_PERSISTANT == kOfxParamPropPersistant,
    PARAM_PROP_EVALUATE_ON_CHANGE == kOfxParamPropEvaluateOnChange,
    PARAM_PROP_CHOICE_OPTION == kOfxParamPropChoiceOption,
    PARAM_PROP_STRING_MODE == kOfxParamPropStringMode,
    PARAM_STRING_IS_SINGLE_LINE == kOfxParamStringIsSingleLine,
    PARAM_STRING_IS_FILE_PATH == kOfxParamStringIsFilePath,
    PARAM_STRING_IS_DIRECTORY_PATH == kOfxParamStringIsDirectoryPath,
    PARAM_PROP_STRING_FILE_PATH_EXISTS == kOfxParamPropStringFilePathExists,
    PARAM_PROP_DOUBLE_TYPE == kOfxParamPropDoubleType,
    PARAM_DOUBLE_TYPE_XY_ABSOLUTE == kOfxParamDoubleTypeXYAbsolute,
    PARAM_DOUBLE_TYPE_PLAIN == kOfxParamDoubleTypePlain,
    PARAM_PROP_DEFAULT_COORDINATE_SYSTEM == kOfxParamPropDefaultCoordinateSystem,
    PARAM_COORDINATES_NORMALISED == kOfxParamCoordinatesNormalised,
    PARAM_PROP_USE_HOST_OVERLAY_HANDLE == kOfxParamPropUseHostOverlayHandle,
    PARAM_PROP_GROUP_OPEN == kOfxParamPropGroupOpen,
    PARAM_PROP_PAGE_CHILD == kOfxParamPropPageChild,
    MESSAGE_ERROR == kOfxMessageError,
    MESSAGE_MESSAGE == kOfxMessageMessage,
}

macro_rules! layouts {
    ($($ours:ident == $theirs:ident { $($member:ident = $other:ident,)* })*) => {
        #[test]
        fn layouts_match_the_headers() {
            $(
                assert_eq!(size_of::<abi::$ours>(), size_of::<$theirs>(), stringify!($ours));
                assert_eq!(align_of::<abi::$ours>(), align_of::<$theirs>(), stringify!($ours));
                $(assert_eq!(
                    std::mem::offset_of!(abi::$ours, $member),
                    std::mem::offset_of!($theirs, $other),
                    "{}.{}", stringify!($ours), stringify!($member),
                );)*
            )*
        }
    };
}

layouts! {
    PropertySuite == OfxPropertySuiteV1 {
        set_pointer = propSetPointer, set_string = propSetString, set_double = propSetDouble, set_int = propSetInt,
        set_pointers = propSetPointerN, set_strings = propSetStringN, set_doubles = propSetDoubleN, set_ints = propSetIntN,
        get_pointer = propGetPointer, get_string = propGetString, get_double = propGetDouble, get_int = propGetInt,
        get_pointers = propGetPointerN, get_strings = propGetStringN, get_doubles = propGetDoubleN, get_ints = propGetIntN,
        reset = propReset, dimension = propGetDimension,
    }
    ImageEffectSuite == OfxImageEffectSuiteV1 {
        property_set = getPropertySet, param_set = getParamSet, clip_define = clipDefine, clip_handle = clipGetHandle,
        clip_property_set = clipGetPropertySet, clip_image = clipGetImage, clip_release_image = clipReleaseImage,
        clip_region_of_definition = clipGetRegionOfDefinition, abort = abort, memory_alloc = imageMemoryAlloc,
        memory_free = imageMemoryFree, memory_lock = imageMemoryLock, memory_unlock = imageMemoryUnlock,
    }
    ParameterSuite == OfxParameterSuiteV1 {
        define = paramDefine, handle = paramGetHandle, set_property_set = paramSetGetPropertySet,
        property_set = paramGetPropertySet, value = paramGetValue, value_at = paramGetValueAtTime,
        derivative = paramGetDerivative, integral = paramGetIntegral, set_value = paramSetValue,
        set_value_at = paramSetValueAtTime, keys = paramGetNumKeys, key_time = paramGetKeyTime, key_index = paramGetKeyIndex,
        delete_key = paramDeleteKey, delete_all_keys = paramDeleteAllKeys, copy = paramCopy, edit_begin = paramEditBegin,
        edit_end = paramEditEnd,
    }
    MessageSuite == OfxMessageSuiteV2 {
        message = message, set_persistent = setPersistentMessage, clear_persistent = clearPersistentMessage,
    }
    MessageSuite1 == OfxMessageSuiteV1 { message = message, }
    ProgressSuite == OfxProgressSuiteV1 { start = progressStart, update = progressUpdate, end = progressEnd, }
    ProgressSuite2 == OfxProgressSuiteV2 { start = progressStart, update = progressUpdate, end = progressEnd, }
    TimeLineSuite == OfxTimeLineSuiteV1 { time = getTime, go_to = gotoTime, bounds = getTimeBounds, }
    Host == OfxHost { properties = host, fetch_suite = fetchSuite, }
    Plugin == OfxPlugin {
        api = pluginApi, api_version = apiVersion, identifier = pluginIdentifier, version_major = pluginVersionMajor,
        version_minor = pluginVersionMinor, set_host = setHost, main_entry = mainEntry,
    }
    RectI == OfxRectI { x1 = x1, y1 = y1, x2 = x2, y2 = y2, }
    RectD == OfxRectD { x1 = x1, y1 = y1, x2 = x2, y2 = y2, }
    RangeD == OfxRangeD { min = min, max = max, }
}

#[test]
fn statuses_match_the_headers() {
    for (ours, theirs) in [
        (status::OK, kOfxStatOK),
        (status::FAILED, kOfxStatFailed),
        (status::MISSING_HOST_FEATURE, kOfxStatErrMissingHostFeature),
        (status::BAD_HANDLE, kOfxStatErrBadHandle),
        (status::REPLY_NO, kOfxStatReplyNo),
        (status::REPLY_DEFAULT, kOfxStatReplyDefault),
        (status::IMAGE_FORMAT, kOfxStatErrImageFormat),
    ] {
        assert_eq!(i64::from(ours), i64::from(theirs));
    }
}

//! What no host can work with in a descriptor, looked at once DescribeInContext has returned.

use std::sync::Arc;

use openfx::sys::generic::core::*;
use openfx::sys::image_effect_v1::image_effect::*;
use openfx::sys::image_effect_v1::param::*;

use super::handles::lock;
use super::node::Node;
use super::options::Context;
use super::param::{Holds, Param};

pub(super) fn check_descriptor(node: &Arc<Node>, context: Context) {
    let report = |text: String| node.journal.violation(format!("DescribeInContext: {text}"));
    let set = &node.props;
    if set
        .string(kOfxPropLabel)
        .is_none_or(|label| label.is_empty())
    {
        report("the effect has no label".into());
    }
    let contexts = set.strings(kOfxImageEffectPropSupportedContexts);
    if !contexts
        .iter()
        .any(|name| Some(name.as_str()) == context.name().to_str().ok())
    {
        report(format!(
            "asked for {context:?}, which is not among the supported contexts"
        ));
    }
    if set
        .strings(kOfxImageEffectPropSupportedPixelDepths)
        .is_empty()
    {
        report("no pixel depth is supported".into());
    }
    let clips = lock(&node.clips);
    let mut needed = vec![kOfxImageEffectOutputClipName];
    if context == Context::Filter {
        needed.push(kOfxImageEffectSimpleSourceClipName);
    }
    for name in needed {
        if !clips.iter().any(|clip| clip.name.as_c_str() == name) {
            report(format!("the {context:?} context needs a clip {name:?}"));
        }
    }
    for clip in clips.iter() {
        if clip
            .props
            .strings(kOfxImageEffectPropSupportedComponents)
            .is_empty()
        {
            report(format!("clip {:?} supports no components", clip.name));
        }
    }
    let params = lock(&node.params);
    for param in params.iter() {
        if let Some(fault) = fault(param, &params) {
            report(format!("parameter {:?}: {fault}", param.name));
        }
    }
    let pages = set.strings(kOfxPluginPropParamPageOrder);
    if let Some(page) = pages
        .iter()
        .find(|name| !has(&params, name, Some(kOfxParamTypePage)))
    {
        report(format!(
            "the page order names {page:?}, which is not a page"
        ));
    }
}

fn has(params: &[Arc<Param>], name: &str, kind: Option<&std::ffi::CStr>) -> bool {
    let kind = kind.and_then(|kind| kind.to_str().ok());
    params.iter().any(|param| {
        let own = param.props.string(kOfxParamPropType);
        param.name.to_str() == Ok(name) && kind.is_none_or(|kind| own.as_deref() == Some(kind))
    })
}

fn fault(param: &Param, params: &[Arc<Param>]) -> Option<String> {
    let set = &param.props;
    let parent = set.string(kOfxParamPropParent).unwrap_or_default();
    if !parent.is_empty() && !has(params, &parent, Some(kOfxParamTypeGroup)) {
        return Some(format!("its parent {parent:?} is not a group"));
    }
    let children = set.strings(kOfxParamPropPageChild);
    let skips = [kOfxParamPageSkipRow, kOfxParamPageSkipColumn];
    let known =
        |name: &str| has(params, name, None) || skips.iter().any(|skip| skip.to_str() == Ok(name));
    if let Some(child) = children.iter().find(|name| !known(name)) {
        return Some(format!("it shows {child:?}, which is not defined"));
    }
    match param.holds {
        Holds::Ints(_) => {
            let options = set.strings(kOfxParamPropChoiceOption).len() as i32;
            let default = set.ints(kOfxParamPropDefault);
            if set.has(kOfxParamPropChoiceOption) && !(0..options).contains(&default[0]) {
                return Some(format!("default {default:?} of {options} options"));
            }
            let limits = (set.ints(kOfxParamPropMin), set.ints(kOfxParamPropMax));
            let outside = default.iter().zip(limits.0.iter().zip(&limits.1));
            let outside = outside.filter(|(value, (min, max))| value < min || value > max);
            (outside.count() > 0).then(|| format!("default {default:?} is not in its range"))
        }
        Holds::Doubles(_) => {
            let default = set.doubles(kOfxParamPropDefault);
            let limits = (set.doubles(kOfxParamPropMin), set.doubles(kOfxParamPropMax));
            let inside = default.iter().zip(limits.0.iter().zip(&limits.1));
            let inside = inside.filter(|(value, (min, max))| value >= min && value <= max);
            (inside.count() < default.len())
                .then(|| format!("default {default:?} is not in its range"))
        }
        _ => None,
    }
}

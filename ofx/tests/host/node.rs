//! What is behind an effect handle: a descriptor or an instance.

use std::ffi::CStr;
use std::sync::{Arc, Mutex, Weak};

use super::action::MainEntry;
use super::clip::Clip;
use super::descriptor::effect_instance;
use super::handles::{EFFECTS, PARAM_SETS, lock, new_handle};
use super::interact::Control;
use super::journal::Journal;
use super::options::{Context, Host};
use super::param::Param;
use super::property::PropertySet;
use super::scope::{Scope, current};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NodeKind {
    /// What Describe fills.
    Descriptor,
    /// What DescribeInContext fills.
    ContextDescriptor(Context),
    Instance(Context),
}

pub(super) struct Node {
    pub handle: usize,
    /// Not the effect's own handle, so that a plugin which mixes them up is found out.
    pub param_set: usize,
    pub kind: NodeKind,
    pub entry: MainEntry,
    pub host: Arc<Host>,
    pub props: Arc<PropertySet>,
    pub clips: Mutex<Vec<Arc<Clip>>>,
    pub params: Mutex<Vec<Arc<Param>>>,
    pub journal: Arc<Journal>,
    pub control: Arc<Control>,
    /// The actions now running on this effect, on any thread.
    pub active: Mutex<Vec<Arc<Scope>>>,
}

impl Drop for Node {
    fn drop(&mut self) {
        EFFECTS.remove(self.handle);
        PARAM_SETS.remove(self.param_set);
    }
}

impl Node {
    pub fn descriptor(
        kind: NodeKind,
        props: PropertySet,
        entry: MainEntry,
        host: &Arc<Host>,
        journal: &Arc<Journal>,
    ) -> Arc<Node> {
        let control = Arc::new(Control::new());
        let build = |_: &Weak<Node>| (Vec::new(), Vec::new());
        Node::register(kind, props, entry, host, journal, &control, build)
    }

    /// A new instance of what `descriptor` describes, its parameters at their defaults and its
    /// clips unconnected.
    pub fn instance(
        descriptor: &Arc<Node>,
        context: Context,
        journal: &Arc<Journal>,
        control: &Arc<Control>,
    ) -> Arc<Node> {
        let props = effect_instance(context, descriptor.handle);
        let claim_connected = descriptor.host.options.all_clips_connected;
        let build = |node: &Weak<Node>| {
            let clips = lock(&descriptor.clips);
            let params = lock(&descriptor.params);
            let clip = |clip: &Arc<Clip>| Clip::instance_of(clip, node.clone(), claim_connected);
            let param = |param: &Arc<Param>| Param::instance_of(param, node.clone());
            (
                clips.iter().map(clip).collect(),
                params.iter().map(param).collect(),
            )
        };
        let kind = NodeKind::Instance(context);
        Node::register(
            kind,
            props,
            descriptor.entry,
            &descriptor.host,
            journal,
            control,
            build,
        )
    }

    fn register(
        kind: NodeKind,
        props: PropertySet,
        entry: MainEntry,
        host: &Arc<Host>,
        journal: &Arc<Journal>,
        control: &Arc<Control>,
        build: impl FnOnce(&Weak<Node>) -> (Vec<Arc<Clip>>, Vec<Arc<Param>>),
    ) -> Arc<Node> {
        let node = Arc::new_cyclic(|node| {
            let (clips, params) = build(node);
            Node {
                handle: new_handle(),
                param_set: new_handle(),
                kind,
                entry,
                host: host.clone(),
                props: props.share(),
                clips: Mutex::new(clips),
                params: Mutex::new(params),
                journal: journal.clone(),
                control: control.clone(),
                active: Mutex::default(),
            }
        });
        EFFECTS.add(node.handle, &node);
        PARAM_SETS.add(node.param_set, &node);
        node
    }

    pub fn is_instance(&self) -> bool {
        matches!(self.kind, NodeKind::Instance(_))
    }

    pub fn clip(&self, name: &CStr) -> Option<Arc<Clip>> {
        lock(&self.clips)
            .iter()
            .find(|clip| clip.name.as_c_str() == name)
            .cloned()
    }

    pub fn param(&self, name: &CStr) -> Option<Arc<Param>> {
        lock(&self.params)
            .iter()
            .find(|param| param.name.as_c_str() == name)
            .cloned()
    }

    /// The action a suite call belongs to: that of the calling thread; for a thread of the plugin's
    /// own, one running on this instance, the one at `time` if there are several.
    pub fn scope(self: &Arc<Node>, time: Option<f64>) -> Option<Arc<Scope>> {
        let own = |scope: &Scope| {
            scope
                .node
                .as_ref()
                .is_some_and(|node| Arc::ptr_eq(node, self))
        };
        if let Some(scope) = current().filter(|scope| own(scope)) {
            return Some(scope);
        }
        let active = lock(&self.active);
        let at_time = active.iter().find(|scope| Some(scope.time) == time);
        at_time.or(active.last()).cloned()
    }
}

//! The plugin's descriptors: Load, Describe, DescribeInContext, Unload.

use std::collections::BTreeMap;
use std::ffi::CStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use openfx::sys::generic::core::*;
use openfx::sys::image_effect_v1::image_effect::*;

use super::action::{Args, MainEntry, RawHandle, Status, call, run};
use super::check::check_descriptor;
use super::descriptor::{Extra, effect_descriptor, put_extra};
use super::handles::lock;
use super::instance::Instance;
use super::journal::{Journal, Log, assert_none};
use super::node::{Node, NodeKind};
use super::options::{Context, HostOptions};
use super::plugin::Loaded;
use super::property::PropertySet;
use super::scope::Scope;

/// A plugin as a host knows it before there is any instance. Unloads when it and the last of its
/// instances are dropped, if it is loaded then.
#[derive(Clone)]
pub struct Effect(pub(super) Arc<Descriptors>);

pub(super) struct Descriptors {
    pub plugin: Arc<Loaded>,
    pub journal: Arc<Journal>,
    loaded: AtomicBool,
    described: Mutex<Described>,
    describing: Mutex<()>,
}

#[derive(Default)]
struct Described {
    base: Option<Arc<Node>>,
    contexts: BTreeMap<Context, Arc<Node>>,
}

impl Drop for Descriptors {
    fn drop(&mut self) {
        if self.loaded.load(Ordering::Relaxed) {
            self.unload();
        }
    }
}

impl Descriptors {
    pub fn entry(&self) -> MainEntry {
        self.plugin.infos[0].entry
    }

    pub fn options(&self) -> &HostOptions {
        &self.plugin.host.options
    }

    pub fn load(&self) -> Status {
        let scope = Scope::new(kOfxActionLoad, &self.journal, None);
        let (status, _) = call(self.entry(), scope, Args::default());
        self.loaded.store(status.is_ok(), Ordering::Relaxed);
        status
    }

    fn unload(&self) -> Status {
        self.loaded.store(false, Ordering::Relaxed);
        let scope = Scope::new(kOfxActionUnload, &self.journal, None);
        call(self.entry(), scope, Args::default()).0
    }

    pub fn describe(&self) -> Status {
        let props = effect_descriptor(self.options(), &self.plugin.bundle);
        let host = &self.plugin.host;
        let node = Node::descriptor(
            NodeKind::Descriptor,
            props,
            self.entry(),
            host,
            &self.journal,
        );
        let scope = Scope::new(kOfxActionDescribe, &self.journal, Some(&node));
        let args = Args {
            handle: node.handle,
            ..Args::default()
        };
        let (status, _) = call(self.entry(), scope, args);
        *lock(&self.described) = Described {
            base: Some(node),
            contexts: BTreeMap::new(),
        };
        status
    }

    pub fn describe_in_context(&self, context: Context) -> Status {
        let base = lock(&self.described)
            .base
            .clone()
            .expect("Describe comes first");
        let props = base.props.copy("the descriptor in context", |_| true);
        let kind = NodeKind::ContextDescriptor(context);
        let host = &self.plugin.host;
        let node = Node::descriptor(kind, props, self.entry(), host, &self.journal);
        let scope = Scope::new(
            kOfxImageEffectActionDescribeInContext,
            &self.journal,
            Some(&node),
        );
        let input = PropertySet::new("the arguments of DescribeInContext")
            .fixed(kOfxImageEffectPropContext, context.name())
            .share();
        let args = Args {
            handle: node.handle,
            input: Some(&input),
            output: None,
        };
        let (status, _) = call(self.entry(), scope, args);
        if status.is_ok() {
            check_descriptor(&node, context);
        }
        lock(&self.described).contexts.insert(context, node);
        status
    }

    /// Load and both Describes once more, as before each frame in MLT; one thread at a time.
    #[track_caller]
    pub fn describe_again(&self, context: Context) -> Arc<Node> {
        let _turn = lock(&self.describing);
        for status in [
            self.load(),
            self.describe(),
            self.describe_in_context(context),
        ] {
            assert!(
                status.is_ok(),
                "Load, Describe or DescribeInContext, again: {status:?}"
            );
        }
        self.in_context(context)
    }

    #[track_caller]
    pub fn in_context(&self, context: Context) -> Arc<Node> {
        let described = lock(&self.described);
        described
            .contexts
            .get(&context)
            .expect("DescribeInContext comes first")
            .clone()
    }
}

impl Effect {
    pub(super) fn new(plugin: Arc<Loaded>) -> Effect {
        assert!(!plugin.infos.is_empty(), "the binary holds no plugin");
        Effect(Arc::new(Descriptors {
            plugin,
            journal: Arc::new(Journal::new()),
            loaded: AtomicBool::new(false),
            described: Mutex::default(),
            describing: Mutex::default(),
        }))
    }

    pub fn load(&self) -> Status {
        self.0.load()
    }

    /// Fills a new descriptor; those in context are described anew after it.
    pub fn describe(&self) -> Status {
        self.0.describe()
    }

    pub fn describe_in_context(&self, context: Context) -> Status {
        self.0.describe_in_context(context)
    }

    pub fn unload(&self) -> Status {
        self.0.unload()
    }

    /// The properties set by Describe.
    #[track_caller]
    pub fn descriptor(&self) -> Arc<PropertySet> {
        lock(&self.0.described)
            .base
            .as_ref()
            .expect("Describe comes first")
            .props
            .clone()
    }

    /// The parameters in the order they were defined, by name.
    #[track_caller]
    pub fn params(&self, context: Context) -> Vec<(String, Arc<PropertySet>)> {
        let node = self.0.in_context(context);
        let params = lock(&node.params);
        params
            .iter()
            .map(|param| (param.label(), param.props.clone()))
            .collect()
    }

    #[track_caller]
    pub fn param(&self, context: Context, name: &str) -> Arc<PropertySet> {
        let found = self
            .params(context)
            .into_iter()
            .find(|(known, _)| known == name);
        found.unwrap_or_else(|| panic!("no parameter {name:?}")).1
    }

    /// The clips in the order they were defined, by name.
    #[track_caller]
    pub fn clips(&self, context: Context) -> Vec<(String, Arc<PropertySet>)> {
        let node = self.0.in_context(context);
        let clips = lock(&node.clips);
        clips
            .iter()
            .map(|clip| (clip.label(), clip.props.clone()))
            .collect()
    }

    pub fn create(&self, context: Context) -> Result<Instance, Status> {
        self.create_with(context, |_| ())
    }

    /// As hosts do when they open a project: `prepare` sets values and connects clips before the
    /// plugin gets its CreateInstance action.
    pub fn create_with(
        &self,
        context: Context,
        prepare: impl FnOnce(&Instance),
    ) -> Result<Instance, Status> {
        let instance = Instance::new(self.0.clone(), context);
        prepare(&instance);
        match instance.create() {
            status if status.is_ok() => Ok(instance),
            status => {
                let violations = instance.take_violations();
                violations
                    .into_iter()
                    .for_each(|text| self.0.journal.violation(text));
                Err(status)
            }
        }
    }

    /// Calls the main entry as no host should. An action of None is a null pointer; arguments of
    /// None are null property sets.
    pub fn raw(
        &self,
        action: Option<&'static CStr>,
        handle: RawHandle,
        input: Option<&Extra>,
        output: Option<&Extra>,
    ) -> Status {
        let node = lock(&self.0.described).base.clone();
        raw(
            self.0.entry(),
            &self.0.journal,
            node.as_ref(),
            action,
            handle,
            [input, output],
        )
    }

    pub fn violations(&self) -> Vec<String> {
        self.0.journal.violations()
    }

    pub fn take_violations(&self) -> Vec<String> {
        self.0.journal.take_violations()
    }

    pub fn log(&self) -> Log {
        self.0.journal.snapshot()
    }

    #[track_caller]
    pub fn assert_clean(&self) {
        assert_none(self.violations());
    }
}

pub(super) fn raw(
    entry: MainEntry,
    journal: &Arc<Journal>,
    node: Option<&Arc<Node>>,
    action: Option<&'static CStr>,
    handle: RawHandle,
    args: [Option<&Extra>; 2],
) -> Status {
    let own = if handle == RawHandle::Own { node } else { None };
    let scope = Scope::new(action.unwrap_or(c"(null)"), journal, own);
    let build = |extra: &Extra| {
        let set = PropertySet::new("hand-made arguments");
        put_extra(&set, extra);
        set.share()
    };
    let [input, output] = args.map(|extra| extra.map(build));
    let args = Args {
        handle: handle.value(node.map_or(0, |node| node.handle)),
        input: input.as_deref(),
        output: output.as_deref(),
    };
    run(
        entry,
        action.map_or(std::ptr::null(), CStr::as_ptr),
        scope,
        args,
    )
    .0
}

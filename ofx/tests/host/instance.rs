//! One effect on one clip.

use std::collections::BTreeMap;
use std::ffi::CStr;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use openfx::sys::generic::core::*;

use super::action::{RawHandle, Status};
use super::descriptor::Extra;
use super::effect::{Descriptors, raw};
use super::handles::{CLIPS, EFFECTS, PARAM_SETS, PARAMS, lock};
use super::image::Rect;
use super::interact::Control;
use super::journal::{Journal, Log, assert_none};
use super::memory::live_blocks;
use super::node::Node;
use super::options::Context;
use super::query::{self, ClipPreferences, FramesNeeded, Identity, ask};

/// An instance of the effect. Every method may be called from any thread, as hosts do; it is
/// destroyed when dropped, if it was not before.
pub struct Instance {
    pub(super) effect: Arc<Descriptors>,
    /// What it was made from; the effect may be described anew meanwhile.
    pub(super) descriptor: Arc<Node>,
    pub(super) node: Arc<Node>,
    pub(super) context: Context,
    life: AtomicU8,
    /// Sequences begun and not ended.
    pub(super) sequences: AtomicUsize,
    pub(super) rendering: Mutex<()>,
}

const UNBORN: u8 = 0;
const ALIVE: u8 = 1;
const DEAD: u8 = 2;

impl Drop for Instance {
    fn drop(&mut self) {
        self.destroy();
    }
}

/// Life and death.
impl Instance {
    /// The host's side only; `create` sends CreateInstance.
    #[track_caller]
    pub(super) fn new(effect: Arc<Descriptors>, context: Context) -> Instance {
        let (journal, control) = (Arc::new(Journal::new()), Arc::new(Control::new()));
        let descriptor = effect.in_context(context);
        Instance::made_from(descriptor, effect, context, &journal, &control)
    }

    fn made_from(
        descriptor: Arc<Node>,
        effect: Arc<Descriptors>,
        context: Context,
        journal: &Arc<Journal>,
        control: &Arc<Control>,
    ) -> Instance {
        let node = Node::instance(&descriptor, context, journal, control);
        Instance {
            effect,
            descriptor,
            node,
            context,
            life: AtomicU8::new(UNBORN),
            sequences: AtomicUsize::new(0),
            rendering: Mutex::new(()),
        }
    }

    pub(super) fn create(&self) -> Status {
        let (status, _) = ask(&self.node, kOfxActionCreateInstance, 0.0, None, None);
        if status.is_ok() {
            self.life.store(ALIVE, Ordering::Release);
        }
        status
    }

    /// Another instance with the same values, connections and journal, before its CreateInstance action.
    pub(super) fn twin(&self, descriptor: Arc<Node>) -> Instance {
        let (journal, control) = (&self.node.journal, &self.node.control);
        let effect = self.effect.clone();
        let twin = Instance::made_from(descriptor, effect, self.context, journal, control);
        for param in lock(&self.node.params).iter() {
            if let Some(other) = twin.node.param(&param.name) {
                *lock(&other.value) = param.get();
            }
        }
        for clip in lock(&self.node.clips).iter() {
            let connection = lock(&clip.connection).clone();
            let other = twin.node.clip(&clip.name);
            if let (Some(other), Some(connection)) = (other, connection) {
                other.connect(connection);
                other.map(*lock(&clip.mapping));
            }
        }
        twin
    }

    /// DestroyInstance, once; later calls do nothing. All handles of the instance die with it.
    pub fn destroy(&self) -> Status {
        if self.life.swap(DEAD, Ordering::AcqRel) != ALIVE {
            return Status(kOfxStatOK);
        }
        let node = &self.node;
        let (status, _) = ask(node, kOfxActionDestroyInstance, 0.0, None, None);
        EFFECTS.remove(node.handle);
        PARAM_SETS.remove(node.param_set);
        lock(&node.params)
            .iter()
            .for_each(|param| PARAMS.remove(param.handle));
        lock(&node.clips)
            .iter()
            .for_each(|clip| CLIPS.remove(clip.handle));
        let blocks = live_blocks(node.handle);
        if blocks > 0 {
            node.journal
                .violation(format!("{blocks} blocks of host memory never freed"));
        }
        status
    }

    #[track_caller]
    pub(super) fn live(&self) -> &Arc<Node> {
        let alive = self.life.load(Ordering::Acquire) == ALIVE;
        assert!(alive, "the test uses an instance that is not alive");
        &self.node
    }
}

/// What the host asks.
impl Instance {
    #[track_caller]
    pub fn is_identity(&self, time: f64, window: Rect, scale: [f64; 2]) -> Identity {
        query::is_identity(self.live(), time, window, scale, false)
    }

    #[track_caller]
    pub fn is_identity_of_thumbnail(&self, time: f64, window: Rect, scale: [f64; 2]) -> Identity {
        query::is_identity(self.live(), time, window, scale, true)
    }

    /// Asks, and maps the clips as the plugin prefers. `render` does it if something changed.
    #[track_caller]
    pub fn get_clip_preferences(&self) -> ClipPreferences {
        self.node
            .control
            .preferences_stale
            .store(false, Ordering::Release);
        query::clip_preferences(self.live())
    }

    #[track_caller]
    pub fn get_frames_needed(&self, time: f64) -> FramesNeeded {
        query::frames_needed(self.live(), time)
    }

    #[track_caller]
    pub fn get_region_of_definition(&self, time: f64, scale: [f64; 2]) -> (Status, [f64; 4]) {
        query::region_of_definition(self.live(), time, scale)
    }

    #[track_caller]
    pub fn get_regions_of_interest(
        &self,
        time: f64,
        scale: [f64; 2],
        region: [f64; 4],
    ) -> (Status, BTreeMap<String, Vec<f64>>) {
        query::regions_of_interest(self.live(), time, scale, region)
    }

    /// An action without arguments: PurgeCaches, BeginInstanceEdit, EndInstanceEdit.
    #[track_caller]
    pub fn action(&self, action: &'static CStr) -> Status {
        ask(self.live(), action, self.time(), None, None).0
    }

    /// Calls the main entry as no host should; see `Effect::raw`.
    pub fn raw(
        &self,
        action: Option<&'static CStr>,
        handle: RawHandle,
        input: Option<&Extra>,
        output: Option<&Extra>,
    ) -> Status {
        let node = &self.node;
        raw(
            node.entry,
            &node.journal,
            Some(node),
            action,
            handle,
            [input, output],
        )
    }

    pub fn violations(&self) -> Vec<String> {
        self.node.journal.violations()
    }

    /// The violations so far, which are then forgotten: for tests that provoke some.
    pub fn take_violations(&self) -> Vec<String> {
        self.node.journal.take_violations()
    }

    pub fn log(&self) -> Log {
        self.node.journal.snapshot()
    }

    /// Forgets the plain records, which grow with each call.
    pub fn forget_records(&self) {
        self.node.journal.forget_records();
    }

    /// Panics with the violations, if there are any.
    #[track_caller]
    pub fn assert_clean(&self) {
        assert_none(self.violations());
    }
}

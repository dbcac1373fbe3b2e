//! Which action runs on which thread: where a violation belongs, what may be called, and which images
//! are fetched.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_char};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use openfx::sys::generic::core::kOfxActionInstanceChanged;

use super::fetched::FetchedImage;
use super::handles::lock;
use super::journal::Journal;
use super::node::Node;
use super::render::Output;

/// The lifetime of one action. Images fetched in it must be released in it.
pub(super) struct Scope {
    pub action: &'static CStr,
    pub journal: Arc<Journal>,
    /// None for Load, Unload and actions sent with a deliberately wrong handle.
    pub node: Option<Arc<Node>>,
    pub time: f64,
    pub scale: [f64; 2],
    /// Set in render only.
    pub output: Option<Output>,
    /// The frames that the plugin declared as needed, by clip; None where it need not declare them.
    pub frames: Option<BTreeMap<String, Vec<(f64, f64)>>>,
    pub images: Mutex<Vec<Arc<FetchedImage>>>,
    pub aborted: AtomicBool,
    /// No input had a NaN or an infinity, so the output has no excuse for one.
    pub inputs_finite: AtomicBool,
}

impl Scope {
    pub fn new(action: &'static CStr, journal: &Arc<Journal>, node: Option<&Arc<Node>>) -> Scope {
        Scope {
            action,
            journal: journal.clone(),
            node: node.cloned(),
            time: 0.0,
            scale: [1.0, 1.0],
            output: None,
            frames: None,
            images: Mutex::new(Vec::new()),
            aborted: AtomicBool::new(false),
            inputs_finite: AtomicBool::new(true),
        }
    }

    pub fn is(&self, action: &CStr) -> bool {
        self.action == action
    }

    pub fn name(&self) -> String {
        self.action.to_string_lossy().into_owned()
    }

    /// Forgets the oldest released images: an analysis may fetch more than there is memory for.
    pub fn trim(&self) {
        const KEPT: usize = 8;
        loop {
            let oldest = {
                let images = lock(&self.images);
                let mut released = images.iter().filter(|image| image.is_released());
                match released.next() {
                    Some(first) if released.count() >= KEPT => first.clone(),
                    _ => return,
                }
            };
            oldest.check_at_end(self);
            lock(&self.images).retain(|image| !Arc::ptr_eq(image, &oldest));
        }
    }

    /// Called when the action has returned: nothing it borrowed may still be out.
    pub fn close(&self) {
        let images = lock(&self.images).clone();
        images.iter().for_each(|image| image.check_at_end(self));
        if let Some(node) = &self.node {
            let control = &node.control;
            // Not for the calls that echo what the plugin set: the outer one is still at work.
            let own_action = self.is(kOfxActionInstanceChanged) && depth() == 0;
            if own_action && control.progress_open.swap(false, Ordering::Relaxed) {
                self.journal
                    .violation(format!("{}: progress never ended", self.name()));
            }
            if own_action && control.edits_open.swap(0, Ordering::Relaxed) != 0 {
                self.journal
                    .violation(format!("{}: paramEditBegin without End", self.name()));
            }
        }
    }
}

thread_local! {
    static STACK: RefCell<Vec<Arc<Scope>>> = const { RefCell::new(Vec::new()) };
    static LENT: RefCell<Vec<(*mut u8, usize)>> = const { RefCell::new(Vec::new()) };
}

pub(super) struct Entered;

/// Makes `scope` this thread's current one until the guard is dropped.
pub(super) fn enter(scope: &Arc<Scope>) -> Entered {
    STACK.with_borrow_mut(|stack| stack.push(scope.clone()));
    Entered
}

impl Drop for Entered {
    fn drop(&mut self) {
        STACK.with_borrow_mut(|stack| stack.pop());
        spoil_lent_strings();
    }
}

pub(super) fn current() -> Option<Arc<Scope>> {
    STACK.with_borrow(|stack| stack.last().cloned())
}

/// How deep this thread is in actions that call back and forth.
pub(super) fn depth() -> usize {
    STACK.with_borrow(Vec::len)
}

static STRAY: Journal = Journal::new();

/// Violations on threads where no action runs, as by a plugin's own thread with a stale handle.
pub fn stray_violations() -> Vec<String> {
    STRAY.violations()
}

pub(super) fn report(text: String) {
    match current() {
        Some(scope) => scope.journal.violation(format!("{}: {text}", scope.name())),
        None => STRAY.violation(text),
    }
}

pub(super) fn note(text: String) {
    match current() {
        Some(scope) => scope.journal.note(text),
        None => STRAY.note(text),
    }
}

/// Lends a string to the plugin as strictly as the specification allows: it holds until the next
/// call of any suite function on this thread, or the end of the action, and is garbage after that.
/// The memory itself stays, so that a plugin which kept the pointer reads garbage, not a fault.
pub(super) fn lend(string: &CStr) -> *mut c_char {
    let length = string.count_bytes();
    let pointer = CString::from(string).into_raw();
    LENT.with_borrow_mut(|lent| lent.push((pointer.cast(), length)));
    pointer
}

/// Every suite function begins with this.
pub(super) fn spoil_lent_strings() {
    LENT.with_borrow_mut(|lent| {
        for (pointer, length) in lent.drain(..) {
            // SAFETY: `lend` made this allocation of `length` bytes and a NUL and never frees it.
            unsafe { pointer.write_bytes(b'#', length) };
            lock(&SPOILT).push(pointer as usize);
        }
    });
}

/// Keeps the spoilt strings reachable, so that leak checkers do not report them as lost.
static SPOILT: Mutex<Vec<usize>> = Mutex::new(Vec::new());

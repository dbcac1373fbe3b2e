//! The user: cancels, and the playhead on the timeline.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering};

use super::handles::lock;

/// When the user interrupts. The closure gets the number of earlier questions by the plugin.
pub struct Interrupt(Box<dyn Fn(usize) -> bool + Send + Sync>);

impl Interrupt {
    pub fn never() -> Self {
        Interrupt(Box::new(|_| false))
    }

    /// Says no to the first `polls` questions and yes ever after.
    pub fn after(polls: usize) -> Self {
        Interrupt(Box::new(move |asked| asked >= polls))
    }

    pub fn when(decide: impl Fn(usize) -> bool + Send + Sync + 'static) -> Self {
        Interrupt(Box::new(decide))
    }
}

/// An `Interrupt` and the count of questions put to it.
pub(super) struct Poll {
    policy: Mutex<Interrupt>,
    asked: AtomicUsize,
}

impl Poll {
    fn new() -> Self {
        Poll {
            policy: Mutex::new(Interrupt::never()),
            asked: AtomicUsize::new(0),
        }
    }

    pub fn set(&self, policy: Interrupt) {
        *lock(&self.policy) = policy;
        self.asked.store(0, Ordering::Relaxed);
    }

    pub fn ask(&self) -> bool {
        let asked = self.asked.fetch_add(1, Ordering::Relaxed);
        (lock(&self.policy).0)(asked)
    }

    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

/// The host's side of an instance that outlives any one of its plugin-side incarnations.
pub(super) struct Control {
    pub abort: Poll,
    pub cancel: Poll,
    pub timeline: Mutex<Timeline>,
    pub progress_open: AtomicBool,
    pub edits_open: AtomicI32,
    /// Inputs or output changed since the plugin was last asked for its clip preferences.
    pub preferences_stale: AtomicBool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Timeline {
    pub time: f64,
    pub first: f64,
    pub last: f64,
}

impl Control {
    pub fn new() -> Self {
        Control {
            abort: Poll::new(),
            cancel: Poll::new(),
            timeline: Mutex::new(Timeline {
                time: 0.0,
                first: 0.0,
                last: 99.0,
            }),
            progress_open: AtomicBool::new(false),
            edits_open: AtomicI32::new(0),
            preferences_stale: AtomicBool::new(true),
        }
    }
}

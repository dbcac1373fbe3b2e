//! What happened between host and plugin: faults to assert on, and plain records to look at.

use std::ffi::CStr;
use std::sync::Mutex;
use std::time::Duration;

use super::action::Status;
use super::handles::lock;
use super::param::ParamValue;

/// One call of the plugin's main entry.
#[derive(Clone, Debug)]
pub struct Action {
    pub name: String,
    pub status: Status,
    pub elapsed: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub kind: String,
    pub id: String,
    pub text: String,
    pub persistent: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Progress {
    Start { label: String, id: String },
    Update(f64),
    End,
}

/// One clipGetImage, whether or not it got an image.
#[derive(Clone, Debug, PartialEq)]
pub struct Fetch {
    pub clip: String,
    pub time: f64,
    /// Whether GetFramesNeeded had asked for it.
    pub declared: bool,
    pub ok: bool,
    pub action: String,
}

/// One paramSetValue by the plugin.
#[derive(Clone, Debug, PartialEq)]
pub struct ParamWrite {
    pub name: String,
    pub value: ParamValue,
    pub action: String,
    /// Whether it is part of an edit, which the user can undo as one.
    pub in_edit: bool,
}

#[derive(Clone, Debug)]
pub struct Log {
    /// What would make some real host fail.
    pub violations: Vec<String>,
    /// Odd but allowed: unknown properties asked for, indices out of range, refused values.
    pub notes: Vec<String>,
    pub actions: Vec<Action>,
    /// Every message in order, the persistent ones among them.
    pub messages: Vec<Message>,
    /// The persistent messages that are shown now; hosts append, so the same one twice is twice here.
    pub persistent: Vec<Message>,
    /// How often the plugin cleared its persistent messages.
    pub clears: usize,
    pub progress: Vec<Progress>,
    pub fetches: Vec<Fetch>,
    pub param_writes: Vec<ParamWrite>,
    /// The names of the edits (paramEditBegin).
    pub edits: Vec<String>,
}

/// A fault in a pixel loop repeats millions of times; the first entries are enough.
const MOST_ENTRIES: usize = 100;

pub(super) struct Journal(Mutex<Log>);

impl Journal {
    pub const fn new() -> Self {
        Journal(Mutex::new(Log {
            violations: Vec::new(),
            notes: Vec::new(),
            actions: Vec::new(),
            messages: Vec::new(),
            persistent: Vec::new(),
            clears: 0,
            progress: Vec::new(),
            fetches: Vec::new(),
            param_writes: Vec::new(),
            edits: Vec::new(),
        }))
    }

    pub fn violation(&self, text: String) {
        let mut log = lock(&self.0);
        if log.violations.len() < MOST_ENTRIES {
            log.violations.push(text);
        }
    }

    pub fn note(&self, text: String) {
        let mut log = lock(&self.0);
        if log.notes.len() < MOST_ENTRIES && !log.notes.contains(&text) {
            log.notes.push(text);
        }
    }

    pub fn action(&self, name: &CStr, status: Status, elapsed: Duration) {
        let name = name.to_string_lossy().into_owned();
        lock(&self.0).actions.push(Action {
            name,
            status,
            elapsed,
        });
    }

    pub fn message(&self, message: Message) {
        let mut log = lock(&self.0);
        if message.persistent {
            log.persistent.push(message.clone());
        }
        log.messages.push(message);
    }

    pub fn clear_persistent(&self) {
        let mut log = lock(&self.0);
        log.persistent.clear();
        log.clears += 1;
    }

    pub fn progress(&self, event: Progress) {
        lock(&self.0).progress.push(event);
    }

    pub fn fetch(&self, fetch: Fetch) {
        lock(&self.0).fetches.push(fetch);
    }

    pub fn edit(&self, name: String) {
        lock(&self.0).edits.push(name);
    }

    pub fn param_write(&self, write: ParamWrite) {
        lock(&self.0).param_writes.push(write);
    }

    pub fn snapshot(&self) -> Log {
        lock(&self.0).clone()
    }

    /// Forgets the plain records and gives their memory back; the faults stay.
    pub fn forget_records(&self) {
        let mut log = lock(&self.0);
        log.actions = Vec::new();
        log.messages = Vec::new();
        log.progress = Vec::new();
        log.fetches = Vec::new();
        log.param_writes = Vec::new();
        log.edits = Vec::new();
    }

    pub fn violations(&self) -> Vec<String> {
        lock(&self.0).violations.clone()
    }

    pub fn take_violations(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.0).violations)
    }
}

/// Panics with every violation, those included that no effect could be blamed for.
#[track_caller]
pub(super) fn assert_none(violations: Vec<String>) {
    let all: Vec<String> = violations
        .into_iter()
        .chain(super::scope::stray_violations())
        .collect();
    assert!(
        all.is_empty(),
        "the plugin broke the host's rules:\n  {}",
        all.join("\n  ")
    );
}

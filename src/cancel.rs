//! Cancellation from another thread: work inside [`Canceller::during`] fails with
//! [`Error::Cancelled`] soon after [`Canceller::cancel`] is called.
//!
//! Long work calls [`check`] between its parts, for instance between two network runs or two
//! packets of a file. Work that cannot call it, such as a network run, is registered by [`ending`]
//! as an [`Interrupt`]. The canceller is thread-local during the call, so that the functions in
//! between do not have to pass it on.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use crate::{Error, Result};

/// Work that another thread can end while it is under way. Failures are logged: the work then ends
/// later than it could.
pub(crate) trait Interrupt: Send + Sync {
    /// Makes the work under way fail soon. Called on any thread.
    fn interrupt(&self);
    /// Makes the next work possible again.
    fn reset(&self);
}

/// Ends work from another thread. Clones end the same work.
#[derive(Clone, Default)]
pub struct Canceller(Arc<State>);

#[derive(Default)]
struct State {
    /// Times that work was cancelled: what began before the last one ends.
    count: AtomicU64,
    /// Interruptible work under way.
    running: Mutex<Vec<Arc<dyn Interrupt>>>,
}

/// A call under way.
#[derive(Clone)]
struct Watch {
    state: Arc<State>,
    since: u64,
}

thread_local! {
    static CURRENT: RefCell<Option<Watch>> = const { RefCell::new(None) };
}

impl Canceller {
    /// A canceller that no work uses yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs `work` on this thread; [`cancel`](Self::cancel), called on any other meanwhile, makes
    /// what it calls in this library return [`Error::Cancelled`]. Where calls are nested, the
    /// innermost canceller counts.
    pub fn during<R>(&self, work: impl FnOnce() -> R) -> R {
        let watch = Watch {
            since: self.0.count.load(Ordering::Acquire),
            state: self.0.clone(),
        };
        let _back = Back(CURRENT.replace(Some(watch)));
        work()
    }

    /// Ends what is under way. What begins later is not touched.
    pub fn cancel(&self) {
        let running = self.0.running.lock();
        self.0.count.fetch_add(1, Ordering::AcqRel);
        for run in running.iter() {
            run.interrupt();
        }
    }
}

/// Restores the thread's outer watch, also after a panic.
struct Back(Option<Watch>);

impl Drop for Back {
    fn drop(&mut self) {
        CURRENT.replace(self.0.take());
    }
}

/// What cancels the work of the thread that called [`inherited`].
pub(crate) struct Inherited(Option<Watch>);

/// For work that this thread hands to another one.
pub(crate) fn inherited() -> Inherited {
    Inherited(CURRENT.with_borrow(Clone::clone))
}

impl Inherited {
    /// Runs `work` on this thread as a part of the other thread's work.
    pub(crate) fn during<R>(self, work: impl FnOnce() -> R) -> R {
        let _back = Back(CURRENT.replace(self.0));
        work()
    }
}

impl Watch {
    fn check(&self) -> Result<()> {
        match self.state.count.load(Ordering::Acquire) == self.since {
            true => Ok(()),
            false => Err(Error::Cancelled),
        }
    }
}

/// Whether this thread's work may be cancelled at all.
pub(crate) fn is_watched() -> bool {
    CURRENT.with_borrow(Option::is_some)
}

/// [`Error::Cancelled`] when this thread's work was cancelled.
pub(crate) fn check() -> Result<()> {
    CURRENT.with_borrow(|watch| watch.as_ref().map_or(Ok(()), Watch::check))
}

/// Lets `run` be interrupted while `call`, which uses it, is under way.
pub(crate) fn ending<R>(run: &Arc<dyn Interrupt>, call: impl FnOnce() -> Result<R>) -> Result<R> {
    let Some(watch) = CURRENT.with_borrow(Clone::clone) else {
        return call();
    };
    {
        let mut running = watch.state.running.lock();
        // Under the lock: either this sees the cancellation, or the cancellation sees the run.
        watch.check()?;
        running.push(run.clone());
    }
    let _listed = Listed(&watch, run);
    let outcome = call();
    // An interrupted run fails with an error message of its own.
    watch.check()?;
    outcome
}

/// A run in the list; taken out after a panic too.
struct Listed<'a>(&'a Watch, &'a Arc<dyn Interrupt>);

impl Drop for Listed<'_> {
    fn drop(&mut self) {
        let Self(watch, run) = self;
        let mut running = watch.state.running.lock();
        running.retain(|other| !Arc::ptr_eq(other, run));
        if watch.check().is_err() {
            run.reset();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_under_way_ends_and_what_comes_later_does_not() {
        let canceller = Canceller::new();
        assert!(!is_watched());
        canceller.during(|| {
            assert!(is_watched());
            assert!(check().is_ok());
            canceller.clone().cancel();
            assert!(matches!(check(), Err(Error::Cancelled)));
            // The innermost counts, and the outer one comes back.
            Canceller::new().during(|| assert!(check().is_ok()));
            assert!(check().is_err());
        });
        assert!(!is_watched());
        canceller.during(|| assert!(check().is_ok()));
    }

    #[test]
    fn a_panic_leaves_no_watch() {
        let canceller = Canceller::new();
        let work = std::panic::AssertUnwindSafe(|| canceller.during(|| panic!("a fault")));
        assert!(std::panic::catch_unwind(work).is_err());
        assert!(!is_watched());
    }

    #[test]
    fn what_is_registered_is_interrupted_once_and_reset() {
        #[derive(Default)]
        struct Counted {
            interrupted: AtomicU64,
            reset: AtomicU64,
        }
        impl Interrupt for Counted {
            fn interrupt(&self) {
                self.interrupted.fetch_add(1, Ordering::SeqCst);
            }
            fn reset(&self) {
                self.reset.fetch_add(1, Ordering::SeqCst);
            }
        }
        let counted = Arc::new(Counted::default());
        let run: Arc<dyn Interrupt> = counted.clone();
        let counts = || {
            let Counted { interrupted, reset } = &*counted;
            [interrupted, reset].map(|count| count.load(Ordering::SeqCst))
        };
        let canceller = Canceller::new();
        canceller.during(|| {
            assert_eq!(ending(&run, || Ok(1)).unwrap(), 1);
            assert_eq!(counts(), [0, 0]);
            let outcome = ending(&run, || {
                canceller.cancel();
                assert_eq!(counts(), [1, 0]);
                Ok(1)
            });
            assert!(matches!(outcome, Err(Error::Cancelled)));
        });
        assert_eq!(counts(), [1, 1]);
        canceller.cancel();
        assert_eq!(counts(), [1, 1]);
    }

    #[test]
    fn every_thread_inside_ends() {
        let canceller = Canceller::new();
        let inside = std::sync::Barrier::new(3);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    canceller.during(|| {
                        inside.wait();
                        while check().is_ok() {
                            std::thread::yield_now();
                        }
                    });
                });
            }
            inside.wait();
            canceller.cancel();
        });
    }
}

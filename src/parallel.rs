//! Work of one call on several threads. What is computed does not depend on how many there are.

use std::ops::Range;
use std::thread::Builder;

use parking_lot::Mutex;

use crate::cancel;

/// The threads that one call may use, the calling one included.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parallel {
    threads: usize,
    /// Split the smallest work too: tests have small frames.
    #[cfg(test)]
    finest: bool,
}

impl Default for Parallel {
    /// The calling thread alone.
    fn default() -> Self {
        Self::new(1)
    }
}

impl Parallel {
    /// Up to `threads` threads, and at least the calling one.
    pub fn new(threads: usize) -> Self {
        Self {
            threads: threads.max(1),
            #[cfg(test)]
            finest: false,
        }
    }

    /// As [`new`](Self::new), and no work is too small to be split.
    #[cfg(test)]
    pub fn finest(threads: usize) -> Self {
        Self {
            finest: true,
            ..Self::new(threads)
        }
    }

    /// Runs both, at once where there are two threads; `other` runs on the calling one. Cancelling the
    /// caller's work cancels both. A panic of one is passed on when both have ended.
    pub(crate) fn both<A: Send, B>(
        self,
        one: impl FnOnce() -> A + Send,
        other: impl FnOnce() -> B,
    ) -> (A, B) {
        if self.threads < 2 {
            return (one(), other());
        }
        let one = Mutex::new(Some(one));
        let run = || one.lock().take().map(|one| one());
        let inherited = cancel::inherited();
        std::thread::scope(|scope| {
            let thread = Builder::new().name("stylelipsync".into());
            let started = thread.spawn_scoped(scope, || inherited.during(run));
            let other = other();
            let done = match started.map(|thread| thread.join()) {
                Ok(Ok(done)) => done,
                Ok(Err(panic)) => std::panic::resume_unwind(panic),
                // The system has no thread left.
                Err(_) => run(),
            };
            match done {
                Some(one) => (one, other),
                None => unreachable!("it is taken once, by the one that runs it"),
            }
        })
    }

    /// Splits `rows` into as many parts as there are threads, none of them smaller than `least` rows but
    /// for a whole that is.
    pub(crate) fn parts(self, rows: Range<usize>, least: usize) -> Vec<Range<usize>> {
        #[cfg(test)]
        let least = if self.finest { 1 } else { least };
        let count = self.threads.min(rows.len() / least.max(1)).max(1);
        let at = |part: usize| rows.start + rows.len() * part / count;
        (0..count).map(|part| at(part)..at(part + 1)).collect()
    }

    /// Splits `rows` as [`parts`](Self::parts) does, each part with its elements: `values` begins with the first
    /// of the rows, each of `width` elements.
    pub(crate) fn split<T>(
        self,
        rows: Range<usize>,
        least: usize,
        values: &mut [T],
        width: usize,
    ) -> Vec<(Range<usize>, &mut [T])> {
        let mut rest = values;
        let parts = self.parts(rows, least).into_iter();
        let split = parts.map(|part| {
            let (values, after) = std::mem::take(&mut rest).split_at_mut(part.len() * width);
            rest = after;
            (part, values)
        });
        split.collect()
    }

    /// Does `work` for each of `parts`, at once as far as there are threads.
    pub(crate) fn each<T: Send>(self, parts: Vec<T>, work: &(impl Fn(T) + Sync)) {
        let mut parts = parts.into_iter();
        let Some(part) = parts.next() else { return };
        let rest: Vec<T> = parts.collect();
        if rest.is_empty() {
            return work(part);
        }
        self.both(|| self.each(rest, work), || work(part));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;
    use crate::cancel::Canceller;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn parts_are_the_whole_in_order() {
        for threads in 0..5 {
            for (rows, least) in [(0..0, 1), (3..4, 1), (5..105, 1), (5..105, 40), (0..7, 0)] {
                let parts = Parallel::new(threads).parts(rows.clone(), least);
                assert!((1..=threads.max(1)).contains(&parts.len()));
                assert!(parts.len() == 1 || parts.iter().all(|part| part.len() >= least));
                assert_eq!(
                    (parts[0].start, parts[parts.len() - 1].end),
                    (rows.start, rows.end)
                );
                assert!(parts.windows(2).all(|pair| pair[0].end == pair[1].start));
            }
        }
    }

    #[test]
    fn every_part_is_done_once() {
        for threads in [1, 2, 3] {
            let mut done = [0; 7];
            let parts: Vec<&mut i32> = done.iter_mut().collect();
            Parallel::new(threads).each(parts, &|part| *part += 1);
            assert_eq!(done, [1; 7]);
        }
    }

    #[test]
    fn with_two_threads_both_run_at_once() {
        let met = std::sync::Barrier::new(2);
        Parallel::new(2).both(|| met.wait(), || met.wait());
        assert_eq!(Parallel::default().both(|| 1, || 2), (1, 2));
    }

    #[test]
    fn what_is_cancelled_ends_on_both_threads() {
        let canceller = Canceller::new();
        let (one, other) = canceller.during(|| {
            canceller.cancel();
            Parallel::new(2).both(cancel::check, cancel::check)
        });
        assert!(matches!(
            (one, other),
            (Err(Error::Cancelled), Err(Error::Cancelled))
        ));
    }

    #[test]
    fn a_panic_is_passed_on_after_the_other_has_ended() {
        let ended = AtomicUsize::new(0);
        let work = std::panic::AssertUnwindSafe(|| {
            Parallel::new(2).both(
                || panic!("a fault"),
                || ended.fetch_add(1, Ordering::SeqCst),
            )
        });
        assert!(std::panic::catch_unwind(work).is_err());
        assert_eq!(ended.into_inner(), 1);
    }
}

//! A pipeline of reader, workers and writer that keeps the order and bounds the memory.
//!
//! One thread reads, several work, the caller's thread writes. For each item the reader creates an
//! empty slot, sends (item, slot) to the workers and the slot's receiving end to the writer. The
//! writer waits for the slots in the order of their creation, so nothing is sorted. Both queues are
//! bounded, so memory does not depend on the clip's length.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use parking_lot::Mutex;

use crate::failure::{Failure, Result};
use crate::interrupt;

/// Runs `work` over `items` on `workers` threads and hands the results to `write` in order.
///
/// At most `3 * workers + 3` items are alive at any time.
///
/// # Errors
/// The first error in the order of the items; or an interrupt. Later items are not worked on
/// once the writer has seen it.
pub fn run<T: Send, U: Send>(
    items: impl Iterator<Item = Result<T>> + Send,
    workers: usize,
    work: impl Fn(T) -> Result<U> + Sync,
    mut write: impl FnMut(U) -> Result<()>,
) -> Result<()> {
    let workers = workers.max(1);
    let (todo_in, todo_out) = sync_channel::<(T, SyncSender<Result<U>>)>(workers);
    let (slots_in, slots_out) = sync_channel::<Receiver<Result<U>>>(workers + 1);
    let todo_out = Mutex::new(todo_out);
    let (todo_out, work) = (&todo_out, &work);

    std::thread::scope(move |scope| {
        scope.spawn(move || read(items, &todo_in, &slots_in));
        for _ in 0..workers {
            scope.spawn(move || {
                loop {
                    // The lock is held while waiting, but not while working.
                    let next = todo_out.lock().recv();
                    let Ok((item, slot)) = next else { return };
                    // Nobody waits any more when the writer has failed: the rest is drained.
                    let _ = slot.send(interrupt::check().and_then(|()| work(item)));
                }
            });
        }
        // Owned by this closure: a failure drops the queue, which stops the reader, which closes
        // the workers' queue.
        for slot in slots_out {
            match slot.recv() {
                Ok(result) => write(result?)?,
                Err(_) => return Err(Failure::Tool("a worker thread ended early".into())),
            }
        }
        interrupt::check()
    })
}

fn read<T, U>(
    items: impl Iterator<Item = Result<T>>,
    todo: &SyncSender<(T, SyncSender<Result<U>>)>,
    slots: &SyncSender<Receiver<Result<U>>>,
) {
    for item in items {
        let (slot_in, slot_out) = sync_channel(1);
        if slots.send(slot_out).is_err() {
            return;
        }
        match item {
            Ok(item) => {
                if todo.send((item, slot_in)).is_err() {
                    return;
                }
            }
            // The slot is empty and its receiver is alive or gone: neither blocks.
            Err(error) => {
                let _ = slot_in.send(Err(error));
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn results_come_in_order_whatever_the_work_takes() {
        for workers in [1, 2, 5] {
            let mut seen = Vec::new();
            let uneven = |n: u64| {
                std::thread::sleep(std::time::Duration::from_micros((n * 7919) % 800));
                Ok(n * n)
            };
            let write = |n| {
                seen.push(n);
                Ok(())
            };
            run((0..200).map(Ok), workers, uneven, write).unwrap();
            assert_eq!(seen, (0..200).map(|n| n * n).collect::<Vec<u64>>());
        }
    }

    #[test]
    fn the_number_of_items_alive_is_bounded() {
        let alive = AtomicUsize::new(0);
        let most = AtomicUsize::new(0);
        let items = (0..300).map(|n: u32| {
            let now = alive.fetch_add(1, Ordering::SeqCst) + 1;
            most.fetch_max(now, Ordering::SeqCst);
            Ok(n)
        });
        let slow_writer = |_| {
            std::thread::sleep(std::time::Duration::from_micros(200));
            alive.fetch_sub(1, Ordering::SeqCst);
            Ok(())
        };
        run(items, 2, Ok, slow_writer).unwrap();
        assert!(
            most.load(Ordering::SeqCst) <= 9,
            "{} were alive at once",
            most.into_inner()
        );
    }

    #[test]
    fn the_first_error_in_order_wins_and_stops_the_reader() {
        let taken = AtomicUsize::new(0);
        let items = (0..10_000u32).map(|n| {
            taken.fetch_add(1, Ordering::SeqCst);
            Ok(n)
        });
        let work = |n| match n {
            20.. => Err(Failure::Input(format!("frame {n}"))),
            _ => Ok(n),
        };
        let error = run(items, 3, work, |_| Ok(())).unwrap_err();
        assert_eq!(error.to_string(), "frame 20");
        assert!(taken.into_inner() < 100);
    }

    #[test]
    fn errors_of_reader_and_writer_come_through() {
        let items = (0..9).map(|n| {
            if n == 5 {
                Err(Failure::Input("cut".into()))
            } else {
                Ok(n)
            }
        });
        let mut written = 0;
        let error = run(items, 2, Ok, |_| {
            written += 1;
            Ok(())
        });
        assert_eq!(error.unwrap_err().to_string(), "cut");
        assert_eq!(written, 5);
        let full = run((0..900).map(Ok), 2, Ok, |_| {
            Err(Failure::Output("disk full".into()))
        });
        assert_eq!(full.unwrap_err().to_string(), "disk full");
    }
}

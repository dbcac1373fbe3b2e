//! A least-recently-used cache that any thread may use.

use std::hash::Hash;
use std::num::NonZeroUsize;
use std::sync::Arc;

use lru::LruCache;
use parking_lot::Mutex;

use crate::error::Result;

/// Values by key; when it is full, the least recently used value is dropped.
pub struct Cache<K: Hash + Eq, V> {
    slots: Mutex<LruCache<K, Slot<V>>>,
}

/// A value, once it is made. Its own lock lets other keys be used while this one is made.
type Slot<V> = Arc<Mutex<Option<V>>>;

impl<K: Hash + Eq + Clone, V: Clone> Cache<K, V> {
    pub fn new(capacity: NonZeroUsize) -> Self {
        Self {
            slots: Mutex::new(LruCache::new(capacity)),
        }
    }

    /// The value of a key, made where it is missing. Other threads that ask for the same key wait for
    /// it; those that ask for other keys do not. A failure is not stored.
    ///
    /// # Errors
    /// What `make` returns.
    pub fn get(&self, key: &K, make: impl FnOnce() -> Result<V>) -> Result<V> {
        let slot = {
            let mut slots = self.slots.lock();
            match slots.get(key) {
                Some(slot) => slot.clone(),
                None => {
                    let slot = Slot::default();
                    slots.put(key.clone(), slot.clone());
                    slot
                }
            }
        };
        let mut slot = slot.lock();
        match &*slot {
            Some(value) => Ok(value.clone()),
            None => Ok(slot.insert(make()?).clone()),
        }
    }

    pub fn clear(&self) {
        self.slots.lock().clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ActionError;

    fn cache(capacity: usize) -> Cache<u32, u32> {
        Cache::new(NonZeroUsize::new(capacity).unwrap())
    }

    /// Whether the value of a key had to be made.
    fn is_made(cache: &Cache<u32, u32>, key: u32) -> bool {
        let mut made = false;
        let value = cache.get(&key, || {
            made = true;
            Ok(key * 10)
        });
        assert_eq!(value.unwrap(), key * 10);
        made
    }

    #[test]
    fn the_least_recently_used_value_is_dropped() {
        let cache = cache(2);
        assert!(is_made(&cache, 1) && is_made(&cache, 2));
        assert!(!is_made(&cache, 1), "1 is the more recently used one now");
        assert!(is_made(&cache, 3));
        assert!(!is_made(&cache, 1) && is_made(&cache, 2));
        cache.clear();
        assert!(is_made(&cache, 2));
    }

    #[test]
    fn a_failure_is_not_stored() {
        let cache = cache(2);
        let failed = cache.get(&1, || Err(ActionError::User("no".into())));
        assert!(failed.is_err());
        assert!(is_made(&cache, 1));
    }

    #[test]
    fn a_slow_value_holds_up_its_own_key_only() {
        let cache = cache(2);
        let (started, wait) = (std::sync::Barrier::new(2), std::sync::Barrier::new(2));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                cache.get(&1, || {
                    started.wait();
                    wait.wait();
                    Ok(10)
                })
            });
            started.wait();
            // Would wait for ever if the other key's value held the cache's lock.
            assert!(is_made(&cache, 2));
            wait.wait();
            assert!(!is_made(&cache, 1), "made once, by the other thread");
        });
    }
}

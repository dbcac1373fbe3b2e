//! A pool of reusable buffers, so that rendering a frame allocates little after the first ones.

use std::ops::{Deref, DerefMut};

use parking_lot::Mutex;

/// Idle values: at most as many as threads have used the pool at once.
pub(crate) struct Pool<T> {
    idle: Mutex<Vec<T>>,
}

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Pool<T> {
    /// An empty pool.
    pub fn new() -> Self {
        Self {
            idle: Mutex::new(Vec::new()),
        }
    }

    /// An idle value, or one from `make`; it returns to the pool when the guard is dropped. The lock is not held
    /// while it is made or used.
    pub fn take(&self, make: impl FnOnce() -> T) -> Pooled<'_, T> {
        let idle = self.idle.lock().pop();
        let value = idle.unwrap_or_else(make);
        Pooled {
            pool: self,
            value: Some(value),
        }
    }

    /// Idle values.
    #[cfg(test)]
    fn idle(&self) -> usize {
        self.idle.lock().len()
    }
}

/// A value taken from a [`Pool`].
pub(crate) struct Pooled<'a, T> {
    pool: &'a Pool<T>,
    value: Option<T>,
}

impl<T> Deref for Pooled<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        match &self.value {
            Some(value) => value,
            None => unreachable!("the value leaves only in drop"),
        }
    }
}

impl<T> DerefMut for Pooled<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        match &mut self.value {
            Some(value) => value,
            None => unreachable!("the value leaves only in drop"),
        }
    }
}

impl<T> Drop for Pooled<'_, T> {
    fn drop(&mut self) {
        if let Some(value) = self.value.take() {
            self.pool.idle.lock().push(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_return_and_are_reused() {
        let pool: Pool<Vec<u8>> = Pool::new();
        {
            let (mut one, two) = (pool.take(Vec::new), pool.take(Vec::new));
            one.push(7);
            assert!(two.is_empty());
            assert_eq!(pool.idle(), 0);
        }
        assert_eq!(pool.idle(), 2);
        drop(pool.take(Vec::new));
        assert_eq!(pool.idle(), 2);
        // The one with the 7 in it is still there; none is made while one is idle.
        let (one, two) = (pool.take(Vec::new), pool.take(|| unreachable!()));
        assert_eq!(one.len() + two.len(), 1);
    }
}

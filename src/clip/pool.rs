//! Buffers that are reused: after the first frames, rendering allocates little.

use std::ops::{Deref, DerefMut};

use parking_lot::Mutex;

/// Idle values; at most as many as threads have rendered at once.
pub(crate) struct Pool<T> {
    idle: Mutex<Vec<T>>,
}

impl<T: Default> Pool<T> {
    /// Nothing idle yet.
    pub fn new() -> Self {
        Self {
            idle: Mutex::new(Vec::new()),
        }
    }

    /// An idle value, or a new one; it returns to the pool when the guard is dropped.
    pub fn take(&self) -> Pooled<'_, T> {
        let value = self.idle.lock().pop().unwrap_or_default();
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
            let (mut one, two) = (pool.take(), pool.take());
            one.push(7);
            assert!(two.is_empty());
            assert_eq!(pool.idle(), 0);
        }
        assert_eq!(pool.idle(), 2);
        drop(pool.take());
        assert_eq!(pool.idle(), 2);
    }
}

//! A bounded store of values by sample position.

use std::collections::{HashMap, VecDeque};

/// Keeps the `capacity` values that came last; the oldest one leaves first.
///
/// Values are pure functions of their position, so what was forgotten only costs time.
pub(crate) struct Ring<V> {
    capacity: usize,
    values: HashMap<i64, V>,
    order: VecDeque<i64>,
}

impl<V: Clone> Ring<V> {
    /// An empty ring for at most `capacity` (at least one) values.
    pub fn new(capacity: usize) -> Self {
        let capacity = capacity.max(1);
        Self {
            capacity,
            values: HashMap::with_capacity(capacity + 1),
            order: VecDeque::with_capacity(capacity + 1),
        }
    }

    /// The value at `position`, where it is still held.
    pub fn get(&self, position: i64) -> Option<V> {
        self.values.get(&position).cloned()
    }

    /// Holds `value`, and lets the oldest one go when there are too many.
    pub fn insert(&mut self, position: i64, value: V) {
        if self.values.insert(position, value).is_none() {
            self.order.push_back(position);
        }
        while self.order.len() > self.capacity {
            if let Some(oldest) = self.order.pop_front() {
                self.values.remove(&oldest);
            }
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.values.clear();
        self.order.clear();
    }

    /// Values held now.
    pub fn len(&self) -> usize {
        self.values.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_the_last_ones_only() {
        let mut ring = Ring::new(3);
        for position in 0..1000 {
            ring.insert(position * 640, position);
            assert!(ring.len() <= 3);
        }
        assert_eq!(ring.get(999 * 640), Some(999));
        assert_eq!(ring.get(997 * 640), Some(997));
        assert_eq!(ring.get(996 * 640), None);
    }

    #[test]
    fn the_same_position_twice_takes_one_place() {
        let mut ring = Ring::new(2);
        ring.insert(5, 'a');
        ring.insert(5, 'b');
        ring.insert(-7, 'c');
        assert_eq!(
            (ring.len(), ring.get(5), ring.get(-7)),
            (2, Some('b'), Some('c'))
        );
        ring.clear();
        assert_eq!((ring.len(), ring.get(5)), (0, None));
    }
}

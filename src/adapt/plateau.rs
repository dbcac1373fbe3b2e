//! The plateau criterion: training stops when the held-out loss no longer improves.

/// Evaluations in a row without an improvement after which the plateau is reached.
const PATIENCE: u32 = 4;
/// A loss below this share of the best one is an improvement.
const IMPROVEMENT: f32 = 0.995;

/// Follows the loss of the held-out frames.
pub(super) struct PlateauMonitor {
    first: Option<f32>,
    last: Option<f32>,
    best: f32,
    without_improvement: u32,
}

impl PlateauMonitor {
    /// Starts with the loss before the first step; `None` where no frame is held out.
    pub fn new(first: Option<f32>) -> Self {
        Self {
            first,
            last: first,
            best: first.unwrap_or(f32::INFINITY),
            without_improvement: 0,
        }
    }

    /// Adds the loss of an evaluation.
    pub fn add(&mut self, loss: Option<f32>) {
        let Some(loss) = loss else { return };
        self.last = Some(loss);
        self.without_improvement += 1;
        if loss < self.best * IMPROVEMENT {
            (self.best, self.without_improvement) = (loss, 0);
        }
    }

    /// Whether the last evaluations brought no improvement.
    pub fn is_reached(&self) -> bool {
        self.without_improvement >= PATIENCE
    }

    /// The loss before the first step and that of the last evaluation.
    pub fn first_and_last(&self) -> Option<[f32; 2]> {
        Some([self.first?, self.last?])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_evaluations_without_improvement_are_a_plateau() {
        let mut monitor = PlateauMonitor::new(Some(1.0));
        for loss in [0.9, 0.9, 0.91, 0.899] {
            monitor.add(Some(loss));
            assert!(!monitor.is_reached());
        }
        monitor.add(Some(0.8));
        (0..3).for_each(|_| monitor.add(Some(0.8)));
        assert!(!monitor.is_reached());
        monitor.add(Some(0.797));
        assert!(monitor.is_reached());
        assert_eq!(monitor.first_and_last(), Some([1.0, 0.797]));
    }

    #[test]
    fn without_held_out_frames_there_is_no_plateau() {
        let mut monitor = PlateauMonitor::new(None);
        (0..10).for_each(|_| monitor.add(None));
        assert!(!monitor.is_reached());
        assert_eq!(monitor.first_and_last(), None);
    }
}

//! How far a mouth moves: the factors on the mouth shapes that the audio gives. Not in the paper.

use super::MouthShape;

/// The largest [`articulation`](Movement::articulation).
pub const MAX_ARTICULATION: f32 = 2.0;

/// Factors on mouth shapes, whose 0 is the mouth at rest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Movement {
    /// 0 (at rest) to [`MAX_ARTICULATION`]; 1 leaves shapes as they are.
    pub articulation: f32,
    /// The person's: above 1 for somebody who opens the mouth far.
    pub gain: f32,
}

impl Movement {
    /// Leaves shapes as they are.
    pub const UNCHANGED: Self = Self {
        articulation: 1.0,
        gain: 1.0,
    };

    /// Appends a moved shape.
    pub fn append(&self, shape: &MouthShape, moved: &mut Vec<f32>) {
        let factor = self.articulation * self.gain;
        moved.extend(shape.iter().map(|value| value * factor));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn articulation_scales_and_one_changes_no_bit() {
        let shape: MouthShape = [0.1, -0.7, 1e-30].into();
        let moved = |articulation, gain| {
            let mut moved = Vec::new();
            Movement { articulation, gain }.append(&shape, &mut moved);
            moved
        };
        assert_eq!(moved(1.0, 1.0), *shape);
        assert_eq!(moved(0.5, 1.0), [0.05, -0.35, 5e-31]);
        assert_eq!(moved(0.25, 2.0), [0.05, -0.35, 5e-31]);
        assert_eq!(moved(0.0, 1.5), [0.0; 3]);
    }
}

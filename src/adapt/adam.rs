//! The Adam optimiser (Kingma and Ba) with the paper's parameters: beta 0.9 and 0.999.

const BETA: [f32; 2] = [0.9, 0.999];
const EPSILON: f32 = 1e-8;

/// Parameters and the optimiser's state.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Adam {
    pub steps: u64,
    pub theta: Vec<Vec<f32>>,
    /// Adam's moments.
    pub first: Vec<Vec<f32>>,
    pub second: Vec<Vec<f32>>,
}

impl Adam {
    /// Before the first step: both moments are zero.
    pub fn new(theta: Vec<Vec<f32>>) -> Self {
        let zeros = || theta.iter().map(|values| vec![0.0; values.len()]).collect();
        Self {
            steps: 0,
            first: zeros(),
            second: zeros(),
            theta,
        }
    }

    /// One step against the gradients, with the learning rate `rate`.
    pub fn step(&mut self, gradients: &[Vec<f32>], rate: f32) {
        self.steps += 1;
        let unbias = BETA.map(|beta| 1.0 - f64::from(beta).powf(self.steps as f64));
        let rate = (f64::from(rate) / unbias[0]) as f32;
        let root = unbias[1].sqrt() as f32;
        let moments = self.first.iter_mut().zip(&mut self.second);
        let values = self.theta.iter_mut().zip(gradients);
        for ((values, gradient), (first, second)) in values.zip(moments) {
            let state = first.iter_mut().zip(second.iter_mut());
            for ((v, g), (m, s)) in values.iter_mut().zip(gradient).zip(state) {
                *m += (1.0 - BETA[0]) * (g - *m);
                *s += (1.0 - BETA[1]) * (g * g - *s);
                *v -= rate * *m / (s.sqrt() / root + EPSILON);
            }
        }
    }

    /// What a checkpoint must hold, by name.
    pub fn parts(&self) -> [(&'static str, &[Vec<f32>]); 3] {
        [
            ("theta", &self.theta),
            ("first", &self.first),
            ("second", &self.second),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two steps by hand: m = 0.1 g, s = 0.001 g^2, both unbiased to g and g^2.
    #[test]
    fn the_first_step_is_the_rate_whatever_the_gradient() {
        let mut adam = Adam::new(vec![vec![1.0, -2.0], vec![0.5]]);
        adam.step(&[vec![3.0, -0.02], vec![0.0]], 0.1);
        for (found, expected) in adam.theta.concat().iter().zip([0.9, -1.9, 0.5]) {
            assert!((found - expected).abs() < 1e-5, "{found}");
        }
        // m = 0.09 * 3 + 0.1 * -3 = -0.03 of 0.19; s = 0.001 (0.999 + 1) 9 of 0.001999: 9.
        adam.step(&[vec![-3.0, 0.0], vec![0.0]], 0.1);
        let expected = 0.9 - 0.1 * (-0.03 / 0.19) / 3.0;
        let found = adam.theta[0][0];
        assert!((found - expected).abs() < 1e-5, "{found}");
    }

    #[test]
    fn it_minimises_a_quadratic() {
        let mut adam = Adam::new(vec![vec![4.0, -3.0]]);
        for _ in 0..800 {
            let gradient = adam.theta.clone();
            adam.step(&gradient, 0.05);
        }
        let found = &adam.theta[0];
        assert!(found.iter().all(|v| v.abs() < 0.01), "{found:?}");
    }
}

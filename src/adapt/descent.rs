//! Adam (Kingma and Ba), as the paper trains with: beta 0.9 and 0.999; and the mean of the last
//! steps, which is what a person is saved as: single steps at a constant rate wander round it.

const BETA: [f32; 2] = [0.9, 0.999];
const EPSILON: f32 = 1e-8;
/// Polynomial-decay averaging (Shamir and Zhang, 2013): about the last fourth of the steps count,
/// however many there are.
const ETA: f64 = 3.0;

/// Parameters on their way down.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Descent {
    pub steps: u64,
    pub theta: Vec<Vec<f32>>,
    /// What is learnt: the weighted mean of theta after each step.
    pub average: Vec<Vec<f32>>,
    /// Adam's moments.
    pub first: Vec<Vec<f32>>,
    pub second: Vec<Vec<f32>>,
}

impl Descent {
    /// At rest.
    pub fn new(theta: Vec<Vec<f32>>) -> Self {
        let zeros = || theta.iter().map(|values| vec![0.0; values.len()]).collect();
        Self {
            steps: 0,
            first: zeros(),
            second: zeros(),
            average: theta.clone(),
            theta,
        }
    }

    /// One step down the gradients.
    pub fn step(&mut self, gradients: &[Vec<f32>], rate: f32) {
        self.steps += 1;
        let unbias = BETA.map(|beta| 1.0 - f64::from(beta).powf(self.steps as f64));
        let rate = (f64::from(rate) / unbias[0]) as f32;
        let root = unbias[1].sqrt() as f32;
        let share = ((ETA + 1.0) / (self.steps as f64 + ETA)) as f32;
        let state = self.first.iter_mut().zip(&mut self.second);
        let values = self.theta.iter_mut().zip(&mut self.average);
        for ((values, state), gradient) in values.zip(state).zip(gradients) {
            let (values, state) = (
                values.0.iter_mut().zip(values.1),
                state.0.iter_mut().zip(state.1),
            );
            for (((v, mean), (m, s)), g) in values.zip(state).zip(gradient) {
                *m += (1.0 - BETA[0]) * (g - *m);
                *s += (1.0 - BETA[1]) * (g * g - *s);
                *v -= rate * *m / (s.sqrt() / root + EPSILON);
                *mean += share * (*v - *mean);
            }
        }
    }

    /// All that goes on with the steps, by name.
    pub fn parts(&self) -> [(&'static str, &[Vec<f32>]); 4] {
        [
            ("theta", &self.theta),
            ("average", &self.average),
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
        let mut descent = Descent::new(vec![vec![1.0, -2.0], vec![0.5]]);
        descent.step(&[vec![3.0, -0.02], vec![0.0]], 0.1);
        for (found, expected) in descent.theta.concat().iter().zip([0.9, -1.9, 0.5]) {
            assert!((found - expected).abs() < 1e-5, "{found}");
        }
        assert_eq!(descent.average, descent.theta, "one step is its own mean");
        // m = 0.09 * 3 + 0.1 * -3 = -0.03 of 0.19; s = 0.001 (0.999 + 1) 9 of 0.001999: 9.
        descent.step(&[vec![-3.0, 0.0], vec![0.0]], 0.1);
        let expected = 0.9 - 0.1 * (-0.03 / 0.19) / 3.0;
        let (theta, mean) = (descent.theta[0][0], descent.average[0][0]);
        assert!((theta - expected).abs() < 1e-5, "{theta}");
        // The second step has a share of 4 / 5.
        assert!((mean - (0.2 * 0.9 + 0.8 * expected)).abs() < 1e-5, "{mean}");
    }

    #[test]
    fn it_finds_the_bottom_of_a_bowl() {
        let mut descent = Descent::new(vec![vec![4.0, -3.0]]);
        for _ in 0..800 {
            let gradient = descent.theta.clone();
            descent.step(&gradient, 0.05);
        }
        for found in [&descent.theta[0], &descent.average[0]] {
            assert!(found.iter().all(|v| v.abs() < 0.01), "{found:?}");
        }
    }

    /// Near the bottom, noisy gradients keep the steps wandering; their mean stays nearer to it.
    #[test]
    fn the_mean_is_calmer_than_the_steps() {
        let mut descent = Descent::new(vec![vec![0.0]]);
        let (mut far, mut state) = ([0.0f32; 2], 1u32);
        for step in 0..2000 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = state as f32 / u32::MAX as f32 - 0.5;
            let gradient = descent.theta[0][0] + 8.0 * noise;
            descent.step(&[vec![gradient]], 0.05);
            if step >= 1000 {
                far[0] = far[0].max(descent.theta[0][0].abs());
                far[1] = far[1].max(descent.average[0][0].abs());
            }
        }
        assert!(far[1] < far[0] / 3.0, "{far:?}");
    }
}

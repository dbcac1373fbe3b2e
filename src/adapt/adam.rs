//! Adam (Kingma and Ba), as the paper trains with: beta 0.9 and 0.999.

const BETA: [f32; 2] = [0.9, 0.999];
const EPSILON: f32 = 1e-8;

/// The moments of a list of tensors, and the steps taken.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Adam {
    pub steps: u64,
    pub first: Vec<Vec<f32>>,
    pub second: Vec<Vec<f32>>,
}

impl Adam {
    /// At rest, for tensors as long as these.
    pub fn new(like: &[Vec<f32>]) -> Self {
        let zeros = || like.iter().map(|values| vec![0.0; values.len()]).collect();
        Self {
            steps: 0,
            first: zeros(),
            second: zeros(),
        }
    }

    /// One step down the gradients.
    pub fn step(&mut self, theta: &mut [Vec<f32>], gradients: &[Vec<f32>], rate: f32) {
        self.steps += 1;
        let unbias = BETA.map(|beta| 1.0 - f64::from(beta).powf(self.steps as f64));
        let rate = (f64::from(rate) / unbias[0]) as f32;
        let root = unbias[1].sqrt() as f32;
        let moments = self.first.iter_mut().zip(&mut self.second);
        for ((values, gradient), (first, second)) in theta.iter_mut().zip(gradients).zip(moments) {
            let state = first.iter_mut().zip(second.iter_mut());
            for ((v, g), (m, s)) in values.iter_mut().zip(gradient).zip(state) {
                *m += (1.0 - BETA[0]) * (g - *m);
                *s += (1.0 - BETA[1]) * (g * g - *s);
                *v -= rate * *m / (s.sqrt() / root + EPSILON);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two steps by hand: m = 0.1 g, s = 0.001 g^2, both unbiased to g and g^2.
    #[test]
    fn the_first_step_is_the_rate_whatever_the_gradient() {
        let mut theta = vec![vec![1.0, -2.0], vec![0.5]];
        let mut adam = Adam::new(&theta);
        adam.step(&mut theta, &[vec![3.0, -0.02], vec![0.0]], 0.1);
        for (found, expected) in theta.concat().iter().zip([0.9, -1.9, 0.5]) {
            assert!((found - expected).abs() < 1e-5, "{found}");
        }
        // m = 0.09 * 3 + 0.1 * -3 = -0.03 of 0.19; s = 0.001 (0.999 + 1) 9 of 0.001999: 9.
        adam.step(&mut theta, &[vec![-3.0, 0.0], vec![0.0]], 0.1);
        let expected = 0.9 - 0.1 * (-0.03 / 0.19) / 3.0;
        assert!((theta[0][0] - expected).abs() < 1e-5, "{}", theta[0][0]);
    }

    #[test]
    fn it_finds_the_bottom_of_a_bowl() {
        let mut theta = vec![vec![4.0, -3.0]];
        let mut adam = Adam::new(&theta);
        for _ in 0..800 {
            let gradient = theta.clone();
            adam.step(&mut theta, &gradient, 0.05);
        }
        assert!(theta[0].iter().all(|v| v.abs() < 0.01), "{theta:?}");
    }
}

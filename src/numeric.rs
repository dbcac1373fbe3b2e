//! Arithmetic that several layers share.

use std::ops::{Div, Mul, Sub};

/// The smooth step from 0 (up to `low`) to 1 (from `high`): the cubic `3 t^2 - 2 t^3` between. 0 for
/// NaN.
#[inline]
pub(crate) fn smoothstep<T>(low: T, high: T, value: T) -> T
where
    T: Copy + PartialOrd + From<f32> + Sub<Output = T> + Mul<Output = T> + Div<Output = T>,
{
    let [zero, one, two, three] = [0.0, 1.0, 2.0, 3.0].map(T::from);
    let t = (value - low) / (high - low);
    // Written so that NaN gives 0.
    let t = if t > zero { t } else { zero };
    let t = if t < one { t } else { one };
    t * t * (three - two * t)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_rises_smoothly_between_its_ends() {
        assert_eq!(smoothstep(1.0f32, 3.0, 0.5), 0.0);
        assert_eq!(smoothstep(1.0f32, 3.0, 1.5), 0.15625);
        assert_eq!(smoothstep(1.0f64, 3.0, 2.0), 0.5);
        assert_eq!(smoothstep(1.0f64, 3.0, f64::INFINITY), 1.0);
        assert_eq!(smoothstep(1.0f32, 3.0, f32::NAN), 0.0);
    }
}

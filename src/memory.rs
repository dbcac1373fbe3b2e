//! Allocations whose size depends on the caller's input: a failure is an error and does not abort the
//! process.

use crate::{Error, Result};

/// Reserves capacity for `more` values.
pub(crate) fn reserve<T>(values: &mut Vec<T>, more: usize, what: &str) -> Result<()> {
    values.try_reserve(more).map_err(|_| {
        let bytes = more as u128 * size_of::<T>() as u128;
        Error::Memory(format!("{what}: the allocation of {bytes} bytes failed"))
    })
}

/// `count` copies of a value.
#[cfg(any(test, feature = "capi"))]
pub(crate) fn filled<T: Clone>(value: T, count: usize, what: &str) -> Result<Vec<T>> {
    let mut values = Vec::new();
    reserve(&mut values, count, what)?;
    values.resize(count, value);
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_allocation_is_an_error_that_names_it() {
        let mut values = vec![1u64];
        let error = reserve(&mut values, usize::MAX / 16, "audio").unwrap_err();
        assert!(matches!(&error, Error::Memory(_)), "{error}");
        assert!(error.to_string().contains("audio"), "{error}");
        assert_eq!(values, [1]);
        assert_eq!(filled(7u8, 3, "frame").unwrap(), [7, 7, 7]);
        assert!(filled(0.0f32, usize::MAX / 8, "matte").is_err());
    }
}

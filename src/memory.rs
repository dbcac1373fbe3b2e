//! Memory whose size the caller's input decides: refused in words where the machine has none left,
//! instead of ending the process.

use crate::{Error, Result};

/// Makes room for `more` values.
pub(crate) fn reserve<T>(values: &mut Vec<T>, more: usize, what: &str) -> Result<()> {
    values.try_reserve(more).map_err(|_| {
        let bytes = more as u128 * size_of::<T>() as u128;
        Error::Memory(format!("{what}: {bytes} bytes are not to be had"))
    })
}

/// `count` copies of a value.
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
    fn what_is_not_there_is_refused_in_words() {
        let mut values = vec![1u64];
        let error = reserve(&mut values, usize::MAX / 16, "audio").unwrap_err();
        assert!(matches!(&error, Error::Memory(_)), "{error}");
        assert!(error.to_string().contains("audio"), "{error}");
        assert_eq!(values, [1]);
        assert_eq!(filled(7u8, 3, "frame").unwrap(), [7, 7, 7]);
        assert!(filled(0.0f32, usize::MAX / 8, "matte").is_err());
    }
}

//! Structs that can grow in later versions: each starts with the size that the program's header
//! gave it.

use std::mem::size_of;

use bytemuck::Zeroable;

use super::failure::Failure;

/// Upper limit of a struct's size in any later version.
const LARGEST: usize = 4096;

/// A struct of the API: `repr(C)`, fields are plain numbers or pointers; the first is its size in
/// bytes as a `u32`, the last is reserved.
///
/// # Safety
/// The layout is as described, and padding bytes carry no meaning.
pub(super) unsafe trait SizedStruct: Zeroable + Copy {
    /// Its name in C, for error messages.
    const NAME: &'static str;

    /// Whether all reserved fields are 0.
    fn reserved_is_zero(&self) -> bool;

    /// Its size in the first version of the library: the minimum that is accepted.
    const FIRST_SIZE: usize = size_of::<Self>();
}

/// A field that turns something on: 0 or 1.
pub(super) fn switch(value: i32, field: &'static str) -> Result<bool, Failure> {
    match value {
        0 => Ok(false),
        1 => Ok(true),
        other => Err(Failure::argument(field, format!("{other} is not 0 or 1"))),
    }
}

/// A copy of C's struct; fields that the program's older header did not know are 0. The struct need
/// not be aligned.
///
/// # Safety
/// `pointer` is NULL, or points to a struct that starts with its size and has that size.
pub(super) unsafe fn read<T: SizedStruct>(
    pointer: *const T,
    field: &'static str,
) -> Result<T, Failure> {
    // SAFETY: guaranteed by the caller.
    let size = unsafe { size_of_struct(pointer, field)? };
    let known = size.min(size_of::<T>());
    let mut copy = T::zeroed();
    // SAFETY: `known` bytes are readable there and fit here; any bytes make a `T`.
    unsafe {
        std::ptr::copy_nonoverlapping(pointer.cast::<u8>(), (&raw mut copy).cast(), known);
    }
    // SAFETY: the struct is `size` bytes long.
    let rest = unsafe { std::slice::from_raw_parts(pointer.cast::<u8>().add(known), size - known) };
    if rest.iter().any(|&byte| byte != 0) || !copy.reserved_is_zero() {
        return Err(Failure::Abi(format!(
            "{field}: reserved fields of {} are not 0: initialise the struct with its init function, \
             or use a newer library",
            T::NAME
        )));
    }
    Ok(copy)
}

/// The size that a struct states, validated.
///
/// # Safety
/// `pointer` is NULL or points to at least a `u32`.
unsafe fn size_of_struct<T: SizedStruct>(
    pointer: *const T,
    field: &'static str,
) -> Result<usize, Failure> {
    if pointer.is_null() {
        return Err(Failure::Null(field));
    }
    // SAFETY: not NULL; every struct starts with its size.
    let size = unsafe { pointer.cast::<u32>().read_unaligned() } as usize;
    if !(T::FIRST_SIZE..=LARGEST).contains(&size) {
        return Err(Failure::Abi(format!(
            "{field}.struct_size: {size} is not a size of {}: initialise the struct with its init \
             function",
            T::NAME
        )));
    }
    Ok(size)
}

/// Writes `value` to C's struct, which has `size` bytes in the program's header, and sets its size.
///
/// # Safety
/// `pointer` is NULL or points to `size` writable bytes.
pub(super) unsafe fn init<T: SizedStruct>(
    pointer: *mut T,
    size: usize,
    field: &'static str,
    value: T,
) -> Result<(), Failure> {
    if pointer.is_null() {
        return Err(Failure::Null(field));
    }
    if !(T::FIRST_SIZE..=LARGEST).contains(&size) {
        return Err(Failure::Abi(format!(
            "struct_size: {size} is not a size of {}",
            T::NAME
        )));
    }
    // SAFETY: `size` bytes are writable there.
    unsafe { put(pointer, size, value) };
    Ok(())
}

/// Destination of a result: validated before the work, written after it.
pub(super) struct Out<T> {
    pointer: *mut T,
    size: usize,
}

impl<T: SizedStruct> Out<T> {
    /// `None` if C passed NULL: results are optional.
    ///
    /// # Safety
    /// As for [`read`], and the struct stays writable until [`write`](Self::write).
    pub(super) unsafe fn new(
        pointer: *mut T,
        field: &'static str,
    ) -> Result<Option<Self>, Failure> {
        if pointer.is_null() {
            return Ok(None);
        }
        // SAFETY: guaranteed by the caller.
        let size = unsafe { size_of_struct(pointer, field)? };
        Ok(Some(Self { pointer, size }))
    }

    /// The size that the struct states.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Writes the result.
    pub(super) fn write(self, value: T) {
        // SAFETY: the caller of `new` guaranteed `size` writable bytes.
        unsafe { put(self.pointer, self.size, value) }
    }
}

/// Writes the part of `value` that the program's header knows, zeros after it, and its size.
///
/// # Safety
/// `pointer` points to `size` writable bytes, at least four.
unsafe fn put<T: SizedStruct>(pointer: *mut T, size: usize, value: T) {
    let known = size.min(size_of::<T>());
    let bytes = pointer.cast::<u8>();
    // SAFETY: all accesses lie within the `size` bytes.
    unsafe {
        std::ptr::copy_nonoverlapping((&raw const value).cast(), bytes, known);
        bytes.add(known).write_bytes(0, size - known);
        pointer.cast::<u32>().write_unaligned(size as u32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[repr(C)]
    #[derive(Clone, Copy, Debug, PartialEq, Zeroable)]
    struct Sample {
        struct_size: u32,
        value: i32,
        reserved: [u64; 2],
    }

    // SAFETY: size first, numbers only, reserved last.
    unsafe impl SizedStruct for Sample {
        const NAME: &'static str = "sample";

        fn reserved_is_zero(&self) -> bool {
            self.reserved == [0; 2]
        }
    }

    fn try_read(words: &[u32]) -> Result<Sample, Failure> {
        // SAFETY: every test passes as many words as it states, or a size that is refused.
        unsafe { read(words.as_ptr().cast(), "options") }
    }

    #[test]
    fn structs_of_other_sizes() {
        assert_eq!(try_read(&[24, 7, 0, 0, 0, 0]).unwrap().value, 7);
        // A newer header, whose new field is not used.
        assert_eq!(try_read(&[32, 7, 0, 0, 0, 0, 0, 0]).unwrap().value, 7);
        for words in [
            &[0, 7, 0, 0, 0, 0][..],
            &[20, 7, 0, 0, 0, 0],
            &[5000, 7, 0, 0, 0, 0],
            &[24, 7, 0, 1, 0, 0],
            &[32, 7, 0, 0, 0, 0, 0, 1],
        ] {
            assert!(matches!(try_read(words), Err(Failure::Abi(_))), "{words:?}");
        }
        // SAFETY: NULL is allowed.
        let null = unsafe { read::<Sample>(std::ptr::null(), "options") };
        assert!(matches!(null, Err(Failure::Null("options"))));
    }

    #[test]
    fn results_fill_the_programs_struct_and_no_more() {
        let mut words = [9u32; 10];
        words[0] = 32;
        let value = Sample {
            struct_size: 0,
            value: 7,
            reserved: [0; 2],
        };
        // SAFETY: the array is longer than the 32 bytes that it states.
        let out = unsafe { Out::<Sample>::new(words.as_mut_ptr().cast(), "result") };
        out.unwrap().unwrap().write(value);
        assert_eq!(words, [32, 7, 0, 0, 0, 0, 0, 0, 9, 9]);
    }
}

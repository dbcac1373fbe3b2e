//! Hexadecimal hashes.

/// Whether a text is this number of small hexadecimal digits.
pub(super) fn is_hex(text: &str, digits: usize) -> bool {
    let hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    text.len() == digits && text.bytes().all(hex)
}

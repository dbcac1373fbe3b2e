//! XMP in TIFF: tag 700 (XMP specification part 3, section 3.2).

const XMP: u16 = 700;
const BYTE: u16 = 1;
const ENTRY: usize = 12;

/// Adds the packet to the first picture of a little-endian TIFF, as this program writes them: the packet and a
/// new directory are appended, and the header points to that. Other bytes are returned as they are.
pub fn insert(mut bytes: Vec<u8>, packet: &str) -> Vec<u8> {
    let Some(directory) = with_packet(&bytes, packet) else {
        return bytes;
    };
    bytes.resize(bytes.len().next_multiple_of(2), 0);
    bytes.extend(packet.as_bytes());
    bytes.resize(bytes.len().next_multiple_of(2), 0);
    let at = (bytes.len() as u32).to_le_bytes();
    bytes.extend(directory);
    bytes[4..8].copy_from_slice(&at);
    bytes
}

/// The first directory with an entry for a packet that begins at the next even offset after the file's end.
fn with_packet(bytes: &[u8], packet: &str) -> Option<Vec<u8>> {
    if !bytes.starts_with(b"II*\0") {
        return None;
    }
    let u16_at = |at: usize| Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
    let start = u32::from_le_bytes(bytes.get(4..8)?.try_into().ok()?) as usize;
    let count = usize::from(u16_at(start)?);
    let first = start + 2;
    let entries = bytes.get(first..first + count * ENTRY)?;
    let next = bytes.get(first + count * ENTRY..first + count * ENTRY + 4)?;
    let place = u32::try_from(bytes.len().next_multiple_of(2)).ok()?;
    let end = u64::from(place) + packet.len() as u64 + 2 + (count as u64 + 2) * ENTRY as u64;
    u32::try_from(end).ok()?;

    let mut mine = Vec::with_capacity(ENTRY);
    mine.extend(XMP.to_le_bytes());
    mine.extend(BYTE.to_le_bytes());
    mine.extend((packet.len() as u32).to_le_bytes());
    mine.extend(place.to_le_bytes());
    // Entries are sorted by tag.
    let tag = |entry: &[u8]| u16::from_le_bytes([entry[0], entry[1]]);
    let mut all: Vec<&[u8]> = entries.chunks_exact(ENTRY).collect();
    if all.iter().any(|entry| tag(entry) == XMP) {
        return None;
    }
    all.push(&mine);
    all.sort_by_key(|entry| tag(entry));
    let mut directory = ((count + 1) as u16).to_le_bytes().to_vec();
    all.iter().for_each(|entry| directory.extend(*entry));
    directory.extend(next);
    Some(directory)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{ImageFormat, Rgba};

    #[test]
    fn the_picture_stays_and_the_packet_is_found() {
        let picture = image::ImageBuffer::from_fn(5, 3, |x, y| Rgba([x as u16, y as u16, 7, 9]));
        let mut bytes = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut bytes, ImageFormat::Tiff).unwrap();
        let (plain, packet) = (bytes.into_inner(), super::super::xmp());
        let marked = insert(plain.clone(), &packet);
        assert_ne!(marked, plain);
        let read = image::load_from_memory(&marked).unwrap().into_rgba16();
        assert_eq!(read, picture);
        let found = marked.windows(packet.len()).any(|w| w == packet.as_bytes());
        assert!(found);
        // A second packet is not added.
        assert_eq!(insert(marked.clone(), &packet), marked);
        assert_eq!(insert(b"II*\0\xFF\0\0\0".to_vec(), &packet).len(), 8);
    }
}

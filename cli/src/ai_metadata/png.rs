//! XMP in PNG: an `iTXt` chunk (XMP specification part 3, section 1.1.5).

/// The signature and the chunk `IHDR`, which is always the first.
const HEAD: usize = 8 + 12 + 13;

/// Inserts the packet before the pixels. Bytes that are no PNG are returned as they are.
pub fn insert(bytes: Vec<u8>, packet: &str) -> Vec<u8> {
    if !bytes.starts_with(b"\x89PNG\r\n\x1a\n") || bytes.len() < HEAD {
        return bytes;
    }
    // Keyword, NUL, not compressed, no method, no language, no translated keyword.
    let mut chunk = b"iTXtXML:com.adobe.xmp\0\0\0\0\0".to_vec();
    chunk.extend(packet.as_bytes());
    let length = (chunk.len() - 4) as u32;
    let (head, rest) = bytes.split_at(HEAD);
    let mut marked = Vec::with_capacity(bytes.len() + chunk.len() + 8);
    marked.extend(head);
    marked.extend(length.to_be_bytes());
    marked.extend(&chunk);
    marked.extend(crc(&chunk).to_be_bytes());
    marked.extend(rest);
    marked
}

/// CRC-32 of PNG (annex D of its specification), bit by bit: a packet has less than 1 KiB.
fn crc(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| match crc & 1 {
            1 => 0xEDB8_8320 ^ (crc >> 1),
            _ => crc >> 1,
        })
    };
    !bytes.iter().fold(u32::MAX, step)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{ImageFormat, RgbImage};

    #[test]
    fn the_picture_stays_and_the_packet_is_found() {
        let picture = RgbImage::from_fn(5, 3, |x, y| image::Rgb([x as u8, y as u8, 7]));
        let mut bytes = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
        let packet = super::super::xmp();
        let marked = insert(bytes.into_inner(), &packet);
        let read = image::load_from_memory(&marked).unwrap().into_rgb8();
        assert_eq!(read, picture);
        let found = marked.windows(packet.len()).any(|w| w == packet.as_bytes());
        assert!(found);
        assert_eq!(insert(b"GIF".to_vec(), &packet), b"GIF");
    }

    #[test]
    fn the_checksum_is_that_of_png() {
        // The chunk IEND of every PNG.
        assert_eq!(crc(b"IEND"), 0xAE42_6082);
    }
}

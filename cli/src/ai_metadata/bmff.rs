//! XMP in MP4 and QuickTime files: a `uuid` box (XMP specification part 3, section 1.2.7).

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

/// The user type of the box.
const XMP: [u8; 16] = [
    0xBE, 0x7A, 0xCF, 0xCB, 0x97, 0xA9, 0x42, 0xE8, 0x9C, 0x71, 0x99, 0x94, 0x91, 0xE3, 0xAF, 0xAC,
];

/// The box of a packet.
fn boxed(packet: &str) -> Vec<u8> {
    let size = 8 + XMP.len() + packet.len();
    let mut bytes = Vec::with_capacity(size);
    bytes.extend(u32::try_from(size).unwrap_or(u32::MAX).to_be_bytes());
    bytes.extend(b"uuid");
    bytes.extend(XMP);
    bytes.extend(packet.as_bytes());
    bytes
}

/// Appends the box: at the end it moves nothing that offsets in the file point to.
pub fn append(path: &Path, packet: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new().append(true).open(path)?;
    file.write_all(&boxed(packet))
}

/// Whether the file ends with the box of this packet.
pub fn ends_with(path: &Path, packet: &str) -> std::io::Result<bool> {
    let wanted = boxed(packet);
    let mut file = File::open(path)?;
    if file.metadata()?.len() < wanted.len() as u64 {
        return Ok(false);
    }
    file.seek(SeekFrom::End(-(wanted.len() as i64)))?;
    let mut found = vec![0; wanted.len()];
    file.read_exact(&mut found)?;
    Ok(found == wanted)
}

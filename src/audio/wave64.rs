//! RF64 and Wave64, the forms of WAV for more than 4 GiB, which symphonia does not read: a WAV header is put
//! before their samples.

use std::fs::File;
use std::io::{Cursor, Read, Result, Seek, SeekFrom};

use symphonia::core::io::{MediaSource, ReadOnlySource};

/// Chunk names of Wave64 end with one of these; the first is that of "riff".
const RIFF: [u8; 12] = *b"\x2E\x91\xCF\x11\xA5\xD6\x28\xDB\x04\xC1\x00\x00";
const OTHERS: [u8; 12] = *b"\xF3\xAC\xD3\x11\x8C\xD1\x00\xC0\x4F\x8E\xDB\x8A";
/// Of a format chunk; a real one has 40 bytes.
const LARGEST_FORMAT: u64 = 4096;
/// Chunks before the samples.
const MOST_CHUNKS: usize = 1024;
/// A WAV's length that stands for "to the end of the file".
const UNKNOWN: u32 = u32::MAX;

/// The source that symphonia is to read: the file, or what stands for it.
pub(super) fn source(mut file: File) -> Result<Box<dyn MediaSource>> {
    file.rewind()?;
    let found = match Form::of(&mut file)? {
        Some(form) => form.find(&mut file),
        None => None,
    };
    let Some(Samples {
        format,
        start,
        length,
    }) = found
    else {
        file.rewind()?;
        return Ok(Box::new(file));
    };
    file.seek(SeekFrom::Start(start))?;
    let header = header(&format, u32::try_from(length).unwrap_or(UNKNOWN));
    let samples = Cursor::new(header).chain(file.take(length));
    Ok(Box::new(ReadOnlySource::new(samples)))
}

fn header(format: &[u8], length: u32) -> Vec<u8> {
    let mut header = b"RIFF\xFF\xFF\xFF\xFFWAVEfmt ".to_vec();
    header.extend((format.len() as u32).to_le_bytes());
    header.extend(format);
    header.extend(b"data");
    header.extend(length.to_le_bytes());
    header
}

struct Samples {
    format: Vec<u8>,
    start: u64,
    length: u64,
}

#[derive(Clone, Copy)]
enum Form {
    Rf64,
    Wave64,
}

impl Form {
    /// What a file is; its position is then behind the file's own header.
    fn of(file: &mut File) -> Result<Option<Self>> {
        let mut head = Vec::new();
        Read::take(&mut *file, 40).read_to_end(&mut head)?;
        if head.len() < 40 {
            return Ok(None);
        }
        let named = matches!(&head[..4], b"RF64" | b"BW64") && &head[8..12] == b"WAVE";
        let long = head.starts_with(b"riff") && head[4..16] == RIFF && head[24..28] == *b"wave";
        let form = match (named, long) {
            (true, _) => (Self::Rf64, 12),
            (_, true) => (Self::Wave64, 40),
            _ => return Ok(None),
        };
        file.seek(SeekFrom::Start(form.1))?;
        Ok(Some(form.0))
    }

    /// Name, length and padded length of the chunk that begins here.
    fn chunk(self, file: &mut File) -> Option<([u8; 4], u64, u64)> {
        let mut head = [0; 24];
        let used = match self {
            Self::Rf64 => 8,
            Self::Wave64 => 24,
        };
        file.read_exact(&mut head[..used]).ok()?;
        let name = head[..4].try_into().ok()?;
        match self {
            Self::Rf64 => {
                let length = u64::from(u32::from_le_bytes(head[4..8].try_into().ok()?));
                Some((name, length, length + length % 2))
            }
            Self::Wave64 => {
                let whole = u64::from_le_bytes(head[16..24].try_into().ok()?);
                let length = whole.checked_sub(24)?;
                let known = head[4..16] == OTHERS;
                let name = if known { name } else { [0; 4] };
                Some((name, length, length.checked_next_multiple_of(8)?))
            }
        }
    }

    /// `None` where the file is damaged: symphonia's message is then the user's.
    fn find(self, file: &mut File) -> Option<Samples> {
        let (mut format, mut stated) = (None, None);
        for _ in 0..MOST_CHUNKS {
            let (name, length, padded) = self.chunk(file)?;
            let at = file.stream_position().ok()?;
            match &name {
                b"ds64" if length >= 16 => {
                    let mut lengths = [0; 16];
                    file.read_exact(&mut lengths).ok()?;
                    stated = Some(u64::from_le_bytes(lengths[8..].try_into().ok()?));
                }
                b"fmt " if length <= LARGEST_FORMAT => {
                    let mut bytes = vec![0; length as usize];
                    file.read_exact(&mut bytes).ok()?;
                    format = Some(bytes);
                }
                b"data" => {
                    let whole = length == u64::from(UNKNOWN) && matches!(self, Self::Rf64);
                    return Some(Samples {
                        format: format?,
                        start: at,
                        length: if whole { stated? } else { length },
                    });
                }
                _ => {}
            }
            file.seek(SeekFrom::Start(at.checked_add(padded)?)).ok()?;
        }
        None
    }
}

//! The provenance of what a clip rendered.

use std::ffi::c_char;

use super::clip::sls_clip;
use super::failure::Failure;
use super::handle::on;
use super::status::sls_status;
use super::text;

/// Describes what a clip's frames are rendered from, and which of them were changed, as a JSON object
/// for a report or for the program that signs the result (`stylelipsync sign`). The library signs nothing.
///
/// The object has these fields, in this order: `format` ("stylelipsync.provenance") and `version` (1);
/// `software` (`name`, `version`); `action` ("c2pa.edited"); `digital_source_type` (a term of the IPTC);
/// `bundle` (`name`, `version`, `sha256` of its weights); `person` (null, or `sha256` of the file and
/// `tensors_sha256`); `audio` (null, or `sha256`, which is null here, and `samples_sha256` of the mono
/// samples at 16 kHz, null for a stream); `frames` (`changed`: ranges of frame indices, both ends
/// included; `changed_count`; `exact`: false if more than 1000 ranges were joined); `watermark` (null, or
/// 16 hexadecimal digits). Later versions of the library may add fields.
///
/// A frame counts as changed if it was rendered successfully and a pixel may differ from its source. The
/// frames are those since the clip was created or sls_clip_reset(). The order of calls and the number of
/// threads do not change the text.
///
/// @param clip      not NULL.
/// @param buffer    NULL to ask for the size; else receives NUL-terminated UTF-8.
/// @param capacity  size of buffer in bytes.
/// @param size      not NULL; receives the size of the text in bytes, including its NUL.
///
/// @return SLS_OK, SLS_ERROR_NULL; SLS_ERROR_ARGUMENT if buffer is not NULL and capacity is too small.
/// On failure nothing is written.
///
/// Threads: any; concurrent. Blocks: while an exclusive call runs; it reads all of the audio. Allocates:
/// nothing that lasts.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_provenance(
    clip: *const sls_clip,
    buffer: *mut c_char,
    capacity: usize,
    size: *mut usize,
) -> sls_status {
    // SAFETY: the header requires a live clip, a buffer of that capacity and a writable pointer.
    unsafe {
        on(clip, |clip| {
            let size = size.as_mut().ok_or(Failure::Null("size"))?;
            let json = clip.clip.read().provenance().to_json()?;
            if !buffer.is_null() && capacity <= json.len() {
                return Err(Failure::argument(
                    "capacity",
                    format!("{capacity} bytes, but {} are needed", json.len() + 1),
                ));
            }
            *size = text::copy_out(&json, buffer, capacity);
            Ok(())
        })
    }
}

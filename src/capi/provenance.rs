//! The provenance of what a clip rendered.

use std::ffi::c_char;

use super::clip::sls_clip;
use super::failure::Failure;
use super::handle::on;
use super::status::sls_status;
use super::text;
use crate::provenance::Consent;

/// Sets the consent of the person who is shown, from a JSON file with these fields: `who`, `when` (the first
/// day, such as "2026-05-03"), `scope`, `expires` (the last day; optional), and `document_sha256` (64
/// hexadecimal digits, of the document that the person signed). The fields are repeated in the provenance,
/// and are checked if sls_clip_options.require_consent is 1. They prove nothing by themselves: the document
/// does.
///
/// @param clip  not NULL.
/// @param path  UTF-8; NULL removes the consent.
///
/// @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ARGUMENT, SLS_ERROR_READ; SLS_ERROR_CONSENT if the file has
/// other fields or wrong values. On failure the previous consent stays. Expired consent is not an error here.
///
/// Threads: any; exclusive. Blocks: while it reads the file. Allocates: the fields, held by the clip.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_load_consent(
    clip: *mut sls_clip,
    path: *const c_char,
) -> sls_status {
    // SAFETY: the header requires a live clip, and NULL or a string.
    unsafe {
        on(clip, |clip| {
            let consent = match path.is_null() {
                true => None,
                false => Some(Consent::load(text::read(path, "path")?)?),
            };
            clip.clip.write().set_consent(consent);
            Ok(())
        })
    }
}

/// Describes what a clip's frames are rendered from, and which of them were changed, as a JSON object
/// for a report or for the program that signs the result (`stylelipsync sign`). The library signs nothing.
///
/// The object has these fields, in this order: `format` ("stylelipsync.provenance") and `version` (1);
/// `software` (`name`, `version`); `action` ("c2pa.edited"); `digital_source_type` (a term of the IPTC);
/// `bundle` (`name`, `version`, `sha256` of its weights); `person` (null, or `sha256` of the file and
/// `tensors_sha256`); `audio` (null, or `sha256`, which is null here, and `samples_sha256` of the mono
/// samples at 16 kHz, null for a stream); `frames` (`changed`: ranges of frame indices, both ends
/// included; `changed_count`; `exact`: false if more than 1000 ranges were joined); `consent`, if
/// sls_clip_load_consent() set one (that of the person file is in `person`); `watermark` (null, or 16
/// hexadecimal digits). Later versions of the library may add fields.
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

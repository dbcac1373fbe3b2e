//! A person: the result of an adaptation, used by clips for rendering.

use std::ffi::c_char;

use super::boundary::Health;
use super::clip::sls_clip;
use super::engine::sls_engine;
use super::failure::Failure;
use super::handle::{self, Handle, on};
use super::status::sls_status;
use super::text;
use crate::model::Person;

/// The decoder weights of one person: the result of an adaptation, or a loaded person file. It is
/// immutable and may be used by several threads.
pub struct sls_person {
    pub(super) person: Person,
    health: Health,
}

impl Handle for sls_person {
    const NAME: &'static str = "person";

    fn health(&self) -> &Health {
        &self.health
    }
}

pub(super) fn new_person(person: Person) -> Box<sls_person> {
    Box::new(sls_person {
        person,
        health: Health::default(),
    })
}

/// Loads a person file.
///
/// @param engine  not NULL; it must use the bundle that the person was made from.
/// @param path    not NULL; UTF-8.
/// @param person  not NULL; receives the person. The caller owns it and destroys it with
///                sls_person_destroy().
///
/// @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ARGUMENT, SLS_ERROR_READ; SLS_ERROR_PERSON if the file
/// is not a person file, is damaged, or was made from another bundle. On failure *person is not
/// written.
///
/// Threads: any; concurrent. Blocks: while it reads the file. Allocates: the person.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_person_load(
    engine: *const sls_engine,
    path: *const c_char,
    person: *mut *mut sls_person,
) -> sls_status {
    // SAFETY: the header requires a live engine, a string and a writable pointer.
    unsafe {
        on(engine, |engine| {
            if person.is_null() {
                return Err(Failure::Null("person"));
            }
            let path = text::read(path, "path")?;
            let read = Person::load(path, engine.engine.bundle())?;
            person.write(Box::into_raw(new_person(read)));
            Ok(())
        })
    }
}

/// Saves a person to a file. If it fails, no partial file is left behind.
///
/// @param person  not NULL.
/// @param path    not NULL; UTF-8; an existing file is replaced.
///
/// @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ARGUMENT, SLS_ERROR_WRITE.
///
/// Threads: any; concurrent. Blocks: while it writes the file.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_person_save(
    person: *const sls_person,
    path: *const c_char,
) -> sls_status {
    // SAFETY: the header requires a live person and a string.
    unsafe {
        on(person, |person| {
            Ok(person.person.save(text::read(path, "path")?)?)
        })
    }
}

/// Destroys a person. Clips that use it keep what they need.
///
/// @param person  may be NULL. No other call may be using it.
///
/// Threads: any. Blocks: no.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_person_destroy(person: *mut sls_person) {
    // SAFETY: the header requires a live person that nobody uses.
    unsafe { handle::destroy(person) }
}

/// Sets the person that a clip is rendered with. Clips of one engine may use different persons;
/// clips with the same person share its network.
///
/// @param clip    not NULL.
/// @param person  NULL: the bundle's own decoder. The person may be destroyed after the call.
///
/// @return SLS_OK, SLS_ERROR_NULL; SLS_ERROR_STATE if the person was made from another bundle than
/// the clip's; SLS_ERROR_NETWORK. On failure the clip keeps its previous person.
///
/// Threads: any; exclusive. Blocks: while a network is built, if no other clip of the engine uses
/// this person. Allocates: that network, shared by the clips that use the person.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_set_person(
    clip: *mut sls_clip,
    person: *const sls_person,
) -> sls_status {
    // SAFETY: the header requires a live clip, and NULL or a live person.
    unsafe {
        on(clip, |clip| {
            let person = person.as_ref().map(|person| &person.person);
            Ok(clip.clip.write().set_person(person)?)
        })
    }
}

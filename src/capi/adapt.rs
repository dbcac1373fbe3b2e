//! Adaptation: a job that trains a person's decoder.

use std::ffi::{c_char, c_void};
use std::ops::ControlFlow;

use parking_lot::RwLock;

use super::adapt_options::{
    adapt_options, c_progress, defaults, sls_adapt_callback, sls_adapt_options,
};
use super::boundary::Health;
use super::clip::sls_clip;
use super::failure::Failure;
use super::frame::{self, sls_frame};
use super::handle::{self, Handle, on};
use super::person::{new_person, sls_person};
use super::sized;
use super::status::sls_status;
use crate::Canceller;
use crate::adapt::Adaptation;

/// An adaptation job: trains a person's own decoder on a clip in which they speak.
///
/// Any thread may use it. While sls_adapt_run() works, sls_adapt_add_frame() waits for it;
/// sls_adapt_cancel() does not.
pub struct sls_adapt {
    job: RwLock<Adaptation>,
    canceller: Canceller,
    health: Health,
}

impl Handle for sls_adapt {
    const NAME: &'static str = "adapt";

    fn health(&self) -> &Health {
        &self.health
    }

    fn canceller(&self) -> Option<&Canceller> {
        Some(&self.canceller)
    }
}

/// Creates an adaptation job from a clip of a person speaking (section 4 of the StyleLipSync
/// paper). The clip's audio must be set with sls_clip_set_audio() or sls_clip_load_audio(), and its
/// frames must be analysed. Then pass the frames that sls_adapt_wants() asks for to
/// sls_adapt_add_frame(), and call sls_adapt_run().
///
/// @param clip     not NULL.
/// @param options  NULL for the defaults.
/// @param adapt    not NULL; receives the job. The caller owns it and destroys it with
///                 sls_adapt_destroy().
///
/// @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI; SLS_ERROR_ARGUMENT if an option is out of range,
/// or the clip is shorter than two seconds or shows two people; SLS_ERROR_NO_AUDIO,
/// SLS_ERROR_NO_FACE; SLS_ERROR_STATE if audio was pushed; SLS_ERROR_BUNDLE if the bundle does not
/// support adaptation; SLS_ERROR_NETWORK, SLS_ERROR_CANCELLED. On failure *adapt is not written.
///
/// Threads: any; concurrent on the clip. Blocks: while networks run. Allocates: the job.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_adapt_create(
    clip: *const sls_clip,
    options: *const sls_adapt_options,
    adapt: *mut *mut sls_adapt,
) -> sls_status {
    // SAFETY: the header requires a live clip, and options as described.
    unsafe {
        on(clip, |clip| {
            if adapt.is_null() {
                return Err(Failure::Null("adapt"));
            }
            let options = if options.is_null() {
                defaults()
            } else {
                sized::read(options, "options")?
            };
            let job = Adaptation::new(&clip.clip.read(), adapt_options(&options)?)?;
            let handle = Box::new(sls_adapt {
                job: RwLock::new(job),
                canceller: Canceller::new(),
                health: Health::default(),
            });
            adapt.write(Box::into_raw(handle));
            Ok(())
        })
    }
}

/// Destroys an adaptation job.
///
/// @param adapt  may be NULL. No other call may be using it.
///
/// Threads: any. Blocks: no.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_adapt_destroy(adapt: *mut sls_adapt) {
    // SAFETY: the header requires a live job that nobody uses.
    unsafe { handle::destroy(adapt) }
}

/// Tells whether a frame is used for training and was not added yet.
///
/// @param adapt  not NULL.
/// @param index  index of the frame.
/// @param wants  not NULL; receives 1 if the frame is needed, else 0.
///
/// @return SLS_OK, SLS_ERROR_NULL.
///
/// Threads: any; concurrent. Blocks: while sls_adapt_add_frame() runs. Allocates: nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_adapt_wants(
    adapt: *const sls_adapt,
    index: i64,
    wants: *mut i32,
) -> sls_status {
    // SAFETY: the header requires a live job and a writable pointer.
    unsafe {
        on(adapt, |adapt| {
            let wants = wants.as_mut().ok_or(Failure::Null("wants"))?;
            *wants = i32::from(adapt.job.read().wants(index));
            Ok(())
        })
    }
}

/// Adds a frame to the training set. Frames that are not needed are ignored; see sls_adapt_wants().
///
/// @param adapt  not NULL.
/// @param clip   not NULL; the clip that the job was created from.
/// @param index  index of the frame.
/// @param frame  not NULL.
///
/// @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI, SLS_ERROR_FRAME, SLS_ERROR_STATE,
/// SLS_ERROR_NETWORK, SLS_ERROR_CANCELLED.
///
/// Threads: any; exclusive on the job, concurrent on the clip. Blocks: while networks run.
/// Allocates: about 0.2 MB per frame, held by the job.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_adapt_add_frame(
    adapt: *mut sls_adapt,
    clip: *const sls_clip,
    index: i64,
    frame: *const sls_frame,
) -> sls_status {
    // SAFETY: the header requires a live job, a live clip and a frame as described.
    unsafe {
        on(adapt, |adapt| {
            let clip = clip.as_ref().ok_or(Failure::Null("clip"))?;
            let frame = frame::read(frame, "frame")?;
            let clip = clip.clip.read();
            Ok(adapt.job.write().add(&clip, index, &frame)?)
        })
    }
}

/// Runs the training until a limit of sls_adapt_options is reached. If that is the step limit, the
/// same clip, options and machine give the same person, also if the run was interrupted and resumed
/// from its checkpoint. The time limit and the plateau restart with each run.
///
/// @param adapt     not NULL.
/// @param callback  may be NULL; see sls_adapt_callback.
/// @param user      passed to the callback unchanged; may be NULL.
/// @param person    not NULL; receives the person. The caller owns it and destroys it with
///                  sls_person_destroy().
///
/// @return SLS_OK, SLS_ERROR_NULL; SLS_ERROR_STATE if frames are missing; SLS_ERROR_CANCELLED;
/// SLS_ERROR_PERSON if the checkpoint belongs to another adaptation; SLS_ERROR_READ or
/// SLS_ERROR_WRITE for the checkpoint; SLS_ERROR_BUNDLE, SLS_ERROR_NETWORK. On failure *person is
/// not written.
///
/// Threads: any. Blocks: for minutes. Allocates: the person, and working memory during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_adapt_run(
    adapt: *mut sls_adapt,
    callback: sls_adapt_callback,
    user: *mut c_void,
    person: *mut *mut sls_person,
) -> sls_status {
    // SAFETY: the header requires a live job, a callback for this call and a writable pointer.
    unsafe {
        on(adapt, |adapt| {
            if person.is_null() {
                return Err(Failure::Null("person"));
            }
            let made = adapt.job.read().run(|progress| {
                let told = c_progress(progress);
                match callback.is_some_and(|callback| callback(user, &told) != 0) {
                    true => ControlFlow::Break(()),
                    false => ControlFlow::Continue(()),
                }
            })?;
            person.write(Box::into_raw(new_person(made)));
            Ok(())
        })
    }
}

/// Cancels the calls that other threads are making on a job: they return SLS_ERROR_CANCELLED. A
/// running network stops between two of its operators. The checkpoint of a cancelled run contains
/// every completed step. Calls that begin later are not affected.
///
/// @param adapt  not NULL.
///
/// @return SLS_OK, SLS_ERROR_NULL.
///
/// Threads: any; concurrent with every call. Blocks: no.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_adapt_cancel(adapt: *mut sls_adapt) -> sls_status {
    // SAFETY: the header requires a live job.
    unsafe {
        on(adapt, |adapt| {
            adapt.canceller.cancel();
            Ok(())
        })
    }
}

/// Copies the error message of the last call on this job, on any thread, that did not return
/// SLS_OK.
///
/// @param adapt     may be NULL: the message is then empty.
/// @param buffer    may be NULL; receives NUL-terminated UTF-8, truncated if it does not fit.
/// @param capacity  size of buffer in bytes.
///
/// @return the size of the whole message in bytes, including its NUL.
///
/// Threads: any; concurrent with every call. Blocks: no.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_adapt_last_error(
    adapt: *const sls_adapt,
    buffer: *mut c_char,
    capacity: usize,
) -> usize {
    // SAFETY: the header requires a live job and a buffer of that capacity.
    unsafe { handle::last_error(adapt, buffer, capacity) }
}

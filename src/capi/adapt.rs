//! Adaptation: a job, and the person that comes out of it.

use std::ffi::{c_char, c_void};
use std::ops::ControlFlow;
use std::time::Duration;

use bytemuck::Zeroable;
use parking_lot::RwLock;

use super::boundary::{Health, boundary};
use super::clip::sls_clip;
use super::engine::sls_engine;
use super::frame::{self, sls_frame};
use super::handle::{self, Handle, on};
use super::sized::{self, SizedStruct};
use super::status::{Failure, sls_status};
use super::text;
use crate::Canceller;
use crate::adapt::{AdaptOptions, Adaptation, Person, Progress, Weights};

/// A person being learnt from a clip of them.
///
/// Any thread may use it at any time. While sls_adapt_run() works, frames wait;
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

/// A person: what sls_clip_set_person() takes. It never changes; any thread may use it.
pub struct sls_person {
    person: Person,
    health: Health,
}

impl Handle for sls_person {
    const NAME: &'static str = "person";

    fn health(&self) -> &Health {
        &self.health
    }
}

/// How a person is learnt. Initialise it by sls_adapt_options_init(), then change what you need.
#[repr(C)]
#[derive(Clone, Copy, Zeroable)]
pub struct sls_adapt_options {
    /// sizeof(sls_adapt_options).
    pub struct_size: u32,
    /// 1: stop when frames that are not learnt from get no better; 0 by default.
    pub plateau: i32,
    /// The most steps, 1 to 1000000; 300 by default.
    pub steps: u64,
    /// What the order of frames and foreign words goes by; 0 by default.
    pub seed: u64,
    /// The longest time in seconds; 0, the default: as long as the steps take.
    pub seconds: f64,
    /// Adam's rate, above 0 to 0.1; 1e-4 by default.
    pub rate: f32,
    /// Weight of the picture; 10 by default.
    pub picture_weight: f32,
    /// Weight of the lips' fit to the person's own words; 1 by default.
    pub sync_weight: f32,
    /// Weight of the lips' fit to foreign words; 1 by default. With 0 the person's few sentences
    /// are learnt by heart, and other words fit worse.
    pub regulariser_weight: f32,
    /// The most frames held in memory, some 0.2 MB each, at least 5; 600 by default.
    pub frames: u32,
    /// 0.
    pub reserved0: i32,
    /// UTF-8; a file that notes how far the work is, and that it is taken up from where it exists.
    /// NULL, the default: none.
    pub checkpoint: *const c_char,
    /// UTF-8, kept in the person file: who agreed to this, and how. NULL, the default: nothing.
    pub consent: *const c_char,
    /// 0.
    pub reserved: [u64; 6],
}

// SAFETY: size first, numbers and pointers, reserved last.
unsafe impl SizedStruct for sls_adapt_options {
    const NAME: &'static str = "sls_adapt_options";

    fn reserved_is_zero(&self) -> bool {
        self.reserved0 == 0 && self.reserved == [0; 6]
    }
}

/// How far the work is, after a step.
#[repr(C)]
#[derive(Clone, Copy, Zeroable)]
pub struct sls_adapt_progress {
    /// sizeof(sls_adapt_progress).
    pub struct_size: u32,
    /// Whether frames are held out: 1 or 0. Short clips hold none out.
    pub holds_out: i32,
    /// Steps taken, those before a resumption included.
    pub step: u64,
    /// The most there may be.
    pub steps: u64,
    /// Loss of the picture in this step, before its weight.
    pub picture: f32,
    /// 1 less the cosine of lips and own words.
    pub sync: f32,
    /// 1 less the cosine of lips and foreign words.
    pub regulariser: f32,
    /// Weighted loss of the frames that are held out, before the first step of this run.
    pub held_out_first: f32,
    /// The same when it was last looked at.
    pub held_out_now: f32,
    /// 0.
    pub reserved0: i32,
    pub steps_per_second: f64,
    /// Until the last step or the end of the time.
    pub seconds_left: f64,
    /// 0.
    pub reserved: [u64; 4],
}

// SAFETY: size first, numbers, reserved last.
unsafe impl SizedStruct for sls_adapt_progress {
    const NAME: &'static str = "sls_adapt_progress";

    fn reserved_is_zero(&self) -> bool {
        self.reserved0 == 0 && self.reserved == [0; 4]
    }
}

/// Is told of each step.
///
/// @param user      what was given to sls_adapt_run().
/// @param progress  valid during the call only.
///
/// @return 0 to go on, anything else to stop.
///
/// It is called on the thread that called sls_adapt_run(), and must not throw.
pub type sls_adapt_callback =
    Option<unsafe extern "C" fn(user: *mut c_void, progress: *const sls_adapt_progress) -> i32>;

/// The library's defaults, as C sees them.
fn defaults() -> sls_adapt_options {
    let library = AdaptOptions::default();
    sls_adapt_options {
        steps: library.steps,
        seed: library.seed,
        rate: library.rate,
        picture_weight: library.weights.picture,
        sync_weight: library.weights.sync,
        regulariser_weight: library.weights.regulariser,
        frames: u32::try_from(library.frames).unwrap_or(u32::MAX),
        ..Zeroable::zeroed()
    }
}

/// Fills the options with their defaults.
///
/// @param options      not NULL.
/// @param struct_size  sizeof(sls_adapt_options).
///
/// @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI.
///
/// Any thread; does not block.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_adapt_options_init(
    options: *mut sls_adapt_options,
    struct_size: usize,
) -> sls_status {
    // SAFETY: the header demands a struct of that size.
    boundary(|| unsafe { sized::init(options, struct_size, "options", defaults()) })
}

/// Plans the learning of a person from a clip of them speaking, whose audio is set and whose frames
/// are analysed. Then hand over the frames that it wants, and run it.
///
/// @param clip     not NULL.
/// @param options  NULL for the defaults; read during the call only.
/// @param adapt    not NULL; receives the job, which is yours: sls_adapt_destroy().
///
/// @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI; SLS_ERROR_ARGUMENT for an option out of its range,
/// a clip shorter than two seconds or of two people; SLS_ERROR_NO_AUDIO, SLS_ERROR_NO_FACE,
/// SLS_ERROR_STATE when the audio was pushed; SLS_ERROR_BUNDLE for a bundle that cannot be adapted;
/// SLS_ERROR_NETWORK. On failure *adapt is not written.
///
/// Any thread; blocks while networks run.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_adapt_create(
    clip: *const sls_clip,
    options: *const sls_adapt_options,
    adapt: *mut *mut sls_adapt,
) -> sls_status {
    // SAFETY: the header demands a live clip, and options as described.
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

/// # Safety
/// The strings are NULL or end in a NUL.
unsafe fn adapt_options(options: &sls_adapt_options) -> Result<AdaptOptions, Failure> {
    let plateau = match options.plateau {
        0 => false,
        1 => true,
        other => {
            let reason = format!("{other} is neither 0 nor 1");
            return Err(Failure::argument("options.plateau", reason));
        }
    };
    let time = match options.seconds {
        0.0 => None,
        seconds => Some(Duration::try_from_secs_f64(seconds).map_err(|_| {
            Failure::argument("options.seconds", format!("{seconds} is no length of time"))
        })?),
    };
    let text = |pointer: *const c_char, field| match pointer.is_null() {
        true => Ok(None),
        // SAFETY: as promised by the caller.
        false => unsafe { text::read(pointer, field) }.map(Some),
    };
    Ok(AdaptOptions {
        steps: options.steps,
        time,
        plateau,
        rate: options.rate,
        seed: options.seed,
        weights: Weights {
            picture: options.picture_weight,
            sync: options.sync_weight,
            regulariser: options.regulariser_weight,
        },
        frames: options.frames as usize,
        checkpoint: text(options.checkpoint, "options.checkpoint")?.map(Into::into),
        consent: text(options.consent, "options.consent")?
            .unwrap_or_default()
            .into(),
    })
}

/// Destroys a job.
///
/// @param adapt  may be NULL; no other call may be using it.
///
/// Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_adapt_destroy(adapt: *mut sls_adapt) {
    // SAFETY: the header demands a live job that nobody uses.
    unsafe { handle::destroy(adapt) }
}

/// Tells whether a frame is one of those that are learnt from and was not handed over yet.
///
/// @param adapt  not NULL.
/// @param index  of the frame.
/// @param wants  not NULL; receives 1 or 0.
///
/// @return SLS_OK, SLS_ERROR_NULL.
///
/// Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_adapt_wants(
    adapt: *const sls_adapt,
    index: i64,
    wants: *mut i32,
) -> sls_status {
    // SAFETY: the header demands a live job and a writable pointer.
    unsafe {
        on(adapt, |adapt| {
            let wants = wants.as_mut().ok_or(Failure::Null("wants"))?;
            *wants = i32::from(adapt.job.read().wants(index));
            Ok(())
        })
    }
}

/// Hands over a frame; one that is not wanted is not looked at.
///
/// @param adapt  not NULL.
/// @param clip   not NULL; the clip that the job was made from.
/// @param index  of the frame.
/// @param frame  not NULL; read during the call only.
///
/// @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI, SLS_ERROR_FRAME, SLS_ERROR_STATE,
/// SLS_ERROR_NETWORK.
///
/// Any thread; blocks while networks run.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_adapt_add_frame(
    adapt: *mut sls_adapt,
    clip: *const sls_clip,
    index: i64,
    frame: *const sls_frame,
) -> sls_status {
    // SAFETY: the header demands a live job, a live clip and a frame as described.
    unsafe {
        on(adapt, |adapt| {
            let clip = clip.as_ref().ok_or(Failure::Null("clip"))?;
            let frame = frame::read(frame, "frame")?;
            let clip = clip.clip.read();
            Ok(adapt.job.write().add(&clip, index, &frame)?)
        })
    }
}

/// Learns, until the steps, the time or the callback end it. The same clip, options and machine
/// give the same person, interrupted and taken up again or not, where the steps end it; a time or a
/// plateau begins anew with each run.
///
/// @param adapt     not NULL.
/// @param callback  may be NULL: see sls_adapt_callback.
/// @param user      handed to the callback as it is; may be NULL.
/// @param person    not NULL; receives the person, which is yours: sls_person_destroy().
///
/// @return SLS_OK, SLS_ERROR_NULL; SLS_ERROR_STATE when frames are missing; SLS_ERROR_CANCELLED;
/// SLS_ERROR_PERSON when the checkpoint belongs to other work; SLS_ERROR_READ, SLS_ERROR_WRITE of
/// the checkpoint; SLS_ERROR_BUNDLE, SLS_ERROR_NETWORK. On failure *person is not written.
///
/// Any thread; blocks for minutes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_adapt_run(
    adapt: *mut sls_adapt,
    callback: sls_adapt_callback,
    user: *mut c_void,
    person: *mut *mut sls_person,
) -> sls_status {
    // SAFETY: the header demands a live job, a callback for this call and a writable pointer.
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

fn c_progress(progress: &Progress) -> sls_adapt_progress {
    let [picture, sync, regulariser] = progress.terms;
    let [first, now] = progress.held_out.unwrap_or_default();
    sls_adapt_progress {
        struct_size: size_of::<sls_adapt_progress>() as u32,
        holds_out: i32::from(progress.held_out.is_some()),
        step: progress.step,
        steps: progress.steps,
        picture,
        sync,
        regulariser,
        held_out_first: first,
        held_out_now: now,
        steps_per_second: progress.steps_per_second,
        seconds_left: progress.left.as_secs_f64(),
        ..Zeroable::zeroed()
    }
}

/// Ends the calls that are under way on a job with SLS_ERROR_CANCELLED, as soon as ONNX Runtime is
/// between two nodes of a network; a run's checkpoint holds every whole step. Calls that begin later
/// are not touched.
///
/// @param adapt  not NULL.
///
/// @return SLS_OK, SLS_ERROR_NULL.
///
/// Any thread; does not block.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_adapt_cancel(adapt: *mut sls_adapt) -> sls_status {
    // SAFETY: the header demands a live job.
    unsafe {
        on(adapt, |adapt| {
            adapt.canceller.cancel();
            Ok(())
        })
    }
}

/// Copies the sentence that explains the job's last call, on any thread, that returned something
/// else than SLS_OK.
///
/// @param adapt     may be NULL: the sentence is empty then.
/// @param buffer    receives UTF-8 ended by a NUL, cut where it does not fit; may be NULL.
/// @param capacity  bytes at buffer.
///
/// @return the bytes that the whole sentence needs, its NUL included.
///
/// Any thread; does not block.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_adapt_last_error(
    adapt: *const sls_adapt,
    buffer: *mut c_char,
    capacity: usize,
) -> usize {
    // SAFETY: the header demands a live job and a buffer of that capacity.
    unsafe { handle::last_error(adapt, buffer, capacity) }
}

fn new_person(person: Person) -> Box<sls_person> {
    Box::new(sls_person {
        person,
        health: Health::default(),
    })
}

/// Reads a person file.
///
/// @param engine  not NULL; with the bundle that the person was made from.
/// @param path    not NULL, UTF-8.
/// @param person  not NULL; receives the person, which is yours: sls_person_destroy().
///
/// @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_READ; SLS_ERROR_PERSON when it is no person file, is
/// damaged, or was made from another bundle. On failure *person is not written.
///
/// Any thread; reads a file.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_person_load(
    engine: *const sls_engine,
    path: *const c_char,
    person: *mut *mut sls_person,
) -> sls_status {
    // SAFETY: the header demands a live engine, a string and a writable pointer.
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

/// Writes a person file, whole or not at all.
///
/// @param person  not NULL.
/// @param path    not NULL, UTF-8; a file there is replaced.
///
/// @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_WRITE.
///
/// Any thread; writes a file.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_person_save(
    person: *const sls_person,
    path: *const c_char,
) -> sls_status {
    // SAFETY: the header demands a live person and a string.
    unsafe {
        on(person, |person| {
            Ok(person.person.save(text::read(path, "path")?)?)
        })
    }
}

/// Destroys a person; clips that it was set for keep what they need.
///
/// @param person  may be NULL; no other call may be using it.
///
/// Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_person_destroy(person: *mut sls_person) {
    // SAFETY: the header demands a live person that nobody uses.
    unsafe { handle::destroy(person) }
}

/// Renders a clip as a person. Clips of one engine may have different persons; those with the same
/// one share its networks.
///
/// @param clip    not NULL.
/// @param person  NULL: the bundle's own network again. It may be destroyed afterwards.
///
/// @return SLS_OK, SLS_ERROR_NULL; SLS_ERROR_STATE when the person was made from another bundle than
/// the clip's; SLS_ERROR_NETWORK. On failure the clip keeps the one it had.
///
/// Any thread; builds a network where no clip of the engine has this person.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_clip_set_person(
    clip: *mut sls_clip,
    person: *const sls_person,
) -> sls_status {
    // SAFETY: the header demands a live clip, and NULL or a live person.
    unsafe {
        on(clip, |clip| {
            let person = person.as_ref().map(|person| &person.person);
            Ok(clip.clip.write().set_person(person)?)
        })
    }
}

//! Options and progress of an adaptation.

use std::ffi::{c_char, c_void};
use std::time::Duration;

use bytemuck::Zeroable;

use super::boundary::boundary;
use super::failure::Failure;
use super::sized::{self, SizedStruct, switch};
use super::status::sls_status;
use super::text;
use crate::adapt::{AdaptOptions, Progress, Weights};
use crate::provenance::Consent;

/// Options of an adaptation. Initialise them with sls_adapt_options_init(), then set fields.
#[repr(C)]
#[derive(Clone, Copy, Zeroable)]
pub struct sls_adapt_options {
    /// sizeof(sls_adapt_options).
    pub struct_size: u32,
    /// 1: stop when the loss on held-out frames no longer improves; default 0.
    pub plateau: i32,
    /// Maximum number of training steps, 1 to 1000000; default 300.
    pub steps: u64,
    /// Seed of the random order of frames and of unpaired speech; default 0.
    pub seed: u64,
    /// Maximum time in seconds; default 0: no limit.
    pub seconds: f64,
    /// Learning rate of the Adam optimiser, above 0 and at most 0.1; default 1e-4.
    pub rate: f32,
    /// Weight of the picture (reconstruction) loss, 0 to 1e6; default 10.
    pub picture_weight: f32,
    /// Weight of the sync loss, which compares the rendered lips with the person's own speech,
    /// 0 to 1e6; default 1.
    pub sync_weight: f32,
    /// Weight of the sync regulariser, 0 to 1e6; default 1. It compares lips rendered from unpaired
    /// speech (speech that is not in the clip) with that speech. With 0 the decoder overfits to the
    /// clip, and its lips match other speech less well.
    pub regulariser_weight: f32,
    /// Maximum number of training frames held in memory, about 0.2 MB each; at least 5, default
    /// 600.
    pub frames: u32,
    /// Must be 0.
    pub reserved0: i32,
    /// Path of a checkpoint file, UTF-8. Progress is saved to it, and if it exists, the adaptation
    /// resumes from it. Default NULL: no checkpoint.
    pub checkpoint: *const c_char,
    /// UTF-8 text stored in the person file: who consented to the adaptation, and how. Default
    /// NULL: none.
    pub consent: *const c_char,
    /// Path of a consent file, UTF-8; see sls_clip_load_consent(). Its fields are stored in the person file,
    /// and are checked when a clip with sls_clip_options.require_consent is rendered with it. Default NULL:
    /// none.
    pub consent_file: *const c_char,
    /// Must be 0.
    pub reserved: [u64; 5],
}

// SAFETY: size first, numbers and pointers, reserved last.
unsafe impl SizedStruct for sls_adapt_options {
    const NAME: &'static str = "sls_adapt_options";

    fn reserved_is_zero(&self) -> bool {
        self.reserved0 == 0 && self.reserved == [0; 5]
    }
}

/// Progress of an adaptation after a training step.
#[repr(C)]
#[derive(Clone, Copy, Zeroable)]
pub struct sls_adapt_progress {
    /// sizeof(sls_adapt_progress).
    pub struct_size: u32,
    /// 1 if some frames are held out of training to measure progress; 0 if the clip is too short
    /// for that.
    pub holds_out: i32,
    /// Steps done, including those before a resumed checkpoint.
    pub step: u64,
    /// Maximum number of steps.
    pub steps: u64,
    /// Picture loss of this step, before weighting.
    pub picture: f32,
    /// Sync loss of this step, before weighting: 1 - cosine similarity of the rendered lips and the
    /// person's own speech.
    pub sync: f32,
    /// Sync regulariser of this step, before weighting: 1 - cosine similarity of lips rendered from
    /// unpaired speech and that speech.
    pub regulariser: f32,
    /// Weighted loss on the held-out frames before the first step of this run.
    pub held_out_first: f32,
    /// Weighted loss on the held-out frames at their last evaluation.
    pub held_out_now: f32,
    /// 0.
    pub reserved0: i32,
    /// Training steps per second.
    pub steps_per_second: f64,
    /// Estimated seconds until the step limit or the time limit is reached.
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

/// Receives the progress of an adaptation after each step.
///
/// @param user      the pointer that was passed to sls_adapt_run().
/// @param progress  valid only during the call.
///
/// @return 0 to continue. Any other value cancels the run: the checkpoint, if any, is saved, and
/// sls_adapt_run() returns SLS_ERROR_CANCELLED.
///
/// It is called on the thread that called sls_adapt_run(). It must not throw exceptions.
pub type sls_adapt_callback =
    Option<unsafe extern "C" fn(user: *mut c_void, progress: *const sls_adapt_progress) -> i32>;

/// The library's defaults as a C struct.
pub(super) fn defaults() -> sls_adapt_options {
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

/// Initialises adaptation options with the default values.
///
/// @param options      not NULL.
/// @param struct_size  sizeof(sls_adapt_options).
///
/// @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI.
///
/// Threads: any. Blocks: no. Allocates: nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sls_adapt_options_init(
    options: *mut sls_adapt_options,
    struct_size: usize,
) -> sls_status {
    // SAFETY: the header requires a struct of that size.
    boundary(|| unsafe { sized::init(options, struct_size, "options", defaults()) })
}

/// # Safety
/// The strings are NULL or NUL-terminated.
pub(super) unsafe fn adapt_options(options: &sls_adapt_options) -> Result<AdaptOptions, Failure> {
    let plateau = switch(options.plateau, "options.plateau")?;
    let time = match options.seconds {
        0.0 => None,
        seconds => Some(Duration::try_from_secs_f64(seconds).map_err(|_| {
            Failure::argument(
                "options.seconds",
                format!("{seconds} is not a valid duration"),
            )
        })?),
    };
    let text = |pointer: *const c_char, field| match pointer.is_null() {
        true => Ok(None),
        // SAFETY: guaranteed by the caller.
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
        consent_record: text(options.consent_file, "options.consent_file")?
            .map(Consent::load)
            .transpose()?,
    })
}

pub(super) fn c_progress(progress: &Progress) -> sls_adapt_progress {
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

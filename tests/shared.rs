//! One engine, several clips, many threads at everything that may be called at once: each frame has
//! the bytes that it has when nobody else is there.
//!
//! Also to be run under ThreadSanitizer, which sees what no comparison of bytes does (nightly, with
//! the rust-src component):
//!
//!     TSAN_OPTIONS=ignore_noninstrumented_modules=1 RUSTFLAGS=-Zsanitizer=thread \
//!         cargo +nightly test -Zbuild-std --target x86_64-unknown-linux-gnu --test shared

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod clip_support;

use std::ffi::{c_char, c_void};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use clip_support::{Picture, head, words};
use stylelipsync::capi::analysis::*;
use stylelipsync::capi::audio::*;
use stylelipsync::capi::clip::*;
use stylelipsync::capi::engine::*;
use stylelipsync::capi::frame::*;
use stylelipsync::capi::log::*;
use stylelipsync::capi::render::*;
use stylelipsync::capi::status::*;
use stylelipsync::capi::stream::*;
use stylelipsync::capi::version::SLS_ABI_VERSION;
use stylelipsync::model::locate::Component;
use stylelipsync_provision::provision;

const FRAMES: usize = 4;
const THREADS: u64 = 5;
const CALLS: usize = 24;
const RATE: u32 = 16_000;

/// A handle that threads share, as the header allows.
struct Shared<T>(*mut T);

// SAFETY: the header: any thread may use a handle at any time.
unsafe impl<T> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Shared<T> {}

fn ok(status: sls_status) {
    assert!(status == SLS_OK, "{status}");
}

fn new_engine() -> Shared<sls_engine> {
    provision(Component::OnnxRuntime).unwrap();
    let mut engine = ptr::null_mut();
    // SAFETY: zeros are a value of the options; the pointers lead to them.
    unsafe {
        let mut options = std::mem::zeroed::<sls_engine_options>();
        ok(sls_engine_options_init(
            &mut options,
            size_of::<sls_engine_options>(),
        ));
        (options.provider, options.threads) = (SLS_PROVIDER_CPU, 1);
        ok(sls_engine_create(SLS_ABI_VERSION, &options, &mut engine));
    }
    Shared(engine)
}

fn new_clip(engine: &Shared<sls_engine>, reference: &Picture) -> Shared<sls_clip> {
    let mut clip = ptr::null_mut();
    // SAFETY: a live engine; NULL is the default options.
    unsafe {
        ok(sls_clip_create(engine.0, ptr::null(), &mut clip));
        ok(sls_clip_set_reference(clip, &described(reference)));
    }
    Shared(clip)
}

/// A frame that is only read, or whose pixels this thread alone has.
fn described(picture: &Picture) -> sls_frame {
    // SAFETY: zeros are a value of it.
    let mut frame = unsafe { std::mem::zeroed::<sls_frame>() };
    // SAFETY: it leads to the frame.
    ok(unsafe { sls_frame_init(&mut frame, size_of::<sls_frame>()) });
    frame.format = SLS_FORMAT_RGBA8;
    (frame.width, frame.height) = (picture.width as i32, picture.height as i32);
    frame.stride = 4 * i64::from(frame.width);
    frame.data = picture.bytes.as_ptr().cast_mut().cast();
    frame
}

fn set_audio(clip: &Shared<sls_clip>, audio: &[f32]) -> sls_status {
    // SAFETY: a live clip, and as many samples as are said.
    unsafe { sls_clip_set_audio(clip.0, audio.as_ptr(), audio.len() as u64, RATE, 1) }
}

fn analyze(clip: &Shared<sls_clip>, frames: &[Picture], index: usize) -> sls_status {
    let frame = described(&frames[index]);
    // SAFETY: a live clip, a frame as described.
    unsafe { sls_clip_analyze(clip.0, index as i64, &frame, ptr::null_mut()) }
}

fn render(clip: &Shared<sls_clip>, frames: &[Picture], index: usize) -> (sls_status, Picture) {
    let mut picture = frames[index].target();
    let (source, mut target) = (described(&frames[index]), described(&picture));
    target.data = picture.bytes.as_mut_ptr().cast();
    // SAFETY: a live clip, frames as described; nobody else has the target.
    let status = unsafe {
        sls_clip_render(
            clip.0,
            index as i64,
            &source,
            &target,
            ptr::null(),
            ptr::null_mut(),
        )
    };
    (status, picture)
}

/// A stream of its own on the shared engine.
fn stream(engine: &Shared<sls_engine>, frames: &[Picture], audio: &[f32]) -> Vec<Picture> {
    let clip = new_clip(engine, &frames[0]);
    let mut shown = Vec::new();
    // SAFETY: a live clip that only this thread has, memory as described.
    unsafe {
        ok(sls_clip_push_audio(
            clip.0,
            audio.as_ptr(),
            audio.len() as u64,
            RATE,
            1,
        ));
        ok(sls_clip_finish_audio(clip.0));
        for frame in frames {
            ok(sls_clip_push_frame(
                clip.0,
                &described(frame),
                ptr::null_mut(),
            ));
        }
        ok(sls_clip_flush(clip.0));
        loop {
            let mut picture = frames[0].target();
            let mut target = described(&picture);
            target.data = picture.bytes.as_mut_ptr().cast();
            match sls_clip_pull_frame(clip.0, &target, ptr::null(), ptr::null_mut()) {
                SLS_OK => shown.push(picture),
                status => break assert_eq!(status, SLS_END),
            }
        }
        sls_clip_destroy(clip.0);
    }
    shown
}

/// Numbers that are the same in every run.
fn numbers(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    move |limit| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % limit as u64) as usize
    }
}

static LOGGED: AtomicUsize = AtomicUsize::new(0);

unsafe extern "C" fn count(_: *mut c_void, _: i32, _: *const c_char) {
    LOGGED.fetch_add(1, Ordering::Relaxed);
}

#[test]
fn an_engine_is_shared_by_clips_and_threads() {
    let frames = head(FRAMES);
    let audio = [words(1.0, RATE), words(1.3, RATE)[4_000..].to_vec()];
    let engine = new_engine();
    let clips: [Shared<sls_clip>; 2] = std::array::from_fn(|_| new_clip(&engine, &frames[0]));
    let mut expected: Vec<Vec<Picture>> = Vec::new();
    for (clip, audio) in clips.iter().zip(&audio) {
        ok(set_audio(clip, audio));
        (0..FRAMES).for_each(|index| ok(analyze(clip, &frames, index)));
        let shown = (0..FRAMES).map(|index| {
            let (status, picture) = render(clip, &frames, index);
            ok(status);
            picture
        });
        expected.push(shown.collect());
    }
    assert!(
        expected[0] != expected[1],
        "other words are another picture"
    );
    let streamed = stream(&engine, &frames, &audio[0]);
    // What is cancelled again and again, and given its audio anew.
    let nagged = new_clip(&engine, &frames[0]);
    ok(set_audio(&nagged, &audio[1]));
    let (done, cancelled) = (AtomicBool::new(false), AtomicUsize::new(0));

    std::thread::scope(|scope| {
        let (engine, clips, frames, audio) = (&engine, &clips, &frames, &audio);
        let (expected, streamed, nagged) = (&expected, &streamed, &nagged);
        let (done, cancelled) = (&done, &cancelled);
        let work = move |seed: u64| {
            let mut below = numbers(seed);
            for _ in 0..CALLS {
                let (which, index) = (below(2), below(FRAMES));
                match below(8) {
                    0..=2 => {
                        let (status, picture) = render(&clips[which], frames, index);
                        ok(status);
                        assert!(picture == expected[which][index], "clip {which}, {index}");
                    }
                    // What is known already is seen again.
                    3 => ok(analyze(&clips[which], frames, index)),
                    4 => assert!(stream(engine, frames, &audio[0]) == *streamed),
                    5 => match analyze(nagged, frames, index) {
                        SLS_OK => {}
                        status => assert_eq!(status, SLS_ERROR_CANCELLED),
                    },
                    6 => match render(nagged, frames, index) {
                        (SLS_OK, _) => {}
                        (status, _) => {
                            assert_eq!(status, SLS_ERROR_CANCELLED);
                            cancelled.fetch_add(1, Ordering::Relaxed);
                        }
                    },
                    _ => match set_audio(nagged, &audio[which]) {
                        SLS_OK => {}
                        status => assert_eq!(status, SLS_ERROR_CANCELLED),
                    },
                }
            }
        };
        let workers: Vec<_> = (1..=THREADS)
            .map(|seed| scope.spawn(move || work(seed)))
            .collect();
        scope.spawn(move || {
            let mut sentence = [0; 64];
            for turn in 0.. {
                if done.load(Ordering::Acquire) {
                    break;
                }
                std::thread::sleep(std::time::Duration::from_millis(4));
                let logged = (turn % 2 == 0).then_some(count as unsafe extern "C" fn(_, _, _));
                // SAFETY: live handles, memory as said.
                unsafe {
                    ok(sls_clip_cancel(nagged.0));
                    ok(sls_set_log_callback(logged, ptr::null_mut(), SLS_LOG_DEBUG));
                    sls_clip_last_error(nagged.0, sentence.as_mut_ptr(), sentence.len());
                    sls_engine_last_error(engine.0, sentence.as_mut_ptr(), sentence.len());
                    let mut bytes = 0;
                    ok(sls_clip_memory(clips[0].0, &mut bytes));
                    assert!(bytes > 0);
                }
            }
        });
        let ended: Vec<_> = workers.into_iter().map(|worker| worker.join()).collect();
        done.store(true, Ordering::Release);
        ended.into_iter().for_each(|ended| ended.unwrap());
    });
    assert!(cancelled.load(Ordering::Relaxed) > 0);

    // SAFETY: nobody uses them any more; clips outlive their engine.
    unsafe {
        sls_engine_destroy(engine.0);
        ok(render(&clips[0], &frames, 0).0);
        for clip in clips.into_iter().chain([nagged]) {
            sls_clip_destroy(clip.0);
        }
        ok(sls_set_log_callback(None, ptr::null_mut(), SLS_LOG_ERROR));
    }
}

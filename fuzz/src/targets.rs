//! What is fuzzed: functions of bytes that must neither crash nor break a promise, whatever the
//! bytes are. libFuzzer calls them (`cargo fuzz run stream`), and `tests/fuzzed.rs` with the kept
//! corpus.

use std::ffi::{CStr, c_void};
use std::io::Write;
use std::ptr;
use std::sync::{Arc, OnceLock};

use sha2::{Digest, Sha256};
use stylelipsync::adapt::Person;
use stylelipsync::audio::decode_below;
use stylelipsync::capi::analysis::*;
use stylelipsync::capi::audio::*;
use stylelipsync::capi::clip::*;
use stylelipsync::capi::clip_options::*;
use stylelipsync::capi::engine::*;
use stylelipsync::capi::frame::*;
use stylelipsync::capi::last_error::sls_last_error;
use stylelipsync::capi::render::*;
use stylelipsync::capi::render_result::*;
use stylelipsync::capi::status::*;
use stylelipsync::capi::stream::*;
use stylelipsync::capi::version::SLS_ABI_VERSION;
use stylelipsync::model::Bundle;
use stylelipsync::model::Provider;
use stylelipsync::{Clip, ClipOptions, Engine, EngineOptions, Error};

/// A file of these bytes, for what reads files. It is closed: Windows lets no open file be replaced.
fn file(data: &[u8], ending: &str) -> tempfile::TempPath {
    let mut file = tempfile::Builder::new().suffix(ending).tempfile().unwrap();
    file.write_all(data).unwrap();
    file.into_temp_path()
}

/// A bundle's manifest, beside a file that it may name and one outside the folder that it may not.
pub fn manifest(data: &[u8]) {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("bundle");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(place.path().join("outside"), "secret").unwrap();
    std::fs::write(
        folder.join("weights.safetensors"),
        [8, 0, 0, 0, 0, 0, 0, 0, b'{', b'}'],
    )
    .unwrap();
    std::fs::write(folder.join("manifest.json"), data).unwrap();
    let Err(error) = Bundle::open(&folder) else {
        panic!("a bundle without networks")
    };
    assert!(
        matches!(error, Error::Bundle { .. } | Error::Read { .. }),
        "{error}"
    );
    assert!(!error.to_string().contains("secret"), "{error}");
}

/// A person file.
pub fn person(data: &[u8]) {
    static BUNDLE: OnceLock<Bundle> = OnceLock::new();
    let bundle = BUNDLE.get_or_init(|| Bundle::embedded().unwrap());
    if let Err(error) = Person::load(file(data, ".safetensors"), bundle) {
        assert!(matches!(error, Error::Person { .. }), "{error}");
    }
}

/// The first line of an analysis file.
const ANALYSIS: &[u8] = b"StyleLipSync analysis\n";

/// The content of an analysis file behind the bundle's name: format, bundle and hash are those of a file that this
/// library would read.
pub fn analysis(data: &[u8]) {
    static ENGINE: OnceLock<Arc<Engine>> = OnceLock::new();
    static FORMAT: OnceLock<u32> = OnceLock::new();
    let engine = ENGINE.get_or_init(|| {
        let options = EngineOptions {
            provider: Provider::Cpu,
            threads: 1,
            ..EngineOptions::default()
        };
        Engine::new(&options).unwrap()
    });
    let new_clip = || Clip::new(engine.clone(), ClipOptions::default()).unwrap();
    let format = FORMAT.get_or_init(|| {
        let other = [ANALYSIS, &u32::MAX.to_le_bytes()].concat();
        let refused = new_clip().load_analysis(file(&other, ".slsa"));
        let reason = refused.unwrap_err().to_string();
        reason.rsplit(' ').next().unwrap().parse().unwrap()
    });
    let mut content = Vec::new();
    for text in [engine.bundle().identity(), "fuzzed"] {
        content.push(u8::try_from(text.len()).unwrap());
        content.extend(text.bytes());
    }
    content.extend(data);
    let hash = Sha256::digest(&content);
    let whole = [ANALYSIS, &format.to_le_bytes(), &hash[..], &content].concat();
    let mut clip = new_clip();
    match clip.load_analysis(file(&whole, ".slsa")) {
        Ok(()) => {
            let again = file(&[], ".slsa");
            clip.save_analysis(&again).unwrap();
            new_clip().load_analysis(&again).unwrap();
        }
        Err(Error::Analysis { reason, .. }) => {
            assert!(!reason.contains("networks"), "{reason}");
            assert!(!reason.contains("reads"), "{reason}");
        }
        Err(error) => panic!("{error}"),
    }
}

/// An audio file: the first byte chooses how its name ends.
pub fn audio(data: &[u8]) {
    const ENDINGS: [&str; 10] = [
        ".wav", ".aiff", ".mp3", ".m4a", ".mp4", ".flac", ".ogg", "", ".webm", ".caf",
    ];
    const MOST: u64 = 16_000 * 20;
    let Some((first, data)) = data.split_first() else {
        return;
    };
    let file = file(data, ENDINGS[usize::from(*first) % ENDINGS.len()]);
    match decode_below(&file, Some(MOST)) {
        Ok(sound) => {
            assert!(!sound.samples.is_empty() && sound.samples.iter().all(|s| s.is_finite()));
            assert!(sound.samples.len() as u64 * 16_000 <= (MOST + 1) * u64::from(sound.rate));
        }
        Err(Error::Audio(_) | Error::NoAudio(_) | Error::Memory(_)) => {}
        Err(error) => panic!("{error}"),
    }
}

/// An engine on one thread, made once.
fn engine() -> *const sls_engine {
    struct Shared(*const sls_engine);
    // SAFETY: any thread may use an engine at any time.
    unsafe impl Send for Shared {}
    // SAFETY: as above.
    unsafe impl Sync for Shared {}
    static ENGINE: OnceLock<Shared> = OnceLock::new();
    let made = ENGINE.get_or_init(|| {
        let mut engine = ptr::null_mut();
        // SAFETY: the options are initialised, and the pointers lead to them.
        unsafe {
            let mut options = std::mem::zeroed::<sls_engine_options>();
            ok(sls_engine_options_init(
                &mut options,
                size_of::<sls_engine_options>(),
            ));
            options.provider = SLS_PROVIDER_CPU;
            options.threads = 1;
            ok(sls_engine_create(SLS_ABI_VERSION, &options, &mut engine));
        }
        Shared(engine)
    });
    made.0
}

/// The sentence of the last failure on this thread.
fn sentence() -> &'static CStr {
    // SAFETY: never NULL.
    unsafe { CStr::from_ptr(sls_last_error()) }
}

fn ok(status: sls_status) {
    assert!(status == SLS_OK, "{status}: {:?}", sentence());
}

/// A status that a call with honest memory may give, with a sentence where it is an error.
fn expected(status: sls_status) -> sls_status {
    let known = (SLS_ERROR_MEMORY..=SLS_OK).contains(&status);
    let broken = [SLS_ERROR_INTERNAL, SLS_ERROR_POISONED, SLS_ERROR_NETWORK];
    assert!(
        known && !broken.contains(&status),
        "{status}: {:?}",
        sentence()
    );
    assert!(status == SLS_OK || !sentence().is_empty());
    status
}

/// Numbers out of the fuzzer's bytes; zeros when they are used up.
struct Numbers<'a>(&'a [u8]);

impl Numbers<'_> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        let count = N.min(self.0.len());
        out[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        out
    }

    fn byte(&mut self) -> u8 {
        let [byte] = self.bytes();
        byte
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::from(self.byte()) % limit
    }

    /// Small ones, and now and then any.
    fn wide(&mut self) -> i64 {
        match self.byte() {
            255 => i64::from_le_bytes(self.bytes()),
            254 => i64::from(i32::from_le_bytes(self.bytes())),
            small => i64::from(small) - 64,
        }
    }
}

fn clip_of(options: &sls_clip_options) -> Result<*mut sls_clip, sls_status> {
    let mut clip = ptr::null_mut();
    // SAFETY: a live engine, initialised options.
    match unsafe { sls_clip_create(engine(), options, &mut clip) } {
        SLS_OK => Ok(clip),
        status => Err(status),
    }
}

fn clip_options() -> sls_clip_options {
    // SAFETY: zeros are a value of it; the size is stated truly.
    unsafe {
        let mut options = std::mem::zeroed();
        ok(sls_clip_options_init(
            &mut options,
            size_of::<sls_clip_options>(),
        ));
        options
    }
}

/// Fields of a frame's description over memory that is really there.
pub fn frame(data: &[u8]) {
    const ROOM: usize = 1 << 16;
    let mut numbers = Numbers(data);
    let side = |numbers: &mut Numbers<'_>| numbers.wide() as i32;
    // SAFETY: zeros are a value of it.
    let mut frame = unsafe { std::mem::zeroed::<sls_frame>() };
    frame.struct_size = match numbers.byte() {
        0..=200 => size_of::<sls_frame>() as u32,
        _ => numbers.wide() as u32 % (size_of::<sls_frame>() as u32 + 1),
    };
    frame.format = side(&mut numbers).wrapping_add(64);
    frame.width = side(&mut numbers);
    frame.height = side(&mut numbers);
    frame.stride = numbers.wide().saturating_mul(4);
    frame.memory = i32::from(numbers.byte() == 1);
    frame.reserved0 = i32::from(numbers.byte() == 1);
    frame.reserved[2] = u64::from(numbers.byte() == 1);
    // 0 is square; some are out of range.
    frame.pixel_aspect = f64::from(numbers.byte()) / 16.0;
    let mut memory = vec![0x5Au8; 3 * ROOM];

    // What it says of its memory is made true: the rest is refused, or leads nowhere.
    const BYTES: [i128; 7] = [0, 4, 4, 3, 8, 8, 16];
    let pixel = usize::try_from(frame.format)
        .ok()
        .and_then(|format| BYTES.get(format));
    let row = i128::from(frame.width) * pixel.copied().unwrap_or(0);
    let below = i128::from(frame.stride) * (i128::from(frame.height) - 1);
    let outside = row < 0 || row > ROOM as i128 || below.abs() > ROOM as i128;
    let refused = row <= 0 || frame.height < 1 || i128::from(frame.stride).abs() < row;
    if outside && !refused {
        return;
    }
    frame.data = memory[ROOM..].as_mut_ptr().cast();
    let clip = clip_of(&clip_options()).expect("the defaults");
    let silence = [0.0f32; 640];
    // SAFETY: live handles, and memory as described.
    unsafe {
        ok(sls_clip_set_audio(clip, silence.as_ptr(), 640, 16_000, 1));
        let status = expected(sls_clip_render(
            clip,
            0,
            &frame,
            &frame,
            ptr::null(),
            ptr::null_mut(),
        ));
        assert!(status != SLS_OK || !refused);
        expected(sls_clip_analyze(clip, 1, &frame, ptr::null_mut()));
        expected(sls_clip_finish_analysis(clip));
        expected(sls_clip_set_reference(clip, &frame));
        expected(sls_clip_add_reference(clip, &frame));
        assert_eq!(
            expected(sls_clip_push_frame(clip, &frame, ptr::null_mut())),
            status
        );
        sls_clip_destroy(clip);
    }
    assert!(
        memory.iter().all(|byte| *byte == 0x5A),
        "a frame without a face is its source"
    );
}

/// Calls on a stream, in any order.
pub fn stream(data: &[u8]) {
    const WIDTH: i32 = 16;
    let mut numbers = Numbers(data);
    let mut options = clip_options();
    let times: Vec<i64> = (0..40).map(|k| k * 500).collect();
    match numbers.below(4) {
        0 => options.memory_limit = 1 + 64 * numbers.byte() as u64,
        1 => (options.times, options.time_count) = (times.as_ptr(), times.len() as u64),
        2 => (options.rate_num, options.rate_den) = (1 + numbers.below(240) as u32, 1),
        _ => options.audio_offset = numbers.wide(),
    }
    let limit = options.memory_limit;
    let clip = match clip_of(&options) {
        Ok(clip) => clip,
        Err(status) => return assert_eq!(status, SLS_ERROR_ARGUMENT),
    };
    let mut pixels = [0x33u8; 4 * 16 * 8];
    // SAFETY: zeros are values of both; sizes and memory are as described, handles live.
    unsafe {
        let mut frame = std::mem::zeroed::<sls_frame>();
        ok(sls_frame_init(&mut frame, size_of::<sls_frame>()));
        (frame.format, frame.width, frame.height) = (SLS_FORMAT_RGBA8, WIDTH, 8);
        (frame.stride, frame.data) = (4 * i64::from(WIDTH), pixels.as_mut_ptr().cast());
        let mut narrow = frame;
        narrow.width = WIDTH - 1;
        let mut result = std::mem::zeroed::<sls_render_result>();
        ok(sls_render_result_init(
            &mut result,
            size_of::<sls_render_result>(),
        ));
        let samples = [0.25f32; 4096];
        // The frames that the stream has, by their own numbers.
        let (mut first, mut waiting) = (0i64, 0i64);
        while !numbers.is_empty() {
            match numbers.below(16) {
                0..=3 => {
                    let mut index = -1;
                    let frame = if numbers.byte() == 7 { &narrow } else { &frame };
                    let status = match numbers.below(3) {
                        0 => sls_clip_push_frame_at(clip, numbers.wide(), frame, &mut index),
                        _ => sls_clip_push_frame(clip, frame, &mut index),
                    };
                    match expected(status) {
                        SLS_OK => {
                            assert_eq!(index, first + waiting);
                            waiting += 1;
                        }
                        _ => assert_eq!(index, -1),
                    }
                }
                4..=6 => {
                    let status = sls_clip_pull_frame(clip, &frame, ptr::null(), &mut result);
                    if expected(status) == SLS_OK {
                        assert_eq!((result.index, result.changed), (first, 0));
                        (first, waiting) = (first + 1, waiting - 1);
                    }
                    assert!(waiting >= 0 && (status != SLS_END || waiting == 0));
                }
                7 => {
                    let mut made = frame;
                    let user = frame.data;
                    let status = sls_clip_pull_allocated(
                        clip,
                        Some(give),
                        user,
                        &mut made,
                        ptr::null(),
                        ptr::null_mut(),
                    );
                    if expected(status) == SLS_OK {
                        (first, waiting) = (first + 1, waiting - 1);
                    }
                }
                8 | 9 => {
                    let rate = [16_000, 8_000, 48_000, 0][numbers.below(4)];
                    let channels = [1, 2, 0, 65][numbers.below(4)];
                    let count = numbers.below(255) as u64 * 8;
                    expected(sls_clip_push_audio(
                        clip,
                        samples.as_ptr(),
                        count,
                        rate,
                        channels,
                    ));
                }
                10 => _ = expected(sls_clip_finish_audio(clip)),
                11 => _ = expected(sls_clip_cut_audio(clip, numbers.wide())),
                12 => {
                    let count = numbers.below(255) as u64 * 16;
                    expected(sls_clip_set_audio(clip, samples.as_ptr(), count, 16_000, 1));
                }
                13 => ok(sls_clip_flush(clip)),
                14 => match numbers.below(4) {
                    0 => {
                        ok(sls_clip_reset(clip));
                        (first, waiting) = (0, 0);
                    }
                    1 => {
                        let index = numbers.wide();
                        if expected(sls_clip_seek(clip, index)) == SLS_OK {
                            (first, waiting) = (index, 0);
                        }
                    }
                    2 => _ = expected(sls_clip_add_reference(clip, &frame)),
                    _ => ok(sls_clip_clear_reference(clip)),
                },
                _ => {
                    ok(sls_clip_cancel(clip));
                    let index = numbers.wide();
                    expected(sls_clip_render(
                        clip,
                        index,
                        &frame,
                        &frame,
                        ptr::null(),
                        &mut result,
                    ));
                }
            }
            let mut held = 0;
            ok(sls_clip_memory(clip, &mut held));
            assert!(limit == 0 || held <= limit, "{held} of {limit}");
        }
        sls_clip_destroy(clip);
    }
    assert!(
        pixels.iter().all(|byte| *byte == 0x33),
        "nobody is in the picture"
    );
}

unsafe extern "C" fn give(user: *mut c_void, frame: *mut sls_frame) -> i32 {
    // SAFETY: the library hands over a frame of its own; `user` is as large as it says.
    unsafe { (*frame).data = user };
    0
}

/// The target of a name, for those who replay.
#[allow(dead_code, reason = "libFuzzer's programs name theirs")]
pub fn named(name: &str) -> fn(&[u8]) {
    match name {
        "manifest" => manifest,
        "person" => person,
        "analysis" => analysis,
        "audio" => audio,
        "frame" => frame,
        "stream" => stream,
        other => panic!("no target {other}"),
    }
}

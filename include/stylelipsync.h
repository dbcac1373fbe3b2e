/*
 * stylelipsync.h - a face clip and other words in, the same face saying them out.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Generated from src/capi/ by tests/header.rs. C99 and later, C++11 and later.
 *
 * A whole program, without the checks that `ok` stands for (if (status != SLS_OK) ...):
 *
 *     sls_engine *engine = NULL;
 *     ok(sls_engine_create(SLS_ABI_VERSION, NULL, &engine));
 *
 *     sls_clip_options options;
 *     ok(sls_clip_options_init(&options, sizeof options));
 *     options.rate_num = 30000;
 *     options.rate_den = 1001;
 *     sls_clip *clip = NULL;
 *     ok(sls_clip_create(engine, &options, &clip));
 *
 *     sls_frame in, out;
 *     ok(sls_frame_init(&in, sizeof in));
 *     in.format = SLS_FORMAT_RGBA8;
 *     in.width = width;
 *     in.height = height;
 *     in.stride = 4 * (int64_t)width;
 *     out = in;
 *     out.data = result;
 *
 * Random access (editors, render farms): any frame, in any order, on any number of threads.
 *
 *     ok(sls_clip_load_audio(clip, "words.wav"));
 *     for (int64_t t = 0; t < count; t++) {
 *         in.data = pixels[t];
 *         ok(sls_clip_analyze(clip, t, &in, NULL));
 *     }
 *     in.data = pixels[t];
 *     ok(sls_clip_render(clip, t, &in, &out, NULL, NULL));
 *
 * Stream (live): frames and audio in, the same frames out a little later.
 *
 *     while (more) {
 *         ok(sls_clip_push_audio(clip, samples, frames, 48000, 2));
 *         ok(sls_clip_push_frame(clip, &in, NULL));
 *         while ((status = sls_clip_pull_frame(clip, &out, NULL, NULL)) == SLS_OK)
 *             show(result);
 *         if (status != SLS_AGAIN) fail(sls_last_error());
 *     }
 *     ok(sls_clip_flush(clip));
 *     while ((status = sls_clip_pull_frame(clip, &out, NULL, NULL)) == SLS_OK)
 *         show(result);
 *     if (status != SLS_END) fail(sls_last_error());
 *
 *     sls_clip_destroy(clip);
 *     sls_engine_destroy(engine);
 *
 * A clip speaks with one face. For several, one clip each: what is pulled from the first is pushed
 * to the second, with SLS_SELECT_FROM_LEFT or SLS_SELECT_POINT to tell them apart.
 *
 * Rules that hold for every function:
 *
 * - It returns SLS_OK (0) or a negative status. SLS_AGAIN and SLS_END are no errors.
 *   sls_last_error() has the sentence that says what was wrong.
 * - What it returns through a pointer is written with SLS_OK only; a destination's pixels are the
 *   exception, and are worth nothing after a failure.
 * - Pointers that are not said to be allowed to be NULL are checked, and refused with
 *   SLS_ERROR_NULL. A pointer is used during the call only, unless it says otherwise.
 * - Structs begin with struct_size and end with reserved bytes that are 0: fill them by their init
 *   function. Programs built with this header work with later versions of the same ABI.
 * - Constants are int32_t; numbers that stand for nothing are refused.
 * - Strings are UTF-8.
 * - Memory that the library allocates is freed by its destroy functions and no other. A clip's
 *   stream holds a bounded number of frames, and sls_clip_options.memory_limit bounds the bytes.
 *   Where an input asks for more memory than there is, the call returns SLS_ERROR_MEMORY; only what
 *   the machine lacks for small things of its own ends the process.
 * - What blocks on a clip or an adaptation can be ended from another thread: sls_clip_cancel(),
 *   sls_adapt_cancel(). Any such call may then return SLS_ERROR_CANCELLED.
 * - After fork(), handles are of no use in the child: calls return SLS_ERROR_STATE, destroying does
 *   nothing. The child makes an engine of its own; that is safe if no other thread was inside the
 *   library when the process was forked.
 * - Nothing is written to standard output or standard error, no signal handler is installed, and no
 *   environment variable is needed. See sls_set_log_callback().
 */


#ifndef STYLELIPSYNC_H
#define STYLELIPSYNC_H

#include <stddef.h>
#include <stdint.h>

/* On Windows, define SLS_SHARED when the library is linked as a DLL. */
#if defined(_WIN32) && defined(SLS_SHARED)
#define SLS_API __declspec(dllimport)
#else
#define SLS_API
#endif

/**
 * Major version of the library that this header belongs to.
 */
#define SLS_VERSION_MAJOR 0

/**
 * Minor version.
 */
#define SLS_VERSION_MINOR 1

/**
 * Patch version.
 */
#define SLS_VERSION_PATCH 0

/**
 * Number of the binary interface that this header describes. It grows when a program built with an
 * older header would no longer work; sls_engine_create() checks it.
 */
#define SLS_ABI_VERSION 1

/**
 * The call did what it says.
 */
#define SLS_OK 0

/**
 * Not an error: a frame can be pulled only after more frames or more audio are pushed.
 */
#define SLS_AGAIN -1

/**
 * Not an error: the stream was flushed and every frame was pulled.
 */
#define SLS_END -2

/**
 * A pointer that must not be NULL is NULL.
 */
#define SLS_ERROR_NULL -3

/**
 * An argument or a field of an options struct is outside its range.
 */
#define SLS_ERROR_ARGUMENT -4

/**
 * The program was built with a header that this library does not fit: the ABI number, a
 * struct_size, or reserved bytes that are not zero.
 */
#define SLS_ERROR_ABI -5

/**
 * A frame's description cannot be true, or two frames do not fit each other.
 */
#define SLS_ERROR_FRAME -6

/**
 * A file cannot be read.
 */
#define SLS_ERROR_READ -7

/**
 * A file cannot be written.
 */
#define SLS_ERROR_WRITE -8

/**
 * A file is no audio file, is truncated, or its codec is not supported.
 */
#define SLS_ERROR_AUDIO -9

/**
 * There is no audio: none was set, or it holds no sample.
 */
#define SLS_ERROR_NO_AUDIO -10

/**
 * The model bundle is incomplete, was altered, or is of another format.
 */
#define SLS_ERROR_BUNDLE -11

/**
 * ONNX Runtime's shared library is missing or cannot be loaded.
 */
#define SLS_ERROR_RUNTIME -12

/**
 * The provider that was asked for by name cannot be used here.
 */
#define SLS_ERROR_PROVIDER -13

/**
 * A network failed while it ran (out of memory, a device that was lost).
 */
#define SLS_ERROR_NETWORK -14

/**
 * No face was found where one is needed.
 */
#define SLS_ERROR_NO_FACE -15

/**
 * The call does not fit the state that the clip is in, or the handle was made before fork().
 */
#define SLS_ERROR_STATE -16

/**
 * The work was cancelled.
 */
#define SLS_ERROR_CANCELLED -17

/**
 * The handle cannot be used any more, because a call on it returned SLS_ERROR_INTERNAL: destroy it.
 */
#define SLS_ERROR_POISONED -18

/**
 * A person file or a checkpoint of an adaptation is damaged, or belongs to another bundle.
 */
#define SLS_ERROR_PERSON -20

/**
 * There is not enough memory, or sls_clip_options.memory_limit does not allow more.
 */
#define SLS_ERROR_MEMORY -21

/**
 * A fault of this library. The process is safe; the handle is poisoned.
 */
#define SLS_ERROR_INTERNAL -19

/**
 * Something failed.
 */
#define SLS_LOG_ERROR 1

/**
 * Something is not as it should be, and the work goes on.
 */
#define SLS_LOG_WARNING 2

/**
 * What was found and chosen: once for each engine or file.
 */
#define SLS_LOG_INFO 3

/**
 * Details for the developers of this library.
 */
#define SLS_LOG_DEBUG 4

/**
 * 8-bit red, green, blue, alpha.
 */
#define SLS_FORMAT_RGBA8 1

/**
 * 8-bit blue, green, red, alpha.
 */
#define SLS_FORMAT_BGRA8 2

/**
 * 8-bit red, green, blue.
 */
#define SLS_FORMAT_RGB8 3

/**
 * 16-bit red, green, blue, alpha, in the machine's byte order; 65535 is 1.
 */
#define SLS_FORMAT_RGBA16 4

/**
 * IEEE half-precision red, green, blue, alpha.
 */
#define SLS_FORMAT_RGBA_HALF 5

/**
 * 32-bit float red, green, blue, alpha.
 */
#define SLS_FORMAT_RGBA_FLOAT 6

/**
 * The pixels are in the memory of the process.
 */
#define SLS_MEMORY_HOST 0

/**
 * The fastest provider that works here; the refused ones are reported.
 */
#define SLS_PROVIDER_AUTO 0

/**
 * The processor. It always works.
 */
#define SLS_PROVIDER_CPU 1

/**
 * Any vendor's GPU, through ONNX Runtime's WebGPU plug-in.
 */
#define SLS_PROVIDER_WEBGPU 2

/**
 * An NVIDIA GPU; needs a build of ONNX Runtime with CUDA.
 */
#define SLS_PROVIDER_CUDA 3

/**
 * Apple's accelerators.
 */
#define SLS_PROVIDER_COREML 4

/**
 * Direct3D 12; needs a build of ONNX Runtime with DirectML.
 */
#define SLS_PROVIDER_DIRECTML 5

/**
 * The largest face speaks.
 */
#define SLS_SELECT_LARGEST 0

/**
 * The face at, or nearest to, a point of the picture speaks.
 */
#define SLS_SELECT_POINT 1

/**
 * The face of a number speaks: see sls_clip_face().
 */
#define SLS_SELECT_FACE 2

/**
 * The face with so many others to its left in the frame speaks: 0 is the leftmost. It needs no
 * other frame, and does not follow faces that change places.
 */
#define SLS_SELECT_FROM_LEFT 3

/**
 * The numbers are as they are to be displayed, like those of ordinary video; they go through
 * untouched.
 */
#define SLS_TRANSFER_DISPLAY 0

/**
 * IEC 61966-2-1 (sRGB).
 */
#define SLS_TRANSFER_SRGB 1

/**
 * The camera curve of ITU-R BT.709.
 */
#define SLS_TRANSFER_REC709 2

/**
 * Proportional to light; 1 is diffuse white.
 */
#define SLS_TRANSFER_LINEAR 3

/**
 * A person being learnt from a clip of them.
 *
 * Any thread may use it at any time. While sls_adapt_run() works, frames wait;
 * sls_adapt_cancel() does not.
 */
typedef struct sls_adapt sls_adapt;

/**
 * One clip's state: its reference, its audio, what was learned about its frames, its stream.
 *
 * Any thread may use it at any time. sls_clip_render() and sls_clip_analyze() run at once on any
 * number of threads; every other call has the clip for itself and waits for its turn.
 */
typedef struct sls_clip sls_clip;

/**
 * Networks and devices, which do not change from clip to clip. Make one for the process; any
 * number of clips and threads use it at once.
 */
typedef struct sls_engine sls_engine;

/**
 * A person: what sls_clip_set_person() takes. It never changes; any thread may use it.
 */
typedef struct sls_person sls_person;

/**
 * What a function returns: SLS_OK, or a negative number.
 */
typedef int32_t sls_status;

/**
 * Receives a message.
 *
 * @param user     what was given to sls_set_log_callback().
 * @param level    SLS_LOG_ERROR to SLS_LOG_DEBUG.
 * @param message  UTF-8, without a line break at its end; valid during the call only.
 *
 * It is called on whatever thread has something to say, perhaps on several at once. It must not
 * throw, and must not call sls_set_log_callback().
 */
typedef void (*sls_log_callback)(void *user, int32_t level, const char *message);

/**
 * Describes a frame in your memory. The library never keeps a pointer to it after a call returns.
 *
 * Pixels need no alignment. Alpha is never changed, nor taken into account. Infinite samples and
 * those that are not a number are allowed: they are copied as they are, and seen as black.
 */
typedef struct {
    /**
     * sizeof(sls_frame); sls_frame_init() sets it.
     */
    uint32_t struct_size;
    /**
     * One of SLS_FORMAT_.
     */
    int32_t format;
    /**
     * Pixels in a row, 1 to 65536.
     */
    int32_t width;
    /**
     * Rows, 1 to 65536.
     */
    int32_t height;
    /**
     * Bytes from the start of a row to the start of the row below it; negative for pictures that
     * are stored bottom-up. At least a row's bytes in magnitude. Bytes between rows are never
     * touched.
     */
    int64_t stride;
    /**
     * The first pixel of the top row (which is the last row in memory when stride is negative).
     */
    void *data;
    /**
     * SLS_MEMORY_HOST.
     */
    int32_t memory;
    /**
     * 0.
     */
    int32_t reserved0;
    /**
     * 0.
     */
    uint64_t reserved[4];
} sls_frame;

/**
 * How an engine is made. Initialise it by sls_engine_options_init(), then change what you need.
 */
typedef struct {
    /**
     * sizeof(sls_engine_options).
     */
    uint32_t struct_size;
    /**
     * One of SLS_PROVIDER_; SLS_PROVIDER_AUTO by default. A provider that is asked for by name
     * and cannot be used is an error; nothing else is taken in silence.
     */
    int32_t provider;
    /**
     * Threads for one network on the CPU; 0, the default: one for each core.
     */
    int32_t threads;
    /**
     * 0.
     */
    int32_t reserved0;
    /**
     * Folder of a model bundle, UTF-8; NULL, the default: the bundle inside the library.
     */
    const char *bundle;
    /**
     * 0.
     */
    uint64_t reserved[6];
} sls_engine_options;

/**
 * What an engine is. All strings are UTF-8 and live as long as the engine.
 */
typedef struct {
    /**
     * sizeof(sls_info); set it before the call, or use sls_info_init().
     */
    uint32_t struct_size;
    /**
     * The provider that runs all networks: one of SLS_PROVIDER_, never SLS_PROVIDER_AUTO.
     */
    int32_t provider;
    /**
     * Its name: "cpu", "webgpu", "cuda", "coreml" or "directml".
     */
    const char *provider_name;
    /**
     * The device, as ONNX Runtime names it; empty where it does not.
     */
    const char *device;
    /**
     * Name and version of the model bundle.
     */
    const char *bundle;
    /**
     * The ONNX Runtime library in use, and how it was found.
     */
    const char *runtime;
    /**
     * Threads for one network on the CPU.
     */
    int32_t threads;
    /**
     * How many providers were tried before this one and refused (see sls_engine_refused()).
     */
    int32_t refused;
    /**
     * 0.
     */
    uint64_t reserved[4];
} sls_info;

/**
 * How a clip is rendered. Initialise it by sls_clip_options_init(), then change what you need.
 */
typedef struct {
    /**
     * sizeof(sls_clip_options).
     */
    uint32_t struct_size;
    /**
     * Frames a second: rate_num / rate_den, from 1 to 1000 (30000 / 1001, ...); 25 / 1 by default.
     */
    uint32_t rate_num;
    /**
     * See rate_num.
     */
    uint32_t rate_den;
    /**
     * Which face speaks: one of SLS_SELECT_; SLS_SELECT_LARGEST by default.
     */
    int32_t selection;
    /**
     * For SLS_SELECT_POINT: pixels from the left edge.
     */
    float point_x;
    /**
     * For SLS_SELECT_POINT: pixels from the top edge.
     */
    float point_y;
    /**
     * For SLS_SELECT_FACE: the face's number; for SLS_SELECT_FROM_LEFT: how many others lie to its
     * left.
     */
    uint32_t face;
    /**
     * How the numbers of the frames relate to light: one of SLS_TRANSFER_; SLS_TRANSFER_DISPLAY by
     * default.
     */
    int32_t transfer;
    /**
     * How much of the new mouth is shown, 0 to 1; 1 by default.
     */
    float strength;
    /**
     * 0.
     */
    int32_t reserved0;
    /**
     * Where the audio's first sample lies on the clip's clock, in 1/16000 s: positive starts the
     * words later, negative drops their beginning; 0 by default.
     */
    int64_t audio_offset;
    /**
     * For a variable rate: the time of each frame from 0 on, in 1/16000 s, never decreasing; it is
     * copied. NULL, the default: the rate is rate_num / rate_den.
     */
    const int64_t *times;
    /**
     * Frames at times.
     */
    uint64_t time_count;
    /**
     * The most bytes of frames that wait, of audio and of crops that the clip may hold; what would
     * hold more is refused with SLS_ERROR_MEMORY. 0, the default: as many as there are. The
     * networks' own memory is the engine's and does not grow with the clip.
     */
    uint64_t memory_limit;
    /**
     * Moves the rim of what is painted by so many pixels of the 256 that the network sees of the
     * face, -20 to 20: outwards above 0, never beyond what was painted; 0 by default.
     */
    float mask_grow;
    /**
     * How wide the rim is, times the bundle's own, up to 4; 0, the default, reads as 1.
     */
    float mask_feather;
    /**
     * 0.
     */
    uint64_t reserved[4];
} sls_clip_options;

/**
 * A face that was seen in a frame. Set struct_size before the call, or use sls_face_init().
 */
typedef struct {
    /**
     * sizeof(sls_face).
     */
    uint32_t struct_size;
    /**
     * Its number in the clip, for SLS_SELECT_FACE. Clips that analysed the same frames number
     * them alike.
     */
    uint32_t id;
    /**
     * Middle of the face, pixels from the left edge.
     */
    float x;
    /**
     * Middle of the face, pixels from the top edge.
     */
    float y;
    /**
     * Side of the square that is looked at, in pixels.
     */
    float side;
    /**
     * How sure the face is, 0 to 1.
     */
    float confidence;
    /**
     * 0.
     */
    uint64_t reserved[4];
} sls_face;

/**
 * What one frame asks for beyond its pixels. Initialise it by sls_render_options_init().
 */
typedef struct {
    /**
     * sizeof(sls_render_options).
     */
    uint32_t struct_size;
    /**
     * Multiplies the clip's strength, for hosts that animate it, 0 to 1; 1 by default.
     */
    float strength;
    /**
     * Bytes from a row of the matte to the one below; negative for bottom-up.
     */
    int64_t matte_stride;
    /**
     * Receives how much of each pixel was generated, when the call succeeds: one float a pixel, of
     * the frame's size, the top row at this address. 0 is the source's pixel, bit for bit. NULL,
     * the default: not wanted.
     */
    float *matte;
    /**
     * 0.
     */
    uint64_t reserved[4];
} sls_render_options;

/**
 * What was done to a frame. Set struct_size before the call, or use sls_render_result_init().
 */
typedef struct {
    /**
     * sizeof(sls_render_result).
     */
    uint32_t struct_size;
    /**
     * Whether any pixel may differ from the source: 1 or 0. With 0, the destination is the source,
     * bit for bit.
     */
    int32_t changed;
    /**
     * Index of the frame.
     */
    int64_t index;
    /**
     * Number of the face that speaks, in this clip; -1 when no face was found.
     */
    int64_t face;
    /**
     * How sure the face is, 0 to 1.
     */
    float confidence;
    /**
     * The share of the new mouth that was blended in, 0 to 1.
     */
    float strength;
    /**
     * 0.
     */
    uint64_t reserved[4];
} sls_render_result;

/**
 * Gets memory for a frame that is about to be rendered.
 *
 * @param user   what was given to sls_clip_pull_allocated().
 * @param frame  format, width and height are set, and stride to the least: set data, and stride to
 * what it is. Nothing else is read.
 *
 * @return 0; anything else is refused with SLS_ERROR_MEMORY.
 *
 * It is called on the thread of sls_clip_pull_allocated(), at most once. It must not throw, and
 * must not call a function on the same clip.
 */
typedef int32_t (*sls_allocate_callback)(void *user, sls_frame *frame);

/**
 * How a person is learnt. Initialise it by sls_adapt_options_init(), then change what you need.
 */
typedef struct {
    /**
     * sizeof(sls_adapt_options).
     */
    uint32_t struct_size;
    /**
     * 1: stop when frames that are not learnt from get no better; 0 by default.
     */
    int32_t plateau;
    /**
     * The most steps, 1 to 1000000; 300 by default.
     */
    uint64_t steps;
    /**
     * What the order of frames and foreign words goes by; 0 by default.
     */
    uint64_t seed;
    /**
     * The longest time in seconds; 0, the default: as long as the steps take.
     */
    double seconds;
    /**
     * Adam's rate, above 0 to 0.1; 1e-4 by default.
     */
    float rate;
    /**
     * Weight of the picture; 10 by default.
     */
    float picture_weight;
    /**
     * Weight of the lips' fit to the person's own words; 1 by default.
     */
    float sync_weight;
    /**
     * Weight of the lips' fit to foreign words; 1 by default. With 0 the person's few sentences
     * are learnt by heart, and other words fit worse.
     */
    float regulariser_weight;
    /**
     * The most frames held in memory, some 0.2 MB each, at least 5; 600 by default.
     */
    uint32_t frames;
    /**
     * 0.
     */
    int32_t reserved0;
    /**
     * UTF-8; a file that notes how far the work is, and that it is taken up from where it exists.
     * NULL, the default: none.
     */
    const char *checkpoint;
    /**
     * UTF-8, kept in the person file: who agreed to this, and how. NULL, the default: nothing.
     */
    const char *consent;
    /**
     * 0.
     */
    uint64_t reserved[6];
} sls_adapt_options;

/**
 * How far the work is, after a step.
 */
typedef struct {
    /**
     * sizeof(sls_adapt_progress).
     */
    uint32_t struct_size;
    /**
     * Whether frames are held out: 1 or 0. Short clips hold none out.
     */
    int32_t holds_out;
    /**
     * Steps taken, those before a resumption included.
     */
    uint64_t step;
    /**
     * The most there may be.
     */
    uint64_t steps;
    /**
     * Loss of the picture in this step, before its weight.
     */
    float picture;
    /**
     * 1 less the cosine of lips and own words.
     */
    float sync;
    /**
     * 1 less the cosine of lips and foreign words.
     */
    float regulariser;
    /**
     * Weighted loss of the frames that are held out, before the first step of this run.
     */
    float held_out_first;
    /**
     * The same when it was last looked at.
     */
    float held_out_now;
    /**
     * 0.
     */
    int32_t reserved0;
    double steps_per_second;
    /**
     * Until the last step or the end of the time.
     */
    double seconds_left;
    /**
     * 0.
     */
    uint64_t reserved[4];
} sls_adapt_progress;

/**
 * Is told of each step.
 *
 * @param user      what was given to sls_adapt_run().
 * @param progress  valid during the call only.
 *
 * @return 0 to go on, anything else to stop.
 *
 * It is called on the thread that called sls_adapt_run(), and must not throw.
 */
typedef int32_t (*sls_adapt_callback)(void *user, const sls_adapt_progress *progress);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The version of the library at run time, "major.minor.patch".
 *
 * @return a string that lives as long as the library; never NULL.
 *
 * Any thread; does not block.
 */
SLS_API const char *sls_version(void);

/**
 * The number of the binary interface of the library at run time (see SLS_ABI_VERSION).
 *
 * Any thread; does not block.
 */
SLS_API int32_t sls_abi_version(void);

/**
 * What a status means, as a short English phrase.
 *
 * @return a string that lives as long as the library; never NULL, "unknown status" for a number
 * that is none of the SLS_ codes.
 *
 * Any thread; does not block.
 */
SLS_API const char *sls_status_str(int32_t status);

/**
 * The sentence that explains the last call on the calling thread, of any function, that returned
 * something else than SLS_OK; it names the field that is wrong. It is not cleared by success.
 *
 * @return a string that is valid until the next call of this library on the same thread; never
 * NULL, empty when nothing failed yet.
 *
 * Any thread; does not block.
 */
SLS_API const char *sls_last_error(void);

/**
 * Sends the library's messages to `callback`. Until it is called, and after it was called with
 * NULL, the library says nothing; it never writes to standard output or standard error.
 *
 * @param callback   see sls_log_callback; NULL for silence.
 * @param user       handed to the callback as it is; may be NULL. It stays yours.
 * @param max_level  the least important level that is wanted, SLS_LOG_ERROR to SLS_LOG_DEBUG.
 *
 * @return SLS_OK; SLS_ERROR_ARGUMENT for a level that does not exist; SLS_ERROR_STATE from within
 * the callback, or in a Rust program that has a logger of its own.
 *
 * Any thread. One callback for the process. It waits for calls of the previous callback to return:
 * afterwards neither that callback nor its user data is in use.
 */
SLS_API sls_status sls_set_log_callback(sls_log_callback callback, void *user, int32_t max_level);

/**
 * Sets all fields of a frame to 0 but its size.
 *
 * @param frame        not NULL.
 * @param struct_size  sizeof(sls_frame).
 *
 * @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI.
 *
 * Any thread; does not block.
 */
SLS_API sls_status sls_frame_init(sls_frame *frame, size_t struct_size);

/**
 * Fills the options with their defaults.
 *
 * @param options      not NULL.
 * @param struct_size  sizeof(sls_engine_options).
 *
 * @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI.
 *
 * Any thread; does not block.
 */
SLS_API sls_status sls_engine_options_init(sls_engine_options *options, size_t struct_size);

/**
 * Sets all fields of an sls_info to 0 but its size.
 *
 * @param info         not NULL.
 * @param struct_size  sizeof(sls_info).
 *
 * @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI.
 *
 * Any thread; does not block.
 */
SLS_API sls_status sls_info_init(sls_info *info, size_t struct_size);

/**
 * Loads ONNX Runtime and the networks.
 *
 * ONNX Runtime's shared library is looked for at the path in the environment variable
 * STYLELIPSYNC_ORT, beside this library and the program, and in the cache folder that the
 * command-line program fills; nothing is ever fetched from a network. It stays loaded until the
 * process ends.
 *
 * @param abi_version  SLS_ABI_VERSION.
 * @param options      NULL for the defaults; read during the call only.
 * @param engine       not NULL; receives the engine, which is yours: sls_engine_destroy().
 *
 * @return SLS_OK; SLS_ERROR_ABI, SLS_ERROR_NULL, SLS_ERROR_ARGUMENT; SLS_ERROR_RUNTIME when there
 * is no ONNX Runtime; SLS_ERROR_BUNDLE, SLS_ERROR_READ; SLS_ERROR_PROVIDER; SLS_ERROR_NETWORK. On
 * failure *engine is not written, and sls_last_error() tells the reason.
 *
 * Any thread; blocks for up to some seconds.
 */
SLS_API
sls_status sls_engine_create(int32_t abi_version,
                             const sls_engine_options *options,
                             sls_engine **engine);

/**
 * Destroys an engine. Clips made with it live on, and keep its networks loaded.
 *
 * @param engine  may be NULL; no other call may be using it.
 *
 * Any thread.
 */
SLS_API void sls_engine_destroy(sls_engine *engine);

/**
 * Tells what an engine is: the provider really in use, its device, the bundle.
 *
 * @param engine  not NULL.
 * @param info    not NULL, its struct_size set.
 *
 * @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI.
 *
 * Any thread; does not block.
 */
SLS_API sls_status sls_engine_info(const sls_engine *engine, sls_info *info);

/**
 * Tells a provider that was refused, and why.
 *
 * @param engine    not NULL.
 * @param index     0 to the count in sls_info, less one.
 * @param provider  may be NULL; receives one of SLS_PROVIDER_.
 * @param reason    may be NULL; receives a sentence that lives as long as the engine.
 *
 * @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ARGUMENT.
 *
 * Any thread; does not block.
 */
SLS_API
sls_status sls_engine_refused(const sls_engine *engine,
                              int32_t index,
                              int32_t *provider,
                              const char **reason);

/**
 * Copies the sentence that explains the engine's last call, on any thread, that returned something
 * else than SLS_OK.
 *
 * @param engine    may be NULL: the sentence is empty then.
 * @param buffer    receives UTF-8 ended by a NUL, cut where it does not fit; may be NULL.
 * @param capacity  bytes at buffer.
 *
 * @return the bytes that the whole sentence needs, its NUL included.
 *
 * Any thread; does not block.
 */
SLS_API size_t sls_engine_last_error(const sls_engine *engine, char *buffer, size_t capacity);

/**
 * Fills the options with their defaults.
 *
 * @param options      not NULL.
 * @param struct_size  sizeof(sls_clip_options).
 *
 * @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI.
 *
 * Any thread; does not block.
 */
SLS_API sls_status sls_clip_options_init(sls_clip_options *options, size_t struct_size);

/**
 * Makes a clip.
 *
 * @param engine   not NULL. It may be destroyed before the clip.
 * @param options  NULL for the defaults; read during the call only.
 * @param clip     not NULL; receives the clip, which is yours: sls_clip_destroy().
 *
 * @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI, SLS_ERROR_ARGUMENT. On failure *clip is not
 * written, and sls_last_error() tells the reason.
 *
 * Any thread; does not block.
 */
SLS_API
sls_status sls_clip_create(const sls_engine *engine,
                           const sls_clip_options *options,
                           sls_clip **clip);

/**
 * Destroys a clip.
 *
 * @param clip  may be NULL; no other call may be using it.
 *
 * Any thread.
 */
SLS_API void sls_clip_destroy(sls_clip *clip);

/**
 * Ends the calls that are under way on a clip: they return SLS_ERROR_CANCELLED as soon as ONNX
 * Runtime is between two nodes of a network, on the CPU within a few milliseconds. A call that was
 * finished in that moment gives what it gives. Calls that begin later are not touched, and what was
 * cancelled can be called again: nothing was noted, and the stream is where it was.
 *
 * @param clip  not NULL.
 *
 * @return SLS_OK, SLS_ERROR_NULL.
 *
 * Any thread; does not block.
 */
SLS_API sls_status sls_clip_cancel(const sls_clip *clip);

/**
 * Tells what a clip holds: bytes of frames that wait, of audio and of crops. It is what
 * sls_clip_options.memory_limit limits.
 *
 * @param clip   not NULL.
 * @param bytes  not NULL; receives the bytes.
 *
 * @return SLS_OK, SLS_ERROR_NULL.
 *
 * Any number of threads at once; waits for calls that have the clip for themselves.
 */
SLS_API sls_status sls_clip_memory(const sls_clip *clip, uint64_t *bytes);

/**
 * Sets the picture that says who speaks: the largest face in it, best seen from the front and
 * sharp. It holds for all frames, after sls_clip_reset() too.
 *
 * Without it, the best of the first frames with a face is taken.
 *
 * @param clip   not NULL.
 * @param frame  not NULL; read during the call only.
 *
 * @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI, SLS_ERROR_FRAME; SLS_ERROR_NO_FACE, and the
 * reference stays what it was; SLS_ERROR_NETWORK.
 *
 * Any thread; blocks while networks run.
 */
SLS_API sls_status sls_clip_set_reference(sls_clip *clip, const sls_frame *frame);

/**
 * Goes back to a reference that is chosen among the frames.
 *
 * @param clip  not NULL.
 *
 * @return SLS_OK, SLS_ERROR_NULL.
 *
 * Any thread.
 */
SLS_API sls_status sls_clip_clear_reference(sls_clip *clip);

/**
 * Forgets what was analysed, for instance when the clip's pictures changed.
 *
 * @param clip  not NULL.
 *
 * @return SLS_OK, SLS_ERROR_NULL.
 *
 * Any thread.
 */
SLS_API sls_status sls_clip_forget_analysis(sls_clip *clip);

/**
 * Notes the faces of a frame, for random access: a frame is smoothed over the analysed frames
 * within two of it. Analyse the whole clip, or at least the first second and the frames within two
 * of those to be rendered; the order is free. A frame that was analysed is not looked at again:
 * sls_clip_forget_analysis() first.
 *
 * @param clip   not NULL.
 * @param index  of the frame.
 * @param frame  not NULL; read during the call only.
 * @param faces  may be NULL; receives how many faces were seen.
 *
 * @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI, SLS_ERROR_FRAME, SLS_ERROR_NETWORK;
 * SLS_ERROR_STATE with SLS_SELECT_FACE when a later frame was analysed already, since numbers are
 * given in order. On failure nothing was noted.
 *
 * Any number of threads at once; blocks while networks run.
 */
SLS_API
sls_status sls_clip_analyze(sls_clip *clip,
                            int64_t index,
                            const sls_frame *frame,
                            int32_t *faces);

/**
 * Sets all fields of a face to 0 but its size.
 *
 * @param face         not NULL.
 * @param struct_size  sizeof(sls_face).
 *
 * @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI.
 *
 * Any thread; does not block.
 */
SLS_API sls_status sls_face_init(sls_face *face, size_t struct_size);

/**
 * Tells a face that was seen in an analysed frame.
 *
 * @param clip     not NULL.
 * @param index    of the frame.
 * @param ordinal  0 to the count that sls_clip_analyze() gave, less one.
 * @param face     not NULL, its struct_size set.
 *
 * @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI; SLS_ERROR_STATE when the frame was not analysed;
 * SLS_ERROR_ARGUMENT when it has no such face.
 *
 * Any number of threads at once.
 */
SLS_API
sls_status sls_clip_face(const sls_clip *clip,
                         int64_t index,
                         int32_t ordinal,
                         sls_face *face);

/**
 * Copies the sentence that explains the clip's last call, on any thread, that returned something
 * else than SLS_OK.
 *
 * @param clip      may be NULL: the sentence is empty then.
 * @param buffer    receives UTF-8 ended by a NUL, cut where it does not fit; may be NULL.
 * @param capacity  bytes at buffer.
 *
 * @return the bytes that the whole sentence needs, its NUL included.
 *
 * Any thread; does not block.
 */
SLS_API size_t sls_clip_last_error(const sls_clip *clip, char *buffer, size_t capacity);

/**
 * Sets all of the clip's audio. Where the clip is longer there is silence; where it is shorter the
 * rest is not heard. It may be called in the middle of a stream: the frames that are pulled from
 * then on say it.
 *
 * @param clip      not NULL.
 * @param samples   interleaved, nominally -1 to 1, frames * channels of them; copied. Samples that
 *                  are not a number, or infinite, read as silence. NULL only if frames is 0.
 * @param frames    samples of one channel.
 * @param rate      samples of one channel a second, 1000 to 768000.
 * @param channels  1 to 64; mixed to mono (3 to 8: left, right, centre, low effects from 6 on,
 *                  surround).
 *
 * @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ARGUMENT; SLS_ERROR_NO_AUDIO for no sample at all;
 * SLS_ERROR_MEMORY, SLS_ERROR_CANCELLED. On failure the audio stays what it was.
 *
 * Any thread; blocks while it resamples (a minute of audio takes a fraction of a second).
 */
SLS_API
sls_status sls_clip_set_audio(sls_clip *clip,
                              const float *samples,
                              uint64_t frames,
                              uint32_t rate,
                              int32_t channels);

/**
 * Sets all of the clip's audio from a file: wav, aiff, mp3, m4a or mp4 (aac, alac), flac, ogg
 * vorbis; of any rate and channels.
 *
 * @param clip  not NULL.
 * @param path  not NULL; UTF-8; relative to the working folder of the process.
 *
 * @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ARGUMENT; SLS_ERROR_READ when the file cannot be
 * opened; SLS_ERROR_AUDIO when it is no audio file, is truncated, or its codec is not supported;
 * SLS_ERROR_NO_AUDIO when it holds no sample; SLS_ERROR_MEMORY, SLS_ERROR_CANCELLED. On failure the
 * audio stays what it was.
 *
 * Any thread; blocks while it reads and decodes.
 */
SLS_API sls_status sls_clip_load_audio(sls_clip *clip, const char *path);

/**
 * Appends audio to the stream, in chunks of any size: no frame depends on how the audio was cut.
 * A clip whose audio is pushed is a stream; sls_clip_render() needs all of it.
 *
 * @param clip, samples, frames, rate, channels  as for sls_clip_set_audio(); rate and channels
 * must stay what they were in the first call.
 *
 * @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ARGUMENT, SLS_ERROR_MEMORY; SLS_ERROR_STATE after
 * sls_clip_finish_audio(), sls_clip_set_audio() or sls_clip_load_audio(). On failure nothing was
 * appended.
 *
 * Any thread.
 */
SLS_API
sls_status sls_clip_push_audio(sls_clip *clip,
                               const float *samples,
                               uint64_t frames,
                               uint32_t rate,
                               int32_t channels);

/**
 * States that no more audio comes: what follows is silence.
 *
 * @param clip  not NULL.
 *
 * @return SLS_OK, SLS_ERROR_NULL; SLS_ERROR_NO_AUDIO when none was pushed.
 *
 * Any thread.
 */
SLS_API sls_status sls_clip_finish_audio(sls_clip *clip);

/**
 * Takes back what was pushed: samples from a position on are forgotten, and what is pushed next is
 * heard from there, for instance when a speaker is interrupted. It may be of another rate and
 * other channels. Frames that wait say it. Beyond the last sample there is silence up to the
 * position.
 *
 * @param clip      not NULL.
 * @param position  on the clip's clock, in 1/16000 s.
 *
 * @return SLS_OK, SLS_ERROR_NULL; SLS_ERROR_STATE when no audio was pushed; SLS_ERROR_ARGUMENT for
 * a position before what the next frame hears, SLS_ERROR_MEMORY for one too far ahead. On failure
 * the audio stays what it was.
 *
 * Any thread.
 */
SLS_API sls_status sls_clip_cut_audio(sls_clip *clip, int64_t position);

/**
 * Fills the options with their defaults.
 *
 * @param options      not NULL.
 * @param struct_size  sizeof(sls_render_options).
 *
 * @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI.
 *
 * Any thread; does not block.
 */
SLS_API sls_status sls_render_options_init(sls_render_options *options, size_t struct_size);

/**
 * Sets all fields of a result to 0 but its size.
 *
 * @param result       not NULL.
 * @param struct_size  sizeof(sls_render_result).
 *
 * @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI.
 *
 * Any thread; does not block.
 */
SLS_API sls_status sls_render_result_init(sls_render_result *result, size_t struct_size);

/**
 * Renders a frame, in any order. The same clip, audio, reference, analysed frames and pixels give
 * the same bytes, whatever was rendered before and on how many threads; and the same as the stream
 * gives (on one machine and one provider). Pixels outside the mouth's rim are the source's, bit
 * for bit.
 *
 * @param clip         not NULL.
 * @param index        of the frame.
 * @param source       not NULL; read during the call only.
 * @param destination  not NULL; of the source's format, width and height. It may be the source's
 *                     own memory.
 * @param options      NULL for the defaults.
 * @param result       may be NULL.
 *
 * @return SLS_OK, also for a frame without a face, which is copied; SLS_ERROR_NULL, SLS_ERROR_ABI,
 * SLS_ERROR_FRAME, SLS_ERROR_ARGUMENT; SLS_ERROR_NO_AUDIO before any was set; SLS_ERROR_STATE when
 * the audio was pushed; SLS_ERROR_NETWORK. On failure nothing but the destination's pixels may have
 * been written.
 *
 * Any number of threads at once; blocks while networks run.
 */
SLS_API
sls_status sls_clip_render(const sls_clip *clip,
                           int64_t index,
                           const sls_frame *source,
                           const sls_frame *destination,
                           const sls_render_options *options,
                           sls_render_result *result);

/**
 * Tells how far a stream must be ahead of the frame that it gives.
 *
 * @param clip       not NULL.
 * @param frames     may be NULL; receives frames.
 * @param audio      may be NULL; receives 1/16000 s of audio after the frame's time. With audio of
 *                   another rate than 16 kHz, up to 20 ms come on top.
 * @param reference  may be NULL; receives the frames that are looked at, once at the beginning,
 *                   for the reference where none was set.
 *
 * @return SLS_OK, SLS_ERROR_NULL.
 *
 * Any thread.
 */
SLS_API
sls_status sls_clip_look_ahead(const sls_clip *clip,
                               int32_t *frames,
                               int64_t *audio,
                               int32_t *reference);

/**
 * Gives the stream its next frame.
 *
 * @param clip   not NULL.
 * @param frame  not NULL; it is copied.
 * @param index  may be NULL; receives the frame's index, counted from 0 or from where
 *               sls_clip_seek() went.
 *
 * @return SLS_OK; SLS_AGAIN when frames must be pulled first; SLS_ERROR_NULL, SLS_ERROR_ABI,
 * SLS_ERROR_FRAME, also when size or format are not those of the stream's first frame;
 * SLS_ERROR_ARGUMENT beyond the end of a variable rate; SLS_ERROR_STATE after sls_clip_flush();
 * SLS_ERROR_MEMORY, SLS_ERROR_NETWORK, SLS_ERROR_CANCELLED. The frame was taken only with SLS_OK.
 *
 * Any thread; blocks while networks run.
 */
SLS_API sls_status sls_clip_push_frame(sls_clip *clip, const sls_frame *frame, int64_t *index);

/**
 * As sls_clip_push_frame(), for streams whose rate is not known beforehand.
 *
 * @param clip, frame, index  as for sls_clip_push_frame().
 * @param position  the frame's time on the clip's clock, in 1/16000 s; not before the last one's.
 *
 * @return as sls_clip_push_frame(), and SLS_ERROR_ARGUMENT when the time goes back.
 *
 * Any thread; blocks while networks run.
 */
SLS_API
sls_status sls_clip_push_frame_at(sls_clip *clip,
                                  int64_t position,
                                  const sls_frame *frame,
                                  int64_t *index);

/**
 * Turns a time stamp into a position: what sls_clip_push_frame_at(), sls_clip_cut_audio() and
 * sls_clip_options.times take.
 *
 * @param ticks     the time stamp, in units of num / den seconds.
 * @param num       1 or more.
 * @param den       1 or more; 1 / 90000, 1001 / 30000, ...
 * @param position  not NULL; receives the time in 1/16000 s, rounded half up.
 *
 * @return SLS_OK, SLS_ERROR_NULL; SLS_ERROR_ARGUMENT for a base of 0 or a time beyond the range.
 *
 * Any thread; does not block.
 */
SLS_API sls_status sls_position(int64_t ticks, uint32_t num, uint32_t den, int64_t *position);

/**
 * Renders the next frame of the stream.
 *
 * @param clip         not NULL.
 * @param destination  not NULL; of the format, width and height of the frame that was pushed.
 * @param options      NULL for the defaults.
 * @param result       may be NULL.
 *
 * @return SLS_OK; SLS_AGAIN when more frames or more audio must be pushed; SLS_END after the last
 * frame of a flushed stream; SLS_ERROR_NULL, SLS_ERROR_ABI, SLS_ERROR_FRAME, SLS_ERROR_ARGUMENT;
 * SLS_ERROR_NO_AUDIO when the stream was flushed without any; SLS_ERROR_NETWORK. On failure the
 * frame can be pulled again, and nothing but the destination's pixels may have been written.
 *
 * Any thread; blocks while networks run.
 */
SLS_API
sls_status sls_clip_pull_frame(sls_clip *clip,
                               const sls_frame *destination,
                               const sls_render_options *options,
                               sls_render_result *result);

/**
 * As sls_clip_pull_frame(), into memory of yours that is asked for only when a frame is there to be
 * rendered: a host's pool, pinned memory, a file's mapping.
 *
 * @param clip         not NULL.
 * @param allocate     not NULL.
 * @param user         handed to the callback as it is; may be NULL.
 * @param destination  not NULL, its struct_size set; receives the frame, in the memory that the
 * callback gave. That memory is yours in any case, also when rendering fails after the callback.
 * @param options      NULL for the defaults.
 * @param result       may be NULL.
 *
 * @return as sls_clip_pull_frame(); SLS_ERROR_MEMORY when the callback has none; SLS_ERROR_FRAME
 * when its stride cannot be, SLS_ERROR_NULL when its data is NULL.
 *
 * Any thread; blocks while networks run.
 */
SLS_API
sls_status sls_clip_pull_allocated(sls_clip *clip,
                                   sls_allocate_callback allocate,
                                   void *user,
                                   sls_frame *destination,
                                   const sls_render_options *options,
                                   sls_render_result *result);

/**
 * States that no more frames and no more audio come: every waiting frame can be pulled, until
 * SLS_END.
 *
 * @param clip  not NULL.
 *
 * @return SLS_OK, SLS_ERROR_NULL.
 *
 * Any thread.
 */
SLS_API sls_status sls_clip_flush(sls_clip *clip);

/**
 * Begins the stream anew: the next frame is 0, and pushed audio begins at its beginning. Waiting
 * frames are dropped; the reference that was set, whole audio and what was analysed stay.
 *
 * @param clip  not NULL.
 *
 * @return SLS_OK, SLS_ERROR_NULL.
 *
 * Any thread.
 */
SLS_API sls_status sls_clip_reset(sls_clip *clip);

/**
 * Goes on with another frame: as sls_clip_reset(), but the next frame is index, and audio that is
 * pushed next begins at the time of that frame.
 *
 * @param clip   not NULL.
 * @param index  of the next frame.
 *
 * @return SLS_OK, SLS_ERROR_NULL; SLS_ERROR_ARGUMENT for an index outside a variable rate, and the
 * stream stays as it was.
 *
 * Any thread.
 */
SLS_API sls_status sls_clip_seek(sls_clip *clip, int64_t index);

/**
 * Fills the options with their defaults.
 *
 * @param options      not NULL.
 * @param struct_size  sizeof(sls_adapt_options).
 *
 * @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI.
 *
 * Any thread; does not block.
 */
SLS_API sls_status sls_adapt_options_init(sls_adapt_options *options, size_t struct_size);

/**
 * Plans the learning of a person from a clip of them speaking, whose audio is set and whose frames
 * are analysed. Then hand over the frames that it wants, and run it.
 *
 * @param clip     not NULL.
 * @param options  NULL for the defaults; read during the call only.
 * @param adapt    not NULL; receives the job, which is yours: sls_adapt_destroy().
 *
 * @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI; SLS_ERROR_ARGUMENT for an option out of its range,
 * a clip shorter than two seconds or of two people; SLS_ERROR_NO_AUDIO, SLS_ERROR_NO_FACE,
 * SLS_ERROR_STATE when the audio was pushed; SLS_ERROR_BUNDLE for a bundle that cannot be adapted;
 * SLS_ERROR_NETWORK. On failure *adapt is not written.
 *
 * Any thread; blocks while networks run.
 */
SLS_API
sls_status sls_adapt_create(const sls_clip *clip,
                            const sls_adapt_options *options,
                            sls_adapt **adapt);

/**
 * Destroys a job.
 *
 * @param adapt  may be NULL; no other call may be using it.
 *
 * Any thread.
 */
SLS_API void sls_adapt_destroy(sls_adapt *adapt);

/**
 * Tells whether a frame is one of those that are learnt from and was not handed over yet.
 *
 * @param adapt  not NULL.
 * @param index  of the frame.
 * @param wants  not NULL; receives 1 or 0.
 *
 * @return SLS_OK, SLS_ERROR_NULL.
 *
 * Any thread.
 */
SLS_API sls_status sls_adapt_wants(const sls_adapt *adapt, int64_t index, int32_t *wants);

/**
 * Hands over a frame; one that is not wanted is not looked at.
 *
 * @param adapt  not NULL.
 * @param clip   not NULL; the clip that the job was made from.
 * @param index  of the frame.
 * @param frame  not NULL; read during the call only.
 *
 * @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI, SLS_ERROR_FRAME, SLS_ERROR_STATE,
 * SLS_ERROR_NETWORK.
 *
 * Any thread; blocks while networks run.
 */
SLS_API
sls_status sls_adapt_add_frame(sls_adapt *adapt,
                               const sls_clip *clip,
                               int64_t index,
                               const sls_frame *frame);

/**
 * Learns, until the steps, the time or the callback end it. The same clip, options and machine
 * give the same person, interrupted and taken up again or not, where the steps end it; a time or a
 * plateau begins anew with each run.
 *
 * @param adapt     not NULL.
 * @param callback  may be NULL: see sls_adapt_callback.
 * @param user      handed to the callback as it is; may be NULL.
 * @param person    not NULL; receives the person, which is yours: sls_person_destroy().
 *
 * @return SLS_OK, SLS_ERROR_NULL; SLS_ERROR_STATE when frames are missing; SLS_ERROR_CANCELLED;
 * SLS_ERROR_PERSON when the checkpoint belongs to other work; SLS_ERROR_READ, SLS_ERROR_WRITE of
 * the checkpoint; SLS_ERROR_BUNDLE, SLS_ERROR_NETWORK. On failure *person is not written.
 *
 * Any thread; blocks for minutes.
 */
SLS_API
sls_status sls_adapt_run(sls_adapt *adapt,
                         sls_adapt_callback callback,
                         void *user,
                         sls_person **person);

/**
 * Ends the calls that are under way on a job with SLS_ERROR_CANCELLED, as soon as ONNX Runtime is
 * between two nodes of a network; a run's checkpoint holds every whole step. Calls that begin later
 * are not touched.
 *
 * @param adapt  not NULL.
 *
 * @return SLS_OK, SLS_ERROR_NULL.
 *
 * Any thread; does not block.
 */
SLS_API sls_status sls_adapt_cancel(sls_adapt *adapt);

/**
 * Copies the sentence that explains the job's last call, on any thread, that returned something
 * else than SLS_OK.
 *
 * @param adapt     may be NULL: the sentence is empty then.
 * @param buffer    receives UTF-8 ended by a NUL, cut where it does not fit; may be NULL.
 * @param capacity  bytes at buffer.
 *
 * @return the bytes that the whole sentence needs, its NUL included.
 *
 * Any thread; does not block.
 */
SLS_API size_t sls_adapt_last_error(const sls_adapt *adapt, char *buffer, size_t capacity);

/**
 * Reads a person file.
 *
 * @param engine  not NULL; with the bundle that the person was made from.
 * @param path    not NULL, UTF-8.
 * @param person  not NULL; receives the person, which is yours: sls_person_destroy().
 *
 * @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_READ; SLS_ERROR_PERSON when it is no person file, is
 * damaged, or was made from another bundle. On failure *person is not written.
 *
 * Any thread; reads a file.
 */
SLS_API sls_status sls_person_load(const sls_engine *engine, const char *path, sls_person **person);

/**
 * Writes a person file, whole or not at all.
 *
 * @param person  not NULL.
 * @param path    not NULL, UTF-8; a file there is replaced.
 *
 * @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_WRITE.
 *
 * Any thread; writes a file.
 */
SLS_API sls_status sls_person_save(const sls_person *person, const char *path);

/**
 * Destroys a person; clips that it was set for keep what they need.
 *
 * @param person  may be NULL; no other call may be using it.
 *
 * Any thread.
 */
SLS_API void sls_person_destroy(sls_person *person);

/**
 * Renders a clip as a person. Clips of one engine may have different persons; those with the same
 * one share its networks.
 *
 * @param clip    not NULL.
 * @param person  NULL: the bundle's own network again. It may be destroyed afterwards.
 *
 * @return SLS_OK, SLS_ERROR_NULL; SLS_ERROR_STATE when the person was made from another bundle than
 * the clip's; SLS_ERROR_NETWORK. On failure the clip keeps the one it had.
 *
 * Any thread; builds a network where no clip of the engine has this person.
 */
SLS_API sls_status sls_clip_set_person(sls_clip *clip, const sls_person *person);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* STYLELIPSYNC_H */

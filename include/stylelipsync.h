/*
 * stylelipsync.h - C API of libstylelipsync, which re-renders the mouth of a person in a video so
 * that the lips match a new audio track.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Generated from src/capi/ by tests/header.rs. C99 and later, C++11 and later.
 *
 * Objects
 *
 *   sls_engine  the networks and the device that runs them; one per process
 *   sls_clip    one video clip: audio, analysed frames, stream; any number per engine
 *   sls_adapt   a training job that adapts the decoder to one person (optional)
 *   sls_person  the result of such a job (optional)
 *
 * Example. ok() is your own check of the returned status, for instance
 * if (status != SLS_OK) fail(sls_last_error()). So are fail(), show() and next_frame().
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
 * A clip is used in one of two ways. Both produce the same bytes.
 *
 * 1. Random access, for editors and render farms. All audio is known. Analyse the frames, then
 *    render any of them in any order and on any number of threads:
 *
 *     ok(sls_clip_load_audio(clip, "speech.wav"));
 *     for (int64_t t = 0; t < count; t++) {
 *         in.data = pixels[t];
 *         ok(sls_clip_analyze(clip, t, &in, NULL));
 *     }
 *     ok(sls_clip_finish_analysis(clip));
 *     for (int64_t t = 0; t < count; t++) {
 *         in.data = pixels[t];
 *         ok(sls_clip_render(clip, t, &in, &out, NULL, NULL));
 *         show(result);
 *     }
 *
 * 2. Stream, for live use. Push audio and frames; pull each frame when its look-ahead has been
 *    pushed (see sls_clip_look_ahead()):
 *
 *     sls_status status;
 *     while (more) {
 *         in.data = next_frame();
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
 * At the end, in any order:
 *
 *     sls_clip_destroy(clip);
 *     sls_engine_destroy(engine);
 *
 * A clip changes one face. For several faces, use one clip per face and pass the output of the
 * first as the input of the second; choose the faces with SLS_SELECT_FROM_LEFT or SLS_SELECT_POINT.
 *
 * Rules for all functions
 *
 * - Errors: a function returns SLS_OK (0) or a negative status. SLS_AGAIN and SLS_END are not
 *   errors. sls_last_error() returns the error message. Besides the statuses listed for a function,
 *   any function that takes a handle may return SLS_ERROR_STATE (after fork), SLS_ERROR_INTERNAL or
 *   SLS_ERROR_POISONED.
 * - Output: results are written through pointers only if the function returns SLS_OK. The pixels of
 *   a destination frame are the exception: after a failure their content is undefined.
 * - NULL: a pointer must not be NULL unless its description allows it; otherwise the function
 *   returns SLS_ERROR_NULL.
 * - Ownership: arguments remain the caller's and are used only during the call. Objects created by
 *   the library are freed with their destroy function and in no other way.
 * - Threads: "any" means that any thread may make the call, and that handles may be shared between
 *   threads. "Concurrent" calls on the same handle run at the same time. An "exclusive" call waits
 *   until no other call on the same handle is running, and other calls wait for it.
 * - Blocking: a call that blocks while networks run can be cancelled from another thread with
 *   sls_clip_cancel() or sls_adapt_cancel(); it then returns SLS_ERROR_CANCELLED. For one frame,
 *   networks run for some tens of milliseconds on a CPU.
 * - Memory: a stream holds a bounded number of frames, and sls_clip_options.memory_limit bounds the
 *   bytes of a clip. If an input needs more memory than is available, the call returns
 *   SLS_ERROR_MEMORY. If a small internal allocation fails, the process aborts. "Allocates" names
 *   memory that outlives the call or depends on the input; error messages are not listed.
 * - Structs: each starts with struct_size and ends with reserved fields that must be 0. Initialise
 *   them with their init function. A program built with this header works with later versions of
 *   the library that have the same SLS_ABI_VERSION.
 * - Constants are int32_t. A value that is not listed is rejected. SLS_X_* means all constants
 *   that start with SLS_X_.
 * - Strings are UTF-8 and NUL-terminated.
 * - Clip time: position 0 is the time of frame 0. One unit is 1/16000 s.
 * - fork(): handles must not be used in the child process. Calls on them return SLS_ERROR_STATE, and
 *   destroying them has no effect. The child may create a new engine if no other thread was inside
 *   the library at the time of the fork.
 * - The library does not write to standard output or standard error, does not install signal
 *   handlers, and needs no environment variables. For its log see sls_set_log_callback().
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
 * Minor version of the library that this header belongs to.
 */
#define SLS_VERSION_MINOR 1

/**
 * Patch version of the library that this header belongs to.
 */
#define SLS_VERSION_PATCH 0

/**
 * Version of the binary interface (ABI) that this header describes. Pass it to
 * sls_engine_create(), which checks it. It increases only when programs built with an older header
 * stop working.
 */
#define SLS_ABI_VERSION 1

/**
 * The call succeeded.
 */
#define SLS_OK 0

/**
 * Not an error: the stream needs another call first. sls_clip_pull_frame() needs more frames or
 * more audio; sls_clip_push_frame() needs frames to be pulled.
 */
#define SLS_AGAIN -1

/**
 * Not an error: the stream was flushed, and every frame has been pulled.
 */
#define SLS_END -2

/**
 * A pointer that must not be NULL is NULL.
 */
#define SLS_ERROR_NULL -3

/**
 * An argument, or a field of an options struct, is out of range.
 */
#define SLS_ERROR_ARGUMENT -4

/**
 * Header and library do not match: the ABI version, a struct_size, or a reserved field that is not
 * 0.
 */
#define SLS_ERROR_ABI -5

/**
 * The description of a frame is invalid, or two frames do not match.
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
 * A file is not an audio file, is truncated, or uses an unsupported codec.
 */
#define SLS_ERROR_AUDIO -9

/**
 * There is no audio: none was set, or it contains no samples.
 */
#define SLS_ERROR_NO_AUDIO -10

/**
 * The model bundle is incomplete, was modified, or has an unsupported format version.
 */
#define SLS_ERROR_BUNDLE -11

/**
 * The ONNX Runtime library was not found, or cannot be loaded.
 */
#define SLS_ERROR_RUNTIME -12

/**
 * The requested execution provider is not available on this machine.
 */
#define SLS_ERROR_PROVIDER -13

/**
 * A network failed at run time, for instance because the device ran out of memory or was lost.
 */
#define SLS_ERROR_NETWORK -14

/**
 * No face was found where one is required.
 */
#define SLS_ERROR_NO_FACE -15

/**
 * The call is not allowed in the current state of the handle, or the handle was created before
 * fork().
 */
#define SLS_ERROR_STATE -16

/**
 * The call was cancelled from another thread, or by its own callback.
 */
#define SLS_ERROR_CANCELLED -17

/**
 * The handle is unusable, because an earlier call on it returned SLS_ERROR_INTERNAL. Destroy it.
 */
#define SLS_ERROR_POISONED -18

/**
 * A person file or an adaptation checkpoint is damaged, or belongs to another bundle.
 */
#define SLS_ERROR_PERSON -20

/**
 * Memory allocation failed, or sls_clip_options.memory_limit would be exceeded.
 */
#define SLS_ERROR_MEMORY -21

/**
 * An analysis file is damaged, or belongs to another bundle or to other options.
 */
#define SLS_ERROR_ANALYSIS -22

/**
 * Consent is required (sls_clip_options.require_consent) and missing, does not hold today, or a consent
 * file is wrong.
 */
#define SLS_ERROR_CONSENT -23

/**
 * A bug in this library. The process can go on; the handle becomes unusable.
 */
#define SLS_ERROR_INTERNAL -19

/**
 * An operation failed.
 */
#define SLS_LOG_ERROR 1

/**
 * Something is wrong, but work continues.
 */
#define SLS_LOG_WARNING 2

/**
 * The configuration in use, for instance the execution provider; once per engine or file.
 */
#define SLS_LOG_INFO 3

/**
 * Details for developers of this library.
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
 * 16-bit red, green, blue, alpha in native byte order; 65535 represents 1.0.
 */
#define SLS_FORMAT_RGBA16 4

/**
 * 16-bit IEEE half-precision red, green, blue, alpha.
 */
#define SLS_FORMAT_RGBA_HALF 5

/**
 * 32-bit IEEE float red, green, blue, alpha.
 */
#define SLS_FORMAT_RGBA_FLOAT 6

/**
 * The pixels are in the process's own memory (not on a GPU).
 */
#define SLS_MEMORY_HOST 0

/**
 * The fastest execution provider that works on this machine. sls_engine_refused() lists the
 * providers that were tried and rejected.
 */
#define SLS_PROVIDER_AUTO 0

/**
 * CPU. Always available.
 */
#define SLS_PROVIDER_CPU 1

/**
 * A GPU of any vendor, through ONNX Runtime's WebGPU plug-in.
 */
#define SLS_PROVIDER_WEBGPU 2

/**
 * NVIDIA GPU; needs an ONNX Runtime build with CUDA.
 */
#define SLS_PROVIDER_CUDA 3

/**
 * Apple Core ML.
 */
#define SLS_PROVIDER_COREML 4

/**
 * Direct3D 12 GPU; needs an ONNX Runtime build with DirectML.
 */
#define SLS_PROVIDER_DIRECTML 5

/**
 * CPU through OpenVINO's plug-in: the generator, in float32.
 */
#define SLS_PROVIDER_OPENVINO 6

/**
 * The same in bfloat16: 1.4 to 1.8 times as fast on CPUs with AMX; the picture differs a little.
 */
#define SLS_PROVIDER_OPENVINO_BF16 7

/**
 * Intel GPU through OpenVINO's plug-in.
 */
#define SLS_PROVIDER_OPENVINO_GPU 8

/**
 * Intel NPU through OpenVINO's plug-in.
 */
#define SLS_PROVIDER_OPENVINO_NPU 9

/**
 * The largest face in the frame.
 */
#define SLS_SELECT_LARGEST 0

/**
 * The face whose centre is nearest to a point of the frame; none if the point is further away than
 * the side of that face's crop (sls_face.side).
 */
#define SLS_SELECT_POINT 1

/**
 * The face with a given id; see sls_clip_face().
 */
#define SLS_SELECT_FACE 2

/**
 * The face at a given position in the frame, counted from the left; 0 is the leftmost. The choice
 * depends on this frame only, so it switches to another face when two faces swap positions.
 */
#define SLS_SELECT_FROM_LEFT 3

/**
 * The face that looks most like the person in a picture; none if no face looks like that person. It needs
 * no other frames, and follows the person through cuts.
 */
#define SLS_SELECT_PICTURE 4

/**
 * Display-referred values, as in ordinary video: used without conversion.
 */
#define SLS_TRANSFER_DISPLAY 0

/**
 * The sRGB transfer function (IEC 61966-2-1).
 */
#define SLS_TRANSFER_SRGB 1

/**
 * The ITU-R BT.709 camera transfer function.
 */
#define SLS_TRANSFER_REC709 2

/**
 * Linear light; 1.0 is diffuse white.
 */
#define SLS_TRANSFER_LINEAR 3

/**
 * The perceptual quantiser of ITU-R BT.2100 with its primaries (those of BT.2020); 203 cd/m² are
 * diffuse white.
 */
#define SLS_TRANSFER_PQ 4

/**
 * The hybrid log-gamma of ITU-R BT.2100 with its primaries, for a display of 1,000 cd/m².
 */
#define SLS_TRANSFER_HLG 5

/**
 * As SLS_TRANSFER_PQ, with the primaries of ITU-R BT.709.
 */
#define SLS_TRANSFER_PQ_REC709 6

/**
 * As SLS_TRANSFER_HLG, with the primaries of ITU-R BT.709.
 */
#define SLS_TRANSFER_HLG_REC709 7

/**
 * As SLS_TRANSFER_PQ, with the primaries P3-D65.
 */
#define SLS_TRANSFER_PQ_P3 8

/**
 * The audio encoder hears little of the audio after a frame, for streams that are shown as they
 * arrive; see sls_clip_look_ahead().
 */
#define SLS_CONTEXT_NEAR 0

/**
 * The audio encoder hears more of the audio after a frame, and the mouth follows the speech better.
 * For clips whose audio is known in advance.
 */
#define SLS_CONTEXT_FAR 1

/**
 * No label.
 */
#define SLS_LABEL_NONE 0

/**
 * A label in the top left corner of the frame.
 */
#define SLS_LABEL_TOP_LEFT 1

/**
 * A label in the top right corner of the frame.
 */
#define SLS_LABEL_TOP_RIGHT 2

/**
 * A label in the bottom left corner of the frame.
 */
#define SLS_LABEL_BOTTOM_LEFT 3

/**
 * A label in the bottom right corner of the frame.
 */
#define SLS_LABEL_BOTTOM_RIGHT 4

/**
 * The next frame can be pulled.
 */
#define SLS_NEED_NOTHING 0

/**
 * The next frame needs more frames: push some, or flush the stream after the last.
 */
#define SLS_NEED_FRAMES 1

/**
 * The next frame needs more audio: push some, or finish the audio.
 */
#define SLS_NEED_AUDIO 2

/**
 * For sls_clip_set_watermark(): an identifier made from the clip's bundle, person and audio, so that all
 * pieces of one render carry the same.
 */
#define SLS_WATERMARK_OF_INPUTS UINT64_MAX

/**
 * An adaptation job: trains a person's own decoder on a clip in which they speak.
 *
 * Any thread may use it. While sls_adapt_run() works, sls_adapt_add_frame() waits for it;
 * sls_adapt_cancel() does not.
 */
typedef struct sls_adapt sls_adapt;

/**
 * A video clip to be lip-synced: its audio, its reference face, the analysis of its frames, and
 * the state of its stream.
 *
 * Any thread may use a clip. Concurrent calls (see "Threads" at the top of this file) on one clip
 * run at the same time; an exclusive call waits for every other call to finish.
 */
typedef struct sls_clip sls_clip;

/**
 * Looks for the watermark in the frames of a video. It holds at most three frames, whatever the length.
 */
typedef struct sls_detector sls_detector;

/**
 * The loaded networks and the device that runs them. They do not depend on a clip: create one
 * engine per process and share it between all clips and threads.
 */
typedef struct sls_engine sls_engine;

/**
 * The decoder weights of one person: the result of an adaptation, or a loaded person file. It is
 * immutable and may be used by several threads.
 */
typedef struct sls_person sls_person;

/**
 * Result of a call: SLS_OK (0) or a negative status.
 */
typedef int32_t sls_status;

/**
 * Receives a log message.
 *
 * @param user     the pointer that was passed to sls_set_log_callback().
 * @param level    SLS_LOG_ERROR to SLS_LOG_DEBUG.
 * @param message  UTF-8 without a trailing newline; valid only during the call.
 *
 * It is called on the thread that logs the message, possibly on several threads at the same time.
 * It must not throw exceptions and must not call sls_set_log_callback().
 */
typedef void (*sls_log_callback)(void *user, int32_t level, const char *message);

/**
 * Describes a frame in the caller's memory. The library does not keep the pointer after a call
 * returns.
 *
 * Pixels need no alignment. Alpha is copied from source to destination and otherwise ignored.
 * Infinite and NaN samples are allowed: outside the mouth they are copied unchanged, and the
 * networks treat them as black.
 */
typedef struct {
    /**
     * sizeof(sls_frame); set by sls_frame_init().
     */
    uint32_t struct_size;
    /**
     * Pixel format: one of SLS_FORMAT_*.
     */
    int32_t format;
    /**
     * Width in pixels, 1 to 65536.
     */
    int32_t width;
    /**
     * Height in pixels, 1 to 65536.
     */
    int32_t height;
    /**
     * Bytes from the start of one row to the start of the row below it. Its magnitude must be at
     * least the size of a row. Negative for frames stored bottom-up. Padding bytes between rows
     * are never read or written.
     */
    int64_t stride;
    /**
     * First pixel of the top row. If stride is negative, the top row is the last row in memory.
     */
    void *data;
    /**
     * SLS_MEMORY_HOST.
     */
    int32_t memory;
    /**
     * Must be 0.
     */
    int32_t reserved0;
    /**
     * Width of a pixel divided by its height, as shown, 0.1 to 10: 2 for anamorphic footage that is
     * squeezed to half its width. 0: square pixels, as 1. Of a source; a destination's is not used.
     * Positions in the frame (sls_face, point_x, point_y) are in units of a pixel's height: columns are
     * multiplied by the aspect ratio.
     */
    double pixel_aspect;
    /**
     * Must be 0.
     */
    uint64_t reserved[3];
} sls_frame;

/**
 * Options of an engine. Initialise them with sls_engine_options_init(), then set fields.
 */
typedef struct {
    /**
     * sizeof(sls_engine_options).
     */
    uint32_t struct_size;
    /**
     * Execution provider: one of SLS_PROVIDER_*; default SLS_PROVIDER_AUTO. If any other provider
     * is not available, sls_engine_create() fails with SLS_ERROR_PROVIDER; there is no fallback.
     */
    int32_t provider;
    /**
     * CPU threads per network, 0 to 1024; default 0: one per core.
     */
    int32_t threads;
    /**
     * 1: several frames will be processed at once, on as many threads. Each network then runs on one
     * thread, which is faster together and slower for a single frame; the bytes are the same. Default 0.
     */
    int32_t parallel_frames;
    /**
     * Folder of a model bundle, UTF-8; default NULL: the bundle built into the library.
     */
    const char *bundle;
    /**
     * Must be 0.
     */
    uint64_t reserved[6];
} sls_engine_options;

/**
 * Describes an engine. The strings are UTF-8 and valid until the engine is destroyed.
 */
typedef struct {
    /**
     * sizeof(sls_info); set it before the call, or call sls_info_init().
     */
    uint32_t struct_size;
    /**
     * The execution provider in use: one of SLS_PROVIDER_*, never SLS_PROVIDER_AUTO.
     */
    int32_t provider;
    /**
     * Name of the provider: "cpu", "webgpu", "cuda", "coreml", "directml", "openvino",
     * "openvino-bf16", "openvino-gpu" or "openvino-npu".
     */
    const char *provider_name;
    /**
     * Name of the device as reported by ONNX Runtime; empty if it reports none.
     */
    const char *device;
    /**
     * Name and version of the model bundle.
     */
    const char *bundle;
    /**
     * Path of the ONNX Runtime library in use, and how it was found.
     */
    const char *runtime;
    /**
     * CPU threads per network.
     */
    int32_t threads;
    /**
     * Number of providers that were tried and rejected; see sls_engine_refused().
     */
    int32_t refused;
    /**
     * Must be 0.
     */
    uint64_t reserved[4];
} sls_info;

/**
 * Options of a clip. Initialise them with sls_clip_options_init(), then set fields.
 */
typedef struct {
    /**
     * sizeof(sls_clip_options).
     */
    uint32_t struct_size;
    /**
     * Frame rate in frames per second is rate_num / rate_den, for instance 30000 / 1001; from 1 to
     * 1000. Default 25 / 1.
     */
    uint32_t rate_num;
    /**
     * Denominator of the frame rate; see rate_num.
     */
    uint32_t rate_den;
    /**
     * Which face is lip-synced: one of SLS_SELECT_*; default SLS_SELECT_LARGEST.
     */
    int32_t selection;
    /**
     * For SLS_SELECT_POINT: pixels from the left edge of the frame, times sls_frame.pixel_aspect; finite.
     */
    float point_x;
    /**
     * For SLS_SELECT_POINT: pixels from the top edge of the frame; finite.
     */
    float point_y;
    /**
     * For SLS_SELECT_FACE: the id of the face. For SLS_SELECT_FROM_LEFT: the number of faces to
     * its left.
     */
    uint32_t face;
    /**
     * Transfer function of the frames' pixel values: one of SLS_TRANSFER_*; default
     * SLS_TRANSFER_DISPLAY.
     */
    int32_t transfer;
    /**
     * Opacity of the new mouth, 0 (unchanged source) to 1; default 1.
     */
    float strength;
    /**
     * How far ahead of a frame its audio is heard: one of SLS_CONTEXT_*; default SLS_CONTEXT_NEAR.
     */
    int32_t speech_context;
    /**
     * Clip time of the first audio sample, in 1/16000 s. Positive values delay the audio, negative
     * values skip its beginning. Default 0.
     */
    int64_t audio_offset;
    /**
     * For a variable frame rate: the clip time of each frame, starting with frame 0, in 1/16000 s,
     * never decreasing. It is copied. Default NULL: the rate is constant, rate_num / rate_den.
     */
    const int64_t *times;
    /**
     * Number of frames in times; at least 1 if times is not NULL.
     */
    uint64_t time_count;
    /**
     * Maximum number of bytes that the clip holds in queued frames, audio and pictures of the
     * face. A call that would exceed it returns SLS_ERROR_MEMORY; the pictures of the analysis take
     * about a quarter of it. Default 0: no limit. The memory of the networks belongs to the
     * engine, is not counted, and does not grow with the clip.
     */
    uint64_t memory_limit;
    /**
     * Moves the edge of the replaced region outwards (above 0) or inwards (below 0), in pixels of
     * the 256x256 face crop, -20 to 20; default 0. The region never extends beyond the generated
     * pixels.
     */
    float mask_grow;
    /**
     * Width of the feathered edge as a multiple of the width that the bundle sets, at most 4. The
     * default 0 means 1.
     */
    float mask_feather;
    /**
     * 1: sls_clip_render() and the functions that pull frames return SLS_ERROR_CONSENT unless the clip
     * (sls_clip_load_consent()) or its person file has consent, and all that there is holds today (UTC).
     * Default 0.
     */
    int32_t require_consent;
    /**
     * A visible label, the letters "AI", drawn over every rendered frame, also where the mouth was not
     * changed: one of SLS_LABEL_*; default SLS_LABEL_NONE. It is the one thing that changes pixels outside
     * the mask.
     */
    int32_t label;
    /**
     * Height of the label as a share of the frame's height, 0.01 to 0.5. The default 0 means 0.06.
     */
    float label_size;
    /**
     * Opacity of the label, at most 1. The default 0 means 0.8.
     */
    float label_opacity;
    /**
     * 1: the mouth is painted over what lies in front of it. 0, the default: hands, microphones and food stay
     * visible, where the bundle can find them.
     */
    int32_t ignore_occlusion;
    /**
     * Must be 0.
     */
    int32_t reserved0;
    /**
     * For SLS_SELECT_PICTURE: a picture whose largest face is the person's, with the transfer function of the
     * frames. It is not used after the call. Default NULL.
     */
    const sls_frame *picture;
} sls_clip_options;

/**
 * A detected face. Set struct_size before the call, or call sls_face_init().
 */
typedef struct {
    /**
     * sizeof(sls_face).
     */
    uint32_t struct_size;
    /**
     * Id of the face in the clip, for SLS_SELECT_FACE. Clips that analysed the same frames assign
     * the same ids.
     */
    uint32_t id;
    /**
     * Centre of the face crop, in pixels from the left edge of the frame, times sls_frame.pixel_aspect.
     */
    float x;
    /**
     * Centre of the face crop, in pixels from the top edge of the frame.
     */
    float y;
    /**
     * Side of the square face crop, in rows of the frame.
     */
    float side;
    /**
     * Confidence of the detection, 0 to 1.
     */
    float confidence;
    /**
     * Must be 0.
     */
    uint64_t reserved[4];
} sls_face;

/**
 * Receives the layers of one frame: what its result is composited from. Initialise it with
 * sls_layers_init(), set the layers that are wanted, and pass it in sls_render_options.layers.
 *
 * Each layer has the frame's size, with rows from the top. The operator "over" makes the result of mouth and
 * source, in the encoding of the source's numbers and before rounding: result = mouth.rgb + source.rgb *
 * (1 - mouth.alpha). Where a source value is not finite and mouth.alpha is above 0, the result is mouth.rgb / mouth.alpha. The
 * result has the source's alpha. sls_clip_options.label is not part of the layers. If the frame is not
 * changed, mouth is 0 everywhere and st is -1 everywhere.
 */
typedef struct {
    /**
     * sizeof(sls_layers); set by sls_layers_init().
     */
    uint32_t struct_size;
    /**
     * Must be 0.
     */
    uint32_t reserved0;
    /**
     * Receives the generated mouth: four floats per pixel, red, green and blue multiplied by alpha, and alpha,
     * which is the matte. Points to the top row. Default NULL: not wanted.
     */
    float *mouth;
    /**
     * Bytes from a row of mouth to the row below it; negative if stored bottom-up.
     */
    int64_t mouth_stride;
    /**
     * Receives the ST map: two floats per pixel, the position of the pixel in the upright square crop of the
     * face. s is 0 at the left edge of the crop and 1 at the right, t is 0 at the bottom and 1 at the top;
     * values beyond that lie outside the crop. Points to the top row. Default NULL: not wanted.
     */
    float *st;
    /**
     * Bytes from a row of st to the row below it; negative if stored bottom-up.
     */
    int64_t st_stride;
    /**
     * Must be 0.
     */
    uint64_t reserved[4];
} sls_layers;

/**
 * Describes what was done to a frame. If the clip has several speakers, face, confidence and strength are those
 * of speaker 0. Set struct_size before the call, or call
 * sls_render_result_init().
 */
typedef struct {
    /**
     * sizeof(sls_render_result).
     */
    uint32_t struct_size;
    /**
     * 0 if the destination is a bit-exact copy of the source, but for sls_clip_options.label; 1 if pixels of
     * the mouth may differ.
     */
    int32_t changed;
    /**
     * Index of the frame.
     */
    int64_t index;
    /**
     * Id of the face that was lip-synced; -1 if no face was found.
     */
    int64_t face;
    /**
     * Confidence of the detection, 0 to 1.
     */
    float confidence;
    /**
     * Opacity of the new mouth, 0 to 1: the product of the clip's strength, the frame's strength and
     * a fade-out factor that falls if the face is turned away, small, partly outside the frame or
     * uncertain.
     */
    float strength;
    /**
     * Must be 0.
     */
    uint64_t reserved[4];
} sls_render_result;

/**
 * Options of one rendered frame. Initialise them with sls_render_options_init(), then set fields.
 */
typedef struct {
    /**
     * sizeof(sls_render_options).
     */
    uint32_t struct_size;
    /**
     * Multiplies sls_clip_options.strength, for effects that animate it; 0 to 1, default 1.
     */
    float strength;
    /**
     * Bytes from a row of the matte to the row below it; negative if stored bottom-up.
     */
    int64_t matte_stride;
    /**
     * Receives the matte if the call succeeds: one float per pixel of the frame, the opacity of
     * the generated pixel. Where it is 0, the output is the source pixel, bit for bit. Points to
     * the top row. Default NULL: no matte.
     */
    float *matte;
    /**
     * The mouth's movement is multiplied by 1 + articulation_offset, for effects that animate it; -1
     * (the mouth rests) to 1, default 0.
     */
    float articulation_offset;
    /**
     * Where the generated mouth agrees with the person's own pictures but for their fine detail, that
     * detail replaces its own, multiplied by 1 + detail_offset; -1 (none) to 1, default 0. Detail finer
     * than the model's crop (256 pixels a side) is used only if sls_clip_options.memory_limit is 0 or
     * at least 672 MiB.
     */
    float detail_offset;
    /**
     * Receives the layers that the frame is composited from, if the call succeeds. Default NULL: none.
     */
    const sls_layers *layers;
    /**
     * Receives what was done for each speaker, if the call succeeds: an array with an element for speaker 0 and
     * for each one that sls_clip_add_speaker() added, initialised with sls_render_result_init(). Default NULL.
     */
    sls_render_result *speakers;
    /**
     * Must be 0.
     */
    uint64_t reserved[1];
} sls_render_options;

/**
 * Provides memory for a frame that is about to be rendered.
 *
 * @param user   the pointer that was passed to sls_clip_pull_allocated().
 * @param frame  format, width and height are set, and stride to its minimum. Set data, and stride
 *               if the memory has another one. Changes to other fields are ignored.
 *
 * @return 0 on success; any other value makes the call return SLS_ERROR_MEMORY.
 *
 * It is called on the thread that called sls_clip_pull_allocated(), at most once per call. It must
 * not throw exceptions and must not call a function on the same clip.
 */
typedef int32_t (*sls_allocate_callback)(void *user, sls_frame *frame);

/**
 * Options of an adaptation. Initialise them with sls_adapt_options_init(), then set fields.
 */
typedef struct {
    /**
     * sizeof(sls_adapt_options).
     */
    uint32_t struct_size;
    /**
     * 1: stop when the loss on held-out frames no longer improves; default 0.
     */
    int32_t plateau;
    /**
     * Maximum number of training steps, 1 to 1000000; default 300.
     */
    uint64_t steps;
    /**
     * Seed of the random order of frames and of unpaired speech; default 0.
     */
    uint64_t seed;
    /**
     * Maximum time in seconds; default 0: no limit.
     */
    double seconds;
    /**
     * Learning rate of the Adam optimiser, above 0 and at most 0.1; default 1e-4.
     */
    float rate;
    /**
     * Weight of the picture (reconstruction) loss, 0 to 1e6; default 10.
     */
    float picture_weight;
    /**
     * Weight of the sync loss, which compares the rendered lips with the person's own speech,
     * 0 to 1e6; default 1.
     */
    float sync_weight;
    /**
     * Weight of the sync regulariser, 0 to 1e6; default 1. It compares lips rendered from unpaired
     * speech (speech that is not in the clip) with that speech. With 0 the decoder overfits to the
     * clip, and its lips match other speech less well.
     */
    float regulariser_weight;
    /**
     * Maximum number of training frames held in memory, about 0.2 MB each; at least 5, default
     * 600.
     */
    uint32_t frames;
    /**
     * Must be 0.
     */
    int32_t reserved0;
    /**
     * Path of a checkpoint file, UTF-8. Progress is saved to it, and if it exists, the adaptation
     * resumes from it. Default NULL: no checkpoint.
     */
    const char *checkpoint;
    /**
     * UTF-8 text stored in the person file: who consented to the adaptation, and how. Default
     * NULL: none.
     */
    const char *consent;
    /**
     * Path of a consent file, UTF-8; see sls_clip_load_consent(). Its fields are stored in the person file,
     * and are checked when a clip with sls_clip_options.require_consent is rendered with it. Default NULL:
     * none.
     */
    const char *consent_file;
    /**
     * Must be 0.
     */
    uint64_t reserved[5];
} sls_adapt_options;

/**
 * Progress of an adaptation after a training step.
 */
typedef struct {
    /**
     * sizeof(sls_adapt_progress).
     */
    uint32_t struct_size;
    /**
     * 1 if some frames are held out of training to measure progress; 0 if the clip is too short
     * for that.
     */
    int32_t holds_out;
    /**
     * Steps done, including those before a resumed checkpoint.
     */
    uint64_t step;
    /**
     * Maximum number of steps.
     */
    uint64_t steps;
    /**
     * Picture loss of this step, before weighting.
     */
    float picture;
    /**
     * Sync loss of this step, before weighting: 1 - cosine similarity of the rendered lips and the
     * person's own speech.
     */
    float sync;
    /**
     * Sync regulariser of this step, before weighting: 1 - cosine similarity of lips rendered from
     * unpaired speech and that speech.
     */
    float regulariser;
    /**
     * Weighted loss on the held-out frames before the first step of this run.
     */
    float held_out_first;
    /**
     * Weighted loss on the held-out frames at their last evaluation.
     */
    float held_out_now;
    /**
     * 0.
     */
    int32_t reserved0;
    /**
     * Training steps per second.
     */
    double steps_per_second;
    /**
     * Estimated seconds until the step limit or the time limit is reached.
     */
    double seconds_left;
    /**
     * 0.
     */
    uint64_t reserved[4];
} sls_adapt_progress;

/**
 * Receives the progress of an adaptation after each step.
 *
 * @param user      the pointer that was passed to sls_adapt_run().
 * @param progress  valid only during the call.
 *
 * @return 0 to continue. Any other value cancels the run: the checkpoint, if any, is saved, and
 * sls_adapt_run() returns SLS_ERROR_CANCELLED.
 *
 * It is called on the thread that called sls_adapt_run(). It must not throw exceptions.
 */
typedef int32_t (*sls_adapt_callback)(void *user, const sls_adapt_progress *progress);

/**
 * Another face of a clip, with its own audio. Initialise it with sls_speaker_init(), then set which face it is,
 * and either samples or path.
 */
typedef struct {
    /**
     * sizeof(sls_speaker); set by sls_speaker_init().
     */
    uint32_t struct_size;
    /**
     * Which face it is: one of SLS_SELECT_*; default SLS_SELECT_LARGEST.
     */
    int32_t selection;
    /**
     * For SLS_SELECT_POINT: as sls_clip_options.point_x.
     */
    float point_x;
    /**
     * For SLS_SELECT_POINT: as sls_clip_options.point_y.
     */
    float point_y;
    /**
     * For SLS_SELECT_FACE: the id of the face. For SLS_SELECT_FROM_LEFT: the number of faces to its left.
     */
    uint32_t face;
    /**
     * Sample rate of samples in Hz, 1000 to 768000.
     */
    uint32_t rate;
    /**
     * All of its audio: frames * channels interleaved samples, nominally -1 to 1; they are copied. Default NULL:
     * from a file.
     */
    const float *samples;
    /**
     * Number of samples per channel.
     */
    uint64_t frames;
    /**
     * Number of channels of samples, 1 to 64; they are mixed down to mono.
     */
    int32_t channels;
    /**
     * Must be 0.
     */
    uint32_t reserved0;
    /**
     * The audio file, UTF-8, if samples is NULL; see sls_clip_load_audio(). Default NULL.
     */
    const char *path;
    /**
     * The person that this face is rendered with. Default NULL: the bundle's own decoder. It may be destroyed
     * after the call.
     */
    const sls_person *person;
    /**
     * For SLS_SELECT_PICTURE: as sls_clip_options.picture.
     */
    const sls_frame *picture;
    /**
     * Must be 0.
     */
    uint64_t reserved[3];
} sls_speaker;

/**
 * What a detector found. Set struct_size before the call, or call sls_detection_init().
 */
typedef struct {
    /**
     * sizeof(sls_detection).
     */
    uint32_t struct_size;
    /**
     * 1 if there is a watermark, 0 if none was found.
     */
    int32_t found;
    /**
     * The identifier; 0 if none was found, or if it cannot be read with certainty: that needs a better copy
     * than finding the mark.
     */
    uint64_t id;
    /**
     * How well the frames agree with a watermark, in standard deviations of chance.
     */
    double score;
    /**
     * Upper bound of the probability of that score without a watermark. Up to 1e-7, found is 1.
     */
    double chance;
    /**
     * Frames added.
     */
    uint64_t frames;
    /**
     * Faces in them.
     */
    uint64_t faces;
    /**
     * Must be 0.
     */
    uint64_t reserved[4];
} sls_detection;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Returns the version of the library at run time.
 *
 * @return "major.minor.patch": a static string, valid until the library is unloaded; never NULL.
 *
 * Threads: any. Blocks: no. Allocates: nothing.
 */
SLS_API const char *sls_version(void);

/**
 * Returns the ABI version of the library at run time; see SLS_ABI_VERSION.
 *
 * @return the ABI version.
 *
 * Threads: any. Blocks: no. Allocates: nothing.
 */
SLS_API int32_t sls_abi_version(void);

/**
 * Returns a short English description of a status.
 *
 * @param status  any number.
 *
 * @return a static string; never NULL. "unknown status" for a number that is not an SLS_ status.
 *
 * Threads: any. Blocks: no. Allocates: nothing.
 */
SLS_API const char *sls_status_str(int32_t status);

/**
 * Returns the error message of the last call on this thread, of any function, that did not return
 * SLS_OK. The message names the parameter or field at fault. Successful calls do not clear it.
 *
 * @return a UTF-8 string, valid until the next call into this library on the same thread; never
 * NULL. Empty if no call on this thread has failed.
 *
 * Threads: any; each thread has its own message. Blocks: no. Allocates: nothing.
 */
SLS_API const char *sls_last_error(void);

/**
 * Sets the function that receives the library's log messages. Without one, nothing is logged. The
 * library never writes to standard output or standard error.
 *
 * @param callback   NULL disables logging.
 * @param user       passed to the callback unchanged; may be NULL. The caller keeps ownership.
 * @param max_level  the most detailed level to report, SLS_LOG_ERROR to SLS_LOG_DEBUG. Ignored if
 *                   callback is NULL.
 *
 * @return SLS_OK; SLS_ERROR_ARGUMENT if max_level is out of range; SLS_ERROR_STATE if called from
 * within the callback, or if a Rust program has installed its own logger.
 *
 * Threads: any. There is one callback per process. Blocks: until running calls of the previous
 * callback have returned; after that, the previous callback and its user pointer are no longer
 * used. Allocates: nothing.
 */
SLS_API sls_status sls_set_log_callback(sls_log_callback callback, void *user, int32_t max_level);

/**
 * Initialises a frame: sets struct_size, and every other field to 0.
 *
 * @param frame        not NULL.
 * @param struct_size  sizeof(sls_frame).
 *
 * @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI.
 *
 * Threads: any. Blocks: no. Allocates: nothing.
 */
SLS_API sls_status sls_frame_init(sls_frame *frame, size_t struct_size);

/**
 * Initialises engine options with the default values.
 *
 * @param options      not NULL.
 * @param struct_size  sizeof(sls_engine_options).
 *
 * @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI.
 *
 * Threads: any. Blocks: no. Allocates: nothing.
 */
SLS_API sls_status sls_engine_options_init(sls_engine_options *options, size_t struct_size);

/**
 * Initialises an sls_info: sets struct_size, and every other field to 0.
 *
 * @param info         not NULL.
 * @param struct_size  sizeof(sls_info).
 *
 * @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI.
 *
 * Threads: any. Blocks: no. Allocates: nothing.
 */
SLS_API sls_status sls_info_init(sls_info *info, size_t struct_size);

/**
 * Creates an engine: loads ONNX Runtime and the networks.
 *
 * The ONNX Runtime library is searched for in this order: the path in the environment variable
 * STYLELIPSYNC_ORT; next to this library and next to the program, and in ../lib/stylelipsync from
 * there; the user's cache folder, which
 * `stylelipsync doctor --fetch` fills. The library itself never accesses a network. ONNX Runtime
 * stays loaded until the process exits.
 *
 * @param abi_version  SLS_ABI_VERSION.
 * @param options      NULL for the defaults.
 * @param engine       not NULL; receives the engine. The caller owns it and destroys it with
 *                     sls_engine_destroy().
 *
 * @return SLS_OK; SLS_ERROR_ABI, SLS_ERROR_NULL, SLS_ERROR_ARGUMENT; SLS_ERROR_RUNTIME if ONNX
 * Runtime is not found; SLS_ERROR_BUNDLE or SLS_ERROR_READ if the bundle cannot be loaded;
 * SLS_ERROR_PROVIDER; SLS_ERROR_NETWORK. On failure *engine is not written.
 *
 * Threads: any. Blocks: up to several seconds. Allocates: the engine.
 */
SLS_API
sls_status sls_engine_create(int32_t abi_version,
                             const sls_engine_options *options,
                             sls_engine **engine);

/**
 * Destroys an engine. Clips created from it remain valid and keep the networks loaded.
 *
 * @param engine  may be NULL. No other call may be using it.
 *
 * Threads: any. Blocks: no.
 */
SLS_API void sls_engine_destroy(sls_engine *engine);

/**
 * Returns the properties of an engine: the provider in use, its device, the bundle.
 *
 * @param engine  not NULL.
 * @param info    not NULL, with struct_size set; receives the properties.
 *
 * @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI.
 *
 * Threads: any; concurrent. Blocks: no. Allocates: nothing.
 */
SLS_API sls_status sls_engine_info(const sls_engine *engine, sls_info *info);

/**
 * Returns a provider that was tried and rejected, and the reason.
 *
 * @param engine    not NULL.
 * @param index     0 to sls_info.refused - 1.
 * @param provider  may be NULL; receives one of SLS_PROVIDER_*.
 * @param reason    may be NULL; receives an error message in UTF-8, valid until the engine is
 *                  destroyed.
 *
 * @return SLS_OK, SLS_ERROR_NULL; SLS_ERROR_ARGUMENT if index is out of range.
 *
 * Threads: any; concurrent. Blocks: no. Allocates: nothing.
 */
SLS_API
sls_status sls_engine_refused(const sls_engine *engine,
                              int32_t index,
                              int32_t *provider,
                              const char **reason);

/**
 * Copies the error message of the last call on this engine, on any thread, that did not return
 * SLS_OK.
 *
 * @param engine    may be NULL: the message is then empty.
 * @param buffer    may be NULL; receives NUL-terminated UTF-8, truncated if it does not fit.
 * @param capacity  size of buffer in bytes.
 *
 * @return the size of the whole message in bytes, including its NUL.
 *
 * Threads: any; concurrent. Blocks: no.
 */
SLS_API size_t sls_engine_last_error(const sls_engine *engine, char *buffer, size_t capacity);

/**
 * Initialises clip options with the default values.
 *
 * @param options      not NULL.
 * @param struct_size  sizeof(sls_clip_options).
 *
 * @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI.
 *
 * Threads: any. Blocks: no. Allocates: nothing.
 */
SLS_API sls_status sls_clip_options_init(sls_clip_options *options, size_t struct_size);

/**
 * Creates a clip.
 *
 * @param engine   not NULL. It may be destroyed before the clip.
 * @param options  NULL for the defaults.
 * @param clip     not NULL; receives the clip. The caller owns it and destroys it with
 *                 sls_clip_destroy().
 *
 * @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI, SLS_ERROR_ARGUMENT; for SLS_SELECT_PICTURE SLS_ERROR_FRAME,
 * SLS_ERROR_NO_FACE, SLS_ERROR_STATE if the bundle cannot tell people apart, SLS_ERROR_NETWORK. On failure
 * *clip is not written.
 *
 * Threads: any; concurrent. Blocks: while networks look at a picture. Allocates: the clip.
 */
SLS_API
sls_status sls_clip_create(const sls_engine *engine,
                           const sls_clip_options *options,
                           sls_clip **clip);

/**
 * Destroys a clip.
 *
 * @param clip  may be NULL. No other call may be using it.
 *
 * Threads: any. Blocks: no.
 */
SLS_API void sls_clip_destroy(sls_clip *clip);

/**
 * Cancels the calls that other threads are making on a clip: they return SLS_ERROR_CANCELLED. A
 * running network stops between two of its operators, on the CPU within a few milliseconds. A call
 * that has just finished keeps its result. Calls that begin later are not affected. A cancelled
 * call leaves the clip unchanged and can be repeated.
 *
 * @param clip  not NULL.
 *
 * @return SLS_OK, SLS_ERROR_NULL.
 *
 * Threads: any; concurrent with every call. Blocks: no.
 */
SLS_API sls_status sls_clip_cancel(const sls_clip *clip);

/**
 * Returns the number of bytes that a clip holds in queued frames, audio and pictures of the face: what
 * sls_clip_options.memory_limit limits.
 *
 * @param clip   not NULL.
 * @param bytes  not NULL; receives the number of bytes.
 *
 * @return SLS_OK, SLS_ERROR_NULL.
 *
 * Threads: any; concurrent. Blocks: while an exclusive call runs. Allocates: nothing.
 */
SLS_API
sls_status sls_clip_memory(const sls_clip *clip,
                           uint64_t *bytes);

/**
 * Sets the reference: a frame that shows what the person looks like. Its largest face is used.
 * Choose a sharp frame in which the face looks towards the camera. The reference applies to all
 * frames, and is kept by sls_clip_reset(). It replaces all references that were set or added, and
 * the frames of the clip itself are not used then.
 *
 * If none is set or added, the profile of the clip's own frames is used: see
 * sls_clip_finish_analysis().
 *
 * @param clip   not NULL.
 * @param frame  not NULL.
 *
 * @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI, SLS_ERROR_FRAME; SLS_ERROR_NO_FACE;
 * SLS_ERROR_MEMORY, SLS_ERROR_NETWORK, SLS_ERROR_CANCELLED. On failure the previous reference stays
 * in use.
 *
 * Threads: any; exclusive. Blocks: while networks run. Allocates: the reference, held by the clip.
 */
SLS_API sls_status sls_clip_set_reference(sls_clip *clip, const sls_frame *frame);

/**
 * Adds a reference to those that were set or added: the same person with another mouth shape or
 * pose, for instance with open mouth and visible teeth. Each frame is rendered from the one to three
 * references whose mouth shape and pose are nearest. Masks and lips follow the first reference; if
 * none is set, this one is the first.
 *
 * @param clip   not NULL.
 * @param frame  not NULL.
 *
 * @return as sls_clip_set_reference(), and SLS_ERROR_STATE if the clip has 32 references. On failure
 * the previous references stay in use.
 *
 * Threads: any; exclusive. Blocks: while networks run. Allocates: the reference (256 to 896 KiB), held by
 * the clip.
 */
SLS_API
sls_status sls_clip_add_reference(sls_clip *clip,
                                  const sls_frame *frame);

/**
 * Removes all references that were set or added. The profile of the clip's own frames is then used.
 *
 * @param clip  not NULL.
 *
 * @return SLS_OK, SLS_ERROR_NULL.
 *
 * Threads: any; exclusive. Blocks: while another call runs. Allocates: nothing.
 */
SLS_API sls_status sls_clip_clear_reference(sls_clip *clip);

/**
 * Copies the error message of the last call on this clip, on any thread, that did not return
 * SLS_OK.
 *
 * @param clip      may be NULL: the message is then empty.
 * @param buffer    may be NULL; receives NUL-terminated UTF-8, truncated if it does not fit.
 * @param capacity  size of buffer in bytes.
 *
 * @return the size of the whole message in bytes, including its NUL.
 *
 * Threads: any; concurrent with every call. Blocks: no.
 */
SLS_API size_t sls_clip_last_error(const sls_clip *clip, char *buffer, size_t capacity);

/**
 * Discards the results of all sls_clip_analyze() calls and of sls_clip_finish_analysis(). Use it when
 * the frames of the clip have changed.
 *
 * @param clip  not NULL.
 *
 * @return SLS_OK, SLS_ERROR_NULL.
 *
 * Threads: any; exclusive. Blocks: while another call runs. Allocates: nothing.
 */
SLS_API
sls_status sls_clip_forget_analysis(sls_clip *clip);

/**
 * Detects the faces in a frame and stores them in the clip. sls_clip_render() smooths the position
 * of a face over the analysed frames up to two before and two after it, and makes the profile of the
 * person in each shot, if no reference is set, from the first 25 frames from the first face on, or from
 * all frames after sls_clip_finish_analysis(). So analyse the whole clip, or at least its first second and the
 * neighbours of the frames to be rendered. Any order is allowed. A frame that
 * is already analysed is not analysed again, even if its pixels changed; call
 * sls_clip_forget_analysis() first.
 *
 * @param clip   not NULL.
 * @param index  index of the frame.
 * @param frame  not NULL.
 * @param faces  may be NULL; receives the number of faces found.
 *
 * @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI, SLS_ERROR_FRAME, SLS_ERROR_NETWORK,
 * SLS_ERROR_CANCELLED; SLS_ERROR_STATE if SLS_SELECT_FACE is used and a later frame was analysed
 * before this one, because ids are assigned in frame order. On failure nothing is stored.
 *
 * Threads: any; concurrent. Blocks: while networks run. Allocates: about 800 bytes per frame and
 * face, and pictures of the face, held by the clip. A picture takes 256 KiB, or up to 896 KiB if the face
 * is larger in the frame than the model's 256 pixels and sls_clip_options.memory_limit leaves room. A
 * clip of one shot holds at most 121 of them and some candidates for the reference; a film of many
 * shots fewer for each, and none for the shots after the first 1000. Under a memory limit they take
 * about a quarter of it.
 */
SLS_API
sls_status sls_clip_analyze(sls_clip *clip,
                            int64_t index,
                            const sls_frame *frame,
                            int32_t *faces);

/**
 * Freezes the profile of the person: for each shot the reference, and a bank of at most 48 analysed
 * frames that cover the mouth shapes and poses of the person, of all shots together at most 96 and two
 * for each shot. Each frame is rendered from the one to three frames
 * of the bank whose mouth shape and pose are nearest, so mouth and teeth are the person's own. Call it
 * when all frames of the clip are analysed, before sls_clip_render() or the stream. Clips with equal
 * profiles render equal bytes.
 *
 * Where the whole audio is set, the mouth then moves as far as the person's did in these frames: their
 * range over that of the speech, 0.45 to 2.2. Audio that is pushed counts as typical speech.
 *
 * Without this call the profile of each shot is made from its first 25 frames from the first face on: of
 * the analysed frames, or if there are none, of the stream. Frames that are analysed after it do not
 * change the profile. A further call changes nothing and returns SLS_OK; call
 * sls_clip_forget_analysis() to begin again. The profile is not used while a reference is set.
 *
 * @param clip  not NULL.
 *
 * @return SLS_OK, SLS_ERROR_NULL; SLS_ERROR_STATE if no frame was analysed; SLS_ERROR_NO_FACE if no
 * analysed frame shows the face well enough; SLS_ERROR_NETWORK, SLS_ERROR_CANCELLED. On failure the
 * profile is not frozen.
 *
 * Threads: any; exclusive. Blocks: while networks run. Allocates: the pictures of the bank, of
 * 256 to 896 KiB as sls_clip_analyze() states, held by the clip; frees those that it was chosen from.
 */
SLS_API
sls_status sls_clip_finish_analysis(sls_clip *clip);

/**
 * Writes the finished analysis of the clip to a file: the faces of its frames, its shots, and the
 * pictures of the bank. A clip that loads it needs no sls_clip_analyze(): other audio, other processes
 * and other machines render from one analysis. A frame takes about 800 bytes for each face, and a
 * picture of the bank 256 to 896 KiB. The file holds pictures of the person's face: treat it like the footage.
 *
 * @param clip  not NULL.
 * @param path  not NULL; UTF-8. An existing file is replaced once the new one is complete.
 *
 * @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ARGUMENT, SLS_ERROR_WRITE; SLS_ERROR_STATE before
 * sls_clip_finish_analysis().
 *
 * Threads: any; concurrent. Blocks: while it writes the file. Allocates: the file's size, until it
 * returns.
 */
SLS_API
sls_status sls_clip_save_analysis(const sls_clip *clip,
                                  const char *path);

/**
 * Replaces the analysis of the clip by one from a file. It is finished, and renders the same bytes as
 * the one that was saved. The clip must have the same face selection and transfer function, and its
 * engine the same bundle. sls_clip_render() returns SLS_ERROR_STATE if the frame of an analysed index is
 * not the picture that was analysed; it compares samples of its rows, its size and its pixel format.
 * Frames of other indices are rendered as frames that were not analysed.
 *
 * @param clip  not NULL.
 * @param path  not NULL; UTF-8.
 *
 * @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ARGUMENT, SLS_ERROR_READ, SLS_ERROR_NETWORK;
 * SLS_ERROR_ANALYSIS if the file is not an analysis file, is damaged, or was made with another bundle,
 * face selection or transfer function; SLS_ERROR_MEMORY if the pictures of its bank exceed
 * sls_clip_options.memory_limit. On failure the analysis stays as it was.
 *
 * Threads: any; exclusive. Blocks: while it reads the file and networks run. Allocates: the analysis,
 * held by the clip, and the file's size until it returns.
 */
SLS_API
sls_status sls_clip_load_analysis(sls_clip *clip,
                                  const char *path);

/**
 * Returns the shot of a frame: the frames between two cuts. A cut is found where two analysed frames
 * that follow each other do not look alike; frames that were not analysed are taken for frames of the
 * shot before them. Smoothing and the profile of the person end at a cut; a person who is recognised after it
 * keeps the id of the face. The flash of a camera counts as a cut. A dissolve of at least six frames is found by
 * sls_clip_finish_analysis(): a shot ends in its middle, where the mouth is left unchanged, and is changed more and
 * more weakly towards it.
 *
 * @param clip   not NULL.
 * @param index  index of the frame.
 * @param first  may be NULL; receives the index of the shot's first analysed frame.
 * @param next   may be NULL; receives the index of the first frame of the next shot, or INT64_MAX if no
 *               later cut was found.
 *
 * @return SLS_OK, SLS_ERROR_NULL; SLS_ERROR_STATE if no frame was analysed.
 *
 * Threads: any; concurrent. Blocks: while an exclusive call runs. Allocates: nothing that it keeps.
 */
SLS_API
sls_status sls_clip_shot(const sls_clip *clip,
                         int64_t index,
                         int64_t *first,
                         int64_t *next);

/**
 * Initialises an sls_face: sets struct_size, and every other field to 0.
 *
 * @param face         not NULL.
 * @param struct_size  sizeof(sls_face).
 *
 * @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI.
 *
 * Threads: any. Blocks: no. Allocates: nothing.
 */
SLS_API sls_status sls_face_init(sls_face *face, size_t struct_size);

/**
 * Returns a face that was found in an analysed frame.
 *
 * @param clip     not NULL.
 * @param index    index of the frame.
 * @param ordinal  0 to the number of faces that sls_clip_analyze() returned, minus 1.
 * @param face     not NULL, with struct_size set; receives the face.
 *
 * @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI; SLS_ERROR_STATE if the frame was not analysed;
 * SLS_ERROR_ARGUMENT if ordinal is out of range.
 *
 * Threads: any; concurrent. Blocks: while an exclusive call runs.
 */
SLS_API
sls_status sls_clip_face(const sls_clip *clip,
                         int64_t index,
                         int32_t ordinal,
                         sls_face *face);

/**
 * Sets all of the clip's audio. If it is shorter than the clip, silence follows; if it is longer,
 * the rest is ignored. It may be called in the middle of a stream: frames pulled after it use the
 * new audio.
 *
 * @param clip      not NULL.
 * @param samples   frames * channels interleaved samples, nominally -1 to 1; they are copied.
 *                  Infinite and NaN samples count as silence. NULL is allowed only if frames is 0.
 * @param frames    number of samples per channel.
 * @param rate      sample rate in Hz, 1000 to 768000.
 * @param channels  number of channels, 1 to 64. They are mixed down to mono; 3 to 8 channels are
 *                  read as left, right, centre, then (from 6 channels on) low-frequency effects,
 *                  then surround.
 *
 * @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ARGUMENT; SLS_ERROR_NO_AUDIO if there are no samples;
 * SLS_ERROR_MEMORY, SLS_ERROR_CANCELLED. On failure the previous audio stays in use.
 *
 * Threads: any; exclusive. Blocks: while it resamples, a fraction of a second per minute of audio.
 * Allocates: the audio as 16 kHz mono float, held by the clip.
 */
SLS_API
sls_status sls_clip_set_audio(sls_clip *clip,
                              const float *samples,
                              uint64_t frames,
                              uint32_t rate,
                              int32_t channels);

/**
 * Sets all of the clip's audio from a file, as sls_clip_set_audio() does. Containers: WAV, RF64, W64,
 * AIFF, CAF, FLAC, MP3, ADTS, Ogg, MP4 (M4A, MOV), Matroska (WebM). Codecs: PCM, FLAC, ALAC, MP3,
 * AAC-LC, Vorbis, Opus, at any sample rate and with any number of channels. Padding of the encoder is
 * dropped, and silence stands where a track begins late or has a gap.
 *
 * @param clip  not NULL.
 * @param path  not NULL; UTF-8; relative to the working directory of the process.
 *
 * @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ARGUMENT; SLS_ERROR_READ if the file cannot be opened;
 * SLS_ERROR_AUDIO if it is not an audio file, is truncated, or uses an unsupported codec;
 * SLS_ERROR_NO_AUDIO if it contains no samples; SLS_ERROR_MEMORY, SLS_ERROR_CANCELLED. On failure
 * the previous audio stays in use.
 *
 * Threads: any; exclusive. Blocks: while it reads and decodes. Allocates: as sls_clip_set_audio().
 */
SLS_API
sls_status sls_clip_load_audio(sls_clip *clip,
                               const char *path);

/**
 * Appends audio to the stream, in chunks of any size; the size does not affect the result. Once
 * audio was pushed, the clip is a stream and sls_clip_render() is not available: it needs all of
 * the audio.
 *
 * @param clip      not NULL.
 * @param samples   as for sls_clip_set_audio().
 * @param frames    as for sls_clip_set_audio().
 * @param rate      as for sls_clip_set_audio(); the same in every call.
 * @param channels  as for sls_clip_set_audio(); the same in every call.
 *
 * @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ARGUMENT, SLS_ERROR_MEMORY; SLS_ERROR_STATE after
 * sls_clip_finish_audio(), sls_clip_set_audio() or sls_clip_load_audio(). On failure nothing is
 * appended.
 *
 * Threads: any; exclusive. Blocks: while another call runs. Allocates: the chunk as 16 kHz mono
 * float, held by the clip until no later frame needs it.
 */
SLS_API
sls_status sls_clip_push_audio(sls_clip *clip,
                               const float *samples,
                               uint64_t frames,
                               uint32_t rate,
                               int32_t channels);

/**
 * Marks the end of pushed audio: silence follows.
 *
 * @param clip  not NULL.
 *
 * @return SLS_OK, SLS_ERROR_NULL; SLS_ERROR_NO_AUDIO if none was pushed.
 *
 * Threads: any; exclusive. Blocks: while another call runs.
 */
SLS_API sls_status sls_clip_finish_audio(sls_clip *clip);

/**
 * Discards the pushed audio from a clip time on, for instance when a live speaker is interrupted.
 * Audio pushed next starts at that time, and may have another rate and number of channels. Queued
 * frames use the new audio. If the time lies after the last sample, silence fills the gap.
 *
 * @param clip      not NULL.
 * @param position  clip time in 1/16000 s.
 *
 * @return SLS_OK, SLS_ERROR_NULL; SLS_ERROR_STATE if no audio was pushed; SLS_ERROR_ARGUMENT if
 * the position lies before the audio that the next frame needs; SLS_ERROR_MEMORY if it lies so far
 * ahead that the silence does not fit in memory. On failure the audio is unchanged.
 *
 * Threads: any; exclusive. Blocks: while another call runs. Allocates: the silence, if any.
 */
SLS_API sls_status sls_clip_cut_audio(sls_clip *clip, int64_t position);

/**
 * Initialises an sls_layers: sets struct_size, and every other field to 0.
 *
 * @param layers       not NULL.
 * @param struct_size  sizeof(sls_layers).
 *
 * @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI.
 *
 * Threads: any. Blocks: no. Allocates: nothing.
 */
SLS_API sls_status sls_layers_init(sls_layers *layers, size_t struct_size);

/**
 * Initialises an sls_render_result: sets struct_size, and every other field to 0.
 *
 * @param result       not NULL.
 * @param struct_size  sizeof(sls_render_result).
 *
 * @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI.
 *
 * Threads: any. Blocks: no. Allocates: nothing.
 */
SLS_API sls_status sls_render_result_init(sls_render_result *result, size_t struct_size);

/**
 * Initialises render options with the default values.
 *
 * @param options      not NULL.
 * @param struct_size  sizeof(sls_render_options).
 *
 * @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI.
 *
 * Threads: any. Blocks: no. Allocates: nothing.
 */
SLS_API sls_status sls_render_options_init(sls_render_options *options, size_t struct_size);

/**
 * Renders any frame of a clip, in any order. The output depends only on the clip's options, audio,
 * reference and analysed frames, and on the source pixels. It does not depend on which frames were
 * rendered before or on the number of threads, and equals the output of the stream (on the same
 * machine and execution provider). Pixels outside the feathered edge of the mouth region are
 * copied bit for bit.
 *
 * @param clip         not NULL.
 * @param index        index of the frame.
 * @param source       not NULL; the frame's pixels.
 * @param destination  not NULL; same format, width and height as source. May be the memory of
 *                     source: the library then works on a copy.
 * @param options      NULL for the defaults.
 * @param result       may be NULL.
 *
 * @return SLS_OK, also for a frame without a face, which is copied; SLS_ERROR_NULL, SLS_ERROR_ABI,
 * SLS_ERROR_FRAME, SLS_ERROR_ARGUMENT; SLS_ERROR_NO_AUDIO if no audio was set; SLS_ERROR_STATE if
 * audio was pushed; SLS_ERROR_MEMORY, SLS_ERROR_NETWORK, SLS_ERROR_CONSENT, SLS_ERROR_CANCELLED. On failure only the
 * pixels of destination may have been written; their content is undefined.
 *
 * Threads: any; concurrent. Blocks: while networks run. Allocates: working memory, which the clip
 * reuses.
 */
SLS_API
sls_status sls_clip_render(const sls_clip *clip,
                           int64_t index,
                           const sls_frame *source,
                           const sls_frame *destination,
                           const sls_render_options *options,
                           sls_render_result *result);

/**
 * Returns how much input a stream needs beyond the frame that is pulled.
 *
 * @param clip       not NULL.
 * @param frames     may be NULL; receives the number of later frames needed.
 * @param audio      may be NULL; receives the audio needed after the frame's time, in 1/16000 s.
 *                   Up to 20 ms more if the sample rate is not 16 kHz, and up to 20 ms more for
 *                   frames that are pushed with a time of their own.
 * @param reference  may be NULL; receives the number of frames of a shot needed before its first frame
 *                   can be pulled, if no reference is set; fewer if the shot ends before that.
 *
 * @return SLS_OK, SLS_ERROR_NULL.
 *
 * Threads: any; concurrent. Blocks: while an exclusive call runs. Allocates: nothing.
 */
SLS_API
sls_status sls_clip_look_ahead(const sls_clip *clip,
                               int32_t *frames,
                               int64_t *audio,
                               int32_t *reference);

/**
 * Appends a frame to the stream. Its time follows from the clip's frame rate or times.
 *
 * @param clip   not NULL.
 * @param frame  not NULL; it is copied.
 * @param index  may be NULL; receives the index of the frame: 0, or the index passed to
 *               sls_clip_seek(), for the first frame, then rising by 1.
 *
 * @return SLS_OK; SLS_AGAIN if the queue is full: pull frames first; SLS_ERROR_NULL,
 * SLS_ERROR_ABI; SLS_ERROR_FRAME, also if size or format differ from the first frame of the
 * stream; SLS_ERROR_ARGUMENT after the last frame of sls_clip_options.times; SLS_ERROR_STATE after
 * sls_clip_flush(); SLS_ERROR_MEMORY, SLS_ERROR_NETWORK, SLS_ERROR_CANCELLED. The frame is
 * appended only if SLS_OK is returned.
 *
 * Threads: any; exclusive. Blocks: while networks run. Allocates: a copy of the frame, held by the
 * clip until it is pulled.
 */
SLS_API sls_status sls_clip_push_frame(sls_clip *clip, const sls_frame *frame, int64_t *index);

/**
 * Appends a frame to the stream at a given time, for streams whose frame rate is not known in
 * advance.
 *
 * @param clip      not NULL.
 * @param position  clip time of the frame in 1/16000 s; not before the previous frame.
 * @param frame     not NULL; it is copied.
 * @param index     may be NULL; receives the index of the frame.
 *
 * @return as sls_clip_push_frame(), and SLS_ERROR_ARGUMENT if position lies before the previous
 * frame.
 *
 * Threads: any; exclusive. Blocks: while networks run. Allocates: as sls_clip_push_frame().
 */
SLS_API
sls_status sls_clip_push_frame_at(sls_clip *clip,
                                  int64_t position,
                                  const sls_frame *frame,
                                  int64_t *index);

/**
 * Converts a time stamp to a clip time in 1/16000 s, the unit of sls_clip_push_frame_at(),
 * sls_clip_cut_audio() and sls_clip_options.times.
 *
 * @param ticks     time stamp in units of num / den seconds.
 * @param num       numerator of the time base, at least 1.
 * @param den       denominator of the time base, at least 1. Examples: 1 / 90000, 1001 / 30000.
 * @param position  not NULL; receives the clip time, rounded half up.
 *
 * @return SLS_OK, SLS_ERROR_NULL; SLS_ERROR_ARGUMENT if num or den is 0, or the result is out of
 * range.
 *
 * Threads: any. Blocks: no. Allocates: nothing.
 */
SLS_API sls_status sls_position(int64_t ticks, uint32_t num, uint32_t den, int64_t *position);

/**
 * Renders the next frame of the stream.
 *
 * @param clip         not NULL.
 * @param destination  not NULL; same format, width and height as the pushed frames.
 * @param options      NULL for the defaults.
 * @param result       may be NULL.
 *
 * @return SLS_OK; SLS_AGAIN if more frames or more audio must be pushed (sls_clip_stream_need()
 * tells which); SLS_END after the last
 * frame of a flushed stream; SLS_ERROR_NULL, SLS_ERROR_ABI, SLS_ERROR_FRAME, SLS_ERROR_ARGUMENT;
 * SLS_ERROR_NO_AUDIO if the stream was flushed without any audio; SLS_ERROR_MEMORY,
 * SLS_ERROR_NETWORK, SLS_ERROR_CANCELLED. On failure the same frame can be pulled again; only the
 * pixels of destination may have been written, and their content is undefined.
 *
 * Threads: any; exclusive. Blocks: while networks run. Allocates: working memory, which the clip
 * reuses.
 */
SLS_API
sls_status sls_clip_pull_frame(sls_clip *clip,
                               const sls_frame *destination,
                               const sls_render_options *options,
                               sls_render_result *result);

/**
 * Renders the next frame of the stream into memory from a callback, for instance a frame pool,
 * pinned memory or a mapped file. The callback is called only if a frame is ready to be rendered.
 *
 * @param clip         not NULL.
 * @param allocate     not NULL.
 * @param user         passed to the callback unchanged; may be NULL.
 * @param destination  not NULL, with struct_size set; receives the description of the frame. Its
 *                     memory belongs to the caller, also if rendering fails after the callback.
 * @param options      NULL for the defaults.
 * @param result       may be NULL.
 *
 * @return as sls_clip_pull_frame(); SLS_ERROR_MEMORY if the callback fails; SLS_ERROR_NULL or
 * SLS_ERROR_FRAME if it sets an invalid data or stride.
 *
 * Threads: any; exclusive. Blocks: while networks run. Allocates: as sls_clip_pull_frame().
 */
SLS_API
sls_status sls_clip_pull_allocated(sls_clip *clip,
                                   sls_allocate_callback allocate,
                                   void *user,
                                   sls_frame *destination,
                                   const sls_render_options *options,
                                   sls_render_result *result);

/**
 * Tells what the stream needs before the next frame can be pulled, for instance after SLS_AGAIN. If
 * sls_clip_push_frame() returned SLS_AGAIN, SLS_NEED_NOTHING means that frames must be pulled, and
 * SLS_NEED_AUDIO that the queued frames wait for audio.
 *
 * @param clip  not NULL.
 * @param need  not NULL; receives one of SLS_NEED_*. If both are missing, SLS_NEED_FRAMES.
 *
 * @return SLS_OK; SLS_END after the last frame of a flushed stream; SLS_ERROR_NULL;
 * SLS_ERROR_NO_AUDIO if the stream was flushed without any audio; SLS_ERROR_CONSENT,
 * SLS_ERROR_MEMORY, SLS_ERROR_NETWORK, SLS_ERROR_CANCELLED.
 *
 * Threads: any; concurrent. Blocks: while an exclusive call runs, and while networks run, at most once
 * per shot. Allocates: what the frame is rendered from, held by the clip.
 */
SLS_API
sls_status sls_clip_stream_need(const sls_clip *clip,
                                int32_t *need);

/**
 * Marks the end of frames and audio: all queued frames can now be pulled, until SLS_END.
 *
 * @param clip  not NULL.
 *
 * @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_MEMORY.
 *
 * Threads: any; exclusive. Blocks: while another call runs.
 */
SLS_API sls_status sls_clip_flush(sls_clip *clip);

/**
 * Restarts the stream at frame 0. Queued frames and pushed audio are discarded, and so is the list of
 * changed frames (sls_clip_provenance()); audio set as a whole, the reference that was set, and the
 * analysis are kept.
 *
 * @param clip  not NULL.
 *
 * @return SLS_OK, SLS_ERROR_NULL.
 *
 * Threads: any; exclusive. Blocks: while another call runs. Allocates: nothing.
 */
SLS_API
sls_status sls_clip_reset(sls_clip *clip);

/**
 * Restarts the stream at another frame: as sls_clip_reset(), but the next frame pushed gets the
 * given index, the next audio pushed starts at the time of that frame, and the list of changed frames is
 * kept.
 *
 * A mouth depends on up to two seconds of audio before its frame. With pushed audio, frames nearer
 * than that to index may therefore differ from random access: seek two seconds earlier and drop these
 * frames where that matters.
 *
 * @param clip   not NULL.
 * @param index  index of the next frame.
 *
 * @return SLS_OK, SLS_ERROR_NULL; SLS_ERROR_ARGUMENT if index is outside sls_clip_options.times.
 * On failure the stream is unchanged.
 *
 * Threads: any; exclusive. Blocks: while another call runs. Allocates: nothing.
 */
SLS_API
sls_status sls_clip_seek(sls_clip *clip,
                         int64_t index);

/**
 * Initialises adaptation options with the default values.
 *
 * @param options      not NULL.
 * @param struct_size  sizeof(sls_adapt_options).
 *
 * @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI.
 *
 * Threads: any. Blocks: no. Allocates: nothing.
 */
SLS_API sls_status sls_adapt_options_init(sls_adapt_options *options, size_t struct_size);

/**
 * Creates an adaptation job from a clip of a person speaking (section 4 of the StyleLipSync
 * paper). The clip's audio must be set with sls_clip_set_audio() or sls_clip_load_audio(), and its
 * frames must be analysed. Then pass the frames that sls_adapt_wants() asks for to
 * sls_adapt_add_frame(), and call sls_adapt_run().
 *
 * @param clip     not NULL.
 * @param options  NULL for the defaults.
 * @param adapt    not NULL; receives the job. The caller owns it and destroys it with
 *                 sls_adapt_destroy().
 *
 * @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI; SLS_ERROR_ARGUMENT if an option is out of range,
 * or the clip is shorter than two seconds or shows two people; SLS_ERROR_NO_AUDIO,
 * SLS_ERROR_NO_FACE; SLS_ERROR_STATE if audio was pushed; SLS_ERROR_BUNDLE if the bundle does not
 * support adaptation; SLS_ERROR_NETWORK, SLS_ERROR_CANCELLED. On failure *adapt is not written.
 *
 * Threads: any; concurrent on the clip. Blocks: while networks run. Allocates: the job.
 */
SLS_API
sls_status sls_adapt_create(const sls_clip *clip,
                            const sls_adapt_options *options,
                            sls_adapt **adapt);

/**
 * Destroys an adaptation job.
 *
 * @param adapt  may be NULL. No other call may be using it.
 *
 * Threads: any. Blocks: no.
 */
SLS_API void sls_adapt_destroy(sls_adapt *adapt);

/**
 * Tells whether a frame is used for training and was not added yet.
 *
 * @param adapt  not NULL.
 * @param index  index of the frame.
 * @param wants  not NULL; receives 1 if the frame is needed, else 0.
 *
 * @return SLS_OK, SLS_ERROR_NULL.
 *
 * Threads: any; concurrent. Blocks: while sls_adapt_add_frame() runs. Allocates: nothing.
 */
SLS_API sls_status sls_adapt_wants(const sls_adapt *adapt, int64_t index, int32_t *wants);

/**
 * Adds a frame to the training set. Frames that are not needed are ignored; see sls_adapt_wants().
 *
 * @param adapt  not NULL.
 * @param clip   not NULL; the clip that the job was created from.
 * @param index  index of the frame.
 * @param frame  not NULL.
 *
 * @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI, SLS_ERROR_FRAME, SLS_ERROR_STATE,
 * SLS_ERROR_NETWORK, SLS_ERROR_CANCELLED.
 *
 * Threads: any; exclusive on the job, concurrent on the clip. Blocks: while networks run.
 * Allocates: about 0.2 MB per frame, held by the job.
 */
SLS_API
sls_status sls_adapt_add_frame(sls_adapt *adapt,
                               const sls_clip *clip,
                               int64_t index,
                               const sls_frame *frame);

/**
 * Runs the training until a limit of sls_adapt_options is reached. If that is the step limit, the
 * same clip, options and machine give the same person, also if the run was interrupted and resumed
 * from its checkpoint. The time limit and the plateau restart with each run.
 *
 * @param adapt     not NULL.
 * @param callback  may be NULL; see sls_adapt_callback.
 * @param user      passed to the callback unchanged; may be NULL.
 * @param person    not NULL; receives the person. The caller owns it and destroys it with
 *                  sls_person_destroy().
 *
 * @return SLS_OK, SLS_ERROR_NULL; SLS_ERROR_STATE if frames are missing; SLS_ERROR_CANCELLED;
 * SLS_ERROR_PERSON if the checkpoint belongs to another adaptation; SLS_ERROR_READ or
 * SLS_ERROR_WRITE for the checkpoint; SLS_ERROR_BUNDLE, SLS_ERROR_NETWORK. On failure *person is
 * not written.
 *
 * Threads: any. Blocks: for minutes. Allocates: the person, and working memory during the call.
 */
SLS_API
sls_status sls_adapt_run(sls_adapt *adapt,
                         sls_adapt_callback callback,
                         void *user,
                         sls_person **person);

/**
 * Cancels the calls that other threads are making on a job: they return SLS_ERROR_CANCELLED. A
 * running network stops between two of its operators. The checkpoint of a cancelled run contains
 * every completed step. Calls that begin later are not affected.
 *
 * @param adapt  not NULL.
 *
 * @return SLS_OK, SLS_ERROR_NULL.
 *
 * Threads: any; concurrent with every call. Blocks: no.
 */
SLS_API sls_status sls_adapt_cancel(sls_adapt *adapt);

/**
 * Copies the error message of the last call on this job, on any thread, that did not return
 * SLS_OK.
 *
 * @param adapt     may be NULL: the message is then empty.
 * @param buffer    may be NULL; receives NUL-terminated UTF-8, truncated if it does not fit.
 * @param capacity  size of buffer in bytes.
 *
 * @return the size of the whole message in bytes, including its NUL.
 *
 * Threads: any; concurrent with every call. Blocks: no.
 */
SLS_API size_t sls_adapt_last_error(const sls_adapt *adapt, char *buffer, size_t capacity);

/**
 * Loads a person file.
 *
 * @param engine  not NULL; it must use the bundle that the person was made from.
 * @param path    not NULL; UTF-8.
 * @param person  not NULL; receives the person. The caller owns it and destroys it with
 *                sls_person_destroy().
 *
 * @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ARGUMENT, SLS_ERROR_READ; SLS_ERROR_PERSON if the file
 * is not a person file, is damaged, or was made from another bundle. On failure *person is not
 * written.
 *
 * Threads: any; concurrent. Blocks: while it reads the file. Allocates: the person.
 */
SLS_API sls_status sls_person_load(const sls_engine *engine, const char *path, sls_person **person);

/**
 * Saves a person to a file. If it fails, no partial file is left behind.
 *
 * @param person  not NULL.
 * @param path    not NULL; UTF-8; an existing file is replaced.
 *
 * @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ARGUMENT, SLS_ERROR_WRITE.
 *
 * Threads: any; concurrent. Blocks: while it writes the file.
 */
SLS_API sls_status sls_person_save(const sls_person *person, const char *path);

/**
 * Destroys a person. Clips that use it keep what they need.
 *
 * @param person  may be NULL. No other call may be using it.
 *
 * Threads: any. Blocks: no.
 */
SLS_API void sls_person_destroy(sls_person *person);

/**
 * Sets the person that a clip is rendered with. Clips of one engine may use different persons;
 * clips with the same person share its network.
 *
 * @param clip    not NULL.
 * @param person  NULL: the bundle's own decoder. The person may be destroyed after the call.
 *
 * @return SLS_OK, SLS_ERROR_NULL; SLS_ERROR_STATE if the person was made from another bundle than
 * the clip's; SLS_ERROR_NETWORK. On failure the clip keeps its previous person.
 *
 * Threads: any; exclusive. Blocks: while a network is built, if no other clip of the engine uses
 * this person. Allocates: that network, shared by the clips that use the person.
 */
SLS_API sls_status sls_clip_set_person(sls_clip *clip, const sls_person *person);

/**
 * Initialises a speaker: sets struct_size, and every other field to 0.
 *
 * @param speaker      not NULL.
 * @param struct_size  sizeof(sls_speaker).
 *
 * @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI.
 *
 * Threads: any. Blocks: no. Allocates: nothing.
 */
SLS_API sls_status sls_speaker_init(sls_speaker *speaker, size_t struct_size);

/**
 * Adds a speaker to a clip: another face of its frames, with its own audio and person. The clip itself is
 * speaker 0, with the face of sls_clip_options, the audio of sls_clip_set_audio() and the person of
 * sls_clip_set_person(); all other options of the clip apply to every speaker. Frames are analysed once for all
 * speakers, and sls_clip_render() paints all of them. If two speakers select the same face of a frame, the one
 * that was added first paints it. A clip has at most 16 speakers.
 *
 * Add all speakers before the first frame is analysed, or an analysis is loaded. A clip with several speakers
 * has no stream: sls_clip_push_frame() returns SLS_ERROR_STATE.
 *
 * @param clip     not NULL.
 * @param speaker  not NULL.
 * @param number   may be NULL; receives the number of the speaker: 1, 2 and so on. See
 *                 sls_render_options.speakers.
 *
 * @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI, SLS_ERROR_ARGUMENT; SLS_ERROR_READ, SLS_ERROR_AUDIO,
 * SLS_ERROR_NO_AUDIO as sls_clip_load_audio(); SLS_ERROR_FRAME, SLS_ERROR_NO_FACE for a picture; SLS_ERROR_STATE
 * if frames were analysed or pushed, or the person was made from another bundle; SLS_ERROR_MEMORY, SLS_ERROR_NETWORK, SLS_ERROR_CANCELLED. On failure the clip
 * stays as it was.
 *
 * Threads: any; exclusive. Blocks: while audio is decoded and resampled, and while a network of the person is
 * built. Allocates: the audio as 16 kHz mono float, held by the clip.
 */
SLS_API
sls_status sls_clip_add_speaker(sls_clip *clip,
                                const sls_speaker *speaker,
                                int32_t *number);

/**
 * Finds the face that speaks in the audio that was recorded with a clip's frames, among the faces of all
 * analysed frames. A face must be in sight for 1.4 seconds without a cut. To lip-sync it, make a clip with
 * SLS_SELECT_FACE and this id, and analyse the same frames in rising order.
 *
 * @param clip      not NULL; its frames were analysed.
 * @param samples   not NULL; frames * channels interleaved samples, nominally -1 to 1. The first one belongs to
 *                  the clip time 0.
 * @param frames    number of samples per channel, at least 1.
 * @param rate      sample rate in Hz, 1000 to 768000.
 * @param channels  1 to 64; they are mixed down to mono.
 * @param face      not NULL; receives the id of the face.
 *
 * @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ARGUMENT, SLS_ERROR_NO_AUDIO; SLS_ERROR_NO_FACE if no face is in
 * sight for long enough; SLS_ERROR_BUNDLE if the bundle has no SyncNet; SLS_ERROR_NETWORK,
 * SLS_ERROR_CANCELLED. On failure *face is not written.
 *
 * Threads: any; concurrent. Blocks: while networks run. Allocates: the audio
 * as 16 kHz mono float, during the call.
 */
SLS_API
sls_status sls_clip_speaking_face(const sls_clip *clip,
                                  const float *samples,
                                  uint64_t frames,
                                  uint32_t rate,
                                  int32_t channels,
                                  uint32_t *face);

/**
 * Sets the consent of the person who is shown, from a JSON file with these fields: `who`, `when` (the first
 * day, such as "2026-05-03"), `scope`, `expires` (the last day; optional), and `document_sha256` (64
 * hexadecimal digits, of the document that the person signed). The fields are repeated in the provenance,
 * and are checked if sls_clip_options.require_consent is 1. They prove nothing by themselves: the document
 * does.
 *
 * @param clip  not NULL.
 * @param path  UTF-8; NULL removes the consent.
 *
 * @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ARGUMENT, SLS_ERROR_READ; SLS_ERROR_CONSENT if the file has
 * other fields or wrong values. On failure the previous consent stays. Expired consent is not an error here.
 *
 * Threads: any; exclusive. Blocks: while it reads the file. Allocates: the fields, held by the clip.
 */
SLS_API
sls_status sls_clip_load_consent(sls_clip *clip,
                                 const char *path);

/**
 * Describes what a clip's frames are rendered from, and which of them were changed, as a JSON object
 * for a report or for the program that signs the result (`stylelipsync sign`). The library signs nothing.
 *
 * The object has these fields, in this order: `format` ("stylelipsync.provenance") and `version` (1);
 * `software` (`name`, `version`); `action` ("c2pa.edited"); `digital_source_type` (a term of the IPTC);
 * `bundle` (`name`, `version`, `sha256` of its weights); `person` (null, or `sha256` of the file and
 * `tensors_sha256`); `audio` (null, or `sha256`, which is null here, and `samples_sha256` of the mono
 * samples at 16 kHz, null for a stream); `frames` (`changed`: ranges of frame indices, both ends
 * included; `changed_count`; `exact`: false if more than 1000 ranges were joined); `consent`, if
 * sls_clip_load_consent() set one (that of the person file is in `person`); `watermark` (null, or 16
 * hexadecimal digits). Later versions of the library may add fields.
 *
 * A frame counts as changed if it was rendered successfully and a pixel may differ from its source. The
 * frames are those since the clip was created or sls_clip_reset(). The order of calls and the number of
 * threads do not change the text.
 *
 * @param clip      not NULL.
 * @param buffer    NULL to ask for the size; else receives NUL-terminated UTF-8.
 * @param capacity  size of buffer in bytes.
 * @param size      not NULL; receives the size of the text in bytes, including its NUL.
 *
 * @return SLS_OK, SLS_ERROR_NULL; SLS_ERROR_ARGUMENT if buffer is not NULL and capacity is too small.
 * On failure nothing is written.
 *
 * Threads: any; concurrent. Blocks: while an exclusive call runs; it reads all of the audio. Allocates:
 * nothing that lasts.
 */
SLS_API
sls_status sls_clip_provenance(const sls_clip *clip,
                               char *buffer,
                               size_t capacity,
                               size_t *size);

/**
 * Puts an invisible watermark into every frame that is changed after the call. It carries 64 bits: the
 * product, and an identifier of 32 bits, which sls_clip_provenance() reports. It changes generated pixels
 * only, by about 1 of 255 levels, and is a function of the frame and the identifier.
 *
 * sls_detect_result() finds it in whole clips, also after common compression where the face is large; the
 * README has the figures. It can be removed: whoever has this library can find it and paint
 * over it.
 *
 * @param clip  not NULL. With SLS_WATERMARK_OF_INPUTS, set audio and person first.
 * @param id    0 for no watermark, which is the default; 1 to 2^32 - 1; or SLS_WATERMARK_OF_INPUTS.
 *
 * @return SLS_OK, SLS_ERROR_NULL; SLS_ERROR_ARGUMENT if id is out of range. On failure the clip keeps its
 * previous watermark.
 *
 * Threads: any; exclusive. Blocks: with SLS_WATERMARK_OF_INPUTS it reads all of the audio. Allocates:
 * 4 KiB for the clip.
 */
SLS_API
sls_status sls_clip_set_watermark(sls_clip *clip,
                                  uint64_t id);

/**
 * Creates a detector.
 *
 * @param engine         not NULL. It may be destroyed before the detector.
 * @param transfer_kind  transfer function of the frames' pixel values: one of SLS_TRANSFER_*.
 * @param detector       not NULL; receives the detector. The caller owns it and destroys it with
 *                       sls_detect_destroy().
 *
 * @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ARGUMENT. On failure *detector is not written.
 *
 * Threads: any; concurrent. Blocks: no. Allocates: the detector.
 */
SLS_API
sls_status sls_detect_create(const sls_engine *engine,
                             int32_t transfer_kind,
                             sls_detector **detector);

/**
 * Destroys a detector.
 *
 * @param detector  may be NULL. No other call may be using it.
 *
 * Threads: any. Blocks: no.
 */
SLS_API void sls_detect_destroy(sls_detector *detector);

/**
 * Adds the next frame of the video. All frames in their order give the best result.
 *
 * @param detector  not NULL.
 * @param frame     not NULL; its memory may be reused after the call.
 *
 * @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI, SLS_ERROR_FRAME, SLS_ERROR_MEMORY, SLS_ERROR_NETWORK.
 * After a failure the frame is left out.
 *
 * Threads: any; exclusive. Blocks: while the frame's faces are found. Allocates: copies of three frames.
 */
SLS_API
sls_status sls_detect_add_frame(sls_detector *detector,
                                const sls_frame *frame);

/**
 * Initialises an sls_detection: sets struct_size, and every other field to 0.
 *
 * @param detection    not NULL.
 * @param struct_size  sizeof(sls_detection).
 *
 * @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI.
 *
 * Threads: any. Blocks: no. Allocates: nothing.
 */
SLS_API sls_status sls_detection_init(sls_detection *detection, size_t struct_size);

/**
 * Returns what was found in the frames so far. More frames may be added afterwards.
 *
 * @param detector   not NULL.
 * @param detection  not NULL, with struct_size set; receives the result.
 *
 * @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ABI, SLS_ERROR_NETWORK. On failure nothing is written.
 *
 * Threads: any; exclusive. Blocks: while the last frames are read.
 */
SLS_API sls_status sls_detect_result(sls_detector *detector, sls_detection *detection);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* STYLELIPSYNC_H */

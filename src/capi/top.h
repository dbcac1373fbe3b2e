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

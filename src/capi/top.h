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

/*
 * A streaming filter: reads raw RGBA frames from standard input and writes the lip-synced frames to
 * standard output. Its memory use does not depend on the length of the video.
 *
 *     ffmpeg -i clip.mp4 -f rawvideo -pix_fmt rgba - \
 *       | filter 1280 720 25 1 speech.wav \
 *       | ffmpeg -f rawvideo -pix_fmt rgba -s 1280x720 -r 25 -i - -i speech.wav out.mp4
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include <stdio.h>
#include <stdlib.h>
#include <stylelipsync.h>

/* Exits with the library's error message if a call failed. */
static void must(sls_status status, const char *what)
{
    if (status == SLS_OK)
        return;
    fprintf(stderr, "filter: %s: %s\n", what, sls_last_error());
    exit(1);
}

/* Renders and writes every frame that is ready; `expected` is the status that ends the loop. */
static void drain(sls_clip *clip, sls_frame *out, size_t bytes, sls_status expected)
{
    sls_status status;
    while ((status = sls_clip_pull_frame(clip, out, NULL, NULL)) == SLS_OK) {
        if (fwrite(out->data, 1, bytes, stdout) != bytes) {
            perror("filter: standard output");
            exit(1);
        }
    }
    if (status != expected)
        must(status, "rendering");
}

int main(int argc, char **argv)
{
    sls_engine *engine = NULL;
    sls_clip_options options;
    sls_clip *clip = NULL;
    sls_frame in, out;
    size_t bytes, got;

    if (argc != 6) {
        fprintf(stderr, "usage: filter WIDTH HEIGHT RATE_NUM RATE_DEN SPEECH.wav\n");
        return 2;
    }
    must(sls_frame_init(&in, sizeof in), "frame");
    in.format = SLS_FORMAT_RGBA8;
    in.width = atoi(argv[1]);
    in.height = atoi(argv[2]);
    in.stride = 4 * (int64_t)in.width;
    if (in.width < 1 || in.height < 1 || in.width > 65536 || in.height > 65536) {
        fprintf(stderr, "filter: invalid size %sx%s\n", argv[1], argv[2]);
        return 2;
    }
    bytes = (size_t)in.stride * (size_t)in.height;
    out = in;
    in.data = malloc(bytes);
    out.data = malloc(bytes);
    if (in.data == NULL || out.data == NULL) {
        fprintf(stderr, "filter: out of memory\n");
        return 1;
    }

    must(sls_engine_create(SLS_ABI_VERSION, NULL, &engine), "engine");
    must(sls_clip_options_init(&options, sizeof options), "options");
    options.rate_num = (uint32_t)strtoul(argv[3], NULL, 10);
    options.rate_den = (uint32_t)strtoul(argv[4], NULL, 10);
    must(sls_clip_create(engine, &options, &clip), "clip");
    must(sls_clip_load_audio(clip, argv[5]), argv[5]);

    while ((got = fread(in.data, 1, bytes, stdin)) == bytes) {
        must(sls_clip_push_frame(clip, &in, NULL), "frame");
        drain(clip, &out, bytes, SLS_AGAIN);
    }
    if (got != 0) {
        fprintf(stderr, "filter: the last frame is incomplete\n");
        return 1;
    }
    must(sls_clip_flush(clip), "end");
    drain(clip, &out, bytes, SLS_END);

    sls_clip_destroy(clip);
    sls_engine_destroy(engine);
    free(in.data);
    free(out.data);
    return 0;
}

/*
 * Integration with a host: cancellation from another thread, memory limits, output to the host's own
 * memory.
 *
 *     hooks FOLDER WIDTH HEIGHT COUNT
 *
 * See host.h for FOLDER.
 */
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "host.h"

/* Cancels repeatedly until it is told to stop. */
typedef struct {
    sls_clip *clip;
    volatile sig_atomic_t stop;
} nagging;

static void *nag(void *user)
{
    nagging *work = (nagging *)user;
    while (!work->stop) {
        usleep(3000);
        OK(sls_clip_cancel(work->clip));
    }
    return NULL;
}

static void cancellation(const sls_engine *engine)
{
    sls_clip *clip = new_clip(engine, NULL);
    unsigned char *wanted = (unsigned char *)allocate(frame_bytes), *got;
    sls_frame source = frame_at(1), destination = rgba(wanted, width, height);
    nagging work;
    pthread_t thread;
    char sentence[64];
    int64_t index = -1;
    int tries, rendered = 0, pushed = 0;

    got = (unsigned char *)allocate(frame_bytes);
    /* Without a running call it has no effect. */
    OK(sls_clip_cancel(clip));
    OK(sls_clip_set_audio(clip, speech, sample_count, 16000, 1));
    OK(sls_clip_analyze(clip, 1, &source, NULL));
    OK(sls_clip_render(clip, 1, &source, &destination, NULL, NULL));

    work.clip = clip;
    work.stop = 0;
    CHECK(pthread_create(&thread, NULL, nag, &work) == 0);
    destination.data = got;
    for (tries = 0; tries < 10000 && rendered == 0; tries++)
        if (sls_clip_render(clip, 1, &source, &destination, NULL, NULL) == SLS_ERROR_CANCELLED)
            rendered = 1;
    for (tries = 0; tries < 10000 && pushed == 0; tries++) {
        int32_t status = sls_clip_push_frame(clip, &source, &index);
        if (status == SLS_ERROR_CANCELLED)
            pushed = tries + 1;
        else if (status == SLS_AGAIN)
            OK(sls_clip_reset(clip));
        else
            CHECK(status == SLS_OK);
    }
    work.stop = 1;
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(rendered && pushed);
    CHECK(sls_clip_last_error(clip, sentence, sizeof sentence) > 0);
    CHECK(strcmp(sentence, "cancelled") == 0);

    /* A cancelled call can be repeated, with the same result. */
    OK(sls_clip_render(clip, 1, &source, &destination, NULL, NULL));
    CHECK(memcmp(wanted, got, frame_bytes) == 0);
    OK(sls_clip_reset(clip));
    OK(sls_clip_push_frame(clip, &source, &index));
    CHECK(index == 0);
    free(got);
    free(wanted);
    sls_clip_destroy(clip);
}

/* The host's memory, and the request that the callback got. */
typedef struct {
    unsigned char *memory;
    int asked, refuse, narrow;
} pool;

static int32_t give(void *user, sls_frame *frame)
{
    pool *from = (pool *)user;
    from->asked++;
    CHECK(frame->struct_size == sizeof *frame && frame->format == SLS_FORMAT_RGBA8);
    CHECK(frame->width == width && frame->height == height && frame->stride == 4 * width);
    CHECK(frame->data == NULL);
    if (from->refuse)
        return 1;
    /* Bottom-up: the host decides. */
    frame->data = from->memory + (size_t)frame->stride * (size_t)(height - 1);
    frame->stride = from->narrow ? 1 : -frame->stride;
    return 0;
}

static void memory_of_the_host(const sls_engine *engine)
{
    sls_clip *clip = new_clip(engine, NULL), *other = new_clip(engine, NULL);
    unsigned char *wanted = (unsigned char *)allocate(frame_bytes * 4);
    pool from = {(unsigned char *)allocate(frame_bytes), 0, 0, 0};
    sls_render_result result;
    sls_frame frame;
    size_t row = 4 * (size_t)width;
    int32_t need = -1;
    int y;

    OK(sls_render_result_init(&result, sizeof result));
    OK(sls_frame_init(&frame, sizeof frame));
    OK(sls_clip_set_audio(other, speech, sample_count, 16000, 1));
    push(other, 0, 4);
    streamed(other, wanted);

    REFUSES(SLS_ERROR_NULL, "clip", sls_clip_pull_allocated(NULL, give, &from, &frame, NULL, NULL));
    REFUSES(SLS_ERROR_NULL, "allocate",
            sls_clip_pull_allocated(clip, NULL, &from, &frame, NULL, NULL));
    REFUSES(SLS_ERROR_NULL, "destination",
            sls_clip_pull_allocated(clip, give, &from, NULL, NULL, NULL));
    /* The callback is not called before a frame is ready. */
    CHECK(sls_clip_pull_allocated(clip, give, &from, &frame, NULL, NULL) == SLS_AGAIN);
    OK(sls_clip_stream_need(clip, &need));
    CHECK(need == SLS_NEED_FRAMES);
    push(clip, 0, 4);
    CHECK(sls_clip_pull_allocated(clip, give, &from, &frame, NULL, NULL) == SLS_AGAIN);
    OK(sls_clip_stream_need(clip, &need));
    CHECK(need == SLS_NEED_AUDIO);
    OK(sls_clip_set_audio(clip, speech, sample_count, 16000, 1));
    OK(sls_clip_stream_need(clip, &need));
    CHECK(need == SLS_NEED_NOTHING);
    CHECK(from.asked == 0 && frame.data == NULL);
    from.refuse = 1;
    REFUSES(SLS_ERROR_MEMORY, "callback",
            sls_clip_pull_allocated(clip, give, &from, &frame, NULL, NULL));
    from.refuse = 0;
    from.narrow = 1;
    REFUSES(SLS_ERROR_FRAME, "stride",
            sls_clip_pull_allocated(clip, give, &from, &frame, NULL, NULL));
    from.narrow = 0;
    CHECK(from.asked == 2 && frame.data == NULL);
    OK(sls_clip_pull_allocated(clip, give, &from, &frame, NULL, &result));
    CHECK(from.asked == 3 && result.index == 0 && frame.stride == -(int64_t)row);
    for (y = 0; y < height; y++)
        CHECK(memcmp((unsigned char *)frame.data - row * (size_t)y, wanted + row * (size_t)y, row)
              == 0);
    free(from.memory);
    free(wanted);
    sls_clip_destroy(other);
    sls_clip_destroy(clip);
}

static void memory_limit(const sls_engine *engine)
{
    sls_clip_options options = defaults();
    sls_frame frame = frame_at(0), destination = frame_at(0);
    sls_clip *clip = NULL;
    uint64_t held = 99;
    int pushed = 0;
    unsigned char *out = (unsigned char *)allocate(frame_bytes);

    CHECK(options.memory_limit == 0);
    options.memory_limit = 1000;
    OK(sls_clip_create(engine, &options, &clip));
    REFUSES(SLS_ERROR_MEMORY, "audio", sls_clip_set_audio(clip, speech, sample_count, 16000, 1));
    REFUSES(SLS_ERROR_MEMORY, "audio", sls_clip_push_audio(clip, speech, sample_count, 16000, 1));
    REFUSES(SLS_ERROR_MEMORY, "frame", sls_clip_push_frame(clip, &frame, NULL));
    OK(sls_clip_set_audio(clip, speech, 200, 16000, 1));
    sls_clip_destroy(clip);
    clip = NULL;
    /* Three frames, a second of audio, and one crop that may become the reference. */
    options.memory_limit = 3 * frame_bytes + 64000 + 4 * 3 * 256 * 256;
    OK(sls_clip_create(engine, &options, &clip));
    REFUSES(SLS_ERROR_NULL, "bytes", sls_clip_memory(clip, NULL));
    REFUSES(SLS_ERROR_NULL, "clip", sls_clip_memory(NULL, &held));
    OK(sls_clip_memory(clip, &held));
    CHECK(held == 0);
    OK(sls_clip_push_audio(clip, speech, 8000, 16000, 1));
    OK(sls_clip_memory(clip, &held));
    CHECK(held == 32000);
    REFUSES(SLS_ERROR_MEMORY, "audio", sls_clip_cut_audio(clip, INT64_MAX));
    while (sls_clip_push_frame(clip, &frame, NULL) == SLS_OK && pushed < 100)
        pushed++;
    CHECK(pushed == 3);
    REFUSES(SLS_ERROR_MEMORY, "frame", sls_clip_push_frame(clip, &frame, NULL));
    OK(sls_clip_memory(clip, &held));
    CHECK(held <= options.memory_limit && held >= 3 * frame_bytes);
    /* Pulling frees memory; nothing was lost. */
    OK(sls_clip_set_reference(clip, &frame));
    destination.data = out;
    OK(sls_clip_pull_frame(clip, &destination, NULL, NULL));
    OK(sls_clip_push_frame(clip, &frame, NULL));
    free(out);
    sls_clip_destroy(clip);
}

int main(int argc, char **argv)
{
    sls_engine *engine = start(argc, argv);

    memory_of_the_host(engine);
    memory_limit(engine);
    no_worker_threads();
    cancellation(engine);
    finish(engine);
    printf("the hooks hold\n");
    return 0;
}

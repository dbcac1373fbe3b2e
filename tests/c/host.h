/*
 * Shared by the programs that act as a host: frames of a speaker, speech, clips, and an engine with one
 * thread. The library must not touch signal handlers, nor start more threads than requested.
 *
 * Their arguments are those of frames.h. FOLDER also contains speech.f32 (16 kHz, mono).
 */
#ifndef HOST_H
#define HOST_H

#ifndef _WIN32
#include <dirent.h>
#include <signal.h>
#include <unistd.h>
#endif

#include "frames.h"

/* Audio samples per frame. */
#define STEP 640

static float *speech;
static size_t sample_count;
/* Threads of the process, including the engine's. */
static int running;

static inline sls_clip_options defaults(void)
{
    sls_clip_options options;
    OK(sls_clip_options_init(&options, sizeof options));
    return options;
}

static inline sls_clip *new_clip(const sls_engine *engine, const sls_clip_options *options)
{
    sls_clip *clip = NULL;
    sls_frame reference = frame_at(0);
    OK(sls_clip_create(engine, options, &clip));
    OK(sls_clip_set_reference(clip, &reference));
    return clip;
}

/* Pushes all frames, then pulls them. Returns how many pixels of the last frame differ from the source. */
static inline int streamed(sls_clip *clip, unsigned char *out)
{
    sls_frame destination = rgba(out, width, height);
    int32_t status;
    int pulled = 0, changed = 0;
    size_t at;
    OK(sls_clip_flush(clip));
    while ((status = sls_clip_pull_frame(clip, &destination, NULL, NULL)) == SLS_OK) {
        pulled++;
        destination.data = out + (size_t)pulled * frame_bytes;
    }
    CHECK(status == SLS_END && pulled > 0);
    for (at = 0; at < frame_bytes; at += 4) {
        const unsigned char *source = frames + (size_t)(pulled - 1) * frame_bytes;
        changed += memcmp(source + at, out + (size_t)(pulled - 1) * frame_bytes + at, 4) != 0;
    }
    return changed;
}

static inline void push(sls_clip *clip, int first, int end)
{
    for (; first < end; first++) {
        sls_frame frame = frame_at(first);
        OK(sls_clip_push_frame(clip, &frame, NULL));
    }
}

#ifdef _WIN32
/* Neither POSIX signals nor /proc. */
static inline int threads(void)
{
    return 0;
}

static inline int at_most(int wanted)
{
    return threads() <= wanted;
}

static inline void check_signals(int begun)
{
    (void)begun;
}
#else
static inline int threads(void)
{
    DIR *folder = opendir("/proc/self/task");
    int found = 0;
    if (folder == NULL)
        return 0;
    while (readdir(folder) != NULL)
        found++;
    closedir(folder);
    return found;
}

/* A thread that has ended is listed until the kernel has removed it. */
static inline int at_most(int wanted)
{
    int waited;
    for (waited = 0; threads() > wanted && waited < 1000; waited++)
        usleep(3000);
    return threads() <= wanted;
}

/* Signal handlers are stored at the beginning, and compared at the end. */
static inline void check_signals(int begun)
{
    static struct sigaction before[32];
    struct sigaction after;
    int number;

    for (number = 1; number < 32; number++) {
        sigaction(number, NULL, begun ? &after : &before[number]);
        CHECK(!begun || after.sa_handler == before[number].sa_handler);
    }
}
#endif

/* Reads the arguments and the files, and creates the engine. */
static inline sls_engine *start(int argc, char **argv)
{
    sls_engine_options options;
    sls_engine *engine = NULL;
    size_t bytes;
    int before = threads();

    read_frames(argc, argv);
    CHECK(count >= 16);
    speech = (float *)(void *)whole_file(argv[1], "speech.f32", &bytes);
    sample_count = bytes / sizeof(float);
    CHECK(sample_count > (size_t)count * STEP);
    check_signals(0);

    OK(sls_engine_options_init(&options, sizeof options));
    options.provider = SLS_PROVIDER_CPU;
    options.threads = 1;
    OK(sls_engine_create(SLS_ABI_VERSION, &options, &engine));
    /* ONNX Runtime always starts one thread of its own, which sleeps. */
    CHECK(at_most(before + 1));
    running = threads();
    return engine;
}

static inline void no_worker_threads(void)
{
    CHECK(at_most(running));
}

static inline void finish(sls_engine *engine)
{
    sls_engine_destroy(engine);
    check_signals(1);
    free(speech);
    free(frames);
}

#endif

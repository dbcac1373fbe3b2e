/*
 * Integration with a host: cancellation from another thread, memory limits, output to the host's own
 * memory, a change of audio in the middle of a stream, the person's profile. The library must not touch signal handlers, nor
 * start more threads than requested.
 *
 *     hooks FOLDER WIDTH HEIGHT COUNT
 *
 * FOLDER contains frames.rgba (COUNT frames of a speaker, RGBA8) and speech.f32 (16 kHz, mono).
 */
#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "common.h"

#define FAILS(status, word, call)                                                                 \
    do {                                                                                          \
        CHECK((call) == (status));                                                                \
        CHECK(strstr(sls_last_error(), word) != NULL);                                            \
    } while (0)

/* Audio samples per frame. */
#define STEP 640

static int width, height, count;
static size_t frame_bytes;
static unsigned char *frames;
static float *speech;
static size_t sample_count;

static sls_frame frame_at(int index)
{
    return rgba(frames + (size_t)index * frame_bytes, width, height);
}

static sls_clip_options defaults(void)
{
    sls_clip_options options;
    OK(sls_clip_options_init(&options, sizeof options));
    return options;
}

static sls_clip *new_clip(const sls_engine *engine, const sls_clip_options *options)
{
    sls_clip *clip = NULL;
    sls_frame reference = frame_at(0);
    OK(sls_clip_create(engine, options, &clip));
    OK(sls_clip_set_reference(clip, &reference));
    return clip;
}

/* Pushes all frames, then pulls them. Returns how many pixels of the last frame differ from the source. */
static int streamed(sls_clip *clip, unsigned char *out)
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

static void push(sls_clip *clip, int first, int end)
{
    for (; first < end; first++) {
        sls_frame frame = frame_at(first);
        OK(sls_clip_push_frame(clip, &frame, NULL));
    }
}

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

    FAILS(SLS_ERROR_NULL, "clip", sls_clip_pull_allocated(NULL, give, &from, &frame, NULL, NULL));
    FAILS(SLS_ERROR_NULL, "allocate",
          sls_clip_pull_allocated(clip, NULL, &from, &frame, NULL, NULL));
    FAILS(SLS_ERROR_NULL, "destination",
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
    FAILS(SLS_ERROR_MEMORY, "callback",
          sls_clip_pull_allocated(clip, give, &from, &frame, NULL, NULL));
    from.refuse = 0;
    from.narrow = 1;
    FAILS(SLS_ERROR_FRAME, "stride",
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

#define CONSENT(expires)                                                                          \
    "{\"who\": \"Jane Doe\", \"when\": \"2020-05-03\", \"scope\": \"a test\", " expires            \
    "\"document_sha256\": \"0000000000000000000000000000000000000000000000000000000000000000\"}"
static const char *folder;
static const char valid[] = CONSENT("");
static const char expired[] = CONSENT("\"expires\": \"2021-05-03\", ");

/* The path of a file of this content. */
static const char *written(const char *content)
{
    static char path[4096];
    FILE *file;

    CHECK(snprintf(path, sizeof path, "%s/consent.json", folder) < (int)sizeof path);
    file = fopen(path, "wb");
    CHECK(file != NULL && fputs(content, file) >= 0 && fclose(file) == 0);
    return path;
}

/* The report lists the frames that were rendered and changed, and nothing is written where it does not fit. */
static void provenance(const sls_engine *engine)
{
    sls_clip_options options = defaults();
    sls_clip *clip = NULL;
    unsigned char *out = (unsigned char *)allocate(frame_bytes);
    sls_frame source = frame_at(1), destination = rgba(out, width, height);
    char *text, small[8] = "before";
    size_t size = 99, again = 0;

    options.require_consent = 1;
    OK(sls_clip_create(engine, &options, &clip));
    FAILS(SLS_ERROR_NULL, "size", sls_clip_provenance(clip, small, sizeof small, NULL));
    FAILS(SLS_ERROR_ARGUMENT, "capacity", sls_clip_provenance(clip, small, sizeof small, &size));
    CHECK(size == 99 && strcmp(small, "before") == 0);
    OK(sls_clip_set_audio(clip, speech, sample_count, 16000, 1));
    FAILS(SLS_ERROR_CONSENT, "is required",
          sls_clip_render(clip, 1, &source, &destination, NULL, NULL));
    FAILS(SLS_ERROR_READ, "no-such", sls_clip_load_consent(clip, "no-such-consent.json"));
    FAILS(SLS_ERROR_CONSENT, "is not a consent file", sls_clip_load_consent(clip, written("{}")));
    OK(sls_clip_load_consent(clip, written(expired)));
    FAILS(SLS_ERROR_CONSENT, "expired on 2021-05-03",
          sls_clip_render(clip, 1, &source, &destination, NULL, NULL));
    OK(sls_clip_load_consent(clip, written(valid)));
    OK(sls_clip_render(clip, 1, &source, &destination, NULL, NULL));
    OK(sls_clip_provenance(clip, NULL, 0, &size));
    text = (char *)allocate(size);
    FAILS(SLS_ERROR_ARGUMENT, "capacity", sls_clip_provenance(clip, text, size - 1, &again));
    OK(sls_clip_provenance(clip, text, size, &again));
    CHECK(again == size && strlen(text) + 1 == size);
    CHECK(strstr(text, "compositeWithTrainedAlgorithmicMedia") != NULL);
    CHECK(strstr(text, "\"changed_count\": 1,") != NULL);
    CHECK(strstr(text, "\"who\": \"Jane Doe\"") != NULL);
    free(text);
    OK(sls_clip_reset(clip));
    OK(sls_clip_provenance(clip, NULL, 0, &again));
    CHECK(again < size);
    free(out);
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
    FAILS(SLS_ERROR_MEMORY, "audio", sls_clip_set_audio(clip, speech, sample_count, 16000, 1));
    FAILS(SLS_ERROR_MEMORY, "audio", sls_clip_push_audio(clip, speech, sample_count, 16000, 1));
    FAILS(SLS_ERROR_MEMORY, "frame", sls_clip_push_frame(clip, &frame, NULL));
    OK(sls_clip_set_audio(clip, speech, 200, 16000, 1));
    sls_clip_destroy(clip);
    clip = NULL;
    /* Three frames, a second of audio, and one crop that may become the reference. */
    options.memory_limit = 3 * frame_bytes + 64000 + 4 * 3 * 256 * 256;
    OK(sls_clip_create(engine, &options, &clip));
    FAILS(SLS_ERROR_NULL, "bytes", sls_clip_memory(clip, NULL));
    FAILS(SLS_ERROR_NULL, "clip", sls_clip_memory(NULL, &held));
    OK(sls_clip_memory(clip, &held));
    CHECK(held == 0);
    OK(sls_clip_push_audio(clip, speech, 8000, 16000, 1));
    OK(sls_clip_memory(clip, &held));
    CHECK(held == 32000);
    FAILS(SLS_ERROR_MEMORY, "audio", sls_clip_cut_audio(clip, INT64_MAX));
    while (sls_clip_push_frame(clip, &frame, NULL) == SLS_OK && pushed < 100)
        pushed++;
    CHECK(pushed == 3);
    FAILS(SLS_ERROR_MEMORY, "frame", sls_clip_push_frame(clip, &frame, NULL));
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

/* The whole audio: the speech up to `cut`, then the same speech from its beginning. */
static float *spliced(size_t cut)
{
    float *both = (float *)allocate(sample_count * sizeof(float));
    memcpy(both, speech, cut * sizeof(float));
    memcpy(both + cut, speech, (sample_count - cut) * sizeof(float));
    return both;
}

static void change_audio(const sls_engine *engine)
{
    /* Late enough that the first frames do not use the audio after it. */
    size_t cut = (size_t)(count * 3 / 4) * STEP, whole = (size_t)count * frame_bytes;
    unsigned char *wanted = (unsigned char *)allocate(whole);
    unsigned char *got = (unsigned char *)allocate(whole);
    float *both = spliced(cut);
    sls_frame destination = rgba(got, width, height);
    sls_clip *clip = new_clip(engine, NULL);

    OK(sls_clip_set_audio(clip, both, sample_count, 16000, 1));
    push(clip, 0, count);
    streamed(clip, wanted);
    sls_clip_destroy(clip);

    /* Interruption: the pushed audio after the cut is discarded while frames are queued. */
    clip = new_clip(engine, NULL);
    FAILS(SLS_ERROR_STATE, "audio", sls_clip_cut_audio(clip, 0));
    FAILS(SLS_ERROR_NULL, "clip", sls_clip_cut_audio(NULL, 0));
    push(clip, 0, count * 3 / 4);
    OK(sls_clip_push_audio(clip, speech, cut + 3000, 16000, 1));
    OK(sls_clip_pull_frame(clip, &destination, NULL, NULL));
    CHECK(memcmp(got, wanted, frame_bytes) == 0);
    OK(sls_clip_cut_audio(clip, (int64_t)cut));
    OK(sls_clip_push_audio(clip, speech, sample_count - cut, 16000, 1));
    push(clip, count * 3 / 4, count);
    streamed(clip, got + frame_bytes);
    CHECK(memcmp(got, wanted, whole) == 0);
    sls_clip_destroy(clip);

    /* Replaces all audio, from the next frame on. */
    clip = new_clip(engine, NULL);
    OK(sls_clip_set_audio(clip, speech + cut, sample_count - cut, 16000, 1));
    push(clip, 0, count);
    OK(sls_clip_pull_frame(clip, &destination, NULL, NULL));
    OK(sls_clip_set_audio(clip, both, sample_count, 16000, 1));
    streamed(clip, got + frame_bytes);
    CHECK(memcmp(got, wanted, frame_bytes) != 0);
    CHECK(memcmp(got + frame_bytes, wanted + frame_bytes, whole - frame_bytes) == 0);
    sls_clip_destroy(clip);
    free(both);
    free(got);
    free(wanted);
}

/* The profile: frozen from all frames, then replaced by references of the caller's own. */
static void profile(const sls_engine *engine)
{
    sls_clip *clip = new_clip(engine, NULL);
    unsigned char *pixels = (unsigned char *)allocate(4 * frame_bytes);
    sls_frame source = frame_at(count / 2), destination[4];
    uint64_t before = 0, after = 0;
    int64_t first = -1, next = -1;
    int i;

    for (i = 0; i < 4; i++)
        destination[i] = rgba(pixels + (size_t)i * frame_bytes, width, height);
    OK(sls_clip_clear_reference(clip));
    OK(sls_clip_set_audio(clip, speech, sample_count, 16000, 1));
    FAILS(SLS_ERROR_STATE, "analysed", sls_clip_finish_analysis(clip));
    for (i = 0; i < count; i++) {
        int t = i * 7 % count;
        sls_frame frame = frame_at(t);
        OK(sls_clip_analyze(clip, t, &frame, NULL));
    }
    OK(sls_clip_shot(clip, count / 2, &first, &next));
    CHECK(first == 0 && next == INT64_MAX);
    OK(sls_clip_shot(clip, 0, NULL, NULL));
    OK(sls_clip_memory(clip, &before));
    OK(sls_clip_finish_analysis(clip));
    OK(sls_clip_finish_analysis(clip));
    OK(sls_clip_memory(clip, &after));
    CHECK(after > 0 && after <= before);
    OK(sls_clip_render(clip, count / 2, &source, &destination[0], NULL, NULL));

    /* Two references instead, then one. */
    for (i = 0; i < 2; i++) {
        sls_frame frame = frame_at(i * (count - 1));
        OK(sls_clip_add_reference(clip, &frame));
    }
    OK(sls_clip_render(clip, count / 2, &source, &destination[1], NULL, NULL));
    {
        sls_frame frame = frame_at(0);
        OK(sls_clip_set_reference(clip, &frame));
    }
    OK(sls_clip_render(clip, count / 2, &source, &destination[2], NULL, NULL));
    OK(sls_clip_clear_reference(clip));
    OK(sls_clip_render(clip, count / 2, &source, &destination[3], NULL, NULL));
    OK(sls_clip_forget_analysis(clip));
    FAILS(SLS_ERROR_STATE, "analysed", sls_clip_finish_analysis(clip));
    CHECK(memcmp(pixels, pixels + 3 * frame_bytes, frame_bytes) == 0);
    CHECK(memcmp(pixels, pixels + frame_bytes, frame_bytes) != 0);
    CHECK(memcmp(pixels + frame_bytes, pixels + 2 * frame_bytes, frame_bytes) != 0);
    free(pixels);
    sls_clip_destroy(clip);
}

static void time_stamps(const sls_engine *engine)
{
    sls_clip *clip = new_clip(engine, NULL);
    sls_frame frame = frame_at(0);
    int64_t position = -1, index = -1;

    FAILS(SLS_ERROR_NULL, "position", sls_position(1, 1, 1, NULL));
    FAILS(SLS_ERROR_ARGUMENT, "ticks", sls_position(1, 0, 1, &position));
    FAILS(SLS_ERROR_ARGUMENT, "ticks", sls_position(1, 1, 0, &position));
    FAILS(SLS_ERROR_ARGUMENT, "ticks", sls_position(INT64_MAX, 2, 1, &position));
    CHECK(position == -1);
    OK(sls_position(3, 1001, 30000, &position));
    CHECK(position == 1602);                    /* 1601.6 */
    OK(sls_clip_push_frame_at(clip, position, &frame, &index));
    CHECK(index == 0);
    FAILS(SLS_ERROR_ARGUMENT, "position", sls_clip_push_frame_at(clip, 1601, &frame, &index));
    OK(sls_clip_push_frame_at(clip, 1602, &frame, &index));
    CHECK(index == 1);
    sls_clip_destroy(clip);
}

static void one_kind_of_frame(const sls_engine *engine)
{
    sls_clip *clip = new_clip(engine, NULL);
    sls_frame frame = frame_at(0);

    OK(sls_clip_push_frame(clip, &frame, NULL));
    frame.format = SLS_FORMAT_BGRA8;
    FAILS(SLS_ERROR_FRAME, "format", sls_clip_push_frame(clip, &frame, NULL));
    frame.format = SLS_FORMAT_RGBA8;
    frame.height -= 1;
    FAILS(SLS_ERROR_FRAME, "width", sls_clip_push_frame(clip, &frame, NULL));
    OK(sls_clip_reset(clip));
    OK(sls_clip_push_frame(clip, &frame, NULL));
    sls_clip_destroy(clip);
}

static int changed_with(const sls_engine *engine, const sls_clip_options *options)
{
    unsigned char *out = (unsigned char *)allocate(frame_bytes);
    sls_clip *clip = new_clip(engine, options);
    int changed;
    OK(sls_clip_set_audio(clip, speech, sample_count, 16000, 1));
    push(clip, 0, 1);
    changed = streamed(clip, out);
    sls_clip_destroy(clip);
    free(out);
    return changed;
}

static void trimmed(const sls_engine *engine)
{
    sls_clip_options options = defaults();
    sls_clip *clip = NULL;
    int usual = changed_with(engine, &options);

    options.mask_feather = 1.0f;
    CHECK(changed_with(engine, &options) == usual);
    options.mask_grow = -10.0f;
    CHECK(changed_with(engine, &options) < usual);
    options.mask_grow = 21.0f;
    FAILS(SLS_ERROR_ARGUMENT, "mask.grow", sls_clip_create(engine, &options, &clip));
    options = defaults();
    options.mask_feather = -1.0f;
    FAILS(SLS_ERROR_ARGUMENT, "mask.feather", sls_clip_create(engine, &options, &clip));
    options = defaults();
    options.selection = SLS_SELECT_FROM_LEFT;
    CHECK(changed_with(engine, &options) == usual);
    /* There is no second face: the frame is copied. */
    options.face = 1;
    CHECK(changed_with(engine, &options) == 0);
}

#ifdef _WIN32
/* Neither POSIX signals nor /proc. */
static int threads(void)
{
    return 0;
}

static int at_most(int wanted)
{
    return threads() <= wanted;
}

static void check_signals(int begun)
{
    (void)begun;
}
#else
static int threads(void)
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
static int at_most(int wanted)
{
    int waited;
    for (waited = 0; threads() > wanted && waited < 1000; waited++)
        usleep(3000);
    return threads() <= wanted;
}

/* Signal handlers are stored at the beginning, and compared at the end. */
static void check_signals(int begun)
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

int main(int argc, char **argv)
{
    sls_engine_options options;
    sls_engine *engine = NULL;
    size_t bytes;
    int running = threads();

    CHECK(argc == 5);
    width = atoi(argv[2]);
    height = atoi(argv[3]);
    count = atoi(argv[4]);
    frame_bytes = 4 * (size_t)width * (size_t)height;
    folder = argv[1];
    frames = whole_file(argv[1], "frames.rgba", &bytes);
    CHECK(bytes == frame_bytes * (size_t)count && count >= 16);
    speech = (float *)(void *)whole_file(argv[1], "speech.f32", &bytes);
    sample_count = bytes / sizeof(float);
    CHECK(sample_count > (size_t)count * STEP);
    check_signals(0);

    OK(sls_engine_options_init(&options, sizeof options));
    options.provider = SLS_PROVIDER_CPU;
    options.threads = 1;
    OK(sls_engine_create(SLS_ABI_VERSION, &options, &engine));
    /* ONNX Runtime always starts one thread of its own, which sleeps. */
    CHECK(at_most(running + 1));
    running = threads();
    memory_of_the_host(engine);
    provenance(engine);
    memory_limit(engine);
    change_audio(engine);
    profile(engine);
    time_stamps(engine);
    one_kind_of_frame(engine);
    trimmed(engine);
    CHECK(at_most(running));                    /* no worker threads */
    cancellation(engine);
    sls_engine_destroy(engine);

    check_signals(1);
    printf("the hooks hold\n");
    free(speech);
    free(frames);
    return 0;
}

/*
 * Lip-syncs a clip through both paths of the C API and compares the bytes.
 *
 *     lipsync FOLDER WIDTH HEIGHT COUNT RATE [BUNDLE]
 *
 * FOLDER contains frames.rgba (COUNT frames, RGBA8), speech.f32 (mono samples at RATE Hz) and
 * speech.wav (the same audio as a file). Without BUNDLE, the bundle in the library is used.
 */
#include <locale.h>

#include "common.h"

static int width, height, count;
static size_t frame_bytes;
static unsigned char *frames, *random_access;
static float *speech;
static size_t sample_count;
static uint32_t sample_rate;

static sls_frame frame_at(unsigned char *pixels, int index)
{
    return rgba(pixels + (size_t)index * frame_bytes, width, height);
}

/* An order unrelated to time: steps of a number that shares no factor with count. */
static int shuffled(int index)
{
    int step = 7;
    while (count % step == 0)
        step += 2;
    return (int)(((long long)index * step + 3) % count);
}

static sls_clip *new_clip(const sls_engine *engine)
{
    sls_clip_options options;
    sls_clip *clip = NULL;
    OK(sls_clip_options_init(&options, sizeof options));
    CHECK(options.rate_num == 25 && options.rate_den == 1 && options.strength == 1.0f);
    OK(sls_clip_create(engine, &options, &clip));
    return clip;
}

static void report(const sls_engine *engine)
{
    sls_info info;
    int i;
    OK(sls_info_init(&info, sizeof info));
    OK(sls_engine_info(engine, &info));
    CHECK(info.provider == SLS_PROVIDER_CPU && strcmp(info.provider_name, "cpu") == 0);
    CHECK(info.threads >= 1 && *info.bundle && *info.runtime);
    printf("bundle %s on %s, %d threads, %s\n", info.bundle, info.provider_name, info.threads,
           info.runtime);
    for (i = 0; i < info.refused; i++) {
        const char *reason = NULL;
        int32_t provider = -1;
        OK(sls_engine_refused(engine, i, &provider, &reason));
        CHECK(provider > SLS_PROVIDER_AUTO && *reason);
    }
    CHECK(sls_engine_refused(engine, info.refused, NULL, NULL) == SLS_ERROR_ARGUMENT);
}

/* Random access: every frame in an arbitrary order, with audio from a file. */
static void render_in_any_order(const sls_engine *engine, const char *folder)
{
    sls_clip *clip = new_clip(engine);
    unsigned char *again = (unsigned char *)allocate(frame_bytes);
    float *matte = (float *)allocate((size_t)width * (size_t)height * sizeof(float));
    char path[4096];
    int i, changed = 0;

    snprintf(path, sizeof path, "%s/speech.wav", folder);
    OK(sls_clip_load_audio(clip, path));
    for (i = 0; i < count; i++) {
        sls_frame frame = frame_at(frames, shuffled(i));
        int32_t faces = -1;
        sls_face face;
        OK(sls_clip_analyze(clip, shuffled(i), &frame, &faces));
        CHECK(faces >= 1);
        OK(sls_face_init(&face, sizeof face));
        OK(sls_clip_face(clip, shuffled(i), 0, &face));
        CHECK(face.x > 0 && face.x < (float)width && face.y > 0 && face.y < (float)height);
    }
    for (i = 0; i < count; i++) {
        int t = shuffled(i);
        sls_frame source = frame_at(frames, t), destination = frame_at(random_access, t);
        sls_render_result result;
        OK(sls_render_result_init(&result, sizeof result));
        OK(sls_clip_render(clip, t, &source, &destination, NULL, &result));
        CHECK(result.index == t && result.face >= 0);
        CHECK(result.confidence > 0.0f && result.confidence <= 1.0f);
        CHECK(result.changed == (memcmp(source.data, destination.data, frame_bytes) != 0));
        changed += result.changed;
    }
    CHECK(changed * 10 >= count * 9);

    /* Once more, after all others: in place, bottom-up, with a matte. */
    for (i = 0; i < count; i += count / 2) {
        size_t row = 4 * (size_t)width, pixel;
        unsigned char *wanted = random_access + (size_t)i * frame_bytes;
        sls_frame source = frame_at(frames, i), destination = rgba(again, width, height);
        sls_render_options options;
        int y;

        memcpy(again, source.data, frame_bytes);
        OK(sls_clip_render(clip, i, &destination, &destination, NULL, NULL));
        CHECK(memcmp(again, wanted, frame_bytes) == 0);

        memset(again, 0, frame_bytes);
        destination.data = again + row * (size_t)(height - 1);
        destination.stride = -destination.stride;
        OK(sls_render_options_init(&options, sizeof options));
        options.matte = matte;
        options.matte_stride = (int64_t)width * (int64_t)sizeof(float);
        OK(sls_clip_render(clip, i, &source, &destination, &options, NULL));
        for (y = 0; y < height; y++)
            CHECK(memcmp(again + row * (size_t)(height - 1 - y), wanted + row * (size_t)y, row)
                  == 0);
        for (pixel = 0; pixel < (size_t)width * (size_t)height; pixel++)
            CHECK(matte[pixel] > 0.0f
                  || memcmp(wanted + 4 * pixel, (unsigned char *)source.data + 4 * pixel, 4) == 0);
    }
    free(matte);
    free(again);
    sls_clip_destroy(clip);
}

/* Pulls the frames that are ready and compares them with random access. Returns their number. */
static int pull(sls_clip *clip, int next, int32_t at_the_end)
{
    unsigned char *pixels = (unsigned char *)allocate(frame_bytes);
    sls_frame destination = rgba(pixels, width, height);
    sls_render_result result;
    int32_t status;
    int pulled = 0;

    OK(sls_render_result_init(&result, sizeof result));
    while ((status = sls_clip_pull_frame(clip, &destination, NULL, &result)) == SLS_OK) {
        CHECK(result.index == next + pulled && result.index < count);
        CHECK(memcmp(pixels, random_access + (size_t)result.index * frame_bytes, frame_bytes) == 0);
        pulled++;
    }
    CHECK(status == at_the_end);
    free(pixels);
    return pulled;
}

/* The stream: frames one by one, audio in chunks that do not match the frames. */
static void stream(sls_engine *engine)
{
    sls_clip *clip = new_clip(engine);
    size_t chunk = 7 * sample_rate / 100 + 1, sent = 0;
    int32_t ahead = 0, first = 0;
    int64_t audio_ahead = 0, index = -1;
    int pushed, pulled = 0;

    /* A clip may outlive its engine. */
    sls_engine_destroy(engine);

    OK(sls_clip_look_ahead(clip, &ahead, &audio_ahead, &first));
    CHECK(ahead <= 6 && audio_ahead > 0 && first > 0);

    /* A beginning that is discarded by the reset. */
    for (pushed = 0; pushed < 3; pushed++) {
        sls_frame frame = frame_at(frames, count - 1 - pushed);
        OK(sls_clip_push_frame(clip, &frame, NULL));
        OK(sls_clip_push_audio(clip, speech + sample_count / 2, sample_count / 4, sample_rate, 1));
    }
    OK(sls_clip_reset(clip));

    for (pushed = 0; pushed < count; pushed++) {
        sls_frame frame = frame_at(frames, pushed);
        size_t due = (size_t)(pushed + 1) * sample_rate / 25;
        for (; sent < due && sent < sample_count; sent += chunk) {
            size_t rest = sample_count - sent;
            OK(sls_clip_push_audio(clip, speech + sent, rest < chunk ? rest : chunk, sample_rate, 1));
        }
        OK(sls_clip_push_frame(clip, &frame, &index));
        CHECK(index == pushed);
        pulled += pull(clip, pulled, SLS_AGAIN);
    }
    if (sent < sample_count)
        OK(sls_clip_push_audio(clip, speech + sent, sample_count - sent, sample_rate, 1));
    OK(sls_clip_finish_audio(clip));
    OK(sls_clip_flush(clip));
    pulled += pull(clip, pulled, SLS_END);
    CHECK(pulled == count);
    sls_clip_destroy(clip);
}

/* Hash of all rendered bytes (FNV-1a). */
static unsigned long long sum(void)
{
    unsigned long long sum = 14695981039346656037ull;
    size_t at;
    for (at = 0; at < frame_bytes * (size_t)count; at++)
        sum = (sum ^ random_access[at]) * 1099511628211ull;
    return sum;
}

int main(int argc, char **argv)
{
    sls_engine *engine;
    size_t bytes;

    CHECK(argc == 6 || argc == 7);
    /* As interactive programs do. */
    setlocale(LC_ALL, "");
    printf("numbers are written as %.1f\n", 0.5);
    width = atoi(argv[2]);
    height = atoi(argv[3]);
    count = atoi(argv[4]);
    sample_rate = (uint32_t)atoi(argv[5]);
    frame_bytes = 4 * (size_t)width * (size_t)height;
    frames = whole_file(argv[1], "frames.rgba", &bytes);
    CHECK(bytes == frame_bytes * (size_t)count && count >= 12);
    speech = (float *)(void *)whole_file(argv[1], "speech.f32", &bytes);
    sample_count = bytes / sizeof(float);
    random_access = (unsigned char *)allocate(frame_bytes * (size_t)count);

    CHECK(sls_abi_version() == SLS_ABI_VERSION);
    engine = cpu_engine(argc > 6 ? argv[6] : NULL);
    report(engine);
    render_in_any_order(engine, argv[1]);
    stream(engine);
    printf("%d frames, the same bytes from both paths: %016llx\n", count, sum());

    free(random_access);
    free(speech);
    free(frames);
    return 0;
}

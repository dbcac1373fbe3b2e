/*
 * Streams and their frames: a change of audio in the middle of a stream, the person's profile, the
 * provenance report, time stamps, frames of one kind, a trimmed mask.
 *
 *     streams FOLDER WIDTH HEIGHT COUNT
 *
 * See host.h for FOLDER. Writes consent.json to it.
 */
#include "host.h"

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
    REFUSES(SLS_ERROR_NULL, "size", sls_clip_provenance(clip, small, sizeof small, NULL));
    REFUSES(SLS_ERROR_ARGUMENT, "capacity", sls_clip_provenance(clip, small, sizeof small, &size));
    CHECK(size == 99 && strcmp(small, "before") == 0);
    OK(sls_clip_set_audio(clip, speech, sample_count, 16000, 1));
    REFUSES(SLS_ERROR_CONSENT, "is required",
            sls_clip_render(clip, 1, &source, &destination, NULL, NULL));
    REFUSES(SLS_ERROR_READ, "no-such", sls_clip_load_consent(clip, "no-such-consent.json"));
    REFUSES(SLS_ERROR_CONSENT, "is not a consent file", sls_clip_load_consent(clip, written("{}")));
    OK(sls_clip_load_consent(clip, written(expired)));
    REFUSES(SLS_ERROR_CONSENT, "expired on 2021-05-03",
            sls_clip_render(clip, 1, &source, &destination, NULL, NULL));
    OK(sls_clip_load_consent(clip, written(valid)));
    OK(sls_clip_render(clip, 1, &source, &destination, NULL, NULL));
    OK(sls_clip_provenance(clip, NULL, 0, &size));
    text = (char *)allocate(size);
    REFUSES(SLS_ERROR_ARGUMENT, "capacity", sls_clip_provenance(clip, text, size - 1, &again));
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
    REFUSES(SLS_ERROR_STATE, "audio", sls_clip_cut_audio(clip, 0));
    REFUSES(SLS_ERROR_NULL, "clip", sls_clip_cut_audio(NULL, 0));
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
    REFUSES(SLS_ERROR_STATE, "analysed", sls_clip_finish_analysis(clip));
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
    REFUSES(SLS_ERROR_STATE, "analysed", sls_clip_finish_analysis(clip));
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

    REFUSES(SLS_ERROR_NULL, "position", sls_position(1, 1, 1, NULL));
    REFUSES(SLS_ERROR_ARGUMENT, "ticks", sls_position(1, 0, 1, &position));
    REFUSES(SLS_ERROR_ARGUMENT, "ticks", sls_position(1, 1, 0, &position));
    REFUSES(SLS_ERROR_ARGUMENT, "ticks", sls_position(INT64_MAX, 2, 1, &position));
    CHECK(position == -1);
    OK(sls_position(3, 1001, 30000, &position));
    CHECK(position == 1602);                    /* 1601.6 */
    OK(sls_clip_push_frame_at(clip, position, &frame, &index));
    CHECK(index == 0);
    REFUSES(SLS_ERROR_ARGUMENT, "position", sls_clip_push_frame_at(clip, 1601, &frame, &index));
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
    REFUSES(SLS_ERROR_FRAME, "format", sls_clip_push_frame(clip, &frame, NULL));
    frame.format = SLS_FORMAT_RGBA8;
    frame.height -= 1;
    REFUSES(SLS_ERROR_FRAME, "width", sls_clip_push_frame(clip, &frame, NULL));
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
    REFUSES(SLS_ERROR_ARGUMENT, "mask.grow", sls_clip_create(engine, &options, &clip));
    options = defaults();
    options.mask_feather = -1.0f;
    REFUSES(SLS_ERROR_ARGUMENT, "mask.feather", sls_clip_create(engine, &options, &clip));
    options = defaults();
    options.selection = SLS_SELECT_FROM_LEFT;
    CHECK(changed_with(engine, &options) == usual);
    /* There is no second face: the frame is copied. */
    options.face = 1;
    CHECK(changed_with(engine, &options) == 0);
}

int main(int argc, char **argv)
{
    sls_engine *engine = start(argc, argv);

    folder = argv[1];
    provenance(engine);
    change_audio(engine);
    profile(engine);
    time_stamps(engine);
    one_kind_of_frame(engine);
    trimmed(engine);
    no_worker_threads();
    finish(engine);
    printf("the streams hold\n");
    return 0;
}

/*
 * Continues misuse.c, and its table: adaptation, watermark, audio, frames and rendering of a clip.
 *
 *     misuse_clip FOLDER
 *
 * FOLDER contains text.wav, which is not audio, cut.wav, which is truncated, and empty.wav.
 */
#include "refused.h"

static const char *folder;

static void adaptation(sls_engine *engine, sls_clip *clip)
{
    sls_adapt_options options;
    sls_adapt *adapt = NULL;
    sls_person *person = NULL;
    char path[4096];

    FAILS(SLS_ERROR_ABI, "struct_size", sls_adapt_options_init(&options, 4));
    OK(sls_adapt_options_init(&options, sizeof options));
    CHECK(options.steps == 300 && options.picture_weight == 10.0f && options.seconds == 0.0);
    FAILS(SLS_ERROR_NULL, "adapt", sls_adapt_create(clip, &options, NULL));

#define REFUSED(status, word, change)                                                             \
    do {                                                                                          \
        OK(sls_adapt_options_init(&options, sizeof options));                                     \
        change;                                                                                   \
        about("sls_adapt_options: " #change);                                                     \
        FAILS(status, word, sls_adapt_create(clip, &options, &adapt));                            \
        about(NULL);                                                                              \
    } while (0)

    REFUSED(SLS_ERROR_ARGUMENT, "options.plateau", options.plateau = 2);
    REFUSED(SLS_ERROR_ARGUMENT, "options.seconds", options.seconds = -1.0);
    REFUSED(SLS_ERROR_ARGUMENT, "steps", options.steps = 0);
    REFUSED(SLS_ERROR_ARGUMENT, "options.consent", options.consent = "\xFF");
    REFUSED(SLS_ERROR_READ, "no-such-consent", options.consent_file = "no-such-consent.json");
    REFUSED(SLS_ERROR_ABI, "reserved", options.reserved[4] = 1);
#undef REFUSED
    OK(sls_adapt_options_init(&options, sizeof options));
    FAILS(SLS_ERROR_NO_AUDIO, "audio", sls_adapt_create(clip, &options, &adapt));

    FAILS(SLS_ERROR_NULL, "path", sls_person_load(engine, NULL, &person));
    FAILS(SLS_ERROR_NULL, "person", sls_person_load(engine, "nobody.safetensors", NULL));
    FAILS(SLS_ERROR_READ, "nobody", sls_person_load(engine, "nobody.safetensors", &person));
    snprintf(path, sizeof path, "%s/text.wav", folder);
    FAILS(SLS_ERROR_PERSON, "is not a person file", sls_person_load(engine, path, &person));
    FAILS(SLS_ERROR_ANALYSIS, "is not an analysis file", sls_clip_load_analysis(clip, path));
    OK(sls_clip_set_person(clip, NULL));
    CHECK(adapt == NULL && person == NULL);
}

static void load(sls_clip *clip, int32_t status, const char *name)
{
    char path[4096], change[64];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    snprintf(change, sizeof change, "sls_clip_load_audio: %s", name);
    about(change);
    FAILS(status, name, sls_clip_load_audio(clip, path));
    about(NULL);
}

static void audio(sls_clip *clip)
{
    float samples[4] = {0};
    const float *odd = (const float *)(const void *)((const char *)samples + 1);

    FAILS(SLS_ERROR_NULL, "path", sls_clip_load_audio(clip, NULL));
    FAILS(SLS_ERROR_ARGUMENT, "path", sls_clip_load_audio(clip, "\xFF"));
    load(clip, SLS_ERROR_READ, "none.wav");
    load(clip, SLS_ERROR_AUDIO, "text.wav");
    load(clip, SLS_ERROR_AUDIO, "cut.wav");
    load(clip, SLS_ERROR_NO_AUDIO, "empty.wav");

#define BOTH(status, word, ...)                                                                   \
    do {                                                                                          \
        about("sls_clip_set_audio, sls_clip_push_audio: " #__VA_ARGS__);                          \
        FAILS(status, word, sls_clip_set_audio(clip, __VA_ARGS__));                               \
        FAILS(status, word, sls_clip_push_audio(clip, __VA_ARGS__));                              \
        about(NULL);                                                                              \
    } while (0)

    BOTH(SLS_ERROR_NULL, "samples", NULL, 4, 16000, 1);
    BOTH(SLS_ERROR_ARGUMENT, "samples", odd, 2, 16000, 1);
    BOTH(SLS_ERROR_ARGUMENT, "frames", samples, UINT64_MAX, 16000, 64);
    BOTH(SLS_ERROR_ARGUMENT, "channels", samples, 4, 16000, 0);
    BOTH(SLS_ERROR_ARGUMENT, "channels", samples, 4, 16000, -1);
    BOTH(SLS_ERROR_ARGUMENT, "channels", samples, 4, 16000, 65);
    BOTH(SLS_ERROR_ARGUMENT, "rate", samples, 4, 0, 1);
    BOTH(SLS_ERROR_ARGUMENT, "rate", samples, 4, 0xFFFFFFFFu, 1);
#undef BOTH
    FAILS(SLS_ERROR_NO_AUDIO, "audio", sls_clip_set_audio(clip, NULL, 0, 16000, 1));
    FAILS(SLS_ERROR_NO_AUDIO, "audio", sls_clip_finish_audio(clip));
}

/* An invalid frame, passed to every function that takes one. */
static void refused_frame(sls_clip *clip, int32_t status, const char *word, const sls_frame *wrong)
{
    unsigned char pixels[4 * SIDE * SIDE] = {0};
    sls_frame right = rgba(pixels, SIDE, SIDE);
    int64_t index = -7;
    int32_t faces = -7;

    FAILS(status, word, sls_clip_set_reference(clip, wrong));
    FAILS(status, word, sls_clip_add_reference(clip, wrong));
    FAILS(status, word, sls_clip_analyze(clip, 0, wrong, &faces));
    FAILS(status, word, sls_clip_render(clip, 0, wrong, &right, NULL, NULL));
    FAILS(status, word, sls_clip_render(clip, 0, &right, wrong, NULL, NULL));
    FAILS(status, word, sls_clip_push_frame(clip, wrong, &index));
    FAILS(status, word, sls_clip_push_frame_at(clip, 0, wrong, &index));
    FAILS(status, word, sls_clip_pull_frame(clip, wrong, NULL, NULL));
    CHECK(index == -7 && faces == -7);
}

static void frames(sls_clip *clip)
{
    unsigned char pixels[4 * SIDE * SIDE] = {0};
    sls_frame frame;

    about("any sls_frame: NULL");
    refused_frame(clip, SLS_ERROR_NULL, "NULL", NULL);
    about(NULL);

#define REFUSED(status, word, change)                                                             \
    do {                                                                                          \
        frame = rgba(pixels, SIDE, SIDE);                                                         \
        change;                                                                                   \
        about("any sls_frame: " #change);                                                         \
        refused_frame(clip, status, word, &frame);                                                \
        about(NULL);                                                                              \
    } while (0)

    REFUSED(SLS_ERROR_ABI, "struct_size", frame.struct_size = 1);
    REFUSED(SLS_ERROR_ABI, "reserved", frame.reserved[2] = 5);
    REFUSED(SLS_ERROR_NULL, "data", frame.data = NULL);
    REFUSED(SLS_ERROR_FRAME, "format", frame.format = 0);
    REFUSED(SLS_ERROR_FRAME, "format", frame.format = 7);
    REFUSED(SLS_ERROR_FRAME, "memory", frame.memory = 1);
    REFUSED(SLS_ERROR_FRAME, "width", frame.width = 0);
    REFUSED(SLS_ERROR_FRAME, "width", frame.width = -8);
    REFUSED(SLS_ERROR_FRAME, "width", frame.width = 65537);
    REFUSED(SLS_ERROR_FRAME, "height", frame.height = 0);
    REFUSED(SLS_ERROR_FRAME, "stride", frame.stride = 0);
    REFUSED(SLS_ERROR_FRAME, "stride", frame.stride = 4 * SIDE - 1);
    REFUSED(SLS_ERROR_FRAME, "stride", frame.stride = 1 - 4 * SIDE);
    REFUSED(SLS_ERROR_FRAME, "stride", frame.stride = INT64_MAX);
    REFUSED(SLS_ERROR_FRAME, "stride", frame.stride = INT64_MIN);
#undef REFUSED
}

static void rendering(sls_clip *clip)
{
    float zero = 0.0f;
    unsigned char pixels[2][4 * SIDE * SIDE];
    float samples[1600] = {0};
    sls_frame source = rgba(pixels[0], SIDE, SIDE), destination = rgba(pixels[1], SIDE, SIDE);
    sls_frame smaller = rgba(pixels[1], SIDE / 2, SIDE), other = destination;
    sls_render_options options;
    sls_render_result result;
    sls_render_result speakers[2];
    sls_layers layers;
    float mouth[SIDE][4 * SIDE], st[SIDE][2 * SIDE];
    size_t place;
    sls_face face;
    int64_t index = -7;
    int32_t need;

    memset(pixels[0], 9, sizeof pixels[0]);
    OK(sls_face_init(&face, sizeof face));
    FAILS(SLS_ERROR_NULL, "face", sls_clip_face(clip, 0, 0, NULL));
    FAILS(SLS_ERROR_STATE, "analysed", sls_clip_face(clip, 0, 0, &face));
    FAILS(SLS_ERROR_STATE, "analysed", sls_clip_finish_analysis(clip));
    FAILS(SLS_ERROR_STATE, "analysed", sls_clip_shot(clip, 0, &index, NULL));
    CHECK(index == -7);
    FAILS(SLS_ERROR_NULL, "path", sls_clip_save_analysis(clip, NULL));
    FAILS(SLS_ERROR_STATE, "finished", sls_clip_save_analysis(clip, "clip.slsa"));
    FAILS(SLS_ERROR_NULL, "path", sls_clip_load_analysis(clip, NULL));
    FAILS(SLS_ERROR_READ, "no-such", sls_clip_load_analysis(clip, "no-such.slsa"));
    OK(sls_clip_analyze(clip, 0, &source, NULL));
    FAILS(SLS_ERROR_NO_FACE, "face", sls_clip_finish_analysis(clip));
    FAILS(SLS_ERROR_ARGUMENT, "ordinal", sls_clip_face(clip, 0, 0, &face));
    OK(sls_clip_forget_analysis(clip));
    FAILS(SLS_ERROR_STATE, "analysed", sls_clip_face(clip, 0, 0, &face));
    face.struct_size = 2;
    FAILS(SLS_ERROR_ABI, "face.struct_size", sls_clip_face(clip, 0, 0, &face));
    FAILS(SLS_ERROR_NO_FACE, "face", sls_clip_set_reference(clip, &source));
    FAILS(SLS_ERROR_NO_FACE, "face", sls_clip_add_reference(clip, &source));
    FAILS(SLS_ERROR_NO_AUDIO, "audio", sls_clip_render(clip, 0, &source, &destination, NULL, NULL));

    OK(sls_clip_set_audio(clip, samples, 1600, 16000, 1));
    FAILS(SLS_ERROR_STATE, "audio", sls_clip_push_audio(clip, samples, 1600, 16000, 1));
    FAILS(SLS_ERROR_FRAME, "width", sls_clip_render(clip, 0, &source, &smaller, NULL, NULL));
    other.format = SLS_FORMAT_BGRA8;
    FAILS(SLS_ERROR_FRAME, "format", sls_clip_render(clip, 0, &source, &other, NULL, NULL));

    OK(sls_render_options_init(&options, sizeof options));
    OK(sls_render_result_init(&result, sizeof result));
    result.index = -7;
    options.strength = 2.0f;
    FAILS(SLS_ERROR_ARGUMENT, "strength",
          sls_clip_render(clip, 0, &source, &destination, &options, &result));
    options.strength = 1.0f;
    options.articulation_offset = -1.5f;
    FAILS(SLS_ERROR_ARGUMENT, "options.articulation_offset",
          sls_clip_render(clip, 0, &source, &destination, &options, &result));
    options.articulation_offset = zero / zero;
    FAILS(SLS_ERROR_ARGUMENT, "options.articulation_offset",
          sls_clip_render(clip, 0, &source, &destination, &options, &result));
    options.articulation_offset = 0.0f;
    options.detail_offset = 1.5f;
    FAILS(SLS_ERROR_ARGUMENT, "options.detail_offset",
          sls_clip_render(clip, 0, &source, &destination, &options, &result));
    options.detail_offset = zero / zero;
    FAILS(SLS_ERROR_ARGUMENT, "options.detail_offset",
          sls_clip_render(clip, 0, &source, &destination, &options, &result));
    options.detail_offset = 0.0f;
    options.reserved[0] = 1;
    FAILS(SLS_ERROR_ABI, "reserved",
          sls_clip_render(clip, 0, &source, &destination, &options, &result));
    options.reserved[0] = 0;
    memset(&layers, 0, sizeof layers);
    options.layers = &layers;
    FAILS(SLS_ERROR_ABI, "options.layers.struct_size",
          sls_clip_render(clip, 0, &source, &destination, &options, &result));
    OK(sls_layers_init(&layers, sizeof layers));
    layers.reserved0 = 1;
    FAILS(SLS_ERROR_ABI, "reserved",
          sls_clip_render(clip, 0, &source, &destination, &options, &result));
    CHECK(result.index == -7);
    result.struct_size = 3;
    FAILS(SLS_ERROR_ABI, "result", sls_clip_render(clip, 0, &source, &destination, NULL, &result));

    /* A missing face is not an error: the frame is copied. */
    OK(sls_render_result_init(&result, sizeof result));
    OK(sls_clip_render(clip, 0, &source, &destination, NULL, &result));
    CHECK(memcmp(pixels[0], pixels[1], sizeof pixels[0]) == 0);
    CHECK(result.face == -1 && result.changed == 0 && result.index == 0);

    options.layers = NULL;
    options.speakers = &speakers[0];
    speakers[0].struct_size = 5;
    FAILS(SLS_ERROR_ABI, "options.speakers.struct_size",
          sls_clip_render(clip, 0, &source, &destination, &options, NULL));
    OK(sls_render_result_init(&speakers[0], sizeof speakers[0]));
    memset(&speakers[1], 0x5A, sizeof speakers[1]);
    OK(sls_clip_render(clip, 0, &source, &destination, &options, NULL));
    CHECK(speakers[0].face == -1 && speakers[1].struct_size == 0x5A5A5A5A);
    options.speakers = NULL;
    options.layers = &layers;

    /* Its layers are empty. */
    OK(sls_layers_init(&layers, sizeof layers));
    OK(sls_clip_render(clip, 0, &source, &destination, &options, &result));
    memset(mouth, 0x3F, sizeof mouth);
    memset(st, 0x3F, sizeof st);
    layers.mouth = mouth[SIDE - 1];
    layers.mouth_stride = -(int64_t)sizeof mouth[0];
    layers.st = st[0];
    layers.st_stride = sizeof st[0];
    OK(sls_clip_render(clip, 0, &source, &destination, &options, &result));
    for (place = 0; place < 4 * SIDE * SIDE; place++)
        CHECK(mouth[place / (4 * SIDE)][place % (4 * SIDE)] == 0.0f);
    for (place = 0; place < 2 * SIDE * SIDE; place++)
        CHECK(st[place / (2 * SIDE)][place % (2 * SIDE)] == -1.0f);

    CHECK(sls_clip_pull_frame(clip, &destination, NULL, NULL) == SLS_AGAIN);
    FAILS(SLS_ERROR_NULL, "need", sls_clip_stream_need(clip, NULL));
    OK(sls_clip_push_frame(clip, &source, &index));
    CHECK(index == 0);
    OK(sls_clip_flush(clip));
    FAILS(SLS_ERROR_STATE, "flush", sls_clip_push_frame(clip, &source, &index));
    OK(sls_clip_set_audio(clip, samples, 1600, 16000, 1));
    FAILS(SLS_ERROR_FRAME, "width", sls_clip_pull_frame(clip, &smaller, NULL, NULL));
    OK(sls_clip_pull_frame(clip, &destination, NULL, &result));
    CHECK(sls_clip_pull_frame(clip, &destination, NULL, NULL) == SLS_END);
    CHECK(sls_clip_stream_need(clip, &need) == SLS_END);
    OK(sls_clip_reset(clip));
    OK(sls_clip_seek(clip, 100));
    OK(sls_clip_push_frame(clip, &source, &index));
    CHECK(index == 100);
    OK(sls_clip_clear_reference(clip));
}

static void watermark(const sls_engine *engine, sls_clip *clip)
{
    unsigned char pixels[4 * SIDE * SIDE] = {0};
    sls_frame frame = rgba(pixels, SIDE, SIDE);
    sls_detector *detector = NULL;
    sls_detection detection;

    FAILS(SLS_ERROR_ARGUMENT, "id", sls_clip_set_watermark(clip, (uint64_t)1 << 32));
    OK(sls_clip_set_watermark(clip, SLS_WATERMARK_OF_INPUTS));
    OK(sls_clip_set_watermark(clip, 0));
    FAILS(SLS_ERROR_NULL, "detector", sls_detect_create(engine, SLS_TRANSFER_DISPLAY, NULL));
    FAILS(SLS_ERROR_ARGUMENT, "transfer_kind", sls_detect_create(engine, 9, &detector));
    CHECK(detector == NULL);
    OK(sls_detect_create(engine, SLS_TRANSFER_DISPLAY, &detector));
    FAILS(SLS_ERROR_NULL, "frame", sls_detect_add_frame(detector, NULL));
    OK(sls_detect_add_frame(detector, &frame));
    FAILS(SLS_ERROR_NULL, "detection", sls_detect_result(detector, NULL));
    OK(sls_detection_init(&detection, sizeof detection));
    OK(sls_detect_result(detector, &detection));
    CHECK(detection.found == 0 && detection.id == 0 && detection.frames == 1 && detection.faces == 0);
    sls_detect_destroy(detector);
}

int main(int argc, char **argv)
{
    sls_engine *engine;
    sls_clip *clip = NULL;

    CHECK(argc == 2);
    folder = argv[1];
    OK(sls_set_log_callback(count_log, &logged, SLS_LOG_INFO));
    engine = cpu_engine(NULL);
    CHECK(logged > 0);
    OK(sls_clip_create(engine, NULL, &clip));
    adaptation(engine, clip);
    watermark(engine, clip);
    audio(clip);
    frames(clip);
    rendering(clip);
    sls_clip_destroy(clip);
    sls_engine_destroy(engine);
    OK(sls_set_log_callback(NULL, NULL, 0));
    puts("every misuse was refused");
    return 0;
}

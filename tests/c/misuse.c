/*
 * Calls every function with each kind of invalid argument that can be detected without access to invalid
 * memory: each returns its status and a message, and writes nothing. Prints the calls as a table
 * (misuse.md).
 *
 * Here: the log, init functions, engines, options of clips, speakers, NULL handles. misuse_clip.c has the
 * other calls on clips.
 */
#include "refused.h"

static void versions_and_texts(void)
{
    char version[32];
    int32_t status;

    snprintf(version, sizeof version, "%d.%d.%d", SLS_VERSION_MAJOR, SLS_VERSION_MINOR,
             SLS_VERSION_PATCH);
    CHECK(strcmp(sls_version(), version) == 0);
    CHECK(sls_abi_version() == SLS_ABI_VERSION);
    for (status = SLS_OK; status >= SLS_ERROR_CONSENT; status--)
        CHECK(strcmp(sls_status_str(status), "unknown status") != 0);
    CHECK(strcmp(sls_status_str(SLS_ERROR_CONSENT - 1), "unknown status") == 0);
    CHECK(strcmp(sls_status_str(1), "unknown status") == 0);
    CHECK(*sls_last_error() == '\0');
}

static void log_callback(void)
{
    FAILS(SLS_ERROR_ARGUMENT, "max_level", sls_set_log_callback(count_log, &logged, 0));
    FAILS(SLS_ERROR_ARGUMENT, "max_level", sls_set_log_callback(count_log, &logged, 99));
    OK(sls_set_log_callback(NULL, NULL, 0));
    OK(sls_set_log_callback(count_log, &logged, SLS_LOG_INFO));
}

static void init_functions(void)
{
    union {
        sls_frame frame;
        sls_engine_options engine;
        sls_clip_options clip;
        sls_render_options render;
        sls_render_result result;
        sls_info info;
        sls_face face;
        sls_detection detection;
        sls_layers layers;
        sls_speaker speaker;
        unsigned char bytes[4096];
    } any;

#define INIT(function, part, type)                                                                \
    do {                                                                                          \
        FAILS(SLS_ERROR_NULL, "NULL", function(NULL, sizeof(type)));                              \
        FAILS(SLS_ERROR_ABI, "size", function(&any.part, 0));                                     \
        FAILS(SLS_ERROR_ABI, "size", function(&any.part, sizeof(type) - 1));                      \
        FAILS(SLS_ERROR_ABI, "size", function(&any.part, (size_t)-1));                            \
        memset(&any, 0xA5, sizeof any);                                                           \
        OK(function(&any.part, sizeof(type) + 16));                                               \
        CHECK(any.part.struct_size == sizeof(type) + 16);                                         \
        CHECK(any.bytes[sizeof(type)] == 0 && any.bytes[sizeof(type) + 16] == 0xA5);              \
    } while (0)

    INIT(sls_frame_init, frame, sls_frame);
    INIT(sls_engine_options_init, engine, sls_engine_options);
    INIT(sls_clip_options_init, clip, sls_clip_options);
    INIT(sls_render_options_init, render, sls_render_options);
    INIT(sls_render_result_init, result, sls_render_result);
    INIT(sls_info_init, info, sls_info);
    INIT(sls_face_init, face, sls_face);
    INIT(sls_detection_init, detection, sls_detection);
    INIT(sls_layers_init, layers, sls_layers);
    INIT(sls_speaker_init, speaker, sls_speaker);
}

static void engines(void)
{
    sls_engine *const untouched = (sls_engine *)(void *)&logged;
    sls_engine *engine = untouched;
    sls_engine_options options;
    sls_info info;
    char text[8];

    FAILS(SLS_ERROR_ABI, "abi_version", sls_engine_create(0, NULL, &engine));
    FAILS(SLS_ERROR_ABI, "abi_version", sls_engine_create(SLS_ABI_VERSION + 1, NULL, &engine));
    FAILS(SLS_ERROR_NULL, "engine", sls_engine_create(SLS_ABI_VERSION, NULL, NULL));

#define REFUSED(status, word, change)                                                             \
    do {                                                                                          \
        OK(sls_engine_options_init(&options, sizeof options));                                    \
        change;                                                                                   \
        about("sls_engine_options: " #change);                                                    \
        FAILS(status, word, sls_engine_create(SLS_ABI_VERSION, &options, &engine));               \
        about(NULL);                                                                              \
    } while (0)

    REFUSED(SLS_ERROR_ABI, "options.struct_size", options.struct_size = 0);
    REFUSED(SLS_ERROR_ABI, "options.struct_size", options.struct_size = 4);
    REFUSED(SLS_ERROR_ABI, "options.struct_size", options.struct_size = 0xFFFFFFFFu);
    REFUSED(SLS_ERROR_ABI, "reserved", options.reserved[5] = 1);
    REFUSED(SLS_ERROR_ARGUMENT, "options.provider", options.provider = -1);
    REFUSED(SLS_ERROR_ARGUMENT, "options.provider", options.provider = 10);
    REFUSED(SLS_ERROR_ARGUMENT, "options.threads", options.threads = -1);
    REFUSED(SLS_ERROR_ARGUMENT, "options.threads", options.threads = 1 << 30);
    REFUSED(SLS_ERROR_ARGUMENT, "options.parallel_frames", options.parallel_frames = 2);
    REFUSED(SLS_ERROR_ARGUMENT, "options.bundle", options.bundle = "\xFF\xFE");
    REFUSED(SLS_ERROR_READ, "no-such-bundle", options.bundle = "no-such-bundle");
#undef REFUSED
    CHECK(engine == untouched);

    sls_engine_destroy(NULL);
    OK(sls_info_init(&info, sizeof info));
    FAILS(SLS_ERROR_NULL, "engine", sls_engine_info(NULL, &info));
    FAILS(SLS_ERROR_NULL, "engine", sls_engine_refused(NULL, 0, NULL, NULL));
    CHECK(sls_engine_last_error(NULL, text, sizeof text) == 1 && *text == '\0');
}

static void an_engine(const sls_engine *engine)
{
    sls_info info;
    char text[8];
    size_t needed;

    memset(&info, 0, sizeof info);
    FAILS(SLS_ERROR_ABI, "struct_size", sls_engine_info(engine, &info));
    FAILS(SLS_ERROR_ARGUMENT, "index", sls_engine_refused(engine, -1, NULL, NULL));
    FAILS(SLS_ERROR_NULL, "info", sls_engine_info(engine, NULL));
    needed = sls_engine_last_error(engine, text, sizeof text);
    CHECK(needed == strlen("info is NULL") + 1 && strcmp(text, "info is") == 0);
    CHECK(sls_engine_last_error(engine, NULL, 0) == needed);
}

static void clip_options(const sls_engine *engine)
{
    static const int64_t back[] = {0, 640, 639};
    sls_clip *const untouched = (sls_clip *)(void *)&logged;
    sls_clip *clip = untouched;
    sls_clip_options options;
    float zero = 0.0f;

    FAILS(SLS_ERROR_NULL, "engine", sls_clip_create(NULL, NULL, &clip));
    FAILS(SLS_ERROR_NULL, "clip", sls_clip_create(engine, NULL, NULL));

#define REFUSED(status, word, change)                                                             \
    do {                                                                                          \
        OK(sls_clip_options_init(&options, sizeof options));                                      \
        change;                                                                                   \
        about("sls_clip_options: " #change);                                                      \
        FAILS(status, word, sls_clip_create(engine, &options, &clip));                            \
        about(NULL);                                                                              \
    } while (0)

    REFUSED(SLS_ERROR_ABI, "options.struct_size", options.struct_size = 12);
    REFUSED(SLS_ERROR_ARGUMENT, "options.speech_context", options.speech_context = -1);
    REFUSED(SLS_ERROR_ARGUMENT, "options.speech_context", options.speech_context = 2);
    REFUSED(SLS_ERROR_ARGUMENT, "options.require_consent", options.require_consent = 2);
    REFUSED(SLS_ERROR_ARGUMENT, "options.ignore_occlusion", options.ignore_occlusion = 2);
    REFUSED(SLS_ERROR_ARGUMENT, "options.label", options.label = 5);
    REFUSED(SLS_ERROR_ARGUMENT, "label.size", (options.label = 1, options.label_size = 0.6f));
    REFUSED(SLS_ERROR_ARGUMENT, "label.opacity", (options.label = 1, options.label_opacity = zero / zero));
    REFUSED(SLS_ERROR_ABI, "reserved", options.reserved0 = 1);
    REFUSED(SLS_ERROR_ARGUMENT, "rate", options.rate_num = 0);
    REFUSED(SLS_ERROR_ARGUMENT, "rate", options.rate_den = 0);
    REFUSED(SLS_ERROR_ARGUMENT, "rate", options.rate_num = 0xFFFFFFFFu);
    REFUSED(SLS_ERROR_ARGUMENT, "options.selection", options.selection = 5);
    REFUSED(SLS_ERROR_NULL, "options.picture", options.selection = SLS_SELECT_PICTURE);
    REFUSED(SLS_ERROR_ARGUMENT, "mask.grow", options.mask_grow = 20.5f);
    REFUSED(SLS_ERROR_ARGUMENT, "mask.grow", options.mask_grow = zero / zero);
    REFUSED(SLS_ERROR_ARGUMENT, "mask.feather", options.mask_feather = -0.5f);
    REFUSED(SLS_ERROR_ARGUMENT, "options.point_x", options.point_x = zero / zero);
    REFUSED(SLS_ERROR_ARGUMENT, "options.transfer", options.transfer = -1);
    REFUSED(SLS_ERROR_ARGUMENT, "strength", options.strength = 1.5f);
    REFUSED(SLS_ERROR_ARGUMENT, "strength", options.strength = zero / zero);
    REFUSED(SLS_ERROR_ARGUMENT, "timing", (options.times = back, options.time_count = 3));
    REFUSED(SLS_ERROR_ARGUMENT, "timing", (options.times = back, options.time_count = 0));
    REFUSED(SLS_ERROR_ARGUMENT, "options.time_count",
            (options.times = back, options.time_count = UINT64_MAX));
#undef REFUSED
    CHECK(clip == untouched);
    sls_clip_destroy(NULL);
}

static void null_clips(void)
{
    unsigned char pixels[4 * SIDE * SIDE] = {0};
    sls_frame frame = rgba(pixels, SIDE, SIDE);
    float sample = 0.0f;
    char text[4];

    FAILS(SLS_ERROR_NULL, "clip", sls_clip_set_reference(NULL, &frame));
    FAILS(SLS_ERROR_NULL, "clip", sls_clip_add_reference(NULL, &frame));
    FAILS(SLS_ERROR_NULL, "clip", sls_clip_clear_reference(NULL));
    FAILS(SLS_ERROR_NULL, "clip", sls_clip_forget_analysis(NULL));
    FAILS(SLS_ERROR_NULL, "clip", sls_clip_finish_analysis(NULL));
    FAILS(SLS_ERROR_NULL, "clip", sls_clip_shot(NULL, 0, NULL, NULL));
    FAILS(SLS_ERROR_NULL, "clip", sls_clip_save_analysis(NULL, "clip.slsa"));
    FAILS(SLS_ERROR_NULL, "clip", sls_clip_load_analysis(NULL, "clip.slsa"));
    FAILS(SLS_ERROR_NULL, "clip", sls_clip_analyze(NULL, 0, &frame, NULL));
    FAILS(SLS_ERROR_NULL, "clip", sls_clip_set_audio(NULL, &sample, 1, 16000, 1));
    FAILS(SLS_ERROR_NULL, "clip", sls_clip_load_audio(NULL, "speech.wav"));
    FAILS(SLS_ERROR_NULL, "clip", sls_clip_push_audio(NULL, &sample, 1, 16000, 1));
    FAILS(SLS_ERROR_NULL, "clip", sls_clip_finish_audio(NULL));
    FAILS(SLS_ERROR_NULL, "clip", sls_clip_render(NULL, 0, &frame, &frame, NULL, NULL));
    FAILS(SLS_ERROR_NULL, "clip", sls_clip_look_ahead(NULL, NULL, NULL, NULL));
    FAILS(SLS_ERROR_NULL, "clip", sls_clip_stream_need(NULL, NULL));
    FAILS(SLS_ERROR_NULL, "clip", sls_clip_push_frame(NULL, &frame, NULL));
    FAILS(SLS_ERROR_NULL, "clip", sls_clip_push_frame_at(NULL, 0, &frame, NULL));
    FAILS(SLS_ERROR_NULL, "clip", sls_clip_pull_frame(NULL, &frame, NULL, NULL));
    FAILS(SLS_ERROR_NULL, "clip", sls_clip_face(NULL, 0, 0, NULL));
    FAILS(SLS_ERROR_NULL, "clip", sls_clip_flush(NULL));
    FAILS(SLS_ERROR_NULL, "clip", sls_clip_reset(NULL));
    FAILS(SLS_ERROR_NULL, "clip", sls_clip_seek(NULL, 0));
    FAILS(SLS_ERROR_NULL, "clip", sls_clip_cut_audio(NULL, 0));
    FAILS(SLS_ERROR_NULL, "clip", sls_clip_cancel(NULL));
    FAILS(SLS_ERROR_NULL, "clip", sls_clip_memory(NULL, NULL));
    FAILS(SLS_ERROR_NULL, "clip", sls_clip_provenance(NULL, NULL, 0, NULL));
    FAILS(SLS_ERROR_NULL, "clip", sls_clip_add_speaker(NULL, NULL, NULL));
    FAILS(SLS_ERROR_NULL, "clip", sls_clip_set_watermark(NULL, 1));
    FAILS(SLS_ERROR_NULL, "clip", sls_clip_load_consent(NULL, "consent.json"));
    CHECK(sls_clip_last_error(NULL, text, sizeof text) == 1 && *text == '\0');
}

static void null_detectors(void)
{
    unsigned char pixels[4 * SIDE * SIDE] = {0};
    sls_frame frame = rgba(pixels, SIDE, SIDE);
    sls_detector *detector = NULL;
    sls_detection detection;

    OK(sls_detection_init(&detection, sizeof detection));
    FAILS(SLS_ERROR_NULL, "engine", sls_detect_create(NULL, 0, &detector));
    FAILS(SLS_ERROR_NULL, "detector", sls_detect_add_frame(NULL, &frame));
    FAILS(SLS_ERROR_NULL, "detector", sls_detect_result(NULL, &detection));
    sls_detect_destroy(NULL);
}

static void null_adaptations(void)
{
    unsigned char pixels[4 * SIDE * SIDE] = {0};
    sls_frame frame = rgba(pixels, SIDE, SIDE);
    sls_adapt *adapt = NULL;
    sls_person *person = NULL;
    int32_t wants = 0;
    char text[4];

    FAILS(SLS_ERROR_NULL, "clip", sls_adapt_create(NULL, NULL, &adapt));
    FAILS(SLS_ERROR_NULL, "adapt", sls_adapt_wants(NULL, 0, &wants));
    FAILS(SLS_ERROR_NULL, "adapt", sls_adapt_add_frame(NULL, NULL, 0, &frame));
    FAILS(SLS_ERROR_NULL, "adapt", sls_adapt_run(NULL, NULL, NULL, &person));
    FAILS(SLS_ERROR_NULL, "adapt", sls_adapt_cancel(NULL));
    FAILS(SLS_ERROR_NULL, "options", sls_adapt_options_init(NULL, sizeof(sls_adapt_options)));
    FAILS(SLS_ERROR_NULL, "engine", sls_person_load(NULL, "person.safetensors", &person));
    FAILS(SLS_ERROR_NULL, "person", sls_person_save(NULL, "person.safetensors"));
    FAILS(SLS_ERROR_NULL, "clip", sls_clip_set_person(NULL, NULL));
    CHECK(sls_adapt_last_error(NULL, text, sizeof text) == 1 && *text == '\0');
    CHECK(adapt == NULL && person == NULL);
    sls_adapt_destroy(NULL);
    sls_person_destroy(NULL);
}

static void speakers(const sls_engine *engine)
{
    unsigned char pixels[4 * SIDE * SIDE] = {0};
    sls_frame frame = rgba(pixels, SIDE, SIDE);
    float samples[1600] = {0}, zero = 0.0f;
    sls_render_options options;
    sls_render_result results[3];
    sls_speaker speaker;
    sls_clip *clip;
    int32_t number = -7;
    uint32_t face = 99;
    int more;

    OK(sls_clip_create(engine, NULL, &clip));
    FAILS(SLS_ERROR_NULL, "speaker", sls_clip_add_speaker(clip, NULL, &number));

#define REFUSED(status, word, change)                                                             \
    do {                                                                                          \
        OK(sls_speaker_init(&speaker, sizeof speaker));                                           \
        speaker.samples = samples;                                                                \
        speaker.frames = 1600;                                                                    \
        speaker.rate = 16000;                                                                     \
        speaker.channels = 1;                                                                     \
        change;                                                                                   \
        about("sls_speaker: " #change);                                                           \
        FAILS(status, word, sls_clip_add_speaker(clip, &speaker, &number));                       \
        about(NULL);                                                                              \
    } while (0)

    REFUSED(SLS_ERROR_ABI, "speaker.struct_size", speaker.struct_size = 8);
    REFUSED(SLS_ERROR_ABI, "reserved", speaker.reserved0 = 1);
    REFUSED(SLS_ERROR_ARGUMENT, "speaker.selection", speaker.selection = 5);
    REFUSED(SLS_ERROR_NULL, "speaker.picture", speaker.selection = SLS_SELECT_PICTURE);
    REFUSED(SLS_ERROR_NO_FACE, "picture",
            (speaker.selection = SLS_SELECT_PICTURE, speaker.picture = &frame));
    REFUSED(SLS_ERROR_ARGUMENT, "speaker.point_x", speaker.point_y = zero / zero);
    REFUSED(SLS_ERROR_ARGUMENT, "channels", speaker.channels = 0);
    REFUSED(SLS_ERROR_ARGUMENT, "rate", speaker.rate = 0);
    REFUSED(SLS_ERROR_NO_AUDIO, "samples", speaker.frames = 0);
    REFUSED(SLS_ERROR_NULL, "speaker.path", speaker.samples = NULL);
    REFUSED(SLS_ERROR_READ, "no-such", (speaker.samples = NULL, speaker.path = "no-such.wav"));
    CHECK(number == -7);

    OK(sls_speaker_init(&speaker, sizeof speaker));
    speaker.samples = samples;
    speaker.frames = 1600;
    speaker.rate = 16000;
    speaker.channels = 1;
    OK(sls_clip_set_audio(clip, samples, 1600, 16000, 1));
    OK(sls_clip_add_speaker(clip, &speaker, &number));
    CHECK(number == 1);
    OK(sls_clip_add_speaker(clip, &speaker, NULL));
    FAILS(SLS_ERROR_STATE, "speakers", sls_clip_push_frame(clip, &frame, NULL));
    OK(sls_render_options_init(&options, sizeof options));
    options.speakers = results;
    for (more = 0; more < 3; more++)
        OK(sls_render_result_init(&results[more], sizeof *results));
    OK(sls_clip_render(clip, 4, &frame, &frame, &options, NULL));
    for (more = 0; more < 3; more++)
        CHECK(results[more].face == -1 && results[more].index == 4);
    results[2].struct_size = sizeof *results + 8;
    FAILS(SLS_ERROR_ABI, "options.speakers", sls_clip_render(clip, 4, &frame, &frame, &options, NULL));
    OK(sls_clip_analyze(clip, 0, &frame, NULL));
    FAILS(SLS_ERROR_STATE, "analysed", sls_clip_add_speaker(clip, &speaker, NULL));
    FAILS(SLS_ERROR_NULL, "face", sls_clip_speaking_face(clip, samples, 1600, 16000, 1, NULL));
    FAILS(SLS_ERROR_NULL, "samples", sls_clip_speaking_face(clip, NULL, 1600, 16000, 1, &face));
    FAILS(SLS_ERROR_NO_AUDIO, "sample", sls_clip_speaking_face(clip, samples, 0, 16000, 1, &face));
    FAILS(SLS_ERROR_NO_FACE, "analysed", sls_clip_speaking_face(clip, samples, 1600, 16000, 1, &face));
    CHECK(face == 99);
    OK(sls_clip_forget_analysis(clip));
    for (more = 3; more < 16; more++)
        OK(sls_clip_add_speaker(clip, &speaker, NULL));
    FAILS(SLS_ERROR_ARGUMENT, "speaker", sls_clip_add_speaker(clip, &speaker, NULL));
#undef REFUSED
    sls_clip_destroy(clip);
}

int main(void)
{
    sls_engine *engine;

    versions_and_texts();
    log_callback();
    init_functions();
    engines();
    null_clips();
    null_detectors();
    null_adaptations();
    engine = cpu_engine(NULL);
    CHECK(logged > 0);
    an_engine(engine);
    clip_options(engine);
    speakers(engine);
    sls_engine_destroy(engine);
    OK(sls_set_log_callback(NULL, NULL, 0));
    puts("every misuse was refused");
    return 0;
}

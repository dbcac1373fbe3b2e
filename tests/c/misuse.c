/*
 * Calls every function with each kind of invalid argument that can be detected without access to invalid
 * memory: each returns its status and a message, and writes nothing. Prints the calls as a table
 * (misuse.md).
 *
 *     misuse FOLDER
 *
 * FOLDER contains text.wav, which is not audio, and cut.wav, which is truncated.
 */
#include "common.h"

#define SIDE 8

/* The call must return this status, with a message that contains `word`. */
#define FAILS(status, word, call)                                                                 \
    do {                                                                                          \
        CHECK((call) == (status));                                                                \
        CHECK(strstr(sls_last_error(), word) != NULL);                                            \
        row(#call, status);                                                                       \
    } while (0)

static const char *folder;
static int logged;
/* Description of the change that the following calls test, or NULL; whether its row was printed. */
static const char *changed;
static int printed;

#define NAMED(status) {status, #status}

static void row(const char *call, int32_t status)
{
    static const struct {
        int32_t status;
        const char *name;
    } names[] = {
        NAMED(SLS_ERROR_NULL),     NAMED(SLS_ERROR_ARGUMENT), NAMED(SLS_ERROR_ABI),
        NAMED(SLS_ERROR_FRAME),    NAMED(SLS_ERROR_READ),     NAMED(SLS_ERROR_AUDIO),
        NAMED(SLS_ERROR_NO_AUDIO), NAMED(SLS_ERROR_NO_FACE),  NAMED(SLS_ERROR_STATE),
        NAMED(SLS_ERROR_PERSON),
        NAMED(SLS_ERROR_ANALYSIS), NAMED(SLS_ERROR_CONSENT),
    };
    size_t name = 0;
    if (printed)
        return;
    while (name < sizeof names / sizeof *names && names[name].status != status)
        name++;
    CHECK(name < sizeof names / sizeof *names);
    printf("| `%s` | %s | %s |\n", changed ? changed : call, names[name].name, sls_last_error());
    printed = changed != NULL;
}

/* The following calls test one change and share a row. NULL: each call has its own row again. */
static void about(const char *change)
{
    changed = change;
    printed = 0;
}

static void count_log(void *user, int32_t level, const char *message)
{
    CHECK(user == &logged && level >= SLS_LOG_ERROR && level <= SLS_LOG_DEBUG && *message);
    CHECK(sls_set_log_callback(NULL, NULL, SLS_LOG_ERROR) == SLS_ERROR_STATE);
    logged++;
}

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

/*
 * Tests everything in stylelipsync.hpp, built with and without SLS_EXCEPTIONS; both must behave alike.
 *
 *     layer FOLDER WIDTH HEIGHT COUNT
 *
 * FOLDER contains frames.rgba (COUNT frames of a person, RGBA8, 25 fps, two seconds or more) and
 * speech.wav (their speech).
 */
#include "stylelipsync.hpp"
// A second inclusion has no effect.
#include "stylelipsync.hpp"

#include "common.h"

#include <string>
#include <vector>

/* The call must fail with this status, and a message that contains `word`. */
#ifdef SLS_EXCEPTIONS
#define FAILS(wanted, word, call)                                                                 \
    do {                                                                                          \
        bool threw = false;                                                                       \
        try {                                                                                     \
            static_cast<void>(call);                                                              \
        } catch (const sls::error &error) {                                                       \
            threw = true;                                                                         \
            CHECK(error.code() == (wanted) && strstr(error.what(), word) != nullptr);             \
        }                                                                                         \
        CHECK(threw);                                                                             \
    } while (0)
#else
#define FAILS(wanted, word, call)                                                                 \
    do {                                                                                          \
        const sls::status ended = (call);                                                         \
        CHECK(!ended && ended.code() == (wanted) && strstr(ended.message(), word) != nullptr);    \
    } while (0)
#endif

/* The callback's exception leaves the call; without SLS_EXCEPTIONS the call returns this status. */
#ifdef SLS_EXCEPTIONS
#define GIVES_MINE(wanted, call)                                                                  \
    do {                                                                                          \
        bool threw = false;                                                                       \
        try {                                                                                     \
            static_cast<void>(call);                                                              \
        } catch (const mine &) {                                                                  \
            threw = true;                                                                         \
        }                                                                                         \
        CHECK(threw);                                                                             \
    } while (0)
#else
#define GIVES_MINE(wanted, call) CHECK((call).code() == (wanted))
#endif

/* Exceptions for callbacks to throw, if the compiler has them enabled. */
struct mine {};

static void throw_mine()
{
#ifdef __cpp_exceptions
    throw mine();
#endif
}

static const int side = 8, few = 8;
static const uint32_t rate = 16000;

static int width, height, count;
static size_t frame_bytes;
static std::vector<unsigned char> frames;
static std::string folder;

static sls::frame frame_on(unsigned char *pixels)
{
    return sls::frame(pixels, width, height, 4 * static_cast<int64_t>(width), SLS_FORMAT_RGBA8);
}

static unsigned char *pixels_of(int index)
{
    return frames.data() + static_cast<size_t>(index) * frame_bytes;
}

static sls::frame frame_at(int index)
{
    return frame_on(pixels_of(index));
}

/* Any audio. */
static std::vector<float> sound(int of_frames)
{
    std::vector<float> samples(static_cast<size_t>(of_frames) * rate / 25);
    for (size_t i = 0; i < samples.size(); i++)
        samples[i] = static_cast<float>(i % 80) / 80.0f - 0.5f;
    return samples;
}

template <class Handle>
static void only_moves()
{
    static_assert(!std::is_copy_constructible<Handle>::value, "one owner");
    static_assert(!std::is_copy_assignable<Handle>::value, "one owner");
    static_assert(std::is_nothrow_default_constructible<Handle>::value, "empty");
    static_assert(std::is_nothrow_move_constructible<Handle>::value, "moves");
    static_assert(std::is_nothrow_move_assignable<Handle>::value, "moves");
    static_assert(sizeof(Handle) == sizeof(void *), "nothing but C's handle");
    CHECK(!Handle() && Handle().get() == nullptr && Handle().release() == nullptr);
}

template <class Struct, class CStruct>
static Struct filled_as_by(sls_status (*init)(CStruct *, size_t))
{
    static_assert(sizeof(Struct) == sizeof(CStruct), "it goes where C's goes");
    Struct ours;
    CStruct theirs;
    memset(&theirs, 0, sizeof theirs);
    OK(init(&theirs, sizeof theirs));
    const CStruct &plain = ours;
    CHECK(memcmp(&plain, &theirs, sizeof theirs) == 0);
    return ours;
}

static void types()
{
    only_moves<sls::engine>();
    only_moves<sls::person>();
    only_moves<sls::clip>();
    only_moves<sls::adaptation>();
    only_moves<sls::detector>();
#ifdef SLS_EXCEPTIONS
    static_assert(!noexcept(std::declval<sls::clip &>().flush()), "it throws");
#else
    static_assert(noexcept(std::declval<sls::clip &>().flush()), "nothing throws");
#endif
    static_assert(std::is_nothrow_move_constructible<sls::status>::value, "moves");

    filled_as_by<sls::engine_options>(sls_engine_options_init);
    filled_as_by<sls::info>(sls_info_init);
    filled_as_by<sls::face>(sls_face_init);
    filled_as_by<sls::render_options>(sls_render_options_init);
    filled_as_by<sls::layers>(sls_layers_init);
    filled_as_by<sls::render_result>(sls_render_result_init);
    filled_as_by<sls::adapt_options>(sls_adapt_options_init);
    filled_as_by<sls::frame>(sls_frame_init);
    CHECK(filled_as_by<sls::clip_options>(sls_clip_options_init).rate_num == 25);

    unsigned char pixel[4];
    const sls_frame theirs = rgba(pixel, 1, 1);
    const sls::frame ours(pixel, 1, 1, 4, SLS_FORMAT_RGBA8);
    CHECK(memcmp(static_cast<const sls_frame *>(&ours), &theirs, sizeof theirs) == 0);
}

static void statuses()
{
    sls::status status;
    CHECK(status && status.code() == SLS_OK);
    CHECK(strcmp(status.message(), sls_status_str(SLS_OK)) == 0);
    status = sls::check(SLS_AGAIN);
    CHECK(!status && status.code() == SLS_AGAIN);
    CHECK(strcmp(status.message(), sls_status_str(SLS_AGAIN)) == 0);
    CHECK(sls::check(SLS_END).code() == SLS_END);
    FAILS(SLS_ERROR_NULL, "clip", sls::check(sls_clip_flush(nullptr)));

    /* The message stays with its status, whatever fails later. */
#ifdef SLS_EXCEPTIONS
    try {
        sls::clip().flush();
    } catch (const sls::error &first) {
        FAILS(SLS_ERROR_NULL, "adapt", sls::adaptation().cancel());
        CHECK(strcmp(first.what(), "clip is NULL") == 0);
    }
#else
    const sls::status first = sls::clip().flush();
    FAILS(SLS_ERROR_NULL, "adapt", sls::adaptation().cancel());
    CHECK(strcmp(first.message(), "clip is NULL") == 0);
#endif
}

static void empty_handles()
{
    const sls::engine engine;
    sls::person person;
    sls::clip clip;
    sls::adaptation adaptation;
    const sls::frame frame;
    sls::info info;
    sls::face face;
    int32_t wants = 7;

    FAILS(SLS_ERROR_NULL, "engine", engine.info(info));
    FAILS(SLS_ERROR_NULL, "engine", engine.refused(0, nullptr, nullptr));
    FAILS(SLS_ERROR_NULL, "engine", clip.create(engine));
    FAILS(SLS_ERROR_NULL, "engine", person.load(engine, "nobody"));
    FAILS(SLS_ERROR_NULL, "person", person.save("nowhere"));
    FAILS(SLS_ERROR_NULL, "clip", clip.set_reference(frame));
    FAILS(SLS_ERROR_NULL, "clip", clip.clear_reference());
    FAILS(SLS_ERROR_NULL, "clip", clip.forget_analysis());
    FAILS(SLS_ERROR_NULL, "clip", clip.analyze(0, frame));
    FAILS(SLS_ERROR_NULL, "clip", clip.face(0, 0, face));
    FAILS(SLS_ERROR_NULL, "clip", clip.set_audio(nullptr, 0, rate, 1));
    FAILS(SLS_ERROR_NULL, "clip", clip.load_audio("nothing.wav"));
    FAILS(SLS_ERROR_NULL, "clip", clip.push_audio(nullptr, 0, rate, 1));
    FAILS(SLS_ERROR_NULL, "clip", clip.finish_audio());
    FAILS(SLS_ERROR_NULL, "clip", clip.render(0, frame, frame));
    FAILS(SLS_ERROR_NULL, "clip", clip.look_ahead(nullptr, nullptr, nullptr));
    int32_t need = -1;
    FAILS(SLS_ERROR_NULL, "clip", clip.stream_need(need));
    FAILS(SLS_ERROR_NULL, "clip", clip.push_frame(frame));
    FAILS(SLS_ERROR_NULL, "clip", clip.push_frame_at(0, frame));
    FAILS(SLS_ERROR_NULL, "clip", clip.pull_frame(frame));
    FAILS(SLS_ERROR_NULL, "clip", clip.flush());
    FAILS(SLS_ERROR_NULL, "clip", clip.reset());
    FAILS(SLS_ERROR_NULL, "clip", clip.seek(0));
    FAILS(SLS_ERROR_NULL, "clip", clip.set_person(person));
    FAILS(SLS_ERROR_NULL, "clip", adaptation.create(clip));
    FAILS(SLS_ERROR_NULL, "adapt", adaptation.wants(0, wants));
    FAILS(SLS_ERROR_NULL, "adapt", adaptation.add_frame(clip, 0, frame));
    FAILS(SLS_ERROR_NULL, "adapt", adaptation.run(person));
    FAILS(SLS_ERROR_NULL, "adapt", adaptation.cancel());
    CHECK(!engine && !person && !clip && !adaptation && wants == 7);
}

/* The first engine of the process logs something; a log callback that throws does not stop it. */
static sls::engine logged_engine()
{
    int messages = 0;
    const auto log = [&messages](int32_t level, const char *message) {
        CHECK(level >= SLS_LOG_ERROR && level <= SLS_LOG_INFO && *message);
        messages++;
        throw_mine();
    };
    sls::engine_options options;
    sls::engine engine;

    options.provider = SLS_PROVIDER_CPU;
    FAILS(SLS_ERROR_ARGUMENT, "max_level", sls::set_log_callback(log, 99));
    CHECK(sls::set_log_callback(log, SLS_LOG_INFO));
    GIVES_MINE(SLS_OK, engine.create(&options));
    CHECK(messages > 0);
    CHECK(sls::set_log_callback(nullptr));
#ifdef SLS_EXCEPTIONS
    CHECK(!engine);
    CHECK(engine.create(&options));
#endif
    CHECK(engine);
    return engine;
}

static void engines(sls::engine &engine)
{
    sls::info info;
    sls::engine_options options;
    const char *reason = nullptr;
    int32_t provider = -1;

    CHECK(engine.info(info));
    CHECK(info.provider == SLS_PROVIDER_CPU && strcmp(info.provider_name, "cpu") == 0);
    for (int32_t i = 0; i < info.refused; i++)
        CHECK(engine.refused(i, &provider, &reason) && *reason);
    FAILS(SLS_ERROR_ARGUMENT, "index", engine.refused(info.refused, &provider, &reason));

    sls_engine *const kept = engine.get();
    options.bundle = "no-such-bundle";
    FAILS(SLS_ERROR_READ, "no-such-bundle", engine.create(&options));
    CHECK(engine.get() == kept);

    sls::engine moved(std::move(engine));
    CHECK(moved.get() == kept && !engine);
    engine = std::move(moved);
    CHECK(engine.get() == kept && !moved);
    moved = sls::engine(engine.release());
    CHECK(moved.get() == kept && !engine);
    std::swap(engine, moved);

    /* A handle destroys the object that it took over; destroying it again has no effect. */
    sls::engine taken(cpu_engine(nullptr));
    taken.destroy();
    taken.destroy();
    CHECK(!taken);
}

/* Random access. Returns the rendered pixels, which the stream must reproduce. */
static std::vector<unsigned char> random_access(const sls::engine &engine)
{
    const std::vector<float> samples = sound(few);
    std::vector<unsigned char> made(static_cast<size_t>(few) * frame_bytes), again(frame_bytes);
    std::vector<float> matte(frame_bytes / 4);
    sls::clip_options options;
    sls::clip clip;
    int changed = 0;

    options.rate_num = 25;
    CHECK(clip.create(engine, &options));
    sls_clip *const kept = clip.get();
    options.rate_den = 0;
    FAILS(SLS_ERROR_ARGUMENT, "rate", clip.create(engine, &options));
    CHECK(clip.get() == kept);

    FAILS(SLS_ERROR_READ, "nothing.wav", clip.load_audio("nothing.wav"));
    FAILS(SLS_ERROR_NO_AUDIO, "", clip.set_audio(nullptr, 0, rate, 1));
    FAILS(SLS_ERROR_NO_AUDIO, "", clip.render(0, frame_at(0), frame_on(again.data())));
    CHECK(clip.set_audio(samples.data(), samples.size(), rate, 1));
    FAILS(SLS_ERROR_FRAME, "stride",
          clip.set_reference(sls::frame(again.data(), side, side, 1, SLS_FORMAT_RGBA8)));
    CHECK(clip.set_reference(frame_at(0)));
    CHECK(clip.clear_reference());
    CHECK(clip.set_reference(frame_at(0)));

    CHECK(clip.analyze(0, frame_at(0)));
    CHECK(clip.forget_analysis());
    for (int i = few - 1; i >= 0; i--) {
        int32_t faces = -1;
        sls::face face;
        FAILS(SLS_ERROR_STATE, "", clip.face(i, 0, face));
        CHECK(clip.analyze(i, frame_at(i), &faces) && faces >= 1);
        CHECK(clip.face(i, 0, face) && face.side > 0.0f && face.confidence > 0.0f);
        FAILS(SLS_ERROR_ARGUMENT, "", clip.face(i, faces, face));
    }
    for (int i = few - 1; i >= 0; i--) {
        unsigned char *const to = made.data() + static_cast<size_t>(i) * frame_bytes;
        sls::render_result result;
        CHECK(clip.render(i, frame_at(i), frame_on(to), nullptr, &result));
        CHECK(result.index == i);
        changed += result.changed;
    }
    CHECK(changed > 0);

    /* Bottom-up, with a matte. */
    const size_t row = 4 * static_cast<size_t>(width);
    const sls::frame upside_down(again.data() + row * static_cast<size_t>(height - 1), width,
                                 height, -static_cast<int64_t>(row), SLS_FORMAT_RGBA8);
    sls::render_options wish;
    wish.matte = matte.data();
    wish.matte_stride = static_cast<int64_t>(width) * static_cast<int64_t>(sizeof(float));
    std::vector<float> mouth(4 * matte.size(), -7.0f);
    sls::layers layers;
    layers.mouth = mouth.data();
    layers.mouth_stride = 4 * wish.matte_stride;
    wish.layers = &layers;
    CHECK(clip.render(0, frame_at(0), upside_down, &wish));
    /* The alpha of the mouth is the matte. */
    for (size_t i = 0; i < matte.size(); i++)
        CHECK(mouth[4 * i + 3] == matte[i]);
    for (size_t y = 0; y < static_cast<size_t>(height); y++)
        CHECK(memcmp(again.data() + row * (static_cast<size_t>(height) - 1 - y),
                     made.data() + row * y, row)
              == 0);
    return made;
}

/* Pulls the frames that are ready. Returns the status that ended it. */
static sls_status pull(sls::clip &clip, const std::vector<unsigned char> &wanted, int64_t &next)
{
    std::vector<unsigned char> pixels(frame_bytes);
    sls::render_result result;
    sls::status status;
    while ((status = clip.pull_frame(frame_on(pixels.data()), nullptr, &result))) {
        CHECK(result.index == next);
        CHECK(memcmp(pixels.data(), wanted.data() + static_cast<size_t>(next) * frame_bytes,
                     frame_bytes)
              == 0);
        next++;
    }
    return status.code();
}

/* The same frames through a stream, once at the clip's frame rate and once with explicit times. */
static void stream(const sls::engine &engine, const std::vector<unsigned char> &wanted)
{
    const std::vector<float> samples = sound(few);
    const size_t half = samples.size() / 2;
    int32_t ahead = -1, first = -1;
    int64_t audio = -1, index = -1, pulled = 0;
    sls::clip clip;

    CHECK(clip.create(engine));
    CHECK(clip.look_ahead(&ahead, &audio, &first) && ahead >= 0 && audio > 0 && first > 0);
    CHECK(clip.set_reference(frame_at(0)));
    FAILS(SLS_ERROR_NO_AUDIO, "", clip.finish_audio());
    CHECK(clip.seek(3));
    CHECK(clip.push_frame(frame_at(3), &index) && index == 3);
    CHECK(clip.reset());

    CHECK(clip.push_audio(samples.data(), half, rate, 1));
    FAILS(SLS_ERROR_ARGUMENT, "audio", clip.push_audio(samples.data(), half, rate / 2, 1));
    for (int i = 0; i < few; i++) {
        const sls::status status = i % 2 == 0
            ? clip.push_frame(frame_at(i), &index)
            : clip.push_frame_at(i * static_cast<int64_t>(rate) / 25, frame_at(i), &index);
        CHECK(status && index == i);
        CHECK(pull(clip, wanted, pulled) == SLS_AGAIN);
    }
    CHECK(pulled < few);
    CHECK(clip.push_audio(samples.data() + half, samples.size() - half, rate, 1));
    CHECK(clip.finish_audio());
    CHECK(clip.flush());
    CHECK(pull(clip, wanted, pulled) == SLS_END && pulled == few);
    FAILS(SLS_ERROR_STATE, "", clip.push_frame(frame_at(0)));
}

static uint64_t steps_told;

static int32_t stop_at_once(const sls_adapt_progress &progress)
{
    steps_told = progress.step;
    return 1;
}

static void render_middle(const sls::clip &clip, std::vector<unsigned char> &pixels)
{
    sls::render_result result;
    CHECK(clip.render(count / 2, frame_at(count / 2), frame_on(pixels.data()), nullptr, &result));
    CHECK(result.changed == 1);
}

static void adaptations(sls::engine engine)
{
    const std::string file = folder + "/person.safetensors";
    std::vector<unsigned char> before(frame_bytes), adapted(frame_bytes), again(frame_bytes);
    sls::adapt_options options;
    sls::adaptation job;
    sls::person person, loaded;
    sls::clip clip;
    int32_t wanted = 0;

    CHECK(clip.create(engine));
    CHECK(clip.load_audio((folder + "/speech.wav").c_str()));
    FAILS(SLS_ERROR_NO_FACE, "no face", job.create(clip));
    for (int i = 0; i < count; i++)
        CHECK(clip.analyze(i, frame_at(i)));
    render_middle(clip, before);

    options.steps = 1;
    options.frames = 5;
    options.rate = 1e-2f;
    CHECK(job.create(clip, &options));
    FAILS(SLS_ERROR_STATE, "", job.run(person));
    for (int i = 0; i < count; i++) {
        int32_t wants = -1;
        CHECK(job.wants(i, wants));
        wanted += wants;
        CHECK(job.add_frame(clip, i, frame_at(i)));
    }
    CHECK(wanted == 5);

    /* A callback may be any callable; it can stop the run in each of these ways. */
    FAILS(SLS_ERROR_CANCELLED, "cancelled", job.run(person, stop_at_once));
    CHECK(steps_told == 1);
    FAILS(SLS_ERROR_CANCELLED, "cancelled", job.run(person, [&job](const sls_adapt_progress &) {
        CHECK(job.cancel());
        return false;
    }));
#ifdef __cpp_exceptions
    GIVES_MINE(SLS_ERROR_CANCELLED, job.run(person, [](const sls_adapt_progress &) {
        throw_mine();
        return false;
    }));
#endif
    CHECK(!person);
    CHECK(job.run(person));
    CHECK(person);

    /* The person stays valid if the next run fails. */
    sls_person *const kept = person.get();
    FAILS(SLS_ERROR_CANCELLED, "cancelled", job.run(person, stop_at_once));
    CHECK(person.get() == kept);
    job.destroy();

    FAILS(SLS_ERROR_WRITE, "", person.save("no-such-folder/person.safetensors"));
    CHECK(person.save(file.c_str()));
    FAILS(SLS_ERROR_READ, "nobody", loaded.load(engine, "nobody"));
    CHECK(loaded.load(engine, file.c_str()));
    CHECK(clip.set_person(person));
    render_middle(clip, adapted);
    CHECK(before != adapted);
    CHECK(clip.set_person(sls::person()));
    render_middle(clip, again);
    CHECK(before == again);
    CHECK(clip.set_person(loaded));
    person.destroy();
    loaded.destroy();
    engine.destroy();
    render_middle(clip, again);
    CHECK(adapted == again);
}

int main(int argc, char **argv)
{
    size_t size;

    CHECK(argc == 5);
    folder = argv[1];
    width = atoi(argv[2]);
    height = atoi(argv[3]);
    count = atoi(argv[4]);
    frame_bytes = 4 * static_cast<size_t>(width) * static_cast<size_t>(height);
    unsigned char *const bytes = whole_file(argv[1], "frames.rgba", &size);
    CHECK(size == frame_bytes * static_cast<size_t>(count) && count >= few);
    frames.assign(bytes, bytes + size);
    free(bytes);

    types();
    statuses();
    empty_handles();
    sls::engine engine = logged_engine();
    engines(engine);
    stream(engine, random_access(engine));
    adaptations(std::move(engine));
    puts("the layer does what C does");
    return 0;
}

/*
 * Adapts to a person through the C API: stops, resumes, saves the person, and renders with it.
 *
 *     adapt FOLDER WIDTH HEIGHT COUNT
 *
 * FOLDER contains frames.rgba (COUNT frames of the person, RGBA8, 25 fps) and speech.wav (their
 * speech).
 */
#include "frames.h"

static void path_in(char *path, size_t size, const char *folder, const char *name)
{
    snprintf(path, size, "%s/%s", folder, name);
}

/* Creates the person's clip and analyses it. */
static sls_clip *person_clip(const sls_engine *engine, const char *folder)
{
    sls_clip *clip = NULL;
    char path[4096];
    int i;

    OK(sls_clip_create(engine, NULL, &clip));
    path_in(path, sizeof path, folder, "speech.wav");
    OK(sls_clip_load_audio(clip, path));
    for (i = 0; i < count; i++) {
        sls_frame frame = frame_at(i);
        OK(sls_clip_analyze(clip, i, &frame, NULL));
    }
    return clip;
}

static sls_adapt *new_job(const sls_clip *clip, const char *checkpoint)
{
    sls_adapt_options options;
    sls_adapt *adapt = NULL;
    int i, wanted = 0;

    OK(sls_adapt_options_init(&options, sizeof options));
    options.steps = 3;
    options.frames = 5;
    options.rate = 1e-2f;
    options.checkpoint = checkpoint;
    options.consent = "a head that this project drew";
    OK(sls_adapt_create(clip, &options, &adapt));
    for (i = 0; i < count; i++) {
        sls_frame frame = frame_at(i);
        int32_t wants = -1;
        OK(sls_adapt_wants(adapt, i, &wants));
        CHECK(wants == 0 || wants == 1);
        wanted += wants;
        OK(sls_adapt_add_frame(adapt, clip, i, &frame));
        OK(sls_adapt_wants(adapt, i, &wants));
        CHECK(wants == 0);
    }
    CHECK(wanted == 5);
    return adapt;
}

/* Counts the steps; stops after the step given by *user, or cancels the job. */
typedef struct {
    uint64_t first, last, stop_after;
    sls_adapt *cancel;
} watch;

static int32_t see(void *user, const sls_adapt_progress *progress)
{
    watch *watched = (watch *)user;
    CHECK(progress->struct_size == sizeof *progress && progress->steps == 3);
    CHECK(progress->picture > 0.0f && progress->sync >= 0.0f && progress->regulariser >= 0.0f);
    CHECK(progress->steps_per_second > 0.0 && progress->seconds_left >= 0.0);
    CHECK(progress->holds_out == 0);
    if (watched->first == 0)
        watched->first = progress->step;
    watched->last = progress->step;
    if (watched->cancel != NULL)
        OK(sls_adapt_cancel(watched->cancel));
    return progress->step == watched->stop_after;
}

static void render(sls_clip *clip, unsigned char *pixels)
{
    sls_frame source = frame_at(count / 2), destination = rgba(pixels, width, height);
    sls_render_result result;
    OK(sls_render_result_init(&result, sizeof result));
    OK(sls_clip_render(clip, count / 2, &source, &destination, NULL, &result));
    CHECK(result.changed == 1);
}

int main(int argc, char **argv)
{
    sls_engine *engine;
    sls_clip *clip;
    sls_adapt *adapt;
    sls_person *person = NULL, *loaded = NULL;
    unsigned char *before, *adapted, *again;
    char checkpoint[4096], file[4096], sentence[256];
    watch watched = {0, 0, 1, NULL};

    read_frames(argc, argv);
    path_in(checkpoint, sizeof checkpoint, argv[1], "work.checkpoint");
    path_in(file, sizeof file, argv[1], "person.safetensors");
    remove(checkpoint);
    before = (unsigned char *)allocate(frame_bytes);
    adapted = (unsigned char *)allocate(frame_bytes);
    again = (unsigned char *)allocate(frame_bytes);

    engine = cpu_engine(NULL);
    clip = person_clip(engine, argv[1]);
    render(clip, before);

    /* First stopped by the callback, then cancelled, then run to the end. */
    adapt = new_job(clip, checkpoint);
    CHECK(sls_adapt_run(adapt, see, &watched, &person) == SLS_ERROR_CANCELLED);
    CHECK(watched.first == 1 && watched.last == 1 && person == NULL);
    CHECK(sls_adapt_last_error(adapt, sentence, sizeof sentence) == strlen("cancelled") + 1);
    CHECK(strcmp(sentence, "cancelled") == 0);
    watched.first = watched.stop_after = 0;
    watched.cancel = adapt;
    CHECK(sls_adapt_run(adapt, see, &watched, &person) == SLS_ERROR_CANCELLED);
    CHECK(watched.first == 2 && watched.last == 2 && person == NULL);
    sls_adapt_destroy(adapt);
    adapt = new_job(clip, checkpoint);
    watched.first = 0;
    watched.cancel = NULL;
    OK(sls_adapt_run(adapt, see, &watched, &person));
    CHECK(watched.first == 3 && watched.last == 3 && person != NULL);
    sls_adapt_destroy(adapt);

    OK(sls_person_save(person, file));
    OK(sls_person_load(engine, file, &loaded));
    OK(sls_clip_set_person(clip, person));
    render(clip, adapted);
    CHECK(memcmp(before, adapted, frame_bytes) != 0);
    OK(sls_clip_set_person(clip, NULL));
    render(clip, again);
    CHECK(memcmp(before, again, frame_bytes) == 0);
    OK(sls_clip_set_person(clip, loaded));
    sls_person_destroy(loaded);
    sls_person_destroy(person);
    sls_engine_destroy(engine);
    render(clip, again);
    CHECK(memcmp(adapted, again, frame_bytes) == 0);
    sls_clip_destroy(clip);

    free(frames);
    free(before);
    free(adapted);
    free(again);
    puts("a person was learnt, kept and rendered");
    return 0;
}

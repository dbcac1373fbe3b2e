/*
 * A host that forks: calls on the parent's handles fail in the child, instead of waiting for threads that
 * do not exist there; the child renders with its own engine.
 *
 *     fork FOLDER WIDTH HEIGHT
 *
 * FOLDER contains frames.rgba (at least one RGBA8 frame of a speaker) and speech.f32 (16 kHz, mono).
 */
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common.h"

/* Seconds after which a hanging child is killed. */
#define PATIENCE 120

static sls_frame source;
static size_t frame_bytes, sample_count;
static float *speech;

/* A clip with audio and the analysed frame. */
static sls_clip *ready_clip(const sls_engine *engine)
{
    sls_clip *clip = NULL;
    OK(sls_clip_create(engine, NULL, &clip));
    OK(sls_clip_set_audio(clip, speech, sample_count, 16000, 1));
    OK(sls_clip_analyze(clip, 0, &source, NULL));
    return clip;
}

static void render(const sls_clip *clip, unsigned char *out)
{
    sls_frame destination = rgba(out, source.width, source.height);
    OK(sls_clip_render(clip, 0, &source, &destination, NULL, NULL));
}

#define REFUSED(call)                                                                             \
    do {                                                                                          \
        CHECK((call) == SLS_ERROR_STATE);                                                         \
        CHECK(strstr(sls_last_error(), "fork()") != NULL);                                        \
    } while (0)

static void in_the_child(sls_engine *engine, sls_clip *clip, const unsigned char *wanted)
{
    unsigned char *got = (unsigned char *)allocate(frame_bytes);
    sls_frame destination = rgba(got, source.width, source.height);
    sls_engine *own;
    sls_clip *other = NULL;
    char sentence[16] = "?";

    alarm(PATIENCE);
    REFUSED(sls_clip_render(clip, 0, &source, &destination, NULL, NULL));
    REFUSED(sls_clip_analyze(clip, 1, &source, NULL));
    REFUSED(sls_clip_push_frame(clip, &source, NULL));
    REFUSED(sls_clip_cancel(clip));
    REFUSED(sls_clip_create(engine, NULL, &other));
    CHECK(other == NULL);
    (void)sls_clip_last_error(clip, sentence, sizeof sentence);
    CHECK(sentence[0] == '\0');
    sls_clip_destroy(clip);
    sls_engine_destroy(engine);

    own = cpu_engine(NULL);
    other = ready_clip(own);
    render(other, got);
    CHECK(memcmp(got, wanted, frame_bytes) == 0);
    sls_clip_destroy(other);
    sls_engine_destroy(own);
    free(got);
}

int main(int argc, char **argv)
{
    unsigned char *frames, *wanted, *again;
    sls_engine *engine;
    sls_clip *clip;
    size_t bytes;
    pid_t child;
    int ended = -1;

    CHECK(argc == 4);
    frames = whole_file(argv[1], "frames.rgba", &bytes);
    source = rgba(frames, atoi(argv[2]), atoi(argv[3]));
    frame_bytes = 4 * (size_t)source.width * (size_t)source.height;
    CHECK(bytes >= frame_bytes);
    speech = (float *)(void *)whole_file(argv[1], "speech.f32", &bytes);
    sample_count = bytes / sizeof(float);
    wanted = (unsigned char *)allocate(frame_bytes);
    again = (unsigned char *)allocate(frame_bytes);

    engine = cpu_engine(NULL);
    clip = ready_clip(engine);
    render(clip, wanted);
    CHECK(memcmp(wanted, frames, frame_bytes) != 0);

    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        in_the_child(engine, clip, wanted);
        _exit(0);
    }
    CHECK(waitpid(child, &ended, 0) == child);
    CHECK(WIFEXITED(ended) && WEXITSTATUS(ended) == 0);

    /* The parent is not affected. */
    render(clip, again);
    CHECK(memcmp(again, wanted, frame_bytes) == 0);
    sls_clip_destroy(clip);
    sls_engine_destroy(engine);
    free(again);
    free(wanted);
    free(speech);
    free(frames);
    puts("parent and child rendered the same");
    return 0;
}

/*
 * A live stream with two faces and different speech: one clip per face; the output of the first is the
 * input of the second.
 *
 *     faces FOLDER WIDTH HEIGHT COUNT
 *
 * FOLDER contains frames.rgba (COUNT frames of a speaker, RGBA8) and speech.f32 (16 kHz, mono). The
 * frames show the speaker twice, side by side, one of them backwards in time.
 */
#include "frames.h"

static size_t sample_count;
static float *speech;

/* Two frames side by side. */
static void pair(unsigned char *out, const unsigned char *left, const unsigned char *right)
{
    size_t row = 4 * (size_t)width;
    int y;
    for (y = 0; y < height; y++) {
        memcpy(out + 2 * row * (size_t)y, left + row * (size_t)y, row);
        memcpy(out + 2 * row * (size_t)y + row, right + row * (size_t)y, row);
    }
}

/* Number of pixels that differ in one half, 0 left or 1 right. */
static int differ(const unsigned char *a, const unsigned char *b, int half)
{
    int x, y, found = 0;
    for (y = 0; y < height; y++)
        for (x = half * width; x < (half + 1) * width; x++) {
            size_t at = 4 * ((size_t)y * 2 * (size_t)width + (size_t)x);
            found += memcmp(a + at, b + at, 4) != 0;
        }
    return found;
}

/* A clip for the face with `from_left` others to its left, with one half of the speech. */
static sls_clip *speaker(const sls_engine *engine, uint32_t from_left, const sls_frame *reference)
{
    sls_clip_options options;
    sls_clip *clip = NULL;
    const float *half = speech + (from_left == 1 ? sample_count / 2 : 0);
    OK(sls_clip_options_init(&options, sizeof options));
    options.selection = SLS_SELECT_FROM_LEFT;
    options.face = from_left;
    OK(sls_clip_create(engine, &options, &clip));
    OK(sls_clip_set_reference(clip, reference));
    OK(sls_clip_push_audio(clip, half, sample_count / 2, 16000, 1));
    OK(sls_clip_finish_audio(clip));
    return clip;
}

int main(int argc, char **argv)
{
    sls_engine *engine;
    sls_clip *first, *second, *nobody = NULL;
    sls_clip_options options;
    unsigned char *sources, *between, *shown;
    sls_frame alone, frame, middle, last;
    sls_render_result result;
    size_t bytes;
    int32_t status = SLS_OK;
    int pushed, taken = 0, pulled = 0, spoke = 0;

    read_frames(argc, argv);
    speech = (float *)(void *)whole_file(argv[1], "speech.f32", &bytes);
    sample_count = bytes / sizeof(float);
    sources = (unsigned char *)allocate(2 * frame_bytes * (size_t)count);
    between = (unsigned char *)allocate(2 * frame_bytes * (size_t)count);
    shown = (unsigned char *)allocate(2 * frame_bytes);
    for (pushed = 0; pushed < count; pushed++)
        pair(sources + 2 * frame_bytes * (size_t)pushed, frames + frame_bytes * (size_t)pushed,
             frames + frame_bytes * (size_t)(count - 1 - pushed));

    engine = cpu_engine(NULL);
    alone = rgba(frames, width, height);
    last = rgba(shown, 2 * width, height);
    first = speaker(engine, 0, &alone);
    second = speaker(engine, 1, &alone);
    OK(sls_render_result_init(&result, sizeof result));

    for (pushed = 0; pushed <= count; pushed++) {
        frame = rgba(sources + 2 * frame_bytes * (size_t)pushed, 2 * width, height);
        if (pushed < count)
            OK(sls_clip_push_frame(first, &frame, NULL));
        else
            OK(sls_clip_flush(first));
        for (; taken < count; taken++) {
            unsigned char *source = sources + 2 * frame_bytes * (size_t)taken;
            middle = rgba(between + 2 * frame_bytes * (size_t)taken, 2 * width, height);
            status = sls_clip_pull_frame(first, &middle, NULL, &result);
            if (status != SLS_OK)
                break;
            CHECK(result.index == taken);
            /* The other half is unchanged. */
            CHECK(differ(source, (unsigned char *)middle.data, 1) == 0);
            OK(sls_clip_push_frame(second, &middle, NULL));
        }
        CHECK(status == SLS_OK || status == SLS_AGAIN);
        if (taken == count)
            OK(sls_clip_flush(second));
        while ((status = sls_clip_pull_frame(second, &last, NULL, &result)) == SLS_OK) {
            unsigned char *source = sources + 2 * frame_bytes * (size_t)pulled;
            CHECK(result.index == pulled);
            CHECK(differ(between + 2 * frame_bytes * (size_t)pulled, shown, 0) == 0);
            spoke += differ(source, shown, 0) > 0 && differ(source, shown, 1) > 0;
            pulled++;
        }
        CHECK(status == (taken == count ? SLS_END : SLS_AGAIN));
    }
    CHECK(pulled == count && spoke * 10 >= count * 9);

    /* There is no third face: no pixel changes. */
    OK(sls_clip_options_init(&options, sizeof options));
    options.selection = SLS_SELECT_FROM_LEFT;
    options.face = 2;
    OK(sls_clip_create(engine, &options, &nobody));
    frame = rgba(sources, 2 * width, height);
    OK(sls_clip_push_frame(nobody, &frame, NULL));
    OK(sls_clip_push_audio(nobody, speech, sample_count / 2, 16000, 1));
    OK(sls_clip_finish_audio(nobody));
    OK(sls_clip_flush(nobody));
    OK(sls_clip_pull_frame(nobody, &last, NULL, &result));
    CHECK(result.changed == 0 && memcmp(sources, shown, 2 * frame_bytes) == 0);

    sls_clip_destroy(nobody);
    sls_clip_destroy(second);
    sls_clip_destroy(first);
    sls_engine_destroy(engine);
    free(shown);
    free(between);
    free(sources);
    free(speech);
    free(frames);
    printf("two faces spoke in %d frames of %d\n", spoke, count);
    return 0;
}

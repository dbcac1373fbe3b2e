/* What the harnesses share: a check that names its line, a frame, an engine. */
#ifndef COMMON_H
#define COMMON_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stylelipsync.h"

/* Ends the program with the line and the library's own sentence. */
#define CHECK(condition)                                                                          \
    do {                                                                                          \
        if (!(condition)) {                                                                       \
            fprintf(stderr, "%s:%d: %s\n  last error: %s\n", __FILE__, __LINE__, #condition,      \
                    sls_last_error());                                                            \
            exit(1);                                                                              \
        }                                                                                         \
    } while (0)

#define OK(call) CHECK((call) == SLS_OK)

/* An RGBA8 frame without padding. */
static sls_frame rgba(unsigned char *data, int width, int height)
{
    sls_frame frame;
    OK(sls_frame_init(&frame, sizeof frame));
    frame.format = SLS_FORMAT_RGBA8;
    frame.width = width;
    frame.height = height;
    frame.stride = 4 * (int64_t)width;
    frame.data = data;
    return frame;
}

/* An engine on the CPU; of a bundle's folder, or NULL for the bundle in the library. */
static sls_engine *cpu_engine(const char *bundle)
{
    sls_engine_options options;
    sls_engine *engine = NULL;
    OK(sls_engine_options_init(&options, sizeof options));
    options.provider = SLS_PROVIDER_CPU;
    options.bundle = bundle;
    OK(sls_engine_create(SLS_ABI_VERSION, &options, &engine));
    return engine;
}

#endif

/* Shared by the test programs: a check that reports its line, a frame, an engine. */
#ifndef COMMON_H
#define COMMON_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stylelipsync.h"

/* If the condition is false, exits with the line and the library's error message. */
#define CHECK(condition)                                                                          \
    do {                                                                                          \
        if (!(condition)) {                                                                       \
            fprintf(stderr, "%s:%d: %s\n  last error: %s\n", __FILE__, __LINE__, #condition,      \
                    sls_last_error());                                                            \
            exit(1);                                                                              \
        }                                                                                         \
    } while (0)

#define OK(call) CHECK((call) == SLS_OK)

/* The call must return this status, with a message that contains `word`. */
#define REFUSES(status, word, call)                                                               \
    do {                                                                                          \
        CHECK((call) == (status));                                                                \
        CHECK(strstr(sls_last_error(), word) != NULL);                                            \
    } while (0)

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

/* An engine on the CPU; bundle is a folder, or NULL for the bundle in the library. */
static inline sls_engine *cpu_engine(const char *bundle)
{
    sls_engine_options options;
    sls_engine *engine = NULL;
    OK(sls_engine_options_init(&options, sizeof options));
    options.provider = SLS_PROVIDER_CPU;
    options.bundle = bundle;
    OK(sls_engine_create(SLS_ABI_VERSION, &options, &engine));
    return engine;
}

/* Zeroed memory. */
static inline void *allocate(size_t size)
{
    void *memory = calloc(size ? size : 1, 1);
    CHECK(memory != NULL);
    return memory;
}

/* The content of folder/name, and its size. */
static inline unsigned char *whole_file(const char *folder, const char *name, size_t *size)
{
    char path[4096];
    FILE *file;
    long length;
    unsigned char *bytes;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "rb");
    CHECK(file != NULL);
    CHECK(fseek(file, 0, SEEK_END) == 0);
    length = ftell(file);
    CHECK(length >= 0 && fseek(file, 0, SEEK_SET) == 0);
    bytes = (unsigned char *)allocate((size_t)length);
    CHECK(fread(bytes, 1, (size_t)length, file) == (size_t)length);
    fclose(file);
    *size = (size_t)length;
    return bytes;
}

#endif

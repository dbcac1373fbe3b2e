/*
 * Shared by the programs whose arguments are FOLDER WIDTH HEIGHT COUNT: the frames of a speaker in
 * FOLDER/frames.rgba, COUNT of them, RGBA8.
 */
#ifndef FRAMES_H
#define FRAMES_H

#include "common.h"

static int width, height, count;
static size_t frame_bytes;
static unsigned char *frames;

static inline sls_frame frame_at(int index)
{
    return rgba(frames + (size_t)index * frame_bytes, width, height);
}

static inline void read_frames(int argc, char **argv)
{
    size_t bytes;

    CHECK(argc == 5);
    width = atoi(argv[2]);
    height = atoi(argv[3]);
    count = atoi(argv[4]);
    frame_bytes = 4 * (size_t)width * (size_t)height;
    frames = whole_file(argv[1], "frames.rgba", &bytes);
    CHECK(bytes == frame_bytes * (size_t)count);
}

#endif

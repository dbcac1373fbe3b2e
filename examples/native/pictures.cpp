/*
 * Lip-syncs a folder of images 0000.ppm, 0001.ppm, ...: analyses all frames, then renders them on two
 * threads. Uses the C++ layer with exceptions.
 *
 *     pictures IN OUT SPEECH.wav RATE_NUM RATE_DEN
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#define SLS_EXCEPTIONS
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <string>
#include <stylelipsync.hpp>
#include <thread>
#include <vector>

namespace {

/* A binary 8-bit PPM image. */
struct picture {
    int32_t width = 0, height = 0;
    std::vector<unsigned char> pixels;

    explicit picture(const std::string &path)
    {
        std::ifstream file(path, std::ios::binary);
        std::string kind;
        int most = 0;
        file >> kind >> width >> height >> most;
        file.get();
        if (!file || kind != "P6" || most != 255 || width < 1 || height < 1)
            throw std::runtime_error(path + " is not an 8-bit PPM");
        pixels.resize(std::size_t(3) * std::size_t(width) * std::size_t(height));
        if (!file.read(reinterpret_cast<char *>(pixels.data()), std::streamsize(pixels.size())))
            throw std::runtime_error(path + " is truncated");
    }

    sls::frame frame()
    {
        return sls::frame(pixels.data(), width, height, int64_t(3) * width, SLS_FORMAT_RGB8);
    }

    void write(const std::string &path) const
    {
        std::ofstream file(path, std::ios::binary);
        file << "P6\n" << width << ' ' << height << "\n255\n";
        file.write(reinterpret_cast<const char *>(pixels.data()), std::streamsize(pixels.size()));
        if (!file.flush())
            throw std::runtime_error(path + " cannot be written");
    }
};

std::string name(const std::string &folder, int64_t index)
{
    char number[32];
    std::snprintf(number, sizeof number, "/%04lld.ppm", static_cast<long long>(index));
    return folder + number;
}

int64_t count(const std::string &folder)
{
    int64_t found = 0;
    while (std::ifstream(name(folder, found)))
        found++;
    return found;
}

}  // namespace

int main(int argc, char **argv)
try {
    if (argc != 6) {
        std::fprintf(stderr, "usage: pictures IN OUT SPEECH.wav RATE_NUM RATE_DEN\n");
        return 2;
    }
    const std::string in = argv[1], out = argv[2];
    const int64_t frames = count(in);

    sls::engine engine;
    engine.create();
    sls::clip_options options;
    options.rate_num = uint32_t(std::strtoul(argv[4], nullptr, 10));
    options.rate_den = uint32_t(std::strtoul(argv[5], nullptr, 10));
    sls::clip clip;
    clip.create(engine, &options);
    clip.load_audio(argv[3]);

    for (int64_t index = 0; index < frames; index++)
        clip.analyze(index, picture(name(in, index)).frame());
    clip.finish_analysis();

    std::atomic<int64_t> next(0);
    std::exception_ptr failure[2];
    auto work = [&](std::exception_ptr &failed) {
        try {
            for (int64_t index; (index = next++) < frames;) {
                picture shown(name(in, index));
                const sls::frame frame = shown.frame();
                clip.render(index, frame, frame);
                shown.write(name(out, index));
            }
        } catch (...) {
            failed = std::current_exception();
        }
    };
    std::thread other([&] { work(failure[1]); });
    work(failure[0]);
    other.join();
    for (const std::exception_ptr &failed : failure)
        if (failed)
            std::rethrow_exception(failed);
    std::printf("%lld pictures\n", static_cast<long long>(frames));
    return 0;
} catch (const std::exception &error) {
    std::fprintf(stderr, "pictures: %s\n", error.what());
    return 1;
}

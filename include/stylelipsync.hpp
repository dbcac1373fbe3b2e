/*
 * stylelipsync.hpp - C++ layer over stylelipsync.h: classes that own their handles.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * C++11 and later. Example:
 *
 *     sls::engine engine;
 *     sls::clip clip;
 *     sls::clip_options options;  // already initialised
 *     options.rate_num = 30000;
 *     options.rate_den = 1001;
 *
 *     sls::status status = engine.create();
 *     if (status)
 *         status = clip.create(engine, &options);
 *     if (status)
 *         status = clip.load_audio("speech.wav");
 *     for (int64_t t = 0; status && t < count; t++)
 *         status = clip.analyze(t, sls::frame(pixels[t], width, height, stride, SLS_FORMAT_RGBA8));
 *     if (!status)
 *         status = clip.finish_analysis();
 *     for (int64_t t = 0; status && t < count; t++) {
 *         sls::frame frame(pixels[t], width, height, stride, SLS_FORMAT_RGBA8);
 *         status = clip.render(t, frame, frame);
 *     }
 *     if (!status)
 *         fail(status.message());
 *
 * If SLS_EXCEPTIONS is defined before this header is included, failing calls throw sls::error, and
 * the checks are not needed: engine.create(); clip.create(engine, &options); ...
 *
 * Rules for everything in this file
 *
 * - A member function calls the C function of the same name; the comment in stylelipsync.h has the
 *   details: ranges, blocking, and the state after a failure. Three kinds of C functions have no
 *   counterpart here: sls_version() and sls_abi_version(), sls_status_str(), and the last_error
 *   functions of handles, as in sls_clip_last_error(clip.get(), ...).
 * - A parameter that must not be NULL is a reference or a string; other pointers may be NULL.
 *   Arguments remain the caller's and are used only during the call.
 * - Without SLS_EXCEPTIONS nothing throws. With it, SLS_OK, SLS_AGAIN and SLS_END are returned and
 *   all other statuses in "@return" are thrown. Source files of both kinds can be linked together,
 *   because an inline namespace gives their classes different names.
 * - Every call may also return SLS_ERROR_NULL (empty handle), SLS_ERROR_ABI (struct that was not
 *   initialised), SLS_ERROR_INTERNAL and SLS_ERROR_POISONED; "@return" does not list them.
 * - "Any thread" applies to calls on a handle. No other call may use a handle that is being moved,
 *   assigned, destroyed, created or loaded.
 * - This layer allocates only the copy of an error message.
 */
#ifndef STYLELIPSYNC_HPP
#define STYLELIPSYNC_HPP

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include "stylelipsync.h"

#if __cplusplus >= 201703L || (defined(_MSVC_LANG) && _MSVC_LANG >= 201703L)
#define SLS_NODISCARD [[nodiscard]]
#else
#define SLS_NODISCARD
#endif

#ifdef SLS_EXCEPTIONS
#include <exception>
#include <stdexcept>
#define SLS_KIND throwing
#define SLS_NOTHROW
#define SLS_CHECKED
#else
#define SLS_KIND returning
#define SLS_NOTHROW noexcept
#define SLS_CHECKED SLS_NODISCARD
#endif

namespace sls {
inline namespace SLS_KIND {

/** Result of a call: a status and, if the call failed, its error message. */
class SLS_CHECKED status {
public:
    /** SLS_OK. */
    status() noexcept : code_(SLS_OK) {}

    /** SLS_OK, SLS_AGAIN, SLS_END or one of SLS_ERROR_*. */
    sls_status code() const noexcept { return code_; }

    /** True for SLS_OK. */
    explicit operator bool() const noexcept { return code_ == SLS_OK; }

    /** The error message; for SLS_OK, SLS_AGAIN and SLS_END a description of the status. Valid as
     *  long as this object. */
    const char *message() const noexcept { return text_ ? text_.get() : sls_status_str(code_); }

private:
    friend status check(sls_status code) SLS_NOTHROW;

    status(sls_status code, const char *message) noexcept : code_(code)
    {
        if (message == nullptr)
            return;
        // Copied, because the thread's next call may replace it.
        const size_t size = std::strlen(message) + 1;
        text_.reset(new (std::nothrow) char[size]);
        if (text_)
            std::memcpy(text_.get(), message, size);
    }

    sls_status code_;
    std::unique_ptr<char[]> text_;
};

#ifdef SLS_EXCEPTIONS
/** Thrown by failing calls; what() is the error message. */
class error : public std::runtime_error {
public:
    /** @param code     one of SLS_ERROR_*.
     *  @param message  is copied. */
    error(sls_status code, const char *message) : std::runtime_error(message), code_(code) {}

    /** One of SLS_ERROR_*. */
    sls_status code() const noexcept { return code_; }

private:
    sls_status code_;
};

namespace detail {
// The exception that a callback threw on this thread, until the surrounding call ends.
inline std::exception_ptr &thrown() noexcept
{
    static thread_local std::exception_ptr first;
    return first;
}
}  // namespace detail
#endif

/** Converts the status of the C call that this thread has just made; every call here ends with it. */
inline status check(sls_status code) SLS_NOTHROW
{
    const bool failed = code != SLS_OK && code != SLS_AGAIN && code != SLS_END;
#ifdef SLS_EXCEPTIONS
    if (detail::thrown()) {
        std::exception_ptr first;
        std::swap(first, detail::thrown());
        std::rethrow_exception(first);
    }
    if (failed)
        throw error(code, sls_last_error());
#endif
    return status(code, failed ? sls_last_error() : nullptr);
}

namespace detail {

// Calls a user's callback. Its exceptions must not unwind through the library.
template <class Call>
void guarded(const Call &call) noexcept
{
#if defined(__cpp_exceptions) || defined(__EXCEPTIONS) || defined(_CPPUNWIND)
    try {
        call();
    } catch (...) {
#ifdef SLS_EXCEPTIONS
        if (!thrown())
            thrown() = std::current_exception();
#endif
    }
#else
    call();
#endif
}

template <class Callback>
void log(void *user, int32_t level, const char *message) noexcept
{
    guarded([=] { (*static_cast<Callback *>(user))(level, message); });
}

template <class Callback>
int32_t tell(void *user, const sls_adapt_progress *progress) noexcept
{
    int32_t stop = 1;  // Stays 1 if the callback throws.
    guarded([&] { stop = (*static_cast<Callback *>(user))(*progress) ? 1 : 0; });
    return stop;
}

template <class Callback>
int32_t give(void *user, sls_frame *frame) noexcept
{
    int32_t none = 1;  // Stays 1 if the callback throws.
    guarded([&] { none = (*static_cast<Callback *>(user))(*frame) ? 0 : 1; });
    return none;
}

// Ends a call that creates an object. `made` is a reference, because the order in which arguments
// are evaluated is not defined.
template <class Handle, class T>
status own(Handle &handle, sls_status code, T *const &made) SLS_NOTHROW
{
    Handle owner(made);  // Destroys the object if check() throws.
    status ended = check(code);
    if (ended)
        handle = std::move(owner);
    return ended;
}

/** Base of all handles: single owner, movable, not copyable. */
template <class T, void (*Destroy)(T *)>
class handle {
public:
    /** Creates an empty handle. */
    handle() noexcept = default;

    /** Takes ownership of an object created through the C API; NULL: empty. */
    explicit handle(T *owned) noexcept : pointer_(owned) {}

    /** True if the handle is not empty. */
    explicit operator bool() const noexcept { return pointer_ != nullptr; }

    /** The C pointer, NULL if empty. The handle keeps ownership. */
    T *get() const noexcept { return pointer_.get(); }

    /** Returns the C pointer and gives up ownership. NULL if empty. */
    T *release() noexcept { return pointer_.release(); }

    /** Destroys the object now. No other call may be using it. */
    void destroy() noexcept { pointer_.reset(); }

protected:
    handle(handle &&) noexcept = default;
    handle &operator=(handle &&) noexcept = default;
    ~handle() = default;

private:
    struct deleter {
        void operator()(T *pointer) const noexcept { Destroy(pointer); }
    };
    std::unique_ptr<T, deleter> pointer_;
};

/** A C struct, initialised by its init function. */
template <class Struct, sls_status (*Init)(Struct *, size_t)>
struct initialised : Struct {
    // If the library rejects the size, the struct stays 0, and later calls reject it.
    initialised() noexcept : Struct() { static_cast<void>(Init(this, sizeof(Struct))); }
};

}  // namespace detail

/** @name C structs with a constructor that initialises them
 *  @{ */
using engine_options = detail::initialised<sls_engine_options, sls_engine_options_init>;
using info = detail::initialised<sls_info, sls_info_init>;
using clip_options = detail::initialised<sls_clip_options, sls_clip_options_init>;
using face = detail::initialised<sls_face, sls_face_init>;
using render_options = detail::initialised<sls_render_options, sls_render_options_init>;
using render_result = detail::initialised<sls_render_result, sls_render_result_init>;
using speaker = detail::initialised<sls_speaker, sls_speaker_init>;
using layers = detail::initialised<sls_layers, sls_layers_init>;
using adapt_options = detail::initialised<sls_adapt_options, sls_adapt_options_init>;
/** @} */

/** Describes a frame in the caller's memory; see sls_frame. */
struct frame : detail::initialised<sls_frame, sls_frame_init> {
    /** All fields except struct_size are 0. */
    frame() noexcept = default;

    /** Sets the fields of sls_frame. Source frames are never written to, so casting away the const
     *  of their pixels is safe. */
    frame(void *data_, int32_t width_, int32_t height_, int64_t stride_, int32_t format_) noexcept
    {
        data = data_;
        width = width_;
        height = height_;
        stride = stride_;
        format = format_;
    }
};

/**
 * Sets the log callback: `callback(int32_t level, const char *message)`. The caller keeps ownership
 * of the object, which must exist until another call of this function has succeeded. It is called
 * on any thread, possibly on several at the same time. With SLS_EXCEPTIONS, an exception that it
 * throws is rethrown by the running call of this layer on that thread, or else by the next one;
 * without SLS_EXCEPTIONS it is dropped.
 * @return SLS_OK, SLS_ERROR_ARGUMENT, SLS_ERROR_STATE. Any thread; waits until running calls of the
 * previous callback have returned.
 */
template <class Callback>
status set_log_callback(Callback &callback, int32_t max_level) SLS_NOTHROW
{
    static_assert(std::is_object<Callback>::value, "a function: wrap it in a lambda");
    void *user = const_cast<void *>(static_cast<const void *>(std::addressof(callback)));
    return check(sls_set_log_callback(detail::log<Callback>, user, max_level));
}

/** Disables logging; after it, the callback is no longer used. @return SLS_OK, SLS_ERROR_STATE.
 *  Any thread. */
inline status set_log_callback(std::nullptr_t) SLS_NOTHROW
{
    return check(sls_set_log_callback(nullptr, nullptr, SLS_LOG_ERROR));
}

/** Converts a time stamp in units of num / den seconds to a clip time in 1/16000 s.
 *  @return SLS_OK, SLS_ERROR_ARGUMENT. Any thread; does not block. */
inline status position(int64_t ticks, uint32_t num, uint32_t den, int64_t &position) SLS_NOTHROW
{
    return check(sls_position(ticks, num, den, &position));
}

/** The networks and the device that runs them: one per process. Any thread may use it. */
class engine : public detail::handle<sls_engine, sls_engine_destroy> {
public:
    using handle::handle;

    /** Loads ONNX Runtime and the networks. On success the handle's previous engine is destroyed.
     *  @return SLS_OK, SLS_ERROR_ARGUMENT, SLS_ERROR_ABI, SLS_ERROR_RUNTIME, SLS_ERROR_BUNDLE,
     *  SLS_ERROR_READ, SLS_ERROR_PROVIDER, SLS_ERROR_NETWORK. Any thread; blocks for seconds. */
    status create(const sls_engine_options *options = nullptr) SLS_NOTHROW
    {
        sls_engine *made = nullptr;
        return detail::own(*this, sls_engine_create(SLS_ABI_VERSION, options, &made), made);
    }

    /** Returns the engine's properties; the strings are valid until it is destroyed.
     *  @return SLS_OK. Any thread. */
    status info(sls_info &info) const SLS_NOTHROW { return check(sls_engine_info(get(), &info)); }

    /** Returns a provider that was tried and rejected, and the reason, which is valid until the
     *  engine is destroyed.
     *  @return SLS_OK, SLS_ERROR_ARGUMENT. Any thread. */
    status refused(int32_t index, int32_t *provider, const char **reason) const SLS_NOTHROW
    {
        return check(sls_engine_refused(get(), index, provider, reason));
    }
};

/** Looks for the watermark in the frames of a video. Any thread; one call at a time. */
class detector : public detail::handle<sls_detector, sls_detect_destroy> {
public:
    using handle::handle;

    /** Creates a detector for frames of this transfer function. On success the handle's previous detector is
     *  destroyed. @return SLS_OK, SLS_ERROR_ARGUMENT. */
    status create(const engine &engine, int32_t transfer = SLS_TRANSFER_DISPLAY) SLS_NOTHROW
    {
        sls_detector *made = nullptr;
        return detail::own(*this, sls_detect_create(engine.get(), transfer, &made), made);
    }

    /** Adds the next frame. @return SLS_OK, SLS_ERROR_FRAME, SLS_ERROR_MEMORY, SLS_ERROR_NETWORK. */
    status add_frame(const sls_frame &frame) SLS_NOTHROW
    {
        return check(sls_detect_add_frame(get(), &frame));
    }

    /** What was found so far; sets the struct's size. @return SLS_OK, SLS_ERROR_NETWORK. */
    status result(sls_detection &detection) SLS_NOTHROW
    {
        sls_detection_init(&detection, sizeof detection);
        return check(sls_detect_result(get(), &detection));
    }
};

/** The decoder weights of one person. Immutable; any thread may use it. */
class person : public detail::handle<sls_person, sls_person_destroy> {
public:
    using handle::handle;

    /** Loads a person file. On success the handle's previous person is destroyed.
     *  @return SLS_OK, SLS_ERROR_READ, SLS_ERROR_PERSON. Any thread; reads a file. */
    status load(const engine &engine, const char *path) SLS_NOTHROW
    {
        sls_person *made = nullptr;
        return detail::own(*this, sls_person_load(engine.get(), path, &made), made);
    }

    /** Saves a person file. @return SLS_OK, SLS_ERROR_WRITE. Any thread; writes a file. */
    status save(const char *path) const SLS_NOTHROW { return check(sls_person_save(get(), path)); }
};

/** A video clip to be lip-synced. Any thread may use it. Calls marked "concurrent" run at the same
 *  time; all others are exclusive: they wait for other calls on the same clip. */
class clip : public detail::handle<sls_clip, sls_clip_destroy> {
public:
    using handle::handle;

    /** Creates a clip, which may outlive its engine. On success the previous clip is destroyed.
     *  @return SLS_OK, SLS_ERROR_ARGUMENT. Any thread; does not block. */
    status create(const engine &engine, const sls_clip_options *options = nullptr) SLS_NOTHROW
    {
        sls_clip *made = nullptr;
        return detail::own(*this, sls_clip_create(engine.get(), options, &made), made);
    }

    /** Sets the frame that shows what the person looks like. @return SLS_OK, SLS_ERROR_FRAME, SLS_ERROR_NO_FACE,
     *  SLS_ERROR_NETWORK. Any thread; blocks while networks run. */
    status set_reference(const sls_frame &frame) SLS_NOTHROW
    {
        return check(sls_clip_set_reference(get(), &frame));
    }

    /** Adds a frame of the same person with another mouth shape or pose. @return SLS_OK, SLS_ERROR_FRAME,
     *  SLS_ERROR_NO_FACE, SLS_ERROR_STATE with 32 references, SLS_ERROR_MEMORY, SLS_ERROR_NETWORK. Any thread; blocks
     *  while networks run. */
    status add_reference(const sls_frame &frame) SLS_NOTHROW
    {
        return check(sls_clip_add_reference(get(), &frame));
    }

    /** Removes all references: the clip's own frames are used again. @return SLS_OK. Any thread. */
    status clear_reference() SLS_NOTHROW { return check(sls_clip_clear_reference(get())); }

    /** Freezes the person's profile, made from all analysed frames. @return SLS_OK, SLS_ERROR_STATE without an analysed
     *  frame, SLS_ERROR_NO_FACE, SLS_ERROR_NETWORK. Any thread; blocks while networks run. */
    status finish_analysis() SLS_NOTHROW { return check(sls_clip_finish_analysis(get())); }

    /** Discards the analysis of all frames. @return SLS_OK. Any thread. */
    status forget_analysis() SLS_NOTHROW { return check(sls_clip_forget_analysis(get())); }

    /** Writes the finished analysis to a file. See sls_clip_save_analysis(). */
    status save_analysis(const char *path) const SLS_NOTHROW
    {
        return check(sls_clip_save_analysis(get(), path));
    }

    /** Replaces the analysis by one from a file. See sls_clip_load_analysis(). */
    status load_analysis(const char *path) SLS_NOTHROW
    {
        return check(sls_clip_load_analysis(get(), path));
    }

    /** The shot of a frame: its first frame, and the first frame of the next shot or INT64_MAX. See
     *  sls_clip_shot(). */
    status shot(int64_t index, int64_t *first, int64_t *next) const SLS_NOTHROW
    {
        return check(sls_clip_shot(get(), index, first, next));
    }

    /** Detects the faces in a frame, stores them, and returns their number.
     *  @return SLS_OK, SLS_ERROR_FRAME, SLS_ERROR_NETWORK, SLS_ERROR_STATE. Any thread,
     *  concurrent; blocks while networks run. */
    status analyze(int64_t index, const sls_frame &frame, int32_t *faces = nullptr) SLS_NOTHROW
    {
        return check(sls_clip_analyze(get(), index, &frame, faces));
    }

    /** Returns a face that was found in an analysed frame.
     *  @return SLS_OK, SLS_ERROR_STATE, SLS_ERROR_ARGUMENT. Any thread, concurrent. */
    status face(int64_t index, int32_t ordinal, sls_face &face) const SLS_NOTHROW
    {
        return check(sls_clip_face(get(), index, ordinal, &face));
    }

    /** Sets all audio: interleaved samples, which are copied. @return SLS_OK, SLS_ERROR_NULL,
     *  SLS_ERROR_ARGUMENT, SLS_ERROR_NO_AUDIO, SLS_ERROR_STATE. Any thread; blocks. */
    status set_audio(const float *samples, uint64_t frames, uint32_t rate,
                     int32_t channels) SLS_NOTHROW
    {
        return check(sls_clip_set_audio(get(), samples, frames, rate, channels));
    }

    /** Sets all audio from a file. @return SLS_OK, SLS_ERROR_ARGUMENT, SLS_ERROR_READ,
     *  SLS_ERROR_AUDIO, SLS_ERROR_NO_AUDIO, SLS_ERROR_STATE. Any thread; blocks. */
    status load_audio(const char *path) SLS_NOTHROW
    {
        return check(sls_clip_load_audio(get(), path));
    }

    /** Appends audio to the stream: interleaved samples, which are copied.
     *  @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ARGUMENT, SLS_ERROR_STATE. Any thread. */
    status push_audio(const float *samples, uint64_t frames, uint32_t rate,
                      int32_t channels) SLS_NOTHROW
    {
        return check(sls_clip_push_audio(get(), samples, frames, rate, channels));
    }

    /** Discards pushed audio from a clip time on, in 1/16000 s. @return SLS_OK, SLS_ERROR_STATE,
     *  SLS_ERROR_ARGUMENT, SLS_ERROR_MEMORY. Any thread. */
    status cut_audio(int64_t position) SLS_NOTHROW
    {
        return check(sls_clip_cut_audio(get(), position));
    }

    /** Marks the end of pushed audio. @return SLS_OK, SLS_ERROR_NO_AUDIO. Any thread. */
    status finish_audio() SLS_NOTHROW { return check(sls_clip_finish_audio(get())); }

    /** Adds another face of the frames, with its own audio, before the first frame is analysed.
     *  @return SLS_OK, SLS_ERROR_ARGUMENT, SLS_ERROR_READ, SLS_ERROR_AUDIO, SLS_ERROR_NO_AUDIO,
     *  SLS_ERROR_STATE, SLS_ERROR_MEMORY, SLS_ERROR_NETWORK. Any thread. */
    status add_speaker(const sls_speaker &added, int32_t *number = nullptr) SLS_NOTHROW
    {
        return check(sls_clip_add_speaker(get(), &added, number));
    }

    /** Finds the face that speaks in the audio that was recorded with the analysed frames.
     *  @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ARGUMENT, SLS_ERROR_NO_AUDIO, SLS_ERROR_NO_FACE,
     *  SLS_ERROR_BUNDLE, SLS_ERROR_NETWORK. Any thread, concurrent; blocks while networks run. */
    status speaking_face(const float *samples, uint64_t frames, uint32_t rate, int32_t channels,
                         uint32_t *face) SLS_NOTHROW
    {
        return check(sls_clip_speaking_face(get(), samples, frames, rate, channels, face));
    }

    /** Renders any frame, in any order; the destination may be the source's memory.
     *  @return SLS_OK, SLS_ERROR_FRAME, SLS_ERROR_ARGUMENT, SLS_ERROR_NO_AUDIO, SLS_ERROR_STATE,
     *  SLS_ERROR_NETWORK. Any thread, concurrent; blocks while networks run. */
    status render(int64_t index, const sls_frame &source, const sls_frame &destination,
                  const sls_render_options *options = nullptr,
                  sls_render_result *result = nullptr) const SLS_NOTHROW
    {
        return check(sls_clip_render(get(), index, &source, &destination, options, result));
    }

    /** Returns how much input a stream needs beyond the frame that is pulled. @return SLS_OK. Any
     *  thread, concurrent. */
    status look_ahead(int32_t *frames, int64_t *audio, int32_t *reference) const SLS_NOTHROW
    {
        return check(sls_clip_look_ahead(get(), frames, audio, reference));
    }

    /** Appends a frame to the stream; it is copied.
     *  @return SLS_OK, SLS_AGAIN, SLS_ERROR_FRAME, SLS_ERROR_ARGUMENT, SLS_ERROR_STATE,
     *  SLS_ERROR_NETWORK. Any thread; blocks while networks run. */
    SLS_NODISCARD status push_frame(const sls_frame &frame, int64_t *index = nullptr) SLS_NOTHROW
    {
        return check(sls_clip_push_frame(get(), &frame, index));
    }

    /** As push_frame(), at a given clip time, for streams whose frame rate is not known. */
    SLS_NODISCARD status push_frame_at(int64_t position, const sls_frame &frame,
                                       int64_t *index = nullptr) SLS_NOTHROW
    {
        return check(sls_clip_push_frame_at(get(), position, &frame, index));
    }

    /** Renders the next frame of the stream.
     *  @return SLS_OK, SLS_AGAIN, SLS_END, SLS_ERROR_FRAME, SLS_ERROR_ARGUMENT,
     *  SLS_ERROR_NO_AUDIO, SLS_ERROR_NETWORK. Any thread; blocks while networks run. */
    SLS_NODISCARD status pull_frame(const sls_frame &destination,
                                    const sls_render_options *options = nullptr,
                                    sls_render_result *result = nullptr) SLS_NOTHROW
    {
        return check(sls_clip_pull_frame(get(), &destination, options, result));
    }

    /** As pull_frame(), into memory from `allocate(sls_frame &)`, which is called only if a frame is
     *  ready. It sets data and stride, and returns true on success. The memory belongs to the
     *  caller, also if the call fails. If it throws, the call fails with SLS_ERROR_MEMORY; with
     *  SLS_EXCEPTIONS, its exception is rethrown instead.
     *  @return as pull_frame(), and SLS_ERROR_MEMORY. */
    template <class Allocate>
    SLS_NODISCARD status pull_allocated(Allocate &&allocate, sls_frame &destination,
                                        const sls_render_options *options = nullptr,
                                        sls_render_result *result = nullptr) SLS_NOTHROW
    {
        auto call = [&allocate](sls_frame &frame) { return allocate(frame); };
        return check(sls_clip_pull_allocated(get(), detail::give<decltype(call)>, &call,
                                             &destination, options, result));
    }

    /** Tells what the stream needs before the next frame can be pulled: one of SLS_NEED_*.
     *  @return SLS_OK, SLS_END, SLS_ERROR_NO_AUDIO. Any thread, concurrent; blocks while networks
     *  run. */
    status stream_need(int32_t &need) const SLS_NOTHROW
    {
        return check(sls_clip_stream_need(get(), &need));
    }

    /** Cancels the calls that other threads are making on the clip. @return SLS_OK. Any thread,
     *  concurrent; does not block. */
    status cancel() const SLS_NOTHROW { return check(sls_clip_cancel(get())); }

    /** Returns the bytes that the clip holds in frames, audio and face crops. @return SLS_OK. Any
     *  thread, concurrent. */
    status memory(uint64_t &bytes) const SLS_NOTHROW
    {
        return check(sls_clip_memory(get(), &bytes));
    }

    /** Sets the consent of the person who is shown, from a JSON file; null removes it.
     *  @return SLS_OK, SLS_ERROR_ARGUMENT, SLS_ERROR_READ, SLS_ERROR_CONSENT. Any thread. */
    status load_consent(const char *path) SLS_NOTHROW
    {
        return check(sls_clip_load_consent(get(), path));
    }

    /** Describes what the frames are rendered from, and which were changed, as JSON. A null buffer asks for
     *  the size. @return SLS_OK, SLS_ERROR_ARGUMENT. Any thread, concurrent. */
    status provenance(char *buffer, size_t capacity, size_t &size) const SLS_NOTHROW
    {
        return check(sls_clip_provenance(get(), buffer, capacity, &size));
    }

    /** Puts an invisible watermark into the frames that are changed from now on: 0 for none, or
     *  SLS_WATERMARK_OF_INPUTS. @return SLS_OK, SLS_ERROR_ARGUMENT. Any thread, exclusive. */
    status set_watermark(uint64_t id) SLS_NOTHROW { return check(sls_clip_set_watermark(get(), id)); }

    /** Marks the end of frames and audio. @return SLS_OK. Any thread. */
    status flush() SLS_NOTHROW { return check(sls_clip_flush(get())); }

    /** Restarts the stream at frame 0; queued frames are discarded. @return SLS_OK. Any thread. */
    status reset() SLS_NOTHROW { return check(sls_clip_reset(get())); }

    /** Restarts the stream at another frame. @return SLS_OK, SLS_ERROR_ARGUMENT. Any thread. */
    status seek(int64_t index) SLS_NOTHROW { return check(sls_clip_seek(get(), index)); }

    /** Sets the person that the clip is rendered with; an empty handle means the bundle's own
     *  decoder. The person may be destroyed after the call.
     *  @return SLS_OK, SLS_ERROR_STATE, SLS_ERROR_NETWORK. Any thread; blocks. */
    status set_person(const person &person) SLS_NOTHROW
    {
        return check(sls_clip_set_person(get(), person.get()));
    }
};

/** An adaptation job. Any thread may use it; while run() works, add_frame() waits. */
class adaptation : public detail::handle<sls_adapt, sls_adapt_destroy> {
public:
    using handle::handle;

    /** Creates a job from a clip with audio and analysed frames. On success the handle's previous
     *  job is destroyed. @return SLS_OK, SLS_ERROR_ARGUMENT, SLS_ERROR_NO_AUDIO,
     *  SLS_ERROR_NO_FACE, SLS_ERROR_STATE, SLS_ERROR_BUNDLE, SLS_ERROR_NETWORK. Any thread; blocks
     *  while networks run. */
    status create(const clip &clip, const sls_adapt_options *options = nullptr) SLS_NOTHROW
    {
        sls_adapt *made = nullptr;
        return detail::own(*this, sls_adapt_create(clip.get(), options, &made), made);
    }

    /** Returns 1 if a frame is needed for training and was not added yet, else 0.
     *  @return SLS_OK. Any thread. */
    status wants(int64_t index, int32_t &wants) const SLS_NOTHROW
    {
        return check(sls_adapt_wants(get(), index, &wants));
    }

    /** Adds a frame of the clip that the job was created from. @return SLS_OK, SLS_ERROR_FRAME,
     *  SLS_ERROR_STATE, SLS_ERROR_NETWORK. Any thread; blocks while networks run. */
    status add_frame(const clip &clip, int64_t index, const sls_frame &frame) SLS_NOTHROW
    {
        return check(sls_adapt_add_frame(get(), clip.get(), index, &frame));
    }

    /** Runs the training. On success the previous content of `person` is destroyed.
     *  @return SLS_OK, SLS_ERROR_STATE, SLS_ERROR_CANCELLED, SLS_ERROR_PERSON, SLS_ERROR_READ,
     *  SLS_ERROR_WRITE, SLS_ERROR_BUNDLE, SLS_ERROR_NETWORK. Any thread; blocks for minutes. */
    status run(person &person) SLS_NOTHROW { return run(person, nullptr, nullptr); }

    /** As run(person), and calls `callback(const sls_adapt_progress &)` on this thread after each
     *  step; it returns 0 or false to continue. If it throws, the run is cancelled; with
     *  SLS_EXCEPTIONS, its exception is rethrown instead of SLS_ERROR_CANCELLED. */
    template <class Callback>
    status run(person &person, Callback &&callback) SLS_NOTHROW
    {
        auto call = [&callback](const sls_adapt_progress &progress) { return callback(progress); };
        return run(person, detail::tell<decltype(call)>, &call);
    }

    /** Cancels the calls that other threads are making on the job. @return SLS_OK. Any thread;
     *  does not block. */
    status cancel() SLS_NOTHROW { return check(sls_adapt_cancel(get())); }

private:
    status run(person &person, sls_adapt_callback callback, void *user) SLS_NOTHROW
    {
        sls_person *made = nullptr;
        return detail::own(person, sls_adapt_run(get(), callback, user, &made), made);
    }
};

}  // namespace SLS_KIND
}  // namespace sls

#undef SLS_NODISCARD
#undef SLS_KIND
#undef SLS_NOTHROW
#undef SLS_CHECKED

#endif

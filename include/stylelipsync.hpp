/*
 * stylelipsync.hpp - stylelipsync.h for C++11 and later: handles that destroy themselves.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 *     sls::engine engine;
 *     sls::clip clip;
 *     sls::clip_options options;  // filled by sls_clip_options_init()
 *     options.rate_num = 30000;
 *     options.rate_den = 1001;
 *
 *     sls::status status = engine.create();
 *     if (status)
 *         status = clip.create(engine, &options);
 *     if (status)
 *         status = clip.load_audio("words.wav");
 *     for (int64_t t = 0; status && t < count; t++)
 *         status = clip.analyze(t, sls::frame(pixels[t], width, height, stride, SLS_FORMAT_RGBA8));
 *     if (!status)
 *         fail(status.message());
 *
 * Where SLS_EXCEPTIONS is defined before this header is included, what fails throws sls::error,
 * and the same program needs no checks: engine.create(); clip.create(engine, &options); ...
 *
 * Rules that hold for everything here:
 *
 * - A member function is the C function of its name, whose comment tells the rest: ranges, what is
 *   left as it was on failure. What is not here is C's own: sls_version(), sls_status_str(),
 *   sls_clip_last_error(clip.get(), ...).
 * - What must not be NULL is a reference or a string, what may be NULL another pointer. Arguments
 *   are used during the call only, and stay yours.
 * - Without SLS_EXCEPTIONS nothing throws. With it SLS_OK, SLS_AGAIN and SLS_END are returned, and
 *   the other statuses that "@return" lists are thrown. Sources of both kinds may be linked
 *   together: to the linker the classes of one are not those of the other.
 * - Not listed, since every call may give them: SLS_ERROR_NULL for an empty handle, SLS_ERROR_ABI
 *   for a struct that was not initialised, SLS_ERROR_INTERNAL and then SLS_ERROR_POISONED.
 * - "Any thread" is said of calls on a handle. While one is moved, assigned, destroyed, or created
 *   or loaded anew, no other call may be using it.
 * - Nothing is allocated here but a copy of the sentence that explains a failure.
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

/** How a call ended: its number, and the sentence that says what was wrong. */
class SLS_CHECKED status {
public:
    /** SLS_OK. */
    status() noexcept : code_(SLS_OK) {}

    /** SLS_OK, SLS_AGAIN, SLS_END or one of SLS_ERROR_. */
    sls_status code() const noexcept { return code_; }

    /** Whether it is SLS_OK. */
    explicit operator bool() const noexcept { return code_ == SLS_OK; }

    /** What was wrong, or what the code means if it is no error. Lives as long as the status. */
    const char *message() const noexcept { return text_ ? text_.get() : sls_status_str(code_); }

private:
    friend status check(sls_status code) SLS_NOTHROW;

    status(sls_status code, const char *sentence) noexcept : code_(code)
    {
        if (sentence == nullptr)
            return;
        // Copied, since the thread's next call may replace it.
        const size_t size = std::strlen(sentence) + 1;
        text_.reset(new (std::nothrow) char[size]);
        if (text_)
            std::memcpy(text_.get(), sentence, size);
    }

    sls_status code_;
    std::unique_ptr<char[]> text_;
};

#ifdef SLS_EXCEPTIONS
/** What failing calls throw; what() says what was wrong. */
class error : public std::runtime_error {
public:
    /** @param message  is copied. */
    error(sls_status code, const char *message) : std::runtime_error(message), code_(code) {}

    /** One of SLS_ERROR_. */
    sls_status code() const noexcept { return code_; }

private:
    sls_status code_;
};

namespace detail {
// What a callback threw on this thread, until the call that it was thrown in ends.
inline std::exception_ptr &thrown() noexcept
{
    static thread_local std::exception_ptr first;
    return first;
}
}  // namespace detail
#endif

/** The status of what C code on this thread has just returned; every call here ends with it. */
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

// Calls a user's callback. What it throws must not unwind through the library.
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
    int32_t stop = 1;  // Also when the callback throws.
    guarded([&] { stop = (*static_cast<Callback *>(user))(*progress) ? 1 : 0; });
    return stop;
}

template <class Callback>
int32_t give(void *user, sls_frame *frame) noexcept
{
    int32_t none = 1;  // Also when the callback throws.
    guarded([&] { none = (*static_cast<Callback *>(user))(*frame) ? 0 : 1; });
    return none;
}

// The end of a call that makes something. `made` is a reference since arguments have no order.
template <class Handle, class T>
status own(Handle &handle, sls_status code, T *const &made) SLS_NOTHROW
{
    Handle owner(made);  // Not lost when check() throws.
    status ended = check(code);
    if (ended)
        handle = std::move(owner);
    return ended;
}

/** What all handles share: they have one owner, and can be moved. */
template <class T, void (*Destroy)(T *)>
class handle {
public:
    /** Empty. */
    handle() noexcept = default;

    /** Takes over what C made; NULL: empty. */
    explicit handle(T *owned) noexcept : pointer_(owned) {}

    /** Whether it is not empty. */
    explicit operator bool() const noexcept { return pointer_ != nullptr; }

    /** For calls to C: the handle keeps it. NULL when empty. */
    T *get() const noexcept { return pointer_.get(); }

    /** Yours to destroy from now on. NULL when empty. */
    T *release() noexcept { return pointer_.release(); }

    /** Destroys it now instead of later. No other call may be using it. */
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

/** A struct of C's, filled by its init function. */
template <class Struct, sls_status (*Init)(Struct *, size_t)>
struct initialised : Struct {
    // A library that refuses the size leaves it 0, and refuses the struct.
    initialised() noexcept : Struct() { static_cast<void>(Init(this, sizeof(Struct))); }
};

}  // namespace detail

/** @name C's structs, with a constructor that fills them
 *  @{ */
using engine_options = detail::initialised<sls_engine_options, sls_engine_options_init>;
using info = detail::initialised<sls_info, sls_info_init>;
using clip_options = detail::initialised<sls_clip_options, sls_clip_options_init>;
using face = detail::initialised<sls_face, sls_face_init>;
using render_options = detail::initialised<sls_render_options, sls_render_options_init>;
using render_result = detail::initialised<sls_render_result, sls_render_result_init>;
using adapt_options = detail::initialised<sls_adapt_options, sls_adapt_options_init>;
/** @} */

/** Describes a frame in your memory: see sls_frame. */
struct frame : detail::initialised<sls_frame, sls_frame_init> {
    /** All fields 0. */
    frame() noexcept = default;

    /** The fields of sls_frame. Sources are never written to: cast their const away. */
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
 * Sends the library's messages to `callback(int32_t level, const char *message)`, an object that
 * stays yours and must live until another call of this function has succeeded. It is called on any
 * thread, perhaps on several at once. What it throws is rethrown by the call of this layer that the
 * thread is in, or by its next one; without SLS_EXCEPTIONS it is dropped.
 * @return SLS_OK, SLS_ERROR_ARGUMENT, SLS_ERROR_STATE. Any thread; waits for calls of the previous
 * callback to return.
 */
template <class Callback>
status set_log_callback(Callback &callback, int32_t max_level) SLS_NOTHROW
{
    static_assert(std::is_object<Callback>::value, "a function: wrap it in a lambda");
    void *user = const_cast<void *>(static_cast<const void *>(std::addressof(callback)));
    return check(sls_set_log_callback(detail::log<Callback>, user, max_level));
}

/** Silence: afterwards the callback is not in use. @return SLS_OK, SLS_ERROR_STATE. Any thread. */
inline status set_log_callback(std::nullptr_t) SLS_NOTHROW
{
    return check(sls_set_log_callback(nullptr, nullptr, SLS_LOG_ERROR));
}

/** Turns a time stamp of `num / den` seconds a tick into a position, in 1/16000 s.
 *  @return SLS_OK, SLS_ERROR_ARGUMENT. Any thread; does not block. */
inline status position(int64_t ticks, uint32_t num, uint32_t den, int64_t &position) SLS_NOTHROW
{
    return check(sls_position(ticks, num, den, &position));
}

/** Networks and devices: one for the process. Any thread may use it. */
class engine : public detail::handle<sls_engine, sls_engine_destroy> {
public:
    using handle::handle;

    /** Loads ONNX Runtime and the networks. With success, what the handle had is destroyed.
     *  @return SLS_OK, SLS_ERROR_ARGUMENT, SLS_ERROR_ABI, SLS_ERROR_RUNTIME, SLS_ERROR_BUNDLE,
     *  SLS_ERROR_READ, SLS_ERROR_PROVIDER, SLS_ERROR_NETWORK. Any thread; blocks for seconds. */
    status create(const sls_engine_options *options = nullptr) SLS_NOTHROW
    {
        sls_engine *made = nullptr;
        return detail::own(*this, sls_engine_create(SLS_ABI_VERSION, options, &made), made);
    }

    /** What it is; strings live as long as the engine. @return SLS_OK. Any thread. */
    status info(sls_info &info) const SLS_NOTHROW { return check(sls_engine_info(get(), &info)); }

    /** A provider that was refused, and why, in a sentence that lives as long as the engine.
     *  @return SLS_OK, SLS_ERROR_ARGUMENT. Any thread. */
    status refused(int32_t index, int32_t *provider, const char **reason) const SLS_NOTHROW
    {
        return check(sls_engine_refused(get(), index, provider, reason));
    }
};

/** A person that was learnt: it never changes, and any thread may use it. */
class person : public detail::handle<sls_person, sls_person_destroy> {
public:
    using handle::handle;

    /** Reads a person file. With success, what the handle had is destroyed.
     *  @return SLS_OK, SLS_ERROR_READ, SLS_ERROR_PERSON. Any thread; reads a file. */
    status load(const engine &engine, const char *path) SLS_NOTHROW
    {
        sls_person *made = nullptr;
        return detail::own(*this, sls_person_load(engine.get(), path, &made), made);
    }

    /** Writes a person file. @return SLS_OK, SLS_ERROR_WRITE. Any thread; writes a file. */
    status save(const char *path) const SLS_NOTHROW { return check(sls_person_save(get(), path)); }
};

/** One clip's state. Any thread may use it; render() and analyze() run at once on any number of
 *  threads, every other call waits for its turn. */
class clip : public detail::handle<sls_clip, sls_clip_destroy> {
public:
    using handle::handle;

    /** Makes a clip, which may outlive its engine. With success, what the handle had is destroyed.
     *  @return SLS_OK, SLS_ERROR_ARGUMENT. Any thread; does not block. */
    status create(const engine &engine, const sls_clip_options *options = nullptr) SLS_NOTHROW
    {
        sls_clip *made = nullptr;
        return detail::own(*this, sls_clip_create(engine.get(), options, &made), made);
    }

    /** Sets the picture that says who speaks. @return SLS_OK, SLS_ERROR_FRAME, SLS_ERROR_NO_FACE,
     *  SLS_ERROR_NETWORK. Any thread; blocks while networks run. */
    status set_reference(const sls_frame &frame) SLS_NOTHROW
    {
        return check(sls_clip_set_reference(get(), &frame));
    }

    /** Goes back to a reference that is chosen among the frames. @return SLS_OK. Any thread. */
    status clear_reference() SLS_NOTHROW { return check(sls_clip_clear_reference(get())); }

    /** Forgets what was analysed. @return SLS_OK. Any thread. */
    status forget_analysis() SLS_NOTHROW { return check(sls_clip_forget_analysis(get())); }

    /** Notes the faces of a frame, and tells how many. @return SLS_OK, SLS_ERROR_FRAME,
     *  SLS_ERROR_NETWORK, SLS_ERROR_STATE. Many threads at once; blocks while networks run. */
    status analyze(int64_t index, const sls_frame &frame, int32_t *faces = nullptr) SLS_NOTHROW
    {
        return check(sls_clip_analyze(get(), index, &frame, faces));
    }

    /** Tells a face that was seen in an analysed frame.
     *  @return SLS_OK, SLS_ERROR_STATE, SLS_ERROR_ARGUMENT. Many threads at once. */
    status face(int64_t index, int32_t ordinal, sls_face &face) const SLS_NOTHROW
    {
        return check(sls_clip_face(get(), index, ordinal, &face));
    }

    /** Sets all audio; interleaved samples, which are copied. @return SLS_OK, SLS_ERROR_NULL,
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

    /** Appends audio to the stream; interleaved samples, which are copied.
     *  @return SLS_OK, SLS_ERROR_NULL, SLS_ERROR_ARGUMENT, SLS_ERROR_STATE. Any thread. */
    status push_audio(const float *samples, uint64_t frames, uint32_t rate,
                      int32_t channels) SLS_NOTHROW
    {
        return check(sls_clip_push_audio(get(), samples, frames, rate, channels));
    }

    /** Takes back what was pushed from a position on. @return SLS_OK, SLS_ERROR_STATE,
     *  SLS_ERROR_ARGUMENT, SLS_ERROR_MEMORY. Any thread. */
    status cut_audio(int64_t position) SLS_NOTHROW
    {
        return check(sls_clip_cut_audio(get(), position));
    }

    /** States that no more audio comes. @return SLS_OK, SLS_ERROR_NO_AUDIO. Any thread. */
    status finish_audio() SLS_NOTHROW { return check(sls_clip_finish_audio(get())); }

    /** Renders a frame, in any order; the destination may be the source's memory.
     *  @return SLS_OK, SLS_ERROR_FRAME, SLS_ERROR_ARGUMENT, SLS_ERROR_NO_AUDIO, SLS_ERROR_STATE,
     *  SLS_ERROR_NETWORK. Many threads at once; blocks while networks run. */
    status render(int64_t index, const sls_frame &source, const sls_frame &destination,
                  const sls_render_options *options = nullptr,
                  sls_render_result *result = nullptr) const SLS_NOTHROW
    {
        return check(sls_clip_render(get(), index, &source, &destination, options, result));
    }

    /** Tells how far a stream must be ahead. @return SLS_OK. Any thread. */
    status look_ahead(int32_t *frames, int64_t *audio, int32_t *reference) const SLS_NOTHROW
    {
        return check(sls_clip_look_ahead(get(), frames, audio, reference));
    }

    /** Gives the stream its next frame, which is copied.
     *  @return SLS_OK, SLS_AGAIN, SLS_ERROR_FRAME, SLS_ERROR_ARGUMENT, SLS_ERROR_STATE,
     *  SLS_ERROR_NETWORK. Any thread; blocks while networks run. */
    SLS_NODISCARD status push_frame(const sls_frame &frame, int64_t *index = nullptr) SLS_NOTHROW
    {
        return check(sls_clip_push_frame(get(), &frame, index));
    }

    /** As push_frame(), for streams whose rate is not known beforehand. */
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

    /** As pull_frame(), into memory that `allocate(sls_frame &)` gives once a frame is there: it
     *  sets data and stride, and returns true if it could. What it gave is yours in any case. If it
     *  throws, the status is SLS_ERROR_MEMORY and, with SLS_EXCEPTIONS, what was thrown is rethrown
     *  instead. @return as pull_frame(), and SLS_ERROR_MEMORY. */
    template <class Allocate>
    SLS_NODISCARD status pull_allocated(Allocate &&allocate, sls_frame &destination,
                                        const sls_render_options *options = nullptr,
                                        sls_render_result *result = nullptr) SLS_NOTHROW
    {
        auto call = [&allocate](sls_frame &frame) { return allocate(frame); };
        return check(sls_clip_pull_allocated(get(), detail::give<decltype(call)>, &call,
                                             &destination, options, result));
    }

    /** Ends the calls under way on other threads. @return SLS_OK. Any thread; does not block. */
    status cancel() const SLS_NOTHROW { return check(sls_clip_cancel(get())); }

    /** Tells the bytes of frames, audio and crops that it holds. @return SLS_OK. Any thread. */
    status memory(uint64_t &bytes) const SLS_NOTHROW
    {
        return check(sls_clip_memory(get(), &bytes));
    }

    /** States that no more frames and no more audio come. @return SLS_OK. Any thread. */
    status flush() SLS_NOTHROW { return check(sls_clip_flush(get())); }

    /** Begins the stream anew; waiting frames are dropped. @return SLS_OK. Any thread. */
    status reset() SLS_NOTHROW { return check(sls_clip_reset(get())); }

    /** As reset(), with another frame next. @return SLS_OK, SLS_ERROR_ARGUMENT. Any thread. */
    status seek(int64_t index) SLS_NOTHROW { return check(sls_clip_seek(get(), index)); }

    /** Renders as a person, which may be destroyed afterwards; as the bundle has it for an empty
     *  one. @return SLS_OK, SLS_ERROR_STATE, SLS_ERROR_NETWORK. Any thread; blocks. */
    status set_person(const person &person) SLS_NOTHROW
    {
        return check(sls_clip_set_person(get(), person.get()));
    }
};

/** A person being learnt. Any thread may use it; while run() works, frames wait. */
class adaptation : public detail::handle<sls_adapt, sls_adapt_destroy> {
public:
    using handle::handle;

    /** Plans the learning, from a clip with audio and analysed frames. With success, what the
     *  handle had is destroyed. @return SLS_OK, SLS_ERROR_ARGUMENT, SLS_ERROR_NO_AUDIO,
     *  SLS_ERROR_NO_FACE, SLS_ERROR_STATE, SLS_ERROR_BUNDLE, SLS_ERROR_NETWORK. Any thread; blocks
     *  while networks run. */
    status create(const clip &clip, const sls_adapt_options *options = nullptr) SLS_NOTHROW
    {
        sls_adapt *made = nullptr;
        return detail::own(*this, sls_adapt_create(clip.get(), options, &made), made);
    }

    /** Tells 1 if a frame is to be handed over, else 0. @return SLS_OK. Any thread. */
    status wants(int64_t index, int32_t &wants) const SLS_NOTHROW
    {
        return check(sls_adapt_wants(get(), index, &wants));
    }

    /** Hands over a frame of the clip that the job was made from. @return SLS_OK, SLS_ERROR_FRAME,
     *  SLS_ERROR_STATE, SLS_ERROR_NETWORK. Any thread; blocks while networks run. */
    status add_frame(const clip &clip, int64_t index, const sls_frame &frame) SLS_NOTHROW
    {
        return check(sls_adapt_add_frame(get(), clip.get(), index, &frame));
    }

    /** Learns. With success, what the handle `person` had is destroyed.
     *  @return SLS_OK, SLS_ERROR_STATE, SLS_ERROR_CANCELLED, SLS_ERROR_PERSON, SLS_ERROR_READ,
     *  SLS_ERROR_WRITE, SLS_ERROR_BUNDLE, SLS_ERROR_NETWORK. Any thread; blocks for minutes. */
    status run(person &person) SLS_NOTHROW { return run(person, nullptr, nullptr); }

    /** The same, and each step is told to `callback(const sls_adapt_progress &)`, on this thread;
     *  it returns 0 or false to go on. If it throws, the work is cancelled and, with
     *  SLS_EXCEPTIONS, what was thrown is rethrown instead of SLS_ERROR_CANCELLED. */
    template <class Callback>
    status run(person &person, Callback &&callback) SLS_NOTHROW
    {
        auto call = [&callback](const sls_adapt_progress &progress) { return callback(progress); };
        return run(person, detail::tell<decltype(call)>, &call);
    }

    /** Ends a run on another thread. @return SLS_OK. Any thread; does not block. */
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

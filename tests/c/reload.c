/*
 * A host that unloads its plug-in and loads it again, while ONNX Runtime and a log callback are in use; and
 * one that has several copies of the library loaded at the same time, as two plug-ins or two versions are.
 *
 *     reload LIBRARY...
 */
#ifdef _WIN32
#include <windows.h>
#else
#include <dlfcn.h>
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stylelipsync.h"

/* This program is not linked with the library; only dlopen keeps it loaded. */
#define CHECK(condition)                                                                          \
    do {                                                                                          \
        if (!(condition)) {                                                                       \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                       \
            exit(1);                                                                              \
        }                                                                                         \
    } while (0)

static int logged;

static void count_log(void *user, int32_t level, const char *message)
{
    (void)level;
    (void)message;
    ++*(int *)user;
}

#ifdef _WIN32
static void *load(const char *path)
{
    return (void *)LoadLibraryA(path);
}

static int unload(void *library)
{
    return FreeLibrary((HMODULE)library) != 0;
}

static void find(void *library, const char *name, void *function, size_t size)
{
    FARPROC address = GetProcAddress((HMODULE)library, name);
    CHECK(address != NULL && size == sizeof address);
    memcpy(function, &address, sizeof address);
}
#else
static void *load(const char *path)
{
    return dlopen(path, RTLD_NOW | RTLD_LOCAL);
}

static int unload(void *library)
{
    return dlclose(library) == 0;
}

/* ISO C does not allow a cast from an object pointer to a function pointer. */
static void find(void *library, const char *name, void *function, size_t size)
{
    void *address = dlsym(library, name);
    CHECK(address != NULL && size == sizeof address);
    memcpy(function, &address, sizeof address);
}
#endif

/* Loads a library, and creates an engine with it. */
static void *load_and_create(const char *path, sls_engine **engine)
{
    int32_t (*set_log)(sls_log_callback, void *, int32_t);
    int32_t (*options_init)(sls_engine_options *, size_t);
    int32_t (*create)(int32_t, const sls_engine_options *, sls_engine **);
    sls_engine_options options;
    void *library = load(path);

    CHECK(library != NULL);
    find(library, "sls_set_log_callback", &set_log, sizeof set_log);
    find(library, "sls_engine_options_init", &options_init, sizeof options_init);
    find(library, "sls_engine_create", &create, sizeof create);
    CHECK(set_log(count_log, &logged, SLS_LOG_INFO) == SLS_OK);
    CHECK(options_init(&options, sizeof options) == SLS_OK);
    options.provider = SLS_PROVIDER_CPU;
    CHECK(create(SLS_ABI_VERSION, &options, engine) == SLS_OK);
    return library;
}

static void destroy(void *library, sls_engine *engine)
{
    void (*destroy_engine)(sls_engine *);

    find(library, "sls_engine_destroy", &destroy_engine, sizeof destroy_engine);
    destroy_engine(engine);
}

#define MOST 4

int main(int argc, char **argv)
{
    void *libraries[MOST];
    sls_engine *engines[MOST] = {NULL};
    int i;

    CHECK(argc > 1 && argc <= MOST);
    for (i = 0; i < 3; i++) {
        void *library = load_and_create(argv[1], &engines[0]);
        destroy(library, engines[0]);
        CHECK(unload(library));
    }
    CHECK(logged > 0);
    for (i = 1; i < argc; i++)
        libraries[i] = load_and_create(argv[i], &engines[i]);
    for (i = 1; i < argc; i++)
        CHECK(i == 1 || libraries[i] != libraries[i - 1]);
    for (i = 1; i < argc; i++)
        destroy(libraries[i], engines[i]);
    puts("loaded three times");
    return 0;
}

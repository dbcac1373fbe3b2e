/*
 * A host that unloads its plug-in and loads it again, while ONNX Runtime and a log callback are in use.
 *
 *     reload LIBRARY
 */
#include <dlfcn.h>
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

/* ISO C does not allow a cast from an object pointer to a function pointer. */
static void find(void *library, const char *name, void *function, size_t size)
{
    void *address = dlsym(library, name);
    CHECK(address != NULL && size == sizeof address);
    memcpy(function, &address, sizeof address);
}

int main(int argc, char **argv)
{
    int round;

    CHECK(argc == 2);
    for (round = 0; round < 3; round++) {
        int32_t (*set_log)(sls_log_callback, void *, int32_t);
        int32_t (*options_init)(sls_engine_options *, size_t);
        int32_t (*create)(int32_t, const sls_engine_options *, sls_engine **);
        void (*destroy)(sls_engine *);
        sls_engine_options options;
        sls_engine *engine = NULL;
        void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);

        CHECK(library != NULL);
        find(library, "sls_set_log_callback", &set_log, sizeof set_log);
        find(library, "sls_engine_options_init", &options_init, sizeof options_init);
        find(library, "sls_engine_create", &create, sizeof create);
        find(library, "sls_engine_destroy", &destroy, sizeof destroy);
        CHECK(set_log(count_log, &logged, SLS_LOG_INFO) == SLS_OK);
        CHECK(options_init(&options, sizeof options) == SLS_OK);
        options.provider = SLS_PROVIDER_CPU;
        CHECK(create(SLS_ABI_VERSION, &options, &engine) == SLS_OK);
        destroy(engine);
        CHECK(dlclose(library) == 0);
    }
    CHECK(logged > 0);
    puts("loaded three times");
    return 0;
}

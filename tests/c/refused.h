/*
 * Shared by the programs that misuse the library: a refused call, which is also a row of the table
 * (misuse.md), and a log callback.
 */
#ifndef REFUSED_H
#define REFUSED_H

#include "common.h"

#define SIDE 8

/* As REFUSES; prints the row of the call. */
#define FAILS(status, word, call)                                                                 \
    do {                                                                                          \
        REFUSES(status, word, call);                                                              \
        row(#call, status);                                                                       \
    } while (0)

static int logged;
/* Description of the change that the following calls test, or NULL; whether its row was printed. */
static const char *changed;
static int printed;

#define NAMED(status) {status, #status}

static inline void row(const char *call, int32_t status)
{
    static const struct {
        int32_t status;
        const char *name;
    } names[] = {
        NAMED(SLS_ERROR_NULL),     NAMED(SLS_ERROR_ARGUMENT), NAMED(SLS_ERROR_ABI),
        NAMED(SLS_ERROR_FRAME),    NAMED(SLS_ERROR_READ),     NAMED(SLS_ERROR_AUDIO),
        NAMED(SLS_ERROR_NO_AUDIO), NAMED(SLS_ERROR_NO_FACE),  NAMED(SLS_ERROR_STATE),
        NAMED(SLS_ERROR_PERSON),
        NAMED(SLS_ERROR_ANALYSIS), NAMED(SLS_ERROR_CONSENT),
    };
    size_t name = 0;
    if (printed)
        return;
    while (name < sizeof names / sizeof *names && names[name].status != status)
        name++;
    CHECK(name < sizeof names / sizeof *names);
    printf("| `%s` | %s | %s |\n", changed ? changed : call, names[name].name, sls_last_error());
    printed = changed != NULL;
}

/* The following calls test one change and share a row. NULL: each call has its own row again. */
static inline void about(const char *change)
{
    changed = change;
    printed = 0;
}

static inline void count_log(void *user, int32_t level, const char *message)
{
    CHECK(user == &logged && level >= SLS_LOG_ERROR && level <= SLS_LOG_DEBUG && *message);
    CHECK(sls_set_log_callback(NULL, NULL, SLS_LOG_ERROR) == SLS_ERROR_STATE);
    logged++;
}

#endif

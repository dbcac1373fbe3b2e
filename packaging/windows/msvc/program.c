/*
 * Built with MSVC's rules by clang and lld-link, without Microsoft's headers and runtime, which no Linux
 * machine has. Calls the library; exits with 0, or with the number of the check that failed.
 *
 * DELAYED: the DLL must not be loaded before the first call.
 */
#include "stylelipsync.h"

__declspec(dllimport) void *__stdcall GetModuleHandleA(const char *name);
__declspec(dllimport) __declspec(noreturn) void __stdcall ExitProcess(unsigned code);

#ifndef DELAYED
#define DELAYED 0
#endif

static unsigned check(void)
{
    sls_frame frame;
    sls_engine_options engine_options;
    sls_clip_options clip_options;
    sls_engine *engine = NULL;
    sls_clip *clip = NULL;

    if ((GetModuleHandleA("stylelipsync.dll") == NULL) != DELAYED)
        return 1;
    if (sls_abi_version() != SLS_ABI_VERSION)
        return 2;
    if (GetModuleHandleA("stylelipsync.dll") == NULL)
        return 3;
    /* Each compares the size of a structure with the library's. */
    if (sls_frame_init(&frame, sizeof frame) != SLS_OK)
        return 4;
    if (sls_engine_options_init(&engine_options, sizeof engine_options) != SLS_OK)
        return 5;
    if (sls_clip_options_init(&clip_options, sizeof clip_options) != SLS_OK)
        return 6;
    engine_options.provider = SLS_PROVIDER_CPU;
    if (sls_engine_create(SLS_ABI_VERSION, &engine_options, &engine) != SLS_OK)
        return 7;
    if (sls_clip_create(engine, &clip_options, &clip) != SLS_OK)
        return 8;
    /* A frame of no size is refused, with a message. */
    if (sls_clip_analyze(clip, 0, &frame, NULL) == SLS_OK || sls_last_error()[0] == '\0')
        return 9;
    sls_clip_destroy(clip);
    sls_engine_destroy(engine);
    return 0;
}

void start(void)
{
    ExitProcess(check());
}

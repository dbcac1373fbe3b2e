/*
 * Takes the place of Microsoft's delayimp.lib: what a program calls at the first call of a function of a DLL
 * that was linked with /DELAYLOAD. The structure is that of the PE format, in delayimp.h.
 */
#include <stdint.h>

struct delayed {
    uint32_t attributes, name, module, addresses, names, bound, unload, time;
};

__declspec(dllimport) void *__stdcall LoadLibraryA(const char *name);
__declspec(dllimport) void *__stdcall GetProcAddress(void *module, const char *name);
extern const char __ImageBase[];

void *__delayLoadHelper2(const struct delayed *of, void **entry)
{
    void *module = LoadLibraryA(__ImageBase + of->name);
    const uint64_t *names = (const uint64_t *)(__ImageBase + of->names);
    void **addresses = (void **)(__ImageBase + of->addresses);

    /* Before the name there are two bytes with a hint. */
    *entry = GetProcAddress(module, __ImageBase + names[entry - addresses] + 2);
    return *entry;
}

/*
 * Starts a program, waits until a folder is no longer empty, and sends Ctrl-C to the console.
 *
 *     interrupt COMMAND FOLDER\*
 *
 * Exits with 0 if the program then exits with 130, as it documents. It needs a console.
 */
#include <stdio.h>
#include <string.h>
#include <windows.h>

static int is_empty(const char *pattern)
{
    WIN32_FIND_DATAA entry;
    HANDLE search = FindFirstFileA(pattern, &entry);
    int empty = 1;

    if (search == INVALID_HANDLE_VALUE)
        return 1;
    do {
        if (strcmp(entry.cFileName, ".") != 0 && strcmp(entry.cFileName, "..") != 0)
            empty = 0;
    } while (FindNextFileA(search, &entry));
    FindClose(search);
    return empty;
}

int main(int argc, char **argv)
{
    STARTUPINFOA start = {.cb = sizeof start};
    PROCESS_INFORMATION child;
    DWORD code = 0;

    if (argc != 3 || !CreateProcessA(NULL, argv[1], NULL, NULL, TRUE, 0, NULL, NULL, &start, &child)) {
        fprintf(stderr, "interrupt: cannot start the program: error %lu\n", GetLastError());
        return 1;
    }
    while (is_empty(argv[2])) {
        if (WaitForSingleObject(child.hProcess, 5) == WAIT_OBJECT_0) {
            fprintf(stderr, "interrupt: it ended before it could be interrupted\n");
            return 1;
        }
    }
    /* This process ignores the event from here on; the child was started before. */
    SetConsoleCtrlHandler(NULL, TRUE);
    if (!GenerateConsoleCtrlEvent(CTRL_C_EVENT, 0)) {
        fprintf(stderr, "interrupt: Ctrl-C cannot be sent: error %lu\n", GetLastError());
        TerminateProcess(child.hProcess, 1);
        return 1;
    }
    WaitForSingleObject(child.hProcess, INFINITE);
    GetExitCodeProcess(child.hProcess, &code);
    fprintf(stderr, "interrupt: exit code %lu\n", code);
    return code == 130 ? 0 : 1;
}

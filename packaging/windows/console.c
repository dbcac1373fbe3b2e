/*
 * Runs a program in a console screen of its own, and looks for a text on it.
 *
 *     console COMMAND TEXT
 *
 * Exits with 0 if the text is there. It needs a console.
 */
#include <stdio.h>
#include <wchar.h>
#include <windows.h>

enum { MOST = 1 << 16 };

int wmain(int argc, wchar_t **argv)
{
    static wchar_t text[MOST + 1];
    static char bytes[3 * MOST + 1];
    SECURITY_ATTRIBUTES inherited = {.nLength = sizeof inherited, .bInheritHandle = TRUE};
    HANDLE screen = CreateConsoleScreenBuffer(GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE,
                                              &inherited, CONSOLE_TEXTMODE_BUFFER, NULL);
    STARTUPINFOW start = {.cb = sizeof start,
                          .dwFlags = STARTF_USESTDHANDLES,
                          .hStdOutput = screen,
                          .hStdError = screen};
    PROCESS_INFORMATION child;
    CONSOLE_SCREEN_BUFFER_INFO state;
    DWORD length = 0;

    if (argc != 3 || !CreateProcessW(NULL, argv[1], NULL, NULL, TRUE, 0, NULL, NULL, &start, &child)) {
        fprintf(stderr, "console: cannot start the program: error %lu\n", GetLastError());
        return 1;
    }
    WaitForSingleObject(child.hProcess, INFINITE);
    /* Row after row, up to the cursor: what was wrapped is whole again. */
    if (GetConsoleScreenBufferInfo(screen, &state))
        length = (DWORD)(state.dwSize.X * state.dwCursorPosition.Y);
    if (!ReadConsoleOutputCharacterW(screen, text, length < MOST ? length : MOST, (COORD){0, 0}, &length)) {
        fprintf(stderr, "console: cannot read the screen: error %lu\n", GetLastError());
        return 1;
    }
    WideCharToMultiByte(CP_UTF8, 0, text, (int)length, bytes, sizeof bytes - 1, NULL, NULL);
    fprintf(stderr, "%s\n", bytes);
    return wcsstr(text, argv[2]) ? 0 : 1;
}

/* A Windows service for the tests: what it does about a start and a stop is said by its arguments.
 *
 *   --stop-seconds N   takes so long to stop, and says all the while that it is stopping
 *   --never-stops      says that it is stopping, and stays so
 *   --refuses-stop     does not take a stop at all
 *   --start-seconds N  takes so long to start
 *   --aborts           ends its process while it is starting, as a crash does
 *   --holds FILE       keeps a file open that nobody else may open while it runs, as a database server does
 *   --archives FOLDER  does so with FOLDER\MailStoreMaster.fdb, and while FOLDER\..\archive-here exists as well, it
 *                      writes FOLDER\live\live-N.dat again and again and changes the database;
 *                      FOLDER\..\service.log says how often it was started and stopped
 *
 * It has closed all files before it says that it is stopped.
 *
 * Build: x86_64-w64-mingw32-gcc -municode -O2 -o movebook-test-service.exe service.c
 * Register: sc create NAME binPath= "C:\path\movebook-test-service.exe --stop-seconds 2"
 */
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

static DWORD stop_seconds, start_seconds;
static BOOL aborts, never_stops, refuses_stop;
static const wchar_t *held, *archive;
static SERVICE_STATUS_HANDLE handle;
static HANDLE asked_to_stop;

static void tell(DWORD state, DWORD seconds, DWORD error)
{
    static DWORD checkpoint;
    SERVICE_STATUS status = {0};
    BOOL pending = state == SERVICE_START_PENDING || state == SERVICE_STOP_PENDING;

    status.dwServiceType = SERVICE_WIN32_OWN_PROCESS;
    status.dwCurrentState = state;
    status.dwControlsAccepted = state == SERVICE_RUNNING && !refuses_stop ? SERVICE_ACCEPT_STOP : 0;
    status.dwWin32ExitCode = error;
    status.dwCheckPoint = pending ? ++checkpoint : 0;
    status.dwWaitHint = pending ? seconds * 1000 + 1000 : 0;
    SetServiceStatus(handle, &status);
}

static DWORD WINAPI on_control(DWORD control, DWORD type, void *data, void *context)
{
    (void)type, (void)data, (void)context;
    switch (control) {
    case SERVICE_CONTROL_STOP:
        tell(SERVICE_STOP_PENDING, stop_seconds, NO_ERROR);
        SetEvent(asked_to_stop);
        return NO_ERROR;
    case SERVICE_CONTROL_INTERROGATE:
        return NO_ERROR;
    default:
        return ERROR_CALL_NOT_IMPLEMENTED;
    }
}

static const wchar_t *in_archive(const wchar_t *name)
{
    static wchar_t path[1024];

    swprintf(path, 1024, L"%ls\\%ls", archive, name);
    return path;
}

static void write_text(HANDLE file, const char *text)
{
    DWORD written;

    WriteFile(file, text, (DWORD)strlen(text), &written, NULL);
}

static void write_file(const wchar_t *path, DWORD access, DWORD disposition, const char *text)
{
    HANDLE file = CreateFileW(path, access, FILE_SHARE_READ, NULL, disposition, FILE_ATTRIBUTE_NORMAL, NULL);

    if (file == INVALID_HANDLE_VALUE) return;
    write_text(file, text);
    CloseHandle(file);
}

static void log_line(const char *text)
{
    if (archive) write_file(in_archive(L"..\\service.log"), FILE_APPEND_DATA, OPEN_ALWAYS, text);
}

static void take_in_mail(HANDLE database)
{
    static unsigned number;
    wchar_t name[64];
    char text[64];

    if (GetFileAttributesW(in_archive(L"..\\archive-here")) == INVALID_FILE_ATTRIBUTES) return;
    snprintf(text, sizeof text, "archived live, message %u\r\n", number);
    swprintf(name, 64, L"live\\live-%u.dat", number++ % 7);
    CreateDirectoryW(in_archive(L"live"), NULL);
    write_file(in_archive(name), GENERIC_WRITE, CREATE_ALWAYS, text);
    SetFilePointer(database, 0, NULL, FILE_BEGIN);
    write_text(database, text);
}

static void WINAPI service(DWORD count, wchar_t **arguments)
{
    HANDLE file = INVALID_HANDLE_VALUE;

    (void)count, (void)arguments;
    handle = RegisterServiceCtrlHandlerExW(L"", on_control, NULL);
    if (!handle) return;
    tell(SERVICE_START_PENDING, start_seconds, NO_ERROR);
    Sleep(start_seconds * 1000);
    if (aborts) ExitProcess(3);
    if (archive) held = in_archive(L"MailStoreMaster.fdb");
    if (held) {
        DWORD disposition = archive ? OPEN_EXISTING : OPEN_ALWAYS;

        file = CreateFileW(held, GENERIC_READ | GENERIC_WRITE, 0, NULL, disposition, FILE_ATTRIBUTE_NORMAL, NULL);
        if (file == INVALID_HANDLE_VALUE) {
            tell(SERVICE_STOPPED, 0, GetLastError());
            return;
        }
    }
    log_line("started\n");
    tell(SERVICE_RUNNING, 0, NO_ERROR);
    while (WaitForSingleObject(asked_to_stop, archive ? 50 : INFINITE) == WAIT_TIMEOUT)
        take_in_mail(file);
    /* The state says where it hangs, and whoever waits for it must ask for the process. */
    if (never_stops) Sleep(INFINITE);
    Sleep(stop_seconds * 1000);
    if (file != INVALID_HANDLE_VALUE) CloseHandle(file);
    log_line("stopped\n");
    tell(SERVICE_STOPPED, 0, NO_ERROR);
}

int wmain(int count, wchar_t **arguments)
{
    SERVICE_TABLE_ENTRYW table[] = {{(wchar_t *)L"", service}, {NULL, NULL}};
    int at;

    for (at = 1; at < count; at++) {
        const wchar_t *value = at + 1 < count ? arguments[at + 1] : L"0";
        if (!wcscmp(arguments[at], L"--never-stops")) never_stops = TRUE;
        else if (!wcscmp(arguments[at], L"--aborts")) aborts = TRUE;
        else if (!wcscmp(arguments[at], L"--refuses-stop")) refuses_stop = TRUE;
        else if (!wcscmp(arguments[at], L"--stop-seconds")) { stop_seconds = _wtoi(value); at++; }
        else if (!wcscmp(arguments[at], L"--start-seconds")) { start_seconds = _wtoi(value); at++; }
        else if (!wcscmp(arguments[at], L"--holds")) { held = value; at++; }
        else if (!wcscmp(arguments[at], L"--archives")) { archive = value; at++; }
        else return 2;
    }
    asked_to_stop = CreateEventW(NULL, TRUE, FALSE, NULL);
    return StartServiceCtrlDispatcherW(table) ? 0 : 1;
}

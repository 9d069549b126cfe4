/* A Windows service for the tests: what it does about a start and a stop is said by its arguments.
 *
 *   --stop-seconds N   takes so long to stop, and says all the while that it is stopping
 *   --never-stops      says that it is stopping, and stays so
 *   --refuses-stop     does not take a stop at all
 *   --start-seconds N  takes so long to start
 *   --holds FILE       keeps a file open that nobody else may open while it runs, as a database server does
 *
 * Build: x86_64-w64-mingw32-gcc -municode -O2 -o movebook-test-service.exe service.c
 * Register: sc create NAME binPath= "C:\path\movebook-test-service.exe --stop-seconds 2"
 */
#include <windows.h>
#include <stdlib.h>
#include <wchar.h>

static DWORD stop_seconds, start_seconds;
static BOOL never_stops, refuses_stop;
static const wchar_t *held;
static SERVICE_STATUS_HANDLE handle;
static HANDLE asked_to_stop;

static void tell(DWORD state, DWORD seconds)
{
    static DWORD checkpoint;
    SERVICE_STATUS status = {0};
    BOOL pending = state == SERVICE_START_PENDING || state == SERVICE_STOP_PENDING;

    status.dwServiceType = SERVICE_WIN32_OWN_PROCESS;
    status.dwCurrentState = state;
    status.dwControlsAccepted = state == SERVICE_RUNNING && !refuses_stop ? SERVICE_ACCEPT_STOP : 0;
    status.dwCheckPoint = pending ? ++checkpoint : 0;
    status.dwWaitHint = pending ? seconds * 1000 + 1000 : 0;
    SetServiceStatus(handle, &status);
}

static DWORD WINAPI on_control(DWORD control, DWORD type, void *data, void *context)
{
    switch (control) {
    case SERVICE_CONTROL_STOP:
        tell(SERVICE_STOP_PENDING, stop_seconds);
        SetEvent(asked_to_stop);
        return NO_ERROR;
    case SERVICE_CONTROL_INTERROGATE:
        return NO_ERROR;
    default:
        return ERROR_CALL_NOT_IMPLEMENTED;
    }
}

static void WINAPI service(DWORD count, wchar_t **arguments)
{
    HANDLE file = INVALID_HANDLE_VALUE;

    handle = RegisterServiceCtrlHandlerExW(L"", on_control, NULL);
    if (!handle) return;
    tell(SERVICE_START_PENDING, start_seconds);
    Sleep(start_seconds * 1000);
    if (held)
        file = CreateFileW(held, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL, NULL);
    tell(SERVICE_RUNNING, 0);
    WaitForSingleObject(asked_to_stop, INFINITE);
    /* The state says where it hangs, and whoever waits for it must ask for the process. */
    if (never_stops) Sleep(INFINITE);
    Sleep(stop_seconds * 1000);
    if (file != INVALID_HANDLE_VALUE) CloseHandle(file);
    tell(SERVICE_STOPPED, 0);
}

int wmain(int count, wchar_t **arguments)
{
    SERVICE_TABLE_ENTRYW table[] = {{L"", service}, {NULL, NULL}};
    int at;

    for (at = 1; at < count; at++) {
        const wchar_t *value = at + 1 < count ? arguments[at + 1] : L"0";
        if (!wcscmp(arguments[at], L"--never-stops")) never_stops = TRUE;
        else if (!wcscmp(arguments[at], L"--refuses-stop")) refuses_stop = TRUE;
        else if (!wcscmp(arguments[at], L"--stop-seconds")) { stop_seconds = _wtoi(value); at++; }
        else if (!wcscmp(arguments[at], L"--start-seconds")) { start_seconds = _wtoi(value); at++; }
        else if (!wcscmp(arguments[at], L"--holds")) { held = value; at++; }
        else return 2;
    }
    asked_to_stop = CreateEventW(NULL, TRUE, FALSE, NULL);
    return StartServiceCtrlDispatcherW(table) ? 0 : 1;
}

/* A stand-in for the MailStore service in tests/windows_job.rs: a real service, of which the service manager knows.
 *
 *     archive_service.exe FOLDER
 *
 * While it runs it holds FOLDER\MailStoreMaster.fdb open and shares it with nobody, so that a copy of the database
 * succeeds only after the service was stopped. While FOLDER\..\archive-here exists as well, it archives: it writes
 * FOLDER\live\live-N.dat again and again and changes the database. It has closed all of it before it tells the manager
 * that it has stopped. FOLDER\..\service.log says how often it was started and stopped.
 */
#include <windows.h>
#include <stdio.h>
#include <wchar.h>

static wchar_t *folder;
static SERVICE_STATUS_HANDLE manager;
static HANDLE stop;

static void tell(DWORD state, DWORD error) {
    SERVICE_STATUS status = {0};
    status.dwServiceType = SERVICE_WIN32_OWN_PROCESS;
    status.dwCurrentState = state;
    status.dwControlsAccepted = state == SERVICE_RUNNING ? SERVICE_ACCEPT_STOP : 0;
    status.dwWin32ExitCode = error;
    status.dwWaitHint = 5000;
    SetServiceStatus(manager, &status);
}

static void WINAPI control(DWORD wish) {
    if (wish == SERVICE_CONTROL_STOP) {
        tell(SERVICE_STOP_PENDING, NO_ERROR);
        SetEvent(stop);
    }
}

static void write_text(HANDLE file, const char *text) {
    DWORD written;
    WriteFile(file, text, (DWORD)strlen(text), &written, NULL);
}

static void log_line(const char *text) {
    wchar_t path[1024];
    HANDLE file;
    swprintf(path, 1024, L"%ls\\..\\service.log", folder);
    file = CreateFileW(path, FILE_APPEND_DATA, FILE_SHARE_READ, NULL, OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL, NULL);
    if (file != INVALID_HANDLE_VALUE) {
        write_text(file, text);
        CloseHandle(file);
    }
}

static void archive(HANDLE database, unsigned number) {
    wchar_t path[1024];
    char text[64];
    HANDLE file;
    swprintf(path, 1024, L"%ls\\live", folder);
    CreateDirectoryW(path, NULL);
    swprintf(path, 1024, L"%ls\\live\\live-%u.dat", folder, number % 7);
    snprintf(text, sizeof text, "archived live, message %u\r\n", number);
    file = CreateFileW(path, GENERIC_WRITE, FILE_SHARE_READ, NULL, CREATE_ALWAYS, FILE_ATTRIBUTE_NORMAL, NULL);
    if (file != INVALID_HANDLE_VALUE) {
        write_text(file, text);
        CloseHandle(file);
    }
    SetFilePointer(database, 0, NULL, FILE_BEGIN);
    write_text(database, text);
}

static void WINAPI serve(DWORD count, wchar_t **arguments) {
    wchar_t path[1024];
    HANDLE database;
    unsigned number = 0;
    (void)count;
    (void)arguments;
    manager = RegisterServiceCtrlHandlerW(L"", control);
    if (!manager)
        return;
    tell(SERVICE_START_PENDING, NO_ERROR);
    swprintf(path, 1024, L"%ls\\MailStoreMaster.fdb", folder);
    database = CreateFileW(path, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, NULL);
    if (database == INVALID_HANDLE_VALUE) {
        tell(SERVICE_STOPPED, GetLastError());
        return;
    }
    log_line("started\n");
    tell(SERVICE_RUNNING, NO_ERROR);
    swprintf(path, 1024, L"%ls\\..\\archive-here", folder);
    while (WaitForSingleObject(stop, 50) == WAIT_TIMEOUT)
        if (GetFileAttributesW(path) != INVALID_FILE_ATTRIBUTES)
            archive(database, number++);
    CloseHandle(database);
    log_line("stopped\n");
    tell(SERVICE_STOPPED, NO_ERROR);
}

int wmain(int count, wchar_t **arguments) {
    SERVICE_TABLE_ENTRYW table[] = {{L"", serve}, {NULL, NULL}};
    if (count != 2)
        return 2;
    folder = arguments[1];
    stop = CreateEventW(NULL, TRUE, FALSE, NULL);
    return StartServiceCtrlDispatcherW(table) ? 0 : 1;
}

/* Keeps Wine's desktop for as long as it runs, by a window of its own that nobody sees.
 *
 * Without it the first program of a test that makes a window would start the desktop, and lend it its pipes: whoever reads
 * them to their end would wait for the desktop to end.
 *
 * Build: x86_64-w64-mingw32-gcc -O2 -mwindows -o desktop.exe desktop.c
 */
#include <windows.h>

int WINAPI WinMain(HINSTANCE instance, HINSTANCE previous, LPSTR line, int show)
{
    MSG message;

    (void)previous, (void)line, (void)show;
    if (!CreateWindowExA(0, "STATIC", "", 0, 0, 0, 0, 0, NULL, NULL, instance, NULL)) return 1;
    while (GetMessageA(&message, NULL, 0, 0) > 0) DispatchMessageA(&message);
    return 0;
}

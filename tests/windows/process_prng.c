/* bcryptprimitives.dll for the tests under a Wine that lacks ProcessPrng, which Rust's standard library asks for.
   Every Windows that movebook supports has it, so this is never shipped. */
#include <windows.h>
#include <ntsecapi.h>

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T length) {
    return RtlGenRandom(data, (ULONG)length);
}

//! Priorities on Windows. Written by the documentation; not yet run on a Windows machine.
//!
//! Background mode lowers the thread's processor, disk and memory priority together.

use std::io;

use windows_sys::Win32::Foundation::{ERROR_THREAD_MODE_ALREADY_BACKGROUND, GetLastError};
use windows_sys::Win32::System::Threading::{
    GetCurrentThread, SetThreadPriority, THREAD_MODE_BACKGROUND_BEGIN,
};

use super::Lowered;

pub(super) fn lower_this_thread() -> io::Result<Lowered> {
    // SAFETY: the handle of the calling thread is always good, and is not to be closed.
    let lowered = unsafe { SetThreadPriority(GetCurrentThread(), THREAD_MODE_BACKGROUND_BEGIN) };
    // SAFETY: touches no memory.
    if lowered != 0 || unsafe { GetLastError() } == ERROR_THREAD_MODE_ALREADY_BACKGROUND {
        return Ok(Lowered::Yes);
    }
    Err(io::Error::last_os_error())
}

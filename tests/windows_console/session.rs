//! Plays the part of Windows when it logs a user off: asks the window of a program, and then tells it.

use std::ptr;
use std::time::{Duration, Instant};

use windows_sys::Win32::Foundation::HWND;
use windows_sys::Win32::UI::WindowsAndMessaging::{
    FindWindowExW, GetWindowThreadProcessId, SMTO_NORMAL, SendMessageTimeoutW, SendNotifyMessageW,
    WM_ENDSESSION, WM_QUERYENDSESSION,
};
use windows_sys::core::w;

/// Whether the program let it end; `None` where it has no window.
pub fn end(pid: u32) -> Option<bool> {
    let window = window_of(pid)?;
    let mut allowed = 0;
    unsafe {
        SendMessageTimeoutW(window, WM_QUERYENDSESSION, 0, 0, SMTO_NORMAL, 5000, &mut allowed);
        SendNotifyMessageW(window, WM_ENDSESSION, 1, 0);
    }
    Some(allowed == 1)
}

fn window_of(pid: u32) -> Option<HWND> {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(5) {
        let mut window = ptr::null_mut();
        loop {
            window =
                unsafe { FindWindowExW(ptr::null_mut(), window, w!("movebook-session-end"), ptr::null()) };
            if window.is_null() {
                break;
            }
            let mut owner = 0;
            unsafe { GetWindowThreadProcessId(window, &mut owner) };
            if owner == pid {
                return Some(window);
            }
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    None
}

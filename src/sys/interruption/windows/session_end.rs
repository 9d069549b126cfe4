//! A window that nobody sees, which Windows tells of a logging-off and of a shutdown.
//!
//! A console program that has `user32.dll` in it, and this one has by its libraries, counts as a program with windows: the
//! console's events for these two never reach it. A message-only window would not hear of them either, so it is a
//! top-level one, never shown.

use std::ptr;

use windows_sys::Win32::Foundation::{HWND, LPARAM, LRESULT, WPARAM};
use windows_sys::Win32::System::LibraryLoader::GetModuleHandleW;
use windows_sys::Win32::UI::WindowsAndMessaging::{
    CreateWindowExW, DefWindowProcW, DispatchMessageW, GetMessageW, MSG, RegisterClassW, WM_ENDSESSION,
    WM_QUERYENDSESSION, WNDCLASSW,
};
use windows_sys::core::w;

use super::{Answer, carry_out};
use crate::sys::interruption::Cause;

/// By this name a test finds the window.
const CLASS: windows_sys::core::PCWSTR = w!("movebook-session-end");

/// Listens from now on. Where no window can be made (a service without a desktop), the console's events are all there is.
pub(super) fn listen() {
    let thread = std::thread::Builder::new().name("session-end".to_owned());
    // Without the thread, too, the run only goes on as after a kill.
    let _ = thread.spawn(|| {
        if make_window() {
            obey_messages();
        }
    });
}

fn make_window() -> bool {
    // SAFETY: null asks for this program's own module.
    let instance = unsafe { GetModuleHandleW(ptr::null()) };
    let class = WNDCLASSW {
        lpfnWndProc: Some(on_message),
        hInstance: instance,
        lpszClassName: CLASS,
        ..WNDCLASSW::default()
    };
    // SAFETY: the class's name ends with zero, and its procedure is there as long as the process.
    if unsafe { RegisterClassW(&class) } == 0 {
        return false;
    }
    let (window, menu) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: the class was just registered; no parent, no menu and no data are allowed, and the name ends with zero.
    let window = unsafe {
        CreateWindowExW(0, CLASS, w!("movebook"), 0, 0, 0, 0, 0, window, menu, instance, ptr::null())
    };
    !window.is_null()
}

fn obey_messages() {
    let mut message = MSG::default();
    // SAFETY: the message outlives the calls; null asks for all windows of this thread.
    while unsafe { GetMessageW(&mut message, ptr::null_mut(), 0, 0) } > 0 {
        // SAFETY: the message was just taken from this thread's own queue.
        unsafe { DispatchMessageW(&message) };
    }
}

/// What a message asks for, and what the window says to it. `None`: nothing of ours.
fn answer(message: u32, really: WPARAM) -> Option<(Answer, LRESULT)> {
    match message {
        // Nobody is kept from logging off: another program may still refuse, and then nothing ends here.
        WM_QUERYENDSESSION => Some((Answer::Nothing, 1)),
        WM_ENDSESSION if really != 0 => Some((Answer::TellAndHold(Cause::EndIsNear), 0)),
        _ => None,
    }
}

unsafe extern "system" fn on_message(window: HWND, message: u32, wide: WPARAM, long: LPARAM) -> LRESULT {
    match answer(message, wide) {
        Some((answer, said)) => {
            carry_out(answer);
            said
        }
        // SAFETY: what Windows gave this procedure is passed on as it is.
        None => unsafe { DefWindowProcW(window, message, wide, long) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_end_that_comes_is_told() {
        assert_eq!(answer(WM_QUERYENDSESSION, 0), Some((Answer::Nothing, 1)));
        assert_eq!(answer(WM_ENDSESSION, 0), None, "somebody refused to end");
        assert_eq!(answer(WM_ENDSESSION, 1), Some((Answer::TellAndHold(Cause::EndIsNear), 0)));
        assert_eq!(answer(0x0400, 1), None);
    }
}

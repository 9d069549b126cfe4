//! The events of a console.
//!
//! Each comes on a thread that Windows makes for it. After Ctrl-C and Ctrl-Break the process lives on. After the closing
//! of the window, a logging-off and a shutdown Windows ends it as soon as the handler returns, and 5 seconds later even if
//! it does not (a service has longer): so the handler does not return, and the process ends by `main`. `ctrlc` 3.5 returns
//! at once. What is cut off even so is what a kill cuts off: the journal has the intent, and the run goes on from it.
//!
//! A remote session that is lost is only disconnected: its programs run on and are told nothing, and the session can be
//! taken up again. What ends them is a logging-off, perhaps by the policy that ends disconnected sessions after a time;
//! the console then closes its programs as if its window were closed.
//! Session 0, where services and tasks run "whether the user is logged on or not", hears of *every* user who logs off,
//! and not of whom: there a logging-off is no reason to stop.
//!
//! A console program that loads `user32.dll` or `gdi32.dll` is not told of a logging-off and a shutdown by these events, but
//! by a window: [`session_end`].

mod session_end;

use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use windows_sys::Win32::System::Console::{
    CTRL_BREAK_EVENT, CTRL_C_EVENT, CTRL_CLOSE_EVENT, CTRL_LOGOFF_EVENT, CTRL_SHUTDOWN_EVENT,
    SetConsoleCtrlHandler,
};
use windows_sys::Win32::System::RemoteDesktop::ProcessIdToSessionId;
use windows_sys::core::BOOL;

use super::{Cause, Heard};

/// Handled: no other handler is asked.
const HANDLED: BOOL = 1;
const NOT_HANDLED: BOOL = 0;

static LISTENER: Mutex<Option<Heard>> = Mutex::new(None);

pub fn listen(heard: Heard) -> io::Result<()> {
    *LISTENER.lock().unwrap_or_else(PoisonError::into_inner) = Some(heard);
    session_end::listen();
    handle_by(on_event)
}

pub fn outlive_the_terminal() -> io::Result<()> {
    handle_by(on_event_to_outlive)
}

type Handler = unsafe extern "system" fn(u32) -> BOOL;

fn handle_by(handler: Handler) -> io::Result<()> {
    // SAFETY: the handler is a function of this program, which is there as long as the process.
    match unsafe { SetConsoleCtrlHandler(Some(handler), HANDLED) } {
        0 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// Whose programs share this process's session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Session {
    /// Session 0: nobody is logged on there.
    OfServices,
    OfUser,
}

fn session() -> Session {
    let mut number = 0;
    // SAFETY: the number outlives the call.
    let told = unsafe { ProcessIdToSessionId(std::process::id(), &mut number) } != 0;
    if told && number == 0 { Session::OfServices } else { Session::OfUser }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    /// Tell the listener, and return.
    Tell(Cause),
    /// Tell the listener, and never return.
    TellAndHold(Cause),
    Nothing,
    Unknown,
}

fn answer(event: u32, session: Session) -> Answer {
    match (event, session) {
        (CTRL_C_EVENT | CTRL_BREAK_EVENT, _) => Answer::Tell(Cause::Asked),
        (CTRL_LOGOFF_EVENT, Session::OfServices) => Answer::Nothing,
        (CTRL_CLOSE_EVENT | CTRL_LOGOFF_EVENT | CTRL_SHUTDOWN_EVENT, _) => {
            Answer::TellAndHold(Cause::EndIsNear)
        }
        _ => Answer::Unknown,
    }
}

unsafe extern "system" fn on_event(event: u32) -> BOOL {
    carry_out(answer(event, session()))
}

/// Whether the event was handled.
fn carry_out(answer: Answer) -> BOOL {
    match answer {
        Answer::Tell(cause) => tell(cause),
        Answer::TellAndHold(cause) => {
            tell(cause);
            // The process ends under this thread.
            loop {
                std::thread::sleep(Duration::from_secs(60));
            }
        }
        Answer::Nothing => {}
        Answer::Unknown => return NOT_HANDLED,
    }
    HANDLED
}

/// The window, the session and the machine cannot be outlived.
unsafe extern "system" fn on_event_to_outlive(event: u32) -> BOOL {
    match answer(event, session()) {
        Answer::Tell(_) | Answer::Nothing => HANDLED,
        Answer::TellAndHold(_) | Answer::Unknown => NOT_HANDLED,
    }
}

fn tell(cause: Cause) {
    if let Some(heard) = &mut *LISTENER.lock().unwrap_or_else(PoisonError::into_inner) {
        heard(cause);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ctrl_c_and_ctrl_break_only_ask() {
        for event in [CTRL_C_EVENT, CTRL_BREAK_EVENT] {
            assert_eq!(answer(event, Session::OfUser), Answer::Tell(Cause::Asked));
            assert_eq!(answer(event, Session::OfServices), Answer::Tell(Cause::Asked));
        }
    }

    #[test]
    fn what_ends_the_process_is_held_until_the_program_ended() {
        for event in [CTRL_CLOSE_EVENT, CTRL_LOGOFF_EVENT, CTRL_SHUTDOWN_EVENT] {
            assert_eq!(answer(event, Session::OfUser), Answer::TellAndHold(Cause::EndIsNear));
        }
        assert_eq!(answer(CTRL_SHUTDOWN_EVENT, Session::OfServices), Answer::TellAndHold(Cause::EndIsNear));
    }

    #[test]
    fn a_task_of_session_0_goes_on_when_somebody_logs_off() {
        assert_eq!(answer(CTRL_LOGOFF_EVENT, Session::OfServices), Answer::Nothing);
    }
}

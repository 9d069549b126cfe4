//! The execution state of the thread: it lasts until it is set again or the thread ends.

use windows_sys::Win32::System::Power::{ES_CONTINUOUS, ES_SYSTEM_REQUIRED, SetThreadExecutionState};

pub fn stay_awake() {
    // SAFETY: the call takes flags and nothing else.
    unsafe { SetThreadExecutionState(ES_CONTINUOUS | ES_SYSTEM_REQUIRED) };
}

pub fn may_sleep() {
    // SAFETY: the call takes flags and nothing else.
    unsafe { SetThreadExecutionState(ES_CONTINUOUS) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_is_kept_awake_and_let_go_again() {
        // The call gives the state before it; 0 where it failed.
        // SAFETY: the call takes flags and nothing else.
        let now = || unsafe { SetThreadExecutionState(ES_CONTINUOUS) };
        stay_awake();
        let kept = now();
        if kept == 0 {
            println!("not proven here: this system does not keep the state of execution");
            return;
        }
        assert_ne!(kept & ES_SYSTEM_REQUIRED, 0);
        stay_awake();
        may_sleep();
        assert_eq!(now() & ES_SYSTEM_REQUIRED, 0);
    }
}

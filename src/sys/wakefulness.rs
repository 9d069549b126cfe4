//! Keeps the machine from going to sleep for want of a user while a run is at work.
//!
//! On Windows by `SetThreadExecutionState`, and the screen may go dark all the same. A person who closes the lid or chooses
//! `Sleep` is obeyed; the run then goes on after waking up. On Linux nothing is done: only a desktop sends a machine to
//! sleep, servers have none, and asking it not to is a conversation over D-Bus; `systemd-inhibit movebook run …` does it.

use std::marker::PhantomData;

#[cfg(windows)]
mod windows;

/// The machine stays awake until this is dropped. It belongs to the thread that made it, as Windows keeps it by thread.
#[must_use = "the machine may go to sleep once this is dropped"]
#[derive(Debug)]
pub struct StaysAwake(PhantomData<*const ()>);

/// A machine that does not hear of it is no reason not to run, so nothing is told of that.
pub fn stay_awake() -> StaysAwake {
    #[cfg(windows)]
    windows::stay_awake();
    StaysAwake(PhantomData)
}

impl Drop for StaysAwake {
    fn drop(&mut self) {
        #[cfg(windows)]
        windows::may_sleep();
    }
}

//! How much the calling thread gives way to other programs, at the processor and at the disks.
//!
//! It concerns the calling thread alone, and is never taken back: raising a priority again takes rights that a user
//! need not have.

#[cfg(not(windows))]
mod unix;
#[cfg(windows)]
mod windows;

use std::io;

#[cfg(not(windows))]
use unix as here;
#[cfg(windows)]
use windows as here;

/// Whether there is anything to ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lowered {
    Yes,
    /// This system has no priorities for a single thread, or none that are known here.
    NoSuchThing,
}

/// From now on the calling thread asks for what others leave.
pub fn lower_this_thread() -> io::Result<Lowered> {
    here::lower_this_thread()
}

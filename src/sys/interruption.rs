//! The wish to stop that comes from outside: Ctrl-C, a signal, a console that closes, a system that shuts down.
//!
//! Invariant: a system that ends this process after its handler returns (Windows) is kept waiting until the program has
//! ended by itself, so that what the step at work had begun is ended and written down.

use std::io;

#[cfg(not(windows))]
mod unix;
#[cfg(not(windows))]
use unix as system;

#[cfg(windows)]
mod windows;
#[cfg(windows)]
use windows as system;

/// Who wishes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A person or a program; asking again may mean impatience.
    Asked,
    /// The system ends this process in a few seconds, whatever it does.
    EndIsNear,
}

/// Calls this at each wish to stop, on another thread. Only one may listen in a process.
pub fn listen(heard: impl FnMut(Cause) + Send + 'static) -> io::Result<()> {
    system::listen(Box::new(heard))
}

/// Lets this process go on whatever is pressed in the terminal that it was started from.
pub fn outlive_the_terminal() -> io::Result<()> {
    system::outlive_the_terminal()
}

type Heard = Box<dyn FnMut(Cause) + Send>;

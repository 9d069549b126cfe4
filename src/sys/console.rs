//! What the console before the person can show.
//!
//! Text needs nothing: the standard library writes to a console of Windows in UTF-16, whatever its code page is. To a file
//! or a pipe movebook writes UTF-8 on every system, and leaves the console's code page alone: it belongs to the console,
//! and to whoever else writes there at the same time.

#[cfg(not(any(windows, movebook_windows_check)))]
mod unix;
#[cfg(not(any(windows, movebook_windows_check)))]
use unix as system;

#[cfg(any(windows, movebook_windows_check))]
mod windows;
#[cfg(any(windows, movebook_windows_check))]
use windows as system;

/// Whether escape sequences are obeyed, or shown as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sequences {
    Obeyed,
    Shown,
}

/// Which characters have a shape in the console's font.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Font {
    Any,
    /// Those of the old code pages: box lines, `√` and `·`, but no `✓` and no braille.
    Old,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    Stdout,
    Stderr,
}

/// Has the console of this stream obey escape sequences where it can. It is left so at the end, since others may write to
/// it by then. Only for a stream that is a terminal.
pub fn obey_sequences(stream: Stream) -> Sequences {
    system::obey_sequences(stream)
}

pub fn font() -> Font {
    system::font()
}

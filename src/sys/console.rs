//! What the console before the person can show.
//!
//! Text needs nothing: the standard library writes to a console of Windows in UTF-16, whatever its code page is. To a file
//! or a pipe movebook writes UTF-8 on every system, and leaves the console's code page alone: it belongs to the console,
//! and to whoever else writes there at the same time.

#[cfg(not(windows))]
mod unix;
#[cfg(not(windows))]
use unix as system;

#[cfg(windows)]
mod windows;
#[cfg(windows)]
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

/// Until this is dropped, a click into the console's window does not hold up whoever writes to it.
#[must_use = "a click holds up the program once this is dropped"]
#[derive(Debug)]
pub struct ClicksIgnored(Option<system::InputMode>);

/// On Windows a click begins a selection (`QuickEdit`), and what is written to the console then waits until somebody ends
/// it: a downtime would stand still for it. The menu of the window still marks and copies text.
pub fn ignore_clicks() -> ClicksIgnored {
    ClicksIgnored(system::ignore_clicks())
}

impl Drop for ClicksIgnored {
    fn drop(&mut self) {
        if let Some(before) = self.0.take() {
            system::heed_clicks_as(before);
        }
    }
}

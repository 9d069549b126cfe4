//! The console host of Windows and Windows Terminal.

use std::ffi::OsStr;
use std::fs::File;
use std::os::windows::io::AsRawHandle;

use windows_sys::Win32::System::Console::{
    ENABLE_EXTENDED_FLAGS, ENABLE_QUICK_EDIT_MODE, ENABLE_VIRTUAL_TERMINAL_PROCESSING, GetConsoleMode,
    GetStdHandle, STD_ERROR_HANDLE, STD_OUTPUT_HANDLE, SetConsoleMode,
};

use super::{Font, Sequences, Stream};

pub fn obey_sequences(stream: Stream) -> Sequences {
    let number = match stream {
        Stream::Stdout => STD_OUTPUT_HANDLE,
        Stream::Stderr => STD_ERROR_HANDLE,
    };
    let mut mode = 0;
    // SAFETY: the call takes a number and gives a handle, or one that the next call refuses.
    let handle = unsafe { GetStdHandle(number) };
    // SAFETY: the mode outlives the call; a handle that is no console's is refused.
    if unsafe { GetConsoleMode(handle, &mut mode) } == 0 {
        // A terminal of MSYS or Cygwin is a pipe to Windows, and obeys them.
        return Sequences::Obeyed;
    }
    // SAFETY: the handle is a console's; one in the legacy mode refuses the flag and stays as it is.
    match unsafe { SetConsoleMode(handle, mode | ENABLE_VIRTUAL_TERMINAL_PROCESSING) } {
        0 => Sequences::Shown,
        _ => Sequences::Obeyed,
    }
}

/// The input of the console, and what it made of keys and clicks before.
#[derive(Debug)]
pub struct InputMode {
    input: File,
    mode: u32,
}

/// `None` where there is no console, or clicks are ignored already.
pub fn ignore_clicks() -> Option<InputMode> {
    // Not standard input: that may be a file while the console shows what is written.
    let input = File::options().read(true).write(true).open("CONIN$").ok()?;
    let mut mode = 0;
    // SAFETY: the handle is open and the mode outlives the call.
    if unsafe { GetConsoleMode(input.as_raw_handle(), &mut mode) } == 0 || mode & ENABLE_QUICK_EDIT_MODE == 0
    {
        return None;
    }
    set_mode(&input, mode & !ENABLE_QUICK_EDIT_MODE);
    Some(InputMode { input, mode })
}

pub fn heed_clicks_as(before: InputMode) {
    set_mode(&before.input, before.mode);
}

/// One that refuses goes on as it was.
fn set_mode(input: &File, mode: u32) {
    // Without the extended flags the console leaves the one for clicks as it is.
    // SAFETY: the handle is open, and the call takes flags besides.
    unsafe { SetConsoleMode(input.as_raw_handle(), mode | ENABLE_EXTENDED_FLAGS) };
}

pub fn font() -> Font {
    font_of(std::env::var_os("WT_SESSION").as_deref(), std::env::var_os("TERM_PROGRAM").as_deref())
}

/// Windows Terminal and editors' terminals say who they are and look for a missing character in other fonts. The console
/// host says nothing and does not look: neither its raster fonts nor Consolas have `✓`.
fn font_of(windows_terminal: Option<&OsStr>, program: Option<&OsStr>) -> Font {
    match windows_terminal.or(program) {
        Some(_) => Font::Any,
        None => Font::Old,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_terminal_that_says_who_it_is_has_every_character() {
        assert_eq!(font_of(None, None), Font::Old);
        assert_eq!(font_of(Some(OsStr::new("b5a1")), None), Font::Any);
        assert_eq!(font_of(None, Some(OsStr::new("vscode"))), Font::Any);
    }
}

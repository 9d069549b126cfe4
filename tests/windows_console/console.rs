//! A console of the test's own.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::windows::io::AsRawHandle;
use std::os::windows::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use windows_sys::Win32::Foundation::HANDLE;
use windows_sys::Win32::System::Console::{
    AllocConsole, AttachConsole, CONSOLE_SCREEN_BUFFER_INFO, COORD, ENABLE_EXTENDED_FLAGS,
    ENABLE_QUICK_EDIT_MODE, FillConsoleOutputCharacterW, FreeConsole, GenerateConsoleCtrlEvent,
    GetConsoleMode, GetConsoleOutputCP, GetConsoleScreenBufferInfo, GetConsoleWindow, GetStdHandle,
    ReadConsoleOutputCharacterW, STD_ERROR_HANDLE, STD_INPUT_HANDLE, STD_OUTPUT_HANDLE,
    SetConsoleCtrlHandler, SetConsoleCursorPosition, SetConsoleMode, SetConsoleOutputCP, SetStdHandle,
};
use windows_sys::Win32::System::Threading::CREATE_NEW_CONSOLE;
use windows_sys::core::BOOL;

use super::common::windows::is_wine;

#[derive(Clone, Copy, Debug)]
pub enum CodePage {
    /// Western Europe's of DOS.
    Dos,
    Utf8,
}

/// A process has one console, so the tests take turns.
static TURN: Mutex<()> = Mutex::new(());

/// The console of this process until this goes; children are in it as well.
pub struct Console {
    screen: File,
    made: Option<Made>,
    _turn: MutexGuard<'static, ()>,
}

impl Console {
    /// `None`, and said so, where there cannot be one: Wine makes one only where it has a display, but takes a terminal of
    /// the system below it for one.
    pub fn empty() -> Option<Self> {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let has_one = unsafe { GetConsoleOutputCP() } != 0;
        if is_wine() && !has_one {
            println!("not proven here: what a console does and shows: Wine has none without a terminal");
            return None;
        }
        // A test on Windows has one for itself: that of whoever started it would hear its events.
        let made = (!is_wine()).then(Made::new);
        succeeded(unsafe { SetConsoleCtrlHandler(Some(outlive), 1) });
        let screen = OpenOptions::new().read(true).write(true).open("CONOUT$").unwrap();
        let console = Self { screen, made, _turn: turn };
        console.clear();
        Some(console)
    }

    fn about(&self) -> CONSOLE_SCREEN_BUFFER_INFO {
        let mut about = CONSOLE_SCREEN_BUFFER_INFO::default();
        succeeded(unsafe { GetConsoleScreenBufferInfo(self.screen.as_raw_handle(), &mut about) });
        about
    }

    fn clear(&self) {
        let screen = self.screen.as_raw_handle();
        let size = self.about().dwSize;
        let cells = u32::from(size.X.cast_unsigned()) * u32::from(size.Y.cast_unsigned());
        let (start, blank, mut written) = (COORD::default(), u16::from(b' '), 0);
        succeeded(unsafe { FillConsoleOutputCharacterW(screen, blank, cells, start, &mut written) });
        succeeded(unsafe { SetConsoleCursorPosition(screen, start) });
    }

    /// Sends an event to all who are in it.
    pub fn send(&self, event: u32) {
        succeeded(unsafe { GenerateConsoleCtrlEvent(event, 0) });
    }

    pub fn speak(&self, code_page: CodePage) {
        let number = match code_page {
            CodePage::Dos => 850,
            CodePage::Utf8 => 65001,
        };
        succeeded(unsafe { SetConsoleOutputCP(number) });
    }

    /// Whether a click into its window begins a selection, which whoever writes there waits for.
    pub fn selects_by_clicks(&self) -> bool {
        self.input_mode() & ENABLE_QUICK_EDIT_MODE != 0
    }

    pub fn let_clicks_select(&self) {
        let mode = self.input_mode() | ENABLE_QUICK_EDIT_MODE | ENABLE_EXTENDED_FLAGS;
        succeeded(unsafe { SetConsoleMode(input().as_raw_handle(), mode) });
    }

    fn input_mode(&self) -> u32 {
        let mut mode = 0;
        succeeded(unsafe { GetConsoleMode(input().as_raw_handle(), &mut mode) });
        mode
    }

    /// For a child to write to.
    pub fn screen(&self) -> Stdio {
        self.screen.try_clone().unwrap().into()
    }

    /// What stands on the screen, by lines without the blanks at their ends.
    pub fn shown(&self) -> String {
        let screen = self.screen.as_raw_handle();
        let about = self.about();
        let mut text = String::new();
        for y in 0..=about.dwCursorPosition.Y {
            let mut line = vec![0u16; about.dwSize.X.cast_unsigned().into()];
            let mut read = 0;
            let (room, place) = (line.len() as u32, COORD { X: 0, Y: y });
            succeeded(unsafe {
                ReadConsoleOutputCharacterW(screen, line.as_mut_ptr(), room, place, &mut read)
            });
            text.push_str(String::from_utf16_lossy(&line[..read as usize]).trim_end());
            text.push('\n');
        }
        text
    }
}

fn input() -> File {
    OpenOptions::new().read(true).write(true).open("CONIN$").unwrap()
}

impl Drop for Console {
    fn drop(&mut self) {
        if let Some(made) = &self.made {
            made.unmake();
        }
    }
}

/// A console that was made for this process.
struct Made(Streams);

impl Made {
    fn new() -> Self {
        unsafe { FreeConsole() };
        let before = Streams::now();
        succeeded(unsafe { AllocConsole() });
        // Whoever reads the tests' results is not in the console.
        before.put();
        Self(before)
    }

    fn unmake(&self) {
        unsafe { FreeConsole() };
        self.0.put();
    }
}

/// The standard streams of this process.
struct Streams([HANDLE; 3]);

impl Streams {
    const NUMBERS: [u32; 3] = [STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE];

    fn now() -> Self {
        Self(Self::NUMBERS.map(|number| unsafe { GetStdHandle(number) }))
    }

    fn put(&self) {
        for (number, handle) in Self::NUMBERS.into_iter().zip(self.0) {
            succeeded(unsafe { SetStdHandle(number, handle) });
        }
    }
}

unsafe extern "system" fn outlive(_: u32) -> BOOL {
    1
}

/// With its streams led to this process all the same.
pub fn in_a_window_of_its_own(mut command: Command) -> Child {
    command.creation_flags(CREATE_NEW_CONSOLE);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// As a click at its corner does.
pub fn close_the_window_of(process: u32) {
    const WM_CLOSE: u32 = 0x10;

    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    unsafe { FreeConsole() };
    succeeded(unsafe { AttachConsole(process) });
    let window = unsafe { GetConsoleWindow() };
    // This process shall not be ended with the window.
    unsafe { FreeConsole() };
    succeeded(unsafe { PostMessageW(window, WM_CLOSE, 0, 0) });
}

// Of Windows itself.
#[link(name = "user32")]
unsafe extern "system" {
    fn PostMessageW(window: HANDLE, message: u32, first: usize, second: isize) -> BOOL;
}

#[track_caller]
fn succeeded(result: BOOL) {
    assert_ne!(result, 0, "{}", io::Error::last_os_error());
}

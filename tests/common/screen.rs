//! A person at a terminal: a real pseudo-terminal, what stands on its screen, and keys.

use std::io::{ErrorKind, Write};
use std::num::NonZero;
use std::process::Command;
use std::time::{Duration, Instant};

use expectrl::process::unix::WaitStatus;
use expectrl::session::OsSession;

use super::PATIENCE;

const ROWS: u16 = 120;
const COLUMNS: u16 = 110;

pub const ENTER: &str = "\r";
pub const ESCAPE: &str = "\u{1b}";
pub const CTRL_C: &str = "\u{3}";
pub const DOWN: &str = "\u{1b}[B";

pub struct Screen {
    session: OsSession,
    terminal: vt100::Parser,
    /// All that the program wrote.
    pub written: Vec<u8>,
}

impl Screen {
    pub fn of(mut command: Command) -> Self {
        command.env("TERM", "xterm-256color").env_remove("NO_COLOR");
        let mut session = OsSession::spawn(command).unwrap();
        session.get_process_mut().set_window_size(COLUMNS, ROWS).unwrap();
        Self {
            session,
            terminal: vt100::Parser::new(non_zero(ROWS), non_zero(COLUMNS), 0),
            written: Vec::new(),
        }
    }

    pub fn pid(&self) -> i32 {
        self.session.get_process().pid().as_raw()
    }

    /// Waits until a text stands on the screen.
    #[track_caller]
    pub fn sees(&mut self, text: &str) -> &mut Self {
        let end = Instant::now() + PATIENCE;
        while !self.contents().contains(text) {
            assert!(Instant::now() < end, "`{text}` is not on the screen:\n{}", self.contents());
            if self.read() == Read::End {
                assert!(self.contents().contains(text), "`{text}` never came:\n{}", self.contents());
            }
        }
        self
    }

    pub fn types(&mut self, keys: &str) -> &mut Self {
        self.session.write_all(keys.as_bytes()).unwrap();
        self.session.flush().unwrap();
        self
    }

    /// Sets the terminal to what a shell leaves it in.
    pub fn set_echo(&mut self) {
        self.session.get_process_mut().set_echo(true, None).unwrap();
    }

    /// Whether the terminal shows what is typed, as it does in front of a shell.
    pub fn has_echo(&self) -> bool {
        self.session.get_process().get_echo().unwrap()
    }

    /// What stands on the screen, without empty ends of lines.
    pub fn contents(&self) -> String {
        self.terminal.screen().contents()
    }

    /// What stands on the screen, row by row, also where a row goes on in the next.
    pub fn rows(&self) -> Vec<String> {
        self.terminal.screen().rows(0, COLUMNS).map(|row| row.trim_end().to_owned()).collect()
    }

    /// Waits for the end and gives the exit code.
    #[track_caller]
    pub fn code(&mut self) -> i32 {
        let end = Instant::now() + PATIENCE;
        while self.read() != Read::End {
            assert!(Instant::now() < end, "the program has not ended:\n{}", self.contents());
        }
        match self.session.get_process().wait().unwrap() {
            WaitStatus::Exited(_, code) => code,
            other => panic!("{other:?}:\n{}", self.contents()),
        }
    }

    fn read(&mut self) -> Read {
        let mut block = [0; 8192];
        match self.session.try_read(&mut block) {
            Ok(0) => Read::End,
            Ok(bytes) => {
                self.written.extend_from_slice(&block[..bytes]);
                self.terminal.process(&block[..bytes]);
                self.answer_the_program(bytes);
                Read::Something
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                std::thread::sleep(Duration::from_millis(5));
                Read::Nothing
            }
            // The other side of a pseudo-terminal that is closed.
            Err(_) => Read::End,
        }
    }

    /// A program may ask where the cursor is, and waits for the terminal's answer.
    fn answer_the_program(&mut self, bytes: usize) {
        let written = &self.written[self.written.len() - bytes..];
        if written.windows(4).any(|window| window == b"\x1b[6n") {
            let (row, column) = self.terminal.screen().cursor_position();
            self.types(&format!("\u{1b}[{};{}R", row + 1, column + 1));
        }
    }
}

fn non_zero(number: u16) -> NonZero<u16> {
    NonZero::new(number).unwrap()
}

#[derive(PartialEq)]
enum Read {
    Something,
    Nothing,
    End,
}

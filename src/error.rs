//! What can go wrong, for people and for scripts: an error is a kind (which decides the exit code), a sentence,
//! its cause, and hints that say what to do next.
//!
//! The exit codes are a promise to scripts: a code never changes its meaning.

use std::fmt;

/// How the process ends. The numbers are the documented ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ExitCode {
    /// All steps are done.
    Done = 0,
    /// A step failed.
    StepFailed = 1,
    /// The command line, the runbook or the variables are wrong.
    Usage = 2,
    /// The run waits at a checkpoint.
    Waiting = 3,
    /// Another process holds the state file.
    Held = 4,
    /// The runbook or the variables are not those that the run began with.
    Changed = 5,
    /// The state file is damaged.
    Damaged = 6,
    /// A guard refused.
    Refused = 7,
    /// Interrupted; the run can go on.
    Interrupted = 130,
}

impl ExitCode {
    /// The number that the process returns.
    pub fn number(self) -> u8 {
        self as u8
    }
}

/// An error as a user sees it.
#[derive(Debug)]
pub struct Error {
    code: ExitCode,
    message: String,
    hints: Vec<String>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    pub fn new(code: ExitCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hints: Vec::new(), source: None }
    }

    /// Keeps what caused it; the cause is printed on a line of its own.
    pub fn caused_by(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Adds a sentence that says what to do next, printed as `help: …`.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    pub fn code(&self) -> ExitCode {
        self.code
    }

    pub fn hints(&self) -> &[String] {
        &self.hints
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

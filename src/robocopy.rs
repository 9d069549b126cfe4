//! robocopy's language: its switches, its command line, its job files, the form in which it tells what it did, and a copy
//! step in its words; and what the real robocopy writes, read back ([`output`]), and judged ([`verdict`], [`second_opinion`]).
//!
//! Pure: what a line that people have for robocopy means to a pass is said here, and carried out elsewhere. The language is
//! robocopy's, so that lines and scripts run as they stand; the meaning is a [`CopyPass`](crate::copy::CopyPass)'s.
//!
//! No switch is ever ignored. Every one of robocopy's is in one table ([`switches`]), where it is carried out, or is what
//! each pass does anyway, or has nothing to act on here (which the header says), or is refused by name with the reason and
//! what to use instead. One that is not in the table is an error. What a line leaves open in robocopy's own documentation
//! (a name behind `/xf a /s`) is asked back instead of guessed at.

pub mod arguments;
pub mod command_line;
pub mod extra;
pub mod guard;
pub mod help;
pub mod job;
pub mod lines;
mod names;
pub mod output;
pub mod pass;
mod roots;
pub mod second_opinion;
pub mod summary;
pub mod switches;
pub mod verdict;

/// Why a command line is not carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Misuse {
    pub message: String,
    /// What to do.
    pub hint: String,
}

impl Misuse {
    pub(crate) fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { message: message.into(), hint: hint.into() }
    }
}

pub use command_line::{Age, Job, Log, parse};
pub use pass::pass_of;
pub use summary::Figures;
pub use switches::{Meaning, Setting, Switch};

//! The person at the keyboard, as the runner sees them.
//!
//! The runner never reads a terminal itself, and an operator never writes to the journal.

use std::path::PathBuf;

use crate::event::Presence;
use crate::secret::Secret;
use crate::state::record::{Prompt, Question};

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    pub step: &'a str,
    pub title: &'a str,
    pub question: &'a Question,
    pub prompt: &'a Prompt,
    /// What was wrong with the last answer to the same question.
    pub objection: Option<&'a str>,
}

/// Who can be asked.
pub trait Operator {
    fn ask(&mut self, ask: &Ask<'_>) -> Reply;

    fn presence(&self) -> Presence;
}

#[derive(Clone, Debug)]
pub enum Reply {
    Given(GivenAnswer),
    /// There is a person, who says: not yet.
    NotYet,
    /// There is no terminal to ask on.
    Nobody,
    /// Ctrl-C at the prompt.
    Interrupted,
}

/// An answer before it is judged.
#[derive(Clone, Debug)]
pub struct GivenAnswer {
    pub value: Given,
    pub note: Option<String>,
    /// A file that proves it.
    pub evidence: Option<PathBuf>,
}

#[derive(Clone, Debug)]
pub enum Given {
    Confirmed,
    /// A text, or the key of a choice.
    Text(String),
    Secret(Secret),
}

//! The exact commands that go on, for whoever reads a report.

use super::words::shell_argument;
use crate::plan::{AnswerKind, Evidence};
use crate::state::record::Prompt;

/// Goes on with a run.
pub fn resume(state_file: &str) -> String {
    format!("movebook resume {}", shell_argument(state_file))
}

/// Answers the question of a step.
pub fn approve(step: &str, prompt: Option<&Prompt>, state_file: &str) -> String {
    let mut command =
        format!("movebook approve {} --state {}", shell_argument(step), shell_argument(state_file));
    let Some(prompt) = prompt else { return command };
    match &prompt.answer {
        AnswerKind::Confirm => {}
        AnswerKind::Text => command.push_str(" --answer TEXT"),
        AnswerKind::Secret => command.push_str(" --answer-file -"),
        AnswerKind::Choice(choices) => {
            command.push_str(" --answer ");
            command.push_str(&choices.keys().map(String::as_str).collect::<Vec<_>>().join("|"));
        }
    }
    match prompt.evidence {
        Evidence::None => {}
        Evidence::Note => command.push_str(" --note TEXT"),
        Evidence::File => command.push_str(" --evidence FILE"),
    }
    command
}

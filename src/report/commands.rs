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
    let mut others = Vec::new();
    match &prompt.answer {
        AnswerKind::Confirm => {}
        AnswerKind::Text => command.push_str(" --answer TEXT"),
        AnswerKind::Secret => command.push_str(" --answer-file -"),
        AnswerKind::Choice(choices) => {
            let mut choices = choices.keys();
            if let Some(first) = choices.next() {
                command.push_str(&format!(" --answer {}", shell_argument(first)));
            }
            others.extend(choices.map(String::as_str));
        }
    }
    match prompt.evidence {
        Evidence::None => {}
        Evidence::Note => command.push_str(" --note TEXT"),
        Evidence::File => command.push_str(" --evidence FILE"),
    }
    if !others.is_empty() {
        // A comment in every shell that matters, so that the line can be pasted as it is.
        command.push_str(&format!("  # or: {}", others.join(", ")));
    }
    command
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;

    use super::*;

    fn prompt(answer: AnswerKind, evidence: Evidence) -> Prompt {
        Prompt { ask: "?".into(), instructions: None, answer, evidence, same_as: None }
    }

    #[test]
    fn the_command_that_answers_can_be_pasted_as_it_is() {
        let choices = ["transfer", "second", "trial"].map(|key| (key.to_owned(), String::new()));
        let choice = prompt(AnswerKind::Choice(IndexMap::from(choices)), Evidence::None);
        assert_eq!(
            approve("licensing", Some(&choice), "a.state.jsonl"),
            "movebook approve licensing --state a.state.jsonl --answer transfer  # or: second, trial"
        );
        let confirm = prompt(AnswerKind::Confirm, Evidence::Note);
        assert_eq!(
            approve("x[0]", Some(&confirm), "my run"),
            "movebook approve \"x[0]\" --state \"my run\" --note TEXT"
        );
    }

    #[test]
    fn a_secret_is_never_an_argument() {
        let secret = prompt(AnswerKind::Secret, Evidence::None);
        assert_eq!(approve("key", Some(&secret), "s"), "movebook approve key --state s --answer-file -");
    }
}

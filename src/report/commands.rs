//! The exact commands that go on, for whoever reads a report.

use super::words::shell_argument;
use crate::plan::{AnswerKind, Evidence};
use crate::state::record::Prompt;

/// Goes on with a run.
pub fn resume(state_file: &str) -> String {
    format!("movebook resume {}", shell_argument(state_file))
}

/// Shows what a runbook would do.
pub fn plan(runbook: &str) -> String {
    format!("movebook plan {}", shell_argument(runbook))
}

/// Lists the files that a pass could not copy.
pub fn failed(state_file: &str, step: &str) -> String {
    format!("movebook account {} {} --list failed", shell_argument(state_file), shell_argument(step))
}

/// Lists what purges took away.
pub fn quarantine(state_file: &str) -> String {
    format!("movebook quarantine {}", shell_argument(state_file))
}

/// Answers the question of a step: one command, or one for each choice, in the order of the choices.
pub fn approve(step: &str, prompt: &Prompt, state_file: &str) -> Vec<String> {
    let command = format!("movebook approve {} --state {}", shell_argument(step), shell_argument(state_file));
    let evidence = match prompt.evidence {
        Evidence::None => "",
        // A pasted placeholder is no note: it has no letter or digit in it.
        Evidence::Note => " --note \"...\"",
        Evidence::File => " --evidence FILE",
    };
    match &prompt.answer {
        AnswerKind::Confirm => vec![format!("{command}{evidence}")],
        AnswerKind::Text => vec![format!("{command} --answer TEXT{evidence}")],
        AnswerKind::Secret => vec![format!("{command} --answer-file -{evidence}")],
        AnswerKind::Choice(choices) => choices
            .keys()
            .map(|key| format!("{command} --answer {}{evidence}", shell_argument(key)))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;

    use super::*;

    fn prompt(answer: AnswerKind, evidence: Evidence) -> Prompt {
        Prompt { ask: "?".into(), instructions: None, answer, evidence, same_as: None }
    }

    #[test]
    fn every_choice_has_a_command_that_can_be_pasted_as_it_is() {
        let choices = ["keep", "purge"].map(|key| (key.to_owned(), String::new()));
        let choice = prompt(AnswerKind::Choice(IndexMap::from(choices)), Evidence::None);
        assert_eq!(
            approve("final", &choice, "a.state.jsonl"),
            [
                "movebook approve final --state a.state.jsonl --answer keep",
                "movebook approve final --state a.state.jsonl --answer purge"
            ]
        );
    }

    #[test]
    fn names_that_a_shell_would_take_apart_are_quoted() {
        let confirm = prompt(AnswerKind::Confirm, Evidence::Note);
        assert_eq!(
            approve("x[0]", &confirm, "my run"),
            ["movebook approve \"x[0]\" --state \"my run\" --note \"...\""]
        );
    }

    #[test]
    fn a_secret_is_never_an_argument() {
        let secret = prompt(AnswerKind::Secret, Evidence::None);
        assert_eq!(approve("key", &secret, "s"), ["movebook approve key --state s --answer-file -"]);
    }
}

//! Answers on the command line. A secret never comes as an argument: everyone who can list processes would see it.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;

use super::inputs::{assignment, read_text};
use crate::error::{Error, ExitCode, Result};
use crate::plan::{Plan, PlannedStep};
use crate::report::words;
use crate::run::{Given, GivenAnswer};
use crate::secret::Secret;

/// Answers that are given before they are asked for.
#[derive(Clone, Debug, Default, Args)]
pub struct Ahead {
    /// An answer given ahead (`yes` for a confirmation); not for secrets
    #[arg(long = "answer", value_name = "STEP=VALUE", value_parser = assignment)]
    answers: Vec<(String, String)>,
    /// An answer given ahead in a file's first line, `-` for standard input; the way for secrets
    #[arg(long = "answer-file", value_name = "STEP=FILE", value_parser = assignment)]
    answer_files: Vec<(String, String)>,
    /// A note that is kept with an answer given ahead
    #[arg(long = "note", value_name = "STEP=TEXT", value_parser = assignment)]
    notes: Vec<(String, String)>,
    /// A file that proves an answer given ahead
    #[arg(long = "evidence", value_name = "STEP=FILE", value_parser = assignment)]
    evidence: Vec<(String, String)>,
}

/// The answers given ahead, by step, each of the kind that its checkpoint asks for.
pub fn ahead(plan: &Plan, given: &Ahead) -> Result<BTreeMap<String, GivenAnswer>> {
    let mut answers = BTreeMap::new();
    for (step, text) in &given.answers {
        if checkpoint(plan, step)?.detail["answer"] == "secret" {
            return Err(Error::new(
                ExitCode::Usage,
                "a secret is not taken as an argument: all processes can see it",
            )
            .hint(format!("give `--answer-file {step}=FILE`, or `-` for standard input")));
        }
        let value = of_kind(checkpoint(plan, step)?, Secret::new(text.clone()))?;
        answers.insert(step.clone(), GivenAnswer { value, note: None, evidence: None });
    }
    for (step, file) in &given.answer_files {
        let value = of_kind(checkpoint(plan, step)?, from_file(Path::new(file))?)?;
        answers.insert(step.clone(), GivenAnswer { value, note: None, evidence: None });
    }
    let no_answer = |step: &str| {
        Error::new(
            ExitCode::Usage,
            format!("a note or evidence is given for `{}`, but no answer", words::name(step)),
        )
        .hint("give the answer too: `--answer STEP=VALUE`")
    };
    for (step, note) in &given.notes {
        answers.get_mut(step).ok_or_else(|| no_answer(step))?.note = Some(note.clone());
    }
    for (step, file) in &given.evidence {
        answers.get_mut(step).ok_or_else(|| no_answer(step))?.evidence = Some(PathBuf::from(file));
    }
    Ok(answers)
}

fn checkpoint<'p>(plan: &'p Plan, step: &str) -> Result<&'p PlannedStep> {
    let checkpoints = || plan.steps().filter(|step| step.action == "checkpoint");
    checkpoints().find(|checkpoint| checkpoint.id == step).ok_or_else(|| {
        let known: Vec<&str> = checkpoints().map(|step| step.id.as_str()).collect();
        Error::new(
            ExitCode::Usage,
            format!("an answer is given for `{}`, which is no checkpoint", words::name(step)),
        )
        .hint(format!("the checkpoints are: {}", known.join(", ")))
    })
}

/// A text as the kind of answer that a checkpoint asks for. The kind is always known, only texts can be late.
fn of_kind(step: &PlannedStep, text: Secret) -> Result<Given> {
    let choices = step.detail["choice"].as_object();
    let wrong = |wanted: String| {
        Err(Error::new(ExitCode::Usage, format!("the answer given ahead for `{}` does not fit", step.id))
            .hint(format!("it must be {wanted}")))
    };
    match (step.detail["answer"].as_str(), choices) {
        (Some("confirm"), _) if text.expose() == "yes" => Ok(Given::Confirmed),
        (Some("confirm"), _) => wrong("`yes`".to_owned()),
        (Some("secret"), _) => Ok(Given::Secret(text)),
        (_, Some(choices)) if !choices.contains_key(text.expose()) => {
            wrong(format!("one of: {}", choices.keys().cloned().collect::<Vec<_>>().join(", ")))
        }
        _ => Ok(Given::Text(text.expose().to_owned())),
    }
}

/// The first line of a file, or of standard input for `-`.
pub fn from_file(path: &Path) -> Result<Secret> {
    let text = if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map_err(|error| {
            Error::new(ExitCode::Usage, "cannot read the answer from standard input").caused_by(error)
        })?;
        text
    } else {
        read_text(path, "the answer")?
    };
    let text = Secret::new(text);
    let line = text.expose().lines().next().unwrap_or_default().trim();
    match line.is_empty() {
        true => Err(Error::new(ExitCode::Usage, format!("the answer in {} is empty", path.display()))
            .hint("its first line is the answer")),
        false => Ok(Secret::new(line.to_owned())),
    }
}

//! `movebook approve STEP`: answers what a waiting run asked.

use std::io::IsTerminal;
use std::path::PathBuf;

use super::answers;
use super::ask::AtTerminal;
use super::place::state_of;
use crate::error::{Error, ExitCode, Result};
use crate::plan::AnswerKind;
use crate::report::commands;
use crate::report::terminal::Colour;
use crate::report::words;
use crate::run::{Ask, Given, GivenAnswer, Operator, Reply, answer};
use crate::secret::Redactor;
use crate::state::fold::{OpenQuestion, RunState};
use crate::state::journal::Journal;
use crate::state::lock::{Holder, Lock};
use crate::state::record::{Body, How};
use crate::sys::who;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The step that waits
    step: String,
    /// The state file [default: the only one in this directory]
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// The answer: a text, or the key of a choice; never a secret
    #[arg(long, value_name = "VALUE", conflicts_with = "answer_file")]
    answer: Option<String>,
    /// A file whose first line is the answer, `-` for standard input; the way for secrets
    #[arg(long, value_name = "FILE")]
    answer_file: Option<PathBuf>,
    /// A note that is kept with the answer
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// A file that proves the answer; its name, size and BLAKE3 are kept
    #[arg(long, value_name = "FILE")]
    evidence: Option<PathBuf>,
}

pub fn run(args: &Args, colour: Colour) -> Result<ExitCode> {
    let path = super::place::find(args.state.as_deref())?;
    let (host, user) = (who::host(), who::user());
    let lock = Lock::acquire(&path, &Holder::this_process(host.clone(), user.clone()))?;
    let mut opened = Journal::open(lock)?;
    if let Some(copy) = &opened.torn {
        super::begin::tell_torn(copy, colour);
    }
    let state = state_of(&opened.records, &path)?;
    let open = open_question(&state, &args.step)?;
    let given = given(args, open)?;
    let accepted = answer::judge(&open.prompt, given, &Redactor::new(), |step| {
        state.answers.get(step).map(|kept| kept.answer.clone())
    })
    .map_err(|objection| {
        let ways = commands::approve(&args.step, &open.prompt, &path.display().to_string());
        Error::new(ExitCode::Usage, objection.to_string())
            .hint(format!("answer with: {}", ways.join("\n     or: ")))
    })?;
    let body = Body::Answered {
        step: args.step.clone(),
        question: open.question.clone(),
        answer: accepted.answer,
        by: user,
        host,
        how: How::Approve,
        note: accepted.note,
        evidence: accepted.evidence,
    };
    state
        .check(&body)
        .map_err(|fault| Error::new(ExitCode::Usage, format!("this answer does not fit: {fault}")))?;
    opened.journal.append(body)?;
    anstream::eprintln!("the answer to {} is written down", words::name(&args.step));
    anstream::eprintln!("go on with: {}", commands::resume(&path.display().to_string()));
    Ok(ExitCode::Done)
}

fn open_question<'s>(state: &'s RunState, step: &str) -> Result<&'s OpenQuestion> {
    if let Some(open) = state.steps.get(step).and_then(|state| state.open.as_ref()) {
        return Ok(open);
    }
    let error =
        Error::new(ExitCode::Usage, format!("step `{}` does not wait for an answer", words::name(step)));
    Err(match state.waiting() {
        Some((waiting, _)) => error.hint(format!("the run waits at `{waiting}`")),
        None => error.hint("the run waits for nothing; `movebook status` shows where it stands"),
    })
}

/// The answer as the arguments, a file or the terminal give it.
fn given(args: &Args, open: &OpenQuestion) -> Result<GivenAnswer> {
    let value = match (&open.prompt.answer, &args.answer, &args.answer_file) {
        (AnswerKind::Secret, Some(_), _) => {
            return Err(Error::new(
                ExitCode::Usage,
                "a secret is not taken as an argument: all processes can see it",
            )
            .hint("leave --answer out to be asked, or give --answer-file FILE (`-` for standard input)"));
        }
        (AnswerKind::Secret, None, Some(file)) => Given::Secret(answers::from_file(file)?),
        (_, None, Some(file)) => Given::Text(answers::from_file(file)?.expose().to_owned()),
        (AnswerKind::Confirm, None, None) => Given::Confirmed,
        (AnswerKind::Confirm, Some(text), None) if text == "yes" => Given::Confirmed,
        (_, Some(text), None) => Given::Text(text.clone()),
        (_, None, None) => return asked(args, open),
        (_, Some(_), Some(_)) => {
            return Err(Error::new(ExitCode::Usage, "--answer and --answer-file exclude each other"));
        }
    };
    Ok(GivenAnswer { value, note: args.note.clone(), evidence: args.evidence.clone() })
}

fn asked(args: &Args, open: &OpenQuestion) -> Result<GivenAnswer> {
    let missing = || {
        Error::new(ExitCode::Usage, format!("the answer is missing: {}", answer::wanted(&open.prompt.answer)))
            .hint("give --answer VALUE, or --answer-file FILE (`-` for standard input)")
    };
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Err(missing());
    }
    for line in open.prompt.instructions.iter().flat_map(|text| text.lines()) {
        anstream::eprintln!("    {}", words::name(line));
    }
    for name in &open.list {
        anstream::eprintln!("    - {}", words::name(name));
    }
    let ask = Ask {
        step: &args.step,
        title: &args.step,
        question: &open.question,
        prompt: &open.prompt,
        objection: None,
    };
    match AtTerminal.ask(&ask) {
        Reply::Given(given) => Ok(GivenAnswer {
            note: args.note.clone().or(given.note),
            evidence: args.evidence.clone().or(given.evidence),
            ..given
        }),
        Reply::Interrupted => Err(Error::new(ExitCode::Interrupted, "interrupted; nothing was written")),
        Reply::NotYet | Reply::Nobody => Err(missing()),
    }
}

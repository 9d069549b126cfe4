//! Takes a run up: the plan, the lock, the journal, and who watches and answers.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::inputs::{self, RunFacts, Variables};
use super::{answers, ask};
use crate::cancel::Cancel;
use crate::error::{Error, ExitCode, Result};
use crate::event::Sink;
use crate::plan::Plan;
use crate::report::json::JsonLines;
use crate::report::out::Out;
use crate::report::plain::PlainLines;
use crate::report::terminal::{Colour, Terminal};
use crate::report::{commands, words};
use crate::run::{self, Begin, Commands, Consent, OnDrift, Operator, Request, Start, Who};
use crate::runbook::model::{Runbook, VarType};
use crate::state::fold::{self, RunState};
use crate::state::journal::{self, Journal};
use crate::state::lock::{Holder, Lock};
use crate::state::record::Basis;
use crate::sys::who;
use crate::vars::Given;

/// How events are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Bars on a terminal, plain lines elsewhere
    Human,
    /// One JSON object a line, on stdout
    Json,
}

/// What `run` and `resume` have in common.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// Answer plain confirmations without asking; the state file records that nobody looked
    #[arg(long)]
    pub yes: bool,
    /// An answer given ahead (`yes` for a confirmation); not for secrets
    #[arg(long = "answer", value_name = "STEP=VALUE", value_parser = inputs::assignment)]
    pub answers: Vec<(String, String)>,
    /// An answer given ahead in a file's first line, `-` for standard input
    #[arg(long = "answer-file", value_name = "STEP=FILE", value_parser = inputs::assignment)]
    pub answer_files: Vec<(String, String)>,
    /// Go on though the runbook or the variables changed, with what they say now
    #[arg(long, conflicts_with = "as_started")]
    pub accept_changes: bool,
    /// Go on with the runbook and the variables that the state file holds
    #[arg(long)]
    pub as_started: bool,
    /// How events are shown
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
}

/// What is to be carried out, and where it is written down.
pub struct Settings<'a> {
    pub runbook: &'a Path,
    pub variables: &'a Variables,
    /// `None`: the default place.
    pub state: Option<&'a Path>,
    pub options: &'a Options,
}

/// Carries out a runbook, or goes on with it.
pub fn carry_out(settings: &Settings<'_>, colour: Colour) -> Result<ExitCode> {
    let Settings { runbook: path, variables, state, options } = settings;
    let who = Who { host: who::host(), user: who::user() };
    let from_file = match options.as_started {
        true => None,
        false => {
            let runbook = inputs::load(path, colour)?;
            let given = variables.given(&runbook)?;
            Some((runbook, given))
        }
    };
    let state_path = match (state, &from_file) {
        (Some(state), _) => state.to_path_buf(),
        (None, Some((runbook, _))) => super::place::default_for(&runbook.name.value, &variables.files),
        (None, None) => super::place::default_for(&inputs::load(path, colour)?.name.value, &variables.files),
    };
    // All that can be wrong with the files is said before a lock or a state file is made.
    let resolved = match from_file {
        None => None,
        Some((runbook, given)) => {
            let values = inputs::resolve(&runbook, &given, colour)?;
            Some((runbook, values, given))
        }
    };
    let is_new = !state_path.try_exists().unwrap_or(false);
    if is_new && options.as_started {
        return Err(Error::new(ExitCode::Usage, format!("there is no state file {}", state_path.display()))
            .hint("--as-started goes on with a run; without it a new run begins"));
    }
    let id = new_id()?;
    let now = jiff::Timestamp::now();
    let mut resolved = resolved;
    if is_new && let Some((runbook, values, _)) = &resolved {
        // A plan for the eyes of the planner only: what is wrong with it leaves no lock behind.
        inputs::make_plan(runbook.clone(), values.clone(), RunFacts::Run { id: &id, started: now }, colour)?;
    }
    let lock = Lock::acquire(&state_path, &Holder::this_process(who.host.clone(), who.user.clone()))?;
    let taken_up = if is_new { TakenUp::New(lock) } else { open(lock, colour)? };
    let (run, started) = match &taken_up {
        TakenUp::GoOn(start) if start.state.finished.is_some() => {
            return Ok(already_done(&start.state, &state_path));
        }
        TakenUp::GoOn(start) => {
            if options.as_started {
                resolved = Some(as_started(&start.state.basis, settings.variables, colour)?);
            }
            (start.state.run.clone(), start.state.started)
        }
        TakenUp::New(_) | TakenUp::Empty(_) => (id, now),
    };
    let Some((runbook, values, given)) = resolved else {
        return Err(Error::new(ExitCode::Usage, format!("the state file {} is empty", state_path.display()))
            .hint("run without --as-started: the run then begins"));
    };
    let kept = kept_variables(&runbook, &given);
    let plan = inputs::make_plan(runbook, values, RunFacts::Run { id: &run, started }, colour)?;
    let basis_path = match &taken_up {
        TakenUp::GoOn(start) if options.as_started => main_file(&start.state.basis),
        _ => absolute(path)?,
    };
    let begin = match taken_up {
        TakenUp::New(lock) => Begin::New(lock),
        TakenUp::Empty(journal) => Begin::Empty(journal),
        TakenUp::GoOn(start) => Begin::GoOn(start),
    };
    let shown_state = state_path.display().to_string();
    let request = Request {
        plan: &plan,
        run,
        begin,
        runbook: basis_path,
        vars_files: absolute_all(&variables.files)?,
        given: kept,
        consent: if options.yes { Consent::Yes } else { Consent::Ask },
        answers: answers::ahead(&options.answers, &options.answer_files)?,
        on_drift: if options.accept_changes { OnDrift::Accept } else { OnDrift::Refuse },
        who,
        commands: Commands {
            go_on: &|| commands::resume(&shown_state),
            approve: &|step, prompt| commands::approve(step, Some(prompt), &shown_state),
        },
        state_file: shown_state.clone(),
    };
    check_answers(&plan, &request.answers)?;
    let cancel = Cancel::new();
    end_on_signal(&cancel)?;
    let mut sink = sink(options.format, colour, &plan);
    let mut operator: Box<dyn Operator> = match options.format {
        Format::Human => ask::operator(),
        Format::Json => Box::new(ask::Nobody),
    };
    Ok(run::run(request, &mut *sink, &mut *operator, &cancel)?.code)
}

enum TakenUp {
    New(Lock),
    Empty(Box<Journal>),
    GoOn(Box<Start>),
}

fn open(lock: Lock, colour: Colour) -> Result<TakenUp> {
    let opened = Journal::open(lock)?;
    if let Some(copy) = &opened.torn {
        warn(
            colour,
            &format!(
                "the last line of the state file was not finished when the program ended; it was cut off, a copy is in {}",
                copy.display()
            ),
        );
    }
    if opened.records.is_empty() {
        return Ok(TakenUp::Empty(Box::new(opened.journal)));
    }
    let state =
        fold::fold(&opened.records).map_err(|damage| journal::damaged(opened.journal.path(), &damage))?;
    Ok(TakenUp::GoOn(Box::new(Start { journal: opened.journal, state })))
}

fn already_done(state: &RunState, path: &Path) -> ExitCode {
    let when = state.finished.map_or(state.last, |finished| finished.at);
    anstream::eprintln!(
        "this run is done since {}: nothing is left to do\n  help: `movebook status {}` shows it; for a new run give another state file: --state FILE",
        when.strftime("%Y-%m-%d %H:%M:%S UTC"),
        words::shell_argument(&path.display().to_string())
    );
    ExitCode::Done
}

/// The runbook and the variables as the journal holds them. Secrets it does not hold: they are given again.
fn as_started(
    basis: &Basis,
    variables: &Variables,
    colour: Colour,
) -> Result<(Runbook, crate::vars::Values, Given)> {
    let texts: BTreeMap<&str, &str> =
        basis.files.iter().map(|file| (file.path.as_str(), file.text.as_str())).collect();
    let main = main_file(basis).display().to_string();
    let fetch = |name: &str| {
        texts.get(name).map(|text| (*text).to_owned()).ok_or_else(|| {
            std::io::Error::new(std::io::ErrorKind::NotFound, "the state file does not hold this file")
        })
    };
    let runbook =
        crate::runbook::read(&main, &fetch).map_err(|problems| inputs::refuse(&problems, colour))?;
    let is_secret =
        |name: &str| runbook.vars.get(name).is_some_and(|decl| decl.kind.value == VarType::Secret);
    let mut given = variables.given(&runbook)?;
    given.environment.retain(|name, _| is_secret(name));
    given.arguments.clear();
    // The journal's values come last, so that they win over what the files say now.
    let kept = serde_json::to_string(&basis.vars).map_err(|error| {
        Error::new(ExitCode::Damaged, "cannot read the variables of the state file").caused_by(error)
    })?;
    given.files.push(("the state file".to_owned(), kept));
    let values = inputs::resolve(&runbook, &given, colour)?;
    Ok((runbook, values, given))
}

fn main_file(basis: &Basis) -> PathBuf {
    basis.files.first().map(|file| PathBuf::from(&file.path)).unwrap_or_default()
}

/// What the environment and `--var` gave, so that `resume` need not be told again. Never a secret.
fn kept_variables(runbook: &Runbook, given: &Given) -> BTreeMap<String, String> {
    let plain = |name: &str| runbook.vars.get(name).is_some_and(|decl| decl.kind.value != VarType::Secret);
    given
        .environment
        .iter()
        .map(|(name, value)| (name, value))
        .chain(given.arguments.iter().map(|(name, value)| (name, value)))
        .filter(|(name, _)| plain(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

fn check_answers(plan: &Plan, answers: &BTreeMap<String, run::GivenAnswer>) -> Result<()> {
    for step in answers.keys() {
        if plan.step(step).is_none_or(|planned| planned.action != "checkpoint") {
            let known: Vec<&str> = plan
                .steps()
                .filter(|step| step.action == "checkpoint")
                .map(|step| step.id.as_str())
                .collect();
            return Err(Error::new(
                ExitCode::Usage,
                format!("an answer is given for `{}`, which is no checkpoint", words::name(step)),
            )
            .hint(format!("the checkpoints are: {}", known.join(", "))));
        }
    }
    Ok(())
}

fn sink(format: Format, colour: Colour, plan: &Plan) -> Box<dyn Sink> {
    let redactor = plan.values().redactor();
    match format {
        Format::Json => Box::new(JsonLines::new(Out::new(std::io::stdout(), redactor))),
        Format::Human if std::io::stderr().is_terminal() => {
            Box::new(Terminal::new(Out::new(std::io::stderr(), redactor), colour))
        }
        Format::Human => Box::new(PlainLines::new(Out::new(std::io::stderr(), redactor))),
    }
}

/// The first Ctrl-C asks the step at work to end; a second one ends the program at once: the journal stands for both.
pub(super) fn end_on_signal(cancel: &Cancel) -> Result<()> {
    let cancel = cancel.clone();
    let handler = move || {
        if cancel.is_requested() {
            std::process::exit(i32::from(ExitCode::Interrupted.number()));
        }
        cancel.request();
    };
    ctrlc::set_handler(handler)
        .map_err(|error| Error::new(ExitCode::StepFailed, "cannot listen for Ctrl-C").caused_by(error))
}

/// Six bytes by chance, in hexadecimal: enough to tell one's runs apart, short enough to say on the telephone.
fn new_id() -> Result<String> {
    let mut bytes = [0; 6];
    getrandom::fill(&mut bytes).map_err(|error| {
        Error::new(ExitCode::StepFailed, "the system gives no random numbers").caused_by(error)
    })?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).map_err(|error| {
        Error::new(ExitCode::Usage, format!("cannot tell where {} is", path.display())).caused_by(error)
    })
}

fn absolute_all(paths: &[PathBuf]) -> Result<Vec<String>> {
    paths.iter().map(|path| Ok(absolute(path)?.display().to_string())).collect()
}

fn warn(colour: Colour, message: &str) {
    use owo_colors::OwoColorize;
    match colour {
        Colour::Always => anstream::eprintln!("{}: {message}", "warning".yellow().bold()),
        Colour::Never => anstream::eprintln!("warning: {message}"),
    }
}

//! Takes a run up: the plan, the lock, the journal, and who watches and answers.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};

use super::inputs::{self, RunFacts, Variables};
use super::{answers, ask};
use crate::cancel::Cancel;
use crate::error::{Error, ExitCode, Result};
use crate::event::Sink;
use crate::plan::{self, EnvironmentVariables, Plan};
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
use crate::sys::interruption::{self, Cause};
use crate::sys::{console, wakefulness, who};
use crate::vars::{Given, Values};

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
    #[command(flatten)]
    pub ahead: answers::Ahead,
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

impl Options {
    /// Those of a new run, of which nothing else is asked.
    pub fn of_new_run(consent: Consent, format: Format) -> Self {
        Self {
            yes: consent == Consent::Yes,
            ahead: answers::Ahead::default(),
            accept_changes: false,
            as_started: false,
            format,
        }
    }
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
    let Settings { runbook: path, variables, options, .. } = settings;
    let who = Who { host: who::host(), user: who::user() };
    // All that can be wrong with the files is said before a lock or a state file is made.
    let mut prepared = match options.as_started {
        true => None,
        false => Some(Prepared::from_files(path, variables, colour)?),
    };
    let state_file = state_file(settings, prepared.as_ref(), colour)?;
    let (id, now) = (new_id()?, jiff::Timestamp::now());
    if let (Some(prepared), false) = (&prepared, exists(&state_file)?) {
        answers::ahead(&prepared.clone().plan(&id, now, colour)?, &options.ahead)?;
    }
    let lock = Lock::acquire(&state_file, &Holder::this_process(who.host.clone(), who.user.clone()))?;
    let begin = match exists(&state_file)? {
        false => Begin::New(lock),
        true => open(lock, colour)?,
    };
    let (run, started) = match &begin {
        Begin::GoOn(start) if start.state.finished.is_some() => {
            return Ok(already_done(&start.state, &state_file));
        }
        Begin::GoOn(start) => {
            if options.as_started {
                prepared = Some(Prepared::as_started(&start.state.basis, variables, colour)?);
            }
            (start.state.run.clone(), start.state.basis.started)
        }
        Begin::New(_) | Begin::Empty(_) => (id, now),
    };
    let Some(prepared) = prepared else {
        return Err(Error::new(ExitCode::Usage, format!("no run was begun yet in {}", state_file.display()))
            .hint("--as-started goes on with a run; without it a new one begins"));
    };
    let main_file = match &begin {
        Begin::GoOn(start) if options.as_started => main_file(&start.state.basis),
        _ => absolute(path)?,
    };
    let given = prepared.kept_variables();
    let plan = prepared.plan(&run, started, colour)?;
    let shown_state = state_file.display().to_string();
    let request = Request {
        plan: &plan,
        run,
        started,
        begin,
        runbook: main_file,
        vars_files: absolute_all(&variables.files)?,
        given,
        state_file: shown_state.clone(),
        consent: if options.yes { Consent::Yes } else { Consent::Ask },
        answers: answers::ahead(&plan, &options.ahead)?,
        on_drift: if options.accept_changes { OnDrift::Accept } else { OnDrift::Refuse },
        who,
        commands: Commands {
            go_on: &|| commands::resume(&shown_state),
            approve: &|step, prompt| commands::approve(step, prompt, &shown_state),
        },
    };
    let cancel = Cancel::new();
    end_on_signal(&cancel)?;
    let mut sink = sink(options.format, colour, &plan);
    let mut operator: Box<dyn Operator> = match options.format {
        Format::Human => ask::operator(),
        Format::Json => Box::new(ask::Nobody),
    };
    let _awake = wakefulness::stay_awake();
    let _clicks = console::ignore_clicks();
    Ok(run::run(request, &mut *sink, &mut *operator, &cancel)?.code)
}

/// A runbook with its variables, ready to be planned.
#[derive(Clone)]
struct Prepared {
    runbook: Runbook,
    values: Values,
    given: Given,
    /// What templates may read as `env.NAME`.
    environment: EnvironmentVariables,
}

impl Prepared {
    /// As the files say it now.
    fn from_files(path: &Path, variables: &Variables, colour: Colour) -> Result<Self> {
        let runbook = inputs::load(path, colour)?;
        let given = variables.given(&runbook)?;
        let values = inputs::resolve(&runbook, &given, colour)?;
        let environment = inputs::allowed_environment(&runbook);
        Ok(Self { runbook, values, given, environment })
    }

    /// As the journal holds it. Secrets it does not hold: they are given again.
    fn as_started(basis: &Basis, variables: &Variables, colour: Colour) -> Result<Self> {
        let texts: BTreeMap<&str, &str> =
            basis.files.iter().map(|file| (file.path.as_str(), file.text.as_str())).collect();
        let fetch = |name: &str| {
            texts.get(name).map(|text| (*text).to_owned()).ok_or_else(|| {
                std::io::Error::new(std::io::ErrorKind::NotFound, "the state file does not hold this file")
            })
        };
        let main = main_file(basis).display().to_string();
        let runbook =
            crate::runbook::read(&main, &fetch).map_err(|problems| inputs::refuse(&problems, colour))?;
        let kept = serde_json::to_string(&basis.vars).map_err(|error| {
            Error::new(ExitCode::Damaged, "cannot read the variables of the state file").caused_by(error)
        })?;
        let mut given =
            Given { files: variables.secrets_of(&runbook)?, ..variables.environment_alone(&runbook) };
        given.files.push(("the state file".to_owned(), kept));
        let is_secret =
            |name: &str| runbook.vars.get(name).is_some_and(|decl| decl.kind.value == VarType::Secret);
        given.environment.retain(|name, _| is_secret(name));
        let values = inputs::resolve(&runbook, &given, colour)?;
        Ok(Self { runbook, values, given, environment: basis.environment.clone() })
    }

    /// What the environment and `--var` gave, so that `resume` need not be told again. Never a secret.
    fn kept_variables(&self) -> BTreeMap<String, String> {
        let is_plain =
            |name: &str| self.runbook.vars.get(name).is_some_and(|decl| decl.kind.value != VarType::Secret);
        let environment = self.given.environment.iter().map(|(name, value)| (name.clone(), value.clone()));
        environment.chain(self.given.arguments.iter().cloned()).filter(|(name, _)| is_plain(name)).collect()
    }

    fn plan(self, run: &str, started: jiff::Timestamp, colour: Colour) -> Result<Plan> {
        let facts = RunFacts::Run { id: run, started }.to_json(&self.runbook.name.value);
        plan::make(self.runbook, self.values, facts, self.environment)
            .map_err(|problems| inputs::refuse(&problems, colour))
    }
}

fn state_file(settings: &Settings<'_>, prepared: Option<&Prepared>, colour: Colour) -> Result<PathBuf> {
    if let Some(state) = settings.state {
        return Ok(state.to_path_buf());
    }
    let name = match prepared {
        Some(prepared) => prepared.runbook.name.value.clone(),
        None => inputs::load(settings.runbook, colour)?.name.value,
    };
    Ok(super::place::default_for(&name, &settings.variables.files))
}

fn exists(path: &Path) -> Result<bool> {
    path.try_exists().map_err(|error| {
        Error::new(ExitCode::Usage, format!("cannot look at the state file {}", path.display()))
            .caused_by(error)
    })
}

fn open(lock: Lock, colour: Colour) -> Result<Begin> {
    let opened = Journal::open(lock)?;
    if let Some(copy) = &opened.torn {
        tell_torn(copy, colour);
    }
    if opened.records.is_empty() {
        return Ok(Begin::Empty(Box::new(opened.journal)));
    }
    let state =
        fold::fold(&opened.records).map_err(|damage| journal::damaged(opened.journal.path(), &damage))?;
    Ok(Begin::GoOn(Box::new(Start { journal: opened.journal, state })))
}

/// Says that an unfinished last line was cut off.
pub(super) fn tell_torn(copy: &Path, colour: Colour) {
    use owo_colors::OwoColorize;

    let label = match colour {
        Colour::Always => "warning".yellow().bold().to_string(),
        Colour::Never => "warning".to_owned(),
    };
    anstream::eprintln!(
        "{label}: the last line of the state file was not finished when the program ended; it was cut off, a copy is in {}",
        words::name(&copy.display().to_string())
    );
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

fn main_file(basis: &Basis) -> PathBuf {
    basis.files.first().map(|file| PathBuf::from(&file.path)).unwrap_or_default()
}

fn sink(format: Format, colour: Colour, plan: &Plan) -> Box<dyn Sink> {
    let redactor = plan.values().redactor();
    match format {
        Format::Json => Box::new(JsonLines::new(Out::new(std::io::stdout(), redactor))),
        Format::Human if std::io::stderr().is_terminal() => {
            let marks = super::marks(&std::io::stderr());
            Box::new(Terminal::new(Out::new(std::io::stderr(), redactor), colour, marks))
        }
        Format::Human => Box::new(PlainLines::new(Out::new(std::io::stderr(), redactor))),
    }
}

/// So long after the first Ctrl-C a second one is not taken for impatience: the step at work is ending what it began.
const PATIENCE: Duration = Duration::from_secs(2);

/// The first Ctrl-C asks the step at work to end. At a prompt nothing is at work, and it ends the program at once, as a
/// later one does everywhere: the journal stands for both.
pub(super) fn end_on_signal(cancel: &Cancel) -> Result<()> {
    let cancel = cancel.clone();
    let first: OnceLock<Instant> = OnceLock::new();
    let handler = move |cause| {
        let since_first = first.get_or_init(Instant::now).elapsed();
        // The end of a console or a machine is no sign of impatience.
        let is_impatience = cause == Cause::Asked && cancel.is_requested() && since_first > PATIENCE;
        if ask::is_open() || is_impatience {
            ask::leave_terminal();
            std::process::exit(i32::from(ExitCode::Interrupted.number()));
        }
        cancel.request();
    };
    interruption::listen(handler)
        .map_err(|error| Error::new(ExitCode::StepFailed, "cannot listen for Ctrl-C").caused_by(error))
}

/// Six bytes by chance, in hexadecimal: enough to tell one's runs apart, short enough to say on the telephone.
pub(super) fn new_id() -> Result<String> {
    let mut bytes = [0; 6];
    getrandom::fill(&mut bytes).map_err(|error| {
        Error::new(ExitCode::StepFailed, "the system gives no random numbers").caused_by(error)
    })?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

pub(super) fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).map_err(|error| {
        Error::new(ExitCode::Usage, format!("cannot tell where {} is", path.display())).caused_by(error)
    })
}

fn absolute_all(paths: &[PathBuf]) -> Result<Vec<String>> {
    paths.iter().map(|path| Ok(absolute(path)?.display().to_string())).collect()
}

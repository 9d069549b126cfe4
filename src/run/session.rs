//! One process's part of a run: from the first look at the journal to the last event.
//!
//! [`Session::append`] is the only way into the journal: it checks that a record may follow what is known, takes the
//! secrets out, waits for the disk, and only then changes the state that everything else looks at.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::Value as Json;

use super::operator::{GivenAnswer, Operator};
use super::stage::Stage;
use crate::cancel::Cancel;
use crate::copy::account::{Account, Unsynced};
use crate::error::{Error, ExitCode, Result};
use crate::event::{Event, Outcome, PhaseOutline, Sink, StepOutline};
use crate::plan::Plan;
use crate::render::Known;
use crate::secret::Redactor;
use crate::state::drift::{self, Change, Present};
use crate::state::fold::RunState;
use crate::state::journal::Journal;
use crate::state::lock::Lock;
use crate::state::record::{Basis, Body, FORMAT, PhaseMark, Prompt, Record, RunbookText, StepMark};
use crate::state::{answer_hash, journal};
use crate::vars::Value;

/// What a process is asked to carry out.
pub struct Request<'a> {
    pub plan: &'a Plan,
    /// The run's id; the journal's where there is one.
    pub run: String,
    /// When the run began, as its templates see it.
    pub started: Timestamp,
    pub begin: Begin,
    /// Where the main runbook file lies, absolute.
    pub runbook: PathBuf,
    pub vars_files: Vec<String>,
    /// Variables that came from the environment or the command line, as they were written.
    pub given: BTreeMap<String, String>,
    /// The state file as it is shown.
    pub state_file: String,
    pub consent: Consent,
    /// Answers given ahead, by step.
    pub answers: BTreeMap<String, GivenAnswer>,
    pub on_drift: OnDrift,
    pub who: Who,
    /// The command that goes on after a stop, and the one that answers a step's question.
    pub commands: Commands<'a>,
}

/// Words for a person who wants to go on; the command line is the caller's business.
pub struct Commands<'a> {
    pub go_on: &'a dyn Fn() -> String,
    pub approve: &'a dyn Fn(&str, &Prompt) -> Vec<String>,
}

#[derive(Clone, Debug)]
pub struct Who {
    pub host: String,
    pub user: String,
}

/// Where the process takes the run up.
pub enum Begin {
    New(Lock),
    /// A state file whose process ended before it had written anything.
    Empty(Box<Journal>),
    /// A journal that was begun by an earlier process.
    GoOn(Box<Start>),
}

pub struct Start {
    pub journal: Journal,
    pub state: RunState,
}

impl Start {
    fn first(journal: Journal, record: &Record) -> Result<Self> {
        let state = RunState::begin(record).map_err(|damage| journal::damaged(journal.path(), &damage))?;
        Ok(Self { journal, state })
    }
}

/// Whether `confirm` checkpoints are answered without a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    Ask,
    /// `--yes`. Never answers anything but a plain confirmation.
    Yes,
}

/// What is done where the plan is not the one that the run began with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnDrift {
    Refuse,
    /// The journal records who accepted what.
    Accept,
}

/// How the process's part ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    pub outcome: Outcome,
    pub code: ExitCode,
}

/// Carries out what is left of the plan.
///
/// # Errors
/// What ends the process without an event: a guard's refusal before anything was touched, drift, a journal that
/// cannot be written.
pub fn run(
    request: Request<'_>,
    sink: &mut dyn Sink,
    operator: &mut dyn Operator,
    cancel: &Cancel,
) -> Result<Ended> {
    let Request {
        plan,
        run,
        started,
        begin,
        runbook,
        vars_files,
        given,
        state_file,
        consent,
        answers,
        on_drift,
        who,
        commands,
    } = request;
    let redactor = plan.values().redactor();
    let origin = BasisOrigin { plan, runbook, vars_files, given, started };
    super::facts::judge_plan(plan, started_state(&begin))?;
    if consent == Consent::Yes {
        super::question::refuse_unanswerable(plan, started_state(&begin), &answers)?;
    }
    let start = |run| {
        Ok::<_, Error>(Body::RunStarted {
            format: FORMAT,
            run,
            movebook: env!("CARGO_PKG_VERSION").to_owned(),
            host: who.host.clone(),
            user: who.user.clone(),
            basis: origin.basis(&BTreeMap::new())?,
        })
    };
    let Start { journal, state } = match begin {
        Begin::New(lock) => {
            let (journal, record) = Journal::create(lock, start(run)?)?;
            Start::first(journal, &record)?
        }
        Begin::Empty(mut journal) => {
            let record = journal.append(start(run)?)?;
            Start::first(*journal, &record)?
        }
        Begin::GoOn(start) => *start,
    };
    let mut session = Session {
        plan,
        journal,
        state,
        stage: Stage::new(sink),
        operator,
        cancel,
        redactor,
        consent,
        answers,
        who,
        account: None,
        unsynced: Vec::new(),
        state_file,
        commands,
    };
    session.meet_drift(&origin, on_drift)?;
    session.open()?;
    match session.walk() {
        Ok(ended) => {
            session.close(ended);
            Ok(ended)
        }
        Err(error) => {
            // Whoever follows the events shall see an end, whatever it was.
            session.close(Ended { outcome: Outcome::Failed, code: error.code() });
            Err(error)
        }
    }
}

fn started_state(begin: &Begin) -> Option<&RunState> {
    match begin {
        Begin::New(_) | Begin::Empty(_) => None,
        Begin::GoOn(start) => Some(&start.state),
    }
}

pub(super) struct Session<'a> {
    pub(super) plan: &'a Plan,
    pub(super) state: RunState,
    pub(super) stage: Stage<'a>,
    pub(super) operator: &'a mut dyn Operator,
    pub(super) cancel: &'a Cancel,
    pub(super) redactor: Redactor,
    pub(super) consent: Consent,
    pub(super) answers: BTreeMap<String, GivenAnswer>,
    pub(super) who: Who,
    /// Of the pass that the step at work has ended, until the step's end is written down.
    pub(super) account: Option<Account>,
    /// Files of names that the disk may not have yet, with their steps.
    pub(super) unsynced: Vec<(String, Unsynced)>,
    state_file: String,
    commands: Commands<'a>,
    journal: Journal,
}

impl Session<'_> {
    /// Writes a record; when this returns, the disk has it and the state knows it.
    pub(super) fn append(&mut self, body: Body) -> Result<()> {
        let body = clean(body, &self.redactor);
        self.state.check(&body).map_err(|fault| {
            Error::new(ExitCode::StepFailed, format!("the next record does not fit the journal: {fault}"))
                .hint("this is a mistake of movebook itself; nothing was written, please report it")
        })?;
        let record = self.journal.append(body)?;
        self.state.apply(&record).map_err(|damage| journal::damaged(self.journal.path(), &damage))
    }

    /// The state file, with links resolved; the names of passes are kept beside it.
    pub(super) fn state_path(&self) -> &Path {
        self.journal.path()
    }

    /// What templates may know now.
    pub(super) fn known(&self) -> Known {
        Known {
            answers: self.state.visible_answers(),
            steps: self
                .state
                .steps
                .iter()
                .filter(|(_, step)| step.status.is_final())
                .map(|(id, step)| (id.clone(), step.figures.clone()))
                .collect(),
            ..self.plan.known()
        }
    }

    pub(super) fn warn(&self, step: Option<&str>, message: String) {
        self.stage.show(&Event::Warning { step: step.map(str::to_owned), message });
    }

    fn meet_drift(&mut self, origin: &BasisOrigin<'_>, on_drift: OnDrift) -> Result<()> {
        let changes = self.drift(origin)?;
        if changes.is_empty() {
            return Ok(());
        }
        let sentences: Vec<String> =
            changes.iter().map(|change| self.redactor.redact(&change.to_string()).into_owned()).collect();
        match on_drift {
            OnDrift::Refuse => {
                let mut message =
                    "the runbook or the variables are not those that the run began with:".to_owned();
                for (change, sentence) in changes.iter().zip(&sentences) {
                    let mark = match change.weight() {
                        drift::Weight::Harmless => "-",
                        drift::Weight::NeedsThought => "!",
                    };
                    message.push_str(&format!("\n  {mark} {sentence}"));
                }
                Err(Error::new(ExitCode::Changed, message)
                    .hint("`--accept-changes` goes on with what the files say now; what is marked ! needs thought first")
                    .hint("`--as-started` goes on with the runbook and variables that the state file holds"))
            }
            OnDrift::Accept => {
                for sentence in &sentences {
                    self.warn(None, format!("accepted: {sentence}"));
                }
                let basis = origin.basis(&self.state.basis.secrets)?;
                self.append(Body::ChangesAccepted {
                    by: self.who.user.clone(),
                    host: self.who.host.clone(),
                    changes: sentences,
                    basis,
                })
            }
        }
    }

    fn drift(&self, origin: &BasisOrigin<'_>) -> Result<Vec<Change>> {
        let steps = origin.step_marks();
        let vars = with_environment(origin.plain_vars(), &self.plan.known().environment);
        let before = with_environment(self.state.basis.vars.clone(), &self.state.basis.environment);
        let secrets: BTreeSet<String> = origin.secrets().map(|(name, _)| name.to_owned()).collect();
        let mut failed = None;
        let changes = drift::compare(
            &self.state,
            &Present { steps: &steps, vars: &vars, before: &before, secrets: &secrets },
            |name, hash| match origin.secrets().find(|(other, _)| *other == name) {
                None => false,
                Some((_, secret)) => answer_hash::matches(hash, secret).unwrap_or_else(|error| {
                    failed = Some(error);
                    false
                }),
            },
        );
        match failed {
            Some(error) => Err(error),
            None => Ok(changes),
        }
    }

    fn open(&mut self) -> Result<()> {
        let resumed = !self.state.sessions.is_empty();
        self.append(Body::SessionStarted {
            host: self.who.host.clone(),
            user: self.who.user.clone(),
            pid: std::process::id(),
            movebook: env!("CARGO_PKG_VERSION").to_owned(),
        })?;
        let phases = self.outline();
        let done = phases.iter().flat_map(|phase| &phase.steps).filter(|step| step.done).count();
        self.stage.show(&Event::RunStarted {
            run: self.state.run.clone(),
            name: self.plan.name.clone(),
            title: self.plan.title.clone(),
            state_file: self.state_file.clone(),
            phases,
            done,
            resumed,
        });
        Ok(())
    }

    fn close(&mut self, ended: Ended) {
        self.sync_names();
        let now = Timestamp::now();
        let next = match ended.outcome {
            Outcome::Done => Vec::new(),
            Outcome::Waiting => match self.state.waiting() {
                Some((step, open)) => (self.commands.approve)(step, &open.prompt),
                None => vec![(self.commands.go_on)()],
            },
            Outcome::Failed | Outcome::Refused | Outcome::Interrupted => vec![(self.commands.go_on)()],
        };
        self.stage.show(&Event::RunEnded {
            outcome: ended.outcome,
            exit_code: ended.code.number(),
            seconds: self.state.total_seconds(now),
            downtime: self.state.downtime_seconds(now),
            state_file: self.state_file.clone(),
            next,
        });
    }

    fn outline(&self) -> Vec<PhaseOutline> {
        self.plan
            .phases
            .iter()
            .map(|phase| PhaseOutline {
                id: phase.id.clone(),
                title: phase.title.clone(),
                downtime: phase.downtime,
                steps: phase
                    .steps
                    .iter()
                    .map(|step| StepOutline {
                        id: step.id.clone(),
                        title: step.title.clone(),
                        action: step.action,
                        done: self.state.status(&step.id).is_final(),
                    })
                    .collect(),
            })
            .collect()
    }
}

/// What a basis is made of.
struct BasisOrigin<'a> {
    plan: &'a Plan,
    runbook: PathBuf,
    vars_files: Vec<String>,
    given: BTreeMap<String, String>,
    started: Timestamp,
}

impl BasisOrigin<'_> {
    /// Hashes of secrets that are still the same are kept, since each is salted anew.
    fn basis(&self, hashes: &BTreeMap<String, String>) -> Result<Basis> {
        let mut secrets = BTreeMap::new();
        for (name, secret) in self.secrets() {
            let hash = match hashes.get(name) {
                Some(hash) if answer_hash::matches(hash, secret)? => hash.clone(),
                _ => answer_hash::hash(secret)?,
            };
            secrets.insert(name.to_owned(), hash);
        }
        let files: Vec<RunbookText> = self
            .plan
            .texts()
            .enumerate()
            .map(|(at, (name, text))| RunbookText {
                path: if at == 0 { self.runbook.display().to_string() } else { name.to_owned() },
                text: text.to_owned(),
            })
            .collect();
        let mut digest = blake3::Hasher::new();
        for file in &files {
            digest.update(&(file.path.len() as u64).to_le_bytes()).update(file.path.as_bytes());
            digest.update(&(file.text.len() as u64).to_le_bytes()).update(file.text.as_bytes());
        }
        Ok(Basis {
            files,
            digest: digest.finalize().to_hex().to_string(),
            started: self.started,
            environment: self.plan.known().environment,
            vars_files: self.vars_files.clone(),
            given: self.given.clone(),
            vars: self.plain_vars(),
            secrets,
            phases: self
                .plan
                .phases
                .iter()
                .map(|phase| PhaseMark {
                    id: phase.id.clone(),
                    title: phase.title.clone(),
                    downtime: phase.downtime,
                })
                .collect(),
            steps: self.step_marks(),
        })
    }

    fn step_marks(&self) -> Vec<StepMark> {
        self.plan
            .steps()
            .map(|step| StepMark {
                id: step.id.clone(),
                phase: step.phase.clone(),
                title: step.title.clone(),
                action: step.action.to_owned(),
                digest: step.digest.clone(),
            })
            .collect()
    }

    fn plain_vars(&self) -> BTreeMap<String, Json> {
        self.plan
            .values()
            .iter()
            .filter_map(|(name, value)| match value {
                Value::Plain(value) => Some((name.to_owned(), value.clone())),
                Value::Secret(_) => None,
            })
            .collect()
    }

    fn secrets(&self) -> impl Iterator<Item = (&str, &str)> {
        self.plan.values().iter().filter_map(|(name, value)| match value {
            Value::Plain(_) => None,
            Value::Secret(secret) => Some((name, secret.expose())),
        })
    }
}

/// The variables, and what the runbook reads of the environment, under the names that it uses for them.
fn with_environment(
    mut vars: BTreeMap<String, Json>,
    environment: &BTreeMap<String, String>,
) -> BTreeMap<String, Json> {
    vars.extend(environment.iter().map(|(name, value)| (format!("env.{name}"), Json::from(value.as_str()))));
    vars
}

/// Takes the secrets out of all that is free text in a record. Names, digests and hashes are never text of that kind.
fn clean(mut body: Body, redactor: &Redactor) -> Body {
    let text = |text: &mut String| *text = redactor.redact(text).into_owned();
    match &mut body {
        Body::StepDone { figures, debt, .. } => {
            figures.values_mut().for_each(|value| redactor.redact_json(value));
            debt.iter_mut().flat_map(|debt| &mut debt.errors).for_each(|error| text(&mut error.error));
        }
        Body::StepFailed { error, hints, errors, .. } => {
            text(error);
            hints.iter_mut().for_each(text);
            errors.iter_mut().for_each(|error| text(&mut error.error));
        }
        Body::StepSkipped { reason, .. } => text(reason),
        Body::Asked { prompt, .. } => {
            text(&mut prompt.ask);
            prompt.instructions.iter_mut().for_each(text);
        }
        Body::Answered { note, .. } => note.iter_mut().for_each(text),
        Body::DebtWaived { note, .. } => text(note),
        Body::RunStarted { .. }
        | Body::SessionStarted { .. }
        | Body::StepStarted { .. }
        | Body::StepInterrupted { .. }
        | Body::TargetClaimed { .. }
        | Body::PurgeStarted(_)
        | Body::QuarantineChanging { .. }
        | Body::QuarantineChanged { .. }
        | Body::ChangesAccepted { .. }
        | Body::RunFinished { .. } => {}
    }
    body
}

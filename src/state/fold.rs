//! Folds records into a [`RunState`]. Pure: the same records always give the same state.
//!
//! A journal that contradicts itself (a step done twice, or done without having been started; an answer to what was
//! not asked) is a [`Damage`]: nobody goes on from it. Records are checked before they change anything, so that a
//! refused one leaves the state as it was.

mod check;
mod debt;
mod quarantine;
#[cfg(test)]
mod tests;
mod unflushed;

use std::collections::BTreeMap;

use indexmap::IndexMap;
use jiff::Timestamp;
use serde_json::Value;

use super::line::{Damage, Fault};
use super::record::{
    Answer, Basis, Body, Debt, Deed, EvidenceFile, Found, How, PhaseMark, Prompt, Question, Record,
};
use crate::copy::account::Account;
use crate::copy::{FileError, Tally};

pub use debt::{Breadth, Looked, PassResult, clears};
pub use quarantine::{Quarantine, QuarantineDeed, Quarantined};
pub use unflushed::Unflushed;

/// All that a journal says of its run.
#[derive(Clone, Debug, PartialEq)]
pub struct RunState {
    pub run: String,
    pub format: u32,
    /// The version that began the run.
    pub movebook: String,
    pub host: String,
    pub user: String,
    pub started: Timestamp,
    /// What the run rests on now: that of the last accepted changes, else that of the start.
    pub basis: Basis,
    pub sessions: Vec<Session>,
    /// In the order of the plan; then those that only an earlier plan had.
    pub steps: IndexMap<String, StepState>,
    /// The latest answer to each checkpoint.
    pub answers: BTreeMap<String, Answered>,
    /// The latest answer to each question about a purge. None is left once something was brought back.
    pub purges: BTreeMap<String, PurgeAnswer>,
    pub quarantine: Quarantine,
    /// Targets that a person agreed to take over, by identity.
    pub adoptions: Vec<Adoption>,
    /// Targets that are this run's own, by path; the latest claim of each.
    pub targets: IndexMap<String, Target>,
    /// Debt that is neither cleared nor waived, by the step that made it.
    pub debt: IndexMap<String, Debt>,
    pub finished: Option<Finished>,
    /// When the last record was written.
    pub last: Timestamp,
    /// How many records were folded.
    pub records: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub at: Timestamp,
    pub host: String,
    pub user: String,
    pub pid: u32,
    pub movebook: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct StepState {
    /// The phase by the plan.
    pub phase: String,
    /// Whether the plan that the run rests on now still has the step.
    pub planned: Planned,
    pub status: Status,
    /// What the run waits for an answer to.
    pub open: Option<OpenQuestion>,
    /// The last answer since the step was last started, whatever was asked.
    pub answered: Option<Answered>,
    /// How often the step was started.
    pub attempts: u32,
    /// When it was first started.
    pub first_started: Option<Timestamp>,
    /// When it was done, skipped, interrupted or failed last.
    pub ended: Option<Timestamp>,
    /// Seconds of work, all attempts together.
    pub seconds: f64,
    /// What later templates see as `steps.STEP.FIELD`.
    pub figures: BTreeMap<String, Value>,
    /// The digest of what was started last.
    pub digest: Option<String>,
    /// What the step tolerated, cleared or not.
    pub debt: Option<Debt>,
    /// What it may have written without bringing it to the disk.
    pub unflushed: Option<Unflushed>,
    /// What its pass saw and did, once that was over.
    pub account: Option<Account>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Planned {
    Yes,
    /// Only an earlier plan had it.
    NoLonger,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Status {
    Pending,
    /// Under way, or it was when the process ended.
    Started {
        attempt: u32,
        at: Timestamp,
    },
    Done,
    Skipped {
        reason: String,
    },
    Failed {
        error: String,
        hints: Vec<String>,
        errors: Vec<FileError>,
        code: u8,
    },
    /// Stopped in an orderly way.
    Interrupted,
}

impl Status {
    /// Whether the run never comes back to the step.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Done | Self::Skipped { .. })
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct OpenQuestion {
    pub question: Question,
    pub prompt: Prompt,
    pub list: Vec<String>,
    pub at: Timestamp,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    pub question: Question,
    pub answer: Answer,
    pub at: Timestamp,
    pub by: String,
    pub host: String,
    pub how: How,
    pub note: Option<String>,
    pub evidence: Option<EvidenceFile>,
}

/// What a person said to the list of a purge.
#[derive(Clone, Debug, PartialEq)]
pub struct PurgeAnswer {
    /// The digest of the list.
    pub list: String,
    pub answer: Answer,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adoption {
    pub step: String,
    pub path: String,
    pub identity: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub identity: String,
    pub found: Found,
    pub at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Finished {
    pub at: Timestamp,
    pub seconds: f64,
}

/// The choice by which a person agrees to take a target over.
pub const ADOPT: &str = "adopt";

/// Folds a whole journal. No records at all are a contradiction: ask before whether there are any.
pub fn fold(records: &[Record]) -> Result<RunState, Damage> {
    let Some((first, rest)) = records.split_first() else {
        return Err(Damage { line: 1, fault: Fault::NoStart });
    };
    let mut state = RunState::begin(first)?;
    for record in rest {
        state.apply(record)?;
    }
    Ok(state)
}

impl RunState {
    /// The state after the first record.
    pub fn begin(record: &Record) -> Result<Self, Damage> {
        let Body::RunStarted { format, run, movebook, host, user, basis } = &record.body else {
            return Err(Damage { line: line_of(record), fault: Fault::NoStart });
        };
        let mut state = Self {
            run: run.clone(),
            format: *format,
            movebook: movebook.clone(),
            host: host.clone(),
            user: user.clone(),
            started: record.at,
            basis: basis.clone(),
            sessions: Vec::new(),
            steps: IndexMap::new(),
            answers: BTreeMap::new(),
            purges: BTreeMap::new(),
            quarantine: Quarantine::default(),
            adoptions: Vec::new(),
            targets: IndexMap::new(),
            debt: IndexMap::new(),
            finished: None,
            last: record.at,
            records: 1,
        };
        state.take_up(basis);
        Ok(state)
    }

    /// Takes one more record. One that contradicts what is known is refused, and changes nothing.
    pub fn apply(&mut self, record: &Record) -> Result<(), Damage> {
        self.check(&record.body).map_err(|fault| Damage { line: line_of(record), fault })?;
        self.change(record);
        self.last = record.at;
        self.records += 1;
        Ok(())
    }

    /// Takes over a record that [`RunState::check`] let through.
    fn change(&mut self, record: &Record) {
        let at = record.at;
        match &record.body {
            Body::RunStarted { .. } => {}
            Body::SessionStarted { host, user, pid, movebook } => self.sessions.push(Session {
                at,
                host: host.clone(),
                user: user.clone(),
                pid: *pid,
                movebook: movebook.clone(),
            }),
            Body::StepStarted { step, attempt, digest, continuity } => {
                self.quarantine.cut_off();
                let copies = self.basis.steps.iter().any(|mark| mark.id == *step && mark.action == "copy");
                self.with(step, |state| {
                    if copies {
                        state.unflushed =
                            Some(Unflushed::begun(state.unflushed.take(), at, continuity.clone()));
                    }
                    state.status = Status::Started { attempt: *attempt, at };
                    state.attempts += 1;
                    state.first_started.get_or_insert(at);
                    state.ended = None;
                    state.open = None;
                    state.answered = None;
                    state.digest = Some(digest.clone());
                    state.account = None;
                })
            }
            Body::StepDone { step, seconds, figures, debt, clears, account } => {
                self.end(step, at, *seconds, Status::Done);
                self.take_account(step, account.as_ref());
                self.with(step, |state| {
                    state.unflushed = None;
                    state.figures = figures.clone();
                    state.debt = debt.clone();
                });
                for cleared in clears {
                    self.debt.shift_remove(cleared);
                }
                if let Some(debt) = debt {
                    self.debt.insert(step.clone(), debt.clone());
                }
            }
            Body::StepFailed { step, seconds, error, hints, errors, code, account } => {
                self.take_account(step, account.as_ref());
                let status = Status::Failed {
                    error: error.clone(),
                    hints: hints.clone(),
                    errors: errors.clone(),
                    code: *code,
                };
                self.end(step, at, *seconds, status);
            }
            Body::StepSkipped { step, reason } => {
                self.end(step, at, 0.0, Status::Skipped { reason: reason.clone() });
            }
            Body::StepInterrupted { step, seconds } => self.end(step, at, *seconds, Status::Interrupted),
            Body::Asked { step, question, prompt, list } => self.with(step, |state| {
                // A purge is judged behind the pass, and the pass ends with a flush.
                if matches!(question, Question::Purge { .. }) {
                    state.unflushed = None;
                }
                state.open = Some(OpenQuestion {
                    question: question.clone(),
                    prompt: prompt.clone(),
                    list: list.clone(),
                    at,
                });
                if *question == Question::Checkpoint && state.status == Status::Done {
                    state.status = Status::Started { attempt: state.attempts, at };
                    state.ended = None;
                    state.answered = None;
                }
            }),
            Body::Answered { step, question, answer, by, host, how, note, evidence } => {
                let answered = Answered {
                    question: question.clone(),
                    answer: answer.clone(),
                    at,
                    by: by.clone(),
                    host: host.clone(),
                    how: *how,
                    note: note.clone(),
                    evidence: evidence.clone(),
                };
                self.answer(step, answered);
            }
            Body::TargetClaimed { path, identity, found } => {
                self.targets.insert(path.clone(), Target { identity: identity.clone(), found: *found, at });
            }
            Body::PurgeStarted(purge) => self.quarantine.open(purge, at),
            Body::QuarantineChanging { deed, by, files, bytes, .. } => {
                self.quarantine.begin(*deed, by, Tally { files: *files, bytes: *bytes }, at);
                // Whoever brings a file back takes back what was agreed to: the next purge asks again.
                if *deed == Deed::Restore {
                    self.purges.clear();
                }
            }
            Body::QuarantineChanged { files, bytes, left, .. } => {
                self.quarantine.end(Tally { files: *files, bytes: *bytes }, *left);
            }
            Body::DebtWaived { step, .. } => {
                self.debt.shift_remove(step);
                self.with(step, |state| {
                    if matches!(&state.open, Some(OpenQuestion { question: Question::Debt { .. }, .. })) {
                        state.open = None;
                    }
                });
            }
            Body::ChangesAccepted { basis, .. } => {
                self.basis = basis.clone();
                self.take_up(basis);
            }
            Body::RunFinished { seconds } => self.finished = Some(Finished { at, seconds: *seconds }),
        }
    }

    fn answer(&mut self, step: &str, answered: Answered) {
        match &answered.question {
            Question::Checkpoint => {
                self.answers.insert(step.to_string(), answered.clone());
            }
            Question::Purge { list, .. } => {
                let answer = PurgeAnswer { list: list.clone(), answer: answered.answer.clone() };
                self.purges.insert(step.to_string(), answer);
            }
            Question::Adopt { path, identity, .. } if answered.answer == Answer::Choice(ADOPT.to_owned()) => {
                self.adoptions.push(Adoption {
                    step: step.to_string(),
                    path: path.clone(),
                    identity: identity.clone(),
                });
            }
            Question::Adopt { .. } | Question::Unknown | Question::Debt { .. } => {}
        }
        self.with(step, |state| {
            state.open = None;
            state.answered = Some(answered);
        });
    }

    fn end(&mut self, step: &str, at: Timestamp, seconds: f64, status: Status) {
        self.with(step, |state| {
            state.status = status;
            state.seconds += seconds;
            state.ended = Some(at);
            state.open = None;
        });
    }

    fn with(&mut self, step: &str, change: impl FnOnce(&mut StepState)) {
        if let Some(state) = self.steps.get_mut(step) {
            change(state);
        }
    }

    /// Brings the steps into the order of a plan; what is known of them stays.
    fn take_up(&mut self, basis: &Basis) {
        let mut before = std::mem::take(&mut self.steps);
        for mark in &basis.steps {
            let mut state = before.shift_remove(&mark.id).unwrap_or_else(|| StepState::pending(&mark.phase));
            state.phase.clone_from(&mark.phase);
            state.planned = Planned::Yes;
            self.steps.insert(mark.id.clone(), state);
        }
        for (id, mut state) in before {
            state.planned = Planned::NoLonger;
            self.steps.insert(id, state);
        }
    }
}

/// Questions that the runner and the reports put to a state.
impl RunState {
    /// What a step's status is; a step that the journal does not know is pending.
    pub fn status(&self, step: &str) -> &Status {
        self.steps.get(step).map_or(&Status::Pending, |state| &state.status)
    }

    /// The first step that waits for an answer, and what it asks.
    pub fn waiting(&self) -> Option<(&str, &OpenQuestion)> {
        self.steps.iter().find_map(|(id, state)| Some((id.as_str(), state.open.as_ref()?)))
    }

    /// Answers as templates see them under `answers.STEP`. A secret one is never among them.
    pub fn visible_answers(&self) -> BTreeMap<String, String> {
        self.answers
            .iter()
            .filter_map(|(step, answered)| Some((step.clone(), answered.answer.visible()?.to_owned())))
            .collect()
    }

    /// What a person said to exactly this list of a purge.
    pub fn said_of_purge(&self, step: &str, list: &str) -> Option<&Answer> {
        self.purges.get(step).filter(|said| said.list == list).map(|said| &said.answer)
    }

    /// Whether a person agreed to take this target over.
    pub fn adoption_agreed(&self, identity: &str) -> bool {
        self.adoptions.iter().any(|adoption| adoption.identity == identity)
    }

    /// Whether the target with this identity is this run's own.
    pub fn owns(&self, identity: &str) -> bool {
        self.targets.values().any(|target| target.identity == identity)
    }

    /// Seconds from the start of the run to its end, or to `now`.
    pub fn total_seconds(&self, now: Timestamp) -> f64 {
        seconds_between(self.started, self.finished.map_or(now, |finished| finished.at))
    }

    /// Seconds of downtime: from the first start of a step in phases marked so to the end of their last step, or to
    /// `now` while one is left. Phases of downtime that follow each other are one; `None` before the first began.
    pub fn downtime_seconds(&self, now: Timestamp) -> Option<f64> {
        self.basis
            .phases
            .chunk_by(|one, next| one.downtime == next.downtime)
            .filter(|phases| phases[0].downtime)
            .filter_map(|phases| self.seconds_of(phases, now))
            .reduce(|sum, seconds| sum + seconds)
    }

    fn seconds_of(&self, phases: &[PhaseMark], now: Timestamp) -> Option<f64> {
        let steps = || self.steps.values().filter(|step| phases.iter().any(|phase| phase.id == step.phase));
        let first = steps().filter_map(|step| step.first_started).min()?;
        let over = steps().all(|step| step.planned == Planned::NoLonger || step.status.is_final());
        let last = if over { steps().filter_map(|step| step.ended).max() } else { None };
        Some(seconds_between(first, last.unwrap_or(now)))
    }
}

impl StepState {
    fn pending(phase: &str) -> Self {
        Self {
            phase: phase.to_string(),
            planned: Planned::Yes,
            status: Status::Pending,
            open: None,
            answered: None,
            attempts: 0,
            first_started: None,
            ended: None,
            seconds: 0.0,
            figures: BTreeMap::new(),
            digest: None,
            debt: None,
            unflushed: None,
            account: None,
        }
    }
}

fn line_of(record: &Record) -> usize {
    usize::try_from(record.seq).unwrap_or(usize::MAX).saturating_add(1)
}

/// Never negative: a clock may have been set back.
fn seconds_between(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64().max(0.0)
}

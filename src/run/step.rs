//! The step loop: which step is next, what became of it, and whether the run goes on.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::outcome::{ActionWatch, Failure, Figures};
use super::question::Unanswered;
use super::session::{Ended, Session};
use super::{check, command, service, wait};
use crate::copy::FileError;
use crate::error::{Error, ExitCode, Result};
use crate::event::{Event, LeftBy, Outcome};
use crate::plan::{self, Action, Condition, PlannedPhase, PlannedStep};
use crate::rclone::remote::Remote;
use crate::runbook::Problems;
use crate::state::record::{Body, Debt};

/// Whether the run goes on behind a step.
pub(super) enum Flow {
    Next,
    Stop(Ended),
}

/// How one attempt at a step ended.
pub(super) enum Performed {
    Done(Done),
    Failed {
        failure: Failure,
        errors: Vec<FileError>,
    },
    /// A question came up that has no answer yet, or that was refused by Ctrl-C.
    Unanswered(Unanswered),
}

/// What a finished step leaves behind.
pub(super) struct Done {
    pub(super) figures: Figures,
    pub(super) debt: Option<Debt>,
    pub(super) clears: Vec<String>,
}

impl From<Figures> for Done {
    fn from(figures: Figures) -> Self {
        Self { figures, debt: None, clears: Vec::new() }
    }
}

impl From<Failure> for Performed {
    fn from(failure: Failure) -> Self {
        Self::Failed { failure, errors: Vec::new() }
    }
}

pub(super) const INTERRUPTED: Ended = Ended { outcome: Outcome::Interrupted, code: ExitCode::Interrupted };

impl Session<'_> {
    /// Goes through the plan from its first step that is not done to its end, or to what stops it.
    pub(super) fn walk(&mut self) -> Result<Ended> {
        let plan = self.plan;
        let (phases, steps) = (plan.phases.len(), plan.steps().count());
        let mut number = 0;
        for (at, phase) in plan.phases.iter().enumerate() {
            let mut announced = false;
            for step in &phase.steps {
                number += 1;
                if self.state.status(&step.id).is_final() {
                    continue;
                }
                if self.cancel.is_requested() {
                    return Ok(INTERRUPTED);
                }
                if !announced && self.may_take_place(&phase.condition) {
                    announced = true;
                    if let Flow::Stop(ended) = self.ask_expired_again(at)? {
                        return Ok(ended);
                    }
                    self.stage.show(&Event::PhaseStarted {
                        phase: phase.id.clone(),
                        title: phase.title.clone(),
                        downtime: phase.downtime,
                        number: at + 1,
                        of: phases,
                    });
                }
                if let Flow::Stop(ended) = self.step(phase, step, Position { number, of: steps })? {
                    return Ok(ended);
                }
            }
        }
        if let Flow::Stop(ended) = self.settle_debt()? {
            return Ok(ended);
        }
        let seconds = self.state.total_seconds(Timestamp::now());
        self.append(Body::RunFinished { seconds })?;
        Ok(Ended { outcome: Outcome::Done, code: ExitCode::Done })
    }

    /// Whether a phase is not sure to be skipped; what cannot be decided is told by its first step.
    fn may_take_place(&self, condition: &Condition) -> bool {
        plan::decide(self.plan, condition, &self.known()).unwrap_or(true)
    }

    fn step(&mut self, phase: &PlannedPhase, step: &PlannedStep, position: Position) -> Result<Flow> {
        let known = self.known();
        for condition in [&phase.condition, &step.condition] {
            match plan::decide(self.plan, condition, &known) {
                Ok(true) => {}
                Ok(false) => return self.skip(step, condition),
                Err(problems) => return self.cannot_render(step, &problems),
            }
        }
        let action = match plan::complete(self.plan, step, &known) {
            Ok(action) => action,
            Err(problems) => return self.cannot_render(step, &problems),
        };
        if let Some(flow) = self.settle_unknown(step, &action)? {
            return Ok(flow);
        }
        match &action {
            Action::Checkpoint(checkpoint) => self.checkpoint(step, checkpoint, position),
            action => self.attempts(step, action, position),
        }
    }

    fn skip(&mut self, step: &PlannedStep, condition: &Condition) -> Result<Flow> {
        let reason = match condition {
            Condition::Never { when } | Condition::Late { when, .. } => {
                format!("its condition `{when}` does not hold")
            }
            Condition::Always => "its condition is false".to_owned(),
        };
        self.append(Body::StepSkipped { step: step.id.clone(), reason: reason.clone() })?;
        self.stage.show(&Event::StepSkipped { step: step.id.clone(), reason });
        Ok(Flow::Next)
    }

    /// A value that became known does not fit its place.
    fn cannot_render(&mut self, step: &PlannedStep, problems: &Problems) -> Result<Flow> {
        let error =
            problems.diagnostics.iter().map(|problem| problem.message.clone()).collect::<Vec<_>>().join("; ");
        let hints = problems.diagnostics.iter().filter_map(|problem| problem.help.clone()).collect();
        let failure = Failure::Failed { error, hints };
        self.failed(step, failure, Vec::new(), Duration::ZERO)
    }

    fn attempts(&mut self, step: &PlannedStep, action: &Action, position: Position) -> Result<Flow> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let begun = Instant::now();
            self.start_on(step, attempt, position, continuity_of(action))?;
            let (failure, errors) = match self.perform(step, action)? {
                Performed::Done(done) => {
                    self.done(step, done, begun.elapsed())?;
                    return Ok(Flow::Next);
                }
                Performed::Unanswered(unanswered) => return Ok(Flow::Stop(unanswered.into())),
                Performed::Failed { failure, errors } => (failure, errors),
            };
            let error = match &failure {
                Failure::Failed { error, .. } if attempt < step.retry.attempts => error.clone(),
                _ => return self.failed(step, failure, errors, begun.elapsed()),
            };
            // Each failed attempt is in the journal, since it may have changed something.
            self.record_failure(step, &failure, errors, begun.elapsed())?;
            self.stage.show(&Event::StepRetry {
                step: step.id.clone(),
                attempt,
                attempts: step.retry.attempts,
                wait: step.retry.wait.as_secs_f64(),
                error,
            });
            if self.pause(step.retry.wait).is_err() {
                return Ok(Flow::Stop(INTERRUPTED));
            }
        }
    }

    pub(super) fn start(&mut self, step: &PlannedStep, attempt: u32, position: Position) -> Result<()> {
        self.start_on(step, attempt, position, None)
    }

    fn start_on(
        &mut self,
        step: &PlannedStep,
        attempt: u32,
        position: Position,
        continuity: Option<String>,
    ) -> Result<()> {
        let (id, digest) = (step.id.clone(), step.digest.clone());
        self.append(Body::StepStarted { step: id, attempt, digest, continuity })?;
        self.show_started(step, attempt, position);
        Ok(())
    }

    pub(super) fn show_started(&self, step: &PlannedStep, attempt: u32, position: Position) {
        self.stage.show(&Event::StepStarted {
            step: step.id.clone(),
            title: step.title.clone(),
            action: step.action,
            number: position.number,
            of: position.of,
            attempt,
            attempts: step.retry.attempts,
        });
    }

    fn perform(&mut self, step: &PlannedStep, action: &Action) -> Result<Performed> {
        let begun = Instant::now();
        let (stage, redactor) = (&self.stage, &self.redactor);
        let last = Mutex::new(None);
        let progress = |doing: &'static str, left: Option<Duration>| {
            if !is_news(&last, doing) {
                return;
            }
            stage.show(&Event::StepProgress {
                step: step.id.clone(),
                doing,
                progress: crate::copy::Progress::default(),
                seconds: begun.elapsed().as_secs_f64(),
                rate: 0.0,
                expected: None,
                left_by: left.map(|_| LeftBy::Listing),
                left: left.map(|left| left.as_secs_f64()),
            });
        };
        let watch = ActionWatch {
            cancel: self.cancel,
            progress: &progress,
            redact: &|text| redactor.redact(text).into_owned(),
        };
        let ended = match action {
            Action::Copy(action) => return self.copy(step, action),
            Action::Verify(action) => return Ok(self.verify(step, action)),
            Action::Checkpoint(_) => return Err(internal("a checkpoint is asked, not performed")),
            Action::Service(action) => service::perform(action, &watch),
            Action::Check(checks) => check::perform(checks, &watch),
            Action::Wait(action) => wait::perform(action, self.begun_at(step), &watch),
            Action::Command(action) => match plan::secret_argument(action, |text| redactor.finds(text)) {
                Some(place) => Err(Failure::refused(format!(
                    "`{place}` holds a secret, which everyone who can list processes would see"
                ))
                .hint("give it by `environment:` or `input:`")),
                None => command::perform(action, &watch),
            },
        };
        Ok(match ended {
            Ok(figures) => Performed::Done(figures.into()),
            Err(failure) => failure.into(),
        })
    }

    /// When a step was begun first, also by an earlier process.
    fn begun_at(&self, step: &PlannedStep) -> Timestamp {
        self.state.steps.get(&step.id).and_then(|state| state.first_started).unwrap_or_else(Timestamp::now)
    }

    pub(super) fn done(&mut self, step: &PlannedStep, done: Done, took: Duration) -> Result<()> {
        let Done { mut figures, debt, clears } = done;
        let seconds = took.as_secs_f64();
        figures.insert("seconds".to_owned(), seconds.into());
        let owed = debt.as_ref().map_or(0, |debt| debt.files);
        let account = self.account.take();
        self.append(Body::StepDone {
            step: step.id.clone(),
            seconds,
            figures: figures.clone(),
            debt,
            clears,
            account,
        })?;
        self.stage.show(&Event::StepDone {
            step: step.id.clone(),
            action: step.action,
            seconds,
            figures,
            debt: owed,
        });
        Ok(())
    }

    fn failed(
        &mut self,
        step: &PlannedStep,
        failure: Failure,
        errors: Vec<FileError>,
        took: Duration,
    ) -> Result<Flow> {
        self.record_failure(step, &failure, errors.clone(), took)?;
        let (error, hints, ended) = match failure {
            Failure::Interrupted => {
                self.stage.show(&Event::StepInterrupted { step: step.id.clone() });
                return Ok(Flow::Stop(INTERRUPTED));
            }
            Failure::Failed { error, hints } => {
                (error, hints, Ended { outcome: Outcome::Failed, code: ExitCode::StepFailed })
            }
            Failure::Refused { reason, hints } => {
                (reason, hints, Ended { outcome: Outcome::Refused, code: ExitCode::Refused })
            }
        };
        let seconds = took.as_secs_f64();
        self.stage.show(&Event::StepFailed { step: step.id.clone(), seconds, error, hints, errors });
        Ok(Flow::Stop(ended))
    }

    fn record_failure(
        &mut self,
        step: &PlannedStep,
        failure: &Failure,
        errors: Vec<FileError>,
        took: Duration,
    ) -> Result<()> {
        let (step, seconds, account) = (step.id.clone(), took.as_secs_f64(), self.account.take());
        self.append(match failure.clone() {
            Failure::Interrupted => Body::StepInterrupted { step, seconds },
            Failure::Failed { error, hints } => {
                let code = ExitCode::StepFailed.number();
                Body::StepFailed { step, seconds, error, hints, errors, code, account }
            }
            Failure::Refused { reason, hints } => Body::StepFailed {
                step,
                seconds,
                error: reason,
                hints,
                errors,
                code: ExitCode::Refused.number(),
                account,
            },
        })
    }

    fn pause(&self, duration: Duration) -> Result<(), Failure> {
        let watch =
            ActionWatch { cancel: self.cancel, progress: &|_, _| {}, redact: &|text| text.to_owned() };
        watch.pause(duration)
    }
}

/// Where a step stands among all.
#[derive(Clone, Copy)]
pub(super) struct Position {
    number: usize,
    of: usize,
}

/// Whether progress is worth an event: something else is being done, or a second has gone by.
fn is_news(last: &Mutex<Option<(&'static str, Instant)>>, doing: &'static str) -> bool {
    let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
    let old = last.is_some_and(|(before, at)| before == doing && at.elapsed() < Duration::from_secs(1));
    if !old {
        *last = Some((doing, Instant::now()));
    }
    !old
}

/// By what a later start tells whether the target's volume has kept all that this one wrote.
fn continuity_of(action: &Action) -> Option<String> {
    match action {
        // What became of a remote's volume is known to nobody here.
        Action::Copy(copy) if Remote::at(&copy.to).is_none() => crate::sys::volume::continuity(&copy.to),
        _ => None,
    }
}

fn internal(what: &str) -> Error {
    Error::new(ExitCode::StepFailed, what).hint("this is a mistake of movebook itself; please report it")
}

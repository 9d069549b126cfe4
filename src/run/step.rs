//! The step loop: which step is next, what became of it, and whether the run goes on.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::answer::{self, Accepted};
use super::operator::{Ask, GivenAnswer, Reply};
use super::outcome::{ActionWatch, Failure, Figures};
use super::session::{Consent, Ended, Session};
use super::{check, command, service, wait};
use crate::copy::FileError;
use crate::error::{Error, ExitCode, Result};
use crate::event::{Event, Outcome};
use crate::plan::{
    self, Action, AnswerKind, CheckpointAction, Condition, Evidence, OnInterrupt, Plan, PlannedPhase,
    PlannedStep,
};
use crate::runbook::Problems;
use crate::secret::Redactor;
use crate::state::fold::{RunState, Status};
use crate::state::record::{Answer, Body, Debt, How, Prompt, Question};

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

/// What came back from asking.
pub(super) enum Heard {
    Answer(Answer),
    None(Unanswered),
}

#[derive(Clone, Copy)]
pub(super) enum Unanswered {
    Waiting,
    Interrupted,
}

impl From<Unanswered> for Ended {
    fn from(unanswered: Unanswered) -> Self {
        match unanswered {
            Unanswered::Waiting => Ended { outcome: Outcome::Waiting, code: ExitCode::Waiting },
            Unanswered::Interrupted => INTERRUPTED,
        }
    }
}

const INTERRUPTED: Ended = Ended { outcome: Outcome::Interrupted, code: ExitCode::Interrupted };

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
            self.start(step, attempt, position)?;
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

    fn start(&mut self, step: &PlannedStep, attempt: u32, position: Position) -> Result<()> {
        self.append(Body::StepStarted { step: step.id.clone(), attempt, digest: step.digest.clone() })?;
        self.show_started(step, attempt, position);
        Ok(())
    }

    fn show_started(&self, step: &PlannedStep, attempt: u32, position: Position) {
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

    fn done(&mut self, step: &PlannedStep, done: Done, took: Duration) -> Result<()> {
        let Done { mut figures, debt, clears } = done;
        let seconds = took.as_secs_f64();
        figures.insert("seconds".to_owned(), seconds.into());
        let owed = debt.as_ref().map_or(0, |debt| debt.files);
        self.append(Body::StepDone {
            step: step.id.clone(),
            seconds,
            figures: figures.clone(),
            debt,
            clears,
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
        let (step, seconds) = (step.id.clone(), took.as_secs_f64());
        self.append(match failure.clone() {
            Failure::Interrupted => Body::StepInterrupted { step, seconds },
            Failure::Failed { error, hints } => {
                Body::StepFailed { step, seconds, error, hints, errors, code: ExitCode::StepFailed.number() }
            }
            Failure::Refused { reason, hints } => Body::StepFailed {
                step,
                seconds,
                error: reason,
                hints,
                errors,
                code: ExitCode::Refused.number(),
            },
        })
    }

    /// A command that was under way when the process ended, or that Ctrl-C stopped, may have done its work or not: a
    /// person decides.
    fn settle_unknown(&mut self, step: &PlannedStep, action: &Action) -> Result<Option<Flow>> {
        let interrupted = matches!(self.state.status(&step.id), Status::Started { .. } | Status::Interrupted);
        if !interrupted || !matches!(action, Action::Command(_)) || step.on_interrupt == OnInterrupt::Retry {
            return Ok(None);
        }
        let answer = match self.answer_so_far(&step.id, &Question::Unknown) {
            Some(answer) => answer,
            None => {
                let prompt = choice_prompt(
                    format!(
                        "The command of step {} was under way when the program ended. What now?",
                        step.id
                    ),
                    "Look at what the command does, and whether it was done: movebook cannot know.",
                    [("again", "run the command again"), ("done", "take it as done and go on behind it")],
                    Evidence::None,
                );
                let question = Question::Unknown;
                match self.ask(Asking {
                    step: &step.id,
                    title: &step.title,
                    question,
                    prompt,
                    list: Vec::new(),
                })? {
                    Heard::Answer(answer) => answer,
                    Heard::None(unanswered) => return Ok(Some(Flow::Stop(unanswered.into()))),
                }
            }
        };
        if answer == Answer::Choice("again".to_owned()) {
            return Ok(None);
        }
        let figures = Figures::from([("taken_as_done".to_owned(), true.into())]);
        self.done(step, figures.into(), Duration::ZERO)?;
        Ok(Some(Flow::Next))
    }

    fn checkpoint(
        &mut self,
        step: &PlannedStep,
        action: &CheckpointAction,
        position: Position,
    ) -> Result<Flow> {
        let begun = Instant::now();
        // An answer counts for the checkpoint as it reads now: one that was begun with other words begins anew.
        let as_begun =
            self.state.steps.get(&step.id).is_some_and(|state| state.digest.as_ref() == Some(&step.digest));
        match self.state.status(&step.id) {
            Status::Started { .. } if as_begun => self.show_started(step, 1, position),
            _ => self.start(step, 1, position)?,
        }
        if self.answer_so_far(&step.id, &Question::Checkpoint).is_none() {
            let asking = Asking {
                step: &step.id,
                title: &step.title,
                question: Question::Checkpoint,
                prompt: self.prompt(step, action),
                list: Vec::new(),
            };
            if let Heard::None(unanswered) = self.ask(asking)? {
                return Ok(Flow::Stop(unanswered.into()));
            }
        }
        self.done(step, Figures::new().into(), begun.elapsed())?;
        Ok(Flow::Next)
    }

    /// What a checkpoint asks. Where the checkpoint that an answer must repeat was skipped there is nothing to compare with.
    fn prompt(&self, step: &PlannedStep, action: &CheckpointAction) -> Prompt {
        let mut prompt = Prompt {
            ask: action.ask.clone(),
            instructions: action.instructions.clone(),
            answer: action.answer.clone(),
            evidence: action.evidence,
            same_as: action.same_as.clone(),
        };
        if let Some(other) = &action.same_as
            && matches!(self.state.status(other), Status::Skipped { .. })
        {
            self.warn(
                Some(&step.id),
                format!("{other} was skipped, so that this answer is compared with nothing"),
            );
            prompt.same_as = None;
        }
        prompt
    }

    /// In front of a phase, checkpoints of earlier phases whose answers have expired are asked again.
    fn ask_expired_again(&mut self, phase: usize) -> Result<Flow> {
        let plan = self.plan;
        let now = Timestamp::now();
        let known = self.known();
        let earlier = plan.phases[..phase].iter().flat_map(|phase| &phase.steps);
        for step in earlier.filter(|step| step.action == "checkpoint") {
            let Some(answered) = self.state.answers.get(&step.id) else { continue };
            let age = now.duration_since(answered.at).unsigned_abs();
            let Ok(Action::Checkpoint(action)) = plan::complete(plan, step, &known) else { continue };
            let Some(expires) = action.expires.filter(|expires| age > *expires) else { continue };
            if *self.state.status(&step.id) != Status::Done {
                continue;
            }
            let message = format!(
                "the answer to {} is {} old and counts for {} only: it is asked again",
                step.id,
                crate::values::written(Duration::from_secs(age.as_secs())),
                crate::values::written(expires),
            );
            self.warn(Some(&step.id), message);
            let asking = Asking {
                step: &step.id,
                title: &step.title,
                question: Question::Checkpoint,
                prompt: self.prompt(step, &action),
                list: Vec::new(),
            };
            let begun = Instant::now();
            match self.ask(asking)? {
                Heard::Answer(_) => self.done(step, Figures::new().into(), begun.elapsed())?,
                Heard::None(unanswered) => return Ok(Flow::Stop(unanswered.into())),
            }
        }
        Ok(Flow::Next)
    }

    /// The answer that the journal has to this question since the step was last started.
    pub(super) fn answer_so_far(&self, step: &str, question: &Question) -> Option<Answer> {
        let answered = self.state.steps.get(step)?.answered.as_ref()?;
        (answered.question == *question).then(|| answered.answer.clone())
    }

    /// Asks, and writes question and answer down.
    pub(super) fn ask(&mut self, asking: Asking<'_>) -> Result<Heard> {
        let Asking { step, title, question, mut prompt, list } = asking;
        redact(&mut prompt, &self.redactor);
        let open = self.state.steps.get(step).and_then(|state| state.open.as_ref());
        if open.is_none_or(|open| open.question != question || open.prompt != prompt) {
            self.append(Body::Asked {
                step: step.to_owned(),
                question: question.clone(),
                prompt: prompt.clone(),
                list: list.clone(),
            })?;
        }
        let plain = question == Question::Checkpoint;
        let mut objection: Option<String> = None;
        if plain && let Some(given) = self.answers.remove(step) {
            match self.judged(&prompt, given) {
                Ok(accepted) => return self.answered(step, question, accepted, How::Ahead),
                Err(wrong) => {
                    self.warn(Some(step), format!("the answer given ahead does not fit: {wrong}"));
                    objection = Some(wrong.to_string());
                }
            }
        } else if plain
            && self.consent == Consent::Yes
            && prompt.answer == AnswerKind::Confirm
            && prompt.evidence == Evidence::None
        {
            let accepted = Accepted { answer: Answer::Confirmed, note: None, evidence: None };
            return self.answered(step, question, accepted, How::Yes);
        }
        self.stage.show(&Event::Waiting {
            step: step.to_owned(),
            question: question.clone(),
            prompt: prompt.clone(),
            list,
            here: self.operator.presence(),
        });
        loop {
            let ask =
                Ask { step, title, question: &question, prompt: &prompt, objection: objection.as_deref() };
            let given = match self.operator.ask(&ask) {
                Reply::Given(given) => given,
                Reply::NotYet | Reply::Nobody => return Ok(Heard::None(Unanswered::Waiting)),
                Reply::Interrupted => return Ok(Heard::None(Unanswered::Interrupted)),
            };
            match self.judged(&prompt, given) {
                Ok(accepted) => return self.answered(step, question, accepted, How::Terminal),
                Err(wrong) => objection = Some(wrong.to_string()),
            }
        }
    }

    fn judged(&self, prompt: &Prompt, given: GivenAnswer) -> Result<Accepted, answer::Objection> {
        let answers = &self.state.answers;
        answer::judge(prompt, given, &self.redactor, |step| answers.get(step).map(|kept| kept.answer.clone()))
    }

    fn answered(&mut self, step: &str, question: Question, accepted: Accepted, how: How) -> Result<Heard> {
        let Accepted { answer, note, evidence } = accepted;
        self.append(Body::Answered {
            step: step.to_owned(),
            question,
            answer: answer.clone(),
            by: self.who.user.clone(),
            host: self.who.host.clone(),
            how,
            note,
            evidence,
        })?;
        let shown = answer.visible().unwrap_or(crate::secret::MASK).to_owned();
        let by = match how {
            How::Yes => "--yes".to_owned(),
            How::Ahead => "--answer".to_owned(),
            How::Terminal | How::Approve => self.who.user.clone(),
        };
        self.stage.show(&Event::Answered { step: step.to_owned(), answer: shown, by });
        Ok(Heard::Answer(answer))
    }

    fn pause(&self, duration: Duration) -> Result<(), Failure> {
        let watch =
            ActionWatch { cancel: self.cancel, progress: &|_, _| {}, redact: &|text| text.to_owned() };
        watch.pause(duration)
    }
}

/// With `--yes`, what only a person can answer is refused before anything begins.
pub(super) fn refuse_unanswerable(
    plan: &Plan,
    state: Option<&RunState>,
    answers: &BTreeMap<String, GivenAnswer>,
) -> Result<()> {
    let is_open = |step: &&PlannedStep| {
        let Some(state) = state else { return true };
        let answered = state.steps.get(&step.id).is_some_and(|step| step.answered.is_some());
        !state.status(&step.id).is_final() && !answered
    };
    let unanswerable: Vec<&str> = plan
        .phases
        .iter()
        .filter(|phase| matches!(phase.condition, Condition::Always))
        .flat_map(|phase| &phase.steps)
        .filter(|step| matches!(step.condition, Condition::Always))
        .filter(is_open)
        .filter(|step| !answers.contains_key(&step.id) && wants_a_person(step))
        .map(|step| step.id.as_str())
        .collect();
    if unanswerable.is_empty() {
        return Ok(());
    }
    let message = format!(
        "--yes answers plain confirmations only, and these checkpoints ask for more: {}",
        unanswerable.join(", ")
    );
    Err(Error::new(ExitCode::Usage, message)
        .hint("give their answers ahead (`--answer STEP=VALUE`, for secrets `--answer-file STEP=FILE`), or run without --yes"))
}

/// Something to be asked.
pub(super) struct Asking<'a> {
    pub(super) step: &'a str,
    pub(super) title: &'a str,
    pub(super) question: Question,
    pub(super) prompt: Prompt,
    /// What the question is about, name by name.
    pub(super) list: Vec<String>,
}

/// Takes the secrets out of all that a prompt shows: it goes to the journal, to events and to the terminal.
fn redact(prompt: &mut Prompt, redactor: &Redactor) {
    let clean = |text: &mut String| *text = redactor.redact(text).into_owned();
    clean(&mut prompt.ask);
    prompt.instructions.iter_mut().for_each(clean);
    if let AnswerKind::Choice(choices) = &mut prompt.answer {
        choices.values_mut().for_each(clean);
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

/// Whether `--yes` cannot complete a step.
fn wants_a_person(step: &PlannedStep) -> bool {
    // Only a checkpoint's texts can be late; the kind of its answer is always in the detail.
    step.action == "checkpoint" && (step.detail["answer"] != "confirm" || step.detail["evidence"] != "none")
}

/// A question of the program itself, with choices.
pub(super) fn choice_prompt<const N: usize>(
    ask: String,
    instructions: &str,
    choices: [(&str, &str); N],
    evidence: Evidence,
) -> Prompt {
    let choices = choices.into_iter().map(|(key, means)| (key.to_owned(), means.to_owned())).collect();
    Prompt {
        ask,
        instructions: Some(instructions.to_owned()),
        answer: AnswerKind::Choice(choices),
        evidence,
        same_as: None,
    }
}

fn internal(what: &str) -> Error {
    Error::new(ExitCode::StepFailed, what).hint("this is a mistake of movebook itself; please report it")
}

//! What a run stops to ask: checkpoints, commands whose end nobody knows, and whatever else a step brings up.
//!
//! Question and answer are in the journal before anything follows from them, and what was answered is not asked again.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::answer::{self, Accepted};
use super::operator::{Ask, GivenAnswer, Reply};
use super::outcome::Figures;
use super::session::{Consent, Ended, Session};
use super::step::{Flow, INTERRUPTED, Position};
use crate::error::{Error, ExitCode, Result};
use crate::event::{Event, Outcome};
use crate::plan::{
    self, Action, AnswerKind, CheckpointAction, Condition, Evidence, OnInterrupt, Plan, PlannedStep,
};
use crate::secret::Redactor;
use crate::state::fold::{RunState, Status};
use crate::state::record::{Answer, Body, How, Prompt, Question};

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
impl Session<'_> {
    /// A command that was under way when the process ended, or that Ctrl-C stopped, may have done its work or not: a
    /// person decides.
    pub(super) fn settle_unknown(&mut self, step: &PlannedStep, action: &Action) -> Result<Option<Flow>> {
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

    pub(super) fn checkpoint(
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
    pub(super) fn ask_expired_again(&mut self, phase: usize) -> Result<Flow> {
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

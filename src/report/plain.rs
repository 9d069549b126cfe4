//! Events as plain lines, one an event: for logs, scheduled tasks and everything that is no terminal.
//!
//! Progress is told every ten seconds only: a night's log stays readable.

use std::time::{Duration, Instant};

use super::out::Out;
use super::{progress, words};
use crate::event::{Event, Outcome, Sink};
use crate::plan::AnswerKind;

const PROGRESS: Duration = Duration::from_secs(10);

pub struct PlainLines {
    out: Out,
    last_progress: Instant,
}

impl PlainLines {
    pub fn new(out: Out) -> Self {
        Self { out, last_progress: Instant::now() }
    }

    fn lines(&mut self, event: &Event) -> Vec<String> {
        match event {
            Event::StepProgress { .. } if self.last_progress.elapsed() < PROGRESS => return Vec::new(),
            Event::StepProgress { .. } | Event::StepStarted { .. } => self.last_progress = Instant::now(),
            _ => {}
        }
        lines(event)
    }
}

impl Sink for PlainLines {
    fn event(&mut self, event: &Event) {
        let now = jiff::ZonedDateTime::now().strftime("%H:%M:%S").to_string();
        for line in self.lines(event) {
            self.out.line(&format!("{now}  {line}"));
        }
    }
}

/// What an event says, without colour and without a bar; no line for what says nothing.
pub(super) fn lines(event: &Event) -> Vec<String> {
    match event {
        Event::RunStarted { run, name, title, state_file, done, resumed, phases } => {
            let steps: usize = phases.iter().map(|phase| phase.steps.len()).sum();
            let how = if *resumed {
                format!("goes on, {done} of {steps} steps are done")
            } else {
                words::counted(steps as u64, "step", "steps")
            };
            vec![
                format!("{} ({name}): {how}", words::name(title)),
                format!("run {run}, state file {}", words::name(state_file)),
            ]
        }
        Event::PhaseStarted { title, downtime, number, of, .. } => {
            let mark = if *downtime { ", downtime begins" } else { "" };
            vec![format!("phase {number} of {of}: {}{mark}", words::name(title))]
        }
        Event::StepStarted { step, action, number, of, attempt, attempts, .. } => {
            let again =
                if *attempts > 1 { format!(", attempt {attempt} of {attempts}") } else { String::new() };
            vec![format!("{step}: {action} begins (step {number} of {of}{again})")]
        }
        Event::StepProgress { step, .. } => vec![format!("{step}: {}", progress::line(event))],
        Event::StepDone { step, action, seconds, figures, debt } => {
            let mut lines = vec![format!(
                "{step}: done in {}{}",
                words::seconds(*seconds),
                after(&words::did(action, figures))
            )];
            if *debt > 0 {
                lines.push(format!(
                    "{step}: {} left as debt, for a later pass to see to",
                    words::files(*debt)
                ));
            }
            lines
        }
        Event::StepSkipped { step, reason } => vec![format!("{step}: skipped, {}", words::name(reason))],
        Event::StepFailed { step, seconds, error, hints, errors } => {
            let mut lines =
                vec![format!("{step}: FAILED after {}: {}", words::seconds(*seconds), words::text(error))];
            lines.extend(errors.iter().take(20).map(|error| {
                format!(
                    "  {} ({}, {}): {}",
                    words::name(&error.path),
                    words::word(&error.class),
                    tried(error.attempts),
                    words::name(&error.error)
                )
            }));
            if errors.len() > 20 {
                lines.push(format!("  … and {} more; they are in the state file", errors.len() - 20));
            }
            lines.extend(hints.iter().map(|hint| format!("  help: {}", words::text(hint))));
            lines
        }
        Event::StepRetry { step, attempt, attempts, wait, error } => vec![format!(
            "{step}: attempt {attempt} of {attempts} failed, again in {}: {}",
            words::seconds(*wait),
            words::text(error)
        )],
        Event::StepInterrupted { step } => vec![format!("{step}: interrupted")],
        Event::Waiting { step, prompt, list, .. } => {
            let mut lines = vec![format!("{step}: waiting for an answer: {}", words::text(&prompt.ask))];
            lines.extend(
                prompt
                    .instructions
                    .iter()
                    .flat_map(|text| text.lines())
                    .map(|line| format!("  {}", words::name(line))),
            );
            lines.extend(list.iter().map(|name| format!("  - {}", words::name(name))));
            if let AnswerKind::Choice(choices) = &prompt.answer {
                lines.extend(choices.iter().map(|(key, means)| format!("  {key}: {}", words::name(means))));
            }
            lines
        }
        Event::Answered { step, answer, by } => {
            vec![format!("{step}: answered by {by}: {}", words::name(answer))]
        }
        Event::Warning { step, message } => {
            let place = step.as_ref().map(|step| format!("{step}: ")).unwrap_or_default();
            vec![format!("{place}warning: {}", words::text(message))]
        }
        Event::RunEnded { .. } => ended(event),
    }
}

/// The last lines of a run: how it ended, how long it and the downtime were, and what goes on.
pub(super) fn ended(event: &Event) -> Vec<String> {
    let Event::RunEnded { outcome, exit_code, seconds, downtime, state_file, next } = event else {
        return Vec::new();
    };
    let how = match outcome {
        Outcome::Done => "done: all steps are done and nothing is owed",
        Outcome::Failed => "stopped: a step failed",
        Outcome::Waiting => "waiting for an answer",
        Outcome::Refused => "stopped: a guard refused",
        Outcome::Interrupted => "interrupted: nothing is lost, the run can go on",
    };
    let mut line = format!("{how} · {}", words::seconds(*seconds));
    if let Some(downtime) = downtime {
        line.push_str(&format!(", of it downtime {}", words::seconds(*downtime)));
    }
    if *outcome != Outcome::Done {
        line.push_str(&format!(" · exit code {exit_code}"));
    }
    let mut lines = vec![line, format!("state file: {}", words::name(state_file))];
    for (at, next) in next.iter().enumerate() {
        let lead = if at == 0 { "go on with:" } else { "        or:" };
        lines.push(format!("{lead} {}", words::name(next)));
    }
    lines
}

fn after(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(": {text}") }
}

fn tried(attempts: u32) -> String {
    words::counted(u64::from(attempts), "attempt", "attempts")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::copy::{ErrorClass, FileError};

    #[test]
    fn a_failed_file_is_told_with_its_class_in_plain_words() {
        let error = FileError {
            path: "a/b".into(),
            class: ErrorClass::Denied,
            attempts: 1,
            error: "cannot open it".into(),
        };
        let event = Event::StepFailed {
            step: "copy".into(),
            seconds: 1.0,
            error: "1 file could not be copied".into(),
            hints: Vec::new(),
            errors: vec![error],
        };
        assert_eq!(lines(&event)[1], "  a/b (denied, 1 attempt): cannot open it");
    }

    #[test]
    fn a_run_of_one_step_is_told_of_in_the_singular() {
        let step =
            crate::event::StepOutline { id: "w".into(), title: "w".into(), action: "wait", done: false };
        let phase = crate::event::PhaseOutline {
            id: "a".into(),
            title: "a".into(),
            downtime: false,
            steps: vec![step],
        };
        let event = Event::RunStarted {
            run: "r".into(),
            name: "x".into(),
            title: "x".into(),
            state_file: "x.state.jsonl".into(),
            phases: vec![phase],
            done: 0,
            resumed: false,
        };
        assert_eq!(lines(&event)[0], "x (x): 1 step");
    }
}

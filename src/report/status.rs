//! Where a run stands: phases and steps, what is owed, and what goes on. Made from the journal alone.
//!
//! Pure: state, holder and time in, report out.

use std::collections::BTreeMap;
use std::fmt::Write;

use jiff::Timestamp;
use owo_colors::{OwoColorize, Style};
use serde::Serialize;
use serde_json::Value;

use super::marks::Marks;
use super::terminal::Colour;
use super::{commands, quarantine, words};
use crate::copy::FileError;
use crate::state::fold::{RunState, Status, StepState};
use crate::state::lock::Runner;
use crate::state::record::Question;

/// The state of a run, for people and programs.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    pub run: String,
    pub state_file: String,
    pub runbook: String,
    pub standing: Standing,
    pub started: Timestamp,
    /// Since the start, to the end or to now.
    pub seconds: f64,
    pub downtime_seconds: Option<f64>,
    pub steps_done: usize,
    pub steps: usize,
    pub phases: Vec<PhaseReport>,
    pub debt: Vec<DebtReport>,
    /// What purges took away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quarantine: Option<quarantine::Report>,
    /// Who carries it out at this moment.
    pub holder: Option<HolderReport>,
    /// The commands that go on; none while the run is under way or when it is done.
    pub next: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    Done,
    /// A process is at work.
    Running,
    /// A question is open and no process is at work.
    Waiting,
    Failed,
    /// No process is at work, and nothing stands in the way.
    Stopped,
}

#[derive(Clone, Debug, Serialize)]
pub struct PhaseReport {
    pub id: String,
    pub title: String,
    pub downtime: bool,
    pub steps: Vec<StepReport>,
}

#[derive(Clone, Debug, Serialize)]
pub struct StepReport {
    pub id: String,
    pub title: String,
    pub action: String,
    pub status: StepStanding,
    /// Seconds of work, all attempts together.
    pub seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// What it did, why it was skipped or failed, what it asks.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub said: String,
    /// What a question is about, name by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub list: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FileError>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub figures: BTreeMap<String, Value>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepStanding {
    Done,
    Skipped,
    Running,
    Waiting,
    Failed,
    Interrupted,
    Left,
}

#[derive(Clone, Debug, Serialize)]
pub struct DebtReport {
    pub step: String,
    pub from: String,
    pub to: String,
    pub files: u64,
    pub errors: Vec<FileError>,
}

#[derive(Clone, Debug, Serialize)]
pub struct HolderReport {
    pub pid: u32,
    pub host: String,
    pub user: String,
    pub since: Timestamp,
}

/// How many file errors are listed for people; programs get all that the journal keeps.
const LISTED: usize = 20;

impl Report {
    pub fn new(state: &RunState, state_file: &str, runner: &Runner, now: Timestamp) -> Self {
        let phases: Vec<PhaseReport> = state
            .basis
            .phases
            .iter()
            .map(|phase| PhaseReport {
                id: phase.id.clone(),
                title: phase.title.clone(),
                downtime: phase.downtime,
                steps: state
                    .basis
                    .steps
                    .iter()
                    .filter(|step| step.phase == phase.id)
                    .map(|mark| {
                        step_report(&mark.id, &mark.title, &mark.action, state.steps.get(&mark.id), runner)
                    })
                    .collect(),
            })
            .collect();
        let steps: Vec<&StepReport> = phases.iter().flat_map(|phase| &phase.steps).collect();
        let standing = standing(state, &steps, runner);
        let next = match standing {
            Standing::Done | Standing::Running => Vec::new(),
            Standing::Waiting => state
                .waiting()
                .map(|(step, open)| commands::approve(step, &open.prompt, state_file))
                .unwrap_or_default(),
            Standing::Failed | Standing::Stopped => vec![commands::resume(state_file)],
        };
        Self {
            run: state.run.clone(),
            state_file: state_file.to_owned(),
            runbook: state.basis.files.first().map(|file| file.path.clone()).unwrap_or_default(),
            standing,
            started: state.started,
            seconds: state.total_seconds(now),
            downtime_seconds: state.downtime_seconds(now),
            steps_done: steps
                .iter()
                .filter(|step| matches!(step.status, StepStanding::Done | StepStanding::Skipped))
                .count(),
            steps: steps.len(),
            debt: state
                .debt
                .iter()
                .map(|(step, debt)| DebtReport {
                    step: step.clone(),
                    from: debt.from.clone(),
                    to: debt.to.clone(),
                    files: debt.files,
                    errors: debt.errors.clone(),
                })
                .collect(),
            quarantine: quarantine::Report::of(&state.quarantine),
            holder: match runner {
                Runner::Known(holder) => Some(HolderReport {
                    pid: holder.pid,
                    host: holder.host.clone(),
                    user: holder.user.clone(),
                    since: holder.since,
                }),
                Runner::Unknown | Runner::Nobody => None,
            },
            next,
            phases,
        }
    }

    /// The report as a person reads it.
    pub fn human(&self, colour: Colour, marks: &Marks) -> String {
        let paint = |text: &str, style: Style| match colour {
            Colour::Always => text.style(style).to_string(),
            Colour::Never => text.to_owned(),
        };
        let (bold, dim) = (Style::new().bold(), Style::new().dimmed());
        let mut text = String::new();
        // Writing to a String cannot fail, here and below.
        let _ = writeln!(text, "{}", paint(&format!("run {}: {}", self.run, self.headline()), bold));
        let mut about =
            format!("{} of {} steps done · begun {}", self.steps_done, self.steps, words::time(self.started));
        let _ = write!(about, " · {}", words::seconds(self.seconds));
        if let Some(downtime) = self.downtime_seconds {
            let _ = write!(about, ", of it downtime {}", words::seconds(downtime));
        }
        let _ = writeln!(text, "{}", paint(&about, dim));
        let _ = writeln!(text, "{}", paint(&format!("runbook {}", words::name(&self.runbook)), dim));
        let width = self
            .phases
            .iter()
            .flat_map(|phase| &phase.steps)
            .map(|step| step.id.chars().count())
            .max()
            .unwrap_or(0);
        for phase in &self.phases {
            let downtime = if phase.downtime { "  (downtime)" } else { "" };
            let _ = writeln!(text, "\n{}{downtime}", paint(&words::name(&phase.title), bold));
            for step in &phase.steps {
                step.human(&mut text, width, &paint, marks, &self.state_file);
            }
        }
        for debt in &self.debt {
            let _ = writeln!(
                text,
                "\n{}",
                paint(
                    &format!(
                        "debt of {}: {} not copied to {}",
                        debt.step,
                        words::files(debt.files),
                        words::name(&debt.to)
                    ),
                    Style::new().yellow()
                )
            );
            list_errors(&mut text, &debt.errors, debt.files, &commands::failed(&self.state_file, &debt.step));
        }
        if let Some(quarantine) = &self.quarantine {
            let _ = writeln!(text, "\n{}", quarantine.human());
            let _ = writeln!(text, "  `{}` lists it", commands::quarantine(&self.state_file));
        }
        if let Some(holder) = &self.holder {
            let _ = writeln!(
                text,
                "\nprocess {} of {} on {} is at work since {}",
                holder.pid,
                words::name(&holder.user),
                words::name(&holder.host),
                words::time(holder.since)
            );
        }
        for (at, next) in self.next.iter().enumerate() {
            let words = if at == 0 { "\ngo on with:" } else { "        or:" };
            let _ = writeln!(text, "{words} {next}");
        }
        text
    }

    fn headline(&self) -> String {
        let at = |wanted: StepStanding| {
            self.phases
                .iter()
                .flat_map(|phase| &phase.steps)
                .find(|step| step.status == wanted)
                .map(|step| format!(" at {}", step.id))
                .unwrap_or_default()
        };
        match self.standing {
            Standing::Done => "done".to_owned(),
            Standing::Running => format!("under way{}", at(StepStanding::Running)),
            Standing::Waiting => format!("waiting{}", at(StepStanding::Waiting)),
            Standing::Failed => format!("failed{}", at(StepStanding::Failed)),
            Standing::Stopped => format!("stopped{}", at(StepStanding::Interrupted)),
        }
    }
}

impl StepReport {
    fn human(
        &self,
        text: &mut String,
        width: usize,
        paint: &dyn Fn(&str, Style) -> String,
        marks: &Marks,
        state_file: &str,
    ) {
        let dim = Style::new().dimmed();
        let (mark, style, word) = match self.status {
            StepStanding::Done => (marks.done, Style::new().green(), "done"),
            StepStanding::Skipped => ('-', dim, "skipped"),
            StepStanding::Running => (marks.running, Style::new().cyan(), "running"),
            StepStanding::Waiting => ('?', Style::new().yellow().bold(), "waiting"),
            StepStanding::Failed => (marks.failed, Style::new().red().bold(), "failed"),
            StepStanding::Interrupted => (marks.again, Style::new().yellow(), "interrupted"),
            StepStanding::Left => (marks.left, dim, "left"),
        };
        let time = match (self.status, self.since) {
            (StepStanding::Left | StepStanding::Skipped, _) => String::new(),
            (StepStanding::Running, Some(since)) => format!("since {}", words::time(since)),
            _ => words::seconds(self.seconds),
        };
        let line = format!(
            "  {} {:<width$}  {word:<11}  {time:<12}  {}",
            paint(mark.encode_utf8(&mut [0; 4]), style),
            self.id,
            words::text(&self.said),
        );
        text.push_str(line.trim_end());
        text.push('\n');
        for name in &self.list {
            let _ = writeln!(text, "      - {}", words::name(name));
        }
        let all = match self.action.as_str() {
            "copy" => commands::failed(state_file, &self.id),
            _ => "`--format json` has them".to_owned(),
        };
        list_errors(text, &self.errors, self.errors.len() as u64, &all);
        if self.status == StepStanding::Failed {
            for hint in &self.hints {
                let _ = writeln!(text, "      help: {}", words::text(hint));
            }
        }
    }
}

/// The first errors, and where all of them are.
fn list_errors(text: &mut String, errors: &[FileError], all: u64, where_all: &str) {
    for error in errors.iter().take(LISTED) {
        let _ = writeln!(text, "      {}: {}", words::name(&error.path), words::name(&error.error));
    }
    let shown = errors.len().min(LISTED) as u64;
    if all > shown {
        let _ = writeln!(text, "      … and {} more: {where_all}", words::count(all - shown));
    }
}

fn standing(state: &RunState, steps: &[&StepReport], runner: &Runner) -> Standing {
    let any = |wanted: StepStanding| steps.iter().any(|step| step.status == wanted);
    match runner {
        _ if state.finished.is_some() => Standing::Done,
        Runner::Known(_) | Runner::Unknown => Standing::Running,
        Runner::Nobody if state.waiting().is_some() => Standing::Waiting,
        Runner::Nobody if any(StepStanding::Failed) => Standing::Failed,
        Runner::Nobody => Standing::Stopped,
    }
}

fn step_report(
    id: &str,
    title: &str,
    action: &str,
    state: Option<&StepState>,
    runner: &Runner,
) -> StepReport {
    let mut report = StepReport {
        id: id.to_owned(),
        title: title.to_owned(),
        action: action.to_owned(),
        status: StepStanding::Left,
        seconds: 0.0,
        since: None,
        said: String::new(),
        list: Vec::new(),
        hints: Vec::new(),
        errors: Vec::new(),
        figures: BTreeMap::new(),
    };
    let Some(state) = state else { return report };
    report.seconds = state.seconds;
    report.figures = state.figures.clone();
    report.since = state.first_started;
    match &state.status {
        Status::Pending => {}
        Status::Done => {
            report.status = StepStanding::Done;
            report.said = words::did(action, &state.figures);
        }
        Status::Skipped { reason } => {
            report.status = StepStanding::Skipped;
            report.said = reason.clone();
        }
        Status::Failed { error, hints, errors, .. } => {
            report.status = StepStanding::Failed;
            report.said = error.clone();
            report.hints = hints.clone();
            report.errors = errors.clone();
        }
        Status::Interrupted => report.status = StepStanding::Interrupted,
        Status::Started { at, .. } => {
            report.status =
                if *runner == Runner::Nobody { StepStanding::Interrupted } else { StepStanding::Running };
            report.since = Some(*at);
        }
    }
    if let Some(answered) = &state.answered
        && answered.question == Question::Checkpoint
    {
        let answer = answered.answer.visible().unwrap_or(crate::secret::MASK);
        report.said = format!("{answer} ({}, {})", answered.by, words::time(answered.at));
    }
    if let Some(open) = &state.open {
        report.status = StepStanding::Waiting;
        report.said = open.prompt.ask.clone();
        report.list = open.list.clone();
    }
    report
}

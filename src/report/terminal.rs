//! Events on a terminal: the phases, a line a finished step, and a bar for the step at work.
//!
//! The bar is the last thing on the screen and is taken away before anything else is printed or asked, so that what
//! stays on the screen reads as a log.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use owo_colors::{OwoColorize, Style};

use super::marks::Marks;
use super::out::Out;
use super::plain;
use super::progress;
use super::words;
use crate::event::{Event, Outcome, Presence, Sink};

pub use super::diagnostics::Colour;

/// What a step says is given so many columns even on a narrower screen, where its lines then break.
const NARROWEST: usize = 40;

pub struct Terminal {
    out: Out,
    colour: Colour,
    marks: &'static Marks,
    bar: Option<ProgressBar>,
    /// The width of the longest step id, so that the columns stand.
    width: usize,
    last_did: Option<String>,
}

impl Terminal {
    pub fn new(out: Out, colour: Colour, marks: &'static Marks) -> Self {
        Self { out, colour, marks, bar: None, width: 0, last_did: None }
    }

    fn painted(&self, text: &str, style: Style) -> String {
        match self.colour {
            Colour::Always => text.style(style).to_string(),
            Colour::Never => text.to_owned(),
        }
    }

    /// Prints above the bar.
    fn line(&mut self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| self.out.line(text)),
            None => self.out.line(text),
        }
    }

    /// A line of a step: mark, id, what is said of it.
    fn step_line(&mut self, mark: char, style: Style, step: &str, text: &str) {
        let line = format!(
            "  {} {step:<width$}  {text}",
            self.painted(mark.encode_utf8(&mut [0; 4]), style),
            width = self.width
        );
        self.line(line.trim_end());
    }

    fn clear_bar(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    fn start_bar(&mut self, step: &str, action: &str) {
        self.clear_bar();
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
        bar.set_style(spinner(self.marks));
        bar.set_prefix(format!("{step:<width$}", width = self.width));
        bar.set_message(action.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        self.bar = Some(bar);
    }

    fn progress(&mut self, event: &Event) {
        let Some(bar) = &self.bar else { return };
        // What is said stands where it does in the line of a step that is done.
        let indent = "  ✓ ".chars().count() + self.width + 2;
        let look = progress::look(event, columns().saturating_sub(indent).max(NARROWEST));
        match look.bar {
            Some((done, all)) => {
                bar.set_style(bar_style(look.bar_width, self.marks));
                bar.set_length(all);
                bar.set_position(done);
            }
            None => {
                bar.unset_length();
                bar.set_style(spinner(self.marks));
            }
        }
        let mut message = look.head;
        for line in look.below {
            message.push_str(&format!("\n{:indent$}{line}", ""));
        }
        bar.set_message(message);
    }
}

impl Sink for Terminal {
    fn event(&mut self, event: &Event) {
        let (bold, dim, good, bad, warn) = (
            Style::new().bold(),
            Style::new().dimmed(),
            Style::new().green(),
            Style::new().red().bold(),
            Style::new().yellow(),
        );
        match event {
            Event::RunStarted { run, title, state_file, phases, done, resumed, .. } => {
                self.width =
                    phases.iter().flat_map(|phase| &phase.steps).map(|step| step.id.len()).max().unwrap_or(0);
                let steps: usize = phases.iter().map(|phase| phase.steps.len()).sum();
                let title = self.painted(&words::name(title), bold);
                self.line(&title);
                let about = match resumed {
                    true => format!("run {run} goes on: {done} of {steps} steps are done"),
                    false => format!(
                        "run {run}: {} in {}",
                        words::counted(steps as u64, "step", "steps"),
                        words::counted(phases.len() as u64, "phase", "phases")
                    ),
                };
                let about = self.painted(&format!("{about} · state file {}", words::name(state_file)), dim);
                self.line(&about);
            }
            Event::PhaseStarted { title, downtime, number, of, .. } => {
                self.clear_bar();
                let heading = self.painted(&format!("{number}/{of} {}", words::name(title)), bold);
                let mark = if *downtime { self.painted("  downtime", warn) } else { String::new() };
                self.line("");
                self.line(&format!("{heading}{mark}"));
            }
            Event::StepStarted { step, action, .. } => {
                self.last_did = None;
                self.start_bar(step, action);
            }
            Event::StepProgress { .. } => self.progress(event),
            Event::StepDone { step, action, seconds, figures, debt } => {
                self.clear_bar();
                let did = match (words::did(action, figures), self.last_did.take()) {
                    (did, None) => did,
                    (_, Some(answer)) => answer,
                };
                let time = self.painted(&words::seconds(*seconds), dim);
                let text = if did.is_empty() { time } else { format!("{did} · {time}") };
                self.step_line(self.marks.done, good, step, &text);
                if *debt > 0 {
                    let text = format!(
                        "{} could not be copied: debt, for a later pass to clear",
                        words::files(*debt)
                    );
                    self.step_line('!', warn, "", &text);
                }
            }
            Event::StepSkipped { step, reason } => {
                self.clear_bar();
                let reason = self.painted(&format!("skipped: {}", words::name(reason)), dim);
                self.step_line('-', dim, step, &reason);
            }
            Event::StepFailed { step, .. } => {
                self.clear_bar();
                let mut lines = plain::lines(event).into_iter();
                let first = lines.next().unwrap_or_default();
                let text = first.strip_prefix(&format!("{step}: ")).unwrap_or(&first).to_owned();
                let text = self.painted(&text, bad);
                self.step_line(self.marks.failed, bad, step, &text);
                lines.for_each(|line| self.line(&format!("  {line}")));
            }
            Event::StepRetry { step, .. } | Event::StepInterrupted { step } => {
                self.clear_bar();
                let text = plain::lines(event).concat();
                let text = text.strip_prefix(&format!("{step}: ")).unwrap_or(&text).to_owned();
                self.step_line(self.marks.again, warn, step, &text);
            }
            Event::Waiting { step, prompt, list, here, .. } => {
                self.clear_bar();
                self.line("");
                for line in prompt.instructions.iter().flat_map(|text| text.lines()) {
                    self.line(&format!("    {}", words::name(line)));
                }
                list.iter().for_each(|name| self.line(&format!("    - {}", words::name(name))));
                if *here == Presence::Elsewhere {
                    let ask = words::text(&prompt.ask);
                    self.step_line('?', warn, step, &ask);
                }
            }
            Event::Answered { answer, by, .. } => {
                self.last_did = Some(format!("{} ({})", words::name(answer), words::name(by)));
            }
            Event::Warning { .. } => {
                let text = self.painted(&plain::lines(event).concat(), warn);
                self.line(&format!("  ! {text}"));
            }
            Event::RunEnded { outcome, .. } => {
                self.clear_bar();
                self.line("");
                let style = match outcome {
                    Outcome::Done => good,
                    Outcome::Failed | Outcome::Refused => bad,
                    Outcome::Waiting | Outcome::Interrupted => warn,
                };
                let mut lines = plain::ended(event).into_iter();
                let first = self.painted(&lines.next().unwrap_or_default(), style);
                self.line(&first);
                lines.for_each(|line| self.line(&line));
            }
        }
    }
}

/// How wide the screen is; a narrow one where nobody can tell.
fn columns() -> usize {
    // The last column stays free: some terminals go to the next line once it is written.
    crossterm::terminal::size().map_or(80, |(columns, _)| usize::from(columns)).saturating_sub(1)
}

fn spinner(marks: &Marks) -> ProgressStyle {
    style("  {spinner} {prefix}  {msg}", marks)
}

fn bar_style(width: usize, marks: &Marks) -> ProgressStyle {
    style(&format!("  {{spinner}} {{prefix}}  [{{bar:{width}}}] {{msg}}"), marks).progress_chars("=> ")
}

fn style(template: &str, marks: &Marks) -> ProgressStyle {
    // The templates are this file's own; a wrong one would show at the first bar ever drawn.
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .tick_chars(marks.spinner)
}

//! A plan as people read it: the rendered steps in order, and what each pass would do.

use std::fmt::Write;

use owo_colors::{OwoColorize, Style};
use serde::Serialize;
use serde_json::Value;

use super::terminal::Colour;
use super::words;
use crate::copy::{EntryKind, Survey};
use crate::plan::{Action, Condition, Plan, PlannedStep};

/// What a look at both trees of a pass gave.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scan {
    /// What the pass would do if it ran now.
    Would(Box<Would>),
    Failed {
        error: String,
        hint: String,
    },
}

#[derive(Clone, Debug, Serialize)]
pub struct Would {
    pub summary: crate::copy::PassSummary,
    pub largest: Vec<File>,
    /// All that a purge would take away; empty where the step does not purge.
    pub purge: Vec<Extra>,
}

#[derive(Clone, Debug, Serialize)]
pub struct File {
    pub path: String,
    pub bytes: u64,
}

#[derive(Clone, Debug, Serialize)]
pub struct Extra {
    pub path: String,
    pub kind: EntryKind,
    pub bytes: u64,
}

impl From<Survey> for Would {
    fn from(survey: Survey) -> Self {
        Self {
            summary: survey.outcome.summary,
            largest: survey.largest.into_iter().map(|(path, bytes)| File { path, bytes }).collect(),
            purge: survey
                .outcome
                .extras
                .into_iter()
                .map(|extra| Extra {
                    path: extra.path.display().to_string(),
                    kind: extra.kind,
                    bytes: extra.bytes,
                })
                .collect(),
        }
    }
}

/// The plan with its scans, by step.
pub struct Report<'a> {
    pub plan: &'a Plan,
    pub scans: Vec<(String, Scan)>,
    /// Refusals of guards that need no look at a file system.
    pub refusals: Vec<(String, String)>,
    /// What whoever runs it must have or know, by step; nothing of it hinders a plan.
    pub notes: Vec<(String, String)>,
}

impl Report<'_> {
    /// For programs: the plan, each step with its scan under `would`.
    pub fn json(&self) -> Result<String, serde_json::Error> {
        let mut plan = serde_json::to_value(self.plan)?;
        for step in steps_of(&mut plan) {
            let id = step["id"].as_str().unwrap_or_default().to_owned();
            if let Some((_, scan)) = self.scans.iter().find(|(step, _)| *step == id) {
                step["scan"] = serde_json::to_value(scan)?;
            }
            if let Some((_, refusal)) = self.refusals.iter().find(|(step, _)| *step == id) {
                step["refused"] = Value::String(refusal.clone());
            }
            if let Some((_, note)) = self.notes.iter().find(|(step, _)| *step == id) {
                step["note"] = Value::String(note.clone());
            }
        }
        self.plan.values().redactor().redact_json(&mut plan);
        Ok(serde_json::to_string_pretty(&plan)? + "\n")
    }

    pub fn human(&self, colour: Colour) -> String {
        let mut page = Page { text: String::new(), colour };
        let steps = self.plan.steps().count();
        let counts = format!(
            "{} in {}",
            words::counted(steps as u64, "step", "steps"),
            words::counted(self.plan.phases.len() as u64, "phase", "phases")
        );
        page.line(
            0,
            &format!("{} ({}): {counts}", page.strong(&words::name(&self.plan.title)), self.plan.name),
        );
        for (at, phase) in self.plan.phases.iter().enumerate() {
            let downtime =
                if phase.downtime { page.paint("  downtime", Style::new().yellow()) } else { String::new() };
            let heading =
                page.strong(&format!("{}/{} {}", at + 1, self.plan.phases.len(), words::name(&phase.title)));
            page.line(0, "");
            page.line(0, &format!("{heading}{downtime}"));
            page.condition(2, &phase.condition);
            for step in &phase.steps {
                self.step(&mut page, step);
            }
        }
        self.plan.values().redactor().redact(&page.text).into_owned()
    }

    fn step(&self, page: &mut Page, step: &PlannedStep) {
        let title =
            if step.title == step.id { String::new() } else { format!("  {}", words::name(&step.title)) };
        let action = page.paint(step.action, Style::new().cyan());
        let id = page.strong(&step.id);
        page.line(2, &format!("{id}  {action}{title}"));
        page.condition(6, &step.condition);
        if step.retry.attempts > 1 {
            page.line(
                6,
                &format!(
                    "up to {} attempts, {} apart",
                    step.retry.attempts,
                    words::seconds(step.retry.wait.as_secs_f64())
                ),
            );
        }
        page.value(6, &step.detail);
        if let Some((_, refusal)) = self.refusals.iter().find(|(id, _)| *id == step.id) {
            let text = page
                .paint(&format!("a guard will refuse: {}", words::name(refusal)), Style::new().red().bold());
            page.line(6, &text);
        }
        if let Some((_, note)) = self.notes.iter().find(|(id, _)| *id == step.id) {
            let text = page.paint(&format!("note: {note}"), Style::new().yellow());
            page.line(6, &text);
        }
        match self.scans.iter().find(|(id, _)| *id == step.id) {
            None => {}
            Some((_, Scan::Failed { error, hint })) => {
                let text =
                    page.paint(&format!("cannot be scanned: {}", words::name(error)), Style::new().yellow());
                page.line(6, &text);
                page.line(6, &format!("help: {}", words::name(hint)));
            }
            Some((_, Scan::Would(would))) => page.would(would, purge_of(step)),
        }
    }
}

fn steps_of(plan: &mut Value) -> impl Iterator<Item = &mut Value> {
    plan["phases"]
        .as_array_mut()
        .into_iter()
        .flatten()
        .flat_map(|phase| phase["steps"].as_array_mut().into_iter().flatten())
}

/// Whether a step takes away what only the target has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purges {
    Yes,
    No,
}

fn purge_of(step: &PlannedStep) -> Purges {
    match step.ready() {
        Some(Action::Copy(action)) if action.purge.is_some() => Purges::Yes,
        _ => Purges::No,
    }
}

struct Page {
    text: String,
    colour: Colour,
}

impl Page {
    fn paint(&self, text: &str, style: Style) -> String {
        match self.colour {
            Colour::Always => text.style(style).to_string(),
            Colour::Never => text.to_owned(),
        }
    }

    fn strong(&self, text: &str) -> String {
        self.paint(text, Style::new().bold())
    }

    fn line(&mut self, indent: usize, text: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.text, "{}", format!("{:indent$}{text}", "").trim_end());
    }

    fn condition(&mut self, indent: usize, condition: &Condition) {
        let text = match condition {
            Condition::Always => return,
            Condition::Never { when } => format!("skipped: its condition `{when}` does not hold"),
            Condition::Late { when, known_after, .. } => {
                format!("only when `{when}` (known after {})", known_after.join(", "))
            }
        };
        let text = self.paint(&words::name(&text), Style::new().dimmed());
        self.line(indent, &text);
    }

    /// Values by name, one a line; texts of several lines below their name.
    fn value(&mut self, indent: usize, value: &Value) {
        let Value::Object(members) = value else { return };
        let width = members
            .iter()
            .filter(|(_, value)| !value.is_object())
            .map(|(name, _)| name.len())
            .max()
            .unwrap_or(0);
        for (name, value) in members {
            match value {
                Value::Object(_) => {
                    self.line(indent, name);
                    self.value(indent + 2, value);
                }
                Value::String(text) if text.trim_end().contains('\n') => {
                    self.line(indent, name);
                    for line in text.trim_end().lines() {
                        let line = self.paint(&words::name(line), Style::new().dimmed());
                        self.line(indent + 2, &line);
                    }
                }
                value => self.line(indent, &format!("{name:<width$}  {}", shown(value))),
            }
        }
    }

    fn would(&mut self, would: &Would, purges: Purges) {
        let summary = &would.summary;
        let side = |what: &str, tally: crate::copy::Tally| {
            format!("{:>12} {what:<9} {}", words::count(tally.files), words::bytes(tally.bytes))
        };
        let text = self.strong("if it ran now");
        self.line(6, &text);
        self.line(6, &side("new", summary.new));
        self.line(6, &side("changed", summary.changed));
        self.line(6, &side("same", summary.same));
        for (rule, tally) in &summary.filtered {
            let rule = serde_json::to_value(rule)
                .ok()
                .and_then(|rule| rule.as_str().map(str::to_owned))
                .unwrap_or_default();
            self.line(6, &format!("{} ({rule})", side("filtered", *tally)));
        }
        for (what, number) in [("links", summary.skipped_links), ("special", summary.skipped_special)] {
            if number > 0 {
                self.line(6, &format!("{:>12} {what:<9} skipped", words::count(number)));
            }
        }
        if summary.failed.files > 0 {
            let text = self.paint(
                &format!("{:>12} cannot be copied", words::count(summary.failed.files)),
                Style::new().red(),
            );
            self.line(6, &text);
        }
        if summary.extra_unread > 0 {
            let then = match purges {
                Purges::Yes => "no purge before that",
                Purges::No => "stays: this step does not purge",
            };
            let text =
                format!("{:>12} extra     cannot be read ({then})", words::count(summary.extra_unread));
            self.line(6, &self.paint(&text, Style::new().red()));
        }
        // Below both, since they are of either: each says what it is of.
        if summary.failed.files > 0 || summary.extra_unread > 0 {
            for error in summary.errors.iter().take(20) {
                self.line(21, &format!("{}: {}", words::name(&error.path), words::name(&error.error)));
            }
        }
        if summary.kept.files > 0 {
            self.line(6, &format!("{} (stays: this step does not purge)", side("extra", summary.kept)));
        }
        if summary.extra_filtered.files > 0 {
            self.line(
                6,
                &format!("{} (stays: the filter keeps it out)", side("extra", summary.extra_filtered)),
            );
        }
        if !would.largest.is_empty() {
            self.line(6, "largest to be copied");
            for file in &would.largest {
                self.line(6, &format!("{:>12}   {}", words::bytes(file.bytes), words::name(&file.path)));
            }
        }
        if !would.purge.is_empty() {
            let bytes = would.purge.iter().map(|extra| extra.bytes).sum();
            let text = format!(
                "would be taken away: {}, {}",
                words::counted(would.purge.len() as u64, "entry", "entries"),
                words::bytes(bytes)
            );
            let text = self.paint(&text, Style::new().yellow());
            self.line(6, &text);
            for extra in &would.purge {
                let kind = match extra.kind {
                    EntryKind::File => words::bytes(extra.bytes),
                    EntryKind::Link => "link".to_owned(),
                    EntryKind::Directory => "folder".to_owned(),
                    EntryKind::Special => "special".to_owned(),
                };
                self.line(6, &format!("{kind:>12}   {}", words::name(&extra.path)));
            }
        }
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => words::name(text.trim_end()),
        Value::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join(", "),
        Value::Null => "(nothing)".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::copy::{ErrorClass, FileError, PassSummary};

    #[test]
    fn what_cannot_be_copied_or_read_is_told_below_the_numbers_that_it_is_of() {
        let error = |path: &str| FileError {
            path: path.into(),
            class: ErrorClass::Denied,
            attempts: 1,
            error: "no".into(),
        };
        let mut summary =
            PassSummary { extra_unread: 1, errors: vec![error("a"), error("x/")], ..PassSummary::default() };
        summary.failed.add(1);
        let would = Would { summary, largest: Vec::new(), purge: Vec::new() };
        for (purges, then) in
            [(Purges::Yes, "no purge before that"), (Purges::No, "stays: this step does not purge")]
        {
            let mut page = Page { text: String::new(), colour: Colour::Never };
            page.would(&would, purges);
            let lines: Vec<_> = page.text.lines().map(str::trim).skip(4).collect();
            let unread = format!("1 extra     cannot be read ({then})");
            assert_eq!(lines, ["1 cannot be copied", unread.as_str(), "a: no", "x/: no"]);
        }
    }
}

//! A procedure → the text of a runbook. The same procedure always gives the same text.
//!
//! What a script says is text in a runbook, too: what looks like a template there is written so that it stays what it is.

mod shared;
mod step;

use std::collections::HashSet;
use std::fmt::Write as _;

use super::names::{self, Taken};
use super::procedure::{self, Action, Item, Kind, Left, Origin, Phase, Procedure, Step};
use super::unknown::Unknowns;
use super::variables::Held;
use super::yaml;
use shared::{Shared, Variable};

/// A runbook as text, and what has to be given before it can be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    pub text: String,
    pub phases: usize,
    pub steps: usize,
    /// Variables without a value.
    pub to_give: Vec<String>,
}

/// Writes a procedure down.
pub fn written(
    procedure: &Procedure,
    name: &str,
    files: &[String],
    held: &[Held],
    unknowns: &Unknowns,
) -> Written {
    let steps = || procedure.phases.iter().flat_map(|phase| procedure::steps(&phase.items));
    let shared = Shared::of(steps(), held, unknowns);
    let mut writer = Writer { text: String::new(), shared, ids: Taken::default(), told: HashSet::new() };
    writer.head(name, files, steps().any(has_purge));
    writer.variables();
    writer.filters();
    writer.defaults();
    writer.text.push_str("\nphases:\n");
    for (number, phase) in procedure.phases.iter().enumerate() {
        if number > 0 {
            writer.text.push('\n');
        }
        writer.phase(phase);
    }
    if !procedure.rest.is_empty() {
        writer.text.push('\n');
    }
    for item in &procedure.rest {
        writer.remark(item, "");
    }
    Written {
        phases: procedure.phases.len(),
        steps: steps().count(),
        to_give: writer
            .shared
            .variables
            .iter()
            .filter(|variable| variable.default.is_none())
            .map(|variable| variable.name.clone())
            .collect(),
        text: writer.text,
    }
}

fn has_purge(step: &Step) -> bool {
    matches!(&step.action, Action::Copy(copy) if copy.pass.purge.is_some())
}

struct Writer {
    text: String,
    shared: Shared,
    ids: Taken,
    told: HashSet<String>,
}

impl Writer {
    fn line(&mut self, indent: &str, line: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.text, "{indent}{line}");
    }

    fn head(&mut self, name: &str, files: &[String], purges: bool) {
        let from = files.iter().map(|file| yaml::shown(file)).collect::<Vec<_>>().join(", ");
        self.line("", &format!("# Made of {from} by `movebook import`. Read it before it is run: above each step stands the line it was made of,"));
        self.line("", "# and what was not understood stands where it was, as a comment.");
        if purges {
            self.line("", "#");
            self.line("", "# A purge deletes nothing: what it takes away is moved into a quarantine, to be brought back or discarded. It waits for a");
            self.line("", "# person where it would take more than 1000 files or 5 % of the target's, and is refused in a target that was not empty");
            self.line("", "# before the run, unless its step says `adopt: true` and a person agrees.");
        }
        self.line("", "movebook: 1");
        self.line("", &format!("name: {}", yaml::id(name)));
        self.line("", &format!("title: {}", yaml::text(&format!("Imported from {}", files.join(", ")))));
    }

    fn variables(&mut self) {
        if self.shared.variables.is_empty() {
            return;
        }
        self.text.push_str("\nvars:\n");
        let lines: Vec<String> = self.shared.variables.iter().map(Variable::written).collect();
        for line in lines {
            self.line("  ", &line);
        }
    }

    fn filters(&mut self) {
        if self.shared.filters.is_empty() {
            return;
        }
        self.text.push_str("\nfilters:\n");
        let lines: Vec<String> = self
            .shared
            .filters
            .iter()
            .map(|(rules, name)| format!("{name}: {}", shared::rules(rules)))
            .collect();
        for line in lines {
            self.line("  ", &line);
        }
    }

    fn defaults(&mut self) {
        let Some(defaults) = &self.shared.defaults else { return };
        let line = format!("copy: {{{}}}", defaults.written().join(", "));
        self.text.push_str("\ndefaults:\n");
        self.line("  ", &line);
    }

    fn phase(&mut self, phase: &Phase) {
        let (id, title) = match phase.kind {
            Kind::Preflight => ("preflight", "Before the downtime"),
            Kind::Prestage => ("prestage", "Copy ahead, while the services run"),
            Kind::Freeze => ("freeze", "Get ready for the downtime"),
            Kind::Downtime => ("downtime", "What is done with the services stopped"),
            Kind::After => ("after", "The services run again"),
            Kind::Copy => ("copy", "Copy"),
        };
        self.line("  - ", &format!("id: {id}"));
        self.line("    ", &format!("title: {title}"));
        if phase.kind == Kind::Downtime {
            self.line("    ", "downtime: true");
        }
        self.line("    ", "steps:");
        for item in &phase.items {
            match item {
                Item::Step(step) => self.step(step, phase.kind),
                item => self.remark(item, "      "),
            }
        }
    }

    fn step(&mut self, step: &Step, kind: Kind) {
        for origin in &step.origins {
            self.origin(origin, "      ", "");
        }
        let mut notes: Vec<String> = step.notes.clone();
        notes.extend(step::notes(step, kind).into_iter().map(str::to_owned));
        for note in notes {
            // What holds for several steps is told at the first.
            if self.told.insert(note.clone()) {
                self.line("      #   ", &yaml::shown(&note));
            }
        }
        let id = self.ids.give(&step::id(step, kind), '-');
        let lines = step::lines(step, &self.shared);
        self.line("      - ", &format!("id: {}", yaml::id(&id)));
        for line in lines {
            self.line("        ", &line);
        }
    }

    fn remark(&mut self, item: &Item, indent: &str) {
        match item {
            Item::Step(_) => {}
            Item::Left(Left { origin, why }) => {
                self.origin(origin, indent, "not understood, ");
                for why in why {
                    self.line(&format!("{indent}#   "), &yaml::shown(why));
                }
            }
            Item::Remark { origin, why: Some(why) } => {
                self.origin(origin, indent, "no step, ");
                self.line(&format!("{indent}#   "), &yaml::shown(why));
            }
            Item::Remark { origin, why: None } => {
                for line in origin.text.lines().filter(|line| !line.trim().is_empty()) {
                    self.line(&format!("{indent}# "), &yaml::shown(line.trim_start_matches('#').trim()));
                }
            }
        }
    }

    /// A script's line, and the further lines of a block below it.
    fn origin(&mut self, origin: &Origin, indent: &str, what: &str) {
        let Origin { file, line, text } = origin;
        let mut lines = text.split('\n').map(yaml::shown);
        let first = lines.next().unwrap_or_default();
        self.line(indent, &format!("# {what}{}:{line}: {first}", yaml::shown(file)));
        for line in lines {
            self.line(&format!("{indent}#     "), &line);
        }
    }
}

/// A name that a runbook may have, made of a file's.
pub fn name_of(file: &str) -> String {
    let stem = file.rsplit(['/', '\\']).next().unwrap_or(file);
    let stem = stem.rsplit_once('.').map_or(stem, |(stem, _)| stem);
    let name = names::id(stem);
    if name.is_empty() { "imported".to_owned() } else { name }
}

/// Whether a runbook may have this name.
pub fn is_name(name: &str) -> bool {
    !name.is_empty() && names::id(name) == name
}

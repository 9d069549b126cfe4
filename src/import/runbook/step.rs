//! One step: its id, what is to be said of it, and its lines.

use std::time::Duration;

use super::shared::Shared;
use crate::copy::{Access, Compare, Directories, Links, OnErrors, Preserved, Priority};
use crate::filter::Rules;
use crate::import::names;
use crate::import::pass::Purge;
use crate::import::procedure::{Action, Copy, Kind, Step};
use crate::plan::action::{Purge as Limits, ServiceState};
use crate::values;

/// What a step is called, were it the only one of its kind.
pub fn id(step: &Step, kind: Kind) -> String {
    match &step.action {
        Action::Copy(copy) => match (kind, copy.errors) {
            (Kind::Downtime, OnErrors::Fail) => "final".to_owned(),
            (Kind::Freeze, _) => "catch-up".to_owned(),
            _ if copy.pass.rules == Rules::default() => "copy-all".to_owned(),
            _ => format!("copy-{}", names::filter(&copy.pass.rules)),
        },
        Action::Service(service) => {
            let verb = if service.state == ServiceState::Stopped { "stop" } else { "start" };
            match names::id(&service.name).as_str() {
                "" => format!("{verb}-service"),
                name => format!("{verb}-{name}"),
            }
        }
        Action::Wait(time) => format!("wait-{}", names::id(&values::written(*time))),
        Action::Checkpoint { ask, told, .. } => {
            let words = ask.as_deref().or(told.first().map(String::as_str)).unwrap_or_default();
            let words: Vec<&str> = words.split_whitespace().take(4).collect();
            match names::id(&words.join(" ")).as_str() {
                "" => "ask".to_owned(),
                id => id.to_owned(),
            }
        }
    }
}

/// What a person should know of a step because of where it stands.
pub fn notes(step: &Step, kind: Kind) -> Vec<&'static str> {
    let mut notes = Vec::new();
    match &step.action {
        Action::Copy(copy) => {
            if copy.attempts > 1 {
                notes.push("the line is repeated until it is clean: one step, which is tried so often");
            }
            if copy.errors == OnErrors::Fail && matches!(kind, Kind::Prestage | Kind::Freeze) {
                notes.push("no later pass would clear what this one cannot copy, so it fails on errors");
            }
        }
        Action::Service(service) => notes.extend(service.note),
        Action::Wait(_) | Action::Checkpoint { .. } => {}
    }
    notes
}

/// The lines of a step behind its id.
pub fn lines(step: &Step, shared: &Shared) -> Vec<String> {
    match &step.action {
        Action::Copy(copy) => copy_lines(copy, shared),
        Action::Service(service) => {
            let mut fields = vec![format!("name: {}", shared.leaf(&service.name))];
            if !service.host.is_empty() {
                fields.push(format!("host: {}", shared.leaf(&service.host)));
            }
            let state = if service.state == ServiceState::Stopped { "stopped" } else { "running" };
            fields.push(format!("state: {state}"));
            vec![format!("service: {{{}}}", fields.join(", "))]
        }
        Action::Wait(time) => vec![format!("wait: {{for: {}}}", values::written(*time))],
        Action::Checkpoint { ask, told, .. } => checkpoint_lines(ask.as_deref(), told, shared),
    }
}

fn checkpoint_lines(ask: Option<&str>, told: &[String], shared: &Shared) -> Vec<String> {
    let (ask, instructions) = match (ask, told) {
        (Some(ask), told) => (ask, told),
        (None, [only]) => (only.as_str(), &[][..]),
        (None, told) => ("May the run go on?", told),
    };
    let mut lines = vec!["checkpoint:".to_owned(), format!("  ask: {}", shared.leaf(ask))];
    if !instructions.is_empty() {
        lines.push(format!("  instructions: {}", shared.leaf(&instructions.join("\n"))));
    }
    lines
}

fn copy_lines(copy: &Copy, shared: &Shared) -> Vec<String> {
    let Copy { pass, errors, attempts } = copy;
    let mut fields =
        vec![format!("from: {}", shared.leaf(&pass.from)), format!("to: {}", shared.leaf(&pass.to))];
    fields.extend(shared.filters.get(&pass.rules).map(|name| format!("filter: {name}")));
    let directories = match pass.directories {
        Directories::All => "all",
        Directories::NonEmpty => "non-empty",
        Directories::None => "none",
    };
    fields.push(format!("directories: {directories}"));
    fields.push(format!("errors: {}", if *errors == OnErrors::Tolerate { "tolerate" } else { "fail" }));
    let common = shared.defaults.clone().unwrap_or_default();
    fields.extend(options(
        pass.retries.filter(|_| common.retries.is_none()),
        pass.wait.filter(|_| common.wait.is_none()),
        pass.threads.filter(|_| common.threads.is_none()),
    ));
    if pass.compare == Compare::Content {
        fields.push("compare: content".to_owned());
    }
    fields.extend(
        pass.mtime_tolerance.map(|tolerance| format!("mtime_tolerance: {}", values::written(tolerance))),
    );
    if pass.links == Links::Copy {
        fields.push("links: copy".to_owned());
    }
    if !pass.preserve.is_empty() {
        let words: Vec<&str> = pass.preserve.iter().map(preserved).collect();
        fields.push(format!("preserve: [{}]", words.join(", ")));
    }
    fields.extend(pass.bandwidth.as_ref().map(|limit| format!("bandwidth: {limit}")));
    if pass.priority == Priority::Gentle {
        fields.push("gentle: true".to_owned());
    }
    if pass.access == Access::Backup {
        fields.push("backup: true".to_owned());
    }
    fields.extend(pass.purge.map(|Purge { max_files }| {
        let (files, percent) = (max_files.unwrap_or(Limits::MAX_FILES), Limits::MAX_PERCENT);
        format!("purge: {{max_files: {files}, max_percent: {percent}}}")
    }));
    let mut lines = vec!["copy:".to_owned()];
    lines.extend(fields.into_iter().map(|field| format!("  {field}")));
    if *attempts > 1 {
        lines.push(format!("retry: {{attempts: {attempts}, wait: {}}}", values::written(REPEATED_AFTER)));
    }
    lines
}

/// What a person takes to see that a pass was not clean.
const REPEATED_AFTER: Duration = Duration::from_secs(30);

fn preserved(thing: &Preserved) -> &'static str {
    match thing {
        Preserved::Owner => "owner",
        Preserved::Xattrs => "xattrs",
        Preserved::Acls => "acls",
        Preserved::HardLinks => "hard-links",
    }
}

/// How often, how long apart, and how many at a time.
pub fn options(retries: Option<u32>, wait: Option<Duration>, threads: Option<u32>) -> Vec<String> {
    [
        retries.map(|retries| format!("retries: {retries}")),
        wait.map(|wait| format!("wait: {}", values::written(wait))),
        threads.map(|threads| format!("threads: {threads}")),
    ]
    .into_iter()
    .flatten()
    .collect()
}

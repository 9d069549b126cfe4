//! What a schema cannot say: references, templates, declarations, literals that do not fit.
//!
//! Pure; all problems in one go.

mod references;
mod walk;

use std::collections::{HashMap, HashSet};

use super::declaration::{self, Taken};
use super::diagnostics::{self, Diagnostic};
use super::model::{FilterDecl, Leaf, Raw, Runbook};
use super::source::Spanned;
use super::template;
use references::References;

/// Everything that can be told of a runbook without values.
pub fn check(runbook: &Runbook, unread: &Unread) -> Vec<Diagnostic> {
    let mut problems = declarations(runbook);
    problems.extend(walk::leaves(runbook, &mut References::new(runbook, unread)));
    problems
}

/// What could not be read: a name that seems to be missing may be there.
#[derive(Debug, Default)]
pub struct Unread {
    /// Whether there are files that could not be read at all.
    pub files: bool,
    /// Every key and id of the files whose structure is broken.
    names: HashSet<String>,
}

impl Unread {
    /// Takes note of all names in a tree of which parts could not be read.
    pub fn note(&mut self, tree: &Spanned<Raw>) {
        match &tree.value {
            Raw::List(items) => items.iter().for_each(|item| self.note(item)),
            Raw::Map(members) => {
                for (key, member) in members {
                    self.names.insert(key.value.clone());
                    match &member.value {
                        Raw::Text(id) if key.value == "id" => drop(self.names.insert(id.replace('-', "_"))),
                        _ => self.note(member),
                    }
                }
            }
            _ => {}
        }
    }

    /// Whether a name may be in what could not be read.
    fn may_hold(&self, name: &str) -> bool {
        self.files || self.names.contains(name) || self.names.contains(&name.replace('-', "_"))
    }
}

fn declarations(runbook: &Runbook) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let environment = template::environment();
    let functions: Vec<String> = environment.globals().map(|(name, _)| name.to_owned()).collect();
    let taken =
        |name: &str| if functions.iter().any(|function| function == name) { Taken::Yes } else { Taken::No };
    for declared in runbook.vars.values() {
        declaration::check(declared, &taken, &mut problems);
    }
    for name in &runbook.environment {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty() || !name.chars().all(plain) || name.starts_with(|c: char| c.is_ascii_digit()) {
            problems.push(diagnostics::bad_environment_name(name));
        }
    }
    unique("phase", runbook.phases.iter().map(|phase| &phase.id), &mut problems);
    unique("step", runbook.phases.iter().flat_map(|phase| &phase.steps).map(|step| &step.id), &mut problems);
    for filter in runbook.filters.values() {
        patterns(&filter.value, &mut problems);
    }
    problems
}

/// Ids differ even where `-` is written as `_`, as templates do.
fn unique<'r>(what: &str, ids: impl Iterator<Item = &'r Spanned<String>>, problems: &mut Vec<Diagnostic>) {
    let mut seen: HashMap<String, &Spanned<String>> = HashMap::new();
    for id in ids {
        if let Some(first) = seen.get(&id.value.replace('-', "_")) {
            problems.push(diagnostics::duplicate_id(what, id, first));
        } else {
            seen.insert(id.value.replace('-', "_"), id);
        }
    }
}

fn patterns(filter: &FilterDecl, problems: &mut Vec<Diagnostic>) {
    for leaf in filter.include.iter().chain(&filter.exclude).chain(&filter.exclude_directories) {
        pattern(leaf, problems);
    }
}

/// A pattern of file names, where it is a literal.
fn pattern(leaf: &Leaf<String>, problems: &mut Vec<Diagnostic>) {
    let Raw::Text(text) = &leaf.raw else { return };
    if leaf.raw.template().is_some() {
        return;
    }
    if text.trim().is_empty() {
        problems.push(diagnostics::empty_pattern(leaf.span));
    } else if text.contains('\\') {
        problems.push(diagnostics::backslash_in_pattern(leaf.span, text));
    } else if let Err(error) =
        globset::GlobBuilder::new(text).literal_separator(true).backslash_escape(false).build()
    {
        problems.push(diagnostics::bad_glob(leaf.span, text, error.kind()));
    }
}

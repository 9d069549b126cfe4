//! What a schema cannot say: references, templates, declarations, literals that do not fit.
//!
//! Pure; all problems in one go.

mod references;
mod walk;

use std::collections::HashMap;

use super::declaration::{self, Taken};
use super::diagnostics::{self, Diagnostic};
use super::model::{FilterDecl, Leaf, Runbook};
use super::source::Spanned;
use super::template;
use references::References;

/// Everything that can be told of a runbook without values.
pub fn check(runbook: &Runbook) -> Vec<Diagnostic> {
    let mut problems = declarations(runbook);
    problems.extend(walk::leaves(runbook, &mut References::new(runbook, Completeness::Whole)));
    problems
}

/// What can be told where a part of the runbook could not be read: a name that is missing may be in that part.
pub fn check_without_references(runbook: &Runbook) -> Vec<Diagnostic> {
    let mut problems = declarations(runbook);
    problems.extend(walk::leaves(runbook, &mut References::new(runbook, Completeness::Part)));
    problems
}

/// Whether all files could be read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Completeness {
    Whole,
    Part,
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
    let super::model::Raw::Text(text) = &leaf.raw else { return };
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

//! What templates and conditions name: each is compiled once, and its names are looked up where it stands.

use std::collections::HashMap;
use std::rc::Rc;

use minijinja::Environment;

use super::Unread;
use crate::runbook::diagnostics::{self, Diagnostic, Inside};
use crate::runbook::model::{ActionDecl, AnswerDecl, Raw, Runbook, VarType};
use crate::runbook::source::{Span, Spanned};
use crate::runbook::template::{self, Failure, Path};
use crate::values::is_template;

/// What may be named at a place.
#[derive(Clone, Copy)]
pub struct Scope {
    /// How many steps come before.
    pub before: usize,
    pub item: Item,
    pub secrets: Secrets,
}

/// Whether a variable of type `secret` may be named: only where its value reaches nobody but a child's environment or
/// input, or a condition, which yields no more than true or false.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Secrets {
    Refused,
    Allowed,
}

/// Whether the step is expanded by `for_each`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Item {
    Absent,
    Present,
}

/// Whether a value holds a template anywhere.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Templates {
    None,
    Some,
}

/// A step as templates see it.
struct Known<'r> {
    id: &'r Spanned<String>,
    number: usize,
    answer: Answer,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// The step is no checkpoint.
    None,
    Readable,
    Secret,
}

pub struct References<'r> {
    runbook: &'r Runbook,
    unread: &'r Unread,
    environment: Environment<'static>,
    functions: Vec<String>,
    /// By id with `_` for `-`.
    steps: HashMap<String, Known<'r>>,
    /// By text: the names in a template, or why it does not compile.
    compiled: HashMap<String, Rc<Result<Vec<Path>, Failure>>>,
    secrets: Vec<&'r str>,
    pub problems: Vec<Diagnostic>,
}

impl<'r> References<'r> {
    pub fn new(runbook: &'r Runbook, unread: &'r Unread) -> Self {
        let environment = template::environment();
        let functions = environment.globals().map(|(name, _)| name.to_owned()).collect();
        let steps = runbook.phases.iter().flat_map(|phase| &phase.steps).enumerate().map(|(number, step)| {
            let answer = match &step.action.value {
                ActionDecl::Checkpoint(checkpoint) => match checkpoint.answer {
                    AnswerDecl::Secret => Answer::Secret,
                    _ => Answer::Readable,
                },
                _ => Answer::None,
            };
            (step.id.value.replace('-', "_"), Known { id: &step.id, number, answer })
        });
        let steps = steps.collect();
        let secrets = runbook.vars.values().filter(|declared| declared.kind.value == VarType::Secret);
        let secrets = secrets.map(|declared| declared.name.value.as_str()).collect();
        Self {
            runbook,
            unread,
            environment,
            functions,
            steps,
            compiled: HashMap::new(),
            secrets,
            problems: Vec::new(),
        }
    }

    /// Checks every template in a value.
    pub fn raw(&mut self, raw: &Raw, span: Span, scope: Scope) -> Templates {
        match raw {
            Raw::Text(text) if is_template(text) => {
                self.template(text, span, scope, 0);
                Templates::Some
            }
            Raw::List(items) => {
                let found: Vec<Templates> =
                    items.iter().map(|item| self.raw(&item.value, item.span, scope)).collect();
                if found.contains(&Templates::Some) { Templates::Some } else { Templates::None }
            }
            Raw::Map(members) => {
                let found: Vec<Templates> =
                    members.iter().map(|(_, member)| self.raw(&member.value, member.span, scope)).collect();
                if found.contains(&Templates::Some) { Templates::Some } else { Templates::None }
            }
            _ => Templates::None,
        }
    }

    /// A `when:` or a `that:`: an expression that does not obviously yield something else than a boolean.
    pub fn condition(&mut self, condition: &Spanned<String>, scope: Scope) {
        let text = condition.value.as_str();
        if is_template(text) {
            self.problems.push(diagnostics::condition_in_braces(condition.span, text));
            return;
        }
        if text.trim().is_empty() {
            self.problems.push(diagnostics::empty_condition(condition.span));
            return;
        }
        let before = self.problems.len();
        let wrapped = format!("{{{{ {text} }}}}");
        let scope = Scope { secrets: Secrets::Allowed, ..scope };
        self.template(&wrapped, condition.span, scope, "{{ ".len());
        let compiled = Rc::clone(&self.compiled[&wrapped]);
        let constant = matches!(&*compiled, Ok(paths) if paths.is_empty());
        if self.problems.len() == before
            && constant
            && let Ok(value) =
                self.environment.compile_expression(text).and_then(|expression| expression.eval(()))
            && value.kind() != minijinja::value::ValueKind::Bool
        {
            let kind = match value.kind() {
                minijinja::value::ValueKind::String => "text",
                minijinja::value::ValueKind::Number => "a number",
                minijinja::value::ValueKind::Seq => "a list",
                _ => "something else",
            };
            self.problems.push(diagnostics::condition_not_boolean(condition.span, kind, &value.to_string()));
        }
    }

    pub fn filter(&mut self, name: &str, span: Span) {
        if !self.runbook.filters.contains_key(name) && !self.unread.may_hold(name) {
            let known: Vec<&str> = self.runbook.filters.keys().map(String::as_str).collect();
            self.problems.push(diagnostics::unknown_filter(name, span, &known));
        }
    }

    /// `same_as` that names no earlier secret checkpoint.
    pub fn unknown_checkpoint<'k>(
        &mut self,
        same_as: &Spanned<String>,
        scope: Scope,
        earlier: impl Iterator<Item = &'k str>,
    ) {
        let step = self.steps.get(&same_as.value.replace('-', "_"));
        let diagnostic = match step {
            Some(step) if step.answer != Answer::Secret => {
                diagnostics::not_a_secret_checkpoint(same_as, step.id.span)
            }
            Some(step) if step.number >= scope.before => {
                diagnostics::later_step(&same_as.value, same_as.span, step.id.span)
            }
            _ if self.unread.may_hold(&same_as.value) => return,
            _ => {
                let mut known: Vec<&str> = earlier.collect();
                known.sort_unstable();
                diagnostics::unknown_checkpoint(same_as, &known)
            }
        };
        self.problems.push(diagnostic);
    }

    /// How a scalar stands in its file.
    pub fn written(&self, span: Span) -> &'r str {
        &self.runbook.sources.get(span.file).text[span.start..span.end]
    }

    fn template(&mut self, text: &str, span: Span, scope: Scope, skip: usize) {
        let compiled = match self.compiled.get(text) {
            Some(compiled) => Rc::clone(compiled),
            None => {
                let compiled = Rc::new(compile(&self.environment, text, &self.secrets));
                self.compiled.insert(text.to_owned(), Rc::clone(&compiled));
                compiled
            }
        };
        let inside = Inside { sources: &self.runbook.sources, span, text, skip };
        match &*compiled {
            Err(failure) => self.problems.push(diagnostics::template_failed(
                &inside,
                failure.range.clone(),
                failure.kind,
                &failure.detail,
            )),
            Ok(paths) => {
                let problems: Vec<Diagnostic> =
                    paths.iter().filter_map(|path| self.name(path, &inside, scope)).collect();
                self.problems.extend(problems);
            }
        }
    }

    fn name(&self, path: &Path, inside: &Inside<'_>, scope: Scope) -> Option<Diagnostic> {
        let [root, rest @ ..] = path.segments.as_slice() else { return None };
        match (root.name.as_str(), rest) {
            ("answers", [step, ..]) => self.step(path, &step.name, inside, scope, Wanted::Answer),
            ("steps", [step, ..]) => self.step(path, &step.name, inside, scope, Wanted::Figures),
            ("answers" | "steps" | "run" | "env", []) => None,
            ("env", [name, ..]) => {
                let listed = self.runbook.environment.iter().any(|listed| listed.value == name.name);
                (!listed && !self.unread.may_hold("environment"))
                    .then(|| diagnostics::unlisted_environment(&name.name, inside.place(&name.range)))
            }
            ("run", _) => None,
            ("item", _) if scope.item == Item::Present => None,
            ("item", _) => Some(diagnostics::item_without_list(inside.place(&root.range))),
            (name, _) if scope.secrets == Secrets::Refused && self.secrets.contains(&name) => {
                let declared = self.runbook.vars[name].name.span;
                Some(diagnostics::secret_out_of_place(name, inside.place(&root.range), declared))
            }
            (name, _) if self.runbook.vars.contains_key(name) => None,
            (name, _) if self.functions.iter().any(|function| function == name) => None,
            (name, _) if self.unread.may_hold(name) => None,
            _ if self.follows_hyphen(inside.text, path.range.start) => None,
            (name, _) => {
                let variables: Vec<&str> = self.runbook.vars.keys().map(String::as_str).collect();
                let hyphenated = hyphenated(inside.text, &path.range).map(|name| name.replace('-', "_"));
                let subtracted = hyphenated.filter(|name| variables.contains(&name.as_str()));
                let place = inside.place(&root.range);
                Some(diagnostics::unknown_name(name, place, &variables, subtracted.as_deref()))
            }
        }
    }

    fn step(
        &self,
        path: &Path,
        name: &str,
        inside: &Inside<'_>,
        scope: Scope,
        wanted: Wanted,
    ) -> Option<Diagnostic> {
        let root = path.segments[0].name.as_str();
        let place = inside.place(&path.segments[1].range);
        let Some(step) = self.steps.get(&name.replace('-', "_")) else {
            if let Some(id) = hyphenated(inside.text, &path.range)
                && let Some(step) = self.longest_step(name, &id)
            {
                let whole = path.segments[1].range.start..path.segments[1].range.start + step.len();
                return Some(diagnostics::hyphen_subtracts(root, &step, inside.place(&whole)));
            }
            if self.unread.may_hold(name) {
                return None;
            }
            let mut known: Vec<&str> = self
                .steps
                .values()
                .filter(|step| step.number < scope.before)
                .filter(|step| wanted == Wanted::Figures || step.answer == Answer::Readable)
                .map(|step| step.id.value.as_str())
                .collect();
            known.sort_unstable();
            return Some(diagnostics::unknown_step(name, place, &known));
        };
        if step.number >= scope.before {
            return Some(diagnostics::later_step(&step.id.value, place, step.id.span));
        }
        match (wanted, step.answer) {
            (Wanted::Answer, Answer::None) => {
                Some(diagnostics::not_a_checkpoint(&step.id.value, place, step.id.span))
            }
            (Wanted::Answer, Answer::Secret) => {
                Some(diagnostics::secret_answer(&step.id.value, place, step.id.span))
            }
            _ => None,
        }
    }

    /// Whether a name is the rest of `old-host`, of which the first part is told already.
    fn follows_hyphen(&self, text: &str, start: usize) -> bool {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if !text[..start].ends_with('-') {
            return false;
        }
        let first = text[..start].rfind(|c: char| !word(c)).map_or(0, |at| at + 1);
        let end = text[start..].find(|c: char| !word(c)).map_or(text.len(), |at| start + at);
        let name = text[first..end].replace('-', "_");
        self.runbook.vars.contains_key(&name) || self.longest_step("", &text[first..end]).is_some()
    }

    /// The longest id of a step that the words `first-…` begin with.
    fn longest_step(&self, first: &str, words: &str) -> Option<String> {
        let mut id = words;
        while id.len() > first.len() {
            if let Some(step) = self.steps.get(&id.replace('-', "_")) {
                return Some(step.id.value.clone());
            }
            id = id.rsplit_once('-')?.0;
        }
        None
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Answer,
    Figures,
}

/// The last name of a path and the words that follow it with hyphens: `my-step` of `answers.my-step == 'x'`.
fn hyphenated(text: &str, path: &std::ops::Range<usize>) -> Option<String> {
    let start =
        text[..path.end].rfind(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).map_or(0, |at| at + 1);
    let rest = &text[start..];
    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-')).unwrap_or(rest.len());
    let words = rest[..end].trim_end_matches('-');
    words.contains('-').then(|| words.to_owned())
}

/// Compiles a template and finds the names that it takes from outside, and secrets wherever they are named:
/// `{% set key = key %}` takes one from outside and hides it.
fn compile(environment: &Environment<'static>, text: &str, secrets: &[&str]) -> Result<Vec<Path>, Failure> {
    let outside = match template::sole_expression(text) {
        Some(range) => environment
            .compile_expression(&text[range.clone()])
            .map(|expression| expression.undeclared_variables(false))
            .map_err(|error| template::failure(&error, range.start))?,
        None => environment
            .template_from_named_str("template", text)
            .map(|template| template.undeclared_variables(false))
            .map_err(|error| template::failure(&error, 0))?,
    };
    let mut paths = Vec::new();
    for range in template::expressions(text) {
        paths.extend(template::paths(text, range));
    }
    paths.retain(|path| {
        path.segments
            .first()
            .is_some_and(|root| outside.contains(root.name.as_str()) || secrets.contains(&root.name.as_str()))
    });
    // A name twice in one text is one problem.
    let mut seen = std::collections::HashSet::new();
    paths.retain(|path| seen.insert(path.segments.iter().map(|s| s.name.clone()).collect::<Vec<_>>()));
    Ok(paths)
}

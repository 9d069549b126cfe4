//! What is wrong with a runbook or a variable file: one named function a kind, each with a code, the place and a help line.
//!
//! A diagnostic is a value; how it is printed is decided in `report`.

use std::ops::Range;

use minijinja::ErrorKind;

use super::entry;
use super::model::{Raw, VarDecl, VarType};
use super::source::{Sources, Span, Spanned};
use crate::values::{Form, Misfit, alternatives, did_you_mean};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    Error,
    Warning,
}

/// A marked place and what to say of it.
#[derive(Clone, Debug)]
pub struct Label {
    pub span: Span,
    pub text: String,
}

/// One problem. The first label is the place it is reported at.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// Stable, for scripts: `movebook::unknown_filter`.
    pub code: &'static str,
    pub severity: Severity,
    pub message: String,
    /// Empty for what has no place in a file (`--var`, the environment).
    pub labels: Vec<Label>,
    pub help: Option<String>,
}

impl Diagnostic {
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, severity: Severity::Error, message: message.into(), labels: Vec::new(), help: None }
    }

    pub fn label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

// The text of a file.

pub fn unreadable_file(span: Option<Span>, path: &str, error: &std::io::Error) -> Diagnostic {
    let reason = match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        _ => error.to_string(),
    };
    placed(
        Diagnostic::error("movebook::unreadable_file", format!("cannot read {}", shown(path))),
        span,
        reason,
    )
}

pub fn not_utf8(span: Option<Span>, path: &str, offset: usize) -> Diagnostic {
    let message = format!("{} is not UTF-8 text", shown(path));
    placed(
        Diagnostic::error("movebook::not_utf8", message),
        span,
        format!("the first byte that is not is number {}", offset + 1),
    )
    .help("save it as UTF-8 (Notepad: Save As, Encoding: UTF-8)")
}

pub fn too_large(span: Span, most: usize) -> Diagnostic {
    Diagnostic::error("movebook::too_large", "this file is too large")
        .label(span, format!("more than {} MiB", most >> 20))
}

pub fn too_much(span: Span) -> Diagnostic {
    Diagnostic::error("movebook::too_large", "this file holds too much").label(span, "read up to here")
}

pub fn too_deep(span: Span, most: usize) -> Diagnostic {
    Diagnostic::error("movebook::too_deep", "this is nested too deeply")
        .label(span, format!("more than {most} levels"))
}

pub fn too_many_aliases(span: Span) -> Diagnostic {
    Diagnostic::error("movebook::too_many_aliases", "the aliases in this file add up to too much")
        .label(span, "this one goes beyond the limit")
        .help("an alias `*name` stands for a copy of all that its anchor `&name` holds; use fewer, or smaller ones")
}

pub fn unknown_anchor(span: Span, alias: &str) -> Diagnostic {
    let name = alias.trim_start_matches('*');
    Diagnostic::error("movebook::unknown_anchor", format!("there is no anchor `&{}`", shown(name)))
        .label(span, "used here")
        .help("a value that begins with `*` is an alias; put a pattern in quotes: `'*.dat'`")
}

pub fn recursive_anchor(span: Span) -> Diagnostic {
    Diagnostic::error("movebook::recursive_anchor", "this alias holds itself")
        .label(span, "inside its own anchor")
}

pub fn several_documents(span: Span) -> Diagnostic {
    Diagnostic::error("movebook::several_documents", "this file has more than one YAML document")
        .label(span, "the second one begins here")
        .help("one file holds one runbook; take out the line `---` or `...`")
}

pub fn unsupported_tag(span: Span, tag: &str) -> Diagnostic {
    Diagnostic::error("movebook::unsupported_tag", "YAML tags are not supported")
        .label(span, "has a tag")
        .help(format!("take out the `!` and what follows it, or put the value in quotes: `'{}'`", shown(tag)))
}

pub fn empty_file(span: Span) -> Diagnostic {
    Diagnostic::error("movebook::empty_file", "this file is empty")
        .label(span, "no runbook here")
        .help("a runbook begins with `movebook: 1`")
}

pub fn tab(span: Span) -> Diagnostic {
    Diagnostic::error("movebook::tab", "a line is indented with a tab")
        .label(span, "a tab")
        .help("YAML takes only spaces for indentation")
}

pub fn bad_escape(span: Span, line: &str) -> Diagnostic {
    let help = match line.split('"').nth(1) {
        Some(text) if !text.contains('\'') => {
            format!(
                "in double quotes `\\` begins an escape; write a path in single quotes: `'{}'`",
                shown(text)
            )
        }
        _ => "in double quotes `\\` begins an escape; write a path in single quotes".to_owned(),
    };
    Diagnostic::error("movebook::bad_escape", "unknown escape in a text in double quotes")
        .label(span, "not an escape of YAML")
        .help(help)
}

/// A text that holds a control character, as `"C:\temp"` does.
pub fn escaped_path(span: Span, written: &str) -> Diagnostic {
    let inside = written.trim_matches('"');
    Diagnostic::error("movebook::bad_escape", "this path holds a control character")
        .label(span, "a backslash in double quotes became one")
        .help(format!("write a path in single quotes: `'{}'`", shown(inside)))
}

pub fn unquoted_template(span: Span, template: &str) -> Diagnostic {
    Diagnostic::error("movebook::unquoted_template", "a template must be in quotes")
        .label(span, "YAML reads this as a mapping")
        .help(format!("write `'{}'`", shown(template)))
}

pub fn syntax(span: Span, message: &str) -> Diagnostic {
    let help = if message.contains("quoted scalar") {
        "is a quote left open? inside single quotes a `'` is written twice: `'it''s'`"
    } else if message.contains("did not find expected") || message.contains("indent") {
        "is this line indented like those that it belongs to?"
    } else {
        "is a bracket, a brace or a quote left open on a line above?"
    };
    Diagnostic::error("movebook::yaml", format!("this is not valid YAML: {}", shown(message)))
        .label(span, "here")
        .help(help)
}

pub fn key_not_text(span: Span) -> Diagnostic {
    Diagnostic::error("movebook::key_not_text", "a key must be text").label(span, "not text")
}

pub fn duplicate_key(key: &str, span: Span, first: Span) -> Diagnostic {
    Diagnostic::error("movebook::duplicate_key", format!("the key `{}` is given twice", shown(key)))
        .label(span, "given again")
        .label(first, "first given here")
        .help("keep one of them")
}

pub fn bad_merge(span: Span) -> Diagnostic {
    Diagnostic::error("movebook::bad_merge", "`<<` takes the keys of a mapping, and this is none")
        .label(span, "nothing to merge")
        .help("write an alias of a mapping: `<<: *name`")
}

// The structure.

pub fn unknown_key(key: &Spanned<String>, meant: Option<&str>, known: &[&str]) -> Diagnostic {
    if entry::LATER_ACTIONS.contains(&key.value.as_str()) && known.contains(&"checkpoint") {
        return Diagnostic::error(
            "movebook::later_action",
            format!("the action `{}` comes in a later version of movebook", key.value),
        )
        .label(key.span, "not in this version")
        .help(format!("this version has {}", list(entry::ACTIONS)));
    }
    Diagnostic::error("movebook::unknown_key", format!("unknown key `{}`", shown(key)))
        .label(key.span, "not known here")
        .help(match meant {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("allowed here: {}", list(known)),
        })
}

pub fn no_value(span: Span, expected: &str) -> Diagnostic {
    Diagnostic::error("movebook::no_value", "this key has no value")
        .label(span, format!("expected {expected}"))
        .help("give it one, or take the line out")
}

pub fn missing_key(span: Span, key: &str) -> Diagnostic {
    Diagnostic::error("movebook::missing_key", format!("missing key `{key}`"))
        .label(span, format!("`{key}` belongs in here"))
}

/// Not one key of a set that asks for exactly one.
pub fn exactly_one(span: Span, choices: &[&str], given: &[&Spanned<String>]) -> Diagnostic {
    let of_step = choices == entry::ACTIONS;
    match given {
        [first, rest @ ..] => {
            let names: Vec<&str> = given.iter().map(|key| key.value.as_str()).collect();
            let message = match (of_step, rest) {
                (true, _) => format!("a step has one action, and this one has {}", list(&names)),
                (false, _) => format!("{} cannot stand together", list(&names)),
            };
            let code = if of_step { "movebook::several_actions" } else { "movebook::conflicting_keys" };
            let mut diagnostic = Diagnostic::error(code, message);
            for key in rest {
                diagnostic = diagnostic.label(key.span, "a second one");
            }
            let diagnostic = diagnostic.label(first.span, "the first");
            if of_step {
                diagnostic.help("make a step of each, with an id of its own")
            } else {
                diagnostic.help(format!("keep one of {}", alternatives(choices)))
            }
        }
        [] if of_step => Diagnostic::error("movebook::no_action", "this step has no action")
            .label(span, "does nothing")
            .help(format!("give it one of {}", alternatives(choices))),
        [] => {
            Diagnostic::error("movebook::missing_key", format!("one of {} is missing", alternatives(choices)))
                .label(span, "belongs in here")
        }
    }
}

pub fn key_needs(key: &Spanned<String>, other: &str) -> Diagnostic {
    Diagnostic::error("movebook::missing_key", format!("`{}` has a meaning only beside `{other}`", key.value))
        .label(key.span, format!("`{other}` is missing"))
}

pub fn wrong_type(span: Span, expected: &str, found: &Raw) -> Diagnostic {
    Diagnostic::error("movebook::wrong_type", format!("expected {expected}, found {}", described(found)))
        .label(span, format!("this is {}", kind(found)))
}

/// A literal that is not what its place asks for.
pub fn unfit_literal(node: &Spanned<Raw>, form: &Form) -> Diagnostic {
    let shown_value = described(&node.value);
    match (form, &node.value) {
        (_, Raw::Null) => no_value(node.span, &form.expected()),
        (Form::Choice(words), Raw::Text(text)) => {
            let diagnostic = Diagnostic::error(
                "movebook::unknown_value",
                format!("`{}` is not allowed here", shown(text)),
            )
            .label(node.span, format!("expected {}", alternatives(words)));
            match did_you_mean(text, words.iter().copied()) {
                Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
                None => diagnostic,
            }
        }
        (Form::Text, Raw::Integer(_) | Raw::Boolean(_) | Raw::Float(_)) => {
            Diagnostic::error("movebook::wrong_type", format!("expected text, found {shown_value}"))
                .label(node.span, format!("this is {}", kind(&node.value)))
                .help("put it in quotes to make it text")
        }
        (Form::Duration, Raw::Integer(number)) => {
            Diagnostic::error("movebook::wrong_duration", format!("the duration {number} has no unit"))
                .label(node.span, "seconds, minutes, hours?")
                .help(format!("write `{number}s`, `{number}m` or `{number}h`"))
        }
        (Form::Duration, Raw::Text(text)) => {
            let reason = match crate::values::duration(text) {
                Err(misfit) => misfit.reason,
                Ok(_) => format!("expected {}", form.expected()),
            };
            Diagnostic::error("movebook::wrong_duration", format!("`{}` is no duration", shown(text)))
                .label(node.span, reason)
                .help("write it as `30s`, `10m`, `1h 30m` or `1d`")
        }
        (Form::Size, Raw::Text(text)) => {
            let reason = match crate::values::size(text) {
                Err(misfit) => misfit.reason,
                Ok(_) => format!("expected {}", form.expected()),
            };
            Diagnostic::error("movebook::wrong_size", format!("`{}` is no size", shown(text)))
                .label(node.span, reason)
                .help("write it as `512KiB`, `50MiB` or `2GiB`")
        }
        (Form::Integer(..) | Form::Boolean, Raw::Text(_)) => Diagnostic::error(
            "movebook::wrong_type",
            format!("expected {}, found {shown_value}", form.expected()),
        )
        .label(node.span, "this is text")
        .help("write it without quotes, or as a template `'{{ … }}'`"),
        (Form::Integer(..), Raw::Integer(number)) => {
            Diagnostic::error("movebook::out_of_range", format!("{number} is out of range"))
                .label(node.span, format!("expected {}", form.expected()))
        }
        _ => wrong_type(node.span, &form.expected(), &node.value),
    }
}

pub fn bad_name(name: &Spanned<String>, pattern: &str) -> Diagnostic {
    let (what, help) = match pattern {
        "^[a-z][a-z0-9_]*$" => (
            "a variable's name is small letters, digits and underscores, and begins with a letter",
            respelled(name, '_'),
        ),
        "^[^=]+$" => ("the name of an environment variable has no `=` and is not empty", None),
        _ => (
            "an id is small letters, digits and hyphens, and begins with a letter or a digit",
            respelled(name, '-'),
        ),
    };
    let diagnostic =
        Diagnostic::error("movebook::bad_name", format!("`{}` cannot be a name here", shown(name)))
            .label(name.span, what);
    match help {
        Some(respelled) => diagnostic.help(format!("write `{respelled}`")),
        None => diagnostic,
    }
}

pub fn unknown_version(node: &Spanned<Raw>) -> Diagnostic {
    Diagnostic::error(
        "movebook::unknown_version",
        format!("this version of movebook reads `movebook: 1`, not {}", described(&node.value)),
    )
    .label(node.span, "expected 1")
}

pub fn empty_list(span: Span, what: &str) -> Diagnostic {
    Diagnostic::error("movebook::empty_list", format!("there is no {what} here"))
        .label(span, format!("expected at least one {what}"))
}

// Several files.

pub fn filter_twice(name: &Spanned<String>, first: Span) -> Diagnostic {
    Diagnostic::error("movebook::filter_twice", format!("the filter `{}` is there already", name.value))
        .label(name.span, "declared again")
        .label(first, "first declared here")
        .help("give one of them another name, or keep it in one file only")
}

pub fn variable_twice(second: &VarDecl, first: &VarDecl) -> Diagnostic {
    let message = format!(
        "the variable `{}` is of type `{}` here and `{}` in another file",
        second.name.value,
        second.kind.value.word(),
        first.kind.value.word()
    );
    Diagnostic::error("movebook::variable_twice", message)
        .label(second.kind.span, "another type")
        .label(first.kind.span, "first declared here")
}

pub fn include_cycle(span: Span, cycle: &[String]) -> Diagnostic {
    let name = |file: &String| if file.is_empty() { "this runbook".to_owned() } else { shown(file) };
    let mut way: Vec<String> = cycle.iter().map(name).collect();
    way.extend(cycle.first().map(name));
    Diagnostic::error("movebook::include_cycle", "this include goes in a circle")
        .label(span, "leads back to itself")
        .help(format!("the way is {}", way.join(" → ")))
}

pub fn included_twice(include: &Spanned<String>) -> Diagnostic {
    Diagnostic::error("movebook::included_twice", format!("`{}` is included twice", shown(include)))
        .label(include.span, "included again")
        .help("its steps would have the same ids twice")
}

pub fn too_many_includes(span: Span, most: usize) -> Diagnostic {
    Diagnostic::error("movebook::too_many_includes", "this runbook includes too many files")
        .label(span, format!("one more than {most}"))
}

pub fn defaults_in_include(span: Span) -> Diagnostic {
    Diagnostic::error("movebook::defaults_in_include", "an included file cannot set defaults")
        .label(span, "these would change steps of other files")
        .help("set them in the main runbook, or at the steps")
}

pub fn absolute_include(span: Span) -> Diagnostic {
    Diagnostic::error("movebook::absolute_include", "an include must be a relative path")
        .label(span, "absolute")
        .help("write it relative to this file, such as `common/tail.yaml`")
}

pub fn include_outside(span: Span) -> Diagnostic {
    Diagnostic::error("movebook::include_outside", "this include leaves the repository")
        .label(span, "outside of it")
        .help("included files lie below the nearest folder with a `.git`, or else below the main runbook's folder")
}

// References.

pub fn unknown_filter(name: &str, span: Span, known: &[&str]) -> Diagnostic {
    let diagnostic =
        Diagnostic::error("movebook::unknown_filter", format!("there is no filter `{}`", shown(name)))
            .label(span, "not under `filters`");
    match did_you_mean(name, known.iter().copied()) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None if known.is_empty() => {
            diagnostic.help("this runbook declares no filters; leave `filter` out to take every file")
        }
        None => diagnostic.help(format!("there is {}", list(known))),
    }
}

pub fn duplicate_id(what: &str, id: &Spanned<String>, first: &Spanned<String>) -> Diagnostic {
    let message = if id.value == first.value {
        format!("the {what} id `{}` is given twice", shown(id))
    } else {
        format!("the {what} ids `{}` and `{}` are the same in templates", shown(first), shown(id))
    };
    Diagnostic::error("movebook::duplicate_id", message)
        .label(id.span, "given again")
        .label(first.span, "first given here")
        .help("ids are unique in the whole runbook, its included files too")
}

pub fn unknown_name(name: &str, place: Span, variables: &[&str], subtracted: Option<&str>) -> Diagnostic {
    let diagnostic =
        Diagnostic::error("movebook::unknown_name", format!("nothing is called `{}`", shown(name)))
            .label(place, "not a variable of this runbook");
    let truth = match name.to_lowercase().as_str() {
        "yes" | "on" | "y" => Some("true"),
        "no" | "off" | "n" => Some("false"),
        _ => None,
    };
    if let Some(truth) = truth {
        return diagnostic.help(format!("did you mean `{truth}`?"));
    }
    if let Some(meant) = subtracted {
        return diagnostic.help(format!("a hyphen subtracts; did you mean `{meant}`?"));
    }
    let others = ["answers", "steps", "run", "env"];
    match did_you_mean(name, variables.iter().copied().chain(others)) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None if variables.is_empty() => {
            diagnostic.help("declare it under `vars`, or put it in quotes to make it text")
        }
        None => diagnostic.help(format!("the variables are {}", list(variables))),
    }
}

pub fn unknown_step(name: &str, place: Span, earlier: &[&str]) -> Diagnostic {
    let diagnostic =
        Diagnostic::error("movebook::unknown_step", format!("there is no step `{}`", shown(name)))
            .label(place, "no step has this id");
    match did_you_mean(name, earlier.iter().copied()) {
        Some(near) => diagnostic.help(format!("did you mean `{}`?", near.replace('-', "_"))),
        None if earlier.is_empty() => diagnostic.help("no step before this one has a result"),
        None => diagnostic.help(format!("the steps before this one are {}", list(earlier))),
    }
}

pub fn hyphen_subtracts(root: &str, step: &str, place: Span) -> Diagnostic {
    let name = step.replace('-', "_");
    Diagnostic::error("movebook::hyphen_subtracts", format!("`{root}.{step}` is read as a subtraction"))
        .label(place, "the hyphen is a minus")
        .help(format!("write `{root}.{name}` or `{root}['{step}']`"))
}

pub fn later_step(step: &str, place: Span, declared: Span) -> Diagnostic {
    Diagnostic::error("movebook::later_step", format!("the step `{step}` is not done before this one"))
        .label(place, "used before it can be known")
        .label(declared, "it comes here")
        .help("only results of earlier steps can be used")
}

pub fn not_a_checkpoint(step: &str, place: Span, declared: Span) -> Diagnostic {
    Diagnostic::error("movebook::not_a_checkpoint", format!("the step `{step}` asks for no answer"))
        .label(place, "has no answer")
        .label(declared, "no checkpoint")
        .help(format!("figures of other steps are under `steps.{}`", step.replace('-', "_")))
}

pub fn secret_answer(step: &str, place: Span, declared: Span) -> Diagnostic {
    Diagnostic::error("movebook::secret_answer", format!("the answer to `{step}` is secret and is not kept"))
        .label(place, "cannot be used")
        .label(declared, "asked for here")
        .help("only a hash is kept; a later checkpoint can ask again with `same_as`, and a value comes from a variable of type `secret`")
}

pub fn same_as_needs_secret(same_as: &Spanned<String>) -> Diagnostic {
    Diagnostic::error(
        "movebook::same_as_needs_secret",
        "`same_as` belongs to a checkpoint with `answer: secret`",
    )
    .label(same_as.span, "this one asks for something else")
}

pub fn not_a_secret_checkpoint(same_as: &Spanned<String>, declared: Span) -> Diagnostic {
    Diagnostic::error(
        "movebook::unknown_checkpoint",
        format!("the step `{}` asks for no secret", shown(same_as)),
    )
    .label(same_as.span, "cannot be repeated")
    .label(declared, "no secret checkpoint")
}

pub fn unknown_checkpoint(same_as: &Spanned<String>, earlier: &[&str]) -> Diagnostic {
    let message = format!("there is no secret checkpoint `{}` before this one", shown(same_as));
    let diagnostic =
        Diagnostic::error("movebook::unknown_checkpoint", message).label(same_as.span, "names no step");
    match did_you_mean(same_as, earlier.iter().copied()) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None if earlier.is_empty() => diagnostic.help("no earlier checkpoint has `answer: secret`"),
        None => diagnostic.help(format!("there is {}", list(earlier))),
    }
}

pub fn unlisted_environment(name: &str, place: Span) -> Diagnostic {
    Diagnostic::error(
        "movebook::unlisted_environment",
        format!("the environment variable `{}` is not listed", shown(name)),
    )
    .label(place, "not listed")
    .help(format!("add it at the top of the runbook: `environment: [{}]`", shown(name)))
}

pub fn bad_environment_name(name: &Spanned<String>) -> Diagnostic {
    Diagnostic::error("movebook::bad_name", format!("`{}` cannot be a name here", shown(name)))
        .label(name.span, "the name of an environment variable is letters, digits and underscores")
}

pub fn item_without_list(place: Span) -> Diagnostic {
    Diagnostic::error("movebook::item_without_list", "`item` has a meaning only in a step with `for_each`")
        .label(place, "there is no list here")
}

pub fn condition_in_braces(span: Span, text: &str) -> Diagnostic {
    let inner = crate::runbook::template::sole_expression(text.trim())
        .map(|range| text.trim()[range].trim().to_owned());
    let diagnostic =
        Diagnostic::error("movebook::condition_in_braces", "a condition is written without braces")
            .label(span, "an expression already");
    match inner {
        Some(inner) => diagnostic.help(format!("write `{}`", shown(&inner))),
        None => diagnostic.help("write it like `engine == 'native'`"),
    }
}

pub fn empty_condition(span: Span) -> Diagnostic {
    Diagnostic::error("movebook::empty_condition", "this condition is empty")
        .label(span, "expected an expression")
        .help("write it like `engine == 'native'`, or take the line out")
}

// Declarations and literals.

pub fn reserved_name(name: &Spanned<String>) -> Diagnostic {
    Diagnostic::error(
        "movebook::reserved_name",
        format!("`{}` means something else in templates", name.value),
    )
    .label(name.span, "cannot be a variable")
    .help("give it another name")
}

pub fn choice_without_choices(declared: &VarDecl) -> Diagnostic {
    Diagnostic::error(
        "movebook::missing_key",
        format!("the variable `{}` has no choices", declared.name.value),
    )
    .label(declared.kind.span, "a `choice` needs `choices`")
    .help("write `choices: [one, another]`")
}

pub fn choice_twice(choice: &Spanned<String>, first: Span) -> Diagnostic {
    Diagnostic::error("movebook::choice_twice", format!("the choice `{}` is given twice", shown(choice)))
        .label(choice.span, "given again")
        .label(first, "first given here")
}

pub fn key_of_other_type(key: &str, span: Span, declared: &VarDecl) -> Diagnostic {
    let message = format!("`{key}` has no meaning for a variable of type `{}`", declared.kind.value.word());
    Diagnostic::error("movebook::key_of_other_type", message)
        .label(span, "no meaning here")
        .label(declared.kind.span, "the type")
}

pub fn bad_pattern(pattern: &Spanned<String>, error: &regex::Error) -> Diagnostic {
    let text = error.to_string();
    let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
    Diagnostic::error("movebook::bad_pattern", "this is no regular expression")
        .label(pattern.span, shown(reason))
}

pub fn secret_default(span: Span) -> Diagnostic {
    Diagnostic::error(
        "movebook::secret_default",
        "a secret has no default: everybody who reads the runbook would know it",
    )
    .label(span, "take this out")
    .help("give it in a file (--vars FILE) that is not in the repository")
}

pub fn declared_misfit(declared: &VarDecl, key: &str, value: &Spanned<Raw>, misfit: &Misfit) -> Diagnostic {
    let message = format!(
        "the {} `{}` does not fit the type `{}`",
        match key {
            "min" => "bound",
            other => other,
        },
        match &value.value {
            Raw::Text(text) => shown(text),
            other => shown(&other.to_json().to_string()),
        },
        declared.kind.value.word()
    );
    Diagnostic::error("movebook::wrong_declaration", message)
        .label(value.span, misfit.reason.clone())
        .label(declared.kind.span, "the type")
}

pub fn out_of_range(span: Span, number: i64, least: i64, most: i64) -> Diagnostic {
    Diagnostic::error("movebook::out_of_range", format!("{number} is out of range"))
        .label(span, format!("expected a whole number from {least} to {most}"))
}

pub fn bad_time_of_day(span: Span, text: &str) -> Diagnostic {
    Diagnostic::error("movebook::wrong_time", format!("`{}` is no time of day", shown(text)))
        .label(span, "expected a time such as `22:30`")
}

pub fn source_without_of(span: Span) -> Diagnostic {
    Diagnostic::error("movebook::missing_key", "`at_least: source` needs `of`, the folder that is measured")
        .label(span, "as much as which files?")
}

pub fn bad_free_space(span: Span, text: &str, misfit: &Misfit) -> Diagnostic {
    Diagnostic::error("movebook::wrong_size", format!("`{}` is no size", shown(text)))
        .label(span, misfit.reason.clone())
        .help("write a size such as `50GiB`, or `source`")
}

pub fn apart_from_nothing(span: Span) -> Diagnostic {
    Diagnostic::error("movebook::empty_list", "`apart` compares two paths or more")
        .label(span, "fewer than two")
}

pub fn empty_pattern(span: Span) -> Diagnostic {
    Diagnostic::error("movebook::bad_glob", "this pattern is empty").label(span, "matches nothing")
}

pub fn backslash_in_pattern(span: Span, text: &str) -> Diagnostic {
    Diagnostic::error("movebook::bad_glob", "a pattern has `/` between folders, on Windows too")
        .label(span, "holds a backslash")
        .help(format!("write `'{}'`", shown(&text.replace('\\', "/"))))
}

pub fn bad_glob(span: Span, text: &str, error: &globset::ErrorKind) -> Diagnostic {
    Diagnostic::error("movebook::bad_glob", format!("`{}` is no pattern", shown(text)))
        .label(span, error.to_string())
}

// What a rendered value is.

/// Where a value comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    Written,
    /// A template yields it.
    Rendered,
}

pub fn misfit(span: Span, shown_value: &str, misfit: &Misfit, form: Form, origin: Origin) -> Diagnostic {
    let code = match form {
        Form::Duration => "movebook::wrong_duration",
        Form::Size => "movebook::wrong_size",
        _ => "movebook::wrong_value",
    };
    let value = shown(shown_value);
    let message = match origin {
        Origin::Rendered => format!("this template yields `{value}`, which does not fit here"),
        Origin::Written => format!("`{value}` does not fit here"),
    };
    Diagnostic::error(code, message).label(span, misfit.reason.clone())
}

pub fn condition_not_boolean(span: Span, kind: &str, shown_value: &str) -> Diagnostic {
    Diagnostic::error(
        "movebook::condition_not_boolean",
        format!("this condition is {kind}, not true or false"),
    )
    .label(span, format!("yields {}", shown(shown_value)))
    .help("compare it with something: `engine == 'native'`, `stores | length > 0`")
}

// Variables.

pub fn unknown_variable<'a>(
    span: Option<Span>,
    name: &str,
    known: impl Iterator<Item = &'a str>,
) -> Diagnostic {
    let known: Vec<&str> = known.collect();
    let diagnostic = Diagnostic::error(
        "movebook::unknown_variable",
        format!("the runbook has no variable `{}`", shown(name)),
    );
    let diagnostic = match span {
        Some(span) => diagnostic.label(span, "not declared"),
        None => diagnostic,
    };
    match did_you_mean(name, known.iter().copied()) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None if known.is_empty() => diagnostic.help("it declares none"),
        None => diagnostic.help(format!("it declares {}", list(&known))),
    }
}

/// Adds where a value without a file came from.
pub fn given_by(mut diagnostic: Diagnostic, source: &str) -> Diagnostic {
    diagnostic.message = format!("{} (given by {source})", diagnostic.message);
    diagnostic
}

pub fn secret_argument(name: &str) -> Diagnostic {
    Diagnostic::error(
        "movebook::secret_argument",
        format!(
            "the secret `{}` cannot be given by --var: everybody on the machine can read it there",
            shown(name)
        ),
    )
    .help(format!("give it in a file (--vars FILE) or as MOVEBOOK_VAR_{}", name.to_uppercase()))
}

pub fn missing_variable(declared: &VarDecl) -> Diagnostic {
    let name = &declared.name.value;
    let meaning = match &declared.description {
        Some(description) => shown(description.lines().next().unwrap_or_default()),
        None => format!("a value of type `{}`", declared.kind.value.word()),
    };
    let example = match (&declared.example, declared.kind.value) {
        (Some(example), _) => written_value(&example.value),
        (None, VarType::Choice) => {
            declared.choices.first().map_or_else(|| "…".into(), |choice| choice.value.clone())
        }
        _ => "…".to_owned(),
    };
    let help = if declared.kind.value == VarType::Secret {
        format!("put `{name}: {example}` into a file for --vars, or set MOVEBOOK_VAR_{}", name.to_uppercase())
    } else {
        format!("put `{name}: {example}` into a file for --vars, or give --var {name}=…")
    };
    Diagnostic::error("movebook::missing_variable", format!("the variable `{name}` has no value"))
        .label(declared.name.span, meaning)
        .help(help)
}

/// A value that is not what its declaration asks for. A secret is not shown.
pub fn variable_misfit(
    declared: &VarDecl,
    span: Option<Span>,
    raw: &Raw,
    misfit: &Misfit,
    source: Option<&str>,
) -> Diagnostic {
    let name = &declared.name.value;
    let message = if declared.kind.value == VarType::Secret {
        format!("the value of the secret `{name}` does not fit")
    } else {
        format!("{} does not fit the variable `{name}`", described(raw))
    };
    let mut diagnostic = Diagnostic::error("movebook::wrong_variable", message);
    match span {
        Some(span) => {
            diagnostic =
                diagnostic.label(span, misfit.reason.clone()).label(declared.name.span, "declared here")
        }
        None => {
            diagnostic = given_by(diagnostic, source.unwrap_or("the command line"));
            diagnostic = diagnostic.label(declared.name.span, misfit.reason.clone());
        }
    }
    if let (VarType::Choice, Raw::Text(text)) = (declared.kind.value, raw)
        && let Some(near) = did_you_mean(text, declared.choices.iter().map(|choice| choice.value.as_str()))
    {
        return diagnostic.help(format!("did you mean `{near}`?"));
    }
    diagnostic
}

/// A scalar as one would write it in a variable file.
fn written_value(raw: &Raw) -> String {
    match raw {
        Raw::Text(text) => format!("'{}'", shown(text).replace('\'', "''")),
        other => other.to_json().to_string(),
    }
}

/// A template inside a text, for places within it.
pub struct Inside<'a> {
    pub sources: &'a Sources,
    pub span: Span,
    /// The text as it was rendered.
    pub text: &'a str,
    /// Bytes at its start that the author did not write.
    pub skip: usize,
}

impl Inside<'_> {
    /// Where a range of the rendered text stands in the file.
    pub fn place(&self, range: &Range<usize>) -> Span {
        let end = self.text.len().saturating_sub(self.skip);
        let content = self.text.get(self.skip..).unwrap_or_default();
        let start = range.start.saturating_sub(self.skip).min(end);
        let stop = range.end.saturating_sub(self.skip).clamp(start, end);
        super::source::within(self.sources, self.span, content, start..stop)
    }
}

pub fn template_failed(
    inside: &Inside<'_>,
    range: Option<Range<usize>>,
    kind: ErrorKind,
    detail: &str,
) -> Diagnostic {
    let place = range.as_ref().map_or(inside.span, |range| inside.place(range));
    let detail = shown(detail);
    let equals = range
        .as_ref()
        .and_then(|range| inside.text.get(range.start..))
        .is_some_and(|rest| rest.starts_with('='));
    if kind == ErrorKind::SyntaxError && equals {
        return Diagnostic::error("movebook::template_syntax", "one `=` does not compare")
            .label(place, "here")
            .help("write `==`");
    }
    if kind == ErrorKind::SyntaxError && detail.contains("end of input") && detail.contains("block") {
        let open = range.as_ref().and_then(|range| {
            let before = inside.text.get(..range.start)?;
            before.rfind("{{").max(before.rfind("{%")).map(|open| open..range.end)
        });
        let place = open.as_ref().map_or(place, |open| inside.place(open));
        return Diagnostic::error("movebook::unclosed_template", "this template is not closed")
            .label(place, "opened here")
            .help("`{{` needs `}}`, `{%` needs `%}`, and `{% if … %}` needs `{% endif %}`");
    }
    let (code, message, label) = match kind {
        ErrorKind::UndefinedError => {
            ("movebook::undefined", "this has no value".to_owned(), "undefined".to_owned())
        }
        ErrorKind::SyntaxError => {
            ("movebook::template_syntax", format!("template: {detail}"), "here".to_owned())
        }
        ErrorKind::UnknownFilter => {
            ("movebook::unknown_template_filter", format!("template: {detail}"), "not known".to_owned())
        }
        ErrorKind::OutOfFuel => (
            "movebook::template_too_costly",
            "this template takes too long to render".to_owned(),
            "stopped".to_owned(),
        ),
        _ => (
            "movebook::template_failed",
            format!(
                "this template cannot be rendered: {}",
                if detail.is_empty() { kind.to_string() } else { detail }
            ),
            "here".to_owned(),
        ),
    };
    Diagnostic::error(code, message).label(place, label)
}

fn placed(diagnostic: Diagnostic, span: Option<Span>, text: String) -> Diagnostic {
    match span {
        Some(span) => diagnostic.label(span, text),
        None => {
            let message = format!("{}: {text}", diagnostic.message);
            Diagnostic { message, ..diagnostic }
        }
    }
}

/// A text from a file as a terminal may show it: on one line, without control characters, and not too long.
pub fn shown(text: &str) -> String {
    let mut line = String::new();
    for (at, character) in text.chars().enumerate() {
        if at == 60 {
            line.push('…');
            break;
        }
        let hidden = character.is_control()
            || matches!(character, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
        if hidden {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    line
}

fn respelled(name: &str, join: char) -> Option<String> {
    let spelled: String =
        name.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { join }).collect();
    let spelled = spelled.trim_matches(join).to_owned();
    (!spelled.is_empty()
        && spelled != name
        && (join == '-' || !spelled.starts_with(|c: char| c.is_ascii_digit())))
    .then_some(spelled)
}

fn list(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{}`", shown(name))).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => quoted.join(", "),
    }
}

fn kind(raw: &Raw) -> &'static str {
    match raw {
        Raw::Text(_) => "text",
        Raw::Integer(_) | Raw::Float(_) => "a number",
        Raw::Boolean(_) => "a boolean",
        Raw::Null => "nothing",
        Raw::List(_) => "a list",
        Raw::Map(_) => "a mapping",
    }
}

/// A value in a sentence: `the text "x"`, `the number 3`, `a list`.
fn described(raw: &Raw) -> String {
    match raw {
        Raw::Text(text) => format!("`{}`", shown(text)),
        Raw::Integer(number) => format!("the number {number}"),
        Raw::Float(number) => format!("the number {number}"),
        Raw::Boolean(truth) => format!("`{truth}`"),
        other => kind(other).to_owned(),
    }
}

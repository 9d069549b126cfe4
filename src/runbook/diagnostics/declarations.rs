//! What is wrong with declarations, with literals, and with the values that a user gives to variables.

use super::{Diagnostic, described, escaped, kind, list, shown};
use crate::runbook::model::{Raw, VarDecl, VarType};
use crate::runbook::source::{Span, Spanned};
use crate::values::{Form, Misfit, did_you_mean};

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
        .label(value.span, escaped(&misfit.reason))
        .label(declared.kind.span, "the type")
}

pub fn out_of_range(span: Span, number: i64, least: i64, most: i64) -> Diagnostic {
    Diagnostic::error("movebook::out_of_range", format!("{number} is out of range"))
        .label(span, format!("expected {}", Form::Integer(least, most.unsigned_abs()).expected()))
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
        .label(span, escaped(&misfit.reason))
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

/// A key that is none, in a file of which only keys are printed: it may be a value, so it is not told.
pub fn no_variable_name(span: Span) -> Diagnostic {
    Diagnostic::error("movebook::unknown_variable", "this is not the name of a variable")
        .label(span, "not declared")
        .help("a line is written as `name: value`")
}

pub fn no_variables(span: Span, found: &Raw) -> Diagnostic {
    let message = format!("expected a mapping from variables to values, found {}", kind(found));
    Diagnostic::error("movebook::wrong_type", message).label(span, format!("this is {}", kind(found)))
}

/// A value that may be another one, in a file of which only keys are printed: an alias stands for what is elsewhere, and
/// where a quote was left open, the next lines are in it.
pub fn withheld_misfit(declared: &VarDecl, span: Span) -> Diagnostic {
    let (name, kind) = (&declared.name.value, declared.kind.value.word());
    let message = format!("the value of the variable `{name}` does not fit the type `{kind}`");
    Diagnostic::error("movebook::wrong_variable", message)
        .label(span, "an alias, or on several lines")
        .label(declared.name.span, "declared here")
        .help("write it on one line, and look for a quote that was left open")
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
                diagnostic.label(span, escaped(&misfit.reason)).label(declared.name.span, "declared here")
        }
        None => {
            diagnostic = given_by(diagnostic, source.unwrap_or("the command line"));
            diagnostic = diagnostic.label(declared.name.span, escaped(&misfit.reason));
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

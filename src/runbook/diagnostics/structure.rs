//! What is wrong with the shape of a runbook: keys, kinds of values, names.

use super::{Diagnostic, described, escaped, kind, list, respelled, shown};
use crate::copy::Bandwidth;
use crate::runbook::entry;
use crate::runbook::model::Raw;
use crate::runbook::source::{Span, Spanned};
use crate::values::{Form, alternatives, did_you_mean};

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

/// A key without `:` in a flow mapping: `{title: Copy, then verify}`.
pub fn comma_in_text(key: &Spanned<String>) -> Diagnostic {
    Diagnostic::error("movebook::unknown_key", format!("unknown key `{}`", shown(key)))
        .label(key.span, "a key without a value")
        .help("a comma ends a value here; put the text in quotes")
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
                Err(misfit) => escaped(&misfit.reason),
                Ok(_) => format!("expected {}", form.expected()),
            };
            Diagnostic::error("movebook::wrong_duration", format!("`{}` is no duration", shown(text)))
                .label(node.span, reason)
                .help("write it as `30s`, `10m`, `1h 30m` or `1d`")
        }
        (Form::Size, Raw::Text(text)) => {
            let reason = match crate::values::size(text) {
                Err(misfit) => escaped(&misfit.reason),
                Ok(_) => format!("expected {}", form.expected()),
            };
            Diagnostic::error("movebook::wrong_size", format!("`{}` is no size", shown(text)))
                .label(node.span, reason)
                .help("write it as `512KiB`, `50MiB` or `2GiB`")
        }
        (Form::Bandwidth, Raw::Text(text)) => {
            let reason = match text.parse::<Bandwidth>() {
                Err(misfit) => escaped(&misfit.reason),
                Ok(_) => format!("expected {}", form.expected()),
            };
            Diagnostic::error(
                "movebook::wrong_bandwidth",
                format!("`{}` is no limit of bandwidth", shown(text)),
            )
            .label(node.span, reason)
            .help("write it as `5MiB`, as `07:00,5MiB 19:00,off`, or `off`; it is a size a second")
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

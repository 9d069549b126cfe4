//! What is wrong with a name that stands for something else: filters, steps, answers, variables in templates.

use super::{Diagnostic, list, shown};
use crate::runbook::source::{Span, Spanned};
use crate::values::did_you_mean;

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

pub fn secret_out_of_place(name: &str, place: Span, declared: Span) -> Diagnostic {
    Diagnostic::error("movebook::secret_out_of_place", format!("the secret `{name}` would be seen here"))
        .label(place, "a secret cannot be used in this place")
        .label(declared, "declared as a secret")
        .help("give it to a command by `environment` or `input`; only conditions may look at it beside them")
}

pub fn same_as_needs_secret(same_as: &Spanned<String>) -> Diagnostic {
    Diagnostic::error(
        "movebook::same_as_needs_secret",
        "`same_as` belongs to a checkpoint with `answer: secret`",
    )
    .label(same_as.span, "this one asks for something else")
}

pub fn same_as_many(same_as: &Spanned<String>, id: &Spanned<String>, list: Span) -> Diagnostic {
    Diagnostic::error(
        "movebook::same_as_many",
        format!("`{}` is asked once for each element of a list, so it has no single answer", shown(id)),
    )
    .label(same_as.span, "which of its answers?")
    .label(list, "asked for each of these")
    .help("name a checkpoint without `for_each`")
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

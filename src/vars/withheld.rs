//! What is told of a variable file that may hold secrets.
//!
//! Pure. Invariant: no part of a value is in what is left of a diagnostic, nor a text that only may be a key.

use crate::runbook::Diagnostic;

/// Whether a key looks like a variable's name, however mistyped.
pub(super) fn is_name(key: &str) -> bool {
    key.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

/// A diagnostic of the scanner without the texts that it quotes.
pub(super) fn without_values(diagnostic: Diagnostic) -> Diagnostic {
    let (message, help) = match diagnostic.code {
        // They quote nothing.
        "movebook::bad_merge"
        | "movebook::key_not_text"
        | "movebook::recursive_anchor"
        | "movebook::several_documents"
        | "movebook::tab"
        | "movebook::too_deep"
        | "movebook::too_large"
        | "movebook::too_many_aliases"
        | "movebook::yaml" => return diagnostic,
        "movebook::bad_escape" => (
            "unknown escape in a text in double quotes",
            Some("in double quotes `\\` begins an escape; write the value in single quotes"),
        ),
        "movebook::duplicate_key" => ("a key is given twice", Some("keep one of them")),
        "movebook::unknown_anchor" => (
            "there is no such anchor",
            Some("a value that begins with `*` is an alias; put it in single quotes"),
        ),
        "movebook::unquoted_template" => {
            ("a value that begins with `{` must be in quotes", Some("put it in single quotes"))
        }
        "movebook::unsupported_tag" => {
            ("YAML tags are not supported", Some("put a value that begins with `!` in single quotes"))
        }
        _ => ("this cannot be read", None),
    };
    Diagnostic { message: message.to_owned(), help: help.map(str::to_owned), ..diagnostic }
}

//! What is wrong with a file as a text, and with the way from one file to another.

use super::{Diagnostic, placed, shown};
use crate::runbook::model::VarDecl;
use crate::runbook::source::{Span, Spanned};

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

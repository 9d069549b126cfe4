//! What is wrong with a runbook or a variable file: one named function a kind, each with a code, the place and a help line.
//!
//! A diagnostic is a value; how it is printed is decided in `report`.

mod declarations;
mod files;
mod references;
mod structure;
mod templates;

use super::model::Raw;
use super::source::Span;

pub use declarations::*;
pub use files::*;
pub use references::*;
pub use structure::*;
pub use templates::*;

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
    let mut rest = text.char_indices().skip(60);
    match rest.next() {
        Some((end, _)) => format!("{}…", escaped(&text[..end])),
        None => escaped(text),
    }
}

/// A text with a file's words in it as a terminal may show it: on one line, without control characters.
pub fn escaped(text: &str) -> String {
    let mut line = String::new();
    for character in text.chars() {
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

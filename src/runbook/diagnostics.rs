//! What is wrong with a runbook or a variable file: one named function a kind, each with a code, the place and a help line.
//!
//! A diagnostic is a value; how it is printed is decided in `report`.

use super::source::Span;

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

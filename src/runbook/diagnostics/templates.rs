//! What is wrong with a template, or with what it yields.

use super::{Diagnostic, escaped, shown};
use crate::runbook::source::{Sources, Span};
use crate::values::{Form, Misfit};
use minijinja::ErrorKind;
use std::ops::Range;

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
        Form::Bandwidth => "movebook::wrong_bandwidth",
        _ => "movebook::wrong_value",
    };
    let value = shown(shown_value);
    let message = match origin {
        Origin::Rendered => format!("this template yields `{value}`, which does not fit here"),
        Origin::Written => format!("`{value}` does not fit here"),
    };
    Diagnostic::error(code, message).label(span, escaped(&misfit.reason))
}

pub fn condition_not_boolean(span: Span, kind: &str, shown_value: &str) -> Diagnostic {
    Diagnostic::error(
        "movebook::condition_not_boolean",
        format!("this condition is {kind}, not true or false"),
    )
    .label(span, format!("yields {}", shown(shown_value)))
    .help("compare it with something: `engine == 'native'`, `stores | length > 0`")
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
        crate::runbook::source::within(self.sources, self.span, content, start..stop)
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

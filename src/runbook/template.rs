//! The template language: its environment, and where the expressions and the names in a text stand.
//!
//! What a template means is decided by minijinja alone; the places are for diagnostics and for the rule of the single
//! expression.

use std::ops::Range;

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};

/// What one template may cost, in minijinja's instructions: a hundred times what any sensible one needs.
const FUEL: u64 = 50_000;

/// The environment that templates see; also used to check them before anything is rendered.
pub fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(50);
    environment.set_debug(true);
    // It shows every value that there is, secrets too.
    environment.remove_global("debug");
    if let Ok(syntax) = SyntaxConfig::builder().keep_trailing_newline(true).build() {
        environment.set_syntax(syntax);
    }
    environment
}

/// Why a template could not be compiled or rendered, and where in its text.
pub struct Failure {
    pub kind: minijinja::ErrorKind,
    pub detail: String,
    pub range: Option<Range<usize>>,
}

/// minijinja's error with its range moved to where the expression begins.
pub fn failure(error: &minijinja::Error, start: usize) -> Failure {
    Failure {
        kind: error.kind(),
        detail: error.detail().unwrap_or_default().to_owned(),
        range: error.range().map(|range| range.start + start..range.end + start),
    }
}

/// A name and what is looked up in it: `answers.licensing`, `steps['catch-up'].seconds`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    pub segments: Vec<Segment>,
    /// From the root's first byte to the last segment's end, brackets included.
    pub range: Range<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    pub name: String,
    /// The name alone, without quotes.
    pub range: Range<usize>,
}

/// The inside of every `{{ … }}` and `{% … %}`, in order. An unclosed one reaches to the end.
pub fn expressions(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(open) = text[at..].find('{').map(|offset| at + offset) {
        let closing = match text.as_bytes().get(open + 1) {
            Some(b'{') => "}}",
            Some(b'%') => "%}",
            Some(b'#') => {
                at = text[open + 2..].find("#}").map_or(text.len(), |end| open + 2 + end + 2);
                continue;
            }
            _ => {
                at = open + 1;
                continue;
            }
        };
        let start = open + 2;
        let end = closing_at(text, start, closing).unwrap_or(text.len());
        found.push(start..end);
        at = (end + 2).min(text.len());
    }
    found
}

/// The expression of a text that is exactly one `{{ expression }}`.
pub fn sole_expression(text: &str) -> Option<Range<usize>> {
    let inner = text.strip_prefix("{{")?;
    let end = closing_at(text, 2, "}}")?;
    if end + 2 != text.len() {
        return None;
    }
    let start = 2 + inner.len() - inner.strip_prefix(['-', '+']).unwrap_or(inner).len();
    let end = if start < end && text[start..end].ends_with(['-', '+']) { end - 1 } else { end };
    (!text[start..end].trim().is_empty()).then_some(start..end)
}

/// Where the closing marker begins, outside of quotes and brackets.
fn closing_at(text: &str, start: usize, closing: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut depth = 0usize;
    let mut at = start;
    while at < bytes.len() {
        match bytes[at] {
            quote @ (b'\'' | b'"') => at = quoted_end(bytes, at, quote),
            b'(' | b'[' | b'{' => depth += 1,
            _ if depth == 0 && bytes[at..].starts_with(closing.as_bytes()) => return Some(at),
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    None
}

/// The place of the closing quote, or of the last byte where there is none.
fn quoted_end(bytes: &[u8], open: usize, quote: u8) -> usize {
    let mut at = open + 1;
    while at < bytes.len() && bytes[at] != quote {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at.min(bytes.len().saturating_sub(1))
}

/// The names in an expression, each with what is looked up in it. Names of filters, tests and attributes are left out.
pub fn paths(text: &str, within: Range<usize>) -> Vec<Path> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = within.start;
    // What came before decides whether a word is a name: after `.`, `|` and `is` it is not.
    let mut before = Before::Nothing;
    while at < within.end {
        let byte = bytes[at];
        match byte {
            b'\'' | b'"' => {
                at = quoted_end(bytes, at, byte) + 1;
                before = Before::Nothing;
            }
            _ if starts_word(byte) => {
                let end = word_end(bytes, at, within.end);
                let word = &text[at..end];
                if before == Before::Nothing && !is_keyword(word) && !is_argument_name(bytes, end, within.end)
                {
                    let path = path_from(text, at, end, within.end);
                    at = path.range.end;
                    found.push(path);
                } else {
                    at = end;
                }
                before = if word == "is" { Before::Test } else { Before::Nothing };
                if word == "not" && found.last().is_none_or(|path| path.range.end <= at) && at == end {
                    before = if text[within.start..end].trim_end().ends_with("is not") {
                        Before::Test
                    } else {
                        before
                    };
                }
            }
            b'0'..=b'9' => {
                at = word_end(bytes, at, within.end);
                before = Before::Nothing;
            }
            b'.' | b'|' => {
                before = Before::Lookup;
                at += 1;
            }
            _ => {
                if !byte.is_ascii_whitespace() {
                    before = Before::Nothing;
                }
                at += 1;
            }
        }
    }
    found
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Nothing,
    /// `.` or `|`.
    Lookup,
    /// `is`.
    Test,
}

fn path_from(text: &str, start: usize, end: usize, limit: usize) -> Path {
    let bytes = text.as_bytes();
    let mut segments = vec![Segment { name: text[start..end].to_owned(), range: start..end }];
    let mut at = end;
    loop {
        match bytes.get(at) {
            Some(b'.') if at + 1 < limit && starts_word(bytes[at + 1]) => {
                let end = word_end(bytes, at + 1, limit);
                segments.push(Segment { name: text[at + 1..end].to_owned(), range: at + 1..end });
                at = end;
            }
            Some(b'[') if at + 1 < limit => {
                let Some(quote) = bytes.get(at + 1).copied().filter(|byte| matches!(byte, b'\'' | b'"'))
                else {
                    break;
                };
                let close = quoted_end(bytes, at + 1, quote);
                if close <= at + 1 || bytes.get(close + 1) != Some(&b']') || close + 1 >= limit {
                    break;
                }
                segments.push(Segment { name: text[at + 2..close].to_owned(), range: at + 2..close });
                at = close + 2;
            }
            _ => break,
        }
    }
    Path { segments, range: start..at }
}

fn starts_word(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_'
}

fn word_end(bytes: &[u8], start: usize, limit: usize) -> usize {
    (start..limit).find(|&at| !(bytes[at].is_ascii_alphanumeric() || bytes[at] == b'_')).unwrap_or(limit)
}

fn is_keyword(word: &str) -> bool {
    matches!(
        word,
        "and"
            | "or"
            | "not"
            | "in"
            | "is"
            | "if"
            | "else"
            | "elif"
            | "endif"
            | "for"
            | "endfor"
            | "set"
            | "endset"
            | "true"
            | "false"
            | "none"
            | "True"
            | "False"
            | "None"
            | "recursive"
            | "raw"
            | "endraw"
            | "filter"
            | "endfilter"
            | "with"
            | "endwith"
            | "macro"
            | "endmacro"
            | "call"
            | "endcall"
            | "do"
    )
}

/// Whether the word is the name of an argument, `default(value=…)`.
fn is_argument_name(bytes: &[u8], end: usize, limit: usize) -> bool {
    let mut rest = (end..limit).skip_while(|&at| bytes[at] == b' ');
    rest.next().is_some_and(|at| bytes[at] == b'=' && bytes.get(at + 1) != Some(&b'='))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        expressions(text)
            .into_iter()
            .flat_map(|range| paths(text, range))
            .map(|path| path.segments.iter().map(|s| s.name.clone()).collect::<Vec<_>>().join("/"))
            .collect()
    }

    #[test]
    fn names_are_found_with_what_is_looked_up_in_them() {
        assert_eq!(names("{{ a }} {{ answers.x_y }}"), ["a", "answers/x_y"]);
        assert_eq!(names("{{ steps['catch-up'].seconds }}"), ["steps/catch-up/seconds"]);
        assert_eq!(names("{% if a and b == 'c' %}{{ d|upper }}{% endif %}"), ["a", "b", "d"]);
    }

    #[test]
    fn filters_tests_arguments_and_strings_are_no_names() {
        assert_eq!(names("{{ a | default('x', boolean=true) }}"), ["a"]);
        assert_eq!(names("{{ a is defined }}{{ b is not none }}"), ["a", "b"]);
        assert_eq!(names("{# comment #}plain {text}"), Vec::<String>::new());
    }

    #[test]
    fn a_single_expression_is_told_from_two() {
        assert_eq!(sole_expression("{{ a }}"), Some(2..5));
        assert_eq!(sole_expression("{{- a -}}"), Some(3..6));
        assert_eq!(sole_expression("{{ a }}{{ b }}"), None);
        assert_eq!(sole_expression("{{ '}}' }}"), Some(2..8));
        assert_eq!(sole_expression("x{{ a }}"), None);
        assert_eq!(sole_expression("{{ }}"), None);
        assert_eq!(sole_expression("{{-}}"), None);
        assert_eq!(sole_expression("{{ {'a': {'b': 1}} }}"), Some(2..19));
    }

    #[test]
    #[allow(clippy::single_range_in_vec_init, reason = "one range is what is meant")]
    fn an_unclosed_expression_reaches_to_the_end() {
        assert_eq!(expressions("a {{ b"), [4..6]);
        assert_eq!(expressions("{{ 'a"), [2..5]);
        assert_eq!(expressions("{{"), [2..2]);
    }
}

//! Diagnostics as a person, a script or a forge's workflow reads them.
//!
//! Nothing here decides what is wrong. Whatever a file holds, no control character of it reaches the output.

mod keys;

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource};
use serde::Serialize;

use crate::runbook::Problems;
use crate::runbook::diagnostics::{Diagnostic, Severity};
use crate::runbook::source::{FileId, Printed, Span};

/// Who reads them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// With the lines they are about.
    #[default]
    Human,
    /// One JSON object a line.
    Json,
    /// Annotations of a GitHub workflow.
    Github,
}

/// Whether escape codes may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    Never,
    Always,
}

/// All problems as text; empty where there are none. Those of one run are given together, for one summary.
pub fn print(all: &[Problems], format: Format, colour: Colour) -> String {
    match format {
        Format::Human => human(all, colour),
        Format::Json => each(all, |place, diagnostic| {
            // Serialising plain data cannot fail.
            serde_json::to_string(&Line::of(place, diagnostic)).unwrap_or_default()
        }),
        Format::Github => each(all, annotation),
    }
}

fn human(all: &[Problems], colour: Colour) -> String {
    let theme = match colour {
        Colour::Never => GraphicalTheme::unicode_nocolor(),
        Colour::Always => GraphicalTheme::unicode(),
    };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(110)
        .with_links(false)
        .with_context_lines(1)
        .with_break_words(false)
        .without_cause_chain();
    let mut text = String::new();
    for problems in all {
        let lines = Lines::of(problems);
        for diagnostic in &problems.diagnostics {
            // Writing into a string cannot fail.
            if handler.render_report(&mut text, &Shown::of(problems, &lines, diagnostic)).is_ok() {
                text.push('\n');
            }
        }
    }
    if !text.is_empty() {
        text.push_str(&summary(all));
        text.push('\n');
    }
    text
}

/// `3 errors in 2 files`.
pub fn summary(all: &[Problems]) -> String {
    let count = |severity| {
        all.iter()
            .flat_map(|problems| &problems.diagnostics)
            .filter(|problem| problem.severity == severity)
            .count()
    };
    let mut parts = Vec::new();
    for (severity, word) in [(Severity::Error, "error"), (Severity::Warning, "warning")] {
        let number = count(severity);
        if number > 0 {
            parts.push(format!("{number} {word}{}", if number == 1 { "" } else { "s" }));
        }
    }
    let files: BTreeSet<&str> = all
        .iter()
        .flat_map(|problems| {
            problems
                .diagnostics
                .iter()
                .filter_map(|problem| problem.labels.first())
                .map(|label| problems.sources.get(label.span.file).shown.as_str())
        })
        .collect();
    let place = match files.len() {
        0 => String::new(),
        1 => " in 1 file".to_owned(),
        several => format!(" in {several} files"),
    };
    format!("{}{place}", parts.join(" and "))
}

/// A diagnostic with its source, as miette asks for it.
struct Shown<'a> {
    diagnostic: &'a Diagnostic,
    source: Option<NamedSource<String>>,
    labels: Vec<LabeledSpan>,
    /// The help, after the labels that lie in other files than the first.
    help: Option<String>,
}

impl<'a> Shown<'a> {
    fn of(problems: &Problems, lines: &Lines<'_>, diagnostic: &'a Diagnostic) -> Self {
        let Some(first) = diagnostic.labels.first() else {
            return Self { diagnostic, source: None, labels: Vec::new(), help: diagnostic.help.clone() };
        };
        let file = first.span.file;
        let source = problems.sources.get(file);
        let mut elsewhere = Vec::new();
        let mut labels = Vec::new();
        if line_length(&source.text, first.span.start) > LONGEST_LINE {
            let (line, column) = lines.place(file, first.span.start);
            elsewhere.push(format!("{} at {}:{line}:{column}", first.text, shown_name(&source.shown)));
            elsewhere.extend(diagnostic.help.clone());
            return Self { diagnostic, source: None, labels, help: Some(elsewhere.join("\n")) };
        }
        let keys = (source.printed == Printed::Keys).then(|| keys::Keys::of(&source.text));
        for (at, label) in diagnostic.labels.iter().enumerate() {
            if label.span.file == file {
                let span = visible(&source.text, label.span);
                let span = match &keys {
                    Some(keys) => keys.place(&span),
                    None => span,
                };
                let span = miette::SourceSpan::from(span);
                let text = Some(label.text.clone());
                labels.push(if at == 0 {
                    LabeledSpan::new_primary_with_span(text, span)
                } else {
                    LabeledSpan::new_with_span(text, span)
                });
            } else {
                let (line, column) = lines.place(label.span.file, label.span.start);
                let name = shown_name(&problems.sources.get(label.span.file).shown);
                elsewhere.push(format!("{} at {name}:{line}:{column}", label.text));
            }
        }
        elsewhere.extend(diagnostic.help.clone());
        let help = (!elsewhere.is_empty()).then(|| elsewhere.join("\n"));
        let text = plain(keys.as_ref().map_or(&source.text, |keys| &keys.text));
        Self { diagnostic, source: Some(NamedSource::new(shown_name(&source.shown), text)), labels, help }
    }
}

impl std::fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.diagnostic.message)
    }
}

impl std::fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.diagnostic.message)
    }
}

impl std::error::Error for Shown<'_> {}

impl miette::Diagnostic for Shown<'_> {
    fn code<'d>(&'d self) -> Option<Box<dyn std::fmt::Display + 'd>> {
        Some(Box::new(self.diagnostic.code))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.diagnostic.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn help<'d>(&'d self) -> Option<Box<dyn std::fmt::Display + 'd>> {
        self.help.as_ref().map(|help| Box::new(help) as _)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        self.source.as_ref().map(|source| source as _)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        (!self.labels.is_empty()).then(|| Box::new(self.labels.iter().cloned()) as _)
    }
}

/// Longer lines would fill the screen: only their place is shown.
const LONGEST_LINE: usize = 400;

fn line_length(text: &str, at: usize) -> usize {
    let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    text[start..].find('\n').unwrap_or(text.len() - start)
}

/// A span of some length within its first line: a mark over many lines hides more than it shows.
fn visible(text: &str, span: Span) -> Range<usize> {
    let line_end = text[span.start..span.end].find(['\n', '\r']).map_or(span.end, |at| span.start + at);
    span.start..line_end
}

/// The text with every control character but line ends replaced by as many visible bytes, so that places stay right.
fn plain(text: &str) -> String {
    if !text.chars().any(is_hidden) {
        return text.to_owned();
    }
    text.chars()
        .flat_map(|character| {
            let (visible, times) =
                if is_hidden(character) { ('?', character.len_utf8()) } else { (character, 1) };
            std::iter::repeat_n(visible, times)
        })
        .collect()
}

fn is_hidden(character: char) -> bool {
    character.is_control() && !matches!(character, '\n' | '\t' | '\r')
        || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn shown_name(name: &str) -> String {
    name.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}

/// Where the lines of the files begin, so that many problems in a long file are placed quickly.
struct Lines<'p> {
    problems: &'p Problems,
    starts: HashMap<FileId, Vec<usize>>,
}

impl<'p> Lines<'p> {
    fn of(problems: &'p Problems) -> Self {
        let mut starts = HashMap::new();
        for label in problems.diagnostics.iter().flat_map(|diagnostic| &diagnostic.labels) {
            starts.entry(label.span.file).or_insert_with(|| {
                let text = &problems.sources.get(label.span.file).text;
                std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect()
            });
        }
        Self { problems, starts }
    }

    /// The line and the column, in characters, both from 1.
    fn place(&self, file: FileId, offset: usize) -> (usize, usize) {
        let starts = self.starts.get(&file).map_or(&[0usize][..], Vec::as_slice);
        let line = starts.partition_point(|start| *start <= offset).max(1);
        let start = starts[line - 1];
        let column = self.problems.sources.get(file).text[start..offset].chars().count() + 1;
        (line, column)
    }
}

/// A diagnostic's place as scripts read it.
struct Place<'p> {
    file: &'p str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
}

fn each(all: &[Problems], show: impl Fn(Option<&Place<'_>>, &Diagnostic) -> String) -> String {
    let mut text = String::new();
    for problems in all {
        let lines = Lines::of(problems);
        for diagnostic in &problems.diagnostics {
            let place = diagnostic.labels.first().map(|label| {
                let (line, column) = lines.place(label.span.file, label.span.start);
                let (end_line, end_column) = lines.place(label.span.file, label.span.end);
                Place {
                    file: &problems.sources.get(label.span.file).shown,
                    line,
                    column,
                    end_line,
                    end_column,
                }
            });
            text.push_str(&show(place.as_ref(), diagnostic));
            text.push('\n');
        }
    }
    text
}

/// One line of `--format json`. Columns count characters, from 1; the end is the first column after the place.
#[derive(Serialize)]
struct Line<'a> {
    severity: &'static str,
    code: &'a str,
    message: &'a str,
    label: Option<&'a str>,
    help: Option<&'a str>,
    file: Option<&'a str>,
    line: Option<usize>,
    column: Option<usize>,
    end_line: Option<usize>,
    end_column: Option<usize>,
}

impl<'a> Line<'a> {
    fn of(place: Option<&'a Place<'a>>, diagnostic: &'a Diagnostic) -> Self {
        Self {
            severity: severity(diagnostic),
            code: diagnostic.code,
            message: &diagnostic.message,
            label: diagnostic.labels.first().map(|label| label.text.as_str()),
            help: diagnostic.help.as_deref(),
            file: place.map(|place| place.file),
            line: place.map(|place| place.line),
            column: place.map(|place| place.column),
            end_line: place.map(|place| place.end_line),
            end_column: place.map(|place| place.end_column),
        }
    }
}

fn severity(diagnostic: &Diagnostic) -> &'static str {
    match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

/// `::error file=…,line=…,col=…,title=…::…`
fn annotation(place: Option<&Place<'_>>, diagnostic: &Diagnostic) -> String {
    let mut properties = Vec::new();
    if let Some(place) = place {
        properties.push(format!("file={}", property(place.file)));
        properties.push(format!("line={},col={}", place.line, place.column));
        if place.end_line == place.line {
            properties.push(format!("endLine={},endColumn={}", place.end_line, place.end_column));
        }
    }
    properties.push(format!("title={}", property(diagnostic.code)));
    let mut message = diagnostic.message.clone();
    if let Some(label) = diagnostic.labels.first() {
        message.push_str(&format!(": {}", label.text));
    }
    if let Some(help) = &diagnostic.help {
        message.push_str(&format!("\nhelp: {help}"));
    }
    format!("::{} {}::{}", severity(diagnostic), properties.join(","), data(&message))
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

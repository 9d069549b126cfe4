//! The text that runbooks come from, and places in it.
//!
//! A span always lies within the text of its file, on character boundaries.

use std::ops::Deref;
use std::sync::Arc;

/// A file of the runbook: the main one or an included one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

/// A place in a file, in bytes from its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    pub file: FileId,
    pub start: usize,
    pub end: usize,
}

/// A value and the place it was written at.
#[derive(Clone, Debug, PartialEq)]
pub struct Spanned<T> {
    pub value: T,
    pub span: Span,
}

impl<T> Spanned<T> {
    pub fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }

    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Spanned<U> {
        Spanned { value: change(self.value), span: self.span }
    }
}

impl<T> Deref for Spanned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// One text, under the name that diagnostics show.
#[derive(Clone, Debug)]
pub struct Source {
    /// The path as the user wrote it, or relative to the main runbook's folder for an included file.
    pub name: String,
    /// The path as diagnostics show it: from the working directory.
    pub shown: String,
    pub text: Arc<str>,
    pub printed: Printed,
}

/// What of a text may be printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Printed {
    Lines,
    /// Only its keys: values may be secrets.
    Keys,
}

/// Where a part of a scalar's content stands in its file. The text may be written with quotes, escapes or in a block:
/// the part is found by what it says, and where it cannot be found the whole scalar is its place.
pub fn within(sources: &Sources, span: Span, content: &str, part: std::ops::Range<usize>) -> Span {
    let written = &sources.get(span.file).text[span.start..span.end];
    let on_boundaries = |start: usize, end: usize| {
        let start = written.floor_char_boundary(start.min(written.len()));
        let end = written.ceil_char_boundary(end.clamp(start, written.len()));
        Span { file: span.file, start: span.start + start, end: span.start + end }
    };
    if let Some(at) = written.find(content) {
        return on_boundaries(at + part.start, at + part.end);
    }
    let Some(wanted) = content.get(part.clone()).filter(|wanted| !wanted.trim().is_empty()) else {
        return span;
    };
    // The part may stand there more than once: it is as far down as in the content.
    let earlier = content.get(..part.start).unwrap_or_default().matches(wanted).count();
    match written.match_indices(wanted).nth(earlier) {
        Some((at, _)) => {
            Span { file: span.file, start: span.start + at, end: span.start + at + wanted.len() }
        }
        None => span,
    }
}

/// All texts that one runbook (and its variable files) came from.
#[derive(Clone, Debug, Default)]
pub struct Sources(Vec<Source>);

impl Sources {
    /// Adds a text, with its name and the name that diagnostics show.
    pub fn add_shown(
        &mut self,
        name: impl Into<String>,
        shown: impl Into<String>,
        text: impl Into<Arc<str>>,
    ) -> FileId {
        let (name, shown, text) = (name.into(), shown.into(), text.into());
        self.push(Source { name, shown, text, printed: Printed::Lines })
    }

    /// Adds a variable file, of which no more may be printed than told.
    pub fn add_variables(&mut self, name: &str, text: &str, printed: Printed) -> FileId {
        self.push(Source { name: name.into(), shown: name.into(), text: text.into(), printed })
    }

    fn push(&mut self, source: Source) -> FileId {
        self.0.push(source);
        FileId(u32::try_from(self.0.len() - 1).expect("fewer than 2^32 files"))
    }

    pub fn get(&self, id: FileId) -> &Source {
        &self.0[id.0 as usize]
    }

    pub fn iter(&self) -> impl Iterator<Item = (FileId, &Source)> {
        self.0.iter().enumerate().map(|(at, source)| (FileId(at as u32), source))
    }

    /// The line and the column (in characters) of a place, both from 1.
    pub fn line_column(&self, file: FileId, offset: usize) -> (usize, usize) {
        let before = &self.get(file).text[..offset];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |rest| rest.chars().count()) + 1;
        (line, column)
    }
}

//! Text → tree: YAML is scanned here, once, and nowhere else.
//!
//! Whatever the text, this ends within bounds that are set below, without calling itself, and a problem is a
//! [`Diagnostic`] with a place. The events are granit-parser's (the scanner below serde-saphyr): they give the place of
//! every key and value for a third of what it costs to carry places through serde.

use std::collections::HashMap;

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, ScanError, StructureStyle};

use super::diagnostics::{self, Diagnostic};
use super::model::Raw;
use super::scalar::plain;
use super::source::{FileId, Span, Spanned};

/// A runbook of a thousand steps has 200 KB.
pub const MAX_BYTES: usize = 4 << 20;
/// Deeper than any sensible runbook, and far from the end of the stack for those who go through the tree.
const MAX_DEPTH: usize = 48;
/// How much a file may hold, every alias counted as what it stands for.
const MOST: Cost = Cost { nodes: 200_000, bytes: 16 << 20 };

/// Reads one YAML document. `Err` holds at least one diagnostic.
pub fn scan(file: FileId, text: &str) -> Result<Spanned<Raw>, Vec<Diagnostic>> {
    if text.len() > MAX_BYTES {
        return Err(vec![diagnostics::too_large(Span { file, start: 0, end: 0 }, MAX_BYTES)]);
    }
    let mut builder = Builder::new(file, text);
    for event in Parser::new_from_str(text) {
        let read = match event {
            Ok((event, span)) => builder.event(event, span),
            Err(error) => Err(explain(&error, file, text)),
        };
        // What comes after cannot be trusted, but what was found before is told too.
        if let Err(diagnostic) = read {
            builder.problems.push(diagnostic);
            return Err(builder.problems);
        }
    }
    builder.finish()
}

/// The text as it is scanned: without a byte order mark.
pub fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// What a node adds up to.
#[derive(Clone, Copy, Default)]
struct Cost {
    nodes: usize,
    bytes: usize,
}

impl Cost {
    fn add(&mut self, other: Cost) {
        self.nodes = self.nodes.saturating_add(other.nodes);
        self.bytes = self.bytes.saturating_add(other.bytes);
    }
}

/// A finished node. Keys are nodes too: `{{ x }}` without quotes is a mapping in a mapping's key.
#[derive(Clone)]
struct Node {
    raw: Raw,
    /// Of an alias, where its text stands. A block collection has no place of its own.
    place: Option<Span>,
}

/// A collection under way.
struct Open {
    kind: Kind,
    place: Option<Span>,
    anchor: usize,
    /// What was read before it, to know what it adds up to.
    before: Cost,
}

enum Kind {
    List(Vec<Spanned<Raw>>),
    Map { members: Vec<(Spanned<String>, Spanned<Raw>)>, key: Pending },
}

/// The key whose value comes next.
enum Pending {
    None,
    Key(Spanned<String>),
    /// `{{ x }}` without quotes.
    Template(Span),
    /// Told already; its value is read and dropped.
    Wrong,
}

struct Builder<'t> {
    file: FileId,
    text: &'t str,
    open: Vec<Open>,
    /// Finished anchored nodes, and what each adds up to; `None` while one is under way.
    anchors: HashMap<usize, Option<(Node, Cost)>>,
    spent: Cost,
    root: Option<Spanned<Raw>>,
    documents: usize,
    problems: Vec<Diagnostic>,
}

impl<'t> Builder<'t> {
    fn new(file: FileId, text: &'t str) -> Self {
        Self {
            file,
            text,
            open: Vec::new(),
            anchors: HashMap::new(),
            spent: Cost::default(),
            root: None,
            documents: 0,
            problems: Vec::new(),
        }
    }

    fn finish(self) -> Result<Spanned<Raw>, Vec<Diagnostic>> {
        if !self.problems.is_empty() {
            return Err(self.problems);
        }
        let whole = Span { file: self.file, start: 0, end: first_line_end(self.text) };
        Ok(self.root.unwrap_or_else(|| Spanned::new(Raw::Null, whole)))
    }

    fn event(&mut self, event: Event<'_>, span: granit_parser::Span) -> Result<(), Diagnostic> {
        let place = self.place(&span);
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(diagnostics::several_documents(word_at(place, self.text)));
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_tag(tag.is_some(), place)?;
                self.spend(Cost { nodes: 1, bytes: text.len() }, place)?;
                let raw =
                    if style == ScalarStyle::Plain { plain(&text) } else { Raw::Text(text.into_owned()) };
                let cost = Cost { nodes: 1, bytes: text_bytes(&raw) };
                self.complete(Node { raw, place: (place.start < place.end).then_some(place) }, anchor, cost);
            }
            Event::SequenceStart(style, anchor, tag) => {
                self.refuse_tag(tag.is_some(), place)?;
                self.start(Kind::List(Vec::new()), style, anchor, place)?;
            }
            Event::MappingStart(style, anchor, tag) => {
                self.refuse_tag(tag.is_some(), place)?;
                self.start(Kind::Map { members: Vec::new(), key: Pending::None }, style, anchor, place)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(anchor) => match self.anchors.get(&anchor) {
                Some(Some((node, cost))) => {
                    let (node, cost) = (node.clone(), *cost);
                    self.spend(cost, place).map_err(|_| diagnostics::too_many_aliases(place))?;
                    self.complete(node, 0, cost);
                }
                Some(None) => return Err(diagnostics::recursive_anchor(place)),
                None => return Err(diagnostics::unknown_anchor(place, &self.text[place.start..place.end])),
            },
            // Streams, ends of documents and comments hold no value.
            _ => {}
        }
        Ok(())
    }

    fn start(
        &mut self,
        kind: Kind,
        style: StructureStyle,
        anchor: usize,
        place: Span,
    ) -> Result<(), Diagnostic> {
        if self.open.len() == MAX_DEPTH {
            return Err(diagnostics::too_deep(place, MAX_DEPTH));
        }
        let before = self.spent;
        self.spend(Cost { nodes: 1, bytes: 0 }, place)?;
        if anchor != 0 {
            self.anchors.insert(anchor, None);
        }
        // Of a flow collection the bracket is marked: the whole of it would hide what it is about.
        let place = (style == StructureStyle::Flow).then(|| clipped_whole(self.file, self.text, place.start));
        self.open.push(Open { kind, place, anchor, before });
        Ok(())
    }

    fn end(&mut self) {
        let Some(open) = self.open.pop() else { return };
        let cost = Cost {
            nodes: self.spent.nodes.saturating_sub(open.before.nodes),
            bytes: self.spent.bytes.saturating_sub(open.before.bytes),
        };
        let raw = match open.kind {
            Kind::List(items) => Raw::List(items),
            Kind::Map { members, .. } => Raw::Map(self.settled(members)),
        };
        self.complete(Node { raw, place: open.place }, open.anchor, cost);
    }

    /// Hands a finished node to the collection that it stands in.
    fn complete(&mut self, node: Node, anchor: usize, cost: Cost) {
        if anchor != 0 {
            self.anchors.insert(anchor, Some((node.clone(), cost)));
        }
        let whole = Span { file: self.file, start: 0, end: first_line_end(self.text) };
        let Some(open) = self.open.last_mut() else {
            let place = node.place.or_else(|| first_place(&node.raw)).unwrap_or(whole);
            self.root = Some(Spanned::new(node.raw, place));
            return;
        };
        let around = open.place.unwrap_or(whole);
        match &mut open.kind {
            Kind::List(items) => {
                let place = node.place.or_else(|| first_place(&node.raw)).unwrap_or(around);
                items.push(Spanned::new(node.raw, place));
            }
            Kind::Map { members, key } => match std::mem::replace(key, Pending::None) {
                Pending::Key(name) => {
                    let place = node.place.unwrap_or_else(|| without_value(name.span, self.text));
                    members.push((name, Spanned::new(node.raw, place)));
                }
                Pending::Template(place) => {
                    let place = template_from(place, self.text);
                    let written = &self.text[place.start..place.end];
                    self.problems.push(diagnostics::unquoted_template(place, written));
                }
                Pending::Wrong => {}
                Pending::None => {
                    let place = node.place.unwrap_or(around);
                    *key = match node.raw {
                        Raw::Text(text) => Pending::Key(Spanned::new(text, place)),
                        Raw::Map(_) if self.text[place.start..].starts_with('{') => Pending::Template(around),
                        Raw::Null | Raw::List(_) | Raw::Map(_) => {
                            self.problems.push(diagnostics::key_not_text(place));
                            Pending::Wrong
                        }
                        number => Pending::Key(Spanned::new(number.to_json().to_string(), place)),
                    };
                }
            },
        }
    }

    /// The members of a finished mapping: merges done, and keys given twice told.
    fn settled(
        &mut self,
        members: Vec<(Spanned<String>, Spanned<Raw>)>,
    ) -> Vec<(Spanned<String>, Spanned<Raw>)> {
        let mut seen: HashMap<String, Span> = HashMap::with_capacity(members.len());
        let mut kept = Vec::with_capacity(members.len());
        let mut merged = Vec::new();
        for (key, member) in members {
            if let Some(first) = seen.get(&key.value) {
                self.problems.push(diagnostics::duplicate_key(&key.value, key.span, *first));
                continue;
            }
            seen.insert(key.value.clone(), key.span);
            match (key.value.as_str(), member.value) {
                ("<<", Raw::Map(members)) => merged.extend(members),
                ("<<", Raw::List(items)) if items.iter().all(|item| matches!(item.value, Raw::Map(_))) => {
                    for item in items {
                        if let Raw::Map(members) = item.value {
                            merged.extend(members);
                        }
                    }
                }
                ("<<", _) => self.problems.push(diagnostics::bad_merge(key.span)),
                (_, value) => kept.push((key, Spanned::new(value, member.span))),
            }
        }
        // A key of the mapping itself wins over a merged one, and an earlier merge over a later one.
        for (key, member) in merged {
            if !seen.contains_key(&key.value) {
                seen.insert(key.value.clone(), key.span);
                kept.push((key, member));
            }
        }
        kept
    }

    fn spend(&mut self, cost: Cost, place: Span) -> Result<(), Diagnostic> {
        self.spent.add(cost);
        if self.spent.nodes > MOST.nodes || self.spent.bytes > MOST.bytes {
            return Err(diagnostics::too_much(place));
        }
        Ok(())
    }

    /// A tag would be lost silently: `!secret` means something elsewhere, and nothing here.
    fn refuse_tag(&self, tagged: bool, place: Span) -> Result<(), Diagnostic> {
        if !tagged {
            return Ok(());
        }
        let place = tag_before(place, self.text);
        Err(diagnostics::unsupported_tag(place, &self.text[place.start..place.end]))
    }

    fn place(&self, span: &granit_parser::Span) -> Span {
        let range = span.byte_range().unwrap_or(0..0);
        clipped(self.file, self.text, range.start, range.end)
    }
}

/// The place of a value that is not there or has no place of its own: that of its key, or the empty one behind it where
/// the key has no `:` (as only a flow mapping may have it).
fn without_value(key: Span, text: &str) -> Span {
    let follows = text[key.end..].trim_start();
    if follows.starts_with([',', '}']) { Span { start: key.end, ..key } } else { key }
}

/// The place of the first thing in a collection.
fn first_place(raw: &Raw) -> Option<Span> {
    match raw {
        Raw::List(items) => items.first().map(|item| item.span),
        Raw::Map(members) => members.first().map(|(key, _)| key.span),
        _ => None,
    }
}

fn text_bytes(raw: &Raw) -> usize {
    match raw {
        Raw::Text(text) => text.len(),
        _ => 0,
    }
}

/// From the brace at a place to the end of the template, on its line.
fn template_from(span: Span, text: &str) -> Span {
    let line_end = text[span.start..].find('\n').map_or(text.len(), |end| span.start + end);
    let end = text[span.start..line_end].find("}}").map_or(line_end, |end| span.start + end + 2);
    clipped(span.file, text, span.start, end)
}

/// What the scanner could not read, by its own kind and by what is seen at the place.
fn explain(error: &ScanError, file: FileId, text: &str) -> Diagnostic {
    let start = match error.marker().byte_offset() {
        Some(start) => start,
        None => text.char_indices().nth(error.marker().index()).map_or(text.len(), |(at, _)| at),
    };
    let span = clipped(file, text, start, start.saturating_add(1));
    let line_start = text[..span.start].rfind('\n').map_or(0, |at| at + 1);
    let line_end = text[span.start..].find('\n').map_or(text.len(), |at| span.start + at);
    let line = &text[line_start..line_end];
    match error.kind() {
        ErrorKind::RecursionLimitExceeded => return diagnostics::too_deep(span, MAX_DEPTH),
        ErrorKind::UnknownAnchor => {
            let alias = word_at(span, text);
            return diagnostics::unknown_anchor(alias, &text[alias.start..alias.end]);
        }
        ErrorKind::UndeclaredTagHandle => {
            let tag = tag_before(span, text);
            return diagnostics::unsupported_tag(tag, &text[tag.start..tag.end]);
        }
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabInPlainScalar
        | ErrorKind::TabAtBlockScalarStart => {
            let tab = indentation_tab(line)
                .map(|at| line_start + at)
                .or_else(|| text[span.start..].find('\t').map(|at| span.start + at))
                .unwrap_or(span.start);
            return diagnostics::tab(clipped_whole(file, text, tab));
        }
        ErrorKind::UnknownQuotedScalarEscape
        | ErrorKind::InvalidQuotedScalarHexEscape
        | ErrorKind::InvalidUnicodeEscape
        | ErrorKind::InvalidLowSurrogate
        | ErrorKind::InvalidLowSurrogateHexEscape
        | ErrorKind::MissingLowSurrogate
        | ErrorKind::UnpairedLowSurrogate => {
            let (start, end) =
                backslash(line).map_or((span.start, span.end), |at| (line_start + at, line_start + at + 2));
            return diagnostics::bad_escape(clipped(file, text, start, end), line);
        }
        _ => {}
    }
    if let Some(tab) = indentation_tab(line) {
        return diagnostics::tab(clipped_whole(file, text, line_start + tab));
    }
    if let Some(open) = unquoted_braces(line) {
        let place = template_from(Span { file, start: line_start + open, end: line_start + open }, text);
        return diagnostics::unquoted_template(place, &text[place.start..place.end]);
    }
    let message = error.info();
    diagnostics::syntax(span, message.rsplit(", ").next().unwrap_or(&message))
}

/// A span within the text, on character boundaries, without the white space at its end.
fn clipped(file: FileId, text: &str, start: usize, end: usize) -> Span {
    let start = text.floor_char_boundary(start.min(text.len()));
    let end = text.ceil_char_boundary(end.clamp(start, text.len()));
    let end = start + text[start..end].trim_end().len();
    Span { file, start, end }
}

/// The span of one character, white space or not.
fn clipped_whole(file: FileId, text: &str, at: usize) -> Span {
    let length = text[at..].chars().next().map_or(0, char::len_utf8);
    Span { file, start: at, end: at + length }
}

/// From a place to the end of the word there.
fn word_at(span: Span, text: &str) -> Span {
    let end = text[span.start..].find(|c: char| c.is_whitespace() || ",]}".contains(c));
    Span { end: end.map_or(text.len(), |end| span.start + end), ..span }
}

/// The tag that the value at a place has.
fn tag_before(span: Span, text: &str) -> Span {
    let line_start = text[..span.start].rfind('\n').map_or(0, |at| at + 1);
    let start = text[line_start..span.end].rfind('!').map_or(span.start, |at| line_start + at);
    word_at(Span { start, ..span }, text)
}

fn first_line_end(text: &str) -> usize {
    text.find('\n').unwrap_or(text.len())
}

/// The first tab before anything else on a line.
fn indentation_tab(line: &str) -> Option<usize> {
    line[..line.len() - line.trim_start().len()].find('\t')
}

/// The first backslash in a double-quoted text that starts no escape of YAML.
fn backslash(line: &str) -> Option<usize> {
    let mut from = line.find('"')?;
    while let Some(at) = line[from..].find('\\').map(|at| from + at) {
        match line[at + 1..].chars().next() {
            Some(next) if "0abtnvfre \"/\\N_LPxuU\t".contains(next) && !"xuU".contains(next) => {
                from = at + 1 + next.len_utf8();
            }
            _ => return Some(at),
        }
    }
    None
}

/// Where `{{` begins a value that is not in quotes.
fn unquoted_braces(line: &str) -> Option<usize> {
    let open = line.find("{{")?;
    let before = line[..open].trim_end();
    (before.ends_with([':', '-', ',', '[']) || before.is_empty()).then_some(open)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> serde_json::Value {
        scan(FileId(0), text).unwrap_or_else(|problems| panic!("{problems:?}")).value.to_json()
    }

    #[test]
    fn a_merge_gives_way_to_the_keys_of_the_mapping() {
        let text = "a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: {<<: [{x: 5}, *a], z: 4}";
        let expected = serde_json::json!({
            "a": {"x": 1, "y": 2}, "b": {"y": 3, "x": 1}, "c": {"z": 4, "x": 5, "y": 2}
        });
        assert_eq!(value(text), expected);
    }

    #[test]
    fn an_alias_has_the_place_of_its_text() {
        let text = "a: &a word\nb: *a\n";
        let tree = scan(FileId(0), text).unwrap();
        let Raw::Map(members) = tree.value else { panic!("a mapping") };
        let span = members[1].1.span;
        assert_eq!(&text[span.start..span.end], "word");
    }

    #[test]
    fn a_block_collection_has_the_place_of_its_key() {
        let text = "outer:\n  inner: 1\nlist:\n  - x: 1\n";
        let tree = scan(FileId(0), text).unwrap();
        let Raw::Map(members) = tree.value else { panic!("a mapping") };
        let span = members[0].1.span;
        assert_eq!(&text[span.start..span.end], "outer");
        let Raw::List(items) = &members[1].1.value else { panic!("a list") };
        assert_eq!(&text[items[0].span.start..items[0].span.end], "x");
    }

    #[test]
    fn an_anchor_that_holds_itself_is_refused() {
        let problems = scan(FileId(0), "a: &a [*a]\n").unwrap_err();
        assert_eq!(problems[0].code, "movebook::recursive_anchor");
    }
}

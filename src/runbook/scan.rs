//! Text → tree: YAML is scanned here, once, and nowhere else.
//!
//! Whatever the text, this ends within bounds that are set below, and a problem is a [`Diagnostic`] with a place.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::{Error, Location, Options};

use super::diagnostics::{self, Diagnostic};
use super::model::Raw;
use super::source::{FileId, Span, Spanned};

/// A runbook of a thousand steps has 200 KB.
pub const MAX_BYTES: usize = 4 << 20;
/// Deeper than any sensible runbook, and far from the end of the stack.
const MAX_DEPTH: usize = 48;
const STACK_BYTES: usize = 16 << 20;
const MAX_NODES: usize = 200_000;
/// How much the aliases of a file may add up to.
const MAX_REPLAYED: usize = 100_000;
const MAX_SCALAR_BYTES: usize = 16 << 20;

/// Reads one YAML document. `Err` holds at least one diagnostic.
pub fn scan(file: FileId, text: &str) -> Result<Spanned<Raw>, Vec<Diagnostic>> {
    if text.len() > MAX_BYTES {
        return Err(vec![diagnostics::too_large(Span { file, start: 0, end: 0 }, MAX_BYTES)]);
    }
    on_a_deep_stack(|| scan_here(file, text))
}

/// The scanner calls itself for each level, and a main thread may have 1 MiB of stack (on Windows): too little for
/// [`MAX_DEPTH`] levels of a build without optimisation.
fn on_a_deep_stack<T: Send>(work: impl Fn() -> T + Sync) -> T {
    std::thread::scope(|scope| {
        match std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, &work) {
            Ok(thread) => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            // A system that is out of threads is no reason to refuse a runbook.
            Err(_) => work(),
        }
    })
}

fn scan_here(file: FileId, text: &str) -> Result<Spanned<Raw>, Vec<Diagnostic>> {
    let node: Located = serde_saphyr::from_str_with_options(text, options())
        .map_err(|error| vec![explain(&error, file, text)])?;
    let mut conversion = Conversion { file, text, problems: Vec::new() };
    let whole = Span { file, start: 0, end: first_line_end(text) };
    let tree = conversion.convert(node, whole);
    if conversion.problems.is_empty() { Ok(tree) } else { Err(conversion.problems) }
}

/// The text as it is scanned: without a byte order mark.
pub fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

fn options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: MAX_DEPTH,
            max_nodes: MAX_NODES,
            max_events: 2 * MAX_NODES,
            max_aliases: 5_000,
            max_anchors: 5_000,
            max_documents: 1,
            max_total_scalar_bytes: MAX_SCALAR_BYTES,
            max_recorded_anchor_events: MAX_REPLAYED,
            max_recorded_anchor_bytes: MAX_SCALAR_BYTES,
            enforce_alias_anchor_ratio: false,
        },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: MAX_REPLAYED },
        // Seen by the conversion, which can tell all of them, and both places.
        duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::PassThrough,
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        reject_unsupported_tags: true,
        non_finite_float_policy: serde_saphyr::options::NonFiniteFloatPolicy::AsString,
        with_snippet: false,
    }
}

type Located = serde_saphyr::Spanned<Node>;

/// A node as the scanner hands it over. Keys are nodes too: `{{ x }}` without quotes is a mapping in a mapping's key.
enum Node {
    Scalar(Raw),
    List(Vec<Located>),
    Map(Vec<(Located, Located)>),
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any YAML value")
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Node, E> {
        Ok(Node::Scalar(Raw::Boolean(truth)))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Node, E> {
        Ok(Node::Scalar(Raw::Integer(number)))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Node, E> {
        Ok(Node::Scalar(i64::try_from(number).map_or(Raw::Float(number as f64), Raw::Integer)))
    }

    /// `8.0` is the number 8: a schema takes it for a whole number, and so does the reader.
    fn visit_f64<E>(self, number: f64) -> Result<Node, E> {
        let whole = number.fract() == 0.0 && number.abs() < 9e15;
        Ok(Node::Scalar(if whole { Raw::Integer(number as i64) } else { Raw::Float(number) }))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Scalar(Raw::Text(text.to_owned())))
    }

    fn visit_string<E>(self, text: String) -> Result<Node, E> {
        Ok(Node::Scalar(Raw::Text(text)))
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Scalar(Raw::Null))
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Scalar(Raw::Null))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        Node::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Node, A::Error> {
        let mut map = Vec::new();
        while let Some(member) = members.next_entry()? {
            map.push(member);
        }
        Ok(Node::Map(map))
    }
}

/// From the scanner's places to ours. Of an alias the place is where its text stands.
struct Conversion<'t> {
    file: FileId,
    text: &'t str,
    problems: Vec<Diagnostic>,
}

impl Conversion<'_> {
    /// `around` is the place of what leads to the node (its key): a block collection has no place of its own.
    fn convert(&mut self, node: Located, around: Span) -> Spanned<Raw> {
        let own = self.span(node.defined).filter(|span| span.start < span.end);
        match node.value {
            Node::Scalar(raw) => Spanned::new(raw, own.unwrap_or(around)),
            Node::List(items) => {
                let span = own.unwrap_or(around);
                let items = items
                    .into_iter()
                    .map(|item| {
                        let around = self.first_place(&item).unwrap_or(span);
                        self.convert(item, around)
                    })
                    .collect();
                Spanned::new(Raw::List(items), span)
            }
            Node::Map(members) => {
                if let [(key, _)] = members.as_slice()
                    && matches!(key.value, Node::Map(_))
                {
                    let place = self.unquoted_template(own.unwrap_or(around));
                    self.problems
                        .push(diagnostics::unquoted_template(place, &self.text[place.start..place.end]));
                    return Spanned::new(Raw::Null, place);
                }
                self.convert_map(members, own.unwrap_or(around))
            }
        }
    }

    fn convert_map(&mut self, members: Vec<(Located, Located)>, span: Span) -> Spanned<Raw> {
        let mut map: Vec<(Spanned<String>, Spanned<Raw>)> = Vec::with_capacity(members.len());
        let mut seen = std::collections::HashMap::with_capacity(members.len());
        for (key, member) in members {
            let place = self.span(key.defined).filter(|place| place.start < place.end).unwrap_or(span);
            let name = match key.value {
                Node::Scalar(Raw::Text(text)) => text,
                Node::Scalar(other) if !matches!(other, Raw::Null) => match other.to_json() {
                    serde_json::Value::String(text) => text,
                    value => value.to_string(),
                },
                _ => {
                    self.problems.push(diagnostics::key_not_text(place));
                    continue;
                }
            };
            if let Some(first) = seen.insert(name.clone(), place) {
                self.problems.push(diagnostics::duplicate_key(&name, place, first));
                continue;
            }
            let member = self.convert(member, place);
            map.push((Spanned::new(name, place), member));
        }
        Spanned::new(Raw::Map(map), span)
    }

    /// The place of the first thing with a place in a node.
    fn first_place(&self, node: &Located) -> Option<Span> {
        if let Some(own) = self.span(node.defined).filter(|span| span.start < span.end) {
            return Some(own);
        }
        match &node.value {
            Node::Scalar(_) => None,
            Node::List(items) => items.first().and_then(|item| self.first_place(item)),
            Node::Map(members) => members.first().and_then(|(key, _)| self.first_place(key)),
        }
    }

    fn span(&self, location: Location) -> Option<Span> {
        let start = usize::try_from(location.span().byte_offset()?).ok()?;
        let length = usize::try_from(location.span().byte_len()?).ok()?;
        Some(clipped(self.file, self.text, start, start.checked_add(length)?))
    }

    /// From the first brace to the end of the template, on its line.
    fn unquoted_template(&self, span: Span) -> Span {
        let line_end = self.text[span.start..].find('\n').map_or(self.text.len(), |end| span.start + end);
        let line = &self.text[span.start..line_end];
        let start = span.start + line.find("{{").unwrap_or(0);
        let end = self.text[start..line_end].find("}}").map_or(line_end, |end| start + end + 2);
        clipped(self.file, self.text, start, end)
    }
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

fn explain(error: &Error, file: FileId, text: &str) -> Diagnostic {
    let error = innermost(error);
    let location = error.location().unwrap_or(Location::UNKNOWN);
    let span = place_of(location, file, text);
    match error {
        Error::Budget { breach, .. } => match breach {
            BudgetBreach::Depth { .. } => diagnostics::too_deep(span, MAX_DEPTH),
            BudgetBreach::Aliases { .. }
            | BudgetBreach::Anchors { .. }
            | BudgetBreach::RecordedAnchorBytes { .. }
            | BudgetBreach::RecordedAnchorEvents { .. } => diagnostics::too_many_aliases(span),
            BudgetBreach::Documents { .. } => diagnostics::several_documents(span),
            _ if text.contains('*') && text.contains('&') => diagnostics::too_many_aliases(span),
            _ => diagnostics::too_much(span),
        },
        Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. }
        | Error::AliasReplayCounterOverflow { .. } => diagnostics::too_many_aliases(span),
        Error::UnknownAnchor { .. } => {
            let span = word_at(span, text);
            diagnostics::unknown_anchor(span, &text[span.start..span.end])
        }
        Error::RecursiveReferencesRequireWeakTypes { .. } => diagnostics::recursive_anchor(span),
        Error::MultipleDocuments { .. } => diagnostics::several_documents(span),
        Error::UnsupportedTag { .. } => {
            let span = tag_before(span, text);
            diagnostics::unsupported_tag(span, &text[span.start..span.end])
        }
        Error::Eof { .. } => diagnostics::empty_file(span),
        other => syntax(span, text, &other.to_string()),
    }
}

fn innermost(mut error: &Error) -> &Error {
    while let Error::AliasError { error: inner, .. } | Error::WithSnippet { error: inner, .. } = error {
        error = inner;
    }
    error
}

/// What the scanner could not read. Its own words are kept; the help is by what is seen at the place.
fn syntax(span: Span, text: &str, message: &str) -> Diagnostic {
    // The scanner adds the place, which the diagnostic has already.
    let message = message.split(" at line ").next().unwrap_or(message).trim_end_matches([':', ',']);
    let message = message.rsplit(", ").next().unwrap_or(message);
    if message.contains("nest") && message.contains("limit") || message.contains("recursion") {
        return diagnostics::too_deep(span, MAX_DEPTH);
    }
    let line_start = text[..span.start].rfind('\n').map_or(0, |at| at + 1);
    let line_end = text[span.start..].find('\n').map_or(text.len(), |at| span.start + at);
    let line = &text[line_start..line_end];
    let at_line = |offset: usize, length: usize| {
        clipped(span.file, text, line_start + offset, line_start + offset + length)
    };
    let indentation = line.len() - line.trim_start().len();
    if line[..indentation].contains('\t') {
        let tab = line.find('\t').unwrap_or(0);
        return diagnostics::tab(clipped_whole(span.file, text, line_start + tab));
    }
    if message.contains("tab") && !message.contains("table") {
        let tab = text[span.start..].find('\t').map_or(span.start, |at| span.start + at);
        return diagnostics::tab(clipped_whole(span.file, text, tab));
    }
    if message.contains("escape") || message.contains("hexadecimal") {
        let (start, end) =
            backslash(line).map_or((span.start, span.end), |at| (line_start + at, line_start + at + 2));
        return diagnostics::bad_escape(clipped(span.file, text, start, end), line);
    }
    if let Some(open) = unquoted_braces(line) {
        let length = line[open..].find("}}").map_or(line.len() - open, |end| end + 2);
        let place = at_line(open, length);
        return diagnostics::unquoted_template(place, &text[place.start..place.end]);
    }
    diagnostics::syntax(span, message)
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

/// Scanning errors have their place in characters only.
fn place_of(location: Location, file: FileId, text: &str) -> Span {
    let span = location.span();
    let start = match span.byte_offset().and_then(|offset| usize::try_from(offset).ok()) {
        Some(start) => start,
        None if location.line() == 0 => 0,
        None => {
            let characters = usize::try_from(span.offset()).unwrap_or(usize::MAX);
            text.char_indices().nth(characters).map_or(text.len(), |(at, _)| at)
        }
    };
    let length = span.byte_len().and_then(|length| usize::try_from(length).ok()).unwrap_or(1);
    clipped(file, text, start, start.saturating_add(length))
}

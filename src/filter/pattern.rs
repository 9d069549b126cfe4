//! Lists of patterns, made ready once and asked for every file.
//!
//! `globset` is the judge of the syntax. It matches bytes and folds ASCII only, so case is folded here for the whole
//! of Unicode, on both sides, before it is asked, and what stands for any letter (`?`, `[!a]`) is made to stand for a
//! character instead of a byte.

use std::borrow::Cow;
use std::path::{MAIN_SEPARATOR, Path};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use regex::bytes::RegexSet;

use super::{Case, FilterError};

/// The patterns of one list. The empty list matches nothing.
#[derive(Clone, Debug)]
pub(super) struct Patterns {
    case: Case,
    names: Matcher,
    paths: Matcher,
}

/// Patterns that are matched against the same text.
#[derive(Clone, Debug)]
struct Matcher {
    plain: GlobSet,
    /// Those with a `?` or a class that shuts letters out.
    with_any: RegexSet,
}

impl Default for Patterns {
    fn default() -> Self {
        let nothing = Matcher { plain: GlobSet::empty(), with_any: RegexSet::empty() };
        Self { case: Case::default(), names: nothing.clone(), paths: nothing }
    }
}

impl Patterns {
    pub(super) fn new(list: &'static str, patterns: &[String], case: Case) -> Result<Self, FilterError> {
        let (mut names, mut paths) = (MatcherBuilder::new(), MatcherBuilder::new());
        for pattern in patterns {
            let refuse = |reason: String| FilterError { list, pattern: pattern.clone(), reason };
            if let Some(reason) = fault(list, pattern) {
                return Err(refuse(reason));
            }
            let folded = fold(pattern, case);
            let text = if list == "exclude_directories" { folded.trim_end_matches('/') } else { &folded };
            // A leading slash says "below the root", which any pattern with a slash is.
            let builder = if text.contains('/') { &mut paths } else { &mut names };
            builder.add(text.strip_prefix('/').unwrap_or(text)).map_err(refuse)?;
        }
        let finish = |builder: MatcherBuilder| {
            builder.finish().map_err(|reason| FilterError { list, pattern: patterns.join(", "), reason })
        };
        Ok(Self { case, names: finish(names)?, paths: finish(paths)? })
    }

    /// Whether one of them matches the path below the root, or its last name.
    pub(super) fn matches(&self, path: &Path) -> bool {
        if !self.names.is_empty()
            && let Some(name) = path.file_name()
            && self.names.matches(&fold(&name.to_string_lossy(), self.case))
        {
            return true;
        }
        if self.paths.is_empty() {
            return false;
        }
        let text = path.to_string_lossy();
        let text = if MAIN_SEPARATOR == '/' { text } else { text.replace(MAIN_SEPARATOR, "/").into() };
        self.paths.matches(&fold(&text, self.case))
    }
}

impl Matcher {
    fn is_empty(&self) -> bool {
        self.plain.is_empty() && self.with_any.is_empty()
    }

    fn matches(&self, text: &str) -> bool {
        (!self.plain.is_empty() && self.plain.is_match(text)) || self.with_any.is_match(text.as_bytes())
    }
}

struct MatcherBuilder {
    plain: GlobSetBuilder,
    with_any: Vec<String>,
}

impl MatcherBuilder {
    fn new() -> Self {
        Self { plain: GlobSetBuilder::new(), with_any: Vec::new() }
    }

    fn add(&mut self, pattern: &str) -> Result<(), String> {
        let glob = GlobBuilder::new(pattern)
            .literal_separator(true)
            .backslash_escape(false)
            .build()
            .map_err(|error| format!("is no pattern: {}", error.kind()))?;
        if pattern.contains('?') || ["[!", "[^"].iter().any(|begins| pattern.contains(begins)) {
            self.with_any.push(of_characters(glob.regex()));
        } else {
            self.plain.add(glob);
        }
        Ok(())
    }

    fn finish(self) -> Result<Matcher, String> {
        let plain = self.plain.build().map_err(|error| format!("cannot be made ready: {error}"))?;
        let with_any =
            RegexSet::new(self.with_any).map_err(|error| format!("cannot be made ready: {error}"))?;
        Ok(Matcher { plain, with_any })
    }
}

/// globset's expression with characters for bytes in its classes that shut letters out; none matches a slash.
fn of_characters(expression: &str) -> String {
    let mut written = String::with_capacity(expression.len());
    let mut letters = expression.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => {
                written.push(letter);
                written.extend(letters.next());
            }
            '[' if letters.next_if_eq(&'^').is_some() => {
                written.push_str("(?u:[^/");
                while let Some(letter) = letters.next() {
                    written.push(letter);
                    match letter {
                        '\\' => written.extend(letters.next()),
                        ']' => break,
                        _ => {}
                    }
                }
                written.push(')');
            }
            letter => written.push(letter),
        }
    }
    written
}

/// What is wrong with a pattern before its syntax is looked at.
fn fault(list: &str, pattern: &str) -> Option<String> {
    if pattern.trim_matches('/').is_empty() {
        return Some("is empty".into());
    }
    if pattern.contains('\\') {
        return Some("has a \\: write / between folders, on Windows too".into());
    }
    if pattern.ends_with('/') && list != "exclude_directories" {
        return Some(
            "ends with a slash and so matches no file: name folders under exclude_directories".into(),
        );
    }
    let mut in_class = false;
    for character in pattern.chars() {
        match character {
            '[' => in_class = true,
            ']' => in_class = false,
            other if in_class && !other.is_ascii() => {
                return Some(format!("has {other:?} in [ ], where only ASCII can be: write {{a,b}} instead"));
            }
            _ => {}
        }
    }
    None
}

/// The form in which pattern and name are compared.
fn fold(text: &str, case: Case) -> Cow<'_, str> {
    match case {
        Case::Sensitive => Cow::Borrowed(text),
        Case::Insensitive if text.is_ascii() && !text.bytes().any(|byte| byte.is_ascii_uppercase()) => {
            Cow::Borrowed(text)
        }
        Case::Insensitive if text.is_ascii() => Cow::Owned(text.to_ascii_lowercase()),
        Case::Insensitive => Cow::Owned(text.chars().map(fold_letter).collect()),
    }
}

/// One letter for one, whatever stands beside it: in a word's lower case a last Σ is another letter than one before a `*`.
pub fn fold_letter(letter: char) -> char {
    // Capital first: ς and σ have one. The dotless ı is no small I, but where one speaks Turkish.
    if letter == 'ı' {
        return letter;
    }
    let capital = only(letter, letter.to_uppercase());
    only(capital, capital.to_lowercase())
}

/// The letter that another becomes, or itself where it would become several.
fn only(letter: char, mut becomes: impl Iterator<Item = char>) -> char {
    match (becomes.next(), becomes.next()) {
        (Some(one), None) => one,
        _ => letter,
    }
}

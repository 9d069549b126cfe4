//! What robocopy writes, read as it comes: what it copies, what it calls extra, what failed and why, and its summary.
//!
//! Pure. Windows' language is never looked at: a line is told by its shape ([`shape`]), an error by its number, the rows of
//! the summary by their order, and a path by the root that it begins with. Memory is bounded whatever is written.

pub mod shape;
pub mod text;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::roots;
use super::summary::Row;
use crate::copy::Tally;
use shape::{Kind, Line, Mark};
use text::{Text, UNKNOWN};

/// Of more errors, and of more marked entries, the rest is counted alone.
const LISTED: usize = 100_000;
const LISTED_MARKED: usize = 1_000_000;
const FIRST_COPIED: usize = 5;
const ELSEWHERE: usize = 1000;
const LAST_WORDS: usize = 3;
const LONGEST_MESSAGE: usize = 1000;

/// The roots of a pass, as they were given to robocopy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roots {
    pub from: String,
    pub to: String,
}

/// A path of robocopy's, taken apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub side: Side,
    /// Below the root, as [`names::shown`](crate::copy::names::shown) writes it; a directory's with a `/` at its end, and
    /// empty for the root itself. A letter that was lost on its way is [`UNKNOWN`].
    pub path: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    Source,
    Target,
}

/// What failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// Windows' number of the error.
    pub code: u32,
    /// Windows' own words for it, in its own language; those of what was tried where there were none.
    pub message: String,
    /// How often it failed.
    pub attempts: u32,
}

/// The summary. By `/bytes` the third row is of bytes; robocopy lets its numbers run together where they are large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table {
    pub directories: Row,
    pub files: Row,
    pub bytes: Option<Row>,
}

/// All that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// Files that were begun and have not failed, one under way too.
    pub copied: Tally,
    /// The first few of them.
    pub first_copied: Vec<Place>,
    /// What failed for good, by its place.
    pub troubles: BTreeMap<Place, Trouble>,
    /// Lines of errors that name no place in either tree.
    pub elsewhere: Vec<Trouble>,
    /// What has a star: extra, or a mismatch.
    pub marked: Vec<Place>,
    /// How many lines had a star, whether or not their places could be told and listed.
    pub marked_in_all: u64,
    pub table: Option<Table>,
    /// The last lines that are nothing else, for a robocopy that did not begin.
    pub last_words: VecDeque<String>,
}

/// Reads the output of one robocopy.
#[derive(Debug)]
pub struct Reading {
    roots: Roots,
    text: Text,
    told: Told,
    /// The error whose message may be the next line.
    open: Option<Open>,
    /// What lines of files added, to be taken back when one of them fails; by their paths: its error may name the target's.
    under_way: BTreeMap<String, u64>,
    codes: BTreeSet<u32>,
    rows: Vec<Row>,
}

#[derive(Debug)]
enum Open {
    At(Place),
    Elsewhere,
}

impl Reading {
    pub fn new(roots: Roots) -> Self {
        let (text, told) = (Text::default(), Told::default());
        Self {
            roots,
            text,
            told,
            open: None,
            under_way: BTreeMap::new(),
            codes: BTreeSet::new(),
            rows: Vec::new(),
        }
    }

    /// Takes what has come.
    pub fn feed(&mut self, chunk: &[u8]) {
        let mut text = std::mem::take(&mut self.text);
        text.feed(chunk, &mut |line| self.line(line));
        self.text = text;
    }

    /// Files begun so far that have not failed, and their bytes.
    pub fn copied(&self) -> Tally {
        self.told.copied
    }

    /// What has failed so far, also what is tried again.
    pub fn troubles(&self) -> &BTreeMap<Place, Trouble> {
        &self.told.troubles
    }

    /// Errors so far that name no place in either tree.
    pub fn elsewhere(&self) -> &[Trouble] {
        &self.told.elsewhere
    }

    /// The numbers of the errors so far, each once.
    pub fn codes(&self) -> impl Iterator<Item = u32> {
        self.codes.iter().copied()
    }

    /// All that was told, when nothing more comes.
    pub fn finish(mut self) -> Told {
        std::mem::take(&mut self.text).finish(&mut |line| self.line(line));
        let bytes = self.rows.get(2).copied();
        self.end_rows(bytes);
        // What was begun once more after its last error was copied in the end.
        let under_way = &self.under_way;
        self.told.troubles.retain(|place, _| !under_way.contains_key(&place.path));
        self.told
    }

    fn line(&mut self, text: &str) {
        let line = shape::line(text);
        match line {
            Line::Row(row) if self.rows.len() < 3 => {
                self.rows.push(row);
                return;
            }
            Line::TornRow if self.rows.len() == 2 => {
                self.end_rows(None);
                return;
            }
            _ => {}
        }
        let bytes = self.rows.get(2).copied();
        self.end_rows(bytes);
        match line {
            // The message follows its error at once; a blank line is all that a message of no words leaves.
            Line::Blank | Line::Row(_) | Line::TornRow => self.open = None,
            Line::Error { code, rest } => self.error(code, rest),
            Line::Entry { mark: Mark::None, kind: Kind::File, bytes, path } => self.file(bytes, path),
            Line::Entry { mark: Mark::None, kind: Kind::Directory, .. } => self.open = None,
            Line::Entry { mark: Mark::Star, path, .. } => self.marked(path),
            Line::Words(words) => self.words(words),
        }
    }

    /// Two rows or three in a run are a summary; the last one counts.
    fn end_rows(&mut self, bytes: Option<Row>) {
        if let [directories, files, ..] = self.rows[..] {
            self.told.table = Some(Table { directories, files, bytes });
        }
        self.rows.clear();
    }

    fn file(&mut self, bytes: u64, path: &str) {
        self.open = None;
        self.told.copied.add(bytes);
        self.forget_what_is_done();
        if let Some(place) = self.roots.place(path) {
            if self.told.first_copied.len() < FIRST_COPIED && !self.told.first_copied.contains(&place) {
                self.told.first_copied.push(place.clone());
            }
            // A file that is tried again has its line once more.
            if let Some(before) = self.under_way.insert(place.path, bytes) {
                take_back(&mut self.told.copied, before);
            }
        }
    }

    /// So many at once are not under way. What had an error and was begun once more is remembered: its error is over.
    fn forget_what_is_done(&mut self) {
        if self.under_way.len() < 2 * LISTED {
            return;
        }
        let had_errors: BTreeSet<&str> =
            self.told.troubles.keys().map(|trouble| trouble.path.as_str()).collect();
        self.under_way.retain(|path, _| had_errors.contains(path.as_str()));
    }

    fn marked(&mut self, path: &str) {
        self.open = None;
        self.told.marked_in_all += 1;
        if self.told.marked.len() < LISTED_MARKED {
            self.told.marked.extend(self.roots.place(path));
        }
    }

    fn error(&mut self, code: u32, rest: &str) {
        self.codes.insert(code);
        let message = escaped(rest);
        let Some(place) = self.roots.find(rest) else {
            if self.told.elsewhere.len() < ELSEWHERE {
                self.told.elsewhere.push(Trouble { code, message, attempts: 1 });
            }
            self.open = Some(Open::Elsewhere);
            return;
        };
        if let Some(bytes) = self.under_way.remove(&place.path) {
            take_back(&mut self.told.copied, bytes);
        }
        self.told.first_copied.retain(|copied| copied.path != place.path);
        // One file has one trouble, whichever side it names in the end.
        let other_side = match place.side {
            Side::Source => Side::Target,
            Side::Target => Side::Source,
        };
        let earlier = self.told.troubles.remove(&Place { side: other_side, path: place.path.clone() });
        let known = self.told.troubles.contains_key(&place);
        if known || self.told.troubles.len() < LISTED {
            let trouble = self.told.troubles.entry(place.clone()).or_insert(Trouble {
                code,
                message: String::new(),
                attempts: earlier.map_or(0, |earlier| earlier.attempts),
            });
            (trouble.code, trouble.message) = (code, message);
            trouble.attempts = trouble.attempts.saturating_add(1);
        }
        self.open = Some(Open::At(place));
    }

    fn words(&mut self, words: &str) {
        match self.open.take() {
            Some(Open::At(place)) => {
                if let Some(trouble) = self.told.troubles.get_mut(&place) {
                    trouble.message = escaped(words);
                }
            }
            Some(Open::Elsewhere) => {
                if let Some(trouble) = self.told.elsewhere.last_mut() {
                    trouble.message = format!("{}: {}", trouble.message, escaped(words));
                }
            }
            None => self.last_words(words),
        }
    }

    fn last_words(&mut self, words: &str) {
        // What stands above a rule is the header.
        if words.chars().all(|sign| sign == '-') {
            self.told.last_words.clear();
            return;
        }
        // The lines of its help, and a warning between stars: none of them says what is wrong.
        if words.contains("::") || words.starts_with("**") {
            return;
        }
        if self.told.last_words.len() == LAST_WORDS {
            self.told.last_words.pop_front();
        }
        self.told.last_words.push_back(escaped(words));
    }
}

fn take_back(copied: &mut Tally, bytes: u64) {
    copied.files = copied.files.saturating_sub(1);
    copied.bytes = copied.bytes.saturating_sub(bytes);
}

/// Words of another program on one line, with what could move a cursor written out, and no more than a person reads.
fn escaped(words: &str) -> String {
    let mut text = String::new();
    for sign in words.chars().take(LONGEST_MESSAGE) {
        match sign.is_control() {
            true => text.extend(sign.escape_default()),
            false => text.push(sign),
        }
    }
    text
}

impl Roots {
    /// As robocopy writes them.
    pub fn new(from: &str, to: &str) -> Self {
        let [from, to] = [from, to].map(roots::root);
        Self { from, to }
    }

    /// The place of a path that begins with one of the roots.
    pub fn place(&self, path: &str) -> Option<Place> {
        self.at(path, &self.longest_first())
    }

    /// The place of the path that a line ends with.
    pub fn find(&self, words: &str) -> Option<Place> {
        let roots = self.longest_first();
        words
            .char_indices()
            .filter(|(at, _)| *at == 0 || words[..*at].ends_with(char::is_whitespace))
            .find_map(|(at, _)| self.at(&words[at..], &roots))
    }

    fn longest_first(&self) -> [(Side, &str); 2] {
        let mut roots = [(Side::Source, self.from.as_str()), (Side::Target, self.to.as_str())];
        roots.sort_by_key(|(_, root)| std::cmp::Reverse(root.len()));
        roots
    }

    fn at(&self, path: &str, roots: &[(Side, &str)]) -> Option<Place> {
        let path = roots::without_prefix(path);
        roots.iter().find_map(|(side, root)| {
            let separator = if root.contains('\\') { '\\' } else { '/' };
            let mut letters = path.chars();
            for expected in root.trim_end_matches(separator).chars() {
                if !is_letter(letters.next()?, expected) {
                    return None;
                }
            }
            let below = letters.as_str();
            if !(below.is_empty() || below.starts_with(separator)) {
                return None;
            }
            let names: Vec<String> =
                below.split(separator).filter(|name| !name.is_empty()).map(name_of).collect();
            let end = if !names.is_empty() && below.ends_with(separator) { "/" } else { "" };
            Some(Place { side: *side, path: names.join("/") + end })
        })
    }
}

/// A name with its control characters written as [`names::shown_name`](crate::copy::names::shown_name) writes them.
fn name_of(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for letter in name.chars() {
        match letter.is_control() {
            true => {
                letter.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| text += &format!("\\x{byte:02X}"))
            }
            false => text.push(letter),
        }
    }
    text
}

/// Whether a letter as it came can be this one: case is Windows' to choose, and what its code page has not is lost.
fn is_letter(told: char, real: char) -> bool {
    told == real || told == UNKNOWN || told == '?' || told.to_lowercase().eq(real.to_lowercase())
}

/// Whether a path as it came can be this one.
pub fn can_be(told: &str, real: &str) -> bool {
    let (mut told, mut real) = (told.chars(), real.chars());
    loop {
        match (told.next(), real.next()) {
            (None, None) => return true,
            (Some(told), Some(real)) if is_letter(told, real) => {}
            _ => return false,
        }
    }
}

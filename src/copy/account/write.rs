//! Writing names: many workers, each with a page of its own, appended under a lock.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use super::{Bucket, Entry, Head, Mark, Names, line};
use crate::copy::{EntryKind, ErrorClass, ExtraEntry, FileError, PassSummary, Rule, names};
use crate::sys::private_file;

/// A page of this size is appended; so much a worker holds.
const PAGE: usize = 32 * 1024;

/// The file of names of a pass under way. What goes wrong is kept, and told by [`Writer::finish`].
#[derive(Debug)]
pub struct Writer {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    Sound { file: File, digest: Box<blake3::Hasher>, lines: u64 },
    Lost(String),
}

impl Writer {
    /// Begins a file anew, readable by its owner only. What an earlier pass left in its place is removed first.
    pub fn begin(path: &Path, head: &Head) -> Self {
        let state = private_file::make_anew(path).map_or_else(
            |error| State::Lost(format!("cannot make {}: {error}", path.display())),
            |file| State::Sound { file, digest: Box::default(), lines: 0 },
        );
        let writer = Self { path: path.to_owned(), state: Mutex::new(state) };
        writer.append(&json_line(head), 1);
        writer
    }

    /// Writes the last line. The disk has it only after [`Unsynced::sync`].
    pub fn finish(self, sums: &PassSummary) -> (Names, Option<Unsynced>) {
        #[derive(Serialize)]
        struct End<'a> {
            end: &'a PassSummary,
        }
        self.append(&json_line(&End { end: sums }), 1);
        match self.state.into_inner().unwrap_or_else(PoisonError::into_inner) {
            State::Sound { file, digest, lines } => {
                let mark = Mark { lines, digest: digest.finalize().to_hex().to_string() };
                (Names::Kept(mark), Some(Unsynced(file)))
            }
            State::Lost(why) => (Names::Lost(why), None),
        }
    }

    fn append(&self, text: &[u8], count: u64) {
        let mut state = self.lock();
        let State::Sound { file, digest, lines } = &mut *state else { return };
        match file.write_all(text) {
            Ok(()) => {
                digest.update(text);
                *lines += count;
            }
            Err(error) => *state = State::Lost(format!("cannot write the names: {error}")),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The names cannot be had in whole any more.
    pub(super) fn lose(&self, why: String) {
        let mut state = self.lock();
        if matches!(*state, State::Sound { .. }) {
            *state = State::Lost(why);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is whole after every step, so a panic elsewhere does not spoil it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn json_line(value: &impl Serialize) -> Vec<u8> {
    // Neither form has a map with keys that are no strings; a line that cannot be made makes a file that is not whole.
    let mut text = serde_json::to_vec(value).unwrap_or_default();
    text.push(b'\n');
    text
}

/// A finished file of names that may be in memory only. To wait for the disk right behind the pass would cost a short
/// one more than all of its names: it is done once, when the process ends. What a power cut takes before that is told
/// as cut, since the journal knows the whole.
#[derive(Debug)]
pub struct Unsynced(File);

impl Unsynced {
    pub fn sync(&self) -> std::io::Result<()> {
        self.0.sync_data()
    }
}

/// The lines of one worker that are not in the file yet.
#[derive(Debug, Default)]
pub struct Page {
    text: Vec<u8>,
    lines: u64,
    /// The directory of the last line, and how it is written: neighbours share it.
    above: PathBuf,
    shown: Vec<u8>,
    /// The rule of the last line, and how it is written.
    rule: Option<(Rule, Vec<u8>)>,
}

impl Page {
    /// Names an entry of a directory.
    pub fn note(&mut self, writer: Option<&Writer>, bucket: Bucket, above: &Path, name: &OsStr, bytes: u64) {
        if let Some(writer) = writer {
            self.begin(bucket, above, name);
            line::bytes(&mut self.text, bytes);
            self.end(writer);
        }
    }

    /// Names an entry of the source, or a directory with all that it holds, that a filter keeps out.
    pub fn kept_out(&mut self, writer: Option<&Writer>, above: &Path, name: &OsStr, rule: Rule, bytes: u64) {
        if let Some(writer) = writer {
            self.begin(Bucket::Filtered, above, name);
            // The two rules that keep out a directory with all that it holds.
            if matches!(rule, Rule::ExcludeDirectories | Rule::MaxDepth) {
                self.text.push(b'/');
            }
            line::bytes(&mut self.text, bytes);
            self.rule(rule);
            self.end(writer);
        }
    }

    /// Names what only the target has, and the rule that keeps it there.
    pub fn extra(&mut self, writer: Option<&Writer>, bucket: Bucket, entry: &ExtraEntry, rule: Option<Rule>) {
        if let Some(writer) = writer {
            line::begin(&mut self.text, bucket);
            line::path(&mut self.text, &entry.path);
            if entry.kind == EntryKind::Directory {
                self.text.push(b'/');
            }
            line::bytes(&mut self.text, entry.bytes);
            if entry.kind != EntryKind::File {
                line::word(&mut self.text, "kind", word_of(&entry.kind).as_str());
            }
            if let Some(rule) = rule {
                self.rule(rule);
            }
            self.end(writer);
        }
    }

    /// Names what a purge was to take away and could not.
    pub fn stays(&mut self, writer: Option<&Writer>, entry: &ExtraEntry, why: &FileError) {
        if let Some(writer) = writer {
            line::begin(&mut self.text, Bucket::Kept);
            line::path(&mut self.text, &entry.path);
            line::bytes(&mut self.text, entry.bytes);
            if entry.kind != EntryKind::File {
                line::word(&mut self.text, "kind", word_of(&entry.kind).as_str());
            }
            self.why(why);
            self.end(writer);
        }
    }

    /// Names an entry once more, as it was read.
    pub fn again(&mut self, writer: Option<&Writer>, entry: &Entry) {
        if let Some(writer) = writer {
            self.text.extend_from_slice(&json_line(entry));
            self.line_ended(writer);
        }
    }

    /// Names an entry that could not be handled.
    pub fn failed(&mut self, writer: Option<&Writer>, lost: &FileError, bytes: u64) {
        if let Some(writer) = writer {
            let bucket = if lost.class == ErrorClass::Vanished { Bucket::Vanished } else { Bucket::Failed };
            line::begin(&mut self.text, bucket);
            line::escaped(&mut self.text, &lost.path);
            line::bytes(&mut self.text, bytes);
            self.why(lost);
            self.end(writer);
        }
    }

    /// Names what only the target has and could not be looked at.
    pub fn unread(&mut self, writer: Option<&Writer>, why: &FileError) {
        if let Some(writer) = writer {
            line::begin(&mut self.text, Bucket::ExtraUnread);
            line::escaped(&mut self.text, &why.path);
            line::bytes(&mut self.text, 0);
            self.why(why);
            self.end(writer);
        }
    }

    /// Brings what is left into the file.
    pub fn turn(&mut self, writer: Option<&Writer>) {
        if let Some(writer) = writer
            && self.lines > 0
        {
            writer.append(&self.text, self.lines);
            self.text.clear();
            self.lines = 0;
        }
    }

    fn begin(&mut self, bucket: Bucket, above: &Path, name: &OsStr) {
        // By letters and not by components: this is asked for every file.
        if self.above.as_os_str() != above.as_os_str() {
            self.above.clear();
            self.above.push(above);
            self.shown.clear();
            line::escaped(&mut self.shown, &names::shown(above));
            if !self.shown.is_empty() {
                self.shown.push(b'/');
            }
        }
        line::begin(&mut self.text, bucket);
        self.text.extend_from_slice(&self.shown);
        line::name(&mut self.text, name);
    }

    fn why(&mut self, lost: &FileError) {
        line::word(&mut self.text, "class", word_of(&lost.class).as_str());
        self.text.extend_from_slice(format!(",\"attempts\":{}", lost.attempts).as_bytes());
        line::word(&mut self.text, "error", &lost.error);
    }

    fn rule(&mut self, rule: Rule) {
        if self.rule.as_ref().is_none_or(|(last, _)| *last != rule) {
            let mut field = Vec::new();
            line::word(&mut field, "rule", word_of(&rule).as_str());
            self.rule = Some((rule, field));
        }
        if let Some((_, field)) = &self.rule {
            self.text.extend_from_slice(field);
        }
    }

    fn end(&mut self, writer: &Writer) {
        line::end(&mut self.text);
        self.line_ended(writer);
    }

    fn line_ended(&mut self, writer: &Writer) {
        self.lines += 1;
        if self.text.len() >= PAGE {
            self.turn(Some(writer));
        }
    }
}

/// The word that serde has for a choice.
fn word_of(choice: &impl Serialize) -> String {
    match serde_json::to_value(choice) {
        Ok(serde_json::Value::String(word)) => word,
        // Choices without content are words.
        _ => String::new(),
    }
}

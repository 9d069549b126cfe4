//! What rclone says while it works: the lines of `--use-json-log`.
//!
//! Pure. Reads the lines of 1.60 (levels `warning` and `info`) and of later versions (`notice`, `critical`); a line that is
//! none of them is what it says and never an error.

use serde::Deserialize;

use crate::copy::ErrorClass;

/// The flags that [`Line::read`] needs: every deed a line, and how far it is twice a second.
pub const FLAGS: [&str; 4] = ["--use-json-log", "-v", "--stats", "500ms"];

/// One line of the log.
#[derive(Clone, Debug, PartialEq)]
pub enum Line {
    Progress(Stats),
    /// A file, or a folder, that something went wrong with.
    Failed(Failed),
    /// What is passed over without an error: a link, or what is no file and no folder.
    Skipped {
        path: String,
        what: Skipped,
    },
    /// A file that was brought over.
    Copied(String),
    /// A try at the whole came to its end.
    Attempt(Attempt),
    /// An error of the whole, as rclone words it.
    Trouble(String),
    /// Anything else.
    Other,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// Below the root, with `/`; empty for the root itself.
    pub path: String,
    pub class: ErrorClass,
    /// As rclone words it.
    pub error: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    Failed,
    Succeeded,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skipped {
    Link,
    Special,
}

/// How far it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stats {
    pub bytes: u64,
    pub total_bytes: u64,
    /// Files that were copied.
    pub transfers: u64,
    /// Files that are being copied.
    pub under_way: Vec<UnderWay>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnderWay {
    pub path: String,
    pub bytes: u64,
    pub size: u64,
}

#[derive(Deserialize)]
struct Written {
    #[serde(default)]
    level: String,
    #[serde(default)]
    msg: String,
    object: Option<String>,
    stats: Option<WrittenStats>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct WrittenStats {
    bytes: u64,
    total_bytes: u64,
    transfers: u64,
    transferring: Option<Vec<WrittenTransfer>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WrittenTransfer {
    name: String,
    bytes: u64,
    // -1 where it is not known.
    size: i64,
}

impl Line {
    pub fn read(line: &str) -> Self {
        let line = line.trim();
        if !line.starts_with('{') {
            return plain(line);
        }
        let Ok(written) = serde_json::from_str::<Written>(line) else { return Self::Other };
        if let Some(stats) = written.stats {
            return Self::Progress(stats.into());
        }
        let is_error =
            matches!(written.level.as_str(), "error" | "critical" | "alert" | "emergency" | "fatal");
        match written.object {
            Some(path) if is_error => {
                let class = class_of_file(&path, &written.msg);
                Self::Failed(Failed { path, class, error: written.msg })
            }
            Some(path) if written.msg.starts_with("Can't follow symlink") => {
                Self::Skipped { path, what: Skipped::Link }
            }
            Some(path) if written.msg.starts_with("Can't transfer non file/directory") => {
                Self::Skipped { path, what: Skipped::Special }
            }
            // `Copied (new)`, `Multi-thread Copied (replaced existing)`.
            Some(path) if written.msg.contains("Copied (") => Self::Copied(path),
            None if written.msg.starts_with("Attempt ") && written.msg.contains("succeeded") => {
                Self::Attempt(Attempt::Succeeded)
            }
            None if written.msg.starts_with("Attempt ") => Self::Attempt(Attempt::Failed),
            None if is_error => Self::Trouble(written.msg),
            _ => Self::Other,
        }
    }
}

/// A line of the time before the log is set up, and the last words: `2026/11/27 09:50:12 Failed to …`.
fn plain(line: &str) -> Line {
    let mut words = line.splitn(3, ' ');
    let is_dated = words.next().is_some_and(|date| date.split('/').count() == 3)
        && words.next().is_some_and(|time| time.split(':').count() == 3);
    let said = if is_dated { words.next().unwrap_or_default() } else { line };
    let is_quiet = ["NOTICE:", "INFO  :", "DEBUG :"].iter().any(|level| said.starts_with(level));
    match said {
        "" => Line::Other,
        _ if is_quiet => Line::Other,
        said => Line::Trouble(
            said.trim_start_matches("ERROR :").trim_start_matches("CRITICAL:").trim().to_owned(),
        ),
    }
}

impl From<WrittenStats> for Stats {
    fn from(written: WrittenStats) -> Self {
        let under_way = written.transferring.unwrap_or_default().into_iter();
        Self {
            bytes: written.bytes,
            total_bytes: written.total_bytes,
            transfers: written.transfers,
            under_way: under_way
                .map(|transfer| UnderWay {
                    path: transfer.name,
                    bytes: transfer.bytes,
                    size: u64::try_from(transfer.size).unwrap_or(transfer.bytes),
                })
                .collect(),
        }
    }
}

/// The class of an error of a file, by its words: those of rclone, of Go and of the system, which Go asks for in English. What the
/// file is called says nothing.
pub fn class_of_file(path: &str, error: &str) -> ErrorClass {
    match cause_of(path, error) {
        Some(Cause::NoRoom) => ErrorClass::Fatal,
        Some(Cause::Network | Cause::Busy) => ErrorClass::Transient,
        Some(Cause::Denied) => ErrorClass::Denied,
        Some(Cause::Absent) => ErrorClass::Vanished,
        None => ErrorClass::Permanent,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    NoRoom,
    Network,
    Busy,
    Denied,
    Absent,
}

/// By what tells each cause; the earlier one counts where two are told.
const TOLD_BY: [(Cause, &[&str]); 5] = [
    (
        Cause::NoRoom,
        &[
            "no space left",
            "not enough space",
            "remaining disk space",
            "disk full",
            "quota",
            "read-only file system",
        ],
    ),
    (
        Cause::Network,
        &[
            "timeout",
            "timed out",
            "deadline exceeded",
            "connection",
            "broken pipe",
            "no route to host",
            "no such host",
            "unexpected eof",
            "network",
            "dial tcp",
        ],
    ),
    (
        Cause::Busy,
        &[
            "being used by another process",
            "sharing violation",
            "resource busy",
            "text file busy",
            "being updated",
            "too many requests",
            "temporar",
            "locked",
            "service unavailable",
            "corrupted on transfer",
        ],
    ),
    (
        Cause::Denied,
        &[
            "permission denied",
            "access is denied",
            "access denied",
            "forbidden",
            "unauthorized",
            "logon",
            "privilege",
        ],
    ),
    (Cause::Absent, &["no such file", "not found", "cannot find", "does not exist", "doesn't exist"]),
];

/// The cause that an error names last: `open /srv/quota.dat: permission denied` is about a right. Paths and what is in quotes
/// are no part of the words.
fn cause_of(path: &str, error: &str) -> Option<Cause> {
    let unquoted: String = error.split('"').step_by(2).collect::<Vec<_>>().join(" ");
    without(&unquoted, path).rsplit(": ").find_map(|part| {
        let is_path = |word: &str| word.starts_with('/') || word.contains('\\');
        let words: Vec<&str> = part.split_whitespace().filter(|word| !is_path(word)).collect();
        let words = words.join(" ").to_ascii_lowercase();
        let says = |(_, tellers): &&(Cause, &[&str])| tellers.iter().any(|teller| words.contains(teller));
        TOLD_BY.iter().find(says).map(|(cause, _)| *cause)
    })
}

/// A text without a path, where that is a word of it or the end of a longer path.
fn without(text: &str, path: &str) -> String {
    let (mut rest, mut left) = (text, String::new());
    while let Some(at) = rest.find(path).filter(|_| !path.is_empty()) {
        let (before, behind) = (&rest[..at], &rest[at + path.len()..]);
        let begins = before.is_empty() || before.ends_with([' ', '/', '\\']);
        let ends = behind.is_empty() || behind.starts_with([' ', ':']);
        left.push_str(before);
        if !(begins && ends) {
            left.push_str(path);
        }
        rest = behind;
    }
    left + rest
}

/// What rclone named as failed, of the last of its tries: what failed in one before may have come over since.
#[derive(Debug, Default)]
pub struct Errors {
    now: Vec<Failed>,
    before: Vec<Failed>,
    trouble: Option<String>,
}

impl Errors {
    /// Takes a line in.
    pub fn hear(&mut self, line: &Line) {
        match line {
            Line::Failed(failed) if failed.path.is_empty() => {
                self.trouble.get_or_insert_with(|| failed.error.clone());
            }
            Line::Failed(failed) => self.now.push(failed.clone()),
            Line::Attempt(Attempt::Failed) => self.before = std::mem::take(&mut self.now),
            Line::Attempt(Attempt::Succeeded) => {
                self.now.clear();
                self.before.clear();
            }
            Line::Trouble(said) => {
                self.trouble.get_or_insert_with(|| said.clone());
            }
            Line::Progress(_) | Line::Skipped { .. } | Line::Copied(_) | Line::Other => {}
        }
    }

    /// Each path once, with what was said of it last.
    pub fn of_last_attempt(&self) -> Vec<&Failed> {
        let last = if self.now.is_empty() { &self.before } else { &self.now };
        let mut by_path: Vec<&Failed> = Vec::new();
        let mut places = std::collections::HashMap::new();
        for failed in last {
            match places.get(failed.path.as_str()) {
                Some(place) => by_path[*place] = failed,
                None => {
                    places.insert(failed.path.as_str(), by_path.len());
                    by_path.push(failed);
                }
            }
        }
        by_path
    }

    /// What rclone said of the whole, the first of it.
    pub fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }
}

/// Whether an error is one of the way to a remote, and so of every file.
pub fn is_of_network(error: &str) -> bool {
    cause_of("", error) == Some(Cause::Network)
}

/// What an exit code means, as rclone's manual has it.
pub fn meaning_of(code: i32) -> &'static str {
    match code {
        0 => "success",
        1 => "a mistake in the command line",
        2 => "an error of no category",
        3 => "a folder was not found",
        4 => "a file was not found",
        5 => "a temporary error, for which more tries might help",
        6 => "errors that are less serious",
        7 => "an error that no further try can mend",
        8 => "a limit of transfers was reached",
        9 => "nothing was copied",
        10 => "a limit of time was reached",
        _ => "a code that its manual does not have",
    }
}

/// Puts chunks together to lines. A line without an end is bounded: what is longer than any of rclone's is cut.
#[derive(Debug, Default)]
pub struct Lines {
    begun: Vec<u8>,
}

impl Lines {
    const LONGEST: usize = 4 * 1024 * 1024;

    /// Gives every line that a chunk ends, without its end.
    pub fn push(&mut self, chunk: &[u8], mut each: impl FnMut(&str)) {
        let mut rest = chunk;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            self.keep(&rest[..end]);
            each(&String::from_utf8_lossy(&std::mem::take(&mut self.begun)));
            rest = &rest[end + 1..];
        }
        self.keep(rest);
    }

    /// The last line, where it has no end.
    pub fn finish(self, mut each: impl FnMut(&str)) {
        if !self.begun.is_empty() {
            each(&String::from_utf8_lossy(&self.begun));
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = Self::LONGEST.saturating_sub(self.begun.len());
        self.begun.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}

#[cfg(test)]
mod tests;

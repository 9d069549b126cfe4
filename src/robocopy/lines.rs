//! What is printed around the table: the header, and a line a file.

use std::fmt::Write as _;
use std::io::ErrorKind;
use std::path::Path;

use jiff::ZonedDateTime;

use super::command_line::Job;
use super::summary::{Mismatched, Sizes, size};
use super::switches::Setting;
use crate::copy::account::{Bucket, Entry};
use crate::copy::{EntryKind, ErrorClass, ExtraEntry, FileError, Rule, names};

const RULE: &str = "-------------------------------------------------------------------------------";

const MISMATCH: &str = "*Mismatch";

/// How a job wants its lines.
#[derive(Clone, Copy, Debug)]
pub struct Style<'a> {
    job: &'a Job,
    from: &'a Path,
    to: &'a Path,
}

impl<'a> Style<'a> {
    pub fn new(job: &'a Job, from: &'a Path, to: &'a Path) -> Self {
        Self { job, from, to }
    }

    pub fn sizes(&self) -> Sizes {
        if self.job.has(Setting::PlainBytes) { Sizes::Plain } else { Sizes::Short }
    }

    /// What is done, before it begins.
    pub fn header(&self, started: &ZonedDateTime) -> String {
        let job = self.job;
        let all = ["*.*".to_owned()];
        let patterns = if job.patterns.is_empty() { &all[..] } else { &job.patterns };
        let mut text = format!(
            "{RULE}\n   MOVEBOOK     ::     robocopy's command line, carried out by movebook\n{RULE}\n\n"
        );
        let mut line = |name: &str, value: &str| {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{name:>9} : {value}");
        };
        line("Started", &time(started));
        line("Source", &names::shown(self.from));
        line("Dest", &names::shown(self.to));
        for (number, pattern) in patterns.iter().enumerate() {
            line(if number == 0 { "Files" } else { "" }, pattern);
        }
        for (name, list) in [("Exc Files", &job.exclude_files), ("Exc Dirs", &job.exclude_directories)] {
            for (number, excluded) in list.iter().enumerate() {
                line(if number == 0 { name } else { "" }, excluded);
            }
        }
        let options: Vec<String> = job.used().map(super::command_line::Used::shown).collect();
        line("Options", &options.join(" "));
        for switch in job.without_effect() {
            line("Note", &format!("{}: {}", switch.shown(), switch.says));
        }
        let _ = writeln!(text, "\n{RULE}\n");
        text
    }

    /// The line of an entry of the source; `None` for what is not told.
    pub fn entry(
        &self,
        entry: &Entry,
        mismatched: &Mismatched,
        modified: Option<&ZonedDateTime>,
        now: &ZonedDateTime,
    ) -> Option<String> {
        let is_mismatch = mismatched.contains_key(&entry.path);
        if let (Some(class), Some(error), false) = (entry.class, &entry.error, is_mismatch) {
            return Some(self.failed(&entry.path, class, error, now));
        }
        let class = if is_mismatch { MISMATCH } else { self.class(entry)? };
        let root = if entry.bucket == Bucket::ExtraFiltered { self.to } else { self.from };
        let text = self.line(class, entry.bytes, modified, root, &entry.path);
        Some(match &entry.error {
            Some(error) => format!("{text}\n\t\t\t\t{error}"),
            None => text,
        })
    }

    /// The line of what only the target has; `None` for what is not told. A directory's number is -1, in one column with
    /// its class, and it ends with a separator.
    pub fn extra(&self, entry: &ExtraEntry) -> Option<String> {
        let path = names::shown(&entry.path);
        if entry.kind != EntryKind::Directory {
            return Some(self.line("*EXTRA File", entry.bytes, None, self.to, &path));
        }
        if self.job.has(Setting::NoDirectoryNames) {
            return None;
        }
        let path = if self.job.has(Setting::FullPaths) { self.whole(self.to, &path) } else { path };
        let class = if self.job.has(Setting::NoClasses) { "" } else { "*EXTRA Dir" };
        let number = if self.job.has(Setting::NoSizes) { "" } else { "-1" };
        Some(format!("\t{class:<10}{number:>9}\t{path}{}", std::path::MAIN_SEPARATOR))
    }

    /// The lines of what failed.
    pub fn error(&self, error: &FileError, mismatched: &Mismatched, now: &ZonedDateTime) -> String {
        match mismatched.contains_key(&error.path) {
            true => format!("\t{MISMATCH:>12}\t{}\n\t\t\t\t{}", error.path, error.error),
            false => self.failed(&error.path, error.class, &error.error, now),
        }
    }

    /// An error as robocopy tells it, with one of Windows' numbers for its class.
    fn failed(&self, path: &str, class: ErrorClass, error: &str, now: &ZonedDateTime) -> String {
        let code = match class {
            ErrorClass::Transient => 32,
            ErrorClass::Vanished => 2,
            ErrorClass::Denied => 5,
            ErrorClass::Fatal => 112,
            ErrorClass::Permanent => 1,
        };
        self.copying(code, path, error, now)
    }

    /// The error that ended a pass for all of its files, with Windows' number where there is one for what the whole target
    /// shares: whoever reads it need not understand the words.
    pub fn ended(&self, path: &str, why: &str, kind: ErrorKind, now: &ZonedDateTime) -> Option<String> {
        let code = match kind {
            ErrorKind::StorageFull => 112,
            ErrorKind::QuotaExceeded => 1295,
            ErrorKind::ReadOnlyFilesystem => 19,
            _ => return None,
        };
        Some(self.copying(code, path, why, now))
    }

    fn copying(&self, code: u32, path: &str, why: &str, now: &ZonedDateTime) -> String {
        let now = now.strftime("%Y/%m/%d %H:%M:%S");
        let path = self.whole(self.from, path);
        format!("{now} ERROR {code} (0x{code:08X}) Copying File {path}\n{why}\n")
    }

    fn whole(&self, root: &Path, path: &str) -> String {
        let end = if path.ends_with('/') { std::path::MAIN_SEPARATOR_STR } else { "" };
        names::shown(&root.join(names::path_of(path.trim_end_matches('/')))) + end
    }

    fn class(&self, entry: &Entry) -> Option<&'static str> {
        let verbose = self.job.has(Setting::Verbose);
        match entry.bucket {
            Bucket::New => Some("New File"),
            Bucket::Changed => Some("Changed"),
            Bucket::LinksCopied => Some("Link"),
            // Told as an error, which each of them has.
            Bucket::Failed | Bucket::Vanished | Bucket::ExtraUnread => None,
            Bucket::SkippedLinks | Bucket::SkippedSpecial => verbose.then_some("skipped"),
            Bucket::Filtered if verbose => match entry.rule? {
                // robocopy does not look at what its patterns do not name.
                Rule::Include => None,
                Rule::Exclude | Rule::ExcludeDirectories | Rule::MaxDepth => Some("named"),
                Rule::MinAge => Some("too new"),
                Rule::MaxAge => Some("too old"),
                Rule::MinSize => Some("small"),
                Rule::MaxSize => Some("large"),
            },
            Bucket::ExtraFiltered
                if self.job.has(Setting::AllExtras) && !self.job.has(Setting::ExcludeExtra) =>
            {
                Some("*EXTRA File")
            }
            Bucket::Filtered | Bucket::ExtraFiltered | Bucket::Purged | Bucket::Kept => None,
        }
    }

    fn line(
        &self,
        class: &str,
        bytes: u64,
        modified: Option<&ZonedDateTime>,
        root: &Path,
        path: &str,
    ) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = match self.job.has(Setting::NoClasses) {
            true => write!(text, "\t"),
            false => write!(text, "\t{class:>12}\t"),
        };
        if !self.job.has(Setting::NoSizes) {
            let _ = write!(text, "{:>10}\t", size(bytes, self.sizes()));
        }
        if let Some(modified) = modified {
            let _ = write!(text, "{}\t", modified.strftime("%Y/%m/%d %H:%M:%S"));
        }
        if self.job.has(Setting::FullPaths) {
            text.push_str(&self.whole(root, path));
        } else {
            text.push_str(path);
        }
        text
    }
}

/// `Friday, 27 November 2026 07:30:00`
pub fn time(at: &ZonedDateTime) -> String {
    at.strftime("%A, %-d %B %Y %H:%M:%S").to_string()
}

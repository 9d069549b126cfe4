//! What is printed around the table: the header, and a line a file.

use std::fmt::Write as _;
use std::path::Path;

use jiff::ZonedDateTime;

use super::command_line::Job;
use super::summary::{Mismatched, Sizes, size};
use super::switches::Setting;
use crate::copy::account::{Bucket, Entry};
use crate::copy::{EntryKind, ExtraEntry, FileError, Rule, names};

const RULE: &str = "-------------------------------------------------------------------------------";

const FAILED: &str = "*FAILED";
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
    ) -> Option<String> {
        let class = if mismatched.contains_key(&entry.path) { MISMATCH } else { self.class(entry)? };
        let text = self.line(class, entry.bytes, modified, self.from, &entry.path);
        Some(match &entry.error {
            Some(error) => format!("{text}\n\t\t\t\t{error}"),
            None => text,
        })
    }

    /// The line of what only the target has; `None` for what is not told.
    pub fn extra(&self, entry: &ExtraEntry) -> Option<String> {
        let class = match entry.kind {
            EntryKind::Directory if self.job.has(Setting::NoDirectoryNames) => return None,
            EntryKind::Directory => "*EXTRA Dir",
            EntryKind::File | EntryKind::Link | EntryKind::Special => "*EXTRA File",
        };
        Some(self.line(class, entry.bytes, None, self.to, &names::shown(&entry.path)))
    }

    /// The lines of what failed.
    pub fn error(&self, error: &FileError, mismatched: &Mismatched) -> String {
        let class = if mismatched.contains_key(&error.path) { MISMATCH } else { FAILED };
        format!("\t{class:>12}\t{}\n\t\t\t\t{}", error.path, error.error)
    }

    fn class(&self, entry: &Entry) -> Option<&'static str> {
        let verbose = self.job.has(Setting::Verbose);
        match entry.bucket {
            Bucket::New => Some("New File"),
            Bucket::Changed => Some("Changed"),
            Bucket::LinksCopied => Some("Link"),
            Bucket::Failed | Bucket::Vanished | Bucket::ExtraUnread => Some(FAILED),
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
            text.push_str(&names::shown(&root.join(names::path_of(path))));
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

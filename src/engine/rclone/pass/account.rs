//! The account of a pass between listings: each file in one bucket, with its name.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::Path;

use crate::copy::account::{Bucket, Page, Writer};
use crate::copy::{EntryKind, ErrorClass, Extras, FileError, PassOutcome, PassSummary, Survey, names};
use crate::rclone::compare::{Comparison, Deed};

/// Puts all into buckets: of what was to be copied what was lost is failed, or vanished, and the rest new or changed.
pub(super) fn settle(
    comparison: Comparison,
    mut lost: HashMap<String, FileError>,
    extras: Extras,
    account: Option<&Writer>,
) -> PassOutcome {
    let mut books = Books { summary: PassSummary::default(), page: Page::default(), account };
    let mut new_lost = 0;
    for file in &comparison.copy {
        if let Some(error) = lost.remove(&file.path) {
            new_lost += u64::from(file.deed == Deed::New);
            books.lose(&error, file.bytes);
            continue;
        }
        let bucket = match file.deed {
            Deed::New => {
                books.summary.new.add(file.bytes);
                Bucket::New
            }
            Deed::Changed => {
                books.summary.changed.add(file.bytes);
                Bucket::Changed
            }
        };
        books.note(bucket, &file.path, file.bytes);
    }
    comparison.same.iter().for_each(|(_, bytes)| books.summary.same.add(*bytes));
    for kept in &comparison.kept_out {
        books.summary.filtered.entry(kept.rule).or_default().add(kept.bytes);
        let (above, name) = split(kept.path.trim_end_matches('/'));
        books.page.kept_out(account, above, name, kept.rule, kept.bytes);
    }
    for path in &comparison.links {
        books.summary.skipped_links += 1;
        books.note(Bucket::SkippedLinks, path, 0);
    }
    for path in &comparison.special {
        books.summary.skipped_special += 1;
        books.note(Bucket::SkippedSpecial, path, 0);
    }
    for (error, bytes) in &comparison.failed {
        books.lose(error, *bytes);
    }
    // What failed only behind the pass.
    for error in lost.into_values() {
        books.lose(&error, 0);
    }
    for extra in comparison.extras.iter().filter(|_| extras == Extras::Keep) {
        if extra.kind != EntryKind::Directory {
            books.summary.kept.add(extra.bytes);
            books.page.extra(account, Bucket::Kept, extra, None);
        }
    }
    for (extra, rule) in &comparison.extra_filtered {
        books.summary.extra_filtered.add(extra.bytes);
        books.page.extra(account, Bucket::ExtraFiltered, extra, Some(*rule));
    }
    for error in &comparison.extra_unread {
        books.summary.extra_unread += 1;
        books.list(error);
        books.page.unread(account, error);
    }
    books.summary.directories = comparison.directories;
    books.summary.directories_created = comparison.missing_folders.len() as u64;
    books.page.turn(account);
    let mut summary = books.summary;
    summary.errors.sort_by(|one, other| one.path.cmp(&other.path));
    PassOutcome {
        summary,
        extras: if extras == Extras::List { comparison.extras } else { Vec::new() },
        target_files: comparison.target_files - new_lost,
        source_files: comparison.source_files,
        ..PassOutcome::default()
    }
}

/// The largest files to be copied, largest first.
pub(super) fn largest(comparison: &Comparison) -> Vec<(String, u64)> {
    let mut files: Vec<(&str, u64)> =
        comparison.copy.iter().map(|file| (file.path.as_str(), file.bytes)).collect();
    files.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(other.0)));
    files.truncate(Survey::LARGEST);
    files.into_iter().map(|(path, bytes)| (names::shown(Path::new(path)), bytes)).collect()
}

struct Books<'a> {
    summary: PassSummary,
    page: Page,
    account: Option<&'a Writer>,
}

impl Books<'_> {
    fn note(&mut self, bucket: Bucket, path: &str, bytes: u64) {
        let (above, name) = split(path);
        self.page.note(self.account, bucket, above, name, bytes);
    }

    fn lose(&mut self, error: &FileError, bytes: u64) {
        match error.class {
            ErrorClass::Vanished => self.summary.vanished += 1,
            _ => self.summary.failed.add(bytes),
        }
        self.summary.retried += u64::from(error.attempts > 1);
        self.list(error);
        self.page.failed(self.account, error, bytes);
    }

    fn list(&mut self, error: &FileError) {
        if self.summary.errors.len() < PassSummary::LISTED_ERRORS {
            self.summary.errors.push(error.clone());
        }
    }
}

/// The folder above a path, and the last name.
fn split(path: &str) -> (&Path, &OsStr) {
    match path.rsplit_once('/') {
        Some((above, name)) => (Path::new(above), OsStr::new(name)),
        None => (Path::new(""), OsStr::new(path)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::copy::Rule;
    use crate::rclone::compare::{KeptOut, ToCopy};

    fn file(path: &str, bytes: u64, deed: Deed) -> ToCopy {
        ToCopy { path: path.into(), bytes, deed, apart: None }
    }

    fn error(path: &str, class: ErrorClass) -> FileError {
        FileError { path: path.into(), class, attempts: 1, error: "no".into() }
    }

    #[test]
    fn every_file_is_in_one_bucket_and_the_sums_equal_the_source() {
        let comparison = Comparison {
            copy: vec![
                file("a", 1, Deed::New),
                file("b", 2, Deed::Changed),
                file("c", 4, Deed::New),
                file("d", 8, Deed::Changed),
            ],
            same: vec![("e".into(), 16)],
            kept_out: vec![KeptOut { path: "f".into(), bytes: 32, rule: Rule::Exclude }],
            source_files: 5,
            target_files: 4,
            ..Comparison::default()
        };
        let lost = HashMap::from([
            ("c".to_owned(), error("c", ErrorClass::Denied)),
            ("d".to_owned(), error("d", ErrorClass::Vanished)),
        ]);
        let outcome = settle(comparison, lost, Extras::Keep, None);
        let summary = &outcome.summary;
        let files = [summary.new, summary.changed, summary.same, summary.failed].map(|tally| tally.files);
        assert_eq!(files, [1, 1, 1, 1]);
        assert_eq!((summary.vanished, summary.filtered_in_all().bytes, summary.failed.bytes), (1, 32, 4));
        assert_eq!(outcome.target_files, 3, "what did not come is not there");
        assert_eq!(summary.errors.len(), 2);
    }
}

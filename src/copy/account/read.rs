//! Reading names, a line at a time: memory does not grow with the list.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use serde::Deserialize;

use super::{Entry, FORMAT, Head, Mark};
use crate::copy::PassSummary;

/// No line of a pass is longer; one that is would be read without end.
const LONGEST: u64 = 1024 * 1024;

/// One line of a file of names.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Line {
    Entry(Entry),
    End { end: Box<PassSummary> },
    Head(Head),
}

/// Why a file of names cannot be read on.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("line {0} is no line of an account")]
    Foreign(u64),
    #[error("it has format {0}, which this version does not know")]
    Newer(u32),
}

/// The lines of a file of names behind its first one.
pub struct Reader {
    lines: Lines,
    pub head: Head,
}

impl Reader {
    pub fn open(path: &Path) -> Result<Self, Unreadable> {
        let mut lines = Lines { file: BufReader::new(File::open(path)?), text: Vec::new(), number: 0 };
        match lines.next()? {
            Some(Line::Head(head)) if head.account == FORMAT => Ok(Self { lines, head }),
            Some(Line::Head(head)) => Err(Unreadable::Newer(head.account)),
            _ => Err(Unreadable::Foreign(1)),
        }
    }
}

impl Iterator for Reader {
    type Item = Result<Line, Unreadable>;

    /// The next line. An unfinished last line, which a killed pass leaves, ends the list.
    fn next(&mut self) -> Option<Self::Item> {
        self.lines.next().transpose()
    }
}

struct Lines {
    file: BufReader<File>,
    text: Vec<u8>,
    number: u64,
}

impl Lines {
    fn next(&mut self) -> Result<Option<Line>, Unreadable> {
        self.text.clear();
        self.number += 1;
        (&mut self.file).take(LONGEST).read_until(b'\n', &mut self.text)?;
        match self.text.last() {
            Some(b'\n') => {}
            _ if self.text.len() as u64 == LONGEST => return Err(Unreadable::Foreign(self.number)),
            _ => return Ok(None),
        }
        match serde_json::from_slice(&self.text) {
            Ok(line) => Ok(Some(line)),
            Err(_) => Err(Unreadable::Foreign(self.number)),
        }
    }
}

/// What a file is, to be held against what the journal says of it.
pub fn mark_of(path: &Path) -> io::Result<Mark> {
    let mut file = File::open(path)?;
    let (mut digest, mut lines) = (blake3::Hasher::new(), 0);
    let mut block = vec![0; 64 * 1024];
    loop {
        match file.read(&mut block) {
            Ok(0) => break,
            Ok(read) => {
                digest.update(&block[..read]);
                lines += block[..read].iter().filter(|byte| **byte == b'\n').count() as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Mark { lines, digest: digest.finalize().to_hex().to_string() })
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;
    use crate::copy::account::{Bucket, Names, Page, Writer};
    use crate::copy::{EntryKind, ErrorClass, ExtraEntry, FileError, Rule};
    use crate::sys::trial;

    fn head() -> Head {
        Head {
            account: FORMAT,
            run: "r".into(),
            step: "final".into(),
            attempt: 2,
            started: jiff::Timestamp::UNIX_EPOCH,
            from: "/old".into(),
            to: "/new".into(),
        }
    }

    fn entry(bucket: Bucket, path: &str, bytes: u64) -> Entry {
        Entry {
            bucket,
            path: path.into(),
            bytes,
            kind: None,
            rule: None,
            class: None,
            attempts: None,
            error: None,
        }
    }

    #[test]
    fn what_is_written_by_hand_is_read_as_json() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.account/final.jsonl");
        let writer = Writer::begin(&path, &head());
        let (mut page, account) = (Page::default(), Some(&writer));
        page.note(account, Bucket::New, Path::new(""), OsStr::new("top"), 0);
        page.note(account, Bucket::Changed, Path::new("a \"b\"/ü\n"), OsStr::new("c\\d"), u64::MAX);
        page.note(account, Bucket::New, Path::new("a \"b\"/ü\n"), OsStr::new("next"), 10);
        page.kept_out(account, Path::new("a"), OsStr::new("temp"), Rule::ExcludeDirectories, 0);
        page.kept_out(account, Path::new("a"), OsStr::new("young"), Rule::MinAge, 7);
        let lost = FileError {
            path: "x".into(),
            class: ErrorClass::Denied,
            attempts: 3,
            error: "no \"entry\"\tat all".into(),
        };
        page.failed(account, &lost, 5);
        let extra = ExtraEntry { path: "gone/dir".into(), kind: EntryKind::Directory, bytes: 0 };
        page.extra(account, Bucket::Purged, &extra, None);
        page.turn(account);
        let sums = PassSummary { skipped_links: 4, ..PassSummary::default() };
        let (Names::Kept(mark), Some(_)) = writer.finish(&sums) else { panic!() };
        assert_eq!(mark_of(&path).unwrap(), mark);

        let reader = Reader::open(&path).unwrap();
        assert_eq!(reader.head, head());
        let mut lines: Vec<Line> = reader.map(Result::unwrap).collect();
        assert_eq!(lines.pop(), Some(Line::End { end: Box::new(sums) }));
        let expected = [
            entry(Bucket::New, "top", 0),
            entry(Bucket::Changed, "a \"b\"/ü\\x0A/c\\x5Cd", u64::MAX),
            entry(Bucket::New, "a \"b\"/ü\\x0A/next", 10),
            Entry { rule: Some(Rule::ExcludeDirectories), ..entry(Bucket::Filtered, "a/temp/", 0) },
            Entry { rule: Some(Rule::MinAge), ..entry(Bucket::Filtered, "a/young", 7) },
            Entry {
                class: Some(ErrorClass::Denied),
                attempts: Some(3),
                error: Some("no \"entry\"\tat all".into()),
                ..entry(Bucket::Failed, "x", 5)
            },
            Entry { kind: Some(EntryKind::Directory), ..entry(Bucket::Purged, "gone/dir/", 0) },
        ];
        assert_eq!(lines, expected.map(Line::Entry));
    }

    #[test]
    fn a_pass_that_begins_anew_leaves_no_name_of_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.account/final.jsonl");
        let first = Writer::begin(&path, &head());
        let mut page = Page::default();
        page.note(Some(&first), Bucket::New, Path::new(""), OsStr::new("old"), 1);
        page.turn(Some(&first));
        let second = Writer::begin(&path, &head());
        // What the first pass still writes does not come between.
        page.note(Some(&first), Bucket::New, Path::new(""), OsStr::new("old"), 1);
        page.turn(Some(&first));
        // There a file that was removed has its name as long as somebody has it open.
        if !trial::can_show("a pass that begins anew replaces an account that is open") {
            return;
        }
        assert!(matches!(second.finish(&PassSummary::default()).0, Names::Kept(Mark { lines: 2, .. })));
        assert_eq!(Reader::open(&path).unwrap().count(), 1);
    }

    #[test]
    fn an_unfinished_last_line_ends_the_list() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.account/final.jsonl");
        let writer = Writer::begin(&path, &head());
        let mut page = Page::default();
        page.note(Some(&writer), Bucket::New, Path::new(""), OsStr::new("whole"), 1);
        page.note(Some(&writer), Bucket::New, Path::new(""), OsStr::new("cut"), 1);
        page.turn(Some(&writer));
        let length = std::fs::metadata(&path).unwrap().len();
        File::options().write(true).open(&path).unwrap().set_len(length - 3).unwrap();
        let lines: Vec<Line> = Reader::open(&path).unwrap().map(Result::unwrap).collect();
        assert_eq!(lines, [Line::Entry(entry(Bucket::New, "whole", 1))]);
    }

    #[test]
    fn a_line_without_end_is_refused_and_not_read_into_memory() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.account/final.jsonl");
        let _writer = Writer::begin(&path, &head());
        let mut text = std::fs::read(&path).unwrap();
        text.extend_from_slice(&vec![b' '; 2 * LONGEST as usize]);
        std::fs::write(&path, text).unwrap();
        let mut reader = Reader::open(&path).unwrap();
        assert!(matches!(reader.next(), Some(Err(Unreadable::Foreign(2)))));
        assert!(reader.lines.text.capacity() <= 2 * LONGEST as usize);
    }

    #[test]
    fn names_that_cannot_be_written_are_lost_with_a_reason_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let in_the_way = folder.path().join("a.account");
        std::fs::write(&in_the_way, "").unwrap();
        let writer = Writer::begin(&in_the_way.join("final.jsonl"), &head());
        let mut page = Page::default();
        page.note(Some(&writer), Bucket::New, Path::new(""), OsStr::new("x"), 1);
        page.turn(Some(&writer));
        let (Names::Lost(why), None) = writer.finish(&PassSummary::default()) else { panic!() };
        assert!(why.starts_with("cannot make "), "{why}");
    }
}

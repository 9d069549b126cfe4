//! What a tree holds, as `rclone lsjson -R` lists it: an entry a line, read as they come.
//!
//! Pure. Invariant: a listing of which any line could not be read, or which has no end, is no listing; what a folder holds
//! that could not be opened is unknown, and never taken for nothing.

use std::time::SystemTime;

use jiff::Timestamp;
use serde::Deserialize;

use super::log::{Failed, Line, Skipped};
use super::spelling::is_below_root;
use crate::copy::names;

/// The flags of a listing.
pub const FLAGS: [&str; 5] = ["lsjson", "-R", "--no-mimetype", "--use-json-log", "--fast-list"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    File,
    Folder,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Below the root, with `/`, as rclone spells names.
    pub path: String,
    pub kind: Kind,
    /// `None` where the storage does not know it before it is read.
    pub size: Option<u64>,
    pub modified: Option<SystemTime>,
}

/// What a tree holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    pub entries: Vec<Entry>,
    /// Links, and what is no file and no folder; of a local tree alone.
    pub skipped: Vec<(String, Skipped)>,
    /// Folders that could not be listed.
    pub unread: Vec<Failed>,
}

/// Why there is no listing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    #[error("a line of rclone's listing cannot be read: {0}")]
    Line(String),
    #[error("rclone's listing has no end")]
    NoEnd,
}

/// Reads a listing line by line.
#[derive(Debug, Default)]
pub struct Reader {
    listing: Listing,
    /// What rclone said of the whole.
    trouble: Option<String>,
    ended: bool,
    broken: Option<Broken>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Written {
    path: String,
    size: i64,
    mod_time: String,
    is_dir: bool,
}

impl Reader {
    /// A line of the listing itself.
    pub fn line(&mut self, line: &str) {
        match line.trim().trim_end_matches(',') {
            "" | "[" => {}
            "]" | "[]" => self.ended = true,
            text => match serde_json::from_str::<Written>(text) {
                // A name that leads out of the tree was made by nobody who means well.
                Ok(written) if !is_below_root(&written.path) => {
                    let path = names::shown(std::path::Path::new(&written.path));
                    self.broken.get_or_insert(Broken::Line(format!("`{path}` is no path below the root")));
                }
                Ok(written) => self.listing.entries.push(written.into()),
                Err(error) => {
                    self.broken.get_or_insert_with(|| Broken::Line(error.to_string()));
                }
            },
        }
    }

    /// A line of the log beside it.
    pub fn log(&mut self, line: &str) {
        match Line::read(line) {
            // Of the root it is said again at the end, of the whole.
            Line::Failed(failed) if failed.path.is_empty() => {
                self.trouble.get_or_insert(failed.error);
            }
            Line::Failed(failed) => self.listing.unread.push(failed),
            Line::Skipped { path, what } => self.listing.skipped.push((path, what)),
            Line::Trouble(said) => {
                self.trouble.get_or_insert(said);
            }
            Line::Progress(_) | Line::Copied(_) | Line::Attempt(_) | Line::Other => {}
        }
    }

    /// How many entries were read so far.
    pub fn len(&self) -> usize {
        self.listing.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What rclone said of the whole, where it said something.
    pub fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// Whether the folder itself is not there, as the exit code and nothing else say.
    pub fn is_absence(&self, code: i32) -> bool {
        const FOLDER_NOT_FOUND: i32 = 3;
        code == FOLDER_NOT_FOUND && self.is_empty() && self.listing.unread.is_empty()
    }

    /// The listing, where it came to its end. Where folders could not be listed, rclone lists the others, names those, and
    /// ends with an error in the place of the end: in words, and with a code of its own. One that crashed (2) or was killed
    /// came to no end.
    pub fn finish(self, code: i32) -> Result<Listing, Broken> {
        let is_of_a_listing = matches!(code, 1 | 3..=7) && self.trouble.is_some();
        let named = is_of_a_listing && !self.listing.unread.is_empty();
        match self.broken {
            Some(broken) => Err(broken),
            None if self.ended || named => Ok(self.listing),
            None => Err(Broken::NoEnd),
        }
    }
}

impl From<Written> for Entry {
    fn from(written: Written) -> Self {
        Self {
            path: written.path,
            kind: if written.is_dir { Kind::Folder } else { Kind::File },
            size: u64::try_from(written.size).ok(),
            modified: written.mod_time.parse::<Timestamp>().ok().and_then(|at| SystemTime::try_from(at).ok()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    fn read(text: &str) -> Result<Listing, Broken> {
        let mut reader = Reader::default();
        text.lines().for_each(|line| reader.line(line));
        reader.finish(0)
    }

    const WHOLE: &str = r#"[
{"Path":"sub","Name":"sub","Size":-1,"ModTime":"2026-11-27T09:49:44.341958238Z","IsDir":true},
{"Path":"sub/ü \"b\".dat","Name":"ü \"b\".dat","Size":4,"ModTime":"1970-01-01T01:00:01.5+01:00","IsDir":false},
{"Path":"doc","Name":"doc","Size":-1,"ModTime":"","MimeType":"x","IsDir":false,"ID":"7"}
]"#;

    #[test]
    fn a_listing_is_read_with_sizes_and_times() {
        let listing = read(WHOLE).unwrap();
        let [folder, file, unsized_] = &listing.entries[..] else { panic!("{listing:?}") };
        assert_eq!((folder.path.as_str(), folder.kind), ("sub", Kind::Folder));
        assert_eq!((file.path.as_str(), file.size), ("sub/ü \"b\".dat", Some(4)));
        assert_eq!(file.modified, Some(UNIX_EPOCH + Duration::from_millis(1500)));
        assert_eq!((unsized_.size, unsized_.modified), (None, None));
    }

    #[test]
    fn an_empty_tree_has_an_empty_listing() {
        assert_eq!(read("[\n]\n").unwrap(), Listing::default());
    }

    #[test]
    fn a_listing_without_its_end_is_none() {
        let cut = &WHOLE[..WHOLE.len() - 2];
        assert_eq!(read(cut), Err(Broken::NoEnd));
        assert_eq!(read("["), Err(Broken::NoEnd));
        assert_eq!(read(""), Err(Broken::NoEnd));
    }

    #[test]
    fn a_listing_with_a_line_that_cannot_be_read_is_none() {
        let out = r#"{"Path":"../x","Size":1,"ModTime":"","IsDir":false},"#;
        for line in [out, r#"{"Path":"a"},"#, r#"{"Path":"a","Size":1,"ModTi"#, "panic: runtime error"] {
            assert!(matches!(read(&format!("[\n{line}\n]\n")), Err(Broken::Line(_))), "{line}");
        }
    }

    #[test]
    fn a_listing_with_an_unread_folder_and_no_end_is_one_only_where_rclone_ended_by_itself() {
        let with = |last: &str, code| {
            let mut reader = Reader::default();
            reader.line("[");
            reader.log(r#"{"level":"error","msg":"open c: permission denied","object":"c"}"#);
            reader.log(last);
            reader.finish(code)
        };
        let last = "2026/11/27 11:43:36 Failed to lsjson: permission denied";
        assert!(with(last, 6).is_ok() && with(last, 1).is_ok());
        for (last, code) in [(last, 2), (last, 137), (last, 143), (last, -1), (last, 0), ("", 1), ("", 6)] {
            assert_eq!(with(last, code), Err(Broken::NoEnd), "{last} {code}");
        }
    }

    #[test]
    fn a_folder_is_absent_only_where_nothing_of_it_was_listed() {
        let mut reader = Reader::default();
        reader.log(r#"{"level":"error","msg":"error listing: directory not found","object":""}"#);
        assert!(reader.is_absence(3) && !reader.is_absence(1) && !reader.is_absence(0));
        reader.log(r#"{"level":"error","msg":"error listing: directory not found","object":"sub"}"#);
        assert!(!reader.is_absence(3), "a folder in it is");
    }

    #[test]
    fn what_could_not_be_listed_is_told_by_its_path_and_the_root_as_the_whole() {
        let mut reader = Reader::default();
        reader.log(
            r#"{"level":"error","msg":"failed to open directory \"c\": permission denied","object":"c"}"#,
        );
        reader
            .log(r#"{"level":"warning","msg":"Can't follow symlink without -L/--copy-links","object":"l"}"#);
        assert_eq!(reader.trouble(), None);
        reader.log(r#"{"level":"error","msg":"error listing: directory not found","object":""}"#);
        assert_eq!(reader.trouble(), Some("error listing: directory not found"));
        reader.line("[");
        let listing = reader.finish(6).unwrap();
        assert_eq!(listing.unread[0].path, "c");
        assert_eq!(listing.skipped, [("l".to_owned(), Skipped::Link)]);
    }
}

//! What one call of rclone means for each file that it was to bring. Pure.
//!
//! Invariant: a file came only where rclone says so, and is gone only where a listing of the source lacks it; one of which
//! nothing is said is tried again, and has failed in the end.

use std::collections::{HashMap, HashSet};

use super::error_of;
use crate::copy::{ErrorClass, FileError};
use crate::engine::rclone::call;
use crate::engine::rclone::local::file_error;
use crate::rclone::compare::ToCopy;
use crate::rclone::listing::Listing;
use crate::rclone::log::{Errors, Failed};

/// What one call of rclone brought over.
pub(super) struct Sent {
    /// `None`: it was ended, since the remote answered no more.
    pub(super) code: Option<i32>,
    pub(super) errors: Errors,
    pub(super) copied: HashSet<String>,
    pub(super) transfers: u64,
}

/// Which try a call was.
#[derive(Clone, Copy, Debug)]
pub(super) struct Try {
    pub(super) number: u32,
    pub(super) retries: u32,
}

/// What becomes of the files of a call; those that came are in none of the lists.
#[derive(Debug, Default)]
pub(super) struct Verdict<'f> {
    pub(super) again: Vec<&'f ToCopy>,
    pub(super) lost: Vec<FileLost<'f>>,
    /// Rclone said nothing of them: they may be gone.
    pub(super) unsaid: Vec<&'f ToCopy>,
}

pub(super) type FileLost<'f> = (&'f ToCopy, FileError);

/// Why the whole pass ends.
#[derive(Debug)]
pub(super) enum Ends {
    /// A file that no file behind it would fare better than.
    With(FileError),
    /// A call that failed as a whole.
    Whole { code: i32, said: String },
}

/// Judges a call for the files of `left`.
pub(super) fn judge<'f>(left: &[&'f ToCopy], sent: &Sent, tried: Try) -> Result<Verdict<'f>, Ends> {
    const USAGE: i32 = 1;
    let failed: HashMap<&str, &Failed> =
        sent.errors.of_last_attempt().into_iter().map(|failed| (failed.path.as_str(), failed)).collect();
    if let Some(ends) = failed.values().find(|failed| failed.class == ErrorClass::Fatal) {
        return Err(Ends::With(file_error(ends, 0)));
    }
    let whole = sent.code.filter(|code| *code != 0 && failed.is_empty());
    if let Some(code) = whole {
        let is_usage = code == USAGE && sent.transfers == 0 && tried.number == 1;
        if is_usage || !tried.may_go_on() {
            return Err(Ends::Whole { code, said: call::words(&sent.errors, code) });
        }
    }
    let all_came = sent.code == Some(0) && sent.transfers as usize + failed.len() >= left.len();
    let mut verdict = Verdict::default();
    for file in left {
        let came = all_came || sent.copied.contains(&file.path);
        let word = match failed.get(file.path.as_str()) {
            Some(own) => Some(*own),
            None if came => continue,
            None => word_of_a_folder(&file.path, &failed),
        };
        match word {
            Some(word) => {
                let error = call::presentable(&word.error);
                verdict.fails(file, word.class, tried, error);
            }
            None if sent.code.is_none() => {
                let last = failed
                    .values()
                    .next()
                    .map_or_else(String::new, |failed| format!(": {}", call::presentable(&failed.error)));
                let why = format!("one file after the other failed, and rclone was ended{last}");
                verdict.fails(file, ErrorClass::Transient, tried, why);
            }
            None if whole.is_some() => verdict.again.push(file),
            None => verdict.unsaid.push(file),
        }
    }
    Ok(verdict)
}

impl Try {
    fn may_go_on(self) -> bool {
        self.number <= self.retries
    }
}

impl<'f> Verdict<'f> {
    /// Tells the files that are gone from those that are there and were not copied. `source` is as it is now.
    pub(super) fn place_unsaid(&mut self, source: &Listing, sent: &Sent, tried: Try) {
        let there: HashSet<&str> = source.entries.iter().map(|entry| entry.path.as_str()).collect();
        let unread: HashSet<&str> = source.unread.iter().map(|failed| failed.path.as_str()).collect();
        let code = sent.code.unwrap_or_default();
        for file in std::mem::take(&mut self.unsaid) {
            let is_unknown = above(&file.path).any(|folder| unread.contains(folder));
            if there.contains(file.path.as_str()) || is_unknown {
                let why = format!("rclone ended with {code}, and neither copied it nor named an error");
                self.fails(file, ErrorClass::Transient, tried, why);
            } else {
                let why = "it was listed, and the source has it no more".to_owned();
                self.lost.push((file, error_of(file, ErrorClass::Vanished, tried.number, why)));
            }
        }
    }

    fn fails(&mut self, file: &'f ToCopy, class: ErrorClass, tried: Try, error: String) {
        match class == ErrorClass::Transient && tried.may_go_on() {
            true => self.again.push(file),
            false => self.lost.push((file, error_of(file, class, tried.number, error))),
        }
    }
}

/// What rclone said of a folder that holds a file.
fn word_of_a_folder<'f>(path: &str, failed: &HashMap<&str, &'f Failed>) -> Option<&'f Failed> {
    above(path).find_map(|folder| failed.get(folder).copied())
}

fn above(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rclone::compare::Deed;
    use crate::rclone::listing::{Entry, Kind};
    use crate::rclone::log::Line;

    const LAST: Try = Try { number: 1, retries: 0 };
    const FIRST: Try = Try { number: 1, retries: 1 };

    fn files() -> Vec<ToCopy> {
        let file = |path: &&str| ToCopy { path: (*path).into(), bytes: 1, deed: Deed::New, apart: None };
        ["a", "b", "d/c"].iter().map(file).collect()
    }

    fn sent(code: Option<i32>, copied: &[&str], failed: &[(&str, ErrorClass)]) -> Sent {
        let mut errors = Errors::default();
        for (path, class) in failed {
            let error = format!("no {path}");
            errors.hear(&Line::Failed(Failed { path: (*path).into(), class: *class, error }));
        }
        let copied: HashSet<String> = copied.iter().map(|path| (*path).into()).collect();
        Sent { code, errors, transfers: copied.len() as u64, copied }
    }

    fn listing(paths: &[&str]) -> Listing {
        let entry =
            |path: &&str| Entry { path: (*path).into(), kind: Kind::File, size: Some(1), modified: None };
        Listing { entries: paths.iter().map(entry).collect(), ..Listing::default() }
    }

    /// The files that are tried again, and those that are lost, with class and words.
    type Places = (Vec<String>, Vec<(String, ErrorClass, String)>);

    fn places(sent: &Sent, source: &Listing, tried: Try) -> Places {
        let files = files();
        let left: Vec<&ToCopy> = files.iter().collect();
        let mut verdict = judge(&left, sent, tried).unwrap();
        verdict.place_unsaid(source, sent, tried);
        let lost =
            verdict.lost.into_iter().map(|(file, error)| (file.path.clone(), error.class, error.error));
        (verdict.again.iter().map(|file| file.path.clone()).collect(), lost.collect())
    }

    #[test]
    fn a_file_of_which_nothing_is_said_is_gone_only_where_the_source_lacks_it() {
        for sent in [sent(Some(143), &[], &[("a", ErrorClass::Denied)]), sent(Some(0), &["a"], &[])] {
            let (again, lost) = places(&sent, &listing(&["a", "b"]), LAST);
            assert!(again.is_empty());
            let class = |path: &str| lost.iter().find(|lost| lost.0 == path).unwrap().1;
            assert_eq!((class("b"), class("d/c")), (ErrorClass::Transient, ErrorClass::Vanished));
            assert_eq!(places(&sent, &listing(&["a", "b"]), FIRST).0, ["b"]);
        }
    }

    #[test]
    fn below_a_folder_that_cannot_be_listed_nothing_is_gone() {
        let mut source = listing(&["a", "b"]);
        source.unread.push(Failed { path: "d".into(), class: ErrorClass::Denied, error: "no".into() });
        let (_, lost) = places(&sent(Some(6), &["a", "b"], &[("x", ErrorClass::Denied)]), &source, LAST);
        assert_eq!((lost[0].0.as_str(), lost[0].1), ("d/c", ErrorClass::Transient));
    }

    #[test]
    fn what_has_words_of_its_own_keeps_them_where_rclone_was_ended() {
        let sent = sent(None, &["b"], &[("a", ErrorClass::Denied)]);
        let (again, lost) = places(&sent, &listing(&[]), FIRST);
        assert_eq!(again, ["d/c"]);
        assert_eq!(lost, [("a".to_owned(), ErrorClass::Denied, "no a".to_owned())]);
    }

    #[test]
    fn an_error_behind_which_no_file_fares_better_ends_the_pass_however_rclone_ended() {
        let files = files();
        let left: Vec<&ToCopy> = files.iter().collect();
        for code in [None, Some(1), Some(7)] {
            let sent = sent(code, &[], &[("a", ErrorClass::Fatal)]);
            assert!(matches!(judge(&left, &sent, FIRST), Err(Ends::With(_))), "{code:?}");
        }
    }

    #[test]
    fn a_call_that_failed_as_a_whole_is_made_again_and_ends_the_pass_at_last() {
        let files = files();
        let left: Vec<&ToCopy> = files.iter().collect();
        let sent = sent(Some(5), &["a"], &[]);
        assert_eq!(places(&sent, &listing(&[]), FIRST).0, ["b", "d/c"]);
        assert!(matches!(judge(&left, &sent, LAST), Err(Ends::Whole { code: 5, .. })));
    }

    #[test]
    fn a_folder_that_failed_takes_the_files_in_it_that_did_not_come() {
        let sent = sent(Some(6), &["a", "b"], &[("d", ErrorClass::Denied)]);
        let (_, lost) = places(&sent, &listing(&["d/c"]), LAST);
        assert_eq!(lost, [("d/c".to_owned(), ErrorClass::Denied, "no d".to_owned())]);
    }
}

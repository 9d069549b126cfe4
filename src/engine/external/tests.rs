use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use jiff::Timestamp;

use super::*;
use crate::copy::account::{self, Head, Line, Names, Reader, Writer};
use crate::copy::{Directories, Links, OnErrors, Phase, Progress};
use crate::filter::Filter;
use crate::plan::CopyAction;

/// A program that copies what it is told, names what it is told as failed, and says nothing else.
struct Scripted {
    copies: &'static [&'static str],
    names: &'static [&'static str],
    /// By its own count.
    failed: u64,
    coverage: Coverage,
    /// What somebody else takes away from the source meanwhile.
    loses: &'static [&'static str],
}

impl Scripted {
    const NOTHING: Self = Self { copies: &[], names: &[], failed: 0, coverage: Coverage::Whole, loses: &[] };
}

impl Program for Scripted {
    const NAME: &'static str = "scripted";

    fn prepare(&self, _pass: &CopyPass, _survey: &Survey, _cancel: &Cancel) -> Result<(), PassError> {
        Ok(())
    }

    fn copy(
        &self,
        pass: &CopyPass,
        _survey: &Survey,
        moved: &mut dyn FnMut(Tally),
        _cancel: &Cancel,
    ) -> Result<Report, PassError> {
        for name in self.loses {
            fs::remove_file(pass.from.join(name)).unwrap();
        }
        let mut sum = Tally::default();
        for name in self.copies {
            let (from, to) = (pass.from.join(name), pass.to.join(name));
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            sum.add(fs::copy(&from, &to).unwrap());
            let stamp = fs::metadata(&from).unwrap().modified().unwrap();
            fs::File::options().write(true).open(&to).unwrap().set_modified(stamp).unwrap();
            moved(sum);
        }
        let error = |path: &&str| FileError {
            path: (*path).to_owned(),
            class: if self.loses.contains(path) { ErrorClass::Vanished } else { ErrorClass::Transient },
            attempts: 3,
            error: "in use (32)".into(),
        };
        Ok(Report {
            errors: self.names.iter().map(error).collect(),
            failed: self.failed,
            coverage: self.coverage,
            ended: "it ended with 0".into(),
            warnings: Vec::new(),
        })
    }
}

struct Trees {
    folder: tempfile::TempDir,
}

impl Trees {
    /// `a` and `d/b` are new, `c` has changed, `e` is the same; `x` is extra.
    fn new() -> Self {
        let trees = Self { folder: tempfile::tempdir().unwrap() };
        for (path, text) in [
            ("from/a", "a"),
            ("from/d/b", "bb"),
            ("from/c", "ccc"),
            ("from/e", "e"),
            ("to/c", "c"),
            ("to/e", "e"),
            ("to/x", "x"),
        ] {
            let path = trees.path(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            let stamp = std::time::UNIX_EPOCH + Duration::from_secs(1_000_000);
            fs::File::options().write(true).open(&path).unwrap().set_modified(stamp).unwrap();
        }
        trees
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn pass(&self, errors: OnErrors) -> CopyPass {
        let [from, to] = ["from", "to"].map(|side| self.path(side).to_str().unwrap().to_owned());
        let action = CopyAction { errors, ..CopyAction::plain(&from, &to, Filter::everything()) };
        CopyPass { extras: Extras::List, ..crate::run::pass_of(&action) }
    }
}

fn head() -> Head {
    Head {
        account: account::FORMAT,
        run: "r".into(),
        step: "s".into(),
        attempt: 1,
        started: Timestamp::now(),
        from: String::new(),
        to: String::new(),
    }
}

/// The outcome, and the path and bucket of each name.
fn done(program: Scripted, errors: OnErrors) -> (PassOutcome, BTreeMap<String, String>) {
    let trees = Trees::new();
    let file = trees.path("names.jsonl");
    let names = Writer::begin(&file, &head());
    let shown = Mutex::new(Vec::new());
    let outcome = External::new(program)
        .copy(
            &trees.pass(errors),
            &Watch {
                progress: &|progress| shown.lock().unwrap().push(progress),
                cancel: &Cancel::new(),
                account: Some(&names),
            },
        )
        .unwrap();
    let (kept, _) = names.finish(&outcome.summary);
    assert!(matches!(kept, Names::Kept(_)), "{kept:?}");
    let shown: Vec<Progress> = shown.into_inner().unwrap();
    let first = shown.iter().find(|progress| progress.phase.is_none()).unwrap();
    assert_eq!((first.files_known, first.bytes_known, first.files_done, first.listed), (4, 6, 1, true));
    let lines = Reader::open(&file).unwrap().map(Result::unwrap);
    let entries = lines.filter_map(|line| match line {
        Line::Entry(entry) => Some((entry.path, entry.bucket.word().to_owned())),
        _ => None,
    });
    let named = entries.collect();
    let leftovers: Vec<_> =
        fs::read_dir(file.parent().unwrap()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(leftovers.len(), 3, "{leftovers:?}");
    (outcome, named)
}

fn numbers(outcome: &PassOutcome) -> [u64; 4] {
    let summary = &outcome.summary;
    [summary.new.files, summary.changed.files, summary.same.files, summary.failed.files]
}

fn buckets(named: &BTreeMap<String, String>) -> Vec<(&str, &str)> {
    named.iter().map(|(path, bucket)| (path.as_str(), bucket.as_str())).collect()
}

const ALL: &[&str] = &["a", "d/b", "c"];

#[test]
fn what_a_program_copied_is_counted_and_named_as_in_any_pass() {
    let (outcome, named) = done(Scripted { copies: ALL, ..Scripted::NOTHING }, OnErrors::Fail);
    assert_eq!(numbers(&outcome), [2, 1, 1, 0]);
    assert_eq!(buckets(&named), [("a", "new"), ("c", "changed"), ("d/b", "new")]);
    assert_eq!(outcome.extras.iter().map(|extra| extra.path.as_path()).collect::<Vec<_>>(), [Path::new("x")]);
    assert_eq!(outcome.warning, None);
}

#[test]
fn what_is_left_after_a_clean_pass_has_failed_whatever_the_program_said() {
    let (outcome, named) = done(Scripted { copies: &["a"], ..Scripted::NOTHING }, OnErrors::Fail);
    assert_eq!(numbers(&outcome), [1, 0, 1, 2]);
    assert_eq!(buckets(&named), [("a", "new"), ("c", "failed"), ("d/b", "failed")]);
    assert_eq!((outcome.summary.new.bytes, outcome.summary.failed.bytes), (1, 5));
    let errors = &outcome.summary.errors;
    assert!(
        errors.iter().all(|error| error.error == "it still differs from the source; it ended with 0"),
        "{errors:?}"
    );
}

#[test]
fn a_files_own_error_is_told_where_the_program_had_one() {
    for errors in [OnErrors::Fail, OnErrors::Tolerate] {
        let (outcome, named) =
            done(Scripted { copies: &["a", "c"], names: &["d/b"], failed: 1, ..Scripted::NOTHING }, errors);
        assert_eq!(numbers(&outcome), [1, 1, 1, 1]);
        assert_eq!(named["d/b"], "failed");
        let [error] = &outcome.summary.errors[..] else { panic!("{:?}", outcome.summary.errors) };
        assert_eq!(
            (error.error.as_str(), error.class, error.attempts),
            ("in use (32)", ErrorClass::Transient, 3)
        );
    }
}

#[test]
fn a_file_that_vanished_before_it_was_copied_is_counted_as_that_with_and_without_a_word_of_the_program() {
    for names in [&["a"][..], &[]] {
        let program = Scripted { copies: &["d/b", "c"], names, loses: &["a"], ..Scripted::NOTHING };
        let (outcome, named) = done(program, OnErrors::Fail);
        assert_eq!((outcome.summary.vanished, outcome.summary.failed.files), (1, 0), "{names:?}");
        assert_eq!((named["a"].as_str(), outcome.summary.new.files), ("vanished", 1));
    }
}

#[test]
fn a_folder_that_was_not_made_has_failed() {
    let trees = Trees::new();
    fs::create_dir(trees.path("from/empty")).unwrap();
    let pass = CopyPass { directories: Directories::All, ..trees.pass(OnErrors::Fail) };
    let watch = Watch { progress: &|_| {}, cancel: &Cancel::new(), account: None };
    let program = Scripted { copies: ALL, ..Scripted::NOTHING };
    let outcome = External::new(program).copy(&pass, &watch).unwrap();
    assert_eq!(outcome.summary.failed.files, 1);
    assert_eq!(outcome.warning.as_deref(), Some("1 folder of the source is not in the target"));
}

#[test]
fn what_failed_without_a_name_is_found_in_a_tolerant_pass_too() {
    let (outcome, named) =
        done(Scripted { copies: &["a", "c"], failed: 1, ..Scripted::NOTHING }, OnErrors::Tolerate);
    assert_eq!(numbers(&outcome), [1, 1, 1, 1]);
    assert_eq!((named["d/b"].as_str(), outcome.warning), ("failed", None));
    let (outcome, _) =
        done(Scripted { copies: &["a", "c"], failed: 2, ..Scripted::NOTHING }, OnErrors::Tolerate);
    assert_eq!(numbers(&outcome), [1, 1, 1, 2]);
    assert!(outcome.warning.unwrap().contains("counts 1 more as failed"));
}

#[test]
fn an_error_behind_which_all_is_equal_fails_a_clean_pass() {
    let (outcome, named) =
        done(Scripted { copies: ALL, names: &["c"], failed: 1, ..Scripted::NOTHING }, OnErrors::Fail);
    assert_eq!(numbers(&outcome), [2, 0, 1, 1]);
    assert_eq!(named["c"], "failed");
    assert_eq!(outcome.summary.errors[0].error, "in use (32)");
    // One that names a folder, or is counted alone, too.
    for (names, failed) in [(&["d/"][..], 1), (&["/"], 1), (&[], 1)] {
        let program = Scripted { copies: ALL, names, failed, ..Scripted::NOTHING };
        let (outcome, _) = done(program, OnErrors::Fail);
        assert_eq!(numbers(&outcome)[3], 1, "{names:?}");
    }
}

#[test]
fn a_report_that_is_cut_off_or_counts_too_few_is_looked_behind_in_a_tolerant_pass() {
    let program = Scripted { copies: &["a", "c"], coverage: Coverage::Short, ..Scripted::NOTHING };
    let (outcome, named) = done(program, OnErrors::Tolerate);
    assert_eq!(numbers(&outcome), [1, 1, 1, 1]);
    assert_eq!(named["d/b"], "failed");
    let program = Scripted { copies: ALL, coverage: Coverage::Short, ..Scripted::NOTHING };
    assert_eq!(numbers(&done(program, OnErrors::Tolerate).0), [2, 1, 1, 0]);
}

#[test]
fn what_a_folder_that_failed_holds_is_not_counted_as_copied() {
    for folder in ["d/", "/"] {
        let names: &'static [&'static str] = if folder == "/" { &["/"] } else { &["d/"] };
        let program = Scripted { copies: &["a", "c"], names, failed: 1, ..Scripted::NOTHING };
        let (outcome, named) = done(program, OnErrors::Tolerate);
        assert_eq!(numbers(&outcome), [1, 1, 1, 1], "{folder}");
        assert_eq!(named["d/b"], "failed");
        assert_eq!(outcome.warning.as_deref(), Some(&*format!("{folder}: in use (32)")));
    }
}

#[test]
fn a_file_whose_name_came_spoilt_is_found() {
    let program =
        Scripted { copies: &["a", "c"], names: &["d/bWaiting 0 seconds"], failed: 1, ..Scripted::NOTHING };
    let (outcome, named) = done(program, OnErrors::Tolerate);
    assert_eq!(numbers(&outcome), [1, 1, 1, 1]);
    assert_eq!(buckets(&named), [("a", "new"), ("c", "changed"), ("d/b", "failed")]);
}

#[test]
fn both_looks_tell_that_they_look() {
    let trees = Trees::new();
    let phases = Mutex::new(Vec::new());
    let watch = Watch {
        progress: &|progress| {
            let mut phases = phases.lock().unwrap();
            if phases.last() != Some(&progress.phase) {
                phases.push(progress.phase);
            }
        },
        cancel: &Cancel::new(),
        account: None,
    };
    External::new(Scripted { copies: ALL, ..Scripted::NOTHING })
        .copy(&trees.pass(OnErrors::Fail), &watch)
        .unwrap();
    assert_eq!(phases.into_inner().unwrap(), [Some(Phase::Comparing), None, Some(Phase::LookingAgain)]);
}

#[cfg(unix)]
#[test]
fn links_that_were_copied_or_were_there_before_are_not_left() {
    use std::os::unix::fs::symlink;

    for (there, failed) in [(Some("a"), 0), (Some("e"), 1), (None, 1)] {
        let trees = Trees::new();
        symlink("a", trees.path("from/link")).unwrap();
        if let Some(text) = there {
            symlink(text, trees.path("to/link")).unwrap();
        }
        let pass = CopyPass { links: Links::Copy, ..trees.pass(OnErrors::Fail) };
        let names = Writer::begin(&trees.path("names.jsonl"), &head());
        for account in [None, Some(&names)] {
            let watch = Watch { progress: &|_| {}, cancel: &Cancel::new(), account };
            let program = External::new(Scripted { copies: ALL, ..Scripted::NOTHING });
            let outcome = program.copy(&pass, &watch).unwrap();
            assert_eq!(outcome.summary.failed.files, failed, "{there:?}: {:?}", outcome.summary);
        }
    }
}

#[test]
fn after_an_unclean_end_of_the_machine_content_is_compared_by_movebook_itself() {
    let trees = Trees::new();
    fs::write(trees.path("to/e"), "?").unwrap();
    let stamp = fs::metadata(trees.path("from/e")).unwrap().modified().unwrap();
    fs::File::options().write(true).open(trees.path("to/e")).unwrap().set_modified(stamp).unwrap();
    let pass = CopyPass { distrust: Some(Timestamp::UNIX_EPOCH), ..trees.pass(OnErrors::Fail) };
    let watch = Watch { progress: &|_| {}, cancel: &Cancel::new(), account: None };
    let outcome = External::new(Scripted::NOTHING).copy(&pass, &watch).unwrap();
    assert_eq!(fs::read_to_string(trees.path("to/e")).unwrap(), "e");
    assert!(outcome.warning.unwrap().contains("scripted compares by size and time alone"));
}

#[cfg(unix)]
#[test]
fn no_program_is_let_loose_on_a_target_with_links_in_the_place_of_files_or_folders() {
    use std::os::unix::fs::symlink;

    for (link, to, clean) in [("to/c", "outside/precious", true), ("to/d", "outside", false)] {
        let trees = Trees::new();
        fs::create_dir(trees.path("outside")).unwrap();
        fs::write(trees.path("outside/precious"), "precious").unwrap();
        // What is there already is a file.
        let _ = fs::remove_file(trees.path(link));
        symlink(trees.path(to), trees.path(link)).unwrap();
        let watch = Watch { progress: &|_| {}, cancel: &Cancel::new(), account: None };
        let program = External::new(Scripted { copies: ALL, ..Scripted::NOTHING });
        let outcome = program.copy(&trees.pass(OnErrors::Fail), &watch).unwrap();
        let outside: Vec<_> =
            fs::read_dir(trees.path("outside")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(outside, ["precious"], "{link}");
        assert_eq!(fs::read(trees.path("outside/precious")).unwrap(), b"precious", "{link}");
        assert_eq!(fs::read(trees.path("to/a")).unwrap(), b"a", "{link}");
        assert_eq!(outcome.summary.failed.files == 0, clean, "{link}: {:?}", outcome.summary);
        let warning = outcome.warning.unwrap();
        assert!(warning.contains("by movebook itself") && warning.contains("scripted"), "{warning}");
    }
}

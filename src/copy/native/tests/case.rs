//! Targets that take names which differ only in case for one.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::trouble::{Trouble, Troubled};
use super::*;
use crate::sys::tree::{Case, Listed, Status};

fn in_target(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "to")
}

fn case_of(path: &Path) -> Case {
    if in_target(path) { Case::Folded } else { Case::Distinct }
}

/// The target folds case, the source does not, and listings tell all.
struct Folding;

impl Trouble for Folding {
    fn case(path: &Path) -> Case {
        case_of(path)
    }

    fn listed(_path: &Path, _kind: EntryKind, look: &dyn Fn() -> io::Result<Status>) -> io::Result<Listed> {
        look().map(Listed::Status)
    }
}

fn done<T: Trouble>(pass: &CopyPass) -> PassOutcome {
    quiet(|watch| copy::<Troubled<T>>(pass, watch)).unwrap()
}

fn files(outcome: &PassOutcome) -> [u64; 3] {
    [outcome.summary.new.files, outcome.summary.changed.files, outcome.summary.same.files]
}

/// Path and class of each error, whose text names the other name.
fn clashes(outcome: &PassOutcome) -> Vec<&str> {
    let errors = &outcome.summary.errors;
    for error in errors {
        assert_eq!((error.class, error.attempts), (ErrorClass::Permanent, 1), "{error:?}");
        assert!(error.error.starts_with("differs only in case from "), "{error:?}");
    }
    errors.iter().map(|error| error.path.as_str()).collect()
}

#[test]
fn what_differs_only_in_case_is_the_same_and_keeps_the_targets_spelling() {
    let trees = Trees::new(&["Mail/a.EML", "Mail/Sub/ÜBER", "README", "only-here"]);
    for (file, content) in
        [("mail/A.eml", "Mail/a.EML"), ("mail/SUB/über", "Mail/Sub/ÜBER"), ("readme", "README")]
    {
        put(&trees.to.join(file), content, 1_000_000);
    }
    let pass = CopyPass { extras: Extras::List, ..trees.pass() };
    let outcome = done::<Folding>(&pass);
    assert_eq!((files(&outcome), outcome.extras.len(), outcome.target_files), ([1, 0, 3], 0, 4));
    assert_eq!(clashes(&outcome), [""; 0]);
    let names: Vec<_> = names_below(&trees.to);
    assert_eq!(names, ["mail", "mail/A.eml", "mail/SUB", "mail/SUB/über", "only-here", "readme"]);
    let found = quiet(|watch| verify_with::<Troubled<Folding>>(&trees.verify_pass(), watch)).unwrap();
    assert_eq!((found.equal, found.differences), (4, vec![]));
}

fn names_below(root: &Path) -> Vec<String> {
    let mut names: Vec<_> = walkdir::WalkDir::new(root)
        .min_depth(1)
        .into_iter()
        .map(|entry| entry.unwrap().path().strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/"))
        .collect();
    names.sort_by_key(|name| name.to_lowercase());
    names
}

#[test]
fn a_changed_file_in_another_case_is_replaced_and_a_kind_in_the_way_is_told() {
    let trees = Trees::new(&["Mail", "Folder/x", "File"]);
    put(&trees.to.join("mail"), "an old one", 900_000);
    put(&trees.to.join("folder"), "a file", 900_000);
    put(&trees.to.join("file/"), "", 0);
    let outcome = done::<Folding>(&trees.pass());
    assert_eq!(files(&outcome), [0, 1, 0]);
    assert_eq!(names_below(&trees.to), ["file", "folder", "Mail"]);
    assert_eq!(fs::read_to_string(trees.to.join("Mail")).unwrap(), "Mail");
    let errors: Vec<_> = outcome.summary.errors.iter().map(|error| error.path.as_str()).collect();
    assert_eq!(errors, ["File", "Folder/"]);
}

#[test]
fn of_two_names_that_the_target_takes_for_one_the_first_is_copied_and_the_other_is_an_error() {
    for threads in [1, 6] {
        let given = ["Mail/a", "mail/a", "MAIL/b", "d/FILE", "d/File", "d/file", "d/other"];
        let trees = Trees::new(&given);
        let pass = CopyPass { threads, ..trees.pass() };
        for expected in [[3, 0, 0], [0, 0, 3]] {
            let outcome = done::<Folding>(&pass);
            assert_eq!(clashes(&outcome), ["Mail/", "d/File", "d/file", "mail/"]);
            assert_eq!((files(&outcome), outcome.summary.failed.files), (expected, 4));
            assert_eq!(names_below(&trees.to), ["d", "d/FILE", "d/other", "MAIL", "MAIL/b"]);
            assert_eq!(fs::read_to_string(trees.to.join("d/FILE")).unwrap(), "d/FILE");
        }
    }
}

#[test]
fn of_two_names_that_the_target_takes_for_one_that_takes_part_which_the_target_has() {
    let trees = Trees::new(&["FILE", "file", "Mail/a", "mail/b"]);
    put(&trees.to.join("file"), "old", 1_000_000);
    put(&trees.to.join("mail/"), "", 0);
    let outcome = done::<Folding>(&trees.pass());
    assert_eq!((clashes(&outcome), files(&outcome)), (vec!["FILE", "Mail/"], [1, 1, 0]));
    assert_eq!(names_below(&trees.to), ["file", "mail", "mail/b"]);
    assert_eq!(fs::read_to_string(trees.to.join("file")).unwrap(), "file");
}

#[test]
fn a_name_that_clashes_and_is_kept_out_is_no_error() {
    let trees = Trees::new(&["a.eml", "A.tmp", "a.tmp", "Skip/x", "skip/x"]);
    let rules =
        Rules { exclude: vec!["*.tmp".into()], exclude_directories: vec!["skip".into()], ..Rules::default() };
    let outcome = done::<Folding>(&CopyPass { filter: Filter::new(rules).unwrap(), ..trees.pass() });
    assert_eq!((clashes(&outcome), files(&outcome)), (vec![], [1, 0, 0]));
}

/// The second of two names cannot be looked at, the first time.
struct Hesitant;

static ASKED: AtomicUsize = AtomicUsize::new(0);

impl Trouble for Hesitant {
    fn case(path: &Path) -> Case {
        case_of(path)
    }

    fn status(path: &Path, status: Status) -> io::Result<Status> {
        let refused = path.ends_with("from/mail") && ASKED.fetch_add(1, Ordering::Relaxed) == 0;
        if refused { Err(io::ErrorKind::TimedOut.into()) } else { Ok(status) }
    }
}

#[test]
fn a_name_that_clashes_is_an_error_after_a_retry_too() {
    let trees = Trees::new(&["Mail", "mail"]);
    let outcome = done::<Hesitant>(&CopyPass { retries: 1, ..trees.pass() });
    assert_eq!(ASKED.load(Ordering::Relaxed), 2);
    assert_eq!((files(&outcome), outcome.summary.failed.files), ([1, 0, 0], 1));
    assert_eq!(fs::read_to_string(trees.to.join("Mail")).unwrap(), "Mail");
}

/// A volume whose table has no letters but those of ASCII.
struct OldTable;

impl Trouble for OldTable {
    fn case(path: &Path) -> Case {
        case_of(path)
    }

    fn are_one(one: &std::ffi::OsStr, other: &std::ffi::OsStr) -> bool {
        one.eq_ignore_ascii_case(other)
    }
}

#[test]
fn the_volume_has_the_last_word_on_whether_two_names_are_one() {
    let trees = Trees::new(&["Über", "Mail"]);
    put(&trees.to.join("über"), "Über", 1_000_000);
    put(&trees.to.join("mail"), "Mail", 1_000_000);
    let pass = CopyPass { extras: Extras::List, ..trees.pass() };
    let outcome = done::<OldTable>(&pass);
    assert_eq!(files(&outcome), [1, 0, 1]);
    let extras: Vec<_> = outcome.extras.iter().map(|extra| extra.path.to_str().unwrap()).collect();
    assert_eq!(extras, ["über"]);
}

#[test]
fn a_quarantine_and_a_temporary_name_are_known_in_any_case() {
    let trees = Trees::new(&["a", ".MOVEBOOK-Quarantine/x"]);
    let leftover = format!(".Movebook-{}-{}.PART", "0".repeat(16), "0".repeat(8));
    put(&trees.to.join(".movebook-QUARANTINE/run/1/x"), "x", 1);
    put(&trees.to.join(&leftover), "half", 1);
    let outcome = done::<Folding>(&CopyPass { extras: Extras::List, ..trees.pass() });
    assert_eq!((files(&outcome), outcome.extras.len()), ([1, 0, 0], 0));
    assert!(!trees.to.join(&leftover).exists());
    assert!(trees.to.join(".movebook-QUARANTINE/run/1/x").exists());
}

/// The target folds case and does not say so, as a FAT that Linux has mounted; what is to be said of `flaky` comes late.
struct Silent;

static FLAKY: AtomicUsize = AtomicUsize::new(0);

impl Trouble for Silent {
    fn actual_case(path: &Path) -> Case {
        case_of(path)
    }

    fn status(path: &Path, status: Status) -> io::Result<Status> {
        let refused = path.ends_with("from/flaky") && FLAKY.fetch_add(1, Ordering::Relaxed) == 0;
        if refused { Err(io::ErrorKind::TimedOut.into()) } else { Ok(status) }
    }
}

#[test]
fn where_nobody_knows_that_names_are_one_the_second_is_refused_however_late_it_comes() {
    for threads in [1, 4] {
        let trees = Trees::new(&["FLAKY", "flaky"]);
        for (name, letter) in [("LARGE", "L"), ("large", "l")] {
            put(&trees.from.join(name), &letter.repeat(2 << 20), 1_000_000);
        }
        FLAKY.store(0, Ordering::Relaxed);
        let pass = CopyPass { threads, retries: 1, ..trees.pass() };
        for expected in [[2, 0, 0], [0, 0, 2]] {
            let outcome = done::<Silent>(&pass);
            assert_eq!((files(&outcome), outcome.summary.failed.files), (expected, 2));
            for error in &outcome.summary.errors {
                assert!(error.error.contains("differs only in case"), "{error:?}");
            }
            let names = names_below(&trees.to);
            assert_eq!(names.len(), 2, "{names:?}");
            for name in names {
                let [copy, source] = [&trees.to, &trees.from].map(|root| fs::read(root.join(&name)).unwrap());
                assert!(copy == source, "{name} has its own content");
            }
        }
    }
}

/// The answer to a rename is lost, though it is done.
struct Unanswered;

impl Trouble for Unanswered {
    fn renamed(_path: &Path) -> io::Result<()> {
        static UNANSWERED: AtomicUsize = AtomicUsize::new(0);
        if UNANSWERED.fetch_add(1, Ordering::Relaxed) < 2 {
            Err(io::ErrorKind::TimedOut.into())
        } else {
            Ok(())
        }
    }
}

#[test]
fn a_name_that_the_pass_itself_has_given_is_not_taken_by_another() {
    let trees = Trees::new(&["small"]);
    put(&trees.from.join("large"), &"l".repeat(9 << 20), 1_000_000);
    let outcome = done::<Unanswered>(&CopyPass { threads: 1, retries: 2, resume_over: 0, ..trees.pass() });
    assert_eq!(outcome.summary.errors, []);
    // The record of the large one's copy is removed by the next pass.
    let names: Vec<_> = names_below(&trees.to).into_iter().filter(|name| !name.starts_with('.')).collect();
    assert_eq!((outcome.summary.same.files, names), (2, vec!["large".into(), "small".into()]));
}

/// Both sides fold case, by tables that differ: the source's has no letters but those of ASCII.
struct TwoTables;

impl Trouble for TwoTables {
    fn case(_path: &Path) -> Case {
        Case::Folded
    }

    fn actual_case(path: &Path) -> Case {
        case_of(path)
    }
}

#[test]
fn a_source_that_folds_case_may_have_names_that_clash_too() {
    let trees = Trees::new(&["Ä/x", "ä/y", "Ö", "ö"]);
    let outcome = done::<TwoTables>(&trees.pass());
    assert_eq!((clashes(&outcome), files(&outcome)), (vec!["ä/", "ö"], [2, 0, 0]));
    assert_eq!(names_below(&trees.to), ["Ä", "Ä/x", "Ö"]);
}

#[test]
fn a_name_that_takes_no_part_clashes_with_none() {
    let trees = Trees::new(&["Mail", "b/FILE", "skip/x", "Skip"]);
    std::os::unix::fs::symlink("nowhere", trees.from.join("MAIL")).unwrap();
    std::os::unix::fs::symlink("nowhere", trees.from.join("b/File")).unwrap();
    put(&trees.to.join("b/File"), "old", 900_000);
    let rules = Rules { exclude_directories: vec!["skip".into()], ..Rules::default() };
    let pass = CopyPass { filter: Filter::new(rules).unwrap(), ..trees.pass() };
    let outcome = done::<Folding>(&pass);
    assert_eq!((clashes(&outcome), files(&outcome)), (vec![""; 0], [2, 1, 0]));
    assert_eq!(outcome.summary.skipped_links, 2);
    assert_eq!(fs::read_to_string(trees.to.join("b/FILE")).unwrap(), "b/FILE");
    let outcome = done::<Folding>(&CopyPass { links: Links::Copy, ..pass });
    assert_eq!(clashes(&outcome), ["MAIL", "b/File"]);
}

/// A file of the target that nobody may look at.
struct Closed;

impl Trouble for Closed {
    fn case(path: &Path) -> Case {
        case_of(path)
    }

    fn status(path: &Path, status: Status) -> io::Result<Status> {
        if path.ends_with("to/CLOSED") { Err(io::ErrorKind::PermissionDenied.into()) } else { Ok(status) }
    }
}

#[test]
fn a_file_in_another_case_that_cannot_be_looked_at_is_an_error_of_its_own() {
    let trees = Trees::new(&["CLOSED", "other"]);
    put(&trees.to.join("closed"), "CLOSED", 900_000);
    let outcome = done::<Closed>(&trees.pass());
    assert_eq!((files(&outcome), outcome.summary.errors.len()), ([1, 0, 0], 1));
    assert_eq!(
        (outcome.summary.errors[0].path.as_str(), outcome.summary.errors[0].class),
        ("CLOSED", ErrorClass::Denied)
    );
}

/// A volume that takes more letters for one than this program knows of.
struct LargerTable;

impl Trouble for LargerTable {
    fn case(path: &Path) -> Case {
        case_of(path)
    }

    fn are_one(one: &std::ffi::OsStr, other: &std::ffi::OsStr) -> bool {
        let folded = |name: &std::ffi::OsStr| name.to_str().map(|name| name.replace('ſ', "S").to_uppercase());
        folded(one) == folded(other)
    }
}

#[test]
fn where_the_volume_takes_more_for_one_the_second_name_is_refused() {
    let trees = Trees::new(&["S", "ſ", "d/S/x", "d/ſ/x"]);
    let outcome = done::<LargerTable>(&CopyPass { threads: 1, ..trees.pass() });
    assert_eq!((files(&outcome), outcome.summary.failed.files), ([2, 0, 0], 2));
    for error in &outcome.summary.errors {
        assert!(error.error.contains("differs only in case"), "{error:?}");
    }
}

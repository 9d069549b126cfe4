//! What a listing tells of files is used, and not believed too far.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::trouble::{Trouble, Troubled};
use super::*;
use crate::sys::tree::{Listed, Listings, Status};

/// The calls of all tests here, each of which looks at those below its own folder.
static CALLS: Mutex<Vec<(Call, PathBuf)>> = Mutex::new(Vec::new());

/// When files were written late.
static WRITTEN: Mutex<Vec<(PathBuf, Instant)>> = Mutex::new(Vec::new());

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Call {
    Hold,
    List,
    Look,
    Read,
}

fn note(call: Call, path: &Path) {
    CALLS.lock().unwrap_or_else(PoisonError::into_inner).push((call, path.to_owned()));
}

/// The calls below a folder since this was last asked.
fn calls(trees: &Trees) -> Vec<(Call, String)> {
    let root = trees.folder.path();
    let mut calls = CALLS.lock().unwrap_or_else(PoisonError::into_inner);
    let (here, others) = calls.drain(..).partition::<Vec<_>, _>(|(_, path)| path.starts_with(root));
    *calls = others;
    let below = |path: PathBuf| path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
    let mut here: Vec<_> = here.into_iter().map(|(call, path)| (call, below(path))).collect();
    here.sort();
    here
}

/// A listing tells all, as on Windows; names tell what is wrong with it.
struct Told;

impl Trouble for Told {
    fn list(path: &Path) {
        note(Call::List, path);
    }

    fn status(path: &Path, status: Status) -> io::Result<Status> {
        note(Call::Look, path);
        Ok(status)
    }

    fn read(path: &Path, file: File) -> io::Result<File> {
        note(Call::Read, path);
        Ok(file)
    }

    fn hold(path: &Path) -> io::Result<()> {
        note(Call::Hold, path);
        Ok(())
    }

    fn listed(path: &Path, _kind: EntryKind, look: &dyn Fn() -> io::Result<Status>) -> io::Result<Listed> {
        let mut status = look()?;
        let name = path.file_name().unwrap().to_str().unwrap();
        if name.contains("behind") && in_source(path) {
            status.size += 1;
        }
        let is_kept = || since(path) < Self::LISTINGS_KEPT;
        if name.contains("never") || (name.contains("late") && is_kept()) {
            // As it was before it was written last.
            (status.size, status.modified) = (name.len() as u64, first_time());
        }
        Ok(Listed::Status(status))
    }

    fn listings(path: &Path) -> Listings {
        if path.components().any(|part| part.as_os_str() == "share") {
            Listings::MayBeOld
        } else {
            Listings::Fresh
        }
    }
}

fn in_source(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "from" || part.as_os_str() == "share")
}

fn first_time() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::new(1_000_000, 123_456_700)
}

/// Trees whose copy is there already.
fn settled(files: &[&str]) -> Trees {
    let trees = Trees::new(files);
    copied(&ENGINES[0], &trees.pass());
    trees
}

/// The same with a source of another machine, whose listings may be old.
fn settled_share(files: &[&str]) -> Trees {
    let mut trees = Trees::new(files);
    let share = trees.folder.path().join("share");
    fs::rename(&trees.from, &share).unwrap();
    trees.from = share;
    copied(&ENGINES[0], &trees.pass());
    trees
}

fn done(pass: &CopyPass) -> PassOutcome {
    quiet(|watch| copy::<Troubled<Told>>(pass, watch)).unwrap()
}

fn verified(pass: &VerifyPass) -> Verification {
    quiet(|watch| verify_with::<Troubled<Told>>(pass, watch)).unwrap()
}

fn files(outcome: &PassOutcome) -> [u64; 3] {
    [outcome.summary.new.files, outcome.summary.changed.files, outcome.summary.same.files]
}

fn listings_of(directories: &[&str], sides: &[&str]) -> Vec<(Call, String)> {
    let path = |side: &&str, directory: &&str| match *directory {
        "" => (*side).to_owned(),
        directory => format!("{side}/{directory}"),
    };
    let mut all: Vec<_> = sides
        .iter()
        .flat_map(|side| directories.iter().map(move |directory| (Call::List, path(side, directory))))
        .collect();
    all.sort();
    all
}

#[test]
fn a_pass_with_nothing_to_do_looks_at_no_file_and_lists_each_directory_once_a_side() {
    let many: Vec<_> = (0..300).map(|number| format!("many/{number}")).collect();
    let mut given: Vec<&str> = many.iter().map(String::as_str).collect();
    given.extend(["a", "b/c", "b/d/e"]);
    let trees = settled(&given);
    let outcome = done(&trees.pass());
    assert_eq!(files(&outcome), [0, 0, 303]);
    assert_eq!((outcome.source_files, outcome.target_files), (303, 303));
    let expected = listings_of(&["", "b", "b/d", "many"], &["from", "to"]);
    assert_eq!(calls(&trees), expected);

    for method in [Method::Size, Method::Mtime] {
        let found = verified(&VerifyPass { method, ..trees.verify_pass() });
        assert_eq!((found.files, found.equal, found.differences), (303, 303, vec![]));
        assert_eq!(calls(&trees), expected, "{method:?}");
    }
    let found = verified(&trees.verify_pass());
    assert_eq!((found.files, found.equal), (303, 303));
    assert_eq!(calls(&trees).iter().filter(|(call, _)| *call == Call::Read).count(), 606);
}

#[test]
fn a_filter_judges_by_what_was_listed() {
    let trees = settled(&["young", "a/old.eml", "a/large.eml"]);
    put(&trees.from.join("a/large.eml"), &"l".repeat(50), 1_000_000);
    put(&trees.from.join("young"), "YOUNG", 1_900_000_000);
    let rules = Rules { max_size: Some(20), ..Rules::default() };
    let pass = CopyPass { filter: Filter::new(rules).unwrap(), ..trees.pass() };
    let summary = done(&pass).summary;
    assert_eq!(summary.filtered.get(&Rule::MaxSize), Some(&Tally { files: 1, bytes: 50 }));
    assert_eq!((summary.changed.files, summary.same.files), (1, 1));
    let looked: Vec<_> = calls(&trees).into_iter().filter(|(call, _)| *call == Call::Look).collect();
    assert!(looked.iter().all(|(_, path)| path.ends_with("young")), "{looked:?}");
}

#[test]
fn what_differs_by_its_listing_alone_is_looked_at_and_left() {
    let trees = settled(&["behind", "same"]);
    assert_eq!(files(&done(&trees.pass())), [0, 0, 2]);
    let looked: Vec<_> = calls(&trees).into_iter().filter(|(call, _)| *call != Call::List).collect();
    assert_eq!(looked, [(Call::Look, "from/behind".into()), (Call::Look, "to/behind".into())]);
    let found = verified(&VerifyPass { method: Method::Mtime, ..trees.verify_pass() });
    assert_eq!((found.equal, found.differences), (2, vec![]));
}

/// How long ago a file was written, by the system's clock.
fn since(path: &Path) -> Duration {
    let written = WRITTEN.lock().unwrap_or_else(PoisonError::into_inner);
    written.iter().rev().find(|(file, _)| file == path).map_or(Duration::MAX, |(_, at)| at.elapsed())
}

/// Changed on the server after the listing that this machine keeps.
fn write_late(path: &Path) {
    put(path, "what was written last", 2_000_000);
    WRITTEN.lock().unwrap_or_else(PoisonError::into_inner).push((path.to_owned(), Instant::now()));
}

#[test]
fn a_pass_that_tolerates_errors_and_a_survey_believe_an_old_listing() {
    let trees = settled_share(&["never", "still", "d/still"]);
    write_late(&trees.from.join("never"));
    let tolerant = CopyPass { errors: OnErrors::Tolerate, ..trees.pass() };
    assert_eq!(files(&done(&tolerant)), [0, 0, 3]);
    assert_eq!(calls(&trees), listings_of(&["", "d"], &["share", "to"]));
    let survey = quiet(|watch| survey::<Troubled<Told>>(&trees.pass(), watch)).unwrap();
    assert_eq!(files(&survey.outcome), [0, 0, 3]);
}

#[test]
fn a_pass_that_must_be_clean_and_a_verification_wait_until_no_listing_is_old() {
    let trees = settled_share(&["late", "still", "d/still"]);
    write_late(&trees.from.join("late"));
    let found = verified(&VerifyPass { method: Method::Mtime, ..trees.verify_pass() });
    assert_eq!((found.equal, found.counts.get(&crate::copy::verify::DifferenceKind::Mtime)), (2, Some(&1)));
    calls(&trees);

    write_late(&trees.from.join("late"));
    assert_eq!(files(&done(&trees.pass())), [0, 1, 2]);
    assert_eq!(fs::read_to_string(trees.to.join("late")).unwrap(), "what was written last");
    let looked =
        calls(&trees).into_iter().filter(|(call, path)| *call != Call::List && path.ends_with("still"));
    assert_eq!(looked.collect::<Vec<_>>(), [], "then listings are believed");

    // A verification waits for its target too.
    let verify = VerifyPass {
        from: trees.to.clone(),
        to: trees.from.clone(),
        method: Method::Mtime,
        ..trees.verify_pass()
    };
    put(&trees.from.join("still"), "STILL", 1_000_001);
    let begun = Instant::now();
    assert_eq!(verified(&verify).differences.len(), 1);
    assert!(begun.elapsed() >= Told::LISTINGS_KEPT);
}

/// Listings are kept for longer than any test runs.
struct Forever;

impl Trouble for Forever {
    const LISTINGS_KEPT: Duration = Duration::from_secs(100_000);

    fn listings(_path: &Path) -> Listings {
        Listings::MayBeOld
    }
}

#[test]
fn the_wait_for_listings_tells_progress_and_ends_with_the_wish_to_stop() {
    let trees = Trees::new(&["a"]);
    let cancel = Cancel::new();
    let watch = Watch { progress: &|_| cancel.request(), cancel: &cancel, account: None };
    let ended = copy::<Troubled<Forever>>(&trees.pass(), &watch);
    assert!(matches!(ended, Err(PassError::Interrupted)), "{ended:?}");
    assert!(!trees.to.join("a").exists());
}

#[test]
fn a_filter_of_a_pass_that_must_be_clean_judges_by_no_old_listing() {
    let trees = settled_share(&["late"]);
    let rules = Rules { min_size: Some(10), ..Rules::default() };
    let pass = CopyPass { filter: Filter::new(rules).unwrap(), ..trees.pass() };
    write_late(&trees.from.join("late"));
    assert_eq!(files(&done(&pass)), [0, 1, 0]);
}

#[test]
fn a_pass_that_compares_content_reads_whatever_was_listed() {
    let trees = settled(&["a", "b"]);
    put(&trees.from.join("b"), "B", 1_000_000);
    let pass = CopyPass { compare: Compare::Content, ..trees.pass() };
    assert_eq!(files(&done(&pass)), [0, 1, 1]);
    assert_eq!(fs::read_to_string(trees.to.join("b")).unwrap(), "B");
}

#[cfg(unix)]
#[test]
fn what_differs_in_permissions_by_its_listing_is_mended() {
    use std::os::unix::fs::PermissionsExt;
    let trees = settled(&["a", "b"]);
    fs::set_permissions(trees.from.join("b"), fs::Permissions::from_mode(0o600)).unwrap();
    let summary = done(&trees.pass()).summary;
    assert_eq!((summary.same.files, summary.attributes_mended), (2, 1));
    assert_eq!(fs::metadata(trees.to.join("b")).unwrap().permissions().mode() & 0o777, 0o600);
}

#[cfg(target_os = "linux")]
#[test]
fn where_more_is_preserved_than_a_listing_tells_of_files_are_looked_at() {
    let trees = settled(&["a", "b"]);
    let preserve = Preserve::NOTHING_MORE.with(Preserved::HardLinks);
    assert_eq!(files(&done(&CopyPass { preserve, ..trees.pass() })), [0, 0, 2]);
    let looked = calls(&trees).into_iter().filter(|(call, _)| *call == Call::Look).count();
    assert_eq!(looked, 4);
}

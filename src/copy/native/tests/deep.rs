//! Trees of thousands of levels: no level takes a frame of the stack.
//!
//! They are made and looked at through handles, since no system takes their whole paths. The portable handles are paths,
//! and cannot go there.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::*;
use crate::copy::native::node::Node;
use crate::copy::quarantine;
use crate::sys::tree::{Permissions, Taken};

const OWN: &Engine = &ENGINES[0];

/// One of these tests at a time: all share the process's limit of open files.
static ALONE: Mutex<()> = Mutex::new(());

/// Trees in memory where that is at hand, since a disk takes seconds for so many directories.
fn trees(files: &[&str]) -> (MutexGuard<'static, ()>, Trees) {
    let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let trees = match tempfile::tempdir_in("/dev/shm") {
        Ok(folder) => Trees::new_in(folder, files),
        Err(_) => Trees::new(files),
    };
    (alone, trees)
}

/// Makes a chain of directories below a root, each holding the next one and the deepest a file. Closes each behind it.
fn chain(root: &Path, levels: usize) {
    fs::create_dir_all(root).unwrap();
    let like = Permissions::of(&fs::metadata(root).unwrap());
    let mut here = Here::open(root).unwrap();
    for _ in 0..levels {
        here.make_directory(OsStr::new("d"), &like).unwrap();
        here = here.enter(OsStr::new("d")).unwrap();
    }
    here.create(OsStr::new("file"), &like).unwrap();
}

/// How many levels a chain has down to its file; `None` where the file is missing.
fn levels(root: &Path) -> Option<usize> {
    let mut here = Here::open(root).ok()?;
    let mut levels = 0;
    while let Ok(inner) = here.enter(OsStr::new("d")) {
        here = inner;
        levels += 1;
    }
    here.status(OsStr::new("file")).is_ok().then_some(levels)
}

/// Whether so many directories may be open at once; says so where not.
fn can_open(handles: usize) -> bool {
    tree::allow_many_handles();
    let file = fs::File::open(".").unwrap();
    let held: Vec<_> = (0..handles + 100).map_while(|_| file.try_clone().ok()).collect();
    let can = held.len() == handles + 100;
    if !can {
        eprintln!("not proven here: the limit of open files is below {handles}");
    }
    can
}

#[test]
fn a_source_of_thousands_of_levels_is_copied_and_verified() {
    const LEVELS: usize = 9_000;
    let (_alone, trees) = trees(&[]);
    let _swept = (Swept(trees.from.clone()), Swept(trees.to.clone()));
    chain(&trees.from, LEVELS);
    if can_open(2 * LEVELS) {
        let outcome = copied(OWN, &trees.pass());
        assert_eq!((outcome.summary.new.files, outcome.summary.directories), (1, LEVELS as u64 + 1));
        assert_eq!(levels(&trees.to), Some(LEVELS));
        let verified = quiet(|watch| (OWN.verify)(&trees.verify_pass(), watch)).unwrap();
        assert_eq!((verified.equal, verified.differences), (1, vec![]));
    }
}

#[test]
fn directories_in_flight_are_let_go_whatever_their_number() {
    const LEVELS: usize = 100_000;
    let folder = tempfile::tempdir().unwrap();
    let open = || portable::Handle::open(folder.path()).unwrap();
    let status = open().own_status().unwrap();
    let mut deepest = Arc::new(Node::new(None, OsString::new(), open(), status.clone(), None));
    for _ in 0..LEVELS {
        deepest = Arc::new(Node::new(Some(deepest), OsString::new(), open(), status.clone(), None));
    }
    let root = std::iter::successors(Some(&deepest), |node| node.parent.as_ref()).last().map(Arc::downgrade);
    drop(deepest);
    assert!(root.is_some_and(|root| root.upgrade().is_none()));
}

/// The folders above the file are made only once it is there, all in one go.
#[test]
fn folders_that_are_made_for_the_file_at_their_bottom_may_be_thousands() {
    const LEVELS: usize = 9_000;
    let (_alone, trees) = trees(&[]);
    let _swept = (Swept(trees.from.clone()), Swept(trees.to.clone()));
    chain(&trees.from, LEVELS);
    if can_open(2 * LEVELS) {
        let pass = CopyPass { directories: Directories::NonEmpty, ..trees.pass() };
        assert_eq!(copied(OWN, &pass).summary.directories_created, LEVELS as u64 + 1);
        assert_eq!(levels(&trees.to), Some(LEVELS));
    }
}

#[test]
fn an_extra_tree_of_thousands_of_levels_is_listed_with_few_open_handles() {
    const LEVELS: usize = 12_000;
    let (_alone, trees) = trees(&[]);
    let _swept = Swept(trees.to.clone());
    chain(&trees.to, LEVELS);
    let pass = CopyPass { extras: Extras::List, ..trees.pass() };
    let outcome = copied(OWN, &pass);
    assert_eq!((outcome.extras.len(), outcome.target_files), (LEVELS + 1, 1));
    let lengths: Vec<_> = outcome.extras.iter().map(|entry| entry.path.as_os_str().len()).collect();
    assert!(lengths.is_sorted_by(|deeper, higher| deeper > higher), "a directory comes after what it holds");
}

#[test]
fn an_extra_tree_of_thousands_of_levels_goes_into_the_quarantine_and_back_and_for_good() {
    const LEVELS: usize = 9_000;
    let (_alone, trees) = trees(&[]);
    let _swept = Swept(trees.to.clone());
    chain(&trees.to, LEVELS);
    if can_open(2 * LEVELS) {
        let pass = CopyPass { extras: Extras::List, ..trees.pass() };
        let all = quarantine::Selection::All;
        let folder = trees.folder.path().join("to.movebook-quarantine/run/1");
        let _swept = Swept(folder.clone());
        for restored in [true, false] {
            let extras = copied(OWN, &pass).extras;
            let disposal = Disposal::Quarantine(folder.clone());
            let purged = quiet(|watch| (OWN.purge)(&pass, &extras, &disposal, watch)).unwrap();
            assert_eq!((purged.errors, purged.files.files, purged.directories), (vec![], 1, LEVELS as u64));
            assert_eq!((levels(&trees.to), levels(&folder)), (None, Some(LEVELS)));
            let mut seen = Vec::new();
            let mut each = |kept: quarantine::Kept| {
                seen.push(kept.path.as_os_str().len());
                Ok(())
            };
            quarantine::look(&folder, &all, &mut each).unwrap();
            assert_eq!(seen, [2 * LEVELS + "file".len()]);
            let cancel = Cancel::new();
            let changed = if restored {
                quarantine::restore(&folder, &trees.to, &all, &cancel, &mut |_| {}).unwrap()
            } else {
                quarantine::discard(&folder, &all, &cancel, &mut |_| {}).unwrap()
            };
            assert_eq!((changed.left, changed.files.files, changed.directories), (vec![], 1, LEVELS as u64));
            assert_eq!(levels(&trees.to), restored.then_some(LEVELS));
            assert!(!folder.exists());
        }
    }
}

#[test]
fn what_a_killed_pass_left_is_removed_however_deep_it_is() {
    const LEVELS: usize = 12_000;
    let (_alone, trees) = trees(&["a"]);
    let leftover = trees.to.join(".movebook-0123456789abcdef-00000001.part");
    let _swept = Swept(leftover.clone());
    chain(&leftover, LEVELS);
    assert_eq!(copied(OWN, &trees.pass()).summary.new.files, 1);
    assert!(!leftover.exists());
}

#[test]
fn a_pass_that_is_stopped_does_not_go_on_removing_what_a_killed_one_left() {
    let trees = Trees::new(&["a"]);
    let leftover = trees.to.join(".movebook-0123456789abcdef-00000001.part");
    for number in 0..100 {
        put(&leftover.join(format!("folder/{number}")), "x", 1_000_000);
    }
    let here = Here::open(&trees.to).unwrap();
    let looks = std::cell::Cell::new(0);
    let stopped = || looks.replace(looks.get() + 1) == 50;
    temporary::remove(&here, leftover.file_name().unwrap(), EntryKind::Directory, &stopped).unwrap_err();
    let held = fs::read_dir(leftover.join("folder")).unwrap().count();
    assert!((1..100).contains(&held), "{held} are left");
    temporary::remove(&here, leftover.file_name().unwrap(), EntryKind::Directory, &|| false).unwrap();
    assert!(!leftover.exists());
}

/// Removes the chain below a root in the end: what removes the test's folder takes a frame of the stack a level.
struct Swept(PathBuf);

impl Drop for Swept {
    /// Each level is moved to the root and removed there.
    fn drop(&mut self) {
        let Ok(top) = Here::open(&self.0) else { return };
        let (d, above) = (OsStr::new("d"), OsStr::new("above"));
        while let Ok(inner) = top.enter(d) {
            let _ = inner.remove_file(OsStr::new("file"));
            let lifted = inner.rename(d, &top, above, Taken::Refuse).is_ok();
            drop(inner);
            if top.remove_directory(d).is_err()
                || !lifted
                || top.rename(above, &top, d, Taken::Refuse).is_err()
            {
                return;
            }
        }
    }
}

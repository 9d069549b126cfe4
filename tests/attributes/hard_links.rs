//! Names of one file stay names of one file.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use filetime::FileTime;
use movebook::copy::{CopyPass, Extras, PassSummary, Preserved, Tally};
use movebook::filter::{Filter, Rules};

use crate::{Trees, copied, counts, listing, run, surveyed};

const LINKS: [Preserved; 1] = [Preserved::HardLinks];

fn inode(path: &Path) -> u64 {
    fs::metadata(path).unwrap().ino()
}

/// New, changed, same and linked files.
fn links(summary: &PassSummary) -> (u64, u64, u64, u64) {
    (summary.new.files, summary.changed.files, summary.same.files, summary.linked.files)
}

#[test]
fn names_of_one_file_are_linked_where_that_is_asked_for_and_copied_elsewhere() {
    let trees = Trees::new();
    let first = trees.put("a/first");
    for other in ["a/second", "third", "b/c/fourth"] {
        fs::create_dir_all(trees.from.join(other).parent().unwrap()).unwrap();
        fs::hard_link(&first, trees.from.join(other)).unwrap();
    }
    trees.put("alone");
    let apart = trees.pass(&[]);
    assert_eq!(links(&copied(&CopyPass { to: trees.folder.path().join("apart"), ..apart })), (5, 0, 0, 0));
    let predicted = surveyed(&trees.pass(&LINKS)).outcome;
    let outcome = run(&trees.pass(&LINKS)).unwrap();
    assert_eq!(links(&outcome.summary), (5, 0, 0, 3));
    assert_eq!(outcome.summary.linked, Tally { files: 3, bytes: 3 * 7 });
    assert_eq!(predicted.summary, outcome.summary);
    assert_eq!((outcome.source_files, outcome.target_files), (5, 5));
    assert_eq!(listing::tree(&trees.to), listing::tree(&trees.from));
    let again = copied(&trees.pass(&LINKS));
    assert_eq!(links(&again), (0, 0, 5, 0));
    assert_eq!(surveyed(&trees.pass(&LINKS)).outcome.summary, again);
}

#[test]
fn a_name_that_is_another_file_in_the_target_is_linked_and_that_file_keeps_its_other_names() {
    let trees = Trees::new();
    fs::hard_link(trees.put("a"), trees.from.join("b")).unwrap();
    copied(&trees.pass(&[]));
    let kept = trees.folder.path().join("kept");
    fs::hard_link(trees.to.join("b"), &kept).unwrap();
    let old = inode(&kept);
    let summary = copied(&trees.pass(&LINKS));
    assert_eq!(links(&summary), (0, 1, 1, 1));
    assert_eq!(inode(&trees.to.join("a")), inode(&trees.to.join("b")));
    assert_eq!((inode(&kept), fs::read_to_string(&kept).unwrap()), (old, "a".to_owned()));
}

#[test]
fn a_changed_file_is_copied_once_and_linked_again() {
    let trees = Trees::new();
    let a = trees.put("a");
    fs::hard_link(&a, trees.from.join("b")).unwrap();
    copied(&trees.pass(&LINKS));
    fs::write(&a, "longer").unwrap();
    filetime::set_file_mtime(&a, FileTime::from_unix_time(7, 7)).unwrap();
    assert_eq!(links(&copied(&trees.pass(&LINKS))), (0, 2, 0, 1));
    assert_eq!(listing::tree(&trees.to), listing::tree(&trees.from));
}

#[test]
fn attributes_of_linked_names_are_mended_once_in_place() {
    use std::os::unix::fs::PermissionsExt;
    let trees = Trees::new();
    let a = trees.put("a");
    fs::hard_link(&a, trees.from.join("b")).unwrap();
    copied(&trees.pass(&LINKS));
    let before = inode(&trees.to.join("a"));
    fs::set_permissions(&a, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(counts(&copied(&trees.pass(&LINKS))), (0, 0, 2, 1));
    assert_eq!(inode(&trees.to.join("a")), before);
    assert_eq!(listing::tree(&trees.to), listing::tree(&trees.from));
}

#[test]
fn files_that_are_no_longer_one_in_the_source_are_two_in_the_target_once_one_changes() {
    let trees = Trees::new();
    let a = trees.put("a");
    fs::hard_link(&a, trees.from.join("b")).unwrap();
    copied(&trees.pass(&LINKS));
    fs::remove_file(&a).unwrap();
    fs::write(&a, "another").unwrap();
    filetime::set_file_mtime(&a, FileTime::from_unix_time(7, 7)).unwrap();
    assert_eq!(links(&copied(&trees.pass(&LINKS))), (0, 1, 1, 0));
    assert_eq!(fs::read_to_string(trees.to.join("a")).unwrap(), "another");
    assert_eq!(fs::read_to_string(trees.to.join("b")).unwrap(), "a");
}

#[test]
fn only_names_that_the_filter_lets_in_are_linked() {
    let trees = Trees::new();
    let a = trees.put("a.dat");
    for other in ["b.dat", "c.tmp"] {
        fs::hard_link(&a, trees.from.join(other)).unwrap();
    }
    let rules = Rules { exclude: vec!["*.tmp".into()], ..Rules::default() };
    let pass = CopyPass { filter: Filter::new(rules).unwrap(), extras: Extras::List, ..trees.pass(&LINKS) };
    assert_eq!(links(&copied(&pass)), (2, 0, 0, 1));
    assert_eq!(fs::metadata(trees.to.join("a.dat")).unwrap().nlink(), 2);
    assert!(!trees.to.join("c.tmp").exists());
}

#[test]
fn one_of_many_names_is_copied_however_many_workers_meet_them() {
    for round in 0..20 {
        let trees = Trees::new();
        let mut expected = 0;
        for group in 0..6 {
            let first = trees.from.join(format!("{group}/first"));
            fs::create_dir_all(first.parent().unwrap()).unwrap();
            // Some are jobs of their own, and some are over before a second worker looks.
            fs::write(&first, vec![group; usize::from(group) * 700_000 + 1]).unwrap();
            filetime::set_file_mtime(&first, FileTime::from_unix_time(5, 5)).unwrap();
            for name in 0..40 {
                let other = trees.from.join(format!("d{}/{group}-{name}", name % 7));
                fs::create_dir_all(other.parent().unwrap()).unwrap();
                fs::hard_link(&first, other).unwrap();
                expected += 1;
            }
        }
        let summary = copied(&CopyPass { threads: 12, ..trees.pass(&LINKS) });
        assert_eq!(links(&summary), (expected + 6, 0, 0, expected), "round {round}");
        assert_eq!(listing::tree(&trees.to), listing::tree(&trees.from));
        let again = copied(&CopyPass { threads: 12, ..trees.pass(&LINKS) });
        assert_eq!(links(&again), (0, 0, expected + 6, 0), "round {round}");
    }
}

#[test]
fn where_one_name_cannot_be_brought_the_others_are() {
    let trees = Trees::new();
    let a = trees.put("a");
    for other in ["b", "c", "d"] {
        fs::hard_link(&a, trees.from.join(other)).unwrap();
    }
    // Whichever of the others leads, the directory in the place of `a` fails that one alone.
    fs::create_dir_all(trees.to.join("a")).unwrap();
    let summary = run(&trees.pass(&LINKS)).unwrap().summary;
    assert_eq!((links(&summary), summary.failed.files), ((3, 0, 0, 2), 1));
    assert_eq!(fs::metadata(trees.to.join("d")).unwrap().nlink(), 3);
}

#[test]
fn a_name_finds_its_leader_in_folders_that_have_no_final_name_yet() {
    let trees = Trees::new();
    // The deepest is over before those above it are, and each of those has names in between.
    let first = trees.put("a/b/c/d/first");
    for other in ["a/x", "a/b/x", "a/b/c/x", "a/b/c/d/x", "x/y/z", "x/y/w"] {
        fs::create_dir_all(trees.from.join(other).parent().unwrap()).unwrap();
        fs::hard_link(&first, trees.from.join(other)).unwrap();
    }
    for threads in [1, 2, 8] {
        let to = trees.folder.path().join(format!("to-{threads}"));
        let summary = copied(&CopyPass { to: to.clone(), threads, ..trees.pass(&LINKS) });
        assert_eq!(links(&summary), (7, 0, 0, 6), "{threads} threads");
        assert_eq!(listing::tree(&to), listing::tree(&trees.from));
    }
}

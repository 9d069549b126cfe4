//! What a pass between two listings would do.

use std::time::UNIX_EPOCH;

use super::*;
use crate::filter::Rules;
use crate::rclone::log::Failed;

const DAY: u64 = 24 * 60 * 60;

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn file(path: &str, size: u64, seconds: u64) -> Entry {
    Entry { path: path.into(), kind: Kind::File, size: Some(size), modified: Some(at(seconds)) }
}

fn folder(path: &str) -> Entry {
    Entry { path: path.into(), kind: Kind::Folder, size: None, modified: None }
}

fn tree(entries: &[Entry]) -> Listing {
    Listing { entries: entries.to_vec(), ..Listing::default() }
}

fn list(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

struct Case {
    rules: Rules,
    directories: Directories,
    times: Times,
    letters: Letters,
}

impl Default for Case {
    fn default() -> Self {
        Self {
            rules: Rules::default(),
            directories: Directories::All,
            times: Times::Within(Duration::ZERO),
            letters: Letters::Apart,
        }
    }
}

impl Case {
    fn compare(&self, source: &Listing, target: &Listing) -> Comparison {
        let filter = Filter::new(self.rules.clone()).unwrap();
        let terms = Terms {
            filter: &filter,
            started: Timestamp::from_second(100 * DAY as i64).unwrap(),
            directories: self.directories,
            links: Links::Skip,
            times: self.times,
            letters: self.letters,
        };
        compare(source, Some(target), terms)
    }
}

fn copied(comparison: &Comparison) -> Vec<(&str, Deed)> {
    comparison.copy.iter().map(|file| (file.path.as_str(), file.deed)).collect()
}

fn extras(comparison: &Comparison) -> Vec<&str> {
    comparison.extras.iter().map(|extra| extra.path.to_str().unwrap()).collect()
}

#[test]
fn files_are_told_apart_by_size_and_time() {
    let source = tree(&[
        file("new", 1, 5),
        file("same", 1, 5),
        file("size", 2, 5),
        file("older", 1, 5),
        file("newer", 1, 5),
    ]);
    let target = tree(&[file("same", 1, 5), file("size", 1, 5), file("older", 1, 4), file("newer", 1, 6)]);
    let comparison = Case::default().compare(&source, &target);
    let changed = Deed::Changed;
    assert_eq!(
        copied(&comparison),
        [("new", Deed::New), ("size", changed), ("older", changed), ("newer", changed)]
    );
    assert_eq!((comparison.same.len(), comparison.source_files, comparison.target_files), (1, 5, 5));
}

#[test]
fn times_within_what_both_storages_keep_are_the_same() {
    let (source, target) = (tree(&[file("a", 1, 10)]), tree(&[file("a", 1, 12)]));
    let within = |seconds| Case { times: Times::Within(Duration::from_secs(seconds)), ..Case::default() };
    assert_eq!(within(2).compare(&source, &target).same.len(), 1);
    assert_eq!(within(1).compare(&source, &target).copy.len(), 1);
    let none = Case { times: Times::NotKept, ..Case::default() };
    assert_eq!(none.compare(&source, &target).same.len(), 1);
}

#[test]
fn the_filter_is_the_one_of_every_engine() {
    let rules = Rules {
        include: list(&["*.dat"]),
        exclude: list(&["index*"]),
        exclude_directories: list(&["cache"]),
        min_age: Some(Duration::from_secs(DAY)),
        ..Rules::default()
    };
    let old = 10 * DAY;
    let source = tree(&[
        folder("cache"),
        folder("cache/deep"),
        file("cache/a.dat", 1, old),
        file("cache/deep/a.dat", 1, old),
        folder("sub"),
        file("sub/A.DAT", 1, old),
        file("sub/index.dat", 1, old),
        file("sub/a.txt", 1, old),
        file("exact.dat", 1, 99 * DAY),
        file("young.dat", 1, 99 * DAY + 1),
    ]);
    let comparison = Case { rules, ..Case::default() }.compare(&source, &Listing::default());
    assert_eq!(copied(&comparison), [("sub/A.DAT", Deed::New), ("exact.dat", Deed::New)]);
    let kept: Vec<_> = comparison.kept_out.iter().map(|kept| (kept.path.as_str(), kept.rule)).collect();
    assert_eq!(
        kept,
        [
            ("cache/", Rule::ExcludeDirectories),
            ("sub/index.dat", Rule::Exclude),
            ("sub/a.txt", Rule::Include),
            ("young.dat", Rule::MinAge),
        ]
    );
}

#[test]
fn directories_are_all_those_with_files_or_none() {
    let source =
        tree(&[file("top", 1, 5), folder("full"), file("full/a", 1, 5), folder("empty"), folder("there")]);
    let target = tree(&[folder("there")]);
    let all = Case::default().compare(&source, &target);
    assert_eq!((all.missing_folders.clone(), all.directories), (list(&["empty"]), 3));
    let non_empty = Case { directories: Directories::NonEmpty, ..Case::default() };
    assert!(non_empty.compare(&source, &target).missing_folders.is_empty());
    let none = Case { directories: Directories::None, ..Case::default() }.compare(&source, &target);
    assert_eq!(copied(&none), [("top", Deed::New)]);
    assert!(extras(&none).is_empty() && none.missing_folders.is_empty());
}

#[test]
fn extras_come_before_the_folders_that_hold_them() {
    let source = tree(&[file("a", 1, 5), folder("both"), file("both/b", 1, 5)]);
    let target = tree(&[
        file("a", 1, 5),
        folder("both"),
        file("both/b", 1, 5),
        file("both/x", 7, 5),
        folder("gone"),
        folder("gone/deep"),
        file("gone/deep/y", 1, 5),
        file("gone/z", 1, 5),
    ]);
    let comparison = Case::default().compare(&source, &target);
    assert_eq!(extras(&comparison), ["both/x", "gone/deep/y", "gone/deep", "gone/z", "gone"]);
    assert_eq!((comparison.extras[0].bytes, comparison.target_files), (7, 5));
}

#[test]
fn what_the_filter_keeps_out_is_no_extra_and_keeps_its_folders() {
    let rules =
        Rules { exclude: list(&["*.fdb"]), exclude_directories: list(&["cache"]), ..Rules::default() };
    let source = tree(&[file("a", 1, 5), folder("cache")]);
    let target = tree(&[
        folder("old"),
        file("old/x.fdb", 1, 5),
        file("old/y", 1, 5),
        folder("cache"),
        file("cache/z", 1, 5),
        folder("other"),
        folder("other/cache"),
        file("other/cache/z", 1, 5),
    ]);
    let comparison = Case { rules, ..Case::default() }.compare(&source, &target);
    assert_eq!(extras(&comparison), ["old/y"]);
    let kept: Vec<_> =
        comparison.extra_filtered.iter().map(|(extra, rule)| (extra.path.to_str().unwrap(), *rule)).collect();
    assert_eq!(kept, [("old/x.fdb", Rule::Exclude), ("other/cache/z", Rule::ExcludeDirectories)]);
}

#[test]
fn nothing_is_extra_below_a_folder_of_the_source_that_could_not_be_read() {
    let unread =
        Failed { path: "closed".into(), class: ErrorClass::Denied, error: "permission denied".into() };
    let source = Listing { unread: vec![unread], ..tree(&[file("a", 1, 5), folder("closed")]) };
    let target = tree(&[folder("closed"), folder("closed/in"), file("closed/in/b", 1, 5), file("c", 1, 5)]);
    let comparison = Case::default().compare(&source, &target);
    assert_eq!(extras(&comparison), ["c"]);
    let (error, _) = &comparison.failed[0];
    assert_eq!((error.path.as_str(), error.class), ("closed/", ErrorClass::Denied));
}

#[test]
fn a_folder_of_the_target_that_could_not_be_read_is_told_and_stays() {
    let unread = Failed { path: "gone/closed".into(), class: ErrorClass::Denied, error: "no".into() };
    let target = Listing {
        unread: vec![unread],
        ..tree(&[folder("gone"), folder("gone/closed"), file("gone/x", 1, 5)])
    };
    let comparison = Case::default().compare(&tree(&[file("a", 1, 5)]), &target);
    assert_eq!(extras(&comparison), ["gone/x"]);
    assert_eq!(comparison.extra_unread[0].path, "gone/closed/");
}

#[test]
fn a_target_without_case_finds_names_in_any_and_refuses_two_of_one() {
    let source = tree(&[file("A.dat", 1, 5), file("b", 1, 5), file("B", 1, 5)]);
    let target = tree(&[file("a.DAT", 1, 5)]);
    let folded = Case { letters: Letters::Folded, ..Case::default() }.compare(&source, &target);
    assert_eq!((folded.same.len(), copied(&folded)), (1, vec![("b", Deed::New)]));
    assert!(extras(&folded).is_empty() && folded.failed[0].0.error.contains("differs only in case"));
    let apart = Case::default().compare(&source, &target);
    assert_eq!((copied(&apart).len(), extras(&apart)), (3, vec!["a.DAT"]));
}

#[test]
fn a_file_where_the_target_has_a_folder_fails() {
    let comparison =
        Case::default().compare(&tree(&[file("a", 1, 5)]), &tree(&[folder("a"), file("a/b", 1, 5)]));
    assert!(comparison.copy.is_empty() && comparison.failed[0].0.error.contains("directory in its place"));
    assert_eq!(extras(&comparison), ["a/b"]);
}

#[test]
fn the_quarantine_is_left_out() {
    let target = tree(&[folder(".movebook-quarantine"), file(".movebook-quarantine/run/1/x", 1, 5)]);
    let comparison = Case::default().compare(&tree(&[file("a", 1, 5)]), &target);
    assert!(extras(&comparison).is_empty() && comparison.target_files == 1);
}

#[test]
fn links_are_counted_and_only_extra_where_the_source_has_no_such_name() {
    let source = Listing {
        skipped: vec![("l".into(), Skipped::Link), ("p".into(), Skipped::Special)],
        ..Listing::default()
    };
    let target = Listing {
        skipped: vec![("l".into(), Skipped::Link), ("m".into(), Skipped::Link)],
        ..Listing::default()
    };
    let comparison = Case::default().compare(&source, &target);
    assert_eq!((comparison.links.clone(), comparison.special.clone()), (list(&["l"]), list(&["p"])));
    assert_eq!(extras(&comparison), ["m"]);
    assert_eq!(comparison.extras[0].kind, EntryKind::Link);
}

#[test]
fn a_file_is_never_written_through_a_link_of_the_target() {
    let source = tree(&[file("l", 1, 5), folder("d"), file("d/a", 1, 5), folder("d/e")]);
    let skipped = vec![("l".into(), Skipped::Link), ("d".into(), Skipped::Link)];
    let comparison = Case::default().compare(&source, &Listing { skipped, ..Listing::default() });
    assert!(comparison.copy.is_empty() && comparison.missing_folders.is_empty(), "{comparison:?}");
    let errors: Vec<_> = comparison.failed.iter().map(|(error, _)| error.error.as_str()).collect();
    assert!(errors.len() == 2 && errors[0].contains("(l)") && errors[1].contains("(d)"), "{errors:?}");
}

#[test]
fn it_is_told_in_what_a_changed_file_differs() {
    let source = tree(&[file("size", 2, 5), file("time", 1, 5)]);
    let comparison = Case::default().compare(&source, &tree(&[file("size", 1, 5), file("time", 1, 6)]));
    let apart: Vec<_> = comparison.copy.iter().map(|file| file.apart).collect();
    assert_eq!(apart, [Some(Apart::Size { source: 2, target: 1 }), Some(Apart::Time)]);
}

#[test]
fn a_name_that_a_storage_without_case_may_take_for_one_of_the_source_is_not_extra() {
    let source = tree(&[file("ΑΣ", 1, 5), file("straße", 1, 5)]);
    let target = tree(&[file("ας", 1, 5), file("STRASSE", 1, 5), file("other", 1, 5)]);
    let comparison = Case { letters: Letters::Folded, ..Case::default() }.compare(&source, &target);
    assert_eq!(extras(&comparison), ["other"]);
    let same = Case { letters: Letters::Folded, ..Case::default() }
        .compare(&tree(&[file("ΑΣ", 1, 5)]), &tree(&[file("ασ", 1, 5)]));
    assert_eq!((same.same.len(), same.extras.len()), (1, 0));
}

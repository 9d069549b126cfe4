//! What every form of directory handle must give: each case runs over the system's own and over the portable one.

mod account;
// Their sources hold names that differ only in case.
#[cfg(target_os = "linux")]
mod case;
#[cfg(unix)]
mod deep;
mod hard_links;
mod large;
mod listed;
mod lost;
mod trouble;
#[cfg(unix)]
mod unnamed;
#[cfg(any(target_os = "linux", windows))]
mod unreached;
mod verified;
// Windows has no files of such names to copy.
#[cfg(unix)]
mod windows_names;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use filetime::FileTime;
use jiff::Timestamp;
use tempfile::TempDir;

use super::*;
use crate::cancel::Cancel;
use crate::copy::{
    Compare, EntryKind, ErrorClass, Extra, Extras, Links, OnErrors, Preserve, Priority, Progress, Rule, Tally,
};
use crate::filter::{Filter, Rules};
use crate::sys::tree::portable;

/// The engine over one kind of handle.
pub(super) struct Engine {
    name: &'static str,
    pub(super) copy: fn(&CopyPass, &Watch<'_>) -> Result<PassOutcome, PassError>,
    pub(super) survey: fn(&CopyPass, &Watch<'_>) -> Result<Survey, PassError>,
    purge: fn(&CopyPass, &[ExtraEntry], &Disposal, &Watch<'_>) -> Result<Purged, PassError>,
    verify: fn(&VerifyPass, &Watch<'_>) -> Result<Verification, PassError>,
}

pub(super) const ENGINES: [Engine; 2] = [
    Engine {
        name: "own",
        copy: copy::<Here>,
        survey: survey::<Here>,
        purge: purge::purge::<Here>,
        verify: verify_with::<Here>,
    },
    Engine {
        name: "portable",
        copy: copy::<portable::Handle>,
        survey: survey::<portable::Handle>,
        purge: purge::purge::<portable::Handle>,
        verify: verify_with::<portable::Handle>,
    },
];

/// A source and a target in a folder of their own.
pub(super) struct Trees {
    folder: TempDir,
    pub(super) from: PathBuf,
    pub(super) to: PathBuf,
}

impl Trees {
    pub(super) fn new(files: &[&str]) -> Self {
        Self::new_in(tempfile::tempdir().unwrap(), files)
    }

    fn new_in(folder: TempDir, files: &[&str]) -> Self {
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::create_dir(&from).unwrap();
        for file in files {
            put(&from.join(file), file, 1_000_000);
        }
        Self { folder, from, to }
    }

    pub(super) fn pass(&self) -> CopyPass {
        CopyPass {
            from: self.from.clone(),
            to: self.to.clone(),
            filter: Filter::everything(),
            started: Timestamp::now(),
            directories: Directories::All,
            errors: OnErrors::Fail,
            retries: 0,
            wait: Duration::from_millis(5),
            threads: 3,
            compare: Compare::Metadata,
            mtime_tolerance: None,
            links: Links::Skip,
            preserve: Preserve::NOTHING_MORE,
            bandwidth: None,
            priority: Priority::Normal,
            resume_over: CopyPass::RESUME_OVER,
            distrust: None,
            extras: Extras::Keep,
        }
    }

    fn verify_pass(&self) -> VerifyPass {
        VerifyPass {
            from: self.from.clone(),
            to: self.to.clone(),
            filter: Filter::everything(),
            started: Timestamp::now(),
            method: Method::Blake3,
            mtime_tolerance: None,
            threads: 3,
            manifest: None,
            extra: Extra::Fail,
        }
    }
}

/// Makes a file (with those above it; a path that ends with `/` is a directory) with a given time.
fn put(path: &Path, content: &str, seconds: i64) {
    if path.to_str().is_some_and(|path| path.ends_with('/')) {
        fs::create_dir_all(path).unwrap();
        return;
    }
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
    filetime::set_file_mtime(path, FileTime::from_unix_time(seconds, 123_456_700)).unwrap();
}

pub(super) fn quiet<T>(run: impl FnOnce(&Watch<'_>) -> T) -> T {
    let cancel = Cancel::new();
    run(&Watch { progress: &|_| {}, cancel: &cancel, account: None })
}

fn each(test: impl Fn(&Engine)) {
    for engine in &ENGINES {
        eprintln!("engine: {}", engine.name);
        test(engine);
    }
}

fn copied(engine: &Engine, pass: &CopyPass) -> PassOutcome {
    quiet(|watch| (engine.copy)(pass, watch)).unwrap()
}

/// All below a root: path, kind, content, time and permissions of files.
fn listing(root: &Path) -> Vec<String> {
    walkdir::WalkDir::new(root)
        .min_depth(1)
        .sort_by_file_name()
        .into_iter()
        .map(|entry| {
            let entry = entry.unwrap();
            let metadata = entry.metadata().unwrap();
            let path = entry.path().strip_prefix(root).unwrap();
            let content = if metadata.is_file() { fs::read(entry.path()).unwrap() } else { Vec::new() };
            let modified = metadata.modified().unwrap();
            format!(
                "{path:?} {:?} {modified:?} {:?} {content:?}",
                metadata.file_type(),
                metadata.permissions()
            )
        })
        .collect()
}

#[test]
fn a_copy_has_content_times_and_permissions_of_its_source() {
    each(|engine| {
        // Windows has no such name.
        let odd = if cfg!(unix) { "line\nbreak" } else { "line break" };
        let trees = Trees::new(&["a", "b c/ü.dat", "b c/deep/er/x", "empty/", odd]);
        fs::write(trees.from.join("large"), vec![7; 3_000_000]).unwrap();
        let mut permissions = fs::metadata(trees.from.join("a")).unwrap().permissions();
        permissions.set_readonly(true);
        fs::set_permissions(trees.from.join("a"), permissions).unwrap();
        filetime::set_file_mtime(trees.from.join("b c"), FileTime::from_unix_time(5, 0)).unwrap();
        let outcome = copied(engine, &trees.pass());
        assert_eq!(listing(&trees.to), listing(&trees.from));
        assert_eq!(outcome.summary.new, Tally { files: 5, bytes: 3_000_000 + 1 + 10 + 13 + 10 });
        assert_eq!((outcome.summary.directories, outcome.summary.directories_created), (5, 5));
        assert_eq!((outcome.source_files, outcome.target_files), (5, 5));
        assert_eq!(outcome.summary.errors, []);
    });
}

#[test]
fn a_second_pass_copies_nothing() {
    each(|engine| {
        let trees = Trees::new(&["a", "b/c", "b/d/e"]);
        copied(engine, &trees.pass());
        let before = listing(&trees.to);
        let summary = copied(engine, &trees.pass()).summary;
        assert_eq!((summary.new.files, summary.changed.files, summary.same.files), (0, 0, 3));
        assert_eq!(summary.directories_created, 0);
        assert_eq!(listing(&trees.to), before);
    });
}

#[cfg(windows)]
#[test]
fn on_windows_a_name_in_another_case_is_the_same_and_keeps_the_targets_spelling() {
    each(|engine| {
        let trees = Trees::new(&["Mail/A.eml", "README", "Changed"]);
        put(&trees.to.join("mail/a.EML"), "Mail/A.eml", 1_000_000);
        put(&trees.to.join("readme"), "README", 1_000_000);
        put(&trees.to.join("CHANGED"), "an old one", 1_000_000);
        let outcome = copied(engine, &CopyPass { extras: Extras::List, ..trees.pass() });
        let summary = &outcome.summary;
        assert_eq!((summary.new.files, summary.changed.files, summary.same.files), (0, 1, 2));
        assert_eq!((outcome.extras.len(), outcome.target_files, &summary.errors), (0, 3, &vec![]));
        let names = |folder: &Path| {
            let entries = fs::read_dir(folder).unwrap();
            let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
            names.sort();
            names
        };
        let mut top = names(&trees.to);
        // Wine keeps the spelling of what is replaced, NTFS takes that of what replaces it.
        assert!(top.remove(0).eq_ignore_ascii_case("changed"));
        assert_eq!(
            (top, names(&trees.to.join("mail"))),
            (vec!["mail".into(), "readme".into()], vec!["a.EML".into()])
        );
        assert_eq!(fs::read_to_string(trees.to.join("Changed")).unwrap(), "Changed");
    });
}

#[test]
fn a_changed_file_is_copied_whether_it_is_newer_or_older() {
    each(|engine| {
        let trees = Trees::new(&["newer", "older", "longer", "same"]);
        copied(engine, &trees.pass());
        put(&trees.from.join("newer"), "NEWER", 2_000_000);
        put(&trees.from.join("older"), "OLDER", 500_000);
        put(&trees.from.join("longer"), "longer by far", 1_000_000);
        let summary = copied(engine, &trees.pass()).summary;
        assert_eq!((summary.new.files, summary.changed.files, summary.same.files), (0, 3, 1));
        assert_eq!(listing(&trees.to), listing(&trees.from));
    });
}

/// Of what the standard library does there, which the portable form rests on, Wine has too little.
#[test]
fn a_read_only_file_of_the_target_is_replaced_and_purged() {
    let engine = &ENGINES[0];
    let trees = Trees::new(&["a", "d/b"]);
    copied(engine, &trees.pass());
    for path in ["a", "d/b", "x", "d/y"] {
        let path = trees.to.join(path);
        put(&path, "old", 5);
        let mut permissions = fs::metadata(&path).unwrap().permissions();
        permissions.set_readonly(true);
        fs::set_permissions(&path, permissions).unwrap();
    }
    let pass = CopyPass { extras: Extras::List, ..trees.pass() };
    let outcome = copied(engine, &pass);
    assert_eq!((outcome.summary.changed.files, outcome.summary.errors.len()), (2, 0));
    let purged = quiet(|watch| (engine.purge)(&pass, &outcome.extras, &Disposal::Delete, watch)).unwrap();
    assert_eq!((purged.files.files, purged.errors.len()), (2, 0));
    assert_eq!(listing(&trees.to), listing(&trees.from));
}

#[test]
fn content_is_compared_only_where_it_is_asked_for() {
    each(|engine| {
        let trees = Trees::new(&["a", "b"]);
        copied(engine, &trees.pass());
        put(&trees.to.join("a"), "X", 1_000_000);
        assert_eq!(copied(engine, &trees.pass()).summary.same.files, 2);
        let pass = CopyPass { compare: Compare::Content, ..trees.pass() };
        let summary = copied(engine, &pass).summary;
        assert_eq!((summary.changed.files, summary.same.files), (1, 1));
        assert_eq!(listing(&trees.to), listing(&trees.from));
    });
}

// On other systems each file is synced before it gets its name.
#[cfg(target_os = "linux")]
#[test]
fn what_was_never_flushed_is_compared_by_content() {
    let engine = &ENGINES[0];
    let trees = Trees::new(&["a", "b", "c"]);
    copied(engine, &trees.pass());
    put(&trees.to.join("a"), "X", 1_000_000);
    let now = Timestamp::now();
    let later = CopyPass { distrust: Some(now + Duration::from_secs(3600)), ..trees.pass() };
    assert_eq!(copied(engine, &later).summary.same.files, 3, "it was written before the doubt began");
    let summary = copied(engine, &CopyPass { distrust: Some(now), ..trees.pass() }).summary;
    assert_eq!((summary.changed.files, summary.same.files), (1, 2));
    assert_eq!(listing(&trees.to), listing(&trees.from));
}

#[test]
fn directories_are_made_as_the_pass_says() {
    each(|engine| {
        let cases = [
            (Directories::All, vec!["a", "d", "d/b", "empty", "only", "only/deep"]),
            (Directories::NonEmpty, vec!["a", "d", "d/b"]),
            (Directories::None, vec!["a"]),
        ];
        for (directories, expected) in cases {
            let trees = Trees::new(&["a", "d/b", "empty/", "only/deep/"]);
            let pass = CopyPass { directories, ..trees.pass() };
            let surveyed = quiet(|watch| (engine.survey)(&pass, watch)).unwrap().outcome.summary;
            assert!(!trees.to.exists(), "a survey writes nothing");
            let summary = copied(engine, &pass).summary;
            assert_eq!(surveyed, summary, "{directories:?}");
            let made: Vec<_> = walkdir::WalkDir::new(&trees.to)
                .min_depth(1)
                .sort_by_file_name()
                .into_iter()
                .map(|entry| entry.unwrap().path().strip_prefix(&trees.to).unwrap().to_owned())
                .collect();
            assert_eq!(made, expected.iter().map(PathBuf::from).collect::<Vec<_>>(), "{directories:?}");
        }
    });
}

#[test]
fn extras_are_listed_as_the_filter_lets_them_in() {
    each(|engine| {
        let trees = Trees::new(&["both", "dir/both"]);
        copied(engine, &trees.pass());
        for path in
            ["x", "dir/y", "gone/a", "gone/deep/b", "mixed/c", "mixed/k.fdb", "temp/t", "k.fdb", "void/"]
        {
            put(&trees.to.join(path), "12", 1);
        }
        let rules = Rules {
            exclude: vec!["*.fdb".into()],
            exclude_directories: vec!["temp".into()],
            ..Rules::default()
        };
        let pass = CopyPass { extras: Extras::List, filter: Filter::new(rules).unwrap(), ..trees.pass() };
        let outcome = copied(engine, &pass);
        let listed: Vec<_> = outcome.extras.iter().map(|entry| names::shown(&entry.path)).collect();
        let expected = ["dir/y", "gone/a", "gone/deep/b", "gone/deep", "gone", "mixed/c", "void", "x"];
        assert_eq!(listed, expected);
        assert_eq!(outcome.summary.kept, Tally::default());
        let kept = copied(engine, &CopyPass { extras: Extras::Keep, ..pass }).summary.kept;
        assert_eq!(kept, Tally { files: 5, bytes: 10 });
        assert_eq!(outcome.summary.extra_filtered, Tally { files: 3, bytes: 6 });
        assert_eq!(outcome.target_files, 10);
    });
}

#[test]
fn what_lies_below_the_depth_is_neither_copied_nor_listed_for_a_purge() {
    each(|engine| {
        let trees = Trees::new(&["a", "d/b", "d/e/c", "d/e/f/g", "h/i/j"]);
        for path in ["x", "d/y", "d/e/z", "gone/a", "gone/deep/b", "gone/void/"] {
            put(&trees.to.join(path), "12", 1);
        }
        let rules = Rules { max_depth: Some(2), ..Rules::default() };
        let pass = CopyPass { extras: Extras::List, filter: Filter::new(rules).unwrap(), ..trees.pass() };
        let outcome = copied(engine, &pass);
        let listed: Vec<_> = outcome.extras.iter().map(|entry| names::shown(&entry.path)).collect();
        assert_eq!(listed, ["d/y", "gone/a", "x"]);
        assert_eq!(outcome.summary.extra_filtered, Tally { files: 1, bytes: 2 });
        // `d/e` and `h/i`, once each; what is in them is not seen.
        let filtered = outcome.summary.filtered;
        assert_eq!(
            filtered.into_iter().collect::<Vec<_>>(),
            [(Rule::MaxDepth, Tally { files: 2, bytes: 0 })]
        );
        assert_eq!(outcome.summary.new.files, 2);
        assert!(trees.to.join("h").is_dir() && !trees.to.join("h/i").exists());
        assert!(trees.to.join("d/e/z").exists() && !trees.to.join("d/e/c").exists());
        let proof = VerifyPass { filter: pass.filter.clone(), extra: Extra::Ignore, ..trees.verify_pass() };
        let verified = quiet(|watch| (engine.verify)(&proof, watch)).unwrap();
        assert!(verified.is_clean() && verified.equal == 2, "{verified:?}");
    });
}

#[test]
fn a_pass_with_a_limit_takes_its_time_and_one_that_is_stopped_does_not_wait_for_it() {
    each(|engine| {
        let trees = Trees::new(&[]);
        let large = "x".repeat(300_000);
        ["a", "b", "c"].into_iter().for_each(|name| put(&trees.from.join(name), &large, 1));
        let pass = CopyPass { bandwidth: Some("1MiB".parse().unwrap()), ..trees.pass() };
        let begun = Instant::now();
        assert_eq!(copied(engine, &pass).summary.new.files, 3);
        // 900 kB, of which the last block is owed and a tenth of a second's worth may have been saved.
        assert!(begun.elapsed() >= Duration::from_millis(500));
        fs::remove_dir_all(&trees.to).unwrap();
        let cancel = Cancel::new();
        let stop = |progress: Progress| {
            if progress.files_known > 0 {
                cancel.request();
            }
        };
        let pass = CopyPass { bandwidth: Some("1KiB".parse().unwrap()), ..trees.pass() };
        let result = (engine.copy)(&pass, &Watch { progress: &stop, cancel: &cancel, account: None });
        assert!(matches!(result, Err(PassError::Interrupted)), "{result:?}");
    });
}

#[test]
fn a_purge_takes_the_extras_and_nothing_else() {
    each(|engine| {
        for disposal in ["quarantine", "delete"] {
            let trees = Trees::new(&["both", "dir/both"]);
            copied(engine, &trees.pass());
            let whole = listing(&trees.to);
            for path in ["x", "dir/y", "gone/a", "gone/deep/b"] {
                put(&trees.to.join(path), path, 1);
            }
            filetime::set_file_mtime(trees.to.join("dir"), FileTime::from_unix_time(7, 0)).unwrap();
            let pass = CopyPass { extras: Extras::List, ..trees.pass() };
            let extras = copied(engine, &pass).extras;
            let place = trees.folder.path().join("kept");
            let disposal = match disposal {
                "delete" => Disposal::Delete,
                _ => Disposal::Quarantine(place.clone()),
            };
            let purged = quiet(|watch| (engine.purge)(&pass, &extras, &disposal, watch)).unwrap();
            assert_eq!(purged.errors, []);
            assert_eq!((purged.files.files, purged.directories), (4, 2));
            assert_eq!(listing(&trees.to), whole);
            if disposal != Disposal::Delete {
                for path in ["x", "dir/y", "gone/a", "gone/deep/b"] {
                    assert_eq!(fs::read_to_string(place.join(path)).unwrap(), path);
                }
            }
        }
    });
}

/// The niceness of the calling thread.
#[cfg(target_os = "linux")]
fn niceness() -> i32 {
    let status = fs::read_to_string("/proc/thread-self/stat").unwrap();
    let after_name = status.rsplit_once(')').unwrap().1;
    after_name.split_whitespace().nth(16).unwrap().parse().unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn a_purge_gives_way_as_its_pass_does_and_what_follows_it_does_not() {
    use crate::copy::Engine as _;
    let own = niceness();
    for (priority, expected) in [(Priority::Gentle, own.max(10)), (Priority::Normal, own)] {
        let trees = Trees::new(&["both"]);
        put(&trees.to.join("x"), "x", 1);
        let pass = CopyPass { extras: Extras::List, priority, ..trees.pass() };
        let extras = quiet(|watch| Native.copy(&pass, watch)).unwrap().extras;
        let seen = std::sync::Mutex::new(Vec::new());
        let (tell, cancel) = (|_: Progress| seen.lock().unwrap().push(niceness()), Cancel::new());
        let watch = Watch { progress: &tell, cancel: &cancel, account: None };
        let purged = Native.purge(&pass, &extras, &Disposal::Delete, &watch).unwrap();
        assert_eq!((purged.files.files, niceness()), (1, own));
        assert_eq!(seen.into_inner().unwrap(), [expected], "{priority:?}");
    }
}

#[test]
fn a_purge_looks_again_at_each_entry() {
    each(|engine| {
        let trees = Trees::new(&["both"]);
        copied(engine, &trees.pass());
        for path in ["came", "turned", "filled/old", "gone", "rewritten"] {
            put(&trees.to.join(path), path, 1);
        }
        let pass = CopyPass { extras: Extras::List, ..trees.pass() };
        let extras = copied(engine, &pass).extras;
        put(&trees.from.join("came"), "now in the source", 1);
        fs::remove_file(trees.to.join("turned")).unwrap();
        fs::create_dir(trees.to.join("turned")).unwrap();
        put(&trees.to.join("filled/new"), "new", 1);
        fs::remove_file(trees.to.join("gone")).unwrap();
        put(&trees.to.join("rewritten"), "by somebody else, meanwhile", 1);
        let purged = quiet(|watch| (engine.purge)(&pass, &extras, &Disposal::Delete, watch)).unwrap();
        let errors: Vec<_> = purged.errors.iter().map(|error| (error.path.as_str(), error.class)).collect();
        let expected = [
            ("came", ErrorClass::Permanent),
            ("filled", ErrorClass::Permanent),
            ("gone", ErrorClass::Vanished),
            ("rewritten", ErrorClass::Permanent),
            ("turned", ErrorClass::Permanent),
        ];
        assert_eq!(errors, expected);
        assert_eq!(purged.files.files, 1);
        assert!(trees.to.join("came").exists() && trees.to.join("turned").is_dir());
        assert!(trees.to.join("filled/new").exists());
        assert!(trees.to.join("rewritten").exists());
    });
}

#[test]
fn nothing_in_a_quarantine_is_replaced_and_no_pass_looks_into_it() {
    each(|engine| {
        let trees = Trees::new(&["both"]);
        let place = trees.to.join(".movebook-quarantine/run");
        let pass = CopyPass { extras: Extras::List, ..trees.pass() };
        for content in ["first", "second"] {
            put(&trees.to.join("x"), content, 1);
            let extras = copied(engine, &pass).extras;
            assert_eq!(extras.len(), 1);
            let disposal = Disposal::Quarantine(place.clone());
            quiet(|watch| (engine.purge)(&pass, &extras, &disposal, watch)).unwrap();
        }
        assert_eq!(fs::read_to_string(place.join("x")).unwrap(), "first");
        assert_eq!(fs::read_to_string(place.join("x~1")).unwrap(), "second");
        let outcome = copied(engine, &pass);
        assert_eq!((outcome.extras.len(), outcome.target_files, outcome.summary.kept.files), (0, 1, 0));
        assert!(quiet(|watch| (engine.verify)(&trees.verify_pass(), watch)).unwrap().is_clean());
    });
}

#[test]
fn what_a_killed_pass_left_is_removed_and_never_counted() {
    each(|engine| {
        let trees = Trees::new(&["a", ".movebook-0123456789abcdef-00000001.part"]);
        for path in ["", "extra/"] {
            let left = format!("{path}.movebook-0123456789abcdef-0000000a.part");
            put(&trees.to.join(left), "half", 1);
        }
        let pass = CopyPass { extras: Extras::List, ..trees.pass() };
        let surveyed = quiet(|watch| (engine.survey)(&pass, watch)).unwrap().outcome;
        assert_eq!(fs::read_dir(trees.to.join("extra")).unwrap().count(), 1, "a survey removes nothing");
        let outcome = copied(engine, &pass);
        assert_eq!((outcome.source_files, outcome.target_files), (1, 1));
        assert_eq!(outcome.extras, surveyed.extras);
        assert_eq!(outcome.extras.len(), 1);
        let left: Vec<_> = listing(&trees.to);
        assert_eq!(left.len(), 2, "{left:?}");
    });
}

#[test]
fn a_directory_that_a_killed_pass_was_filling_is_removed_and_filled_anew() {
    each(|engine| {
        let trees = Trees::new(&["dir/a", "dir/b"]);
        let left = trees.to.join(".movebook-0123456789abcdef-0000000a.part");
        put(&left.join("a"), "ha", 1);
        put(&left.join("deeper/b"), "half", 1);
        let pass = CopyPass { extras: Extras::List, ..trees.pass() };
        quiet(|watch| (engine.survey)(&pass, watch)).unwrap();
        assert!(left.exists(), "a survey removes nothing");
        let outcome = copied(engine, &pass);
        assert_eq!((outcome.summary.new.files, outcome.target_files, outcome.extras.len()), (2, 2, 0));
        assert_eq!(listing(&trees.from), listing(&trees.to));
    });
}

#[test]
fn a_stopped_pass_leaves_whole_files_under_their_own_names() {
    each(|engine| {
        let files: Vec<String> = (0..1500).map(|number| format!("dir{}/{number}", number % 6)).collect();
        let trees = Trees::new(&files.iter().map(String::as_str).collect::<Vec<_>>());
        // A pass may be through before it is stopped: then it is done once more.
        let stopped_half_way = (0..50).any(|_| {
            fs::remove_dir_all(&trees.to).unwrap_or_default();
            let cancel = Cancel::new();
            let result = std::thread::scope(|scope| {
                scope.spawn(|| {
                    while walkdir::WalkDir::new(&trees.to).into_iter().count() < 100 {
                        std::thread::yield_now();
                    }
                    cancel.request();
                });
                (engine.copy)(&trees.pass(), &Watch { progress: &|_| {}, cancel: &cancel, account: None })
            });
            let copied = listing(&trees.to);
            let whole = listing(&trees.from);
            for file in copied.iter().filter(|file| file.contains("is_file: true")) {
                assert!(whole.contains(file), "{file}");
            }
            matches!(result, Err(PassError::Interrupted)) && copied.len() > 6
        });
        assert!(stopped_half_way, "no pass could be stopped half-way");
    });
}

/// A name waits while the one that leads is copied; the one that leads goes away before its turn comes.
#[cfg(target_os = "linux")]
#[test]
fn a_name_whose_leader_vanishes_is_copied_all_the_same() {
    use crate::copy::Preserved;
    let trees = Trees::new(&[]);
    fs::write(trees.from.join("a"), vec![1; 2 << 20]).unwrap();
    fs::hard_link(trees.from.join("a"), trees.from.join("b")).unwrap();
    // One worker takes the newest job first: this one, slowly, and then the leader.
    fs::write(trees.from.join("c"), vec![2; 4 << 20]).unwrap();
    for name in ["a", "c"] {
        filetime::set_file_mtime(trees.from.join(name), FileTime::from_unix_time(1_000_000, 0)).unwrap();
    }
    let pass = CopyPass {
        preserve: Preserve::default().with(Preserved::HardLinks),
        bandwidth: Some("2MiB".parse().unwrap()),
        threads: 1,
        ..trees.pass()
    };
    let outcome = std::thread::scope(|scope| {
        scope.spawn(|| {
            while fs::read_dir(&trees.to).map_or(0, Iterator::count) == 0 {
                std::thread::yield_now();
            }
            fs::remove_file(trees.from.join("a")).unwrap();
        });
        quiet(|watch| copy::<Here>(&pass, watch)).unwrap()
    });
    assert_eq!((outcome.summary.vanished, outcome.summary.new.files), (1, 2), "{outcome:?}");
    assert_eq!(fs::read(trees.to.join("b")).unwrap(), vec![1; 2 << 20]);
}

#[test]
fn a_file_and_a_directory_in_each_others_place_are_errors_and_stay() {
    each(|engine| {
        let trees = Trees::new(&["file", "dir/inside", "fine"]);
        put(&trees.to.join("file/inside"), "x", 1);
        put(&trees.to.join("dir"), "x", 1);
        let outcome = copied(engine, &CopyPass { extras: Extras::List, ..trees.pass() });
        let errors: Vec<_> =
            outcome.summary.errors.iter().map(|error| (error.path.as_str(), error.class)).collect();
        assert_eq!(errors, [("dir/", ErrorClass::Permanent), ("file", ErrorClass::Permanent)]);
        assert_eq!((outcome.summary.failed.files, outcome.summary.new.files), (2, 1));
        assert_eq!(outcome.extras, []);
        assert!(trees.to.join("file/inside").exists() && trees.to.join("dir").is_file());
    });
}

#[test]
fn a_filter_decides_what_takes_part() {
    each(|engine| {
        let trees = Trees::new(&["a.dat", "index.dat", "b.fdb", "temp/c.dat", "d/e.dat"]);
        let rules = Rules {
            include: vec!["*.dat".into()],
            exclude: vec!["index*".into()],
            exclude_directories: vec!["temp".into()],
            max_size: Some(5),
            ..Rules::default()
        };
        let pass = CopyPass { filter: Filter::new(rules).unwrap(), ..trees.pass() };
        let summary = copied(engine, &pass).summary;
        assert_eq!(summary.new, Tally { files: 1, bytes: 5 });
        let filtered: Vec<_> = summary.filtered.iter().map(|(rule, tally)| (*rule, tally.files)).collect();
        let expected =
            [(Rule::Include, 1), (Rule::Exclude, 1), (Rule::ExcludeDirectories, 1), (Rule::MaxSize, 1)];
        assert_eq!(filtered, expected);
        assert!(!trees.to.join("temp").exists());
    });
}

#[test]
fn a_missing_root_ends_the_pass_with_its_path_and_a_hint() {
    each(|engine| {
        let trees = Trees::new(&[]);
        fs::remove_dir(&trees.from).unwrap();
        let Err(PassError::Fatal { path, hint, .. }) = quiet(|watch| (engine.copy)(&trees.pass(), watch))
        else {
            panic!("a pass without a source must end");
        };
        assert!(Path::new(&path).ends_with("from") && !hint.is_empty());
        assert!(!trees.to.exists());
    });
}

#[test]
fn a_cancelled_pass_says_so_and_leaves_no_temporary_file() {
    each(|engine| {
        let trees = Trees::new(&[]);
        fs::write(trees.from.join("large"), vec![1; 64 << 20]).unwrap();
        let cancel = Cancel::new();
        let watch = Watch { progress: &|_| {}, cancel: &cancel, account: None };
        let result = std::thread::scope(|scope| {
            scope.spawn(|| {
                while !fs::read_dir(&trees.to).is_ok_and(|mut entries| entries.next().is_some()) {
                    std::thread::yield_now();
                }
                cancel.request();
            });
            (engine.copy)(&trees.pass(), &watch)
        });
        assert!(matches!(result, Err(PassError::Interrupted)));
        assert_eq!(listing(&trees.to), [""; 0]);
    });
}

#[test]
fn progress_ends_with_all_that_was_known() {
    each(|engine| {
        let trees = Trees::new(&["a", "b/c", "d"]);
        let last = std::sync::Mutex::new(crate::copy::Progress::default());
        let cancel = Cancel::new();
        let watch =
            Watch { progress: &|progress| *last.lock().unwrap() = progress, cancel: &cancel, account: None };
        (engine.copy)(&trees.pass(), &watch).unwrap();
        let last = last.into_inner().unwrap();
        assert_eq!((last.files_done, last.files_known, last.bytes_done, last.bytes_known), (3, 3, 5, 5));
        assert!(last.listed);
    });
}

#[test]
fn a_survey_counts_what_a_copy_then_does() {
    each(|engine| {
        let trees = Trees::new(&["a", "b/c", "d", "e/f"]);
        copied(engine, &trees.pass());
        put(&trees.from.join("a"), "changed", 5);
        put(&trees.from.join("new/large"), "large large", 5);
        put(&trees.to.join("extra/x"), "x", 5);
        let pass = CopyPass { extras: Extras::List, ..trees.pass() };
        let before = listing(trees.folder.path());
        let survey = quiet(|watch| (engine.survey)(&pass, watch)).unwrap();
        assert_eq!(listing(trees.folder.path()), before);
        assert_eq!(survey.largest, [("new/large".to_owned(), 11), ("a".to_owned(), 7)]);
        let outcome = copied(engine, &pass);
        assert_eq!(survey.outcome.summary, outcome.summary);
        assert_eq!(survey.outcome.extras, outcome.extras);
        assert_eq!(survey.outcome.target_files, outcome.target_files);
        assert_eq!(outcome.extras.last().map(|entry| entry.kind), Some(EntryKind::Directory));
    });
}

#[test]
fn times_before_the_epoch_are_kept() {
    each(|engine| {
        let trees = Trees::new(&[]);
        put(&trees.from.join("old"), "old", -86_401);
        copied(engine, &trees.pass());
        let modified = fs::metadata(trees.to.join("old")).unwrap().modified().unwrap();
        assert_eq!(modified, fs::metadata(trees.from.join("old")).unwrap().modified().unwrap());
        assert!(modified < SystemTime::UNIX_EPOCH);
        assert_eq!(copied(engine, &trees.pass()).summary.same.files, 1);
    });
}

#[test]
fn what_cannot_be_carried_over_is_refused_before_anything_is_made() {
    each(|engine| {
        for thing in [Preserved::Owner, Preserved::Xattrs, Preserved::Acls, Preserved::HardLinks] {
            let possible = engine.name == "own" && Here::PRESERVED.contains(&thing);
            let trees = Trees::new(&["a"]);
            let pass = CopyPass { preserve: [thing].into_iter().collect(), ..trees.pass() };
            let surveyed = quiet(|watch| (engine.survey)(&pass, watch));
            let copied = quiet(|watch| (engine.copy)(&pass, watch));
            assert_eq!((surveyed.is_ok(), copied.is_ok()), (possible, possible), "{thing:?}");
            if let Err(PassError::Fatal { what, hint, .. }) = copied {
                assert!(what.contains("preserve") && hint.contains("leave `"), "{what}; {hint}");
            }
            assert_eq!(trees.to.exists(), possible, "{thing:?}");
        }
    });
}

//! Owner, permissions, extended attributes, access lists and hard links, on real file systems.
#![cfg(target_os = "linux")]

mod against_rsync;
mod hard_links;
mod listing;
mod while_it_runs;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, lchown, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use filetime::FileTime;
use jiff::Timestamp;
use movebook::cancel::Cancel;
use movebook::copy::native::Native;
use movebook::copy::{
    Compare, CopyPass, Directories, Engine, ErrorClass, Extras, Links, OnErrors, PassError, PassOutcome,
    PassSummary, Preserve, Preserved, Priority, Survey, Watch,
};
use movebook::filter::Filter;

use listing::{ACCESS, CAPABILITY, DEFAULT, access_list, capability, entry, set};

const ALL: [Preserved; 4] = [Preserved::Owner, Preserved::Xattrs, Preserved::Acls, Preserved::HardLinks];

struct Trees {
    folder: tempfile::TempDir,
    from: PathBuf,
    to: PathBuf,
}

impl Trees {
    fn new() -> Self {
        Self::below(&std::env::temp_dir())
    }

    fn below(place: &Path) -> Self {
        let folder = tempfile::tempdir_in(place).unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::create_dir(&from).unwrap();
        Self { folder, from, to }
    }

    /// Makes a file of the source whose content is its path, with an old time.
    fn put(&self, path: &str) -> PathBuf {
        let place = self.from.join(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(&place, path).unwrap();
        filetime::set_file_mtime(&place, FileTime::from_unix_time(1_000_000, 123_456_789)).unwrap();
        place
    }

    fn pass(&self, preserve: &[Preserved]) -> CopyPass {
        pass(&self.from, &self.to, preserve)
    }
}

fn pass(from: &Path, to: &Path, preserve: &[Preserved]) -> CopyPass {
    CopyPass {
        from: from.into(),
        to: to.into(),
        filter: Filter::everything(),
        started: Timestamp::now(),
        directories: Directories::All,
        errors: OnErrors::Fail,
        retries: 1,
        wait: Duration::from_millis(10),
        threads: 4,
        compare: Compare::Metadata,
        mtime_tolerance: None,
        links: Links::Copy,
        preserve: preserve.iter().copied().collect::<Preserve>(),
        bandwidth: None,
        priority: Priority::Normal,
        resume_over: CopyPass::RESUME_OVER,
        extras: Extras::Keep,
        distrust: None,
    }
}

fn run(pass: &CopyPass) -> Result<PassOutcome, PassError> {
    loop {
        match Native.copy(pass, &Watch { progress: &|_| {}, cancel: &Cancel::new(), account: None }) {
            // A program that another test starts has this process's handles, and with them the target's lock of the pass
            // before, until it is itself.
            Err(PassError::Fatal { what, .. }) if what == "another pass is at work in the target" => {
                std::thread::yield_now();
            }
            result => return result,
        }
    }
}

fn copied(pass: &CopyPass) -> PassSummary {
    let summary = run(pass).unwrap().summary;
    assert_eq!(summary.errors, []);
    summary
}

fn surveyed(pass: &CopyPass) -> Survey {
    Native.survey(pass, &Watch { progress: &|_| {}, cancel: &Cancel::new(), account: None }).unwrap()
}

/// What was copied, what was the same, and what of that was mended.
fn counts(summary: &PassSummary) -> (u64, u64, u64, u64) {
    (summary.new.files, summary.changed.files, summary.same.files, summary.attributes_mended)
}

/// Whether this process is root; says that the test proves nothing if not.
fn is_root(fact: &str) -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        eprintln!("not proven here: {fact}: only root may give files away");
    }
    root
}

/// Ends another thread's loop, also where an assertion fails.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A file system of its own that goes with the test.
struct Mounted(tempfile::TempDir);

impl Mounted {
    fn new(kind: &str, fact: &str) -> Option<Self> {
        let place = tempfile::tempdir().unwrap();
        let mount = std::process::Command::new("mount").args(["-t", kind, kind]).arg(place.path()).output();
        match mount {
            Ok(output) if output.status.success() => Some(Self(place)),
            result => {
                eprintln!("not proven here: {fact}: {kind} cannot be mounted: {result:?}");
                None
            }
        }
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // What stays mounted is seen by the removal of the folder, which fails.
        let _ = std::process::Command::new("umount").arg(self.0.path()).status();
    }
}

/// Runs as a user who is nobody: root may do what permissions forbid.
fn as_nobody<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            if rustix::process::geteuid().is_root() {
                // Only this thread, and those that it starts, change.
                rustix::thread::set_thread_uid(rustix::process::Uid::from_raw(65534)).unwrap();
            }
            work()
        });
        thread.join().unwrap()
    })
}

fn give_to_nobody(root: &Path) {
    if rustix::process::geteuid().is_root() {
        for entry in walkdir::WalkDir::new(root) {
            lchown(entry.unwrap().path(), Some(65534), None).unwrap();
        }
    }
}

fn permissions(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

#[test]
fn permissions_that_alone_differ_are_mended_without_a_copy() {
    let trees = Trees::new();
    for path in ["a", "b"] {
        permissions(&trees.put(path), 0o644);
    }
    copied(&trees.pass(&[]));
    let before = fs::metadata(trees.to.join("a")).unwrap();
    permissions(&trees.from.join("a"), 0o600);
    permissions(&trees.to.join("b"), 0o4755);
    let predicted = surveyed(&trees.pass(&[])).outcome.summary;
    assert_eq!(mode(&trees.to.join("a")), 0o644, "a survey changes nothing");
    let summary = copied(&trees.pass(&[]));
    assert_eq!(counts(&summary), (0, 0, 2, 2));
    assert_eq!(predicted, summary);
    assert_eq!((mode(&trees.to.join("a")), mode(&trees.to.join("b"))), (0o600, 0o644));
    let after = fs::metadata(trees.to.join("a")).unwrap();
    assert_eq!((after.ino(), after.modified().unwrap()), (before.ino(), before.modified().unwrap()));
    assert_eq!(counts(&copied(&trees.pass(&[]))), (0, 0, 2, 0));
}

#[test]
fn set_id_bits_go_with_the_owner_alone() {
    if !is_root("set-id bits") {
        return;
    }
    let trees = Trees::new();
    let tool = trees.put("tool");
    chown(&tool, Some(1234), Some(5678)).unwrap();
    permissions(&tool, 0o6755);
    copied(&trees.pass(&[]));
    assert_eq!((mode(&trees.to.join("tool")), entry(&trees.to.join("tool")).owner), (0o755, (0, 0)));
    assert_eq!(counts(&copied(&trees.pass(&[]))), (0, 0, 1, 0), "what is not kept does not differ");
    let mended = copied(&trees.pass(&[Preserved::Owner]));
    assert_eq!(counts(&mended), (0, 0, 1, 1));
    assert_eq!((mode(&trees.to.join("tool")), entry(&trees.to.join("tool")).owner), (0o6755, (1234, 5678)));
    fs::remove_file(trees.to.join("tool")).unwrap();
    copied(&trees.pass(&[Preserved::Owner]));
    assert_eq!(entry(&trees.to.join("tool")), entry(&tool));
}

#[test]
fn all_that_is_asked_for_arrives_with_a_new_file_and_is_mended_on_an_old_one() {
    if !is_root("everything at once") {
        return;
    }
    for place in [std::env::temp_dir(), PathBuf::from("/dev/shm")] {
        let trees = Trees::below(&place);
        let file = trees.put("folder/file");
        let folder = trees.from.join("folder");
        symlink("nowhere", trees.from.join("link")).unwrap();
        let dress = |user: u32| {
            for path in [&file, &folder, &trees.from] {
                chown(path, Some(user), Some(user + 1)).unwrap();
                permissions(path, 0o2750);
                set(path, "user.note", user.to_string().as_bytes());
                set(path, "user.empty", b"");
                set(path, "trusted.note", b"of the system");
                set(path, ACCESS, &access_list(user, 5));
            }
            set(&folder, DEFAULT, &access_list(user, 7));
            set(&file, CAPABILITY, &capability());
            lchown(trees.from.join("link"), Some(user), Some(user)).unwrap();
            set(&trees.from.join("link"), "trusted.note", user.to_string().as_bytes());
            let time = FileTime::from_unix_time(user.into(), 987_654_321);
            filetime::set_symlink_file_times(trees.from.join("link"), time, time).unwrap();
            filetime::set_file_mtime(&folder, time).unwrap();
        };
        dress(1000);
        let summary = copied(&trees.pass(&ALL));
        assert_eq!(counts(&summary), (1, 0, 0, 0));
        assert_eq!(listing::tree(&trees.to), listing::tree(&trees.from));
        assert_eq!(counts(&copied(&trees.pass(&ALL))), (0, 0, 1, 0));
        let inode = fs::metadata(trees.to.join("folder/file")).unwrap().ino();
        dress(2000);
        set(&trees.to.join("folder/file"), "user.extra", b"of the target alone");
        set(&trees.to.join("folder"), "user.extra", b"of the target alone");
        assert_eq!(counts(&copied(&trees.pass(&ALL))), (0, 0, 1, 1));
        assert_eq!(listing::tree(&trees.to), listing::tree(&trees.from));
        assert_eq!(fs::metadata(trees.to.join("folder/file")).unwrap().ino(), inode);
        rustix::fs::removexattr(&file, ACCESS).unwrap();
        rustix::fs::removexattr(&folder, DEFAULT).unwrap();
        copied(&trees.pass(&ALL));
        assert_eq!(listing::tree(&trees.to), listing::tree(&trees.from));
    }
}

#[test]
fn nothing_is_carried_over_unasked() {
    if !is_root("owners and attributes that are not asked for") {
        return;
    }
    let trees = Trees::new();
    let file = trees.put("file");
    chown(&file, Some(1234), Some(1234)).unwrap();
    set(&file, "user.note", b"1");
    set(&file, ACCESS, &access_list(1000, 5));
    copied(&trees.pass(&[]));
    let copy = entry(&trees.to.join("file"));
    assert_eq!((copy.owner, copy.attributes.len()), ((0, 0), 0));
    assert_eq!(counts(&copied(&trees.pass(&[]))), (0, 0, 1, 0));
    copied(&trees.pass(&[Preserved::Acls]));
    assert_eq!(entry(&trees.to.join("file")).attributes.keys().collect::<Vec<_>>(), [ACCESS]);
    set(&trees.to.join("file"), "user.own", b"of the target");
    copied(&trees.pass(&[Preserved::Acls]));
    assert!(
        entry(&trees.to.join("file")).attributes.contains_key("user.own"),
        "not asked for, so not removed"
    );
}

#[test]
fn a_file_with_a_name_that_the_pass_does_not_know_is_copied_anew_and_the_other_name_keeps_what_it_has() {
    let trees = Trees::new();
    permissions(&trees.put("file"), 0o640);
    copied(&trees.pass(&[]));
    let snapshot = trees.folder.path().join("snapshot");
    fs::hard_link(trees.to.join("file"), &snapshot).unwrap();
    permissions(&trees.from.join("file"), 0o600);
    for preserve in [&[][..], &[Preserved::HardLinks][..]] {
        let summary = run(&trees.pass(preserve)).unwrap().summary;
        assert_eq!(mode(&snapshot), 0o640);
        assert_eq!(mode(&trees.to.join("file")), 0o600);
        assert_eq!(counts(&summary), if preserve.is_empty() { (0, 1, 0, 0) } else { (0, 0, 1, 0) });
    }
}

#[test]
fn a_target_that_stores_no_attributes_fails_each_file_that_has_some_and_says_what_to_do() {
    let fact = "a target without attributes";
    if !is_root(fact) {
        return;
    }
    let Some(target) = Mounted::new("ramfs", fact) else { return };
    let trees = Trees::new();
    set(&trees.put("with"), "user.note", b"1");
    set(&trees.put("listed"), ACCESS, &access_list(1000, 4));
    trees.put("without");
    let pass = pass(&trees.from, &target.0.path().join("to"), &[Preserved::Xattrs, Preserved::Acls]);
    let summary = run(&pass).unwrap().summary;
    let errors: Vec<_> = summary.errors.iter().map(|error| (error.path.as_str(), error.class)).collect();
    assert_eq!(errors, [("listed", ErrorClass::Permanent), ("with", ErrorClass::Permanent)]);
    assert_eq!((summary.failed.files, summary.new.files), (2, 1));
    assert!(summary.errors[0].error.contains("access list") && summary.errors[0].error.contains("`acls`"));
    assert!(
        summary.errors[1].error.contains("extended attributes")
            && summary.errors[1].error.contains("`xattrs`")
    );
    let names: Vec<_> = fs::read_dir(&pass.to).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["without"], "no copy is without what was asked for");
    let again = CopyPass { preserve: Preserve::NOTHING_MORE, ..pass };
    assert_eq!(counts(&copied(&again)), (2, 0, 1, 0));
}

#[test]
fn an_attribute_too_large_for_the_target_is_that_files_error_and_ends_no_pass() {
    let fact = "an attribute too large for the target";
    if !is_root(fact) {
        return;
    }
    let large = vec![7; 20_000];
    let source = Trees::below(Path::new("/dev/shm"));
    let probe = source.put("large");
    if rustix::fs::setxattr(&probe, "user.large", &large, rustix::fs::XattrFlags::empty()).is_err() {
        eprintln!("not proven here: {fact}: this tmpfs stores none so large");
        return;
    }
    source.put("small");
    let target = Trees::new();
    let summary = run(&pass(&source.from, &target.to, &[Preserved::Xattrs])).unwrap().summary;
    if summary.new.files == 2 {
        eprintln!("not proven here: {fact}: this target stores it");
        return;
    }
    assert_eq!(summary.new.files, 1);
    assert_eq!((summary.errors[0].path.as_str(), summary.errors[0].class), ("large", ErrorClass::Permanent));
    assert!(summary.errors[0].error.contains("user.large"), "{}", summary.errors[0].error);
}

#[test]
fn who_may_not_give_files_away_is_told_so() {
    if !is_root("an owner that may not be given") {
        return;
    }
    let trees = Trees::new();
    permissions(&trees.put("file"), 0o644);
    permissions(&trees.from, 0o755);
    let own = trees.put("own");
    chown(&own, Some(65534), Some(0)).unwrap();
    permissions(trees.folder.path(), 0o777);
    let pass = trees.pass(&[Preserved::Owner]);
    let summary = as_nobody(|| run(&pass).unwrap().summary);
    let errors: Vec<_> = summary.errors.iter().map(|error| (error.path.as_str(), error.class)).collect();
    assert_eq!(errors, [("/", ErrorClass::Denied), ("file", ErrorClass::Denied)]);
    assert!(summary.errors[1].error.contains("run as root, or leave `owner` out of `preserve`"));
    assert_eq!(summary.new.files, 1, "one's own files can be kept one's own");
}

#[test]
fn an_unprivileged_user_keeps_attributes_of_read_only_files_and_folders() {
    let trees = Trees::new();
    let file = trees.put("folder/file");
    set(&file, "user.note", b"1");
    set(&trees.from.join("folder"), "user.note", b"1");
    permissions(&file, 0o400);
    permissions(&trees.from.join("folder"), 0o500);
    give_to_nobody(trees.folder.path());
    let pass = trees.pass(&[Preserved::Xattrs, Preserved::Acls]);
    as_nobody(|| {
        assert_eq!(counts(&copied(&pass)), (1, 0, 0, 0));
        assert_eq!(listing::tree(&trees.to.join("folder")), listing::tree(&trees.from.join("folder")));
        permissions(&file, 0o600);
        set(&file, "user.note", b"2");
        permissions(&file, 0o400);
        assert_eq!(counts(&copied(&pass)), (0, 0, 1, 1));
        assert_eq!(listing::tree(&trees.to.join("folder")), listing::tree(&trees.from.join("folder")));
        for path in [&trees.from, &trees.to] {
            permissions(&path.join("folder"), 0o700);
        }
    });
}

#[test]
fn an_unprivileged_user_removes_what_a_killed_pass_left_with_its_read_only_folders() {
    let trees = Trees::new();
    trees.put("file");
    let leftover = trees.to.join(".movebook-0123456789abcdef-00000001.part");
    let inner = leftover.join("outer/middle/inner");
    fs::create_dir_all(&inner).unwrap();
    fs::write(inner.join("file"), "file").unwrap();
    give_to_nobody(trees.folder.path());
    for folder in [inner.as_path(), inner.parent().unwrap(), &leftover.join("outer"), &leftover] {
        permissions(folder, 0o555);
    }
    as_nobody(|| assert_eq!(counts(&copied(&trees.pass(&[]))), (1, 0, 0, 0)));
    assert!(!leftover.exists());
}

#[test]
fn a_link_planted_in_the_place_of_a_file_is_replaced_and_what_it_leads_to_keeps_its_permissions() {
    let trees = Trees::new();
    let canary = trees.folder.path().join("canary");
    fs::write(&canary, "file").unwrap();
    permissions(&canary, 0o640);
    let file = trees.put("file");
    permissions(&file, 0o600);
    let time = FileTime::from_last_modification_time(&fs::metadata(&file).unwrap());
    filetime::set_file_mtime(&canary, time).unwrap();
    fs::create_dir(&trees.to).unwrap();
    for plant in ["symbolic", "hard"] {
        match plant {
            "hard" => fs::hard_link(&canary, trees.to.join("file")).unwrap(),
            _ => symlink(&canary, trees.to.join("file")).unwrap(),
        }
        assert_eq!(counts(&copied(&trees.pass(&[]))), (0, 1, 0, 0), "{plant}");
        assert_eq!((mode(&canary), mode(&trees.to.join("file"))), (0o640, 0o600), "{plant}");
        fs::remove_file(trees.to.join("file")).unwrap();
    }
}

#[test]
fn what_the_run_makes_is_never_open_to_more_than_its_source_is() {
    let trees = Trees::new();
    permissions(&trees.from, 0o700);
    fs::create_dir(trees.from.join("folder")).unwrap();
    permissions(&trees.from.join("folder"), 0o710);
    fs::write(trees.from.join("folder/large"), vec![1; 64 << 20]).unwrap();
    let folder = trees.to.join("folder");
    let over = AtomicBool::new(false);
    let widest = std::thread::scope(|scope| {
        let looker = scope.spawn(|| {
            let mut widest = (0, 0);
            while !over.load(Ordering::Relaxed) {
                let bits = |path: &Path| fs::metadata(path).map_or(0, |found| found.mode() & 0o777);
                widest = (widest.0 | bits(&trees.to), widest.1 | bits(&folder));
            }
            widest
        });
        let result = run(&trees.pass(&[]));
        over.store(true, Ordering::Relaxed);
        result.unwrap();
        looker.join().unwrap()
    });
    assert_eq!((widest.0 & !0o700, widest.1 & !0o710), (0, 0), "{:o} {:o}", widest.0, widest.1);
    assert_eq!((mode(&trees.to), mode(&folder)), (0o700, 0o710));
}

#[test]
fn an_access_list_that_the_target_hands_down_changes_no_permissions() {
    let trees = Trees::new();
    permissions(&trees.put("folder/file"), 0o644);
    fs::create_dir(&trees.to).unwrap();
    set(&trees.to, DEFAULT, &access_list(1000, 7));
    assert_eq!(counts(&copied(&trees.pass(&[]))), (1, 0, 0, 0));
    assert_eq!(mode(&trees.to.join("folder/file")), 0o644);
    assert!(
        entry(&trees.to.join("folder/file")).attributes.contains_key(ACCESS),
        "the list is the target's own affair"
    );
    assert_eq!(counts(&copied(&trees.pass(&[]))), (0, 0, 1, 0));
    copied(&trees.pass(&[Preserved::Acls]));
    assert_eq!(entry(&trees.to.join("folder/file")), entry(&trees.from.join("folder/file")));
}

#[test]
fn a_name_swapped_while_it_is_mended_changes_nothing_where_it_leads() {
    let trees = Trees::new();
    permissions(&trees.put("file"), 0o600);
    copied(&trees.pass(&[]));
    let aside = trees.folder.path().join("aside");
    fs::create_dir(&aside).unwrap();
    let (canary, good) = (aside.join("canary"), trees.to.join("file"));
    let pass = CopyPass { retries: 0, ..trees.pass(&[]) };
    fs::write(&canary, "file").unwrap();
    let time = FileTime::from_last_modification_time(&fs::metadata(&good).unwrap());
    filetime::set_file_mtime(&canary, time).unwrap();
    permissions(&canary, 0o644);
    let (kept, other) = (aside.join("kept"), aside.join("other"));
    let over = AtomicBool::new(false);
    let mended = std::thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0.. {
                if over.load(Ordering::Relaxed) {
                    break;
                }
                match round % 2 {
                    0 => symlink(&canary, &other).unwrap(),
                    _ => fs::hard_link(&canary, &other).unwrap(),
                }
                fs::rename(&good, &kept).unwrap();
                fs::rename(&other, &good).unwrap();
                permissions(&kept, 0o644);
                fs::rename(&kept, &good).unwrap();
            }
        });
        let _end = Over(&over);
        let mut mended = 0;
        for _ in 0..1_000 {
            mended += run(&pass).unwrap().summary.attributes_mended;
            assert_eq!(mode(&canary), 0o644);
        }
        mended
    });
    assert!(mended > 0, "the passes met the file while its permissions were wrong");
    assert_eq!(fs::read_to_string(&canary).unwrap(), "file");
}

//! The native engine on real Unix trees: odd names, links, pipes, permissions, sources that change, many files.
#![cfg(unix)]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use movebook::cancel::Cancel;
use movebook::copy::native::Native;
use movebook::copy::verify::{Verification, VerifyPass, verify};
use movebook::copy::{
    Compare, CopyPass, Directories, Disposal, Engine, ErrorClass, Extra, Extras, Links, Method, OnErrors,
    PassError, PassOutcome, PassSummary, Preserve, Priority, Watch,
};
use movebook::filter::Filter;

struct Trees {
    folder: tempfile::TempDir,
    from: PathBuf,
    to: PathBuf,
}

impl Trees {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::create_dir(&from).unwrap();
        Self { folder, from, to }
    }

    fn pass(&self) -> CopyPass {
        CopyPass {
            from: self.from.clone(),
            to: self.to.clone(),
            filter: Filter::everything(),
            started: Timestamp::now(),
            directories: Directories::All,
            errors: OnErrors::Fail,
            retries: 2,
            wait: Duration::from_millis(10),
            threads: 4,
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

    /// A folder outside of both trees, and what must still be in it at the end.
    fn canary(&self) -> PathBuf {
        let canary = self.folder.path().join("canary");
        fs::create_dir_all(canary.join("sub")).unwrap();
        fs::write(canary.join("bird"), "alive").unwrap();
        fs::write(canary.join("sub/bird"), "alive").unwrap();
        canary
    }

    fn verified(&self) -> Verification {
        let pass = VerifyPass {
            from: self.from.clone(),
            to: self.to.clone(),
            filter: Filter::everything(),
            started: Timestamp::now(),
            method: Method::Blake3,
            mtime_tolerance: None,
            threads: 4,
            manifest: None,
            extra: Extra::Fail,
        };
        verify(&pass, &Watch { progress: &|_| {}, cancel: &Cancel::new(), account: None }).unwrap()
    }
}

fn run(pass: &CopyPass) -> Result<PassOutcome, PassError> {
    Native.copy(pass, &Watch { progress: &|_| {}, cancel: &Cancel::new(), account: None })
}

fn copied(pass: &CopyPass) -> PassSummary {
    run(pass).unwrap().summary
}

/// Ends another thread's loop, also where an assertion fails.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn assert_alive(canary: &Path) {
    let mut names: Vec<_> = walkdir::WalkDir::new(canary)
        .min_depth(1)
        .into_iter()
        .map(|entry| entry.unwrap().path().strip_prefix(canary).unwrap().to_owned())
        .collect();
    names.sort();
    assert_eq!(names, ["bird", "sub", "sub/bird"].map(PathBuf::from));
    assert_eq!(fs::read_to_string(canary.join("bird")).unwrap(), "alive");
    assert_eq!(fs::read_to_string(canary.join("sub/bird")).unwrap(), "alive");
}

fn errors(summary: &PassSummary) -> Vec<(&str, ErrorClass)> {
    summary.errors.iter().map(|error| (error.path.as_str(), error.class)).collect()
}

/// Runs as a user who is nobody: root may do what permissions forbid.
fn as_nobody<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        scope
            .spawn(|| {
                if rustix::process::getuid().is_root() {
                    // Only this thread, and those that it starts, change.
                    rustix::thread::set_thread_uid(rustix::process::Uid::from_raw(65534)).unwrap();
                }
                work()
            })
            .join()
            .unwrap()
    })
}

fn give_to_nobody(root: &Path) {
    if rustix::process::getuid().is_root() {
        for entry in walkdir::WalkDir::new(root) {
            std::os::unix::fs::lchown(entry.unwrap().path(), Some(65534), Some(65534)).unwrap();
        }
    }
}

#[test]
fn odd_names_arrive_byte_for_byte() {
    let trees = Trees::new();
    let names: [&[u8]; 8] =
        [b"a b", "Müller & Söhne".as_bytes(), b"line\nbreak", b"caf\xe9", b"\\x41", b"-n", b"~", b"*?["];
    for name in names {
        let folder = trees.from.join(OsStr::from_bytes(name));
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join(OsStr::from_bytes(name)), name).unwrap();
    }
    assert_eq!(copied(&trees.pass()).new.files, names.len() as u64);
    for name in names {
        let name = OsStr::from_bytes(name);
        assert_eq!(fs::read(trees.to.join(name).join(name)).unwrap(), name.as_bytes());
    }
    assert!(trees.verified().is_clean());
}

#[test]
fn links_in_the_source_are_skipped_copied_or_refused() {
    let trees = Trees::new();
    let canary = trees.canary();
    symlink(&canary, trees.from.join("folder")).unwrap();
    symlink(canary.join("bird"), trees.from.join("file")).unwrap();
    symlink("nowhere", trees.from.join("broken")).unwrap();
    let summary = copied(&trees.pass());
    assert_eq!((summary.skipped_links, summary.new.files), (3, 0));
    assert_eq!(fs::read_dir(&trees.to).unwrap().count(), 0);
    let summary = copied(&CopyPass { links: Links::Fail, ..trees.pass() });
    assert_eq!(summary.failed.files, 3);
    for _ in 0..2 {
        let summary = copied(&CopyPass { links: Links::Copy, ..trees.pass() });
        assert_eq!((summary.links_copied, summary.failed.files), (3, 0));
    }
    assert_eq!(fs::read_link(trees.to.join("folder")).unwrap(), canary);
    assert_eq!(fs::read_link(trees.to.join("broken")).unwrap(), Path::new("nowhere"));
    assert_alive(&canary);
}

#[test]
fn links_planted_in_the_target_lead_nowhere() {
    let trees = Trees::new();
    let canary = trees.canary();
    for path in ["sub/bird", "sub/new", "bird", "deep/sub/bird"] {
        fs::create_dir_all(trees.from.join(path).parent().unwrap()).unwrap();
        fs::write(trees.from.join(path), "from the source").unwrap();
    }
    fs::create_dir_all(trees.to.join("deep")).unwrap();
    symlink(canary.join("sub"), trees.to.join("sub")).unwrap();
    symlink(canary.join("bird"), trees.to.join("bird")).unwrap();
    symlink(canary.join("sub"), trees.to.join("deep/sub")).unwrap();
    let summary = copied(&trees.pass());
    assert_alive(&canary);
    let expected = [("deep/sub/", ErrorClass::Permanent), ("sub/", ErrorClass::Permanent)];
    assert_eq!(errors(&summary), expected);
    assert_eq!(summary.changed.files, 1);
    assert_eq!(fs::read_to_string(trees.to.join("bird")).unwrap(), "from the source");
    assert!(trees.to.join("bird").symlink_metadata().unwrap().is_file());
}

#[test]
fn a_purge_removes_a_planted_link_and_not_what_it_leads_to() {
    let trees = Trees::new();
    let canary = trees.canary();
    fs::create_dir(&trees.to).unwrap();
    symlink(&canary, trees.to.join("link")).unwrap();
    fs::create_dir(trees.to.join("extra")).unwrap();
    fs::write(trees.to.join("extra/bird"), "extra").unwrap();
    let pass = CopyPass { extras: Extras::List, ..trees.pass() };
    let extras = run(&pass).unwrap().extras;
    assert_eq!(extras.len(), 3);
    // Between the judgement and the purge the folder becomes a link to elsewhere.
    fs::rename(trees.to.join("extra"), trees.folder.path().join("moved")).unwrap();
    symlink(&canary, trees.to.join("extra")).unwrap();
    let watch = Watch { progress: &|_| {}, cancel: &Cancel::new(), account: None };
    let purged = Native.purge(&pass, &extras, &Disposal::Delete, &watch).unwrap();
    assert_alive(&canary);
    assert_eq!((purged.files.files, purged.directories, purged.errors.len()), (1, 0, 2));
    assert!(trees.to.join("link").symlink_metadata().is_err());
}

#[test]
fn a_folder_swapped_with_a_link_again_and_again_never_leads_out() {
    for side in ["from", "to"] {
        let trees = Trees::new();
        let canary = trees.canary();
        for number in 0..40 {
            fs::create_dir_all(trees.from.join("sub")).unwrap();
            fs::write(trees.from.join(format!("sub/{number}")), vec![b's'; 10_000]).unwrap();
        }
        fs::write(trees.from.join("sub/bird"), "from the source").unwrap();
        copied(&trees.pass());
        let root = trees.folder.path().join(side);
        let outside = trees.folder.path();
        let (place, parked, link) = (root.join("sub"), outside.join("parked"), outside.join("link"));
        symlink(canary.join("sub"), &link).unwrap();
        let over = AtomicBool::new(false);
        let mut passes = 0;
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    for (old, new) in [(&place, &parked), (&link, &place), (&place, &link), (&parked, &place)]
                    {
                        // The pass may have made the folder anew in the meantime.
                        while fs::rename(old, new).is_err() {
                            let _unless_gone = fs::remove_dir_all(new);
                        }
                    }
                }
            });
            let _over = Over(&over);
            for round in 0..40 {
                let stamp = filetime::FileTime::from_unix_time(round, 0);
                // Through the file's own name, so that the link is not followed by the test itself.
                if let Ok(file) = fs::File::open(trees.from.join("sub/bird")) {
                    let _unless_swapped = filetime::set_file_handle_times(&file, None, Some(stamp));
                }
                let pass = CopyPass { extras: Extras::List, retries: 0, ..trees.pass() };
                let extras = match run(&pass) {
                    Ok(outcome) => outcome.extras,
                    // The folder was away when the pass looked, and back when the one made in its place was to be named.
                    Err(PassError::Fatal { what, path, .. })
                        if path == "sub/" && what.starts_with("the new directory cannot get its name") =>
                    {
                        continue;
                    }
                    Err(error) => panic!("{error:?}"),
                };
                passes += 1;
                let watch = Watch { progress: &|_| {}, cancel: &Cancel::new(), account: None };
                Native.purge(&pass, &extras, &Disposal::Delete, &watch).unwrap();
            }
        });
        assert!(passes > 0, "no pass came to its end");
        assert_alive(&canary);
        for entry in walkdir::WalkDir::new(&trees.to) {
            let entry = entry.unwrap();
            if entry.file_type().is_file() {
                assert_ne!(fs::read(entry.path()).unwrap(), b"alive", "{:?} came from outside", entry.path());
            }
        }
    }
}

#[test]
fn pipes_are_counted_and_never_opened() {
    let trees = Trees::new();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        trees.from.join("pipe"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(trees.from.join("socket")).unwrap();
    let summary = copied(&trees.pass());
    assert_eq!((summary.skipped_special, summary.failed.files), (2, 0));
    assert_eq!(fs::read_dir(&trees.to).unwrap().count(), 0);
}

#[test]
fn permission_bits_arrive_and_set_user_id_does_not() {
    let trees = Trees::new();
    let cases =
        [("private", 0o600, 0o600), ("all", 0o777, 0o777), ("none", 0o000, 0o000), ("suid", 0o4755, 0o755)];
    for (name, mode, _) in cases {
        fs::write(trees.from.join(name), name).unwrap();
        fs::set_permissions(trees.from.join(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    fs::create_dir(trees.from.join("shared")).unwrap();
    fs::set_permissions(trees.from.join("shared"), fs::Permissions::from_mode(0o1777)).unwrap();
    let expected_new = if rustix::process::getuid().is_root() { 4 } else { 3 };
    assert_eq!(copied(&trees.pass()).new.files, expected_new);
    for (name, _, mode) in cases.into_iter().filter(|case| expected_new == 4 || case.0 != "none") {
        assert_eq!(fs::metadata(trees.to.join(name)).unwrap().mode() & 0o7777, mode, "{name}");
    }
    assert_eq!(fs::metadata(trees.to.join("shared")).unwrap().mode() & 0o7777, 0o1777);
}

#[test]
fn a_read_only_folder_is_filled_and_is_read_only_again() {
    let trees = Trees::new();
    fs::create_dir_all(trees.from.join("locked/sub")).unwrap();
    fs::write(trees.from.join("locked/a"), "a").unwrap();
    fs::write(trees.from.join("locked/sub/b"), "b").unwrap();
    fs::set_permissions(trees.from.join("locked"), fs::Permissions::from_mode(0o555)).unwrap();
    fs::create_dir(&trees.to).unwrap();
    give_to_nobody(trees.folder.path());
    let mode = || fs::metadata(trees.to.join("locked")).unwrap().mode() & 0o7777;
    as_nobody(|| {
        assert_eq!(copied(&trees.pass()).new.files, 2);
        assert_eq!(mode(), 0o555);
        filetime::set_file_mtime(trees.from.join("locked/a"), filetime::FileTime::from_unix_time(1, 0))
            .unwrap();
        let summary = copied(&trees.pass());
        assert_eq!((summary.changed.files, summary.failed.files), (1, 0), "{:?}", summary.errors);
        assert_eq!(mode(), 0o555);
    });
    fs::set_permissions(trees.from.join("locked"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(trees.to.join("locked"), fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn what_may_not_be_read_is_denied_and_its_target_is_no_extra() {
    let trees = Trees::new();
    for path in ["secret/a", "open/a", "open/b"] {
        fs::create_dir_all(trees.from.join(path).parent().unwrap()).unwrap();
        fs::write(trees.from.join(path), path).unwrap();
    }
    copied(&trees.pass());
    give_to_nobody(trees.folder.path());
    fs::write(trees.from.join("open/b"), "changed, and locked").unwrap();
    fs::set_permissions(trees.from.join("open/b"), fs::Permissions::from_mode(0o000)).unwrap();
    fs::set_permissions(trees.from.join("secret"), fs::Permissions::from_mode(0o000)).unwrap();
    let outcome = as_nobody(|| run(&CopyPass { extras: Extras::List, ..trees.pass() }).unwrap());
    fs::set_permissions(trees.from.join("secret"), fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(errors(&outcome.summary), [("open/b", ErrorClass::Denied), ("secret/", ErrorClass::Denied)]);
    assert_eq!(outcome.summary.errors[0].attempts, 1);
    assert_eq!(outcome.extras, []);
    assert_eq!(fs::read_to_string(trees.to.join("open/b")).unwrap(), "open/b");
}

#[test]
fn a_file_that_changes_while_it_is_read_is_copied_whole_or_not_at_all() {
    const SIZE: usize = 6 << 20;
    let trees = Trees::new();
    let path = trees.from.join("busy");
    fs::write(&path, vec![0; SIZE]).unwrap();
    let over = AtomicBool::new(false);
    let mut refused = 0;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            use std::os::unix::fs::FileExt;
            let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
            let mut byte = 1;
            while !over.load(Ordering::Relaxed) {
                file.write_all_at(&vec![byte; SIZE], 0).unwrap();
                byte = byte.wrapping_add(1);
                std::thread::sleep(Duration::from_millis(3));
            }
        });
        let _over = Over(&over);
        for _ in 0..30 {
            let summary = copied(&CopyPass { retries: 1, wait: Duration::from_millis(1), ..trees.pass() });
            refused += summary.failed.files;
            assert_eq!(
                summary.failed.files + summary.new.files + summary.changed.files + summary.same.files,
                1
            );
            if let Ok(content) = fs::read(trees.to.join("busy")) {
                assert_eq!(content.len(), SIZE);
                assert!(content.iter().all(|byte| *byte == content[0]), "a torn copy has the final name");
            }
            let names = fs::read_dir(&trees.to).unwrap().count();
            assert!(names <= 1, "a temporary file was left");
        }
    });
    assert!(refused > 0, "the source never changed while it was read, so nothing was shown");
    copied(&trees.pass());
    assert!(trees.verified().is_clean());
}

#[test]
fn a_reader_of_the_old_file_keeps_it() {
    use std::io::Read;
    let trees = Trees::new();
    fs::write(trees.from.join("a"), "old").unwrap();
    copied(&trees.pass());
    let mut reader = fs::File::open(trees.to.join("a")).unwrap();
    fs::write(trees.from.join("a"), "new content").unwrap();
    copied(&trees.pass());
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    assert_eq!(text, "old");
    assert_eq!(fs::read_to_string(trees.to.join("a")).unwrap(), "new content");
}

#[test]
fn a_deep_tree_is_copied() {
    let trees = Trees::new();
    let deep: PathBuf = (0..300).map(|level| format!("level{level}")).collect();
    fs::create_dir_all(trees.from.join(&deep)).unwrap();
    fs::write(trees.from.join(&deep).join("end"), "end").unwrap();
    let summary = copied(&trees.pass());
    assert_eq!((summary.new.files, summary.directories, summary.directories_created), (1, 301, 301));
    let summary = copied(&trees.pass());
    assert_eq!((summary.same.files, summary.directories_created), (1, 0));
}

#[test]
fn a_second_pass_over_twenty_thousand_files_copies_nothing() {
    let trees = Trees::new();
    for folder in 0..20 {
        let folder = trees.from.join(format!("folder {folder}"));
        fs::create_dir(&folder).unwrap();
        for file in 0..1000 {
            fs::write(folder.join(format!("{file}.dat")), format!("{file}")).unwrap();
        }
    }
    let summary = copied(&trees.pass());
    assert_eq!((summary.new.files, summary.failed.files), (20_000, 0));
    let summary = copied(&trees.pass());
    assert_eq!((summary.same.files, summary.new.files, summary.changed.files), (20_000, 0, 0));
    let verification = trees.verified();
    assert!(verification.is_clean());
    assert_eq!(verification.equal, 20_000);
}

#[test]
fn a_source_that_is_removed_ends_the_pass_instead_of_looking_empty() {
    let trees = Trees::new();
    for number in 0..3000 {
        fs::write(trees.from.join(format!("{number}")), "x").unwrap();
    }
    let result = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !fs::read_dir(&trees.to).is_ok_and(|mut entries| entries.next().is_some()) {
                std::thread::yield_now();
            }
            fs::remove_dir_all(&trees.from).unwrap();
        });
        run(&CopyPass { threads: 1, wait: Duration::from_millis(500), ..trees.pass() })
    });
    match result {
        Err(PassError::Fatal { hint, .. }) => assert!(hint.contains("source"), "{hint}"),
        // Unless the pass was faster than the removal, files that went are counted one by one.
        Ok(outcome) => assert_eq!(outcome.summary.new.files + outcome.summary.vanished, 3000),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn a_directory_that_an_interrupted_pass_made_gets_its_permissions_by_the_next() {
    let trees = Trees::new();
    fs::create_dir_all(trees.from.join("private")).unwrap();
    fs::write(trees.from.join("private/mail"), "mail").unwrap();
    fs::set_permissions(trees.from.join("private"), fs::Permissions::from_mode(0o700)).unwrap();
    fs::create_dir_all(trees.to.join("private")).unwrap();
    fs::set_permissions(trees.to.join("private"), fs::Permissions::from_mode(0o755)).unwrap();
    copied(&trees.pass());
    assert_eq!(fs::metadata(trees.to.join("private")).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn a_link_that_a_killed_pass_left_under_a_temporary_name_is_removed_and_never_counted() {
    let trees = Trees::new();
    fs::write(trees.from.join("file"), "content").unwrap();
    fs::create_dir_all(trees.to.join("extra")).unwrap();
    for folder in ["", "extra"] {
        let left = trees.to.join(folder).join(".movebook-0123456789abcdef-0000000a.part");
        std::os::unix::fs::symlink("nowhere", left).unwrap();
    }
    let pass = CopyPass { extras: Extras::List, ..trees.pass() };
    let outcome =
        Native.copy(&pass, &Watch { progress: &|_| {}, cancel: &Cancel::new(), account: None }).unwrap();
    let extras: Vec<_> = outcome.extras.iter().map(|extra| extra.path.display().to_string()).collect();
    assert_eq!(extras, ["extra"]);
    assert_eq!(fs::read_dir(trees.to.join("extra")).unwrap().count(), 0);
}

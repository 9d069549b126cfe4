//! `check` on real directories, disks and ports.
#![cfg(target_os = "linux")]

use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use movebook::cancel::Cancel;
use movebook::plan::{CheckAction, FreeSpace};
use movebook::run::check;
use movebook::run::outcome::{ActionWatch, Failure, Figures};

fn perform(checks: &[CheckAction]) -> Result<Figures, Failure> {
    let cancel = Cancel::new();
    check::perform(checks, &ActionWatch { cancel: &cancel, progress: &|_, _| {}, redact: &str::to_owned })
}

fn failed(checks: &[CheckAction]) -> (String, Vec<String>) {
    match perform(checks) {
        Err(Failure::Failed { error, hints }) => (error, hints),
        other => panic!("expected a failure, got {other:?}"),
    }
}

fn path(path: &Path) -> CheckAction {
    CheckAction::Path {
        path: path.to_owned(),
        exists: None,
        contains: Vec::new(),
        free_space: None,
        writable: false,
        environment: Default::default(),
    }
}

fn exists(at: &Path, wanted: bool) -> CheckAction {
    match path(at) {
        CheckAction::Path { path, contains, free_space, writable, environment, .. } => {
            CheckAction::Path { path, exists: Some(wanted), contains, free_space, writable, environment }
        }
        other => other,
    }
}

fn contains(at: &Path, patterns: &[&str]) -> CheckAction {
    CheckAction::Path {
        path: at.to_owned(),
        exists: None,
        contains: patterns.iter().map(|&pattern| pattern.to_owned()).collect(),
        free_space: None,
        writable: false,
        environment: Default::default(),
    }
}

fn free(at: &Path, wanted: FreeSpace) -> CheckAction {
    CheckAction::Path {
        path: at.to_owned(),
        exists: None,
        contains: Vec::new(),
        free_space: Some(wanted),
        writable: false,
        environment: Default::default(),
    }
}

fn writable(at: &Path) -> CheckAction {
    CheckAction::Path {
        path: at.to_owned(),
        exists: None,
        contains: Vec::new(),
        free_space: None,
        writable: true,
        environment: Default::default(),
    }
}

fn tcp(port: u16) -> CheckAction {
    CheckAction::Tcp { host: "127.0.0.1".into(), port, timeout: Duration::from_secs(5) }
}

fn apart(paths: &[PathBuf]) -> CheckAction {
    CheckAction::Apart(paths.to_vec())
}

#[test]
fn a_path_of_which_nothing_else_is_said_must_exist() {
    let directory = tempfile::tempdir().unwrap();
    let gone = directory.path().join("gone");
    perform(&[path(directory.path())]).unwrap();
    let (error, _) = failed(&[path(&gone)]);
    assert_eq!(error, format!("{}: does not exist", gone.display()));
}

#[test]
fn a_path_that_must_be_absent_may_not_even_be_a_broken_link() {
    let directory = tempfile::tempdir().unwrap();
    let link = directory.path().join("link");
    perform(&[exists(&link, false)]).unwrap();
    symlink("/nowhere/at/all", &link).unwrap();
    let (error, _) = failed(&[exists(&link, false)]);
    assert_eq!(error, format!("{}: exists, and must not", link.display()));
    assert!(perform(&[exists(&link, true)]).is_err());
}

#[test]
fn every_pattern_must_match_a_file_somewhere_below() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(directory.path().join("a/b")).unwrap();
    std::fs::write(directory.path().join("a/b/STORE.FDB"), "").unwrap();
    perform(&[contains(directory.path(), &["*.fdb", "a/*/store.*"])]).unwrap();
    let (error, _) = failed(&[contains(directory.path(), &["*.fdb", "*.dat", "b"])]);
    assert!(error.contains("holds no file `*.dat`") && error.contains("holds no file `b`"), "{error}");
    assert!(!error.contains("`*.fdb`"), "{error}");
}

#[test]
fn what_is_behind_a_link_is_not_in_the_directory() {
    let elsewhere = tempfile::tempdir().unwrap();
    std::fs::write(elsewhere.path().join("store.fdb"), "").unwrap();
    let directory = tempfile::tempdir().unwrap();
    symlink(elsewhere.path(), directory.path().join("link")).unwrap();
    symlink(elsewhere.path().join("store.fdb"), directory.path().join("store.fdb")).unwrap();
    assert!(perform(&[contains(directory.path(), &["*.fdb"])]).is_err());
}

#[test]
fn a_pattern_that_is_none_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let (error, _) = failed(&[contains(directory.path(), &["[a"])]);
    assert!(error.contains("cannot look for `[a`"), "{error}");
}

#[test]
fn free_space_is_compared_where_the_path_will_be() {
    let directory = tempfile::tempdir().unwrap();
    let later = directory.path().join("not/yet/there");
    perform(&[free(&later, FreeSpace::Bytes(1))]).unwrap();
    let (error, hints) = failed(&[free(&later, FreeSpace::Bytes(u64::MAX))]);
    assert!(error.contains("are free on its volume, and 16.0 EiB are wanted"), "{error}");
    assert!(hints[0].starts_with("free 16.0 EiB more"), "{hints:?}");
    assert!(!later.parent().unwrap().exists());
}

#[test]
fn the_size_of_a_source_is_that_of_all_files_below_it() {
    let source = tempfile::tempdir().unwrap();
    std::fs::create_dir(source.path().join("sub")).unwrap();
    std::fs::write(source.path().join("sub/small"), "12345").unwrap();
    // A file with a hole: it says that it is far larger than any disk.
    std::fs::File::create(source.path().join("large")).unwrap().set_len(4 << 40).unwrap();
    let target = tempfile::tempdir().unwrap();
    let (error, _) = failed(&[free(target.path(), FreeSpace::Source(source.path().to_owned()))]);
    assert!(
        error.contains(&format!("4.0 TiB are taken by the files below {}", source.path().display())),
        "{error}"
    );

    std::fs::remove_file(source.path().join("large")).unwrap();
    perform(&[free(target.path(), FreeSpace::Source(source.path().to_owned()))]).unwrap();
}

#[test]
fn a_source_that_does_not_exist_needs_an_unknown_space() {
    let target = tempfile::tempdir().unwrap();
    let source = target.path().join("gone");
    let (error, _) = failed(&[free(target.path(), FreeSpace::Source(source))]);
    assert!(error.contains("how much space its files need is unknown"), "{error}");
}

#[test]
fn a_look_whether_a_path_is_writable_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    perform(&[writable(directory.path()), writable(&directory.path().join("not/yet"))]).unwrap();
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn what_is_no_directory_cannot_be_written_to() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let (error, _) = failed(&[writable(file.path())]);
    assert!(error.contains("is no directory"), "{error}");
}

#[test]
fn a_file_system_without_files_of_ours_cannot_be_written_to() {
    let (error, hints) = failed(&[writable(Path::new("/proc/1"))]);
    assert!(error.starts_with("/proc/1: cannot be written to: no file can be made in /proc/1: "), "{error}");
    assert!(!error.contains(".movebook"), "{error}");
    assert_eq!(hints.len(), 1);
}

#[test]
fn paths_are_apart_by_what_they_are_and_not_by_their_names() {
    let directory = tempfile::tempdir().unwrap();
    let real = directory.path().join("real");
    std::fs::create_dir_all(real.join("inner")).unwrap();
    let link = directory.path().join("link");
    symlink(&real, &link).unwrap();
    let other = directory.path().join("real2");
    std::fs::create_dir(&other).unwrap();

    perform(&[apart(&[real.clone(), other])]).unwrap();
    let (error, _) = failed(&[apart(&[real.clone(), link.clone()])]);
    assert!(error.contains("is the same as"), "{error}");
    let (error, _) = failed(&[apart(&[link.join("inner"), real.clone()])]);
    assert!(error.contains("is inside"), "{error}");
    let (error, _) = failed(&[apart(&[real.clone(), link.join("inner/not/yet")])]);
    assert!(error.contains("holds"), "{error}");
}

#[test]
fn paths_that_do_not_exist_yet_are_judged_by_their_names_below_what_does() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    perform(&[apart(&[at("new/a"), at("new/ab"), at("other")])]).unwrap();
    assert!(perform(&[apart(&[at("new/a"), at("new/a")])]).is_err());
    assert!(perform(&[apart(&[at("new/a/b"), at("new/a")])]).is_err());
    assert!(perform(&[apart(&[at("new"), at("new/a")])]).is_err());
}

#[test]
fn a_port_is_reached_where_somebody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    perform(&[tcp(listener.local_addr().unwrap().port())]).unwrap();
}

#[test]
fn a_port_where_nobody_listens_is_refused() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (error, _) = failed(&[tcp(port)]);
    assert_eq!(
        error,
        format!(
            "127.0.0.1:{port}: the connection is refused: the host is there, and nothing listens at this port"
        )
    );
}

#[test]
fn a_name_that_nobody_knows_is_not_found() {
    let check =
        CheckAction::Tcp { host: "no-such-host.invalid".into(), port: 80, timeout: Duration::from_secs(5) };
    let (error, _) = failed(&[check]);
    assert!(error.starts_with("no-such-host.invalid:80: the name is not found"), "{error}");
}

#[test]
fn an_expression_that_does_not_hold_gives_its_message() {
    let that =
        |holds| CheckAction::That { that: "threads > 1".into(), holds, message: "too few threads".into() };
    perform(&[that(true)]).unwrap();
    let (error, _) = failed(&[that(false)]);
    assert_eq!(error, "`threads > 1`: too few threads");
}

#[test]
fn all_that_is_wrong_is_told_at_once_and_each_advice_once() {
    let gone = Path::new("/nowhere/one");
    let also_gone = Path::new("/nowhere/two");
    let (error, hints) = failed(&[path(gone), path(Path::new("/")), path(also_gone)]);
    assert_eq!(
        error,
        "2 of 3 checks failed:\n  /nowhere/one: does not exist\n  /nowhere/two: does not exist"
    );
    assert_eq!(hints.len(), 1);
}

#[test]
fn the_wish_to_stop_comes_before_any_check() {
    let cancel = Cancel::new();
    cancel.request();
    let watch = ActionWatch { cancel: &cancel, progress: &|_, _| {}, redact: &str::to_owned };
    assert_eq!(check::perform(&[path(Path::new("/nowhere"))], &watch), Err(Failure::Interrupted));
}

#[test]
fn a_connection_that_hangs_does_not_keep_the_run_from_stopping() {
    // A listener whose queue is full does not answer: the connection hangs until the timeout.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    while let Ok(stream) = std::net::TcpStream::connect_timeout(&address, Duration::from_millis(200)) {
        waiting.push(stream);
        assert!(waiting.len() < 10_000, "the queue is never full");
    }
    let check = CheckAction::Tcp {
        host: "127.0.0.1".into(),
        port: address.port(),
        timeout: Duration::from_secs(3600),
    };
    let cancel = Cancel::new();
    let asked = cancel.clone();
    let progress = move |_: &'static str, _: Option<Duration>| asked.request();
    let watch = ActionWatch { cancel: &cancel, progress: &progress, redact: &str::to_owned };
    assert_eq!(check::perform(&[check], &watch), Err(Failure::Interrupted));
}

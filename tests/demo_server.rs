//! The demo's archive and its live server, on real files.
//!
//! Most tests run the server in a thread; the last ones run it as a process of its own, as the demo does.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use movebook::demo::archive::{self, CURRENT_STORE, LOGS, MASTER_DATABASE, STORE_DATABASE, Scale};
use movebook::demo::database::{DatabaseState, inspect};
use movebook::demo::server::{self, ServerStatus, Started, Stopped};
use movebook::error::{ExitCode, Result};

/// A hang is a failure: nothing here takes longer than this.
const DEADLINE: Duration = Duration::from_secs(60);

/// Paths below a root with the hash of each file; folders end with `/`.
type Tree = BTreeMap<String, String>;

fn tree(root: &Path) -> Tree {
    let mut tree = Tree::new();
    for entry in walkdir::WalkDir::new(root).min_depth(1) {
        let entry = entry.unwrap();
        let path = entry.path().strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
        if entry.file_type().is_dir() {
            tree.insert(format!("{path}/"), String::new());
        } else {
            tree.insert(path, blake3::hash(&fs::read(entry.path()).unwrap()).to_string());
        }
    }
    tree
}

/// An archive that all tests look at and none changes.
fn shared_archive() -> &'static Path {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    FOLDER
        .get_or_init(|| {
            let folder = tempfile::tempdir().unwrap();
            archive::make(folder.path(), Scale::Small).unwrap();
            folder
        })
        .path()
}

/// An archive and a control folder of a test's own.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        archive::make(&folder.path().join("archive"), Scale::Small).unwrap();
        fs::create_dir(folder.path().join("control")).unwrap();
        Self { folder }
    }

    fn archive(&self) -> PathBuf {
        self.folder.path().join("archive")
    }

    fn control(&self) -> PathBuf {
        self.folder.path().join("control")
    }

    /// Serves in a thread, and returns once the server is up.
    fn serve(&self) -> JoinHandle<Result<()>> {
        let (archive, control) = (self.archive(), self.control());
        let server = thread::spawn(move || server::serve(&archive, &control));
        until("the server is up", || {
            matches!(server::status(&self.control()).unwrap(), ServerStatus::Running { pid: Some(_) })
        });
        server
    }

    fn databases(&self) -> [DatabaseState; 2] {
        [MASTER_DATABASE.into(), Path::new(CURRENT_STORE).join(STORE_DATABASE)]
            .map(|path: PathBuf| inspect(&self.archive().join(path)).unwrap())
    }
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < DEADLINE, "not so after {DEADLINE:?}: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn two_archives_are_the_same_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    archive::make(folder.path(), Scale::Small).unwrap();
    assert_eq!(tree(folder.path()), tree(shared_archive()));
}

#[test]
fn the_summary_counts_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let summary = archive::make(folder.path(), Scale::Small).unwrap();
    let mut seen = archive::ArchiveSummary::default();
    for entry in walkdir::WalkDir::new(folder.path()).min_depth(1) {
        let metadata = entry.unwrap().metadata().unwrap();
        if metadata.is_dir() {
            seen.directories += 1;
        } else {
            seen.files += 1;
            seen.bytes += metadata.len();
        }
    }
    assert_eq!(summary, seen);
    assert!((380..=430).contains(&seen.files), "{seen:?}");
    assert!((55_000_000..=70_000_000).contains(&seen.bytes), "{seen:?}");
}

#[test]
fn an_archive_has_every_shape_that_a_real_one_has() {
    let tree = tree(shared_archive());
    let some = |what: &str, holds: &dyn Fn(&str) -> bool| {
        assert!(tree.keys().any(|path| holds(path)), "no {what} in the archive");
    };
    let name = |path: &str| path.rsplit('/').next().unwrap().to_owned();
    some("content container", &|path| {
        path.starts_with("DefaultFileGroup/Content/") && path.ends_with(".dat")
    });
    some("container in capitals", &|path| path.ends_with(".DAT"));
    some("index that is a .dat", &|path| name(path).starts_with("index") && path.ends_with(".dat"));
    some("index that is none", &|path| name(path).starts_with("index") && !path.ends_with(".dat"));
    some("recovery record", &|path| path.ends_with(".rec"));
    some("log", &|path| path.starts_with("Logs/") && path.ends_with(".log"));
    some("name with a space and an umlaut", &|path| name(path).contains(' ') && name(path).contains('ü'));
    some("folder with a space and an umlaut", &|path| path.ends_with("Altes Postfach Müller/"));
    let empty = |folder: &str| !tree.keys().any(|path| path != folder && path.starts_with(folder));
    some("empty folder", &|path| path.ends_with('/') && empty(path));
    let stores = tree.keys().filter(|path| path.ends_with(STORE_DATABASE)).count();
    assert_eq!(stores, 3);
    assert!(tree.contains_key(MASTER_DATABASE));
}

#[test]
fn most_files_are_years_old_and_a_few_are_of_today() {
    let day_ago = SystemTime::now() - Duration::from_secs(24 * 3600);
    let (mut old, mut young) = (0, 0);
    for entry in walkdir::WalkDir::new(shared_archive()) {
        let entry = entry.unwrap();
        if entry.file_type().is_file() {
            let modified = entry.metadata().unwrap().modified().unwrap();
            *(if modified < day_ago { &mut old } else { &mut young }) += 1;
        }
    }
    assert!(old > 300, "{old} old");
    assert!((3..20).contains(&young), "{young} young");
}

#[test]
fn a_folder_that_holds_something_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("mine.txt"), "mine").unwrap();
    let error = archive::make(folder.path(), Scale::Small).unwrap_err();
    assert_eq!(error.code(), ExitCode::Refused);
    assert_eq!(tree(folder.path()).into_keys().collect::<Vec<_>>(), ["mine.txt"]);
}

#[test]
fn a_running_server_changes_the_archive_and_a_stopped_one_does_not() {
    let place = Place::new();
    let before = tree(&place.archive());
    let server = place.serve();
    assert_eq!(place.databases(), [DatabaseState::Open; 2]);
    let container = place.archive().join(CURRENT_STORE).join("Content/live/000000.dat");
    until("a container grows", || fs::metadata(&container).is_ok_and(|metadata| metadata.len() > 0));

    assert_eq!(server::stop(&place.control()).unwrap(), Stopped::Now);
    server.join().unwrap().unwrap();
    let after = tree(&place.archive());
    let changed = |path: &str| before.get(path) != after.get(path);
    assert!(changed(MASTER_DATABASE));
    assert!(changed(&format!("{CURRENT_STORE}/{STORE_DATABASE}")));
    assert!(changed(&format!("{LOGS}/server.log")));
    assert!(before.keys().any(|path| !after.contains_key(path)), "nothing is left for a purge");
    assert_eq!(tree(&place.archive()), after);
}

#[test]
fn a_stopped_server_leaves_its_databases_closed_and_unlocked() {
    let place = Place::new();
    let server = place.serve();
    server::stop(&place.control()).unwrap();
    server.join().unwrap().unwrap();
    assert_eq!(place.databases(), [DatabaseState::Closed; 2]);
    let database = fs::File::open(place.archive().join(MASTER_DATABASE)).unwrap();
    database.try_lock().unwrap();
}

#[test]
fn a_server_can_be_started_again_where_it_was_stopped() {
    let place = Place::new();
    for _ in 0..2 {
        let server = place.serve();
        server::stop(&place.control()).unwrap();
        server.join().unwrap().unwrap();
    }
    let live = place.archive().join(CURRENT_STORE).join("Content/live");
    assert!(live.join("000001.dat").exists(), "the second server did not begin a container of its own");
    assert_eq!(place.databases(), [DatabaseState::Closed; 2]);
}

#[test]
fn status_follows_the_server_from_missing_to_running_to_stopped() {
    let place = Place::new();
    let code = |control: &Path| server::status(control).unwrap().exit_code();
    assert_eq!(code(&place.folder.path().join("nowhere")), 4);
    assert_eq!(code(&place.control()), 3);
    let server = place.serve();
    assert_eq!(code(&place.control()), 0);
    server::stop(&place.control()).unwrap();
    server.join().unwrap().unwrap();
    assert_eq!(code(&place.control()), 3);
}

#[test]
fn a_server_that_runs_is_not_started_twice() {
    let place = Place::new();
    let server = place.serve();
    let nothing = Path::new("this program does not exist and is not needed");
    assert_eq!(server::start(nothing, &place.archive(), &place.control()).unwrap(), Started::Already);
    server::stop(&place.control()).unwrap();
    server.join().unwrap().unwrap();
}

#[test]
fn a_second_server_under_the_same_control_folder_is_refused() {
    let place = Place::new();
    let server = place.serve();
    let second = server::serve(&place.archive(), &place.control()).unwrap_err();
    assert_eq!(second.code(), ExitCode::Held);
    server::stop(&place.control()).unwrap();
    server.join().unwrap().unwrap();
}

#[test]
fn stopping_a_server_that_does_not_run_is_no_error() {
    let place = Place::new();
    assert_eq!(server::stop(&place.control()).unwrap(), Stopped::Already);
}

#[test]
fn a_wish_from_before_the_start_does_not_stop_a_new_server() {
    let place = Place::new();
    fs::write(place.control().join("stop"), "").unwrap();
    let server = place.serve();
    assert!(!place.control().join("stop").exists());
    server::stop(&place.control()).unwrap();
    server.join().unwrap().unwrap();
}

#[test]
fn a_server_whose_control_folder_vanished_ends_in_good_order() {
    let place = Place::new();
    let server = place.serve();
    // The heartbeat may be written while the folder is being emptied.
    until("the control folder is gone", || {
        fs::remove_dir_all(place.control()).is_ok() || !place.control().exists()
    });
    server.join().unwrap().unwrap();
    assert_eq!(place.databases(), [DatabaseState::Closed; 2]);
}

#[test]
fn a_server_refuses_an_archive_that_the_demo_did_not_make() {
    let place = Place::new();
    let master = place.archive().join(MASTER_DATABASE);
    fs::write(&master, vec![1; 9000]).unwrap();
    let before = tree(&place.archive());
    let error = server::serve(&place.archive(), &place.control()).unwrap_err();
    assert_eq!(error.code(), ExitCode::Refused);
    assert_eq!(tree(&place.archive()), before);
}

#[test]
fn a_start_that_fails_says_what_was_tried() {
    let place = Place::new();
    let error =
        server::start(Path::new("/no/such/movebook"), &place.archive(), &place.control()).unwrap_err();
    assert!(error.to_string().contains("/no/such/movebook"), "{error}");
}

#[test]
fn a_server_of_its_own_process_runs_until_it_is_stopped() {
    let place = Place::new();
    let exe = Path::new(env!("CARGO_BIN_EXE_movebook"));
    let status = || server::status(&place.control()).unwrap();
    let Started::Now { pid } = server::start(exe, &place.archive(), &place.control()).unwrap() else {
        panic!("it ran already");
    };
    assert_ne!(pid, std::process::id());
    assert_eq!(status(), ServerStatus::Running { pid: Some(pid) });
    assert_eq!(server::stop(&place.control()).unwrap(), Stopped::Now);
    assert_eq!(status(), ServerStatus::Stopped);
    assert_eq!(place.databases(), [DatabaseState::Closed; 2]);
}

#[test]
fn a_server_that_cannot_begin_says_why() {
    let place = Place::new();
    fs::write(place.archive().join(MASTER_DATABASE), vec![1; 9000]).unwrap();
    let exe = Path::new(env!("CARGO_BIN_EXE_movebook"));
    let error = server::start(exe, &place.archive(), &place.control()).unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("is not a database of the demo"), "{cause}");
}

#[test]
fn the_status_command_ends_as_init_scripts_do() {
    let place = Place::new();
    let code = |control: &Path| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_movebook"));
        command.args(["demo-server", "status", "--control"]).arg(control).status().unwrap().code()
    };
    assert_eq!(code(&place.folder.path().join("nowhere")), Some(4));
    assert_eq!(code(&place.control()), Some(3));
    let server = place.serve();
    assert_eq!(code(&place.control()), Some(0));
    server::stop(&place.control()).unwrap();
    server.join().unwrap().unwrap();
}

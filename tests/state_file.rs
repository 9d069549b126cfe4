//! The state file as a file: made, cut, damaged, locked, and gone on with.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use movebook::error::ExitCode;
use movebook::state::journal::{self, Journal, Opened};
use movebook::state::lock::{Holder, Lock, Runner, current_runner};
use movebook::state::record::{Basis, Body, FORMAT, Record, RunbookText};
use tempfile::TempDir;

fn start() -> Body {
    Body::RunStarted {
        format: FORMAT,
        run: "r1".into(),
        movebook: "0.1.0".into(),
        host: "server".into(),
        user: "admin".into(),
        basis: Basis {
            files: vec![RunbookText { path: "/srv/move.yaml".into(), text: "movebook: 1\n".into() }],
            digest: "d".into(),
            vars_files: Vec::new(),
            started: jiff::Timestamp::UNIX_EPOCH,
            environment: BTreeMap::new(),
            given: BTreeMap::new(),
            vars: BTreeMap::new(),
            secrets: BTreeMap::new(),
            phases: Vec::new(),
            steps: Vec::new(),
        },
    }
}

fn session(pid: u32) -> Body {
    Body::SessionStarted { host: "sërver".into(), user: "admin".into(), pid, movebook: "0.1.0".into() }
}

fn holder() -> Holder {
    Holder::this_process("server", "admin")
}

fn lock(path: &Path) -> Lock {
    Lock::acquire(path, &holder()).unwrap()
}

fn open(path: &Path) -> Opened {
    Journal::open(lock(path)).unwrap()
}

/// A folder, and in it a state file with three records.
fn three_records() -> (TempDir, PathBuf, Vec<Record>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("move.state.jsonl");
    let (mut journal, first) = Journal::create(lock(&path), start()).unwrap();
    let records = vec![first, journal.append(session(1)).unwrap(), journal.append(session(2)).unwrap()];
    (folder, path, records)
}

fn torn_copies(folder: &TempDir) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.to_string_lossy().contains(".torn-")).collect()
}

#[test]
fn what_was_appended_is_read_with_and_without_the_lock() {
    let (_folder, path, records) = three_records();
    assert_eq!(journal::read(&path).unwrap(), records);
    let opened = open(&path);
    assert_eq!(opened.records, records);
    assert!(opened.torn.is_none());
    assert_eq!(journal::read(&path).unwrap(), records, "reading needs no lock");
}

#[test]
fn a_run_goes_on_where_it_ended() {
    let (_folder, path, mut records) = three_records();
    records.push(open(&path).journal.append(session(3)).unwrap());
    assert_eq!(records[3].seq, 3);
    assert_eq!(open(&path).records, records);
}

#[test]
fn a_state_file_is_never_overwritten() {
    let (_folder, path, _) = three_records();
    let before = fs::read(&path).unwrap();
    let error = Journal::create(lock(&path), start()).unwrap_err();
    assert_eq!(error.code(), ExitCode::Usage);
    assert!(error.hints().iter().any(|hint| hint.contains("resume")), "{:?}", error.hints());
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn cut_at_every_byte_of_its_last_record_it_recovers() {
    let (folder, path, records) = three_records();
    let whole = fs::read(&path).unwrap();
    let last = whole[..whole.len() - 1].iter().rposition(|&byte| byte == b'\n').unwrap() + 1;
    for cut in last..=whole.len() {
        fs::write(&path, &whole[..cut]).unwrap();
        // The last record is whole with or without its newline.
        let expected = if cut >= whole.len() - 1 { 3 } else { 2 };
        assert_eq!(journal::read(&path).unwrap(), records[..expected], "cut at {cut}");
        assert_eq!(fs::read(&path).unwrap(), whole[..cut], "reading changes nothing");

        let mut opened = open(&path);
        assert_eq!(opened.records, records[..expected], "cut at {cut}");
        let torn = opened.torn.take().map(|copy| fs::read(copy).unwrap()).unwrap_or_default();
        let piece = if expected == 3 { &[][..] } else { &whole[last..cut] };
        assert_eq!(torn, piece, "cut at {cut}");

        let appended = opened.journal.append(session(9)).unwrap();
        drop(opened);
        assert_eq!(journal::read(&path).unwrap().last(), Some(&appended), "cut at {cut}");
    }
    assert!(!torn_copies(&folder).is_empty());
}

#[test]
fn a_flipped_bit_is_refused_with_its_line_and_nothing_is_changed() {
    let (folder, path, _) = three_records();
    let whole = fs::read(&path).unwrap();
    for at in (0..whole.len()).step_by(7) {
        let mut changed = whole.clone();
        changed[at] ^= 1 << (at % 8);
        fs::write(&path, &changed).unwrap();
        let line = whole[..at].iter().filter(|&&byte| byte == b'\n').count() + 1;
        for error in [journal::read(&path).unwrap_err(), Journal::open(lock(&path)).unwrap_err()] {
            assert_eq!(error.code(), ExitCode::Damaged, "byte {at}: {error}");
            assert!(error.to_string().contains(&format!("line {line}:")), "byte {at}: {error}");
            assert!(error.to_string().contains("move.state.jsonl"));
            assert!(!error.hints().is_empty());
        }
        assert_eq!(fs::read(&path).unwrap(), changed);
    }
    assert_eq!(torn_copies(&folder), Vec::<PathBuf>::new());
}

#[test]
fn a_file_cut_in_its_first_line_is_begun_anew() {
    let (_folder, path, _) = three_records();
    let whole = fs::read(&path).unwrap();
    for cut in [0, 1, 9, 40] {
        fs::write(&path, &whole[..cut]).unwrap();
        let mut opened = open(&path);
        assert_eq!(opened.records, []);
        let first = opened.journal.append(start()).unwrap();
        assert_eq!(first.seq, 0);
        assert_eq!(journal::read(&path).unwrap(), [first]);
    }
}

#[test]
fn somebody_elses_file_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    fs::write(&path, "buy milk").unwrap();
    let error = Journal::open(lock(&path)).unwrap_err();
    assert_eq!(error.code(), ExitCode::Damaged);
    assert_eq!(fs::read(&path).unwrap(), b"buy milk");
}

#[test]
fn no_state_file_is_told_with_what_begins_one() {
    let folder = tempfile::tempdir().unwrap();
    let error = journal::read(&folder.path().join("none")).unwrap_err();
    assert_eq!(error.code(), ExitCode::Usage);
    assert!(error.hints().iter().any(|hint| hint.contains("movebook run")), "{:?}", error.hints());
}

#[test]
fn a_folder_in_the_place_of_a_state_file_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(journal::read(folder.path()).unwrap_err().code(), ExitCode::Usage);
}

#[test]
fn a_second_runner_is_refused_and_told_who_holds_the_file() {
    let (_folder, path, _) = three_records();
    let held = lock(&path);
    let error = Lock::acquire(&path, &holder()).unwrap_err();
    assert_eq!(error.code(), ExitCode::Held);
    let text = error.to_string();
    assert!(text.contains(&format!("process {} of admin on server, since 2", std::process::id())), "{text}");
    assert!(error.hints().iter().any(|hint| hint.contains("movebook status")), "{:?}", error.hints());
    let Runner::Known(runner) = current_runner(&path).unwrap() else { panic!("the holder is known") };
    assert_eq!(runner.pid, std::process::id());
    drop(held);
    assert_eq!(current_runner(&path).unwrap(), Runner::Nobody);
    lock(&path);
}

#[test]
fn of_many_runners_at_once_exactly_one_wins() {
    let (_folder, path, _) = three_records();
    let won = std::thread::scope(|scope| {
        let runners: Vec<_> = (0..8).map(|_| scope.spawn(|| Lock::acquire(&path, &holder()))).collect();
        // All results are kept until the last runner has tried: nobody lets go early.
        let results: Vec<_> = runners.into_iter().map(|runner| runner.join().unwrap()).collect();
        results.iter().filter(|result| result.is_ok()).count()
    });
    assert_eq!(won, 1);
}

#[test]
fn a_lock_file_that_was_left_over_is_no_obstacle() {
    let (_folder, path, _) = three_records();
    let lock_file = format!("{}.lock", path.display());
    fs::write(
        &lock_file,
        "{\"pid\":1,\"host\":\"x\",\"user\":\"y\",\"since\":\"2020-01-01T00:00:00Z\"} and more",
    )
    .unwrap();
    assert_eq!(current_runner(&path).unwrap(), Runner::Nobody);
    let held = lock(&path);
    assert!(matches!(current_runner(&path).unwrap(), Runner::Known(runner) if runner.host == "server"));
    drop(held);
    assert!(fs::exists(&lock_file).unwrap());
}

#[test]
fn nobody_holds_a_state_file_that_was_never_locked() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(current_runner(&folder.path().join("none")).unwrap(), Runner::Nobody);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "asking makes no file");
}

#[test]
fn a_holder_that_left_no_name_is_known_from_the_journal() {
    let (_folder, path, _) = three_records();
    let _held = lock(&path);
    fs::write(format!("{}.lock", path.display()), "").unwrap();
    let text = Lock::acquire(&path, &holder()).unwrap_err().to_string();
    assert!(text.contains("process 2 of admin on sërver"), "{text}");
}

#[cfg(unix)]
mod on_unix {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_state_file_and_the_copy_of_a_torn_line_are_for_their_owner_only() {
        let (folder, path, _) = three_records();
        assert_eq!(mode(&path), 0o600);
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[..whole.len() - 9]).unwrap();
        assert!(open(&path).torn.is_some());
        let copies = torn_copies(&folder);
        assert_eq!(copies.len(), 1);
        assert_eq!(mode(&copies[0]), 0o600);
    }

    #[test]
    fn making_a_state_file_does_not_follow_a_planted_link() {
        let folder = tempfile::tempdir().unwrap();
        let (path, elsewhere) = (folder.path().join("a.state.jsonl"), folder.path().join("elsewhere"));
        let held = lock(&path);
        symlink(&elsewhere, &path).unwrap();
        assert_eq!(Journal::create(held, start()).unwrap_err().code(), ExitCode::Usage);
        assert!(!elsewhere.exists());
    }

    #[test]
    fn a_planted_link_in_the_place_of_the_lock_file_is_not_followed() {
        let (folder, path, _) = three_records();
        let victim = folder.path().join("victim");
        fs::write(&victim, "precious").unwrap();
        let lock_file = format!("{}.lock", path.display());
        fs::remove_file(&lock_file).unwrap();
        symlink(&victim, &lock_file).unwrap();
        assert!(Lock::acquire(&path, &holder()).is_err());
        assert_eq!(fs::read(&victim).unwrap(), b"precious");
    }

    #[test]
    fn a_link_to_a_state_file_has_the_lock_of_the_file() {
        let (folder, path, records) = three_records();
        let link = folder.path().join("link");
        symlink(&path, &link).unwrap();
        assert_eq!(journal::read(&link).unwrap(), records);
        let _held = lock(&path);
        assert_eq!(Lock::acquire(&link, &holder()).unwrap_err().code(), ExitCode::Held);
    }

    #[test]
    fn a_link_to_nothing_is_no_place_for_a_state_file() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("link");
        symlink(folder.path().join("nothing"), &link).unwrap();
        assert_eq!(Lock::acquire(&link, &holder()).unwrap_err().code(), ExitCode::Usage);
    }
}

//! What becomes of a pass whose source stops answering, as a share does whose server is started anew, and may be another
//! when it answers again.

use std::io;
use std::path::Path;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::lost::{ended_by, named};
use super::trouble::{Trouble, Troubled};
use super::{Trees, copy, listing, put};
use crate::cancel::Cancel;
use crate::copy::native::purge::purge;
use crate::copy::{CopyPass, Disposal, EntryKind, ExtraEntry, PassError, Watch};
use crate::sys::tree::{FileIdentity, Renaming, Status};

/// `ERROR_NETNAME_DELETED`, or `EHOSTDOWN`.
fn down() -> io::Error {
    io::Error::from_raw_os_error(if cfg!(windows) { 64 } else { 112 })
}

fn gone() -> io::Error {
    io::ErrorKind::NotFound.into()
}

fn fatal(ended: PassError) -> (String, Option<i32>) {
    match ended {
        PassError::Fatal { what, source, .. } => (what, source.and_then(|error| error.raw_os_error())),
        other => panic!("{other:?}"),
    }
}

/// Two looks at a file find nothing there, and the source does not answer either.
struct ForAWhile;

static LOOKS: AtomicUsize = AtomicUsize::new(0);

impl Trouble for ForAWhile {
    fn status(path: &Path, status: Status) -> io::Result<Status> {
        let failed = path.ends_with("from/b") && LOOKS.fetch_add(1, Ordering::Relaxed) < 2;
        if failed { Err(gone()) } else { Ok(status) }
    }

    fn own_status(path: &Path, status: Status) -> io::Result<Status> {
        let failed = path.ends_with("from") && matches!(LOOKS.load(Ordering::Relaxed), 1 | 2);
        if failed { Err(down()) } else { Ok(status) }
    }
}

#[test]
fn what_seems_to_vanish_while_the_source_does_not_answer_is_tried_again() {
    let trees = Trees::new(&["a", "b"]);
    let pass = CopyPass { retries: 2, ..trees.pass() };
    let (outcome, _) = named::<ForAWhile>(&trees, &pass);
    let summary = &outcome.summary;
    assert_eq!((summary.new.files, summary.vanished, summary.failed.files), (2, 0, 0));
    assert_eq!(LOOKS.load(Ordering::Relaxed), 3);
    assert_eq!(listing(&trees.to), listing(&trees.from));
}

/// The same, and it does not come back.
struct ForGood;

static FOR_GOOD: AtomicUsize = AtomicUsize::new(0);

impl Trouble for ForGood {
    fn status(path: &Path, status: Status) -> io::Result<Status> {
        if !path.ends_with("from/b") {
            return Ok(status);
        }
        FOR_GOOD.fetch_add(1, Ordering::Relaxed);
        Err(gone())
    }

    fn own_status(path: &Path, status: Status) -> io::Result<Status> {
        let failed = path.ends_with("from") && FOR_GOOD.load(Ordering::Relaxed) > 0;
        if failed { Err(down()) } else { Ok(status) }
    }
}

#[test]
fn a_source_that_does_not_answer_any_more_ends_the_pass_after_its_retries() {
    let trees = Trees::new(&["a", "b"]);
    for retries in [0, 2] {
        FOR_GOOD.store(0, Ordering::Relaxed);
        let ended = ended_by::<ForGood>(&CopyPass { retries, ..trees.pass() });
        assert_eq!(fatal(ended), ("the source could not be reached any more".into(), down().raw_os_error()));
        assert_eq!(FOR_GOOD.load(Ordering::Relaxed), retries as usize + 1);
    }
}

/// Once all was listed the source does not answer for two looks.
struct AtTheEnd;

static LISTED: AtomicUsize = AtomicUsize::new(0);

impl Trouble for AtTheEnd {
    fn status(path: &Path, status: Status) -> io::Result<Status> {
        LISTED.fetch_add(usize::from(path.ends_with("from/a")), Ordering::Relaxed);
        Ok(status)
    }

    fn own_status(path: &Path, status: Status) -> io::Result<Status> {
        let over = path.ends_with("from") && LISTED.load(Ordering::Relaxed) > 0;
        let failed = over && LISTED.fetch_add(1, Ordering::Relaxed) < 3;
        if failed { Err(down()) } else { Ok(status) }
    }
}

#[test]
fn a_source_that_does_not_answer_at_the_end_is_waited_for_and_not_believed() {
    let trees = Trees::new(&["a"]);
    let ended = ended_by::<AtTheEnd>(&CopyPass { retries: 1, ..trees.pass() });
    assert_eq!(fatal(ended).0, "the source could not be reached any more");
    LISTED.store(0, Ordering::Relaxed);
    named::<AtTheEnd>(&trees, &CopyPass { retries: 2, ..trees.pass() });
}

/// The server does not know the account at first when it is back: neither a file nor the source may be looked at.
struct LetInLate;

static REFUSED: AtomicUsize = AtomicUsize::new(0);

impl Trouble for LetInLate {
    fn status(path: &Path, status: Status) -> io::Result<Status> {
        let failed = path.ends_with("from/b") && REFUSED.fetch_add(1, Ordering::Relaxed) < 2;
        if failed { Err(io::ErrorKind::PermissionDenied.into()) } else { Ok(status) }
    }

    fn own_status(path: &Path, status: Status) -> io::Result<Status> {
        let failed = path.ends_with("from") && matches!(REFUSED.load(Ordering::Relaxed), 1 | 2);
        if failed { Err(io::ErrorKind::PermissionDenied.into()) } else { Ok(status) }
    }
}

#[test]
fn what_is_denied_while_the_source_itself_is_denied_is_tried_again() {
    let trees = Trees::new(&["a", "b"]);
    let (outcome, _) = named::<LetInLate>(&trees, &CopyPass { retries: 2, ..trees.pass() });
    assert_eq!((outcome.summary.new.files, outcome.summary.failed.files), (2, 0));
    assert_eq!(REFUSED.load(Ordering::Relaxed), 3);
}

/// As the directory, but another.
fn another(status: Status) -> Status {
    let identity = status.identity.map(|own| FileIdentity { number: own.number + 1, ..own });
    Status { identity, ..status }
}

/// Once a file was looked at, another directory is where the source was, or the target.
struct Swapped<const SIDE: usize>;

const SIDES: [&str; 2] = ["from", "to"];

static SWAPPED: [AtomicUsize; 2] = [const { AtomicUsize::new(0) }; 2];

impl<const SIDE: usize> Trouble for Swapped<SIDE> {
    const RENAMING: Renaming = Renaming::Lost;

    fn status(path: &Path, status: Status) -> io::Result<Status> {
        SWAPPED[SIDE].fetch_add(usize::from(path.ends_with("from/a")), Ordering::Relaxed);
        Ok(status)
    }

    fn own_status(path: &Path, status: Status) -> io::Result<Status> {
        let swapped = path.ends_with(SIDES[SIDE]) && SWAPPED[SIDE].load(Ordering::Relaxed) > 0;
        Ok(if swapped { another(status) } else { status })
    }
}

#[test]
fn a_pass_whose_roots_are_others_at_the_end_than_at_the_start_is_not_believed() {
    let trees = Trees::new(&["a"]);
    let what = "another directory took the place of the source meanwhile";
    assert_eq!(fatal(ended_by::<Swapped<0>>(&trees.pass())).0, what);
    let what = "another directory took the place of the target meanwhile";
    assert_eq!(fatal(ended_by::<Swapped<1>>(&trees.pass())).0, what);
}

/// A file system that numbers its directories anew.
struct Renumbered;

impl Trouble for Renumbered {
    const RENAMING: Renaming = Renaming::Followed;

    fn own_status(path: &Path, status: Status) -> io::Result<Status> {
        static LOOKS: AtomicUsize = AtomicUsize::new(0);
        let first = !path.ends_with("to") || LOOKS.fetch_add(1, Ordering::Relaxed) == 0;
        Ok(if first { status } else { another(status) })
    }
}

#[test]
fn a_root_whose_handle_stays_with_it_is_the_same_under_another_number() {
    let trees = Trees::new(&["a"]);
    let cancel = Cancel::new();
    let watch = Watch { progress: &|_| {}, cancel: &cancel, account: None };
    assert_eq!(copy::<Troubled<Renumbered>>(&trees.pass(), &watch).unwrap().summary.new.files, 1);
}

fn stopped_by<T: Trouble>(pass: &CopyPass, cancel: &Cancel) -> PassError {
    let watch = Watch { progress: &|_| {}, cancel, account: None };
    copy::<Troubled<T>>(pass, &watch).unwrap_err()
}

/// The pass is told to stop while it looks at a file. Looks at the source are counted from then on.
struct Stopped;

static STOP: LazyLock<Cancel> = LazyLock::new(Cancel::new);
static AFTER: AtomicUsize = AtomicUsize::new(0);

impl Trouble for Stopped {
    fn status(path: &Path, status: Status) -> io::Result<Status> {
        if path.ends_with("from/a") {
            STOP.request();
        }
        Ok(status)
    }

    fn own_status(path: &Path, status: Status) -> io::Result<Status> {
        let after = path.ends_with("from") && STOP.is_requested();
        AFTER.fetch_add(usize::from(after), Ordering::Relaxed);
        Ok(status)
    }
}

#[test]
fn a_pass_that_is_stopped_looks_at_no_root_any_more() {
    let trees = Trees::new(&["a"]);
    assert!(matches!(stopped_by::<Stopped>(&trees.pass(), &STOP), PassError::Interrupted));
    assert_eq!(AFTER.load(Ordering::Relaxed), 0);
}

/// The pass is told to stop while it waits for a source that does not answer at the end.
struct StoppedAtTheEnd;

static STOP_AT_THE_END: LazyLock<Cancel> = LazyLock::new(Cancel::new);
static COPIED: AtomicUsize = AtomicUsize::new(0);

impl Trouble for StoppedAtTheEnd {
    fn status(path: &Path, status: Status) -> io::Result<Status> {
        COPIED.fetch_add(usize::from(path.ends_with("from/a")), Ordering::Relaxed);
        Ok(status)
    }

    fn own_status(path: &Path, status: Status) -> io::Result<Status> {
        if !path.ends_with("from") || COPIED.load(Ordering::Relaxed) == 0 {
            return Ok(status);
        }
        COPIED.fetch_add(1, Ordering::Relaxed);
        STOP_AT_THE_END.request();
        Err(down())
    }
}

#[test]
fn a_pass_that_is_stopped_while_it_waits_for_a_root_looks_no_more() {
    let trees = Trees::new(&["a"]);
    let pass = CopyPass { retries: 5, ..trees.pass() };
    assert!(matches!(stopped_by::<StoppedAtTheEnd>(&pass, &STOP_AT_THE_END), PassError::Interrupted));
    assert_eq!(COPIED.load(Ordering::Relaxed), 2);
}

/// The purge of one extra file ends, and the file stays.
fn purge_ends<T: Trouble>() -> String {
    let trees = Trees::new(&["a"]);
    put(&trees.to.join("extra"), "x", 1);
    let extra = ExtraEntry { path: "extra".into(), kind: EntryKind::File, bytes: 1 };
    let cancel = Cancel::new();
    let watch = Watch { progress: &|_| {}, cancel: &cancel, account: None };
    let ended = purge::<Troubled<T>>(&trees.pass(), &[extra], &Disposal::Delete, &watch).unwrap_err();
    assert!(trees.to.join("extra").exists());
    fatal(ended).0
}

/// After the first look another directory is where the source was.
struct SwappedBeforeAPurge;

static PURGED: AtomicUsize = AtomicUsize::new(0);

impl Trouble for SwappedBeforeAPurge {
    const RENAMING: Renaming = Renaming::Lost;

    fn own_status(path: &Path, status: Status) -> io::Result<Status> {
        let first = !path.ends_with("from") || PURGED.fetch_add(1, Ordering::Relaxed) == 0;
        Ok(if first { status } else { another(status) })
    }
}

/// After the first look the source does not answer.
struct DownBeforeAPurge;

static DOWN: AtomicUsize = AtomicUsize::new(0);

impl Trouble for DownBeforeAPurge {
    fn own_status(path: &Path, status: Status) -> io::Result<Status> {
        let first = !path.ends_with("from") || DOWN.fetch_add(1, Ordering::Relaxed) == 0;
        if first { Ok(status) } else { Err(down()) }
    }
}

#[test]
fn a_purge_believes_no_absence_of_a_source_that_is_another_or_does_not_answer() {
    let what = "another directory took the place of the source meanwhile";
    assert_eq!(purge_ends::<SwappedBeforeAPurge>(), what);
    assert_eq!(purge_ends::<DownBeforeAPurge>(), "the source could not be reached any more");
}

//! What becomes of a pass whose source stops answering, as a share does whose server is started anew.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::lost::{ended_by, named};
use super::trouble::Trouble;
use super::{Trees, listing};
use crate::copy::{CopyPass, PassError};
use crate::sys::tree::Status;

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

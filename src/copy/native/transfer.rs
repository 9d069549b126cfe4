//! Brings one file over: written under a temporary name, checked against its source, and only then named.
//!
//! Whatever happens before the rename, the target's old file is untouched; the temporary file is removed on every way
//! out but a kill. In a directory that has its own final name still to come (see `node`), a file has its name at once.
//!
//! A source that changes under the copy is seen by its size and time. What cannot be seen so is a single write call that
//! stands still inside the kernel for longer than [`FRESH`] and goes on while the file is read: its stamp is that of its
//! beginning. A verification by content finds it; a pass after the writer was stopped never meets it.

use std::ffi::{OsStr, OsString};
use std::fs::{File, FileTimes};
use std::io::{self, ErrorKind, Read, Write};
use std::time::{Duration, SystemTime};

use super::attributes::Attributes;
use super::failure::{Failure, Side};
use super::large;
use super::node::TargetSide;
use super::temporary::TemporaryNames;
use super::walk::{Found, Handler, Turn, Worker};
use crate::copy::EntryKind;
use crate::sys::tree::{Directory, Durability, Permissions, Status, Taken, content};

/// A file written to within this time is not read yet. Stamps have the grain of the kernel's tick, and a write is
/// stamped when it begins: only once its stamp is older than both does a later write show in it.
const FRESH: Duration = Duration::from_millis(100);

/// What holds for all that a pass makes.
pub(super) struct Manner<'a> {
    pub(super) names: &'a TemporaryNames,
    pub(super) attributes: &'a Attributes,
    pub(super) resume_over: u64,
}

/// Which state of its source a file of the target is, or would be: the one that was listed, or what a file that was being
/// written to had become once it stood still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct State {
    pub(super) size: u64,
    pub(super) modified: SystemTime,
}

impl State {
    pub(super) fn of(source: &Status) -> Self {
        Self { size: source.size, modified: source.modified }
    }
}

/// Copies the file and gives it its name; what of its source it is.
pub(super) fn transfer<D: Directory, H: Handler<D>>(
    worker: &mut Worker<'_, D, H>,
    found: &Found<'_, D>,
    turn: &mut Turn,
    manner: &Manner<'_>,
) -> Result<State, Failure> {
    let settled;
    let expected = match rest_of_freshness(&found.source) {
        None => &found.source,
        Some(rest) => {
            std::thread::sleep(rest);
            settled = found
                .node
                .source
                .status(found.name)
                .map_err(|error| failed(found, Side::Source, "look at it", error))?;
            if rest_of_freshness(&settled).is_some() {
                return Err(Failure::transient("the source is being written to"));
            }
            &settled
        }
    };
    let side = found.node.target_or_make(manner)?;
    if found.target.is_none() && expected.size >= large::LARGE && side.directory.status(found.name).is_ok() {
        // Else all of it would be copied before that is found.
        return Err(name_is_taken());
    }
    let source =
        found.node.source.read(found.name).map_err(|error| failed(found, Side::Source, "open it", error))?;
    if large::is_resumable(expected.size, manner.resume_over) {
        large::transfer(worker, found, side, &source, expected, turn, manner.attributes)?;
        return Ok(State::of(expected));
    }
    let naming = if side.unfinished && turn.fills() { Naming::AtOnce } else { Naming::WhenWhole };
    let permissions = manner.attributes.first_permissions(expected);
    let (mut copy, unfinished) = create(found, side, &permissions, naming, manner.names)?;
    content::take_shape(&copy, &expected.permissions);
    let moved = if large::takes(expected) {
        large::pour(worker, found, &source, &copy, expected, turn)?
    } else {
        pour(worker, found, &source, &mut copy, expected.size, turn)?
    };
    let streams = &manner.attributes.streams;
    streams.bring(&mut worker.tools(), &source, &copy, || found.path(), D::DURABILITY)?;
    seal(found, side, &source, &copy, expected, moved, manner.attributes)?;
    drop(copy);
    match naming {
        Naming::AtOnce => unfinished.keep(),
        Naming::WhenWhole => unfinished
            .rename(found.name, taken(found), &mut turn.renamed_from)
            .map_err(|error| could_not_name(found, "rename the finished copy over it", error))?,
    }
    Ok(State::of(expected))
}

/// Makes sure that what was read is one whole state of the source, and gives the copy what belongs to it.
pub(super) fn seal<D: Directory>(
    found: &Found<'_, D>,
    side: &TargetSide<D>,
    source: &File,
    copy: &File,
    expected: &Status,
    moved: u64,
    attributes: &Attributes,
) -> Result<(), Failure> {
    let after =
        D::file_status(source).map_err(|error| failed(found, Side::Source, "look at it again", error))?;
    if moved != expected.size || !is_same_state(expected, &after) {
        return Err(large::source_changed());
    }
    attributes.finish(found, side, expected, source, copy)?;
    copy.set_times(FileTimes::new().set_modified(expected.modified))
        .map_err(|error| failed(found, Side::Target, "set the copy's time", error))?;
    if D::DURABILITY == Durability::EachFile {
        copy.sync_all().map_err(|error| failed(found, Side::Target, "bring the copy to the disk", error))?;
    }
    Ok(())
}

/// A name that is free must still be: what appeared there since is not ours to replace.
pub(super) fn taken<D: Directory>(found: &Found<'_, D>) -> Taken {
    if found.target.is_some() { Taken::Replace } else { Taken::Refuse }
}

/// When a copy gets its final name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Naming {
    /// When it is made: the directory itself has a temporary name.
    AtOnce,
    WhenWhole,
}

/// Makes a copy of a link, finishes it (its owner, its time) and names it, replacing what may be replaced.
pub(super) fn transfer_link<D: Directory>(
    side: &TargetSide<D>,
    name: &OsStr,
    text: &OsStr,
    taken: Taken,
    names: &TemporaryNames,
    failed: impl Fn(io::Error) -> Failure,
    finish: impl Fn(&OsStr) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let name_of_copy = names.next();
    match side.directory.make_link(&name_of_copy, text) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            side.open_up(error).and_then(|()| side.directory.make_link(&name_of_copy, text))
        }
        result => result,
    }
    .map_err(&failed)?;
    let unfinished = Unfinished { side, name: Some(name_of_copy.clone()), naming: Naming::WhenWhole };
    finish(&name_of_copy)?;
    unfinished.rename(name, taken, &mut None).map_err(failed)
}

/// A file or link in the target that goes away unless it is finished.
struct Unfinished<'a, D: Directory> {
    side: &'a TargetSide<D>,
    name: Option<OsString>,
    naming: Naming,
}

impl<D: Directory> Unfinished<'_, D> {
    fn keep(mut self) {
        self.name = None;
    }

    /// Names it. Where that fails, and may have been done all the same, `from` is left to be the name that it had.
    fn rename(mut self, name: &OsStr, taken: Taken, from: &mut Option<OsString>) -> io::Result<()> {
        let Some(temporary) = self.name.take() else { return Ok(()) };
        self.side.directory.rename(&temporary, &self.side.directory, name, taken).inspect_err(|_| {
            // What can be removed had not been renamed; what is left is removed by the next pass.
            *from = self.side.directory.remove_file(&temporary).is_err().then_some(temporary);
        })
    }
}

impl<D: Directory> Drop for Unfinished<'_, D> {
    fn drop(&mut self) {
        let Some(name) = &self.name else { return };
        // A temporary file that cannot be removed now is known by its name and removed by the next pass. One that has its
        // own name already keeps its directory from getting one.
        if let Err(error) = self.side.directory.remove_file(name)
            && self.naming == Naming::AtOnce
            && error.kind() != ErrorKind::NotFound
        {
            self.side.spoil();
        }
    }
}

fn create<'a, D: Directory>(
    found: &Found<'_, D>,
    side: &'a TargetSide<D>,
    permissions: &Permissions,
    naming: Naming,
    names: &TemporaryNames,
) -> Result<(File, Unfinished<'a, D>), Failure> {
    let name = match naming {
        Naming::AtOnce => found.name.to_owned(),
        Naming::WhenWhole => names.next(),
    };
    let make = || side.directory.create(&name, permissions);
    let file = match make() {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            side.open_up(error).and_then(|()| make())
        }
        result => result,
    }
    .map_err(|error| could_not_name(found, "make a file in the target", error))?;
    Ok((file, Unfinished { side, name: Some(name), naming }))
}

pub(super) fn could_not_name<D: Directory>(found: &Found<'_, D>, what: &str, error: io::Error) -> Failure {
    match error.kind() {
        ErrorKind::AlreadyExists => name_is_taken(),
        _ => failed(found, Side::Target, what, error),
    }
}

/// Of a name that was free when it was looked for.
pub(super) fn name_is_taken() -> Failure {
    Failure::permanent(
        "the target got something of this name (or of one that differs only in case) during the pass",
    )
}

/// Moves the content in blocks and says how much it was; ends early once it is more than expected.
fn pour<D: Directory, H: Handler<D>>(
    worker: &mut Worker<'_, D, H>,
    found: &Found<'_, D>,
    mut source: &File,
    copy: &mut File,
    expected: u64,
    turn: &mut Turn,
) -> Result<u64, Failure> {
    let block = worker.buffer.len() / 2;
    let mut moved = 0;
    while moved < expected {
        if worker.walk.is_stopped() {
            return Err(Failure::Interrupted);
        }
        let read = match source.read(&mut worker.buffer[..block]) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(failed(found, Side::Source, "read it", error)),
        };
        worker.walk.throttle(read)?;
        copy.write_all(&worker.buffer[..read])
            .map_err(|error| failed(found, Side::Target, "write its copy", error))?;
        moved += read as u64;
        worker.tell(turn, moved);
    }
    Ok(moved)
}

/// Whether a file is what it was when it was looked at: then what was read in between is one whole state of it.
/// Its number is not asked for: not every file system keeps it, and another file of the same size and time is whole too.
pub(super) fn is_same_state(before: &Status, after: &Status) -> bool {
    after.kind == EntryKind::File && before.size == after.size && before.modified == after.modified
}

/// How long until a later write is sure to show in the file's stamp; `None` if that is so already.
fn rest_of_freshness(source: &Status) -> Option<Duration> {
    // A stamp from the future says nothing about now.
    let age = SystemTime::now().duration_since(source.modified).ok()?;
    FRESH.checked_sub(age).filter(|rest| !rest.is_zero())
}

fn failed<D: Directory>(found: &Found<'_, D>, side: Side, what: &str, error: io::Error) -> Failure {
    Failure::of(side, what, &found.path(), error)
}

//! The content of large files and of files with holes: in parts by several workers, gone on with after an interruption,
//! and without its holes.
//!
//! What never happens here:
//! - a copy gets its final name before all of it was written from one state of the source;
//! - a byte is believed to be in the target because a record says so: what is there is read again (see `part`);
//! - a record promises what a power cut could take away (see `ledger`);
//! - a worker that helps holds anything but its own buffer, or keeps a directory's other files waiting.
//!
//! # Several workers in one file
//!
//! Bare system calls on one file of 2 GB, 2 cores, Linux 6.18, blocks of 256 KiB by `pread` and `pwrite`, the flush
//! counted; time as a ratio to one worker (medians of 3 to 7 interleaved rounds, which lie up to a third apart for one
//! worker):
//!
//! | | 1 worker | 2 | 4 | 8 | one reads, one writes |
//! | --- | --- | --- | --- | --- | --- |
//! | page cache warm, to ext4 with a journal on a loop device in memory | 1.00 | 0.49 | 0.5 to 0.8 | | 0.66 |
//! | warm, tmpfs to tmpfs | 1.00 | 0.73 | 0.73 | | 0.77 |
//! | warm, to ext4 on a virtual disk | 1.00 | 0.48 to 0.78 | 0.52 to 0.85 | | 0.6 to 0.8 |
//! | cold, from ext4 on a virtual disk to tmpfs | 1.00 | 0.55 | 0.51 | 0.49 | |
//!
//! A file system lets one writer into a file at a time, so two workers gain what reading and writing at once gain, and
//! more than two gain only where reading waits. Ranges of 1, 16 and 64 MiB are alike. Blocks of 1 MiB are alike when it
//! is warm and a third slower when it is cold; of 4 MiB slower always. Setting space aside first is a tenth for one
//! worker, and starting the disk early (`sync_file_range`) helps one worker by a third and two not at all: what is
//! durable soon for the sake of going on is durable soon enough. Two workers in two files beat two in one by far, so
//! that a worker comes to help only when it finds no other job.
//!
//! # What going on costs
//!
//! A copy that can be gone on with is hashed while it is written and synced every 64 MiB. The program as a whole, one
//! file of 2 GB, cache warm, ext4 on a loop device in memory, best of 5: 0.76 of the time of one worker without that,
//! 0.97 with it; where a disk or a network is what is waited for, it costs nothing. Checking by reading the source
//! again would cost nothing here, and all of the source's transfer when a copy is gone on with, which is what that is
//! to spare.
mod ledger;
mod part;
mod record;
mod share;

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::sync::Arc;

use super::attributes::Attributes;
use super::failure::{Failure, Side};
use super::node::TargetSide;
use super::transfer;
use super::walk::{Found, Handler, Turn, Worker};
use crate::copy::ErrorClass;
use crate::sys::tree::{self, Directory, Status, content};
use ledger::Ledger;
use part::{Open, Part};
pub(super) use share::{Blocks, Pace, Parted, Share, Tools};
use share::{Task, Told};

/// Files from this size on become jobs of their own, so that a directory of large ones keeps all workers at work; and
/// space is set aside for them before writing: it saves time, and a full volume is known at once.
pub(super) const LARGE: u64 = 1024 * 1024;
/// What a worker takes of a file at once, and what has a hash in the record. On a slow source as many units as there
/// are workers are under way for long, and lost by a kill: hence no larger ones.
const UNIT: u64 = 4 * 1024 * 1024;
/// From this size on, others may help.
const SHARED_FROM: u64 = 64 * 1024 * 1024;
/// More than so many who help are worth nothing: two workers fill what one file can take, and a few more hide the wait
/// for a cold disk or a share.
const HELPERS: usize = 7;
/// So much less than a file's size must be on the volume before its holes are looked for.
const HOLES_FROM: u64 = 64 * 1024;

/// Whether all of a file is data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    Full,
    /// It may have holes.
    Sparse,
}

impl Layout {
    fn of(source: &Status) -> Self {
        let takes_less = source.allocated.saturating_add(HOLES_FROM) <= source.size;
        if takes_less && tree::may_have_holes(source) { Self::Sparse } else { Self::Full }
    }
}

/// Whether a file's content is brought over by [`pour`].
pub(super) fn takes(source: &Status) -> bool {
    source.size >= LARGE || Layout::of(source) == Layout::Sparse
}

/// Whether an interrupted copy of a file of this size can be gone on with.
pub(super) fn is_resumable(size: u64, resume_over: u64) -> bool {
    // A single unit is never durable before the whole is.
    size > resume_over.max(UNIT)
}

/// Brings a file's content into a new copy, and says how much that was.
pub(super) fn pour<D: Directory, H: Handler<D>>(
    worker: &mut Worker<'_, D, H>,
    found: &Found<'_, D>,
    source: &File,
    copy: &File,
    expected: &Status,
    turn: &mut Turn,
) -> Result<u64, Failure> {
    let pair = Pair { source, copy, size: expected.size, layout: Layout::of(expected) };
    pair.make_room(found)?;
    if pair.size >= SHARED_FROM {
        let task = Task::Copy { layout: pair.layout, ledger: None };
        share(worker, found, &pair, 0, task, turn)?;
    } else {
        alone(worker, found, &pair, turn)?;
    }
    pair.end(found)?;
    Ok(pair.size)
}

/// Copies a file in a way that can be gone on with, and gives it its name.
pub(super) fn transfer<D: Directory, H: Handler<D>>(
    worker: &mut Worker<'_, D, H>,
    found: &Found<'_, D>,
    side: &TargetSide<D>,
    source: &File,
    expected: &Status,
    turn: &mut Turn,
    attributes: &Attributes,
) -> Result<(), Failure> {
    let part = Part::of(side, found.name);
    let result = grow(worker, found, &part, source, expected, turn, attributes);
    if let Err(Failure::Entry { .. }) = &result {
        let changed = match found.node.source.status(found.name) {
            Ok(now) => !transfer::is_same_state(expected, &now),
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        };
        if changed {
            // What cannot be removed now is known by its name, and removed by the next pass.
            let _ = part.discard();
            turn.renamed_from = None;
        }
    }
    result
}

/// Whether a temporary file is a part that the copy of its file will go on with; `source` is its directory's
/// counterpart.
pub(super) fn is_still_wanted<D: Directory>(
    source: Option<&D>,
    target: &D,
    name: &OsStr,
    resume_over: u64,
) -> bool {
    let wanted = source.and_then(|source| part::still_wanted(source, target, name));
    wanted.is_some_and(|origin| is_resumable(origin.size, resume_over))
}

pub(super) fn source_changed() -> Failure {
    Failure::transient("the source changed while it was read")
}

fn grow<D: Directory, H: Handler<D>>(
    worker: &mut Worker<'_, D, H>,
    found: &Found<'_, D>,
    part: &Part<'_, D>,
    source: &File,
    expected: &Status,
    turn: &mut Turn,
    attributes: &Attributes,
) -> Result<(), Failure> {
    let failed = |what, error| Failure::of(Side::Target, what, &found.path(), error);
    let open = match left_by_another(worker, found, part, source, expected, turn)? {
        Some(open) => open,
        None => part.begin(found, expected, &attributes.first_permissions(expected))?,
    };
    let Open { copy, record, record_file } = open;
    let durable = record.durable();
    // What lies behind was never promised: where the source has a hole it would stay.
    copy.set_len(durable)
        .and_then(|()| record.trim(&record_file))
        .map_err(|error| failed("cut off the end of its copy that is not sure", error))?;
    worker.tell(turn, durable);
    // What an earlier attempt of this pass brought over counts as moved by it.
    turn.resumed = if turn.failed == 0 { durable } else { turn.resumed.min(durable) };
    let pair = Pair { source, copy: &copy, size: expected.size, layout: Layout::of(expected) };
    pair.make_room(found)?;
    let ledger = Some(Box::new(Ledger::new(record, record_file)));
    share(worker, found, &pair, durable, Task::Copy { layout: pair.layout, ledger }, turn)?;
    pair.end(found)?;
    attributes.streams.bring(&mut worker.tools(), source, &copy, || found.path(), D::DURABILITY)?;
    content::set_permissions(&copy, &attributes.first_permissions(expected))
        .map_err(|error| failed("set the copy's permissions", error))?;
    transfer::seal(found, part.side, source, &copy, expected, expected.size, attributes)?;
    drop(copy);
    part.finish(found.name, transfer::taken(found))
        .inspect_err(|_| turn.renamed_from = Some(part.name().to_owned()))
        .map_err(|error| transfer::could_not_name(found, "rename the finished copy over it", error))?;
    Ok(())
}

/// What an earlier attempt left of this copy, all of it checked.
fn left_by_another<D: Directory, H: Handler<D>>(
    worker: &mut Worker<'_, D, H>,
    found: &Found<'_, D>,
    part: &Part<'_, D>,
    source: &File,
    expected: &Status,
    turn: &Turn,
) -> Result<Option<Open>, Failure> {
    // What cannot be read for a moment is worth another attempt: hundreds of gigabytes must not be copied again for it.
    let last = worker.walk.is_last_attempt(turn);
    let begin_anew = |failure| match failure {
        Failure::Entry { class: ErrorClass::Transient, .. } if !last => Err(failure),
        Failure::Entry { .. } => Ok(None),
        failure => Err(failure),
    };
    let open = match part.find(found, source, expected, &mut worker.tools()) {
        Ok(Some(open)) => open,
        Ok(None) => return Ok(None),
        Err(failure) => return begin_anew(failure),
    };
    let task = Task::Check { units: open.record.units.clone() };
    let pair = Pair { source, copy: &open.copy, size: open.record.durable(), layout: Layout::Full };
    // Nothing that is only checked counts as moved.
    match share(worker, found, &pair, 0, task, &mut Turn::default()) {
        Ok(()) => Ok(Some(open)),
        Err(failure) => begin_anew(failure),
    }
}

/// Lets all who have nothing else to do work on a file, from a place on.
fn share<D: Directory, H: Handler<D>>(
    worker: &mut Worker<'_, D, H>,
    found: &Found<'_, D>,
    pair: &Pair<'_>,
    from: u64,
    task: Task,
    turn: &mut Turn,
) -> Result<(), Failure> {
    // Who comes late may hold the files a moment longer than this worker.
    let own = |file: &File, side| {
        file.try_clone()
            .map_err(|error| Failure::of(side, "open it for several workers", &found.path(), error))
    };
    let told = Told::new(from, turn);
    let (source, copy) = (own(pair.source, Side::Source)?, own(pair.copy, Side::Target)?);
    let work = Arc::new(Share::new(found.path(), source, copy, task, from..pair.size, told));
    let units = (pair.size - from).div_ceil(UNIT);
    worker.walk.invite(&work, HELPERS.min(units.saturating_sub(1) as usize));
    let result = work.carry_out(worker.tools());
    turn.told = work.told();
    result
}

/// Brings a file over by one worker, without anything that several would need.
fn alone<D: Directory, H: Handler<D>>(
    worker: &mut Worker<'_, D, H>,
    found: &Found<'_, D>,
    pair: &Pair<'_>,
    turn: &mut Turn,
) -> Result<(), Failure> {
    let path = found.path();
    let told = Told::new(0, turn);
    let mut place = 0;
    while place < pair.size {
        let data = match pair.layout {
            Layout::Full => 0..pair.size,
            Layout::Sparse => data_within(pair.source, place..pair.size)
                .map_err(|error| Failure::of(Side::Source, "find its data", &path, error))?,
        };
        let mut tools = worker.tools();
        told.more(data.start - place, tools.meter);
        place = data.end;
        Blocks { source: pair.source, copy: pair.copy, path: &path }.pour(
            &mut tools,
            data,
            |block, meter| told.more(block.len() as u64, meter),
        )?;
    }
    turn.told = told.told();
    Ok(())
}

/// A source and its copy, both open.
struct Pair<'f> {
    source: &'f File,
    copy: &'f File,
    /// How much of them is worked on.
    size: u64,
    layout: Layout,
}

impl Pair<'_> {
    fn make_room<D: Directory>(&self, found: &Found<'_, D>) -> Result<(), Failure> {
        match self.layout {
            Layout::Sparse => Ok(()),
            Layout::Full => tree::reserve(self.copy, self.size),
        }
        .map_err(|error| Failure::of(Side::Target, "reserve its space", &found.path(), error))
    }

    /// A hole at the end is written by nobody.
    fn end<D: Directory>(&self, found: &Found<'_, D>) -> Result<(), Failure> {
        match self.layout {
            Layout::Full => Ok(()),
            Layout::Sparse => self.copy.set_len(self.size),
        }
        .map_err(|error| Failure::of(Side::Target, "set the size of its copy", &found.path(), error))
    }
}

/// The first data in a range; empty, at its end, if it holds none.
fn data_within(source: &File, range: Range<u64>) -> io::Result<Range<u64>> {
    Ok(match content::data_from(source, range.start)? {
        Some(data) => data.start.clamp(range.start, range.end)..data.end.clamp(range.start, range.end),
        None => range.end..range.end,
    })
}

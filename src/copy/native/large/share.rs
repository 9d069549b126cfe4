//! One file as units that several workers take in turn.
//!
//! The worker that has the file takes part itself, and waits at the end for those who came to help: it alone decides what
//! becomes of the file. A worker comes to help only when it finds nothing else to do, and holds no more than its own
//! buffer. The first failure ends the work of all.

use std::fs::File;
use std::io::ErrorKind;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use blake3::{Hash, Hasher};

use super::ledger::Ledger;
use super::{Layout, UNIT};
use crate::copy::native::failure::{Failure, Side};
use crate::copy::native::meter::Meter;
use crate::copy::native::under_way::LargeMove;
use crate::copy::native::walk::Turn;
use crate::sys::tree::content;

/// What is done with each unit.
pub(super) enum Task {
    /// It is brought over, and counted in the ledger if there is one.
    Copy { layout: Layout, ledger: Option<Box<Ledger>> },
    /// The copy's units must have these hashes.
    Check { units: Vec<Hash> },
}

pub(in crate::copy::native) struct Share {
    path: PathBuf,
    source: File,
    copy: File,
    task: Task,
    size: u64,
    next: AtomicU64,
    over: AtomicBool,
    progress: Told,
    state: Mutex<State>,
    left: Condvar,
}

/// How much progress was told of.
pub(super) struct Told {
    /// Bytes that are done, by whomever.
    done: AtomicU64,
    /// What an earlier attempt told already.
    before: u64,
    /// What is expected of the file.
    expected: u64,
    moving: Option<Arc<LargeMove>>,
}

impl Told {
    /// Of a file's turn, in which so many bytes are done without being moved.
    pub(super) fn new(done: u64, turn: &Turn) -> Self {
        Self {
            done: done.into(),
            before: turn.told,
            expected: turn.known.unwrap_or(0),
            moving: turn.moving.clone(),
        }
    }

    /// So much more is done.
    pub(super) fn more(&self, bytes: u64, meter: &Meter) {
        let before = self.done.fetch_add(bytes, Ordering::Relaxed);
        let after = (before + bytes).min(self.expected);
        meter.move_bytes(after.saturating_sub(before.max(self.before)));
        if let Some(moving) = &self.moving {
            moving.is_at(after);
        }
    }

    pub(super) fn told(&self) -> u64 {
        self.done.load(Ordering::Relaxed).min(self.expected).max(self.before)
    }
}

#[derive(Default)]
struct State {
    present: usize,
    failure: Option<Failure>,
    closed: bool,
}

/// What a worker brings along.
pub(in crate::copy::native) struct Tools<'a> {
    pub(in crate::copy::native) buffer: &'a mut [u8],
    pub(in crate::copy::native) meter: &'a Meter,
    pub(in crate::copy::native) pace: &'a dyn Pace,
}

/// Who says whether and when the next block may be moved.
pub(in crate::copy::native) trait Pace: Sync {
    /// Whether the pass is to end now.
    fn is_stopped(&self) -> bool;
    /// Waits until so many bytes may be moved.
    fn throttle(&self, bytes: usize) -> Result<(), Failure>;
}

/// When a worker left a file that several work on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::copy::native) enum Parted {
    AtTheEnd,
    /// Something else waited for a worker.
    Before,
}

impl Share {
    /// The work from a place on, which is where a unit begins or the file ends.
    pub(super) fn new(
        path: PathBuf,
        source: File,
        copy: File,
        task: Task,
        bytes: Range<u64>,
        progress: Told,
    ) -> Self {
        Self {
            path,
            source,
            copy,
            task,
            size: bytes.end,
            next: AtomicU64::new(bytes.start.div_ceil(UNIT)),
            over: AtomicBool::new(false),
            progress,
            state: Mutex::default(),
            left: Condvar::new(),
        }
    }

    /// Does all of it, with those who come to help, and ends when the last of them has left.
    pub(super) fn carry_out(&self, tools: Tools<'_>) -> Result<(), Failure> {
        self.take_part(tools, || false);
        let mut state = self.lock();
        state.closed = true;
        while state.present > 0 {
            state = self.left.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        match state.failure.take() {
            None => Ok(()),
            Some(failure) => Err(failure),
        }
    }

    /// Takes units until none is left, or until something else wants to be done.
    pub(in crate::copy::native) fn take_part(
        &self,
        mut tools: Tools<'_>,
        others_wait: impl Fn() -> bool,
    ) -> Parted {
        let Some(_present) = self.enter() else { return Parted::AtTheEnd };
        while !self.over.load(Ordering::Relaxed) {
            let start = self.next.fetch_add(1, Ordering::Relaxed).saturating_mul(UNIT);
            if start >= self.size {
                return Parted::AtTheEnd;
            }
            if let Err(failure) = self.unit(&mut tools, start) {
                self.fail(failure);
            }
            if others_wait() {
                return Parted::Before;
            }
        }
        Parted::AtTheEnd
    }

    pub(super) fn told(&self) -> u64 {
        self.progress.told()
    }

    fn unit(&self, tools: &mut Tools<'_>, start: u64) -> Result<(), Failure> {
        let end = self.size.min(start + UNIT);
        let number = (start / UNIT) as usize;
        match &self.task {
            Task::Check { units } => {
                let hash = hash(Side::Target, &self.copy, start..end, tools)
                    .map_err(|failure| failure.of_file(Side::Target, &self.path))?;
                match hash {
                    Some(hash) if units.get(number) == Some(&hash) => Ok(()),
                    _ => Err(Failure::permanent("what is there of the copy is not what was written")),
                }
            }
            Task::Copy { layout, ledger } => {
                let mut hasher = ledger.as_ref().map(|_| Hasher::new());
                self.bring(tools, start..end, *layout, hasher.as_mut())?;
                if let (Some(ledger), Some(hasher)) = (ledger, hasher) {
                    ledger.enter(number, hasher.finalize(), &self.copy).map_err(|error| {
                        Failure::of(Side::Target, "bring a part of the copy to the disk", &self.path, error)
                    })?;
                }
                Ok(())
            }
        }
    }

    /// Copies the data of a unit and leaves its holes out.
    fn bring(
        &self,
        tools: &mut Tools<'_>,
        unit: Range<u64>,
        layout: Layout,
        mut hasher: Option<&mut Hasher>,
    ) -> Result<(), Failure> {
        let mut place = unit.start;
        while place < unit.end {
            let data = match layout {
                Layout::Full => unit.clone(),
                Layout::Sparse => super::data_within(&self.source, place..unit.end)
                    .map_err(|error| Failure::of(Side::Source, "find its data", &self.path, error))?,
            };
            if let Some(hasher) = &mut hasher {
                zeros(hasher, data.start - place);
            }
            self.progress.more(data.start - place, tools.meter);
            let blocks = Blocks { source: &self.source, copy: &self.copy, path: &self.path };
            blocks.pour(tools, data.clone(), |block, meter| {
                if let Some(hasher) = &mut hasher {
                    hasher.update(block);
                }
                self.progress.more(block.len() as u64, meter);
            })?;
            place = data.end;
        }
        Ok(())
    }

    fn enter(&self) -> Option<Present<'_>> {
        let mut state = self.lock();
        if state.closed {
            return None;
        }
        state.present += 1;
        Some(Present(self))
    }

    fn fail(&self, failure: Failure) {
        self.over.store(true, Ordering::Relaxed);
        self.lock().failure.get_or_insert(failure);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is whole after every step, so a panic elsewhere does not spoil it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A worker that takes part.
struct Present<'s>(&'s Share);

impl Drop for Present<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.fail(Failure::Interrupted);
        }
        self.0.lock().present -= 1;
        self.0.left.notify_all();
    }
}

/// Both files, and the name of them that is told.
pub(in crate::copy::native) struct Blocks<'f> {
    pub(in crate::copy::native) source: &'f File,
    pub(in crate::copy::native) copy: &'f File,
    pub(in crate::copy::native) path: &'f Path,
}

impl Blocks<'_> {
    /// Copies these bytes block by block; a source that ends before has changed.
    pub(in crate::copy::native) fn pour(
        &self,
        tools: &mut Tools<'_>,
        bytes: Range<u64>,
        mut moved: impl FnMut(&[u8], &Meter),
    ) -> Result<(), Failure> {
        let block = tools.buffer.len() / 2;
        let mut place = bytes.start;
        while place < bytes.end {
            if tools.pace.is_stopped() {
                return Err(Failure::Interrupted);
            }
            let wanted = (bytes.end - place).min(block as u64) as usize;
            let read = match content::read_at(self.source, &mut tools.buffer[..wanted], place) {
                Ok(0) => return Err(super::source_changed()),
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(Failure::of(Side::Source, "read it", self.path, error)),
            };
            tools.pace.throttle(read)?;
            content::write_at(self.copy, &tools.buffer[..read], place)
                .map_err(|error| Failure::of(Side::Target, "write its copy", self.path, error))?;
            moved(&tools.buffer[..read], tools.meter);
            place += read as u64;
        }
        Ok(())
    }
}

/// Why some bytes have no hash.
pub(super) enum Unread {
    Stopped,
    Failed(std::io::Error),
}

impl Unread {
    pub(super) fn of_file(self, side: Side, path: &Path) -> Failure {
        match self {
            Self::Stopped => Failure::Interrupted,
            Self::Failed(error) => Failure::of(side, "read what is there of it", path, error),
        }
    }
}

/// The hash of some bytes of a file; `None` if it is shorter.
pub(super) fn hash(
    side: Side,
    file: &File,
    bytes: Range<u64>,
    tools: &mut Tools<'_>,
) -> Result<Option<Hash>, Unread> {
    let block = tools.buffer.len() / 2;
    let mut hasher = Hasher::new();
    let mut place = bytes.start;
    while place < bytes.end {
        if tools.pace.is_stopped() {
            return Err(Unread::Stopped);
        }
        let wanted = (bytes.end - place).min(block as u64) as usize;
        match content::read_at(file, &mut tools.buffer[..wanted], place) {
            Ok(0) => return Ok(None),
            Ok(read) => {
                // What is read of the target lies there already, and nothing moves.
                if side == Side::Source {
                    tools.pace.throttle(read).map_err(|_| Unread::Stopped)?;
                }
                hasher.update(&tools.buffer[..read]);
                place += read as u64;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(Unread::Failed(error)),
        }
    }
    Ok(Some(hasher.finalize()))
}

fn zeros(hasher: &mut Hasher, mut bytes: u64) {
    static ZEROS: [u8; 64 * 1024] = [0; 64 * 1024];
    while bytes > 0 {
        let some = bytes.min(ZEROS.len() as u64);
        hasher.update(&ZEROS[..some as usize]);
        bytes -= some;
    }
}

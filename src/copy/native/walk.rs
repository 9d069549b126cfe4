//! Walks source and target together, directory by directory, with many workers, and hands what it finds to a handler.
//!
//! Every name of the source ends in exactly one call of the handler (or in none, if the pass is stopped): `file` that
//! succeeds, `same`, `link`, `special`, `kept_out` or `failed`. Directories that share a name are entered on both sides
//! through handles; nothing is reached by a path, and no link is ever followed.
//!
//! Memory is bounded by the directories in flight: those that a worker is in, and their ancestors. What such a directory
//! holds is kept as one list of names, of which a piece at a time becomes jobs; an extra directory is listed whole before it
//! is told of, and kept as its names with 22 bytes each.
//!
//! No tree is too deep for the stack, since nothing here calls itself. What bounds the depth is open handles, two for each
//! level that is copied, and memory: a directory in flight holds its whole path, and so does each extra entry that a purge
//! is told of, which for ten thousand levels of short names is 100 MB.

mod by_listing;
mod entry;
mod extras;
mod handler;
mod job;
mod pair;
mod settle;
mod worker;

use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::failure::{Failure, Side};
use super::hard_links::Parked;
use super::large::{Pace, Parted, Share};
use super::meter::Meter;
use super::node::{LetGo, Node, Origin, TargetSide, in_the_way};
use super::queue::{Queue, Waited};
use super::temporary;
use super::throttle::Throttle;
use super::under_way::UnderWay;
use crate::copy::quarantine::is_quarantine;
use crate::copy::{EntryKind, ErrorClass, PassError, Progress, Watch};
use crate::filter::Filter;
use crate::sys::tree::{Case, Directory};
use by_listing::ByListing;
pub(super) use by_listing::OldListings;
pub(super) use handler::{FirstLook, Found, Handler, Lost, Next, Opened, Turn};
use job::Job;
pub(super) use pair::InTarget;
use pair::{Pair, Whose};
use settle::{Again, Identities};
pub(super) use worker::Worker;

/// A directory with more names than this is split between workers.
const PIECE: usize = 128;
/// A new directory with more names than this has its own name from the start: a kill while it is filled would lose
/// more than the renames cost.
const FILLED_AT_ONCE: usize = 32 * PIECE;
/// The block that is read and written at once: measured to beat larger and smaller ones for small files.
const BLOCK: usize = 256 * 1024;
/// The shortest time between two states of progress.
pub(super) const PROGRESS: Duration = Duration::from_millis(100);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// No directory is entered.
    Top,
    All,
}

/// What a walk is told.
pub(super) struct Orders<'a> {
    pub(super) filter: &'a Filter,
    pub(super) started: Timestamp,
    pub(super) depth: Depth,
    pub(super) old_listings: OldListings,
    pub(super) retries: u32,
    pub(super) wait: Duration,
    pub(super) threads: u32,
    pub(super) throttle: Throttle,
}

pub(super) struct Walk<'a, D, H> {
    orders: Orders<'a>,
    identities: Identities,
    handler: &'a H,
    watch: &'a Watch<'a>,
    queue: Queue<Job<D>>,
    pub(super) meter: Meter,
    pub(super) under_way: UnderWay,
    stopped: AtomicBool,
    why: Mutex<Option<PassError>>,
}

/// Walks both trees and gives back the workers' tallies.
pub(super) fn walk<D: Directory, H: Handler<D>>(
    source: D,
    target: Option<TargetSide<D>>,
    orders: Orders<'_>,
    handler: &H,
    watch: &Watch<'_>,
) -> Result<Vec<H::Tally>, PassError> {
    let status = source.own_status().map_err(|error| PassError::Fatal {
        what: "cannot look at the source".into(),
        path: String::new(),
        hint: "bring the source back, then go on with the run".into(),
        source: Some(error),
    })?;
    // One that cannot be looked at now is looked at again before anything that is missing in it is believed.
    let identity = |side: &TargetSide<D>| side.directory.own_status().ok()?.identity;
    let identities = Identities { source: status.identity, target: target.as_ref().and_then(identity) };
    let root = Arc::new(Node::new(None, OsString::new(), source, status, target));
    let threads = orders.threads.clamp(1, 1024);
    let walk = Walk {
        orders,
        identities,
        handler,
        watch,
        queue: Queue::new(),
        meter: Meter::default(),
        under_way: UnderWay::default(),
        stopped: AtomicBool::new(false),
        why: Mutex::new(None),
    };
    walk.wait_out_old_listings(&root);
    walk.push(Job::Top { node: Arc::clone(&root) });
    let tallies = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(|| walk.work())).collect();
        while walk.queue.wait(PROGRESS) == Waited::StillAtWork && !walk.is_stopped() {
            (watch.progress)(walk.progress());
        }
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    });
    if watch.cancel.is_requested() {
        walk.stop(PassError::Interrupted);
    }
    for job in walk.queue.drain() {
        if let Job::Piece { node, .. } = job {
            // The pass ends by another error already, and what keeps its temporary name is copied again by the next.
            let _ = node.filled();
        }
    }
    // A tree that was removed while it was walked looks like one that has little in it.
    // One that is stopped is not believed anyway, and a share that is down would let it wait.
    if !walk.is_stopped()
        && let Some(why) = walk.lost_root(&root)
    {
        walk.stop(why);
    }
    if let Some(why) = walk.why.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(why);
    }
    (watch.progress)(walk.under_way.told(walk.meter.read()));
    Ok(tallies)
}

impl<D: Directory, H: Handler<D>> Walk<'_, D, H> {
    fn work(&self) -> H::Tally {
        let mut worker = Worker {
            walk: self,
            tally: H::Tally::default(),
            buffer: vec![0; 2 * BLOCK],
            path: PathBuf::new(),
            unmoved: 0,
        };
        self.handler.begins(&mut worker.tally);
        while let Some((job, _taken)) = self.queue.take(|| self.is_stopped()) {
            // A panic must not leave the others waiting for a job that nobody finishes.
            let _stop = StopOnPanic(&self.stopped);
            self.run(&mut worker, job);
        }
        worker.tally
    }

    fn progress(&self) -> Progress {
        self.under_way.told(self.meter.read())
    }

    /// Whether the pass is to end now; asked between files and between blocks.
    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed) || self.watch.cancel.is_requested()
    }

    /// Waits until so many bytes may be moved.
    pub(super) fn throttle(&self, bytes: usize) -> Result<(), Failure> {
        self.orders.throttle.pass(bytes as u64, || self.is_stopped())
    }

    fn stop(&self, why: PassError) {
        let mut kept = self.why.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get_or_insert(why);
        self.stopped.store(true, Ordering::Relaxed);
    }

    fn push(&self, job: Job<D>) {
        self.register(&job);
        self.queue.push(job);
    }

    /// Lets a name go on that waited for another of its file; its directory is held already.
    pub(super) fn wake(&self, parked: Parked<D>) {
        let Parked { node, name, mut turn } = parked;
        turn.on_its_own = true;
        self.queue.push(Job::Entry { node, name, turn });
    }

    /// Whether an attempt that fails now is not followed by another.
    pub(super) fn is_last_attempt(&self, turn: &Turn) -> bool {
        turn.failed >= self.orders.retries
    }

    /// Asks so many workers to help with a file, once they have nothing else to do.
    pub(super) fn invite(&self, share: &Arc<Share>, most: usize) {
        for _ in 0..most.min(self.orders.threads.saturating_sub(1) as usize) {
            self.queue.push_spare(Job::Help { share: Arc::downgrade(share) });
        }
    }

    fn register(&self, job: &Job<D>) {
        if job.lists() {
            self.meter.listing_begins();
        }
        if let Some(node) = job.held() {
            node.hold();
        }
    }

    fn run(&self, worker: &mut Worker<'_, D, H>, job: Job<D>) {
        let lists = job.lists();
        match job {
            Job::Top { node } => {
                match self.list(worker, &node) {
                    Ok(()) => {}
                    Err(Failure::Entry { text, .. }) => self.stop(PassError::Fatal {
                        what: text,
                        path: ".".into(),
                        hint: "make the top directory readable, then go on with the run".into(),
                        source: None,
                    }),
                    Err(failure) => self.end_by(failure),
                }
                self.release(worker, &node);
            }
            Job::Visit { parent, name, in_target, failed } => {
                self.visit(worker, parent, name, in_target, failed);
            }
            Job::Piece { node, pair, range } => {
                // The rest is left to whoever is free, at once: as jobs made ahead, a million names would be thousands.
                let (first, rest) = split(range);
                if !rest.is_empty() {
                    node.fill();
                    self.push(Job::Piece { node: Arc::clone(&node), pair: Arc::clone(&pair), range: rest });
                }
                self.piece(worker, &node, &pair, first);
                self.release(worker, &node);
            }
            Job::Folders { node, pair, whose, from } => {
                self.folders(worker, &node, &pair, whose, from);
                self.release(worker, &node);
            }
            Job::Entry { node, name, mut turn } => {
                if std::mem::take(&mut turn.waits) {
                    self.meter.retry_ends();
                }
                self.entry(worker, &node, &name, FirstLook::Closed, turn);
                self.release(worker, &node);
            }
            Job::Extra { node, name, kind, failed } => {
                self.extra_tree(worker, &node, name, kind, failed);
                self.release(worker, &node);
            }
            Job::Name { node, failed } => self.leave(worker, &node, failed),
            Job::Help { share } => {
                // One file of a terabyte must not keep all workers from a million small ones.
                if let Some(work) = share.upgrade()
                    && work.take_part(worker.tools(), || self.queue.has_ready()) == Parted::Before
                {
                    self.queue.push_spare(Job::Help { share });
                }
            }
        }
        self.meter.finish_unmoved(std::mem::take(&mut worker.unmoved));
        if lists {
            self.meter.listing_ends();
        }
    }

    /// Gives back a hold on a directory, and leaves it and those above that wait for it alone.
    fn release(&self, worker: &mut Worker<'_, D, H>, node: &Arc<Node<D>>) {
        if node.let_go() == LetGo::Last && !self.is_stopped() {
            self.leave(worker, node, 0);
        }
    }

    /// Leaves a directory below which all is done, whose name was refused so often by then, and those above it.
    fn leave(&self, worker: &mut Worker<'_, D, H>, node: &Arc<Node<D>>, mut failed: u32) {
        let mut node = node;
        loop {
            if let Err(failure) = node.named() {
                self.settle_name(node, failure, failed);
                return;
            }
            failed = 0;
            self.handler.left(worker, node);
            match &node.parent {
                Some(parent) if parent.let_go() == LetGo::Last && !self.is_stopped() => node = parent,
                _ => return,
            }
        }
    }

    fn visit(
        &self,
        worker: &mut Worker<'_, D, H>,
        parent: Arc<Node<D>>,
        name: OsString,
        in_target: InTarget,
        failed: u32,
    ) {
        let entered = self.enter(&parent, &name, in_target).and_then(|node| {
            let node = Arc::new(node);
            self.list(worker, &node)?;
            Ok(node)
        });
        match entered {
            // From here on the directory holds its parent.
            Ok(node) => self.release(worker, &node),
            Err(failure) => {
                let path = parent.path_of(&name);
                let again = Job::Visit { parent: Arc::clone(&parent), name, in_target, failed: failed + 1 };
                self.settle(worker, failure, failed, &parent, Again::new(again, &path, "/", 0));
                self.release(worker, &parent);
            }
        }
    }

    fn enter(&self, parent: &Arc<Node<D>>, name: &OsStr, in_target: InTarget) -> Result<Node<D>, Failure> {
        let failed = |side, what, error| Failure::of(side, what, &parent.path_of(name), error);
        let source =
            parent.source.enter(name).map_err(|error| failed(Side::Source, "enter the directory", error))?;
        let status =
            source.own_status().map_err(|error| failed(Side::Source, "look at the directory", error))?;
        let target = match (parent.target(), in_target) {
            (Some(above), InTarget::Look | InTarget::File) => match above.directory.enter(name) {
                Ok(directory) => Some(TargetSide::new(directory, Origin::Found)),
                Err(error) => match error.kind() {
                    ErrorKind::NotFound => None,
                    _ if above
                        .directory
                        .status(name)
                        .is_ok_and(|status| status.kind != EntryKind::Directory) =>
                    {
                        return Err(in_the_way());
                    }
                    _ => return Err(failed(Side::Target, "enter the directory in the target", error)),
                },
            },
            _ => None,
        };
        Ok(Node::new(Some(Arc::clone(parent)), name.to_owned(), source, status, target))
    }

    /// Lists a directory on both sides, makes jobs of what is below it, and handles its files.
    fn list(&self, worker: &mut Worker<'_, D, H>, node: &Arc<Node<D>>) -> Result<(), Failure> {
        let failed = |side, what, error| Failure::of(side, what, &node.relative, error);
        let source =
            node.source.names().map_err(|error| failed(Side::Source, "list the directory", error))?;
        let mut pair = Pair::new(source);
        if let Some(side) = node.target() {
            let same = |source: &_, target: &_| self.handler.is_same_as_listed(source, target);
            pair.meet(&side.directory, &same)
                .map_err(|error| failed(Side::Target, "list the directory in the target", error))?;
        }
        if node.target_case() == Case::Folded {
            pair.find_clashes(|names, index| self.may_clash(worker, node, names, index));
        }
        if pair.source.len() > FILLED_AT_ONCE {
            node.filled()?;
        }
        self.handler.entered(worker, node)?;
        self.target_only(worker, node, &pair);
        let pair = Arc::new(pair);
        if self.orders.depth == Depth::All {
            self.folders(worker, node, &pair, Whose::TargetOnly, 0);
            self.folders(worker, node, &pair, Whose::Source, 0);
        }
        let length = pair.source.len();
        if length <= PIECE {
            self.piece(worker, node, &pair, 0..length);
            return Ok(());
        }
        node.fill();
        self.push(Job::Piece { node: Arc::clone(node), pair, range: 0..length });
        self.filled(node);
        Ok(())
    }

    /// Makes jobs of the folders among the names from one on, a piece of them: the rest is left for when these are
    /// through, since the newest job comes first. As jobs made ahead, a million folders would be a million.
    fn folders(
        &self,
        worker: &mut Worker<'_, D, H>,
        node: &Arc<Node<D>>,
        pair: &Arc<Pair>,
        whose: Whose,
        from: usize,
    ) {
        let (folders, rest) = pair.folders(whose, from, PIECE);
        if let Some(from) = rest {
            self.push(Job::Folders { node: Arc::clone(node), pair: Arc::clone(pair), whose, from });
        }
        for index in folders {
            let name = pair.name_of(whose, index);
            match whose {
                Whose::Source => {
                    self.descend(worker, node, name, pair.in_target(index), pair.clash(index));
                }
                Whose::TargetOnly if node.parent.is_none() && is_quarantine(name) => {}
                Whose::TargetOnly => {
                    let (node, name) = (Arc::clone(node), name.to_owned());
                    self.push(Job::Extra { node, name, kind: EntryKind::Directory, failed: 0 });
                }
            }
        }
    }

    /// A job that lists a part of a directory is through, also where the pass was stopped: what it wrote is whole.
    fn filled(&self, node: &Node<D>) {
        match node.filled() {
            // Once all below it is done it is tried again: what is written into it may be what keeps it from its name.
            Ok(()) | Err(Failure::Entry { .. }) => {}
            Err(failure) => self.end_by(failure),
        }
    }

    /// Makes a job of a folder, but for one that the target takes for `other`.
    fn descend(
        &self,
        worker: &mut Worker<'_, D, H>,
        node: &Arc<Node<D>>,
        name: &OsStr,
        in_target: InTarget,
        other: Option<&OsStr>,
    ) {
        if node.parent.is_none() && is_quarantine(name) {
            return;
        }
        if let Err(rule) = self.judge_directory(worker, &node.relative, name) {
            self.handler.kept_out(&mut worker.tally, node, name, rule, 0);
            return;
        }
        let visit = Job::Visit { parent: Arc::clone(node), name: name.to_owned(), in_target, failed: 0 };
        match other {
            None => self.push(visit),
            Some(other) => {
                let again = Again::new(visit, &node.path_of(name), "/", 0);
                // Never as something that passes: tried again, it would not be known for a clash.
                self.give_up(worker, ErrorClass::Permanent, entry::clash(other), 1, again);
            }
        }
    }

    fn piece(&self, worker: &mut Worker<'_, D, H>, node: &Arc<Node<D>>, pair: &Pair, range: Range<usize>) {
        for (index, in_target) in pair.both(range) {
            if self.is_stopped() {
                break;
            }
            let (name, kind) = (pair.source.name(index), pair.source.kind(index));
            if kind == EntryKind::Directory
                || temporary::is_temporary(name)
                || self.settle_by_listing(worker, node, pair, index) == ByListing::Settled
            {
                continue;
            }
            let look = match kind {
                // What is no file on both sides is never opened, and what the filter may keep out is looked at before.
                EntryKind::File if in_target == InTarget::File && self.orders.filter.is_everything() => {
                    self.handler.first_look()
                }
                _ => FirstLook::Closed,
            };
            let turn = Turn { in_target, clash: pair.clash(index).map(Into::into), ..Turn::default() };
            self.entry(worker, node, name, look, turn);
        }
        self.filled(node);
    }
}

/// What one worker takes of a range of names, and the rest.
fn split(range: Range<usize>) -> (Range<usize>, Range<usize>) {
    let end = range.end.min(range.start + PIECE);
    (range.start..end, end..range.end)
}

struct StopOnPanic<'a>(&'a AtomicBool);

impl Drop for StopOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}

impl<D: Directory, H: Handler<D>> Pace for Walk<'_, D, H> {
    fn is_stopped(&self) -> bool {
        self.is_stopped()
    }

    fn throttle(&self, bytes: usize) -> Result<(), Failure> {
        self.throttle(bytes)
    }
}

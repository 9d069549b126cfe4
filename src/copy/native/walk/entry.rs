//! What becomes of one entry of the source that is no directory: it is looked at, judged by the filter, and handed on.

use std::cell::Cell;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use super::pair::InTarget;
use super::settle::{Again, Settled};
use super::{Depth, FirstLook, Found, Handler, Job, Next, Opened, Turn, Walk, Worker};
use crate::copy::native::failure::{Failure, Side};
use crate::copy::native::node::{Node, TargetSide};
use crate::copy::native::temporary;
use crate::copy::{EntryKind, Rule, names};
use crate::filter::Candidate;
use crate::sys::tree::{Directory, Names};

impl<D: Directory, H: Handler<D>> Walk<'_, D, H> {
    /// Handles it, and settles what becomes of it if that fails.
    pub(super) fn entry(
        &self,
        worker: &mut Worker<'_, D, H>,
        node: &Arc<Node<D>>,
        name: &OsStr,
        look: FirstLook,
        mut turn: Turn,
    ) {
        let result = self.try_entry(worker, node, name, look, &mut turn);
        if !matches!(result, Ok(Next::OnItsOwn)) {
            self.handler.over(worker, &mut turn);
        }
        match result {
            Ok(Next::Done) => {
                if let Some(known) = turn.known {
                    worker.finish_file(known, turn.told);
                }
            }
            Ok(Next::Waits) => {}
            Ok(Next::OnItsOwn) => {
                turn.on_its_own = true;
                self.push(Job::Entry { node: Arc::clone(node), name: name.to_owned(), turn });
            }
            Err(failure) => {
                let (failed, size, known, told) = (turn.failed, turn.size, turn.known, turn.told);
                turn.failed += 1;
                let path = node.path_of(name);
                let again = Job::Entry { node: Arc::clone(node), name: name.to_owned(), turn };
                if self.settle(worker, failure, failed, node, Again::new(again, &path, "", size))
                    == Settled::Lost
                    && let Some(known) = known
                {
                    worker.finish_file(known, told);
                }
            }
        }
    }

    fn try_entry(
        &self,
        worker: &mut Worker<'_, D, H>,
        node: &Arc<Node<D>>,
        name: &OsStr,
        look: FirstLook,
        turn: &mut Turn,
    ) -> Result<Next, Failure> {
        let failed = |side, what, error| Failure::of(side, what, &node.path_of(name), error);
        let opened = Opened::default();
        let look_at = |directory: &D, opened: &Cell<Option<File>>, look| match look {
            FirstLook::Closed => directory.status(name),
            FirstLook::Open => match directory.read(name) {
                Ok(file) => {
                    let status = D::file_status(&file);
                    opened.set(Some(file));
                    status
                }
                // What cannot be read may be looked at all the same.
                Err(error) if error.kind() == ErrorKind::PermissionDenied => directory.status(name),
                Err(error) => Err(error),
            },
        };
        let source = look_at(&node.source, &opened.source, look)
            .map_err(|error| failed(Side::Source, "look at it", error))?;
        match source.kind {
            EntryKind::File => {}
            EntryKind::Link => {
                match self.judge_name(worker, &node.relative, name) {
                    Ok(()) => {
                        clashes_with_none(turn)?;
                        self.handler.link(worker, node, name, turn)?;
                    }
                    Err(rule) => self.handler.kept_out(&mut worker.tally, node, name, rule, 0),
                }
                return Ok(Next::Done);
            }
            EntryKind::Special => {
                self.handler.special(&mut worker.tally, node, name);
                return Ok(Next::Done);
            }
            // It was a file a moment ago.
            EntryKind::Directory => {
                if self.orders.depth == Depth::All {
                    let other = turn.clash.as_deref();
                    self.descend(worker, node, name, turn.in_target, other);
                }
                return Ok(Next::Done);
            }
        }
        turn.size = source.size;
        // A file that was let in once stays in: its account must not change between two attempts.
        if turn.known.is_none()
            && let Err(rule) = self.judge(worker, &node.relative, name, source.size, source.modified)
        {
            self.handler.kept_out(&mut worker.tally, node, name, rule, source.size);
            return Ok(Next::Done);
        }
        clashes_with_none(turn)?;
        let look_in = |side: &TargetSide<D>| {
            if is_looked_for(&side.directory, turn)? {
                look_at(&side.directory, &opened.target, look).map(Some)
            } else {
                Ok(None)
            }
        };
        let target = match node.target().map_or(Ok(None), look_in) {
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            looked => looked.map_err(|error| failed(Side::Target, "look at it in the target", error))?,
        };
        self.handler.file(worker, &Found { node, name, source, target, opened }, turn)
    }

    /// Whether an entry of the source would be brought to the target, as far as its listing tells.
    pub(super) fn may_clash(
        &self,
        worker: &mut Worker<'_, D, H>,
        node: &Node<D>,
        names: &Names,
        index: usize,
    ) -> bool {
        let (name, above) = (names.name(index), &node.relative);
        match names.kind(index) {
            _ if temporary::is_temporary(name) => false,
            EntryKind::File => match names.file(index) {
                Some(file) => self.judge(worker, above, name, file.size, file.modified).is_ok(),
                None => self.judge_name(worker, above, name).is_ok(),
            },
            EntryKind::Link => self.handler.brings_links() && self.judge_name(worker, above, name).is_ok(),
            EntryKind::Directory => self.judge_directory(worker, above, name).is_ok(),
            EntryKind::Special => false,
        }
    }

    pub(super) fn judge(
        &self,
        worker: &mut Worker<'_, D, H>,
        above: &Path,
        name: &OsStr,
        size: u64,
        modified: SystemTime,
    ) -> Result<(), Rule> {
        if self.orders.filter.is_everything() {
            return Ok(());
        }
        let path = worker.below(above, name);
        self.orders.filter.judge(&Candidate { path, size, modified }, self.orders.started)
    }

    pub(super) fn judge_name(
        &self,
        worker: &mut Worker<'_, D, H>,
        above: &Path,
        name: &OsStr,
    ) -> Result<(), Rule> {
        self.orders.filter.judge_name(worker.below(above, name))
    }

    pub(super) fn judge_directory(
        &self,
        worker: &mut Worker<'_, D, H>,
        above: &Path,
        name: &OsStr,
    ) -> Result<(), Rule> {
        if self.orders.filter.is_everything() {
            return Ok(());
        }
        self.orders.filter.judge_directory(worker.below(above, name))
    }
}

/// Whether a name is looked for in the target. One that the listing did not have is there by now only if an attempt that
/// failed has given it all the same: then what it was renamed from is gone.
fn is_looked_for<D: Directory>(target: &D, turn: &Turn) -> io::Result<bool> {
    match (turn.in_target, &turn.renamed_from) {
        (InTarget::Look | InTarget::File, _) => Ok(true),
        (InTarget::Absent, None) => Ok(false),
        (InTarget::Absent, Some(from)) => match target.status(from) {
            Ok(_) => Ok(false),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(true),
            Err(error) => Err(error),
        },
    }
}

/// Fails where the target takes the name for another one of the source.
fn clashes_with_none(turn: &Turn) -> Result<(), Failure> {
    turn.clash.as_deref().map_or(Ok(()), |other| Err(Failure::permanent(clash(other))))
}

/// What is told of a name that the target takes for another one of the source.
pub(super) fn clash(other: &OsStr) -> String {
    format!(
        "differs only in case from {}, and the target takes both for one: rename one of them in the source",
        names::shown(Path::new(other))
    )
}

//! What only the target has: told of in an order in which it can be taken away.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Again, Depth, Handler, Job, Pair, Walk, Worker};
use crate::copy::native::failure::{Failure, Side};
use crate::copy::native::node::Node;
use crate::copy::native::temporary;
use crate::copy::quarantine::is_quarantine;
use crate::copy::{EntryKind, ExtraEntry, Rule};
use crate::sys::tree::Directory;

/// Whether all of a directory is let in by the filter, so that the directory itself can go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whole {
    Yes,
    No,
}

/// What one extra directory holds, kept back until all of it was listed: a listing that fails half-way tells nothing.
#[derive(Default)]
struct Haul {
    entries: Vec<(ExtraEntry, Result<(), Rule>)>,
    target_files: u64,
}

impl<D: Directory, H: Handler<D>> Walk<'_, D, H> {
    /// Tells the handler what of a directory only the target has.
    pub(super) fn target_only(&self, worker: &mut Worker<'_, D, H>, node: &Arc<Node<D>>, pair: &Pair) {
        let Some(side) = node.target() else { return };
        self.handler.target_files(&mut worker.tally, pair.target_files);
        for index in 0..pair.target_only.len() {
            // A folder of a million extra files must not hold up whoever wants to stop.
            if self.is_stopped() {
                return;
            }
            let (name, kind) = (pair.target_only.name(index), pair.target_only.kind(index));
            match kind {
                EntryKind::Directory if node.parent.is_none() && is_quarantine(name) => {}
                _ if temporary::is_leftover(name, kind) => {
                    self.handler.leftover(&mut worker.tally, Some(&node.source), &side.directory, name, kind);
                }
                EntryKind::Directory if self.orders.depth == Depth::Top => {}
                EntryKind::Directory => {
                    self.push(Job::Extra { node: Arc::clone(node), name: name.to_owned(), failed: 0 });
                }
                _ => match self.extra_entry(worker, &side.directory, &node.relative, name, kind) {
                    Ok(Some((entry, judged))) => self.handler.extra(&mut worker.tally, entry, judged),
                    Ok(None) => {}
                    Err(failure) => {
                        let path = node.path_of(name);
                        let again = Job::Extra { node: Arc::clone(node), name: name.to_owned(), failed: 1 };
                        self.settle(worker, failure, 0, node, Again::new(again, &path, "", 0));
                    }
                },
            }
        }
    }

    /// Lists an extra directory with all that it holds, or looks again at another extra entry.
    pub(super) fn extra_tree(
        &self,
        worker: &mut Worker<'_, D, H>,
        node: &Arc<Node<D>>,
        name: OsString,
        failed: u32,
    ) {
        let Some(side) = node.target() else { return };
        let mut haul = Haul::default();
        let listed = match side.directory.status(&name) {
            Ok(status) if status.kind == EntryKind::Directory => {
                self.collect(worker, &side.directory, &node.relative, &name, Ok(()), &mut haul).map(|_| ())
            }
            Ok(status) => self
                .extra_entry(worker, &side.directory, &node.relative, &name, status.kind)
                .map(|entry| haul.entries.extend(entry)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(error) => {
                Err(Failure::of(Side::Target, "look at the extra entry", &node.path_of(&name), error))
            }
        };
        match listed {
            Ok(()) => {
                self.handler.target_files(&mut worker.tally, haul.target_files);
                for (entry, judged) in haul.entries {
                    self.handler.extra(&mut worker.tally, entry, judged);
                }
            }
            Err(failure) => {
                let path = node.path_of(&name);
                let again = Job::Extra { node: Arc::clone(node), name, failed: failed + 1 };
                self.settle(worker, failure, failed, node, Again::new(again, &path, "/", 0));
            }
        }
    }

    fn collect(
        &self,
        worker: &mut Worker<'_, D, H>,
        parent: &D,
        above: &Path,
        name: &OsStr,
        judged: Result<(), Rule>,
        haul: &mut Haul,
    ) -> Result<Whole, Failure> {
        if self.is_stopped() {
            return Err(Failure::Interrupted);
        }
        let path = above.join(name);
        let judged = judged.and_then(|()| self.judge_directory(worker, above, name));
        let failed = |what, error| Failure::of(Side::Target, what, &path, error);
        let directory = parent.enter(name).map_err(|error| failed("enter the extra directory", error))?;
        let names = directory.names().map_err(|error| failed("list the extra directory", error))?;
        let mut whole = if judged.is_ok() { Whole::Yes } else { Whole::No };
        for index in 0..names.len() {
            if self.is_stopped() {
                return Err(Failure::Interrupted);
            }
            let (name, kind) = (names.name(index), names.kind(index));
            if temporary::is_leftover(name, kind) {
                self.handler.leftover(&mut worker.tally, None, &directory, name, kind);
                continue;
            }
            if kind == EntryKind::Directory {
                if self.collect(worker, &directory, &path, name, judged, haul)? == Whole::No {
                    whole = Whole::No;
                }
                continue;
            }
            haul.target_files += u64::from(kind == EntryKind::File);
            if let Some((entry, own)) = self.extra_entry(worker, &directory, &path, name, kind)? {
                let judged = judged.and(own);
                if judged.is_err() {
                    whole = Whole::No;
                }
                haul.entries.push((entry, judged));
            }
        }
        if whole == Whole::Yes {
            haul.entries.push((ExtraEntry { path, kind: EntryKind::Directory, bytes: 0 }, Ok(())));
        }
        Ok(whole)
    }

    /// Looks at one extra entry that is no directory; `None` if it is gone by now.
    #[allow(clippy::type_complexity, reason = "an entry and its judgement, nothing more")]
    fn extra_entry(
        &self,
        worker: &mut Worker<'_, D, H>,
        directory: &D,
        above: &Path,
        name: &OsStr,
        kind: EntryKind,
    ) -> Result<Option<(ExtraEntry, Result<(), Rule>)>, Failure> {
        let path: PathBuf = above.join(name);
        let status = match directory.status(name) {
            Ok(status) => status,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Failure::of(Side::Target, "look at the extra entry", &path, error)),
        };
        let judged = match kind {
            EntryKind::File => self.judge(worker, above, name, &status),
            _ => self.judge_name(worker, above, name),
        };
        Ok(Some((ExtraEntry { path, kind: status.kind, bytes: status.size }, judged)))
    }
}

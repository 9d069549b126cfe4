//! What only the target has: told of in an order in which it can be taken away.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Again, Handler, Job, Pair, Walk, Worker};
use crate::copy::native::failure::{Failure, Side};
use crate::copy::native::node::Node;
use crate::copy::native::temporary;
use crate::copy::{EntryKind, ErrorClass, ExtraEntry, Rule, names};
use crate::sys::tree::{Directory, Names};

/// Whether all of a directory is let in by the filter, so that the directory itself can go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whole {
    Yes,
    No,
}

/// What one extra directory holds, kept back until all of it was listed: a listing that fails half-way tells nothing.
///
/// It is kept as the way that the listing took, each name once: the paths of a tree of ten thousand levels would be a
/// hundred times as long as its names.
#[derive(Default)]
struct Haul {
    /// Of what is entered and of what is told of, in that order.
    names: Names,
    steps: Vec<Step>,
    target_files: u64,
}

enum Step {
    Enter,
    Entry { bytes: u64, judged: Result<(), Rule> },
    Leave(Whole),
}

impl Haul {
    fn enter(&mut self, name: &OsStr) -> std::io::Result<()> {
        self.names.push(name, EntryKind::Directory)?;
        self.steps.push(Step::Enter);
        Ok(())
    }

    fn add(&mut self, name: &OsStr, entry: &Seen) -> std::io::Result<()> {
        self.names.push(name, entry.kind)?;
        self.steps.push(Step::Entry { bytes: entry.bytes, judged: entry.judged });
        Ok(())
    }

    /// Tells of all, a directory after all that it holds, and only where it is let in as a whole.
    fn tell(self, above: &Path, mut each: impl FnMut(ExtraEntry, Result<(), Rule>)) {
        let mut path = above.to_owned();
        let mut index = 0;
        for step in self.steps {
            match step {
                Step::Enter => {
                    path.push(self.names.name(index));
                    index += 1;
                }
                Step::Entry { bytes, judged } => {
                    let entry = ExtraEntry {
                        path: names::joined(&path, self.names.name(index)),
                        kind: self.names.kind(index),
                        bytes,
                    };
                    index += 1;
                    each(entry, judged);
                }
                Step::Leave(whole) => {
                    if whole == Whole::Yes {
                        let path = path.as_path().to_owned();
                        each(ExtraEntry { path, kind: EntryKind::Directory, bytes: 0 }, Ok(()));
                    }
                    path.pop();
                }
            }
        }
    }
}

/// An extra directory that is being listed.
struct Level<D> {
    judged: Result<(), Rule>,
    whole: Whole,
    /// The folders in it that were not entered yet. A directory without any is closed, so that a long way down where each
    /// holds one folder takes two handles.
    below: Option<Below<D>>,
}

struct Below<D> {
    directory: D,
    folders: Names,
    next: usize,
}

impl<D> Below<D> {
    fn new(directory: D, folders: Names, next: usize) -> Option<Self> {
        (next < folders.len()).then_some(Self { directory, folders, next })
    }
}

/// An extra entry that is no directory.
struct Seen {
    kind: EntryKind,
    bytes: u64,
    judged: Result<(), Rule>,
}

impl<D: Directory, H: Handler<D>> Walk<'_, D, H> {
    /// Tells the handler what of a directory only the target has, but for folders: those are jobs of their own.
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
                _ if temporary::is_leftover(name, kind) => {
                    self.handler.leftover(worker, Some(&node.source), &side.directory, name, kind);
                }
                EntryKind::Directory => {}
                _ => match self.extra_entry(worker, &side.directory, &node.relative, name, kind) {
                    Ok(Some(Seen { kind, bytes, judged })) => {
                        let entry = ExtraEntry { path: node.path_of(name), kind, bytes };
                        self.handler.extra(&mut worker.tally, entry, judged);
                    }
                    Ok(None) => {}
                    Err(failure) => {
                        let path = node.path_of(name);
                        let (node_again, name) = (Arc::clone(node), name.to_owned());
                        let again = Job::Extra { node: node_again, name, kind, failed: 1 };
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
        kind: EntryKind,
        failed: u32,
    ) {
        let Some(side) = node.target() else { return };
        let unseen =
            |error| Failure::of(Side::Target, "look at the extra entry", &node.path_of(&name), error);
        let mut haul = Haul::default();
        let status = side.directory.status(&name);
        // What it was when it was listed, where it cannot be asked now.
        let kind = status.as_ref().map_or(kind, |status| status.kind);
        let listed = match status {
            Ok(status) if status.kind == EntryKind::Directory => {
                self.collect(worker, &side.directory, &node.relative, &name, &mut haul)
            }
            Ok(status) => self
                .extra_entry(worker, &side.directory, &node.relative, &name, status.kind)
                .and_then(|seen| seen.map_or(Ok(()), |seen| haul.add(&name, &seen).map_err(unseen))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(unseen(error)),
        };
        match listed {
            Ok(()) => {
                self.handler.target_files(&mut worker.tally, haul.target_files);
                haul.tell(&node.relative, |entry, judged| {
                    self.handler.extra(&mut worker.tally, entry, judged)
                });
            }
            Err(failure) => {
                let path = node.path_of(&name);
                let ending = if kind == EntryKind::Directory { "/" } else { "" };
                let again = Job::Extra { node: Arc::clone(node), name, kind, failed: failed + 1 };
                self.settle(worker, failure, failed, node, Again::new(again, &path, ending, 0));
            }
        }
    }

    /// Lists a directory with all below it. No frame of the stack is taken for a level: no tree is too deep for that.
    fn collect(
        &self,
        worker: &mut Worker<'_, D, H>,
        parent: &D,
        above: &Path,
        name: &OsStr,
        haul: &mut Haul,
    ) -> Result<(), Failure> {
        let mut path = above.to_owned();
        let mut levels: Vec<_> =
            self.level(worker, parent, &mut path, name, Ok(()), haul)?.into_iter().collect();
        while let Some(level) = levels.last_mut() {
            if let Some(Below { directory, folders, next }) = level.below.take() {
                let inner =
                    self.level(worker, &directory, &mut path, folders.name(next), level.judged, haul)?;
                level.below = Below::new(directory, folders, next + 1);
                match inner {
                    Some(inner) => levels.push(inner),
                    None => level.whole = Whole::No,
                }
                continue;
            }
            let whole = level.whole;
            haul.steps.push(Step::Leave(whole));
            path.pop();
            levels.pop();
            if let (Whole::No, Some(around)) = (whole, levels.last_mut()) {
                around.whole = Whole::No;
            }
        }
        Ok(())
    }

    /// Lists one directory, which is added to the path, and all in it that is no directory. `None` where the filter keeps
    /// it out and it cannot be read: then it counts as one, as it does in the source, where it is not even entered.
    fn level(
        &self,
        worker: &mut Worker<'_, D, H>,
        parent: &D,
        path: &mut PathBuf,
        name: &OsStr,
        judged: Result<(), Rule>,
        haul: &mut Haul,
    ) -> Result<Option<Level<D>>, Failure> {
        if self.is_stopped() {
            return Err(Failure::Interrupted);
        }
        let judged = judged.and_then(|()| self.judge_directory(worker, path, name));
        let failed = |what, error| Failure::of(Side::Target, what, &names::joined(path, name), error);
        let read = parent.enter(name).map_err(|error| failed("enter the extra directory", error)).and_then(
            |directory| match directory.names() {
                Ok(names) => Ok((directory, names)),
                Err(error) => Err(failed("list the extra directory", error)),
            },
        );
        let (directory, names) = match read {
            Ok(read) => read,
            Err(failure) if judged.is_err() && is_final(&failure) => {
                let unread = Seen { kind: EntryKind::Directory, bytes: 0, judged };
                haul.add(name, &unread).map_err(|error| failed("list the extra directory", error))?;
                return Ok(None);
            }
            Err(failure) => return Err(failure),
        };
        path.push(name);
        let failed = |what, error| Failure::of(Side::Target, what, path, error);
        haul.enter(name).map_err(|error| failed("list the extra directory", error))?;
        let mut whole = if judged.is_ok() { Whole::Yes } else { Whole::No };
        let mut folders = Names::default();
        for index in 0..names.len() {
            if self.is_stopped() {
                return Err(Failure::Interrupted);
            }
            let (name, kind) = (names.name(index), names.kind(index));
            if temporary::is_leftover(name, kind) {
                self.handler.leftover(worker, None, &directory, name, kind);
            } else if kind == EntryKind::Directory {
                folders.push(name, kind).map_err(|error| failed("list the extra directory", error))?;
            } else {
                haul.target_files += u64::from(kind == EntryKind::File);
                let mut seen = match self.extra_entry(worker, &directory, path, name, kind) {
                    Ok(Some(seen)) => seen,
                    Ok(None) => continue,
                    Err(failure) if judged.is_err() && is_final(&failure) => Seen { kind, bytes: 0, judged },
                    Err(failure) => return Err(failure),
                };
                seen.judged = judged.and(seen.judged);
                if seen.judged.is_err() {
                    whole = Whole::No;
                }
                haul.add(name, &seen).map_err(|error| failed("list the extra directory", error))?;
            }
        }
        Ok(Some(Level { judged, whole, below: Below::new(directory, folders, 0) }))
    }

    /// Looks at one extra entry that is no directory; `None` if it is gone by now.
    fn extra_entry(
        &self,
        worker: &mut Worker<'_, D, H>,
        directory: &D,
        above: &Path,
        name: &OsStr,
        kind: EntryKind,
    ) -> Result<Option<Seen>, Failure> {
        let status = match directory.status(name) {
            Ok(status) => status,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(Failure::of(Side::Target, "look at the extra entry", &above.join(name), error));
            }
        };
        let judged = match kind {
            EntryKind::File => self.judge(worker, above, name, status.size, status.modified),
            _ => self.judge_name(worker, above, name),
        };
        Ok(Some(Seen { kind: status.kind, bytes: status.size, judged }))
    }
}

/// Whether no further attempt would fare better.
fn is_final(failure: &Failure) -> bool {
    matches!(failure, Failure::Entry { class: ErrorClass::Denied | ErrorClass::Permanent, .. })
}

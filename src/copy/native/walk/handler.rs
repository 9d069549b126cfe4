//! What the walk finds, and who is told of it.

use std::cell::Cell;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use super::{InTarget, Worker};
use crate::copy::native::failure::{Failure, Side};
use crate::copy::native::node::Node;
use crate::copy::native::under_way::LargeMove;
use crate::copy::{EntryKind, ErrorClass, ExtraEntry, Rule};
use crate::sys::tree::{Directory, FileIdentity, ListedFile, Status};

/// What happens to what the walk finds. Called by many workers at once, each with its own tally.
pub(in crate::copy::native) trait Handler<D: Directory>: Sync + Sized {
    type Tally: Default + Send;

    /// How a file that both sides have, and that no filter judges, is looked at first.
    fn first_look(&self) -> FirstLook {
        FirstLook::Closed
    }
    /// Whether links of the source come to be in the target.
    fn brings_links(&self) -> bool {
        false
    }
    /// A worker begins, on a thread of its own.
    fn begins(&self, _tally: &mut Self::Tally) {}
    /// A directory of the source was entered.
    fn entered(&self, worker: &mut Worker<'_, D, Self>, node: &Arc<Node<D>>) -> Result<(), Failure>;
    /// Whether a file that both sides have is the same by what their listings tell, so that nobody looks at it.
    fn is_same_as_listed(&self, source: &ListedFile, target: &ListedFile) -> bool;
    /// A regular file of this size that the filter lets in, and that is the same in that way.
    fn same(&self, worker: &mut Worker<'_, D, Self>, size: u64, turn: &mut Turn);
    /// A regular file that the filter lets in.
    fn file(
        &self,
        worker: &mut Worker<'_, D, Self>,
        found: &Found<'_, D>,
        turn: &mut Turn,
    ) -> Result<Next, Failure>;
    /// A link in the source whose name the filter lets in.
    fn link(
        &self,
        worker: &mut Worker<'_, D, Self>,
        node: &Node<D>,
        name: &OsStr,
        turn: &Turn,
    ) -> Result<(), Failure>;
    /// A device, socket or pipe in the source.
    fn special(&self, tally: &mut Self::Tally, node: &Node<D>, name: &OsStr);
    /// A file or link, or a directory with all that it holds, that the filter keeps out.
    fn kept_out(&self, tally: &mut Self::Tally, node: &Node<D>, name: &OsStr, rule: Rule, bytes: u64);
    /// What only the target has, and whether the filter lets it in. A directory is told of after all that it holds,
    /// and only if all of that is let in; one that is kept out only if it cannot be read, for all that it holds.
    fn extra(&self, tally: &mut Self::Tally, entry: ExtraEntry, judged: Result<(), Rule>);
    /// How many regular files a directory of the target holds.
    fn target_files(&self, tally: &mut Self::Tally, files: u64);
    /// Something temporary of a pass that was killed, in the target; a directory with all that it holds.
    /// `source` is what the source has for its directory.
    fn leftover(
        &self,
        worker: &mut Worker<'_, D, Self>,
        source: Option<&D>,
        directory: &D,
        name: &OsStr,
        kind: EntryKind,
    );
    /// An entry that cannot be handled; a directory's path ends with `/`.
    fn failed(&self, tally: &mut Self::Tally, lost: Lost);
    /// An entry that only the target has and that cannot be looked at; a directory's path ends with `/`.
    fn unread(&self, tally: &mut Self::Tally, lost: Lost) {
        self.failed(tally, lost);
    }
    /// A file's turn is over for now, but for one that becomes a job of its own: whatever it held is given back.
    fn over(&self, _worker: &mut Worker<'_, D, Self>, _turn: &mut Turn) {}
    /// All below a directory is done.
    fn left(&self, worker: &mut Worker<'_, D, Self>, node: &Node<D>);
}

/// An entry that could not be handled.
pub(in crate::copy::native) struct Lost {
    /// As [`crate::copy::names::shown`] writes it.
    pub(in crate::copy::native) path: String,
    pub(in crate::copy::native) class: ErrorClass,
    pub(in crate::copy::native) text: String,
    pub(in crate::copy::native) attempts: u32,
    pub(in crate::copy::native) bytes: u64,
}

/// A file of the source with what is in its place in the target.
pub(in crate::copy::native) struct Found<'a, D> {
    pub(in crate::copy::native) node: &'a Arc<Node<D>>,
    pub(in crate::copy::native) name: &'a OsStr,
    pub(in crate::copy::native) source: Status,
    pub(in crate::copy::native) target: Option<Status>,
    pub(in crate::copy::native) opened: Opened,
}

/// How a file is looked at first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::copy::native) enum FirstLook {
    /// By its name: most are never opened.
    Closed,
    /// It is opened and then looked at, since it is read unless it differs by that: one call less that looks up its name.
    Open,
}

/// What the first look opened of a file, until it is read.
#[derive(Default)]
pub(in crate::copy::native) struct Opened {
    pub(super) source: Cell<Option<File>>,
    pub(super) target: Cell<Option<File>>,
}

impl<D: Directory> Found<'_, D> {
    pub(in crate::copy::native) fn path(&self) -> PathBuf {
        self.node.path_of(self.name)
    }

    /// Opens a side for reading, where the first look did not.
    pub(in crate::copy::native) fn open(&self, side: Side) -> Result<File, Failure> {
        let opened = match side {
            Side::Source => self.opened.source.take(),
            Side::Target => self.opened.target.take(),
        };
        let directory = match (opened, side, self.node.target()) {
            (Some(file), ..) => return Ok(file),
            (None, Side::Source, _) => &self.node.source,
            (None, Side::Target, Some(target)) => &target.directory,
            (None, Side::Target, None) => {
                return Err(Failure::transient("the target's directory is gone"));
            }
        };
        directory.read(self.name).map_err(|error| Failure::of(side, "open it", &self.path(), error))
    }
}

/// What becomes of a file after its handler looked at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::copy::native) enum Next {
    Done,
    /// It is large: it becomes a job of its own, so that others can take it.
    OnItsOwn,
    /// It waits for another name of the same file, whose handler wakes it.
    Waits,
}

/// One file's way through its attempts.
#[derive(Clone, Debug, Default)]
pub(in crate::copy::native) struct Turn {
    /// Attempts that failed before this one.
    pub(in crate::copy::native) failed: u32,
    /// Bytes that progress expects of the file, once it is known.
    pub(in crate::copy::native) known: Option<u64>,
    /// … and those that progress was told of already: a second attempt does not tell them again.
    pub(in crate::copy::native) told: u64,
    pub(in crate::copy::native) size: u64,
    /// Bytes of its copy that an earlier pass had brought over.
    pub(in crate::copy::native) resumed: u64,
    /// Where it is told how far the file is, if it is a large one.
    pub(in crate::copy::native) moving: Option<Arc<LargeMove>>,
    pub(in crate::copy::native) on_its_own: bool,
    /// Whether it is the one of a file's names that the others wait for.
    pub(in crate::copy::native) leads: Option<FileIdentity>,
    /// What the target's listing had of its name; it holds for all attempts.
    pub(in crate::copy::native) in_target: InTarget,
    /// The name from which the copy was to be renamed by an attempt that failed, and may have been.
    pub(in crate::copy::native) renamed_from: Option<OsString>,
    /// Another name of its directory, which the target takes for the same.
    pub(in crate::copy::native) clash: Option<Box<OsStr>>,
    /// Whether it waits for its retry, and progress was told so.
    pub(in crate::copy::native) waits: bool,
}

impl Turn {
    /// Whether the file is handled by a job that lists its directory.
    pub(in crate::copy::native) fn fills(&self) -> bool {
        self.failed == 0 && !self.on_its_own
    }
}

//! Names of one file stay names of one file (`preserve: [hard-links]`): one of them is copied, the others are linked to
//! it.
//!
//! - Whichever name is met first leads; a name that is met while its leader is under way waits as a job and holds no
//!   worker. A leader that fails steps down, and those that waited go on: each tries for itself.
//! - What is linked to is held open and seen to be the file that the leader left: where its name was replaced in the
//!   target meanwhile, the next name is copied and leads. At no time do two names lead.
//! - A name of the target that is the right file already is *same*; one of another file is *changed*, and what it was
//!   keeps its other names: replacing by rename takes one name away and changes no content. So a copy that is no link
//!   in the source is none in the target either, once it changes.
//!
//! Only names that the filter lets in are linked, and only those below the roots. Links and devices are not grouped.
//!
//! Memory: a file with several names costs about 250 bytes and the letters of one path, from its first name until its
//! last was met, and the directories above its first name 400 bytes each meanwhile; files with one name cost nothing.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ffi::{OsStr, OsString};
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::decide::{Decision, called};
use super::failure::{Failure, Side};
use super::node::{Node, TargetSide};
use super::temporary::TemporaryNames;
use super::transfer::{self, Manner, State};
use super::walk::{Found, Turn};
use crate::copy::{EntryKind, names};
use crate::sys::attributes::Held;
use crate::sys::tree::{self, Directory, FileIdentity, Status, Taken};

/// The files with several names that were met, by what they are in the source.
#[derive(Debug)]
pub(super) struct HardLinks<D> {
    wanted: Wanted,
    groups: Mutex<HashMap<FileIdentity, Group<D>>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Yes,
    /// Each name becomes a file of its own.
    No,
}

#[derive(Debug)]
enum Group<D> {
    /// Its leader is at work, and these wait.
    UnderWay(Vec<Parked<D>>),
    There(Leader<D>),
}

/// A name that waits; its directory is held for it.
pub(super) struct Parked<D> {
    pub(super) node: Arc<Node<D>>,
    pub(super) name: OsString,
    pub(super) turn: Turn,
}

impl<D> std::fmt::Debug for Parked<D> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Parked").field(&self.node.relative).field(&self.name).finish()
    }
}

/// The first of a file's names.
#[derive(Debug)]
pub(super) struct Leader<D> {
    /// Below the root.
    path: PathBuf,
    /// Its directory and those above it, innermost first, while the pass is in them: as long as it is, a directory may
    /// have a temporary name in the target.
    above: Arc<[Weak<Node<D>>]>,
    /// What of the source was copied.
    state: State,
    /// What it is in the target; `None` in a survey that would copy it.
    target: Option<FileIdentity>,
    /// Names that are done, this one among them.
    done: u64,
}

impl<D> Clone for Leader<D> {
    fn clone(&self) -> Self {
        let Self { path, above, state, target, done } = self;
        let (path, above) = (path.clone(), Arc::clone(above));
        Self { path, above, state: *state, target: *target, done: *done }
    }
}

/// What is done with a name.
#[derive(Debug)]
pub(super) enum Meeting<D> {
    Leads,
    Waits,
    Follows(Leader<D>),
}

impl<D: Directory> HardLinks<D> {
    pub(super) fn new(wanted: Wanted) -> Self {
        Self { wanted, groups: Mutex::new(HashMap::new()) }
    }

    /// Which file of several names this is one of; `None` for all others.
    pub(super) fn group(&self, source: &Status) -> Option<FileIdentity> {
        (self.wanted == Wanted::Yes && source.names > 1).then_some(source.identity).flatten()
    }

    pub(super) fn meet(&self, group: FileIdentity, found: &Found<'_, D>, turn: &Turn) -> Meeting<D> {
        match self.lock().entry(group) {
            Entry::Vacant(place) => {
                place.insert(Group::UnderWay(Vec::new()));
                Meeting::Leads
            }
            Entry::Occupied(mut place) => match place.get_mut() {
                Group::UnderWay(waiting) => {
                    found.node.hold();
                    let node = Arc::clone(found.node);
                    waiting.push(Parked { node, name: found.name.to_owned(), turn: turn.clone() });
                    Meeting::Waits
                }
                Group::There(leader) if leader.is_of(&found.source) => Meeting::Follows(leader.clone()),
                // The source changed since: what was copied is no longer what this name has.
                there @ Group::There(_) => {
                    *there = Group::UnderWay(Vec::new());
                    Meeting::Leads
                }
            },
        }
    }

    /// The leader is in the target; those that waited for it.
    #[must_use]
    pub(super) fn arrived(
        &self,
        group: FileIdentity,
        found: &Found<'_, D>,
        state: State,
        target: Option<FileIdentity>,
    ) -> Vec<Parked<D>> {
        let directories = std::iter::successors(Some(found.node), |node| node.parent.as_ref());
        let above = directories.map(Arc::downgrade).collect();
        let leader = Leader { path: found.path(), above, state, target, done: 1 };
        match self.lock().insert(group, Group::There(leader)) {
            Some(Group::UnderWay(waiting)) => waiting,
            _ => Vec::new(),
        }
    }

    /// The leader failed; those that waited for it.
    #[must_use]
    pub(super) fn stepped_down(&self, group: FileIdentity) -> Vec<Parked<D>> {
        match self.lock().remove(&group) {
            Some(Group::UnderWay(waiting)) => waiting,
            _ => Vec::new(),
        }
    }

    /// One more name is done; the file is forgotten with its last.
    pub(super) fn followed(&self, group: FileIdentity, source: &Status) {
        let mut groups = self.lock();
        if let Some(Group::There(leader)) = groups.get_mut(&group) {
            leader.done += 1;
            if leader.done >= source.names {
                groups.remove(&group);
            }
        }
    }

    /// The file of this leader takes no more names: whoever is met next leads, unless another one does already.
    pub(super) fn forget(&self, group: FileIdentity, leader: &Leader<D>) {
        let mut groups = self.lock();
        if let Some(Group::There(there)) = groups.get(&group)
            && there.path == leader.path
        {
            groups.remove(&group);
        }
    }

    /// Names that still wait; none once a pass is through.
    pub(super) fn waiting(&self) -> usize {
        let waiting = |group: &Group<D>| match group {
            Group::UnderWay(waiting) => waiting.len(),
            Group::There(_) => 0,
        };
        self.lock().values().map(waiting).sum()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<FileIdentity, Group<D>>> {
        // The table is whole after every step, so a panic elsewhere does not spoil it.
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<D> Leader<D> {
    /// Whether what it copied is what this name has now.
    fn is_of(&self, source: &Status) -> bool {
        self.state == State::of(source)
    }

    /// What a name is in the target, compared with its leader. Pure.
    pub(super) fn decide(&self, there: Option<&Status>) -> Decision {
        match there {
            None => Decision::New,
            Some(there) => match there.kind {
                EntryKind::File if self.target.is_some() && there.identity == self.target => Decision::Same,
                EntryKind::File | EntryKind::Link => Decision::Changed,
                kind @ (EntryKind::Directory | EntryKind::Special) => Decision::Mismatch(kind),
            },
        }
    }
}

/// What came of linking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Linked {
    Done,
    /// The leader's file can have no name here: it was replaced, has as many as the volume allows, or lies on another.
    NotHere,
}

/// Gives the leader's file one more name in the target.
pub(super) fn link<D: Directory>(
    found: &Found<'_, D>,
    turn: &Turn,
    leader: &Leader<D>,
    manner: &Manner<'_>,
) -> Result<Linked, Failure> {
    let path = found.path();
    let other = names::shown(&leader.path);
    let failed = |error| {
        Failure::of(Side::Target, &format!("link it to its other name {other} in the target"), &path, error)
    };
    let held = match hold(leader) {
        Ok(held) => held,
        Err(error) if tree::is_no_way(&error) => return Ok(Linked::NotHere),
        Err(error) => return Err(failed(error)),
    };
    let there = held.object().status().map_err(failed)?;
    if there.kind != EntryKind::File || leader.target.is_none() || there.identity != leader.target {
        return Ok(Linked::NotHere);
    }
    let side = found.node.target_or_make(manner)?;
    match name_it(side, &held, found.name, transfer::taken(found), manner.names) {
        Ok(()) => Ok(Linked::Done),
        Err(error) => match error.kind() {
            ErrorKind::TooManyLinks | ErrorKind::CrossesDevices => Ok(Linked::NotHere),
            // By an attempt that failed and has given it all the same.
            ErrorKind::AlreadyExists
                if turn.failed > 0
                    && side
                        .directory
                        .status(found.name)
                        .is_ok_and(|there| there.identity == leader.target) =>
            {
                Ok(Linked::Done)
            }
            ErrorKind::AlreadyExists => Err(transfer::name_is_taken()),
            // Volumes without links have no word of their own for it.
            ErrorKind::PermissionDenied | ErrorKind::Unsupported => Err(Failure::permanent(format!(
                "cannot link it to its other name {other} in the target: {error}; leave `hard-links` out of \
                 `preserve`, or choose a target that has them"
            ))),
            _ => Err(failed(error)),
        },
    }
}

fn name_it<D: Directory>(
    side: &TargetSide<D>,
    held: &Held,
    name: &OsStr,
    taken: Taken,
    names: &TemporaryNames,
) -> io::Result<()> {
    let add = |name: &OsStr| match side.directory.add_name(held, name) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            side.open_up(error).and_then(|()| side.directory.add_name(held, name))
        }
        result => result,
    };
    match taken {
        // A link that is there is whole, so a free name needs no other before it.
        Taken::Refuse => add(name),
        Taken::Replace => {
            let temporary = names.next();
            add(&temporary)?;
            side.directory.rename(&temporary, &side.directory, name, taken).inspect_err(|_| {
                // What cannot be removed now is known by its name and removed by the next pass.
                let _ = side.directory.remove_file(&temporary);
            })
        }
    }
}

/// Holds the leader in the target: from the innermost directory that is open, by names and through no link.
fn hold<D: Directory>(leader: &Leader<D>) -> io::Result<Held> {
    let missing = || io::Error::from(ErrorKind::NotFound);
    let mut names: Vec<&OsStr> = leader.path.iter().collect();
    let name = names.pop().ok_or_else(missing)?;
    let open = leader.above.iter().enumerate().find_map(|(closed, node)| Some((closed, node.upgrade()?)));
    let (closed, node) = open.ok_or_else(missing)?;
    let side = node.target().ok_or_else(missing)?;
    let mut below: Option<D> = None;
    for name in &names[names.len().saturating_sub(closed)..] {
        below = Some(below.as_ref().unwrap_or(&side.directory).enter(name)?);
    }
    below.as_ref().unwrap_or(&side.directory).hold(name)
}

/// The failure of a name whose place is taken by what nothing may replace.
pub(super) fn mismatch(kind: EntryKind) -> Failure {
    Failure::permanent(format!(
        "the source has a file here, the target {}: move that out of the way",
        called(kind)
    ))
}

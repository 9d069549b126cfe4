//! A directory of the source that a pass is in, with its counterpart in the target, both as open handles.
//!
//! A directory that is new in the target is made under a temporary name, filled, and named once: its files are written
//! under their own names, and yet no path leads to one of them before it is whole. That spares a rename a file, which is
//! a fifth of the time of a first copy of small files. It is named as soon as the jobs that list it are through, or when
//! the pass is stopped: what is in it then is whole. Where its name cannot be given to it, not even once all below it is
//! done, the pass ends: what it counted as new would be in no place where anybody looks for it. A file that comes later
//! (a large one, or one that is tried again), and any file of a directory that was there before, is written under a
//! temporary name of its own.

use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::failure::{Failure, Side};
use super::temporary;
use super::transfer::{Manner, name_is_taken};
use crate::copy::{ErrorClass, names};
use crate::sys::attributes::DEFAULT_ACCESS_LIST;
use crate::sys::tree::{Case, Directory, Permissions, Renaming, Status, Taken};

pub(super) struct Node<D> {
    pub(super) parent: Option<Arc<Node<D>>>,
    pub(super) name: OsString,
    /// Below the root.
    pub(super) relative: PathBuf,
    pub(super) source: D,
    /// As the directory was when it was entered.
    pub(super) source_status: Status,
    target: OnceLock<TargetSide<D>>,
    /// Held while the target directory is made, so that it is made once, and while it is named.
    making: Mutex<Making>,
    /// Whether a survey has counted this directory as one that would be made.
    wanted: AtomicBool,
    /// What still has to happen below before the directory can be left.
    pending: AtomicUsize,
}

/// How far a directory is that the pass makes in the target.
struct Making {
    /// Jobs that list the directory: while there are any, it is made under a temporary name. `None` once they are through.
    fillers: Option<usize>,
    /// The name that it has until they are through.
    temporary: Option<OsString>,
}

/// The counterpart in the target.
pub(super) struct TargetSide<D> {
    pub(super) directory: D,
    pub(super) origin: Origin,
    /// Whether it was made under a temporary name, so that those who fill it give files their own names at once.
    pub(super) unfinished: bool,
    /// Whether half a file is in it that could not be removed: then it never gets its own name.
    spoiled: AtomicBool,
    /// The permission bits to go back to, where writing into the directory needed wider ones.
    narrow: Mutex<Option<Permissions>>,
    /// Whether it hands down an access list, asked for once.
    hands_down: OnceLock<HandsDown>,
}

/// Whether what is made in a directory gets an access list, and with it other permission bits than it was made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HandsDown {
    AccessList,
    Nothing,
}

/// Who made a target directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    Found,
    MadeByThisPass,
}

impl<D> TargetSide<D> {
    pub(super) fn new(directory: D, origin: Origin) -> Self {
        let narrow = Mutex::new(None);
        Self {
            directory,
            origin,
            unfinished: false,
            spoiled: AtomicBool::new(false),
            narrow,
            hands_down: OnceLock::new(),
        }
    }

    pub(super) fn narrow(&self) -> Option<Permissions> {
        *self.narrow.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<D: Directory> TargetSide<D> {
    /// Half a file is left in a directory that has a temporary name.
    pub(super) fn spoil(&self) {
        self.spoiled.store(true, Ordering::Relaxed);
    }

    pub(super) fn hands_down(&self) -> HandsDown {
        *self.hands_down.get_or_init(|| {
            // A volume or system that cannot say has no such lists.
            let list = self.directory.object().and_then(|object| object.value(DEFAULT_ACCESS_LIST));
            if matches!(list, Ok(Some(_))) { HandsDown::AccessList } else { HandsDown::Nothing }
        })
    }

    /// Lets the owner write into a directory that forbids it, until the pass leaves it.
    /// `Err` gives back the refusal that led here.
    pub(super) fn open_up(&self, refusal: std::io::Error) -> std::io::Result<()> {
        let mut narrow = self.narrow.lock().unwrap_or_else(PoisonError::into_inner);
        if narrow.is_some() {
            return Ok(());
        }
        let before = self.directory.own_status()?.permissions;
        let Some(wider) = crate::sys::tree::writable(&before) else { return Err(refusal) };
        if self.directory.set_own_permissions(&wider).is_err() {
            return Err(refusal);
        }
        *narrow = Some(before);
        Ok(())
    }
}

impl<D: Directory> Node<D> {
    pub(super) fn new(
        parent: Option<Arc<Self>>,
        name: OsString,
        source: D,
        source_status: Status,
        target: Option<TargetSide<D>>,
    ) -> Self {
        let relative =
            parent.as_ref().map_or_else(PathBuf::new, |parent| names::joined(&parent.relative, &name));
        Self {
            parent,
            name,
            relative,
            source,
            source_status,
            target: target.map_or_else(OnceLock::new, OnceLock::from),
            making: Mutex::new(Making { fillers: Some(1), temporary: None }),
            wanted: AtomicBool::new(false),
            pending: AtomicUsize::new(1),
        }
    }

    pub(super) fn path_of(&self, name: &OsStr) -> PathBuf {
        names::joined(&self.relative, name)
    }

    /// The directory in the target, where there is one.
    pub(super) fn target(&self) -> Option<&TargetSide<D>> {
        self.target.get()
    }

    /// Whether the directory in the target takes names that differ only in case for one, or will once it is made.
    pub(super) fn target_case(&self) -> Case {
        let mut nodes = std::iter::successors(Some(self), |node| node.parent.as_deref());
        nodes.find_map(Self::target).map_or(D::USUAL_CASE, |side| side.directory.case())
    }

    /// The directory in the target, made if need be, with those above it.
    pub(super) fn target_or_make(&self, manner: &Manner<'_>) -> Result<&TargetSide<D>, Failure> {
        let mut missing = Vec::new();
        let mut node = self;
        let mut side = loop {
            if let Some(side) = node.target.get() {
                break side;
            }
            missing.push(node);
            match &node.parent {
                Some(parent) => node = parent,
                None => return Err(Failure::permanent("the target's top directory is not open")),
            }
        };
        for node in missing.into_iter().rev() {
            side = node.make(side, manner)?;
        }
        Ok(side)
    }

    /// Makes the directory in the target, below its parent's, unless somebody was faster.
    fn make<'n>(&'n self, above: &TargetSide<D>, manner: &Manner<'_>) -> Result<&'n TargetSide<D>, Failure> {
        let mut making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(side) = self.target.get() {
            return Ok(side);
        }
        let failed = |what, error| Failure::of(Side::Target, what, &self.relative, error);
        let unfinished = making.fillers.is_some()
            && D::RENAMING == Renaming::Followed
            && !temporary::may_be_refused(&self.name);
        let temporary = unfinished.then(|| manner.names.next());
        let name = temporary.as_deref().unwrap_or(&self.name);
        if unfinished {
            // Else all of it would be copied before the name is found to be taken, by one in another case for instance.
            match above.directory.status(&self.name) {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(failed("look for the directory in the target", error)),
                Ok(_) => return Err(name_is_taken()),
            }
        }
        let permissions = manner.attributes.first_permissions(&self.source_status);
        let make = || above.directory.make_directory(name, &permissions);
        let made = match make() {
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                above.open_up(error).and_then(|()| make())
            }
            result => result,
        };
        let origin = match made {
            Ok(()) => Origin::MadeByThisPass,
            Err(error) if error.kind() == ErrorKind::AlreadyExists && !unfinished => Origin::Found,
            Err(error) => return Err(failed("make the directory in the target", error)),
        };
        let directory = above.directory.enter(name).map_err(|error| match error.kind() {
            ErrorKind::NotADirectory => in_the_way(),
            _ => failed("open the directory in the target", error),
        })?;
        making.temporary = temporary;
        Ok(self.target.get_or_init(|| TargetSide { unfinished, ..TargetSide::new(directory, origin) }))
    }

    /// Another job will list a part of the directory.
    pub(super) fn fill(&self) {
        if let Some(fillers) = &mut self.making.lock().unwrap_or_else(PoisonError::into_inner).fillers {
            *fillers += 1;
        }
    }

    /// A job that lists a part of the directory is through; the last one gives the directory its name.
    pub(super) fn filled(&self) -> Result<(), Failure> {
        let mut making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut making.fillers {
            Some(fillers) if *fillers > 1 => {
                *fillers -= 1;
                return Ok(());
            }
            fillers => *fillers = None,
        }
        self.name_it(&mut making)
    }

    /// Once all below is done: the name, where it could not be given before.
    pub(super) fn named(&self) -> Result<(), Failure> {
        self.name_it(&mut self.making.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn name_it(&self, making: &mut Making) -> Result<(), Failure> {
        let Some(temporary) = &making.temporary else { return Ok(()) };
        let Some(above) = self.parent.as_ref().and_then(|parent| parent.target()) else { return Ok(()) };
        if self.target.get().is_some_and(|side| side.spoiled.load(Ordering::Relaxed)) {
            return Err(Failure::permanent("half a file in it can be neither finished nor removed"));
        }
        above.directory.rename(temporary, &above.directory, &self.name, Taken::Refuse).map_err(|error| {
            match error.kind() {
                ErrorKind::AlreadyExists => name_is_taken(),
                _ => Failure::of(Side::Target, "rename it", &self.relative, error),
            }
        })?;
        making.temporary = None;
        Ok(())
    }

    /// Marks this directory and those above it as ones that a copy would make; how many were not marked before.
    pub(super) fn want_target(&self) -> u64 {
        let mut count = 0;
        let mut node = self;
        while node.target.get().is_none() && !node.wanted.swap(true, Ordering::Relaxed) {
            count += 1;
            match &node.parent {
                Some(parent) => node = parent,
                None => break,
            }
        }
        count
    }

    pub(super) fn hold(&self) {
        self.pending.fetch_add(1, Ordering::AcqRel);
    }

    /// Gives back a hold; whether it was the last one.
    pub(super) fn let_go(&self) -> LetGo {
        if self.pending.fetch_sub(1, Ordering::AcqRel) == 1 { LetGo::Last } else { LetGo::OthersLeft }
    }
}

impl<D> Drop for Node<D> {
    /// Lets the directories above go one by one: a parent that is dropped with its child would take a frame of the stack a
    /// level.
    fn drop(&mut self) {
        let mut above = self.parent.take();
        while let Some(node) = above {
            above = Arc::into_inner(node).and_then(|mut last| last.parent.take());
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LetGo {
    Last,
    OthersLeft,
}

/// The target has something else where the source has a directory. Nothing is ever deleted to make room.
pub(super) fn in_the_way() -> Failure {
    Failure::Entry {
        class: ErrorClass::Permanent,
        text: "the source has a directory here, the target something else: move that out of the way".into(),
    }
}

//! A directory of the source that a pass is in, with its counterpart in the target, both as open handles.

use std::ffi::{OsStr, OsString};
use std::fs::Permissions;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::failure::{Failure, Side};
use crate::copy::ErrorClass;
use crate::sys::tree::{Directory, Status};

pub(super) struct Node<D> {
    pub(super) parent: Option<Arc<Node<D>>>,
    pub(super) name: OsString,
    /// Below the root.
    pub(super) relative: PathBuf,
    pub(super) source: D,
    /// As the directory was when it was entered.
    pub(super) source_status: Status,
    target: OnceLock<TargetSide<D>>,
    /// Held while the target directory is made, so that it is made once.
    making: Mutex<()>,
    /// Whether a survey has counted this directory as one that would be made.
    wanted: AtomicBool,
    /// What still has to happen below before the directory can be left.
    pending: AtomicUsize,
}

/// The counterpart in the target.
pub(super) struct TargetSide<D> {
    pub(super) directory: D,
    pub(super) origin: Origin,
    /// The permission bits to go back to, where writing into the directory needed wider ones.
    narrow: Mutex<Option<Permissions>>,
}

/// Who made a target directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    Found,
    MadeByThisPass,
}

impl<D> TargetSide<D> {
    pub(super) fn new(directory: D, origin: Origin) -> Self {
        Self { directory, origin, narrow: Mutex::new(None) }
    }

    pub(super) fn narrow(&self) -> Option<Permissions> {
        self.narrow.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl<D: Directory> TargetSide<D> {
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
        let relative = parent.as_ref().map_or_else(PathBuf::new, |parent| parent.relative.join(&name));
        Self {
            parent,
            name,
            relative,
            source,
            source_status,
            target: target.map_or_else(OnceLock::new, OnceLock::from),
            making: Mutex::new(()),
            wanted: AtomicBool::new(false),
            pending: AtomicUsize::new(1),
        }
    }

    pub(super) fn path_of(&self, name: &OsStr) -> PathBuf {
        self.relative.join(name)
    }

    /// The directory in the target, where there is one.
    pub(super) fn target(&self) -> Option<&TargetSide<D>> {
        self.target.get()
    }

    /// The directory in the target, made if need be, with those above it.
    pub(super) fn target_or_make(&self) -> Result<&TargetSide<D>, Failure> {
        if let Some(side) = self.target.get() {
            return Ok(side);
        }
        let _alone = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(side) = self.target.get() {
            return Ok(side);
        }
        let Some(parent) = &self.parent else {
            return Err(Failure::permanent("the target's top directory is not open"));
        };
        let above = parent.target_or_make()?;
        let failed = |what, error| Failure::of(Side::Target, what, &self.relative, error);
        let made = match above.directory.make_directory(&self.name) {
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                above.open_up(error).and_then(|()| above.directory.make_directory(&self.name))
            }
            result => result,
        };
        let origin = match made {
            Ok(()) => Origin::MadeByThisPass,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Origin::Found,
            Err(error) => return Err(failed("make the directory in the target", error)),
        };
        let directory = above.directory.enter(&self.name).map_err(|error| match error.kind() {
            ErrorKind::NotADirectory => in_the_way(),
            _ => failed("open the directory in the target", error),
        })?;
        Ok(self.target.get_or_init(|| TargetSide::new(directory, origin)))
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

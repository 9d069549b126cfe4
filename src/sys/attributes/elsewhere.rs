//! Systems whose owners, attributes and access lists are not carried over yet: permission bits and times
//! alone. A pass that asks for more is refused before it begins.

use std::fs::File;
use std::io;
use std::path::Path;
use std::time::SystemTime;

use super::AttributeNames;
use crate::copy::Preserved;
use crate::sys::tree::{Directory, Here, Owner, Permissions, Status};

/// What is carried over here beside content, time and permission bits.
pub const PRESERVED: &[Preserved] = &[];

pub(super) fn settable() -> Vec<&'static [u8]> {
    Vec::new()
}

#[derive(Debug)]
pub(super) struct Held(File);

impl Held {
    pub(super) fn at(path: &Path) -> io::Result<Self> {
        use rustix::fs::{Mode, OFlags};
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        Ok(Self(rustix::fs::open(path, flags, Mode::empty())?.into()))
    }

    pub(super) fn open(handle: std::os::fd::OwnedFd) -> Self {
        Self(handle.into())
    }

    pub(super) fn object(&self) -> Object<'_> {
        Object(&self.0)
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Object<'a>(&'a File);

impl<'a> Object<'a> {
    pub(super) fn file(file: &'a File) -> Self {
        Self(file)
    }

    pub(super) fn status(self) -> io::Result<Status> {
        Here::file_status(self.0)
    }

    pub(super) fn set_owner(self, _owner: Owner) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn set_permissions(self, permissions: &Permissions) -> io::Result<()> {
        self.0.set_permissions(permissions.in_place_of(self.0.metadata()?.permissions()))
    }

    pub(super) fn set_modified(self, modified: SystemTime) -> io::Result<()> {
        self.0.set_times(std::fs::FileTimes::new().set_modified(modified))
    }

    pub(super) fn names(self) -> io::Result<AttributeNames> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn value(self, _name: &[u8]) -> io::Result<Option<Vec<u8>>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn set(self, _name: &[u8], _value: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn remove(self, _name: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

//! Marks, owners, access lists and streams of Windows.
//!
//! Owner and access lists are told and set as attributes of fixed names ([`OWNER`], [`ACCESS`], [`AUDIT`]), whose values are
//! the parts of a security descriptor (see `descriptor`). What sets them opens the object again by its own handle, with the
//! rights for just that: a file is held with as few as looking at it takes.
//!
//! What an open object must have been opened with: `FILE_READ_ATTRIBUTES` to be looked at, `FILE_WRITE_ATTRIBUTES` for marks
//! and times, and reading and writing for its content's shape ([`shape`]).

mod marks;
mod security;
pub(crate) mod shape;
pub(super) mod streams;

use std::fs::File;
use std::io;
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::{AsRawHandle, FromRawHandle};
use std::path::Path;
use std::time::SystemTime;

use windows_sys::Win32::Foundation::INVALID_HANDLE_VALUE;
use windows_sys::Win32::Storage::FileSystem::{
    FILE_FLAG_BACKUP_SEMANTICS, FILE_FLAG_OPEN_REPARSE_POINT, FILE_READ_ATTRIBUTES, FILE_SHARE_DELETE,
    FILE_SHARE_READ, FILE_SHARE_WRITE, FILE_WRITE_ATTRIBUTES, GetVolumeInformationByHandleW, ReOpenFile,
};

use super::{ACCESS, AUDIT, AttributeNames, OWNER};
use crate::copy::Preserved;
use crate::sys::privilege;
use crate::sys::tree::{Directory, Here, Owner, Permissions, Status};

/// What a volume says that it has (`FILE_PERSISTENT_ACLS`, `FILE_NAMED_STREAMS`).
const PERSISTENT_ACLS: u32 = 0x8;
const NAMED_STREAMS: u32 = 0x4_0000;

/// What is carried over here beside content, time and marks.
pub const PRESERVED: &[Preserved] = &[Preserved::Owner, Preserved::Acls];

pub(super) fn settable() -> Vec<&'static [u8]> {
    Vec::new()
}

#[derive(Debug)]
pub(super) struct Held(File);

impl Held {
    /// Its marks alone: the content is opened for nothing, and who has the file open is not disturbed.
    pub(super) fn at(path: &Path) -> io::Result<Self> {
        let mut options = std::fs::OpenOptions::new();
        options.access_mode(FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES);
        options.custom_flags(FILE_FLAG_OPEN_REPARSE_POINT | FILE_FLAG_BACKUP_SEMANTICS);
        Ok(Self(options.open(path)?))
    }

    pub(super) fn open(file: File) -> Self {
        Self(file)
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

    /// By number there are none here: see [`OWNER`].
    pub(super) fn set_owner(self, _owner: Owner) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn set_permissions(self, permissions: &Permissions) -> io::Result<()> {
        marks::set(self.0, permissions.marks())
    }

    pub(super) fn set_modified(self, modified: SystemTime) -> io::Result<()> {
        self.0.set_times(std::fs::FileTimes::new().set_modified(modified))
    }

    /// A volume without descriptors is an error, not an entry without any: an access list that is not there lets
    /// everybody in.
    pub(super) fn names(self) -> io::Result<AttributeNames> {
        if abilities(self.0)? & PERSISTENT_ACLS == 0 {
            return Err(io::Error::other(
                "its volume keeps no owners and access lists: leave `owner` and `acls` out of `preserve`",
            ));
        }
        let mut names = vec![OWNER, ACCESS];
        if privilege::may_see_audit_lists() {
            names.push(AUDIT);
        }
        Ok(names.into_iter().collect())
    }

    pub(super) fn value(self, name: &[u8]) -> io::Result<Option<Vec<u8>>> {
        security::Part::named(name).map_or(Ok(None), |part| security::read(self.0, part))
    }

    pub(super) fn set(self, name: &[u8], value: &[u8]) -> io::Result<()> {
        match security::Part::named(name) {
            Some(part) => security::set(self.0, part, value),
            None => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// None of them can be taken away, only replaced; an audit list that the source does not show stays as it is.
    pub(super) fn remove(self, name: &[u8]) -> io::Result<()> {
        if name == AUDIT { Ok(()) } else { Err(io::ErrorKind::Unsupported.into()) }
    }
}

/// Where these permissions are for the owner alone, makes a new object so, before anything is in it.
pub(in crate::sys) fn close(file: &File, permissions: &Permissions) -> io::Result<()> {
    if permissions.marks() & super::marks::OWNER_ONLY == 0 { Ok(()) } else { security::close_to_others(file) }
}

/// The same of a new directory by its path.
pub(in crate::sys) fn close_at(path: &Path, permissions: &Permissions) -> io::Result<()> {
    if permissions.marks() & super::marks::OWNER_ONLY == 0 {
        return Ok(());
    }
    security::close_to_others(&Held::at(path)?.0)
}

/// The security descriptor, in the self-relative form, that an object of these permissions is made with; nothing at all
/// where it has what its folder hands down.
pub(in crate::sys) fn first_descriptor(permissions: &Permissions) -> Vec<u8> {
    if permissions.marks() & super::marks::OWNER_ONLY == 0 { Vec::new() } else { security::owner_only() }
}

/// What the volume of an open file can do (`FILE_NAMED_STREAMS` and the like).
pub(super) fn abilities(file: &File) -> io::Result<u32> {
    let mut abilities = 0;
    let none = std::ptr::null_mut();
    // SAFETY: the file is open, the number outlives the call, and nothing else is asked for.
    let told = unsafe {
        GetVolumeInformationByHandleW(
            file.as_raw_handle(),
            none,
            0,
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            &mut abilities,
            std::ptr::null_mut(),
            0,
        )
    };
    if told == 0 { Err(io::Error::last_os_error()) } else { Ok(abilities) }
}

/// Opens an object once more, with other rights; a directory and a link too, and whatever name it has by now.
pub(super) fn again(file: &File, access: u32) -> io::Result<File> {
    let share = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
    let flags = FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT;
    // SAFETY: the file is open, and the call takes numbers beside it.
    let handle = unsafe { ReOpenFile(file.as_raw_handle(), access, share, flags) };
    if handle == INVALID_HANDLE_VALUE {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the handle is new and nobody else's.
    Ok(unsafe { File::from_raw_handle(handle) })
}

#[cfg(test)]
mod tests;

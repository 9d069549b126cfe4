//! Owners, permission bits and extended attributes on Linux.

use std::ffi::{CString, OsStr};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::SystemTime;

use rustix::fs::{AtFlags, CWD, Gid, Mode, OFlags, Uid, XattrFlags};
use rustix::io::Errno;
use rustix::thread::CapabilitySet;

use super::AttributeNames;
use crate::copy::Preserved;
use crate::sys::tree::{Owner, Permissions, Status, unix};
use calls::{list_at, value_at};

/// What is carried over here beside content, time and permission bits.
pub const PRESERVED: &[Preserved] =
    &[Preserved::Owner, Preserved::Xattrs, Preserved::Acls, Preserved::HardLinks];

/// The longest list of names, and the longest value, that the kernel gives out.
const LONGEST: usize = 64 * 1024;
/// What most lists fit into.
const SHORT: usize = 512;

/// The user's own; with the privilege those of the system's programs and the rights of executables too.
pub(super) fn settable() -> Vec<&'static [u8]> {
    let mut names: Vec<&[u8]> = vec![b"user."];
    // A process that may not know its rights has none of these.
    if let Ok(rights) = rustix::thread::capabilities(None) {
        let privileged: [(CapabilitySet, &[u8]); 2] =
            [(CapabilitySet::SYS_ADMIN, b"trusted."), (CapabilitySet::SETFCAP, b"security.capability")];
        names.extend(
            privileged
                .into_iter()
                .filter(|(right, _)| rights.effective.contains(*right))
                .map(|(_, name)| name),
        );
    }
    names
}

/// An entry opened as a mere path: nothing can be read or written through it, and no right to do so is needed.
#[derive(Debug)]
pub(super) struct Held(OwnedFd);

impl Held {
    pub(super) fn at(path: &Path) -> io::Result<Self> {
        Self::open(CWD, path.as_os_str())
    }

    pub(super) fn below(directory: BorrowedFd<'_>, name: &OsStr) -> io::Result<Self> {
        Self::open(directory, name)
    }

    fn open(directory: BorrowedFd<'_>, name: &OsStr) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(Self(rustix::fs::openat(directory, name, flags, Mode::empty())?))
    }

    pub(super) fn object(&self) -> Object<'_> {
        Object::PathOnly(self.0.as_fd())
    }

    /// Gives the file one more name; fails where that is taken.
    pub(super) fn link(&self, directory: BorrowedFd<'_>, name: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::linkat(CWD, known_as(self.0.as_fd()), directory, name, AtFlags::SYMLINK_FOLLOW)?)
    }
}

/// How `/proc` calls an open handle: for calls that take none that is a mere path.
fn known_as(handle: BorrowedFd<'_>) -> String {
    format!("/proc/self/fd/{}", handle.as_raw_fd())
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Object<'a> {
    /// Open for reading or writing.
    Whole(BorrowedFd<'a>),
    PathOnly(BorrowedFd<'a>),
}

impl<'a> Object<'a> {
    pub(super) fn file(file: &'a File) -> Self {
        Self::Whole(file.as_fd())
    }

    fn handle(self) -> BorrowedFd<'a> {
        let (Self::Whole(handle) | Self::PathOnly(handle)) = self;
        handle
    }

    pub(super) fn status(self) -> io::Result<Status> {
        unix::status_of(self.handle())
    }

    pub(super) fn set_owner(self, owner: Owner) -> io::Result<()> {
        let (user, group) = (Uid::from_raw(owner.user), Gid::from_raw(owner.group));
        Ok(rustix::fs::chownat(self.handle(), "", Some(user), Some(group), AtFlags::EMPTY_PATH)?)
    }

    pub(super) fn set_permissions(self, permissions: &Permissions) -> io::Result<()> {
        let mode = Mode::from_raw_mode(permissions.mode() & 0o7777);
        let result = match self {
            Self::Whole(handle) => rustix::fs::fchmod(handle, mode),
            Self::PathOnly(handle) => rustix::fs::chmod(known_as(handle), mode),
        };
        Ok(result?)
    }

    pub(super) fn set_modified(self, modified: SystemTime) -> io::Result<()> {
        let times = unix::only_modified(modified);
        let result = match self {
            Self::Whole(handle) => rustix::fs::futimens(handle, &times),
            Self::PathOnly(handle) => rustix::fs::utimensat(CWD, known_as(handle), &times, AtFlags::empty()),
        };
        Ok(result?)
    }

    pub(super) fn names(self) -> io::Result<AttributeNames> {
        names(|buffer| match self {
            Self::Whole(handle) => rustix::fs::flistxattr(handle, buffer),
            Self::PathOnly(handle) => rustix::fs::listxattr(known_as(handle), buffer),
        })
    }

    pub(super) fn value(self, name: &[u8]) -> io::Result<Option<Vec<u8>>> {
        value(|buffer| match self {
            Self::Whole(handle) => rustix::fs::fgetxattr(handle, name, buffer),
            Self::PathOnly(handle) => rustix::fs::getxattr(known_as(handle), name, buffer),
        })
    }

    pub(super) fn set(self, name: &[u8], value: &[u8]) -> io::Result<()> {
        let flags = XattrFlags::empty();
        let result = match self {
            Self::Whole(handle) => rustix::fs::fsetxattr(handle, name, value, flags),
            Self::PathOnly(handle) => rustix::fs::setxattr(known_as(handle), name, value, flags),
        };
        Ok(result?)
    }

    pub(super) fn remove(self, name: &[u8]) -> io::Result<()> {
        let removed = match self {
            Self::Whole(handle) => rustix::fs::fremovexattr(handle, name),
            Self::PathOnly(handle) => rustix::fs::removexattr(known_as(handle), name),
        };
        match removed {
            Err(Errno::NODATA) => Ok(()),
            result => Ok(result?),
        }
    }
}

pub(super) fn names_below(directory: BorrowedFd<'_>, name: &OsStr) -> io::Result<AttributeNames> {
    let path = CString::new(name.as_bytes())?;
    names(|buffer| match list_at(directory, &path, buffer) {
        Err(error) if is_unknown(error) => rustix::fs::llistxattr(below(directory, name), buffer),
        result => result,
    })
}

pub(super) fn value_below(
    directory: BorrowedFd<'_>,
    name: &OsStr,
    attribute: &[u8],
) -> io::Result<Option<Vec<u8>>> {
    let path = CString::new(name.as_bytes())?;
    let attribute = CString::new(attribute)?;
    value(|buffer| match value_at(directory, &path, &attribute, buffer) {
        Err(error) if is_unknown(error) => rustix::fs::lgetxattr(below(directory, name), &attribute, buffer),
        result => result,
    })
}

fn below(directory: BorrowedFd<'_>, name: &OsStr) -> Vec<u8> {
    [known_as(directory).as_bytes(), b"/", name.as_bytes()].concat()
}

fn names(mut read: impl FnMut(&mut [u8]) -> rustix::io::Result<usize>) -> io::Result<AttributeNames> {
    let mut short = [0; SHORT];
    Ok(AttributeNames(match read(&mut short) {
        Ok(length) => short[..length].to_vec(),
        Err(Errno::RANGE) => {
            let mut long = vec![0; LONGEST];
            let length = read(&mut long)?;
            long.truncate(length);
            long
        }
        Err(error) => return Err(error.into()),
    }))
}

fn value(mut read: impl FnMut(&mut [u8]) -> rustix::io::Result<usize>) -> io::Result<Option<Vec<u8>>> {
    let mut short = [0; SHORT];
    Ok(match read(&mut short) {
        Ok(length) => Some(short[..length].to_vec()),
        Err(Errno::NODATA) => None,
        Err(Errno::RANGE) => {
            let mut long = vec![0; LONGEST];
            let length = read(&mut long)?;
            long.truncate(length);
            Some(long)
        }
        Err(error) => return Err(error.into()),
    })
}

/// Whether an answer means that the kernel, or a filter in front of it, does not know the call.
fn is_unknown(error: Errno) -> bool {
    matches!(error, Errno::NOSYS | Errno::PERM)
}

/// The calls of Linux 6.13 have one number on all systems whose tables were joined before.
#[cfg(any(
    target_arch = "x86_64",
    target_arch = "x86",
    target_arch = "aarch64",
    target_arch = "arm",
    target_arch = "riscv64",
    target_arch = "powerpc64",
    target_arch = "s390x",
))]
mod calls {
    use std::ffi::{CStr, c_int, c_long};
    use std::os::fd::{AsRawFd, BorrowedFd};
    use std::sync::atomic::{AtomicBool, Ordering};

    use rustix::io::Errno;

    const GET: c_long = 464;
    const LIST: c_long = 465;
    const NO_FOLLOW: c_int = libc::AT_SYMLINK_NOFOLLOW;

    /// Set once the kernel said that it knows them not, so that it is not asked for each file.
    static UNKNOWN: AtomicBool = AtomicBool::new(false);

    #[repr(C)]
    struct Arguments {
        value: u64,
        size: u32,
        flags: u32,
    }

    pub(super) fn list_at(
        directory: BorrowedFd<'_>,
        path: &CStr,
        buffer: &mut [u8],
    ) -> rustix::io::Result<usize> {
        if UNKNOWN.load(Ordering::Relaxed) {
            return Err(Errno::NOSYS);
        }
        // SAFETY: the path ends with a zero byte, and the kernel writes at most as much as the buffer holds.
        done(unsafe {
            libc::syscall(
                LIST,
                directory.as_raw_fd(),
                path.as_ptr(),
                NO_FOLLOW,
                buffer.as_mut_ptr(),
                buffer.len(),
            )
        })
    }

    pub(super) fn value_at(
        directory: BorrowedFd<'_>,
        path: &CStr,
        attribute: &CStr,
        buffer: &mut [u8],
    ) -> rustix::io::Result<usize> {
        if UNKNOWN.load(Ordering::Relaxed) {
            return Err(Errno::NOSYS);
        }
        let arguments = Arguments { value: buffer.as_mut_ptr() as u64, size: buffer.len() as u32, flags: 0 };
        // SAFETY: both names end with a zero byte, the arguments have the layout of `struct xattr_args`, and the kernel
        // writes at most as much as the buffer holds.
        done(unsafe {
            libc::syscall(
                GET,
                directory.as_raw_fd(),
                path.as_ptr(),
                NO_FOLLOW,
                attribute.as_ptr(),
                &raw const arguments,
                size_of::<Arguments>(),
            )
        })
    }

    fn done(result: c_long) -> rustix::io::Result<usize> {
        usize::try_from(result).map_err(|_| {
            let error = Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO);
            if error == Errno::NOSYS {
                UNKNOWN.store(true, Ordering::Relaxed);
            }
            error
        })
    }
}

#[cfg(not(any(
    target_arch = "x86_64",
    target_arch = "x86",
    target_arch = "aarch64",
    target_arch = "arm",
    target_arch = "riscv64",
    target_arch = "powerpc64",
    target_arch = "s390x",
)))]
mod calls {
    use std::ffi::CStr;
    use std::os::fd::BorrowedFd;

    use rustix::io::Errno;

    pub(super) fn list_at(_: BorrowedFd<'_>, _: &CStr, _: &mut [u8]) -> rustix::io::Result<usize> {
        Err(Errno::NOSYS)
    }

    pub(super) fn value_at(_: BorrowedFd<'_>, _: &CStr, _: &CStr, _: &mut [u8]) -> rustix::io::Result<usize> {
        Err(Errno::NOSYS)
    }
}

//! Directory handles on Unix: every call is relative to an open directory and follows no link.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, Timespec, Timestamps, UTIME_OMIT};
use rustix::io::Errno;

use super::{
    Case, Directory, Durability, FileIdentity, Listed, Listings, Owner, Permissions, Presence, Renaming,
    SetId, Status, Taken,
};
use crate::copy::{EntryKind, Preserved};
use crate::sys::attributes::{self, AttributeNames, Held, Object};

/// Permission bits that a copy keeps. A set-user-ID bit would lend the rights of whoever runs the copy.
const FILE_BITS: u32 = 0o777;
/// Directories also keep "only owners delete" and "the group is handed down".
const DIRECTORY_BITS: u32 = 0o3777;

/// An open directory.
#[derive(Debug)]
pub struct Handle(OwnedFd);

impl Directory for Handle {
    #[cfg(target_os = "linux")]
    const DURABILITY: Durability = Durability::AtTheEnd;
    // Only Linux waits for the data of a whole file system in one call.
    #[cfg(not(target_os = "linux"))]
    const DURABILITY: Durability = Durability::EachFile;
    const RENAMING: Renaming = Renaming::Followed;

    const PRESERVED: &'static [Preserved] = attributes::PRESERVED;

    fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self(quietly(flags, |flags| rustix::fs::open(path, flags, Mode::empty()))?))
    }

    fn enter(&self, name: &OsStr) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(Self(quietly(flags, |flags| rustix::fs::openat(&self.0, name, flags, Mode::empty()))?))
    }

    /// It tells of kinds alone, which no client makes old.
    fn listings(&self) -> Listings {
        Listings::Fresh
    }

    /// What a mounted FAT or share folds is found out by what it refuses.
    fn case(&self) -> Case {
        Case::Distinct
    }

    fn each_entry(&self, each: &mut dyn FnMut(&OsStr, Listed) -> io::Result<()>) -> io::Result<()> {
        self.each_type(|name, file_type| {
            let name = OsStr::from_bytes(name);
            let kind = match kind_of_type(file_type) {
                Some(kind) => kind,
                // Some file systems do not tell the kind while listing.
                None => match self.status(name) {
                    Ok(status) => status.kind,
                    Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                    Err(error) => return Err(error),
                },
            };
            each(name, Listed::Kind(kind))
        })
    }

    fn status(&self, name: &OsStr) -> io::Result<Status> {
        Ok(status(&rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW)?))
    }

    fn own_status(&self) -> io::Result<Status> {
        Ok(status(&rustix::fs::fstat(&self.0)?))
    }

    fn file_status(file: &File) -> io::Result<Status> {
        Ok(status(&rustix::fs::fstat(file)?))
    }

    fn read(&self, name: &OsStr) -> io::Result<File> {
        // NONBLOCK: a pipe that took the file's place after it was looked at must not hold the pass.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        Ok(quietly(flags, |flags| rustix::fs::openat(&self.0, name, flags, Mode::empty()))?.into())
    }

    fn reopen(&self, name: &OsStr) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        Ok(rustix::fs::openat(&self.0, name, flags, Mode::empty())?.into())
    }

    fn create(&self, name: &OsStr, permissions: &Permissions) -> io::Result<File> {
        let bits = permissions.mode() & FILE_BITS;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&self.0, name, flags, Mode::from_raw_mode(bits as _))?;
        if bits & creation_mask() != 0 {
            rustix::fs::fchmod(&file, Mode::from_raw_mode(bits as _))?;
        }
        Ok(file.into())
    }

    fn make_directory(&self, name: &OsStr, permissions: &Permissions) -> io::Result<()> {
        Ok(rustix::fs::mkdirat(&self.0, name, open_to_owner(permissions))?)
    }

    fn make_root(path: &Path, permissions: &Permissions) -> io::Result<()> {
        if let Some(above) = path.parent() {
            std::fs::create_dir_all(above)?;
        }
        Ok(rustix::fs::mkdir(path, open_to_owner(permissions))?)
    }

    fn make_link(&self, name: &OsStr, text: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::symlinkat(text, &self.0, name)?)
    }

    fn link_text(&self, name: &OsStr) -> io::Result<OsString> {
        let text = rustix::fs::readlinkat(&self.0, name, Vec::new())?;
        Ok(OsString::from_vec(text.into_bytes()))
    }

    fn rename(&self, name: &OsStr, into: &Self, new_name: &OsStr, taken: Taken) -> io::Result<()> {
        match taken {
            Taken::Replace => self.rename_over(name, into, new_name),
            Taken::Refuse => self.rename_if_free(name, into, new_name),
        }
    }

    fn remove_file(&self, name: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.0, name, AtFlags::empty())?)
    }

    fn remove_directory(&self, name: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.0, name, AtFlags::REMOVEDIR)?)
    }

    fn set_own_permissions(&self, permissions: &Permissions) -> io::Result<()> {
        let bits = permissions.mode() & 0o7777;
        Ok(rustix::fs::fchmod(&self.0, Mode::from_raw_mode(bits as _))?)
    }

    fn set_own_modified(&self, modified: SystemTime) -> io::Result<()> {
        Ok(rustix::fs::futimens(&self.0, &only_modified(modified))?)
    }

    #[cfg(target_os = "linux")]
    fn hold(&self, name: &OsStr) -> io::Result<Held> {
        Held::below(self.0.as_fd(), name)
    }

    #[cfg(not(target_os = "linux"))]
    fn hold(&self, name: &OsStr) -> io::Result<Held> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        Ok(Held::open(rustix::fs::openat(&self.0, name, flags, Mode::empty())?))
    }

    #[cfg(target_os = "linux")]
    fn object(&self) -> io::Result<Object<'_>> {
        Ok(Object::open(self.0.as_fd()))
    }

    #[cfg(target_os = "linux")]
    fn attribute_names(&self, name: &OsStr) -> io::Result<AttributeNames> {
        attributes::names_below(self.0.as_fd(), name)
    }

    #[cfg(target_os = "linux")]
    fn attribute(&self, name: &OsStr, attribute: &[u8]) -> io::Result<Option<Vec<u8>>> {
        attributes::value_below(self.0.as_fd(), name, attribute)
    }

    #[cfg(target_os = "linux")]
    fn add_name(&self, held: &Held, name: &OsStr) -> io::Result<()> {
        held.link(self.0.as_fd(), name)
    }

    #[cfg(target_os = "linux")]
    fn flush(&self) -> io::Result<()> {
        rustix::fs::syncfs(&self.0)?;
        self.each_mount_below(|mount| Ok(rustix::fs::syncfs(mount)?))
    }

    #[cfg(not(target_os = "linux"))]
    fn flush(&self) -> io::Result<()> {
        Ok(rustix::fs::fsync(&self.0)?)
    }
}

impl Handle {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn each_type(&self, mut each: impl FnMut(&[u8], FileType) -> io::Result<()>) -> io::Result<()> {
        // The listing starts where the handle stands: a second one must begin at the top again.
        rustix::fs::seek(&self.0, rustix::fs::SeekFrom::Start(0))?;
        let mut buffer = [MaybeUninit::uninit(); 32 * 1024];
        let mut entries = rustix::fs::RawDir::new(&self.0, &mut buffer);
        while let Some(entry) = entries.next() {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if name != b"." && name != b".." {
                each(name, entry.file_type())?;
            }
        }
        Ok(())
    }

    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    fn each_type(&self, mut each: impl FnMut(&[u8], FileType) -> io::Result<()>) -> io::Result<()> {
        let mut entries = rustix::fs::Dir::read_from(&self.0)?;
        while let Some(entry) = entries.read() {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if name != b"." && name != b".." {
                each(name, entry.file_type())?;
            }
        }
        Ok(())
    }

    /// Replaces an entry by exchanging both names and removing the old one. A plain rename over a file makes ext4 find
    /// blocks for the new one at once: rewriting 100,000 small files then takes 1.2 times as long.
    #[cfg(target_os = "linux")]
    fn rename_over(&self, name: &OsStr, into: &Self, new_name: &OsStr) -> io::Result<()> {
        use rustix::fs::{RenameFlags, renameat_with};
        let exchange = || renameat_with(&self.0, name, &into.0, new_name, RenameFlags::EXCHANGE);
        match exchange() {
            Ok(()) => {}
            // Nothing to exchange with any more, or a file system that cannot.
            Err(Errno::NOENT | Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                return Ok(rustix::fs::renameat(&self.0, name, &into.0, new_name)?);
            }
            Err(error) => return Err(error.into()),
        }
        rustix::fs::unlinkat(&self.0, name, AtFlags::empty()).map_err(|error| {
            // What cannot be removed (a directory, say) goes back to its place; if even that fails, it lies under the
            // temporary name, and the error tells of it.
            match exchange() {
                Ok(()) => error.into(),
                Err(_) => self.keep_aside(name, new_name),
            }
        })
    }

    /// Gives an entry that is not ours a name that no pass takes for its own temporary one, and tells of it.
    #[cfg(target_os = "linux")]
    fn keep_aside(&self, name: &OsStr, new_name: &OsStr) -> io::Error {
        let mut aside = new_name.to_owned();
        aside.push(".kept-by-movebook");
        let place = match self.rename_if_free(name, self, &aside) {
            Ok(()) => &*aside,
            Err(_) => name,
        };
        io::Error::other(format!("what was there is now called {}", place.display()))
    }

    #[cfg(not(target_os = "linux"))]
    fn rename_over(&self, name: &OsStr, into: &Self, new_name: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.0, name, &into.0, new_name)?)
    }

    /// Passes cross into what is mounted below a root, as robocopy does, so their flush has to.
    #[cfg(target_os = "linux")]
    fn each_mount_below(&self, each: impl Fn(&OwnedFd) -> io::Result<()>) -> io::Result<()> {
        use std::os::fd::AsRawFd;
        // Without `/proc` nothing is known of mounts; the system's own path leads through no link.
        let Ok(here) = std::fs::read_link(format!("/proc/self/fd/{}", self.0.as_raw_fd())) else {
            return Ok(());
        };
        for mount in crate::sys::mounts::below(&here).unwrap_or_default() {
            let flags =
                OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
            match rustix::fs::open(&mount.place, flags, Mode::empty()) {
                Ok(place) => each(&place)?,
                // It was taken off meanwhile (which flushes it), or this user cannot have written there.
                Err(Errno::NOENT | Errno::NOTDIR | Errno::ACCESS) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn rename_if_free(&self, name: &OsStr, into: &Self, new_name: &OsStr) -> io::Result<()> {
        #[cfg(any(target_os = "linux", target_vendor = "apple"))]
        match rustix::fs::renameat_with(&self.0, name, &into.0, new_name, rustix::fs::RenameFlags::NOREPLACE)
        {
            // Not every file system knows the flag; the look below is then all that can be done.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
            result => return Ok(result?),
        }
        match into.status(new_name) {
            Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Ok(rustix::fs::renameat(&self.0, name, &into.0, new_name)?)
            }
            Err(error) => Err(error),
        }
    }
}

/// Sets aside a file's space and leaves its size alone: what a power cut leaves of an unfinished copy is then short, and
/// no later pass takes it for the same. File systems that cannot are left alone.
#[cfg(target_os = "linux")]
pub(super) fn reserve(file: &File, size: u64) -> io::Result<()> {
    match rustix::fs::fallocate(file, rustix::fs::FallocateFlags::KEEP_SIZE, 0, size) {
        Err(error @ (Errno::NOSPC | Errno::DQUOT)) => Err(error.into()),
        Ok(()) | Err(_) => Ok(()),
    }
}

pub(super) fn set_file_permissions(file: &File, permissions: &Permissions) -> io::Result<()> {
    Ok(rustix::fs::fchmod(file, Mode::from_raw_mode((permissions.mode() & FILE_BITS) as _))?)
}

pub(super) fn passes_by_itself(code: i32) -> bool {
    matches!(
        Errno::from_raw_os_error(code),
        Errno::IO
            | Errno::MFILE
            | Errno::NFILE
            | Errno::NOMEM
            | Errno::NOBUFS
            | Errno::HOSTDOWN
            | Errno::REMOTEIO
            | Errno::NXIO
            | Errno::LOOP
            // One file of a share that was replaced on the server; where the root is stale, the walk finds out.
            | Errno::STALE
    )
}

pub(super) fn is_out_of_handles(code: i32) -> bool {
    matches!(Errno::from_raw_os_error(code), Errno::MFILE | Errno::NFILE)
}

pub(super) fn volume_is_gone(code: i32) -> bool {
    matches!(Errno::from_raw_os_error(code), Errno::NOTCONN | Errno::NODEV)
}

pub(super) fn is_out_of_reach(code: i32) -> bool {
    matches!(
        Errno::from_raw_os_error(code),
        Errno::HOSTDOWN
            | Errno::HOSTUNREACH
            | Errno::NETDOWN
            | Errno::NETUNREACH
            | Errno::NETRESET
            | Errno::TIMEDOUT
            | Errno::CONNRESET
            | Errno::CONNABORTED
            | Errno::CONNREFUSED
    )
}

pub(super) fn is_stale(code: i32) -> bool {
    Errno::from_raw_os_error(code) == Errno::STALE
}

pub(super) fn is_link_on_the_way(code: i32) -> bool {
    Errno::from_raw_os_error(code) == Errno::LOOP
}

pub(super) fn writable(permissions: &Permissions) -> Option<Permissions> {
    const OWNER: u32 = 0o700;
    let bits = permissions.mode();
    (bits & OWNER != OWNER).then(|| Permissions::from_mode(bits | OWNER))
}

fn open_to_owner(permissions: &Permissions) -> Mode {
    Mode::from_raw_mode((permissions.mode() & FILE_BITS | 0o700) as _)
}

pub(super) fn kept_permissions(kind: EntryKind, permissions: &Permissions, set_id: SetId) -> Permissions {
    Permissions::from_mode(match (kind, set_id) {
        (_, SetId::Keep) => permissions.mode() & 0o7777,
        (EntryKind::Directory, SetId::Drop) => permissions.mode() & DIRECTORY_BITS,
        (_, SetId::Drop) => permissions.mode() & FILE_BITS,
    })
}

/// What the standard library calls permissions holds the kind of the entry too.
pub(super) fn same_permissions(one: &Permissions, other: &Permissions) -> bool {
    (one.mode() ^ other.mode()) & 0o7777 == 0
}

pub(super) fn owner_only(permissions: &Permissions) -> Permissions {
    Permissions::from_mode(permissions.mode() & 0o700 | 0o600)
}

pub(super) fn allow_many_handles() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    // Failing leaves the limit as it was.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}

/// Opens without touching the access time; only a file's owner may ask for that.
fn quietly(flags: OFlags, open: impl Fn(OFlags) -> rustix::io::Result<OwnedFd>) -> io::Result<OwnedFd> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    match open(flags | OFlags::NOATIME) {
        Err(Errno::PERM) => {}
        result => return Ok(result?),
    }
    Ok(open(flags)?)
}

/// The bits that the process's mask takes from new files; all of them where it cannot be read without changing it.
fn creation_mask() -> u32 {
    static MASK: OnceLock<u32> = OnceLock::new();
    *MASK.get_or_init(|| {
        let read = || {
            let status = std::fs::read_to_string("/proc/self/status").ok()?;
            let line = status.lines().find_map(|line| line.strip_prefix("Umask:"))?;
            u32::from_str_radix(line.trim(), 8).ok()
        };
        read().unwrap_or(0o777)
    })
}

fn kind_of_type(file_type: FileType) -> Option<EntryKind> {
    Some(match file_type {
        FileType::RegularFile => EntryKind::File,
        FileType::Directory => EntryKind::Directory,
        FileType::Symlink => EntryKind::Link,
        FileType::Unknown => return None,
        _ => EntryKind::Special,
    })
}

// The fields' types differ between systems.
#[allow(clippy::unnecessary_cast)]
fn status(stat: &Stat) -> Status {
    let kind = kind_of_type(FileType::from_raw_mode(stat.st_mode)).unwrap_or(EntryKind::Special);
    Status {
        kind,
        size: if kind == EntryKind::File { stat.st_size as u64 } else { 0 },
        modified: moment(stat.st_mtime as i64, stat.st_mtime_nsec as u32),
        changed: Some(moment(stat.st_ctime as i64, stat.st_ctime_nsec as u32)),
        permissions: Permissions::from_mode(stat.st_mode as u32 & 0o7777),
        presence: if stat.st_nlink == 0 { Presence::Removed } else { Presence::Named },
        identity: Some(FileIdentity { device: stat.st_dev as u64, number: stat.st_ino as u64 }),
        names: stat.st_nlink as u64,
        allocated: stat.st_blocks as u64 * 512,
        owner: Owner { user: stat.st_uid, group: stat.st_gid },
    }
}

fn moment(seconds: i64, nanoseconds: u32) -> SystemTime {
    let whole = Duration::from_secs(seconds.unsigned_abs());
    let base = if seconds >= 0 {
        SystemTime::UNIX_EPOCH.checked_add(whole)
    } else {
        SystemTime::UNIX_EPOCH.checked_sub(whole)
    };
    // The system's own type holds every time that the system can tell; the fallback is for a file system that lies.
    base.and_then(|base| base.checked_add(Duration::from_nanos(nanoseconds.into())))
        .unwrap_or(SystemTime::UNIX_EPOCH)
}

/// A time of the last change, with that of the last access left as it is.
pub(in crate::sys) fn only_modified(modified: SystemTime) -> Timestamps {
    Timestamps {
        last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT as _ },
        last_modification: timespec(modified),
    }
}

/// Looks at an open object.
#[cfg(target_os = "linux")]
pub(in crate::sys) fn status_of(handle: BorrowedFd<'_>) -> io::Result<Status> {
    Ok(status(&rustix::fs::fstat(handle)?))
}

fn timespec(time: SystemTime) -> Timespec {
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => Timespec { tv_sec: after.as_secs() as _, tv_nsec: after.subsec_nanos() as _ },
        Err(before) => {
            let before = before.duration();
            let (seconds, nanoseconds) = match before.subsec_nanos() {
                0 => (-(before.as_secs() as i64), 0),
                part => (-(before.as_secs() as i64) - 1, 1_000_000_000 - part),
            };
            Timespec { tv_sec: seconds as _, tv_nsec: nanoseconds as _ }
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_never_exchanged_with_a_directory() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("directory/inside");
        std::fs::create_dir(folder.path().join("directory")).unwrap();
        std::fs::write(&inside, "old").unwrap();
        std::fs::write(folder.path().join("new"), "new").unwrap();
        let handle = Handle::open(folder.path()).unwrap();
        handle.rename("new".as_ref(), &handle, "directory".as_ref(), Taken::Replace).unwrap_err();
        assert_eq!(std::fs::read_to_string(folder.path().join("new")).unwrap(), "new");
        assert_eq!(std::fs::read_to_string(inside).unwrap(), "old");
    }

    #[test]
    fn space_that_is_set_aside_does_not_make_an_unfinished_file_look_whole() {
        let file = tempfile::tempfile().unwrap();
        reserve(&file, 1 << 20).unwrap();
        assert_eq!(file.metadata().unwrap().len(), 0);
    }
}

//! A directory as a handle, and what a pass does relative to it.
//!
//! No method follows a link below the handle: a name that has become a link is refused, looked at, renamed or removed
//! as the link that it is. On Unix this holds against a link that is planted at any moment, since every call is
//! relative to an open directory; so are those on Windows. The portable form works by path and looks before it goes, which a
//! fast enough enemy can beat: it is for systems that have no such calls.

mod case;
pub mod content;
mod names;
mod permissions;
pub mod portable;
#[cfg(unix)]
pub mod unix;
#[cfg(any(windows, test))]
#[cfg_attr(not(windows), allow(dead_code, reason = "elsewhere only what is pure of it is tested"))]
pub mod windows;

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

pub use case::{Case, folded_hash, folded_order};
pub use names::Names;
pub use permissions::Permissions;

#[cfg(windows)]
use crate::sys::windows_errors::{self, Class};

use super::attributes::{AttributeNames, Held, Object};
use crate::copy::{EntryKind, Preserved};

/// The directory handle of this system.
#[cfg(unix)]
pub type Here = unix::Handle;
/// The directory handle of this system.
#[cfg(windows)]
pub type Here = windows::Handle;
/// The directory handle of this system.
#[cfg(not(any(unix, windows)))]
pub type Here = portable::Handle;

/// What a pass wants to know about an entry.
#[derive(Clone, Debug)]
pub struct Status {
    pub kind: EntryKind,
    /// Of a regular file; 0 of anything else.
    pub size: u64,
    pub modified: SystemTime,
    /// When the entry's content or attributes were last changed, by the system's own clock; `None` where it is not told.
    pub changed: Option<SystemTime>,
    pub permissions: Permissions,
    /// Whether the entry has been removed while a handle to it was open.
    pub presence: Presence,
    /// What makes it one with another name of the same file; `None` where the system does not tell.
    pub identity: Option<FileIdentity>,
    /// How many names the file has; 1 where the system does not tell.
    pub names: u64,
    /// Bytes that the content takes on the volume: fewer than `size` where the file has holes.
    pub allocated: u64,
    pub owner: Owner,
}

/// What a listing tells of an entry besides its name.
#[derive(Clone, Debug)]
pub enum Listed {
    /// Its kind alone.
    Kind(EntryKind),
    /// All that a look at it would tell, at no cost. It may lag behind what a look tells, see [`Directory::each_entry`].
    Status(Status),
}

impl Listed {
    pub fn kind(&self) -> EntryKind {
        match self {
            Self::Kind(kind) => *kind,
            Self::Status(status) => status.kind,
        }
    }

    /// What is kept of it, where it was told and the entry is a regular file.
    pub fn file(&self) -> Option<ListedFile> {
        match self {
            Self::Status(status) if status.kind == EntryKind::File => Some(status.into()),
            Self::Status(_) | Self::Kind(_) => None,
        }
    }
}

/// What is kept of what a listing tells of a regular file: enough to see that a file is the same, and no more. Whatever is
/// to be done with the file is decided by a [`Status`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListedFile {
    pub size: u64,
    pub modified: SystemTime,
    pub permissions: Permissions,
}

impl From<&Status> for ListedFile {
    fn from(Status { size, modified, permissions, .. }: &Status) -> Self {
        Self { size: *size, modified: *modified, permissions: *permissions }
    }
}

/// Whether a listing tells of an entry what it is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listings {
    /// As far as this system knows at all, see [`Directory::each_entry`].
    Fresh,
    /// This machine keeps listings of another's directory for some seconds.
    MayBeOld,
}

/// The same for all names of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileIdentity {
    pub device: u64,
    pub number: u64,
}

/// Whose a file is, by number; both 0 where the system has no such numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Owner {
    pub user: u32,
    pub group: u32,
}

/// Whether an open object still has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    Named,
    Removed,
}

/// What a rename does where the new name is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// The old entry is replaced in one step.
    Replace,
    /// The rename fails with [`io::ErrorKind::AlreadyExists`].
    Refuse,
}

/// What becomes of the bits that lend the owner's rights to whoever runs a file (set-user-ID, set-group-ID).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetId {
    /// They are dropped: without its owner kept, a copy would lend the rights of whoever runs the pass.
    Drop,
    Keep,
}

/// How written data reaches the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// By [`Directory::flush`], once for the whole file system.
    AtTheEnd,
    /// Each file is synced before it gets its name, since the system has no call for all of them.
    EachFile,
}

/// What becomes of an open directory when it gets another name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renaming {
    /// The handle stays with the directory.
    Followed,
    /// The handle is a path, which then leads nowhere.
    Lost,
}

/// Which names an entry can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameRules {
    /// Whatever the volume takes.
    OfTheVolume,
    /// Those of Windows besides, which its programs need.
    OfWindows,
}

/// An open directory. Names are single components.
pub trait Directory: Sized + Send + Sync {
    const DURABILITY: Durability;
    const RENAMING: Renaming;
    const NAMES: NameRules = if cfg!(windows) { NameRules::OfWindows } else { NameRules::OfTheVolume };

    /// What [`Directory::case`] says of most directories: believed of one that is not there yet.
    const USUAL_CASE: Case = if cfg!(windows) { Case::Folded } else { Case::Distinct };

    /// No listing and no look at a name tells what is older than this where [`Directory::listings`] says that it may be old.
    /// Windows keeps listings, and what it knows of single files, for 10 s (`DirectoryCacheLifetime` and
    /// `FileInfoCacheLifetime` in Microsoft's documentation of the parameters of `LanmanWorkstation`).
    const LISTINGS_KEPT: Duration = Duration::from_secs(11);

    /// What these handles can carry over beside content, time and permission bits. What is asked for besides is refused
    /// before a pass begins; the methods for it then say [`io::ErrorKind::Unsupported`].
    const PRESERVED: &'static [Preserved] = &[];

    /// Opens a root. Links in this path are followed: it is the user's word, not a tree's content.
    fn open(path: &Path) -> io::Result<Self>;

    /// Opens a directory below; fails where the name is a link or no directory.
    fn enter(&self, name: &OsStr) -> io::Result<Self>;

    /// All names but `.` and `..`, sorted by bytes.
    fn names(&self) -> io::Result<Names> {
        let mut names = Names::default();
        self.each_entry(&mut |name, listed| names.push_listed(name, &listed))?;
        names.sort();
        Ok(names)
    }

    /// Tells of all names but `.` and `..`, in whatever order the system has them, and in one listing.
    ///
    /// A status that comes with it is what the directory says, and may be wrong about a file in these ways, of which
    /// [`Directory::status`] is free:
    /// - NTFS writes a file's size and time into its directory late: while the file is open to be written, they may be
    ///   those from before;
    /// - of a file with several names it writes them into the directory of the one name by which the file was changed:
    ///   those of the others stay old until the file is opened by them;
    /// - where [`Directory::listings`] says so, all of it may be some seconds old.
    fn each_entry(&self, each: &mut dyn FnMut(&OsStr, Listed) -> io::Result<()>) -> io::Result<()>;

    /// How far statuses that come with a listing are behind; the same for all below a root.
    ///
    /// The client of a share keeps what it has listed (on Windows 10 s, `DirectoryCacheLifetime`): what was written on the
    /// server last may not show in it.
    fn listings(&self) -> Listings;

    /// Whether the directory takes names that differ only in case for one. A directory that is made in it does so too.
    fn case(&self) -> Case;

    /// Looks at an entry without following it. Where listings may be old, by opening it: what a client keeps of names is
    /// as old.
    fn status(&self, name: &OsStr) -> io::Result<Status>;

    /// Looks at the directory itself.
    fn own_status(&self) -> io::Result<Status>;

    /// Looks at an open file.
    fn file_status(file: &File) -> io::Result<Status>;

    /// Opens a file for reading, without touching its access time where the system lets us.
    fn read(&self, name: &OsStr) -> io::Result<File>;

    /// Opens a regular file that is there for reading and writing, its content as it is.
    fn reopen(&self, name: &OsStr) -> io::Result<File>;

    /// Makes a new file with these permission bits (without set-user-ID and set-group-ID: the owner is not kept either);
    /// fails where the name is taken.
    fn create(&self, name: &OsStr, permissions: &Permissions) -> io::Result<File>;

    /// Makes a new directory that its owner can write to, and that is open to others at most as these permissions say.
    fn make_directory(&self, name: &OsStr, permissions: &Permissions) -> io::Result<()>;

    /// Makes a root that is not there yet, in the same way, with the directories above it.
    fn make_root(path: &Path, permissions: &Permissions) -> io::Result<()>;

    /// Makes a link with this text.
    fn make_link(&self, name: &OsStr, text: &OsStr) -> io::Result<()>;

    /// What a link says.
    fn link_text(&self, name: &OsStr) -> io::Result<OsString>;

    fn rename(&self, name: &OsStr, into: &Self, new_name: &OsStr, taken: Taken) -> io::Result<()>;

    /// Removes anything but a directory.
    fn remove_file(&self, name: &OsStr) -> io::Result<()>;

    /// Removes an empty directory.
    fn remove_directory(&self, name: &OsStr) -> io::Result<()>;

    /// Sets the directory's own permission bits, all as they are given.
    fn set_own_permissions(&self, permissions: &Permissions) -> io::Result<()>;

    /// Sets the directory's own modification time.
    fn set_own_modified(&self, modified: SystemTime) -> io::Result<()>;

    /// Brings everything written below to the disk, also to file systems that are mounted below.
    fn flush(&self) -> io::Result<()>;

    /// Holds an entry so that its attributes can be set, whatever becomes of its name; a link itself.
    fn hold(&self, name: &OsStr) -> io::Result<Held>;

    /// The directory itself, for its attributes.
    fn object(&self) -> io::Result<Object<'_>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// The names of an entry's extended attributes; of a link's own.
    fn attribute_names(&self, _name: &OsStr) -> io::Result<AttributeNames> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// One of them, where it is there.
    fn attribute(&self, _name: &OsStr, _attribute: &[u8]) -> io::Result<Option<Vec<u8>>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Gives a held file one more name; fails where that is taken.
    fn add_name(&self, _held: &Held, _name: &OsStr) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// Sets aside the space of a file that is about to be written, where the file system can.
/// Failing for lack of space is an error; not being able to is none.
pub fn reserve(file: &File, size: u64) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    return unix::reserve(file, size);
    #[cfg(not(target_os = "linux"))]
    {
        let _unused = (file, size);
        Ok(())
    }
}

/// Whether an error is one that passes by itself and that [`io::ErrorKind`] has no word for: a sharing violation, a lock
/// or a lost connection on Windows, an input/output error or exhausted handles on Unix.
pub fn passes_by_itself(error: &io::Error) -> bool {
    #[cfg(unix)]
    return error.raw_os_error().is_some_and(unix::passes_by_itself);
    #[cfg(windows)]
    return matches!(class(error), Some(Class::Passing | Class::OutOfHandles | Class::Network));
}

/// Whether an error says that too many files and directories are open at once.
pub fn is_out_of_handles(error: &io::Error) -> bool {
    #[cfg(unix)]
    return error.raw_os_error().is_some_and(unix::is_out_of_handles);
    #[cfg(windows)]
    return class(error) == Some(Class::OutOfHandles);
}

/// Whether an error says that nothing has the name. One of a share that cannot be reached says nothing of the kind,
/// whatever its [`io::ErrorKind`] is.
pub fn is_absence(error: &io::Error) -> bool {
    #[cfg(unix)]
    return error.kind() == io::ErrorKind::NotFound;
    #[cfg(windows)]
    return match class(error) {
        Some(class) => class == Class::Absent,
        None => error.kind() == io::ErrorKind::NotFound,
    };
}

/// Whether an error says that this account may not.
pub fn is_denied(error: &io::Error) -> bool {
    #[cfg(unix)]
    return error.kind() == io::ErrorKind::PermissionDenied;
    #[cfg(windows)]
    return error.kind() == io::ErrorKind::PermissionDenied || class(error) == Some(Class::Denied);
}

/// Whether an error says that nothing can be written to the volume any more: it is full, or read-only.
pub fn ends_writing(error: &io::Error) -> bool {
    #[cfg(windows)]
    if matches!(class(error), Some(Class::NoRoom | Class::WriteProtected)) {
        return true;
    }
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::ReadOnlyFilesystem
    )
}

/// Whether an error of a directory that is open says that it is there no more.
pub fn is_gone(error: &io::Error) -> bool {
    #[cfg(unix)]
    let stale = error.raw_os_error().is_some_and(unix::is_stale);
    #[cfg(not(unix))]
    let stale = false;
    stale || volume_is_gone(error)
}

/// Whether an error says that another machine, or the way to it, does not answer now: it may again, and until then nothing
/// is known of what is there.
pub fn is_out_of_reach(error: &io::Error) -> bool {
    #[cfg(unix)]
    return error.raw_os_error().is_some_and(unix::is_out_of_reach);
    #[cfg(windows)]
    return class(error) == Some(Class::Network);
}

/// Whether an error of a way down says that a name on it is not there (any more): nothing is, or a link or a file.
pub fn is_no_way(error: &io::Error) -> bool {
    #[cfg(unix)]
    let link = error.raw_os_error().is_some_and(unix::is_link_on_the_way);
    #[cfg(windows)]
    let link = class(error) == Some(Class::NoWay);
    link || is_absence(error) || error.kind() == io::ErrorKind::NotADirectory
}

/// Whether an error says that the whole volume is gone.
pub fn volume_is_gone(error: &io::Error) -> bool {
    #[cfg(unix)]
    return error.raw_os_error().is_some_and(unix::volume_is_gone);
    #[cfg(windows)]
    return class(error) == Some(Class::VolumeGone);
}

/// What the table of Windows' codes says of an error.
#[cfg(windows)]
fn class(error: &io::Error) -> Option<Class> {
    windows_errors::code(error).and_then(windows_errors::class)
}

/// The name with these encoded bytes; on a system whose names are not bytes, what is no Unicode is replaced.
pub fn name_from_bytes(bytes: Vec<u8>) -> OsString {
    #[cfg(unix)]
    return std::os::unix::ffi::OsStringExt::from_vec(bytes);
    #[cfg(not(unix))]
    match String::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned().into(),
    }
}

/// The permissions that a copy gets.
pub fn kept_permissions(kind: EntryKind, permissions: &Permissions, set_id: SetId) -> Permissions {
    #[cfg(unix)]
    return unix::kept_permissions(kind, permissions, set_id);
    #[cfg(not(unix))]
    {
        let _unused = (kind, set_id);
        Permissions::from_marks(super::attributes::marks::kept(permissions.marks()))
    }
}

/// Whether a copy gets some of its permissions only when it is whole, since they would forbid to fill it.
pub const PERMISSIONS_COME_LAST: bool = cfg!(windows);

/// The permissions that a copy is made with.
pub fn first_permissions(permissions: &Permissions) -> Permissions {
    #[cfg(unix)]
    return *permissions;
    #[cfg(not(unix))]
    Permissions::from_marks(super::attributes::marks::first(permissions.marks()))
}

/// Whether a file that takes less than its size on its volume may do so for its holes. On Windows so do files whose content
/// a filter keeps elsewhere (deduplicated, in a cloud, on tape), and what such a filter says of holes is not to be relied on.
pub fn may_have_holes(status: &Status) -> bool {
    #[cfg(unix)]
    {
        let _unused = status;
        true
    }
    #[cfg(not(unix))]
    super::attributes::marks::may_have_holes(status.permissions.marks())
}

/// The permissions that the top of a target gets. On Windows it stays as hidden as it is: the root of a drive, which may be
/// the source, is hidden and one of the system's.
pub fn top_permissions(wanted: &Permissions, own: &Permissions) -> Permissions {
    #[cfg(unix)]
    {
        let _unused = own;
        *wanted
    }
    #[cfg(not(unix))]
    Permissions::from_marks(super::attributes::marks::of_the_top(wanted.marks(), own.marks()))
}

/// Whether two sets of permissions allow the same, as far as a copy can keep them.
pub fn same_permissions(one: &Permissions, other: &Permissions) -> bool {
    #[cfg(unix)]
    return unix::same_permissions(one, other);
    #[cfg(not(unix))]
    return super::attributes::marks::same(one.marks(), other.marks());
}

/// The same permissions for the owner, who may write, and none for anybody else.
pub fn owner_only(permissions: &Permissions) -> Permissions {
    #[cfg(unix)]
    return unix::owner_only(permissions);
    #[cfg(not(unix))]
    Permissions::from_marks(permissions.marks() | super::attributes::marks::OWNER_ONLY)
}

/// The same permissions with the owner allowed to write; `None` if that is so already.
pub fn writable(permissions: &Permissions) -> Option<Permissions> {
    #[cfg(unix)]
    return unix::writable(permissions);
    // There the read-only mark of a directory forbids nothing.
    #[cfg(not(unix))]
    {
        let _unused = permissions;
        None
    }
}

/// Lets this process hold as many open directories as the system allows. Failing changes nothing: a pass that runs
/// out of handles waits for some to be given back.
pub fn allow_many_handles() {
    #[cfg(unix)]
    unix::allow_many_handles();
}

//! A file system in between: it hands every call on to a folder, and can be slow, short of names, blind to case, or broken
//! in one place on the way. For shares, and for what no file system of this machine does by itself.
//!
//! Nothing is cached on either side: each request waits its delay, in a thread of its own, as on a share whose round trips
//! can overlap.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use filetime::FileTime;
use fuser::{
    BackgroundSession, Config, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation,
    INodeNo, InitFlags, KernelConfig, LockOwner, MountOption, OpenFlags, RenameFlags, ReplyAttr, ReplyCreate,
    ReplyData, ReplyDirectory, ReplyEmpty, ReplyEntry, ReplyOpen, ReplyStatfs, ReplyWrite, Request,
    SessionACL, TimeOrNow, WriteFlags,
};

/// More than the most threads that any pass here has.
const THREADS: usize = 72;
/// Nothing that was told may be remembered.
const FORGET: Duration = Duration::ZERO;

/// What a call is about to do, for [`Ways::breaks`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    Look,
    Open,
    Read,
    /// A listing, and how many names it has told already.
    List(u64),
    Create,
    Write,
    Rename,
    Remove,
}

/// How the file system behaves.
pub struct Ways {
    /// In front of each request.
    pub delay: Duration,
    pub names: NameRules,
    /// The error that a call fails with instead of being handed on; the path is below the folder.
    pub breaks: Breaks,
}

pub type Breaks = Box<dyn Fn(Call, &Path) -> Option<Errno> + Send + Sync>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameRules {
    pub longest: usize,
    pub case: Case,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    Told,
    /// `A` and `a` are one name.
    Folded,
}

impl Default for Ways {
    fn default() -> Self {
        Self {
            delay: Duration::ZERO,
            names: NameRules { longest: 255, case: Case::Told },
            breaks: Box::new(|_, _| None),
        }
    }
}

/// Mounted; unmounted when this goes.
pub struct Passthrough {
    _session: BackgroundSession,
}

impl Passthrough {
    /// Shows `folder` at `place`, in these ways.
    ///
    /// # Errors
    /// Why this machine cannot.
    pub fn mount(folder: &Path, place: &Path, ways: Ways) -> Result<Self, String> {
        let mut config = Config::default();
        config.mount_options = vec![MountOption::FSName("movebook-tests".into()), MountOption::NoAtime];
        config.acl = SessionACL::Owner;
        config.n_threads = Some(THREADS);
        let through = Through {
            folder: folder.to_owned(),
            ways,
            nodes: Mutex::new(Nodes {
                paths: HashMap::from([(INodeNo::ROOT.0, PathBuf::new())]),
                numbers: HashMap::from([(PathBuf::new(), INodeNo::ROOT.0)]),
                next: INodeNo::ROOT.0 + 1,
            }),
            open: Mutex::new(HashMap::new()),
            next_handle: AtomicU64::new(1),
        };
        let session = fuser::spawn_mount(through, place, &config);
        Ok(Self {
            _session: session.map_err(|error| format!("no FUSE file system can be mounted: {error}"))?,
        })
    }
}

struct Through {
    folder: PathBuf,
    ways: Ways,
    nodes: Mutex<Nodes>,
    open: Mutex<HashMap<u64, Open>>,
    next_handle: AtomicU64,
}

struct Nodes {
    /// Below the folder, by inode number.
    paths: HashMap<u64, PathBuf>,
    numbers: HashMap<PathBuf, u64>,
    next: u64,
}

enum Open {
    File(std::sync::Arc<File>),
    Listing(std::sync::Arc<Vec<(OsString, FileType)>>),
}

type Answer<T> = Result<T, Errno>;

impl Through {
    /// The start of every request.
    fn begin(&self) {
        if !self.ways.delay.is_zero() {
            std::thread::sleep(self.ways.delay);
        }
    }

    fn nodes(&self) -> MutexGuard<'_, Nodes> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, number: INodeNo) -> Answer<PathBuf> {
        self.nodes().paths.get(&number.0).cloned().ok_or(Errno::ENOENT)
    }

    fn below(&self, parent: INodeNo, name: &OsStr) -> Answer<PathBuf> {
        if name.len() > self.ways.names.longest {
            return Err(Errno::ENAMETOOLONG);
        }
        let parent = self.path(parent)?;
        if self.ways.names.case == Case::Folded
            && fs::symlink_metadata(self.folder.join(&parent).join(name)).is_err()
        {
            let asked = name.to_string_lossy().to_lowercase();
            for entry in fs::read_dir(self.folder.join(&parent))? {
                let there = entry?.file_name();
                if there.to_string_lossy().to_lowercase() == asked {
                    return Ok(parent.join(there));
                }
            }
        }
        Ok(parent.join(name))
    }

    fn breaks(&self, call: Call, path: &Path) -> Answer<()> {
        (self.ways.breaks)(call, path).map_or(Ok(()), Err)
    }

    fn full(&self, path: &Path) -> PathBuf {
        self.folder.join(path)
    }

    fn attributes(&self, path: &Path) -> Answer<FileAttr> {
        let metadata = fs::symlink_metadata(self.full(path))?;
        Ok(attributes(&metadata, self.nodes().number(path)))
    }

    fn file(&self, handle: FileHandle) -> Answer<std::sync::Arc<File>> {
        match self.open.lock().unwrap_or_else(PoisonError::into_inner).get(&handle.0) {
            Some(Open::File(file)) => Ok(file.clone()),
            _ => Err(Errno::EBADF),
        }
    }

    fn keep(&self, open: Open) -> FileHandle {
        let number = self.next_handle.fetch_add(1, Ordering::Relaxed);
        self.open.lock().unwrap_or_else(PoisonError::into_inner).insert(number, open);
        FileHandle(number)
    }

    fn give_back(&self, handle: FileHandle) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&handle.0);
    }

    fn list(&self, number: INodeNo) -> Answer<FileHandle> {
        let path = self.path(number)?;
        self.breaks(Call::Open, &path)?;
        let mut names = vec![(OsString::from("."), FileType::Directory), ("..".into(), FileType::Directory)];
        for entry in fs::read_dir(self.full(&path))? {
            let entry = entry?;
            names.push((entry.file_name(), kind(&entry.file_type()?)));
        }
        Ok(self.keep(Open::Listing(names.into())))
    }

    fn make(&self, parent: INodeNo, name: &OsStr, mode: u32, flags: i32) -> Answer<(FileAttr, FileHandle)> {
        let path = self.below(parent, name)?;
        self.breaks(Call::Create, &path)?;
        let exclusive = flags & rustix::fs::OFlags::EXCL.bits().cast_signed() != 0;
        let mut options = OpenOptions::new();
        options.read(true).write(true).mode(mode).create_new(exclusive).create(true).truncate(false);
        let file = options.open(self.full(&path))?;
        let attributes = self.attributes(&path)?;
        Ok((attributes, self.keep(Open::File(file.into()))))
    }

    fn change(
        &self,
        number: INodeNo,
        mode: Option<u32>,
        owner: (Option<u32>, Option<u32>),
        size: Option<u64>,
        times: (Option<TimeOrNow>, Option<TimeOrNow>),
    ) -> Answer<FileAttr> {
        let path = self.path(number)?;
        let full = self.full(&path);
        if let Some(mode) = mode {
            fs::set_permissions(&full, fs::Permissions::from_mode(mode & 0o7777))?;
        }
        if owner != (None, None) {
            std::os::unix::fs::lchown(&full, owner.0, owner.1)?;
        }
        if let Some(size) = size {
            OpenOptions::new().write(true).open(&full)?.set_len(size)?;
        }
        if times.0.is_some() || times.1.is_some() {
            let now = fs::symlink_metadata(&full)?;
            let at = |time, before| match time {
                Some(TimeOrNow::SpecificTime(time)) => FileTime::from_system_time(time),
                Some(TimeOrNow::Now) => FileTime::now(),
                None => before,
            };
            let accessed = at(times.0, FileTime::from_last_access_time(&now));
            let modified = at(times.1, FileTime::from_last_modification_time(&now));
            filetime::set_symlink_file_times(&full, accessed, modified)?;
        }
        self.attributes(&path)
    }

    fn rename(&self, from: (INodeNo, &OsStr), to: (INodeNo, &OsStr), flags: RenameFlags) -> Answer<()> {
        let (from, to) = (self.below(from.0, from.1)?, self.below(to.0, to.1)?);
        self.breaks(Call::Rename, &to)?;
        let flags = rustix::fs::RenameFlags::from_bits_retain(flags.bits());
        let here = rustix::fs::CWD;
        rustix::fs::renameat_with(here, self.full(&from), here, self.full(&to), flags)
            .map_err(io::Error::from)?;
        self.nodes().moved(&from, &to);
        Ok(())
    }

    fn remove(&self, parent: INodeNo, name: &OsStr, remove: fn(PathBuf) -> io::Result<()>) -> Answer<()> {
        let path = self.below(parent, name)?;
        self.breaks(Call::Remove, &path)?;
        remove(self.full(&path))?;
        self.nodes().numbers.remove(&path);
        Ok(())
    }
}

impl Nodes {
    fn number(&mut self, path: &Path) -> INodeNo {
        if let Some(number) = self.numbers.get(path) {
            return INodeNo(*number);
        }
        let number = self.next;
        self.next += 1;
        self.paths.insert(number, path.to_owned());
        self.numbers.insert(path.to_owned(), number);
        INodeNo(number)
    }

    /// All that lies below has another path from now on.
    fn moved(&mut self, from: &Path, to: &Path) {
        self.numbers.remove(to);
        let below: Vec<PathBuf> =
            self.numbers.keys().filter(|path| path.starts_with(from)).cloned().collect();
        for old in below {
            let new = match old.strip_prefix(from) {
                Ok(rest) if rest.as_os_str().is_empty() => to.to_owned(),
                Ok(rest) => to.join(rest),
                Err(_) => continue,
            };
            if let Some(number) = self.numbers.remove(&old) {
                self.paths.insert(number, new.clone());
                self.numbers.insert(new, number);
            }
        }
    }
}

fn kind(of: &fs::FileType) -> FileType {
    FileType::from_std(*of).unwrap_or(FileType::RegularFile)
}

fn attributes(of: &fs::Metadata, number: INodeNo) -> FileAttr {
    let epoch = SystemTime::UNIX_EPOCH;
    let changed = epoch + Duration::new(of.ctime().unsigned_abs(), of.ctime_nsec().unsigned_abs() as u32);
    FileAttr {
        ino: number,
        size: of.len(),
        blocks: of.blocks(),
        atime: of.accessed().unwrap_or(epoch),
        mtime: of.modified().unwrap_or(epoch),
        ctime: changed,
        crtime: epoch,
        kind: kind(&of.file_type()),
        perm: (of.mode() & 0o7777) as u16,
        nlink: of.nlink() as u32,
        uid: of.uid(),
        gid: of.gid(),
        rdev: of.rdev() as u32,
        blksize: 4096,
        flags: 0,
    }
}

const FIRST: Generation = Generation(0);

impl Filesystem for Through {
    fn init(&mut self, _: &Request, config: &mut KernelConfig) -> io::Result<()> {
        // Without it the kernel lets one call a directory through at a time, which no share does.
        config
            .add_capabilities(InitFlags::FUSE_PARALLEL_DIROPS)
            .map_err(|_lacking| io::Error::other("calls into one directory cannot overlap here"))
    }

    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        self.begin();
        let found = self.below(parent, name).and_then(|path| {
            self.breaks(Call::Look, &path)?;
            self.attributes(&path)
        });
        entry(found, reply);
    }

    fn getattr(&self, _: &Request, number: INodeNo, handle: Option<FileHandle>, reply: ReplyAttr) {
        self.begin();
        let found = match handle.map(|handle| self.file(handle)) {
            Some(Ok(file)) => {
                file.metadata().map(|metadata| attributes(&metadata, number)).map_err(Errno::from)
            }
            _ => self.path(number).and_then(|path| self.attributes(&path)),
        };
        match found {
            Ok(attributes) => reply.attr(&FORGET, &attributes),
            Err(error) => reply.error(error),
        }
    }

    fn setattr(
        &self,
        _: &Request,
        number: INodeNo,
        mode: Option<u32>,
        user: Option<u32>,
        group: Option<u32>,
        size: Option<u64>,
        accessed: Option<TimeOrNow>,
        modified: Option<TimeOrNow>,
        _: Option<SystemTime>,
        _: Option<FileHandle>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<fuser::BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        self.begin();
        match self.change(number, mode, (user, group), size, (accessed, modified)) {
            Ok(attributes) => reply.attr(&FORGET, &attributes),
            Err(error) => reply.error(error),
        }
    }

    fn readlink(&self, _: &Request, number: INodeNo, reply: ReplyData) {
        self.begin();
        match self.path(number).and_then(|path| Ok(fs::read_link(self.full(&path))?)) {
            Ok(text) => reply.data(text.as_os_str().as_encoded_bytes()),
            Err(error) => reply.error(error),
        }
    }

    fn mkdir(&self, _: &Request, parent: INodeNo, name: &OsStr, mode: u32, _: u32, reply: ReplyEntry) {
        self.begin();
        let made = self.below(parent, name).and_then(|path| {
            self.breaks(Call::Create, &path)?;
            fs::create_dir(self.full(&path))?;
            fs::set_permissions(self.full(&path), fs::Permissions::from_mode(mode & 0o7777))?;
            self.attributes(&path)
        });
        entry(made, reply);
    }

    fn unlink(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        self.begin();
        empty(self.remove(parent, name, fs::remove_file), reply);
    }

    fn rmdir(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        self.begin();
        empty(self.remove(parent, name, fs::remove_dir), reply);
    }

    fn symlink(&self, _: &Request, parent: INodeNo, name: &OsStr, text: &Path, reply: ReplyEntry) {
        self.begin();
        let made = self.below(parent, name).and_then(|path| {
            symlink(text, self.full(&path))?;
            self.attributes(&path)
        });
        entry(made, reply);
    }

    fn rename(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        new_parent: INodeNo,
        new_name: &OsStr,
        flags: RenameFlags,
        reply: ReplyEmpty,
    ) {
        self.begin();
        empty(Through::rename(self, (parent, name), (new_parent, new_name), flags), reply);
    }

    fn open(&self, _: &Request, number: INodeNo, flags: OpenFlags, reply: ReplyOpen) {
        self.begin();
        let opened = self.path(number).and_then(|path| {
            self.breaks(Call::Open, &path)?;
            let writes =
                flags.0 & (rustix::fs::OFlags::WRONLY | rustix::fs::OFlags::RDWR).bits().cast_signed() != 0;
            let file = OpenOptions::new().read(true).write(writes).open(self.full(&path))?;
            Ok(self.keep(Open::File(file.into())))
        });
        match opened {
            Ok(handle) => reply.opened(handle, FopenFlags::FOPEN_DIRECT_IO),
            Err(error) => reply.error(error),
        }
    }

    fn read(
        &self,
        _: &Request,
        number: INodeNo,
        handle: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        self.begin();
        let read = self.path(number).and_then(|path| {
            self.breaks(Call::Read, &path)?;
            let (file, mut buffer) = (self.file(handle)?, vec![0; size as usize]);
            let count = file.read_at(&mut buffer, offset)?;
            buffer.truncate(count);
            Ok(buffer)
        });
        match read {
            Ok(bytes) => reply.data(&bytes),
            Err(error) => reply.error(error),
        }
    }

    fn write(
        &self,
        _: &Request,
        number: INodeNo,
        handle: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        self.begin();
        let written = self.path(number).and_then(|path| {
            self.breaks(Call::Write, &path)?;
            Ok(self.file(handle)?.write_at(data, offset)?)
        });
        match written {
            Ok(count) => reply.written(count as u32),
            Err(error) => reply.error(error),
        }
    }

    fn release(
        &self,
        _: &Request,
        _: INodeNo,
        handle: FileHandle,
        _: OpenFlags,
        _: Option<LockOwner>,
        _: bool,
        reply: ReplyEmpty,
    ) {
        // Nobody waits for it.
        self.give_back(handle);
        reply.ok();
    }

    fn opendir(&self, _: &Request, number: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        self.begin();
        match self.list(number) {
            Ok(handle) => reply.opened(handle, FopenFlags::empty()),
            Err(error) => reply.error(error),
        }
    }

    fn readdir(
        &self,
        _: &Request,
        number: INodeNo,
        handle: FileHandle,
        offset: u64,
        mut reply: ReplyDirectory,
    ) {
        self.begin();
        if let Err(error) = self.path(number).and_then(|path| self.breaks(Call::List(offset), &path)) {
            return reply.error(error);
        }
        let names = match self.open.lock().unwrap_or_else(PoisonError::into_inner).get(&handle.0) {
            Some(Open::Listing(names)) => names.clone(),
            _ => return reply.error(Errno::EBADF),
        };
        for (at, (name, kind)) in names.iter().enumerate().skip(offset as usize) {
            if reply.add(number, at as u64 + 1, *kind, name) {
                break;
            }
        }
        reply.ok();
    }

    fn releasedir(&self, _: &Request, _: INodeNo, handle: FileHandle, _: OpenFlags, reply: ReplyEmpty) {
        self.give_back(handle);
        reply.ok();
    }

    fn statfs(&self, _: &Request, _: INodeNo, reply: ReplyStatfs) {
        self.begin();
        match rustix::fs::statvfs(&self.folder) {
            Ok(is) => reply.statfs(
                is.f_blocks,
                is.f_bfree,
                is.f_bavail,
                is.f_files,
                is.f_ffree,
                is.f_bsize as u32,
                self.ways.names.longest as u32,
                is.f_frsize as u32,
            ),
            Err(error) => reply.error(io::Error::from(error).into()),
        }
    }

    fn create(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        _: u32,
        flags: i32,
        reply: ReplyCreate,
    ) {
        self.begin();
        match self.make(parent, name, mode, flags) {
            Ok((attributes, handle)) => {
                reply.created(&FORGET, &attributes, FIRST, handle, FopenFlags::FOPEN_DIRECT_IO);
            }
            Err(error) => reply.error(error),
        }
    }
}

fn entry(answer: Answer<FileAttr>, reply: ReplyEntry) {
    match answer {
        Ok(attributes) => reply.entry(&FORGET, &attributes, FIRST),
        Err(error) => reply.error(error),
    }
}

fn empty(answer: Answer<()>, reply: ReplyEmpty) {
    match answer {
        Ok(()) => reply.ok(),
        Err(error) => reply.error(error),
    }
}

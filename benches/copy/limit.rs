//! The limit: what a pass with nothing to do must at least cost. Bare system calls, no filter, no retry, no account.
//!
//! Two threads over directories, each listing source and target together; names are sorted and merged, and every file is looked at
//! on both sides relative to the open directory. It runs as a process of its own, as the programs that are compared with it do.

use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, RawDir, StatxFlags};
use rustix::io::Errno;

/// The name of the child mode.
pub const MODE: &str = "limit";
const THREADS: usize = 2;

/// What was counted.
#[derive(Debug, Default)]
pub struct Seen {
    pub same: AtomicU64,
    pub different: AtomicU64,
    /// On one side only.
    pub single: AtomicU64,
}

struct Pair {
    source: OwnedFd,
    target: OwnedFd,
}

/// A directory below a pair that is still to be looked at; `.` for the roots themselves.
struct Task(Arc<Pair>, Vec<u8>);

#[derive(Default)]
struct Queue {
    tasks: Vec<Task>,
    busy: usize,
}

/// The names of one directory in one buffer, NUL at the end of each.
#[derive(Default)]
struct Names {
    bytes: Vec<u8>,
    entries: Vec<(u32, u32, FileType)>,
}

/// Compares both trees by size and time.
pub fn compare(source: &Path, target: &Path) -> Result<Seen, Errno> {
    let root = Pair { source: open(CWD, source)?, target: open(CWD, target)? };
    let queue = Mutex::new(Queue { tasks: vec![Task(Arc::new(root), b".\0".to_vec())], ..Queue::default() });
    let (more, seen) = (Condvar::new(), Seen::default());
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..THREADS).map(|_| scope.spawn(|| work(&queue, &more, &seen))).collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("a worker does not panic"))
    })?;
    Ok(seen)
}

fn work(queue: &Mutex<Queue>, more: &Condvar, seen: &Seen) -> Result<(), Errno> {
    let mut buffer = vec![MaybeUninit::uninit(); 64 << 10];
    let (mut left, mut right) = (Names::default(), Names::default());
    let lock = || queue.lock().unwrap_or_else(PoisonError::into_inner);
    let mut guard = lock();
    loop {
        let Some(task) = guard.tasks.pop() else {
            if guard.busy == 0 {
                more.notify_all();
                return Ok(());
            }
            guard = more.wait(guard).unwrap_or_else(PoisonError::into_inner);
            continue;
        };
        guard.busy += 1;
        drop(guard);
        let found = look(&task, &mut buffer, &mut left, &mut right, seen);
        guard = lock();
        guard.busy -= 1;
        match found {
            Ok(found) => guard.tasks.extend(found),
            Err(error) => {
                more.notify_all();
                return Err(error);
            }
        }
        if !guard.tasks.is_empty() || guard.busy == 0 {
            more.notify_all();
        }
    }
}

fn look(
    Task(parent, name): &Task,
    buffer: &mut [MaybeUninit<u8>],
    left: &mut Names,
    right: &mut Names,
    seen: &Seen,
) -> Result<Vec<Task>, Errno> {
    let name = as_name(name);
    let pair = Arc::new(Pair { source: open(&parent.source, name)?, target: open(&parent.target, name)? });
    left.read(&pair.source, buffer)?;
    right.read(&pair.target, buffer)?;
    let (mut found, mut same, mut different, mut single) = (Vec::new(), 0, 0, 0);
    let (mut ours, mut theirs) = (left.entries.iter().peekable(), right.entries.iter().peekable());
    loop {
        let order = match (ours.peek(), theirs.peek()) {
            (Some(our), Some(their)) => left.name(our).cmp(right.name(their)),
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (None, None) => break,
        };
        if order.is_gt() {
            theirs.next();
            single += 1;
            continue;
        }
        let Some(our) = ours.next() else { break };
        if order.is_lt() {
            single += 1;
            continue;
        }
        theirs.next();
        let name = left.name(our);
        if our.2 == FileType::Directory {
            found.push(Task(pair.clone(), name.to_vec()));
        } else if stamp(&pair.source, name)? == stamp(&pair.target, name)? {
            same += 1;
        } else {
            different += 1;
        }
    }
    seen.same.fetch_add(same, Ordering::Relaxed);
    seen.different.fetch_add(different, Ordering::Relaxed);
    seen.single.fetch_add(single, Ordering::Relaxed);
    Ok(found)
}

impl Names {
    fn read(&mut self, directory: &OwnedFd, buffer: &mut [MaybeUninit<u8>]) -> Result<(), Errno> {
        self.bytes.clear();
        self.entries.clear();
        let mut listing = RawDir::new(directory, buffer);
        while let Some(entry) = listing.next() {
            let entry = entry?;
            let name = entry.file_name().to_bytes_with_nul();
            if !matches!(name, b".\0" | b"..\0") {
                self.entries.push((self.bytes.len() as u32, name.len() as u32, entry.file_type()));
                self.bytes.extend_from_slice(name);
            }
        }
        let bytes = &self.bytes;
        let slice = |(at, length, _): &(u32, u32, FileType)| &bytes[*at as usize..(*at + *length) as usize];
        self.entries.sort_unstable_by(|one, other| slice(one).cmp(slice(other)));
        Ok(())
    }

    fn name(&self, (at, length, _): &(u32, u32, FileType)) -> &[u8] {
        &self.bytes[*at as usize..(*at + *length) as usize]
    }
}

fn stamp(directory: &OwnedFd, name: &[u8]) -> Result<(u64, i64, u32), Errno> {
    let wanted = StatxFlags::TYPE | StatxFlags::MODE | StatxFlags::SIZE | StatxFlags::MTIME;
    let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::STATX_DONT_SYNC;
    let stat = rustix::fs::statx(directory, as_name(name), flags, wanted)?;
    Ok((stat.stx_size, stat.stx_mtime.tv_sec, stat.stx_mtime.tv_nsec))
}

fn as_name(bytes: &[u8]) -> &CStr {
    CStr::from_bytes_with_nul(bytes).expect("names are kept with their NUL")
}

fn open(parent: impl rustix::fd::AsFd, name: impl rustix::path::Arg) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    rustix::fs::openat(parent, name, flags, Mode::empty())
}

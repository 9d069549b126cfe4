//! The limit: what the work must at least cost. Bare system calls: no filter, no retry, no account, no temporary name, no look
//! at whether a file changed meanwhile.
//!
//! Threads over directories, each listing source and target together; names are sorted and merged, and every file is handled
//! relative to its open directory. It runs as a process of its own, as the programs that are compared with it do.

mod content;
mod names;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, StatxFlags};
use rustix::io::Errno;

use content::Blocks;
use names::{Listing, Names, as_name};

/// The name of the child mode.
pub const MODE: &str = "limit";
/// As many threads as the machines of the figures have cores.
pub const THREADS: usize = 2;
/// Files from this size on are tasks of their own.
const LARGE: u64 = 1024 * 1024;

/// What is done with each file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Compares size and time.
    Look,
    /// Copies it into nothing.
    Copy,
    /// Reads both, compares them, and hashes one: what a verification with a manifest needs.
    Read,
}

/// What was counted.
#[derive(Debug, Default)]
pub struct Seen {
    pub same: AtomicU64,
    pub different: AtomicU64,
    /// On one side only.
    pub single: AtomicU64,
}

impl Work {
    pub fn name(self) -> &'static str {
        match self {
            Self::Look => "look",
            Self::Copy => "copy",
            Self::Read => "read",
        }
    }
}

struct Pair {
    source: OwnedFd,
    target: OwnedFd,
}

/// What is still to be done below a pair; `.` for the roots themselves.
enum Task {
    Directory(Arc<Pair>, Vec<u8>),
    File(Arc<Pair>, Vec<u8>),
}

#[derive(Default)]
struct Queue {
    tasks: Vec<Task>,
    busy: usize,
}

/// What belongs to one thread.
struct Worker<'a> {
    work: Work,
    seen: &'a Seen,
    listing: Listing,
    left: Names,
    right: Names,
    blocks: Blocks,
}

/// Compares both trees by size and time.
pub fn compare(source: &Path, target: &Path) -> Result<Seen, Errno> {
    carry_out(Work::Look, THREADS, source, target)
}

/// The child mode: `WORK THREADS SOURCE TARGET`.
pub fn process(words: impl Iterator<Item = std::ffi::OsString>) -> Result<Seen, String> {
    let words: Vec<_> = words.collect();
    let [work, threads, source, target] = words.as_slice() else {
        return Err(format!("{MODE} WORK THREADS SOURCE TARGET"));
    };
    let work = [Work::Look, Work::Copy, Work::Read]
        .into_iter()
        .find(|known| work == known.name())
        .ok_or_else(|| format!("no work is called {}", work.display()))?;
    let threads = threads.to_string_lossy().parse().map_err(|error| format!("{error}"))?;
    carry_out(work, threads, &PathBuf::from(source), &PathBuf::from(target))
        .map_err(|error| error.to_string())
}

fn carry_out(work: Work, threads: usize, source: &Path, target: &Path) -> Result<Seen, Errno> {
    if work == Work::Copy {
        rustix::fs::mkdir(target, Mode::from_raw_mode(0o755))?;
    }
    let root = Pair { source: open(CWD, source)?, target: open(CWD, target)? };
    let first = Task::Directory(Arc::new(root), b".\0".to_vec());
    let queue = Mutex::new(Queue { tasks: vec![first], ..Queue::default() });
    let (more, seen) = (Condvar::new(), Seen::default());
    std::thread::scope(|scope| {
        let workers: Vec<_> =
            (0..threads).map(|_| scope.spawn(|| Worker::new(work, &seen).run(&queue, &more))).collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("a worker does not panic"))
    })?;
    Ok(seen)
}

impl<'a> Worker<'a> {
    fn new(work: Work, seen: &'a Seen) -> Self {
        let (left, right) = (Names::default(), Names::default());
        Self { work, seen, listing: Listing::default(), left, right, blocks: Blocks::default() }
    }

    fn run(&mut self, queue: &Mutex<Queue>, more: &Condvar) -> Result<(), Errno> {
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
            let found = match &task {
                Task::Directory(parent, name) => self.directory(parent, name),
                Task::File(pair, name) => self.file(pair, name).map(|()| Vec::new()),
            };
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

    fn directory(&mut self, parent: &Pair, name: &[u8]) -> Result<Vec<Task>, Errno> {
        let name = as_name(name);
        let pair = Arc::new(Pair { source: open(&parent.source, name)?, target: self.target(parent, name)? });
        self.left.read(&pair.source, &mut self.listing)?;
        self.right.read(&pair.target, &mut self.listing)?;
        // Taken out for as long as the names are walked through, since the files' work wants the rest of the worker.
        let (left, right) = (std::mem::take(&mut self.left), std::mem::take(&mut self.right));
        let found = self.pairs(&pair, &left, &right);
        (self.left, self.right) = (left, right);
        found
    }

    fn pairs(&mut self, pair: &Arc<Pair>, left: &Names, right: &Names) -> Result<Vec<Task>, Errno> {
        let (mut found, mut single) = (Vec::new(), 0);
        let (mut ours, mut theirs) = (left.iter().peekable(), right.iter().peekable());
        loop {
            let order = match (ours.peek(), theirs.peek()) {
                (Some((our, _)), Some((their, _))) => our.cmp(their),
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (None, None) => break,
            };
            if order.is_ge() {
                theirs.next();
            }
            if order.is_gt() {
                single += 1;
                continue;
            }
            let Some((name, kind)) = ours.next() else { break };
            if order.is_lt() && self.work != Work::Copy {
                single += 1;
            } else if kind == FileType::Directory {
                found.push(Task::Directory(pair.clone(), name.to_vec()));
            } else if self.work != Work::Look && size(&pair.source, name)? >= LARGE {
                found.push(Task::File(pair.clone(), name.to_vec()));
            } else {
                self.file(pair, name)?;
            }
        }
        self.seen.single.fetch_add(single, Ordering::Relaxed);
        Ok(found)
    }

    fn file(&mut self, pair: &Pair, name: &[u8]) -> Result<(), Errno> {
        let same = match self.work {
            Work::Look => stamp(&pair.source, name)? == stamp(&pair.target, name)?,
            Work::Copy => self.blocks.copy(&pair.source, &pair.target, as_name(name)).map(|()| true)?,
            Work::Read => self.blocks.compare(&pair.source, &pair.target, as_name(name))?,
        };
        let counter = if same { &self.seen.same } else { &self.seen.different };
        counter.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn target(&self, parent: &Pair, name: &std::ffi::CStr) -> Result<OwnedFd, Errno> {
        if self.work == Work::Copy && name != c"." {
            rustix::fs::mkdirat(&parent.target, name, Mode::from_raw_mode(0o755))?;
        }
        open(&parent.target, name)
    }
}

fn stamp(directory: &OwnedFd, name: &[u8]) -> Result<(u64, i64, u32), Errno> {
    let wanted = StatxFlags::TYPE | StatxFlags::MODE | StatxFlags::SIZE | StatxFlags::MTIME;
    let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::STATX_DONT_SYNC;
    let stat = rustix::fs::statx(directory, as_name(name), flags, wanted)?;
    Ok((stat.stx_size, stat.stx_mtime.tv_sec, stat.stx_mtime.tv_nsec))
}

fn size(directory: &OwnedFd, name: &[u8]) -> Result<u64, Errno> {
    stamp(directory, name).map(|(size, ..)| size)
}

fn open(parent: impl rustix::fd::AsFd, name: impl rustix::path::Arg) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    rustix::fs::openat(parent, name, flags, Mode::empty())
}

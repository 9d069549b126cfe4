//! The content of a file: copied into a new one, or compared with its copy.

use std::ffi::CStr;

use rustix::fd::OwnedFd;
use rustix::fs::{FallocateFlags, Mode, OFlags, Timespec, Timestamps, UTIME_OMIT};
use rustix::io::Errno;

use super::LARGE;

/// Measured to be the best for copying.
const COPIED: usize = 256 * 1024;
/// With both sides, half of a second-level cache.
const COMPARED: usize = 128 * 1024;

pub struct Blocks(Vec<u8>);

impl Default for Blocks {
    fn default() -> Self {
        Self(vec![0; COPIED.max(2 * COMPARED)])
    }
}

impl Blocks {
    /// Open, read, open, write, set the time: nothing else.
    pub fn copy(&mut self, source: &OwnedFd, target: &OwnedFd, name: &CStr) -> Result<(), Errno> {
        let source = read(source, name)?;
        let status = rustix::fs::fstat(&source)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let copy = rustix::fs::openat(target, name, flags, Mode::from_raw_mode(status.st_mode & 0o777))?;
        let mut left = status.st_size as u64;
        if left >= LARGE {
            match rustix::fs::fallocate(&copy, FallocateFlags::empty(), 0, left) {
                Err(error) if error != Errno::OPNOTSUPP => return Err(error),
                _ => {}
            }
        }
        while left > 0 {
            let read = rustix::io::read(&source, &mut self.0[..COPIED])?;
            if read == 0 {
                return Err(Errno::IO);
            }
            let mut written = 0;
            while written < read {
                written += rustix::io::write(&copy, &self.0[written..read])?;
            }
            left = left.saturating_sub(read as u64);
        }
        let modified = Timespec { tv_sec: status.st_mtime, tv_nsec: status.st_mtime_nsec as _ };
        let accessed = Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT };
        rustix::fs::futimens(&copy, &Timestamps { last_access: accessed, last_modification: modified })
    }

    /// Whether both files hold the same; one of them is hashed.
    pub fn compare(&mut self, source: &OwnedFd, target: &OwnedFd, name: &CStr) -> Result<bool, Errno> {
        let (source, copy) = (read(source, name)?, read(target, name)?);
        let (here, there) = self.0.split_at_mut(COMPARED);
        let mut hasher = blake3::Hasher::new();
        loop {
            let read = rustix::io::read(&source, &mut *here)?;
            let other = rustix::io::read(&copy, &mut there[..COMPARED])?;
            if here[..read] != there[..other] {
                return Ok(false);
            }
            hasher.update(&there[..other]);
            if read < COMPARED {
                std::hint::black_box(hasher.finalize());
                return Ok(true);
            }
        }
    }
}

fn read(directory: &OwnedFd, name: &CStr) -> Result<OwnedFd, Errno> {
    rustix::fs::openat(directory, name, OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW, Mode::empty())
}

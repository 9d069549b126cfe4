//! Files that only their owner may read, made without following a link, and folders that keep their names
//! through a power cut.
//!
//! On Windows a new file has the rights of its folder; there is no mode to give.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

use super::tree;

/// Makes a file that did not exist, readable by its owner only (mode 0600). A link in its place is not followed.
pub fn create_new(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    system::private(&mut options);
    options.open(path)
}

/// Makes a file in the place of an earlier one, with the folder that it is in where that is missing. Whoever has the
/// earlier one open keeps it as it was.
pub fn make_anew(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        match make_folder(folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
    }
    match std::fs::remove_file(path) {
        Err(error) if !tree::is_absence(&error) => Err(error),
        _ => create_new(path),
    }
}

/// Makes a folder that did not exist, open to its owner only (mode 0700).
pub fn make_folder(path: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    system::private_folder(&mut builder);
    builder.create(path)
}

/// Opens a file for reading and writing, making it if need be. A link in its place is an error or is opened
/// itself; what it points to is never touched.
pub fn open_or_create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    system::no_follow(&mut options);
    options.open(path)
}

/// Makes the names in a folder survive a power cut. An empty path is the working directory.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    system::sync_folder(if path.as_os_str().is_empty() { Path::new(".") } else { path })
}

#[cfg(unix)]
mod system {
    use std::fs::{DirBuilder, File, OpenOptions};
    use std::io;
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
    use std::path::Path;

    use rustix::fs::OFlags;

    pub fn private(options: &mut OpenOptions) {
        options.mode(0o600);
    }

    pub fn private_folder(builder: &mut DirBuilder) {
        builder.mode(0o700);
    }

    pub fn no_follow(options: &mut OpenOptions) {
        options.custom_flags(OFlags::NOFOLLOW.bits().cast_signed());
    }

    pub fn sync_folder(path: &Path) -> io::Result<()> {
        match File::open(path)?.sync_all() {
            // Some file systems (FUSE, SMB) cannot sync a folder and say so; the files themselves are synced.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
            result => result,
        }
    }
}

#[cfg(windows)]
mod system {
    use std::fs::{DirBuilder, OpenOptions};
    use std::io;
    use std::os::windows::fs::OpenOptionsExt;
    use std::path::Path;

    use windows_sys::Win32::Storage::FileSystem::FILE_FLAG_OPEN_REPARSE_POINT;

    pub fn private(options: &mut OpenOptions) {
        no_follow(options);
    }

    /// It has the rights of the folder that it is in.
    pub fn private_folder(_: &mut DirBuilder) {}

    pub fn no_follow(options: &mut OpenOptions) {
        options.custom_flags(FILE_FLAG_OPEN_REPARSE_POINT);
    }

    /// NTFS keeps its names in a journal of its own, and a folder cannot be flushed without special rights.
    pub fn sync_folder(_: &Path) -> io::Result<()> {
        Ok(())
    }
}

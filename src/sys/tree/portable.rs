//! Directory handles for systems without calls relative to a directory: paths, looked at before each use.
//!
//! It compiles and is tested everywhere. Between the look and the use a link can be planted; this is weaker than what Unix
//! and Windows have, and so it is not used there.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::path::{Component, Path, PathBuf, Prefix};
use std::time::SystemTime;

use filetime::FileTime;

use super::{
    Case, Directory, Durability, Listed, Listings, Owner, Permissions, Presence, Renaming, Status, Taken,
};
use crate::copy::EntryKind;
use crate::sys::attributes::Held;

/// A directory by its path.
#[derive(Debug)]
pub struct Handle(PathBuf);

impl Directory for Handle {
    const DURABILITY: Durability = Durability::EachFile;
    const RENAMING: Renaming = Renaming::Lost;

    fn open(path: &Path) -> io::Result<Self> {
        let path = dunce::canonicalize(path)?;
        if !fs::metadata(&path)?.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        Ok(Self(path))
    }

    fn enter(&self, name: &OsStr) -> io::Result<Self> {
        let path = self.below(name)?;
        if !fs::symlink_metadata(&path)?.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        // One that may not be read says so when it is listed: to try it here would list each directory twice.
        Ok(Self(path))
    }

    fn each_entry(&self, each: &mut dyn FnMut(&OsStr, Listed) -> io::Result<()>) -> io::Result<()> {
        for entry in fs::read_dir(&self.0)? {
            let entry = entry?;
            match listed(&entry) {
                Ok(listed) => each(&entry.file_name(), listed)?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn listings(&self) -> Listings {
        match self.0.components().next() {
            // A drive that leads to a share has that share's path by now.
            Some(Component::Prefix(prefix))
                if matches!(prefix.kind(), Prefix::UNC(..) | Prefix::VerbatimUNC(..)) =>
            {
                Listings::MayBeOld
            }
            _ => Listings::Fresh,
        }
    }

    // A directory of Windows that tells names apart by case is the rare exception, and a path does not say.
    fn case(&self) -> Case {
        if cfg!(windows) { Case::Folded } else { Case::Distinct }
    }

    fn status(&self, name: &OsStr) -> io::Result<Status> {
        status_of(&fs::symlink_metadata(self.below(name)?)?)
    }

    fn own_status(&self) -> io::Result<Status> {
        match fs::symlink_metadata(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Status {
                kind: EntryKind::Directory,
                size: 0,
                modified: SystemTime::UNIX_EPOCH,
                changed: None,
                permissions: Permissions::of(&fs::metadata(std::env::temp_dir())?),
                presence: Presence::Removed,
                identity: None,
                names: 0,
                allocated: 0,
                owner: Owner::default(),
            }),
            metadata => status_of(&metadata?),
        }
    }

    fn file_status(file: &File) -> io::Result<Status> {
        status_of(&file.metadata()?)
    }

    fn read(&self, name: &OsStr) -> io::Result<File> {
        let path = self.below(name)?;
        if !fs::symlink_metadata(&path)?.is_file() {
            return Err(io::Error::other("is no regular file any more"));
        }
        options().read(true).open(path)
    }

    fn reopen(&self, name: &OsStr) -> io::Result<File> {
        let path = self.below(name)?;
        if !fs::symlink_metadata(&path)?.is_file() {
            return Err(io::Error::other("is no regular file any more"));
        }
        options().read(true).write(true).open(path)
    }

    fn create(&self, name: &OsStr, permissions: &Permissions) -> io::Result<File> {
        // For reading too: Windows compresses only what may be read.
        let file = options().read(true).write(true).create_new(true).open(self.below(name)?)?;
        begin_with(&file, permissions)?;
        Ok(file)
    }

    fn make_directory(&self, name: &OsStr, permissions: &Permissions) -> io::Result<()> {
        make_directory(&self.below(name)?, permissions)
    }

    fn make_root(path: &Path, permissions: &Permissions) -> io::Result<()> {
        if let Some(above) = path.parent() {
            fs::create_dir_all(above)?;
        }
        make_directory(path, permissions)
    }

    #[cfg(unix)]
    fn make_link(&self, name: &OsStr, text: &OsStr) -> io::Result<()> {
        std::os::unix::fs::symlink(text, self.below(name)?)
    }

    // A link to a file and one to a directory differ there, and both ask for a right that few accounts have.
    #[cfg(not(unix))]
    fn make_link(&self, _name: &OsStr, _text: &OsStr) -> io::Result<()> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "links cannot be copied on this system yet"))
    }

    fn link_text(&self, name: &OsStr) -> io::Result<OsString> {
        Ok(fs::read_link(self.below(name)?)?.into_os_string())
    }

    fn rename(&self, name: &OsStr, into: &Self, new_name: &OsStr, taken: Taken) -> io::Result<()> {
        let new_path = into.below(new_name)?;
        if taken == Taken::Refuse && fs::symlink_metadata(&new_path).is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        fs::rename(self.below(name)?, new_path)
    }

    fn remove_file(&self, name: &OsStr) -> io::Result<()> {
        fs::remove_file(self.below(name)?)
    }

    fn remove_directory(&self, name: &OsStr) -> io::Result<()> {
        fs::remove_dir(self.below(name)?)
    }

    fn set_own_permissions(&self, permissions: &Permissions) -> io::Result<()> {
        self.still_no_link()?;
        #[cfg(windows)]
        return Held::at(&self.0)?.object().set_permissions(permissions);
        #[cfg(not(windows))]
        fs::set_permissions(&self.0, permissions.in_place_of(fs::metadata(&self.0)?.permissions()))
    }

    fn set_own_modified(&self, modified: SystemTime) -> io::Result<()> {
        self.still_no_link()?;
        filetime::set_file_mtime(&self.0, FileTime::from_system_time(modified))
    }

    fn hold(&self, name: &OsStr) -> io::Result<Held> {
        Held::at(&self.below(name)?)
    }

    fn flush(&self) -> io::Result<()> {
        // Each file was synced when it was finished; a directory cannot be synced by a path on every system.
        Ok(())
    }
}

impl Handle {
    /// The path of an entry, after a look whether the directory is still one.
    fn below(&self, name: &OsStr) -> io::Result<PathBuf> {
        self.still_no_link()?;
        Ok(self.0.join(name))
    }

    fn still_no_link(&self) -> io::Result<()> {
        if fs::symlink_metadata(&self.0)?.is_dir() {
            Ok(())
        } else {
            Err(io::ErrorKind::NotADirectory.into())
        }
    }
}

/// How files are opened: on Windows with the rights of whoever makes backups while they are held.
fn options() -> OpenOptions {
    #[cfg(windows)]
    {
        use std::os::windows::fs::OpenOptionsExt;
        use windows_sys::Win32::Storage::FileSystem::FILE_FLAG_BACKUP_SEMANTICS;
        let mut options = OpenOptions::new();
        if crate::sys::privilege::backup_intent() {
            options.custom_flags(FILE_FLAG_BACKUP_SEMANTICS);
        }
        options
    }
    #[cfg(not(windows))]
    OpenOptions::new()
}

/// What a new file has from the start. On Windows its marks come when it is whole.
#[cfg(windows)]
fn begin_with(file: &File, permissions: &Permissions) -> io::Result<()> {
    crate::sys::attributes::windows::close(file, permissions)
}

#[cfg(not(windows))]
fn begin_with(file: &File, permissions: &Permissions) -> io::Result<()> {
    file.set_permissions(permissions.in_place_of(file.metadata()?.permissions()))
}

/// A new directory of systems with access lists has what the one above it hands down, unless it is to be its owner's alone.
#[cfg(not(unix))]
fn make_directory(path: &Path, permissions: &Permissions) -> io::Result<()> {
    fs::create_dir(path)?;
    crate::sys::attributes::windows::close_at(path, permissions)
}

#[cfg(unix)]
fn make_directory(path: &Path, permissions: &Permissions) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().mode(permissions.mode() & 0o777 | 0o700).create(path)
}

/// What the standard library says about a file, in the words of a pass.
fn status_of(metadata: &Metadata) -> io::Result<Status> {
    let kind = kind(metadata.file_type());
    Ok(Status {
        kind,
        size: if kind == EntryKind::File { metadata.len() } else { 0 },
        modified: metadata.modified()?,
        changed: None,
        permissions: Permissions::of(metadata),
        presence: Presence::Named,
        identity: None,
        names: 1,
        allocated: metadata.len(),
        owner: Owner::default(),
    })
}

/// Windows tells all of an entry while it lists it, without another call.
#[cfg(windows)]
fn listed(entry: &fs::DirEntry) -> io::Result<Listed> {
    Ok(Listed::Status(status_of(&entry.metadata()?)?))
}

#[cfg(not(windows))]
fn listed(entry: &fs::DirEntry) -> io::Result<Listed> {
    Ok(Listed::Kind(kind(entry.file_type()?)))
}

/// Windows calls a junction a link too: both are never followed.
fn kind(file_type: fs::FileType) -> EntryKind {
    if file_type.is_symlink() {
        EntryKind::Link
    } else if file_type.is_dir() {
        EntryKind::Directory
    } else if file_type.is_file() {
        EntryKind::File
    } else {
        EntryKind::Special
    }
}

//! Directories that give trouble at one place: what a pass makes of it.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::copy::Preserved;
use crate::sys::attributes::{AttributeNames, Held, Object};
use crate::sys::tree::{
    Directory, Durability, Here, Listed, NameRules, Permissions, Renaming, Status, Taken,
};

/// What goes wrong, by the path that the directory was entered by and the name.
pub(super) trait Trouble: Send + Sync + 'static {
    const NAMES: NameRules = Here::NAMES;

    fn enter(_path: &Path) -> io::Result<()> {
        Ok(())
    }
    fn status(_path: &Path, status: Status) -> io::Result<Status> {
        Ok(status)
    }
    fn read(_path: &Path, file: File) -> io::Result<File> {
        Ok(file)
    }
    fn make_directory(_path: &Path) -> io::Result<()> {
        Ok(())
    }
    fn rename(_new: &Path) -> io::Result<()> {
        Ok(())
    }
    fn remove_file(_path: &Path) -> io::Result<()> {
        Ok(())
    }
    fn hold(_path: &Path) -> io::Result<()> {
        Ok(())
    }
}

/// The system's own directory, with that trouble.
pub(super) struct Troubled<T> {
    own: Here,
    path: PathBuf,
    trouble: PhantomData<T>,
}

impl<T: Trouble> Troubled<T> {
    fn new(own: Here, path: PathBuf) -> Self {
        Self { own, path, trouble: PhantomData }
    }
}

impl<T: Trouble> Directory for Troubled<T> {
    const DURABILITY: Durability = Here::DURABILITY;
    const RENAMING: Renaming = Here::RENAMING;
    const NAMES: NameRules = T::NAMES;
    const PRESERVED: &'static [Preserved] = Here::PRESERVED;

    fn open(path: &Path) -> io::Result<Self> {
        Here::open(path).map(|own| Self::new(own, path.to_owned()))
    }

    fn enter(&self, name: &OsStr) -> io::Result<Self> {
        let path = self.path.join(name);
        T::enter(&path)?;
        self.own.enter(name).map(|own| Self::new(own, path))
    }

    fn each_entry(&self, each: &mut dyn FnMut(&OsStr, Listed) -> io::Result<()>) -> io::Result<()> {
        self.own.each_entry(each)
    }

    fn status(&self, name: &OsStr) -> io::Result<Status> {
        self.own.status(name).and_then(|status| T::status(&self.path.join(name), status))
    }

    fn own_status(&self) -> io::Result<Status> {
        self.own.own_status()
    }

    fn file_status(file: &File) -> io::Result<Status> {
        Here::file_status(file)
    }

    fn read(&self, name: &OsStr) -> io::Result<File> {
        self.own.read(name).and_then(|file| T::read(&self.path.join(name), file))
    }

    fn reopen(&self, name: &OsStr) -> io::Result<File> {
        self.own.reopen(name)
    }

    fn create(&self, name: &OsStr, permissions: &Permissions) -> io::Result<File> {
        self.own.create(name, permissions)
    }

    fn make_directory(&self, name: &OsStr, permissions: &Permissions) -> io::Result<()> {
        T::make_directory(&self.path.join(name))?;
        self.own.make_directory(name, permissions)
    }

    fn make_root(path: &Path, permissions: &Permissions) -> io::Result<()> {
        Here::make_root(path, permissions)
    }

    fn make_link(&self, name: &OsStr, text: &OsStr) -> io::Result<()> {
        self.own.make_link(name, text)
    }

    fn link_text(&self, name: &OsStr) -> io::Result<OsString> {
        self.own.link_text(name)
    }

    fn rename(&self, name: &OsStr, into: &Self, new_name: &OsStr, taken: Taken) -> io::Result<()> {
        T::rename(&into.path.join(new_name))?;
        self.own.rename(name, &into.own, new_name, taken)
    }

    fn remove_file(&self, name: &OsStr) -> io::Result<()> {
        T::remove_file(&self.path.join(name))?;
        self.own.remove_file(name)
    }

    fn remove_directory(&self, name: &OsStr) -> io::Result<()> {
        self.own.remove_directory(name)
    }

    fn set_own_permissions(&self, permissions: &Permissions) -> io::Result<()> {
        self.own.set_own_permissions(permissions)
    }

    fn set_own_modified(&self, modified: SystemTime) -> io::Result<()> {
        self.own.set_own_modified(modified)
    }

    fn flush(&self) -> io::Result<()> {
        self.own.flush()
    }

    fn hold(&self, name: &OsStr) -> io::Result<Held> {
        T::hold(&self.path.join(name))?;
        self.own.hold(name)
    }

    fn object(&self) -> io::Result<Object<'_>> {
        self.own.object()
    }

    fn attribute_names(&self, name: &OsStr) -> io::Result<AttributeNames> {
        self.own.attribute_names(name)
    }

    fn attribute(&self, name: &OsStr, attribute: &[u8]) -> io::Result<Option<Vec<u8>>> {
        self.own.attribute(name, attribute)
    }

    fn add_name(&self, held: &Held, name: &OsStr) -> io::Result<()> {
        self.own.add_name(held, name)
    }
}

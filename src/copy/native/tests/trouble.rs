//! Directories that give trouble at one place, or are like those of another system: what a pass makes of it.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use crate::copy::{EntryKind, Preserved};
use crate::sys::attributes::{AttributeNames, Held, Object};
use crate::sys::tree::{
    Case, Directory, Durability, Here, Listed, Listings, NameRules, Permissions, Renaming, Status, Taken,
    folded_order,
};

/// What goes wrong, by the path that the directory was entered by and the name.
pub(super) trait Trouble: Send + Sync + 'static {
    const NAMES: NameRules = Here::NAMES;
    const RENAMING: Renaming = Here::RENAMING;
    const LISTINGS_KEPT: Duration = Duration::from_millis(300);

    fn enter(_path: &Path) -> io::Result<()> {
        Ok(())
    }
    fn status(_path: &Path, status: Status) -> io::Result<Status> {
        Ok(status)
    }
    /// Of a directory itself.
    fn own_status(_path: &Path, status: Status) -> io::Result<Status> {
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
    /// After a rename that was done.
    fn renamed(_new: &Path) -> io::Result<()> {
        Ok(())
    }
    fn remove_file(_path: &Path) -> io::Result<()> {
        Ok(())
    }
    fn hold(_path: &Path) -> io::Result<()> {
        Ok(())
    }
    /// A directory is listed.
    fn list(_path: &Path) {}
    /// What its listing tells of an entry; `look` tells all.
    fn listed(_path: &Path, kind: EntryKind, _look: &dyn Fn() -> io::Result<Status>) -> io::Result<Listed> {
        Ok(Listed::Kind(kind))
    }
    fn listings(_path: &Path) -> Listings {
        Listings::Fresh
    }
    fn case(_path: &Path) -> Case {
        Case::Distinct
    }
    /// What it does about case in truth, whatever it says.
    fn actual_case(path: &Path) -> Case {
        Self::case(path)
    }
    /// Whether a volume that folds case takes two names for one.
    fn are_one(one: &OsStr, other: &OsStr) -> bool {
        folded_order(one, other).is_eq()
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

    /// A volume that folds case finds a name free and gives it in one step: held while an entry gets its name.
    fn naming(&self) -> Option<MutexGuard<'static, ()>> {
        static NAMING: Mutex<()> = Mutex::new(());
        let folds = T::actual_case(&self.path) != Case::Distinct;
        folds.then(|| NAMING.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The name under which an entry is there, as far as it is by this one.
    fn actual(&self, name: &OsStr) -> OsString {
        if T::actual_case(&self.path) == Case::Distinct || self.own.status(name).is_ok() {
            return name.to_owned();
        }
        // A handle of its own, since others may be listing the directory by this one.
        let names = self.own.enter(OsStr::new(".")).and_then(|own| own.names()).unwrap();
        let mut names = (0..names.len()).map(|index| names.name(index));
        let actual = names.find(|actual| T::are_one(actual, name)).map(OsStr::to_owned);
        actual.unwrap_or_else(|| name.to_owned())
    }
}

impl<T: Trouble> Directory for Troubled<T> {
    const DURABILITY: Durability = Here::DURABILITY;
    const RENAMING: Renaming = T::RENAMING;
    const NAMES: NameRules = T::NAMES;
    const LISTINGS_KEPT: Duration = T::LISTINGS_KEPT;
    const PRESERVED: &'static [Preserved] = Here::PRESERVED;

    fn open(path: &Path) -> io::Result<Self> {
        Here::open(path).map(|own| Self::new(own, path.to_owned()))
    }

    fn enter(&self, name: &OsStr) -> io::Result<Self> {
        let path = self.path.join(name);
        T::enter(&path)?;
        self.own.enter(&self.actual(name)).map(|own| Self::new(own, path))
    }

    fn each_entry(&self, each: &mut dyn FnMut(&OsStr, Listed) -> io::Result<()>) -> io::Result<()> {
        T::list(&self.path);
        self.own.each_entry(&mut |name, listed| {
            let listed =
                T::listed(&self.path.join(name), listed.kind(), &|| self.own.status(&self.actual(name)))?;
            each(name, listed)
        })
    }

    fn listings(&self) -> Listings {
        T::listings(&self.path)
    }

    fn case(&self) -> Case {
        T::case(&self.path)
    }

    fn status(&self, name: &OsStr) -> io::Result<Status> {
        self.own.status(&self.actual(name)).and_then(|status| T::status(&self.path.join(name), status))
    }

    fn own_status(&self) -> io::Result<Status> {
        self.own.own_status().and_then(|status| T::own_status(&self.path, status))
    }

    fn file_status(file: &File) -> io::Result<Status> {
        Here::file_status(file)
    }

    fn read(&self, name: &OsStr) -> io::Result<File> {
        self.own.read(&self.actual(name)).and_then(|file| T::read(&self.path.join(name), file))
    }

    fn reopen(&self, name: &OsStr) -> io::Result<File> {
        self.own.reopen(&self.actual(name))
    }

    fn create(&self, name: &OsStr, permissions: &Permissions) -> io::Result<File> {
        let _naming = self.naming();
        self.own.create(&self.actual(name), permissions)
    }

    fn make_directory(&self, name: &OsStr, permissions: &Permissions) -> io::Result<()> {
        T::make_directory(&self.path.join(name))?;
        let _naming = self.naming();
        self.own.make_directory(&self.actual(name), permissions)
    }

    fn make_root(path: &Path, permissions: &Permissions) -> io::Result<()> {
        Here::make_root(path, permissions)
    }

    fn make_link(&self, name: &OsStr, text: &OsStr) -> io::Result<()> {
        let _naming = self.naming();
        self.own.make_link(&self.actual(name), text)
    }

    fn link_text(&self, name: &OsStr) -> io::Result<OsString> {
        self.own.link_text(&self.actual(name))
    }

    fn rename(&self, name: &OsStr, into: &Self, new_name: &OsStr, taken: Taken) -> io::Result<()> {
        T::rename(&into.path.join(new_name))?;
        let naming = into.naming();
        let (name, there) = (self.actual(name), into.actual(new_name));
        self.own.rename(&name, &into.own, &there, taken)?;
        // What replaces another has its own spelling.
        if there != new_name {
            into.own.rename(&there, &into.own, new_name, Taken::Refuse)?;
        }
        drop(naming);
        T::renamed(&into.path.join(new_name))
    }

    fn remove_file(&self, name: &OsStr) -> io::Result<()> {
        T::remove_file(&self.path.join(name))?;
        self.own.remove_file(&self.actual(name))
    }

    fn remove_directory(&self, name: &OsStr) -> io::Result<()> {
        self.own.remove_directory(&self.actual(name))
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
        self.own.hold(&self.actual(name))
    }

    fn object(&self) -> io::Result<Object<'_>> {
        self.own.object()
    }

    fn attribute_names(&self, name: &OsStr) -> io::Result<AttributeNames> {
        self.own.attribute_names(&self.actual(name))
    }

    fn attribute(&self, name: &OsStr, attribute: &[u8]) -> io::Result<Option<Vec<u8>>> {
        self.own.attribute(&self.actual(name), attribute)
    }

    fn add_name(&self, held: &Held, name: &OsStr) -> io::Result<()> {
        let _naming = self.naming();
        self.own.add_name(held, &self.actual(name))
    }
}

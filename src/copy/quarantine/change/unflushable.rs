//! A volume that cannot be brought to the disk: what was done there is told all the same.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::path::Path;
use std::time::SystemTime;

use super::{discard_with, restore_with};
use crate::cancel::Cancel;
use crate::copy::quarantine::Selection;
use crate::sys::attributes::Held;
use crate::sys::tree::{
    Case, Directory, Durability, Listed, Listings, Permissions, Renaming, Status, Taken, portable,
};

/// Its flush fails, and says how many names the directory held by then.
struct Unflushable(portable::Handle);

impl Directory for Unflushable {
    const DURABILITY: Durability = portable::Handle::DURABILITY;
    const RENAMING: Renaming = portable::Handle::RENAMING;

    fn open(path: &Path) -> io::Result<Self> {
        portable::Handle::open(path).map(Self)
    }

    fn enter(&self, name: &OsStr) -> io::Result<Self> {
        self.0.enter(name).map(Self)
    }

    fn each_entry(&self, each: &mut dyn FnMut(&OsStr, Listed) -> io::Result<()>) -> io::Result<()> {
        self.0.each_entry(each)
    }

    fn listings(&self) -> Listings {
        self.0.listings()
    }

    fn case(&self) -> Case {
        self.0.case()
    }

    fn status(&self, name: &OsStr) -> io::Result<Status> {
        self.0.status(name)
    }

    fn own_status(&self) -> io::Result<Status> {
        self.0.own_status()
    }

    fn file_status(file: &File) -> io::Result<Status> {
        portable::Handle::file_status(file)
    }

    fn read(&self, name: &OsStr) -> io::Result<File> {
        self.0.read(name)
    }

    fn reopen(&self, name: &OsStr) -> io::Result<File> {
        self.0.reopen(name)
    }

    fn create(&self, name: &OsStr, permissions: &Permissions) -> io::Result<File> {
        self.0.create(name, permissions)
    }

    fn make_directory(&self, name: &OsStr, permissions: &Permissions) -> io::Result<()> {
        self.0.make_directory(name, permissions)
    }

    fn make_root(path: &Path, permissions: &Permissions) -> io::Result<()> {
        portable::Handle::make_root(path, permissions)
    }

    fn make_link(&self, name: &OsStr, text: &OsStr) -> io::Result<()> {
        self.0.make_link(name, text)
    }

    fn link_text(&self, name: &OsStr) -> io::Result<OsString> {
        self.0.link_text(name)
    }

    fn rename(&self, name: &OsStr, into: &Self, new_name: &OsStr, taken: Taken) -> io::Result<()> {
        self.0.rename(name, &into.0, new_name, taken)
    }

    fn remove_file(&self, name: &OsStr) -> io::Result<()> {
        self.0.remove_file(name)
    }

    fn remove_directory(&self, name: &OsStr) -> io::Result<()> {
        self.0.remove_directory(name)
    }

    fn set_own_permissions(&self, permissions: &Permissions) -> io::Result<()> {
        self.0.set_own_permissions(permissions)
    }

    fn set_own_modified(&self, modified: SystemTime) -> io::Result<()> {
        self.0.set_own_modified(modified)
    }

    fn flush(&self) -> io::Result<()> {
        Err(io::Error::other(format!("the drive is gone; names: {}", self.names()?.len())))
    }

    fn hold(&self, name: &OsStr) -> io::Result<Held> {
        self.0.hold(name)
    }
}

/// A quarantine of two files, and its target.
fn scene() -> (tempfile::TempDir, std::path::PathBuf, std::path::PathBuf) {
    let root = tempfile::tempdir().unwrap();
    let (folder, target) = (root.path().join("new.movebook-quarantine/run/1"), root.path().join("new"));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::create_dir(&target).unwrap();
    for name in ["one", "two"] {
        std::fs::write(folder.join(name), name).unwrap();
    }
    (root, folder, target)
}

#[test]
fn what_was_deleted_is_flushed_behind_the_last_file_and_counted_whatever_comes_of_that() {
    let (_root, folder, _) = scene();
    let changed = discard_with::<Unflushable>(&folder, &Selection::All, &Cancel::new(), &mut |_| {}).unwrap();
    assert_eq!(changed.files.files, 2);
    assert_eq!(changed.unflushed.as_deref(), Some("the drive is gone; names: 0"));
}

#[test]
fn what_was_brought_back_is_counted_though_the_target_cannot_be_flushed() {
    let (_root, folder, target) = scene();
    let changed =
        restore_with::<Unflushable>(&folder, &target, &Selection::All, &Cancel::new(), &mut |_| {}).unwrap();
    assert_eq!(changed.files.files, 2);
    assert!(changed.unflushed.is_some_and(|why| why.starts_with("the drive is gone")));
}

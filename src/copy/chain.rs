//! Directories from a root down, kept open: neighbours in a list share most of them.
//!
//! No link is followed below the root, and each directory is left with the modification time that it was found with.

use std::ffi::{OsStr, OsString};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::SystemTime;

use crate::sys::tree::Directory;

/// The directories from a root down to the one last asked for, kept open.
pub(in crate::copy) struct Chain<D> {
    root: D,
    links: Vec<Link<D>>,
}

struct Link<D> {
    name: OsString,
    directory: D,
    /// Of the directory before anything was taken out of it or put into it.
    modified: Option<SystemTime>,
    origin: Origin,
}

/// Whether a directory was there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::copy) enum Origin {
    Found,
    Made,
}

impl<D: Directory> Chain<D> {
    pub(in crate::copy) fn new(root: D) -> Self {
        Self { root, links: Vec::new() }
    }

    pub(in crate::copy) fn root(&self) -> &D {
        &self.root
    }

    pub(in crate::copy) fn enter(&mut self, path: &Path) -> io::Result<&D> {
        self.go(path, |directory, name| Ok((directory.enter(name)?, Origin::Found)))
    }

    /// As [`Chain::enter`]; what is missing is made.
    pub(in crate::copy) fn make(&mut self, path: &Path) -> io::Result<&D> {
        // Open to nobody to whom the directory around it is not.
        let make =
            |directory: &D, name: &_| directory.make_directory(name, &directory.own_status()?.permissions);
        self.go(path, |directory, name| match make(directory, name) {
            Ok(()) => Ok((directory.enter(name)?, Origin::Made)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                Ok((directory.enter(name)?, Origin::Found))
            }
            Err(error) => Err(error),
        })
    }

    fn go(&mut self, path: &Path, step: impl Fn(&D, &OsStr) -> io::Result<(D, Origin)>) -> io::Result<&D> {
        let names: Vec<&OsStr> = path.components().map(|component| component.as_os_str()).collect();
        let shared = self.links.iter().zip(&names).take_while(|(link, name)| link.name == **name).count();
        self.shorten(shared);
        for name in &names[shared..] {
            let above = self.links.last().map_or(&self.root, |link| &link.directory);
            let (directory, origin) = step(above, name)?;
            let modified = directory.own_status().ok().map(|status| status.modified);
            self.links.push(Link { name: name.to_os_string(), directory, modified, origin });
        }
        Ok(self.links.last().map_or(&self.root, |link| &link.directory))
    }

    /// Closes a directory that is about to go, and those below it.
    pub(in crate::copy) fn forget(&mut self, path: &Path) {
        if let Some(depth) = self.depth_of(path) {
            self.links.truncate(depth - 1);
        }
    }

    /// The directory that this path leads to, where it is one of those kept open.
    pub(in crate::copy) fn kept(&self, path: &Path) -> Option<(&D, Origin)> {
        let link = &self.links[self.depth_of(path)? - 1];
        Some((&link.directory, link.origin))
    }

    /// The time that a directory kept open shall have when it is left.
    pub(in crate::copy) fn set_modified(&mut self, path: &Path, modified: SystemTime) {
        if let Some(depth) = self.depth_of(path) {
            self.links[depth - 1].modified = Some(modified);
        }
    }

    fn depth_of(&self, path: &Path) -> Option<usize> {
        let mut depth = 0;
        for component in path.components() {
            if self.links.get(depth)?.name != component.as_os_str() {
                return None;
            }
            depth += 1;
        }
        (depth > 0).then_some(depth)
    }

    /// Closes all but the first directories, each with the time that it had before.
    fn shorten(&mut self, length: usize) {
        while self.links.len() > length {
            if let Some(Link { directory, modified: Some(modified), .. }) = self.links.pop()
                && directory.own_status().is_ok_and(|status| status.modified != modified)
            {
                // The directory's time is a courtesy; the purge is done without it.
                let _ = directory.set_own_modified(modified);
            }
        }
    }

    pub(in crate::copy) fn give_back_times(&mut self) {
        self.shorten(0);
    }
}

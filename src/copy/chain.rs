//! Directories from a root down, kept open: neighbours in a list share most of them.
//!
//! No link is followed below the root, and each directory is left with the modification time that it was found with. A
//! path with anything but plain names is refused.
//!
//! Each level is one open handle, and so the limit of open files is what bounds how deep a path may lead.

use std::ffi::OsStr;
use std::io::{self, ErrorKind};
use std::path::{Component, MAIN_SEPARATOR, Path, is_separator};
use std::time::SystemTime;

use super::names;
use crate::sys::tree::Directory;

/// The directories from a root down to the one last asked for, kept open.
pub(in crate::copy) struct Chain<D> {
    root: D,
    links: Vec<Link<D>>,
    /// The encoded letters of the path to the innermost of them.
    letters: Vec<u8>,
}

struct Link<D> {
    /// How many letters of the path lead to it.
    end: usize,
    directory: D,
    /// Of the directory before anything was taken out of it or put into it.
    modified: Option<SystemTime>,
    origin: Origin,
}

/// How far a path leads through the directories that are open.
struct Shared {
    links: usize,
    /// How many letters of the path that is.
    end: usize,
}

/// Whether a directory was there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::copy) enum Origin {
    Found,
    Made,
}

impl<D: Directory> Chain<D> {
    pub(in crate::copy) fn new(root: D) -> Self {
        Self { root, links: Vec::new(), letters: Vec::new() }
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
        let shared = self.shared(path);
        self.shorten(shared.links);
        // From the end that is nearer: neighbours in a tree of ten thousand levels differ in the last of them.
        if shared.end < path.as_os_str().len() / 2 {
            for component in path.components().skip(shared.links) {
                let Component::Normal(name) = component else { return Err(no_path_below()) };
                self.add(name, &step)?;
            }
        } else {
            let (mut names, mut rest) = (Vec::new(), path);
            while rest.as_os_str().len() > shared.end {
                names.push(rest.file_name().ok_or_else(no_path_below)?);
                rest = rest.parent().ok_or_else(no_path_below)?;
            }
            for name in names.into_iter().rev() {
                self.add(name, &step)?;
            }
        }
        Ok(self.links.last().map_or(&self.root, |link| &link.directory))
    }

    fn add(&mut self, name: &OsStr, step: &impl Fn(&D, &OsStr) -> io::Result<(D, Origin)>) -> io::Result<()> {
        let above = self.links.last().map_or(&self.root, |link| &link.directory);
        let (directory, origin) = step(above, name)?;
        let modified = directory.own_status().ok().map(|status| status.modified);
        if !self.letters.is_empty() {
            self.letters.push(MAIN_SEPARATOR as u8);
        }
        self.letters.extend_from_slice(name.as_encoded_bytes());
        self.links.push(Link { end: self.letters.len(), directory, modified, origin });
        Ok(())
    }

    /// Compared by letters: a path that is written in another way is entered anew, from where it differs.
    fn shared(&self, path: &Path) -> Shared {
        let path = path.as_os_str().as_encoded_bytes();
        let alike = names::shared_letters(&self.letters, path);
        let ends = |end: usize| path.get(end).is_none_or(|letter| is_separator(char::from(*letter)));
        let mut links = self.links.partition_point(|link| link.end <= alike);
        if links > 0 && !ends(self.links[links - 1].end) {
            links -= 1;
        }
        Shared { links, end: links.checked_sub(1).map_or(0, |last| self.links[last].end) }
    }

    /// Closes a directory that is about to go, and those below it.
    pub(in crate::copy) fn forget(&mut self, path: &Path) {
        if let Some(index) = self.index_of(path) {
            self.links.truncate(index);
            self.cut();
        }
    }

    /// The directory that this path leads to, where it is one of those kept open.
    pub(in crate::copy) fn kept(&self, path: &Path) -> Option<(&D, Origin)> {
        let link = &self.links[self.index_of(path)?];
        Some((&link.directory, link.origin))
    }

    /// The time that a directory kept open shall have when it is left.
    pub(in crate::copy) fn set_modified(&mut self, path: &Path, modified: SystemTime) {
        if let Some(index) = self.index_of(path) {
            self.links[index].modified = Some(modified);
        }
    }

    fn index_of(&self, path: &Path) -> Option<usize> {
        let shared = self.shared(path);
        if shared.end == path.as_os_str().len() { shared.links.checked_sub(1) } else { None }
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
        self.cut();
    }

    /// Makes the letters those of the directories that are left.
    fn cut(&mut self) {
        self.letters.truncate(self.links.last().map_or(0, |link| link.end));
    }

    pub(in crate::copy) fn give_back_times(&mut self) {
        self.shorten(0);
    }
}

fn no_path_below() -> io::Error {
    io::Error::new(ErrorKind::InvalidInput, "is no path below the root")
}

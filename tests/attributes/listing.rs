//! A tree as these tests look at it: by bare system calls, and not by the engine's eyes.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::XattrFlags;

/// All that is compared of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub mode: u32,
    pub owner: (u32, u32),
    pub modified: (i64, i64),
    pub attributes: BTreeMap<String, Vec<u8>>,
    pub content: Vec<u8>,
    /// The first path of the same file.
    pub first: PathBuf,
}

pub type Tree = BTreeMap<PathBuf, Entry>;

pub fn entry(path: &Path) -> Entry {
    let metadata = fs::symlink_metadata(path).unwrap();
    let content = if metadata.is_file() {
        fs::read(path).unwrap()
    } else if metadata.is_symlink() {
        fs::read_link(path).unwrap().into_os_string().into_encoded_bytes()
    } else {
        Vec::new()
    };
    Entry {
        mode: metadata.mode(),
        owner: (metadata.uid(), metadata.gid()),
        modified: (metadata.mtime(), metadata.mtime_nsec()),
        attributes: attributes(path),
        content,
        first: PathBuf::new(),
    }
}

/// Everything at and below a root.
pub fn tree(root: &Path) -> Tree {
    let mut firsts = BTreeMap::new();
    let mut entries = BTreeMap::new();
    for found in walkdir::WalkDir::new(root).sort_by_file_name() {
        let found = found.unwrap();
        let path = found.path().strip_prefix(root).unwrap().to_owned();
        let metadata = fs::symlink_metadata(found.path()).unwrap();
        let mut entry = entry(found.path());
        if metadata.is_file() {
            let first = firsts.entry((metadata.dev(), metadata.ino())).or_insert_with(|| path.clone());
            entry.first = first.clone();
        }
        entries.insert(path, entry);
    }
    entries
}

/// The attributes that a copy carries over; a machine's own (`security.selinux`) are not.
pub fn attributes(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut names = vec![0; 65536];
    let length = match rustix::fs::llistxattr(path, names.as_mut_slice()) {
        Err(rustix::io::Errno::NOTSUP) => 0,
        result => result.unwrap(),
    };
    let names = names[..length].split(|byte| *byte == 0).filter(|name| !name.is_empty());
    names
        .map(|name| String::from_utf8(name.to_vec()).unwrap())
        .filter(|name| name != "security.selinux")
        .map(|name| {
            let mut value = vec![0; 65536];
            let length = rustix::fs::lgetxattr(path, name.as_str(), value.as_mut_slice()).unwrap();
            value.truncate(length);
            (name, value)
        })
        .collect()
}

pub fn set(path: &Path, name: &str, value: &[u8]) {
    rustix::fs::lsetxattr(path, name, value, XattrFlags::empty())
        .unwrap_or_else(|error| panic!("{name} on {}: {error}", path.display()));
}

pub const ACCESS: &str = "system.posix_acl_access";
pub const DEFAULT: &str = "system.posix_acl_default";
pub const CAPABILITY: &str = "security.capability";

/// An access list in the kernel's form: the owner may do all, one user and the group some, others nothing.
pub fn access_list(user: u32, bits: u16) -> Vec<u8> {
    const NOBODY: u32 = u32::MAX;
    let mut list = 2u32.to_le_bytes().to_vec();
    for (tag, bits, id) in [
        (0x01u16, 7u16, NOBODY),
        (0x02, bits, user),
        (0x04, 0, NOBODY),
        (0x10, bits, NOBODY),
        (0x20, 0, NOBODY),
    ] {
        list.extend(tag.to_le_bytes());
        list.extend(bits.to_le_bytes());
        list.extend(id.to_le_bytes());
    }
    list
}

/// The right to use low ports, as `setcap cap_net_bind_service=ep` writes it.
pub fn capability() -> Vec<u8> {
    [0x0200_0001u32, 1 << 10, 0, 0, 0].into_iter().flat_map(u32::to_le_bytes).collect()
}

//! Trees as a test looks at them: a walk and hashes of its own, nothing of the program's.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::SystemTime;

use walkdir::WalkDir;

/// What a tree holds: directories by name, files with time and BLAKE3.
pub fn contents(root: &Path) -> BTreeMap<String, String> {
    let mut contents = BTreeMap::new();
    for entry in WalkDir::new(root).min_depth(1) {
        let entry = entry.unwrap();
        let name = entry.path().strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        let said = match entry.file_type().is_dir() {
            true => "a directory".to_owned(),
            false => {
                let modified = entry.metadata().unwrap().modified().unwrap();
                let since = modified.duration_since(SystemTime::UNIX_EPOCH).unwrap();
                format!("{} of {since:?}", blake3::hash(&fs::read(entry.path()).unwrap()))
            }
        };
        contents.insert(name, said);
    }
    contents
}

#[track_caller]
pub fn assert_equal(one: &Path, other: &Path) {
    let (one, other) = (contents(one), contents(other));
    let differing: Vec<_> = one
        .keys()
        .chain(other.keys())
        .filter(|name| one.get(*name) != other.get(*name))
        .map(|name| format!("{name}: {:?} / {:?}", one.get(name), other.get(name)))
        .collect();
    assert!(differing.is_empty(), "the trees differ: {differing:#?}");
    assert!(!one.is_empty(), "the trees hold something");
}

/// Everything below a folder with what a program changes that changes nothing.
pub fn fingerprint(root: &Path) -> BTreeMap<String, String> {
    WalkDir::new(root)
        .into_iter()
        .map(|entry| {
            let entry = entry.unwrap();
            let is = entry.path().symlink_metadata().unwrap();
            (entry.path().display().to_string(), marks_of(&is))
        })
        .collect()
}

/// Kind, size, inode and times.
#[cfg(unix)]
fn marks_of(is: &fs::Metadata) -> String {
    use std::os::unix::fs::MetadataExt;

    format!(
        "{:o} {} {} {}.{:09} {}.{:09}",
        is.mode(),
        is.size(),
        is.ino(),
        is.mtime(),
        is.mtime_nsec(),
        is.ctime(),
        is.ctime_nsec()
    )
}

/// Attributes, size and times.
#[cfg(windows)]
fn marks_of(is: &fs::Metadata) -> String {
    use std::os::windows::fs::MetadataExt;

    format!("{:x} {} {} {}", is.file_attributes(), is.file_size(), is.creation_time(), is.last_write_time())
}

/// A link to a folder.
pub fn link(to: &Path, link: &Path) {
    #[cfg(unix)]
    std::os::unix::fs::symlink(to, link).unwrap();
    #[cfg(windows)]
    std::os::windows::fs::symlink_dir(to, link).unwrap();
}

/// So many names for one file, in one folder: a tree that is large to copy and quick to make.
pub fn many_names(root: &Path, names: usize, bytes: usize) {
    fs::create_dir_all(root).unwrap();
    // A file system allows only so many names for one file.
    for first in (0..names).step_by(10_000) {
        let original = root.join(format!("file-{first}.dat"));
        fs::write(&original, vec![first as u8 + 1; bytes]).unwrap();
        for number in first + 1..names.min(first + 10_000) {
            fs::hard_link(&original, root.join(format!("file-{number}.dat"))).unwrap();
        }
    }
}

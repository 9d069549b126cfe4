//! What a verification finds.

use std::fs::{self, File};
use std::io;

use super::trouble::{Trouble, Troubled};
use super::*;
use crate::copy::verify::DifferenceKind;

#[test]
fn verify_finds_each_kind_of_difference() {
    each(|engine| {
        let names = ["content", "mtime", "size", "missing", "kind", "equal", "dir/equal", "lost/", "utf/ü b"];
        let trees = Trees::new(&names);
        copied(engine, &trees.pass());
        put(&trees.to.join("content"), "CONTENT", 1_000_000);
        put(&trees.to.join("mtime"), "mtime", 1_000_001);
        put(&trees.to.join("size"), "other size", 1_000_000);
        fs::remove_file(trees.to.join("missing")).unwrap();
        fs::remove_file(trees.to.join("kind")).unwrap();
        fs::create_dir(trees.to.join("kind")).unwrap();
        fs::remove_dir(trees.to.join("lost")).unwrap();
        put(&trees.to.join("extra"), "", 1);
        let place = trees.folder.path().join("manifest");
        let pass = VerifyPass { manifest: Some(place.clone()), ..trees.verify_pass() };
        let found = quiet(|watch| (engine.verify)(&pass, watch)).unwrap();
        let differences: Vec<_> =
            found.differences.iter().map(|difference| (difference.path.as_str(), difference.kind)).collect();
        let expected = [
            ("content", DifferenceKind::Content),
            ("extra", DifferenceKind::Extra),
            ("kind", DifferenceKind::Kind),
            ("lost/", DifferenceKind::Missing),
            ("missing", DifferenceKind::Missing),
            ("mtime", DifferenceKind::Mtime),
            ("size", DifferenceKind::Size),
        ];
        assert_eq!(differences, expected);
        assert_eq!((found.files, found.equal, found.manifest_files), (8, 3, 6));
        let manifest = fs::read_to_string(place).unwrap();
        assert!(manifest.contains(&format!("{}  utf/ü b\n", blake3::hash("utf/ü b".as_bytes()).to_hex())));
        let sizes = VerifyPass { method: Method::Size, extra: Extra::Ignore, ..trees.verify_pass() };
        let found = quiet(|watch| (engine.verify)(&sizes, watch)).unwrap();
        assert!(!found.counts.contains_key(&DifferenceKind::Mtime));
        assert_eq!((found.equal, found.extra_ignored), (5, 1));
    });
}

#[test]
#[cfg(unix)]
fn a_link_or_a_directory_in_a_files_place_is_never_opened() {
    each(|engine| {
        let trees = Trees::new(&["link", "directory", "file"]);
        copied(engine, &trees.pass());
        for name in ["link", "directory"] {
            fs::remove_file(trees.to.join(name)).unwrap();
        }
        std::os::unix::fs::symlink("file", trees.to.join("link")).unwrap();
        fs::create_dir(trees.to.join("directory")).unwrap();
        let found = quiet(|watch| (engine.verify)(&trees.verify_pass(), watch)).unwrap();
        let differences: Vec<_> =
            found.differences.iter().map(|difference| (difference.path.as_str(), difference.kind)).collect();
        assert_eq!(differences, [("directory", DifferenceKind::Kind), ("link", DifferenceKind::Kind)]);
        assert_eq!(found.equal, 1);
    });
}

/// A file of the source may be looked at and not be read.
struct Sealed;

impl Trouble for Sealed {
    fn read(path: &Path, file: File) -> io::Result<File> {
        if path.ends_with("from/sealed") { Err(io::ErrorKind::PermissionDenied.into()) } else { Ok(file) }
    }
}

#[test]
fn a_file_that_may_not_be_read_differs_by_what_may_be_seen_of_it() {
    let trees = Trees::new(&["sealed", "open"]);
    quiet(|watch| copy::<Here>(&trees.pass(), watch)).unwrap();
    put(&trees.to.join("sealed"), "another size", 1_000_000);
    let found = quiet(|watch| verify_with::<Troubled<Sealed>>(&trees.verify_pass(), watch)).unwrap();
    assert_eq!(found.counts.into_iter().collect::<Vec<_>>(), [(DifferenceKind::Size, 1)]);
    assert_eq!((found.files, found.equal), (2, 1));
}

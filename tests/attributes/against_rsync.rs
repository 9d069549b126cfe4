//! Random trees with random attributes: what a pass makes of them is what `rsync -aHAX` makes of them.

use std::fs;
use std::os::unix::fs::{chown, lchown, symlink};
use std::path::Path;
use std::process::Command;

use filetime::FileTime;
use proptest::prelude::*;

use crate::listing::{self, ACCESS, CAPABILITY, DEFAULT, access_list, capability, set};
use crate::{ALL, Trees, copied, counts, is_root, permissions};

#[derive(Clone, Debug)]
enum Kind {
    File,
    Directory,
    Link,
    /// One more name of the file made before it.
    Name,
}

/// One entry, and how it is dressed.
#[derive(Clone, Debug)]
struct Entry {
    path: String,
    kind: Kind,
    dress: Dress,
}

#[derive(Clone, Debug)]
struct Dress {
    user: u32,
    group: u32,
    mode: u32,
    /// Bits: two of `user.`, one of `trusted.`, one access list, one default access list, one right.
    attributes: u8,
    value: Vec<u8>,
    seconds: i64,
    nanoseconds: u32,
}

fn dress() -> impl Strategy<Value = Dress> {
    let owner = (prop_oneof![Just(0), 1000u32..1003], prop_oneof![Just(0), 1000u32..1003]);
    let value = proptest::collection::vec(any::<u8>(), 0..40);
    // rsync keeps no time before 1970 as it is; the engine's own tests do.
    (owner, 0u32..0o10000, 0u8..64, value, 0i64..4_000_000_000, 0u32..1_000_000_000).prop_map(
        |((user, group), mode, attributes, value, seconds, nanoseconds)| Dress {
            user,
            group,
            mode,
            attributes,
            value,
            seconds,
            nanoseconds,
        },
    )
}

fn entries() -> impl Strategy<Value = Vec<Entry>> {
    let kind = prop_oneof![4 => Just(Kind::File), 2 => Just(Kind::Directory), 1 => Just(Kind::Link), 3 => Just(Kind::Name)];
    let entry =
        ("[a-d](/[a-d]){0,2}", kind, dress()).prop_map(|(path, kind, dress)| Entry { path, kind, dress });
    proptest::collection::vec(entry, 1..20)
}

fn make(root: &Path, entries: &[Entry]) {
    let mut last_file = None;
    for entry in entries {
        let place = root.join(&entry.path);
        let blocked = place.symlink_metadata().is_ok()
            || place
                .ancestors()
                .skip(1)
                .any(|above| above.symlink_metadata().is_ok_and(|found| !found.is_dir()));
        if blocked {
            continue;
        }
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        match (&entry.kind, &last_file) {
            (Kind::Directory, _) => fs::create_dir(&place).unwrap(),
            (Kind::Link, _) => symlink(&entry.path, &place).unwrap(),
            (Kind::Name, Some(file)) => fs::hard_link(file, &place).unwrap(),
            (Kind::File | Kind::Name, _) => {
                fs::write(&place, &entry.path).unwrap();
                last_file = Some(place);
            }
        }
    }
}

/// Dresses what is there; the deepest first, since that changes the time of nothing above.
fn dress_all(root: &Path, entries: &[Entry]) {
    chown(root, Some(1000), Some(1000)).unwrap();
    for found in walkdir::WalkDir::new(root).contents_first(true) {
        // rsync leaves the time of a directory that was made within the second in which the copy is.
        let old = FileTime::from_unix_time(77, 77);
        filetime::set_symlink_file_times(found.unwrap().path(), old, old).unwrap();
    }
    let mut entries: Vec<_> = entries.iter().collect();
    entries.sort_by(|one, other| other.path.cmp(&one.path));
    for Entry { path, dress, .. } in entries {
        let place = root.join(path);
        let Ok(found) = place.symlink_metadata() else { continue };
        lchown(&place, Some(dress.user), Some(dress.group)).unwrap();
        let time = FileTime::from_unix_time(dress.seconds, dress.nanoseconds);
        if found.is_symlink() {
            filetime::set_symlink_file_times(&place, time, time).unwrap();
            continue;
        }
        for name in listing::attributes(&place).keys() {
            rustix::fs::removexattr(&place, name.as_str()).unwrap();
        }
        let wears = |bit: u8| dress.attributes & (1 << bit) != 0;
        permissions(&place, dress.mode);
        for (bit, name) in [(0, "user.one"), (1, "user.two"), (2, "trusted.one")] {
            if wears(bit) {
                set(&place, name, &dress.value);
            }
        }
        if wears(3) {
            set(&place, ACCESS, &access_list(dress.user, (dress.mode & 7) as u16));
        }
        if wears(4) && found.is_dir() {
            set(&place, DEFAULT, &access_list(dress.group, 7));
        }
        if wears(5) && found.is_file() {
            set(&place, CAPABILITY, &capability());
        }
        filetime::set_file_mtime(&place, time).unwrap();
    }
}

fn rsync(from: &Path, to: &Path) {
    let status = Command::new("rsync")
        .args(["-aHAX", "--numeric-ids", "--delete"])
        .arg(format!("{}/", from.display()))
        .arg(to)
        .status()
        .unwrap();
    assert!(status.success(), "{status}");
}

#[test]
fn random_trees_arrive_as_rsync_brings_them() {
    if !is_root("random trees") {
        return;
    }
    if Command::new("rsync").arg("--version").output().is_err() {
        eprintln!("not proven here: random trees: there is no rsync");
        return;
    }
    let config = ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(entries in entries(), later in proptest::collection::vec(dress(), 20))| {
        let trees = Trees::new();
        let judge = trees.folder.path().join("rsync");
        make(&trees.from, &entries);
        dress_all(&trees.from, &entries);
        copied(&trees.pass(&ALL));
        rsync(&trees.from, &judge);
        let arrived = listing::tree(&trees.to);
        prop_assert_eq!(&arrived, &listing::tree(&judge));
        prop_assert_eq!(&arrived, &listing::tree(&trees.from));
        let again = copied(&trees.pass(&ALL));
        prop_assert_eq!((again.new.files, again.changed.files, again.attributes_mended), (0, 0, 0));

        let later: Vec<_> = entries
            .iter()
            .zip(later)
            // The time stays, so that only what is carried beside it differs.
            .map(|(entry, dress)| {
                let Dress { seconds, nanoseconds, .. } = entry.dress;
                Entry { dress: Dress { seconds, nanoseconds, ..dress }, ..entry.clone() }
            })
            .collect();
        dress_all(&trees.from, &later);
        let mended = copied(&trees.pass(&ALL));
        prop_assert_eq!((mended.new.files, mended.linked.files), (0, 0));
        rsync(&trees.from, &judge);
        let arrived = listing::tree(&trees.to);
        prop_assert_eq!(&arrived, &listing::tree(&judge));
        prop_assert_eq!(&arrived, &listing::tree(&trees.from));
        let counted = counts(&copied(&trees.pass(&ALL)));
        prop_assert_eq!((counted.0, counted.1, counted.3), (0, 0, 0));
    });
}

//! What stands in the target while a pass is at work, or after it was stopped.

use std::fs;

use movebook::cancel::Cancel;
use movebook::copy::native::Native;
use movebook::copy::{CopyPass, Engine, PassError, Preserved, Watch};

use crate::listing::{ACCESS, access_list, set};
use crate::{Trees, copied, listing, mode, permissions};

/// A source folder whose group has no rights, though its bits say so: they are those of its access list's mask.
#[test]
fn a_folder_is_open_to_nobody_else_until_it_has_its_access_list() {
    let trees = Trees::new();
    trees.put("folder/small");
    let folder = trees.from.join("folder");
    fs::write(folder.join("large"), vec![1; 8 << 20]).unwrap();
    for path in [&trees.from, &folder, &folder.join("large")] {
        permissions(path, 0o700);
        set(path, ACCESS, &access_list(1000, 7));
        assert_eq!(mode(path) & 0o070, 0o070, "the mask shows as the group's bits");
    }
    let pass = CopyPass { bandwidth: Some("1MiB".parse().unwrap()), ..trees.pass(&[Preserved::Acls]) };
    let cancel = Cancel::new();
    let stop = |_| {
        if trees.to.join("folder/small").exists() {
            cancel.request();
        }
    };
    let result = Native.copy(&pass, &Watch { progress: &stop, cancel: &cancel, account: None });
    assert!(matches!(result, Err(PassError::Interrupted)), "{result:?}");
    for path in [&trees.to, &trees.to.join("folder")] {
        assert_eq!(mode(path) & 0o077, 0, "{}: {:o}", path.display(), mode(path));
    }
    copied(&trees.pass(&[Preserved::Acls]));
    assert_eq!(listing::tree(&trees.to), listing::tree(&trees.from));
}

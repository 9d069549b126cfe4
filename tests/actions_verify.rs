//! `verify` by the real binary, on real trees.
#![cfg(target_os = "linux")]

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use assert_cmd::Command;

/// Verifies two files of the same content whose times lie a second apart, and gives the exit code.
fn verified(folder: &Path, tolerance: &str) -> Option<i32> {
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    for (side, later) in [("old", 0), ("new", 1)] {
        fs::create_dir(folder.join(side)).unwrap();
        let path = folder.join(side).join("file");
        fs::write(&path, "content").unwrap();
        File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_modified(long_ago + Duration::from_secs(later))
            .unwrap();
    }
    let (old, new) = (folder.join("old"), folder.join("new"));
    let runbook = format!(
        "movebook: 1\nname: proof\nphases:\n  - id: one\n    steps:\n      - {{id: proof, verify: {{from: '{}', to: '{}', \
         mtime_tolerance: {tolerance}}}}}\n",
        old.display(),
        new.display()
    );
    fs::write(folder.join("proof.yaml"), runbook).unwrap();
    let mut command = Command::cargo_bin("movebook").unwrap();
    command.current_dir(folder).args(["run", "proof.yaml"]).output().unwrap().status.code()
}

#[test]
fn files_a_second_apart_are_equal_within_two_seconds_and_differ_within_none() {
    for (tolerance, code) in [("2s", 0), ("0s", 1)] {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(verified(folder.path(), tolerance), Some(code), "{tolerance}");
    }
}

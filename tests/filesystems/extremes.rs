//! Trees beyond what people think of: a directory with a million files, two hundred levels, paths of 4,000 bytes.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Write;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags, mkdirat, openat};

use crate::common::Scene;
use crate::volumes::{Volume, or_not_proven, setting};

/// Copy, nothing to do, purge, and proof that both sides are equal; the journal's own figures are what is asserted on.
fn works(scene: &Scene, root: &Path, files: usize, gone: impl FnOnce()) {
    let runbook =
        "
phases:
  - id: only
    steps:
      - {id: first, copy: {from: 'ROOT/old', to: 'ROOT/new'}}
      - {id: same, copy: {from: 'ROOT/old', to: 'ROOT/new'}}
      - {id: gate, checkpoint: {ask: On?}}
      - {id: purge, copy: {from: 'ROOT/old', to: 'ROOT/new', purge: {max_files: 10, max_percent: 50, keep: none}}}
      - {id: proof, verify: {from: 'ROOT/old', to: 'ROOT/new', method: blake3}}
".replace("ROOT", root.to_str().unwrap());
    scene.now_reads(&runbook);
    run(scene, 3);
    gone();
    scene.approve("gate", &[]).code(0);
    run(scene, 0);
    let journal = scene.journal();
    let figures = |step: &str, name: &str| journal.only("step_done", step)["figures"][name].clone();
    assert_eq!(figures("first", "new_files"), files);
    assert_eq!((figures("same", "new_files"), figures("same", "same_files")), (0.into(), files.into()));
    assert_eq!(
        (figures("purge", "purged_files"), figures("purge", "same_files")),
        (1.into(), (files - 1).into())
    );
    assert_eq!(figures("proof", "equal_files"), files - 1);
}

/// Without the patience of the other tests: a million files take their time.
#[track_caller]
fn run(scene: &Scene, code: i32) {
    let output = scene.on_runbook("run", &[]).output().unwrap();
    assert_eq!(output.status.code(), Some(code), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_directory_with_very_many_files_works() {
    // The whole million takes minutes in a build for tests: `MOVEBOOK_DIRECTORY_FILES=1000000`.
    let files = setting("MOVEBOOK_DIRECTORY_FILES", 50_000);
    // In memory: what is slow on a disk is the making of the files, and that is not what is shown.
    let Some(volume) = or_not_proven(Volume::tmpfs("size=8g")) else { return };
    let (scene, old) = (Scene::new(), volume.path().join("old"));
    fs::create_dir(&old).unwrap();
    let last = old.join(format!("{:07}", files - 1));
    for number in 0..files {
        let content = if number % 10 == 0 { number.to_string() } else { String::new() };
        fs::write(old.join(format!("{number:07}")), content).unwrap();
    }
    works(&scene, &volume.path(), files, || fs::remove_file(last).unwrap());
}

/// A chain of directories, made and entered one by one, since no system takes the whole path; a file in each.
fn chain(root: &Path, name: &str, levels: usize) -> OwnedFd {
    fs::create_dir(root).unwrap();
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut here = openat(CWD, root, flags, Mode::empty()).unwrap();
    for level in 0..levels {
        mkdirat(&here, name, Mode::RWXU).unwrap();
        here = openat(&here, name, flags, Mode::empty()).unwrap();
        let file =
            openat(&here, "file", OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC, Mode::RUSR).unwrap();
        File::from(file).write_all(format!("level {level}").as_bytes()).unwrap();
    }
    here
}

#[test]
fn a_tree_of_two_hundred_levels_works() {
    let scene = Scene::new();
    let deepest = chain(&scene.path("old"), "d", 200);
    works(&scene, scene.root(), 200, || {
        rustix::fs::unlinkat(&deepest, "file", rustix::fs::AtFlags::empty()).unwrap()
    });
}

#[test]
fn paths_of_four_thousand_bytes_work() {
    let scene = Scene::new();
    // Longer than what any call takes at once.
    let name: OsString = "n".repeat(250).into();
    let levels = 4_000 / (name.len() + 1) + 1;
    let deepest = chain(&scene.path("old"), name.to_str().unwrap(), levels);
    assert!(levels * (name.len() + 1) + "/file".len() > 4_000);
    works(&scene, scene.root(), levels, || {
        rustix::fs::unlinkat(&deepest, "file", rustix::fs::AtFlags::empty()).unwrap()
    });
}

//! Trees beyond what people think of: a directory with a million files or folders, thousands of levels, paths of 4,000 bytes.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Write;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags, mkdirat, openat};

use crate::common::Scene;
use crate::volumes::{Volume, or_not_proven, setting};

const STATE: &str = "scene.state.jsonl";

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

#[test]
fn an_extra_tree_of_thousands_of_levels_is_taken_away_and_listed_and_comes_back_or_is_deleted() {
    const LEVELS: usize = 4_000;
    // The target's directories and the quarantine's are open down to the bottom.
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).maximum;
    if let Some(limit) = limit.filter(|limit| *limit < 2 * LEVELS as u64 + 200) {
        println!("not proven here: no more than {limit} files may be open at once");
        return;
    }
    for (deed, comes_back) in [(&["restore", "--all"][..], true), (&["discard", "--all", "--yes"], false)] {
        let Some(volume) = or_not_proven(Volume::tmpfs("size=1g")) else { return };
        let (scene, root) = (Scene::new(), volume.path());
        fs::create_dir(root.join("old")).unwrap();
        for number in 0..9 {
            fs::write(root.join(format!("old/{number}")), "x").unwrap();
        }
        let runbook = "
phases:
  - id: only
    steps:
      - {id: first, copy: {from: 'ROOT/old', to: 'ROOT/new'}}
      - {id: gate, checkpoint: {ask: On?}}
      - {id: purge, copy: {from: 'ROOT/old', to: 'ROOT/new', purge: {max_files: 10, max_percent: 50}}}
";
        scene.now_reads(&runbook.replace("ROOT", root.to_str().unwrap()));
        run(&scene, 3);
        let extra = root.join("new/extra");
        one_file_below(&extra, LEVELS);
        scene.approve("gate", &[]).code(0);
        run(&scene, 0);
        assert_eq!(scene.journal().only("step_done", "purge")["figures"]["purged_files"], 1);
        assert!(!extra.exists());
        let ended = |arguments: &[&str]| {
            let output = scene.command(arguments).output().unwrap();
            assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap()
        };
        assert!(ended(&["quarantine", STATE]).contains(&format!("extra/{}file", "d/".repeat(LEVELS))));
        ended(&[&[deed[0], STATE], &deed[1..]].concat());
        assert_eq!(levels(&extra), comes_back.then_some(LEVELS));
        assert!(!ended(&["quarantine", STATE]).contains("extra"));
    }
}

/// A chain of directories of which the deepest alone holds a file.
fn one_file_below(root: &Path, levels: usize) {
    fs::create_dir(root).unwrap();
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut here = openat(CWD, root, flags, Mode::empty()).unwrap();
    for _ in 0..levels {
        mkdirat(&here, "d", Mode::RWXU).unwrap();
        here = openat(&here, "d", flags, Mode::empty()).unwrap();
    }
    openat(&here, "file", OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC, Mode::RUSR).unwrap();
}

/// How many levels such a chain has; `None` where it or its file is missing.
fn levels(root: &Path) -> Option<usize> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut here = openat(CWD, root, flags, Mode::empty()).ok()?;
    let mut levels = 0;
    while let Ok(inner) = openat(&here, "d", flags, Mode::empty()) {
        here = inner;
        levels += 1;
    }
    rustix::fs::accessat(&here, "file", rustix::fs::Access::EXISTS, rustix::fs::AtFlags::empty())
        .is_ok()
        .then_some(levels)
}

#[test]
fn very_many_folders_in_one_folder_take_little_memory() {
    const FOLDERS: u64 = 150_000;
    let Some(volume) = or_not_proven(Volume::tmpfs("size=4g")) else { return };
    let (scene, root) = (Scene::new(), volume.path());
    for side in ["old", "new"] {
        for number in 0..FOLDERS {
            fs::create_dir_all(root.join(format!("{side}/many/{number:07}"))).unwrap();
        }
    }
    // What only the target has is walked in another way.
    for number in 0..FOLDERS {
        fs::create_dir(root.join(format!("new/many/{number:07} extra"))).unwrap();
    }
    scene.now_reads(
        &"
phases:
  - id: only
    steps:
      - {id: before, command: {shell: 'grep VmHWM /proc/$PPID/status > ROOT/before || true'}}
      - {id: pass, copy: {from: 'ROOT/old', to: 'ROOT/new'}}
      - {id: behind, command: {shell: 'grep VmHWM /proc/$PPID/status > ROOT/behind || true'}}
"
        .replace("ROOT", root.to_str().unwrap()),
    );
    run(&scene, 0);
    let peak = |name: &str| -> Option<u64> {
        fs::read_to_string(root.join(name)).ok()?.split_whitespace().nth(1)?.parse().ok()
    };
    let (Some(before), Some(behind)) = (peak("before"), peak("behind")) else {
        println!("not proven here: this system does not tell a process's peak memory");
        return;
    };
    println!("peak {before} KiB before the pass, {behind} KiB behind it");
    // The names take 6 MiB; with a job for each folder it was 16.
    assert!(behind - before < 11 * 1024, "{before} KiB before, {behind} KiB behind");
}

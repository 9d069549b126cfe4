//! When a purge takes nothing away. Each promise is tested where it is easiest to see through:
//!
//! | nothing is taken away | tested in |
//! | --- | --- |
//! | after a read error; after a directory that was listed half | here, with a source that breaks |
//! | of a source that is empty, or lacks what is expected of it | `tests/guards.rs` |
//! | of a target that is another one than the run's | `tests/guards.rs`, here with another volume in its place |
//! | of more than the limits, unless a person agrees to that very list | `tests/guards.rs` |
//! | of what the filter keeps out; of the quarantine | `src/copy/native/tests.rs`, here with the program |
//! | of what came or changed since the list was made | `src/copy/native/tests.rs` |
//! | through a link | `swaps`, `planted` |

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use fuser::Errno;

use crate::common::{Scene, tree};
use crate::passthrough::{Call, Passthrough, Ways};
use crate::volumes::{Volume, or_not_proven};

/// A run that has copied, and is about to copy and purge again: three files are gone from the source.
fn about_to_purge(scene: Scene, source: &str) -> Scene {
    scene.run(&[]).code(3);
    for number in 0..3 {
        fs::remove_file(scene.path(&format!("{source}/00/file-{number}.dat"))).unwrap();
    }
    scene.approve("gate", &[]).code(0);
    scene
}

fn scene(errors: &str, target: &str) -> Scene {
    Scene::new().steps(&format!(
        "
- {{id: early, copy: {{from: 'ROOT/old', to: '{target}'}}}}
- {{id: gate, checkpoint: {{ask: On?}}}}
- {{id: final, copy: {{from: 'ROOT/old', to: '{target}', retries: 1, wait: 10ms, errors: {errors}, purge: {{max_files: 10, max_percent: 50}}}}}}
"
    ))
}

/// Purges with a source that breaks at a call; the target must be as it was, and with a whole source it is purged.
fn breaks_at(fails: fn(Call, &Path) -> bool) {
    for errors in ["fail", "tolerate"] {
        let scene = scene(errors, "ROOT/new").tree("behind", 40).folder("old");
        let broken = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&broken);
        let breaks = Box::new(move |call, path: &Path| {
            (asked.load(Ordering::Relaxed) && fails(call, path)).then_some(Errno::EIO)
        });
        let ways = Ways { breaks, ..Ways::default() };
        let mounted = Passthrough::mount(&scene.path("behind"), &scene.path("old"), ways);
        let Some(_mounted) = or_not_proven(mounted) else { return };
        let scene = about_to_purge(scene, "behind");
        // A file that has to be read.
        scene.write("behind/01/file-30.dat", "changed");
        broken.store(true, Ordering::Relaxed);
        let before = tree::contents(&scene.path("new"));
        let ended = scene.run(&[]);
        assert!(ended.code == 1 || ended.code == 3, "{errors}: {}", ended.all());
        assert_eq!(tree::contents(&scene.path("new")), before, "{errors}");
        assert!(!scene.path("new.movebook-quarantine").exists(), "{errors}");
        if errors == "fail" {
            broken.store(false, Ordering::Relaxed);
            scene.run(&[]).code(0);
            tree::assert_equal(&scene.path("behind"), &scene.path("new"));
        } else {
            ended.says("nothing was purged");
        }
    }
}

#[test]
fn nothing_is_purged_after_a_file_that_cannot_be_read() {
    breaks_at(|call, path| call == Call::Read && path.ends_with("file-30.dat"));
}

#[test]
fn nothing_is_purged_after_a_directory_that_was_listed_half() {
    // The first names are told, then the listing breaks off.
    breaks_at(|call, path| matches!(call, Call::List(told) if told > 0) && path.ends_with("01"));
}

#[test]
fn nothing_is_purged_after_a_directory_that_cannot_be_opened() {
    breaks_at(|call, path| call == Call::Open && path.ends_with("01"));
}

#[test]
fn nothing_is_purged_on_another_volume_in_the_targets_place() {
    let Some(first) = or_not_proven(Volume::ext4(32, &[], "")) else { return };
    let Some(other) = or_not_proven(Volume::ext4(32, &[], "")) else { return };
    let target = first.path().join("new");
    let scene = about_to_purge(scene("fail", target.to_str().unwrap()).tree("old", 40), "old");
    // A copy of the target, with the same inode numbers as likely as not.
    crate::volumes::ran(std::process::Command::new("cp").arg("-a").arg(&target).arg(other.path())).unwrap();
    let before = tree::contents(&other.path().join("new"));
    let moved = crate::volumes::Bind::over(&other.path(), &first.path()).unwrap();
    scene.run(&[]).code(7).says("another folder");
    assert_eq!(tree::contents(&target), before);
    drop(moved);
    scene.run(&[]).code(0);
    tree::assert_equal(&scene.path("old"), &target);
}

#[test]
fn a_target_that_is_mounted_again_is_still_the_runs_own() {
    let Some(mut volume) = or_not_proven(Volume::ext4(32, &[], "")) else { return };
    let target = volume.path().join("new");
    let scene = about_to_purge(scene("fail", target.to_str().unwrap()).tree("old", 40), "old");
    let device = |path: &Path| std::os::unix::fs::MetadataExt::dev(&fs::metadata(path).unwrap());
    let before = device(&target);
    // Someone else takes the loop device that this one had.
    volume.detach();
    let Some(_other) = or_not_proven(Volume::ext4(32, &[], "")) else { return };
    volume.attach().unwrap();
    assert_ne!(device(&target), before, "the device has another number now");
    scene.run(&[]).code(0);
    tree::assert_equal(&scene.path("old"), &target);
}

#[test]
fn what_the_filter_keeps_out_and_what_is_in_quarantine_is_never_purged() {
    let scene = Scene::new()
        .runbook(
            "
filters:
  no-databases: {exclude: ['*.fdb'], exclude_directories: [system]}
phases:
  - id: only
    steps:
      - {id: early, copy: {from: 'ROOT/old', to: 'ROOT/new'}}
      - {id: gone, command: {shell: 'rm -r ROOT/old/a.fdb ROOT/old/system ROOT/old/00/file-1.dat'}}
      - {id: final, copy: {from: 'ROOT/old', to: 'ROOT/new', filter: no-databases, purge: {max_files: 10, max_percent: 50}}}
      - {id: again, copy: {from: 'ROOT/old', to: 'ROOT/new', purge: {max_files: 10, max_percent: 50, keep: quarantine}}}
",
        )
        .tree("old", 40)
        .file("old/a.fdb", "a database")
        .file("old/system/file", "a system's");
    scene.run(&[]).code(0);
    let journal = scene.journal();
    assert_eq!(journal.only("step_done", "final")["figures"]["purged_files"], 1);
    assert_eq!(journal.only("step_done", "again")["figures"]["purged_files"], 2);
    let kept = walkdir::WalkDir::new(scene.path("new.movebook-quarantine")).into_iter().flatten();
    assert_eq!(kept.filter(|entry| entry.file_type().is_file()).count(), 3);
}

//! What a target refuses ends with its class, its path and a next step; after mending, `movebook run` finishes the same run.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::running::Ended;
use crate::common::scene::PROGRAM;
use crate::common::{Scene, tree};
use crate::passthrough::{Case, NameRules, Passthrough, Ways};
use crate::volumes::{Volume, or_not_proven, ran};

/// A pass from `old` to a folder elsewhere.
fn scene(target: &Path) -> Scene {
    Scene::new().steps(&format!(
        "- {{id: pass, copy: {{from: 'ROOT/old', to: '{}', retries: 1, wait: 10ms}}}}",
        target.display()
    ))
}

/// The run stopped at this entry, in a word for its class, and with something to do about it.
#[track_caller]
fn stopped(scene: &Scene, class: &str, path: &str, next: &str) -> Ended {
    let ended = scene.run(&[]).code(1).says(path).says("help: ").says(next);
    let journal = scene.journal();
    let failed = journal.of("step_failed").last().expect("a failed step");
    let classes: Vec<_> =
        failed["errors"].as_array().into_iter().flatten().map(|error| &error["class"]).collect();
    assert!(classes.iter().any(|found| **found == *class), "{class} is not among {classes:?}: {failed:#}");
    ended
}

/// The run goes on with the command that it began with, and its target is equal.
#[track_caller]
fn finishes(scene: &Scene, target: &Path) {
    scene.run(&[]).code(0);
    assert_eq!(scene.journal().of("run_started").count(), 1, "it is the same run");
    tree::assert_equal(&scene.path("old"), target);
}

fn big(scene: Scene, files: usize) -> Scene {
    for number in 0..files {
        scene.write(&format!("old/{number:03}.dat"), vec![number as u8 + 1; 500_000]);
    }
    scene
}

#[test]
fn a_full_target_ends_the_pass_and_with_room_the_run_is_finished() {
    for volume in [Volume::ext4(32, &[], ""), Volume::tmpfs("size=24m")] {
        let Some(volume) = or_not_proven(volume) else { continue };
        let target = volume.path().join("new");
        let scene = big(scene(&target), 24);
        fs::write(volume.path().join("filler"), vec![7; 15 << 20]).unwrap();
        stopped(&scene, "fatal", ".dat", "make room");
        fs::remove_file(volume.path().join("filler")).unwrap();
        finishes(&scene, &target);
    }
}

#[test]
fn a_target_without_inodes_ends_the_pass_and_with_some_the_run_is_finished() {
    for volume in [Volume::ext4(32, &["-N", "256"], ""), Volume::tmpfs("nr_inodes=256")] {
        let Some(volume) = or_not_proven(volume) else { continue };
        let target = volume.path().join("new");
        let scene = scene(&target).tree("old", 180);
        let filler = volume.path().join("filler");
        fs::create_dir(&filler).unwrap();
        for number in 0..150 {
            fs::write(filler.join(number.to_string()), "").unwrap();
        }
        stopped(&scene, "fatal", "file-", "df -i");
        fs::remove_dir_all(filler).unwrap();
        finishes(&scene, &target);
    }
}

#[test]
fn an_exhausted_quota_ends_the_pass_and_with_a_larger_one_the_run_is_finished() {
    let Some(volume) = or_not_proven(Volume::btrfs(256)) else { return };
    let limit = |size: &str| ran(Command::new("btrfs").args(["qgroup", "limit", size]).arg(volume.path()));
    let limited =
        ran(Command::new("btrfs").args(["quota", "enable"]).arg(volume.path())).and_then(|()| limit("8M"));
    if or_not_proven(limited).is_none() {
        return;
    }
    let target = volume.path().join("new");
    let scene = big(scene(&target), 30);
    stopped(&scene, "fatal", ".dat", "raise the quota");
    limit("none").unwrap();
    finishes(&scene, &target);
}

#[test]
fn a_read_only_target_ends_the_pass_and_when_it_is_writable_the_run_is_finished() {
    let Some(volume) = or_not_proven(Volume::ext4(32, &[], "")) else { return };
    let target = volume.path().join("new");
    let scene = scene(&target).tree("old", 30);
    volume.change("ro");
    scene.run(&[]).code(1).says(target.to_str().unwrap()).says("help: ").says("can be written to");
    volume.change("rw");
    fs::create_dir(&target).unwrap();
    volume.change("ro");
    stopped(&scene, "fatal", "0", "mount the target's volume writable");
    volume.change("rw");
    finishes(&scene, &target);
}

#[test]
fn an_immutable_file_fails_alone_and_is_brought_when_it_may_be_changed() {
    let Some(volume) = or_not_proven(Volume::ext4(32, &[], "")) else { return };
    let target = volume.path().join("new");
    let scene = scene(&target).tree("old", 30);
    let stone = target.join("00/file-7.dat");
    fs::create_dir_all(stone.parent().unwrap()).unwrap();
    fs::write(&stone, "older").unwrap();
    let chattr = |change: &str| ran(Command::new("chattr").arg(change).arg(&stone));
    if or_not_proven(chattr("+i")).is_none() {
        return;
    }
    let ended = stopped(&scene, "denied", "00/file-7.dat", "see to the files");
    let still = fs::read_to_string(&stone).unwrap();
    chattr("-i").unwrap();
    assert_eq!(still, "older");
    assert!(target.join("01/file-29.dat").exists(), "the others are there: {}", ended.stdout);
    finishes(&scene, &target);
}

/// A target behind a file system in between: the folder behind it, and it itself.
fn in_between(scene: &Scene, names: NameRules) -> Option<Passthrough> {
    for folder in ["behind", "new"] {
        fs::create_dir_all(scene.path(folder)).unwrap();
    }
    let ways = Ways { names, ..Ways::default() };
    or_not_proven(Passthrough::mount(&scene.path("behind"), &scene.path("new"), ways))
}

fn scene_in_between() -> (Scene, PathBuf) {
    let scene = Scene::new()
        .steps("- {id: pass, copy: {from: 'ROOT/old', to: 'ROOT/new/copy', retries: 1, wait: 10ms}}")
        .tree("old", 30);
    let target = scene.path("new/copy");
    (scene, target)
}

#[test]
fn a_name_too_long_for_the_target_fails_alone_and_is_brought_under_a_shorter_one() {
    let (scene, target) = scene_in_between();
    let long = format!("{}.dat", "long".repeat(25));
    scene.write(&format!("old/00/{long}"), "its content");
    let Some(_mounted) = in_between(&scene, NameRules { longest: 80, case: Case::Told }) else { return };
    stopped(&scene, "permanent", &long, "see to the files");
    assert!(target.join("01/file-29.dat").exists(), "the others are there");
    fs::rename(scene.path(&format!("old/00/{long}")), scene.path("old/00/short.dat")).unwrap();
    finishes(&scene, &target);
}

#[test]
fn names_that_differ_only_in_case_are_told_of_where_the_target_has_one_for_both() {
    let (scene, target) = scene_in_between();
    scene.write("old/00/README", "in capitals");
    scene.write("old/00/Readme", "in small letters");
    let Some(_mounted) = in_between(&scene, NameRules { longest: 255, case: Case::Folded }) else { return };
    stopped(&scene, "permanent", "00/R", "differs only in case");
    let there = fs::read_to_string(target.join("00/readme")).unwrap();
    assert!(there.starts_with("in "), "one of both is there, whole: {there}");
    // A second look makes nothing worse: neither is written over by the other.
    stopped(&scene, "permanent", "00/R", "differs only in case");
    assert_eq!(fs::read_to_string(target.join("00/readme")).unwrap(), there);
    let [kept, other] = if there == "in capitals" { ["README", "Readme"] } else { ["Readme", "README"] };
    assert!(target.join("00").join(kept).exists());
    fs::rename(scene.path("old/00").join(other), scene.path("old/00/another")).unwrap();
    finishes(&scene, &target);
}

#[test]
fn a_full_target_ends_a_robocopy_at_its_error_and_with_room_the_run_is_finished() {
    let Some(volume) = or_not_proven(Volume::tmpfs("size=24m")) else { return };
    let target = volume.path().join("new");
    let step = format!("{{from: 'ROOT/old', to: '{}', engine: robocopy}}", target.display());
    let scene = Scene::new().steps(&format!("- {{id: pass, copy: {step}}}")).folder("bin");
    // movebook stands in for it: it says of a full disk what robocopy says.
    let script = format!("#!/bin/sh\nexec {PROGRAM} robocopy \"$@\"\n");
    let written = Command::new("sh")
        .args(["-c", "printf %s \"$1\" > \"$0\" && chmod +x \"$0\""])
        .arg(scene.path("bin/robocopy"))
        .arg(script)
        .status()
        .unwrap();
    assert!(written.success());
    let path = format!("{}:{}", scene.path("bin").display(), std::env::var("PATH").unwrap());
    let scene = big(scene.environment("PATH", &path), 24);
    fs::write(volume.path().join("filler"), vec![7; 15 << 20]).unwrap();
    scene
        .run(&[])
        .code(1)
        .says("robocopy: error 112: ")
        .says(".dat")
        .says("make room on the target's volume");
    fs::remove_file(volume.path().join("filler")).unwrap();
    finishes(&scene, &target);
}

#[test]
fn a_directory_in_a_files_place_and_the_reverse_are_told_of_and_stay() {
    let scene = Scene::new()
        .steps("- {id: pass, copy: {from: 'ROOT/old', to: 'ROOT/new'}}")
        .tree("old", 30)
        .file("old/file", "a file")
        .file("old/folder/inside", "in a folder")
        .file("new/file/inside", "theirs")
        .file("new/folder", "theirs");
    stopped(&scene, "permanent", "file", "move that out of the way");
    stopped(&scene, "permanent", "folder/", "move that out of the way");
    assert_eq!((scene.text("new/file/inside"), scene.text("new/folder")), ("theirs".into(), "theirs".into()));
    fs::remove_dir_all(scene.path("new/file")).unwrap();
    fs::remove_file(scene.path("new/folder")).unwrap();
    finishes(&scene, &scene.path("new"));
}

#[test]
fn a_name_that_is_no_utf8_is_copied_as_it_is_and_told_of_in_escapes() {
    for volume in [Volume::ext4(32, &[], ""), Volume::tmpfs("")] {
        let Some(volume) = or_not_proven(volume) else { continue };
        let target = volume.path().join("new");
        let scene = scene(&target).tree("old", 3);
        let name = OsStr::from_bytes(b"caf\xe9.dat");
        fs::write(scene.path("old").join(name), "its content").unwrap();
        fs::create_dir_all(target.join(name).join("in the way")).unwrap();
        stopped(&scene, "permanent", "caf\\xE9.dat", "move that out of the way");
        fs::remove_dir_all(target.join(name)).unwrap();
        scene.run(&[]).code(0);
        assert_eq!(fs::read_to_string(target.join(name)).unwrap(), "its content");
    }
}

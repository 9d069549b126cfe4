//! `engine: robocopy` with Windows' own robocopy.
#![cfg(windows)]

mod common;

use std::fs;
use std::process::Command;

use common::scene::one_phase;
use common::{Scene, tree};

/// Whether robocopy is the real one: Wine's own copies nothing and says nothing.
fn has_robocopy() -> bool {
    let told = Command::new("robocopy").arg("/?").output().map(|output| output.stdout).unwrap_or_default();
    if told.is_empty() {
        println!("not proven here: Windows' own robocopy is not on this system");
    }
    !told.is_empty()
}

const MOVE: &str = "
- {id: first, copy: {from: 'ROOT/old', to: 'ROOT/new', engine: robocopy, errors: tolerate}}
- {id: gate, checkpoint: {ask: 'Go on?'}}
- {id: final, copy: {from: 'ROOT/old', to: 'ROOT/new', engine: robocopy, purge: {max_percent: 100}}}
- {id: proof, verify: {from: 'ROOT/old', to: 'ROOT/new'}}";

fn scene() -> Scene {
    Scene::new()
        .runbook(&one_phase(MOVE))
        .tree("old", 30)
        .file("old/Gr\u{f6}\u{df}e und mehr/\u{30c9}\u{30ad}\u{30e5}.dat", "letters of no code page")
        .file("old/gone/deep/x.dat", "x")
        .folder("old/empty")
}

#[test]
fn what_robocopy_copies_is_purged_into_the_quarantine_and_proved() {
    if !has_robocopy() {
        return;
    }
    let scene = scene();
    scene.run(&[]).code(3);
    tree::assert_equal(&scene.path("old"), &scene.path("new"));
    fs::remove_dir_all(scene.path("old/gone")).unwrap();
    scene.write("old/another.dat", "another");
    scene.approve("gate", &[]).code(0);
    scene.resume(&[]).code(0).never_says("warning");
    tree::assert_equal(&scene.path("old"), &scene.path("new"));
    let listed = scene.movebook(&["quarantine", "scene.state.jsonl"]).code(0);
    assert!(listed.stdout.contains("gone/deep/x.dat"), "{}", listed.stdout);
}

#[test]
fn a_file_that_somebody_holds_is_told_with_robocopys_error() {
    use std::os::windows::fs::OpenOptionsExt;

    if !has_robocopy() {
        return;
    }
    let scene = scene();
    let held = fs::File::options().read(true).share_mode(0).open(scene.path("old/gone/deep/x.dat")).unwrap();
    scene.run(&[]).code(3).says("1 failed");
    let failed = scene.movebook(&["account", "scene.state.jsonl", "first", "--list", "failed"]).code(0);
    assert!(
        failed.all().contains("gone/deep/x.dat") && failed.all().contains("robocopy: error 32"),
        "{}",
        failed.all()
    );
    drop(held);
    scene.approve("gate", &[]).code(0);
    scene.resume(&[]).code(0);
    tree::assert_equal(&scene.path("old"), &scene.path("new"));
}

#[test]
fn a_target_does_not_become_hidden_as_the_root_of_a_drive_is() {
    use std::os::windows::fs::MetadataExt;

    const HIDDEN_OR_SYSTEM: u32 = 0x2 | 0x4;
    if !has_robocopy() {
        return;
    }
    let scene = scene();
    let hidden = Command::new("attrib").args(["+h", "+s"]).arg(scene.path("old")).status().unwrap();
    assert!(hidden.success());
    assert_ne!(fs::metadata(scene.path("old")).unwrap().file_attributes() & HIDDEN_OR_SYSTEM, 0);
    scene.run(&[]).code(3);
    assert_eq!(fs::metadata(scene.path("new")).unwrap().file_attributes() & HIDDEN_OR_SYSTEM, 0);
}

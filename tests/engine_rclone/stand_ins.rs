//! An rclone that is missing, too old, or not honest. Stand-ins, each a script that is found in the place of the real one:
//! no such rclone can be had.

use std::process::Command;

use crate::common::{Scene, scene};
use crate::{or_not_proven, rclone};

/// A scene in which a script is found as `rclone`; `ROOT` in it stands for the scene's folder, and `REAL` for the real one.
pub fn with_rclone(scene: Scene, script: &str) -> Scene {
    let real = Command::new("sh").args(["-c", "command -v rclone"]).output().unwrap();
    let script = scene.placed(script).replace("REAL", String::from_utf8_lossy(&real.stdout).trim());
    let (folder, file) = (scene.path("bin"), scene.path("bin/rclone"));
    std::fs::create_dir_all(&folder).unwrap();
    // By a child: a file that this process had open for writing may not be executed while another test forks.
    let write = "printf '#!/bin/sh\\n%s\\n' \"$1\" > \"$0\" && chmod +x \"$0\"";
    let written = Command::new("sh").args(["-c", write]).arg(&file).arg(script).status().unwrap();
    assert!(written.success());
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    scene.environment("PATH", &path)
}

fn scene(pass: &str) -> Scene {
    Scene::new().tree("old", 5).runbook(&scene::one_phase(&format!("- {{id: a, copy: {{{pass}}}}}")))
}

const PASS: &str = "engine: rclone, from: ROOT/old, to: ROOT/new, retries: 0";

#[test]
fn an_rclone_that_is_too_old_is_refused_with_what_is_needed() {
    let scene = with_rclone(scene(PASS), "echo 'rclone v1.53.3-DEV'");
    scene
        .run(&[])
        .code(1)
        .says("this is rclone 1.53.3, and 1.60.0 or later is needed")
        .says("install rclone");
    assert!(!scene.path("new/00").exists());
}

#[test]
fn what_is_no_rclone_is_told_as_such() {
    let scene = with_rclone(scene(PASS), "echo 'RClone (TM) 7, the backup suite'");
    scene.run(&[]).code(1).says("does not tell its version");
}

#[test]
fn no_rclone_at_all_is_told_with_where_to_get_it() {
    let scene = scene(PASS).environment("PATH", "/nonexistent");
    scene.run(&[]).code(1).says("there is no program `rclone`").says("rclone.org");
}

#[test]
fn an_rclone_that_copies_nothing_and_says_success_fails_the_pass() {
    let lies = "case $1 in version) echo 'rclone v1.60.1';; *) exit 0;; esac";
    let scene = with_rclone(scene(PASS), lies);
    scene.run(&[]).code(1).says("5 files could not be copied").says("rclone ended with 0");
}

#[test]
fn an_rclone_that_is_killed_ends_the_pass_and_the_next_one_brings_all() {
    or_not_proven!(rclone());
    let dies = "case $1 in version) exec REAL \"$@\";; *) [ -e ROOT/died ] && exec REAL \"$@\"; touch ROOT/died; kill -9 $$;; esac";
    let scene = with_rclone(scene(PASS), dies);
    scene.run(&[]).code(1).says("rclone was killed by signal 9");
    scene.resume(&[]).code(0).says("5 new");
}

#[test]
fn a_listing_that_breaks_off_is_no_listing() {
    or_not_proven!(rclone());
    let breaks = "case $1 in lsjson) echo '['; echo '{\"Path\":\"a\",\"Name\":\"a\",\"Size\":1,\"ModTime\":\"2020-01-01T00:00:00Z\",\"IsDir\":false},';; *) exec REAL \"$@\";; esac";
    let pass = "engine: rclone, from: ':local:ROOT/old', to: ROOT/new, retries: 0, purge: {}";
    let scene = with_rclone(scene(pass), breaks);
    scene.run(&[]).code(1).says("rclone's listing has no end");
}

/// One that names a file as failed, and is ended before it comes to the others.
const ENDED_AMID: &str = "echo '{\"level\":\"error\",\"msg\":\"open: permission denied\",\"object\":\"00/file-0.dat\"}' >&2; exit 143";

#[test]
fn files_that_a_killed_rclone_did_not_come_to_are_not_copied_in_a_tolerant_pass_either() {
    let script = format!("case $1 in version) echo 'rclone v1.60.1';; *) {ENDED_AMID};; esac");
    let scene = with_rclone(scene(&format!("{PASS}, errors: tolerate")), &script);
    scene.run(&[]).code(3).says("0 new").says("5 failed");
}

#[test]
fn files_of_which_rclone_says_nothing_have_failed_in_a_remote_pass_and_are_not_gone() {
    or_not_proven!(rclone());
    let ended = ENDED_AMID.replace("open: permission denied", "cannot do that");
    for silence in [ended.as_str(), "exit 0"] {
        let script = format!("case $1 in copy) {silence};; *) exec REAL \"$@\";; esac");
        let pass =
            "engine: rclone, from: ':local:ROOT/old', to: ROOT/new, retries: 1, wait: 0s, errors: tolerate";
        let scene = with_rclone(scene(pass), &script);
        scene.run(&[]).code(3).says("0 new").says("5 failed");
    }
}

#[test]
fn a_purge_in_a_local_target_spares_a_file_that_rclone_may_spell_like_another() {
    or_not_proven!(rclone());
    let steps = "
- {id: first, copy: {engine: rclone, from: ':local:ROOT/old', to: ROOT/new}}
- {id: ask, checkpoint: {ask: Go on?}}
- {id: last, copy: {engine: rclone, from: ':local:ROOT/old', to: ROOT/new, purge: {max_percent: 90}}}
";
    let scene = Scene::new().tree("old", 5).file("old/a␊b", "another").runbook(&scene::one_phase(steps));
    scene.run(&[]).code(3);
    scene.write("new/a\nb", "extra");
    scene.write("new/a␊b", "another");
    scene.write("new/gone", "extra");
    scene.approve("ask", &[]).code(0);
    scene.resume(&[]).says("it is left alone");
    assert!(!scene.path("new/gone").exists());
    assert_eq!((scene.text("new/a\nb"), scene.text("new/a␊b")), ("extra".into(), "another".into()));
}

#[test]
fn a_purge_in_a_remote_that_cannot_be_listed_afterwards_claims_nothing() {
    or_not_proven!(rclone());
    // The sync is left out, and the folder is away when it is listed again.
    let script = "case $1 in sync) mv ROOT/new ROOT/away; exit 0;; *) exec REAL \"$@\";; esac";
    let steps = "
- {id: first, copy: {engine: rclone, from: ROOT/old, to: ':local:ROOT/new'}}
- {id: ask, checkpoint: {ask: Go on?}}
- {id: last, copy: {engine: rclone, from: ROOT/old, to: ':local:ROOT/new', purge: {max_percent: 90}}}
";
    let scene = Scene::new().tree("old", 5).runbook(&scene::one_phase(steps));
    let scene = with_rclone(scene, script);
    scene.run(&[]).code(3);
    scene.write("new/extra", "mine");
    scene.approve("ask", &[]).code(0);
    let ended = scene.resume(&[]).says("it cannot be seen whether it is gone");
    assert!(!ended.stdout.contains("1 purged"), "{}", ended.stdout);
}

#[test]
fn names_in_two_forms_of_unicode_are_proven_side_by_side() {
    or_not_proven!(rclone());
    let steps = "
- {id: a, copy: {engine: rclone, from: ROOT/old, to: ':local:ROOT/new'}}
- {id: proof, verify: {from: ROOT/old, to: ':local:ROOT/new'}}
";
    let scene = Scene::new().file("old/\u{e9}", "one").file("old/e\u{301}", "two");
    let scene = scene.folder("old/f\u{e9}").folder("old/fe\u{301}").runbook(&scene::one_phase(steps));
    scene.run(&[]).code(0).says("2 files equal");
    assert!(scene.path("new/f\u{e9}").is_dir() && scene.path("new/fe\u{301}").is_dir());
}

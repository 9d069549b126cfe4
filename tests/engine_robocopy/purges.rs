//! Purges behind a pass by robocopy: two lists, one judgement, and a quarantine. A script stands in for robocopy.

use std::fs;

use super::{STAND_IN, called, pass, with_robocopy};
use crate::common::{Scene, tree};

/// A copy, a gate, and a pass that purges; two files and a folder have gone from the source in between.
fn purging(limits: &str, body: &str) -> Scene {
    let scene = Scene::new()
        .steps(&format!(
            "
- {{id: early, copy: {{from: ROOT/old, to: ROOT/new, engine: robocopy}}}}
- {{id: gate, checkpoint: {{ask: On?}}}}
- {{id: final, copy: {{from: ROOT/old, to: ROOT/new, engine: robocopy, purge: {{{limits}}}}}}}
"
        ))
        .tree("old", 40)
        .file("old/gone/deep/x", "x");
    let scene = with_robocopy(scene, body);
    scene.run(&[]).code(3);
    fs::remove_file(scene.path("old/00/file-1.dat")).unwrap();
    fs::remove_dir_all(scene.path("old/gone")).unwrap();
    scene.approve("gate", &[]).code(0);
    scene
}

const WIDE: &str = "max_files: 100, max_percent: 100";

#[test]
fn what_a_purge_takes_away_goes_into_the_quarantine_and_comes_back() {
    let scene = purging(WIDE, STAND_IN);
    scene.run(&[]).code(0).says("2 purged");
    tree::assert_equal(&scene.path("old"), &scene.path("new"));
    let listed = scene.movebook(&["quarantine", "scene.state.jsonl"]).code(0);
    assert!(
        listed.stdout.contains("00/file-1.dat") && listed.stdout.contains("gone/deep/x"),
        "{}",
        listed.stdout
    );
    scene.movebook(&["restore", "scene.state.jsonl", "gone/"]).code(0);
    assert_eq!(scene.text("new/gone/deep/x"), "x");
    let calls = called(&scene);
    assert_eq!(calls.iter().filter(|call| call.contains(" /l /x ")).count(), 1, "{calls:?}");
    assert!(!calls.iter().any(|call| call.contains("/purge") || call.contains("/mir")), "{calls:?}");
}

#[test]
fn a_purge_above_its_limits_asks() {
    let scene = purging("max_files: 1, max_percent: 100", STAND_IN);
    scene.run(&[]).code(3).says("The purge would take away 2 files");
    assert!(scene.path("new/gone/deep/x").exists());
    scene.approve("final", &["--answer", "purge"]).code(0);
    scene.run(&[]).code(0);
    tree::assert_equal(&scene.path("old"), &scene.path("new"));
}

#[test]
fn two_who_disagree_about_a_deletion_delete_nothing() {
    // Its list does not name the file.
    let body =
        "if test \"$list\"; then PROGRAM robocopy $(echo \"$@\" | sed 's, /x , ,') /xf file-1.dat; exit 2; fi\n".to_owned() + STAND_IN;
    let scene = purging(WIDE, &body);
    let before = tree::contents(&scene.path("new"));
    let ended = scene.run(&[]).code(1);
    assert!(
        ended
            .all()
            .contains("robocopy does not call extra what the purge would take away: 1 of 4: 00/file-1.dat"),
        "{}",
        ended.all()
    );
    assert_eq!(tree::contents(&scene.path("new")), before);
    assert_eq!(called(&scene).len(), 2, "it was not called to copy: {:?}", called(&scene));
}

#[test]
fn what_robocopy_alone_calls_extra_stays_and_is_told() {
    let body = "if test \"$list\"; then printf '\\t  *EXTRA File \\t\\t 5\\t%s/odd\\n' \"$to\"; fi\n"
        .to_owned()
        + STAND_IN;
    let scene = purging(WIDE, &body);
    let ended = scene.run(&[]).code(0);
    assert!(ended.all().contains("robocopy calls extra what stays in the target: 1: odd"), "{}", ended.all());
}

#[test]
fn a_list_that_cannot_be_had_lets_nothing_be_done() {
    let body = "test \"$list\" && { echo 'ERROR : no'; exit 16; }\n".to_owned() + STAND_IN;
    let scene = purging(WIDE, &body);
    let before = tree::contents(&scene.path("new"));
    scene.run(&[]).code(1).says("when it was asked for its list");
    assert_eq!(tree::contents(&scene.path("new")), before);
}

#[test]
fn a_pass_with_errors_purges_nothing() {
    let scene = purging(WIDE, &format!("test -e 'ROOT/lie' && test -z \"$list\" && exit 0\n{STAND_IN}"));
    scene.write("old/new-one.dat", "new");
    scene.write("lie", "");
    scene.run(&[]).code(1).says("1 file could not be copied");
    assert!(scene.path("new/gone/deep/x").exists());
}

#[test]
fn a_pass_that_purges_nothing_asks_for_no_list() {
    let scene = pass("", STAND_IN);
    scene.run(&[]).code(0);
    assert_eq!(called(&scene).len(), 1);
}

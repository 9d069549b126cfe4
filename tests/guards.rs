//! What is refused before anything is touched, and what is asked first.

mod common;

use std::fs;

use common::{Scene, tree};

/// A scene with one pass, from `old` to a target.
fn copies_to(target: &str) -> Scene {
    Scene::new()
        .steps(&format!(
            "- {{id: first, command: {{LOG(first)}}}}\n- {{id: pass, copy: {{from: 'ROOT/old', to: '{target}'}}}}"
        ))
        .tree("old", 3)
}

#[track_caller]
fn is_refused(target: &str, reason: &str) {
    let scene = copies_to(target);
    let before = tree::fingerprint(&scene.path("old"));
    scene.run(&[]).code(7).says(reason).says("help: ");
    assert_eq!(scene.text("log"), "", "nothing was begun");
    assert_eq!(tree::fingerprint(&scene.path("old")), before);
}

#[test]
fn a_target_inside_the_source_is_refused() {
    is_refused("ROOT/old/new", "inside");
}

#[test]
fn a_source_inside_the_target_is_refused() {
    is_refused("ROOT", "inside");
}

#[test]
fn a_target_that_is_the_source_is_refused() {
    is_refused("ROOT/old", "same");
}

#[test]
fn a_target_that_is_the_source_under_another_name_is_refused_by_identity() {
    #[cfg(windows)]
    if !common::windows::can_show("a target that is a link to the source is refused") {
        return;
    }
    let scene = copies_to("ROOT/link");
    tree::link(&scene.path("old"), &scene.path("link"));
    scene.run(&[]).code(7).says("same");
}

#[test]
fn the_root_of_the_file_system_is_refused() {
    match cfg!(windows) {
        true => is_refused(r"C:\", "root"),
        false => is_refused("/", "the root of the file system"),
    }
}

#[test]
fn the_home_directory_is_refused() {
    let scene = copies_to("ROOT/home").folder("home");
    let home = scene.path("home").to_str().unwrap().to_owned();
    let variable = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
    scene.environment(variable, &home).run(&[]).code(7).says("the home directory");
}

#[test]
fn a_system_directory_is_refused() {
    let within = if cfg!(windows) { r"C:\Windows\movebook-test" } else { "/etc/movebook-test" };
    is_refused(within, "the system directory");
}

#[test]
fn a_path_that_is_not_absolute_is_refused() {
    is_refused("new", "absolute");
}

#[test]
fn a_path_with_a_blank_at_its_end_is_refused() {
    is_refused("ROOT/ new", "blank");
    is_refused("ROOT/new ", "blank");
}

/// A target that the run made, with more in it than the source still has when the last pass comes.
fn purges(limits: &str, gone: usize) -> Scene {
    let scene = Scene::new()
        .steps(&format!(
            "
- {{id: early, copy: {{from: 'ROOT/old', to: 'ROOT/new'}}}}
- {{id: gate, checkpoint: {{ask: On?}}}}
- {{id: final, copy: {{from: 'ROOT/old', to: 'ROOT/new', directories: all, purge: {limits}}}}}
- {{id: behind, command: {{LOG(behind)}}}}
"
        ))
        .tree("old", 40);
    scene.run(&[]).code(3);
    for number in 0..gone {
        fs::remove_file(scene.path(&format!("old/{:02}/file-{number}.dat", number / 20))).unwrap();
    }
    scene.approve("gate", &[]).code(0);
    scene
}

fn files(scene: &Scene, name: &str) -> usize {
    let entries = walkdir::WalkDir::new(scene.path(name)).into_iter().flatten();
    entries.filter(|entry| entry.file_type().is_file()).count()
}

#[test]
fn a_purge_within_its_limits_is_not_asked_about_and_goes_into_the_quarantine() {
    let scene = purges("{max_files: 5, max_percent: 10}", 3);
    scene.run(&[]).code(0);
    tree::assert_equal(&scene.path("old"), &scene.path("new"));
    assert_eq!(files(&scene, "new.movebook-quarantine"), 3);
    assert_eq!(scene.journal().only("step_done", "final")["figures"]["purged_files"], 3);
}

#[test]
fn a_purge_above_its_limits_asks_and_takes_away_nothing_meanwhile() {
    for limits in ["{max_files: 2}", "{max_files: 100, max_percent: 5}"] {
        let scene = purges(limits, 3);
        scene.run(&[]).code(3).says("00/file-1.dat").says("--answer purge");
        assert_eq!(files(&scene, "new"), 40);
        scene.run(&["--yes"]).code(3);
        assert_eq!(files(&scene, "new"), 40);
        assert_eq!(scene.text("log"), "");
    }
}

#[test]
fn a_purge_above_its_limits_goes_ahead_where_a_person_says_so() {
    let scene = purges("{max_files: 2}", 3);
    scene.run(&[]).code(3);
    scene.approve("final", &["--answer", "purge"]).code(0);
    scene.run(&[]).code(0);
    tree::assert_equal(&scene.path("old"), &scene.path("new"));
    assert_eq!(files(&scene, "new.movebook-quarantine"), 3);
    assert_eq!(scene.text("log"), "behind\n");
}

#[test]
fn a_purge_above_its_limits_is_left_out_where_a_person_says_so() {
    let scene = purges("{max_files: 2}", 3);
    scene.run(&[]).code(3);
    scene.approve("final", &["--answer", "keep"]).code(0);
    scene.run(&[]).code(0);
    assert_eq!(files(&scene, "new"), 40);
    assert_eq!(scene.text("log"), "behind\n");
}

#[test]
fn an_agreed_purge_asks_again_where_the_list_is_another() {
    let scene = purges("{max_files: 2}", 3);
    scene.run(&[]).code(3);
    scene.approve("final", &["--answer", "purge"]).code(0);
    fs::remove_file(scene.path("old/01/file-39.dat")).unwrap();
    scene.run(&[]).code(3).says("01/file-39.dat");
    assert_eq!(files(&scene, "new"), 40);
}

#[test]
fn a_purge_without_a_quarantine_deletes() {
    let scene = purges("{max_files: 5, max_percent: 10, keep: none}", 3);
    scene.run(&[]).code(0);
    tree::assert_equal(&scene.path("old"), &scene.path("new"));
    assert!(!scene.path("new.movebook-quarantine").exists());
}

#[test]
fn an_empty_source_never_purges() {
    let scene = purges("{max_files: 1000, max_percent: 100}", 40);
    scene.run(&[]).code(7).says("holds no file");
    assert_eq!(files(&scene, "new"), 40);
}

#[test]
fn a_source_without_what_is_expected_in_it_never_purges() {
    let scene = Scene::new()
        .steps(
            "
- {id: early, copy: {from: 'ROOT/old', to: 'ROOT/new'}}
- {id: gate, checkpoint: {ask: On?}}
- {id: final, copy: {from: 'ROOT/old', to: 'ROOT/new', purge: {max_files: 10, max_percent: 100}, expect: ['*.fdb']}}
",
        )
        .tree("old", 3)
        .file("old/main.fdb", "a database");
    scene.run(&[]).code(3);
    scene.approve("gate", &[]).code(0);
    fs::remove_file(scene.path("old/main.fdb")).unwrap();
    scene.run(&[]).code(7).says("*.fdb");
    assert!(scene.path("new/main.fdb").exists());
}

#[test]
fn a_target_that_was_replaced_since_is_refused() {
    let scene = purges("{max_files: 5, max_percent: 10}", 3);
    fs::rename(scene.path("new"), scene.path("elsewhere")).unwrap();
    fs::create_dir(scene.path("new")).unwrap();
    scene.run(&[]).code(7).says("another folder");
    assert_eq!(files(&scene, "new"), 0);
}

const INTO_A_FULL_ONE: &str = "- {id: pass, copy: {from: 'ROOT/old', to: 'ROOT/new', purge: {max_files: 10, max_percent: 50}, adopt: ADOPT}}";

fn into_a_full_one(adopt: &str) -> Scene {
    Scene::new()
        .steps(&INTO_A_FULL_ONE.replace("ADOPT", adopt))
        .tree("old", 5)
        .file("new/theirs.dat", "theirs")
}

#[test]
fn a_purge_in_a_target_that_was_not_empty_is_refused() {
    let scene = into_a_full_one("false");
    scene.run(&[]).code(7).says("held files before this run began").says("adopt: true");
    assert_eq!(files(&scene, "new"), 1);
    assert!(!scene.names().iter().any(|name| name.ends_with(".jsonl")), "nothing was begun");
}

#[test]
fn a_full_target_is_taken_over_only_after_a_person_agreed() {
    let scene = into_a_full_one("true");
    scene.run(&["--yes"]).code(3).says("is not empty").says("--answer adopt");
    assert_eq!(files(&scene, "new"), 1);
    scene.approve("pass", &["--answer", "adopt"]).code(0);
    scene.run(&[]).code(0);
    tree::assert_equal(&scene.path("old"), &scene.path("new"));
    assert_eq!(files(&scene, "new.movebook-quarantine"), 1);
    assert_eq!(scene.journal().of("target_claimed").next().unwrap()["found"], "adopted");
}

#[test]
fn a_pass_that_never_purges_may_add_to_a_full_target() {
    let scene = Scene::new()
        .steps("- {id: pass, copy: {from: 'ROOT/old', to: 'ROOT/new'}}")
        .tree("old", 5)
        .file("new/theirs.dat", "theirs");
    scene.run(&[]).code(0);
    assert_eq!(scene.text("new/theirs.dat"), "theirs");
}

/// A pass that cannot bring one file, since a folder has its name in the target.
fn owes_a_file(more: &str) -> Scene {
    Scene::new()
        .steps(&format!(
            "- {{id: early, copy: {{from: 'ROOT/old', to: 'ROOT/new', errors: tolerate}}}}\n{more}\n- {{id: behind, command: {{LOG(behind)}}}}"
        ))
        .file("old/blocked.dat", "its content")
        .file("old/free.dat", "free")
        .file("new/blocked.dat/in-the-way", "")
}

#[test]
fn a_tolerated_error_makes_the_run_wait_at_its_end_for_a_waiver() {
    let scene = owes_a_file("");
    scene.run(&["--yes"]).code(3).says("blocked.dat").says("--answer waive --note \"...\"");
    assert_eq!(scene.text("log"), "behind\n", "the run went to its end");
    let status = scene.status(&["--format", "json"]).code(0).json();
    assert_eq!(status["debt"][0]["step"], "early");
    assert_eq!(status["debt"][0]["files"], 1);
    scene.status(&[]).code(0).says("debt of early");
    scene.approve("early", &["--answer", "waive"]).code(2).says("wants a note");
    scene.approve("early", &["--answer", "waive", "--note", "it was empty"]).code(0);
    scene.run(&[]).code(0);
    assert_eq!(scene.journal().only("debt_waived", "early")["note"], "it was empty");
}

#[test]
fn a_later_clean_pass_clears_the_debt() {
    let scene = owes_a_file(
        "- {id: mend, command: {REMOVE(new/blocked.dat)}}\n- {id: final, copy: {from: 'ROOT/old', to: 'ROOT/new'}}",
    );
    scene.run(&[]).code(0);
    assert_eq!(scene.text("new/blocked.dat"), "its content");
    let journal = scene.journal();
    assert_eq!(journal.only("step_done", "early")["debt"]["files"], 1);
    assert_eq!(journal.only("step_done", "final")["clears"][0], "early");
}

#[test]
fn an_error_that_is_not_tolerated_fails_the_step() {
    let scene = Scene::new()
        .steps("- {id: pass, copy: {from: 'ROOT/old', to: 'ROOT/new'}}")
        .file("old/blocked.dat", "its content")
        .file("new/blocked.dat/in-the-way", "");
    scene.run(&[]).code(1).says("1 file could not be copied").says("blocked.dat");
    fs::remove_dir_all(scene.path("new/blocked.dat")).unwrap();
    scene.run(&[]).code(0);
}

#[test]
fn a_source_of_which_only_excluded_folders_are_left_is_empty() {
    let scene = Scene::new()
        .runbook(
            "
filters:
  all: {exclude_directories: [system]}
phases:
  - id: only
    steps:
      - {id: first, copy: {from: 'ROOT/old', to: 'ROOT/new', filter: all}}
      - {id: unplugged, command: {REMOVE(old/mail)}}
      - {id: last, copy: {from: 'ROOT/old', to: 'ROOT/new', filter: all, purge: {max_percent: 100}}}
",
        )
        .file("old/mail/a.dat", "mail")
        .file("old/system/volume", "information");
    scene.run(&[]).code(7).says("holds no file");
    assert_eq!(scene.text("new/mail/a.dat"), "mail");
}

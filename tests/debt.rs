//! Who clears the debt of an early pass, and who does not.
// Links are Unix'.
#![cfg(unix)]

mod common;

use common::Scene;
use common::scene::one_phase;

/// A pass that owes one file below a folder, the cause mended behind it, and a last pass.
fn owes_a_file_below_a_folder(last: &str) -> Scene {
    Scene::new()
        .steps(&format!(
            "
- {{id: early, copy: {{from: 'ROOT/old', to: 'ROOT/new', errors: tolerate}}}}
- {{id: mend, command: {{run: [rm, -r, 'ROOT/new/sub/blocked.dat']}}}}
- {{id: last, copy: {{from: 'ROOT/old', to: 'ROOT/new', {last}}}}}
"
        ))
        .file("old/sub/blocked.dat", "its content")
        .file("old/free.dat", "free")
        .file("new/sub/blocked.dat/in-the-way", "")
}

#[test]
fn a_pass_that_enters_no_folder_clears_no_debt_below_one() {
    let scene = owes_a_file_below_a_folder("directories: none");
    scene
        .run(&[])
        .code(3)
        .says("sub/blocked.dat")
        .says("movebook approve early --state scene.state.jsonl --answer waive");
    assert_eq!(scene.journal().only("step_done", "early")["debt"]["files"], 1);
}

#[test]
fn a_clean_pass_over_all_clears_debt_below_a_folder() {
    let scene = owes_a_file_below_a_folder("directories: all");
    scene.run(&[]).code(0);
    assert_eq!(scene.journal().only("step_done", "early")["debt"]["files"], 1);
    assert_eq!(scene.text("new/sub/blocked.dat"), "its content");
}

/// A pass that owes a link, and a last pass that treats links so.
fn owes_a_link(links: &str) -> Scene {
    let scene = Scene::new()
        .steps(&format!(
            "
- {{id: early, copy: {{from: 'ROOT/old', to: 'ROOT/new', errors: tolerate, links: fail}}}}
- {{id: last, copy: {{from: 'ROOT/old', to: 'ROOT/new', directories: all, links: {links}}}}}
"
        ))
        .file("old/free.dat", "free");
    std::os::unix::fs::symlink("free.dat", scene.path("old/link")).unwrap();
    scene
}

#[test]
fn a_pass_that_skips_links_clears_no_debt_of_a_link() {
    let scene = owes_a_link("skip");
    scene
        .run(&[])
        .code(3)
        .says("link")
        .says("movebook approve early --state scene.state.jsonl --answer waive");
}

#[test]
fn a_pass_that_copies_links_clears_the_debt_of_a_link() {
    owes_a_link("copy").run(&[]).code(0);
}

/// A run that waits at its end for a step that its runbook no longer has.
fn owed_by_a_step_that_is_gone() -> Scene {
    let behind = "- {id: behind, command: {shell: echo behind >> 'ROOT/log'}}";
    let scene = Scene::new()
        .steps(&format!(
            "- {{id: early, copy: {{from: 'ROOT/old', to: 'ROOT/new', errors: tolerate}}}}\n{behind}"
        ))
        .file("old/blocked.dat", "its content")
        .file("new/blocked.dat/in-the-way", "");
    scene.run(&[]).code(3);
    scene.now_reads(&one_phase(behind));
    scene.resume(&["--accept-changes"]).code(3).says("blocked.dat").says("movebook approve early");
    scene
}

#[test]
fn debt_of_a_step_that_is_gone_is_asked_about_and_waived_by_its_id() {
    let scene = owed_by_a_step_that_is_gone();
    scene.approve("early", &["--answer", "waive", "--note", "because"]).code(0);
    scene.resume(&[]).code(0);
    assert_eq!(scene.journal().only("debt_waived", "early")["note"], "because");
}

#[test]
fn a_note_of_dots_alone_waives_nothing() {
    let scene = owed_by_a_step_that_is_gone();
    scene.approve("early", &["--answer", "waive", "--note", "..."]).code(2).says("wants a note");
    scene.resume(&[]).code(3);
}

#[test]
fn a_folder_that_could_not_be_entered_is_cleared_only_by_a_pass_over_all_files() {
    let owes_a_folder = |last: &str| {
        Scene::new()
            .runbook(&format!(
                "
filters:
  no-databases: {{exclude: ['*.fdb']}}
phases:
  - id: only
    steps:
      - {{id: early, copy: {{from: 'ROOT/old', to: 'ROOT/new', errors: tolerate}}}}
      - {{id: mend, command: {{run: [rm, 'ROOT/new/store']}}}}
      - {{id: last, copy: {{from: 'ROOT/old', to: 'ROOT/new'{last}}}}}
"
            ))
            .file("old/store/mail.fdb", "mail")
            .file("new/store", "a file in the way of a folder")
    };
    let scene = owes_a_folder(", filter: no-databases");
    scene.run(&[]).code(3).says("store/").says("--answer waive");
    let scene = owes_a_folder("");
    scene.run(&[]).code(0);
    assert_eq!(scene.text("new/store/mail.fdb"), "mail");
}

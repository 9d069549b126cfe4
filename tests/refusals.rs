//! A plan refuses what its run would refuse, a run before anything is overwritten, and neither what never takes place.
// Links and a shell are Unix'.
#![cfg(unix)]

mod common;

use std::time::Duration;

use common::{Scene, tree};

const PURGE: &str = "purge: {max_files: 10, max_percent: 50}";

/// Refused by the plan and by the run, for the same reason, and nothing is changed.
#[track_caller]
fn is_refused_by_both(pass: &str, reason: &str) {
    let scene = Scene::new()
        .steps(&format!("- {{id: pass, copy: {{{pass}}}}}"))
        .tree("old", 5)
        .file("full/theirs.dat", "theirs");
    let before = tree::fingerprint(&scene.path("full"));
    scene.plan(&[]).code(7).says(reason);
    scene.run(&[]).code(7).says(reason);
    assert_eq!(tree::fingerprint(&scene.path("full")), before);
}

#[test]
fn a_folder_into_itself_is_refused_by_plan_and_run() {
    is_refused_by_both("from: 'ROOT/old', to: 'ROOT/old'", "same");
}

#[test]
fn the_root_of_the_file_system_is_refused_by_plan_and_run() {
    is_refused_by_both("from: 'ROOT/old', to: '/'", "the root of the file system");
}

#[test]
fn a_purge_in_somebody_elses_folder_is_refused_by_plan_and_run() {
    let pass = format!("from: 'ROOT/old', to: 'ROOT/full', {PURGE}");
    is_refused_by_both(&pass, "held files before this run began");
}

/// A target of somebody else's with a file that a pass would overwrite, and a source that a command names.
fn purges_what_is_known_later(early: &str) -> Scene {
    Scene::new()
        .steps(&format!(
            "
- {{id: where, command: {{run: [echo, 'ROOT/old']}}}}
{early}
- {{id: final, copy: {{from: '{{{{ steps.where.output }}}}', to: 'ROOT/new', {PURGE}}}}}
"
        ))
        .file("old/shared.dat", "from the source")
        .file("new/shared.dat", "theirs")
}

#[test]
fn a_purge_of_a_source_known_later_is_refused_before_it_overwrites_anything() {
    let scene = purges_what_is_known_later("");
    scene.run(&[]).code(7).says("held files before this run began");
    assert_eq!(scene.text("new/shared.dat"), "theirs");
}

#[test]
fn a_purge_of_a_source_known_later_is_refused_before_an_earlier_pass_overwrites_anything() {
    let scene = purges_what_is_known_later("- {id: early, copy: {from: 'ROOT/old', to: 'ROOT/new'}}");
    scene.run(&[]).code(7).says("held files before this run began");
    assert_eq!(scene.text("new/shared.dat"), "theirs");
    assert!(!scene.names().iter().any(|name| name.ends_with(".jsonl")), "nothing was begun");
}

#[test]
fn a_pass_that_never_takes_place_is_not_refused() {
    let scene = Scene::new()
        .runbook(&format!(
            "vars: {{second: {{type: path, default: ''}}}}\n{}",
            common::scene::one_phase(
                "
- {id: pass, copy: {from: 'ROOT/old', to: 'ROOT/new'}}
- {id: more, when: second != '', copy: {from: '{{ second }}', to: 'ROOT/second'}}
"
            )
        ))
        .tree("old", 3);
    scene.plan(&[]).code(0);
    scene.run(&[]).code(0);
    tree::assert_equal(&scene.path("old"), &scene.path("new"));
    assert_eq!(scene.journal().count("step_skipped", "more"), 1);
}

#[test]
fn a_target_is_the_runs_own_under_a_link_to_it_too() {
    let scene = Scene::new()
        .steps(&format!(
            "
- {{id: early, copy: {{from: 'ROOT/old', to: 'ROOT/new'}}}}
- {{id: link, command: {{run: [ln, -s, 'ROOT/new', 'ROOT/link']}}}}
- {{id: less, command: {{run: [rm, 'ROOT/old/00/file-1.dat']}}}}
- {{id: final, copy: {{from: 'ROOT/old', to: 'ROOT/link', directories: all, {PURGE}}}}}
"
        ))
        .tree("old", 20);
    scene.run(&[]).code(0);
    tree::assert_equal(&scene.path("old"), &scene.path("new"));
    assert_eq!(scene.journal().only("step_done", "final")["figures"]["purged_files"], 1);
}

#[test]
fn ctrl_c_while_the_source_is_looked_through_is_no_refusal() {
    const FILES: usize = 3_000;
    // Each of these is looked for in vain, which takes many times as long as the pass.
    let expected: Vec<String> = (0..2_000).map(|number| format!("'*.absent-{number}'")).collect();
    let scene = Scene::new().steps(&format!(
        "- {{id: pass, copy: {{from: 'ROOT/old', to: 'ROOT/new', {PURGE}, expect: [{}]}}}}",
        expected.join(", ")
    ));
    tree::many_names(&scene.path("old"), FILES, 1);
    let running = scene.begin(&[]);
    while std::fs::read_dir(scene.path("new")).map_or(0, Iterator::count) < FILES {
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(300));
    running.interrupt();
    let last = running.ended_within(common::PATIENCE).code(130).events().pop().unwrap();
    assert_eq!(last["outcome"], "interrupted");
    assert_eq!(scene.journal().count("step_interrupted", "pass"), 1);
}

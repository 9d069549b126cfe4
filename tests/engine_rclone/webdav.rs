//! A WebDAV server as target and as source, and one that goes away.

use std::fs;

use crate::common::{PATIENCE, Scene, scene, tree};
use crate::or_not_proven;
use crate::served::Served;

#[test]
fn a_remote_is_a_target_and_then_a_source() {
    let scene = Scene::new().tree("old", 60).file("old/Ä ö/#1 ;x", "odd").folder("old/empty");
    let served = or_not_proven!(Served::start(&scene.path("served")));
    let scene = scene.runbook(&format!(
        "{}{}",
        served.defaults(""),
        scene::one_phase(
            "
- {id: there, copy: {from: ROOT/old, to: 'dav:archive'}}
- {id: again, copy: {from: ROOT/old, to: 'dav:archive'}}
- {id: proof, verify: {from: ROOT/old, to: 'dav:archive'}}
- {id: back, copy: {from: 'dav:archive', to: ROOT/back}}
- {id: back-again, copy: {from: 'dav:archive', to: ROOT/back}}
- {id: back-proof, verify: {from: 'dav:archive', to: ROOT/back, method: mtime}}
"
        )
    ));
    let ended = scene.run(&[]).code(0).says("61 new").says("61 same").says("61 files equal");
    ended.says("keeps no times of files");
    let names = |name: &str| tree::contents(&scene.path(name)).into_keys().collect::<Vec<_>>();
    assert_eq!(names("old"), names("served/archive"), "with the empty folder");
    assert_eq!(names("old"), names("back"));
    assert_eq!(scene.text("back/Ä ö/#1 ;x"), "odd");
}

#[test]
fn a_server_that_goes_away_ends_the_pass_clearly_and_the_run_goes_on_when_it_is_back() {
    let scene = Scene::new();
    for number in 0..30 {
        scene.write(&format!("served/archive/{number}.dat"), vec![number; 100_000]);
    }
    let served = or_not_proven!(Served::start(&scene.path("served")));
    let port = served.port;
    let book = |more: &str| {
        let steps = "- {id: a, copy: {from: 'dav:archive', to: ROOT/new}}";
        format!("{}{}", served_defaults(port, more), scene::one_phase(steps))
    };
    let scene = scene.runbook(&book(
        "    bandwidth: 300KiB\n    threads: 1\n    retries: 0\n    extra_args: [--low-level-retries=1]\n",
    ));
    let mut run = scene.begin(&[]);
    while !scene.path("new").is_dir() || fs::read_dir(scene.path("new")).unwrap().next().is_none() {
        run.until("step_progress", "a");
    }
    drop(served);
    let ended = run.ended_within(PATIENCE).code(1);
    let failed = ended.events().into_iter().find(|event| event["event"] == "step_failed").unwrap();
    let error = failed["error"].as_str().unwrap();
    assert!(error.contains("rclone cannot") || error.contains("could not be copied"), "{failed}");

    scene.now_reads(&book(""));
    let again = Served::start_at(&scene.path("served"), port).unwrap();
    scene.resume(&["--accept-changes"]).code(0);
    drop(again);
    let hashes = |name: &str| -> Vec<(String, Vec<u8>)> {
        tree::contents(&scene.path(name))
            .into_keys()
            .map(|file| (file.clone(), fs::read(scene.path(name).join(file)).unwrap()))
            .collect()
    };
    assert!(hashes("served/archive") == hashes("new"), "the trees differ");
}

fn served_defaults(port: u16, more: &str) -> String {
    format!(
        "defaults:
  copy:
    engine: rclone
    wait: 0s
{more}    environment: {{RCLONE_CONFIG_DAV_TYPE: webdav, RCLONE_CONFIG_DAV_URL: 'http://127.0.0.1:{port}', RCLONE_CONFIG_DAV_VENDOR: other}}
"
    )
}

#[test]
fn a_source_that_is_not_there_is_no_empty_one() {
    let scene = Scene::new().file("new/kept", "mine");
    let served = or_not_proven!(Served::start(&scene.path("served")));
    let scene = scene.runbook(&format!(
        "{}{}",
        served.defaults(""),
        scene::one_phase("- {id: a, copy: {from: 'dav:nowhere', to: ROOT/new, errors: tolerate}}")
    ));
    scene.run(&[]).code(1).says("there is no such folder");
    assert_eq!(scene.text("new/kept"), "mine");
}

#[test]
fn a_purge_in_a_remote_takes_exactly_what_was_judged_and_keeps_it_beside_the_target() {
    let scene = Scene::new().tree("old", 40);
    let served = or_not_proven!(Served::start(&scene.path("served")));
    let book = |purge: &str| {
        let steps = format!(
            "
- {{id: first, copy: {{from: ROOT/old, to: 'dav:archive'}}}}
- {{id: ask, checkpoint: {{ask: Go on?}}}}
- {{id: last, copy: {{from: ROOT/old, to: 'dav:archive', filter: no-index, purge: {purge}, expect: ['*.dat']}}}}
- {{id: proof, verify: {{from: ROOT/old, to: 'dav:archive', filter: no-index, method: size}}}}
"
        );
        let filters = "filters: {no-index: {exclude: ['index*']}}\n";
        format!("{filters}{}{}", served.defaults(""), scene::one_phase(&steps))
    };
    let scene = scene.runbook(&book("{max_files: 3}"));
    scene.run(&[]).code(3);
    for name in ["gone/deep/x", "gone/y", "00/z", "half/x", "half/index 1"] {
        scene.write(&format!("served/archive/{name}"), name);
    }
    scene.approve("ask", &[]).code(0);
    scene.resume(&[]).code(3).says("The purge would take away 4 files");
    scene.approve("last", &["--answer", "purge"]).code(0);
    scene.resume(&[]).code(0).says("4 purged");
    let mut expected: Vec<String> = tree::contents(&scene.path("old")).into_keys().collect();
    expected.extend(["half".to_owned(), "half/index 1".to_owned()]);
    let names = |name: &str| tree::contents(&scene.path(name)).into_keys().collect::<Vec<_>>();
    assert_eq!(names("served/archive"), expected, "what the filter keeps out stays, and so does its folder");
    let kept = names("served/archive.movebook-quarantine");
    for name in ["gone/deep/x", "gone/y", "00/z", "half/x"] {
        assert!(kept.iter().any(|path| path.ends_with(&format!("/1/{name}"))), "{name} is not in {kept:?}");
    }
    let state = scene.state_file();
    let listed = scene.movebook(&["quarantine", state.to_str().unwrap()]).code(0);
    listed.says("rclone move dav:archive.movebook-quarantine/").says("rclone purge");
    scene.movebook(&["discard", state.to_str().unwrap(), "--all", "--yes"]).code(1).says("rclone purge");
}

#[test]
fn a_remote_that_was_not_empty_is_nobodys_to_purge() {
    let scene = Scene::new().tree("old", 5).file("served/archive/theirs", "somebody's");
    let served = or_not_proven!(Served::start(&scene.path("served")));
    let scene = scene.runbook(&format!(
        "{}{}",
        served.defaults(""),
        scene::one_phase("- {id: a, copy: {from: ROOT/old, to: 'dav:archive', purge: {}}}")
    ));
    scene.run(&[]).code(7);
    assert_eq!(tree::contents(&scene.path("served/archive")).len(), 1, "nothing was copied over it");
}

//! Two folders of this machine: rclone within movebook's frame.

use std::fs;

use crate::common::{Scene, scene, tree};
use crate::{or_not_proven, rclone};

const FILTERS: &str = "filters:
  content: {include: ['*.dat'], exclude: ['index*'], min_age: 1d}
";

fn book(steps: &str) -> String {
    format!("{FILTERS}defaults: {{copy: {{engine: rclone, wait: 0s}}}}\n{}", scene::one_phase(steps))
}

#[test]
fn the_target_equals_the_source_and_the_account_names_every_file() {
    or_not_proven!(rclone());
    let scene =
        Scene::new().tree("old", 120).file("old/Ä ö/index.dat", "x").file("old/top", "y").folder("old/empty");
    scene.write("new/00/file-1.dat", "changed");
    scene.write("new/gone/z", "extra");
    let scene = scene.runbook(&book("- {id: a, copy: {from: ROOT/old, to: ROOT/new}}"));
    scene.run(&[]).code(0).says("121 new").says("1 changed");
    fs::remove_dir_all(scene.path("new/gone")).unwrap();
    tree::assert_equal(&scene.path("old"), &scene.path("new"));
    let listed =
        scene.movebook(&["account", scene.state_file().to_str().unwrap(), "a", "--list", "new"]).code(0);
    assert!(listed.stdout.contains("Ä ö/index.dat"), "{}", listed.stdout);
}

#[test]
fn the_filter_is_movebooks() {
    or_not_proven!(rclone());
    let scene = Scene::new().file("old/A.DAT", "x").file("old/sub/INDEX.dat", "y").file("old/sub/b.txt", "z");
    let scene = scene.file("old/young.dat", "z");
    let two_days_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(2 * 24 * 60 * 60);
    for name in ["A.DAT", "sub/INDEX.dat", "sub/b.txt"] {
        let file = fs::File::options().write(true).open(scene.path("old").join(name)).unwrap();
        file.set_modified(two_days_ago).unwrap();
    }
    let scene = scene.runbook(&book(
        "- {id: a, copy: {from: ROOT/old, to: ROOT/new, filter: content, directories: non-empty}}",
    ));
    scene.run(&[]).code(0).says("1 new").says("3 filtered");
    assert_eq!(tree::contents(&scene.path("new")).into_keys().collect::<Vec<_>>(), ["A.DAT"]);
}

#[test]
fn a_purge_is_movebooks_and_comes_back() {
    or_not_proven!(rclone());
    let scene = Scene::new().tree("old", 40).runbook(&book(
        "
- {id: first, copy: {from: ROOT/old, to: ROOT/new}}
- {id: ask, checkpoint: {ask: Go on?}}
- {id: last, copy: {from: ROOT/old, to: ROOT/new, purge: {max_percent: 10}}}
",
    ));
    scene.run(&[]).code(3);
    scene.write("new/extra/x", "mine");
    scene.approve("ask", &[]).code(0);
    scene.resume(&[]).code(0).says("1 purged");
    tree::assert_equal(&scene.path("old"), &scene.path("new"));
    let state = scene.state_file();
    scene.movebook(&["restore", state.to_str().unwrap(), "--all"]).code(0);
    assert_eq!(scene.text("new/extra/x"), "mine");
}

#[test]
fn what_is_in_the_way_fails_the_step_and_is_owed_where_errors_are_tolerated() {
    or_not_proven!(rclone());
    let scene = Scene::new().tree("old", 20).file("old/x", "a file");
    scene.write("new/x/in the way", "a directory in its place");
    let pass = |errors: &str| {
        book(&format!("- {{id: a, copy: {{from: ROOT/old, to: ROOT/new, errors: {errors}}}}}"))
    };
    let scene = scene.runbook(&pass("fail"));
    scene.run(&[]).code(1).says("1 file could not be copied");
    assert_eq!(
        tree::contents(&scene.path("new/00")),
        tree::contents(&scene.path("old/00")),
        "the others are there"
    );
    fs::remove_file(scene.state_file()).unwrap();
    scene.now_reads(&pass("tolerate"));
    scene.run(&[]).code(3).says("could not copy");
}

#[test]
fn nothing_is_written_through_a_link_of_the_target() {
    or_not_proven!(rclone());
    for (name, to) in [("sub", "outside"), ("sub/a", "outside/a")] {
        let scene = Scene::new().file("old/sub/a", "new").file("outside/a", "theirs").folder("new/sub");
        let _ = fs::remove_dir(scene.path(&format!("new/{name}")));
        tree::link(&scene.path(to), &scene.path(&format!("new/{name}")));
        let scene = scene.runbook(&book("- {id: a, copy: {from: ROOT/old, to: ROOT/new}}"));
        scene.run(&[]).says("may write through links");
        assert_eq!(scene.text("outside/a"), "theirs");
    }
}

#[test]
fn ctrl_c_ends_rclone_and_the_run_goes_on() {
    or_not_proven!(rclone());
    let scene = Scene::new();
    for number in 0..20 {
        scene.write(&format!("old/{number}.dat"), vec![number; 200_000]);
    }
    let steps = "- {id: a, copy: {from: ROOT/old, to: ROOT/new, bandwidth: 500KiB, threads: 1}}";
    let scene = scene.runbook(&book(steps));
    let mut run = scene.begin(&[]);
    run.until("step_progress", "a");
    run.interrupt();
    run.ended_within(crate::common::PATIENCE).code(130);
    let at_work = at_work_in(scene.root().to_str().unwrap());
    assert!(at_work.is_empty(), "still at work: {at_work:?}");
    scene.now_reads(&book(&steps.replace(", bandwidth: 500KiB", "")));
    scene.resume(&["--accept-changes"]).code(0);
    tree::assert_equal(&scene.path("old"), &scene.path("new"));
}

/// The command lines of processes that speak of a folder.
fn at_work_in(folder: &str) -> Vec<String> {
    let processes = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    processes
        .filter_map(|process| fs::read(process.path().join("cmdline")).ok())
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .filter(|line| line.contains("rclone") && line.contains(folder))
        .collect()
}

//! One state file, two processes.

mod common;

#[cfg(unix)]
use std::time::Duration;

use common::Scene;

fn at_work() -> (Scene, common::Running) {
    let scene = Scene::new()
        .steps("- {id: first, command: {LOG(first)}}\n- {id: long, wait: {for: 5m}}\n- {id: gate, checkpoint: {ask: Ready?}}");
    let mut running = scene.begin(&[]);
    running.until("step_started", "long");
    (scene, running)
}

#[cfg(windows)]
fn user() -> String {
    std::env::var("USERNAME").unwrap()
}

#[cfg(unix)]
fn user() -> String {
    let output = std::process::Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn a_second_run_is_refused_and_told_who_holds_the_state_file() {
    let (scene, running) = at_work();
    let holder = format!("process {} of {} on ", running.pid(), user());
    scene.run(&[]).code(4).says(&holder);
    scene.resume(&[]).code(4).says(&holder);
    assert_eq!(scene.journal().of("session_started").count(), 1);
    #[cfg(unix)]
    {
        running.interrupt();
        running.ended_within(Duration::from_secs(5)).code(130);
    }
}

#[test]
fn nobody_approves_while_a_run_is_at_work() {
    let (scene, running) = at_work();
    scene.approve("gate", &[]).code(4).says(&format!("process {}", running.pid()));
}

#[test]
fn status_tells_of_a_run_at_work() {
    let (scene, running) = at_work();
    let status = scene.status(&["--format", "json"]).code(0).json();
    assert_eq!(status["standing"], "running");
    assert_eq!(status["holder"]["pid"], running.pid());
    assert_eq!(status["phases"][0]["steps"][1]["status"], "running");
    assert_eq!(status["next"], serde_json::json!([]));
    scene.status(&[]).code(0).says("under way at long").says(&format!(
        "process {} of {}",
        running.pid(),
        user()
    ));
}

#[test]
fn a_killed_runner_holds_nothing() {
    let (scene, running) = at_work();
    running.kill();
    scene.status(&[]).code(0).says("stopped at long").says("go on with: movebook resume");
    scene.now_reads("phases: []");
    scene.run(&[]).code(2);
}

#[test]
fn of_two_that_begin_at_once_one_wins() {
    let scene = Scene::new().steps("- {id: slow, wait: {for: 1s}}\n- {id: ran, command: {LOG(ran)}}");
    let runners = [scene.begin(&[]), scene.begin(&[])];
    let mut codes = runners.map(|running| running.ended_within(common::PATIENCE).code);
    codes.sort_unstable();
    assert_eq!(codes, [0, 4]);
    assert_eq!(scene.text("log"), "ran\n");
}

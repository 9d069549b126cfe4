//! The events for programs: whole, not too many, and with an end whatever happens.
// A shell and its limits are Unix'.
#![cfg(unix)]

mod common;

use std::process::Command;

use common::Scene;
use common::running::Ended;
use common::scene::PROGRAM;
use serde_json::Value;

#[test]
fn a_wait_tells_of_itself_about_once_a_second() {
    let scene = Scene::new().steps("- {id: pause, wait: {for: 3s}}");
    let events = scene.run(&["--format", "json"]).code(0).events();
    let told = events.iter().filter(|event| event["event"] == "step_progress").count();
    assert!((1..=4).contains(&told), "{told} lines in 3 seconds");
}

#[test]
fn numbers_that_look_like_a_secret_stay_numbers() {
    let scene = Scene::new()
        .runbook(&format!(
            "vars: {{key: {{type: secret}}}}\n{}",
            common::scene::one_phase(
                "
- {id: pass, copy: {from: 'ROOT/old', to: 'ROOT/new'}}
- {id: says, command: {shell: 'echo $((4700 + 11)) bytes'}}
"
            )
        ))
        .vars("key: '4711'")
        .file("old/data", [7; 4711]);
    let events = scene.run(&["--format", "json"]).code(0).events();
    let figures = |step: &str| {
        let done = |event: &&Value| event["event"] == "step_done" && event["step"] == step;
        events.iter().find(done).unwrap()["figures"].clone()
    };
    assert_eq!(figures("pass")["copied_bytes"], 4711);
    assert_eq!(figures("says")["output"], "*** bytes");
    assert_eq!(scene.journal().only("step_done", "pass")["figures"]["copied_bytes"], 4711);
}

#[track_caller]
fn end_of(ended: &Ended) -> Value {
    let events = ended.events();
    let ends = events.iter().filter(|event| event["event"] == "run_ended").count();
    assert_eq!(ends, 1, "{events:#?}");
    let last = events.last().unwrap();
    assert_eq!((&last["event"], &last["exit_code"]), (&"run_ended".into(), &ended.code.into()));
    last.clone()
}

#[test]
fn a_run_that_a_guard_refuses_on_its_way_has_an_end() {
    let scene = Scene::new()
        .steps(
            "
- {id: where, command: {run: [echo, /]}}
- {id: pass, copy: {from: 'ROOT/old', to: '{{ steps.where.output }}'}}
",
        )
        .tree("old", 3);
    let end = end_of(&scene.run(&["--format", "json"]).code(7));
    assert_eq!(end["outcome"], "refused");
}

#[test]
fn a_run_that_cannot_write_its_state_file_has_an_end() {
    let step = |number| format!("- {{id: step-{number}, on_interrupt: retry, command: {{run: ['true']}}}}\n");
    let steps: String = (0..40).map(step).collect();
    let scene = Scene::new().steps(&format!("- {{id: gate, checkpoint: {{ask: On?}}}}\n{steps}"));
    scene.run(&[]).code(3);
    scene.approve("gate", &[]).code(0);
    // A little more than what is written already, in blocks of 512 bytes; beyond it a write fails.
    let blocks = std::fs::metadata(scene.state_file()).unwrap().len().div_ceil(512) + 4;
    let limited = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" resume --format json");
    let mut shell = Command::new("sh");
    shell.args(["-c", &limited, PROGRAM]).current_dir(scene.root());
    let ended = Ended::of(shell, "").code(1).says("cannot write the state file");
    assert_eq!(end_of(&ended)["outcome"], "failed");
    assert!((1..41).contains(&scene.journal().done().len()), "the file was full on the way");
    scene.resume(&[]).code(0);
    assert_eq!(scene.journal().done().len(), 41);
}

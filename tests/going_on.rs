//! What a run rests on when it is gone on with: the text, the values and the time of its start, or what was accepted.
#![cfg(unix)]

mod common;

use common::Scene;
use common::scene::one_phase;

/// The word that a step writes behind the gate.
fn says(word: &str) -> String {
    one_phase(&format!(
        "
- {{id: gate, checkpoint: {{ask: On?}}}}
- {{id: says, command: {{shell: 'echo $WORD >> ROOT/log', environment: {{WORD: '{word}'}}}}}}
"
    ))
}

/// A run that waits no longer: its gate is answered.
fn answered(scene: Scene) -> Scene {
    scene.run(&[]).code(3);
    scene.approve("gate", &[]).code(0);
    scene
}

fn of_a_customer() -> Scene {
    let text = format!("vars: {{word: {{type: string}}}}\n{}", says("{{ word }}"));
    answered(Scene::new().runbook(&text).vars("word: old"))
}

#[test]
fn as_started_does_not_mind_a_variable_that_was_declared_later() {
    let scene = of_a_customer();
    let more = "vars: {word: {type: string}, more: {type: integer}}";
    scene.now_reads(&format!("{more}\n{}", says("{{ word }}")));
    scene.write("vars.yaml", "word: new\nmore: 3");
    scene.resume(&["--as-started"]).code(0);
    assert_eq!(scene.text("log"), "old\n");
}

#[test]
fn as_started_needs_no_customers_file() {
    let scene = of_a_customer();
    std::fs::remove_file(scene.path("vars.yaml")).unwrap();
    scene.resume(&["--as-started"]).code(0);
    assert_eq!(scene.text("log"), "old\n");
}

/// A run whose environment has another word by now.
fn of_the_environment() -> Scene {
    let scene =
        Scene::new().runbook(&format!("environment: [WORD_OF_A_TEST]\n{}", says("{{ env.WORD_OF_A_TEST }}")));
    answered(scene.environment("WORD_OF_A_TEST", "old")).environment("WORD_OF_A_TEST", "new")
}

#[test]
fn as_started_reads_the_environment_of_the_start() {
    let scene = of_the_environment();
    scene.resume(&["--as-started"]).code(0);
    assert_eq!(scene.text("log"), "old\n");
}

#[test]
fn another_environment_is_told_as_a_change() {
    let scene = of_the_environment();
    scene.resume(&[]).code(5).says("`env.WORD_OF_A_TEST` was \"old\" and is now \"new\"");
    assert_eq!(scene.text("log"), "");
}

#[test]
fn a_phase_with_another_condition_is_told_as_a_change() {
    let text = |when: &str| {
        format!(
            "
phases:
  - {{id: first, steps: [{{id: gate, checkpoint: {{ask: On?}}}}]}}
  - {{id: second, when: {when}, steps: [{{id: late, command: {{shell: echo late >> 'ROOT/log'}}}}]}}
"
        )
    };
    let scene = answered(Scene::new().runbook(&text("1 == 2")));
    scene.now_reads(&text("1 == 1"));
    scene.resume(&[]).code(5).says("step `late` is still to come and now reads otherwise");
    assert_eq!(scene.text("log"), "");
}

#[test]
fn the_start_of_the_run_is_the_same_in_all_its_processes() {
    let scene = Scene::new().steps(
        "
- {id: one, command: {run: [sh, -c, 'echo {{ run.started }} >> ROOT/log']}}
- {id: gate, checkpoint: {ask: On?}}
- {id: two, command: {run: [sh, -c, 'echo {{ run.started }} >> ROOT/log']}}
",
    );
    let scene = answered(scene);
    scene.resume(&[]).code(0);
    let log = scene.text("log");
    let starts: Vec<&str> = log.lines().collect();
    assert_eq!(starts.len(), 2);
    assert_eq!(starts[0], starts[1]);
}

#[test]
fn accepted_changes_are_told() {
    let scene = answered(Scene::new().runbook(&says("old")));
    scene.now_reads(&says("new"));
    scene
        .resume(&["--accept-changes"])
        .code(0)
        .says("warning")
        .says("accepted: step `says` is still to come and now reads otherwise");
}

/// A run that was begun with `--var` for a variable that the runbook has no longer.
fn whose_argument_is_gone() -> Scene {
    let scene = Scene::new().runbook(&format!("vars: {{more: {{type: integer}}}}\n{}", says("word")));
    scene.run(&["--var", "more=3"]).code(3);
    scene.approve("gate", &[]).code(0);
    scene.now_reads(&says("word"));
    scene
}

#[test]
fn a_variable_of_the_command_line_that_is_gone_is_told_as_a_change() {
    whose_argument_is_gone().resume(&[]).code(5).says("variable `more` is gone; it was 3");
}

#[test]
fn a_variable_of_the_command_line_that_is_gone_can_be_accepted() {
    whose_argument_is_gone().resume(&["--accept-changes"]).code(0);
}

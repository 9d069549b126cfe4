//! The events for programs: whole, not too many, and with an end whatever happens.

mod common;

use common::Scene;
use common::running::Ended;
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
- {id: says, command: {shell: 'SAYS'}}
"
            )
            // What the runbook says is not the number.
            .replace("SAYS", if cfg!(windows) { "echo 47^11 bytes" } else { "echo 47\"\"11 bytes" })
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

/// A source of many small files and a large one, which a limit keeps under way for seconds. Who lists a folder also copies
/// its small files: of what the limit holds up, the listing comes to its end only after a second.
fn limited(steps: &str) -> Scene {
    let scene = Scene::new().steps(steps).file("old/large.bin", vec![7; 40 * 1024 * 1024]);
    for number in 0..300 {
        scene.write(&format!("old/{number}.dat"), [7; 16 * 1024]);
    }
    scene
}

/// The progress of a step, from a run that was stopped while the step was at work.
fn progress_of(scene: &Scene, step: &str) -> Vec<Value> {
    let mut run = scene.begin(&[]);
    for _ in 0..25 {
        run.until("step_progress", step);
    }
    let events = run.events();
    run.kill();
    events.into_iter().filter(|event| event["event"] == "step_progress" && event["step"] == step).collect()
}

#[test]
fn progress_is_told_at_most_ten_times_a_second_with_all_that_a_person_asks_for() {
    let scene = limited("- {id: pass, copy: {from: ROOT/old, to: ROOT/new, bandwidth: 4MiB}}");
    let told = progress_of(&scene, "pass");
    let last = told.last().unwrap();
    let seconds = last["seconds"].as_f64().unwrap();
    assert!(told.len() as f64 <= seconds * 10.0 + 1.0, "{} in {seconds} seconds", told.len());
    for key in ["files_done", "files_known", "bytes_done", "bytes_known", "failed", "retrying", "rate"] {
        assert!(last[key].is_number(), "{key}: {last}");
    }
    let at_work = |event: &&Value| event["under_way"].as_u64().unwrap() > 0 && event["large"].is_array();
    let large = &told.iter().rfind(at_work).unwrap()["large"];
    assert_eq!(large.as_array().unwrap().len(), 1, "small files are not told: {large}");
    assert_eq!((&large[0]["path"], &large[0]["bytes"]), (&"large.bin".into(), &(40 * 1024 * 1024).into()));
    assert!(large[0]["bytes_done"].as_u64().unwrap() < 40 * 1024 * 1024);
}

#[test]
fn a_first_pass_is_estimated_by_the_check_that_summed_up_its_source() {
    let scene = limited(
        "
- {id: room, check: [{path: ROOT/new, free_space: {at_least: source, of: ROOT/old}}]}
- {id: pass, copy: {from: ROOT/old, to: ROOT/new, bandwidth: 4MiB}}
",
    );
    let told = progress_of(&scene, "pass");
    let measured = scene.journal().only("step_done", "room")["figures"]["measured"][0].clone();
    assert_eq!(measured["files"], 301);
    let estimated = told.iter().find(|event| event["left_by"] == "estimate").expect("an estimate");
    assert_eq!(estimated["listed"], false);
    assert_eq!(estimated["expected"], serde_json::json!({"files": 301, "bytes": measured["bytes"]}));
    assert!(estimated["left"].as_f64().unwrap() > 0.0);
}

#[test]
fn a_later_pass_is_estimated_by_an_earlier_one_over_the_same_source_with_the_same_filter() {
    let steps = |second: &str| {
        format!(
            "filters: {{small: {{max_size: 1MiB}}, dat: {{include: ['*.dat', '*.bin']}}}}
{}",
            common::scene::one_phase(&format!(
                "
- {{id: first, copy: {{from: ROOT/old, to: ROOT/new, filter: dat}}}}
- {{id: second, copy: {{from: ROOT/old, to: ROOT/other, bandwidth: 4MiB, {second}}}}}
"
            ))
        )
    };
    let scene = limited("- {id: unused, wait: {for: 1s}}").runbook(&steps("filter: dat"));
    let told = progress_of(&scene, "second");
    assert!(told.iter().any(|event| event["left_by"] == "estimate" && event["expected"]["files"] == 301));
    let scene = limited("- {id: unused, wait: {for: 1s}}").runbook(&steps("threads: 2"));
    let told = progress_of(&scene, "second");
    assert!(
        told.iter().any(|event| event["left_by"] == "estimate"),
        "an earlier pass counted what it left out"
    );
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
- {id: where, command: {shell: echo /}}
- {id: pass, copy: {from: 'ROOT/old', to: '{{ steps.where.output }}'}}
",
        )
        .tree("old", 3);
    let end = end_of(&scene.run(&["--format", "json"]).code(7));
    assert_eq!(end["outcome"], "refused");
}

/// A shell's limit is Unix'.
#[cfg(unix)]
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
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", &limited, common::scene::PROGRAM]).current_dir(scene.root());
    let ended = Ended::of(shell, "").code(1).says("cannot write the state file");
    assert_eq!(end_of(&ended)["outcome"], "failed");
    assert!((1..41).contains(&scene.journal().done().len()), "the file was full on the way");
    scene.resume(&[]).code(0);
    assert_eq!(scene.journal().done().len(), 41);
}

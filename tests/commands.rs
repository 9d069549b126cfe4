//! Each command on right and on wrong turns: exit code, what is said, and what is left behind.

mod common;

use std::fs;
#[cfg(unix)]
use std::process::Command;

use common::{Scene, tree};
use serde_json::Value;

const GATE: &str = "
- {id: before, command: {LOG(before)}}
- {id: gate, checkpoint: {ask: Ready?}}
- {id: behind, command: {LOG(behind)}}
";

#[test]
fn a_mistyped_subcommand_is_told_what_was_meant() {
    Scene::new().movebook(&["valdate"]).code(2).says("validate").says("similar");
}

#[test]
fn help_names_the_exit_codes() {
    Scene::new().movebook(&["--help"]).code(0).says("Exit codes: 0 done").says("130 interrupted");
}

#[test]
fn a_runbook_that_is_not_there_is_named() {
    let scene = Scene::new();
    for subcommand in ["validate", "plan", "run"] {
        scene.movebook(&[subcommand, "nowhere/move.yaml"]).code(2).says("nowhere/move.yaml");
    }
    assert_eq!(scene.names(), [""; 0], "nothing was made");
}

#[test]
fn a_variable_file_that_is_not_there_is_named() {
    let scene = Scene::new().steps(GATE);
    for subcommand in ["validate", "plan", "run"] {
        scene.movebook(&[subcommand, "scene.yaml", "--vars", "acme.yaml"]).code(2).says("acme.yaml");
    }
    assert_eq!(scene.names(), ["scene.yaml"], "nothing was begun");
}

#[test]
fn validate_says_what_a_good_runbook_holds() {
    Scene::new().steps(GATE).validate(&[]).code(0).says("scene.yaml: valid, 1 phase, 3 steps, 0 variables");
}

#[test]
fn validate_tells_the_good_from_the_bad() {
    let scene = Scene::new().steps(GATE).file("bad.yaml", "movebook: 1\nname: bad\nphasis: []\n");
    let ended = scene.movebook(&["validate", "scene.yaml", "bad.yaml"]).code(2);
    assert!(ended.stdout.contains("scene.yaml: valid"), "{}", ended.stdout);
    assert!(ended.stderr.contains("phasis"), "{}", ended.stderr);
}

#[test]
fn validate_checks_a_customers_file() {
    let scene = Scene::new()
        .runbook("vars: {threads: {type: integer, max: 8}}\nphases:\n  - id: only\n    steps: [{id: a, wait: {for: 1s}}]\n");
    scene.validate(&[]).code(0);
    scene.write("vars.yaml", "threads: 9\n");
    scene.validate(&[]).code(2).says("vars.yaml").says("threads");
    scene.write("vars.yaml", "threads: 4\n");
    scene.validate(&[]).code(0);
}

#[test]
fn commands_on_a_run_want_a_state_file() {
    let scene = Scene::new();
    for arguments in [&["status"][..], &["resume"], &["approve", "gate"]] {
        scene.movebook(arguments).code(2).says("there is no state file in this directory");
    }
    scene.movebook(&["status", "--state", "gone.jsonl"]).code(2).says("there is no state file gone.jsonl");
    assert_eq!(scene.names(), [""; 0], "nothing was made");
}

#[test]
fn of_several_state_files_one_must_be_named() {
    let scene = Scene::new().steps(GATE);
    for state in ["a.state.jsonl", "b.state.jsonl"] {
        scene.run(&["--state", state]).code(3).says(&format!("movebook approve gate --state {state}"));
    }
    for arguments in [&["status"][..], &["resume"], &["approve", "gate"]] {
        let ended = scene.movebook(arguments).code(2);
        ended.says("2 state files").says("a.state.jsonl, b.state.jsonl");
    }
    scene.approve("gate", &["--state", "b.state.jsonl"]).code(0);
    scene.resume(&["b.state.jsonl"]).code(0);
    scene.status(&["a.state.jsonl"]).code(0).says("waiting at gate");
    scene.status(&["--state", "b.state.jsonl"]).code(0).says("done");
}

#[test]
fn a_finished_run_that_is_run_again_does_nothing() {
    let scene = Scene::new().steps(GATE);
    scene.run(&["--yes"]).code(0);
    let before = fs::read(scene.state_file()).unwrap();
    scene.run(&[]).code(0).says("nothing is left to do");
    scene.resume(&["--yes"]).code(0).says("nothing is left to do");
    assert_eq!(fs::read(scene.state_file()).unwrap(), before);
    assert_eq!(scene.text("log"), "before\nbehind\n");
}

#[test]
fn a_run_without_a_terminal_stops_at_a_checkpoint_and_says_what_completes_it() {
    let scene = Scene::new().steps(GATE);
    scene.run(&[]).code(3).says("movebook approve gate --state scene.state.jsonl");
    scene.run(&[]).code(3);
    assert_eq!(scene.text("log"), "before\n");
    scene.approve("gate", &[]).code(0).says("movebook resume scene.state.jsonl");
    scene.resume(&[]).code(0);
    assert_eq!(scene.text("log"), "before\nbehind\n");
    assert_eq!(scene.journal().only("answered", "gate")["how"], "approve");
}

#[test]
fn a_run_that_nobody_looked_at_says_so() {
    let scene = Scene::new().steps(GATE);
    scene.run(&["--yes"]).code(0);
    assert_eq!(scene.journal().only("answered", "gate")["how"], "yes");
}

#[test]
fn yes_is_refused_where_more_than_a_confirmation_is_asked() {
    for answer in ["answer: text", "answer: secret", "answer: {choice: {one: the first}}", "evidence: note"] {
        let scene = Scene::new().steps(&format!(
            "- {{id: before, command: {{LOG(before)}}}}\n- {{id: gate, checkpoint: {{ask: Which?, {answer}}}}}"
        ));
        scene.run(&["--yes"]).code(2).says("ask for more: gate");
        assert_eq!(scene.text("log"), "", "{answer}: nothing was begun");
        scene.run(&[]).code(3);
    }
}

#[test]
fn yes_with_the_answers_given_ahead_comes_to_the_end() {
    let scene = Scene::new().steps(
        "
- {id: licence, checkpoint: {ask: Which?, answer: {choice: {one: the first, two: the second}}}}
- {id: ticket, checkpoint: {ask: Number?, answer: text}}
- {id: ready, checkpoint: {ask: Ready?}}
- {id: says, command: {LOG($WHICH $TICKET), environment: {WHICH: '{{ answers.licence }}', TICKET: '{{ answers.ticket }}'}}}
",
    );
    scene.run(&["--yes", "--answer", "licence=two"]).code(2).says("ticket");
    scene.run(&["--yes", "--answer", "licence=two", "--answer", "ticket=4711"]).code(0);
    assert_eq!(scene.text("log"), "two 4711\n");
    assert_eq!(scene.journal().only("answered", "licence")["how"], "ahead");
}

#[test]
fn yes_given_ahead_is_a_confirmation_and_also_a_word() {
    let scene = Scene::new().steps(
        "
- {id: ready, checkpoint: {ask: Ready?}}
- {id: which, checkpoint: {ask: Which?, answer: {choice: {'yes': agreed, 'no': refused}}}}
- {id: word, checkpoint: {ask: What?, answer: text}}
",
    );
    scene.run(&["--answer", "ready=yes", "--answer", "which=yes", "--answer", "word=yes"]).code(0);
    let journal = scene.journal();
    assert_eq!(journal.only("answered", "ready")["answer"], "confirmed");
    assert_eq!(journal.only("answered", "which")["answer"]["choice"], "yes");
    assert_eq!(journal.only("answered", "word")["answer"]["text"], "yes");
}

#[test]
fn an_answer_given_ahead_for_what_asks_nothing_is_refused() {
    let scene = Scene::new().steps(GATE);
    scene.run(&["--answer", "before=x"]).code(2).says("no checkpoint").says("gate");
    scene.run(&["--answer", "gaet=yes"]).code(2).says("gaet");
    assert_eq!(scene.text("log"), "");
}

#[test]
fn a_wrong_answer_given_ahead_is_refused_before_anything_begins() {
    let scene =
        Scene::new().steps("- {id: which, checkpoint: {ask: Which?, answer: {choice: {one: the first}}}}");
    scene.run(&["--answer", "which=two"]).code(2).says("`which` does not fit").says("it must be one of: one");
    assert!(!scene.path("scene.state.jsonl").exists());
    scene.run(&["--answer", "which=one"]).code(0);
}

#[test]
fn approve_takes_only_what_was_asked() {
    let scene = Scene::new().steps(GATE);
    scene.run(&[]).code(3);
    scene.approve("before", &[]).code(2).says("does not wait for an answer").says("waits at `gate`");
    scene.approve("gaet", &[]).code(2).says("waits at `gate`");
    scene.approve("gate", &["--answer", "perhaps"]).code(2);
    scene.approve("gate", &[]).code(0);
    scene.approve("gate", &[]).code(2).says("waits for nothing");
}

#[test]
fn evidence_that_is_asked_for_is_kept_with_its_hash() {
    let scene = Scene::new()
        .steps("- {id: proof, checkpoint: {ask: Done?, evidence: file}}\n- {id: why, checkpoint: {ask: Why?, answer: text, evidence: note}}")
        .file("screenshot.png", "not really a picture");
    scene.run(&[]).code(3).says("--evidence FILE");
    scene.approve("proof", &[]).code(2).says("wants a file as evidence");
    scene.approve("proof", &["--evidence", "gone.png"]).code(2).says("gone.png");
    scene.approve("proof", &["--evidence", "screenshot.png"]).code(0);
    scene.run(&[]).code(3).says("--note \"...\"");
    scene.approve("why", &["--answer", "so"]).code(2).says("wants a note");
    scene.approve("why", &["--answer", "so", "--note", "Anna said it"]).code(0);
    scene.run(&[]).code(0);
    let journal = scene.journal();
    let evidence = &journal.only("answered", "proof")["evidence"];
    assert!(evidence["name"].as_str().unwrap().ends_with("screenshot.png"), "{evidence}");
    assert_eq!(evidence["bytes"], 20);
    assert_eq!(evidence["blake3"], blake3::hash(b"not really a picture").to_hex().as_str());
    assert_eq!(journal.only("answered", "why")["note"], "Anna said it");
}

#[test]
fn an_expired_answer_is_asked_for_again() {
    let scene = Scene::new().runbook(
        "
phases:
  - {id: early, steps: [{id: gate, checkpoint: {ask: Ready?, expires: 5s}}]}
  - {id: between, steps: [{id: night, wait: {for: 6s}}]}
  - {id: late, steps: [{id: last, command: {LOG(last)}}]}
",
    );
    scene.run(&[]).code(3);
    scene.approve("gate", &[]).code(0);
    scene.run(&[]).code(3).says("it is asked again").says("movebook approve gate");
    assert_eq!(scene.text("log"), "");
    scene.approve("gate", &[]).code(0);
    scene.run(&[]).code(0);
    assert_eq!(scene.text("log"), "last\n");
    assert_eq!(scene.journal().count("answered", "gate"), 2);
}

#[test]
fn an_answer_that_is_fresh_is_not_asked_for_again() {
    let scene = Scene::new().runbook(
        "
phases:
  - {id: early, steps: [{id: gate, checkpoint: {ask: Ready?, expires: 1h}}]}
  - {id: late, steps: [{id: last, command: {LOG(last)}}]}
",
    );
    scene.run(&["--yes"]).code(0);
    assert_eq!(scene.journal().count("asked", "gate"), 1);
}

#[test]
fn a_failed_step_is_tried_again_as_often_as_said_and_gone_on_with_when_mended() {
    let line = match cfg!(windows) {
        true => r#"echo try>>"ROOT\log"& if not exist "ROOT\mended" exit 1"#,
        false => r#"echo try >> "ROOT/log"; test -e "ROOT/mended""#,
    };
    let scene = Scene::new()
        .steps(&format!("- {{id: tries, command: {{shell: '{line}'}}, retry: {{attempts: 3, wait: 10ms}}}}"));
    scene.run(&[]).code(1).says("tries").says("movebook resume");
    assert_eq!(scene.text("log"), "try\n".repeat(3));
    scene.status(&[]).code(0).says("failed at tries").says("go on with: movebook resume scene.state.jsonl");
    scene.write("mended", "");
    scene.resume(&[]).code(0);
}

#[test]
fn a_condition_that_is_false_skips_a_step() {
    let scene = Scene::new().runbook(
        "
vars: {big: {type: boolean, default: false}}
phases:
  - {id: one, steps: [{id: gate, checkpoint: {ask: Which?, answer: {choice: {a: the first, b: the second}}}}]}
  - id: two
    steps:
      - {id: early, when: big, command: {LOG(early)}}
      - {id: on-a, when: answers.gate == 'a', command: {LOG(a)}}
      - {id: on-b, when: answers.gate == 'b', command: {LOG(b)}}
",
    );
    scene.run(&["--answer", "gate=b"]).code(0);
    assert_eq!(scene.text("log"), "b\n");
    assert_eq!(scene.journal().of("step_skipped").count(), 2);
}

fn two_trees() -> Scene {
    Scene::new()
        .steps(
            "
- {id: pass, copy: {from: 'ROOT/old', to: 'ROOT/new', directories: all, purge: {max_files: 10, max_percent: 50}, adopt: true}}
- {id: gate, checkpoint: {ask: Ready?}}
",
        )
        .tree("old", 30)
        .file("new/only-here.dat", "extra")
        .file("new/00/file-1.dat", "changed")
}

#[test]
fn plan_writes_nothing_anywhere() {
    let scene = two_trees();
    let before = tree::fingerprint(scene.root());
    for arguments in [&[][..], &["--no-scan"], &["--format", "json"], &["--format", "json", "--no-scan"]] {
        scene.plan(arguments).code(0);
        assert_eq!(tree::fingerprint(scene.root()), before, "{arguments:?}");
    }
}

#[test]
fn status_writes_nothing_anywhere() {
    let scene = Scene::new().steps(GATE);
    scene.run(&[]).code(3);
    let before = tree::fingerprint(scene.root());
    scene.status(&[]).code(0).says("waiting at gate").says("movebook approve gate");
    scene.status(&["--format", "json"]).code(0);
    assert_eq!(tree::fingerprint(scene.root()), before);
}

#[test]
fn plan_counts_what_a_pass_would_do() {
    let scene = two_trees();
    let plan = scene.plan(&["--format", "json"]).code(0).json();
    let would = &plan["phases"][0]["steps"][0]["scan"]["would"];
    assert_eq!(would["summary"]["new"]["files"], 29, "{would}");
    assert_eq!(would["summary"]["changed"]["files"], 1, "{would}");
    assert_eq!(would["purge"][0]["path"], "only-here.dat", "{would}");
    scene.plan(&[]).code(0).says("only-here.dat").says("29");
}

#[test]
fn plan_without_a_scan_looks_at_no_tree() {
    let scene = Scene::new().steps("- {id: pass, copy: {from: 'ROOT/none', to: 'ROOT/new'}}");
    let plan = scene.plan(&["--no-scan", "--format", "json"]).code(0).json();
    assert_eq!(plan["phases"][0]["steps"][0].get("scan"), None);
    scene.plan(&[]).code(1).says("ROOT/none".replace("ROOT", scene.root().to_str().unwrap()).as_str());
}

#[test]
fn plan_marks_what_is_only_known_later() {
    let scene = Scene::new().steps(
        "- {id: asks, checkpoint: {ask: What?, answer: text}}\n- {id: says, command: {run: [echo, '{{ answers.asks }}']}}",
    );
    scene.plan(&[]).code(0).says("(known after asks)");
}

#[test]
fn events_are_json_lines_in_a_sane_order() {
    let scene = Scene::new()
        .steps(&format!("{GATE}\n- {{id: pass, copy: {{from: 'ROOT/old', to: 'ROOT/new'}}}}\n- {{id: proof, verify: {{from: 'ROOT/old', to: 'ROOT/new', method: blake3}}}}"))
        .tree("old", 50);
    let ended = scene.run(&["--format", "json", "--yes"]).code(0);
    assert_eq!(ended.stderr, "", "all is on stdout");
    let events = ended.events();
    let kind = |event: &Value| event["event"].as_str().unwrap().to_owned();
    assert_eq!(kind(&events[0]), "run_started");
    assert_eq!(kind(&events[1]), "phase_started");
    assert_eq!(kind(events.last().unwrap()), "run_ended");
    assert_eq!(events.last().unwrap()["exit_code"], 0);
    let mut at_work: Option<Value> = None;
    let mut done = Vec::new();
    for event in &events {
        match kind(event).as_str() {
            "step_started" => assert_eq!(at_work.replace(event["step"].clone()), None, "{event}"),
            "step_done" => {
                assert_eq!(at_work.take().as_ref(), Some(&event["step"]));
                done.push(event["step"].as_str().unwrap());
            }
            "step_progress" | "answered" => assert_eq!(at_work.as_ref(), Some(&event["step"])),
            "run_started" | "phase_started" | "run_ended" => assert_eq!(at_work, None),
            other => panic!("{other} was not expected"),
        }
    }
    assert_eq!(done, ["before", "gate", "behind", "pass", "proof"]);
    let pass = events.iter().find(|event| kind(event) == "step_done" && event["step"] == "pass").unwrap();
    assert_eq!(pass["figures"]["new_files"], 50);
}

#[test]
fn events_of_a_run_that_waits_say_what_completes_it() {
    let scene = Scene::new().steps(GATE);
    let events = scene.run(&["--format", "json"]).code(3).events();
    let ended = events.last().unwrap();
    assert_eq!((&ended["event"], &ended["outcome"]), (&"run_ended".into(), &"waiting".into()));
    assert_eq!(ended["next"], serde_json::json!(["movebook approve gate --state scene.state.jsonl"]));
    assert!(events.iter().any(|event| event["event"] == "waiting" && event["prompt"]["ask"] == "Ready?"));
}

/// A file system of a size of its own is Unix'.
#[cfg(unix)]
#[test]
fn a_state_file_without_space_ends_the_run_and_with_space_it_goes_on() {
    let scene = Scene::new().steps(GATE).folder("small");
    let small = scene.path("small");
    let mounted =
        Command::new("mount").args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"]).arg(&small).output().unwrap();
    if !mounted.status.success() {
        println!("not proven here: {}", String::from_utf8_lossy(&mounted.stderr));
        return;
    }
    let _mounted = Mounted(&small);
    // All but the last pages are taken, so that the run begins and cannot go far.
    fs::write(small.join("filler"), vec![1; 56 * 1024]).unwrap();
    let state = ["--state", "small/a.state.jsonl"];
    let mut ended = scene.run(&state);
    let mut runs = 0;
    while ended.code == 3 {
        // The records so far had their place: some more come.
        runs += 1;
        assert!(runs < 1000, "the disk does not fill up");
        ended = scene.run(&state);
    }
    ended.code(1).says("cannot write the state file").says("small/a.state.jsonl");
    let log = scene.text("log");
    fs::remove_file(small.join("filler")).unwrap();
    scene.run(&[&state[..], &["--yes"]].concat()).code(0);
    assert_eq!(scene.text("log"), format!("{log}behind\n"), "nothing was done twice");
}

#[cfg(unix)]
struct Mounted<'a>(&'a std::path::Path);

#[cfg(unix)]
impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        Command::new("umount").arg(self.0).status().unwrap();
    }
}

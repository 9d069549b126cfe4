//! A canary that is given as a secret is found nowhere but where it belongs.
#![cfg(target_os = "linux")]

mod common;

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

use common::Scene;
use common::screen::{ENTER, Screen};

const CANARY: &str = "Canary-7Qx%2f/\"é";

/// The canary as it is, and as it may look when it was quoted on the way.
fn forms() -> Vec<String> {
    let json = serde_json::to_string(CANARY).unwrap();
    vec![CANARY.to_owned(), json.trim_matches('"').to_owned(), "7Qx%2f".to_owned()]
}

#[track_caller]
fn assert_clean(what: &str, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for form in forms() {
        assert!(!text.contains(&form), "`{form}` is in {what}:\n{text}");
    }
}

/// All files of the scene but those that were written for it.
#[track_caller]
fn assert_no_file_holds_it(scene: &Scene) {
    let mut state_files = 0;
    for entry in walkdir::WalkDir::new(scene.root()) {
        let entry = entry.unwrap();
        let name = entry.file_name().to_str().unwrap();
        if entry.file_type().is_file() && !["vars.yaml", "answer", "received"].contains(&name) {
            state_files += usize::from(name.contains(".state.jsonl"));
            assert_clean(name, &fs::read(entry.path()).unwrap());
        }
    }
    assert!(state_files > 0, "there was something to look at");
}

#[track_caller]
fn assert_ended_clean(ended: &common::Ended) {
    assert_clean("stdout", ended.stdout.as_bytes());
    assert_clean("stderr", ended.stderr.as_bytes());
}

/// A runbook that takes a secret to where it belongs, and lets commands babble it.
const BABBLES: &str = "
vars:
  key: {type: secret, description: The key}
phases:
  - id: only
    title: A phase
    steps:
      - {id: receives, command: {shell: printf %s \"$KEY\" > 'ROOT/received', environment: {KEY: '{{ key }}'}}}
      - {id: reads, command: {run: [cat], input: '{{ key }}'}}
      - {id: babbles, command: {shell: 'echo \"out $KEY\"; echo \"err $KEY\" >&2', environment: {KEY: '{{ key }}'}}}
      - {id: late, command: {run: ['true'], environment: {SEEN: '{{ steps.babbles.output }}'}}}
      - {id: asks, checkpoint: {ask: 'Did it say {{ steps.babbles.output }}?', instructions: 'Compare {{ steps.reads.output }}.'}}
      - {id: slow, command: {shell: 'sleep 0.3; echo \"$KEY\"', environment: {KEY: '{{ key }}'}}}
      - {id: fails, command: {shell: 'echo \"$KEY\"; echo \"$KEY\" >&2; exit 5', environment: {KEY: '{{ key }}'}}}
";

fn in_a_file() -> Scene {
    Scene::new().runbook(BABBLES).vars(&format!("key: '{CANARY}'\n"))
}

/// Everything that tells of a run, in both formats.
#[track_caller]
fn assert_all_clean(scene: &Scene) {
    for format in ["human", "json"] {
        assert_ended_clean(&scene.plan(&["--format", format]).code(0));
        assert_ended_clean(&scene.plan(&["--format", format, "--no-scan"]).code(0));
        assert_ended_clean(&scene.status(&["--format", format]).code(0));
        for way in [&[][..], &["--yes"]] {
            assert_ended_clean(&scene.run(&[&["--format", format], way].concat()));
            assert_ended_clean(&scene.resume(&[&["--format", format], way].concat()));
        }
        assert_ended_clean(&scene.status(&["--format", format]).code(0));
    }
    for format in ["human", "json", "github"] {
        assert_ended_clean(&scene.validate(&["--format", format]).code(0));
    }
    assert_no_file_holds_it(scene);
}

#[test]
fn a_secret_variable_of_a_file_is_nowhere() {
    let scene = in_a_file();
    let ended = scene.run(&[]).code(3);
    assert_ended_clean(&ended);
    assert_eq!(scene.text("received"), CANARY, "it got where it belongs");
    assert_ended_clean(&scene.run(&["--yes"]).code(1).says("***"));
    assert_all_clean(&scene);
    let journal = scene.journal();
    assert_eq!(journal.only("step_done", "babbles")["figures"]["output"], "out ***");
    assert_eq!(journal.only("step_done", "reads")["figures"]["output"], "***");
}

#[test]
fn a_secret_variable_of_the_environment_is_nowhere() {
    let scene = Scene::new().runbook(BABBLES).environment("MOVEBOOK_VAR_KEY", CANARY);
    assert_ended_clean(&scene.run(&["--format", "json"]).code(3));
    assert_eq!(scene.text("received"), CANARY, "it got where it belongs");
    assert_all_clean(&scene);
}

#[test]
fn a_secret_is_on_no_command_line_while_the_run_is_at_work() {
    let scene = in_a_file();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let sampler = scope.spawn(|| {
            let mut lines = 0;
            while !over.load(Ordering::Relaxed) {
                for entry in fs::read_dir("/proc").unwrap().flatten() {
                    let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
                    let line: Vec<u8> =
                        line.iter().map(|&byte| if byte == 0 { b' ' } else { byte }).collect();
                    lines += usize::from(!line.is_empty());
                    assert_clean("a command line", &line);
                }
            }
            lines
        });
        let ended = scene.run(&["--yes"]);
        // Before anything can fail: the other thread would look for ever.
        over.store(true, Ordering::Relaxed);
        ended.code(1);
        assert!(sampler.join().unwrap() > 0, "command lines were looked at");
    });
}

#[test]
fn a_secret_in_an_argument_of_a_command_is_refused() {
    for command in ["run: [echo, '{{ key }}']", "shell: \"echo {{ key }}\"", "run: [echo, 'x{{ key }}y']"] {
        let scene = Scene::new()
            .runbook(&format!(
                "vars: {{key: {{type: secret}}}}\nphases:\n  - id: only\n    steps:\n      - {{id: tells, command: {{{command}}}}}\n"
            ))
            .vars("key: 'Canary-7Qx%2f'\n");
        let ended = scene.run(&[]);
        assert!([2, 7].contains(&ended.code), "{command}: {}", ended.all());
        assert_ended_clean(&ended);
        assert_clean(
            "the state files",
            scene
                .names()
                .iter()
                .filter(|name| *name != "vars.yaml")
                .map(|name| scene.text(name))
                .collect::<String>()
                .as_bytes(),
        );
    }
}

#[test]
fn a_secret_in_what_people_are_shown_is_refused() {
    let scene = Scene::new()
        .runbook("vars: {key: {type: secret}}\nphases:\n  - id: only\n    steps:\n      - {id: asks, checkpoint: {ask: 'Is {{ key }} right?'}}\n")
        .vars(&format!("key: '{CANARY}'\n"));
    for ended in [scene.validate(&[]), scene.plan(&[]), scene.run(&[])] {
        assert_ended_clean(&ended.code(2).says("asks").says("key"));
    }
}

#[test]
fn a_secret_given_by_var_is_refused_without_an_echo() {
    let scene = Scene::new().runbook(BABBLES);
    for subcommand in ["run", "plan", "validate"] {
        let ended = common::Ended::of(scene.on_runbook(subcommand, &["--var", &format!("key={CANARY}")]), "");
        assert_ended_clean(&ended.code(2).says("key"));
    }
    assert_eq!(scene.names(), ["scene.yaml"], "nothing was begun");
}

const ASKS: &str = "
- {id: key, checkpoint: {ask: The key?, answer: secret}}
- {id: again, checkpoint: {ask: Once more?, answer: secret, same_as: key}}
";

#[test]
fn a_secret_answer_by_standard_input_is_nowhere() {
    let scene = Scene::new().steps(ASKS);
    assert_ended_clean(&scene.run(&[]).code(3));
    assert_ended_clean(&scene.approve_with("key", CANARY).code(0));
    assert_ended_clean(&scene.run(&[]).code(3));
    assert_ended_clean(&scene.approve_with("again", "something else").code(2).says("differs"));
    assert_ended_clean(&scene.approve_with("again", CANARY).code(0));
    assert_ended_clean(&scene.run(&["--format", "json"]).code(0));
    assert_ended_clean(&scene.status(&[]).code(0));
    assert_ended_clean(&scene.status(&["--format", "json"]).code(0));
    assert_no_file_holds_it(&scene);
}

#[test]
fn a_secret_answer_of_a_file_is_nowhere() {
    let scene = Scene::new().steps(ASKS).file("answer", CANARY);
    let ahead = ["--yes", "--answer-file", "key=answer", "--answer-file", "again=answer"];
    assert_ended_clean(&scene.run(&ahead).code(0));
    assert_ended_clean(&scene.status(&["--format", "json"]).code(0));
    assert_no_file_holds_it(&scene);
    assert_eq!(scene.journal().only("answered", "key")["how"], "ahead");
}

#[test]
fn a_secret_answer_at_the_prompt_is_nowhere() {
    let scene = Scene::new().steps(ASKS);
    let mut screen = Screen::of(scene.on_runbook("run", &[]));
    screen.sees("The key?").types(CANARY).types(ENTER);
    screen.sees("Once more?").types(CANARY).types(ENTER);
    assert_eq!(screen.code(), 0, "{}", screen.contents());
    assert_clean("the terminal", &screen.written);
    assert_no_file_holds_it(&scene);
}

#[test]
fn a_secret_answer_as_an_argument_is_refused_without_an_echo() {
    let scene = Scene::new().steps(ASKS);
    assert_ended_clean(&scene.run(&["--answer", &format!("key={CANARY}")]).code(2).says("--answer-file"));
    assert_eq!(scene.names(), ["scene.yaml"], "nothing was begun");
    scene.run(&[]).code(3);
    assert_ended_clean(&scene.approve("key", &["--answer", CANARY]).code(2).says("--answer-file"));
    assert_eq!(scene.journal().count("answered", "key"), 0);
}

#[test]
fn a_note_that_holds_a_secret_of_the_same_command_is_masked() {
    let scene = Scene::new()
        .steps("- {id: key, checkpoint: {ask: The key?, answer: secret, evidence: note}}")
        .file("answer", CANARY);
    scene.run(&[]).code(3);
    let ended =
        scene.approve("key", &["--answer-file", "answer", "--note", &format!("it is {CANARY}")]).code(0);
    assert_ended_clean(&ended);
    assert_no_file_holds_it(&scene);
}

/// A runbook with one more variable, which the customer's file gets wrong.
#[track_caller]
fn diagnostics_of(vars: &str) -> common::Ended {
    let scene = Scene::new()
        .runbook(
            "vars:\n  key: {type: secret, pattern: '[A-Z]+.*'}\n  threads: {type: integer}\nphases:\n  - id: only\n    steps: [{id: a, command: {run: ['true']}}]\n",
        )
        .vars(vars);
    for subcommand in ["run", "plan", "validate"] {
        for color in ["always", "never"] {
            let ended = common::Ended::of(scene.on_runbook(subcommand, &["--color", color]), "");
            assert_ended_clean(&ended.code(2));
        }
    }
    for format in ["json", "github"] {
        assert_ended_clean(&scene.validate(&["--format", format]).code(2));
    }
    scene.validate(&[])
}

#[test]
fn a_diagnostic_beside_a_secret_does_not_show_it() {
    diagnostics_of(&format!("key: '{CANARY}'\nthreads: many\n")).says("threads");
}

#[test]
fn a_diagnostic_about_a_secret_does_not_show_it() {
    diagnostics_of("key: 'canary-7Qx%2f'\nthreads: 1\n").says("key");
    diagnostics_of("key: [7Qx%2f]\nthreads: 1\n").says("key");
}

#[test]
fn a_mistyped_name_of_a_secret_does_not_show_its_value() {
    diagnostics_of(&format!("kee: '{CANARY}'\nthreads: 1\n")).says("kee");
}

#[test]
fn a_file_that_is_no_yaml_does_not_show_the_secret_in_it() {
    diagnostics_of(&format!("key: '{CANARY}'\n\tthreads: 1\n"));
    diagnostics_of("key: \"Canary-7Qx%2f\nthreads: 1\n");
    diagnostics_of("key: 'Canary-7Qx%2f'\nkey: 'Canary-7Qx%2f'\nthreads: 1\n");
}

#[test]
fn a_secret_in_the_environment_that_does_not_fit_is_not_shown() {
    let scene = Scene::new()
        .runbook("vars: {key: {type: secret, pattern: '[A-Z]+'}}\nphases:\n  - id: only\n    steps: [{id: a, command: {run: ['true']}}]\n")
        .environment("MOVEBOOK_VAR_KEY", CANARY);
    for subcommand in ["run", "plan"] {
        assert_ended_clean(&common::Ended::of(scene.on_runbook(subcommand, &[]), "").code(2).says("key"));
    }
}

#[test]
fn drift_of_a_secret_does_not_show_it() {
    let scene = in_a_file();
    scene.run(&[]).code(3);
    scene.write("vars.yaml", "key: something-else\n");
    let ended = scene.run(&[]).code(5).says("secret `key` has another value").never_says("something-else");
    assert_ended_clean(&ended);
}

//! What a person sees and types, in a real pseudo-terminal.
#![cfg(unix)]

mod common;

use common::Scene;
use common::screen::{CTRL_C, DOWN, ENTER, ESCAPE, Screen};

fn asks(answer: &str) -> Scene {
    Scene::new().steps(&format!(
        "- {{id: before, command: {{run: ['true']}}}}\n- {{id: question, checkpoint: {{ask: What is it?, {answer}}}}}\n- {{id: behind, command: {{run: ['true']}}}}"
    ))
}

fn run(scene: &Scene) -> Screen {
    Screen::of(scene.on_runbook("run", &[]))
}

#[test]
fn a_pass_at_work_shows_how_far_it_and_its_large_files_are() {
    let scene = Scene::new()
        .steps(
            "
- {id: room, check: [{path: ROOT/new, free_space: {at_least: source, of: ROOT/old}}]}
- {id: pass, copy: {from: ROOT/old, to: ROOT/new, bandwidth: 8MiB}}
",
        )
        .tree("old", 200)
        .file("old/folder/large.bin", vec![7; 40 * 1024 * 1024]);
    let mut screen = run(&scene);
    screen.sees("of 40.0 MiB").sees("left");
    let rows = screen.rows();
    let line = |part: &str| rows.iter().find(|row| row.contains(part)).unwrap_or_else(|| panic!("{rows:#?}"));
    assert!(line("left").contains("% · "), "{rows:#?}");
    let counts = line(" files · ");
    assert!(counts.contains("of ~201 files") || counts.contains("of 201 files"), "{rows:#?}");
    let large = line("large.bin");
    assert!(large.trim_start().starts_with("folder/large.bin"), "{rows:#?}");
    // Columns stand below each other.
    let column = |line: &str, part: &str| line[..line.find(part).unwrap()].chars().count();
    assert_eq!(column(large, "folder"), column(line("left"), "["), "{rows:#?}");
    screen.types(CTRL_C);
    assert_eq!(screen.code(), 130, "{}", screen.contents());
    assert!(
        !screen.contents().contains("large.bin"),
        "what is over leaves the screen: {}",
        screen.contents()
    );
}

#[test]
fn a_confirmation_is_typed_at_the_prompt() {
    let scene = asks("answer: confirm");
    let mut screen = run(&scene);
    screen.sees("What is it?").types("y").types(ENTER);
    assert_eq!(screen.code(), 0, "{}", screen.contents());
    let journal = scene.journal();
    let answered = journal.only("answered", "question");
    assert_eq!((&answered["answer"], &answered["how"]), (&"confirmed".into(), &"terminal".into()));
}

#[test]
fn a_choice_is_picked_at_the_prompt() {
    let scene = asks("answer: {choice: {one: the first, two: the second}}");
    let mut screen = run(&scene);
    screen.sees("two: the second").types(DOWN).types(ENTER);
    assert_eq!(screen.code(), 0, "{}", screen.contents());
    assert_eq!(scene.journal().only("answered", "question")["answer"]["choice"], "two");
}

#[test]
fn a_text_is_typed_at_the_prompt_with_its_note() {
    let scene = asks("answer: text, evidence: note");
    let mut screen = run(&scene);
    screen.sees("What is it?").types("a big one").types(ENTER);
    screen.sees("Note that is kept").types("seen by Anna").types(ENTER);
    assert_eq!(screen.code(), 0, "{}", screen.contents());
    let journal = scene.journal();
    let answered = journal.only("answered", "question");
    assert_eq!(
        (&answered["answer"]["text"], &answered["note"]),
        (&"a big one".into(), &"seen by Anna".into())
    );
}

#[test]
fn an_empty_text_is_asked_for_again() {
    let scene = asks("answer: text");
    let mut screen = run(&scene);
    screen.sees("What is it?").types(ENTER);
    screen.sees("an empty answer says nothing").types("something").types(ENTER);
    assert_eq!(screen.code(), 0, "{}", screen.contents());
}

#[test]
fn a_secret_is_typed_unseen_and_only_its_hash_is_kept() {
    let scene = asks("answer: secret");
    let mut screen = run(&scene);
    screen.sees("What is it?").types("correct-horse").types(ENTER);
    assert_eq!(screen.code(), 0, "{}", screen.contents());
    assert!(!String::from_utf8_lossy(&screen.written).contains("horse"));
    let journal = scene.journal();
    let hash = journal.only("answered", "question")["answer"]["secret"].as_str().unwrap().to_owned();
    assert!(hash.starts_with("$argon2id$"), "{hash}");
}

#[test]
fn a_repeated_secret_with_a_typing_error_is_asked_for_again() {
    let scene = Scene::new().steps(
        "- {id: key, checkpoint: {ask: The key?, answer: secret}}\n- {id: again, checkpoint: {ask: Once more?, answer: secret, same_as: key}}",
    );
    let mut screen = run(&scene);
    screen.sees("The key?").types("correct-horse").types(ENTER);
    screen.sees("Once more?").types("correct-hores").types(ENTER);
    screen.sees("it differs from what was given at step key").types("correct-horse").types(ENTER);
    assert_eq!(screen.code(), 0, "{}", screen.contents());
    assert_eq!(scene.journal().count("answered", "again"), 1);
}

#[test]
fn not_yet_leaves_the_run_waiting() {
    let scene = asks("answer: confirm");
    let mut screen = run(&scene);
    screen.sees("What is it?").types("n").types(ENTER);
    assert_eq!(screen.code(), 3, "{}", screen.contents());
    assert!(screen.contents().contains("movebook approve question"), "{}", screen.contents());
    assert_eq!(scene.journal().count("answered", "question"), 0);
}

#[test]
fn a_confirmation_has_no_default_yes() {
    let scene = asks("answer: confirm");
    let mut screen = run(&scene);
    screen.sees("What is it?").types(ENTER);
    assert_eq!(screen.code(), 3, "{}", screen.contents());
}

#[test]
fn escape_leaves_the_run_waiting() {
    for answer in ["confirm", "text", "secret", "{choice: {one: the first}}"] {
        let scene = asks(&format!("answer: {answer}"));
        let mut screen = run(&scene);
        screen.sees("What is it?").types(ESCAPE);
        assert_eq!(screen.code(), 3, "{answer}: {}", screen.contents());
        assert_eq!(scene.journal().count("answered", "question"), 0, "{answer}");
    }
}

#[test]
fn the_run_goes_on_behind_an_answer_given_elsewhere() {
    let scene = asks("answer: confirm");
    let mut screen = run(&scene);
    screen.sees("What is it?").types(ESCAPE);
    assert_eq!(screen.code(), 3);
    let mut approving = Screen::of(scene.command(&["approve", "question"]));
    assert_eq!(approving.code(), 0, "{}", approving.contents());
    assert_eq!(run(&scene).code(), 0);
}

#[test]
fn approve_asks_for_a_secret_at_its_own_prompt() {
    let scene = asks("answer: secret");
    scene.run(&[]).code(3);
    let mut screen = Screen::of(scene.command(&["approve", "question"]));
    screen.sees("What is it?").types("correct-horse").types(ENTER);
    assert_eq!(screen.code(), 0, "{}", screen.contents());
    assert!(!String::from_utf8_lossy(&screen.written).contains("horse"));
    scene.run(&[]).code(0);
}

#[test]
fn what_stays_on_the_screen_reads_as_a_log() {
    let scene = Scene::new().tree("old", 200).runbook(
        "
phases:
  - id: first
    title: Copy it
    steps:
      - {id: pass, copy: {from: 'ROOT/old', to: 'ROOT/new'}}
      - {id: pause, wait: {for: 700ms}}
      - {id: question, checkpoint: {ask: Is it well?, instructions: Look at it.}}
  - id: second
    title: Prove it
    steps:
      - {id: proof, verify: {from: 'ROOT/old', to: 'ROOT/new', method: blake3}}
      - {id: settle, wait: {for: 500ms}}
",
    );
    let mut screen = run(&scene);
    screen.sees("waiting").sees("Look at it.").sees("Is it well?").types("y").types(ENTER);
    assert_eq!(screen.code(), 0, "{}", screen.contents());
    let contents = screen.contents();
    let lines: Vec<&str> = contents.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    let begins = [
        "scene",
        "run ",
        "1/2 Copy it",
        "  ✓ pass      200 new",
        "  ✓ pause     0.7 s",
        "    Look at it.",
        "> Is it well? Yes",
        "  ✓ question  confirmed",
        "2/2 Prove it",
        "  ✓ proof     200 files equal",
        "  ✓ settle    0.5 s",
        "done: all steps are done",
        "state file: ",
    ];
    assert_eq!(lines.len(), begins.len(), "{contents}");
    for (line, begin) in lines.iter().zip(begins) {
        assert!(line.starts_with(begin), "`{line}` should begin with `{begin}`:\n{contents}");
    }
}

#[test]
fn a_terminal_gets_colours() {
    let scene = asks("answer: confirm");
    let mut screen = Screen::of(scene.on_runbook("run", &["--yes"]));
    assert_eq!(screen.code(), 0);
    assert!(String::from_utf8_lossy(&screen.written).contains("\u{1b}[32m"), "green is a step that is done");
}

#[test]
fn without_a_terminal_nothing_is_coloured_and_nobody_is_asked() {
    let scene = asks("answer: confirm");
    scene.run(&[]).code(3).says("movebook approve question").never_says("\u{1b}");
    scene.status(&[]).code(0).never_says("\u{1b}");
    scene.plan(&[]).code(0).never_says("\u{1b}");
    scene.write("scene.yaml", "movebook: 1\nnam: x\n");
    scene.validate(&[]).code(2).never_says("\u{1b}");
}

#[test]
fn colours_come_without_a_terminal_where_they_are_asked_for() {
    let scene = asks("answer: confirm");
    scene.run(&["--yes"]).code(0);
    scene.status(&["--color", "always"]).code(0).says("\u{1b}[");
}

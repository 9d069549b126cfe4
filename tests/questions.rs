//! What the run asks a person: once, before anything is touched, and only where the answer fits what is asked now.
// Links and a shell are Unix'.
#![cfg(unix)]

mod common;

use std::fs;

use common::scene::one_phase;
use common::{Scene, tree};

/// A target that somebody filled, taken over by the first of two passes and purged by the last.
fn adopted_by_the_first_pass() -> Scene {
    Scene::new()
        .steps(
            "
- {id: early, copy: {from: 'ROOT/old', to: 'ROOT/new', adopt: true}}
- {id: final, copy: {from: 'ROOT/old', to: 'ROOT/new', directories: all, purge: {max_files: 10, max_percent: 50}}}
",
        )
        .tree("old", 5)
        .file("new/theirs.dat", "theirs")
}

#[test]
fn a_target_that_the_first_pass_took_over_is_purged_by_the_last() {
    let scene = adopted_by_the_first_pass();
    scene.run(&[]).code(3).says("movebook approve early --state scene.state.jsonl --answer adopt");
    scene.approve("early", &["--answer", "adopt"]).code(0);
    scene.resume(&[]).code(0);
    tree::assert_equal(&scene.path("old"), &scene.path("new"));
}

#[test]
fn a_target_is_asked_about_once() {
    let scene = adopted_by_the_first_pass();
    scene.run(&[]).code(3);
    scene.approve("early", &["--answer", "adopt"]).code(0);
    scene.resume(&[]).code(0);
    let journal = scene.journal();
    assert_eq!(journal.of("asked").count(), 1);
    assert_eq!(journal.of("target_claimed").count(), 1);
}

const WANTS_PROOF: &str = "
- {id: why, checkpoint: {ask: Why?, answer: text, evidence: note}}
- {id: proof, checkpoint: {ask: Done?, evidence: file}}
";

#[test]
fn notes_and_evidence_given_ahead_satisfy_the_checkpoints_that_want_them() {
    let scene = Scene::new().steps(WANTS_PROOF).file("picture.png", "a picture");
    let answers = ["--answer", "why=so", "--note", "why=Anna said it", "--answer", "proof=yes"];
    scene.run(&[&answers[..], &["--evidence", "proof=picture.png"]].concat()).code(0);
    let journal = scene.journal();
    assert_eq!(journal.only("answered", "why")["note"], "Anna said it");
    let evidence = &journal.only("answered", "proof")["evidence"];
    assert_eq!(evidence["blake3"], blake3::hash(b"a picture").to_hex().as_str());
}

#[test]
fn an_answer_given_ahead_without_the_evidence_that_is_wanted_leaves_the_question_open() {
    let scene = Scene::new().steps(WANTS_PROOF);
    scene.run(&["--answer", "why=so"]).code(3).says("wants a note").says("movebook approve why");
    assert_eq!(scene.journal().count("answered", "why"), 0);
}

#[test]
fn a_note_given_ahead_without_an_answer_is_refused() {
    let scene = Scene::new().steps(WANTS_PROOF);
    scene.run(&["--note", "why=Anna said it"]).code(2).says("for `why`, but no answer");
    has_begun_nothing(&scene);
}

#[test]
fn a_wrong_choice_given_ahead_is_refused_before_anything_is_begun() {
    let scene = Scene::new().steps(
        "
- {id: before, command: {shell: echo before >> 'ROOT/log'}}
- {id: which, checkpoint: {ask: Which?, answer: {choice: {one: the first, two: the second}}}}
",
    );
    scene.run(&["--answer", "which=three"]).code(2).says("`which`").says("one, two");
    has_begun_nothing(&scene);
}

#[track_caller]
fn has_begun_nothing(scene: &Scene) {
    let begun: Vec<String> =
        scene.names().into_iter().filter(|name| name.ends_with(".jsonl") || name == "log").collect();
    assert!(begun.is_empty(), "{begun:?}");
}

#[test]
fn an_answer_that_repeats_a_skipped_one_is_taken_with_a_warning() {
    let scene = Scene::new()
        .runbook(&format!(
            "vars: {{encrypted: {{type: boolean, default: false}}}}\n{}",
            one_phase(
                "
- {id: key, when: encrypted, checkpoint: {ask: The key?, answer: secret}}
- {id: key-again, checkpoint: {ask: The key again?, answer: secret, same_as: key}}
"
            )
        ))
        .file("answer", "a-recovery-key");
    scene
        .run(&["--answer-file", "key-again=answer"])
        .code(0)
        .says("warning")
        .says("key was skipped, so that this answer is compared with nothing");
}

#[test]
fn an_answered_checkpoint_that_asks_something_else_now_is_asked_anew() {
    let gate = "- {id: gate, checkpoint: {ask: Ready?}}";
    let scene = Scene::new().steps(gate);
    scene.run(&[]).code(3);
    scene.approve("gate", &[]).code(0);
    scene.now_reads(&one_phase("- {id: gate, checkpoint: {ask: Ready for what?, answer: text}}"));
    scene.resume(&[]).code(5).says("step `gate` was begun and now reads otherwise");
    scene.resume(&["--accept-changes"]).code(3).says("Ready for what?");
    scene.approve("gate", &["--answer", "the move"]).code(0);
    scene.resume(&[]).code(0);
    let answers: Vec<_> = scene.journal().of("answered").map(|record| record["answer"].to_string()).collect();
    assert_eq!(answers.len(), 2, "{answers:?}");
    assert!(answers[1].contains("the move"), "{answers:?}");
}

#[test]
fn a_question_that_reads_otherwise_now_is_not_completed_by_the_answer_to_the_old_one() {
    let scene = Scene::new().steps("- {id: gate, checkpoint: {ask: Is the old server off?}}");
    scene.run(&[]).code(3);
    scene.now_reads(&one_phase("- {id: gate, checkpoint: {ask: Is the new server off?}}"));
    scene.resume(&["--accept-changes"]).code(3);
    let status = scene.status(&[]).code(0);
    status.says("Is the new server off?").never_says("Is the old server off?");
}

#[test]
fn a_state_file_in_which_nothing_was_begun_is_told_and_begun_with() {
    let scene = Scene::new().steps("- {id: only, command: {shell: echo only >> 'ROOT/log'}}");
    scene.write("scene.state.jsonl", "");
    for arguments in [&["status"][..], &["resume"], &["resume", "--as-started"], &["approve", "only"]] {
        scene.movebook(arguments).code(2).says("no run was begun yet in scene.state.jsonl");
        assert_eq!(fs::metadata(scene.path("scene.state.jsonl")).unwrap().len(), 0, "{arguments:?}");
    }
    scene.run(&["--as-started"]).code(2).says("no run was begun yet in scene.state.jsonl");
    scene.run(&[]).code(0);
    assert_eq!(scene.text("log"), "only\n");
}

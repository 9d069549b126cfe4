//! The runbook or the variables changed since the run began: what is said, and what either way then does.
//!
//! Each step that is done appends a word to `log`; the words tell which text was carried out.
#![cfg(unix)]

mod common;

use common::Scene;
use common::scene::one_phase;

/// A runbook or variables that a run begins with, and what they are when it is gone on with.
#[derive(Clone, Copy)]
struct Drift<'a> {
    steps: &'a str,
    vars: &'a str,
    values: &'a str,
    steps_now: &'a str,
    vars_now: &'a str,
    values_now: &'a str,
}

/// `one` is done and `two` is to come when the run waits at the gate.
const STEPS: &str = "
- {id: one, command: {shell: echo one >> 'ROOT/log'}}
- {id: gate, checkpoint: {ask: On?}}
- {id: two, command: {shell: echo two >> 'ROOT/log'}}
- {id: three, command: {shell: echo three >> 'ROOT/log'}}
";

fn steps_change_to(steps_now: &str) -> Drift<'_> {
    Drift { steps: STEPS, vars: "", values: "", steps_now, vars_now: "", values_now: "" }
}

fn values_change(vars: &'static str, values: &'static str, values_now: &'static str) -> Drift<'static> {
    let steps = "
- {id: one, command: {shell: 'echo one=$VALUE >> ROOT/log', environment: {VALUE: '{{ value }}'}}}
- {id: gate, checkpoint: {ask: On?}}
- {id: two, command: {shell: 'echo two=$VALUE >> ROOT/log', environment: {VALUE: '{{ value }}'}}}
";
    Drift { steps, vars, values, steps_now: steps, vars_now: vars, values_now }
}

impl Drift<'_> {
    /// A run that waits behind `one`, whose files are then changed.
    fn happen(&self) -> Scene {
        let begun = text(self.vars, self.steps);
        let scene = Scene::new().runbook(&begun).vars(self.values);
        scene.run(&[]).code(3);
        scene.approve("gate", &[]).code(0);
        scene.now_reads(&text(self.vars_now, self.steps_now));
        scene.write("vars.yaml", self.values_now);
        scene
    }

    /// The run is refused with these sentences and nothing is done, by `run` and by `resume`.
    #[track_caller]
    fn is_told(self, sentences: &[&str]) -> Self {
        let scene = self.happen();
        let records = scene.journal().0.len();
        for ended in [scene.run(&[]), scene.resume(&[])] {
            let ended = ended.code(5);
            for sentence in sentences {
                assert!(ended.stderr.contains(sentence), "`{sentence}` is not in:\n{}", ended.stderr);
            }
            let told =
                ended.stderr.lines().filter(|line| line.starts_with("  - ") || line.starts_with("  ! "));
            assert_eq!(told.count(), sentences.len(), "{}", ended.stderr);
            ended.says("--accept-changes").says("--as-started");
        }
        assert_eq!(scene.journal().0.len(), records, "nothing is written");
        self
    }

    /// With the changes accepted the run comes to its end, and these words were written.
    #[track_caller]
    fn accepted_does(self, words: &str) -> Self {
        let scene = self.happen();
        scene.run(&["--accept-changes"]).code(0);
        assert_eq!(scene.text("log").split_whitespace().collect::<Vec<_>>().join(" "), words);
        assert_eq!(scene.journal().of("changes_accepted").count(), 1, "who accepted is written down");
        scene.run(&[]).code(0).says("nothing is left to do");
        self
    }

    /// As it began the run comes to its end, and these words were written.
    #[track_caller]
    fn as_started_does(self, words: &str) -> Self {
        let scene = self.happen();
        scene.run(&["--as-started"]).code(0);
        assert_eq!(scene.text("log").split_whitespace().collect::<Vec<_>>().join(" "), words);
        assert_eq!(scene.journal().of("changes_accepted").count(), 0);
        self
    }
}

fn text(vars: &str, steps: &str) -> String {
    format!("{vars}\n{}", one_phase(steps))
}

#[test]
fn a_done_step_that_reads_otherwise() {
    steps_change_to(&STEPS.replace("echo one", "echo ONE"))
        .is_told(&["! step `one` is done and now reads otherwise; it will not be done again"])
        .accepted_does("one two three")
        .as_started_does("one two three");
}

#[test]
fn a_pending_step_that_reads_otherwise() {
    steps_change_to(&STEPS.replace("echo two", "echo TWO"))
        .is_told(&["- step `two` is still to come and now reads otherwise"])
        .accepted_does("one TWO three")
        .as_started_does("one two three");
}

#[test]
fn a_new_step_behind_those_that_are_done() {
    let steps =
        STEPS.replace("- {id: three", "- {id: new, command: {shell: echo new >> 'ROOT/log'}}\n- {id: three");
    steps_change_to(&steps)
        .is_told(&["- step `new` is new and still to come"])
        .accepted_does("one two new three")
        .as_started_does("one two three");
}

#[test]
fn a_new_step_before_one_that_is_done() {
    let steps =
        STEPS.replace("- {id: one", "- {id: new, command: {shell: echo new >> 'ROOT/log'}}\n- {id: one");
    steps_change_to(&steps)
        .is_told(&["! step `new` is new and stands before steps that are done; it will be done after them"])
        .accepted_does("one new two three")
        .as_started_does("one two three");
}

#[test]
fn a_done_step_that_is_gone() {
    steps_change_to(&STEPS.replace("- {id: one, command: {shell: echo one >> 'ROOT/log'}}\n", ""))
        .is_told(&["- step `one` is gone; it is done, and what it did stays"])
        .accepted_does("one two three")
        .as_started_does("one two three");
}

#[test]
fn a_pending_step_that_is_gone() {
    steps_change_to(&STEPS.replace("- {id: two, command: {shell: echo two >> 'ROOT/log'}}\n", ""))
        .is_told(&["! step `two` is gone and will not be done"])
        .accepted_does("one three")
        .as_started_does("one two three");
}

#[test]
fn pending_steps_in_another_order() {
    let steps = "
- {id: one, command: {shell: echo one >> 'ROOT/log'}}
- {id: gate, checkpoint: {ask: On?}}
- {id: three, command: {shell: echo three >> 'ROOT/log'}}
- {id: two, command: {shell: echo two >> 'ROOT/log'}}
";
    steps_change_to(steps)
        .is_told(&["moved and is still to come"])
        .accepted_does("one three two")
        .as_started_does("one two three");
}

#[test]
fn a_done_step_in_another_place() {
    let steps = "
- {id: gate, checkpoint: {ask: On?}}
- {id: two, command: {shell: echo two >> 'ROOT/log'}}
- {id: three, command: {shell: echo three >> 'ROOT/log'}}
- {id: one, command: {shell: echo one >> 'ROOT/log'}}
";
    steps_change_to(steps)
        .is_told(&["step `one` moved; it is over and stays so"])
        .accepted_does("one two three")
        .as_started_does("one two three");
}

#[test]
fn several_changes_are_told_at_once() {
    let steps = STEPS.replace("echo one", "echo ONE").replace("echo three", "echo THREE");
    steps_change_to(&steps)
        .is_told(&[
            "! step `one` is done and now reads otherwise",
            "- step `three` is still to come and now reads otherwise",
        ])
        .accepted_does("one two THREE")
        .as_started_does("one two three");
}

#[test]
fn a_failed_step_that_reads_otherwise_begins_anew() {
    let failing = "- {id: one, command: {shell: exit 9}}";
    let scene = Scene::new().steps(failing);
    scene.run(&[]).code(1);
    scene.now_reads(&one_phase(&failing.replace("exit 9", "echo mended >> 'ROOT/log'")));
    scene
        .run(&[])
        .code(5)
        .says("! step `one` was begun and now reads otherwise; it begins anew as it now reads");
    scene.run(&["--as-started"]).code(1);
    scene.run(&["--accept-changes"]).code(0);
    assert_eq!(scene.text("log"), "mended\n");
}

#[test]
fn a_step_in_another_phase() {
    let scene = Scene::new().steps(STEPS);
    scene.run(&[]).code(3);
    scene.approve("gate", &[]).code(0);
    let moved =
        one_phase(STEPS).replace("      - {id: three", "  - id: last\n    steps:\n      - {id: three");
    scene.now_reads(&moved);
    scene.run(&[]).code(5).says("- step `three` moved from phase `only` to `last`");
    scene.run(&["--accept-changes"]).code(0);
    assert_eq!(scene.text("log"), "one\ntwo\nthree\n");
}

#[test]
fn a_variable_with_another_value() {
    let drift = values_change("vars: {value: {type: string}}", "value: old", "value: new");
    let told = [
        "! step `one` is done and now reads otherwise",
        "- step `two` is still to come and now reads otherwise",
        "! variable `value` was \"old\" and is now \"new\"",
    ];
    drift.is_told(&told).accepted_does("one=old two=new").as_started_does("one=old two=old");
}

#[test]
fn a_variable_that_is_new() {
    let mut drift = steps_change_to(STEPS);
    drift.vars_now = "vars: {more: {type: integer, default: 3}}";
    drift
        .is_told(&["- variable `more` is new: 3"])
        .accepted_does("one two three")
        .as_started_does("one two three");
}

#[test]
fn a_variable_that_is_gone() {
    let mut drift = steps_change_to(STEPS);
    drift.vars = "vars: {more: {type: integer, default: 3}}";
    drift
        .is_told(&["- variable `more` is gone; it was 3"])
        .accepted_does("one two three")
        .as_started_does("one two three");
}

#[test]
fn a_secret_with_another_value() {
    let drift = values_change("vars: {value: {type: secret}}", "value: old-secret", "value: new-secret");
    drift.is_told(&["! secret `value` has another value"]).accepted_does("one=old-secret two=new-secret");
    // The state file does not hold the secret: only who gives it again goes on as it began.
    let scene = drift.happen();
    scene.run(&["--as-started"]).code(5).says("secret `value` has another value").never_says("old-secret");
    scene.write("vars.yaml", "value: old-secret");
    scene.run(&["--as-started"]).code(0);
    assert_eq!(scene.text("log"), "one=old-secret\ntwo=old-secret\n");
}

#[test]
fn a_comment_and_a_description_are_no_change() {
    let scene = Scene::new().steps(STEPS);
    scene.run(&[]).code(3);
    scene.approve("gate", &[]).code(0);
    scene.now_reads(&format!("# A comment.\ndescription: Longer than before.\n{}", one_phase(STEPS)));
    scene.run(&[]).code(0);
    assert_eq!(scene.text("log"), "one\ntwo\nthree\n");
}

#[test]
fn an_included_file_that_changed() {
    let scene = Scene::new()
        .runbook("phases:\n  - include: tail.yaml\n")
        .file("tail.yaml", "movebook: 1\nname: tail\nphases:\n  - id: tail\n    steps:\n      - {id: gate, checkpoint: {ask: On?}}\n      - {id: late, command: {run: [touch, early-text]}}\n");
    scene.run(&[]).code(3);
    scene.approve("gate", &[]).code(0);
    scene.write("tail.yaml", scene.text("tail.yaml").replace("early-text", "late-text"));
    scene.run(&[]).code(5).says("step `late` is still to come and now reads otherwise");
    scene.run(&["--as-started"]).code(0);
    assert!(scene.path("early-text").exists() && !scene.path("late-text").exists());
}

#[test]
fn as_started_needs_no_file_but_the_state_file() {
    let scene = Scene::new().steps(STEPS);
    scene.run(&[]).code(3);
    scene.approve("gate", &[]).code(0);
    std::fs::remove_file(scene.path("scene.yaml")).unwrap();
    scene.resume(&[]).code(2);
    scene.resume(&["--as-started"]).code(0);
    assert_eq!(scene.text("log"), "one\ntwo\nthree\n");
}

#[test]
fn what_was_accepted_is_what_the_run_rests_on_from_then_on() {
    let scene = Scene::new().steps(&format!("{STEPS}- {{id: last-gate, checkpoint: {{ask: On?}}}}"));
    scene.run(&[]).code(3);
    scene.approve("gate", &[]).code(0);
    let changed = STEPS.replace("echo two", "echo TWO");
    scene.now_reads(&one_phase(&format!("{changed}- {{id: last-gate, checkpoint: {{ask: On?}}}}")));
    scene.run(&["--accept-changes"]).code(3);
    scene.run(&[]).code(3);
    scene.now_reads(&one_phase(&format!("{STEPS}- {{id: last-gate, checkpoint: {{ask: On?}}}}")));
    scene.run(&[]).code(5).says("step `two` is done and now reads otherwise");
}

#[test]
fn both_ways_at_once_are_refused() {
    let scene = Scene::new().steps(STEPS);
    scene.run(&[]).code(3);
    scene.run(&["--accept-changes", "--as-started"]).code(2).says("cannot be used with");
}

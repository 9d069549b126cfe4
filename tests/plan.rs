//! What a plan shows of its steps.

use std::collections::BTreeMap;

use movebook::copy::{Access, Preserve, Preserved, Priority};
use movebook::plan::{self, Action, Plan, Work};
use movebook::report::diagnostics::{Colour, Format, print};
use movebook::runbook::{self, Problems};
use movebook::vars::{self, Given};
use serde_json::{Value, json};

fn told<T>(problems: Problems) -> T {
    panic!("{}", print(&[problems], Format::Human, Colour::Never))
}

fn made(text: &str, variables: &str) -> Plan {
    let runbook = runbook::read("plan.yaml", &|_| Ok(text.to_owned())).unwrap_or_else(told);
    let given = Given { files: vec![("v.yaml".into(), variables.into())], ..Given::default() };
    let values = vars::resolve(&runbook, &given).unwrap_or_else(told);
    plan::make(runbook, values, Value::Null, BTreeMap::new()).unwrap_or_else(told)
}

#[test]
fn what_is_made_of_a_secret_reaches_the_child_and_is_not_shown() {
    let plan = made(
        "
movebook: 1
name: secrets
vars: {key: {type: secret}}
phases:
  - id: one
    steps:
      - id: tool
        command: {run: [tool], environment: {KEY: '{{ key | upper }}', PLAIN: '{{ 1 + 1 }}'}, input: '{{ key | reverse }}'}
",
        "key: canary-value",
    );
    let step = &plan.phases[0].steps[0];
    assert_eq!(step.detail["environment"], json!({"KEY": "***", "PLAIN": "2"}));
    assert_eq!(step.detail["input"], "***");
    let Work::Ready(action) = &step.work else { panic!("a step that is ready") };
    let Action::Command(command) = &**action else { panic!("a command") };
    assert_eq!(command.environment["KEY"], "CANARY-VALUE");
    assert_eq!(command.input.as_deref(), Some("eulav-yranac"));
}

#[test]
fn a_verify_step_shows_how_far_times_may_lie_apart_its_own_before_the_defaults() {
    let text = |defaults: &str, own: &str| {
        format!(
            "
movebook: 1
name: proofs
defaults: {defaults}
phases:
  - id: one
    steps:
      - {{id: proof, verify: {{from: /old, to: /new{own}}}}}
"
        )
    };
    let copy = "{copy: {mtime_tolerance: 3s}}";
    let both = "{copy: {mtime_tolerance: 3s}, verify: {mtime_tolerance: 1s}}";
    for (defaults, own, shown) in [
        ("{}", "", Value::Null),
        (copy, "", json!("3s")),
        (both, "", json!("1s")),
        (both, ", mtime_tolerance: 2s", json!("2s")),
    ] {
        let plan = made(&text(defaults, own), "");
        let detail = &plan.phases[0].steps[0].detail;
        assert_eq!(detail.get("mtime_tolerance").cloned().unwrap_or_default(), shown, "{defaults} {own}");
    }
}

#[test]
fn a_copy_step_takes_how_it_is_done_from_itself_before_the_defaults() {
    let text = |own: &str| {
        format!(
            "
movebook: 1
name: options
defaults: {{copy: {{preserve: [owner, xattrs], bandwidth: 5MiB, gentle: true, resume_over: 1GiB}}}}
phases:
  - id: one
    steps:
      - {{id: copy, copy: {{from: /old, to: /new{own}}}}}
"
        )
    };
    let taken = |own: &str| {
        let plan = made(&text(own), "");
        let Work::Ready(action) = &plan.phases[0].steps[0].work else { panic!("a step that is ready") };
        let Action::Copy(copy) = &**action else { panic!("a copy") };
        let bandwidth = copy.bandwidth.as_ref().map(ToString::to_string);
        (copy.preserve, bandwidth, copy.priority, copy.resume_over)
    };
    let both = Preserve::NOTHING_MORE.with(Preserved::Owner).with(Preserved::Xattrs);
    assert_eq!(taken(""), (both, Some("5MiB".to_owned()), Priority::Gentle, 1 << 30));
    let own = ", preserve: [], bandwidth: off, gentle: false, resume_over: 1MiB";
    assert_eq!(taken(own), (Preserve::NOTHING_MORE, None, Priority::Normal, 1 << 20));
    let table = ", preserve: [acls], bandwidth: '19:00,off 07:00,2MiB'";
    let (preserve, bandwidth, ..) = taken(table);
    assert_eq!(preserve, Preserve::NOTHING_MORE.with(Preserved::Acls));
    assert_eq!(bandwidth.as_deref(), Some("07:00,2MiB 19:00,off"));
}

#[test]
fn the_rights_of_backup_are_asked_for_where_told_and_a_step_without_the_word_reads_as_before() {
    let taken = |defaults: &str, own: &str| {
        let text = format!(
            "
movebook: 1
name: rights
defaults: {{copy: {{{defaults}}}}}
phases:
  - id: one
    steps:
      - {{id: copy, copy: {{from: /old, to: /new{own}}}}}
      - {{id: proof, verify: {{from: /old, to: /new{own}}}}}
"
        );
        let plan = made(&text, "");
        let steps = &plan.phases[0].steps;
        // What a step shows is what its digest is made of, by which a run knows that its runbook is unchanged.
        let shows = steps.iter().all(|step| step.detail.get("backup").is_some());
        let access = |at: usize| match &steps[at].work {
            Work::Ready(action) => match &**action {
                Action::Copy(copy) => copy.access,
                Action::Verify(verify) => verify.access,
                _ => panic!("a copy or a verification"),
            },
            Work::Late(_) => panic!("a step that is ready"),
        };
        ([access(0), access(1)], shows)
    };
    assert_eq!(taken("", ""), ([Access::Ordinary; 2], false));
    assert_eq!(taken("", ", backup: true"), ([Access::Backup; 2], true));
    assert_eq!(taken("backup: true", ""), ([Access::Backup; 2], true));
    assert_eq!(taken("backup: true", ", backup: false"), ([Access::Ordinary; 2], true));
}

#[test]
fn a_depth_that_a_template_makes_0_is_refused() {
    let text = "
movebook: 1
name: depth
filters: {shallow: {max_depth: '{{ 1 - 1 }}'}}
phases:
  - {id: one, steps: [{id: copy, copy: {from: /a, to: /b, filter: shallow}}]}
";
    let runbook = runbook::read("plan.yaml", &|_| Ok(text.to_owned())).unwrap_or_else(told);
    let values = vars::resolve(&runbook, &Given::default()).unwrap_or_else(told);
    let problems = plan::make(runbook, values, Value::Null, BTreeMap::new()).unwrap_err();
    let told = print(&[problems], Format::Human, Colour::Never);
    assert!(told.contains("a whole number, 1 or more"), "{told}");
}

#[test]
fn a_rendered_text_that_does_not_fit_is_told_without_control_characters() {
    let step = |action: &str| {
        let text = format!(
            "
movebook: 1
name: hostile
vars: {{text: {{type: string}}}}
filters: {{some: {{include: ['{{{{ text }}}}']}}}}
phases:
  - {{id: one, steps: [{{id: step, {action}}}]}}
"
        );
        let runbook = runbook::read("plan.yaml", &|_| Ok(text.clone())).unwrap_or_else(told);
        let file = "text: \"5[\\e[31m\\u202ex\"".to_owned();
        let given = Given { files: vec![("v.yaml".into(), file)], ..Given::default() };
        let values = vars::resolve(&runbook, &given).unwrap_or_else(told);
        plan::make(runbook, values, Value::Null, BTreeMap::new()).unwrap_err()
    };
    for action in [
        "check: [{path: /x, free_space: {at_least: '{{ text }}'}}]",
        "wait: {until: '{{ text }}'}",
        "wait: {for: '{{ text }}'}",
        "copy: {from: /a, to: /b, filter: '{{ text }}'}",
        "copy: {from: /a, to: /b, filter: some}",
    ] {
        let problems = [step(action)];
        for format in [Format::Human, Format::Github, Format::Json] {
            let told = print(&problems, format, Colour::Never);
            assert!(!told.chars().any(|c| c.is_control() && c != '\n'), "{action}: {told:?}");
            assert!(!told.contains('\u{202e}'), "{action}: {told:?}");
        }
    }
}

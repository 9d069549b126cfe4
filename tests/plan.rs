//! What a plan shows of its steps.

use std::collections::BTreeMap;

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

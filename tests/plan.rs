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
    let Work::Ready(Action::Command(command)) = &step.work else { panic!("a command") };
    assert_eq!(command.environment["KEY"], "CANARY-VALUE");
    assert_eq!(command.input.as_deref(), Some("eulav-yranac"));
}

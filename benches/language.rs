//! How long the language takes: a runbook of 1,000 steps is validated and planned, without a look at any tree.
//!
//! Prints processor time, median of several rounds, against the promise of 50 ms. Run with `cargo bench --bench language`.

use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use movebook::plan;
use movebook::runbook;
use movebook::vars::{self, Given};

const STEPS: usize = 1000;
const ROUNDS: usize = 21;
const PROMISE: Duration = Duration::from_millis(50);

fn main() {
    let text = runbook_of(STEPS);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("large.yaml");
    std::fs::write(&path, &text).expect("the runbook is written");
    // One round before the counted ones: memory that was never touched is slow.
    round(&path);
    let mut times: Vec<(Duration, Duration)> = (0..ROUNDS).map(|_| round(&path)).collect();
    let validate = median(times.iter().map(|(validate, _)| *validate));
    times.sort_by_key(|(validate, plan)| *validate + *plan);
    let both = median(times.iter().map(|(validate, plan)| *validate + *plan));
    println!("runbook of {STEPS} steps, {} KB, {ROUNDS} rounds, processor time, median", text.len() / 1024);
    println!("  validate           {:>7.2} ms", validate.as_secs_f64() * 1e3);
    println!("  validate and plan  {:>7.2} ms", both.as_secs_f64() * 1e3);
    println!("  of the promise     {:>7.2}  (50 ms = 1)", both.as_secs_f64() / PROMISE.as_secs_f64());
}

fn round(path: &Path) -> (Duration, Duration) {
    let begun = processor_time();
    let runbook = runbook::load(path).unwrap_or_else(|problems| panic!("{:?}", problems.diagnostics));
    let validated = processor_time();
    let given = Given { arguments: vec![("source".into(), "/srv/old".into())], ..Given::default() };
    let values =
        vars::resolve(&runbook, &given).unwrap_or_else(|problems| panic!("{:?}", problems.diagnostics));
    let plan = plan::make(runbook, values, serde_json::json!({"name": "large"}), Default::default())
        .unwrap_or_else(|problems| panic!("{:?}", problems.diagnostics));
    assert_eq!(plan.steps().count(), STEPS);
    (validated - begun, processor_time() - validated)
}

/// A runbook as people write them: copies, checks, commands and checkpoints with templates in each.
fn runbook_of(steps: usize) -> String {
    let mut text = "movebook: 1\nname: large\nvars:\n  source: {type: path}\n  target: {type: path, default: /srv/new}\n  threads: {type: integer, default: 8}\nfilters:\n  settled: {exclude: ['*.fdb'], min_age: 1d}\ndefaults:\n  copy: {threads: '{{ threads }}'}\nphases:\n".to_owned();
    for step in 0..steps {
        if step % 20 == 0 {
            let _ = writeln!(text, "  - id: phase-{}\n    title: Phase {}\n    steps:", step / 20, step / 20);
        }
        let line = match step % 4 {
            0 => format!(
                "copy: {{from: '{{{{ source }}}}/{step}', to: '{{{{ target }}}}/{step}', filter: settled, errors: tolerate}}"
            ),
            1 => format!("check: [{{path: '{{{{ source }}}}/{step}', contains: ['*.dat']}}]"),
            2 => format!("command: {{run: [echo, '{{{{ source }}}}', '{step}'], timeout: 10s}}"),
            _ => "checkpoint: {ask: 'Is {{ source }} ready?', instructions: 'Look at {{ target }}.'}"
                .to_owned(),
        };
        let _ = writeln!(
            text,
            "      - id: step-{step}\n        title: Step {step} of {{{{ source }}}}\n        {line}"
        );
    }
    text
}

fn median(times: impl Iterator<Item = Duration>) -> Duration {
    let mut times: Vec<Duration> = times.collect();
    times.sort();
    times[times.len() / 2]
}

/// What this process has used of the processors so far.
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

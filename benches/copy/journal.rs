//! What writing down and telling cost: the part of a run that is neither the pass nor getting ready for it.
//!
//! The state file says how long the step took; `movebook plan --no-scan` of the same runbook is what it takes to start the program and to
//! understand the language. What is left of the whole process is the journal with its syncs, the guards, and the events around the
//! step. Progress events come within the step, at most ten a second: what one costs is measured here, and as many as there can be
//! are added. So the figure is an upper bound.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use movebook::copy::Progress;
use movebook::event::{Event, Sink};
use movebook::report::json::JsonLines;
use movebook::report::out::Out;
use movebook::secret::Redactor;

use crate::measure;
use crate::runs::Run;
use crate::volumes::{Failure, told};

/// The whole of a run, and what of it the journal and the events take at most.
#[derive(Clone, Copy, Debug)]
pub struct Share {
    pub whole: Duration,
    pub told: Duration,
}

/// How often progress is told in a second, at most.
const EVENTS_A_SECOND: f64 = 10.0;

pub fn share(run: &Run, work: &Path) -> Result<Share, Failure> {
    let whole = measure::span(run.command(), work)?;
    let step = step_seconds(&run.state())?;
    let language = measure::span(run.plan(), work)?;
    let within = one_event().mul_f64((step.as_secs_f64() * EVENTS_A_SECOND).ceil());
    Ok(Share { whole, told: whole.saturating_sub(step).saturating_sub(language) + within })
}

impl Share {
    pub fn fraction(&self) -> f64 {
        self.told.as_secs_f64() / self.whole.as_secs_f64()
    }
}

fn step_seconds(state: &Path) -> Result<Duration, Failure> {
    let text = fs::read_to_string(state).map_err(|error| told("read", state, &error))?;
    text.lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|record| record["kind"] == "step_done")
        .find_map(|record| record["seconds"].as_f64())
        .map(Duration::from_secs_f64)
        .ok_or_else(|| format!("no step is done in {}", state.display()))
}

/// What it takes to tell progress as a line of JSON, the format that leaves none out.
fn one_event() -> Duration {
    const EVENTS: u32 = 1000;
    let mut sink = JsonLines::new(Out::new(std::io::sink(), Redactor::new()));
    let event = Event::StepProgress {
        step: "pass".into(),
        doing: "copying",
        progress: Progress::default(),
        seconds: 1.5,
        rate: 1e8,
        expected: None,
        left: Some(3.5),
        left_by: None,
    };
    let begun = Instant::now();
    for _ in 0..EVENTS {
        sink.event(&event);
    }
    begun.elapsed() / EVENTS
}

//! A state file as a test looks at it: by its own eyes, line by line, and not by those of the program.

use std::path::Path;

use serde_json::Value;

pub struct Journal(pub Vec<Value>);

impl Journal {
    /// An unfinished last line is left out.
    pub fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        Self(whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    }

    /// How many records of a kind a step has.
    pub fn count(&self, kind: &str, step: &str) -> usize {
        self.of(kind).filter(|record| record["step"] == step).count()
    }

    pub fn of(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.0.iter().filter(move |record| record["kind"] == kind)
    }

    /// The only record of a kind that a step has.
    #[track_caller]
    pub fn only(&self, kind: &str, step: &str) -> &Value {
        let mut found = self.of(kind).filter(|record| record["step"] == step);
        let record = found.next().unwrap_or_else(|| panic!("no {kind} of {step}: {:#?}", self.0));
        assert_eq!(found.next(), None, "one {kind} of {step}");
        record
    }

    /// The steps that are done, in the order in which they were.
    pub fn done(&self) -> Vec<&str> {
        self.of("step_done").map(|record| record["step"].as_str().unwrap()).collect()
    }

    pub fn is_finished(&self) -> bool {
        self.of("run_finished").next().is_some()
    }
}

//! Passes as a runbook has them, drawn by chance. Each engine is given the action that the library plans from that text.

use std::path::Path;

use movebook::plan::{self, Action, CopyAction};
use movebook::robocopy::arguments::is_wider_in_dos;
use movebook::vars::Given;
use movebook::{runbook, vars};
use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use serde_json::{Map, Value, json};

use crate::names::Paths;
use crate::tree::{AGES, SIZES};

/// What differs between two passes. A runbook's words throughout; what is not there is not said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pass {
    pub include: Vec<String>,
    pub exclude: Vec<String>,
    pub exclude_directories: Vec<String>,
    /// Of the filter: ages, sizes, depth and case, each by its key.
    pub limits: Map<String, Value>,
    /// Of the step.
    pub keys: Map<String, Value>,
}

/// A part of a pass.
type Part<T> = fn(&mut Pass) -> &mut T;

/// What the patterns of a pass are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Language {
    /// Names with `*` and `?`, which every engine knows.
    Plain,
    /// All that a runbook has.
    Whole,
}

impl Pass {
    pub fn draw(paths: &Paths, chance: &mut StdRng) -> Self {
        let mut pass = Self::default();
        if chance.random_bool(0.45) {
            // Its own limits are those of another test.
            pass.keys.insert("purge".into(), json!({"max_files": 100_000, "max_percent": 100}));
        }
        pass.draw_patterns(paths, chance);
        pass.draw_limits(chance);
        let directories = ["non-empty", "non-empty", "all", "all", "none"].choose(chance).unwrap();
        pass.keys.insert("directories".into(), json!(directories));
        if chance.random_bool(0.08) {
            pass.keys.insert("links".into(), json!("copy"));
        }
        if chance.random_bool(0.15) {
            pass.keys.insert("mtime_tolerance".into(), json!("2s"));
        }
        pass
    }

    fn draw_patterns(&mut self, paths: &Paths, chance: &mut StdRng) {
        type Draw = fn(&Paths, &mut StdRng) -> String;
        let language = if chance.random_bool(0.65) { Language::Plain } else { Language::Whole };
        let (name, path): (Draw, Draw) = (Paths::file_pattern, Paths::file_path_pattern);
        let directory: (Draw, Draw) = (Paths::directory_pattern, Paths::directory_path_pattern);
        for (list, often, (name, path)) in [
            (&mut self.include, 0.35, (name, path)),
            (&mut self.exclude, 0.4, (name, path)),
            (&mut self.exclude_directories, 0.35, directory),
        ] {
            if !chance.random_bool(often) {
                continue;
            }
            for _ in 0..chance.random_range(1..=3) {
                list.push(match language {
                    Language::Plain => std::iter::repeat_with(|| name(paths, chance))
                        .find(|pattern| {
                            !pattern.contains(['[', '{'])
                                && !pattern.starts_with('-')
                                && !is_wider_in_dos(pattern)
                        })
                        .unwrap(),
                    Language::Whole if chance.random_bool(0.5) => path(paths, chance),
                    Language::Whole => name(paths, chance),
                });
            }
        }
    }

    fn draw_limits(&mut self, chance: &mut StdRng) {
        let purges = self.purges();
        let mut limit = |key: &str, often: f64, value: &mut dyn FnMut(&mut StdRng) -> Value| {
            if chance.random_bool(often) {
                let value = value(chance);
                self.limits.insert(key.to_owned(), value);
            }
        };
        let mut age = |chance: &mut StdRng| match chance.random_bool(0.1) {
            true => json!("36h"),
            false => json!(format!("{}d", AGES.choose(chance).unwrap())),
        };
        // With a purge rclone is left out for these.
        let rare = if purges { 0.25 } else { 1.0 };
        limit("min_age", 0.25 * rare, &mut age);
        limit("max_age", 0.15 * rare, &mut age);
        let mut size = |chance: &mut StdRng| json!(*SIZES.choose(chance).unwrap());
        limit("min_size", 0.15 * rare, &mut size);
        limit("max_size", 0.15 * rare, &mut |chance| {
            if chance.random_bool(0.1) { json!(0) } else { size(chance) }
        });
        limit("max_depth", 0.2, &mut |chance| json!(chance.random_range(1..=3)));
        limit("case", 0.05, &mut |_| json!("sensitive"));
    }

    pub fn purges(&self) -> bool {
        self.keys.contains_key("purge")
    }

    /// The same pass with one thing less, for each thing.
    pub fn simpler(&self) -> Vec<Self> {
        let mut simpler = Vec::new();
        let lists: [Part<Vec<String>>; 3] =
            [|pass| &mut pass.include, |pass| &mut pass.exclude, |pass| &mut pass.exclude_directories];
        for list in lists {
            for number in 0..list(&mut self.clone()).len() {
                let mut pass = self.clone();
                list(&mut pass).remove(number);
                simpler.push(pass);
            }
        }
        let maps: [Part<Map<String, Value>>; 2] = [|pass| &mut pass.limits, |pass| &mut pass.keys];
        for map in maps {
            let keys: Vec<String> = map(&mut self.clone()).keys().cloned().collect();
            for key in keys {
                let mut pass = self.clone();
                map(&mut pass).remove(&key);
                simpler.push(pass);
            }
        }
        simpler
    }

    /// As a whole runbook.
    pub fn runbook(&self, from: &Path, to: &Path) -> String {
        let mut filter = self.limits.clone();
        for (key, list) in [
            ("include", &self.include),
            ("exclude", &self.exclude),
            ("exclude_directories", &self.exclude_directories),
        ] {
            if !list.is_empty() {
                let list: Vec<String> = list.iter().map(|pattern| as_template(pattern)).collect();
                filter.insert(key.to_owned(), json!(list));
            }
        }
        let mut copy = Map::new();
        copy.insert("from".into(), json!(from));
        copy.insert("to".into(), json!(to));
        copy.insert("filter".into(), json!("row"));
        copy.insert("retries".into(), json!(0));
        copy.insert("threads".into(), json!(2));
        copy.extend(self.keys.clone());
        let whole = json!({
            "movebook": 1,
            "name": "same-tree",
            "filters": {"row": filter},
            "phases": [{"id": "only", "steps": [{"id": "pass", "copy": copy}]}],
        });
        serde_yaml::to_string(&whole).unwrap()
    }

    /// What the planner makes of it.
    pub fn action(&self, from: &Path, to: &Path) -> CopyAction {
        let text = self.runbook(from, to);
        let refused = |problems: runbook::Problems| -> ! {
            let said: Vec<_> = problems.diagnostics.iter().map(|one| &one.message).collect();
            panic!("the runbook is refused: {said:?}\n{text}")
        };
        let fetch = |_: &str| Ok(text.clone());
        let runbook = runbook::read("same.yaml", &fetch).unwrap_or_else(|problems| refused(problems));
        let values = vars::resolve(&runbook, &Given::default()).unwrap_or_else(|problems| refused(problems));
        let plan = plan::make(runbook, values, json!({}), plan::EnvironmentVariables::new())
            .unwrap_or_else(|problems| refused(problems));
        let step = plan.step("pass").and_then(|step| step.ready());
        let Some(Action::Copy(action)) = step else { panic!("the pass is not planned:\n{text}") };
        action.clone()
    }
}

/// A pattern as a leaf of a runbook: what begins a template is written as the text of one.
fn as_template(pattern: &str) -> String {
    match ["{{", "{%", "{#"].iter().any(|begins| pattern.contains(begins)) {
        true => format!("{{{{ {} }}}}", json!(pattern)),
        false => pattern.to_owned(),
    }
}

//! One case: a pass, a pair of trees, and what the engines make of them.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::SystemTime;

use movebook::plan::CopyAction;
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::engines::{Ended, Engine, Sight, look};
use crate::names::Paths;
use crate::pass::Pass;
use crate::tree::{Entry, OUTSIDE, Seen, Tree};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    pub pass: Pass,
    pub source: Tree,
    pub target: Tree,
}

/// What came of a case.
#[derive(Debug)]
pub struct Outcome {
    /// Who took part.
    pub took_part: Vec<Engine>,
    /// Who did not, with the fields that it cannot be told.
    pub left_out: Vec<(Engine, Vec<&'static str>)>,
    pub sight: Sight,
    /// What is wrong; nothing where all mean the same.
    pub differences: Vec<Difference>,
}

#[derive(Clone, Debug)]
pub struct Difference {
    pub engine: Engine,
    pub told: Vec<String>,
}

impl Case {
    pub fn of_seed(seed: u64) -> Self {
        let mut chance = StdRng::seed_from_u64(seed);
        let source = Tree::source(&mut chance);
        let target = Tree::target(&source, &mut chance);
        let files = source.files().chain(target.files()).map(|(path, _)| path.to_owned()).collect();
        let directories = source.directories().chain(target.directories()).collect();
        let mut pass = Pass::draw(&Paths { files, directories }, &mut chance);
        // In a file's place no link is made.
        let is_taken = |path| target.0.get(path).is_some_and(|entry| !matches!(entry, Entry::Link(_)));
        if source.links().any(is_taken) {
            pass.keys.remove("links");
        }
        Self { pass, source, target }
    }

    /// Does the case with all engines that can be told of it.
    pub fn run(&self, engines: &[Engine]) -> Outcome {
        let folder = tempfile::Builder::new().prefix("same-tree-").tempdir().unwrap();
        let now = SystemTime::now();
        let from = folder.path().join("source");
        self.source.make(&from, folder.path(), now);
        let outside = folder.path().join(OUTSIDE);
        fs::write(&outside, OUTSIDE).unwrap();
        let before = Seen::at(&from);
        let planned = self.pass.action(&from, &folder.path().join("target"));
        let mut outcome = Outcome {
            took_part: Vec::new(),
            left_out: Vec::new(),
            sight: Sight { is_refused: false, copies: 0, extras: 0 },
            differences: Vec::new(),
        };
        let timed: BTreeSet<String> = self.source.directories().collect();
        let mut native: Option<(Result<Ended, String>, Seen)> = None;
        for (number, engine) in engines.iter().enumerate() {
            let action =
                CopyAction { to: folder.path().join(number.to_string()).join("target"), ..planned.clone() };
            if *engine == Engine::NATIVE {
                self.target.make(&action.to, folder.path(), now);
                outcome.sight = look(&action);
            }
            let left_out = engine.left_out(&action, self, &outcome.sight);
            if !left_out.is_empty() {
                outcome.left_out.push((engine.clone(), left_out));
                continue;
            }
            if *engine != Engine::NATIVE {
                self.target.make(&action.to, folder.path(), now);
            }
            let ended = engine.run(&action);
            let seen = Seen::at(&action.to);
            if fs::read_to_string(&outside).unwrap() != OUTSIDE {
                let told = vec!["what a link leads to was written".to_owned()];
                outcome.differences.push(Difference { engine: engine.clone(), told });
                fs::write(&outside, OUTSIDE).unwrap();
            }
            outcome.took_part.push(engine.clone());
            let Some((native_ended, native_seen)) = &native else {
                if let Err(why) = &ended {
                    let told = vec![format!("the native engine failed: {why}")];
                    outcome.differences.push(Difference { engine: engine.clone(), told });
                }
                native = Some((ended, seen));
                continue;
            };
            let mut told = native_seen.differences(&seen, engine.directory_times(), &timed);
            if ended != *native_ended {
                told.push(format!("ended as {native_ended:?} / {ended:?}"));
            }
            if !told.is_empty() {
                outcome.differences.push(Difference { engine: engine.clone(), told });
            }
        }
        assert_eq!(Seen::at(&from), before, "a pass leaves its source alone");
        outcome
    }

    /// What occurs in it, by name.
    pub fn features(&self, sight: &Sight) -> BTreeSet<String> {
        let pass = &self.pass;
        let mut features: BTreeSet<String> = pass.limits.keys().cloned().collect();
        features.extend(pass.keys.iter().map(|(key, value)| match value.as_str() {
            Some(value) => format!("{key}: {value}"),
            None => key.clone(),
        }));
        for (key, list) in [
            ("include", &pass.include),
            ("exclude", &pass.exclude),
            ("exclude_directories", &pass.exclude_directories),
        ] {
            if !list.is_empty() {
                features.insert(key.to_owned());
            }
            if list.iter().any(|pattern| pattern.contains('/')) {
                features.insert(format!("{key} by path"));
            }
        }
        let mut note = |is: bool, name: &str| {
            if is {
                features.insert(name.to_owned());
            }
        };
        note(sight.copies > 0, "files to be copied");
        note(sight.extras > 0 && pass.purges() && !sight.is_refused, "entries to be purged");
        note(sight.is_refused, "a purge that the guard refuses");
        note(self.source.links().next().is_some(), "a link in the source");
        note(self.target.links().next().is_some(), "a link in the target");
        note(self.source.empty_directories().next().is_some(), "an empty directory in the source");
        note(self.source.0.is_empty(), "an empty source");
        note(self.target.0.is_empty(), "an empty target");
        for (path, file) in self.target.files() {
            match self.source.0.get(path) {
                None => note(true, "an extra file"),
                Some(Entry::File(other)) => {
                    note(other == &file, "an equal file");
                    note(other.size == file.size && other.age != file.age, "an equal size and another time");
                    note(other.size != file.size && other.age == file.age, "an equal time and another size");
                }
                Some(_) => note(true, "a file where the source has a link"),
            }
        }
        let extra = |path: String| !self.source.0.contains_key(&path);
        note(self.target.empty_directories().any(extra), "an empty extra directory");
        note(self.target.directories().any(extra), "an extra directory");
        features
    }

    /// The case and what is wrong with it, for people.
    pub fn told(&self, differences: &[Difference]) -> String {
        let (from, to) = (Path::new("/source"), Path::new("/target"));
        let mut told =
            format!("{}  source:\n{}  target:\n{}", self.pass.runbook(from, to), self.source, self.target);
        for Difference { engine, told: lines } in differences {
            let line = engine.line(&self.pass.action(from, to));
            // A text that is written into never fails.
            let _ = writeln!(told, "  native / {engine}: {line}\n    {}", lines.join("\n    "));
        }
        told
    }
}

#[test]
fn a_seed_is_the_same_case_each_time_and_another_one_another() {
    let (case, other) = (Case::of_seed(7), Case::of_seed(8));
    assert_eq!(case, Case::of_seed(7));
    assert_ne!(case, other);
}

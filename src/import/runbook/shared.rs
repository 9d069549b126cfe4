//! What several steps share: variables for paths and services, filters, and defaults.

use std::collections::HashMap;

use indexmap::IndexMap;

use super::step::options;
use crate::filter::{Case, Rules};
use crate::import::names::{self, Taken};
use crate::import::procedure::{Action, Step};
use crate::import::unknown::{self, Unknowns, is_stand_in};
use crate::import::variables::Held;
use crate::import::yaml;
use crate::values;

/// What several steps share.
pub struct Shared {
    pub variables: Vec<Variable>,
    /// Their names by what they hold.
    by_text: HashMap<String, String>,
    by_letter: HashMap<char, String>,
    pub filters: IndexMap<Rules, String>,
    pub defaults: Option<Defaults>,
}

/// A variable of the runbook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    pub name: String,
    kind: &'static str,
    /// `None`: it has to be given.
    pub default: Option<String>,
    description: String,
}

/// What all passes have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Defaults {
    pub retries: Option<u32>,
    pub wait: Option<std::time::Duration>,
    pub threads: Option<u32>,
}

/// What a text is in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Role {
    Source,
    Target,
    Service,
    Host,
}

impl Role {
    fn is_path(self) -> bool {
        matches!(self, Self::Source | Self::Target)
    }
}

impl Shared {
    pub fn of<'s>(steps: impl Iterator<Item = &'s Step> + Clone, held: &[Held], unknowns: &Unknowns) -> Self {
        let mut shared = Self {
            variables: Vec::new(),
            by_text: HashMap::new(),
            by_letter: HashMap::new(),
            filters: IndexMap::new(),
            defaults: defaults(steps.clone()),
        };
        let mut taken = Taken::by_templates();
        shared.name_texts(steps.clone(), held, &mut taken);
        shared.name_unknowns(steps.clone(), unknowns, &mut taken);
        shared.name_filters(steps);
        shared
    }

    /// A text as a scalar of a step.
    pub fn leaf(&self, text: &str) -> String {
        match self.by_text.get(text) {
            Some(name) => format!("'{{{{ {name} }}}}'"),
            None => yaml::template(text, &|letter| self.by_letter.get(&letter).cloned()),
        }
    }

    /// Paths and services that repeat, or that the script itself has a name for.
    fn name_texts<'s>(&mut self, steps: impl Iterator<Item = &'s Step>, held: &[Held], taken: &mut Taken) {
        let mut used: IndexMap<(String, Role), usize> = IndexMap::new();
        for (text, role) in steps.flat_map(texts) {
            // A path that is the source of one pass and the target of another is one variable.
            let known = used.keys().find(|(known, _)| known == text).map(|(_, role)| *role);
            *used.entry((text.to_owned(), known.unwrap_or(role))).or_default() += 1;
        }
        let named: HashMap<&str, &str> =
            held.iter().map(|held| (bare(&held.text), held.name.as_str())).collect();
        used.retain(|(text, _), uses| {
            !unknown::has_stand_in(text) && (*uses > 1 || named.contains_key(text.as_str()))
        });
        let counts = |wanted: Role| used.keys().filter(|(_, role)| *role == wanted).count();
        let several = [Role::Source, Role::Target, Role::Service, Role::Host].map(|role| counts(role) > 1);
        for (text, role) in used.into_keys() {
            let (word, description, is_one_of_several) = match role {
                Role::Source => ("source", "Where files are copied from", several[0]),
                Role::Target => ("target", "Where files are copied to", several[1]),
                Role::Service => ("service", "The key name of a service", several[2]),
                Role::Host => ("host", "The machine that a service runs on", several[3]),
            };
            let last =
                names::variable(text.rsplit(['\\', '/']).find(|part| !part.is_empty()).unwrap_or_default());
            let name = match named.get(text.as_str()) {
                Some(name) => names::variable(name),
                None if is_one_of_several => format!("{word}_{last}"),
                None => word.to_owned(),
            };
            let name = taken.give(&name, '_');
            let kind = if role.is_path() { "path" } else { "string" };
            self.by_text.insert(text.clone(), name.clone());
            self.variables.push(Variable {
                name,
                kind,
                default: Some(text),
                description: description.to_owned(),
            });
        }
    }

    /// What the script does not say has to be given.
    fn name_unknowns<'s>(
        &mut self,
        steps: impl Iterator<Item = &'s Step>,
        unknowns: &Unknowns,
        taken: &mut Taken,
    ) {
        for (text, role) in steps.flat_map(texts) {
            for (at, letter) in text.char_indices().filter(|(_, letter)| is_stand_in(*letter)) {
                let Some(unknown) = unknowns.get(letter).filter(|_| !self.by_letter.contains_key(&letter))
                else {
                    continue;
                };
                let name = taken.give(&names::variable(unknown.name), '_');
                let kind = if role.is_path() && at == 0 { "path" } else { "string" };
                self.by_letter.insert(letter, name.clone());
                let description = format!("What `{}` is in the script", yaml::shown(unknown.written));
                self.variables.push(Variable { name, kind, default: None, description });
            }
        }
    }

    fn name_filters<'s>(&mut self, steps: impl Iterator<Item = &'s Step>) {
        let mut taken = Taken::default();
        for step in steps {
            let Action::Copy(copy) = &step.action else { continue };
            let rules = &copy.pass.rules;
            if *rules != Rules::default() && !self.filters.contains_key(rules) {
                self.filters.insert(rules.clone(), taken.give(&names::filter(rules), '-'));
            }
        }
    }
}

/// What a variable of a script holds, as a root of a pass is spelled.
fn bare(text: &str) -> &str {
    text.trim().trim_matches(['"', '\'']).trim_end_matches(['\\', '/'])
}

fn texts(step: &Step) -> Vec<(&str, Role)> {
    match &step.action {
        Action::Copy(copy) => vec![(&copy.pass.from, Role::Source), (&copy.pass.to, Role::Target)],
        Action::Service(service) if service.host.is_empty() => vec![(&service.name, Role::Service)],
        Action::Service(service) => vec![(&service.name, Role::Service), (&service.host, Role::Host)],
        Action::Wait(_) | Action::Checkpoint { .. } => Vec::new(),
    }
}

fn defaults<'s>(steps: impl Iterator<Item = &'s Step>) -> Option<Defaults> {
    let passes: Vec<_> = steps
        .filter_map(|step| match &step.action {
            Action::Copy(copy) => Some(&copy.pass),
            _ => None,
        })
        .collect();
    let first = *passes.first()?;
    Some(Defaults {
        retries: first.retries.filter(|_| passes.iter().all(|pass| pass.retries == first.retries)),
        wait: first.wait.filter(|_| passes.iter().all(|pass| pass.wait == first.wait)),
        threads: first.threads.filter(|_| passes.iter().all(|pass| pass.threads == first.threads)),
    })
}

impl Defaults {
    pub fn written(&self) -> Vec<String> {
        let mut written = vec!["engine: native".to_owned()];
        written.extend(options(self.retries, self.wait, self.threads));
        written
    }
}

impl Variable {
    pub fn written(&self) -> String {
        let Variable { name, kind, default, description } = self;
        let default =
            default.as_ref().map(|default| format!(", default: {}", yaml::text(default))).unwrap_or_default();
        format!("{name}: {{type: {kind}{default}, description: {}}}", yaml::text(description))
    }
}

/// The rules of a filter, on one line.
pub fn rules(rules: &Rules) -> String {
    let Rules {
        include,
        exclude,
        exclude_directories,
        min_age,
        max_age,
        min_size,
        max_size,
        max_depth,
        case,
    } = rules;
    let mut parts = Vec::new();
    for (key, patterns) in
        [("include", include), ("exclude", exclude), ("exclude_directories", exclude_directories)]
    {
        if !patterns.is_empty() {
            let patterns: Vec<String> =
                patterns.iter().map(|pattern| yaml::template(pattern, &|_| None)).collect();
            parts.push(format!("{key}: [{}]", patterns.join(", ")));
        }
    }
    parts.extend(min_age.map(|age| format!("min_age: {}", values::written(age))));
    parts.extend(max_age.map(|age| format!("max_age: {}", values::written(age))));
    parts.extend(min_size.map(|bytes| format!("min_size: {}", values::written_size(bytes))));
    parts.extend(max_size.map(|bytes| format!("max_size: {}", values::written_size(bytes))));
    parts.extend(max_depth.map(|levels| format!("max_depth: {levels}")));
    if *case == Case::Sensitive {
        parts.push("case: sensitive".to_owned());
    }
    format!("{{{}}}", parts.join(", "))
}

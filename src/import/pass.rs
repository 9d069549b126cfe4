//! One line of robocopy, rclone or rsync as a pass, in the words of a copy step.
//!
//! A reader either carries over all that a line says, or refuses the line with the reason. What is carried over otherwise
//! than it was meant by the other program is told in a note.

mod flags;
mod ordered;
pub mod rclone;
pub mod robocopy;
pub mod rsync;

use std::collections::HashSet;
use std::time::Duration;

use crate::copy::{Access, Compare, Directories, Links, Preserved, Priority};
use crate::filter::{Filter, Rules};
use crate::guard::{PathStyle, judge_path};
use crate::import::unknown;
use crate::rclone::remote::Remote;

/// What a copy step will say, but for what is decided by where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pass {
    pub from: String,
    pub to: String,
    pub rules: Rules,
    pub directories: Directories,
    pub retries: Option<u32>,
    pub wait: Option<Duration>,
    pub threads: Option<u32>,
    pub compare: Compare,
    pub mtime_tolerance: Option<Duration>,
    pub links: Links,
    pub preserve: Vec<Preserved>,
    /// As the language writes it: `10MiB`.
    pub bandwidth: Option<String>,
    pub priority: Priority,
    pub access: Access,
    pub purge: Option<Purge>,
}

/// What is taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Purge {
    /// `None`: the language's own limit.
    pub max_files: Option<u64>,
}

/// What a line of another program comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    Pass {
        pass: Box<Pass>,
        notes: Vec<String>,
    },
    /// It copies nothing: a list, a help text.
    Nothing {
        note: String,
    },
    /// Why it is left, all in one go.
    Left(Vec<String>),
}

impl Reading {
    /// Of a line that looks and copies nothing.
    fn lists(flag: &str) -> Self {
        Self::Nothing { note: format!("it only lists ({flag}), as `movebook plan` does for each pass") }
    }
}

#[cfg(test)]
impl Reading {
    /// The pass that a line of a test has to be.
    pub fn into_pass(self, line: &str) -> Pass {
        match self {
            Self::Pass { pass, .. } => *pass,
            other => panic!("{line}: {other:?}"),
        }
    }

    /// Why a line of a test is left, as it has to be.
    pub fn into_reasons(self, line: &str) -> String {
        match self {
            Self::Left(why) => why.join("\n"),
            other => panic!("{line}: {other:?}"),
        }
    }
}

impl Pass {
    /// A pass that asks for nothing but its roots.
    pub fn plain(from: String, to: String) -> Self {
        Self {
            from,
            to,
            rules: Rules::default(),
            directories: Directories::All,
            retries: None,
            wait: None,
            threads: None,
            compare: Compare::Metadata,
            mtime_tolerance: None,
            links: Links::Skip,
            preserve: Vec::new(),
            bandwidth: None,
            priority: Priority::Normal,
            access: Access::Ordinary,
            purge: None,
        }
    }

    /// Whether a clean pass of this kind clears what another could not copy: it is over the same pair and lets in all that
    /// the other does. One that looks at ages or sizes clears nothing, since names do not tell them.
    pub fn covers(&self, other: &Self) -> bool {
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
        } = &self.rules;
        let is_limited = min_age.is_some() || max_age.is_some() || min_size.is_some() || max_size.is_some();
        let within = |inner: &[String], outer: &[String]| {
            let outer: HashSet<&String> = outer.iter().collect();
            inner.iter().all(|pattern| outer.contains(pattern))
        };
        let theirs = &other.rules;
        let has_names = !include.is_empty() || !exclude.is_empty() || !exclude_directories.is_empty();
        self.from == other.from
            && self.to == other.to
            && !is_limited
            && (!has_names || *case == theirs.case)
            && (include.is_empty() || (!theirs.include.is_empty() && within(&theirs.include, include)))
            && within(exclude, &theirs.exclude)
            && within(exclude_directories, &theirs.exclude_directories)
            && depth_of(self.directories, *max_depth) >= depth_of(other.directories, theirs.max_depth)
    }
}

fn depth_of(directories: Directories, most: Option<u32>) -> u32 {
    match directories {
        Directories::None => 1,
        Directories::All | Directories::NonEmpty => most.unwrap_or(u32::MAX),
    }
}

/// Refuses a root that a step cannot name. One whose beginning is not known is judged when it is.
fn judge_root(root: &str, style: PathStyle) -> Result<(), String> {
    if root.is_empty() {
        return Err("a path is empty".to_owned());
    }
    // Whatever stands for the rest of it.
    if Remote::of(root).is_some() {
        return Err(format!(
            "`{root}` would be a remote of rclone's in a runbook: give the path of a folder"
        ));
    }
    if unknown::has_stand_in(root) {
        return match root.chars().any(char::is_control) {
            true => Err("a path has a character that cannot be seen".to_owned()),
            false => Ok(()),
        };
    }
    match judge_path(root, style) {
        Err(refusal) if refusal.code == "relative_path" => Err(format!(
            "{}: a step needs the whole path, since it does not know the folder that the script is run in",
            refusal.reason
        )),
        judged => judged.map_err(|refusal| format!("{}: {}", refusal.reason, refusal.hint)),
    }
}

/// Without separators at its end, but for a root.
fn trimmed(root: &str) -> String {
    let bare = root.trim_end_matches(['\\', '/']);
    match bare.is_empty() || bare.ends_with(':') {
        true => root.to_owned(),
        false => bare.to_owned(),
    }
}

/// Why rules cannot be a filter of a runbook.
fn judge_rules(rules: &Rules) -> Result<(), String> {
    let patterns = || rules.include.iter().chain(&rules.exclude).chain(&rules.exclude_directories);
    if let Some(unknown) = patterns().find(|pattern| unknown::has_stand_in(pattern)) {
        return Err(format!("the script does not say what `{unknown}` is: write the pattern itself"));
    }
    if patterns().any(|pattern| pattern.trim().is_empty()) {
        return Err("a pattern is empty: leave it out".to_owned());
    }
    Filter::new(rules.clone())
        .map(|_| ())
        .map_err(|error| format!("{error}: write a name, with * and ? alone"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pass(include: &[&str], exclude: &[&str]) -> Pass {
        let list = |patterns: &[&str]| patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
        let rules = Rules { include: list(include), exclude: list(exclude), ..Rules::default() };
        Pass { rules, ..Pass::plain("/a".to_owned(), "/b".to_owned()) }
    }

    #[test]
    fn a_pass_covers_another_that_sees_no_more() {
        assert!(pass(&[], &[]).covers(&pass(&["*.dat"], &["index*"])));
        assert!(pass(&[], &["*.fdb"]).covers(&pass(&[], &["*.fdb", "x"])));
        assert!(!pass(&[], &["*.fdb"]).covers(&pass(&["*.dat"], &[])));
        assert!(!pass(&["*.dat"], &[]).covers(&pass(&[], &[])));
        let top = Pass { directories: Directories::None, ..pass(&[], &[]) };
        assert!(!top.covers(&pass(&[], &[])) && pass(&[], &[]).covers(&top));
        let elsewhere = Pass { to: "/c".to_owned(), ..pass(&[], &[]) };
        assert!(!elsewhere.covers(&pass(&[], &[])));
    }

    #[test]
    fn what_a_runbook_would_take_for_a_remote_is_no_root_whatever_stands_behind_it() {
        let mut unknowns = unknown::Unknowns::default();
        let given = unknowns.stand_in("%OLD%", "old", unknown::Whose::AllScripts);
        for root in ["net use z: pass /a".to_owned(), format!("net use z: pass {given}")] {
            let why = judge_root(&root, PathStyle::Unix).unwrap_err();
            assert!(why.contains("a remote of rclone's"), "{why}");
        }
        assert_eq!(judge_root(r"C:\a", PathStyle::Windows), Ok(()));
    }

    #[test]
    fn a_pass_with_an_age_covers_nothing() {
        let mut aged = pass(&[], &[]);
        aged.rules.min_age = Some(Duration::from_secs(1));
        assert!(!aged.covers(&aged.clone()));
    }
}

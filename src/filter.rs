//! Which files a pass looks at: patterns, ages and sizes, the same for every engine.
//!
//! Pure: a filter never touches a file system. A pattern without `/` is matched against the name, one with `/` against
//! the whole path below the root; in it `*` and `?` stop at a `/`, and `**` does not. Between folders a pattern has
//! `/` on every system: a `\` is refused, since it is a letter of a name on one system and a separator on the other,
//! and a pattern that silently matches nothing would let in what it should keep out.
//!
//! Names that are no Unicode are matched with their odd bytes replaced, and are never lost: such a name is let in or
//! kept out like any other.

mod pattern;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::copy::Rule;
use pattern::Patterns;
pub(crate) use pattern::fold_letter;

/// Whether patterns tell upper and lower case apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Case {
    /// As Windows does.
    #[default]
    Insensitive,
    Sensitive,
}

/// A filter as the runbook gives it, every value known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Rules {
    pub include: Vec<String>,
    pub exclude: Vec<String>,
    pub exclude_directories: Vec<String>,
    pub min_age: Option<Duration>,
    pub max_age: Option<Duration>,
    pub min_size: Option<u64>,
    pub max_size: Option<u64>,
    /// How many levels take part; 1 is what the root itself holds (`robocopy /lev:1`).
    pub max_depth: Option<u32>,
    pub case: Case,
}

/// A pattern that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{list}: the pattern {pattern:?} {reason}")]
pub struct FilterError {
    /// The key that holds it: `include`, `exclude` or `exclude_directories`.
    pub list: &'static str,
    pub pattern: String,
    /// Follows the pattern in the sentence: `has a \ …`.
    pub reason: String,
}

/// What a filter wants to know about a file.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// Below the root, in the system's own form.
    pub path: &'a Path,
    pub size: u64,
    pub modified: SystemTime,
}

/// [`Rules`] whose patterns are known to be valid, ready to match.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct Filter {
    rules: Rules,
    #[serde(skip)]
    include: Patterns,
    #[serde(skip)]
    exclude: Patterns,
    #[serde(skip)]
    exclude_directories: Patterns,
}

impl Filter {
    /// Checks the patterns and makes them ready; the error names the bad one.
    pub fn new(rules: Rules) -> Result<Self, FilterError> {
        Ok(Self {
            include: Patterns::new("include", &rules.include, rules.case)?,
            exclude: Patterns::new("exclude", &rules.exclude, rules.case)?,
            exclude_directories: Patterns::new(
                "exclude_directories",
                &rules.exclude_directories,
                rules.case,
            )?,
            rules,
        })
    }

    /// Lets every file in.
    pub fn everything() -> Self {
        Self {
            rules: Rules::default(),
            include: Patterns::default(),
            exclude: Patterns::default(),
            exclude_directories: Patterns::default(),
        }
    }

    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Whether no rule is set, so that asking is not needed.
    pub fn is_everything(&self) -> bool {
        let Rules {
            include,
            exclude,
            exclude_directories,
            min_age,
            max_age,
            min_size,
            max_size,
            max_depth,
            case: _,
        } = &self.rules;
        include.is_empty()
            && exclude.is_empty()
            && exclude_directories.is_empty()
            && min_age.is_none()
            && max_age.is_none()
            && min_size.is_none()
            && max_size.is_none()
            && max_depth.is_none()
    }

    /// Whether a file takes part in a pass that began at `started`; otherwise the first rule that keeps it out.
    ///
    /// Ages count from the start of the pass, the same for every file: with `min_age` of a day, files modified at or
    /// before `started` − 24 h take part (`robocopy /minage:1`). Limits of size take part themselves.
    /// Folders above the file are not looked at: a pass asks [`Filter::judge_directory`] before it enters one.
    pub fn judge(&self, file: &Candidate<'_>, started: Timestamp) -> Result<(), Rule> {
        self.judge_name(file.path)?;
        // Only a start outside the system's own calendar has no such form; nothing is then old enough.
        let started = SystemTime::try_from(started).unwrap_or(SystemTime::UNIX_EPOCH);
        // An age that reaches back before all time lets no file be old enough, and every file be young enough.
        if let Some(age) = self.rules.min_age
            && started.checked_sub(age).is_none_or(|latest| file.modified > latest)
        {
            return Err(Rule::MinAge);
        }
        if let Some(age) = self.rules.max_age
            && started.checked_sub(age).is_some_and(|earliest| file.modified < earliest)
        {
            return Err(Rule::MaxAge);
        }
        if self.rules.min_size.is_some_and(|least| file.size < least) {
            return Err(Rule::MinSize);
        }
        if self.rules.max_size.is_some_and(|most| file.size > most) {
            return Err(Rule::MaxSize);
        }
        Ok(())
    }

    /// As [`Filter::judge`], by the depth and the patterns for files alone.
    pub fn judge_name(&self, path: &Path) -> Result<(), Rule> {
        if self.rules.max_depth.is_some_and(|most| depth(path) > most as usize) {
            return Err(Rule::MaxDepth);
        }
        if self.exclude.matches(path) {
            return Err(Rule::Exclude);
        }
        if !self.rules.include.is_empty() && !self.include.matches(path) {
            return Err(Rule::Include);
        }
        Ok(())
    }

    /// Whether a directory, given by its path below the root, is entered; otherwise the rule that keeps a pass out of
    /// it (`robocopy /xd`, `/lev`). The root itself is always entered.
    pub fn judge_directory(&self, directory: &Path) -> Result<(), Rule> {
        if self.exclude_directories.matches(directory) {
            return Err(Rule::ExcludeDirectories);
        }
        // What it holds is a level deeper than itself.
        if self.rules.max_depth.is_some_and(|most| depth(directory) >= most as usize) {
            return Err(Rule::MaxDepth);
        }
        Ok(())
    }

    /// Whether a file with this path could take part, whatever its size and age: its name is let in and a pass enters
    /// every folder above it. A pass whose filter says no here cannot clear the debt that the file left.
    pub fn admits_by_name(&self, path: &Path) -> bool {
        self.judge_name(path).is_ok()
            && !path
                .ancestors()
                .skip(1)
                .filter(|folder| !folder.as_os_str().is_empty())
                .any(|folder| self.judge_directory(folder).is_err())
    }
}

/// The level of a path below the root: 1 for what the root itself holds.
fn depth(path: &Path) -> usize {
    path.components().count()
}

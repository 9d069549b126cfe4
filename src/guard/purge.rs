//! Whether a purge may go ahead, judged on its complete list before the first file goes.
//!
//! [`Verdict::Go`] is never said after an error in the pass, of a source that is not whole, or in a target that is not
//! the run's own; nor of a list above a limit that no person agreed to.

use super::{Identity, Refusal, target};
use crate::state::record::Question;

/// Whose the target is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ownership {
    /// The run claimed it, and it is still the same.
    Own,
    /// The run never claimed it.
    Foreign,
    /// Another folder, or none, is where the claimed one was.
    Changed { claimed: Identity, found: Option<Identity> },
}

/// What the pass saw of the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceFacts {
    Absent,
    /// This many entries could not be read, so that what lies below them is unknown.
    Partial {
        unreadable: u64,
    },
    /// All was read; so many regular files are in it, whatever the filter says of them.
    Whole {
        files: u64,
    },
}

/// What would go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PurgeList {
    /// Files, links and what else is no directory.
    pub files: u64,
    pub bytes: u64,
    pub directories: u64,
    /// A digest of the whole list, in order.
    pub digest: String,
}

#[derive(Clone, Debug)]
pub struct PurgeFacts {
    pub target: String,
    pub source: String,
    pub ownership: Ownership,
    /// Files that failed in the pass, and those that vanished in a pass that does not tolerate it.
    pub errors: u64,
    pub source_facts: SourceFacts,
    /// Patterns of `expect:` and of `check … contains` for this source that no file of it matches.
    pub unmatched: Vec<String>,
    pub list: PurgeList,
    /// Regular files in the target before the purge.
    pub target_files: u64,
    /// The digest of a list that a person agreed to at this step.
    pub approved: Option<String>,
}

/// Above either of these a person is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub max_files: u64,
    pub max_percent: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    Go,
    Ask(Question),
    Refuse(Refusal),
}

/// Judges a purge. Refusals come before questions: what no answer can make right is not asked.
pub fn judge_purge(facts: &PurgeFacts, limits: &Limits) -> Verdict {
    if let Some(refusal) = refusal(facts) {
        return Verdict::Refuse(refusal);
    }
    let list = &facts.list;
    let above =
        list.files > limits.max_files || is_above_percent(list.files, facts.target_files, limits.max_percent);
    if !above || facts.approved.as_ref() == Some(&list.digest) {
        return Verdict::Go;
    }
    Verdict::Ask(Question::Purge {
        files: list.files,
        bytes: list.bytes,
        target_files: facts.target_files,
        list: list.digest.clone(),
    })
}

fn refusal(facts: &PurgeFacts) -> Option<Refusal> {
    match &facts.ownership {
        Ownership::Own => {}
        Ownership::Foreign => return Some(target::foreign(&facts.target)),
        Ownership::Changed { .. } => return Some(changed(&facts.target)),
    }
    match facts.source_facts {
        SourceFacts::Absent | SourceFacts::Whole { files: 0 } => return Some(empty_source(&facts.source)),
        SourceFacts::Partial { unreadable } => return Some(partial_source(&facts.source, unreadable)),
        SourceFacts::Whole { .. } => {}
    }
    if facts.errors > 0 {
        return Some(errors(facts.errors));
    }
    if !facts.unmatched.is_empty() {
        return Some(unmatched(&facts.source, &facts.unmatched));
    }
    None
}

/// Exact: `files / all > percent / 100` without a division. With no file at all in the target any is above.
fn is_above_percent(files: u64, all: u64, percent: u32) -> bool {
    u128::from(files) * 100 > u128::from(all) * u128::from(percent)
}

fn changed(target: &str) -> Refusal {
    Refusal::new(
        "target_changed",
        format!("the target {target} is not the folder that this run claimed, so nothing is purged there"),
        "see that the right drive or share is mounted, and go on",
    )
}

fn empty_source(source: &str) -> Refusal {
    Refusal::new(
        "empty_source",
        format!("the source {source} holds no file, so a purge would delete the whole copy"),
        "see that the right drive or share is mounted, and go on",
    )
}

fn partial_source(source: &str, unreadable: u64) -> Refusal {
    Refusal::new(
        "unreadable_source",
        format!(
            "{unreadable} places in the source {source} cannot be read, so a purge would delete their copies"
        ),
        "see to the permissions of the places that the pass names, and go on",
    )
}

fn errors(count: u64) -> Refusal {
    Refusal::new(
        "errors_before_purge",
        format!("the pass had {count} errors, and only a pass without any may purge"),
        "see to the files that the pass names, and go on",
    )
}

fn unmatched(source: &str, patterns: &[String]) -> Refusal {
    let list = patterns.join("`, `");
    Refusal::new(
        "expected_missing",
        format!("the source {source} has nothing that matches `{list}`, so it is not what a purge may trust"),
        "see that the right folder is the source; correct `expect:` or `contains:` if the pattern is wrong",
    )
}

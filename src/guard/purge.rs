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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMITS: Limits = Limits { max_files: 1000, max_percent: 5 };

    fn facts(files: u64, target_files: u64) -> PurgeFacts {
        PurgeFacts {
            target: "/new".into(),
            source: "/old".into(),
            ownership: Ownership::Own,
            errors: 0,
            source_facts: SourceFacts::Whole { files: 10 },
            unmatched: Vec::new(),
            list: PurgeList { files, bytes: 5, directories: 0, digest: "l1".into() },
            target_files,
            approved: None,
        }
    }

    fn refused(facts: &PurgeFacts) -> &'static str {
        match judge_purge(facts, &LIMITS) {
            Verdict::Refuse(refusal) => refusal.code,
            verdict => panic!("{verdict:?}"),
        }
    }

    #[test]
    fn limits_are_exact() {
        for (files, all, limits, goes) in [
            (0, 0, LIMITS, true),
            (0, 100, Limits { max_files: 0, max_percent: 0 }, true),
            (1, 100, Limits { max_files: 0, max_percent: 100 }, false),
            (1, 100, Limits { max_files: 1, max_percent: 0 }, false),
            (5, 100, LIMITS, true),
            (6, 100, LIMITS, false),
            (5, 99, LIMITS, false),
            (4, 99, LIMITS, true),
            (1000, 20_000, LIMITS, true),
            (1001, 1_000_000, LIMITS, false),
            (1000, 19_999, LIMITS, false),
            (1, 0, LIMITS, false),
            (100, 100, Limits { max_files: 100, max_percent: 100 }, true),
            (u64::MAX, u64::MAX, Limits { max_files: u64::MAX, max_percent: 100 }, true),
            (u64::MAX, u64::MAX, Limits { max_files: u64::MAX, max_percent: 99 }, false),
            (u64::MAX, u64::MAX, Limits { max_files: u64::MAX, max_percent: u32::MAX }, true),
        ] {
            let verdict = judge_purge(&facts(files, all), &limits);
            assert_eq!(verdict == Verdict::Go, goes, "{files} of {all}, {limits:?}: {verdict:?}");
        }
    }

    #[test]
    fn a_long_list_is_asked_about_with_its_figures() {
        let question = Question::Purge { files: 6, bytes: 5, target_files: 100, list: "l1".into() };
        assert_eq!(judge_purge(&facts(6, 100), &LIMITS), Verdict::Ask(question));
    }

    #[test]
    fn an_agreed_list_goes_and_another_is_asked_about_anew() {
        let agreed = |list: &str| PurgeFacts { approved: Some(list.into()), ..facts(6, 100) };
        assert_eq!(judge_purge(&agreed("l1"), &LIMITS), Verdict::Go);
        assert!(matches!(judge_purge(&agreed("l2"), &LIMITS), Verdict::Ask(_)));
    }

    #[test]
    fn each_danger_is_refused_by_its_name_even_for_an_agreed_list() {
        let agreed = || PurgeFacts { approved: Some("l1".into()), ..facts(6, 100) };
        let identity = |text: &str| Identity(text.into());
        let changed = Ownership::Changed { claimed: identity("1:2"), found: Some(identity("1:3")) };
        let gone = Ownership::Changed { claimed: identity("1:2"), found: None };
        let unreadable = SourceFacts::Partial { unreadable: 1 };
        for (facts, expected) in [
            (PurgeFacts { ownership: Ownership::Foreign, ..agreed() }, "foreign_target"),
            (PurgeFacts { ownership: changed, ..agreed() }, "target_changed"),
            (PurgeFacts { ownership: gone, ..agreed() }, "target_changed"),
            (PurgeFacts { errors: 1, ..agreed() }, "errors_before_purge"),
            (PurgeFacts { source_facts: SourceFacts::Absent, ..agreed() }, "empty_source"),
            (PurgeFacts { source_facts: SourceFacts::Whole { files: 0 }, ..agreed() }, "empty_source"),
            (PurgeFacts { source_facts: unreadable, ..agreed() }, "unreadable_source"),
            (PurgeFacts { unmatched: vec!["*.fdb".into()], ..agreed() }, "expected_missing"),
        ] {
            assert_eq!(refused(&facts), expected);
        }
    }

    #[test]
    fn a_danger_is_refused_even_when_nothing_would_go() {
        assert_eq!(refused(&PurgeFacts { errors: 1, ..facts(0, 100) }), "errors_before_purge");
    }

    fn any_facts() -> impl Strategy<Value = PurgeFacts> {
        let identity = || Identity("1:2".into());
        let ownership = prop_oneof![
            6 => Just(Ownership::Own),
            1 => Just(Ownership::Foreign),
            1 => Just(Ownership::Changed { claimed: identity(), found: None }),
        ];
        let source = prop_oneof![
            1 => Just(SourceFacts::Absent),
            1 => (1..9_u64).prop_map(|unreadable| SourceFacts::Partial { unreadable }),
            6 => (0..9_u64).prop_map(|files| SourceFacts::Whole { files }),
        ];
        let number = || prop_oneof![0..20_u64, 0..3000_u64, any::<u64>()];
        let errors = prop_oneof![4 => Just(0_u64), 1 => any::<u64>()];
        let unmatched = prop::collection::vec(Just("*.fdb".to_string()), 0..2);
        let approved = prop::option::of(prop::sample::select(vec!["l1".to_string(), "l2".to_string()]));
        (ownership, source, number(), number(), errors, unmatched, approved).prop_map(
            |(ownership, source_facts, files, target_files, errors, unmatched, approved)| PurgeFacts {
                ownership,
                source_facts,
                errors,
                unmatched,
                approved,
                ..facts(files, target_files)
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        #[test]
        fn a_purge_never_goes_ahead_in_danger(facts in any_facts(), max_files in 0..2000_u64, max_percent in 0..120_u32) {
            let verdict = judge_purge(&facts, &Limits { max_files, max_percent });
            if verdict == Verdict::Go {
                prop_assert_eq!(facts.errors, 0);
                prop_assert_eq!(&facts.ownership, &Ownership::Own);
                let whole = matches!(facts.source_facts, SourceFacts::Whole { files } if files > 0);
                prop_assert!(whole);
                prop_assert!(facts.unmatched.is_empty());
                if facts.approved.as_deref() != Some("l1") {
                    prop_assert!(facts.list.files <= max_files);
                    let share = facts.list.files as f64 / facts.target_files.max(1) as f64;
                    prop_assert!(share <= f64::from(max_percent) / 100.0 * (1.0 + 1e-9));
                }
            }
        }

        #[test]
        fn a_stricter_limit_never_lets_more_go(facts in any_facts(), max_files in 0..2000_u64, max_percent in 0..120_u32) {
            let strict = judge_purge(&facts, &Limits { max_files: max_files / 2, max_percent: max_percent / 2 });
            if strict == Verdict::Go {
                prop_assert_eq!(judge_purge(&facts, &Limits { max_files, max_percent }), Verdict::Go);
            }
        }
    }
}

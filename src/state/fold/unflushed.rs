//! What a copy step may have written that never reached the disk.
//!
//! A pass flushes at its end. Whatever ended it before that (a kill, Ctrl-C, a power cut) left its files to the system, which
//! brings them to the disk in its own time, unless the machine or the volume goes first. Then a file may have its size and
//! its time without its content, so that looking at it is not enough. Pure: the words for "the same machine, the same mount"
//! come from the records.

use jiff::Timestamp;

use super::RunState;

/// From the first start of a step since its last flush.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unflushed {
    pub since: Timestamp,
    /// What held at each start; `None` where it was not known, or not always the same.
    pub continuity: Option<String>,
    starts: Starts,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Starts {
    One,
    /// All but the last one ended before their flush.
    Several,
}

impl Unflushed {
    /// One more start.
    pub(super) fn begun(before: Option<Self>, at: Timestamp, continuity: Option<String>) -> Self {
        match before {
            None => Self { since: at, continuity, starts: Starts::One },
            Some(before) => Self {
                // A clock may have been set back meanwhile.
                since: before.since.min(at),
                continuity: continuity.filter(|now| before.continuity.as_ref() == Some(now)),
                starts: Starts::Several,
            },
        }
    }
}

impl RunState {
    /// Since when nothing that this run wrote may be believed by its looks, for a copy step that has just been started.
    /// Another step's broken start counts too: both may have written into one target.
    pub fn distrusted_since(&self, step: &str) -> Option<Timestamp> {
        let now = self.steps.get(step)?.unflushed.as_ref()?.continuity.as_ref();
        self.steps
            .iter()
            .filter_map(|(id, state)| Some((id, state.unflushed.as_ref()?)))
            .filter(|(id, unflushed)| match &unflushed.continuity {
                Some(then) => *id != step && now != Some(then),
                None => *id != step || unflushed.starts == Starts::Several,
            })
            .map(|(_, unflushed)| unflushed.since)
            .min()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{RunState, fold};
    use crate::state::record::{Body, Question, Record};
    use crate::state::sample::{asked, at, done, interrupted, run_started, session};

    fn started(step: &str, continuity: &str) -> Body {
        let continuity = (!continuity.is_empty()).then(|| continuity.to_owned());
        Body::StepStarted { step: step.into(), attempt: 1, digest: "x".into(), continuity }
    }

    fn state(bodies: Vec<Body>) -> RunState {
        let records: Vec<Record> = [run_started(), session()]
            .into_iter()
            .chain(bodies)
            .enumerate()
            .map(|(seq, body)| Record { seq: seq as u64, at: at(seq as i64), body })
            .collect();
        fold(&records).unwrap()
    }

    /// Since which record a step that was just started believes nothing.
    fn distrusted(step: &str, bodies: Vec<Body>) -> Option<usize> {
        let since = state(bodies).distrusted_since(step)?;
        (0..20).find(|seq| at(*seq as i64) == since)
    }

    #[test]
    fn a_first_start_believes_all() {
        assert_eq!(distrusted("early", vec![started("early", "one")]), None);
        assert_eq!(distrusted("early", vec![started("early", "")]), None, "also where nothing is known");
    }

    #[test]
    fn a_start_after_a_mere_kill_or_ctrl_c_believes_all() {
        let mut bodies = vec![started("early", "one"), started("early", "one")];
        assert_eq!(distrusted("early", bodies.clone()), None);
        bodies.extend([interrupted("early"), started("early", "one")]);
        assert_eq!(distrusted("early", bodies), None);
    }

    #[test]
    fn a_start_after_the_machine_or_the_mount_went_distrusts_from_the_first_unflushed_start_on() {
        let bodies = vec![started("early", "one"), started("early", "one"), started("early", "two")];
        assert_eq!(distrusted("early", bodies), Some(2));
    }

    #[test]
    fn distrust_lasts_until_a_pass_came_to_its_end() {
        let mut bodies = vec![started("early", "one"), started("early", "two"), started("early", "two")];
        assert_eq!(distrusted("early", bodies.clone()), Some(2));
        bodies.extend([done("early"), started("final", "two")]);
        assert_eq!(distrusted("final", bodies), None);
    }

    #[test]
    fn what_is_not_known_is_not_believed() {
        assert_eq!(distrusted("early", vec![started("early", ""), started("early", "one")]), Some(2));
        assert_eq!(distrusted("early", vec![started("early", "one"), started("early", "")]), Some(2));
    }

    #[test]
    fn a_question_about_a_purge_comes_behind_the_flush() {
        let question = Question::Purge { files: 1, bytes: 1, target_files: 1, list: "l".into() };
        let bodies = vec![started("early", "one"), asked("early", question), started("early", "two")];
        assert_eq!(distrusted("early", bodies), None);
    }

    #[test]
    fn another_steps_broken_start_counts_too() {
        let bodies = vec![started("early", "one"), interrupted("early"), started("final", "two")];
        assert_eq!(distrusted("final", bodies), Some(2));
    }
}

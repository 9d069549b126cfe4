use proptest::prelude::*;

use super::*;
use crate::state::sample::{self, *};

fn folded(bodies: Vec<Body>) -> RunState {
    fold(&records(bodies)).unwrap_or_else(|damage| panic!("{damage}"))
}

/// A run that has begun, and then these.
fn begun(bodies: impl IntoIterator<Item = Body>) -> Vec<Body> {
    [run_started(), session()].into_iter().chain(bodies).collect()
}

fn refused(bodies: impl IntoIterator<Item = Body>) -> String {
    let records = records(begun(bodies));
    let Damage { line, fault } = fold(&records).expect_err("the journal contradicts itself");
    assert_eq!(line, records.len(), "the last record is the one that does not fit: {fault}");
    fault.to_string()
}

#[test]
fn a_whole_run_is_folded_and_finished() {
    let state = folded(every_kind());
    assert!(state.finished.is_some());
    assert!(state.debt.is_empty());
    assert_eq!(state.sessions.len(), 2);
    assert_eq!(state.records, every_kind().len() as u64);
    assert!(state.steps.values().all(|step| step.status.is_final()));
    assert_eq!(state.steps["final"].attempts, 2);
    assert!((state.steps["final"].seconds - 2.5).abs() < 1e-9, "both attempts count");
}

#[test]
fn no_records_are_no_run() {
    assert_eq!(fold(&[]).unwrap_err().fault, Fault::NoStart);
}

#[test]
fn steps_that_nothing_happened_to_are_pending_in_the_order_of_the_plan() {
    let state = folded(begun([]));
    let ids: Vec<_> = state.steps.keys().map(String::as_str).collect();
    assert_eq!(ids, ["key", "early", "stop", "final", "proof", "after"]);
    assert!(state.steps.values().all(|step| step.status == Status::Pending));
}

#[test]
fn a_step_without_an_end_was_under_way() {
    let state = folded(begun([started("key")]));
    assert_eq!(*state.status("key"), Status::Started { attempt: 1, at: at(2) });
}

#[test]
fn a_step_done_twice_is_refused() {
    let why = refused([started("key"), done("key"), done("key")]);
    assert!(why.contains("key"), "{why}");
}

#[test]
fn a_step_started_after_it_was_done_is_refused() {
    refused([started("key"), done("key"), started("key")]);
}

#[test]
fn a_step_done_without_having_been_started_is_refused() {
    refused([done("key")]);
    refused([started("key"), failed("key"), done("key")]);
    refused([started("key"), interrupted("key"), done("key")]);
}

#[test]
fn a_skipped_step_stays_skipped() {
    refused([skipped("key"), started("key")]);
    refused([skipped("key"), skipped("key")]);
    refused([skipped("key"), failed("key")]);
}

#[test]
fn a_step_that_is_not_in_the_plan_is_refused() {
    refused([started("nowhere")]);
    refused([skipped("nowhere")]);
    refused([asked("nowhere", Question::Checkpoint)]);
}

#[test]
fn a_failed_step_can_be_started_again() {
    let state = folded(begun([started("key"), failed("key"), started("key"), done("key")]));
    assert_eq!(*state.status("key"), Status::Done);
}

#[test]
fn an_answer_to_what_was_not_asked_is_refused() {
    refused([started("key"), answered("key", Question::Checkpoint, Answer::Confirmed)]);
}

#[test]
fn an_answer_to_another_question_is_refused() {
    let other = Question::Purge { files: 2000, bytes: 9, target_files: 3000, list: "another".into() };
    refused([started("key"), asked("key", purge()), answered("key", other, Answer::Confirmed)]);
}

#[test]
fn a_second_answer_is_refused() {
    let answer = || answered("key", Question::Checkpoint, Answer::Confirmed);
    refused([started("key"), asked("key", Question::Checkpoint), answer(), answer()]);
}

#[test]
fn a_question_is_open_until_it_is_answered() {
    let question = [started("key"), asked("key", Question::Checkpoint)];
    let state = folded(begun(question.clone()));
    assert_eq!(
        state.waiting().map(|(step, open)| (step, &open.question)),
        Some(("key", &Question::Checkpoint))
    );
    let answer = answered("key", Question::Checkpoint, Answer::Confirmed);
    assert!(folded(begun(question.into_iter().chain([answer]))).waiting().is_none());
}

#[test]
fn a_secret_answer_is_not_visible_to_templates() {
    let bodies = [("key", Answer::Secret("$argon2id$canary".into())), ("early", Answer::Confirmed)]
        .into_iter()
        .chain([("stop", Answer::Text("t".into())), ("final", Answer::Choice("c".into()))])
        .flat_map(|(step, answer)| {
            [started(step), asked(step, Question::Checkpoint), answered(step, Question::Checkpoint, answer)]
        });
    let visible = folded(begun(bodies)).visible_answers();
    let expected = [("early", "confirmed"), ("final", "c"), ("stop", "t")];
    assert_eq!(visible, expected.map(|(step, text)| (step.to_string(), text.to_string())).into());
}

#[test]
fn an_answer_about_a_purge_is_no_answer_of_the_step() {
    let state =
        folded(begun([started("key"), asked("key", purge()), answered("key", purge(), Answer::Confirmed)]));
    assert!(state.visible_answers().is_empty());
}

#[test]
fn a_purge_is_approved_for_its_very_list_and_by_a_confirmation_only() {
    let said = |answer| {
        folded(begun([
            started("key"),
            asked("key", purge()),
            answered("key", purge(), answer),
            started("key"),
        ]))
    };
    let state = said(Answer::Confirmed);
    assert!(state.said_of_purge("key", "l1").is_some(), "it outlives a new start of the step");
    assert!(state.said_of_purge("key", "l2").is_none());
    assert!(state.said_of_purge("early", "l1").is_none());
    let keep = Answer::Choice("keep".into());
    assert_eq!(said(keep.clone()).said_of_purge("key", "l1"), Some(&keep));
}

#[test]
fn an_adoption_counts_only_when_confirmed() {
    let said =
        |answer| folded(begun([started("key"), asked("key", adopt()), answered("key", adopt(), answer)]));
    assert!(said(Answer::Choice("adopt".into())).adoption_agreed("1:2"));
    assert!(!said(Answer::Choice("no".into())).adoption_agreed("1:2"));
    assert!(!said(Answer::Confirmed).owns("1:2"), "agreed is not yet claimed");
}

#[test]
fn a_claimed_target_is_owned_by_identity() {
    let state = folded(begun([claimed()]));
    assert!(state.owns("1:2"));
    assert!(!state.owns("1:3"));
    assert_eq!(state.targets["/new"].found, Found::Adopted);
}

#[test]
fn an_expired_checkpoint_is_asked_again_and_keeps_its_answer_meanwhile() {
    let once = |answer: &str| {
        let answer = Answer::Text(answer.into());
        [asked("key", Question::Checkpoint), answered("key", Question::Checkpoint, answer)]
    };
    let first = [started("key")].into_iter().chain(once("one")).chain([done("key")]);
    let again = begun(first.chain([asked("key", Question::Checkpoint)]));
    let state = folded(again.clone());
    assert!(!state.status("key").is_final());
    assert_eq!(state.visible_answers()["key"], "one");
    let [_, answer] = once("two");
    let state = folded(again.into_iter().chain([answer, done("key")]).collect());
    assert_eq!(*state.status("key"), Status::Done);
    assert_eq!(state.visible_answers()["key"], "two");
}

#[test]
fn a_done_step_asks_about_nothing_but_debt_and_its_checkpoint() {
    for question in [purge(), adopt(), Question::Unknown] {
        refused([started("key"), done("key"), asked("key", question)]);
    }
    let state = folded(begun([started("key"), done_owing("key"), asked("key", Question::Debt { files: 1 })]));
    assert_eq!(*state.status("key"), Status::Done);
}

#[test]
fn debt_stays_until_it_is_cleared_or_waived() {
    let owing = || vec![started("early"), done_owing("early")];
    assert_eq!(folded(begun(owing())).debt.keys().collect::<Vec<_>>(), ["early"]);
    let cleared = owing().into_iter().chain([started("final"), done_clearing("final", "early")]);
    let state = folded(begun(cleared));
    assert!(state.debt.is_empty());
    assert!(state.steps["early"].debt.is_some(), "what was tolerated is still told");
    assert!(folded(begun(owing().into_iter().chain([waived("early")]))).debt.is_empty());
}

#[test]
fn debt_that_does_not_exist_cannot_be_cleared_or_waived() {
    refused([waived("early")]);
    refused([started("final"), done_clearing("final", "early")]);
}

#[test]
fn a_run_cannot_finish_with_a_step_left() {
    let finished = Body::RunFinished { seconds: 1.0 };
    let why = refused([finished]);
    assert!(why.contains("key"), "{why}");
}

#[test]
fn a_run_cannot_finish_with_debt() {
    let steps = ["key", "stop", "final", "proof", "after"].map(skipped);
    let bodies =
        steps.into_iter().chain([started("early"), done_owing("early"), Body::RunFinished { seconds: 1.0 }]);
    let why = refused(bodies);
    assert!(why.contains("debt"), "{why}");
}

#[test]
fn nothing_follows_the_end_of_a_run() {
    let mut bodies = every_kind();
    bodies.push(session());
    assert!(fold(&records(bodies)).is_err());
}

#[test]
fn a_second_start_is_refused_and_a_first_record_that_is_no_start() {
    assert!(fold(&records(vec![session()])).is_err());
    let mut state = folded(begun([]));
    let second = Record { seq: 2, at: at(2), body: run_started() };
    assert_eq!(state.apply(&second).unwrap_err().fault, Fault::SecondStart);
}

#[test]
fn a_refused_record_changes_nothing() {
    let mut state = folded(begun([started("key"), done("key")]));
    let before = state.clone();
    let refused = Record { seq: 4, at: at(4), body: done_clearing("key", "early") };
    assert!(state.apply(&refused).is_err());
    assert_eq!(state, before);
}

#[test]
fn accepted_changes_bring_the_new_order_and_keep_what_is_known() {
    let mut changed = basis();
    changed.steps = vec![mark("new", "prepare", "n"), mark("key", "end", "k"), mark("after", "end", "a2")];
    let state = folded(begun([
        started("key"),
        done("key"),
        started("stop"),
        accepted(changed.clone()),
        started("new"),
    ]));
    assert_eq!(state.basis, changed);
    let ids: Vec<_> = state.steps.keys().map(String::as_str).collect();
    assert_eq!(ids, ["new", "key", "after", "early", "stop", "final", "proof"]);
    assert_eq!(*state.status("key"), Status::Done);
    assert_eq!(state.steps["key"].phase, "end");
    assert_eq!(state.steps["stop"].planned, Planned::NoLonger);
    assert!(matches!(state.status("stop"), Status::Started { .. }));
}

#[test]
fn a_run_finishes_without_the_steps_that_changes_took_out() {
    let mut changed = basis();
    changed.steps.truncate(1);
    let bodies = [accepted(changed), started("key"), done("key"), Body::RunFinished { seconds: 4.0 }];
    assert!(folded(begun(bodies)).finished.is_some());
}

#[test]
fn downtime_lasts_from_its_first_start_to_the_end_of_its_last_step() {
    // Records are a second apart: `stop` starts at 2.
    let steps = vec![started("stop"), done("stop"), started("final"), failed("final")];
    let state = folded(begun(steps.clone()));
    assert_eq!(state.downtime_seconds(at(100)), Some(98.0), "a step is left: it lasts until now");
    let rest = [started("final"), done("final"), skipped("proof"), started("after"), done("after")];
    let state = folded(begun(steps.into_iter().chain(rest)));
    assert_eq!(state.downtime_seconds(at(100)), Some(6.0), "`proof` was skipped at 8");
}

#[test]
fn there_is_no_downtime_before_it_begins() {
    assert_eq!(folded(begun([started("key"), done("key")])).downtime_seconds(at(100)), None);
}

#[test]
fn downtimes_apart_from_each_other_are_added() {
    let mut two = basis();
    two.phases = vec![phase("prepare", true), phase("downtime", false), phase("end", true)];
    let bodies =
        [accepted(two), started("key"), done("key"), skipped("early"), started("after"), done("after")];
    // `key` starts at 3, `early` is skipped at 5; `after` starts at 6 and is done at 7.
    assert_eq!(folded(begun(bodies)).downtime_seconds(at(100)), Some(3.0));
}

#[test]
fn a_clock_that_was_set_back_gives_no_negative_time() {
    let state = folded(begun([started("stop")]));
    assert_eq!(state.total_seconds(at(-50)), 0.0);
    assert_eq!(state.downtime_seconds(at(-50)), Some(0.0));
}

fn any_step() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["key", "early", "stop", "final", "proof", "after", "nowhere"])
}

fn any_question() -> impl Strategy<Value = Question> {
    prop::sample::select(vec![
        Question::Checkpoint,
        purge(),
        adopt(),
        Question::Unknown,
        Question::Debt { files: 1 },
    ])
}

#[test]
fn whoever_brings_something_back_takes_back_what_was_agreed_to() {
    let agreed = [started("final"), asked("final", purge()), answered("final", purge(), Answer::Confirmed)];
    let before = folded(begun(agreed.clone()));
    assert!(before.said_of_purge("final", "l1").is_some());
    let mut bodies = begun(agreed);
    bodies.extend([
        purging("final", 1),
        interrupted("final"),
        changing(Deed::Discard),
        changed(Deed::Discard),
    ]);
    assert!(folded(bodies.clone()).said_of_purge("final", "l1").is_some());
    bodies.push(changing(Deed::Restore));
    assert_eq!(folded(bodies).said_of_purge("final", "l1"), None);
}

#[test]
fn a_quarantine_can_be_changed_after_the_end_of_the_run_and_nothing_else() {
    let mut records = records(every_kind());
    let state = fold(&records).unwrap();
    assert!(state.finished.is_some());
    assert_eq!(state.quarantine.taken().files, 2);
    assert_eq!(
        (state.quarantine.sum(Deed::Restore).files, state.quarantine.sum(Deed::Discard).files),
        (1, 1)
    );
    let seq = records.len() as u64;
    records.push(Record { seq, at: at(99), body: session() });
    assert!(fold(&records).is_err());
}

#[test]
fn a_change_of_the_quarantine_that_has_no_end_is_known() {
    let mut bodies = begun([started("final"), purging("final", 1), changing(Deed::Restore)]);
    assert_eq!(folded(bodies.clone()).quarantine.unfinished().unwrap().deed, Deed::Restore);
    bodies.push(changed(Deed::Restore));
    assert_eq!(folded(bodies.clone()).quarantine.unfinished(), None);
    bodies.push(changed(Deed::Restore));
    assert!(fold(&records(bodies)).is_err());
}

fn any_body() -> impl Strategy<Value = Body> {
    prop_oneof![
        8 => any_step().prop_map(started),
        8 => any_step().prop_map(done),
        2 => any_step().prop_map(done_owing),
        2 => (any_step(), any_step()).prop_map(|(step, cleared)| done_clearing(step, cleared)),
        2 => any_step().prop_map(failed),
        2 => any_step().prop_map(interrupted),
        2 => any_step().prop_map(skipped),
        4 => (any_step(), any_question()).prop_map(|(step, question)| asked(step, question)),
        4 => (any_step(), any_question())
            .prop_map(|(step, question)| answered(step, question, Answer::Confirmed)),
        1 => any_step().prop_map(waived),
        1 => Just(accepted(sample::basis())),
        1 => Just(claimed()),
        1 => Just(session()),
        1 => Just(Body::RunFinished { seconds: 1.0 }),
        2 => (any_step(), 1..4_u32).prop_map(|(step, number)| purging(step, number)),
        2 => prop::sample::select(vec![Deed::Restore, Deed::Discard]).prop_map(changing),
        2 => prop::sample::select(vec![Deed::Restore, Deed::Discard]).prop_map(changed),
    ]
}

proptest! {
    #[test]
    fn no_sequence_panics_and_done_steps_stay_done(bodies in prop::collection::vec(any_body(), 0..60)) {
        let mut state = folded(begun([]));
        for (seq, body) in (2_u64..).zip(bodies) {
            let asked_again = matches!(&body, Body::Asked { question: Question::Checkpoint, .. });
            let before = state.clone();
            let record = Record { seq, at: at(seq.cast_signed()), body };
            if state.apply(&record).is_err() {
                prop_assert_eq!(&state, &before);
                continue;
            }
            for (id, step) in &before.steps {
                if step.status.is_final() && !asked_again {
                    prop_assert_eq!(state.status(id), &step.status);
                }
            }
            let quarantine =
                matches!(record.body, Body::QuarantineChanging { .. } | Body::QuarantineChanged { .. });
            prop_assert!(before.finished.is_none() || quarantine);
            prop_assert!(state.finished.is_none() || state.debt.is_empty());
        }
    }

    #[test]
    fn every_prefix_of_a_journal_folds_to_what_came_from_taking_its_records_one_by_one(length in 1..=38_usize) {
        let records = records(every_kind());
        let records = &records[..length.min(records.len())];
        let mut state = RunState::begin(&records[0]).unwrap();
        for record in &records[1..] {
            state.apply(record).unwrap();
        }
        prop_assert_eq!(fold(records).unwrap(), state);
    }
}

#[test]
fn a_purge_that_was_cut_off_is_not_closed_by_a_later_pass_of_its_step() {
    let kept =
        folded(begun([started("final"), purging("final", 1), started("final"), done_purging("final")]));
    assert_eq!(kept.quarantine.purges[0].taken, None, "the pass behind it took nothing into its folder");
    let purged = folded(begun([
        started("final"),
        purging("final", 1),
        started("final"),
        purging("final", 2),
        done_purging("final"),
    ]));
    let taken: Vec<_> =
        purged.quarantine.purges.iter().map(|entry| entry.taken.map(|taken| taken.files)).collect();
    assert_eq!(taken, [None, Some(2)]);
}

//! A copy step: whose the target is, the pass, its account, and the purge behind it.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use jiff::Timestamp;

use super::expectation::{self, Expectation};
use super::facts;
use super::outcome::{Failure, Figures};
use super::progress::Meter;
use super::purge::{Purged, Purging};
use super::question::{Asking, Heard, choice_prompt};
use super::rights;
use super::session::Session;
use super::step::{Done, Performed};
use crate::cancel::Cancel;
use crate::copy::account::{self, Account, Head, Names, Writer};
use crate::copy::{
    CopyPass, ErrorClass, Extras, FileError, OnErrors, PassError, PassSummary, Phase, Progress, Watch, names,
};
use crate::engine;
use crate::error::Result;
use crate::event::Event;
use crate::guard::{self, ClaimVerdict};
use crate::plan::{CopyAction, Evidence, PlannedStep};
use crate::state::fold::{ADOPT, PassResult};
use crate::state::record::{Body, Debt, Found, Question};

impl Session<'_> {
    pub(super) fn copy(&mut self, step: &PlannedStep, action: &CopyAction) -> Result<Performed> {
        let _rights = match rights::of_copy(action) {
            Ok(rights) => rights,
            Err(failure) => return Ok(failure.into()),
        };
        if let Err(refusal) = facts::judge_copy(action) {
            return Ok(Performed::from(Failure::from(refusal)));
        }
        if let Some(stop) = self.claim(step, action)? {
            return Ok(stop);
        }
        let begun = Instant::now();
        let pass = CopyPass { distrust: self.state.distrusted_since(&step.id), ..pass_of(action) };
        let names = self.begin_account(step, &pass);
        let expectation = expectation::of_copy(self.plan, &self.state, action);
        let outcome = self.watched(step, "copying", expectation, Some(&names), |watch| {
            engine::of(action).copy(&pass, watch)
        });
        let mut outcome = match outcome {
            Ok(outcome) => outcome,
            // What was named so far stays, without an end.
            Err(error) => return Ok(ended_early(error)),
        };
        if let Some(warning) = outcome.warning.take() {
            self.warn(Some(&step.id), warning);
        }
        let unread = unread(&outcome.summary, action);
        if unread == Unread::Told {
            self.warn(Some(&step.id), words_of_unread(outcome.summary.extra_unread));
        }
        let errors = errors(&outcome.summary, action.errors, unread);
        if errors > 0 && action.errors == OnErrors::Fail {
            if action.purge.is_some() {
                super::purge::keep(&mut outcome, &names);
            }
            self.end_account(step, names, &outcome.summary);
            return Ok(too_many(&outcome.summary, unread));
        }
        if let Some(purge) = action.purge {
            let purging = Purging { step, action, limits: purge, pass: &pass, errors, names: &names };
            match self.purge(&purging, &mut outcome)? {
                Purged::Over => {}
                Purged::CutOff(stop) => return Ok(stop),
                Purged::Stop(stop) => {
                    self.end_account(step, names, &outcome.summary);
                    return Ok(stop);
                }
            }
        }
        self.end_account(step, names, &outcome.summary);
        let summary = &outcome.summary;
        let debt = (errors > 0).then(|| Debt {
            from: action.from.display().to_string(),
            to: action.to.display().to_string(),
            files: errors,
            errors: summary
                .errors
                .iter()
                .filter(|error| error.class != ErrorClass::Vanished)
                .cloned()
                .collect(),
        });
        let clears = self.cleared_by(action, result(summary));
        Ok(Performed::Done(Done { figures: figures(summary, begun), debt, clears }))
    }

    /// Begins the file of names of a step's pass; those of an earlier pass of the step are gone with it.
    fn begin_account(&self, step: &PlannedStep, pass: &CopyPass) -> Writer {
        let head = Head {
            account: account::FORMAT,
            run: self.state.run.clone(),
            step: step.id.clone(),
            attempt: self.state.steps.get(&step.id).map_or(0, |state| state.attempts),
            started: pass.started,
            from: names::shown(&pass.from),
            to: names::shown(&pass.to),
        };
        Writer::begin(&account::file_of(self.state_path(), &step.id), &head)
    }

    /// Ends the file of names; the record of the step's end vouches for it. A pass never fails for want of names.
    fn end_account(&mut self, step: &PlannedStep, names: Writer, summary: &PassSummary) {
        let sums = PassSummary { errors: Vec::new(), ..summary.clone() };
        let (names, unsynced) = names.finish(&sums);
        self.unsynced.extend(unsynced.map(|file| (step.id.clone(), file)));
        if let Names::Lost(why) = &names {
            let message = format!(
                "the names of this pass are not kept: {why}; its sums are in the state file all the same"
            );
            self.warn(Some(&step.id), message);
        }
        self.account = Some(Account { sums, names });
    }

    /// Brings the names of all passes of this process to the disk.
    pub(super) fn sync_names(&mut self) {
        for (step, names) in std::mem::take(&mut self.unsynced) {
            if let Err(error) = names.sync() {
                let message = format!("the names of its pass may not outlive a power cut: {error}");
                self.warn(Some(&step), message);
            }
        }
    }

    /// Runs a pass or a part of one, and shows how far it is.
    pub(super) fn watched<T>(
        &self,
        step: &PlannedStep,
        doing: &'static str,
        expectation: Option<Expectation>,
        account: Option<&Writer>,
        work: impl FnOnce(&Watch<'_>) -> Result<T, PassError>,
    ) -> Result<T, PassError> {
        let begun = Instant::now();
        let (stage, cancel) = (&self.stage, self.cancel);
        let meter = Mutex::new(Meter::default());
        let show = |progress: Progress| {
            let at = begun.elapsed();
            let reading =
                meter.lock().unwrap_or_else(PoisonError::into_inner).read(at, &progress, expectation);
            stage.show(&Event::StepProgress {
                step: step.id.clone(),
                doing: progress.phase.map_or(doing, Phase::word),
                progress,
                seconds: at.as_secs_f64(),
                rate: reading.rate,
                expected: reading.expected,
                left: reading.left,
                left_by: reading.left_by,
            });
        };
        work(&Watch { progress: &show, cancel, account })
    }

    /// Makes sure whose the target is, before anything is written there. `Some` stops the step.
    fn claim(&mut self, step: &PlannedStep, action: &CopyAction) -> Result<Option<Performed>> {
        let path = action.to.display().to_string();
        let facts = match facts::claim(self.plan, action, &self.state, self.cancel) {
            Ok(facts) => facts,
            Err(error) => {
                let failure = Failure::failed(format!("cannot look at the target {path}: {error}"))
                    .hint("see that the drive or share is there and can be read, and go on");
                return Ok(Some(failure.into()));
            }
        };
        let found = match guard::judge_claim(&facts) {
            ClaimVerdict::Own | ClaimVerdict::Foreign => return Ok(None),
            ClaimVerdict::Refuse(refusal) => return Ok(Some(Failure::from(refusal).into())),
            ClaimVerdict::Claim(found) => found,
            ClaimVerdict::Ask(question) => {
                let question = counted(question, action, self.cancel);
                let prompt = choice_prompt(
                    format!("The target {path} is not empty. Take it over as this run's own?"),
                    "From then on a purge may take away whatever the source does not have. Look at what is in it first.",
                    [(ADOPT, "it is an earlier copy of this source, and may be purged")],
                    Evidence::None,
                );
                match self.ask(Asking {
                    step: &step.id,
                    title: &step.title,
                    question,
                    prompt,
                    list: Vec::new(),
                })? {
                    Heard::Answer(_) => Found::Adopted,
                    Heard::None(unanswered) => return Ok(Some(Performed::Unanswered(unanswered))),
                }
            }
        };
        let identity = match facts::make_target(action, self.cancel) {
            Ok(identity) => identity,
            Err(error) => {
                let failure = Failure::failed(format!("cannot make the target folder {path}: {error}"))
                    .hint("see that its drive or share is there and can be written to, and go on");
                return Ok(Some(failure.into()));
            }
        };
        self.append(Body::TargetClaimed { path, identity: identity.0, found })?;
        Ok(None)
    }
}

/// The question with the number of files that a person judges by.
fn counted(question: Question, action: &CopyAction, cancel: &Cancel) -> Question {
    match question {
        Question::Adopt { path, identity, .. } => {
            Question::Adopt { path, identity, files: facts::count(action, cancel) }
        }
        other => other,
    }
}

/// The pass of a step, as it begins now.
pub fn pass_of(action: &CopyAction) -> CopyPass {
    CopyPass {
        from: action.from.clone(),
        to: action.to.clone(),
        filter: action.filter.clone(),
        started: Timestamp::now(),
        directories: action.directories,
        errors: action.errors,
        retries: action.retries,
        wait: action.wait,
        threads: action.threads,
        compare: action.compare,
        mtime_tolerance: action.mtime_tolerance,
        links: action.links,
        preserve: action.preserve,
        bandwidth: action.bandwidth.clone(),
        priority: action.priority,
        resume_over: action.resume_over,
        distrust: None,
        extras: if action.purge.is_some() { Extras::List } else { Extras::Keep },
    }
}

/// What entries that only the target has, and that cannot be read, are to a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unread {
    /// Errors: what cannot be read cannot be purged.
    Errors,
    /// Nothing but told: the step takes nothing away.
    Told,
    /// There are none.
    None,
}

fn unread(summary: &PassSummary, action: &CopyAction) -> Unread {
    match (summary.extra_unread, action.purge) {
        (0, _) => Unread::None,
        (_, Some(_)) => Unread::Errors,
        (_, None) => Unread::Told,
    }
}

/// What was not looked at and should have been.
fn lost(summary: &PassSummary, unread: Unread) -> u64 {
    summary.failed.files + if unread == Unread::Errors { summary.extra_unread } else { 0 }
}

/// What counts as an error of the pass: a vanished file is none where errors are tolerated.
fn errors(summary: &PassSummary, on_errors: OnErrors, unread: Unread) -> u64 {
    match on_errors {
        OnErrors::Tolerate => lost(summary, unread),
        OnErrors::Fail => lost(summary, unread) + summary.vanished,
    }
}

/// What a pass is to the debts of those before it. A debt may be what could not be read of the target: only a pass that
/// read all of it clears that, whatever it is to its own step.
fn result(summary: &PassSummary) -> PassResult {
    match (summary.failed.files, summary.vanished, summary.extra_unread) {
        (0, 0, 0) => PassResult::Clean,
        _ => PassResult::Unclean,
    }
}

fn too_many(summary: &PassSummary, unread: Unread) -> Performed {
    let source = match summary.failed.files + summary.vanished {
        0 => None,
        1 => Some("1 file could not be copied".to_owned()),
        files => Some(format!("{files} files could not be copied")),
    };
    let target = (unread == Unread::Errors).then(|| words_of_unread(summary.extra_unread));
    let hint = match source {
        Some(_) => {
            "see to the files that are listed, and go on: the pass is done again and copies what is missing"
        }
        None => {
            "make what is listed readable, or keep it out (`exclude_directories` in the filter), and go on: nothing is \
             purged before all that the filter lets in was read"
        }
    };
    let all: Vec<String> = source.into_iter().chain(target).collect();
    Performed::Failed {
        failure: Failure::failed(all.join(", and ")).hint(hint),
        errors: summary.errors.clone(),
    }
}

fn words_of_unread(entries: u64) -> String {
    match entries {
        1 => "1 entry that only the target has could not be read".to_owned(),
        entries => format!("{entries} entries that only the target has could not be read"),
    }
}

/// What became of a pass that did not come to its end. The entry that it ended at is told of with its class, as any other
/// that failed.
pub(super) fn ended_early(error: PassError) -> Performed {
    match error {
        PassError::Interrupted => Failure::Interrupted.into(),
        PassError::Fatal { what, path, hint, source } => {
            let cause = source.map_or(String::new(), |source| format!(": {source}"));
            let failure = Failure::failed(format!("{what} ({path}){cause}")).hint(hint);
            let error = format!("{what}{cause}");
            Performed::Failed {
                failure,
                errors: vec![FileError { path, class: ErrorClass::Fatal, attempts: 1, error }],
            }
        }
    }
}

/// What later templates and reports see of a pass.
fn figures(summary: &PassSummary, begun: Instant) -> Figures {
    let seconds = begun.elapsed().as_secs_f64();
    let copied_files = summary.new.files + summary.changed.files;
    // What was linked was not moved.
    let copied_bytes = summary.new.bytes + summary.changed.bytes - summary.linked.bytes;
    let filtered = summary.filtered_in_all();
    let mut figures = Figures::new();
    for (name, value) in [
        ("copied_files", copied_files),
        ("copied_bytes", copied_bytes),
        ("new_files", summary.new.files),
        ("new_bytes", summary.new.bytes),
        ("changed_files", summary.changed.files),
        ("changed_bytes", summary.changed.bytes),
        ("same_files", summary.same.files),
        ("same_bytes", summary.same.bytes),
        ("filtered_files", filtered.files),
        ("filtered_bytes", filtered.bytes),
        ("skipped_links", summary.skipped_links),
        ("skipped_special", summary.skipped_special),
        ("links_copied", summary.links_copied),
        ("attributes_mended", summary.attributes_mended),
        ("linked_files", summary.linked.files),
        ("linked_bytes", summary.linked.bytes),
        ("failed", summary.failed.files),
        ("failed_bytes", summary.failed.bytes),
        ("vanished", summary.vanished),
        ("retried", summary.retried),
        ("resumed_files", summary.resumed.files),
        ("resumed_bytes", summary.resumed.bytes),
        ("purged_files", summary.purged.files),
        ("purged_bytes", summary.purged.bytes),
        ("kept_files", summary.kept.files),
        ("kept_bytes", summary.kept.bytes),
        ("extra_filtered_files", summary.extra_filtered.files),
        ("extra_filtered_bytes", summary.extra_filtered.bytes),
        ("extra_unread", summary.extra_unread),
        ("directories", summary.directories),
        ("directories_created", summary.directories_created),
    ] {
        figures.insert(name.to_owned(), value.into());
    }
    let by_rule: serde_json::Map<String, serde_json::Value> = summary
        .filtered
        .iter()
        .filter_map(|(rule, tally)| {
            Some((serde_json::to_value(rule).ok()?.as_str()?.to_owned(), tally.files.into()))
        })
        .collect();
    figures.insert("filtered_by".to_owned(), by_rule.into());
    if seconds > 0.0 {
        figures.insert("bytes_a_second".to_owned(), (copied_bytes as f64 / seconds).into());
    }
    figures
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_of_the_target_cannot_be_read_is_an_error_where_it_is_purged_and_no_file_of_the_source() {
        let summary = PassSummary { extra_unread: 1, ..PassSummary::default() };
        for on_errors in [OnErrors::Tolerate, OnErrors::Fail] {
            assert_eq!(errors(&summary, on_errors, Unread::Errors), 1);
            assert_eq!(errors(&summary, on_errors, Unread::Told), 0);
        }
        let Performed::Failed { failure: Failure::Failed { error, hints }, .. } =
            too_many(&summary, Unread::Errors)
        else {
            panic!("it must fail");
        };
        assert_eq!(error, "1 entry that only the target has could not be read");
        assert!(!hints.concat().contains("copies"), "{hints:?}");
    }

    #[test]
    fn only_a_pass_that_read_all_of_both_sides_clears_a_debt() {
        let mut failed = PassSummary::default();
        assert_eq!(result(&failed), PassResult::Clean);
        failed.failed.add(1);
        let unread = PassSummary { extra_unread: 1, ..PassSummary::default() };
        let vanished = PassSummary { vanished: 1, ..PassSummary::default() };
        for summary in [failed, unread, vanished] {
            assert_eq!(result(&summary), PassResult::Unclean, "{summary:?}");
        }
    }

    #[test]
    fn a_vanished_file_is_an_error_only_where_none_is_tolerated() {
        let summary = PassSummary { vanished: 2, ..PassSummary::default() };
        assert_eq!(errors(&summary, OnErrors::Tolerate, Unread::None), 0);
        assert_eq!(errors(&summary, OnErrors::Fail, Unread::None), 2);
    }
}

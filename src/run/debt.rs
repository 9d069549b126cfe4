//! What early passes tolerated: who clears it, and what happens when it is left at the end.

use super::session::Session;
use super::step::{Flow, Heard, choice_prompt};
use crate::copy::FileError;
use crate::error::Result;
use crate::filter::Filter;
use crate::plan::Evidence;
use crate::state::fold::{Breadth, Looked, PassResult, clears};
use crate::state::record::{Answer, Body, Question};

impl Session<'_> {
    /// The steps whose debt a pass clears.
    pub(super) fn cleared_by(
        &self,
        from: &str,
        to: &str,
        filter: &Filter,
        result: PassResult,
    ) -> Vec<String> {
        let rules = filter.rules();
        let limited = rules.min_age.is_some()
            || rules.max_age.is_some()
            || rules.min_size.is_some()
            || rules.max_size.is_some();
        let admits = |path: &str| filter.admits_by_name(std::path::Path::new(path));
        let looked = |result| Looked {
            filter: match (filter.is_everything(), limited) {
                (true, _) => Breadth::Everything,
                (false, true) => Breadth::Limited,
                (false, false) => Breadth::Named(&admits),
            },
            result,
        };
        self.state
            .debt
            .iter()
            .filter(|(_, debt)| clears(debt, from, to, &looked(result)))
            .map(|(step, _)| step.clone())
            .collect()
    }

    /// The run cannot finish with debt: a person waives what no pass cleared, step by step.
    pub(super) fn settle_debt(&mut self) -> Result<Flow> {
        let plan = self.plan;
        while let Some((id, debt)) = self.state.debt.first() {
            let (id, files, list) = (id.clone(), debt.files, lines(&debt.errors));
            let question = Question::Debt { files };
            let Some(step) = plan.step(&id) else {
                // The step is no longer in the plan, so that nobody can be asked about it by name; its debt stays told.
                let note = "the step was taken out of the runbook, which was accepted".to_owned();
                self.append(Body::DebtWaived {
                    step: id,
                    by: self.who.user.clone(),
                    host: self.who.host.clone(),
                    note,
                })?;
                continue;
            };
            let answer = match self.answer_so_far(step, &question) {
                Some(answer) => answer,
                None => {
                    let prompt = choice_prompt(
                        format!(
                            "{files} files of step {id} were never copied, and no later pass cleared that. Go on without them?"
                        ),
                        "See to the files that are listed and copy them, or waive them by name. Say why: it is kept.",
                        [("waive", "the run is finished without these files")],
                        Evidence::Note,
                    );
                    match self.ask(step, question, prompt, list)? {
                        Heard::Answer(answer) => answer,
                        Heard::None(unanswered) => return Ok(Flow::Stop(unanswered.into())),
                    }
                }
            };
            debug_assert_eq!(answer, Answer::Choice("waive".to_owned()));
            let note = self.state.steps[&id].answered.as_ref().and_then(|answered| answered.note.clone());
            self.append(Body::DebtWaived {
                step: id,
                by: self.who.user.clone(),
                host: self.who.host.clone(),
                note: note.unwrap_or_default(),
            })?;
        }
        Ok(Flow::Next)
    }
}

/// File errors as lines for a person.
pub(super) fn lines(errors: &[FileError]) -> Vec<String> {
    errors.iter().map(|error| format!("{}: {}", error.path, error.error)).collect()
}

//! What early passes tolerated: who clears it, and what happens when it is left at the end.

use super::question::{Asking, Heard, Unanswered, choice_prompt};
use super::session::Session;
use super::step::Flow;
use crate::copy::{Directories, FileError, Links, names};
use crate::error::Result;
use crate::plan::{Action, CopyAction, Evidence, PlannedStep};
use crate::state::fold::{Breadth, Looked, PassResult, clears};
use crate::state::record::{Answer, Body, Question};

/// The choice by which a person gives files up.
const WAIVE: &str = "waive";

impl Session<'_> {
    /// The steps whose debt a pass clears.
    ///
    /// A pass that enters no folder looked at no file below one, and one that skips links copied none.
    pub(super) fn cleared_by(&self, action: &CopyAction, result: PassResult) -> Vec<String> {
        let CopyAction { filter, directories, links, .. } = action;
        let (from, to) = (action.from.display().to_string(), action.to.display().to_string());
        let rules = filter.rules();
        let limited = rules.min_age.is_some()
            || rules.max_age.is_some()
            || rules.min_size.is_some()
            || rules.max_size.is_some();
        // A folder that could not be entered stands for all that is in it, which no name tells.
        let entered =
            |path: &str| !path.ends_with('/') && (*directories != Directories::None || !path.contains('/'));
        let admits = |path: &str| entered(path) && filter.admits_by_name(&names::path_of(path));
        let everything = filter.is_everything() && *directories != Directories::None;
        let looked = |result| Looked {
            filter: match (everything, limited) {
                (true, _) => Breadth::Everything,
                (false, true) => Breadth::Limited,
                (false, false) => Breadth::Named(&admits),
            },
            result,
        };
        self.state
            .debt
            .iter()
            .filter(|(_, debt)| clears(debt, &from, &to, &looked(result)))
            .filter(|(step, _)| *links != Links::Skip || !self.owes_links(step))
            .map(|(step, _)| step.clone())
            .collect()
    }

    /// Whether the debt of a step may be of links, since its pass did not skip them.
    fn owes_links(&self, step: &str) -> bool {
        match self.plan.step(step).and_then(PlannedStep::ready) {
            Some(Action::Copy(copy)) => copy.links != Links::Skip,
            // What the step was can no longer be told.
            _ => true,
        }
    }

    /// The run cannot finish with debt: a person waives what no pass cleared, step by step.
    pub(super) fn settle_debt(&mut self) -> Result<Flow> {
        let plan = self.plan;
        while let Some((id, debt)) = self.state.debt.first() {
            let (id, files, list) = (id.clone(), debt.files, lines(&debt.errors));
            let question = Question::Debt { files };
            // A step that the runbook no longer has is asked about by its id.
            let title = plan.step(&id).map_or(id.as_str(), |step| step.title.as_str());
            let answer = match self.answer_so_far(&id, &question) {
                Some(answer) => answer,
                None => {
                    let prompt = choice_prompt(
                        format!(
                            "Files that step {id} could not copy, and that no later pass brought: {files}. Go on without them?"
                        ),
                        "See to the files that are listed and copy them, or waive them by name. Say why: it is kept.",
                        [(WAIVE, "the run is finished without these files")],
                        Evidence::Note,
                    );
                    match self.ask(Asking { step: &id, title, question, prompt, list })? {
                        Heard::Answer(answer) => answer,
                        Heard::None(unanswered) => return Ok(Flow::Stop(unanswered.into())),
                    }
                }
            };
            if answer != Answer::Choice(WAIVE.to_owned()) {
                return Ok(Flow::Stop(Unanswered::Waiting.into()));
            }
            let note = self.state.steps.get(&id).and_then(|step| step.answered.as_ref()?.note.clone());
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

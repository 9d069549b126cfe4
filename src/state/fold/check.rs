//! What may follow what in a journal. A state never reaches a record that contradicts it.

use super::{Planned, RunState, Status, StepState};
use crate::state::line::Fault;
use crate::state::record::{Body, Question};

impl RunState {
    /// Whether a record with this body may come next.
    pub fn check(&self, body: &Body) -> Result<(), Fault> {
        // What a run took away can be brought back or deleted as long as it is there.
        let quarantine = matches!(body, Body::QuarantineChanging { .. } | Body::QuarantineChanged { .. });
        if self.finished.is_some() && !quarantine {
            return Err(contradiction("something follows the end of the run"));
        }
        match body {
            Body::RunStarted { .. } => Err(Fault::SecondStart),
            Body::SessionStarted { .. } | Body::TargetClaimed { .. } | Body::ChangesAccepted { .. } => Ok(()),
            Body::StepStarted { step, .. } => {
                let state = self.known(step)?;
                if state.status.is_final() {
                    return Err(contradiction(format!(
                        "step {step} is started again after it was done or skipped"
                    )));
                }
                Ok(())
            }
            Body::StepDone { step, clears, .. } => {
                // A person may say of a command that was stopped that its work was done.
                let told = self
                    .known(step)?
                    .answered
                    .as_ref()
                    .is_some_and(|said| said.question == Question::Unknown);
                if !(told && self.known(step)?.status == Status::Interrupted) {
                    self.under_way(step, "done")?;
                }
                match clears.iter().find(|cleared| !self.debt.contains_key(*cleared)) {
                    Some(cleared) => Err(contradiction(format!(
                        "step {step} clears debt that step {cleared} does not have"
                    ))),
                    None => Ok(()),
                }
            }
            Body::StepInterrupted { step, .. } => self.under_way(step, "interrupted"),
            Body::StepFailed { step, .. } => self.not_over(step, "failed"),
            Body::StepSkipped { step, .. } => self.not_over(step, "skipped"),
            Body::Asked { step, question, .. } => self.check_asked(step, question),
            Body::Answered { step, question, .. } => match &self.known(step)?.open {
                Some(open) if open.question == *question => Ok(()),
                Some(_) => Err(contradiction(format!(
                    "an answer at step {step} is to another question than was asked"
                ))),
                None => Err(contradiction(format!(
                    "an answer at step {step} is to a question that was not asked"
                ))),
            },
            Body::PurgeStarted(purge) if purge.number >= self.quarantine.next_number() => {
                self.under_way(&purge.step, "purging")
            }
            Body::PurgeStarted(purge) => Err(contradiction(format!("purge {} begins twice", purge.number))),
            Body::QuarantineChanging { .. } => Ok(()),
            Body::QuarantineChanged { deed, .. } => match self.quarantine.unfinished() {
                Some(begun) if begun.deed == *deed => Ok(()),
                _ => Err(contradiction("something in the quarantine ends that was not begun")),
            },
            Body::DebtWaived { step, .. } if self.debt.contains_key(step) => Ok(()),
            Body::DebtWaived { step, .. } => {
                Err(contradiction(format!("debt of step {step} is waived that it does not have")))
            }
            Body::RunFinished { .. } => self.check_finished(),
        }
    }

    fn check_asked(&self, step: &str, question: &Question) -> Result<(), Fault> {
        let state = self.known(step)?;
        // An expired checkpoint is asked again, and debt is asked about at the step that made it.
        let over = state.status.is_final();
        let may_follow_the_end = match question {
            Question::Checkpoint => state.status == Status::Done,
            Question::Debt { .. } => true,
            Question::Purge { .. } | Question::Adopt { .. } | Question::Unknown => false,
        };
        if over && !may_follow_the_end {
            return Err(contradiction(format!("step {step} asks after it was done or skipped")));
        }
        Ok(())
    }

    fn check_finished(&self) -> Result<(), Fault> {
        if let Some((step, _)) =
            self.steps.iter().find(|(_, state)| state.planned == Planned::Yes && !state.status.is_final())
        {
            return Err(contradiction(format!("the run ends with step {step} neither done nor skipped")));
        }
        match self.debt.keys().next() {
            Some(step) => Err(contradiction(format!("the run ends with debt of step {step}"))),
            None => Ok(()),
        }
    }

    fn known(&self, step: &str) -> Result<&StepState, Fault> {
        self.steps.get(step).ok_or_else(|| contradiction(format!("step {step} is not in the plan")))
    }

    fn under_way(&self, step: &str, what: &str) -> Result<(), Fault> {
        match self.known(step)?.status {
            Status::Started { .. } => Ok(()),
            ref status if status.is_final() => {
                Err(contradiction(format!("step {step} is {what} after it was done or skipped")))
            }
            _ => Err(contradiction(format!("step {step} is {what} without having been started"))),
        }
    }

    fn not_over(&self, step: &str, what: &str) -> Result<(), Fault> {
        if self.known(step)?.status.is_final() {
            return Err(contradiction(format!("step {step} is {what} after it was done or skipped")));
        }
        Ok(())
    }
}

fn contradiction(what: impl Into<String>) -> Fault {
    Fault::Contradiction(what.into())
}

//! Makes plans, and completes their late steps during a run.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::diagnostics;
use super::fields::{Fields, Filters, Shown};
use super::render_action;
use super::{
    Action, CommandAction, Condition, LateStep, OnInterrupt, Origin, Plan, PlannedPhase, PlannedStep,
    Program, Retry, Runbook, Spanned, Step, Values, Work,
};
use crate::render::{Known, Rendered, Renderer};
use crate::runbook::Problems;
use crate::runbook::diagnostics::Diagnostic;
use crate::runbook::model::{Leaf, Phase, RetryDecl};
use crate::secret::Redactor;

/// Renders every phase and step, or says all that is wrong with them.
///
/// `run` is what templates see as `run.*`. Steps' results and answers are not known to a plan: what needs them is late.
pub fn make(
    runbook: Runbook,
    values: Values,
    run: Value,
    environment: EnvironmentVariables,
) -> Result<Plan, Problems> {
    let known = Known { run: run.clone(), environment: environment.clone(), ..Known::default() };
    let mut planner = Planner {
        renderer: Renderer::new(&runbook, &values, &known),
        runbook: &runbook,
        redactor: values.redactor(),
        filters: Filters::default(),
        diagnostics: Vec::new(),
    };
    let phases = runbook.phases.iter().map(|phase| planner.phase(phase)).collect();
    let diagnostics = std::mem::take(&mut planner.diagnostics);
    drop(planner);
    if !diagnostics.is_empty() {
        return Err(Problems { sources: runbook.sources, diagnostics });
    }
    Ok(Plan {
        name: runbook.name.value.clone(),
        title: runbook.title.as_ref().map_or_else(|| runbook.name.value.clone(), |title| title.value.clone()),
        phases,
        origin: Arc::new(Origin { runbook, values, run, environment }),
    })
}

/// Variables of the process's environment that the runbook may read.
pub type EnvironmentVariables = std::collections::BTreeMap<String, String>;

/// The action of a step, now that the steps it waited for are done.
pub fn complete(plan: &Plan, step: &PlannedStep, known: &Known) -> Result<Action, Problems> {
    let late = match &step.work {
        Work::Ready(action) => return Ok((**action).clone()),
        Work::Late(late) => late,
    };
    let Origin { runbook, values, .. } = &*plan.origin;
    let renderer = Renderer::new(runbook, values, known);
    let filters = Filters::default();
    let mut fields = Fields::new(&renderer, &filters, late.item.as_ref());
    let action = render_action::action(runbook, &late.step.action, &mut fields);
    let mut outcome = fields.finish();
    match action {
        Some(action) if outcome.diagnostics.is_empty() => Ok(action),
        _ => {
            if outcome.diagnostics.is_empty() {
                outcome.diagnostics.push(diagnostics::never_known(
                    &outcome.waits.iter().cloned().collect::<Vec<_>>(),
                    late.step.id.span,
                ));
            }
            Err(Problems { sources: runbook.sources.clone(), diagnostics: outcome.diagnostics })
        }
    }
}

/// Whether a phase or step takes place, now that the steps it waited for are done.
pub fn decide(plan: &Plan, condition: &Condition, known: &Known) -> Result<bool, Problems> {
    let (expression, item) = match condition {
        Condition::Always => return Ok(true),
        Condition::Never { .. } => return Ok(false),
        Condition::Late { expression, item, .. } => (expression, item),
    };
    let Origin { runbook, values, .. } = &*plan.origin;
    let diagnostic = match Renderer::new(runbook, values, known).condition(expression, item.as_ref()) {
        Ok(Rendered::Known(holds)) => return Ok(holds),
        Ok(Rendered::Late(waits)) => diagnostics::never_known(&waits, expression.span),
        Err(diagnostic) => diagnostic,
    };
    Err(Problems { sources: runbook.sources.clone(), diagnostics: vec![diagnostic] })
}

struct Planner<'a> {
    renderer: Renderer<'a>,
    runbook: &'a Runbook,
    redactor: Redactor,
    filters: Filters,
    diagnostics: Vec<Diagnostic>,
}

impl Planner<'_> {
    fn phase(&mut self, phase: &Phase) -> PlannedPhase {
        let steps = phase.steps.iter().flat_map(|step| self.expanded(phase, step)).collect();
        PlannedPhase {
            id: phase.id.value.clone(),
            title: self.text(phase.title.as_ref(), None).unwrap_or_else(|| phase.id.value.clone()),
            description: self.text(phase.description.as_ref(), None),
            downtime: phase.downtime,
            condition: self.condition(phase.when.as_ref(), None),
            steps,
        }
    }

    /// A step as it is, or one for each element of its `for_each`.
    fn expanded(&mut self, phase: &Phase, step: &Step) -> Vec<PlannedStep> {
        let step = Arc::new(step.clone());
        let Some(list) = &step.for_each else {
            return vec![self.step(phase, &step, step.id.value.clone(), None)];
        };
        match self.renderer.leaf(list, None) {
            Ok(Rendered::Known(items)) => items
                .into_iter()
                .enumerate()
                .map(|(at, item)| self.step(phase, &step, format!("{}[{at}]", step.id.value), Some(item)))
                .collect(),
            Ok(Rendered::Late(waits)) => {
                self.diagnostics.push(diagnostics::late_for_each(&waits, list.span));
                Vec::new()
            }
            Err(diagnostic) => {
                self.diagnostics.push(diagnostic);
                Vec::new()
            }
        }
    }

    fn step(&mut self, phase: &Phase, step: &Arc<Step>, id: String, item: Option<Value>) -> PlannedStep {
        let title = self.text(step.title.as_ref(), item.as_ref()).unwrap_or_else(|| id.clone());
        let description = self.text(step.description.as_ref(), item.as_ref());
        let condition = self.condition(step.when.as_ref(), item.as_ref());
        let retry = self.retry(step.retry.as_ref(), item.as_ref());
        let on_interrupt = self.plain(step.on_interrupt.as_ref(), item.as_ref()).unwrap_or(OnInterrupt::Stop);

        let mut fields = Fields::new(&self.renderer, &self.filters, item.as_ref());
        let action = render_action::action(self.runbook, &step.action, &mut fields);
        let mut outcome = fields.finish();
        // A step that can never take place need not be renderable: its values may be there only when it does.
        if !matches!(condition, Condition::Never { .. }) {
            self.diagnostics.append(&mut outcome.diagnostics);
        }
        let redactor = &self.redactor;
        if let Some(Action::Command(command)) = &action
            && let Some(place) = secret_argument(command, |text| redactor.finds(text))
        {
            self.diagnostics.push(diagnostics::secret_in_arguments(place, step.action.span));
        }
        let mut detail = outcome.shown;
        redactor.redact_json(&mut detail);
        let digest = digest(&json!({
            "action": render_action::key(&step.action),
            "detail": detail,
            "templates": outcome.templates,
            "when": step.when.as_ref().map(|when| &when.value),
            "phase_when": phase.when.as_ref().map(|when| &when.value),
            "attempts": retry.attempts,
            "wait": retry.wait.as_secs_f64(),
            "on_interrupt": on_interrupt.shown(),
        }));
        PlannedStep {
            phase: phase.id.value.clone(),
            title,
            description,
            action: render_action::key(&step.action),
            condition,
            retry,
            on_interrupt,
            detail,
            known_after: outcome.waits.into_iter().collect(),
            digest,
            work: match action {
                Some(action) => Work::Ready(Box::new(action)),
                None => Work::Late(LateStep { step: Arc::clone(step), item }),
            },
            id,
        }
    }

    fn condition(&mut self, when: Option<&Spanned<String>>, item: Option<&Value>) -> Condition {
        let Some(expression) = when else {
            return Condition::Always;
        };
        let when = expression.value.clone();
        match self.renderer.condition(expression, item) {
            Ok(Rendered::Known(true)) => Condition::Always,
            Ok(Rendered::Known(false)) => Condition::Never { when },
            Ok(Rendered::Late(waits)) => Condition::Late {
                when,
                known_after: waits,
                expression: Box::new(expression.clone()),
                item: item.cloned(),
            },
            Err(diagnostic) => {
                self.diagnostics.push(diagnostic);
                Condition::Always
            }
        }
    }

    fn retry(&mut self, own: Option<&RetryDecl>, item: Option<&Value>) -> Retry {
        let Some(decl) = own.or(self.runbook.defaults.retry.as_ref()) else {
            return Retry { attempts: 1, wait: Duration::ZERO };
        };
        let attempts = self.plain(Some(&decl.attempts), item).unwrap_or(1);
        if attempts == 0 {
            self.diagnostics.push(diagnostics::no_attempts(decl.attempts.span));
        }
        Retry { attempts, wait: self.plain(decl.wait.as_ref(), item).unwrap_or(Duration::ZERO) }
    }

    /// A title or a description; a late one shows which step it waits for.
    fn text(&mut self, leaf: Option<&Leaf<String>>, item: Option<&Value>) -> Option<String> {
        match self.renderer.leaf(leaf?, item) {
            Ok(Rendered::Known(text)) => Some(self.redactor.redact(&text).into_owned()),
            Ok(Rendered::Late(waits)) => Some(Rendered::<String>::waiting_for(&waits)),
            Err(diagnostic) => {
                self.diagnostics.push(diagnostic);
                None
            }
        }
    }

    /// A leaf that decides how a step is run, and so must be known before the run.
    fn plain<T: crate::values::LeafType>(
        &mut self,
        leaf: Option<&Leaf<T>>,
        item: Option<&Value>,
    ) -> Option<T> {
        let leaf = leaf?;
        match self.renderer.leaf(leaf, item) {
            Ok(Rendered::Known(value)) => Some(value),
            Ok(Rendered::Late(waits)) => {
                self.diagnostics.push(diagnostics::must_be_known(&waits, leaf.span));
                None
            }
            Err(diagnostic) => {
                self.diagnostics.push(diagnostic);
                None
            }
        }
    }
}

/// Where a command would show a secret to everyone who can list processes. A runbook cannot name one there, but a plain
/// variable may have the same value.
pub(crate) fn secret_argument(command: &CommandAction, finds: impl Fn(&str) -> bool) -> Option<&'static str> {
    match &command.program {
        Program::Run(arguments) if arguments.iter().any(|argument| finds(argument)) => Some("run"),
        Program::Shell(line) if finds(line) => Some("shell"),
        _ => None,
    }
}

/// BLAKE3 over the value's JSON text; members keep their order, which is that of the language, not of the file.
fn digest(value: &Value) -> String {
    blake3::hash(value.to_string().as_bytes()).to_hex().to_string()
}

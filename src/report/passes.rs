//! The passes of a plan as the commands that a person would type: for robocopy in `cmd`, and for rclone in a shell.
//!
//! What a command cannot say stands behind it, in a comment, by the name of its field. What is no pass stands in its place,
//! in a comment, too: between two passes a person may have to stop a service. A command is never printed for a pass that
//! is refused, nor where the shell would read a name otherwise than it stands there.

use std::fmt::Write as _;

use super::words;
use crate::copy::spelled::{Lack, Spelled};
use crate::plan::{Action, Condition, CopyAction, Plan, PlannedPhase, PlannedStep, Program, ServiceState};
use crate::{rclone, robocopy};

/// The commands as they are printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commands {
    pub text: String,
    /// So many passes have no command, because they are refused.
    pub refused: usize,
}

/// Says why a pass is refused, if it is.
pub type Judge<'a> = dyn Fn(&CopyAction) -> Result<(), String> + 'a;

/// How one program's commands are written.
struct Dialect {
    title: &'static str,
    program: &'static str,
    comment: &'static str,
    arguments: fn(&CopyAction) -> Spelled,
    /// Whether the shell takes a text as it is, once it is quoted.
    is_plain: fn(&str) -> bool,
    quoted: fn(&str) -> String,
}

/// The only one that reaches remotes.
const RCLONE: &str = "rclone";

const DIALECTS: [Dialect; 2] = [
    Dialect {
        title: "With robocopy, in cmd",
        program: "robocopy",
        comment: "rem",
        arguments: robocopy::arguments::arguments,
        is_plain: robocopy::arguments::is_plain,
        quoted: robocopy::arguments::quoted,
    },
    Dialect {
        title: "With rclone, in a shell",
        program: RCLONE,
        comment: "#",
        arguments: rclone::arguments,
        is_plain: |_| true,
        quoted: rclone::quoted,
    },
];

/// All steps that may take place, once for each program: passes as commands, others as remarks.
pub fn commands(plan: &Plan, judge: &Judge<'_>) -> Commands {
    let mut text = String::new();
    for dialect in &DIALECTS {
        dialect.write(plan, judge, &mut text);
    }
    let refused = steps(plan).filter_map(|(_, step)| copied(step)).filter(|action| judge(action).is_err());
    Commands { refused: refused.count(), text: plan.values().redactor().redact(&text).into_owned() }
}

/// Those that may take place, with their phases.
fn steps(plan: &Plan) -> impl Iterator<Item = (&PlannedPhase, &PlannedStep)> {
    let may_be = |condition: &Condition| !matches!(condition, Condition::Never { .. });
    plan.phases
        .iter()
        .filter(move |phase| may_be(&phase.condition))
        .flat_map(|phase| phase.steps.iter().map(move |step| (phase, step)))
        .filter(move |(_, step)| may_be(&step.condition))
}

fn copied(step: &PlannedStep) -> Option<&CopyAction> {
    match step.ready() {
        Some(Action::Copy(action)) => Some(action),
        _ => None,
    }
}

impl Dialect {
    fn write(&self, plan: &Plan, judge: &Judge<'_>, text: &mut String) {
        if !text.is_empty() {
            text.push('\n');
        }
        self.remark(text, self.title);
        for (phase, step) in steps(plan) {
            text.push('\n');
            self.remark(text, &format!("{} / {}: {}", phase.id, step.id, words::name(&step.title)));
            for condition in [&phase.condition, &step.condition] {
                if let Condition::Late { when, .. } = condition {
                    self.remark(text, &format!("only when {}", words::name(when)));
                }
            }
            match (copied(step), step.ready()) {
                (Some(action), _) => self.pass(text, step, action, judge),
                (None, Some(action)) => {
                    self.remark(text, &format!("  by hand: {}", words::name(&deed(action))));
                }
                (None, None) if step.action == "copy" => {
                    let after = step.known_after.join(", ");
                    self.remark(text, &format!("what it copies is known after {after}"));
                }
                (None, None) => {
                    let after = step.known_after.join(", ");
                    self.remark(text, &format!("  by hand: {}, which is known after {after}", step.action));
                }
            }
        }
    }

    fn pass(&self, text: &mut String, step: &PlannedStep, action: &CopyAction, judge: &Judge<'_>) {
        if let Err(why) = judge(action) {
            self.remark(text, &format!("  refused: {}", words::name(&why)));
            return;
        }
        if self.program != RCLONE && rclone::transfer::is_remote(action) {
            self.remark(text, &format!("  no command: {} reaches no remote of rclone's", self.program));
            return;
        }
        if let Some((field, value)) = self.unwritable(action) {
            let why = "has a letter that this shell would not take as it is; type it by hand";
            self.remark(text, &format!("  no command: {field}: `{}` {why}", words::name(&value)));
            return;
        }
        let Spelled { arguments, lacking } = (self.arguments)(action);
        text.push_str(self.program);
        for argument in arguments {
            text.push(' ');
            text.push_str(&(self.quoted)(&argument));
        }
        text.push('\n');
        for Lack { field, why, .. } in lacking {
            self.remark(text, &format!("  not said: {field}: {}", words::name(&why)));
        }
        if step.retry.attempts > 1 {
            let (attempts, wait) = (step.retry.attempts, crate::values::written(step.retry.wait));
            self.remark(
                text,
                &format!(
                    "  not said: retry: up to {attempts} attempts, {wait} apart; type it again after an error"
                ),
            );
        }
    }

    /// The first text of a pass that cannot be printed, or that the shell would read otherwise.
    fn unwritable(&self, action: &CopyAction) -> Option<(&'static str, String)> {
        let rules = action.filter.rules();
        let roots = [("from", &action.from), ("to", &action.to)];
        let lists = [
            ("include", &rules.include),
            ("exclude", &rules.exclude),
            ("exclude_directories", &rules.exclude_directories),
        ];
        // A path that is no Unicode is shown by marks of replacement, and would be another.
        let lossy = roots.iter().find(|(_, path)| path.to_str().is_none());
        if let Some((field, path)) = lossy {
            return Some((field, path.display().to_string()));
        }
        let roots = roots.into_iter().map(|(field, path)| (field, path.display().to_string()));
        let lists =
            lists.into_iter().flat_map(|(field, list)| list.iter().map(move |text| (field, text.clone())));
        roots.chain(lists).find(|(_, text)| words::name(text) != *text || !(self.is_plain)(text))
    }

    fn remark(&self, text: &mut String, remark: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{} {remark}", self.comment);
    }
}

/// What a person does in the place of a step that is no pass.
fn deed(action: &Action) -> String {
    match action {
        Action::Copy(action) => format!("copy {} to {}", action.from.display(), action.to.display()),
        Action::Verify(action) => format!("compare {} with {}", action.from.display(), action.to.display()),
        Action::Service(action) => {
            let host = if action.host.is_empty() { String::new() } else { format!(" on {}", action.host) };
            let deed = match action.state {
                ServiceState::Running => "start",
                ServiceState::Stopped => "stop",
            };
            format!("{deed} the service {}{host}", action.name)
        }
        Action::Command(action) => match &action.program {
            Program::Run(words) => format!("run {}", words.join(" ")),
            Program::Shell(line) => format!("run {line}"),
        },
        Action::Checkpoint(action) => match &action.instructions {
            // On one line: a comment ends with it.
            Some(instructions) => {
                let words: Vec<&str> = instructions.split_whitespace().collect();
                format!("{} {}", action.ask, words.join(" "))
            }
            None => action.ask.clone(),
        },
        Action::Check(_) => "check what the step of the runbook names".to_owned(),
        Action::Wait(_) => "wait as the step of the runbook says".to_owned(),
    }
}

//! The passes of a plan as the commands that a person would type: for robocopy in `cmd`, and for rclone in a shell.
//!
//! What a command cannot say stands behind it, in a comment, by the name of its field.

use std::fmt::Write as _;

use super::words;
use crate::copy::spelled::{Lack, Spelled};
use crate::plan::{Action, Condition, CopyAction, Plan, PlannedPhase, PlannedStep};
use crate::{rclone, robocopy};

/// How one program's commands are written.
struct Dialect {
    title: &'static str,
    program: &'static str,
    comment: &'static str,
    arguments: fn(&CopyAction) -> Spelled,
    quoted: fn(&str) -> String,
}

const DIALECTS: [Dialect; 2] = [
    Dialect {
        title: "With robocopy, in cmd",
        program: "robocopy",
        comment: "rem",
        arguments: robocopy::arguments::arguments,
        quoted: robocopy::arguments::quoted,
    },
    Dialect {
        title: "With rclone, in a shell",
        program: "rclone",
        comment: "#",
        arguments: rclone::arguments,
        quoted: rclone::quoted,
    },
];

/// All passes that may take place, once for each program.
pub fn commands(plan: &Plan) -> String {
    let mut text = String::new();
    for dialect in &DIALECTS {
        dialect.write(plan, &mut text);
    }
    plan.values().redactor().redact(&text).into_owned()
}

impl Dialect {
    fn write(&self, plan: &Plan, text: &mut String) {
        if !text.is_empty() {
            text.push('\n');
        }
        self.remark(text, self.title);
        for phase in &plan.phases {
            for step in phase.steps.iter().filter(|step| step.action == "copy") {
                self.step(text, phase, step);
            }
        }
    }

    fn step(&self, text: &mut String, phase: &PlannedPhase, step: &PlannedStep) {
        if [&phase.condition, &step.condition]
            .iter()
            .any(|condition| matches!(condition, Condition::Never { .. }))
        {
            return;
        }
        text.push('\n');
        self.remark(text, &format!("{} / {}: {}", phase.id, step.id, words::name(&step.title)));
        for condition in [&phase.condition, &step.condition] {
            if let Condition::Late { when, .. } = condition {
                self.remark(text, &format!("only when {}", words::name(when)));
            }
        }
        let Some(Action::Copy(action)) = step.ready() else {
            self.remark(text, &format!("what it copies is known after {}", step.known_after.join(", ")));
            return;
        };
        let Spelled { arguments, lacking } = (self.arguments)(action);
        text.push_str(self.program);
        for argument in arguments {
            text.push(' ');
            text.push_str(&words::name(&(self.quoted)(&argument)));
        }
        text.push('\n');
        for Lack { field, why } in lacking {
            self.remark(text, &format!("  not said: {field}: {}", words::name(&why)));
        }
    }

    fn remark(&self, text: &mut String, remark: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{} {remark}", self.comment);
    }
}

//! Whether the engine of a pass can do all that the pass asks for: said when the plan is made, and not at two in the morning.

use std::path::Path;

use super::CopyAction;
use super::diagnostics;
use crate::copy::EngineName;
use crate::copy::spelled::{Otherwise, Spelled};
use crate::runbook::diagnostics::Diagnostic;
use crate::runbook::model::{CopyDecl, CopyOptions, Leaf};
use crate::runbook::source::Span;
use crate::{rclone, robocopy};

/// What is wrong with a pass for its engine, each by its field.
pub(super) fn judge(action: &CopyAction, decl: &CopyDecl, default: &CopyOptions) -> Vec<Diagnostic> {
    let span = |field: &str| span_of(field, decl, default);
    let Spelled { lacking, .. } = match action.engine {
        EngineName::Native => {
            let given = !action.extra_args.is_empty();
            return given
                .then(|| diagnostics::no_program_for_arguments(span("extra_args")))
                .into_iter()
                .collect();
        }
        EngineName::Robocopy => return of_robocopy(action, decl, default),
        EngineName::Rclone if rclone::transfer::is_remote(action) => {
            let Spelled { lacking, .. } = rclone::transfer::arguments(action, Path::new("LIST"));
            return lacking
                .iter()
                .map(|lack| diagnostics::remote_lacks(lack.field, &lack.why, span(lack.field)))
                .collect();
        }
        EngineName::Rclone => rclone::arguments(action),
    };
    let refused = lacking.iter().filter(|lack| lack.otherwise == Otherwise::Refused);
    refused
        .map(|lack| diagnostics::engine_lacks(action.engine, lack.field, &lack.why, span(lack.field)))
        .collect()
}

fn of_robocopy(action: &CopyAction, decl: &CopyDecl, default: &CopyOptions) -> Vec<Diagnostic> {
    let Spelled { lacking, .. } = robocopy::arguments::arguments(action);
    let refused = lacking.iter().filter(|lack| lack.otherwise == Otherwise::Refused).map(|lack| {
        diagnostics::engine_lacks(action.engine, lack.field, &lack.why, span_of(lack.field, decl, default))
    });
    let given = decl.options.extra_args.as_ref().or(default.extra_args.as_ref());
    let spans = given.into_iter().flatten().map(|leaf| leaf.span);
    let extra = action.extra_args.iter().zip(spans).filter_map(|(argument, span)| {
        let misuse = robocopy::extra::judge(argument, action.threads).err()?;
        Some(diagnostics::extra_argument(action.engine, &misuse.message, &misuse.hint, span))
    });
    refused.chain(extra).collect()
}

/// Where a field is written: at the step, in the defaults, or, of a filter, where the step names it; else where the engine
/// is chosen.
fn span_of(field: &str, decl: &CopyDecl, default: &CopyOptions) -> Option<Span> {
    let (own, from) = (span_among(field, &decl.options), span_among(field, default));
    let of_step = match field {
        "from" => Some(decl.from.span),
        "to" => Some(decl.to.span),
        "include"
        | "exclude"
        | "exclude_directories"
        | "case"
        | "min_age"
        | "max_age"
        | "min_size"
        | "max_size"
        | "max_depth" => decl.filter.as_ref().map(|leaf| leaf.span),
        _ => None,
    };
    let engine = || span_among("engine", &decl.options).or_else(|| span_among("engine", default));
    own.or(from).or(of_step).or_else(engine)
}

fn span_among(field: &str, options: &CopyOptions) -> Option<Span> {
    fn of<T>(leaf: Option<&Leaf<T>>) -> Option<Span> {
        leaf.map(|leaf| leaf.span)
    }
    match field {
        "engine" => of(options.engine.as_ref()),
        "directories" => of(options.directories.as_ref()),
        "compare" => of(options.compare.as_ref()),
        "mtime_tolerance" => of(options.mtime_tolerance.as_ref()),
        "links" => of(options.links.as_ref()),
        "preserve" => of(options.preserve.as_ref().and_then(|things| things.first())),
        "bandwidth" => of(options.bandwidth.as_ref()),
        "gentle" => of(options.gentle.as_ref()),
        "backup" => of(options.backup.as_ref()),
        "resume_over" => of(options.resume_over.as_ref()),
        "threads" => of(options.threads.as_ref()),
        "extra_args" => of(options.extra_args.as_ref().and_then(|arguments| arguments.first())),
        _ => None,
    }
}

//! What can be wrong with a plan though its runbook is well-formed: one named function a kind.

use crate::copy::EngineName;
use crate::runbook::diagnostics::{Diagnostic, escaped, shown};
use crate::runbook::source::Span;

pub(super) fn engine_lacks(engine: EngineName, field: &str, why: &str, span: Option<Span>) -> Diagnostic {
    let name = engine.word();
    at(
        Diagnostic::error(
            "movebook::engine_lacks",
            format!("the engine `{name}` cannot do what `{field}` asks for: {}", escaped(why)),
        ),
        span,
        "asked for here",
    )
    .help("use `engine: native`, which can, or leave the field out")
}

pub(super) fn extra_argument(engine: EngineName, why: &str, hint: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "movebook::extra_argument",
        format!("the engine `{}` takes no such argument: {}", engine.word(), escaped(why)),
    )
    .label(span, "given here")
    .help(escaped(hint))
}

pub(super) fn remote_lacks(field: &str, why: &str, span: Option<Span>) -> Diagnostic {
    at(
        Diagnostic::error(
            "movebook::engine_lacks",
            format!("a pass with a remote cannot do what `{field}` asks for: {}", escaped(why)),
        ),
        span,
        "asked for here",
    )
    .help("leave the field out")
}

pub(super) fn no_program_for_arguments(span: Option<Span>) -> Diagnostic {
    at(
        Diagnostic::error(
            "movebook::no_program_for_arguments",
            "the engine `native` calls no program that could take `extra_args`",
        ),
        span,
        "given here",
    )
    .help("leave them out, or say which engine they are for: `engine: robocopy` or `engine: rclone`")
}

pub(super) fn remote_needs_rclone(remote: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "movebook::remote_needs_rclone",
        format!("`{}` is a remote of rclone's, which no other engine reaches", shown(remote)),
    )
    .label(span, "a remote")
    .help("add `engine: rclone`; a path begins with `/`, a drive or `\\\\server\\share`")
}

pub(super) fn refused_remote(reason: &str, hint: &str, span: Span) -> Diagnostic {
    Diagnostic::error("movebook::refused_remote", escaped(reason))
        .label(span, "this remote")
        .help(escaped(hint))
}

pub(super) fn flag_in_environment(name: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "movebook::flag_in_environment",
        format!("`{}` is a flag of rclone's, by which the pass would mean something else", shown(name)),
    )
    .label(span, "given to rclone")
    .help("say it by the step's fields or `extra_args`; `environment` is for the options of remotes: `RCLONE_CONFIG_NAME_OPTION`")
}

pub(super) fn plain_secret(name: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "movebook::plain_secret",
        format!("the value of `{}` must be secret, and everybody can read it here", shown(name)),
    )
    .label(span, "no secret variable is in it")
    .help("declare a variable of `type: secret` and write `'{{ its_name }}'`; its value comes from the customer's file or `MOVEBOOK_VAR_…`")
}

pub(super) fn no_remote_here(field: &str, remote: &str, why: &str, span: Option<Span>) -> Diagnostic {
    at(
        Diagnostic::error(
            "movebook::no_remote_here",
            format!("`{field}` cannot be had of the remote `{}`: {}", shown(remote), escaped(why)),
        ),
        span,
        "asked for here",
    )
}

pub(super) fn threads_out_of_range(threads: u32, span: Option<Span>) -> Diagnostic {
    at(
        Diagnostic::error("movebook::threads_out_of_range", format!("{threads} threads cannot be used")),
        span,
        "this many",
    )
    .help("1 to 128 (`robocopy /mt`); 8 to 16 is right for most machines, more for a slow share")
}

pub(super) fn free_space_of_what(span: Span) -> Diagnostic {
    Diagnostic::error("movebook::free_space_of_what", "`at_least: source` does not say which source")
        .label(span, "as much as what takes?")
        .help("add `of: PATH`, or give a size such as `50GiB`")
}

pub(super) fn never_known(waits: &[String], span: Span) -> Diagnostic {
    let steps = waits.join(", ");
    Diagnostic::error("movebook::never_known", format!("a value needs what {steps} did not leave behind"))
        .label(span, format!("needs {steps}"))
        .help("a skipped step leaves nothing behind: give this step the same `when`, or test `is defined`")
}

pub(super) fn late_for_each(waits: &[String], span: Span) -> Diagnostic {
    Diagnostic::error(
        "movebook::late_for_each",
        "the list of a `for_each` must be known when the plan is made",
    )
    .label(span, format!("known only after {}", waits.join(", ")))
    .help("make the list a variable; what each step does may still depend on earlier steps")
}

pub(super) fn must_be_known(waits: &[String], span: Span) -> Diagnostic {
    Diagnostic::error("movebook::must_be_known", "how a step is run must be known when the plan is made")
        .label(span, format!("known only after {}", waits.join(", ")))
        .help("make it a variable or a literal")
}

pub(super) fn no_attempts(span: Span) -> Diagnostic {
    Diagnostic::error("movebook::no_attempts", "a step that is tried 0 times is never done")
        .label(span, "0 attempts")
        .help("the first try counts: `attempts: 3` tries at most three times")
}

pub(super) fn secret_in_arguments(place: &str, span: Span) -> Diagnostic {
    Diagnostic::error("movebook::secret_in_arguments", format!("`{place}` of a command holds a secret"))
        .label(span, "everyone who can list processes would see it")
        .help("give it by `environment:` or `input:`")
}

fn at(diagnostic: Diagnostic, span: Option<Span>, text: &str) -> Diagnostic {
    match span {
        Some(span) => diagnostic.label(span, text),
        None => diagnostic,
    }
}

pub(super) fn wrong_pattern(error: &str, span: Span) -> Diagnostic {
    Diagnostic::error("movebook::bad_glob", "a pattern of this filter cannot be used")
        .label(span, escaped(error))
}

pub(super) fn wrong_free_space(given: &str, reason: &str, span: Span) -> Diagnostic {
    Diagnostic::error("movebook::wrong_size", format!("`{}` is no size: {}", shown(given), escaped(reason)))
        .label(span, "as much free space as this")
        .help("give a size such as `50GiB`, or `source` together with `of: PATH`")
}

pub(super) fn port_out_of_range(port: u32, span: Span) -> Diagnostic {
    Diagnostic::error("movebook::port_out_of_range", format!("there is no TCP port {port}"))
        .label(span, "from 1 to 65535")
}

pub(super) fn wrong_time_of_day(given: &str, span: Span) -> Diagnostic {
    Diagnostic::error("movebook::wrong_time_of_day", format!("`{}` is no time of day", shown(given)))
        .label(span, "until then")
        .help("write hours and minutes in quotes: `'22:30'`")
}

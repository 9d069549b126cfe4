//! Switches that a runbook adds to robocopy's line (`extra_args`): each is read, and let through only where it changes how
//! robocopy copies and nothing else.
//!
//! What a field of the step says, what would take something away, and what would change the output that is read is refused,
//! with what to use instead. Every switch of the table has its verdict here.

use super::Misuse;
use super::command_line::written;
use super::switches::{self, SWITCHES, Switch};
use crate::values::did_you_mean;

/// What a switch that is let through may stand beside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Company {
    Any,
    /// robocopy refuses it beside `/mt`: the step copies one file at a time, and the line goes without `/mt`.
    NoThreads,
}

/// Judges one extra argument of a step that copies so many files at a time.
///
/// # Errors
/// Why it is not let through, with what to use instead.
pub fn judge(argument: &str, threads: u32) -> Result<Company, Misuse> {
    let Some(body) = argument.strip_prefix(['/', '-']) else {
        return Err(Misuse::new(
            format!("`{argument}` is no switch of robocopy, and would be taken for a folder or a pattern"),
            "folders are `from:` and `to:`, patterns are `include:` of a filter; each switch is an item of its own",
        ));
    };
    let (name, value) = match body.split_once(':') {
        Some((name, value)) => (name, Some(value)),
        None => (body, None),
    };
    let Some(switch) = switches::find(name) else { return Err(unknown(argument, name)) };
    let company = match verdict(switch) {
        Verdict::Allowed(company) => company,
        Verdict::Refused { why, instead } => {
            return Err(Misuse::new(format!("`{argument}` is not passed on: {why}"), instead));
        }
    };
    written(switch, value, argument)?;
    if value.is_some_and(|value| !value.bytes().all(|byte| byte.is_ascii_alphanumeric())) {
        return Err(Misuse::new(
            format!("`{argument}` has a value of other than letters and digits"),
            format!("write {}", switch.usage()),
        ));
    }
    if company == Company::NoThreads && threads > 1 {
        return Err(Misuse::new(
            format!("`{argument}` does not go together with several files at a time"),
            "set `threads: 1` on this step, or leave it out",
        ));
    }
    Ok(company)
}

fn unknown(argument: &str, name: &str) -> Misuse {
    let near = did_you_mean(name, SWITCHES.iter().map(|switch| switch.name)).and_then(switches::find);
    let hint = match near {
        Some(near) => format!("did you mean {}?", near.usage()),
        None => "`movebook robocopy /?` lists robocopy's switches".to_owned(),
    };
    Misuse::new(format!("`{argument}` is no switch of robocopy"), hint)
}

enum Verdict {
    Allowed(Company),
    Refused { why: &'static str, instead: &'static str },
}

fn verdict(switch: &Switch) -> Verdict {
    let name = switch.name;
    if let Some((_, company)) = ALLOWED.iter().find(|(allowed, _)| *allowed == name) {
        return Verdict::Allowed(*company);
    }
    let refusal = REFUSED.iter().find(|refusal| refusal.switches.contains(&name));
    // A switch without a verdict is not let through; a test sees to it that each has one.
    refusal
        .map_or(Verdict::Refused { why: "nothing is known of it here", instead: "leave it out" }, |refusal| {
            Verdict::Refused { why: refusal.why, instead: refusal.instead }
        })
}

/// How robocopy reads, writes and waits; the tree that it leaves is the same.
const ALLOWED: &[(&str, Company)] = &[
    ("z", Company::Any),
    ("zb", Company::Any),
    ("j", Company::Any),
    ("nooffload", Company::Any),
    ("noclone", Company::Any),
    ("compress", Company::Any),
    ("sparse", Company::Any),
    ("secfix", Company::Any),
    ("timfix", Company::Any),
    ("tbd", Company::Any),
    ("iomaxsize", Company::Any),
    ("iorate", Company::Any),
    ("threshold", Company::Any),
    ("efsraw", Company::NoThreads),
    ("ipg", Company::NoThreads),
    ("lfsm", Company::NoThreads),
];

struct Refusal {
    switches: &'static [&'static str],
    why: &'static str,
    instead: &'static str,
}

const fn refused(switches: &'static [&'static str], why: &'static str, instead: &'static str) -> Refusal {
    Refusal { switches, why, instead }
}

const FIELD: &str = "a field of the step says it, and two would contradict each other";
const OTHER_TREE: &str =
    "the target would not be what the pass says, and movebook's own look at it would never be content";
const OUTPUT: &str = "what robocopy writes is read by movebook, which gives the switches for it";
const ONE_PASS: &str = "a step is one pass with an end, and its switches are in the runbook alone";
const NO_DELETING: &str =
    "robocopy deletes nothing for movebook: what goes is judged first, and moved into a quarantine";
const SOURCE: &str = "a source is never touched: what was copied may be needed until the move is proved";

const REFUSED: &[Refusal] = &[
    refused(&["purge", "mir"], NO_DELETING, "use `purge:` on the step, with `directories: all` for /MIR"),
    refused(
        &["mov", "move"],
        SOURCE,
        "copy, compare by `verify`, and delete the source by hand when the new one is in use",
    ),
    refused(&["m"], SOURCE, "/M takes the archive attribute off its files; choose files by a filter"),
    refused(&["s", "e"], FIELD, "use `directories: non-empty` for /S, `directories: all` for /E"),
    refused(&["lev"], FIELD, "use `max_depth:` in the filter"),
    refused(&["r"], FIELD, "use `retries:`"),
    refused(&["w"], FIELD, "use `wait:`"),
    refused(&["mt"], FIELD, "use `threads:`"),
    refused(&["b"], FIELD, "use `backup: true`"),
    refused(&["copy", "sec", "copyall"], FIELD, "use `preserve: [acls, owner]`"),
    refused(&["xf"], FIELD, "use `exclude:` in the filter"),
    refused(&["xd"], FIELD, "use `exclude_directories:` in the filter"),
    refused(&["if"], FIELD, "use `include:` in the filter"),
    refused(&["minage"], FIELD, "use `min_age:` in the filter"),
    refused(&["maxage"], FIELD, "use `max_age:` in the filter"),
    refused(&["min"], FIELD, "use `min_size:` in the filter"),
    refused(&["max"], FIELD, "use `max_size:` in the filter"),
    refused(&["fft"], FIELD, "use `mtime_tolerance: 2s`"),
    refused(&["xj", "xjd", "xjf"], FIELD, "use `links: skip`, which each pass does unless told"),
    refused(&["sl", "sj"], FIELD, "use `links: copy`"),
    refused(&["sd", "dd", "nosd", "nodd"], FIELD, "use `from:` and `to:`"),
    refused(&["is", "im", "it"], FIELD, "use `compare: content`, which `engine: native` has"),
    refused(
        &["xc", "xn", "xo", "xl", "a", "ia", "xa", "maxlad", "minlad"],
        "files that the filter lets in would be left behind",
        "choose files by a filter: names, ages and sizes",
    ),
    refused(
        &["xx"],
        "what only the target has must be told",
        "leave it out: nothing is taken away without `purge:`",
    ),
    refused(&["nocopy", "create", "fat", "256", "dst"], OTHER_TREE, "leave it out"),
    refused(&["a+", "a-"], OTHER_TREE, "set attributes afterwards, by a `command:` step with `attrib`"),
    refused(&["dcopy", "nodcopy"], OTHER_TREE, "leave it out: directories keep their attributes and times"),
    refused(&["l"], "a step that lists copies nothing", "`movebook plan` shows what the step would do"),
    refused(
        &[
            "x", "v", "ts", "fp", "bytes", "ns", "nc", "nfl", "ndl", "np", "eta", "log", "log+", "unilog",
            "unilog+", "tee", "njh", "njs", "unicode",
        ],
        OUTPUT,
        "leave it out; `movebook account` names every file, and a run's log is `--format json`",
    ),
    refused(&["mon", "mot", "rh", "pf"], ONE_PASS, "run the step again: `movebook resume`"),
    refused(
        &["reg", "job", "save", "quit", "?"],
        ONE_PASS,
        "write each switch into `extra_args:` or its field",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(argument: &str) -> Result<Company, Misuse> {
        judge(argument, 8)
    }

    #[test]
    fn every_switch_of_robocopy_has_one_verdict() {
        for switch in SWITCHES {
            let allowed = ALLOWED.iter().filter(|(name, _)| *name == switch.name).count();
            let refused = REFUSED.iter().filter(|refusal| refusal.switches.contains(&switch.name)).count();
            assert_eq!(allowed + refused, 1, "{}", switch.name);
        }
        let all =
            ALLOWED.iter().map(|(name, _)| name).chain(REFUSED.iter().flat_map(|refusal| refusal.switches));
        for name in all {
            assert!(switches::find(name).is_some(), "{name}");
        }
    }

    #[test]
    fn what_changes_only_how_robocopy_copies_is_passed_on() {
        for argument in ["/z", "/ZB", "-j", "/compress", "/sparse:Y", "/iorate:10M"] {
            assert_eq!(judged(argument), Ok(Company::Any), "{argument}");
        }
    }

    #[test]
    fn what_a_field_says_is_refused_with_the_field() {
        for (argument, field) in [
            ("/r:5", "`retries:`"),
            ("/W:1", "`wait:`"),
            ("/mt:32", "`threads:`"),
            ("/XF", "`exclude:`"),
            ("/minage:1", "`min_age:`"),
            ("/copyall", "`preserve:"),
            ("/e", "`directories: all`"),
            ("-purge", "`purge:`"),
            ("/MIR", "`purge:`"),
        ] {
            assert!(judged(argument).unwrap_err().hint.contains(field), "{argument}");
        }
    }

    #[test]
    fn what_takes_away_moves_or_writes_elsewhere_is_refused_however_it_is_written() {
        for argument in [
            "/mov",
            "/MOVE",
            "-Mir",
            "/purge",
            "/m",
            "/a-:R",
            "/log:x",
            "/unilog+:x",
            "/job:x",
            "/reg",
            "/nfl",
            "/xx",
        ] {
            judged(argument).unwrap_err();
        }
    }

    #[test]
    fn what_is_no_switch_is_refused_with_the_nearest() {
        assert_eq!(judged("/compres").unwrap_err().hint, "did you mean /COMPRESS?");
        assert!(judged("*.dat").unwrap_err().message.contains("pattern"));
        for argument in ["", "/", "/:", "/z /purge", "/z\" /purge", "/j:1", "/sparse:", "/sparse:Y /purge"] {
            judged(argument).unwrap_err();
        }
    }

    #[test]
    fn what_excludes_threads_wants_one() {
        assert_eq!(judge("/efsraw", 1), Ok(Company::NoThreads));
        assert!(judge("/ipg:5", 8).unwrap_err().hint.contains("threads: 1"));
    }
}

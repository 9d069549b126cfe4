//! rclone's language: a copy step as its arguments. Pure.
//!
//! What rclone has no flag for is named by its field. Filters are in rclone's ordered form: what is kept out comes first, as
//! with a runbook's filters, where it wins.

use std::time::Duration;

use crate::copy::spelled::Spelled;
use crate::copy::{Access, Compare, CopyPass, Directories, Keep, Links, Preserved, Priority};
use crate::filter::{Case, Rules};
use crate::plan::action::{Adopt, CopyAction};

const DAY: u64 = 24 * 60 * 60;

/// What rclone would be called with for a pass.
pub fn arguments(action: &CopyAction) -> Spelled {
    let mut spelled = Spelled::default();
    spelled.say(if action.purge.is_some() { "sync" } else { "copy" });
    spelled.say(action.from.display().to_string());
    spelled.say(action.to.display().to_string());
    names(&mut spelled, action);
    limits(&mut spelled, action.filter.rules());
    directories(&mut spelled, action);
    purge(&mut spelled, action);
    manner(&mut spelled, action);
    spelled
}

/// An argument for a POSIX shell.
pub fn quoted(argument: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:=,@+%".contains(letter);
    if !argument.is_empty() && argument.chars().all(plain) {
        return argument.to_owned();
    }
    format!("'{}'", argument.replace('\'', r"'\''"))
}

fn names(spelled: &mut Spelled, action: &CopyAction) {
    let Rules { include, exclude, exclude_directories, case, .. } = action.filter.rules();
    let mut filters = Vec::new();
    for (field, sign, end, patterns) in [
        ("exclude_directories", '-', "/**", exclude_directories),
        ("exclude", '-', "", exclude),
        ("include", '+', "", include),
    ] {
        for pattern in patterns {
            // Two braces begin a regular expression.
            if pattern.contains("{{") {
                spelled.lack(field, format!("`{pattern}`: two braces begin a regular expression in rclone"));
                continue;
            }
            let root = if pattern.trim_end_matches('/').contains('/') && !pattern.starts_with('/') {
                "/"
            } else {
                ""
            };
            filters.push(format!("{sign} {root}{}{end}", pattern.trim_end_matches('/')));
        }
    }
    if !include.is_empty() {
        filters.push("- **".to_owned());
    }
    let has_filters = !filters.is_empty();
    for filter in filters {
        spelled.say("--filter");
        spelled.say(filter);
    }
    if has_filters && *case == Case::Insensitive {
        spelled.say("--ignore-case");
    }
}

fn limits(spelled: &mut Spelled, rules: &Rules) {
    for (flag, age) in [("--min-age", rules.min_age), ("--max-age", rules.max_age)] {
        if let Some(age) = age {
            spelled.say(flag);
            spelled.say(duration(age));
        }
    }
    for (flag, bytes) in [("--min-size", rules.min_size), ("--max-size", rules.max_size)] {
        if let Some(bytes) = bytes {
            spelled.say(flag);
            // Without the letter it would be KiB.
            spelled.say(format!("{bytes}B"));
        }
    }
}

fn directories(spelled: &mut Spelled, action: &CopyAction) {
    let Rules { include, max_depth, .. } = action.filter.rules();
    let depth = match action.directories {
        Directories::None => Some(1),
        Directories::All | Directories::NonEmpty => *max_depth,
    };
    if action.directories == Directories::All {
        spelled.say("--create-empty-src-dirs");
        if !include.is_empty() {
            spelled.lack(
                "directories",
                "`all` with `include`: rclone makes no directory that the filter leaves empty",
            );
        }
        if max_depth.is_some() {
            spelled.lack(
                "directories",
                "`all` with `max_depth`: rclone makes the directories of the next level, too, and leaves them empty",
            );
        }
    }
    if let Some(depth) = depth {
        spelled.say("--max-depth");
        spelled.say(depth.to_string());
    }
}

fn purge(spelled: &mut Spelled, action: &CopyAction) {
    let Some(purge) = action.purge else { return };
    spelled.say("--max-delete");
    spelled.say(purge.max_files.to_string());
    spelled.around(
        "purge.max_percent",
        format!("{} %: look at the list first, by the same line with --dry-run", purge.max_percent),
    );
    if purge.keep == Keep::Quarantine {
        // A folder that is there already would lose what it holds under the same name.
        spelled.around(
            "purge.keep",
            "rclone deletes what it purges; it keeps that, and what it overwrites, with --backup-dir and a new folder each time, outside of the target",
        );
    }
    if !action.expect.is_empty() {
        spelled.around("expect", format!("see that the source holds {}", action.expect.join(", ")));
    }
    if action.adopt == Adopt::Ask {
        spelled.around("adopt", "rclone purges in any target; see that it is the right one");
    }
}

fn manner(spelled: &mut Spelled, action: &CopyAction) {
    // rclone counts the first try, too, and tries the whole pass again.
    for (flag, value) in [
        ("--retries", (u64::from(action.retries) + 1).to_string()),
        ("--retries-sleep", duration(action.wait)),
        ("--transfers", action.threads.max(1).to_string()),
        ("--checkers", action.threads.max(1).to_string()),
    ] {
        spelled.say(flag);
        spelled.say(value);
    }
    if let Some(tolerance) = action.mtime_tolerance.filter(|tolerance| !tolerance.is_zero()) {
        spelled.say("--modify-window");
        spelled.say(duration(tolerance));
    }
    match action.links {
        Links::Skip => spelled.say("--skip-links"),
        Links::Copy => spelled.say("--links"),
        Links::Fail => {
            spelled.say("--skip-links");
            spelled.around("links", "rclone skips links without an error");
        }
    }
    if !action.preserve.is_nothing_more() {
        spelled.say("--metadata");
    }
    for (thing, why) in [
        (Preserved::Acls, "acls: rclone does not copy them"),
        (Preserved::HardLinks, "hard-links: rclone makes a file of each name"),
    ] {
        if action.preserve.holds(thing) {
            spelled.lack("preserve", why);
        }
    }
    if let Some(bandwidth) = &action.bandwidth {
        let limits = bandwidth.to_string();
        // rclone's units are those of 1024, by one letter.
        match ["kB", "MB", "GB", "TB"].iter().any(|unit| limits.contains(unit)) {
            true => spelled.lack("bandwidth", format!("{limits}: rclone has units of 1024 alone")),
            false => {
                spelled.say("--bwlimit");
                spelled.say(limits.replace("iB", ""));
            }
        }
    }
    if action.compare == Compare::Content {
        spelled.lack(
            "compare",
            "rclone reads only what differs in size or time; `rclone check --download` reads both",
        );
    }
    if action.access == Access::Backup {
        spelled.lack("backup", "rclone reads and writes with the rights of its user");
    }
    if action.priority == Priority::Gentle {
        spelled.lack("gentle", "begin the line with `nice ionice -c3`");
    }
    if action.resume_over != CopyPass::RESUME_OVER {
        spelled.lack("resume_over", "rclone begins an interrupted file anew");
    }
}

/// Whole days as days, else seconds, which every version of rclone reads.
fn duration(duration: Duration) -> String {
    let (seconds, rest) = (duration.as_secs(), duration.subsec_millis());
    match (seconds / DAY, seconds % DAY, rest) {
        (days @ 1.., 0, 0) => format!("{days}d"),
        (_, _, 0) => format!("{seconds}s"),
        _ => format!("{}ms", duration.as_millis()),
    }
}

#[cfg(test)]
mod tests;

//! rclone's language: a copy step as its arguments, and what it lists, logs and says of itself. Pure.
//!
//! What rclone has no flag for is named by its field.

mod filters;
mod pattern;

pub mod compare;
pub mod environment;
pub mod extra;
pub mod listing;
pub mod log;
pub mod remote;
pub mod spelling;
pub mod transfer;
pub mod version;

use std::time::Duration;

use jiff::Timestamp;

use crate::copy::spelled::Spelled;
use crate::copy::{Access, Bandwidth, Compare, CopyPass, Directories, Keep, Links, Preserved, Priority};
use crate::filter::Rules;
use crate::plan::action::{Adopt, CopyAction};

const DAY: u64 = 24 * 60 * 60;

/// What rclone would be called with for a pass.
pub fn arguments(action: &CopyAction) -> Spelled {
    let mut spelled = Spelled::default();
    spelled.say(if action.purge.is_some() { "sync" } else { "copy" });
    spelled.say(action.from.display().to_string());
    spelled.say(action.to.display().to_string());
    filters::say(&mut spelled, action);
    limits(&mut spelled, action.filter.rules());
    if action.directories == Directories::All {
        spelled.say("--create-empty-src-dirs");
    }
    purge(&mut spelled, action);
    manner(&mut spelled, action);
    spelled
}

/// What rclone is called with when movebook calls it for a pass that began at `started`: it copies and never deletes, ages
/// are counted from the same moment for every file, and what it does is told line by line.
pub fn arguments_of_pass(action: &CopyAction, started: Timestamp) -> Vec<String> {
    let copying = CopyAction { purge: None, ..action.clone() };
    let mut arguments = arguments(&copying).arguments;
    let rules = action.filter.rules();
    for (flag, age) in [("--min-age", rules.min_age), ("--max-age", rules.max_age)] {
        let place = arguments.iter().position(|argument| argument == flag);
        // An age that reaches back before all time stays as it is.
        if let (Some(place), Some(age)) = (place, age)
            && let Ok(moment) = started.checked_sub(age)
        {
            arguments[place + 1] = moment.to_string();
        }
    }
    arguments.extend(log::FLAGS.map(str::to_owned));
    arguments
}

/// An argument for a POSIX shell.
pub fn quoted(argument: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:=,@+%".contains(letter);
    if !argument.is_empty() && argument.chars().all(plain) {
        return argument.to_owned();
    }
    format!("'{}'", argument.replace('\'', r"'\''"))
}

fn limits(spelled: &mut Spelled, rules: &Rules) {
    for (flag, age) in [("--min-age", rules.min_age), ("--max-age", rules.max_age)] {
        if let Some(age) = age {
            spelled.say(flag);
            spelled.say(duration(age));
        }
    }
    if let (Some(least), Some(most)) = (rules.min_age, rules.max_age)
        && least >= most
    {
        spelled
            .lack("max_age", "it is not above `min_age`: rclone refuses a line that lets in next to nothing");
    }
    for (flag, bytes) in [("--min-size", rules.min_size), ("--max-size", rules.max_size)] {
        if let Some(bytes) = bytes {
            spelled.say(flag);
            // Without the letter it would be KiB.
            spelled.say(format!("{bytes}B"));
        }
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
    let Rules { min_age, max_age, min_size, max_size, .. } = action.filter.rules();
    for (field, is_there) in [
        ("min_age", min_age.is_some()),
        ("max_age", max_age.is_some()),
        ("min_size", min_size.is_some()),
        ("max_size", max_size.is_some()),
    ] {
        if is_there {
            spelled.around(
                field,
                "with `purge`: a file that it keeps out of the source is none to rclone, which deletes the target's copy of it",
            );
        }
    }
    if action.links == Links::Skip {
        spelled.around(
            "links",
            "with `purge`: rclone deletes what the target has in the place of a link of the source, and keeps the target's own links",
        );
    }
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
        // Times that lie the whole window apart differ to rclone.
        let above = tolerance.saturating_add(Duration::from_nanos(1));
        spelled.say("--modify-window");
        spelled.say(format!("{}.{:09}s", above.as_secs(), above.subsec_nanos()));
    }
    // A name in one form of Unicode would be taken for the same one in another, and its file written over that one's.
    spelled.say("--no-unicode-normalization");
    match action.links {
        Links::Skip => spelled.say("--skip-links"),
        Links::Copy => {
            spelled.say("--links");
            if chooses_files(action.filter.rules()) {
                spelled.lack(
                    "links",
                    "`copy` beside a filter of names, ages or sizes: to rclone a link is a small file of another name",
                );
            }
        }
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
    if action.compare == Compare::Content {
        spelled.lack(
            "compare",
            "rclone reads only what differs in size or time; `rclone check --download` reads both",
        );
    }
    if action.priority == Priority::Gentle {
        spelled.lack("gentle", "begin the line with `nice ionice -c3`");
    }
    alike(spelled, action);
}

/// What is said in the same way of every pass, between folders and with a remote.
fn alike(spelled: &mut Spelled, action: &CopyAction) {
    match action.bandwidth.as_ref().map(bandwidth) {
        Some(Ok(limits)) => {
            spelled.say("--bwlimit");
            spelled.say(limits);
        }
        Some(Err(why)) => spelled.lack("bandwidth", why),
        None => {}
    }
    if action.access == Access::Backup {
        spelled.lack("backup", "rclone reads and writes with the rights of its user");
    }
    if action.resume_over != CopyPass::RESUME_OVER {
        spelled.lack("resume_over", "rclone begins an interrupted file anew");
    }
    match extra::judge(&action.extra_args) {
        Ok(()) => action.extra_args.iter().for_each(|argument| spelled.say(argument.as_str())),
        Err(why) => spelled.lack("extra_args", why),
    }
}

/// A limit as rclone reads it, or why it cannot.
fn bandwidth(bandwidth: &Bandwidth) -> Result<String, String> {
    let limits = bandwidth.to_string();
    // rclone's units are those of 1024, by one letter.
    match ["kB", "MB", "GB", "TB"].iter().any(|unit| limits.contains(unit)) {
        true => Err(format!("{limits}: rclone has units of 1024 alone")),
        false => Ok(limits.replace("iB", "")),
    }
}

/// Whether a filter tells files apart by anything but where they lie.
fn chooses_files(rules: &Rules) -> bool {
    let Rules { include, exclude, min_age, max_age, min_size, max_size, .. } = rules;
    let has_patterns = !(include.is_empty() && exclude.is_empty());
    let has_ages = min_age.is_some() || max_age.is_some();
    has_patterns || has_ages || min_size.is_some() || max_size.is_some()
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

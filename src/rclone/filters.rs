//! A filter as rclone's ordered rules: what is kept out comes first, as in a runbook, where it wins.
//!
//! rclone asks a rule of a directory, too, where the rule holds `**` or is `*` alone, and then neither looks into the directory
//! nor makes it. A runbook's `exclude` and `include` speak of files: none of theirs is written so that it can be asked of a
//! directory. Those for directories and for the depth are meant to be.
//!
//! A name that is no Unicode, or that holds a symbol that rclone writes for what is no letter to see (`␉`), has more letters
//! there than here: a `?` does not match them alike.

use super::pattern::Pattern;
use crate::copy::Directories;
use crate::copy::spelled::Spelled;
use crate::filter::{Case, Rules};
use crate::plan::action::CopyAction;

pub(super) fn say(spelled: &mut Spelled, action: &CopyAction) {
    let Rules { include, exclude, exclude_directories, max_depth, case, .. } = action.filter.rules();
    let mut rules = Vec::new();
    for pattern in exclude_directories {
        match Pattern::parse(pattern, *case) {
            Ok(parsed) => rules.push(format!("- {}", parsed.keeping_out_directories())),
            Err(reason) => spelled.lack("exclude_directories", format!("`{pattern}`: {reason}")),
        }
    }
    if let Some(depth) = depth(action.directories, *max_depth) {
        rules.push(format!("- /{}**", "*/".repeat(depth as usize)));
    }
    for pattern in exclude {
        match Pattern::parse(pattern, *case).and_then(|parsed| parsed.keeping_out()) {
            Ok(written) => rules.push(format!("- {written}")),
            Err(reason) => spelled.lack("exclude", format!("`{pattern}`: {reason}")),
        }
    }
    let mut let_in = Vec::new();
    for pattern in include {
        match Pattern::parse(pattern, *case) {
            Ok(parsed) => let_in.push(parsed.letting_in()),
            Err(reason) => spelled.lack("include", format!("`{pattern}`: {reason}")),
        }
    }
    // By `**` rclone does not look where nothing can be: there it neither makes an empty directory nor purges one; and it does
    // not see that a path which may begin anywhere can lie below any directory.
    let may_lie_below_any = |pattern: &String| pattern.contains('/') && !pattern.starts_with('/');
    let sees_all = action.directories == Directories::All
        || action.purge.is_some()
        || let_in.iter().any(may_lie_below_any);
    rules.extend(let_in.into_iter().map(|pattern| format!("+ {pattern}")));
    if !include.is_empty() {
        rules.push(if sees_all { "- ?*" } else { "- **" }.to_owned());
    }
    for rule in rules {
        spelled.say("--filter");
        spelled.say(rule);
    }
    let has_patterns = [include, exclude, exclude_directories].iter().any(|list| !list.is_empty());
    if has_patterns && *case == Case::Insensitive {
        spelled.say("--ignore-case");
    }
}

/// So many levels take part. By a rule: with `--max-depth` rclone makes the directories of the next level, and purges them
/// where they are empty.
fn depth(directories: Directories, most: Option<u32>) -> Option<u32> {
    match directories {
        Directories::None => Some(1),
        Directories::All | Directories::NonEmpty => most,
    }
}

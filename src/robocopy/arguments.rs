//! A copy step as robocopy's arguments, in the order of the published procedure, and as a line for `cmd`.
//!
//! What robocopy has no switch for is named by its field. Retries and waits are always said: robocopy's own are a million,
//! and 30 seconds.

use std::path::Path;
use std::time::Duration;

use super::extra::{self, Company};
use super::roots::root;
use crate::copy::spelled::Spelled;
use crate::copy::{Access, Compare, CopyPass, Directories, EngineName, Keep, Links, Preserved, Priority};
use crate::filter::{Case, Rules};
use crate::plan::action::{Adopt, CopyAction};

const DAY: u64 = 24 * 60 * 60;
/// robocopy reads a larger number as a date.
const MOST_DAYS: u64 = 1899;
const MOST_THREADS: u32 = 128;

/// What robocopy would be called with for a pass.
pub fn arguments(action: &CopyAction) -> Spelled {
    let mut spelled = Spelled::default();
    spelled.say(root(&action.from.display().to_string()));
    spelled.say(root(&action.to.display().to_string()));
    names(&mut spelled, action);
    spelled.arguments.extend(match action.directories {
        Directories::NonEmpty => Some("/s".to_owned()),
        Directories::All => Some("/e".to_owned()),
        Directories::None => None,
    });
    purge(&mut spelled, action);
    spelled.say(format!("/r:{}", action.retries));
    spelled.say(format!("/w:{}", whole_seconds(action.wait)));
    limits(&mut spelled, action.filter.rules());
    manner(&mut spelled, action);
    spelled
}

/// What movebook calls robocopy with for a pass into a volume that keeps stamps this fine. It never tells it to delete.
pub fn for_copying(action: &CopyAction, stamps: Duration) -> Vec<String> {
    let mtime_tolerance = action.mtime_tolerance.or(Some(stamps));
    let mut said = arguments(&CopyAction { purge: None, mtime_tolerance, ..action.clone() }).arguments;
    // What every pass does: access lists of files that are the same are put right.
    if [Preserved::Acls, Preserved::Owner].iter().any(|thing| action.preserve.holds(*thing)) {
        said.push("/secfix".to_owned());
    }
    said.extend(TOLD.map(str::to_owned));
    said
}

/// Added where files were found whose attributes alone differ. robocopy copies such files whole, and may count attributes that
/// mean nothing to a pass (*archive*, which each backup takes away): where none that matter differ, it is not to look.
pub const ATTRIBUTES_TOO: &str = "/it";

/// What movebook calls robocopy with to hear what it calls extra, and to change nothing: all of it (`/x`), whatever the
/// patterns let in.
pub fn for_listing(action: &CopyAction) -> Vec<String> {
    let spelled = arguments(action).arguments;
    let deletes = |switch: &String| switch == "/purge";
    let mut said: Vec<String> = spelled.into_iter().filter(|switch| !deletes(switch)).collect();
    said.extend(["/l", "/x"].map(str::to_owned));
    said.extend(TOLD.map(str::to_owned));
    said
}

/// How robocopy is to tell what it does: whole paths, plain numbers, no per cent, Unicode.
const TOLD: [&str; 4] = ["/fp", "/bytes", "/np", "/unicode"];

/// Whether `cmd` takes a text as it is. Within quotes, too, it puts a variable's value in the place of `%NAME%`; a quote would
/// end the argument, and what is behind it could be a command of its own.
pub fn is_plain(text: &str) -> bool {
    !text.contains(['"', '%']) && !text.contains(char::is_control)
}

/// An argument of plain letters for a line of `cmd`, and for the way in which Windows' programs take lines apart.
pub fn quoted(argument: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || r"\/:.-_$*?+~#@".contains(letter);
    if !argument.is_empty() && argument.chars().all(plain) {
        return argument.to_owned();
    }
    // A backslash in front of the closing quote would take it into the argument.
    let at_end = argument.len() - argument.trim_end_matches('\\').len();
    format!("\"{argument}{}\"", "\\".repeat(at_end))
}

fn names(spelled: &mut Spelled, action: &CopyAction) {
    let Rules { include, exclude, exclude_directories, case, .. } = action.filter.rules();
    for pattern in include {
        // Behind the roots only a name is no switch.
        match is_name(pattern) && !begins_a_switch(pattern) && !is_wider_in_dos(pattern) {
            true => spelled.say(pattern),
            false if is_wider_in_dos(pattern) => spelled.lack("include", wider(pattern)),
            false => spelled
                .lack("include", format!("`{pattern}`: robocopy's patterns are names with * and ? alone")),
        }
    }
    for (field, switch, patterns) in
        [("exclude", "/xf", exclude), ("exclude_directories", "/xd", exclude_directories)]
    {
        let mut said = Vec::new();
        for pattern in patterns {
            match excluded(pattern, action) {
                Some(names) => said.extend(names),
                None if is_wider_in_dos(pattern) => spelled.lack(field, wider(pattern)),
                None => spelled.lack(
                    field,
                    format!("`{pattern}`: robocopy keeps out names with * and ?, and whole paths"),
                ),
            }
        }
        if !said.is_empty() {
            spelled.say(switch);
            spelled.arguments.extend(said);
        }
    }
    if *case == Case::Sensitive {
        spelled.lack("case", "robocopy does not tell upper and lower case apart");
    }
}

fn is_name(pattern: &str) -> bool {
    !pattern.contains(['/', '[', ']', '{', '}'])
}

/// robocopy takes such a word for a switch wherever it stands.
fn begins_a_switch(pattern: &str) -> bool {
    pattern.starts_with(['/', '-'])
}

/// Whether Windows may take a name's pattern for more names than it has: by the rules of DOS a dot in front of a wildcard, and
/// one at the end, need not be there (`*.*` is every name), nor need the letters of a `?` with nothing but wildcards up to a
/// dot or the end.
pub fn is_wider_in_dos(pattern: &str) -> bool {
    let is_wild = |letter: char| matches!(letter, '*' | '?');
    let mut behind = pattern.char_indices().map(|(at, letter)| (letter, &pattern[at + letter.len_utf8()..]));
    is_name(pattern)
        && behind.any(|(letter, behind)| match letter {
            '.' => behind.is_empty() || behind.starts_with(is_wild),
            '?' => matches!(behind.trim_start_matches(is_wild).chars().next(), None | Some('.')),
            _ => false,
        })
}

fn wider(pattern: &str) -> String {
    format!(
        "`{pattern}`: to Windows that may be names without the dot, or with fewer letters, too; write it without a wildcard \
         behind a dot, and without ? in front of a dot or at the end"
    )
}

/// A pattern behind `/xf` or `/xd`: a name, or the whole path of one entry. With `/purge` its path in the target, too: else
/// the copy there would be extra, and go.
fn excluded(pattern: &str, action: &CopyAction) -> Option<Vec<String>> {
    if is_name(pattern) {
        return (!begins_a_switch(pattern) && !is_wider_in_dos(pattern)).then(|| vec![pattern.to_owned()]);
    }
    if pattern.contains(['*', '?', '[', ']', '{', '}']) {
        return None;
    }
    let to = action.purge.is_some().then_some(&action.to);
    Some([Some(&action.from), to].into_iter().flatten().map(|root| path_below(root, pattern)).collect())
}

fn path_below(root: &Path, pattern: &str) -> String {
    let root = self::root(&root.display().to_string());
    let separator = if root.contains('\\') { "\\" } else { "/" };
    let below = pattern.trim_matches('/').replace('/', separator);
    format!("{}{separator}{below}", root.trim_end_matches(['/', '\\']))
}

fn purge(spelled: &mut Spelled, action: &CopyAction) {
    let Some(purge) = action.purge else { return };
    spelled.say("/purge");
    spelled.around(
        "purge.max_files",
        format!(
            "{} files, or {} %: robocopy asks nobody; look at its list first, by the same line with /l",
            purge.max_files, purge.max_percent
        ),
    );
    if purge.keep == Keep::Quarantine {
        spelled.around("purge.keep", "robocopy deletes what it purges, also after a pass with errors");
    }
    if !action.expect.is_empty() {
        spelled.around("expect", format!("see that the source holds {}", action.expect.join(", ")));
    }
    if action.adopt == Adopt::Ask {
        spelled.around("adopt", "robocopy purges in any target; see that it is the right one");
    }
}

fn limits(spelled: &mut Spelled, rules: &Rules) {
    for (field, switch, age) in [("min_age", "/minage", rules.min_age), ("max_age", "/maxage", rules.max_age)]
    {
        let Some(age) = age else { continue };
        match age.as_secs() / DAY {
            days @ 1..=MOST_DAYS if age == Duration::from_secs(days * DAY) => {
                spelled.say(format!("{switch}:{days}"));
            }
            _ => spelled.lack(field, format!("{}: robocopy counts whole days", crate::values::written(age))),
        }
    }
    let max_size = rules.max_size.filter(|bytes| *bytes > 0);
    if max_size != rules.max_size {
        spelled.lack("max_size", "0 B: robocopy has no limit that lets in empty files alone");
    }
    for (switch, number) in
        [("/min", rules.min_size), ("/max", max_size), ("/lev", rules.max_depth.map(u64::from))]
    {
        spelled.arguments.extend(number.map(|number| format!("{switch}:{number}")));
    }
}

fn manner(spelled: &mut Spelled, action: &CopyAction) {
    match action.mtime_tolerance {
        None | Some(Duration::ZERO) => {}
        Some(tolerance) if tolerance == Duration::from_secs(2) => spelled.say("/fft"),
        Some(tolerance) => spelled.lack(
            "mtime_tolerance",
            format!("{}: robocopy has two seconds (/fft) or none", crate::values::written(tolerance)),
        ),
    }
    match action.links {
        Links::Skip => spelled.say("/xj"),
        // Without the second switch the junctions would be followed.
        Links::Copy => spelled.arguments.extend(["/sl", "/sj"].map(str::to_owned)),
        Links::Fail => {
            spelled.say("/xj");
            spelled.around("links", "robocopy skips links without a word");
        }
    }
    preserve(spelled, action);
    if action.access == Access::Backup {
        spelled.say("/b");
    }
    extra(spelled, action);
    if action.threads > MOST_THREADS {
        spelled.lack("threads", format!("{}: robocopy has at most {MOST_THREADS}", action.threads));
    }
    if action.compare == Compare::Content {
        spelled.lack(
            "compare",
            "robocopy never reads both sides; files of equal size and time stay as they are",
        );
    }
    if let Some(bandwidth) = &action.bandwidth {
        spelled.lack("bandwidth", format!("{bandwidth}: robocopy has no limit of bytes a second"));
    }
    if action.priority == Priority::Gentle {
        spelled.around("gentle", "begin the line with `start /low /wait`");
    }
    if action.resume_over != CopyPass::RESUME_OVER {
        spelled.lack("resume_over", "robocopy goes on with every file (/z) or with none");
    }
}

/// How many files at a time, and what the step adds to the line: some of it does not go together with `/mt`.
fn extra(spelled: &mut Spelled, action: &CopyAction) {
    let added: &[String] = if action.engine == EngineName::Robocopy { &action.extra_args } else { &[] };
    let judged: Vec<_> = added.iter().map(|argument| extra::judge(argument, action.threads)).collect();
    if !judged.contains(&Ok(Company::NoThreads)) {
        spelled.say(format!("/mt:{}", action.threads.clamp(1, MOST_THREADS)));
    }
    // What is refused was told when the plan was made.
    let let_through = added.iter().zip(judged).filter(|(_, judged)| judged.is_ok());
    spelled.arguments.extend(let_through.map(|(argument, _)| argument.clone()));
}

fn preserve(spelled: &mut Spelled, action: &CopyAction) {
    let holds = |thing| action.preserve.holds(thing);
    let letters: String = [('S', Preserved::Acls), ('O', Preserved::Owner)]
        .into_iter()
        .filter(|(_, thing)| holds(*thing))
        .map(|(letter, _)| letter)
        .collect();
    if !letters.is_empty() {
        spelled.say(format!("/copy:DAT{letters}"));
    }
    // A pass brings the times of directories, too; robocopy's own is /dcopy:DA.
    spelled.say("/dcopy:DAT");
    if holds(Preserved::Xattrs) {
        spelled.lack("preserve", "xattrs: robocopy does not copy them");
    }
    if holds(Preserved::HardLinks) {
        spelled.lack("preserve", "hard-links: robocopy makes a file of each name");
    }
}

/// robocopy waits whole seconds; less than one is one.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests;

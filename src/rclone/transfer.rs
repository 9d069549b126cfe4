//! A pass in which a side is a remote, as rclone's arguments: the files are those that movebook lists, one by one. Pure.
//!
//! Nothing of the filter and of what counts as changed is left to rclone, so that it cannot read either otherwise. It copies a
//! list, and takes away a list.

use std::path::Path;

use super::log;
use super::remote::Remote;
use crate::copy::spelled::Spelled;
use crate::copy::{Compare, Links, Priority};
use crate::plan::action::CopyAction;

/// How often rclone tries a single request again. A file that failed is tried again by movebook.
const LOW_LEVEL_RETRIES: u32 = 3;

/// Whether a side of a pass is a remote.
pub fn is_remote(action: &CopyAction) -> bool {
    Remote::at(&action.from).is_some() || Remote::at(&action.to).is_some()
}

/// The arguments that copy what a list names, and what of the pass they cannot say.
pub fn arguments(action: &CopyAction, list: &Path) -> Spelled {
    let mut spelled = Spelled::default();
    spelled.say("copy");
    spelled.say(action.from.display().to_string());
    spelled.say(action.to.display().to_string());
    spelled.say("--files-from-raw");
    spelled.say(list.display().to_string());
    // What differs was told from what is the same already.
    spelled.say("--ignore-times");
    // A name in one form of Unicode would be taken for the same one in another, and its file written over that one's.
    spelled.say("--no-unicode-normalization");
    let threads = action.threads.max(1).to_string();
    for (flag, value) in [
        ("--retries", "1"),
        ("--low-level-retries", LOW_LEVEL_RETRIES.to_string().as_str()),
        ("--transfers", threads.as_str()),
        ("--checkers", threads.as_str()),
    ] {
        spelled.say(flag);
        spelled.say(value);
    }
    super::alike(&mut spelled, action);
    log::FLAGS.iter().for_each(|flag| spelled.say(*flag));
    lacking(&mut spelled, action);
    spelled
}

fn lacking(spelled: &mut Spelled, action: &CopyAction) {
    if action.links == Links::Copy {
        spelled.lack("links", "a remote has no links: `skip` them, or `fail` on them");
    }
    if !action.preserve.is_nothing_more() {
        spelled.lack("preserve", "a remote keeps content and times, and nothing more of a file");
    }
    if action.compare == Compare::Content {
        spelled.lack(
            "compare",
            "reading both sides in every pass would cost a whole copy each: a `verify` step does it once",
        );
    }
    if action.priority == Priority::Gentle {
        spelled.lack("gentle", "rclone does not give way; `bandwidth` and `threads` limit what it takes");
    }
}

/// A purge in a remote.
#[derive(Clone, Copy, Debug)]
pub struct Purging<'a> {
    /// A folder that is empty.
    pub nothing: &'a Path,
    pub target: &'a str,
    pub list: &'a Path,
    pub files: usize,
    /// Where the files are moved to; they are deleted otherwise.
    pub kept_in: Option<&'a str>,
    pub threads: u32,
}

/// The arguments that take away the files of a list, which was judged, and none beside it: what is not on the list takes no part
/// in the sync. rclone counts again, and stops above the number that was judged.
pub fn purge_arguments(purging: &Purging<'_>) -> Vec<String> {
    let Purging { nothing, target, list, files, kept_in, threads } = purging;
    let (nothing, list) = (nothing.display().to_string(), list.display().to_string());
    let (files, threads) = (files.to_string(), threads.max(&1).to_string());
    let mut arguments = vec!["sync", &nothing, target, "--files-from-raw", &list, "--max-delete", &files];
    if let Some(folder) = kept_in {
        arguments.extend(["--backup-dir", folder]);
    }
    let retries = LOW_LEVEL_RETRIES.to_string();
    arguments.extend(["--no-unicode-normalization", "--retries", "1", "--low-level-retries", &retries]);
    arguments.extend(["--transfers", &threads, "--checkers", &threads]);
    arguments.extend(log::FLAGS);
    arguments.into_iter().map(str::to_owned).collect()
}

/// Whether a list of rclone's can hold a name: it has one a line.
pub fn can_be_listed(path: &str) -> bool {
    !path.contains('\n') && !path.ends_with('\r')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::copy::{Preserve, Preserved};
    use crate::filter::Filter;

    fn action(from: &str, to: &str) -> CopyAction {
        CopyAction::plain(from, to, Filter::everything())
    }

    #[test]
    fn a_pass_is_a_copy_of_a_list_and_nothing_else() {
        let spelled = arguments(&action("smb-old:c$/MailArchive", "/srv/new"), Path::new("/tmp/list"));
        assert_eq!(
            spelled.arguments.join(" "),
            "copy smb-old:c$/MailArchive /srv/new --files-from-raw /tmp/list --ignore-times \
             --no-unicode-normalization --retries 1 --low-level-retries 3 --transfers 8 --checkers 8 --use-json-log -v --stats 500ms"
        );
        assert!(spelled.lacking.is_empty());
    }

    #[test]
    fn a_purge_is_a_sync_of_a_list_with_nothing_and_counts_it_again() {
        let arguments = purge_arguments(&Purging {
            nothing: Path::new("/tmp/empty"),
            target: "dav:new/archive",
            list: Path::new("/tmp/list"),
            files: 3,
            kept_in: Some("dav:new/archive.movebook-quarantine/run/1"),
            threads: 4,
        });
        let text = arguments.join(" ");
        assert!(
            text.starts_with("sync /tmp/empty dav:new/archive --files-from-raw /tmp/list --max-delete 3 "),
            "{text}"
        );
        assert!(text.contains(" --backup-dir dav:new/archive.movebook-quarantine/run/1 "), "{text}");
        assert!(!text.contains("--delete-excluded"), "what is not on the list is out of reach");
    }

    #[test]
    fn what_a_remote_cannot_have_is_named_by_its_field() {
        let base = action("dav:old", "/srv/new");
        for (action, field) in [
            (CopyAction { links: Links::Copy, ..base.clone() }, "links"),
            (
                CopyAction { preserve: Preserve::NOTHING_MORE.with(Preserved::Acls), ..base.clone() },
                "preserve",
            ),
            (CopyAction { compare: Compare::Content, ..base.clone() }, "compare"),
            (CopyAction { extra_args: vec!["--dry-run".into()], ..base.clone() }, "extra_args"),
        ] {
            let lacking = arguments(&action, Path::new("/l")).lacking;
            assert_eq!(lacking.iter().map(|lack| lack.field).collect::<Vec<_>>(), [field]);
        }
    }

    #[test]
    fn a_name_with_a_line_break_is_in_no_list() {
        assert!(can_be_listed("a b/#c ;d") && !can_be_listed("a\nb") && !can_be_listed("a\r"));
    }
}

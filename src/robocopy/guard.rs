//! What is refused for the line that it stands in, beside what the guards of every pass refuse.
//!
//! A stray blank tears a path in two: `D:\ MailArchive` without quotes is the target `D:\` and the pattern `MailArchive`. The
//! guards of a pass see a drive's root there, or nothing odd at all.

use super::command_line::Job;
use crate::guard::Refusal;

/// Whether the source has a file of the pattern's name, so that it can be meant as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lone {
    IsFile,
    IsNone,
}

/// Refuses a line in which a blank has torn a path in two.
pub fn judge_blank(job: &Job, held: impl Fn(&str) -> Lone) -> Result<(), Refusal> {
    let (Some(source), Some(target)) = (&job.source, &job.target) else { return Ok(()) };
    // `C:\ MailArchive D:\new`: the source was torn, and all that follows is a place too late.
    if let Some(late) = job.patterns.first().filter(|pattern| is_open(source) && is_whole_path(pattern))
        && !is_whole_path(target)
    {
        return Err(torn(
            "source",
            source,
            target,
            &format!("and the target would be `{target}` and not `{late}`"),
        ));
    }
    // Whatever follows: the torn path's rest stands in front of the line's own patterns.
    let Some(rest) = job.patterns.first() else { return Ok(()) };
    if is_open(target) && may_be_rest(rest, target) && held(rest) == Lone::IsNone {
        let taken = format!("and all that is copied would go to `{target}` itself");
        return Err(torn("target", target, rest, &taken));
    }
    Ok(())
}

/// Whether a path ends so that a name may follow.
fn is_open(path: &str) -> bool {
    path.ends_with(['\\', '/', ':'])
}

fn is_whole_path(text: &str) -> bool {
    let has_drive = matches!(text.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic());
    has_drive || text.starts_with(['\\', '/'])
}

/// A pattern for files has a wildcard or a dot. Behind a drive's root, which is no target, a dot says nothing.
fn may_be_rest(pattern: &str, target: &str) -> bool {
    let is_file = pattern.contains('.') && !pattern.contains(['\\', '/']);
    !pattern.contains(['*', '?']) && (!is_file || is_root(target))
}

/// `D:`, `D:\` or `/`.
fn is_root(path: &str) -> bool {
    let trimmed = path.trim_end_matches(['\\', '/']);
    trimmed.is_empty() || matches!(trimmed.as_bytes(), [letter, b':'] if letter.is_ascii_alphabetic())
}

fn torn(side: &str, path: &str, rest: &str, what: &str) -> Refusal {
    Refusal::new(
        "stray_blank",
        format!("`{path} {rest}` is two words: the {side} would be `{path}`, {what}"),
        format!(
            "write \"{path}{rest}\"; if `{rest}` is meant for itself, write `{}` without its end",
            path.trim_end_matches(['\\', '/'])
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(words: &[&str]) -> Job {
        let mut words = words.iter().map(|word| (*word).to_owned());
        Job { source: words.next(), target: words.next(), patterns: words.collect(), ..Job::default() }
    }

    fn refused(words: &[&str]) -> Option<Refusal> {
        judge_blank(&job(words), |_| Lone::IsNone).err()
    }

    #[test]
    fn a_target_torn_by_a_blank_is_told_for_what_it_is() {
        let refusal = refused(&[r"C:\MailArchive", r"D:\", "MailArchive"]).unwrap();
        assert_eq!(refusal.code, "stray_blank");
        assert!(refusal.hint.contains(r#""D:\MailArchive""#), "{}", refusal.hint);
        for words in [
            [r"C:\a", r"D:\new\", "MailArchive"],
            [r"C:\a", r"D:\", r"Mail\v2.0"],
            ["/srv/a", "/srv/", "MailArchive"],
            [r"C:\a", "D:", "MailArchive"],
            [r"C:\a", r"D:\", "Mail.v2"],
        ] {
            assert!(refused(&words).is_some(), "{words:?}");
        }
    }

    #[test]
    fn patterns_behind_the_torn_path_change_nothing() {
        for words in [
            [r"C:\a", r"D:\", "MailArchive", "*.dat"],
            ["old", "data/", "MailArchive", "*.dat"],
            [r"C:\a", r"D:\b\", "README", "LICENSE"],
        ] {
            assert!(refused(&words).is_some(), "{words:?}");
        }
    }

    #[test]
    fn a_source_torn_by_a_blank_is_told_for_what_it_is() {
        let refusal = refused(&[r"C:\", "MailArchive", r"D:\new"]).unwrap();
        assert!(refusal.reason.contains("the source would be"), "{}", refusal.reason);
    }

    #[test]
    fn patterns_of_files_are_let_pass() {
        for words in [
            &[r"C:\a", r"D:\", "*.dat"][..],
            &[r"C:\a", r"D:\b\", "read.me"],
            &[r"C:\a", r"D:\b", "README"],
            &[r"C:\a", r"D:\b\"],
        ] {
            assert_eq!(refused(words), None, "{words:?}");
        }
    }

    #[test]
    fn a_file_of_this_name_is_meant_as_one() {
        for words in [&[r"C:\a", r"D:\b\", "README"][..], &[r"C:\a", r"D:\b\", "README", "LICENSE"]] {
            assert_eq!(judge_blank(&job(words), |_| Lone::IsFile), Ok(()));
        }
    }
}

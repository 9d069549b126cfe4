//! A line of robocopy → a pass. The language is [`crate::robocopy`]'s; here is only what a step makes of it.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};

use super::{Pass, Purge, Reading, judge_root, judge_rules, trimmed};
use crate::copy::{Access, Preserved, Priority};
use crate::guard::PathStyle;
use crate::import::unknown;
use crate::robocopy::command_line::{Audits, Rights, Surroundings};
use crate::robocopy::guard::{Lone, judge_blank};
use crate::robocopy::pass::kept_out_of_target;
use crate::robocopy::{Age, Job, Misuse, Setting, parse, pass_of};

/// Reads a line without the program's name.
pub fn read(
    words: &[String],
    style: PathStyle,
    read_job: &dyn Fn(&str) -> Result<String, Misuse>,
) -> Reading {
    let around = Surroundings { style, leads_somewhere: &|_| false, read_job };
    let job = match parse(words, &around) {
        Ok(job) => job,
        Err(wrong) => return Reading::Left(told(wrong)),
    };
    if job.has(Setting::Help) {
        return Reading::Nothing { note: "it shows the switches".to_owned() };
    }
    if job.has(Setting::ListOnly) {
        return Reading::lists("/L");
    }
    if job.has(Setting::Quit) {
        return Reading::Left(vec![
            "it makes a job file and copies nothing (/QUIT): give that file to `movebook import`".to_owned(),
        ]);
    }
    match pass(&job, style) {
        Ok(pass) => Reading::Pass { pass: Box::new(pass), notes: notes(&job) },
        Err(wrong) => Reading::Left(wrong),
    }
}

fn told(wrong: Vec<Misuse>) -> Vec<String> {
    wrong.into_iter().map(|Misuse { message, hint }| format!("{message}: {hint}")).collect()
}

fn pass(job: &Job, style: PathStyle) -> Result<Pass, Vec<String>> {
    let mut wrong = Vec::new();
    let root = |root: &Option<String>| trimmed(root.as_deref().unwrap_or_default());
    let (from, to) = (root(&job.source), root(&job.target));
    if let Err(refusal) = judge_blank(job, |_| Lone::IsNone) {
        wrong.push(format!("{}: {}", refusal.reason, refusal.hint));
    } else {
        wrong.extend([&from, &to].into_iter().filter_map(|root| judge_root(root, style).err()));
    }
    let dated = [job.min_age, job.max_age].into_iter().flatten().any(|age| matches!(age, Age::Since(_)));
    if dated {
        wrong.push("a date in /MINAGE or /MAXAGE lies further back each day: give the days".to_owned());
    }
    let names = job.patterns.iter().chain(&job.exclude_files).chain(&job.exclude_directories);
    if let Some(name) = names.into_iter().find(|name| unknown::has_stand_in(name) && !is_below(name, job)) {
        wrong.push(format!(
            "the script does not say what `{name}` holds, which may be names or switches: write them out"
        ));
    }
    let is_of_a_shell =
        |name: &String| name.contains(['|', '<', '>']) || name.starts_with('&') || name.ends_with('&');
    let mut names = job.patterns.iter().chain(&job.exclude_files).chain(&job.exclude_directories);
    if let Some(name) = names.find(|name| is_of_a_shell(name)) {
        wrong.push(format!("`{name}` is no name of a file, but joins programs: write a line for each"));
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    // Only a date is measured from it.
    let started = ZonedDateTime::new(Timestamp::UNIX_EPOCH, TimeZone::UTC);
    let meant = pass_of(job, from.as_ref(), to.as_ref(), &started).map_err(told)?;
    judge_rules(meant.filter.rules()).map_err(|why| vec![why])?;
    let preserve =
        [Preserved::Owner, Preserved::Acls].into_iter().filter(|thing| job.preserve.holds(*thing)).collect();
    Ok(Pass {
        rules: meant.filter.rules().clone(),
        directories: meant.directories,
        retries: job.retries,
        wait: job.wait,
        threads: if job.has(Setting::Threads) { Some(meant.threads) } else { None },
        compare: meant.compare,
        mtime_tolerance: meant.mtime_tolerance,
        links: meant.links,
        preserve,
        bandwidth: None,
        priority: Priority::Normal,
        access: if job.rights() == Rights::Ordinary { Access::Ordinary } else { Access::Backup },
        purge: job.purges().then_some(Purge { max_files: job.purge_limit }),
        ..Pass::plain(from, to)
    })
}

/// Whether a name is a path below one of the roots, whose beginning need not be known.
fn is_below(name: &str, job: &Job) -> bool {
    [&job.source, &job.target].into_iter().flatten().any(|root| {
        name.strip_prefix(trimmed(root).as_str())
            .is_some_and(|rest| !unknown::has_stand_in(rest) && rest.starts_with(['\\', '/']))
    })
}

fn notes(job: &Job) -> Vec<String> {
    let mut notes = Vec::new();
    if job.retries.is_none() || job.wait.is_none() {
        notes.push(
            "without /R and /W robocopy tries a million times, 30 s apart; a step twice, 2 s apart"
                .to_owned(),
        );
    }
    let root = |root: &Option<String>| trimmed(root.as_deref().unwrap_or_default());
    let kept = kept_out_of_target(job, root(&job.source).as_ref(), root(&job.target).as_ref());
    for path in kept {
        notes.push(format!(
            "`{}` is kept out of both sides; the line names it below the target alone",
            path.display()
        ));
    }
    if job.rights() == Rights::BackupIfAllowed {
        notes.push("/ZB asks for the rights of whoever makes backups where they are to be had; `backup: true` needs them".to_owned());
    }
    if job.audits == Audits::Yes {
        notes.push("what Windows records of accesses (U in /COPY) is not carried over by a step".to_owned());
    }
    if let Some(log) = &job.log {
        notes.push(format!("no log {} is written: `movebook account` has the names", log.file));
    }
    if job.save.is_some() {
        notes.push("no job file is written (/SAVE)".to_owned());
    }
    let without: Vec<String> = job.without_effect().map(|switch| switch.shown()).collect();
    if !without.is_empty() {
        notes.push(format!("without effect here: {}", without.join(" ")));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::copy::{Directories, Links};

    fn read_line(line: &str) -> Reading {
        let words: Vec<String> = crate::import::script::windows_words(line);
        read(&words, PathStyle::Windows, &|name| Err(Misuse::new(format!("{name} is not there"), "give it")))
    }

    fn left(line: &str) -> String {
        read_line(line).into_reasons(line)
    }

    #[test]
    fn all_that_a_line_says_is_in_the_pass() {
        let line = r"C:\a\ D:\b *.dat /xf index* /xd tmp /s /r:3 /w:4 /mt:16 /minage:1 /max:100 /lev:3 /fft /b /copy:DATSO /purge /is";
        let Reading::Pass { pass, notes } = read_line(line) else { panic!() };
        assert_eq!((pass.from.as_str(), pass.to.as_str()), (r"C:\a", r"D:\b"));
        assert_eq!(
            (pass.rules.include.len(), pass.rules.max_size, pass.rules.max_depth),
            (1, Some(100), Some(3))
        );
        assert_eq!(pass.directories, Directories::NonEmpty);
        assert_eq!((pass.retries, pass.threads, pass.access), (Some(3), Some(16), Access::Backup));
        assert_eq!(pass.preserve, [Preserved::Owner, Preserved::Acls]);
        assert!(pass.purge.is_some() && pass.mtime_tolerance.is_some() && pass.links == Links::Skip);
        assert_eq!(notes, Vec::<String>::new());
    }

    #[test]
    fn what_a_step_cannot_say_leaves_the_line() {
        for (line, why) in [
            (r"C:\a D:\b /xo", "/xo"),
            (r"C:\a D:\b /mov", "/mov"),
            (r"C:\a D:\b /turbo", "no switch of robocopy"),
            (r"C:\a D:\b /minage:20240101", "a date"),
            (r"C:\a D:\ MailArchive /e", "two words"),
            (r"a D:\b /e", "whole path"),
            (r#""C:\" D:\b"#, "quote in it"),
            (r"C:\a /e", "no target"),
            (r"/job:x", "x is not there"),
            (r#"C:\a D:\b " " /e"#, "empty"),
        ] {
            assert!(left(line).contains(why), "{line}: {}", left(line));
        }
    }

    #[test]
    fn a_line_that_lists_is_nothing_to_do() {
        assert!(matches!(read_line(r"C:\a D:\b /mir /l"), Reading::Nothing { .. }));
        assert!(matches!(read_line("/?"), Reading::Nothing { .. }));
    }

    #[test]
    fn what_is_otherwise_than_with_robocopy_is_told() {
        let Reading::Pass { notes, .. } = read_line(r"C:\a D:\b /e /zb /j /log:x.txt /xd D:\b\keep") else {
            panic!()
        };
        let notes = notes.join("\n");
        for word in ["a million", "/ZB", "/J", "x.txt", "keep"] {
            assert!(notes.contains(word), "{word}: {notes}");
        }
    }
}

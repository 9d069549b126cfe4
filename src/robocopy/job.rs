//! Job files (`.rcj`): a command line kept as text, a switch or a name a line, in robocopy's own form.
//!
//! What follows `::` at a line's beginning, or behind a blank, is a comment. A line that does not begin with a switch is a
//! name of the list above it (`/IF`, `/XD`, `/XF`), and may hold blanks.

use std::fmt::Write as _;

use super::Misuse;
use super::command_line::{Job, Surroundings, Used, Word, word};
use super::switches::{self, Form, Meaning, Setting, Switch};

/// The end of a job file's name, where none is given.
pub const EXTENSION: &str = "rcj";

/// The words of a job file, in order.
pub(super) fn words(text: &str, around: &Surroundings<'_>) -> Result<Vec<Word>, Misuse> {
    let mut words = Vec::new();
    for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = without_comment(line).trim();
        let before = words.len();
        let read = line_words(line, around, &mut words).and_then(|()| no_further_job(&words[before..]));
        read.map_err(|misuse| Misuse {
            message: format!("line {}: {}", number + 1, misuse.message),
            ..misuse
        })?;
    }
    Ok(words)
}

/// Job files are read where the line names them, and there alone.
fn no_further_job(words: &[Word]) -> Result<(), Misuse> {
    let of_job = |used: &&Used| used.switch.meaning == Meaning::Sets(Setting::Job);
    let mut switches = words.iter().filter_map(|word| match word {
        Word::Switch(used) => Some(used),
        _ => None,
    });
    match switches.find(of_job) {
        Some(used) => Err(Misuse::new(
            format!("`{}` stands in a job file, which takes no other", used.shown()),
            "name both on the line",
        )),
        None => Ok(()),
    }
}

fn line_words(line: &str, around: &Surroundings<'_>, words: &mut Vec<Word>) -> Result<(), Misuse> {
    if line.is_empty() {
        return Ok(());
    }
    if !line.starts_with(['/', '-']) || matches!(word(line, around), Ok(Word::Name(_))) {
        let name = unquoted(line);
        if name.contains('"') {
            return Err(stray_quote(line));
        }
        words.push(Word::Name(name.to_owned()));
        return Ok(());
    }
    // A path behind a colon has the rest of the line.
    if let Some((name, value)) = line.split_once(':')
        && let Some(Switch { form: Form::Value(_), .. }) = switches::find(&name[1..])
        && !name.contains(char::is_whitespace)
    {
        words.push(word(&format!("{name}:{}", unquoted(value.trim())), around)?);
        return Ok(());
    }
    for piece in pieces(line)? {
        words.push(word(&piece, around)?);
    }
    Ok(())
}

/// The words of a line; blanks between two quotes belong to one.
fn pieces(line: &str) -> Result<Vec<String>, Misuse> {
    let parts: Vec<&str> = line.split('"').collect();
    let most = parts.len() - 1;
    // Every second part is between quotes; around them there is a blank, or the line's beginning or end.
    let is_whole = most.is_multiple_of(2)
        && parts.iter().enumerate().step_by(2).all(|(number, part)| {
            let begins = number == 0 || part.starts_with(char::is_whitespace);
            let ends = number == most || part.ends_with(char::is_whitespace);
            let is_outer = number == 0 || number == most;
            (begins && ends) || (is_outer && part.is_empty())
        });
    if !is_whole {
        return Err(stray_quote(line));
    }
    let mut pieces = Vec::new();
    for (number, part) in parts.into_iter().enumerate() {
        match number % 2 {
            0 => pieces.extend(part.split_whitespace().map(str::to_owned)),
            _ => pieces.push(part.to_owned()),
        }
    }
    Ok(pieces)
}

fn stray_quote(line: &str) -> Misuse {
    Misuse::new(
        format!("`{line}` has a quote where no word begins or ends"),
        "write each name of a list on a line of its own, without quotes",
    )
}

fn without_comment(line: &str) -> &str {
    let ends = line
        .match_indices("::")
        .find(|(at, _)| line[..*at].chars().next_back().is_none_or(char::is_whitespace));
    ends.map_or(line, |(at, _)| &line[..at])
}

fn unquoted(text: &str) -> &str {
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text)
}

/// The text of a job's file.
pub fn text(job: &Job, name: &str) -> String {
    let mut text = format!("::\n:: Robocopy Job {name}\n::\n:: Made by movebook\n::\n");
    root(&mut text, "Source", "SD", job.source.as_deref());
    root(&mut text, "Destination", "DD", job.target.as_deref());
    list(&mut text, "Include These Files", "IF", &job.patterns);
    list(&mut text, "Exclude These Directories", "XD", &job.exclude_directories);
    list(&mut text, "Exclude These Files", "XF", &job.exclude_files);
    text.push_str("\n::\n:: Options :\n::\n");
    for used in job.used().filter(|used| belongs_to_a_job(used.switch)) {
        line(&mut text, &used.shown(), used.switch.says);
    }
    text
}

/// What is in a job file by itself, or would be out of place in one.
fn belongs_to_a_job(switch: &Switch) -> bool {
    use Setting::{
        ExcludeDirectories, ExcludeFiles, Help, IncludeFiles, Job, NoSource, NoTarget, Quit, Save, Source,
        Target,
    };
    let own = [
        Job,
        Save,
        Quit,
        Source,
        Target,
        NoSource,
        NoTarget,
        IncludeFiles,
        ExcludeFiles,
        ExcludeDirectories,
        Help,
    ];
    !matches!(switch.meaning, Meaning::Sets(setting) if own.contains(&setting))
}

fn root(text: &mut String, what: &str, switch: &str, path: Option<&str>) {
    heading(text, &format!("{what} Directory"));
    match path {
        Some(path) => line(text, &format!("/{switch}:{path}"), &format!("{what} Directory.")),
        None => line(text, &format!("/NO{switch}"), &format!("No {what} Directory.")),
    }
}

fn list(text: &mut String, what: &str, switch: &str, names: &[String]) {
    heading(text, what);
    if names.is_empty() {
        return;
    }
    line(text, &format!("/{switch}"), what);
    for name in names {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "\t\t{name}");
    }
}

fn heading(text: &mut String, what: &str) {
    // Writing to a String cannot fail.
    let _ = write!(text, "\n::\n:: {what} :\n::\n");
}

fn line(text: &mut String, switch: &str, comment: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "\t{switch}\t\t:: {comment}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::PathStyle;
    use crate::robocopy::parse;

    fn read(files: &[(&str, &str)], line: &[&str]) -> Result<Job, Vec<Misuse>> {
        let arguments: Vec<String> = line.iter().map(|word| (*word).to_owned()).collect();
        let around = Surroundings {
            style: PathStyle::Windows,
            leads_somewhere: &|_| false,
            read_job: &|name| {
                let found = files.iter().find(|(known, _)| *known == name);
                found
                    .map(|(_, text)| (*text).to_owned())
                    .ok_or_else(|| Misuse::new("is not there", "make it"))
            },
        };
        parse(&arguments, &around)
    }

    /// As robocopy itself writes one.
    const WRITTEN: &str = "::\r\n:: Robocopy Job C:\\MYJOB.RCJ\r\n::\r\n\r\n::\r\n:: Source Directory :\r\n::\r\n\t/SD:C:\\Mail Archive\\\t:: Source Directory.\r\n\t/DD:D:\\new\\\t:: Destination Directory.\r\n\t/IF\t\t:: Include Files matching these names\r\n\t\t*.dat\r\n\t/XD\t\t:: eXclude Directories matching these names\r\n\t\tDebug Log\r\n::\t\t\t:: eXclude no names (currently - Command Line may override)\r\n\t/S\t\t:: copy Subdirectories, but not empty ones.\r\n\t/DCOPY:DA\t:: what to COPY for directories (default is /DCOPY:DA).\r\n\t/R:2\t\t:: number of Retries\r\n";

    #[test]
    fn a_file_that_robocopy_wrote_is_read() {
        let job = read(&[("j", WRITTEN)], &["/job:j"]).unwrap();
        assert_eq!(job.source.as_deref(), Some(r"C:\Mail Archive\"));
        assert_eq!(job.target.as_deref(), Some(r"D:\new\"));
        assert_eq!(
            (job.patterns, job.exclude_directories),
            (vec!["*.dat".to_owned()], vec!["Debug Log".to_owned()])
        );
        assert_eq!(job.retries, Some(2));
    }

    #[test]
    fn what_is_written_is_read_as_it_was() {
        let line = [
            r"C:\a b",
            r"D:\b",
            "*.dat",
            "x y",
            "/s",
            "/r:3",
            "/xf",
            "index*",
            "/xd",
            "Debug Log",
            "/minage:1",
            "/z",
        ];
        let job = read(&[], &line).unwrap();
        let again = read(&[("j", &text(&job, "j"))], &["/job:j"]).unwrap();
        assert_eq!(text(&again, "j"), text(&job, "j"));
        for (one, other) in [
            (&again.patterns, &job.patterns),
            (&again.exclude_files, &job.exclude_files),
            (&again.exclude_directories, &job.exclude_directories),
        ] {
            assert_eq!(one, other);
        }
        assert_eq!((again.source, again.min_age, again.retries), (job.source, job.min_age, job.retries));
    }

    #[test]
    fn the_line_comes_after_its_job_file() {
        let file = "/IF\n*.dat\n/R:1\n/W:1\n/XF\na\n";
        let job = read(&[("j", file)], &[r"C:\a", r"D:\b", "*.fdb", "/r:5", "/job:j", "/xf", "b"]).unwrap();
        assert_eq!((job.retries, job.wait.map(|wait| wait.as_secs())), (Some(5), Some(1)));
        assert_eq!(
            (job.patterns, job.exclude_files),
            (vec!["*.fdb".to_owned()], vec!["a".to_owned(), "b".to_owned()])
        );
    }

    #[test]
    fn a_root_of_a_job_file_and_another_of_the_line_are_refused() {
        let wrong = read(&[("j", "/SD:C:\\a\n")], &["/job:j", r"D:\b", "/sd:C:\\other"]).unwrap_err();
        assert!(wrong[0].message.contains("named before"), "{wrong:?}");
    }

    #[test]
    fn a_name_in_quotes_is_one_name() {
        let job = read(&[("j", "/XD \"Debug Log\" temp\n")], &[r"C:\a", r"D:\b", "/job:j"]).unwrap();
        assert_eq!(job.exclude_directories, ["Debug Log", "temp"]);
        for odd in
            ["/XD \"Debug Log", "/XD a\"b c\"", "/XD \"a\" x\"b\"", "/XD \"a\"\"b\"", "/XD\n\"a\" \"b\""]
        {
            let wrong = read(&[("j", odd)], &[r"C:\a", r"D:\b", "/job:j"]).unwrap_err();
            assert!(wrong[0].message.contains("has a quote"), "{wrong:?}");
        }
    }

    #[test]
    fn a_job_file_in_a_job_file_is_refused() {
        for odd in ["/JOB:other", "/S /JOB:other"] {
            let wrong = read(&[("j", odd), ("other", "/E\n")], &[r"C:\a", r"D:\b", "/job:j"]).unwrap_err();
            assert!(wrong[0].message.contains("/JOB:other"), "{wrong:?}");
        }
    }

    #[test]
    fn what_is_wrong_in_a_job_file_is_told_with_its_line() {
        let wrong = read(&[("j", "/S\n/PURGEE\n")], &[r"C:\a", r"D:\b", "/job:j"]).unwrap_err();
        assert!(wrong[0].message.contains("job file j: line 2"), "{wrong:?}");
    }
}

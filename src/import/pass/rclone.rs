//! A line of rclone → a pass. Only paths are read: a remote needs rclone itself.

use std::time::Duration;

use super::flags::{Argument, Arguments, number, size};
use super::ordered::{self, About, Ordered, Sign};
use super::{Pass, Purge, Reading, judge_root, judge_rules, trimmed};
use crate::copy::{Compare, Directories, Links};
use crate::filter::Case;
use crate::guard::PathStyle;
use crate::values;

/// As many as a pass may have.
const MOST_THREADS: u32 = 128;

/// Options that only say what is told, or how the work is done, and that have nothing to act on here.
const WITHOUT_VALUE: &[&str] = &[
    "verbose",
    "progress",
    "quiet",
    "fast-list",
    "no-traverse",
    "stats-one-line",
    "stats-one-line-date",
    "use-json-log",
    "human-readable",
    "check-first",
    "local-no-check-updated",
    "delete-before",
    "delete-during",
    "delete-after",
    "track-renames",
    "auto-confirm",
    "no-console",
    "inplace",
    "ignore-errors",
    "server-side-across-configs",
];
const WITH_VALUE: &[&str] = &[
    "log-file",
    "log-level",
    "log-format",
    "stats",
    "stats-log-level",
    "stats-file-name-length",
    "stats-unit",
    "checkers",
    "config",
    "multi-thread-streams",
    "multi-thread-cutoff",
    "multi-thread-chunk-size",
    "buffer-size",
    "tpslimit",
    "tpslimit-burst",
    "contimeout",
    "timeout",
    "max-backlog",
    "low-level-retries",
    "local-encoding",
    "order-by",
    "syslog-facility",
    "user-agent",
    "cache-dir",
    "temp-dir",
];

/// Reads a line without the program's name.
pub fn read(words: &[String], style: PathStyle) -> Reading {
    let mut line = Line::new();
    line.arguments(words);
    if line.wrong.is_empty() { line.finish(style) } else { Reading::Left(line.wrong) }
}

struct Line {
    words: Vec<String>,
    pass: Pass,
    filters: Vec<Ordered>,
    /// `--include`, behind which nothing else is let in.
    includes: Vec<Ordered>,
    case: Case,
    lists_only: Option<String>,
    max_delete: Option<u64>,
    notes: Vec<String>,
    wrong: Vec<String>,
}

impl Line {
    fn new() -> Self {
        Self {
            words: Vec::new(),
            pass: Pass { directories: Directories::NonEmpty, ..Pass::plain(String::new(), String::new()) },
            filters: Vec::new(),
            includes: Vec::new(),
            case: Case::Sensitive,
            lists_only: None,
            max_delete: None,
            notes: Vec::new(),
            wrong: Vec::new(),
        }
    }

    fn arguments(&mut self, words: &[String]) {
        let mut arguments = Arguments::new(words);
        while let Some(argument) = arguments.next() {
            let taken = match &argument {
                Argument::Word(word) => {
                    self.words.push(word.clone());
                    Ok(())
                }
                Argument::Short { letter, .. } => {
                    let name = match letter {
                        'v' => "verbose",
                        'P' => "progress",
                        'q' => "quiet",
                        'n' => "dry-run",
                        'c' => "checksum",
                        'u' => "update",
                        'l' => "links",
                        'L' => "copy-links",
                        'M' => "metadata",
                        'f' => "filter",
                        'i' => "interactive",
                        _ => "",
                    };
                    self.option(name, &argument, &mut arguments)
                }
                // `--flag=false` is a flag that is not given.
                Argument::Long { value: Some(value), .. } if value == "false" => Ok(()),
                Argument::Long { name, .. } => self.option(&name.clone(), &argument, &mut arguments),
            };
            self.wrong.extend(taken.err());
        }
    }

    fn option(
        &mut self,
        name: &str,
        argument: &Argument,
        arguments: &mut Arguments<'_>,
    ) -> Result<(), String> {
        let shown = argument.shown();
        let refused = |why: &str| Err(format!("`{shown}` is not carried over: {why}"));
        let mut value = || arguments.value(argument);
        match name {
            "dry-run" => self.lists_only = Some(shown),
            "ignore-case" => self.case = Case::Insensitive,
            "create-empty-src-dirs" => self.pass.directories = Directories::All,
            "checksum" => self.pass.compare = Compare::Content,
            "links" => self.pass.links = Links::Copy,
            "skip-links" => {}
            "filter" => {
                let written = value()?;
                self.filter(&written)?;
            }
            "exclude" => {
                let written = value()?;
                self.filters.push(filter(Sign::Out, &written)?);
            }
            "include" => {
                let written = value()?;
                self.includes.push(filter(Sign::In, &written)?);
            }
            "min-age" => self.pass.rules.min_age = Some(age(&value()?)?),
            "max-age" => self.pass.rules.max_age = Some(age(&value()?)?),
            "min-size" => self.pass.rules.min_size = Some(bytes(&value()?)?),
            "max-size" => self.pass.rules.max_size = Some(bytes(&value()?)?),
            "max-depth" => self.pass.rules.max_depth = depth(&value()?)?,
            "transfers" => {
                let threads = number(&value()?)?;
                self.pass.threads = Some(threads.clamp(1, MOST_THREADS));
            }
            // The first try counts there, and not here.
            "retries" => self.pass.retries = Some(number(&value()?)?.saturating_sub(1)),
            "retries-sleep" => self.pass.wait = Some(age(&value()?)?),
            "modify-window" => self.pass.mtime_tolerance = Some(age(&value()?)?),
            "max-delete" => self.max_delete = Some(number(&value()?)?.into()),
            "bwlimit" => {
                let limit = value()?;
                match size(&limit, 1024).filter(|bytes| *bytes > 0) {
                    Some(bytes) => self.pass.bandwidth = Some(values::written_size(bytes)),
                    None => self
                        .notes
                        .push(format!("`--bwlimit {limit}` is not carried over: write it as `bandwidth`")),
                }
            }
            "backup-dir" => {
                let folder = value()?;
                self.notes.push(format!(
                    "what is purged goes into a quarantine and not to `{folder}`; what is overwritten is not kept"
                ));
            }
            "metadata" => {
                self.notes.push("for owners and the like write `preserve` (`--metadata`)".to_owned())
            }
            "delete-excluded" => return refused("a purge leaves alone what the filter keeps out"),
            "update" | "ignore-existing" | "size-only" | "ignore-times" | "existing" | "immutable" => {
                return refused("a pass copies what is missing and what differs, newer or older alike");
            }
            "copy-links" => return refused("no link is followed"),
            "filter-from" | "exclude-from" | "include-from" | "files-from" | "exclude-if-present" => {
                return refused("the rules are in a file: write them into a filter");
            }
            "interactive" => return refused("a step asks nothing while it copies"),
            _ if WITHOUT_VALUE.contains(&name) => {}
            _ if WITH_VALUE.contains(&name) => drop(value()?),
            _ => return refused("movebook does not know what it means"),
        }
        Ok(())
    }

    fn filter(&mut self, written: &str) -> Result<(), String> {
        let found = match written.trim_start().split_at_checked(2) {
            Some(("- ", pattern)) => filter(Sign::Out, pattern)?,
            Some(("+ ", pattern)) => filter(Sign::In, pattern)?,
            _ => return Err(format!("the filter `{written}` has neither `- ` nor `+ ` in front: write one")),
        };
        self.filters.push(found);
        Ok(())
    }

    fn finish(mut self, style: PathStyle) -> Reading {
        let Some((command, roots)) = self.words.split_first() else {
            return Reading::Nothing { note: "it shows a help".to_owned() };
        };
        let left = |why: String| Reading::Left(vec![why]);
        match command.as_str() {
            "copy" => {}
            "sync" => self.pass.purge = Some(Purge { max_files: self.max_delete }),
            "move" | "moveto" => {
                return left(
                    "a source is never touched: copy, compare, and delete the source by hand".to_owned(),
                );
            }
            "check" | "cryptcheck" | "checksum" => {
                return left("it compares two trees: write a `verify` step".to_owned());
            }
            "ls" | "lsl" | "lsd" | "lsf" | "lsjson" | "tree" | "size" | "version" | "listremotes"
            | "about" | "ncdu" | "help" => {
                return Reading::Nothing { note: "it only shows something".to_owned() };
            }
            other => return left(format!("`rclone {other}` is no pass: movebook reads `copy` and `sync`")),
        }
        let [from, to] = roots else {
            return left(format!("it has {} paths, and a pass has two: a source and a target", roots.len()));
        };
        if let Some(flag) = self.lists_only {
            return Reading::lists(&flag);
        }
        let mut wrong: Vec<String> =
            [from, to].into_iter().filter_map(|root| judge(root, style).err()).collect();
        let mut pass = Pass { from: trimmed(from), to: trimmed(to), ..self.pass };
        wrong.extend(put(self.filters, self.includes, self.case, &mut pass).err());
        if !wrong.is_empty() {
            return Reading::Left(wrong);
        }
        Reading::Pass { pass: Box::new(pass), notes: self.notes }
    }
}

fn put(mut filters: Vec<Ordered>, includes: Vec<Ordered>, case: Case, pass: &mut Pass) -> Result<(), String> {
    if !includes.is_empty() {
        if let Some(filter) = filters.first() {
            return Err(format!(
                "in which order `{}` and `{}` are asked is not said by rclone: write both as `--filter`",
                includes[0].written, filter.written
            ));
        }
        filters = includes;
        filters.push(Ordered { sign: Sign::Out, about: About::Everything, written: "**".to_owned() });
    }
    ordered::put(&filters, &mut pass.rules)?;
    let rules = &mut pass.rules;
    if !(rules.include.is_empty() && rules.exclude.is_empty() && rules.exclude_directories.is_empty()) {
        rules.case = case;
    }
    judge_rules(&pass.rules)
}

fn filter(sign: Sign, written: &str) -> Result<Ordered, String> {
    let about = match written {
        "*" | "**" | "/**" => About::Everything,
        _ => match written.strip_suffix("/**").or_else(|| written.strip_suffix('/')) {
            Some(folder) => About::Directories(ordered::pattern(folder)?),
            None => About::Files(ordered::pattern(written)?),
        },
    };
    Ok(Ordered { sign, about, written: written.to_owned() })
}

fn judge(root: &str, style: PathStyle) -> Result<(), String> {
    let has_drive = matches!(root.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic());
    let remote = root.split_once(':').filter(|_| !(has_drive && style == PathStyle::Windows));
    match remote {
        Some((name, _)) if !name.contains(['/', '\\']) => Err(format!(
            "`{name}:` is a remote of rclone: give the folder as a path or a share, or call rclone by a `command` step"
        )),
        _ => judge_root(root, style),
    }
}

fn age(text: &str) -> Result<Duration, String> {
    let text =
        if text.bytes().all(|byte| byte.is_ascii_digit()) { format!("{text}s") } else { text.to_owned() };
    values::duration(&text)
        .ok()
        .filter(|_| !text.contains(char::is_whitespace))
        .ok_or_else(|| format!("`{text}` is no time that a step has: write it in s, m, h, d or w"))
}

fn bytes(text: &str) -> Result<u64, String> {
    size(text, 1024).ok_or_else(|| format!("`{text}` is no size: write whole KiB, as `512K`"))
}

/// -1 is every depth.
fn depth(text: &str) -> Result<Option<u32>, String> {
    if text == "-1" { Ok(None) } else { number(text).map(|depth| Some(depth.max(1))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_line(line: &str) -> Reading {
        let words: Vec<String> = crate::import::script::windows_words(line);
        read(&words, PathStyle::Unix)
    }

    fn pass(line: &str) -> Pass {
        read_line(line).into_pass(line)
    }

    fn left(line: &str) -> String {
        read_line(line).into_reasons(line)
    }

    #[test]
    fn the_published_lines_are_passes() {
        let content = pass(
            r#"copy /old /new --filter "- index*" --filter "+ *.dat" --filter "- **" --ignore-case --min-age 1d"#,
        );
        assert_eq!(
            (content.rules.include, content.rules.exclude),
            (vec!["*.dat".to_owned()], vec!["index*".to_owned()])
        );
        assert_eq!(content.rules.min_age, Some(Duration::from_secs(86_400)));
        assert_eq!((content.rules.case, content.directories), (Case::Insensitive, Directories::NonEmpty));
        let last = pass(
            "sync /old /new --create-empty-src-dirs --max-delete 7 --retries 3 --retries-sleep 2s --transfers 4",
        );
        assert_eq!((last.purge, last.directories), (Some(Purge { max_files: Some(7) }), Directories::All));
        assert_eq!((last.retries, last.wait, last.threads), (Some(2), Some(Duration::from_secs(2)), Some(4)));
    }

    #[test]
    fn patterns_tell_case_apart_unless_told_otherwise() {
        assert_eq!(pass("copy /old /new --exclude x").rules.case, Case::Sensitive);
        assert_eq!(pass("copy /old /new").rules.case, Case::Insensitive);
    }

    #[test]
    fn what_a_step_cannot_say_leaves_the_line() {
        for (line, why) in [
            ("copy smb-old:c$/a /new", "`smb-old:` is a remote"),
            ("copy :smb,host=x:c$ /new", "is a remote"),
            ("copy /old /new --update", "--update"),
            ("sync /old /new --delete-excluded", "--delete-excluded"),
            ("copy /old /new --turbo", "--turbo"),
            ("copy /old /new --exclude-from x", "in a file"),
            ("copy /old /new --min-age 1M", "1M"),
            ("copy /old /new --include a --exclude b", "order"),
            ("move /old /new", "never touched"),
            ("check /old /new", "verify"),
            ("copy /old", "1 paths"),
            ("copy /old /new --max-age", "no value"),
        ] {
            assert!(left(line).contains(why), "{line}: {}", left(line));
        }
    }

    #[test]
    fn a_line_that_lists_is_nothing_to_do() {
        assert!(matches!(read_line("sync /old /new -n -vv"), Reading::Nothing { .. }));
        assert!(matches!(read_line("lsd x:"), Reading::Nothing { .. }));
    }
}

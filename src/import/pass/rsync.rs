//! A line of rsync → a pass. Only paths of this machine are read: over a network rsync needs itself at both ends.

use std::time::Duration;

use super::flags::{Argument, Arguments, number, size};
use super::ordered::{self, About, Ordered, Sign};
use super::{Pass, Purge, Reading, judge_root, judge_rules, trimmed};
use crate::copy::{Compare, Directories, Links, Preserved};
use crate::filter::Case;
use crate::guard::PathStyle;
use crate::import::unknown::is_stand_in;
use crate::values;

/// Options that only say what is told, or how the work is done, and that have nothing to act on here.
const WITHOUT_VALUE: &[&str] = &[
    "verbose",
    "quiet",
    "human-readable",
    "progress",
    "stats",
    "itemize-changes",
    "compress",
    "whole-file",
    "partial",
    "numeric-ids",
    "times",
    "perms",
    "group",
    "devices",
    "specials",
    "sparse",
    "inplace",
    "fsync",
    "no-motd",
    "no-inc-recursive",
    "delay-updates",
    "no-compress",
    "omit-dir-times",
    "no-whole-file",
    "protect-args",
    "secluded-args",
];
const WITH_VALUE: &[&str] = &[
    "info",
    "debug",
    "out-format",
    "log-file",
    "log-file-format",
    "timeout",
    "contimeout",
    "partial-dir",
    "temp-dir",
    "compress-level",
    "compress-choice",
    "checksum-choice",
    "block-size",
    "outbuf",
];

/// Reads a line without the program's name.
pub fn read(words: &[String], style: PathStyle) -> Reading {
    let mut line = Line::new();
    line.arguments(words);
    if line.wrong.is_empty() { line.finish(style) } else { Reading::Left(line.wrong) }
}

struct Line {
    roots: Vec<String>,
    pass: Pass,
    filters: Vec<Ordered>,
    anchored: Option<String>,
    has_all_folders: bool,
    recursive: bool,
    lists_only: Option<String>,
    max_delete: Option<u64>,
    notes: Vec<String>,
    wrong: Vec<String>,
}

impl Line {
    fn new() -> Self {
        Self {
            roots: Vec::new(),
            pass: Pass::plain(String::new(), String::new()),
            filters: Vec::new(),
            anchored: None,
            has_all_folders: false,
            recursive: false,
            lists_only: None,
            max_delete: None,
            notes: Vec::new(),
            wrong: Vec::new(),
        }
    }

    fn arguments(&mut self, words: &[String]) {
        let mut arguments = Arguments::new(words);
        while let Some(argument) = arguments.next() {
            let names: &[&str] = match &argument {
                Argument::Word(word) => {
                    self.roots.push(word.clone());
                    continue;
                }
                Argument::Long { name, .. } => &[name.as_str()],
                Argument::Short { letter, .. } => short(*letter),
            };
            if names.is_empty() {
                self.wrong.push(format!(
                    "`{}` is not carried over: movebook does not know what it means",
                    argument.shown()
                ));
            }
            for name in names {
                let taken = self.option(name, &argument, &mut arguments);
                self.wrong.extend(taken.err());
            }
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
        let pass = &mut self.pass;
        match name {
            "archive" => {
                self.recursive = true;
                pass.links = Links::Copy;
                keep(pass, Preserved::Owner);
            }
            "recursive" => self.recursive = true,
            "no-recursive" => self.recursive = false,
            "links" => pass.links = Links::Copy,
            "no-links" => pass.links = Links::Skip,
            "owner" => keep(pass, Preserved::Owner),
            "no-owner" | "no-group" => pass.preserve.retain(|thing| *thing != Preserved::Owner),
            "hard-links" => keep(pass, Preserved::HardLinks),
            "acls" => keep(pass, Preserved::Acls),
            "xattrs" => keep(pass, Preserved::Xattrs),
            "checksum" => pass.compare = Compare::Content,
            "prune-empty-dirs" => pass.directories = Directories::NonEmpty,
            "dry-run" | "list-only" => self.lists_only = Some(shown),
            "delete" | "del" | "delete-before" | "delete-during" | "delete-delay" | "delete-after" => {
                pass.purge = Some(Purge { max_files: None });
            }
            "max-delete" => self.max_delete = Some(number(&value()?)?.into()),
            "exclude" => {
                let written = value()?;
                self.filter(Sign::Out, &written)?;
            }
            "include" => {
                let written = value()?;
                self.filter(Sign::In, &written)?;
            }
            "max-size" => pass.rules.max_size = Some(bytes(&value()?)?),
            "min-size" => pass.rules.min_size = Some(bytes(&value()?)?),
            "modify-window" => pass.mtime_tolerance = Some(Duration::from_secs(number(&value()?)?.into())),
            "bwlimit" => {
                let limit = value()?;
                match size(&limit, 1024) {
                    Some(0) => {}
                    Some(bytes) => pass.bandwidth = Some(values::written_size(bytes)),
                    None => self
                        .notes
                        .push(format!("`--bwlimit={limit}` is not carried over: write it as `bandwidth`")),
                }
            }
            "backup" | "backup-dir" | "suffix" => {
                return refused("what is overwritten is not kept; a purge has its quarantine");
            }
            "delete-excluded" => return refused("a purge leaves alone what the filter keeps out"),
            "ignore-errors" | "force" => return refused("nothing is purged after an error"),
            "update" | "existing" | "ignore-existing" | "size-only" | "ignore-times" | "append"
            | "append-verify" => {
                return refused("a pass copies what is missing and what differs, newer or older alike");
            }
            "remove-source-files" => return refused("a source is never touched"),
            "copy-links" | "copy-unsafe-links" | "copy-dirlinks" | "keep-dirlinks" | "safe-links" => {
                return refused("no link is followed");
            }
            "one-file-system" => {
                return refused(
                    "a pass goes into what is mounted below its source: keep those folders out by name",
                );
            }
            "exclude-from" | "include-from" | "files-from" | "filter" | "cvs-exclude" => {
                return refused("movebook reads --exclude and --include: write the rules so");
            }
            "rsh" => return refused("movebook copies between paths of one machine: mount the other side"),
            _ if WITHOUT_VALUE.contains(&name) => {}
            _ if WITH_VALUE.contains(&name) => drop(value()?),
            _ => return refused("movebook does not know what it means"),
        }
        Ok(())
    }

    fn filter(&mut self, sign: Sign, written: &str) -> Result<(), String> {
        if sign == Sign::In && written == "*/" {
            // So that folders are gone into before all else is kept out.
            self.has_all_folders = true;
            return Ok(());
        }
        if written.starts_with('/') {
            self.anchored.get_or_insert_with(|| written.to_owned());
        }
        let about = match written {
            "*" | "**" | "/**" => About::Everything,
            _ => match written.strip_suffix("/***").or_else(|| written.strip_suffix('/')) {
                Some(folder) => About::Directories(ordered::pattern(folder)?),
                None => About::Both(ordered::pattern(written)?),
            },
        };
        self.filters.push(Ordered { sign, about, written: written.to_owned() });
        Ok(())
    }

    fn finish(mut self, style: PathStyle) -> Reading {
        let [from, to] = self.roots.as_slice() else {
            if self.roots.is_empty() {
                return Reading::Nothing { note: "it shows a help".to_owned() };
            }
            return Reading::Left(vec![format!(
                "it has {} paths, and a pass has two: write a line for each source",
                self.roots.len()
            )]);
        };
        if let Some(flag) = self.lists_only {
            return Reading::lists(&flag);
        }
        let mut wrong: Vec<String> =
            [from, to].into_iter().filter_map(|root| judge(root, style).err()).collect();
        if from.ends_with(is_stand_in) {
            wrong.push(format!(
                "the script does not say whether `{from}` has a slash at its end, which decides the target: write `{from}/` for what is in it"
            ));
        }
        // Without a slash at its end the source itself is copied, and not what is in it.
        let is_content = from.ends_with('/') || from.ends_with("/.");
        let source = trimmed(from.strip_suffix("/.").unwrap_or(from));
        let target = match source.rsplit('/').next().filter(|_| !is_content) {
            Some(name) => format!("{}/{name}", to.trim_end_matches('/')),
            None => trimmed(to),
        };
        if let (Some(pattern), false) = (&self.anchored, is_content) {
            wrong.push(format!("`{pattern}` begins above the source, which has no slash at its end: write it below `{source}/`"));
        }
        let has_includes = self.filters.iter().any(|filter| filter.sign == Sign::In);
        let is_closed =
            self.filters.iter().any(|filter| filter.about == About::Everything && filter.sign == Sign::Out);
        if has_includes && is_closed && !self.has_all_folders {
            wrong.push(
                "`--exclude=*` keeps all folders out, too: write --include='*/' in front, or leave -r out"
                    .to_owned(),
            );
        }
        if has_includes && is_closed {
            // Only files are let in by name: folders all are.
            for filter in self.filters.iter_mut().filter(|filter| filter.sign == Sign::In) {
                if let About::Both(pattern) = &filter.about {
                    filter.about = About::Files(pattern.clone());
                }
            }
        }
        let mut pass = Pass { from: source, to: target, ..self.pass };
        if !self.recursive {
            pass.directories = Directories::None;
        }
        pass.purge = pass.purge.map(|_| Purge { max_files: self.max_delete });
        wrong.extend(ordered::put(&self.filters, &mut pass.rules).err());
        if !self.filters.is_empty() {
            pass.rules.case = Case::Sensitive;
        }
        wrong.extend(judge_rules(&pass.rules).err());
        if !wrong.is_empty() {
            return Reading::Left(wrong);
        }
        Reading::Pass { pass: Box::new(pass), notes: self.notes }
    }
}

/// What a letter stands for.
fn short(letter: char) -> &'static [&'static str] {
    match letter {
        'a' => &["archive"],
        'r' => &["recursive"],
        'v' => &["verbose"],
        'q' => &["quiet"],
        'h' => &["human-readable"],
        'P' => &["partial", "progress"],
        'i' => &["itemize-changes"],
        'z' => &["compress"],
        'W' => &["whole-file"],
        't' => &["times"],
        'p' => &["perms"],
        'g' => &["group"],
        'o' => &["owner"],
        'D' => &["devices"],
        'l' => &["links"],
        'H' => &["hard-links"],
        'A' => &["acls"],
        'X' => &["xattrs"],
        'S' => &["sparse"],
        'c' => &["checksum"],
        'n' => &["dry-run"],
        'm' => &["prune-empty-dirs"],
        'u' => &["update"],
        'b' => &["backup"],
        'L' => &["copy-links"],
        'x' => &["one-file-system"],
        'f' => &["filter"],
        'C' => &["cvs-exclude"],
        'e' => &["rsh"],
        's' => &["protect-args"],
        'O' => &["omit-dir-times"],
        'I' => &["ignore-times"],
        _ => &[],
    }
}

fn keep(pass: &mut Pass, thing: Preserved) {
    if !pass.preserve.contains(&thing) {
        pass.preserve.push(thing);
    }
}

fn judge(root: &str, style: PathStyle) -> Result<(), String> {
    let before = root.split_once(':').map(|(before, _)| before);
    let has_drive = style == PathStyle::Windows && before.is_some_and(|before| before.len() == 1);
    if before.is_some_and(|before| !before.contains('/')) && !has_drive {
        return Err(format!("`{root}` is on another machine: mount it, or run this where it is"));
    }
    if root.contains(['*', '?', '[']) {
        return Err(format!(
            "`{root}` is a pattern that the shell makes several sources of: give the folder and a filter"
        ));
    }
    judge_root(root.strip_suffix("/.").unwrap_or(root), style)
}

fn bytes(text: &str) -> Result<u64, String> {
    size(text, 1).ok_or_else(|| format!("`{text}` is no size: write whole bytes, or K, M and G"))
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
    fn an_archive_with_delete_is_a_purge_of_all() {
        let found = pass("-aHv --delete --max-delete=9 --exclude=tmp/ --exclude *.lock /srv/old/ /srv/new/");
        assert_eq!((found.from.as_str(), found.to.as_str()), ("/srv/old", "/srv/new"));
        assert_eq!((found.purge, found.links), (Some(Purge { max_files: Some(9) }), Links::Copy));
        assert_eq!(found.preserve, [Preserved::Owner, Preserved::HardLinks]);
        assert_eq!(found.rules.exclude_directories, ["tmp", "*.lock"]);
        assert_eq!(found.rules.case, Case::Sensitive);
    }

    #[test]
    fn a_source_without_a_slash_is_copied_itself() {
        assert_eq!(pass("-a /srv/old /srv/new").to, "/srv/new/old");
        assert_eq!(pass("-a /srv/old/. /srv/new").to, "/srv/new");
        assert_eq!(pass("-t /srv/old/ /srv/new").directories, Directories::None);
    }

    #[test]
    fn a_source_whose_end_is_not_known_leaves_the_line() {
        assert!(left("-a --delete \u{f0000} \u{f0001}").contains("decides the target"));
        assert_eq!(pass("-a --delete \u{f0000}/ \u{f0001}").to, "\u{f0001}");
    }

    #[test]
    fn names_that_are_let_in_alone_are() {
        let found = pass("-a --include=*/ --include=*.dat --exclude=* /srv/old/ /srv/new/");
        assert_eq!((found.rules.include, found.rules.exclude), (vec!["*.dat".to_owned()], vec![]));
    }

    #[test]
    fn what_a_step_cannot_say_leaves_the_line() {
        for (line, why) in [
            ("-a old:/srv/a/ /srv/b/", "another machine"),
            ("-a rsync://h/x /srv/b/", "another machine"),
            ("-au /a/ /b/", "-u"),
            ("-ax /a/ /b/", "-x"),
            ("-a --delete-excluded /a/ /b/", "--delete-excluded"),
            ("-a --turbo /a/ /b/", "--turbo"),
            ("-aj /a/ /b/", "-j"),
            ("-a /a/* /b/", "pattern"),
            ("-a /a/ /b/ /c/", "3 paths"),
            ("-a --exclude=/x /a /b/", "above the source"),
            ("-a --include=*.dat --exclude=* /a/ /b/", "folders"),
            ("-a a/ /b/", "whole path"),
            ("-a --remove-source-files /a/ /b/", "never touched"),
        ] {
            assert!(left(line).contains(why), "{line}: {}", left(line));
        }
    }

    #[test]
    fn a_line_that_lists_is_nothing_to_do() {
        assert!(matches!(read_line("-avn /a/ /b/"), Reading::Nothing { .. }));
    }
}

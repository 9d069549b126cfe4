//! The command line as robocopy reads it, and what it comes to: a [`Job`].
//!
//! - A word that begins with `/` or `-` is a switch, in any case. On a system whose paths begin with `/` it is a path where
//!   it is no switch that is known, and has another `/` or leads somewhere.
//! - The first two words that are no switch are source and target; further ones are patterns. Behind `/xf`, `/xd` and `/if`
//!   words are names of theirs, up to the next switch; a word behind that one could be either, and is asked back.
//! - Job files come first, wherever they are named: what the line itself says of a value holds, its patterns replace theirs,
//!   and what it keeps out is added.
//!
//! All that is wrong is told in one go.

mod judged;
mod values;

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::civil::Date;

use super::Misuse;
use super::job;
use super::switches::{self, Form, Meaning, OWN, SWITCHES, Setting, Switch};
use crate::copy::{Directories, Preserve, Preserved};
use crate::guard::PathStyle;
use crate::values::did_you_mean;
use judged::{judge_links, judge_logs, judge_roots};
use values::{TOO_LARGE, age, directory_flags, file_flags, lets_something_in, number, size};

/// What the parser asks of the world around it.
pub struct Surroundings<'a> {
    /// How paths are written here.
    pub style: PathStyle,
    /// Whether anything is there: tells a path of one name (`/srv`) from a switch that is misspelt.
    pub leads_somewhere: &'a dyn Fn(&str) -> bool,
    /// The text of a job file.
    pub read_job: &'a dyn Fn(&str) -> Result<String, Misuse>,
}

/// Everything that a command line says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Job {
    pub source: Option<String>,
    pub target: Option<String>,
    /// Of files; none: all.
    pub patterns: Vec<String>,
    pub exclude_files: Vec<String>,
    pub exclude_directories: Vec<String>,
    pub levels: Option<u32>,
    pub threads: Option<u32>,
    pub retries: Option<u32>,
    pub wait: Option<Duration>,
    pub min_age: Option<Age>,
    pub max_age: Option<Age>,
    pub min_size: Option<u64>,
    pub max_size: Option<u64>,
    pub preserve: Preserve,
    pub audits: Audits,
    pub log: Option<Log>,
    pub save: Option<String>,
    /// A purge of more files than this waits for a person; `None`: movebook's own limits.
    pub purge_limit: Option<u64>,
    pub(super) set: BTreeSet<Setting>,
    pub(super) used: Vec<Used>,
}

/// A switch with its value, as it was given last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Used {
    pub switch: &'static Switch,
    pub value: Option<String>,
}

/// From when on files count as old.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// So many times 24 hours before the start.
    Days(u32),
    /// The beginning of this day, by this machine's clock.
    Since(Date),
}

/// Whether what is recorded of accesses is copied, too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Audits {
    #[default]
    No,
    Yes,
}

/// In whose rights trees are to be read and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rights {
    Ordinary,
    /// As whoever makes backups, where the user may (`/zb`).
    BackupIfAllowed,
    /// As whoever makes backups, or not at all (`/b`, and for what is recorded of accesses).
    Backup,
}

/// Where what is told is written, too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    pub file: String,
    pub from: LogFrom,
    pub encoding: Encoding,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFrom {
    Anew,
    End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    Utf8,
    Utf16,
}

impl Job {
    pub fn has(&self, setting: Setting) -> bool {
        self.set.contains(&setting)
    }

    pub fn directories(&self) -> Directories {
        if self.has(Setting::EmptySubdirectories) || self.has(Setting::Mirror) {
            Directories::All
        } else if self.has(Setting::Subdirectories) {
            Directories::NonEmpty
        } else {
            Directories::None
        }
    }

    /// Whether anything is to be taken away; `/xx` forbids it.
    pub fn purges(&self) -> bool {
        (self.has(Setting::Purge) || self.has(Setting::Mirror)) && !self.has(Setting::ExcludeExtra)
    }

    pub fn rights(&self) -> Rights {
        if self.has(Setting::Backup) || self.audits == Audits::Yes {
            Rights::Backup
        } else if self.has(Setting::BackupIfAllowed) {
            Rights::BackupIfAllowed
        } else {
            Rights::Ordinary
        }
    }

    /// Whether the line itself says that all links are to be skipped.
    pub fn skips_all_links(&self) -> bool {
        let both = [Setting::ExcludeDirectoryLinks, Setting::ExcludeFileLinks];
        self.has(Setting::ExcludeJunctions) || both.iter().all(|setting| self.has(*setting))
    }

    /// The switches in the order of the table, each once.
    pub fn used(&self) -> impl Iterator<Item = &Used> {
        SWITCHES.iter().filter_map(|switch| self.used.iter().find(|used| used.switch == switch))
    }

    /// Switches that have nothing to act on here, for the header.
    pub fn without_effect(&self) -> impl Iterator<Item = &'static Switch> {
        self.used().map(|used| used.switch).filter(|switch| switch.meaning == Meaning::Nothing)
    }

    fn note(&mut self, switch: &'static Switch, value: Option<String>) {
        self.used.retain(|used| used.switch != switch);
        self.used.push(Used { switch, value });
    }
}

impl Used {
    /// `/R:2`
    pub fn shown(&self) -> String {
        match &self.value {
            Some(value) => format!("{}:{value}", self.switch.shown()),
            None => self.switch.shown(),
        }
    }
}

/// Reads a command line without the program's name.
///
/// # Errors
/// All that is wrong with it, or with a job file that it names.
pub fn parse(arguments: &[String], around: &Surroundings<'_>) -> Result<Job, Vec<Misuse>> {
    let mut wrong = Vec::new();
    let words = words_of(arguments, around, &mut wrong);
    let mut job = Job::default();
    for word in &words {
        if let Word::Switch(Used { switch: Switch { meaning: Meaning::Sets(Setting::Job), .. }, value }) =
            word
        {
            take_job(&mut job, value.as_deref().unwrap_or_default(), around, &mut wrong);
        }
    }
    judge_logs(&words, &mut wrong);
    let of_jobs = std::mem::take(&mut job.patterns);
    Reader { job: &mut job, wrong: &mut wrong, place: Place::Roots }.read(words);
    if job.patterns.is_empty() {
        job.patterns = of_jobs;
    }
    if job.has(Setting::Help) {
        return Ok(job);
    }
    judge_links(&job, &mut wrong);
    judge_roots(&job, around.style, &mut wrong);
    if wrong.is_empty() { Ok(job) } else { Err(wrong) }
}

/// A piece of a command line.
#[derive(Clone, Debug)]
pub(super) enum Word {
    Name(String),
    Switch(Used),
    Own(Setting, String),
}

fn words_of(arguments: &[String], around: &Surroundings<'_>, wrong: &mut Vec<Misuse>) -> Vec<Word> {
    let mut words = Vec::new();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let word = match argument.strip_prefix("--") {
            Some(own) => own_switch(argument, own, &mut rest),
            None => word(argument, around),
        };
        match word {
            Ok(word) => words.push(word),
            Err(misuse) => wrong.push(misuse),
        }
    }
    words
}

/// One word: a switch or a name.
pub(super) fn word(text: &str, around: &Surroundings<'_>) -> Result<Word, Misuse> {
    let Some(body) = text.strip_prefix(['/', '-']) else { return Ok(Word::Name(text.to_owned())) };
    let (name, value) = match body.split_once(':') {
        Some((name, value)) => (name, Some(value)),
        None => (body, None),
    };
    if let Some(switch) = switches::find(name) {
        return switch_of(switch, value, text).map(Word::Switch);
    }
    let may_be_path = text.starts_with('/') && around.style == PathStyle::Unix;
    if may_be_path && (body.is_empty() || body.contains('/') || (around.leads_somewhere)(text)) {
        return Ok(Word::Name(text.to_owned()));
    }
    Err(unknown(text, name, may_be_path))
}

fn switch_of(switch: &'static Switch, value: Option<&str>, text: &str) -> Result<Used, Misuse> {
    if let Meaning::Refused(instead) = switch.meaning {
        return Err(Misuse::new(format!("`{text}` is not done here: {}", switch.says), instead));
    }
    written(switch, value, text)?;
    Ok(Used { switch, value: value.map(str::to_owned) })
}

/// Whether a switch has a value where it needs one, and none where it takes none.
pub(super) fn written(switch: &Switch, value: Option<&str>, text: &str) -> Result<(), Misuse> {
    let usage = switch.usage();
    match (switch.form, value) {
        (Form::Alone | Form::MayHave(_) | Form::Names(_), None) => Ok(()),
        (Form::Value(_) | Form::MayHave(_), Some(value)) if !value.is_empty() => Ok(()),
        (Form::Alone, Some(_)) => Err(Misuse::new(
            format!("`{text}` has a value, and {usage} takes none"),
            format!("write {usage}"),
        )),
        (Form::Names(_), Some(_)) => Err(Misuse::new(
            format!("`{text}` has its names behind a colon"),
            format!("write them behind a blank: {usage}"),
        )),
        (Form::Value(_) | Form::MayHave(_), _) => {
            Err(Misuse::new(format!("`{text}` has no value"), format!("write {usage}, without a blank")))
        }
    }
}

fn own_switch<'a>(
    text: &str,
    body: &str,
    rest: &mut impl Iterator<Item = &'a String>,
) -> Result<Word, Misuse> {
    let (name, value) = match body.split_once('=') {
        Some((name, value)) => (name, Some(value.to_owned())),
        None => (body, None),
    };
    match OWN.iter().find(|(own, _)| *own == name) {
        Some((_, setting @ Setting::Help)) => Ok(Word::Own(*setting, String::new())),
        Some((own, setting)) => match value.or_else(|| rest.next().cloned()) {
            Some(value) => Ok(Word::Own(*setting, value)),
            None => Err(Misuse::new(format!("`--{own}` has no value"), format!("write --{own} N"))),
        },
        None => Err(unknown(text, name, false)),
    }
}

fn unknown(text: &str, name: &str, may_be_path: bool) -> Misuse {
    let known = SWITCHES.iter().map(|switch| switch.name).chain(OWN.iter().map(|(name, _)| *name));
    let near = did_you_mean(name, known).map(|near| match switches::find(near) {
        Some(switch) => format!("did you mean {}?", switch.usage()),
        None => format!("did you mean --{near}?"),
    });
    let listed = "`movebook robocopy /?` lists the switches".to_owned();
    let hint = near.unwrap_or(listed);
    match may_be_path {
        true => Misuse::new(
            format!("`{text}` is no switch of robocopy, and no folder of this name is there"),
            format!("if it is a folder's path, write `{text}/`; {hint}"),
        ),
        false => Misuse::new(format!("`{text}` is no switch of robocopy"), hint),
    }
}

fn take_job(job: &mut Job, name: &str, around: &Surroundings<'_>, wrong: &mut Vec<Misuse>) {
    match (around.read_job)(name).and_then(|text| job::words(&text, around)) {
        Ok(words) => Reader { job, wrong, place: Place::Patterns }.read(words),
        Err(misuse) => {
            wrong.push(Misuse { message: format!("job file {name}: {}", misuse.message), ..misuse })
        }
    }
}

/// What a name is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Source, target, then patterns.
    Roots,
    Patterns,
    Files,
    Directories,
    /// Names of this switch, or patterns: nobody can tell.
    Behind {
        list: &'static Switch,
        then: &'static Switch,
    },
}

struct Reader<'a> {
    job: &'a mut Job,
    wrong: &'a mut Vec<Misuse>,
    place: Place,
}

impl Reader<'_> {
    fn read(mut self, words: Vec<Word>) {
        let mut list = None;
        // A switch whose number may be behind a blank by mistake.
        let mut open: Option<&'static Switch> = None;
        for word in words {
            let before = open.take();
            match word {
                Word::Name(name) => {
                    if let Some(switch) = before
                        && name.bytes().all(|byte| byte.is_ascii_digit())
                    {
                        self.wrong.push(Misuse::new(
                            format!(
                                "`{name}` stands behind {} and a blank: it would be a pattern of files",
                                switch.shown()
                            ),
                            format!("write {}:{name}", switch.shown()),
                        ));
                        continue;
                    }
                    self.name(name);
                }
                Word::Own(Setting::PurgeLimit, value) => match number(&value) {
                    Ok(limit) => self.job.purge_limit = Some(limit),
                    Err(reason) => self.misuse(&format!("--purge-limit {value}"), &reason),
                },
                Word::Own(setting, _) => {
                    self.job.set.insert(setting);
                }
                Word::Switch(Used { switch, value }) => {
                    self.place = match (switch.meaning, self.place, list) {
                        (Meaning::Sets(Setting::ExcludeFiles), ..) => Place::Files,
                        (Meaning::Sets(Setting::ExcludeDirectories), ..) => Place::Directories,
                        (Meaning::Sets(Setting::IncludeFiles), ..) => Place::Patterns,
                        (_, Place::Files | Place::Directories, Some(list)) => {
                            Place::Behind { list, then: switch }
                        }
                        (_, place, _) => place,
                    };
                    if matches!(switch.form, Form::Names(_)) {
                        list = Some(switch);
                    }
                    if matches!(switch.form, Form::MayHave(_)) && value.is_none() {
                        open = Some(switch);
                    }
                    self.switch(switch, value);
                }
            }
        }
    }

    fn name(&mut self, name: String) {
        let job = &mut *self.job;
        match self.place {
            Place::Roots if job.source.is_none() => job.source = Some(name),
            Place::Roots if job.target.is_none() => job.target = Some(name),
            Place::Roots | Place::Patterns => job.patterns.push(name),
            Place::Files => job.exclude_files.push(name),
            Place::Directories => job.exclude_directories.push(name),
            Place::Behind { list, then } => {
                let (list, then) = (list.shown(), then.shown());
                self.wrong.push(Misuse::new(
                    format!("`{name}` stands behind {then}: it may be another name of {list}, or a pattern of files to copy"),
                    format!("write it right behind {list}, or in front of it as a pattern"),
                ));
            }
        }
    }

    fn switch(&mut self, switch: &'static Switch, value: Option<String>) {
        if let Meaning::Sets(setting) = switch.meaning {
            self.job.set.insert(setting);
            if let Some(value) = &value
                && let Err(reason) = self.value(setting, value)
            {
                self.misuse(&format!("{}:{value}", switch.shown()), &reason);
            }
            let all = [Preserved::Acls, Preserved::Owner];
            let more = match setting {
                Setting::Security => &all[..1],
                Setting::CopyAll => &all,
                _ => &[],
            };
            self.job.preserve = more.iter().copied().fold(self.job.preserve, Preserve::with);
            let audits = value.as_deref().is_some_and(|flags| flags.contains(['u', 'U']));
            if setting == Setting::CopyAll || (setting == Setting::CopyFlags && audits) {
                self.job.audits = Audits::Yes;
            }
        }
        self.job.note(switch, value);
    }

    /// What a switch's value sets. The error follows the switch in a sentence.
    fn value(&mut self, setting: Setting, value: &str) -> Result<(), String> {
        let job = &mut *self.job;
        let small =
            |value| number(value).and_then(|number| u32::try_from(number).map_err(|_| TOO_LARGE.to_owned()));
        match setting {
            // Level 0 is all of them.
            Setting::Levels => job.levels = Some(small(value)?).filter(|levels| *levels > 0),
            Setting::Threads => match small(value)? {
                threads @ 1..=128 => job.threads = Some(threads),
                _ => return Err("is not from 1 to 128".to_owned()),
            },
            Setting::Retries => job.retries = Some(small(value)?),
            Setting::Wait => job.wait = Some(Duration::from_secs(small(value)?.into())),
            Setting::MinAge => job.min_age = Some(age(value)?),
            Setting::MaxAge => job.max_age = Some(lets_something_in(age(value)?, Age::Days(0))?),
            Setting::MinSize => job.min_size = Some(size(value)?),
            Setting::MaxSize => job.max_size = Some(lets_something_in(size(value)?, 0)?),
            Setting::CopyFlags => {
                job.preserve = file_flags(value)?.into_iter().fold(job.preserve, Preserve::with)
            }
            Setting::DirectoryFlags => directory_flags(value)?,
            Setting::Log => job.log = Some(Log::new(value, LogFrom::Anew, Encoding::Utf8)),
            Setting::LogAppend => job.log = Some(Log::new(value, LogFrom::End, Encoding::Utf8)),
            Setting::UnicodeLog => job.log = Some(Log::new(value, LogFrom::Anew, Encoding::Utf16)),
            Setting::UnicodeLogAppend => job.log = Some(Log::new(value, LogFrom::End, Encoding::Utf16)),
            Setting::Save => job.save = Some(value.to_owned()),
            Setting::Source => root(&mut job.source, value)?,
            Setting::Target => root(&mut job.target, value)?,
            _ => {}
        }
        Ok(())
    }

    fn misuse(&mut self, what: &str, reason: &str) {
        let (reason, hint) =
            reason.split_once("; ").unwrap_or((reason, "`movebook robocopy /?` shows how it is written"));
        self.wrong.push(Misuse::new(format!("`{what}` {reason}"), hint));
    }
}

impl Log {
    fn new(file: &str, from: LogFrom, encoding: Encoding) -> Self {
        Self { file: file.to_owned(), from, encoding }
    }
}

/// A root that a job file names: one that is named twice alike is fine.
fn root(there: &mut Option<String>, value: &str) -> Result<(), String> {
    match there {
        Some(other) if other != value => Err(format!("is not what was named before ({other}); name it once")),
        _ => {
            *there = Some(value.to_owned());
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests;

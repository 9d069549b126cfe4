//! All of robocopy's switches, each with the form of its value and what it is here.
//!
//! The table is the only place that knows a switch by name: the parser, the help and the job files read it.

/// One switch of robocopy, or one of movebook's own beside them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Switch {
    /// In small letters, without the slash: `minage`.
    pub name: &'static str,
    pub form: Form,
    pub meaning: Meaning,
    /// What it does here, or why it is refused or has nothing to act on.
    pub says: &'static str,
}

/// How a switch is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `/e`
    Alone,
    /// `/r:N`
    Value(&'static str),
    /// `/mt` or `/mt:N`
    MayHave(&'static str),
    /// `/xf NAME…`: what follows, up to the next switch.
    Names(&'static str),
}

/// What becomes of a switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    Sets(Setting),
    /// Every pass does so.
    Always,
    /// There is nothing here that it could act on.
    Nothing,
    /// With what to use instead.
    Refused(&'static str),
}

/// What a switch sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Setting {
    Subdirectories,
    EmptySubdirectories,
    Levels,
    Mirror,
    Purge,
    PurgeLimit,
    Threads,
    Retries,
    Wait,
    MinAge,
    MaxAge,
    MinSize,
    MaxSize,
    ExcludeFiles,
    ExcludeDirectories,
    IncludeFiles,
    ExcludeJunctions,
    ExcludeDirectoryLinks,
    ExcludeFileLinks,
    CopyLinks,
    CopyJunctions,
    CoarseStamps,
    IncludeSame,
    ExcludeExtra,
    CopyFlags,
    Security,
    CopyAll,
    Backup,
    BackupIfAllowed,
    DirectoryFlags,
    ListOnly,
    AllExtras,
    Verbose,
    Stamps,
    FullPaths,
    PlainBytes,
    NoSizes,
    NoClasses,
    NoFileNames,
    NoDirectoryNames,
    NoProgress,
    NoHeader,
    NoSummary,
    Log,
    LogAppend,
    UnicodeLog,
    UnicodeLogAppend,
    Unicode,
    Tee,
    Job,
    Save,
    Quit,
    Source,
    Target,
    NoSource,
    NoTarget,
    Help,
}

/// The switch of this name, whatever the case.
pub fn find(name: &str) -> Option<&'static Switch> {
    SWITCHES.iter().find(|switch| switch.name.eq_ignore_ascii_case(name))
}

impl Switch {
    /// As people write it: `/MINAGE`.
    pub fn shown(&self) -> String {
        format!("/{}", self.name.to_ascii_uppercase())
    }

    /// With its value's name: `/MINAGE:N`.
    pub fn usage(&self) -> String {
        match self.form {
            Form::Alone => self.shown(),
            Form::Value(value) => format!("{}:{value}", self.shown()),
            Form::MayHave(value) => format!("{}[:{value}]", self.shown()),
            Form::Names(value) => format!("{} {value}…", self.shown()),
        }
    }
}

use Form::{Alone, MayHave, Names, Value};
use Meaning::{Always, Nothing, Refused, Sets};

const fn switch(name: &'static str, form: Form, meaning: Meaning, says: &'static str) -> Switch {
    Switch { name, form, meaning, says }
}

const NO_OLDER: &str = "what is in the target and differs is copied, newer or older alike: a copy that was cut off carries \
                        the time of the one who cut it, and would be left as it is for good";
const NO_DECISION: &str = "a pass copies what is missing and what differs; it has no other choice";
const BY_FILTER: &str = "keep the files out by name: /XF or /XD";
const NO_MOVING: &str = "a source is never touched: what was copied may be needed until the move is proved";
const COPY_FIRST: &str = "copy, compare, and delete the source by hand when the new one is in use";
const NO_ATTRIBUTE_FILTER: &str = "files are not chosen by their attributes";
const NO_ATTRIBUTE_CHANGE: &str = "attributes are carried over as they are";
const AFTERWARDS: &str = "set them afterwards, by `attrib`";
const NO_ACCESS_TIME: &str =
    "files are not chosen by the time of their last access, which most systems do not keep";
const BY_AGE: &str = "choose them by the time of their last change: /MINAGE or /MAXAGE";
const NO_WATCHING: &str = "a command is one pass";
const BY_SCHEDULE: &str = "run it again from the system's task scheduler";
const NO_THROTTLE: &str = "the pace is not set on this command line";
const BY_BANDWIDTH: &str = "`bandwidth:` on a copy step of a runbook sets it, and by the time of day";

/// In the order of robocopy's own help.
pub const SWITCHES: &[Switch] = &[
    // What is copied.
    switch("s", Alone, Sets(Setting::Subdirectories), "subdirectories too, but not empty ones"),
    switch("e", Alone, Sets(Setting::EmptySubdirectories), "subdirectories too, with the empty ones"),
    switch("lev", Value("N"), Sets(Setting::Levels), "only the top N levels of the source"),
    switch("z", Alone, Always, "a large file whose copy was interrupted is gone on with where it was"),
    switch(
        "b",
        Alone,
        Sets(Setting::Backup),
        "with the rights of whoever makes backups, on Windows; elsewhere root has them anyway",
    ),
    switch("zb", Alone, Sets(Setting::BackupIfAllowed), "as /Z, and as /B where the user has these rights"),
    switch("j", Alone, Nothing, "the engine chooses how it reads and writes"),
    switch(
        "efsraw",
        Alone,
        Refused("copy as the user who can read them; the target encrypts by its folder's attribute"),
        "encrypted files are read as any other",
    ),
    switch(
        "copy",
        Value("FLAGS"),
        Sets(Setting::CopyFlags),
        "what of a file: D data, A attributes, T times (these three always), S access list, O owner, U what is recorded of accesses (with S)",
    ),
    switch("sec", Alone, Sets(Setting::Security), "access lists too: /COPY:DATS"),
    switch("copyall", Alone, Sets(Setting::CopyAll), "all of a file: /COPY:DATSOU"),
    switch(
        "nocopy",
        Alone,
        Refused("/PURGE alone copies too; to see what it would take away use /L"),
        "a pass without copying would purge by a target that is not whole",
    ),
    switch(
        "secfix",
        Alone,
        Always,
        "access lists that are asked for are put right on files that are the same, too",
    ),
    switch("timfix", Alone, Always, "a file with another time is copied anew, with the time of its source"),
    switch(
        "purge",
        Alone,
        Sets(Setting::Purge),
        "takes away what only the target has: it is moved into a quarantine",
    ),
    switch("mir", Alone, Sets(Setting::Mirror), "/E and /PURGE"),
    switch("mov", Alone, Refused(COPY_FIRST), NO_MOVING),
    switch("move", Alone, Refused(COPY_FIRST), NO_MOVING),
    switch("a+", Value("RASHCNET"), Refused(AFTERWARDS), NO_ATTRIBUTE_CHANGE),
    switch("a-", Value("RASHCNET"), Refused(AFTERWARDS), NO_ATTRIBUTE_CHANGE),
    switch(
        "create",
        Alone,
        Refused("leave it out, and copy the files with their content"),
        "a file has its name in the target only when its content is whole",
    ),
    switch(
        "fat",
        Alone,
        Refused("leave it out: names are copied as they are"),
        "short names would not be those of the source",
    ),
    switch(
        "256",
        Alone,
        Refused("leave it out: paths of any length are copied"),
        "files behind long paths would be missing in the target",
    ),
    switch("mon", Value("N"), Refused(BY_SCHEDULE), NO_WATCHING),
    switch("mot", Value("M"), Refused(BY_SCHEDULE), NO_WATCHING),
    switch("rh", Value("hhmm-hhmm"), Refused(BY_SCHEDULE), NO_WATCHING),
    switch("pf", Alone, Refused(BY_SCHEDULE), NO_WATCHING),
    switch("ipg", Value("N"), Refused(BY_BANDWIDTH), NO_THROTTLE),
    switch(
        "sj",
        Alone,
        Sets(Setting::CopyJunctions),
        "with /SL: junctions are copied as what they are, which /SL does with them here, too",
    ),
    switch(
        "sl",
        Alone,
        Sets(Setting::CopyLinks),
        "links are copied as links; without it they are skipped, and counted",
    ),
    switch(
        "mt",
        MayHave("N"),
        Sets(Setting::Threads),
        "N files at a time, 1 to 128; 8 where no N is given, and without the switch",
    ),
    switch(
        "dcopy",
        Value("FLAGS"),
        Sets(Setting::DirectoryFlags),
        "what of a directory: D, A and T, which are always carried over",
    ),
    switch(
        "nodcopy",
        Alone,
        Refused("leave it out"),
        "directories are made with the attributes and times of their source",
    ),
    switch("nooffload", Alone, Nothing, "the engine chooses how it reads and writes"),
    switch(
        "compress",
        Alone,
        Nothing,
        "whether a share compresses what goes over the network is the share's to say",
    ),
    switch("sparse", MayHave("Y|N"), Nothing, "the engine chooses how it reads and writes"),
    switch("noclone", Alone, Nothing, "the engine chooses how it reads and writes"),
    switch(
        "lfsm",
        MayHave("N[KMG]"),
        Refused("make room first: a pass ends at once on a full volume, and names it"),
        "a pass does not wait for room",
    ),
    switch("iomaxsize", Value("N[KMG]"), Refused(BY_BANDWIDTH), NO_THROTTLE),
    switch("iorate", Value("N[KMG]"), Refused(BY_BANDWIDTH), NO_THROTTLE),
    switch("threshold", Value("N[KMG]"), Refused(BY_BANDWIDTH), NO_THROTTLE),
    // Which files.
    switch("a", Alone, Refused(BY_FILTER), NO_ATTRIBUTE_FILTER),
    switch("m", Alone, Refused(BY_FILTER), NO_ATTRIBUTE_FILTER),
    switch("ia", Value("RASHCNETO"), Refused(BY_FILTER), NO_ATTRIBUTE_FILTER),
    switch("xa", Value("RASHCNETO"), Refused(BY_FILTER), NO_ATTRIBUTE_FILTER),
    switch(
        "xf",
        Names("NAME"),
        Sets(Setting::ExcludeFiles),
        "keeps out files of these names: patterns, or whole paths below the source or the target",
    ),
    switch(
        "xd",
        Names("NAME"),
        Sets(Setting::ExcludeDirectories),
        "keeps out directories of these names: patterns, or whole paths below the source or the target",
    ),
    switch("xc", Alone, Refused(BY_FILTER), NO_DECISION),
    switch("xn", Alone, Refused(BY_FILTER), NO_OLDER),
    switch("xo", Alone, Refused(BY_FILTER), NO_OLDER),
    switch(
        "xx",
        Alone,
        Sets(Setting::ExcludeExtra),
        "what only the target has is not told of, and nothing is purged",
    ),
    switch("xl", Alone, Refused(BY_FILTER), NO_DECISION),
    switch("im", Alone, Nothing, "the time at which a system last changed an entry is no part of a file"),
    switch(
        "is",
        Alone,
        Sets(Setting::IncludeSame),
        "files that look the same are read on both sides, and copied where they differ",
    ),
    switch("it", Alone, Always, "files whose attributes alone differ get those of the source"),
    switch("max", Value("N"), Sets(Setting::MaxSize), "only files of at most N bytes"),
    switch("min", Value("N"), Sets(Setting::MinSize), "only files of at least N bytes"),
    switch(
        "maxage",
        Value("N"),
        Sets(Setting::MaxAge),
        "only files changed within N days (of 24 hours), or since the date YYYYMMDD",
    ),
    switch(
        "minage",
        Value("N"),
        Sets(Setting::MinAge),
        "only files not changed for N days (of 24 hours), or since the date YYYYMMDD",
    ),
    switch("maxlad", Value("N"), Refused(BY_AGE), NO_ACCESS_TIME),
    switch("minlad", Value("N"), Refused(BY_AGE), NO_ACCESS_TIME),
    switch("fft", Alone, Sets(Setting::CoarseStamps), "times may lie two seconds apart, as FAT keeps them"),
    switch(
        "dst",
        Alone,
        Refused("leave it out: a file that is an hour off is copied once more, and is right from then on"),
        "an hour of difference is a difference",
    ),
    switch("xj", Alone, Sets(Setting::ExcludeJunctions), "links and junctions are skipped, and not told of"),
    switch(
        "xjd",
        Alone,
        Sets(Setting::ExcludeDirectoryLinks),
        "as every pass without /SL; links are told of but with /XJF, too",
    ),
    switch(
        "xjf",
        Alone,
        Sets(Setting::ExcludeFileLinks),
        "as every pass without /SL; links are told of but with /XJD, too",
    ),
    // Trying again.
    switch(
        "r",
        Value("N"),
        Sets(Setting::Retries),
        "so often a file is tried again; 2 without it, and not robocopy's million",
    ),
    switch(
        "w",
        Value("N"),
        Sets(Setting::Wait),
        "so many seconds apart; 2 without it. Other files go on meanwhile",
    ),
    switch("reg", Alone, Refused("give /R and /W on each line"), "nothing is kept in the registry"),
    switch("tbd", Alone, Refused("give /R and /W"), "a share that is not there ends the pass"),
    // What is told.
    switch("l", Alone, Sets(Setting::ListOnly), "lists what would be done; changes nothing"),
    switch(
        "x",
        Alone,
        Sets(Setting::AllExtras),
        "tells of all that only the target has, of what the patterns keep out too",
    ),
    switch("v", Alone, Sets(Setting::Verbose), "tells of files that are kept out, too"),
    switch("ts", Alone, Sets(Setting::Stamps), "with the time of each file"),
    switch("fp", Alone, Sets(Setting::FullPaths), "with the whole path of each file"),
    switch("bytes", Alone, Sets(Setting::PlainBytes), "sizes in bytes"),
    switch("ns", Alone, Sets(Setting::NoSizes), "no sizes"),
    switch("nc", Alone, Sets(Setting::NoClasses), "no classes (`New File`)"),
    switch("nfl", Alone, Sets(Setting::NoFileNames), "no names of files"),
    switch(
        "ndl",
        Alone,
        Sets(Setting::NoDirectoryNames),
        "no names of directories that only the target has; others have no lines of their own",
    ),
    switch("np", Alone, Sets(Setting::NoProgress), "no progress on the terminal"),
    switch("eta", Alone, Nothing, "a pass without a runbook has no earlier one to foretell its end by"),
    switch("log", Value("FILE"), Sets(Setting::Log), "writes into this file, which is made anew"),
    switch("log+", Value("FILE"), Sets(Setting::LogAppend), "writes at the end of this file"),
    switch("unilog", Value("FILE"), Sets(Setting::UnicodeLog), "as /LOG, in UTF-16"),
    switch("unilog+", Value("FILE"), Sets(Setting::UnicodeLogAppend), "as /LOG+, in UTF-16"),
    switch("tee", Alone, Sets(Setting::Tee), "writes on the console, too"),
    switch("njh", Alone, Sets(Setting::NoHeader), "no header"),
    switch("njs", Alone, Sets(Setting::NoSummary), "no summary"),
    switch(
        "unicode",
        Alone,
        Sets(Setting::Unicode),
        "UTF-16 for a file or a program that reads what is told",
    ),
    // Jobs.
    switch(
        "job",
        Value("NAME"),
        Sets(Setting::Job),
        "takes switches from this job file; those of the line come after them",
    ),
    switch("save", Value("NAME"), Sets(Setting::Save), "keeps the switches in this job file"),
    switch("quit", Alone, Sets(Setting::Quit), "ends after the header"),
    switch("nosd", Alone, Sets(Setting::NoSource), "the job has no source"),
    switch("nodd", Alone, Sets(Setting::NoTarget), "the job has no target"),
    switch(
        "if",
        Names("NAME"),
        Sets(Setting::IncludeFiles),
        "only files of these names, as behind the target",
    ),
    switch("sd", Value("PATH"), Sets(Setting::Source), "the source, in a job file"),
    switch("dd", Value("PATH"), Sets(Setting::Target), "the target, in a job file"),
    switch("?", Alone, Sets(Setting::Help), "this help"),
];

/// Those that robocopy has not, written `--purge-limit N`.
pub const OWN: &[(&str, Setting)] = &[("purge-limit", Setting::PurgeLimit), ("help", Setting::Help)];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_there_once_and_in_small_letters() {
        for (number, switch) in SWITCHES.iter().enumerate() {
            assert_eq!(switch.name, switch.name.to_ascii_lowercase());
            assert!(SWITCHES[number + 1..].iter().all(|other| other.name != switch.name), "{}", switch.name);
        }
    }

    #[test]
    fn every_switch_says_what_it_is_here() {
        for switch in SWITCHES {
            assert!(!switch.says.is_empty() && !switch.says.ends_with('.'), "{}", switch.name);
            if let Meaning::Refused(instead) = switch.meaning {
                assert!(!instead.is_empty(), "{}", switch.name);
            }
        }
    }
}

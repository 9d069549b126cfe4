//! A runbook as written: every leaf keeps its text and its place, nothing is rendered yet.
//!
//! The types are what serde reads and what schemars describes, so the schema and the reader cannot disagree.
//! A [`Leaf`] may hold a literal or a template; what it means is known only after rendering (see `plan`).

use std::marker::PhantomData;

use indexmap::IndexMap;

use super::source::{Sources, Span, Spanned};

/// A scalar or a list as YAML gave it.
#[derive(Clone, Debug, PartialEq)]
pub enum Raw {
    Text(String),
    Integer(i64),
    Boolean(bool),
    Float(f64),
    Null,
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<String>, Spanned<Raw>)>),
}

/// A value that a runbook's author writes, as a literal or as a template that yields a `T`.
#[derive(Clone, Debug)]
pub struct Leaf<T> {
    pub raw: Raw,
    pub span: Span,
    pub of: PhantomData<T>,
}

/// A complete runbook, includes resolved.
#[derive(Clone, Debug)]
pub struct Runbook {
    pub sources: Sources,
    pub name: Spanned<String>,
    pub title: Option<Spanned<String>>,
    pub description: Option<Spanned<String>>,
    pub vars: IndexMap<String, VarDecl>,
    /// Names of environment variables that templates may read as `env.NAME`.
    pub environment: Vec<Spanned<String>>,
    pub filters: IndexMap<String, Spanned<FilterDecl>>,
    pub defaults: Defaults,
    pub phases: Vec<Phase>,
}

/// The type of a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VarType {
    String,
    Path,
    Integer,
    Boolean,
    Duration,
    Size,
    Choice,
    List,
    Secret,
}

/// What a runbook says of one of its variables.
#[derive(Clone, Debug)]
pub struct VarDecl {
    pub name: Spanned<String>,
    pub kind: Spanned<VarType>,
    pub default: Option<Spanned<Raw>>,
    pub description: Option<Spanned<String>>,
    pub example: Option<Spanned<Raw>>,
    /// A regular expression that the whole value must match.
    pub pattern: Option<Spanned<String>>,
    pub choices: Vec<Spanned<String>>,
    /// For integers, durations and sizes; for strings and lists, the length.
    pub min: Option<Spanned<Raw>>,
    pub max: Option<Spanned<Raw>>,
}

#[derive(Clone, Debug, Default)]
pub struct FilterDecl {
    pub include: Vec<Leaf<String>>,
    pub exclude: Vec<Leaf<String>>,
    pub exclude_directories: Vec<Leaf<String>>,
    pub min_age: Option<Leaf<std::time::Duration>>,
    pub max_age: Option<Leaf<std::time::Duration>>,
    pub min_size: Option<Leaf<Size>>,
    pub max_size: Option<Leaf<Size>>,
    pub case: Option<Leaf<crate::filter::Case>>,
}

/// A number of bytes, written `50MiB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

/// Values that a step takes where it does not give its own.
#[derive(Clone, Debug, Default)]
pub struct Defaults {
    pub copy: CopyOptions,
    pub verify_threads: Option<Leaf<u32>>,
    pub retry: Option<RetryDecl>,
}

#[derive(Clone, Debug)]
pub struct Phase {
    pub id: Spanned<String>,
    pub title: Option<Leaf<String>>,
    pub description: Option<Leaf<String>>,
    pub when: Option<Spanned<String>>,
    /// Whether the users cannot work while this phase lasts.
    pub downtime: bool,
    pub steps: Vec<Step>,
}

#[derive(Clone, Debug)]
pub struct Step {
    pub id: Spanned<String>,
    pub title: Option<Leaf<String>>,
    pub description: Option<Leaf<String>>,
    pub when: Option<Spanned<String>>,
    pub for_each: Option<Leaf<Vec<serde_json::Value>>>,
    pub retry: Option<RetryDecl>,
    pub on_interrupt: Option<Leaf<crate::plan::OnInterrupt>>,
    pub action: Spanned<ActionDecl>,
}

/// Repeats a whole step that failed (not one file of it).
#[derive(Clone, Debug)]
pub struct RetryDecl {
    /// How often the step is tried in all, the first time included.
    pub attempts: Leaf<u32>,
    pub wait: Option<Leaf<std::time::Duration>>,
}

/// What a step does, as written.
#[derive(Clone, Debug)]
pub enum ActionDecl {
    Copy(CopyDecl),
    Verify(VerifyDecl),
    Service(ServiceDecl),
    Command(CommandDecl),
    Checkpoint(CheckpointDecl),
    Check(Vec<Spanned<CheckDecl>>),
    Wait(WaitDecl),
}

/// What both a copy step and `defaults: {copy: …}` may say.
#[derive(Clone, Debug, Default)]
pub struct CopyOptions {
    pub engine: Option<Leaf<crate::copy::EngineName>>,
    pub directories: Option<Leaf<crate::copy::Directories>>,
    pub errors: Option<Leaf<crate::copy::OnErrors>>,
    pub retries: Option<Leaf<u32>>,
    pub wait: Option<Leaf<std::time::Duration>>,
    pub threads: Option<Leaf<u32>>,
    pub compare: Option<Leaf<crate::copy::Compare>>,
    pub mtime_tolerance: Option<Leaf<std::time::Duration>>,
    pub links: Option<Leaf<crate::copy::Links>>,
}

#[derive(Clone, Debug)]
pub struct CopyDecl {
    pub from: Leaf<String>,
    pub to: Leaf<String>,
    /// A name under `filters:`.
    pub filter: Option<Leaf<String>>,
    pub options: CopyOptions,
    pub purge: Option<PurgeDecl>,
    /// Patterns of which each must match a file in the source before a purge is believed.
    pub expect: Vec<Leaf<String>>,
    /// Whether a target that was not empty at the start may be taken over (asked at a checkpoint of its own).
    pub adopt: Option<Leaf<bool>>,
}

#[derive(Clone, Debug, Default)]
pub struct PurgeDecl {
    pub max_files: Option<Leaf<u64>>,
    pub max_percent: Option<Leaf<u32>>,
    pub keep: Option<Leaf<crate::copy::Keep>>,
}

#[derive(Clone, Debug)]
pub struct VerifyDecl {
    pub from: Leaf<String>,
    pub to: Leaf<String>,
    pub filter: Option<Leaf<String>>,
    pub method: Option<Leaf<crate::copy::Method>>,
    pub threads: Option<Leaf<u32>>,
    /// Where the list of hashes is written (the format of `b3sum`).
    pub manifest: Option<Leaf<String>>,
    /// Whether files that only the target has count as a difference; they do unless told otherwise.
    pub extra: Option<Leaf<crate::copy::Extra>>,
}

#[derive(Clone, Debug)]
pub struct ServiceDecl {
    pub name: Leaf<String>,
    pub host: Option<Leaf<String>>,
    pub state: Leaf<crate::plan::ServiceState>,
    /// How long the state may take to be reached.
    pub wait: Option<Leaf<std::time::Duration>>,
    pub if_missing: Option<Leaf<crate::plan::IfMissing>>,
    /// Commands instead of the system's service manager. `status` ends with 0 (running), 3 (stopped) or 4 (no such
    /// service), as LSB init scripts and `systemctl status` do.
    pub status: Vec<Leaf<String>>,
    pub start: Vec<Leaf<String>>,
    pub stop: Vec<Leaf<String>>,
}

#[derive(Clone, Debug)]
pub struct CommandDecl {
    /// A program and its arguments, given to it as they are.
    pub run: Vec<Leaf<String>>,
    /// A line for the system's shell (`sh -c`, `cmd /c`), instead of `run`.
    pub shell: Option<Leaf<String>>,
    pub environment: IndexMap<String, Leaf<String>>,
    pub directory: Option<Leaf<String>>,
    /// What the program reads from its standard input; may hold a secret.
    pub input: Option<Leaf<String>>,
    pub timeout: Option<Leaf<std::time::Duration>>,
    pub exit_codes: Vec<Leaf<i64>>,
}

#[derive(Clone, Debug)]
pub struct CheckpointDecl {
    pub ask: Leaf<String>,
    pub instructions: Option<Leaf<String>>,
    pub answer: AnswerDecl,
    pub evidence: Option<Leaf<crate::plan::Evidence>>,
    /// After this long the answer no longer counts, and a later phase asks again.
    pub expires: Option<Leaf<std::time::Duration>>,
    /// A secret checkpoint whose answer this one must repeat.
    pub same_as: Option<Spanned<String>>,
}

#[derive(Clone, Debug)]
pub enum AnswerDecl {
    Confirm,
    Text,
    Secret,
    /// Choices and what each means, in order.
    Choice(IndexMap<String, Leaf<String>>),
}

/// One check: exactly one of `path`, `apart`, `tcp` and `that`.
#[derive(Clone, Debug)]
pub enum CheckDecl {
    Path {
        path: Leaf<String>,
        exists: Option<Leaf<bool>>,
        contains: Vec<Leaf<String>>,
        free_space: Option<FreeSpaceDecl>,
        writable: Option<Leaf<bool>>,
    },
    /// None of these paths is the same as, or inside, another.
    Apart(Vec<Leaf<String>>),
    Tcp {
        host: Leaf<String>,
        port: Leaf<u32>,
        timeout: Option<Leaf<std::time::Duration>>,
    },
    That {
        that: Spanned<String>,
        message: Option<Leaf<String>>,
    },
}

#[derive(Clone, Debug)]
pub struct FreeSpaceDecl {
    /// A size, or `source`: as much as the files below `of` take.
    pub at_least: Leaf<String>,
    pub of: Option<Leaf<String>>,
}

/// Exactly one of `for` and `until`.
#[derive(Clone, Debug)]
pub enum WaitDecl {
    For(Leaf<std::time::Duration>),
    /// A time of day, `22:30`, by this machine's clock; the next time it comes.
    Until(Leaf<String>),
}

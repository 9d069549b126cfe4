//! A runbook as written: every leaf keeps its text and its place, nothing is rendered yet.
//!
//! A [`Leaf`] may hold a literal or a template; what it means is known only after rendering (see `plan`).
//! Types that are written in YAML as they stand here are defined by `written!`, those that are not are in `entry`.

use std::marker::PhantomData;
use std::num::NonZeroU32;
use std::sync::OnceLock;
use std::time::Duration;

use indexmap::IndexMap;
use serde_json::Value;

use super::source::{Sources, Span, Spanned};
use super::written::{Rule, written};
use crate::copy::{
    Bandwidth, Compare, Directories, EngineName, Extra, Keep, Links, Method, OnErrors, Preserved,
};
use crate::filter::Case;
use crate::plan::action::{Evidence, IfMissing, OnInterrupt, ServiceState};
use crate::values::{Form, LeafType, Misfit, is_template};

pub use crate::values::Size;

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

impl Raw {
    /// The value as JSON. A number that JSON cannot hold (`.inf`) becomes null.
    pub fn to_json(&self) -> Value {
        match self {
            Raw::Text(text) => Value::String(text.clone()),
            Raw::Integer(number) => Value::from(*number),
            Raw::Boolean(truth) => Value::Bool(*truth),
            Raw::Float(number) => Value::from(*number),
            Raw::Null => Value::Null,
            Raw::List(items) => items.iter().map(|item| item.to_json()).collect(),
            Raw::Map(members) => {
                members.iter().map(|(key, member)| (key.value.clone(), member.to_json())).collect()
            }
        }
    }

    /// The text, where it has to be rendered.
    pub fn template(&self) -> Option<&str> {
        match self {
            Raw::Text(text) if is_template(text) => Some(text),
            _ => None,
        }
    }
}

/// A value that a runbook's author writes, as a literal or as a template that yields a `T`.
#[derive(Clone, Debug)]
pub struct Leaf<T> {
    pub raw: Raw,
    pub span: Span,
    pub of: PhantomData<T>,
}

impl<T> Leaf<T> {
    pub fn new(raw: Raw, span: Span) -> Self {
        Self { raw, span, of: PhantomData }
    }
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

impl VarType {
    /// The types as they are written, in the order of the documentation.
    pub const WORDS: &'static [&'static str] =
        &["string", "path", "integer", "boolean", "duration", "size", "choice", "list", "secret"];

    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "string" => VarType::String,
            "path" => VarType::Path,
            "integer" => VarType::Integer,
            "boolean" => VarType::Boolean,
            "duration" => VarType::Duration,
            "size" => VarType::Size,
            "choice" => VarType::Choice,
            "list" => VarType::List,
            "secret" => VarType::Secret,
            _ => return None,
        })
    }

    pub fn word(self) -> &'static str {
        match self {
            VarType::String => "string",
            VarType::Path => "path",
            VarType::Integer => "integer",
            VarType::Boolean => "boolean",
            VarType::Duration => "duration",
            VarType::Size => "size",
            VarType::Choice => "choice",
            VarType::List => "list",
            VarType::Secret => "secret",
        }
    }
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

written! {
/// Which files a pass looks at.
#[derive(Default)]
pub struct FilterDecl {
    /// Only files that one of these patterns matches. Without `/` a pattern is matched against the name, with `/`
    /// against the path below the root.
    pub include: Vec<Leaf<String>>,
    /// No file that one of these patterns matches.
    pub exclude: Vec<Leaf<String>>,
    /// Directories that are not entered.
    pub exclude_directories: Vec<Leaf<String>>,
    /// Only files last changed at least this long before the pass started.
    pub min_age: Option<Leaf<Duration>>,
    /// Only files last changed at most this long before the pass started.
    pub max_age: Option<Leaf<Duration>>,
    /// Only files of at least this size.
    pub min_size: Option<Leaf<Size>>,
    /// Only files of at most this size.
    pub max_size: Option<Leaf<Size>>,
    /// Only files at most this many levels deep; 1 is what the root itself holds.
    pub max_depth: Option<Leaf<NonZeroU32>>,
    /// Whether patterns tell upper and lower case apart; they do not unless told.
    pub case: Option<Leaf<Case>>,
}
}

/// Values that a step takes where it does not give its own.
#[derive(Clone, Debug, Default)]
pub struct Defaults {
    pub copy: CopyOptions,
    pub verify_threads: Option<Leaf<u32>>,
    pub verify_mtime_tolerance: Option<Leaf<Duration>>,
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
    pub for_each: Option<Leaf<Vec<Value>>>,
    pub retry: Option<RetryDecl>,
    pub on_interrupt: Option<Leaf<OnInterrupt>>,
    pub action: Spanned<ActionDecl>,
}

written! {
/// Repeats a whole step that failed (not one file of it).
pub struct RetryDecl {
    /// How often the step is tried in all, the first time included.
    pub attempts: Leaf<u32>,
    /// The pause before the step is tried again.
    pub wait: Option<Leaf<Duration>>,
}
}

/// What a step does, as written.
// There is one a step, and most are copies.
#[allow(clippy::large_enum_variant)]
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

written! {
/// What both a copy step and `defaults: {copy: …}` may say.
#[derive(Default)]
pub struct CopyOptions {
    /// Who does the pass; `native` unless told.
    pub engine: Option<Leaf<EngineName>>,
    /// Which directories are made in the target.
    pub directories: Option<Leaf<Directories>>,
    /// What a file that cannot be copied means for the step; `fail` unless told.
    pub errors: Option<Leaf<OnErrors>>,
    /// How often a file with a passing error (a lock, the network) is tried again.
    pub retries: Option<Leaf<u32>>,
    /// The pause before a file is tried again; other files go on meanwhile.
    pub wait: Option<Leaf<Duration>>,
    /// How many files are copied at a time.
    pub threads: Option<Leaf<u32>>,
    /// How a changed file is told; by size and time unless told.
    pub compare: Option<Leaf<Compare>>,
    /// How far two times may lie apart and count as the same.
    pub mtime_tolerance: Option<Leaf<Duration>>,
    /// What is done with symbolic links, which are never followed; `skip` unless told.
    pub links: Option<Leaf<Links>>,
    /// What is carried over beside content, times and permissions (on Windows: the attributes read-only, hidden and system, and
    /// alternate data streams of what is copied); nothing more unless told.
    pub preserve: Option<Vec<Leaf<Preserved>>>,
    /// Bytes a second over all workers, as a size, or by time of day: `07:00,5MiB 19:00,off`.
    pub bandwidth: Option<Leaf<Bandwidth>>,
    /// Whether the pass gives way to what else the machine does.
    pub gentle: Option<Leaf<bool>>,
    /// Whether the rights of whoever makes backups are used, so that no access list is in the way: on Windows as an
    /// administrator or a member of Backup Operators (`robocopy /b`). Elsewhere root reads and writes all anyway, and it has
    /// no effect.
    pub backup: Option<Leaf<bool>>,
    /// A larger file whose copying was interrupted goes on where it was; 256MiB unless told.
    pub resume_over: Option<Leaf<Size>>,
    /// Further arguments for the engine's program, each an item of its own; none that says what a field says, or deletes.
    pub extra_args: Option<Vec<Leaf<String>>>,
    /// What rclone alone gets in its environment: the options of its remotes (`RCLONE_CONFIG_NAME_OPTION`), a password from a
    /// secret variable and plain. Those of `defaults` are added to, and taken for remotes that are checked or verified, too.
    pub environment: IndexMap<String, Leaf<String>>,
}
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

written! {
/// Takes away what only the target has, within limits.
#[derive(Default)]
pub struct PurgeDecl {
    /// More files than this wait for a person; 1000 unless told.
    pub max_files: Option<Leaf<u64>>,
    /// More than this part of the target's files waits for a person; 5 unless told.
    pub max_percent: Option<Leaf<u32>>,
    /// What becomes of the files; `quarantine` unless told.
    pub keep: Option<Leaf<Keep>>,
}
}

written! {
/// Compares two trees.
pub struct VerifyDecl {
    /// The source's root.
    pub from: Leaf<String>,
    /// The target's root.
    pub to: Leaf<String>,
    /// A name under `filters`.
    pub filter: Option<Leaf<String>>,
    /// How far it looks; each includes the ones before: size, mtime, blake3.
    pub method: Option<Leaf<Method>>,
    /// How many files are read at a time.
    pub threads: Option<Leaf<u32>>,
    /// How far two times may lie apart and count as the same.
    pub mtime_tolerance: Option<Leaf<Duration>>,
    /// Where the list of hashes is written (the format of `b3sum`).
    pub manifest: Option<Leaf<String>>,
    /// Whether files that only the target has count as a difference; they do unless told otherwise.
    pub extra: Option<Leaf<Extra>>,
    /// Whether the rights of whoever makes backups are used, as in a copy; as `defaults: {copy: …}` says unless told.
    pub backup: Option<Leaf<bool>>,
}
}

written! {
/// Starts or stops a service and waits until it is so.
pub struct ServiceDecl {
    /// The service's name (not what it is shown as).
    pub name: Leaf<String>,
    /// The machine; empty or absent for this one.
    pub host: Option<Leaf<String>>,
    /// The state that the service is to have.
    pub state: Leaf<ServiceState>,
    /// How long the state may take to be reached.
    pub wait: Option<Leaf<Duration>>,
    /// Whether it is an error that there is no such service.
    pub if_missing: Option<Leaf<IfMissing>>,
    /// Commands instead of the system's service manager. `status` ends with 0 (running), 3 (stopped) or 4 (no such
    /// service), as LSB init scripts and `systemctl status` do.
    pub status: Vec<Leaf<String>>,
    /// The command that starts the service, beside `status`.
    pub start: Vec<Leaf<String>>,
    /// The command that stops the service, beside `status`.
    pub stop: Vec<Leaf<String>>,
}
rules &[Rule::Needs("start", "status"), Rule::Needs("stop", "status")];
}

written! {
/// Runs a program.
pub struct CommandDecl {
    /// A program and its arguments, given to it as they are.
    pub run: Vec<Leaf<String>>,
    /// A line for the system's shell (`sh -c`, `cmd /c`), instead of `run`.
    pub shell: Option<Leaf<String>>,
    /// Environment variables, beside those that movebook has.
    pub environment: IndexMap<String, Leaf<String>>,
    /// The directory it runs in.
    pub directory: Option<Leaf<String>>,
    /// What the program reads from its standard input; may hold a secret.
    pub input: Option<Leaf<String>>,
    /// After this long the program and all that it started are ended.
    pub timeout: Option<Leaf<Duration>>,
    /// Exit codes that mean success; 0 unless told.
    pub exit_codes: Vec<Leaf<i64>>,
}
rules &[Rule::ExactlyOneOf(&["run", "shell"])];
}

#[derive(Clone, Debug)]
pub struct CheckpointDecl {
    pub ask: Leaf<String>,
    pub instructions: Option<Leaf<String>>,
    pub answer: AnswerDecl,
    pub evidence: Option<Leaf<Evidence>>,
    /// After this long the answer no longer counts, and a later phase asks again.
    pub expires: Option<Leaf<Duration>>,
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
        timeout: Option<Leaf<Duration>>,
    },
    That {
        that: Spanned<String>,
        message: Option<Leaf<String>>,
    },
}

written! {
/// How much space a path's volume must have left.
pub struct FreeSpaceDecl {
    /// A size, or `source`: as much as the files below `of` take.
    pub at_least: Leaf<String>,
    /// The folder that `at_least: source` measures.
    pub of: Option<Leaf<String>>,
}
}

/// Exactly one of `for` and `until`.
#[derive(Clone, Debug)]
pub enum WaitDecl {
    For(Leaf<Duration>),
    /// A time of day, `22:30`, by this machine's clock; the next time it comes.
    Until(Leaf<String>),
}

macro_rules! choice_leaf {
    ($($kind:ty),*) => {$(
        impl LeafType for $kind {
            fn form() -> Form {
                static WORDS: OnceLock<Vec<&'static str>> = OnceLock::new();
                Form::Choice(WORDS.get_or_init(words_of::<$kind>))
            }

            fn parse(value: &Value) -> Result<Self, Misfit> {
                serde_json::from_value(value.clone())
                    .map_err(|_| Misfit::new(format!("expected {}", Self::form().expected())))
            }
        }
    )*};
}

choice_leaf! {
    Case, EngineName, Directories, OnErrors, Compare, Links, Preserved, Keep, Method, Extra, ServiceState, IfMissing,
    Evidence, OnInterrupt
}

/// The words of an enum, as its schema lists them: whatever serde reads, and in the same order.
fn words_of<T: schemars::JsonSchema>() -> Vec<&'static str> {
    fn collect(schema: &Value, words: &mut Vec<&'static str>) {
        // Asked once a type and then kept for as long as the process lives.
        let kept = |word: &str| -> &'static str { word.to_owned().leak() };
        match schema {
            Value::Object(members) => {
                for (key, member) in members {
                    match (key.as_str(), member) {
                        ("const", Value::String(word)) => words.push(kept(word)),
                        ("enum", Value::Array(items)) => {
                            words.extend(items.iter().filter_map(Value::as_str).map(kept));
                        }
                        ("oneOf" | "anyOf", branches) => collect(branches, words),
                        _ => {}
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| collect(item, words)),
            _ => {}
        }
    }
    let mut words = Vec::new();
    collect(schemars::SchemaGenerator::default().into_root_schema_for::<T>().as_value(), &mut words);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_a_choice_is_read_back() {
        let Form::Choice(words) = Directories::form() else { panic!("a choice") };
        assert_eq!(words, &["all", "non-empty", "none"]);
        for word in words {
            assert!(Directories::parse(&Value::from(*word)).is_ok());
        }
        assert!(Directories::parse(&Value::from("some")).is_err());
    }
}

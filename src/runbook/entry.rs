//! The parts of a runbook that are written otherwise than they are used, as YAML has them.
//!
//! They live between the reader and `lower`, which makes the model's types of them.

use std::hash::{Hash, Hasher};
use std::time::Duration;

use indexmap::IndexMap;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::Value;

use super::diagnostics::{self, Diagnostic};
use super::model::{
    CommandDecl, CopyOptions, FilterDecl, FreeSpaceDecl, Leaf, PurgeDecl, Raw, RetryDecl, ServiceDecl, Size,
    VarType, VerifyDecl,
};
use super::source::Spanned;
use super::written::{Key, Rule, Written, matches_pattern, written};
use crate::copy::{Bandwidth, Compare, Directories, EngineName, Links, OnErrors, Preserved};
use crate::plan::action::{Evidence, OnInterrupt};
use crate::values::Form;

/// The actions of a step, in the order of the documentation.
pub const ACTIONS: &[&str] = &["copy", "verify", "service", "command", "checkpoint", "check", "wait"];
/// Actions whose names are kept for later versions.
pub const LATER_ACTIONS: &[&str] = &["http", "mailstore"];

const ID_PATTERN: &str = "^[a-z0-9][a-z0-9-]*$";
const VARIABLE_PATTERN: &str = "^[a-z][a-z0-9_]*$";
const ENVIRONMENT_PATTERN: &str = "^[^=]+$";

written! {
    /// A migration runbook: its variables, its filters, and the phases of the migration.
    pub struct RunbookEntry {
        /// The version of the language: 1.
        pub movebook: Version,
        /// The runbook's name, in small letters with hyphens; state files are named after it.
        pub name: Id,
        /// What it does, in a line.
        pub title: Option<Spanned<String>>,
        /// What it does, and what one has to know before.
        pub description: Option<Spanned<String>>,
        /// The values that differ from customer to customer.
        pub vars: IndexMap<VariableName, VariableEntry>,
        /// Environment variables that templates may read as `env.NAME`.
        pub environment: Vec<Spanned<String>>,
        /// Sets of files, by name.
        pub filters: IndexMap<FilterName, Spanned<FilterDecl>>,
        /// Values that a step takes where it does not give its own.
        pub defaults: Option<Spanned<DefaultsEntry>>,
        /// What is done, in order.
        pub phases: Phases,
    }
    rules &[Rule::Extensions];

    /// A value that differs from customer to customer. Without a default it must be given.
    pub struct VariableEntry {
        /// What kind of value it is.
        pub r#type: Spanned<VarType>,
        /// The value where none is given.
        pub default: Option<Spanned<Raw>>,
        /// What the value is for.
        pub description: Option<Spanned<String>>,
        /// A value as it might be.
        pub example: Option<Spanned<Raw>>,
        /// A regular expression that the whole value must match.
        pub pattern: Option<Spanned<String>>,
        /// The values that a `choice` may have.
        pub choices: Option<Vec<Spanned<String>>>,
        /// The smallest value; of a text or a list the least length.
        pub min: Option<Spanned<Raw>>,
        /// The largest value; of a text or a list the greatest length.
        pub max: Option<Spanned<Raw>>,
    }

    /// Values that a step takes where it does not give its own.
    #[derive(Default)]
    pub struct DefaultsEntry {
        /// For every `copy` step.
        pub copy: Option<CopyOptions>,
        /// For every `verify` step.
        pub verify: Option<VerifyDefaults>,
        /// How often a step that failed is tried again.
        pub retry: Option<RetryDecl>,
    }

    /// What every `verify` step takes where it does not give its own.
    pub struct VerifyDefaults {
        /// How many files are read at a time.
        pub threads: Option<Leaf<u32>>,
        /// How far two times may lie apart and count as the same; that of `copy` unless told.
        pub mtime_tolerance: Option<Leaf<Duration>>,
    }

    /// Takes the phases of another file, with its variables and filters.
    pub struct IncludeEntry {
        /// The file's path, relative to this one.
        pub include: Spanned<String>,
    }

    /// An ordered group of steps with one purpose.
    pub struct PhaseEntry {
        /// Unique in the runbook: small letters, digits and hyphens.
        pub id: Id,
        /// What people see.
        pub title: Option<Leaf<String>>,
        /// What the phase is for.
        pub description: Option<Leaf<String>>,
        /// An expression; the phase is skipped where it is false.
        pub when: Option<Expression>,
        /// Whether the users cannot work while this phase lasts.
        pub downtime: Option<Spanned<bool>>,
        /// What is done, in order.
        pub steps: Steps,
    }

    /// One action with an id.
    pub struct StepEntry {
        /// Unique in the runbook: small letters, digits and hyphens.
        pub id: Id,
        /// What people see.
        pub title: Option<Leaf<String>>,
        /// What the step is for.
        pub description: Option<Leaf<String>>,
        /// An expression; the step is skipped where it is false.
        pub when: Option<Expression>,
        /// A list: the step is done once for each element, which is `item` in its templates.
        pub for_each: Option<Leaf<Vec<Value>>>,
        /// How often the step is tried where it fails.
        pub retry: Option<RetryDecl>,
        /// What is done where the process ended in the middle of the step and nobody can know how far it was.
        pub on_interrupt: Option<Leaf<OnInterrupt>>,
        /// Copies a tree.
        pub copy: Option<Spanned<CopyEntry>>,
        /// Compares two trees.
        pub verify: Option<Spanned<VerifyDecl>>,
        /// Starts or stops a service.
        pub service: Option<Spanned<ServiceDecl>>,
        /// Runs a program.
        pub command: Option<Spanned<CommandDecl>>,
        /// Asks a person.
        pub checkpoint: Option<Spanned<CheckpointEntry>>,
        /// Checks what must be so before anything else happens.
        pub check: Option<Spanned<Vec<Spanned<CheckEntry>>>>,
        /// Waits.
        pub wait: Option<Spanned<WaitEntry>>,
    }
    rules &[Rule::ExactlyOneOf(ACTIONS)];

    /// Copies what is new or changed from one tree into another.
    pub struct CopyEntry {
        /// The source's root.
        pub from: Leaf<String>,
        /// The target's root.
        pub to: Leaf<String>,
        /// A name under `filters`; every file without one.
        pub filter: Option<Leaf<String>>,
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
        /// Bytes a second over all workers: a size, where a bare number is one of bytes (`5MiB`), `off`, or a limit for each
        /// time of day from which on it holds: `07:00,5MiB 19:00,off`.
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
        /// Takes away what only the target has, within limits.
        pub purge: Option<PurgeDecl>,
        /// Patterns of which each must match a file in the source before a purge is believed.
        pub expect: Vec<Leaf<String>>,
        /// Whether a target that was not empty at the start may be taken over, after a person agreed.
        pub adopt: Option<Leaf<bool>>,
    }

    /// A step that only a person can complete.
    pub struct CheckpointEntry {
        /// The question.
        pub ask: Leaf<String>,
        /// What has to be done before it can be answered, in Markdown.
        pub instructions: Option<Leaf<String>>,
        /// What kind of answer it wants.
        pub answer: AnswerEntry,
        /// What proves it.
        pub evidence: Option<Leaf<Evidence>>,
        /// After this long the answer no longer counts, and a later phase asks again.
        pub expires: Option<Leaf<Duration>>,
        /// An earlier secret checkpoint whose answer this one must repeat.
        pub same_as: Option<Spanned<String>>,
    }

    /// One of several answers.
    pub struct ChoiceEntry {
        /// The answers, and what each means.
        pub choice: IndexMap<ChoiceName, Leaf<String>>,
    }

    /// One thing that must be so: a path, paths that lie apart, a port that answers, or an expression.
    pub struct CheckEntry {
        /// A path that exists (or does not, with `exists: false`).
        pub path: Option<Leaf<String>>,
        /// Whether the path exists.
        pub exists: Option<Leaf<bool>>,
        /// Patterns of which each matches a file in the folder.
        pub contains: Vec<Leaf<String>>,
        /// How much space the path's volume has left.
        pub free_space: Option<FreeSpaceDecl>,
        /// Whether files can be made there.
        pub writable: Option<Leaf<bool>>,
        /// Paths of which none is the same as, or inside, another.
        pub apart: Option<Vec<Leaf<String>>>,
        /// A port that answers.
        pub tcp: Option<TcpEntry>,
        /// An expression that is true.
        pub that: Option<Expression>,
        /// What is said where the expression is false.
        pub message: Option<Leaf<String>>,
    }
    rules &[
        Rule::ExactlyOneOf(&["path", "apart", "tcp", "that"]),
        Rule::Needs("exists", "path"),
        Rule::Needs("contains", "path"),
        Rule::Needs("free_space", "path"),
        Rule::Needs("writable", "path"),
        Rule::Needs("message", "that"),
    ];

    /// A port that answers.
    pub struct TcpEntry {
        /// The machine's name or address.
        pub host: Leaf<String>,
        /// The port's number.
        pub port: Leaf<u32>,
        /// How long it may take; 5s unless told.
        pub timeout: Option<Leaf<Duration>>,
    }

    /// Waits for a time, or until a time of day.
    pub struct WaitEntry {
        /// How long.
        pub r#for: Option<Leaf<Duration>>,
        /// A time of day, `22:30`, by this machine's clock; the next time it comes.
        pub until: Option<Leaf<String>>,
    }
    rules &[Rule::ExactlyOneOf(&["for", "until"])];
}

/// Reads a file's tree. Everything that is wrong with its structure goes to `problems`; what can be read in spite of
/// it is returned, so that it can be checked too.
pub fn read(tree: &Spanned<Raw>, problems: &mut Vec<Diagnostic>) -> Option<RunbookEntry> {
    if tree.value == Raw::Null {
        problems.push(diagnostics::empty_file(tree.span));
        return None;
    }
    RunbookEntry::read(tree, problems)
}

/// The version of the language.
#[derive(Clone, Copy, Debug)]
pub struct Version;

impl Written for Version {
    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"const": 1})
    }

    fn read(node: &Spanned<Raw>, problems: &mut Vec<Diagnostic>) -> Option<Self> {
        match node.value {
            Raw::Integer(1) => Some(Version),
            _ => {
                problems.push(diagnostics::unknown_version(node));
                None
            }
        }
    }
}

/// The name of a runbook, a phase or a step.
#[derive(Clone, Debug)]
pub struct Id(pub Spanned<String>);

impl Written for Id {
    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": ID_PATTERN})
    }

    fn read(node: &Spanned<Raw>, problems: &mut Vec<Diagnostic>) -> Option<Self> {
        let id = Spanned::<String>::read(node, problems)?;
        if !matches_pattern(ID_PATTERN, &id) {
            problems.push(diagnostics::bad_name(&id, ID_PATTERN));
        }
        Some(Id(id))
    }
}

/// A condition: minijinja's expressions, without braces.
#[derive(Clone, Debug)]
pub struct Expression(pub Spanned<String>);

impl Written for Expression {
    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": ["string", "boolean"]})
    }

    fn read(node: &Spanned<Raw>, problems: &mut Vec<Diagnostic>) -> Option<Self> {
        match &node.value {
            Raw::Text(text) => Some(Expression(Spanned::new(text.clone(), node.span))),
            Raw::Boolean(truth) => Some(Expression(Spanned::new(truth.to_string(), node.span))),
            other => {
                problems.push(diagnostics::wrong_type(node.span, "an expression", other));
                None
            }
        }
    }
}

impl Written for Spanned<VarType> {
    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"enum": VarType::WORDS})
    }

    fn read(node: &Spanned<Raw>, problems: &mut Vec<Diagnostic>) -> Option<Self> {
        let word = match &node.value {
            Raw::Text(text) => VarType::from_word(text),
            _ => None,
        };
        if word.is_none() {
            problems.push(diagnostics::unfit_literal(node, &Form::Choice(VarType::WORDS)));
        }
        word.map(|kind| Spanned::new(kind, node.span))
    }
}

/// A mapping with its place: block mappings have none of their own, so it is that of the node.
macro_rules! spanned_mapping {
    ($($kind:ty),*) => {$(
        impl Written for Spanned<$kind> {
            fn schema(generator: &mut SchemaGenerator) -> Schema {
                <$kind>::schema(generator)
            }

            fn read(node: &Spanned<Raw>, problems: &mut Vec<Diagnostic>) -> Option<Self> {
                <$kind>::read(node, problems).map(|value| Spanned::new(value, node.span))
            }
        }
    )*};
}

spanned_mapping! {
    FilterDecl, DefaultsEntry, CopyEntry, VerifyDecl, ServiceDecl, CommandDecl, CheckpointEntry, CheckEntry,
    Vec<Spanned<CheckEntry>>, WaitEntry
}

/// The phases of a file: at least one.
#[derive(Clone, Debug)]
pub struct Phases(pub Vec<PhaseOrInclude>);

/// The steps of a phase: at least one.
#[derive(Clone, Debug)]
pub struct Steps(pub Vec<StepEntry>);

macro_rules! at_least_one {
    ($($list:ident of $item:ty: $what:literal),*) => {$(
        impl Written for $list {
            fn schema(generator: &mut SchemaGenerator) -> Schema {
                let items = <$item>::schema(generator);
                json_schema!({"type": "array", "items": items, "minItems": 1})
            }

            fn read(node: &Spanned<Raw>, problems: &mut Vec<Diagnostic>) -> Option<Self> {
                let items = Vec::<$item>::read(node, problems)?;
                if matches!(&node.value, Raw::List(written) if written.is_empty()) {
                    problems.push(diagnostics::empty_list(node.span, $what));
                }
                Some($list(items))
            }
        }
    )*};
}

at_least_one! { Phases of PhaseOrInclude: "phase", Steps of StepEntry: "step" }

#[derive(Clone, Debug)]
pub enum PhaseOrInclude {
    Phase(Box<PhaseEntry>),
    Include(IncludeEntry),
}

impl Written for PhaseOrInclude {
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        let (include, phase) = (IncludeEntry::schema(generator), PhaseEntry::schema(generator));
        json_schema!({"if": {"type": "object", "required": ["include"]}, "then": include, "else": phase})
    }

    fn read(node: &Spanned<Raw>, problems: &mut Vec<Diagnostic>) -> Option<Self> {
        match &node.value {
            Raw::Map(members) if members.iter().any(|(key, _)| key.value == "include") => {
                IncludeEntry::read(node, problems).map(PhaseOrInclude::Include)
            }
            _ => PhaseEntry::read(node, problems).map(|phase| PhaseOrInclude::Phase(Box::new(phase))),
        }
    }
}

#[derive(Clone, Debug)]
pub enum AnswerEntry {
    Confirm,
    Text,
    Secret,
    Choice(IndexMap<ChoiceName, Leaf<String>>),
}

impl AnswerEntry {
    /// The answers that are a word alone.
    pub const WORDS: &'static [&'static str] = &["confirm", "text", "secret"];
}

impl Written for AnswerEntry {
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        let choice = ChoiceEntry::schema(generator);
        json_schema!({"anyOf": [{"enum": Self::WORDS}, choice]})
    }

    fn read(node: &Spanned<Raw>, problems: &mut Vec<Diagnostic>) -> Option<Self> {
        match &node.value {
            Raw::Text(text) if text == "confirm" => Some(AnswerEntry::Confirm),
            Raw::Text(text) if text == "text" => Some(AnswerEntry::Text),
            Raw::Text(text) if text == "secret" => Some(AnswerEntry::Secret),
            Raw::Map(_) => ChoiceEntry::read(node, problems).map(|entry| AnswerEntry::Choice(entry.choice)),
            _ => {
                problems.push(diagnostics::unfit_literal(node, &Form::Choice(Self::WORDS)));
                None
            }
        }
    }

    /// A person who is asked for nothing else says that it is done.
    fn absent() -> Option<Self> {
        Some(AnswerEntry::Confirm)
    }
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident: $pattern:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name(pub Spanned<String>);

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.0.value == other.0.value
            }
        }

        impl Eq for $name {}

        impl Hash for $name {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.0.value.hash(state);
            }
        }

        impl Key for $name {
            const PATTERN: &'static str = $pattern;

            fn from_key(key: &Spanned<String>) -> Option<Self> {
                matches_pattern(Self::PATTERN, key).then(|| $name(key.clone()))
            }
        }
    )*};
}

names! {
    /// The name of a variable: templates take it as it is, so it has no hyphen.
    VariableName: VARIABLE_PATTERN;
    /// The name of a filter.
    FilterName: ID_PATTERN;
    /// One of the answers to a checkpoint.
    ChoiceName: ID_PATTERN;
}

/// The name of a child's environment variable.
impl Key for String {
    const PATTERN: &'static str = ENVIRONMENT_PATTERN;

    fn from_key(key: &Spanned<String>) -> Option<Self> {
        matches_pattern(Self::PATTERN, key).then(|| key.value.clone())
    }
}

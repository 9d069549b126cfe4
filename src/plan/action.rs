//! What a step does, every value known. Made by the planner alone; the runner takes it as it is.

use std::path::PathBuf;
use std::time::Duration;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::copy::{
    Access, Bandwidth, Compare, Directories, EngineName, Extra, Keep, Links, Method, OnErrors, Preserve,
    Priority,
};
use crate::filter::Filter;

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    Copy(CopyAction),
    Verify(VerifyAction),
    Service(ServiceAction),
    Command(CommandAction),
    Checkpoint(CheckpointAction),
    Check(Vec<CheckAction>),
    Wait(WaitAction),
}

#[derive(Clone, Debug, Serialize)]
pub struct CopyAction {
    pub from: PathBuf,
    pub to: PathBuf,
    /// The name under `filters:`, for people.
    pub filter_name: Option<String>,
    pub filter: Filter,
    pub engine: EngineName,
    pub directories: Directories,
    pub errors: OnErrors,
    pub retries: u32,
    pub wait: Duration,
    pub threads: u32,
    pub compare: Compare,
    pub mtime_tolerance: Option<Duration>,
    pub links: Links,
    pub preserve: Preserve,
    /// `None`: no limit.
    pub bandwidth: Option<Bandwidth>,
    pub priority: Priority,
    pub access: Access,
    pub resume_over: u64,
    pub purge: Option<Purge>,
    pub expect: Vec<String>,
    pub adopt: Adopt,
    /// For the engine's program; judged when the plan was made.
    pub extra_args: Vec<String>,
    /// For rclone alone. May hold secrets.
    #[serde(skip)]
    pub environment: IndexMap<String, String>,
}

#[cfg(test)]
impl CopyAction {
    /// A pass that asks for nothing in particular, for tests to vary.
    pub fn plain(from: &str, to: &str, filter: Filter) -> Self {
        use crate::copy::CopyPass;

        Self {
            from: from.into(),
            to: to.into(),
            filter_name: None,
            filter,
            engine: EngineName::Native,
            directories: Directories::NonEmpty,
            errors: OnErrors::Fail,
            retries: 2,
            wait: Duration::from_secs(2),
            threads: 8,
            compare: Compare::Metadata,
            mtime_tolerance: None,
            links: Links::Skip,
            preserve: Preserve::NOTHING_MORE,
            bandwidth: None,
            priority: Priority::Normal,
            access: Access::Ordinary,
            resume_over: CopyPass::RESUME_OVER,
            purge: None,
            expect: Vec::new(),
            adopt: Adopt::No,
            extra_args: Vec::new(),
            environment: IndexMap::new(),
        }
    }
}

/// Whether a target that was not empty may be taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Adopt {
    No,
    /// After a person agreed at a checkpoint.
    Ask,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Purge {
    /// A purge of more files than this waits for a person.
    pub max_files: u64,
    /// … or of more than this part of the target's files.
    pub max_percent: u32,
    pub keep: Keep,
}

impl Purge {
    /// The limits where none are given.
    pub const MAX_FILES: u64 = 1000;
    pub const MAX_PERCENT: u32 = 5;
}

#[derive(Clone, Debug, Serialize)]
pub struct VerifyAction {
    pub from: PathBuf,
    pub to: PathBuf,
    pub filter_name: Option<String>,
    pub filter: Filter,
    pub method: Method,
    pub threads: u32,
    /// `None`: what the target's file system can store.
    pub mtime_tolerance: Option<Duration>,
    pub manifest: Option<PathBuf>,
    pub extra: Extra,
    pub access: Access,
    /// For rclone alone, where a side is a remote. May hold secrets.
    #[serde(skip)]
    pub environment: IndexMap<String, String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ServiceState {
    Running,
    Stopped,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum IfMissing {
    Fail,
    Ok,
}

#[derive(Clone, Debug, Serialize)]
pub struct ServiceAction {
    pub name: String,
    /// Empty: this machine.
    pub host: String,
    pub state: ServiceState,
    pub wait: Duration,
    pub if_missing: IfMissing,
    pub commands: Option<ServiceCommands>,
}

/// Commands in the place of the system's service manager.
#[derive(Clone, Debug, Serialize)]
pub struct ServiceCommands {
    /// Ends with 0 (running), 3 (stopped) or 4 (no such service).
    pub status: Vec<String>,
    pub start: Vec<String>,
    pub stop: Vec<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct CommandAction {
    pub program: Program,
    pub environment: IndexMap<String, String>,
    pub directory: Option<PathBuf>,
    pub input: Option<String>,
    pub timeout: Option<Duration>,
    pub exit_codes: Vec<i64>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Program {
    /// A program and its arguments; never empty.
    Run(Vec<String>),
    Shell(String),
}

#[derive(Clone, Debug, Serialize)]
pub struct CheckpointAction {
    pub ask: String,
    pub instructions: Option<String>,
    pub answer: AnswerKind,
    pub evidence: Evidence,
    pub expires: Option<Duration>,
    pub same_as: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerKind {
    Confirm,
    Text,
    Secret,
    /// Choices and what each means.
    Choice(IndexMap<String, String>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
    None,
    Note,
    File,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckAction {
    Path {
        path: PathBuf,
        exists: Option<bool>,
        contains: Vec<String>,
        free_space: Option<FreeSpace>,
        writable: bool,
        /// For rclone alone, where the path is a remote. May hold secrets.
        #[serde(skip)]
        environment: IndexMap<String, String>,
    },
    Apart(Vec<PathBuf>),
    Tcp {
        host: String,
        port: u16,
        timeout: Duration,
    },
    /// Evaluated when the plan was made, or when the values it needs were known.
    That {
        that: String,
        holds: bool,
        message: String,
    },
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FreeSpace {
    Bytes(u64),
    /// As much as the files below this path take.
    Source(PathBuf),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitAction {
    For(Duration),
    /// By this machine's clock; the next time it comes.
    Until(jiff::civil::Time),
}

/// What is done about a step that was under way when the process ended, where that cannot be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnInterrupt {
    /// A person decides.
    Stop,
    /// It is done again.
    Retry,
}

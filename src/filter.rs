//! Which files a pass looks at: patterns, ages and sizes, the same for every engine.
//!
//! Pure: a filter never touches a file system.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether patterns tell upper and lower case apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Case {
    /// As Windows does.
    #[default]
    Insensitive,
    Sensitive,
}

/// A filter as the runbook gives it, every value known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Rules {
    pub include: Vec<String>,
    pub exclude: Vec<String>,
    pub exclude_directories: Vec<String>,
    pub min_age: Option<Duration>,
    pub max_age: Option<Duration>,
    pub min_size: Option<u64>,
    pub max_size: Option<u64>,
    pub case: Case,
}

/// [`Rules`] whose patterns are known to be valid, ready to match.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct Filter {
    rules: Rules,
}

impl Filter {
    /// Lets every file in.
    pub fn everything() -> Self {
        Self { rules: Rules::default() }
    }

    pub fn rules(&self) -> &Rules {
        &self.rules
    }
}

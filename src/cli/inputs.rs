//! What decides a plan: the runbook, its variable files, the environment and `--var`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use crate::error::{Error, ExitCode, Result};
use crate::plan::{self, EnvironmentVariables, Plan};
use crate::report::diagnostics;
use crate::report::terminal::Colour;
use crate::runbook::Problems;
use crate::runbook::model::{Runbook, VarType};
use crate::secret::Secret;
use crate::vars::{self, Given, Values};

/// Where variables come from. The later ones win: the runbook's defaults, files in order, the environment, `--var`.
#[derive(Clone, Debug, Default, Args)]
pub struct Variables {
    /// A file of variables (a customer); may be given more than once, later ones win
    #[arg(long = "vars", value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// One variable; not for secrets, which belong into a file or MOVEBOOK_VAR_NAME
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = assignment)]
    pub arguments: Vec<(String, String)>,
}

/// `NAME=VALUE`.
pub fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}

/// What a variable of the environment begins with.
const PREFIX: &str = "MOVEBOOK_VAR_";

impl Variables {
    /// Reads the files and looks into the environment.
    pub fn given(&self, runbook: &Runbook) -> Result<Given> {
        let mut files = Vec::with_capacity(self.files.len());
        for path in &self.files {
            files.push((path.display().to_string(), read_text(path, "the variables")?));
        }
        Ok(Given { files, environment: from_environment(runbook), arguments: self.arguments.clone() })
    }

    /// What the environment gives, without files and arguments.
    pub fn environment_alone(&self, runbook: &Runbook) -> Given {
        Given { environment: from_environment(runbook), ..Given::default() }
    }

    /// Of the variable files only the secrets that a runbook declares: a state file holds all else. Where it declares
    /// none the files are not even looked at.
    pub fn secrets_of(&self, runbook: &Runbook) -> Result<Vec<(String, String)>> {
        let is_secret =
            |name: &str| runbook.vars.get(name).is_some_and(|decl| decl.kind.value == VarType::Secret);
        if !runbook.vars.keys().any(|name| is_secret(name)) {
            return Ok(Vec::new());
        }
        let mut files = Vec::with_capacity(self.files.len());
        for path in &self.files {
            let text = Secret::new(read_text(path, "the variables")?);
            let cannot = |error| {
                Error::new(ExitCode::Usage, format!("cannot read the secrets in {}", path.display()))
                    .caused_by(error)
            };
            let mut values: serde_json::Map<String, Value> = serde_yaml::from_str(text.expose())
                .map_err(|_| cannot("it is no mapping from names to values"))?;
            values.retain(|name, _| is_secret(name));
            files.push((path.display().to_string(), Value::Object(values).to_string()));
        }
        Ok(files)
    }
}

/// Variables that the environment gives, by the names under which the runbook declares them.
fn from_environment(runbook: &Runbook) -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| {
            let name = name.to_str()?.strip_prefix(PREFIX)?.to_owned();
            let declared = runbook.vars.keys().find(|declared| declared.eq_ignore_ascii_case(&name));
            Some((declared.cloned().unwrap_or(name), value.to_string_lossy().into_owned()))
        })
        .collect()
}

/// Environment variables that the runbook may read as `env.NAME`.
pub fn allowed_environment(runbook: &Runbook) -> EnvironmentVariables {
    runbook
        .environment
        .iter()
        .filter_map(|name| {
            Some((name.value.clone(), std::env::var_os(&name.value)?.to_string_lossy().into_owned()))
        })
        .collect()
}

/// Loads a runbook, or shows all that is wrong with it.
pub fn load(path: &Path, colour: Colour) -> Result<Runbook> {
    crate::runbook::load(path).map_err(|problems| refuse(&problems, colour))
}

/// Resolves variables, or shows all that is wrong with them.
pub fn resolve(runbook: &Runbook, given: &Given, colour: Colour) -> Result<Values> {
    vars::resolve(runbook, given).map_err(|problems| refuse(&problems, colour))
}

/// Makes the plan, or shows all that is wrong with it.
pub fn make_plan(runbook: Runbook, values: Values, run: RunFacts<'_>, colour: Colour) -> Result<Plan> {
    let environment = allowed_environment(&runbook);
    let facts = run.to_json(&runbook.name.value);
    plan::make(runbook, values, facts, environment).map_err(|problems| refuse(&problems, colour))
}

/// What templates see as `run.*`.
pub enum RunFacts<'a> {
    /// A plan without a run: what only a run has is shown by its name.
    None,
    Run {
        id: &'a str,
        started: jiff::Timestamp,
    },
}

impl RunFacts<'_> {
    pub(super) fn to_json(&self, name: &str) -> Value {
        match self {
            Self::None => json!({"name": name, "id": "(run id)", "started": "(start of the run)"}),
            Self::Run { id, started } => json!({"name": name, "id": id, "started": started.to_string()}),
        }
    }
}

/// Prints the diagnostics and gives the error that ends the program.
pub fn refuse(problems: &Problems, colour: Colour) -> Error {
    anstream::eprint!(
        "{}",
        diagnostics::print(std::slice::from_ref(problems), diagnostics::Format::Human, colour)
    );
    Error::new(ExitCode::Usage, "the runbook or its variables are wrong; nothing was changed")
}

/// Reads a text file for the user.
pub fn read_text(path: &Path, what: &str) -> Result<String> {
    let error = match std::fs::read(path) {
        Ok(bytes) => match String::from_utf8(bytes) {
            Ok(text) => return Ok(text),
            Err(error) => std::io::Error::other(error.utf8_error()),
        },
        Err(error) => error,
    };
    Err(Error::new(ExitCode::Usage, format!("cannot read {what} {}", path.display())).caused_by(error))
}

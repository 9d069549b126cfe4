//! Where state files are, when nobody says it.

use std::path::{Path, PathBuf};

use crate::error::{Error, ExitCode, Result};
use crate::state::fold::{self, RunState};
use crate::state::journal;
use crate::state::record::Record;

const ENDING: &str = ".state.jsonl";

/// `NAME[--VARSFILE].state.jsonl` in the working directory.
pub fn default_for(runbook: &str, vars_files: &[PathBuf]) -> PathBuf {
    let mut name = runbook.to_owned();
    for stem in vars_files.iter().filter_map(|path| path.file_stem()) {
        name.push_str("--");
        name.push_str(&stem.to_string_lossy());
    }
    PathBuf::from(name + ENDING)
}

/// The state file that is meant: the given one, or the only one in the working directory.
pub fn find(given: Option<&Path>) -> Result<PathBuf> {
    if let Some(path) = given {
        return match path.try_exists() {
            Ok(true) => Ok(path.to_owned()),
            Ok(false) => {
                Err(Error::new(ExitCode::Usage, format!("there is no state file {}", path.display()))
                    .hint("`movebook run RUNBOOK` begins a run and says where its state file is"))
            }
            Err(error) => {
                Err(Error::new(ExitCode::Usage, format!("cannot look at the state file {}", path.display()))
                    .caused_by(error))
            }
        };
    }
    let cannot_list = |error| {
        Error::new(ExitCode::Usage, "cannot list the working directory for state files")
            .caused_by(error)
            .hint("name the state file")
    };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(".").map_err(cannot_list)? {
        let name = entry.map_err(cannot_list)?.file_name();
        if name.to_string_lossy().ends_with(ENDING) {
            found.push(PathBuf::from(name));
        }
    }
    found.sort();
    match found.as_slice() {
        [only] => Ok(only.clone()),
        [] => Err(Error::new(ExitCode::Usage, "there is no state file in this directory")
            .hint("name it, or go to the directory in which the run was begun")),
        several => {
            let names: Vec<String> = several.iter().map(|path| path.display().to_string()).collect();
            Err(Error::new(
                ExitCode::Usage,
                format!("there are {} state files in this directory", several.len()),
            )
            .hint(format!("name one of them: {}", names.join(", "))))
        }
    }
}

/// The state file with links resolved: what a run keeps beside it lies beside the file and not beside a link to it.
pub fn resolved(path: &Path) -> Result<PathBuf> {
    dunce::canonicalize(path).map_err(|error| {
        Error::new(ExitCode::Usage, format!("cannot tell where the state file {} is", path.display()))
            .caused_by(error)
    })
}

/// What a journal's records say; an error where no run was begun yet.
pub fn state_of(records: &[Record], path: &Path) -> Result<RunState> {
    if records.is_empty() {
        return Err(Error::new(ExitCode::Usage, format!("no run was begun yet in {}", path.display())).hint(
            "the program ended before the first record was written: begin with `movebook run RUNBOOK`",
        ));
    }
    fold::fold(records).map_err(|damage| journal::damaged(path, &damage))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_name_tells_runbook_and_customer() {
        assert_eq!(default_for("demo", &[]), PathBuf::from("demo.state.jsonl"));
        let files = [PathBuf::from("customers/acme.yaml")];
        assert_eq!(default_for("mailstore", &files), PathBuf::from("mailstore--acme.state.jsonl"));
    }
}

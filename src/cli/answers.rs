//! Answers on the command line. A secret never comes as an argument: everyone who can list processes would see it.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use super::inputs::read_text;
use crate::error::{Error, ExitCode, Result};
use crate::run::{Given, GivenAnswer};
use crate::secret::Secret;

/// Answers given ahead, by step: plain ones, and those that are read from files.
pub fn ahead(
    plain: &[(String, String)],
    files: &[(String, String)],
) -> Result<BTreeMap<String, GivenAnswer>> {
    let mut answers = BTreeMap::new();
    for (step, value) in plain {
        // `yes` is how a plain confirmation is written down ahead.
        let value = if value == "yes" { Given::Confirmed } else { Given::Text(value.clone()) };
        answers.insert(step.clone(), GivenAnswer { value, note: None, evidence: None });
    }
    for (step, file) in files {
        let value = Given::Text(from_file(Path::new(file))?.expose().to_owned());
        answers.insert(step.clone(), GivenAnswer { value, note: None, evidence: None });
    }
    Ok(answers)
}

/// The first line of a file, or of standard input for `-`.
pub fn from_file(path: &Path) -> Result<Secret> {
    let text = if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map_err(|error| {
            Error::new(ExitCode::Usage, "cannot read the answer from standard input").caused_by(error)
        })?;
        text
    } else {
        read_text(path, "the answer")?
    };
    let text = Secret::new(text);
    let line = text.expose().lines().next().unwrap_or_default().trim();
    match line.is_empty() {
        true => Err(Error::new(ExitCode::Usage, format!("the answer in {} is empty", path.display()))
            .hint("its first line is the answer")),
        false => Ok(Secret::new(line.to_owned())),
    }
}

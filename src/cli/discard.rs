//! `movebook discard STATE PATH...`: deletes for good what purges took away.

use std::path::{Path, PathBuf};

use super::quarantine::{self, Which};
use crate::cancel::Cancel;
use crate::copy::Tally;
use crate::copy::quarantine::discard;
use crate::error::{Error, ExitCode, Result};
use crate::report::commands;
use crate::report::quarantine::amount;
use crate::report::terminal::Colour;
use crate::state::record::Deed;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The state file
    state: PathBuf,
    #[command(flatten)]
    which: Which,
    /// Delete without asking
    #[arg(long)]
    yes: bool,
}

pub fn run(args: &Args, colour: Colour) -> Result<ExitCode> {
    let (mut journal, state) = quarantine::take_up(&args.state, colour)?;
    let meant = args.which.meant(&state.quarantine, &args.state)?;
    let found = args.which.found(&state.quarantine)?;
    if meant.is_empty() {
        return Ok(quarantine::nothing(found));
    }
    let cancel = Cancel::new();
    super::begin::end_on_signal(&cancel)?;
    if !args.yes {
        let mut all = Tally::default();
        meant.iter().for_each(|meant| all.merge(meant.amount));
        let question = format!("Delete {} for good?", amount(all));
        match super::ask::confirm(&question, "y: delete, nothing brings them back · n, Esc: leave them")? {
            Some(true) => {}
            Some(false) => {
                anstream::eprintln!("nothing was changed");
                return Ok(ExitCode::Done);
            }
            None => {
                return Err(Error::new(
                    ExitCode::Usage,
                    format!("{} would be deleted for good, and nobody can be asked here", amount(all)),
                )
                .hint(format!(
                    "look at `{}`, then give --yes; nothing was changed",
                    commands::quarantine(&args.state.display().to_string())
                )));
            }
        }
    }
    let changed = quarantine::carry_out(&mut journal, Deed::Discard, &args.which, &meant, &mut |meant| {
        discard(Path::new(&meant.entry.purge.folder), &meant.selection, &cancel, &mut quarantine::tell)
    })?;
    anstream::eprintln!("deleted for good: {}", amount(changed.files));
    Ok(quarantine::code(&changed, found, &cancel))
}

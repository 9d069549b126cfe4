//! `movebook restore STATE PATH...`: brings back what purges took away.

use std::path::{Path, PathBuf};

use super::quarantine::{self, Which};
use crate::cancel::Cancel;
use crate::copy::quarantine::restore;
use crate::error::{Error, ExitCode, Result};
use crate::report::quarantine::amount;
use crate::report::terminal::Colour;
use crate::state::record::Deed;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The state file
    state: PathBuf,
    #[command(flatten)]
    which: Which,
}

pub fn run(args: &Args, colour: Colour) -> Result<ExitCode> {
    let (mut journal, state) = quarantine::take_up(&args.state, colour)?;
    let meant = args.which.meant(&state.quarantine, &args.state)?;
    let found = args.which.found(&state.quarantine)?;
    if meant.is_empty() {
        return Ok(quarantine::nothing(found));
    }
    for meant in &meant {
        let purge = &meant.entry.purge;
        if !quarantine::target_is_there(meant.entry) {
            return Err(Error::new(
                ExitCode::Refused,
                format!(
                    "the target {} is not the folder that purge {} took from",
                    purge.target, purge.number
                ),
            )
            .hint("see that the right drive or share is mounted; nothing was changed"));
        }
    }
    let cancel = Cancel::new();
    super::begin::end_on_signal(&cancel)?;
    let changed = quarantine::carry_out(&mut journal, Deed::Restore, &args.which, &meant, &mut |meant| {
        let purge = &meant.entry.purge;
        restore(
            Path::new(&purge.folder),
            Path::new(&purge.target),
            &meant.selection,
            &cancel,
            &mut quarantine::tell,
        )
    })?;
    anstream::eprintln!("brought back: {}", amount(changed.files));
    if changed.files.files > 0 {
        anstream::eprintln!(
            "note: the source does not have these files: the next pass that purges takes them away again, and a \
             `verify` tells of them as extra"
        );
    }
    Ok(quarantine::code(&changed, found, &cancel))
}

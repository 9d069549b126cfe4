//! What purges took away, for people and programs. Pure.

use jiff::Timestamp;
use serde::Serialize;

use super::words;
use crate::copy::quarantine::Kept;
use crate::copy::{EntryKind, Tally, names};
use crate::state::fold::{Quarantine, Quarantined};
use crate::state::record::Deed;

/// The line above the entries of a purge.
pub fn heading(entry: &Quarantined) -> String {
    format!(
        "purge {} · step {} · {} · from {}",
        entry.purge.number,
        words::name(&entry.purge.step),
        words::time(entry.at),
        words::name(&entry.purge.target)
    )
}

/// An entry on a line of its own; the path that the other commands take comes last.
pub fn line(kept: &Kept) -> String {
    format!("  {:>12}  {}{}", words::bytes(kept.bytes), words::name(&shown(kept)), note(kept.kind))
}

fn note(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::File | EntryKind::Directory => "",
        EntryKind::Link => " (a link)",
        EntryKind::Special => " (a device, socket or pipe)",
    }
}

/// An entry as a JSON object.
pub fn json_line(entry: &Quarantined, kept: &Kept) -> serde_json::Result<String> {
    #[derive(Serialize)]
    struct Line<'a> {
        purge: u32,
        step: &'a str,
        at: Timestamp,
        target: &'a str,
        path: String,
        kind: EntryKind,
        bytes: u64,
    }
    serde_json::to_string(&Line {
        purge: entry.purge.number,
        step: &entry.purge.step,
        at: entry.at,
        target: &entry.purge.target,
        path: shown(kept),
        kind: kept.kind,
        bytes: kept.bytes,
    })
}

/// The path as the commands take it; that of an empty directory ends with `/`.
pub fn shown(kept: &Kept) -> String {
    format!("{}{}", names::shown(&kept.path), if kept.kind == EntryKind::Directory { "/" } else { "" })
}

/// `3 files, 1.2 MiB`.
pub fn amount(tally: Tally) -> String {
    format!("{}, {}", words::files(tally.files), words::bytes(tally.bytes))
}

/// The quarantine as the journal knows it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    pub purges: usize,
    pub taken: Tally,
    pub restored: Tally,
    pub discarded: Tally,
    /// Purges that were cut off: how much they took only the quarantine tells.
    pub cut_off: usize,
    /// What a person began there and did not end.
    pub unfinished: Option<Deed>,
}

impl Report {
    /// `None` where no purge kept anything.
    pub fn of(quarantine: &Quarantine) -> Option<Self> {
        (!quarantine.purges.is_empty()).then(|| Self {
            purges: quarantine.purges.len(),
            taken: quarantine.taken(),
            restored: quarantine.sum(Deed::Restore),
            discarded: quarantine.sum(Deed::Discard),
            cut_off: quarantine.purges.iter().filter(|entry| entry.taken.is_none()).count(),
            unfinished: quarantine.unfinished().map(|deed| deed.deed),
        })
    }

    /// The lines of `status`.
    pub fn human(&self) -> String {
        let mut text = format!(
            "quarantine: {} taken away by {}",
            amount(self.taken),
            words::counted(self.purges as u64, "purge", "purges")
        );
        for (tally, what) in [(self.restored, "brought back"), (self.discarded, "discarded")] {
            if tally.files > 0 {
                text.push_str(&format!("; {} {what}", amount(tally)));
            }
        }
        if self.cut_off > 0 {
            text.push_str(&format!(
                "; {} under way or cut off",
                words::counted(self.cut_off as u64, "purge is", "purges are")
            ));
        }
        match self.unfinished {
            Some(Deed::Restore) => text.push_str("; bringing back was cut off: give the same command again"),
            Some(Deed::Discard) => text.push_str("; discarding was cut off: give the same command again"),
            None => {}
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn a_name_from_a_disk_cannot_move_the_cursor() {
        let kept = Kept { path: PathBuf::from("a\u{1b}[2J"), kind: EntryKind::Directory, bytes: 0 };
        assert!(line(&kept).ends_with("a\\x1B[2J/"), "{}", line(&kept));
    }
}

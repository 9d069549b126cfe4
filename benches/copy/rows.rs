//! What is measured, as values: the work, against whom, and what is aimed at.

use clap::ValueEnum;

use crate::data::{Set, State};
use crate::peers::{Deed, Peer};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, ValueEnum)]
pub enum Topic {
    First,
    Nothing,
    Purge,
    Changed,
    Verify,
    Cold,
    Memory,
    Journal,
}

/// One comparison of times.
pub struct Row {
    pub work: &'static str,
    pub topic: Topic,
    pub set: Set,
    pub deed: Deed,
    pub peers: &'static [Peer],
    pub targets: &'static [Target],
}

/// Movebook's time is aimed to be at most so many times the other's.
pub struct Target(pub f64, pub Against);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Against {
    Peer(Peer),
    /// Whichever of xcp, cpz and fcp was fastest.
    FastestParallel,
}

pub const PARALLEL: [Peer; 3] = [Peer::Xcp, Peer::Cpz, Peer::Fcp];

use Against::FastestParallel;
use Peer::{B3sum, Cp, Cpz, Fcp, Limit, Rclone, Rsync, Xcp};

const fn to(factor: f64, peer: Peer) -> Target {
    Target(factor, Against::Peer(peer))
}

/// In the order in which they are measured and shown.
pub const ROWS: &[Row] = &[
    Row {
        work: "first copy, 100,000 small files",
        topic: Topic::First,
        set: Set::S,
        deed: Deed::First,
        peers: &[Rsync, Cp, Xcp, Cpz, Fcp, Limit],
        targets: &[to(0.50, Rsync), to(0.45, Cp), Target(1.10, FastestParallel)],
    },
    Row {
        work: "pass with nothing to do, 100,000 files",
        topic: Topic::Nothing,
        set: Set::S,
        deed: Deed::Nothing,
        peers: &[Rsync, Rclone, Limit],
        targets: &[to(0.45, Rsync), to(0.25, Rclone), to(1.15, Limit)],
    },
    Row {
        work: "pass with 1 % changed and 1 % to purge",
        topic: Topic::Purge,
        set: Set::S,
        deed: Deed::Purge,
        peers: &[Rsync],
        targets: &[to(0.50, Rsync)],
    },
    Row {
        work: "pass in which every small file has changed",
        topic: Topic::Changed,
        set: Set::S,
        deed: Deed::Changed,
        peers: &[Rsync],
        targets: &[to(0.58, Rsync)],
    },
    Row {
        work: "verify both trees with a BLAKE3 manifest, small files",
        topic: Topic::Verify,
        set: Set::S,
        deed: Deed::Verify,
        peers: &[B3sum, Rsync, Limit],
        targets: &[to(0.60, B3sum), to(1.00, Rsync)],
    },
    Row {
        work: "first copy, 100,000 small files, cold cache",
        topic: Topic::Cold,
        set: Set::S,
        deed: Deed::First,
        peers: &[Rsync, Cp, Xcp, Limit],
        targets: &[to(0.45, Rsync), to(0.40, Cp), to(0.95, Xcp)],
    },
    Row {
        work: "pass with nothing to do, 100,000 files, cold cache",
        topic: Topic::Cold,
        set: Set::S,
        deed: Deed::Nothing,
        peers: &[Rsync, Limit],
        targets: &[to(0.50, Rsync)],
    },
    Row {
        work: "first copy, 3 GB in 40 files",
        topic: Topic::First,
        set: Set::L,
        deed: Deed::First,
        peers: &[Cp, Rsync, Limit],
        targets: &[to(0.80, Cp), to(0.32, Rsync)],
    },
    Row {
        work: "first copy of the archive-like set",
        topic: Topic::First,
        set: Set::M,
        deed: Deed::First,
        peers: &[Cp, Rsync, Limit],
        targets: &[to(0.60, Cp), to(0.28, Rsync)],
    },
    Row {
        work: "verify both trees with a BLAKE3 manifest, the archive-like set",
        topic: Topic::Verify,
        set: Set::M,
        deed: Deed::Verify,
        peers: &[B3sum, Rsync, Limit],
        targets: &[to(0.60, B3sum), to(1.00, Rsync)],
    },
    Row {
        work: "pass with nothing to do, 1,000,000 files",
        topic: Topic::Nothing,
        set: Set::N,
        deed: Deed::Nothing,
        peers: &[Rsync, Rclone, Limit],
        targets: &[to(0.45, Rsync), to(0.25, Rclone), to(1.15, Limit)],
    },
    Row {
        work: "pass with nothing to do, 1,000,000 files, cold cache",
        topic: Topic::Cold,
        set: Set::N,
        deed: Deed::Nothing,
        peers: &[Rsync],
        targets: &[to(0.50, Rsync)],
    },
    Row {
        work: "pass with nothing to do, 1,000,000 files in one folder",
        topic: Topic::Nothing,
        set: Set::O,
        deed: Deed::Nothing,
        peers: &[Rsync, Limit],
        targets: &[],
    },
];

/// One look at memory.
pub struct MemoryRow {
    pub work: &'static str,
    pub set: Set,
    pub deed: Deed,
    pub peers: &'static [Peer],
}

/// What movebook is to stay within in each of [`MEMORY`], in bytes.
pub const MEMORY_TARGET: u64 = 32 << 20;

pub const MEMORY: &[MemoryRow] = &[
    MemoryRow {
        work: "first copy, 100,000 small files",
        set: Set::S,
        deed: Deed::First,
        peers: &[Rsync, Cp, Rclone],
    },
    MemoryRow {
        work: "nothing to do, 100,000 files",
        set: Set::S,
        deed: Deed::Nothing,
        peers: &[Rsync, Cp, Rclone],
    },
    MemoryRow { work: "verify, 100,000 files", set: Set::S, deed: Deed::Verify, peers: &[Rsync] },
    MemoryRow { work: "first copy, 1,000,000 files", set: Set::N, deed: Deed::First, peers: &[] },
    MemoryRow {
        work: "nothing to do, 1,000,000 files",
        set: Set::N,
        deed: Deed::Nothing,
        peers: &[Rsync, Cp, Rclone],
    },
    MemoryRow { work: "verify, 1,000,000 files", set: Set::N, deed: Deed::Verify, peers: &[] },
    MemoryRow {
        work: "first copy, 1,000,000 files in one folder",
        set: Set::O,
        deed: Deed::First,
        peers: &[],
    },
    MemoryRow {
        work: "nothing to do, 1,000,000 files in one folder",
        set: Set::O,
        deed: Deed::Nothing,
        peers: &[Rsync, Cp, Rclone],
    },
];

/// The part of a run that the journal and the events may take, in percent.
pub const JOURNAL_TARGET: f64 = 2.0;

/// The passes of which it is measured: the shortest, and one that copies.
pub const JOURNAL: &[(&str, Set, Deed)] = &[
    ("pass with nothing to do, 100,000 files", Set::S, Deed::Nothing),
    ("first copy, 100,000 small files", Set::S, Deed::First),
];

impl Deed {
    /// The state of the target before the pass; `None` where there is none yet.
    pub fn target_before(self) -> Option<State> {
        match self {
            Self::First => None,
            Self::Nothing | Self::Verify => Some(State::Same),
            Self::Purge => Some(State::OneInHundred),
            Self::Changed => Some(State::EveryFile),
        }
    }

    /// Whether the content of files is read.
    pub fn reads_content(self) -> bool {
        self != Self::Nothing
    }
}

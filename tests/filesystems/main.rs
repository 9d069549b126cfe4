//! What cannot happen to a tree, on real file systems: tmpfs, an ext4 on a loop device, a full one, a btrfs with a quota, and
//! one in between that is slow, short of names, blind to case, or broken in one place.
//!
//! | promise | module |
//! | --- | --- |
//! | nobody sees a half-written file, and whoever has the old one open keeps it | `readers` |
//! | a folder that is swapped with a link all the time leads nowhere | `swaps` |
//! | links that lie in the target are not followed; what is no file is not opened | `planted` |
//! | a power cut takes nothing away behind exit code 0, and in the middle nothing that the next run does not bring | `power_cut` |
//! | a large copy that is cut off goes on where the disk had it | `large` |
//! | a purge takes nothing away where it must not | `purges` |
//! | what a target refuses is told of with class, path and a next step, and the run is finished after mending | `mending` |
//! | one file's trouble on a share is that file's; two runs never meet in one target | `shares` |
//! | very many files or folders, very deep trees and very long paths work | `extremes` |
//!
//! `volumes` and `passthrough` make the file systems and clean up behind them, also behind a panic. They need root, loop
//! devices and FUSE, and tools that `tests/install` installs. Where something cannot be made a test says
//! `not proven here: why`, and proves nothing.
//!
//! Longer campaigns are asked for by the environment: `MOVEBOOK_SWAPS` (exchanges a test at least, 100,000),
//! `MOVEBOOK_POWER_CUTS` (in the middle of a run, 4), `MOVEBOOK_READER_ROUNDS` (12), `MOVEBOOK_DIRECTORY_FILES` (50,000; the
//! full promise is 1,000,000).
#![cfg(target_os = "linux")]

#[path = "../common/mod.rs"]
mod common;

mod extremes;
mod large;
mod mending;
mod passthrough;
mod planted;
mod power_cut;
mod purges;
mod readers;
mod shares;
mod swaps;
mod volumes;

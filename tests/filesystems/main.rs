//! What cannot happen to a tree, on real file systems: tmpfs, an ext4 on a loop device, a full one, and a slow or broken one
//! in between. One module a promise; `volumes` and `passthrough` make the file systems and clean up behind them.
//!
//! They are made as root, with loop devices and FUSE. Where that is not possible a test says `not proven here: why` and
//! proves nothing. `tests/install` installs the tools.
#![cfg(target_os = "linux")]

#[path = "../common/mod.rs"]
mod common;

mod large;
mod passthrough;
mod power_cut;
mod volumes;

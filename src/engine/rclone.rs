//! rclone as an engine: of two folders of this machine it does the copying within the frame; of a remote it lists, copies
//! and compares, since nobody else reaches it.
//!
//! Invariant: what a pass is, is decided by movebook. rclone is told to copy, and is told to delete in a remote alone, and there
//! only what is on a list that was judged.

mod call;
mod local;
mod pass;
pub mod place;
pub mod verify;

use std::path::Path;

use super::external::External;
use crate::copy::Engine;
use crate::plan::CopyAction;
use crate::rclone::remote::Remote;
use crate::rclone::transfer;

/// The engine of a step whose files rclone copies.
pub fn of(action: &CopyAction) -> Box<dyn Engine> {
    match transfer::is_remote(action) {
        true => Box::new(pass::RemotePass::new(action)),
        false => Box::new(External::new(local::LocalPair::new(action))),
    }
}

/// The remotes among some paths.
fn remotes<'p>(paths: impl IntoIterator<Item = &'p Path>) -> Vec<Remote> {
    paths.into_iter().filter_map(Remote::at).collect()
}
